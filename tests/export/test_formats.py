"""Every format: complete, the same each time, in both languages, and safe against its input.

The shapes of SARIF and OSCAL are checked here by structure; the documents were also held against
the OASIS schema of SARIF 2.1.0 and the strict OSCAL models of compliance-trestle 5.2.
"""

from __future__ import annotations

import csv
import io
import json
import re
from typing import Any, get_args
from uuid import UUID
from xml.etree import ElementTree as ET

import pytest
from rich.cells import cell_len

from collector.export import FORMATS, exporter, table, worst_first
from collector.model import HostStatus, Lang, Result
from tests.export.findings import AT, CONTROL, HOSTILE, HOSTS, STATUSES, TIMES, finding

LANGS = get_args(Lang)


def made(form: str, lang: Lang = "en", hosts: Any = HOSTS) -> str:
    return exporter(form)(hosts, dict.fromkeys(hosts, AT), lang, STATUSES)


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("lang", LANGS)
def test_the_same_findings_give_the_same_text(form: str, lang: Lang) -> None:
    assert made(form, lang) == made(form, lang)
    made(form, lang).encode("utf-8")


@pytest.mark.parametrize("form", FORMATS)
def test_no_hosts_at_all(form: str) -> None:
    assert exporter(form)({}, {}, "zh", {}).strip()


@pytest.mark.parametrize("form", FORMATS)
def test_the_languages_differ_and_chinese_is_chinese(form: str) -> None:
    # without what was written by a customer, which stays as it was written
    plain = {"web-1": [finding("web-1", Result.FAIL)]}
    zh, en = made(form, "zh", plain), made(form, "en", plain)
    assert zh != en
    if form not in ("prometheus", "openmetrics"):  # its samples hold no texts
        assert "使用弱算法" in zh
    if form != "sarif":  # its rules carry both languages on purpose
        assert not re.search("[\u4e00-\u9fff]", en)


# --- json ----------------------------------------------------------------------------------------


def test_json_holds_what_the_contract_says() -> None:
    document = json.loads(made("json"))
    assert list(document["hosts"]) == ["web-1", HOSTILE, "quiet"]
    host = document["hosts"]["web-1"]
    assert host["assessed_at"] == "2026-11-25T04:00:00Z"
    assert document["hosts"][HOSTILE]["status"] == "lost"
    for entry in host["findings"]:
        assert isinstance(entry["message"], str)
        assert {"control", "verdict", "method", "message", "evidence"} <= set(entry)
    assert host["clauses"] == {
        "2.4": {
            "verdict": "fail",
            "counts": {
                "error": 1,
                "fail": 3,
                "notapplicable": 1,
                "notchecked": 1,
                "partial": 1,
                "pass": 1,
            },
        }
    }
    assert document["hosts"]["quiet"]["findings"] == []


# --- junit ---------------------------------------------------------------------------------------


def test_junit_counts_and_survives_a_hostile_host() -> None:
    root = ET.fromstring(made("junit"))
    assert root.tag == "testsuites"
    # no `skipped` of all suites: the schema that Jenkins holds it to has none
    assert root.attrib == {
        "name": "hostpledge", "tests": "9", "failures": "4", "errors": "1", "time": "0",
    }  # fmt: skip
    assert [suite.get("skipped") for suite in root] == ["3", "0", "0"]
    first, hostile, quiet = root
    assert quiet.get("tests") == "0"
    assert [len(case) for case in first.iter("testcase")] == [0, 1, 1, 1, 1, 1, 1, 1]
    kinds = [case[0].tag if len(case) else "passed" for case in first.iter("testcase")]
    assert kinds == [
        "passed",
        "failure",
        "failure",
        "skipped",
        "error",
        "skipped",
        "skipped",
        "failure",
    ]
    assert "waived until" in (first.findall("testcase")[6][0].get("message") or "")
    assert hostile.get("name") == "<script>alert(1)</script>\\x1b[31m\\x202e&\"'"
    assert "\x01" not in made("junit")
    assert "\ufffe" not in made("junit")


# --- sarif ---------------------------------------------------------------------------------------


def test_sarif_has_a_result_for_each_finding_that_is_not_satisfied() -> None:
    document = json.loads(made("sarif"))
    (run,) = document["runs"]
    assert document["version"] == "2.1.0"
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == [CONTROL]
    assert set(rules[0]["properties"]["title"]) == {"zh", "en"}
    results = run["results"]
    verdicts = [r["properties"]["verdict"] for r in results]
    assert verdicts == ["fail", "partial", "error", "notchecked", "fail", "fail", "fail"]
    # what could not be looked at must not be hidden by a level of `none`
    assert [r["level"] for r in results] == ["error", "warning", "warning", "note"] + [
        "warning"
    ] * 3
    for result in results:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        (place,) = result["locations"]
        uri = place["physicalLocation"]["artifactLocation"]["uri"]
        assert uri.endswith("/etc/shadow")
        assert re.fullmatch(r"[A-Za-z0-9._~/%-]+", uri)
    suppressed = [r["suppressions"][0]["status"] for r in results if "suppressions" in r]
    assert suppressed == ["accepted", "rejected"]


# --- oscal ---------------------------------------------------------------------------------------

_TOKEN = re.compile(r"[^\W\d]([\w.-])*")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def test_oscal_findings_rest_on_observations_of_known_hosts() -> None:
    document = json.loads(made("oscal"))["assessment-results"]
    assert document["metadata"]["oscal-version"] == "1.2.1"
    (result,) = document["results"]
    hosts = {item["uuid"] for item in result["local-definitions"]["inventory-items"]}
    assert len(hosts) == 3
    seen = {o["uuid"]: o for o in result["observations"]}
    for observation in seen.values():
        assert _TIME.fullmatch(observation["collected"])
        assert {s["subject-uuid"] for s in observation["subjects"]} <= hosts
        assert set(observation["methods"]) <= {"EXAMINE", "INTERVIEW", "TEST"}
    states = []
    for found in result["findings"]:
        assert {r["observation-uuid"] for r in found["related-observations"]} <= set(seen)
        assert _TOKEN.fullmatch(found["target"]["target-id"])
        states.append(found["target"]["status"]["state"])
    # satisfied: the pass and the not applicable; the waived one is not, and says who bears it
    assert states.count("satisfied") == 2
    assert any("waived" in f.get("remarks", "") for f in result["findings"])
    resource = document["back-matter"]["resources"][0]
    assert document["import-ap"]["href"] == f"#{resource['uuid']}"


def test_oscal_identifiers_are_uuids_that_stay() -> None:
    def uuids(value: Any) -> list[str]:
        if isinstance(value, dict):
            own = [v for k, v in value.items() if k.endswith("uuid")]
            return own + [u for v in value.values() for u in uuids(v)]
        return [u for v in value for u in uuids(v)] if isinstance(value, list) else []

    found = uuids(json.loads(made("oscal")))
    assert {UUID(u).version for u in found} == {5}
    assert found == uuids(json.loads(made("oscal")))


# --- csv -----------------------------------------------------------------------------------------


def test_csv_is_rfc_4180_with_no_byte_order_mark_and_no_formula() -> None:
    text = made("csv")
    assert not text.startswith("\ufeff")
    assert text.count("\r\n") == 10
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert len(rows) == 9
    assert [row["verdict"] for row in rows][:3] == ["pass", "fail", "partial"]
    assert rows[4]["message"] == '\'=HYPERLINK("http://x","y")'


@pytest.mark.parametrize("start", [*"=+-@＝＋－＠", "\t=", "\r="])
def test_csv_cell_is_never_a_formula(start: str) -> None:
    hosts = {f"{start}1+1": [finding(f"{start}1+1", Result.PASS)]}
    row = list(csv.reader(io.StringIO(made("csv", "en", hosts), newline="")))[1]
    assert row[0].startswith(("'", "\\"))


# --- table ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", LANGS)
def test_table_fits_80_columns_and_holds_no_escape(lang: Lang) -> None:
    text = made("table", lang)
    assert all(cell_len(line) <= 80 for line in text.splitlines())
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f\u202e]", text)


def test_table_shows_the_worst_first_with_sign_and_word() -> None:
    lines = made("table").splitlines()
    place = next(n for n, line in enumerate(lines) if CONTROL in line)
    assert lines[place].startswith("✗ fail")
    assert lines[place + 1] == "    [veto] weak: old (1)"
    assert lines[place + 2] == "    mend: set ENCRYPT_METHOD"
    assert "cut off" in made("table"), "what became of the collection"
    assert "waived until 2026-12-25T04:00:00Z: being replaced" in " ".join(made("table").split())


def test_table_has_colour_only_when_asked() -> None:
    assert "\x1b[" not in table.export(HOSTS, TIMES, "en", STATUSES)
    assert "\x1b[" in table.export(HOSTS, TIMES, "en", STATUSES, colour=True)


def test_worst_first_puts_veto_before_severity() -> None:
    order = [(f.result, f.veto) for f in worst_first(HOSTS["web-1"])]
    assert order[0] == (Result.FAIL, True)
    assert [result for result, _ in order][-2:] == [Result.PASS, Result.NOTAPPLICABLE]


def test_statuses_default_to_complete() -> None:
    document = json.loads(exporter("json")(HOSTS, TIMES, "en", {}))
    assert {h["status"] for h in document["hosts"].values()} == {str(HostStatus.COMPLETE)}
