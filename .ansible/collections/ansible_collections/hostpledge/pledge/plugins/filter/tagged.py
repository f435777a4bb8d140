"""Which controls the tags of a run choose. Needs nothing but Ansible."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any


def tagged(names: Iterable[str], family: str, run: Iterable[str], skip: Iterable[str]) -> list[str]:
    """Of the controls `names` those that are meant, in their order.

    A tag is FAMILY.CONTROL, or anything else, which means all controls where it chose the role.
    """
    named = {tag for tag in run if tag.startswith(f"{family}.")}
    whole = not named or family in run or "all" in run
    return [
        name
        for name in names
        if (whole or f"{family}.{name}" in named) and f"{family}.{name}" not in skip
    ]


class FilterModule:
    """Ansible's entry."""

    def filters(self) -> Mapping[str, Callable[..., Any]]:
        """The filters of this file by name."""
        return {"tagged": tagged}
