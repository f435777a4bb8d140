"""The kill switch, the time window, and that only one command probes at a time from here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, time, timedelta
from fcntl import LOCK_EX
from pathlib import Path

from collector import private
from collector.errors import BadInput
from collector.i18n.message import msg
from collector.resources import home, home_place
from collector.run.collected.locks import lock

STOP = "probe.stop"
ON_HOST = ("/run/hostpledge-probe.stop", "/etc/hostpledge/probe.stop")
_WINDOW = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)-([01]?\d|2[0-4]):([0-5]\d)")


def place() -> Path:
    """The file that stops every probe from this control node, while it is there."""
    return home_place() / STOP


def stopped() -> Path | None:
    """That file, where it is there. One that cannot be looked for counts as there."""
    try:
        place().lstat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError:
        pass
    return place()


def stop() -> Path:
    """Stops probes from now on, those at work as well before their next act."""
    home()
    if stopped() is None:
        private.write_aside(place(), f"{datetime.now().astimezone().isoformat()}\n".encode())
    return place()


def go_on() -> bool:
    """Takes it back; was there anything to take back?"""
    was = stopped() is not None
    place().unlink(missing_ok=True)
    return was


def until(window: str, now: datetime, *, ahead: bool = False) -> datetime | None:
    """When the window `HH:MM-HH:MM` (of this machine's time) that we are in ends.

    None where there is none. Raises BadInput outside of it, unless what is to be done is only
    looked at `ahead`, and for what is no window. `now` is aware.
    """
    if not window:
        return None
    found = _WINDOW.fullmatch(window.strip())
    if found is None or (found[3] == "24" and found[4] != "00"):
        raise BadInput(msg("probe_no_window", window=window), where="--window")
    hour, minute, last, last_minute = map(int, found.groups())
    begin = time(hour, minute)
    length = timedelta(hours=last - hour, minutes=last_minute - minute)
    if not length:
        raise BadInput(msg("probe_no_window", window=window), where="--window")
    if length < timedelta(0):
        length += timedelta(days=1)
    for days in (0, 1, *((-1,) if ahead else ())):
        start = datetime.combine(now.date() - timedelta(days), begin, now.tzinfo)
        if start <= now < start + length or (ahead and now < start):
            return start + length
    raise BadInput(
        msg("probe_outside_window", window=window, now=f"{now:%H:%M}"), where="--window",
        mend=msg("probe_wait_window"),
    )  # fmt: skip


@contextmanager
def alone() -> Iterator[None]:
    """Two commands at once from one control node would ring each other's alarms."""
    with lock(home() / "probe.lock", LOCK_EX) as taken:
        if not taken:
            raise BadInput(msg("probe_another_works"), where=str(home()), mend=msg("wait_for_it"))
        yield
