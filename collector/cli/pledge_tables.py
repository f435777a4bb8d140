"""How pledge records are shown: tables for people at 80 columns, JSON for programs."""

from __future__ import annotations

import io
import json
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text as Styled

from collector import catalog
from collector.cli.columns import labelled
from collector.cli.language import lang, tr
from collector.pledges.documents import fields
from collector.pledges.due import Due
from collector.pledges.record import PledgeRecord
from collector.pledges.register import Evidence, Version
from collector.pledges.standing import Standing, masked, standing
from collector.pledges.times import CHINA

Rows = Sequence[tuple[PledgeRecord, Sequence[Evidence]]]
_CHECKED = ("2.2", "2.3", "2.4")


def list_table(rows: Rows) -> str:
    if not rows:
        return tr("登记库中还没有登记\n", "no pledge record in the register\n")
    table = _table(
        tr("编号", "ID"),
        tr("用户名称", "customer"),
        tr("级", "grade"),
        tr("证据", "bundles"),
        tr("最近采集", "collected"),
        "二(二)",
        "二(三)",
        "二(四)",
        fixed={0: _ids(record.id for record, _ in rows), 4: 10},
    )
    for record, evidence in rows:
        last = evidence[-1] if evidence else None
        table.add_row(
            *_cells(
                record.id,
                record.customer,
                str(record.grade),
                str(len(evidence)),
                _day(last.collected_at) if last else "-",
                *(_short(last.verdicts.get(n)) if last else "-" for n in _CHECKED),
            )
        )
    return _drawn(table)


def list_json(rows: Rows) -> str:
    entries = [
        {
            "id": record.id,
            "customer": record.customer,
            "grade": record.grade,
            "period": record.document.get("period"),
            "hosts": list(record.hosts),
            "evidence": len(evidence),
            "last": _evidence_json(evidence[-1]) if evidence else None,
        }
        for record, evidence in rows
    ]
    return _json({"pledges": masked(entries)})


def show_table(history: Sequence[Version], evidence: Sequence[Evidence], now: datetime) -> str:
    newest = history[-1]
    record = newest.record
    document: dict[str, Any] = masked(record.document)
    lines = [f"{record.id}  {document.get('title', '')}".rstrip()]
    lines += [_labelled(label, text) for label, text in _head(document, newest) if text]
    table = _table(tr("条款", "clause"), tr("内容", "what"), tr("状态", "state"))
    for entry in standing(record, evidence, now.astimezone(CHINA).date()):
        if _part(entry):
            continue
        name = (
            tr("责任书", "RL") if entry.clause.document == "responsibility" else tr("承诺书", "NP")
        )
        table.add_row(
            *_cells(f"{name} {entry.clause.number}", entry.clause.title.to(lang()), _state(entry))
        )
    lines += ["", _drawn(table).rstrip("\n"), ""]
    if evidence:
        attached = _table(
            "#", tr("采集", "collected"), tr("摘要", "digest"), "二(二)", "二(三)", "二(四)"
        )
        for e in evidence:
            verdicts = (_short(e.verdicts.get(n)) for n in _CHECKED)
            attached.add_row(
                *_cells(str(e.sequence), _minute(e.collected_at), e.digest[:16], *verdicts)
            )
        lines.append(_drawn(attached).rstrip("\n"))
    else:
        lines.append(tr("尚无核查证据", "no evidence attached yet"))
    return "\n".join(lines) + "\n"


def _head(document: dict[str, Any], version: Version) -> Iterable[tuple[str, str]]:
    customer = document["customer"]
    kind = tr("单位", "unit") if customer["kind"] == "unit" else tr("个人", "person")
    number = customer.get("credit_code") or customer.get("identity_masked", "")
    yield (
        tr("用户名称", "customer"),
        tr(f"{customer['name']}（{kind}，{number}）", f"{customer['name']} ({kind}, {number})"),
    )
    yield tr("等保级别", "grade"), str(document["grade"])
    yield (
        tr("版本", "version"),
        tr(
            f"{version.number}，登记于 {_minute(version.added_at)}",
            f"{version.number}, added {_minute(version.added_at)}",
        ),
    )
    period = document.get("period")
    yield tr("有效期", "period"), f"{period['from']} – {period['until']}" if period else ""
    for label, field in (
        (tr("安全联系人", "contact"), "safety_contact"),
        (tr("安全负责人", "officer"), "security_officer"),
    ):
        person = document.get(field, {})
        parts = (person.get(name, "") for name in ("name", "title", "phone", "email"))
        yield label, " ".join(part for part in parts if part)
    resources = document.get("resources", {})
    for label, field in (
        (tr("地址", "addresses"), "addresses"),
        (tr("域名", "domains"), "domains"),
        (tr("主机", "hosts"), "hosts"),
    ):
        yield label, _some(resources.get(field, []))
    for waiver in document.get("waivers", ()):
        yield (
            tr("豁免", "waiver"),
            (
                f"{waiver['control']} @ {waiver['host']} → {waiver['expires']}: {waiver['reason']} "
                f"({waiver['approver']})"
            ),
        )


def show_json(history: Sequence[Version], evidence: Sequence[Evidence], now: datetime) -> str:
    newest = history[-1]
    return _json(
        {
            "version": newest.number,
            "added_at": newest.added_at.isoformat(),
            "sha256": newest.record.digest,
            "record": masked(newest.record.document),
            "clauses": [
                {
                    "clause": entry.clause.id,
                    "number": entry.clause.number,
                    "title": entry.clause.title.to(lang()),
                    "places": list(entry.clause.places),
                    "state": entry.state,
                    "verdict": str(entry.verdict) if entry.verdict else None,
                    "since": entry.since or None,
                    "missing": list(entry.missing),
                }
                for entry in standing(newest.record, evidence, now.astimezone(CHINA).date())
            ],
            "evidence": [_evidence_json(e) for e in evidence],
        }
    )


def due_table(found: Sequence[tuple[PledgeRecord, Due]], now: datetime) -> str:
    if not found:
        return tr("没有逾期或即将到期的事项\n", "nothing is overdue or falls due\n")
    table = _table(
        tr("到期", "due"),
        "",
        tr("编号", "ID"),
        tr("用户名称", "customer"),
        tr("事项", "what"),
        fixed={
            0: 10,
            1: 4 if lang() == "zh" else 7,
            2: _ids(record.id for record, _ in found),
            3: 16,
        },
    )
    for record, entry in found:
        late = tr("逾期", "overdue") if entry.overdue(now) else ""
        table.add_row(
            *_cells(
                _day(entry.at),
                late,
                record.id,
                record.customer,
                masked(entry.text.to(lang())),
            )
        )
    return _drawn(table)


def due_json(found: Sequence[tuple[PledgeRecord, Due]], now: datetime) -> str:
    entries = [
        {
            "pledge": entry.pledge,
            "customer": record.customer,
            "kind": entry.kind,
            "at": entry.at.isoformat(),
            "overdue": entry.overdue(now),
            "text": entry.text.to(lang()),
        }
        for record, entry in found
    ]
    return _json({"due": masked(entries)})


def _part(entry: Standing) -> bool:
    """A number inside a clause that is acknowledged as a whole: shown with its clause."""
    return "acknowledged" in entry.clause.places and (
        "." in entry.clause.id.split(".", 1)[1] and entry.clause.id != "responsibility.2.9"
    )


def _state(entry: Standing) -> str:
    if entry.state == "verdict":
        word = _verdict(str(entry.verdict))
        return f"{word} {entry.since}" if entry.since else tr("尚无证据", "no evidence yet")
    if entry.state == "missing":
        names = [fields()[field].to(lang()) for field in entry.missing]
        return tr("缺：", "missing: ") + tr("、", ", ").join(names)
    return f"{tr('已登记', 'on record')} {entry.since}".rstrip()


def _evidence_json(evidence: Evidence) -> dict[str, Any]:
    return {
        "sequence": evidence.sequence,
        "digest": evidence.digest,
        "previous": evidence.previous,
        "collected_at": evidence.collected_at.isoformat(),
        "made_at": evidence.made_at.isoformat(),
        "attached_at": evidence.attached_at.isoformat(),
        "verdicts": dict(evidence.verdicts),
        "path": str(evidence.path),
    }


def _some(names: Sequence[str], most: int = 8) -> str:
    more = tr(f" 等 {len(names)} 个", f" … {len(names)} in all") if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _verdict(word: str | None) -> str:
    return catalog.words()["verdict"][word].to(lang()) if word else "-"


def _short(word: str | None) -> str:
    """A verdict where there is little room: the Chinese words are short, the English are not."""
    if lang() == "zh" or word is None:
        return _verdict(word)
    return {"notapplicable": "n/a", "notchecked": "no proof"}.get(word, word)


def _day(moment: datetime) -> str:
    return moment.astimezone(CHINA).date().isoformat()


def _minute(moment: datetime) -> str:
    return moment.astimezone(CHINA).strftime("%Y-%m-%d %H:%M +08:00")


def _labelled(label: str, text: str) -> str:
    return labelled(label, text, column=12, width=_width())


def _width() -> int:
    if not sys.stdout.isatty():
        return 80
    return max(60, min(shutil.get_terminal_size((80, 24)).columns, 160))


def _cells(*texts: str) -> list[Styled]:
    # as Text: what stands in a record is never taken for rich's markup
    return [Styled(text) for text in texts]


def _table(*heads: str, fixed: Mapping[int, int] | None = None) -> Table:
    """A table with no lines; the columns in `fixed` keep their width, the others share the rest."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="")
    for number, head in enumerate(heads):
        table.add_column(head, overflow="fold", width=(fixed or {}).get(number))
    return table


def _ids(ids: Iterable[str]) -> int:
    return min(max(map(len, ids), default=2), 22)


def _drawn(table: Table) -> str:
    sink = io.StringIO()
    Console(file=sink, width=_width(), color_system=None, legacy_windows=False).print(table)
    return "".join(f"{line.rstrip()}\n" for line in sink.getvalue().splitlines())


def _json(document: Any) -> str:
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"
