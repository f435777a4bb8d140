"""journald's configuration: which file counts, and what its words mean."""

from __future__ import annotations

import pytest

from collector.facts.journald import Journald, journald
from collector.model import Capture, CapturedFile, HostStatus, ReadResult, ReadStatus

HELD = "dir=/var/log/journal\nkib=24\nfirst=1764000000000000\nlast=1795574225033534\n"


def _journald(held: str = HELD, **texts: str | None) -> Journald:
    """Texts by path; None stands for a link to /dev/null."""
    files = tuple(
        CapturedFile(
            path,
            ReadStatus.OK if text is not None else ReadStatus.EXIT,
            0o644,
            0,
            0,
            data=(text or "").encode(),
        )
        for path, text in texts.items()
    )
    reads = (
        ReadResult("journald.config", ReadStatus.OK, files=files),
        ReadResult("journald.held", ReadStatus.OK, stdout=held.encode()),
    )
    return journald(Capture("h", HostStatus.COMPLETE, reads={r.id: r for r in reads}))


def test_defaults() -> None:
    found = _journald()
    assert (found.storage, found.retention, found.max_use) == ("auto", 0.0, None)
    assert found.on_disk
    assert not _journald(held="dir=/run/log/journal\nkib=0\n").on_disk


ETC, USR = "/etc/systemd/journald.conf", "/usr/lib/systemd/journald.conf"
PRECEDENCE = {
    "etc before usr": (
        {ETC: "[Journal]\nStorage=none\n", USR: "[Journal]\nStorage=volatile\n"},
        "none",
    ),
    "drop-in after the main file": (
        {ETC: "[Journal]\nStorage=none\n", f"{USR}.d/a.conf": "[Journal]\nStorage=volatile\n"},
        "volatile",
    ),
    "by file name, not by folder": (
        {
            f"{ETC}.d/10.conf": "[Journal]\nStorage=none\n",
            f"{USR}.d/20.conf": "[Journal]\nStorage=volatile\n",
        },
        "volatile",
    ),
    "the same name in etc hides": (
        {f"{ETC}.d/a.conf": "[Journal]\n", f"{USR}.d/a.conf": "[Journal]\nStorage=volatile\n"},
        "auto",
    ),
    "a link to /dev/null hides": (
        {f"{ETC}.d/a.conf": None, f"{USR}.d/a.conf": "[Journal]\nStorage=volatile\n"},
        "auto",
    ),
    "empty goes back to the default": (
        {ETC: "[Journal]\nStorage=none\n", f"{ETC}.d/a.conf": "[Journal]\nStorage=\n"},
        "auto",
    ),
    "another section does not count": ({ETC: "[Journal]\n[Other]\nStorage=none\n"}, "auto"),
    "a comment does not count": ({ETC: "[Journal]\n#Storage=none\n; Storage=none\n"}, "auto"),
    "what journald does not know it ignores": ({ETC: "[Journal]\nStorage=disk\n"}, "auto"),
}  # fmt: skip


@pytest.mark.parametrize("name", PRECEDENCE)
def test_precedence(name: str) -> None:
    texts, storage = PRECEDENCE[name]
    assert _journald(**texts).storage == storage  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("said", "days"),
    [
        ("6month", 182.625),
        ("184day", 184),
        ("184d", 184),
        ("1y 2d", 367.25),
        ("15897600", 184),
        ("26weeks", 182),
        ("4416h", 184),
        ("0", 0),
        ("infinity", 0),
        ("soon", 0),
    ],
)
def test_spans(said: str, days: float) -> None:
    found = _journald(**{ETC: f"[Journal]\nMaxRetentionSec={said}\n"})
    assert found.retention == pytest.approx(days * 86400)


def test_sizes() -> None:
    assert _journald(**{ETC: "[Journal]\nSystemMaxUse=20G\n"}).max_use == 20 << 30
    assert _journald(**{ETC: "[Journal]\nSystemMaxUse=1048576\n"}).max_use == 1 << 20


def test_held() -> None:
    (held,) = _journald().held
    assert held.first is not None
    assert (held.size, held.first.year) == (24 << 10, 2025)
