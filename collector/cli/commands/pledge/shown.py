"""How one pledge record is shown: what it says, clause by clause, and its evidence."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from collector.catalog import clause_number
from collector.cli.commands.pledge.tables import (
    CHECKED,
    clause_of,
    evidence_json,
    notes,
    older,
    verdict,
)
from collector.cli.ui.columns import labelled, wrap
from collector.cli.ui.grid import Grid, room
from collector.cli.ui.language import lang, tr
from collector.cli.ui.scope_line import taken_back_line, void_line
from collector.cli.workflows import twins
from collector.errors import listed, one_line
from collector.export.envelope import Identity, as_json
from collector.pledges.database.rows import Evidence, Version, current, past_ones
from collector.pledges.database.sightings import Another
from collector.pledges.due import lifecycle
from collector.pledges.record.documents import fields
from collector.pledges.record.form import PledgeRecord
from collector.pledges.record.masking import masked
from collector.pledges.record.times import CHINA
from collector.pledges.standing.standing import Standing


def show_table(
    history: Sequence[Version],
    evidence: Sequence[Evidence],
    clauses: Sequence[Standing],
    never: Sequence[str] = (),
    state: lifecycle.State = "active",
    others: Sequence[Another] = (),
) -> str:
    """`clauses` and `state`: as its status has them; `never`: hosts that it declares and nobody

    looked at; `others`: those that are another machine than they were.
    """
    newest = history[-1]
    record = newest.record
    document: dict[str, Any] = masked(record.document)
    lines = [f"{record.id}  {document.get('title', '')}".rstrip()]
    lines += [_labelled(label, text) for label, text in _head(document, newest, state) if text]
    table = Grid(tr("条款", "clause"), tr("内容", "what"), tr("状态", "state"))
    for entry in clauses:
        if _part(entry):
            continue
        name = (
            tr("责任书", "RL") if entry.clause.document == "responsibility" else tr("承诺书", "NP")
        )
        table.add_row(f"{name} {entry.clause.number}", entry.clause.title.to(lang()), _state(entry))
    said: list[str] = []
    lines += ["", table.drawn(room()).rstrip("\n"), ""]
    if evidence:
        attached = Grid(
            "#",
            tr("采集", "collected"),
            tr("摘要", "digest"),
            *(clause_number(n, lang()) for n in CHECKED),
        )
        for e in evidence:
            verdicts = (clause_of(e, record.grade, n) for n in CHECKED)
            attached.add_row(str(e.sequence), _minute(e.collected_at), e.digest[:16], *verdicts)
        lines.append(attached.drawn(room()).rstrip("\n"))
        said += [f"#{e.sequence}: {why}" for e in evidence if (why := notes(e, record.grade))]
        said += [f"#{number}: {older()}" for number in sorted(past_ones(evidence))]
    else:
        lines.append(tr("尚无核查证据", "no evidence attached yet"))
    said += map(str, masked(list(_unseen(record, evidence, never))))
    said += map(str, masked(twins.others_said(others)))
    said += [void_line(entry) for entry in record.document.get("voided", ())]
    said += [taken_back_line(entry) for entry in record.document.get("taken_back", ())]
    lines += [wrap(one, width=room()) for one in said]
    return "\n".join(lines) + "\n"


def about(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Who it is, at which grade, for how long, and whom to call: label and text of a masked record.

    What the record does not say is an empty text.
    """
    customer = document["customer"]
    kind = tr("单位", "unit") if customer["kind"] == "unit" else tr("个人", "person")
    number = customer.get("credit_code") or customer.get("identity_masked", "")
    yield (
        tr("用户名称", "customer"),
        tr(f"{customer['name']}（{kind}，{number}）", f"{customer['name']} ({kind}, {number})"),
    )
    yield tr("等保级别", "grade"), str(document["grade"])
    period = document.get("period")
    yield tr("有效期", "period"), f"{period['from']} – {period['until']}" if period else ""
    for label, field in (
        (tr("安全联系人", "contact"), "safety_contact"),
        (tr("安全负责人", "officer"), "security_officer"),
    ):
        person = document.get(field, {})
        parts = (person.get(name, "") for name in ("name", "title", "phone", "email"))
        yield label, " ".join(part for part in parts if part)


def _head(
    document: dict[str, Any], version: Version, state: lifecycle.State
) -> Iterable[tuple[str, str]]:
    said = list(about(document))
    yield from said[:2]
    yield tr("状态", "state"), _life(document, state)
    yield (
        tr("版本", "version"),
        tr(
            f"{version.number}，登记于 {_minute(version.added_at)}",
            f"{version.number}, added {_minute(version.added_at)}",
        ),
    )
    yield from said[2:]
    resources = document.get("resources", {})
    for label, field in (
        (tr("地址", "addresses"), "addresses"),
        (tr("域名", "domains"), "domains"),
        (tr("主机", "hosts"), "hosts"),
    ):
        yield label, _some(resources.get(field, []))
    for waiver in document.get("waivers", ()):
        yield (
            tr("豁免", "waiver"),
            (
                f"{waiver['control']} @ {waiver['host']} → {waiver['expires']}: "
                f"{one_line(waiver['reason'])} ({waiver['approver']})"
            ),
        )


def _life(document: Mapping[str, Any], state: lifecycle.State) -> str:
    """Where in its life it is; of one that ended, or is to, when and why."""
    said, end = lifecycle.WORDS[state].to(lang()), document.get("ended")
    if end is None:
        return said
    why = one_line(str(end.get("reason", "")), 200)
    when = tr(f"{end['date']} 终止", f"ends {end['date']}") if state != "ended" else end["date"]
    return f"{said}{tr('，', ', ')}{when}" + (tr(f"（{why}）", f" ({why})") if why else "")


def _unseen(
    record: PledgeRecord, evidence: Sequence[Evidence], never: Sequence[str]
) -> Iterator[str]:
    """Which declared hosts nobody ever looked at, and which others the newest evidence lacks."""
    if never:
        yield tr("从未核查的主机：", "hosts never looked at: ") + _some(never)
    last = current(evidence)
    if last is not None and last.hosts is not None:
        seen = last.hosts | frozenset(never)
        if lacking := [host for host in record.hosts if host not in seen]:
            yield tr(
                f"第 {last.sequence} 份证据中没有的主机：",
                f"hosts that evidence {last.sequence} is silent about: ",
            ) + _some(lacking)


def show_json(
    history: Sequence[Version],
    evidence: Sequence[Evidence],
    clauses: Sequence[Standing],
    never: Sequence[str] = (),
    state: lifecycle.State = "active",
    others: Sequence[Another] = (),
) -> str:
    newest = history[-1]
    return as_json(
        "pledge-show",
        {
            "version": newest.number,
            "added_at": newest.added_at.isoformat(),
            "sha256": newest.record.digest,
            "record": masked(newest.record.document),
            "clauses": [
                {
                    "clause": entry.clause.id,
                    "number": entry.clause.number,
                    "title": entry.clause.title.to(lang()),
                    "places": list(entry.clause.places),
                    "state": entry.state,
                    "verdict": str(entry.verdict) if entry.verdict else None,
                    "since": entry.since or None,
                    "missing": list(entry.missing),
                }
                for entry in clauses
            ],
            "never_looked_at": masked(list(never)),
            "other_machines": masked(twins.others_json(others)),
            "evidence": [evidence_json(e) for e in evidence],
            "state": state,
        },
        Identity(newest.record.id, evidence[-1].digest if evidence else None),
        indent=2,
    )


def _part(entry: Standing) -> bool:
    """A number inside a clause that is acknowledged as a whole: shown with its clause."""
    return "acknowledged" in entry.clause.places and (
        "." in entry.clause.id.split(".", 1)[1] and entry.clause.id != "responsibility.2.9"
    )


def _state(entry: Standing) -> str:
    if entry.state == "verdict":
        word = verdict(str(entry.verdict))
        return f"{word} {entry.since}" if entry.since else tr("尚无证据", "no evidence yet")
    if entry.state == "missing":
        names = [fields()[field].to(lang()) for field in entry.missing]
        return tr("缺：", "missing: ") + tr("、", ", ").join(names)
    if entry.state in ("expired", "open"):
        word = tr("已到期", "expired") if entry.state == "expired" else tr("未了结", "open")
        return f"{word} {entry.until or entry.since}".rstrip()
    return f"{tr('已登记', 'on record')} {entry.since}".rstrip()


def _some(names: Sequence[str], most: int = 8) -> str:
    more = tr(f" 等 {len(names)} 个", f" … {len(names)} in all") if len(names) > most else ""
    return listed(names[:most], most=255) + more


def _minute(moment: datetime) -> str:
    return moment.astimezone(CHINA).strftime("%Y-%m-%d %H:%M +08:00")


def _labelled(label: str, text: str) -> str:
    return labelled(label, text, column=12, width=room())
