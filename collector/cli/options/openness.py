"""Who else on this machine may read what a command writes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from collector.cli.ui.language import tr
from collector.private import OWNER, PUBLIC, others_may_read


def public_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """--public (`public`), for files that people look at."""
    return click.option(
        "--public",
        is_flag=True,
        help=tr(
            "写出的文件本机他人可读（0644）；默认仅属主可读写（0600）",
            "what is written may be read by others on this machine (0644); default: by its owner "
            "alone (0600)",
        ),
    )(command)


def mode_of(*, public: bool) -> int:
    return PUBLIC if public else OWNER


def say_open(folder: Path) -> None:
    """Tells of a folder that was there already, and that others may look into."""
    if others_may_read(folder):
        mode = f"{folder.stat().st_mode & 0o777:04o}"
        click.echo(
            tr(
                f"{folder}：本机他人可访问此目录（权限 {mode}），其中将存放采集文件；"
                f"建议 chmod 700 {folder}",
                f"{folder}: others on this machine may look into this folder (mode {mode}), and "
                f"captures come into it; chmod 700 {folder}",
            ),
            err=True,
        )
