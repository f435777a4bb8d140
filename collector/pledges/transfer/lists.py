"""Lists of pledges as providers keep them (CSV, XLSX), read into records row by row.

What a cell cannot mean is a fault with its row and column; nothing is guessed.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from collector import private
from collector.errors import BadInput
from collector.i18n.message import Message, in_chinese, msg, of_system
from collector.model import Text
from collector.pledges.record.form import PledgeRecord, from_document
from collector.pledges.transfer.lists_xlsx import xlsx_rows

MOST_ROWS = 100_000
LARGEST = 64 * 1024 * 1024
_HEADER_WITHIN = 20
_SEPARATORS = re.compile(r"[\s,，;；、]+")
_DAY = re.compile(r"([0-9]{4})[-/.年]([0-9]{1,2})[-/.月]([0-9]{1,2})日?(?: 00:00(?::00)?)?")
_GRADES = {"2": 2, "二": 2, "二级": 2, "2级": 2, "3": 3, "三": 3, "三级": 3, "3级": 3}
_EMPTY = Text("为空", "is empty")
_NOBODY = Text(
    "为空：单位填统一社会信用代码，个人填证件号码",
    "is empty: a unit has a credit code, a person the number of a paper",
)
_KINDS = {"单位": "unit", "unit": "unit", "个人": "person", "person": "person"}


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a row (as the list numbers it); `column` is its heading, or empty."""

    row: int
    column: str
    reason: Text


@dataclass(frozen=True, slots=True)
class Listed:
    """What a list holds. `drafts`: ids without the digests and day of signed documents.

    `unknown`: headings of columns that no field takes.
    """

    records: tuple[PledgeRecord, ...]
    faults: tuple[Fault, ...]
    drafts: tuple[str, ...]
    unknown: tuple[str, ...]


class _Wrong(ValueError):
    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.text = Text(zh, en)


def read(path: Path, *, today: date | None = None) -> Listed:
    """The records of a list; raises BadInput where the file cannot be read as one."""
    rows = _rows(path)
    columns, unknown = _header(rows, path)
    records: list[PledgeRecord] = []
    faults: list[Fault] = []
    drafts: list[str] = []
    seen: dict[str, int] = {}
    for number, cells in rows:
        given = {
            column: cells[at].strip()
            for column, at in columns.items()
            if at < len(cells) and cells[at].strip()
        }
        if not given:
            continue
        found = list(_record(number, given, today))
        faults += [one for one in found if isinstance(one, Fault)]
        for record in (one for one in found if isinstance(one, PledgeRecord)):
            if record.id in seen:
                before = seen[record.id]
                reason = Text(
                    f"{record.id} 已在第 {before} 行", f"{record.id} stands in row {before} already"
                )
                faults.append(Fault(number, COLUMNS["id"][0], reason))
                continue
            seen[record.id] = number
            records.append(record)
            if record.document.get("draft"):
                drafts.append(record.id)
    if not records and not faults:
        raise BadInput(msg("no_row"), where=str(path))
    return Listed(tuple(records), tuple(faults), tuple(drafts), unknown)


# --- rows -----------------------------------------------------------------------------------------


def _rows(path: Path) -> Iterator[tuple[int, Sequence[str]]]:
    """(row number, cells as text)."""
    try:
        with private.opened(path) as source:
            data = source.read(LARGEST + 1)
    except OSError as problem:
        raise BadInput(of_system(problem, "cannot_read"), where=str(path)) from None
    if len(data) > LARGEST:
        raise BadInput(msg("larger_mib", largest=LARGEST >> 20), where=str(path))
    if data.startswith(b"PK"):
        return xlsx_rows(data, most=MOST_ROWS, where=str(path))
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        raise BadInput(msg("xls_old_excel"), where=str(path), mend=msg("save_xlsx_csv_utf"))
    return _csv(data, where=str(path))


def _csv(data: bytes, *, where: str) -> Iterator[tuple[int, Sequence[str]]]:
    if b"\0" in data:
        raise BadInput(msg("neither_csv_nor_xlsx"), where=where)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        try:
            # what Excel writes as CSV on a Chinese Windows
            text = data.decode("gb18030")
        except UnicodeDecodeError as problem:
            raise BadInput(msg("neither_utf_8_nor", start=problem.start), where=where) from None
    first = text.partition("\n")[0]
    separator = max(",\t;，", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        for cells in reader:
            if reader.line_num > MOST_ROWS:
                raise BadInput(msg("more_rows", most_rows=MOST_ROWS), where=where)
            yield reader.line_num, cells
    except csv.Error as problem:
        raise BadInput(
            msg("line_not_csv", line_num=reader.line_num, problem=problem), where=where
        ) from None


def _header(
    rows: Iterator[tuple[int, Sequence[str]]], path: Path
) -> tuple[Mapping[str, int], tuple[str, ...]]:
    """Where each known column stands. Titles may stand above the headings."""
    known = {_folded(name): column for column, names in COLUMNS.items() for name in names}
    for turn, (number, cells) in enumerate(rows):
        names = [_folded(cell) for cell in cells]
        found: dict[str, int] = {}
        for at, name in enumerate(names):
            if name in known:
                if known[name] in found:
                    raise BadInput(
                        msg("two_columns_same", cells=cells[found[known[name]]], cells_2=cells[at]),
                        where=f"{path}: row {number}",
                    )
                found[known[name]] = at
        if "id" in found and "name" in found:
            unknown = [c for c, n in zip(cells, names, strict=True) if n and n not in known]
            return found, tuple(unknown)
        if turn >= _HEADER_WITHIN:
            break
    raise BadInput(
        msg("no_row_headings_id"),
        where=str(path),
        mend=msg("hostpledge_pledge_import_columns"),
    )


def _folded(heading: str) -> str:
    return re.sub(r"[\s()（）:：*_-]+", "", unicodedata.normalize("NFKC", heading)).lower()


# --- one row --------------------------------------------------------------------------------------


def _record(
    number: int, given: Mapping[str, str], today: date | None
) -> Iterator[PledgeRecord | Fault]:
    document: dict[str, Any] = {"documents": []}
    wrong = False
    for column, text in given.items():
        try:
            _FILL[column](document, text)
        except _Wrong as problem:
            wrong = True
            yield Fault(number, COLUMNS[column][0], problem.text)
    for column in ("id", "name"):
        if column not in given:
            wrong = True
            yield Fault(number, COLUMNS[column][0], _EMPTY)
    if wrong:
        return
    document.setdefault("grade", 2)
    customer = document["customer"]
    customer.setdefault("kind", "unit" if "credit_code" in customer else "person")
    if not {"credit_code", "identity_masked"} & customer.keys():
        column = "identity" if given.get("kind") and customer["kind"] == "person" else "credit_code"
        yield Fault(number, COLUMNS[column][0], _NOBODY)
        return
    signed = document.pop("signed", {})
    for kind in ("responsibility", "pledge"):
        if kind in signed and "on" in signed:
            document["documents"].append(
                {
                    "type": kind,
                    "version": signed.get("version", signed["on"][:4]),
                    "sha256": signed[kind],
                    "signed_on": signed["on"],
                    **({"representative": signed["by"]} if "by" in signed else {}),
                }
            )
    if not document["documents"]:
        document["draft"] = True
    try:
        yield from_document(document, where="", today=today)
    except BadInput as problem:
        place, reason = _place(problem.what)
        yield Fault(number, COLUMNS[place][0] if place else "", reason)


def _place(complaint: str) -> tuple[str, Text]:
    """The column that a complaint of the record is about; empty where it is none of ours."""
    if isinstance(complaint, Message) and complaint.code == "not_a_document":
        complaint = complaint.values["problem"]
    field, said = "", complaint
    if isinstance(complaint, Message) and complaint.code == "at":
        field, said = complaint.values["where"], complaint.values["what"]
    reason = Text(in_chinese(said), str(said))
    if isinstance(said, Message) and said.code == "schema_required":
        field, reason = f"{field}.{said.values['name']}", _EMPTY
    for column, path in _FIELDS.items():
        if field == path or field.startswith((f"{path}.", f"{path}[")):
            return column, reason
    return "", Text(in_chinese(complaint), str(complaint))


def _under(
    *path: str, convert: Callable[[str], Any] = str
) -> Callable[[dict[str, Any], str], None]:
    def fill(document: dict[str, Any], text: str) -> None:
        value = convert(text)
        inner = document
        for word in path[:-1]:
            inner = inner.setdefault(word, {})
        inner[path[-1]] = value

    return fill


def _day(text: str) -> str:
    plain = unicodedata.normalize("NFKC", text).strip()
    found = _DAY.fullmatch(plain.replace("T", " "))
    if found is None:
        raise _Wrong(
            f"“{text}”不是日期，请写成 2026-01-08", f"{text!r} is no day; write 2026-01-08"
        )
    try:
        return date(int(found[1]), int(found[2]), int(found[3])).isoformat()
    except ValueError:
        raise _Wrong(f"“{text}”：没有这一天", f"{text!r}: there is no such day") from None


def _grade(text: str) -> int:
    plain = unicodedata.normalize("NFKC", text).strip().removeprefix("第").removesuffix(".0")
    if plain not in _GRADES:
        raise _Wrong(
            f"“{text}”不是等级，请写 2 或 3（二级、三级）",
            f"{text!r} is no grade; write 2 or 3 (二级, 三级)",
        )
    return _GRADES[plain]


def _kind(text: str) -> str:
    if text not in _KINDS:
        raise _Wrong(
            f"“{text}”：请写“单位”或“个人”", f"{text!r}: write 单位 or 个人 (unit, person)"
        )
    return _KINDS[text]


def _code(text: str) -> str:
    return unicodedata.normalize("NFKC", text).upper().replace(" ", "")


def _identity(text: str) -> str:
    """Masked: no record keeps the whole number of a person's paper."""
    plain = _code(text)
    if "*" in plain:
        return plain
    if not 7 < len(plain) < 19 or not plain.isascii() or not plain.isalnum():
        raise _Wrong(f"“{text}”不是证件号码", f"{text!r} is no number of a person's paper")
    first, last = (6, 4) if len(plain) >= 15 else (2, 2)
    return plain[:first] + "*" * (len(plain) - first - last) + plain[-last:]


def _several(text: str) -> list[str]:
    return [word for word in _SEPARATORS.split(unicodedata.normalize("NFKC", text)) if word]


def _ports(text: str) -> list[Any]:
    return [int(word) if word.isdigit() else word for word in _several(text)]


def _days_count(text: str) -> int:
    plain = unicodedata.normalize("NFKC", text).removesuffix("天").removesuffix(".0").strip()
    if not plain.isdigit():
        raise _Wrong(f"“{text}”不是天数", f"{text!r} is no number of days")
    return int(plain)


def _id(text: str) -> str:
    return unicodedata.normalize("NFKC", text).removesuffix(".0")


# column → its headings; the first one is how it is named to people
COLUMNS: dict[str, tuple[str, ...]] = {
    "id": ("编号", "id", "登记编号", "合同编号", "合同号", "pledge", "pledge id"),
    "name": ("用户名称", "customer", "单位名称", "客户名称", "用户", "name"),
    "kind": ("性质", "kind", "用户类型", "类型"),
    "credit_code": ("统一社会信用代码", "credit code", "信用代码"),
    "identity": ("证件号码", "identity", "身份证号", "身份证号码", "证件号"),
    "grade": ("等保级别", "grade", "级别", "等级", "等级保护级别"),
    "title": ("标题", "title"),
    "from": ("生效日期", "from", "开始日期", "起始日期", "接入日期"),
    "until": ("到期日期", "until", "截止日期", "终止日期", "有效期至"),
    "signed_on": ("签署日期", "signed on", "签订日期"),
    "representative": ("签署人", "representative", "法定代表人", "代表人"),
    "responsibility": ("责任书摘要", "responsibility sha256", "责任书sha256"),
    "pledge_file": ("承诺书摘要", "pledge sha256", "承诺书sha256"),
    "contact": ("安全联系人", "contact", "安全责任联系人", "联系人"),
    "phone": ("联系电话", "phone", "电话", "手机"),
    "email": ("电子邮箱", "email", "邮箱", "电子邮件"),
    "officer": ("安全负责人", "officer", "网络安全负责人"),
    "addresses": ("IP地址", "addresses", "地址段", "ip"),
    "domains": ("域名", "domains", "网站域名"),
    "ports": ("端口", "ports"),
    "hosts": ("主机", "hosts", "主机名", "服务器"),
    "cycle": ("自查周期", "self-check cycle", "自查周期天"),
}
_FIELDS = {
    "id": "id",
    "name": "customer.name",
    "kind": "customer.kind",
    "credit_code": "customer.credit_code",
    "identity": "customer.identity_masked",
    "grade": "grade",
    "title": "title",
    "from": "period.from",
    "until": "period.until",
    "contact": "safety_contact.name",
    "phone": "safety_contact.phone",
    "email": "safety_contact.email",
    "officer": "security_officer",
    "addresses": "resources.addresses",
    "domains": "resources.domains",
    "ports": "resources.ports",
    "hosts": "resources.hosts",
    "cycle": "self_check",
    "signed_on": "documents",
}
_FILL: dict[str, Callable[[dict[str, Any], str], None]] = {
    "id": _under("id", convert=_id),
    "name": _under("customer", "name"),
    "kind": _under("customer", "kind", convert=_kind),
    "credit_code": _under("customer", "credit_code", convert=_code),
    "identity": _under("customer", "identity_masked", convert=_identity),
    "grade": _under("grade", convert=_grade),
    "title": _under("title"),
    "from": _under("period", "from", convert=_day),
    "until": _under("period", "until", convert=_day),
    "signed_on": _under("signed", "on", convert=_day),
    "representative": _under("signed", "by"),
    "responsibility": _under("signed", "responsibility", convert=str.lower),
    "pledge_file": _under("signed", "pledge", convert=str.lower),
    "contact": _under("safety_contact", "name"),
    "phone": _under("safety_contact", "phone", convert=_id),
    "email": _under("safety_contact", "email"),
    "officer": _under("security_officer", "name"),
    "addresses": _under("resources", "addresses", convert=_several),
    "domains": _under("resources", "domains", convert=_several),
    "ports": _under("resources", "ports", convert=_ports),
    "hosts": _under("resources", "hosts", convert=_several),
    "cycle": _under("self_check", "cycle_days", convert=_days_count),
}
