"""Names with blanks in them are one person's, whoever typed them where."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from collector.cli.options.findings import is_named
from collector.errors import BadInput
from collector.pledges.lists.reading import read
from collector.pledges.record.notices import with_notice
from collector.pledges.record.people import plain_name
from collector.pledges.record.times import CHINA
from collector.pledges.register.register import Register
from tests.cli.running import Ended, answer, hostpledge
from tests.pledges.bundles import Signer
from tests.pledges.lives import captured, check
from tests.pledges.records import made
from tests.pledges.test_findings import HASH

NOW = datetime.now(UTC)
TODAY = NOW.astimezone(CHINA).date()
Run = Callable[..., Ended]


@pytest.fixture
def register(tmp_path: Path) -> Register:
    (tmp_path / "r").mkdir()
    register = Register.open(str(tmp_path / "r"))
    register.add(made(id="one-1", resources={"hosts": ["web-01"]}))
    signer = Signer(tmp_path / "made")
    check(register, "one-1", signer, captured("weak"), NOW - timedelta(days=20))
    return register


@pytest.fixture
def run(register: Register, tmp_path: Path) -> Run:
    def pledge(*words: object) -> Ended:
        return hostpledge("pledge", *words, "--register", tmp_path / "r", home=tmp_path)

    return pledge


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("李工", "李工"),
        ("\u3000李工 ", "李工"),
        ("李\u3000工", "李工"),
        ("李 工 13800000001", "李工 13800000001"),
        ("李工\u00a013800000001", "李工 13800000001"),
        ("欧阳 娜娜", "欧阳 娜娜"),
        ("Li  Na", "Li Na"),
        ("", ""),
    ],
)
def test_blanks_are_no_part_of_a_name(text: str, name: str) -> None:
    assert plain_name(text) == name
    assert not text or is_named(text, name)
    assert not text or is_named(name, text)


def test_one_person_however_it_is_typed(run: Run, register: Register, tmp_path: Path) -> None:
    assert run("assign", "one-1", HASH, "web-01", "--owner", "\u3000李\u3000工 ").status == 0
    (entry,) = register.get("one-1").document["follow_ups"]
    assert entry["owner"] == "李工"
    # a record that was written before, or by hand, has them still
    by_hand = [{"control": HASH, "host": "web-01", "owner": "李\u3000工\u3000"}]
    register.add(made(**{**register.get("one-1").document, "follow_ups": by_hand}), update=True)
    for asked in ("李工", "李 工", "\u3000李工"):
        found = run("findings", "--owner", asked, "--format", "json")
        assert [one["owner"] for one in answer(found.out)["findings"]] == ["李工"], found.err
        assert "one-1" in run("list", "--owner", asked).out
        soon = (TODAY + timedelta(days=9)).isoformat()
        given = run("notice", "one-1", "--owner", asked, "--by", soon, "--check")
        assert "one-1" in given.out, given.err


def test_a_list_has_them_so_too(tmp_path: Path) -> None:
    place = tmp_path / "list.csv"
    code = made().document["customer"]["credit_code"]
    head = "编号,用户名称,用户类型,统一社会信用代码,等级,主机"
    place.write_text(f"{head}\nA-1,甲,企业,{code},二级,web-01\n", encoding="utf-8")
    more = tmp_path / "list.follow_ups.csv"
    more.write_text(f"pledge,control,host,owner\nA-1,{HASH},web-01,李\u3000工\n", encoding="utf-8")
    found = read(place)
    assert not found.faults
    (record,) = found.records
    assert record.document["follow_ups"][0]["owner"] == "李工"


def test_no_recheck_before_its_notice(register: Register) -> None:
    """It was taken, and the recheck stood before what it looks at again."""
    entry = {
        "number": "AQ-1",
        "kind": "mend",
        "date": (TODAY - timedelta(days=3)).isoformat(),
        "evidence": 1,
        "mend_by": TODAY.isoformat(),
        "findings": [{"control": HASH, "hosts": ["web-01"]}],
        "sha256": "ab" * 32,
    }
    register.change("one-1", partial(with_notice, entry=entry, today=TODAY))
    again = {**entry, "number": "AQ-2", "kind": "recheck", "of": "AQ-1"}
    early = {**again, "date": (TODAY - timedelta(days=4)).isoformat()}
    with pytest.raises(BadInput, match=r"notices\[1\].date: .* lies before"):
        register.change("one-1", partial(with_notice, entry=early, today=TODAY))
    register.change("one-1", partial(with_notice, entry=again, today=TODAY))
