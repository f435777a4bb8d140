"""Two checks and what was done between them → what the report shows of a hardening. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from collector.catalog import clause_number, clauses, words
from collector.model import Lang, Result
from collector.plan import Act, Became, became
from collector.report.model import view
from collector.report.model.view import spoken
from collector.scope import verdicts


@dataclass(frozen=True, slots=True)
class Earlier:
    """The check before hardening: its evidence without the hosts, each host's, what was done."""

    frame: Mapping[str, Any]
    hosts: Iterable[tuple[str, Mapping[str, Any]]]
    hardening: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Row:
    """One control on one host. `done` is a word of the report, `said` what was changed, or why

    it could not be; `alarm`: it was brought about and is not satisfied, or became worse, or could
    be looked at no more.
    """

    number: str
    title: str
    anchor: str
    before: Result
    after: view.Shown
    done: str
    said: str
    person: str
    alarm: bool


@dataclass(frozen=True, slots=True)
class Changed:
    """A host before and after."""

    host: view.Host
    untouched: str
    said: Sequence[str]
    undone: Sequence[str]
    shared: Sequence[tuple[str, Sequence[str]]]
    before: Mapping[Result, int]
    after: Mapping[Result, int]
    rows: Sequence[Row]

    @property
    def alarms(self) -> int:
        return sum(row.alarm for row in self.rows)


@dataclass(frozen=True, slots=True)
class Between:
    """All that the report shows of a hardening, or (`undo`) of putting back."""

    undo: bool
    begun: str
    applied: str
    again: int
    clauses: Sequence[Mapping[str, Any]]
    hosts: Sequence[Changed]


def between(
    earlier: Earlier, evidence: Mapping[str, Any], hosts: Sequence[view.Host], lang: Lang
) -> Between:
    """Host by host, in the order of the report."""
    found = {name: {f["control"]: f for f in entry["findings"]} for name, entry in earlier.hosts}
    done = earlier.hardening
    return Between(
        undo=done.get("undo", False),
        begun=view.when(next(iter(done["begun"]), None)),
        applied=view.when(done["applied"]),
        again=max(0, len(done["begun"]) - 1),
        clauses=[
            {
                "number": clause_number(id, lang),
                "title": entry["title"][lang],
                "before": verdicts(earlier.frame)[id],
                "after": verdicts(evidence)[id],
                "counts": [
                    Counter({Result(k): v for k, v in frame["clauses"][id]["counts"].items()})
                    for frame in (earlier.frame, evidence)
                ],
            }
            for id, entry in clauses().items()
            if sum(evidence["clauses"][id]["counts"].values())
        ],
        hosts=[
            _host(
                host,
                found[host.name],
                {f["control"]: f for f in evidence["hosts"][host.name]["findings"]},
                done["hosts"][host.name],
                lang,
            )
            for host in hosts
        ],
    )


def _host(
    host: view.Host,
    before: Mapping[str, Mapping[str, Any]],
    after: Mapping[str, Mapping[str, Any]],
    entry: Mapping[str, Any],
    lang: Lang,
) -> Changed:
    steps = {step["control"]: step for step in entry["steps"]}
    rows = []
    for control, shown in host.by_control.items():
        step = steps.get(control)
        stands = became(before[control], after[control], step)
        row = _row(shown, Result(before[control]["verdict"]), step, stands, lang)
        done = step and step["act"] not in (Act.LEAVE, Act.UNDO)
        if row.alarm or row.before is not shown.result or done:
            rows.append(row)
    family = words()["family"]
    return Changed(
        host=host,
        untouched=spoken(entry["untouched"], lang),
        said=entry["said"],
        undone=entry.get("undone", ()),
        shared=[
            (family[one["family"]].to(lang) if one["family"] in family else "", one["steps"])
            for one in entry.get("shared", ())
        ],
        before=Counter(Result(f["verdict"]) for f in before.values()),
        after=Counter(shown.result for shown in host.by_control.values()),
        rows=sorted(rows, key=lambda row: (not row.alarm, row.number)),
    )


def _row(
    shown: view.Shown,
    before: Result,
    step: Mapping[str, Any] | None,
    stands: Became,
    lang: Lang,
) -> Row:
    act = step["act"] if step else Act.LEAVE
    change = step["change"] if step else None
    outcome = step["outcome"] if step else None
    return Row(
        number=shown.number,
        title=shown.title,
        anchor=shown.anchor,
        before=before,
        after=shown,
        done=f"outcome_{outcome}" if outcome else f"act_{act}",
        said=(step["said"] if step else "") or (spoken(change["text"], lang) if change else ""),
        person=spoken(step["person"], lang) if step and act in (Act.APPLY, Act.PERSON) else "",
        # what was put back is no alarm: somebody wanted it so
        alarm=act != Act.UNDO and (stands.loud or stands is Became.UNDONE),
    )
