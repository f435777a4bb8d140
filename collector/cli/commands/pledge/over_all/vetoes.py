"""Veto controls that pledges fail, by name: as `pledge list --veto` shows them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from collector.cli.ui.grid import Grid, room
from collector.cli.ui.language import lang, tr
from collector.cli.ui.sheets import as_csv, as_xlsx
from collector.errors import CollectorError, one_line
from collector.i18n.message import in_chinese
from collector.model import Text
from collector.pledges.record.masking import masked

if TYPE_CHECKING:
    from collector.pledges.register.register import Register
    from collector.pledges.standing.listing import Listed
    from collector.pledges.status.findings import Life

# of the hosts of one control so many are named
_HOSTS = 3


@dataclass(frozen=True, slots=True)
class Failed:
    """A veto control that fails on `hosts`.

    `under`: the id of the record they were last looked at for, where the pledge continues it.
    """

    control: str
    number: str
    title: Text
    hosts: tuple[str, ...]
    under: str = ""

    def plain(self) -> dict[str, Any]:
        known = {"control": self.control, "number": self.number, "hosts": list(self.hosts)}
        return {**known, "seen_under": self.under} if self.under else known

    def told(self) -> str:
        names = tr("、", ", ").join(map(one_line, self.hosts[:_HOSTS]))
        if (count := len(self.hosts)) > _HOSTS:
            names += tr(f" 等 {count} 台", f" and {count - _HOSTS} more")
        if self.under:
            names += tr(f"；{self.under} 时所见，续签后未核查", f"; seen under {self.under}")
        title = self.title.to(lang())
        return tr(f"{self.number} {title}（{names}）", f"{self.number} {title} ({names})")


@dataclass(frozen=True, slots=True)
class Broken:
    """By id, what fails; of which records nobody could tell, and how many are in none of them.

    `bare`: of so many there is no evidence; `untold`: of so many a veto control is not verified.
    """

    failed: Mapping[str, Sequence[Failed]]
    unread: Sequence[str]
    bare: int = 0
    untold: int = 0

    def plain(self) -> dict[str, list[dict[str, Any]]]:
        return {id: [one.plain() for one in some] for id, some in self.failed.items()}

    def tell_unread(self) -> bool:
        for line in self.unread:
            click.echo(line, err=True)
        if self.bare:
            click.echo(
                tr(
                    f"另有 {self.bare} 份登记尚无证据，是否符合不得而知（见 pledge list "
                    "--no-evidence）",
                    f"{self.bare} more have no evidence, and nobody knows (`pledge list "
                    "--no-evidence`)",
                ),
                err=True,
            )
        if self.untold:
            click.echo(
                tr(
                    f"另有 {self.untold} 份登记有一票否决项未能核查（见 pledge findings --veto "
                    "--verdict error）",
                    f"of {self.untold} more a veto control could not be verified (`pledge findings "
                    "--veto --verdict error`)",
                ),
                err=True,
            )
        return bool(self.unread)


def broken(register: Register, rows: Iterable[Listed], now: datetime) -> Broken:
    """By the newest look at each host; what is waived is no failure until the waiver ends.

    Of a host that nobody looked at since the pledge was renewed, by the last look before.
    """
    from collector.pledges.due.lifecycle import OWED

    failed: dict[str, Sequence[Failed]] = {}
    unread: list[str] = []
    bare = untold = 0
    with register.reading():
        owed = [one for one in rows if one.state in OWED]
        # it reads the bundles of the whole register, where it is new
        renews = any("renews" in one.record.document for one in owed)
        answered = register.hosts_that_answered() if renews else {}
        for one in owed:
            id = one.record.id
            try:
                lives = _lives(register, one, answered, now)
            except CollectorError as problem:
                said = in_chinese(problem.said) if lang() == "zh" else str(problem)
                unread.append(f"{id}: {one_line(said, 600)}")
                continue
            if found := _by_control(lives):
                failed[id] = found
            elif one.last is None:
                bare += 1
            else:
                untold += any(x.veto and x.state == "open" for _, x in lives)
    return Broken(failed, unread, bare, untold)


def _lives(
    register: Register, one: Listed, answered: Mapping[str, frozenset[str]], now: datetime
) -> list[tuple[str, Life]]:
    """What is known of it, each with the record that it continues where the look was for that."""
    from collector.pledges.standing.carried import carried
    from collector.pledges.standing.finding_history import last_lives

    record = register.get(one.record.id)
    own = last_lives(record, register.evidence(record.id), now) if one.last is not None else ()
    told = {(life.control, life.host) for life in own if life.fails}
    before = carried(register, record, answered, now)
    again = [pair for pair in before if (pair[1].control, pair[1].host) not in told]
    return [*(("", life) for life in own), *again]


def _by_control(lives: Iterable[tuple[str, Life]]) -> list[Failed]:
    known: dict[tuple[str, str, str], list[Life]] = {}
    for under, life in lives:
        if life.veto and life.fails:
            known.setdefault((life.number, life.control, under), []).append(life)
    return [
        Failed(control, number, of[0].title, tuple(sorted(life.host for life in of)), under)
        for (number, control, under), of in sorted(known.items())
    ]


def drawn(rows: Sequence[Listed], found: Broken, form: str) -> str | bytes:
    """The rows with what each fails; for people that is what is shown."""
    from collector.report.model import listed

    title = tr("不符合的一票否决项", "veto controls that fail")
    said = {id: [one.told() for one in some] for id, some in found.failed.items()}
    if form == "table":
        if not rows:
            return tr("没有一票否决项不符合的登记\n", "no pledge fails a veto control\n")
        grid = Grid(tr("编号", "ID"), tr("用户名称", "customer"), title)
        for one in rows:
            fails = tr("；", "; ").join(said[one.record.id])
            grid.add_row(one.record.id, str(masked(one.record.customer)), str(masked(fails)))
        return grid.drawn(room()) + told(found) + "\n"
    cells = [
        [
            *listed.row(one, lang()),
            str(masked("; ".join(said[one.record.id]))),
            *listed.contact(one),
        ]
        for one in rows
    ]
    titles = {**listed.titles(lang()), "vetoes": title, **listed.contact_titles(lang())}
    if form == "csv":
        return as_csv(list(titles), cells)
    return as_xlsx(tr("登记", "pledges"), titles, cells)


def counted(found: Broken) -> dict[str, dict[str, Any]]:
    """By control, how many pledges and hosts fail it; that of most pledges first."""
    known: dict[str, list[tuple[str, Failed]]] = {}
    for id, some in found.failed.items():
        for one in some:
            known.setdefault(one.control, []).append((id, one))
    counts: dict[str, dict[str, Any]] = {
        control: {
            "number": of[0][1].number,
            "pledges": len({id for id, _ in of}),
            "hosts": sum(len(one.hosts) for _, one in of),
        }
        for control, of in known.items()
    }
    return dict(sorted(counts.items(), key=lambda pair: (-pair[1]["pledges"], pair[0])))


def told(found: Broken) -> str:
    """How many fail any, and each."""
    count = len(found.failed)
    titles = {one.control: one.title for some in found.failed.values() for one in some}
    each = [
        tr(
            f"{one['number']} {titles[control].to(lang())} {one['pledges']} 份",
            f"{one['number']} {titles[control].to(lang())} {one['pledges']}",
        )
        for control, one in counted(found).items()
    ]
    said = tr(f"{count} 份登记不符合", f"{count} pledge(s) fail")
    return said + (tr("：", ": ") + tr("，", ", ").join(each) if each else "")
