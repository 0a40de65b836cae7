"""`jayx-stream keys`, `accounts` and `markets` against a server in a process of its own."""

import asyncio
import json
import signal
import socket
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from tests.doors.command import CONFIG, Served, free_port, run, served
from tests.doors.raw import request, shake_hands
from tests.doors.trader import ALICE, Credentials, Trader, now_ms

PUBLIC = "gtI6JUBv5b2uUPsMJZoQyDDKfRjUfF1S1e6bSx0RZBQ="


class Commands:
    """A server, and the operator's commands on its machine."""

    def __init__(self, server: Served, folder: Path, port: int) -> None:
        self.server = server
        self.folder = folder
        self.port = port

    async def run(self, *arguments: str | Path) -> tuple[int, str, str]:
        """A command that finds the server by its configuration."""
        where = ("--config", self.folder / "venue.toml", "--data-dir", self.folder / "data")
        return await run(*arguments, *where)

    async def done(self, *arguments: str | Path) -> str:
        """What a command prints that does what it is told."""
        code, output, complaints = await self.run(*arguments)
        assert (code, complaints) == (0, ""), complaints
        return output

    async def data(self, *arguments: str | Path) -> Any:
        """The same for programs."""
        return json.loads(await self.done(*arguments, "--json"))

    async def refused(self, *arguments: str | Path) -> str:
        """The one line of a command that is refused."""
        code, output, complaints = await self.run(*arguments)
        assert (code, output) == (1, "")
        assert complaints.startswith("jayx-stream: ")
        assert complaints.count("\n") == 1
        return complaints.removeprefix("jayx-stream: ").rstrip()


@asynccontextmanager
async def operated(folder: Path) -> AsyncIterator[Commands]:
    port = free_port()
    async with served(folder, CONFIG.replace("[admin]\nport = 0", f"[admin]\nport = {port}")) as at:
        yield Commands(at, folder, port)


async def balances(server: Served, who: Credentials) -> int:
    """HTTP status of a signed request."""
    async with server.http() as http:
        return (await Trader(http, who).call("GET", "balances")).status_code


async def test_a_key_is_made_listed_used_and_revoked(tmp_path: Path) -> None:
    async with operated(tmp_path) as commands:
        made, text = await asyncio.gather(
            commands.data("keys", "create", "--account", "alice", "--label", "bot"),
            commands.done("keys", "create", "--account", "bob", "--permission", "read", "trade"),
        )
        who = Credentials(made["api_key"], made["secret"])
        words = [line.split() for line in text.splitlines()]
        bobs = Credentials(words[1][-1], words[2][-1])
        assert await balances(commands.server, who) == 200
        assert await balances(commands.server, bobs) == 200

        listed, table = await asyncio.gather(
            commands.data("keys", "list", "--account", "alice"), commands.done("keys", "list")
        )
        assert [each["label"] for each in listed] == ["", "bot"]
        assert "\tbot\t" in table
        for hidden in (who.key, who.secret, bobs.key, bobs.secret, ALICE.key, ALICE.secret):
            assert hidden not in json.dumps(listed) + table

        client = await shake_hands(commands.server.port, "/")
        async with client:
            await client.send(request("positions", {"apiKey": who.key, "category": "spot"}))
            await client.json()
            revoked = await commands.done("keys", "revoke", made["key_id"])
            assert revoked.startswith(f"key {made['key_id']} of alice is revoked since 20")
            assert await client.closed_with() == 4001
        assert await balances(commands.server, who) == 401
        assert await balances(commands.server, bobs) == 200

        code, output, complaints = await commands.server.end(signal.SIGTERM)
        assert code == 0
        said = commands.server.ready + output + complaints
        data = b"".join(path.read_bytes() for path in (tmp_path / "data").iterdir())
        for hidden in (who.key, who.secret, bobs.key, bobs.secret, ALICE.key, ALICE.secret):
            assert hidden not in said
            assert hidden.encode() not in data
        token = (tmp_path / "data" / "operator.token").read_text().strip()
        master = (tmp_path / "data" / "master.key").read_text().strip()
        assert token not in said
        assert master not in said
    async with operated(tmp_path) as commands:
        assert await balances(commands.server, who) == 401
        assert await balances(commands.server, bobs) == 200


async def test_the_private_half_of_an_ed25519_key_stays_here(tmp_path: Path) -> None:
    private_file, public_file = tmp_path / "bot.pem", tmp_path / "other.pub"
    public_file.write_text(PUBLIC)
    create = ("keys", "create", "--account", "alice", "--kind", "ed25519")
    async with operated(tmp_path) as commands:
        made, given = await asyncio.gather(
            commands.data(*create, "--private-key-out", private_file),
            commands.data(*create, "--public-key", public_file),
        )
        assert made["secret"] is given["secret"] is None
        assert private_file.stat().st_mode & 0o777 == 0o600
        private = load_pem_private_key(private_file.read_bytes(), None)
        assert isinstance(private, Ed25519PrivateKey)
        stamp, target = str(now_ms()), "/api/v1/trader/balances"
        headers = {
            "JAYX-ACCESS-KEY": made["api_key"],
            "JAYX-ACCESS-TIMESTAMP": stamp,
            "JAYX-ACCESS-SIGN": b64encode(private.sign(f"{stamp}GET{target}".encode())).decode(),
        }
        async with commands.server.http() as http:
            assert (await http.get(target, headers=headers)).status_code == 200
        before = private_file.read_bytes()
        again, unknown, neither, both, hmac = await asyncio.gather(
            commands.refused(*create, "--private-key-out", private_file),
            commands.refused(
                *create[:3], "nobody", *create[4:], "--private-key-out", tmp_path / "nobody.pem"
            ),
            commands.refused(*create),
            commands.refused(*create, "--public-key", public_file, "--private-key-out", "x"),
            commands.refused(*create[:4], "--public-key", public_file),
        )
        assert again == f"{private_file} is there already"
        assert private_file.read_bytes() == before
        assert unknown == "BAD_REQUEST: no account nobody"
        assert not (tmp_path / "nobody.pem").exists()
        assert "--public-key or --private-key-out" in neither
        assert "--public-key or --private-key-out" in both
        assert "--kind ed25519" in hmac


async def test_accounts_and_markets_by_command(tmp_path: Path) -> None:
    async with operated(tmp_path) as commands:
        assert await commands.done("accounts", "create", "dora") == "dora owns nothing\n"
        deposit = ("accounts", "deposit", "dora", "BTC", "1.5", "--reference", "first")
        for _ in range(2):
            assert await commands.done(*deposit) == "dora owns 1.5 BTC (1.5 available)\n"
        withdraw = ("accounts", "withdraw", "dora", "BTC", "2", "--reference", "w")
        refused = await commands.refused(*withdraw)
        assert refused == "INSUFFICIENT_BALANCE: 2 BTC are needed, 1.5 are available"
        await commands.done(*withdraw[:4], "0.5", *withdraw[5:])
        accounts = await commands.done("accounts", "list")
        assert accounts.splitlines()[0] == "name\tasset\tbalance\tavailable"
        assert "dora\tBTC\t1\t1" in accounts.splitlines()

        async with commands.server.http() as http:
            alice = Trader(http, ALICE)
            ids = [(await alice.place("BUY", 5, ticks))[0]["id"] for ticks in (1000, 1001, 1002)]
            (canceled,) = await commands.data("markets", "cancel", "--order", str(ids[0]))
            assert (canceled["id"], canceled["account"]) == (ids[0], "alice")
            rows = await commands.done(
                "markets", "cancel", "--account", "bob", "--symbol", "BTCUSDT"
            )
            assert rows == "id\taccount\tsymbol\tside\tprice\tquantity\n"
            halted = await commands.done("markets", "halt", "BTCUSDT", "--cancel-orders")
            assert halted == "BTCUSDT is halted; 2 orders were canceled\n"
            assert (await commands.data("markets", "list"))[0]["halted"] is True
            assert await commands.done("markets", "resume", "BTCUSDT") == "BTCUSDT trades\n"
            await alice.place("BUY", 5, 1000)
        unknown, nothing = await asyncio.gather(
            commands.refused("markets", "halt", "DOGE-X"), commands.refused("markets", "cancel")
        )
        assert unknown == "UNKNOWN_SYMBOL: no instrument DOGE-X"
        assert nothing == "BAD_REQUEST: give an id, an account or a symbol"


async def test_a_server_is_found_by_url_and_token_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with operated(tmp_path) as commands:
        url = f"http://127.0.0.1:{commands.port}"
        token_file = tmp_path / "data" / "operator.token"
        listing = ("markets", "list", "--url", url)
        code, output, _ = await run(*listing, "--token-file", token_file)
        assert (code, output.splitlines()[1]) == (0, "BTCUSDT\tBTC\tUSDT\tno")
        monkeypatch.setenv("JAYX_OPERATOR_TOKEN", token_file.read_text())
        assert (await run(*listing))[0] == 0
        monkeypatch.setenv("JAYX_OPERATOR_TOKEN", "a wrong one")
        code, output, complaints = await run(*listing)
        assert (code, output) == (1, "")
        assert complaints == "jayx-stream: UNAUTHORIZED: this wants the operator's token\n"
        # Another kind of server, the public port, is told apart.
        public = f"http://127.0.0.1:{commands.server.port}"
        code, _, complaints = await run("markets", "list", "--url", public)
        assert code == 1
        assert complaints.startswith("jayx-stream: BAD_REQUEST: nothing at GET /operator/markets")


async def test_what_can_not_be_reached_is_named(tmp_path: Path) -> None:
    config, token = tmp_path / "venue.toml", tmp_path / "token"
    config.write_text(CONFIG)
    token.write_text("a token that is long enough")
    token.chmod(0o600)
    listing = ("keys", "list", "--token-file", token, "--url")
    missing = tmp_path / "operator.token"
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
        answers = await asyncio.gather(
            run(*listing, url),
            run(*listing, "nonsense"),
            run(*listing, "http://127.0.0.1:port"),
            run("keys", "list", "--config", config),
            run("keys", "list", "--data-dir", tmp_path),
            run("keys", "list", "--config", missing),
        )
    said = [
        f"no jayx-stream answers at {url}: Connection refused",
        "nonsense is no URL such as http://127.0.0.1:8444",
        "http://127.0.0.1:port is no URL such as http://127.0.0.1:8444",
        f"{config}: the operator's port is off (admin.port is 0)",
        f"no token: {missing} is not there; say where it is by --config, --data-dir, --token-file "
        "or JAYX_OPERATOR_TOKEN",
        f"{missing}: No such file or directory",
    ]
    assert [complaints for _, _, complaints in answers] == [
        f"jayx-stream: {each}\n" for each in said
    ]
    assert {(code, output) for code, output, _ in answers} == {(1, "")}


async def test_a_page_that_is_none_of_ours_is_told_apart(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("a token that is long enough")
    token.chmod(0o600)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello")
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        code, _, complaints = await run("keys", "list", "--url", url, "--token-file", token)
    assert code == 1
    assert complaints == f"jayx-stream: {url[:-1]} answers, but not as jayx-stream does\n"


async def test_help_teaches_with_examples() -> None:
    commands = (
        ("keys", "create"), ("keys", "list"), ("keys", "revoke"),
        ("accounts", "create"), ("accounts", "list"), ("accounts", "deposit"), ("accounts", "withdraw"),
        ("markets", "list"), ("markets", "halt"), ("markets", "resume"), ("markets", "cancel"),
    )  # fmt: skip
    helps = await asyncio.gather(*(run(*words, "--help") for words in commands))
    for words, (code, output, _) in zip(commands, helps, strict=True):
        assert code == 0
        assert f"jayx-stream {' '.join(words)} " in output.split("Usage:")[1].split("\n", 1)[1]
        assert "--config PATH" in output
