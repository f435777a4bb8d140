"""`--format defectdojo`: DefectDojo's Generic Findings Import, in JSON.

It is a list of defects: what is satisfied or does not apply has no place there. `error` stands in
it with the weight of its control, not `verified`; `notchecked` is of severity Info. DefectDojo
knows a finding again by its title and description, so neither says what was found this time: that
is in `steps_to_reproduce`. A waiver is an accepted risk.
"""

from __future__ import annotations

import hashlib
import json
import re
from datetime import datetime
from typing import Any

from collector import __version__
from collector.assess import waived
from collector.attest.bundle.evidence import exact
from collector.catalog import clause_number, clauses, controls, words
from collector.errors import escaped, one_line, quoted_lines, shown
from collector.export import HandedIn, Hosts, Statuses, Times, judged, provenance, stamp
from collector.export.envelope import NOBODY, Identity
from collector.model import Finding, HostStatus, Lang, Result, Severity, Text
from collector.scope import Scope

_SEVERITIES = {Severity.HIGH: "High", Severity.MEDIUM: "Medium", Severity.LOW: "Low"}
_SATISFIED = (Result.PASS, Result.NOTAPPLICABLE)
# a host name as DefectDojo takes it for an endpoint: another one would end the whole import
_LABEL = "[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ENDPOINT = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(\.{_LABEL})*")
# what Markdown acts upon
_MARKS = re.compile(r"([\\`*_{}\[\]()<>#+!|~&])")
_TITLE = 511
_ABOUT = Text("核查项", "control")
_CLAUSE = Text("条款", "clause")
_EXPECTED = Text("判定标准", "expected")
_FOUND = Text("结论", "verdict")
_COLON = Text("：", ": ")
_WAIVED = Text("已豁免至", "waived until")
_EXPIRED = Text("豁免已过期", "waiver expired")


def export(
    hosts: Hosts,
    at: Times,
    lang: Lang,
    status: Statuses,
    scope: Scope | None = None,
    handed_in: HandedIn = (),
    about: Identity = NOBODY,
) -> str:
    said = [
        judged(scope, lang),
        *(f"{name}: {one_line(value)}" for name, value in about.named().items()),
        *(
            f"{one_line(name)}: {status.get(name, HostStatus.COMPLETE)}, "
            f"{provenance(name, handed_in)}, {stamp(at[name])}"
            for name in hosts
        ),
    ]
    document = {
        "name": "hostpledge",
        "type": "hostpledge",
        "version": __version__,
        "static_tool": True,
        "dynamic_tool": False,
        "description": "\n\n".join(_plain(line) for line in said if line),
        "findings": [
            _finding(finding, at[name], lang)
            for name, findings in hosts.items()
            for finding in findings
            if finding.result not in _SATISFIED
        ],
    }
    return escaped(json.dumps(exact(document), ensure_ascii=False, indent=2)) + "\n"


def _finding(finding: Finding, at: datetime, lang: Lang) -> dict[str, Any]:
    known = controls()[finding.control]
    host = one_line(finding.host, 200) or "-"
    covered = finding.waiver is not None and waived(finding, at)
    name = f"{finding.host}\0{finding.control}".encode("utf-8", "surrogateescape")
    found: dict[str, Any] = {
        "title": f"{host}: {known.number} {known.title.to(lang)}"[:_TITLE],
        "severity": _severity(finding),
        "description": _description(finding, lang, host),
        "mitigation": _plain(shown(finding.remediation.to(lang), 8000)),
        "impact": _plain(known.about.to(lang)),
        "severity_justification": _justified(finding, lang, at),
        "steps_to_reproduce": _found(finding, lang),
        "references": "\n".join(
            f"* {standard} {_plain(str(number))}"
            for standard, number in known.mappings.items()
            if number != "-"
        ),
        "date": stamp(at)[:10],
        "active": not covered,
        "verified": finding.result in (Result.FAIL, Result.PARTIAL),
        "risk_accepted": covered,
        "static_finding": True,
        "dynamic_finding": False,
        # the same that SARIF has
        "unique_id_from_tool": hashlib.sha256(name).hexdigest(),
        "vuln_id_from_tool": finding.control,
        # hashed with title and description, where it stands
        "service": host,
        "tags": [
            "hostpledge",
            known.family,
            f"verdict-{finding.result}",
            f"known-by-{finding.method}",
            *(["veto"] if finding.veto else []),
            *(["waived"] if covered else []),
        ],
    }
    if _ENDPOINT.fullmatch(finding.host):
        found["endpoints"] = [{"host": finding.host}]
    if covered and finding.waiver is not None:
        found["planned_remediation_date"] = stamp(finding.waiver.expires)[:10]
    return found


def _severity(finding: Finding) -> str:
    if finding.result is Result.NOTCHECKED:
        return "Info"
    return "Critical" if finding.veto else _SEVERITIES[finding.severity]


def _description(finding: Finding, lang: Lang, host: str) -> str:
    """What is asked of this host, the same at every look."""
    known, colon = controls()[finding.control], _COLON.to(lang)
    clause = clauses()[finding.clause]["title"][lang]
    lines = (
        _plain(host),
        f"{_ABOUT.to(lang)}{colon}{_plain(f'{known.number} {known.id}')}",
        f"{_CLAUSE.to(lang)}{colon}{clause_number(finding.clause, lang)} {clause}",
        f"{_EXPECTED.to(lang)}{colon}{_plain(shown(finding.expected.to(lang), 4000))}",
    )
    return "\n\n".join(lines)


def _justified(finding: Finding, lang: Lang, at: datetime) -> str:
    word = words()["verdict"][finding.result].to(lang)
    lines = [f"{_FOUND.to(lang)}{_COLON.to(lang)}{word}"]
    if finding.waiver is not None:
        waiver = finding.waiver
        said = (_WAIVED if waived(finding, at) else _EXPIRED).to(lang)
        why = one_line(f"{waiver.reason} ({waiver.approver})", 2000)
        lines.append(f"{said} {stamp(waiver.expires)}{_COLON.to(lang)}{_plain(why)}")
    return "\n\n".join(lines)


def _found(finding: Finding, lang: Lang) -> str:
    """The finding and its evidence; what a host printed is code, which no line of it can end."""
    lines = [_plain(shown(finding.message.to(lang), 4000)), ""]
    for entry in finding.evidence:
        place = f" {shown(entry['path'], 4000)}" if entry.get("path") else ""
        lines.append(f"    [{entry['read']}{place}] {entry['status']} sha256:{entry['sha256']}")
        lines += [f"    {line}" for line in quoted_lines(entry["lines"])]
    return "\n".join(lines).rstrip()


def _plain(text: str) -> str:
    return _MARKS.sub(r"\\\1", text)
