"""CSV on standard output is the CSV of a file."""

from __future__ import annotations

import csv
import io
import subprocess
import sys
from pathlib import Path

CAPTURE = Path(__file__).parents[1] / "pledges" / "host-weak.capture.gz"


def test_csv_on_standard_output_ends_its_lines_as_a_file_does() -> None:
    words = ("assess", str(CAPTURE), "--family", "encryption", "--format", "csv")
    done = subprocess.run(
        [sys.executable, "-m", "collector", *words], capture_output=True, check=False
    )
    assert done.returncode == 1, done.stderr
    assert b"\\u000d" not in done.stdout
    assert done.stdout.count(b"\r\n") == done.stdout.count(b"\n") > 5
    rows = list(csv.DictReader(io.StringIO(done.stdout.decode(), newline="")))
    assert {row["provenance"] for row in rows} == {"handed-in"}
