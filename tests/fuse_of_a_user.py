"""A FUSE mount as a user of a host makes it: what lies there is root's, or so it says.

    python fuse_of_a_user.py FOLDER LINK [silent]

mounts as root, as fusermount does for a user (`allow_other`), and goes on as him. Below FOLDER
lies `.config/borg/security/abcd/location`, which leads to LINK. With `silent` it answers nothing.
The messages are those of linux/fuse.h, version 7.31.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
import sys

UID = 12345
_INIT, _LOOKUP, _FORGET, _GETATTR, _READLINK, _BATCH = 26, 1, 2, 3, 5, 42
_OPEN, _OPENDIR, _READDIR, _RELEASE, _RELEASEDIR = 14, 27, 28, 18, 29
_NOSUID_NODEV = 6
_PATH = (b".config", b"borg", b"security", b"abcd", b"location")


def _mount(folder: str) -> int:
    device = os.open("/dev/fuse", os.O_RDWR)
    options = f"fd={device},rootmode=40000,user_id={UID},group_id={UID},allow_other"
    libc = ctypes.CDLL(None, use_errno=True)
    where = (b"joefs", folder.encode(), b"fuse.joefs", _NOSUID_NODEV, options.encode())
    if libc.mount(*where):
        sys.exit(os.strerror(ctypes.get_errno()))
    os.setgroups([])
    os.setgid(UID)
    os.setuid(UID)
    return device


def _facts(node: int, link: bytes) -> bytes:
    """Of node 1, the folder, to the last, which is a link: all of root."""
    last = node == len(_PATH) + 1
    mode, size = (0o120777, len(link)) if last else (0o40755, 4096)
    return struct.pack(
        "<QQQQQQIIIIIIIIII", node, size, 8, 0, 0, 0, 0, 0, 0, mode, 1, 0, 0, 0, 512, 0
    )


def _answer(op: int, node: int, body: bytes, link: bytes) -> bytes | None:
    """None: there is no such thing."""
    if op == _INIT:
        return struct.pack("<IIIIHHIIHHI", 7, 31, 65536, 0, 0, 0, 65536, 1, 0, 0, 0) + bytes(28)
    if op == _LOOKUP and node <= len(_PATH) and body.rstrip(b"\0") == _PATH[node - 1]:
        return struct.pack("<QQQQII", node + 1, 0, 0, 0, 0, 0) + _facts(node + 1, link)
    if op == _GETATTR:
        return struct.pack("<QII", 0, 0, 0) + _facts(node, link)
    if op == _READLINK:
        return link
    if op in (_OPEN, _OPENDIR):
        return struct.pack("<QII", 1, 0, 0)
    if op in (_RELEASE, _RELEASEDIR):
        return b""
    if op == _READDIR and node <= len(_PATH):
        if struct.unpack("<QQ", body[:16])[1]:
            return b""
        name = _PATH[node - 1]
        entry = struct.pack("<QQII", node + 1, 1, len(name), 0) + name
        return entry + bytes(-len(entry) % 8)
    return None


def main(folder: str, link: str, *, silent: bool) -> None:
    device = _mount(folder)
    while True:
        try:
            asked = os.read(device, 1 << 20)
        except InterruptedError:
            continue
        except OSError as gone:
            if gone.errno == errno.ENOENT:
                continue
            return
        _, op, unique, node = struct.unpack("<IIQQ", asked[:24])
        if op in (_FORGET, _BATCH) or (silent and op != _INIT):
            continue
        told = _answer(op, node, asked[40:], link.encode())
        failed = 0 if told is not None else -errno.ENOENT
        os.write(device, struct.pack("<IiQ", 16 + len(told or b""), failed, unique) + (told or b""))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], silent="silent" in sys.argv[3:])
