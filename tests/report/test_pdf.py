"""The A4 pages, as other programs read them: text, fonts, places; and what they must say."""

from __future__ import annotations

import gc
import io
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree as ET

import pypdf
import pytest
from weasyprint import HTML

from collector.model import Lang
from collector.report.model.view import ORDER
from collector.report.model.visible import visible
from collector.report.render import pdf
from collector.report.render.alike import Alike, fleet
from collector.report.render.html import own_words, page, words_in
from tests.report import recorded
from tests.report.recorded import CHECKPOINT

pytestmark = pytest.mark.skipif(
    shutil.which("pdftotext") is None, reason="poppler-utils is not installed"
)
_MM = 72 / 25.4
LANGS: Sequence[Lang] = ("zh", "en")


class Made(NamedTuple):
    lang: Lang
    given: dict[str, Any]
    path: Path
    text: str


def said(*command: object) -> str:
    return subprocess.run(
        [str(word) for word in command],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    ).stdout


@pytest.fixture(scope="module", params=LANGS)
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder = tmp_path_factory.mktemp("pdf")
    given = recorded.given(folder, request.param)
    path = folder / "report.pdf"
    path.write_bytes(pdf.to_pdf(given))
    return Made(request.param, given, path, said("pdftotext", "-raw", path, "-"))


def close(text: str) -> str:
    """Without the blanks and ends of lines that the setting of a page brings."""
    return re.sub(r"\s+", "", text)


def test_pages_are_a4_numbered_and_carry_the_pledge(made: Made) -> None:
    pages = pypdf.PdfReader(made.path).pages
    count = len(pages)
    assert 8 <= count <= 45
    sizes = {tuple(sorted(round(float(n)) for n in p.mediabox[2:])) for p in pages}
    assert sizes == {(595, 842)}
    texts = made.text.split("\f")[:-1]
    assert len(texts) == count
    numbered = {"zh": "第{0}页共{1}页", "en": "Page{0}of{1}"}[made.lang]
    for number, text in enumerate(texts, 1):
        assert numbered.format(number, count) in close(text), number
        assert made.given["evidence"]["pledge"]["id"] in text, number


def test_every_font_is_embedded_and_no_glyph_is_missing(made: Made) -> None:
    lines = said("pdffonts", made.path).splitlines()[2:]
    assert lines
    for line in lines:
        assert re.search(r" yes yes yes +\d+ +\d+$", line), line
    assert any("NotoSansCJK" in line or "Noto-Sans-CJK" in line for line in lines)
    reader = pypdf.PdfReader(made.path)
    for number, sheet in enumerate(reader.pages, 1):
        data = sheet.get_contents()
        assert data is not None
        # glyph 0 is .notdef in every font; glyphs stand in hexadecimal, four digits each
        for shown in re.findall(rb"<([0-9a-f]+)>", data.get_data()):
            glyphs = {shown[at : at + 4] for at in range(0, len(shown), 4)}
            assert b"0000" not in glyphs, number
        assert "\ufffd" not in sheet.extract_text()


def test_all_text_lies_inside_its_page(made: Made) -> None:
    found = ET.fromstring(
        re.sub(
            r"[\x00-\x08\x0b-\x1f]",
            "",
            said("pdftotext", "-bbox", made.path, "-").replace(
                ' xmlns="http://www.w3.org/1999/xhtml"', ""
            ),
        )
    )
    pages = list(found.iter("page"))
    assert pages
    for number, sheet in enumerate(pages, 1):
        width, height = (float(sheet.get(side, "0")) for side in ("width", "height"))
        edge = (11 if width > height else 17) * _MM
        for word in sheet.iter("word"):
            left, right, top, bottom = (
                float(word.get(n, "0")) for n in ("xMin", "xMax", "yMin", "yMax")
            )
            assert left >= edge - 1, (number, word.text)
            assert right <= width - edge + 1, (number, word.text)
            assert 4 * _MM <= top <= bottom <= height - 4 * _MM, (number, word.text)


def test_it_says_what_the_law_wants_said(made: Made) -> None:
    text, t = close(made.text), words_in(made.lang)["t"]
    for word in (
        "standing_time",
        "standing_grade",
        "standing_error",
        "standing_root",
        "conclusion",
        "signatures",
        "objections",
        "party_provider",
        "party_customer",
        "seal",
        "logs_title",
        "products_title",
        "stores_title",
        "mend_by",
        "recheck",
        "trend_title",
        "appendix",
        "checkpoint_text",
    ):
        assert close(t[word]) in text, word
    for clause in made.given["clauses"]:
        assert close(clause["number"]) in text
        assert close(clause["title"]) in text
    for line in CHECKPOINT.splitlines():
        assert close(line) in text
    assert "de" * 32 in text
    assert "SHA256:abcdefgh" in text
    for host in made.given["hosts"]:
        assert (host.capture_sha256 or "") in text


def test_verdicts_are_words_and_signs(made: Made) -> None:
    """In black and white nothing is lost: each badge has its sign and its word."""
    text = close(made.text)
    verdicts = words_in(made.lang)["w"]["verdict"]
    from collector.report.model.view import SIGNS

    for result in {shown.result for host in made.given["hosts"] for shown in host.open}:
        assert close(SIGNS[result] + verdicts[result]) in text, result
    style = page("pages.html.j2", {**made.given, **pdf.room(made.given)}, style="pages.css")
    for colour in re.findall(r"#[0-9a-f]{3,6}\b", style[: style.index("</style>")]):
        digits = colour[1:]
        assert len(set(digits)) == 1 or digits in ("f2f2f2", "e8e8e8", "e2e2e2", "f4f4f4"), colour


def test_numbers_of_people_are_masked(made: Made) -> None:
    text = close(made.text)
    assert "139****5678" in text
    assert "11**************11" in text
    for secret in ("13912345678", "13800000001", "110101199003070011", "0571-88000000"):
        assert secret not in text


def test_what_hosts_wrote_is_shown_and_does_nothing(made: Made) -> None:
    text = close(made.text)
    assert "=HYPERLINK(A1)" in text
    assert "\\x1b" in text
    raw = made.path.read_bytes()
    for acting in (b"/JavaScript", b"/JS", b"/Launch", b"/URI", b"/EmbeddedFile", b"/OpenAction"):
        assert acting not in raw
    reader = pypdf.PdfReader(io.BytesIO(raw))
    assert all("/Annots" not in p for p in reader.pages)


def test_a_character_that_no_font_has_is_shown_as_its_number(made: Made) -> None:
    _, missing = pdf._probe("网𓀀🦉ཀ")
    assert "网" not in missing
    text = close(made.text)
    for letter in missing:
        assert f"U+{ord(letter):04X}" in text
        assert letter not in text
    # the private use planes are in no font, and `visible` shows them already
    assert pdf._probe("\U000f1234")[1] == {"\U000f1234"}


def test_the_same_contents_give_the_same_bytes(tmp_path: Path) -> None:
    given = recorded.given(tmp_path, "zh")
    one = {**given, "hosts": given["hosts"][-1:], "groups": [], "topics": [], "totals": {}}
    assert pdf.to_pdf(one) == pdf.to_pdf(one)


def test_nothing_is_fetched(tmp_path: Path) -> None:
    """Not even where a template would ask for it."""
    (tmp_path / "x.css").write_text("p { content: 'stolen' }")
    text = f"<link rel=stylesheet href='file://{tmp_path}/x.css'><img src='http://127.0.0.1:9/x'>网"
    with pdf._complaints() as complaints:
        pdf._document(text).write_pdf(io.BytesIO())
    assert len([line for line in complaints if "disallowed protocol" in line]) == 2


def test_with_many_hosts_each_has_its_main_points(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = recorded.given(tmp_path, "zh")
    whole = page("pages.html.j2", {**given, **pdf.room(given)}, style="pages.css")
    monkeypatch.setattr(pdf, "_FEW", 1)
    brief = page("pages.html.j2", {**given, **pdf.room(given)}, style="pages.css")
    assert len(brief) < len(whole) * 0.7
    assert own_words()["brief_note"].zh in brief
    for host in given["hosts"]:
        for shown in host.open:
            assert str(visible(shown.message[:40])) in brief
    for step in given["first_steps"]:
        assert str(visible(step["named"][0][1].remediation[:60])) in brief


def _many(given: dict[str, Any]) -> dict[str, Any]:
    """A fleet of 24: three hosts, some of them eight, nine and five times, two once."""
    hosts = []
    for number, host in enumerate(given["hosts"][:5]):
        hosts += [
            replace(host, name=f"{host.name}-{n:02d}") for n in range((8, 9, 5, 1, 1)[number])
        ]
    groups = [(r, [h for h in hosts if h.result is r]) for r in ORDER]
    return {**given, "hosts": hosts, "groups": [(r, m) for r, m in groups if m]}


@pytest.mark.parametrize("lang", LANGS)
def test_hosts_that_are_alike_share_a_row_and_none_is_lost(tmp_path: Path, lang: Lang) -> None:
    many = _many(recorded.given(tmp_path, lang))
    found = fleet(many, logs_each=6)
    kinds = {kind.name: kind for _, members in found.kinds for kind in members}
    assert sorted(len(kind.hosts) for kind in kinds.values()) == [1, 1, 5, 8, 9]
    names = {host.name for host in many["hosts"]}
    everybody = {words_in(lang)["t"]["hosts_all"].format(count=len(names)): names}
    comma = "、" if lang == "zh" else ", "

    def hosts(row: Alike[Any]) -> set[str]:
        told = [everybody.get(kind) or set(kinds[kind].hosts) for kind in row.kinds]
        return set().union(*told, row.names.split(comma) if row.names else ())

    said = {
        (host, row.what.control, row.what.message)
        for o in found.open
        for _, rows in o.parts
        for row in rows
        for host in hosts(row)
    }
    assert said == {(h.name, f.control, f.message) for h in many["hosts"] for f in h.open}
    assert set().union(*(hosts(row) for row in found.logs)) == {
        h.name for h in many["hosts"] if h.logs
    }
    for rows in found.topics.values():
        assert sum(row.count for row in rows) == len(names)


def test_pages_of_a_fleet(tmp_path: Path) -> None:
    many = _many(recorded.given(tmp_path, "zh"))
    path = tmp_path / "fleet.pdf"
    path.write_bytes(pdf.to_pdf(many))
    assert gc.isenabled()
    text = close(said("pdftotext", "-raw", path, "-"))
    reader = pypdf.PdfReader(path)
    assert len(reader.pages) <= 24
    assert f"第{len(reader.pages)}页共{len(reader.pages)}页" in text
    for host in many["hosts"]:
        assert close(str(visible(host.name))) in text or not host.name.isascii()
        assert host.capture_sha256 in text
    marks = {str(mark.title) for mark in reader.outline if not isinstance(mark, list)}
    assert marks


def test_the_pages_ask_for_nothing_that_cannot_be_set(tmp_path: Path) -> None:
    """A rule that WeasyPrint does not know would be left out in silence."""
    given = recorded.given(tmp_path, "en")
    text = page("pages.html.j2", {**given, **pdf.room(given)}, style="pages.css")
    with pdf._complaints() as complaints:
        HTML(string=text[: text.index("<body>")] + "<body></body></html>").render()
    assert not complaints


def test_what_nobody_checked_is_said_on_the_first_page(made: Made, tmp_path: Path) -> None:
    title = own_words()["unchecked_title"].to(made.lang)
    few = {**made.given, "hosts": made.given["hosts"][-1:], "groups": [], "topics": []}
    (tmp_path / "r.pdf").write_bytes(pdf.to_pdf({**few, "totals": {}, "unchecked": True}))
    first = said("pdftotext", "-raw", "-l", "1", tmp_path / "r.pdf", "-")
    assert close(title) in close(first)
    assert close(title) not in close(made.text)
