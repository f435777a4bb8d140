"""What hardening came to, for a person: before and after per host, and what still fails, loudly."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import click

from collector import catalog
from collector.cli.ui.answers import spoken
from collector.cli.ui.columns import labelled, out, wrap
from collector.cli.ui.hardening_progress import named, number, told_of
from collector.cli.ui.language import lang, tr
from collector.cli.ui.streams import loud
from collector.errors import one_line
from collector.export.table import SIGNS
from collector.model import HostStatus, Result, Text
from collector.plan import Act, Became, became
from collector.verify import Bundle
from collector.verify.before import Before

_SHOWN = 40
_HOSTS = 8
_LINES = 6
_COLON = tr("：", ": ")
_COMMA = tr("、", ", ")


@dataclass(frozen=True, slots=True)
class One:
    """One control on one host, before and after. `step` is what hardening meant and did."""

    host: str
    control: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    step: Mapping[str, Any] | None
    stands: Became

    @property
    def failed(self) -> bool:
        """Was it to be brought about, and could not be?"""
        return self.step is not None and self.step["outcome"] in ("failed", "not_done")


def compared(opened: Bundle, before: Before) -> Iterator[One]:
    """Every control that hardening was asked for, and those that became worse, on every host."""
    wanted = set(before.hardening["controls"])
    for host, entry in opened.hosts():
        earlier = {f["control"]: f for f in before.host(host)["findings"]}
        steps = {s["control"]: s for s in before.hardening["hosts"][host]["steps"]}
        for finding in entry["findings"]:
            control = finding["control"]
            step = steps.get(control)
            stands = became(earlier[control], finding, step)
            if control in wanted or stands.loud:
                yield One(host, control, earlier[control], finding, step, stands)


def satisfied(opened: Bundle, before: Before) -> bool:
    """Did every host answer, was all brought about, and is all that was asked for satisfied?"""
    whole = all(entry["status"] == HostStatus.COMPLETE for _, entry in opened.hosts())
    done = not any(entry["said"] for entry in before.hardening["hosts"].values())
    found = compared(opened, before)
    return whole and done and all(o.stands is Became.SATISFIED and not o.failed for o in found)


def say(opened: Bundle, before: Before) -> None:
    """Per host what became of it, then what could not be brought about, then what still fails."""
    found = list(compared(opened, before))
    counted(found)
    _shared(before)
    _warned(found)
    _not_done(before)
    silent = {h: entry for h, entry in opened.hosts() if entry["status"] != HostStatus.COMPLETE}
    _left(found, silent)
    _silent(before, silent)
    _loud([one for one in found if one.host not in silent])


def say_undone(opened: Bundle, before: Before) -> None:
    """What each host answered, then how its controls stood before and stand now."""
    for host, entry in before.hardening["hosts"].items():
        for line in entry.get("undone", ()):
            out(wrap(one_line(f"{host}{_COLON}{spoken(line)}", 600)) + "\n")
        for said in entry["said"]:
            line = _COLON.join([host, *_told(said)])
            loud(wrap(one_line(line, 600)))
    click.echo()
    counted(list(compared(opened, before)), tr("恢复前 → 恢复后", "before → after"))
    click.echo()


def counted(found: Iterable[One], title: str = "") -> None:
    """A line for each host: how many controls had which verdict, before and after."""
    hosts: dict[str, list[One]] = {}
    for one in found:
        hosts.setdefault(one.host, []).append(one)
    click.echo(title or tr("整改前 → 整改后", "before → after"))
    worst = sorted(
        hosts, key=lambda host: -sum(one.stands is not Became.SATISFIED for one in hosts[host])
    )
    for host in worst[:_SHOWN]:
        out(wrap(f"{one_line(host)}{_COLON}{_counts(hosts[host])}", indent="  ") + "\n")
    if len(worst) > _SHOWN:
        more = len(worst) - _SHOWN
        click.echo(tr(f"  … 另有 {more} 台，详见报告", f"  … {more} more, see the report"))


def _counts(found: list[One]) -> str:
    before = Counter(Result(o.before["verdict"]) for o in found)
    after = Counter(Result(o.after["verdict"]) for o in found)
    shown = [r for r in Result if (before[r] or after[r]) and r is not Result.NOTAPPLICABLE]
    done = ("changed", "shared")
    changed = sum(o.step is not None and o.step["outcome"] in done for o in found)
    marks = "  ".join(f"{SIGNS[r]} {before[r]} → {after[r]}" for r in shown)
    if any(o.step is not None and o.step["act"] == Act.UNDO for o in found):
        return marks
    return marks + tr(f"  （改动 {changed} 项）", f"  ({changed} changed)")


def _shared(before: Before) -> None:
    """What steps that several controls have in common changed, family by family."""
    told: dict[tuple[str, str], list[str]] = {}
    for host, entry in before.hardening["hosts"].items():
        for one in entry.get("shared", ()):
            key = (one["family"], tr("；", "; ").join(map(spoken, one["steps"])))
            told.setdefault(key, []).append(host)
    if told:
        click.echo()
        click.echo(tr("同类核查项共用的步骤所作改动", "changed by steps that controls share"))
        for (family, steps), hosts in told.items():
            line = f"{named(family)}{_COLON}{one_line(steps, 600)} ({_names(hosts)})"
            out(wrap(line, indent="  ") + "\n")


def _touched(step: Mapping[str, Any]) -> bool:
    """Was something changed for it? Where it failed, what comes first may have been."""
    return step["act"] == Act.APPLY and step["outcome"] in ("changed", "shared", "failed")


def _warned(found: Iterable[One]) -> None:
    """What changes may have taken from a host besides, where nobody saw that it was mended."""
    told: dict[Text, dict[str, list[str]]] = {}
    for one in found:
        known = catalog.controls().get(one.control)
        warning = known.harden.warning if known is not None and known.harden else None
        if warning and one.step is not None and _touched(one.step):
            told.setdefault(warning, {}).setdefault(one.host, []).append(number(one.control))
    if told:
        click.echo()
        loud(tr("注意", "TAKE CARE"))
        for warning, hosts in told.items():
            numbers = sorted({each for some in hosts.values() for each in some})
            names = _names(list(hosts))
            line = f"{names} ({_COMMA.join(numbers)}){_COLON}{warning.to(lang())}"
            out(wrap(one_line(line, 1000), indent="  ") + "\n")


def _not_done(before: Before) -> None:
    lines = []
    for host, entry in before.hardening["hosts"].items():
        for said in entry["said"]:
            lines.append(_COLON.join([host, *_told(said)]))
        skipped: dict[str, list[str]] = {}
        for step in entry["steps"]:
            if step["outcome"] == "failed":
                lines.append(_COLON.join([host, named(step["control"]), *_told(step["said"])]))
            elif step["outcome"] == "not_done":
                family = step["control"].split(".")[0]
                skipped.setdefault(family, []).append(number(step["control"]))
        if skipped:
            parts = [f"{named(f)} ({_COMMA.join(numbers)})" for f, numbers in skipped.items()]
            lines.append(
                tr(
                    f"{host}：没有进行到：{'；'.join(parts)}；以同一命令可继续",
                    f"{host}: not begun: {'; '.join(parts)}; the same command takes it up",
                )
            )
    if lines:
        click.echo()
        loud(tr("未能完成的整改", "could not be brought about"))
        for line in lines[:_SHOWN]:
            out(wrap(one_line(line, 1000), indent="  ") + "\n")
        if len(lines) > _SHOWN:
            more = len(lines) - _SHOWN
            click.echo(tr(f"  … 另有 {more} 条，详见报告", f"  … {more} more, see the report"))


def _told(said: str) -> list[str]:
    """What hardening.json says of a failure: its family, where it is told, the step, and why."""
    family, _, rest = said.partition(": ")
    known = family in catalog.FAMILIES
    task, _, message = (rest if known else said).partition(": ")
    return [named(family)] * known + told_of(task, message)


def _left(found: list[One], silent: Collection[str]) -> None:
    """What is not satisfied and no fault: it waits for a person, for time, or for a look."""
    for stands, title in (
        (Became.PERSON, tr("尚待由人处理", "left to a person")),
        (Became.OPEN, tr("部分符合，或尚不足以判定", "in part, or too little to tell yet")),
        (Became.UNSEEN, tr("前后均未能核查", "could not be looked at, before and after")),
    ):
        waiting: dict[tuple[str, str, str], list[str]] = {}
        for one in found:
            if one.stands is stands and one.host not in silent:
                said = one_line(one.after["message"][lang()], 300)
                key = (one.control, one.after["verdict"], said)
                waiting.setdefault(key, []).append(one.host)
        if waiting:
            click.echo()
            click.echo(title)
        for (control, verdict, said), hosts in sorted(
            waiting.items(), key=lambda entry: (number(entry[0][0]), entry[0])
        ):
            line = f"{SIGNS[Result(verdict)]} {named(control)}{_COLON}{_names(hosts)}"
            out(wrap(line, indent="  ") + "\n")
            out(_part(tr("所见", "found"), said))


def _silent(before: Before, silent: Mapping[str, Mapping[str, Any]]) -> None:
    """Hosts that do not answer, or not in full: what hardening left there is not known."""
    for host, entry in silent.items():
        click.echo()
        touched = any(step["outcome"] for step in before.hardening["hosts"][host]["steps"])
        word = catalog.words()["host_status"][entry["status"]].to(lang())
        title = (
            tr("整改后未能核查", "COULD NOT BE CHECKED AFTER HARDENING")
            if touched
            else tr("前后均未能核查", "could not be checked")
        )
        line = _COLON.join([f"!! {title}", one_line(host), word, one_line(entry["detail"])])
        loud(wrap(line))


def _titles() -> Mapping[Became, str]:
    return {
        Became.BROKEN: tr("整改后仍不符合", "STILL NOT SATISFIED AFTER ITS MEND"),
        Became.WORSE: tr("不如整改之前", "WORSE THAN BEFORE HARDENING"),
        Became.BLIND: tr("整改前可核查，现在不能", "SEEN BEFORE, AND CAN BE LOOKED AT NO MORE"),
    }


def _loud(found: list[One]) -> None:
    """What still fails after its mend, or became worse, with the evidence of one host each."""
    groups: dict[tuple[str, Became, str], list[One]] = {}
    for one in found:
        if one.stands.loud:
            key = (one.control, one.stands, one.after["verdict"])
            groups.setdefault(key, []).append(one)
    for (control, stands, verdict), members in groups.items():
        click.echo()
        title = f"!! {_titles()[stands]}{_COLON}{SIGNS[Result(verdict)]} {named(control)}"
        loud(wrap(title))
        out(_part(tr("主机", "host"), _names([one.host for one in members])))
        step = members[0].step
        if stands is Became.BROKEN and step is not None and step["person"]:
            out(_part(tr("由人", "person"), one_line(step["person"][lang()], 1000)))
        _evidence(members[0].after)


def _names(hosts: Sequence[str]) -> str:
    more = tr(" 等", " …") if len(hosts) > _HOSTS else ""
    return _COMMA.join(one_line(host) for host in hosts[:_HOSTS]) + more


def _evidence(finding: Mapping[str, Any]) -> None:
    for label, name in (
        (tr("所见", "found"), "message"),
        (tr("应为", "expected"), "expected"),
        (tr("整改", "mend"), "remediation"),
    ):
        out(_part(label, one_line(finding[name][lang()], 1000)))
    for quote in finding["evidence"]:
        place = f"{quote['read']} {quote.get('path', '')}".strip()
        status = catalog.words()["read_status"].get(quote["status"])
        said = f" ({status.to(lang())})" if status is not None else ""
        out(_part(tr("证据", "evidence"), f"{place}{said}"))
        for line in quote["lines"][:_LINES]:
            out(f"      | {one_line(line, 200)}\n")


def _part(label: str, text: str) -> str:
    lines = labelled(label, text, column=10, width=76).splitlines()
    return "".join(f"    {line}\n" for line in lines)
