"""Host names that look the same, and are not: letters of another script or width, case, a last dot.

Pure. Names stay what they are, for evidence is joined by them; whoever looks at them is told.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterator

# letters of Cyrillic and Greek that look as Latin ones (of Unicode TR39, confusables)
_LATIN = str.maketrans(
    "аеоорсухіјѕһԁԛԝкмтвнαορνικτυχ‐‑‒–—−·",
    "aeoopcyxijshdqwkmtbhaopviktux------.",
)


def folded(name: str) -> str:
    """What the name looks like to a hurried reader."""
    plain = unicodedata.normalize("NFKC", name).casefold().translate(_LATIN)
    shown = "".join(c for c in plain if unicodedata.category(c) not in ("Cf", "Cc", "Mn"))
    return shown.strip().rstrip(".")


def pairs(names: Collection[str], known: Collection[str]) -> Iterator[tuple[str, str]]:
    """Of `names` those that look as another of them, or of `known`, each with that one."""
    looks: dict[str, list[str]] = {}
    for name in sorted({*names, *known}):
        looks.setdefault(folded(name), []).append(name)
    for name in sorted(set(names) - set(known)):
        others = [other for other in looks[folded(name)] if other != name]
        if others:
            yield name, next((other for other in others if other in known), others[0])
