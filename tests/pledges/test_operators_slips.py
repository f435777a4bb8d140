"""What an operator with three hundred customers lost, or was told wrongly."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from collector.pledges.record.renewal import next_period
from collector.pledges.record.times import CHINA, to_the_end
from collector.pledges.register.register import Register
from tests.cli.running import Ended, hostpledge
from tests.pledges.records import made

Pledge = Callable[..., Ended]


@pytest.fixture
def pledge(tmp_path: Path) -> Pledge:
    def run(*words: object) -> Ended:
        return hostpledge("pledge", *words, "--register", tmp_path / "r.sqlite", home=tmp_path)

    return run


@pytest.mark.parametrize(
    ("first", "last", "then"),
    [
        ("2024-12-04", "2026-12-03", ("2026-12-04", "2028-12-03")),
        ("2023-03-01", "2024-02-29", ("2024-03-01", "2025-02-28")),
        ("2024-02-29", "2025-02-28", ("2025-03-01", "2026-02-28")),
        ("2026-01-31", "2026-02-28", ("2026-03-01", "2026-03-31")),
        ("2026-01-01", "2026-12-31", ("2027-01-01", "2027-12-31")),
        ("2026-01-01", "2026-01-10", ("2026-01-11", "2026-01-20")),
    ],
)
def test_a_renewal_is_as_many_months(first: str, last: str, then: tuple[str, str]) -> None:
    found = next_period(made(period={"from": first, "until": last}), None, None)
    assert tuple(day.isoformat() for day in found) == then


def test_days_ahead_end_with_the_day_in_china() -> None:
    for hour in (0, 9, 15, 16, 23):
        now = datetime(2026, 11, 29, hour, 20, tzinfo=UTC)
        until = (now + to_the_end(timedelta(days=30), now)).astimezone(CHINA)
        today = now.astimezone(CHINA).date()
        assert until.date() == today + timedelta(days=30)
        assert (until.hour, until.minute) == (23, 59)


def test_due_and_list_agree_on_the_last_day(pledge: Pledge, tmp_path: Path) -> None:
    today = datetime.now(CHINA).date()
    register = Register.open(str(tmp_path / "r.sqlite"), create=True)
    for ahead in (0, 29, 30, 31):
        until = (today + timedelta(days=ahead)).isoformat()
        period = {"from": "2026-01-01", "until": until}
        register.add(made(id=f"in-{ahead}", period=period))
    listed = json.loads(pledge("list", "--expiring", "30d", "--format", "json").out)
    due = pledge(
        "due", "--kind", "period_end", "--coming", "--within", "30d", "--format", "json"
    ).out
    ids = {one["id"] for one in listed["pledges"]}
    assert ids == {one["pledge"] for one in json.loads(due)["due"]} == {"in-0", "in-29", "in-30"}


def test_what_was_signed_is_no_draft_again_by_an_old_list(pledge: Pledge, tmp_path: Path) -> None:
    """`pledge sign` had filled in what the operator's own list does not have."""
    register = Register.open(str(tmp_path / "r.sqlite"), create=True)
    draft = made(id="km-2026", draft=True, documents=[])
    register.add(draft)
    scans = []
    for kind in ("responsibility", "pledge"):
        scan = tmp_path / f"{kind}.pdf"
        scan.write_bytes(f"%PDF-1.7 {kind}".encode())
        scans += [f"--{kind}", scan]
    ended = pledge(
        "sign", "km-2026", "--signed-on", "2026-11-20", "--representative", "李示例", *scans
    )
    assert ended.status == 0, ended.err
    before = register.get("km-2026").document
    assert "draft" not in before
    older = made(id="km-2026", draft=True, documents=[], grade=2)
    (version,) = register.add_all([older], update=True, keep=("waivers",))
    after = version.record.document
    assert "draft" not in after
    assert after["documents"] == before["documents"]
    assert after["grade"] == 2
    digests = {one["sha256"] for one in after["documents"]}
    assert hashlib.sha256(b"%PDF-1.7 pledge").hexdigest() in digests


def test_what_the_check_passes_the_import_takes(pledge: Pledge, tmp_path: Path) -> None:
    place = tmp_path / "list.csv"
    code = made().document["customer"]["credit_code"]
    rows = [f"{id},甲公司,企业,{code},二级" for id in ("T-1", "t-1")]
    place.write_text(
        "\n".join(["编号,用户名称,用户类型,统一社会信用代码,等级", *rows]), encoding="utf-8"
    )
    ahead, done = pledge("import", place, "--check"), pledge("import", place)
    assert (ahead.status, done.status) == (2, 2)
    assert "differ in upper" in ahead.err
    assert "differ in upper" in done.err
