"""The log: every line that the rooms write, made readable for people or for machines.

Rules: one record is one line, whatever clients put into it; a flood of one kind is bounded and counted;
nothing that opens a door (keys, secrets, signatures, tokens) is ever written.
"""

import asyncio
import contextlib
import json
import logging
import re
import sys
from collections import Counter
from collections.abc import Iterator
from queue import Full, Queue
from threading import Event, Thread
from time import monotonic
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict, WrappedLogger

LEVELS = ("debug", "info", "warning", "error")
FORMATS = ("text", "json")

AUDIT = "jayx_stream.audit"
"""Logger of what happened to accounts, keys and markets: never left out."""

LIFE = "jayx_stream.life"
"""Logger of start, ready and stop. People read the same on the standard output, so that in the form
for people these lines are left out.
"""

LINES_PER_S = 10
"""Of one kind. A kind is where a line comes from and what it says, without its values."""

KINDS_MAX = 1000
"""Kinds that are told apart at once; beyond, all begin anew."""

VALUE_CHARACTERS_MAX = 500
"""Of one value; what is longer is cut."""

WAITING_MAX = 10_000
"""Lines that wait to be written."""

WRITTEN_WITHIN_S = 2.0
"""For what waits, at the end: whoever does not read is not waited for any longer."""

TEXT_CHARACTERS_MAX = 10_000
"""Of what happened, and of a traceback."""

_SECRETS = (
    "apikey",
    "authorization",
    "body",
    "password",
    "payload",
    "secret",
    "sign",
    "signature",
    "token",
)
_HIDDEN = "***"
_PLAIN = re.compile(r"[\w.:/@%+,\[\]-]+")


class Lines(logging.Handler):
    """Writes the log to one place. It never raises: that nobody listens must not stop a venue."""

    def __init__(self, form: str, to: TextIO | None = None) -> None:
        """`to`: the standard error, if nothing else is given."""
        super().__init__()
        self._writer = Writer(sys.stderr if to is None else to)
        self.form = form
        self._bound = Bound(self)
        self._shapeless = 0
        self.setFormatter(_formatter(form))

    @property
    def left_out(self) -> int:
        """Lines that were too many of their kind."""
        return self._bound.left_out

    @property
    def lost(self) -> int:
        """Lines that nobody took."""
        return self._shapeless + self._writer.lost

    @property
    def written(self) -> Counter[str]:
        """Lines by level."""
        return self._writer.written

    def filter(self, record: logging.LogRecord) -> bool:
        if self.form == "text" and record.name == LIFE:
            return False
        self.acquire()
        try:
            return self._bound.lets_through(record)
        finally:
            self.release()

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._writer.take(record.levelname.lower(), self.format(record))
        except Exception:
            self._shapeless += 1

    def flush(self) -> None:
        """Wait until what was logged is written, for `WRITTEN_WITHIN_S` at most."""
        self._writer.flush()

    def close(self) -> None:
        """Say what was left out last."""
        self._bound.close()
        self._writer.close()
        super().close()


class Writer:
    """Writes lines from a thread of its own: a terminal or pipe that nobody reads must not stop a venue.

    At most `WAITING_MAX` lines wait; more are lost, and counted.
    """

    def __init__(self, to: TextIO) -> None:
        self._to = to
        self._waiting: Queue[tuple[str, str] | Event] = Queue(WAITING_MAX)
        self.written: Counter[str] = Counter()
        """By level."""
        self.lost = 0
        self._closed = False
        Thread(target=self._write, name="log", daemon=True).start()

    def take(self, level: str, line: str) -> None:
        """Have a line written, if there is room for it."""
        try:
            self._waiting.put_nowait((level, line))
        except Full:
            self.lost += 1

    def flush(self) -> None:
        """Wait until what was taken is written, for `WRITTEN_WITHIN_S` at most."""
        if self._closed:
            return
        written = Event()
        with contextlib.suppress(Full):
            self._waiting.put(written, timeout=WRITTEN_WITHIN_S)
            written.wait(WRITTEN_WITHIN_S)

    def close(self) -> None:
        """The same, and end. What nobody takes until then is lost with the process."""
        self.flush()
        self._closed = True
        with contextlib.suppress(Full):
            self._waiting.put_nowait(Event())

    def _write(self) -> None:
        while True:
            item = self._waiting.get()
            if isinstance(item, Event):
                item.set()
                if self._closed and self._waiting.empty():
                    return
                continue
            level, line = item
            try:
                self._to.write(line + "\n")
                self._to.flush()
            except Exception:
                self.lost += 1
            else:
                self.written[level] += 1


class Bound:
    """Lets so many lines of a kind through in a second, and says afterwards how many more there were."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        self._since_s = monotonic()
        self._seen: Counter[tuple[str, str]] = Counter()
        self._timer: asyncio.TimerHandle | None = None
        self.left_out = 0

    def lets_through(self, record: logging.LogRecord) -> bool:
        """Whether this one is to be written."""
        if record.name == AUDIT:
            return True
        if monotonic() - self._since_s >= 1.0 or len(self._seen) >= KINDS_MAX:
            self._tell()
        kind = (record.name, str(record.msg))
        self._seen[kind] += 1
        if self._seen[kind] <= LINES_PER_S:
            return True
        self.left_out += 1
        if self._timer is None:
            # Without a loop, as in a thread, the next line of any kind tells it.
            with contextlib.suppress(RuntimeError):
                self._timer = asyncio.get_running_loop().call_later(1.0, self._tell_late)
        return False

    def close(self) -> None:
        """Write what was left out last."""
        if self._timer is not None:
            self._timer.cancel()
        self._tell_late()

    def _tell_late(self) -> None:
        self._timer = None
        self._lines.acquire()
        try:
            self._tell()
        finally:
            self._lines.release()

    def _tell(self) -> None:
        """Write what was left out, and begin a new second."""
        seen, self._seen = self._seen, Counter()
        self._since_s = monotonic()
        for (name, message), count in seen.items():
            if count > LINES_PER_S:
                record = logging.LogRecord(name, logging.WARNING, "", 0, "lines left out", (), None)
                record.kind = message
                record.count = count - LINES_PER_S
                self._lines.emit(record)


@contextlib.contextmanager
def logged(level: str, form: str, to: TextIO | None = None) -> Iterator[Lines]:
    """Write all logs while the context lasts: the rooms' own from `level` on, the libraries' from
    warnings on. `level` is one of LEVELS, `form` one of FORMATS.
    """
    root, own, lines = logging.getLogger(), logging.getLogger("jayx_stream"), Lines(form, to)
    before = own.level, own.propagate, own.handlers
    replaced = [each for each in root.handlers if isinstance(each, Lines)]
    for each in replaced:
        root.removeHandler(each)
    own.setLevel(level.upper())
    own.propagate, own.handlers = False, [lines]
    root.addHandler(lines)
    try:
        yield lines
    finally:
        root.removeHandler(lines)
        for each in replaced:
            root.addHandler(each)
        level_before, own.propagate, own.handlers = before
        own.setLevel(level_before)
        lines.close()


def lines() -> Lines | None:
    """What writes this process's log, if anything does."""
    handlers = logging.getLogger("jayx_stream").handlers
    return next((each for each in handlers if isinstance(each, Lines)), None)


def is_for_machines() -> bool:
    """Whether nothing but the log may be written to where it goes."""
    log = lines()
    return log is not None and log.form == "json"


def _formatter(form: str) -> logging.Formatter:
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[
            structlog.stdlib.add_log_level,
            structlog.stdlib.ExtraAdder(),
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="ts"),
        ],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            _hide_secrets,
            _in_json if form == "json" else _in_words,
        ],
    )


def _hide_secrets(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """The last guard: no line of ours gives such a value, and none that forgets this shows it."""
    event.pop("color_message", None)  # of uvicorn
    for name in event:
        plain = name.lower().replace("_", "").replace("-", "")
        if plain == "key" or plain.endswith(_SECRETS):
            event[name] = _HIDDEN
    return event


def _in_json(logger: WrappedLogger, method: str, event: EventDict) -> str:
    """One object on one line: ts, level, event, then the fields by name."""
    first = {"ts": event.pop("ts"), "level": event.pop("level"), "event": _message(event)}
    exception = event.pop("exception", None)
    last = {} if exception is None else {"exception": _cut(exception, TEXT_CHARACTERS_MAX)}
    fields = {name: _bounded(event[name]) for name in sorted(event)}
    return json.dumps({**first, **fields, **last}, default=str)


def _in_words(logger: WrappedLogger, method: str, event: EventDict) -> str:
    """`jayx-stream: what happened name=value`; a traceback follows, indented."""
    level, message = event.pop("level"), _message(event)
    del event["ts"]
    exception = event.pop("exception", None)
    grave = f"{level}: " if level not in ("debug", "info") else ""
    words = [f"jayx-stream: {grave}{_printable(message)}"]
    words += [f"{name}={_quoted(event[name])}" for name in sorted(event)]
    lines = [" ".join(words)]
    if exception is not None:
        traceback = _cut(exception, TEXT_CHARACTERS_MAX).split("\n")
        lines += [f"  | {_printable(each)}" for each in traceback]
    return "\n".join(lines)


def _message(event: EventDict) -> str:
    return _cut(str(event.pop("event")).strip(), TEXT_CHARACTERS_MAX)


def _bounded(value: Any) -> Any:
    return _cut(value, VALUE_CHARACTERS_MAX) if isinstance(value, str) else value


def _cut(text: str, characters: int) -> str:
    return text if len(text) <= characters else f"{text[:characters]}…"


def _quoted(value: Any) -> str:
    text = _cut(str(value), VALUE_CHARACTERS_MAX)
    return text if _PLAIN.fullmatch(text) else f'"{_printable(text).replace(chr(34), chr(39))}"'


def _printable(text: str) -> str:
    """Without line ends, escape sequences, or anything else that a terminal obeys."""
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode() for each in text
    )
