"""`--format json`: the findings as they stand in evidence, with texts in one language."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from collector.assess import clause_result, to_json
from collector.attest.evidence import exact
from collector.catalog import clauses
from collector.export import Hosts, Statuses, Times, stamp
from collector.model import Finding, HostStatus, Lang


def export(hosts: Hosts, at: Times, lang: Lang, status: Statuses) -> str:
    """`{"hosts": {NAME: {"status", "assessed_at", "clauses", "findings"}}, "clauses": {…}}`."""
    everything = [f for findings in hosts.values() for f in findings]
    latest = max(at.values(), default=None)
    document: dict[str, Any] = {
        "hosts": {
            name: {
                "status": str(status.get(name, HostStatus.COMPLETE)),
                "assessed_at": stamp(at[name]),
                "clauses": _clauses(list(findings), at[name]),
                "findings": [_one(finding, at[name], lang) for finding in findings],
            }
            for name, findings in hosts.items()
        },
        "clauses": _clauses(everything, latest) if latest else {},
    }
    return json.dumps(exact(document), ensure_ascii=False, indent=2) + "\n"


def _one(finding: Finding, at: Any, lang: Lang) -> dict[str, Any]:
    document = to_json(finding, at)
    for name in ("message", "expected", "remediation"):
        document[name] = document[name][lang]
    return document


def _clauses(findings: list[Finding], at: Any) -> dict[str, Any]:
    found = {}
    for clause in clauses():
        here = [f for f in findings if f.clause == clause]
        if not here:
            continue
        counts = Counter(str(f.result) for f in here)
        found[clause] = {
            "verdict": str(clause_result(here, at)),
            "counts": dict(sorted(counts.items())),
        }
    return found
