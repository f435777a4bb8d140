"""What a bundle that verified proves, and what it does not, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from collector import scope as scopes
from collector.attest.trust.trust_file import TrustedKey
from collector.errors import listed, shown
from collector.model import Result, Text
from collector.scope import Scope
from collector.verify import hardened
from collector.verify.bundle import Bundle

_NAMED = 5


def before(bundle: Bundle) -> tuple[Text, ...]:
    return () if bundle.before is None else (hardened.proven(bundle.before),)


def proven(known: TrustedKey, bundle: Bundle) -> tuple[Text, ...]:
    hosts = len(bundle.names)
    unchanged = Text(
        f"自签名以来，包内每个文件的每个字节均未改动；签名由密钥“{known.name}”（{known.keyid}）作出。",
        f"No byte of any file in it has changed since it was signed, by the key {known.name} "
        f"({known.keyid}).",
    )
    if bundle.redacted:
        return (
            unchanged,
            Text(
                f"{hosts} 台主机的采集文件已略去，其摘要在签名范围内：日后出示的采集文件可据此"
                "核对。",
                f"The captures of the {hosts} host(s) were left out, and their digests are among "
                "what was signed: a capture that is shown later can be held to them.",
            ),
        )
    return (
        unchanged,
        Text(
            f"{hosts} 台主机的结论与其采集文件相互对应：主机、状态、引用的读取内容与条款结论一致。",
            f"What is said of the {hosts} host(s) belongs to their captures: host, status, the "
            "reads that are quoted, and the clauses that follow from the findings.",
        ),
    )


def unproven(bundle: Bundle) -> tuple[Text, ...]:
    found = []
    if bundle.redacted:
        found.append(
            Text(
                "结论与采集文件是否对应、所引内容是否出自采集文件：采集文件已略去，无从核对，"
                "也不能重新判定；须向制作方索取完整证据包（摘要相同）。",
                "That the findings and what they quote come from the captures: those were left "
                "out, so nothing could be held to them, and nothing can be judged again. The whole "
                "bundle, of the same digest, shows it.",
            )
        )
    found.append(
        Text(
            "主机所言是否属实：拥有 root 权限的人可以让主机输出任何内容，签名不能证明其真实。",
            "That the hosts told the truth: whoever is root on a host can make it print anything, "
            "and no signature answers that.",
        )
    )
    if not bundle.redacted:
        found.append(
            Text(
                "判定是否正确：请用 replay 依据采集文件重新判定。",
                "That the captures were judged rightly: `hostpledge replay` judges them again.",
            )
        )
    return tuple(found)


def scope(found: Scope) -> tuple[Text, ...]:
    """The first thing to be told: that it is no proof of what was not wholly looked at."""
    reasons = found.reasons()
    if not reasons:
        return ()
    why_zh = "；".join(reason.zh for reason in reasons)
    why_en = "; ".join(reason.en for reason in reasons)
    none = scopes.no_proof(found.unproven) if found.unproven else Text("不能证明", "no proof")
    return (Text(f"{none.zh}：{why_zh}。", f"Scope: {none.en}: {why_en}."),)


def waivers(bundle: Bundle) -> tuple[Text, ...]:
    """Whether anybody approved them, only the register of the pledge can tell."""
    entries = bundle.frame["waivers"]
    if not entries:
        return ()
    named = [
        f"{shown(w['control'], 80)} @ {listed([w['host']])} ({shown(w['approver'], 80)})"
        for w in entries[:_NAMED]
    ]
    more = " …" if len(entries) > _NAMED else ""
    return (
        Text(
            f"{len(entries)} 项豁免是否确经批准：仅为签名人所言，须与登记核对："
            f"{'、'.join(named)}{more}。",
            f"That {len(entries)} waiver(s) were approved: the signer says so, and only the pledge "
            f"record shows it: {', '.join(named)}{more}.",
        ),
    )


def not_applicable(bundle: Bundle) -> tuple[Text, ...]:
    """A clause of which nothing applies costs its signer nothing to claim."""
    found = []
    for number, clause in bundle.frame["clauses"].items():
        count = clause["counts"].get(Result.NOTAPPLICABLE, 0)
        if count and count == sum(clause["counts"].values()):
            cited = scopes.cited(number)
            found.append(
                Text(
                    f"{cited}的 {count} 条结论均为“不适用”，是否果真如此：核验不能判明，请用 "
                    "replay。",
                    f"{cited}: all its {count} finding(s) are “not applicable”; whether that is so "
                    "no verifying shows, and `hostpledge replay` does.",
                )
            )
    return tuple(found)


def alike(bundle: Bundle) -> tuple[str, ...]:
    """The hosts whose machine-id another of them has as well, those of one machine together."""
    names: dict[str, list[str]] = {}
    for target in bundle.said.get("targets", ()):
        if target["machine"]:
            names.setdefault(target["machine"], []).append(target["host"])
    return tuple(host for hosts in names.values() if len(hosts) > 1 for host in hosts)


class Machines:
    """By what the hosts of a bundle are known again, while they are gone through."""

    def __init__(self) -> None:
        self._names: dict[tuple[str, str], list[str]] = {}

    def add(self, host: str, entry: Mapping[str, Any]) -> None:
        """One host of evidence.json: its machine-id, its SSH host keys, the output it gave."""
        head, origin = entry["head"], entry["origin"]
        marks = [("machine", head.get("machine", "")), ("output", origin.get("output_sha256", ""))]
        marks += [("hostkey", key.strip()) for key in str(head.get("hostkey", "")).split("\n")]
        for mark in marks:
            if mark[1]:
                self._names.setdefault(mark, []).append(host)

    def alike(self) -> tuple[str, ...]:
        """The hosts of which another one has something that one machine alone has."""
        several = (hosts for hosts in self._names.values() if len(hosts) > 1)
        return tuple(dict.fromkeys(host for hosts in several for host in hosts))


def same_machine(bundle: Bundle) -> tuple[Text, ...]:
    """One machine under two names would make up for a host that nobody looked at."""
    hosts = alike(bundle)
    if not hosts:
        return ()
    named = listed(hosts[:_NAMED])
    count = len(hosts)
    return (
        Text(
            f"{count} 台主机是否各为一台机器：其 machine-id 相同（如 {named}），也可能是克隆而来。",
            f"That {count} host(s) are each a machine of their own: they have the same machine-id "
            f"(as {named}), which clones have as well.",
        ),
    )
