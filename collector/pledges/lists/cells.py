"""What the text of a cell means, by the kind of its column; what it cannot mean is told in words.

Nothing is guessed: a day that could be two, a grade that contradicts itself, are faults.
"""

from __future__ import annotations

import ipaddress
import json
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

from collector.faults import formats
from collector.i18n.message import msg
from collector.model import Text
from collector.pledges.lists import words
from collector.pledges.lists.days import day, day_or_time, time
from collector.pledges.lists.forms import FORMS, Wrong, quoted
from collector.pledges.lists.places import Column
from collector.pledges.lists.words import plain
from collector.pledges.record.people import plain_name

_SEPARATORS = re.compile(r"[\s,，;；、]+")
_LISTED = re.compile(r"[\n,，;；、]+")
# what no text can be written with
_HALF = re.compile("[\ud800-\udfff]")
_CUT = re.compile(r"[0-9](?:\.[0-9]+)?[eE]\+[0-9]{2}")
_WHOLE = re.compile(r"([0-9]{1,12}|[0-9]{1,3}(?:,[0-9]{3})+)(?:\.0+)?(?:天|日|年|人|次|户|个|项)?")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_MOBILE = re.compile(r"1[3-9][0-9]{9}")
_SERVICE = re.compile(r"[48]00")
_SHORT = re.compile(r"1[0-2][0-9]{1,4}|9[0-9]{4,5}")
_EMAIL = re.compile(r"[^@\s.]+(\.[^@\s.]+)*@([^@\s.]+\.)+[^@\s.0-9][^@\s.]+")
_AREA = re.compile(r"\((0[0-9]{2,3})\)[ -]?")
_MORE = 3
# fields that hold a person's name
_PEOPLE = frozenset(("approver", "owner"))

Filler = Callable[[Column, str], Any]


class Folder(Protocol):
    """The folder of scans (`scans.Scans`)."""

    def digest(self, name: str) -> str:
        """The SHA-256 of a file in it."""

    def document(self, name: str, field: str) -> Any:
        """What a YAML or JSON file in it holds."""


def value(column: Column, text: str, scans: Folder | None) -> Any:
    """What a cell means; raises Wrong. None where it means that there is nothing."""
    if half := _HALF.search(text):
        unseen = msg("holds_unseen_character_u", ord=ord(half[0]))
        raise Wrong(unseen.zh, unseen)
    if _CUT.fullmatch(text.strip()):
        raise Wrong(
            f"“{text}”：表格软件已截断此号码，请把单元格设为文本格式后重新填写",
            f"{text!r}: the spreadsheet cut this number; make the cell text and write it again",
        )
    if column.kind == "scan":
        return _scan(text, scans)
    if column.kind == "file":
        return _document(column, text, scans)
    if not column.several:
        return _checked(column, _FILL[column.kind](column, text))
    if plain(text) in words.NOTHING:
        return None
    return _several(column, text)


def _several(column: Column, text: str) -> list[Any]:
    separators = _LISTED if column.kind == "clause" else _SEPARATORS
    found: list[Any] = []
    wrong: list[Text] = []
    for word in filter(None, map(str.strip, separators.split(unicodedata.normalize("NFKC", text)))):
        try:
            found.append(_checked(column, _FILL[column.kind](column, word)))
        except Wrong as problem:
            wrong.append(problem.text)
    whole = column.whole
    if len(found) > whole.get("maxItems", len(found)):
        most = whole["maxItems"]
        wrong.append(Text(f"至多 {most} 项", f"at most {most} of them"))
    if whole.get("uniqueItems") or column.kind == "host":
        for twice in dict.fromkeys(one for one in found if found.count(one) > 1):
            zh, en = quoted(str(twice))
            wrong.append(Text(f"{zh}出现了两次，请删去一个", f"{en} stands twice; leave one away"))
    if column.kind == "host":
        wrong += _alike(found)
    if wrong:
        more = len(wrong) - _MORE
        rest = (f"；另有 {more} 处", f"; and {more} more") if more > 0 else ("", "")
        raise Wrong(
            "；".join(one.zh for one in wrong[:_MORE]) + rest[0],
            "; ".join(one.en for one in wrong[:_MORE]) + rest[1],
        )
    return found


def _alike(found: list[str]) -> Iterator[Text]:
    """Two names of hosts that differ by upper and lower case alone are of one machine."""
    first: dict[str, str] = {}
    for name in dict.fromkeys(found):
        before = first.setdefault(name.casefold(), name)
        if before != name:
            zh, en = f"“{before}”与“{name}”", f"{before!r} and {name!r}"
            yield Text(f"{zh}只有大小写不同，请只写一个", f"{en} differ by case alone; write one")


def _checked(column: Column, found: Any) -> Any:
    """Held to what the schema says of it, in words; raises Wrong."""
    node = column.node
    zh, en = quoted(str(found))
    if isinstance(found, str):
        if len(found) > (most := node.get("maxLength", len(found))):
            raise Wrong(f"过长：至多 {most} 个字符", f"too long: at most {most} characters")
        pattern, form = node.get("pattern"), FORMS.get(column.kind)
        if pattern and form and not re.search(re.sub(r"\$$", r"\\Z", pattern), found):
            raise Wrong(f"{zh}不能用：{form.zh}", f"{en} cannot be taken: {form.en}")
        if len(found) < (least := node.get("minLength", 0)):
            raise Wrong(f"{zh}过短：至少 {least} 个字符", f"{en} is too short: at least {least}")
        if "const" in node and found != node["const"]:
            raise Wrong(f"{zh}：此列请留空", f"{en}: leave this column empty")
    elif isinstance(found, int) and not isinstance(found, bool):
        least, most = node.get("minimum", found), node.get("maximum", found)
        if not least <= found <= most:
            raise Wrong(
                f"{zh}不在 {least} 至 {most} 之间", f"{found} is not from {least} to {most}"
            )
    return found


def _text(column: Column, text: str) -> str:
    return plain_name(text) if column.field.rpartition(".")[2] in _PEOPLE else text


def _grade(_: Column, text: str) -> int:
    found = words.grade_of(text)
    if found is None:
        zh, en = quoted(text)
        raise Wrong(
            f"{zh}不是等级，请写 2 或 3（二级、三级）",
            f"{en} is no grade; write 2 or 3 (二级, 三级)",
        )
    return found


def _customer(_: Column, text: str) -> str:
    found = words.KINDS.get(plain(text))
    if found is None:
        zh, en = quoted(text)
        raise Wrong(
            f"{zh}：请写“单位”或“个人”（企业、机关、学校等也可）",
            f"{en}: write 单位 or 个人 (unit, person)",
        )
    return found


def _yes_or_no(_: Column, text: str) -> bool:
    found = words.YES_NO.get(plain(text))
    if found is None:
        zh, en = quoted(text)
        raise Wrong(f"{zh}：请写“是”或“否”", f"{en}: write 是 or 否 (yes, no)")
    return found


def _choice(column: Column, text: str) -> str:
    word = plain(text).strip("《》 ")
    allowed = column.node["enum"]
    for one in allowed:
        if word == one or word in words.CHOICES.get(one, ()):
            return str(one)
    zh, en = quoted(text)
    told = "、".join(words.CHOICES[one][0] for one in allowed)
    raise Wrong(f"{zh}：请写 {told}", f"{en}: write {', '.join(allowed)} ({told})")


def _code(_: Column, text: str) -> str:
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", text)).upper()


def _identity(column: Column, text: str) -> str:
    """Masked: no record keeps the whole number of a person's paper."""
    bare = _code(column, text)
    if "*" in bare:
        return bare
    if not 7 < len(bare) < 19 or not bare.isascii() or not bare.isalnum():
        zh, en = quoted(text)
        raise Wrong(f"{zh}不是证件号码", f"{en} is no number of a person's paper")
    first, last = (6, 4) if len(bare) >= 15 else (2, 2)
    return bare[:first] + "*" * (len(bare) - first - last) + bare[-last:]


def _id(_: Column, text: str) -> str:
    return unicodedata.normalize("NFKC", text).removesuffix(".0")


def _phone(column: Column, text: str) -> str:
    found = _AREA.sub(r"\1-", re.sub("[—–]", "-", _id(column, text)), count=1)
    bare = re.sub(r"[ ()-]", "", found.partition("转")[0])
    if bare.removeprefix("+").isdigit() and not _has_as_many(bare):
        zh, en = quoted(text)
        raise Wrong(
            f"{zh}位数不对：手机 11 位，固定电话带区号 10 至 12 位，如 13800000001、0571-88000000",
            f"{en} has too few or too many digits: 11 of a mobile, 10 to 12 of a line with its "
            "area code: 13800000001, 0571-88000000",
        )
    return found


def _has_as_many(bare: str) -> bool:
    """Digits of a number as China has them; of another country up to 15 (E.164)."""
    if bare.startswith("+") and not bare.startswith("+86"):
        return 7 <= len(bare) - 1 <= 15
    inland = re.sub(r"^(\+86|0086|86(?=1[3-9][0-9]{9}$))", "", bare)
    if inland.startswith("0"):
        return 10 <= len(inland) <= 12
    if _SERVICE.match(inland):
        return len(inland) == 10
    if len(inland) > 8:
        return bool(_MOBILE.fullmatch(inland))
    # a line without its area code, or a short number: 95013, 12345
    return len(inland) >= 7 or bool(_SHORT.fullmatch(inland))


def _email(_: Column, text: str) -> str:
    found = unicodedata.normalize("NFKC", text)
    if not formats()["email"](found) or not _EMAIL.fullmatch(found):
        zh, en = quoted(text)
        raise Wrong(f"{zh}：{FORMS['email'].zh}", f"{en}: {FORMS['email'].en}")
    return found


def _whole(_: Column, text: str) -> int:
    found = _WHOLE.fullmatch(re.sub(r"\s+", "", unicodedata.normalize("NFKC", text)))
    if found is None:
        zh, en = quoted(text)
        raise Wrong(f"{zh}不是整数", f"{en} is no whole number")
    return int(found[1].replace(",", ""))


def _address(_: Column, word: str) -> str:
    zh, en = quoted(word)
    try:
        ipaddress.ip_network(word)
    except ValueError:
        try:
            whole = ipaddress.ip_network(word, strict=False)
        except ValueError:
            raise Wrong(
                f"{zh}不是 IP 地址或网段，请写成 203.0.113.16/29",
                f"{en} is no IP address or network; write 203.0.113.16/29",
            ) from None
        raise Wrong(f"{zh}：该网段写作 {whole}", f"{en}: that network is written {whole}") from None
    return word


def _port(_: Column, word: str) -> str:
    bare = re.sub(r"(?<=[0-9])[~～至]+(?=[0-9])", "-", word.lower()).replace("(", "/").strip(")")
    found = re.fullmatch(r"(tcp|udp)[/:]?([0-9-]+)", bare)
    return f"{found[2]}/{found[1]}" if found else bare


def _host(column: Column, word: str) -> str:
    one = not column.several and plain(word) in words.EVERY_HOST
    return "*" if one else unicodedata.normalize("NFKC", word)


def _clause(_: Column, text: str) -> str:
    found = words.clause_of(text)
    if found is None:
        zh, en = quoted(text)
        raise Wrong(f"没有条款{zh}：{FORMS['clause'].zh}", f"no clause {en}: {FORMS['clause'].en}")
    return found


def _control(_: Column, text: str) -> str:
    found = words.controls().get(plain(text))
    if found is None:
        zh, en = quoted(text)
        raise Wrong(
            f"没有核查项{zh}：{FORMS['control'].zh}", f"no control {en}: {FORMS['control'].en}"
        )
    return found


def _key(_: Column, text: str) -> str:
    """Without the remark that may follow the key."""
    return " ".join(text.split()[:2])


def _scan(text: str, scans: Folder | None) -> str:
    bare = re.sub(r"\s+", "", unicodedata.normalize("NFKC", text)).lower()
    if _DIGEST.fullmatch(bare):
        return bare
    if scans is not None:
        return scans.digest(text)
    zh, en = quoted(text)
    raise Wrong(
        f"{zh}不是 SHA-256；写文件名时请加上 --scans 目录",
        f"{en} is no SHA-256; for the name of a file add --scans DIR",
    )


def _document(column: Column, text: str, scans: Folder | None) -> Any:
    if scans is None:
        zh, en = quoted(text)
        raise Wrong(
            f"{zh}：须以 --scans 目录 给出该文件所在目录",
            f"{en}: add --scans DIR, the folder that holds the file",
        )
    found = scans.document(text, column.field)
    # the same file may stand in several rows, and no record shares what another may change
    return json.loads(json.dumps(found))


_FILL: Mapping[str, Filler] = {
    "text": _text, "owner": _text, "domain": _text, "day": day, "time": time,
    "day_or_time": day_or_time, "grade": _grade, "customer": _customer, "yes_or_no": _yes_or_no,
    "choice": _choice, "code": _code, "identity": _identity, "id": _id, "phone": _phone,
    "email": _email, "whole": _whole, "address": _address, "port": _port, "host": _host,
    "clause": _clause, "control": _control, "key": _key,
}  # fmt: skip
