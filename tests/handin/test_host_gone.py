"""A link for a host that its record declares no more says so, and takes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from collector.handin import links
from collector.handin.gone import tell
from collector.handin.places import Places
from collector.pledges.register.register import Register
from tests.cli.running import hostpledge
from tests.clock import today
from tests.handin.served import Served, output, serving
from tests.pledges.records import made
from tests.web.sites import Place, Site, filled, with_accounts
from tests.web.test_declared_since import _declares


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with serving(tmp_path / "hand-in") as found:
        yield found


def test_what_it_answers(served: Served) -> None:
    places = Places(served.folder)
    link, address = served.link()
    used, taken = served.link()
    data = output()
    served.put(taken, data)
    tell(places, {link.pledge: ["another"]}, {}, datetime.now(UTC))
    for answer in (served.curl(address), served.curl(f"{address}/collect.sh"),
                   served.put(address, output("b"))):  # fmt: skip
        assert answer.status == 410, answer.text
        assert "no longer declared" in answer.text and "已不在登记之中" in answer.text
        assert link.host not in answer.text
    # what came before has its receipt, which says that the host is gone
    receipt = served.curl(taken)
    assert receipt.status == 200
    assert f"{used.host}（已不在登记中 no longer declared）" in receipt.text
    assert served.put(taken, data).status == 200
    tell(places, {link.pledge: [link.host]}, {}, datetime.now(UTC))
    assert served.curl(address).status == 200
    assert "no longer declared" not in served.curl(taken).text


def test_what_is_damaged_here_is_no_matter_of_who_holds_a_link(served: Served) -> None:
    """It is told that this does not go now, and neither what is wrong nor where."""
    places = Places(served.folder)
    link, address = served.link()
    served.put(address, output())
    places.file("receipts", link.digest, ".json").write_bytes(b"\xff{")
    for answer in (served.curl(address), served.put(address, output("b"))):
        assert answer.status == 500, answer.text
        assert str(served.folder) not in answer.text and "receipts" not in answer.text
        assert "damaged" not in answer.text
        assert "later" in answer.text


def test_the_page_tells_as_soon_as_the_record_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from datetime import timedelta

    from collector.pledges.database import location

    monkeypatch.setenv("HOSTPLEDGE_HOME", str(tmp_path / "home"))
    own: Place = filled(tmp_path / "web")
    with_accounts(own.state)
    places = Places(location.place(own.register).hand_in)
    _, token = links.new(places, "demo-1", "web-01", 3, timedelta(days=1))
    site = Site(own)
    browser = site.browser()
    assert browser.get(f"/hand-in/{token}").status_code == 200
    _declares(Register.open(own.register), ["web-02"])
    site.house.index.renew()
    assert browser.get(f"/hand-in/{token}").status_code == 410


def test_nothing_opens_the_links_of_what_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOSTPLEDGE_HOME", str(tmp_path / "home"))
    own = filled(tmp_path / "web")
    with_accounts(own.state)
    register, words = Register.open(own.register), ["--register", own.register]
    token = hostpledge("pledge", "hand-in-link", "demo-1", "web-01", *words).out.split("/")[-1]
    ended = {"date": today().isoformat(), "reason": "x", "by": "y"}
    register.add(made(**{**register.get("demo-1").document, "ended": ended}), update=True)
    site = Site(own)
    browser = site.browser()
    for _ in range(2):
        assert browser.get(f"/hand-in/{token.strip()}").status_code == 410
        listed = hostpledge("pledge", "hand-in-link", "--list", *words)
        assert listed.status == 0
    again = hostpledge("pledge", "hand-in-link", "demo-1", "web-01", *words)
    assert again.status == 2 and "nothing is handed in" in again.err


def test_a_link_that_is_newer_than_what_was_read_is_left_alone(served: Served) -> None:
    """Its host may have been declared in between."""
    places = Places(served.folder)
    before = datetime.now(UTC) - timedelta(seconds=1)
    _, address = served.link()
    tell(places, {}, {}, before)
    assert served.curl(address).status == 200
    tell(places, {}, {}, datetime.now(UTC))
    assert served.curl(address).status == 410
