"""Which machine was seen before under another name, or as evidence of another pledge."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from collector.cli.ui.language import lang, tr
from collector.errors import BadInput, one_line
from collector.model import Text

if TYPE_CHECKING:
    from collector.pledges.database.sightings import Twin
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
