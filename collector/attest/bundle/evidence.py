"""evidence.json: every host's findings, what was asked, and what it amounts to.

It is written one host at a time: memory does not grow with the fleet.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

import rfc8785

from collector import assess, catalog
from collector.alike_names import fold
from collector.assess import Weighed
from collector.attest.bundle.entry_size import bounded
from collector.errors import BadInput
from collector.i18n.message import msg
from collector.judging_code import tool
from collector.model import Capture, Control, Finding, Method, Result, Severity, Text, Waiver
from collector.schema import check
from collector.scope import Scope, scope_of

SCHEMA = "urn:hostpledge:schema:evidence:1"
FILE = "evidence.json"
_SAFEST = 2**53 - 1
_RESULTS = {str(result): result for result in Result}
# worst first; a clause over many hosts is what it is on the worst of them
_WORST = (
    Result.FAIL,
    Result.ERROR,
    Result.PARTIAL,
    Result.PASS,
    Result.NOTAPPLICABLE,
    Result.NOTCHECKED,
)


@dataclass(frozen=True, slots=True)
class PledgeReference:
    """To which pledge record the evidence belongs, and after which bundle.

    `sequence` counts from 1; `previous` is the digest (SHA-256, hex) of the bundle before.
    """

    id: str
    sequence: int
    previous: str | None


class Clauses:
    """Counts verdicts per clause while hosts come in."""

    def __init__(self) -> None:
        self.counts = {n: dict.fromkeys(map(str, Result), 0) for n in catalog.clauses()}
        self.verdicts: dict[str, Result] = dict.fromkeys(self.counts, Result.NOTCHECKED)

    def add(self, findings: Sequence[Finding | Weighed], at: datetime) -> None:
        """The findings of one host, made for the time `at`."""
        for number, counts in self.counts.items():
            mine = [finding for finding in findings if finding.clause == number]
            for finding in mine:
                counts[str(finding.result)] += 1
            here = assess.clause_result(mine, at)
            self.verdicts[number] = min(self.verdicts[number], here, key=_WORST.index)

    def to_json(self, scope: Scope | None = None) -> dict[str, Any]:
        """Without a `scope` as evidence had it that says nothing of its own."""
        return {
            number: {
                "verdict": str(scope.narrowed(number, verdict) if scope else verdict),
                "counts": self.counts[number],
            }
            for number, verdict in self.verdicts.items()
        }


class Draft:
    """evidence.json while it grows. The hosts wait in an unnamed file until all are there."""

    def __init__(self, controls: Sequence[Control], folder: Path) -> None:
        self._controls = controls
        self._spool: IO[bytes] = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - see close()
        self._places: dict[str, tuple[int, int]] = {}
        self._folded: dict[str, str] = {}
        self._clauses = Clauses()
        self._criteria: dict[str, Text] = {}
        self._times: list[datetime] = []
        self._machines: dict[str, str] = {}
        self._origins: list[Mapping[str, Any]] = []

    def close(self) -> None:
        self._spool.close()

    @property
    def hosts(self) -> tuple[str, ...]:
        return tuple(self._places)

    def expect(self, host: str, where: str) -> None:
        """Raises BadInput when a capture of this host cannot be taken in (any more)."""
        known = self._folded.get(fold(host))
        if known == host:
            raise BadInput(
                msg("second_capture_host", host=host), where=where, mend=msg("keep_one_them")
            )
        if known is not None:
            raise BadInput(
                msg("hosts_differ_upper_lower", known=known, host=host),
                where=where,
                mend=msg("rename_one_them_inventory"),
            )
        try:
            host.encode()
        except UnicodeEncodeError:
            raise BadInput(msg("host_s_name_no"), where=where) from None
        self._folded[fold(host)] = host

    def add(
        self, capture: Capture, file: str, sha256: str, findings: list[Finding], at: datetime
    ) -> None:
        """One host: its capture (`file` under the bundle's data/) and what was found for `at`."""
        entry = host_entry(capture, file, sha256, findings, at)
        self._clauses.add(findings, at)
        for finding in findings:
            self._criteria.setdefault(finding.control, finding.expected)
        self._times.append(at)
        self._machines[capture.host] = entry["head"].get("machine", "")
        self._origins.append({k: v for k, v in entry["origin"].items() if k in ("run", "worker")})
        data = bounded(rfc8785.dumps(entry), capture.host, file)
        self._places[capture.host] = (self._spool.seek(0, 2), len(data))
        self._spool.write(data)

    @property
    def origins(self) -> Sequence[Mapping[str, Any]]:
        """Of each host, which run and which mesh node its capture names."""
        return self._origins

    @property
    def targets(self) -> list[dict[str, Any]]:
        return [target(h, self._machines[h]) for h in sorted(self._places, key=in_order)]

    @property
    def period(self) -> tuple[str, str]:
        return time(min(self._times)), time(max(self._times))

    def frame(
        self,
        *,
        grade: int,
        run: Mapping[str, Any] | None,
        pledge: PledgeReference | None,
        waivers: Iterable[Waiver],
        attached: Mapping[str, str],
        declared: Iterable[str] = (),
    ) -> dict[str, Any]:
        """The document with no host in it yet; `attached` are names → SHA-256.

        `declared` are the hosts that the pledge record names.
        """
        absent = [host for host in dict.fromkeys(declared) if host not in self._places]
        scope = scope_of([c.id for c in self._controls], grade, absent)
        document = {
            "schema": SCHEMA,
            "tool": tool(),
            "catalog_sha256": catalog.catalog_digest(),
            "grade": grade,
            "run": exact(dict(run)) if run is not None else None,
            "pledge": None
            if pledge is None
            else {"id": pledge.id, "sequence": pledge.sequence, "previous": pledge.previous},
            "hosts": {},
            "scope": scope.to_json(),
            "clauses": self._clauses.to_json(scope),
            "controls": {
                c.id: control_entry(c, self._criteria.get(c.id, c.criterion), grade)
                for c in self._controls
            },
            "waivers": [waiver_entry(waiver) for waiver in waivers],
            "attached": [{"name": n, "sha256": attached[n]} for n in sorted(attached)],
        }
        check(document, "evidence", where=FILE)
        return document

    def write(self, out: IO[bytes], frame: Mapping[str, Any]) -> None:
        """The RFC 8785 bytes of the whole document, without ever holding it."""
        begin = b"{"
        for name in sorted(frame, key=in_order):
            out.write(begin + rfc8785.dumps(name) + b":")
            begin = b","
            if name == "hosts":
                self._write_hosts(out)
            else:
                out.write(rfc8785.dumps(frame[name]))
        out.write(b"}")

    def _write_hosts(self, out: IO[bytes]) -> None:
        begin = b"{"
        for host in sorted(self._places, key=in_order):
            out.write(begin + rfc8785.dumps(host) + b":")
            begin = b","
            start, length = self._places[host]
            self._spool.seek(start)
            out.write(self._spool.read(length))
        out.write(b"}")


def host_entry(
    capture: Capture, file: str, sha256: str, findings: Iterable[Finding], at: datetime
) -> dict[str, Any]:
    """What evidence.json says of one host."""
    entry: dict[str, Any] = exact(
        {
            "status": str(capture.status),
            "detail": capture.detail,
            "capture": file,
            "capture_sha256": sha256,
            "assessed_at": time(at),
            "head": dict(capture.head),
            "origin": dict(capture.origin),
            "findings": [assess.to_json(finding, at) for finding in findings],
        }
    )
    return entry


def target(host: str, machine: str) -> dict[str, Any]:
    """What a statement says of one host: its name, and the digest of its machine-id if known."""
    return {"host": host, "machine": machine or None}


def control_entry(control: Control, criterion: Text, grade: int) -> dict[str, Any]:
    """What evidence.json says of one control: enough to read a finding without the catalog."""
    return {
        "number": control.number,
        "clause": control.clause,
        "title": {"zh": control.title.zh, "en": control.title.en},
        "criterion": {"zh": criterion.zh, "en": criterion.en},
        "severity": str(control.severity_at(grade)),
        "veto": control.veto,
        "sha256": control.digest,
        "family": control.family,
    }


def waiver_entry(waiver: Waiver) -> dict[str, str]:
    return {
        "control": waiver.control,
        "host": waiver.host,
        "reason": waiver.reason,
        "approver": waiver.approver,
        "expires": waiver.expires.astimezone(UTC).isoformat(),
    }


def waivers_of(frame: Mapping[str, Any]) -> tuple[Waiver, ...]:
    """The waivers that stand in evidence.json."""
    return tuple(
        Waiver(
            w["control"],
            w["host"],
            w["reason"],
            w["approver"],
            datetime.fromisoformat(w["expires"]),
        )
        for w in frame["waivers"]
    )


def finding_from_json(host: str, document: Mapping[str, Any]) -> Finding:
    """A finding as it stood in evidence.json (the inverse of `assess.to_json`)."""
    until = document["until"]
    return Finding(
        host=host,
        control=document["control"],
        clause=document["clause"],
        result=Result(document["verdict"]),
        method=Method(document["method"]),
        reason=document["reason"],
        message=Text(**document["message"]),
        values=document["values"],
        evidence=tuple(document["evidence"]),
        expected=Text(**document["expected"]),
        remediation=Text(**document["remediation"]),
        severity=Severity(document["severity"]),
        veto=document["veto"],
        until=datetime.fromisoformat(until) if until else None,
        waiver=_waiver_from_json(host, document),
    )


def weighed_from_json(host: str, document: Mapping[str, Any]) -> Weighed:
    """As `finding_from_json`, for who asks for the verdicts of clauses alone."""
    return Weighed(
        document["clause"],
        _RESULTS[document["verdict"]],
        document["severity"],
        document["veto"],
        _waiver_from_json(host, document),
    )


def _waiver_from_json(host: str, document: Mapping[str, Any]) -> Waiver | None:
    waiver = document["waiver"]
    if waiver is None:
        return None
    return Waiver(
        document["control"],
        host,
        waiver["reason"],
        waiver["approver"],
        datetime.fromisoformat(waiver["expires"]),
    )


def assessed_at(capture: Capture, at: datetime | None) -> datetime:
    """For when a host is judged: `at`, the time of collection, of the attempt, or now."""
    tried = capture.origin.get("clock")
    moment = at or capture.collected_at
    if moment is None and isinstance(tried, str):
        moment = datetime.fromisoformat(tried)
    return (moment or datetime.now(UTC)).astimezone(UTC)


def exact(value: Any) -> Any:
    """JSON that RFC 8785 can write: numbers past 2^53−1 and broken text become plain text."""
    if isinstance(value, dict):
        return {str(exact(key)): exact(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [exact(entry) for entry in value]
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        return value if abs(value) <= _SAFEST else str(value)
    return value if math.isfinite(value) else str(value)


def in_order(name: str) -> bytes:
    """The sort key of property names (RFC 8785 section 3.2.3: by UTF-16 code units)."""
    return name.encode("utf-16-be")


def time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()
