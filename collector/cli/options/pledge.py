"""What commands share that work on pledge records: --pledge, --register, whom to trust."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from collector.cli.options.answering import answer
from collector.cli.options.paths import Named
from collector.cli.ui.language import lang, tr
from collector.errors import BadInput, listed
from collector.i18n.message import in_chinese

if TYPE_CHECKING:
    from collector.attest.bundle.making import PledgeReference
    from collector.attest.trust.trust_file import Trust
    from collector.model import Waiver
    from collector.pledges.record.form import PledgeRecord
    from collector.pledges.register.register import Register


@dataclass(frozen=True)
class Pledged:
    """The pledge record that evidence is for, and the register that holds it."""

    register: Register
    record: PledgeRecord

    def reference(self) -> PledgeReference:
        """The place that the next bundle has in the pledge's sequence."""
        return self.register.reference(self.record.id)

    def attached(self) -> dict[str, bytes]:
        """Documents of the record that judges may use."""
        return self.register.attached_documents(self.record)

    def waivers(self) -> tuple[Waiver, ...]:
        return self.register.waivers(self.record)


def pledge_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """--pledge ID (`pledge_id`) and --register (`location`)."""
    named = click.option(
        "--pledge",
        "pledge_id",
        metavar="ID",
        help=tr("为此登记制作", "make it for this pledge record"),
    )
    return named(register_option(command))


def say_doubts(doubts: Iterable[BadInput], register: Register) -> bool:
    """Names on stderr what is not proven, as rows and log differ; is there any?

    And, once, what of a register that is used for the first time is taken on its word.
    """
    found = False
    if met := register.first_seen:
        names = listed(met[:5]) + (" …" if len(met) > 5 else "")
        click.echo(
            tr(
                f"按登记库所载采信：{len(met)} 份登记（{names}）的最新证据，证据包不在本机，"
                "或签名者不在所信任之列；请用 HOSTPLEDGE_TRUST 指明信任谁的签名",
                f"taken on the register's word: the newest evidence of {len(met)} record(s) "
                f"({names}) is not here, or nobody that you trust signed it; HOSTPLEDGE_TRUST "
                "names whom you trust",
            ),
            err=True,
        )
    for problem in doubts:
        found = True
        said = in_chinese(problem.said) if lang() == "zh" else problem.said
        click.echo(f"hostpledge: {said}", err=True)
    return found


def pledged(id: str | None, location: str | None, grade: int | None) -> Pledged | None:
    """The pledge record named by the options; None where none is named.

    Raises BadInput when it is not there, or is of a higher grade than is asked for.
    """
    if id is None:
        return None
    register = open_register(location)
    record = register.get(id)
    if grade is not None and grade < record.grade:
        raise BadInput(
            tr(
                f"登记 {id} 为 {record.grade} 级，不能按 {grade} 级核查",
                f"the pledge {id} is of grade {record.grade}, not to be judged at {grade}",
            ),
            where="--grade",
        )
    return Pledged(register, record)


def register_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds --register to a command, as `location`."""
    return click.option(
        "--register",
        "location",
        type=Named(),
        metavar="PATH|URL",
        help=tr(
            "登记库（默认 $HOSTPLEDGE_REGISTER，否则在用户数据目录中）",
            "the register (default: $HOSTPLEDGE_REGISTER, else in the user's data folder)",
        ),
    )(command)


def open_register(location: str | None, *, create: bool = False) -> Register:
    """Raises BadInput where there is none and it is not to be made.

    One that is made where somebody named it is told: the name may be a slip.
    """
    from collector.pledges.database.location import is_named, place
    from collector.pledges.register.register import Register

    path = place(location).path if create and is_named(location) else None
    fresh = path is not None and not path.exists()
    opened = Register.open(location, create=create)
    if fresh:
        answer(register_made=opened.where)
        click.echo(
            tr(
                f"新建了登记库：{opened.where}；如路径有误，请删除它并改正",
                f"a new register was made: {opened.where}; if that is a slip, remove it and name "
                "the right one",
            ),
            err=True,
        )
    return opened


def trust_given(file: Path | None) -> Trust:
    """The trust file given, else one's own keys. Raises BadInput where there are none."""
    from collector.attest.trust import keyring
    from collector.attest.trust.trust_file import load_trust

    if file is not None:
        return load_trust(file)
    trust = keyring.trust()
    if not trust.keys:
        raise BadInput(
            tr("没有自己的密钥可供信任", "there is no key of your own to trust"),
            where="--trust",
            mend=tr(
                "给出信任文件，或用 hostpledge key new 生成密钥",
                "give a trust file, or make a key with `hostpledge key new`",
            ),
        )
    return trust
