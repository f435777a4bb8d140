"""What falls due for a pledge record. Pure: the record, its evidence and the time go in."""

from __future__ import annotations

import calendar
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any

from collector.model import Text
from collector.pledges.documents import named
from collector.pledges.record import PledgeRecord
from collector.pledges.register import Evidence
from collector.pledges.times import CHINA, end_of_day, moment, waiver_end
from collector.resources import package_text
from collector.schema import load_yaml


@dataclass(frozen=True, slots=True)
class Due:
    """One thing that falls due at `at` (aware, UTC). `kind` is a word for programs."""

    pledge: str
    kind: str
    at: datetime
    text: Text

    def overdue(self, now: datetime) -> bool:
        return self.at <= now


@dataclass(frozen=True, slots=True)
class Term:
    """A term of `catalogs/clocks.yml`: its length in one unit, and what it rests on."""

    months: int
    days: int
    hours: int
    title: Text
    basis: str
    status: str


@cache
def terms() -> Mapping[str, Term]:
    """The terms by name."""
    name = "catalogs/clocks.yml"
    document: dict[str, Any] = load_yaml(package_text(name), where=name)
    return {
        key: Term(
            entry.get("months", 0),
            entry.get("days", 0),
            entry.get("hours", 0),
            Text(entry["title"]["zh"], entry["title"]["en"]),
            entry["basis"]["text"],
            entry["basis"]["status"],
        )
        for key, entry in document.items()
    }


def due(
    record: PledgeRecord,
    evidence: Sequence[Evidence],
    now: datetime,
    *,
    within: timedelta,
    evidence_days: int | None = None,
) -> tuple[Due, ...]:
    """What is overdue at `now` (aware) or falls due `within` that time, the earliest first."""
    until = now + within
    found = [d for d in _all(record, evidence, evidence_days) if d.at <= until]
    return tuple(sorted(found, key=lambda d: (d.at, d.kind)))


def _all(
    record: PledgeRecord, evidence: Sequence[Evidence], evidence_days: int | None
) -> Iterator[Due]:
    document = record.document

    def at(kind: str, moment: datetime, zh: str, en: str) -> Due:
        return Due(record.id, kind, moment.astimezone(UTC), Text(zh, en))

    period = document.get("period")
    if period:
        end = period["until"]
        yield at(
            "period_end",
            end_of_day(date.fromisoformat(end)),
            f"登记有效期至 {end}",
            f"in force to {end}",
        )
    check = document.get("self_check")
    if check:
        last = check.get("last")
        begun = date.fromisoformat(last) if last else _begun(record)
        yield at(
            "self_check",
            end_of_day(begun, plus=check["cycle_days"]),
            f"自查（四）：上次 {last or '无'}，周期 {check['cycle_days']} 天",
            f"self-check (四): last {last or 'never'}, every {check['cycle_days']} days",
        )
    yield from _filing(record)
    yield from _inventory(record)
    yield from _fresh(record, evidence, evidence_days)
    for waiver in document.get("waivers", ()):
        yield at(
            "waiver",
            waiver_end(waiver["expires"]),
            f"豁免到期：{waiver['control']}，主机 {waiver['host']}",
            f"waiver ends: {waiver['control']} on {waiver['host']}",
        )
    for entry in document.get("attestations", ()):
        if "expires" in entry:
            yield at(
                "attestation",
                end_of_day(date.fromisoformat(entry["expires"])),
                f"书面声明到期：{named(entry['clause']).zh}",
                f"attestation ends: {named(entry['clause']).en}",
            )
    yield from _incidents(record)


def _filing(record: PledgeRecord) -> Iterator[Due]:
    filings = record.document.get("filings", {})
    begun = filings.get("connected_on") or record.document.get("period", {}).get("from")
    if filings.get("public_security") or not begun:
        return
    term = terms()["public_security_filing"]
    yield Due(
        record.id,
        "public_security_filing",
        end_of_day(date.fromisoformat(begun), plus=term.days),
        Text(
            f"公安备案（二(五)）：{begun} 入网，{term.days} 日内办理，尚无备案号",
            f"public-security filing (二(五)): connected {begun}, {term.days} days, none on record",
        ),
    )


def _inventory(record: PledgeRecord) -> Iterator[Due]:
    inventory = record.data_inventory
    if inventory is None:
        return
    reviewed = inventory.get("reviewed")
    term = terms()["classification_review"]
    begun = date.fromisoformat(reviewed) if isinstance(reviewed, str) else None
    yield Due(
        record.id,
        "classification_review",
        end_of_day(_months_on(begun, term.months) if begun else _begun(record)),
        Text(
            f"数据分类分级清单（二(四)）：上次复核 {reviewed or '无'}，每 {term.months} 个月一次",
            f"data inventory (二(四)): reviewed {reviewed or 'never'}, every {term.months} months",
        ),
    )


def _fresh(
    record: PledgeRecord, evidence: Sequence[Evidence], evidence_days: int | None
) -> Iterator[Due]:
    days = terms()["evidence_age"].days if evidence_days is None else evidence_days
    newest = max((e.collected_at for e in evidence), default=None)
    shown = newest.astimezone(CHINA).date().isoformat() if newest else ""
    yield Due(
        record.id,
        "evidence",
        newest + timedelta(days=days) if newest else end_of_day(_begun(record), plus=days),
        Text(
            f"核查证据：最近采集于 {shown or '（无）'}，每 {days} 天至少一次",
            f"evidence: collected {shown or 'never'}, at least every {days} days",
        ),
    )


def _incidents(record: PledgeRecord) -> Iterator[Due]:
    for notice in record.document.get("incidents", {}).get("notices", ()):
        begun = moment(notice["occurred_at"])
        for name, field in (
            ("incident_authority", "reported_at"),
            ("incident_provider", "provider_notified_at"),
        ):
            if field not in notice:
                term = terms()[name]
                yield Due(
                    record.id,
                    name,
                    begun + timedelta(hours=term.hours),
                    Text(
                        f"{term.title.zh}（承诺书 八）：{notice['id']}，{term.hours} 小时内",
                        f"{term.title.en} (承诺书 八): {notice['id']}, within {term.hours} hours",
                    ),
                )


def _begun(record: PledgeRecord) -> date:
    start = record.document.get("period", {}).get("from")
    return date.fromisoformat(start) if start else record.signed_on


def _months_on(day: date, months: int) -> date:
    """The corresponding day months later, or the last day of that month (民法典 202)."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))
