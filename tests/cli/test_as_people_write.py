"""What people write is taken as lists take it: full-width signs, days with their signs, numbers."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from collector.cli.commands.pledge.changes import told
from collector.cli.options.common import find
from collector.cli.options.times import parse_day
from collector.errors import BadInput
from collector.pledges.lists.days import day
from collector.pledges.record.notices import with_withdrawal
from collector.pledges.record.reverting import ANSWERED_FOR
from collector.pledges.record.sought import holds
from collector.pledges.register.register import Register
from tests.cli.running import hostpledge
from tests.pledges.records import made


@pytest.mark.parametrize(
    "text", ["2026年11月27日", "2026/11/27", "2026.11.27", "２０２６－１１－２７", "2026-11-27"]
)
def test_a_day_is_a_day_on_a_command_line_and_in_a_list(text: str) -> None:
    assert parse_day(text, "--signed-on") == date(2026, 11, 27)
    assert day(None, text) == "2026-11-27"


@pytest.mark.parametrize("text", ["2026年13月1日", "46000", "27/11/2026", "昨天", ""])
def test_what_is_no_day_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(BadInput, match="no date"):
        parse_day(text, "--since")


def test_a_search_takes_full_width_signs_and_several_words() -> None:
    parts = ("HT-2026-040", "杭州示例云帆科技有限公司", "web-01")
    for text in ("ＨＴ－２０２６－０４０", "杭州 云帆", "云帆　web-01", "ht-2026 科技"):
        assert holds(parts, text), text
    for text in ("杭州 昆明", "ＨＴ－２０２６－０４１", "杭 州 x"):
        assert not holds(parts, text), text


def test_an_id_in_full_width_signs_is_understood(tmp_path: Path) -> None:
    register = Register.open(str(tmp_path / "r.sqlite"))
    for number in (40, 41):
        register.add(made(id=f"HT-2026-0{number}"))
    ended = hostpledge(
        "pledge", "show", "ＨＴ－２０２６－０４０", "--register", register.where, home=tmp_path
    )
    assert ended.status == 2
    assert "HT-2026-040" in ended.err
    assert "HT-2026-041" not in ended.err


@pytest.mark.parametrize(("given", "meant"), [("L5", "L05"), ("m1", "M01"), ("D004", "D04")])
def test_a_number_of_a_control_without_its_nought_is_understood(given: str, meant: str) -> None:
    with pytest.raises(BadInput, match=f"did you mean {meant}"):
        find(given)
    with pytest.raises(BadInput, match=r"lists them|did you mean"):
        find("L99")


def test_fields_that_stay_are_named_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(told, "lang", lambda: "zh")
    monkeypatch.setattr(told, "tr", lambda zh, _en: zh)
    for field in (*ANSWERED_FOR, "taken_back", "notices", "voided", "disposed"):
        assert told.named(field) != field, field
        assert "_" not in told.named(field), field


def test_a_notice_that_is_not_there_is_told_with_those_that_are() -> None:
    notice = {
        "number": "HT-1-20261101", "kind": "mend", "date": "2026-11-01", "evidence": 1,
        "sha256": "0" * 64, "mend_by": "2026-12-31",
        "findings": [{"control": "encryption.residual", "hosts": ["web-01"]}],
    }  # fmt: skip
    record = made(notices=[notice])
    with pytest.raises(BadInput, match=r"no notice 1 is on record.*there are: HT-1-20261101"):
        with_withdrawal(record, "1", {}, today=date(2026, 12, 1))
    with pytest.raises(BadInput, match="pledge notices"):
        with_withdrawal(made(), "1", {}, today=date(2026, 12, 1))
