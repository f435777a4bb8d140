"""Private keys that never leave their token: smart cards and HSMs by PKCS#11 (v2.40, v3.0).

The session lasts as long as one signature: a run may be hours away from its beginning when it
signs, and other programs may want the token. Only `sign` and what finds the key are asked of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from collector.attest.keys.tokenuri import KeyUri, escaped
from collector.errors import BadInput

if TYPE_CHECKING:
    import pkcs11

# DER of the curves' OIDs, and of the name that PKCS#11 3.0 has for the second
_P256 = bytes.fromhex("06082a8648ce3d030107")
_ED25519 = (
    bytes.fromhex("06032b6570"),
    b"\x13\x0cedwards25519",
    bytes.fromhex("06092b06010401da470f01"),
)
_Public = ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey
_SHOWN = 8


class Held:
    """A private key in a token, found once when it is made. Raises BadInput where it is not."""

    def __init__(self, uri: KeyUri, pin: bytes | None) -> None:
        self.uri = uri
        self._pin = pin if pin is not None else uri.pin()
        with self._session() as session:
            self.public = _public(session, _find(session, uri), uri)

    def sign(self, data: bytes) -> bytes:
        """ECDSA with SHA-256 in DER, or Ed25519, over `data`."""
        from pkcs11 import Attribute, Mechanism

        with self._session() as session:
            key = _find(session, self.uri)
            again: dict[str, Any] = {}
            if _attribute(key, Attribute.ALWAYS_AUTHENTICATE):
                again = {"pin": _text(self._pin, self.uri)}
            if isinstance(self.public, ed25519.Ed25519PublicKey):
                return bytes(key.sign(data, mechanism=Mechanism.EDDSA, **again))
            digest = hashes.Hash(hashes.SHA256())
            digest.update(data)
            raw = bytes(key.sign(digest.finalize(), mechanism=Mechanism.ECDSA, **again))
        half = len(raw) // 2
        return encode_dss_signature(
            int.from_bytes(raw[:half], "big"), int.from_bytes(raw[half:], "big")
        )

    def _session(self) -> Any:
        return _session(self.uri, self._pin)


def generate(uri: KeyUri, type: str, pin: bytes | None) -> Held:
    """Makes a key pair in the token, where it stays; raises BadInput where one has the name."""
    _library(uri)
    from pkcs11 import Attribute, KeyType, ObjectClass

    pin = pin if pin is not None else uri.pin()
    if uri.label is None:
        raise BadInput("a new key wants a name", where=uri.text, mend="add object=NAME to it")
    if type not in ("p256", "ed25519"):
        raise BadInput("a token makes P-256 and Ed25519 keys only", where=uri.text)
    kind, curve = (KeyType.EC, _P256) if type == "p256" else (KeyType.EC_EDWARDS, _ED25519[0])
    with _session(uri, pin, writing=True) as session:
        for taken in (ObjectClass.PRIVATE_KEY, ObjectClass.PUBLIC_KEY):
            if list(session.get_objects({Attribute.CLASS: taken, Attribute.LABEL: uri.label})):
                raise BadInput(
                    "there is a key of that name in the token",
                    where=uri.text,
                    mend="`hostpledge key add` takes it as it is; or give another object=NAME",
                )
        parameters = session.create_domain_parameters(
            kind, {Attribute.EC_PARAMS: curve}, local=True
        )
        parameters.generate_keypair(
            store=True,
            label=uri.label,
            id=uri.id if uri.id is not None else session.generate_random(64),
            public_template={Attribute.VERIFY: True},
            private_template={
                Attribute.SIGN: True, Attribute.SENSITIVE: True, Attribute.EXTRACTABLE: False,
            },
        )  # fmt: skip
    return Held(uri, pin)


@contextmanager
def _session(uri: KeyUri, pin: bytes | None, *, writing: bool = False) -> Iterator[pkcs11.Session]:
    """A session with the user logged in; what the token says no to becomes one line."""
    pkcs11 = _library(uri)
    try:
        token = _token(pkcs11.lib(uri.module()), uri)
        if pin is None and token.flags & pkcs11.TokenFlag.LOGIN_REQUIRED:
            raise BadInput(
                "asks for a PIN", where=uri.text, mend="give --passphrase-file, its first line"
            )
        with token.open(rw=writing, user_pin=_text(pin, uri)) as session:
            yield session
    except pkcs11.PKCS11Error as problem:
        said, mend = _said(problem)
        raise BadInput(said, where=uri.text, mend=mend) from None


def _library(uri: KeyUri) -> Any:
    try:
        import pkcs11
    except ModuleNotFoundError:
        raise BadInput(
            "keys in tokens need python-pkcs11, which is not here",
            where=uri.text,
            mend="pip install 'hostpledge[pkcs11]'",
        ) from None
    return pkcs11


def _said(problem: Exception) -> tuple[str, str]:
    import pkcs11

    told = {
        pkcs11.PinIncorrect: ("the PIN is wrong", "each wrong one may bring a lock nearer"),
        pkcs11.PinLenRange: ("the PIN is wrong: it has not the right length", ""),
        pkcs11.PinInvalid: ("the PIN is wrong", "each wrong one may bring a lock nearer"),
        pkcs11.PinLocked: (
            "the token's PIN is locked after too many wrong ones",
            "its security officer unlocks it with the SO PIN or PUK",
        ),
        pkcs11.PinExpired: ("the token's PIN has expired", "set a new one with the token's tool"),
        pkcs11.UserPinNotInitialized: (
            "the token has no user PIN yet", "set one with the token's tool",
        ),
        pkcs11.MechanismInvalid: ("the token cannot do this kind of key", "take another --type"),
        pkcs11.DeviceRemoved: ("the token was taken out", "put it back"),
        pkcs11.TokenNotPresent: ("the token was taken out", "put it back"),
    }  # fmt: skip
    for kind, answer in told.items():
        if isinstance(problem, kind):
            return answer
    return f"the PKCS#11 module refused: {str(problem) or type(problem).__name__}", ""


def _token(library: Any, uri: KeyUri) -> pkcs11.Token:
    from pkcs11 import TokenFlag

    present: list[pkcs11.Token] = [
        t for t in library.get_tokens() if t.flags & TokenFlag.TOKEN_INITIALIZED
    ]
    fitting = [
        token
        for token in present
        if all(_field(token, name) == value for name, value in uri.token.items())
        and uri.slot in (None, token.slot.slot_id)
    ]
    if len(fitting) == 1:
        return fitting[0]
    if not fitting:
        names = ", ".join(_field(t, "token") for t in present[:_SHOWN]) or "none"
        raise BadInput(f"no such token; there are: {names}", where=uri.text)
    serials = ", ".join(_field(token, "serial") for token in fitting[:_SHOWN])
    raise BadInput(
        f"{len(fitting)} tokens fit: serial {serials}", where=uri.text, mend="add serial= to it"
    )


def _field(token: pkcs11.Token, name: str) -> str:
    if name == "serial":
        return token.serial.decode("ascii", "replace").strip()
    value = {
        "token": token.label, "manufacturer": token.manufacturer_id, "model": token.model,
    }[name]  # fmt: skip
    return value.strip()


def _find(session: pkcs11.Session, uri: KeyUri) -> Any:
    from pkcs11 import Attribute, ObjectClass

    wanted: dict[Any, Any] = {Attribute.CLASS: ObjectClass.PRIVATE_KEY}
    if uri.label is not None:
        wanted[Attribute.LABEL] = uri.label
    if uri.id is not None:
        wanted[Attribute.ID] = uri.id
    found = list(session.get_objects(wanted))
    if len(found) == 1:
        return found[0]
    if found:
        ids = ", ".join(f"id={escaped(_attribute(k, Attribute.ID) or b'')}" for k in found[:_SHOWN])
        raise BadInput(
            f"{len(found)} private keys in the token fit: {ids}",
            where=uri.text,
            mend="add id= to it",
        )
    names = [
        str(_attribute(key, Attribute.LABEL) or "")
        for key in session.get_objects({Attribute.CLASS: ObjectClass.PRIVATE_KEY})
    ]
    shown = ", ".join(sorted(names)[:_SHOWN]) or "none"
    raise BadInput(f"no such private key in the token; there are: {shown}", where=uri.text)


def _public(session: pkcs11.Session, key: Any, uri: KeyUri) -> _Public:
    """The public half: the object beside the private key, or its certificate."""
    from pkcs11 import Attribute, ObjectClass

    id, label = _attribute(key, Attribute.ID), _attribute(key, Attribute.LABEL)
    beside = {Attribute.ID: id} if id else {Attribute.LABEL: label}
    for one in session.get_objects({Attribute.CLASS: ObjectClass.PUBLIC_KEY, **beside}):
        made = _decoded(_attribute(one, Attribute.EC_PARAMS), _attribute(one, Attribute.EC_POINT))
        if made is None:
            raise BadInput("only P-256 and Ed25519 keys are taken of a token", where=uri.text)
        return made
    for one in session.get_objects({Attribute.CLASS: ObjectClass.CERTIFICATE, **beside}):
        try:
            found = x509.load_der_x509_certificate(one[Attribute.VALUE]).public_key()
        except ValueError:
            continue
        if isinstance(found, ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey):
            return found
    raise BadInput(
        "the token holds neither the public key nor a certificate beside the private one",
        where=uri.text,
        mend="put the public key there, under the same id",
    )


def _decoded(parameters: bytes | None, point: bytes | None) -> _Public | None:
    """CKA_EC_PARAMS and CKA_EC_POINT; some modules leave the point's OCTET STRING away."""
    if parameters is None or point is None:
        return None
    try:
        if parameters == _P256:
            raw = point[2:] if len(point) == 67 else point
            return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), raw)
        if parameters in _ED25519:
            raw = point[2:] if len(point) == 34 else point
            return ed25519.Ed25519PublicKey.from_public_bytes(raw)
    except ValueError:
        return None
    return None


def _attribute(found: Any, name: Any) -> Any:
    """The attribute, or None where the object has none of the kind or keeps it."""
    from pkcs11 import PKCS11Error

    try:
        return found[name]
    except PKCS11Error:
        return None


def _text(pin: bytes | None, uri: KeyUri) -> str | None:
    """PINs are UTF-8 (PKCS#11 v2.40, section 5.6)."""
    try:
        return None if pin is None else pin.decode()
    except UnicodeDecodeError:
        raise BadInput("the PIN is not UTF-8", where=uri.text) from None
