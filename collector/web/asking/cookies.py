"""The cookies of a request, under the very names that a browser held them to."""

from __future__ import annotations

import re
from collections.abc import Iterable

from starlette.requests import cookie_parser

# a token, RFC 6265: blanks that a library strips off a name were none to the browser, which did
# not hold it to what `__Host-` promises
_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")


def cookies_of(headers: Iterable[str]) -> dict[str, str]:
    r"""Of the headers `Cookie`, as latin-1; one whose name is no token is none.

    >>> cookies_of(["a=1; b=2;c=3", "d=4"])
    {'a': '1', 'b': '2', 'c': '3', 'd': '4'}
    >>> cookies_of(["\xa0a=1; \x85a=2; \x1fa=3; a\xa0=4; =a=5; a"])
    {}
    """
    found: dict[str, str] = {}
    for header in headers:
        for part in header.split(";"):
            name = part.lstrip(" \t").partition("=")[0]
            if "=" in part and _NAME.fullmatch(name):
                found[name] = cookie_parser(part)[name]
    return found
