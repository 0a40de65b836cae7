"""Documents say what is so: every code, key, link, path, option and example in them is tried here.

A fenced block in a document says what it is behind its language: `json request` is sent and must be
answered without an error, `json refused CODE` with that code, `json order` is placed (or refused), `json
push` and `json answer` have the form that the server's own have.
"""

import json
import re
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any, NamedTuple, get_args

import msgspec
import pytest
from cyclopts import App
from msgspec import NODEFAULT, Struct
from websockets.asyncio.client import ClientConnection, connect

from jayx_stream import __version__
from jayx_stream.app import config as configuration
from jayx_stream.app.cli import app
from jayx_stream.doors.query import refusal
from jayx_stream.journal.records import FORMAT
from jayx_stream.model.reasons import CloseCode, ErrorCode
from jayx_stream.wire.limits import Limits
from jayx_stream.wire.messages import encode
from jayx_stream.wire.session import notice
from tests.doors.told import REFERENCE
from tests.sandbox import login, served_venue, signed, trade

ROOT = Path(__file__).parent.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
PROTOCOL = ROOT / "docs" / "protocol.md"
TUTORIAL = ROOT / "docs" / "tutorial.md"
CONFIGURATION = ROOT / "docs" / "configuration.md"
OPERATING = ROOT / "docs" / "operating.md"


async def answer_to(websocket: ClientConnection, request: dict[str, Any]) -> dict[str, Any]:
    """Send a request and give its answer, with an id of its own if it has none; passes pushes over."""
    request = {**request, "id": request.get("id", "asked by a test")}
    await websocket.send(json.dumps(request))
    async for text in websocket:
        answer: dict[str, Any] = json.loads(text)
        if answer.get("id") == request["id"]:
            return answer
    raise AssertionError(f"no answer to {request}")


# What stands in documents.


class Block(NamedTuple):
    """A fenced block."""

    language: str
    kind: list[str]
    text: str


def blocks(document: Path, language: str) -> Iterator[Block]:
    fence = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
    for found, kind, text in fence.findall(document.read_text()):
        if found == language:
            yield Block(found, kind.split(), text)


def prose(document: Path) -> str:
    """The text without its fenced blocks."""
    return re.sub(r"^```.*?^```$", "", document.read_text(), flags=re.MULTILINE | re.DOTALL)


def table_rows(text: str, *header: str) -> list[list[str]]:
    """The cells of the tables under this header."""
    rows, inside = [], False
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")] if "|" in line else []
        if cells[: len(header)] == list(header):
            inside = True
        elif not cells:
            inside = False
        elif inside and not set(line) <= set("|- "):
            rows.append(cells)
    return rows


def sections(document: Path) -> dict[str, str]:
    """Texts under the headings of the second level."""
    parts = re.split(r"^## (.*)$", document.read_text(), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def anchors(document: Path) -> set[str]:
    """The headings as links name them."""
    headings = re.findall(r"^#+ (.*)$", prose(document), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", each).lower().replace(" ", "-") for each in headings}


def named(documents: list[Path]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("document", documents, ids=lambda path: path.name)


# Codes.


def test_the_protocol_names_every_error_code_with_its_http_status() -> None:
    told = {
        code: int(status) for code, status, _ in table_rows(PROTOCOL.read_text(), "code", "HTTP")
    }
    assert told == {f"`{code}`": refusal(code, "").status_code for code in ErrorCode}


def test_the_protocol_says_which_errors_say_when_to_try_again() -> None:
    for code, _, when in table_rows(PROTOCOL.read_text(), "code", "HTTP"):
        answer = refusal(ErrorCode(code.strip("`")), "")
        assert ("Retry-After" in when) == ("Retry-After" in answer.headers), code


def test_the_protocol_names_every_close_code() -> None:
    breach_of_the_rfc = 1002  # the library's, of its own accord
    told = {int(code) for code, _ in table_rows(PROTOCOL.read_text(), "close code")}
    assert told == {*CloseCode, breach_of_the_rfc}


# Examples.


@named(DOCUMENTS)
def test_every_json_block_is_json_and_says_what_it_is(document: Path) -> None:
    for block in blocks(document, "json"):
        json.loads(block.text)
        assert block.kind, f"say what it is: {block.text}"
        assert block.kind[0] in ("request", "refused", "order", "push", "answer"), block.kind


@named([PROTOCOL, TUTORIAL])
async def test_requests_are_answered_as_the_document_says(document: Path) -> None:
    tried = 0
    async with served_venue() as at, connect(f"ws://{at}/") as websocket:
        for block in blocks(document, "json"):
            if block.kind[0] not in ("request", "refused"):
                continue
            example = json.loads(block.text)
            for request in example if isinstance(example, list) else [example]:
                answer = await answer_to(websocket, request)
                code = answer.get("message", {}).get("code")
                assert code == (block.kind[1] if block.kind[0] == "refused" else None), answer
                tried += 1
    assert tried


async def test_orders_are_answered_as_the_protocol_says() -> None:
    tried = 0
    async with served_venue() as at:
        for block in blocks(PROTOCOL, "json"):
            if block.kind[0] == "order":
                answer = await signed(at, "POST", "/api/v1/trader/order", block.text)
                expected = block.kind[2] if block.kind[1:2] == ["refused"] else "OK"
                assert answer.json()["code"] == expected, answer.text
                tried += 1
    assert tried


def assert_same_form(example: Any, real: Any, where: str = "$") -> None:
    """Equal field names in equal order, all the way down; what is null or empty in one is passed over."""
    if isinstance(example, dict) and isinstance(real, dict):
        assert list(example) == list(real), where
        for name in example:
            assert_same_form(example[name], real[name], f"{where}.{name}")
    elif isinstance(example, list) and isinstance(real, list):
        if example and real:
            assert_same_form(example[0], real[0], f"{where}[0]")
    elif example is not None and real is not None:
        assert type(example) is type(real), f"{where}: {example!r} and {real!r}"


async def test_pushes_have_the_form_that_the_protocol_shows() -> None:
    real: dict[str, Any] = {}
    async with served_venue() as at, connect(f"ws://{at}/") as websocket:
        await trade(at)
        subscriptions = [json.loads(each.text) for each in blocks(TUTORIAL, "json")][:4]
        await websocket.send(json.dumps(subscriptions))
        while len(real) < len(subscriptions):
            push = json.loads(await websocket.recv())
            real[push["event"]] = push
    shown = [json.loads(each.text) for each in blocks(PROTOCOL, "json") if each.kind == ["push"]]
    assert {push["event"] for push in shown} == set(real)
    for push in shown:
        assert_same_form(push, real[push["event"]], push["event"])


async def test_answers_have_the_form_that_the_documents_show() -> None:
    shown = [
        json.loads(block.text)
        for document in (PROTOCOL, TUTORIAL)
        for block in blocks(document, "json")
        if block.kind == ["answer"]
    ]
    assert shown
    order = '{"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "lots": 10, "ticks": 100}'
    for example in shown:
        async with served_venue() as at, connect(f"ws://{at}/") as websocket:
            match example.get("event"):
                case "ack" if "code" in example["message"]:
                    await answer_to(websocket, login())
                    request = {"event": "order", "message": json.loads(order), "id": 2}
                    real = await answer_to(websocket, request)
                case "ack":
                    message = {
                        "category": "spot",
                        "symbol": "BTCUSDT",
                        "interval": "60",
                        "since": 1,
                    }
                    real = await answer_to(
                        websocket, {"event": "kline", "message": message, "id": 1}
                    )
                    assert real["message"]["stream"] == example["message"]["stream"]
                case "error":
                    real = await answer_to(websocket, example["message"]["request"])
                    assert real == example
                case "notice":
                    real = json.loads(encode(notice("CLOSING", 2)))
                    assert real == example
                case _:
                    real = (await signed(at, "POST", "/api/v1/trader/order", order)).json()
            assert_same_form(example, real)


async def test_the_protocol_names_every_path_that_is_served() -> None:
    rows = table_rows(PROTOCOL.read_text(), "request")
    requests = [re.match(r"`([A-Z]+) (/api/\S+)`", row[0]) for row in rows]
    found = [match.groups() for match in requests if match is not None]
    assert set(found) == {
        (method.upper(), path)
        for path, questions in REFERENCE["paths"].items()
        for method in questions
        if path.startswith(("/api/v1/public/", "/api/v1/trader/"))
    }
    async with served_venue() as at:
        for method, path in found:
            answer = await signed(at, method, path)
            assert answer.status_code not in (
                HTTPStatus.NOT_FOUND,
                HTTPStatus.METHOD_NOT_ALLOWED,
            ), answer.text


# The configuration.

SECTIONS: Mapping[str, type[Struct]] = {
    "`[server]`": configuration.Server,
    "`[data]`": configuration.Data,
    "`[streams]`": configuration.Streams,
    "`[limits]`": Limits,
    "`[keys]`": configuration.Keys,
    "`[admin]`": configuration.Admin,
    "`[log]`": configuration.Log,
    "`[[instruments]]`": configuration.InstrumentTerms,
    "`[[accounts]]`": configuration.Account,
    "`[[accounts.keys]]`": configuration.ApiKey,
}


def as_told(default: Any) -> str:
    """A default as the tables write it."""
    if default is NODEFAULT:
        return "required"
    if default is None:
        return "none"
    return f"`{json.dumps(default)}`"


def default_of(field: msgspec.structs.FieldInfo) -> Any:
    return field.default_factory() if field.default_factory is not NODEFAULT else field.default


@pytest.mark.parametrize("section", SECTIONS)
def test_the_configuration_tells_every_key_and_its_default(section: str) -> None:
    rows = table_rows(sections(CONFIGURATION)[section], "key", "type", "default")
    told = [(row[0], row[2]) for row in rows]
    fields = msgspec.structs.fields(SECTIONS[section])
    assert told == [(f"`{field.encode_name}`", as_told(default_of(field))) for field in fields]


TYPE_WORDS = {str: "string", int: "integer", bool: "boolean", tuple: "array", dict: "table"}


@pytest.mark.parametrize("section", SECTIONS)
def test_the_configuration_tells_the_type_of_every_key(section: str) -> None:
    rows = table_rows(sections(CONFIGURATION)[section], "key", "type", "default")
    for field, row in zip(msgspec.structs.fields(SECTIONS[section]), rows, strict=True):
        kinds = [getattr(kind, "__origin__", kind) for kind in (field.type, *get_args(field.type))]
        words = [TYPE_WORDS[kind] for kind in kinds if kind in TYPE_WORDS]
        assert row[1].startswith(words[0]), f"{field.name} is {words[0]}, not {row[1]}"


def test_the_configuration_tells_every_section() -> None:
    told = {re.sub(r"[`\[\]]", "", title) for title in sections(CONFIGURATION)}
    keys = {field.encode_name for field in msgspec.structs.fields(configuration.Config)}
    assert told == keys | {"accounts.keys"}


def test_the_protocol_tells_the_default_of_every_limit() -> None:
    text = sections(PROTOCOL)["10. Limits, closing, codes"]
    for name, value in msgspec.structs.asdict(Limits()).items():
        number = f"{value >> 20} MiB" if name.startswith("queue_bytes") else f"{value:,}"
        assert re.search(rf"(?<![\d,]){number}(?![\d,])", text), name


# Links, paths, options, numbers.


@named(DOCUMENTS)
def test_every_link_leads_somewhere(document: Path) -> None:
    for link in re.findall(r"\]\(([^)]*)\)", prose(document)):
        path, _, anchor = link.partition("#")
        if not path.startswith("http"):
            target = (document.parent / path).resolve() if path else document
            assert target.exists(), link
            assert not anchor or anchor in anchors(target), link


@named(DOCUMENTS)
def test_every_path_named_is_there(document: Path) -> None:
    made_later = {"data/", ".venv/", "tls-dev/"}
    for name in re.findall(r"`([\w.-]+/[\w./-]*)`", prose(document)):
        is_path = name.endswith("/") or re.search(r"\.(py|md|toml|txt)$", name)
        if is_path and name not in made_later:
            places = (ROOT, document.parent, ROOT / "src" / "jayx_stream")
            assert any((place / name).exists() for place in places), name


def options(command: App) -> set[str]:
    arguments = command.assemble_argument_collection()
    return {name for argument in arguments for name in argument.names if name.startswith("--")}


def commands(parent: App = app) -> Iterator[tuple[str, App]]:
    """Each command by its words, those of groups of commands too."""
    for name in parent:
        if not name.startswith("-"):
            command = parent[name]
            inner = list(commands(command))
            yield from ((f"{name} {rest}", each) for rest, each in inner)
            if not inner:
                yield name, command


@named(DOCUMENTS)
def test_every_option_named_is_one_of_the_command(document: Path) -> None:
    known = {name: options(command) for name, command in commands()}
    command = re.compile(r"jayx-stream ([a-z]+(?: [a-z]+)?)((?:[^\n`]|\\\n)*)")
    for words, rest in command.findall(document.read_text()):
        for name in {words, words.split()[0]} & set(known):
            assert set(re.findall(r"--[a-z-]+", rest)) <= known[name], rest
    for option in re.findall(r"`(--[a-z-]+)", prose(document)):
        assert option in set().union(*known.values()), option


def test_operating_names_every_option_of_the_command() -> None:
    told = set(re.findall(r"--[a-z-]+", sections(OPERATING)["Start and stop"]))
    assert options(app["serve"]) - {"--help", "--version"} <= told


def test_the_changelog_names_the_numbers_in_force() -> None:
    text = (ROOT / "CHANGELOG.md").read_text()
    numbers = {what: number for what, number, _ in table_rows(text, "what", "number")}
    assert numbers["journal format"] == str(FORMAT)
    assert numbers["package"] == __version__


def test_documents_are_as_short_as_promised() -> None:
    for record in (ROOT / "docs" / "adr").glob("*.md"):
        assert len(record.read_text().splitlines()) < 40, record.name
    for example in (ROOT / "examples").glob("*.py"):
        assert len(example.read_text().splitlines()) < 60, example.name
