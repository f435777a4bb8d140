"""Accounts: nothing of a password may leave the host, and what is left must still tell enough."""

from __future__ import annotations

import os
import shutil
import subprocess
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from collector.facts.access.pam.account_numbers import last_of_system, of_system
from collector.facts.system import accounts as module
from collector.facts.system.accounts import Account, accounts, membership, shadow_names
from collector.model import Capture, CapturedFile, HostStatus, ReadResult, ReadStatus

_SALT = "Q7saltsaltQ7"
_HASH = "Zk9hashhashhashhashhashhashZk9"
_SEDS = [name for name in ("sed", "busybox", "toybox") if shutil.which(name)]

# password field → what may leave of it
_FIELDS = {
    "": "",
    "!": "!",
    "!!": "!!",
    "*": "*",
    "!*": "!*",
    "x": "x",
    "*LK*": "*LK*",
    "*NP*": "*NP*",
    "LK*": "LK*",
    f"$6${_SALT}${_HASH}/.{_HASH}": "$6$",
    f"!$6${_SALT}${_HASH}": "!$6$",
    f"!!$6${_SALT}${_HASH}": "!!$6$",
    f"*$6${_SALT}${_HASH}": "*$6$",
    f"*LK*$6${_SALT}${_HASH}": "*other",
    f"$5$rounds=65536${_SALT}${_HASH}": "$5$",
    f"$y$j9T${_SALT}${_HASH}": "$y$",
    f"$gy$j9T${_SALT}${_HASH}": "$gy$",
    f"$7$CU..../....{_SALT}${_HASH}": "$7$",
    f"$1${_SALT}${_HASH}": "$1$",
    f"$1$${_HASH}": "$1$",
    f"$2b$12${_SALT}{_HASH}": "$2b$",
    f"$2y$05${_SALT}{_HASH}": "$2y$",
    f"$sm3${_SALT}${_HASH}": "$sm3$",
    f"$sha1$40000${_SALT}${_HASH}": "$sha1$",
    f"$md5,rounds=5000${_SALT}$${_HASH}": "$md5$",
    f"$3$${_HASH}": "$3$",
    f"$argon2id$v=19$m=65536,t=2,p=1${_SALT}${_HASH}": "$argon2id$",
    f"${_HASH}": "other",
    f"$${_HASH}": "other",
    f"${_HASH}$": "other",
    "_J9..Zk9hZk9hashhash": "bsdi",
    "!_J9..Zk9hZk9hashhash": "!bsdi",
    "_J9..Zk9": "other",
    "Q7Zk9hashhash": "traditional",
    "!Q7Zk9hashhash": "!traditional",
    "Q7Zk9hashhash,M.z8": "traditional",
    "Q7Zk9hashhashZk9hashhashZk": "traditional",
    f"{{SHA}}{_HASH}=": "other",
    f"{{SSHA}}{_HASH}": "other",
    "Zk9plain": "other",
    "Zk9 plain with spaces": "other",
    "xZk9plain": "other",
    "!x": "!other",
    "Zk9\xff\xfe": "other",
}


def _sed(name: str, program: str, text: str) -> str:
    argv = [name, "sed"] if name != "sed" else [name]
    ran = subprocess.run(
        [*argv, "-e", program],
        input=text.encode("latin-1"),
        capture_output=True,
        check=True,
        env={"LC_ALL": "C", "PATH": os.environ["PATH"]},
    )
    assert not ran.stderr
    return ran.stdout.decode("latin-1")


def _leaks(text: str) -> list[str]:
    return [x for x in ("Zk9", "Q7", "hashhash", "saltsalt") if x in text]


def _program(read: str) -> str:
    return next(r.redact for r in module.READS if r.id == read)


@pytest.mark.parametrize("sed", _SEDS)
@pytest.mark.parametrize("field", _FIELDS, ids=range(len(_FIELDS)))
def test_only_the_scheme_leaves(sed: str, field: str) -> None:
    left = _FIELDS[field]
    shadow = _sed(sed, _program("accounts.shadow"), f"ops:{field}:19000:0:99999:7:::\n")
    assert shadow == f"ops:{left}:19000:0:99999:7:::\n"
    passwd = _sed(sed, _program("accounts.passwd"), f"ops:{field}:1000:1000:,,:/home/o:/bin/sh\n")
    assert passwd == f"ops:{left}:1000:1000::/home/o:/bin/sh\n"
    group = _sed(sed, _program("accounts.group"), f"wheel:{field}:10:ops,root\n")
    assert group.endswith(":10:ops,root\n")
    assert not _leaks(shadow + passwd + group)


@pytest.mark.parametrize("sed", _SEDS)
def test_lines_of_the_wrong_shape_leave_nothing_either(sed: str) -> None:
    planted = (
        f"$6${_SALT}${_HASH}\n"
        f"$6${_SALT}${_HASH}:root:19000:0:99999:7:::\n"
        f"root::$6${_SALT}${_HASH}:19000:0:99999:7:::\n"
        f"root:$6${_SALT}${_HASH}\n"
        f"root:$6${_SALT}${_HASH}:19000:$6${_SALT}${_HASH}:7\n"
        f"root:*:19000:0:99999:7:::{_HASH}\r\n"
        "machine$:!:19000::::::\n"
        f" root:$y$j9T${_SALT}${_HASH}:1:::::\r\n"
        f"#root:$y$j9T${_SALT}${_HASH}:1:::::\n"
        f"+:{_HASH}::::::\n"
    )
    left = _sed(sed, _program("accounts.shadow"), planted)
    assert not _leaks(left), left
    assert "machine$:!:19000::::::\n" in left
    assert "root::\n" in left, "an empty password stays visible"


def test_every_sed_says_the_same() -> None:
    text = "".join(f"u{i}:{field}:19000:0:99999:7:::\n" for i, field in enumerate(_FIELDS))
    for read in ("accounts.shadow", "accounts.passwd", "accounts.group"):
        assert len({_sed(sed, _program(read), text) for sed in _SEDS}) == 1


def _capture(passwd: str, shadow: str | None = None, group: str | None = None) -> Capture:
    reads = {}
    for id, text in (("passwd", passwd), ("shadow", shadow), ("group", group)):
        file = CapturedFile(f"/etc/{id}", ReadStatus.OK, data=(text or "").encode())
        reads[f"accounts.{id}"] = ReadResult(
            f"accounts.{id}",
            ReadStatus.ABSENT if text is None else ReadStatus.OK,
            files=() if text is None else (file,),
        )
    return Capture("h", HostStatus.COMPLETE, reads=reads)


def _one(field: str, shadow: str | None = "a::19000:0:90:7::20000:\n") -> Account:
    return accounts(_capture(f"a:{field}:1:1::/home/a:\n", shadow))[0]


def test_where_the_password_is_looked_for() -> None:
    assert _one("x").empty
    assert _one("").empty
    assert _one("*").locked, "pam_unix reads shadow only where passwd says x"
    assert not _one("*").empty
    assert _one("$1$").scheme == "1"
    assert _one("x", "other::1::::::\n").locked, "no line in shadow: nobody gets in"


@pytest.mark.parametrize(
    ("field", "scheme", "usable"),
    [
        ("$y$", "y", True), ("!$y$", "y", False), ("*$6$", "6", False), ("other", "other", False),
        ("traditional", "traditional", True), ("bsdi", "bsdi", True), ("*LK*", "", False),
        ("!!", "", False), ("x", "", False), ("", "", True), ("!other", "other", False),
    ],
)  # fmt: skip
def test_scheme_and_use(field: str, scheme: str, usable: bool) -> None:
    account = _one("x", f"a:{field}:1::::::\n")
    assert (account.scheme, account.usable) == (scheme, usable)


def test_expiry() -> None:
    at = datetime(2024, 10, 4, tzinfo=UTC)  # day 20000
    assert _one("x").expired(at)
    assert not _one("x", "a::1:0:90:7::20001:\n").expired(at)
    assert not _one("x", "a::1:0:90:7:::\n").expired(at)


@pytest.mark.skipif(
    not os.path.exists("/usr/sbin/unix_chkpwd") or os.geteuid() != 0, reason="needs PAM, and root"
)
@pytest.mark.parametrize(
    ("age", "rest", "shut"),
    [
        (122, "0:90:7:30::", True), (119, "0:90:7:30::", False), (500, "0:90:7:::", False),
        (500, "0::7:30::", False), (500, "0:99999:7:30::", False), (500, "0:90:7:0::", True),
        (500, "0:0:7:30::", True), (-9, "0:1:7:1::", False), (9, "0:99999:7::19000:", True),
        (9, "0:99999:7::32000:", False), (None, "0:90:7:30::", False),
    ],
)  # fmt: skip
def test_who_is_refused_as_pam_has_it(
    tmp_path: Path, age: int | None, rest: str, *, shut: bool
) -> None:
    """The helper of pam_unix(8) on a shadow of ours; 13 and 27 are its words for expired."""
    now = datetime.now(UTC)
    today = (now.date() - date(1970, 1, 1)).days
    line = f"games:*:{0 if age is None else today - age}:{rest}\n"
    (tmp_path / "shadow").write_text(line, encoding="utf-8")
    said = subprocess.run(
        ["unshare", "-m", "sh", "-c",
         f"mount --bind {tmp_path}/shadow /etc/shadow && unix_chkpwd games chkexpiry"],
        stdin=subprocess.DEVNULL, check=False, capture_output=True,
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
    )  # fmt: skip
    assert said.returncode in (0, 12, 13, 27), said
    assert (said.returncode in (13, 27)) is shut
    account = accounts(_capture("games:x:5:60::/usr/games:/bin/sh\n", line))[0]
    assert account.expired(now) is shut


def test_groups() -> None:
    capture = _capture("a:x:1:27::/:\n", "a:*:::::::\n", "sudo:x:27:\nwheel:x:10:b, a\nadm:x:4:b\n")
    assert membership(capture).of(accounts(capture)[0]) == {"sudo", "wheel"}
    assert shadow_names(capture) == ("a",)


def _with_defs(text: str | None) -> Capture:
    file = CapturedFile("/etc/login.defs", ReadStatus.OK, data=(text or "").encode())
    read = ReadResult("pam.settings", ReadStatus.OK, files=() if text is None else (file,))
    return Capture("h", HostStatus.COMPLETE, reads={"pam.settings": read})


@pytest.mark.parametrize(
    ("text", "last"),
    [
        (None, 999),
        ("UMASK 022\n", 999),
        ("UID_MIN\t\t500\n", 499),
        ("UID_MIN 1000\n#SYS_UID_MAX 499\nSYS_UID_MAX 899\n", 899),
        # people had 1000 and more before somebody wrote this
        ("UID_MIN 10000\n", 999),
    ],
)
def test_the_last_number_of_the_system(text: str | None, last: int) -> None:
    """login.defs(5), and useradd(8) where it says nothing."""
    assert last_of_system(_with_defs(text)) == last


def test_who_is_of_the_system() -> None:
    lines = {
        "a:x:108:1::/var/lib/a:/bin/sh": True,
        "b:x:501:1::/home/b:/bin/sh": False,
        "c:x:1000:1::/srv/c:/bin/sh": False,
        "d:x:0:0::/root:/bin/sh": False,
    }
    for line, said in lines.items():
        (account,) = accounts(_capture(f"{line}\n", "x:*:1:0:90:7:::\n"))
        assert of_system(_with_defs(""), account) is said
