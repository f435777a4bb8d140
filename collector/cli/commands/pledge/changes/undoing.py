"""How a change of many records is taken back: the command that does it, told where it ends."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from collector.cli.options.answering import answer
from collector.cli.ui.columns import out
from collector.cli.ui.language import tr

if TYPE_CHECKING:
    from collector.pledges.database.rows import Version

# of so many records the command names each
_NAMED = 5


def tell(made: Collection[Version], location: str | None, fields: Sequence[str] = ()) -> None:
    """Nothing where nothing was written; `made` are the versions that were."""
    if not made:
        return
    words = _words(made, location, fields)
    answer(undo=words)
    # not wrapped: it is copied
    out(
        tr(
            f"撤回此次改动（先加 --check 看；此后又改过的登记不动）：\n{words}\n",
            "to take it back (look first with --check; what was changed again since is left "
            f"alone):\n{words}\n",
        )
    )


def tell_drafts(ids: Collection[str], location: str | None) -> None:
    """How drafts that were just made are withdrawn; nothing where there are none."""
    if not ids:
        return
    why, who = tr("理由", "WHY"), tr("经办人", "NAME")
    words = ["hostpledge", "pledge", "withdraw-draft", *sorted(ids), "--reason", why, "--by", who]
    line = shlex.join([*words, *_register(location)])
    answer(undo_drafts=line)
    out(
        tr(
            f"这些草稿是误建的，则撤回（先加 --check 看）：\n{line}\n",
            f"if these drafts are a mistake, to withdraw them (look first with --check):\n{line}\n",
        )
    )


def _words(made: Collection[Version], location: str | None, fields: Sequence[str]) -> str:
    times = [version.added_at for version in made]
    ids = sorted({version.record.id for version in made})
    words = [
        *("hostpledge", "pledge", "revert"),
        *(ids if len(ids) <= _NAMED else ["--all"]),
        *("--before", min(times).isoformat(), "--until", max(times).isoformat()),
        *(word for field in fields for word in ("--field", field)),
    ]
    return shlex.join([*words, *_register(location)])


def _register(location: str | None) -> Sequence[str]:
    if location is None:
        return ()
    # an address may hold a password, which is shown to nobody
    return "--register", "URL" if "://" in location else location
