"""Certificates put into a timestamp beside the authority's: no signature is over them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from rfc3161_client import decode_timestamp_response

from collector.attest.envelope import timestamp
from collector.attest.envelope.timestamp import Authority, Request
from collector.errors import VerifyFailed
from tests.tsa import Tsa

SIGNATURE = b"the bytes of a signature"
SET_OF_CERTIFICATES = 0xA0
THIRD, UNKNOWN = b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x12"


def test_one_of_an_unknown_version(tmp_path: Path) -> None:
    tsa = Tsa(tmp_path / "tsa")
    authority = Authority.from_pem("test", tsa.root.read_text(), where="root")
    question = Request(SIGNATURE)
    answer = question.accept(tsa.reply(question.bytes), where="tsa")
    assert timestamp.verify(answer, SIGNATURE, [authority]).authority == "test"
    (own,) = map(bytes, decode_timestamp_response(answer).signed_data.certificates)
    changed = _beside(answer, own, own.replace(THIRD, UNKNOWN, 1))
    with pytest.raises(VerifyFailed, match="18 is not a valid X509 version"):
        timestamp.verify(changed, SIGNATURE, [authority])


def _beside(der: bytes, own: bytes, other: bytes) -> bytes:
    """The DER with another certificate after the one that is there."""
    made = b""
    for kind, content in _values(der):
        inner = content
        if kind == SET_OF_CERTIFICATES and content == own:
            inner = own + other
        elif kind & 0x20 and own in content:
            inner = _beside(content, own, other)
        made += bytes([kind]) + _length(len(inner)) + inner
    return made


def _values(der: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at < len(der):
        kind, size, begin = der[at], der[at + 1], at + 2
        if size & 0x80:
            begin += size & 0x7F
            size = int.from_bytes(der[at + 2 : begin])
        yield kind, der[begin : begin + size]
        at = begin + size


def _length(size: int) -> bytes:
    if size < 0x80:
        return bytes([size])
    wide = size.to_bytes((size.bit_length() + 7) // 8)
    return bytes([0x80 | len(wide)]) + wide
