"""Which findings are asked for: options that every command has which takes some of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import wraps
from typing import TYPE_CHECKING, Any

import click

from collector import catalog
from collector.cli.options.common import ControlName, Decorated, find
from collector.cli.options.times import Ahead
from collector.cli.options.words import Worded, finding_states
from collector.cli.options.words import verdicts as verdict_words
from collector.cli.ui.language import tr
from collector.errors import BadInput
from collector.model import Lang
from collector.pledges.record.times import to_the_end

if TYPE_CHECKING:
    from collector.pledges.status.findings import Life

CLAUSES = ("2.2", "2.3", "2.4")
VERDICTS = ("fail", "partial", "error", "notchecked")
STATES = ("open", "waived", "closed")
_LANGS: tuple[Lang, ...] = ("zh", "en")


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked for; each that is left out asks for nothing. `states` is never empty.

    `until` (aware): what is to be mended by then, and what was to be already.
    """

    states: frozenset[str]
    controls: frozenset[str] = frozenset()
    clauses: frozenset[str] = frozenset()
    verdicts: frozenset[str] = frozenset()
    hosts: frozenset[str] = frozenset()
    owner: str = ""
    overdue: bool = False
    unowned: bool = False
    veto: bool = False
    grade: int | None = None
    until: datetime | None = None

    def holds(self, life: Life, now: datetime) -> bool:
        """Is it one of those? `now` (aware) says what is overdue."""
        return (
            life.state in self.states
            and (not self.controls or life.control in self.controls)
            and (not self.clauses or clause_of(life.control) in self.clauses)
            and (not self.verdicts or str(life.verdict) in self.verdicts)
            and (not self.hosts or life.host in self.hosts)
            and (not self.owner or is_named(life.owner, self.owner))
            and (not self.overdue or life.overdue(now))
            and (not self.unowned or not life.owner)
            and (not self.veto or life.veto)
            and (self.until is None or _falls_due(life, self.until))
        )

    @property
    def everything(self) -> bool:
        """Is nothing of it asked for in particular?"""
        return self == Asked(self.states)


def _falls_due(life: Life, until: datetime) -> bool:
    return life.state == "open" and life.due is not None and life.due <= until


def is_named(owner: str, asked: str) -> bool:
    """By the whole of what was written, or by the name before a telephone number."""
    from collector.pledges.record.people import plain_name

    name, owner = plain_name(asked), plain_name(owner)
    return name in (owner, owner.partition(" ")[0])


def clause_of(control: str) -> str:
    """The clause (`2.3`) of a control; empty for one that no release here knows."""
    known = catalog.described().get(control)
    return known.clause if known else ""


def clause_named(name: str) -> str:
    """`2.3` for `2.3`, `二(三)` and `2(3)`; raises BadInput for another."""
    for clause in CLAUSES:
        if name in (
            clause,
            catalog.clause_number(clause, "zh"),
            catalog.clause_number(clause, "en"),
        ):
            return clause
    raise BadInput(
        tr(f"没有此核查条款：{name}", f"no clause that is checked on hosts: {name}"),
        where="--clause",
        mend=tr(f"可用 {'、'.join(CLAUSES)}", f"there are {', '.join(CLAUSES)}"),
    )


def finding_options(*, owner: str = "--owner", states: bool = False) -> Decorated:
    """The options, as `asked`; `owner` is the one that names who sees to them.

    `states`: what is waived or closed may be asked for too.
    """

    def decorated(command: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(command)
        def told(
            *,
            controls: tuple[str, ...],
            clauses: tuple[str, ...],
            verdicts: tuple[str, ...],
            hosts: tuple[str, ...],
            whose: str | None,
            overdue: bool,
            unowned: bool,
            veto: bool,
            of_grade: int | None,
            within: timedelta | None,
            of_states: tuple[str, ...] = (),
            **given: Any,
        ) -> Any:
            now = datetime.now(UTC)
            asked = Asked(
                frozenset(of_states or (STATES[:2] if states else STATES[:1])),
                frozenset(find(name).id for name in controls),
                frozenset(map(clause_named, clauses)),
                frozenset(verdicts),
                frozenset(hosts),
                whose or "",
                overdue,
                unowned,
                veto,
                of_grade,
                # a deadline is a day, as `pledge due` has it
                None if within is None else now + to_the_end(within, now),
            )
            return command(asked=asked, **given)

        made: Callable[..., Any] = told
        for option in reversed((*_options(owner), *((_state_option(),) if states else ()))):
            made = option(made)
        return made

    return decorated


def _options(owner: str) -> tuple[Decorated, ...]:
    more = tr("；可多次给出", "; may be repeated")
    return (
        click.option(
            "--control",
            "controls",
            metavar="C",
            type=ControlName(),
            multiple=True,
            help=tr("只看这一核查项", "only this control") + more,
        ),
        click.option(
            "--clause",
            "clauses",
            metavar="N",
            multiple=True,
            help=tr("只看这一条款（2.2、2.3、2.4）", "only this clause (2.2, 2.3, 2.4)") + more,
        ),
        click.option(
            "--verdict",
            "verdicts",
            type=Worded(VERDICTS, verdict_words),
            multiple=True,
            help=tr("只看此结论的", "only those of this verdict") + more,
        ),
        click.option(
            "--host",
            "hosts",
            metavar="H",
            multiple=True,
            help=tr("只看这台主机", "only this host") + more,
        ),
        click.option(
            owner,
            "whose",
            metavar="NAME",
            help=tr("只看此人负责的", "only what this person owns"),
        ),
        *_when(),
        click.option(
            "--unowned",
            is_flag=True,
            help=tr("只列未指定责任人的", "only what nobody sees to"),
        ),
        _veto_option(owner),
        click.option(
            "--grade",
            "of_grade",
            type=click.IntRange(2, 3),
            help=tr("只看此等级的登记", "only of pledges of this grade"),
        ),
    )


def _veto_option(owner: str) -> Decorated:
    said = tr("只列一票否决项的", "only of controls that decide a clause by themselves")
    if owner != "--owner":
        # what is given to somebody is what fails
        said += tr(
            "；除非以 --verdict 指明，只取不符合的（同 pledge list --veto）",
            ": those that fail (as `pledge list --veto`), where no --verdict is given",
        )
    return click.option("--veto", is_flag=True, help=said)


def _when() -> tuple[Decorated, ...]:
    return (
        click.option("--overdue", is_flag=True, help=tr("只列逾期的", "only what is overdue")),
        click.option(
            "--within",
            type=Ahead(),
            metavar="TIME",
            help=tr(
                "只列期限在此期间内的（含已逾期的），如 7d、2026-12-31、2026-12（到当月末）",
                "only what is to be mended within that time (or was to be already), e.g. 7d, "
                "2026-12-31, 2026-12 (to the end of that month)",
            ),
        ),
    )


def _state_option() -> Decorated:
    return click.option(
        "--state",
        "of_states",
        type=Worded(STATES, finding_states),
        multiple=True,
        help=tr(
            "只看未闭环的（open）、已豁免的（waived）或已闭环的（closed）；可多次给出；"
            "默认未闭环与已豁免的",
            "only what is open, waived or closed; may be repeated; default: open and waived",
        ),
    )
