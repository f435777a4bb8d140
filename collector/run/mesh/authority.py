"""The mesh's own certificate authority, and the key that work is signed with.

Receptor reads a node's name from an otherName of the certificate; what a node dials, from its DNS
names and addresses.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from collector import private
from collector.errors import BadInput
from collector.i18n.message import msg

_NODE_ID = x509.ObjectIdentifier("1.3.6.1.4.1.2312.19.1")
_UTF8 = 0x0C
# a CA that ends takes the whole mesh with it
_YEARS_OF_CA = timedelta(days=3650)
_AHEAD = timedelta(days=1)
_CERTIFICATE, _KEY, SIGNING = "ca.crt", "ca.key", "work-signing.key"


def authority(place: Path) -> bytes:
    """The CA's certificate (PEM); the CA and the signing key are made where there are none."""
    if not (place / _CERTIFICATE).exists():
        private.folder(place)
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "hostpledge mesh")])
        made = (
            _begun(name, name, key.public_key(), _YEARS_OF_CA)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(signs=True), critical=True)
            .sign(key, hashes.SHA256())
        )
        private.write_aside(place / _KEY, _private(key))
        signing = rsa.generate_private_key(65537, 3072)
        private.write_aside(place / SIGNING, _private(signing))
        # last: where it is there, all of it is
        private.write_aside(place / _CERTIFICATE, made.public_bytes(serialization.Encoding.PEM))
    return (place / _CERTIFICATE).read_bytes()


def signing_public(place: Path) -> bytes:
    """What nodes check work by (PEM)."""
    key = serialization.load_pem_private_key((place / SIGNING).read_bytes(), None)
    return key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def certify(
    place: Path, node: str, days: int, addresses: Sequence[str] = ()
) -> tuple[bytes, bytes, datetime]:
    """A node's certificate and key (PEM), and when it ends.

    `addresses` are what others dial. Raises BadInput where the CA is damaged or past its end.
    """
    authority(place)
    try:
        signer = serialization.load_pem_private_key((place / _KEY).read_bytes(), None)
        issuer = x509.load_pem_x509_certificate((place / _CERTIFICATE).read_bytes())
    except (OSError, ValueError):
        raise BadInput(msg("mesh_authority_damaged"), where=str(place / _KEY)) from None
    if not isinstance(signer, ec.EllipticCurvePrivateKey):
        raise BadInput(msg("mesh_authority_damaged"), where=str(place / _KEY))
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, node)])
    encoded = node.encode()
    names: list[x509.GeneralName] = [
        x509.OtherName(_NODE_ID, bytes([_UTF8, len(encoded)]) + encoded)
    ]
    names += [_address(one) for one in addresses]
    uses = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    made = (
        _begun(name, issuer.subject, key.public_key(), timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.ExtendedKeyUsage(uses), critical=False)
        .add_extension(_usage(signs=False), critical=True)
        .sign(signer, hashes.SHA256())
    )
    pem = made.public_bytes(serialization.Encoding.PEM)
    return pem, _private(key), made.not_valid_after_utc


def _begun(
    name: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, lasts: timedelta
) -> x509.CertificateBuilder:
    now = datetime.now(UTC).replace(microsecond=0)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(int.from_bytes(os.urandom(16)) >> 1)
        # a node's clock may be behind
        .not_valid_before(now - _AHEAD)
        .not_valid_after(now + lasts)
    )


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs,
        crl_sign=signs,
        encipher_only=False,
        decipher_only=False,
    )


def _private(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _address(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text)
