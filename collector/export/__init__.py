"""Findings in the forms that people and other tools read: one module a format, each a function

    export(hosts, at, lang, status, scope, handed_in, about) -> str

`hosts` holds each host's findings by host name, `at` the time that each host was judged for,
`status` what became of collecting from it (complete, where nothing is said), `scope` how much of
each clause was judged (None: that is not known, and nothing is said of it), `handed_in` names the
hosts that nobody collected from, `about` the pledge and the bundle that they are of. Pure: the same
findings give the same text.
"""

from __future__ import annotations

import importlib
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Protocol, cast

from collector.export.envelope import NOBODY, Identity
from collector.model import Finding, HostStatus, Lang, Result
from collector.scope import Scope, no_proof, not_seen

FORMATS = (
    "table",
    "json",
    "junit",
    "sarif",
    "oscal",
    "xccdf",
    "csv",
    "prometheus",
    "openmetrics",
    "hdf",
    "ocsf",
    "defectdojo",
)

Hosts = Mapping[str, Sequence[Finding]]
Times = Mapping[str, datetime]
Statuses = Mapping[str, HostStatus]
HandedIn = Collection[str]


class Export(Protocol):
    """A format's function."""

    def __call__(
        self,
        hosts: Hosts,
        at: Times,
        lang: Lang,
        status: Statuses,
        scope: Scope | None = None,
        handed_in: HandedIn = (),
        about: Identity = NOBODY,
        /,
    ) -> str: ...


# worst first: the order in which findings, hosts and totals are shown
ORDER = (
    Result.FAIL,
    Result.ERROR,
    Result.PARTIAL,
    Result.NOTCHECKED,
    Result.PASS,
    Result.NOTAPPLICABLE,
)


def provenance(host: str, handed_in: HandedIn) -> str:
    """The word for how a host's capture was had."""
    return "handed-in" if host in handed_in else "collected"


def exporter(name: str) -> Export:
    """The function of a format of `FORMATS`."""
    return cast("Export", importlib.import_module(f"collector.export.{name}").export)


def worst_first(findings: Sequence[Finding]) -> list[Finding]:
    """Veto controls before others, then the severe ones, within each verdict."""
    weight = {"high": 0, "medium": 1, "low": 2}
    return sorted(
        findings,
        key=lambda f: (ORDER.index(f.result), not f.veto, weight[f.severity], f.clause, f.control),
    )


def stamp(at: datetime) -> str:
    """A time as RFC 3339 in UTC, to the second."""
    return at.astimezone(UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")


def judged(scope: Scope | None, lang: Lang) -> str:
    """`7 of 57 controls: no proof of 二(二)`, or without that end; empty where nothing is known.

    Declared hosts that nobody looked at are named after it.
    """
    if scope is None:
        return ""
    said = scope.said().to(lang)
    said = ("；" if lang == "zh" else "; ").join([*(w.to(lang) for w in scope.warnings), said])
    if not scope.unproven:
        return said
    said = f"{said}{'：' if lang == 'zh' else ': '}{no_proof(scope.unproven).to(lang)}"
    absent = [not_seen(scope.absent).to(lang)] if scope.absent else []
    return ("；" if lang == "zh" else "; ").join([said, *absent])
