"""All that an operator is asked about one customer: gathered once, for people and programs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from collector.cli.ui.language import lang, tr
from collector.cli.workflows.desk.noticed import Noticed, noticed
from collector.errors import BadInput, CollectorError
from collector.i18n.message import in_chinese
from collector.pledges.database.rows import Evidence, current
from collector.pledges.database.sightings import Another, Twin
from collector.pledges.due import lifecycle
from collector.pledges.due.deadlines import Due
from collector.pledges.record.form import PledgeRecord
from collector.pledges.record.sought import holds
from collector.pledges.record.times import CHINA, today_in_china
from collector.pledges.standing.due import due, too_old
from collector.pledges.standing.found_now import lives_at
from collector.pledges.standing.listing import CLAUSES, Listed
from collector.pledges.standing.since import Since
from collector.pledges.status.brief import Brief
from collector.pledges.status.findings import Life

if TYPE_CHECKING:
    from collector.pledges.register.register import Register

_MOST_NAMED = 8


@dataclass(frozen=True, slots=True)
class Host:
    """`looked_at` and `evidence` are of its newest look, None where there was none.

    `declared`: the record names it. `counts` are those of its open findings, by verdict.
    """

    name: str
    declared: bool
    looked_at: datetime | None
    evidence: int | None
    counts: dict[str, int]


@dataclass(frozen=True, slots=True)
class Dossier:
    """`unread`: why the findings cannot be told; `others`: further pledges of that customer.

    `stale`: its evidence is older than it may be; `twins`: where else its machines were seen,
    `machines`: its hosts that are another machine than they were.
    """

    record: PledgeRecord
    state: lifecycle.State
    hosts: tuple[Host, ...]
    evidence: Evidence | None
    lives: tuple[Life, ...]
    dues: tuple[Due, ...]
    notices: tuple[Noticed, ...]
    twins: tuple[Twin, ...]
    machines: tuple[Another, ...]
    others: tuple[Brief, ...]
    unread: str
    at: datetime
    stale: bool

    @property
    def open(self) -> list[Life]:
        return [life for life in self.lives if life.state == "open"]

    @property
    def satisfied(self) -> bool:
        late = any(one.overdue(self.at) for one in self.dues)
        proven = self.evidence is not None and not any(
            self.listed().verdict(clause) == "error" for clause in CLAUSES
        )
        return proven and not (self.open or late or self.unread)

    def listed(self) -> Listed:
        """As a row of a list, for what a list says of its clauses."""
        rows: list[Evidence] = []
        if self.evidence is not None:
            seen = {host.name for host in self.hosts if host.evidence == self.evidence.sequence}
            rows = [replace(self.evidence, hosts=frozenset(seen))]
        brief = Brief(self.record.document, (), self.at)
        return Listed(brief, rows, self.state, self.dues, self.stale)


def found(register: Register, text: str) -> str:
    """The id of the pledge that `text` means: its id, its customer's name or a part, or a host;

    or by whatever else a list finds it: a telephone number, an address, a network, a domain.

    Raises BadInput where there is none, or several, which are named.
    """
    every = register.briefs()
    sought = text.casefold()
    today = today_in_china()
    tests = (
        lambda one: one.id == text,
        lambda one: one.id.casefold() == sought,
        lambda one: one.customer.casefold() == sought,
        lambda one: sought in one.customer.casefold() or sought in one.id.casefold(),
        lambda one: any(sought == host.casefold() for host in one.hosts),
        lambda one: any(sought in host.casefold() for host in one.hosts),
        lambda one: holds(one.sought, text),
    )
    for test in tests:
        matching = [one for one in every if test(one)]
        if len(matching) > 1:
            # of a customer who renewed, the pledge that is in force is meant
            running = [one for one in matching if _runs(one, every, today)]
            same = len({one.customer for one in matching}) == 1
            matching = running if same and len(running) == 1 else matching
        if len(matching) == 1:
            return matching[0].id
        if matching:
            raise _several(text, matching)
    raise BadInput(
        tr(
            f"没有编号、用户名称、主机、联系人、域名或地址含“{text}”的登记",
            f"no pledge is of {text!r}, by id, customer or host, nor by contact, domain or address",
        ),
        where=register.where,
        mend=tr("用 hostpledge pledge list 查看全部", "`hostpledge pledge list` lists them"),
    )


def _runs(one: Brief, every: Sequence[Brief], today: date) -> bool:
    renewed = one.id in lifecycle.continued(every)
    return lifecycle.state(one, today, renewed=renewed) in ("active", "suspended")


def _several(text: str, matching: Sequence[Brief]) -> BadInput:
    from collector.pledges.record.masking import masked

    named = [f"{one.id} {masked(one.customer)}" for one in matching[:_MOST_NAMED]]
    names = tr("、", ", ").join(named)
    count = len(matching)
    more = tr(f" 等 {count} 份", f" … {count} in all") if count > _MOST_NAMED else ""
    return BadInput(
        tr(
            f"“{text}”有 {count} 份登记：{names}{more}",
            f"{count} pledges are of {text!r}: {names}{more}",
        ),
        mend=tr("写出编号，或名称中更多的字", "give the id, or more of the name"),
    )


def gathered(
    register: Register, id: str, now: datetime, within: timedelta, twins: Sequence[Twin]
) -> Dossier:
    """`twins`: where else its machines were seen.

    Raises BadInput where there is no such pledge, or its rows and the log differ.
    """
    record = register.get(id)
    evidence = Since().counted(register, {id: register.evidence(id)}, now)[id]
    every = register.briefs()
    renewed = id in lifecycle.continued(every)
    lives, unread = tuple[Life, ...](), ""
    try:
        lives = lives_at(record, evidence, now, renewed=renewed)
    except CollectorError as problem:
        unread = in_chinese(problem.said) if lang() == "zh" else str(problem)
    others = [one for one in every if one.customer == record.customer and one.id != id]
    return Dossier(
        record,
        lifecycle.state(record, now.astimezone(CHINA).date(), renewed=renewed),
        _hosts(register, record, lives),
        current(evidence),
        lives,
        due(record, evidence, now, within=within, renewed=renewed, lives=None if unread else lives),
        tuple(noticed(record, lives, now)),
        tuple(twins),
        register.other_machines(id).get(id, ()),
        tuple(others),
        unread,
        now,
        too_old(record, evidence, now, renewed=renewed) is not None,
    )


def _hosts(register: Register, record: PledgeRecord, lives: Sequence[Life]) -> tuple[Host, ...]:
    looked = register.newest_looks(record.id)
    names = dict.fromkeys([*record.hosts, *sorted(looked), *sorted({x.host for x in lives})])
    rows = []
    for name in names:
        counts: dict[str, int] = {}
        for life in lives:
            if life.host == name and life.state == "open":
                counts[str(life.verdict)] = counts.get(str(life.verdict), 0) + 1
        at, number = looked.get(name, (None, None))
        rows.append(Host(name, name in record.hosts, at, number, counts))
    return tuple(rows)
