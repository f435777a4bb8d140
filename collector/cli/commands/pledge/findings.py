"""`hostpledge pledge findings`: what checks found, who sees to it, until when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from collector.catalog import words
from collector.cli.options.common import form_option, output_option
from collector.cli.options.findings import STATES, Asked, finding_options
from collector.cli.options.pledge import open_register, register_option
from collector.cli.options.times import at_option
from collector.cli.ui.columns import labelled, wrap
from collector.cli.ui.language import lang, lang_option, tr
from collector.cli.ui.scope_line import void_line
from collector.cli.workflows.desk import past_day
from collector.errors import one_line
from collector.export.envelope import Identity, as_json
from collector.i18n.message import in_chinese
from collector.model import HostStatus, Text

if TYPE_CHECKING:
    from collector.pledges.register.register import Register
    from collector.pledges.status.findings import Event, Life

_EVENTS = {
    "opened": Text("发现", "opened"),
    "reopened": Text("再次发现", "opened again"),
    "waived": Text("豁免", "waived"),
    "waiver_ended": Text("豁免到期，重新打开", "waiver ended: open again"),
    "closed": Text("闭环", "closed"),
}


@click.command(
    help=tr(
        "列出登记的问题：何时由哪份证据发现、责任人、期限、豁免、由哪份证据闭环；由所附证据包推出。"
        "不给编号则列出全部登记的；默认只列未闭环的。\n\n"
        "退出码：0 没有未闭环的；1 有，或有尚无证据的登记（其问题不得而知）；2 无法完成。",
        "Lists what checks of the pledges found (of all of them, where none is named): opened "
        "and closed by which evidence, owner, due day, waiver. All of it follows from the attached "
        "bundles. What is closed is left out "
        "unless --all is given.\n\nExit status: 0 nothing is open; 1 something is, or a pledge has "
        "no evidence, so that nobody knows; 2 the command could not do its work.",
    )
)
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option("--all", "all_", is_flag=True, help=tr("连同已闭环的", "the closed ones too"))
@finding_options(states=True)
@click.option(
    "--summary",
    "summed",
    is_flag=True,
    help=tr(
        "只给各条款、各核查项、各责任人的数量",
        "how many there are of each clause, control and owner, alone",
    ),
)
@at_option
@output_option
@form_option("table", "json", "csv", "xlsx")
@register_option
@lang_option
def findings(
    *,
    ids: tuple[str, ...],
    all_: bool,
    asked: Asked,
    summed: bool,
    at: str | None,
    output: Path | None,
    form: str,
    location: str | None,
) -> int:
    from collector.cli.commands.pledge import found_rows, found_summary
    from collector.cli.ui.sheets import put

    now = datetime.now(UTC)
    day, register = past_day.asked(at, now), open_register(location)
    past = past_day.PastDay(register, now, day) if day is not None else None
    if all_ and asked.states != frozenset(STATES[:2]):
        raise click.UsageError(
            tr("--all 与 --state 不并用", "--all and --state do not go together")
        )
    if all_:
        asked = replace(asked, states=frozenset(STATES))
    if len(ids) != 1 or summed or form in ("csv", "xlsx"):
        rows = found_rows.Found(register, ids, now, past)
        shown = rows.shown(asked)
        if day is not None:
            click.echo(past_day.rule(day), err=True)
        put((found_summary if summed else found_rows).drawn(shown, rows.moment, form), output)
        return rows.status()
    return _of_one(register, ids[0], asked, now, past, form, output)


def _of_one(
    register: Register,
    id: str,
    asked: Asked,
    now: datetime,
    past: past_day.PastDay | None,
    form: str,
    output: Path | None,
) -> int:
    from collector.cli.commands.pledge import found_rows, strangers
    from collector.cli.ui.sheets import put
    from collector.pledges.database.rows import current
    from collector.pledges.record.masking import masked
    from collector.pledges.record.voiding import voided
    from collector.pledges.standing.found_now import lives_now
    from collector.pledges.status.findings import to_json
    from collector.report.model.found import seen_json

    try:
        then = past.of(id) if past is not None else None
    except past_day.DestroyedError as problem:
        said = in_chinese(problem.said) if lang() == "zh" else problem.said
        _destroyed(register, id, said, past, form, output)
        return 1
    strangers.refuse_person(register, asked.owner, "--owner")
    if (day := found_rows.disposed_on(then.record if then else register.get(id))) is not None:
        _destroyed(register, id, found_rows.destroyed(id, day), past, form, output)
        return 0
    if then is None:
        record, evidence = register.get(id), register.evidence(id)
        found = lives_now(register, record, now) if asked.grade in (None, record.grade) else ()
    else:
        record, evidence, now = then.record, then.evidence, then.moment
        found = found_rows.lives_then(then) if asked.grade in (None, record.grade) else ()
    strangers.refuse_hosts(register, asked.hosts)
    here = [life for life in found if asked.holds(life, now)]
    if form == "json":
        document = {
            "pledge": id,
            "evidence": len(evidence),
            "findings": [{**to_json(life, now), **seen_json(life)} for life in here],
            **(past_day.as_document(then) if then else {}),
        }
        about = Identity(id, evidence[-1].digest if evidence else None)
        put(as_json("pledge-findings", masked(document), about), output)
    else:
        # how many there are of what is asked for, in whichever state
        wanted = replace(asked, states=frozenset(STATES))
        every = [life for life in found if wanted.holds(life, now)]
        told = _table(here, every, now) if evidence else ""
        head = [past_day.rule(past.at), *past_day.void_since(then)] if then and past else []
        put("".join(f"{wrap(line)}\n" for line in head) + told, output)
        _say_unseen(current(evidence), then.void_of_then if then else voided(record))
    unknown = not evidence and found_rows.is_owed(register, record, then, now)
    return 1 if unknown or any(life.state == "open" for life in here) else 0


def _destroyed(
    register: Register,
    id: str,
    said: str,
    past: past_day.PastDay | None,
    form: str,
    output: Path | None,
) -> None:
    """What is known still of the evidence there was: when it was collected, and its verdicts."""
    from collector.catalog import clause_number
    from collector.cli.commands.pledge.tables import CHECKED, evidence_json, short
    from collector.cli.ui.sheets import put
    from collector.pledges.record.times import day_after, minute

    evidence = register.evidence(id)
    if past is not None:
        evidence = tuple(one for one in evidence if one.attached_at < day_after(past.at))
    if form == "json":
        day = past.at.isoformat() if past is not None else None
        known = [evidence_json(one) for one in evidence]
        document = {"pledge": id, "evidence": len(evidence), "findings": [], "as_of": day}
        about = Identity(id, evidence[-1].digest if evidence else None)
        put(as_json("pledge-findings", {**document, "destroyed": known}, about), output)
        return
    lines = [*([past_day.rule(past.at)] if past is not None else []), said]
    for one in evidence:
        when = minute(one.collected_at)
        words = [f"{clause_number(n, lang())} {short(one.word(n))}" for n in CHECKED]
        verdicts = tr("，", ", ").join(words)
        lines.append(
            tr(
                f"第 {one.sequence} 份证据，采集于 {when}，摘要 {one.digest[:16]}：{verdicts}",
                f"evidence {one.sequence}, collected {when}, digest {one.digest[:16]}: {verdicts}",
            )
        )
    put("".join(f"{wrap(line)}\n" for line in lines), output)


def _table(shown: Sequence[Life], found: Sequence[Life], now: datetime) -> str:
    from collector.report.model.found import STATES as STATE_WORDS

    counts = {state: sum(life.state == state for life in found) for state in STATE_WORDS}
    late = sum(life.overdue(now) for life in found)
    nobody = sum(life.state == "open" and not life.owner for life in found)
    head = tr("，", ", ").join(f"{STATE_WORDS[s].to(lang())} {n}" for s, n in counts.items())
    head += tr(f"；逾期 {late}，未指定责任人 {nobody}", f"; overdue {late}, nobody's {nobody}")
    lines = [head, ""]
    for life in shown:
        word = STATE_WORDS[life.state].to(lang())
        if life.overdue(now):
            word = tr("逾期", "OVERDUE")
        verdict = words()["verdict"][str(life.verdict)].to(lang())
        title = f"{life.number} {life.title.to(lang())}"
        lines.append(wrap(one_line(f"[{word}] {title} @ {life.host}: {verdict}", 300)))
        for label, text in _about(life):
            lines += [f"    {line}" for line in labelled(label, text, width=76).splitlines()]
    return "\n".join(lines).rstrip() + "\n"


def _about(life: Life) -> list[tuple[str, str]]:
    from collector.pledges.record.masking import masked
    from collector.pledges.record.times import CHINA

    due = life.due.astimezone(CHINA).date().isoformat() if life.due else ""
    who = tr("，期限 ", ", by ").join(part for part in (life.owner, due) if part)
    found = [
        (tr("责任人", "owner"), who or tr("未指定", "nobody")),
        (tr("经过", "events"), tr("；", "; ").join(event_line(e) for e in life.events)),
    ]
    if life.found is not None:
        was = words()["verdict"][str(life.found)].to(lang())
        found.append((tr("上次所见", "last look"), f"{was}; {masked(life.said.to(lang()))}"))
    if life.note:
        found.append((tr("说明", "note"), masked(life.note)))
    if life.waiver:
        said = masked(f"{life.waiver['reason']} ({life.waiver['approver']})")
        until = life.waiver["expires"]
        found.append((tr("豁免", "waiver"), tr(f"至 {until}：{said}", f"to {until}: {said}")))
    if life.idle_waiver:
        found.append((tr("豁免", "waiver"), without_effect(life)))
    return [(label, one_line(text, 600)) for label, text in found]


def without_effect(life: Life) -> str:
    """Of a waiver on record that accepts nothing, as no failure was seen."""
    until = life.idle_waiver["expires"] if life.idle_waiver else ""
    verdict = words()["verdict"][str(life.verdict)].to(lang())
    return tr(
        f"至 {until}，无效：“{verdict}”不能豁免，只有查明的不符合才能",
        f"to {until}, without effect: {verdict!r} cannot be waived, only a failure that was seen",
    )


def event_line(event: Event) -> str:
    from collector.pledges.record.times import CHINA

    day = event.at.astimezone(CHINA).date().isoformat()
    where = tr(f"（证据 {event.sequence}）", f" (evidence {event.sequence})")
    return f"{day} {_EVENTS[event.what].to(lang())}{where if event.sequence else ''}"


def _say_unseen(newest: Any, void: Sequence[Mapping[str, Any]]) -> None:
    """Hosts of the newest bundle that could not be collected say nothing of their findings."""
    from collector.pledges.status.latest_bundle import Newest

    if newest is None:
        none = tr("尚无核查证据", "no evidence attached yet")
        for line in map(void_line, void) if void else [none]:
            click.echo(line, err=True)
        return
    hosts = Newest(newest).evidence["hosts"]
    down = sorted(h for h, e in hosts.items() if e["status"] != HostStatus.COMPLETE)
    if down:
        names = tr("、", ", ").join(one_line(h) for h in down[:8])
        more = tr(f" 等 {len(down)} 台", f" … {len(down)} in all") if len(down) > 8 else ""
        click.echo(
            tr(
                f"最近一份证据中未采集完整，问题状态未更新：{names}{more}",
                f"not collected in full by the newest evidence, so as before: {names}{more}",
            ),
            err=True,
        )
