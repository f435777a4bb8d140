"""`controls`, `explain` and `reads`: what a person reads before anything runs."""

from __future__ import annotations

import json
import re

import pytest
from rich.cells import cell_len

from collector import catalog
from collector.cli.commands.explain import describe
from collector.cli.commands.reads import reads as reads_command
from collector.cli.options.common import find
from collector.errors import BadInput
from collector.model import Control
from tests.cli.running import hostpledge

LANGS = ("zh", "en")
CONTROLS = list(catalog.controls().values())


def too_wide(text: str) -> list[str]:
    """Lines past 80 columns, but for what is printed as it is (after a bar)."""
    return [x for x in text.splitlines() if cell_len(x) > 80 and not x.startswith("    | ")]


# --- controls ------------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", LANGS)
def test_controls_lists_every_control_within_80_columns(lang: str) -> None:
    ended = hostpledge("controls", "--lang", lang)
    assert ended.status == 0
    assert not too_wide(ended.out)
    for control in CONTROLS:
        assert f"{control.number}  {control.id}" in ended.out


def test_controls_as_json() -> None:
    listed = json.loads(hostpledge("controls", "--format", "json").out)["controls"]
    assert set(listed) == set(catalog.controls())
    one = listed["encryption.password_hash"]
    assert set(one["parameters"]["schemes"]) == {"2", "3"}
    assert one["reads"] == [
        "accounts.group",
        "accounts.passwd",
        "accounts.shadow",
        "pam.files",
        "pam.settings",
    ]
    assert one["sha256"] == catalog.control("encryption.password_hash").digest


def test_controls_of_one_family_and_grade() -> None:
    listed = json.loads(
        hostpledge("controls", "--family", "encryption", "--grade", "2", "--format", "json").out
    )["controls"]
    assert set(listed) == {c.id for c in catalog.select(["encryption"], 2)}
    assert hostpledge("controls", "--family", "nothing").status == 2


# --- explain -------------------------------------------------------------------------------------


@pytest.mark.parametrize("control", CONTROLS, ids=lambda c: c.id)
def test_explain_fits_and_says_all(control: Control, monkeypatch: pytest.MonkeyPatch) -> None:
    for lang in LANGS:
        monkeypatch.setattr("collector.cli.commands.explain.lang", lambda lang=lang: lang)
        text = describe(control)
        assert not too_wide(text), control.id
        squeezed = re.sub(r"\s+", "", text)
        for said in (control.title, control.about):
            assert re.sub(r"\s+", "", said.to("zh" if lang == "zh" else "en")) in squeezed
        for read in catalog.reads_for([control]):
            assert read in text
        for name in control.parameters:
            assert f"{name} = " in text
        # every number has been put in its place
        for name in control.parameters:
            assert "{" + name + "}" not in text


def test_explain_by_name_and_by_number() -> None:
    by_name = hostpledge("explain", "encryption.password_hash")
    assert by_name.status == 0
    assert "every usable password" in by_name.out
    assert by_name.out == hostpledge("explain", "d12").out
    assert "口令存储算法" in hostpledge("explain", "D12", "--lang", "zh").out


@pytest.mark.parametrize(
    "name", ["encryption.pasword_hash", "password_hash", "encryption.password-hash", "pasword"]
)
def test_a_near_miss_is_told_what_was_meant(name: str) -> None:
    with pytest.raises(BadInput) as said:
        find(name)
    assert "encryption.password_hash" in said.value.mend


def test_an_unknown_control_is_one_line_and_status_2() -> None:
    ended = hostpledge("explain", "zzzzzzz")
    assert (ended.status, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert "hostpledge controls" in ended.err


# --- reads ---------------------------------------------------------------------------------------


def test_reads_shows_every_read_in_full() -> None:
    out = hostpledge("reads").out
    assert not too_wide(out)
    for read in catalog.all_reads().values():
        assert read.id in out.splitlines()
        for line in [*read.body.splitlines(), *read.redact.splitlines()]:
            assert f"    | {line}" in out.splitlines()
        for path in read.paths:
            assert path in out


def test_reads_in_chinese() -> None:
    out = hostpledge("reads", "--lang", "zh", "--family", "encryption").out
    assert "口令状态、算法与更换日期（不读取口令散列本身）" in out
    assert "脱敏" in out


def test_reads_as_json_is_the_whole_catalog() -> None:
    entries = json.loads(hostpledge("reads", "--format", "json").out)["reads"]
    assert {e["id"] for e in entries} == set(catalog.all_reads())
    for entry in entries:
        read = catalog.all_reads()[entry["id"]]
        assert entry["redact"] == read.redact
        assert entry["privileged"] == read.privileged
        assert tuple(entry.get("argv", ())) == read.argv
        assert tuple(entry.get("paths", ())) == read.paths
        assert entry.get("body", "") == read.body
        assert entry["controls"], f"{read.id} is read for nothing"


def test_reads_of_a_family_are_those_of_its_controls() -> None:
    entries = json.loads(hostpledge("reads", "--format", "json", "--family", "encryption").out)
    wanted = catalog.reads_for(catalog.select(["encryption"], 3))
    assert {e["id"] for e in entries["reads"]} >= set(wanted)
    assert reads_command.name == "reads"


@pytest.mark.parametrize(
    ("number", "known"),
    [
        ("8.1.4.5", True),
        ("8.1.4.4a,b", True),
        ("-", True),
        ("7.1.4.5a", False),
        ("8.1.4.3c + 8.1.5.4d", False),
        ("8.1.10.7", False),
    ],
)
def test_clause_numbers_that_nobody_checked_are_called_unverified(number: str, known: bool) -> None:
    assert catalog.checked(number) is known


def test_explain_calls_them_unverified() -> None:
    out = hostpledge("explain", "M01").out
    assert "7.1.4.5a (number unverified)" in out
    assert "8.1.4.5\n" in out


def test_reads_measured() -> None:
    """Each read costs something, and all of them together hardly more than their sum."""
    done = hostpledge("reads", "--family", "encryption", "--measure", "--format", "json")
    told = json.loads(done.out)
    assert {c["id"] for c in told["measured"]} >= {"accounts.passwd", "storage.mounts"}
    assert told["script"]["cpu_ms"] > 0
    assert told["script"]["bytes"] > max(c["bytes"] for c in told["measured"]) > 0
    ended = hostpledge("reads", "--measure", "--through", "false", "--family", "encryption")
    assert (ended.status, ended.out, ended.err.count("\n")) == (2, "", 1)
