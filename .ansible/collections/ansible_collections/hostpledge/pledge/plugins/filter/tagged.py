"""Which controls the tags of a run choose, and which tags choose none. Needs nothing but Ansible."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

_ROLES = Path(__file__).parents[2] / "roles"
# below it, a tag is rather one of another play of the same run
_ALIKE = 0.8


def tagged(
    names: str | Iterable[str], family: str, run: Iterable[str], skip: Iterable[str]
) -> list[str]:
    """Of the controls `names` those that are meant, in their order.

    A tag is FAMILY.CONTROL, or anything else, which means all controls where it chose the role.
    Names in one text, with commas, are what Ansible's own check takes for a list.
    """
    listed = [name.strip() for name in names.split(",")] if isinstance(names, str) else names
    named = {tag for tag in run if tag.startswith(f"{family}.")}
    whole = not named or family in run or "all" in run
    return [
        name
        for name in listed
        if (whole or f"{family}.{name}" in named) and f"{family}.{name}" not in skip
    ]


def wrong_tags(tags: Iterable[str], families: Sequence[str], by: str = "control") -> list[str]:
    """Of tags those that look meant for these families and choose nothing, and why, in words.

    `by` is what a tag can choose: `control` a family or one of its controls, `family` a family
    alone. What is like no family may be another play's, and is left alone.
    """
    given = [str(tag) for tag in tags]
    # beside its family, one of its controls takes nothing away
    whole = given if by == "family" else []
    return [
        why
        for tag in given
        if tag.partition(".")[0] not in whole or "." not in tag
        for why in _wrong(tag, families, by)
    ]


def _wrong(tag: str, families: Sequence[str], by: str) -> Iterator[str]:
    family, dot, control = tag.partition(".")
    near = difflib.get_close_matches(family.casefold(), families, 1, _ALIKE)
    if not near:
        return
    if family not in families:
        yield f"no such tag: {tag}; is {near[0]}{dot}{control} meant? Families: {', '.join(families)}"
    elif dot and by == "family":
        yield f"{tag}: a control cannot be put back by itself; --tags {family} puts back its family"
    elif dot and control not in (known := _controls(family)):
        yield f"no such tag: {tag}; the role {family} brings about: {', '.join(known)}"


def _controls(family: str) -> list[str]:
    place = _ROLES / family / "meta" / "argument_specs.yml"
    specs = yaml.safe_load(place.read_text(encoding="utf-8"))["argument_specs"]
    options = specs["main"]["options"]
    more = ["policy"] if f"{family}_policy" in options else []
    return [*options[f"{family}_controls"]["choices"], *more]


class FilterModule:
    """Ansible's entry."""

    def filters(self) -> Mapping[str, Callable[..., Any]]:
        """The filters of this file by name."""
        return {"tagged": tagged, "wrong_tags": wrong_tags}
