"""The scans of what was signed, as a record holds them: digested, each as the paper that it is."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from collector import private
from collector.cli.ui.language import tr
from collector.errors import BadInput
from collector.i18n.message import of_system
from collector.pledges.lists.words import PAPERS


def documents_of(
    scans: Mapping[str, Path], signed_on: date, said: Mapping[str, str | None]
) -> Iterator[dict[str, Any]]:
    """By kind of paper. Raises BadInput where a file cannot be read, or is called as the other."""
    _check_names(scans)
    more = {"representative": said["representative"]} if said["representative"] else {}
    for kind, path in scans.items():
        yield {
            "type": kind,
            "version": said["version"] or str(signed_on.year),
            "sha256": _digest(path),
            "signed_on": signed_on.isoformat(),
            **more,
        }


def _check_names(given: Mapping[str, Path]) -> None:
    """What swaps the two is seen by nobody later: the record has their digests alone."""
    for kind, path in given.items():
        name = path.name.lower()
        other = next(one for one in PAPERS if one != kind)
        if any(word in name for word in PAPERS[other]) and not any(w in name for w in PAPERS[kind]):
            raise BadInput(
                tr(
                    f"文件名像是{PAPERS[other][0]}，给在了 --{kind}",
                    f"is called as --{other} would be, and was given as --{kind}",
                ),
                where=str(path),
                mend=tr(
                    "对调两个文件；文件名不对的，改名",
                    "swap the two, or rename a file that is not so",
                ),
            )


def _digest(path: Path) -> str:
    try:
        with private.opened(path) as source:
            if not source.peek(1):
                raise BadInput(tr("是空文件", "is empty"), where=str(path))
            return hashlib.file_digest(source, "sha256").hexdigest()
    except OSError as problem:
        raise BadInput(of_system(problem, "cannot_read"), where=str(path)) from None
