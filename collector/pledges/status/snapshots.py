"""What captures show, as the register keeps it: of each pledge's newest bundle alone.

It saves reading hundreds of captures for each `pledge status`. It is never evidence: the captures
are held to their signed digests each time, and a row that is of another bundle, was made by other
code, or is not as this user wrote it (`keeper`), is made anew from them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, select

import collector
from collector.i18n.message import from_json, to_json
from collector.judging_code import judging_code_sha256
from collector.pledges.database import tables
from collector.pledges.database.keeper import keeper

if TYPE_CHECKING:
    from collector.pledges.status.declared_resources import Shown
    from collector.pledges.status.latest_bundle import Newest


def read(connection: Connection, newest: Newest) -> tuple[Shown, ...] | None:
    """What is kept of this very bundle; None where it has to be made anew."""
    table, ours = tables.looks, keeper()
    if ours is None:
        return None
    mine = (table.c.keeper == ours.id) & (table.c.pledge == newest.pledge)
    query = select(table.c.document, table.c.seal).where(mine & (table.c.digest == newest.digest))
    row = connection.execute(query).first()
    if row is None or not ours.holds(row.seal, *_told(newest, row.document)):
        return None
    # lists go without it
    from collector.pledges.status.declared_resources import Address, Port, Shown

    return tuple(
        Shown(
            entry["host"],
            [Address(*address) for address in entry["addresses"]],
            [(is_name, from_json(said)) for is_name, said in entry["domains"]],
            [
                Port(number, proto, sure, from_json(why))
                for number, proto, sure, why in entry["ports"]
            ],
            {part: from_json(why) for part, why in entry["unseen"].items()},
        )
        for entry in json.loads(row.document)
    )


def put(connection: Connection, newest: Newest, made: Sequence[Shown]) -> None:
    """Keeps it in the place of what this user kept, and anybody of an earlier bundle."""
    table, ours = tables.looks, keeper(make=True)
    name = ours.id if ours is not None else ""
    stale = (table.c.keeper == name) | (table.c.digest != newest.digest)
    connection.execute(table.delete().where((table.c.pledge == newest.pledge) & stale))
    if ours is None:
        return
    document = json.dumps([_plain(one) for one in made], separators=(",", ":"))
    connection.execute(
        table.insert().values(
            pledge=newest.pledge,
            keeper=name,
            digest=newest.digest,
            seal=ours.seal(*_told(newest, document)),
            document=document,
        )
    )


def _plain(one: Shown) -> dict[str, Any]:
    """Messages keep their codes: which language will be asked for is not known yet."""
    return asdict(one) | {
        "domains": [(is_name, to_json(said)) for is_name, said in one.domains],
        "ports": [(*port[:3], to_json(port.why)) for port in one.ports],
        "unseen": {part: to_json(why) for part, why in one.unseen.items()},
    }


def drop(connection: Connection, pledge: str) -> None:
    """Nothing is kept of that pledge any more."""
    connection.execute(tables.looks.delete().where(tables.looks.c.pledge == pledge))


def _told(newest: Newest, document: str) -> tuple[str, str, str, str]:
    return newest.pledge, newest.digest, _made_by(), document


@cache
def _made_by() -> str:
    """What a look rests on beside its bundle: the code that reads captures, and these rooms."""
    found = hashlib.sha256(judging_code_sha256().encode())
    root = Path(collector.__file__).parent
    for path in sorted((root / "pledges").rglob("*.py")):
        found.update(path.name.encode() + b"\0" + path.read_bytes())
    return found.hexdigest()
