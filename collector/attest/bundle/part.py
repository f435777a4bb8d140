"""One check inside a bundle: its captures, their findings, the script that ran.

A bundle holds one, right under data/; after hardening it holds two: the check before lies under
data/before/, with the same names there.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import rfc8785

from collector import captures, private
from collector.attest.bundle import bag, evidence, provenance
from collector.attest.bundle.evidence import PledgeReference
from collector.attest.bundle.nonce import check_nonce
from collector.errors import BadInput, VerifyFailed
from collector.i18n.message import msg
from collector.judging.hosts import Judging, in_order
from collector.model import Capture, Control, Waiver
from collector.schema import check
from collector.script import script_digest

BEFORE = "before/"
HARDENING = "hardening.json"
SCRIPT = "script.sh"


@dataclass(frozen=True, slots=True)
class Asked:
    """What is judged, and by what: the same for each check in a bundle.

    `declared` are the hosts that the pledge record names.
    """

    controls: Sequence[Control]
    grade: int
    at: datetime | None
    attached: Mapping[str, bytes]
    waivers: Sequence[Waiver]
    pledge: PledgeReference | None
    declared: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Before:
    """The check before hardening, and what hardening did (schemas/hardening.schema.json).

    `collected` as `judge_into` has it.
    """

    capture_files: Sequence[Path]
    run: Mapping[str, Any]
    script: str
    hardening: Mapping[str, Any]
    collected: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """A check in its place. `subjects` are paths under data/ → SHA-256 (hex).

    `targets` are its hosts, each as `evidence.target` has it; `handed_in` of them were not
    collected from; `workers` are the mesh nodes that collected from others (`provenance.workers`).
    """

    subjects: Mapping[str, str]
    frame: Mapping[str, Any]
    period: tuple[str, str]
    targets: Sequence[Mapping[str, Any]]
    handed_in: int = 0
    workers: Sequence[Mapping[str, Any]] = ()

    @property
    def hosts(self) -> int:
        return len(self.targets)

    def to_json(self) -> dict[str, Any]:
        """What a statement says of the check before hardening."""
        return {
            "run": self.frame["run"]["nonce"],
            "period": {"from": self.period[0], "to": self.period[1]},
            "hosts": self.hosts,
            "clauses": {n: clause["verdict"] for n, clause in self.frame["clauses"].items()},
        }


def judge_into(
    data: Path,
    capture_files: Sequence[Path],
    asked: Asked,
    *,
    run: Mapping[str, Any] | None,
    script: str | None,
    out: Path,
    collected: Collection[str] = (),
    prefix: str = "",
) -> Part:
    """Judges the captures one by one and writes all of the check under `data`/`prefix`.

    `collected` are the digests (SHA-256) of the capture files that the run itself vouches for:
    any other was handed in. `out` is where the bundle will stand. Raises BadInput for two captures
    of one host, and for a run with hosts that have none.
    """
    place = data / prefix
    private.folder(place / "captures")
    draft = evidence.Draft(asked.controls, place)
    judged = partial(
        Judging,
        controls=asked.controls,
        grade=asked.grade,
        attached=asked.attached,
        waivers=asked.waivers,
    )
    try:
        taken = _taken_in(
            draft, place, capture_files, run=run, collected=collected, at=asked.at, judged=judged
        )
        subjects: dict[str, str] = {}
        for (capture, name, digest, moment), findings in in_order(taken):
            subjects[name] = digest
            draft.add(capture, name, digest, findings, moment)
        _no_host_forgotten(draft, run, out)
        frame = draft.frame(
            grade=asked.grade,
            run=run,
            pledge=asked.pledge,
            waivers=asked.waivers,
            attached={n: captures.digest(content) for n, content in asked.attached.items()},
            declared=asked.declared,
        )
        with private.create(place / evidence.FILE) as target:
            draft.write(target, frame)
            target.flush()
            os.fsync(target.fileno())
        period, targets = draft.period, draft.targets
        handed_in = sum(not provenance.is_collected(o, run) for o in draft.origins)
        workers = provenance.workers(draft.origins, run)
    finally:
        draft.close()
    subjects[evidence.FILE] = bag.file_digest(place / evidence.FILE)
    if script is not None:
        bag.store(place / SCRIPT, script.encode())
        subjects[SCRIPT] = script_digest(script)
    subjects = {f"{prefix}{n}": d for n, d in subjects.items()}
    return Part(subjects, frame, period, targets, handed_in, workers)


def before_into(data: Path, before: Before, asked: Asked, out: Path) -> Part:
    """Writes the check before hardening, and the record of what was done, under `data`."""
    found = judge_into(
        data,
        before.capture_files,
        asked,
        run=before.run,
        script=before.script,
        out=out,
        collected=before.collected,
        prefix=BEFORE,
    )
    document = evidence.exact(dict(before.hardening))
    check(document, "hardening", where=HARDENING)
    stored = rfc8785.dumps(document)
    bag.store(data / HARDENING, stored)
    return replace(found, subjects={**found.subjects, HARDENING: captures.digest(stored)})


def _taken_in(
    draft: evidence.Draft,
    place: Path,
    capture_files: Iterable[Path],
    *,
    run: Mapping[str, Any] | None,
    collected: Collection[str],
    at: datetime | None,
    judged: Callable[..., Judging],
) -> Iterator[tuple[tuple[Capture, str, str, datetime], Judging]]:
    """Each capture with its name, its digest and the time it is judged for, and its judging."""
    for path in capture_files:
        capture, stored = take_in(path, collected if run is not None else ())
        draft.expect(capture.host, str(path))
        # whatever time it is judged for: nobody would accept a look that is later than its signing
        now = datetime.now(UTC).replace(microsecond=0)
        captures.check_time(capture, now, str(path), msg("leave_host_out_or_collect"))
        if run is not None:
            _of_this_run(capture, str(run["nonce"]), path)
        name = f"captures/{captures.file_name(capture.host)}"
        bag.store(place / name, stored)
        moment = evidence.assessed_at(capture, at)
        yield (capture, name, captures.digest(stored), moment), judged(capture, at=moment)


def take_in(path: Path, collected: Collection[str] = ()) -> tuple[Capture, bytes]:
    """A capture file and the bytes that a bundle keeps of it.

    One whose digest is among `collected` is kept byte for byte. Any other is what somebody handed
    in, and is kept as that (`provenance.handed_in`), with the digest of what it was.
    """
    data = captures.read_at_most(path, captures.LARGEST)
    sha256 = captures.digest(data)
    capture = captures.from_bytes(data, where=str(path))
    if captures.own_form(data):
        if sha256 in collected:
            return capture, data
        handed = provenance.handed_in(capture, sha256)
        if handed == capture:
            return capture, data
    else:
        handed = replace(capture, origin=provenance.of_output(sha256))
    stored = captures.to_bytes(handed)
    return captures.from_bytes(stored, where=str(path)), stored


def _of_this_run(capture: Capture, nonce: str, path: Path) -> None:
    try:
        check_nonce(capture, nonce)
    except VerifyFailed as problem:
        raise BadInput(problem.what, where=str(path), mend=msg("bundle_each_run_itself")) from None


def _no_host_forgotten(draft: evidence.Draft, run: Mapping[str, Any] | None, out: Path) -> None:
    missing = sorted(set(run["hosts"]) - set(draft.hosts)) if run is not None else []
    if missing:
        shown = ", ".join(missing[:5]) + (" …" if len(missing) > 5 else "")
        raise BadInput(
            msg("hosts_run_no_capture", count=len(missing), shown=shown),
            where=str(out),
            mend=msg("resume_run_host_not"),
        )
