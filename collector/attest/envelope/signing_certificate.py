"""Which certificate a timestamp says that it was signed by: RFC 3161 2.4.2 wants it said.

The names in a CMS structure (issuer and serial number) are signed by nobody. So an authority signs
the digest of its certificate too: in `signingCertificate` (RFC 2634, SHA-1) or in
`signingCertificateV2` (RFC 5035), of which the first entry is the certificate of the signer.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator

from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import Certificate

_SEQUENCE, _SET, _OID, _OCTETS, _OPTIONAL = 0x30, 0x31, 0x06, 0x04, 0xA0
# 1.2.840.113549.1.9.16.2.12 and .47
_FIRST = bytes.fromhex("2a864886f70d010910020c")
_SECOND = bytes.fromhex("2a864886f70d010910022f")
# 1.3.14.3.2.26, 2.16.840.1.101.3.4.2.1 to .3
_DIGESTS = {
    bytes.fromhex("2b0e03021a"): "sha1",
    bytes.fromhex("608648016503040201"): "sha256",
    bytes.fromhex("608648016503040202"): "sha384",
    bytes.fromhex("608648016503040203"): "sha512",
}
_Value = tuple[int, bytes]


def names_its_own(answer: bytes, certificates: Iterable[Certificate]) -> bool:
    """Does the signer of an answer say by digest which of these certificates is its own?"""
    try:
        serial, attributes = _signer(answer)
        said = [_digest(kind, value) for kind, value in attributes if kind in (_FIRST, _SECOND)]
    except (ValueError, StopIteration):
        return False
    known = [one.public_bytes(Encoding.DER) for one in certificates if one.serial_number == serial]
    return bool(said) and all(
        any(hashlib.new(how, der, usedforsecurity=False).digest() == digest for der in known)
        for how, digest in said
    )


def _signer(answer: bytes) -> tuple[int, list[tuple[bytes, bytes]]]:
    """The serial number that the one signer names, and what it signed: kind and value."""
    (whole,) = _parts(answer, _SEQUENCE)
    _, content, *_ = _values(whole)
    _, data = _values(_of(content, _SEQUENCE))
    (signed,) = _parts(_of(data, _OPTIONAL), _SEQUENCE)
    *_, signers = _values(signed)
    (info,) = _parts(_of(signers, _SET), _SEQUENCE)
    _, names, _, attributes, *_ = _values(info)
    _, serial = _values(_of(names, _SEQUENCE))
    found = []
    for one in _parts(_of(attributes, _OPTIONAL), _SEQUENCE):
        kind, values = _values(one)
        found.append((_of(kind, _OID), _of(values, _SET)))
    return int.from_bytes(serial[1], signed=True), found


def _digest(kind: bytes, values: bytes) -> tuple[str, bytes]:
    (value,) = _parts(values, _SEQUENCE)
    first = next(iter(_parts(_of(next(_values(value)), _SEQUENCE), _SEQUENCE)))
    entry = list(_values(first))
    how = "sha1" if kind == _FIRST else "sha256"
    if kind == _SECOND and entry[0][0] == _SEQUENCE:
        how = _DIGESTS.get(_of(next(_values(entry.pop(0)[1])), _OID), "")
        if not how:
            raise ValueError
    return how, _of(entry[0], _OCTETS)


def _of(value: _Value, tag: int) -> bytes:
    if value[0] != tag:
        raise ValueError
    return value[1]


def _parts(data: bytes, tag: int) -> Iterator[bytes]:
    return (_of(value, tag) for value in _values(data))


def _values(data: bytes) -> Iterator[_Value]:
    """Tag and content of each value, one behind the other (DER)."""
    at = 0
    while at < len(data):
        if at + 2 > len(data):
            raise ValueError
        tag, length, begin = data[at], data[at + 1], at + 2
        if length > 0x80:
            begin += length - 0x80
            length = int.from_bytes(data[at + 2 : begin])
        elif length == 0x80:
            raise ValueError
        at = begin + length
        if at > len(data):
            raise ValueError
        yield tag, data[begin:at]
