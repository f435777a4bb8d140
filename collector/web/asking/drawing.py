"""Templates of the pages over those of the report: the same words, the same look."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FunctionLoader

from collector.catalog import clause_number, clauses
from collector.model import Lang, Text
from collector.report.model import view
from collector.report.render import html
from collector.resources import package_text
from collector.schema import load_own


@cache
def environment() -> Environment:
    """That of the report, which makes every text visible, with our templates before its own."""
    made = html.environment().overlay(loader=FunctionLoader(_source))
    made.filters["part"] = lambda text: quote(str(text), safe="")
    made.globals["finding_path"] = finding_path
    made.filters["day"] = lambda time: view.when(time)[:10]
    return made


def finding_path(id: str, control: str, host: str, dated: str = "") -> str:
    """Where the page of a finding is; `dated`: the query of a past day, or nothing.

    >>> finding_path("p-1", "a.b", "web/1", "?at=2026-01-01")
    '/pledges/p-1/findings/a.b/web%2F1?at=2026-01-01'
    >>> finding_path("p-1", "a.b", "..", "?at=2026-01-01")
    '/pledges/p-1/findings/a.b/?host=..&at=2026-01-01'
    """
    base = "/".join(quote(part, safe="") for part in (id, "findings", control))
    if host in (".", ".."):
        # of such a step every browser makes another address
        return f"/pledges/{base}/?host={host}{dated.replace('?', '&')}"
    return f"/pledges/{base}/{quote(host, safe='')}{dated}"


def _source(name: str) -> str:
    folder = "web" if name.startswith("web-") else "report"
    return package_text(f"{folder}/templates/{name}")


@cache
def style() -> tuple[str, str]:
    """The style sheet of all pages, and a digest that names it."""
    text = package_text("report/templates/report.css") + package_text("web/templates/web.css")
    return text, hashlib.sha256(text.encode()).hexdigest()[:16]


@cache
def own_words() -> Mapping[str, Text]:
    document = load_own(package_text("web/words.yml"), where="web/words.yml")
    return MappingProxyType(
        {key: Text(entry["zh"], entry["en"]) for key, entry in document.items()}
    )


@cache
def words_in(lang: Lang) -> Mapping[str, Any]:
    """`p`: the words of the pages, beside `t` and `w` of the report."""
    numbers = {id: clause_number(id, lang) for id in clauses()}
    return MappingProxyType(
        {
            **html.words_in(lang),
            "p": {key: text.to(lang) for key, text in own_words().items()},
            "numbers": numbers,
            "signs": view.SIGNS,
            "order": view.ORDER,
            "when": view.when,
            "style": style()[1],
        }
    )


def draw(template: str, lang: Lang, **given: Any) -> str:
    return environment().get_template(template).render(**words_in(lang), lang=lang, **given)
