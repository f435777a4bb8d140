"""By what an outbox knows a channel: never one for two that reach different people."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from apprise import Apprise

from collector.notify.settings import known_by

# each line: addresses of one form, of which no two reach the same
FORMS = (
    ["mailto://smtp.example.org?from=li@example.org", "mailto://smtp.example.org?from=w@b.org"],
    ["mailto://example.org?user=li&pass=x", "mailto://example.org?user=wang&pass=x"],
    ["mailto://example.org?USER=li&pass=x", "mailto://example.org?USER=wang&pass=x"],
    ["mailto://li:x@example.org", "mailto://wang:x@example.org", "mailto://li:x@example.net"],
    ["mailto://u:p@h.org/li@a.org", "mailto://u:p@h.org/wang@a.org"],
    ["mailto://u:p@h.org?To=li@a.org", "mailto://u:p@h.org?To=wang@a.org"],
    ["mailto://u:p@h.org?to=li@a.org&to=w@a.org", "mailto://u:p@h.org?to=w@a.org&to=li@a.org"],
    ["mailto://u:p@h.org?to=Li<li@a.org>", "mailto://u:p@h.org?to=Li<wang@a.org>"],
    ["mailto://li%40a.org?to=x@a.org&from=f@a.org", "mailto://w%40a.org?to=x@a.org&from=f@a.org"],
    ["mailto://li:x/s@example.org", "mailto://wang:x/s@example.org"],
    ["mailto://u:p@h.org?cc=li@a.org", "mailto://u:p@h.org?cc=wang@a.org"],
    ["wecombot://?key=AAAAAAAAAAAA", "wecombot://?key=BBBBBBBBBBBB"],
    ["wecombot://AAAAAAAAAAAA", "wecombot://BBBBBBBBBBBB"],
    ["dingtalk://?token=aaaaaaaaaaaa", "dingtalk://?token=bbbbbbbbbbbb"],
    ["dingtalk://s@aaaaaaaaaaaa", "dingtalk://s@bbbbbbbbbbbb", "dingtalk://bbbbbbbbbbbb/13800000000"],
    ["feishu://?token=aaaaaaaaaaaa", "feishu://?Token=bbbbbbbbbbbb", "feishu://cccccccccccc"],
)  # fmt: skip
SAME = (
    ["mailtos://u:one@a.org?to=b@a.org", "mailto://u:two@c.org?from=x@a.org&to=b@a.org"],
    ["mailto://u:one@a.org?to=b@a.org,c@a.org", "mailto://u:one@a.org/c@a.org?to=b@a.org"],
    ["mailto://u:one@a.org", "mailtos://u:two@a.org"],
    ["mailto://a.org?user=li&pass=x", "mailto://a.org?pass=y&user=li"],
    ["wecombot://?key=AAAAAAAAAAAA", "wecombot://AAAAAAAAAAAA/", "wecombot://AAAAAAAAAAAA?format=text"],
    ["dingtalk://one@aaaaaaaaaaaa", "dingtalk://?token=aaaaaaaaaaaa&secret=two"],
    ["feishu://aaaaaaaaaaaa", "feishu://?token=aaaaaaaaaaaa"],
)  # fmt: skip


def _reached(channel: str) -> Any:
    """Whom the sender itself says that it reaches."""
    one: Any = Apprise.instantiate(channel)
    if one is None:
        return channel
    if not hasattr(one, "cc"):
        token = getattr(one, "key", None) or one.token
        return one.app_id, type(one).__name__, token, tuple(getattr(one, "targets", ()))
    return frozenset(address for _, address in one.targets) | one.cc | one.bcc


@pytest.mark.parametrize("channels", FORMS)
def test_two_that_reach_others_are_two(channels: list[str]) -> None:
    assert len({_reached(one) for one in channels}) == len(channels)
    assert len({known_by(one, b"k") for one in channels}) == len(channels)


@pytest.mark.parametrize("channels", SAME)
def test_one_that_is_written_otherwise_is_one(channels: list[str]) -> None:
    assert len({known_by(one, b"k") for one in channels}) == 1
    assert len({_reached(one) for one in channels}) == 1


def test_whatever_is_known_as_one_reaches_the_same() -> None:
    every = [one for form in (*FORMS, *SAME) for one in form]
    for one, other in itertools.combinations(every, 2):
        if known_by(one, b"k") == known_by(other, b"k"):
            assert _reached(one) == _reached(other), (one, other)
