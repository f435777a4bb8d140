"""What a verifier wants of evidence beside its signature, and whether a bundle has it. Pure.

That a bundle verifies says whose it is and that nobody changed it. Whether it is enough is for its
reader to say: a policy does. One that leaves something out wants it as `STRICT` does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from collector.errors import BadInput, listed, shown
from collector.i18n.message import msg
from collector.model import Text
from collector.verify.looks import not_looked_at, said
from collector.verify.verification import Verification

SCHEMA = "urn:hostpledge:schema:policy:1"
# as long as evidence counts as fresh in the register (catalogs/clocks.yml)
FRESH_DAYS = 90
# of `fresh_days`: nothing at all there would look as if something were wanted
ANY = "any"
_NAMED = 5


@dataclass(frozen=True, slots=True)
class Policy:
    """The members of schemas/policy.schema.json; None wants nothing of that kind."""

    name: str
    complete: bool = True
    own_words: bool = False
    fresh_days: int | None = FRESH_DAYS
    judged_when_looked: bool = True
    grade: int = 2
    pledge: str | None = None
    hosts: tuple[str, ...] = ()
    handed_in: bool = False
    key_roles: bool = True
    fresh_trust: bool = True
    timestamp: bool = True
    timestamp_authorities: tuple[str, ...] = ()
    log: bool = True
    ahead: bool = False
    waivers: bool = False
    same_machine: bool = False
    replay: bool = True

    def __post_init__(self) -> None:
        """Raises BadInput for a member of another type than its own: `"no"` would count as yes."""
        for name in _ITS_OWN:
            value = getattr(self, name)
            if not _fits(name, value):
                raise BadInput(
                    msg("policy_member", name=name, value=repr(value)[:60], wants=_WANTS[name]),
                    where=f"Policy({shown(str(self.name)[:60])})",
                )


_TRUTHS = (
    "complete", "own_words", "judged_when_looked", "handed_in", "key_roles", "fresh_trust",
    "timestamp", "log", "ahead", "waivers", "same_machine", "replay",
)  # fmt: skip
_WANTS = {
    **dict.fromkeys(_TRUTHS, "True, False"),
    "name": "str",
    "fresh_days": "int 0-36600, None",
    "grade": "2, 3",
    "pledge": "str, None",
    "hosts": "tuple[str, ...]",
    "timestamp_authorities": "tuple[str, ...]",
}
_ITS_OWN = tuple(_WANTS)
_OLDEST = 36600


def _fits(name: str, value: object) -> bool:
    """Is it of the type, and in the bounds, of schemas/policy.schema.json?"""
    if name in _TRUTHS:
        return isinstance(value, bool)
    if name in ("hosts", "timestamp_authorities"):
        return isinstance(value, tuple) and all(isinstance(one, str) and one for one in value)
    if name in ("fresh_days", "pledge") and value is None:
        return True
    if name in ("name", "pledge"):
        return isinstance(value, str) and bool(value)
    if not isinstance(value, int) or isinstance(value, bool):
        return False
    return value in (2, 3) if name == "grade" else 0 <= value <= _OLDEST


STRICT = Policy("strict")


@dataclass(frozen=True, slots=True)
class Unmet:
    """Something that a policy wants and a bundle has not; `name` is the member of the policy."""

    name: str
    why: Text

    def to_json(self) -> dict[str, Any]:
        return {"wants": self.name, "why": {"zh": self.why.zh, "en": self.why.en}}


def policy_of(document: Mapping[str, Any], name: str) -> Policy:
    """From a document that fits the schema; its `record` is for the caller to look up."""
    given = {k: v for k, v in document.items() if k not in ("schema", "record")}
    for several in ("hosts", "timestamp_authorities"):
        if several in given:
            given[several] = tuple(given[several])
    if given.get("fresh_days") == ANY:
        given["fresh_days"] = None
    return Policy(name, **given)


def unmet(
    policy: Policy,
    found: Verification,
    hosts: Sequence[str],
    again: Text | None = None,
    elsewhere: Sequence[Text] = (),
) -> tuple[Unmet, ...]:
    """What the policy wants in vain of a bundle with these hosts, in the order of its members.

    `again` is what is wrong with it once its captures were judged again, `elsewhere` which of its
    machines a register has seen under another name: neither is done here.
    """
    lacking = [Unmet(name, why) for name, why in _unmet(policy, found, frozenset(hosts))]
    if not policy.same_machine:
        lacking += [Unmet("same_machine", why) for why in elsewhere]
    if policy.replay and again is not None:
        lacking.append(Unmet("replay", again))
    return tuple(lacking)


def _unmet(
    policy: Policy, found: Verification, hosts: frozenset[str]
) -> Iterator[tuple[str, Text]]:
    if policy.complete:
        yield from (("complete", why) for why in found.scope.reasons())
        if found.looks.unseen:
            yield "complete", not_looked_at(found.looks.unseen)
        if found.redacted:
            yield "complete", Text("采集文件已略去", "its captures were left out")
    if not policy.own_words and found.strange:
        count = len(found.strange)
        yield (
            "own_words",
            Text(
                f"{count} 处文字不是所称版本的",
                f"{count} text(s) are not those of the release it names",
            ),
        )
    yield from _when(policy, found)
    if found.scope.grade < policy.grade:
        yield (
            "grade",
            Text(
                f"按 {found.scope.grade} 级判定，须为 {policy.grade} 级",
                f"judged at grade {found.scope.grade}, not at grade {policy.grade}",
            ),
        )
    yield from _whose(policy, found, hosts)
    yield from _signed(policy, found)
    if not policy.ahead and found.ahead:
        named = [one.at.isoformat(timespec="seconds") for one in found.ahead]
        yield (
            "ahead",
            Text(
                f"时间晚于本机时钟：{'、'.join(named)}",
                f"dated later than this clock shows: {', '.join(named)}",
            ),
        )
    yield from _softened(policy, found)


def _when(policy: Policy, found: Verification) -> Iterator[tuple[str, Text]]:
    age, most = found.age_days, policy.fresh_days
    if most is not None and age is None:
        yield (
            "fresh_days",
            Text(
                f"采集时间未载明，最多 {most} 天",
                f"nothing says when it was looked, {most} days ago at most",
            ),
        )
    elif most is not None and age is not None and age > most:
        yield (
            "fresh_days",
            Text(
                f"采集已有 {age} 天，最多 {most} 天",
                f"it was looked {age} days ago, {most} at most",
            ),
        )
    if policy.judged_when_looked and found.looks.of_another_day:
        apart = said(found.looks.apart)
        yield (
            "judged_when_looked",
            Text(
                f"判定时刻与采集时刻相差 {apart.zh}",
                f"judged for another time than it was looked at, {apart.en} apart",
            ),
        )


def _softened(policy: Policy, found: Verification) -> Iterator[tuple[str, Text]]:
    """What makes a verdict better by the signer's word alone."""
    if not policy.waivers and found.waived:
        yield (
            "waivers",
            Text(f"其中有 {found.waived} 项豁免", f"it bears {found.waived} waiver(s)"),
        )
    if not policy.same_machine and found.alike:
        some = found.alike[:_NAMED]
        more = " …" if len(found.alike) > _NAMED else ""
        yield (
            "same_machine",
            Text(
                f"主机的 machine-id、SSH 主机密钥或采集文件相同：{listed(some, '、')}{more}",
                f"hosts of the same machine-id, SSH host key or capture: {listed(some)}{more}",
            ),
        )


def _whose(
    policy: Policy, found: Verification, hosts: frozenset[str]
) -> Iterator[tuple[str, Text]]:
    pledge = found.statement["predicate"]["pledge"]
    if policy.pledge is not None and (pledge is None or pledge["id"] != policy.pledge):
        named = shown(pledge["id"]) if pledge else ""
        yield (
            "pledge",
            Text(
                f"属于登记 {named or '（无）'}，不是 {policy.pledge}",
                f"made for the pledge {named or '(none)'}, not for {policy.pledge}",
            ),
        )
    missing = [host for host in policy.hosts if host not in hosts]
    if missing:
        more = " …" if len(missing) > _NAMED else ""
        yield (
            "hosts",
            Text(
                f"缺 {len(missing)} 台主机：{listed(missing[:_NAMED], '、')}{more}",
                f"{len(missing)} host(s) are missing: {listed(missing[:_NAMED])}{more}",
            ),
        )


def _signed(policy: Policy, found: Verification) -> Iterator[tuple[str, Text]]:
    if not policy.handed_in and found.handed_in:
        yield (
            "handed_in",
            Text(
                f"{found.handed_in} 份采集文件由用户提交，采集方未连接主机",
                f"{found.handed_in} capture(s) were handed in: nobody connected to the hosts",
            ),
        )
    if policy.key_roles:
        for known in found.signers:
            if known.roles is None:
                yield (
                    "key_roles",
                    Text(
                        f"信任文件未写明密钥“{known.name}”的用途（hostpledge key trust 会写明）",
                        f"the trust file does not say what the key {known.name} may sign "
                        "(`hostpledge key trust` writes it)",
                    ),
                )
        if "key_roles" in found.log_lacks:
            yield (
                "key_roles",
                Text(
                    "信任文件未写明登记库日志的密钥的用途（hostpledge key trust 会写明）",
                    "the trust file does not say what the key of the log may sign "
                    "(`hostpledge key trust` writes it)",
                ),
            )
    if policy.fresh_trust and found.trust is not None and not found.trust["fresh"]:
        yield (
            "fresh_trust",
            Text(
                "团队的信任文件已过期（hostpledge trust update）",
                "the team's trust file has expired (`hostpledge trust update`)",
            ),
        )
    stamp = found.stamp
    if policy.timestamp and stamp is None:
        yield "timestamp", Text("没有信任的时间戳", "no timestamp by a trusted authority")
    wanted = policy.timestamp_authorities
    if policy.timestamp and stamp is not None and wanted and stamp.authority not in wanted:
        yield (
            "timestamp_authorities",
            Text(f"时间戳出自“{stamp.authority}”", f"its timestamp is by {stamp.authority}"),
        )
    if policy.log and found.logged is None:
        yield (
            "log",
            Text("没有登记库日志的证明（--proof）", "no proof of the register's log (--proof)"),
        )
    elif policy.log and "log" in found.log_lacks:
        yield (
            "log",
            Text(
                "登记库日志的密钥已到期，或尚未启用",
                "the key of the register's log has ended, or has not begun",
            ),
        )
