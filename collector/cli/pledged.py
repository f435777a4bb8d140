"""What commands share that make evidence for a pledge record: --pledge, --register, the grade."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from collector.cli.language import tr
from collector.errors import BadInput

if TYPE_CHECKING:
    from collector.attest.bundle import PledgeReference
    from collector.model import Waiver
    from collector.pledges.record import PledgeRecord
    from collector.pledges.register import Register


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
    for option in (
        click.option(
            "--register", "location", metavar="PATH|URL", help=tr("登记库", "the register")
        ),
        click.option(
            "--pledge",
            "pledge_id",
            metavar="ID",
            help=tr("为此登记制作", "make it for this pledge record"),
        ),
    ):
        command = option(command)
    return command


def pledged(id: str | None, location: str | None, grade: int | None) -> Pledged | None:
    """The pledge record named by the options; None where none is named.

    Raises BadInput when it is not there, or is of a higher grade than is asked for.
    """
    if id is None:
        return None
    from collector.pledges.register import Register

    register = Register.open(location, create=False)
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
