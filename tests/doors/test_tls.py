"""TLS on the public port: what is spoken, what stalls, and certificates that change (protocol §2, §10)."""

import asyncio
import contextlib
import json
import logging
import socket
import ssl
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import httpx
import msgspec
import pytest
import websockets
from cryptography import x509

from jayx_stream.app.config import Config
from jayx_stream.doors.tls import ServerTls, TlsError
from jayx_stream.wire.limits import Limits
from tests.doors.certificates import DAY, Authority
from tests.doors.raw import CLOSE, DEADLINE_S, UPGRADE, RawClient, connect, head, http_head, request
from tests.doors.running import Running, configured, limits, venue
from tests.doors.test_slow_readers import place, shrink_send_buffer

TIME = "/api/v1/public/time"
HOST = {"Host": "localhost"}
ORDERBOOK = {"category": "spot", "symbol": "BTCUSDT"}


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def secured(cert: Path, key: Path, bounds: Limits | None = None) -> Config:
    config = configured(bounds)
    server = msgspec.structs.replace(config.server, tls_cert=str(cert), tls_key=str(key))
    return msgspec.structs.replace(config, server=server)


@contextlib.asynccontextmanager
async def secure_venue(
    authority: Authority, bounds: Limits | None = None, *, is_strictly_secure: bool = True
) -> AsyncIterator[Running]:
    """A venue behind TLS."""
    cert, key = authority.sign()
    tls = ServerTls(cert, key, is_strictly_secure=is_strictly_secure)
    async with venue(secured(cert, key, bounds), tls=tls) as running:
        yield running


def trusting(authority: Authority) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=authority.path)


async def connect_tls(
    running: Running, context: ssl.SSLContext, receive_buffer: int | None = None
) -> RawClient:
    """A client after its TLS handshake."""
    sock = socket.socket()
    if receive_buffer is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    sock.setblocking(False)
    await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", running.port))
    limit = 65_536 if receive_buffer is None else 512
    async with asyncio.timeout(DEADLINE_S):
        streams = await asyncio.open_connection(
            sock=sock, ssl=context, server_hostname="localhost", limit=limit
        )
    return RawClient(*streams)


async def stream(
    running: Running, context: ssl.SSLContext, receive_buffer: int | None = None
) -> RawClient:
    """A client whose upgrade was accepted."""
    client = await connect_tls(running, context, receive_buffer)
    assert b" 101 " in await http_head(client, head("/", UPGRADE))
    return client


def shown(client: RawClient) -> ssl.SSLObject:
    """The client's side of TLS."""
    found = client._writer.get_extra_info("ssl_object")
    assert isinstance(found, ssl.SSLObject)
    return found


def presented(client: RawClient) -> str:
    """Whose certificate the server showed."""
    certificate = x509.load_der_x509_certificate(shown(client).getpeercert(binary_form=True) or b"")
    return certificate.subject.rfc4514_string()


async def nobody_is_left(running: Running) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while running.seats:
            await asyncio.sleep(0)


# What is spoken.


async def test_streams_and_rest_are_served_by_tls(authority: Authority) -> None:
    context = trusting(authority)
    async with secure_venue(authority) as running:
        url = f"wss://localhost:{running.port}/"
        async with websockets.connect(url, ssl=context, proxy=None) as client:
            await client.send(json.dumps({"event": "orderbook", "message": ORDERBOOK}))
            assert json.loads(await client.recv())["event"] == "orderbook"
        async with httpx.AsyncClient(verify=context, trust_env=False) as http:
            answer = await http.get(f"https://localhost:{running.port}{TIME}")
            assert answer.status_code == 200
            assert answer.headers["strict-transport-security"] == "max-age=31536000"
        await nobody_is_left(running)


async def test_browsers_are_told_to_come_by_tls_only_where_that_is_so(authority: Authority) -> None:
    async with secure_venue(authority, is_strictly_secure=False) as running:
        async with httpx.AsyncClient(verify=trusting(authority), trust_env=False) as http:
            answer = await http.get(f"https://localhost:{running.port}{TIME}")
            assert "strict-transport-security" not in answer.headers
    async with venue() as plain, plain.http() as http:
        assert "strict-transport-security" not in (await http.get(TIME)).headers


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_new_versions_are_spoken_with_good_suites(
    authority: Authority, version: ssl.TLSVersion
) -> None:
    context = trusting(authority)
    context.minimum_version = context.maximum_version = version
    context.set_alpn_protocols(["h2", "http/1.1"])
    async with secure_venue(authority) as running:
        async with await connect_tls(running, context) as client:
            cipher = shown(client).cipher()
            assert cipher is not None
            assert "GCM" in cipher[0] or "CHACHA20" in cipher[0]
            assert shown(client).selected_alpn_protocol() == "http/1.1"
            assert shown(client).compression() is None


REFUSED = {
    "TLS 1.1": (ssl.TLSVersion.TLSv1_1, "DEFAULT@SECLEVEL=0"),
    "CBC": (ssl.TLSVersion.TLSv1_2, "ECDHE-ECDSA-AES256-SHA384:ECDHE-ECDSA-AES128-SHA"),
    "no forward secrecy": (ssl.TLSVersion.TLSv1_2, "AES256-GCM-SHA384:AES128-GCM-SHA256"),
}


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated")
@pytest.mark.parametrize(("version", "ciphers"), REFUSED.values(), ids=REFUSED)
async def test_what_is_weak_is_not_spoken(
    authority: Authority, version: ssl.TLSVersion, ciphers: str
) -> None:
    context = trusting(authority)
    context.set_ciphers(ciphers)
    context.minimum_version = context.maximum_version = version
    async with secure_venue(authority) as running:
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await connect_tls(running, context)
        async with await connect_tls(running, trusting(authority)) as client:
            assert b" 200 " in await http_head(client, head(TIME, HOST))


async def test_plain_http_gets_no_answer_and_harms_nobody(authority: Authority) -> None:
    async with secure_venue(authority) as running:
        async with await connect_tls(running, trusting(authority)) as good:
            async with await connect(running.port) as plain:
                await plain.send(head(TIME, HOST))
                assert b"HTTP" not in await plain.ended()
            assert b" 200 " in await http_head(good, head(TIME, HOST))


# What stalls.


async def test_a_handshake_that_stalls_is_cut(authority: Authority) -> None:
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    half = trusting(authority).wrap_bio(incoming, outgoing, server_hostname="localhost")
    with pytest.raises(ssl.SSLWantReadError):
        half.do_handshake()
    hello = outgoing.read()
    async with secure_venue(authority, limits(handshake_s=1)) as running:
        beginnings = (b"", hello[:5], hello[:-1], hello)
        clients = [await connect(running.port) for _ in beginnings]
        for client, beginning in zip(clients, beginnings, strict=True):
            await client.send(beginning)
        async with await stream(running, trusting(authority)) as meanwhile:
            for client in clients:
                assert b"HTTP" not in await client.ended()
                await client.close()
            await meanwhile.send(request("ping", {}))
            assert (await meanwhile.json())["event"] == "pong"


async def test_a_head_that_does_not_come_is_cut_after_the_handshake(authority: Authority) -> None:
    async with secure_venue(authority, limits(handshake_s=1)) as running:
        async with await connect_tls(running, trusting(authority)) as silent:
            async with asyncio.timeout(DEADLINE_S):
                while not running.seats:
                    await asyncio.sleep(0)
            assert await silent.ended() == b""
        await nobody_is_left(running)


async def test_without_a_deadline_a_handshake_may_take_its_time(authority: Authority) -> None:
    async with secure_venue(authority, limits(handshake_s=0)) as running:
        async with await connect(running.port):
            async with await connect_tls(running, trusting(authority)) as client:
                assert b" 200 " in await http_head(client, head(TIME, HOST))


async def test_a_slow_reader_costs_bounded_memory(authority: Authority) -> None:
    async with secure_venue(authority, limits(queue_bytes=20_000)) as running:
        context = trusting(authority)
        async with await stream(running, context, receive_buffer=4096) as slow:
            [connection] = running.connections
            shrink_send_buffer(connection)
            async with await stream(running, context) as quick:
                for client in (slow, quick):
                    await client.send(request("orderbook", ORDERBOOK))
                    await client.text()
                seq = 0
                for ticks in range(1, 801):
                    seq = await place(running, ticks)
                    assert (await quick.json())["seq"] == seq
                    assert connection.waiting_bytes <= 30_000
                    assert connection._transport.get_write_buffer_size() <= 100_000
            newest, merged = await slow.json(), 0
            while newest["seq"] < seq:
                newest = await slow.json()
                merged = max(merged, newest.get("merged", 0))
            assert merged > 0


async def test_a_stop_is_told_and_ends_with_1001(authority: Authority) -> None:
    async with secure_venue(authority) as running:
        async with await stream(running, trusting(authority)) as client:
            stopping = asyncio.create_task(running.venue.stop())
            assert (await client.json())["event"] == "notice"
            opcode, payload = await client.opcode_and_payload()
            assert (opcode, int.from_bytes(payload[:2], "big")) == (CLOSE, 1001)
            async with asyncio.timeout(DEADLINE_S):
                await stopping
        assert running.seats == 0


# Certificates that change.


async def test_a_new_certificate_is_for_new_connections_and_ends_no_old_one(
    authority: Authority,
) -> None:
    cert, key = authority.sign("first")
    context = trusting(authority)
    tls = ServerTls(cert, key)
    async with venue(secured(cert, key), tls=tls) as running:
        async with await stream(running, context) as old:
            assert presented(old) == "CN=first"
            for new, old_path in zip(authority.sign("second"), (cert, key), strict=True):
                new.replace(old_path)
            async with await connect_tls(running, context) as between:
                assert presented(between) == "CN=first"
            tls.reload()
            async with await connect_tls(running, context) as new_client:
                assert presented(new_client) == "CN=second"
                assert b" 200 " in await http_head(new_client, head(TIME, HOST))
            # Without a host's name, as clients come that connect to an address.
            context.check_hostname = False
            url = f"https://127.0.0.1:{running.port}{TIME}"
            async with httpx.AsyncClient(verify=context, trust_env=False) as http:
                assert (await http.get(url)).status_code == 200
            await old.send(request("ping", {}))
            assert (await old.json())["event"] == "pong"


async def test_a_bad_pair_changes_nothing(authority: Authority) -> None:
    cert, key = authority.sign("first")
    context = trusting(authority)
    tls = ServerTls(cert, key)
    second = authority.sign("second")
    good = cert.read_bytes(), key.read_bytes()
    bad_pairs = (
        (second[0].read_bytes(), good[1]),
        (good[0], second[1].read_bytes()),
        (b"", good[1]),
        (good[0][:-100], good[1]),
        (good[0], good[1][:-50]),
    )
    async with venue(secured(cert, key), tls=tls) as running:
        for bad in bad_pairs:
            cert.write_bytes(bad[0])
            key.write_bytes(bad[1])
            with pytest.raises(TlsError):
                tls.reload()
            async with await connect_tls(running, context) as client:
                assert presented(client) == "CN=first"
        cert.unlink()
        with pytest.raises(TlsError):
            tls.reload()
        async with await connect_tls(running, context) as client:
            assert presented(client) == "CN=first"


# Files that can't be used.


def refusal(cert: Path, key: Path) -> str:
    with pytest.raises(TlsError) as caught:
        ServerTls(cert, key)
    return str(caught.value)


def test_the_file_at_fault_is_named(authority: Authority, tmp_path: Path) -> None:
    cert, key = authority.sign()
    other_cert, other_key = authority.sign("other")
    _, locked = authority.sign("locked", passphrase=b"secret")
    missing, garbage = tmp_path / "missing.pem", tmp_path / "garbage.pem"
    garbage.write_bytes(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    assert refusal(missing, key) == f"tls_cert {missing}: No such file or directory"
    assert refusal(cert, missing) == f"tls_key {missing}: No such file or directory"
    assert refusal(tmp_path, key) == f"tls_cert {tmp_path}: Is a directory"
    assert f"tls_key {other_key} is not the key of tls_cert {cert}" in refusal(cert, other_key)
    assert f"tls_key {key} is not the key of tls_cert {other_cert}" in refusal(other_cert, key)
    assert f"tls_key {locked} has a passphrase" in refusal(cert, locked)
    assert f"tls_cert {garbage} has no certificate in PEM" in refusal(garbage, key)
    assert f"tls_cert {key} has no certificate in PEM" in refusal(key, key)
    assert f"tls_key {cert} has no private key in PEM" in refusal(cert, cert)


@pytest.mark.parametrize(
    ("begins", "ends", "says"),
    [(-2 * DAY, -DAY, "expired at"), (DAY, 2 * DAY, "is not valid before")],
)
async def test_a_certificate_out_of_its_time_is_told_and_served(
    authority: Authority,
    caplog: pytest.LogCaptureFixture,
    begins: timedelta,
    ends: timedelta,
    says: str,
) -> None:
    cert, key = authority.sign(begins=begins, ends=ends)
    with caplog.at_level(logging.WARNING, "jayx_stream"):
        tls = ServerTls(cert, key)
    assert f"tls_cert {cert} {says}" in caplog.text
    unchecked = ssl.create_default_context()
    unchecked.check_hostname, unchecked.verify_mode = False, ssl.CERT_NONE
    async with venue(secured(cert, key), tls=tls) as running:
        async with await connect_tls(running, unchecked) as client:
            assert b" 200 " in await http_head(client, head(TIME, HOST))
        with pytest.raises(ssl.SSLCertVerificationError):
            await connect_tls(running, trusting(authority))
