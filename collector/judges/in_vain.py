"""What is said where an attestation is on record and a control does not go by it.

Whoever attested what they were told to attest would else read the same words as before.
"""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from collector.i18n.message import in_chinese, msg
from collector.judges.predicates import ATTESTATIONS, attestation_end
from collector.model import Clock, Control, Facts, Result, Value, Verdict

_SATISFIED = (Result.PASS, Result.NOTAPPLICABLE)


def in_vain(facts: Facts, control: Control, verdict: Verdict, clock: Clock) -> dict[str, Value]:
    """Who attested this control on this host, when, and why that does not count; else nothing."""
    document = facts.attached.get(ATTESTATIONS)
    used = any(quote.read == ATTESTATIONS for quote in verdict.evidence)
    if document is None or used or verdict.result in _SATISFIED:
        return {}
    try:
        entries = [e for e in json.loads(document) if e.get("control") == control.id]
        host = facts.capture.host
        own = [e for e in entries if host in e.get("hosts", [host])]
        newest = max(own, key=lambda e: str(e["date"]), default=None)
        return {} if newest is None else _told(newest, control, clock)
    except (ValueError, KeyError, TypeError, AttributeError):
        # a document of another form is the judge's to refuse
        return {}


def _told(entry: dict[str, Any], control: Control, clock: Clock) -> dict[str, Value]:
    said = date.fromisoformat(entry["date"])
    end = attestation_end(entry)
    if datetime.combine(said, time(), UTC) > clock.now + timedelta(hours=14):
        why = msg("attestation_to_come")
    elif end <= clock.now:
        why = msg("attestation_over", day=end.date())
    elif control.attested is None:
        why = msg("attestation_none_taken")
    else:
        zh = msg("attestation_for_else", what=control.attested.zh).zh
        en = str(msg("attestation_for_else", what=control.attested.en))
        return _values(entry, zh, en)
    return _values(entry, in_chinese(why), str(why))


def _values(entry: dict[str, Any], zh: str, en: str) -> dict[str, Value]:
    return {
        "in_vain_by": str(entry["by"]),
        "in_vain_day": str(entry["date"]),
        "in_vain_zh": zh,
        "in_vain_en": en,
    }
