"""`--format openmetrics`: OpenMetrics 1.0, each sample with the time that its host was judged for.

The samples are those of `prometheus`. That form goes to node_exporter, which takes no times; this
one tells a past: `promtool tsdb create-blocks-from openmetrics` puts a year of kept bundles into
Prometheus as if it had watched them. Comments have no place in it, and exemplars none either: they
belong to counters and histograms, and all of ours are gauges.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from collector.export import HandedIn, Hosts, Statuses, Times
from collector.export.envelope import NOBODY, Identity
from collector.export.prometheus import families, number, written
from collector.model import Lang
from collector.scope import Scope

_INFO, _SECONDS = "_info", "_seconds"


def export(
    hosts: Hosts,
    at: Times,
    lang: Lang,
    status: Statuses,
    scope: Scope | None = None,
    handed_in: HandedIn = (),
    about: Identity = NOBODY,
) -> str:
    of = {"pledge": about.pledge} if about.pledge else {}
    newest = max(at.values(), default=datetime.fromtimestamp(0, UTC))
    lines: list[str] = []
    for name, meaning, samples in families(hosts, at, status, scope, handed_in, about):
        lines += _head(name, meaning.to(lang))
        for labels, value in samples:
            moment = at.get(labels["host"], newest) if "host" in labels else newest
            lines.append(f"{name}{_set({**labels, **of})} {number(value)} {_time(moment)}")
    return "\n".join([*lines, "# EOF"]) + "\n"


def _head(name: str, meaning: str) -> list[str]:
    # the family of an info has the name of its sample without the ending
    family = name.removesuffix(_INFO)
    kind = "gauge" if family == name else "info"
    unit = [f"# UNIT {family} seconds"] if family.endswith(_SECONDS) else []
    told = meaning.replace("\\", r"\\").replace('"', r"\"")
    return [f"# TYPE {family} {kind}", *unit, f"# HELP {family} {told}"]


def _set(labels: Mapping[str, str]) -> str:
    return f"{{{written(labels)}}}" if labels else ""


def _time(moment: datetime) -> str:
    return str(int(moment.timestamp()))
