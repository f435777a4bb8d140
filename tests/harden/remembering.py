"""The module hostpledge_remember as Ansible runs it, without Ansible around it."""

from __future__ import annotations

import importlib.util
import io
import json
import subprocess
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout, suppress
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from ansible.module_utils.testing import patch_module_args

from collector.resources import shared
from collector.run.harden.guard import undo_text

ROLE = shared("roles", "safeguard")
SHELLS = {
    "dash": ("dash",),
    "bash": ("bash", "--posix"),
    "busybox": ("busybox", "sh"),
    "ksh": ("ksh",),
}


@dataclass(frozen=True)
class Memory:
    """A folder in place of /var/lib/hostpledge/undo."""

    place: Path

    def remember(self, family: str = "logging", *, check: bool = False, **things: Any) -> Any:
        """The module's result."""
        return self._module({"family": family, "_ansible_check_mode": check, **things})

    def arm(self, family: str, token: str, seconds: int, **things: Any) -> Any:
        return self._module({"family": family, "token": token, "seconds": seconds, **things})

    def undo(
        self, *words: str, shell: Sequence[str] = ("sh",), path: str = "/usr/bin:/bin"
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*shell, str(self.place / "undo.sh"), *words],
            env={"PATH": path},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def manifest(self, family: str = "logging") -> str:
        return (self.place / family / "manifest").read_text()

    def _module(self, arguments: dict[str, Any]) -> Any:
        given = {"place": str(self.place), "undo": undo_text(), **arguments}
        return _said("hostpledge_remember", given)


def narrowed(files: list[dict[str, Any]], things: dict[str, str], *, check: bool = False) -> Any:
    """The result of the module hostpledge_narrow."""
    given = {"files": files, "things": things, "_ansible_check_mode": check}
    return _said("hostpledge_narrow", given)


def lined(path: Path, regexp: str, line: str, **more: Any) -> Any:
    """The result of the module hostpledge_line."""
    return _said("hostpledge_line", {"path": str(path), "regexp": regexp, "line": line, **more})


def _said(module: str, given: dict[str, Any]) -> Any:
    said = io.StringIO()
    with patch_module_args(given), redirect_stdout(said), suppress(SystemExit):
        loaded(module, ROLE / "library").main()
    return json.loads(said.getvalue())


def loaded(name: str, folder: Path) -> ModuleType:
    """A file of the role, with the role's own module_utils where Ansible puts them."""
    for name_of in ("hostpledge_walk", "hostpledge_place"):
        utils = f"ansible.module_utils.{name_of}"
        if utils not in sys.modules:
            sys.modules[utils] = _from(utils, ROLE / "module_utils" / f"{name_of}.py")
    return _from(name, folder / f"{name}.py")


def _from(name: str, path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
