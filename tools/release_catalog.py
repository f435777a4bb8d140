"""Keeps the catalogue of a release, so that later ones can hold its evidence to it.

`python -m tools.release_catalog`, on the day of a release: from then on the controls of this
version do not change any more (tests/test_releases.py sees to it), and the version goes up.
"""

from __future__ import annotations

import json
from pathlib import Path

from collector import releases


def write(folder: Path = releases.FOLDER) -> Path:
    """The catalogue of the installed version, in its place."""
    document = releases.document()
    folder.mkdir(parents=True, exist_ok=True)
    place = folder / f"{document['version']}.json"
    place.write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return place


if __name__ == "__main__":
    print(write())
