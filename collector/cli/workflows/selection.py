"""Which pledges of the register a command is about, and which hosts are theirs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import click

from collector.captures import write_aside
from collector.cli.options.register_source import Fleet, fleet
from collector.cli.ui.language import tr
from collector.errors import BadInput, one_line
from collector.i18n.message import in_chinese, msg
from collector.run.ansible.inventory import How, hosts_of
from collector.schema import load_json

_CHOSEN = "pledges.json"
# what says whether the command in a folder has ended
_JOURNALS = ("run.json", "hardening.json")
# the folder of what is under no pledge; no id begins so
_OTHERS = "_no-pledge"
_NAMED = 8
_MEND = msg("mend_names_in_record")


@dataclass(frozen=True, slots=True)
class Part:
    """The hosts of one pledge in this run. `id` is empty for those under no pledge."""

    id: str
    grade: int
    hosts: tuple[str, ...]

    @property
    def folder(self) -> str:
        return self.id or _OTHERS


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the command line asks for: a pledge, only what is due, a grade (0: none given).

    `ahead` is how soon something is due, `spread` over what time before that pledges are parted;
    without `others`, hosts under no pledge are left out.
    """

    pledge: str
    due: bool
    grade: int
    retry: bool = False
    ahead: timedelta = timedelta(0)
    spread: timedelta = timedelta(0)
    others: bool = True


@dataclass(frozen=True, slots=True)
class Choice:
    """The pledges that a command is about, and how their hosts are reached."""

    fleet: Fleet
    how: How
    parts: tuple[Part, ...]

    @property
    def hosts(self) -> list[str]:
        return list(dict.fromkeys(host for part in self.parts for host in part.hosts))

    @property
    def grade(self) -> int:
        """The highest: hosts are read once, for all pledges that they are of."""
        return max(part.grade for part in self.parts)

    def write_down(self, output: Path) -> None:
        """Before the first host is asked, so that the same command can take it up."""
        parts = [{"id": p.id, "grade": p.grade, "hosts": list(p.hosts)} for p in self.parts]
        text = json.dumps({"parts": parts}, ensure_ascii=False, indent=1) + "\n"
        write_aside(output / _CHOSEN, text.encode(), 0o600)


@contextmanager
def choice(how: How, location: str | None, output: Path, wanted: Wanted) -> Iterator[Choice | None]:
    """What was chosen by the command that was interrupted in `output`, else what is wanted now.

    Whatever has fallen due or was attached meanwhile, the same command does what is left. None,
    and it was said, where there is nothing to do. Raises BadInput as `fleet` and `chosen`.
    """
    known = begun(output, retry=wanted.retry) or ()
    # a limit may name a group that nothing is due of
    fewer = wanted.due and not how.limit
    ids = [part.id for part in known]
    times = {"within": wanted.ahead, "spread": wanted.spread}
    with fleet(how.inventory, location, **times, only_due=fewer, begun=ids) as found:
        how = replace(how, inventory=found.sources)
        parts = known
        if not parts and not (wanted.due and not found.due):
            # before anything is done: an unusable inventory leaves no empty run behind
            parts = chosen(found, hosts_of(how), wanted, whole=not how.limit)
        if parts and not any(part.hosts for part in parts):
            id = parts[0].id
            raise BadInput(nothing_of(_declared(found, id)), where=id, mend=_MEND)
        if not parts:
            click.echo(
                tr("没有到期须核查的登记", "no check of a pledge is due")
                if wanted.due
                else tr("没有主机可查", "there is no host to check")
            )
        yield Choice(found, how, parts) if parts else None


def nothing_of(hosts: Sequence[str]) -> str:
    """What is said of a pledge whose hosts Ansible does not have, for their names."""
    shown = ", ".join(one_line(host) for host in hosts[:_NAMED])
    return msg("no_host_of_it_could_be_asked", hosts=shown + (" …" if hosts[_NAMED:] else ""))


def _declared(fleet: Fleet, id: str) -> Sequence[str]:
    return fleet.records[id].hosts if id in fleet.records else ()


def chosen(
    fleet: Fleet, hosts: Sequence[str], wanted: Wanted, *, whole: bool = False
) -> tuple[Part, ...]:
    """Which pledges the hosts are of; those under none come last.

    With the `whole` inventory, a pledge that declares hosts, and has none of them there, is a part
    with no host: it was asked for, and gets nothing. Raises BadInput for a pledge that is not
    there, or is of a higher grade than is asked for.
    """
    if wanted.pledge and wanted.pledge not in fleet.records:
        fleet.register.get(wanted.pledge)
        raise BadInput(
            tr(f"登记 {wanted.pledge} 不在执行中", f"the pledge {wanted.pledge} is not in force"),
            where="--pledge",
        )
    there = dict.fromkeys(hosts)
    parts: list[Part] = []
    for record in fleet.records.values():
        if wanted.pledge not in ("", record.id) or (wanted.due and record.id not in fleet.due):
            continue
        own = tuple(host for host in record.hosts if host in there)
        if not own and not (whole and record.hosts):
            continue
        if wanted.grade and wanted.grade < record.grade:
            raise BadInput(
                tr(
                    f"登记 {record.id} 为 {record.grade} 级，不能按 {wanted.grade} 级核查",
                    f"the pledge {record.id} is of grade {record.grade}, not to be judged at "
                    f"{wanted.grade}",
                ),
                where="--grade",
            )
        parts.append(Part(record.id, wanted.grade or record.grade, own))
    if not (wanted.pledge or wanted.due):
        declared = {host for record in fleet.records.values() for host in record.hosts}
        others = tuple(host for host in there if host not in declared)
        if others and wanted.others:
            parts.append(Part("", wanted.grade or 2, others))
        elif others:
            _say_left_out(others)
    return tuple(parts)


def say_nothing_of(chosen: Choice) -> bool:
    """Tells of each pledge that was asked for and gets nothing; returns whether there is one."""
    lacking = [part.id for part in chosen.parts if not part.hosts]
    for id in lacking:
        why = nothing_of(_declared(chosen.fleet, id))
        said = tr(f"未完成：{in_chinese(why)}", f"not done: {why}")
        click.echo(f"{id}: {said}", err=True)
    return bool(lacking)


def _say_left_out(hosts: Sequence[str]) -> None:
    names = tr("、", ", ").join(one_line(host) for host in hosts[:_NAMED])
    names += " …" if len(hosts) > _NAMED else ""
    click.echo(
        tr(
            f"{len(hosts)} 台主机不属于任何登记，不予整改：{names}",
            f"{len(hosts)} host(s) are under no pledge and are not hardened: {names}",
        ),
        err=True,
    )


def begun(output: Path, *, retry: bool) -> tuple[Part, ...] | None:
    """What the command that was interrupted in `output` (or is to be retried) was about."""
    journal = next((output / name for name in _JOURNALS if (output / name).is_file()), None)
    if journal is None:
        return None
    known = parts_in(output)
    if known is None:
        return None
    about = load_json(journal.read_bytes(), where=str(journal))
    if not isinstance(about, dict) or (about.get("ended") is not None and not retry):
        return None
    return known


def parts_in(output: Path) -> tuple[Part, ...] | None:
    """The pledges that the command in `output` was about; None where it was not `-i register`."""
    place = output / _CHOSEN
    if not place.is_file():
        return None
    document: Any = load_json(place.read_bytes(), where=str(place))
    try:
        return tuple(
            Part(str(p["id"]), int(p["grade"]), tuple(map(str, p["hosts"])))
            for p in document["parts"]
        )
    except (KeyError, TypeError, ValueError):
        raise BadInput(
            "was not written by a run",
            where=str(place),
            mend=tr("换一个 -o 目录", "give another folder with -o"),
        ) from None


def part_of(output: Path, pledge: str) -> Part | None:
    """What of the captures in `output` are that pledge's; None where they are of no register.

    Raises BadInput where they are, and not one of them is of this pledge.
    """
    parts = parts_in(output)
    if parts is None:
        return None
    for part in parts:
        if part.id == pledge:
            return part
    raise BadInput(
        tr(f"不含登记 {pledge} 的主机", f"holds no host of the pledge {pledge}"),
        where=str(output),
        mend=tr(
            f"先采集：hostpledge collect -i register --pledge {pledge} -o 目录",
            f"collect from them: hostpledge collect -i register --pledge {pledge} -o DIR",
        ),
    )
