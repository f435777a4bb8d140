"""What is odd about a bundle that was attached: no reason to refuse it, and one to ask why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from collector import alike_names
from collector.cli.ui.language import lang, tr
from collector.cli.workflows import judged_again
from collector.errors import BadInput, CollectorError, one_line
from collector.scope import no_hosts

if TYPE_CHECKING:
    from collector.pledges.database.rows import Evidence
    from collector.pledges.register.register import Register
    from collector.verify import Bundle, Verification

_NAMED = 8


class Holding:
    """What a bundle is held to that others made, before it is attached; `odd` as below.

    Raises BadInput for findings that its captures do not give, and for a time yet to come: no
    evidence after it would ever be due.
    """

    def __init__(self, where: str) -> None:
        self.odd: list[str] = []
        self._where = where

    def __call__(self, opened: Bundle, found: Verification) -> None:
        if found.ahead:
            at = found.ahead[0].at.isoformat(timespec="seconds")
            raise BadInput(
                tr(f"其时间 {at} 属于将来", f"it is dated {at}, which is yet to come"),
                where=self._where,
                mend=tr(
                    "请校准主机与本机的时钟，重新采集",
                    "set the clocks of the host and of this machine, and collect anew",
                ),
            )
        why = judged_again.hold(opened, self._where)
        if why is not None:
            self.odd.append(why.to(lang()))


def odd(register: Register, attached: Evidence, opened: Bundle) -> Iterator[str]:
    """One line each: older captures, other machines than before, hosts that are not in it."""
    from collector.cli.workflows import twins
    from collector.replay import handed_in
    from collector.verify.told import alike

    every = register.evidence(attached.pledge)
    newer = [one for one in every if one.collected_at > attached.collected_at]
    if newer:
        number = newer[0].sequence
        yield tr(
            f"采集早于第 {number} 份证据：其中有更旧的采集文件",
            f"looked before evidence {number} did: there are older captures in it",
        )
        yield from _older(register, attached)
    for before in [one for one in every if one.sequence == attached.sequence - 1]:
        others = _other_machines(before, opened)
        if others:
            number = before.sequence
            yield tr(
                f"与第 {number} 份证据相比已是另一台机器（machine-id 不同）：{_named(others)}",
                f"another machine than in evidence {number} (its machine-id is another): "
                f"{_named(others)}",
            )
    id = attached.pledge
    yield from twins.said(twins.unexpected(register, id), id)
    given = handed_in(opened)
    if given:
        yield tr(
            f"由用户提交、并非采集所得的主机：{_named(given)}",
            f"handed in, and not collected from: {_named(given)}",
        )
    strange = _strange(opened)
    if strange:
        yield tr(
            f"{len(strange)} 处文字不是所称版本的，而是签名人自拟：{_named(strange)}",
            f"{len(strange)} text(s) are not those of the release it names, but the signer's own: "
            f"{_named(strange)}",
        )
    hosts = list(alike(opened))
    if hosts:
        yield tr(
            f"主机的 machine-id 相同，可能是同一台机器：{_named(hosts)}",
            f"hosts of the same machine-id, which may be one machine: {_named(hosts)}",
        )
    yield from _of_declared(opened, register.get(attached.pledge).hosts)


def _of_declared(opened: Bundle, declared: Sequence[str]) -> Iterator[str]:
    """What is in it beside the hosts of the record, and which of these are not."""
    yield from _look_alikes(opened, declared)
    if not declared:
        yield no_hosts().to(lang())
    elif others := [name for name in opened.names if name not in declared]:
        yield tr(
            f"登记中没有的主机（名称在采集文件之内，与文件名无关）：{_named(others)}；"
            "其问题也记在此登记名下",
            f"not declared in the record (a capture bears its name inside, whatever its file is "
            f"called): {_named(others)}; what was found there counts for this pledge",
        )
    missing = [name for name in declared if name not in opened.names]
    if missing:
        names = tr("、", ", ").join(missing)
        yield tr(
            f"登记的主机中，此证据包没有：{names}",
            f"declared in the record, and not in this bundle: {names}",
        )


def _look_alikes(opened: Bundle, declared: Sequence[str]) -> Iterator[str]:
    """Hosts in it whose names look as those of others, and are not the same."""
    found = list(alike_names.pairs(opened.names, declared))
    if found:
        names = _named([f"{ascii(name)[1:-1]} ({other})" for name, other in found])
        yield tr(
            f"主机名形似另一主机，并非同名：{names}",
            f"named to look as another host, and not the same: {names}",
        )


def _older(register: Register, attached: Evidence) -> Iterator[str]:
    """What an older look changes: nothing."""
    from collector.pledges.register.attach import is_older

    if attached.past:
        yield tr(
            "其中的主机此前均已有更新的采集：仅为存档，不改变任何问题，也不改变现状",
            "all its hosts have been looked at later already: it is on record, and changes no "
            "finding, nor what is said of the present",
        )
        return
    known = register.newest_looks(attached.pledge)
    hosts = sorted(one.host for one in register.sightings_of(attached) if is_older(one, known))
    if hosts:
        yield tr(
            f"此前已有更新采集的主机，按未核查计，不改变其问题：{_named(hosts)}",
            f"looked at later already, so that here they count as not looked at, and none of their "
            f"findings changes: {_named(hosts)}",
        )


def _strange(opened: Bundle) -> list[str]:
    from collector.verify.asked import Asked

    asked = Asked(opened, None)
    for _, entry in opened.hosts():
        for finding in entry["findings"]:
            asked.finding(finding)
    return list(asked.strange)


def _other_machines(before: Evidence, opened: Bundle) -> list[str]:
    from collector.pledges.status.latest_bundle import Newest

    try:
        known = Newest(before).machines
    except CollectorError:
        # whoever asks for the status is told what is wrong with the store
        return []
    return [
        target["host"]
        for target in opened.statement["predicate"].get("targets", ())
        if target["machine"] and known.get(target["host"]) not in (None, target["machine"])
    ]


def _named(hosts: list[str]) -> str:
    shown = tr("、", ", ").join(one_line(host) for host in hosts[:_NAMED])
    return shown + (" …" if len(hosts) > _NAMED else "")
