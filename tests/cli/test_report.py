"""`hostpledge report`: a bundle becomes an HTML file, A4 pages, a workbook."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from openpyxl import load_workbook

from collector import catalog
from collector.assess import waived
from collector.attest.bundle.making import Made, PledgeReference
from collector.attest.keys.keys import PrivateKey
from collector.cli.workflows.exports import Moment
from collector.export import FORMATS
from collector.model import Result, Waiver
from tests import bundles
from tests.cli.running import hostpledge
from tests.export import findings
from tests.pledges.lives import captured
from tests.report.evidence import RECORD


@pytest.fixture(scope="module")
def key() -> PrivateKey:
    return PrivateKey.generate()


@pytest.fixture(scope="module")
def made(key: PrivateKey, tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder = tmp_path_factory.mktemp("bundle")
    hosts = [bundles.capture(name) for name in bundles.ODD_HOSTS[:3]]
    made, trust = bundles.make(
        folder, [*hosts, bundles.unreachable("gone")], key, pledge=PledgeReference("P-1", 1, None)
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
    assert text.count("<script") == 1, "its own filter, and nothing of a host's name"
    assert "<script>alert" not in text
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
    trust = made.path.parent / "trust.json"
    ended = hostpledge("report", made.path, "--html", target, "--trust", trust, home=home)
    assert (ended.status, ended.err) == (0, "")
    assert "云南&lt;b&gt;示例&lt;/b&gt;公司" in target.read_text(encoding="utf-8")


def test_what_nobody_checked_says_so_and_bears_no_customers_name(
    made: Made, tmp_path: Path
) -> None:
    """Anybody may write the name of a pledge into a bundle of their own."""
    home, trust = tmp_path / "home", made.path.parent / "trust.json"
    record = tmp_path / "record.json"
    record.write_text(json.dumps(_record("P-1")), encoding="utf-8")
    assert hostpledge("pledge", "add", record, home=home).status == 0
    page, book = tmp_path / "r.html", tmp_path / "r.xlsx"

    def text(*words: str | Path) -> tuple[str, str]:
        ended = hostpledge("report", made.path, "--html", page, "--xlsx", book, *words, home=home)
        assert ended.status == 0, ended.err
        sheets = load_workbook(book).worksheets
        cells = [str(cell.value) for one in sheets for row in one.iter_rows() for cell in row]
        return page.read_text(encoding="utf-8"), "\n".join(cells)

    for lang, title in (("zh", "未核验签名"), ("en", "The signature was not checked")):
        told, written = text("--lang", lang)
        for one in (told, written):
            assert title in one
            assert "云南" not in one
        checked = text("--lang", lang, "--trust", trust)
        assert not any(title in one for one in checked)
        assert all("云南" in one for one in checked)
    assert hostpledge("pledge", "attach", "P-1", made.path, "--trust", trust, home=home).status == 0
    told, written = text("--lang", "en")
    for one in (told, written):
        assert "The signature was not checked" in one
        assert "云南" in one


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
        ((made.path,), "give --html, --pdf, --xlsx, --brief or --export"),
        ((made.path, "--html", tmp_path), "is a folder"),
        ((made.path, "--html", tmp_path / "no" / "r.html"), "no such folder"),
        ((tmp_path / "none", "--html", tmp_path / "r.html"), "none"),
        ((tmp_path, "--html", tmp_path / "r.html"), str(tmp_path)),
    ):
        ended = hostpledge("report", *arguments)
        assert (ended.status, ended.out) == (2, ""), arguments
        assert said in ended.err
        assert "Traceback" not in ended.err


def test_programs_are_given_what_was_signed(key: PrivateKey, tmp_path: Path) -> None:
    """With waivers and at the bundle's grade; what `assess` makes of the captures has neither."""
    until = datetime.now(UTC) + timedelta(days=30)
    waiver = Waiver("encryption.password_hash", "*", "being replaced", "Wang An", until)
    signed, _ = bundles.make(
        tmp_path,
        [replace(captured("weak"), host="web-1"), bundles.unreachable("gone")],
        key,
        waivers=[waiver],
        controls=catalog.select(("encryption",), 3),
        grade=3,
    )
    wanted = {form: tmp_path / f"out.{form}" for form in FORMATS}
    words = [word for form, file in wanted.items() for word in ("--export", f"{form}={file}")]
    ended = hostpledge("report", signed.path, *words)
    assert ended.status == 0, ended.err
    assert ended.out.split() == [str(file) for file in wanted.values()]
    told = json.loads(wanted["json"].read_text(encoding="utf-8"))["hosts"]
    assert told["gone"]["status"] == "unreachable"
    evidence = signed.evidence["hosts"]
    for host, entry in evidence.items():
        assert [f["verdict"] for f in told[host]["findings"]] == [
            f["verdict"] for f in entry["findings"]
        ]
    bears = [f["control"] for f in evidence["web-1"]["findings"] if f["waiver"]]
    assert bears == ["encryption.password_hash"]
    for form in ("csv", "oscal", "junit", "json", "table"):
        assert f"{until:%Y-%m-%d}" in wanted[form].read_text(encoding="utf-8"), form
    redacted = tmp_path / "r"
    assert hostpledge("repack", signed.path, "-o", redacted, "--redact").status == 0
    again = tmp_path / "again"
    ended = hostpledge("report", redacted, "--export", f"csv={again}")
    assert ended.status == 0, ended.err
    assert again.read_bytes() == wanted["csv"].read_bytes()
    for odd in ("csv", "=x", "doc=x", f"csv={tmp_path}"):
        ended = hostpledge("report", signed.path, "--export", odd)
        assert (ended.status, ended.out) == (2, ""), odd


def _waived(form: str, text: str) -> bool:
    """Does it say of the one control that it is accepted?"""
    if form == "json":
        (one,) = [f for f in json.loads(text)["hosts"]["web-1"]["findings"] if f["waiver"]]
        return not one["waiver"]["expired"]
    signs = {
        "csv": f",{datetime.now(UTC) + timedelta(days=30):%Y-%m-%d}T",
        "junit": "(waived until ",
        "sarif": '"status": "accepted"',
        "oscal": '"remarks": "waived: being replaced',
        "xccdf": "waived until ",
        "prometheus": 'waived="yes"',
        "openmetrics": 'waived="yes"',
        "hdf": '"waived": true',
        "ocsf": '"status": "Suppressed"',
        "defectdojo": '"risk_accepted": true',
        "table": "waived until ",
    }
    return signs[form] in text


@pytest.mark.parametrize("form", FORMATS)
def test_a_waiver_counts_at_the_moment_of_the_export(
    form: str, key: PrivateKey, tmp_path: Path
) -> None:
    """As for `pledge status`; what was accepted for a while is not accepted for good."""
    until = datetime.now(UTC) + timedelta(days=30)
    waiver = Waiver("encryption.password_hash", "*", "being replaced", "Wang An", until)
    signed, _ = bundles.make(
        tmp_path, [replace(captured("weak"), host="web-1")], key, waivers=[waiver],
        controls=catalog.select(("encryption",), 3), grade=3,
    )  # fmt: skip
    made: dict[str, str] = {}
    for at in (
        "",
        "judged",
        f"{until - timedelta(days=1):%Y-%m-%d}",
        f"{until:%Y-%m-%d}T23:59:59Z",
    ):
        words = ("--at", at) if at else ()
        file = tmp_path / f"f{len(made)}"
        ended = hostpledge("report", signed.path, "--export", f"{form}={file}", *words)
        assert ended.status == 0, ended.err
        made[at] = file.read_text(encoding="utf-8")
    assert [_waived(form, text) for text in made.values()] == [True, True, True, False]
    ended = hostpledge("report", signed.path, "--export", f"{form}=x", "--at", "then")
    assert (ended.status, ended.out) == (2, "")


def test_a_waiver_that_the_record_has_no_more_counts_no_more() -> None:
    """As for `pledge status`: withdrawn, made shorter, or longer."""
    judged = datetime(2026, 11, 1, tzinfo=UTC)
    at, end = judged + timedelta(days=10), judged + timedelta(days=30)
    waiver = Waiver("backup.fresh", "web-1", "why", "who", end)
    finding = findings.finding("web-1", Result.FAIL, waiver=waiver, control="backup.fresh")

    def counts(moment: Moment) -> bool:
        return waived(moment.settled(finding, judged), judged)

    other = replace(waiver, host="web-2")
    short = replace(waiver, host="*", expires=at - timedelta(days=1))
    assert [counts(Moment(at, held)) for held in (None, [waiver], [other], [], [short])] == [
        True, True, False, False, False,
    ]  # fmt: skip
    assert counts(Moment(at, [short, waiver]))
    assert counts(Moment(end, [replace(waiver, expires=end + timedelta(days=1))]))
    assert not counts(Moment(end))
    assert counts(Moment())
    # one that had ended when it was judged waives nothing later either
    later = end + timedelta(days=1)
    held = [replace(waiver, expires=later + timedelta(days=9))]
    assert not waived(Moment(later, held).settled(finding, later), later)


def test_two_reports_want_two_files(made: Made, tmp_path: Path) -> None:
    target = tmp_path / "r"
    beside = tmp_path / "." / "r"
    ended = hostpledge("report", made.path, "--html", target, "--xlsx", beside)
    assert (ended.status, ended.out) == (2, "")
    assert "more than one report goes into the same file" in ended.err
    assert not target.exists()


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ("import sys; sys.modules['weasyprint'] = None", "pip install 'hostpledge[pdf]'"),
        (
            "from collector.report.render import pdf; pdf.FONTS = ('No Such Font',)",
            "fonts-noto-cjk",
        ),
    ],
)
def test_what_pages_want_is_one_line_with_the_mend(
    made: Made, tmp_path: Path, broken: str, said: str
) -> None:
    code = f"{broken}; from collector.cli import main; main()"
    target = tmp_path / "r.pdf"
    ended = subprocess.run(
        [sys.executable, "-c", code, "report", made.path, "--pdf", target, "--lang", "zh"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env={**os.environ, "HOSTPLEDGE_HOME": str(tmp_path / "home")},
        check=False,
    )
    assert ended.returncode == 2, ended.stderr
    assert said in ended.stderr
    assert len(ended.stderr.splitlines()) == 1
    assert not target.exists()
    assert re.search("未安装 WeasyPrint|中文的字体", ended.stderr), ended.stderr


def test_pages_and_workbook_of_a_real_bundle(made: Made, key: PrivateKey, tmp_path: Path) -> None:
    """All three at once; the trend and what became of the findings come from the register."""
    home, trust = tmp_path / "home", made.path.parent / "trust.json"
    record = tmp_path / "record.json"
    record.write_text(json.dumps(_record("P-1")), encoding="utf-8")
    assert hostpledge("pledge", "add", record, home=home).status == 0
    attached = hostpledge("pledge", "attach", "P-1", made.path, "--trust", trust, home=home)
    assert attached.status == 0, attached.err
    page, book = tmp_path / "r.html", tmp_path / "r.xlsx"
    ended = hostpledge("report", made.path, "--html", page, "--xlsx", book, home=home)
    assert (ended.status, ended.out) == (0, f"{page}\n{book}\n"), ended.err
    assert "P-1" in {row[0].value for row in load_workbook(book).worksheets[-1].iter_rows()}
    # one bundle is no trend, and there is none before it
    assert "<svg" not in page.read_text()
    assert 'id="standings"' in page.read_text()
    second, _ = bundles.make(
        tmp_path,
        [bundles.capture("web-1")],
        key,
        pledge=PledgeReference("P-1", 2, made.digest),
    )
    assert (
        hostpledge("pledge", "attach", "P-1", second.path, "--trust", trust, home=home).status == 0
    )
    ended = hostpledge("report", second.path, "--html", page, "--trust", trust, home=home)
    assert (ended.status, ended.err) == (0, ""), ended.err
    text = page.read_text(encoding="utf-8")
    assert "<svg" in text
    assert made.digest in text
    assert 'id="compared"' in text
    shown = re.findall('<tr><td class="nowrap">([一二三四五六七八九十()]+)</td>', text)
    told = hostpledge("pledge", "status", "P-1", home=home).out
    numbers = re.findall(r"(?m)^(?:RL|NP) ([一二三四五六七八九十()]+)", told)
    assert numbers == shown[-len(numbers) :], "every clause, in the order of the documents"
    # the record has gone on since: what it says now is not of the earlier evidence
    ended = hostpledge("report", made.path, "--html", page, home=home)
    assert ended.status == 0, ended.err
    assert 'id="standings"' not in page.read_text(encoding="utf-8")
    # without the register it is asked for by name
    ended = hostpledge("report", second.path, "--html", page, "--against", made.path)
    assert ended.status == 0, ended.err
    assert 'id="compared"' in page.read_text(encoding="utf-8")
    assert "<svg" not in page.read_text(encoding="utf-8")
    ended = hostpledge("report", second.path, "--html", page, "--against", tmp_path / "none")
    assert ended.status == 2
