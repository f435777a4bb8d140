"""A database that something else has written to: one line, and never a traceback."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.running import hostpledge
from tests.pledges.test_against_log import ID, Home

CHANGES = {
    "digest": "UPDATE evidence SET digest = 'xyz' WHERE sequence = 2",
    "no digest": "UPDATE evidence SET digest = '' WHERE sequence = 2",
    "collected": "UPDATE evidence SET collected_at = 'now' WHERE sequence = 2",
    "scope": "UPDATE evidence SET scope = '[]'",
    "verdicts": "UPDATE evidence SET verdicts = '[]' WHERE sequence = 2",
    "record": "UPDATE evidence SET record = 'x'",
    "added": "UPDATE versions SET added_at = 'x'",
    "document": "UPDATE versions SET document = 'x'",
    "leaf": "UPDATE log_entries SET leaf = 'x'",
    "blob of a leaf": "UPDATE log_entries SET leaf = x'ff00'",
    "blob of a document": "UPDATE versions SET document = x'ff00'",
    "blob of a digest": "UPDATE versions SET sha256 = x'ff00'",
    "blob of a date": "UPDATE versions SET added_at = x'ff00'",
    "blob of verdicts": "UPDATE evidence SET verdicts = x'ff00'",
    "blob of a scope": "UPDATE evidence SET scope = x'ff00'",
    "blob of a bundle": "UPDATE evidence SET digest = x'ff00' WHERE sequence = 2",
    "blob of a number": "UPDATE evidence SET sequence = x'ff00' WHERE sequence = 2",
    "blob of the origin": "UPDATE log_head SET origin = x'ff00'",
    "number": "UPDATE log_entries SET number = 7 WHERE number = 1",
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_every_command_says_so_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    monkeypatch.setenv("HOSTPLEDGE_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("HOSTPLEDGE_REGISTER", raising=False)
    home = Home(tmp_path)
    home.change(change)
    commands = {
        "list": ("pledge", "list"),
        "show": ("pledge", "show", ID),
        "status": ("pledge", "status", ID),
        "findings": ("pledge", "findings"),
        "due": ("pledge", "due"),
        "attach": ("pledge", "attach", ID, home.bundles[2]),
        "notice": ("pledge", "notice", ID, "-o", tmp_path / "notice.pdf"),
        "export": ("pledge", "export", ID, "-o", tmp_path / "exported"),
        "checkpoint": ("register", "checkpoint"),
        "backup": ("register", "backup", "-o", tmp_path / "backup.zip"),
    }
    ended = {name: hostpledge(*words, home=home.home) for name, words in commands.items()}
    assert {name: end.err for name, end in ended.items() if "defect" in end.err} == {}
    assert {end.status for end in ended.values()} <= {0, 1, 2}
    assert ended["status"].status == ended["attach"].status == 2


# made from the rest of the register, and made anew where they are not what was sealed
MADE_ANEW = (
    "UPDATE briefs SET document = x'ff00'", "UPDATE briefs SET deadlines = x'ff00'",
    "UPDATE briefs SET seal = x'ff00'", "UPDATE briefs SET version = x'ff00'",
    "UPDATE briefs SET first_on = x'ff00'", "UPDATE looks SET document = x'ff00'",
    "UPDATE looks SET digest = x'ff00'", "UPDATE looks SET seal = x'ff00'",
    "UPDATE sightings SET answered = x'ff00'", "UPDATE sightings SET looked_at = x'ff00'",
    "UPDATE marks SET kind = x'ff00'", "UPDATE marks SET sequence = x'ff00'",
    "UPDATE seals SET seal = x'ff00'",
)  # fmt: skip


@pytest.mark.parametrize("change", MADE_ANEW)
def test_what_is_made_anew_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    monkeypatch.setenv("HOSTPLEDGE_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("HOSTPLEDGE_REGISTER", raising=False)
    home = Home(tmp_path)
    asked = (("pledge", "list"), ("pledge", "status", ID), ("pledge", "findings"))
    before = [hostpledge(*words, home=home.home) for words in asked]
    home.change(change)
    assert [hostpledge(*words, home=home.home) for words in asked] == before
