"""`make audit` says what came of it, whatever that is."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# makes an environment whose pip-audit says and ends as told
PYTHON = """#!/bin/sh
[ "$1 $2" = "-m venv" ] || exit 0
mkdir -p "$3/bin"
printf '#!/bin/sh\\n' > "$3/bin/python"
printf '#!/bin/sh\\nprintf "%%s\\\\n" "$SAID"\\nexit "$ENDS"\\n' > "$3/bin/pip-audit"
chmod +x "$3/bin/python" "$3/bin/pip-audit"
"""


@pytest.mark.parametrize(
    ("said", "ends", "status", "told"),
    [
        ("No known vulnerabilities found", "0", 0, "no known weakness in the locked packages"),
        ("Found 1 known vulnerability in 1 package", "1", 1, "Found 1 known vulnerability"),
        ("could not be reached", "1", 2, "not all of it could be looked up"),
    ],
)
def test_it_says_what_came_of_it(
    tmp_path: Path, said: str, ends: str, status: int, told: str
) -> None:
    python = tmp_path / "python"
    python.write_text(PYTHON)
    python.chmod(0o755)
    done = subprocess.run(
        [ROOT / "tools/audit.sh"],
        env=os.environ | {"PYTHON": str(python), "SAID": said, "ENDS": ends},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == status, done.stderr
    assert told in done.stdout + done.stderr
    assert ("no known weakness" in done.stdout) is (status == 0)
