"""Every format, read by the programs and libraries that others read it with.

OpenSCAP brings the official schema of XCCDF 1.2 and validates with it; promtool is Prometheus' own;
the strict models of compliance-trestle are made of the official schema of OSCAL.
"""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
import sqlite3
import subprocess
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any, get_args
from xml.etree import ElementTree as ET

import junitparser
import pytest
from sarif_pydantic import Sarif
from trestle.common.err import TrestleError
from trestle.oscal.assessment_results import AssessmentResults

from collector import schema
from collector.errors import BadInput
from collector.export import ORDER, exporter
from collector.model import Lang, Result
from tests.export.findings import AT, CONTROL, HOSTILE, HOSTS, STATUSES, TIMES, finding, waiver

LANGS = get_args(Lang)
NAMESPACE = {"x": "http://checklists.nist.gov/xccdf/1.2"}
SAMPLE = re.compile(r'([a-z_]+)\{((?:[a-z]+="(?:[^"\\]|\\[\\"n])*",?)*)\} (-?\d+)')
LABEL = re.compile(r'([a-z]+)="((?:[^"\\]|\\[\\"n])*)"')

oscap = pytest.mark.skipif(shutil.which("oscap") is None, reason="openscap-scanner is not there")
promtool = pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not there")


def ran(*command: str | Path, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        list(map(str, command)), input=stdin, capture_output=True, text=True, check=False
    )


# --- XCCDF ---------------------------------------------------------------------------------------


def xccdf(lang: Lang = "en") -> str:
    return exporter("xccdf")(HOSTS, TIMES, lang, STATUSES)


@oscap
@pytest.mark.parametrize("lang", LANGS)
def test_openscap_validates_and_reads_the_results(tmp_path: Path, lang: Lang) -> None:
    file = tmp_path / "results.xml"
    file.write_text(xccdf(lang), encoding="utf-8")
    validated = ran("oscap", "xccdf", "validate", file)
    assert (validated.returncode, validated.stderr) == (0, "")
    warnings = [line for line in validated.stdout.splitlines() if line.startswith("Warning")]
    # the form that it prefers is one that its own copy of the schema refuses
    assert [line for line in warnings if "CPE URI binding" not in line] == []
    seen = ran("oscap", "info", file)
    assert seen.returncode == 0
    assert "XCCDF Checklist" in seen.stdout
    assert "Test Results" in seen.stdout


@oscap
def test_openscap_makes_its_report_of_a_host(tmp_path: Path) -> None:
    file = tmp_path / "results.xml"
    file.write_text(
        exporter("xccdf")({"web-1": HOSTS["web-1"]}, TIMES, "en", STATUSES), encoding="utf-8"
    )
    report = ran("oscap", "xccdf", "generate", "report", file)
    assert report.returncode == 0
    assert re.search(r"Evaluation target.{0,60}web-1", report.stdout, re.DOTALL)
    assert f"xccdf_hostpledge_rule_{CONTROL}" in report.stdout
    assert "weak: old (1)" in report.stdout


@oscap
def test_openscap_refuses_what_is_not_in_the_schema(tmp_path: Path) -> None:
    file = tmp_path / "results.xml"
    file.write_text(xccdf().replace(">fail</result>", ">partial</result>"), encoding="utf-8")
    assert ran("oscap", "xccdf", "validate", file).returncode != 0


def test_every_finding_is_a_rule_result_and_no_shortfall_is_a_pass() -> None:
    root = ET.fromstring(xccdf())
    results = root.findall("x:TestResult", NAMESPACE)
    assert len(results) == len(HOSTS)
    for held, (name, findings) in zip(results, HOSTS.items(), strict=True):
        assert name == HOSTILE or held.findtext("x:target", namespaces=NAMESPACE) == name
        told = [r.findtext("x:result", namespaces=NAMESPACE) for r in held.iter() if _is(r)]
        words = {Result.PARTIAL: "fail"}
        assert told == [words.get(f.result, str(f.result)) for f in findings]
        score = held.find("x:score", NAMESPACE)
        assert score is not None
        assert score.text == str(sum(f.result is Result.PASS for f in findings))


def _is(element: ET.Element) -> bool:
    return element.tag.endswith("}rule-result")


def test_a_waived_failure_stays_a_failure_and_names_the_waiver() -> None:
    shown = {"a": [finding("a", Result.FAIL, waiver=waiver("a", 9))]}
    root = ET.fromstring(exporter("xccdf")(shown, {"a": AT}, "en", {}))
    (result,) = [r for r in root.iter() if _is(r)]
    assert result.findtext("x:result", namespaces=NAMESPACE) == "fail"
    messages = [m.text or "" for m in result.findall("x:message", NAMESPACE)]
    assert any("being replaced (Wang An)" in text for text in messages)
    expired = {"a": [finding("a", Result.FAIL, waiver=waiver("a", -1))]}
    assert "being replaced" not in exporter("xccdf")(expired, {"a": AT}, "en", {})


# --- Prometheus ----------------------------------------------------------------------------------


def prometheus(lang: Lang = "en") -> str:
    return exporter("prometheus")(HOSTS, TIMES, lang, STATUSES)


def samples(text: str) -> list[tuple[str, dict[str, str], int]]:
    found = []
    for line in text.splitlines():
        if not line.startswith("#"):
            sample = SAMPLE.fullmatch(line)
            assert sample, line
            found.append((sample[1], dict(LABEL.findall(sample[2])), int(sample[3])))
    return found


@promtool
@pytest.mark.parametrize("lang", LANGS)
def test_promtool_takes_the_metrics(lang: Lang) -> None:
    checked = ran("promtool", "check", "metrics", stdin=prometheus(lang))
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


@promtool
def test_promtool_refuses_two_samples_of_one_series() -> None:
    text = prometheus()
    again = next(line for line in text.splitlines() if line.startswith("hostpledge_finding{"))
    checked = ran("promtool", "check", "metrics", stdin=f"{text}{again}\n")
    assert checked.returncode != 0


def test_no_series_stands_twice_and_every_verdict_has_one() -> None:
    found = samples(prometheus())
    series = [(name, tuple(sorted(labels.items()))) for name, labels, _ in found]
    assert len(series) == len(set(series))
    counts = [(labels, value) for name, labels, value in found if name == "hostpledge_findings"]
    assert {labels["verdict"] for labels, _ in counts} == set(map(str, ORDER))
    for name, findings in HOSTS.items():
        if name != HOSTILE:
            assert sum(v for labels, v in counts if labels["host"] == name) == len(findings)


def test_a_hostile_name_stays_inside_its_label() -> None:
    text = exporter("prometheus")(
        {'a"} 1\nevil{x="\\': [finding("a", Result.FAIL)]}, {'a"} 1\nevil{x="\\': AT}, "en", {}
    )
    assert all(name.startswith("hostpledge_") for name, _, _ in samples(text))


def test_no_hosts_have_no_samples() -> None:
    assert samples(exporter("prometheus")({}, {}, "en", {})) == []


# --- OSCAL, SARIF, JUnit, CSV, JSON --------------------------------------------------------------


@pytest.mark.parametrize("lang", LANGS)
def test_trestle_reads_the_assessment_results(tmp_path: Path, lang: Lang) -> None:
    file = tmp_path / "assessment-results.json"
    file.write_text(exporter("oscal")(HOSTS, TIMES, lang, STATUSES), encoding="utf-8")
    read = AssessmentResults.oscal_read(file)
    assert read is not None
    (result,) = read.results
    states = [finding.target.status.state for finding in result.findings]
    assert len(states) == sum(map(len, HOSTS.values())) == len(result.observations)
    good = (Result.PASS, Result.NOTAPPLICABLE)
    satisfied = sum(f.result in good for found in HOSTS.values() for f in found)
    assert [str(getattr(s, "value", s)) for s in states].count("satisfied") == satisfied
    # written again by trestle it says the same
    again = tmp_path / "again.json"
    read.oscal_write(again)
    written = json.loads(again.read_text(encoding="utf-8"))
    assert same(written) == same(json.loads(file.read_text(encoding="utf-8")))


def same(value: Any) -> Any:
    """Times of one moment are one, however their zone is written."""
    if isinstance(value, dict):
        return {name: same(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [same(inner) for inner in value]
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\dT[0-9:.]+(Z|[+-]\d\d:\d\d)", value):
        return datetime.fromisoformat(value)
    return value


def test_trestle_refuses_what_is_not_in_the_schema(tmp_path: Path) -> None:
    file = tmp_path / "assessment-results.json"
    document = json.loads(exporter("oscal")(HOSTS, TIMES, "en", STATUSES))
    document["assessment-results"]["results"][0]["invented"] = "x"
    file.write_text(json.dumps(document))
    with pytest.raises(TrestleError):
        AssessmentResults.oscal_read(file)


@pytest.mark.parametrize("lang", LANGS)
def test_sarif_is_read_as_objects(lang: Lang) -> None:
    read = Sarif.model_validate_json(exporter("sarif")(HOSTS, TIMES, lang, STATUSES))
    (run,) = read.runs
    known = {rule.id for rule in run.tool.driver.rules or ()}
    for result in run.results or ():
        assert result.rule_id in known
        assert result.message.text
    shortfalls = (Result.FAIL, Result.PARTIAL, Result.ERROR)
    expected = sum(f.result in shortfalls for found in HOSTS.values() for f in found)
    assert len(run.results or ()) >= expected


@pytest.mark.parametrize("lang", LANGS)
def test_junitparser_counts_as_we_do(lang: Lang) -> None:
    text = exporter("junit")(HOSTS, TIMES, lang, STATUSES)
    read = junitparser.JUnitXml.fromstring(text.encode())
    skipped = sum(suite.skipped for suite in read)
    told = (read.tests, read.failures, read.errors, skipped)
    cases = [case for suite in read for case in suite]
    kinds = Counter(type(case.result[0]).__name__ if case.result else "Passed" for case in cases)
    assert told == (len(cases), kinds["Failure"], kinds["Error"], kinds["Skipped"])
    assert kinds["Passed"] == sum(
        f.result is Result.PASS for found in HOSTS.values() for f in found
    )


@pytest.mark.parametrize("lang", LANGS)
def test_csv_is_one_row_a_finding_in_a_database(lang: Lang) -> None:
    text = exporter("csv")(HOSTS, TIMES, lang, STATUSES)
    head, *rows = csv.reader(io.StringIO(text, newline=""))
    base = sqlite3.connect(":memory:")
    base.execute(f"CREATE TABLE f ({', '.join(f'c{n}' for n in range(len(head)))})")
    base.executemany(f"INSERT INTO f VALUES ({', '.join('?' * len(head))})", rows)
    (count,) = base.execute("SELECT count(*) FROM f").fetchone()
    assert count == sum(map(len, HOSTS.values()))
    verdicts = {row[0] for row in base.execute("SELECT DISTINCT c5 FROM f")}
    assert verdicts == {str(f.result) for found in HOSTS.values() for f in found}


@pytest.mark.parametrize("lang", LANGS)
def test_json_is_of_its_published_schema(lang: Lang) -> None:
    document = json.loads(exporter("json")(HOSTS, TIMES, lang, STATUSES))
    schema.check(document, "assessment", where="findings")
    document["hosts"]["web-1"]["findings"][0]["message"] = {"zh": "x", "en": "x"}
    with pytest.raises(BadInput):
        schema.check(document, "assessment", where="findings")
    schema.check(json.loads(exporter("json")({}, {}, lang, {})), "assessment", where="nothing")
