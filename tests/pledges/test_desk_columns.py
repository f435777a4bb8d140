"""What an operator reads off the lists: who renewed, whom to call, what was seen and what to do."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import openpyxl
import pytest

from collector.pledges.register.register import Register
from collector.report.model import found, listed
from tests.cli.running import Ended, answer, hostpledge
from tests.clock import today
from tests.pledges.bundles import Signer
from tests.pledges.lives import captured, check
from tests.pledges.records import made

Pledge = Callable[..., Ended]
_LISTED = [*listed.titles("en"), "continued_by", "contact", "phone", "email"]


@pytest.fixture
def pledge(tmp_path: Path) -> Pledge:
    def run(*words: object) -> Ended:
        return hostpledge("pledge", *words, "--register", tmp_path / "r", home=tmp_path)

    return run


def _rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))


@pytest.fixture
def renewed(tmp_path: Path) -> Register:
    """One that ends within a month and was renewed, one that was not, and one with a draft."""
    register = Register.open(str(tmp_path / "r"), create=True)
    day = today()
    ends = (day + timedelta(days=10)).isoformat()
    period = {"from": (day - timedelta(days=100)).isoformat(), "until": ends}
    after = {"from": (day + timedelta(days=11)).isoformat(), "until": "2099-12-31"}
    for id in ("old-1", "old-2", "old-3"):
        register.add(made(id=id, period=period))
    register.add(made(id="new-1", period=after, renews="old-1"))
    register.add(made(id="new-3", period=after, renews="old-3", draft=True, documents=[]))
    return register


@pytest.mark.parametrize(
    ("lang", "signed", "draft"),
    [
        ("en", "(renewed: new-1)", "(renewal drafted: new-3)"),
        ("zh", "（已续签：new-1）", "（续签草稿：new-3）"),
    ],
)
def test_who_renewed_is_marked_among_those_that_end(
    renewed: Register, pledge: Pledge, lang: str, signed: str, draft: str
) -> None:
    shown = pledge("list", "--expiring", "30d", "--lang", lang).out
    plain = "".join(shown.split())
    assert signed.replace(" ", "") in plain, shown
    assert draft.replace(" ", "") in plain, shown
    assert max(map(len, shown.splitlines())) <= 80
    rows = _rows(pledge("list", "--expiring", "30d", "--format", "csv", "--lang", lang).out)
    assert [(row["id"], row["continued_by"]) for row in rows] == [
        ("old-1", "new-1"), ("old-2", ""), ("old-3", "")
    ]  # fmt: skip
    told = answer(pledge("list", "--expiring", "30d", "--format", "json").out)["pledges"]
    assert [(one["continued_by"], one["continued_by_draft"]) for one in told] == [
        (["new-1"], []), ([], []), ([], ["new-3"])
    ]  # fmt: skip
    whole = pledge("list", "--history", "--lang", lang).out
    assert ("new-3 (draft)" if lang == "en" else "new-3（草稿）") in " ".join(whole.split())


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_lists_end_with_whom_to_call(
    renewed: Register, pledge: Pledge, tmp_path: Path, lang: str
) -> None:
    mine = {"name": "林示例", "phone": "13800000001", "email": "security@yunfan.example"}
    renewed.add(made(id="call-1", safety_contact=mine))
    other = {"name": "周示例", "phone": "0571-88000000"}
    renewed.add(made(id="call-2", safety_contact=None, security_officer=other))
    shown = pledge("list", "--format", "csv", "--lang", lang).out
    rows = {row["id"]: row for row in _rows(shown)}
    assert list(rows["call-1"]) == _LISTED
    told = [rows["call-1"][word] for word in ("contact", "phone", "email")]
    assert told == ["林示例", "138*****001", "security@yunfan.example"]
    assert (rows["call-2"]["contact"], rows["call-2"]["email"]) == ("周示例", "")
    assert "*" in rows["call-2"]["phone"]
    assert "13800000001" not in shown
    whole = _rows(pledge("list", "--history", "--format", "csv").out)
    assert list(whole[0])[-5:] == ["renews", "continued_by", "contact", "phone", "email"]
    for option, name in (("--absent", "never_looked_at"), ("--unowned", "unowned")):
        head = pledge("list", option, "--format", "csv").out.splitlines()[0]
        assert head.endswith(f",{name},contact,phone,email"), option
    place = tmp_path / "l.xlsx"
    assert pledge("list", "--format", "xlsx", "-o", place, "--lang", lang).status == 0
    sheet = openpyxl.load_workbook(place).active
    titles = [cell.value for cell in next(sheet.iter_rows(max_row=1))]
    assert titles[-3:] == list(listed.contact_titles("en" if lang == "en" else "zh").values())


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_findings_say_what_was_seen_and_what_to_do(
    pledge: Pledge, tmp_path: Path, lang: str
) -> None:
    register = Register.open(str(tmp_path / "r"), create=True)
    register.add(made(id="one-1", resources={"hosts": ["web-01"]}))
    signer = Signer(tmp_path / "made")
    check(register, "one-1", signer, captured("weak"), datetime.now(UTC) - timedelta(days=1))
    rows = _rows(pledge("findings", "--format", "csv", "--lang", lang).out)
    assert list(rows[0]) == list(found.titles("en"))
    assert list(rows[0])[-3:] == ["handed_in", "observed", "mend"]
    assert all(row["observed"] and row["mend"] for row in rows)
    (row,) = [row for row in rows if row["control"] == "encryption.password_hash"]
    # the operator has the program
    assert "hostpledge harden" in row["mend"]
    assert ("手工" in row["mend"]) is (lang == "zh")
    for words in (("one-1",), ()):
        told = answer(pledge("findings", *words, "--format", "json", "--lang", lang).out)
        (one,) = [x for x in told["findings"] if x["control"] == "encryption.password_hash"]
        assert (one["observed"][lang], one["mend"][lang]) == (row["observed"], row["mend"])


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_sums_in_a_workbook_are_in_the_words_of_people(
    renewed: Register, pledge: Pledge, tmp_path: Path, lang: str
) -> None:
    renewed.add(made(id="weak-1", grade=2))
    place = tmp_path / "sums.xlsx"
    words = ("--summary", "--veto") if lang == "zh" else ("--summary",)
    assert pledge("list", *words, "--format", "xlsx", "-o", place, "--lang", lang).status == 0
    sheet = openpyxl.load_workbook(place).active
    told = [str(cell.value or "") for row in sheet.iter_rows() for cell in row]
    assert not [one for one in told if "_" in one]
    if lang == "zh":
        # the numbers of clauses and counts aside, nothing is in Latin letters
        assert not [one for one in told if any("a" <= c <= "z" for c in one)]
    # programs read them as ever
    rows = _rows(pledge("list", "--summary", "--format", "csv", "--lang", lang).out)
    assert {"without_evidence", "states", "2.2", "grade 2, 2.2"} <= {row["what"] for row in rows}
