"""What a finding comes to now is asked at one door, and nobody leaves out who continues a record.

A caller that reads lives as they were seen says "mended" on evidence that proves nothing any more,
and one that leaves out what became of findings calls what was mended overdue.
"""

from __future__ import annotations

import ast
import inspect
import json
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import collector
from collector.pledges.due import lifecycle
from collector.pledges.register.register import Register
from collector.pledges.standing import due, listing, standing, status
from collector.pledges.transfer import archive, inventory
from tests.cli.running import answer, hostpledge
from tests.pledges.bundles import Signer
from tests.pledges.lives import captured, check
from tests.pledges.records import made

ROOT = Path(collector.__file__).parent
NOW = datetime.now(UTC)
HASH = "encryption.password_hash"
# who reads lives as they were seen, and why that is right there
_AS_SEEN = {
    ("cli/commands/pledge/follow_ups.py", "all_lives"): "a waiver accepts a failure that was seen",
    ("cli/commands/pledge/over_all/vetoes.py", "last_lives"): "what failed has failed, however old",
    ("web/reading/broken.py", "last_lives"): "what failed has failed, however old",
}
# who says that nothing continues a record, or that nothing became of its findings, and why
_SAID = {
    ("pledges/standing/found_now.py", "renewed"): "asks whether it ran out, to see whether to look",
    ("cli/commands/pledge/group.py", "renewed"): "asks whether it ran out, to see whether to look",
    ("pledges/standing/then.py", "renewed"): "asks whether it ran out, to see whether to look",
    ("web/reading/monthly.py", "renewed"): "of a month at whose end it was in force",
    ("pledges/standing/standing.py", "lives"): "a clause has no clock of a follow-up",
    ("cli/workflows/desk/digests.py", "lives"): "findings are told one by one, with their owners",
}


def _trees() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(ROOT.rglob("*.py")):
        yield str(path.relative_to(ROOT)), ast.parse(path.read_text(encoding="utf-8"))


def test_nobody_else_reads_lives_as_they_were_seen() -> None:
    found = {
        (name, alias.name)
        for name, tree in _trees()
        if not name.startswith("pledges/standing/")
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.name in ("all_lives", "last_lives")
    }
    assert found == _AS_SEEN.keys(), "ask found_now.lives_now, or say here why not"


def test_who_says_that_nothing_continues_it_or_became_of_it_says_why() -> None:
    found = {
        (name, word.arg)
        for name, tree in _trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        for word in node.keywords
        if (word.arg == "renewed" and ast.unparse(word.value) == "False")
        or (word.arg == "lives" and ast.unparse(word.value) in ("()", "None", "{}"))
    }
    assert found == _SAID.keys()


@pytest.mark.parametrize(
    ("function", "names"),
    [
        (lifecycle.state, ("renewed",)),
        (lifecycle.end, ("renewed",)),
        (lifecycle.kept_until, ("renewed",)),
        (due.due, ("renewed", "lives")),
        (due.too_old, ("renewed",)),
        (standing.standing, ("renewed",)),
        (status.status, ("renewed",)),
        (listing.listed, ("lives",)),
        (inventory.check_due_since, ("renewed", "lives")),
        (inventory.inventory_of, ("lives",)),
    ],
)
def test_they_cannot_be_left_out(function: object, names: tuple[str, ...]) -> None:
    asked = inspect.signature(function).parameters  # type: ignore[arg-type]
    assert all(asked[name].default is inspect.Parameter.empty for name in names)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """What was found was mended, by looks at a part: no whole one was ever made, and is owed."""
    place = tmp_path / "r"
    place.mkdir()
    register = Register.open(str(place))
    signer = Signer(tmp_path / "made")
    period = {"from": "2026-01-01", "until": "2027-12-31"}
    register.add(made(id="one-1", resources={"hosts": ["web-01"]}, period=period))
    for state, days in (("weak", 8), ("hardened", 5)):
        check(register, "one-1", signer, captured(state), NOW - timedelta(days=days))
    return place


def _told(place: Path, *words: object) -> str:
    ended = hostpledge("pledge", *words, "--register", place, home=place.parent)
    assert "Traceback" not in ended.err, ended.err
    return ended.out


def _verdicts(findings: list[dict[str, str]]) -> set[tuple[str, str, str]]:
    return {(one["control"], one["state"], one["verdict"]) for one in findings}


def test_an_export_says_what_the_list_of_findings_says(place: Path, tmp_path: Path) -> None:
    told = answer(_told(place, "findings", "one-1", "--all", "--format", "json"))["findings"]
    assert (HASH, "closed", "error") in _verdicts(told)
    assert _told(place, "export", "one-1", "-o", tmp_path / "e.zip")
    with zipfile.ZipFile(tmp_path / "e.zip") as out:
        found = json.loads(out.read("pledge-one-1/findings.json"))
    assert _verdicts(found["findings"]) == _verdicts(told)


def test_where_nothing_became_of_it_an_export_is_dated_by_its_last_change(
    place: Path, tmp_path: Path
) -> None:
    register = Register.open(str(place))
    for name, hours in (("a.zip", 1), ("b.zip", 5)):
        archive.write(register, "one-1", tmp_path / name, now=NOW + timedelta(hours=hours))
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


def test_a_customer_is_not_told_that_it_is_mended_by_what_proves_nothing_now(
    place: Path, tmp_path: Path
) -> None:
    register = Register.open(str(place))
    entry = {
        "number": "AQ-1", "kind": "mend", "date": (NOW - timedelta(days=7)).date().isoformat(),
        "evidence": 1, "mend_by": (NOW - timedelta(days=4)).date().isoformat(),
        "findings": [{"control": HASH, "hosts": ["web-01"]}], "sha256": "0" * 64,
    }  # fmt: skip
    document = {**register.get("one-1").document, "notices": [entry]}
    known = made(**{k: v for k, v in document.items() if k != "schema"})
    register.add(known, update=True)
    (one,) = answer(_told(place, "notices", "--format", "json"))["notices"]
    assert (one["open"], one["mended"], one["unproven"], one["overdue"]) == (1, 0, 1, False)
    page = tmp_path / "n.html"
    assert _told(place, "notice", "one-1", "--recheck", "-o", page, "--lang", "en")
    html = page.read_text("utf-8")
    assert "Mended · 0" in html
    assert "Found mended, and not proven now · 1" in html
    assert "All that was found is mended" not in html
    assert "at least every 90 days" in html


def test_what_was_mended_is_overdue_nowhere(place: Path) -> None:
    """By lists and summaries as by `pledge due`: a follow-up of it runs no clock."""
    register = Register.open(str(place))
    day = (NOW - timedelta(days=3)).date().isoformat()
    follow = {"control": HASH, "host": "web-01", "owner": "周示例", "due": day}
    document = {**register.get("one-1").document, "follow_ups": [follow]}
    register.add(made(**{k: v for k, v in document.items() if k != "schema"}), update=True)
    for words in (("due",), ("list", "--due-within", "30d")):
        told = _told(place, *words, "--format", "json")
        assert "to be mended by" not in told
    (row,) = answer(_told(place, "list", "--format", "json"))["pledges"]
    kinds = [one["kind"] for one in answer(_told(place, "due", "--format", "json"))["due"]]
    assert "finding" not in kinds
    assert row["id"] == "one-1"
