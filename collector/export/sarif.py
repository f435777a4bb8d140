"""`--format sarif`: SARIF 2.1.0 (OASIS, 2020), for code-scanning and issue readers.

Only what is not satisfied becomes a result. A finding that could not be looked at is a `warning`
of kind `fail`: SARIF's own kind `open` would force its level to `none`, which viewers hide.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any
from urllib.parse import quote

from collector import __version__
from collector.assess import waived
from collector.attest.bundle.evidence import exact
from collector.catalog import controls, words
from collector.errors import escaped, one_line
from collector.export import HandedIn, Hosts, Statuses, Times, judged, provenance, stamp
from collector.export.envelope import NOBODY, Identity
from collector.model import Control, Finding, Lang, Result
from collector.scope import Scope

_SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
_SCORE = {"high": "8.0", "medium": "5.0", "low": "3.0"}


def export(
    hosts: Hosts,
    at: Times,
    lang: Lang,
    status: Statuses,
    scope: Scope | None = None,
    handed_in: HandedIn = (),
    about: Identity = NOBODY,
) -> str:
    del status  # a host that was not reached shows in its findings
    ids = list(dict.fromkeys(f.control for findings in hosts.values() for f in findings))
    index = {id: number for number, id in enumerate(ids)}
    results = [
        _result(finding, index, at, lang, provenance(finding.host, handed_in))
        for findings in hosts.values()
        for finding in findings
        if finding.result not in (Result.PASS, Result.NOTAPPLICABLE)
    ]
    run: dict[str, Any] = {
        "tool": {
            "driver": {
                "name": "hostpledge",
                "version": __version__,
                "semanticVersion": __version__,
                "language": "zh-CN" if lang == "zh" else "en",
                "rules": [_rule(controls()[id], lang) for id in ids],
            }
        },
        "columnKind": "unicodeCodePoints",
        "results": results,
    }
    if at:
        run["invocations"] = [
            {
                "executionSuccessful": True,
                "startTimeUtc": stamp(min(at.values())),
                "endTimeUtc": stamp(max(at.values())),
            }
        ]
    run["properties"] = about.named()
    said = judged(scope, lang)
    if said and scope is not None:
        run["properties"] |= {"scope": {**scope.to_json(), "whole": scope.whole}}
        if at and (scope.unproven or scope.warnings):
            run["invocations"][0]["toolExecutionNotifications"] = [
                {"level": "warning", "message": {"text": said}}
            ]
    if not run["properties"]:
        del run["properties"]
    document = {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}
    return escaped(json.dumps(exact(document), ensure_ascii=False, indent=2)) + "\n"


def _rule(control: Control, lang: Lang) -> dict[str, Any]:
    return {
        "id": control.id,
        "name": _name(control.id),
        "shortDescription": {"text": control.title.to(lang)},
        "fullDescription": {"text": control.about.to(lang)},
        "help": {"text": control.remediation.to(lang)},
        "defaultConfiguration": {"level": _level(str(control.severity), veto=control.veto)},
        "properties": {
            "number": control.number,
            "clause": control.clause,
            "severity": str(control.severity),
            "veto": control.veto,
            "security-severity": "9.0" if control.veto else _SCORE[control.severity],
            "tags": ["security", control.family],
            "title": {"zh": control.title.zh, "en": control.title.en},
            "about": {"zh": control.about.zh, "en": control.about.en},
            "criterion": {"zh": control.criterion.zh, "en": control.criterion.en},
            "remediation": {"zh": control.remediation.zh, "en": control.remediation.en},
            "mappings": dict(control.mappings),
            "sha256": control.digest,
        },
    }


def _name(id: str) -> str:
    """`backup.restore_test` -> `BackupRestoreTest`: a name as SARIF wants one beside the id."""
    return "".join(word.capitalize() for word in id.replace(".", "_").split("_"))


def _level(severity: str, *, veto: bool) -> str:
    if veto:
        return "error"
    return {"high": "error", "medium": "warning", "low": "note"}[severity]


def _result(
    finding: Finding, index: dict[str, int], at: Times, lang: Lang, had: str
) -> dict[str, Any]:
    levels = {Result.FAIL: _level(finding.severity, veto=finding.veto), Result.NOTCHECKED: "note"}
    host = one_line(finding.host)
    word = words()["verdict"][finding.result].to(lang)
    result: dict[str, Any] = {
        "ruleId": finding.control,
        "ruleIndex": index[finding.control],
        "kind": "fail",
        "level": levels.get(finding.result, "warning"),
        "message": {"text": f"{host}: {word}: {finding.message.to(lang)}"},
        "locations": _locations(finding, host),
        "partialFingerprints": {
            "hostAndControl/v1": hashlib.sha256(
                f"{finding.host}\0{finding.control}".encode("utf-8", "surrogateescape")
            ).hexdigest()
        },
        "properties": {
            "host": host,
            "provenance": had,
            "verdict": str(finding.result),
            "method": str(finding.method),
            "reason": finding.reason,
            "expected": finding.expected.to(lang),
            "remediation": finding.remediation.to(lang),
            "evidence": [dict(entry) for entry in finding.evidence],
        },
    }
    if finding.waiver is not None:
        standing = waived(finding, at[finding.host])
        result["suppressions"] = [
            {
                "kind": "external",
                "status": "accepted" if standing else "rejected",
                "justification": one_line(
                    f"{finding.waiver.reason} ({finding.waiver.approver}, "
                    f"{stamp(finding.waiver.expires)})",
                    2000,
                ),
            }
        ]
    return result


def _locations(finding: Finding, host: str) -> list[dict[str, Any]]:
    """A place for each file quoted; readers want one at least, so the host itself is one."""
    logical = [
        {"name": host, "fullyQualifiedName": f"{host}/{finding.control}", "kind": "resource"}
    ]
    paths = dict.fromkeys(str(e["path"]) for e in finding.evidence if e.get("path"))
    folder = quote(finding.host, safe="", errors="surrogateescape")
    return [
        {
            "physicalLocation": {
                "artifactLocation": {"uri": f"{folder}/{quote(path.lstrip('/'))}".rstrip("/")}
            },
            "logicalLocations": logical,
        }
        for path in paths or [""]
    ]
