"""Pledge records as rows of a list, the same for files, programs and pages. Pure."""

from __future__ import annotations

from collector import catalog
from collector.model import Lang, Text
from collector.pledges.due.kinds import WORDS as KINDS
from collector.pledges.due.lifecycle import WORDS
from collector.pledges.record.masking import masked
from collector.pledges.standing.listing import Listed
from collector.report.model.cells import Cell, Word


def titles(lang: Lang) -> dict[str, str]:
    """What people read, by the words for programs, which never change with the language."""
    clauses = catalog.clauses()
    numbers = {n: str(clauses[n]["number"]) for n in ("2.2", "2.3", "2.4")}
    return {
        "id": Text("编号", "ID").to(lang),
        "customer": Text("用户名称", "customer").to(lang),
        "grade": Text("等级", "grade").to(lang),
        "state": Text("状态", "state").to(lang),
        "until": Text("有效期至", "in force to").to(lang),
        "hosts": Text("主机数", "hosts").to(lang),
        "evidence": Text("证据份数", "bundles").to(lang),
        "collected_at": Text("最近采集", "collected").to(lang),
        **{f"clause_{n}": numbers[n] for n in numbers},
        "next_due": Text("最近到期", "next due").to(lang),
        "next_due_what": Text("到期事项", "what falls due").to(lang),
        "handed_in": Text("用户提交的主机", "hosts handed in").to(lang),
        "next_due_kind": Text("到期类别", "kind of it").to(lang),
    }


def wide_titles(lang: Lang) -> dict[str, str]:
    """Of a list as a file: `titles`, then what continues a record, then `contact_titles`."""
    newer = Text("续签为", "continued by").to(lang)
    return {**titles(lang), "continued_by": newer, **contact_titles(lang)}


def contact_titles(lang: Lang) -> dict[str, str]:
    """As `titles`, of whom to call: behind all other columns of a list."""
    return {
        "contact": Text("联系人", "contact").to(lang),
        "phone": Text("联系电话", "phone").to(lang),
        "email": Text("联系邮箱", "mail").to(lang),
    }


def contact(one: Listed) -> list[Cell]:
    """Masked as everywhere; empty cells where the record names nobody."""
    known = one.record.document.get("contact", {})
    return [str(masked(known.get(word, ""), key=word)) for word in ("name", "phone", "email")]


def row(one: Listed, lang: Lang) -> list[Cell]:
    last, first = one.last, next(iter(one.dues), None)
    return [
        one.record.id,
        str(masked(one.record.customer)),
        one.record.grade,
        Word(one.state, WORDS[one.state].to(lang)),
        one.until,
        len(one.record.hosts),
        one.evidence[-1].sequence if one.evidence else 0,
        last.collected_at if last else "",
        *(Word(word, verdicts(lang)[word]) for word in map(one.verdict, ("2.2", "2.3", "2.4"))),
        first.at if first else "",
        str(masked(first.text.to(lang))) if first else "",
        # of old rows nobody knows
        one.handed_in if one.handed_in is not None else "",
        Word(first.kind, KINDS[first.kind].to(lang)) if first else "",
    ]


def verdicts(lang: Lang) -> dict[str, str]:
    words = {str(r): text.to(lang) for r, text in catalog.words()["verdict"].items()}
    return {**words, "none": Text("无证据", "no evidence").to(lang)}
