"""The whole table is Chinese in a Chinese session, but for paths, units and words of settings."""

from __future__ import annotations

import ast
import gzip
import re
from pathlib import Path

import pytest

from collector.errors import CouldNotLook
from collector.i18n.message import in_chinese
from collector.model import ReadResult, ReadStatus
from tests.cli.running import hostpledge

CAPTURES = Path(__file__).parent.parent / "captures"
FACTS = Path(__file__).parent.parent.parent / "collector" / "facts"
# names of programs and reads, and what stands in their configurations
_NAMES = re.compile(
    r"(/[\w.*@:{}()-]+)+|[a-z_]+\.[a-z_]+\b|\b[A-Z][A-Za-z]*=\S*|\b\w+=\S*|\(<=4G\)"
    r"|\b(logrotate|journald|auditd|systemd|rsyslog|syslog-ng|inode|UTC|Web|VPN|DNS|Docker|Java|jar"
    r"|kubelet|JumpServer|root|tmpfiles\.d|find|ss|ip|journalctl)\b"
    r"|\b(hourly|daily|weekly|monthly|yearly|size|rotate|maxage|maxsize|minsize|minage) ?-?\d*\b"
)


def _english(text: str) -> list[str]:
    """Lines in which two English words follow each other; sample lines are the host's own."""
    left = []
    for line in text.splitlines()[1:]:
        if not line.startswith("  |") and re.search(
            r"[A-Za-z]{2,} [a-z]{2,}", _NAMES.sub("·", line.replace("'", ""))
        ):
            left.append(line)
    return left


@pytest.mark.parametrize(
    "name", ["bookworm-27-weeks", "busybox-syslogd", "trixie-27-weeks", "trixie-journal"]
)
def test_recorded_hosts(name: str) -> None:
    path = CAPTURES / f"logging-{name}.capture.gz"
    ended = hostpledge("retention", path, "--lang", "zh")
    assert ended.status in (0, 1), ended.err
    assert _english(ended.out) == []


BROKEN = {
    "a refused section": (rb"monthly\n", b"rotate many\n"),
    "a file that others may write": (b"ok 644 0 0", b"ok 666 0 0"),
    "no end": (b"\tendscript\n", b"\n"),
    "size": (b"monthly\n", b"size 9M\nmaxage 400\n"),
    "journal lost": (b"journal_days.days", b"journal_days.dayz"),
    "places of settings": (
        b"/etc/systemd/journald.conf\n",
        b"/etc/systemd/journald.conf.d/a.conf\n",
    ),
    "read half": (b"\n@Z\n", b"\n"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_hosts(tmp_path: Path, name: str) -> None:
    """Also where something is wrong with the host or its capture, on either stream."""
    old, new = BROKEN[name]
    text = gzip.decompress((CAPTURES / "logging-bookworm-kept.capture.gz").read_bytes())
    path = tmp_path / "h.capture"
    path.write_bytes(text.replace(old, new))
    ended = hostpledge("retention", path, "--lang", "zh")
    assert ended.status in (0, 1, 2)
    assert _english("\n" + ended.out) == []
    assert _english("\n" + ended.err.replace(str(path), "/h")) == []
    assert len(ended.err.splitlines()) <= 1


def _told(module: str) -> set[str]:
    """What the module may say of what cannot be had, as it stands in its source."""
    said = set()
    for node in ast.walk(ast.parse((FACTS / f"{module.replace('.', '/')}.py").read_text())):
        name = getattr(node.func, "id", "") if isinstance(node, ast.Call) else ""
        if name in ("CouldNotLook", "NotUnderstood") and isinstance(node, ast.Call):
            words = node.args[-1]
            if isinstance(words, ast.Constant):
                said.add(str(words.value))
            elif isinstance(words, ast.JoinedStr):
                said.add("".join(
                    str(part.value) if isinstance(part, ast.Constant) else "@"
                    for part in words.values
                ))  # fmt: skip
    return said


def test_what_a_host_printed_stays_as_it_is() -> None:
    lost = ReadResult("log_files.times", ReadStatus.LOST)
    with pytest.raises(CouldNotLook) as refused:
        lost.text()
    assert in_chinese(refused.value.said) == "log_files.times：未采到"
    ended = ReadResult("a.read", ReadStatus.EXIT, rc=3, stderr="no such thing")
    with pytest.raises(CouldNotLook) as refused:
        ended.text()
    assert in_chinese(refused.value.said) == "a.read：退出码 3: no such thing"
    assert in_chinese("never heard of") == "never heard of"
