"""A connection counts from when it is accepted to when its socket is closed.

asyncio tells a protocol of a connection of TLS only after the handshake, and takes it from the list
when it begins to close. Who never ends the one or the other would hold files that nobody counts.
"""

from __future__ import annotations

import asyncio
import resource
import socket
import ssl
from collections import Counter
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from collector.handin.senders import networks
from collector.web.serving import patience
from collector.web.serving.patience import Patient

# seconds: for a handshake of TLS, and for its end
_HANDSHAKE, _SHUTDOWN = 15.0, 3.0
# of one address, and of all: room beside those that talk for those that come and go
_OF_ONE, _OF_ALL = 2 * patience.OF_ONE, patience.OF_ALL + patience.OF_ALL // 2
_FILES = 4096


@dataclass(eq=False, slots=True)
class _Held:
    conn: socket.socket
    networks: tuple[str, ...]
    is_proxy: bool
    gone: bool = False

    @property
    def open(self) -> bool:
        return not self.gone and self.conn.fileno() != -1

    def end(self) -> None:
        """Its transport sees that nothing more comes, and closes it."""
        self.gone = True
        with suppress(OSError):
            self.conn.shutdown(socket.SHUT_RDWR)


@dataclass
class Door:
    """Who is inside; in the order in which they came."""

    held: list[_Held] = field(default_factory=list)

    def enters(self, conn: socket.socket, address: str, *, is_proxy: bool) -> bool:
        """Has it a place, if need be by the end of one that comes or goes without a word?"""
        self.held = [one for one in self.held if one.open]
        new = _Held(conn, networks(address), is_proxy)
        mine = [one for one in self.held if one.networks[0] == new.networks[0]]
        if len(mine) >= _OF_ONE and not is_proxy and not self._made(mine):
            return False
        if len(self.held) >= _OF_ALL and not self._made(self.held):
            return False
        self.held.append(new)
        return True

    def _made(self, among: Collection[_Held]) -> bool:
        """Ends the oldest of who has most of those that do not talk; of a proxy each is one."""
        talk = Patient.talking()
        quiet = [one for one in among if one.open and one.conn.fileno() not in talk]
        counts = Counter(one.networks[-1] for one in quiet)
        most = max(quiet, key=lambda o: 1 if o.is_proxy else counts[o.networks[-1]], default=None)
        if most is None:
            return False
        most.end()
        return True


class Loop(asyncio.SelectorEventLoop):
    """uvicorn gives no time for a handshake of TLS, and asyncio a minute of it."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.door = Door()

    async def create_server(self, *given: Any, **named: Any) -> asyncio.Server:
        if isinstance(named.get("ssl"), ssl.SSLContext):
            named["ssl_handshake_timeout"] = _HANDSHAKE
            named["ssl_shutdown_timeout"] = _SHUTDOWN
        made: asyncio.Server = await super().create_server(*given, **named)
        return made

    async def _accept_connection2(
        self, factory: Any, conn: socket.socket, extra: Mapping[str, Any], *given: Any, **named: Any
    ) -> None:
        """As asyncio has it in all its versions: here a connection is first heard of."""
        address = str((extra.get("peername") or ("",))[0])
        if not self.door.enters(conn, address, is_proxy=Patient.trusts(address)):
            conn.close()
            return
        await super()._accept_connection2(  # type: ignore[misc]
            factory, conn, extra, *given, **named
        )


def more_files() -> None:
    """A process has 1,024 files where nobody says otherwise; each connection is one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < _FILES:
        most = _FILES if hard == resource.RLIM_INFINITY else min(_FILES, hard)
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
