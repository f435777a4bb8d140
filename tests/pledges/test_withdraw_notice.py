"""A notice given by mistake: withdrawn with why and by whom; on record, asking nothing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from collector.errors import BadInput
from collector.pledges.record.form import from_document
from collector.pledges.record.notices import last_given, with_notice, with_withdrawal
from collector.pledges.record.times import CHINA
from collector.pledges.register.register import Register
from tests.cli.running import Ended, answer, hostpledge
from tests.clock import today
from tests.pledges.bundles import Signer
from tests.pledges.lives import captured, check
from tests.pledges.records import made

HASH = "encryption.password_hash"
NOW = datetime.now(UTC)
TODAY = NOW.astimezone(CHINA).date()
PAST = (TODAY - timedelta(days=3)).isoformat()
WHY = ("--reason", "发错了用户，见 13912345678", "--by", "王安")
Run = Callable[..., Ended]


def _notice(number: str, day: str = PAST) -> dict[str, object]:
    found = {"control": HASH, "hosts": ["web-01"]}
    return {
        "number": number, "kind": "mend", "date": day, "mend_by": day, "evidence": 1,
        "findings": [found], "sha256": hashlib.sha256(number.encode()).hexdigest(),
    }  # fmt: skip


@pytest.fixture
def register(tmp_path: Path) -> Register:
    """A weak host, and two notices to mend whose day is over: AQ-1 and the wrong AQ-2."""
    (tmp_path / "r").mkdir()
    register = Register.open(str(tmp_path / "r"))
    register.add(made(id="one-1", resources={"hosts": ["web-01"]}))
    signer = Signer(tmp_path / "made")
    check(register, "one-1", signer, captured("weak"), NOW - timedelta(days=20))
    for number in ("AQ-1", "AQ-2"):
        register.change("one-1", partial(with_notice, entry=_notice(number), today=TODAY))
    return register


@pytest.fixture
def run(register: Register, tmp_path: Path) -> Run:
    def pledge(*words: object) -> Ended:
        return hostpledge("pledge", *words, "--register", tmp_path / "r", home=tmp_path)

    return pledge


def test_it_stays_and_asks_for_nothing(register: Register, run: Run, tmp_path: Path) -> None:
    assert run("notices", "--overdue").status == 1
    before = len(register.history("one-1"))
    ended = run("withdraw-notice", "one-1", "AQ-2", *WHY)
    assert ended.status == 0, ended.err
    assert "the notice AQ-2 is withdrawn" in ended.out
    assert len(register.history("one-1")) == before + 1
    first, second = register.get("one-1").document["notices"]
    assert "withdrawn" not in first
    assert second["findings"], "what it said can be read still"
    assert second["withdrawn"]["date"] == today().isoformat()
    assert second["withdrawn"]["by"] == "王安"
    # nothing of it is overdue, or open
    told = {n["number"]: n for n in answer(run("notices", "--format", "json").out)["notices"]}
    assert (told["AQ-1"]["overdue"], told["AQ-1"]["withdrawn"]) == (True, None)
    assert [told["AQ-2"][word] for word in ("overdue", "open", "mended")] == [False, 0, 0]
    assert told["AQ-2"]["withdrawn"]["by"] == "王安"
    late = run("notices", "--overdue")
    assert ("AQ-1" in late.out, "AQ-2" in late.out) == (True, False)
    assert "AQ-2" not in run("notices", "--open").out
    assert "withdrawn" in run("notices").out
    # the customer's page tells it, the version says so, and no phone number is shown
    page = run("dossier", "one-1").out
    assert f"withdrawn {today().isoformat()}" in page.replace("\n", " ")
    for said in (page, run("history", "one-1").out, run("notices", "--format", "csv").out):
        assert "13912345678" not in said
    told_by = run("history", "one-1").out
    assert "notices given AQ-2 withdrawn by: (nothing) → 王安" in told_by
    assert "AQ-2: (nothing)" in told_by, "given, and not taken away"
    assert "→ (nothing)" not in told_by
    assert run("withdraw-notice", "one-1", "AQ-1", *WHY).status == 0
    assert run("notices", "--overdue").status == 0


def test_no_recheck_is_made_against_it(register: Register, run: Run, tmp_path: Path) -> None:
    assert run("withdraw-notice", "one-1", "AQ-2", *WHY).status == 0
    found = last_given(register.get("one-1"))
    assert found is not None
    assert found.number == "AQ-1"
    page = tmp_path / "again.html"
    assert run("notice", "one-1", "-o", page, "--recheck").status == 0
    assert register.get("one-1").document["notices"][-1]["of"] == "AQ-1"
    other = tmp_path / "another.html"
    refused = run("notice", "one-1", "-o", other, "--recheck", "--after", "AQ-2")
    assert (refused.status, refused.out) == (2, "")
    assert "--after: the notice AQ-2 was withdrawn" in refused.err
    # what was made against one that is withdrawn then is named
    ended = run("withdraw-notice", "one-1", "AQ-1", *WHY, "--format", "json")
    assert answer(ended.out)["rechecks"] == [
        register.get("one-1").document["notices"][-1]["number"]
    ]
    assert "made against it, and standing still" in ended.err


@pytest.mark.parametrize("name", ["撤回.pdf", "撤回.html"])
def test_the_customer_is_given_a_page(
    register: Register, run: Run, tmp_path: Path, name: str
) -> None:
    place = tmp_path / name
    ended = run("withdraw-notice", "one-1", "AQ-2", *WHY, "-o", place, "--lang", "zh")
    assert ended.status == 0, ended.err
    assert place.stat().st_mode & 0o777 == 0o600
    said = register.get("one-1").document["notices"][1]["withdrawn"]
    assert said["sha256"] == hashlib.sha256(place.read_bytes()).hexdigest()
    if place.suffix == ".html":
        page = place.read_text()
        for part in ("撤回通知书", "AQ-2", "发错了用户", "王安", PAST):
            assert part in page, part
        assert "13912345678" not in page


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("one-1", "AQ-9", *WHY), "one-1: no notice AQ-9 is on record; there are: AQ-1, AQ-2"),
        (("none", "AQ-1", *WHY), "no pledge is named none"),
        (("one-1", "AQ-1", "--by", "x"), "--reason"),
        (("one-1", "AQ-1", "--reason", " ", "--by", "x"), "--reason: is blank"),
        (("one-1", "AQ-1", *WHY, "-o", "x.txt"), "is no .pdf or .html file"),
        (("one-1", "AQ-1", *WHY, "-o", "none/x.pdf"), "no such folder"),
    ],
)
def test_what_cannot_be_withdrawn(
    register: Register, run: Run, words: tuple[str, ...], says: str
) -> None:
    before = len(register.history("one-1"))
    ended = run("withdraw-notice", *words)
    assert (ended.status, ended.out) == (2, "")
    assert says in ended.err
    assert len(register.history("one-1")) == before


def test_it_is_withdrawn_once(run: Run, tmp_path: Path) -> None:
    assert run("withdraw-notice", "one-1", "AQ-2", *WHY).status == 0
    place = tmp_path / "x.html"
    again = run("withdraw-notice", "one-1", "AQ-2", *WHY, "-o", place)
    assert (again.status, place.exists()) == (2, False)
    assert f"the notice AQ-2 was withdrawn already, on {today().isoformat()}" in again.err


def test_neither_going_back_nor_a_list_brings_it_back(register: Register, run: Run) -> None:
    version = len(register.history("one-1"))
    assert run("withdraw-notice", "one-1", "AQ-2", *WHY).status == 0
    assert run("revert", "one-1", "--to", version).status == 0
    assert "withdrawn" in register.get("one-1").document["notices"][1]


def test_it_cannot_lie_before_the_notice_or_ahead() -> None:
    record = with_notice(made(id="one-1"), _notice("AQ-1"), today=TODAY)
    said = {"date": TODAY.isoformat(), "reason": "x", "by": "y"}
    document = json.loads(with_withdrawal(record, "AQ-1", said, today=TODAY).canonical())
    for days, says in ((-9, "lies before"), (9, "has not come yet")):
        entry = document["notices"][0]["withdrawn"]
        entry["date"] = (TODAY + timedelta(days=days)).isoformat()
        with pytest.raises(BadInput, match=says):
            from_document(document, where="x", today=TODAY)
