"""What came of a probe, in one form for all of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from collector.facts.probed.recording import Recording
from collector.i18n.message import Message, msg

Came = Literal["blocked", "alerted", "logged", "nothing"]

# which controls a probe may speak of: it raises no other
RAISES: Final[dict[str, tuple[str, ...]]] = {
    "log_arrival": ("logging.remote_copy", "logging.logins"),
    "failed_login": ("logging.logins", "intrusion.detection"),
    "malware_stream": ("antivirus.running", "antivirus.signatures", "antivirus.realtime"),
    "restore": ("backup.fresh", "backup.verified", "backup.restore_test"),
    "outside_ports": (
        "firewall.default_deny",
        "firewall.exposed_ports",
        "firewall.admin_sources",
        "intrusion.cleartext_services",
    ),
    "integrity": ("intrusion.file_integrity",),
    "time": ("monitoring.time_sync",),
    "ban": ("intrusion.lockout",),
}


def speaks_of(recording: Recording) -> tuple[str, ...]:
    """Which of them this one had a look at: only a file shows what is stopped as it is opened."""
    every = RAISES[recording.name]
    if recording.name != "malware_stream" or recording.all("folder"):
        return every
    return tuple(control for control in every if control != "antivirus.realtime")


# why a probe was not done, by the word that a recording has for it
_UNDONE: Final[dict[str, Message]] = {
    "ban_limit": msg("probe_undone_ban_limit"),
    "banned_already": msg("probe_undone_banned_already"),
    "busy": msg("probe_undone_busy"),
    "folder_form": msg("probe_undone_folder_form"),
    "half": msg("probe_undone_half"),
    "late": msg("probe_undone_late"),
    "limit": msg("probe_undone_limit"),
    "lost": msg("probe_undone_lost"),
    "no_account": msg("probe_undone_no_account"),
    "no_address": msg("probe_undone_no_address"),
    "no_folder": msg("probe_undone_no_folder"),
    "no_login": msg("probe_undone_no_login"),
    "no_mount": msg("probe_undone_no_mount"),
    "no_program": msg("probe_undone_no_program"),
    "no_removal": msg("probe_undone_no_removal"),
    "no_room": msg("probe_undone_no_room"),
    "no_way": msg("probe_undone_no_way"),
    "other_source": msg("probe_undone_other_source"),
    "own_mount": msg("probe_undone_own_mount"),
    "own_address": msg("probe_undone_own_address"),
    "no_root": msg("probe_undone_no_root"),
    "no_settings": msg("probe_undone_no_settings"),
    "not_direct": msg("probe_undone_not_direct"),
    "not_pledged": msg("probe_undone_not_pledged"),
    "recent": msg("probe_undone_recent"),
    "silent": msg("probe_undone_silent"),
    "stopped": msg("probe_undone_stopped"),
    "unsafe_folder": msg("probe_undone_unsafe_folder"),
    "window": msg("probe_undone_window"),
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """`came` is None where the probe could not tell; `why` says what was seen, or why not.

    `holds` are the controls that were seen to work, `broken` those seen not to. Not `complete` is
    one of which a part that was asked for could not be told; `parts` are what came of each.
    """

    recording: Recording
    came: Came | None
    why: Message
    lines: tuple[str, ...] = ()
    holds: tuple[str, ...] = ()
    broken: tuple[str, ...] = ()
    complete: bool = True
    parts: tuple[Outcome, ...] = ()

    def of(self, control: str) -> Outcome:
        """The part that speaks of a control; the whole where none does."""
        return next((p for p in self.parts if control in (*p.holds, *p.broken)), self)


def untold(recording: Recording, why: Message, *lines: str) -> Outcome:
    """Nothing is known by it."""
    return Outcome(recording, None, why, lines)


def worked(
    recording: Recording, came: Came, why: Message, *lines: str, of: tuple[str, ...] | None = None
) -> Outcome:
    """Seen to work; `of` these controls, without it all that the probe speaks of."""
    return Outcome(recording, came, why, lines, RAISES[recording.name] if of is None else of)


def failed(
    recording: Recording, why: Message, *lines: str, of: tuple[str, ...] | None = None
) -> Outcome:
    """Seen not to work: nothing came of it."""
    broken = RAISES[recording.name] if of is None else of
    return Outcome(recording, "nothing", why, lines, (), broken)


def not_done(recording: Recording) -> Outcome | None:
    """For one that was not done, or not to its end; None where it was."""
    return untold(recording, why_undone(recording.undone)) if recording.undone else None


def why_undone(told: str) -> Message:
    """`REASON TEXT` in words."""
    reason, _, text = told.partition(" ")
    known = _UNDONE.get(reason)
    said = known if known is not None else msg("probe_undone_other", reason=reason or "-")
    return msg("probe_undone", why=said, text=text) if text else said
