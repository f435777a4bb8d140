"""The type of arguments and options that name a file or a folder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from collector.cli.ui.language import tr


class FilePath(click.Path):
    """As click's own, but an empty name is none: Python would take it for the folder one is in."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Fails for an empty name, as click does for a value that is not of the type."""
        if value == "":
            self.fail(tr("文件名为空", "an empty name of a file"), param, ctx)
        return super().convert(value, param, ctx)


class Named(click.ParamType[Any] if TYPE_CHECKING else click.ParamType):  # type: ignore[misc, unused-ignore]
    """A word that must not be empty: a place that is a path or an address, a key's name."""

    name = "text"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Fails for an empty word."""
        if value == "":
            self.fail(tr("值为空", "it is empty"), param, ctx)
        return value

    def shell_complete(
        self,
        ctx: click.Context,  # noqa: ARG002
        param: click.Parameter,  # noqa: ARG002
        incomplete: str,
    ) -> list[CompletionItem]:
        """Most of what is named so is a file after all."""
        return [CompletionItem(incomplete, type="file")]
