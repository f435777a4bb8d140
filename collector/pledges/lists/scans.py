"""A folder of scans: the files in it by name, digested; nothing outside of it is ever read.

Whoever wrote the list need not be who runs the import: a name leads to a file of the folder itself
or of a folder inside of it, never through a link, and only files are opened.
"""

from __future__ import annotations

import difflib
import errno
import hashlib
import os
import re
import stat
import unicodedata
from collections import defaultdict
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from collector.errors import BadInput
from collector.facts.monitoring.event_ledger import check_ledger
from collector.i18n.message import msg, of_system
from collector.model import Text
from collector.pledges.lists.forms import Wrong, quoted
from collector.pledges.lists.words import PAPERS, reworded, said
from collector.schema import check, load_json, load_yaml

LARGEST = 1 << 30
_LARGEST_DOCUMENT = 4 << 20
_MOST_NAMES = 100_000
_CHUNK = 1 << 20
# how many names that are not there are compared with those that are
_COMPARED = 50
_NEAREST_OF = 3000
_LISTED = 5
_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_TITLES = {"responsibility": "责任书", "pledge": "承诺书"}
_LONGEST_ID = 64
# what goes on as an id does, up to the word of the document: C-1-2-责任书.pdf may be of C-1-2
_GOES_ON = re.compile(r"[._-]+([0-9a-z][0-9a-z._-]*)")
_OF_NO_ID = re.compile(
    r"(?:19|20)[0-9]{2}[-._]?[01][0-9][-._]?[0-3][0-9]|signed|scan(?:ned)?|copy|final"
)


class Scans:
    """The folder, opened once: what takes its place later is not read."""

    def __init__(self, folder: Path) -> None:
        try:
            self._handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            self._names = self._listed(folder)
        except OSError as problem:
            raise BadInput(of_system(problem, "cannot_read"), where=str(folder)) from None
        self._there = frozenset(self._names)
        self._by_word: dict[str, list[str]] = defaultdict(list)
        for name in self._names:
            for word in {_folded(name), _folded(name.rpartition(".")[0])}:
                self._by_word[word].append(name)
        self._digests: dict[str, str] = {}
        self._documents: dict[tuple[str, str], Any] = {}
        self._compared = 0
        self._owned: dict[str, list[str]] = {}
        self._doubtful: dict[str, list[str]] = {}

    def digest(self, name: str) -> str:
        """The SHA-256 of a file; raises Wrong where there is none of that name, or it is empty."""
        found = self._found(name)
        if found not in self._digests:
            digest, size = hashlib.sha256(), 0
            with self._open(found, name) as source:
                while chunk := source.read(_CHUNK):
                    digest.update(chunk)
                    size += len(chunk)
                    if size > LARGEST:
                        raise _of_file(name, "大于 1024 MiB", "is larger than 1024 MiB")
            if not size:
                raise _of_file(name, "是空文件", "is empty")
            self._digests[found] = digest.hexdigest()
        return self._digests[found]

    def document(self, name: str, field: str) -> Any:
        """What a YAML or JSON file holds: a data inventory or a ledger of events. Raises Wrong."""
        found = self._found(name)
        if (found, field) not in self._documents:
            with self._open(found, name) as source:
                data = source.read(_LARGEST_DOCUMENT + 1)
            if len(data) > _LARGEST_DOCUMENT:
                raise _of_file(name, "大于 4 MiB", "is larger than 4 MiB")
            try:
                self._documents[found, field] = _parsed(data, field)
            except BadInput as problem:
                text = said(reworded(problem.what))
                zh, en = quoted(name)
                raise Wrong(f"文件{zh}：{text.zh}", f"file {en}: {text.en}") from None
        return self._documents[found, field]

    def of_pledges(self, ids: Collection[str]) -> None:
        """Says which pledges there are; each file belongs to the longest id that it begins with."""
        known = {_folded(id): id for id in ids}
        self._owned, self._doubtful = defaultdict(list), defaultdict(list)
        for name in self._names:
            plain = _folded(name)
            for length in range(min(len(plain) - 1, _LONGEST_ID), 0, -1):
                id, after = known.get(plain[:length]), plain[length]
                # C-10 does not begin with C-1
                if id is not None and not (after.isascii() and after.isalnum()):
                    where = self._doubtful if _of_another(plain[length:]) else self._owned
                    where[id].append(name)
                    break

    def signed(self, id: str, kind: str) -> str | None:
        """The digest of the one file of that pledge that is that document; None where none is.

        Raises Wrong for several, and for one that may be of another pledge.
        """
        found = [n for n in self._owned.get(id, ()) if _is_document(n, id, kind)]
        title = _TITLES[kind]
        if len(found) > 1:
            names = _several(found)
            raise Wrong(
                f"为空，而目录中有几个文件可能是{id}的{title}（{names}）：请写明是哪一个",
                f"is empty, and several files may be the {kind} document of {id} ({names}): "
                "write which of them",
            )
        if found:
            return self.digest(found[0])
        doubtful = [n for n in self._doubtful.get(id, ()) if _is_document(n, id, kind)]
        if doubtful:
            names = _several(doubtful)
            raise Wrong(
                f"为空，而目录中的文件可能属于另一份登记（{names}）：请写明文件名",
                f"is empty, and a file may be of another pledge ({names}): write its name",
            )
        return None

    def _listed(self, folder: Path) -> list[str]:
        names: list[str] = []
        with os.scandir(self._handle) as entries:
            for entry in entries:
                if len(names) >= _MOST_NAMES:
                    raise BadInput(msg("more_files_than", most=_MOST_NAMES), where=str(folder))
                if entry.is_file(follow_symlinks=False):
                    names.append(entry.name)
        return sorted(names)

    def _found(self, name: str) -> str:
        """The file that is meant: by its name, or the only one that is so called in another case,

        width or composition, or without its ending. A path leads into folders of the folder.
        """
        if name in self._there or "/" in name:
            return name
        meant = self._by_word.get(_folded(name), [])
        if len(meant) == 1:
            return meant[0]
        if meant:
            names = _several(meant)
            raise _of_file(name, f"可能是几个文件：{names}", f"may be several: {names}")
        try:
            os.stat(name, dir_fd=self._handle, follow_symlinks=False)
        except (OSError, ValueError):
            near = self._nearest(name)
            raise _of_file(
                name,
                "不在扫描件目录中" + (f"；相近的有 {near}" if near else ""),
                "is not in the folder of scans" + (f"; there is {near}" if near else ""),
            ) from None
        return name

    def _nearest(self, name: str) -> str:
        self._compared += 1
        if self._compared > _COMPARED:
            return ""
        return _several(difflib.get_close_matches(name[:255], self._names[:_NEAREST_OF], 3, 0.5))

    @contextmanager
    def _open(self, path: str, name: str) -> Iterator[BinaryIO]:
        *folders, last = path.split("/")
        if any(part in ("", ".", "..") for part in (*folders, last)) or "\0" in path:
            raise _of_file(name, "不在扫描件目录中", "is not in the folder of scans")
        opened: list[int] = []
        try:
            handle = self._handle
            for part in folders:
                handle = os.open(part, _FLAGS | os.O_DIRECTORY, dir_fd=handle)
                opened.append(handle)
            file = os.open(last, _FLAGS, dir_fd=handle)
            opened.append(file)
            mode = os.fstat(file).st_mode
            if stat.S_ISDIR(mode):
                raise _of_file(name, "是目录，不是文件", "is a folder, not a file")
            if not stat.S_ISREG(mode):
                raise _of_file(name, "是设备或管道，不是文件", "is a device or a pipe, not a file")
            with open(file, "rb", closefd=False) as source:
                yield source
        except (OSError, ValueError) as problem:
            if isinstance(problem, Wrong):
                raise
            refused = _refused(problem)
            raise _of_file(name, refused.zh, refused.en) from None
        finally:
            for one in opened:
                os.close(one)


def _refused(problem: Exception) -> Text:
    if not isinstance(problem, OSError):
        return Text("不能作为文件名", "cannot be the name of a file")
    # O_NOFOLLOW: ELOOP of a file, ENOTDIR of a folder
    if problem.errno == errno.ELOOP:
        return Text("是链接，不予读取", "is a link, which is not followed")
    return said(of_system(problem, "cannot_read"))


def _parsed(data: bytes, field: str) -> Any:
    where = ""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        raise BadInput(msg("not_utf_8_byte", start=problem.start)) from None
    if text.lstrip().startswith("{"):
        found = load_json(text, where=where)
    else:
        found = load_yaml(text, where=where)
    if field == "data_inventory":
        check(found, "data-inventory", where=where)
    else:
        check_ledger(found, where=where)
    return found


def _is_document(name: str, id: str, kind: str) -> bool:
    rest = _folded(name)[len(id) :]
    return any(word in rest for word in PAPERS[kind])


def _of_another(rest: str) -> bool:
    """Could what follows the id belong to a longer one?"""
    before = re.split("责任书|承诺书|responsibility|pledge", rest, maxsplit=1)[0]
    more = _GOES_ON.match(before)
    return more is not None and not _OF_NO_ID.fullmatch(more[1].strip("._-"))


def _of_file(name: str, zh: str, en: str) -> Wrong:
    said_zh, said_en = quoted(name)
    return Wrong(f"文件{said_zh}{zh}", f"the file {said_en} {en}")


def _several(names: Collection[str]) -> str:
    shown = ", ".join(list(names)[:_LISTED])
    return f"{shown} …" if len(names) > _LISTED else shown


def _folded(name: str) -> str:
    return unicodedata.normalize("NFKC", name).casefold()
