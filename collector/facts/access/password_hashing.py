"""By which scheme the next password will be kept: login.defs(5), and pam_unix(8) by name."""

from __future__ import annotations

import re

from collector.facts.access.pam.stack import READS as _PAM_READS
from collector.model import Capture, HostStatus, Quote, Read, ReadStatus

READS: tuple[Read, ...] = tuple(r for r in _PAM_READS if r.id in ("pam.files", "pam.settings"))

_STACKS = ("common-password", "system-auth", "password-auth", "passwd")
_UNIX = re.compile(r"\s*-?password\s+(?:\[[^\]]*\]|\S+)\s+\S*pam_unix\.so(\s.*)?")
_METHOD = re.compile(r"\s*ENCRYPT_METHOD\s+(\S+)")
_WORDS = {
    "md5": "1", "bigcrypt": "des", "sha256": "5", "sha512": "6", "blowfish": "2b", "yescrypt": "y",
    "gost_yescrypt": "gy", "sm3": "sm3", "des": "des", "bcrypt": "2b", "sha-512": "6",
}  # fmt: skip


def new_passwords(capture: Capture) -> tuple[tuple[str, Quote], ...]:
    """The schemes that settings name, each as in shadow(5). Raises FactError.

    Nothing where no setting names one, or in a whole capture of before this was asked.
    """
    asked = [r.id for r in READS if r.id in capture.reads]
    if not asked and capture.status is HostStatus.COMPLETE:
        return ()
    found = []
    for file in capture.read("pam.settings").present():
        if file.path == "/etc/login.defs":
            lines = file.text("pam.settings").splitlines()
            said = [(x, m[1]) for x in lines if (m := _METHOD.match(x))]
            found += [_named(word, Quote("pam.settings", (x,), file.path)) for x, word in said[-1:]]
    for file in capture.read("pam.files").present():
        folder, _, name = file.path.rpartition("/")
        if folder != "/etc/pam.d" or name not in _STACKS or file.status is ReadStatus.ABSENT:
            continue
        for line in file.text("pam.files").splitlines():
            match = _UNIX.fullmatch(line.partition("#")[0])
            words = [w for w in (match[1] or "").split() if w in _WORDS] if match else []
            found += [_named(w, Quote("pam.files", (line,), file.path)) for w in words[-1:]]
    return tuple(found)


def _named(word: str, quote: Quote) -> tuple[str, Quote]:
    return _WORDS.get(word.lower(), word), quote
