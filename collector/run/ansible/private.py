"""The folder that one play of Ansible has to itself, and the secrets that lie in it at the start.

A word of a command line is seen by every user of this machine, and ansible-runner writes down the
words and the environment of what it starts. So secrets go to Ansible in files of mode 0600, which
are gone once it has read them, and nothing else tells of them.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from collector.errors import BadInput
from collector.i18n.message import msg
from collector.private import hold, left_behind

_PREFIX = "hostpledge-play-"
HANDED = "handed-"
# a play whose command was killed may still be ending
_DAY = 86_400
# sun_path of unix(7), without its NUL; what Python's multiprocessing adds to the folder
_SOCKET = 107 - len("/pymp-12345678/listener-12345678")


@contextmanager
def private_folder() -> Iterator[Path]:
    """A folder of mode 0700, gone afterwards. What killed commands left behind goes first."""
    _clear()
    with tempfile.TemporaryDirectory(prefix=_PREFIX, ignore_cleanup_errors=True) as name:
        folder = Path(name)
        lock = hold(folder)
        try:
            yield folder
        finally:
            os.close(lock)


def folder_for_sockets() -> str:
    """Where Ansible lays its socket: the temporary folder, or one whose path a socket can bear.

    Nothing else lies in there, and what does in a folder of mode 0700.
    """
    usual = tempfile.gettempdir()
    if len(os.fsencode(usual)) > _SOCKET:
        for short in ("/tmp", "/var/tmp", "/dev/shm"):  # noqa: S108 - mkdtemp makes the folder
            if os.access(short, os.W_OK | os.X_OK):
                return short
    return usual


def extra_vars(entries: tuple[str, ...], folder: Path) -> list[str]:
    """`-e` options for these entries, in their order: what stands in them lies in files.

    An entry is what Ansible takes: @FILE, YAML in braces, or NAME=VALUE pairs. Raises BadInput.
    """
    words: list[str] = []
    for number, entry in enumerate(entries, 1):
        if entry[:1] == "@":
            words += ["-e", f"@{Path(entry[1:]).resolve()}"]
        elif entry:
            file = _hand(folder, f"vars-{number}", _as_yaml(entry))
            words += ["-e", f"@{file}"]
    return words


def passwords(login: str, become: str, folder: Path) -> list[str]:
    """Options that tell Ansible the passwords that were asked for; none for an empty one."""
    words: list[str] = []
    for kind, password in (("connection", login), ("become", become)):
        if password:
            words.append(f"--{kind}-password-file={_password_file(folder, kind, password)}")
    return words


def forget(folder: Path) -> None:
    """Ansible has read what was handed over."""
    for file in folder.glob(f"{HANDED}*"):
        file.unlink(missing_ok=True)


def entry_name(entry: str) -> str:
    """How an entry is named to people: its value may be a secret."""
    name = entry.partition("=")[0]
    return f"-e {name}=…" if "=" in entry and name.isidentifier() else "-e"


def _as_yaml(entry: str) -> bytes:
    from ansible.errors import AnsibleError
    from ansible.parsing.dataloader import DataLoader
    from ansible.parsing.splitter import parse_kv

    where = entry_name(entry)
    if entry[0] in "/.":
        raise BadInput(msg("name_file_stands_after"), where=where, mend=msg("e_file"))
    try:
        if entry[0] not in "{[":
            return json.dumps(parse_kv(entry)).encode()
        given = DataLoader().load(entry)
    except AnsibleError:
        # what the parser says of it quotes it
        raise BadInput(
            msg("neither_name_value_nor"),
            where=where,
            mend=msg("mind_quotes_braces_put"),
        ) from None
    if not isinstance(given, dict):
        raise BadInput(msg("list_given_where_variables"), where=where)
    return entry.encode("utf-8", "surrogateescape")


def _password_file(folder: Path, kind: str, password: str) -> Path:
    secret = password.encode("utf-8", "surrogateescape")
    if secret == secret.strip():
        return _hand(folder, kind, secret + b"\n")
    # Ansible takes blanks at the ends of a file away, and leaves those that a program prints
    text = f"#!/bin/sh\nprintf %s {shlex.quote(password)}\n"
    program = _hand(folder, kind, text.encode("utf-8", "surrogateescape"), mode=0o700)
    if not os.access(program, os.X_OK):
        raise BadInput(
            msg("password_begins_ends_blank"),
            where=str(folder.parent),
            mend=msg("set_tmpdir_folder_not"),
        )
    return program


def _hand(folder: Path, name: str, data: bytes, mode: int = 0o600) -> Path:
    path = folder / f"{HANDED}{name}"
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with open(handle, "wb") as file:
        file.write(data)
    return path


def _clear() -> None:
    """Secrets that a killed command left behind go now, and the rest after a day."""
    for folder in left_behind(_PREFIX):
        since = folder.stat().st_mtime
        forget(folder)
        if time.time() - since > _DAY:
            shutil.rmtree(folder, ignore_errors=True)
