"""What a record says of papers and mistakes, and who sees to what falls due, on the pages."""

from __future__ import annotations

import csv
import io
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from collector.pledges.record.form import from_document
from collector.pledges.record.times import CHINA
from collector.pledges.register.register import Register
from collector.web.keeping import tables
from collector.web.keeping.state import State
from collector.web.keeping.tables import FILE, OLD_DUES
from tests.web.sites import Browser, Place, Site, filled, record, with_accounts

TODAY = datetime.now(UTC).astimezone(CHINA).date()
DIGEST = "0" * 64


def _in(days: int) -> str:
    return (TODAY + timedelta(days=days)).isoformat()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """demo-0 was given two notices, and signed by mistake once; two people see to its findings."""
    folder = tmp_path_factory.mktemp("on-record")
    found = filled(folder)
    register = Register.open(found.register)
    notice = {
        "number": "demo-0-1", "kind": "mend", "date": _in(-9), "evidence": 3, "sha256": DIGEST,
        "mend_by": _in(20),
        "findings": [{"control": "encryption.password_hash", "hosts": ["web-01"]}],
    }  # fmt: skip
    gone = {"date": _in(-1), "reason": "误发", "by": "王安 13812345678"}
    document = dict(record("demo-0", "杭州示例云帆科技有限公司", 0).document)
    follow = {"control": "encryption.password_hash", "host": "web-01"}
    document |= {
        "notices": [notice, {**notice, "number": "demo-0-2", "withdrawn": gone}],
        "taken_back": [
            {"date": _in(-2), "reason": "签到别的草稿", "by": "王安", "fields": ["suspensions"]}
        ],
        "follow_ups": [{**follow, "owner": "周示例 13812345678", "due": _in(3)}],
    }
    register.add(from_document(document, where="test", today=TODAY), update=True)
    other = dict(record("demo-2", "绍兴测试纺织厂", 2).document)
    other["follow_ups"] = [{**follow, "owner": "王工", "due": _in(-3)}]
    register.add(from_document(other, where="test", today=TODAY), update=True)
    with_accounts(found.state)
    return found


@pytest.fixture(scope="module")
def boss(place: Place) -> Browser:
    return Site(place).browser("boss")


def test_a_customers_page_has_its_notices_and_what_was_a_mistake(boss: Browser) -> None:
    page = boss.get("/pledges/demo-0?lang=zh").text
    notices = page[page.index('id="notices"') : page.index('id="evidence"')]
    assert "demo-0-1" in notices
    assert _in(20) in notices
    assert f"已于 {_in(-1)} 由 王安" in notices
    assert "误发" in notices
    assert notices.index("demo-0-2") < notices.index("demo-0-1"), "the newest first"
    assert "13812345678" not in page
    assert f"已于 {_in(-2)} 由 王安 撤回" in page
    assert "签到别的草稿" in page
    # nothing of the kind is said of others
    other = boss.get("/pledges/demo-1?lang=zh").text
    assert 'id="notices"' not in other
    assert "误登" not in other
    # as its record was on a day before that
    assert 'id="notices"' not in boss.get(f"/pledges/demo-0?lang=zh&at={_in(-1)}").text


def _due(boss: Browser, query: str) -> list[tuple[str, str]]:
    rows = csv.DictReader(io.StringIO(boss.get(f"/due/export.csv?{query}").text.lstrip("\ufeff")))
    return sorted((row["pledge"], row["owner"]) for row in rows)


def test_what_falls_due_is_told_by_owner_kind_and_time(boss: Browser) -> None:
    assert _due(boss, "owner=王工") == [("demo-2", "王工")]
    # by the name alone; the number behind it is masked, and cannot be asked out
    (mine,) = _due(boss, "owner=周示例")
    assert mine[0] == "demo-0"
    assert "13812345678" not in mine[1]
    assert _due(boss, "owner=周示例 13812345678") == []
    assert _due(boss, "kind=finding") == [mine, ("demo-2", "王工")]
    assert _due(boss, "kind=finding&when=overdue") == [("demo-2", "王工")]
    assert _due(boss, "kind=finding&when=coming") == [mine]
    assert _due(boss, "kind=finding&when=7") == [mine, ("demo-2", "王工")]
    # what is no such word asks for nothing
    assert _due(boss, "when=zzz&owner=") == _due(boss, "")
    page = boss.get("/due?lang=zh&kind=finding&owner=王工").text
    assert 'data-label="责任人"><bdi>王工</bdi>' in page
    assert "1 项" in page
    assert "没有这样的到期事项" in boss.get("/due?lang=zh&owner=谁").text


def test_no_filter_tells_the_digits_of_an_owners_number(boss: Browser, place: Place) -> None:
    def found(owner: str) -> set[str]:
        rows = csv.DictReader(io.StringIO(boss.get(f"/export.csv?owner={owner}").text[1:]))
        return {row["id"] for row in rows}

    assert found("周示例") == found(" 周示例 ") == {"demo-0"}
    assert found("周示例 13812345678") == found("周示例 13812345679") == found("周") == set()
    assert found("王工") == {"demo-2"}
    with State.open(place.state).read() as connection:
        kept = [str(row) for row in connection.execute(tables.owners.select())]
    assert "周示例" in str(kept)
    assert "12345678" not in str(kept)


def test_what_was_kept_before_without_owners_goes(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    folder.mkdir(mode=0o700)
    with sqlite3.connect(folder / FILE) as before:
        before.execute(f"CREATE TABLE {OLD_DUES} (id TEXT, zh TEXT)")
    before.close()
    State.open(str(folder))
    with sqlite3.connect(folder / FILE) as after:
        names = {row[0] for row in after.execute("SELECT name FROM sqlite_master")}
    after.close()
    assert OLD_DUES not in names
    assert "web_dues_of" in names
