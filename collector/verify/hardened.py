"""Do the two checks of a hardened bundle, and what was done between them, belong together?"""

from __future__ import annotations

from datetime import datetime

from collector.attest.bundle.part import BEFORE, HARDENING
from collector.errors import VerifyFailed
from collector.i18n.message import msg
from collector.model import Text
from collector.verify.before import WHERE, Before
from collector.verify.bundle import Bundle

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


def check_between(bundle: Bundle, before: Before) -> None:
    """Raises VerifyFailed unless the check after is of the same hosts and controls, and later,

    and hardening.json speaks of them.
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
        at, later = (datetime.fromisoformat(e["assessed_at"]) for e in (entry, bundle.host(host)))
        if later < at:
            raise VerifyFailed(msg("check_after_older_one", host=host), where=where)


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
