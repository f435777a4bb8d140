"""Host names that look the same, or are one to some, and are not: letters of another script, case.

Pure. Names stay what they are, for evidence is joined by them; whoever looks at them is told.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator

# letters of Cyrillic and Greek that look as Latin ones (of Unicode TR39, confusables)
_LATIN = str.maketrans(
    "аеоорсухіјѕһԁԛԝкмтвнαορνικτυχ‐‑‒–—−·",
    "aeoopcyxijshdqwkmtbhaopviktux------.",
)


# Letters that Unicode gave another case after version 14, or of which two cases share one: whether
# they differ is told otherwise by the next release of Python, and by each browser.
_UNSURE = re.compile(
    "[\u0131\u1c89\u1c8a\ua7cb-\ua7cf\ua7d2-\ua7d5\ua7da-\ua7dc"
    "\U00010d50-\U00010d85\U00016ea0-\U00016ed3]"
)


def fold(name: str) -> str:
    """The same for names that are one name to some file system or reader (bytes.js does so too)."""
    if name.isascii() or not _UNSURE.search(name):
        return name.casefold()
    return "".join(c if _UNSURE.match(c) else c.casefold() for c in name)


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
