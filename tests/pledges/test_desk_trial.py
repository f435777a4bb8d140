"""What an operator with hundreds of customers tried at the desk, and was misled by."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self

import pytest
from rich.cells import cell_len

from collector.cli.commands.pledge import findings, group
from collector.pledges.record.form import from_document
from collector.pledges.record.times import CHINA
from collector.pledges.register import register as rows_of
from collector.pledges.register.attach import attach
from collector.pledges.register.register import Register
from collector.pledges.transfer import disposal
from tests.cli.running import Ended, answer, hostpledge
from tests.clock import today
from tests.pledges.bundles import Signer
from tests.pledges.lives import CONTROLS, check
from tests.pledges.records import EXAMPLE, TODAY, example, made
from tests.pledges.test_disposal import _ended
from tests.pledges.test_follow_ups import EMPTY, second_root
from tests.pledges.test_seen_before import bundled, taken

Run = Callable[..., Ended]
NOW = datetime.now(UTC)
PERIOD = {
    "from": (NOW - timedelta(days=60)).date().isoformat(),
    "until": (NOW + timedelta(days=300)).date().isoformat(),
}


@pytest.fixture
def register(tmp_path: Path) -> Register:
    return Register.open(str(tmp_path / "r.sqlite"))


@pytest.fixture
def run(tmp_path: Path, register: Register) -> Run:
    def command(*words: object, lang: str = "en") -> Ended:
        more = ("--register", register.where, "--lang", lang)
        return hostpledge("pledge", *words, *more, home=tmp_path)

    return command


def _put(register: Register, id: str, name: str = "", **more: Any) -> None:
    papers = [{"type": "responsibility", "version": "2026", "signed_on": "2026-01-08",
               "sha256": f"{len(register.list()) + 1:064x}"}]  # fmt: skip
    customer = {**example()["customer"], **({"name": name} if name else {})}
    whole = {"period": PERIOD, "resources": {"hosts": ["web-01"]}, "documents": papers}
    register.add(made(id=id, **{**whole, "customer": customer, **more}))


def _ids(ran: Ended) -> list[str]:
    return [one["id"] for one in answer(ran.out)["pledges"]]


@pytest.mark.parametrize("clause", ["2.3", "2.3=none"])
def test_a_clause_is_asked_of_what_is_in_force(run: Run, register: Register, clause: str) -> None:
    _put(register, "one")
    _put(register, "draft", draft=True, documents=[])
    ended = {"date": NOW.date().isoformat(), "reason": "退网", "by": "王安"}
    _put(register, "over", ended=ended)
    asked = ("list", "--clause", clause, "--format", "json")
    ran = run(*asked)
    assert _ids(ran) == ["one"]
    assert "2 more are so and not in force" in ran.err
    assert "2 份" in run(*asked, lang="zh").err
    found = run(*asked, "--state", "draft", "--state", "ended")
    assert (_ids(found), found.err) == (["draft", "over"], "")
    assert run(*asked, "--state", "active").err == ""
    counted = answer(run("list", "--summary", "--format", "json").out)["summary"]
    assert counted["clauses"]["2.3"] == {"none": len(_ids(ran))}


def test_vetoes_that_are_given_to_somebody_are_those_that_fail(
    run: Run, register: Register, tmp_path: Path
) -> None:
    """As `list --veto` has them; the rest is told, and taken where its verdict is asked for."""
    _put(register, "one")
    _put(register, "two")
    signer = Signer(tmp_path / "made")
    blind = second_root("d")
    reads = {id: read for id, read in blind.reads.items() if id != "accounts.passwd"}
    blind = replace(blind, reads=MappingProxyType(reads))
    for id, given in (("one", second_root("c")), ("two", blind)):
        check(register, id, signer, given, NOW - timedelta(hours=3), controls=(*CONTROLS, EMPTY))
    words = ("assign", "--veto", "--owner", "李工", "--check")
    told = answer(run(*words, "--format", "json").out)
    failing = answer(run("list", "--veto", "--format", "json").out)["pledges"]
    assert [one["id"] for one in failing] == ["one"]
    assert [(one["pledge"], one["control"]) for one in told["changes"]] == [("one", EMPTY)]
    assert (told["verdicts"], told["left"]) == ({"fail": 1}, {"error": 1})
    assert "1 more of veto controls, not seen to fail: not verified 1" in run(*words).err
    assert "另有 1 项一票否决项" in run(*words, lang="zh").err
    every = answer(run(*words, "--verdict", "fail", "--verdict", "error", "--format", "json").out)
    assert (every["verdicts"], every["left"]) == ({"fail": 1, "error": 1}, {})
    # what is found is listed whatever its verdict is
    found = answer(run("findings", "--veto", "--format", "json").out)["findings"]
    assert {(one["pledge"], one["verdict"]) for one in found} == {("one", "fail"), ("two", "error")}


def test_a_register_that_is_made_is_told(tmp_path: Path) -> None:
    """A mistyped path took a whole list, and nobody was told that it was another register."""
    table = tmp_path / "list.csv"
    table.write_text("编号,用户名称,统一社会信用代码,等保级别\n"
                     "A-1,杭州甲公司,91330106MA0DEM2670,2\n")  # fmt: skip
    place = tmp_path / "registr.sqlite"

    def ran(*words: object, lang: str = "en") -> Ended:
        more = ("--register", place, "--lang", lang)
        return hostpledge("pledge", "import", table, *words, *more, home=tmp_path)

    for words in (("--check",), ("--update", "--check"), ("--update",)):
        ended = ran(*words)
        assert (ended.status, place.exists()) == (0 if words == ("--check",) else 2, False), words
    ended = ran("--format", "json")
    assert ended.status == 0, ended.err
    assert f"a new register was made: {place}" in ended.err
    assert answer(ended.out)["register_made"] == str(place)
    assert "register" not in ran("--update").err
    place.unlink()
    assert f"新建了登记库：{place}" in ran(lang="zh").err
    # what is added where there is one is added to it
    record = tmp_path / "r.yml"
    record.write_text((EXAMPLE).read_text())
    added = hostpledge("pledge", "add", record, "--register", place, home=tmp_path)
    assert (added.status, "new register" in added.err) == (0, False), added.err
    # one's own is made without a word
    own = hostpledge("pledge", "add", record, home=tmp_path / "own")
    assert (own.status, own.err) == (0, "")
    again = hostpledge("pledge", "add", "--update", record, home=tmp_path / "none")
    assert again.status == 2
    assert not (tmp_path / "none").exists()


_CODES = ("91330106MA0DEM2670", "91530100MA0DEM1005", "91530100MA0DEM200T")
_NAMES = ("昆明甲公司", "昆明乙公司", "昆明丙公司")


def _table(place: Path, names: Sequence[str], codes: Sequence[str]) -> Path:
    rows = [
        f"A-{n},{name},{code},2" for n, (name, code) in enumerate(zip(names, codes, strict=True))
    ]
    place.write_text("\n".join(["编号,用户名称,统一社会信用代码,等保级别", *rows]) + "\n")
    return place


@pytest.mark.parametrize("sent", ["signed", "drafts"])
def test_names_that_moved_by_a_row_are_refused(
    run: Run, register: Register, tmp_path: Path, sent: str
) -> None:
    """It was a note, and each customer's evidence was another's."""
    for n, (name, code) in enumerate(zip(_NAMES, _CODES, strict=True)):
        more: dict[str, Any] = {"documents": [], "draft": True} if sent == "drafts" else {}
        customer = {"name": name, "kind": "unit", "credit_code": code}
        _put(register, f"A-{n}", **more, customer=customer)
    moved = _table(tmp_path / "moved.csv", ("昆明新公司", *_NAMES[:-1]), _CODES)
    before = {one.id: one.digest for one in register.list()}
    for words in ((), ("--check",)):
        ended = run("import", moved, "--update", *words)
        assert ended.status == 2, words
        assert "A-1: 昆明乙公司 → 昆明甲公司, the customer of A-0" in ended.err
        assert "A-2: 昆明丙公司 → 昆明乙公司, the customer of A-1" in ended.err
        assert "2 record(s) would take another customer's name, nothing is written" in ended.err
        assert "--changed-hands" in ended.err
    assert {one.id: one.digest for one in register.list()} == before
    assert "2 份登记" in run("import", moved, "--update", lang="zh").err
    assert run("import", moved, "--update", "--changed-hands", "--check").status == 0
    done = run("import", moved, "--update", "--changed-hands")
    assert done.status == 0, done.err
    assert [one.customer for one in register.list()] == ["昆明新公司", *_NAMES[:-1]]


def test_a_customer_takes_its_own_new_name_in_each_of_its_records(
    run: Run, register: Register, tmp_path: Path
) -> None:
    for n in range(2):
        customer = {"name": "昆明甲公司", "kind": "unit", "credit_code": _CODES[0]}
        _put(register, f"A-{n}", customer=customer)
    for names in (("昆明新公司", "昆明甲公司"), ("昆明新公司", "昆明新公司")):
        table = _table(tmp_path / "t.csv", names, (_CODES[0], _CODES[0]))
        ended = run("import", table, "--update")
        assert ended.status == 0, ended.err
    assert {one.customer for one in register.list()} == {"昆明新公司"}


def test_another_machine_under_a_name_is_told_as_long_as_it_is_one(
    run: Run, register: Register, tmp_path: Path
) -> None:
    """It was said once, to whoever attached it."""
    _put(register, "one")
    _put(register, "two")
    signer = Signer(tmp_path / "made")

    def looked(hours: int, machine: str, id: str = "one") -> None:
        at = NOW - timedelta(hours=hours)
        given = taken("web-01", "weak", at, machine=machine)
        attach(register, id, bundled(register, signer, id, given), signer.trust)

    def told(id: str = "one") -> list[dict[str, Any]]:
        shown: list[dict[str, Any]] = answer(run("show", id, "--format", "json").out)[
            "other_machines"
        ]
        status = answer(run("status", id, "--format", "json").out)["other_machines"]
        file = answer(run("dossier", id, "--format", "json").out)["other_machines"]
        every = answer(run("list", "--format", "json").out)["pledges"]
        (listed,) = (one["other_machines"] for one in every if one["id"] == id)
        assert shown == status == listed == file
        return shown

    looked(9, "1")
    assert told() == []
    looked(8, "2")
    looked(7, "2")
    looked(6, "9", "two")
    assert told() == [{"host": "web-01", "since": 2, "before": 1}]
    assert told("two") == []
    said = "web-01: since evidence 2 another machine than in evidence 1"
    for words in (("status", "one"), ("show", "one"), ("dossier", "one")):
        assert said in " ".join(run(*words).out.split()), words
        shown = "".join(run(*words, lang="zh").out.split())
        assert "与第1份证据中的不是同一台机器" in shown, words
    # as it was before, and as it is without what was attached wrongly
    looked(5, "1")
    assert told() == []
    looked(4, "3")
    assert told() == [{"host": "web-01", "since": 5, "before": 2}]
    assert run("void", "one", "5", "--reason", "另一台", "--by", "王安").status == 0
    assert told() == []


@pytest.mark.parametrize(
    "who", ["203.0.113.77", "203.0.113.72/29", "13800000077", "示例七", "a7.example"]
)
def test_whom_a_list_finds_a_dossier_is_of(run: Run, register: Register, who: str) -> None:
    """By a telephone number or an address the list found the customer, and the dossier nobody."""
    for n in (6, 7):
        _put(
            register,
            f"A-{n}",
            f"昆明{n}公司",
            resources={"hosts": [f"web-{n}"], "addresses": [f"203.0.113.{n}{n}"],
                       "domains": [f"a{n}.example"]},
            safety_contact={"name": f"示例{'六七'[n - 6]}", "phone": f"138000000{n}{n}",
                            "email": f"p{n}@b.example"},
        )  # fmt: skip
    assert _ids(run("list", "--search", who, "--format", "json")) == ["A-7"]
    found = run("dossier", who, "--format", "json")
    assert (found.status, answer(found.out)["pledge"]) == (1, "A-7"), found.err
    several = run("dossier", "203.0.113.0/24")
    assert several.status == 2
    assert "2 pledges are of '203.0.113.0/24'" in several.err
    none = run("dossier", "203.0.114.9").err
    assert "no pledge is of '203.0.114.9', by id, customer or host" in none


@pytest.mark.parametrize(
    "days", [("--until", "2026-01-31"), ("--from", "2025-02-01", "--until", "2026-01-31")]
)
def test_nothing_is_renewed_into_the_past(
    run: Run, register: Register, days: tuple[str, ...]
) -> None:
    _put(register, "A-1", period={"from": "2024-02-01", "until": "2025-01-31"})
    for words in (days, (*days, "--check")):
        ended = run("renew", "A-1", "A-2", *words)
        assert ended.status == 2, words
        assert "A-1: its period would be over already, on 2026-01-31" in ended.err
    # as long as the one before, right behind it
    ended = run("renew", "A-1", "A-2", lang="zh")
    assert (ended.status, "2026-01-31 就已期满" in ended.err) == (2, True), ended.err
    many = run("renew", "A-1", "--ids", "A=B", "--check")
    assert (many.status, "would be over already" in many.err) == (2, True), many.err
    assert [one.id for one in register.list()] == ["A-1"]
    until = (NOW + timedelta(days=30)).date().isoformat()
    assert run("renew", "A-1", "A-2", "--until", until).status == 0


@pytest.mark.parametrize(
    ("words", "same"),
    [
        (("list", "--clause", "2.3=无证据"), ("list", "--clause", "2.3=none")),
        (("list", "--clause", "二(三)＝尚无证据"), ("list", "--clause", "2.3=none")),
        (("list", "--clause", "2.4=未能核查"), ("list", "--clause", "2.4=error")),
        (("list", "--clause", "2.4=不符合"), ("list", "--clause", "2.4=fail")),
        (("list", "--clause", "2.4=no proof"), ("list", "--clause", "2.4=notchecked")),
        (("list", "--state", "草稿"), ("list", "--state", "draft")),
        (("list", "--state", "草稿，尚未签署"), ("list", "--state", "draft")),
        (("list", "--state", "In Force"), ("list", "--state", "active")),
        (("findings", "--verdict", "不符合"), ("findings", "--verdict", "fail")),
        (("findings", "--verdict", "未能核查"), ("findings", "--verdict", "error")),
        (("findings", "--state", "已豁免"), ("findings", "--state", "waived")),
        (("due", "--kind", "登记期满", "--within", "400d"),
         ("due", "--kind", "period_end", "--within", "400d")),
    ],
)  # fmt: skip
def test_words_that_are_shown_are_taken(
    run: Run, register: Register, tmp_path: Path, words: tuple[str, ...], same: tuple[str, ...]
) -> None:
    _put(register, "one")
    _put(register, "two")
    _put(register, "draft", draft=True, documents=[])
    signer = Signer(tmp_path / "made")
    at = NOW - timedelta(hours=3)
    check(register, "one", signer, second_root("c"), at, controls=(*CONTROLS, EMPTY))
    shown, wanted = (run(*asked, "--format", "json") for asked in (words, same))
    assert shown.out, shown.err
    assert (shown.status, answer(shown.out)) == (wanted.status, answer(wanted.out))


def test_a_verdict_that_is_none_is_told_in_both_words(run: Run) -> None:
    ended = run("list", "--clause", "2.3=好", lang="zh")
    assert ended.status == 2
    assert "没有此结论：好" in ended.err
    assert "fail（不符合）" in ended.err


def _later(days: int) -> type[datetime]:
    class Later(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Self:
            return super().now(tz) + timedelta(days=days)

    return Later


def test_what_is_known_of_what_was_destroyed_is_said(
    register: Register,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Findings of all pledges could not be told, on any day, once one was disposed of."""
    signer, id = Signer(tmp_path / "made"), "demo-2026"
    register.add(from_document(_ended(), where="t", today=TODAY))
    attach(register, id, signer.chain(id, 1)[0].path, signer.trust)
    with monkeypatch.context() as then:
        # five days on
        then.setattr(rows_of, "datetime", _later(5))
        about = {"date": (today() + timedelta(days=5)).isoformat(), "method": "x", "by": "王安"}
        disposal.dispose(register, id, about, today() + timedelta(days=900), renewed=False)
    monkeypatch.setattr(findings, "datetime", _later(20))

    def found(*words: str) -> tuple[int, str, str]:
        asked = [*words, "--register", register.where, "--lang", "en"]
        status = group.pledge.main(["findings", *asked], standalone_mode=False)
        said = capsys.readouterr()
        return int(status), " ".join(said.out.split()), said.err

    before, after = ((today() + timedelta(days=n)).isoformat() for n in (2, 8))
    (evidence,) = register.evidence(id)
    status, out, _ = found(id, "--at", before)
    assert (status, f"at the end of {before} was destroyed on" in out) == (1, True)
    assert f"digest {evidence.digest[:16]}: 2(2) error" in out
    document = answer(found(id, "--at", before, "--format", "json")[1])
    assert (document["as_of"], document["findings"]) == (before, [])
    assert [one["digest"] for one in document["destroyed"]] == [evidence.digest]
    status, out, _ = found(id, "--at", after)
    assert (status, "was disposed of on" in out) == (0, True)
    assert found(id)[0] == 0
    # among others: named where something was owed to be known, and nothing where it is over
    status, _, err = found("--at", before)
    assert (status, f"{id}: what it said" in err) == (1, True)
    for words in ((), ("--at", after)):
        status, out, err = found(*words)
        assert (status, out, id in err) == (0, "no such finding", False)


def test_where_an_export_goes(run: Run, register: Register, tmp_path: Path) -> None:
    _put(register, "one")
    (tmp_path / "there").mkdir()
    for place, said in (
        ("there", f"is a folder; name a file in it, e.g. {tmp_path}/there/one.zip"),
        ("none/one.zip", "none: no such folder; make it first"),
    ):
        ended = run("export", "one", "-o", tmp_path / place)
        assert (ended.status, ended.err.count("\n")) == (2, 1), ended.err
        assert said in ended.err
    assert run("export", "one", "-o", tmp_path / "there" / "one.zip").status == 0
    assert "replaced" in run("export", "--help").out


def _wide(text: str) -> list[str]:
    return [line for line in text.splitlines() if cell_len(line) > 80]


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_link_ends_by_the_clock_of_records(run: Run, register: Register, lang: str) -> None:
    host = "database-of-a-long-name-01.kunming.example.cn"
    _put(register, "HT-2026-KM-0001", resources={"hosts": [host]})
    made_now = run("hand-in-link", "HT-2026-KM-0001", host, "--days", "3", lang=lang)
    assert made_now.status == 0, made_now.err
    listed = run("hand-in-link", "--list", lang=lang)
    (link,) = answer(run("hand-in-link", "--list", "--format", "json").out)["links"]
    ends = datetime.fromisoformat(link["ends_at"]).astimezone(CHINA)
    assert f"{ends:%Y-%m-%d %H:%M} +08:00" in made_now.err
    shown = " ".join(listed.out.split())
    assert ends.date().isoformat() in shown
    assert f"{ends:%H:%M}" in shown
    assert link["id"] in listed.out
    assert "HT-2026-KM-0001" in listed.out
    assert not _wide(listed.out)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_nothing_of_a_page_is_wider_than_a_terminal(
    run: Run, register: Register, tmp_path: Path, lang: str
) -> None:
    hosts = ["web-01", *(f"database-{n:02}.kunming.example.cn" for n in range(9))]
    _put(register, "one", resources={"hosts": hosts})
    signer = Signer(tmp_path / "made")
    for hours in (9, 3):
        given = taken("web-01", "weak", NOW - timedelta(hours=hours), machine=str(hours))
        attach(register, "one", bundled(register, signer, "one", given), signer.trust)
    why = "采集的是另一台主机，用户来电说明后由值班人员核实并登记在案，待其重新采集后再附上"
    assert run("void", "one", "1", "--reason", why, "--by", "王安").status == 0
    since = (NOW - timedelta(days=2)).date().isoformat()
    for words in (("show", "one"), ("history", "--since", since)):
        ended = run(*words, lang=lang)
        assert ended.out, ended.err
        assert not _wide(ended.out)


def test_what_is_written_to_a_file_is_told(run: Run, register: Register, tmp_path: Path) -> None:
    _put(register, "one")
    for words in (("list",), ("due",), ("findings",), ("dossier", "one"), ("history", "one")):
        place = tmp_path / f"{words[0]}.json"
        ended = run(*words, "--format", "json", "-o", place)
        assert ended.out == ""
        assert f"wrote {place}\n" in ended.err
        assert place.exists()
    assert f"已写入 {place}" in run("list", "--format", "json", "-o", place, lang="zh").err
    assert run("list", "--format", "json").err == ""


def test_what_an_import_takes_away_is_called_as_the_list_calls_it(
    run: Run, register: Register, tmp_path: Path
) -> None:
    """Whoever has a column 手机 was told of a 联系电话, and in English of a phone."""
    head = "合同号,客户名称,信用代码,等级,联系人,手机,签订日期,责任书扫描件"
    row = f"A-1,昆明甲公司,{_CODES[0]},2,{{}},2026-01-01,{'a' * 64}"
    table = tmp_path / "list.csv"

    def brought(people: str, *words: str, lang: str = "en") -> Ended:
        table.write_text(f"{head}\n{row.format(people)}\n")
        return run("import", table, *words, lang=lang)

    assert brought("张三,13800000000").status == 0
    for lang, nothing in (("en", ": 张三 → (nothing)"), ("zh", "：张三 → （无）")):
        ended = brought(",", "--update", "--check", lang=lang)
        assert f"联系人{nothing}" in ended.out, ended.err
        assert "安全联系人" not in ended.out + ended.err
        assert "A-1  联系人" in ended.err
        assert "手机" in ended.err
        assert not {"phone", "contact", "联系电话"} & set(re.findall(r"\w+", ended.err))
    assert "联系人、手机" in brought(",", "--update", lang="zh").err
    row = row.replace("2026-01-01", "2026-02-01")
    assert "将换掉 2026-01-01 签署的责任书" in brought(",", "--update", lang="zh").err
