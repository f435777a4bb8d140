"""What the register gives: a version of a record, a bundle attached to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from collector.pledges.record import PledgeRecord


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a record: the first is 1. Earlier ones are kept as they were."""

    number: int
    record: PledgeRecord
    added_at: datetime


@dataclass(frozen=True, slots=True)
class Evidence:
    """A bundle attached to a pledge record.

    `sequence` counts from 1; `previous` is the digest of the bundle before it (None at 1);
    `collected_at` is the time of its oldest capture, `made_at` what the signed statement says;
    `verdicts` is the verdict of each clause ("2.2" → "pass" …); `path` is where the bundle is kept.
    """

    pledge: str
    sequence: int
    digest: str
    previous: str | None
    collected_at: datetime
    made_at: datetime
    attached_at: datetime
    verdicts: Mapping[str, str]
    path: Path
