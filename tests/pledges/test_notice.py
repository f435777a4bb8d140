"""Notices to customers: what to mend and until when, what a look again found, and nothing else."""

from __future__ import annotations

import hashlib
import json
import shlex
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pypdf
import pytest

from collector.model import Result, Text
from collector.pledges.record.changes import followed_up
from collector.pledges.record.form import PledgeRecord, from_document
from collector.pledges.record.notices import Notice as OnRecord
from collector.pledges.record.notices import with_notice
from collector.pledges.record.times import CHINA
from collector.pledges.register.register import Register
from collector.pledges.standing.finding_history import all_lives
from collector.pledges.status.findings import Event, Life, State
from collector.report.model import notice
from collector.report.render import html
from tests.cli.running import Ended, answer, hostpledge
from tests.clock import today
from tests.pledges.bundles import Signer
from tests.pledges.lives import captured, check
from tests.pledges.records import example, made
from tests.pledges.test_follow_ups import another

HASH = "encryption.password_hash"
NOW = datetime.now(UTC)
SOON = (NOW.astimezone(CHINA) + timedelta(days=15)).date().isoformat()
# begun so lately that no whole look is owed yet: what a look at a part found mended is proven so
PERIOD = {
    "from": (NOW - timedelta(days=60)).date().isoformat(),
    "until": (NOW + timedelta(days=300)).date().isoformat(),
}
Notice = Callable[..., Ended]


def _text(path: Path) -> str:
    said = ["pdftotext", "-raw", str(path), "-"]
    return subprocess.run(said, capture_output=True, text=True, check=True).stdout.replace("\n", "")


@pytest.fixture
def weak(tmp_path: Path) -> tuple[Register, Signer]:
    """Two pledges: one host hashes passwords weakly, the other does not."""
    place = tmp_path / "r"
    place.mkdir()
    register = Register.open(str(place))
    signer = Signer(tmp_path / "made")
    for id, state in (("one-1", "weak"), ("two-2", "hardened")):
        register.add(made(id=id, resources={"hosts": ["web-01"]}, period=PERIOD))
        check(register, id, signer, captured(state), NOW - timedelta(days=20))
    return register, signer


@pytest.fixture
def run(tmp_path: Path, weak: object) -> Notice:
    def notice(*words: object, **more: str) -> Ended:
        place = tmp_path / "r"
        if "-o" in words:
            # each notice has a file of its own
            before = Path(str(words[words.index("-o") + 1]))
            if before.is_file():
                before.unlink()
        return hostpledge("pledge", "notice", *words, "--register", place, home=tmp_path, **more)

    return notice


def test_a_notice_is_not_written_over_another(run: Notice, tmp_path: Path) -> None:
    out = tmp_path / "n.html"
    register = Register.open(str(tmp_path / "r"))
    given = ("one-1", "-o", out, "--by", "2040-12-31", "--lang", "en")
    assert run(*given).status == 0
    first, known = out.read_bytes(), register.get("one-1")
    words = ("pledge", "notice", *given, "--register", tmp_path / "r")
    again = hostpledge(*words, home=tmp_path)
    assert (again.status, "exists already" in again.err) == (2, True), again.err
    assert (out.read_bytes(), register.get("one-1")) == (first, known)
    # a draft is made as often as it is wanted
    assert hostpledge(*words, "--draft", home=tmp_path).status == 0


def test_to_mend_then_looked_at_again(
    weak: tuple[Register, Signer], run: Notice, tmp_path: Path
) -> None:
    register, signer = weak
    page = tmp_path / "整改.pdf"
    refused = run("one-1", "-o", page)
    assert refused.status == 2
    assert "1 finding(s) have no day to mend by; add --by DATE" in refused.err
    assert not page.exists()
    words = ("--by", SOON, "--issuer", "某某网络有限公司", "--lang", "zh")
    ended = run("one-1", "-o", page, *words)
    assert ended.status == 0, ended.err
    assert ended.out == f"{page}\n"
    assert page.stat().st_mode & 0o777 == 0o600
    said = _text(page)
    for part in (
        "整改通知书",
        "杭州示例云帆科技有限公司",
        "D12",
        "web-01",
        SOON,
        "二(四)",
        "签收回执",
    ):
        assert part in said, part
    assert "某某网络有限公司" in said
    assert f"one-1-{today():%Y%m%d}" in said
    assert register.evidence("one-1")[0].digest in said
    assert "{" not in said, "a number has no value"
    life = all_lives(register.get("one-1"), register.evidence("one-1"), NOW)[0]
    assert life.said.zh.replace(" ", "") in said.replace(" ", ""), "and not only what to do"
    # who it was given to, and their day, in place of the day of all
    own = (NOW.astimezone(CHINA) + timedelta(days=3)).date().isoformat()
    hostpledge(
        "pledge", "assign", "one-1", HASH, "web-01", "--owner", "周示例 13912345678",
        "--due", own, "--register", tmp_path / "r", home=tmp_path,
    )  # fmt: skip
    assert run("one-1", "-o", page, "--lang", "zh").status == 0
    said = _text(page)
    assert "周示例" in said
    assert "13912345678" not in said
    assert own in said
    # a look again: it is mended
    check(register, "one-1", signer, captured("hardened"), NOW - timedelta(days=1))
    ended = run("one-1", "-o", page)
    assert (ended.status, ended.err) == (0, "one-1: nothing to give notice of\n")
    again = tmp_path / "again.html"
    ended = run("one-1", "-o", again, "--recheck", "--lang", "en", "--public")
    assert ended.status == 0, ended.err
    html = again.read_text()
    assert again.stat().st_mode & 0o777 == 0o644
    assert "Mended · 1" in html
    assert "Still open · 0" in html
    assert "All that was found is mended." in html
    # nothing of it happened since today
    ended = run("one-1", "-o", again, "--recheck", "--since", today().isoformat())
    assert "nothing to give notice of" in ended.err


def test_a_look_again_names_hosts_that_are_on_record_no_more(
    weak: tuple[Register, Signer], run: Notice, tmp_path: Path
) -> None:
    register, signer = weak
    assert run("one-1", "-o", tmp_path / "n.html", "--by", SOON).status == 0

    def moved(known: PledgeRecord) -> PledgeRecord:
        document = json.loads(known.canonical()) | {"resources": {"hosts": ["db-01"]}}
        return from_document(document, where="", today=NOW.astimezone(CHINA).date())

    register.change("one-1", moved)
    taken = another(captured("hardened"))
    check(register, "one-1", signer, taken, NOW - timedelta(days=1), host="db-01")
    again = tmp_path / "again.html"
    ended = run("one-1", "-o", again, "--recheck", "--lang", "en")
    assert ended.status == 0, ended.err
    assert "Hosts that it names are on record no more" in again.read_text()
    assert "web-01" in again.read_text()
    listed = hostpledge(
        "pledge", "notices", "one-1", "--register", tmp_path / "r", "--format", "json",
        home=tmp_path,
    )  # fmt: skip
    first = answer(listed.out)["notices"][0]
    assert (first["open"], first["gone"], first["overdue"]) == (0, first["named"], False)


def test_of_all_those_are_looked_at_again_that_were_given_notice(
    weak: tuple[Register, Signer], run: Notice, tmp_path: Path
) -> None:
    """65 customers who never had one were 65 lines of complaint."""
    register, signer = weak
    register.add(made(id="other-3", resources={"hosts": ["web-03"]}))
    look = another(captured("weak"))
    check(register, "other-3", signer, look, NOW - timedelta(days=3), host="web-03")
    assert run("one-1", "-o", tmp_path / "one.pdf", "--by", SOON).status == 0
    ended = run("-o", tmp_path / "again", "--recheck")
    assert ended.status == 0, ended.err
    assert [path.name.partition("-one-1")[0] for path in (tmp_path / "again").iterdir()] == [
        "recheck"
    ]
    assert "1 pledge(s) were given no notice to mend" in ended.err
    assert "day to mend by; add" not in ended.err
    # who is asked for by name is told why
    alone = run("other-3", "-o", tmp_path / "again", "--recheck")
    assert alone.status == 2 and alone.err.count("other-3") == 1


def test_of_all_pledges_those_that_have_something(run: Notice, tmp_path: Path) -> None:
    folder = tmp_path / "通知"
    ended = run("-o", folder, "--by", SOON)
    assert ended.status == 0, ended.err
    assert [path.name for path in folder.iterdir()] == ["mend-one-1.pdf"]
    assert ended.err.startswith("two-2: nothing to give notice of\n")
    assert len(pypdf.PdfReader(folder / "mend-one-1.pdf").pages) == 1


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("-o", "x.pdf", "--by", "2040-01-01"), "2 pledges, and one file"),
        (("one-1", "-o", "none/x.pdf", "--by", "2040-01-01"), "no such folder"),
        (("one-1", "-o", "x.pdf", "--by", "soon"), "--by: no date: soon"),
        (("one-1", "-o", "x.pdf", "--by", "2001-01-01"), "--by: is past already"),
        (("one-1", "-o", "x.pdf", "--since", "2026-01-01"), "--since goes with --recheck"),
        (("one-1", "-o", "x.pdf", "--recheck", "--since", "2126-01-01"), "has not come yet"),
        (("none", "-o", "x.pdf", "--by", "2040-01-01"), "none"),
    ],
)
def test_what_cannot_be_said(
    run: Notice, tmp_path: Path, words: tuple[str, ...], says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ended = run(*words)
    assert (ended.status, ended.out) == (2, "")
    assert says in ended.err
    assert "Traceback" not in ended.err
    assert not (tmp_path / "x.pdf").exists()


def _life(
    host: str,
    state: State,
    opened: int,
    closed: int | None = None,
    verdict: Result = Result.FAIL,
) -> Life:
    at = [Event("opened", NOW + timedelta(days=opened), 1, Result.FAIL)]
    if closed is not None:
        at.append(Event("closed", NOW + timedelta(days=closed), 2, Result.PASS))
    verdict = verdict if closed is None else Result.PASS
    said, mend = Text("弱", f"weak, as {host[0]} has it"), Text("改 184", "mend 184")
    return Life(
        HASH, host, "D12", Text("口令", "hash"), False, state, verdict, 1, tuple(at),
        said=said, mend=mend,
    )  # fmt: skip


def test_each_is_told_once_and_where_it_belongs() -> None:
    lives = (
        *(_life(f"h{n:02}", "open", -30) for n in range(20)),
        _life("new", "open", -1),
        _life("waived", "waived", -30),
        _life("mended", "closed", -30, -1),
        _life("long ago", "closed", -60, -40),
    )
    asked = notice.Asked("recheck", "1", "", SOON, NOW - timedelta(days=10))
    newest = (2, NOW, "de" * 32)
    given = notice.contents(made(), lives, newest, asked, NOW, "en")
    told = {word: [(i.hosts, i.more) for i in items] for word, items in given["parts"]}
    assert told == {
        "notice_mended": [(("mended",), 0)],
        "notice_still": [(tuple(f"h{n:02}" for n in range(12)), 8)],
        "notice_new": [(("new",), 0)],
    }
    assert (given["hosts"], given["controls"], given["findings"]) == (21, 1, 21)
    asked = notice.Asked("mend", "1", "", SOON)
    ((_, (item,)),) = notice.contents(made(), lives, newest, asked, NOW, "en")["parts"]
    assert (len(item.hosts), item.more, item.due) == (12, 9, SOON)
    assert (item.count, item.what) == (21, "mend 184")
    assert [said for _, said in item.said] == ["weak, as h has it", "weak, as n has it"]
    assert item.said[1][0] == ("new",)


def test_what_a_notice_left_out_and_was_known_is_nothing_new() -> None:
    lives = [_life(f"h{n:02}", "open", -30) for n in range(2)]
    entry = {"number": "1", "kind": "mend", "date": "2026-11-01", "evidence": 1, "findings": []}
    after = notice.Asked("recheck", "2", "", SOON, None, OnRecord(entry))
    later = replace(lives[0], events=(Event("opened", NOW, 2, Result.FAIL),), host="later")
    given = notice.contents(made(), [*lives, later], (2, NOW, "de" * 32), after, NOW, "en")
    told = {word: [i.hosts for i in items] for word, items in given["parts"]}
    assert told["notice_new"] == [("later",)]
    assert told["notice_known"] == [("h00", "h01")]
    assert given["earlier"]["looked_since"]
    given = notice.contents(made(), lives, (1, NOW, "de" * 32), after, NOW, "en")
    assert "No host was checked since" in html.page("notice.html.j2", given, style="pages.css")


def test_what_could_not_be_verified_is_looked_at_again_and_the_same_is_said_once() -> None:
    lives = (
        _life("a", "open", -30),
        _life("b", "open", -30, verdict=Result.PARTIAL),
        _life("c", "open", -30, verdict=Result.ERROR),
    )
    asked = notice.Asked("mend", "1", "", SOON)
    given = notice.contents(made(), lives, (2, NOW, "de" * 32), asked, NOW, "en")
    ((_, items),) = given["parts"]
    assert [(i.result, i.what, i.same) for i in items] == [
        (Result.FAIL, "mend 184", 0), (Result.PARTIAL, "", 1), (Result.ERROR, "", 0)
    ]  # fmt: skip
    text = html.page("notice.html.j2", given, style="pages.css")
    assert "as in row 1" in text
    assert "not verified is not failed: collect again as root" in text


def test_it_goes_on_record_and_is_looked_at_again_by_it(
    weak: tuple[Register, Signer], run: Notice, tmp_path: Path
) -> None:
    """The notice of a recheck needs no day: what the first one named keeps its own."""
    register, signer = weak
    place = tmp_path / "r"
    versions = len(register.history("one-1"))
    page = tmp_path / "a.html"
    assert run("one-1", "-o", page, "--by", SOON, "--draft", "--lang", "en").status == 0
    drafted = _text(page) if page.suffix == ".pdf" else page.read_text()
    assert "draft, not on record" in drafted
    assert f"one-1-{today():%Y%m%d}" not in drafted, "the next notice has it"
    assert len(register.history("one-1")) == versions
    told = answer(
        run("one-1", "-o", page, "--by", SOON, "--number", "AQ-17", "--format", "json").out
    )
    assert told["notices"] == [{"pledge": "one-1", "file": str(page), "number": "AQ-17"}]
    (entry,) = register.get("one-1").document["notices"]
    assert entry["findings"] == [{"control": HASH, "hosts": ["web-01"], "mend_by": SOON}]
    assert (entry["kind"], entry["evidence"], entry["mend_by"]) == ("mend", 1, SOON)
    assert entry["sha256"] == hashlib.sha256(page.read_bytes()).hexdigest()
    refused = run("one-1", "-o", page, "--by", SOON, "--number", "AQ-17")
    assert (refused.status, refused.out) == (2, "")
    assert "--number: the notice AQ-17 is on record already" in refused.err

    def notices(*words: str) -> Ended:
        return hostpledge("pledge", "notices", *words, "--register", place, home=tmp_path)

    (one,) = answer(notices("--format", "json").out)["notices"]
    assert (one["number"], one["open"], one["mended"], one["overdue"]) == ("AQ-17", 1, 0, False)
    assert one["last_day"] == SOON
    assert notices().status == 0
    assert "AQ-17" in notices("one-1", "--open").out
    assert notices("--overdue").out == "none of the 1 on record is overdue\n"
    # still open: the day of the first notice stands in the second
    again = tmp_path / "again.html"
    ended = run("one-1", "-o", again, "--recheck", "--lang", "zh")
    assert ended.status == 0, ended.err
    html = again.read_text()
    assert "所列事项复查如下" in html
    assert "AQ-17" in html
    assert "仍未整改 · 1" in html
    assert SOON in html
    assert register.get("one-1").document["notices"][1]["of"] == "AQ-17"
    # mended: of the first one, though another notice came between
    check(register, "one-1", signer, captured("hardened"), NOW - timedelta(days=1))
    ended = run("one-1", "-o", again, "--recheck", "--after", "AQ-17", "--lang", "zh")
    assert ended.status == 0, ended.err
    assert "已整改 · 1" in again.read_text()
    (one, *_) = answer(notices("--format", "json").out)["notices"]
    assert (one["open"], one["mended"]) == (0, 1)
    refused = run("one-1", "-o", again, "--recheck", "--after", "AQ-99")
    assert "no notice AQ-99 is on record" in refused.err


def test_what_is_late_is_told_by_the_record(weak: tuple[Register, Signer], tmp_path: Path) -> None:
    register, _ = weak
    past = (NOW - timedelta(days=3)).date().isoformat()
    entry = {
        "number": "AQ-1", "kind": "mend", "date": past, "mend_by": past, "evidence": 1,
        "findings": [{"control": HASH, "hosts": ["web-01"]}], "sha256": "ab" * 32,
    }  # fmt: skip
    register.change("one-1", lambda record: with_notice(record, entry, today=today()))
    words = ("pledge", "notices", "--overdue", "--register", tmp_path / "r")
    ended = hostpledge(*words, "--lang", "zh", home=tmp_path)
    assert ended.status == 1, ended.err
    assert "AQ-1" in ended.out
    assert "逾期" in ended.out


def test_a_notice_is_listed_with_its_own_day(weak: tuple[Register, Signer], tmp_path: Path) -> None:
    """One to mend by the 15th stood there with a day six weeks ahead, and late."""
    register, _ = weak
    own = (today() - timedelta(days=2)).isoformat()
    later = (today() + timedelta(days=40)).isoformat()
    entry = {
        "number": "AQ-1", "kind": "mend", "date": own, "mend_by": own, "evidence": 1,
        "findings": [
            {"control": HASH, "hosts": ["web-01"]},
            {"control": HASH, "hosts": ["web-02"], "mend_by": later},
        ],
        "sha256": "ab" * 32,
    }  # fmt: skip
    register.change("one-1", lambda record: with_notice(record, entry, today=today()))
    words = ("pledge", "notices", "--register", tmp_path / "r", "--lang", "en")
    ended = hostpledge(*words, home=tmp_path)
    assert ended.status == 1, ended.err
    assert ended.out.count(own) == 2, ended.out
    assert "open 20" not in ended.out
    (one,) = answer(hostpledge(*words, "--format", "json", home=tmp_path).out)["notices"]
    assert (one["mend_by"], one["next_day"], one["last_day"]) == (own, own, later)
    rows = hostpledge(*words, "--format", "csv", home=tmp_path).out
    assert f",{own},{own},{later}," in rows


def test_of_many_without_anything_one_line_is_said(
    weak: tuple[Register, Signer], run: Notice, tmp_path: Path
) -> None:
    """291 of 300 had nothing, and each said so."""
    register, _ = weak
    for number in range(6):
        register.add(made(id=f"none-{number}", resources={"hosts": ["web-01"]}))
    ended = run("-o", tmp_path / "all", "--by", SOON)
    assert ended.status == 0, ended.err
    # of one that was looked at that is known, and of the others nothing is
    assert ended.err.startswith("two-2: nothing to give notice of\n6 pledge(s) have no evidence")
    assert "none is given: none-0, none-1, none-2, none-3, none-4 …" in ended.err
    told = answer(run("--check", "--by", SOON, "--again", "--format", "json").out)
    assert told["without_evidence"] == [f"none-{number}" for number in range(6)]
    assert told["nothing"] == ["two-2", *told["without_evidence"]]
    # a second one of the same day does not take the place of the first
    ended = run("one-1", "-o", tmp_path / "all", "--by", SOON)
    second = f"one-1-{today():%Y%m%d}-2"
    assert ended.out == f"{tmp_path / 'all' / f'mend-{second}.pdf'}\n"
    assert [n["number"] for n in register.get("one-1").document["notices"]][1] == second


def test_nobody_is_told_to_mend_by_a_day_that_has_passed(
    weak: tuple[Register, Signer], run: Notice, tmp_path: Path
) -> None:
    """The notice was overdue on the day that it was given."""
    register, _ = weak
    ago = (NOW.astimezone(CHINA) - timedelta(days=3)).date()
    register.change(
        "one-1",
        lambda newest: followed_up(
            newest,
            {(HASH, "web-01"): {"owner": "周示例", "due": ago.isoformat()}},
            today=ago,
        ),
    )
    page = tmp_path / "late.pdf"
    refused = run("one-1", "-o", page)
    assert (refused.status, "have no day to mend by" in refused.err) == (2, True)
    assert run("one-1", "-o", page, "--by", SOON, "--lang", "zh").status == 0
    said = _text(page)
    assert SOON in said
    # a later day is no secret: the customer reads what it was, and that it is over
    # a line of the cell may end between the two, as the font has it
    assert f"原期限{ago.isoformat()}，已逾期" in said.replace(" ", "")
    given = hostpledge("pledge", "notices", "--register", tmp_path / "r", home=tmp_path)
    assert (given.status, "late" in given.out) == (0, False)


def test_two_at_once_have_a_number_each(
    weak: tuple[Register, Signer], run: Notice, tmp_path: Path
) -> None:
    """And each file is the one that is on record under its number."""
    pages = [tmp_path / f"{n}.html" for n in range(3)]
    with ThreadPoolExecutor(3) as pool:
        done = list(pool.map(lambda page: run("one-1", "-o", page, "--by", SOON), pages))
    assert [one.status for one in done] == [0, 0, 0], [one.err for one in done]
    kept = {one["sha256"] for one in weak[0].get("one-1").document["notices"]}
    assert kept == {hashlib.sha256(page.read_bytes()).hexdigest() for page in pages}


def test_what_many_would_be_given_is_looked_at_first(
    weak: tuple[Register, Signer], run: Notice, tmp_path: Path
) -> None:
    """And how each is taken back is said, as `assign` and `import` say it."""
    register, _ = weak
    before = register.get("one-1")
    ahead = run("--by", SOON, "--check")
    assert ahead.status == 0, ahead.err
    number = f"one-1-{today():%Y%m%d}"
    assert number in ahead.out
    assert "1 notice(s) would be given, of 1 finding(s) (nothing is written)" in ahead.out
    found = answer(run("--by", SOON, "--check", "--format", "json").out)
    assert (found["check"], found["on_record"], found["nothing"]) == (True, False, ["two-2"])
    (one,) = found["notices"]
    assert (one["pledge"], one["number"], one["findings"]) == ("one-1", number, 1)
    assert one["first_day"] == SOON
    assert register.get("one-1") == before
    assert not (tmp_path / "all").exists()
    # what stops one stops it here too, and names it
    refused = run("one-1", "--check")
    assert (refused.status, "no day to mend by" in refused.err) == (2, True)
    assert run("--by", SOON).status == 2
    ended = run("-o", tmp_path / "all", "--by", SOON, "--format", "json")
    (undo,) = answer(ended.out)["undo"]
    assert undo.startswith(f"hostpledge pledge withdraw-notice one-1 {number} --reason")
    assert undo in ended.err
    drafted = run("one-1", "-o", tmp_path / "d.html", "--by", SOON, "--draft")
    assert "withdraw-notice" not in drafted.err
    words = shlex.split(undo)
    back = hostpledge(*words[1:], home=tmp_path)
    assert back.status == 0, back.err
    assert "withdrawn" in register.get("one-1").document["notices"][0]


def test_who_cannot_be_sent_one_is_told_before(
    weak: tuple[Register, Signer], run: Notice, tmp_path: Path
) -> None:
    register, signer = weak
    phone = {"name": "周示例", "phone": "13800000000"}
    mail = {**phone, "email": "zhou@example.org"}
    for number, contact in enumerate((None, phone, mail)):
        id = f"more-{number}"
        changes = {"safety_contact": contact, "security_officer": None}
        papers = [{**example()["documents"][0], "sha256": f"{number + 1:064x}"}]
        register.add(made(id=id, resources={"hosts": ["web-01"]}, documents=papers, **changes))
        check(register, id, signer, another(captured("weak"), "cde"[number]), NOW)
    ids = ("more-0", "more-1", "more-2")
    ahead = run(*ids, "--by", SOON, "--check", "--lang", "en")
    assert ahead.status == 0, ahead.err
    assert "1 of them have neither phone nor mail on record: more-0" in ahead.out
    assert "1 of them have a phone and no mail on record: more-1" in ahead.out
    assert "13800000000" not in ahead.out
    found = answer(run(*ids, "--by", SOON, "--check", "--format", "json").out)
    assert (found["without_contact"], found["without_email"]) == (["more-0"], ["more-1"])
    assert [one["has"] for one in found["notices"]] == [[], ["phone"], ["phone", "email"]]
    assert "no mail" not in run("more-2", "--by", SOON, "--check").out
