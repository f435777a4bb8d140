"""What the read keeps of chkrootkit's log where a log.expected lies beside it, by the real shell."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from collector.facts.base.opened import OPENED
from collector.facts.security.detector_state import READS

END = "Checking `chkutmp'...                                           not found"
CHKDIRS = """\
Searching for hidden directories using chkdirs...           WARNING

WARNING: chkdirs: Possible LKM Trojan installed (or chkdirs failed):
chkdirs: WARNING: Skipping unsupported filesystem (overlayfs): /usr/bin/
"""
INFECTED = "Checking `ls'...                                            INFECTED\n"


@pytest.mark.parametrize(
    ("today", "expected", "kept"),
    [
        (CHKDIRS, CHKDIRS, []),
        (f"{CHKDIRS}3 4 /usr/lib\n", CHKDIRS, ["detail: 3 4 /usr/lib"]),
        (INFECTED, INFECTED, [f"expected: {INFECTED.strip()}"]),
        (INFECTED, "", [INFECTED.strip()]),
        (
            "WARNING: Output from ifpromisc:\neth1: not promisc and no packet sniffer sockets\n",
            "WARNING: Output from ifpromisc:\n",
            [],
        ),
        ("Checking `ls'...     not infected\n", "Checking `ls'...     not infected\n", []),
    ],
)
def test_what_is_expected_hides_no_finding(
    tmp_path: Path, today: str, expected: str, kept: list[str]
) -> None:
    (read,) = (r for r in READS if r.id == "detectors.state")
    begin, _, rest = read.body.partition("f=/var/log/chkrootkit/log.today")
    part = rest.partition("f=/usr/local/maldetect")[0]
    assert begin
    script = f"f=/var/log/chkrootkit/log.today{part}".replace("/var/log/chkrootkit", str(tmp_path))
    script = OPENED + script
    (tmp_path / "log.today").write_text(f"{today}\n{END}\n")
    (tmp_path / "log.expected").write_text(expected)
    done = subprocess.run(
        ["sh", "-c", script], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )
    lines = done.stdout.splitlines()
    assert lines[0].startswith("== chkrootkit ")
    assert lines[1:] == [END, *kept]
