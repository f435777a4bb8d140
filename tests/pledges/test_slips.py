"""What an operator mistypes, and nobody sees among hundreds of rows."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from collector.errors import BadInput
from collector.pledges.lists.slips import signed_late, years
from collector.pledges.register.register import Register
from tests.cli.running import Ended, hostpledge
from tests.clock import signing_on
from tests.pledges.bundles import Signer
from tests.pledges.lives import captured, check
from tests.pledges.records import made

Pledge = Callable[..., Ended]
CODE = made().document["customer"]["credit_code"]


@pytest.fixture
def pledge(tmp_path: Path) -> Pledge:
    def run(*words: object) -> Ended:
        return hostpledge("pledge", *words, "--register", tmp_path / "r", home=tmp_path)

    return run


def _listed(place: Path, head: str, *rows: str) -> Path:
    place.write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    return place


@pytest.mark.parametrize("check", [("--check",), ()])
def test_a_mistyped_heading_is_told_with_what_was_meant(
    pledge: Pledge, tmp_path: Path, check: tuple[str, ...]
) -> None:
    head = "编号,用户名称,用户类型,统一社会信用代码,等保等及,客户经理"
    place = _listed(tmp_path / "l.csv", head, f"a-1,甲公司,企业,{CODE},第三级,王")
    ended = pledge("import", place, *check, "--lang", "en")
    assert ended.status == 0
    first, second = ended.err.splitlines()[:2]
    assert first.startswith("columns or sheets not taken: 等保等及 (")
    assert first.endswith("?), 客户经理")
    assert second.startswith("no column ")
    assert second.endswith("1 of 1 records take grade 2")
    assert "没有" in pledge("import", place, "--check", "--lang", "zh").err.splitlines()[1]


def test_rows_without_a_grade_are_counted(pledge: Pledge, tmp_path: Path) -> None:
    Register.open(str(tmp_path / "r"), create=True)
    head = "编号,用户名称,用户类型,统一社会信用代码,等级"
    rows = [f"a-{n},甲公司,企业,{CODE},{grade}" for n, grade in enumerate(("三级", "", "二级"))]
    ended = pledge("import", _listed(tmp_path / "l.csv", head, *rows), "--lang", "en")
    assert ended.err == "1 without '等级': 1 of 3 records take grade 2\n"
    whole = _listed(tmp_path / "m.csv", head, f"b-1,甲公司,企业,{CODE},三级")
    assert pledge("import", whole).err == ""


def test_another_name_on_what_was_signed_is_said_aloud(pledge: Pledge, tmp_path: Path) -> None:
    register = Register.open(str(tmp_path / "r"), create=True)
    for id in ("a-1", "b-1"):
        register.add(made(id=id))
    register.add(made(id="c-1", draft=True, documents=[]))
    other = {**made().document["customer"], "name": "乙公司"}
    names = tmp_path / "a.json"
    names.write_bytes(made(id="a-1", customer=other).canonical())
    ended = pledge("add", names, "--update", "--lang", "en")
    assert ended.status == 0
    assert "look again: 1 signed pledge(s) name another customer: a-1: " in ended.err
    assert "→ 乙公司" in ended.err
    # a draft names whom it will
    names.write_bytes(made(id="c-1", customer=other, draft=True, documents=[]).canonical())
    assert pledge("add", names, "--update").err == ""


@pytest.mark.parametrize(
    ("period", "found"),
    [
        ({"from": "2026-07-11", "until": "2126-03-31"}, 100),
        ({"from": "2026-07-11", "until": "2047-03-31"}, 21),
        ({"from": "2026-07-11", "until": "2046-07-10"}, None),
    ],
)
def test_a_period_that_no_contract_has(period: dict[str, str], found: int | None) -> None:
    assert years(made(period=period)) == found


def test_years_that_do_not_go_together_are_said(pledge: Pledge, tmp_path: Path) -> None:
    Register.open(str(tmp_path / "r"), create=True)
    document = made().document["documents"]
    signed = max(one["signed_on"] for one in document)
    begun = f"{int(signed[:4]) - 10}{signed[4:]}"
    odd = made(id="a-1", period={"from": begun, "until": f"{int(begun[:4]) + 30}-12-31"})
    assert signed_late(odd) is not None
    assert signed_late(made()) is None
    place = tmp_path / "a.json"
    place.write_bytes(odd.canonical())
    ended = pledge("add", place, "--lang", "en")
    assert ended.err.startswith("look at the years again: days of 2 pledge(s) are far apart: a-1:")
    assert "was signed on" in ended.err
    # it was said, and what changes elsewhere is none of it
    more = {**odd.document, "grade": 3}
    place.write_text(json.dumps(more))
    assert pledge("add", place, "--update").err == ""


def test_swapped_papers_are_not_signed(pledge: Pledge, tmp_path: Path) -> None:
    Register.open(str(tmp_path / "r"), create=True).add(made(id="a-1", draft=True, documents=[]))
    one, two = tmp_path / "甲责任书.pdf", tmp_path / "甲承诺书.pdf"
    for path in (one, two):
        path.write_bytes(path.name.encode())
    day = ("--signed-on", "2026-11-20", "--lang", "en")
    swapped = pledge("sign", "a-1", "--responsibility", two, "--pledge", one, *day)
    assert (swapped.status, len(swapped.err.splitlines())) == (2, 1)
    assert "is called as --pledge would be, and was given as --responsibility" in swapped.err
    both = tmp_path / "责任书与承诺书.pdf"
    both.write_bytes(b"both")
    assert pledge("sign", "a-1", "--responsibility", both, "--pledge", two, *day).status == 0
    again = pledge("sign", "a-1", "--responsibility", one, "--pledge", two, *day)
    assert "is put right by `hostpledge pledge add --update`" in again.err


def test_a_summary_counts_what_is_owed(pledge: Pledge, tmp_path: Path) -> None:
    register = Register.open(str(tmp_path / "r"), create=True)
    register.add(made(id="a-1"))
    register.add(made(id="a-2", draft=True, documents=[], grade=2))
    found = json.loads(pledge("list", "--summary", "--format", "json").out)["summary"]
    assert (found["pledges"], found["owed"], found["without_evidence"]) == (2, 1, 1)
    assert found["clauses"]["2.2"] == {"none": 1}
    assert list(found["grades"]) == ["3"]
    drafts = pledge("list", "--summary", "--state", "draft", "--format", "json").out
    assert json.loads(drafts)["summary"]["clauses"]["2.2"] == {"none": 1}
    assert "1 in force" in pledge("list", "--summary", "--lang", "en").out.replace("\n", " ")


def test_history_says_what_each_bundle_closed_and_opened(pledge: Pledge, tmp_path: Path) -> None:
    register, signer = Register.open(str(tmp_path / "r"), create=True), Signer(tmp_path / "s")
    resources = {**made().document["resources"], "hosts": ["web-01"]}
    register.add(made(id="p-1", resources=resources))
    now = datetime.now(UTC)
    check(register, "p-1", signer, captured("weak"), now - timedelta(days=3))
    check(register, "p-1", signer, captured("hardened"), now - timedelta(days=1))
    ended = pledge("history", "p-1", "--lang", "en")
    assert (ended.status, ended.err) == (0, "")
    said = ended.out
    assert "  closed 1: D12\n" in said
    assert "  opened 1: D12\n" in said
    assert said.index("closed 1") < said.index("opened 1"), "the newest is first"
    found = json.loads(pledge("history", "p-1", "--format", "json").out)["evidence"]
    assert found[0]["closed"][0]["host"] == "web-01"
    assert (found[0]["opened"], found[1]["closed"]) == ([], [])


def test_after_a_clock_that_was_ahead_the_way_on_is_named(tmp_path: Path) -> None:
    register, signer = Register.open(str(tmp_path / "r"), create=True), Signer(tmp_path / "s")
    resources = {**made().document["resources"], "hosts": ["web-01"]}
    register.add(made(id="p-1", resources=resources))
    now = datetime.now(UTC)
    later = now + timedelta(days=400)
    with signing_on(later):
        check(register, "p-1", signer, captured("weak"), later)
    with pytest.raises(BadInput, match="`hostpledge pledge void p-1 1` first"):
        check(register, "p-1", signer, captured("hardened"), now - timedelta(days=1))


def test_the_same_customer_under_a_mistyped_id(pledge: Pledge, tmp_path: Path) -> None:
    """Letter O for nought: two records in force of one paper, and no word of it."""
    Register.open(str(tmp_path / "r"), create=True).add(made(id="GX-0240"))
    place = tmp_path / "n.json"
    place.write_bytes(made(id="GX-O240").canonical())
    ended = pledge("add", place, "--lang", "en")
    assert ended.status == 0
    assert "look at the ids again: 1 may be another one" in ended.err
    assert "GX-O240 = GX-0240 (scans, hosts, addresses)" in ended.err
    # what is continued, or has its own machines and papers, is no slip
    place.write_bytes(made(id="GX-1", renews="GX-0240").canonical())
    assert "GX-1 = GX-0240" not in pledge("add", place, "--lang", "en").err
    own = {"type": "pledge", "version": "9", "sha256": "9" * 64, "signed_on": "2026-01-05"}
    place.write_bytes(made(id="GX-2", resources=None, documents=[own]).canonical())
    assert "ids again" not in pledge("add", place, "--lang", "en").err
    # nor is what the list of last month has again
    place.write_bytes(made(id="GX-2", documents=[own]).canonical())
    assert "ids again" not in pledge("add", "--update", place, "--lang", "en").err


def test_entries_for_hosts_that_are_not_declared(pledge: Pledge, tmp_path: Path) -> None:
    place = tmp_path / "n.json"
    host = made().hosts[0]
    owned = {"control": "backup.fresh", "owner": "周示例", "due": "2026-12-31"}
    entries = [{**owned, "host": f"{host}x"}, {**owned, "host": host}, {**owned, "host": "*"}]
    document = made(id="a-1", follow_ups=entries, waivers=None, attestations=None)
    place.write_bytes(document.canonical())
    ended = pledge("add", place, "--lang", "en")
    assert ended.status == 0
    assert "look at the hosts again: 1 that their pledge does not declare: a-1 " in ended.err
    assert f"{host}x ({host}?)" in ended.err
    # what stands in the record already is not told anew
    document = made(id="a-1", follow_ups=entries, waivers=None, attestations=None, title="x")
    place.write_bytes(document.canonical())
    assert "hosts again" not in pledge("add", "--update", place, "--lang", "en").err
    # and what the next list leaves out of them is
    document = made(id="a-1", follow_ups=entries[:2], waivers=None, attestations=None)
    place.write_bytes(document.canonical())
    ended = pledge("add", "--update", place, "--lang", "en")
    assert "note: 1 owner(s) or waiver(s) on record are not in it, and go: a-1 " in ended.err


def test_an_attestation_that_no_control_takes(pledge: Pledge, tmp_path: Path) -> None:
    place = tmp_path / "n.json"
    said = {"clause": "responsibility.2.2", "statement": "天擎", "by": "周", "date": "2026-11-01"}
    entries = [
        {**said, "control": "antivirus.running"},
        {**said, "control": "exposure.admin_ports"},
    ]
    place.write_bytes(made(id="a-1", attestations=entries).canonical())
    ended = pledge("add", place, "--lang", "en")
    assert "1 attestation(s) have no effect" in ended.err, ended.err
    assert "a-1 antivirus.running" in ended.err


def test_a_list_that_may_be_cut_in_its_last_cell(pledge: Pledge, tmp_path: Path) -> None:
    place = tmp_path / "l.csv"
    head = "编号,用户名称,统一社会信用代码,等保级别,主机"
    place.write_text(f"{head}\na-1,甲,{CODE},三级,gx0", "utf-8")
    ended = pledge("import", place, "--lang", "en")
    assert (ended.status, "look whether row 2 is whole" in ended.err) == (0, True), ended.err
    assert "after 'gx0'" in ended.err


def test_an_end_outlasts_a_list_that_has_none(pledge: Pledge, tmp_path: Path) -> None:
    register = Register.open(str(tmp_path / "r"), create=True)
    head = "编号,用户名称,统一社会信用代码,等保级别"
    row = f"a-1,甲,{CODE},三级"
    place = tmp_path / "l.csv"
    assert pledge("import", _listed(place, head, row)).status == 0
    ends = _listed(
        tmp_path / "e.csv",
        f"{head},合同解除日期,合同解除原因,合同解除经办人",
        f"{row},2026-11-25,x,y",
    )
    assert pledge("import", ends, "--update").status == 0
    ended = register.get("a-1").document["ended"]
    assert pledge("import", place, "--update").status == 0
    assert register.get("a-1").document["ended"] == ended


def test_a_list_of_old_and_new_rows_says_how_many(pledge: Pledge, tmp_path: Path) -> None:
    register = Register.open(str(tmp_path / "r"), create=True)
    for n in (1, 2):
        register.add(made(id=f"a-{n}"))
    head = "编号,用户名称,统一社会信用代码,等保级别"
    rows = [f"a-{n},甲,{CODE},三级" for n in (1, 2, 3)]
    place = _listed(tmp_path / "l.csv", head, *rows)
    for words in ((), ("--check",)):
        ended = pledge("import", place, *words, "--lang", "en")
        assert (ended.status, "in the register already: a-1, a-2" in ended.err) == (2, True)
        assert "1 are new" in ended.err
        ended = pledge("import", place, "--update", *words, "--lang", "en")
        assert (ended.status, "not in the register: a-3" in ended.err) == (2, True)
        assert "by a list of its own" in ended.err
