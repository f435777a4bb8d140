"""A backup that is restored under a running page: it shows what is there, and nothing is broken."""

from __future__ import annotations

import html
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from collector.errors import BadInput
from collector.pledges.database.rows import Evidence
from collector.pledges.register.register import Register
from collector.pledges.standing.listing import Listed
from collector.pledges.transfer import restore as restoring
from collector.pledges.transfer.backup import write as backup
from collector.pledges.transfer.restore import restore
from collector.web.reading import broken
from collector.web.reading.library import Library
from tests.cli.running import hostpledge
from tests.pledges import lives
from tests.web.sites import Place, Site, filled, with_accounts

NOW = datetime.now(UTC)


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.setenv("HOSTPLEDGE_HOME", str(tmp_path / "home"))
    found = filled(tmp_path / "web")
    with_accounts(found.state)
    return found


def _saved(own: Place, tmp_path: Path) -> Path:
    """A backup; and after it one more bundle is attached."""
    file = tmp_path / "old.zip"
    backup(Register.open(own.register), file)
    _attach(own, 1)
    return file


def _attach(own: Place, hours: int) -> int:
    at = NOW - timedelta(hours=hours)
    register = Register.open(own.register)
    return lives.check(register, "demo-2", own.signer, lives.captured("weak"), at).sequence


def _well(site: Site) -> None:
    page = site.browser("boss").get("/pledges/demo-2?lang=en").text
    assert "Nothing is proven" not in page
    with site.house.library.open() as register:
        assert register.newest_and_doubts()[1] == []
    site.house.index.renew()
    assert site.house.index.said("doubts") == []


def test_in_its_place_the_page_shows_what_is_there_now(own: Place, tmp_path: Path) -> None:
    file, site = _saved(own, tmp_path), Site(own)
    _well(site)
    restore(file, own.register, replace=True)
    _well(site)
    assert [e.sequence for e in _evidence(site)] == [1]
    assert _attach(own, 2) == 2
    _well(site)
    # and as a file that was not there
    Path(own.register).rename(tmp_path / "away")
    for name in ("-wal", "-shm"):
        Path(own.register + name).unlink(missing_ok=True)
    restore(file, own.register)
    _well(site)
    assert [e.sequence for e in _evidence(site)] == [1]
    assert _attach(own, 3) == 2


def _evidence(site: Site) -> list[Evidence]:
    with site.house.library.open() as register:
        return list(register.evidence("demo-2"))


def test_who_reads_while_it_is_restored_remembers_nothing_of_before(
    own: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not for whoever attaches next: a log that is remembered longer is one that was cut."""
    file, library, fill = _saved(own, tmp_path), Library(own.register), restoring._fill

    def slow(*words: object) -> int:
        done = fill(*words)  # type: ignore[arg-type]
        for one in (library, Library(own.register)):
            with one.open() as register:
                assert register.newest_and_doubts()[1] == []
        return done

    monkeypatch.setattr(restoring, "_fill", slow)
    restore(file, own.register, replace=True)
    assert _attach(own, 2) == 2
    with library.open() as register:
        assert register.newest_and_doubts()[1] == []


def test_another_register_in_its_place_is_not_shown(own: Place, tmp_path: Path) -> None:
    site = Site(own)
    other = filled(tmp_path / "other")
    file = tmp_path / "other.zip"
    backup(Register.open(other.register), file)
    restore(file, own.register, replace=True)
    with pytest.raises(BadInput, match="another register"), site.house.library.open():
        pass
    assert "another register" in site.browser("boss").get("/pledges/demo-2?lang=en").text


def test_who_has_a_home_of_their_own_is_told_what_to_do(
    own: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the unit has it: an engineer restores, and the page remembers the longer log."""
    file = _saved(own, tmp_path)
    page, desk = str(tmp_path / "of-the-page"), str(tmp_path / "home")
    # with the same trust, and no memory of the log
    shutil.copytree(desk, page)
    Path(page, "register.logs.json").unlink()
    monkeypatch.setenv("HOSTPLEDGE_HOME", page)
    site = Site(own)
    _well(site)
    monkeypatch.setenv("HOSTPLEDGE_HOME", desk)
    restore(file, own.register, replace=True)
    monkeypatch.setenv("HOSTPLEDGE_HOME", page)
    shown = site.browser("boss").get("/pledges/demo-2?lang=en").text
    assert "hostpledge register restored" in html.unescape(shown)
    done = hostpledge("register", "restored", "--register", own.register, home=Path(page))
    assert done.status == 0, done.err
    _well(site)
    monkeypatch.setenv("HOSTPLEDGE_HOME", desk)
    assert _attach(own, 2) == 2
    monkeypatch.setenv("HOSTPLEDGE_HOME", page)
    _well(site)
    _well(Site(own))


def test_as_many_entries_as_were_lost_are_another_log(own: Place, tmp_path: Path) -> None:
    """Restored and attached to between two looks: file, name and length are what they were."""
    file, library = _saved(own, tmp_path), Library(own.register)
    with library.open() as register:
        mark = register.mark()
    restore(file, own.register, replace=True)
    assert _attach(own, 2) == 2
    with library.open() as register:
        assert register.newest_and_doubts()[1] == []
        assert register.mark() != mark
        assert register.log() is not None


def test_what_cannot_be_read_for_a_moment_is_read_again(
    own: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bundle that is away for one look: the lists do not hold on to that."""
    site, remembered = Site(own), broken.Broken()
    answers = iter((None, True))
    monkeypatch.setattr(broken, "_read", lambda *_: next(answers))
    monkeypatch.setattr(broken, "may_be", lambda *_, **__: True)
    with site.house.library.open() as register:
        rows = register.evidence("demo-0")
        (brief,) = [b for b in register.briefs() if b.id == "demo-0"]
        one = Listed(brief, rows, "active", ())
        found = [remembered.is_broken(register, one, "x", rows, NOW) for _ in range(3)]
    assert found == [False, True, True]
