"""Do the findings of a host belong to its controls and waivers, and to its capture?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from collector.attest.bundle import evidence
from collector.captures import read_digest
from collector.errors import VerifyFailed
from collector.i18n.message import msg
from collector.model import Capture, HostStatus, ReadStatus, Result
from collector.verify.asked import Asked
from collector.verify.before import Check


def check(bundle: Check, host: str, entry: dict[str, Any], asked: Asked) -> None:
    """Raises VerifyFailed unless a host's findings are one for each control, as it is named there.

    Notes in `asked` whose words they are.
    """
    where = f"{bundle.findings.where} host {host}"
    controls = bundle.frame["controls"]
    named = {finding["control"] for finding in entry["findings"]}
    if len(entry["findings"]) != len(named) or named != controls.keys():
        raise VerifyFailed(msg("not_exactly_one_finding"), where=where)
    for finding in entry["findings"]:
        about = controls[finding["control"]]
        for key in ("clause", "severity", "veto"):
            if finding[key] != about[key]:
                raise VerifyFailed(msg("another", finding=finding["control"], key=key), where=where)
        if not _ends_so(finding["waiver"], entry["assessed_at"]):
            raise VerifyFailed(
                msg("waiver_ends_another_time", finding=finding["control"]),
                where=where,
            )
        if not _is_listed(host, finding, bundle.frame["waivers"]):
            raise VerifyFailed(msg("waiver_not_list", finding=finding["control"]), where=where)
        asked.finding(finding)


def _ends_so(waiver: Mapping[str, Any] | None, at: str) -> bool:
    """Had it ended, when the host was judged, exactly where it says so?"""
    if waiver is None:
        return True
    ended = datetime.fromisoformat(waiver["expires"]) <= datetime.fromisoformat(at)
    return waiver["expired"] is ended


def _is_listed(host: str, finding: Mapping[str, Any], listed: Sequence[Mapping[str, Any]]) -> bool:
    """A waiver softens its clause: it has to be one of those that the evidence names."""
    waiver = finding["waiver"]
    if waiver is None:
        return True
    said = {key: waiver[key] for key in ("reason", "approver", "expires")}
    return any(
        {**said, "control": finding["control"], "host": one} in listed for one in (host, "*")
    )


def check_capture(bundle: Check, host: str, entry: dict[str, Any], capture: Capture) -> None:
    """Raises VerifyFailed unless a host's entry and its findings can be of this capture."""
    where = f"{bundle.findings.where} host {host}"
    seen = {
        "status": str(capture.status),
        "detail": capture.detail,
        "head": dict(capture.head),
        "origin": dict(capture.origin),
    }
    for key, value in seen.items():
        if entry[key] != value and entry[key] != evidence.exact(value):
            raise VerifyFailed(msg("not_capture", key=key), where=where)
    digests: dict[str, str | None] = {}
    blind = capture.status is not HostStatus.COMPLETE and not capture.reads
    for finding in entry["findings"]:
        if blind and finding["verdict"] != Result.ERROR:
            raise VerifyFailed(
                msg("verdict_host_returned_nothing", finding=finding["control"]), where=where
            )
        for quote in finding["evidence"]:
            if quote["read"] not in digests:
                result = capture.read(quote["read"])
                lost = result.status is ReadStatus.LOST
                digests[quote["read"]] = None if lost else read_digest(result)
            if quote["sha256"] != digests[quote["read"]]:
                raise VerifyFailed(
                    msg("quotes_read_otherwise", finding=finding["control"], quote=quote["read"]),
                    where=where,
                )
