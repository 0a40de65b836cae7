"""Numbers and signatures of the page, run by node."""

import hmac
from base64 import b64encode
from pathlib import Path

from msgspec import json

from tests.web.node import needs_node, run

pytestmark = needs_node


def evaluated(expressions: list[str], folder: Path) -> list[object]:
    """Each expression's value, or what it throws."""
    lines = "\n".join(f"show(() => {each});" for each in expressions)
    script = f"""
import {{ assetUnits, clock, fixed, grouped, parse, percent, step, steps }} from "./format.js";
const plain = (value) => (typeof value === "bigint" ? String(value) : value);
const show = (give) => {{
  try {{ console.log(JSON.stringify(plain(give()))); }}
  catch (error) {{ console.log(JSON.stringify("throws " + error.message)); }}
}};
{lines}
"""
    return [json.decode(line) for line in run(script, folder)]


def assert_all(cases: dict[str, object], folder: Path) -> None:
    assert dict(zip(cases, evaluated(list(cases), folder), strict=True)) == cases


def test_steps_are_told_exactly_with_their_thousands_apart(tmp_path: Path) -> None:
    cases: dict[str, object] = {
        'steps(6684363, step("0.01"))': "66,843.63",
        'steps(7, step("0.01"))': "0.07",
        'steps(4, step("0.25"))': "1.00",
        'steps(123, step("10"))': "1,230",
        'steps("9007199254740993123", step("0.000001"))': "9,007,199,254,740.993123",
        'steps(997207, step("0.000001"))': "0.997207",
        "fixed(-5n, 1)": "−0.5",
        'grouped("9999800.02808954")': "9,999,800.02808954",
        'grouped("0")': "0",
        'grouped("1000.123456789", 4)': "1,000.1234",
        'grouped("-12.5")': "−12.5",
        "percent(-0.01234)": "−1.23 %",
        "clock(1716131619042)": "15:13:39",
    }
    assert_all(cases, tmp_path)


def test_what_people_type_becomes_whole_steps_or_a_sentence(tmp_path: Path) -> None:
    cases: dict[str, object] = {
        'parse("66,843.63", step("0.01"), "price")': "6684363",
        'parse(" 5 ", step("0.25"), "price")': "20",
        'parse("1.10", step("0.1"), "price")': "11",
        'parse("0.005", step("0.01"), "price")': "throws price has to be a multiple of 0.01.",
        'parse("", step("0.01"), "price")': "throws Enter a price.",
        'parse("1e5", step("0.01"), "price")': "throws price “1e5” is not a number.",
        'parse("-1", step("0.01"), "price")': "throws price “-1” is not a number.",
        'parse("0", step("0.01"), "price")': "throws price has to be more than zero.",
        'assetUnits("0.02808954")': "2808954",
        'assetUnits("10000000")': "1000000000000000",
    }
    assert_all(cases, tmp_path)


def test_a_signature_is_the_one_that_the_server_expects(tmp_path: Path) -> None:
    script = """
import { Signer } from "./sign.js";
const algorithm = { name: "HMAC", hash: "SHA-256" };
const secret = new TextEncoder().encode("alice-secret-for-the-sandbox");
const key = await crypto.subtle.importKey("raw", secret, algorithm, false, ["sign"]);
console.log(JSON.stringify(await new Signer(key, 1e9).prove("login")));
"""
    (line,) = run(script, tmp_path)
    proof = json.decode(line)
    signed = f"{proof['timestamp']}GET/stream/login".encode()
    expected = hmac.digest(b"alice-secret-for-the-sandbox", signed, "sha256")
    assert proof["sign"] == b64encode(expected).decode()
