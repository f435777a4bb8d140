"""What `hostpledge probe` asks, tells while it is at work, and comes to."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from collector import captures, catalog, sizes
from collector.cli.ui.columns import labelled
from collector.cli.ui.language import lang, tr
from collector.errors import BadInput, FactError, PastLimit, one_line
from collector.facts.probed.outcome import RAISES
from collector.facts.probed.outcomes import outcome
from collector.facts.probed.recording import NAMES, recorded
from collector.i18n.message import in_chinese
from collector.judging.confined import within_limits
from collector.model import Facts, HostStatus, Method
from collector.pledges.record import consents

if TYPE_CHECKING:
    from collector.cli.options.pledge import Pledged
    from collector.run.collected.run_folder import RunFolder

_SHOWN = 12


@dataclass(frozen=True, slots=True)
class Told:
    """What one probe at one host came to; `good` is None where it could not tell."""

    host: str
    probe: str
    good: bool | None
    came: str
    why: str
    nonce: str = ""
    left: tuple[str, ...] = ()
    holds: tuple[str, ...] = ()
    broken: tuple[str, ...] = ()
    beside: tuple[tuple[str, str], ...] = ()
    """The controls that it could have raised, none of which it did, with their verdicts."""

    @property
    def whole(self) -> bool:
        """Tested good, and nothing left behind."""
        return self.good is True and not self.left


def chosen(names: Sequence[str], pledge: Pledged | None, today: date) -> tuple[str, ...]:
    """The probes in the order of the list; of a pledge, where none is named, what it agreed to."""
    wanted = set(names)
    if not wanted and pledge is not None:
        wanted = set(consents.agreed(pledge.record, today))
    if not wanted:
        raise BadInput(
            tr("没有指定探测", "no probe is named"),
            where="--probe",
            mend=tr("hostpledge probe --list 列出各项", "`hostpledge probe --list` lists them"),
        )
    return tuple(name for name in NAMES if name in wanted)


def check_consent(pledge: Pledged, hosts: Sequence[str], names: Sequence[str], today: date) -> str:
    """Who agreed. Raises BadInput where nobody did, for a host and a probe at least."""
    lacking = consents.lacking(pledge.record, today, hosts, names)
    if lacking:
        shown = ", ".join(f"{name}@{host}" for name, host in lacking[:_SHOWN])
        more = f" … ({len(lacking)})" if len(lacking) > _SHOWN else ""
        raise BadInput(
            tr(
                f"登记中无人授权：{shown}{more}",
                f"nobody agreed to it in the record: {shown}{more}",
            ),
            where=pledge.record.id,
            mend=tr(
                "在登记的 probes 中写明谁、何时、对哪些探测授权、到何时为止",
                "say in `probes` of the record who agreed to which probes, when, and until when",
            ),
        )
    return consents.by_whom(pledge.record, today, names)


def say_list() -> None:
    """All probes: what they do, their footprint, what will ring, and what they raise."""
    for name in NAMES:
        click.echo(name)
        for line in _described(name):
            click.echo(line)
        click.echo()


def listed() -> list[dict[str, Any]]:
    """The same for programs."""
    return [
        {
            "probe": name,
            **{part: {"zh": t.zh, "en": t.en} for part, t in catalog.probes()[name].items()},
            "raises": list(RAISES[name]),
        }
        for name in NAMES
    ]


def _described(name: str) -> Iterator[str]:
    known = catalog.probes()[name]
    heads = {
        "does": tr("做什么", "does"),
        "footprint": tr("痕迹", "footprint"),
        "alarms": tr("会响的告警", "will ring"),
    }
    for part, head in heads.items():
        yield labelled(f"  {head}{tr('：', ': ')}", known[part].to(lang()), column=4)
    controls = catalog.described()
    names = tr("、", ", ").join(f"{controls[c].number} {c}" for c in RAISES[name])
    yield labelled(f"  {tr('可证实', 'raises')}{tr('：', ': ')}", names, column=4)


def say_plan(hosts: Sequence[str], names: Sequence[str], until: datetime | None) -> None:
    """On stderr: what would be done, where, and what will ring."""
    shown = ", ".join(map(one_line, hosts[:_SHOWN])) + (" …" if len(hosts) > _SHOWN else "")
    ends = tr(f"，到 {until:%H:%M} 为止", f", until {until:%H:%M}") if until else ""
    click.echo(
        tr(
            f"将在 {len(hosts)} 台主机上探测（{shown}）{ends}：",
            f"to be probed, {len(hosts)} host(s) ({shown}){ends}:",
        ),
        err=True,
    )
    for name in names:
        click.echo(f"\n{name}", err=True)
        for line in _described(name):
            click.echo(line, err=True)
    click.echo(err=True)


def agree(names: Sequence[str], hosts: Sequence[str], *, yes: bool) -> bool:
    """Asked on a terminal; `--yes` for machines. Raises BadInput where there is nobody to ask."""
    if yes:
        return True
    if not sys.stdin.isatty():
        raise BadInput(
            tr("没有终端可供确认", "there is no terminal to ask on"),
            mend=tr(
                "加 --yes 表示同意，或加 --check 只看计划",
                "give --yes to agree, or --check to see the plan alone",
            ),
        )
    question = tr(
        f"对 {len(hosts)} 台主机执行 {len(names)} 项探测？",
        f"Do {len(names)} probe(s) at {len(hosts)} host(s)?",
    )
    return click.confirm(question, err=True)


def results(
    folder: RunFolder, hosts: Sequence[str], names: Sequence[str], pledge: Pledged | None
) -> list[Told]:
    """Of every host and probe, also where nothing came of it."""
    attached = pledge.attached() if pledge else {}
    found: list[Told] = []
    for host in hosts:
        capture = captures.load(folder.capture_path(host))
        facts = Facts(sizes.as_collected(capture), attached)
        there = recorded(capture)
        for name in names:
            if name in there:
                found.append(_told(host, name, facts))
                continue
            why = tr("未执行", "not done")
            if capture.status is not HostStatus.COMPLETE:
                status = catalog.words()["host_status"][capture.status].to(lang())
                why = f"{why}{tr('：', ': ')}{status}"
            found.append(Told(host, name, None, "", why))
    return found


def _told(host: str, name: str, facts: Facts) -> Told:
    try:
        seen = within_limits(partial(outcome, facts, name))
    except FactError as problem:
        return Told(host, name, None, "", _in_language(problem.why))
    except PastLimit as problem:
        return Told(host, name, None, "", _in_language(problem.said))
    assert seen is not None, "it was recorded"  # noqa: S101 - `recorded` names it
    told = True if seen.came is not None and seen.complete else None
    good = False if seen.broken else told
    made = seen.recording
    return Told(
        host, name, good, seen.came or "", _in_language(seen.why), made.nonce, made.left,
        seen.holds, seen.broken,
    )  # fmt: skip


def held_to(found: Sequence[Told], hosts: Mapping[str, Mapping[str, Any]]) -> list[Told]:
    """Beside the findings of the evidence (`hosts` of its `evidence.json`).

    What works once, and is not what the host relies on, is no control that works.
    """
    told = []
    for one in found:
        entries = hosts.get(one.host, {}).get("findings", ())
        of = {e["control"]: e for e in entries if one.good and e["control"] in one.holds}
        if of and all(e["method"] != Method.TESTED for e in of.values()):
            verdicts = tuple((control, str(e["verdict"])) for control, e in sorted(of.items()))
            told.append(replace(one, beside=verdicts))
        else:
            told.append(one)
    return told


def _in_language(said: str) -> str:
    return str(in_chinese(said)) if lang() == "zh" else str(said)


def say_results(found: Sequence[Told]) -> None:
    """A line for each."""
    marks = {
        True: tr("✓ 实测生效", "✓ tested"),
        False: tr("✗ 不生效", "✗ no effect"),
        None: tr("? 未得出结论", "? not told"),
    }
    for one in found:
        said = f"{marks[one.good]}{tr('：', ': ')}{one_line(one.why, 600)}"
        click.echo(f"{one_line(one.host)} {one.probe} {said}")
        if one.beside:
            shown = ", ".join(f"{control} ({verdict})" for control, verdict in one.beside)
            click.echo(
                tr(
                    f"  ！结论不因此改变：{shown}；主机所依靠的不是所测的，见报告",
                    f"  ! it changes no verdict: {shown}; what the host relies on is not what was "
                    "tested, see the report",
                )
            )
        if one.left:
            places = ", ".join(one.left)
            click.echo(tr(f"  ！主机上留有：{places}", f"  ! left on the host: {places}"))


def to_json(found: Sequence[Told]) -> dict[str, Any]:
    """Host → probe → what it came to."""
    told: dict[str, Any] = {}
    for one in found:
        told.setdefault(one.host, {})[one.probe] = {
            "good": one.good,
            "outcome": one.came or None,
            "why": one.why,
            "nonce": one.nonce or None,
            "left": list(one.left),
            "holds": list(one.holds),
            "broken": list(one.broken),
            "beside": dict(one.beside),
        }
    return told
