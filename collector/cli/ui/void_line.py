"""How evidence that is void is told of, wherever a record is shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from collector.cli.ui.language import tr
from collector.pledges.record.masking import masked


def void_line(entry: Mapping[str, Any]) -> str:
    """Of one entry of a record's `voided`."""
    by, reason = masked(entry["by"]), masked(entry["reason"])
    number, day = entry["sequence"], entry["date"]
    return tr(
        f"第 {number} 份证据已于 {day} 作废（{by}）：{reason}",
        f"evidence {number} is void since {day} ({by}): {reason}",
    )
