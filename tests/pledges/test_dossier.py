"""One customer on one page, found by whatever the operator has: an id, a name, a host."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from collector.pledges.register.register import Register
from tests.cli.running import Ended, answer, hostpledge
from tests.pledges.bundles import Signer
from tests.pledges.lives import captured, check
from tests.pledges.records import example, made
from tests.pledges.test_findings import HASH

NOW = datetime.now(UTC)
SOON = (NOW + timedelta(days=9)).date().isoformat()
Run = Callable[..., Ended]


def _customer(name: str) -> dict[str, object]:
    return {**example()["customer"], "name": name}


@pytest.fixture
def run(tmp_path: Path) -> Run:
    place = tmp_path / "r"
    place.mkdir()
    register = Register.open(str(place))
    for id, name, host in (
        ("one-1", "云南云帆科技有限公司", "web-01"),
        ("two-2", "云南石林网络有限公司", "web-02"),
        ("three-3", "石林网络", "db-7"),
    ):
        register.add(made(id=id, customer=_customer(name), resources={"hosts": [host]}))
    signer = Signer(tmp_path / "made")
    check(register, "one-1", signer, captured("weak"), NOW - timedelta(days=2))

    def pledge(*words: object) -> Ended:
        return hostpledge("pledge", *words, "--register", place, home=tmp_path)

    return pledge


@pytest.mark.parametrize(
    ("who", "id"),
    [
        ("one-1", "one-1"),
        ("ONE-1", "one-1"),
        ("云帆", "one-1"),
        ("web-01", "one-1"),
        ("db-", "three-3"),
        # the whole name goes before a part of another's
        ("石林网络", "three-3"),
        ("云南石林", "two-2"),
    ],
)
def test_who_is_meant(run: Run, who: str, id: str) -> None:
    assert answer(run("dossier", who, "--format", "json").out)["pledge"] == id


@pytest.mark.parametrize(
    ("who", "says"),
    [
        ("云南", "2 pledges are of '云南': one-1 云南云帆科技有限公司, two-2 云南石林"),
        ("web", "2 pledges are of 'web'"),
        ("nobody", "no pledge is of 'nobody', by id, customer or host"),
    ],
)
def test_several_are_named_and_none_is_said(run: Run, who: str, says: str) -> None:
    ended = run("dossier", who)
    assert (ended.status, ended.out) == (2, "")
    assert says in ended.err


def test_all_of_it_stands_on_one_page(run: Run, tmp_path: Path) -> None:
    run("assign", "one-1", HASH, "web-01", "--owner", "周示例 13912345678", "--due", SOON)
    words = ("-o", tmp_path / "n.html", "--by", SOON, "--number", "AQ-17")
    assert run("notice", "one-1", *words).status == 0
    run(
        "waive", "one-1", "D11", "web-01", "--reason", "内网", "--approver", "王安", "--until", SOON
    )
    ended = run("dossier", "云帆", "--lang", "zh")
    assert ended.status == 1, ended.err
    page = ended.out
    for part in ("云南云帆科技有限公司", "web-01", "D12", "周示例", SOON, "AQ-17", "（北京时间）"):
        assert part in page, part
    for title in ("── 主机", "── 未闭环的问题", "── 到期事项", "── 通知书"):
        assert title in page, title
    assert "13912345678" not in page
    told = answer(run("dossier", "云帆", "--format", "json").out)
    (host,) = told["hosts"]
    assert (host["host"], host["declared"], host["evidence"]) == ("web-01", True, 1)
    assert host["open"]["fail"] >= 1
    assert [notice["number"] for notice in told["notices"]] == ["AQ-17"]
    assert any(f["control"] == HASH and f["owner"].startswith("周示例") for f in told["findings"])
    assert told["satisfied"] is False
    assert run("dossier", "two-2", "--lang", "zh").status == 1, "without evidence nothing is well"


def test_a_notice_that_rests_on_void_evidence_asks_for_nothing(run: Run, tmp_path: Path) -> None:
    run("notice", "one-1", "-o", tmp_path / "n.html", "--by", SOON)
    (before,) = answer(run("dossier", "one-1", "--format", "json").out)["notices"]
    assert before["open"] >= 1
    voided = run("void", "one-1", "1", "--reason", "另一客户的主机", "--by", "王安")
    assert voided.status == 0, voided.err
    (notice,) = answer(run("dossier", "one-1", "--format", "json").out)["notices"]
    assert (notice["open"], notice["void_evidence"]) == (0, True)
    (listed,) = answer(run("notices", "one-1", "--format", "json").out)["notices"]
    assert (listed["open"], listed["void_evidence"]) == (0, True)
    assert "0，依据已作废" in "".join(run("dossier", "one-1", "--lang", "zh").out.split())


def test_one_machine_under_two_customers_is_told(run: Run, tmp_path: Path) -> None:
    register = Register.open(str(tmp_path / "r"))
    signer = Signer(tmp_path / "second")
    check(register, "two-2", signer, captured("weak"), NOW - timedelta(days=1))
    told = answer(run("dossier", "two-2", "--format", "json").out)
    assert [(t["pledge"], t["as"]) for t in told["same_machine"]] == [("one-1", "web-01")]
    assert "is the same as web-01 of pledge one-1" in " ".join(run("dossier", "two-2").out.split())


def test_a_customer_who_renewed_is_found_by_the_pledge_in_force(run: Run, tmp_path: Path) -> None:
    register = Register.open(str(tmp_path / "r"))
    old = {"from": "2024-01-01", "until": "2024-12-31"}
    now = {"from": "2025-01-01", "until": "2099-12-31"}
    customer = _customer("昆明滇池数据有限公司")
    register.add(made(id="old-1", customer=customer, period=old))
    register.add(made(id="new-1", customer=customer, period=now, renews="old-1"))
    told = answer(run("dossier", "滇池", "--format", "json").out)
    assert (told["pledge"], told["other_pledges"]) == ("new-1", ["old-1"])


def test_it_goes_to_a_file_that_appears_whole(run: Run, tmp_path: Path) -> None:
    page, program = tmp_path / "page.txt", tmp_path / "page.json"
    shown = run("dossier", "one-1")
    ended = run("dossier", "one-1", "-o", page)
    assert (ended.status, ended.out) == (shown.status, "")
    assert page.read_text("utf-8").splitlines()[0] == shown.out.splitlines()[0]
    assert page.stat().st_mode & 0o777 == 0o600
    assert run("dossier", "one-1", "--format", "json", "-o", program).status == shown.status
    assert answer(program.read_text("utf-8"))["pledge"] == "one-1"
    # what is in a file of that name would be none
    ended = run("dossier", "two-2", "-o", program)
    assert (ended.status, len(ended.err.splitlines())) == (2, 1)
    assert answer(program.read_text("utf-8"))["pledge"] == "one-1"
