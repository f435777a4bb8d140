"""What a probe does to a verdict (ADR 59): it raises how a verdict is known, or turns it to `fail`.

It never makes a pass: what was not looked at, or not understood, stays what it was.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from collector.errors import FactError
from collector.facts.probed.outcome import RAISES, Outcome, speaks_of
from collector.facts.probed.outcomes import outcome
from collector.facts.probed.recording import PREFIX, recorded
from collector.i18n.message import Message, in_chinese, msg
from collector.model import Facts, Method, Quote, Result, Value, Verdict

_KEPT: Final = (Result.PASS, Result.PARTIAL)
_LINES = 8
# a probe asks one thing, and a verdict may rest on another: a value of the verdict, and its word
_RESTS_ON: Final = {
    ("malware_stream", "antivirus.running"): ("products", "ClamAV"),
    ("malware_stream", "antivirus.signatures"): ("product", "ClamAV"),
    ("integrity", "intrusion.file_integrity"): ("tool", "aide"),
}
# a verdict that says already that nothing is stopped, or not what root opens, as the probe does
_STOPS_NOTHING: Final = frozenset({"detect_only", "notify_only", "users_left_out"})
# of lockout the reasons of a ban: PAM may lock where no address is banned
_BANS: Final = frozenset({"banned", "ban_not_at_boot"})


def by_probes(control: str, verdict: Verdict, facts: Facts) -> Verdict:
    """The verdict of a control after what the probes that speak of it showed."""
    for name in recorded(facts.capture):
        if control in RAISES[name] and verdict.result is not Result.NOTAPPLICABLE:
            verdict = _after(control, verdict, facts, name)
    return verdict


def _after(control: str, verdict: Verdict, facts: Facts, name: str) -> Verdict:
    try:
        seen = outcome(facts, name)
    except FactError as problem:
        return _with_note(verdict, msg("probe_note_untold", probe=name, why=problem.why), ())
    if seen is None or control not in speaks_of(seen.recording):
        return verdict
    seen = seen.of(control)
    at = f"{seen.recording.begun:%Y-%m-%d %H:%M} UTC"
    note = msg("probe_note", probe=name, at=at, came=_word(seen), why=seen.why)
    quote = Quote(PREFIX + name, (*_head(seen), *seen.lines[:_LINES]))
    beside = not _rests_on_it(control, verdict, seen)
    if beside and seen.came is not None:
        note = msg("probe_note_beside", probe=name, at=at, why=seen.why)
        verdict = _with_note(verdict, note, (quote,))
    elif control in seen.broken:
        verdict = _broken(verdict, note, quote)
    elif control in seen.holds:
        known = verdict.method if verdict.result not in _KEPT else Method.TESTED
        verdict = replace(verdict, method=known)
        verdict = _with_note(verdict, note, (quote,))
    elif seen.came is not None:
        note = msg("probe_note_beside", probe=name, at=at, why=seen.why)
        verdict = _with_note(verdict, note, (quote,))
    else:
        note = msg("probe_note_untold", probe=f"{name}, {at}", why=seen.why)
        verdict = _with_note(verdict, note, (quote,))
    return _with_left(verdict, seen, quote)


def _rests_on_it(control: str, verdict: Verdict, seen: Outcome) -> bool:
    """Is it what this verdict stands on? What has failed already can be said of anything."""
    name = seen.recording.name
    if verdict.result is Result.FAIL:
        return True
    if control == "antivirus.realtime":
        return verdict.reason not in _STOPS_NOTHING and _covers(verdict, seen)
    if name == "ban":
        return verdict.reason in _BANS
    value, wanted = _RESTS_ON.get((name, control), ("", ""))
    return not value or verdict.values.get(value) == wanted


def _covers(verdict: Verdict, seen: Outcome) -> bool:
    """Is the folder one that the verdict claims? Of most products none is named."""
    folder = next(iter(seen.recording.all("folder")), "")
    claimed, open_ = (verdict.values.get(key) for key in ("trees", "open"))
    if _within(folder, open_):
        return False
    return not isinstance(claimed, (list, tuple)) or _within(folder, claimed)


def _within(folder: str, trees: object) -> bool:
    named = trees if isinstance(trees, (list, tuple)) else ()
    return any(f"{folder}/".startswith(f"{str(tree).rstrip('/')}/") for tree in named)


def _broken(verdict: Verdict, note: Message, quote: Quote) -> Verdict:
    """Seen not to work, whatever is written: what was failed already keeps its own reason."""
    if verdict.result is Result.FAIL:
        return _with_note(replace(verdict, method=Method.TESTED), note, (quote,))
    values: dict[str, Value] = {"told_zh": in_chinese(note), "told_en": str(note)}
    return Verdict(Result.FAIL, "probe_failed", Method.TESTED, values, (quote, *verdict.evidence))


def _with_left(verdict: Verdict, seen: Outcome, quote: Quote) -> Verdict:
    """What a probe left on the host is a finding, until somebody took it away."""
    left = seen.recording.left
    if not left:
        return verdict
    places = ", ".join(left)
    if verdict.result is not Result.PASS:
        return _with_note(verdict, msg("probe_note_left", places=places), (quote,))
    values: dict[str, Value] = {"probe": seen.recording.name, "places": [*left]}
    evidence = (quote, *verdict.evidence)
    return Verdict(Result.PARTIAL, "probe_left", verdict.method, values, evidence)


def _with_note(verdict: Verdict, note: Message, quotes: Iterable[Quote]) -> Verdict:
    """What the probe showed, behind the control's own words."""
    before_zh, before_en = (str(verdict.values.get(f"probed_{x}", "")) for x in ("zh", "en"))
    values: dict[str, Value] = {
        **verdict.values,
        "probed_zh": "；".join(filter(None, (before_zh, in_chinese(note)))),
        "probed_en": "; ".join(filter(None, (before_en, str(note)))),
    }
    return replace(verdict, values=values, evidence=(*verdict.evidence, *quotes))


def _head(seen: Outcome) -> tuple[str, str]:
    made = seen.recording
    return (f"nonce {made.nonce}", f"begun {made.begun.isoformat(timespec='seconds')}")


def _word(seen: Outcome) -> Message:
    words = {
        "blocked": msg("probe_came_blocked"),
        "alerted": msg("probe_came_alerted"),
        "logged": msg("probe_came_logged"),
        "nothing": msg("probe_came_nothing"),
    }
    return words[seen.came or "nothing"]
