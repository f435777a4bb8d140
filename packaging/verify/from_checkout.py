"""What hostpledge-verify is made of: the checkout around it, or its own unpacked source archive.

`python -m build` unpacks that one below $TMPDIR: whatever lies two folders up may be anybody's.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_CODE = ("collector", "hostpledge")


class CustomBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        place = _place(Path(self.root))
        packed = self.target_name == "sdist"
        taken = {place / name: name for name in _CODE}
        taken[place / "schemas"] = "schemas" if packed else "collector/shipped/schemas"
        build_data["force_include"].update({str(k): v for k, v in taken.items()})


def _place(root: Path) -> Path:
    if (root / "PKG-INFO").is_file():
        return root
    checkout = root.resolve().parents[1]
    if root.resolve() != checkout / "packaging" / "verify":
        raise SystemExit(f"{root}: not packaging/verify of a checkout, and no source archive of it")
    return checkout
