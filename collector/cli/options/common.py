"""Options that several commands share."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from collector import catalog
from collector.cli.options.paths import FilePath
from collector.cli.ui.language import lang, tr
from collector.errors import BadInput
from collector.model import Control

Decorated = Callable[[Callable[..., Any]], Callable[..., Any]]
# columns that names of formats may take beside `--format`
_WIDEST = 60
# of a control: `L05`, and as people shorten it
_NUMBER = re.compile(r"([A-Za-z])0*([0-9]{1,2})")


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
    names = [first, *others]
    # more of them than fit beside the option are told behind it
    many = len("|".join(names)) > _WIDEST
    return click.option(
        "--format",
        "form",
        type=click.Choice(names),
        metavar="FORMAT" if many else None,
        default=first,
        show_default=True,
        help=tr(
            f"输出格式：{', '.join(names)}" if many else "输出格式",
            f"form of the output: {', '.join(names)}" if many else "form of the output",
        ),
    )


def output_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """`-o FILE`: where a list is written to, instead of to stdout."""
    return click.option(
        "-o",
        "--output",
        type=FilePath(path_type=Path),
        metavar="FILE",
        help=tr("写入文件", "write it to this file"),
    )(command)


class ControlName(click.ParamType[str] if TYPE_CHECKING else click.ParamType):  # type: ignore[misc, unused-ignore]
    """Name or number of a control: any word is taken, `find` judges it; shells complete it."""

    name = "text"

    def shell_complete(
        self,
        ctx: click.Context,  # noqa: ARG002
        param: click.Parameter,  # noqa: ARG002
        incomplete: str,
    ) -> list[CompletionItem]:
        found = []
        for control in catalog.controls().values():
            for word in (control.number, control.id):
                if word.startswith(incomplete):
                    found.append(CompletionItem(word, help=control.title.to(lang())))
        return found


def find(name: str) -> Control:
    """The control of that name or number; raises BadInput with the nearest names."""
    known = catalog.controls()
    if name in known:
        return known[name]
    for control in known.values():
        if control.number == name.upper():
            return control
    plain = name.lower().replace("-", "_")
    shorts = {id.split(".", 1)[1]: id for id in known}
    near = difflib.get_close_matches(plain, [*known, *shorts], n=3, cutoff=0.5)
    meant = list(dict.fromkeys(shorts.get(word, word) for word in near))
    if (short := _NUMBER.fullmatch(name)) is not None:
        # a number without its nought
        number = f"{short[1].upper()}{int(short[2]):02}"
        meant = [number] if any(one.number == number for one in known.values()) else meant
    raise BadInput(
        tr(f"没有名为“{name}”的核查项", f"no control is named {name!r}"),
        mend=tr(f"是否要找 {'、'.join(meant)}？", f"did you mean {' or '.join(meant)}?")
        if meant
        else tr("用 hostpledge controls 查看全部", "`hostpledge controls` lists them"),
    )
