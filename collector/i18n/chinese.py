"""What the lower rooms and click complain of, in Chinese: they speak English only.

A complaint that is not listed stays as it is; the place and the values in it are the same anyway.
"""

from __future__ import annotations

import re

from collector.errors import CollectorError
from collector.i18n.complaints import (
    evidence,
    files,
    keys,
    records,
    register,
    running,
    scope,
    unproven,
)

_TABLE = (
    *scope.TABLE,
    *files.TABLE,
    *keys.TABLE,
    *register.TABLE,
    *running.TABLE,
    *records.TABLE,
    *evidence.TABLE,
)


def in_chinese(text: str) -> str:
    """`text` in Chinese where it is a complaint that is known, else as it is."""
    for pattern, template in _TABLE:
        match = re.fullmatch(pattern, text)
        if match:
            words = template
            for number, value in enumerate(match.groups(default=""), 1):
                words = words.replace(f"\\{number}", in_chinese(value))
            return words
    for pattern, template in unproven.TABLE:
        match = re.match(pattern, text)
        if match:
            return match.expand(template)
    return text


def whole_in_chinese(problem: CollectorError) -> str:
    """Where, what and the mend, as far as the error tells them apart."""
    what = getattr(problem, "what", "")
    if not what:
        return str(problem)
    where, mend = getattr(problem, "where", ""), getattr(problem, "mend", "")
    text = f"{where}：{in_chinese(what)}" if where else in_chinese(what)
    return f"{text}；{in_chinese(mend)}" if mend else text
