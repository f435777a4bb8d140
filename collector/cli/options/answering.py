"""`--format json` of commands that tell a person what they do: the same, told once, at the end."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import ExitStack, redirect_stdout
from functools import wraps
from typing import Any

import click

from collector.cli.asked.loudness import quiet
from collector.cli.options.common import Decorated, form_option
from collector.cli.ui.columns import out
from collector.export.envelope import NOBODY, Identity, as_json

_FOUND, _ABOUT = "collector.answer", "collector.answer.about"
_FORM, _PRINTED = "collector.answer.form", "collector.answer.printed"


def answering(kind: str, *others: str) -> Decorated:
    """--format text|json, and `others`; stands next to the function, which `answer`s or `prints`.

    With json all that is said goes to standard error, and one document to standard output. It
    holds `status`, with which the command ends. Where the command cannot do its work there is none.
    """

    def decorated(command: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(command)
        def told(*, form: str, **given: Any) -> Any:
            if form == "text":
                return command(**given)
            with ExitStack() as aside:
                nowhere = aside.enter_context(open(os.devnull, "w", encoding="utf-8"))
                # who is asked has to see what about
                hidden = quiet() and given.get("yes", True)
                aside.enter_context(redirect_stdout(nowhere if hidden else sys.stderr))
                click.get_current_context().meta[_FORM] = form
                status = command(**given) or 0
            held = click.get_current_context().meta
            if form != "json":
                out(held.get(_PRINTED, ""))
                return status
            document = {"status": status, **held.get(_FOUND, {})}
            out(as_json(kind, document, held.get(_ABOUT, NOBODY)))
            return status

        return form_option("text", "json", *others)(told)

    return decorated


def asked_form() -> str:
    """Which of its forms the command was asked for."""
    context = click.get_current_context(silent=True)
    return "text" if context is None else str(context.meta.get(_FORM, "text"))


def prints(text: str) -> None:
    """What goes to standard output, where another form than text or json was asked for."""
    click.get_current_context().meta[_PRINTED] = text


def answer(about: Identity = NOBODY, /, **found: Any) -> None:
    """What the document holds; it is about what was named last."""
    context = click.get_current_context(silent=True)
    if context is None:
        return
    context.meta.setdefault(_FOUND, {}).update(found)
    if about != NOBODY:
        context.meta[_ABOUT] = about
