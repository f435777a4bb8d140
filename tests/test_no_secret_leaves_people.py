"""Secrets in what people write on a host: none is in what hostpledge makes of it.

The whole script runs on this machine, seen through an overlay in which they are planted; then its
output goes the whole way: assessed, into a bundle, verified, replayed, reported. Meanwhile the
processes are looked at, and what lies in the overlay afterwards.
"""

from __future__ import annotations

import gzip
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from collector import catalog
from collector.model import Capture, HostStatus
from collector.script import collector_script, parse_output
from tests.cli.running import hostpledge
from tests.planted_words import LOG, LOOKS, ROTATE, SCRIPT, SETTINGS, SUDO, TAB, leaked, planted
from tests.run.seen import below

_UNIT = """
[Service]
Environment=DB_PW={} PIN={}
ExecStart=/usr/bin/env TOKEN={} /usr/local/bin/planted-0.sh --apikey {} -pw {}
"""
_ENV = "RESTIC_PASSWORD={}\nRESTIC_REPOSITORY=rest:https://bak:{}@h:8000/r\nPIN={}\n"
# a secret in the settings of other daemons, in the forms that were found in captures
_FORMS = """
# old pw: {}
pw={}
PIN={}
url = https://h/x?X-Amz-Signature={}
hook = https://api.telegram.org/bot123456:{}/send
db = jdbc:oracle:thin:u/{}@h:1521:x
cookie: sid={}
"""
_PLACES = {
    "/etc/cron.d/planted": TAB,
    "/etc/crontab": TAB,
    "/var/spool/cron/crontabs/root": TAB.replace(" root ", " "),
    "/etc/cron.daily/planted": "#!/bin/sh\n" + SCRIPT,
    "/etc/systemd/system/planted.service": _UNIT,
    "/etc/sudoers.d/planted": SUDO,
    "/etc/logrotate.d/planted": ROTATE,
    "/etc/borgmatic/config.yaml": SETTINGS,
    "/etc/restic/planted.env": _ENV,
    "/var/log/planted-backup.log": LOG.replace("\n|", "\n").replace("\n=", "\n"),
    "/var/log/restic-planted.log": LOG.replace("\n|", "\n").replace("\n=", "\n"),
    "/etc/profile.d/planted.sh": SCRIPT,
    "/etc/rsyslog.d/planted-words.conf": _FORMS,
    "/etc/ssh/sshd_config.d/planted.conf": "# pw {}\n# {}\n",
    "/etc/security/pwquality.conf": "# admin: {}\nminlen = 8\n",
    "/etc/audit/auditd.conf": "# {}\nnum_logs = 5\n",
}
_CALLS = "\n".join(f"0 3 * * * root /usr/local/bin/planted-{n}.sh" for n in range(9)) + "\n"


def _plant(upper: Path) -> tuple[str, ...]:
    """Files below `upper`, and the secrets in them, each of which is told apart."""
    secrets: list[str] = []
    scripts = {f"/usr/local/bin/planted-{n}.sh": "#!/bin/sh\n" + SCRIPT for n in range(3)}
    for turn, (path, text) in enumerate((_PLACES | scripts).items()):
        filled, words = planted(text, turn % len(LOOKS))
        secrets += words
        file = upper / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(filled, encoding="utf-8")
        file.chmod(0o755 if "bin/" in path or "cron.daily" in path else 0o644)
        for folder in file.relative_to(upper).parents:
            (upper / folder).chmod(0o755)
    (upper / "etc/cron.d/calls").write_text(_CALLS)
    return tuple(secrets)


def _files(folder: Path) -> Iterator[Path]:
    return (f for f in folder.rglob("*") if f.is_file() and not f.is_symlink())


class _Watch(threading.Thread):
    """Gathers the arguments of every process that `root` started, over and over."""

    def __init__(self, root: int) -> None:
        super().__init__(daemon=True)
        self.root = root
        self.over = threading.Event()
        self.seen: set[bytes] = set()

    def run(self) -> None:
        while not self.over.wait(0.02):
            for pid in below(self.root):
                with suppress(OSError):
                    self.seen.add(Path(f"/proc/{pid}/cmdline").read_bytes())


class Made:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.upper = folder / "upper"
        self.secrets: tuple[str, ...] = ()
        self.out = b""
        self.processes: set[bytes] = set()
        self.before: set[Path] = set()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    if os.geteuid() != 0 or not shutil.which("unshare"):
        pytest.skip("needs root and unshare")
    found = Made(tmp_path_factory.mktemp("overlay"))
    work, seen = found.folder / "work", found.folder / "seen"
    for folder in (found.upper, work, seen):
        folder.mkdir()
    found.secrets = _plant(found.upper)
    found.before = set(_files(found.upper))
    mounts = (
        f"mount -t overlay overlay -o lowerdir=/,upperdir={found.upper},workdir={work} {seen}"
        f" && mount -t proc proc {seen}/proc && mount --bind /dev {seen}/dev"
    )
    unshared = ["unshare", "-m", "-p", "-f", "sh", "-c"]
    if subprocess.run([*unshared, mounts], capture_output=True, check=False).returncode:
        pytest.skip("no overlay here")
    with subprocess.Popen(
        [*unshared, f"{mounts} && exec chroot {seen} sh -s"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        watch = _Watch(process.pid)
        watch.start()
        script = collector_script(catalog.all_reads().values()).encode()
        out, err = process.communicate(script, timeout=300)
    watch.over.set()
    watch.join()
    assert process.returncode == 0, err[-2000:]
    found.out, found.processes = out + err, watch.seen
    return found


@pytest.fixture(scope="module")
def capture(made: Made) -> Capture:
    found = parse_output(made.out, host="h")
    assert found.status is HostStatus.COMPLETE
    return found


def _leaks(made: Made, text: str) -> list[str]:
    return [s for s in made.secrets if leaked(s, text)]


def test_more_than_170_are_planted(made: Made) -> None:
    assert len(made.secrets) > 1000


def test_none_is_in_what_the_script_prints(made: Made, capture: Capture) -> None:
    assert _leaks(made, made.out.decode("utf-8", "replace")) == []
    # they were looked at all the same
    called = capture.read("schedules.called").text()
    assert "script x all /usr/local/bin/planted-0.sh" in called
    assert "--single-transaction" not in called
    assert "mysqldump -uroot -p*** shop" in called
    assert any(f.path == "/etc/cron.d/planted" for f in capture.read("schedules.tabs").files)
    assert any(f.path.endswith("/planted") for f in capture.read("sudoers.files").files)
    assert "planted-backup.log" in capture.read("backup.logs").text()


def test_none_is_in_the_arguments_of_a_process(made: Made) -> None:
    awk = [p for p in made.processes if b"HP_MODE" in p]
    assert awk, "the awk was not seen at work"
    assert _leaks(made, b"\n".join(made.processes).decode("utf-8", "replace")) == []


def test_nothing_new_lies_on_the_host(made: Made) -> None:
    new = set(_files(made.upper)) - made.before
    texts = "\n".join(f.read_text("utf-8", "replace") for f in new)
    assert _leaks(made, texts) == []


def test_none_is_in_what_is_made_of_it(made: Made, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in/h.capture").write_bytes(made.out)
    told = [hostpledge("assess", tmp_path / "in", "--format", form) for form in
            ("table", "json", "sarif", "csv", "oscal", "junit", "hdf", "ocsf",
             "defectdojo")]  # fmt: skip
    home = tmp_path / "home"
    home.mkdir()
    told.append(hostpledge("key", "new", home=home))
    told.append(hostpledge("bundle", tmp_path / "in", "-o", tmp_path / "b", home=home))
    told.append(hostpledge("report", tmp_path / "b", "--html", tmp_path / "r.html", home=home))
    told.append(hostpledge("replay", tmp_path / "b", home=home))
    assert (tmp_path / "b/data/evidence.json").exists(), told
    assert (tmp_path / "r.html").exists(), told
    assert _leaks(made, "\n".join(t.out + t.err for t in told)) == []
    for file in _files(tmp_path):
        data = file.read_bytes()
        if file.suffix == ".gz":
            data = gzip.decompress(data)
        assert _leaks(made, data.decode("utf-8", "replace")) == [], file
