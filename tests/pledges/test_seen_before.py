"""Captures that are handed in late, of another machine, or of no time at all."""

from __future__ import annotations

import dataclasses
import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType

import pytest

from collector import captures, catalog
from collector.attest.bundle import making as bundle
from collector.attest.bundle.provenance import HANDED_IN
from collector.attest.trust import keyring
from collector.attest.trust.trust_file import Trust
from collector.cli.workflows import twins
from collector.cli.workflows.pledge_status import status
from collector.errors import BadInput
from collector.model import Capture
from collector.pledges.database import sightings, tables
from collector.pledges.database.rows import current
from collector.pledges.database.sightings import Sighting, Twin
from collector.pledges.register.attach import attach
from collector.pledges.register.read_only import ReadOnlyRegister
from collector.pledges.register.register import Register
from collector.pledges.standing.due import due
from collector.pledges.standing.finding_history import all_lives, last_lives
from tests.cli.running import hostpledge
from tests.pledges.bundles import AT, Signer
from tests.pledges.lives import CONTROLS, captured
from tests.pledges.places import owner
from tests.pledges.records import made

ID = "demo-2026"


@pytest.fixture
def signer(tmp_path: Path) -> Signer:
    return Signer(tmp_path / "made")


@pytest.fixture
def register(place: str) -> Register:
    opened = Register.open(place)
    opened.add(made(resources={"hosts": ["web-01"]}))
    return opened


def taken(host: str, state: str, at: datetime, *, machine: str = "") -> Capture:
    """A capture that was handed in, of that host, at that time, with a nonce of its own."""
    found = captured(state)
    head = {**found.head, "clock": str(int(at.timestamp()))}
    if machine:
        known = {k: v for k, v in head.items() if k not in ("hostkey", "boot_id")}
        head = {**known, "machine": machine * 64}
    origin = {"transport": HANDED_IN, "output_sha256": f"{hash((host, at, machine)) % 2**256:064x}"}
    return dataclasses.replace(
        found,
        host=host,
        nonce=f"{int(at.timestamp()):032x}",
        head=MappingProxyType(head),
        origin=MappingProxyType(origin),
        collected_at=at,
    )


def bundled(register: Register, signer: Signer, id: str, *given: Capture, name: str = "") -> Path:
    place = signer.folder / (name or f"{time.monotonic_ns()}")
    place.mkdir(parents=True)
    files = []
    for one in given:
        files.append(place / captures.file_name(one.host))
        captures.write(one, files[-1])
    return bundle.make(
        files,
        place / "bundle",
        signer.key,
        controls=[catalog.control(control) for control in CONTROLS],
        grade=3,
        pledge=register.reference(id),
        declared=register.get(id).hosts,
    ).path


def states(register: Register) -> dict[str, str]:
    lives = all_lives(register.get(ID), register.evidence(ID), AT)
    assert {(f.host, f.state) for f in lives if f.state != "closed"} == {
        (f.host, f.state)
        for f in last_lives(register.get(ID), register.evidence(ID), AT)
        if f.state != "closed"
    }
    return {f.host: f.state for f in lives if f.control == "encryption.password_hash"}


def test_an_older_look_closes_nothing_and_says_nothing_of_the_present(
    register: Register, signer: Signer
) -> None:
    """The lazy customer hands in last month's file again."""
    before = AT - timedelta(days=30)
    now = taken("web-01", "weak", AT)
    attach(register, ID, bundled(register, signer, ID, now), signer.trust)
    assert states(register) == {"web-01": "open"}
    late = bundled(register, signer, ID, taken("web-01", "hardened", before))
    with pytest.raises(BadInput, match=r"evidence 1 looked at 2026-11-20.*--older"):
        attach(register, ID, late, signer.trust)
    attached = attach(register, ID, late, signer.trust, older=True)
    assert attached.past is True
    every = register.evidence(ID)
    assert [e.past for e in every] == [None, True]
    assert states(register) == {"web-01": "open"}
    for evidence in (every, register.newest_evidence()[ID]):
        last = current(evidence)
        assert last is not None
        assert (last.sequence, last.collected_at) == (1, AT)
    found = status(register.get(ID), every, AT, renewed=False, shown=register.shown)
    assert found.evidence == every[0]
    assert found.past == (2,)
    assert [f.state for f in found.lives if f.control == "encryption.password_hash"] == ["open"]
    # the next one is compared with what it follows, and closes the finding
    mended = taken("web-01", "hardened", AT + timedelta(days=1))
    attach(register, ID, bundled(register, signer, ID, mended), signer.trust)
    assert states(register) == {"web-01": "closed"}
    assert current(register.evidence(ID)) == register.evidence(ID)[2]
    # in the log it says so, and the log agrees with its rows
    assert b'"past":true' in register.log().leaves[1]


def test_one_older_look_among_newer_ones(register: Register, signer: Signer) -> None:
    register.add(made(resources={"hosts": ["web-01", "web-02"]}), update=True)
    first = (taken("web-01", "weak", AT), taken("web-02", "weak", AT, machine="2"))
    attach(register, ID, bundled(register, signer, ID, *first), signer.trust)
    later = AT + timedelta(days=1)
    mixed = (
        taken("web-01", "hardened", later),
        taken("web-02", "hardened", AT - timedelta(days=20), machine="2"),
    )
    attached = attach(register, ID, bundled(register, signer, ID, *mixed), signer.trust)
    assert states(register) == {"web-01": "closed", "web-02": "open"}
    # web-02 was not looked at anew: no clause is proven, and nothing became fresh
    assert (attached.past, attached.absent, attached.whole) == (False, 1, False)
    assert current(register.evidence(ID)) == attached
    (row,) = [
        d
        for d in due(
            register.get(ID),
            register.evidence(ID),
            AT,
            within=timedelta(days=365),
            renewed=False,
            lives=None,
        )
        if d.kind == "evidence"
    ]
    assert "2026-11-20" in row.text.en or "never" in row.text.en


def test_the_same_look_may_be_judged_again(register: Register, signer: Signer) -> None:
    """With a document that was missing, or by a newer release."""
    one = taken("web-01", "weak", AT)
    attach(register, ID, bundled(register, signer, ID, one), signer.trust)
    again = attach(register, ID, bundled(register, signer, ID, one), signer.trust)
    assert again.past is None
    assert current(register.evidence(ID)) == again


def test_a_register_from_before_goes_by_the_time_of_its_evidence(
    register: Register, signer: Signer
) -> None:
    attach(register, ID, bundled(register, signer, ID, taken("web-01", "weak", AT)), signer.trust)
    old = bundled(register, signer, ID, taken("web-01", "hardened", AT - timedelta(days=9)))
    attach(register, ID, old, signer.trust, older=True)
    every = [dataclasses.replace(e, past=None) for e in register.evidence(ID)]
    last = current(every)
    assert last is not None
    assert last.sequence == 1


def test_what_nothing_dates_is_not_of_now(register: Register, signer: Signer) -> None:
    for clock in ("", "1500000000"):
        one = taken("web-01", "hardened", AT)
        head = MappingProxyType({**one.head, "clock": clock})
        undated = dataclasses.replace(one, head=head, collected_at=None)
        with pytest.raises(BadInput, match="nothing says when web-01 was looked at"):
            attach(register, ID, bundled(register, signer, ID, undated), signer.trust)
    assert register.evidence(ID) == ()


def test_an_earlier_capture_with_another_clock_is_refused(
    register: Register, signer: Signer
) -> None:
    """Ten characters of the old file are changed; the script never ran again."""
    good = taken("web-01", "hardened", AT - timedelta(days=30))
    attach(register, ID, bundled(register, signer, ID, good), signer.trust)
    weak = taken("web-01", "weak", AT - timedelta(days=1))
    attach(register, ID, bundled(register, signer, ID, weak), signer.trust)
    edited = dataclasses.replace(taken("web-01", "hardened", AT), nonce=good.nonce)
    with pytest.raises(BadInput, match=r"of web-01 comes from the same run of the script.*in evid"):
        attach(register, ID, bundled(register, signer, ID, edited), signer.trust)
    assert states(register) == {"web-01": "open"}
    # the very same file, bundled once more, is what it was
    attach(register, ID, bundled(register, signer, ID, weak), signer.trust)


def test_bytes_of_one_host_are_none_of_another(register: Register, signer: Signer) -> None:
    register.add(made(id="other-2026", resources={"hosts": ["web-09"]}))
    one = taken("web-01", "hardened", AT)
    attach(register, ID, bundled(register, signer, ID, one), signer.trust)
    twin = dataclasses.replace(one, host="web-09")
    path = bundled(register, signer, "other-2026", twin)
    with pytest.raises(BadInput, match="very one that was given for web-01 of pledge demo-2026"):
        attach(register, "other-2026", path, signer.trust)
    # under two names in one bundle
    register.add(made(id="third-2026", resources={"hosts": ["a", "b"]}))
    new = taken("a", "hardened", AT + timedelta(days=1), machine="3")
    pair = (new, dataclasses.replace(new, host="b"))
    with pytest.raises(BadInput, match="the capture of b is the very one that was given for a"):
        attach(register, "third-2026", bundled(register, signer, "third-2026", *pair), signer.trust)


def test_one_machine_of_two_pledges_is_named(register: Register, signer: Signer) -> None:
    register.add(made(id="other-2026", resources={"hosts": ["web-09"]}))
    first = taken("web-01", "hardened", AT)
    attach(register, ID, bundled(register, signer, ID, first), signer.trust)
    later = taken("web-09", "hardened", AT + timedelta(hours=1))
    attach(register, "other-2026", bundled(register, signer, "other-2026", later), signer.trust)
    (twin,) = register.twins("other-2026")
    assert (twin.host, twin.pledge, twin.other, twin.sequence) == ("web-09", ID, "web-01", 1)
    # of a container with an empty machine-id
    assert twin.kinds == ("boot", "hostkey")
    # a copy that was written anew has its nonce still
    doctored = dataclasses.replace(
        taken("web-09", "hardened", AT + timedelta(days=1), machine="4"), nonce=first.nonce
    )
    attach(register, "other-2026", bundled(register, signer, "other-2026", doctored), signer.trust)
    assert "nonce" in register.twins("other-2026")[0].kinds
    (line,) = twins.said(register.twins("other-2026"))
    assert line.startswith("web-09 is the same as web-01 of pledge demo-2026 (evidence 1): ")
    # made anew where it is gone, as after a restore
    with owner(register.where if "://" not in register.where else _url(register)) as theirs:
        theirs.execute("DELETE FROM marks")
        theirs.execute("DELETE FROM sightings")
    again = register.twins("other-2026")
    assert again == ()
    opened = type(register).open(_url(register))
    assert opened.twins("other-2026")[0].kinds


def test_rows_that_another_pledge_lost_hide_nothing(register: Register, signer: Signer) -> None:
    """Neither from who reads only, nor from what is handed in."""
    register.add(made(id="other-2026", resources={"hosts": ["web-09"]}))
    first = taken("web-01", "hardened", AT)
    attach(register, ID, bundled(register, signer, ID, first), signer.trust)
    later = taken("web-09", "hardened", AT + timedelta(hours=1))
    attach(register, "other-2026", bundled(register, signer, "other-2026", later), signer.trust)
    place = _url(register)
    reading = ReadOnlyRegister.open_read_only(place)
    with reading.reading():
        found, whole = reading.twins_known("other-2026")
    assert ([twin.pledge for twin in found], whole) == ([ID], True)
    with owner(place) as theirs:
        theirs.execute(f"DELETE FROM marks WHERE pledge = '{ID}'")
    for one in (reading, ReadOnlyRegister.open_read_only(place)):
        with one.reading():
            assert one.twins_known("other-2026") == ((), False)
            assert one.twins_known(ID) == ((), False)
    again = dataclasses.replace(later, host="web-10")
    seen = [sightings._of({"host": "web-10", "head": again.head, "nonce": "", "collected_at": None,
                               "origin": again.origin}, "0" * 64, None)]  # fmt: skip
    opened = Register.open(place)
    assert {twin.pledge for twin in opened.twins_of("other-2026", seen)} == {ID, "other-2026"}
    with owner(place) as theirs:
        theirs.execute(f"DELETE FROM sightings WHERE pledge = '{ID}'")
    assert Register.open(place).looked_at(AT) == ((ID, 1, "web-01"),)


def test_who_reads_only_holds_all_pledges_anew_after_a_while(
    register: Register, signer: Signer, monkeypatch: pytest.MonkeyPatch
) -> None:
    attach(
        register, ID, bundled(register, signer, ID, taken("web-01", "hardened", AT)), signer.trust
    )
    register.add(made(id="other-2026", resources={"hosts": ["web-09"]}))
    place = _url(register)
    reading = ReadOnlyRegister.open_read_only(place)
    with reading.reading():
        assert reading.twins_known("other-2026") == ((), True)
    with owner(place) as theirs:
        theirs.execute("UPDATE marks SET host = 'x'")
    passed = time.monotonic() + 601
    monkeypatch.setattr(time, "monotonic", lambda: passed)
    with reading.reading():
        assert reading.twins_known("other-2026") == ((), False)


def _url(register: Register) -> str:
    engine = register._database._engine
    if engine.dialect.name == "sqlite":
        return str(engine.url.database)
    return engine.url.render_as_string(hide_password=False)


def test_the_record_that_continues_another_has_its_machines(
    register: Register, signer: Signer
) -> None:
    attach(
        register, ID, bundled(register, signer, ID, taken("web-01", "hardened", AT)), signer.trust
    )
    register.add(made(id="demo-2027", renews=ID, resources={"hosts": ["web-01"]}))
    later = taken("web-01", "hardened", AT + timedelta(hours=1))
    attach(register, "demo-2027", bundled(register, signer, "demo-2027", later), signer.trust)
    found = register.twins("demo-2027")
    assert [t.pledge for t in found] == [ID]
    assert twins.strange(register, "demo-2027", found) == ()
    assert twins.strange(register, ID, register.twins(ID)) == ()
    other = (dataclasses.replace(found[0], other="db-01"),)
    assert twins.strange(register, "demo-2027", other) == other


def test_ten_thousand_pledges_are_asked_by_their_marks(tmp_path: Path) -> None:
    register = Register.open(str(tmp_path / "r.sqlite"))
    register.add(made(resources={"hosts": ["web-01"]}))
    rows = [
        {"mark": f"{n:064x}", "pledge": ID, "host": f"h{n}", "kind": "machine", "sequence": 1}
        for n in range(120_000)
    ]
    with register._database.write() as connection:
        connection.execute(tables.marks.insert(), rows)
        mine = {f"new-{n}": {f"{n * 7:064x}": "machine"} for n in range(50)}
        begun = time.monotonic()
        found = sightings.twins(connection, "other", mine)
        assert time.monotonic() - begun < 1
    assert len(found) == 50
    assert found[0] == Twin("new-0", ID, "h0", 1, ("machine",))


def test_the_digest_of_an_empty_machine_id_is_of_no_machine() -> None:
    head = {"machine": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}
    said = {"head": head, "origin": {}, "nonce": "0" * 32, "host": "a", "collected_at": None}
    found = sightings._of(said, "0" * 64, None)
    assert isinstance(found, Sighting)
    assert set(found.marks.values()) == {"capture", "nonce"}


def test_as_a_customer_does_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOSTPLEDGE_HOME", str(tmp_path / "home"))
    register = Register.open(str(tmp_path / "r.sqlite"))
    register.add(made(resources={"hosts": ["web-01"]}))
    register.add(made(id="other-2026", resources={"hosts": ["web-09"]}))
    signer = Signer(tmp_path / "made")
    signer.key = keyring.new("default", "p256", None)
    at = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=3)

    def pledge(*words: object, status: int = 0) -> str:
        ended = hostpledge(
            "pledge", *words, "--register", tmp_path / "r.sqlite", home=tmp_path / "home"
        )
        assert ended.status == status, ended.err
        return ended.out + ended.err

    new = bundled(register, signer, ID, taken("web-01", "weak", at))
    pledge("attach", ID, new)
    old = bundled(register, signer, ID, taken("web-01", "hardened", at - timedelta(days=30)))
    assert "--older" in pledge("attach", ID, old, status=2)
    assert "changes no finding" in pledge("attach", ID, old, "--older")
    shown = pledge("status", ID, status=1)
    assert "number 1, collected" in shown
    assert "evidence 2: looked earlier, and says nothing of the present" in " ".join(shown.split())
    listed = json.loads(pledge("list", "--format", "json"))["pledges"]
    (mine,) = [one for one in listed if one["id"] == ID]
    assert (mine["evidence"], mine["last"]["sequence"]) == (2, 1)
    assert "#2: its looks are older" in pledge("show", ID)
    other = bundled(
        register, signer, "other-2026", taken("web-09", "hardened", at + timedelta(hours=1))
    )
    named = "web-09 is the same as web-01 of pledge demo-2026"
    assert named in pledge("attach", "other-2026", other)
    assert named in " ".join(pledge("status", "other-2026", status=1).split())
    with owner(str(tmp_path / "r.sqlite")) as theirs:
        theirs.execute(f"DELETE FROM marks WHERE pledge = '{ID}'")
    assert named in " ".join(pledge("status", "other-2026", status=1).split())
    told = json.loads(pledge("status", "other-2026", "--format", "json", status=1))
    assert told["same_machine"][0]["as"] == "web-01"


def test_a_policy_refuses_a_machine_of_another_pledge(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOSTPLEDGE_HOME", str(tmp_path / "home"))
    place = tmp_path / "r.sqlite"
    register = Register.open(str(place))
    register.add(made(resources={"hosts": ["web-01"]}))
    register.add(made(id="other-2026", resources={"hosts": ["web-09", "web-10"]}))
    signer = Signer(tmp_path / "made")
    signer.key = keyring.new("default", "p256", None)
    at = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=3)
    first = taken("web-01", "weak", at)
    attach(register, ID, bundled(register, signer, ID, first), signer_trust())
    later = at + timedelta(hours=1)
    one = bundled(register, signer, "other-2026", taken("web-09", "hardened", later))
    policy = tmp_path / "policy.yml"
    policy.write_text("schema: urn:hostpledge:schema:policy:1\nsame_machine: false\n")
    trust = tmp_path / "trust.json"
    trust.write_text(hostpledge("key", "trust", home=tmp_path / "home").out)

    def verified(path: Path, *words: object) -> str:
        asked = ("--trust", trust, "--policy", policy, *words)
        ended = hostpledge("verify", path, *asked, home=tmp_path / "home")
        assert ended.status == 1, ended.err
        return ended.out

    named = "same_machine: web-09 is the same as web-01 of pledge demo-2026 (evidence 1)"
    assert "same_machine" not in verified(one)
    assert named in verified(one, "--register", place)
    for done in (
        f"DELETE FROM marks WHERE pledge = '{ID}'",
        f"UPDATE marks SET mark = 'x' || mark WHERE pledge = '{ID}'",
        "UPDATE marks SET sequence = 99",
    ):
        with owner(str(place)) as theirs:
            theirs.execute(done)
        # what the log says is kept of that bundle is made anew of it
        assert named in verified(one, "--register", place), done
    pair = (
        taken("web-09", "hardened", later),
        taken("web-10", "hardened", later + timedelta(minutes=1)),
    )
    assert "same_machine: hosts of the same machine-id, SSH host key or capture" in verified(
        bundled(register, signer, "other-2026", *pair)
    )


def signer_trust() -> Trust:
    return keyring.trust()


def test_bundling_says_that_nothing_dates_it(tmp_path: Path) -> None:
    folder = tmp_path / "given"
    folder.mkdir()
    one = taken("web-09", "hardened", AT)
    head = MappingProxyType({**one.head, "clock": "1500000000"})
    captures.write(
        dataclasses.replace(one, head=head, collected_at=None), folder / "web-09.capture.gz"
    )
    assert hostpledge("key", "new", home=tmp_path / "home").status == 0
    words = ("bundle", folder, "-o", tmp_path / "b", "--family", "encryption")
    ended = hostpledge(*words, home=tmp_path / "home")
    assert "nothing says when 1 host(s) were looked at" in ended.err, ended.err


def test_hosts_that_say_nothing_before_a_capture_begins_are_no_twins() -> None:
    """One hangs, one floods: the greeting, or the nothing, of both is the same."""

    def marks(host: str, nonce: str, said: dict[str, str]) -> frozenset[str]:
        origin = {"output_sha256": "e3" * 32, "transport": HANDED_IN}
        head = {"host": host, "head": said, "origin": origin, "nonce": nonce, "collected_at": None}
        return frozenset(sightings._of(head, host * 64, None).marks)

    assert not marks("a", "1" * 32, {}) & marks("b", "2" * 32, {})
    known = {"machine": ""}
    assert marks("a", "1" * 32, known) & marks("b", "2" * 32, known), "the same output is one"
