"""Is the bundle signed by somebody trusted, and does all in it agree? And what does that prove?

The signer's word for the time counts while the key does. Once that has ended or was revoked, a
timestamp has to show that the signature is older, or the register's log under a key that has not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from collector.attest.bundle import evidence, provenance
from collector.attest.bundle.evidence import Clauses, weighed_from_json
from collector.attest.bundle.making import attached_file
from collector.attest.bundle.nonce import check_nonce
from collector.attest.envelope import statement
from collector.attest.envelope.timestamp import Stamp
from collector.attest.log.logged import Inclusion
from collector.attest.trust.trust_file import Trust, TrustedKey
from collector.captures import file_name
from collector.errors import VerifyFailed
from collector.i18n.message import msg
from collector.model import Capture, Result, Text
from collector.scope import Scope, verdicts
from collector.verify import dated, findings, hardened, looks, signatures, times, told, trusted
from collector.verify import provenance as handed
from collector.verify.asked import Asked
from collector.verify.before import Check
from collector.verify.bundle import Bundle

_EVIDENCE = f"data/{evidence.FILE}"


@dataclass(frozen=True, slots=True)
class Verification:
    """A bundle that verified. `made_at` is the signer's own word; `digest` names the bundle.

    `stamp` is the earliest timestamp by a trusted authority; `logged` the entry of the register's
    log that a proof was given for, with its index as `index` and the log's size as `size`;
    `signatures` tells of each signature whether it was checked; `redacted` that the captures were
    left out; `trust` whose word the trust file is, where it came by TUF, and if it is `fresh`;
    `looks` when its hosts were looked at, the oldest `age_days` ago (None: unknown); `scope` how
    much of each clause was judged, and `clauses` what that leaves of their verdicts; `strange`
    texts that are not those of the release it names; `ahead` what of it is dated later than now;
    `alike` hosts that are one machine; `waived` how many waivers it bears.
    """

    digest: str
    keyid: str
    key_name: str
    made_at: datetime
    looks: looks.Looks
    hosts: int
    handed_in: int
    statement: dict[str, Any]
    proven: tuple[Text, ...]
    unproven: tuple[Text, ...]
    scope: Scope
    clauses: Mapping[str, Result]
    signers: tuple[TrustedKey, ...]
    strange: tuple[str, ...] = ()
    ahead: tuple[dated.Ahead, ...] = ()
    alike: tuple[str, ...] = ()
    waived: int = 0
    stamp: Stamp | None = None
    logged: Mapping[str, Any] | None = None
    signatures: tuple[Mapping[str, Any], ...] = ()
    redacted: bool = False
    trust: Mapping[str, Any] | None = None
    age_days: int | None = 0
    log_lacks: tuple[str, ...] = ()

    @property
    def looked_at(self) -> datetime:
        """The oldest look in it."""
        return self.looks.oldest

    def to_json(self) -> dict[str, Any]:
        predicate = self.statement["predicate"]
        return {
            "verified": True,
            "redacted": self.redacted,
            "digest": self.digest,
            "key": {"keyid": self.keyid, "name": self.key_name},
            "signatures": list(self.signatures),
            "made_at": self.made_at.isoformat(),
            "timestamp": self.stamp
            and {"at": self.stamp.at.isoformat(), "authority": self.stamp.authority},
            "log": self.logged,
            "trust": self.trust,
            "hosts": self.hosts,
            "handed_in": self.handed_in,
            "period": predicate["period"],
            "looked": self.looks.to_json(),
            "age_days": self.age_days,
            "pledge": predicate["pledge"],
            "grade": predicate["grade"],
            "scope": {**self.scope.to_json(), "whole": self.scope.whole, "known": self.scope.known},
            "clauses": {number: str(verdict) for number, verdict in self.clauses.items()},
            "signed_clauses": predicate["clauses"],
            "strange_texts": list(self.strange),
            "ahead": [one.to_json() for one in self.ahead],
            "proven": [{"zh": text.zh, "en": text.en} for text in self.proven],
            "unproven": [{"zh": text.zh, "en": text.en} for text in self.unproven],
        }


def verify(
    bundle: Bundle, trust: Trust, *, now: datetime | None = None, proof: Inclusion | None = None
) -> Verification:
    """Raises VerifyFailed, naming the file and the reason, unless everything holds.

    `now` (aware; by default this machine's clock) says how old things are, and whether a key ended.
    """
    now = now or datetime.now(UTC)
    made_at = datetime.fromisoformat(bundle.said["made_at"])
    logged = times.logged(bundle.digest, bundle.said, proof, trust, now) if proof else None
    signed = signatures.check(bundle, trust, made_at, now, logged)
    first, known = signed.leading
    _check_attached(bundle)
    hosts = _check_hosts(bundle, redacted=bundle.redacted, script=bundle.script)
    asked, given = hosts.asked, hosts.handed_in
    _check_run(bundle)
    seen, handed_in = _check_before(bundle, hosts)
    times.hold_looks(seen, made_at, signed.stamps, logged, where=_EVIDENCE)
    _check_scope(bundle, asked)
    ahead = dated.ahead(made_at, seen.latest, first.stamp, logged, now)
    proven = (
        *_of_statement(known, bundle),
        *signatures.proven(signed),
        *times.proven(first.stamp, logged),
        *trusted.proven(trust),
    )
    left_open = (
        *told.scope(asked.scope),
        *asked.unproven(),
        *dated.ahead_told(ahead, now),
        *signatures.unproven(signed, trust),
        *times.unproven(known, made_at, first.sealed, stamp=first.stamp, logged=logged),
        *trusted.unproven(trust, now),
        dated.age(seen, now),
        *seen.unproven(),
        *_of_bundle(bundle),
        *handed.unproven(given, bundle.said, now),
    )
    return Verification(
        bundle.digest,
        known.keyid,
        known.name,
        made_at,
        seen,
        len(bundle.names),
        len(given) + handed_in,
        bundle.statement,
        proven,
        left_open,
        asked.scope,
        verdicts(bundle.frame, asked.scope),
        signed.keys,
        tuple(asked.strange),
        ahead,
        hosts.alike,
        len(bundle.frame["waivers"]),
        first.stamp,
        logged.to_json() if logged else None,
        tuple(one.to_json() for one in signed.all),
        bundle.redacted,
        trusted.to_json(trust, now),
        seen.days(now),
        logged.lacks if logged else (),
    )


def _of_statement(known: TrustedKey, bundle: Bundle) -> tuple[Text, ...]:
    return (*told.proven(known, bundle), *told.before(bundle))


def _check_scope(bundle: Bundle, asked: Asked) -> None:
    asked.hold()
    if bundle.frame.get("scope") != bundle.said.get("scope"):
        raise VerifyFailed(msg("signed_statement_says_another"), where=_EVIDENCE)


def _of_bundle(bundle: Bundle) -> tuple[Text, ...]:
    return (
        *told.waivers(bundle),
        *told.same_machine(bundle),
        *told.not_applicable(bundle),
        *told.unproven(bundle),
    )


def _check_before(bundle: Bundle, after: _Hosts) -> tuple[looks.Looks, int]:
    """The looks with those before hardening, if any; how many captures of it were handed in."""
    hardened.check_names(bundle)
    if bundle.before is None:
        return after.looks, 0
    earlier = _check_hosts(bundle.before, redacted=bundle.redacted)
    after.asked.strange |= earlier.asked.strange
    _check_run(bundle.before)
    hardened.check_between(bundle, bundle.before, after.looked, earlier.looked)
    earlier.asked.hold()
    return after.looks.and_before(earlier.looks), len(earlier.handed_in)


def _check_attached(bundle: Bundle) -> None:
    entries = {f"attached/{attached_file(e['name'])}": e for e in bundle.frame["attached"]}
    if len(entries) != len(bundle.frame["attached"]):
        raise VerifyFailed(msg("attached_document_stands_twice"), where=_EVIDENCE)
    signed = {name for name in bundle.subjects if name.startswith("attached/")}
    for name in sorted(signed ^ set(entries)):
        raise VerifyFailed(msg("statement_differ", evidence=_EVIDENCE), where=f"data/{name}")
    for name, entry in entries.items():
        if bundle.subjects[name] != entry["sha256"]:
            raise VerifyFailed(msg("not_document_names", evidence=_EVIDENCE), where=f"data/{name}")


@dataclass(frozen=True, slots=True)
class _Hosts:
    """The hosts that were handed in, with the time of each; the looks of all.

    `looked` is when each was looked at, where that is known.
    """

    handed_in: dict[str, datetime]
    looks: looks.Looks
    asked: Asked
    looked: Mapping[str, datetime]
    alike: tuple[str, ...] = ()


def _check_hosts(bundle: Check, *, redacted: bool, script: str | None = None) -> _Hosts:
    """Every host's entry against its capture, and the clauses against the findings."""
    clauses = Clauses()
    asked = Asked(bundle, script)
    named: set[str] = set()
    gathered = looks.Gathered()
    targets: list[dict[str, Any]] = []
    given: dict[str, datetime] = {}
    origins: list[dict[str, Any]] = []
    machines = told.Machines()
    place = bundle.findings.where
    for host, entry in bundle.hosts():
        name = entry["capture"]
        where = f"{place} host {host}"
        if name != f"captures/{file_name(host)}" or name not in bundle.subjects:
            raise VerifyFailed(msg("names_capture", name=name), where=where)
        if entry["capture_sha256"] != bundle.subjects[name]:
            raise VerifyFailed(msg("names_another_digest", name=name), where=where)
        named.add(name)
        machines.add(host, entry)
        capture = None if redacted else bundle.capture_in(host, entry)
        findings.check(bundle, host, entry, asked)
        if capture is not None:
            findings.check_capture(bundle, host, entry, capture)
            asked.capture(capture)
            if bundle.frame["run"] is not None:
                _check_nonce(capture, _file(bundle, name), bundle.frame["run"]["nonce"])
        at = datetime.fromisoformat(entry["assessed_at"])
        seen = gathered.add(host, entry, capture.collected_at if capture else None)
        targets.append(evidence.target(host, entry["head"].get("machine", "")))
        origins.append({k: v for k, v in entry["origin"].items() if k in ("run", "worker")})
        if not provenance.is_collected(entry["origin"], bundle.frame["run"]):
            given[host] = seen
        clauses.add([weighed_from_json(host, f) for f in entry["findings"]], at)
    for name in sorted(bundle.subjects):
        if name.startswith("captures/") and name not in named:
            raise VerifyFailed(msg("belongs_no_host", place=place), where=_file(bundle, name))
    if not named:
        raise VerifyFailed(msg("holds_no_host"), where=place)
    if clauses.to_json(asked.own_scope) != bundle.frame["clauses"]:
        raise VerifyFailed(msg("clauses_not_follow_findings"), where=place)
    judged = gathered.judged
    workers = provenance.workers(origins, bundle.frame["run"])
    _check_predicate(bundle, min(judged), max(judged), targets, len(given), workers)
    return _Hosts(given, gathered.all(), asked, gathered.at, machines.alike())


def _file(bundle: Check, name: str) -> str:
    """The place in the bundle of a file that a check names."""
    return f"{bundle.findings.where.removesuffix(evidence.FILE)}{name}"


def _check_nonce(capture: Capture, where: str, run: str) -> None:
    try:
        check_nonce(capture, run)
    except VerifyFailed as problem:
        raise VerifyFailed(problem.what, where=where) from None


def _check_predicate(
    bundle: Check,
    first: datetime,
    last: datetime,
    targets: list[dict[str, Any]],
    handed_in: int,
    workers: list[dict[str, Any]],
) -> None:
    frame, place = bundle.frame, bundle.findings.where
    expected = {
        "tool": frame["tool"],
        "catalog_sha256": frame["catalog_sha256"],
        "grade": frame["grade"],
        "run": frame["run"]["nonce"] if frame["run"] else None,
        "pledge": frame["pledge"],
        "period": {"from": evidence.time(first), "to": evidence.time(last)},
        "hosts": len(bundle.names),
        "handed_in": handed_in,
        "targets": targets,
        "clauses": {number: clause["verdict"] for number, clause in frame["clauses"].items()},
        **statement.asked(frame),
    }
    # absent where no node collected; of the check before hardening it is not said
    if "handed_in" in bundle.said and bundle.said.get("workers", []) != workers:
        raise VerifyFailed(msg("the_signed_statement_says_another", key="workers"), where=place)
    for key, value in expected.items():
        if key in bundle.said and bundle.said[key] != value:
            raise VerifyFailed(msg("the_signed_statement_says_another", key=key), where=place)


def _check_run(bundle: Check) -> None:
    """The run's own description: no host of it left out, and its script."""
    run = bundle.frame["run"]
    if run is None:
        return
    missing = sorted(set(run["hosts"]) - set(bundle.names))
    if missing:
        raise VerifyFailed(
            msg("run_about_too_missing", missing=missing[0]), where=bundle.findings.where
        )
    script = bundle.subjects.get("script.sh")
    if script is not None and script != run["script_sha256"]:
        raise VerifyFailed(msg("not_script_run_names"), where=_file(bundle, "script.sh"))
