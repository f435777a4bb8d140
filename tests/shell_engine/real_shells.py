"""Runs scripts under dash and bash with stubs that log their words and end as they are told."""

from __future__ import annotations

import contextlib
import random
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

_STUB = """#!/bin/dash
line=${0##*/}
for a in "$@"; do line="$line\037$a"; done
printf '%s\\n' "$line" >>"$LOG"
name=${line%%\037*}
name=${name#o}
case $line in o*) echo "out-$name" 2>/dev/null;; esac
eval "exit \\${S_$name:-0}"
"""
# what runs a command elsewhere, without going anywhere
_RUNNERS = {
    "ssh": 'while [ "${1#-}" != "$1" ]; do shift; done; shift; exec sh -c "$*"',
    "sudo": 'shift 2; exec "$@"',
    "docker": 'shift 3; exec "$@"',
    "systemd-cat": 'shift 2; exec "$@"',
}


@dataclass(frozen=True)
class Seen:
    """One run: the words of each stub in order, the statuses that were given, and the script's."""

    shell: str
    calls: tuple[tuple[str, ...], ...]
    statuses: Mapping[str, int]
    ended: int


class Shells:
    def __init__(self, folder: Path) -> None:
        self.folder, self.bin = folder, folder / "bin"
        self.bin.mkdir(parents=True, exist_ok=True)
        stub = self.bin / "stub"
        stub.write_text(_STUB)
        stub.chmod(0o755)
        for name, text in _RUNNERS.items():
            path = self.bin / name
            path.write_text(f"#!/bin/dash\n{text}\n")
            path.chmod(0o755)

    def _stubs(self, names: list[str]) -> None:
        for name in names:
            for path in (self.bin / name, self.bin / f"o{name}"):
                if not path.is_symlink():
                    path.symlink_to("stub")

    def runs(
        self, text: str, shells: tuple[str, ...], names: list[str], arguments: list[str],
        environment: Mapping[str, str], plans: list[dict[str, int]],
    ) -> Iterator[Seen]:  # fmt: skip
        self._stubs(names)
        script = self.folder / "script"
        script.write_text(text)
        for shell in shells:
            for plan in plans:
                # a loop that a status keeps going is cut off: nothing is said of it
                with contextlib.suppress(subprocess.TimeoutExpired):
                    yield self._run(shell, script, arguments, environment, plan)

    def _run(
        self, shell: str, script: Path, arguments: list[str], environment: Mapping[str, str],
        plan: dict[str, int],
    ) -> Seen:  # fmt: skip
        log = self.folder / "log"
        log.write_text("")
        for name in ("e", "f", "g", "lock"):
            (self.folder / name).unlink(missing_ok=True)
        given = {
            "PATH": f"{self.bin}:/usr/bin:/bin", "LOG": str(log), "TMP": str(self.folder),
            "HOME": str(self.folder), **environment, **{f"S_{n}": str(s) for n, s in plan.items()},
        }  # fmt: skip
        ended = subprocess.run(
            [shell, str(script), *arguments], env=given, cwd=self.folder, timeout=10, check=False,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        lines = log.read_text(errors="surrogateescape").splitlines()
        return Seen(shell, tuple(tuple(x.split("\037")) for x in lines), plan, ended.returncode)


def plans(names: list[str], seed: int, most: int) -> list[dict[str, int]]:
    """Statuses for the stubs: all good, all bad, each alone bad, and some at random."""
    draw = random.Random(seed)
    found: list[dict[str, int]] = [{}, {n: draw.choice((1, 2, 7)) for n in names}]
    alone = [{n: draw.choice((1, 3))} for n in names]
    draw.shuffle(alone)
    found += alone
    for _ in range(most):
        share = draw.random()
        found.append({n: draw.choice((1, 2)) for n in names if draw.random() < share})
    return found[:most]
