"""PAM lockout against what the real sshd did on Debian 12 (Linux-PAM 1.5.2): deny=2, three wrong
passwords, then `faillock --user` (was it counted) and the right password (does it stay out)."""

from __future__ import annotations

import subprocess

import pytest

from collector.errors import NotUnderstood
from collector.facts.access.pam.lockout import NEVER, counters, effect, numbers
from collector.facts.access.pam.password_quality import modules
from collector.facts.access.pam.stack import READS, Entry, Stacks
from collector.model import Capture, CapturedFile, HostStatus, ReadResult, ReadStatus

_PRE = "auth required pam_faillock.so preauth\n"
_FAIL = "auth [default=die] pam_faillock.so authfail\n"
_DENY = "auth required pam_deny.so\n"
_PERMIT = "auth required pam_permit.so\n"
_UNIX = "auth sufficient pam_unix.so\n"


def _capture(conf: str | None = None, pam: str = "1.5.2") -> Capture:
    files = (
        ()
        if conf is None
        else (CapturedFile("/etc/security/faillock.conf", ReadStatus.OK, data=conf.encode()),)
    )
    modules = f"module=pam_faillock\nlibpam-modules={pam}\n"
    reads = {
        "pam.settings": ReadResult("pam.settings", ReadStatus.OK, files=files),
        "pam.modules": ReadResult("pam.modules", ReadStatus.OK, stdout=modules.encode()),
    }
    return Capture("h", HostStatus.COMPLETE, reads=reads)


def _stack(text: str) -> tuple[Entry, ...]:
    return Stacks({"/etc/pam.d/sshd": text}).stack("sshd", "auth")


@pytest.mark.parametrize(
    ("text", "counted", "enforced"),
    [
        (_UNIX + _FAIL + _DENY, True, False),
        (_PRE + _UNIX + _DENY, False, True),
        (_PRE + _UNIX + _FAIL + _DENY, True, True),
        (_PRE + "auth [success=1 default=ignore] pam_unix.so\nauth requisite pam_deny.so\n" + _FAIL
         + _PERMIT, False, True),
        ("auth [success=2 default=ignore] pam_unix.so\n" + _FAIL + "auth requisite pam_deny.so\n"
         "auth required pam_faillock.so authsucc\n" + _PERMIT, True, True),
        (_PRE.replace("required", "optional") + _UNIX + _FAIL + _DENY, True, False),
        (_PRE + _UNIX + "auth optional pam_faillock.so authfail\n" + _DENY, True, True),
    ],
)  # fmt: skip
def test_as_the_real_sshd_did(text: str, counted: bool, enforced: bool) -> None:
    found = effect(_stack(text), _capture("deny=2\n"), root=False)
    # a stack that never counts never gets as far as a lock
    assert (found.counted, found.counted and found.enforced) == (counted, counted and enforced)


def test_root_needs_even_deny_root() -> None:
    text = _PRE + _UNIX + _FAIL + _DENY
    assert not effect(_stack(text), _capture("deny=2\n"), root=True).enforced
    assert effect(_stack(text), _capture("deny=2\neven_deny_root\n"), root=True).enforced


def test_root_is_not_reached_behind_a_test_for_ordinary_users() -> None:
    test = "auth requisite pam_succeed_if.so uid >= 1000 quiet_success\n"
    text = _PRE + _UNIX + test + _FAIL + _DENY
    capture = _capture("deny=2\neven_deny_root\n")
    assert effect(_stack(text), capture, root=False).counted
    assert not effect(_stack(text), capture, root=True).counted


@pytest.mark.parametrize(
    ("conf", "args", "pam", "expected"),
    [
        (None, "", "1.5.2", (3, 600, False)),
        ("deny = 5 # five\nunlock_time = 900\n", "", "1.5.2", (5, 900, False)),
        ("deny = 5\n", "deny=9", "1.5.2", (9, 600, False)),
        ("deny = 5\neven_deny_root\n", "", "1.1.8", (3, 600, False)),
        ("deny = 5\neven_deny_root\n", "", "1.3.1\nconf=named", (5, 600, True)),
        ("deny = 5\neven_deny_root\n", "", "1.3.1\nconf=unnamed", (3, 600, False)),
        ("# deny = 5\n", "", "1.3.1", (3, 600, False)),
        ("unlock_time = never\n", "", "1.7.0", (3, NEVER, False)),
        (None, "root_unlock_time=60", "1.7.0", (3, 600, True)),
    ],
)
def test_numbers(conf: str | None, args: str, pam: str, expected: tuple[int, int, bool]) -> None:
    (entry,) = counters(_stack(f"auth required pam_faillock.so preauth {args}\n"))
    found = numbers(entry, _capture(conf, pam))
    assert (found.deny, found.unlock, found.root) == expected


def test_where_the_version_does_not_tell_whether_the_file_is_read() -> None:
    (entry,) = counters(_stack("auth required pam_faillock.so preauth\n"))
    with pytest.raises(NotUnderstood, match="collect again"):
        numbers(entry, _capture("deny = 5\n", "1.3.1"))


def test_the_module_here_holds_the_name_of_its_file() -> None:
    """The read as it stands, on this host's own Linux-PAM."""
    body = next(r for r in READS if r.id == "pam.modules").body
    done = subprocess.run(["sh", "-c", body], capture_output=True, text=True, check=True)
    if "module=pam_faillock" not in done.stdout:
        pytest.skip("no pam_faillock here")
    result = ReadResult("pam.modules", ReadStatus.OK, stdout=done.stdout.encode())
    known = modules(Capture("h", HostStatus.COMPLETE, reads={"pam.modules": result}))
    assert known.pam is not None
    assert known.conf is (known.pam >= (1, 4, 0))
