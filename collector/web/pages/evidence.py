"""One bundle to keep, and to verify elsewhere."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from typing import BinaryIO

from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from collector import private
from collector.attest.bundle.making import pack
from collector.errors import BadInput, CollectorError
from collector.i18n.message import msg
from collector.pledges.database.rows import Evidence
from collector.pledges.record.voiding import voided
from collector.verify import open_bundle
from collector.web.asking.asker import Asker, NotFoundError, TurnedAwayError, attached
from collector.web.keeping.passwords import BusyError, Places
from collector.web.pages.customer import doubted

_CHUNK = 1 << 16
# files that are being sent, and how many of them to one account, or customer; whoever sees all
# pledges has his own
_OPEN = Places(24, 4), Places(24, 4)
# bytes a second, on the average, and the seconds beside: a reader who is slower gives his place up
_LEAST, _BESIDE = 32 << 10, 30.0


def bundle(asker: Asker) -> Response:
    """As a ZIP in its one form, as `repack` makes it.

    What is void may be of somebody else's host: it is for who sees all pledges, and says so.
    """
    id = asker.parts["id"]
    asker.must_see(id)
    sequence = asker.parts["sequence"]
    with asker.house.library.open() as register:
        # one address each: another way to write the number is none
        found = [e for e in register.every_evidence(id) if str(e.sequence) == sequence]
        if not found or not found[0].path.is_dir():
            raise NotFoundError
        try:
            void = found[0].sequence in {int(one["sequence"]) for one in voided(register.get(id))}
        except CollectorError as problem:
            # whether it is void, nobody knows then
            if asker.only is not None:
                return doubted(asker, id, problem, 409)
            void = False
    if void and asker.only is not None:
        asker.note = "denied"
        raise NotFoundError
    held = ExitStack()
    try:
        # up to when all is sent: each lies on this machine's disk for as long
        held.enter_context(_OPEN[asker.only is None].one(*asker.account.sharing))
        source = _packed(found[0])
    except BusyError:
        asker.note = "busy"
        raise TurnedAwayError("turned_busy", 503) from None
    except CollectorError as problem:
        held.close()
        asker.note = f"changed: evidence {sequence}"
        why = asker.why(problem)
        return asker.page("doubted", 409, id=id, why=why, title="changed_title")
    marked = "-void" if void else ""
    name = f"{id}-{found[0].sequence:04d}{marked}-{found[0].digest[:12]}.zip"
    return Download(source, attached(name), held)


def _packed(one: Evidence) -> BinaryIO:
    """The ZIP, open; it has no name any more, so that nothing of it is left, however this ends."""
    with private.set_aside() as folder:
        target = folder / "bundle.zip"
        pack(one.path, target)
        # what is given out is looked at, not what it was made of
        with open_bundle(target) as opened:
            if opened.digest != one.digest:
                raise BadInput(msg("changed_since_attached"), where=str(one.path))
        return target.open("rb")


class Download(StreamingResponse):
    """An open file, which is closed when all is sent, or the one who asked has gone; `held` too.

    Or when it goes too slowly: the connection is closed then, before all has come.
    """

    def __init__(self, source: BinaryIO, headers: Mapping[str, str], held: ExitStack) -> None:
        size = os.fstat(source.fileno()).st_size
        super().__init__(
            iter(lambda: source.read(_CHUNK), b""),
            media_type="application/zip",
            headers={**headers, "Content-Length": str(size)},
        )
        self._source, self._held = source, held
        self._most = _BESIDE + size / _LEAST

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._most):
                    await super().__call__(scope, receive, send)
        finally:
            self._source.close()
            self._held.close()
