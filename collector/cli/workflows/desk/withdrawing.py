"""A notice that was given by mistake: its withdrawal as a page, and told to who was sent it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from collector.cli.ui.language import lang
from collector.cli.workflows.desk.sound import sound
from collector.cli.workflows.desk.telling import WITHDRAWN, Begun, of_today
from collector.errors import one_line
from collector.model import Text
from collector.notify.outbox import Message, Outbox
from collector.pledges.record.masking import masked
from collector.pledges.record.notices import Notice, notices

if TYPE_CHECKING:
    from collector.pledges.record.form import PledgeRecord
    from collector.pledges.register.register import Register

_KINDS = {
    "mend": Text("整改通知书", "notice to mend"),
    "recheck": Text("复查通知书", "notice of a recheck"),
}


def page(record: PledgeRecord, notice: Notice, said: dict[str, Any], *, html: bool) -> bytes:
    """The notice of withdrawal; `said` is what goes on record of it, but for the page's digest."""
    from collector.report.model.notice import withdrawal

    given = withdrawal(record, notice, said, lang())
    if html:
        from collector.report.render.html import page as drawn

        return drawn("notice-withdrawn.html.j2", given, style="pages.css").encode()
    from collector.report.render import pdf

    return pdf.to_withdrawal(given)


def gone(register: Register) -> frozenset[str]:
    """The digests of the files of all notices that were withdrawn."""
    return frozenset(_withdrawn(register))


def _withdrawn(register: Register) -> dict[str, tuple[PledgeRecord, Notice]]:
    return {
        str(notice.entry["sha256"]): (record, notice)
        for record in sound(register)[0]
        for notice in notices(record)
        if notice.withdrawn is not None
    }


def withdrawals(
    register: Register, outbox: Outbox, folder: Path | None, begun: Begun
) -> Iterator[tuple[Message, list[bytes]]]:
    """To each who was sent a notice that is withdrawn now, by the channels that it went by.

    `begun`: when each record was (aware). Once; with the notice of withdrawal where its very file
    lies in the folder.
    """
    from collector.cli.workflows.desk.digests import of_digest

    found = _withdrawn(register)
    if not found or not outbox.folder.is_dir():
        return
    sent: dict[tuple[str, str], tuple[Message, dict[str, None]]] = {}
    for message in outbox.messages():
        for _, sha256 in message.files:
            by = [c for c in message.channels if outbox.bore(message, c, sha256)]
            if sha256 in found and by:
                _, channels = sent.get((message.to, sha256), (message, {}))
                sent[message.to, sha256] = (message, channels | dict.fromkeys(by))
    told = outbox.told((), lambda message, key: of_today(message, key, begun))
    for (to, sha256), (message, channels) in sent.items():
        record, notice = found[sha256]
        key = f"{record.id}|{WITHDRAWN}|{notice.number}"
        if any((whom, key) in told for whom in (to, *channels)):
            continue
        digest = str((notice.withdrawn or {}).get("sha256", ""))
        files = of_digest(folder, {digest: digest}) if folder is not None and digest else {}
        spoken: Literal["zh", "en"] = "zh" if message.lang == "zh" else "en"
        subject, body = _words(record, notice)
        borne = tuple((f"{record.id}-withdrawn.pdf", name) for name in files)
        yield (
            Message(
                "",
                to,
                spoken,
                subject.to(spoken),
                body.to(spoken) + "\n",
                (key,),
                tuple(channels),
                borne,
            ),
            list(files.values()),
        )


def _words(record: PledgeRecord, notice: Notice) -> tuple[Text, Text]:
    said = notice.withdrawn or {}
    number = one_line(notice.number, 200)
    whose = one_line(str(masked(record.customer)))
    reason, by = one_line(str(masked(said["reason"])), 1000), one_line(str(masked(said["by"])))
    kind, day = _KINDS[notice.kind], said["date"]
    subject = Text(f"{kind.zh}撤回：{number}", f"Withdrawn: {kind.en} {number}")
    body = Text(
        f"{record.id} {whose}：{notice.date} 发出的{kind.zh}（编号 {number}）已于 {day} 撤回，"
        f"其所列事项与期限不再作数。理由：{reason}（{by}）",
        f"{record.id} {whose}: the {kind.en} {number} of {notice.date} was withdrawn on {day}; "
        f"what it lists, and by when, is not asked for any more. Why: {reason} ({by})",
    )
    return subject, body


def digest(data: bytes) -> str:
    """As records hold it."""
    return hashlib.sha256(data).hexdigest()
