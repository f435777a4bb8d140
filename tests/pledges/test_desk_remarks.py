"""What is odd and taken all the same; words as operators write them; ids that are read whole."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from collector.i18n.message import in_chinese, msg
from collector.pledges.lists.reading import read
from collector.pledges.register.register import Register
from tests.cli.running import Ended, hostpledge
from tests.clock import today
from tests.pledges.records import made

Pledge = Callable[..., Ended]
CODE = made().document["customer"]["credit_code"]


@pytest.fixture
def pledge(tmp_path: Path) -> Pledge:
    def run(*words: object) -> Ended:
        return hostpledge("pledge", *words, "--register", tmp_path / "r", home=tmp_path)

    return run


@pytest.mark.parametrize(
    ("lang", "beyond", "long"),
    [
        ("en", "and the pledge to", "more than a year"),
        ("zh", "晚于该登记的有效期", "超过一年"),
    ],
)
def test_a_waiver_that_is_long_is_remarked(
    pledge: Pledge, tmp_path: Path, lang: str, beyond: str, long: str
) -> None:
    day = today()
    ends = (day + timedelta(days=60)).isoformat()
    period = {"from": (day - timedelta(days=100)).isoformat(), "until": ends}
    resources = {"hosts": ["web-01"]}
    register = Register.open(str(tmp_path / "r"), create=True)
    register.add(made(id="one-1", period=period, resources=resources))
    words = ("waive", "one-1", "D12", "web-01", "--reason", "停用中", "--approver", "王安")
    for ahead, is_beyond, is_long in ((60, False, False), (61, True, False), (400, True, True)):
        until = (day + timedelta(days=ahead)).isoformat()
        for check in (("--check",), ()):
            ended = pledge(*words, "--until", until, *check, "--lang", lang)
            assert ended.status == 0, ended.err
            assert (beyond in ended.err, long in ended.err) == (is_beyond, is_long), until


def test_a_state_company_is_a_unit(tmp_path: Path) -> None:
    place = tmp_path / "l.csv"
    place.write_text(
        f"编号,用户名称,用户类型,统一社会信用代码,等级\na-1,甲公司,国企,{CODE},三级\n",
        encoding="utf-8",
    )
    found = read(place)
    assert not found.faults
    assert found.records[0].document["customer"]["kind"] == "unit"


def test_what_was_made_too_early_is_made_anew_of_what_was_handed_in() -> None:
    for code in ("make_one_hostpledge_run", "make_one_hostpledge_run_pledge"):
        said = msg(code)
        assert "hostpledge run --pledge" in said and "hostpledge bundle DIR --pledge" in said
        assert "hostpledge bundle 目录 --pledge" in in_chinese(said)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_an_id_of_the_history_is_read_whole(pledge: Pledge, tmp_path: Path, lang: str) -> None:
    register = Register.open(str(tmp_path / "r"), create=True)
    old, new = "yunfan-hangzhou-a-2026", "yunfan-hangzhou-a-2027"
    name = {**made().document["customer"], "name": "某某市某某区某某网络科技发展有限责任公司"}
    day = today()
    past = {"from": "2020-01-01", "until": (day - timedelta(days=1)).isoformat()}
    register.add(made(id=old, period=past, customer=name))
    register.add(made(id=new, renews=old, customer=name))
    lines = pledge("list", "--history", "--lang", lang).out.splitlines()
    assert any(line.startswith(f"{new}  ") for line in lines), lines
    assert any(line.startswith(f"└ {old}  ") for line in lines), lines
    assert max(map(len, lines)) <= 80
