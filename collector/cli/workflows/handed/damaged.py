"""Hand-ins whose files are damaged: nobody knows what they were, and they hold up nobody."""

from __future__ import annotations

from collections.abc import Sequence

import click

from collector.cli.ui.language import lang
from collector.errors import CollectorError, one_line
from collector.handin import quarantine
from collector.handin.places import Places
from collector.i18n.message import in_chinese


def say_damaged(places: Places, more: Sequence[CollectorError] = ()) -> bool:
    """Names each on stderr in a line, and `more`; is there any?"""
    _, found = quarantine.undecided(places)
    for problem in (*found, *more):
        said = in_chinese(problem.said) if lang() == "zh" else str(problem)
        click.echo(f"hostpledge: {one_line(said, 600)}", err=True)
    return bool(found or more)
