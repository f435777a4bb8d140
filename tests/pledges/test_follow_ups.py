"""Who sees to findings, given one by one or many at once; waivers that accept nothing."""

from __future__ import annotations

import csv
import io
import shlex
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from types import MappingProxyType

import openpyxl
import pytest

from collector.cli.commands.pledge import assigning
from collector.cli.options.findings import Asked
from collector.model import Capture, HostStatus
from collector.pledges.due.deadlines import KINDS
from collector.pledges.due.kinds import WORDS
from collector.pledges.record.changes import followed_up
from collector.pledges.record.form import PledgeRecord
from collector.pledges.register.register import Register, Version
from collector.pledges.status.findings import lives
from tests.cli.running import Ended, answer, hostpledge
from tests.pledges.bundles import Signer
from tests.pledges.lives import CONTROLS, captured, check, silent
from tests.pledges.records import made
from tests.pledges.test_findings import HASH, bundle, day

NOW = datetime.now(UTC)
SOON = (NOW + timedelta(days=9)).date().isoformat()
Run = Callable[..., Ended]


def another(taken: Capture, which: str = "b") -> Capture:
    """As if it were of another machine that is alike."""
    head = {**taken.head, "machine": which * 64, "boot_id": which * 64, "hostkey": ""}
    origin = {**taken.origin, "output_sha256": which * 64}
    return replace(taken, head=MappingProxyType(head), origin=MappingProxyType(origin))


@pytest.fixture
def register(tmp_path: Path) -> Register:
    """Two pledges with weakly hashed passwords, and one whose host never answered."""
    (tmp_path / "r").mkdir()
    register = Register.open(str(tmp_path / "r"))
    signer = Signer(tmp_path / "made")
    for number, (id, taken) in enumerate(
        (
            ("one-1", captured("weak")),
            ("two-2", another(captured("weak"))),
            ("mute-3", silent()),
        )
    ):
        register.add(made(id=id, resources={"hosts": ["web-01"]}))
        check(register, id, signer, taken, NOW - timedelta(days=2, hours=number))
    return register


@pytest.fixture
def run(tmp_path: Path, register: Register) -> Run:
    del register

    def pledge(*words: object, **more: str) -> Ended:
        return hostpledge("pledge", *words, "--register", tmp_path / "r", home=tmp_path, **more)

    return pledge


def test_what_could_not_be_looked_at_is_waived_by_nobody(run: Run) -> None:
    """And it is said: a waiver without effect looked like one that holds."""
    words = ("--reason", "停用中", "--approver", "王安", "--until", SOON)
    record = made(waivers=[{"control": HASH, "host": "*", "reason": "x", "approver": "y",
                            "expires": day(9).date().isoformat()}])  # fmt: skip
    looked = [bundle(1, {"a": {HASH: "error"}, "b": {HASH: "fail"}, "c": {HASH: "notchecked"}})]
    found = {life.host: life for life in lives(record, looked, day(2))}
    assert [(h, f.state, f.idle_waiver is not None) for h, f in sorted(found.items())] == [
        ("a", "open", True),
        ("b", "waived", False),
        ("c", "open", True),
    ]
    assert not any(life.idle_waiver for life in lives(record, looked, day(20))), "it has ended"
    # of a finding that does not exist, it says that too
    ended = run("waive", "one-1", "D08", "web-01", *words, "--check")
    assert ended.status == 0, ended.err
    assert "no finding is open now" in ended.err or "without effect" in ended.err
    ended = run("waive", "one-1", HASH, "web-01", *words)
    assert (ended.status, ended.err) == (0, "")


def test_an_idle_waiver_is_told_wherever_findings_are(
    register: Register, run: Run, tmp_path: Path
) -> None:
    weak = captured("weak")
    reads = {id: read for id, read in weak.reads.items() if id != "accounts.shadow"}
    blind = replace(weak, reads=MappingProxyType(reads))
    signer = Signer(tmp_path / "again")
    check(register, "one-1", signer, blind, NOW - timedelta(days=1))
    found = answer(run("findings", "one-1", "--format", "json").out)["findings"]
    errors = [f["control"] for f in found if f["verdict"] == "error"]
    assert errors
    words = ("--reason", "停用中", "--approver", "王安", "--until", SOON)
    ended = run("waive", "one-1", errors[0], "web-01", *words, "--lang", "zh")
    assert ended.status == 0
    assert "豁免无效：web-01 的结论是“未能核查”" in ended.err
    listed = run("findings", "one-1", "--lang", "zh").out
    assert f"至 {SOON}，无效" in listed
    assert "豁免无效 1" in run("status", "one-1", "--lang", "zh").out
    told = answer(run("status", "one-1", "--format", "json").out)["findings"]
    assert told["waiver_without_effect"] == 1
    assert told["waived"] == 0


def test_many_at_once_seen_before_they_are_written(register: Register, run: Run) -> None:
    versions = len(register.history("one-1"))
    words = ("--control", "D12", "--unowned", "--owner", "周示例", "--due", SOON)
    ended = run("assign", *words, "--check")
    assert ended.status == 0, ended.err
    assert "one-1" in ended.out
    assert "two-2" in ended.out
    assert "2 finding(s) of 2 pledge(s) would be: owner 周示例" in ended.out
    assert len(register.history("one-1")) == versions
    ended = run("assign", *words, "--format", "json")
    told = answer(ended.out)
    assert [(one["pledge"], one["version"]) for one in told["pledges"]] == [
        ("one-1", versions + 1),
        ("two-2", versions + 1),
    ]
    assert told["pledges"][0]["findings"] == [{"control": HASH, "host": "web-01"}]
    (entry,) = register.get("two-2").document["follow_ups"]
    assert entry == {"control": HASH, "host": "web-01", "owner": "周示例", "due": SOON}
    # nothing is nobody's any more
    assert "no open finding is so" in run("assign", *words).err
    # a later day for what somebody sees to already; the owner stays
    later = (NOW + timedelta(days=30)).date().isoformat()
    ended = run("assign", "--whose", "周示例", "--pledge", "two-2", "--due", later)
    assert ended.status == 0, ended.err
    (entry,) = register.get("two-2").document["follow_ups"]
    assert (entry["owner"], entry["due"]) == ("周示例", later)
    (entry,) = register.get("one-1").document["follow_ups"]
    assert entry["due"] == SOON
    assert run("assign", "--whose", "周示例", "--clear").status == 0
    assert "follow_ups" not in register.get("one-1").document


def test_a_bulk_assignment_says_how_it_is_taken_back(
    register: Register, run: Run, tmp_path: Path
) -> None:
    before = run("assign", "one-1", HASH, "web-01", "--owner", "李工", "--due", SOON)
    assert before.status == 0, before.err
    words = ("--control", "D12", "--owner", "周示例", "--due", SOON)
    assert "pledge revert" not in run("assign", *words, "--check").out
    ended = run("assign", *words, "--lang", "en")
    assert "to take it back" in ended.out
    command = ended.out.splitlines()[-1]
    assert command.startswith("hostpledge pledge revert one-1 two-2 --before ")
    # somebody else assigns one of them anew: that stays
    assert run("assign", "two-2", HASH, "web-01", "--owner", "王工", "--due", SOON).status == 0
    back = hostpledge(*shlex.split(command)[1:], home=tmp_path)
    assert back.status == 1, back.err
    assert "left alone: two-2" in back.err
    (entry,) = register.get("one-1").document["follow_ups"]
    assert entry["owner"] == "李工"
    (entry,) = register.get("two-2").document["follow_ups"]
    assert entry["owner"] == "王工"
    # nothing was written: nothing is told
    assert run("assign", *words, "--unowned", "--lang", "en").out.count("revert") == 0


def test_from_whom_findings_are_taken_is_said_before_and_after(
    register: Register, run: Run, tmp_path: Path
) -> None:
    """A bulk assignment took 14 of 189 from others, and nothing said so."""
    register.add(made(id="four-4", resources={"hosts": ["web-01"]}))
    signer = Signer(tmp_path / "more")
    check(register, "four-4", signer, another(captured("weak"), "c"), NOW - timedelta(days=1))
    phone = "李运维 13812345678"
    for id, owner in (("one-1", phone), ("two-2", "赵网管")):
        day = ("--due", SOON) if id == "one-1" else ()
        assert run("assign", id, HASH, "web-01", "--owner", owner, *day).status == 0
    later = (NOW + timedelta(days=30)).date().isoformat()
    words = ("--clause", "2.4", "--owner", "周示例", "--due", later)
    every = answer(run("findings", "--clause", "2.4", "--state", "open", "--format", "json").out)
    count = len(every["findings"])
    assert count == 3
    ended = run("assign", *words, "--check", "--lang", "en")
    assert ended.status == 0, ended.err
    told = " ".join(ended.out.split())
    assert f"2 of {count} have another owner already: 李运维 138****5678 1, 赵网管 1" in told
    assert "(--unowned leaves them alone)" in told
    assert "nobody → 周示例" in told
    assert "13812345678" not in ended.out
    found = answer(run("assign", *words, "--check", "--format", "json").out)
    assert found["taken_over"] == [
        {"owner": "李运维 138****5678", "findings": 1},
        {"owner": "赵网管", "findings": 1},
    ]
    assert len(found["changes"]) == count
    (mine,) = [c for c in found["changes"] if (c["pledge"], c["control"]) == ("one-1", HASH)]
    assert mine["owner"] == {"before": "李运维 138****5678", "after": "周示例"}
    assert mine["due"] == {"before": SOON, "after": later}
    assert register.get("two-2").document["follow_ups"][0]["owner"] == "赵网管", "looked at only"
    # what is nobody's alone: from whom nothing is taken
    ended = run("assign", *words, "--unowned", "--check", "--lang", "en")
    assert "have another owner" not in ended.out
    assert f"{count - 2} finding(s)" in ended.out
    ended = run("assign", *words, "--lang", "zh")
    assert ended.status == 0, ended.err
    assert f"{count} 项中 2 项由他人转来：李运维 138****5678 1、赵网管 1（加 --unowned" in ended.out
    # whose they are already loses none; a day alone takes none from anybody
    assert "由他人转来" not in run("assign", *words, "--lang", "zh").out
    ended = run("assign", "--whose", "周示例", "--due", SOON, "--lang", "en")
    assert ended.status == 0, ended.err
    assert "taken over" not in ended.out
    ended = run("assign", "--whose", "周示例", "--clear", "--lang", "en")
    assert f"{count} of {count} had an owner: 周示例 {count}" in ended.out


def test_who_owns_it_when_it_is_written_is_who_loses_it(
    register: Register, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody else assigns between the look and the write."""
    real = Register.change

    def meanwhile(self: Register, id: str, make: Callable[[PledgeRecord], PledgeRecord]) -> Version:
        entry = {"control": HASH, "host": "web-01", "owner": "赵网管"}
        self.add(made(**{**self.get(id).document, "follow_ups": [entry]}), update=True)
        return real(self, id, make)

    monkeypatch.setattr(Register, "change", meanwhile)
    asked = Asked(frozenset({"open"}), frozenset({HASH}), unowned=True)
    given = {"owner": "周示例"}
    assert assigning.assign_many(register, ["one-1"], asked, given, NOW, check=False) == 0
    said = capsys.readouterr().out
    assert "1 of 1 were taken over: 赵网管 1" in said or "1 项中 1 项由他人转来：赵网管 1" in said
    assert register.get("one-1").document["follow_ups"][0]["owner"] == "周示例"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((), "say which: ID CONTROL HOST"),
        (("one-1",), "give all of ID CONTROL HOST"),
        (("one-1", "D12", "web-01", "--clause", "2.4"), "go without ID CONTROL HOST"),
        (("--clause", "9.9"), "--clause: no clause that is checked on hosts: 9.9"),
        (("--control", "D12", "--pledge", "none"), "no pledge is named none"),
    ],
)
def test_which_findings_has_to_be_said(run: Run, words: tuple[str, ...], says: str) -> None:
    ended = run("assign", *words, "--owner", "周示例")
    assert (ended.status, ended.out) == (2, "")
    assert says in ended.err


def test_a_day_without_an_owner_is_nobodys(run: Run) -> None:
    ended = run("assign", "--control", "D12", "--due", SOON)
    assert ended.status == 2
    assert "--owner: 2 of them have no owner yet" in ended.err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("assign", "--due", "2026-13-31", "--owner", "x"), "--due：不是日期：2026-13-31"),
        (("assign", "--owner", " "), "--owner：内容为空"),
        (("assign", "--owner", "周\n示例"), "--owner：含有不可见字符"),
        (("assign", "--owner", "x" * 201), "--owner：超过 200 个字符"),
        (("assign", "--owner", "x", "--note", "x" * 4001), "--note：超过 4000 个字符"),
        (("assign", "--owner", "330102199003071234"), "--owner：含完整证件号码"),
        (
            ("waive", "--reason", "r", "--approver", "a", "--until", "明天"),
            "--until：不是日期",
        ),
        (
            ("waive", "--reason", "r", "--approver", "a\t", "--until", SOON),
            "--approver：含",
        ),
        (("waive", "--reason", "", "--approver", "a", "--until", SOON), "--reason、--approver"),
    ],
)
def test_faults_are_told_by_the_option_not_by_the_schema(
    run: Run, words: tuple[str, ...], says: str
) -> None:
    ended = run(words[0], "one-1", HASH, "web-01", *words[1:], "--lang", "zh")
    assert (ended.status, ended.out) == (2, "")
    assert says in ended.err
    for leak in ("follow_ups", "waivers", "schema", "pattern", "pledge-record"):
        assert leak not in ended.err


def test_a_time_without_a_zone_is_that_of_china(register: Register, run: Run) -> None:
    words = ("--reason", "r", "--approver", "a", "--until", f"{SOON} 18:00")
    assert run("waive", "one-1", HASH, "web-01", *words).status == 0
    (waiver,) = register.get("one-1").document["waivers"]
    assert waiver["expires"] == f"{SOON}T18:00:00+08:00"
    # what was waived, by whom and until when: one command
    listed = run("findings", "--state", "waived", "--lang", "zh")
    assert listed.status == 0
    assert "已豁免（a）" in listed.out
    assert SOON in listed.out
    text = run("findings", "--state", "waived", "--format", "csv").out.removeprefix("\ufeff")
    (row,) = csv.DictReader(io.StringIO(text))
    assert (row["waived_until"], row["waiver_approver"]) == (waiver["expires"], "a")


def test_by_verdict_and_clause_and_summed_up(run: Run, tmp_path: Path) -> None:
    failed = answer(run("findings", "--verdict", "fail", "--format", "json").out)["findings"]
    assert {f["verdict"] for f in failed} == {"fail"}
    assert {f["pledge"] for f in failed} == {"one-1", "two-2"}
    here = answer(run("findings", "--clause", "二(四)", "--format", "json").out)["findings"]
    none = answer(run("findings", "--clause", "2.2", "--format", "json").out)["findings"]
    assert len(here) >= len(failed)
    assert none == []
    told = answer(run("findings", "--summary", "--format", "json").out)["summary"]
    assert told["clauses"]["2.4"]["fail"] == len(failed)
    (hashes,) = (one for one in told["controls"] if one["number"] == "D12")
    assert (hashes["fail"], hashes["hosts"], hashes["pledges"]) == (2, 2, 2)
    table = run("findings", "--summary", "--lang", "zh").out
    assert "合计 二(四)" in table
    # and whose they are
    run("assign", "one-1", HASH, "web-01", "--owner", "周示例 13912345678", "--due", SOON)
    owned = answer(run("findings", "--summary", "--format", "json").out)["summary"]["owners"]
    by = {one["owner"]: one["fail"] for one in owned}
    assert (sum(by.values()), by[None]) == (len(failed), len(failed) - 1)
    (name,) = (owner for owner in by if owner)
    assert name.startswith("周示例") and "13912345678" not in name
    assert "周示例" in run("findings", "--summary", "--lang", "zh").out
    place = tmp_path / "f.xlsx"
    assert run("findings", "--format", "xlsx", "-o", place, "--lang", "zh").status == 1
    page = openpyxl.load_workbook(place).active
    assert page is not None
    heads, first = list(page.iter_rows(values_only=True))[:2]
    row = dict(zip(heads, first, strict=True))
    assert row["结论"] == "不符合"
    assert row["整改情况"] == "未闭环"
    assert row["一票否决"] in ("是", "否")
    at = row["发现时间（北京时间）"]
    assert isinstance(at, datetime)
    looked = (NOW - timedelta(days=2)).replace(microsecond=0)
    assert at.replace(tzinfo=UTC) - timedelta(hours=8) == looked
    text = run("findings", "--format", "csv", "--lang", "zh").out.removeprefix("\ufeff")
    known = next(csv.DictReader(io.StringIO(text)))
    assert (known["verdict"], known["state"], known["veto"]) == ("fail", "open", "no")
    assert known["opened_at"].endswith("+08:00")


def test_what_is_coming_without_what_is_overdue(run: Run, register: Register) -> None:
    assert set(WORDS) == set(KINDS)
    yesterday = (NOW - timedelta(days=2)).date().isoformat()
    # it was to come when it was said: the command takes no day that is past
    late = {(HASH, "web-01"): {"owner": "x", "due": yesterday}}
    register.change("one-1", partial(followed_up, entries=late, today=NOW.date()))
    run("assign", "two-2", HASH, "web-01", "--owner", "x", "--due", SOON)
    words = ("due", "--kind", "finding", "--format", "json")

    def told(*more: str) -> list[str]:
        return [one["pledge"] for one in answer(run(*words, *more).out)["due"]]

    assert told() == ["one-1", "two-2"]
    assert told("--coming") == ["two-2"]
    assert told("--overdue") == ["one-1"]
    assert run(*words, "--coming").status == 0, "nothing that is shown is overdue"
    assert "exclude each other" in run(*words, "--coming", "--overdue").err
    assert "问题整改" in run("due", "--summary", "--lang", "zh").out


def test_findings_of_a_grade_and_of_what_decides_by_itself(run: Run) -> None:
    def found(*words: str) -> list[tuple[str, str, bool]]:
        ended = run("findings", *words, "--format", "json")
        return [(f["host"], f["control"], f["veto"]) for f in answer(ended.out)["findings"]]

    every = found()
    veto = [one for one in every if one[2]]
    assert every
    assert found("--veto") == veto != every
    assert found("one-1", "--veto") == [one for one in found("one-1") if one[2]]
    grade = made().grade
    assert found("--grade", str(grade)) == every
    other = "2" if grade == 3 else "3"
    assert found("--grade", other) == found("one-1", "--grade", other) == []


@pytest.mark.parametrize("ids", [(), ("one-1",)])
def test_a_slip_in_a_name_is_no_good_news(run: Run, ids: tuple[str, ...]) -> None:
    """It read as if there was nothing to do."""
    assert (
        run("assign", "one-1", HASH, "web-01", "--owner", "李运维 139", "--due", SOON).status == 0
    )
    for words, said in (
        (
            ("--owner", "李云维"),
            "--owner: nobody of this name sees to a finding: 李云维; near it: 李运维",
        ),
        (("--host", "web-11"), "--host: no such host: web-11; near it: web-01"),
    ):
        ended = run("findings", *ids, *words)
        assert (ended.status, said in ended.err) == (2, True), ended.err
    assert run("findings", *ids, "--owner", "李运维").status == 1
    assert run("findings", *ids, "--host", "web-01").status == 1


@pytest.mark.parametrize("ids", [(), ("one-1",)])
def test_a_person_or_a_host_that_nobody_has_is_refused(run: Run, ids: tuple[str, ...]) -> None:
    """Of two characters with one wrong, nothing is near: it read as if there was nothing to do."""
    none = run("findings", *ids, "--owner", "李供")
    assert (none.status, "nobody sees to any finding yet" in none.err) == (2, True), none.err
    for id, host, owner in (
        ("one-1", "web-01", "李工"),
        ("two-2", "web-01", "王五 13900000000"),
        ("two-2", "*", "张工"),
    ):
        given = run("assign", id, HASH, host, "--owner", owner, "--due", SOON)
        assert given.status == 0, given.err
    said = "nobody of this name sees to a finding: 李供; near it: 李工; others: 张工, 王五\n"
    ended = run("findings", *ids, "--owner", "李供", "--overdue")
    assert (ended.status, ended.out) == (2, ""), ended.out
    assert ended.err.endswith(f"--owner: {said}"), ended.err
    ended = run("findings", *ids, "--owner", "nobody", "--grade", "3")
    assert (ended.status, ended.err.endswith("there are: 张工, 李工, 王五\n")) == (2, True), (
        ended.err
    )
    ended = run("list", "--owner", "李供")
    assert (ended.status, ended.err.endswith(f"--owner: {said}")) == (2, True), ended.err
    ended = run("assign", "--whose", "李供", "--owner", "张工", "--check")
    assert (ended.status, ended.err.endswith(f"--whose: {said}")) == (2, True), ended.err
    ended = run("assign", "--host", "h999", "--owner", "张工", "--check")
    assert (ended.status, "--host: no such host: h999" in ended.err) == (2, True), ended.err
    ended = run("findings", *ids, "--host", "h999")
    assert (ended.status, "--host: no such host: h999" in ended.err) == (2, True), ended.err


def test_who_is_known_and_has_nothing_open_is_no_slip(run: Run, register: Register) -> None:
    """Nor is a host that evidence alone has."""
    assert run("assign", "two-2", HASH, "web-01", "--owner", "李工").status == 0
    assert run("findings", "--owner", "李工").status == 1
    ended = run("findings", "one-1", "--owner", "李工")
    assert (ended.status, ended.out.splitlines()[0]) == (
        0,
        "open 0, waived 0, closed 0; overdue 0, nobody's 0",
    ), ended.err
    for known in register.list():
        other = made(**{**known.document, "resources": {"hosts": ["web-02"]}})
        register.add(other, update=True)
    assert run("findings", "--host", "web-01").status == 1
    assert run("findings", "--host", "web-02").status == 0


def test_the_history_tells_what_was_attached(run: Run, register: Register) -> None:
    """It was silent of evidence, which is most of what becomes of a customer."""
    assert run("assign", "one-1", HASH, "web-01", "--owner", "李工").status == 0
    ended = run("history", "one-1")
    assert ended.status == 0, ended.err
    heads = [line.split("  ")[0] for line in ended.out.splitlines() if line[:1].strip()]
    assert heads == ["one-1", "version 2", "evidence 1", "version 1"]
    assert "二(二) " in ended.out.partition("evidence 1")[2]
    found = answer(run("history", "one-1", "--format", "json").out)
    (one,) = register.evidence("one-1")
    assert [e["digest"] for e in found["evidence"]] == [one.digest]
    rows = run("history", "one-1", "--format", "csv").out
    assert ",evidence,,1," in rows
    today = datetime.now(UTC).date() - timedelta(days=1)
    assert "evidence 1" in run("history", "one-1", "--since", today.isoformat()).out
    after = (datetime.now(UTC) + timedelta(days=2)).date().isoformat()
    assert "nothing was written since" in run("history", "one-1", "--since", after).out


def test_hosts_that_were_never_looked_at_are_named(run: Run, register: Register) -> None:
    """One command over all pledges; of a draft nobody owes a look."""
    hosts = {"hosts": ["web-01", "old-02"]}
    register.add(made(id="one-1", resources=hosts), update=True)
    register.add(made(id="mute-3", resources={"hosts": ["web-01", "db-03"]}), update=True)
    register.add(made(id="draft-4", resources=hosts, documents=[], draft=True))
    period = {"from": "2026-01-01", "until": (NOW + timedelta(days=60)).date().isoformat()}
    for known in register.list():
        register.add(made(**{**known.document, "period": period}), update=True)
    shown = run("list", "--absent")
    assert shown.status == 0, shown.err
    assert [line.split()[0] for line in shown.out.splitlines()[1:3]] == ["mute-3", "one-1"]
    assert "old-02" in shown.out
    assert "2 host(s) of 2 pledge(s)" in shown.out
    assert "two-2" not in shown.out
    found = answer(run("list", "--absent", "--format", "json").out)["pledges"]
    assert {one["id"]: one["never_looked_at"] for one in found} == {
        "mute-3": ["db-03"],
        "one-1": ["old-02"],
    }
    rows = list(
        csv.DictReader(io.StringIO(run("list", "--absent", "--format", "csv").out.lstrip("\ufeff")))
    )
    assert [row["never_looked_at"] for row in rows] == ["db-03", "old-02"]
    assert "no host was never looked at" in run("list", "--absent", "--search", "two-2").out
    assert run("list", "--absent", "--history").status == 2
    assert "\none-1" in run("list", "--older-than", "1").out
    assert "none of 4" in run("list", "--older-than", "30").out


def test_an_address_that_nobody_declares_is_said(run: Run) -> None:
    """No row is an answer; that nobody declares it is another."""
    ended = run("list", "--search", "10.1.2.3")
    assert ended.status == 0
    assert "no pledge declares it" in ended.err
    assert "10.1.2.3" in ended.err
    assert "none of 3" in ended.out
    assert answer(run("list", "--search", "10.1.2.3", "--format", "json").out)["pledges"] == []
    assert "没有登记声明此地址" in run("list", "--search", "10.1.2.0/24", "--lang", "zh").err
    assert "no pledge holds it: nobody" in run("list", "--search", "nobody").err
    # somebody has it, and is not among those that are asked for
    other = run("list", "--search", "web-01", "--state", "disposed")
    assert (other.status, other.err) == (0, "")


def test_hosts_declared_since_the_evidence_are_asked_for(run: Run, register: Register) -> None:
    """`list` and `status` knew that nothing was proven of them; nobody was asked to look."""
    period = {"from": "2026-01-01", "until": (NOW + timedelta(days=90)).date().isoformat()}
    hosts = ["web-01", "new-07", "new-08", "new-09", "new-10"]
    plain = {**register.get("one-1").document, "period": period}
    register.add(made(**{**plain, "resources": {"hosts": hosts}}), update=True)
    words = ("due", "one-1", "--kind", "evidence", "--format", "json")

    def asked() -> list[str]:
        found = answer(run(*words, "--overdue").out)["due"]
        return [one["text"] for one in found if "declared since" in one["text"]]

    assert asked() == [
        "evidence: hosts declared since number 1, not looked at: new-07, new-08, new-09 and 1 more"
    ]
    assert "new-07" in run("due", "one-1", "--overdue").out.replace("\n", " ")
    zh = run("due", "one-1", "--format", "csv", "--lang", "zh").out
    assert "第 1 份之后登记的主机尚未核查：new-07、new-08、new-09 等 4 台" in zh
    said = " ".join(run("list", "--search", "one-1").out.split())
    assert "4 declared host(s) not in the newest evidence" in said
    register.add(made(**plain), update=True)
    assert asked() == []


EMPTY = "intrusion.empty_passwords"


def second_root(which: str) -> Capture:
    """Another host, of which two accounts are root."""
    taken = another(captured("weak"), which)
    read = taken.reads["accounts.passwd"]
    files = tuple(replace(f, data=f.data.replace(b"ops:x:1000:", b"ops:x:0:")) for f in read.files)
    assert files != read.files
    reads = {**taken.reads, "accounts.passwd": replace(read, files=files)}
    return replace(taken, reads=MappingProxyType(reads))


def test_who_fails_a_veto_control_is_one_command(
    run: Run, register: Register, tmp_path: Path
) -> None:
    """It was to be had only finding by finding."""
    period = {"from": "2026-01-01", "until": (NOW + timedelta(days=60)).date().isoformat()}
    for known in register.list():
        register.add(made(**{**known.document, "period": period}), update=True)
    assert "no pledge fails a veto control" in run("list", "--veto").out
    signer = Signer(tmp_path / "made")
    for id, taken in (("one-1", second_root("c")), ("two-2", second_root("d"))):
        at = NOW - timedelta(hours=3 if id == "one-1" else 4)
        check(register, id, signer, taken, at, controls=(*CONTROLS, EMPTY))
    shown = run("list", "--veto")
    assert shown.status == 0, shown.err
    ids = {line.split()[0] for line in shown.out.splitlines() if line[:1].strip()}
    found = answer(run("list", "--veto", "--format", "json").out)["pledges"]
    assert [one["id"] for one in found] == ["one-1", "two-2"]
    assert {"one-1", "two-2"} <= ids
    assert "mute-3" not in shown.out
    ((one,), (other,)) = (entry["vetoes"] for entry in found)
    assert one == other
    assert one["hosts"] == ["web-01"]
    assert one["number"] in shown.out
    summary = run("list", "--veto", "--summary")
    assert f"{one['number']} " in summary.out
    counted = answer(run("list", "--veto", "--summary", "--format", "json").out)["summary"]
    assert counted["pledges"] == 2
    assert counted["vetoes"][one["control"]] == {"number": one["number"], "pledges": 2, "hosts": 2}
    rows = csv.DictReader(
        io.StringIO(run("list", "--veto", "--format", "csv").out.lstrip("\ufeff"))
    )
    assert all(one["number"] in row["vetoes"] for row in rows)
    assert "一票否决" in run("list", "--veto", "--summary", "--lang", "zh").out
    assert run("list", "--veto", "--history").status == 2
    # a waiver accepts it until it ends
    words = ("--reason", "停用中", "--approver", "王安", "--until", SOON)
    assert run("waive", "one-1", one["control"], "web-01", *words).status == 0
    left = answer(run("list", "--veto", "--format", "json").out)["pledges"]
    assert [entry["id"] for entry in left] == ["two-2"]


def test_who_could_not_look_takes_nobody_off_the_veto_list(
    run: Run, register: Register, tmp_path: Path
) -> None:
    """A check without root, after one that saw a second root: nothing says that it is gone."""
    signer = Signer(tmp_path / "made")
    number = iter(range(9))

    def looked(taken: Capture) -> list[str]:
        at = NOW - timedelta(hours=9 - next(number))
        check(register, "two-2", signer, taken, at, controls=(*CONTROLS, EMPTY))
        listed = answer(run("list", "--veto", "--format", "json").out)["pledges"]
        return [one["id"] for one in listed]

    assert looked(second_root("d")) == ["two-2"]
    blind = second_root("d")
    reads = {id: read for id, read in blind.reads.items() if id != "accounts.passwd"}
    assert looked(replace(blind, reads=MappingProxyType(reads))) == ["two-2"]
    (one,) = (
        each
        for each in answer(run("findings", "two-2", "--format", "json").out)["findings"]
        if each["control"] == EMPTY
    )
    assert one["verdict"] == "error"
    shown = " ".join(run("status", "two-2").out.split())
    assert f"fail: {one['number']}" in shown


def test_a_look_at_nothing_takes_no_clause_off_the_list(
    run: Run, register: Register, tmp_path: Path
) -> None:
    """A list says of each clause what `status` says: the host did not answer, or another did."""
    signer = Signer(tmp_path / "made")
    period = {"from": "2026-01-01", "until": (NOW + timedelta(days=60)).date().isoformat()}
    two = {**register.get("two-2").document, "period": period}
    register.add(made(**{**two, "resources": {"hosts": ["web-01", "web-02"]}}), update=True)

    def looked(taken: Capture, hours: int, host: str) -> tuple[str, str, list[str]]:
        at = NOW - timedelta(hours=hours)
        check(register, "two-2", signer, taken, at, controls=(*CONTROLS, EMPTY), host=host)
        rows = answer(run("list", "--format", "json").out)["pledges"]
        (word,) = (one["proven"]["2.2"] for one in rows if one["id"] == "two-2")
        found = answer(run("status", "two-2", "--format", "json").out)["clauses"]
        (said,) = (one["verdict"] for one in found if one["clause"] == "responsibility.2.2")
        failing = answer(run("list", "--clause", "2.2=fail", "--format", "json").out)["pledges"]
        return word, said, [one["id"] for one in failing]

    assert looked(second_root("d"), 9, "web-01") == ("fail", "fail", ["two-2"])
    assert looked(replace(silent(), host="web-01"), 8, "web-01") == ("fail", "fail", ["two-2"])
    # a bundle of another host alone
    well = another(captured("weak"), "e")
    assert looked(well, 7, "web-02") == ("fail", "fail", ["two-2"])
    summed = answer(run("list", "--summary", "--format", "json").out)["summary"]
    assert summed["clauses"]["2.2"].get("fail") == 1


def test_what_is_given_to_somebody_is_counted_by_verdict(
    run: Run, register: Register, tmp_path: Path
) -> None:
    """`--veto` takes what could not be verified as well, and nobody was told how much."""
    signer = Signer(tmp_path / "made")
    at = NOW - timedelta(hours=3)
    taken = second_root("d")
    reads = {id: read for id, read in taken.reads.items() if id != "accounts.shadow"}
    taken = replace(taken, reads=MappingProxyType(reads))
    check(register, "two-2", signer, taken, at, controls=(*CONTROLS, EMPTY))
    words = ("assign", "--unowned", "--owner", "李工")
    told = answer(run(*words, "--check", "--format", "json").out)["verdicts"]
    assert set(told) == {"fail", "error"}
    alone = run(*words, "--verdict", "fail", "--check", "--lang", "zh").out
    assert "其中" not in alone
    said = f"of them fail {told['fail']}, not verified {told['error']}"
    other = f"of them not verified {told['error']}, fail {told['fail']}"
    shown = " ".join(run(*words, "--lang", "en").out.split())
    assert said in shown or other in shown


def test_what_a_look_that_was_cut_off_saw_failing_is_a_finding(
    run: Run, register: Register, tmp_path: Path
) -> None:
    """It breaks its clause, and was in no list. What it saw in order closes nothing."""
    period = {"from": "2026-01-01", "until": (NOW + timedelta(days=60)).date().isoformat()}
    register.add(made(**{**register.get("two-2").document, "period": period}), update=True)
    signer = Signer(tmp_path / "made")

    def looked(taken: Capture, hours: int) -> list[str]:
        at = NOW - timedelta(hours=hours)
        check(register, "two-2", signer, taken, at, controls=(*CONTROLS, EMPTY))
        rows = answer(run("findings", "two-2", "--format", "json").out)["findings"]
        vetoes = answer(run("list", "--veto", "--format", "json").out)["pledges"]
        ids = [one["id"] for one in vetoes]
        assert (ids == ["two-2"]) is any(
            one["control"] == EMPTY and one["verdict"] == "fail" for one in rows
        )
        return ids

    cut_off = HostStatus.LOST
    assert looked(replace(second_root("e"), status=cut_off), 9) == ["two-2"]
    assert looked(replace(another(captured("hardened"), "e"), status=cut_off), 8) == ["two-2"]
    ended = run("renew", "two-2", "two-3", "--format", "json")
    assert answer(ended.out)["vetoes_left"] == 1, ended.err
    assert "1 of them failing vetoes, stay with two-2" in ended.err


def test_a_veto_that_failed_before_the_renewal_is_in_the_list_until_somebody_looks_again(
    run: Run, register: Register, tmp_path: Path
) -> None:
    """A signature mends nothing."""
    signer, today = Signer(tmp_path / "made"), NOW.date()
    check(register, "two-2", signer, second_root("e"), NOW - timedelta(hours=9),
          controls=(*CONTROLS, EMPTY))  # fmt: skip
    past = {"from": "2026-01-01", "until": (today - timedelta(days=2)).isoformat()}
    now = {"from": past["until"], "until": (today + timedelta(days=60)).isoformat()}
    register.add(made(**{**register.get("two-2").document, "period": past}), update=True)
    anew = {**register.get("two-2").document, "id": "two-3", "period": now, "renews": "two-2"}
    register.add(made(**anew))

    def listed() -> dict[str, list[dict[str, object]]]:
        told = answer(run("list", "--veto", "--format", "json").out)["pledges"]
        return {one["id"]: one["vetoes"] for one in told}

    [failed] = listed()["two-3"]
    assert failed == {
        "control": EMPTY, "number": failed["number"], "hosts": ["web-01"], "seen_under": "two-2"
    }  # fmt: skip
    shown = " ".join(run("list", "--veto", "--lang", "en").out.split())
    assert "seen under two-2" in shown and "1 pledge(s) fail" in shown
    # nobody looked at what the draft of a further one would continue, nor is it owed
    register.add(made(**{**anew, "id": "two-4", "renews": "two-3", "draft": True, "documents": []}))
    assert listed().keys() == {"two-3"}
    # what the new one waives is no failure, and what circles ends
    waiver = {"control": EMPTY, "host": "web-01", "reason": "迁移中", "approver": "王安",
              "expires": now["until"]}  # fmt: skip
    register.add(made(**{**anew, "waivers": [waiver]}), update=True)
    register.add(made(**{**register.get("two-2").document, "renews": "two-3"}), update=True)
    assert listed() == {}
    register.add(made(**anew), update=True)
    assert listed().keys() == {"two-3"}
    # who looks again knows
    check(register, "two-3", signer, another(captured("hardened"), "f"), NOW - timedelta(hours=1),
          controls=(*CONTROLS, EMPTY))  # fmt: skip
    ended = run("list", "--veto", "--lang", "en")
    assert "no pledge fails" in ended.out


def test_the_list_of_vetoes_says_of_whom_nobody_knows(run: Run, register: Register) -> None:
    register.add(made(id="new-4", resources={"hosts": ["web-09"]}))
    ended = run("list", "--veto", "--lang", "en")
    assert "1 more have no evidence" in " ".join(ended.err.split()), ended.err
    assert ended.status == 0


def test_a_notice_may_be_of_failing_vetoes_alone(
    run: Run, register: Register, tmp_path: Path
) -> None:
    """What fails besides is in none of it, and who fails none gets none."""
    signer, until = Signer(tmp_path / "made"), (NOW + timedelta(days=9)).date().isoformat()
    check(register, "two-2", signer, second_root("e"), NOW - timedelta(hours=9),
          controls=(*CONTROLS, EMPTY))  # fmt: skip
    place = tmp_path / "out"
    ended = run("notice", "-o", place, "--veto", "--by", until, "--format", "json")
    assert [one["pledge"] for one in answer(ended.out)["notices"]] == ["two-2"], ended.err
    [entry] = register.get("two-2").document["notices"]
    assert [one["control"] for one in entry["findings"]] == [EMPTY]
    assert run("notice", "-o", place, "--veto", "--recheck").status == 2


def test_a_finding_says_its_clause_to_programs(run: Run) -> None:
    rows = answer(run("findings", "one-1", "--format", "json").out)["findings"]
    assert {one["clause"] for one in rows if one["control"] == HASH} == {"2.4"}
