"""A real server under testssl.sh: no finding of weight about TLS, certificates or headers."""

import asyncio
import json
import shutil
import time
from asyncio.subprocess import DEVNULL, PIPE, STDOUT
from collections import Counter
from pathlib import Path

import pytest

from tests.doors.certificates import Authority
from tests.doors.command import CONFIG, served
from tests.torture import FULL, Report

TESTSSL = shutil.which("testssl") or shutil.which("testssl.sh")
DEADLINE_S = 1200.0
"""It takes three minutes on two cores."""

HARMLESS = {"OK", "INFO", "LOW", "WARN"}
"""LOW is what a certificate's owner does outside of the server: OCSP stapling, CAA records. WARN is about
the test itself: it did not expect that `/` wants an upgrade.
"""


async def findings(authority: Authority, port: int, path: Path) -> list[dict[str, str]]:
    """What testssl.sh says about a server on this machine."""
    assert TESTSSL is not None
    process = await asyncio.create_subprocess_exec(
        *(TESTSSL, "--quiet", "--warnings", "off", "--color", "0"),
        *("--connect-timeout", "10", "--openssl-timeout", "10"),
        *("--add-ca", authority.path, "--jsonfile", path, "--ip", "127.0.0.1"),
        f"https://localhost:{port}/",
        stdin=DEVNULL,
        stdout=PIPE,
        stderr=STDOUT,
    )
    try:
        async with asyncio.timeout(DEADLINE_S):
            said, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert path.exists(), said.decode(errors="replace")
    found: list[dict[str, str]] = json.loads(path.read_text())
    return found


@pytest.mark.skipif(not FULL, reason="takes minutes: TORTURE=full")
async def test_testssl_finds_nothing_of_weight(tmp_path: Path) -> None:
    if TESTSSL is None:
        pytest.skip("testssl is not installed (apt-get install testssl.sh)")
    began_s = time.monotonic()
    authority = Authority(tmp_path)
    cert, key = authority.sign()
    text = f'[server]\ntls_cert = "{cert}"\ntls_key = "{key}"\n{CONFIG}'
    async with served(tmp_path, text) as server:
        found = await findings(authority, server.port, tmp_path / "findings.json")
    report = Report("testssl", Counter(each["severity"] for each in found))
    report.failures = [
        f"{each['severity']} {each['id']}: {each['finding']}"
        for each in found
        if each["severity"] not in HARMLESS
    ]
    for each in found:
        if each["severity"] not in ("OK", "INFO"):
            print(f"{each['severity']} {each['id']}: {each['finding']}")
    report.seconds = time.monotonic() - began_s
    report.check()
    # It has looked, and liked the certificate.
    assert report.outcomes["OK"] > 30
    assert [each["severity"] for each in found if each["id"] == "cert_chain_of_trust"] == ["OK"]
