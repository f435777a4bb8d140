"""`--format csv`: RFC 4180, one line a finding, safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import io

from collector.assess import waived
from collector.catalog import words
from collector.errors import one_line
from collector.export import HandedIn, Hosts, Statuses, Times, judged, provenance, stamp
from collector.model import HostStatus, Lang, Text
from collector.scope import Scope

_COLUMNS = {
    "host": Text("主机", "host"),
    "status": Text("采集情况", "status"),
    "assessed_at": Text("判定时点", "assessed_at"),
    "clause": Text("条款", "clause"),
    "control": Text("核查项", "control"),
    "verdict": Text("结论", "verdict"),
    "word": Text("结论（文字）", "verdict in words"),
    "method": Text("依据方式", "method"),
    "severity": Text("严重程度", "severity"),
    "veto": Text("一票否决", "veto"),
    "message": Text("说明", "message"),
    "expected": Text("判定标准", "expected"),
    "remediation": Text("整改办法", "remediation"),
    "until": Text("有效至", "until"),
    "waived_until": Text("豁免至", "waived_until"),
    "evidence": Text("证据（读取）", "evidence"),
    "scope": Text("核查范围", "scope"),
    "provenance": Text("来源", "provenance"),
}


def export(
    hosts: Hosts,
    at: Times,
    lang: Lang,
    status: Statuses,
    scope: Scope | None = None,
    handed_in: HandedIn = (),
) -> str:
    buffer = io.StringIO()
    out = csv.writer(buffer, lineterminator="\r\n")
    out.writerow([title.to(lang) for title in _COLUMNS.values()])
    for name, findings in hosts.items():
        for f in findings:
            row = {
                "host": name,
                "status": str(status.get(name, HostStatus.COMPLETE)),
                "assessed_at": stamp(at[name]),
                "clause": f.clause,
                "control": f.control,
                "verdict": str(f.result),
                "word": words()["verdict"][f.result].to(lang),
                "method": str(f.method),
                "severity": str(f.severity),
                "veto": "yes" if f.veto else "no",
                "message": f.message.to(lang),
                "expected": f.expected.to(lang),
                "remediation": f.remediation.to(lang),
                "until": stamp(f.until) if f.until else "",
                "waived_until": stamp(f.waiver.expires) if f.waiver and waived(f, at[name]) else "",
                "evidence": " ".join(str(e["read"]) for e in f.evidence),
                "scope": judged(scope, lang),
                "provenance": provenance(name, handed_in),
            }
            out.writerow([_cell(row[column]) for column in _COLUMNS])
    return buffer.getvalue()


def _cell(text: str) -> str:
    """What a host named, so that no spreadsheet takes it for a formula (CWE-1236)."""
    clean = one_line(text, 32_000)
    # full-width forms start a formula in some East Asian editions of spreadsheets
    return f"'{clean}" if clean[:1] in tuple("=+-@\t\r＝＋－＠|%") else clean
