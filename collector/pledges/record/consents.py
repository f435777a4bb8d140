"""Who agreed, in a pledge record, to which probes of which hosts."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from collector.pledges.record.form import PledgeRecord


def agreed(record: PledgeRecord, today: date) -> dict[str, frozenset[str]]:
    """Probe → the declared hosts for which somebody agreed to it, as of a day in China."""
    found: dict[str, set[str]] = {}
    for consent in record.document.get("probes", ()):
        if (
            date.fromisoformat(consent["agreed_on"])
            <= today
            <= date.fromisoformat(consent["until"])
        ):
            for name in consent["names"]:
                found.setdefault(name, set()).update(consent.get("hosts", record.hosts))
    return {name: frozenset(hosts) for name, hosts in found.items()}


def lacking(
    record: PledgeRecord, today: date, hosts: Iterable[str], names: Iterable[str]
) -> list[tuple[str, str]]:
    """(probe, host) to which nobody agreed, or not any more."""
    known = agreed(record, today)
    wanted = list(hosts)
    return [(n, h) for n in names for h in wanted if h not in known.get(n, frozenset())]


def by_whom(record: PledgeRecord, today: date, names: Iterable[str]) -> str:
    """Who agreed to these, on which days, and until when: for the recordings."""
    wanted = set(names)
    told = [
        f"{consent['by']} ({consent['agreed_on']} – {consent['until']})"
        for consent in record.document.get("probes", ())
        if wanted & set(consent["names"]) and consent["agreed_on"] <= str(today) <= consent["until"]
    ]
    return "; ".join(dict.fromkeys(told))
