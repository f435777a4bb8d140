"""One function a reader: it gets the folder of `documents.write`, and returns its own version.

Each raises AssertionError where a reader refuses a document or understands it otherwise than it was
meant, and CannotRun where the reader is not there.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

from openpyxl import load_workbook

from collector.export.ocsf import VERSION as OCSF
from collector.model import Result
from tests.fleet.machine import CannotRun, cache_dir
from tests.readers import container, documents, dojo
from tests.readers.ocsf_schema import Schema

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
# what the validator of SARIF says that we do not mend: there is no site of the tool, and no line
# number of what is quoted (docs/exports.md)
_LEFT = {"SARIF2005", "SARIF2017"}
_SATISFIED = (Result.PASS, Result.NOTAPPLICABLE)


def node() -> Path:
    """The folder with the readers of npm, set up once for what package.json names."""
    folder = cache_dir() / "readers-node"
    folder.mkdir(parents=True, exist_ok=True)
    wanted = (HERE / "node/package.json").read_text()
    held = folder / "package.json"
    if not held.exists() or held.read_text() != wanted or not (folder / "node_modules").exists():
        if shutil.which("npm") is None:
            raise CannotRun("npm is not there")
        held.write_text(wanted)
        # no script of a package is run
        ran("npm", "install", "--no-fund", "--no-audit", "--ignore-scripts", "--legacy-peer-deps",
            folder=folder)  # fmt: skip
    for file in ("hdf.cjs", "view.js"):
        shutil.copy(HERE / "node" / file, folder / file)
    return folder


def package(name: str) -> str:
    found = json.loads((node() / "node_modules" / name / "package.json").read_text())
    return str(found["version"])


def source(name: str) -> Path:
    place = Path(os.environ.get("SOURCES", "/nowhere")) / name
    if not place.exists():
        raise CannotRun(f"SOURCES names no folder with {name}")
    return place


def commit(folder: Path) -> str:
    return ran("git", "describe", "--tags", "--always", folder=folder).strip()


def ran(*command: str | Path, folder: Path, allowed: tuple[int, ...] = (0,)) -> str:
    env = {**os.environ, "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1"}
    done = subprocess.run(
        list(map(str, command)), cwd=folder, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode in allowed, (done.stdout + done.stderr)[-3000:]
    return done.stdout + done.stderr


def each(folder: Path, form: str) -> Iterator[str]:
    for lang in documents.LANGS:
        yield (folder / f"{form}.{lang}").read_text(encoding="utf-8")


def findings() -> list[Any]:
    return [f for found in documents.findings()[0].values() for f in found]


# --- npm -----------------------------------------------------------------------------------------


def sarif_multitool(folder: Path) -> str:
    program = node() / "node_modules/@microsoft/sarif-multitool-linux/Sarif.Multitool"
    program.chmod(0o755)
    for lang in documents.LANGS:
        file = folder / f"{lang}.sarif"
        shutil.copy(folder / f"sarif.{lang}", file)
        told = ran(program, "validate", file, "--rule-kind", "Sarif;Ghas", folder=folder)
        said = set(re.findall(r"(?:error|warning|note) ([A-Z]+\d+)", told))
        # what it cannot read at all it passes over in silence, and then leaves nothing to be said
        assert said == _LEFT, said ^ _LEFT
        assert ": error " not in told
    return package("@microsoft/sarif-multitool")


def sarif_viewer(folder: Path) -> str:
    """Rendered by Chromium: each host and rule stands there, and nothing that a host named acts."""
    if shutil.which("chromium") is None:
        raise CannotRun("chromium is not there")
    place = node()
    ran("node_modules/.bin/esbuild", "view.js", "--bundle", "--outfile=view.out.js",
        "--loader:.js=jsx", "--loader:.woff=dataurl", "--loader:.woff2=dataurl",
        "--loader:.ttf=dataurl", '--define:process.env.NODE_ENV="production"',
        "--define:global=window", folder=place)  # fmt: skip
    text = (folder / "sarif.zh").read_text(encoding="utf-8").replace("</", "<\\/")
    page = folder / "sarif.html"
    page.write_text(
        '<!doctype html><meta charset="utf-8"><div id="app"></div>'
        f"<script>window.LOG={text}</script><script>{_script(place)}</script>",
        encoding="utf-8",
    )
    shown = ran(
        "timeout", "120", "chromium", "--headless", "--no-sandbox", "--disable-gpu",
        "--virtual-time-budget=10000", "--dump-dom", page.as_uri(), folder=folder,
    )  # fmt: skip
    body = shown.split('id="app"', 1)[1].split("<script>window.LOG", 1)[0]
    assert "encryption.password_hash" in body
    assert "数据库-1" in body or "不符合" in body
    assert "<script>alert(1)" not in body
    return package("@microsoft/sarif-web-component")


def _script(place: Path) -> str:
    return (place / "view.out.js").read_text(encoding="utf-8").replace("</script", "<\\/script")


def hdf(folder: Path) -> dict[str, Any]:
    place = node()
    told: dict[str, Any] = {}
    for lang in documents.LANGS:
        done = subprocess.run(
            ["node", "hdf.cjs", folder / f"hdf.{lang}"],
            cwd=place, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-2000:]
        told = json.loads(done.stdout)
    return told


def inspecjs(folder: Path) -> str:
    words = {
        Result.PASS: "Passed",
        Result.PARTIAL: "Failed",
        Result.FAIL: "Failed",
        Result.ERROR: "Profile Error",
        Result.NOTCHECKED: "Not Reviewed",
        Result.NOTAPPLICABLE: "Not Applicable",
    }
    controls = hdf(folder)["controls"]
    assert len(controls) == len(findings())
    for control, found in zip(controls, findings(), strict=True):
        assert control["status"] == words[found.result], control
        assert control["severity"] == ("critical" if found.veto else str(found.severity))
    return package("inspecjs")


def hdf_converters(folder: Path) -> str:
    kinds = Counter(hdf(folder)["asff"])
    assert kinds["PASSED"] <= sum(f.result is Result.PASS for f in findings())
    assert kinds["FAILED"] >= sum(f.result is Result.FAIL for f in findings())
    return package("@mitre/hdf-converters")


# --- Python --------------------------------------------------------------------------------------


def tests_of(*names: str, of: str) -> str:
    """Readers that our own tests run: nothing here says it a second time."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *names],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:]
    assert "skipped" not in done.stdout, done.stdout[-500:]
    return version(of)


def trestle(folder: Path) -> str:
    del folder
    names = ("tests/export/test_oscal_controls.py", "tests/export/test_readers.py::"
             "test_trestle_reads_the_assessment_results")  # fmt: skip
    return tests_of(*names, of="compliance-trestle")


def sarif_pydantic(folder: Path) -> str:
    del folder
    return tests_of(
        "tests/export/test_readers.py::test_sarif_is_read_as_objects", of="sarif-pydantic"
    )


def junitparser(folder: Path) -> str:
    del folder
    return tests_of(
        "tests/export/test_readers.py::test_junitparser_counts_as_we_do", of="junitparser"
    )


def py_ocsf(folder: Path) -> str:
    from py_ocsf_models.events.findings.compliance_finding import ComplianceFinding

    for text in each(folder, "ocsf"):
        events = [ComplianceFinding.model_validate(e) for e in json.loads(text)]
        assert len(events) == len(findings())
        passed = [e.compliance.status_id.name == "Pass" for e in events]
        assert passed == [f.result is Result.PASS for f in findings()]
    return version("py-ocsf-models")


def in_toto(folder: Path) -> str:
    del folder
    return tests_of("tests/cli/test_summary.py", of="in-toto-attestation")


def openscap(folder: Path) -> str:
    if shutil.which("oscap") is None:
        raise CannotRun("openscap-scanner is not there")
    for lang in documents.LANGS:
        ran("oscap", "xccdf", "validate", folder / f"xccdf.{lang}", folder=folder)
    return ran("oscap", "--version", folder=folder).split("oscap) ")[-1].split()[0]


# --- their sources -------------------------------------------------------------------------------


def ocsf_schema(folder: Path) -> str:
    place = source("ocsf-schema")
    told = commit(place)
    assert told == OCSF, f"{told} is checked out, not {OCSF}"
    schema = Schema(place)
    for text in each(folder, "ocsf"):
        said = {line for event in json.loads(text) for line in schema.complaints(event)}
        assert not said, sorted(said)
    return told


def defectdojo(folder: Path) -> str:
    place = source("django-DefectDojo")
    kept = [f for f in findings() if f.result not in _SATISFIED]
    for text in each(folder, "defectdojo"):
        found = dojo.findings(place, text)
        assert len(found) == len(kept)
        for entry, known in zip(found, kept, strict=True):
            assert len(entry.title) <= 511
            assert len(entry.service) <= 200
            assert entry.severity in ("Critical", "High", "Medium", "Low", "Info")
            assert entry.verified is (known.result in (Result.FAIL, Result.PARTIAL))
    return commit(place)


def junit_schema(folder: Path) -> str:
    """The schema by which Jenkins' xUnit plugin takes JUnit, by xmllint in the container."""
    place = source("xunit-plugin")
    found = place / "src/main/resources/org/jenkinsci/plugins/xunit/types/model/xsd/junit-10.xsd"
    shutil.copy(found, folder / "junit.xsd")
    for lang in documents.LANGS:
        container.run(folder, f"xmllint --noout --schema junit.xsd junit.{lang}")
    return f"junit-10.xsd, {commit(place)}"


# --- the container -------------------------------------------------------------------------------


def promtool(folder: Path) -> str:
    shutil.copy(ROOT / "packaging/grafana/hostpledge.rules.yml", folder)
    shutil.copy(HERE / "hostpledge.rules.test.yml", folder)
    board = json.loads((ROOT / "packaging/grafana/hostpledge.dashboard.json").read_text())
    panels = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    rules = [{"record": f"panel:{n}", "expr": text} for n, text in enumerate(panels)]
    (folder / "board.rules.yml").write_text(
        json.dumps({"groups": [{"name": "board", "rules": rules}]}, ensure_ascii=False)
    )
    for lang in documents.LANGS:
        assert container.run(folder, f"promtool check metrics < prometheus.{lang}") == ""
    told = container.run(folder, "promtool check rules *.rules.yml")
    assert told.count("SUCCESS") == 2, told
    told = container.run(folder, "promtool test rules hostpledge.rules.test.yml")
    assert "SUCCESS" in told, told
    return _of_promtool(folder)


def openmetrics(folder: Path) -> str:
    """Prometheus' own reader of OpenMetrics: every sample is in the blocks that it makes."""
    for lang in documents.LANGS:
        script = (
            f"promtool tsdb create-blocks-from openmetrics openmetrics.{lang} /tmp/tsdb >/dev/null;"
            "mkdir -p /tmp/tsdb/wal;"
            "promtool tsdb dump --sandbox-dir-root=/tmp/tsdb /tmp/tsdb 2>/dev/null"
        )
        told = container.run(folder, script)
        text = (folder / f"openmetrics.{lang}").read_text()
        wanted = [line for line in text.splitlines() if not line.startswith("#")]
        got = [line for line in told.splitlines() if line.startswith("{")]
        assert len(got) == len(wanted), (len(got), len(wanted), told[-500:])
        assert any("数据库-1" in line for line in got)
    return _of_promtool(folder)


def _of_promtool(folder: Path) -> str:
    told = container.run(folder, "promtool --version 2>&1")
    return str(re.findall(r"version ([0-9.]+)", told)[0])


def libreoffice(folder: Path) -> str:
    """As a sheet and as a page: no cell is a formula, Chinese is Chinese, a finding is a row."""
    told = container.run(
        folder,
        "cp csv.zh sheet.csv; soffice --headless -env:UserInstallation=file:///tmp/lo "
        "--infilter='CSV:44,34,76' --convert-to xlsx sheet.csv >/dev/null 2>&1;"
        "soffice --headless -env:UserInstallation=file:///tmp/lo --convert-to pdf sheet.xlsx "
        ">/dev/null 2>&1; pdftotext -layout sheet.pdf - | grep -o '数据库-1\\|不符合' | sort -u;"
        "soffice --version",
    )
    assert "数据库-1" in told
    assert "不符合" in told
    sheet = load_workbook(folder / "sheet.xlsx").active
    cells = [cell for row in sheet.iter_rows() for cell in row]
    assert {cell.data_type for cell in cells} <= {"s", "n"}, "a cell became a formula"
    assert sheet.max_row == len(findings()) + 1
    assert any(cell.value == "'=1+2" for cell in cells)
    return told.split("LibreOffice ")[1].split()[0]
