"""evidence.json and the captures of a bundle → one HTML file for people, on screen and on A4.

The file asks for nothing outside itself and runs nothing but its own filter and copying: its
content security policy forbids all but its style and the one script whose digest it names.
Everything that a host, a customer or an approver wrote is escaped, and what would hide or act is
shown as its number. The same evidence gives the same bytes.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from collector.catalog import checked, words
from collector.errors import listed
from collector.model import Lang, Text
from collector.report.model import view
from collector.report.model.visible import plain, visible, whole_clauses
from collector.resources import package_text
from collector.schema import load_own


def render(given: Mapping[str, Any]) -> str:
    """The report, from what `contents` gave."""
    script = package_text("report/templates/report.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    own = {"script": Markup(script), "script_hash": f"sha256-{digest}"}  # noqa: S704 - our own file
    return page("report.html.j2", {**given, **own}, style="report.css")


def page(template: str, given: Mapping[str, Any], *, style: str) -> str:
    """What a template makes of it, with the words and the style sheet in it."""
    lang: Lang = given["lang"]
    return (
        environment()
        .get_template(template)
        .render(
            **given,
            style=Markup(package_text(f"report/templates/{style}")),  # noqa: S704 - our own file
            **words_in(lang),
            order=view.ORDER,
            signs=view.SIGNS,
            when=view.when,
            checked=checked,
        )
    )


@cache
def environment() -> Environment:
    env = Environment(
        loader=FunctionLoader(lambda name: package_text(f"report/templates/{name}")),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.filters["plain"] = plain
    # in a list of names, none passes for several
    env.filters["named"] = lambda name: listed([name], most=255)
    env.filters["shortened"] = lambda text, most: text if len(text) <= most else f"{text[:most]} …"
    env.filters["whole_clauses"] = whole_clauses
    return env


def _finalize(value: Any) -> Any:
    """Every text that a template puts out is made visible, wherever it came from."""
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


@cache
def own_words() -> Mapping[str, Text]:
    document = load_own(package_text("report/words.yml"), where="report/words.yml")
    return MappingProxyType(
        {key: Text(entry["zh"], entry["en"]) for key, entry in document.items()}
    )


def words_in(lang: Lang) -> dict[str, dict[str, Any]]:
    """`t`: the report's own words, `w`: those of the model by kind."""
    return {
        "t": {key: text.to(lang) for key, text in own_words().items()},
        "w": {kind: {k: v.to(lang) for k, v in by.items()} for kind, by in words().items()},
    }
