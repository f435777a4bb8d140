"""The real logrotate, run on a fake calendar over sections of a configuration.

A log is written to once a day (or hour); what each old file holds is known by its own lines. For
how many days a record was still there, counted to the run before it was missed, is what is
measured; the fewest of all is what the section keeps.
"""

from __future__ import annotations

import bz2
import gzip
import os
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from collector.facts.logs.logrotate.config import Kept, Logrotate, kept
from collector.facts.logs.logrotate.directives import Rotation, Version
from collector.facts.logs.logrotate.parser import Reader
from collector.model import CapturedFile, ReadStatus
from tests.facts.rotation_cases import Case

_START = datetime(2010, 8, 28, tzinfo=UTC)
_LONG_PAST = datetime(2020, 1, 1, tzinfo=UTC).timestamp()


class NotHere(Exception):
    """logrotate or libfaketime is not installed."""


@dataclass
class Watched:
    """One case on disk. `held` has a bit for each step whose record is still there."""

    case: Case
    folder: Path
    log: Path
    held: int = 0
    fewest: int | None = None
    seen: dict[tuple[int, int, int], int] = field(default_factory=dict)
    known: tuple[int, ...] = ()

    @property
    def packs(self) -> bool:
        """Whether there are compressed old files."""
        return any(f.suffix in (".gz", ".bz2") for d in self.folders() for f in d.iterdir())

    def signature(self) -> tuple[int, ...]:
        try:
            log = self.log.stat()
            here: tuple[int, ...] = (log.st_ino, log.st_size)
        except FileNotFoundError:
            here = ()
        return (*(f.stat().st_mtime_ns for f in self.folders()), *here)

    def folders(self) -> list[Path]:
        return [f for f in (self.folder, self.folder / "OLD", self.folder / "old") if f.is_dir()]


@dataclass(frozen=True)
class Measured:
    """`real`: the fewest days kept, None where nothing was ever lost. `said`: with the growth

    told, `blind`: without it.
    """

    case: Case
    real: int | None
    said: Kept
    blind: Kept


@dataclass(frozen=True)
class Calendar:
    """`days` in all; a log is written to each `step` days, and each so many of these is a run.

    What is written in the first days, `before`, does not count: a log that begins in the middle of
    an interval may lose its first records earlier than any others.
    """

    days: int
    step: float = 1.0
    runs_each: int = 1
    before: float = 31

    @property
    def every(self) -> float:
        return self.step * self.runs_each


def programs() -> tuple[str, str]:
    logrotate = shutil.which("logrotate", path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
    fake = next((str(p) for p in Path("/usr/lib").glob("*/faketime/libfaketime.so.1")), None)
    if logrotate is None or fake is None:
        raise NotHere
    return logrotate, fake


def version_of(program: str) -> Version:
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    word = (said.stdout + said.stderr).split()[1]
    return tuple(int(n) for n in word.split("."))


def measured(
    cases: Iterable[Case], calendar: Calendar, folder: Path, program: str = ""
) -> dict[str, Measured]:
    """Each case foretold, and as it really went. Raises NotHere."""
    logrotate, fake = programs()
    logrotate = program or logrotate
    version = version_of(logrotate)
    watched = [_made(case, folder) for case in cases if _understood(case, version)]
    configs = {folder / "logrotate.conf": "".join(_section(w) for w in watched)}
    configs |= {w.folder.with_suffix(".conf"): _whole(w) for w in watched if w.case.whole}
    said: dict[str, Rotation | None] = {}
    for config, text in configs.items():
        config.write_text(text)
        config.chmod(0o644)
        said |= _owners(config, [w for w in watched if str(w.folder) + "/" in text], version)
    environment = {
        "LD_PRELOAD": fake,
        "FAKETIME_DISABLE_SHM": "1",
        "NO_FAKE_STAT": "1",
        "TZ": "UTC",
        "PATH": "/usr/bin:/bin",
    }
    for step in range(int(calendar.days / calendar.step)):
        now = _START + timedelta(days=step * calendar.step, minutes=10)
        for config in configs if step % calendar.runs_each == 0 else ():
            subprocess.run(
                [logrotate, "-m", "/bin/true", "-s", config.with_suffix(".state"), config],
                env={**environment, "FAKETIME": f"@{now:%Y-%m-%d %H:%M:%S}"},
                capture_output=True,
                check=False,
            )
        for one in watched:
            if step % calendar.runs_each == 0:
                _look(one, step, now.timestamp(), calendar)
            _write(one, step, now, calendar)
    return {w.case.name: _measured(w, said[w.case.name], calendar) for w in watched}


def _measured(one: Watched, owner: Rotation | None, calendar: Calendar) -> Measured:
    if owner is None:
        return Measured(one.case, one.fewest, Kept(None), Kept(None))
    rate = one.case.rate / calendar.step
    return Measured(
        one.case,
        one.fewest,
        kept(owner, calendar.every, rate, packs=one.packs),
        kept(owner, calendar.every, packs=one.packs),
    )


def _made(case: Case, folder: Path) -> Watched:
    own = folder / case.name
    own.mkdir()
    if "OLD" in case.body:
        (own / "OLD").mkdir()
    return Watched(case, own, own / f"{case.name}.log")


def _section(one: Watched) -> str:
    if one.case.whole:
        return ""
    body = one.case.body.replace("OLD", str(one.folder / "OLD"))
    return f"{one.folder}/{one.case.log.format(name=one.case.name)} {{\n{body}\nmissingok\n}}\n"


def _whole(one: Watched) -> str:
    return one.case.whole.replace("LOG", str(one.log)).replace("{\n", "{\nmissingok\n")


def _understood(case: Case, version: Version) -> bool:
    """Old versions refuse some sections."""
    if case.whole:
        return version >= (3, 21)
    # 3.8 knows no createolddir, and a long dateformat makes it break off before it writes its state
    if version < (3, 9) and ("createolddir" in case.body or "%S" in case.body):
        return False
    data = f"/var/log/x {{\n{case.body}\n}}\n".encode()
    return not _read("/etc/logrotate.conf", data, version).problems


def _owners(config: Path, watched: list[Watched], version: Version) -> dict[str, Rotation | None]:
    """By the name of the case the section that has its log."""
    logs = [str(w.log) for w in watched]
    reader = _read(str(config), config.read_bytes(), version, logs)
    known = Logrotate(True, tuple(reader.rotations), tuple(reader.problems), version=version)
    owners = known.owners(logs)
    found = {}
    for one in watched:
        owner = owners.get(str(one.log))
        found[one.case.name] = owner if isinstance(owner, Rotation) else None
    return found


def _read(path: str, data: bytes, version: Version, logs: Iterable[str] = ()) -> Reader:
    file = CapturedFile(path, ReadStatus.OK, 0o644, 0, 0, data=data)
    reader = Reader({path: file}, version, logs)
    reader.config(path, Rotation(version=version))
    return reader


def _look(one: Watched, step: int, now: float, calendar: Calendar) -> None:
    """What a run has left of the records."""
    if one.signature() == one.known:
        return
    here, seen = 0, {}
    for folder in one.folders():
        for entry in os.scandir(folder):
            if not entry.is_file():
                continue
            at = entry.stat()
            if at.st_mtime > _LONG_PAST:  # made by this run: the kernel's clock is no fake
                os.utime(entry.path, (now, now))
                at = os.stat(entry.path)
            key = (at.st_ino, at.st_mtime_ns, at.st_size)
            if key not in one.seen:
                one.seen[key] = _steps(Path(entry.path))
            seen[key] = one.seen[key]
            here |= seen[key]
    one.seen = seen
    lost = one.held & ~here
    if lost >> int(calendar.before / calendar.step):
        days = int((step - lost.bit_length()) * calendar.step + 1e-6)
        one.fewest = days if one.fewest is None else min(one.fewest, days)
    one.held = here


def _steps(path: Path) -> int:
    """A bit for each step that is written down in the file."""
    data = path.read_bytes()
    if data[:2] == b"\x1f\x8b":
        data = gzip.decompress(data)
    elif data[:3] == b"BZh":
        data = bz2.decompress(data)
    bits = 0
    for line in data.split(b"\n"):
        if line:
            bits |= 1 << int(line[:9])
    return bits


def _write(one: Watched, step: int, now: datetime, calendar: Calendar) -> None:
    if not one.case.until or step <= one.case.until:
        with one.log.open("ab") as out:
            out.write(b"%09d" % step + b" " * (one.case.rate - 10) + b"\n")
        later = (now + timedelta(days=calendar.step / 2)).timestamp()
        os.utime(one.log, (later, later))
        one.held |= 1 << step
    one.known = one.signature()


def wrong(found: Iterable[Measured], calendar: Calendar, need: int = 184) -> list[str]:
    """Where what was foretold is not what happened; empty if nowhere."""
    return [line for one in found for line in _wrong(one, calendar, need)]


def _wrong(one: Measured, calendar: Calendar, need: int) -> list[str]:
    case, real, said, blind = one.case, one.real, one.said, one.blind
    where = f"{case.name}: {' '.join(case.body.split())}: really {real}"
    lines = []
    most = float("inf") if real is None else real
    for name, kept_ in (("told the growth", said), ("blind", blind)):
        sure = kept_.least if kept_.known else kept_.surely
        short = sure is not None and sure > most and sure < calendar.days - 40
        if short or (sure is None and real is not None):
            lines.append(f"{where}, {name}: surely {sure}")
        top = None if kept_.known or case.until else kept_.least
        seen = real is not None or (top is not None and top < calendar.days - 40)
        if top is not None and most > top and seen:
            lines.append(f"{where}, {name}: at most {top}")
    if case.until:
        return lines
    if not said.known:
        return [*lines, *([] if said.reason == case.open else [f"{where}: {said.reason}"])]
    if case.open:
        return lines
    late = said.least is not None and said.least >= calendar.days - 40
    if said.least is None or real is None:
        return [*lines, *([] if said.least == real or late else [f"{where}: {said.least}"])]
    if abs(said.least - real) > 1 or (said.least >= need) != (real >= need):
        lines.append(f"{where}: {said.least}")
    return lines
