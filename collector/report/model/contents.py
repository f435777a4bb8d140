"""evidence.json and captures → what a report says, whatever form it takes. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from collector.catalog import clause_number, clauses
from collector.model import Capture, Lang, Result, Text
from collector.pledges.record.form import PledgeRecord
from collector.pledges.record.masking import masked
from collector.pledges.status.declared_resources import undeclared
from collector.pledges.status.observed_resources import shown
from collector.remedies.work import hardened, in_turn
from collector.report.model import criteria, view
from collector.report.model.answers import answers, whole
from collector.report.model.between import Earlier, between
from collector.report.model.compared import Compared
from collector.report.model.remedies import labels, remedies
from collector.report.model.standings import Outdated, Since, Standings
from collector.report.model.trend import Trend
from collector.scope import Scope, lower_grade, no_proof, numbered, of_evidence, verdicts

# what an inspector asks for first, each as a table of hosts × these controls
TOPICS = MappingProxyType(
    {
        "topic_malware": (
            "antivirus.running",
            "antivirus.signatures",
            "antivirus.realtime",
            "antivirus.full_scan",
        ),
        "topic_retention": (
            "logging.retention_configured",
            "logging.retention_observed",
            "logging.no_gaps",
            "logging.remote_copy",
        ),
        "topic_backup": (
            "backup.jobs",
            "backup.fresh",
            "backup.offsite",
            "backup.restore_test",
        ),
    }
)
_HOSTS_NAMED = 6


@dataclass(frozen=True, slots=True)
class Source:
    """What a report is made of.

    `capture` gives a host's capture by its name, `record` is its pledge record, `attached` its
    documents that judges used, `digest` the digest of the bundle (SHA-256 of its signed statement),
    `keyid` the fingerprint of the key that signed it; both may be empty: the report then says that
    it is not signed. `checkpoint` is a signed one of the register's log, from after the bundle was
    attached; `earlier` the check before hardening, of hosts that were hardened; `compared` what
    became of the findings of an earlier bundle; `standings` how all clauses stand now that this
    is the newest evidence, and `since` what those of the controls come to. `unchecked`: nobody
    looked whether its signature holds; `outdated`: why it does not say how things are now.
    """

    evidence: Mapping[str, Any]
    capture: Callable[[str], Capture]
    record: Mapping[str, Any] | None
    digest: str
    keyid: str
    attached: Mapping[str, bytes] = field(default_factory=dict)
    checkpoint: str = ""
    earlier: Earlier | None = None
    trend: Trend | None = None
    compared: Compared | None = None
    standings: Standings | None = None
    since: Mapping[str, Since] = field(default_factory=dict)
    unchecked: bool = False
    outdated: Outdated | None = None


def contents(source: Source, lang: Lang) -> dict[str, Any]:
    """The values that the templates are given."""
    evidence, record = source.evidence, source.record or {}
    controls = criteria.controls(evidence, lang)
    scope = _scope(evidence, record)
    wanted = record.get("grade", scope.grade)
    lower = lower_grade(scope.grade, wanted) if scope.grade < wanted else None
    hosts = view.hosts(evidence, source.capture, lang, source.attached, replace(scope, absent=()))
    collected = sorted(host.collected for host in hosts if host.collected)
    listed = _clauses(evidence, scope, lower, source.since, lang)
    steps = _first_steps(controls, hosts)
    answered = answers(listed, controls, hosts, steps)
    return {
        "lang": lang,
        "evidence": evidence,
        "record": masked(record),
        "missing": _missing(record, hosts),
        "undeclared": _undeclared(record, evidence, source.capture, lang),
        "digest": source.digest,
        "keyid": source.keyid,
        "unchecked": source.unchecked,
        "outdated": source.outdated.text.to(lang) if source.outdated else "",
        "void": bool(source.outdated and source.outdated.void),
        "checkpoint": source.checkpoint,
        "collected": (collected[0], collected[-1]) if collected else None,
        "controls": controls,
        "columns": _columns(controls, lang),
        "hosts": hosts,
        "groups": _groups(hosts),
        "totals": _totals(controls, hosts),
        "clauses": listed,
        "answers": answered,
        "whole": whole(answered),
        "judged": _judged(scope, lower, lang),
        "clause_numbers": {id: clause_number(id, lang) for id in clauses()},
        "attached": _attached(evidence.get("attached")),
        "first_steps": steps,
        "remedies": remedies(
            ((f.control, host.platform) for host in hosts for f in host.open),
            evidence["grade"],
            lang,
        ),
        "remedy_labels": labels(lang),
        "hardened": hardened,
        "topics": _topics(controls, hosts),
        "between": between(source.earlier, evidence, hosts, lang) if source.earlier else None,
        "trend": source.trend,
        "compared": source.compared,
        "standings": source.standings,
    }


def _columns(controls: Sequence[Mapping[str, Any]], lang: Lang) -> list[dict[str, Any]]:
    """The clauses above the controls of the overview, with how many columns each spans."""
    spans = Counter(control["clause"] for control in controls)
    return [
        {"number": clause_number(id, lang), "title": entry["title"][lang], "span": spans[id]}
        for id, entry in clauses().items()
        if spans[id]
    ]


def _missing(record: Mapping[str, Any], hosts: Sequence[view.Host]) -> list[str]:
    """Hosts that the record declares (clause 五) and that this evidence does not hold."""
    seen = {host.name for host in hosts}
    return [name for name in record.get("resources", {}).get("hosts", ()) if name not in seen]


def _undeclared(
    record: Mapping[str, Any],
    evidence: Mapping[str, Any],
    capture: Callable[[str], Capture],
    lang: Lang,
) -> list[str]:
    """What the hosts show and the record does not declare (clause 五), where it declares any."""
    if not record.get("resources"):
        return []
    found = undeclared(PledgeRecord(record), (shown(capture(name)) for name in evidence["hosts"]))
    return [entry.text.to(lang) for entry in found]


def _groups(hosts: Sequence[view.Host]) -> list[tuple[Result, list[view.Host]]]:
    grouped = [(r, [host for host in hosts if host.result is r]) for r in view.ORDER]
    return [(result, members) for result, members in grouped if members]


def _totals(
    controls: Sequence[Mapping[str, Any]], hosts: Sequence[view.Host]
) -> dict[Result, list[int]]:
    """For each verdict, how many hosts have it, control by control."""
    counts = Counter(
        (shown.control, shown.result) for host in hosts for shown in host.by_control.values()
    )
    rows = {r: [counts[(control["id"], r)] for control in controls] for r in view.ORDER}
    return {result: row for result, row in rows.items() if any(row)}


def _scope(evidence: Mapping[str, Any], record: Mapping[str, Any]) -> Scope:
    """How much was judged; a host that the record declares now counts as well."""
    found = of_evidence(evidence)
    declared = record.get("resources", {}).get("hosts", ())
    absent = {*found.absent, *(name for name in declared if name not in evidence["hosts"])}
    return replace(found, absent=tuple(sorted(absent)))


def _judged(scope: Scope, lower: Text | None, lang: Lang) -> dict[str, Any]:
    """`7 of 57 controls`; the clauses it is no proof of, and why, where it is none."""
    reasons = [reason.to(lang) for reason in (*scope.reasons(), *([lower] if lower else []))]
    unproven = tuple(scope.clauses) if lower else scope.unproven
    return {
        "said": scope.said().to(lang),
        "whole": scope.whole and not lower,
        "none": numbered(no_proof(unproven).to(lang), lang) if unproven else "",
        "reasons": [numbered(reason, lang) for reason in reasons],
    }


def _clauses(
    evidence: Mapping[str, Any],
    scope: Scope,
    lower: Text | None,
    since: Mapping[str, Since],
    lang: Lang,
) -> list[dict[str, Any]]:
    listed = []
    found = verdicts(evidence, scope)
    if lower:
        found = {id: r if r is Result.FAIL else Result.ERROR for id, r in found.items()}
    for id, entry in clauses().items():
        given = evidence["clauses"].get(id) or {}
        counts = {Result(k): v for k, v in (given.get("counts") or {}).items()}
        now = since.get(id)
        if now is not None and not now.outweighs(found[id]):
            now = None
        listed.append(
            {
                "id": id,
                "number": clause_number(id, lang),
                "title": entry["title"][lang],
                "result": (now.result if now else found[id]) if sum(counts.values()) else None,
                "since": now.why(lang) if now else (),
                "judged": "" if scope.clauses[id].whole else scope.short(id).to(lang),
                "counts": counts,
                "total": sum(counts.values()),
            }
        )
    return listed


def _first_steps(
    controls: Sequence[Mapping[str, Any]], hosts: Sequence[view.Host]
) -> list[dict[str, Any]]:
    """Controls that failed or fell short somewhere: veto first, then severe and frequent ones,

    each behind what is to be done before it.
    """
    weight = {"high": 0, "medium": 1, "low": 2}
    steps: list[dict[str, Any]] = []
    for control in controls:
        found = [(h, h.by_control[control["id"]]) for h in hosts if control["id"] in h.by_control]
        counts = Counter(shown.result for _, shown in found if not shown.waived)
        behind, unseen = (
            [(h, shown) for h, shown in found if shown.result in those and not shown.waived]
            for those in ((Result.FAIL, Result.PARTIAL), (Result.ERROR,))
        )
        if behind:
            # all that the row counts; what is to be mended comes first
            concerned = [*behind, *unseen]
            fails = counts[Result.FAIL]
            steps.append(
                {
                    "control": control,
                    "counts": counts,
                    "named": concerned[:_HOSTS_NAMED],
                    "more": max(len(concerned) - _HOSTS_NAMED, 0),
                    "rank": (
                        not (fails and control["veto"]),
                        not fails,
                        weight[control["severity"]],
                        -fails,
                        -len(behind),
                        control["number"],
                    ),
                }
            )
    ranked = sorted(steps, key=lambda step: step["rank"])
    return in_turn(ranked, lambda step: str(step["control"]["id"]))


def _attached(attached: Sequence[Mapping[str, str]] | None) -> list[tuple[str, str]]:
    """Documents of the pledge record that judges used: name and SHA-256."""
    return [(entry["name"], entry["sha256"]) for entry in attached or ()]


def _topics(
    controls: Sequence[Mapping[str, Any]], hosts: Sequence[view.Host]
) -> list[dict[str, Any]]:
    known = {control["id"]: control for control in controls}
    topics = []
    for name, wanted in TOPICS.items():
        here = [known[id] for id in wanted if id in known]
        if here and hosts:
            topics.append({"name": name, "controls": here})
    return topics
