"""What a register makes of evidence that looked at a part alone."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from collector import captures, catalog
from collector.attest.bundle import making as bundle
from collector.attest.log.logged import entry
from collector.cli.commands.pledge.tables import clause_of, lacking, list_table
from collector.cli.workflows.attach_warnings import odd
from collector.cli.workflows.pledge_status import status
from collector.errors import BadInput
from collector.i18n.message import in_chinese
from collector.model import Capture, HostStatus, Result, Waiver
from collector.pledges.database import log, tables
from collector.pledges.database.rows import Evidence, scope_json, scope_of_json
from collector.pledges.record import form as records
from collector.pledges.record.times import waiver_end
from collector.pledges.register.attach import attach
from collector.pledges.register.register import Register
from collector.pledges.standing.due import due
from collector.pledges.standing.listing import listed
from collector.pledges.standing.standing import standing
from collector.pledges.transfer.inventory import check_due_since
from collector.scope import scope_of
from collector.verify import open_bundle
from tests.clock import signing_on
from tests.counts import AT_3
from tests.pledges.bundles import AT, Signer
from tests.pledges.lives import captured
from tests.pledges.places import owner
from tests.pledges.records import made
from tests.signers import green, keeping, lie

ID = "demo-2026"
HOSTS = ("web-01", "db-01")
SEVEN = [c.id for c in catalog.select((), 3) if c.clause == "2.2"][:7]


@pytest.fixture
def signer(tmp_path: Path) -> Signer:
    return Signer(tmp_path / "made")


@pytest.fixture
def register(place: str) -> Register:
    opened = Register.open(place)
    opened.add(made(resources={"hosts": list(HOSTS)}))
    return opened


def judged(
    register: Register,
    signer: Signer,
    name: str,
    *,
    families: tuple[str, ...] = (),
    hosts: tuple[str, ...] = HOSTS,
    grade: int = 3,
    at: datetime = AT,
    waivers: tuple[Waiver, ...] = (),
    answered: bool = False,
    silent: tuple[str, ...] = (),
) -> Path:
    """A bundle of hosts that did not answer: its clauses are `error`, however whole it is.

    `answered`: they did but for those `silent`, so that a signer can say anything of them.
    """
    files = []
    for host in hosts:
        place = signer.folder / name
        place.mkdir(parents=True, exist_ok=True)
        origin = MappingProxyType({"transport": "ssh", "clock": at.isoformat()})
        files.append(place / captures.file_name(host))
        taken = Capture(host, HostStatus.UNREACHABLE, detail=name, origin=origin)
        if answered and host not in silent:
            weak = captured("weak")
            head = MappingProxyType({**weak.head, "clock": str(int(at.timestamp()))})
            nonce = sha256(f"{name} {host}".encode()).hexdigest()
            taken = replace(weak, host=host, head=head, collected_at=at, origin=origin, nonce=nonce)
        captures.write(taken, files[-1])
    with signing_on(at):
        return bundle.make(
            files,
            signer.folder / f"{name}.bundle",
            signer.key,
            controls=catalog.select(families, grade),
            grade=grade,
            at=at,
            pledge=register.reference(ID),
            waivers=waivers,
        ).path


def test_a_record_without_hosts_is_proven_by_no_machine(place: str, signer: Signer) -> None:
    register = Register.open(place)
    register.add(made(resources={}))
    path = judged(register, signer, "any", hosts=("of-anybody",), answered=True)
    lie(path, signer.key, green)
    attached = attach(register, ID, path, signer.trust)
    assert set(attached.verdicts.values()) == {"error"}
    record = register.get(ID)
    checked = [
        s
        for s in standing(record, register.evidence(ID), AT + timedelta(days=1), renewed=False)
        if "checked" in s.clause.places
    ]
    assert checked
    for said in checked:
        assert said.verdict is Result.ERROR
        assert any("declares no hosts" in reason.en for reason in said.reasons)


def test_a_name_that_looks_as_a_declared_one_is_told(register: Register, signer: Signer) -> None:
    path = judged(register, signer, "alike", hosts=("w\u0435b-01", "db-01"))
    attached = attach(register, ID, path, signer.trust)
    with open_bundle(path) as opened:
        said = list(odd(register, attached, opened))
    assert "named to look as another host, and not the same: w\\u0435b-01 (web-01)" in said


def test_a_whole_one_is_whole(register: Register, signer: Signer) -> None:
    attached = attach(register, ID, judged(register, signer, "a", answered=True), signer.trust)
    assert attached.whole
    assert register.evidence(ID)[0] == attached
    assert lacking(attached, 3) == ""


def test_fifty_controls_left_out_and_signed_again(register: Register, signer: Signer) -> None:
    path = judged(register, signer, "a", answered=True)

    def change(document: dict[str, Any]) -> None:
        keeping(SEVEN)(document)
        green(document)

    lie(path, signer.key, change, told=False)
    attached = attach(register, ID, path, signer.trust)
    assert attached.verdicts == {"2.2": "error", "2.3": "notchecked", "2.4": "notchecked"}
    assert not attached.whole
    assert attached.scope is not None
    assert attached.scope.said().en == f"7 of {AT_3} controls"
    (leaf,) = register.log().leaves
    logged = entry(leaf, where="log")
    assert logged["verdicts"]["2.2"] == "error"
    assert (logged["scope"]["judged"], logged["scope"]["of"]) == (7, AT_3)
    found = status(register.get(ID), [attached], AT, renewed=False, shown=register.shown)
    assert found.scope == attached.scope
    clause = next(c for c in found.clauses if c.clause.id == "responsibility.2.2")
    assert clause.verdict is Result.ERROR
    assert any("7 of 26 controls of 二(二) judged: no proof" in r.en for r in clause.reasons)
    drawn = list_table(listed(register.briefs(AT), {ID: [attached]}, AT, timedelta(0), {}))
    assert "7/26" in drawn
    assert f"{ID}: 7 of {AT_3} controls, grade 3: no proof of 二(二)" in " ".join(drawn.split())


def test_a_part_does_not_make_evidence_fresh(register: Register, signer: Signer) -> None:
    """A family every day would keep the clock of the whole from ever running out."""
    now = AT + timedelta(days=100)
    attach(register, ID, judged(register, signer, "whole", answered=True), signer.trust)
    for number in range(3):
        at = now - timedelta(days=3 - number)
        part = judged(register, signer, f"p{number}", families=("backup",), at=at, answered=True)
        attach(register, ID, part, signer.trust)
    alone = judged(register, signer, "host", hosts=("web-01",), at=now, answered=True)
    assert attach(register, ID, alone, signer.trust).absent == 1
    for evidence in (register.evidence(ID), register.newest_evidence()[ID]):
        found = due(register.get(ID), evidence, now, within=timedelta(0), renewed=False, lives=None)
        (late,) = [one for one in found if one.kind == "evidence"]
        assert late.at == AT + timedelta(days=90)
        assert (
            f"(evidence 5 does not count: {AT_3} of {AT_3} controls, 1 host(s) not looked at)"
            in late.text.en
        )
        assert f"（第 5 份不计：{AT_3} 项核查项中的 {AT_3} 项、1 台主机未核查）" in late.text.zh
    newest = register.newest_evidence()[ID]
    assert [e.sequence for e in newest] == [1, 5]


@pytest.mark.parametrize("silent", [HOSTS, ("db-01",)])
def test_a_night_in_which_hosts_were_silent_makes_no_evidence_fresh(
    register: Register, signer: Signer, silent: tuple[str, ...]
) -> None:
    """The jump host was down, and the timer would leave the pledge alone for three months."""
    now = AT + timedelta(days=89)
    attach(register, ID, judged(register, signer, "whole", answered=True), signer.trust)
    night = judged(register, signer, "night", at=now, silent=silent, answered=True)
    attached = attach(register, ID, night, signer.trust)
    assert (attached.absent, attached.whole) == (len(silent), False)
    assert f"{len(silent)} declared host(s) not looked at" in lacking(attached, 3)
    record = register.get(ID)
    for evidence in (register.evidence(ID), register.newest_evidence()[ID]):
        (late,) = [
            one
            for one in due(
                record, evidence, now, within=timedelta(days=2), renewed=False, lives=None
            )
            if one.kind == "evidence"
        ]
        assert late.at == AT + timedelta(days=90)
        assert f"{len(silent)} host(s) not looked at" in late.text.en
        # what `run --due` goes by
        assert (
            check_due_since(record, evidence, now, timedelta(days=2), renewed=False, lives=None)
            == late.at
        )
        assert (
            check_due_since(record, evidence, now, timedelta(0), renewed=False, lives=None) is None
        )
    again = judged(register, signer, "again", at=now + timedelta(hours=1), answered=True)
    attach(register, ID, again, signer.trust)
    assert (
        check_due_since(
            record, register.evidence(ID), now, timedelta(days=60), renewed=False, lives=None
        )
        is None
    )


def test_a_waiver_that_ended_is_not_answered_by_hosts_that_were_silent(
    register: Register, signer: Signer
) -> None:
    ended = {
        "control": "backup.fresh", "host": "db-01", "reason": "x", "approver": "y",
        "expires": (AT + timedelta(days=5)).date().isoformat(),
    }  # fmt: skip
    register.add(made(resources={"hosts": list(HOSTS)}, waivers=[ended]), update=True)
    now = AT + timedelta(days=20)
    attach(register, ID, judged(register, signer, "a", answered=True), signer.trust)
    silent = judged(register, signer, "b", at=now - timedelta(days=1))
    attach(register, ID, silent, signer.trust)
    record = register.get(ID)
    assert (
        check_due_since(record, register.evidence(ID), now, timedelta(0), renewed=False, lives=None)
        is not None
    )
    attach(register, ID, judged(register, signer, "c", at=now, answered=True), signer.trust)
    assert (
        check_due_since(record, register.evidence(ID), now, timedelta(0), renewed=False, lives=None)
        is None
    )


def test_a_declared_host_that_is_missing_narrows_what_its_signer_did_not(
    register: Register, signer: Signer
) -> None:
    path = judged(register, signer, "a", hosts=("web-01",), answered=True)
    lie(path, signer.key, green, told=False)
    attached = attach(register, ID, path, signer.trust)
    assert set(attached.verdicts.values()) == {"error"}
    assert attached.absent == 1
    assert lacking(attached, 3).endswith("1 declared host(s) not looked at")


def test_a_record_of_a_higher_grade_is_not_proven(register: Register, signer: Signer) -> None:
    register.add(made(resources={"hosts": list(HOSTS)}, grade=2), update=True)
    path = judged(register, signer, "a", grade=2, answered=True)
    lie(path, signer.key, green)
    attached = attach(register, ID, path, signer.trust)
    assert set(attached.verdicts.values()) == {"pass"}
    register.add(made(resources={"hosts": list(HOSTS)}, grade=3), update=True)
    found = standing(register.get(ID), [attached], AT, renewed=False)
    clause = next(c for c in found if c.clause.id == "responsibility.2.2")
    assert clause.verdict is Result.ERROR
    assert any("judged at grade 2, while the record is of grade 3" in r.en for r in clause.reasons)
    assert "judged at grade 2" in list_table(
        listed(register.briefs(AT), {ID: [attached]}, AT, timedelta(0), {})
    )


def test_a_waiver_that_was_never_on_record_is_refused(register: Register, signer: Signer) -> None:
    waiver = Waiver("antivirus.running", "*", "no", "nobody", waiver_end("2027-01-01"))
    path = judged(register, signer, "a", waivers=(waiver,))
    with pytest.raises(BadInput, match=r"antivirus\.running on \* by nobody, which the record"):
        attach(register, ID, path, signer.trust)
    entry_of = {
        "control": "antivirus.running",
        "host": "*",
        "reason": "no",
        "approver": "nobody",
        "expires": "2027-01-01",
    }
    register.add(made(resources={"hosts": list(HOSTS)}, waivers=[entry_of]), update=True)
    attach(register, ID, path, signer.trust)


def test_a_waiver_that_the_record_has_no_more_is_refused(
    register: Register, signer: Signer
) -> None:
    on_record = {
        "control": "antivirus.running",
        "host": "*",
        "reason": "no",
        "approver": "周示例",
        "expires": "2027-01-01",
    }
    hosts = {"hosts": list(HOSTS)}
    register.add(made(resources=hosts, waivers=[on_record]), update=True)
    path = judged(register, signer, "a", waivers=records.waivers(register.get(ID)))
    register.add(made(resources=hosts), update=True)
    with pytest.raises(
        BadInput,
        match=r"antivirus\.running on \* by 周示例, which stands in the record no more; make the "
        "bundle again",
    ) as refused:
        attach(register, ID, path, signer.trust)
    assert "登记中现已没有" in in_chinese(refused.value.said)
    assert "请重新制作证据包" in in_chinese(refused.value.said)
    register.add(made(resources=hosts, waivers=[on_record]), update=True)
    attach(register, ID, path, signer.trust)


def test_a_waiver_of_the_record_lasts_no_longer_than_there(
    register: Register, signer: Signer
) -> None:
    on_record = {
        "control": "antivirus.running",
        "host": "*",
        "reason": "no",
        "approver": "周示例",
        "expires": "2026-12-01",
    }
    register.add(made(resources={"hosts": list(HOSTS)}, waivers=[on_record]), update=True)
    (mine,) = records.waivers(register.get(ID))
    longer = replace(mine, expires=datetime(2099, 1, 1, tzinfo=UTC))
    path = judged(register, signer, "longer", waivers=(longer,))
    with pytest.raises(BadInput, match="which the record has never had"):
        attach(register, ID, path, signer.trust)
    attach(register, ID, judged(register, signer, "mine", waivers=(mine,)), signer.trust)


def test_evidence_from_before_scopes_were_kept(
    place: str, register: Register, signer: Signer
) -> None:
    """A list takes it for no proof, `status` reads its scope from the bundle; the log agrees."""
    path = judged(register, signer, "a", families=("backup",))
    attach(register, ID, path, signer.trust)
    with owner(place) as theirs:
        theirs.unguard()
        theirs.execute("UPDATE evidence SET scope = NULL")
        for (leaf,) in theirs.execute("SELECT leaf FROM log_entries"):
            document = json.loads(leaf)
            del document["scope"]
            older = json.dumps(document, separators=(",", ":"), sort_keys=True, ensure_ascii=False)
            theirs.execute("UPDATE log_entries SET leaf = ?", (older,))
    (attached,) = register.evidence(ID)
    assert attached.scope is None
    assert attached.whole
    assert lacking(attached, 3).startswith("its scope was not kept")
    assert clause_of(attached, 3, "2.4") == "error"
    register.log()
    found = status(register.get(ID), [attached], AT, renewed=False, shown=register.shown)
    assert found.scope is not None
    assert found.scope.judged == len(catalog.select(("backup",), 3))


def test_a_log_that_says_another_scope_than_the_row_is_seen(
    place: str, register: Register, signer: Signer
) -> None:
    attach(register, ID, judged(register, signer, "a", families=("backup",)), signer.trust)
    with owner(place) as theirs:
        theirs.unguard()
        theirs.execute("UPDATE evidence SET scope = NULL")
    with pytest.raises(Exception, match="another scope of evidence 1"):
        register.log()
    assert log.SKEW
    assert tables.evidence.c.scope.nullable


def test_the_form_of_a_row_and_back() -> None:
    scope = scope_of(SEVEN, 3, ["db-01"])
    found = scope_of_json(scope_json(scope))
    assert (found.grade, found.clauses, found.known) == (3, scope.clauses, True)
    assert scope_json(scope)["absent"] == 1
    assert not scope_json(scope)["whole"]
    row = Evidence(ID, 1, "0" * 64, None, AT, AT, AT, {}, Path("x"), found, 1)
    assert not row.whole
