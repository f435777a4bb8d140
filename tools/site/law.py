"""Both documents clause by clause: how each is kept track of, by which controls and standards."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from collector import catalog
from collector.resources import package_text
from collector.schema import load_yaml
from tools.site.languages import Lang, cell, either

_CATALOG = "catalogs/documents.yml"
_PLACES = {
    "checked": ("在主机上核查", "checked on hosts"),
    "attested": ("以声明或文件摘要举证", "attested by a statement or a document's digest"),
    "acknowledged": ("签署即确认", "acknowledged by the signature"),
    "clock": ("有期限，到期提示", "a term that runs"),
    "resource": ("申报的资源", "declared resources"),
}
_STANDARDS = (
    ("mlps_2", "GB/T 22239-2019 二级", "GB/T 22239-2019 level 2"),
    ("mlps_3", "GB/T 22239-2019 三级", "GB/T 22239-2019 level 3"),
    ("gbt28448_3", "GB/T 28448-2019 三级", "GB/T 28448-2019 level 3"),
    ("cis_v8", "CIS Controls v8", "CIS Controls v8"),
    ("nist_800_53r5", "NIST SP 800-53 r5", "NIST SP 800-53 r5"),
)


def pages(lang: Lang) -> Iterator[tuple[str, str]]:
    """Each page's place, and its text."""
    yield "law/index.md", "\n".join([*_documents(lang), *_standards(lang)]) + "\n"


def _documents(lang: Lang) -> Iterator[str]:
    yield f"# {either(lang, '法规与条款', 'The law, clause by clause')}"
    yield ""
    yield either(
        lang,
        "用户签署的两份文件的每一条，登记记录中各有位置：在主机上核查、以文件举证、签署即确认，"
        "或计时到期。",
        "Every clause of the two documents that customers sign has its place in the pledge "
        "record: checked on hosts, "
        "attested, acknowledged by the signature, or a term that runs.",
    )
    documents = load_yaml(package_text(_CATALOG), where=_CATALOG)
    for document in documents.values():
        yield from ("", f"## {document['title'][lang]}", "")
        yield either(
            lang,
            "| 条 | 内容 | 如何落实 | 核查项 |",
            "| clause | what it says | how it is kept track of | controls |",
        )
        yield "|---|---|---|---|"
        for id, clause in document["clauses"].items():
            yield _clause(str(id), clause, lang)


def _clause(id: str, clause: Mapping[str, Any], lang: Lang) -> str:
    places = either(lang, "；", "; ").join(
        _PLACES[place][lang == "en"] for place in clause["places"]
    )
    controls = ""
    if "checked" in clause["places"]:
        linked = (
            f"[{one.number}](../controls/{one.id}.md)"
            for one in catalog.controls().values()
            if one.clause == id
        )
        controls = " ".join(linked)
    return f"| {clause['number']} | {cell(clause['title'][lang])} | {places} | {controls} |"


def _standards(lang: Lang) -> Iterator[str]:
    yield from ("", f"## {either(lang, '核查项与标准', 'Controls and standards')}", "")
    yield either(
        lang,
        "带 ? 的条号未与官方文本核对。",
        "A number with ? was not checked against the official text.",
    )
    names = [f"{zh if lang == 'zh' else en}" for _, zh, en in _STANDARDS]
    yield from ("", f"| {either(lang, '核查项', 'control')} | | {' | '.join(names)} |")
    yield "|---|---|" + "---|" * len(names)
    for control in catalog.controls().values():
        numbers = [_number(control.mappings.get(name)) for name, _, _ in _STANDARDS]
        link = f"[{control.number}](../controls/{control.id}.md)"
        yield f"| {link} | {cell(control.title.to(lang))} | {' | '.join(numbers)} |"


def _number(value: object) -> str:
    if value is None:
        return "-"
    number = str(value)
    return cell(number) + ("" if catalog.checked(number) else " ?")
