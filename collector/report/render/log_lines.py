"""Logs as lines of a font of one width. Pure.

On pages, a table of ten thousand cells costs minutes and gigabytes; lines cost next to nothing.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from collector.model import Lang
from collector.report.model.logs import Log
from collector.report.model.view import SIGNS, Host
from collector.report.render.html import words_in

_COLUMNS = ("six", "family", "oldest", "newest", "held", "days", "gaps", "remote", "path")
# of all but the last, in half-widths of a Chinese font
_WIDE = {"zh": (12, 22, 12, 12, 12, 12, 10, 10), "en": (17, 12, 15, 15, 13, 15, 12, 13)}


class LogLines:
    """The lines of `each` logs of a host, and the heads of their columns."""

    def __init__(self, lang: Lang, each: int) -> None:
        words = words_in(lang)
        self._t, self._w = words["t"], words["w"]
        self._each, self._wide = each, _WIDE[lang]

    def head(self) -> str:
        return self._line([self._t[f"log_{name}"] for name in _COLUMNS])

    def of(self, host: Host) -> str:
        """Empty where the host has no table of logs."""
        if host.logs is None:
            return ""
        if host.logs.trouble:
            return f"{self._t['table_trouble']}{self._t['colon']}{host.logs.trouble}"
        lines = [self._line(self._cells(row)) for row in host.logs.rows[: self._each]]
        more = len(host.logs.rows) - self._each
        if more > 0:
            lines.append(self._t["logs_more"].format(count=more))
        return "\n".join(lines)

    def _cells(self, row: Log) -> list[str]:
        t = self._t
        if not row.oldest:
            gaps = "—"
        elif row.holes is None:
            gaps = t["log_not_looked"]
        else:
            gaps = str(row.holes or t["log_part" if row.unseen else "log_no_gaps"])
        remote = "not_looked" if row.remote is None else "yes" if row.remote else "no"
        return [
            f"{SIGNS[row.result]} {self._w['verdict'][row.result]}",
            self._w["log_family"].get(row.family, row.family),
            str(row.oldest.date() if row.oldest else "—"),
            str(row.newest.date() if row.newest else "—"),
            str("—" if row.held is None else row.held),
            t["log_forever"] if row.days is None else str(row.days) or t["log_unknown"],
            gaps,
            t[f"log_{remote}"],
            row.path,
        ]

    def _line(self, cells: Sequence[str]) -> str:
        # a path may hold an end of line
        plain = [" ".join(cell.split()) for cell in cells]
        padded = [
            cell + " " * max(wide - _width(cell), 1)
            for cell, wide in zip(plain, self._wide, strict=False)
        ]
        return "".join(padded) + plain[-1]


def _width(text: str) -> int:
    """In half-widths, where what is ambiguous is wide."""
    return sum(2 if unicodedata.east_asian_width(c) in "WFA" else 1 for c in text)
