"""What a server answered to a ClientHello: the version and suite it chose, and its certificates.

Records and handshake messages after RFC 5246 (6.2, 7.4) and RFC 8446 (4, 5, 7). The answer may end
anywhere: what it holds is told, and what it does not hold stays empty.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from collector.facts.tls.client_hello import P256, P384, PRIVATE, X25519

State = Literal["chosen", "refused", "other", "silent", "late"]
VERSIONS = {0x0300: "SSL 3.0", 0x0301: "TLS 1.0", 0x0302: "TLS 1.1", 0x0303: "TLS 1.2",
            0x0304: "TLS 1.3"}  # fmt: skip
_AGAIN = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")
_TLS13 = 0x0304
_SUITES = {0x1301: ("sha256", 16), 0x1302: ("sha384", 32), 0x1303: ("sha256", 32)}


@dataclass(frozen=True, slots=True)
class Answer:
    """`chosen`: a version and a suite; `refused`: an alert; `other`: no TLS; `silent`: closed with

    nothing said; `late`: nothing came within the time.

    `chain` are certificates in DER, the server's own first; empty where the answer held none;
    `greeting` is how what is `other` begins.
    """

    state: State
    version: int = 0
    suite: int = 0
    alert: int = -1
    chain: tuple[bytes, ...] = ()
    greeting: bytes = b""


def answer(hello: bytes, data: bytes) -> Answer:
    """What `data` says in answer to that ClientHello. Never raises: what is no TLS is `other`."""
    if not data:
        return Answer("silent")
    if data[:2] not in (b"\x16\x03", b"\x15\x03") or len(data) < 7:
        return Answer("other", greeting=data[:8])
    plain, sealed, alert = b"", list[bytes](), -1
    for type, header, content in _records(data):
        if type == 22 and not sealed:
            plain += content
        elif type == 23:
            sealed.append(header + content)
        elif type == 21 and alert < 0 and len(content) == 2:
            alert = content[1]
        elif type not in (20, 21, 22):
            break
    messages = list(_messages(plain))
    if not messages or messages[0][0] != 2:
        return Answer("refused", alert=alert) if alert >= 0 else Answer("other")
    chosen = _server_hello(messages[0][1])
    if chosen is None:
        return Answer("other")
    found, share = chosen
    if found.version == _TLS13:
        if share is None:
            return found
        chose = b"\x02" + len(messages[0][1]).to_bytes(3) + messages[0][1]
        opened = _opened(found.suite, hello + chose, share, sealed)
        messages = list(_messages(opened))
    for type, body in messages:
        if type == 11:
            return replace(found, chain=_chain(body, new=found.version == _TLS13))
    return found


def _records(data: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    at = 0
    while at + 5 <= len(data):
        size = int.from_bytes(data[at + 3 : at + 5])
        if data[at + 1] != 3 or at + 5 + size > len(data):
            return
        yield data[at], data[at : at + 5], data[at + 5 : at + 5 + size]
        at += 5 + size


def _messages(data: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + 4 <= len(data):
        size = int.from_bytes(data[at + 1 : at + 4])
        if at + 4 + size > len(data):
            return
        yield data[at], data[at + 4 : at + 4 + size]
        at += 4 + size


def _server_hello(body: bytes) -> tuple[Answer, tuple[int, bytes] | None] | None:
    """What was chosen, and the key share (group, key) of TLS 1.3; None where it is no such."""
    if len(body) < 38 or body[0] != 3:
        return None
    at = 35 + body[34]
    if at + 3 > len(body):
        return None
    version, suite = int.from_bytes(body[:2]), int.from_bytes(body[at : at + 2])
    if version not in VERSIONS:
        return None
    share, at = None, at + 5
    while at + 4 <= len(body):
        number, size = int.from_bytes(body[at : at + 2]), int.from_bytes(body[at + 2 : at + 4])
        value = body[at + 4 : at + 4 + size]
        if number == 0x2B and value == b"\x03\x04":
            version = _TLS13
        # a second hello is asked for instead (RFC 8446, 4.1.4): there is no key in it
        if number == 0x33 and len(value) > 4 and body[2:34] != _AGAIN:
            share = (int.from_bytes(value[:2]), value[4:])
        at += 4 + size
    return Answer("chosen", version, suite), share


def _chain(body: bytes, *, new: bool) -> tuple[bytes, ...]:
    at = 1 + body[0] if new and body else 0
    end = at + 3 + int.from_bytes(body[at : at + 3])
    at += 3
    found = []
    while at + 3 <= min(end, len(body)):
        size = int.from_bytes(body[at : at + 3])
        found.append(body[at + 3 : at + 3 + size])
        at += 3 + size
        if new:
            at += 2 + int.from_bytes(body[at : at + 2])
    return tuple(found)


def _opened(suite: int, transcript: bytes, share: tuple[int, bytes], sealed: list[bytes]) -> bytes:
    """The handshake messages that the server encrypted (RFC 8446, 5.2 and 7.1 to 7.3)."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305

    secret = _agreed(*share)
    if suite not in _SUITES or secret is None:
        return b""
    digest, size = _SUITES[suite]
    length = hashlib.new(digest).digest_size
    early = _extract(digest, b"\0" * length, b"\0" * length)
    derived = _expand(digest, early, "derived", hashlib.new(digest).digest(), length)
    handshake = _extract(digest, derived, secret)
    context = hashlib.new(digest, transcript).digest()
    traffic = _expand(digest, handshake, "s hs traffic", context, length)
    key = _expand(digest, traffic, "key", b"", size)
    start = int.from_bytes(_expand(digest, traffic, "iv", b"", 12))
    cipher = ChaCha20Poly1305(key) if suite == 0x1303 else AESGCM(key)
    opened = b""
    for number, record in enumerate(sealed):
        nonce = (start ^ number).to_bytes(12)
        try:
            inner = cipher.decrypt(nonce, record[5:], record[:5]).rstrip(b"\0")
        except (InvalidTag, ValueError):
            break
        if inner[-1:] != b"\x16":
            break
        opened += inner[:-1]
    return opened


def _agreed(group: int, theirs: bytes) -> bytes | None:
    from cryptography.hazmat.primitives.asymmetric import ec, x25519

    try:
        if group == X25519:
            own = x25519.X25519PrivateKey.from_private_bytes(PRIVATE[group])
            return own.exchange(x25519.X25519PublicKey.from_public_bytes(theirs))
        if group in (P256, P384):
            curve = ec.SECP256R1() if group == P256 else ec.SECP384R1()
            key = ec.derive_private_key(int.from_bytes(PRIVATE[group]), curve)
            return key.exchange(
                ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(curve, theirs)
            )
    except ValueError:
        return None
    return None


def _extract(digest: str, salt: bytes, secret: bytes) -> bytes:
    import hmac

    return hmac.digest(salt, secret, digest)


def _expand(digest: str, secret: bytes, label: str, context: bytes, length: int) -> bytes:
    """HKDF-Expand-Label; nothing asked for here is longer than one block of the digest."""
    from cryptography.hazmat.primitives.hashes import SHA256, SHA384
    from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

    name = b"tls13 " + label.encode()
    info = length.to_bytes(2) + bytes((len(name),)) + name + bytes((len(context),)) + context
    algorithm = SHA256() if digest == "sha256" else SHA384()
    return HKDFExpand(algorithm, length, info).derive(secret)
