"""Puts build/share into the wheel, where `make man` has made it: pipx shows its man pages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class Share(BuildHookInterface):  # type: ignore[type-arg]
    """The hook that `pyproject.toml` names."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        place = Path(self.root) / "build" / "share"
        build_data["shared_data"] |= {
            str(file): f"share/{file.relative_to(place)}"
            for file in sorted(place.rglob("*"))
            if file.is_file()
        }
