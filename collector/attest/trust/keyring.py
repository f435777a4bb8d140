"""The keys that hostpledge keeps for its user: NAME.pem each, and trust.json about all of them.

NAME.pem holds the key, or names one in a token.

A rotation writes trust.json before it swaps the files, so that a kill in between leaves a key
whose time is over (and which therefore refuses to sign), never one that nobody trusts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from fcntl import LOCK_EX, flock
from pathlib import Path

from collector.attest.envelope.timestamp import Authority
from collector.attest.keys import keys, token
from collector.attest.keys.keys import KeyType, PrivateKey
from collector.attest.keys.tokenuri import KeyUri
from collector.attest.trust.trust_file import Trust, TrustedKey, load_trust
from collector.captures import sync_folder, write_aside
from collector.errors import BadInput
from collector.i18n.message import msg
from collector.resources import home, home_place

TRUST = "trust.json"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,95}")


def folder() -> Path:
    """Where the keys lie, or would; it is made, for the owner alone, with the first of them."""
    return home_place() / "keys"


def path_of(name: str) -> Path:
    """The private key file of a name; raises BadInput for what is no name."""
    if not _NAME.fullmatch(name):
        raise BadInput(msg("not_key_name", name=name), mend=msg("letters_digits_most_96"))
    return folder() / f"{name}.pem"


def find(key: str) -> Path:
    """The key file that a user means: a file, or the name of a kept key."""
    kept = path_of(key) if _NAME.fullmatch(key) else None
    if kept is not None and kept.exists():
        return kept
    if kept is not None and not Path(key).exists():
        raise BadInput(
            msg("no_key_named_no", key=key),
            mend=msg("hostpledge_key_new_name", key=key),
        )
    return Path(key)


def trust() -> Trust:
    """All kept keys, the ended ones too, as a verifier is to trust them."""
    place = folder() / TRUST
    return load_trust(place) if place.exists() else Trust()


def new(
    name: str, type: KeyType, passphrase: bytes | None, uri: KeyUri | None = None
) -> PrivateKey:
    """Makes a key and takes it into the trust; raises BadInput when the name is taken.

    With `uri` it is made in that token, and `passphrase` is the PIN.
    """
    path = path_of(name)
    with _locked():
        check_free(name)
        key, _ = _replace(path, name, _maker(type, passphrase, uri), passphrase)
    return key


def add(name: str, uri: KeyUri, pin: bytes | None) -> PrivateKey:
    """Takes a key that is in a token under the name, and into the trust."""
    path = path_of(name)
    with _locked():
        check_free(name)
        key = keys.of_token(uri, pin)
        held = trust().find(key.keyid)
        if held is not None:
            raise BadInput(msg("key_kept_already", name=held.name), where=uri.text)
        key, _ = _replace(path, name, lambda: key, None)
    return key


def _maker(type: KeyType, passphrase: bytes | None, uri: KeyUri | None) -> Callable[[], PrivateKey]:
    if uri is None:
        return lambda: PrivateKey.generate(type)
    return lambda: PrivateKey(token.generate(uri, type, passphrase), where=uri.text)


def check_free(name: str) -> None:
    """Raises BadInput when there is a key of that name."""
    path = path_of(name)
    if path.exists():
        raise BadInput(
            msg("key_already"),
            where=str(path),
            mend=msg("give_another_name_hostpledge"),
        )


def rotate(
    name: str, type: KeyType, passphrase: bytes | None, uri: KeyUri | None = None
) -> tuple[PrivateKey, TrustedKey]:
    """A new key under the name; the old one gets its end and a name of its own.

    Returns the new key and the old. Raises BadInput when no key has the name, and when the old
    one is in a token and the new one would not be.
    """
    path = path_of(name)
    with _locked():
        key, ended = None, None
        if path.exists():
            if uri is None and keys.in_token(path) is not None:
                raise BadInput(
                    msg("key_token_new_one"),
                    where=str(path),
                    mend=msg("give_token_new_one"),
                )
            key, ended = _replace(path, name, _maker(type, passphrase, uri), passphrase)
    if key is None or ended is None:
        raise BadInput(msg("no_key_named", name=name), mend=msg("hostpledge_key_new", name=name))
    return key, ended


def _replace(
    path: Path, name: str, make: Callable[[], PrivateKey], passphrase: bytes | None
) -> tuple[PrivateKey, TrustedKey | None]:
    coming = path.with_name(f".{path.name}.next")
    coming.unlink(missing_ok=True)
    try:
        return _put(path, coming, name, make(), passphrase)
    except BaseException:
        # a full disk: a private key that nobody trusts is not left lying about
        coming.unlink(missing_ok=True)
        raise


def _put(
    path: Path, coming: Path, name: str, key: PrivateKey, passphrase: bytes | None
) -> tuple[PrivateKey, TrustedKey | None]:
    known, now = trust(), _now()
    key.save(coming, passphrase)
    # one that has the name and no file is left over from a kill: it never signed anything
    old = next((k for k in known.keys if k.name == name), None)
    ended = None
    if old is not None:
        # to the microsecond: what it signed within this very second stands before it; and never
        # later than was handed out: what a thief signed since would count
        end = min(filter(None, (datetime.now(UTC), old.valid_until)))
        ended = replace(old, name=_retired(known, name, now), valid_until=end)
        known = replace(known, keys=tuple(ended if k is old else k for k in known.keys))
    made = TrustedKey(key.public, name, valid_from=now, roles=old.roles if old else None)
    _write(replace(known, keys=(*known.keys, made)))
    if ended is not None and path.exists():
        path_of(ended.name).hardlink_to(path)
    coming.replace(path)
    sync_folder(path.parent)
    return key, ended


def _retired(known: Trust, name: str, now: datetime) -> str:
    taken = {k.name for k in known.keys} | {p.stem for p in folder().glob("*.pem")}
    base = f"{name}-until-{now:%Y%m%dT%H%M%SZ}"
    return next(n for n in (base, *(f"{base}-{i}" for i in range(2, 10_000))) if n not in taken)


def revoke(keyid: str, since: datetime | None = None) -> TrustedKey:
    """Marks a kept key as known or feared to be in other hands, since then (now) and for ever.

    A key that is revoked already can be so since an earlier time, never a later one.
    """
    now = _now()
    since = since.astimezone(UTC) if since is not None else now
    if since > now:
        raise BadInput(
            msg("key_not_revoked_advance", since=since.isoformat()),
            where=keyid,
            mend=msg("hostpledge_key_window_key"),
        )
    with _locked():
        known, found = _kept(keyid)
        revoked = replace(found, revoked_at=min(found.revoked_at or since, since))
        _write(_with(known, found, revoked))
    return revoked


def window(
    keyid: str, valid_from: datetime | None = None, valid_until: datetime | None = None
) -> TrustedKey:
    """Sets from and until when a kept key may sign; None leaves a bound as it is.

    Raises BadInput for a key that has ended or was revoked, as what was handed out of it would be
    taken back, and for an end before its beginning.
    """
    with _locked():
        known, found = _kept(keyid)
        over = _over(found)
        if over is not None and over <= datetime.now(UTC):
            raise BadInput(
                msg("key_ended_not_undone", over=over.isoformat()),
                where=found.name,
                mend=msg("make_another_hostpledge_key"),
            )
        given = replace(
            found,
            valid_from=valid_from.astimezone(UTC) if valid_from else found.valid_from,
            valid_until=valid_until.astimezone(UTC) if valid_until else found.valid_until,
        )
        if given.valid_from and given.valid_until and given.valid_until <= given.valid_from:
            raise BadInput(msg("would_end_before_begins"), where=found.name)
        _write(_with(known, found, given))
    return given


def _kept(keyid: str) -> tuple[Trust, TrustedKey]:
    known = trust()
    found = known.find(keyid) or next((k for k in known.keys if k.name == keyid), None)
    if found is None:
        raise BadInput(msg("no_key_named", name=keyid), mend=msg("hostpledge_key_show_lists"))
    return known, found


def _with(known: Trust, old: TrustedKey, new: TrustedKey) -> Trust:
    return replace(known, keys=tuple(new if k is old else k for k in known.keys))


def trust_authority(authority: Authority) -> None:
    """Takes a timestamp authority into the trust, in the place of one of the same name."""
    with _locked():
        known = trust()
        others = tuple(one for one in known.authorities if one.name != authority.name)
        _write(replace(known, authorities=(*others, authority)))


def may(key: PrivateKey, role: str) -> bool:
    """May the key sign that (`trust.ROLES`)? Of one that is not kept here nothing is known."""
    known = trust().find(key.keyid)
    return known is None or known.may(role)


def set_roles(keyid: str, roles: frozenset[str]) -> TrustedKey:
    """Says what a kept key may sign; what it signed before counts by that as well."""
    with _locked():
        known, found = _kept(keyid)
        if found.key.type == "sm2" and "log" in roles:
            raise BadInput(msg("sm2_key_signs_no"), where=found.name)
        given = replace(found, roles=roles)
        _write(_with(known, found, given))
    return given


def check_usable(key: PrivateKey, where: str, role: str | None = None) -> None:
    """Raises BadInput for a kept key that has ended or was revoked: it must sign nothing more.

    And for one that may not sign what is of the `role`.
    """
    known = trust().find(key.keyid)
    if known is None:
        return
    if role is not None and not known.may(role):
        raise BadInput(
            msg("key_kept_alone_signs", roles_said=known.roles_said),
            where=where,
            mend=msg("name_another_key_let"),
        )
    now = datetime.now(UTC)
    over = _over(known)
    if over is not None and over <= now:
        raise BadInput(
            msg("key_ended_signs_now", over=over.isoformat()),
            where=where,
            mend=msg("use_present_key_after"),
        )
    if known.valid_from is not None and known.valid_from > now:
        raise BadInput(
            msg("key_begins_signs_now", valid_from=known.valid_from.isoformat()),
            where=where,
            mend=msg("wait_use_another_key"),
        )


def _over(key: TrustedKey) -> datetime | None:
    """From when on it signs nothing more, by whichever of the two comes first."""
    return min(filter(None, (key.revoked_at, key.valid_until)), default=None)


def _write(known: Trust) -> None:
    write_aside(folder() / TRUST, known.to_bytes())


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


@contextmanager
def _locked() -> Iterator[None]:
    home()
    folder().mkdir(mode=0o700, exist_ok=True)
    with (folder() / ".lock").open("w") as handle:
        flock(handle, LOCK_EX)
        yield
