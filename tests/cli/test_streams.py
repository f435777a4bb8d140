"""Output is whole, or the command says that it is not; and nothing in it acts on a terminal."""

from __future__ import annotations

import json
import os
import pty
import resource
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from collector.errors import escaped
from collector.export import FORMATS, exporter
from tests import bundles
from tests.export.findings import AT, HOSTS

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-m", "collector"]
# turns around, hides, moves, ends a line, drives a terminal, is nothing yet
ODD = "\u202e\u2066\u2069\u200e\u061c\u200b\ufeff\u2028\u2029\x7f\x85\x9b\x1b[2J\x07\x00\U000e0041"
RAW = [c for c in ODD if c not in "[2J"]
HARMLESS = "数据库 één ﷼ 😀 a\u00a0b\u3000c"


def environment(folder: Path, **more: str) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("LC_", "LANG", "PYTHON"))}
    home = {"HOSTPLEDGE_HOME": str(folder / "home"), "PYTHONPATH": str(ROOT), "LANG": "C.UTF-8"}
    return kept | home | more


@pytest.fixture(params=["", "1"], ids=["buffered", "unbuffered"])
def env(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, str]:
    more = {"PYTHONUNBUFFERED": "1"} if request.param else {}
    return environment(tmp_path, **more)


@pytest.mark.parametrize(
    "words",
    [
        ("controls", "--format", "json"),
        ("collect", "--script"),
        ("explain", "firewall.default_deny"),
        ("assess", "in", "--format", "json"),
        ("assess", "in"),
        ("--help",),
    ],
    ids=" ".join,
)
def test_a_full_disk_is_one_line(words: Sequence[str], env: dict[str, str], tmp_path: Path) -> None:
    bundles.write(tmp_path / "in", [bundles.unreachable("a")])
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [*COMMAND, *words], env=env, cwd=tmp_path, stdout=full, stderr=subprocess.PIPE,
            text=True, check=False, timeout=120,
        )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr == "hostpledge: stdout: No space left on device\n"


def test_a_disk_that_is_full_in_the_middle_is_no_success(
    env: dict[str, str], tmp_path: Path
) -> None:
    """The system takes a part of the write, and only the next one fails."""
    with (tmp_path / "out.json").open("wb") as out:
        done = subprocess.run(
            [*COMMAND, "controls", "--format", "json"], env=env, stdout=out,
            stderr=subprocess.PIPE, text=True, check=False, timeout=120,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (5_000, 5_000)),
        )  # fmt: skip
    assert (tmp_path / "out.json").stat().st_size == 5_000
    assert done.returncode == 2
    assert done.stderr == "hostpledge: stdout: File too large\n"


def shell(text: str, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = " ".join(COMMAND)
    return subprocess.run(
        ["bash", "-c", text.replace("HP", command)], env=env, capture_output=True, text=True,
        check=False, timeout=120, stdin=subprocess.DEVNULL,
    )  # fmt: skip


def test_a_reader_that_goes_away_is_no_complaint(env: dict[str, str]) -> None:
    """As for any program that SIGPIPE ends."""
    done = shell('HP collect --script | true; echo "${PIPESTATUS[0]}"', env)
    assert (done.stdout, done.stderr) == ("141\n", "")


def test_streams_that_the_caller_closed(env: dict[str, str]) -> None:
    for words in ("controls", "--version", "--help", "reads", "doctor", "collect --script"):
        done = shell(f"HP {words} >&-", env)
        assert done.returncode == 2, words
        assert done.stderr == "hostpledge: stdout: Bad file descriptor\n", words
    # what says nothing there loses nothing
    assert shell("HP verify nowhere --trust nowhere >&-", env).stderr.count("\n") == 1
    assert shell("HP nonsense 2>&-", env).returncode == 2
    assert shell("HP controls <&- >&- 2>&-", env).returncode == 2
    assert shell("HP controls <&- 2>&- >/dev/null", env).returncode == 0
    done = shell("HP controls >/dev/full 2>/dev/full", env)
    assert (done.returncode, done.stderr) == (2, "")


def test_what_a_key_or_a_register_says_is_not_lost_either(env: dict[str, str]) -> None:
    """Also what goes out as bytes, and with every stream closed but the one that complains."""
    record = ROOT / "examples/pledge.yml"
    assert shell(f"HP key new 2>&1 && HP pledge add {record}", env).returncode == 0
    for words in ("key trust", "pledge list", "pledge show demo-2026", "pledge due --format csv"):
        for closed in (">&-", "<&- >&-"):
            done = shell(f"HP {words} {closed}", env)
            assert done.returncode == 2, words
            assert done.stderr == "hostpledge: stdout: Bad file descriptor\n", words
    done = shell('HP key trust | true; echo "${PIPESTATUS[0]}"', env)
    assert (done.stdout, done.stderr) == ("141\n", "")


def test_what_is_opened_does_not_take_the_place_of_a_closed_stream(tmp_path: Path) -> None:
    """A database in the place of standard error would be written into."""
    env = environment(tmp_path)
    (tmp_path / "p.yml").write_text((ROOT / "examples/pledge.yml").read_text())
    assert shell(f"HP pledge add {tmp_path / 'p.yml'} >&- 2>&-", env).returncode == 2
    for _ in range(2):
        assert shell("HP pledge show nothing >&- 2>&-", env).returncode == 2
    done = shell("HP pledge list --format json", env)
    assert len(json.loads(done.stdout)["pledges"]) == 1


# --- what acts ------------------------------------------------------------------------------------


def test_escaped_is_the_same_json() -> None:
    for text in (ODD, f"\\{ODD}", f'"{ODD}\\\\', HARMLESS):
        told = escaped(json.dumps(text, ensure_ascii=False))
        assert json.loads(told) == text
        assert not [c for c in RAW if c in told]
    assert escaped(HARMLESS) == HARMLESS
    assert escaped("a\n\tb") == "a\n\tb"


@pytest.mark.parametrize("form", FORMATS)
def test_exports_hold_nothing_that_acts(form: str) -> None:
    name = f"web-1{ODD}"
    finding = replace(
        HOSTS["web-1"][0],
        host=name,
        message=replace(HOSTS["web-1"][0].message, zh=f"坏{ODD}", en=f"bad{ODD}"),
        evidence=({"read": "t.x", "status": "ok", "sha256": "0" * 64, "lines": [f"x{ODD}"]},),
    )
    text = exporter(form)({name: [finding]}, {name: AT}, "en", {})
    assert not [c for c in RAW if c in text]
    if form in ("json", "sarif", "oscal", "hdf", "ocsf", "defectdojo"):
        json.loads(text)
    if form in ("junit", "xccdf"):
        ET.fromstring(text.split("\n", 1)[1])
    if form == "json":
        assert list(json.loads(text)["hosts"]) == [name], "the value is the same"


@pytest.fixture
def odd_bundle(tmp_path: Path) -> Path:
    found = replace(bundles.unreachable(f"web{ODD}".replace("\x00", "")), detail=f"no{ODD}")
    bundles.write(tmp_path / "in", [found])
    env = environment(tmp_path)
    for words in (
        ("key", "new"), ("key", "trust", "-o", "trust.json"),
        ("bundle", "in", "-o", "b", "--family", "encryption"),
    ):  # fmt: skip
        subprocess.run([*COMMAND, *words], env=env, cwd=tmp_path, check=True, capture_output=True)
    return tmp_path


@pytest.mark.parametrize(
    "words",
    [
        ("assess", "in"),
        ("assess", "in", "--format", "json"),
        ("verify", "b", "--trust", "trust.json"),
        ("verify", "b", "--trust", "trust.json", "--format", "json"),
        ("replay", "b"),
        ("diff", "b", "b"),
        ("diff", "b", "b", "--format", "json"),
        ("bundle", "in", "-o", "c"),
        ("bundle", f"no\u202esuch\x1b[2J{'x' * 3}", "-o", "c"),
        ("report", "b", "--html", "r.html", "--export", "json=r.json", "--export", "csv=r.csv"),
    ],
    ids=lambda words: " ".join(words[:4]).encode("unicode_escape").decode(),
)
def test_names_of_hosts_do_not_act(words: Sequence[str], odd_bundle: Path) -> None:
    env = environment(odd_bundle)
    done = subprocess.run(
        [*COMMAND, *words], env=env, cwd=odd_bundle, capture_output=True, check=False, timeout=120
    )
    files = list(odd_bundle.glob("r.*"))
    for data in (done.stdout, done.stderr, *(path.read_bytes() for path in files)):
        text = data.decode()
        assert not [c for c in RAW if c in text], text
    if "json" in words:
        json.loads(done.stdout)


def test_colours_are_for_terminals_and_ours_alone(odd_bundle: Path) -> None:
    env = environment(odd_bundle)
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [*COMMAND, "assess", "in"], env=env, cwd=odd_bundle, stdout=theirs,
        stderr=subprocess.DEVNULL,
    ):  # fmt: skip
        os.close(theirs)
        seen = b""
        while True:
            try:
                some = os.read(ours, 65536)
            except OSError:
                break
            seen += some
    os.close(ours)
    text = seen.decode()
    assert "\x1b[" in text, "in colour"
    assert "\x1b[2J" not in text
    assert not [c for c in RAW if c in text and c != "\x1b"]
