"""In which language a page is made."""

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
