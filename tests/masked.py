"""What a read's redaction makes of a text, by the tools of a host."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence

from collector.facts.base.listed_words import LOGS, logs_program, words_program

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
        mode = program.partition(" ")[2]
        argv = [*awk, logs_program() if mode in LOGS else words_program()]
        given = text + b".\n"
        environment |= {"HP_MODE": mode, "HP_KEY": key}
    done = subprocess.run(argv, input=given, capture_output=True, env=environment, check=True)
    return done.stdout
