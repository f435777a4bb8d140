"""What is said below the command line: a page for each message, and a list for each room."""

from __future__ import annotations

import re
import string
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

from collector.i18n.message import Template, catalogue
from tools.site import reached
from tools.site.languages import Lang, cell, colon, either
from tools.site.mends import told
from tools.site.places import meaning
from tools.site.plan import ROOT
from tools.site.said import Said, places

_CODE = re.compile(r'"([a-z][a-z0-9_]+)"')
# characters of a message that are the title of its page
_TITLE = 48
_MARKDOWN = re.compile(r"[\\`*_\[\]<>{}#&|]")
# so many controls by name; of more, how many
_NAMED = 12
# lists are not searched: each of their lines is a page of its own
_UNSEARCHED = ("---", "search:", "  exclude: true", "---")


def pages(lang: Lang) -> Iterator[tuple[str, str]]:
    """Each page's place, and its text."""
    rooms = by_room()
    yield "messages/index.md", "\n".join(_index(rooms, lang)) + "\n"
    for room, codes in rooms.items():
        yield f"messages/{room}/index.md", "\n".join(_list(room, codes, lang)) + "\n"
        for code in codes:
            yield f"messages/{room}/{code}.md", "\n".join(_page(room, code, lang)) + "\n"


@cache
def by_room() -> dict[str, list[str]]:
    """By room of the code, which messages are said there; in the first room that says it."""
    known, told_already = catalogue(), set[str]()
    found: dict[str, list[str]] = defaultdict(list)
    for file in sorted((ROOT / "collector").rglob("*.py")):
        room = _room(file)
        for code in _CODE.findall(file.read_text(encoding="utf-8")):
            if code in known and code not in told_already:
                told_already.add(code)
                found[room].append(code)
    left = sorted(known.keys() - told_already)
    if left:
        found["others"] = left
    return {room: sorted(codes) for room, codes in sorted(found.items())}


def _room(file: Path) -> str:
    parts = file.relative_to(ROOT / "collector").parts
    if len(parts) == 1:
        return "collector"
    return ".".join(parts[:2]) if parts[0] == "facts" and len(parts) > 2 else parts[0]


def _index(rooms: dict[str, list[str]], lang: Lang) -> Iterator[str]:
    count = sum(map(len, rooms.values()))
    yield f"# {either(lang, '提示信息', 'Messages')}"
    yield ""
    yield either(
        lang,
        f"命令行以下的 {count} 条信息各有代码与一页：中英文、`{{名称}}` 处填入什么、出现在哪些"
        "命令中；办法确定的，也写明如何处理。"
        "命令以一行说明哪里不对、在何处、如何处理，并以退出码 2 结束；判定中的信息见各核查项的"
        "页面。搜索框中输入信息的一部分即可找到其页面。",
        f"What is said below the command line: {count} messages, each with a code and a page: both "
        f"languages, what stands in the place of a `{{name}}`, where it is said, and what to do "
        "where that is sure. "
        "A command that cannot do its work says in one line what "
        "is wrong, where, and the mend, "
        "and ends with status 2. What a verdict says stands on its control's page. The search "
        "finds the page of a message by a part of it.",
    )
    yield from ("", either(lang, "| 模块 | 条数 |", "| room | how many |"), "|---|---|")
    for room, codes in rooms.items():
        yield f"| [`{room}`]({room}/index.md) | {len(codes)} |"


def _list(room: str, codes: list[str], lang: Lang) -> Iterator[str]:
    yield from (*_UNSEARCHED, f"# {either(lang, '提示信息', 'Messages')}{colon(lang)}{room}")
    yield from ("", either(lang, "| 代码 | 信息 |", "| code | message |"), "|---|---|")
    for code in codes:
        text = _text(catalogue()[code], lang)
        yield f"| [`{code}`]({code}.md) | {cell(text)} |"


def _text(said: Template, lang: Lang) -> str:
    return said.zh if lang == "zh" else said.en


def _page(room: str, code: str, lang: Lang) -> Iterator[str]:
    said = catalogue()[code]
    texts = (said.zh, said.en) if lang == "zh" else (said.en, said.zh)
    at = places().get(code, ())
    yield from (f"# {_few_words(texts[0])} `{code}`", "", "```text", *texts, "```")
    yield from _values(said, at, lang)
    do = list(told(code, at, lang, link))
    if do:
        head = either(lang, "如何处理", "What to do")
        yield from ("", f"## {head} {{ data-search-exclude }}", "", *do)
    yield from (
        "",
        f"## {either(lang, '出现在', 'Where it is said')} {{ data-search-exclude }}",
        "",
    )
    yield from _where(at, lang)
    yield from (
        "",
        f"[{room}](index.md) · [{either(lang, '全部信息', 'all messages')}](../index.md)",
    )


def _few_words(text: str) -> str:
    """The beginning of a message, as a heading of Markdown, where a brace would be an attribute."""
    line = " ".join(text.split())
    if len(line) > _TITLE:
        cut = line[:_TITLE]
        # where there are blanks, no word is cut
        line = (cut[: cut.rindex(" ")] if " " in cut[_TITLE // 2 :] else cut) + "…"
    return _MARKDOWN.sub(lambda found: f"&#{ord(found[0])};", line)


def link(code: str, lang: Lang) -> str:
    """A link to a message's page from another message's, with the text that it has."""
    room = next(room for room, codes in by_room().items() if code in codes)
    text = cell(_text(catalogue()[code], lang)).replace("[", "\\[").replace("]", "\\]")
    return f"[{text}](../{room}/{code}.md)"


def _values(said: Template, at: Sequence[Said], lang: Lang) -> Iterator[str]:
    names = [name for _, name, _, _ in string.Formatter().parse(said.en) if name]
    if not names:
        return
    yield from ("", f"## {either(lang, '填入什么', 'What stands in it')}", "")
    yield either(lang, "| 名称 | 填入 | 源码中 |", "| name | what | in the source |")
    yield "|---|---|---|"
    for name in dict.fromkeys(names):
        given = dict.fromkeys(one.values[name] for one in at if name in one.values)
        code = ", ".join(f"<code>{cell(expression)}</code>" for expression in given)
        yield f"| `{{{name}}}` | {meaning(name, chinese=lang == 'zh')} | {code} |"


def _where(at: Sequence[Said], lang: Lang) -> Iterator[str]:
    if not at:
        yield either(
            lang,
            "代码由源码中的一个词拼成，故此处不列出位置。",
            "The source puts this code together from a word, so no place is listed.",
        )
        return
    tops = {(one.module, one.top) for one in at}
    commands = reached.gathered({name for top in tops for name in reached.commands(top)})
    if commands:
        said = ", ".join(f"[`{x}`](../../commands/{x.replace(' ', '-')}.md)" for x in commands)
        head = either(lang, "能走到此处的命令", "Commands that can come there")
        yield from ("", f"{head}{colon(lang)}{said}")
    tasks = sorted({name for top in tops for name in reached.tasks(top)})
    if tasks:
        names = ", ".join(f"`hostpledge.pledge.{name}`" for name in tasks)
        yield from ("", f"{either(lang, 'Ansible 任务', 'Tasks of Ansible')}{colon(lang)}{names}")
    yield from _controls(tops, lang)


def _controls(tops: set[tuple[str, str]], lang: Lang) -> Iterator[str]:
    if not all(
        module.startswith(("collector.facts.", "collector.judges.", "collector.controls."))
        for module, _ in tops
    ):
        return
    controls = sorted({name for top in tops for name in reached.controls(top)})
    if len(controls) > _NAMED:
        many = f"{len(controls)} controls rest on it."
        yield from ("", either(lang, f"{len(controls)} 个核查项以此为据。", many))
    elif controls:
        named = ", ".join(f"[`{name}`](../../controls/{name}.md)" for name in controls)
        yield from (
            "",
            f"{either(lang, '以此为据的核查项', 'Controls that rest on it')}{colon(lang)}{named}",
        )
