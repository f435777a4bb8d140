"""How a spoiling changes a case: lines of what a read printed, files that it found, the clock."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from types import MappingProxyType

from collector.model import CapturedFile, ReadResult, ReadStatus
from tests.cases import Case

# None: nothing there that it could spoil
Spoiling = Callable[[Case], Case | None]
Lines = Callable[[list[str]], Iterable[str]]
_CATALOGUE: dict[str, Spoiling] = {}


def spoiling(make: Spoiling) -> Spoiling:
    """Puts it into the catalogue under its name."""
    _CATALOGUE[make.__name__] = make
    return make


def catalogue() -> dict[str, Spoiling]:
    """All by name, in the order in which they stand."""
    from tests.mutations import contents, instances, jobs, settings, states, times  # noqa: F401

    return dict(_CATALOGUE)


def changed(case: Case, results: Iterable[ReadResult]) -> Case | None:
    """The case with these reads; None where they are what it has."""
    reads = dict(case.capture.reads)
    for result in results:
        reads[result.id] = result
    if reads == dict(case.capture.reads):
        return None
    return replace(case, capture=replace(case.capture, reads=MappingProxyType(reads)))


def in_lines(case: Case, **by_read: Lines) -> Case | None:
    """Each read (`services__units` for services.units) with other lines, where it printed any."""
    found = []
    for name, lines in by_read.items():
        old = case.capture.read(name.replace("__", "."))
        if old.stdout:
            text = old.stdout.decode("utf-8", "surrogateescape")
            new = "".join(f"{line}\n" for line in lines(text.splitlines()))
            found.append(replace(old, stdout=new.encode("utf-8", "surrogateescape")))
    return changed(case, found)


def in_files(case: Case, make: Callable[[CapturedFile], CapturedFile], *reads: str) -> Case | None:
    """Each file of the reads (of all, where none is named) made anew; kernel files stay."""
    found = [
        replace(old, files=tuple(f if f.path.startswith("/proc/") else make(f) for f in old.files))
        for id, old in case.capture.reads.items()
        if old.files and (not reads or id in reads)
    ]
    return changed(case, found)


def text_of(case: Case, make: Callable[[str, str], str], *reads: str) -> Case | None:
    """Each file of the reads with the text that `make` makes of its path and text."""

    def anew(file: CapturedFile) -> CapturedFile:
        data = make(file.path, file.data.decode("utf-8", "surrogateescape"))
        raw = data.encode("utf-8", "surrogateescape")
        return replace(file, data=raw, size=len(raw))

    return in_files(case, anew, *reads)


def with_file(case: Case, read: str, path: str, text: str, mode: int = 0o644) -> Case | None:
    """One file more in a read that found some."""
    old = case.capture.read(read)
    if old.status is not ReadStatus.OK or not old.files:
        return None
    data = text.encode()
    file = CapturedFile(path, ReadStatus.OK, mode, 0, 0, len(data), old.files[0].mtime, data)
    return changed(case, [replace(old, files=(*old.files, file))])


def both(*spoilings: Spoiling) -> Spoiling:
    """One after the other, as far as each finds something."""

    def made(case: Case) -> Case | None:
        left: Case | None = None
        for one in spoilings:
            left = one(left or case) or left
        return left

    return made
