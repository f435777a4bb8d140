"""`hostpledge assess --explain`: how one verdict came about, for a person who doubts it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from collector import catalog, sizes
from collector.captures import read_digest
from collector.cli.ui.columns import WIDTH, labelled, wrap
from collector.cli.ui.intake import Intake
from collector.cli.ui.language import lang, tr
from collector.errors import BadInput, PastLimit, one_line, shown
from collector.export.envelope import as_json
from collector.judging.chain import Asked, Chain, chain
from collector.model import Control, Finding, ReadStatus, Result, Text, Value

LAWS: Mapping[int, Text] = {
    1: Text("写下的不等于在运行的", "written is not running"),
    2: Text("认同一性，不认相伴", "identity, not company"),
    3: Text("没认出的不等于没有", "what is not in the list is not nothing"),
    4: Text("看谁真能做到", "who can really do it"),
    5: Text("退出状态只证明脚本传得出的", "a status proves what the script lets through"),
    6: Text("脚本由解析器读、由模型跑", "shell is read by a parser and run by a model"),
    7: Text("没有不是零，不知不是否", "none is not zero, unknown is not false"),
    8: Text("先看效果", "evidence of effect first"),
    9: Text("说明也是证据", "the message is evidence too"),
}
# shown of each quote; the JSON has all of them
_LINES = 6


def _chains(
    paths: Sequence[Path],
    control: Control,
    *,
    grade: int,
    at: datetime | None,
    attached: Mapping[str, bytes],
) -> Iterator[Chain]:
    """One for each capture. Raises BadInput where judging one takes more than its limits."""
    intake = Intake()
    for path in paths:
        capture = intake.take(path).capture
        try:
            yield chain(capture, control, grade=grade, at=at, attached=attached)
        except PastLimit as problem:
            raise BadInput(one_line(str(problem)), where=str(path)) from None


def explained(
    paths: Sequence[Path],
    control: Control,
    form: str,
    *,
    grade: int,
    at: datetime | None,
    attached: Mapping[str, bytes],
) -> tuple[str, bool]:
    """What to print, and whether every verdict is satisfied."""
    if form not in ("table", "json"):
        raise BadInput(
            tr("--explain 只有 table 与 json", "--explain has table and json only"),
            where=f"--format {form}",
        )
    found = list(_chains(paths, control, grade=grade, at=at, attached=attached))
    # a waiver would want the time; captures alone have none
    done = all(one.finding.result in (Result.PASS, Result.NOTAPPLICABLE) for one in found)
    if form == "json":
        document = {"explained": [_json(one, control, grade) for one in found]}
        return as_json("assess-explain", document), done
    return "\n".join(_text(one, control, grade) for one in found), done


def laws(found: Chain) -> Iterator[tuple[int, list[str]]]:
    """By law, what is to be said of it: the answers of its mechanisms, then what follows."""
    finding = found.finding
    for number in LAWS:
        said = [
            f"{one.mechanism.rpartition('.')[2]}({one.given}) → {one.answer}"
            for one in found.answered
            if one.law == number
        ]
        if number == 3 and (names := finding.values.get("unexamined")):
            said.append(_value(names))
        if number == 7:
            said += [
                f"{id}: {read.status}"
                for id, read in found.reads.items()
                if read.status not in (ReadStatus.OK, ReadStatus.ABSENT, ReadStatus.MISSING)
            ]
        if number == 8:
            method = str(finding.method)
            said.append(f"{catalog.words()['method'][method].to(lang())} ({method})")
        if number == 9:
            said += sorted({_place(quote) for quote in finding.evidence})
        if said:
            yield number, said


def _text(found: Chain, control: Control, grade: int) -> str:
    finding = found.finding
    verdict = catalog.words()["verdict"][str(finding.result)].to(lang())
    title = f"{control.number} {control.title.to(lang())} @ {one_line(finding.host)}: {verdict}"
    lines = [wrap(title), wrap(finding.message.to(lang()), indent="  "), ""]
    lines += [
        tr("一、判定者问了什么，查看了哪些读取", "1. What was asked, and which reads that is of")
    ]
    for one in found.asked:
        lines += [f"  {one.fact or tr('（直接查看）', '(looked into by the judge)')}"]
        lines += [f"    {_read(found, id)}" for id in one.reads]
    lines += ["", tr("二、据以判定的行", "2. The lines that it rests on"), *_quotes(finding)]
    lines += ["", tr("三、逐条法则", "3. Law by law")]
    for number, said in laws(found):
        lines.append(f"  {number}  {LAWS[number].to(lang())}")
        lines += [wrap(one_line(text, 400), indent="       ") for text in said]
    if found.left_out:
        more = tr(f"另有 {found.left_out} 个回答", f"{found.left_out} more answers")
        lines.append(f"       … {more}")
    lines += ["", tr("四、结论", "4. The verdict"), *_verdict(found, control, grade)]
    return "\n".join(lines) + "\n"


def _read(found: Chain, id: str) -> str:
    read = found.reads[id]
    digest = f"  sha256:{read_digest(read)[:16]}" if sizes.of(read) else ""
    status = catalog.words()["read_status"][str(read.status)].to(lang())
    size = tr(f"{sizes.of(read)} 字节", f"{sizes.of(read)} bytes")
    return f"{id}  {status}, {size}{digest}"


def _quotes(finding: Finding) -> list[str]:
    lines: list[str] = []
    for quote in finding.evidence:
        lines.append(f"  {_place(quote)}")
        some = quote["lines"][:_LINES]
        lines += [f"    | {one_line(line, WIDTH - 6)}" for line in some]
        if more := len(quote["lines"]) - len(some):
            lines.append(tr(f"    … 另有 {more} 行", f"    … {more} more line(s)"))
    return lines or [tr("  没有引用任何行", "  no line is quoted")]


def _verdict(found: Chain, control: Control, grade: int) -> list[str]:
    finding = found.finding
    rows = [
        (tr("代码", "code"), finding.reason),
        *((shown(name, 60), _value(value)) for name, value in finding.values.items()),
        (tr("标准", "criterion"), finding.expected.to(lang())),
    ]
    for name, value in control.for_grade(grade).values.items():
        rows.append((name, _value(value)))
    if finding.until is not None:
        rows.append((tr("至", "until"), finding.until.isoformat()))
    wide = min(max(len(name) for name, _ in rows) + 2, 20)
    return [
        "\n".join(
            f"  {line}"
            for line in labelled(name, one_line(text, 600), column=wide, width=78).splitlines()
        )
        for name, text in rows
        if text
    ]


def _place(quote: Mapping[str, Any]) -> str:
    return shown(" ".join(word for word in (quote["read"], quote.get("path", "")) if word), 4000)


def _value(value: Value) -> str:
    if isinstance(value, tuple | list):
        return ", ".join(str(part) for part in value)
    return str(value)


def _json(found: Chain, control: Control, grade: int) -> dict[str, Any]:
    finding = found.finding
    return {
        "host": finding.host,
        "control": control.id,
        "verdict": str(finding.result),
        "reason": finding.reason,
        "values": {name: _plain(value) for name, value in finding.values.items()},
        "parameters": {n: _plain(v) for n, v in control.for_grade(grade).values.items()},
        "method": str(finding.method),
        "message": {"zh": finding.message.zh, "en": finding.message.en},
        "asked": [_asked(one, found) for one in found.asked],
        "evidence": [dict(quote) for quote in finding.evidence],
        "laws": [
            {"law": number, "name": {"zh": LAWS[number].zh, "en": LAWS[number].en}, "said": said}
            for number, said in laws(found)
        ],
        "left_out": found.left_out,
    }


def _asked(one: Asked, found: Chain) -> dict[str, Any]:
    reads = [
        {
            "read": id,
            "status": str(found.reads[id].status),
            "bytes": sizes.of(found.reads[id]),
            "sha256": None
            if found.reads[id].status is ReadStatus.LOST
            else read_digest(found.reads[id]),
        }
        for id in one.reads
    ]
    return {"fact": one.fact or None, "reads": reads}


def _plain(value: Value) -> Any:
    return list(value) if isinstance(value, tuple) else value
