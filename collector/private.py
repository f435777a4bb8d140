"""Files and folders for their owner alone, and files that appear whole or not at all.

What hostpledge writes shows how hosts are guarded, and where not. So whatever is made, is made with
its mode: it is never open to others first and closed to them afterwards, whatever the umask is.
"""

from __future__ import annotations

import errno
import io
import os
import re
import secrets
import shutil
import stat
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from fcntl import LOCK_EX, LOCK_NB, flock
from io import BufferedReader
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import IO, TYPE_CHECKING

from collector.errors import BadInput
from collector.i18n.message import msg

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

OWNER, PUBLIC = 0o600, 0o644
_FOLDER = 0o700
_OTHERS = 0o077
_ASIDE = 60
_LOCK = ".held"
# seconds after which nobody is just making a folder that holds nothing
_BARE = 60
# of folders for what is of customers, while a command needs it
ASIDE = "hostpledge-aside-"
# of folders beside what is made in them, on its own file system: from there it gets its name
BESIDE = f".{ASIDE}"
_PART = re.compile(r"\.(.+)\.([1-9][0-9]*)\.[0-9a-f]{8}\.part", re.DOTALL)
# by folder and name what was left there when this process first wrote into it
_LEFT: dict[Path, dict[str, list[tuple[str, int]]]] = {}
_STARTED_WITH = re.compile(r"/dev/stdin|(/dev/fd|/proc/(self|thread-self|\d+)/fd)/\d+")


def create(path: Path, mode: int = OWNER) -> IO[bytes]:
    """A new file, open for writing; raises FileExistsError where something is there."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    handle = os.open(path, flags, mode & ~_OTHERS)
    if mode & _OTHERS:
        os.fchmod(handle, mode)
    return writer(handle, path)


class _Named(io.FileIO):
    """Says which file could not be written: of a full disk the system does not tell."""

    def __init__(self, handle: int, path: Path) -> None:
        super().__init__(handle, "wb")
        self._path = path

    def write(self, data: ReadableBuffer, /) -> int:
        try:
            return super().write(data)
        except OSError as problem:
            problem.filename = str(self._path)
            raise


def writer(handle: int, path: Path) -> IO[bytes]:
    """What is written into the open file `path`."""
    return io.BufferedWriter(_Named(handle, path))


def folder(path: Path) -> Path:
    """Makes a folder, and those that it lies in, where they are missing; returns it."""
    for missing in reversed([path, *path.parents]):
        if not missing.is_dir():
            missing.mkdir(mode=_FOLDER, exist_ok=True)
    return path


def write_aside(path: Path, data: bytes, mode: int = OWNER) -> None:
    """A file appears whole or not at all, also across a power cut, and with just this mode.

    Raises BadInput for a device or a pipe: it would be replaced, not written to.
    """
    refuse_special(path)
    aside = beside(path)
    try:
        with create(aside, mode) as out:
            hold_file(out)
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
        aside.replace(path)
    except BaseException as problem:
        aside.unlink(missing_ok=True)
        if isinstance(problem, OSError):
            problem.filename = str(path)
            problem.filename2 = None
        raise
    sync_folder(path.parent)


def hold_file(out: IO[bytes]) -> None:
    """What somebody holds is no leftover, also where its process cannot be seen from here."""
    # a file system without locks is no reason not to write
    with suppress(OSError):
        flock(out, LOCK_EX | LOCK_NB)


def _sweep(path: Path) -> None:
    """What a killed command left of this file goes: its process is gone, and nobody holds it."""
    for name, process in _left(path.parent, path.name[:_ASIDE]):
        # nothing of this is worth that the file itself is not written
        with suppress(OSError, OverflowError):
            if _runs(process):
                continue
            left = path.with_name(name)
            handle = os.open(left, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            try:
                if stat.S_ISREG(os.fstat(handle).st_mode):
                    flock(handle, LOCK_EX | LOCK_NB)
                    left.unlink()
            finally:
                os.close(handle)


def _left(folder: Path, name: str) -> list[tuple[str, int]]:
    if folder not in _LEFT:
        # once for each folder: a run writes thousands of files into one
        found: dict[str, list[tuple[str, int]]] = {}
        with suppress(OSError):
            for one in folder.iterdir():
                if (parts := _PART.fullmatch(one.name)) is not None:
                    found.setdefault(parts[1], []).append((one.name, int(parts[2])))
        _LEFT[folder] = found
    return _LEFT[folder].pop(name, [])


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def append(path: Path, line: bytes, *, most: int = 0, kept: int = 0) -> None:
    """Adds a line to a file that several processes write to: the whole of it, or nothing.

    With `most`, one that would become larger is put aside first as `path.1`, and so on to `kept`.
    """
    if most:
        _put_aside(path, len(line), most, kept)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, OWNER)
    try:
        flock(handle, LOCK_EX)
        before = os.fstat(handle).st_size
        try:
            if os.write(handle, line) < len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fsync(handle)
        except OSError as problem:
            # a full disk takes a part of it, and the next line would go on from there
            os.ftruncate(handle, before)
            problem.filename = str(path)
            raise
    finally:
        os.close(handle)


def _put_aside(path: Path, more: int, most: int, kept: int) -> None:
    def is_full() -> bool:
        return path.exists() and path.stat().st_size + more > most

    if not is_full():
        return
    # each lock is of a file that is never renamed
    beside = path.with_name(f".{path.name}.lock")
    lock = os.open(beside, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, OWNER)
    try:
        flock(lock, LOCK_EX)
        if is_full():
            RotatingFileHandler(path, maxBytes=most, backupCount=kept, delay=True).doRollover()
    finally:
        os.close(lock)


def beside(path: Path) -> Path:
    """A name beside `path` that nothing has: what is written there is renamed when it is whole.

    What a killed command left of the same file goes away.
    """
    _sweep(path)
    return path.with_name(f".{path.name[:_ASIDE]}.{os.getpid()}.{secrets.token_hex(4)}.part")


def refuse_special(path: Path) -> None:
    """Raises BadInput where `path` is there and is neither a file nor a folder."""
    if path.exists() and not path.is_file() and not path.is_dir():
        raise BadInput(msg("device_pipe_not_file"), where=str(path), mend=msg("name_file"))


def opened(path: Path) -> BufferedReader:
    """A file that somebody named, open for reading; raises BadInput for a pipe, device or socket.

    Opening a pipe would wait for its other end, and reading a device might never end. What this
    process was started with is open already: /dev/stdin, and what a shell puts for `<(…)`.
    """
    if _STARTED_WITH.fullmatch(os.fspath(path)):
        return path.open("rb")
    _refuse(path.stat().st_mode, path)
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    try:
        # another may have taken its place meanwhile
        _refuse(os.fstat(handle).st_mode, path)
        return open(handle, "rb")
    except BaseException:
        os.close(handle)
        raise


def _refuse(mode: int, path: Path) -> None:
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(mode):
        raise BadInput(msg("device_pipe_not_file"), where=str(path), mend=msg("name_file"))


def sync_folder(path: Path) -> None:
    """Makes a rename inside the folder `path` durable."""
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def copy_tree(
    source: Path, target: Path, ignore: Callable[[str, list[str]], list[str]] | None = None
) -> None:
    """A new copy of a folder, for its owner alone, whoever may read the one it is of."""
    names = sorted(path.name for path in source.iterdir())
    left_out = set(ignore(str(source), names)) if ignore else set()
    target.mkdir(mode=_FOLDER)
    for name in names:
        if name in left_out:
            continue
        if (source / name).is_dir():
            copy_tree(source / name, target / name, ignore)
        else:
            with (source / name).open("rb") as inside, create(target / name) as out:
                shutil.copyfileobj(inside, out, 1 << 20)


def is_there(path: Path) -> bool:
    """Raises OSError where that cannot be told: `exists` takes that for a no."""
    try:
        path.lstat()
    except FileNotFoundError:
        return False
    return True


def others_may_read(path: Path) -> bool:
    """Is `path` there, and open to others than its owner?"""
    return path.exists() and bool(path.stat().st_mode & _OTHERS)


def hold(folder: Path) -> int:
    """Holds `folder` until the handle that is returned is closed, or its process has ended.

    A command that is killed cannot take away what it has in the temporary place: the next one does.
    A process number would not tell it what is held, where both are in different PID namespaces.
    """
    # the lock has its name only once it is held: another command may look at any time
    made = folder / f"{_LOCK}.made"
    handle = os.open(made, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    flock(handle, LOCK_EX)
    made.rename(folder / _LOCK)
    return handle


@contextmanager
def set_aside(prefix: str = ASIDE, within: Path | None = None) -> Iterator[Path]:
    """A folder of mode 0700 in the temporary place, or `within` another, gone afterwards.

    What killed commands left behind of that name goes first.
    """
    sweep(prefix, within)
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=within))
    try:
        lock = hold(folder)
        try:
            yield folder
        finally:
            # as long as it is held nobody else takes it away
            shutil.rmtree(folder, ignore_errors=True)
            os.close(lock)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def sweep(prefix: str = ASIDE, within: Path | None = None) -> None:
    """Takes away what killed commands left behind of `set_aside`."""
    for left in left_behind(prefix, within):
        shutil.rmtree(left, ignore_errors=True)


def left_behind(prefix: str, within: Path | None = None) -> Iterator[Path]:
    """This user's folders of that name that nobody holds any more: each is held while it is told.

    A folder that somebody is just making has no lock yet, and is not told; one whose maker was
    killed before there was any goes a while later.
    """
    for folder in (within or Path(tempfile.gettempdir())).glob(f"{prefix}*"):
        with suppress(OSError):
            about = folder.lstat()
            if about.st_uid != os.geteuid() or not stat.S_ISDIR(about.st_mode):
                continue
            try:
                handle = os.open(folder / _LOCK, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
            except FileNotFoundError:
                if time.time() - about.st_mtime > _BARE:
                    folder.rmdir()
                continue
            try:
                flock(handle, LOCK_EX | LOCK_NB)
                yield folder
            finally:
                os.close(handle)
