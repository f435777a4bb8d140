"""`--format hdf`: Heimdall Data Format (MITRE SAF), the exec JSON of InSpec that Heimdall reads.

One profile a host, for a control has one state in a profile. `partial` is `failed`; `error` and
`notchecked` are an `error` and a `skipped` result, which Heimdall shows as "Profile Error" and
"Not Reviewed"; its "Not Applicable" is an impact of 0. A waived failure stays failed: a result that
is skipped for a waiver would be shown as not applicable.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from collector import __version__
from collector.assess import waived
from collector.attest.bundle.evidence import exact
from collector.catalog import catalog_digest, clause_number, clauses, controls, words
from collector.errors import escaped, one_line, quoted_lines, shown
from collector.export import HandedIn, Hosts, Statuses, Times, judged, provenance, stamp
from collector.export.envelope import NOBODY, Identity
from collector.model import Finding, HostStatus, Lang, Result, Severity, Text
from collector.scope import Scope

_STATES = {
    Result.PASS: "passed",
    Result.PARTIAL: "failed",
    Result.FAIL: "failed",
    Result.ERROR: "error",
    Result.NOTCHECKED: "skipped",
    Result.NOTAPPLICABLE: "skipped",
}
# bounds of Heimdall's words: critical from 0.9, high from 0.7, medium from 0.4, low from 0.1
_IMPACT = {Severity.HIGH: 0.7, Severity.MEDIUM: 0.5, Severity.LOW: 0.3}
_TITLE = Text("主机安全核查结果", "Results of checking hosts")
_EXPECTED = Text("判定标准：", "expected: ")
_STANDS = Text("豁免有效，结论不变", "the waiver stands; what was found stands too")
_EXPIRED = Text("豁免已过期", "the waiver has expired")


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
    document = {
        "platform": {"name": "hostpledge", "release": __version__},
        "version": __version__,
        "statistics": {"duration": None},
        "profiles": [
            {
                "name": one_line(name) or "-",
                "title": f"{_TITLE.to(lang)}: {one_line(name)}",
                "version": __version__,
                "sha256": catalog_digest(),
                "summary": said or None,
                "status": "loaded",
                "supports": [{"platform-name": "linux"}],
                "attributes": [
                    {"name": key, "options": {"value": value}}
                    for key, value in {
                        "status": str(status.get(name, HostStatus.COMPLETE)),
                        "provenance": provenance(name, handed_in),
                        "assessed_at": stamp(at[name]),
                        **about.named(),
                    }.items()
                ],
                "groups": _groups(findings, lang),
                "controls": [_control(finding, at[name], lang) for finding in findings],
            }
            for name, findings in hosts.items()
        ],
    }
    return escaped(json.dumps(exact(document), ensure_ascii=False, indent=2)) + "\n"


def _groups(findings: Sequence[Finding], lang: Lang) -> list[dict[str, Any]]:
    found = []
    for clause, entry in clauses().items():
        ids = list(dict.fromkeys(f.control for f in findings if f.clause == clause))
        if ids:
            title = f"{clause_number(clause, lang)} {entry['title'][lang]}"
            found.append({"id": clause, "title": title, "controls": ids})
    return found


def _control(finding: Finding, at: datetime, lang: Lang) -> dict[str, Any]:
    known = controls()[finding.control]
    nothing = finding.result is Result.NOTAPPLICABLE
    about, mend = known.about.to(lang), shown(finding.remediation.to(lang), 8000)
    control: dict[str, Any] = {
        "id": finding.control,
        "title": f"{known.number} {known.title.to(lang)}",
        "desc": about,
        "descriptions": [
            {"label": "default", "data": about},
            {"label": "check", "data": shown(finding.expected.to(lang), 8000)},
            {"label": "fix", "data": mend},
        ],
        "impact": 0.0 if nothing else 0.9 if finding.veto else _IMPACT[finding.severity],
        "refs": [
            {"ref": f"{standard} {number}"}
            for standard, number in known.mappings.items()
            if number != "-"
        ],
        "tags": _tags(finding, at, lang),
        "code": f"hostpledge explain {finding.control}  # sha256:{known.digest}",
        "source_location": {"ref": f"hostpledge/{finding.control}", "line": 1},
        "results": [_result(finding, at, lang)],
    }
    if finding.waiver is not None:
        # nothing is skipped for it: it was looked at, and what was found stands
        control["waiver_data"] = {
            "expiration_date": stamp(finding.waiver.expires),
            "justification": one_line(f"{finding.waiver.reason} ({finding.waiver.approver})", 2000),
            "message": (_STANDS if waived(finding, at) else _EXPIRED).to(lang),
            "run": True,
            "skipped_due_to_waiver": False,
        }
    return control


def _tags(finding: Finding, at: datetime, lang: Lang) -> dict[str, Any]:
    known = controls()[finding.control]
    return {
        "nist": [*str(known.mappings["nist_800_53r5"]).split(", "), "Rev_5"],
        "severity": "critical" if finding.veto else str(finding.severity),
        "number": known.number,
        "clause": clause_number(finding.clause, lang),
        "verdict": str(finding.result),
        "verdict_in_words": words()["verdict"][finding.result].to(lang),
        "known_by": str(finding.method),
        "reason": finding.reason,
        "waived": waived(finding, at),
        **({"holds_until": stamp(finding.until)} if finding.until else {}),
        "mappings": dict(known.mappings),
    }


def _result(finding: Finding, at: datetime, lang: Lang) -> dict[str, Any]:
    state = _STATES[finding.result]
    word = words()["verdict"][finding.result].to(lang)
    message = f"{word}: {shown(finding.message.to(lang), 4000)}"
    result: dict[str, Any] = {
        "status": state,
        "code_desc": f"{one_line(finding.host)}: {word}",
        "message": "\n".join([message, *_evidence(finding, lang)]),
        "resource": one_line(finding.host),
        "run_time": 0.0,
        "start_time": stamp(at),
    }
    if state == "skipped":
        result["skip_message"] = message
    if state == "error":
        result["exception"] = finding.reason
    return result


def _evidence(finding: Finding, lang: Lang) -> list[str]:
    lines = [f"{_EXPECTED.to(lang)}{shown(finding.expected.to(lang), 4000)}"]
    for entry in finding.evidence:
        place = f" {shown(entry['path'], 4000)}" if entry.get("path") else ""
        lines.append(f"[{entry['read']}{place}] {entry['status']} sha256:{entry['sha256']}")
        lines += quoted_lines(entry["lines"])
    return lines
