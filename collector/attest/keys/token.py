"""Private keys that never leave their token: smart cards and HSMs by PKCS#11 (v2.40, v3.0).

The session lasts as long as one signature: a run may be hours away from its beginning when it
signs, and other programs may want the token. Only `sign` and what finds the key are asked of it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from collector.attest.keys.tokenuri import KeyUri, escaped
from collector.errors import BadInput
from collector.i18n.message import msg

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
        raise BadInput(msg("new_key_wants_name"), where=uri.text, mend=msg("add_object_name"))
    if type not in ("p256", "ed25519"):
        raise BadInput(msg("token_makes_p_256"), where=uri.text)
    kind, curve = (KeyType.EC, _P256) if type == "p256" else (KeyType.EC_EDWARDS, _ED25519[0])
    with _session(uri, pin, writing=True) as session:
        for taken in (ObjectClass.PRIVATE_KEY, ObjectClass.PUBLIC_KEY):
            if list(session.get_objects({Attribute.CLASS: taken, Attribute.LABEL: uri.label})):
                raise BadInput(
                    msg("key_name_token"),
                    where=uri.text,
                    mend=msg("hostpledge_key_add_takes"),
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
            raise BadInput(msg("asks_pin"), where=uri.text, mend=msg("give_passphrase_file_first"))
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
            msg("keys_tokens_need_python"),
            where=uri.text,
            mend=msg("pip_install_hostpledge_pkcs11", python=sys.executable),
        ) from None
    return pkcs11


def _said(problem: Exception) -> tuple[str, str]:
    import pkcs11

    told = {
        pkcs11.PinIncorrect: (msg("pin_wrong"), msg("each_wrong_one_may")),
        pkcs11.PinLenRange: (msg("pin_wrong_not_right"), ""),
        pkcs11.PinInvalid: (msg("pin_wrong"), msg("each_wrong_one_may")),
        pkcs11.PinLocked: (
            msg("token_s_pin_locked"),
            msg("security_officer_unlocks_pin"),
        ),
        pkcs11.PinExpired: (msg("token_s_pin_expired"), msg("set_new_one_token")),
        pkcs11.UserPinNotInitialized: (
            msg("token_no_user_pin"), msg("set_one_token_s"),
        ),
        pkcs11.MechanismInvalid: (msg("token_cannot_kind_key"), msg("take_another_type")),
        pkcs11.DeviceRemoved: (msg("token_taken_out"), msg("put_back")),
        pkcs11.TokenNotPresent: (msg("token_taken_out"), msg("put_back")),
    }  # fmt: skip
    for kind, answer in told.items():
        if isinstance(problem, kind):
            return answer
    return msg("pkcs_11_module_refused", problem=str(problem) or type(problem).__name__), ""


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
        raise BadInput(msg("no_such_token", names=names), where=uri.text)
    serials = ", ".join(_field(token, "serial") for token in fitting[:_SHOWN])
    raise BadInput(
        msg("tokens_fit_serial", count=len(fitting), serials=serials),
        where=uri.text,
        mend=msg("add_serial"),
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
            msg("private_keys_token_fit", count=len(found), ids=ids),
            where=uri.text,
            mend=msg("add_id"),
        )
    names = [
        str(_attribute(key, Attribute.LABEL) or "")
        for key in session.get_objects({Attribute.CLASS: ObjectClass.PRIVATE_KEY})
    ]
    shown = ", ".join(sorted(names)[:_SHOWN]) or "none"
    raise BadInput(msg("no_such_private_key", shown=shown), where=uri.text)


def _public(session: pkcs11.Session, key: Any, uri: KeyUri) -> _Public:
    """The public half: the object beside the private key, or its certificate."""
    from pkcs11 import Attribute, ObjectClass

    id, label = _attribute(key, Attribute.ID), _attribute(key, Attribute.LABEL)
    beside = {Attribute.ID: id} if id else {Attribute.LABEL: label}
    for one in session.get_objects({Attribute.CLASS: ObjectClass.PUBLIC_KEY, **beside}):
        made = _decoded(_attribute(one, Attribute.EC_PARAMS), _attribute(one, Attribute.EC_POINT))
        if made is None:
            raise BadInput(msg("only_p_256_ed25519_keys"), where=uri.text)
        return made
    for one in session.get_objects({Attribute.CLASS: ObjectClass.CERTIFICATE, **beside}):
        try:
            found = x509.load_der_x509_certificate(one[Attribute.VALUE]).public_key()
        except ValueError:
            continue
        if isinstance(found, ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey):
            return found
    raise BadInput(
        msg("token_holds_neither_public"),
        where=uri.text,
        mend=msg("put_public_key_under"),
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
        raise BadInput(msg("pin_not_utf_8"), where=uri.text) from None
