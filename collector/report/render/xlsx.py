"""The report as a workbook (Office Open XML): findings, retention, exposure, backup, due list.

Each sheet has a frozen header and a filter. What a host, a customer or an approver wrote is text
and stays text: no cell is a formula, and what would hide or act is shown as its number.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from types import MappingProxyType
from typing import Any

from openpyxl import Workbook

from collector.errors import FactError, PastLimit, one_line
from collector.facts.firewall.exposure import Exposure, exposures
from collector.facts.system.package_owners import Program, programs
from collector.i18n.message import in_chinese
from collector.judging.confined import within_limits
from collector.model import Capture, Lang
from collector.pledges.due.deadlines import Due
from collector.pledges.record.masking import masked
from collector.pledges.status.findings import Life
from collector.report.model import view
from collector.report.render.html import words_in
from collector.report.render.workbook import Cell, Sheet, write

_FOUND = (
    "host",
    "clause",
    "number",
    "control",
    "verdict",
    "veto",
    "found",
    "mend",
    "responsible",
    "mend_by",
    "mend_state",
    "severity",
    "expected",
    "known_by",
    "until",
    "waived_until",
    "waiver",
    "evidence",
    "collected",
    "provenance",
    "capture_digest",
)
_STATES = {"open": "mend_open", "waived": "mend_waived", "closed": "mend_closed"}


def to_xlsx(
    given: Mapping[str, Any],
    capture: Callable[[str], Capture],
    due: Iterable[Due],
    now: datetime,
    lives: Mapping[tuple[str, str], Life] = MappingProxyType({}),
) -> bytes:
    """The workbook, from what `contents` gave; `due` is the due list of the pledge at `now`.

    `lives`, by host and control: who sees to a finding, until when, and what became of it.
    """
    lang: Lang = given["lang"]
    words = words_in(lang)
    book = Workbook(write_only=True)
    book.properties.title = words["t"]["title"]
    book.properties.creator = "hostpledge"
    for sheet in (
        _summary(given, words),
        _findings(given, words, lives, now),
        _retention(given, words),
        _exposure(given, capture, words),
        _backup(given, words),
        _due(due, now, words, lang),
    ):
        write(book, sheet, words["t"])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _summary(given: Mapping[str, Any], words: Mapping[str, Any]) -> Sheet:
    t, verdicts = words["t"], words["w"]["verdict"]
    evidence, record = given["evidence"], given["record"]
    pledge = evidence.get("pledge") or {}
    collected = given["collected"] or ("", "")
    warned = [(t["unchecked_title"], t["unchecked_text"])] if given["unchecked"] else []
    if given["outdated"]:
        title = t["void_title"] if given["void"] else t["outdated_title"]
        warned.insert(0, (title, given["outdated"]))
    rows: list[Sequence[Cell]] = [
        *warned,
        (t["customer"], record.get("customer", {}).get("name", "")),
        (t["pledge_id"], pledge.get("id") or t["no_pledge"]),
        (t["sequence"], pledge.get("sequence")),
        (t["grade"], evidence["grade"]),
        (t["collected_between"], t["between"].join(dict.fromkeys(collected))),
        (
            t["scope"],
            t["scope_text"].format(hosts=len(given["hosts"]), controls=given["judged"]["said"]),
        ),
        (t["digest"], given["digest"]),
        (t["keyid"], given["keyid"] or t["unsigned"]),
    ]
    for clause in given["clauses"]:
        result = clause["result"]
        said = f"{view.SIGNS[result]} {verdicts[result]}" if result else t["not_in_scope"]
        if clause["judged"]:
            said += t["part_of_clause"].format(judged=clause["judged"])
        rows.append((f"{clause['number']} {clause['title']}", said))
        rows += [("", line) for line in clause["since"]]
    for reason in given["judged"]["reasons"]:
        rows.append((given["judged"]["none"] or t["scope"], reason))
    for key in ("standing_time", "standing_grade", "standing_error", "standing_root"):
        rows.append((t["standing"], t[key]))
    return Sheet("sheet_summary", ("xlsx_about", "xlsx_value"), rows, ("xlsx_value",))


def _findings(
    given: Mapping[str, Any],
    words: Mapping[str, Any],
    lives: Mapping[tuple[str, str], Life],
    now: datetime,
) -> Sheet:
    w = words["w"]
    rows: list[Sequence[Cell]] = []
    for host in given["hosts"]:
        for f in (*host.open, *host.closed):
            waiver = f.waiver or {}
            rows.append(
                (
                    host.name,
                    given["clause_numbers"][f.clause],
                    f.number,
                    f.title,
                    f"{view.SIGNS[f.result]} {w['verdict'][f.result]}",
                    "√" if f.veto else "",
                    f.message,
                    f.remediation,
                    *_mending(lives.get((host.name, f.control)), words["t"], now),
                    w["severity"][f.severity],
                    f.expected,
                    w["method"][f.method],
                    f.until,
                    waiver.get("expires", ""),
                    waiver.get("reason", ""),
                    " ".join(dict.fromkeys(q.read for q in f.quotes)),
                    host.collected,
                    words["t"]["handed_in" if host.handed_in else "was_collected"],
                    host.capture_sha256,
                )
            )
    return Sheet(
        "sheet_findings",
        _FOUND,
        rows,
        ("host", "found", "expected", "mend", "waiver", "evidence"),
        _FOUND.index("mend_state") + 1,
    )


def _mending(life: Life | None, t: Mapping[str, str], now: datetime) -> tuple[Cell, ...]:
    """Who sees to it, until when, how far it is; empty cells to write in, where nobody said."""
    if life is None:
        return "", "", ""
    state = "mend_late" if life.overdue(now) else _STATES[life.state]
    return str(masked(life.owner)), _china(life.due), t[state]


def _retention(given: Mapping[str, Any], words: Mapping[str, Any]) -> Sheet:
    t, w = words["t"], words["w"]
    rows: list[Sequence[Cell]] = []
    for host in given["hosts"]:
        if host.logs is None:
            continue
        if host.logs.trouble:
            rows.append(
                (host.name, f"? {w['verdict']['error']}", *("",) * 8, host.logs.trouble, "")
            )
        for row in host.logs.rows:
            kept = t["log_forever"] if row.days is None else row.days
            remote = row.remote
            rows.append(
                (
                    host.name,
                    f"{view.SIGNS[row.result]} {w['verdict'][row.result]}",
                    w["log_family"].get(row.family, row.family),
                    row.path,
                    _china(row.oldest),
                    _china(row.newest),
                    row.held,
                    kept if kept != "" else t["log_unknown"],
                    t["log_not_looked"] if row.holes is None else row.holes,
                    t["log_not_looked"] if remote is None else "\n".join(remote) or t["log_no"],
                    row.why,
                    "\n".join(row.samples or ()),
                )
            )
    return Sheet(
        "sheet_retention",
        (
            "host",
            "log_six",
            "log_family",
            "log_path",
            "log_oldest",
            "log_newest",
            "log_held",
            "log_days",
            "log_gaps",
            "log_remote",
            "xlsx_why",
            "log_samples",
        ),
        rows,
        ("xlsx_why", "log_samples", "log_remote"),
    )


def _reach(capture: Capture) -> tuple[tuple[Exposure, ...], Mapping[int, Program]]:
    return exposures(capture), programs(capture)


def _exposure(
    given: Mapping[str, Any], capture: Callable[[str], Capture], words: Mapping[str, Any]
) -> Sheet:
    t, lang = words["t"], given["lang"]
    asked = any(control["family"] == "firewall" for control in given["controls"])
    rows: list[Sequence[Cell]] = []
    for host in given["hosts"] if asked else ():
        taken = capture(host.name)
        if not taken.reads:
            continue
        try:
            found, known = within_limits(partial(_reach, taken))
        except (FactError, PastLimit) as problem:
            why = one_line(problem.said)
            told_why = why if lang == "en" else in_chinese(why)
            rows.append((host.name, *("",) * 4, t["reach_unknown"], "", told_why))
            continue
        for e in found:
            program = known.get(e.listener.pid)
            sources = e.sources if e.yes else e.doubtful
            rows.append(
                (
                    host.name,
                    f"{e.listener.proto}{e.listener.family}",
                    e.listener.shown,
                    e.listener.port,
                    program.path if program else e.listener.process,
                    t[f"reach_{e.reachable}"],
                    "\n".join(sources).replace("anywhere", t["anywhere"]),
                    in_chinese(e.why) if lang == "zh" else e.why,
                )
            )
    columns = ("host", "protocol", "address", "port", "program", "reachable", "sources", "xlsx_why")
    return Sheet("sheet_exposure", columns, rows, ("sources", "xlsx_why"))


def _backup(given: Mapping[str, Any], words: Mapping[str, Any]) -> Sheet:
    t = words["t"]
    rows: list[Sequence[Cell]] = []
    for host in given["hosts"]:
        if host.backups is None:
            continue
        if host.backups.none or host.backups.trouble:
            why = host.backups.trouble or t["stores_no_inventory"]
            rows.append((host.name, *("",) * 8, why))
        for b in host.backups.rows:
            away = None if b.away is None else [*b.away, *(f"? {place}" for place in b.doubtful)]
            rows.append(
                (
                    host.name,
                    b.name,
                    t[f"level_{b.level}"],
                    "" if b.wanted else t["store_unwanted"],
                    "\n".join(b.jobs),
                    _china(b.last),
                    t["log_not_looked"] if b.state is None else t[f"backup_{b.state}"],
                    t["log_not_looked"] if away is None else "\n".join(away) or t["log_no"],
                    _china(b.tested) if b.restored is not False else f"× {view.when(b.tested)}",
                    "\n".join(b.troubles.values()),
                )
            )
    return Sheet(
        "sheet_backup",
        (
            "host",
            "store",
            "store_level",
            "store_wanted",
            "store_jobs",
            "store_last",
            "store_state",
            "store_away",
            "store_restored",
            "xlsx_why",
        ),
        rows,
        ("store_jobs", "store_away", "xlsx_why"),
    )


def _due(due: Iterable[Due], now: datetime, words: Mapping[str, Any], lang: Lang) -> Sheet:
    t = words["t"]
    rows = [
        (
            d.pledge,
            _china(d.at),
            t["due_overdue"] if d.overdue(now) else t["due_coming"],
            masked(d.text.to(lang)),
        )
        for d in due
    ]
    return Sheet("sheet_due", ("pledge_id", "due_at", "due_state", "due_what"), rows, ("due_what",))


def _china(moment: datetime | None) -> datetime | None:
    """A spreadsheet knows no time zones: it gets the time of China, as the rest of the report."""
    return None if moment is None else moment.astimezone(view.ZONE).replace(tzinfo=None)
