"""What an operator types who knows the customer, and what is said to him before he slips."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path

import openpyxl
import pytest

from collector.cli.ui.columns import cells
from collector.pledges.due.deadlines import KINDS
from collector.pledges.record.notices import with_notice
from collector.pledges.record.times import CHINA
from collector.pledges.register.register import Register
from tests.cli.running import Ended, answer, hostpledge
from tests.pledges.records import example, made
from tests.pledges.test_findings import HASH
from tests.pledges.test_follow_ups import SOON, register, run
from tests.pledges.test_notice import run as notice
from tests.pledges.test_notice import weak

__all__ = ["notice", "register", "run", "weak"]
Run = Callable[..., Ended]


@pytest.fixture
def pledge(tmp_path: Path) -> Run:
    def typed(*words: object, **more: str) -> Ended:
        return hostpledge(
            "pledge", *words, "--register", tmp_path / "r.sqlite", home=tmp_path, **more
        )

    return typed


def test_a_name_that_is_new_is_told_before_it_is_given(run: Run) -> None:
    """李公 in the place of 李工: 31 findings went to nobody, and no word was said."""
    first = run("assign", "one-1", HASH, "web-01", "--owner", "李工 13900000000", "--due", SOON)
    assert (first.status, first.err) == (0, ""), "the first name of a register is new to nobody"
    known = run("assign", "two-2", HASH, "web-01", "--owner", "李工", "--due", SOON, "--check")
    assert known.err == ""
    words = ("--pledge", "two-2", "--owner", "李公", "--due", SOON, "--check")
    said = run("assign", *words, "--lang", "en")
    assert said.status == 0
    assert "nobody of this name has seen to a finding so far: 李公; near it: 李工\n" in said.err
    zh = run("assign", "two-2", HASH, "web-01", "--owner", "李公", "--lang", "zh")
    assert "此前没有问题由此人负责：李公；相近的有：李工\n" in zh.err
    told = answer(run("assign", *words, "--format", "json").out)
    assert "new_owner" not in told, "by now the name is known: web-01 is his"
    told = answer(run("assign", *words[:2], "--owner", "马工", *words[4:], "--format", "json").out)
    assert (told["new_owner"], sorted(told["near"])) == ("马工", ["李工"])


def test_a_customers_name_leads_to_the_id(pledge: Run, tmp_path: Path) -> None:
    register = Register.open(str(tmp_path / "r.sqlite"), create=True)
    for id, name in (("c012-2026", "昆明同舟"), ("c013-2026", "昆明同舟"), ("c1-2026", "云帆")):
        register.add(made(id=id, customer={**example()["customer"], "name": name}))
    for command in ("history", "status", "show"):
        ended = pledge(command, "同舟", "--lang", "zh")
        assert ended.status == 2
        assert "没有编号为 同舟 的登记" in ended.err
        assert "按用户名称，登记编号为 c012-2026, c013-2026" in ended.err, ended.err
        ended = pledge(command, "云帆", "--lang", "en")
        assert "by the customer's name it is c1-2026" in ended.err, ended.err
    assert "did you mean c1-2026?" in pledge("show", "C1-2026", "--lang", "en").err
    assert "pledge list" in pledge("show", "nobody", "--lang", "en").err


def test_what_a_notice_that_stands_names_is_told(
    weak: tuple[Register, object], notice: Run, tmp_path: Path
) -> None:
    """The fifth notice of the same findings was given as readily as the first."""
    words = ("one-1", "--by", SOON, "--lang", "en")
    assert "already" not in notice(*words, "--check").err
    first = notice(*words, "-o", tmp_path / "1.html", "--number", "AQ-1")
    assert (first.status, "already" in first.err) == (0, False), first.err
    said = "one-1: 1 of 1 are named by the notice AQ-1 already\n"
    assert said in notice(*words, "--check").err
    found = answer(notice(*words, "--check", "--format", "json").out)["notices"]
    assert found[0]["named_already"] == [{"number": "AQ-1", "findings": 1}]
    second = notice(*words, "-o", tmp_path / "2.html", "--number", "AQ-2")
    assert (second.status, said in second.err) == (0, True), second.err
    recheck = notice("one-1", "--recheck", "--check", "--lang", "en")
    assert "already" not in recheck.err, recheck.err
    # what was taken back names nothing
    for number in ("AQ-1", "AQ-2"):
        back = ("withdraw-notice", "one-1", number, "--reason", "x", "--by", "王安")
        place = ("--register", tmp_path / "r")
        assert hostpledge("pledge", *back, *place, home=tmp_path).status == 0
    assert "already" not in notice(*words, "--check").err


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_numbers_and_days_of_notices_are_whole_at_80_columns(
    weak: tuple[Register, object], tmp_path: Path, lang: str
) -> None:
    register, _ = weak
    today = datetime.now(CHINA).date()
    own, later = (today + timedelta(days=3)).isoformat(), (today + timedelta(days=40)).isoformat()
    numbers = [f"one-1-{today:%Y%m%d}", f"one-1-{today:%Y%m%d}-2", "安责〔2026〕第 17 号"]
    for number in numbers:
        entry = {
            "number": number, "kind": "mend", "date": today.isoformat(), "mend_by": own,
            "evidence": 1,
            "findings": [{"control": HASH, "hosts": ["web-01"], "mend_by": later}],
            "sha256": "ab" * 32,
        }  # fmt: skip
        register.change("one-1", partial(with_notice, entry=entry, today=today))
    words = ("pledge", "notices", "--register", tmp_path / "r", "--lang", lang)
    shown = hostpledge(*words, home=tmp_path).out
    for whole in (*numbers[:2], own, later, str(register.get("one-1").customer)[:4]):
        assert whole in shown, shown
    assert max(map(cells, shown.splitlines())) <= 80
    assert "1/1" in shown


def test_old_and_new_records_of_a_customer_do_not_look_alike(pledge: Run, tmp_path: Path) -> None:
    register = Register.open(str(tmp_path / "r.sqlite"), create=True)
    register.add(made(id="c148-2026", period={"from": "2026-01-01", "until": "2099-12-31"}))
    draft = {"draft": True, "documents": [], "renews": "c148-2026"}
    period = {"from": "2100-01-01", "until": "2100-12-31"}
    register.add(made(id="c148-2027", period=period, **draft))
    for words in (("--search", "c148"), ("--sort", "until"), ()):
        rows = pledge("list", *words, "--lang", "zh").out.replace("\n", "").replace(" ", "")
        assert "（续签草稿：c148-2027）" in rows, rows
        assert "（草稿）" in rows
    rows = " ".join(pledge("list", "--lang", "en").out.split())
    assert "(renewal drafted: c148-2027)" in rows
    assert "(draft)" in rows


def test_days_are_days_in_a_workbook_and_kinds_words_in_csv(pledge: Run, tmp_path: Path) -> None:
    register = Register.open(str(tmp_path / "r.sqlite"), create=True)
    record = made(id="one-1")
    register.add(record)
    end = date.fromisoformat(record.document["period"]["until"])
    for lang in ("zh", "en"):
        place = tmp_path / f"{lang}.xlsx"
        assert pledge("list", "--format", "xlsx", "-o", place, "--lang", lang).status == 0
        page = openpyxl.load_workbook(place).active
        heads = [cell.value for cell in page[1]]
        until = page.cell(2, heads.index({"zh": "有效期至", "en": "in force to"}[lang]) + 1)
        assert (until.is_date, until.value.date(), until.number_format) == (True, end, "yyyy-mm-dd")
    told = [
        list(csv.DictReader(io.StringIO(pledge("list", "--format", "csv", "--lang", lang).out)))
        for lang in ("zh", "en")
    ]
    (zh,), (en,) = told
    assert zh["next_due_kind"] == en["next_due_kind"] in KINDS
    assert {key for key in zh if zh[key] != en[key]} == {"next_due_what"}
