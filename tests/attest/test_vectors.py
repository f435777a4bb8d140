"""Published vectors: RFC 8785 for what is signed, DSSE for how. In Python, and in the page."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest
import rfc8785
from securesystemslib.dsse import Envelope

from collector.attest.envelope.canonical import parse
from collector.errors import VerifyFailed
from collector.verify.webpage import page
from tests.browser import browser, opened

# RFC 8785 sections 3.2.2 and 3.2.3
EXAMPLES = [
    (
        r"""{"numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
            "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
            "literals": [null, true, false]}""",
        '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],'
        '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
    ),
    (
        r"""{"\u20ac": "Euro Sign", "\r": "Carriage Return",
            "\ufb33": "Hebrew Letter Dalet With Dagesh", "1": "One",
            "\ud83d\ude00": "Emoji: Grinning Face", "\u0080": "Control",
            "\u00f6": "Latin Small Letter O With Diaeresis"}""",
        '{"\\r":"Carriage Return","1":"One","\x80":"Control",'
        '"ö":"Latin Small Letter O With Diaeresis","€":"Euro Sign","😀":"Emoji: Grinning Face",'
        '"\ufb33":"Hebrew Letter Dalet With Dagesh"}',
    ),
]
# RFC 8785 appendix B
NUMBERS = {
    "0000000000000000": "0",
    "8000000000000000": "0",
    "0000000000000001": "5e-324",
    "8000000000000001": "-5e-324",
    "7fefffffffffffff": "1.7976931348623157e+308",
    "44b52d02c7e14af5": "9.999999999999997e+22",
    "44b52d02c7e14af6": "1e+23",
    "444b1ae4d6e2ef4e": "999999999999999700000",
    "444b1ae4d6e2ef50": "1e+21",
    "3eb0c6f7a0b5ed8c": "9.999999999999997e-7",
    "3eb0c6f7a0b5ed8d": "0.000001",
    "41b3de4355555553": "333333333.3333332",
    "41b3de4355555555": "333333333.3333333",
}


def test_rfc_8785_in_python() -> None:
    for text, canonical in EXAMPLES:
        assert rfc8785.dumps(json.loads(text)).decode() == canonical
        assert parse(canonical.encode(), where="t") == json.loads(text)
        with pytest.raises(VerifyFailed, match="canonical"):
            parse(text.encode(), where="t")
    for bits, canonical in NUMBERS.items():
        (number,) = struct.unpack(">d", bytes.fromhex(bits))
        assert rfc8785.dumps(number).decode() == canonical


@pytest.mark.skipif(browser() is None, reason="chromium is not installed")
def test_rfc_8785_in_the_page(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(page(), encoding="utf-8")
    with opened((tmp_path / "page.html").as_uri(), tmp_path) as shown:
        for text, canonical in EXAMPLES:
            assert shown.ask(f"canonical(JSON.parse({json.dumps(text)}))") == canonical
        for bits, canonical in NUMBERS.items():
            (number,) = struct.unpack(">d", bytes.fromhex(bits))
            assert shown.ask(f"canonical(JSON.parse('{number!r}'))") == canonical
        for text in ('{"a":1,"a":1}', '{"a": 1}', "[1.0]", '{"b":1,"a":2}', '"\\u0041"'):
            assert shown.ask(f"canonical(JSON.parse({json.dumps(text)}))") != text


def test_the_vector_of_dsse() -> None:
    """secure-systems-lab/dsse, protocol.md"""
    envelope = Envelope(b"hello world", "http://example.com/HelloWorld", {})
    assert envelope.pae() == b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
