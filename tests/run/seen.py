"""Looks at what other users of this machine could see of a command while it runs."""

from __future__ import annotations

import os
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Watched:
    """What was seen while a command ran; `programs` and `files` show that it was looked at."""

    where: Path
    secrets: tuple[str, ...]
    # what a person typed everybody sees, and a fork of it until its exec
    typed: bytes = b""
    found: set[str] = field(default_factory=set)
    programs: set[str] = field(default_factory=set)
    files: set[str] = field(default_factory=set)
    modes: set[int] = field(default_factory=set)

    def look(self, root: int) -> None:
        for pid in below(root):
            for name in ("cmdline", "environ"):
                with suppress(OSError):
                    text = Path(f"/proc/{pid}/{name}").read_bytes()
                    if name == "cmdline":
                        self.programs |= {Path(os.fsdecode(w)).name for w in text.split(b"\0")[:2]}
                    if self._told(text) and text != self.typed:
                        self.found.add(f"{name} {text!r}")
        # unlike glob, walk does not mind what goes away meanwhile
        for file in (Path(top, name) for top, _, names in os.walk(self.where) for name in names):
            with suppress(OSError):
                top = self.where / file.relative_to(self.where).parts[0]
                self.modes.add(stat.S_IMODE(top.stat().st_mode) & 0o077)
                held = file.is_file() and self._told(file.read_bytes())
                if file.name.startswith("handed-"):
                    self.modes.add(stat.S_IMODE(file.stat().st_mode) & 0o077)
                elif held:
                    self.found.add(str(file))
                self.files.add(file.name)

    def _told(self, text: bytes) -> bool:
        return any(secret.encode() in text for secret in self.secrets)


def below(root: int) -> Iterator[int]:
    """Every process that `root` started, and they in turn."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with suppress(OSError):
                parent = (entry / "stat").read_text().rpartition(")")[2].split()[1]
                parents.setdefault(int(parent), []).append(int(entry.name))
    left = list(parents.get(root, ()))
    while left:
        pid = left.pop()
        yield pid
        left += parents.get(pid, ())


def watched(
    where: Path, argv: list[str], env: dict[str, str], secrets: tuple[str, ...], *, typed: str = ""
) -> tuple[Watched, str]:
    """Runs a command to its end, looking all the time; its output. It has no terminal."""
    seen = Watched(where, secrets, b"".join(os.fsencode(w) + b"\0" for w in argv))
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as given:
        given.write(typed.encode())
        given.seek(0)
        process = subprocess.Popen(
            argv, stdout=out, stderr=out, stdin=given, env={**os.environ, **env},
            start_new_session=True,
        )  # fmt: skip
        while process.poll() is None:
            seen.look(process.pid)
            time.sleep(0.01)
        out.seek(0)
        return seen, out.read().decode()
