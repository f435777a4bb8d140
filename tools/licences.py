"""The licence of every package that an installation may hold: `python -m tools.licences`.

Writes docs/dependencies.md from the lock file with all extras and what the packages say of
themselves; `tests/test_licences.py` holds the page to that, and every licence to the list of those
that go with ours.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "dependencies.md"
_LOCKED = re.compile(r"^([a-z0-9._-]+)(?:\[[^\]]*\])?==([^ \\;]+)", re.MULTILINE)
LOCK = ROOT / "requirements" / "all.txt"
_MIT = "Permission is hereby granted, free of charge, to any person obtaining a copy"
# Apache-2.0 code may use and be combined with these; GPL ones are programs beside it (ADR 5)
GO_WITH_OURS = (
    "Apache", "MIT", "BSD", "ISC", "PSF", "Python", "MPL", "CC0", "Unlicense", "GPL", "LGPL",
    "HPND", "0BSD", "ZPL",
)  # fmt: skip
_BEGIN = """# Dependencies and their licences

What `make install EXTRAS=all` installs, by the lock file, and what each package says of its
licence. Why each of the direct ones is there stands in [ADR 5](adr/0005-dependencies.md); what is
written by hand although a library does something like it, and why, in
[ADR 65](adr/0065-what-is-written-by-hand.md). Made by `python -m tools.licences`.

| package | version | licence |
|---|---|---|
"""


def packages() -> Iterator[tuple[str, str]]:
    """Name and version of each package of the lock file; the versions, where Pythons differ."""
    found: dict[str, list[str]] = {}
    for name, version in _LOCKED.findall(LOCK.read_text()):
        found.setdefault(name, []).append(version)
    for name, versions in found.items():
        yield name, ", ".join(dict.fromkeys(versions))


def licence(name: str) -> str:
    """What the package says: its SPDX expression, else its classifiers, its field, or its text.

    Empty where it is not installed here (another system's or Python's).
    """
    try:
        about = metadata.metadata(name)
    except metadata.PackageNotFoundError:
        return ""
    told = about.get("License-Expression")
    if told:
        return told
    classifiers = [
        one.rsplit(" :: ", 1)[1]
        for one in about.get_all("Classifier") or []
        if one.startswith("License :: ") and not one.endswith("OSI Approved")
    ]
    field = (about.get("License") or "").strip().split("\n")[0][:60]
    return ", ".join(classifiers) or field or _by_text(name)


def _by_text(name: str) -> str:
    """Of a package that brings its licence, and says nowhere which it is."""
    for file in metadata.files(name) or []:
        if "licenses" in file.parts and _MIT in " ".join(file.read_text().split()):
            return "MIT"
    return ""


def page() -> str:
    rows = (
        f"| {name} | {licence(name) and version} | {licence(name)} |"
        for name, version in packages()
    )
    return _BEGIN + "\n".join(row for row in rows if not row.endswith("|  |  |")) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
