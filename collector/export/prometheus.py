"""`--format prometheus`: the text format 0.0.4, for node_exporter's textfile collector.

Every verdict has a series of its own for each host and clause, also at 0: a series that comes and
goes could not be alerted on. Names of hosts are label values, escaped as the format has it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from collector import __version__
from collector.assess import waived
from collector.catalog import clauses, controls
from collector.errors import shown
from collector.export import ORDER, HandedIn, Hosts, Statuses, Times, provenance
from collector.export.envelope import NOBODY, Identity
from collector.model import Finding, HostStatus, Lang, Result, Text
from collector.scope import Scope, not_checked

# of a declared host that was not looked at
_ABSENT = "absent"

Sample = tuple[Mapping[str, str], float]
Family = tuple[str, Text, Iterable[Sample]]


def export(
    hosts: Hosts,
    at: Times,
    lang: Lang,
    status: Statuses,
    scope: Scope | None = None,
    handed_in: HandedIn = (),
    about: Identity = NOBODY,
) -> str:
    # a series of no pledge keeps the labels, and so the identity, that it always had
    of = {"pledge": about.pledge} if about.pledge else {}
    lines: list[str] = []
    lines += [f"# {said.to(lang)}" for said in (scope.warnings if scope is not None else ())]
    for name, meaning, samples in families(hosts, at, status, scope, handed_in, about):
        lines += [f"# HELP {name} {_help(meaning.to(lang))}", f"# TYPE {name} gauge"]
        lines += [
            f"{name}{{{written({**labels, **of})}}} {number(value)}" for labels, value in samples
        ]
    return "\n".join(lines) + "\n"


def families(
    hosts: Hosts,
    at: Times,
    status: Statuses,
    scope: Scope | None,
    handed_in: HandedIn,
    about: Identity,
) -> tuple[Family, ...]:
    """All there is to tell, each with its name, its meaning and its samples."""
    found: tuple[Family, ...] = (
        (
            "hostpledge_host_complete",
            Text("采集是否完整（1 是，0 否）", "Whether all of the host was read (1) or not (0)."),
            _complete(hosts, status, handed_in, scope.absent if scope else ()),
        ),
        (
            "hostpledge_judged_timestamp_seconds",
            Text("判定所依据的时点", "The time that the host was judged for."),
            (({"host": name}, _seconds(at[name])) for name in hosts),
        ),
        (
            "hostpledge_findings",
            Text("各条款各结论的核查项数", "Findings of a host by clause and verdict."),
            _counts(hosts),
        ),
        (
            "hostpledge_finding",
            Text("各核查项的结论（恒为 1）", "The verdict on a control; always 1."),
            _verdicts(hosts, at),
        ),
        (
            "hostpledge_holds_until_timestamp_seconds",
            Text("符合的结论到何时为止", "Until when a pass holds, where it has an end."),
            _ends(hosts),
        ),
        (
            "hostpledge_waived_until_timestamp_seconds",
            Text("豁免到何时为止", "Until when a failure is waived."),
            _waivers_end(hosts, at),
        ),
    )
    return (*found, *_about_scope(scope), *_about_evidence(about, scope))


def _about_scope(scope: Scope | None) -> Iterator[Family]:
    if scope is None:
        return
    yield (
        "hostpledge_controls_judged",
        Text("各条款已判定的核查项数", "Controls of a clause that were judged."),
        _parts(scope, wanted=False),
    )
    yield (
        "hostpledge_controls_wanted",
        Text("各条款在此级别应判定的核查项数", "Controls of a clause at the grade."),
        _parts(scope, wanted=True),
    )
    yield (
        "hostpledge_clause_judged_whole",
        Text(
            "条款是否在登记的每台主机上全部判定（1 是，0 否：不足以证明）",
            "Whether all of a clause was judged on every declared host (1) or not: no proof (0).",
        ),
        (
            ({"clause": clause, "grade": str(scope.grade)}, float(scope.proves(clause)))
            for clause in scope.clauses
        ),
    )


def _about_evidence(about: Identity, scope: Scope | None) -> Iterator[Family]:
    if about.digest is not None:
        unchecked = scope is not None and scope.unchecked
        told = Text(
            "签名未核验（1 是，0 否）",
            "Whether nobody looked at the bundle's signature (1) or not (0).",
        )
        # a form without comments has no other place for the words
        told = not_checked() if unchecked else told
        yield "hostpledge_signature_unchecked", told, (({}, float(unchecked)),)
    if about != NOBODY:
        labels = {"version": __version__, **about.named()}
        told = Text("结论所属的登记与证据包（恒为 1）", "The pledge and bundle; always 1.")
        yield "hostpledge_evidence_info", told, ((labels, 1),)


def _parts(scope: Scope, *, wanted: bool) -> Iterator[Sample]:
    for clause, part in scope.clauses.items():
        labels = {"clause": clause, "grade": str(scope.grade)}
        yield labels, part.of if wanted else part.judged


def _complete(
    hosts: Hosts, status: Statuses, handed_in: HandedIn, absent: Iterable[str]
) -> Iterator[Sample]:
    # nothing can be alerted on that has no series: a host that nobody looked at has one too
    for name in absent:
        if name not in hosts:
            yield {"host": name, "status": _ABSENT, "provenance": "none"}, 0
    for name in hosts:
        reached = status.get(name, HostStatus.COMPLETE)
        labels = {"host": name, "status": str(reached), "provenance": provenance(name, handed_in)}
        yield labels, float(reached is HostStatus.COMPLETE)


def _counts(hosts: Hosts) -> Iterator[Sample]:
    for name, findings in hosts.items():
        counts = Counter((f.clause, f.result) for f in findings)
        for clause in clauses():
            for result in ORDER:
                labels = {"host": name, "clause": clause, "verdict": str(result)}
                yield labels, counts[(clause, result)]


def _verdicts(hosts: Hosts, at: Times) -> Iterator[Sample]:
    for name, findings in hosts.items():
        for finding in _once(findings):
            failed = finding.result in (Result.FAIL, Result.PARTIAL)
            yield (
                {
                    "host": name,
                    "control": finding.control,
                    "number": controls()[finding.control].number,
                    "clause": finding.clause,
                    "severity": str(finding.severity),
                    "veto": "yes" if finding.veto else "no",
                    "verdict": str(finding.result),
                    "waived": "yes" if failed and waived(finding, at[name]) else "no",
                },
                1,
            )


def _waivers_end(hosts: Hosts, at: Times) -> Iterator[Sample]:
    """Nobody may export again on that day: an alert has to know it by itself."""
    for name, findings in hosts.items():
        for finding in _once(findings):
            failed = finding.result in (Result.FAIL, Result.PARTIAL)
            if failed and finding.waiver is not None and waived(finding, at[name]):
                labels = {"host": name, "control": finding.control}
                yield labels, _seconds(finding.waiver.expires)


def _ends(hosts: Hosts) -> Iterator[Sample]:
    for name, findings in hosts.items():
        for finding in _once(findings):
            if finding.result is Result.PASS and finding.until is not None:
                labels = {"host": name, "control": finding.control}
                yield labels, _seconds(finding.until)


def _once(findings: Iterable[Finding]) -> list[Finding]:
    """One finding a control: a second sample with the same labels spoils the whole file."""
    held: dict[str, Finding] = {}
    for finding in findings:
        known = held.get(finding.control)
        if known is None or ORDER.index(finding.result) < ORDER.index(known.result):
            held[finding.control] = finding
    return list(held.values())


def _seconds(moment: datetime) -> float:
    return float(int(moment.timestamp()))


def number(value: float) -> str:
    return str(int(value))


def written(labels: Mapping[str, str]) -> str:
    return ",".join(f'{name}="{_value(value)}"' for name, value in labels.items())


def _value(text: str) -> str:
    plain = shown(text, 1000).encode("utf-8", "replace").decode()
    return plain.replace("\\", r"\\").replace('"', r"\"")


def _help(text: str) -> str:
    return text.replace("\\", r"\\")
