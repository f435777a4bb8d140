"""What stands in a row of a list: the same for programs, for people, for a workbook."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Word:
    """`code` is what programs read, and never changes; `label` is for people."""

    code: str
    label: str


Cell = str | int | bool | datetime | Word | None
