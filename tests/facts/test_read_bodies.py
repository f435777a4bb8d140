"""The shell texts of reads run alike under every shell that is here, and end well."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from collector.facts.access import sshd_effective as sshd
from collector.facts.access.pam import stack as pam
from collector.facts.backup.artefacts import checks as backup_checks
from collector.facts.backup.artefacts import traces as backup
from collector.facts.monitoring import time_sync as timesync
from collector.model import Read
from tests.facts.alone import ALONE

_BODIES = [
    r for m in (backup, backup_checks, pam, sshd, timesync) for r in m.READS if r.kind == "shell"
]
_SHELLS = [s for s in ("dash", "bash", "busybox", "ksh", "mksh", "yash", "zsh") if shutil.which(s)]


@pytest.mark.parametrize("read", _BODIES, ids=lambda r: r.id)
def test_every_shell_gives_the_same(read: Read) -> None:
    said = set()
    for shell in _SHELLS:
        argv = [shell, "sh"] if shell == "busybox" else [shell]
        if shell == "zsh":
            argv += ["--emulate", "sh"]
        ran = subprocess.run(
            [*ALONE, *argv, "-c", read.body],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert ran.returncode == 0, f"{shell}: {ran.stderr}"
        assert "syntax" not in ran.stderr, f"{shell}: {ran.stderr}"
        # the time itself goes on from shell to shell
        lines = (x for x in ran.stdout.splitlines(True) if not x.startswith("== now "))
        said.add("".join(x for x in lines if "time.tv" not in x))
    assert len(said) == 1
