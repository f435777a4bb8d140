"""What a desk of hundreds of pledges does twice, by half, to the wrong ones, or by a wrong year."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from collector.pledges.record.times import CHINA
from collector.pledges.register.register import Register
from tests.cli.running import Ended, answer, hostpledge
from tests.clock import today
from tests.pledges.bundles import Signer
from tests.pledges.lives import captured, check
from tests.pledges.records import example, made

Pledge = Callable[..., Ended]
NOW = datetime.now(UTC)
SOON = (NOW.astimezone(CHINA) + timedelta(days=15)).date().isoformat()
AGO = (NOW.astimezone(CHINA) - timedelta(days=2)).date().isoformat()
PERIOD = {
    "from": (NOW - timedelta(days=60)).date().isoformat(),
    "until": (NOW + timedelta(days=300)).date().isoformat(),
}
_PAPERS = {"type": "responsibility", "version": "2026", "signed_on": "2026-01-08"}


@pytest.fixture
def register(tmp_path: Path) -> Register:
    return Register.open(str(tmp_path / "r.sqlite"))


@pytest.fixture
def pledge(tmp_path: Path, register: Register) -> Pledge:
    def run(*words: object, lang: str = "en") -> Ended:
        place = Path(register.where)
        return hostpledge("pledge", *words, "--register", place, "--lang", lang, home=tmp_path)

    return run


def _weak(register: Register, folder: Path, *ids: str, **more: Any) -> None:
    """Pledges whose host hashes passwords weakly, looked at on a day each."""
    for id in ids:
        number = len(register.list())
        papers = [{**_PAPERS, "sha256": f"{number + 1:064x}"}]
        register.add(
            made(id=id, resources={"hosts": ["web-01"]}, period=PERIOD, documents=papers, **more)
        )
        signer = Signer(folder / id)
        check(register, id, signer, captured("weak"), NOW - timedelta(days=20 + number))


def test_what_was_interrupted_goes_on_and_tells_nobody_twice(
    register: Register, pledge: Pledge, tmp_path: Path
) -> None:
    _weak(register, tmp_path, "one-1", "two-2")
    out = tmp_path / "all"
    # as Ctrl-C left it: the first is on record
    assert pledge("notice", "one-1", "-o", out, "--by", SOON).status == 0
    ahead = answer(pledge("notice", "--by", SOON, "--check", "--format", "json").out)
    assert ([n["pledge"] for n in ahead["notices"]], ahead["standing"]) == (["two-2"], ["one-1"])
    done = pledge("notice", "-o", out, "--by", SOON)
    assert (done.status, done.out) == (0, f"{out / 'mend-two-2.pdf'}\n"), done.err
    assert "1 pledge(s) were told all of it by notices that stand" in done.err
    assert pledge("notice", "one-1", "two-2", "-o", out, "--by", SOON).out == ""
    again = pledge("notice", "-o", out, "--by", SOON, "--again")
    assert again.out.count("mend-") == 2
    assert "1 of 1 are named by the notice" in again.err
    # as many are taken back by one command, all or none
    assert pledge("withdraw-notice", "one-1", "--reason", "x", "--by", "王安").status == 2
    line = next(x for x in again.err.splitlines() if x.startswith("hostpledge"))
    words = shlex.split(line)[2:]
    before = [register.get(id) for id in ("one-1", "two-2")]
    wrong = [*words[:3], "two-2", "AQ-9", *words[5:]]
    assert wrong[1] == "one-1"
    assert pledge(*wrong).status == 2
    assert [register.get(id) for id in ("one-1", "two-2")] == before
    back = pledge(*words[: words.index("--register")])
    assert back.status == 0, back.err
    gone = [[bool(n.get("withdrawn")) for n in register.get(r.id).document["notices"]]
            for r in before]  # fmt: skip
    assert gone == [[False, True], [False, True]]
    # the first ones stand: nobody is told again
    assert pledge("notice", "-o", out, "--by", SOON).out == ""


def test_the_same_look_again_is_not_told_twice(
    register: Register, pledge: Pledge, tmp_path: Path
) -> None:
    _weak(register, tmp_path, "one-1", "two-2")
    out = tmp_path / "all"
    assert pledge("notice", "-o", out, "--by", SOON).out.count("mend-") == 2
    assert pledge("notice", "one-1", "-o", out, "--recheck").status == 0
    done = pledge("notice", "-o", out, "--recheck")
    assert done.out == f"{out / 'recheck-two-2.pdf'}\n", done.err
    assert pledge("notice", "-o", out, "--recheck", "--again").out.count("recheck-") == 2


def test_what_has_ended_is_left_out_of_all_and_said(
    register: Register, pledge: Pledge, tmp_path: Path
) -> None:
    _weak(register, tmp_path, "one-1")
    _weak(register, tmp_path, "two-2", ended={"date": AGO, "reason": "x", "by": "王安"})
    out = tmp_path / "all"
    ahead = answer(pledge("notice", "--by", SOON, "--check", "--format", "json").out)
    assert ([n["pledge"] for n in ahead["notices"]], ahead["ended"]) == (["one-1"], ["two-2"])
    done = pledge("notice", "-o", out, "--by", SOON)
    assert done.out == f"{out / 'mend-one-1.pdf'}\n"
    assert "it has ended: two-2" in done.err
    assert "notices" not in register.get("two-2").document
    # who names it means it, and is told
    named = pledge("notice", "two-2", "-o", out, "--by", SOON, lang="zh")
    assert (named.status, "已终止的登记" in named.err) == (0, True)
    for words in (("findings",), ("findings", "--summary")):
        assert "has ended" in pledge(*words).err, words
    assert "has ended" not in pledge("findings", "one-1").err


def test_what_comes_due_is_not_what_is_overdue(pledge: Pledge, register: Register) -> None:
    """279 were overdue, and 279 came due within 30 days: those were the same."""
    late = {**PERIOD, "until": AGO}
    near = {**PERIOD, "until": SOON}
    for number, period in enumerate((late, late, near, PERIOD)):
        papers = [{**_PAPERS, "sha256": f"{number:064x}"}]
        register.add(
            made(id=f"p-{number}", documents=papers, period=period, self_check=None, filings=None)
        )
    found = answer(pledge("list", "--summary", "--format", "json").out)["summary"]
    dues = answer(pledge("due", "--within", "30d", "--format", "json").out)["due"]
    late_ones = {one["pledge"] for one in dues if one["overdue"]}
    coming = {one["pledge"] for one in dues if not one["overdue"]}
    assert (found["overdue"], found["comes_due"]) == (len(late_ones), len(coming))
    assert found["falls_due"] == len(late_ones | coming)
    told = pledge("list", "--summary").out
    assert f"{len(late_ones)} overdue, {len(coming)} with something that comes" in told


def _draft(register: Register, id: str) -> None:
    register.add(made(id=id, draft=True, documents=[], renews=None))


def _scan(folder: Path, name: str) -> Path:
    (folder / name).write_bytes(b"%PDF " + name.encode())
    return folder / name


def test_the_second_paper_is_added_when_it_is_signed(
    register: Register, pledge: Pledge, tmp_path: Path
) -> None:
    _draft(register, "w-1")
    first, second = _scan(tmp_path, "responsibility.pdf"), _scan(tmp_path, "pledge.pdf")
    words = ("--signed-on", "2026-11-20", "--representative", "陈示例")
    half = ("sign", "w-1", "--responsibility", first, *words)
    for more in (("--check",), ()):
        done = pledge(*half, *more, lang="zh")
        assert "w-1 缺 承诺书" in done.err, more
        assert "签署人" not in done.err
    assert (done.status, "不再是草稿" in done.out) == (0, True)
    # the same paper again is none that lacks
    assert (pledge(*half).status, "is no draft" in pledge(*half).err) == (2, True)
    done = pledge("sign", "w-1", "--pledge", second, *words)
    assert (done.status, "draft" in done.out.splitlines()[0]) == (0, False), done.err
    assert [one["type"] for one in register.get("w-1").document["documents"]] == [
        *("responsibility", "pledge")
    ]
    assert "lacks" not in done.err
    # and goes back by the command that it ends with
    line = next(x for x in done.out.splitlines() if x.startswith("hostpledge pledge revert"))
    back = shlex.split(line)[2:]
    assert pledge(*back[: back.index("--register")]).status == 0
    assert len(register.get("w-1").document["documents"]) == 1
    assert pledge("sign", "w-1", "--pledge", second, "--signed-on", "2026-11-21").status == 0


def test_half_a_signature_is_said_by_whatever_puts_it_on_record(
    register: Register, pledge: Pledge, tmp_path: Path
) -> None:
    path = tmp_path / "one.json"
    document = {**example(id="w-2"), "documents": [{**_PAPERS, "sha256": "ab" * 32}]}
    path.write_text(json.dumps(document), "utf-8")
    assert "w-2 lacks pledge" in pledge("add", path).err
    document["title"] = "another"
    path.write_text(json.dumps(document), "utf-8")
    assert "lacks" not in pledge("add", "--update", path).err
    scan = _scan(tmp_path, "pledge.pdf")
    done = pledge("renew", "w-2", "w-3", "--pledge", scan, "--signed-on", "2026-11-20")
    assert "w-3 lacks responsibility" in done.err
    assert "(--representative)" in done.err


def test_no_command_is_told_to_take_an_option_that_it_has_not(
    register: Register, pledge: Pledge, tmp_path: Path
) -> None:
    register.add(made(id="w-1"))
    register.add(made(id="w-2", title="another"))
    done = pledge("renew", "w-1", "w-2")
    assert (done.status, "in the register already" in done.err) == (2, True)
    assert not re.search(r"--[a-z]", done.err)
    path = tmp_path / "one.json"
    path.write_bytes(made(id="w-2").canonical())
    refused = pledge("add", path)
    assert (refused.status, "--update adds a new version" in refused.err) == (2, True)
    assert pledge("add", path, "--update").status == 0


@pytest.mark.parametrize(
    ("words", "option"),
    [
        (("waive", "one-1", "D12", "web-01", "--reason", "x", "--approver", "王安", "--until"),
         "--until"),
        (("assign", "one-1", "D12", "web-01", "--owner", "李工", "--due"), "--due"),
        (("assign", "--pledge", "one-1", "--owner", "李工", "--due"), "--due"),
        (("notice", "one-1", "-o", "x.pdf", "--by"), "--by"),
    ],
)  # fmt: skip
def test_a_day_to_come_is_not_past(
    register: Register, pledge: Pledge, tmp_path: Path, words: tuple[str, ...], option: str
) -> None:
    """A mistyped year goes on record otherwise, and is overdue at once."""
    _weak(register, tmp_path, "one-1")
    before = register.get("one-1")
    for more in ((), ("--check",)):
        done = pledge(*words, AGO, *more)
        assert (done.status, f"{option}: is past already" in done.err) == (2, True), done.err
    assert register.get("one-1") == before
    # today is still to come
    assert pledge(*words, today().isoformat(), "--check").status == 0
