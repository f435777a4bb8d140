"""What customers are told to do needs neither this program nor its inventory."""

from __future__ import annotations

from dataclasses import replace

import pytest

from collector import catalog
from collector.model import Text
from collector.remedies.by_hand import by_hand, without_program


@pytest.mark.parametrize("id", sorted(catalog.described()))
def test_no_customer_is_sent_to_a_program_of_the_provider(id: str) -> None:
    known = catalog.described()[id]
    found = by_hand(known.remediation, known.title)
    for was, now in ((known.remediation.zh, found.zh), (known.remediation.en, found.en)):
        assert now
        assert "hostpledge harden" not in now and "hostpledge explain" not in now
        assert "INVENTORY" not in now
        assert "hostpledge inventory" not in now and "hostpledge bundle" not in now
        # every sentence of the manual steps stays
        for word in ("手工", "By hand"):
            assert now.count(word) == was.count(word)


@pytest.mark.parametrize("id", sorted(catalog.described()))
def test_what_was_found_sends_to_no_program_of_the_provider(id: str) -> None:
    for said in catalog.described()[id].messages.values():
        found = without_program(said)
        assert found.zh and found.en
        assert "hostpledge inventory" not in found.zh + found.en


def test_what_a_role_does_alone_is_said_as_what_is_to_be_reached() -> None:
    known = catalog.described()["intrusion.root_login"]
    alone = replace(
        known,
        remediation=Text(
            "先执行 hostpledge harden -i INVENTORY --control a.b：不通就回滚。",
            "First hostpledge harden -i INVENTORY --control a.b: it rolls back.",
        ),
    )
    found = by_hand(alone.remediation, Text("禁止 root 登录", "no login as root"))
    assert found == Text("应达到：禁止 root 登录", "to be reached: no login as root")
    assert by_hand(Text("照做。", "Do it."), known.title) == Text("照做。", "Do it.")
