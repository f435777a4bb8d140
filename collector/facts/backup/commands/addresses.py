"""Where a backup tool is told to put its copies: a path, another host, a storage service.

The forms are those of restic ("Preparing a new repository"), borg ("Repository URLs"), rsync(1),
scp(1), duplicity ("URL format") and rclone ("Syntax of remote paths").
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Kind = Literal["path", "host", "service", "remote", "unknown"]

_SERVICES = {
    "s3", "s3+http", "boto3+s3", "gs", "gcs", "azure", "az", "b2", "swift", "oss", "cos", "cosn",
    "obs", "bos", "ks3", "tos", "kodo", "upyun", "megav3", "onedrive", "gdocs", "cf+http",
}  # fmt: skip
_HOSTS = {
    "ssh", "sftp", "scp", "rsync", "ftp", "ftps", "ftpes", "http", "https", "webdav", "webdavs",
    "rest", "paramiko+sftp", "pexpect+sftp", "paramiko+scp", "pexpect+scp", "nfs", "smb", "cifs",
}  # fmt: skip
# What only shows at run time, or was masked.
_OPEN = re.compile(r"[$*?`]")
_NAME = r"(\[[0-9A-Fa-f:.%]+\]|[^/:@\[\]]+)"


@dataclass(frozen=True, slots=True)
class Address:
    """One target. `host` is a name or an address in lower case, or the name of a service's bucket

    or of an rclone remote; `path` lies on it (of a file only its folder, where the file's name
    shows at run time alone). `text` is what stood there.
    """

    kind: Kind
    host: str
    path: str
    text: str

    @property
    def label(self) -> str:
        """For messages: never a user or a password."""
        if self.kind in ("path", "unknown"):
            return self.path or "?"
        return f"{self.host}:{self.path}" if self.path else self.host


def address_of(text: str, folder: str = "") -> Address:
    """The target that `text` names; `folder` is where a relative path begins."""
    word = text.strip("\"'")
    restic = re.fullmatch(r"(sftp|rest|s3|azure|gs|b2|swift|rclone|local):(?!//)(.+)", word)
    if restic:
        return _restic(restic[1], restic[2], word)
    url = re.fullmatch(r"([A-Za-z][A-Za-z0-9+.-]*)://(.*)", word)
    if url:
        return _url(url[1].lower(), url[2], word)
    told = re.fullmatch(rf"(?:[^/:@]*@)?{_NAME}:(:?.*)", word)
    if told and not _OPEN.search(told[1]):
        # two colons are a module of an rsync daemon
        return Address("host", _bare(told[1]), told[2].lstrip(":"), word)
    if not word or word.startswith("-") or told:
        return Address("unknown", "", "", word)
    return _path(word, folder)


def _restic(scheme: str, rest: str, word: str) -> Address:
    if scheme == "local":
        return _path(rest, "")
    if scheme == "rclone":
        name, _, path = rest.partition(":")
        return Address("remote", name, path, word)
    inner = re.fullmatch(r"(https?)://(.*)", rest)
    if inner:
        return _url(inner[1], inner[2], word)
    if scheme == "sftp":
        return address_of(rest) if ":" in rest else Address("unknown", "", "", word)
    if scheme == "s3":
        return _url("https", rest, word)
    host, _, path = rest.partition(":")
    return _service(host, path, word)


def _url(scheme: str, rest: str, word: str) -> Address:
    if scheme in ("file", "local"):
        return _path("/" + rest.lstrip("/"), "")
    netloc, slash, path = rest.partition("/")
    host = re.sub(r":\d*$", "", netloc.rpartition("@")[2])
    if scheme == "rclone":
        name, _, path = rest.partition(":")
        return Address("remote", name, path, word)
    if scheme in _SERVICES:
        return _service(f"{scheme}://{host}", path, word)
    if scheme not in _HOSTS or not host or _OPEN.search(host):
        return Address("unknown", "", "", word)
    return Address("host", _bare(host), slash + path, word)


def _service(host: str, path: str, word: str) -> Address:
    if not host or _OPEN.search(host):
        return Address("unknown", "", "", word)
    return Address("service", host, path, word)


def _path(word: str, folder: str) -> Address:
    if word == "~" or word.startswith(("~/", "$HOME/")):
        word = "/root" + word.partition("/")[1] + word.partition("/")[2]
    elif not word.startswith("/"):
        if not folder.startswith("/") or _OPEN.match(word):
            return Address("unknown", "", "", word)
        word = f"{folder.rstrip('/')}/{word.removeprefix('./')}"
    parts: list[str] = []
    for part in word.split("/")[1:]:
        if _OPEN.search(part):
            break
        if part not in ("", "."):
            parts.append(part)
    if not parts:
        return Address("unknown", "", "", word)
    return Address("path", "", "/" + "/".join(parts), word)


def _bare(host: str) -> str:
    return host.strip("[]").rstrip(".").lower()


def same_target(one: Address, other: Address) -> bool:
    """Do both name the same place, or one a folder in the other?"""
    if (one.kind, one.host) != (other.kind, other.host) or one.kind == "unknown":
        return False
    a, b = (re.sub(r"^/?(\./|~/)?", "", x.path).rstrip("/") for x in (one, other))
    return not a or not b or f"{a}/".startswith(b + "/") or f"{b}/".startswith(a + "/")
