"""Makes a bundle: a BagIt folder with evidence, captures and one signature over all of it.

data/evidence.json            what was found (RFC 8785)
data/bundle.sigstore.json     the signed statement: DSSE in a Sigstore bundle v0.3
data/bundle.sm2.json          the same statement with SM3 digests, signed with SM2, where wanted
data/captures/…               what each host returned, from which everything else follows
data/attached/…               documents of the pledge record that judges used
data/script.sh                the collector script that ran
data/before/…, hardening.json where hosts were hardened: the check before, and what was done
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

from collector import captures, private
from collector.attest.bundle import bag, container, evidence
from collector.attest.bundle.evidence import PledgeReference
from collector.attest.bundle.part import Asked, Before, before_into, judge_into
from collector.attest.bundle.reading import Evidence
from collector.attest.envelope import dsse as envelope
from collector.attest.envelope import statement
from collector.attest.keys import sm2
from collector.attest.keys.keys import PrivateKey
from collector.captures import own_form, sync_folder
from collector.errors import BadInput
from collector.i18n.message import msg, of_system
from collector.model import Control, Waiver
from collector.scope import Scope, of_evidence

__all__ = ["Before", "Made", "PledgeReference", "make", "own_form", "pack", "pack_into"]

_NOTHING: Mapping[str, bytes] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Made:
    """A bundle in its place. `digest` is the SHA-256 (hex) of the signed statement."""

    path: Path
    digest: str
    keyid: str
    hosts: int
    clauses: Mapping[str, Any]
    scope: Scope

    @property
    def evidence(self) -> dict[str, Any]:
        """The whole of evidence.json, read anew: as large in memory as the fleet is."""
        found = Evidence(self.path / "data" / evidence.FILE)
        try:
            return found.whole()
        finally:
            found.close()


def attached_file(name: str) -> str:
    """The file name, under data/attached/, of an attached document of any name."""
    return captures.file_name(name).removesuffix(captures.SUFFIX)


def bag_info(payload: bytes, version: str) -> dict[str, str]:
    """What bag-info.txt says; `payload` is the signed statement."""
    return {
        "Bag-Software-Agent": f"hostpledge {version}",
        "External-Description": "Evidence of hostpledge; verify with `hostpledge verify`",
        "External-Identifier": f"sha256:{hashlib.sha256(payload).hexdigest()}",
    }


def make(
    capture_files: Sequence[Path],
    out: Path,
    key: PrivateKey,
    *,
    controls: Sequence[Control],
    grade: int,
    at: datetime | None = None,
    run: Mapping[str, Any] | None = None,
    collected: Collection[str] = (),
    script: str | None = None,
    attached: Mapping[str, bytes] = _NOTHING,
    waivers: Sequence[Waiver] = (),
    pledge: PledgeReference | None = None,
    stamps: Sequence[envelope.Stamper] = (),
    sm2_key: PrivateKey | None = None,
    before: Before | None = None,
    declared: Sequence[str] = (),
) -> Made:
    """Judges the captures one by one and puts the bundle in its place, whole or not at all.

    `at` (aware) is the time to judge for, by default each host's time of collection; `run` the
    content of run.json, `collected` as `part.judge_into` has it; `script` the text that ran;
    `stamps` as `envelope.seal` has them; with
    `sm2_key` a second signature stands beside the first; with `before`, this is the check after
    hardening, and both are in the bundle; `declared` are the hosts that the pledge record names:
    where one has no capture, no clause is proven. Raises BadInput for no captures, two of one
    host, a run with hosts that have none, and an `out` that exists.
    """
    _check_asked(capture_files, controls, out)
    with _aside(out) as aside:
        data = aside / "data"
        private.folder(data)
        asked = Asked(controls, grade, at, attached, waivers, pledge, declared)
        checked = judge_into(
            data, capture_files, asked, run=run, script=script, out=out, collected=collected
        )
        subjects = {**checked.subjects, **_documents(data, attached)}
        earlier = before_into(data, before, asked, out) if before is not None else None
        if earlier is not None:
            subjects |= earlier.subjects
        beside = sm2_key.keyid if sm2_key else None
        predicate = statement.predicate(
            checked.frame,
            checked.period,
            checked.targets,
            beside,
            earlier.to_json() if earlier else None,
            checked.handed_in,
            checked.workers,
        )
        payload = statement.to_bytes(subjects, predicate)
        _sign(data, payload, subjects, key, sm2_key, stamps)
        bag.seal(aside, bag_info(payload, checked.frame["tool"]["version"]))
        for folder in {path.parent for path in data.rglob("*")}:
            sync_folder(folder)
        _place(aside, out)
    digest, scope = captures.digest(payload), of_evidence(checked.frame)
    return Made(out, digest, key.keyid, checked.hosts, checked.frame["clauses"], scope)


def _check_asked(capture_files: Sequence[Path], controls: Sequence[Control], out: Path) -> None:
    if not capture_files:
        raise BadInput(msg("no_captures"), where=str(out), mend=msg("collect_some_first"))
    if not controls:
        raise BadInput(msg("no_controls_selected"), where=str(out))
    if os.path.lexists(out):
        raise BadInput(msg("exists_already"), where=str(out), mend=msg("choose_another_place"))


def _sign(
    data: Path,
    payload: bytes,
    subjects: Collection[str],
    key: PrivateKey,
    sm2_key: PrivateKey | None,
    stamps: Sequence[envelope.Stamper],
) -> None:
    bag.store(data / envelope.FILE, envelope.seal(payload, key, stamps))
    if sm2_key is not None:
        twin = statement.with_sm3(payload, {n: sm2.file_digest(data / n) for n in subjects})
        bag.store(data / envelope.TWIN, envelope.seal(twin, sm2_key, stamps))


@contextmanager
def _aside(out: Path) -> Iterator[Path]:
    """Where to make a folder that is to become `out`: it goes away again unless it is renamed."""
    with ExitStack() as stack:
        try:
            private.folder(out.parent)
            folder = stack.enter_context(private.set_aside(private.BESIDE, out.parent))
        except OSError as problem:
            raise BadInput(of_system(problem, "cannot_written"), where=str(out.parent)) from None
        yield folder / "bundle"


def _documents(data: Path, attached: Mapping[str, bytes]) -> dict[str, str]:
    subjects: dict[str, str] = {}
    if attached:
        private.folder(data / "attached")
    for name, content in attached.items():
        file = f"attached/{attached_file(name)}"
        if file.lower() in map(str.lower, subjects):
            raise BadInput(
                msg("two_attached_documents_differ"),
                where=name,
                mend=msg("rename_one_them"),
            )
        bag.store(data / file, content)
        subjects[file] = captures.digest(content)
    return subjects


def _place(aside: Path, out: Path) -> None:
    try:
        aside.rename(out)
    except OSError as problem:
        raise BadInput(of_system(problem, "cannot_written"), where=str(out)) from None
    sync_folder(out.parent)


def place(make: Callable[[Path], object], target: Path) -> None:
    """A bundle as a new folder, whole or not at all: `make` is given where to make it first."""
    with _aside(target) as made:
        make(made)
        for path in made.rglob("*"):
            if path.is_dir():
                sync_folder(path)
            else:
                with path.open("rb") as file:
                    os.fsync(file.fileno())
        sync_folder(made)
        _place(made, target)


def pack(folder: Path, target: Path) -> None:
    """A bundle as a new ZIP file, for transport, in its one form (ADR 21)."""
    names = sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())
    with private.create(target) as out:
        writer = container.Writer(out)
        for name in names:
            with (folder / name).open("rb") as source:
                size = os.fstat(source.fileno()).st_size
                writer.add(name, size, source, pack=packs(name))
        writer.close()
        out.flush()
        os.fsync(out.fileno())


def packs(name: str) -> bool:
    """Is a file packed, or stored as it is?"""
    # what people attach may pack better than a reader takes from a stranger
    return not (name.endswith(captures.SUFFIX) or name.startswith("data/attached/"))


def pack_into(folder: Path, target: Path) -> None:
    """As `pack`, whole or not at all, and never over another file."""
    try:
        with private.set_aside(private.BESIDE, target.parent) as aside:
            pack(folder, aside / "bundle.zip")
            os.link(aside / "bundle.zip", target)
    except OSError as problem:
        raise BadInput(of_system(problem, "cannot_written"), where=str(target)) from None
    sync_folder(target.parent)
