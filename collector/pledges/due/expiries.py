"""Until when what was attested holds, wherever in the record it stands. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from collector.model import Text
from collector.pledges.record.documents import fields, named
from collector.pledges.record.form import PledgeRecord

_FOREVER = "9999-12-31"


@dataclass(frozen=True, slots=True)
class Expiry:
    """`until` is the last day (ISO) on which something that was attested holds.

    `about` says what, the same however it is worded.
    """

    until: str
    text: Text
    about: str


def expiries(record: PledgeRecord) -> Iterator[Expiry]:
    """Everything with an end; what a later statement about the same took the place of is not."""
    document = record.document
    said: dict[tuple[Any, ...], Mapping[str, Any]] = {}
    for entry in document.get("attestations", ()):
        same = (entry["clause"], entry.get("control"), tuple(sorted(entry.get("hosts", ()))))
        if same not in said or _until(entry) > _until(said[same]):
            said[same] = entry
    for (clause, control, hosts), entry in said.items():
        if "expires" in entry:
            name = named(entry["clause"])
            text = Text(f"书面声明到期：{name.zh}", f"attestation ends: {name.en}")
            yield Expiry(entry["expires"], text, " ".join((clause, control or "", *hosts)))
    for field in (
        "real_name_method",
        "vulnerability_handling",
        "harmful_content_handling",
        "security_officer",
    ):
        yield from _ends(document.get(field, {}), field)
    yield from _ends(document.get("sub_users", {}).get("method", {}), "sub_users")
    for title, entries in _by_title(document.get("management_rules", ())).items():
        yield from _ends(max(entries, key=_until), "management_rules", title)
    filings = document.get("filings", {})
    yield from _ends(filings.get("no_websites", {}), "filings")
    for kind in ("icp", "public_security"):
        for entry in filings.get(kind, ()):
            yield from _ends(entry, "filings", entry["number"])


def holds(entry: Mapping[str, Any], today: str) -> bool:
    """Does it hold on that day (ISO)? What has no end does."""
    return _until(entry) >= today


def _until(entry: Mapping[str, Any]) -> str:
    return str(entry.get("expires", _FOREVER))


def _ends(entry: Mapping[str, Any], field: str, what: str = "") -> Iterator[Expiry]:
    if "expires" in entry:
        name = fields()[field]
        text = Text(
            f"到期：{name.zh}{'，' if what else ''}{what}",
            f"ends: {name.en}{', ' if what else ''}{what}",
        )
        yield Expiry(entry["expires"], text, f"{field} {what}".rstrip())


def _by_title(entries: Iterable[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    found: dict[str, list[Mapping[str, Any]]] = {}
    for entry in entries:
        found.setdefault(entry["title"], []).append(entry)
    return found
