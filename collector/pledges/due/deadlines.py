"""What a pledge record alone makes fall due, whenever that is. Pure.

What its evidence makes fall due, and which of it all runs on a given day, is for `due`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from collector.model import Text
from collector.pledges.due.expiries import expiries
from collector.pledges.due.lifecycle import begun
from collector.pledges.record.form import PledgeRecord
from collector.pledges.record.terms import months_on, terms
from collector.pledges.record.times import end_of_day, moment, waiver_end

# the kinds there are, as programs see them
KINDS = (
    "period_end",
    "resource_period",
    "self_check",
    "self_check_findings",
    "training",
    "public_security_filing",
    "classification_review",
    "evidence",
    "waiver",
    "finding",
    "attestation",
    "vulnerability",
    "harmful_content",
    "inspection",
    "incident_authority",
    "incident_provider",
    "disposal",
)


@dataclass(frozen=True, slots=True)
class Due:
    """One thing that falls due at `at` (aware, UTC). `kind` is a word for programs.

    `about` says which of its kind, and stays the same whatever the text says: empty where a record
    has one of it. `owner` sees to it, where the record names somebody. `unread`: nobody could look
    whether it was done; then it is not called overdue, nor done.
    """

    pledge: str
    kind: str
    at: datetime
    text: Text
    about: str = ""
    owner: str = ""
    unread: bool = False

    def overdue(self, now: datetime) -> bool:
        return self.at <= now and not self.unread


def deadlines(record: PledgeRecord) -> tuple[Due, ...]:
    """All of it, in the order of the clauses; none of it depends on the time or on evidence."""
    return (*_incidents(record), *_running(record))


def _running(record: PledgeRecord) -> Iterator[Due]:
    document = record.document
    period = document.get("period")
    if period and "ended" not in document:
        end = period["until"]
        yield _at(record, "period_end", end, f"登记有效期至 {end}", f"in force to {end}")
    granted = document.get("resources", {}).get("period")
    if granted:
        end = granted["until"]
        yield _at(
            record,
            "resource_period",
            end,
            f"网络资源（五）使用至 {end}",
            f"resources (五) to {end}",
        )
    yield from _self_checks(record)
    yield from _filing(record)
    yield from _inventory(record)
    for waiver in document.get("waivers", ()):
        yield _at(
            record,
            "waiver",
            waiver_end(waiver["expires"]),
            f"豁免到期：{waiver['control']}，主机 {waiver['host']}",
            f"waiver ends: {waiver['control']} on {waiver['host']}",
            about=f"{waiver['control']} {waiver['host']}",
        )
    for said in expiries(record):
        yield _at(record, "attestation", said.until, said.text.zh, said.text.en, about=said.about)
    yield from _found(record)
    for visit in document.get("inspections", ()):
        if "mend_by" in visit and "mended_on" not in visit:
            yield _at(
                record,
                "inspection",
                visit["mend_by"],
                f"检查（承诺书 五）{visit['id']}：须于 {visit['mend_by']} 前整改",
                f"inspection (承诺书 五) {visit['id']}: to be mended by {visit['mend_by']}",
                about=visit["id"],
            )


def _at(
    record: PledgeRecord,
    kind: str,
    day: str | date | datetime,
    zh: str,
    en: str,
    *,
    plus: int = 0,
    about: str = "",
) -> Due:
    """Due at a time, or at the end of a day in China, `plus` days later."""
    if isinstance(day, datetime):
        at = day
    else:
        at = end_of_day(date.fromisoformat(day) if isinstance(day, str) else day, plus=plus)
    return Due(record.id, kind, at.astimezone(UTC), Text(zh, en), about)


def last_self_check(document: Any) -> str | None:
    """The day of the newest self-check on record."""
    check = document.get("self_check", {})
    days = [entry["date"] for entry in check.get("records", ())]
    return max([*days, *([check["last"]] if "last" in check else [])], default=None)


def _self_checks(record: PledgeRecord) -> Iterator[Due]:
    check = record.document.get("self_check")
    if check:
        last, cycle = last_self_check(record.document), check["cycle_days"]
        since = date.fromisoformat(last) if last else begun(record)
        if since is not None:
            yield _at(
                record,
                "self_check",
                since,
                f"自查（四）：上次 {last or '无'}，周期 {cycle} 天",
                f"self-check (四): last {last or 'never'}, every {cycle} days",
                plus=cycle,
            )
        for entry in check.get("records", ()):
            if entry.get("found") and "mended_on" not in entry:
                day, count = entry["date"], entry["found"]
                yield _at(
                    record,
                    "self_check_findings",
                    day,
                    f"自查（四）{day} 发现的 {count} 项问题尚未处理",
                    f"self-check (四) of {day}: {count} findings not mended",
                    plus=terms()["mending"].days,
                    about=day,
                )
    days = [entry["date"] for entry in record.document.get("training", ())]
    if days:
        term = terms()["training"]
        yield _at(
            record,
            "training",
            months_on(date.fromisoformat(max(days)), term.months),
            f"员工教育（四）：上次 {max(days)}，每 {term.months} 个月一次",
            f"training (四): last {max(days)}, every {term.months} months",
        )


def _filing(record: PledgeRecord) -> Iterator[Due]:
    filings = record.document.get("filings", {})
    since = filings.get("connected_on") or record.document.get("period", {}).get("from")
    if filings.get("public_security") or filings.get("no_websites") or not since:
        return
    term = terms()["public_security_filing"]
    yield _at(
        record,
        "public_security_filing",
        since,
        f"公安备案（二(五)）：{since} 入网，{term.days} 日内办理，尚无备案号",
        f"public-security filing (二(五)): connected {since}, {term.days} days, none on record",
        plus=term.days,
    )


def _inventory(record: PledgeRecord) -> Iterator[Due]:
    inventory = record.data_inventory
    if inventory is None:
        return
    reviewed = inventory.get("reviewed")
    term = terms()["classification_review"]
    done = date.fromisoformat(reviewed) if isinstance(reviewed, str) else None
    day = months_on(done, term.months) if done else begun(record)
    if day is not None:
        yield _at(
            record,
            "classification_review",
            day,
            f"数据分类分级清单（二(四)）：上次复核 {reviewed or '无'}，每 {term.months} 个月一次",
            f"data inventory (二(四)): reviewed {reviewed or 'never'}, every {term.months} months",
        )


def _found(record: PledgeRecord) -> Iterator[Due]:
    """Vulnerabilities not mended, and harmful content not removed and reported."""
    for entry in record.document.get("vulnerabilities", ()):
        if "mended_on" not in entry:
            yield _at(
                record,
                "vulnerability",
                entry["found_on"],
                f"漏洞（二(七)）{entry['id']}：{entry['found_on']} 发现，尚未补救",
                f"vulnerability (二(七)) {entry['id']}: found {entry['found_on']}, not mended",
                plus=terms()["mending"].days,
                about=entry["id"],
            )
    for entry in record.document.get("harmful_content", ()):
        if not {"removed_on", "reported_on"} <= set(entry):
            yield _at(
                record,
                "harmful_content",
                entry["found_on"],
                f"有害信息（二(八)）{entry['id']}：{entry['found_on']} 发现，尚未消除并报告",
                f"harmful content (二(八)) {entry['id']}: found {entry['found_on']}, not removed "
                "and reported",
                plus=terms()["harmful_content"].days,
                about=entry["id"],
            )


def _incidents(record: PledgeRecord) -> Iterator[Due]:
    for notice in record.document.get("incidents", {}).get("notices", ()):
        since = moment(notice["occurred_at"])
        for name, field in (
            ("incident_authority", "reported_at"),
            ("incident_provider", "provider_notified_at"),
        ):
            if field not in notice:
                term = terms()[name]
                yield _at(
                    record,
                    name,
                    since + timedelta(hours=term.hours),
                    f"{term.title.zh}（承诺书 八）：{notice['id']}，{term.hours} 小时内",
                    f"{term.title.en} (承诺书 八): {notice['id']}, within {term.hours} hours",
                    about=notice["id"],
                )
