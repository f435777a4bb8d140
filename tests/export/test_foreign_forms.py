"""HDF, OCSF, DefectDojo and OpenMetrics: verdicts by the form's own means, none better than it is.

The readers of these forms that are no Python libraries are run by `make readers`.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from py_ocsf_models.events.findings.compliance_finding import ComplianceFinding

from collector.export import exporter
from collector.export.envelope import Identity
from collector.model import Finding, Lang, Method, Result, Text
from collector.scope import Part, Scope, scope_of
from collector.verify.policy import FRESH_DAYS
from tests.export.findings import AT, CONTROL, HOSTILE, HOSTS, STATUSES, finding, waiver

ROOT = Path(__file__).parents[2]
LANGS = get_args(Lang)
SAMPLE = re.compile(r'([a-z_]+)(?:\{((?:[a-z]+="(?:[^"\\]|\\[\\"n])*",?)+)\})? (-?\d+) (\d+)')
MORE = (scope_of(["backup.fresh"], 2), (), Identity("P-1", "ab" * 32))
ALL: list[Finding] = [f for findings in HOSTS.values() for f in findings]


def made(
    form: str, lang: Lang = "en", hosts: Any = HOSTS, more: tuple[Any, ...] = (), at: Any = AT
) -> str:
    return exporter(form)(hosts, dict.fromkeys(hosts, at), lang, STATUSES, *more)


def of_one(form: str, found: Finding, lang: Lang = "en", at: Any = AT) -> Any:
    return json.loads(made(form, lang, {found.host: [found]}, at=at))


# --- HDF -----------------------------------------------------------------------------------------


def test_hdf_has_a_profile_a_host_and_a_state_a_verdict() -> None:
    document = json.loads(made("hdf"))
    assert len(document["profiles"]) == len(HOSTS)
    first = document["profiles"][0]
    assert first["name"] == "web-1"
    states = [control["results"][0]["status"] for control in first["controls"]]
    assert states == [
        "passed", "failed", "failed", "skipped", "error", "skipped", "failed", "failed",
    ]  # fmt: skip
    impacts = [control["impact"] for control in first["controls"]]
    # only what does not apply has none, which is how Heimdall knows it
    assert [n for n, impact in enumerate(impacts) if impact == 0] == [3]
    assert impacts[1] == 0.9, "a veto control is critical"
    for control in first["controls"]:
        assert control["tags"]["nist"][0] == "IA-5(1)"
        assert "old:$1$:14000" in control["results"][0]["message"]


def test_hdf_keeps_a_waived_failure_failed() -> None:
    for days, message in ((30, "stands"), (-1, "has expired")):
        found = finding("a", Result.FAIL, waiver=waiver("a", days))
        (control,) = of_one("hdf", found)["profiles"][0]["controls"]
        assert control["results"][0]["status"] == "failed"
        assert control["waiver_data"]["skipped_due_to_waiver"] is False
        assert control["waiver_data"]["message"].startswith(f"the waiver {message}")
        assert "Wang An" in control["waiver_data"]["justification"]


# --- OCSF ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", LANGS)
def test_py_ocsf_models_reads_every_event(lang: Lang) -> None:
    events = [ComplianceFinding.model_validate(e) for e in json.loads(made("ocsf", lang))]
    assert len(events) == len(ALL)
    told = [e.compliance.status_id for e in events]
    assert [None if t is None else t.name for t in told] == [
        "Pass", "Fail", "Fail", "Other", "Warning", "Warning", "Fail", "Fail", "Fail",
    ]  # fmt: skip
    for event, found in zip(events, ALL, strict=True):
        assert event.metadata.version == "1.5.0"
        assert event.status_code == str(found.result)
        passed = event.compliance.assessments[0].meets_criteria
        assert passed is (found.result is Result.PASS)
        assert event.time == int(AT.timestamp() * 1000)
    names = [e.severity_id.name for e in events]
    assert names[:2] == ["Informational", "Critical"]
    assert names[4] == "Medium", "what could not be checked weighs as its control does"
    assert [e.status_id.name for e in events if e.status_id][6:8] == ["Suppressed", "New"]


def test_ocsf_knows_a_finding_again() -> None:
    old = finding("数据库-1", Result.FAIL)
    new = replace(old, result=Result.PASS, message=Text("好", "good"), evidence=())
    first, second = of_one("ocsf", old)[0], of_one("ocsf", new, at=AT + timedelta(days=1))[0]
    assert first["finding_info"]["uid"] == second["finding_info"]["uid"]
    assert first["metadata"]["uid"] != second["metadata"]["uid"]
    assert of_one("ocsf", old)[0] == first
    assert first["resources"][0]["name"] == "数据库-1"
    other = of_one("ocsf", finding("数据库-2", Result.FAIL))[0]
    assert other["finding_info"]["uid"] != first["finding_info"]["uid"]


def test_ocsf_tells_how_it_is_known() -> None:
    found = replace(finding("a", Result.PASS), method=Method.ATTESTED)
    (event,) = of_one("ocsf", found)
    assert event["compliance"]["assessments"][0]["category"] == "attested"
    assert event["unmapped"]["known_by"] == "attested"


# --- DefectDojo ----------------------------------------------------------------------------------


def hashed(found: dict[str, Any]) -> tuple[Any, ...]:
    """What DefectDojo knows a finding of this kind by (compute_hash_code_legacy, and service)."""
    names = ("title", "cwe", "line", "file_path", "description", "service")
    return tuple(found.get(name) for name in names)


def test_defectdojo_lists_what_is_not_satisfied() -> None:
    found = json.loads(made("defectdojo"))["findings"]
    kept = [f for f in ALL if f.result not in (Result.PASS, Result.NOTAPPLICABLE)]
    assert len(found) == len(kept)
    for entry, known in zip(found, kept, strict=True):
        assert f"verdict-{known.result}" in entry["tags"]
        assert entry["verified"] is (known.result in (Result.FAIL, Result.PARTIAL))
    assert [e["severity"] for e in found[:4]] == ["Critical", "Medium", "Medium", "Info"]
    waived = [(e["active"], e["risk_accepted"]) for e in found[4:6]]
    assert waived == [(False, True), (True, False)], "one waiver stands, the other has expired"


def test_defectdojo_knows_a_finding_again() -> None:
    old = finding("web-1.example", Result.FAIL)
    new = replace(old, result=Result.ERROR, message=Text("别的", "another"), evidence=())
    first = of_one("defectdojo", old)["findings"][0]
    second = of_one("defectdojo", new, at=AT + timedelta(days=9))["findings"][0]
    assert hashed(first) == hashed(second)
    assert first["unique_id_from_tool"] == second["unique_id_from_tool"]
    assert first["endpoints"] == [{"host": "web-1.example"}]
    other = of_one("defectdojo", finding("web-2.example", Result.FAIL))["findings"][0]
    assert hashed(first) != hashed(other)


def test_defectdojo_has_no_endpoint_of_an_odd_name_and_no_markdown_of_a_host() -> None:
    odd = finding(HOSTILE, Result.FAIL, message="[x](http://x) `a` <b>")
    found = of_one("defectdojo", replace(odd, host=HOSTILE))["findings"][0]
    assert "endpoints" not in found
    assert r"\[x\]\(http://x\) \`a\` \<b\>" in found["steps_to_reproduce"]
    lines = found["steps_to_reproduce"].splitlines()
    assert all(line.startswith("    ") for line in lines[2:]), "evidence is code to its last line"
    for name in ("host name", "a/b", "a..b", "-a", "数据库", "a:1", ""):
        assert "endpoints" not in of_one("defectdojo", finding(name, Result.FAIL))["findings"][0]


# --- OpenMetrics ---------------------------------------------------------------------------------


def samples(text: str) -> Iterator[tuple[str, int, int]]:
    for line in text.splitlines():
        if not line.startswith("#"):
            sample = SAMPLE.fullmatch(line)
            assert sample, line
            yield sample[1], int(sample[3]), int(sample[4])


@pytest.mark.parametrize("lang", LANGS)
def test_openmetrics_has_the_samples_of_prometheus_and_their_times(lang: Lang) -> None:
    text = made("openmetrics", lang, more=MORE)
    plain = made("prometheus", lang, more=MORE)
    assert text.endswith("\n# EOF\n")
    found = list(samples(text))
    assert {at for _, _, at in found} == {int(AT.timestamp())}
    names = Counter(name for name, _, _ in found)
    assert names == Counter(
        re.split(r"[{ ]", line)[0] for line in plain.splitlines() if not line.startswith("#")
    )
    heads = [line for line in text.splitlines() if line.startswith("#")]
    assert all(re.match(r"# (TYPE|UNIT|HELP|EOF)", line) for line in heads)
    assert "# TYPE hostpledge_evidence info" in heads


def test_until_when_a_failure_is_waived_is_told_as_long_as_it_is() -> None:
    """Nobody may export again on the day when it ends."""
    for days, told in ((9, True), (-9, False)):
        hosts = {"b": [finding("b", Result.FAIL, waiver=waiver("b", days))]}
        end = int((AT + timedelta(days=days)).timestamp())
        line = f'hostpledge_waived_until_timestamp_seconds{{host="b",control="{CONTROL}"}} {end}'
        for form in ("prometheus", "openmetrics"):
            assert (line in made(form, hosts=hosts)) is told


# --- rules and the dashboard ---------------------------------------------------------------------


def expressions() -> dict[str, str]:
    rules = yaml.safe_load((ROOT / "packaging/grafana/hostpledge.rules.yml").read_text())
    board = json.loads((ROOT / "packaging/grafana/hostpledge.dashboard.json").read_text())
    return {r["alert"]: r["expr"] for group in rules["groups"] for r in group["rules"]} | {
        panel["title"]: target["expr"] for panel in board["panels"] for target in panel["targets"]
    }


def exported() -> dict[str, set[str]]:
    """Every metric there is, with its labels."""
    found: dict[str, set[str]] = {}
    hosts = {
        "a": [finding("a", Result.PASS)],
        "b": [finding("b", Result.FAIL, waiver=waiver("b", 9))],
    }
    for line in made("prometheus", hosts=hosts, more=MORE).splitlines():
        if not line.startswith("#"):
            labels = set(re.findall(r'[{,]([a-z]+)="', line))
            found.setdefault(re.split(r"[{ ]", line)[0], set()).update(labels)
    return found


@pytest.mark.parametrize(("name", "text"), expressions().items())
def test_rules_and_dashboard_rest_on_what_is_exported(name: str, text: str) -> None:
    there = exported()
    used = re.findall(r"(hostpledge_\w+)(?:\{([^}]*)\})?", text)
    assert used, name
    for metric, matchers in used:
        assert metric in there
        assert set(re.findall(r"(\w+)\s*[=!]", matchers)) <= there[metric]
    grouped = {n for by in re.findall(r"by \(([^)]*)\)", text) for n in by.split(", ")}
    assert grouped <= set.union(*(there[metric] for metric, _ in used))


def test_every_metric_is_in_a_rule_or_the_dashboard() -> None:
    used = {m for text in expressions().values() for m in re.findall(r"hostpledge_\w+", text)}
    assert used == set(exported())


def test_a_declared_host_that_was_not_looked_at_has_a_series() -> None:
    """Nothing could be alerted on else: all that was looked at may pass."""
    hosts = {"a": [finding("a", Result.PASS)]}
    parts = {"2.2": Part(26, 26), "2.3": Part(3, 18)}
    absent = 'hostpledge_host_complete{host="web-01",status="absent",provenance="none"'
    for form in ("prometheus", "openmetrics"):
        text = made(form, hosts=hosts, more=(Scope(2, parts, ("web-01", "a")),))
        assert f"{absent}}} 0" in text
        assert text.count('status="absent"') == 1
        assert 'clause_judged_whole{clause="2.2",grade="2"} 0' in text
        text = made(form, hosts=hosts, more=(Scope(2, parts),))
        assert "absent" not in text
        assert 'clause_judged_whole{clause="2.2",grade="2"} 1' in text
        assert 'clause_judged_whole{clause="2.3",grade="2"} 0' in text


def test_no_panel_makes_a_zero_of_no_data() -> None:
    assert not [name for name, text in expressions().items() if "vector(" in text]


def test_a_waiver_that_ended_counts_where_failures_are_counted() -> None:
    for name, text in expressions().items():
        if 'waived="no"' in text:
            ended = "hostpledge_waived_until_timestamp_seconds <= time()"
            assert ended in " ".join(text.split()), name


def test_every_alert_is_tried_and_they_share_the_registers_numbers() -> None:
    tried = (ROOT / "tests/readers/hostpledge.rules.test.yml").read_text()
    fires = {
        test["alertname"]
        for part in yaml.safe_load(tried)["tests"]
        for test in part["alert_rule_test"]
        if test.get("exp_alerts")
    }
    rules = yaml.safe_load((ROOT / "packaging/grafana/hostpledge.rules.yml").read_text())
    alerts: Sequence[Any] = [rule for group in rules["groups"] for rule in group["rules"]]
    assert fires == {rule["alert"] for rule in alerts}
    (stale,) = [rule["expr"] for rule in alerts if rule["alert"] == "HostpledgeStale"]
    assert f"> {FRESH_DAYS} * 86400" in stale
    for rule in alerts:
        assert set(rule["annotations"]) == {"summary", "summary_zh"}
