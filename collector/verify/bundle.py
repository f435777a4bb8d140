"""A bundle, opened: every byte is accounted for, but no signature has been checked yet."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from collector import captures
from collector.attest import bag, envelope, evidence, statement
from collector.attest.bundle import attached_file, bag_info, own_form
from collector.attest.reading import Evidence
from collector.captures import digest as sha256
from collector.errors import BadInput, VerifyFailed
from collector.model import Capture
from collector.verify.archive import unpack

_ENVELOPE = f"data/{envelope.FILE}"


class Bundle:
    """What a bundle holds. Made by `open_bundle`; close it, or use it in a `with`."""

    def __init__(self, path: Path, root: Path, temporary: Path | None = None) -> None:
        self.path = path
        self._root = root
        self._temporary = temporary
        self.payload = bag.look(root)
        bag.check_payload(root, self.payload)
        if _ENVELOPE not in self.payload.digests:
            raise VerifyFailed("is missing", where=_ENVELOPE)
        self.sealed = envelope.unseal(bag.read(root / _ENVELOPE, _ENVELOPE), where=_ENVELOPE)
        self.statement = statement.from_bytes(self.sealed.payload, where=_ENVELOPE)
        self.subjects = statement.subjects(self.statement)
        self.digest = sha256(self.sealed.payload)
        version = self.statement["predicate"]["tool"]["version"]
        bag.check_tags(root, self.payload, bag_info(self.sealed.payload, version))
        self._check_subjects()
        self.findings = Evidence(root / "data" / evidence.FILE)

    def _check_subjects(self) -> None:
        """Subjects and files, both ways: nothing unsigned lies in a bundle, nothing is gone."""
        for name, digest in self.subjects.items():
            found = self.payload.digests.get(f"data/{name}")
            if found is None:
                raise VerifyFailed("is missing, and the statement names it", where=f"data/{name}")
            if found != digest:
                raise VerifyFailed("is not what was signed", where=f"data/{name}")
        for name in self.payload.digests:
            if name != _ENVELOPE and name.removeprefix("data/") not in self.subjects:
                raise VerifyFailed("is not among what was signed", where=name)
        if evidence.FILE not in self.subjects:
            raise VerifyFailed("is not among what was signed", where=f"data/{evidence.FILE}")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        self.findings.close()
        if self._temporary is not None:
            shutil.rmtree(self._temporary, ignore_errors=True)

    @property
    def keyid(self) -> str:
        """Whose signature the envelope claims; `verify` says whether it is."""
        return self.sealed.keyid

    @property
    def frame(self) -> dict[str, Any]:
        """evidence.json without its hosts."""
        return self.findings.frame

    @property
    def names(self) -> tuple[str, ...]:
        """The hosts."""
        return self.findings.names

    def host(self, name: str) -> dict[str, Any]:
        """What evidence.json says of one host."""
        return self.findings.host(name)

    def hosts(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """What evidence.json says of each host, one at a time."""
        return self.findings.hosts()

    @cached_property
    def evidence(self) -> dict[str, Any]:
        """The whole of evidence.json; for large fleets go through `hosts()` instead."""
        return self.findings.whole()

    def capture(self, host: str) -> Capture:
        """The capture of one host; raises BadInput when there is no such host."""
        return self.capture_in(host, self.host(host))

    def capture_in(self, host: str, entry: dict[str, Any]) -> Capture:
        """As `capture`, for an entry of evidence.json that is at hand."""
        name = entry["capture"]
        data = self._read(name)
        if not own_form(data):
            raise VerifyFailed("not a capture in hostpledge's form", where=f"data/{name}")
        try:
            capture = captures.from_bytes(data, where=f"data/{name}")
        except BadInput as problem:
            raise VerifyFailed(problem.what, where=problem.where) from None
        if capture.host != host:
            raise VerifyFailed(
                f"the capture of {capture.host}, not of {host}", where=f"data/{name}"
            )
        return capture

    @cached_property
    def attached(self) -> dict[str, bytes]:
        """The attached documents by name."""
        return {
            entry["name"]: self._read(f"attached/{attached_file(entry['name'])}")
            for entry in self.frame["attached"]
        }

    @property
    def script(self) -> str | None:
        """The collector script that ran, where it is in the bundle."""
        if "script.sh" not in self.subjects:
            return None
        return self._read("script.sh").decode("utf-8", "replace")

    def _read(self, name: str) -> bytes:
        """A subject's bytes, held to their digest once more: the file may have changed since."""
        if name not in self.subjects:
            raise VerifyFailed("is not among what was signed", where=f"data/{name}")
        try:
            data = (self._root / "data" / name).read_bytes()
        except OSError as problem:
            raise VerifyFailed(problem.strerror or "is missing", where=f"data/{name}") from None
        if sha256(data) != self.subjects[name]:
            raise VerifyFailed("is not what was signed", where=f"data/{name}")
        return data


def open_bundle(path: Path) -> Bundle:
    """Opens a bundle: a folder, or a ZIP file.

    Raises BadInput where there is none, and VerifyFailed, naming the file inside, where a byte
    of it is not what it must be. Whether the signature is any good says `verify`.
    """
    if path.is_dir():
        return Bundle(path, path)
    if not path.exists():
        raise BadInput("no such bundle", where=str(path))
    temporary = Path(tempfile.mkdtemp(prefix="hostpledge-"))
    try:
        return Bundle(path, unpack(path, temporary), temporary)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
