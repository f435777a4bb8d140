"""What a bundle of one host says of the others: nothing; and what is void, changed, handed in."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import MappingProxyType

import pytest
from sqlalchemy import select

from collector import captures, catalog
from collector.attest.bundle import making
from collector.model import Capture, Lang, Waiver
from collector.pledges.database import tables as register_tables
from collector.pledges.database.rows import Version
from collector.pledges.record.form import PledgeRecord, from_document
from collector.pledges.record.times import CHINA
from collector.pledges.record.voiding import with_void, without_void
from collector.pledges.register.attach import attach
from collector.pledges.register.read_only import ReadOnlyRegister
from collector.pledges.register.register import Register
from collector.pledges.standing.then import history_before
from collector.pledges.transfer.disposal import remains
from collector.web.keeping.accounts import Account
from collector.web.reading import monthly
from collector.web.reading.customer import (
    Customer,
    Dossier,
    GoneError,
    NotThenError,
)
from tests.clock import signing_after
from tests.pledges import lives
from tests.pledges.bundles import Signer
from tests.pledges.test_follow_ups import another
from tests.web.sites import PASSWORD, Place, Site, filled, record, with_accounts
from tests.web.test_same_truth import _plain, _rows, _told


def _today() -> date:
    """Not of the module: a run begins before midnight and ends after it."""
    return datetime.now(UTC).astimezone(CHINA).date()


HASH = "encryption.password_hash"
# of high severity, and so its clause fails with it
GRAVE = "classification.inventory"


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """demo-0 has three hosts: web-01 fails a grave control, web-02 alone was looked at today."""
    folder = tmp_path_factory.mktemp("newest")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOSTPLEDGE_HOME", str(folder / "home"))
        place = filled(folder / "web")
        with_accounts(place.state)
        register = Register.open(place.register)
        _hosts(register, ["web-01", "web-02", "web-03"])
        now = datetime.now(UTC)
        grave = (*lives.CONTROLS, GRAVE)
        weak = another(lives.captured("weak"), "c")
        _alone(register, place.signer, "web-01", weak, grave, now - timedelta(hours=9))
        good = another(lives.captured("hardened"))
        _alone(register, place.signer, "web-02", good, lives.CONTROLS, now - timedelta(hours=1))
        yield place


def _hosts(register: Register, hosts: list[str]) -> None:
    known = json.loads(register.get("demo-0").canonical())
    known["resources"]["hosts"] = hosts
    register.add(from_document(known, where="", today=_today()), update=True)


def _alone(
    register: Register,
    signer: Signer,
    host: str,
    taken: Capture,
    controls: Sequence[str],
    at: datetime,
    waivers: Sequence[Waiver] = (),
) -> None:
    """A look at that host, and no other."""
    taken = replace(
        taken,
        host=host,
        collected_at=at,
        nonce=host[-1] * len(taken.nonce),
        origin=MappingProxyType({**taken.origin, "clock": at.isoformat()}),
        head=MappingProxyType({**taken.head, "clock": str(int(at.timestamp()))}),
    )
    folder = signer.folder / f"alone-{host}"
    folder.mkdir(parents=True)
    file = folder / f"{host}{captures.SUFFIX}"
    captures.write(taken, file)
    with signing_after(at):
        made = making.make(
            [file], folder / "bundle", signer.key, grade=3, at=at, waivers=waivers,
            controls=[catalog.control(name) for name in controls],
            pledge=register.reference("demo-0"), declared=register.get("demo-0").hosts,
        )  # fmt: skip
    attach(register, "demo-0", made.path, signer.trust)


@pytest.fixture
def own(base: Place, tmp_path: Path) -> Place:
    """Another of the same, that a test may change."""
    copied = Path(shutil.copytree(base.home, tmp_path / "web"))
    register = copied / "register" / "register.sqlite"
    return replace(base, register=str(register), state=str(copied / "state"), home=copied)


def test_the_newest_look_at_each_host_counts(base: Place) -> None:
    site = Site(base)
    browser = site.browser("boss")
    page = browser.get("/pledges/demo-0?lang=en").text
    rows = dict(re.findall(r'<th class="name" scope="row" title="([^"]*)">(.*?)</tr>', page))
    assert set(rows) == {"web-01", "web-02"}
    assert re.search(
        rf'<td class="fail[^"]*"><a href="/pledges/demo-0/findings/{HASH}/', rows["web-01"]
    )
    assert "evidence 4" in rows["web-01"]
    assert "evidence 5" not in rows["web-02"]
    assert "never looked at" in page
    assert "web-03" in page[page.index("never looked at") :][:200]
    open_ones = page[page.index('id="findings"') : page.index('id="waivers"')]
    assert f"/findings/{HASH}/web-01" in open_ones
    assert f"/findings/{GRAVE}/web-01" in open_ones
    assert site.house.rows.one("demo-0")["standing"] == "broken"  # type: ignore[index]
    dossier = site.house.customer.dossier("demo-0", datetime.now(UTC), None, "en")
    assert dossier.standing == "broken"
    assert dossier.failing == {"2.4"}
    # nor does what was to be mended there stop being late
    assert "finding" in [due.kind for due in dossier.status.overdue]
    assert re.search(r'<div class="answer fail">', page)
    # both have a page of their own, whatever the newest bundle holds
    for control, host in ((HASH, "web-01"), (HASH, "web-02"), ("encryption.residual", "web-01")):
        assert browser.get(f"/pledges/demo-0/findings/{control}/{host}").status_code == 200
    assert browser.get(f"/pledges/demo-0/findings/{HASH}/web-03").status_code == 404


def test_the_command_says_the_same(base: Place) -> None:
    told = json.loads(_told(base, "pledge", "status", "demo-0", "--format", "json"))
    (clause,) = [c for c in told["clauses"] if c["clause"] == "responsibility.2.4"]
    assert clause["verdict"] == "fail"
    assert any("(web-01)" in reason and reason.startswith("fail") for reason in clause["reasons"])
    page = _plain(Site(base).browser("boss").get("/pledges/demo-0?lang=en").text)
    for reason in clause["reasons"]:
        assert " ".join(reason.split()) in page, reason


def test_a_host_that_is_not_declared_any_more_holds_nothing_back(own: Place) -> None:
    _hosts(Register.open(own.register), ["web-02"])
    site = Site(own)
    assert site.house.rows.one("demo-0")["standing"] == "unverified"  # type: ignore[index]
    dossier = site.house.customer.dossier("demo-0", datetime.now(UTC), None, "en")
    assert dossier.failing == frozenset()


def test_exports_say_what_was_handed_in(base: Place) -> None:
    page = Site(base).browser("eng").get("/pledges/demo-0/findings.csv?lang=en")
    assert {row["handed_in"] for row in _rows(page.text)} == {"yes"}
    told = _told(base, "pledge", "findings", "demo-0", "--all", "--format", "csv")
    assert [row["handed_in"] for row in _rows(told)] == ["yes"] * len(_rows(told))


def test_what_is_void_now_is_not_what_was_void_before(own: Place) -> None:
    """As many count as before, and the newest is the same: only another one is void."""
    customer = Site(own).house.customer
    known = customer.dossier("demo-0", datetime.now(UTC), None, "en")
    one, two, three, four, five = known.evidence
    of, states = {}, {}
    for without, left in ((4, (one, two, three, five)), (3, (one, two, four, five))):
        counted = replace(known, evidence=left)
        of[without] = customer.looks(counted).of["web-01"]
        states[without] = {life.control for life in customer.lives(counted)[0]}
    assert of == {4: 3, 3: 4}
    assert GRAVE in states[3] - states[4]


def test_on_its_last_day_a_waiver_still_holds_and_nothing_is_late(own: Place) -> None:
    register, last = Register.open(own.register), _today() + timedelta(days=3)
    known = json.loads(register.get("demo-0").canonical())
    known["follow_ups"] = [
        {"control": GRAVE, "host": "web-01", "owner": "周示例", "due": last.isoformat()}
    ]
    known["waivers"] = [
        {"control": HASH, "host": "web-01", "reason": "年底下线", "approver": "林示例",
         "expires": last.isoformat()},
    ]  # fmt: skip
    register.add(from_document(known, where="", today=_today()), update=True)
    customer, later = Site(own).house.customer, datetime.now(UTC) + timedelta(days=20)
    for day, state, late in ((last, "waived", False), (last + timedelta(days=1), "open", True)):
        dossier = customer.dossier("demo-0", later, day, "en")
        of = {life.control: life for life in dossier.status.lives if life.host == "web-01"}
        assert of[HASH].state == state, day
        assert of[GRAVE].overdue(dossier.moment) is late, day
        assert ("finding" in [due.kind for due in dossier.status.overdue]) is late, day


@pytest.mark.parametrize("day", ["20260101", "2026-W01-4", "2099-01-01", "2026-1-1", "x"])
def test_a_day_that_is_none_or_has_not_come_is_refused(base: Place, day: str) -> None:
    for path in ("/pledges/demo-0", "/pledges/demo-0/findings.csv"):
        answer = Site(base).browser("boss").get(f"{path}?at={day}&lang=en")
        assert answer.status_code == 400
        assert "written like 2026-10-01, and has come" in answer.text


def test_the_file_of_a_past_day_is_named_by_it(
    base: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    site, real = Site(base), Customer.dossier

    def then(self: Customer, id: str, now: datetime, at: date | None, lang: Lang) -> Dossier:
        return replace(real(self, id, now, None, lang), at=at)

    monkeypatch.setattr(Customer, "dossier", then)
    told = site.browser("boss").get("/pledges/demo-0/findings.csv?at=2026-02-03")
    assert "findings-demo-0-2026-02-03.csv" in told.headers["content-disposition"]


def test_a_month_ends_with_its_last_moment() -> None:
    ends = monthly._ends(datetime(2026, 3, 5, tzinfo=UTC))
    assert [(e + timedelta.resolution).astimezone(CHINA).day for e in ends[:-1]] == [1] * 11


def test_lists_say_what_was_handed_in(base: Place) -> None:
    """In the overview, in what falls due, and in the files of both: none of it was collected."""
    site = Site(base)
    browser = site.browser("boss")
    told = {row["id"]: row["handed_in"] for row in _rows(browser.get("/export.csv?lang=en").text)}
    assert told["demo-0"] == "2" and told["demo-3"] == ""
    listed = _rows(_told(base, "pledge", "list", "--format", "csv"))
    assert {row["id"]: row["handed_in"] for row in listed} == told
    due = {r["pledge"]: r["handed_in"] for r in _rows(browser.get("/due/export.csv").text)}
    assert due.items() <= told.items() and due["demo-0"] == "2"
    for path in ("/?lang=en", "/due?lang=en"):
        page = browser.get(path).text
        rows = re.findall(r"<tr>.*?</tr>", page[page.index("<tbody>") :], re.DOTALL)
        (row, *_) = [row for row in rows if "/pledges/demo-0" in row]
        assert "2 handed in" in row, path


def test_what_is_void_is_shown_as_void_and_counts_for_nothing(own: Place) -> None:
    register = Register.open(own.register)
    digest = register.every_evidence("demo-0")[3].digest
    entry = {
        "sequence": 4, "digest": digest, "reason": "采集的是另一台主机 13800000001",
        "by": "王安", "date": "2026-11-02",
    }  # fmt: skip
    register.change("demo-0", lambda known: with_void(known, entry, today=_today()))
    site = Site(own)
    page = site.browser("boss").get("/pledges/demo-0?lang=en").text
    (row,) = re.findall(r'<tr class="void">.*?</tr>', page)
    for text in ("void", "counts for nothing", "王安", "2026-11-02", "采集的是另一台主机"):
        assert text in row, text
    assert "13800000001" not in page
    assert "badge" not in row
    # the one before it says how web-01 stands
    dossier = site.house.customer.dossier("demo-0", datetime.now(UTC), None, "en")
    assert dossier.failing == frozenset()
    assert site.house.rows.one("demo-0")["standing"] != "broken"  # type: ignore[index]
    assert site.browser("boss").get("/pledges/demo-0/evidence/4.zip").status_code == 200
    for n in (1, 2, 3, 5):
        assert f'<th scope="row" class="number">{n}</th>' in page


def test_what_is_void_is_given_out_to_who_sees_all_pledges_alone(own: Place) -> None:
    """It may be of another customer's host."""
    register = Register.open(own.register)
    digest = register.every_evidence("demo-0")[3].digest
    entry = {
        "sequence": 4, "digest": digest, "reason": "采集的是另一台主机", "by": "王安",
        "date": "2026-11-02",
    }  # fmt: skip
    site = Site(own)
    path = "/pledges/demo-0/evidence/4.zip"
    assert site.browser("aud").get(path).status_code == 200
    register.change("demo-0", lambda known: with_void(known, entry, today=_today()))
    auditor = site.browser("aud")
    assert auditor.get(path).status_code == 404
    assert auditor.get(f"{path}?at=2026-11-01").status_code == 404
    assert auditor.get("/pledges/demo-0/evidence/3.zip").status_code == 200
    (row,) = re.findall(r'<tr class="void">.*?</tr>', auditor.get("/pledges/demo-0").text)
    for text in (">4<", "采集的是另一台主机", "王安", "2026-11-02"):
        assert text in row, text
    assert "/evidence/" not in row
    for name in ("boss", "eng"):
        browser = site.browser(name)
        (row,) = re.findall(r'<tr class="void">.*?</tr>', browser.get("/pledges/demo-0").text)
        assert path in row
        answer = browser.get(path)
        assert answer.status_code == 200
        assert "demo-0-0004-void-" in answer.headers["content-disposition"]
    register.change("demo-0", lambda known: without_void(known, 4, today=_today()))
    assert auditor.get(path).status_code == 200


@pytest.mark.parametrize("how", ["changed", "added", "gone", "another"])
def test_a_bundle_that_was_changed_on_disk_is_not_given_out(own: Place, how: str) -> None:
    first, second = Register.open(own.register).every_evidence("demo-0")[:2]
    capture = next((first.path / "data" / "captures").iterdir())
    if how == "changed":
        capture.write_bytes(capture.read_bytes() + b"x")
    elif how == "added":
        capture.with_name("more").write_bytes(b"x")
    elif how == "gone":
        capture.unlink()
    else:
        shutil.rmtree(first.path)
        shutil.copytree(second.path, first.path)
    site = Site(own)
    answer = site.browser("aud").get("/pledges/demo-0/evidence/1.zip")
    assert answer.status_code == 409
    assert "not the one that was attached" in answer.text
    assert str(own.home) not in answer.text
    (line,) = [line for _, line in site.house.access.newest(5) if line.status == 409]
    assert line.note == "changed: evidence 1"


# --- what continues a record, and who is told so --------------------------------------------------


def _renewal(days: int, **changes: object) -> PledgeRecord:
    """Of demo-3, in the register from then on (`days` from now)."""
    document = json.loads(record("demo-9", "温州试点教育集团", 2).canonical())
    document |= {"renews": "demo-3", **changes}
    return from_document(document, where="", today=_today() + timedelta(days=days))


def _added(place: Place, one: PledgeRecord, days: int, *, update: bool = True) -> None:
    at = datetime.now(UTC) + timedelta(days=days)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("collector.pledges.register.register.datetime", _at(at))
        Register.open(place.register).add(one, update=update)


def _at(at: datetime) -> type[datetime]:
    class Then(datetime):
        @classmethod
        def now(cls, tz: object = None) -> datetime:  # type: ignore[override]
            return at

    return Then


def _ran_out(place: Place) -> None:
    """demo-3 ran out yesterday."""
    register = Register.open(place.register)
    known = json.loads(register.get("demo-3").canonical())
    known["period"] = {"from": "2026-01-05", "until": (_today() - timedelta(days=1)).isoformat()}
    register.add(from_document(known, where="", today=_today()), update=True)


def _stood(place: Place, days: int) -> tuple[str, tuple[str, ...], bool]:
    """How demo-3 stood on that day, what continued it, and was anything overdue."""
    site, day = Site(place), _today() + timedelta(days=days)
    later = datetime.now(UTC) + timedelta(days=40)
    found = site.house.customer.dossier("demo-3", later, day, "en")
    return found.status.state, found.renewed_by, bool(found.status.overdue)


def test_a_renewal_counts_from_the_day_it_was_signed(own: Place) -> None:
    """A past day does not change by it: the gap that there was is seen for good."""
    _ran_out(own)
    _added(own, _renewal(0, draft=True, documents=[]), 1, update=False)
    assert _stood(own, 3) == ("lapsed", (), True)
    _added(own, _renewal(6), 6)
    assert _stood(own, 3) == ("lapsed", (), True)
    assert _stood(own, 8) == ("ended", ("demo-9",), False)
    # it continues another one now: on that day it did this one
    _added(own, _renewal(11, renews="demo-2"), 11)
    assert _stood(own, 8) == ("ended", ("demo-9",), False)
    assert _stood(own, 13) == ("lapsed", (), True)
    assert _stood(own, 3) == ("lapsed", (), True)


def test_a_renewal_of_which_only_the_days_are_left(
    own: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was disposed of, and its earlier versions emptied: it counts from when it was signed."""
    _ran_out(own)
    _added(own, _renewal(1), 1, update=False)
    real = ReadOnlyRegister.history

    def emptied(self: ReadOnlyRegister, id: str) -> tuple[Version, ...]:
        found = real(self, id)
        later = datetime.now(UTC) + timedelta(days=20)
        return found if id == "demo-3" else (replace(found[-1], number=2, added_at=later),)

    monkeypatch.setattr(ReadOnlyRegister, "history", emptied)
    assert _stood(own, 3) == ("ended", ("demo-9",), False)


def test_who_may_not_see_a_record_is_not_told_its_id(own: Place) -> None:
    _added(own, _renewal(0), 0, update=False)
    site = Site(own)
    site.house.accounts.add(Account("old", "customer", frozenset({"demo-3"})), PASSWORD)
    site.house.accounts.add(Account("new", "customer", frozenset({"demo-9"})), PASSWORD)
    for name, mine, other in (("old", "demo-3", "demo-9"), ("new", "demo-9", "demo-3")):
        page = site.browser(name).get(f"/pledges/{mine}?lang=en")
        assert page.status_code == 200
        assert other not in page.text
        assert f'href="/pledges/{other}"' in site.browser("boss").get(f"/pledges/{mine}").text


def _disposed(place: Place, days: int) -> None:
    """demo-3 ended, and all that it said is destroyed so many days from now."""
    register, at = Register.open(place.register), datetime.now(UTC) + timedelta(days=days)
    known = json.loads(register.get("demo-3").canonical())
    known["ended"] = {"date": _today().isoformat(), "reason": "停业", "by": "接入方"}
    register.add(from_document(known, where="", today=_today()), update=True)
    day = at.astimezone(CHINA).date()
    about = {"date": day.isoformat(), "method": "消磁", "by": "接入方"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("collector.pledges.register.register.datetime", _at(at))
        register.replace_all("demo-3", lambda newest: remains(newest, about, day))


@pytest.mark.parametrize("how", ["disposed", "emptied"])
def test_a_day_whose_record_was_destroyed_is_no_day_without_one(own: Place, how: str) -> None:
    site, later = Site(own), datetime.now(UTC) + timedelta(days=40)
    browser, dossier = site.browser("boss"), site.house.customer.dossier
    _disposed(own, 10)
    if how == "emptied":
        # by somebody else, in the middle: what was before it is not what it said then
        register = Register.open(own.register)
        document = json.loads(register.get("demo-2").canonical())
        for note in ("a", "b"):
            changed = {**document, "customer": {**document["customer"], "name": f"x{note}"}}
            register.add(from_document(changed, where="", today=_today()), update=True)
        table = register_tables.versions
        with register._database.write() as connection, register_tables.unguarded(connection):
            mine = (table.c.pledge == "demo-2") & (table.c.version == 2)
            connection.execute(table.update().where(mine).values(document=""))
            third = connection.execute(
                select(table.c.added_at).where(table.c.pledge == "demo-2", table.c.version == 3)
            ).scalar()
        over = datetime.fromisoformat(str(third))
        with register.reading(), pytest.raises(GoneError) as gone:
            history_before(ReadOnlyRegister.open_read_only(own.register), "demo-2", over)
        assert gone.value.day == ""
        return
    with pytest.raises(GoneError) as gone:
        dossier("demo-3", later, _today() + timedelta(days=3), "en")
    assert gone.value.day == (_today() + timedelta(days=10)).isoformat()
    # before it there was none, and since then there is what is left
    with pytest.raises(NotThenError) as none:
        dossier("demo-3", later, _today() - timedelta(days=3), "en")
    assert not isinstance(none.value, GoneError)
    assert dossier("demo-3", later, _today() + timedelta(days=12), "en").status.state == "disposed"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Customer, "dossier", _raises(gone.value))
        day = (_today() - timedelta(days=1)).isoformat()
        for path in ("", "/findings.csv", "/findings/encryption.password_hash/web-01"):
            page = browser.get(f"/pledges/demo-3{path}?at={day}&lang=en")
            assert page.status_code == 410, path
            assert f"was destroyed on {gone.value.day}; its digest is kept" in page.text, path


def _raises(problem: Exception) -> Callable[..., Dossier]:
    def then(*_given: object) -> Dossier:
        raise problem

    return then


def test_what_was_destroyed_is_not_in_the_pages_own_files(own: Place) -> None:
    """Its hosts and addresses: neither in the database nor in what SQLite keeps beside it."""
    register = Register.open(own.register)
    known = json.loads(register.get("demo-3").canonical())
    known["resources"]["hosts"] = ["zz-destroyed-01"]
    register.add(from_document(known, where="", today=_today()), update=True)
    site = Site(own)

    def holds() -> list[str]:
        found = [p for p in Path(own.state).iterdir() if b"zz-destroyed-01" in p.read_bytes()]
        return [path.name for path in found]

    assert holds()
    _disposed(own, 0)
    site.house.index.renew()
    assert holds() == []
