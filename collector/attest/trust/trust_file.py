"""The trust file: whose signatures a verifier takes, for which time, and whose timestamps."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from collector import private
from collector.attest.envelope.timestamp import Authority
from collector.attest.keys.keys import PublicKey
from collector.errors import BadInput
from collector.i18n.message import msg, of_system
from collector.schema import check, load_json

if TYPE_CHECKING:
    from collector.attest.trust.tuf_client import Source

SCHEMA = "urn:hostpledge:schema:trust:1"

ROLES = ("bundle", "log")
_LARGEST = 4 << 20


@dataclass(frozen=True, slots=True)
class TrustedKey:
    """A key with the time in which it may have signed; None is open.

    After `revoked_at` the key is known or feared to be in other hands, so that what it says of
    the time counts for nothing any more. `roles` is what it may sign, of `ROLES`; None where the
    trust file says nothing, as those from before there were roles: then it may sign all of it.
    """

    key: PublicKey
    name: str
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    revoked_at: datetime | None = None
    roles: frozenset[str] | None = None

    @property
    def keyid(self) -> str:
        return self.key.keyid

    def may(self, role: str) -> bool:
        """May it sign that: a `bundle`, or checkpoints of a `log`?"""
        return self.roles is None or role in self.roles

    def to_json(self) -> dict[str, Any]:
        """Its entry of a trust file."""
        entry: dict[str, Any] = {
            "keyid": self.keyid,
            "name": self.name,
            "pem": self.key.pem,
            "valid_from": self.valid_from.isoformat() if self.valid_from else None,
            "valid_until": self.valid_until.isoformat() if self.valid_until else None,
        }
        if self.revoked_at:
            entry["revoked_at"] = self.revoked_at.isoformat()
        if self.roles is not None:
            entry["roles"] = [role for role in ROLES if role in self.roles]
        return entry

    @property
    def roles_said(self) -> str:
        return ", ".join(f"a {role} key" for role in ROLES if self.may(role))


@dataclass(frozen=True, slots=True)
class Trust:
    """Trusted keys, and whose timestamps count; without keys it verifies nothing.

    `source` is the team whose word it is, where it came by TUF; `bare` that it is a public key
    alone, of which nothing else is known.
    """

    keys: tuple[TrustedKey, ...] = ()
    authorities: tuple[Authority, ...] = ()
    source: Source | None = None
    bare: bool = False

    def find(self, keyid: str) -> TrustedKey | None:
        return next((known for known in self.keys if known.keyid == keyid), None)

    def with_roles(self) -> Trust:
        """The same, with what each key may sign written out; an SM2 key signs no log."""
        named = (
            known
            if known.roles is not None
            else replace(known, roles=frozenset({"bundle"} if known.key.type == "sm2" else ROLES))
            for known in self.keys
        )
        return replace(self, keys=tuple(named))

    def to_json(self) -> dict[str, Any]:
        document: dict[str, Any] = {"schema": SCHEMA, "keys": [k.to_json() for k in self.keys]}
        if self.authorities:
            document["timestamp_authorities"] = [
                {"name": one.name, "pem": one.pem} for one in self.authorities
            ]
        return document

    def to_bytes(self) -> bytes:
        return json.dumps(self.to_json(), ensure_ascii=False, indent=1).encode() + b"\n"


def trust_of(keys: Iterable[PublicKey]) -> Trust:
    """Trust in these keys, for any time."""
    return Trust(tuple(TrustedKey(key, key.keyid) for key in keys))


def load_trust(path: Path) -> Trust:
    """Raises BadInput when the file is no trust file, or a keyid is not its key's.

    A public key in PEM is trusted for bundles, of any time.
    A folder is one that `hostpledge trust update` keeps: VerifyFailed where it does not hold.
    """
    # os.path asks of a name that can be none without complaint
    if os.path.isdir(path):  # noqa: PTH112
        from collector.attest.trust.tuf_client import load

        content, source = load(path)
        return replace(trust_from_bytes(content, where=str(path)), source=source)
    try:
        with private.opened(path) as opened:
            data = opened.read(_LARGEST + 1)
    except OSError as problem:
        raise BadInput(
            of_system(problem, "cannot_read"),
            where=str(path),
            mend=msg("hostpledge_key_trust_o"),
        ) from None
    if len(data) > _LARGEST:
        raise BadInput(msg("larger_mib_no_trust", largest=_LARGEST >> 20), where=str(path))
    if data.lstrip().startswith(b"-----BEGIN "):
        pem = data.strip().replace(b"\r", b"") + b"\n"
        key = PublicKey.from_pem(pem, where=str(path))
        return Trust((TrustedKey(key, key.keyid, roles=frozenset({"bundle"})),), bare=True)
    return trust_from_bytes(data, where=str(path))


def trust_from_bytes(data: bytes, *, where: str) -> Trust:
    """As `load_trust`, from bytes."""
    document = load_json(data, where=where)
    check(document, "trust", where=where)
    found: dict[str, TrustedKey] = {}
    for entry in document["keys"]:
        place = f"{where} ({entry['name']})"
        key = PublicKey.from_pem(entry["pem"], where=place)
        if key.keyid != entry["keyid"]:
            raise BadInput(msg("keyid_not_belong_key", keyid=key.keyid), where=place)
        if key.keyid in found:
            raise BadInput(msg("key_stands_twice", keyid=key.keyid), where=where)
        found[key.keyid] = TrustedKey(
            key,
            entry["name"],
            _time(entry.get("valid_from"), place),
            _time(entry.get("valid_until"), place),
            _time(entry.get("revoked_at"), place),
            frozenset(entry["roles"]) if "roles" in entry else None,
        )
    authorities = tuple(
        Authority.from_pem(entry["name"], entry["pem"], where=f"{where} ({entry['name']})")
        for entry in document.get("timestamp_authorities", ())
    )
    return Trust(tuple(found.values()), authorities)


def _time(text: str | None, where: str) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise BadInput(msg("not_time", text=text), where=where) from None
    if moment.tzinfo is None:
        raise BadInput(msg("time_without_zone", text=text), where=where)
    return moment
