"""`verify --policy`: which policy is meant, and what is said of a bundle by it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from collector.captures import read_at_most
from collector.cli.ui.language import lang, tr
from collector.errors import BadInput, shown
from collector.schema import check, load_yaml
from collector.verify.policy import STRICT, Policy, Unmet, policy_of

if TYPE_CHECKING:
    from collector.pledges.record.form import PledgeRecord

_LARGEST = 1 << 20


def chosen(given: str) -> Policy:
    """`strict`, or the policy in a file of that name. Raises BadInput for a file that is none."""
    if given == STRICT.name:
        return STRICT
    path = Path(given)
    document: Any = load_yaml(read_at_most(path, _LARGEST), where=given)
    check(document, "policy", where=given)
    if document.get("timestamp") is False and "timestamp_authorities" in document:
        raise BadInput(
            tr(
                "timestamp 为 false，却列有 timestamp_authorities",
                "timestamp is false, and timestamp_authorities are named",
            ),
            where=given,
            mend=tr("去掉其中之一", "leave one of the two out"),
        )
    policy = policy_of(document, given)
    if "record" not in document:
        return policy
    from collector.pledges.record.form import load

    name = Path(document["record"])
    beside = path.parent.resolve()
    # a link leads elsewhere too
    if not (beside / name).resolve().is_relative_to(beside) or ".." in name.parts:
        # what is wrong with a file is told by quoting it
        raise BadInput(
            tr("record 只能是策略文件旁边或其下级的文件", "record: names a file elsewhere"),
            where=given,
            mend=tr("把登记文件放在策略文件旁边", "lay the pledge record beside the policy"),
        )
    return _of_record(policy, document, load(path.parent / name))


def _of_record(policy: Policy, document: Mapping[str, Any], record: PledgeRecord) -> Policy:
    """What the policy itself says of pledge, grade and hosts counts for more than its record."""
    return replace(
        policy,
        pledge=policy.pledge or record.id,
        grade=document.get("grade", record.grade),
        hosts=policy.hosts if "hosts" in document else tuple(record.hosts),
    )


def say(policy: Policy | None, lacking: tuple[Unmet, ...]) -> None:
    """In lines, for people. Without a policy, what the strict one would say, in one."""
    if policy is None:
        click.echo(tr("未重新判定（hostpledge replay）", "Not judged again (hostpledge replay)"))
        if lacking:
            names = tr("、", ", ").join(dict.fromkeys(one.name for one in lacking))
            click.echo(
                tr(
                    f"按严格策略（--policy strict）不予接受：{names}",
                    f"The strict policy (--policy strict) would not accept it: {names}",
                )
            )
        else:
            click.echo(
                tr(
                    "除重新判定外，满足严格策略（--policy strict）",
                    "It meets the strict policy, which would judge it again as well.",
                )
            )
        return
    name = shown(policy.name)
    if not lacking:
        click.echo(tr(f"满足策略 {name}", f"It meets the policy {name}"))
        return
    click.echo(tr(f"不满足策略 {name}：", f"It does not meet the policy {name}:"))
    for one in lacking:
        click.echo(f"  ! {one.name}{tr('：', ': ')}{shown(one.why.to(lang()), 4000)}")


def to_json(policy: Policy | None, lacking: tuple[Unmet, ...]) -> dict[str, Any]:
    """`applied` is false where none was asked for: then it is the strict one, for information."""
    return {
        "name": (policy or STRICT).name,
        "applied": policy is not None,
        "met": not lacking,
        "unmet": [one.to_json() for one in lacking],
    }
