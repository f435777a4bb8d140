"""How one pledge record stands, clause by clause, as people and programs read it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from collector.catalog import words
from collector.cli.ui.columns import labelled, pad, wrap
from collector.cli.ui.language import lang, tr
from collector.cli.ui.scope_line import line, void_line
from collector.cli.workflows import twins
from collector.cli.workflows.desk import past_day
from collector.errors import one_line
from collector.export import envelope
from collector.pledges.database.rows import Evidence, scope_json
from collector.pledges.database.sightings import Another, Twin
from collector.pledges.due import lifecycle
from collector.pledges.due.deadlines import Due
from collector.pledges.record.documents import titles
from collector.pledges.record.form import PledgeRecord
from collector.pledges.record.masking import masked
from collector.pledges.record.placeholders import Filled
from collector.pledges.record.times import CHINA
from collector.pledges.standing.standing import WORDS, Standing
from collector.pledges.standing.status import Status, counted
from collector.pledges.standing.status import status as put_together
from collector.pledges.standing.then import Then
from collector.pledges.status.declared_resources import Shown
from collector.pledges.status.latest_bundle import Newest

# where the three columns begin
_STATE, _WHY = 14, 24


def status(
    record: PledgeRecord,
    evidence: Sequence[Evidence],
    now: datetime,
    *,
    renewed: bool,
    shown: Callable[[Newest], Iterable[Shown]],
    same: Sequence[Twin] = (),
    others: Sequence[Another] = (),
) -> Status:
    """As `standing.status.status`, in the language of this process."""
    found = put_together(
        record, evidence, now, renewed=renewed, shown=shown, twins=same, lang=lang()
    )
    return replace(found, others=tuple(others))


def table(found: Status, then: Then | None = None) -> str:
    """`then`: of the past day that it is of, here and for programs."""
    record = found.record
    kept = tr(f"，保存至 {found.kept_until}", f", kept to {found.kept_until}")
    shown = lifecycle.WORDS[found.state].to(lang()) + (kept if found.kept_until else "")
    lines = [wrap(past_day.rule(then.at))] if then is not None and then.at is not None else []
    lines += [
        labelled(tr("编号", "ID"), record.id),
        labelled(tr("用户名称", "customer"), masked(record.customer)),
        labelled(tr("状态", "state"), shown),
        labelled(tr("核查证据", "evidence"), _evidence(found.evidence)),
    ]
    if found.scope is not None:
        lines.append(labelled(tr("核查范围", "scope"), line(found.scope, lang())))
    if found.handed_in:
        lines.append(
            labelled(
                tr("用户提交", "handed in"), tr("、", ", ").join(map(one_line, found.handed_in))
            )
        )
    if found.past:
        numbers = tr("、", ", ").join(map(str, found.past))
        said = tr(
            f"第 {numbers} 份证据采集更早，不代表现状",
            f"evidence {numbers}: looked earlier, and says nothing of the present",
        )
        lines.append(labelled(tr("较旧", "older"), said))
    lines += [
        labelled(tr("作废", "void"), void_line(entry))
        for entry in (then.void_of_then if then else record.document.get("voided", ()))
    ]
    same = twins.said(found.twins, record.id)
    lines += [labelled(tr("同一机器", "same as"), said) for said in same]
    another = twins.others_said(found.others)
    lines += [labelled(tr("另一机器", "another"), said) for said in another]
    if found.lives:
        lines.append(labelled(tr("问题", "findings"), _findings(found)))
    if found.unread:
        lines.append(labelled(tr("未能读取", "not read"), found.unread))
    lines += ["", _row(tr("条款", "clause"), tr("状态", "state"), tr("依据", "why"))]
    for document in titles():
        blanks = [blank for blank in found.blanks if blank.blank.document == document]
        entries = [entry for entry in found.clauses if entry.clause.document == document]
        lines.append(_blanks(document, blanks))
        lines += [_clause(entry) for entry in entries if not entry.inner]
    if found.overdue:
        lines += ["", tr("逾期：", "overdue:")]
        lines += [wrap(masked(entry.text.to(lang())), indent="  ") for entry in found.overdue]
    if found.untold:
        lines += ["", tr("未能查看：", "could not look:")]
        lines += [wrap(masked(entry.text.to(lang())), indent="  ") for entry in found.untold]
    return "\n".join(lines) + "\n"


def _evidence(evidence: Evidence | None) -> str:
    if evidence is None:
        return tr("尚无", "none yet")
    when = evidence.collected_at.astimezone(CHINA).strftime("%Y-%m-%d %H:%M +08:00")
    return tr(
        f"第 {evidence.sequence} 份，采集于 {when}，摘要 {evidence.digest[:16]}",
        f"number {evidence.sequence}, collected {when}, digest {evidence.digest[:16]}",
    )


def _findings(found: Status) -> str:
    counts = counted(found)
    idle = counts["waiver_without_effect"]
    return tr(
        f"未闭环 {counts['open']}（逾期 {counts['overdue']}，未指定责任人 {counts['unowned']}），"
        f"已豁免 {counts['waived']}",
        f"open {counts['open']} (overdue {counts['overdue']}, nobody's {counts['unowned']}), "
        f"waived {counts['waived']}",
    ) + (tr(f"；豁免无效 {idle}", f"; waived without effect {idle}") if idle else "")


def _clause(entry: Standing) -> str:
    why = tr("；", "; ").join(reason.to(lang()) for reason in entry.reasons)
    return _row(_named(entry.clause.document, entry.clause.number), _word(entry), masked(why))


def _word(entry: Standing) -> str:
    if entry.state != "verdict":
        return WORDS[entry.state].to(lang())
    word = str(entry.verdict)
    if lang() == "zh":
        return words()["verdict"][word].zh
    # the English words for people are too long for a column
    return {"notapplicable": "n/a", "notchecked": "no proof"}.get(word, word)


def _named(document: str, number: str) -> str:
    short = tr("责任书", "RL") if document == "responsibility" else tr("承诺书", "NP")
    return f"{short} {number}"


def _blanks(document: str, blanks: Sequence[Filled]) -> str:
    empty = [blank.blank.text.to(lang()) for blank in blanks if not blank.value]
    all_of = [blank.blank.text.to(lang()) for blank in blanks]
    comma = tr("、", ", ")
    if empty:
        return _row(
            _named(document, tr("填写", "blanks")),
            WORDS["missing"].to(lang()),
            tr("未填写：", "not filled in: ") + comma.join(empty),
        )
    return _row(
        _named(document, tr("填写", "blanks")), WORDS["held"].to(lang()), comma.join(all_of)
    )


def _row(clause: str, state: str, why: str) -> str:
    body = wrap(why, indent=" " * _WHY)
    return (pad(pad(clause, _STATE) + state, _WHY) + body[_WHY:]).rstrip()


def as_json(found: Status, now: datetime, then: Then | None = None) -> str:
    document: dict[str, Any] = {
        "pledge": found.record.id,
        "customer": found.record.customer,
        "state": found.state,
        "kept_until": found.kept_until.isoformat() if found.kept_until else None,
        "at": now.isoformat(),
        "satisfied": found.satisfied,
        "evidence": found.evidence.sequence if found.evidence else None,
        "scope": scope_json(found.scope) if found.scope else None,
        "handed_in": list(found.handed_in),
        "older": list(found.past),
        "void": list(found.record.document.get("voided", ())),
        "same_machine": twins.to_json(found.twins),
        "other_machines": twins.others_json(found.others),
        "unread": found.unread or None,
        "findings": counted(found),
        "clauses": [
            {
                "clause": entry.clause.id,
                "number": entry.clause.number,
                "title": entry.clause.title.to(lang()),
                "state": entry.state,
                "verdict": str(entry.verdict) if entry.verdict else None,
                "satisfied": entry.satisfied,
                "since": entry.since or None,
                "until": entry.until or None,
                "missing": list(entry.missing),
                "reasons": [reason.to(lang()) for reason in entry.reasons],
            }
            for entry in found.clauses
        ],
        "blanks": [
            {
                "document": blank.blank.document,
                "blank": blank.blank.text.to(lang()),
                "field": blank.blank.field,
                "filled": bool(blank.value),
            }
            for blank in found.blanks
        ],
        "undeclared": [
            {"kind": u.kind, "value": u.value, "hosts": list(u.hosts)} for u in found.undeclared
        ],
        "overdue": list(map(_due, found.overdue)),
        "could_not_look": list(map(_due, found.untold)),
        **(past_day.as_document(then) if then else {}),
    }
    about = envelope.Identity(found.record.id, found.evidence.digest if found.evidence else None)
    return envelope.as_json("pledge-status", masked(document), about, indent=2)


def _due(entry: Due) -> dict[str, str]:
    return {"kind": entry.kind, "at": entry.at.isoformat(), "text": entry.text.to(lang())}
