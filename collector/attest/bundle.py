"""Makes a bundle: a BagIt folder with evidence, captures and one signature over all of it.

data/evidence.json            what was found (RFC 8785)
data/bundle.sigstore.json     the signed statement: DSSE in a Sigstore bundle v0.3
data/captures/…               what each host returned, from which everything else follows
data/attached/…               documents of the pledge record that judges used
data/script.sh                the collector script that ran
"""

from __future__ import annotations

import glob
import hashlib
import os
import secrets
import shutil
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from fcntl import LOCK_EX, LOCK_NB, flock
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

from collector import captures
from collector.assess import assess_host
from collector.attest import bag, envelope, evidence, statement
from collector.attest.evidence import PledgeReference
from collector.attest.keys import PrivateKey
from collector.attest.nonce import check_nonce
from collector.attest.reading import Evidence
from collector.captures import sync_folder
from collector.errors import BadInput, VerifyFailed
from collector.model import Capture, Control, Finding, Waiver
from collector.script import script_digest

__all__ = ["Made", "PledgeReference", "make", "pack", "pack_into"]

_NOTHING: Mapping[str, bytes] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Made:
    """A bundle in its place. `digest` is the SHA-256 (hex) of the signed statement."""

    path: Path
    digest: str
    keyid: str
    hosts: int
    clauses: Mapping[str, Any]

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
    script: str | None = None,
    attached: Mapping[str, bytes] = _NOTHING,
    waivers: Sequence[Waiver] = (),
    pledge: PledgeReference | None = None,
) -> Made:
    """Judges the captures one by one and puts the bundle in its place, whole or not at all.

    `at` (aware) is the time to judge for, by default each host's time of collection; `run` the
    content of run.json; `script` the text that ran. Raises BadInput for no captures, two of one
    host, a run with hosts that have none, and an `out` that exists.
    """
    if not capture_files:
        raise BadInput("no captures", where=str(out), mend="collect some first")
    if not controls:
        raise BadInput("no controls selected", where=str(out))
    if os.path.lexists(out):
        raise BadInput("exists already", where=str(out), mend="choose another place")
    with _aside(out) as aside:
        data = aside / "data"
        (data / "captures").mkdir(parents=True)
        draft = evidence.Draft(controls, aside)
        try:
            judged = partial(
                assess_host, controls=controls, grade=grade, attached=attached, waivers=waivers
            )
            subjects = _hosts(draft, data, capture_files, run=run, at=at, judged=judged)
            _no_host_forgotten(draft, run, out)
            subjects |= _documents(data, attached, script)
            frame = draft.frame(
                grade=grade,
                run=run,
                pledge=pledge,
                waivers=waivers,
                attached={n: captures.digest(content) for n, content in attached.items()},
            )
            with (data / evidence.FILE).open("xb") as target:
                draft.write(target, frame)
                target.flush()
                os.fsync(target.fileno())
            period, hosts = draft.period, len(draft.hosts)
        finally:
            draft.close()
        subjects[evidence.FILE] = bag.file_digest(data / evidence.FILE)
        payload = statement.to_bytes(subjects, statement.predicate(frame, period, hosts))
        bag.store(data / envelope.FILE, envelope.seal(payload, key))
        bag.seal(aside, bag_info(payload, frame["tool"]["version"]))
        for folder in {path.parent for path in data.rglob("*")}:
            sync_folder(folder)
        _place(aside, out)
    return Made(out, captures.digest(payload), key.keyid, hosts, frame["clauses"])


@contextmanager
def _aside(out: Path) -> Iterator[Path]:
    """A new folder beside `out`, which goes away again unless it is renamed.

    What a killed process left behind for the same `out` goes away too: it holds no lock any more.
    """
    prefix = f".{out.name[:100]}."
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        for left in out.parent.glob(f"{glob.escape(prefix)}*.part"):
            if left.is_dir() and not left.is_symlink():
                with _lock(left) as idle:
                    if idle:
                        shutil.rmtree(left, ignore_errors=True)
        aside = out.parent / f"{prefix}{secrets.token_hex(8)}.part"
        aside.mkdir(mode=0o700)
    except OSError as problem:
        raise BadInput(problem.strerror or "cannot be written", where=str(out.parent)) from None
    try:
        with _lock(aside):
            yield aside
    finally:
        shutil.rmtree(aside, ignore_errors=True)


@contextmanager
def _lock(folder: Path) -> Iterator[bool]:
    """Holds a lock on a folder, if it can be had at once; yields whether."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            flock(handle, LOCK_EX | LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(handle)


def _hosts(
    draft: evidence.Draft,
    data: Path,
    capture_files: Iterable[Path],
    *,
    run: Mapping[str, Any] | None,
    at: datetime | None,
    judged: Callable[..., list[Finding]],
) -> dict[str, str]:
    subjects: dict[str, str] = {}
    for path in capture_files:
        capture, stored = take_in(path)
        draft.expect(capture.host, str(path))
        if at is None:
            captures.check_time(capture, datetime.now(UTC).replace(microsecond=0), str(path))
        if run is not None:
            _of_this_run(capture, str(run["nonce"]), path)
        name = f"captures/{captures.file_name(capture.host)}"
        bag.store(data / name, stored)
        subjects[name] = captures.digest(stored)
        moment = evidence.assessed_at(capture, at)
        draft.add(capture, name, subjects[name], judged(capture, at=moment), moment)
    return subjects


def take_in(path: Path) -> tuple[Capture, bytes]:
    """A capture file and the bytes that a bundle keeps of it.

    Our own form is kept byte for byte; the plain output of the collector script becomes our
    form, with the digest of what was handed in.
    """
    try:
        with path.open("rb") as source:
            data = source.read(captures.LARGEST + 1)
    except OSError as problem:
        raise BadInput(problem.strerror or "cannot be read", where=str(path)) from None
    capture = captures.from_bytes(data, where=str(path))
    if own_form(data):
        return capture, data
    origin = {"transport": "handed-in", "output_sha256": captures.digest(data)}
    capture = replace(capture, origin=MappingProxyType(origin))
    return capture, captures.to_bytes(capture)


def own_form(data: bytes) -> bool:
    """Is it a capture file of hostpledge, rather than the script's plain output?"""
    try:
        return data[:2] == b"\x1f\x8b" and zlib.decompressobj(31).decompress(data, 1) == b"{"
    except zlib.error:
        return False


def _of_this_run(capture: Capture, nonce: str, path: Path) -> None:
    try:
        check_nonce(capture, nonce)
    except VerifyFailed as problem:
        raise BadInput(problem.what, where=str(path), mend="bundle each run by itself") from None


def _no_host_forgotten(draft: evidence.Draft, run: Mapping[str, Any] | None, out: Path) -> None:
    missing = sorted(set(run["hosts"]) - set(draft.hosts)) if run is not None else []
    if missing:
        shown = ", ".join(missing[:5]) + (" …" if len(missing) > 5 else "")
        raise BadInput(
            f"{len(missing)} hosts of the run have no capture: {shown}",
            where=str(out),
            mend="resume the run: a host that does not answer is written down too",
        )


def _documents(data: Path, attached: Mapping[str, bytes], text: str | None) -> dict[str, str]:
    subjects: dict[str, str] = {}
    if attached:
        (data / "attached").mkdir()
    for name, content in attached.items():
        file = f"attached/{attached_file(name)}"
        bag.store(data / file, content)
        subjects[file] = captures.digest(content)
    if text is not None:
        bag.store(data / "script.sh", text.encode())
        subjects["script.sh"] = script_digest(text)
    return subjects


def _place(aside: Path, out: Path) -> None:
    try:
        aside.rename(out)
    except OSError as problem:
        raise BadInput(problem.strerror or "cannot be written", where=str(out)) from None
    sync_folder(out.parent)


def pack(folder: Path, target: Path) -> None:
    """A bundle as a new ZIP file, for transport; the same bundle gives the same bytes."""
    names = sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())
    with target.open("xb") as out:
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
            for name in names:
                entry = zipfile.ZipInfo(name)
                entry.external_attr = 0o644 << 16
                entry.compress_type = zipfile.ZIP_DEFLATED
                if name.endswith(captures.SUFFIX):
                    entry.compress_type = zipfile.ZIP_STORED
                entry.file_size = (folder / name).stat().st_size
                with (folder / name).open("rb") as source, archive.open(entry, "w") as member:
                    shutil.copyfileobj(source, member, 1 << 20)
        out.flush()
        os.fsync(out.fileno())


def pack_into(folder: Path, target: Path) -> None:
    """As `pack`, whole or not at all, and never over another file."""
    aside = target.with_name(f".{target.name}.{secrets.token_hex(8)}.part")
    try:
        pack(folder, aside)
        os.link(aside, target)
    except OSError as problem:
        raise BadInput(problem.strerror or "cannot be written", where=str(target)) from None
    finally:
        aside.unlink(missing_ok=True)
    sync_folder(target.parent)
