"""Evidence of others that its own captures do not give: not attached, and no policy takes it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from collector import captures, releases
from collector.attest.keys import keys
from tests import bundles
from tests.cli.test_evidence import Shell
from tests.counts import AT_2
from tests.signers import green, lie

RECORD = """\
id: P-1
grade: 2
draft: true
documents: []
customer: {name: 云南示例公司, kind: unit, credit_code: 91330106MA0DEM2670}
period: {from: 2026-01-01, until: 2026-12-31}
resources: {hosts: [web-1]}
"""
Change = Callable[[dict[str, Any]], None]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a pledge, and beside it the first bundle of it."""
    shell = Shell(tmp_path_factory.mktemp("made"))
    bundles.write(shell.folder / "in", [bundles.capture("web-1")])
    (shell.folder / "P-1.yml").write_text(RECORD)
    (shell.folder / "p.yml").write_text("timestamp: false\nlog: false\nhanded_in: true\n")
    (shell.folder / "unjudged.yml").write_text(
        "timestamp: false\nlog: false\nhanded_in: true\nreplay: false\n"
    )
    shell("key", "new")
    shell("key", "trust", "-o", "trust.json")
    shell("pledge", "add", "P-1.yml")
    shell("bundle", "in", "-o", "b", "--pledge", "P-1")
    return shell.folder


@pytest.fixture
def shell(made: Path, tmp_path: Path) -> Shell:
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    return Shell(tmp_path)


def forge(shell: Shell, change: Change) -> None:
    lie(shell.folder / "b", keys.load(shell.home / "keys/default.pem", None), change)


def forged_quotes(document: dict[str, Any]) -> None:
    for entry in document["hosts"].values():
        for finding in entry["findings"]:
            for quote in finding["evidence"]:
                quote["lines"] = ["all is well"]


def own_reason(document: dict[str, Any]) -> None:
    document["hosts"]["web-1"]["findings"][0]["reason"] = "all_is_well"


def elsewhere(document: dict[str, Any]) -> None:
    """Judged by other code than stands here."""
    document["tool"]["judging_code_sha256"] = "cd" * 32


def older(document: dict[str, Any]) -> None:
    """By the controls of a release that is known, and is not the one installed here."""
    release = releases.load(min(releases.FOLDER.glob("*.json")))
    known = release.at(2)
    document["catalog_sha256"] = release.digest
    for id, about in document["controls"].items():
        title, criterion = known[id].title, known[id].criterion[2]
        about |= known[id].weighs[2]
        about["title"] = {"zh": title.zh, "en": title.en}
        about["criterion"] = {"zh": criterion.zh, "en": criterion.en}


@pytest.mark.parametrize("change", [green, forged_quotes, own_reason])
def test_what_the_captures_do_not_give_is_not_attached(shell: Shell, change: Change) -> None:
    forge(shell, change)
    shell("verify", "b", "--trust", "trust.json")
    said = shell("pledge", "attach", "P-1", "b", status=2).stderr
    assert len(said.splitlines()) == 1
    assert "hostpledge: b: judged again, " in said
    assert f" of {AT_2} findings differ, first web-1 " in said
    assert "`hostpledge replay` shows each; make the bundle anew" in said
    chinese = shell("pledge", "attach", "P-1", "b", "--lang", "zh", status=2).stderr
    assert f"重新判定，{AT_2} 条结论中有" in chinese
    assert (
        json.loads(shell("pledge", "list", "--format", "json").stdout)["pledges"][0]["last"] is None
    )
    policed = shell("verify", "b", "--trust", "trust.json", "--policy", "p.yml", status=1).stdout
    assert "  ! replay: judged again, " in policed
    if change is not own_reason:
        shell("verify", "b", "--trust", "trust.json", "--policy", "unjudged.yml")


def test_what_they_give_is(shell: Shell) -> None:
    said = shell("verify", "b", "--trust", "trust.json", "--policy", "p.yml").stdout
    assert "It meets the policy p.yml" in said
    said = shell("verify", "b", "--trust", "trust.json").stdout
    assert (
        "The strict policy (--policy strict) would not accept it: handed_in, timestamp, log" in said
    )
    attached = shell("pledge", "attach", "P-1", "b")
    assert "attached to P-1 as evidence 1" in attached.stdout
    assert "judged again" not in attached.stderr


def test_of_other_controls_it_is_said_and_not_refused(shell: Shell) -> None:
    def change(document: dict[str, Any]) -> None:
        green(document)
        document["catalog_sha256"] = "ab" * 32
        elsewhere(document)

    forge(shell, change)
    attached = shell("pledge", "attach", "P-1", "b")
    assert "judged again by controls that have changed, " in attached.stderr
    policed = shell("verify", "b", "--trust", "trust.json", "--policy", "p.yml", status=1).stdout
    assert "  ! replay: judged again by controls that have changed, " in policed


def test_no_older_release_makes_a_clause_better(shell: Shell) -> None:
    def change(document: dict[str, Any]) -> None:
        green(document)
        older(document)
        elsewhere(document)

    forge(shell, change)
    said = shell("pledge", "attach", "P-1", "b", status=2).stderr
    assert len(said.splitlines()) == 1
    assert "hostpledge: b: judged again by controls that have changed, " in said
    assert f" of {AT_2} findings differ, first web-1 " in said
    assert "; it calls 二(二), 二(三), 二(四) better than it is judged again" in said
    assert "make the bundle again with this release" in said
    chinese = shell("pledge", "attach", "P-1", "b", "--lang", "zh", status=2).stderr
    assert "其所称 二(二)、二(三)、二(四) 的结论好于重新判定" in chinese


def test_of_an_older_release_what_makes_none_better_is_taken(shell: Shell) -> None:
    def change(document: dict[str, Any]) -> None:
        own_reason(document)
        older(document)
        elsewhere(document)

    forge(shell, change)
    attached = shell("pledge", "attach", "P-1", "b")
    assert (
        f"judged again by controls that have changed, 1 of {AT_2} findings differ"
        in attached.stderr
    )


def test_this_code_has_no_other_controls(shell: Shell) -> None:
    forge(shell, older)
    said = shell("pledge", "attach", "P-1", "b", status=2).stderr
    told = "it names the code that judges here, and controls that this code has not"
    assert said.startswith(f"hostpledge: b: {told}")
    assert len(said.splitlines()) == 1
    assert told in shell("replay", "b", status=1).stderr
    policed = shell("verify", "b", "--trust", "trust.json", "--policy", "p.yml", status=1).stdout
    assert f"  ! replay: {told}" in policed


def test_without_captures_nothing_can_be_judged_again(shell: Shell) -> None:
    shell("repack", "b", "-o", "r.zip", "--redact")
    policed = shell(
        "verify", "r.zip", "--trust", "trust.json", "--policy", "p.yml", status=1
    ).stdout
    assert "  ! replay: it cannot be judged again: its captures were left out" in policed


def test_a_time_to_come_is_not_attached(shell: Shell) -> None:
    """It would be the newest look until then, whatever is attached after it."""
    now = datetime.now(UTC).replace(microsecond=0)
    # further ahead, it would not even be signed
    at = now + timedelta(hours=20)
    taken = bundles.capture("web-1")
    head = {**taken.head, "clock": str(int(at.timestamp()))}
    later = replace(taken, collected_at=at, head=head)
    (shell.folder / "late").mkdir()
    captures.write(later, shell.folder / "late" / captures.file_name("web-1"))
    shell("bundle", "late", "-o", "later", "--pledge", "P-1", "--at", now.isoformat())
    said = shell("pledge", "attach", "P-1", "later", status=2).stderr
    assert len(said.splitlines()) == 1
    assert f"later: it is dated {at.isoformat()}, which is yet to come" in said
    told = shell("verify", "later", "--trust", "trust.json").stdout
    assert " (a time that is yet to come)" in told
