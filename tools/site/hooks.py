"""What is done to each page as mkdocs makes it (its `hooks`): the way up, the other language."""

from __future__ import annotations

import logging
import posixpath
import re
from html import escape

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.pages import Page
from mkdocs.utils.templates import TemplateContext

from tools.site.languages import LANGS, Lang, either

_NAMES = {"zh": "中文", "en": "English"}
# by folder: the list of its pages, and what that is called
_LISTS = {
    "controls": ("controls/README.md", "核查项", "Controls"),
    "reads": ("reads/index.md", "读取", "Reads"),
    "commands": ("commands/index.md", "命令", "Commands"),
    "schemas": ("schemas/index.md", "数据格式", "Schemas"),
    "messages": ("messages/index.md", "提示信息", "Messages"),
    "adr": ("adr/README.md", "设计决定", "Decisions"),
}
_WIDE = "\u3001-\u303f\u4e00-\u9fff\uff00-\uffef"
_MARKS = "\u3001-\u3003\u3008-\u3011\uff01-\uff0f\uff1a-\uff1f"
_TAGS = r"(?:</?(?:strong|em|a)\b[^>]*>)*"
# a line break is a blank to a browser, and Chinese has none between its characters
_BREAK = re.compile(
    rf"(?:(?<=[{_WIDE}])({_TAGS})\s*\n\s*({_TAGS})(?=[{_WIDE}])"
    rf"|(?<=[{_MARKS}])({_TAGS})\s*\n\s*(?=[^\s<]|<(?:code|strong|em|a)\b)())"
)
# beside each of these the theme asks for a map of its site, and there is none: the switch is enough
_OFFERED = re.compile(r'\s*<link rel="alternate" href="[^"]*" hreflang="\w+">')
_PRE = re.compile(r"(<pre\b.*?</pre>)", re.DOTALL)


def alternates(url: str) -> list[dict[str, str]]:
    """The same page in each language: both sites have the same pages."""
    return [{"name": _NAMES[lang], "link": f"../{lang}/{url}", "lang": lang} for lang in LANGS]


def joined(html: str) -> str:
    """A page without the blanks that the lines of its source put between Chinese characters."""
    parts = _PRE.split(html)
    return "".join(
        part if at % 2 else _BREAK.sub(lambda found: "".join(filter(None, found.groups())), part)
        for at, part in enumerate(parts)
    )


def way_up(place: str, lang: Lang) -> list[tuple[str, str]]:
    """Lists that a page stands in, the outermost first: each as its place and what it is called."""
    above = posixpath.dirname(place)
    folder = above.split("/")[0]
    if folder not in _LISTS:
        return []
    whole, zh, en = _LISTS[folder]
    found = [(whole, either(lang, zh, en))]
    if above != folder:
        found.append((f"{above}/index.md", posixpath.basename(above)))
    return [one for one in found if one[0] != place]


def on_pre_build(**_: object) -> None:
    # jieba says by four lines that it has read its words
    logging.getLogger("jieba").setLevel(logging.WARNING)


def on_page_content(html: str, **_: object) -> str:
    return joined(html)


def on_page_context(
    context: TemplateContext, *, page: Page, config: MkDocsConfig, **_: object
) -> TemplateContext:
    """After the search has read the page, so that the way up is not found on each of them."""
    config.extra["alternate"] = alternates(page.url)
    lang: Lang = config.theme["language"]
    start = posixpath.dirname(page.file.src_uri) or "."
    links = [
        f'<a href="{posixpath.relpath(_url(place), start)}">{escape(name)}</a>'
        for place, name in way_up(page.file.src_uri, lang)
    ]
    if links:
        page.content = f'<p class="way-up">{" › ".join(links)} ›</p>\n{page.content}'
    return context


def on_post_page(output: str, **_: object) -> str:
    return _OFFERED.sub("", output)


def _url(place: str) -> str:
    return re.sub(r"(README|index)\.md$", "index.html", place)
