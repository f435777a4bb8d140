"""PAM stacks. What is expected of weak passwords was tried with the real passwd(1) in chroots of
Debian 12 (Linux-PAM 1.5.2) and Debian 13 (1.7.0), with libpwquality 1.4.5."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from collector.errors import CouldNotLook, NotUnderstood
from collector.facts.access.pam.password_quality import (
    Quality,
    checkers,
    lets_weak_pass,
    modules,
    quality,
    stores,
)
from collector.facts.access.pam.stack import Course, Entry, Stacks, courses, stacks
from collector.model import Capture, CapturedFile, HostStatus, ReadResult, ReadStatus

_UNIX = (
    "password [success=1 default=ignore] pam_unix.so obscure use_authtok try_first_pass yescrypt\n"
    "password requisite pam_deny.so\npassword required pam_permit.so\n"
)
_JUMP = "password [success=1 default=ignore] pam_succeed_if.so user in alice\n"


def _stack(text: str, **others: str) -> tuple[Entry, ...]:
    texts = {"/etc/pam.d/passwd": text} | {f"/etc/pam.d/{k}": v for k, v in others.items()}
    return Stacks(texts).stack("passwd", "password")


@pytest.mark.parametrize(
    ("text", "weak"),
    [
        ("password requisite pam_pwquality.so\n" + _UNIX, False),
        ("password required pam_pwquality.so\npassword required pam_unix.so\n", True),
        ("password required pam_pwquality.so\npassword required pam_unix.so use_authtok\n", False),
        ("password requisite pam_pwquality.so\npassword required pam_unix.so\n", False),
        ("password optional pam_pwquality.so\n" + _UNIX, False),
        ("password optional pam_pwquality.so\npassword required pam_unix.so\n", True),
        (_JUMP + "password requisite pam_pwquality.so\npassword required pam_unix.so\n", True),
    ],
)  # fmt: skip
def test_as_the_real_passwd_did(text: str, weak: bool) -> None:
    stack = _stack(text)
    assert lets_weak_pass(stack, checkers(stack), (1, 7, 0)) is weak


def test_older_pam_unix_may_ask_anew() -> None:
    stack = _stack("password requisite pam_pwquality.so\npassword required pam_unix.so\n")
    assert lets_weak_pass(stack, checkers(stack), (1, 1, 8))
    assert lets_weak_pass(stack, checkers(stack), None)


def test_a_history_that_asks_fills_what_the_checker_cleared() -> None:
    stack = _stack(
        "password required pam_pwquality.so\npassword required pam_pwhistory.so\n"
        "password required pam_unix.so use_authtok\n"
    )
    assert lets_weak_pass(stack, checkers(stack), (1, 7, 0))


def test_forms_of_lines() -> None:
    stack = _stack(
        "#comment\n@include common\npassword include sys # tail\nPassword substack sub\n"
        "-password [success=ok user_unknown=ignore \\\n default=die] "
        "/lib64/security/pam_x.so [a b] c=1\n"
        "auth required pam_deny.so\n",
        common="password optional pam_a.so\nauth optional pam_no.so\n",
        sys="password sufficient pam_b.so\n",
        sub="password requisite pam_c.so\n",
    )
    assert [e.module for e in stack] == ["pam_a", "pam_b", "sub", "pam_x"]
    assert [e.module for e in stack[2].inner or ()] == ["pam_c"]
    last = stack[3]
    assert (last.silent, last.args, last.option("c")) == (True, ("a b", "c=1"), "1")
    assert last.actions == {"success": "ok", "user_unknown": "ignore", "default": "die"}


@pytest.mark.skipif(
    shutil.which("chpasswd") is None or os.geteuid() != 0, reason="needs chpasswd, and root"
)
@pytest.mark.parametrize(
    ("own", "sets"),
    [
        ("password required pam_unix.so yescrypt\n", True),
        ("password required pam_deny.so\n", False),
        ("password required pam_warn.so\n", False),
        ("@include passwd\n", False),
        ("account required pam_permit.so\n", False),
        (None, False),
    ],
)
def test_whether_the_real_chpasswd_sets_one(tmp_path: Path, own: str | None, *, sets: bool) -> None:
    """It goes by its own file, however strict that of passwd(1) is; without one, by `other`."""
    etc = tmp_path / "etc"
    (etc / "pam.d").mkdir(parents=True)
    texts = {
        "passwd": "password required pam_deny.so\n",
        "other": "password required pam_deny.so\n",
    }
    texts |= {} if own is None else {"chpasswd": own}
    for name, text in texts.items():
        (etc / "pam.d" / name).write_text(text, encoding="utf-8")
    for name in ("passwd", "group", "login.defs"):
        shutil.copy(f"/etc/{name}", etc / name)
    (etc / "shadow").write_text("games:*:19000:0:99999:7:::\n", encoding="utf-8")
    subprocess.run(
        ["unshare", "-m", "sh", "-c", f"mount --bind {etc} /etc && chpasswd"],
        input=b"games:a\n", check=False, capture_output=True,
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
    )  # fmt: skip
    assert ("games:$" in (etc / "shadow").read_text(encoding="utf-8")) is sets
    known = Stacks({f"/etc/pam.d/{name}": text for name, text in texts.items()})
    assert stores(known.stack("chpasswd", "password"), (1, 7, 0)) is sets


def test_other_stands_in() -> None:
    texts = {"/etc/pam.d/su": "auth required pam_unix.so\n", "/usr/lib/pam.d/other": _UNIX}
    assert len(Stacks(texts).stack("su", "password")) == 3
    assert len(Stacks(texts).stack("none", "password")) == 3
    assert Stacks({}).stack("none", "password") == ()


@pytest.mark.parametrize(
    "text",
    ["password required\n", "passwd required pam_unix.so\n", "password maybe pam_unix.so\n",
     "password include gone\n", "password include passwd\n"],
)  # fmt: skip
def test_not_understood(text: str) -> None:
    with pytest.raises(NotUnderstood):
        _stack(text)


def _ends(text: str, **returned: str) -> list[bool]:
    def returns(entry: Entry, _way: Course) -> tuple[str, ...]:
        return tuple(returned.get(entry.module, "success").split(","))

    inner = "password sufficient pam_i.so\npassword required pam_j.so\n"
    return [c.success for c in courses(_stack(text, sub=inner), returns)]


def test_dispatch() -> None:
    required = "password required pam_a.so\npassword required pam_b.so\n"
    assert _ends(required) == [True]
    assert _ends(required, pam_a="authtok_err") == [False]
    assert _ends(required, pam_a="success,authtok_err") == [True, False]
    sufficient = "password sufficient pam_a.so\npassword required pam_b.so\n"
    assert _ends(sufficient, pam_b="authtok_err") == [True]
    assert _ends(sufficient, pam_a="user_unknown", pam_b="authtok_err") == [False]
    failed_before = "password required pam_b.so\n" + sufficient
    assert _ends(failed_before, pam_b="authtok_err") == [False]
    jump = "password [success=1 default=ignore] pam_a.so\npassword requisite pam_b.so\n"
    assert _ends(jump + "password required pam_c.so\n", pam_b="authtok_err") == [True]
    assert _ends("password optional pam_a.so\n", pam_a="authtok_err") == [False]
    reset = "password required pam_a.so\npassword [default=reset] pam_b.so\n"
    assert _ends(reset + "password required pam_c.so\n", pam_a="authtok_err") == [True]


def test_done_inside_a_substack_ends_the_substack_only() -> None:
    text = "password substack sub\npassword required pam_k.so\n"
    assert _ends(text, pam_k="authtok_err") == [False]
    assert _ends(text, pam_i="authtok_err", pam_j="authtok_err") == [False]
    assert _ends(text) == [True]


def test_too_many_ways() -> None:
    with pytest.raises(NotUnderstood):
        _ends("password optional pam_a.so\n" * 20, pam_a="success,ignore")


# --- what checkers demand ------------------------------------------------------------------------


def _capture(versions: str, **settings: str) -> Capture:
    reads = {
        "pam.modules": ReadResult("pam.modules", ReadStatus.OK, stdout=versions.encode()),
        "pam.settings": ReadResult(
            "pam.settings",
            ReadStatus.OK,
            files=tuple(
                CapturedFile(f"/etc/{path}", ReadStatus.OK, data=text.encode())
                for path, text in settings.items()
            ),
        ),
    }
    return Capture("h", HostStatus.COMPLETE, reads=reads)


def _demands(line: str, version: str = "libpwquality1=1.4.5-5", **settings: str) -> Quality:
    (entry,) = _stack(f"password requisite {line}\n")
    return quality(entry, _capture(version, **settings))


_CONF = "security/pwquality.conf"


@pytest.mark.parametrize(
    ("line", "version", "conf", "length", "classes", "root"),
    [
        ("pam_pwquality.so", "1.4.5", "", 8, 0, False),
        ("pam_pwquality.so", "1.2.3", "", 5, 0, False),
        ("pam_pwquality.so minlen=3", "1.4.5", "", 6, 0, False),
        ("pam_pwquality.so minlen=10", "1.4.5", "minlen=20", 10, 0, False),
        ("pam_pwquality.so minclass=9", "1.4.5", "", 8, 4, False),
        ("pam_pwquality.so", "1.4.5", "minlen 12\nMinClass=3 #\nenforce_for_root 0", 12, 3, True),
        ("pam_pwquality.so", "1.4.1", "enforce_for_root\nminlen = 12\n", 8, 0, False),
        ("pam_pwquality.so", "1.2.3", "minclass = 3\nminlen=12\nocredit = -1\n", 5, 3, False),
        ("pam_pwquality.so", "1.4.5", "minlen = x\nminclass = 3\n", 8, 0, False),
        ("pam_pwquality.so dcredit=-1 ocredit=-2", "1.4.5", "ucredit = 2", 6, 2, False),
        ("pam_cracklib.so minlen=12 minclass=3 enforce_for_root", "1.4.5", "", 8, 3, True),
        ("pam_passwdqc.so", "1.4.5", "", 7, 1, True),
        ("pam_passwdqc.so min=disabled,8,8,8,8 passphrase=0 enforce=users", "0", "", 8, 2, False),
    ],
)  # fmt: skip
def test_demands(line: str, version: str, conf: str, length: int, classes: int, root: bool) -> None:
    found = _demands(line, f"libpwquality1={version}", **{_CONF: conf})
    assert (found.length, found.classes, found.root) == (length, classes, root)


def test_the_folder_is_read_first_by_name() -> None:
    parts = {f"{_CONF}.d/b.conf": "minlen = 10\n", f"{_CONF}.d/a.conf": "minlen = 20\nminclass=3\n"}
    assert _demands("pam_pwquality.so", **parts).length == 10
    assert _demands("pam_pwquality.so", **parts, **{_CONF: "minlen = 9\n"}).length == 9
    assert _demands("pam_pwquality.so", "libpwquality=1.2.3", **parts).classes == 0


def test_passwdqc_config() -> None:
    conf = {"passwdqc.conf": "# c\nmin=disabled,disabled,disabled,9,8\nenforce=everyone\n"}
    found = _demands("pam_passwdqc.so config=/etc/passwdqc.conf", **conf)
    assert (found.length, found.classes, found.root) == (8, 3, True)
    with pytest.raises(NotUnderstood):
        _demands("pam_passwdqc.so config=/srv/x.conf")
    with pytest.raises(NotUnderstood):
        _demands("pam_passwdqc.so min=8")


def test_modules_of_rpm_and_dpkg() -> None:
    found = modules(_capture("module=pam_pwquality\npam=1.1.8\nlibpwquality=1.2.3\n"))
    assert (found.pam, found.pwquality) == ((1, 1, 8), (1, 2, 3))
    assert found.installed == {"pam_pwquality"}
    assert modules(_capture("")).pam is None


def test_a_file_that_was_refused_is_not_left_out() -> None:
    file = CapturedFile("/etc/pam.d/passwd", ReadStatus.REFUSED)
    result = ReadResult("pam.files", ReadStatus.OK, files=(file,))
    with pytest.raises(CouldNotLook):
        stacks(Capture("h", HostStatus.COMPLETE, reads={"pam.files": result}))


def test_lines_are_joined_as_libpam_joins_them() -> None:
    """_pam_assemble_line: a remark neither goes on below nor ends what goes on around it."""
    text = (
        "# old \\\npassword required pam_a.so # x \\\npassword required pam_b.so one \\ \n"
        "\n # between \\\n two\npassword required pam_c.so\n"
    )
    assert [(e.module, e.args) for e in _stack(text)] == [
        ("pam_a", ()),
        ("pam_b", ("one", "two")),
        ("pam_c", ()),
    ]
