"""What a read's redaction makes of a text, by the tools of a host."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence

from collector.script import words_program

AWKS = [a for a in (["mawk"], ["gawk"], ["busybox", "awk"]) if shutil.which(a[0])]
KEY = "0123456789abcdef" * 4


def redacted(
    program: str,
    text: bytes,
    *,
    sed: Sequence[str] = ("sed",),
    awk: Sequence[str] = ("awk",),
    key: str = KEY,
) -> bytes:
    """As `hp_cut` of the script does it. Raises CalledProcessError where the tool cannot."""
    argv, given = [*sed, "-e", program], text
    environment = {**os.environ, "LC_ALL": "C"}
    if program.startswith("#words "):
        argv, given = [*awk, words_program()], text + b".\n"
        environment |= {"HP_MODE": program.partition(" ")[2], "HP_KEY": key}
    done = subprocess.run(argv, input=given, capture_output=True, env=environment, check=True)
    return done.stdout
