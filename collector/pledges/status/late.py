"""The follow-ups of a record whose finding falls due. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from collector.model import Text
from collector.pledges.due.deadlines import Due
from collector.pledges.record.form import PledgeRecord
from collector.pledges.record.times import waiver_end
from collector.pledges.status.brief import Brief
from collector.pledges.status.findings import Life


def late(
    record: PledgeRecord | Brief, found: Sequence[Life] | None, until: datetime
) -> tuple[Due, ...]:
    """The follow-ups whose finding is open and falls due until then (aware).

    Without `found`, nobody could look what became of a finding, and each of them says so.
    """
    dues: list[Due] = []
    entries = record.document.get("follow_ups", ())
    own = {(entry["control"], entry["host"]) for entry in entries}
    for entry in entries:
        if "due" not in entry or (at := waiver_end(entry["due"])) > until:
            continue
        if found is not None and not any(_is_about(entry, life, own) for life in found):
            continue
        text = Text(
            f"问题须于 {entry['due']} 前整改：{entry['control']}，主机 {entry['host']}，"
            f"责任人 {entry['owner']}",
            f"finding to be mended by {entry['due']}: {entry['control']} on "
            f"{entry['host']}, {entry['owner']}",
        )
        unread = found is None
        dues.append(
            Due(
                record.id,
                "finding",
                at,
                _unread(text) if unread else text,
                owner=str(entry["owner"]),
                unread=unread,
            )
        )
    return tuple(dues)


def _unread(text: Text) -> Text:
    return Text(
        f"证据包无法读取，未能查看是否已整改：{text.zh}",
        f"could not look whether it is mended, as bundles cannot be read: {text.en}",
    )


def _is_about(entry: Mapping[str, Any], life: Life, own: Collection[tuple[str, str]]) -> bool:
    """`own`: the controls and hosts that have entries; that of a host goes before that of all."""
    if life.state != "open" or life.control != entry["control"]:
        return False
    if entry["host"] == "*":
        return (life.control, life.host) not in own
    return bool(entry["host"] == life.host)
