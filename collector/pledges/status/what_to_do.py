"""What a finding asks for by why it is one: a document, or nothing but time. Pure.

What a control says of itself is for a host on which something is to be changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from collector.model import Result, Text

# the reason by which judges say that all is set, and the records are young; and by which of its
# values, on which day they are old enough
_YOUNG, _ON = "young", ("date", "on")
_BY_REASON: Mapping[Any, Text] = {
    (Result.NOTCHECKED, "no_inventory"): Text(
        "提交数据分类分级清单（有哪些数据、存于何处、是否须备份），由接入服务商登记后重新核查",
        "hand in the data inventory (which data there are, where they lie, whether they must be "
        "backed up); once the provider has it on record, the host is checked again",
    ),
}


def waits_until(finding: Mapping[str, Any]) -> str:
    """The day (ISO) on which it is fulfilled if all goes on as it is; empty where work is needed.

    `finding` is as evidence has it.
    """
    if finding.get("verdict") != Result.PARTIAL or finding.get("reason") != _YOUNG:
        return ""
    values = finding.get("values", {})
    for name in _ON:
        try:
            return date.fromisoformat(str(values.get(name))).isoformat()
        except ValueError:
            continue
    return ""


def mend(finding: Mapping[str, Any], of_control: Text) -> Text:
    """What is to be done; `of_control` is what its control says."""
    if day := waits_until(finding):
        return Text(
            f"保持现有设置与记录，不必改动；自 {day} 起满期，其后复查",
            f"leave settings and records as they are: it is fulfilled on {day}, and looked at "
            "again then",
        )
    return _BY_REASON.get((finding.get("verdict"), finding.get("reason")), of_control)
