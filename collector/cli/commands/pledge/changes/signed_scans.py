"""The scans of what was signed, as a record holds them: digested, each as the paper that it is."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from collector import private
from collector.cli.ui.columns import out
from collector.cli.ui.language import lang, tr
from collector.errors import BadInput, one_line
from collector.i18n.message import of_system
from collector.model import Text
from collector.pledges.lists.words import PAPERS

if TYPE_CHECKING:
    from collector.pledges.record.form import PledgeRecord

_NAMES = {
    "responsibility": Text("责任书", "the statement of responsibility"),
    "pledge": Text("承诺书", "the pledge"),
}


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


def check_may_be_signed(record: PledgeRecord, documents: Sequence[Mapping[str, Any]]) -> None:
    """Raises BadInput where it is no draft, and has such papers already (or has nothing any more).

    One of the two may be signed later than the other.
    """
    held = {one["type"] for one in record.document["documents"]}
    second = "disposed" not in record.document and held.isdisjoint(d["type"] for d in documents)
    if not record.document.get("draft") and not second:
        raise BadInput(
            tr("不是草稿", "is no draft"),
            where=record.id,
            mend=tr(
                "续签用 hostpledge pledge renew；登记的扫描件有误的，用 pledge add --update 更正；"
                "签署是误登的，用 pledge withdraw-signed 撤回",
                "`hostpledge pledge renew` continues it; a wrong scan is put right by "
                "`hostpledge pledge add --update`; what was signed by mistake is taken back by "
                "`hostpledge pledge withdraw-signed`",
            ),
        )


def add_papers(
    record: PledgeRecord, documents: Sequence[Mapping[str, Any]], today: date
) -> PledgeRecord:
    """The record with them; raises as above."""
    from collector.pledges.record.renewal import signed

    check_may_be_signed(record, documents)
    return signed(record, documents, today=today)


def tell_signed(
    made: PledgeRecord,
    number: int | None,
    documents: Sequence[Mapping[str, Any]],
    *,
    was_draft: bool,
) -> None:
    """What was signed, and when; `number` None: nothing was written."""
    from collector.pledges.record.masking import masked

    say_unnamed(documents)
    names = tr("、", ", ").join(_NAMES[one["type"]].to(lang()) for one in documents)
    day, whose = documents[0]["signed_on"], one_line(str(masked(made.customer)), 120)
    if number is None:
        out(
            tr(
                f"{made.id}（{whose}）将登记为已签署{names}（{day}）（只检查，未写入）\n",
                f"{made.id} ({whose}) would be signed: {names} ({day}) (nothing is written)\n",
            )
        )
        return
    no_draft = tr("，不再是草稿", ", no draft any more") if was_draft else ""
    out(
        tr(
            f"{made.id}（{whose}）第 {number} 版：已签署{names}（{day}）{no_draft}\n",
            f"{made.id} ({whose}), version {number}: signed {names} ({day}){no_draft}\n",
        )
    )


def say_unnamed(documents: Sequence[Mapping[str, Any]]) -> None:
    """Where nobody said who signed: the status asks for it later."""
    if documents and not any(one.get("representative") for one in documents):
        click.echo(
            tr(
                "未写签署人（--representative）：登记中“用户代表（签字）”为缺",
                "who signed was not said (--representative): it is missing on record",
            ),
            err=True,
        )
