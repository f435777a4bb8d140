"""Where a command may write: every place that a user names for an output goes through here."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from collector.cli.ui.language import tr
from collector.errors import BadInput
from collector.resources import home_place

_REGISTER = "register.sqlite"
_BESIDE = ("", "-wal", "-shm", "-journal")


def check_output(
    target: Path, *inputs: Path | str | None, location: str | None = None, anew: bool = False
) -> None:
    """Raises BadInput, before any work, where what is written would take the place of what is kept

    (keys, the register, the store of its bundles) or is read (`inputs`: files, or whole folders).
    An earlier output of the same name may be replaced, but no bundle is written into, unless by
    what makes `anew` and sees itself that nothing is there.
    """
    mend = tr("请换一个位置", "name another place")
    for place in _kept(location):
        if _within(target, place):
            raise BadInput(
                tr(
                    "属于 hostpledge 自己的数据（密钥、登记库或其证据包），不在此写入",
                    "belongs to what hostpledge keeps (keys, the register, its bundles): nothing "
                    "is written there",
                ),
                where=str(target),
                mend=mend,
            )
    for given in inputs:
        if given is not None and _within(target, Path(given)):
            raise BadInput(
                tr(
                    f"就是所读取的 {given}，或在其中，不会覆盖",
                    f"is what is read, or lies in it ({given}): it is not overwritten",
                ),
                where=str(target),
                mend=mend,
            )
    for place in (*(() if anew else (target,)), *target.absolute().parents):
        if (place / "bagit.txt").is_file():
            raise BadInput(
                tr(
                    f"是证据包，或在证据包 {place} 之内：写入后将不能通过核验",
                    f"is a bundle, or lies in one ({place}): it would not verify any more",
                ),
                where=str(target),
                mend=mend,
            )


def output_folder(output: Path | None, location: str | None) -> Path:
    """That of a run: the one that was given, as `check_output` has it, or one of its own."""
    place = output or Path(f"hostpledge-{datetime.now(UTC):%Y%m%dT%H%M%SZ}")
    check_output(place, location=location)
    return place


def _kept(location: str | None) -> Iterator[Path]:
    home = home_place()
    yield home / "keys"
    yield home / "bundles"
    yield home / "collecting.key"
    yield home / "register.key"
    named = location or os.environ.get("HOSTPLEDGE_REGISTER") or ""
    if "://" in named:
        name = named.partition("://")[2]
        if not named.startswith("sqlite") or not name:
            return
        named = name[1:]
    path = Path(named) if named else home / _REGISTER
    path = path / _REGISTER if path.is_dir() else path
    for end in _BESIDE:
        yield path.with_name(path.name + end)
    yield path.parent / "bundles"


def _within(target: Path, place: Path) -> bool:
    """Is it that place, or inside of it, by whichever name, link or spelling?"""
    with suppress(OSError, RuntimeError):
        real = target.resolve()
        named = target.absolute().parent.resolve()
        if place.resolve() in (real, named / target.name):
            return True
        for one in (real, *real.parents, named, *named.parents):
            if one.exists() and place.exists() and one.samefile(place):
                return True
        if place.is_dir() and target.is_file() and target.stat().st_nlink > 1:
            return any(one.is_file() and one.samefile(target) for one in place.rglob("*"))
    return False
