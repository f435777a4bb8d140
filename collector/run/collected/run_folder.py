"""The folder of one run: what was asked, which hosts, what has arrived. Survives a kill -9.

run.json             what this run is (schemas/run.schema.json); `ended` is null until it ended;
                     sealed by this control node, as each line of the journal is (`run.seal`)
script.sh            the collector script, as it was sent
captures/            one capture per host, each there as a whole or not at all
journal.jsonl        one line per host, appended before its capture comes into place
earlier/STARTED/     runs that ended before, moved aside
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from collector import __version__, captures, catalog, private
from collector.errors import BadInput
from collector.i18n.message import msg
from collector.model import Capture, HostStatus
from collector.run.collected import seal
from collector.run.collected.locks import idle, sole
from collector.schema import check, load_json
from collector.script import collector_script, script_digest

SCHEMA = "urn:hostpledge:schema:run:1"


@dataclass(frozen=True, slots=True)
class Arrived:
    """One line of the journal: a host whose capture is in place."""

    host: str
    status: HostStatus
    detail: str
    file: str
    sha256: str
    seconds: float
    seal: str = ""
    worker: Mapping[str, Any] | None = None


class RunFolder:
    """One run on disk. `begin` makes or resumes it; workers only `open` it.

    `begun_here`: it was this control node that began it, and not whoever handed the folder in.
    `before`: where the run that had ended here lies now, where there was one.
    """

    def __init__(self, path: Path, about: dict[str, Any], *, begun_here: bool = True) -> None:
        self.path = path
        self.about = about
        self.begun_here = begun_here
        self.before: Path | None = None

    @property
    def nonce(self) -> str:
        return str(self.about["nonce"])

    @cached_property
    def script(self) -> str:
        """As it is sent to hosts. Raises BadInput for another than the run was begun with."""
        where = self.path / "script.sh"
        text = where.read_text(encoding="utf-8", errors="replace")
        if script_digest(text) != self.about["script_sha256"]:
            raise BadInput(
                msg("run_script_another"), where=str(where), mend=msg("give_another_folder")
            )
        return text

    @classmethod
    def open(cls, path: Path) -> RunFolder:
        """An existing run; raises BadInput when there is none or its description is damaged."""
        where = path / "run.json"
        try:
            text = where.read_bytes()
        except FileNotFoundError:
            raise BadInput(msg("holds_no_run_no"), where=str(path)) from None
        about = load_json(text, where=str(where))
        check(about, "run", where=str(where))
        found = about.pop("seal", "")
        return cls(path, about, begun_here=seal.holds(found, "run", about))

    @classmethod
    def begin(cls, path: Path, families: Iterable[str], grade: int) -> RunFolder:
        """A new run in `path`, or the one that was interrupted there.

        A run that ended is moved to `earlier/`. Raises BadInput when the folder holds an
        interrupted run of other controls.
        """
        selected = catalog.select(families := tuple(families), grade)
        wanted = [f for f in catalog.FAMILIES if f in families] or list(catalog.FAMILIES)
        script = collector_script(catalog.reads_for(selected).values())
        private.folder(path)
        before: Path | None = None
        if (path / "run.json").exists():
            known = cls.open(path)
            if known.about["ended"] is None:
                known.refuse_foreign()
                if known.about["script_sha256"] != script_digest(script) or known.script != script:
                    raise BadInput(
                        msg("interrupted_run_other_controls"),
                        where=str(path),
                        mend=msg("give_same_family_grade"),
                    )
                known.mend()
                return known
            before = known.set_aside()
        (path / "captures").mkdir(mode=0o700, exist_ok=True)
        captures.write_aside(path / "script.sh", script.encode())
        folder = cls(
            path,
            {
                "schema": SCHEMA,
                "nonce": secrets.token_hex(16),
                "started": _now(),
                "ended": None,
                "families": wanted,
                "grade": grade,
                "script_sha256": script_digest(script),
                "catalog_sha256": catalog.catalog_digest(),
                "version": __version__,
                "hosts": [],
            },
        )
        folder.save()
        folder.before = before
        return folder

    def refuse_foreign(self) -> None:
        """Raises BadInput where others began it: what they wrote is neither sealed nor sent."""
        if not self.begun_here:
            raise BadInput(
                msg("interrupted_run_lies_here"),
                where=str(self.path),
                mend=msg("give_another_folder"),
            )
        for name in ("captures", "earlier", "journal.jsonl", "script.sh"):
            if (self.path / name).is_symlink():
                raise BadInput(
                    msg("link_another_special_entry"),
                    where=str(self.path / name),
                    mend=msg("give_another_folder"),
                )

    def save(self) -> None:
        self.refuse_foreign()
        about = {**self.about, "seal": seal.seal("run", self.about)}
        text = json.dumps(about, ensure_ascii=False, indent=1, sort_keys=True)
        captures.write_aside(self.path / "run.json", text.encode() + b"\n")

    def expect(self, hosts: Iterable[str]) -> None:
        """Writes down which hosts this run is about, before the first is asked."""
        known = dict.fromkeys(self.about["hosts"])
        self.about["hosts"] = list(known | dict.fromkeys(hosts))
        self.save()

    def end(self) -> None:
        self.about["ended"] = _now()
        self.save()

    def reopen(self) -> None:
        """An ended run is taken up again for the hosts that did not answer."""
        self.about["ended"] = None
        self.save()

    def set_aside(self) -> Path:
        """Moves an ended run to `earlier/`, so that a new one can begin in its place: where to."""
        name = str(self.about["started"]).replace(":", "").replace("+0000", "Z")
        place = self.path / "earlier" / name
        private.folder(place)
        left = ("earlier", "lock", "workers.lock", "run.json")
        entries = [entry for entry in self.path.iterdir() if entry.name not in left]
        # the description last: without it, what is left would belong to nothing
        for entry in [*sorted(entries), self.path / "run.json"]:
            entry.rename(place / entry.name)
        return place

    # --- what has arrived ------------------------------------------------------------------------

    def arrived(self) -> dict[str, Arrived]:
        """The last journal line of each host whose capture is really in place."""
        found: dict[str, Arrived] = {}
        for line in self._journal_lines():
            entry = Arrived(**{**line, "status": HostStatus(line["status"])})
            if (self.path / "captures" / entry.file).exists():
                found[entry.host] = entry
        return found

    def vouched(self) -> frozenset[str]:
        """The digests of the capture files that came from their hosts, in this very run."""
        if not self.begun_here:
            return frozenset()
        return frozenset(
            line["sha256"]
            for line in self._journal_lines()
            if seal.holds(line.get("seal", ""), *self._told(line))
        )

    def _told(self, line: Mapping[str, Any]) -> tuple[str, ...]:
        return ("capture", self.nonce, line["host"], line["status"], line["sha256"])

    def has(self, host: str) -> bool:
        """Is there a whole capture of this host, written down in the journal?"""
        if not self.capture_path(host).exists():
            return False
        known = self.arrived().get(host)
        return known is not None and known.status is HostStatus.COMPLETE

    def _journal_lines(self) -> Iterator[dict[str, Any]]:
        where = self.path / "journal.jsonl"
        if not where.exists():
            return
        with where.open("rb") as journal:
            for number, line in enumerate(journal, 1):
                if line.endswith(b"\n"):
                    document = load_json(line, where=f"{where} line {number}")
                    check(document, "journal", where=f"{where} line {number}")
                    yield document

    def capture_path(self, host: str) -> Path:
        return self.path / "captures" / captures.file_name(host)

    def part_path(self, host: str) -> Path:
        """Where the raw output of a host grows while it comes in."""
        name = captures.file_name(host).removesuffix(captures.SUFFIX)
        return self.path / "captures" / f"{name}.part"

    def take(self, capture: Capture, seconds: float) -> str:
        """Writes a host's capture down and puts it in place; returns the SHA-256 of the file.

        In this order: what lies here without a line of its own was put here by somebody else.
        """
        if "worker" in self.about:
            # the folder is a mesh node's: what it collects says so, before anything is signed
            capture = replace(capture, origin={**capture.origin, "worker": self.about["worker"]})
        return self.put(capture, captures.to_bytes(capture), seconds)

    def put(
        self,
        capture: Capture,
        data: bytes,
        seconds: float,
        worker: Mapping[str, Any] | None = None,
    ) -> str:
        """As `take`, of a capture whose bytes are there: they are kept as they are.

        `worker` is what the mesh node signed of it (schemas/journal.schema.json).
        """
        digest = captures.digest(data)
        self._record(capture, digest, seconds, worker)
        captures.write_aside(self.capture_path(capture.host), data)
        return digest

    def _record(
        self, capture: Capture, sha256: str, seconds: float, worker: Mapping[str, Any] | None
    ) -> None:
        """Appends one line in one write, then syncs: lines of several workers never mix."""
        line: dict[str, Any] = {
            "host": capture.host,
            "status": str(capture.status),
            "detail": capture.detail,
            "file": captures.file_name(capture.host),
            "sha256": sha256,
            "seconds": round(seconds, 3),
        }
        if worker is not None:
            line["worker"] = dict(worker)
        line["seal"] = seal.seal(*self._told(line))
        private.append(
            self.path / "journal.jsonl", json.dumps(line, ensure_ascii=False).encode() + b"\n"
        )

    def mend(self) -> None:
        """After a kill: cuts a half-written journal line, drops parts, and takes back lines of

        captures that did not come into place any more.
        """
        journal = self.path / "journal.jsonl"
        if journal.exists():
            data = journal.read_bytes()
            whole = data[: data.rfind(b"\n") + 1]
            if whole != data:
                captures.write_aside(journal, whole)
        folder = self.path / "captures"
        folder.mkdir(mode=0o700, exist_ok=True)
        # pathlib's `*` takes names that begin with a dot too: one pattern finds both kinds
        for part in [*folder.glob("*.part"), *self.path.glob(".*.part")]:
            # a bundle that was begun is a folder: the next one takes it away
            if not part.is_dir():
                part.unlink()
        self._take_back(list(self._journal_lines()))

    def _take_back(self, lines: Sequence[Mapping[str, Any]]) -> None:
        """Drops each line whose capture never came into place: one before it may hold still."""
        there: dict[str, str] = {}
        for file in {line["file"] for line in lines}:
            with suppress(FileNotFoundError):
                there[file] = captures.digest((self.path / "captures" / file).read_bytes())
        last = {line["host"]: number for number, line in enumerate(lines)}
        gone = {n for n in last.values() if there.get(lines[n]["file"]) != lines[n]["sha256"]}
        if gone:
            left = [line for number, line in enumerate(lines) if number not in gone]
            written = (json.dumps(line, ensure_ascii=False) + "\n" for line in left)
            captures.write_aside(self.path / "journal.jsonl", "".join(written).encode())

    @classmethod
    @contextmanager
    def taken(
        cls,
        path: Path,
        families: Iterable[str],
        grade: int,
        *,
        patience: float,
        retry: bool = False,
    ) -> Iterator[RunFolder]:
        """The run in `path`, begun or resumed, for this command alone.

        The locks come first: what a killed command left behind is mended only once the last of
        its workers has let go. `retry` reopens a run that ended.
        """
        with sole(path):
            with idle(path, patience):
                if retry and (path / "run.json").exists():
                    # before its first write: a seal of ours would make it ours
                    cls.open(path).reopen()
                folder = cls.begin(path, families, grade)
            yield folder


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
