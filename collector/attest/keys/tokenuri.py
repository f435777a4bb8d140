"""Names of keys in tokens: PKCS#11 URIs (RFC 7512), and the PEM files that hold one.

The PEM form is that of OpenSSL's pkcs11-provider (`uri2pem`): a name, where programs expect a key.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote, unquote_to_bytes

from collector import private
from collector.errors import BadInput
from collector.i18n.message import msg, of_system

SCHEME = "pkcs11:"
PEM_LABEL = "PKCS#11 PROVIDER URI"
_VERSION = b"PKCS#11 Provider URI v1.0"
_TOKEN = ("token", "manufacturer", "serial", "model")
_PATH = (*_TOKEN, "slot-id", "object", "id", "type")
_QUERY = ("module-path", "module-name", "pin-source")
# what OpenSSL, GnuTLS and OpenSSH load when nobody names a module: it offers all configured ones
_ANY_MODULE = "p11-kit-proxy"
_MODULES = ("/usr/lib/*/pkcs11", "/usr/lib64/pkcs11", "/usr/lib/pkcs11", "/usr/lib/softhsm",
            "/usr/lib64/softhsm", "/usr/lib/*", "/usr/lib64", "/usr/lib")  # fmt: skip
_ESCAPED = re.compile(r"(?:[^%]|%[0-9A-Fa-f]{2})*")


@dataclass(frozen=True, slots=True)
class KeyUri:
    """A key in a token. `token` holds what the token's own fields have to be."""

    text: str
    token: Mapping[str, str]
    slot: int | None = None
    label: str | None = None
    id: bytes | None = None
    module_path: str | None = None
    module_name: str = _ANY_MODULE
    pin_source: Path | None = None

    def module(self) -> str:
        """The library to load; raises BadInput where there is none."""
        if self.module_path is not None:
            if not Path(self.module_path).is_file():
                raise BadInput(
                    msg("no_pkcs_11_module", name=self.module_path),
                    where=self.text,
                    mend=msg("give_path_token_s"),
                )
            return self.module_path
        name = self.module_name
        for folder in _MODULES:
            for file in (f"{name}.so", f"lib{name}.so"):
                for found in sorted(Path("/").glob(f"{folder}/{file}".lstrip("/"))):
                    return str(found)
        raise BadInput(
            msg("no_pkcs_11_module", name=name),
            where=self.text,
            mend=msg("add_module_path_library"),
        )

    def pin(self) -> bytes | None:
        """The first line of the file that `pin-source` names."""
        if self.pin_source is None:
            return None
        try:
            with private.opened(self.pin_source) as source:
                line = source.readline(4096).rstrip(b"\r\n")
        except OSError as problem:
            raise BadInput(of_system(problem, "cannot_read"), where=str(self.pin_source)) from None
        if not line:
            raise BadInput(msg("pin_file_empty"), where=str(self.pin_source))
        return line

    def to_pem(self) -> bytes:
        body = _der(0x1A, _VERSION) + _der(0x0C, self.text.encode())
        text = base64.encodebytes(_der(0x30, body)).decode().replace("\n", "")
        lines = [text[at : at + 64] for at in range(0, len(text), 64)]
        return "\n".join(
            (f"-----BEGIN {PEM_LABEL}-----", *lines, f"-----END {PEM_LABEL}-----", "")
        ).encode()


def parse(text: str) -> KeyUri:
    """Raises BadInput for what is no URI of a key, or says something that is not understood."""

    def refuse(what: str, mend: str = "") -> BadInput:
        return BadInput(what, where=text, mend=mend)

    if not text.startswith(SCHEME) or not text.isascii() or not text.isprintable() or " " in text:
        raise refuse(msg("not_pkcs_11_uri"), "pkcs11:token=NAME;object=NAME?module-path=LIBRARY")
    if "pin-value=" in text:
        raise BadInput(
            msg("pin_uri_everybody_read"),
            where=SCHEME,
            mend=msg("give_passphrase_file_pin"),
        )
    path, _, query = text.removeprefix(SCHEME).partition("?")
    said = _attributes(path, ";", text) | _attributes(query, "&", text)
    for name in said:
        if name not in (_PATH if name in _attributes(path, ";", text) else _QUERY):
            raise refuse(msg("attribute_not_understood", name=name))
    if said.get("type", "private") != "private":
        raise refuse(msg("not_about_private_key"), msg("leave_type_out_give"))
    if "object" not in said and "id" not in said:
        raise refuse(msg("names_no_key"), msg("add_object_name_id"))
    slot = said.get("slot-id")
    if slot is not None and not re.fullmatch(r"[0-9]{1,10}", slot):
        raise refuse(msg("not_slot_number", slot=slot))
    return KeyUri(
        text,
        {name: unquote(said[name]) for name in _TOKEN if name in said},
        int(slot) if slot is not None else None,
        unquote(said["object"]) if "object" in said else None,
        unquote_to_bytes(said["id"]) if "id" in said else None,
        unquote(said["module-path"]) if "module-path" in said else None,
        unquote(said.get("module-name", _ANY_MODULE)),
        _pin_file(unquote(said["pin-source"]), text) if "pin-source" in said else None,
    )


def from_pem(data: bytes, *, where: str) -> KeyUri:
    """Reads what `to_pem` wrote, or OpenSSL's provider."""
    lines = data.decode("ascii", "replace").splitlines()
    try:
        if lines[0] != f"-----BEGIN {PEM_LABEL}-----" or lines[-1] != f"-----END {PEM_LABEL}-----":
            raise ValueError
        der = base64.b64decode("".join(lines[1:-1]), validate=True)
        start = der.index(_der(0x1A, _VERSION)) + len(_der(0x1A, _VERSION))
        size = der[start + 1]
        skip = 2 + (size & 0x7F if size & 0x80 else 0)
        text = der[start + skip :].decode()
        if der != _der(0x30, _der(0x1A, _VERSION) + _der(0x0C, text.encode())):
            raise ValueError
    except (ValueError, IndexError):
        raise BadInput(msg("damaged_names_no_key"), where=where) from None
    return parse(text)


def escaped(value: bytes) -> str:
    """A value as it stands in a URI."""
    return quote(value, safe="")


def _attributes(part: str, between: str, text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for one in part.split(between) if part else ():
        name, equals, value = one.partition("=")
        if not equals or not _ESCAPED.fullmatch(value):
            raise BadInput(msg("not_form_name_value", one=one), where=text)
        if name in found:
            raise BadInput(msg("attribute_stands_twice", name=name), where=text)
        found[name] = value
    return found


def _pin_file(source: str, text: str) -> Path:
    # RFC 7512 lets a `|` begin a program to run: not from here
    path = source.removeprefix("file:")
    path = path.removeprefix("//") if path.startswith("///") else path
    if not path.startswith("/"):
        raise BadInput(msg("pin_source_names_no"), where=text, mend=msg("pin_source_file_file"))
    return Path(path)


def _der(tag: int, content: bytes) -> bytes:
    """A DER value (X.690) of at most 64 KiB."""
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    if size < 0x100:
        return bytes([tag, 0x81, size]) + content
    return bytes([tag, 0x82, size >> 8, size & 0xFF]) + content
