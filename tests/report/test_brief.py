"""What a manager reads: two pages, and the same answers as the report that is its annex."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pypdf
import pytest

from collector.model import Lang, Result
from collector.report.model.contents import contents
from collector.report.model.visible import whole_clauses
from collector.report.render import pdf
from collector.report.render.html import words_in
from tests.report import recorded

pytestmark = pytest.mark.skipif(
    shutil.which("pdftotext") is None, reason="poppler-utils is not installed"
)


def _read(data: bytes, folder: Path) -> tuple[int, str]:
    path = folder / "brief.pdf"
    path.write_bytes(data)
    said = subprocess.run(
        ["pdftotext", "-raw", str(path), "-"], capture_output=True, text=True, check=True
    ).stdout
    return len(pypdf.PdfReader(path).pages), said.replace("\n", "")


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_it_says_what_the_report_says(lang: Lang, tmp_path: Path) -> None:
    given = recorded.given(tmp_path, lang)
    pages, said = _read(pdf.to_brief(given), tmp_path)
    t = words_in(lang)["t"]
    assert pages <= 2
    for answer in given["answers"]:
        assert answer.number in said
        assert t[answer.word].replace(" ", "") in said.replace(" ", "")
    for step in given["first_steps"][:4]:
        assert step["control"]["number"] in said
    assert given["digest"] in said.replace(" ", "")
    # as a whole, and until when: in the first lines
    period = given["record"]["period"]
    head = said.replace(" ", "")[:400]
    word = t["answer_whole"] + t[given["whole"].word]
    assert word.replace(" ", "") in head
    assert period["from"] in head
    assert period["until"] in head
    _, whole = _read(pdf.to_pdf(given), tmp_path)
    word = t[given["answers"][0].word].replace(" ", "")
    assert word in whole.replace(" ", "")[:2000], "the answer stands at the head of the long form"


def test_a_fleet_fits_two_pages(tmp_path: Path) -> None:
    """300 hosts of long names, all controls wanting, a customer whose name has no end."""
    given: dict[str, Any] = recorded.given(tmp_path, "zh")
    hosts = [h for h in given["hosts"] if h.open] * 100
    for host in hosts:
        host.name = "机房-" + "a-rather-long-name." * 12
    step = {**given["first_steps"][0]}
    record = {**given["record"], "customer": {"name": "某某" * 200}}
    given |= {"hosts": hosts, "first_steps": [step] * 40, "record": record}
    pages, said = _read(pdf.to_brief(given), tmp_path)
    assert pages == 2
    assert "另有" in said
    assert "以上按结论由重到轻列出" in said


def test_what_nobody_checked_is_said_first(tmp_path: Path) -> None:
    source = recorded.source(tmp_path, "en", unchecked=True)
    _, said = _read(pdf.to_brief(contents(source, "en")), tmp_path)
    assert said.index(words_in("en")["t"]["unchecked_title"]) < said.index("2(2)")


def test_no_clause_is_kept_where_nothing_was_looked_at(tmp_path: Path) -> None:
    given = recorded.given(tmp_path, "en")
    assert all(a.result is Result.ERROR for a in given["answers"])
    _, said = _read(pdf.to_brief(given), tmp_path)
    assert "Not verified" in said
    assert "Kept" not in said


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_what_to_do_is_never_cut_inside_a_word(tmp_path: Path, lang: Lang) -> None:
    given = recorded.given(tmp_path, lang)
    _, said = _read(pdf.to_brief(given), tmp_path)
    told = said.replace(" ", "")
    for step in given["first_steps"][:6]:
        whole = str(step["named"][0][1].remediation)
        shown = [whole_clauses(whole, most) for most in range(40, 400)]
        for text in shown:
            cut = text.removesuffix(" …")
            after = whole[len(cut) - 1 : len(cut) + 1]
            assert text == whole or not re.fullmatch(r"[!-~]{2}", after) or after[1] in ".,;:"
        assert any(text.replace(" ", "") in told for text in shown), step["control"]["number"]
