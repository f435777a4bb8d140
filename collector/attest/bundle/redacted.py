"""A bundle without its captures: their digests stay, in the statement and in evidence.json."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from collector import private
from collector.attest.bundle import bag
from collector.attest.bundle.part import BEFORE
from collector.captures import sync_folder
from collector.errors import BadInput
from collector.i18n.message import msg

LEFT_OUT = "Hostpledge-Left-Out"
CAPTURES = "captures"
# under data/: of the check, and of the one before hardening
FOLDERS = (f"{CAPTURES}/", f"{BEFORE}{CAPTURES}/")


def is_redacted(bag_info: bytes) -> bool:
    """Does bag-info.txt say so? That it is true is for `Bundle` to see."""
    return f"{LEFT_OUT}: {CAPTURES}\n".encode() in bag_info.splitlines(keepends=True)


def write(root: Path, out: Path, info: dict[str, str]) -> None:
    """Copies the bundle at `root` to the new folder `out`, without the captures."""
    if os.path.lexists(out):
        raise BadInput(msg("exists_already"), where=str(out), mend=msg("choose_another_place"))
    private.folder(out)
    private.copy_tree(root / "data", out / "data", _captures_of(root / "data"))
    bag.seal(out, info | {LEFT_OUT: CAPTURES})
    for folder in {path.parent for path in (out / "data").rglob("*")}:
        sync_folder(folder)


def _captures_of(data: Path) -> Callable[[str, list[str]], list[str]]:
    def ignore(folder: str, names: list[str]) -> list[str]:
        inside = Path(folder).relative_to(data)
        return [name for name in names if f"{inside / name}/" in FOLDERS]

    return ignore
