"""Whatever is offered and however it is read: bounded, in order, and the newest state at the end."""

from collections import Counter, defaultdict
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import json

from jayx_stream.wire.push import Push
from tests.hub.reader import Reader

QUEUE_BYTES = 600
QUEUE_BYTES_MAX = 1500
KEYS = 3
PUSH_BYTES_MAX = 400

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("state"), st.integers(0, KEYS - 1), st.integers(0, 250)),
        st.tuples(st.just("event"), st.integers(0, KEYS - 1), st.integers(0, 250)),
        st.tuples(st.just("reply"), st.just(0), st.integers(0, 250)),
        st.tuples(st.just("stop"), st.just(0), st.just(0)),
        st.tuples(st.just("read"), st.integers(1, 5), st.just(0)),
        st.tuples(st.just("read all"), st.just(0), st.just(0)),
    ),
    max_size=60,
)


class Offered:
    """A reader, and all that was offered to it."""

    def __init__(self) -> None:
        self.reader = Reader(queue_bytes=QUEUE_BYTES, queue_bytes_max=QUEUE_BYTES_MAX)
        self.unmergeable: list[int] = []
        self.states: Counter[str] = Counter()
        self.newest: dict[str, int] = {}
        self._count = 0

    def step(self, kind: str, number: int, size: int) -> None:
        """Do one thing, and check what has to be so after it."""
        self._count += 1
        stream, outbox = f"stream {number}", self.reader.outbox
        match kind:
            case "state":
                outbox.offer(self._push(stream, size, mergeable=True))
                self.states[stream] += 1
                self.newest[stream] = self._count
            case "event":
                outbox.offer(self._push(stream, size, mergeable=False))
                self.unmergeable.append(self._count)
            case "reply":
                outbox.reply(json.encode({"reply": self._count, "pad": "x" * size}))
                self.unmergeable.append(self._count)
            case "stop":
                self.reader.stop()
            case "read":
                self.reader.read(number)
            case _:
                self.reader.read()
        bound = QUEUE_BYTES + KEYS * PUSH_BYTES_MAX + QUEUE_BYTES_MAX
        assert 0 <= outbox.waiting_bytes <= bound

    def _push(self, stream: str, size: int, *, mergeable: bool) -> Push:
        payload = json.encode({"state": mergeable, "pad": "x" * size})
        key = stream if mergeable else None
        return Push("any", stream, self._count, 0, payload, merge_key=key)


def is_state(message: dict[str, Any]) -> bool:
    """Whether a push read is one that may be merged."""
    return "message" in message and message["message"]["state"]


@settings(deadline=None, max_examples=200)
@given(STEPS)
def test_outbox(steps: list[tuple[str, int, int]]) -> None:
    offered = Offered()
    reader = offered.reader
    for step in steps:
        offered.step(*step)
    assert reader.given_up in (0, 1)
    if reader.given_up:
        return
    reader.read()
    assert reader.outbox.waiting_bytes == 0
    messages = reader.messages
    read_unmergeable = [m.get("seq", m.get("reply")) for m in messages if not is_state(m)]
    assert read_unmergeable == offered.unmergeable
    newest: dict[str, int] = {}
    counted: Counter[str] = Counter()
    seqs: defaultdict[str, list[int]] = defaultdict(list)
    for message in messages:
        if "stream" in message:
            seqs[message["stream"]].append(message["seq"])
        if is_state(message):
            newest[message["stream"]] = message["seq"]
            counted[message["stream"]] += 1 + message.get("merged", 0)
    assert newest == offered.newest
    assert counted == offered.states
    assert all(each == sorted(each) for each in seqs.values())


def test_no_push_of_the_model_is_larger_than_it_says() -> None:
    offered = Offered()
    offered.step("state", 0, 250)
    assert len(offered.reader.frames[0]) < PUSH_BYTES_MAX
