"""What of a pledge record may be shown to anybody: phone and identity numbers are masked. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

_MOBILE = re.compile(
    r"(?<![0-9A-Za-z])(\+?86[- ]?)?(1[3-9][0-9])([0-9]{4})([0-9]{4})(?![0-9A-Za-z])"
)
# hyphens and blanks, as people type them
_GAP = "[-\u2010-\u2015\uff0d \u00a0\u3000]"
# numbers of landlines: an area code, seven or eight digits, perhaps in two parts
_LANDLINE = re.compile(
    rf"(?<![0-9A-Za-z-])(0[1-9][0-9]{{1,2}}(?:[)\uff09]{_GAP}?|{_GAP})?)"
    rf"([0-9]{{4,5}}|[0-9]{{3,4}}{_GAP}[0-9])([0-9]{{3}})(?![0-9A-Za-z])"
)
# mobile numbers written in groups
_GROUPED = re.compile(
    rf"(?<![0-9A-Za-z])(1[3-9][0-9])({_GAP})[0-9]{{4}}({_GAP}?)([0-9]{{4}})(?![0-9A-Za-z])"
)
_IDENTITY = re.compile(
    rf"(?<![0-9A-Za-z])([1-9][0-9]{{5}})({_GAP}?[0-9*]{{8,10}}{_GAP}?)([0-9Xx*]{{2,4}})"
    "(?![0-9A-Za-z*])"
)
# what any of them holds; most texts do not, and are done with
_NUMBER = re.compile(r"(?:[0-9*][^0-9*]{0,2}){9}")
_WIDE = {ord("\uff10") + digit: str(digit) for digit in range(10)}
# what is no text of people: a digest may hold any row of digits
_EXACT = ("credit_code", "sha256", "records_sha256")


def masked(value: Any, *, key: str = "") -> Any:
    """A copy with phone numbers and identity numbers masked, wherever they stand."""
    # lists have a million of them
    if isinstance(value, str):
        return _text(value, key)
    if isinstance(value, bool | int | float | None):
        return value
    if isinstance(value, Mapping):
        return {name: masked(inner, key=name) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [masked(inner, key=key) for inner in value]
    return value


@lru_cache(20_000)
def _text(value: str, key: str) -> str:
    if key == "phone":
        return _middle(value)
    if key in _EXACT:
        return value
    if not value.isascii() and (plain := value.translate(_WIDE)) != value:
        shown = _text(plain, key)
        return value if shown == plain else shown
    if not _NUMBER.search(value):
        return value
    text = _MOBILE.sub(r"\1\2****\4", value)
    text = _GROUPED.sub(r"\1\2****\3\4", text)
    text = _LANDLINE.sub(lambda found: found[1] + "*" * len(found[2]) + found[3], text)
    return _IDENTITY.sub(_hide, text)


def _hide(found: re.Match[str]) -> str:
    return found[1][:2] + "*" * (len(found[0]) - 4) + found[0][-2:]


def _middle(number: str) -> str:
    shown = 3 if len(number) >= 9 else 1
    return number[:shown] + "*" * (len(number) - 2 * shown) + number[-shown:]
