"""A blank in a cell of hosts, and one credit code under two names: said, and taken all the same."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from collector.pledges.lists.reading import read
from collector.pledges.register.register import Register
from tests.cli.running import Ended, answer, hostpledge
from tests.pledges.records import example, made

Pledge = Callable[..., Ended]
CODE = made().document["customer"]["credit_code"]


@pytest.fixture
def pledge(tmp_path: Path) -> Pledge:
    def run(*words: object) -> Ended:
        return hostpledge("pledge", *words, "--register", tmp_path / "r", home=tmp_path)

    return run


def _list(folder: Path, *hosts: str) -> Path:
    place = folder / "l.csv"
    rows = [f'a-{n},甲公司,{CODE},三级,"{text}"' for n, text in enumerate(hosts)]
    head = "编号,用户名称,统一社会信用代码,等级,主机"
    place.write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    return place


@pytest.mark.parametrize("check", [("--check",), ()])
def test_a_host_with_a_blank_is_told_as_two(
    pledge: Pledge, tmp_path: Path, check: tuple[str, ...]
) -> None:
    place = _list(tmp_path, "web 01", "db-01,db-02", "mail-01\nmail-02")
    ended = pledge("import", place, *check, "--lang", "en")
    assert ended.status == 0, ended.err
    assert "row 2: 'web 01' was taken as 2 hosts: web, 01" in ended.err
    assert ended.err.count("was taken as") == 1
    said = pledge("import", place, "--update", "--check", "--lang", "zh").err
    assert check or "第 2 行，“web 01”按 2 台主机读入：web、01" in said


def test_those_beyond_a_few_are_counted(tmp_path: Path) -> None:
    found = read(_list(tmp_path, *("web 01, ok-1" for _ in range(8))))
    assert [note.en.count("taken as 2 hosts: web, 01") for note in found.notes] == [1] * 5 + [0]
    assert found.notes[-1].en == "… and 3 more of these"
    assert not read(_list(tmp_path, "web-01", " web-02 ", "a,  b;c、d", "")).notes


@pytest.mark.parametrize(
    ("lang", "says"),
    [
        ("en", f"note: the credit code {CODE} is of customers of different names: "),
        ("zh", f"请留意：不同名称的用户有相同的统一社会信用代码 {CODE}："),
    ],
)
def test_one_code_under_two_names_is_told(
    pledge: Pledge, tmp_path: Path, lang: str, says: str
) -> None:
    Register.open(str(tmp_path / "r"), create=True).add(made(id="old-1"))
    name = example()["customer"]["name"]
    head = "编号,用户名称,统一社会信用代码,等级"
    place = tmp_path / "l.csv"
    place.write_text(f"{head}\nb-1,乙公司,{CODE},三级\nb-2,{name},{CODE},三级\n", encoding="utf-8")
    for words in (("--check",), ()):
        ended = pledge("import", place, *words, "--lang", lang)
        assert ended.status == 0, ended.err
        (line,) = [line for line in ended.err.splitlines() if line.startswith(says)]
        assert all(id in line for id in ("old-1", "b-1", "b-2"))
        assert "乙公司" in line
    # nothing of it is new any more
    again = pledge("import", place, "--update", "--lang", lang)
    assert says not in again.err
    other = {**example()["customer"], "name": "丙公司"}
    file = tmp_path / "c.json"
    file.write_bytes(made(id="c-1", customer=other).canonical())
    told = pledge("add", file, "--format", "json")
    assert told.status == 0, told.err
    (code,) = answer(told.out)["one_code"]
    assert (code["credit_code"], code["pledges"]) == (CODE, ["c-1", "b-1", "b-2", "old-1"])


def test_what_nobody_sees_is_no_part_of_a_cell(pledge: Pledge, tmp_path: Path) -> None:
    """As web pages and chats leave it in what is copied from them."""
    place = tmp_path / "l.csv"
    rows = [
        f"\u200ba-1,云\u200b帆\u2060公司\u200e,{CODE},三级,web-01\u200b",
        f"a-2,\ufeff乙公司,{CODE},三级,\u200b",
    ]
    head = "编号,用户名称,统一社会信用代码,等级,主机"
    place.write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    assert pledge("import", place).status == 0
    found = [answer(pledge("show", id, "--format", "json").out) for id in ("a-1", "a-2")]
    records = [one["record"] for one in found]
    assert [one["customer"]["name"] for one in records] == ["云帆公司", "乙公司"]
    assert [one.get("resources", {}).get("hosts", []) for one in records] == [["web-01"], []]
