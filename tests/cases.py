"""Cases of controls: one YAML file holds the reads of one host, the verdict stands in its name.

    tests/controls/<family>/<name>/<case>.<verdict>.yml

`source` says where the content was seen. `base` names a recorded capture of `tests/captures/`
on which `reads` are laid; `added` are lines that go behind those that the read of the base printed.
A read that neither holds is `lost`. `expect` must hold the reason, and may hold a part of the
English message.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from collector import captures, catalog
from collector.facts.tls.probe import OUTSIDE
from collector.model import Capture, CapturedFile, HostStatus, ReadResult, ReadStatus, Result
from collector.schema import load_yaml

HERE = Path(__file__).parent
AT = datetime(2026, 11, 25, 4, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Case:
    control: str
    path: Path
    result: Result
    grade: int
    at: datetime
    expect: dict[str, str]
    capture: Capture
    attached: dict[str, bytes]


def case_files(control: str | None = None) -> list[Path]:
    """All case files, or those of one control."""
    place = control.replace(".", "/") if control else "*/*"
    return sorted((HERE / "controls").glob(f"{place}/*.*.yml"))


def load(path: Path) -> Case:
    document: dict[str, Any] = load_yaml(path.read_text(encoding="utf-8"), where=str(path))
    unknown = set(document) - {
        "source", "base", "grade", "at", "reads", "expect", "status", "detail", "head", "origin",
        "attached",
    }  # fmt: skip
    assert not unknown, f"{path}: unknown keys {unknown}"
    assert document["source"], f"{path}: say where the content was seen"
    at = datetime.fromisoformat(document["at"]) if "at" in document else AT
    reads: dict[str, ReadResult] = {}
    head: dict[str, str] = {"uid": "0"}
    if "base" in document:
        base = captures.load(HERE / "captures" / f"{document['base']}.capture.gz")
        reads.update(base.reads)
        head.update(base.head)
    for id, entry in (document.get("reads") or {}).items():
        assert id in catalog.all_reads() or id == OUTSIDE, f"{path}: no read is named {id}"
        reads[id] = _result(id, entry or {}, reads.get(id))
    return Case(
        control=f"{path.parent.parent.name}.{path.parent.name}",
        path=path,
        result=Result(path.name.split(".")[-2]),
        grade=document.get("grade", 2),
        at=at,
        expect=document["expect"],
        capture=Capture(
            "case",
            HostStatus(document.get("status", "complete")),
            detail=document.get("detail", ""),
            head=head | (document.get("head") or {}),
            origin=document.get("origin") or {},
            collected_at=at,
            reads=reads,
        ),
        attached={k: v.encode() for k, v in (document.get("attached") or {}).items()},
    )


def _result(id: str, entry: dict[str, Any], base: ReadResult | None) -> ReadResult:
    if "added" in entry:
        assert base is not None and set(entry) == {"added"}, f"{id}: added to what?"
        printed, mark, _ = base.stdout.partition(b"== end\n")
        return replace(base, stdout=printed + _data(entry, "added") + mark)
    found = tuple(
        CapturedFile(
            file["path"],
            ReadStatus(file.get("status", "ok")),
            int(str(file.get("mode", "0644")), 8),
            file.get("uid", 0),
            file.get("gid", 0),
            file.get("size", len(_data(file, "data"))),
            file.get("mtime", 1_764_000_000),
            _data(file, "data"),
        )
        for file in entry.get("files", ())
    )
    rc = entry.get("rc", 0)
    status = entry.get("status", "ok" if rc == 0 else "exit")
    return ReadResult(
        id, ReadStatus(status), rc, 0, _data(entry, "stdout"), entry.get("stderr", ""), found
    )


def _data(entry: dict[str, Any], name: str) -> bytes:
    """NAME as text, or NAME_hex as bytes."""
    if f"{name}_hex" in entry:
        return bytes.fromhex(entry[f"{name}_hex"])
    return str(entry.get(name, "")).encode()
