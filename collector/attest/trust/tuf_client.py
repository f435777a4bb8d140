"""What a verifier keeps of a team's trust: the pinned root, and the metadata that leads from it to
the trust file (The Update Framework, specification 1.0). Read offline; `collector.run` renews it.

The root comes from somebody trusted, by another way than the rest. When metadata expires, nobody
may say any more that the trust file is the newest; what it said of a key's time stays as it was.
So an expiry is told apart here, and refused only where something newer is fetched.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from collector import private
from collector.errors import BadInput, VerifyFailed
from collector.i18n.message import msg, of_system

if TYPE_CHECKING:
    from tuf.api.metadata import Metadata, Root

TARGET = "trust.json"
PINNED = "root.json"
HELD = "trusted"
_OLD = "trusted.old"
MOST = 5_000_000
MOST_ROOTS = 256
Reader = Callable[[str], bytes | None]


@dataclass(frozen=True, slots=True)
class Source:
    """Whose word a trust file is: `version` of it, by `threshold` of `holders` under the root of
    `root_version`, which follows from the pinned one (`pinned`, its SHA-256). After `expires`
    there may be a newer one.
    """

    pinned: str
    root_version: int
    threshold: int
    holders: int
    version: int
    expires: datetime

    def to_json(self) -> dict[str, Any]:
        return {
            "root_sha256": self.pinned,
            "root_version": self.root_version,
            "threshold": self.threshold,
            "holders": self.holders,
            "version": self.version,
            "expires": self.expires.isoformat(),
        }


def load(store: Path) -> tuple[bytes, Source]:
    """The trust file that the store's pinned root leads to, verified again, and whose it is.

    Raises BadInput where there is no such store, VerifyFailed where something in it does not hold.
    """
    pinned = _read(store / PINNED)
    if pinned is None:
        raise BadInput(
            msg("no_trust_file_no"),
            where=str(store),
            mend=msg("hostpledge_trust_update_folder"),
        )
    held = store / HELD
    if not held.is_dir():
        held = store / _OLD
    return follow(pinned, held_reader(held), where=str(store))


def held_reader(held: Path) -> Reader:
    """Reads what a TUF client keeps: the roots by number, the newest of the rest."""

    def read(name: str) -> bytes | None:
        number, _, role = name.partition(".")
        if role == "root.json":
            return _read(held / "root_history" / name)
        return _read(held / (role if number.isdecimal() else name))

    return read


def follow(pinned: bytes, read: Reader, *, where: str) -> tuple[bytes, Source]:
    """From the pinned root to the trust file; `read` gives a file by its name in a repository.

    Each root has to be signed as the one before it asks and as it asks itself; timestamp, snapshot
    and targets as the last root asks, each the very one that the one before names.
    """
    need(where)
    from tuf.api.metadata import Root, Snapshot, Targets, Timestamp

    with told(where):
        root = _root(pinned, where)
        root.signed.verify_delegate(Root.type, root.signed_bytes, root.signatures)
        for version in range(root.signed.version + 1, root.signed.version + MOST_ROOTS):
            data = read(f"{version}.root.json")
            if data is None:
                break
            newer = _root(data, where)
            if newer.signed.version != version:
                raise VerifyFailed(msg("root_says_another", version=version), where=where)
            root.signed.verify_delegate(Root.type, newer.signed_bytes, newer.signatures)
            newer.signed.verify_delegate(Root.type, newer.signed_bytes, newer.signatures)
            root = newer
        asked: Root = root.signed
        timestamp = _signed(asked, Timestamp, _must(read, "timestamp.json", where))
        named = timestamp.signed.snapshot_meta
        data = _must(read, f"{named.version}.snapshot.json", where)
        named.verify_length_and_hashes(data)
        snapshot = _signed(asked, Snapshot, data)
        listed = snapshot.signed.meta["targets.json"]
        data = _must(read, f"{listed.version}.targets.json", where)
        listed.verify_length_and_hashes(data)
        targets = _signed(asked, Targets, data)
        if (snapshot.signed.version, targets.signed.version) != (named.version, listed.version):
            raise VerifyFailed(msg("metadata_several_times_mixed"), where=where)
        target = targets.signed.targets.get(TARGET)
        if target is None:
            raise VerifyFailed(msg("names_no", target=TARGET), where=where)
        file = read(f"{target.hashes['sha256']}.{TARGET}")
        file = read(TARGET) if file is None else file
        if file is None:
            raise VerifyFailed(msg("is", name=TARGET), where=where)
        target.verify_length_and_hashes(file)
        role = asked.roles[Targets.type]
        parts: tuple[Metadata[Any], ...] = (root, timestamp, snapshot, targets)
        return file, Source(
            fingerprint(pinned),
            asked.version,
            role.threshold,
            len(role.keyids),
            targets.signed.version,
            min(part.signed.expires for part in parts),
        )


def fingerprint(root: bytes) -> str:
    """What people compare of a root, by telephone or on paper."""
    return hashlib.sha256(root).hexdigest()


def _root(data: bytes, where: str) -> Metadata[Root]:
    from tuf.api.metadata import Metadata, Root

    found = Metadata[Root].from_bytes(data)
    if found.signed.type != Root.type:
        raise VerifyFailed(msg("not_root"), where=where)
    check_keys(found.signed, where)
    return found


def check_keys(root: Root, where: str) -> None:
    """One key under two names would count twice. Raises VerifyFailed."""
    values = [(key.keytype, str(key.keyval)) for key in root.keys.values()]
    if len(set(values)) != len(values):
        raise VerifyFailed(msg("root_names_key_twice"), where=where)


def _signed(root: Root, kind: Any, data: bytes) -> Metadata[Any]:
    from tuf.api.metadata import Metadata

    found: Metadata[Any] = Metadata.from_bytes(data)
    if found.signed.type != kind.type:
        raise VerifyFailed(msg("not_metadata", type=kind.type))
    root.verify_delegate(kind.type, found.signed_bytes, found.signatures)
    return found


def _must(read: Reader, name: str, where: str) -> bytes:
    data = read(name)
    if data is None:
        raise VerifyFailed(msg("is", name=name), where=where)
    return data


def _read(path: Path) -> bytes | None:
    try:
        with private.opened(path) as source:
            data = source.read(MOST + 1)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as problem:
        raise BadInput(of_system(problem, "cannot_read"), where=str(path)) from None
    if len(data) > MOST:
        raise VerifyFailed(msg("larger_bytes", most=MOST), where=str(path))
    return data


def need(where: str) -> None:
    """Raises BadInput where the library is not installed."""
    try:
        import tuf.api.metadata  # noqa: F401
    except ModuleNotFoundError:
        raise BadInput(
            msg("team_s_trust_needs"),
            where=where,
            mend=msg("pip_install_tuf", python=sys.executable),
        ) from None


@contextmanager
def told(where: str) -> Iterator[None]:
    """What TUF refuses, as one line."""
    from tuf.api import exceptions
    from tuf.api.serialization import DeserializationError

    try:
        yield
    except DeserializationError:
        raise VerifyFailed(msg("not_tuf_metadata"), where=where) from None
    except exceptions.ExpiredMetadataError as problem:
        raise VerifyFailed(
            msg("expired_frozen_somebody_not", problem=problem), where=where
        ) from None
    except exceptions.BadVersionNumberError as problem:
        raise VerifyFailed(msg("older_seen_before", problem=problem), where=where) from None
    except exceptions.UnsignedMetadataError as problem:
        raise VerifyFailed(msg("too_few_signatures", problem=problem), where=where) from None
    except (exceptions.LengthOrHashMismatchError, exceptions.DownloadLengthMismatchError):
        raise VerifyFailed(msg("not_file_signed_metadata"), where=where) from None
    except exceptions.RepositoryError as problem:
        raise VerifyFailed(msg("not_hold", problem=problem), where=where) from None
    except (KeyError, ValueError, TypeError, AttributeError, RecursionError):
        raise VerifyFailed(msg("not_tuf_metadata_specification"), where=where) from None
