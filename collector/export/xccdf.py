"""`--format xccdf`: XCCDF 1.2 (NIST IR 7275r4), a benchmark with one test result a host.

`partial` is no word of XCCDF: it is `fail` there, and a message says so; no reader may take it for
a pass. A waived failure stays `fail`, with the waiver as a message: an override would need the
time at which it was granted. The score is the flat unweighted one of section 7.3.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from xml.etree import ElementTree as ET

from collector import __version__
from collector.assess import waived
from collector.catalog import clause_number, clauses, controls, words
from collector.errors import escaped, quoted_lines, shown
from collector.export import HandedIn, Hosts, Statuses, Times, judged, provenance, stamp
from collector.export.envelope import NOBODY, Identity
from collector.model import Control, Finding, HostStatus, Lang, Result, Text
from collector.scope import Scope

_NAMESPACE = "http://checklists.nist.gov/xccdf/1.2"
_DUBLIN_CORE = "http://purl.org/dc/elements/1.1/"
_XML = "http://www.w3.org/XML/1998/namespace"
_ID = "xccdf_hostpledge"
_RESULTS: Mapping[Result, str] = {Result.PARTIAL: "fail"}
# what a score does not count (section 6.6.4.2, table 26)
_UNCOUNTED = (Result.NOTAPPLICABLE, Result.NOTCHECKED)
_TITLE = Text(
    "入网责任书二(二)至二(四)的核查项", "Controls of the network pledge, clauses 2.2 to 2.4"
)
_DESCRIPTION = Text(
    "反映采集时刻的主机状态，以所附证据为限；不替代网络安全等级保护测评。",
    "It holds for the state of the hosts at the time of collection, and for the evidence given; "
    "it does not replace an MLPS grade assessment.",
)
_EXPECTED = Text("判定标准：", "expected: ")
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
    ET.register_namespace("", _NAMESPACE)
    ET.register_namespace("dc", _DUBLIN_CORE)
    root = ET.Element(
        f"{{{_NAMESPACE}}}Benchmark",
        {"id": f"{_ID}_benchmark_pledge", "resolved": "true", f"{{{_XML}}}lang": _tag(lang)},
    )
    dated = {"date": stamp(max(at.values()))[:10]} if at else {}
    _add(root, "status", "accepted", **dated)
    _add(root, "title", _TITLE.to(lang))
    _add(root, "description", _DESCRIPTION.to(lang))
    said = judged(scope, lang)
    if said:
        _add(root, "notice", said, id=f"{_ID}_notice_scope")
    _add(root, "platform", idref="cpe:/o:linux:linux_kernel")
    _add(root, "version", __version__)
    metadata = _add(root, "metadata")
    ET.SubElement(metadata, f"{{{_DUBLIN_CORE}}}creator").text = "hostpledge"
    for name, value in about.named().items():
        ET.SubElement(metadata, f"{{{_DUBLIN_CORE}}}relation").text = _clean(f"{name}:{value}")
    used = dict.fromkeys(f.control for findings in hosts.values() for f in findings)
    for clause, entry in clauses().items():
        ids = [id for id in used if controls()[id].clause == clause]
        if ids:
            group = _add(root, "Group", id=f"{_ID}_group_{clause}")
            _add(group, "title", f"{clause_number(clause, lang)} {entry['title'][lang]}")
            for id in ids:
                _rule(group, controls()[id], lang)
    for number, (name, findings) in enumerate(hosts.items(), 1):
        reached = status.get(name, HostStatus.COMPLETE)
        had = provenance(name, handed_in)
        _test_result(root, number, name, findings, at=at[name], reached=reached, had=had, lang=lang)
    ET.indent(root)
    body = ET.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{body}\n'


def _rule(group: ET.Element, control: Control, lang: Lang) -> None:
    rule = _add(
        group,
        "Rule",
        id=_rule_id(control.id),
        selected="true",
        severity=str(control.severity),
    )
    _add(rule, "title", f"{control.number} {control.title.to(lang)}")
    _add(rule, "description", control.about.to(lang))
    for standard, number in control.mappings.items():
        _add(rule, "reference", f"{standard} {number}")
    _add(rule, "rationale", control.criterion.to(lang))
    _add(rule, "ident", control.id, system="urn:hostpledge:control")
    _add(rule, "fixtext", control.remediation.to(lang))
    check = _add(rule, "check", system="urn:hostpledge:control")
    _add(check, "check-content", f"{control.id} sha256:{control.digest}")


def _test_result(
    root: ET.Element,
    number: int,
    name: str,
    findings: Sequence[Finding],
    *,
    at: datetime,
    reached: HostStatus,
    had: str,
    lang: Lang,
) -> None:
    held = _add(
        root,
        "TestResult",
        id=f"{_ID}_testresult_{number}",
        **{
            "start-time": stamp(at),
            "end-time": stamp(at),
            "test-system": f"cpe:/a:hostpledge:hostpledge:{__version__}",
        },
    )
    _add(held, "benchmark", href="#", id=f"{_ID}_benchmark_pledge")
    _add(held, "title", name)
    _add(held, "target", name)
    facts = _add(held, "target-facts")
    _add(facts, "fact", name, name="urn:xccdf:fact:asset:identifier:host_name", type="string")
    _add(facts, "fact", str(reached), name="urn:hostpledge:fact:status", type="string")
    _add(facts, "fact", had, name="urn:hostpledge:fact:provenance", type="string")
    for finding in findings:
        _rule_result(held, finding, at, lang)
    counted = [f for f in findings if f.result not in _UNCOUNTED]
    passed = sum(f.result is Result.PASS for f in counted)
    _add(
        held,
        "score",
        str(passed),
        system="urn:xccdf:scoring:flat-unweighted",
        maximum=str(len(counted)),
    )


def _rule_result(held: ET.Element, finding: Finding, at: datetime, lang: Lang) -> None:
    result = _add(
        held,
        "rule-result",
        idref=_rule_id(finding.control),
        time=stamp(at),
        severity=str(finding.severity),
    )
    _add(result, "result", _RESULTS.get(finding.result, str(finding.result)))
    _add(result, "ident", finding.control, system="urn:hostpledge:control")
    good = finding.result in (Result.PASS, Result.NOTAPPLICABLE)
    level = "info" if good else "error" if finding.result is Result.ERROR else "warning"
    word = words()["verdict"][finding.result].to(lang)
    _add(result, "message", f"{word}: {shown(finding.message.to(lang), 4000)}", severity=level)
    if not good:
        expected = f"{_EXPECTED.to(lang)}{shown(finding.expected.to(lang), 4000)}"
        _add(result, "message", expected, severity="info")
    if finding.waiver is not None and waived(finding, at):
        waiver = finding.waiver
        said = f"{_WAIVED.to(lang)} {stamp(waiver.expires)}: {waiver.reason} ({waiver.approver})"
        _add(result, "message", shown(said, 4000), severity="info")
    for entry in finding.evidence:
        place = f" {shown(entry['path'], 4000)}" if entry.get("path") else ""
        said = f"[{entry['read']}{place}] {entry['status']} sha256:{entry['sha256']}"
        lines = "\n".join([said, *quoted_lines(entry["lines"])])
        _add(result, "message", lines, severity="info")
    check = _add(result, "check", system="urn:hostpledge:control")
    _add(check, "check-content", finding.control)


def _rule_id(control: str) -> str:
    return f"{_ID}_rule_{control}"


def _tag(lang: Lang) -> str:
    return "zh-CN" if lang == "zh" else "en"


def _add(parent: ET.Element, tag: str, text: str = "", /, **attributes: str) -> ET.Element:
    child = ET.SubElement(parent, f"{{{_NAMESPACE}}}{tag}", attributes)
    if text:
        # what a host printed keeps its lines; all else is one
        child.text = _clean(text, lines=tag == "message")
    return child


def _clean(text: str, *, lines: bool = False) -> str:
    return _UNSPEAKABLE.sub("\ufffd", escaped(text) if lines else shown(text, 8000))
