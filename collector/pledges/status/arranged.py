"""What a record arranges for a finding: who sees to it until when, and what accepts it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from collector.pledges.record.form import PledgeRecord
from collector.pledges.record.times import waiver_end
from collector.pledges.status.brief import Brief


def follow_up(record: PledgeRecord | Brief, control: str, host: str) -> Mapping[str, Any]:
    """Who sees to it, by the record: what names the host goes before what is for all of them."""
    entries: Sequence[Mapping[str, Any]] = record.document.get("follow_ups", ())
    mine = [e for e in entries if e["control"] == control and e["host"] in (host, "*")]
    return min(mine, key=lambda e: e["host"] == "*", default={})


def waiver_of(record: PledgeRecord, control: str, host: str) -> Mapping[str, Any] | None:
    """The one that holds longest, as judges take it."""
    entries: Sequence[Mapping[str, Any]] = record.document.get("waivers", ())
    mine = [w for w in entries if w["control"] == control and w["host"] in (host, "*")]
    return max(mine, key=lambda w: waiver_end(w["expires"]), default=None)


def waiver_holds(record: PledgeRecord, control: str, host: str, now: datetime) -> bool:
    """Does the record waive it at that time (aware)?"""
    waiver = waiver_of(record, control, host)
    return waiver is not None and waiver_end(waiver["expires"]) > now
