"""Records of restore tests (备份恢复测试记录, clause 二(四)), each of one store.

They lie on the host under /var/lib/hostpledge/restore, or come with the bundle as the document
`restore-tests`; both count. Their shape is schemas/restore-test.schema.json; one of another shape
is refused, and with it the answer.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from collector.errors import BadInput, NotUnderstood
from collector.facts.base.redaction import only_listed
from collector.i18n.message import msg, told
from collector.model import Facts, Quote, Read, Text, files
from collector.schema import check, load_json, load_yaml

DOCUMENT = "restore-tests"
_READ = "restore_tests.records"
_NOTHING = hashlib.sha256(b"").hexdigest()
# a folder, of this host or of one that is named before it
_FOLDER = re.compile(r"(?:[\w.-]+[:：] ?)?/\S*")
# what compares files, and nothing that a server would answer
_FILES = re.compile(r"\bdiff -\w*r|\bcmp\b|\b(?:sha\d+|md5|b2|sm3)sum\b")

READS: tuple[Read, ...] = (
    files(
        _READ,
        "/var/lib/hostpledge/restore/*.json",
        limit=32_768,
        most=300,
        redact=only_listed("record"),
        why=Text("备份恢复测试记录", "records of restore tests"),
    ),
)


@dataclass(frozen=True, slots=True)
class RestoreTest:
    """One restore of one store. `source` names what it was restored from.

    `guarded`: it was handed in, or only root may write it where it lies. `of_files`: files were
    laid into a folder and compared, and no database was made of them.
    """

    store: str
    tested: datetime
    by: str
    source: str
    ok: bool
    guarded: bool
    quote: Quote
    of_files: bool


def restore_tests(facts: Facts) -> tuple[RestoreTest, ...]:
    """All records of this host, oldest first. Raises CouldNotLook, NotUnderstood."""
    found = []
    for file in facts.capture.read(_READ).present():
        guarded = file.uid == 0 and not file.mode & 0o022
        document = _read(file.text(_READ), file.path, json=True)
        found += _records(facts, [document], file.path, guarded=guarded)
    handed = facts.attached.get(DOCUMENT)
    if handed is not None:
        document = _read(handed.decode("utf-8", "replace"), DOCUMENT, json=False)
        several = document if isinstance(document, list) else [document]
        found += _records(facts, several, "", guarded=True)
    return tuple(sorted(found, key=lambda r: (r.tested, not r.ok)))


def _read(text: str, where: str, *, json: bool) -> Any:
    try:
        return load_json(text, where=where) if json else load_yaml(text.encode(), where=where)
    except BadInput as problem:
        raise NotUnderstood(_READ, told(problem)) from None


def _records(facts: Facts, documents: list[Any], path: str, *, guarded: bool) -> list[RestoreTest]:
    try:
        for document in documents:
            check(document, "restore-test", where=path or DOCUMENT)
        return [
            _record(document, path, guarded=guarded)
            for document in documents
            if facts.capture.host in document.get("hosts", [facts.capture.host])
        ]
    except (BadInput, ValueError) as problem:
        raise NotUnderstood(_READ, told(problem)) from None


def _record(document: Mapping[str, Any], path: str, *, guarded: bool) -> RestoreTest:
    artefact = document["artefact"]
    tested = _time(document["tested"])
    where = path or DOCUMENT
    if artefact["sha256"] in (_NOTHING, "0" * 64):
        raise ValueError(msg("artefact_sha256_nothing", where=where))
    if "made" in artefact and _time(artefact["made"]) > tested:
        raise ValueError(msg("restored_before_artefact_made", where=where))
    source = artefact.get("path") or f"{artefact.get('repository', '')} {artefact['snapshot']}"
    into = f" ({document['restored_as']})" if "restored_as" in document else ""
    line = (
        f"{document['store']}: {document['tested']} {document['by']}, {source.strip()} "
        f"sha256:{artefact['sha256']} -> {document['restored_to']}{into}, {document['compared']}, "
        f"ok={document['ok']}"
    )
    quote = Quote(_READ, (line,), path or msg("pledge_record", document=DOCUMENT))
    return RestoreTest(
        document["store"],
        tested,
        document["by"],
        source.strip(),
        document["ok"],
        guarded,
        quote,
        _of_files(document),
    )


def _of_files(document: Mapping[str, Any]) -> bool:
    """By what it says itself; else by where to it restored, and by the commands that compared.

    >>> _of_files({"restored_to": "db-02:/var/tmp/restore-test.x", "compared": "every file"})
    True
    >>> _of_files({"restored_to": "db-02, database shop_test", "compared": "rows of 12 tables"})
    False
    >>> _of_files({"restored_as": "database", "restored_to": "/srv/pg", "compared": "rows"})
    False
    """
    told = document.get("restored_as")
    if told is not None:
        return bool(told == "files")
    compared = _FILES.search(document["compared"])
    return bool(_FOLDER.fullmatch(document["restored_to"].strip()) or compared)


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text.upper()).astimezone(UTC)
