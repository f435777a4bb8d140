"""The register as an inventory of Ansible: hosts by pledge, customer, grade and due. Pure.

The form is Ansible's for inventory scripts (docs: "Developing dynamic inventory").
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from collector import reaching
from collector.pledges.database.rows import Evidence
from collector.pledges.due.lifecycle import continued, state
from collector.pledges.record.form import PledgeRecord
from collector.pledges.record.masking import masked
from collector.pledges.record.times import CHINA
from collector.pledges.standing.due import due
from collector.pledges.status.findings import Life

RUNNING = ("signed", "active", "suspended", "lapsed")
# what another check answers: everything else that falls due is for a person
ANSWERED = frozenset({"evidence", "waiver", "finding"})
# as Ansible has it for names of groups, which may be in any script
_NO_NAME = re.compile(r"\W")


def running(records: Iterable[PledgeRecord], now: datetime) -> tuple[PledgeRecord, ...]:
    """Those whose hosts are checked: no drafts, none that ended."""
    records = tuple(records)
    renewed = continued(records)
    today = now.astimezone(CHINA).date()
    return tuple(
        record
        for record in records
        if state(record, today, renewed=record.id in renewed) in RUNNING
    )


def check_is_due(
    record: PledgeRecord,
    evidence: Sequence[Evidence],
    now: datetime,
    within: timedelta,
    *,
    renewed: bool,
    lives: Sequence[Life] | None,
) -> bool:
    """Is there a time as `check_due_since` has it?"""
    found = check_due_since(record, evidence, now, within, renewed=renewed, lives=lives)
    return found is not None


def check_due_since(
    record: PledgeRecord,
    evidence: Sequence[Evidence],
    now: datetime,
    within: timedelta,
    *,
    renewed: bool,
    lives: Sequence[Life] | None,
) -> datetime | None:
    """When the first thing fell due, or will `within` that time, that another check answers.

    A waiver that ended before the newest evidence was collected was judged without already.
    """
    newest = max((e.collected_at for e in evidence if e.whole and not e.refused), default=None)
    found = [
        entry.at
        for entry in due(record, evidence, now, within=within, renewed=renewed, lives=lives)
        if entry.kind in ANSWERED
        and not (entry.kind == "waiver" and newest is not None and entry.at < newest)
    ]
    return min(found, default=None)


def inventory_of(
    records: Iterable[PledgeRecord],
    evidence: Mapping[str, Sequence[Evidence]],
    now: datetime,
    within: timedelta,
    lives: Mapping[str, Sequence[Life]],
) -> dict[str, Any]:
    """`{"_meta": {"hostvars": …}, group: {"hosts": […]}, …}`.

    Groups: `pledge_<id>` and `customer_<name>` (what no group may be named is `_`), `grade_2`,
    `grade_3`; `due`: of a pledge that something is overdue of at `now`, or falls due `within`
    that time; `check_due`: of one where a check is what is due. A host's variables:
    `hostpledge_pledges` (ids, in order) and `hostpledge_grade`, the highest of them. `lives`:
    what became of the findings of a pledge, where that is known.
    """
    records = tuple(records)
    renewed = continued(records)
    groups: dict[str, list[str]] = {}
    variables: dict[str, dict[str, Any]] = {}
    known = running(records, now)
    pledges = group_names("pledge", (record.id for record in known))
    customers = group_names("customer", (_customer(record) for record in known))
    for record in known:
        names = [pledges[record.id], customers[_customer(record)], f"grade_{record.grade}"]
        attached = evidence.get(record.id, ())
        again = record.id in renewed
        known_lives = lives.get(record.id)
        if due(record, attached, now, within=within, renewed=again, lives=known_lives):
            names.append("due")
        if check_is_due(record, attached, now, within, renewed=again, lives=known_lives):
            names.append("check_due")
        for host in record.hosts:
            about = variables.setdefault(host, {"hostpledge_pledges": [], "hostpledge_grade": 2})
            about["hostpledge_pledges"].append(record.id)
            about["hostpledge_grade"] = max(about["hostpledge_grade"], record.grade)
            for name in names:
                groups.setdefault(name, []).append(host)
    found: dict[str, Any] = {"_meta": {"hostvars": variables}}
    for name, members in sorted(groups.items()):
        found[name] = {"hosts": sorted(set(members))}
    return found


def group_names(kind: str, names: Iterable[str]) -> dict[str, str]:
    """The group of each name; two names never share one.

    Where two of them come to the same once they are fit for Ansible, those that had to be changed
    end in a piece of their digest.
    """
    fit = {name: _NO_NAME.sub("_", name) for name in names}
    count: dict[str, int] = {}
    for name in fit.values():
        count[name] = count.get(name, 0) + 1
    return {
        name: f"{kind}_{safe}"
        if count[safe] == 1 or name == safe
        else f"{kind}_{safe}_{hashlib.sha256(name.encode()).hexdigest()[:6]}"
        for name, safe in fit.items()
    }


def static(found: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """What `inventory_of` gave in the form of Ansible's YAML inventories.

    And the hosts that cannot be in one, because Ansible or ssh would take their names for
    something else: records may be older than what is refused of them now.
    """
    kept, odd = without_odd(found)
    children: dict[str, Any] = {
        name: {"hosts": {host: {} for host in group["hosts"]}}
        for name, group in kept.items()
        if name != "_meta"
    }
    return {"all": {"hosts": kept["_meta"]["hostvars"], "children": children}}, odd


def _is_odd(host: str, groups: Collection[str]) -> bool:
    """A host of a group's name would be all hosts of that group, whoever's they are."""
    return bool(host in groups or reaching.wrong_declared(host) or reaching.wrong_address(host))


def without_odd(found: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """What `inventory_of` gave without the hosts that `static` leaves out, and those."""
    variables = found["_meta"]["hostvars"]
    odd = tuple(host for host in variables if _is_odd(host, found.keys()))
    kept: dict[str, Any] = {
        name: {"hosts": [host for host in group["hosts"] if host not in odd]}
        for name, group in found.items()
        if name != "_meta"
    }
    return {"_meta": {"hostvars": {h: v for h, v in variables.items() if h not in odd}}} | kept, odd


def _customer(record: PledgeRecord) -> str:
    return str(masked(record.customer))
