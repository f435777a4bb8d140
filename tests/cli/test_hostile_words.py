"""One hostile word in every place of a bundle that somebody else fills, through every way out.

Whoever signs, or is root on a host, chooses names, reasons and texts. None of them may end a line
that we began, hide, turn around or drive a terminal, in whatever form and by whatever command.
"""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import yaml
from openpyxl import load_workbook

from collector import catalog
from collector.attest.bundle.evidence import PledgeReference
from collector.attest.keys import keys
from collector.attest.keys.keys import PrivateKey
from collector.attest.trust import keyring
from collector.export import FORMATS
from tests import bundles
from tests.cli.running import Ended, hostpledge
from tests.hostile import RAW, SEVERAL, WORD, clean, fill
from tests.report.evidence import CONTROL, host
from tests.signers import lie

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hostile")
    fill(folder)
    return folder


def _said(*words: object, home: Path | None = None, status: tuple[int, ...] = (0, 1)) -> Ended:
    done = hostpledge(*words, home=home)
    assert done.status in status, done
    clean(done.out, words)
    clean(done.err, words)
    return done


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_what_commands_say_of_a_bundle(place: Path, lang: str, tmp_path: Path) -> None:
    b, trust = place / "b", ("--trust", place / "trust.json", "--lang", lang)
    told = _said("verify", b, *trust).out
    assert "absentw\\x0aFORGED" in told
    assert "“one, two”" in told, "a name with a comma is one name"
    assert "“db-1, db-2, db-3”" in told
    _said("verify", b, *trust, "--policy", "strict")
    _said("replay", b, *trust)
    (tmp_path / "only").mkdir()
    other, key = bundles.make(
        tmp_path,
        [bundles.unreachable("x")],
        controls=[catalog.controls()["encryption.password_hash"]],
    )
    (tmp_path / "other.json").write_bytes(key.to_bytes())
    for pair in ((b, other.path), (other.path, b), (b, b)):
        _said("diff", *pair, "--lang", lang)
    for form in ("json",):
        json.loads(_said("verify", b, *trust, "--format", form).out)
        json.loads(_said("diff", b, other.path, "--format", form, "--lang", lang).out)
        json.loads(_said("replay", b, *trust, "--format", form).out)


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_exports_and_what_reads_them(place: Path, form: str, lang: str, tmp_path: Path) -> None:
    file = tmp_path / "f"
    trust = ("--trust", place / "trust.json", "--lang", lang)
    _said("report", place / "b", *trust, "--export", f"{form}={file}")
    _read(form, file.read_bytes().decode())
    done = _said(
        "assess",
        place / "in",
        "--format",
        form,
        "--family",
        "encryption",
        "--lang",
        lang,
        status=(0, 1, 2),
    )
    _read(form, done.out)


def _read(form: str, text: str) -> None:
    """As a reader of the format does; what it finds there is clean too, but for JSON's values."""
    clean(text, form)
    if form in ("json", "sarif", "oscal", "hdf", "ocsf", "defectdojo"):
        assert json.loads(text)
    elif form in ("junit", "xccdf"):
        for one in ET.fromstring(text.split("\n", 1)[1]).iter():
            for said in (one.text or "", *one.attrib.values()):
                clean(said, one.tag)
    elif form == "csv":
        rows = list(csv.reader(io.StringIO(text, newline="")))
        assert len({len(row) for row in rows}) == 1
        assert all("\n" not in cell for row in rows for cell in row)
    elif form == "prometheus":
        for line in text.splitlines():
            assert re.fullmatch(
                r'#.*|[a-z_]+(\{([a-z_]+="([^"\\]|\\[\\"n])*",?)*\})? -?\d+', line
            ), line
    elif form == "openmetrics":
        assert text.endswith("\n# EOF\n")


class _Text(HTMLParser):
    """The texts and attributes of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value or "" for _, value in attrs]

    def handle_data(self, data: str) -> None:
        self.found.append(data)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_reports(place: Path, lang: str, tmp_path: Path) -> None:
    page, book = tmp_path / "r.html", tmp_path / "r.xlsx"
    trust = ("--trust", place / "trust.json", "--lang", lang)
    _said("report", place / "b", *trust, "--html", page, "--xlsx", book)
    reader = _Text()
    reader.feed(page.read_text("utf-8"))
    for text in reader.found:
        acting = RAW.search(text)
        assert acting is None, text
    for sheet in load_workbook(book):
        for row in sheet.iter_rows(values_only=True):
            for cell in row:
                assert not RAW.search(str(cell)), cell


def test_a_bundle_of_no_register_s_pledge_is_refused_by_every_command(
    place: Path, tmp_path: Path
) -> None:
    key = PrivateKey.generate()
    made, trust = bundles.make(
        tmp_path, [bundles.unreachable("x")], key,
        controls=[catalog.controls()["encryption.password_hash"]],
        pledge=PledgeReference("p1", 1, None),
    )  # fmt: skip
    lie(made.path, key, lambda document: document["pledge"].update(id=f"p1{WORD}"))
    (tmp_path / "t.json").write_bytes(trust.to_bytes())
    b = made.path
    for words in (
        ("verify", b, "--trust", tmp_path / "t.json"),
        ("replay", b),
        ("report", b, "--export", f"table={tmp_path / 'f'}"),
        ("diff", b, b),
        ("pledge", "attach", "p1", b),
    ):
        done = hostpledge(*words, home=tmp_path / "home")
        assert done.status == 2, words
        clean(done.out + done.err, words)
    assert not (tmp_path / "f").exists()


def test_what_the_register_says_of_an_attached_bundle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its owner took it in; the names of its hosts are still the words of others."""
    home = tmp_path / "home"
    monkeypatch.setenv("HOSTPLEDGE_HOME", str(home))
    monkeypatch.delenv("HOSTPLEDGE_REGISTER", raising=False)
    record = yaml.safe_load((ROOT / "examples/pledge.yml").read_text("utf-8"))
    (tmp_path / "p.yml").write_text(yaml.safe_dump(record, allow_unicode=True), "utf-8")
    hostpledge("key", "new", home=home)
    _said("pledge", "add", tmp_path / "p.yml", home=home)
    id, at = record["id"], datetime.now(UTC).replace(microsecond=0)
    weak = b"root:$1$abcdefgh$x:20000:0:99999:7:::\n"
    hosts = [
        replace(host(name, weak), collected_at=at, origin={"clock": at.isoformat()})
        for name in (f"h{WORD}", SEVERAL)
    ]
    made, _ = bundles.make(
        tmp_path, hosts, keys.load(keyring.path_of("default")), grade=record["grade"], at=at,
        controls=[CONTROL],
        pledge=PledgeReference(id, 1, None),
    )  # fmt: skip
    _said("pledge", "attach", id, made.path, home=home)
    for lang in ("en", "zh"):
        for words in (
            ("show", id), ("status", id), ("list",), ("due",), ("inventory",),
            ("findings", id), ("findings",), ("findings", id, "--format", "json"),
            ("findings", "--format", "csv"), ("status", id, "--format", "json"),
            ("notice", id, "-o", tmp_path / f"{lang}.html", "--by", f"{at.year + 1}-01-31"),
        ):  # fmt: skip
            _said("pledge", *words, "--lang", lang, home=home)
        clean((tmp_path / f"{lang}.html").read_text("utf-8"), "notice")
