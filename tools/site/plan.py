"""Which pages the site has, in which order, and from which file each comes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tools.site.languages import Lang, either

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Written:
    """A page that a person wrote: `source` below the checkout, `zh` where that has a sibling."""

    place: str
    source: str
    zh: str | None = None

    def file(self, lang: Lang) -> Path:
        return ROOT / (self.zh if lang == "zh" and self.zh is not None else self.source)


def _both(name: str, place: str | None = None) -> Written:
    return Written(place or f"{name}.md", f"docs/{name}.md", f"docs/{name}.zh.md")


WRITTEN = (
    _both("start", "index.md"),
    _both("how-it-works"),
    _both("customers-guide"),
    _both("operators-guide"),
    _both("web"),
    _both("probes"),
    _both("verifying"),
    _both("ansible"),
    _both("hosts"),
    _both("exposure"),
    _both("retention"),
    _both("shell"),
    _both("backup-report"),
    _both("keys"),
    _both("command-line"),
    _both("exports"),
    _both("mesh"),
    _both("scale"),
    _both("ci"),
    _both("api"),
    Written("dependencies.md", "docs/dependencies.md"),
    Written("architecture.md", "docs/architecture.md"),
    Written("mutations.md", "docs/mutations.md"),
    Written("contributing.md", "CONTRIBUTING.md"),
    Written("security.md", "SECURITY.md"),
)


def nav(lang: Lang, made: dict[str, str]) -> list[dict[str, object]]:
    """What mkdocs takes as `nav`; `made` has the first page of each group that is made of code."""

    def group(zh: str, en: str, *pages: str | dict[str, str]) -> dict[str, object]:
        return {either(lang, zh, en): list(pages)}

    return [
        {either(lang, "五分钟上手", "Start in five minutes"): "index.md"},
        group(
            "指南",
            "Guides",
            {either(lang, "客户", "Customer"): "customers-guide.md"},
            {either(lang, "运营商工程师", "Operator"): "operators-guide.md"},
            "web.md",
            {either(lang, "检查人员", "Auditor"): "verifying.md"},
            {either(lang, "Ansible 工程师", "Ansible engineer"): "ansible.md"},
            {either(lang, "二次开发", "Programs"): "api.md"},
            {either(lang, "参与开发", "Developer"): "contributing.md"},
        ),
        group(
            "核查",
            "What is checked",
            {either(lang, "法规与条款", "The law, clause by clause"): made["law"]},
            {either(lang, "核查项", "Controls"): "controls/README.md"},
            {either(lang, "读取", "Reads"): made["reads"]},
            "probes.md",
            "hosts.md",
            "exposure.md",
            "retention.md",
            "shell.md",
            "backup-report.md",
        ),
        group(
            "参考",
            "Reference",
            {either(lang, "命令", "Commands"): made["commands"]},
            "command-line.md",
            "exports.md",
            "mesh.md",
            "scale.md",
            "ci.md",
            "keys.md",
            {either(lang, "数据格式", "Schemas"): made["schemas"]},
            {either(lang, "提示信息", "Messages"): made["messages"]},
            "security.md",
        ),
        group(
            "原理",
            "How it works",
            "how-it-works.md",
            "architecture.md",
            {either(lang, "设计决定", "Decisions"): "adr/README.md"},
            "mutations.md",
            "dependencies.md",
        ),
    ]
