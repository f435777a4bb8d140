"""What people write in lists: taken where it can mean one thing, refused with words where not."""

from __future__ import annotations

import re
from typing import Any

import pytest

from collector.pledges.lists import cells
from collector.pledges.lists.forms import Wrong
from collector.pledges.lists.places import tables

KIND, GRADE, DAY, CODE = "customer.kind", "grade", "period.from", "customer.credit_code"
PHONE, COUNT, PRESENT, PORTS = (
    "safety_contact.phone", "self_check.cycle_days", "sub_users.present", "resources.ports",
)  # fmt: skip
NAMES: dict[tuple[str, str], dict[Any, str]] = {
    ("", KIND): {
        "unit": "单位 企业 公司 事业单位 机关 政府 学校 医院 社会团体 个体工商户 Company unit",
        "person": "个人 自然人 Person",
    },
    ("", PRESENT): {True: "是 有 √ ✓ yes Y TRUE 1", False: "否 无 × ✗ no N false 0"},
    ("", GRADE): {
        2: "2 ２ 二 二级 第二级 2级 等保二级 Ⅱ级 S2A2G2 S1A2G2 二级(S2A2G2) 第二级（S2A1G2） 2.0",
        3: "3 三级 第三级 等保三级 III S3A3G3 s2a3g3 S3A2G3 三级S3A3G3",
    },
    ("", DAY): {
        "2026-01-08": "2026-01-08 2026/1/8 2026.1.8 2026年1月8日 20260108 ２０２６．１．８ 46030"
        " 2026-01-08T00:00:00",
    },
    ("", CODE): {"91330106MA0DEM2670": "91330106MA0DEM2670 ９１３３０１０６ＭＡ０ＤＥＭ２６７０"
                 " 91330106ma0dem2670"},
    ("", PHONE): {"0571-88000000": "0571-88000000 (0571)88000000 （0571）88000000 0571—88000000"},
    ("", COUNT): {90: "90 90天 ９０ 90.0"},
    ("", "sub_users.count"): {1200: "1200 1,200 1200户"},
    ("documents", "type"): {
        "responsibility": "责任书 入网责任书 《互联网用户入网责任书》 responsibility",
        "pledge": "承诺书 《网络信息安全承诺书》 Pledge",
    },
    ("attestations", "clause"): {
        "responsibility.2.2": "responsibility.2.2 责任书二(二) 责任书二（二）"
        " 《互联网用户入网责任书》二(二)",
        "pledge.6.3": "pledge.6.3 承诺书六、3 承诺书六3",
    },
    ("waivers", "host"): {"*": "* 全部 所有主机"},
    ("waivers", "control"): {"encryption.password_hash": "encryption.password_hash"},
    ("incidents.notices", "occurred_at"): {
        "2026-08-01T08:00:00+08:00": "2026-08-01T08:00:00+08:00 2026年8月1日8时0分 2026/8/1T8:00",
    },
}  # fmt: skip
TAKEN = [
    (*where, word, meant)
    for where, meanings in NAMES.items()
    for meant, words in meanings.items()
    for word in words.split()
] + [
    ("", DAY, "2026 年 1 月 8 日", "2026-01-08"),
    ("", DAY, "2026-01-08 00:00:00", "2026-01-08"),
    ("", GRADE, "第 三 级", 3),
    ("incidents.notices", "occurred_at", "2026年8月1日 8:00", "2026-08-01T08:00:00+08:00"),
    ("incidents.notices", "occurred_at", "2026-08-01 08:00:07", "2026-08-01T08:00:07+08:00"),
    ("incidents.notices", "occurred_at", "46235.333333333336", "2026-08-01T08:00:00+08:00"),
    ("incidents.notices", "occurred_at", "2026-08-01T08:00:00", "2026-08-01T08:00:00+08:00"),
    ("waivers", "expires", "2026-12-31 18:00", "2026-12-31T18:00:00+08:00"),
    ("", PORTS, "443/TCP，tcp/80、30000～30100/udp 53(udp)",
     ["443/tcp", "80/tcp", "30000-30100/udp", "53/udp"]),
    ("", PORTS, "无", None),
    ("", "resources.domains", "/", None),
    ("acknowledgements", "clauses", "责任书 一；承诺书十一", ["responsibility.1", "pledge.11"]),
    ("data_owner_keys", "key", "ssh-ed25519 AAAA zhou@example", "ssh-ed25519 AAAA"),
]  # fmt: skip


@pytest.mark.parametrize(("sheet", "field", "word", "meant"), TAKEN)
def test_a_word_that_can_mean_one_thing(sheet: str, field: str, word: str, meant: Any) -> None:
    found = cells.value(tables()[sheet].columns[field], word, None)
    assert (found, type(found)) == (meant, type(meant))


REFUSED = [
    ("", KIND, "企业个人"), ("", KIND, "x"), ("", PRESENT, "x"), ("", PRESENT, "可能"),
    ("", GRADE, "一级"), ("", GRADE, "四级"), ("", GRADE, "S3A3G2"), ("", GRADE, "二级S3A3G3"),
    ("", GRADE, "二级或三级"), ("", GRADE, "S2A2G2S3A3G3"), ("", GRADE, "23"),
    ("", DAY, "1/8/2026"), ("", DAY, "26.1.8"), ("", DAY, "2026年1月"), ("", DAY, "2026-13-01"),
    ("", DAY, "20260230"), ("", DAY, "2026-01-08 13:30"), ("", DAY, "46030.5"), ("", DAY, "12345"),
    ("", DAY, "2026-01-08或2026-01-09"), ("", DAY, "9" * 5000),
    ("", PHONE, "13800000001/13800000002"), ("", PHONE, "无"), ("", PHONE, "1.38E+10"),
    ("", PHONE, "1391234567890"), ("", PHONE, "139123456789"), ("", PHONE, "99999999999"),
    ("", PHONE, "13912"), ("", PHONE, "0571-880"), ("", PHONE, "400-123"),
    ("", "safety_contact.email", "a@b"), ("", "safety_contact.email", "a@@b.cn"),
    ("", "safety_contact.email", "@b.cn"), ("", "safety_contact.email", "a@b..cn"),
    ("", "safety_contact.email", "a@b.cn; c@d.cn"), ("", "resources.hosts", "web-1 web-1"),
    ("", "resources.hosts", "web-1、WEB-1"),
    ("", CODE, "9.1110108E+17"), ("", CODE, "91330106MAODEM2670"),
    ("", "customer.identity_masked", "1.10101199001011E+17"),
    ("", COUNT, "0"), ("", COUNT, "400"), ("", COUNT, "90.5"), ("", COUNT, "每季度"),
    ("", PORTS, "443"), ("", PORTS, "443/tcp 443/tcp"), ("", PORTS, "443/sctp"),
    ("", "resources.addresses", "203.0.113.17/29"), ("", "resources.addresses", "无效"),
    ("", "safety_contact.email", "林示例"), ("", "safety_contact.email", "a@b c"),
    ("", "title", "长" * 201), ("", "schema", "2"),
    ("", "security_officer.sha256", "任命书.pdf"), ("", "security_officer.sha256", "ab" * 31),
    ("", "data_inventory", "a.yml"), ("", "renews", "../x"),
    ("documents", "type", "合同"), ("attestations", "clause", "责任书二十"),
    ("attestations", "hosts", "a/b"), ("waivers", "control", "rm -rf"),
    ("waivers", "host", "a b"), ("data_owner_keys", "key", "-----BEGIN OPENSSH PRIVATE KEY-----"),
    ("data_owner_keys", "name", "*"), ("incidents.notices", "occurred_at", "2026-08-01"),
    ("incidents.notices", "occurred_at", "2026-08-01 25:00"),
]  # fmt: skip
_TELLS_NO_PERSON = re.compile(r"[\^$]\)|\[0-9|\\|schema|pattern|\(\?")


@pytest.mark.parametrize(("sheet", "field", "word"), REFUSED)
def test_what_is_no_value_is_told_in_words(sheet: str, field: str, word: str) -> None:
    with pytest.raises(Wrong) as told:
        cells.value(tables()[sheet].columns[field], word, None)
    for said in (told.value.text.zh, told.value.text.en):
        assert said
        assert len(said) < 250
        assert field == "name" or not _TELLS_NO_PERSON.search(said)


@pytest.mark.parametrize(
    "number",
    [
        "13800000001", "+86 138 0000 0001", "8613800000001", "0571-88000000", "(0571)88000000",
        "0571-88000000转123", "010-12345678", "400-123-4567", "8001234567", "12345", "95013",
        "63123456", "6312345", "+1 650 555 0100", "110",
    ],
)  # fmt: skip
def test_a_number_as_people_write_it_is_taken(number: str) -> None:
    column = tables()[""].columns["safety_contact.phone"]
    if number == "110":
        # the schema of a record asks for five digits
        with pytest.raises(Wrong):
            cells.value(column, number, None)
        return
    assert cells.value(column, number, None)


@pytest.mark.parametrize(
    "text", ["a@b.cn", "a.b+c@mail.example", "张三@公司.中国", "x@xn--fiqs8s.cn"]
)
def test_an_address_as_people_have_it_is_taken(text: str) -> None:
    assert cells.value(tables()[""].columns["safety_contact.email"], text, None) == text
