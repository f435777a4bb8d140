"""In which language a page is made, and what all pages that are made have in common."""

from __future__ import annotations

from typing import Literal

Lang = Literal["zh", "en"]
LANGS: tuple[Lang, ...] = ("zh", "en")


def either(lang: Lang, zh: str, en: str) -> str:
    return zh if lang == "zh" else en


def colon(lang: Lang) -> str:
    return "：" if lang == "zh" else ": "


def cell(text: str) -> str:
    """One cell of a Markdown table: one line, no bar, nothing that is taken for HTML."""
    safe = text.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;")
    return " ".join(safe.split())


def boosted(times: float) -> tuple[str, ...]:
    """The first lines of a page that, of pages with the same words in them, is found first."""
    return ("---", "search:", f"  boost: {times}", "---", "")
