"""`--format ocsf`: a JSON array of OCSF 1.5.0 events of the class Compliance Finding (2003).

`compliance.status_id` has Pass, Fail, and Warning for "no result, for information is missing":
`error` and `notchecked`. `partial` is a Fail, `notapplicable` is Other. `status_code` has our own
word, `finding_info.uid` stays that of a host's control from one look to the next, `metadata.uid` is
that of this one look.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from collector import __version__
from collector.assess import waived
from collector.attest.bundle.evidence import exact
from collector.catalog import clause_number, clauses, controls, words
from collector.errors import escaped, one_line
from collector.export import HandedIn, Hosts, Statuses, Times, judged, provenance, stamp
from collector.export.envelope import NOBODY, Identity
from collector.model import Finding, HostStatus, Lang, Result, Severity, Text
from collector.scope import Scope

VERSION = "1.5.0"
_NAMES = UUID("2b7d1c52-7a0f-5d0e-8d0a-6d7c3a1f9e42")
_CATEGORY, _CLASS, _CREATE = 2, 2003, 1
_STATES = {
    Result.PASS: (1, "Pass"),
    Result.PARTIAL: (3, "Fail"),
    Result.FAIL: (3, "Fail"),
    Result.ERROR: (2, "Warning"),
    Result.NOTCHECKED: (2, "Warning"),
    Result.NOTAPPLICABLE: (99, "Other"),
}
_INFORMATIONAL, _CRITICAL = (1, "Informational"), (5, "Critical")
_SEVERITIES = {
    Severity.HIGH: (4, "High"),
    Severity.MEDIUM: (3, "Medium"),
    Severity.LOW: (2, "Low"),
}
_NEW, _SUPPRESSED = (1, "New"), (3, "Suppressed")
_QUIET = (Result.PASS, Result.NOTAPPLICABLE)
_WAIVED = Text("已豁免至", "waived until")
_EXPIRED = Text("豁免已过期", "waiver expired")
_STANDARD = Text("互联网用户入网责任书", "Network pledge of Internet users")


def export(
    hosts: Hosts,
    at: Times,
    lang: Lang,
    status: Statuses,
    scope: Scope | None = None,
    handed_in: HandedIn = (),
    about: Identity = NOBODY,
) -> str:
    said = judged(scope, lang)
    events = []
    for name, findings in hosts.items():
        beside = {
            "host_status": str(status.get(name, HostStatus.COMPLETE)),
            "provenance": provenance(name, handed_in),
            **({"scope": said} if said else {}),
            **about.named(),
        }
        events += [_event(finding, at[name], lang, beside, about) for finding in findings]
    return escaped(json.dumps(exact(events), ensure_ascii=False, indent=2)) + "\n"


def _event(
    finding: Finding, at: datetime, lang: Lang, beside: dict[str, str], about: Identity
) -> dict[str, Any]:
    known = controls()[finding.control]
    host = one_line(finding.host) or "-"
    message = f"{words()['verdict'][finding.result].to(lang)}: {finding.message.to(lang)}"
    moment = int(at.timestamp()) * 1000
    severity, caption = _severity(finding)
    covered = finding.waiver is not None and waived(finding, at)
    status, status_caption = _SUPPRESSED if covered else _NEW
    return {
        "activity_id": _CREATE,
        "activity_name": "Create",
        "category_uid": _CATEGORY,
        "category_name": "Findings",
        "class_uid": _CLASS,
        "class_name": "Compliance Finding",
        "type_uid": _CLASS * 100 + _CREATE,
        "type_name": "Compliance Finding: Create",
        "time": moment,
        "timezone_offset": 0,
        "severity_id": severity,
        "severity": caption,
        "status_id": status,
        "status": status_caption,
        "status_code": str(finding.result),
        "status_detail": finding.reason,
        "message": f"{host}: {message}",
        "metadata": _metadata(finding, at, lang, about),
        "finding_info": {
            "uid": _uid("finding", finding),
            "title": f"{host}: {known.number} {known.title.to(lang)}",
            "desc": message,
            "types": [known.family],
            "data_sources": sorted({str(e["read"]) for e in finding.evidence}),
            "created_time": moment,
        },
        "compliance": _compliance(finding, lang),
        "remediation": {"desc": finding.remediation.to(lang)},
        "resources": [{"uid": host, "name": host, "type": "Host"}],
        "observables": [
            {"name": "resources[].name", "type": "Hostname", "type_id": 1, "value": host}
        ],
        **({"evidences": _evidences(finding)} if finding.evidence else {}),
        **_commented(finding, at, lang),
        "unmapped": {
            "verdict": str(finding.result),
            "known_by": str(finding.method),
            "reason": finding.reason,
            "veto": finding.veto,
            "mappings": dict(known.mappings),
            **({"holds_until": stamp(finding.until)} if finding.until else {}),
            **beside,
        },
    }


def _metadata(finding: Finding, at: datetime, lang: Lang, about: Identity) -> dict[str, Any]:
    return {
        "version": VERSION,
        "uid": _uid("event", finding, stamp(at)),
        "event_code": finding.control,
        "product": {
            "name": "hostpledge",
            "vendor_name": "hostpledge",
            "version": __version__,
            "lang": lang,
        },
        **({"tenant_uid": one_line(about.pledge)} if about.pledge else {}),
    }


def _severity(finding: Finding) -> tuple[int, str]:
    if finding.result in _QUIET:
        return _INFORMATIONAL
    return _CRITICAL if finding.veto else _SEVERITIES[finding.severity]


def _uid(kind: str, finding: Finding, moment: str = "") -> str:
    name = f"{kind}\n{finding.host}\n{finding.control}\n{moment}"
    return str(uuid5(_NAMES, name.encode("utf-8", "backslashreplace").decode()))


def _compliance(finding: Finding, lang: Lang) -> dict[str, Any]:
    known = controls()[finding.control]
    clause = clauses()[finding.clause]["title"][lang]
    state, caption = _STATES[finding.result]
    expected = finding.expected.to(lang)
    return {
        "control": f"{finding.control} ({known.number} {known.title.to(lang)})",
        "desc": expected,
        "requirements": [f"{clause_number(finding.clause, lang)} {clause}"],
        "standards": [
            _STANDARD.to(lang),
            *(f"{name} {number}" for name, number in known.mappings.items() if number != "-"),
        ],
        "status_id": state,
        "status": caption,
        "status_code": str(finding.result),
        "status_details": [finding.message.to(lang)],
        "assessments": [
            {
                "uid": finding.control,
                "name": known.title.to(lang),
                "category": str(finding.method),
                "desc": expected,
                "meets_criteria": finding.result is Result.PASS,
            }
        ],
    }


def _evidences(finding: Finding) -> list[dict[str, Any]]:
    return [
        {
            "name": str(e["read"]),
            "data": {
                "status": str(e["status"]),
                "sha256": str(e["sha256"] or "-"),
                "lines": list(e["lines"]),
                **({"path": str(e["path"])} if e.get("path") else {}),
            },
        }
        for e in finding.evidence
    ]


def _commented(finding: Finding, at: datetime, lang: Lang) -> dict[str, str]:
    """The waiver: that one which has expired stands there too, and says so."""
    if finding.waiver is None:
        return {}
    waiver = finding.waiver
    word = (_WAIVED if waived(finding, at) else _EXPIRED).to(lang)
    said = f"{word} {stamp(waiver.expires)}: {waiver.reason} ({waiver.approver})"
    return {"comment": one_line(said, 2000)}
