"""Pages that people wrote, taken over: the same words, with links that hold inside the site."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from pathlib import Path

from tools.site.languages import Lang, boosted
from tools.site.plan import ROOT, WRITTEN

_LINK = re.compile(r"\]\(([^)\s]+)\)")
# the site has a switch of its own for this
_OTHER_LANGUAGE = re.compile(r"\s*(?:·\s*)?\[(?:中文|中文说明|English)\]\([^)]*\)(?:\s*·\s*)?")
# as `tools.control_pages` writes it: number, id, title
_CONTROL = re.compile(r"\A# (\S+) `(\S+)`\n\n\*\*(.+)\*\*$", re.MULTILINE)
_FENCE = re.compile(r"^(```|~~~)")


def pages(lang: Lang) -> Iterator[tuple[str, str]]:
    """Each page's place in the site, and its text."""
    for one in WRITTEN:
        yield one.place, _moved(one.file(lang), one.place)
    for source in sorted((ROOT / "docs" / "controls").glob("*.md")):
        if source.name.endswith(".zh.md") == (lang == "zh"):
            place = f"controls/{source.name.replace('.zh.md', '.md')}"
            yield place, _titled(source.stem, _moved(source, place))
    for source in sorted((ROOT / "docs" / "adr").glob("*.md")):
        yield f"adr/{source.name}", _moved(source, f"adr/{source.name}")


def _titled(name: str, text: str) -> str:
    """A control's page with its title in its heading: by that it is listed, and found."""
    if name.startswith("README"):
        return text
    made, count = _CONTROL.subn(r"# \1 \3 `\2`", text)
    if count != 1:
        raise SystemExit(f"docs/controls/{name}.md does not begin with its number and its title")
    return "\n".join([*boosted(1.5), made])


def _places() -> dict[str, str]:
    """By file of the checkout, in either language, where in the site it is."""
    found = {"README.md": "index.md", "README.zh-CN.md": "index.md", "docs/adr": "adr/README.md"}
    found |= {"schemas": "schemas/index.md", "tests/bundles/README.md": ""}
    for one in WRITTEN:
        found[one.source] = one.place
        if one.zh is not None:
            found[one.zh] = one.place
    for source in (ROOT / "schemas").glob("*.schema.json"):
        found[f"schemas/{source.name}"] = f"schemas/{source.name.split('.')[0]}.md"
    for picture in (ROOT / "docs" / "pictures").iterdir():
        found[f"docs/pictures/{picture.name}"] = f"pictures/{picture.name}"
    for folder in ("controls", "adr"):
        for source in (ROOT / "docs" / folder).glob("*.md"):
            name = source.name.replace(".zh.md", ".md")
            found[f"docs/{folder}/{source.name}"] = f"{folder}/{name}"
    return found


def _moved(source: Path, place: str) -> str:
    places = _places()
    below = source.parent.relative_to(ROOT).as_posix()

    def link(found: re.Match[str]) -> str:
        target, mark, part = found[1].partition("#")
        if "://" in target or target.startswith("mailto:") or not target:
            return found[0]
        file = posixpath.normpath(posixpath.join(below, target))
        there = places.get(file)
        if there is None:
            raise SystemExit(
                f"{source.relative_to(ROOT)}: a link to {target}, which the site lacks"
            )
        if not there:
            return "]"
        start = posixpath.dirname(place) or "."
        return f"]({posixpath.relpath(there, start)}{mark}{part})"

    lines, fenced = [], False
    for line in source.read_text(encoding="utf-8").splitlines():
        if _FENCE.match(line):
            fenced = not fenced
        if not fenced:
            line = _OTHER_LANGUAGE.sub("", line)
            line = _LINK.sub(link, line)
        lines.append(line)
    return "\n".join(lines) + "\n"
