"""The page that says which spoilings of a host each control withstands: made of `list.yml`."""

from __future__ import annotations

from pathlib import Path

from collector import catalog
from tests.mutations.listed import listed
from tests.mutations.shapes import catalogue

PATH = Path(__file__).parents[2] / "docs" / "mutations.md"
_HEAD = """# Spoiled hosts

Every host that passes a control in the tests is spoiled in each of the ways below, and judged
again: then it must not pass. Where it may, the reason stands here. This page is made of
`tests/mutations/list.yml`, which a test holds to what the judges say (`python -m tests.mutations`
makes it anew; ADR 46).

A spoiling that is not named with a control touches nothing of what that control looks into.

## The spoilings

"""


def page() -> str:
    known, lines = listed(), [_HEAD.rstrip("\n"), ""]
    for name, spoil in catalogue().items():
        said = " ".join((spoil.__doc__ or "").split())
        count = len(known[name].withstands)
        lines.append(f"- **{name}**: {said} Withstood by {count}; others {known[name].others}.")
    lines += ["", "## The controls", ""]
    for id, control in catalog.controls().items():
        lines += [f"### {control.number} {id}", ""]
        withstood = [name for name, entry in known.items() if id in entry.withstands]
        lines += [f"Withstands: {', '.join(withstood) or 'none'}.", ""]
        spared: dict[str, list[str]] = {}
        for name, entry in known.items():
            if id in entry.spared:
                spared.setdefault(entry.spared[id], []).append(name)
            for why in dict.fromkeys(entry.cases.get(id, {}).values()):
                spared.setdefault(why, []).append(f"{name} in part")
        lines += [f"- {', '.join(names)}: {why}" for why, names in spared.items()]
        lines += [""] if spared else []
    return "\n".join(lines).rstrip("\n") + "\n"
