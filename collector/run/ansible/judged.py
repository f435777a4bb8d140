"""The action `hostpledge_judge`: what controls say of a host just now, by the judges themselves.

A role asks before it changes anything, so that it never mends what is in order, nor by a rule that
is not the judge's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from collector import catalog
from collector.judging.hosts import judge
from collector.run.probes.looking import LookingAction


class ActionModule(LookingAction):
    """Returns `verdicts`: by control its `verdict`, `reason`, `message` (English) and `values`."""

    about = "what this host is like: "
    spec: ClassVar[Mapping[str, Any]] = {
        "controls": {"type": "list", "elements": "str", "required": True},
        "grade": {"type": "int", "default": 2},
    }

    def look(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The verdicts. Raises CollectorError."""
        wanted = [catalog.control(id) for id in given["controls"]]
        capture = self.captured(catalog.reads_for(wanted).values())
        findings = judge(capture, wanted, grade=given["grade"])
        return {
            "verdicts": {
                f.control: {
                    "verdict": str(f.result),
                    "reason": f.reason,
                    "message": f.message.en,
                    "values": plain(f.values),
                }
                for f in findings
            }
        }


def plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """A verdict's values as Ansible may hold them."""
    return {k: list(v) if isinstance(v, (list, tuple)) else v for k, v in values.items()}
