"""What was restored from a backup, and whether it is what had been backed up."""

from __future__ import annotations

import re

from collector.facts.probed.outcome import Outcome, failed, not_done, untold, worked
from collector.facts.probed.recording import Recording
from collector.i18n.message import msg


def restore(made: Recording, important: tuple[str, ...]) -> Outcome:
    """`important` are the stores that matter: only where each of them was restored it is a proof.

    A store whose copy does not load breaks the controls, however many others load.
    """
    if (undone := not_done(made)) is not None:
        return undone
    store = next(iter(made.all("store")), "")
    state = next(iter(made.said("state")), "")
    what = next(iter(made.said("restored")), "-")
    lines = tuple(f"{key} {value}" for key, value in made.host if key in _TOLD)
    before, after = made.said("before"), made.said("after")
    if before != after:
        return untold(made, msg("probe_store_changed", store=store), *lines)
    if state == "differs":
        return failed(made, msg("probe_restore_differs", store=store, what=what), *lines)
    held = _held(made)
    if held is not None and held[0] == 0:
        said = msg("probe_restore_lacks", store=store, held=held[0], count=held[1])
        return failed(made, said, *lines)
    if state == "broken":
        return failed(made, msg("probe_restore_broken", store=store, what=what), *lines)
    if state == "untold":
        return untold(made, msg("probe_restore_empty", store=store, what=what), *lines)
    if held is not None and held[0] * 2 < held[1]:
        said = msg("probe_restore_lacks", store=store, held=held[0], count=held[1])
        return untold(made, said, *lines)
    if state not in ("same", "loaded", "verified"):
        return untold(made, msg("probe_said_too_little"), *lines)
    said = msg("probe_restored", store=store, what=what)
    others = [name for name in important if name != store]
    if store not in important:
        return worked(made, "logged", msg("probe_restored_other", store=store, what=what), of=())
    if others:
        named = ", ".join(others[:5]) or "-"
        why = msg("probe_restored_part", store=store, what=what, others=named)
        return worked(made, "logged", why, *lines, of=())
    if state == "verified":
        # read by the tool itself, and held against its own digests: nothing was restored
        why = msg("probe_verified", store=store, what=what)
        return worked(made, "logged", why, *lines, of=("backup.verified",))
    return worked(made, "logged", said, *lines)


def _held(made: Recording) -> tuple[int, int] | None:
    """Of files that are there and older than the copy: how many it holds, of how many."""
    found = [m for text in made.said("held") if (m := re.fullmatch(r"(\d{1,4}) (\d{1,4})", text))]
    return (int(found[0][1]), int(found[0][2])) if found else None


_TOLD = (
    "restored", "snapshot", "file", "files", "digest", "live", "rows", "wanted", "verified",
    "held", "check", "error", "state",
)  # fmt: skip
