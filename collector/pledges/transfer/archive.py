"""A pledge as one ZIP: the record in all its versions, its evidence, and digests over all of it.

`sha256sum -c manifest-sha256.txt` checks what was unpacked. The record is whole, not masked.
"""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

from collector.captures import refuse_special, sync_folder
from collector.errors import BadInput, escaped
from collector.i18n.message import msg
from collector.pledges.database.rows import Evidence, Version
from collector.pledges.record.form import PledgeRecord
from collector.pledges.record.voiding import voided
from collector.pledges.register.register import Register
from collector.pledges.standing.found_now import lives_at
from collector.pledges.status.findings import to_json
from collector.private import beside, create, hold_file

_CHUNK = 1024 * 1024
# the earliest time a ZIP can hold: the same content gives the same archive
_TIME = (1980, 1, 1, 0, 0, 0)
_NOTHING: Mapping[str, bytes] = MappingProxyType({})


def write(
    register: Register,
    id: str,
    target: Path,
    proofs: Mapping[str, bytes] = _NOTHING,
    *,
    now: datetime | None = None,
) -> int:
    """Writes the ZIP aside, syncs and renames it; returns how many files it holds.

    `proofs` are files of the register's log (`collector.pledges.register.proofs`); `now` (aware) is
    when findings are told as they count, this moment where it is left out.
    Of a pledge that was disposed of: what is left of it. Raises BadInput when there is no such
    pledge, or the store lost a bundle of it.
    """
    history = register.history(id)
    evidence, holding = register.every_evidence(id), register.evidence(id)
    kept = () if id in register.emptied() else evidence
    for attached in kept:
        if not attached.path.exists():
            raise BadInput(
                msg("bundle_number_not_store", one=attached.digest[:12], one_2=attached.sequence),
                where=str(attached.path),
                mend=msg("restore_backup"),
            )
    renewed = id in register.renewed()
    found = _findings(history[-1], holding if kept else (), now or datetime.now(UTC), renewed)
    refuse_special(target)
    aside = beside(target)
    try:
        with create(aside) as out:
            hold_file(out)
            with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
                writer = _Writer(archive, f"pledge-{id}")
                writer.text("record.json", history[-1].record.canonical())
                for version in history:
                    writer.text(f"versions/{version.number}.json", version.record.canonical())
                writer.text("evidence.json", _list(evidence, history[-1].record))
                writer.text("findings.json", found)
                for name, data in proofs.items():
                    writer.text(name, data)
                for attached in kept:
                    writer.tree(
                        attached.path, f"bundles/{attached.sequence:04d}-{attached.digest[:12]}"
                    )
                writer.end()
            out.flush()
            os.fsync(out.fileno())
        aside.replace(target)
    except BaseException as problem:
        aside.unlink(missing_ok=True)
        if isinstance(problem, OSError):
            problem.filename = str(target)
        raise
    sync_folder(target.absolute().parent)
    return writer.files


def _list(evidence: Sequence[Evidence], record: PledgeRecord) -> bytes:
    """What is void keeps its verdicts as they were signed, and says that nothing follows."""
    void = {entry["sequence"]: entry for entry in voided(record)}
    entries = [
        {
            "sequence": e.sequence,
            "digest": e.digest,
            "previous": e.previous,
            "collected_at": e.collected_at.isoformat(),
            "made_at": e.made_at.isoformat(),
            "attached_at": e.attached_at.isoformat(),
            "verdicts": dict(e.verdicts),
            "scope": e.scope_json(),
            **({"refused": str(e.refused)} if e.refused else {}),
            **({"void": dict(void[e.sequence])} if e.sequence in void else {}),
        }
        for e in evidence
    ]
    return escaped(json.dumps(entries, ensure_ascii=False, indent=2)).encode() + b"\n"


def _findings(newest: Version, evidence: Sequence[Evidence], now: datetime, renewed: bool) -> bytes:
    """What each finding comes to now.

    It is dated by the last time that the record or its evidence changed, where nothing became of
    any since: then the same pledge gives the same bytes.
    """

    def at(moment: datetime) -> dict[str, Any]:
        found = lives_at(newest.record, evidence, moment, renewed=renewed)
        return {"at": moment.isoformat(), "findings": [to_json(one, moment) for one in found]}

    document, then = at(now), at(max((newest.added_at, *(e.attached_at for e in evidence))))
    if document["findings"] == then["findings"]:
        document = then
    return escaped(json.dumps(document, ensure_ascii=False, indent=2)).encode() + b"\n"


class _Writer:
    def __init__(self, archive: zipfile.ZipFile, root: str) -> None:
        self._archive = archive
        self._root = root
        self._digests: list[str] = []

    @property
    def files(self) -> int:
        return len(self._digests) + 1

    def text(self, name: str, data: bytes) -> None:
        self._archive.writestr(self._entry(name), data)
        self._digests.append(f"{hashlib.sha256(data).hexdigest()}  {name}")

    def tree(self, path: Path, name: str) -> None:
        if path.is_dir():
            for inside in sorted(path.iterdir()):
                self.tree(inside, f"{name}/{inside.name}")
            return
        digest = hashlib.sha256()
        entry = self._entry(name)
        with path.open("rb") as source, self._archive.open(entry, "w", force_zip64=True) as out:
            while chunk := source.read(_CHUNK):
                digest.update(chunk)
                out.write(chunk)
        self._digests.append(f"{digest.hexdigest()}  {name}")

    def end(self) -> None:
        lines = "\n".join(self._digests) + "\n"
        self._archive.writestr(self._entry("manifest-sha256.txt"), lines.encode())

    def _entry(self, name: str) -> zipfile.ZipInfo:
        entry = zipfile.ZipInfo(f"{self._root}/{name}", _TIME)
        entry.compress_type = zipfile.ZIP_DEFLATED
        entry.external_attr = 0o600 << 16
        return entry
