"""A bundle, opened: every byte is accounted for, but no signature has been checked yet."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from collector import captures
from collector.attest.bundle import bag, evidence, redacted
from collector.attest.bundle.making import attached_file, bag_info, own_form
from collector.attest.bundle.part import BEFORE, HARDENING
from collector.attest.bundle.reading import Evidence
from collector.attest.envelope import dsse as envelope
from collector.attest.envelope import statement
from collector.attest.keys import age, sm2
from collector.attest.trust.trust_file import Trust
from collector.captures import digest as sha256
from collector.errors import BadInput, VerifyFailed
from collector.i18n.message import msg, of_system
from collector.model import Capture
from collector.verify.archive import MOST_BYTES, unpack
from collector.verify.before import Before
from collector.verify.scratch import Scratch

_ENVELOPE = f"data/{envelope.FILE}"
_TWIN = f"data/{envelope.TWIN}"


class Bundle:
    """What a bundle holds. Made by `open_bundle`; close it, or use it in a `with`."""

    def __init__(self, path: Path, root: Path, temporary: Scratch | None = None) -> None:
        self.path = path
        self._root = root
        self._temporary = temporary
        self.payload = bag.look(root)
        bag.check_payload(root, self.payload)
        if _ENVELOPE not in self.payload.digests:
            raise VerifyFailed(msg("is_missing"), where=_ENVELOPE)
        self.sealed = envelope.unseal(bag.read(root / _ENVELOPE, _ENVELOPE), where=_ENVELOPE)
        self.statement = statement.from_bytes(self.sealed.payload, where=_ENVELOPE)
        self.subjects = statement.subjects(self.statement)
        self.digest = sha256(self.sealed.payload)
        self.redacted = redacted.is_redacted(bag.read(root / "bag-info.txt", "bag-info.txt"))
        left_out = {redacted.LEFT_OUT: redacted.CAPTURES} if self.redacted else {}
        bag.check_tags(root, self.payload, self.info | left_out)
        self._check_subjects()
        self.twin = self._beside()
        self.findings = Evidence(root / "data" / evidence.FILE)
        self.before = self._earlier()

    def _check_subjects(self) -> None:
        """Subjects and files, both ways: nothing unsigned lies in a bundle, nothing is gone."""
        for name, digest in self.subjects.items():
            found = self.payload.digests.get(f"data/{name}")
            if self.redacted and name.startswith(redacted.FOLDERS):
                if found is not None:
                    raise VerifyFailed(msg("stands_bundle_without_captures"), where=f"data/{name}")
                continue
            if found is None:
                raise VerifyFailed(msg("missing_statement_names"), where=f"data/{name}")
            if found != digest:
                raise VerifyFailed(msg("not_signed"), where=f"data/{name}")
        for name in self.payload.digests:
            if name not in (_ENVELOPE, _TWIN) and name.removeprefix("data/") not in self.subjects:
                raise VerifyFailed(msg("not_among_signed"), where=name)
        if evidence.FILE not in self.subjects:
            raise VerifyFailed(msg("not_among_signed"), where=f"data/{evidence.FILE}")

    def _beside(self) -> envelope.Sealed | None:
        """The SM2 signature, if the statement names one: over the same, with SM3 digests."""
        named = self.statement["predicate"].get("sm2")
        if (named is None) is (_TWIN in self.payload.digests):
            said = msg("missing_statement_names") if named else msg("named_no_statement")
            raise VerifyFailed(said, where=_TWIN)
        if named is None:
            return None
        found = envelope.unseal(bag.read(self._root / _TWIN, _TWIN), where=_TWIN, sm2=True)
        if found.keyid != named:
            raise VerifyFailed(msg("statement_names", keyid=found.keyid, named=named), where=_TWIN)
        told = statement.from_bytes(found.payload, where=_TWIN, sm3=True)
        if statement.without_sm3(told) != self.sealed.payload:
            raise VerifyFailed(msg("another_statement", envelope=_ENVELOPE), where=_TWIN)
        for name, digest in statement.subjects(told, "sm3").items():
            if f"data/{name}" not in self.payload.digests:
                continue
            if sm2.file_digest(self._root / "data" / name) != digest:
                raise VerifyFailed(msg("names_another_sm3_digest", name=name), where=_TWIN)
        return found

    def _earlier(self) -> Before | None:
        """The check before hardening, if the statement speaks of one."""
        said = self.said.get("before")
        if said is None:
            return None
        for name in (f"{BEFORE}{evidence.FILE}", HARDENING):
            if name not in self.subjects:
                raise VerifyFailed(msg("not_among_signed"), where=f"data/{name}")
        return Before(self._root, self.subjects, said, self.capture_in)

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
        if self.before is not None:
            self.before.close()
        if self._temporary is not None:
            self._temporary.close()

    @property
    def root(self) -> Path:
        """The folder that holds it, or to which it was unpacked."""
        return self._root

    @property
    def info(self) -> dict[str, str]:
        """What its bag-info.txt says, beside its size, when it is whole."""
        return bag_info(self.sealed.payload, self.statement["predicate"]["tool"]["version"])

    @property
    def keyid(self) -> str:
        """Whose signature the envelope claims; `verify` says whether it is."""
        return self.sealed.keyid

    @property
    def said(self) -> dict[str, Any]:
        """What the signed statement says of its subjects."""
        found: dict[str, Any] = self.statement["predicate"]
        return found

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
        if self.redacted:
            raise BadInput(
                msg("redacted_bundle_captures_left"),
                where=str(self.path),
                mend=msg("ask_maker_whole_one"),
            )
        data = self._read(name)
        if not own_form(data):
            raise VerifyFailed(msg("not_capture_hostpledge_s"), where=f"data/{name}")
        try:
            capture = captures.from_bytes(data, where=f"data/{name}")
        except BadInput as problem:
            raise VerifyFailed(problem.what, where=problem.where) from None
        if capture.host != host:
            raise VerifyFailed(
                msg("capture_not", host=capture.host, host_2=host), where=f"data/{name}"
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
            raise VerifyFailed(msg("not_among_signed"), where=f"data/{name}")
        try:
            with (self._root / "data" / name).open("rb") as source:
                data = source.read(captures.LARGEST + 1)
        except OSError as problem:
            raise VerifyFailed(of_system(problem, "is_missing"), where=f"data/{name}") from None
        if sha256(data) != self.subjects[name]:
            raise VerifyFailed(msg("not_signed"), where=f"data/{name}")
        return data


def open_bundle(path: Path, identities: Sequence[Any] = (), trust: Trust | None = None) -> Bundle:
    """Opens a bundle: a folder, a ZIP file, or one that is encrypted to one of `identities`.

    Raises BadInput where there is none, or none that can be decrypted, and VerifyFailed, naming
    the file inside, where a byte of it is not what it must be. Whether the signature is any good
    says `verify`; with `trust`, what nobody in it signed is not even unpacked.
    """
    # os.path asks of a name that can be none without complaint
    if os.path.isdir(path):  # noqa: PTH112
        return Bundle(path, path)
    if not os.path.exists(path):  # noqa: PTH110
        raise BadInput(msg("no_such_bundle"), where=str(path))
    temporary = Scratch()
    try:
        archive = path
        if age.is_encrypted(path):
            archive = temporary.path / "bundle.zip"
            age.decrypt(path, archive, identities, MOST_BYTES)
        place = temporary.path / "bundle"
        place.mkdir(mode=0o700)
        found = unpack(archive, place, where=str(path), trust=trust)
        if archive != path:
            archive.unlink()
        return Bundle(path, found, temporary)
    except BaseException:
        temporary.close()
        raise
