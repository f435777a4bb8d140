"""The commands as a user has them: exit status, what goes where, 80 columns."""

from __future__ import annotations

import json
import os
import subprocess
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from rich.cells import cell_len

from collector.attest.bundle.evidence import PledgeReference
from collector.attest.keys import keys
from collector.attest.trust import keyring
from tests.cli.running import answer
from tests.forked import command
from tests.pledges.bundles import Signer
from tests.pledges.records import EXAMPLE

Command = Callable[..., "Ended"]


@dataclass(frozen=True)
class Ended:
    status: int
    out: str
    err: str


@pytest.fixture
def pledge(tmp_path: Path) -> Command:
    def run(*arguments: str | Path, lang: str = "en") -> Ended:
        done = command(
            "pledge",
            *map(str, arguments),
            env={
                "PATH": os.environ["PATH"],
                "HOSTPLEDGE_HOME": str(tmp_path / "home"),
                "HOSTPLEDGE_LANG": lang,
                "LC_ALL": "C",
            },
            cwd=EXAMPLE.parents[1],
        )
        return Ended(done.status, done.out.decode(), done.err.decode())

    return run


def test_add_list_show_due_export(pledge: Command, tmp_path: Path) -> None:
    added = pledge("add", EXAMPLE)
    assert (added.status, added.err) == (0, "")
    assert "demo-2026" in added.out

    again = pledge("add", EXAMPLE)
    assert (again.status, again.out) == (2, "")
    assert len(again.err.splitlines()) == 1
    assert "already" in again.err
    assert pledge("add", EXAMPLE, "--update").status == 0

    assert "demo-2026" in pledge("list").out
    listed = json.loads(pledge("list", "--format", "json").out)
    assert [(p["id"], p["grade"], p["evidence"]) for p in listed["pledges"]] == [
        ("demo-2026", 3, 0)
    ]

    shown = json.loads(pledge("show", "demo-2026", "--format", "json").out)
    assert shown["version"] == 1
    assert shown["record"]["safety_contact"]["phone"] == "138*****001"
    assert len(shown["clauses"]) == 46
    states = {c["clause"]: c["state"] for c in shown["clauses"]}
    assert states["responsibility.2.1"] == "held"
    assert states["responsibility.2.2"] == "verdict"

    due = pledge("due", "--format", "json", "--within", "9999d")
    found = json.loads(due.out)["due"]
    assert {entry["kind"] for entry in found} >= {"period_end", "self_check", "evidence"}
    assert due.status == int(any(entry["overdue"] for entry in found))

    target = tmp_path / "p.zip"
    assert pledge("export", "demo-2026", "-o", target).status == 0
    with zipfile.ZipFile(target) as archive:
        archive.extractall(tmp_path / "out")
    folder = tmp_path / "out" / "pledge-demo-2026"
    record = json.loads((folder / "record.json").read_text("utf-8"))
    assert record["safety_contact"]["phone"] == "13800000001"
    checked = subprocess.run(
        ["sha256sum", "-c", "--strict", "manifest-sha256.txt"],
        cwd=folder,
        capture_output=True,
        check=False,
    )
    assert checked.returncode == 0


def test_attach_trusts_ones_own_keys_or_a_file(
    pledge: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOSTPLEDGE_HOME", str(tmp_path / "home"))
    signer = Signer(tmp_path / "made")
    pledge("add", EXAMPLE)
    first, second = (made.path for made in signer.chain("demo-2026", 2))
    keyless = pledge("attach", "demo-2026", first)
    assert (keyless.status, keyless.out) == (2, "")
    assert "no key of your own" in keyless.err

    keyring.new("default", "p256", None)
    strange = pledge("attach", "demo-2026", first)
    assert strange.status == 2
    assert "not among the trusted keys" in strange.err
    assert len(strange.err.splitlines()) == 1

    trust = tmp_path / "trust.json"
    trust.write_bytes(signer.trust.to_bytes())
    attached = pledge("attach", "demo-2026", first, "--trust", trust)
    assert attached.status == 0
    assert "not in this bundle: db-01" in attached.err
    assert pledge("attach", "demo-2026", second, "--trust", trust).status == 0
    shown = json.loads(pledge("show", "demo-2026", "--format", "json").out)
    assert [e["sequence"] for e in shown["evidence"]] == [1, 2]
    verdicts = {c["clause"]: c["verdict"] for c in shown["clauses"]}
    assert verdicts["responsibility.2.4"] == "error"
    assert verdicts["pledge.4"] == "error"

    signer.key = keys.load(keyring.path_of("default"))
    previous = shown["evidence"][1]["digest"]
    own = signer.make("own", PledgeReference("demo-2026", 3, previous)).path
    assert pledge("attach", "demo-2026", own).status == 0


def test_many_are_attached_in_the_order_of_their_pledges(pledge: Command, tmp_path: Path) -> None:
    """Given in any order, with one that is none: what can be attached is, and the rest is named."""
    signer = Signer(tmp_path / "made")
    trust = tmp_path / "trust.json"
    trust.write_bytes(signer.trust.to_bytes())
    pledge("add", EXAMPLE)
    first, second = (made.path for made in signer.chain("demo-2026", 2))
    assert pledge("attach", "demo-2026", "--trust", trust).err.startswith(
        "hostpledge: attach: no bundle is given"
    )
    lost = tmp_path / "lost"
    ran = pledge("attach", "--each", second, lost, first, "--trust", trust)
    assert ran.status == 2
    assert "2 attached, 1 not" in ran.out
    assert [line for line in ran.err.splitlines() if str(lost) in line]
    shown = json.loads(pledge("show", "demo-2026", "--format", "json").out)
    assert [e["sequence"] for e in shown["evidence"]] == [1, 2]
    again = pledge("attach", "demo-2026", first, second, "--trust", trust)
    assert (again.status, again.out) == (2, "0 attached, 2 not\n")
    again = pledge("attach", "--each", first, second, "--trust", trust)
    assert (again.status, again.out, again.err) == (
        0, "0 attached, 0 not, 2 attached already\n", ""
    )  # fmt: skip


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_tables_keep_to_80_columns(pledge: Command, lang: str) -> None:
    pledge("add", EXAMPLE)
    shown = (("list",), ("show", "demo-2026"), ("status", "demo-2026"), ("due", "--within", "400d"))
    for arguments in shown:
        lines = pledge(*arguments, lang=lang).out.splitlines()
        assert lines
        assert [line for line in lines if cell_len(line) > 80] == []


def test_phone_and_identity_numbers_are_masked_wherever_they_stand(
    pledge: Command, tmp_path: Path
) -> None:
    text = EXAMPLE.read_text("utf-8")
    text = text.replace("title: 信息安全部经理", "title: 经理 13912345678")
    text = text.replace("kind: unit", 'kind: person\n  identity_masked: "330106********1234"')
    text = text.replace('\n  credit_code: "91330106MA0DEM2670"', "")
    file = tmp_path / "p.yml"
    file.write_text(text, "utf-8")
    assert pledge("add", file).status == 0
    for form in ("table", "json"):
        shown = pledge("show", "demo-2026", "--format", form).out
        status = pledge("status", "demo-2026", "--format", form)
        assert (status.status, status.err) == (1, "")
        for secret in ("13800000001", "0571-88000000", "13912345678", "330106"):
            assert secret not in status.out
        for secret in ("13800000001", "0571-88000000", "13912345678", "330106"):
            assert secret not in shown
        assert "139****5678" in shown
        assert "33**************34" in shown


def test_a_pledge_that_another_continues_is_not_due(pledge: Command, tmp_path: Path) -> None:
    text = EXAMPLE.read_text("utf-8")
    old = text.replace('until: "2029-01-09"', 'until: "2026-10-09"')
    new = text.replace("id: demo-2026", "id: demo-2027\nrenews: demo-2026")
    for name, content in (("old", old), ("new", new)):
        (tmp_path / f"{name}.yml").write_text(content, "utf-8")
    pledge("add", tmp_path / "old.yml")

    def kinds(*ids: str) -> set[str]:
        found = json.loads(pledge("due", *ids, "--format", "json", "--within", "9999d").out)
        return {entry["kind"] for entry in found["due"] if entry["pledge"] == "demo-2026"}

    assert "period_end" in kinds("demo-2026")
    assert json.loads(pledge("status", "demo-2026", "--format", "json").out)["state"] == "lapsed"
    pledge("add", tmp_path / "new.yml")
    assert kinds("demo-2026") == kinds() == {"disposal"}
    status = json.loads(pledge("status", "demo-2026", "--format", "json").out)
    assert (status["state"], status["kept_until"]) == ("ended", "2029-10-09")


BAD_CALLS = {
    "no_file": (("add", "none.yml"), "No such file"),
    "unknown_show": (("show", "x"), "no pledge is named x"),
    "unknown_status": (("status", "x"), "no pledge is named x"),
    "unknown_due": (("due", "x"), "no pledge is named x"),
    "unknown_export": (("export", "x", "-o", "x.zip"), "no pledge is named x"),
    "export_to_folder": (("export", "x", "-o", "."), "folder"),
    "within": (("due", "--within", "soon"), "--within"),
    "register": (("list", "--register", "/nowhere/r.sqlite"), "/nowhere"),
    "markup_in_id": (("show", "[red]x[/red]"), "[red]x[/red]"),
    "no_command": (("forget",), "forget"),
}


@pytest.mark.parametrize("name", BAD_CALLS)
def test_what_cannot_be_done_is_said_in_one_line(pledge: Command, name: str) -> None:
    arguments, expected = BAD_CALLS[name]
    ended = pledge(*arguments)
    assert (ended.status, ended.out) == (2, "")
    assert len(ended.err.splitlines()) == 1
    assert expected in ended.err
    assert not Path(EXAMPLE.parents[1] / "x.zip").exists()


def test_an_empty_register_lists_nothing(pledge: Command) -> None:
    assert pledge("list").status == 0
    assert answer(pledge("list", "--format", "json").out) == {"pledges": []}
    assert pledge("due").status == 0
