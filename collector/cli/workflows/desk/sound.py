"""All records that are as they were written; of the others, why they are not.

One that somebody changed in the database stops nobody from working with the rest, where it is said.
"""

from __future__ import annotations

from collector.errors import BadInput
from collector.pledges.database.transactions import DatabaseSaysError
from collector.pledges.record.form import PledgeRecord
from collector.pledges.register.register import Register


def sound(register: Register) -> tuple[tuple[PledgeRecord, ...], tuple[BadInput, ...]]:
    """The newest version of every record, by id; and what is wrong with those that are left out.

    Raises BadInput where the register cannot be read at all.
    """
    try:
        return register.list(), ()
    except DatabaseSaysError:
        raise
    except BadInput:
        found, wrong = list[PledgeRecord](), list[BadInput]()
    for id in sorted(register.begun()):
        try:
            found.append(register.get(id))
        except DatabaseSaysError:
            raise
        except BadInput as problem:
            wrong.append(problem)
    return tuple(found), tuple(wrong)
