"""What a session wants done about a request. Rule: it names what is to be done, and knows no socket."""

from msgspec import UNSET, Raw, Struct, UnsetType

from jayx_stream.model.commands import RememberSignature
from jayx_stream.model.reasons import CloseCode
from jayx_stream.wire.channels import Channel
from jayx_stream.wire.errors import ProtocolError
from jayx_stream.wire.messages import Ack, Answer, ErrorAnswer, ErrorMessage
from jayx_stream.wire.subscribing import ignored
from jayx_stream.wire.trading import RestAnswer, StreamAnswer, TradingCommand


class Reply(Struct, frozen=True):
    """To be sent to this client."""

    answer: Answer


class Subscribe(Struct, frozen=True):
    """From now on this client reads the channel; it gets the present state at once."""

    channel: Channel
    history: int
    """Closed klines to be sent before."""
    reset: bool = False
    """Whether the client had asked for changes after a commit that this log does not have."""


class Resume(Struct, frozen=True):
    """From now on this client reads the channel; it gets every change after the commit at once."""

    channel: Channel
    seq: int


class Unsubscribe(Struct, frozen=True):
    """This client reads the channel no more."""

    channel: Channel


class Remember(Struct, frozen=True):
    """To be submitted to the exchange; nobody waits for its answer."""

    signature: RememberSignature


class Submit(Struct, frozen=True):
    """To be submitted to the exchange, and its answer told to this client."""

    command: TradingCommand
    request_id: int | str | None
    request: Raw
    message: Raw
    """The request's."""
    form: type[Struct]
    """What the message was read as."""

    def done(self, answer: RestAnswer) -> Ack | None:
        """What the client is told once it is done, with the fields that meant nothing; None if it did not
        ask.
        """
        if self.request_id is None:
            return None
        # Not looked for before: others wait to be told what the command did.
        meaningless = ignored(self.message, self.form)
        if meaningless:
            answer = StreamAnswer(answer.code, answer.data, answer.seq, meaningless)
        return Ack("ack", self.request_id, answer)

    def refused(self, error: ProtocolError) -> ErrorAnswer:
        """What the client is told if it is not done."""
        return error_answer(self.request_id, error, self.request)


class Close(Struct, frozen=True):
    """End the connection with this code."""

    code: CloseCode
    reason: str


Action = Reply | Subscribe | Resume | Unsubscribe | Remember | Submit | Close


def error_answer(
    request_id: int | str | None, error: ProtocolError, request: Raw | UnsetType
) -> ErrorAnswer:
    """The answer to a request that is refused."""
    answered = UNSET if request_id is None else request_id
    return ErrorAnswer("error", answered, ErrorMessage(error.code, error.reason, request))
