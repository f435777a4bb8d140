"""The same file signed for two customers, and the same machine declared by two."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from collector.errors import BadInput
from collector.pledges.record.papers import PaperTakenError, check_papers, shared_papers
from collector.pledges.register.register import Register
from tests.cli.running import Ended, answer, hostpledge
from tests.pledges.records import made

Pledge = Callable[..., Ended]


@pytest.fixture
def pledge(tmp_path: Path) -> Pledge:
    def run(*words: object, **more: str) -> Ended:
        given = (*words, "--register", tmp_path / "r.sqlite")
        return hostpledge("pledge", *given, home=tmp_path, **more)

    return run


@pytest.fixture
def register(tmp_path: Path) -> Register:
    return Register.open(str(tmp_path / "r.sqlite"), create=True)


def theirs(id: str = "b-2026", **changes: Any) -> Any:
    """A record of another customer, that names no file of the example's."""
    plain = {
        "acknowledgements": None,
        "attestations": None,
        "filings": None,
        "management_rules": None,
        "no_transfer": None,
        "resources": None,
        "security_officer": None,
        "self_check": None,
        "training": None,
        "waivers": None,
        "follow_ups": None,
    }
    given = {**plain, "customer": _customer(), "documents": [], "draft": True, **changes}
    return made(id=id, **given)


def _customer(name: str = "另一家有限公司") -> dict[str, Any]:
    customer: dict[str, Any] = dict(made().document["customer"])
    customer.pop("credit_code", None)
    return {**customer, "name": name, "credit_code": "91110000100000008J"}


def test_a_scan_is_not_signed_for_two(pledge: Pledge, register: Register, tmp_path: Path) -> None:
    scan = tmp_path / "scan.pdf"
    scan.write_bytes(b"%PDF-1.7 signed by one")
    register.add(made(id="a-2026", draft=True, documents=[]))
    register.add(theirs())
    said = ("--signed-on", "2026-11-20", "--responsibility", scan)
    assert pledge("sign", "a-2026", *said).status == 0
    ended = pledge("sign", "b-2026", *said)
    assert ended.status == 2
    assert len(ended.err.splitlines()) == 1
    assert "a-2026" in ended.err
    assert str(scan) in ended.err
    assert register.get("b-2026").document["draft"]
    zh = pledge("sign", "b-2026", *said, "--lang", "zh")
    assert "另一用户的登记 a-2026" in zh.err


def test_nor_is_it_added_or_imported(pledge: Pledge, register: Register, tmp_path: Path) -> None:
    first = made(id="a-2026")
    register.add(first)
    second = theirs(draft=None, documents=first.document["documents"])
    place = tmp_path / "b.yml"
    place.write_text(yaml.safe_dump(json.loads(second.canonical())), encoding="utf-8")
    ended = pledge("add", place)
    assert ended.status == 2
    assert "a-2026" in ended.err
    with pytest.raises(BadInput, match="a-2026"):
        register.add_all([second])
    assert [one.id for one in register.list()] == ["a-2026"]


def test_a_list_names_one_scan_for_two(pledge: Pledge, tmp_path: Path) -> None:
    (tmp_path / "scans").mkdir()
    (tmp_path / "scans" / "all.pdf").write_bytes(b"%PDF-1.7 of everybody")
    (tmp_path / "scans" / "other.pdf").write_bytes(b"%PDF-1.7 other")
    head = "编号,用户名称,用户类型,统一社会信用代码,等级,签署日期,责任书,承诺书"
    code = made().document["customer"]["credit_code"]
    rows = [
        f"A-1,甲公司,企业,{code},二级,2026-11-20,all.pdf,other.pdf",
        "B-1,乙公司,企业,91110000100000008J,二级,2026-11-20,all.pdf,",
    ]
    place = tmp_path / "list.csv"
    place.write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    for more in (("--check",), ()):
        ended = pledge("import", place, "--scans", tmp_path / "scans", *more)
        assert ended.status == 2, ended.out
        assert "A-1" in ended.err
        assert "B-1" in ended.err
    assert pledge("list", "--format", "csv").out.count("\n") <= 1


@pytest.mark.parametrize(
    "field",
    [
        {"acknowledgements": [{"clauses": ["pledge.6"], "by": "某人", "date": "2026-01-10"}]},
        {"security_officer": {"name": "某人"}},
        {"filings": {"icp": [{"number": "京ICP备12345678号-1"}]}},
        {"no_transfer": {"by": "某人", "date": "2026-01-10"}},
    ],
)
def test_its_brothers(field: dict[str, Any]) -> None:
    digest = hashlib.sha256(b"one paper").hexdigest()
    ((name, value),) = field.items()
    entry = value[0] if isinstance(value, list) else value.get("icp", [value])[0]
    entry["sha256"] = digest
    one = theirs("a-1", **{name: value})
    third = {"name": "第三家", "kind": "unit", "credit_code": "91330108MA27XJ5K3A"}
    other = theirs("b-1", customer=third, **{name: value})
    with pytest.raises(PaperTakenError, match="a-1"):
        check_papers([other], {}, [one])
    # what stands there already is asked of nobody who changes something else
    check_papers([other], {"b-1": other}, [one])


def test_a_groups_rules_are_said_only(register: Register) -> None:
    digest = hashlib.sha256(b"rules of a group").hexdigest()
    rules = [{"title": "制度", "sha256": digest, "date": "2026-01-10"}]
    one = made(id="a-1", management_rules=rules)
    other = theirs("b-1", management_rules=rules)
    register.add(one)
    register.add(other)
    (shared,) = shared_papers([other], {}, [one])
    assert (shared.mine.pledge, shared.theirs.pledge) == ("b-1", "a-1")


def test_one_customers_two_systems_share_a_paper_of_one_day() -> None:
    one, other = made(id="a-1"), made(id="a-2")
    check_papers([other], {}, [one])
    later = [{**entry, "signed_on": "2026-11-20"} for entry in one.document["documents"]]
    with pytest.raises(PaperTakenError, match="2026-11-20"):
        check_papers([made(id="a-3", renews="a-1", documents=later)], {}, [one])


def test_one_scan_for_both_documents_is_said(
    pledge: Pledge, register: Register, tmp_path: Path
) -> None:
    scan = tmp_path / "both.pdf"
    scan.write_bytes(b"%PDF-1.7 both")
    register.add(made(id="a-2026", draft=True, documents=[]))
    said = ("--signed-on", "2026-11-20", "--responsibility", scan, "--pledge", scan)
    ended = pledge("sign", "a-2026", *said)
    assert ended.status == 0
    assert "same file" in ended.err


def test_a_renewal_is_signed_anew(pledge: Pledge, register: Register, tmp_path: Path) -> None:
    scan = tmp_path / "old.pdf"
    scan.write_bytes(b"%PDF-1.7 old")
    register.add(made(id="a-2026", draft=True, documents=[]))
    words = ("--responsibility", scan, "--signed-on")
    assert pledge("sign", "a-2026", *words, "2026-01-10").status == 0
    for more in (("--check",), ()):
        ended = pledge("renew", "a-2026", "a-2027", *words, "2026-11-20", *more)
        assert ended.status == 2
        assert "2026-01-10" in ended.err
        assert str(scan) in ended.err
    # what a record has of filings and rules goes with it
    assert pledge("renew", "a-2026", "a-2027").status == 0


def test_a_host_of_two_customers_is_said(
    pledge: Pledge, register: Register, tmp_path: Path
) -> None:
    register.add(made(id="a-2026", resources={"hosts": ["web-1"], "addresses": ["203.0.113.8/32"]}))
    head = "编号,用户名称,用户类型,统一社会信用代码,等级,主机,IP地址"
    rows = ["B-1,乙公司,企业,91110000100000008J,二级,WEB-1,203.0.113.0/28"]
    place = tmp_path / "list.csv"
    place.write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    for more in (("--check",), ()):
        ended = pledge("import", place, "--format", "json", *more)
        assert ended.status == 0, ended.err
        assert "web-1" in ended.err
        told = answer(ended.out)["declared_elsewhere"]
        assert {one["kind"] for one in told} == {"address", "host"}
        assert all({p["id"] for p in one["pledges"]} == {"a-2026", "B-1"} for one in told)
    again = pledge("import", place, "--update", "--format", "json")
    assert again.status == 0, again.err
    assert "declared_elsewhere" not in answer(again.out)


def test_ones_own_other_record_is_no_other_customer(pledge: Pledge, register: Register) -> None:
    resources = {"hosts": ["web-1"]}
    register.add(made(id="a-2026", resources=resources))
    other = made(id="a-2", resources=resources)
    place = Path(register.where).parent / "a.yml"
    place.write_text(yaml.safe_dump(json.loads(other.canonical())), encoding="utf-8")
    ended = pledge("add", place)
    assert ended.status == 0, ended.err
    assert "web-1" not in ended.err
