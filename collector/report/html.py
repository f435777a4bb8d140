"""evidence.json and the captures of a bundle → one HTML file for people, on screen and on A4.

The file asks for nothing outside itself and runs nothing: its content security policy forbids
all but its own style. Everything that a host, a customer or an approver wrote is escaped, and
what would hide or act is shown as its number. The same evidence gives the same bytes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from types import MappingProxyType
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from collector.catalog import checked, clause_number, clauses, words
from collector.model import Capture, Lang, Result, Text
from collector.report import criteria, view
from collector.report.visible import plain, visible
from collector.resources import package_text
from collector.schema import load_yaml

# what an inspector asks for first, each as a table of hosts × these controls
TOPICS = MappingProxyType(
    {
        "topic_malware": (
            "antivirus.running",
            "antivirus.signatures",
            "antivirus.realtime",
            "antivirus.full_scan",
        ),
        "topic_retention": (
            "logging.retention_configured",
            "logging.retention_observed",
            "logging.no_gaps",
            "logging.remote_copy",
        ),
        "topic_backup": (
            "backup.jobs",
            "backup.fresh",
            "backup.offsite",
            "backup.restore_test",
        ),
    }
)
_HOSTS_NAMED = 6


def render(
    evidence: Mapping[str, Any],
    capture: Callable[[str], Capture],
    *,
    record: Mapping[str, Any] | None,
    lang: Lang,
    digest: str,
    keyid: str,
) -> str:
    """The report. `capture` gives a host's capture by its name, `record` is its pledge record,

    `digest` the digest of the bundle (SHA-256 of its signed statement), `keyid` the fingerprint of
    the key that signed it; both may be empty: the report then says that it is not signed.
    """
    controls = criteria.controls(evidence, lang)
    hosts = view.hosts(evidence, capture, lang)
    collected = sorted(host.collected for host in hosts if host.collected)
    return (
        environment()
        .get_template("report.html.j2")
        .render(
            lang=lang,
            style=Markup(package_text("report/templates/report.css")),  # noqa: S704 - our own file
            t=_own_words(lang),
            w={kind: {k: v.to(lang) for k, v in by.items()} for kind, by in words().items()},
            evidence=evidence,
            record=record or {},
            missing=_missing(record or {}, hosts),
            digest=digest,
            keyid=keyid,
            collected=(collected[0], collected[-1]) if collected else None,
            controls=controls,
            columns=_columns(controls, lang),
            hosts=hosts,
            groups=_groups(hosts),
            totals=_totals(controls, hosts),
            clauses=_clauses(evidence, lang),
            clause_numbers={id: clause_number(id, lang) for id in clauses()},
            attached=_attached(evidence.get("attached")),
            first_steps=_first_steps(controls, hosts),
            topics=_topics(controls, hosts),
            order=view.ORDER,
            signs=view.SIGNS,
            when=view.when,
            checked=checked,
        )
    )


@cache
def environment() -> Environment:
    env = Environment(
        loader=FunctionLoader(lambda name: package_text(f"report/templates/{name}")),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.filters["plain"] = plain
    env.filters["grouped"] = lambda number: f"{number:,}"
    return env


def _finalize(value: Any) -> Any:
    """Every text that a template puts out is made visible, wherever it came from."""
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


@cache
def own_words() -> Mapping[str, Text]:
    document = load_yaml(package_text("report/words.yml"), where="report/words.yml")
    return MappingProxyType(
        {key: Text(entry["zh"], entry["en"]) for key, entry in document.items()}
    )


def _own_words(lang: Lang) -> dict[str, str]:
    return {key: text.to(lang) for key, text in own_words().items()}


def _columns(controls: Sequence[Mapping[str, Any]], lang: Lang) -> list[dict[str, Any]]:
    """The clauses above the controls of the overview, with how many columns each spans."""
    spans = Counter(control["clause"] for control in controls)
    return [
        {"number": clause_number(id, lang), "title": entry["title"][lang], "span": spans[id]}
        for id, entry in clauses().items()
        if spans[id]
    ]


def _missing(record: Mapping[str, Any], hosts: Sequence[view.Host]) -> list[str]:
    """Hosts that the record declares (clause 五) and that this evidence does not hold."""
    seen = {host.name for host in hosts}
    return [name for name in record.get("resources", {}).get("hosts", ()) if name not in seen]


def _groups(hosts: Sequence[view.Host]) -> list[tuple[Result, list[view.Host]]]:
    grouped = [(r, [host for host in hosts if host.result is r]) for r in view.ORDER]
    return [(result, members) for result, members in grouped if members]


def _totals(
    controls: Sequence[Mapping[str, Any]], hosts: Sequence[view.Host]
) -> dict[Result, list[int]]:
    """For each verdict, how many hosts have it, control by control."""
    counts = Counter(
        (shown.control, shown.result) for host in hosts for shown in host.by_control.values()
    )
    rows = {r: [counts[(control["id"], r)] for control in controls] for r in view.ORDER}
    return {result: row for result, row in rows.items() if any(row)}


def _clauses(evidence: Mapping[str, Any], lang: Lang) -> list[dict[str, Any]]:
    listed = []
    for id, entry in clauses().items():
        given = evidence["clauses"].get(id) or {}
        counts = {Result(k): v for k, v in (given.get("counts") or {}).items()}
        listed.append(
            {
                "number": clause_number(id, lang),
                "title": entry["title"][lang],
                "result": Result(given["verdict"]) if sum(counts.values()) else None,
                "counts": counts,
                "total": sum(counts.values()),
            }
        )
    return listed


def _first_steps(
    controls: Sequence[Mapping[str, Any]], hosts: Sequence[view.Host]
) -> list[dict[str, Any]]:
    """Controls that failed or fell short somewhere: veto first, then severe and frequent ones."""
    weight = {"high": 0, "medium": 1, "low": 2}
    steps = []
    for control in controls:
        found = [(h, h.by_control[control["id"]]) for h in hosts if control["id"] in h.by_control]
        counts = Counter(shown.result for _, shown in found if not shown.waived)
        concerned = [
            (host, shown)
            for host, shown in found
            if shown.result in (Result.FAIL, Result.PARTIAL) and not shown.waived
        ]
        if concerned:
            fails = counts[Result.FAIL]
            steps.append(
                {
                    "control": control,
                    "counts": counts,
                    "named": concerned[:_HOSTS_NAMED],
                    "more": max(len(concerned) - _HOSTS_NAMED, 0),
                    "rank": (
                        not (fails and control["veto"]),
                        not fails,
                        weight[control["severity"]],
                        -fails,
                        -len(concerned),
                        control["number"],
                    ),
                }
            )
    return sorted(steps, key=lambda step: step["rank"])


def _attached(attached: Sequence[Mapping[str, str]] | None) -> list[tuple[str, str]]:
    """Documents of the pledge record that judges used: name and SHA-256."""
    return [(entry["name"], entry["sha256"]) for entry in attached or ()]


def _topics(
    controls: Sequence[Mapping[str, Any]], hosts: Sequence[view.Host]
) -> list[dict[str, Any]]:
    known = {control["id"]: control for control in controls}
    topics = []
    for name, wanted in TOPICS.items():
        here = [known[id] for id in wanted if id in known]
        if here and hosts:
            topics.append({"name": name, "controls": here})
    return topics
