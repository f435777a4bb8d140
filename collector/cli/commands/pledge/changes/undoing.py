"""How a change of many records is taken back: the command that does it, told where it ends."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from collector.cli.options.answering import answer
from collector.cli.ui.columns import out
from collector.cli.ui.language import tr

if TYPE_CHECKING:
    from collector.pledges.database.rows import Version
    from collector.pledges.record.form import PledgeRecord

# of so many records the command names each
_NAMED = 5


def tell(
    made: Collection[Version],
    location: str | None,
    fields: Sequence[str] = (),
    *,
    answered: bool = False,
) -> None:
    """Nothing where nothing was written; `made` are the versions that were.

    `answered`: among it is what somebody has to answer for that it goes back.
    """
    if not made:
        return
    words = _words(made, location, fields, answered=answered)
    answer(undo=words)
    # not wrapped: it is copied
    out(
        tr(
            f"撤回此次改动（先加 --check 看；此后又改过的登记不动）：\n{words}\n",
            "to take it back (look first with --check; what was changed again since is left "
            f"alone):\n{words}\n",
        )
    )


def tell_made(
    versions: Collection[Version], known: Mapping[str, PledgeRecord], location: str | None
) -> None:
    """How all of it is taken back: what is new, and what changed; `known` is what was there."""
    from collector.pledges.record.drafts import is_free
    from collector.pledges.record.reverting import ANSWERED_FOR

    made = [v for v in versions if v.record.digest != _digest_of(known.get(v.record.id))]
    fresh = {v.record.id for v in made if (old := known.get(v.record.id)) is None or is_free(old)}
    changed = [v for v in made if v.record.id not in fresh]
    answered = any(
        known[v.record.id].document.get(name) != v.record.document.get(name)
        for v in changed
        for name in ANSWERED_FOR
    )
    tell(changed, location, answered=answered)
    drafts = {v.record.id for v in made if v.record.document.get("draft")}
    tell_drafts(drafts & fresh, location)
    # in a register that was empty, nothing was meant for another record
    if known:
        tell_signed(fresh - drafts, location)


def _digest_of(record: PledgeRecord | None) -> str:
    return record.digest if record is not None else ""


def tell_signed(ids: Collection[str], location: str | None) -> None:
    """How what was just put on record as signed is taken back; nothing where nothing was."""
    if not ids:
        return
    words = ["hostpledge", "pledge", "withdraw-signed", *sorted(ids), *_why()]
    line = shlex.join([*words, *register_words(location)])
    answer(undo_signed=line)
    out(
        tr(
            f"签署是误登的，则撤回（先加 --check 看）：\n{line}\n",
            f"if that was signed by mistake, to withdraw it (look first with --check):\n{line}\n",
        )
    )


def _why() -> Sequence[str]:
    return "--reason", tr("理由", "WHY"), "--by", tr("经办人", "NAME")


def tell_drafts(ids: Collection[str], location: str | None) -> None:
    """How drafts that were just made are withdrawn; nothing where there are none."""
    if not ids:
        return
    words = ["hostpledge", "pledge", "withdraw-draft", *sorted(ids), *_why()]
    line = shlex.join([*words, *register_words(location)])
    answer(undo_drafts=line)
    out(
        tr(
            f"这些草稿是误建的，则撤回（先加 --check 看）：\n{line}\n",
            f"if these drafts are a mistake, to withdraw them (look first with --check):\n{line}\n",
        )
    )


def _words(
    made: Collection[Version], location: str | None, fields: Sequence[str], *, answered: bool
) -> str:
    times = [version.added_at for version in made]
    ids = sorted({version.record.id for version in made})
    words = [
        *("hostpledge", "pledge", "revert"),
        *(ids if len(ids) <= _NAMED else ["--all"]),
        *("--before", min(times).isoformat(), "--until", max(times).isoformat()),
        *(word for field in fields for word in ("--field", field)),
        *(_why() if answered else ()),
    ]
    return shlex.join([*words, *register_words(location)])


def register_words(location: str | None) -> Sequence[str]:
    """The option that names the register, as it was named."""
    if location is None:
        return ()
    # an address may hold a password, which is shown to nobody
    return "--register", "URL" if "://" in location else location
