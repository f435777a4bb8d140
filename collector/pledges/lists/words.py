"""The words that people write where a record wants one of a fixed choice. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from functools import cache

from collector import catalog
from collector.i18n.message import Message, msg
from collector.model import Text
from collector.pledges.record import documents

_UNITS = (
    "单位", "企业", "公司", "国企", "国有企业", "法人", "企业法人", "企业单位",
    "事业单位", "事业单位法人", "事业法人",
    "机关", "国家机关", "政府", "政府机关", "机关法人", "学校", "高校", "院校", "医院", "社会团体",
    "社会组织", "社团", "社团法人", "民办非企业单位", "民办非企业", "基金会", "其他组织", "个体",
    "个体工商户", "个体户", "合作社", "村委会", "居委会", "unit", "company", "enterprise",
    "corporation", "business", "organization", "organisation", "government", "public institution",
    "school", "university", "hospital", "association", "sole trader",
)  # fmt: skip
_PEOPLE = (
    "个人", "自然人", "个人用户", "person", "individual", "natural person",
)  # fmt: skip
KINDS: Mapping[str, str] = {**dict.fromkeys(_UNITS, "unit"), **dict.fromkeys(_PEOPLE, "person")}

# what the name of a scan says of which paper it is
PAPERS: Mapping[str, tuple[str, ...]] = {
    "responsibility": ("责任书", "responsibility"),
    "pledge": ("承诺书", "pledge"),
}

_YES = ("是", "有", "√", "✓", "✔", "☑", "对", "已", "yes", "y", "true", "1")
_NO = ("否", "无", "没有", "×", "✗", "✘", "☒", "错", "未", "no", "n", "false", "0")
YES_NO: Mapping[str, bool] = {**dict.fromkeys(_YES, True), **dict.fromkeys(_NO, False)}

_GRADES = {
    **dict.fromkeys(("2", "二", "ii", "two"), 2),
    **dict.fromkeys(("3", "三", "iii", "three"), 3),
}
_GRADE = re.compile(
    r"(?:等级保护|等保|网络安全等级保护|grade|level)?第?([0-9一二三四五]|i{1,3}|iv|v|two|three)(?:\.0|级)?"
)
# GB/T 22240: the grade is the higher one of what business information and the service need
_BOTH = re.compile(r"s([1-5])a([1-5])g([1-5])")

# what stands in a cell for nothing, where words are listed
NOTHING = frozenset(("无", "没有", "暂无", "/", "-", "—", "——", "n/a"))
EVERY_HOST = frozenset(("全部", "所有", "全部主机", "所有主机", "all hosts"))

CHOICES: Mapping[str, tuple[str, ...]] = {
    "responsibility": ("责任书", "入网责任书", "互联网用户入网责任书"),
    "pledge": ("承诺书", "网络信息安全承诺书", "信息安全承诺书"),
}


def plain(text: str) -> str:
    """In half width, lower case, without blanks at its ends."""
    return unicodedata.normalize("NFKC", text).strip().lower()


def grade_of(text: str) -> int | None:
    """2 or 3, where the text can mean nothing else."""
    word = re.sub(r"\s+", "", plain(text))
    both = _BOTH.search(word)
    rest = word.replace(both[0], "", 1).strip("()、,;/") if both else word
    found = {int(both[3])} if both and both[3] == max(both[1], both[2]) else set()
    if both and not found:
        return None
    if rest or not both:
        said = _GRADE.fullmatch(rest)
        found.add(_GRADES.get(said[1], 0) if said else 0)
    return found.pop() if len(found) == 1 and found <= {2, 3} else None


@cache
def clauses() -> Mapping[str, str]:
    """The id of each clause by what it may be called: 责任书二(二), 《…责任书》二(二), its id."""
    found: dict[str, str] = {}
    for id, clause in documents.clauses().items():
        titles = documents.titles()[clause.document]
        short = "责任书" if clause.document == "responsibility" else "承诺书"
        for title in (titles.zh, titles.en, short, clause.document):
            found[_bare(f"{title}{clause.number}")] = id
        found[_bare(id)] = id
    return found


def clause_of(text: str) -> str | None:
    """The id of the clause that is meant."""
    return clauses().get(_bare(text))


def _bare(text: str) -> str:
    return re.sub(r"[\s《》〈〉()、,的第条款]+", "", plain(text))


@cache
def controls() -> Mapping[str, str]:
    """The id of each control by its id and by its number."""
    return {
        name.lower(): control.id
        for control in catalog.controls().values()
        for name in (control.number, control.id)
    }


def said(complaint: str) -> Text:
    """A complaint in both languages."""
    return Text(complaint.zh if isinstance(complaint, Message) else complaint, str(complaint))


def reworded(complaint: str) -> str:
    """A complaint without the form that a program is told, which a person cannot read."""
    if not isinstance(complaint, Message):
        return complaint
    values = complaint.values
    if complaint.code == "not_a_document":
        return reworded(values["problem"])
    if complaint.code == "at":
        return msg("at", where=values["where"], what=reworded(values["what"]))
    if complaint.code == "schema_pattern":
        return msg("not_of_the_form", value=values["value"])
    return complaint
