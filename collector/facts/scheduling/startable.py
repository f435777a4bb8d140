"""Why a script that a job calls is not started at all, by how it lies there.

execve(2) wants a file that may be executed, with an interpreter behind `#!`. Without that line
systemd and Debian's run-parts give up (`Exec format error`); a shell takes it for a script of sh,
and so do cron, and each run-parts that is a script itself. Behind a carriage return the name of the
interpreter is another one, and so is the last word of a cron's command.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from collector.facts.scheduling.models import Job, Script
from collector.facts.shell.stops import cannot_start
from collector.model import CapturedFile, Text

_RETURN = "\r"
_BINARY = re.compile(r"\A.?ELF|[\0\ufffd]")


def not_executable(path: str) -> Text:
    return Text(f"{path} 没有执行权限", f"{path} is not executable")


def unstarted(script: Script, *, by_shell: bool) -> Text | None:
    """Why nothing of it is run; None where it starts. `by_shell`: sh or cron starts it."""
    if not script.executable:
        return not_executable(script.path)
    return unread(script.path, script.text, by_shell=by_shell)


def unread(path: str, text: str, *, by_shell: bool) -> Text | None:
    """Why the kernel takes this text for no program."""
    if cannot_start(text):
        return Text(
            f"{path} 第一行以回车符结尾（DOS 格式），内核找不到解释器",
            f"the first line of {path} ends with a carriage return: there is no such interpreter",
        )
    if not by_shell and not text.startswith("#") and not _BINARY.search(text):
        return Text(
            f"{path} 第一行不是 #!，无法直接启动",
            f"{path} does not begin with #!, so that it cannot be started",
        )
    return None


def unable(job: Job, scripts: Mapping[str, Script]) -> frozenset[str]:
    """Of the scripts, those that are not started where this job calls them by their path."""
    first = {c.split(None, 1)[0] for c in job.command.splitlines() if c.strip()}
    return frozenset(
        path
        for path, script in scripts.items()
        if unstarted(script, by_shell=job.kind == "cron" or path not in first)
    )


def of_service(commands: Iterable[str], scripts: Mapping[str, Script]) -> Text | None:
    """Why a service does not come to what it runs: its first program is not started."""
    first = next((c.split(None, 1)[0] for c in commands if c.strip()), "")
    script = scripts.get(first)
    return unstarted(script, by_shell=False) if script is not None else None


def with_returns(lines: Iterable[str], printed: bytes) -> Iterator[str]:
    """The lines of a text with the carriage returns at their ends that it was printed with."""
    raw = [x for x in printed.split(b"\n") if not x.startswith(b"odd name: left out: ")]
    for line, said in zip(lines, raw, strict=False):
        yield line + _RETURN if said.endswith(b"\r") else line


def of_dos(lines: list[str]) -> str:
    r"""A script's text; the host's own masking takes the return of its first line away.

    >>> of_dos(["#!/bin/sh", "restic backup /srv\r", ""])
    '#!/bin/sh\r\nrestic backup /srv\r\n'
    """
    rest = [x for x in lines[1:] if x]
    if rest and all(x.endswith(_RETURN) for x in rest) and lines[0].startswith("#!"):
        lines = [lines[0].rstrip(_RETURN) + _RETURN, *lines[1:]]
    return "\n".join(lines)


def whole_text(file: CapturedFile, read: str) -> str:
    """The text of a script that was read as a file, its carriage returns kept."""
    lines = file.text(read).split("\n")
    return of_dos(list(with_returns(lines, file.data)))


def broken_shell(line: str) -> Text | None:
    """Why a SHELL that a line with a carriage return sets is none."""
    if not line.endswith(_RETURN):
        return None
    return Text(
        "SHELL= 一行以回车符结尾（DOS 格式），没有这个 shell",
        "the line of SHELL= ends with a carriage return: there is no such shell",
    )


def broken_entry(line: str) -> Text | None:
    """Why cron runs another command than the one that stands in a line with a carriage return.

    The last word ends with it. Of a file that output goes to, that is the name alone.
    """
    if not line.endswith(_RETURN) or re.search(r">>?\s*/[^\s>&|;]*\r\Z", line):
        return None
    return Text(
        "该行以回车符结尾（DOS 格式），命令的最后一个词因此不同",
        "its line ends with a carriage return, which is a part of the command's last word",
    )
