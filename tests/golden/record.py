"""The golden record: what every case and every recorded capture is judged to be, and what the
collector script is for each choice of controls. A change that means to move code changes none.

A line is a name, a word or two for people, and the SHA-256 of the whole: of the finding in RFC 8785
form, or of the script's bytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import rfc8785

from collector import captures, catalog
from collector.assess import assess_host, to_json
from collector.script import collector_script
from tests import cases

HERE = Path(__file__).parent
_AT = datetime(2026, 11, 25, 4, 0, tzinfo=UTC)


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _said(document: dict[str, Any]) -> str:
    return f"{document['verdict']} {document['reason']} {_digest(rfc8785.dumps(document))}"


def case_findings() -> Iterator[str]:
    """One line for each case of a control."""
    for path in cases.case_files():
        case = cases.load(path)
        control = catalog.control(case.control)
        (found,) = assess_host(
            case.capture, [control], grade=case.grade, at=case.at, attached=case.attached
        )
        yield f"{path.relative_to(cases.HERE / 'controls')} {_said(to_json(found, case.at))}"


def capture_findings() -> Iterator[str]:
    """One line for each control and grade of each recorded capture, judged at its own time."""
    for path in sorted((cases.HERE / "captures").glob("*.capture.gz")):
        capture = captures.load(path)
        at = capture.collected_at or _AT
        for grade in catalog.GRADES:
            for found in assess_host(capture, catalog.select(grade=grade), grade=grade, at=at):
                name = f"{path.name.removesuffix(captures.SUFFIX)} {grade} {found.control}"
                yield f"{name} {_said(to_json(found, at))}"


def scripts() -> Iterator[str]:
    """One line for each choice of controls that a command can make: all, a family, a control."""
    choices: dict[str, Iterable[str]] = {"all": catalog.controls()}
    choices |= {f: [c.id for c in catalog.select([f], 3)] for f in catalog.FAMILIES}
    choices |= {id: [id] for id in catalog.controls()}
    for name, ids in choices.items():
        reads = catalog.reads_for([catalog.control(id) for id in ids])
        text = collector_script(reads.values())
        yield f"{name} {len(reads)} reads {_digest(text.encode())}"


PARTS: dict[str, Callable[[], Iterator[str]]] = {
    "cases": case_findings,
    "captures": capture_findings,
    "scripts": scripts,
}


def write(part: str) -> str:
    """Keeps what is so now; returns the name of the file."""
    path = HERE / f"{part}.txt"
    path.write_text("".join(f"{line}\n" for line in PARTS[part]()), encoding="utf-8")
    return path.name


def differences(part: str) -> list[str]:
    """What is not as it is kept, a line each: gone with `-`, new or other with `+`."""
    kept = (HERE / f"{part}.txt").read_text(encoding="utf-8").splitlines()
    now = list(PARTS[part]())
    before, after = set(kept), set(now)
    gone = [f"- {part}: {line}" for line in kept if line not in after]
    return gone + [f"+ {part}: {line}" for line in now if line not in before]
