from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from collector.errors import BadInput
from collector.pledges.record import form as record
from collector.pledges.record.form import LARGEST
from collector.pledges.record.validation import ascii_domain, credit_code_valid
from collector.resources import shared
from tests.pledges.records import EXAMPLE, TODAY, WHOLE, example, made

MINIMAL = """\
id: p-1
grade: 2
customer: {name: 某公司, kind: unit, credit_code: 91350100M000100Y43}
documents: [{type: pledge, version: "1", sha256: "%s", signed_on: 2026-01-08}]
""" % ("0" * 64)

# text of a record file → what the complaint must say
NO_RECORD = {
    "empty": ("", "empty"),
    "spaces": (" \n\n", "empty"),
    "duplicate_key": (MINIMAL + "id: p-2\n", "stands twice"),
    "duplicate_key_json": ('{"id": "a", "ID": "b"}', "stands twice"),
    "json_nan": ('{"id": NaN}', "not a JSON number"),
    "json_cut_off": ('{"id": "a"', "not JSON"),
    "nul": (MINIMAL + "\0", "NUL"),
    "no_yaml": ("id: [\n", "not YAML"),
    "tab_indent": ("customer:\n\tname: x\n", "not YAML"),
    "alias": ("a: &x 1\nb: *x\n", "aliases"),
    "python_tag": ("id: !!python/object/apply:os.system [id]\n", "not YAML"),
    "two_documents": (MINIMAL + "---\n" + MINIMAL, "not YAML"),
    "list": ("- id: p-1\n", "not of type 'object'"),
    "text": ("just words", "not of type 'object'"),
    "number": ("42", "not of type 'object'"),
    "unknown_field": (MINIMAL + "colour: red\n", "colour"),
    "unknown_inner_field": (MINIMAL.replace("kind: unit", "kind: unit, fax: x"), "fax"),
    "key_is_on": (MINIMAL + "on: x\n", "True"),
    "no_id": (MINIMAL.replace("id: p-1\n", ""), "'id' is a required property"),
    "id_with_newline": (MINIMAL.replace("id: p-1", 'id: "p-1\\n"'), "id:"),
    "id_is_path": (MINIMAL.replace("p-1", "../p"), "id:"),
    "id_in_chinese": (MINIMAL.replace("p-1", "登记"), "id:"),
    "id_is_number": (MINIMAL.replace("p-1", "12"), "not of type 'string'"),
    "grade_4": (MINIMAL.replace("grade: 2", "grade: 4"), "grade"),
    "grade_as_text": (MINIMAL.replace("grade: 2", 'grade: "2"'), "grade"),
    "digest_short": (MINIMAL.replace("0" * 64, "abc"), "sha256"),
    "digest_unquoted": (MINIMAL.replace('"' + "0" * 64 + '"', "1" * 64), "not of type 'string'"),
    "no_such_day": (MINIMAL.replace("2026-01-08", "2026-02-30"), "is not a 'date'"),
    "day_in_words": (MINIMAL.replace("2026-01-08", "2026/1/8"), "is not a 'date'"),
    "unit_without_code": (
        MINIMAL.replace(", credit_code: 91350100M000100Y43", ""),
        "'credit_code' is a required property",
    ),
    "code_with_o": (MINIMAL.replace("91350100M000100Y43", "9135O100M000100Y43"), "credit_code"),
    "code_wrong": (MINIMAL.replace("91350100M000100Y43", "91350100M000100Y44"), "check character"),
    "code_swapped": (
        MINIMAL.replace("91350100M000100Y43", "91530100M000100Y43"),
        "check character",
    ),
    "deep": ("id: " + "[" * 5000, "not YAML"),
}

# changes to the example → what the complaint must say
FAULTS: dict[str, tuple[dict[str, Any], str]] = {
    "signed_tomorrow": (
        {
            "documents": [
                {"type": "pledge", "version": "1", "sha256": "0" * 64, "signed_on": "2026-11-26"}
            ]
        },
        "has not come yet",
    ),
    "no_documents": ({"documents": []}, "documents"),
    "owner_key_cut": (
        {"data_owner_keys": [{"name": "张三", "key": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5"}]},
        "data_owner_keys[0].key: is no public key",
    ),
    "owner_key_private": (
        {"data_owner_keys": [{"name": "张三", "key": "-----BEGIN OPENSSH PRIVATE KEY-----"}]},
        "data_owner_keys[0].key",
    ),
    "owner_of_two_names": (
        {"data_owner_keys": [{"name": "张三,*", "key": "ssh-ed25519 AAAA"}]},
        "data_owner_keys[0].name",
    ),
    "document_twice": (
        {
            "documents": [
                {"type": "pledge", "version": "1", "sha256": "0" * 64, "signed_on": "2026-01-01"}
            ]
            * 2
        },
        "pledge 1 stands twice",
    ),
    "period_backwards": ({"period": {"from": "2027-01-01", "until": "2026-01-01"}}, "before"),
    "checked_tomorrow": ({"self_check": {"cycle_days": 30, "last": "2027-01-01"}}, "not come"),
    "cycle_0": ({"self_check": {"cycle_days": 0}}, "cycle_days"),
    "cycle_true": ({"self_check": {"cycle_days": True}}, "cycle_days"),
    "address_host_bits": ({"resources": {"addresses": ["10.0.0.1/8"]}}, "host bits"),
    "address_words": ({"resources": {"addresses": ["localhost"]}}, "addresses[0]"),
    "address_twice": (
        {"resources": {"addresses": ["2001:db8::1", "2001:DB8:0::1"]}},
        "stands twice",
    ),
    "domain_twice": ({"resources": {"domains": ["a.example", "A.example."]}}, "stands twice"),
    "domain_twice_idn": (
        {"resources": {"domains": ["例子.example", "xn--fsqu00a.example"]}},
        "stands twice",
    ),
    "domain_is_url": ({"resources": {"domains": ["http://a.example/"]}}, "no domain name"),
    "domain_is_address": ({"resources": {"domains": ["10.0.0.1"]}}, "no domain name"),
    "host_twice": ({"resources": {"hosts": ["a", "a"]}}, "stands twice"),
    "host_with_space": ({"resources": {"hosts": ["a b"]}}, "hosts[0]"),
    "escape": ({"title": "x\x1b[2J"}, "U+001B"),
    "right_to_left": ({"title": "x\u202egpj.exe"}, "U+202E"),
    "surrogate": ({"title": "x\ud800"}, "JSON cannot"),
    "blank_title": ({"title": "  "}, "blank"),
    "whole_identity": ({"title": "法人 110101199003071234 的登记"}, "identity number"),
    "unmasked_person": (
        {"customer": {"name": "张三", "kind": "person", "identity_masked": "110101199003071234"}},
        "identity_masked",
    ),
    "person_without_number": ({"customer": {"name": "张三", "kind": "person"}}, "customer"),
    "phone_is_number": ({"safety_contact": {"name": "a", "phone": 13800000001}}, "phone"),
    "phone_is_words": ({"safety_contact": {"name": "a", "phone": "call me"}}, "phone"),
    "no_such_clause": (
        {
            "attestations": [
                {"clause": "responsibility.8", "statement": "x", "by": "a", "date": "2026-01-01"}
            ]
        },
        "no clause is named responsibility.8",
    ),
    "attested_tomorrow": (
        {
            "attestations": [
                {"clause": "responsibility.4", "statement": "x", "by": "a", "date": "2027-01-01"}
            ]
        },
        "has not come yet",
    ),
    "no_such_acknowledged": (
        {"acknowledgements": [{"clauses": ["pledge.12"], "by": "a", "date": "2026-01-01"}]},
        "no clause is named pledge.12",
    ),
    "no_such_control": (
        {
            "waivers": [
                {
                    "control": "backup.wish",
                    "host": "*",
                    "reason": "x",
                    "approver": "a",
                    "expires": "2027-01-01",
                }
            ]
        },
        "no control is named backup.wish",
    ),
    "leap_second": (
        {
            "waivers": [
                {
                    "control": "encryption.password_hash",
                    "host": "*",
                    "reason": "x",
                    "approver": "a",
                    "expires": "2026-12-31T23:59:60Z",
                }
            ]
        },
        "waivers[0].expires",
    ),
    "reported_before": (
        {
            "incidents": {
                "notices": [
                    {
                        "id": "i",
                        "summary": "x",
                        "occurred_at": "2026-01-02T00:00:00Z",
                        "reported_at": "2026-01-01T00:00:00Z",
                    }
                ]
            }
        },
        "before the incident",
    ),
    "mended_before_it_was_found": (
        {
            "vulnerabilities": [
                {"id": "v", "found_on": "2026-01-02", "summary": "x", "mended_on": "2026-01-01"}
            ]
        },
        "vulnerabilities[0].mended_on: 2026-01-01 lies before 2026-01-02",
    ),
    "found_tomorrow": (
        {"harmful_content": [{"id": "h", "found_on": "2026-11-26", "summary": "x"}]},
        "harmful_content[0].found_on: 2026-11-26 has not come yet",
    ),
    "inspected_tomorrow": (
        {"inspections": [{"id": "i", "date": "2026-11-26", "authority": "x"}]},
        "inspections[0].date",
    ),
    "vulnerability_twice": (
        {"vulnerabilities": [{"id": "v", "found_on": "2026-01-02", "summary": "x"}] * 2},
        "v stands twice",
    ),
    "self_checked_tomorrow": (
        {"self_check": {"cycle_days": 9, "records": [{"date": "2026-11-26", "by": "a"}]}},
        "self_check.records[0].date",
    ),
    "trained_tomorrow": ({"training": [{"title": "x", "date": "2026-11-26"}]}, "training[0].date"),
    "port_0": ({"resources": {"ports": ["0/tcp"]}}, "ports[0]"),
    "port_too_high": ({"resources": {"ports": ["65536/tcp"]}}, "no port"),
    "ports_backwards": ({"resources": {"ports": ["30-20/tcp"]}}, "no port"),
    "port_without_protocol": ({"resources": {"ports": ["443"]}}, "ports[0]"),
    "resources_backwards": (
        {"resources": {"period": {"from": "2027-01-01", "until": "2026-01-01"}}},
        "resources.period",
    ),
    "suspended_backwards": (
        {"suspensions": [{"from": "2026-02-01", "until": "2026-01-01", "reason": "x", "by": "a"}]},
        "suspensions[0].until",
    ),
    "disposed_before_the_end": (
        {
            "ended": {"date": "2026-06-01", "reason": "x", "by": "a"},
            "disposed": {"date": "2026-05-01", "method": "x", "by": "a"},
        },
        "disposed.date",
    ),
    "disposed_tomorrow": (
        {"disposed": {"date": "2026-11-26", "method": "x", "by": "a"}},
        "disposed.date: 2026-11-26 has not come yet",
    ),
    "renews_itself": ({"renews": "demo-2026"}, "names the record itself"),
    "identity_of_an_end_user": (
        {
            "sub_users": {
                "present": True,
                "users": [{"name": "张三 110101199003071234", "undertaken_on": "2026-01-01"}],
            }
        },
        "sub_users.users[0].name: holds a whole identity number",
    ),
    "inventory_is_list": ({"data_inventory": []}, "data_inventory"),
    "inventory_wrong": ({"data_inventory": {"stores": 1}}, "data inventory"),
}


@pytest.mark.parametrize("name", NO_RECORD)
def test_a_file_that_is_no_record_is_refused_in_one_line(name: str) -> None:
    text, expected = NO_RECORD[name]
    with pytest.raises(BadInput) as caught:
        record.from_bytes(text.encode("utf-8"), where="f.yml", today=TODAY)
    line = str(caught.value)
    assert expected in line
    assert line.startswith("f.yml: ")
    assert "\n" not in line


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_named_with_its_place(name: str) -> None:
    changes, expected = FAULTS[name]
    with pytest.raises(BadInput) as caught:
        record.from_document(example(**changes), where="f.yml", today=TODAY)
    assert expected in str(caught.value)


def test_a_draft_has_no_signature_yet() -> None:
    known = made(draft=True, documents=[])
    assert known.signed_on is None


def test_a_record_that_holds_every_field_is_taken() -> None:
    """Every place of the schema is filled in once; what is read back is what was given."""
    known = record.load(WHOLE, today=TODAY)
    assert record.from_bytes(known.canonical(), where="f", today=TODAY).digest == known.digest
    schema = json.loads(shared("schemas", "pledge-record.schema.json").read_text("utf-8"))
    elsewhere = {"draft", "data_inventory", "event_ledger"}
    assert set(schema["properties"]) - elsewhere == set(known.document)


def test_the_minimal_record_is_taken() -> None:
    known = record.from_bytes(MINIMAL.encode(), where="f", today=TODAY)
    assert (known.id, known.grade, known.customer, known.hosts) == ("p-1", 2, "某公司", ())
    assert known.signed_on == date(2026, 1, 8)
    assert record.waivers(known) == ()
    assert record.attached_documents(known) == {}


def test_yaml_and_json_of_one_record_have_one_digest(tmp_path: Path) -> None:
    known = record.load(EXAMPLE, today=TODAY)
    (tmp_path / "p.json").write_text(json.dumps(known.document, indent=3), encoding="utf-8")
    (tmp_path / "bom.json").write_bytes(b"\xef\xbb\xbf" + known.canonical())
    assert record.load(tmp_path / "p.json", today=TODAY).digest == known.digest
    assert record.load(tmp_path / "bom.json", today=TODAY).digest == known.digest


def test_files_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    large = tmp_path / "large"
    large.write_bytes(b" " * (LARGEST + 1))
    gb = tmp_path / "gb18030.yml"
    gb.write_bytes("title: 登记".encode("gb18030"))
    for path, expected in (
        (large, "larger than"),
        (gb, "not UTF-8"),
        (tmp_path, "Is a directory"),
        (tmp_path / "none", "No such file"),
        (Path("a\0b"), "no file can have that name"),
    ):
        with pytest.raises(BadInput, match=expected):
            record.load(path)


@pytest.mark.parametrize(
    "code",
    # the example of GB 32100-2015, then public registrations
    ["91350100M000100Y43", "91110000802100433B", "9144030071526726XG", "914403001922038216"],
)
def test_real_credit_codes_are_valid_and_no_neighbour_is(code: str) -> None:
    assert credit_code_valid(code)
    for place in range(18):
        changed = "1" if code[place] != "1" else "2"
        assert not credit_code_valid(code[:place] + changed + code[place + 1 :])
    assert not credit_code_valid(code.lower().replace("8", "i"))
    assert not credit_code_valid(code[:-1])


def test_domains_have_one_form() -> None:
    assert ascii_domain("WWW.Example.") == "www.example"
    assert ascii_domain("例子.中国") == "xn--fsqu00a.xn--fiqs8s"
    assert ascii_domain("*.a.example") == "*.a.example"
    for no_domain in ("example", "a..b", "-a.example", "a.example/x", "10.0.0.1", ""):
        assert ascii_domain(no_domain) is None


def test_a_waiver_for_a_day_lasts_until_that_day_ends_in_china() -> None:
    waiver = {"control": "encryption.password_hash", "host": "*", "reason": "x", "approver": "a"}
    day = made(waivers=[waiver | {"expires": "2026-12-31"}])
    minute = made(waivers=[waiver | {"expires": "2026-12-31T12:00:00+08:00"}])
    forever = made(waivers=[waiver | {"expires": "9999-12-31"}])
    assert record.waivers(day)[0].expires == datetime(2026, 12, 31, 15, 59, 59, tzinfo=UTC)
    assert record.waivers(minute)[0].expires == datetime(2026, 12, 31, 4, tzinfo=UTC)
    assert record.waivers(forever)[0].expires.year == 9999


def test_the_data_inventory_is_handed_on_as_canonical_json() -> None:
    content = record.attached_documents(record.load(EXAMPLE, today=TODAY))["data-inventory"]
    assert content.startswith(b'{"owner":')
    assert json.loads(content)["reviewed"] == "2026-06-30"


def test_numbers_of_people_do_not_leave_with_waivers_and_attestations() -> None:
    waiver = {"control": "encryption.password_hash", "host": "*", "approver": "周 13912345678"}
    said = {
        "clause": "responsibility.2.2",
        "control": "firewall.admin_sources",
        "statement": "询 0571-88000000 或 139 1234 5678",
        "by": "周示例",
        "date": "2026-06-30",
        "sha256": "13912345678" + "0" * 53,
    }
    known = made(
        waivers=[waiver | {"reason": "证件 110101********1234", "expires": "2027-01-01"}],
        attestations=[said],
    )
    (taken,) = record.waivers(known)
    assert (taken.reason, taken.approver) == ("证件 11**************34", "周 139****5678")
    (handed,) = json.loads(record.attached_documents(known)["attestations"])
    assert handed == said | {"statement": "询 0571-*****000 或 139 **** 5678"}


def test_attestations_that_name_a_control_are_handed_on() -> None:
    said = {
        "clause": "responsibility.2.2",
        "control": "firewall.admin_sources",
        "hosts": ["web1"],
        "statement": "安全组仅放行堡垒机",
        "by": "周示例",
        "date": "2026-06-30",
    }
    plain = {k: v for k, v in said.items() if k not in ("control", "hosts")}
    known = record.from_document(example(attestations=[said, plain]), where="f.yml", today=TODAY)
    assert json.loads(record.attached_documents(known)["attestations"]) == [said]
