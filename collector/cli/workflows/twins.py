"""Which machine was seen before under another name, or as evidence of another pledge."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from collector.cli.ui.language import lang, tr
from collector.errors import BadInput, one_line
from collector.model import Text

if TYPE_CHECKING:
    from collector.pledges.database.sightings import Another, Twin
    from collector.pledges.register.register import Register
    from collector.verify import Bundle

_MOST = 8
# what is the same, as people read it
KINDS = {
    "machine": Text("machine-id", "machine-id"),
    "hostkey": Text("SSH 主机密钥", "SSH host key"),
    "boot": Text("boot_id", "boot_id"),
    "nonce": Text("采集随机数", "nonce of the capture"),
    "capture": Text("采集文件", "capture"),
    "output": Text("采集输出", "output of the collector"),
}


def strange(register: Register, id: str, twins: Sequence[Twin]) -> tuple[Twin, ...]:
    """Without those that are to be expected: the same host of a record that this one continues,

    or that continues this one.
    """
    kin = {id}
    renews = {b.id: b.document.get("renews") for b in register.briefs()} if twins else {}
    while more := {a for pair in renews.items() if pair[1] and kin & set(pair) for a in pair} - kin:
        kin |= {one for one in more if one}
    return tuple(t for t in twins if t.host != t.other or t.pledge not in kin)


def of_pledge(register: Register, id: str) -> tuple[Twin, ...]:
    """Where else its machines were seen; where another pledge's rows are doubtful that is said."""
    import click

    try:
        register.take_in()
    except BadInput as problem:
        click.echo(str(problem), err=True)
    return register.twins(id)


def unexpected(register: Register, id: str) -> tuple[Twin, ...]:
    """Where else its machines were seen, but for where that is to be expected."""
    return strange(register, id, of_pledge(register, id))


def of_a_run(register: Register, id: str) -> tuple[Twin, ...]:
    """As `unexpected`, but for containers of one machine that one pledge declares.

    They have its boot_id in common, and nothing else.
    """
    every = unexpected(register, id)
    return tuple(t for t in every if t.pledge != id or t.kinds != ("boot",))


def to_json(twins: Sequence[Twin]) -> list[dict[str, Any]]:
    """For programs: each host, and which other one of which pledge is the same."""
    return [
        {
            "host": twin.host,
            "pledge": twin.pledge,
            "as": twin.other,
            "evidence": twin.sequence,
            "same": list(twin.kinds),
        }
        for twin in twins
    ]


def others_said(found: Sequence[Another]) -> list[str]:
    """One line for each host that is another machine than it was."""
    said = []
    for one in found[:_MOST]:
        host = one_line(one.host)
        said.append(
            tr(
                f"{host} 自第 {one.since} 份证据起，与第 {one.before} 份证据中的不是同一台机器"
                "（machine-id 不同）",
                f"{host}: since evidence {one.since} another machine than in evidence {one.before} "
                "(its machine-id is another)",
            )
        )
    if (more := len(found) - _MOST) > 0:
        said.append(tr(f"另有 {more} 台，见 --format json", f"and {more} more: --format json"))
    return said


def others_json(found: Sequence[Another]) -> list[dict[str, Any]]:
    return [{"host": one.host, "since": one.since, "before": one.before} for one in found]


def of_bundle(register: Register, opened: Bundle) -> tuple[Text, ...]:
    """Which machines of a bundle the register has seen under another name; of any pledge."""
    from collector.pledges.database import sightings

    run, pledge = opened.said.get("run"), opened.said["pledge"]
    if opened.redacted:
        seen = [sightings.of_entry(host, entry, run) for host, entry in opened.hosts()]
    else:
        seen = list(sightings.of_bundle(opened.root / "data", opened.subjects, run))
    found = register.twins_of(pledge["id"] if pledge else "", seen)
    if pledge is not None:
        found = strange(register, pledge["id"], found)
    else:
        found = tuple(twin for twin in found if twin.host != twin.other)
    return tuple(map(_text, found[:_MOST]))


def said(twins: Sequence[Twin], pledge: str = "") -> list[str]:
    """One line each, a few of them at most; the rest by the command that lists them."""
    found = [_said(twin) for twin in twins[:_MOST]]
    more = len(twins) - _MOST
    if more > 0:
        listed = "hostpledge register machines" + (f" --pledge {pledge}" if pledge else "")
        found.append(tr(f"另有 {more} 处，见 {listed}", f"and {more} more: `{listed}`"))
    return found


def _said(twin: Twin) -> str:
    return _text(twin).to(lang())


def _text(twin: Twin) -> Text:
    host, other, pledge = one_line(twin.host), one_line(twin.other), twin.pledge
    zh = "、".join(KINDS[kind].zh for kind in twin.kinds)
    en = ", ".join(KINDS[kind].en for kind in twin.kinds)
    return Text(
        f"{host} 与登记 {pledge} 的主机 {other}（第 {twin.sequence} 份证据）相同：{zh}",
        f"{host} is the same as {other} of pledge {pledge} (evidence {twin.sequence}): {en}",
    )
