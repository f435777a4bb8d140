"""`pledge status`: real bundles in a register, each clause with its reason."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from rich.cells import cell_len
from sqlalchemy import select

from collector import captures, catalog
from collector.attest.bundle import making as bundle
from collector.cli.workflows import pledge_status
from collector.cli.workflows.pledge_status import as_json, status, table
from collector.errors import BadInput
from collector.model import Capture, Result, Text
from collector.pledges.database import tables
from collector.pledges.record import form as records
from collector.pledges.register.attach import attach
from collector.pledges.register.register import Evidence, Register
from collector.pledges.standing.standing import CHECKED, Standing, standing
from collector.pledges.standing.status import Status, _with_waived
from collector.pledges.status import snapshots as looks
from collector.pledges.status.declared_resources import Shown
from collector.pledges.status.declared_resources import undeclared as against
from collector.pledges.status.findings import Life
from collector.pledges.status.latest_bundle import Newest
from collector.pledges.status.observed_resources import shown
from tests.cli.running import hostpledge
from tests.pledges.bundles import AT, Signer
from tests.pledges.places import owner
from tests.pledges.records import TODAY, WHOLE, made

ID = "demo-2026"
NOW = AT + timedelta(days=3)
CAPTURE = Path(__file__).parent / "resources.capture.gz"
RESOURCES = {"addresses": ["203.0.113.16/29"], "hosts": ["web-01"], "ports": ["80/tcp"]}


@pytest.fixture(scope="module")
def attached(tmp_path_factory: pytest.TempPathFactory) -> tuple[Register, Signer]:
    """A register with a bundle of one real host, judged by the firewall controls."""
    folder = tmp_path_factory.mktemp("status")
    signer = Signer(folder / "made")
    signer.folder.mkdir()
    register = Register.open(str(folder))
    register.add(made(resources=RESOURCES))
    taken = captures.load(CAPTURE)
    captures.write(taken, signer.folder / f"web-01{captures.SUFFIX}")
    bundle.make(
        [signer.folder / f"web-01{captures.SUFFIX}"],
        signer.folder / "b",
        signer.key,
        controls=catalog.select(("firewall",), 3),
        grade=3,
        at=taken.collected_at or AT,
        pledge=register.reference(ID),
    )
    attach(register, ID, signer.folder / "b", signer.trust)
    return register, signer


def looked(register: Register, now: datetime = NOW) -> Status:
    known, evidence = register.get(ID), register.evidence(ID)
    return status(known, evidence, now, renewed=False, shown=register.shown)


def nothing(newest: Newest) -> tuple[Shown, ...]:
    """No bundle, so nothing is asked."""
    raise AssertionError(newest)


def clause(found: Status, id: str) -> Standing:
    return next(entry for entry in found.clauses if entry.clause.id == id)


def said(entry: Standing) -> str:
    return "; ".join(reason.en for reason in entry.reasons)


def test_what_hosts_were_checked_for_names_the_controls_and_the_hosts(
    attached: tuple[Register, Signer],
) -> None:
    register, _ = attached
    found = looked(register)
    firewall = clause(found, "responsibility.2.2")
    assert (firewall.state, firewall.verdict) == ("verdict", Result.FAIL)
    assert "fail: I01 Host firewall denies by default (web-01)" in said(firewall)
    assert "evidence 1, collected 2026-11-25" in said(firewall)
    assert not found.satisfied
    assert found.unread == ""


def test_what_captures_show_and_the_record_does_not_declare(
    attached: tuple[Register, Signer],
) -> None:
    register, _ = attached
    found = looked(register)
    resources = clause(found, "responsibility.5")
    assert resources.state == "open"
    assert "undeclared address: 203.0.113.99 (web-01)" in said(resources)
    assert "undeclared address: 2001:db8:20::18 (web-01)" in said(resources)
    assert "undeclared domain: shop.example (web-01)" in said(resources)
    assert "undeclared port, open to the Internet: 8080/tcp (web-01)" in said(resources)


def test_as_json(attached: tuple[Register, Signer]) -> None:
    register, _ = attached
    document = json.loads(as_json(looked(register), NOW))
    assert document["state"] == "active"
    assert document["evidence"] == 1
    assert len(document["clauses"]) == 46
    assert all(entry["reasons"] for entry in document["clauses"])
    assert {entry["filled"] for entry in document["blanks"]} == {True}
    assert {"kind": "port", "value": "8080/tcp", "hosts": ["web-01"]} in document["undeclared"]


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_table_keeps_to_80_columns(
    attached: tuple[Register, Signer], monkeypatch: pytest.MonkeyPatch, lang: str
) -> None:
    monkeypatch.setattr(pledge_status, "lang", lambda: lang)
    register, _ = attached
    shown = table(looked(register))
    assert [line for line in shown.splitlines() if cell_len(line) > 80] == []
    assert ("不符合 I01" if lang == "zh" else "fail: I01") in shown


def test_what_captures_show_is_read_from_them_once(
    attached: tuple[Register, Signer], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And from then on held to their digests: the same to the letter, and never of other bytes."""
    register, _ = attached
    (evidence,) = register.evidence(ID)
    read = tuple(shown(capture) for capture in Newest(evidence).captures())
    assert against(made(resources=RESOURCES), register.shown(Newest(evidence))) == against(
        made(resources=RESOURCES), read
    )
    before = as_json(looked(register), NOW)
    with monkeypatch.context() as unread:
        unread.setattr(Newest, "captures", lambda self: pytest.fail("a capture was read"))
        assert as_json(looked(register), NOW) == before
    capture = next((evidence.path / "data" / "captures").iterdir())
    whole = capture.read_bytes()
    try:
        capture.write_bytes(whole + b" ")
        assert "was changed since it was attached" in looked(register).unread
    finally:
        capture.write_bytes(whole)


@pytest.mark.parametrize("change", ["text", "bundle", "code", "gone", "no_json"])
def test_what_is_kept_of_a_bundle_is_made_anew_where_it_does_not_fit(
    attached: tuple[Register, Signer], change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    register, _ = attached
    before = as_json(looked(register), NOW)
    table = tables.looks
    with register._database.write() as connection:
        if change == "text":
            document = connection.execute(select(table.c.document)).scalar_one()
            assert "shop.example" in document
            changed = document.replace("shop.example", "www.yunfan.example")
            connection.execute(table.update().values(document=changed))
        elif change == "no_json":
            connection.execute(table.update().values(document="["))
        elif change == "bundle":
            connection.execute(table.update().values(digest="0" * 64))
        elif change == "gone":
            connection.execute(table.delete())
    if change == "code":
        monkeypatch.setattr(looks, "_made_by", lambda: "another")
    asked: list[Newest] = []
    plain = Newest.captures

    def asking(newest: Newest) -> Iterator[Capture]:
        asked.append(newest)
        return plain(newest)

    monkeypatch.setattr(Newest, "captures", asking)
    assert as_json(looked(register), NOW) == before
    assert len(asked) == 1
    assert as_json(looked(register), NOW) == before
    assert len(asked) == 1


def test_evidence_that_was_changed_in_the_store_is_not_read(
    attached: tuple[Register, Signer],
) -> None:
    register, _ = attached
    (evidence,) = register.evidence(ID)
    file = evidence.path / "data" / "evidence.json"
    before = file.read_bytes()
    try:
        file.write_bytes(before.replace(b'"fail"', b'"pass"'))
        found = looked(register)
        assert "evidence.json: was changed since it was attached" in found.unread
        assert not found.satisfied
        # nor is what the register says of it a verdict of today, least of all a pass
        checked = {one.clause.id: one.verdict for one in found.clauses if one.clause.id in CHECKED}
        assert len(checked) == 4
        assert set(checked.values()) == {Result.ERROR}
        file.unlink()
        assert "No such file" in looked(register).unread
    finally:
        file.write_bytes(before)
    capture = next((evidence.path / "data" / "captures").iterdir())
    whole = capture.read_bytes()
    try:
        capture.write_bytes(whole[:-1])
        with pytest.raises(BadInput, match="was changed"):
            list(Newest(evidence).captures())
    finally:
        capture.write_bytes(whole)


# --- standing, without bundles -------------------------------------------------------------------

PASS = dict.fromkeys(("2.2", "2.3", "2.4"), "pass")


def seen(
    *, collected: datetime = AT, verdicts: dict[str, str] | None = None, **changes: Any
) -> dict[str, Standing]:
    """The example, with evidence in which all passed."""
    options = {name: changes.pop(name) for name in ("absent", "unseen") if name in changes}
    evidence = [Evidence(ID, 1, "0" * 64, None, collected, AT, AT, verdicts or PASS, Path("x"))]
    return {
        s.clause.id: s for s in standing(made(**changes), evidence, NOW, renewed=False, **options)
    }


def test_the_example_with_good_evidence_is_satisfied() -> None:
    found = seen()
    assert [id for id, entry in found.items() if not entry.satisfied] == []
    assert all(entry.reasons for entry in found.values())


NOT_SATISFIED: dict[str, tuple[dict[str, Any], str, str, str]] = {
    "old_evidence": (
        {"collected": AT - timedelta(days=100)},
        "responsibility.2.2",
        "verdict",
        "evidence: collected 2026-08-12, at least every 90 days",
    ),
    "old_evidence_that_failed": (
        {"collected": AT - timedelta(days=100), "verdicts": PASS | {"2.2": "fail"}},
        "responsibility.2.2",
        "verdict",
        "evidence 1, collected 2026-08-12",
    ),
    "a_declared_host_was_not_looked_at": (
        {"absent": ["db-01"]},
        "responsibility.2.3",
        "verdict",
        "declared, and not looked at: db-01",
    ),
    "self_check_overdue": (
        {"self_check": {"cycle_days": 30, "last": "2026-01-09"}},
        "responsibility.4",
        "open",
        "self-check (四): last 2026-01-09, every 30 days",
    ),
    "no_training": (
        {"training": None, "attestations": None},
        "responsibility.4",
        "missing",
        "training",
    ),
    "rules_ran_out": (
        {
            "management_rules": [
                {"title": "x", "sha256": "0" * 64, "date": "2025-01-01", "expires": "2026-01-01"}
            ]
        },
        "responsibility.2.1",
        "expired",
        "management rules has expired: 2025-01-01, to 2026-01-01",
    ),
    "rules_ran_out_and_hosts_pass": (
        {
            "management_rules": [
                {"title": "x", "sha256": "0" * 64, "date": "2025-01-01", "expires": "2026-01-01"}
            ]
        },
        "pledge.4",
        "expired",
        "evidence 1",
    ),
    "vulnerability_open": (
        {"vulnerabilities": [{"id": "v-1", "found_on": "2026-10-01", "summary": "x"}]},
        "responsibility.2.7",
        "open",
        "v-1: found 2026-10-01, not mended",
    ),
    "inspection_open": (
        {
            "inspections": [
                {"id": "j-1", "date": "2026-10-01", "authority": "x", "mend_by": "2026-11-01"}
            ]
        },
        "pledge.5",
        "open",
        "j-1: to be mended by 2026-11-01",
    ),
    "incident_not_reported": (
        {
            "incidents": {
                "provider_contact": {"name": "a", "phone": "0571-87000000"},
                "notices": [
                    {"id": "i-1", "summary": "x", "occurred_at": "2026-11-20T08:00:00+08:00"}
                ],
            }
        },
        "pledge.8",
        "open",
        "i-1, within 4 hours",
    ),
    "end_users_without_a_way": (
        {"sub_users": {"present": True, "count": 3}},
        "pledge.10",
        "missing",
        "missing: end users",
    ),
    "resources_unseen": (
        {"unseen": [Text("未能对照：x", "could not be compared: x")]},
        "responsibility.5",
        "verdict",
        "could not be compared: x",
    ),
    "ran_out": (
        {"period": {"from": "2025-01-10", "until": "2026-11-01"}},
        "pledge.11",
        "open",
        "in force to 2026-11-01",
    ),
    "not_filed_in_time": (
        {"filings": {"connected_on": "2026-01-01", "icp": [{"number": "浙ICP备0号"}]}},
        "responsibility.2.5",
        "open",
        "none on record",
    ),
}


@pytest.mark.parametrize("name", NOT_SATISFIED)
def test_what_does_not_satisfy_a_clause_is_its_reason(name: str) -> None:
    changes, id, state, reason = NOT_SATISFIED[name]
    entry = seen(**changes)[id]
    assert (entry.state, entry.satisfied) == (state, False)
    assert reason in said(entry)
    assert all(text.zh for text in entry.reasons)


def test_no_web_sites_no_filing_needed() -> None:
    none = {"statement": "x", "by": "周示例", "date": "2026-01-08"}
    entry = seen(filings={"no_websites": none})["responsibility.2.5"]
    assert entry.satisfied
    assert "serves no web sites: 周示例, 2026-01-08" in said(entry)
    ended = {"no_websites": none | {"expires": "2026-06-01"}}
    assert seen(filings=ended)["responsibility.2.5"].state == "expired"


def test_blanks_that_nobody_filled_in() -> None:
    def empty(**changes: Any) -> list[str]:
        found = status(made(**changes), [], NOW, renewed=False, shown=nothing)
        return [f"{b.blank.document}: {b.blank.text.en}" for b in found.blanks if not b.value]

    signed: dict[str, Any] = {"version": "1", "sha256": "0" * 64, "signed_on": "2026-01-08"}
    both = [signed | {"type": "responsibility"}, signed | {"type": "pledge", "sealed": True}]
    assert empty() == []
    assert empty(documents=both) == [
        "responsibility: representative's signature",
        "responsibility: seal",
    ]
    assert empty(documents=both[1:], safety_contact=None) == [
        "responsibility: representative's signature",
        "responsibility: seal",
        "responsibility: date",
        "pledge: safety contact's name",
        "pledge: how to reach the safety contact",
    ]
    person = {"name": "张示例", "kind": "person", "identity_masked": "330106********1234"}
    by_hand = [d | {"representative": "张示例"} for d in both]
    assert empty(documents=by_hand, customer=person) == []


def test_nothing_shown_holds_a_number_of_a_person() -> None:
    known = records.load(WHOLE, today=TODAY)
    found = status(known, [], NOW + timedelta(days=9), renewed=False, shown=nothing)
    for text in (table(found), as_json(found, NOW)):
        for secret in ("13800000001", "13912345678", "0571-8", "330106"):
            assert secret not in text
    assert found.state == "disposed"


def test_a_row_that_says_what_nobody_signed_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    monkeypatch.setenv("HOSTPLEDGE_HOME", str(home))
    home.mkdir(mode=0o700)
    signer = Signer(tmp_path / "made")
    register = Register.open()
    register.add(made())
    attach(register, ID, signer.make("b", register.reference(ID)).path, signer.trust)
    assert hostpledge("pledge", "status", ID, home=home).status == 1
    with owner(register.where) as theirs:
        theirs.unguard()
        theirs.execute("UPDATE evidence SET verdicts = replace(verdicts, 'error', 'pass')")
    ended = hostpledge("pledge", "status", ID, home=home)
    assert (ended.status, ended.out, len(ended.err.splitlines())) == (2, "", 1)
    assert (
        f"the register says another verdicts of evidence 1 of {ID} than the signed statement"
        in ended.err
    )
    chinese = hostpledge("pledge", "status", ID, "--lang", "zh", home=home).err
    assert f"登记 {ID} 第 1 份证据的 verdicts 与其签名声明不符" in chinese
    examined = "".join(hostpledge("doctor", home=home).out.split())
    told = f"the register says another verdicts of evidence 1 of {ID} than entry 0"
    assert told.replace(" ", "") in examined


def test_a_clause_that_is_short_for_waivers_alone_names_them(
    attached: tuple[Register, Signer],
) -> None:
    one = clause(looked(attached[0]), "responsibility.2.2")
    real, fix = "antivirus.realtime", "intrusion.patches"
    lives = [
        SimpleNamespace(control=id, number=number, state=state)
        for id, number, state in ((real, "M03", "waived"), (fix, "I01", "open"))
    ]
    found = _with_waived(one, cast("Sequence[Life]", lives))
    assert found.reasons[0].en == "fail, waived: M03"
    assert found.reasons[0].zh == "不符合而在豁免期内：M03"
    other = clause(looked(attached[0]), "responsibility.2.3")
    assert _with_waived(other, cast("Sequence[Life]", lives)) == other
