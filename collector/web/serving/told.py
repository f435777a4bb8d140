"""What the log of access says of an address: never what may open something. Pure.

An address of a hand-in is its key, and people mistype it: a slash too many, another letter case,
the path of another page before it. So of what is no address of a page only a digest is written,
by which two lines can be known for one; and of a page's own the parts that are too short to be
a key.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from urllib.parse import parse_qsl, urlencode

# a token of a hand-in, a session or a provider has 43 signs or more; one that was cut off is
# still most of a key
_SHOWN, _OF_NOTHING = 40, 24
_PART = re.compile(r"\{(\w+)(?::\w+)?\}")


def told(
    route: str, parts: Mapping[str, object], path: str, query: str, *, there: bool = False
) -> str:
    """`route` with what stood in it, and the query; `path` as it was asked.

    `there`: something of that name was shown, so that the names in it are names.

    >>> told("/pledges/{id:str}", {"id": "p-1"}, "/pledges/p-1", "at=2026-01-01")
    '/pledges/p-1?at=2026-01-01'
    >>> told("", {}, "//hand-in/secret", "")
    '? #fee668e2'
    """
    if not route:
        return f"? {_digest(path)}"
    most = len(path) if there else _OF_NOTHING
    shown = _PART.sub(lambda part: _shown(str(parts.get(part[1], "")), most), route)
    words = [
        (_shown(name, _OF_NOTHING), _shown(value, _SHOWN if name == "q" else _OF_NOTHING))
        for name, value in parse_qsl(query, keep_blank_values=True)
    ]
    return f"{shown}?{urlencode(words, safe='#,:')}" if words else shown


def _shown(value: str, most: int) -> str:
    return value if len(value) <= most else _digest(value)


def _digest(text: str) -> str:
    return f"#{hashlib.sha256(text.encode('utf-8', 'replace')).hexdigest()[:8]}"
