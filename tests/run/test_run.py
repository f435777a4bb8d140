"""`hostpledge run`: the whole line, killed at random moments, and as an ordinary user."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from collector import captures
from collector.attest.trust.trust_file import load_trust
from collector.model import Capture
from collector.pledges.register.register import Register
from collector.run.collected.run_folder import RunFolder
from collector.verify import open_bundle, verify
from tests.run.conftest import Ran, Sshd, hostpledge

ROOT = Path(__file__).parents[2]
PLEDGE = ROOT / "examples" / "pledge.yml"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOSTPLEDGE_HOME", str(tmp_path / "home"))
    assert hostpledge("pledge", "add", str(PLEDGE)).status == 0
    return tmp_path / "home"


def _check(out: Path, home: Path, hosts: list[str]) -> str:
    """The bundle in `out` verifies, is about `hosts`, and is the register's newest evidence."""
    with open_bundle(out / "bundle") as bundle:
        verify(bundle, load_trust(home / "keys" / "trust.json"))
        assert sorted(bundle.names) == hosts
        digest = bundle.digest
    evidence = Register.open().evidence("demo-2026")
    assert evidence[-1].digest == digest
    assert [e.sequence for e in evidence] == list(range(1, len(evidence) + 1))
    return digest


def test_this_machine_needs_no_ssh(home: Path, tmp_path: Path) -> None:
    ran = hostpledge(
        "run", "-i", "localhost,", "--pledge", "demo-2026", "-o", str(tmp_path / "out"),
        PATH=_path_without_ssh(tmp_path),
    )  # fmt: skip
    assert ran.status in (0, 1), ran.err
    _check(tmp_path / "out", home, ["localhost"])
    report = (tmp_path / "out" / "report.html").read_text()
    assert "<html" in report
    kept = tmp_path / "checkpoint.txt"
    kept.write_bytes((tmp_path / "out" / "checkpoint.txt").read_bytes())
    assert all(line in report for line in kept.read_text().splitlines())
    later = tmp_path / "later.html"
    assert hostpledge("report", str(tmp_path / "out/bundle"), "--html", str(later)).status == 0
    assert kept.read_text().splitlines()[2] in later.read_text()
    again = hostpledge(
        "run", "-i", "localhost,", "--pledge", "demo-2026", "-o", str(tmp_path / "out")
    )
    assert "evidence no. 2" in again.out
    first = Register.open().evidence("demo-2026")[0].digest
    page = (tmp_path / "out" / "report.html").read_text()
    assert 'id="trend"' not in report
    assert 'id="trend"' in page
    assert 'id="standings"' in report
    assert 'id="standings"' in page
    assert first in page[page.index('id="compared"') :]
    assert (tmp_path / "out" / "earlier").is_dir()
    assert "grew from 1 to 2 entries" in hostpledge("register", "consistency", str(kept)).out


def _path_without_ssh(place: Path) -> str:
    """PATH with everything but ssh."""
    folder = place / "bin"
    folder.mkdir()
    for name in os.environ["PATH"].split(":"):
        for program in Path(name).glob("*") if Path(name).is_dir() else []:
            if not program.name.startswith(("ssh", "scp", "sftp")):
                target = folder / program.name
                if not target.is_symlink():
                    target.symlink_to(program)
    return str(folder)


def test_relative_output_and_names_of_any_kind(home: Path, tmp_path: Path) -> None:
    (tmp_path / "清单.ini").write_text("机器-01 ansible_connection=local\n")
    done = subprocess.run(
        [sys.executable, "-m", "collector", "run", "-i", "清单.ini", "-o", "输出 目录",
         "--family", "encryption"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT), "LC_ALL": "C.UTF-8"},
    )  # fmt: skip
    assert done.returncode in (0, 1), done.stderr
    assert (tmp_path / "输出 目录" / "bundle" / "data" / "evidence.json").exists()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--pledge", "nosuch"], "no pledge is named nosuch"),
        (["--key", "nosuch"], "no key is named nosuch"),
        (["--pledge", "demo-2026", "--grade", "2"], "is of grade 3"),
        (["--family", "nosuch"], "no family is named nosuch"),
        (["--tsa", "file:///etc/passwd"], "not an http:// or https:// address"),
        (["--register", "/nonexistent/r.sqlite", "--pledge", "x"], "no register"),
    ],
)
def test_what_cannot_work_is_said_before_anything_is_done(
    home: Path, tmp_path: Path, words: list[str], says: str
) -> None:
    ran = hostpledge("run", "-i", "localhost,", "-o", str(tmp_path / "out"), *words)
    assert ran.status == 2
    assert says in ran.err
    assert not (tmp_path / "out" / "captures").exists()


def test_kill_at_ten_random_moments(sshd: Sshd, home: Path, tmp_path: Path) -> None:
    """Killed anywhere, from the first host to the report; the same command always finishes."""
    hosts = [f"h{n}" for n in range(6)]
    inventory = tmp_path / "hosts.ini"
    inventory.write_text("".join(sshd.line(h, "well") for h in hosts))
    out = tmp_path / "out"
    words = ["run", "-i", str(inventory), "-o", str(out), "--pledge", "demo-2026", "-f", "2",
             "--family", "monitoring"]  # fmt: skip
    begun = time.monotonic()
    _finish(words)
    whole = time.monotonic() - begun
    _check(out, home, hosts)
    moments = random.Random(2026)
    for _ in range(10):
        seen: dict[str, object] = {}
        _kill(words, 0.4 + moments.random() * (whole - 0.4))
        about = RunFolder.open(out).about
        if about["ended"] is None:
            seen = {n: c.origin["clock"] for n, c in _captures(out).items()}
        _register_is_whole()
        _finish(words)
        final = _captures(out)
        assert sorted(final) == hosts
        for name, clock in seen.items():
            assert final[name].origin["clock"] == clock, "collected twice"
        _check(out, home, hosts)


def _captures(out: Path) -> dict[str, Capture]:
    paths = (out / "captures").glob(f"*{captures.SUFFIX}")
    return {c.host: c for c in (captures.load(p) for p in paths)}


def _kill(words: list[str], after: float) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "collector", *words],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        stdin=subprocess.DEVNULL,
    )
    time.sleep(after)
    process.send_signal(signal.SIGKILL)
    process.wait()


def _finish(words: list[str]) -> Ran:
    ran = hostpledge(*words)
    assert ran.status in (0, 1), ran.err
    return ran


def _register_is_whole() -> None:
    register = Register.open()
    for entry in register.evidence("demo-2026"):
        with open_bundle(entry.path) as bundle:
            assert bundle.digest == entry.digest


def test_as_an_ordinary_user(home: Path, tmp_path: Path) -> None:
    """No root, no SSH: it works, and what needs root is `error`, not absent."""
    if os.geteuid() != 0 or not shutil.which("setpriv"):
        pytest.skip("needs root to become an ordinary user")
    place = tmp_path / "user"
    place.mkdir()
    shutil.chown(place, "nobody", "nogroup")
    for folder in [place, *place.parents]:
        if str(folder).startswith("/tmp/"):
            folder.chmod(folder.stat().st_mode | 0o011)
    done = subprocess.run(
        ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", sys.executable, "-m",
         "collector", "run", "-i", "localhost,", "-o", str(place / "out")],
        capture_output=True, text=True, check=False, cwd=place,
        env={"PATH": os.environ["PATH"], "HOME": str(place), "LC_ALL": "C.UTF-8",
             "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1",
             "HOSTPLEDGE_HOME": str(place / "home")},
    )  # fmt: skip
    if "Permission denied" in done.stderr and str(sys.prefix) in done.stderr:
        pytest.skip("this Python cannot be read by an ordinary user")
    assert done.returncode == 1, done.stderr
    with open_bundle(place / "out" / "bundle") as bundle:
        host = bundle.host("localhost")
        assert host["head"]["user"] == "nobody"
        found = {f["control"]: f for f in host["findings"]}
        assert found["encryption.password_hash"]["verdict"] == "error"
        assert found["intrusion.empty_passwords"]["verdict"] == "error"


def test_a_capture_handed_in_becomes_evidence_of_its_pledge(home: Path, tmp_path: Path) -> None:
    """The customer who gives root SSH to nobody: script by hand, bundle, attach."""
    hostpledge("key", "new")
    script = hostpledge("collect", "--script").out
    (tmp_path / "in").mkdir()
    printed = subprocess.run(["sh", "-s"], input=script.encode(), capture_output=True, check=True)
    (tmp_path / "in" / "web-01.capture").write_bytes(printed.stdout)
    place = str(tmp_path / "b")
    made = hostpledge("bundle", str(tmp_path / "in"), "-o", place, "--pledge", "demo-2026")
    assert made.status == 0, made.err
    attached = hostpledge("pledge", "attach", "demo-2026", place)
    assert attached.status == 0, attached.err
    again = hostpledge("pledge", "attach", "demo-2026", place)
    assert again.status == 2
    assert len(again.err.splitlines()) == 1
    lower = hostpledge("bundle", str(tmp_path / "in"), "-o", f"{place}2", "--pledge", "demo-2026",
                       "--grade", "2")  # fmt: skip
    assert "is of grade 3" in lower.err


def test_a_capture_from_the_future_is_not_judged_unasked(home: Path, tmp_path: Path) -> None:
    """A host whose clock is years ahead: its own time must not decide."""
    nonce = "a" * 32
    head = f"hostpledge-capture 1 {nonce}\n\n@{nonce} head\nuid=0\nclock=3000000000\n"
    (tmp_path / "x.capture").write_text(f"{head}\n@{nonce} end 0 3000000000\n")
    hostpledge("key", "new")
    ran = hostpledge("assess", str(tmp_path / "x.capture"))
    assert ran.status == 2
    assert "by its own clock" in ran.err
    assert "--at" in ran.err
    # whatever it is judged for, no verifier would accept it
    for at in ([], ["--at", "2026-11-25"]):
        ran = hostpledge("bundle", str(tmp_path), "-o", str(tmp_path / "b"), *at)
        assert ran.status == 2
        assert "x was collected at 2065-01-24T05:20:00+00:00 by its own clock" in ran.err
        assert "leave that host out, or correct its clock and collect again" in ran.err
        assert "--at" not in ran.err
        assert len(ran.err.splitlines()) == 1
    assert hostpledge("assess", str(tmp_path / "x.capture"), "--at", "2026-11-25").status == 1
    assert not (tmp_path / "b").exists()
