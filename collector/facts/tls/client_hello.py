"""ClientHello messages as they are sent, byte for byte (RFC 8446 4.1.2, RFC 5246 7.4.1.2).

They are written out here, and not left to a TLS library, because a library offers what its version
and the policy of its host let it: none of today's still offers RC4, EXPORT or TLS 1.0 to ask for.

The key shares are always the same and their private keys stand here: a server that chooses TLS 1.3
encrypts its certificate, and so what it answered can be opened later, from the capture alone. They
guard nothing: no handshake is ever finished, and the certificate is shown to whoever asks.
A capture tells which hello was sent, so that another one may be sent one day; the private keys
must stay.
"""

from __future__ import annotations

import hashlib

# each with (group, private key, public key)
X25519, P256, P384 = 0x001D, 0x0017, 0x0018
PRIVATE = {
    X25519: hashlib.sha256(b"hostpledge x25519").digest(),
    P256: hashlib.sha384(b"hostpledge secp256r1").digest()[:32],
    P384: hashlib.sha384(b"hostpledge secp384r1").digest(),
}
_PUBLIC = {
    X25519: "fc1f2ccd976bdd044fe8b6567d4b8bfc36ff0aefd344f59f4b957214e759a21f",
    P256: "0493935da08975ceeb099852f43ebf4e25f799ad4f934c7c7abb1ea9702733eba0"
    "ea7c798c07867853477ecfbe10fbd3fe22d64fbf11954c156c6b0279a15f516e",
    P384: "04aac5e9552a0382046839ad3603926e26c35116302edf6fd4a290f5e649fb3a378ac67584323962c6945b"
    "cf0f9051e7ecd546216bdefec2d662ca079b01916230095e7f90503c11076381846bf4631d84a72884f8d376"
    "a2a832e298c040e5c372",
}
_MODERN = (
    "1301 1302 1303 c02b c02c cca9 c02f c030 cca8 009e 009f ccaa c023 c024 c009 c00a c027 c028 c013"
    " c014 0067 006b 0033 0039 c0ac c0ad c09e c09f c072 c073 c076 c077 0045 0088 009c 009d 003c"
    " 003d 002f 0035 c09c c09d 0041 0084 00ff"
)
_RSA = (
    "c02f c030 cca8 009e 009f ccaa c027 c028 c013 c014 0067 006b 0033 0039 c09e c09f c076 c077"
    " 0045 0088 009c 009d 003c 003d 002f 0035 c09c c09d 0041 0084 00ff"
)
# what a server may still choose below TLS 1.2, the better first
_OLD = (
    "c00a c009 c014 c013 0039 0033 0088 0045 0038 0032 0035 002f 0084 0041 0096 0007 c008 c012 0016"
    " 0013 000a c007 c011 0005 0004 0066 0015 0012 0009 0065 0064 0063 0062 0061 0060 0014 0011"
    " 0008 0006 0003 c006 c010 0002 0001 c019 c018 003a 0034 c017 001b c016 0018 001a 0017 0019"
    " c015 00ff"
)
# NULL, EXPORT, RC4, DES, 3DES and suites that know no certificate
_WEAK = (
    "c008 c012 0016 0013 000a c003 c00d c007 c011 0005 0004 c002 c00c 0066 0015 0012 0009 000f 000c"
    " 0065 0064 0063 0062 0061 0060 0014 0011 000e 000b 0008 0006 0003 c006 c010 c001 c00b 003b"
    " 0002 0001 00a7 00a6 006d 006c 00c5 00bf 009b 0089 0046 c019 c018 003a 0034 c017 001b c016"
    " 0018 001a 0017 0019 c015 00ff"
)
_ECDSA = "0403 0503 0603 0807 0808"
_PKCS1 = "0804 0805 0806 0809 080a 080b 0401 0501 0601 0301 0201"
_GROUPS = "001d 0017 0018 0019 001e"
KINDS = ("new", "rsa", "old", "weak")


def _block(width: int, data: bytes) -> bytes:
    return len(data).to_bytes(width) + data


def _extension(number: int, data: bytes) -> bytes:
    return number.to_bytes(2) + _block(2, data)


def parts(kind: str) -> tuple[bytes, bytes]:
    """What stands before and behind the name of the server in a hello of that kind.

    `new`: TLS 1.2 and 1.3; `rsa`: TLS 1.2 with an RSA certificate; `old`: TLS 1.1 at most, which
    a server answers with the newest version it has below; `weak`: TLS 1.2 with weak suites only.
    """
    suites, signatures = {
        "new": (_MODERN, f"{_ECDSA} {_PKCS1} 0203"),
        "rsa": (_RSA, _PKCS1),
        "old": (_OLD, ""),
        "weak": (_WEAK, f"{_ECDSA} {_PKCS1} 0203 0202"),
    }[kind]
    version = b"\x03\x02" if kind == "old" else b"\x03\x03"
    random = hashlib.sha256(f"hostpledge {kind}".encode()).digest()
    head = version + random + b"\0" + _block(2, bytes.fromhex(suites)) + b"\x01\0"
    extensions = [
        _extension(0x000A, _block(2, bytes.fromhex(_GROUPS))),
        _extension(0x000B, b"\x01\0"),
        _extension(0x0017, b""),
    ]
    if signatures:
        extensions.append(_extension(0x000D, _block(2, bytes.fromhex(signatures))))
    if kind == "new":
        shares = b"".join(
            group.to_bytes(2) + _block(2, bytes.fromhex(key)) for group, key in _PUBLIC.items()
        )
        extensions.append(_extension(0x002B, bytes.fromhex("0403040303")))
        extensions.append(_extension(0x002D, b"\x01\x01"))
        extensions.append(_extension(0x0033, _block(2, shares)))
    return head, b"".join(extensions)


def client_hello(known: tuple[bytes, bytes], name: str = "") -> bytes:
    """The handshake message of these `parts`, for the server of that name (RFC 6066, 3) or none."""
    head, tail = known
    if name:
        tail = _extension(0, _block(2, b"\0" + _block(2, name.encode()))) + tail
    return b"\x01" + _block(3, head + _block(2, tail))
