"""What is told to a client whose request can't be done."""

from jayx_stream.model.reasons import ErrorCode


class ProtocolError(Exception):
    """A request is refused: answered with its code and reason, and nothing else happens."""

    def __init__(self, code: ErrorCode, reason: str, retry_after_s: int | None = None) -> None:
        """`retry_after_s`: when the same request might be good, if that is known."""
        super().__init__(f"{code}: {reason}")
        self.code = code
        self.reason = reason
        self.retry_after_s = retry_after_s
