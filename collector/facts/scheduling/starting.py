"""What cron needs besides a line of a crontab: the account and the shell that it names.

Debian's cron passes over a whole file in which one line names an account that it cannot find;
cronie passes over that line (entry.c, user.c). Both hand the command to SHELL as it stands there
for the lines below it, by execle(3): a shell that is none, is not there, or has no path runs
nothing, and cron says nothing of it.
"""

from __future__ import annotations

import re
from functools import cached_property

from collector.errors import CouldNotLook, NotUnderstood
from collector.facts.scheduling.programs import USUAL
from collector.i18n.message import msg
from collector.model import Capture, ReadStatus, Text

_SET = re.compile(r"""^\s*["']?SHELL["']?\s*=\s*(.*?)\s*$""")
# nss-systemd(8) knows root, nobody and the accounts that a running unit has made for itself
_LOCAL = {"files", "compat", "systemd"}
# what stands for a word that did not leave the host
_MASKED = "$_"
_NONE = {"false", "true", "nologin", "sync", "halt", "shutdown"}
_SHELLS = {"sh", "bash", "dash", "ash", "ksh", "ksh93", "mksh", "zsh", "rbash"}
# where these are no part of the system there is no cron of Debian or cronie either
_ALWAYS = {"/bin/sh", "/usr/bin/sh"}
_ESSENTIAL = {"/bin/bash", "/usr/bin/bash"}


class Starting:
    """`debian`: of run-parts' and cron's kind, as `cron.debian_names` tells; by it a bad account
    takes its whole file along.
    """

    def __init__(self, capture: Capture, *, debian: bool) -> None:
        self._capture = capture
        self.debian = debian

    @cached_property
    def search(self) -> str:
        """The PATH that cron gives a job for which no line of its crontab sets one."""
        return "" if "unrecognized option" in self._parts else USUAL

    def no_user(self, name: str) -> Text | None:
        """Why cron finds no account of that name; None where it finds one.

        Raises FactError where the account may be of a source that was not read.
        """
        if name == "root" or name in self._accounts:
            return None
        if _MASKED in name:
            raise NotUnderstood("schedules.tabs", msg("cron_account_masked", name=name))
        others = self._sources - _LOCAL
        if others or "+" in self._marks:
            raise NotUnderstood(
                "accounts.passwd", msg("cron_account_elsewhere", name=name, others=sorted(others))
            )
        return Text(
            f"/etc/passwd 中没有账户 {name}，cron 不予采用",
            f"cron ignores it: there is no account {name}",
        )

    def no_shell(self, shell: str) -> Text | None:
        """Why nothing can run by that SHELL; None where it can. Raises FactError."""
        name = shell.rpartition("/")[2]
        if _MASKED in shell:
            raise NotUnderstood("schedules.shells", msg("cron_shell_unknown", shell=shell))
        if name in _NONE:
            return Text(f"SHELL={shell}，不执行任何命令", f"SHELL={shell} runs no command")
        if not shell.startswith("/"):
            return Text(
                f"SHELL={shell} 不是完整路径，cron 无法启动",
                f"SHELL={shell} is no full path: cron cannot start it",
            )
        if shell not in _ALWAYS and not self._there(shell):
            return Text(f"SHELL={shell} 不存在或不可执行", f"SHELL={shell} cannot be run")
        if name not in _SHELLS:
            raise NotUnderstood("schedules.shells", msg("cron_shell_unknown", shell=shell))
        return None

    def _there(self, shell: str) -> bool:
        read = self._capture.read("schedules.shells")
        if (
            shell in _ESSENTIAL
            and read.status is ReadStatus.LOST
            and "unrecognized option" not in self._parts
        ):
            return True
        said = read.text().splitlines()
        if f"x {shell}" not in said and f"- {shell}" not in said:
            raise NotUnderstood("schedules.shells", msg("cron_shell_unknown", shell=shell))
        return f"x {shell}" in said

    @cached_property
    def _parts(self) -> str:
        return self._capture.read("schedules.flavour").text()

    @cached_property
    def _passwd(self) -> list[str]:
        file = self._capture.read("accounts.passwd").one()
        if file is None:
            raise CouldNotLook("accounts.passwd", msg("no_etc_passwd"))
        return [line for line in file.text("accounts.passwd").splitlines() if line.strip()]

    @cached_property
    def _accounts(self) -> frozenset[str]:
        return frozenset(line.partition(":")[0] for line in self._passwd)

    @cached_property
    def _marks(self) -> frozenset[str]:
        return frozenset(line[0] for line in self._passwd)

    @cached_property
    def _sources(self) -> frozenset[str]:
        """What nsswitch.conf(5) names for accounts; without the file, and under musl, the files."""
        file = self._capture.read("schedules.sources").one()
        if file is None:
            return frozenset({"files"})
        found = set[str]()
        for line in file.text("schedules.sources").splitlines():
            match = re.match(r"\s*passwd\s*:([^#]*)", line)
            if match:
                found |= set(re.sub(r"\[[^\]]*\]", " ", match[1]).split())
        return frozenset(found)


def shell_set(line: str) -> str | None:
    """The SHELL that a line of a crontab sets for those below it; None where it sets none."""
    match = _SET.match(line)
    if match is None:
        return None
    said = match[1]
    return said[1:-1] if len(said) > 1 and said[0] == said[-1] and said[0] in "\"'" else said
