"""`hostpledge report`: a bundle becomes an HTML file, or A4 pages where Chromium is there."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from collector.attest.bundle import Made, PledgeReference
from collector.report.pdf import browser
from tests import bundles
from tests.cli.running import hostpledge
from tests.report.evidence import RECORD


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder = tmp_path_factory.mktemp("bundle")
    hosts = [bundles.capture(name) for name in bundles.ODD_HOSTS[:3]]
    made, trust = bundles.make(
        folder, [*hosts, bundles.unreachable("gone")], pledge=PledgeReference("P-1", 1, None)
    )
    (folder / "trust.json").write_bytes(trust.to_bytes())
    return made


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_html_of_a_real_bundle(made: Made, tmp_path: Path, lang: str) -> None:
    target = tmp_path / "report.html"
    ended = hostpledge("report", made.path, "--html", target, "--lang", lang)
    assert (ended.status, ended.out) == (0, f"{target}\n"), ended.err
    text = target.read_text(encoding="utf-8")
    assert made.digest in text
    assert made.keyid in text
    assert "<script>" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "数据库一号" in text
    assert "No route to host" in text
    assert oct(target.stat().st_mode & 0o777) == "0o600"


def test_the_same_bundle_gives_the_same_file(made: Made, tmp_path: Path) -> None:
    for name in ("one", "two"):
        assert hostpledge("report", made.path, "--html", tmp_path / name).status == 0
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_the_signature_is_checked_with_trust(made: Made, tmp_path: Path) -> None:
    trust = made.path.parent / "trust.json"
    ended = hostpledge("report", made.path, "--html", tmp_path / "r.html", "--trust", trust)
    assert (ended.status, ended.err) == (0, "")
    broken = tmp_path / "broken"
    shutil.copytree(made.path, broken)
    evidence = broken / "data" / "evidence.json"
    evidence.write_bytes(evidence.read_bytes().replace(b'"fail"', b'"pass"', 1))
    ended = hostpledge("report", broken, "--html", tmp_path / "b.html", "--trust", trust)
    assert ended.status == 2
    assert not (tmp_path / "b.html").exists()


def test_the_record_names_the_customer(made: Made, tmp_path: Path) -> None:
    record = tmp_path / "record.json"
    record.write_text(json.dumps(_record("P-1")), encoding="utf-8")
    target = tmp_path / "r.html"
    ended = hostpledge("report", made.path, "--html", target, "--record", record)
    assert ended.status == 0, ended.err
    assert "云南&lt;b&gt;示例&lt;/b&gt;公司" in target.read_text(encoding="utf-8")


def test_the_record_comes_from_the_register_by_itself(made: Made, tmp_path: Path) -> None:
    home = tmp_path / "home"
    record = tmp_path / "record.json"
    record.write_text(json.dumps(_record("P-1")), encoding="utf-8")
    added = hostpledge("pledge", "add", record, home=home)
    assert added.status == 0, added.err
    target = tmp_path / "r.html"
    assert hostpledge("report", made.path, "--html", target, home=home).status == 0
    assert "云南&lt;b&gt;示例&lt;/b&gt;公司" in target.read_text(encoding="utf-8")


def test_another_customers_record_is_refused(made: Made, tmp_path: Path) -> None:
    record = tmp_path / "record.json"
    record.write_text(json.dumps(_record("P-2")), encoding="utf-8")
    ended = hostpledge("report", made.path, "--html", tmp_path / "r.html", "--record", record)
    assert ended.status == 2
    assert "P-2" in ended.err
    assert not (tmp_path / "r.html").exists()


def _record(id: str) -> dict[str, object]:
    customer = {**RECORD["customer"], "credit_code": _code()}
    return {**RECORD, "id": id, "grade": 2, "customer": customer}


def _code() -> str:
    """A code whose check character is right (GB 32100-2015)."""
    letters = "0123456789ABCDEFGHJKLMNPQRTUWXY"
    body = "91530100MA6K0EXAM"
    total = sum(letters.index(c) * pow(3, place, 31) for place, c in enumerate(body))
    return body + letters[(31 - total % 31) % 31]


def test_what_cannot_be_done(made: Made, tmp_path: Path) -> None:
    for arguments, said in (
        ((made.path,), "give --html or --pdf"),
        ((made.path, "--html", tmp_path), "is a folder"),
        ((made.path, "--html", tmp_path / "no" / "r.html"), "no such folder"),
        ((tmp_path / "none", "--html", tmp_path / "r.html"), "none"),
        ((tmp_path, "--html", tmp_path / "r.html"), str(tmp_path)),
    ):
        ended = hostpledge("report", *arguments)
        assert (ended.status, ended.out) == (2, ""), arguments
        assert said in ended.err
        assert "Traceback" not in ended.err


def test_no_chromium_is_one_line_with_the_mend(made: Made, tmp_path: Path) -> None:
    ended = hostpledge("report", made.path, "--pdf", tmp_path / "r.pdf", PATH=str(tmp_path))
    assert ended.status == 2
    assert "install chromium" in ended.err
    assert not (tmp_path / "r.pdf").exists()


@pytest.mark.skipif(browser() is None, reason="no Chromium here")
def test_pdf_is_a4(made: Made, tmp_path: Path) -> None:
    target = tmp_path / "r.pdf"
    ended = hostpledge("report", made.path, "--pdf", target, "--lang", "zh")
    assert ended.status == 0, ended.err
    assert target.read_bytes().startswith(b"%PDF-")
    if shutil.which("pdfinfo"):
        said = subprocess.run(["pdfinfo", target], capture_output=True, text=True, check=True)
        assert "A4" in said.stdout
    assert list(tmp_path.iterdir()) == [target], "nothing else is left behind"
