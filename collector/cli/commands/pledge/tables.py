"""How pledge records are shown: tables for people at 80 columns, JSON for programs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any

from collector import catalog
from collector.cli.ui.columns import wrap
from collector.cli.ui.grid import Grid, room
from collector.cli.ui.language import lang, tr
from collector.cli.ui.scope_line import line
from collector.cli.workflows import twins
from collector.export.envelope import as_json
from collector.pledges.database.rows import Evidence
from collector.pledges.database.sightings import Another
from collector.pledges.due.deadlines import Due
from collector.pledges.due.lifecycle import WORDS
from collector.pledges.record.form import PledgeRecord
from collector.pledges.record.masking import masked
from collector.pledges.record.times import CHINA
from collector.pledges.standing.due import UNSEEN
from collector.pledges.standing.listing import Listed
from collector.pledges.standing.renewals import continued_by, renews
from collector.pledges.standing.standing import refused
from collector.pledges.status.brief import Brief
from collector.scope import lower_grade

CHECKED = ("2.2", "2.3", "2.4")
_MOST_PARTS = 20
SATISFIED = ("pass", "partial", "notapplicable")


def list_table(
    rows: Sequence[Listed], every: Sequence[Listed] = (), *, ending: bool = False
) -> str:
    """`ending`: the last day of the period stands in the place of when it was last collected.

    What is not in force, and what another of `every` continues, is told beside the customer: old
    and new records of one look alike.
    """
    if not rows:
        return tr("登记库中还没有登记\n", "no pledge record in the register\n")
    table = Grid(
        tr("编号", "ID"),
        tr("用户名称", "customer"),
        tr("级", "grade"),
        tr("证据", "bundles"),
        tr("到期", "until") if ending else tr("最近采集", "collected"),
        *(catalog.clause_number(n, lang()) for n in CHECKED),
        fixed={0: _ids(one.record.id for one in rows), 4: 12 if ending else 10},
    )
    newer, drafts = continued_by(every), continued_by(every, draft=True)
    for one in rows:
        record, last = one.record, one.last
        table.add_row(
            record.id,
            f"{record.customer}{_beside(one, newer.get(record.id, ()), drafts.get(record.id, ()))}",
            str(record.grade),
            str(one.evidence[-1].sequence if one.evidence else 0),
            _end(record) if ending else _day(last.collected_at) if last else "-",
            *(proven(one, last, n) if last else "-" for n in CHECKED),
        )
    return table.drawn(room()) + _parts(rows)


def _beside(one: Listed, newer: Sequence[str], drafts: Sequence[str]) -> str:
    """Nobody has to go after one whose continuation is signed; a draft binds nobody."""
    said = []
    if one.state != "active":
        # the first word of it: there is little room
        said.append(WORDS[one.state].to(lang()).partition(tr("，", ","))[0])
    if newer:
        ids = ", ".join(newer)
        said.append(tr(f"已续签：{ids}", f"renewed: {ids}"))
    elif drafts:
        ids = ", ".join(drafts)
        said.append(tr(f"续签草稿：{ids}", f"renewal drafted: {ids}"))
    told = tr("，", "; ").join(said)
    return tr(f"（{told}）", f" ({told})") if told else ""


def _end(record: Brief) -> str:
    """The last day of the period, marked where it is over."""
    end = str(record.document.get("period", {}).get("until", ""))
    over = end and end < datetime.now(CHINA).date().isoformat()
    return f"{end} !" if over else end or "-"


def proven(one: Listed, last: Evidence, number: str) -> str:
    """What it proves of the clause now; and where not all of it was judged, of how much."""
    word = one.verdict(number)
    of = last.scope.clauses[number] if last.scope else None
    said = short(None if word == "none" else word)
    return said if of is None or of.whole else f"{said} {of.judged}/{of.of}"


def clause_of(evidence: Evidence, grade: int, number: str) -> str:
    """The verdict; and where not all of the clause was judged, of how much: `error 7/25`."""
    scope, word = evidence.scope, evidence.word(number)
    if scope is None:
        # the row is of before that was kept: how much was judged is the signer's word alone
        return short("error" if word in SATISFIED else word)
    part = scope.clauses[number]
    if scope.grade < grade and word in SATISFIED:
        word = "error"
    return short(word) if part.whole else f"{short(word)} {part.judged}/{part.of}"


def _parts(rows: Sequence[Listed]) -> str:
    """Under the table: which newest evidence is no proof of all its pledge asks for, and why.

    And which was not collected, but handed in.
    """
    found = []
    for one in rows:
        last = one.last
        why = [lacking(last, one.record.grade), given(one.handed_in), *_since(one)] if last else []
        if any(why):
            found.append(f"{one.record.id}: {tr('；', '; ').join(filter(None, why))}")
    more = len(found) - _MOST_PARTS
    if more > 0:
        rest = tr(f"… 另有 {more} 份，见 --format json", f"… {more} more, see --format json")
        found[_MOST_PARTS:] = [rest]
    return "".join(f"{wrap(one, width=room())}\n" for one in found)


def _since(one: Listed) -> Iterator[str]:
    """What takes away from it since it was attached."""
    if one.stale:
        asked = [
            d.text.to(lang())
            for d in one.dues
            if d.kind == "evidence" and not d.about.startswith(UNSEEN)
        ]
        # of what ended, and of a draft, nobody is asked for any
        yield from asked or [tr("证据已过旧", "the evidence is too old")]
    if count := len(one.unseen):
        yield tr(
            f"最近一份证据中没有登记的 {count} 台主机",
            f"{count} declared host(s) not in the newest evidence",
        )


def lacking(evidence: Evidence, grade: int) -> str:
    """Why this evidence is no proof of a record of that grade; empty where its scope is whole."""
    scope = evidence.scope
    if evidence.doubted:
        return tr(
            "登记库与其日志不符，未经证明",
            "not proven: the register says another thing of it than its log",
        )
    if evidence.refused:
        return refused(evidence).to(lang())
    if scope is None:
        return tr(
            "附上时未记录核查范围，不足以证明（见 pledge status）",
            "its scope was not kept when it was attached: no proof (`pledge status` looks)",
        )
    found = [] if evidence.whole else [line(scope, lang())]
    if evidence.absent:
        count = evidence.absent
        found.append(tr(f"{count} 台登记的主机未核查", f"{count} declared host(s) not looked at"))
    if scope.grade < grade:
        found.append(lower_grade(scope.grade, grade).to(lang()))
    return tr("；", "; ").join(found)


def notes(evidence: Evidence, grade: int) -> str:
    """What is `lacking`, and how many of its captures were handed in; empty for neither."""
    found = (lacking(evidence, grade), given(evidence.handed_in))
    return tr("；", "; ").join(filter(None, found))


def given(count: int | None) -> str:
    return tr(f"{count} 份采集由用户提交", f"{count} capture(s) handed in") if count else ""


def older() -> str:
    """Said of evidence of which every host had been looked at later already."""
    return tr(
        "采集早于此前所附的证据，不代表现状",
        "its looks are older than what was attached before: it says nothing of the present",
    )


def list_json(
    rows: Sequence[Listed],
    every: Sequence[Listed],
    more: Mapping[str, Mapping[str, Any]] = MappingProxyType({}),
    others: Mapping[str, Sequence[Another]] = MappingProxyType({}),
) -> str:
    """`every` is what `continued_by` is looked for in: all of the register.

    `more`: by id what else was asked for of it; `others`: its hosts that are another machine now.
    """
    older = {one.record.id: old for one in every if (old := renews(one))}
    newer, drafts = continued_by(every), continued_by(every, draft=True)
    entries = []
    for one in rows:
        record, last = one.record, one.last
        entry = {
            "id": record.id,
            "customer": masked(record.customer),
            "grade": record.grade,
            "state": one.state,
            "period": record.document.get("period"),
            "renews": older.get(record.id),
            "continued_by": list(newer.get(record.id, ())),
            "continued_by_draft": list(drafts.get(record.id, ())),
            "hosts": masked(record.hosts),
            "evidence": one.evidence[-1].sequence if one.evidence else 0,
            "last": evidence_json(last) if last else None,
            "handed_in": one.handed_in,
            "other_machines": masked(twins.others_json(others.get(record.id, ()))),
            "proof": last is not None and _is_proof(one, last),
            "proven": {n: one.verdict(n) for n in CHECKED},
            "due": masked([[d.kind, d.at.isoformat(), d.text.to(lang())] for d in one.dues]),
        }
        entries.append({**entry, **masked(dict(more.get(record.id, {})))})
    return as_json("pledge-list", {"pledges": entries}, indent=2)


def _is_proof(one: Listed, last: Evidence) -> bool:
    gone = "error" in last.now.values() or not one.record.hosts
    return not (lacking(last, one.record.grade) or one.unseen or one.stale or gone)


def due_table(found: Sequence[tuple[PledgeRecord | Brief, Due]], now: datetime) -> str:
    if not found:
        return tr("没有逾期或即将到期的事项\n", "nothing is overdue or falls due\n")
    table = Grid(
        tr("到期", "due"),
        "",
        tr("编号", "ID"),
        tr("用户名称", "customer"),
        tr("事项", "what"),
        fixed={
            0: 10,
            1: 4 if lang() == "zh" else 7,
            2: _ids(record.id for record, _ in found),
            3: 16,
        },
    )
    for record, entry in found:
        late = tr("逾期", "overdue") if entry.overdue(now) else ""
        table.add_row(
            _day(entry.at),
            late,
            record.id,
            record.customer,
            masked(entry.text.to(lang())),
        )
    return table.drawn(room())


def due_json(found: Sequence[tuple[PledgeRecord | Brief, Due]], now: datetime) -> str:
    entries = [
        {
            "pledge": entry.pledge,
            "customer": record.customer,
            "kind": entry.kind,
            "at": entry.at.isoformat(),
            "overdue": entry.overdue(now),
            **({"could_not_look": True} if entry.unread else {}),
            "text": entry.text.to(lang()),
            "owner": entry.owner or None,
        }
        for record, entry in found
    ]
    return as_json("pledge-due", {"due": masked(entries)}, indent=2)


def evidence_json(evidence: Evidence) -> dict[str, Any]:
    return {
        "sequence": evidence.sequence,
        "digest": evidence.digest,
        "previous": evidence.previous,
        "collected_at": evidence.collected_at.isoformat(),
        "made_at": evidence.made_at.isoformat(),
        "attached_at": evidence.attached_at.isoformat(),
        "verdicts": dict(evidence.verdicts),
        "scope": evidence.scope_json(),
        "path": str(evidence.path),
    }


def verdict(word: str | None) -> str:
    return catalog.words()["verdict"][word].to(lang()) if word else "-"


def short(word: str | None) -> str:
    """A verdict where there is little room: the Chinese words are short, the English are not."""
    if lang() == "zh" or word is None:
        return verdict(word)
    return {"notapplicable": "n/a", "notchecked": "no proof"}.get(word, word)


def _day(moment: datetime) -> str:
    return moment.astimezone(CHINA).date().isoformat()


def _ids(ids: Iterable[str]) -> int:
    return min(max(map(len, ids), default=2), 22)
