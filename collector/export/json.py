"""`--format json`: the findings as they stand in evidence, with texts in one language."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

from collector.assess import clause_result, to_json
from collector.attest.bundle.evidence import exact
from collector.catalog import clauses
from collector.errors import escaped
from collector.export import HandedIn, Hosts, Statuses, Times, provenance, stamp
from collector.export.envelope import NOBODY, Identity, as_json
from collector.model import Finding, HostStatus, Lang
from collector.scope import Scope, not_checked

SCHEMA = "urn:hostpledge:schema:assessment:1"


def export(
    hosts: Hosts,
    at: Times,
    lang: Lang,
    status: Statuses,
    scope: Scope | None = None,
    handed_in: HandedIn = (),
    about: Identity = NOBODY,
) -> str:
    """`{"envelope": {…}, "hosts": {NAME: HOST}, "clauses": {…}}`, all of a host under its name.

    And `scope`, where it is known: a clause that was judged in part is never a pass.
    """
    everything = [f for findings in hosts.values() for f in findings]
    latest = max(at.values(), default=None)
    # that another host is missing says nothing of this one
    here = replace(scope, absent=()) if scope else None
    document: dict[str, Any] = {
        "hosts": {
            name: {
                "status": str(status.get(name, HostStatus.COMPLETE)),
                "provenance": provenance(name, handed_in),
                "assessed_at": stamp(at[name]),
                "clauses": _clauses(list(findings), at[name], here),
                "findings": [_one(finding, at[name], lang) for finding in findings],
            }
            for name, findings in hosts.items()
        },
        "clauses": _clauses(everything, latest, scope) if latest else {},
    }
    if scope is not None:
        document["scope"] = {"grade": scope.grade, **scope.to_json(), "whole": scope.whole}
        if scope.unchecked:
            document["unchecked"] = not_checked().to(lang)
        if scope.outdated is not None:
            document["outdated"] = scope.outdated.to(lang)
    return escaped(as_json(SCHEMA, exact(document), about, indent=2))


def _one(finding: Finding, at: Any, lang: Lang) -> dict[str, Any]:
    document = to_json(finding, at)
    for name in ("message", "expected", "remediation"):
        document[name] = document[name][lang]
    return document


def _clauses(findings: list[Finding], at: Any, scope: Scope | None) -> dict[str, Any]:
    found = {}
    for clause in clauses():
        here = [f for f in findings if f.clause == clause]
        if not here:
            continue
        counts = Counter(str(f.result) for f in here)
        result = clause_result(here, at)
        found[clause] = {
            "verdict": str(scope.narrowed(clause, result) if scope else result),
            "counts": dict(sorted(counts.items())),
        }
    return found
