"""BagIt 1.0 (RFC 8493), made so that everything beside the payload follows from the payload.

A verifier makes the tag files again and compares byte for byte: there is no byte in a bag that
could change unseen.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from collector import private
from collector.captures import LARGEST, sync_folder
from collector.errors import VerifyFailed
from collector.i18n.message import msg

DECLARATION = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
MANIFEST = "manifest-sha256.txt"
TAG_MANIFEST = "tagmanifest-sha256.txt"
TAG_FILES = ("bagit.txt", "bag-info.txt", MANIFEST, TAG_MANIFEST)
_MOST_FILES = 100_000
_LARGEST = 16 << 20
_CHUNK = 1 << 20
# of a whole bundle, and of a single file in it that is read at once, as in a ZIP file
MOST_BYTES = 8 << 30
# data/before/captures/NAME, and the folder that may be around it all
_DEEPEST = 8
_LONGEST_NAME = 512


@dataclass(frozen=True, slots=True)
class Payload:
    """What lies under data/: names (`data/…`) → SHA-256, and how many bytes it all has.

    `empty` are folders with nothing in them, which no bag of ours has.
    """

    digests: Mapping[str, str]
    size: int
    empty: tuple[str, ...] = ()


def file_digest(path: Path) -> str:
    with path.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()


def look(root: Path) -> Payload:
    """Digests of all files under data/. Raises VerifyFailed for what does not belong in a bag:

    links, devices, and files beside data/ that are no tag files.
    """
    if not root.is_dir():
        raise VerifyFailed(msg("no_bundle_here"), where=str(root))
    empty: list[str] = []
    names = _walk(root, "", empty)
    for name in TAG_FILES:
        if name not in names:
            raise VerifyFailed(msg("is_missing"), where=name)
    sizes = {name: (root / name).lstat().st_size for name in names}
    check_sizes(sizes)
    digests: dict[str, str] = {}
    size = 0
    for name in sorted(names):
        if name.startswith("data/"):
            digests[name] = _digest(root / name, sizes[name], name)
            size += sizes[name]
        elif name not in TAG_FILES:
            raise VerifyFailed(msg("not_belong_bundle"), where=name)
    return Payload(digests, size, tuple(empty))


def check_sizes(sizes: Mapping[str, int]) -> None:
    """Raises VerifyFailed for a file (its name in the bag → bytes) larger than any is, or for

    more in all: before a byte of it is read.
    """
    left = MOST_BYTES
    for name in sorted(sizes):
        size, most = sizes[name], _most(name)
        if size > most:
            raise VerifyFailed(msg("larger_mib", largest=most >> 20), where=name)
        left -= size
        if left < 0:
            raise VerifyFailed(msg("larger_gib_no_bundle", most_bytes=MOST_BYTES >> 30), where=name)


def _most(name: str) -> int:
    """evidence.json grows with the fleet; everything else is held in memory."""
    if name.endswith("/evidence.json"):
        return MOST_BYTES
    if name.startswith("data/") and not name.startswith("data/bundle."):
        return LARGEST
    return _LARGEST


def _digest(path: Path, size: int, name: str) -> str:
    """Of as many bytes as there were; raises VerifyFailed where there are others by now."""
    digest, left = hashlib.sha256(), size
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(handle, "rb") as source:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise VerifyFailed(msg("neither_file_nor_folder"), where=name)
        while chunk := source.read(min(left + 1, _CHUNK)):
            left -= len(chunk)
            if left < 0:
                break
            digest.update(chunk)
    if left:
        raise VerifyFailed(msg("bytes_changed"), where=name)
    return digest.hexdigest()


def _walk(folder: Path, prefix: str, empty: list[str]) -> list[str]:
    found: list[str] = []
    with os.scandir(folder) as entries:
        for entry in entries:
            name = prefix + entry.name
            if not name.isprintable() or len(name) > _LONGEST_NAME or name.count("/") > _DEEPEST:
                raise VerifyFailed(msg("name_no_bundle"), where=repr(name))
            mode = entry.stat(follow_symlinks=False).st_mode
            if stat.S_ISDIR(mode):
                below = _walk(folder / entry.name, name + "/", empty)
                found += below
                empty += [] if below else [name]
            elif stat.S_ISREG(mode):
                found.append(name)
            else:
                raise VerifyFailed(msg("neither_file_nor_folder"), where=name)
            if len(found) > _MOST_FILES:
                raise VerifyFailed(
                    msg("more_files", most_files=_MOST_FILES), where=prefix or str(folder)
                )
    return found


def manifest(digests: Mapping[str, str]) -> bytes:
    """Lines that `sha256sum -c` checks."""
    return "".join(f"{digests[name]}  {name}\n" for name in sorted(digests)).encode()


def tag_files(payload: Payload, info: Mapping[str, str]) -> dict[str, bytes]:
    """The tag files of a bag with this payload; `info` stands in bag-info.txt."""
    labels = {**info, "Payload-Oxum": f"{payload.size}.{len(payload.digests)}"}
    files = {
        "bagit.txt": DECLARATION,
        "bag-info.txt": "".join(f"{k}: {labels[k]}\n" for k in sorted(labels)).encode(),
        MANIFEST: manifest(payload.digests),
    }
    files[TAG_MANIFEST] = manifest({n: hashlib.sha256(d).hexdigest() for n, d in files.items()})
    return files


def seal(root: Path, info: Mapping[str, str]) -> None:
    """Writes the tag files for what lies under data/ now (there may be older ones)."""
    for name in TAG_FILES:
        if not (root / name).exists():
            (root / name).touch(0o600)
    for name, data in tag_files(look(root), info).items():
        store(root / name, data)
    sync_folder(root)


def store(path: Path, data: bytes) -> None:
    """Writes and syncs a file of a bag that is not in its place yet."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with private.writer(handle, path) as out:
        out.write(data)
        out.flush()
        os.fsync(out.fileno())


def check_payload(root: Path, payload: Payload) -> None:
    """Raises VerifyFailed naming the file whose content is not what the manifest says."""
    expected = manifest(payload.digests)
    found = read(root / MANIFEST, MANIFEST)
    if found == expected:
        return
    vouched = f"{hashlib.sha256(found).hexdigest()}  {MANIFEST}\n".encode()
    if vouched not in read(root / TAG_MANIFEST, TAG_MANIFEST):
        raise VerifyFailed(msg("bytes_changed"), where=MANIFEST)
    if len(found) > 2 * len(expected) + 4096:
        raise VerifyFailed(msg("far_longer_list"), where=MANIFEST)
    listed: dict[str, str] = {}
    for line in found.decode("utf-8", "replace").splitlines():
        digest, _, name = line.partition("  ")
        listed[name] = digest
    for name, digest in payload.digests.items():
        if name not in listed:
            raise VerifyFailed(msg("not_manifest"), where=name)
        if listed[name] != digest:
            raise VerifyFailed(msg("bytes_changed_not", manifest=MANIFEST), where=name)
    for name in listed:
        if name not in payload.digests:
            raise VerifyFailed(msg("is_missing"), where=name)
    raise VerifyFailed(msg("not_form_hostpledge_writes"), where=MANIFEST)


def check_tags(root: Path, payload: Payload, info: Mapping[str, str]) -> None:
    """Raises VerifyFailed naming the tag file that is not, byte for byte, what it must be."""
    for name, data in tag_files(payload, info).items():
        if read(root / name, name) != data:
            raise VerifyFailed(msg("bytes_changed"), where=name)
    for name in payload.empty:
        raise VerifyFailed(msg("empty_folder_no_bundle"), where=name)


def read(path: Path, name: str) -> bytes:
    """The bytes of a file that is never large; raises VerifyFailed when it is."""
    with path.open("rb") as source:
        data = source.read(_LARGEST + 1)
    if len(data) > _LARGEST:
        raise VerifyFailed(msg("larger_mib", largest=_LARGEST >> 20), where=name)
    return data
