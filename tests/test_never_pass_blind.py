"""No control passes without what it must see.

In each passing case each read of the control is taken away in turn: lost, refused, timed out, cut
off in the middle; then it answers with nothing at all; then each single file of it is refused or
cut off. The verdict must no longer be `pass`. Where it may stay one, `blind.yml` beside the cases
says why, for each case by name: a new case, or a judge that looks away, does not slip in unnoticed.

    not_needed:                      # a read, or `read path` of one file in it
      - why: asked only where the kernel gives no answer
        of:
          - reads: [platform.init]
            cases: [auditd_running]  # or `except: […]`: in all passing cases but these
    empty_is_an_answer:              # the same of reads that end well and print nothing

An entry that is no longer true fails too. `python -m tests.blind CONTROL` prints what is missing,
to be looked at: each line is a way to a `pass` with closed eyes until its reason is written down.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import pytest

from collector import catalog
from collector.assess import assess_host
from collector.model import Control, ReadResult, ReadStatus, Result
from collector.schema import load_yaml
from tests import cases

_BLIND = (ReadStatus.LOST, ReadStatus.REFUSED, ReadStatus.TIMEOUT, ReadStatus.TRUNCATED)
_PASSING = [p for p in cases.case_files() if p.name.endswith(".pass.yml")]


def _name(path: Path) -> str:
    return f"{path.parent.parent.name}.{path.parent.name}/{path.name.removesuffix('.pass.yml')}"


def _blinded(old: ReadResult) -> Iterator[tuple[str, ReadResult]]:
    """The read taken away in each way; the name is its id, or the id and the path of one file."""
    half = replace(old, stdout=old.stdout[: len(old.stdout) // 2], files=old.files[1:])
    for status in _BLIND:
        left = half if status is ReadStatus.TRUNCATED else ReadResult(old.id, status)
        yield old.id, replace(left, status=status)
    for at, file in enumerate(old.files):
        for gone in (
            replace(file, status=ReadStatus.REFUSED, data=b""),
            replace(file, status=ReadStatus.TRUNCATED, data=file.data[: len(file.data) // 2]),
        ):
            yield (
                f"{old.id} {file.path}",
                replace(old, files=(*old.files[:at], gone, *old.files[at + 1 :])),
            )


def _passes(case: cases.Case, control: Control, result: ReadResult) -> bool:
    reads = MappingProxyType({**case.capture.reads, result.id: result})
    (found,) = assess_host(
        replace(case.capture, reads=reads),
        [control],
        grade=case.grade,
        at=case.at,
        attached=case.attached,
    )
    assert found.reason != "judge_failed", found.message.en
    return found.result is Result.PASS


def _allowed(kind: str, path: Path) -> set[str]:
    """What is excused in this case: a read, or `read path` of one file in it."""
    case = path.name.removesuffix(".pass.yml")
    beside = path.parent / "blind.yml"
    text = beside.read_text(encoding="utf-8") if beside.exists() else "{}"
    return {
        read
        for excuse in load_yaml(text, where=str(beside)).get(kind, ())
        for entry in excuse["of"]
        if excuse["why"]
        and (case in entry["cases"] if "cases" in entry else case not in entry["except"])
        for read in entry["reads"]
    }


def passes_without(path: Path) -> set[str]:
    """The reads, and the files of reads, without which the case still passes."""
    case = cases.load(path)
    control = catalog.control(case.control)
    kept = {
        name
        for id in catalog.reads_for([control])
        for name, result in _blinded(case.capture.read(id))
        if _passes(case, control, result)
    }
    # a read that is not needed as a whole is not needed in its parts
    return {name for name in kept if " " not in name or name.partition(" ")[0] not in kept}


def passes_on_nothing(path: Path, left_out: set[str]) -> set[str]:
    """The reads that may end well and print nothing while the case still passes."""
    case = cases.load(path)
    control = catalog.control(case.control)
    kept = set()
    for id in set(catalog.reads_for([control])) - left_out:
        old, empty = case.capture.read(id), ReadResult(id, ReadStatus.OK)
        if (old.status, old.stdout, old.files) != (empty.status, empty.stdout, empty.files):
            kept |= {id} if _passes(case, control, empty) else set()
    return kept


@pytest.mark.parametrize("path", _PASSING, ids=_name)
def test_no_pass_without_its_reads(path: Path) -> None:
    kept = passes_without(path)
    allowed = _allowed("not_needed", path)
    assert kept - allowed == set(), "it passes blind: mend it, or say why in blind.yml"
    assert allowed - kept == set(), "needed after all: the excuse is out of date"


@pytest.mark.parametrize("path", _PASSING, ids=_name)
def test_no_pass_on_an_empty_answer(path: Path) -> None:
    """A read that ends well and prints nothing is no proof of anything that it would show."""
    kept = passes_on_nothing(path, _allowed("not_needed", path))
    allowed = _allowed("empty_is_an_answer", path)
    assert kept - allowed == set(), "it passes on nothing: mend it, or say why in blind.yml"
    assert allowed - kept == set(), "nothing does not do: the excuse is out of date"


@pytest.mark.parametrize("path", _PASSING, ids=_name)
def test_no_pass_for_another_user_than_root(path: Path) -> None:
    """Every read that wants root is refused, and what only root may read with it."""
    case = cases.load(path)
    control = catalog.control(case.control)
    reads = dict(case.capture.reads)
    for id, read in catalog.reads_for([control]).items():
        if read.privileged:
            reads[id] = ReadResult(id, ReadStatus.REFUSED)
        elif id in reads:
            files = tuple(
                replace(f, status=ReadStatus.REFUSED, data=b"") if not f.mode & 0o004 else f
                for f in reads[id].files
            )
            reads[id] = replace(reads[id], files=files)
    plain = replace(case.capture, head={**case.capture.head, "uid": "1000"}, reads=reads)
    (found,) = assess_host(plain, [control], grade=case.grade, at=case.at, attached=case.attached)
    needed = {id for id, read in catalog.reads_for([control]).items() if read.privileged}
    needed -= _allowed("not_needed", path)
    assert not needed or found.result is not Result.PASS, needed
