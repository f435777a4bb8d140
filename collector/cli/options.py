"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from collector import catalog
from collector.cli.language import tr

Decorated = Callable[[Callable[..., Any]], Callable[..., Any]]


def families_option(zh: str, en: str) -> Decorated:
    """`--family`, repeatable; the texts say what it bounds."""
    names = ", ".join(catalog.FAMILIES)
    return click.option(
        "--family",
        "families",
        multiple=True,
        type=click.Choice(catalog.FAMILIES),
        metavar="FAMILY",
        help=tr(f"{zh}：{names}", f"{en}: {names}"),
    )


def form_option(first: str, *others: str) -> Decorated:
    """`--format`, `first` when left out."""
    return click.option(
        "--format",
        "form",
        type=click.Choice([first, *others]),
        default=first,
        show_default=True,
        help=tr("输出格式", "form of the output"),
    )
