"""TLS by the command: files, SIGHUP, `--tls-dev` (protocol §2)."""

import asyncio
import os
import re
import signal
import ssl
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography import x509

from jayx_stream.app import tls_dev
from jayx_stream.app.config import Config, ConfigError, Server, load
from jayx_stream.app.tls import VenueTls
from jayx_stream.app.tls_dev import dev_certificate
from jayx_stream.doors.tls import TlsError
from tests.doors.certificates import Authority
from tests.doors.command import CONFIG, DEADLINE_S, Served, run, served

# The configuration.


def told(folder: Path, server: str, *, tls_dev: bool = False) -> str:
    """What is said of a `[server]` that can't be."""
    path = folder / "venue.toml"
    path.write_text(f"[server]\n{server}\n{CONFIG}")
    with pytest.raises(ConfigError) as caught:
        load(path, tls_dev=tls_dev)
    return str(caught.value).removeprefix(f"{path}:")


def test_what_can_not_be_is_named(tmp_path: Path) -> None:
    files = 'tls_cert = "a.pem"\ntls_key = "a.key"'
    assert told(tmp_path, 'tls_cert = "a.pem"').startswith(
        "1: server: tls_cert and tls_key go together"
    )
    assert told(tmp_path, files, tls_dev=True) == (
        "2: server.tls_cert: tls_cert and --tls-dev: one or the other (it is 'a.pem')"
    )
    assert "one or the other" in told(tmp_path, f"{files}\ntls_dev = true")
    assert "can be reached by others" in told(tmp_path, 'host = "0.0.0.0"')
    assert told(tmp_path, 'proxies = ["::1", "10.0.0.1/8"]') == (
        "2: server.proxies[2]: no address or network: 10.0.0.1/8 has host bits set "
        "(it is '10.0.0.1/8')"
    )
    assert "server.proxies: Expected `array`" in told(tmp_path, 'proxies = "::1"')
    assert "server.tls_dev: Expected `bool`" in told(tmp_path, "tls_dev = 1")


@pytest.mark.parametrize("key", ["http_requests_per_s", "http_requests_burst"])
def test_a_limit_below_0_is_named(tmp_path: Path, key: str) -> None:
    path = tmp_path / "venue.toml"
    path.write_text(CONFIG.replace("http_requests_per_s = 0", f"{key} = -1"))
    with pytest.raises(ConfigError, match=f"limits.{key}: {key} is -1, less than 0"):
        load(path)


def test_with_a_certificate_others_may_reach_the_server(tmp_path: Path) -> None:
    path = tmp_path / "venue.toml"
    path.write_text(f'[server]\nproxies = ["10.0.0.0/8", "192.0.2.1"]\n{CONFIG}')
    config = load(path, host="0.0.0.0", tls_dev=True)
    assert config.server.tls_dev
    assert config.server.proxies == ("10.0.0.0/8", "192.0.2.1")


def test_without_files_there_is_no_tls(tmp_path: Path) -> None:
    tls = VenueTls(Config().server, tmp_path)
    assert (tls.server, tls.told()) == (None, None)
    assert tls.hang_up() == (
        "jayx-stream was sent SIGHUP: there is no TLS certificate to read again"
    )
    assert list(tmp_path.iterdir()) == []


# The certificate of one's own.


def test_the_certificate_is_for_this_machine_for_a_month_and_kept(tmp_path: Path) -> None:
    made = dev_certificate(tmp_path, "dev.example.org")
    certificate = x509.load_pem_x509_certificate(made.cert.read_bytes())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(each.value) for each in names] == [
        "localhost",
        "127.0.0.1",
        "::1",
        "dev.example.org",
    ]
    life = certificate.not_valid_after_utc - datetime.now(UTC)
    assert timedelta(days=29) < life <= timedelta(days=30)
    digest = sha256(ssl.PEM_cert_to_DER_cert(made.cert.read_text())).hexdigest().upper()
    assert made.fingerprint.replace(":", "") == digest
    assert made.cert == tmp_path / "tls-dev" / "cert.pem"
    for path, mode in ((made.key, 0o600), (made.cert, 0o600), (made.key.parent, 0o700)):
        assert path.stat().st_mode & 0o777 == mode
    assert dev_certificate(tmp_path, "dev.example.org") == made


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "0.0.0.0", "::", "192.0.2.1", "bücher.example"]
)
def test_any_host_gives_a_certificate(tmp_path: Path, host: str) -> None:
    made = dev_certificate(tmp_path, host)
    assert dev_certificate(tmp_path, host) == made
    VenueTls(Server(host=host, tls_dev=True), tmp_path)


def test_it_is_made_again_when_it_is_about_to_expire(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tls_dev, "GOOD_FOR", tls_dev.RENEWED_BEFORE - timedelta(minutes=1))
    old = dev_certificate(tmp_path, "localhost")
    monkeypatch.undo()
    new = dev_certificate(tmp_path, "localhost")
    assert new.fingerprint != old.fingerprint
    assert dev_certificate(tmp_path, "localhost") == new


def test_it_is_made_again_for_other_hosts_and_after_damage(tmp_path: Path) -> None:
    seen = [dev_certificate(tmp_path, "localhost")]
    seen.append(dev_certificate(tmp_path, "dev.example.org"))
    for damaged in (seen[0].cert, seen[0].key):
        for damage in (b"", b"garbage", damaged.read_bytes()[:-60]):
            damaged.write_bytes(damage)
            seen.append(dev_certificate(tmp_path, "dev.example.org"))
        damaged.unlink()
        seen.append(dev_certificate(tmp_path, "dev.example.org"))
    assert len({each.fingerprint for each in seen}) == len(seen)


def test_a_key_of_another_certificate_is_not_used(tmp_path: Path) -> None:
    one = dev_certificate(tmp_path / "one", "localhost")
    other = dev_certificate(tmp_path / "other", "localhost")
    one.key.write_bytes(other.key.read_bytes())
    again = dev_certificate(tmp_path / "one", "localhost")
    assert again.fingerprint not in (one.fingerprint, other.fingerprint)


def test_a_folder_that_can_not_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "tls-dev").write_text("in the way")
    with pytest.raises(TlsError, match=f"for --tls-dev: {tmp_path}/tls-dev: File exists"):
        VenueTls(Server(tls_dev=True), tmp_path)


def test_a_host_that_no_certificate_can_be_for_is_named(tmp_path: Path) -> None:
    with pytest.raises(TlsError, match=r"no certificate can be for host a\.\.b"):
        VenueTls(Server(host="a..b", tls_dev=True), tmp_path)


# The command.


async def shown(server: Served, context: ssl.SSLContext) -> bytes:
    """The certificate that a new connection sees, in DER."""
    async with asyncio.timeout(DEADLINE_S):
        _, writer = await asyncio.open_connection(
            "127.0.0.1", server.port, ssl=context, server_hostname="localhost"
        )
    found: ssl.SSLObject = writer.get_extra_info("ssl_object")
    writer.close()
    await writer.wait_closed()
    return found.getpeercert(binary_form=True) or b""


async def line(server: Served) -> str:
    """The next that is said."""
    assert server.process.stdout is not None
    async with asyncio.timeout(DEADLINE_S):
        return (await server.process.stdout.readline()).decode()


async def complaint(server: Served, about: str) -> str:
    """The next complaint about something."""
    assert server.process.stderr is not None
    async with asyncio.timeout(DEADLINE_S):
        while True:
            said = (await server.process.stderr.readline()).decode()
            assert said, f"nothing was said about {about}"
            if about in said:
                return said


async def test_a_hangup_brings_the_new_certificate_and_never_a_bad_one(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    cert, key = authority.sign("first")
    context = ssl.create_default_context(cafile=authority.path)
    text = f'[server]\ntls_cert = "{cert}"\ntls_key = "{key}"\n{CONFIG}'
    async with served(tmp_path, text) as server:
        assert f"wss://127.0.0.1:{server.port}/ and https://" in server.ready
        first = await shown(server, context)
        for new, path in zip(authority.sign("second"), (cert, key), strict=True):
            new.replace(path)
        server.process.send_signal(signal.SIGHUP)
        assert "has read the TLS certificate again" in await line(server)
        second = await shown(server, context)
        assert second != first
        key.write_text("garbage")
        server.process.send_signal(signal.SIGHUP)
        assert "stays as it was" in await line(server)
        assert f"tls_key {key} has no private key" in await complaint(server, "stays as it was")
        assert await shown(server, context) == second
        code, _, _ = await server.end(signal.SIGTERM)
        assert code == 0


async def test_a_hangup_without_tls_changes_nothing(tmp_path: Path) -> None:
    async with served(tmp_path) as server:
        server.process.send_signal(signal.SIGHUP)
        assert "there is no TLS certificate to read again" in await line(server)
        async with server.http() as http:
            assert (await http.get("/ready")).status_code == 200
        code, _, _ = await server.end(signal.SIGTERM)
        assert code == 0


async def test_tls_dev_serves_and_says_how_to_trust_it(tmp_path: Path) -> None:
    async with served(tmp_path, f"[server]\ntls_dev = true\n{CONFIG}") as server:
        said = await line(server)
        match = re.search(r"development only: (\S+), SHA-256 ([0-9A-F:]{95})$", said.strip())
        assert match is not None, said
        cert = Path(match[1])
        assert cert == tmp_path / "data" / "tls-dev" / "cert.pem"
        seen = await shown(server, ssl.create_default_context(cafile=cert))
        assert sha256(seen).hexdigest().upper() == match[2].replace(":", "")
        os.remove(cert)
        server.process.send_signal(signal.SIGHUP)
        assert "has read the TLS certificate again" in await line(server)
        assert await shown(server, ssl.create_default_context(cafile=cert)) != seen


async def test_bad_files_end_the_start_and_are_named(tmp_path: Path) -> None:
    missing = tmp_path / "missing.pem"
    config = tmp_path / "venue.toml"
    config.write_text(f'[server]\ntls_cert = "{missing}"\ntls_key = "{missing}"\n{CONFIG}')
    code, _, complaints = await run("serve", "--config", config, "--data-dir", tmp_path / "data")
    assert code == 2
    assert f"tls_cert {missing}: No such file or directory" in complaints
    assert "Traceback" not in complaints
    _, cert = tmp_path, Authority(tmp_path).sign()
    config.write_text(f'[server]\ntls_cert = "{cert[0]}"\ntls_key = "{cert[1]}"\n{CONFIG}')
    code, _, complaints = await run("serve", "--config", config, "--tls-dev")
    assert code == 2
    assert "tls_cert and --tls-dev: one or the other" in complaints
