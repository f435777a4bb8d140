"""The command-line contract: what it promised holds, and what came since is the same everywhere.

Exit statuses: 0 all satisfied, 1 something is not, 2 the command could not do its work; 3 for
evidence that does not verify only where it was asked for, since scripts know 2 for it.
"""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from collector import __version__, schema
from collector.cli.app import hostpledge
from collector.export import FORMATS
from tests import bundles
from tests.cli.test_evidence import Shell
from tests.forked import command

ROOT = Path(__file__).parents[2]
RECORD = """\
id: P-1
grade: 2
draft: true
documents: []
customer: {name: 云南示例公司, kind: unit, credit_code: 91330106MA0DEM2670}
period: {from: 2026-01-01, until: 2026-12-31}
resources: {hosts: [web-1]}
"""
# what these print is a document of another's form, or an answer to no program
_WITHOUT = {
    "completion": "a script for a shell",
    "inventory init": "prints a data inventory, of a schema of its own",
    "key trust": "prints the trust file, of a schema of its own",
    "pledge inventory": "Ansible's contract of inventory scripts",
    "worker": "frames for the centre of a mesh (schemas/frame.schema.json)",
    "register checkpoint": "prints a signed note (C2SP)",
    "register prove": "prints a proof (C2SP), or a Sigstore bundle",
}


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """With a pledge, a bundle of it, the same with a byte more, and captures."""
    shell = Shell(tmp_path_factory.mktemp("contract"))
    bundles.write(shell.folder / "in", [bundles.capture("web-1")])
    (shell.folder / "one.capture").write_bytes(bundles.output())
    (shell.folder / "P-1.yml").write_text(RECORD)
    (shell.folder / "job.sh").write_text("set -e\nrestic backup /srv\n")
    shell("key", "new")
    shell("key", "trust", "-o", "trust.json")
    shell("pledge", "add", "P-1.yml")
    shell("bundle", "in", "-o", "b", "--pledge", "P-1")
    shutil.copytree(shell.folder / "b", shell.folder / "bad")
    with (shell.folder / "bad/data/evidence.json").open("ab") as file:
        file.write(b" ")
    (shell.folder / "notes.txt").write_text("no bundle\n")
    (shell.folder / "folder").mkdir()
    return shell


def _status(shell: Shell, *words: str, **environment: str) -> int:
    env = {"HOSTPLEDGE_HOME": str(shell.home), "PYTHONPATH": str(ROOT), "LC_ALL": "C.UTF-8"}
    done = command(*words, cwd=shell.folder, env=os.environ | env | environment)
    assert done.status == 0 or done.err.startswith(b"hostpledge: ") or done.out
    return done.status


# --- exit statuses -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "plain", "asked"),
    [
        ("verify b --trust trust.json", 0, 0),
        ("verify b --trust trust.json --policy strict", 1, 1),
        ("verify bad --trust trust.json", 2, 3),
        ("replay bad --trust trust.json", 2, 3),
        ("diff b bad --trust trust.json", 2, 3),
        ("report bad --trust trust.json --html r.html", 2, 3),
        ("repack bad --trust trust.json -o out", 2, 3),
        # a slip of the pen is no altered evidence
        ("verify bda --trust trust.json", 2, 2),
        ("verify notes.txt --trust trust.json", 2, 2),
        ("verify folder --trust trust.json", 2, 2),
        ("verify b --trust trsut.json", 2, 2),
        ("verify b --trust trust.json --polcy strict", 2, 2),
    ],
)
def test_altered_evidence_has_a_status_of_its_own_where_asked(
    shell: Shell, words: str, plain: int, asked: int
) -> None:
    assert _status(shell, *words.split()) == plain
    assert _status(shell, *words.split(), "--tell-altered") == asked
    assert _status(shell, *words.split(), HOSTPLEDGE_TELL_ALTERED="1") == asked
    assert _status(shell, *words.split(), HOSTPLEDGE_TELL_ALTERED="0") == plain


def test_a_signer_that_is_not_trusted_counts_as_altered(shell: Shell, tmp_path: Path) -> None:
    other = Shell(tmp_path)
    other("key", "new")
    other("key", "trust", "-o", "trust.json")
    words = ("verify", "b", "--trust", str(tmp_path / "trust.json"))
    assert (_status(shell, *words), _status(shell, *words, "--tell-altered")) == (2, 3)


# --- json ----------------------------------------------------------------------------------------


def _leaves(group: click.Group, before: str = "") -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        found = group.get_command(context, name)
        assert found is not None
        path = f"{before} {name}".strip()
        if isinstance(found, click.Group):
            yield from _leaves(found, path)
        else:
            yield path, found


def _forms(found: click.Command) -> set[str]:
    for option in found.params:
        if "--format" in option.opts and isinstance(option.type, click.Choice):
            return set(map(str, option.type.choices))
    return set()


def test_every_command_answers_programs() -> None:
    leaves = dict(_leaves(hostpledge))
    without = {path for path, found in leaves.items() if "json" not in _forms(found)}
    assert without == set(_WITHOUT) & set(leaves)


@pytest.mark.parametrize(
    ("words", "kind", "keys"),
    [
        ("assess one.capture", None, {"hosts", "clauses"}),
        ("exposure one.capture", "exposure", {"exposure"}),
        ("retention one.capture", "retention", {"retention", "logrotate"}),
        ("shell job.sh", "shell", {"commands"}),
        ("verify b --trust trust.json", "verify", {"verified", "digest", "policy", "key"}),
        ("replay b", "replay", {"same"}),
        ("diff b b", "diff", {"regressed", "fixed"}),
        ("report b --export csv=f.csv", "report", {"files"}),
        ("controls --family backup", "controls", {"controls"}),
        ("explain L05", "explain", {"control"}),
        ("reads --family encryption", "reads", {"reads"}),
        ("doctor", "doctor", {"fit", "checks"}),
        ("pledge list", "pledge-list", {"pledges"}),
        ("pledge list --summary", "pledge-list-summary", {"summary"}),
        ("pledge show P-1", "pledge-show", {"record", "version", "evidence", "clauses"}),
        ("pledge history P-1", "pledge-history", {"pledge", "versions"}),
        ("pledge history --since 2020-01-01", "pledge-changes", {"since", "pledges"}),
        ("pledge list --unowned", "pledge-list", {"pledges"}),
        ("pledge status P-1", "pledge-status", {"satisfied", "clauses", "overdue"}),
        ("pledge due", "pledge-due", {"due"}),
        ("pledge findings", "pledge-findings", {"findings"}),
        ("pledge findings --summary", "pledge-findings-summary", {"summary"}),
        ("pledge notices", "pledge-notices", {"notices"}),
        ("pledge dossier P-1", "pledge-dossier", {"hosts", "findings", "due", "notices"}),
        ("pledge findings P-1", "pledge-findings", {"pledge", "evidence", "findings"}),
        ("pledge hand-in-link --list", "pledge-hand-in-link", {"links"}),
        ("pledge hand-in-link P-1 web-1", "pledge-hand-in-link", {"link", "address"}),
        ("intake", "intake", {"taken", "not_taken", "refused", "waiting"}),
        ("mesh list", "mesh-list", {"nodes"}),
        ("register machines", "register-machines", {"machines", "unread"}),
        ("register moved", "register-moved", {"moved"}),
        ("register restored", "register-restored", {"remembered", "entries"}),
        ("key show default", "key", {"keyid", "type", "pem"}),
    ],
)
def test_one_envelope(shell: Shell, words: str, kind: str | None, keys: set[str]) -> None:
    document = _json(shell, *words.split())
    assert keys <= set(document)
    envelope = document["envelope"]
    wanted = f"urn:hostpledge:output:{kind}:1" if kind else "urn:hostpledge:schema:assessment:1"
    assert envelope["schema"] == wanted
    assert envelope["version"] == __version__
    assert list(schema.validator("envelope").iter_errors(document)) == []
    if kind in ("verify", "replay", "diff", "report"):
        digest = json.loads(
            shell("verify", "b", "--trust", "trust.json", "--format", "json").stdout
        )
        assert (envelope["pledge"], envelope["digest"]) == ("P-1", digest["digest"])
    if "P-1" in words:
        assert envelope["pledge"] == "P-1"


def _json(shell: Shell, *words: str) -> Any:
    env = {"HOSTPLEDGE_HOME": str(shell.home), "PYTHONPATH": str(ROOT), "LC_ALL": "C.UTF-8"}
    done = command(*words, "--format", "json", cwd=shell.folder, env=os.environ | env)
    assert done.status in (0, 1), done.err.decode()
    return json.loads(done.out)


def test_the_trust_file_stays_a_trust_file(shell: Shell) -> None:
    (shell.folder / "shown.json").write_text(shell("key", "show", "--format", "json").stdout)
    shell("verify", "b", "--trust", "shown.json")


def test_what_people_are_told_goes_aside(shell: Shell, tmp_path: Path) -> None:
    """And the document says how the command ended."""
    said = shell("repack", "b", "-o", str(tmp_path / "b.zip"), "--format", "json")
    document = json.loads(said.stdout)
    assert document["status"] == 0
    assert document["output"] == str(tmp_path / "b.zip")
    assert f"sha256:{document['envelope']['digest']}" in said.stderr


def test_a_run_tells_programs_what_it_tells_people(shell: Shell, tmp_path: Path) -> None:
    out = tmp_path / "out"
    words = ("run", "-i", "localhost,", "--family", "classification", "-o", str(out))
    document = _json(shell, *words)
    assert document["envelope"]["schema"] == "urn:hostpledge:output:run:1"
    assert document["satisfied"] is (document["status"] == 0)
    one = document["no_pledge"]
    assert one["bundle"] == str(out / "bundle")
    assert one["hosts"] == {"localhost": "complete"}
    assert one["digest"] == document["envelope"]["digest"]


def test_a_hardening_tells_programs_its_plan(shell: Shell, tmp_path: Path) -> None:
    words = ("harden", "-i", "localhost,", "--control", "D02", "--check", "-o", str(tmp_path / "o"))
    document = _json(shell, *words)
    assert document["envelope"]["schema"] == "urn:hostpledge:output:harden:1"
    assert document["satisfied"] is (document["status"] == 0)
    steps = document["hardening"]["hosts"]["localhost"]["steps"]
    assert [step["control"] for step in steps] == ["classification.discovered"]


# --- csv and prometheus --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [
        "assess one.capture",
        "pledge list",
        "pledge due",
        "pledge findings",
        "pledge history P-1",
        "register machines",
    ],
)
def test_headings_of_csv_are_the_same_in_every_language(shell: Shell, words: str) -> None:
    heads = []
    for lang in ("zh", "en"):
        env = {"HOSTPLEDGE_HOME": str(shell.home), "PYTHONPATH": str(ROOT), "LC_ALL": "C.UTF-8"}
        asked = (*words.split(), "--format", "csv", "--lang", lang)
        done = command(*asked, cwd=shell.folder, env=os.environ | env)
        text = done.out.decode("utf-8-sig")
        heads.append(next(csv.reader(io.StringIO(text, newline=""))))
    assert heads[0] == heads[1]
    assert all(name.isascii() for name in heads[0])


def test_csv_for_excel_begins_with_its_mark_and_for_a_pipe_does_not(shell: Shell) -> None:
    line = "hostpledge assess one.capture --family encryption --format csv"

    def run(after: str) -> bytes:
        asked = line.replace("hostpledge", f"{sys.executable} -m collector", 1) + after
        env = os.environ | {"PYTHONPATH": str(ROOT), "HOSTPLEDGE_HOME": str(shell.home)}
        done = subprocess.run(
            ["sh", "-c", asked], cwd=shell.folder, env=env, capture_output=True, check=False
        )
        return done.stdout

    assert run("").startswith(b"host,")
    run(" > f.csv")
    run(" >> f.csv")
    text = (shell.folder / "f.csv").read_bytes()
    assert text.startswith(b"\xef\xbb\xbfhost,")
    assert text.count(b"\xef\xbb\xbf") == 1
    shell("report", "b", "--export", "csv=r.csv")
    assert (shell.folder / "r.csv").read_bytes().startswith(b"host,")


def test_exports_name_the_pledge_and_the_bundle(shell: Shell) -> None:
    names = FORMATS
    asked = [word for n in names for word in ("--export", f"{n}=x.{n}")]
    shell("report", "b", *asked)
    digest = _json(shell, "verify", "b", "--trust", "trust.json")["digest"]
    for name in names:
        text = (shell.folder / f"x.{name}").read_text("utf-8-sig")
        assert "P-1" in text, name
        assert digest in text, name
    series = [
        line
        for line in (shell.folder / "x.prometheus").read_text().splitlines()
        if not line.startswith("#")
    ]
    assert all('pledge="P-1"' in line for line in series)
    schema.check(json.loads((shell.folder / "x.json").read_text()), "assessment", where="x.json")


def test_captures_are_judged_as_a_pledge_has_it(shell: Shell) -> None:
    plain = _json(shell, "assess", "one.capture")
    named = _json(shell, "assess", "one.capture", "--pledge", "P-1")
    assert (plain["envelope"]["pledge"], named["envelope"]["pledge"]) == (None, "P-1")
    assert plain["hosts"] == named["hosts"]
    words = ("assess", "one.capture", "--format", "prometheus", "--pledge", "P-1")
    env = {"HOSTPLEDGE_HOME": str(shell.home), "PYTHONPATH": str(ROOT), "LC_ALL": "C.UTF-8"}
    done = command(*words, cwd=shell.folder, env=os.environ | env)
    assert b'status="complete",provenance="handed-in",pledge="P-1"}' in done.out
