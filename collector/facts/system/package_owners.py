"""The program behind each listening process, and the package that put its file there."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from collector.model import Capture

_PROGRAM = re.compile(r"^program (\d+) (/\S+)$", re.MULTILINE)
_DPKG = re.compile(
    r"^/var/lib/dpkg/(?:info/([^/:]+)(?::\w+)?\.list|(diversions)):(/\S+)$", re.MULTILINE
)


@dataclass(frozen=True, slots=True)
class Program:
    """A file that is run: `package` is empty where no package brought it, None where unknown."""

    path: str
    package: str | None


def programs(capture: Capture) -> Mapping[int, Program]:
    """By process; a program of a container, or one that was replaced while it ran, is left out.

    Raises FactError where the sockets could not be read.
    """
    text = capture.read("sockets.listening").text()
    _, _, told = text.partition("\n== programs\n")
    told = re.split(r"^== (?:units|end)$", told, maxsplit=1, flags=re.MULTILINE)[0]
    paths = {int(pid): path for pid, path in _PROGRAM.findall(told)}
    head, dpkg, found = told.partition("== dpkg\n")
    owners = _dpkg(found) if dpkg else _rpm(head)
    known = bool(dpkg) or "== rpm\n" in head
    return {
        pid: Program(path, owners.get(path, "") if known else None) for pid, path in paths.items()
    }


def _dpkg(told: str) -> dict[str, str | None]:
    """Lists of files may call /usr/bin/x by its older name /bin/x, which leads to the same file."""
    owners: dict[str, str | None] = {}
    diverted: set[str] = set()
    for package, moved, path in _DPKG.findall(told):
        name = path if path.startswith("/usr/") else f"/usr{path}"
        for each in (path, name):
            if moved:
                diverted.add(each)
            else:
                owners[each] = package
    return owners | dict.fromkeys(diverted)


def _rpm(told: str) -> dict[str, str | None]:
    """The program rpm answers for each path in turn, also where no package owns it."""
    _, _, found = told.partition("== rpm\n")
    paths = re.findall(r"^path (/\S+)$", found, re.MULTILINE)
    answers = [line for line in found.splitlines() if not line.startswith("path ")]
    if len(answers) != len(paths):
        return dict.fromkeys(paths)
    owners: dict[str, str | None] = {}
    for path, answer in zip(paths, answers, strict=True):
        if answer.startswith("owner "):
            owners[path] = answer.removeprefix("owner ")
        else:
            owners[path] = "" if "is not owned by any package" in answer else None
    return owners
