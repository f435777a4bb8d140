"""The record that continues another: what goes with it, what stays, and when it cannot be."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from collector.errors import BadInput
from collector.pledges.record import form as record
from collector.pledges.record.renewal import STAYS, left_behind, next_period, renewed
from collector.pledges.register.register import Register
from tests.cli.running import Ended, hostpledge
from tests.pledges.records import TODAY, WHOLE, example, made

Pledge = Callable[..., Ended]


@pytest.fixture
def pledge(tmp_path: Path) -> Pledge:
    Register.open(str(tmp_path / "r.sqlite"), create=True).add(
        made(period={"from": "2026-01-10", "until": "2027-01-09"})
    )

    def run(*words: object) -> Ended:
        return hostpledge("pledge", *words, "--register", tmp_path / "r.sqlite", home=tmp_path)

    return run


def test_a_draft_and_one_that_is_signed(pledge: Pledge, tmp_path: Path) -> None:
    old = example()["id"]
    ended = pledge("renew", old, "next-2027")
    assert ended.status == 0, ended.err
    assert "next-2027 continues" in ended.out
    assert "2027-01-10 to 2028-01-09" in ended.out
    assert "a draft" in ended.out
    register = Register.open(str(tmp_path / "r.sqlite"))
    new, before = register.get("next-2027").document, register.get(old).document
    assert (new["renews"], new["draft"], new["documents"]) == (old, True, [])
    for field in ("customer", "safety_contact", "grade", "data_inventory"):
        assert new[field] == before[field], field
    again = pledge("renew", old, "another")
    assert (again.status, again.out) == (2, "")
    assert "is continued by next-2027 already" in again.err
    # the signed ones, of the draft's own renewal
    scan = tmp_path / "责任书 扫描.pdf"
    scan.write_bytes(b"%PDF-1.7 signed")
    words = ("--responsibility", scan, "--signed-on", "2026-11-20", "--representative", "李示例")
    ended = pledge("renew", "next-2027", "next-2028", "--until", "2028-06-30", *words)
    assert ended.status == 0, ended.err
    assert "a draft" not in ended.out
    (document,) = register.get("next-2028").document["documents"]
    assert document["sha256"] == hashlib.sha256(scan.read_bytes()).hexdigest()
    assert (document["version"], document["representative"]) == ("2026", "李示例")


def test_a_draft_that_nobody_signed_ends_no_alarm(pledge: Pledge, tmp_path: Path) -> None:
    """The old one falls due as before; a signed one continues it."""
    old = example()["id"]
    ahead = ("--within", "900d", "--kind", "period_end")
    assert old in pledge("due", old, *ahead).out
    assert pledge("renew", old, "next-2027").status == 0
    assert old in pledge("due", old, *ahead).out
    register = Register.open(str(tmp_path / "r.sqlite"))
    assert register.renewed() == frozenset()
    draft = register.get("next-2027").document
    signed = {k: v for k, v in draft.items() if k != "draft"}
    signed["documents"] = example()["documents"]
    register.add(record.from_document(signed, where="x", today=TODAY), update=True)
    assert register.renewed() == {old}
    assert old not in pledge("due", old, *ahead).out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("none", "x"), "none"),
        (("OLD", "OLD"), "OLD"),
        (("OLD", "新"), "新"),
        (("OLD", "x", "--from", "soon"), "--from: no date: soon"),
        (("OLD", "x", "--from", "2028-01-01", "--until", "2027-01-01"), "2027-01-01"),
        (("OLD", "x", "--signed-on", "2026-11-01"), "go together"),
        (("OLD", "x", "--pledge", "EMPTY", "--signed-on", "2026-11-01"), "is empty"),
        (("OLD", "x", "--pledge", "/", "--signed-on", "2026-11-01"), "/"),
        (("OLD", "x", "--pledge", "/dev/zero", "--signed-on", "2026-11-01"), "/dev/zero"),
    ],
)
def test_what_cannot_be(pledge: Pledge, tmp_path: Path, words: tuple[str, ...], says: str) -> None:
    (tmp_path / "empty").touch()
    place = {"OLD": example()["id"], "EMPTY": str(tmp_path / "empty")}
    ended = pledge("renew", *(place.get(word, word) for word in words))
    assert (ended.status, ended.out) == (2, "")
    assert place.get(says, says) in ended.err
    assert "Traceback" not in ended.err
    assert len(Register.open(str(tmp_path / "r.sqlite")).list()) == 1


def test_every_field_has_been_thought_of() -> None:
    """Of a record in which every field is filled in: all is there, or named as left behind."""
    old = record.load(WHOLE, today=TODAY)
    period = (date(2026, 11, 21), date(2027, 9, 30))
    new = renewed(old, "next", period, (), today=TODAY)
    left = left_behind(old)
    assert left == sorted(STAYS)
    outer = {path.partition(".")[0] for path in STAYS if "." not in path}
    assert set(old.document) - set(new.document) == outer
    assert new.document["incidents"] == {"provider_contact": {**_contact(old)}}
    assert new.document["waivers"] == old.document["waivers"], "not ended yet"
    late = renewed(old, "next", period, (), today=date(2027, 1, 1))
    assert "waivers" not in late.document


def _contact(old: record.PledgeRecord) -> dict[str, str]:
    contact: dict[str, str] = old.document["incidents"]["provider_contact"]
    return contact


@pytest.mark.parametrize(
    ("period", "first", "comes"),
    [
        (("2026-01-10", "2027-01-09"), None, ("2027-01-10", "2028-01-09")),
        (("2024-02-29", "2025-02-28"), None, ("2025-03-01", "2026-02-28")),
        (("2023-03-01", "2024-02-29"), None, ("2024-03-01", "2025-02-28")),
        (("2026-01-01", "2028-12-31"), None, ("2029-01-01", "2031-12-31")),
        (("2026-01-01", "2026-03-31"), None, ("2026-04-01", "2026-06-30")),
        (("2026-01-01", "2026-01-20"), None, ("2026-01-21", "2026-02-09")),
        (("2026-01-10", "2027-01-09"), "2027-02-01", ("2027-02-01", "2028-01-31")),
    ],
)
def test_how_long_the_next_one_is(
    period: tuple[str, str], first: str | None, comes: tuple[str, str]
) -> None:
    old = made(period=dict(zip(("from", "until"), period, strict=True)))
    given = date.fromisoformat(first) if first else None
    assert tuple(map(str, next_period(old, given, None))) == comes


def test_a_period_that_nobody_can_reckon_is_asked_for() -> None:
    endless = made(period={"from": "2026-01-01", "until": "9999-12-31"})
    for old in (endless, made(period=None)):
        with pytest.raises(BadInput, match="give --from and --until"):
            next_period(old, None, None)
    assert next_period(made(period=None), date(2027, 1, 1), date(2027, 12, 31))


def test_the_draft_is_signed_once_it_is(pledge: Pledge, tmp_path: Path) -> None:
    """By one command; all that the draft took over is there still."""
    old = example()["id"]
    ended = pledge("renew", old, "next-2027")
    assert "`pledge sign next-2027 --signed-on DATE" in ended.out
    register = Register.open(str(tmp_path / "r.sqlite"))
    draft = register.get("next-2027").document
    scan = tmp_path / "承诺书.pdf"
    scan.write_bytes(b"%PDF-1.7 signed")
    words = ("next-2027", "--pledge", scan)
    assert "give --signed-on" in pledge("sign", *words).err
    assert "give --signed-on" in pledge("sign", "next-2027", "--signed-on", "2026-11-20").err
    ended = pledge("sign", *words, "--signed-on", "2026-11-20", "--representative", "李示例")
    assert ended.status == 0, ended.err
    assert "no draft any more" in ended.out
    signed = register.get("next-2027").document
    (document,) = signed["documents"]
    assert document["sha256"] == hashlib.sha256(scan.read_bytes()).hexdigest()
    assert {k: v for k, v in signed.items() if k != "documents"} == {
        k: v for k, v in draft.items() if k not in ("documents", "draft")
    }
    assert register.renewed() == {old}
    ended = pledge("sign", *words, "--signed-on", "2026-11-20")
    assert (ended.status, ended.out) == (2, "")
    assert "next-2027: is no draft" in ended.err


def test_the_draft_is_signed_by_the_workbook(pledge: Pledge, tmp_path: Path) -> None:
    """A list says nothing of what a record continues: that stays."""
    old = example()["id"]
    assert pledge("renew", old, "next-2027").status == 0
    (tmp_path / "scans").mkdir()
    for name in ("责任书", "承诺书"):
        (tmp_path / "scans" / f"next-2027-{name}.pdf").write_bytes(name.encode())
    code = example()["customer"]["credit_code"]
    heads = "编号,用户名称,统一社会信用代码,生效日期,到期日期,签署日期"
    row = f"next-2027,杭州示例云帆科技有限公司,{code},2027-01-10,2028-01-09,2026-11-20"
    (tmp_path / "signed.csv").write_text(f"{heads}\n{row}\n", encoding="utf-8")
    words = ("import", tmp_path / "signed.csv", "--scans", tmp_path / "scans", "--update")
    ended = pledge(*words)
    assert ended.status == 0, ended.err
    register = Register.open(str(tmp_path / "r.sqlite"))
    signed = register.get("next-2027").document
    assert len(signed["documents"]) == 2
    assert "draft" not in signed
    assert signed["renews"] == old
    assert register.renewed() == {old}
