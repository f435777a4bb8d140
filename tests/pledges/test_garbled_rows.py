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
