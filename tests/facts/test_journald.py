"""journald's configuration: which file counts, and what its words mean."""

from __future__ import annotations

from hashlib import sha256

import pytest

from collector.errors import NotUnderstood
from collector.facts.logs.journald.journal import Journald, journald
from collector.model import Capture, CapturedFile, HostStatus, ReadResult, ReadStatus

HELD = "dir=/var/log/journal\nkib=24\nfirst=1764000000000000\nlast=1795574225033534\n"


# journalctl --header and du of a Debian 13 virtual machine, one unit with LogNamespace=app
FILES = """\
dir=/var/log/journal
du=8196 /var/log/journal/e0f02f450ced4e6486fcadba48580227
du=3768 /var/log/journal/e0f02f450ced4e6486fcadba48580227.app
du=11968 /var/log/journal
file=/var/log/journal/e0f02f450ced4e6486fcadba48580227/system.journal
state=ONLINE
head=2026-11-25 10:37:18
tail=2026-11-25 10:54:01
file=/var/log/journal/e0f02f450ced4e6486fcadba48580227.app/system.journal
state=OFFLINE
head=2026-11-25 10:54:01
tail=2026-11-25 10:54:01
dir=/run/log/journal
du=0 /run/log/journal
"""


def _journald(held: str = HELD, machine: str = "", **texts: str | None) -> Journald:
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
    head = {"machine": machine}
    return journald(Capture("h", HostStatus.COMPLETE, head=head, reads={r.id: r for r in reads}))


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
    "what it does not know leaves what was said before": (
        {ETC: "[Journal]\nStorage=none\n", f"{ETC}.d/a.conf": "[Journal]\nStorage=disk\n"},
        "none",
    ),
    "it takes no quotes": ({ETC: '[Journal]\nStorage="none"\n'}, "auto"),
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


@pytest.mark.parametrize(
    ("said", "size"),
    [
        ("1G512M", 1536 << 20),
        ("60 M", 60 << 20),
        ("1.5 G", 1536 << 20),
        ("0", 0),
        ("60MB", None),
        ("60m", None),
        ("10%", None),
        ("-1", None),
        ('"60M"', None),
        ("infinity", None),
    ],
)
def test_sizes_as_systemd_252_and_257_took_them(said: str, size: int | None) -> None:
    assert _journald(**{ETC: f"[Journal]\nSystemMaxUse={said}\n"}).max_use == size


@pytest.mark.parametrize(("version", "storage"), [(252, "auto"), (257, "volatile")])
def test_a_main_file_elsewhere_is_read_by_newer_versions(version: int, storage: str) -> None:
    held = f"{HELD}systemd={version}\n"
    texts = {USR: "[Journal]\nStorage=volatile\n", f"{USR}.d/a.conf": "[Journal]\n"}
    assert _journald(held, **texts).storage == storage
    with pytest.raises(NotUnderstood):
        _journald(f"{HELD}systemd=253\n", **texts)


# what journald itself said of its limit (`System Journal … max …`), on systemd 252 and 257
MIB = 1 << 20
_DISK = (3021608 << 10, 2632080 << 10, 8 * MIB)
LIMITS = {
    "": (_DISK, 295),
    "SystemMaxUse=40M": (_DISK, 40),
    "SystemMaxUse=100M\nSystemMaxFileSize=80M": (_DISK, 160),
    "SystemKeepFree=2400M": (_DISK, 178),
    "SystemKeepFree=3000M": (_DISK, 16),
    "SystemMaxUse=0": (_DISK, None),
}


@pytest.mark.parametrize("said", LIMITS)
def test_limit(said: str) -> None:
    (size, available, used), expected = LIMITS[said]
    limit = _journald(**{ETC: f"[Journal]\n{said}\n"}).limit(size, available, used)
    assert (limit // MIB if limit is not None else None) == expected


def test_files_and_namespaces() -> None:
    namespace = "/etc/systemd/journald@app.conf"
    found = _journald(
        FILES,
        **{
            ETC: "[Journal]\nSystemMaxUse=1G\n",
            namespace: "[Journal]\nSystemMaxUse=30M\n",
            f"{namespace}.d/a.conf": "[Journal]\nMaxRetentionSec=2day\n",
        },
    )
    disk = found.folder("/var/log/journal")
    assert disk is not None
    assert (disk.size, len(disk.files), disk.files[0].state) == (8196 << 10, 1, "ONLINE")
    assert disk.first is not None
    assert f"{disk.first:%H:%M:%S}" == "10:37:18"
    assert found.on_disk
    (app,) = found.namespaces
    assert (app.namespace, app.max_use, app.retention) == ("app", 30 << 20, 172800.0)
    held = app.folder("/var/log/journal")
    assert held is not None
    assert held.size == 3768 << 10
    assert found.retention == 0.0
    assert found.limits == ("RateLimitIntervalSec=30s (default)", "RateLimitBurst=10000 (default)")


def test_settings_of_files() -> None:
    found = _journald(**{ETC: "[Journal]\nSystemMaxFiles=7\nMaxFileSec=1day\nRateLimitBurst=1\n"})
    assert (found.max_files, found.file_span) == (7, 86400.0)
    assert found.limits[1] == f"RateLimitBurst=1 ({ETC})"


@pytest.mark.parametrize(
    "held",
    ["nonsense\n", "kib=1\n", "dir=/a\nhead=2026-11-25 10:00:00\n", "dir=/a\nfile=/a/b\nhead=soon\n",
     "dir=/a\ndu=x /a\n", "systemd=x\n"],
)  # fmt: skip
def test_held_that_is_not_understood(held: str) -> None:
    with pytest.raises(NotUnderstood):
        _journald(held)


def test_journals_of_other_machines() -> None:
    """Only what stands in the folder of this machine's own id is its journal."""
    own = "e0f02f450ced4e6486fcadba48580227"
    image = (
        f"file=/var/log/journal/{'f' * 32}/system.journal\nstate=OFFLINE\n"
        "head=2025-01-01 10:37:18\ntail=2025-11-25 10:54:01\n"
    )
    both = FILES.replace("dir=/run", f"{image}dir=/run").replace(
        "du=11968", f"du=100 /var/log/journal/{'f' * 32}\ndu=12068"
    )
    digest = sha256(f"{own}\n".encode()).hexdigest()
    for machine, year, kib in ((digest, 2026, 8196), ("", 2025, 8296), ("0" * 64, 2025, 8296)):
        disk = _journald(both, machine).folder("/var/log/journal")
        assert disk is not None
        assert disk.first is not None
        assert (disk.first.year, disk.size) == (year, kib << 10)
