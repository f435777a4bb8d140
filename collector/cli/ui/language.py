"""In which language the command line speaks: --lang, HOSTPLEDGE_LANG, or the locale."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import cache
from typing import Any

import click

from collector.model import Lang, Text


@cache
def lang() -> Lang:
    """The language of this process. --lang counts wherever it stands among the arguments,

    because help texts are made before the arguments are parsed.
    """
    arguments = sys.argv[1:]
    chosen = ""
    for place, argument in enumerate(arguments):
        if argument == "--lang":
            chosen = next(iter(arguments[place + 1 :]), "")
        elif argument.startswith("--lang="):
            chosen = argument.removeprefix("--lang=")
    settings = (os.environ.get(name, "") for name in ("LC_ALL", "LC_MESSAGES", "LANG"))
    locale = next((value for value in settings if value), "")
    return (
        "zh" if (chosen or os.environ.get("HOSTPLEDGE_LANG") or locale).startswith("zh") else "en"
    )


def tr(zh: str, en: str) -> str:
    """The text in the language of this process."""
    return Text(zh, en).to(lang())


def lang_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds --lang to a command; `lang()` has read it already."""
    return click.option(
        "--lang",
        type=click.Choice(["zh", "en"]),
        expose_value=False,
        help=tr("语言", "language of what is shown"),
    )(command)
