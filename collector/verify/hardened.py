"""Do the two checks of a hardened bundle, and what was done between them, belong together?"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from collector.attest.bundle.part import BEFORE, HARDENING
from collector.errors import VerifyFailed
from collector.i18n.message import msg
from collector.model import Text
from collector.verify.before import WHERE, Before
from collector.verify.bundle import Bundle
from collector.verify.looks import SLACK

# the same in both: who was asked what, about whose pledge
_SHARED = (
    "tool",
    "catalog_sha256",
    "grade",
    "pledge",
    "controls",
    "scope",
    "waivers",
    "attached",
)


def check_names(bundle: Bundle) -> None:
    """Raises VerifyFailed when one of what belongs to a check before hardening stands alone."""
    if bundle.before is not None:
        return
    for name in bundle.subjects:
        if name == HARDENING or name.startswith(BEFORE):
            raise VerifyFailed(msg("statement_names_no_check"), where=f"data/{name}")


def check_between(
    bundle: Bundle,
    before: Before,
    looked: Mapping[str, datetime],
    looked_before: Mapping[str, datetime],
) -> None:
    """Raises VerifyFailed unless the check after is of the same hosts and controls, and later,

    and hardening.json speaks of them. `looked` and `looked_before` are when each host was looked
    at, where that is known.
    """
    where = before.findings.where
    for key in _SHARED:
        if before.frame.get(key) != bundle.frame.get(key):
            raise VerifyFailed(msg("another_after_hardening", key=key), where=where)
    runs = [check.frame["run"] and check.frame["run"]["nonce"] for check in (before, bundle)]
    if None in runs or runs[0] == runs[1]:
        raise VerifyFailed(msg("not_another_run_after"), where=where)
    if set(before.names) != set(bundle.names):
        raise VerifyFailed(msg("about_other_hosts_after"), where=where)
    done = before.hardening
    if set(done["hosts"]) != set(before.names):
        raise VerifyFailed(msg("about_other_hosts_checks"), where=WHERE)
    if not set(done["controls"]) <= set(before.frame["controls"]):
        raise VerifyFailed(msg("about_other_controls_checks"), where=WHERE)
    for host, entry in before.hosts():
        found = {finding["control"]: finding["verdict"] for finding in entry["findings"]}
        for step in done["hosts"][host]["steps"]:
            if found.get(step["control"]) != step["verdict"]:
                raise VerifyFailed(
                    msg("another_verdict_before", host=host, step=step["control"]), where=WHERE
                )
        after = bundle.host(host)
        at, later = (datetime.fromisoformat(e["assessed_at"]) for e in (entry, after))
        if later < at:
            raise VerifyFailed(msg("check_after_older_one", host=host), where=where)
        # what it is judged for is whoever judges free to say
        if host in looked and host in looked_before and looked_before[host] - looked[host] > SLACK:
            raise VerifyFailed(msg("looked_at_after_hardening_first", host=host), where=where)
        if _exchanged(_marks(entry), _marks(after)):
            raise VerifyFailed(msg("another_machine_after", host=host), where=where)


def _marks(entry: Mapping[str, Any]) -> dict[str, set[str]]:
    """By what a machine is known again: its machine-id, its SSH host keys."""
    head = entry["head"]
    keys = {key.strip() for key in str(head.get("hostkey", "")).split("\n")}
    return {"machine": {str(head.get("machine", ""))} - {""}, "hostkey": keys - {""}}


def _exchanged(before: Mapping[str, set[str]], after: Mapping[str, set[str]]) -> bool:
    """Hardening exchanges no machine: of what both checks have of it, something is the same."""
    both = [kind for kind in before if before[kind] and after[kind]]
    return bool(both) and not any(before[kind] & after[kind] for kind in both)


def proven(before: Before) -> Text:
    """What a bundle with both checks shows beside all else."""
    changed = sum(
        any(step["outcome"] in ("changed", "shared") for step in entry["steps"])
        for entry in before.hardening["hosts"].values()
    )
    if before.hardening.get("undo", False):
        return Text(
            f"包内另有恢复之前的采集与结论（{len(before.names)} 台主机），与之后的出自同一批主机、"
            f"同一批核查项，先后有序；hardening.json 记有恢复了什么（{changed} 台主机有改动）。",
            f"It holds the check before putting back too ({len(before.names)} host(s)): of the "
            "same hosts and controls, and earlier; hardening.json says what was put back "
            f"({changed} host(s) changed).",
        )
    return Text(
        f"包内另有整改之前的采集与结论（{len(before.names)} 台主机），与之后的出自同一批主机、"
        f"同一批核查项，先后有序；hardening.json 记有其间所作的改动（{changed} 台主机有改动）。",
        f"It holds the check before hardening too ({len(before.names)} host(s)): of the same hosts "
        f"and controls, and earlier; hardening.json says what was changed between ({changed} "
        "host(s) changed).",
    )
