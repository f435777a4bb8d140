"""Findings of pledges as rows of a list, the same for files, programs and pages. Pure."""

from __future__ import annotations

from datetime import datetime

from collector.catalog import clause_number, described, words
from collector.model import Lang, Result, Text
from collector.pledges.record.form import PledgeRecord
from collector.pledges.record.masking import masked
from collector.pledges.record.times import CHINA
from collector.pledges.status.findings import Life
from collector.report.model.cells import Cell, Word

STATES = {
    "open": Text("未闭环", "open"),
    "waived": Text("已豁免", "waived"),
    "closed": Text("已闭环", "closed"),
}

_LOOK_AGAIN = Text(
    "未能核查不等于不符合：请以 root 重新采集；仍未能核查的，按所见处理或书面举证",
    "not verified is not failed: collect again as root; where it still cannot be verified, see "
    "what was seen, or attest it in writing",
)


def titles(lang: Lang) -> dict[str, str]:
    """What people read, by the words for programs, which never change with the language."""
    return {
        "pledge": Text("登记编号", "pledge").to(lang),
        "customer": Text("用户名称", "customer").to(lang),
        "host": Text("主机", "host").to(lang),
        "number": Text("编号", "number").to(lang),
        "control": Text("核查项", "control").to(lang),
        "title": Text("名称", "title").to(lang),
        "veto": Text("一票否决", "veto").to(lang),
        "verdict": Text("结论", "verdict").to(lang),
        "state": Text("整改情况", "state").to(lang),
        "owner": Text("责任人", "owner").to(lang),
        "due": Text("整改期限", "due").to(lang),
        "overdue": Text("逾期", "overdue").to(lang),
        "opened_at": Text("发现时间", "opened").to(lang),
        "note": Text("说明", "note").to(lang),
        "clause": Text("条款", "clause").to(lang),
        "waived_until": Text("豁免至", "waived to").to(lang),
        "waiver_approver": Text("豁免批准人", "waived by").to(lang),
        "waiver_reason": Text("豁免理由", "why waived").to(lang),
        "handed_in": Text("用户提交", "handed in").to(lang),
        "observed": Text("所见", "what was seen").to(lang),
        "mend": Text("整改办法", "what to do").to(lang),
    }


def cells(record: PledgeRecord, life: Life, now: datetime, lang: Lang) -> list[Cell]:
    # one without effect waives nothing, and so is not in the columns
    waiver = life.waiver or {}
    clause = _clause_of(life.control)
    return [
        record.id,
        str(masked(record.customer)),
        life.host,
        life.number,
        life.control,
        life.title.to(lang),
        life.veto,
        Word(str(life.verdict), words()["verdict"][str(life.verdict)].to(lang)),
        Word(life.state, STATES[life.state].to(lang)),
        str(masked(life.owner)),
        life.due.astimezone(CHINA).date().isoformat() if life.due else "",
        life.overdue(now),
        life.opened.at,
        str(masked(life.note)),
        Word(clause, clause_number(clause, lang) if clause else ""),
        str(waiver.get("expires", "")),
        str(masked(waiver.get("approver", ""))),
        str(masked(waiver.get("reason", ""))),
        life.handed_in,
        str(masked(life.said.to(lang))),
        to_do(life).to(lang),
    ]


def to_do(life: Life) -> Text:
    """What is to be done about it, nothing where it is closed.

    Of what could not be looked at nobody knows that anything has to be changed on the host.
    """
    if life.state == "closed":
        return Text("", "")
    return _LOOK_AGAIN if life.verdict is Result.ERROR else life.mend


def seen_json(life: Life) -> dict[str, dict[str, str]]:
    """What was seen and what to do, for programs."""
    do = to_do(life)
    return {
        "observed": {"zh": life.said.zh, "en": life.said.en},
        "mend": {"zh": do.zh, "en": do.en},
    }


def _clause_of(control: str) -> str:
    known = described().get(control)
    return known.clause if known else ""
