"""`--format csv`: RFC 4180, one line a finding, safe to open in a spreadsheet.

Its headings are words for programs; what stands in the cells is in the language asked for.
"""

from __future__ import annotations

import csv
import io

from collector.assess import waived
from collector.catalog import controls, words
from collector.errors import shown
from collector.export import HandedIn, Hosts, Statuses, Times, judged, provenance, stamp
from collector.export.envelope import NOBODY, Identity
from collector.model import HostStatus, Lang
from collector.scope import Scope

# words for programs: the same in every language. The last four came later, and so stand last
_COLUMNS = {
    "host": "host",
    "status": "status",
    "assessed_at": "assessed_at",
    "clause": "clause",
    "control": "control",
    "verdict": "verdict",
    "word": "verdict in words",
    "method": "method",
    "severity": "severity",
    "veto": "veto",
    "message": "message",
    "expected": "expected",
    "remediation": "remediation",
    "until": "until",
    "waived_until": "waived_until",
    "evidence": "evidence",
    "scope": "scope",
    "provenance": "provenance",
    "number": "number",
    "title": "title",
    "pledge": "pledge",
    "digest": "digest",
}


def export(
    hosts: Hosts,
    at: Times,
    lang: Lang,
    status: Statuses,
    scope: Scope | None = None,
    handed_in: HandedIn = (),
    about: Identity = NOBODY,
) -> str:
    buffer = io.StringIO()
    out = csv.writer(buffer, lineterminator="\r\n")
    out.writerow(_COLUMNS.values())
    for name, findings in hosts.items():
        for f in findings:
            known = controls().get(f.control)
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
                "number": known.number if known else "",
                "title": known.title.to(lang) if known else "",
                "pledge": about.pledge or "",
                "digest": about.digest or "",
            }
            out.writerow([_cell(row[column]) for column in _COLUMNS])
    return buffer.getvalue()


def _cell(text: str) -> str:
    """What a host named, so that no spreadsheet takes it for a formula (CWE-1236)."""
    clean = shown(text, 32_000)
    # full-width forms start a formula in some East Asian editions of spreadsheets
    return f"'{clean}" if clean[:1] in tuple("=+-@\t\r＝＋－＠|%") else clean
