"""One-time links: each is for one host of one pledge, ends by itself, and can be taken back.

Of the token only the digest is kept, and under that name: who looks for a token finds a file or
does not, and nothing is compared letter by letter.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from collector import private
from collector.errors import BadInput
from collector.handin.places import Places, load, now, store
from collector.i18n.message import msg

SCHEMA = "urn:hostpledge:schema:hand-in-link:1"
_BYTES = 32
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
_ID = re.compile(r"[0-9a-f]{12}")
State = Literal["open", "used", "ended", "revoked"]


@dataclass(frozen=True, slots=True)
class Link:
    """`digest` (hex SHA-256) is of its token; times are aware. `id` names it and its hand-in."""

    digest: str
    pledge: str
    host: str
    grade: int
    made_at: datetime
    ends_at: datetime

    @property
    def id(self) -> str:
        return self.digest[:12]


def new(places: Places, pledge: str, host: str, grade: int, lasts: timedelta) -> tuple[Link, str]:
    """The link and its token, which is told this once."""
    token = base64.urlsafe_b64encode(secrets.token_bytes(_BYTES)).decode().rstrip("=")
    at = now()
    link = Link(_digest(token), pledge, host, grade, at, at + lasts)
    with places.held():
        path = places.file("links", link.digest, ".json")
        if private.is_there(path) or _of(places, link.id):
            raise BadInput(msg("try_again"))  # 48 bits met: as good as never
        places.log("link_made", id=link.id, pledge=pledge, host=host)
        store(path, _to_json(link))
    return link, token


def by_token(places: Places, token: str) -> Link | None:
    """The link that a token opens now: None for one that is unknown, ended or taken back."""
    digest = _digest(token)
    link = _read(places, digest) if _TOKEN.fullmatch(token) else None
    if link is None or not hmac.compare_digest(link.digest, digest):
        return None
    return link if state(places, link) in ("open", "used") else None


def by_id(places: Places, id: str) -> Link:
    """Raises BadInput for an id that no link has."""
    found = _of(places, id) if _ID.fullmatch(id) else []
    if len(found) != 1 or (link := _read(places, found[0])) is None:
        raise BadInput(msg("no_such_hand_in", id=id), mend=msg("see_hand_in_links"))
    return link


def of_digest(places: Places, digest: str) -> Link | None:
    """The link that a receipt is of."""
    return _read(places, digest)


def every(places: Places, *, readable: bool = False) -> Iterator[Link]:
    """All of them, the oldest first. `readable`: but for damaged ones.

    Raises BadInput for a damaged one.
    """
    digests = sorted(path.stem for path in places.room("links").glob("*.json"))
    known = []
    for digest in digests:
        try:
            link = _read(places, digest)
        except BadInput:
            if not readable:
                raise
            continue
        if link is not None:
            known.append(link)
    yield from sorted(known, key=lambda link: (link.made_at, link.id))


def damaged(places: Places) -> Iterator[BadInput]:
    """Why each link that cannot be read cannot."""
    for path in sorted(places.room("links").glob("*.json")):
        try:
            _read(places, path.stem)
        except BadInput as problem:
            yield problem


def state(places: Places, link: Link) -> State:
    """Used for what came by it, whatever happens to it later."""
    if private.is_there(places.file("receipts", link.digest, ".json")):
        ended = link.ends_at <= now() or _revoked(places, link)
        return "ended" if ended else "used"
    if _revoked(places, link):
        return "revoked"
    return "ended" if link.ends_at <= now() else "open"


def revoke(places: Places, id: str) -> Link:
    """From now on it opens nothing; what came by it already stays. Once more changes nothing."""
    link = by_id(places, id)
    with places.held():
        if not _revoked(places, link):
            places.log("link_revoked", id=link.id)
            private.write_aside(places.file("links", link.digest, ".revoked"), b"")
    return link


def _revoked(places: Places, link: Link) -> bool:
    return private.is_there(places.file("links", link.digest, ".revoked"))


def _of(places: Places, id: str) -> list[str]:
    return [path.stem for path in places.room("links").glob(f"{id}*.json")]


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()


def _read(places: Places, digest: str) -> Link | None:
    path = places.file("links", digest, ".json")
    document = load(path)
    if document is None:
        return None
    try:
        return Link(
            str(document["digest"]),
            str(document["pledge"]),
            str(document["host"]),
            int(document["grade"]),
            datetime.fromisoformat(document["made_at"]),
            datetime.fromisoformat(document["ends_at"]),
        )
    except (KeyError, TypeError, ValueError):
        raise BadInput(msg("hand_in_file_damaged"), where=str(path)) from None


def _to_json(link: Link) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "digest": link.digest,
        "pledge": link.pledge,
        "host": link.host,
        "grade": link.grade,
        "made_at": link.made_at.isoformat(timespec="seconds"),
        "ends_at": link.ends_at.isoformat(timespec="seconds"),
    }
