"""The catalogue of each release: which controls there are at which grade, and all that they say.

Evidence names its catalogue by digest. Without its list nobody could tell a signer who left fifty
controls out from one who judged them all. The catalogue of this very version is made from the
controls; those of earlier ones lie in `catalogs/releases/`, as `tools/release_catalog.py` wrote
them on the day of the release.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from collector import __version__, catalog
from collector.assess import fill
from collector.errors import BadInput
from collector.i18n.message import msg
from collector.model import Text
from collector.schema import check, load_json

SCHEMA = "urn:hostpledge:schema:release:1"
FOLDER = Path(__file__).parent / "catalogs" / "releases"


@dataclass(frozen=True, slots=True)
class Known:
    """One control of a release. What depends on the grade is by grade (2, 3).

    `weighs` is what verdicts of clauses follow from, as evidence.json names it.
    """

    clause: str
    grades: tuple[int, ...]
    title: Text
    criterion: Mapping[int, Text]
    remediation: Mapping[int, Text]
    messages: Mapping[str, Text]
    weighs: Mapping[int, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Release:
    """`digest` is the `catalog_sha256` of evidence; `reasons` are messages of no one control."""

    version: str
    digest: str
    controls: Mapping[str, Known]
    reasons: Mapping[str, Text]

    def at(self, grade: int) -> Mapping[str, Known]:
        """The controls that apply at the grade, by id."""
        return {id: known for id, known in self.controls.items() if grade in known.grades}


@cache
def current() -> Release:
    """That of the controls which are installed here."""
    return _release(document())


@cache
def find(digest: str) -> Release | None:
    """The release whose catalogue has this digest; None where nobody here knows it."""
    if digest == catalog.catalog_digest():
        return current()
    for path in sorted(FOLDER.glob("*.json")):
        release = load(path)
        if release.digest == digest:
            return release
    return None


def every() -> tuple[Release, ...]:
    """All that are known here, the installed one first."""
    return (current(), *(load(path) for path in sorted(FOLDER.glob("*.json"))))


def load(path: Path) -> Release:
    """Raises BadInput where the file is none, or its digest is not that of what it lists."""
    found = load_json(path.read_bytes(), where=str(path))
    check(found, "release", where=str(path))
    return _release(found, where=str(path))


def document() -> dict[str, Any]:
    """The installed catalogue in the form of `catalogs/releases/` (schemas/release.schema.json)."""
    return {
        "schema": SCHEMA,
        "version": __version__,
        "catalog_sha256": catalog.catalog_digest(),
        "reasons": {name: _both(text) for name, text in catalog.reasons().items()},
        "controls": {
            known.id: {
                "number": known.number,
                "family": known.family,
                "clause": known.clause,
                "veto": known.veto,
                "sha256": known.digest,
                "title": _both(known.title),
                "messages": {name: _both(text) for name, text in known.messages.items()},
                "grades": {
                    str(grade): {
                        "severity": str(known.severity_at(grade)),
                        "criterion": _both(fill(known.criterion, known.for_grade(grade).values)),
                        "remediation": _both(
                            fill(known.remediation, known.for_grade(grade).values)
                        ),
                    }
                    for grade in known.grades
                },
            }
            for known in catalog.described().values()
        },
    }


def _release(found: Mapping[str, Any], where: str = "") -> Release:
    digest = hashlib.sha256()
    for id, entry in found["controls"].items():
        digest.update(f"{id} {entry['sha256']}\n".encode())
    if digest.hexdigest() != found["catalog_sha256"]:
        raise BadInput(msg("digest_not_controls_lists"), where=where)
    return Release(
        found["version"],
        found["catalog_sha256"],
        MappingProxyType({id: _known(entry) for id, entry in found["controls"].items()}),
        MappingProxyType({name: Text(**text) for name, text in found["reasons"].items()}),
    )


def _known(entry: Mapping[str, Any]) -> Known:
    same = {name: entry[name] for name in ("number", "family", "clause", "veto", "sha256")}
    grades = {int(grade): said for grade, said in entry["grades"].items()}
    return Known(
        entry["clause"],
        tuple(grades),
        Text(**entry["title"]),
        {grade: Text(**said["criterion"]) for grade, said in grades.items()},
        {grade: Text(**said["remediation"]) for grade, said in grades.items()},
        {name: Text(**text) for name, text in entry["messages"].items()},
        {grade: {**same, "severity": said["severity"]} for grade, said in grades.items()},
    )


def _both(text: Text) -> dict[str, str]:
    return {"zh": text.zh, "en": text.en}
