"""`--format oscal`: an OSCAL 1.2.1 assessment-results document (NIST), in JSON.

Each finding of ours becomes one observation and one finding. Identifiers are version 5 UUIDs of
what they name, so that the same findings give the same document.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid5

from collector import __version__
from collector.assess import waived
from collector.attest.bundle.evidence import exact
from collector.catalog import catalog_digest, clause_number, clauses, controls, words
from collector.errors import escaped, one_line
from collector.export import HandedIn, Hosts, Statuses, Times, judged, provenance, stamp
from collector.export.envelope import NOBODY, Identity
from collector.model import Finding, HostStatus, Lang, Method, Result, Severity, Text
from collector.scope import Scope

VERSION = "1.2.1"
_NS = "urn:hostpledge:oscal:1"
_NAMES = UUID("6d0f4e0e-6a1c-5a39-9f0e-1d3a9f3b7c55")
_METHODS = {
    Method.ATTESTED: "INTERVIEW",
    Method.CONFIGURED: "EXAMINE",
    Method.OBSERVED: "EXAMINE",
    Method.TESTED: "TEST",
}
# OSCAL knows two states; its free `reason` says which of our words stands behind them
_SATISFIED = (Result.PASS, Result.NOTAPPLICABLE)
_TITLE = Text("主机安全核查结果", "Results of checking hosts")
_ABOUT = Text(
    "依据《互联网用户入网责任书》二(二)至二(四)，对每台主机采集并判定；结果以采集时刻为准。",
    "What was collected and judged on each host for clauses 2(2) to 2(4) of the pledge; it holds "
    "for the time of collection.",
)
_PLAN = Text(
    "hostpledge 的核查项目录；内容由 SHA-256 标识",
    "the controls of hostpledge, identified by their SHA-256",
)
_WAIVED = Text("已豁免", "waived")


def export(
    hosts: Hosts,
    at: Times,
    lang: Lang,
    status: Statuses,
    scope: Scope | None = None,
    handed_in: HandedIn = (),
    about: Identity = NOBODY,
) -> str:
    moments = sorted(at.values()) or [datetime.fromtimestamp(0, UTC)]
    key = "\n".join(f"{name} {stamp(at[name])}" for name in hosts)
    plan = uuid_of("plan", catalog_digest())
    used = sorted({f.control for findings in hosts.values() for f in findings})
    result: dict[str, Any] = {
        "uuid": uuid_of("result", key),
        "title": _TITLE.to(lang),
        "description": _ABOUT.to(lang),
        "start": stamp(moments[0]),
        "end": stamp(moments[-1]),
        "reviewed-controls": {"control-selections": [_selection(used)]},
        **_scope(scope, lang),
    }
    if hosts:
        result["local-definitions"] = {
            "inventory-items": [
                _item(name, status, at, provenance(name, handed_in)) for name in hosts
            ]
        }
    pairs = [
        (_observation(f, at, lang), _finding(f, at, lang))
        for findings in hosts.values()
        for f in findings
    ]
    if pairs:
        result["observations"] = [observation for observation, _ in pairs]
        result["findings"] = [found for _, found in pairs]
    document = {
        "assessment-results": {
            "uuid": uuid_of("document", f"{key}\n{lang}\n{catalog_digest()}"),
            "metadata": _metadata(moments[-1], lang, about),
            "import-ap": {"href": f"#{plan}"},
            "results": [result],
            "back-matter": {
                "resources": [
                    {
                        "uuid": plan,
                        "title": _PLAN.to(lang),
                        "props": [prop("sha256", catalog_digest())],
                        "remarks": _clauses(hosts, lang),
                    }
                ]
            },
        }
    }
    return escaped(json.dumps(exact(document), ensure_ascii=False, indent=2)) + "\n"


def _metadata(newest: datetime, lang: Lang, about: Identity) -> dict[str, Any]:
    named = (prop(name, value) for name, value in about.named().items())
    return {
        "title": _TITLE.to(lang),
        "last-modified": stamp(newest),
        "version": __version__,
        "oscal-version": VERSION,
        "props": [prop("tool", f"hostpledge {__version__}"), *named],
    }


def _scope(scope: Scope | None, lang: Lang) -> dict[str, Any]:
    said = judged(scope, lang)
    if not said or scope is None:
        return {}
    return {
        "props": [
            prop("controls-judged", str(scope.judged)),
            prop("controls-of-the-grade", str(scope.of)),
        ],
        "remarks": said,
    }


def uuid_of(kind: str, name: str) -> str:
    # a host name may hold bytes that are no text
    return str(uuid5(_NAMES, f"{kind}\n{name}".encode("utf-8", "backslashreplace").decode()))


def prop(name: str, value: str) -> dict[str, str]:
    return {"name": name, "ns": _NS, "value": one_line(value, 2000) or "-"}


def _clauses(hosts: Hosts, lang: Lang) -> str:
    here = {f.clause for findings in hosts.values() for f in findings}
    return (
        "; ".join(
            f"{clause_number(id, lang)} {entry['title'][lang]}"
            for id, entry in clauses().items()
            if id in here
        )
        or "-"
    )


def _selection(used: Sequence[str]) -> dict[str, Any]:
    if not used:
        return {"include-all": {}}
    return {"include-controls": [{"control-id": id} for id in used]}


def _item(name: str, status: Statuses, at: Times, had: str) -> dict[str, Any]:
    return {
        "uuid": uuid_of("host", name),
        "description": one_line(name) or "-",
        "props": [
            prop("status", str(status.get(name, HostStatus.COMPLETE))),
            prop("provenance", had),
            prop("assessed-at", stamp(at[name])),
        ],
    }


def _name(finding: Finding) -> str:
    return f"{finding.host}\n{finding.control}"


def _title(finding: Finding, lang: Lang) -> str:
    known = controls()[finding.control]
    return f"{one_line(finding.host)}: {known.number} {known.title.to(lang)}"


def _observation(finding: Finding, at: Times, lang: Lang) -> dict[str, Any]:
    moment = at[finding.host]
    observation: dict[str, Any] = {
        "uuid": uuid_of("observation", f"{_name(finding)}\n{stamp(moment)}"),
        "title": _title(finding, lang),
        "description": finding.message.to(lang),
        "props": [
            prop("verdict", str(finding.result)),
            prop("known-by", str(finding.method)),
            prop("reason", finding.reason),
        ],
        "methods": [_METHODS[finding.method]],
        "types": ["finding"],
        "subjects": [{"subject-uuid": uuid_of("host", finding.host), "type": "inventory-item"}],
        "collected": stamp(moment),
    }
    if finding.evidence:
        observation["relevant-evidence"] = [
            {
                "description": "\n".join([f"{e['read']} {e.get('path', '')}".strip(), *e["lines"]]),
                "props": [
                    prop("read", str(e["read"])),
                    prop("status", str(e["status"])),
                    prop("sha256", str(e["sha256"] or "-")),
                ],
            }
            for e in finding.evidence
        ]
    if finding.until is not None:
        observation["expires"] = stamp(finding.until)
    return observation


def _finding(finding: Finding, at: Times, lang: Lang) -> dict[str, Any]:
    moment = at[finding.host]
    # a waiver says who bears a failure, not that the objective is satisfied
    done = finding.result in _SATISFIED
    severity: Severity = finding.severity
    word = words()["verdict"][finding.result].to(lang)
    found: dict[str, Any] = {
        "uuid": uuid_of("finding", f"{_name(finding)}\n{stamp(moment)}"),
        "title": _title(finding, lang),
        "description": f"{word}: {finding.message.to(lang)}",
        "props": [
            prop("severity", str(severity)),
            prop("veto", "true" if finding.veto else "false"),
            prop("clause", finding.clause),
        ],
        "target": {
            "type": "objective-id",
            "target-id": finding.control,
            "description": finding.expected.to(lang),
            "status": {
                "state": "satisfied" if done else "not-satisfied",
                "reason": {Result.PASS: "pass", Result.FAIL: "fail"}.get(finding.result, "other"),
                "remarks": word,
            },
        },
        "related-observations": [
            {"observation-uuid": uuid_of("observation", f"{_name(finding)}\n{stamp(moment)}")}
        ],
    }
    if finding.waiver is not None and waived(finding, moment):
        found["remarks"] = one_line(
            f"{_WAIVED.to(lang)}: {finding.waiver.reason} ({finding.waiver.approver}, "
            f"{stamp(finding.waiver.expires)})",
            2000,
        )
    elif not done:
        found["remarks"] = finding.remediation.to(lang)
    return found
