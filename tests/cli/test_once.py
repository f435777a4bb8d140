"""An option of one value that is given twice is refused: of two filters one would be dropped."""

from __future__ import annotations

from collections.abc import Iterator

import click
import pytest

from collector.cli.app import hostpledge as command
from tests.cli.running import hostpledge


@pytest.mark.parametrize(
    "words",
    [
        ("pledge", "list", "--owner", "王安", "--owner", "李四"),
        ("pledge", "due", "--within", "30", "--within", "90"),
        ("pledge", "status", "x", "--lang", "zh", "--lang=en"),
    ],
)
def test_one_of_two_is_not_dropped_in_silence(words: tuple[str, ...]) -> None:
    ended = hostpledge(*words)
    assert (ended.status, ended.out) == (2, "")
    assert " is given 2 times, and takes one value" in ended.err
    assert max(words, key=words.count).partition("=")[0] in ended.err


def test_what_takes_several_takes_them_and_a_flag_may_be_said_again() -> None:
    ended = hostpledge("explain", "M02", "-q", "-q", "--lang", "en")
    assert ended.status == 0, ended.err
    ended = hostpledge("explain", "M01", "--lang", "zh", "-v", "-v", "--lang", "en")
    assert ended.status == 0, ended.err


def _leaves(group: click.Command) -> Iterator[click.Command]:
    context = click.Context(group)
    if not isinstance(group, click.Group):
        yield group
        return
    for name in group.list_commands(context):
        below = group.get_command(context, name)
        assert below is not None
        yield from _leaves(below)


def test_every_command_of_the_register_holds_to_it() -> None:
    group = command.get_command(click.Context(command), "pledge")
    assert group is not None
    for leaf in _leaves(group):
        assert getattr(leaf.make_parser, "values_once", False), leaf.name
