"""A command of a report that was typed as it stands, with the words that only the owner knows."""

from __future__ import annotations

from pathlib import Path

import pytest

from collector import catalog
from collector.remedies import work
from tests.cli.running import hostpledge

GIVEN = {id: word.name for id in catalog.described() for word in work.to_fill(id)[:1]}


@pytest.mark.parametrize("control", GIVEN)
def test_nothing_is_done_with_a_word_in_capitals(tmp_path: Path, control: str) -> None:
    command = work.hardened(control)
    assert command is not None
    _, _, variables = command.partition("-e '")
    ended = hostpledge(
        "harden", "-i", "localhost,", "--control", control, "-e", variables.rstrip("'"), "--yes",
        home=tmp_path,
    )  # fmt: skip
    assert ended.status == 2
    assert ended.err == (
        f"hostpledge: -e: {GIVEN[control]} stands there still, in the place of what only you know; "
        "the report says below the command what belongs there\n"
    )


@pytest.mark.parametrize(
    "variables",
    ['{"other": "FILE"}', '{"backup_repository": "sftp:bak@b:/srv/REPOSITORY"}', "x=NETWORK"],
)
def test_what_somebody_filled_in_is_taken(variables: str) -> None:
    assert work.unfilled(variables) == ""


def test_some_controls_have_such_words() -> None:
    assert {"LOG_HOST", "REPOSITORY", "PORTS"} <= set(GIVEN.values())
