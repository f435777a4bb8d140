"""Judges a bundle's captures again, and compares two bundles."""

from collector.replay.agreement import contradiction, differing, wrong
from collector.replay.judging_again import (
    Comparison,
    Difference,
    Lost,
    Replayed,
    diff,
    handed_in,
    replay,
)

__all__ = [
    "Comparison",
    "Difference",
    "Lost",
    "Replayed",
    "contradiction",
    "diff",
    "differing",
    "handed_in",
    "replay",
    "wrong",
]
