"""A page for each control, made from its yml and its cases: `python -m tools.control_pages`.

What a page says of hosts is what the judge says of a case now; `tests/test_control_pages.py` holds
the pages to that.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from collector import catalog
from collector.assess import assess_host
from collector.cli.commands.explain import filled
from collector.model import Control, Finding, Lang, Result, Text
from collector.schema import load_yaml
from tests import cases

PLACE = Path(__file__).parents[1] / "docs" / "controls"
LANGS: tuple[Lang, ...] = ("zh", "en")
_QUOTED = 8
_MARKDOWN = re.compile(r"([\\`*\[\]<>|])")

_CLAUSE = Text("条款", "Clause")
_SEVERITY = Text("严重程度", "Severity")
_VETO = Text("一票否决", "veto: its failure alone fails the clause")
_GRADES = Text("适用级别", "Grades")
_CRITERION = Text("判定标准", "Criterion")
_READS = Text("在主机上读取", "What is read on the host")
_GUIDES = Text("发行版自己的加固指南", "What guides of distributions ask for")
_PASSES = Text("符合的一台主机", "A host that passes")
_FAILS = Text("不符合的一台主机", "A host that does not")
_SEEN = Text("见于", "seen on")
_SAID = Text("判定说明", "What may be said")
_MEND = Text("整改办法", "What to do")
_ALL = Text("核查项", "Controls")
_MADE = Text(
    "由核查项的定义与用例生成（`python -m tools.control_pages`），请勿手改。",
    "Made of the definition and the cases (`python -m tools.control_pages`), not by hand.",
)


def pages() -> Iterator[tuple[Path, str]]:
    """Each page's path below docs/controls/, and what it holds."""
    for lang in LANGS:
        every = list(catalog.controls().values())
        yield path(lang, "README"), _index(every, lang)
        for control in every:
            yield path(lang, control.id), page(control, lang)


def path(lang: Lang, name: str) -> Path:
    return Path(f"{name}.zh.md" if lang == "zh" else f"{name}.md")


def page(control: Control, lang: Lang) -> str:
    values = control.for_grade(control.grades[0]).values
    title = catalog.clauses()[control.clause]["title"][lang]
    clause = f"{catalog.clause_number(control.clause, lang)} {plain(title)}"
    severity = catalog.words()["severity"][control.severity].to(lang)
    if control.severity_3 is not None:
        severity += f" (3: {catalog.words()['severity'][control.severity_3].to(lang)})"
    if control.veto:
        severity += f" ({_VETO.to(lang)})"
    lines = [
        f"# {control.number} `{control.id}`",
        "",
        f"**{plain(control.title.to(lang))}**",
        "",
        plain(" ".join(control.about.to(lang).split())),
        "",
        f"- {_CLAUSE.to(lang)}{_colon(lang)}{clause}",
        f"- {_SEVERITY.to(lang)}{_colon(lang)}{severity}",
        f"- {_GRADES.to(lang)}{_colon(lang)}{', '.join(map(str, control.grades))}",
        "",
        f"## {_CRITERION.to(lang)}",
        "",
        plain(filled(control.criterion.to(lang), values)),
        "",
        *_guides(control, lang),
        f"## {_READS.to(lang)}",
        "",
        *(
            f"- `{read.id}`{_colon(lang)}{plain(read.why.to(lang))}"
            for read in catalog.reads_for([control]).values()
        ),
        "",
        *_host(_PASSES, control, Result.PASS, lang),
        *_host(_FAILS, control, Result.FAIL, lang),
        f"## {_SAID.to(lang)}",
        "",
        *(
            f"- `{key}`{_colon(lang)}{plain(said.to(lang))}"
            for key, said in control.messages.items()
        ),
        "",
        f"## {_MEND.to(lang)}",
        "",
        plain(filled(" ".join(control.remediation.to(lang).split()), values)),
        "",
        _MADE.to(lang),
    ]
    return "\n".join(lines) + "\n"


def _guides(control: Control, lang: Lang) -> list[str]:
    if not control.guides:
        return []
    told = (
        f"- {plain(source.to(lang))}{_colon(lang)}{plain(' '.join(asks.to(lang).split()))}"
        for source, asks in control.guides
    )
    return [f"## {_GUIDES.to(lang)}", "", *told, ""]


def _colon(lang: Lang) -> str:
    return "：" if lang == "zh" else ": "


def plain(text: str) -> str:
    """No character of it means anything to Markdown, but what stands between backquotes."""
    parts = text.split("`")
    if len(parts) % 2 == 0:
        return _MARKDOWN.sub(r"\\\1", text)
    return "".join(
        f"`{part}`" if at % 2 else _MARKDOWN.sub(r"\\\1", part) for at, part in enumerate(parts)
    )


def _host(title: Text, control: Control, result: Result, lang: Lang) -> list[str]:
    """The case with the least to read, and what is said of its host."""
    files = [p for p in cases.case_files(control.id) if p.name.endswith(f".{result}.yml")]
    if not files:
        return []
    case = cases.load(min(files, key=lambda p: ("\nbase:" in p.read_text(), p.stat().st_size, p)))
    (found,) = assess_host(
        case.capture, [control], grade=case.grade, at=case.at, attached=case.attached
    )
    source = load_yaml(case.path.read_text(encoding="utf-8"), where=str(case.path))["source"]
    return [
        f"## {title.to(lang)}",
        "",
        f"`{case.path.name}`, {_SEEN.to(lang)}{_colon(lang)}{plain(' '.join(str(source).split()))}",
        "",
        f"> {plain(found.message.to(lang))}",
        "",
        *_quoted(found),
    ]


def _quoted(found: Finding) -> list[str]:
    lines = []
    for entry in found.evidence:
        quoted = entry["lines"][:_QUOTED]
        if quoted:
            where = f" {entry['path']}" if entry.get("path") else ""
            lines += [f"    # {entry['read']}{where}", *(f"    {line}" for line in quoted)]
            lines += ["    …"] if len(entry["lines"]) > _QUOTED else []
    return [*lines, ""] if lines else []


def _index(every: list[Control], lang: Lang) -> str:
    lines = [f"# {_ALL.to(lang)}", ""]
    for id, clause in catalog.clauses().items():
        lines += [f"## {catalog.clause_number(id, lang)} {plain(clause['title'][lang])}", ""]
        lines += [
            f"- {control.number} [`{control.id}`]({path(lang, control.id)}){_colon(lang)}"
            f"{plain(control.title.to(lang))}"
            for control in sorted(every, key=lambda c: c.number)
            if control.clause == id
        ]
        lines.append("")
    return "\n".join([*lines, _MADE.to(lang)]) + "\n"


def main() -> None:
    PLACE.mkdir(exist_ok=True)
    made = dict(pages())
    for old in PLACE.glob("*.md"):
        if Path(old.name) not in made:
            old.unlink()
    for name, text in made.items():
        (PLACE / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
