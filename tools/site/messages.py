"""What is said below the command line, by its code, beside where it is said: a page a room."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from collector.i18n.message import catalogue
from tools.site.languages import Lang, either
from tools.site.plan import ROOT

_CODE = re.compile(r'"([a-z][a-z0-9_]+)"')


def pages(lang: Lang) -> Iterator[tuple[str, str]]:
    """Each page's place, and its text."""
    rooms = by_room()
    yield "messages/index.md", "\n".join(_index(rooms, lang)) + "\n"
    for room, codes in rooms.items():
        yield f"messages/{room}.md", "\n".join(_page(room, codes, lang)) + "\n"


def by_room() -> dict[str, list[str]]:
    """By room of the code, which messages are said there; in the first room that says it."""
    known, told = catalogue(), set[str]()
    found: dict[str, list[str]] = defaultdict(list)
    for file in sorted((ROOT / "collector").rglob("*.py")):
        room = _room(file)
        for code in _CODE.findall(file.read_text(encoding="utf-8")):
            if code in known and code not in told:
                told.add(code)
                found[room].append(code)
    left = sorted(known.keys() - told)
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
        f"命令行以下的 {count} 条信息各有代码，中英文并列。`{{名称}}` 处填入数值、路径或主机名。"
        "命令以一行说明哪里不对、在何处、如何处理，并以退出码 2 结束；判定中的信息见各核查项的"
        "页面。",
        f"What is said below the command line: {count} messages, each with a code, in both "
        f"languages. A `{{name}}` stands "
        "for a value, a path, a host. A command that cannot do its work says in one line what "
        "is wrong, where, and the mend, "
        "and ends with status 2. What a verdict says stands on its control's page.",
    )
    yield from ("", "| | |", "|---|---|")
    for room, codes in rooms.items():
        yield f"| [`{room}`]({room}.md) | {len(codes)} |"


def _page(room: str, codes: list[str], lang: Lang) -> Iterator[str]:
    yield f"# {either(lang, '提示信息', 'Messages')}: {room}"
    for code in codes:
        said = catalogue()[code]
        texts = (said.zh, said.en) if lang == "zh" else (said.en, said.zh)
        yield from ("", f"## {code} {{#{code}}}", "")
        yield from ("```text", *texts, "```")
