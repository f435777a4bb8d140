"""What watches a host: the read under every shell, and what is not taken for a watcher."""

from __future__ import annotations

import shutil
import struct
import subprocess
from pathlib import Path

import pytest

from collector.errors import NotUnderstood
from collector.facts.monitoring.agents import MONITORS, READS, _header

_SHELLS = [s for s in ("dash", "bash", "busybox", "ksh", "mksh") if shutil.which(s)]


@pytest.mark.parametrize("shell", _SHELLS)
def test_the_oldest_and_the_newest_of_sysstat(shell: str, tmp_path: Path) -> None:
    for name in ("sa20260101", "sa20260601", "sa20261124", "sa01"):
        (tmp_path / name).write_bytes(b"\x96\xd5" + name.encode())
    argv = [shell, "sh"] if shell == "busybox" else [shell]
    body = READS[0].body.replace("/var/log/sysstat", str(tmp_path)).replace("/var/log/sa", "/none")
    ran = subprocess.run(
        [*argv, "-c", body], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True
    )
    assert ran.stdout.endswith("== end\n")
    part = ran.stdout.partition("== sysstat\n")[2].partition("== prometheus\n")[0]
    lines = [x for x in part.splitlines() if "HISTORY" not in x]
    assert lines[0] == "count=4"
    assert [x.rsplit("/", 1)[1] for x in lines[1:]] == ["sa20260101", "sa20261124"]


@pytest.mark.parametrize("order", "<>")
def test_a_header_of_either_byte_order(order: str) -> None:
    data = struct.pack(f"{order}HH", 0xD596, 0x2175) + bytes(72)
    data += struct.pack(f"{order}Q", 1_795_604_880)
    assert f"{_header(data, 'sa'):%Y-%m-%d}" == "2026-11-25"


@pytest.mark.parametrize("data", [b"", bytes(96), b"\x96\xd5\x75\x21" + bytes(92)])
def test_no_header(data: bytes) -> None:
    with pytest.raises(NotUnderstood):
        _header(data, "sa")


def test_names_are_as_the_kernel_cuts_them() -> None:
    assert all(len(name) <= 15 for m in MONITORS for name in m.names)
    assert all(m.how in ("push", "pull", "local") for m in MONITORS)
