"""A root folder to run the script in: files with owner, mode and time, programs, processes.

The tools of the script (sh, awk, sed, find …) are of this machine; whatever would tell of
this machine instead of the played host (date, times and file systems by stat, uname, /proc, /sys)
is played. Needs root: files have owners, and chroot(2).
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.cases import AT

CLOCK = int(AT.timestamp())
DAY = 86_400
UP = 100 * DAY
"""Seconds that every played host has been up."""
PLAYED = "/usr/libexec/played"
_TOOLS = (
    "awk",
    "basename",
    "bash",
    "bzip2",
    "cat",
    "chmod",
    "cksum",
    "comm",
    "cut",
    "date",
    "dd",
    "dirname",
    "du",
    "echo",
    "env",
    "expr",
    "false",
    "find",
    "gawk",
    "grep",
    "gzip",
    "head",
    "hexdump",
    "id",
    "ls",
    "lsattr",
    "mawk",
    "mkdir",
    "od",
    "paste",
    "printf",
    "readlink",
    "rm",
    "sed",
    "setpriv",
    "setsid",
    "sha256sum",
    "sleep",
    "sort",
    "stat",
    "strings",
    "tac",
    "tail",
    "test",
    "timeout",
    "touch",
    "tr",
    "true",
    "uniq",
    "wc",
    "xargs",
    "xz",
    "zstd",
)
_SHELLS = ("bash", "dash", "mksh")


def tools(base: Path) -> Path:
    """The tools with the libraries that they need, once for all roots: `base`/tools."""
    place = base / "tools"
    if place.exists():
        return place
    libraries: set[str] = set()
    for name in (*_TOOLS, *_SHELLS):
        found = shutil.which(name)
        if found is None:
            continue
        real = os.path.realpath(found)
        target = place / "usr/bin" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(real, target)
        told = subprocess.run(["ldd", real], capture_output=True, text=True, check=False).stdout
        libraries |= {word for word in told.split() if word.startswith("/")}
    for library in libraries:
        loader = "ld-linux" in library
        target = place / ("usr/lib64" if loader else "usr/lib") / Path(library).name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(os.path.realpath(library), target)
    return place


@dataclass
class Root:
    """The folder of one played host while it is made."""

    path: Path
    ids: dict[str, tuple[int, int]] = field(default_factory=dict)
    pid: int = 1

    def __post_init__(self) -> None:
        for folder in ("usr/bin", "usr/sbin", "usr/lib", "usr/lib64", "dev", "tmp", PLAYED[1:]):
            (self.path / folder).mkdir(parents=True)
        for name in ("bin", "sbin", "lib", "lib64"):
            (self.path / name).symlink_to(f"usr/{name}")
        for name, minor in (("null", 3), ("zero", 5), ("urandom", 9)):
            os.mknod(self.path / "dev" / name, 0o020666, os.makedev(1, minor))
            (self.path / "dev" / name).chmod(0o666)

    def at(self, path: str) -> Path:
        return self.path / path.lstrip("/")

    def use(self, tooling: Path, shell: str, awk: str) -> None:
        """`shell` as /bin/sh and `awk` as awk, and all other tools."""
        for file in tooling.rglob("*"):
            if file.is_file():
                target = self.path / file.relative_to(tooling)
                target.parent.mkdir(parents=True, exist_ok=True)
                if target.name not in ("awk", "date", "stat", "gawk", "mawk"):
                    _same(file, target)
        binaries = tooling / "usr/bin"
        _same(binaries / awk, self.at("/usr/bin/awk"))
        _same(binaries / "dash", self.at(f"{PLAYED}/sh"))
        for name in ("date", "stat"):
            _same(binaries / name, self.at(f"{PLAYED}/{name}"))
        (self.at("/usr/bin/sh")).symlink_to(shell)

    def file(
        self,
        path: str,
        text: str | bytes = "",
        *,
        mode: int = 0o644,
        owner: tuple[int, int] = (0, 0),
        age: float = 200 * DAY,
    ) -> None:
        """A file that was last written `age` seconds ago."""
        place = self.at(path)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(text.encode() if isinstance(text, str) else text)
        place.chmod(mode)
        os.chown(place, *owner)
        os.utime(place, (CLOCK - age, CLOCK - age))

    def folder(self, path: str, *, mode: int = 0o755, owner: tuple[int, int] = (0, 0)) -> None:
        place = self.at(path)
        place.mkdir(parents=True, exist_ok=True)
        place.chmod(mode)
        os.chown(place, *owner)

    def link(self, path: str, target: str) -> None:
        place = self.at(path)
        place.parent.mkdir(parents=True, exist_ok=True)
        if not place.is_symlink():
            place.symlink_to(target)

    def program(self, path: str, text: str) -> None:
        """A program of sh that plays one of the host's own."""
        self.file(path, f"#!{PLAYED}/sh\n{text}", mode=0o755)

    def says(
        self, path: str, answers: Iterable[tuple[str, str]], otherwise: str = "exit 1"
    ) -> None:
        """A program that answers by its arguments: (pattern of `case` over "$*", output)."""
        lines = ['case "$*" in']
        for number, (pattern, output) in enumerate(answers):
            name = f"{PLAYED}/{Path(path).name}.{number}"
            self.file(name, output)
            lines.append(f"({pattern}) exec cat {name};;")
        self.program(path, "\n".join([*lines, f"(*) {otherwise};;", "esac", ""]))

    def process(
        self,
        comm: str,
        argv: Sequence[str],
        *,
        unit: str = "",
        uid: int = 0,
        opened: Sequence[str] = (),
    ) -> int:
        """A process of `unit` that started two minutes after the host; its number."""
        pid = self.pid
        self.pid += 37
        at, exe = f"/proc/{pid}", argv[0]
        group = "/init.scope" if pid == 1 else f"/system.slice/{unit}" if unit else "/"
        ids = "\t".join([str(uid)] * 4)
        ticks = " ".join(["0"] * 16)
        self.file(f"{at}/comm", f"{comm[:15]}\n")
        self.file(f"{at}/cmdline", "\0".join(argv) + "\0")
        self.file(f"{at}/cgroup", f"1:name=systemd:{group}\n0::{group}\n")
        self.file(f"{at}/environ", "")
        self.file(
            f"{at}/status",
            f"Name:\t{comm[:15]}\nState:\tS (sleeping)\nPPid:\t{0 if pid == 1 else 1}\n"
            f"Uid:\t{ids}\nVmSize:\t   23480 kB\n",
        )
        self.file(f"{at}/stat", f"{pid} ({comm[:15]}) S 1 1 1 0 {ticks[:26]} 12000 0\n")
        self.file(
            f"{at}/limits",
            "Max core file size        0                    unlimited            bytes\n",
        )
        if exe.startswith("/"):
            self.link(f"{at}/exe", exe)
            if not self.at(exe).exists():
                self.program(exe, "exit 1\n")
        self.link(f"{at}/root", "/")
        for number, path in enumerate(("/dev/null", *opened)):
            self.link(f"{at}/fd/{number}", path)
        self.link(f"{at}/ns/pid", "pid:[4026531836]")
        return pid

    def finish(self) -> None:
        """Folders get a time too: making files in them has changed it."""
        then = CLOCK - 400 * DAY
        for folder, _, _ in os.walk(self.path):
            os.utime(folder, (then, then), follow_symlinks=False)


def _same(source: Path, target: Path) -> None:
    if target.exists():
        return
    try:
        os.link(source, target)
    except OSError:
        shutil.copy(source, target)
