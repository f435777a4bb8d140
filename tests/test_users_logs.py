"""What a user's log says is said of it alone, however he learns how the files are told apart."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from collector import catalog
from collector.facts.backup.artefacts.checks import _logs
from collector.resources import package_text
from tests.mallory import Host, can_be_made

_TIMES = package_text("facts/logs/log_times.awk")
_KEY, _HIS = "@1-key", "@his"
_ROOTS = "2026-11-20T00:00:00Z host sshd: x"
_FORGED = "2026-05-01T00:00:00Z host sshd: x"


def _told(*lines: str) -> list[str]:
    text = "\n".join(lines) + "\n"
    done = subprocess.run(
        ["awk", "-v", "OWN=host", "-v", "WIDE=86", "-v", "HIGH=0", _TIMES, "-"],
        input=text, capture_output=True, text=True, check=True, timeout=30,
        env={"PATH": os.environ["PATH"], "HP_KEY": _KEY},
    )  # fmt: skip
    return done.stdout.splitlines()


def _streamed(*his: str) -> list[str]:
    return _told(
        f"{_KEY} + /var/log/auth.log", _ROOTS, f"{_KEY} .",
        f"{_KEY} ( {_HIS}", f"{_KEY} : /srv/a.log", f"{_KEY} : /srv/b.log", *his, f"{_KEY} )",
    )  # fmt: skip


def test_what_he_hands_over_is_told_of_each_file() -> None:
    one, other = f"{_HIS} + /srv/a.log", f"{_HIS} + /srv/b.log"
    told = _streamed(one, _FORGED, f"{_HIS} .", other, "x", f"{_HIS} .")
    assert [x for x in told if x.startswith(("@P", "@e"))] == [
        "@P /var/log/auth.log", "@e . 1", "@P /srv/a.log", "@e . 1", "@P /srv/b.log", "@e . 1",
    ]  # fmt: skip


@pytest.mark.parametrize("path", ["/var/log/auth.log", "/srv/a.log", "/srv/none.log"])
def test_he_begins_no_file_but_his_and_each_once(path: str) -> None:
    forged = (f"{_HIS} .", f"{_HIS} + {path}", _FORGED, f"{_HIS} .")
    told = _streamed(f"{_HIS} + /srv/a.log", *forged)
    assert [x for x in told if x.startswith("@P")] == ["@P /var/log/auth.log", "@P /srv/a.log"]
    assert not any("2026-05-01" in x for x in told)


def test_what_is_cut_off_does_not_end_well() -> None:
    assert _streamed(f"{_HIS} + /srv/a.log", _FORGED)[-2:] == ["@e  1", "@Z"]


_WATCH = """
for n in $(seq 400); do
  cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\000' '\\n' |
    grep -aoE '@[0-9]*-?[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]*' >>/home/mallory/seen
done
"""


@pytest.mark.skipif(not can_be_made(), reason="needs root, unshare, setpriv, setsid")
@pytest.mark.parametrize("shell", ["dash", "mksh"])
def test_no_key_stands_among_arguments(tmp_path: Path, shell: str) -> None:
    if not any(Path(p, shell).exists() for p in os.environ["PATH"].split(":")):
        pytest.skip(f"no {shell} here")
    host = Host(tmp_path / "host")
    host.write("/home/mallory/watch", _WATCH, mallory=True)
    host.write("/home/mallory/seen", "", mallory=True)
    host.write("/var/log/auth.log", f"{_ROOTS}\n" * 200_000)
    host.folder("/var/log/app", mallory=True)
    host.write("/var/log/app/a.log", f"{_FORGED}\n" * 1000, mallory=True)
    host.started.append("exec sh watch")
    read = catalog.all_reads()["log_files.times"]
    _, capture = host.collected([shell], [read])
    text = capture.read("log_files.times").text()
    assert re.search(r"@F \d+ \d+ S /var/log/app/a.log\n", text)
    assert re.search(r"@P /var/log/app/a.log\n@d 1000 .*\n@e \. 1001\n", text)
    assert host.at("/home/mallory/seen").read_text() == ""


def _check(host: Host, path: str) -> None:
    host.write("/etc/cron.d/check", f"0 4 * * 0 root restic check >>{path} 2>&1\n")
    host.write(path, "no errors were found\n")


def _traces(host: Host) -> set[tuple[str, str]]:
    _, capture = host.collected(["dash"], [catalog.all_reads()["backup_checks.logs"]])
    return {(t.path, t.by) for t in _logs(capture)}


@pytest.mark.skipif(not can_be_made(), reason="needs root, unshare, setpriv, setsid")
@pytest.mark.parametrize(
    ("path", "mallorys", "by"),
    [
        ("/var/log/restic/check.log", "", ""),
        ("/home/mallory/check.log", "", "mallory"),
        ("/srv/logs/check.log", "/srv/logs/check.log", "mallory"),
        ("/var/log/restic/check.log", "/var/log/restic", "mallory"),
    ],
)
def test_who_can_write_the_log_of_a_check_is_told(
    tmp_path: Path, path: str, mallorys: str, by: str
) -> None:
    host = Host(tmp_path / "host")
    _check(host, path)
    if mallorys:
        os.chown(host.at(mallorys), 12345, 12345)
    assert _traces(host) == {(path, by)}


@pytest.mark.skipif(not can_be_made(), reason="needs root, unshare, setpriv, setsid")
@pytest.mark.parametrize(
    ("gid", "mode", "by"), [(104, 0o775, ""), (104, 0o777, "-"), (2000, 0o775, "-")]
)
def test_the_folder_of_logs_may_be_its_daemons(
    tmp_path: Path, gid: int, mode: int, by: str
) -> None:
    """As Ubuntu has it: root:syslog 0775."""
    host = Host(tmp_path / "host")
    _check(host, "/var/log/restic-check.log")
    os.chown(host.at("/var/log"), 0, gid)
    host.at("/var/log").chmod(mode)
    assert _traces(host) == {("/var/log/restic-check.log", by)}
