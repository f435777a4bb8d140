"""`--format junit`: one test suite a host, for the readers that CI systems have."""

from __future__ import annotations

import re
from collections.abc import Mapping
from xml.etree import ElementTree as ET

from collector.assess import waived
from collector.catalog import words
from collector.errors import escaped, quoted_lines, shown
from collector.export import HandedIn, Hosts, Statuses, Times, judged, provenance, stamp
from collector.export.envelope import NOBODY, Identity
from collector.model import Finding, HostStatus, Lang, Result, Text
from collector.scope import Scope

_SKIPPED = (Result.NOTAPPLICABLE, Result.NOTCHECKED)
_EXPECTED = Text("判定标准：", "expected: ")
_MEND = Text("整改办法：", "what to do: ")
_SCOPE = {"classname": "hostpledge", "name": "scope", "time": "0"}
_WAIVED = Text("已豁免至", "waived until")
# what XML 1.0 (section 2.2) cannot hold, in any form
_UNSPEAKABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def export(
    hosts: Hosts,
    at: Times,
    lang: Lang,
    status: Statuses,
    scope: Scope | None = None,
    handed_in: HandedIn = (),
    about: Identity = NOBODY,
) -> str:
    """`fail` and `partial` are failures, `error` is an error, the rest that is not pass is skipped.

    A waived failure is skipped, with the waiver as its reason; so is the case `scope`, which stands
    where not all controls of a clause were judged: no reader shows properties.
    """
    root = ET.Element("testsuites", {"name": "hostpledge"})
    totals = dict.fromkeys(("tests", "failures", "errors", "skipped"), 0)
    for name, findings in hosts.items():
        suite = ET.SubElement(
            root,
            "testsuite",
            {
                "name": _clean(name),
                "hostname": _clean(name),
                "timestamp": stamp(at[name]).removesuffix("Z"),
                "time": "0",
            },
        )
        counts = dict.fromkeys(totals, 0)
        said = judged(scope, lang)
        _properties(
            suite,
            {
                "status": str(status.get(name, HostStatus.COMPLETE)),
                "provenance": provenance(name, handed_in),
                **({"scope": said} if said else {}),
                **about.named(),
            },
        )
        if scope is not None and scope.unproven:
            counts["tests"] += 1
            counts["skipped"] += 1
            case = ET.SubElement(suite, "testcase", _SCOPE)
            ET.SubElement(case, "skipped", {"message": _clean(said)})
        for finding in findings:
            counts["tests"] += 1
            outcome = _case(suite, finding, at, lang)
            if outcome:
                counts[outcome] += 1
        for key, number in counts.items():
            suite.set(key, str(number))
            totals[key] += number
    # Jenkins' schema of JUnit has no such count of all suites, and refuses what it does not have
    del totals["skipped"]
    for key, number in totals.items():
        root.set(key, str(number))
    root.set("time", "0")
    ET.indent(root)
    body = ET.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{body}\n'


def _properties(suite: ET.Element, values: Mapping[str, str]) -> None:
    properties = ET.SubElement(suite, "properties")
    for name, value in values.items():
        ET.SubElement(properties, "property", {"name": name, "value": _clean(value)})


def _case(suite: ET.Element, finding: Finding, at: Times, lang: Lang) -> str:
    case = ET.SubElement(
        suite,
        "testcase",
        {
            "classname": f"hostpledge.{finding.control.split('.', 1)[0]}",
            "name": finding.control,
            "time": "0",
        },
    )
    message = _clean(finding.message.to(lang))
    word = words()["verdict"][finding.result].to(lang)
    if finding.result is Result.PASS:
        return ""
    if waived(finding, at[finding.host]) and finding.waiver:
        reason = f"{_WAIVED.to(lang)} {stamp(finding.waiver.expires)}: {finding.waiver.reason}"
        ET.SubElement(case, "skipped", {"message": _clean(f"{word}: {message} ({reason})")})
        return "skipped"
    if finding.result in _SKIPPED:
        ET.SubElement(case, "skipped", {"message": _clean(f"{word}: {message}")})
        return "skipped"
    tag, key = ("error", "errors") if finding.result is Result.ERROR else ("failure", "failures")
    problem = ET.SubElement(
        case, tag, {"message": message, "type": f"{finding.result}.{finding.severity}"}
    )
    problem.text = _clean(_details(finding, lang), lines=True)
    return key


def _details(finding: Finding, lang: Lang) -> str:
    lines = [
        shown(finding.message.to(lang), 4000),
        f"{_EXPECTED.to(lang)}{shown(finding.expected.to(lang), 4000)}",
        f"{_MEND.to(lang)}{shown(finding.remediation.to(lang), 4000)}",
    ]
    for entry in finding.evidence:
        place = f" {shown(entry['path'], 4000)}" if entry.get("path") else ""
        lines.append(f"[{entry['read']}{place}] {entry['status']} sha256:{entry['sha256']}")
        lines += quoted_lines(entry["lines"])
    return "\n".join(lines)


def _clean(text: str, *, lines: bool = False) -> str:
    return _UNSPEAKABLE.sub("\ufffd", escaped(text) if lines else shown(text, 4000))
