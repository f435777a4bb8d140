"""The keys that hostpledge keeps for its user: NAME.pem each, and trust.json about all of them.

A rotation writes trust.json before it swaps the files, so that a kill in between leaves a key
whose time is over (and which therefore refuses to sign), never one that nobody trusts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from fcntl import LOCK_EX, flock
from pathlib import Path

from collector.attest.keys import KeyType, PrivateKey
from collector.attest.trust import Trust, TrustedKey, load_trust
from collector.captures import sync_folder, write_aside
from collector.errors import BadInput
from collector.resources import home

TRUST = "trust.json"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,95}")


def folder() -> Path:
    """Where the keys lie; made, for the owner alone, where it is missing."""
    place = home() / "keys"
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    return place


def path_of(name: str) -> Path:
    """The private key file of a name; raises BadInput for what is no name."""
    if not _NAME.fullmatch(name):
        raise BadInput(
            f"not a key name: {name}", mend="letters, digits, - and _, at most 96 of them"
        )
    return folder() / f"{name}.pem"


def find(key: str) -> Path:
    """The key file that a user means: a file, or the name of a kept key."""
    kept = path_of(key) if _NAME.fullmatch(key) else None
    if kept is not None and kept.exists():
        return kept
    if kept is not None and not Path(key).exists():
        raise BadInput(
            f"no key is named {key}, and there is no such file",
            mend=f"`hostpledge key new --name {key}` makes one",
        )
    return Path(key)


def trust() -> Trust:
    """All kept keys, the ended ones too, as a verifier is to trust them."""
    place = folder() / TRUST
    return load_trust(place) if place.exists() else Trust()


def new(name: str, type: KeyType, passphrase: bytes | None) -> PrivateKey:
    """Makes a key and takes it into the trust; raises BadInput when the name is taken."""
    path = path_of(name)
    with _locked():
        check_free(name)
        key, _ = _replace(path, name, type, passphrase)
    return key


def check_free(name: str) -> None:
    """Raises BadInput when there is a key of that name."""
    path = path_of(name)
    if path.exists():
        raise BadInput(
            "there is a key already",
            where=str(path),
            mend="give another --name, or `hostpledge key rotate`",
        )


def rotate(name: str, type: KeyType, passphrase: bytes | None) -> tuple[PrivateKey, TrustedKey]:
    """A new key under the name; the old one gets its end and a name of its own.

    Returns the new key and the old. Raises BadInput when no key has the name.
    """
    path = path_of(name)
    with _locked():
        key, ended = _replace(path, name, type, passphrase) if path.exists() else (None, None)
    if key is None or ended is None:
        raise BadInput(f"no key is named {name}", mend=f"`hostpledge key new --name {name}`")
    return key, ended


def _replace(
    path: Path, name: str, type: KeyType, passphrase: bytes | None
) -> tuple[PrivateKey, TrustedKey | None]:
    known, now = trust(), _now()
    coming = path.with_name(f".{path.name}.next")
    coming.unlink(missing_ok=True)
    key = PrivateKey.generate(type)
    key.save(coming, passphrase)
    # one that has the name and no file is left over from a kill: it never signed anything
    old = next((k for k in known.keys if k.name == name), None)
    ended = None
    if old is not None:
        ended = replace(old, name=_retired(known, name, now), valid_until=now)
        known = Trust(tuple(ended if k is old else k for k in known.keys))
    _write(Trust((*known.keys, TrustedKey(key.public, name, valid_from=now))))
    if ended is not None and path.exists():
        path_of(ended.name).hardlink_to(path)
    coming.replace(path)
    sync_folder(path.parent)
    return key, ended


def _retired(known: Trust, name: str, now: datetime) -> str:
    taken = {k.name for k in known.keys} | {p.stem for p in folder().glob("*.pem")}
    base = f"{name}-until-{now:%Y%m%dT%H%M%SZ}"
    return next(n for n in (base, *(f"{base}-{i}" for i in range(2, 10_000))) if n not in taken)


def revoke(keyid: str) -> TrustedKey:
    """Marks a kept key as known or feared to be in other hands, from now on and for ever."""
    with _locked():
        known = trust()
        found = known.find(keyid) or next((k for k in known.keys if k.name == keyid), None)
        if found is None:
            raise BadInput(f"no key is named {keyid}", mend="`hostpledge key show` lists them")
        revoked = found if found.revoked_at else replace(found, revoked_at=_now())
        _write(Trust(tuple(revoked if k is found else k for k in known.keys)))
    return revoked


def check_usable(key: PrivateKey, where: str) -> None:
    """Raises BadInput for a kept key that has ended or was revoked: it must sign nothing more."""
    known = trust().find(key.keyid)
    if known is None:
        return
    over = known.revoked_at or known.valid_until
    if over is not None and over <= datetime.now(UTC):
        raise BadInput(
            f"this key ended {over.isoformat()}: what it signs now would not verify",
            where=where,
            mend="use the present key; after an interrupted rotation, `hostpledge key rotate`",
        )


def _write(known: Trust) -> None:
    write_aside(folder() / TRUST, known.to_bytes())


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


@contextmanager
def _locked() -> Iterator[None]:
    with (folder() / ".lock").open("w") as handle:
        flock(handle, LOCK_EX)
        yield
