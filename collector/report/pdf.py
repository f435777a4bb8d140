"""The report on A4: printed by a Chromium that is already there."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from collector.errors import BadInput, one_line

BROWSERS = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "microsoft-edge",
)
_SECONDS = 1_800
# it prints one local file: no request may leave, no profile may stay
_FLAGS = (
    "--headless",
    "--disable-gpu",
    "--disable-quic",
    "--disable-extensions",
    "--disable-sync",
    "--disable-component-update",
    "--disable-background-networking",
    "--no-first-run",
    "--no-default-browser-check",
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--no-pdf-header-footer",
)


def browser() -> str | None:
    """The path of a Chromium, or None."""
    return next((found for name in BROWSERS if (found := shutil.which(name))), None)


def program() -> str:
    """The path of a Chromium; raises BadInput when there is none."""
    found = browser()
    if found is None:
        raise BadInput(
            "no Chromium is found",
            where="--pdf",
            mend="install chromium, or give --html and print that file from a browser",
        )
    return found


def to_pdf(html: str) -> bytes:
    """The page as Chromium prints it. Raises BadInput when there is none, or it fails."""
    chromium = program()
    with tempfile.TemporaryDirectory(prefix="hostpledge-") as folder:
        page = Path(folder) / "report.html"
        target = Path(folder) / "report.pdf"
        page.write_text(html, encoding="utf-8")
        # Chromium refuses to start its sandbox as root; the page may run no script anyway
        flags = [*_FLAGS, *(["--no-sandbox"] if os.geteuid() == 0 else [])]
        try:
            ended = subprocess.run(
                [
                    chromium,
                    *flags,
                    f"--user-data-dir={folder}/profile",
                    f"--print-to-pdf={target}",
                    page.as_uri(),
                ],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise BadInput(f"Chromium took longer than {_SECONDS} s", where="--pdf") from None
        if target.is_file() and target.stat().st_size:
            return target.read_bytes()
        said = ended.stderr.decode("utf-8", "replace").strip().splitlines()
        raise BadInput(
            f"Chromium printed nothing (status {ended.returncode}): {one_line((said or [''])[-1])}",
            where="--pdf",
        )
