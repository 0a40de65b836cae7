"""The log: one record is one line, floods are bounded, and nothing secret is in it."""

import asyncio
import contextlib
import io
import json
import logging
import os
import re
import signal
from pathlib import Path
from typing import Any

import pytest

from jayx_stream.app.logs import (
    AUDIT,
    LIFE,
    LINES_PER_S,
    VALUE_CHARACTERS_MAX,
    WAITING_MAX,
    logged,
)
from tests.doors.command import CONFIG, run, served

log = logging.getLogger("jayx_stream.test")
audit = logging.getLogger(AUDIT)
FORGED = 'x\r\njayx-stream: error: forged\n{"level": "error"}\x1b[2J\u2028\u0085 end'


def objects(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_a_text_line_says_what_happened_and_then_the_fields_by_name() -> None:
    with logged("info", "text", to := io.StringIO()):
        log.info("handshake refused", extra={"status": 429, "address": "::1", "why": "too many"})
        log.warning("%s is passed over", "a checkpoint")
        log.debug("not asked for")
    assert to.getvalue() == (
        'jayx-stream: handshake refused address=::1 status=429 why="too many"\n'
        "jayx-stream: warning: a checkpoint is passed over\n"
    )


def test_a_json_line_is_an_object_with_time_level_event_and_fields() -> None:
    with logged("debug", "json", to := io.StringIO()):
        log.debug("request", extra={"status": 200, "route": "/ready"})
    (line,) = objects(to.getvalue())
    assert list(line) == ["ts", "level", "event", "route", "status"]
    assert (line["level"], line["event"], line["status"]) == ("debug", "request", 200)
    assert line["ts"].endswith("Z")


@pytest.mark.parametrize("form", ["text", "json"])
def test_no_value_begins_a_line_or_commands_a_terminal(form: str) -> None:
    with logged("info", form, to := io.StringIO()):
        log.info("origin refused", extra={"origin": FORGED})
        log.info(f"said {FORGED}")
        log.info("said %s", FORGED)
    text = to.getvalue()
    assert len(text.splitlines()) == text.count("\n") == 3
    assert all(each.isprintable() for each in text.replace("\n", ""))


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_traceback_can_not_be_taken_for_lines_of_the_log(form: str) -> None:
    with logged("info", form, to := io.StringIO()):
        try:
            raise ValueError(FORGED)
        except ValueError:
            log.exception("our fault")
    first, *rest = to.getvalue().split("\n")[:-1]
    assert "our fault" in first
    assert "ValueError" in to.getvalue()
    assert all(each.startswith("  | ") and each.isprintable() for each in rest)
    assert not rest or form == "text"


def test_a_value_that_is_too_long_is_cut() -> None:
    with logged("info", "json", to := io.StringIO()):
        log.info("origin refused", extra={"origin": "x" * 100_000})
    assert len(objects(to.getvalue())[0]["origin"]) == VALUE_CHARACTERS_MAX + 1


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_field_named_like_a_secret_is_hidden_and_a_key_id_is_not(form: str) -> None:
    names = ("api_key", "apiKey", "key", "secret", "sign", "Authorization", "token", "payload")
    with logged("info", form, to := io.StringIO()):
        log.info("key added", extra=dict.fromkeys(names, "hush") | {"key_id": "0123456789ab"})
    assert "hush" not in to.getvalue()
    assert "0123456789ab" in to.getvalue()


def test_a_flood_of_one_kind_is_bounded_and_its_rest_is_counted() -> None:
    with logged("info", "json", to := io.StringIO()) as lines:
        for number in range(1000):
            log.info("handshake refused", extra={"port": number})
        log.info("another kind")
        assert lines.left_out == 1000 - LINES_PER_S
    written = objects(to.getvalue())
    assert [each["event"] for each in written[-2:]] == ["another kind", "lines left out"]
    assert (written[-1]["kind"], written[-1]["count"]) == ("handshake refused", 1000 - LINES_PER_S)
    assert len(written) == LINES_PER_S + 2


async def test_what_a_flood_left_out_is_told_though_nothing_follows() -> None:
    with logged("info", "json", to := io.StringIO()):
        for _ in range(LINES_PER_S + 1):
            log.info("handshake refused")
        async with asyncio.timeout(10):
            while "lines left out" not in to.getvalue():
                await asyncio.sleep(0.01)
        assert objects(to.getvalue())[-1]["count"] == 1


def test_what_operators_answer_for_is_never_left_out() -> None:
    with logged("info", "json", to := io.StringIO()) as lines:
        for number in range(100):
            logging.getLogger(AUDIT).info("deposit", extra={"reference": number})
    assert [each["reference"] for each in objects(to.getvalue())] == list(range(100))
    assert lines.written == {"info": 100}


def test_people_are_not_told_twice_that_it_is_ready() -> None:
    with logged("info", "text", people := io.StringIO()):
        logging.getLogger(LIFE).info("ready", extra={"listens": 8443})
    with logged("info", "json", machines := io.StringIO()):
        logging.getLogger(LIFE).info("ready", extra={"listens": 8443})
    assert people.getvalue() == ""
    assert objects(machines.getvalue())[0]["event"] == "ready"


def test_warnings_of_libraries_are_in_the_same_form() -> None:
    with logged("error", "json", to := io.StringIO()):
        logging.getLogger("somebody.else").warning("a library's\nwords")
        logging.getLogger("somebody.else").info("not asked for")
        log.warning("not asked for")
    assert [each["event"] for each in objects(to.getvalue())] == ["a library's\nwords"]


def test_a_log_that_nobody_takes_harms_nobody() -> None:
    to = io.StringIO()
    with logged("info", "text", to) as lines:
        to.close()
        log.info("nobody hears this")
        lines.flush()
        assert (lines.lost, sum(lines.written.values())) == (1, 0)


LOG_IN_JSON = f'{CONFIG}\n[log]\nformat = "json"\n'


async def test_with_json_the_command_writes_nothing_else_to_the_standard_error(
    tmp_path: Path,
) -> None:
    async with served(tmp_path, LOG_IN_JSON) as server:
        again = ("serve", "--config", tmp_path / "venue.toml", "--data-dir", tmp_path / "data")
        code, _, refused = await run(*again)
        assert code == 1
        _, _, complaints = await server.end(signal.SIGTERM)
    (ended,) = objects(refused)
    assert (ended["event"], ended["level"], ended["exit_code"]) == ("ended", "error", 1)
    assert "in use by another process" in ended["reason"]
    events = [each["event"] for each in objects(complaints)]
    assert [each for each in events if each in ("ready", "stopping", "stopped")] == [
        "ready",
        "stopping",
        "stopped",
    ]


@pytest.mark.parametrize("wrong", ['level = "loud"', 'format = "xml"'])
async def test_a_log_that_can_not_be_is_named_with_its_line(tmp_path: Path, wrong: str) -> None:
    (tmp_path / "venue.toml").write_text(f"{CONFIG}\n[log]\n{wrong}\n")
    code, _, complaints = await run("serve", "--config", tmp_path / "venue.toml")
    assert code == 2
    assert re.search(rf"venue.toml:\d+: log.{wrong.split(maxsplit=1)[0]}: there are ", complaints)


def test_after_the_log_everything_is_as_before() -> None:
    own, root = logging.getLogger("jayx_stream"), logging.getLogger()
    before = own.level, own.propagate, list(own.handlers), list(root.handlers)
    with logged("debug", "json", io.StringIO()):
        assert own.isEnabledFor(logging.DEBUG)
    assert (own.level, own.propagate, list(own.handlers), list(root.handlers)) == before


def test_a_log_that_is_never_read_holds_nobody_up() -> None:
    read, write = os.pipe()
    count = 2 * WAITING_MAX
    with open(read), open(write, "w") as to, logged("info", "text", to) as lines:
        for number in range(count):
            audit.info("account opened", extra={"account": f"a{number}" + "x" * 100})
        assert lines.lost > 0
        assert lines.lost + sum(lines.written.values()) < count
        os.set_blocking(read, False)
        # What the writer still waits for is let through, so that it ends with this test.
        while lines.lost + sum(lines.written.values()) < count:
            with contextlib.suppress(BlockingIOError):
                os.read(read, 65_536)
