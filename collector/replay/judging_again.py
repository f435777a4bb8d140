"""Judges a bundle's captures again, and compares two bundles. Both only read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from collector import catalog
from collector.attest.bundle.evidence import Clauses, host_entry, waivers_of, weighed_from_json
from collector.attest.bundle.provenance import is_collected
from collector.errors import FactError, PastLimit
from collector.judges.losses import Loss, losses
from collector.judging.confined import LIMITS, within_limits
from collector.judging.hosts import Judging, in_order
from collector.judging_code import tool
from collector.model import Capture, HostStatus, Result
from collector.scope import Scope, of_evidence
from collector.verify import Bundle
from collector.verify.before import Check

Found = Mapping[str, Any]
# what a finding says apart from its words: these must come out the same from the same capture
_SUBSTANCE = (
    "clause",
    "verdict",
    "method",
    "reason",
    "values",
    "evidence",
    "severity",
    "veto",
    "until",
    "waiver",
)
# a slower machine than the one that judged first is to find the same
_PATIENCE = 5
# the control that speaks of logs which shrank between two checks
_LOGS = "logging.logins"
_WORDS = ("message", "expected", "remediation")
_RANK = {
    Result.PASS: 0,
    Result.NOTAPPLICABLE: 0,
    Result.PARTIAL: 1,
    Result.NOTCHECKED: 2,
    # "could not look" is no worse and no better than "looked, and it is bad": it is not known
    Result.ERROR: 3,
    Result.FAIL: 3,
}


@dataclass(frozen=True, slots=True)
class Difference:
    """One control on one host whose finding is not the same; None where there is none.

    `fields` are the names of what differs; `before`: it is one of the check before hardening.
    """

    host: str
    control: str
    old: Found | None
    new: Found | None
    fields: tuple[str, ...] = ()
    before: bool = False

    def to_json(self) -> dict[str, Any]:
        return {
            "host": self.host,
            **({"before": True} if self.before else {}),
            "control": self.control,
            "fields": list(self.fields),
            "old": _short(self.old),
            "new": _short(self.new),
        }


@dataclass(slots=True)
class Replayed:
    """What judging again gave. `reworded` counts findings of which only the words differ.

    `scope` is how much there was to judge again: that it comes out the same proves no more.
    `judged_then` and `judged_now` are the `tool` of the evidence and what stands here; `clauses`
    counts what was found again (of a control that there is no more, what was found then).
    """

    catalog_then: str
    catalog_now: str
    scope: Scope
    judged_then: Mapping[str, str] = field(default_factory=dict)
    judged_now: Mapping[str, str] = field(default_factory=dict)
    hosts: int = 0
    findings: int = 0
    reworded: int = 0
    differences: list[Difference] = field(default_factory=list)
    clauses: Clauses = field(default_factory=Clauses)

    @property
    def same_catalog(self) -> bool:
        return self.catalog_then == self.catalog_now

    @property
    def same(self) -> bool:
        """Did every finding come out as it stands in the bundle?

        The words may have been improved since, but only where the catalog says that it changed.
        """
        return not self.differences and (self.reworded == 0 or not self.same_catalog)

    @property
    def contradicts(self) -> bool:
        """Does it name the code that judges here, and another catalogue than that code has?"""
        name = "judging_code_sha256"
        return not self.same_catalog and self.judged_then.get(name) == self.judged_now.get(name)

    def better(self, signed: Mapping[str, Found]) -> tuple[str, ...]:
        """The clauses whose verdict is better as it was signed than judged again."""

        def rank(number: str, verdict: Result) -> int:
            return _RANK[self.scope.narrowed(number, verdict)]

        return tuple(
            number
            for number, clause in signed.items()
            if rank(number, Result(clause["verdict"])) < rank(number, self.clauses.verdicts[number])
        )

    def to_json(self) -> dict[str, Any]:
        return {
            "same": self.same,
            "hosts": self.hosts,
            "findings": self.findings,
            "reworded": self.reworded,
            "scope": {**self.scope.to_json(), "known": self.scope.known, "whole": self.scope.whole},
            "catalog": {
                "then": self.catalog_then,
                "now": self.catalog_now,
                "same": self.same_catalog,
            },
            "judged_by": {"then": dict(self.judged_then), "now": dict(self.judged_now)},
            "differences": [difference.to_json() for difference in self.differences],
        }


def replay(bundle: Bundle) -> Replayed:
    """Judges every capture with the present controls, for the time it was judged for then.

    A control that is in the bundle and no longer in the catalog is a difference; one that came
    later is not looked at. Raises VerifyFailed for a capture that is not what was signed.
    """
    scope = of_evidence(bundle.frame)
    result = Replayed(
        bundle.frame["catalog_sha256"],
        catalog.catalog_digest(),
        scope,
        bundle.frame["tool"],
        tool(),
    )
    for check in (bundle.before, bundle) if bundle.before else (bundle,):
        _replay(check, bundle.attached, result, before=check is bundle.before)
    return result


def _replay(check: Check, attached: Mapping[str, bytes], result: Replayed, *, before: bool) -> None:
    frame = check.frame
    known = catalog.controls()
    controls = [known[id] for id in known if id in frame["controls"]]
    waivers = waivers_of(frame)

    def begun() -> Iterator[tuple[tuple[str, Found, Capture, datetime], Judging]]:
        for host, entry in check.hosts():
            capture = check.capture_in(host, entry)
            at = datetime.fromisoformat(entry["assessed_at"])
            yield (
                (host, entry, capture, at),
                Judging(
                    capture,
                    controls,
                    grade=frame["grade"],
                    at=at,
                    attached=attached,
                    waivers=waivers,
                    limits=LIMITS.wider(_PATIENCE),
                ),
            )

    for (host, entry, capture, at), findings in in_order(begun()):
        again = host_entry(capture, entry["capture"], entry["capture_sha256"], findings, at)
        old, new = _by_control(entry), _by_control(again)
        result.hosts += not before
        result.findings += len(old)
        if not before:
            found = [weighed_from_json(host, new.get(control, old[control])) for control in old]
            result.clauses.add(found, at)
        for control in old:
            fields = _differing(old[control], new.get(control))
            if set(fields) <= set(_WORDS):
                result.reworded += bool(fields)
                if not (fields and result.same_catalog):
                    continue
            result.differences.append(
                Difference(host, control, old[control], new.get(control), fields, before=before)
            )


@dataclass(frozen=True, slots=True)
class Lost:
    """Records of a host's log that the earlier capture shows and the later one does not."""

    host: str
    loss: Loss

    def to_json(self) -> dict[str, Any]:
        return {
            "host": self.host,
            "path": self.loss.path,
            "family": self.loss.family,
            "from": self.loss.first.isoformat(),
            "to": self.loss.last.isoformat(),
            "certain": self.loss.seen,
        }


@dataclass(slots=True)
class Comparison:
    """What became of the findings of one bundle in a later one, and of the hosts' log records.

    `fixed`: satisfied now, and was not; `regressed`: worse than before; `changed`: anything
    else about it differs. `lost` are log records that went before their six months were over, and
    `uncompared` hosts whose logs could not be compared; `handed_in` those of each bundle that
    nobody collected from.
    """

    catalogs: tuple[str, str]
    scopes: tuple[Scope, Scope]
    fixed: list[Difference] = field(default_factory=list)
    regressed: list[Difference] = field(default_factory=list)
    changed: list[Difference] = field(default_factory=list)
    new_hosts: list[str] = field(default_factory=list)
    gone_hosts: list[str] = field(default_factory=list)
    new_controls: list[str] = field(default_factory=list)
    gone_controls: list[str] = field(default_factory=list)
    lost: list[Lost] = field(default_factory=list)
    uncompared: list[str] = field(default_factory=list)
    handed_in: tuple[list[str], list[str]] = ([], [])

    def to_json(self) -> dict[str, Any]:
        return {
            "catalog": {
                "old": self.catalogs[0],
                "new": self.catalogs[1],
                "same": self.catalogs[0] == self.catalogs[1],
            },
            "scope": {
                which: {**scope.to_json(), "grade": scope.grade, "whole": scope.whole}
                for which, scope in zip(("old", "new"), self.scopes, strict=True)
            },
            "fixed": [difference.to_json() for difference in self.fixed],
            "regressed": [difference.to_json() for difference in self.regressed],
            "changed": [difference.to_json() for difference in self.changed],
            "new_hosts": self.new_hosts,
            "gone_hosts": self.gone_hosts,
            "new_controls": self.new_controls,
            "gone_controls": self.gone_controls,
            "lost_records": [lost.to_json() for lost in self.lost],
            "logs_not_compared": self.uncompared,
            "handed_in": {"old": self.handed_in[0], "new": self.handed_in[1]},
        }


def diff(old: Bundle, new: Bundle) -> Comparison:
    """Compares host by host and control by control what both bundles speak of."""
    result = Comparison(
        (old.frame["catalog_sha256"], new.frame["catalog_sha256"]),
        (of_evidence(old.frame), of_evidence(new.frame)),
    )
    result.handed_in = (handed_in(old), handed_in(new))
    before, after = set(old.names), set(new.names)
    result.new_hosts = sorted(after - before)
    result.gone_hosts = sorted(before - after)
    result.new_controls = sorted(set(new.frame["controls"]) - set(old.frame["controls"]))
    result.gone_controls = sorted(set(old.frame["controls"]) - set(new.frame["controls"]))
    for difference in _common(old, new, sorted(before & after)):
        if difference.old is None or difference.new is None:
            continue
        was, now = _rank(difference.old), _rank(difference.new)
        if now == 0 and was > 0:
            result.fixed.append(difference)
        elif now > was:
            result.regressed.append(difference)
        elif {"verdict", "reason", "values", "waiver"} & set(difference.fields):
            result.changed.append(difference)
    if all(_LOGS in bundle.frame["controls"] for bundle in (old, new)):
        for host in sorted(before & after):
            _compare_logs(result, host, old, new)
    return result


def handed_in(check: Check) -> list[str]:
    """The hosts that nobody collected from."""
    run = check.frame["run"]
    return [name for name, entry in check.hosts() if not is_collected(entry["origin"], run)]


def _compare_logs(result: Comparison, host: str, old: Bundle, new: Bundle) -> None:
    earlier, later = (b.capture_in(host, b.host(host)) for b in (old, new))
    if {earlier.status, later.status} != {HostStatus.COMPLETE}:
        return
    try:
        rule = catalog.control("logging.retention_observed").for_grade(new.frame["grade"])
        result.lost += [
            Lost(host, loss) for loss in within_limits(lambda: list(losses(earlier, later, rule)))
        ]
    except (FactError, PastLimit):
        result.uncompared.append(host)


def _common(old: Bundle, new: Bundle, hosts: list[str]) -> Iterator[Difference]:
    for host in hosts:
        before, after = _by_control(old.host(host)), _by_control(new.host(host))
        for control in sorted(set(before) & set(after)):
            fields = _differing(before[control], after[control])
            yield Difference(host, control, before[control], after[control], fields)


def _rank(finding: Found) -> int:
    """How bad: 0 is satisfied. A waiver that stands makes a failure as bad as a partial one."""
    waiver = finding["waiver"]
    rank = _RANK[Result(finding["verdict"])]
    return min(rank, 1) if waiver is not None and not waiver["expired"] else rank


def _by_control(entry: Found) -> dict[str, Found]:
    return {finding["control"]: finding for finding in entry["findings"]}


def _differing(old: Found, new: Found | None) -> tuple[str, ...]:
    if new is None:
        return ("verdict",)
    return tuple(name for name in (*_SUBSTANCE, *_WORDS) if old[name] != new[name])


def _short(finding: Found | None) -> dict[str, Any] | None:
    if finding is None:
        return None
    return {name: finding[name] for name in ("verdict", "reason", "method", "message")}
