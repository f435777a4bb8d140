"""The ledger of security events (网络安全事件台账, clause 二(三)).

It comes with the bundle as the document `event-ledger`, which wins, or lies on the host under
/etc/hostpledge. Its shape is schemas/event-ledger.schema.json; a document of another shape is
refused as a whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from collector.errors import BadInput, NotUnderstood
from collector.facts.base.documents import NO_PASSWORDS
from collector.facts.base.redaction import NO_REMARKS
from collector.i18n.message import msg, told
from collector.model import Facts, Read, Text, files
from collector.schema import check, load_yaml

DOCUMENT = "event-ledger"
_READ = "ledger.document"

# remarks behind a value
_BEHIND = r"""s/^\([^"'#]*[[:space:]]\)#.*/\1#/"""

READS: tuple[Read, ...] = (
    files(
        _READ,
        "/etc/hostpledge/event-ledger.yml",
        "/etc/hostpledge/event-ledger.yaml",
        "/etc/hostpledge/event-ledger.json",
        limit=1 << 20,
        redact=f"{NO_REMARKS}\n{_BEHIND}\n{NO_PASSWORDS}",
        why=Text("本机的网络安全事件台账", "the ledger of security events of this host"),
    ),
)

_LEVELS: Mapping[str, int] = {
    "一般": 1, "general": 1, "较大": 2, "considerable": 2,
    "重大": 3, "major": 3, "特别重大": 4, "critical": 4,
}  # fmt: skip
CONSIDERABLE = 2


@dataclass(frozen=True, slots=True)
class Event:
    """One event. `level` is 1 (一般) to 4 (特别重大); a time that is not given is None."""

    id: str
    found: datetime
    handled: datetime | None
    reported: datetime | None
    police: datetime | None
    level: int
    line: str


@dataclass(frozen=True, slots=True)
class Ledger:
    """The ledger, with the events that concern this host.

    `path` is where it lies on the host, empty where it was handed in; `guarded` is whether only
    root may write it there.
    """

    owner: str
    since: date
    reviewed: date
    events: tuple[Event, ...]
    alerts: tuple[str, ...]
    path: str
    guarded: bool


def ledger(facts: Facts) -> Ledger | None:
    """None where there is none. Raises CouldNotLook, or NotUnderstood for another shape."""
    document = facts.attached.get(DOCUMENT)
    path, guarded = "", True
    if document is None:
        present = facts.capture.read(_READ).present()
        if not present:
            return None
        if len(present) > 1:
            raise NotUnderstood(
                _READ, msg("there_are_several", names=", ".join(f.path for f in present))
            )
        path = present[0].path
        guarded = present[0].uid == 0 and not present[0].mode & 0o022
        document = present[0].text(_READ).encode()
    where = path or DOCUMENT
    try:
        entry = load_yaml(document, where=where)
        check(entry, "event-ledger", where=where)
        return _ledger(entry, facts.capture.host, path, guarded=guarded)
    except (BadInput, ValueError, OverflowError) as problem:
        raise NotUnderstood(_READ, told(problem)) from None


def check_ledger(entry: Any, *, where: str) -> None:
    """Raises BadInput where the document is no ledger that `ledger` could take."""
    check(entry, "event-ledger", where=where)
    try:
        _ledger(entry, "", "", guarded=True)
    except (ValueError, OverflowError) as problem:
        raise BadInput(msg("not_event_ledger", problem=problem), where=where) from None


def read_ledger(document: bytes, *, where: str) -> None:
    """The same of the bytes of a file, YAML or JSON."""
    try:
        text = document.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        what = msg("not_utf_8_byte", start=problem.start)
        raise BadInput(what, where=where, mend=msg("save_file_utf_8")) from None
    check_ledger(load_yaml(text, where=where), where=where)


def _ledger(entry: Mapping[str, Any], host: str, path: str, *, guarded: bool) -> Ledger:
    ids = [event["id"] for event in entry["events"]]
    twice = (
        next((id for id in ids if ids.count(id) > 1), None) if len(set(ids)) < len(ids) else None
    )
    if twice is not None:
        raise ValueError(msg("event_stands_twice", twice=twice))
    every = [(_event(e), e.get("hosts", [host])) for e in entry["events"]]
    events = [event for event, hosts in every if host in hosts]
    since, reviewed = date.fromisoformat(entry["from"]), date.fromisoformat(entry["reviewed"])
    if reviewed < since:
        raise ValueError(msg("reviewed_before_begins", reviewed=reviewed, since=since))
    alerts = tuple(f"{a['source']} → {a['route']} → {a['to']}" for a in entry.get("alerts", ()))
    return Ledger(entry["owner"], since, reviewed, tuple(events), alerts, path, guarded)


def _event(entry: Mapping[str, Any]) -> Event:
    found = _time(entry["found"])
    times = {
        name: _time(entry[name]) for name in ("handled", "reported", "police") if name in entry
    }
    for name, when in times.items():
        if when < found:
            raise ValueError(msg(f"event_{name}_before_found", entry=entry["id"]))
    told = (
        f"{name} {entry[name]}"
        for name in ("found", "handled", "reported", "police")
        if name in entry
    )
    return Event(
        entry["id"],
        found,
        times.get("handled"),
        times.get("reported"),
        times.get("police"),
        _LEVELS[entry["level"]],
        f"{entry['id']} {entry['level']} {entry['kind']}: {', '.join(told)}",
    )


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text.upper()).astimezone(UTC)
