"""Uploads, and the quarantine: whole or not at all, each once, within bounds.

An upload is written aside and held by its process. What takes it in happens in one order: looked
through, logged, renamed into the quarantine, and last of all its receipt. A process that ends
anywhere before leaves the link as it was, and `settle` takes away what it left.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from collector import private
from collector.errors import BadInput, CollectorError
from collector.handin import links
from collector.handin.links import Link
from collector.handin.places import Places, load, now, store
from collector.i18n.message import msg

SCHEMA = "urn:hostpledge:schema:hand-in-receipt:1"
DECIDED = "urn:hostpledge:schema:hand-in-decision:1"
Verdict = Literal["accepted", "refused"]
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class NoRoomError(CollectorError):
    """The quarantine, or its disk, takes no more now; the link stays as it is."""


class TooLargeError(CollectorError):
    """More bytes than a capture may have."""


class UsedError(CollectorError):
    """Other bytes came by that link before."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What came by a link; `sha256` (hex) and `size` are of the bytes that were sent.

    `looked_at` is the time by the host's own clock, ISO 8601; empty where it has none.
    """

    digest: str
    pledge: str
    host: str
    sha256: str
    size: int
    received_at: datetime
    looked_at: str

    @property
    def id(self) -> str:
        return self.digest[:12]


class Upload:
    """One upload under way; `close` takes away what was not taken in."""

    def __init__(self, places: Places, link: Link) -> None:
        self._places, self.link = places, link
        self.path = places.file("incoming", f"{link.digest}.{secrets.token_hex(8)}")
        with places.held():
            _check_room(places, link.pledge)
            self._file = private.create(self.path)
            fcntl.flock(self._file, fcntl.LOCK_EX)
        self._digest = hashlib.sha256()
        self.size = 0

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()

    def write(self, data: bytes) -> None:
        """Raises TooLargeError and NoRoomError."""
        self.size += len(data)
        if self.size > self._places.bounds.largest:
            raise TooLargeError(msg("hand_in_too_large", most=self._places.bounds.largest >> 20))
        self._digest.update(data)
        try:
            self._file.write(data)
        except OSError as problem:
            raise _no_room(problem) from None

    def sync(self) -> None:
        """All of it is on disk. Raises NoRoomError."""
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as problem:
            raise _no_room(problem) from None

    def take_in(self, looked_at: str, came_from: str) -> tuple[Receipt, bool]:
        """Its receipt, and whether that is a new one: the same bytes have one receipt.

        Raises UsedError where other bytes came first, BadInput where the link has ended meanwhile,
        and NoRoomError.
        """
        places, link = self._places, self.link
        try:
            with places.held():
                known = again(places, link, self.sha256)
                if known is not None:
                    return known, False
                # looked at here: whoever takes a link back finds all that came by it before
                if links.state(places, link) != "open":
                    raise BadInput(msg("hand_in_link_ended"))
                at = now().replace(microsecond=0)
                about = {"pledge": link.pledge, "sha256": self.sha256, "size": self.size}
                places.log("received", id=link.id, host=link.host, came_from=came_from, **about)
                made = Receipt(
                    link.digest, link.pledge, link.host, self.sha256, self.size, at, looked_at
                )
                self._keep(made)
                return made, True
        except OSError as problem:
            raise _no_room(problem) from None

    def _keep(self, made: Receipt) -> None:
        places, digest = self._places, made.digest
        kept, told = places.file("quarantine", digest), places.file("receipts", digest, ".json")
        try:
            self.path.replace(kept)
            private.sync_folder(places.room("quarantine"))
            store(told, _to_json(made))
        except OSError:
            # without a receipt nothing came; a folder that was not synced may have one all the same
            with suppress(OSError):
                if not private.is_there(told):
                    kept.unlink(missing_ok=True)
            raise

    def close(self) -> None:
        with suppress(OSError):
            self._file.close()
        self.path.unlink(missing_ok=True)


def again(places: Places, link: Link, sha256: str) -> Receipt | None:
    """The receipt of the same bytes, where these came by the link. Raises UsedError for others."""
    known = receipt(places, link.digest)
    if known is None:
        return None
    if known.sha256 != sha256:
        at = known.received_at.isoformat(timespec="seconds")
        raise UsedError(msg("hand_in_link_used", at=at))
    # where that failed before, a power cut would take away what the sender is told once more
    private.sync_folder(places.room("receipts"))
    return known


def _no_room(problem: OSError) -> Exception:
    """What a full disk ends in; any other trouble of the system stays what it is."""
    return NoRoomError(msg("hand_in_no_room")) if problem.errno in _FULL else problem


def _check_room(places: Places, pledge: str) -> None:
    """Each upload under way counts as large as it may become.

    No pledge takes more than its share of what the others leave, and the last of the room is for
    pledges that have nothing there: some is left for everybody else.
    """
    bounds = places.bounds
    coming = [path.name.partition(".")[0] for path in places.room("incoming").iterdir()]
    sizes = {path.name: path.stat().st_size for path in places.room("quarantine").iterdir()}
    if not _fits(coming, sizes, bounds.largest, bounds.bytes, bounds.count):
        raise NoRoomError(msg("hand_in_no_room"))
    # whose each is has to be read: only where one alone could have so much, or the last is taken
    part = min(bounds.share, 1 - bounds.kept)
    if _fits(coming, sizes, bounds.largest, bounds.bytes * part, bounds.count * part):
        return
    mine = {name for name in {*coming, *sizes} if _is_of(places, name, pledge)}
    if not mine:
        return
    own = {name: size for name, size in sizes.items() if name in mine}
    others = sizes.keys() - mine, [name for name in coming if name not in mine]
    taken = sum(sizes[name] for name in others[0]) + len(others[1]) * bounds.largest
    left = bounds.bytes - taken, bounds.count - len(others[0]) - len(others[1])
    share = left[0] * bounds.share, left[1] * bounds.share
    most = bounds.bytes * (1 - bounds.kept), bounds.count * (1 - bounds.kept)
    if not (
        _fits([n for n in coming if n in mine], own, bounds.largest, *share)
        and _fits(coming, sizes, bounds.largest, *most)
    ):
        raise NoRoomError(msg("hand_in_no_room"))


def _fits(
    coming: Sequence[str], sizes: Mapping[str, int], largest: int, bytes: float, count: float
) -> bool:
    """One more beside these."""
    return (
        sum(sizes.values()) + (len(coming) + 1) * largest <= bytes
        and len(sizes) + len(coming) < count
    )


def _is_of(places: Places, digest: str, pledge: str) -> bool:
    with suppress(BadInput):
        link = links.of_digest(places, digest)
        return link is not None and link.pledge == pledge
    return False


def settle(places: Places) -> int:
    """Takes away what ended processes left: uploads nobody holds, and bytes without a receipt.

    And the bytes of what was decided, where a kill came between. Returns how many files.
    """
    if not places.folder.is_dir():
        return 0
    gone = 0
    with places.held():
        for path in places.room("incoming").iterdir():
            gone += _let_go(path)
        for path in places.room("quarantine").iterdir():
            there = private.is_there(places.file("receipts", path.name, ".json"))
            if not there or private.is_there(places.file("decided", path.name, ".json")):
                path.unlink()
                gone += 1
    return gone


def _let_go(path: Path) -> bool:
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        # an upload that ended meanwhile has taken it away itself
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        path.unlink(missing_ok=True)
    except BlockingIOError:
        return False
    finally:
        os.close(handle)
    return True


def receipt(places: Places, digest: str) -> Receipt | None:
    """Raises BadInput for a damaged one."""
    path = places.file("receipts", digest, ".json")
    document = load(path)
    if document is None:
        return None
    try:
        found = Receipt(
            str(document["digest"]),
            str(document["pledge"]),
            str(document["host"]),
            str(document["sha256"]),
            int(document["size"]),
            datetime.fromisoformat(document["received_at"]),
            str(document["looked_at"]),
        )
    except (KeyError, TypeError, ValueError):
        raise BadInput(msg("hand_in_file_damaged"), where=str(path)) from None
    if found.digest != digest or found.received_at.tzinfo is None:
        raise BadInput(msg("hand_in_file_damaged"), where=str(path))
    return found


def every(places: Places) -> Iterator[Receipt]:
    """All receipts, the oldest first."""
    digests = [path.stem for path in places.room("receipts").glob("*.json")]
    found = [one for digest in digests if (one := receipt(places, digest)) is not None]
    yield from sorted(found, key=lambda one: (one.received_at, one.id))


def undecided(places: Places) -> tuple[list[Receipt], list[CollectorError]]:
    """What waits, the oldest first; and why of others that is not known: they hold up nobody."""
    found, damaged = [], []
    for path in sorted(places.room("receipts").glob("*.json")):
        try:
            one = receipt(places, path.stem)
            if one is not None and decision(places, one) is None:
                found.append(one)
        except CollectorError as problem:
            damaged.append(problem)
    return sorted(found, key=lambda one: (one.received_at, one.id)), damaged


def decision(places: Places, one: Receipt) -> dict[str, Any] | None:
    """What became of it; None while it waits."""
    return load(places.file("decided", one.digest, ".json"))


def decide(
    places: Places, one: Receipt, verdict: Verdict, *, again: bool = False, **about: object
) -> None:
    """Writes down what became of it, and lets its bytes go. The first decision stays.

    But for what was taken in and is in no evidence (`lost`): that is decided on once more.
    """
    path = places.file("decided", one.digest, ".json")
    with places.held():
        known = load(path)
        new = {"verdict": verdict, **about}
        if known is None or (again and any(known.get(name) != new[name] for name in new)):
            at = now().isoformat(timespec="seconds")
            places.log(verdict, id=one.id, pledge=one.pledge, host=one.host, **about)
            store(path, {"schema": DECIDED, "verdict": verdict, "at": at, **about})
        places.file("quarantine", one.digest).unlink(missing_ok=True)


def _to_json(one: Receipt) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "digest": one.digest,
        "pledge": one.pledge,
        "host": one.host,
        "sha256": one.sha256,
        "size": one.size,
        "received_at": one.received_at.isoformat(timespec="seconds"),
        "looked_at": one.looked_at,
    }
