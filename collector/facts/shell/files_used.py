"""What a command reads and what it writes, and in which direction it copies.

Of each program its manual page: which operand is the target, which options name a file.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from collector.facts.shell.values import Value, plain, shown

_LAST = {"cp", "mv", "scp", "rsync", "install", "ln", "pigz"}
_IN_PLACE = {"gzip", "bzip2", "xz", "zstd", "tee", "touch", "mkdir", "truncate"}
_READS_ALL = {"cat", "sha256sum", "md5sum", "head", "tail", "zcat", "wc", "grep"}
_OUTPUTS: Mapping[str, str] = {
    "mysqldump": r"-r|--result-file",
    "mariadb-dump": r"-r|--result-file",
    "mydumper": r"-o|--outputdir",
    "pg_dump": r"-f|--file",
    "pg_dumpall": r"-f|--file",
    "pg_basebackup": r"-D|--pgdata",
    "mongodump": r"-o|--out|--archive",
    "redis-cli": r"--rdb",
    "openssl": r"-out",
    "gpg": r"-o|--output",
    "age": r"-o|--output",
    "curl": r"-o|--output",
    "wget": r"-O|--output-document",
    "sqlite3": r"(?!)",
    "xtrabackup": r"--target-dir",
    "mariabackup": r"--target-dir",
    "mariadb-backup": r"--target-dir",
    "zstd": r"-o",
    "sort": r"-o|--output",
}
_INPUTS: Mapping[str, str] = {
    "openssl": r"-in",
    "curl": r"-T|--upload-file",
}
_CLOUD = {"aws", "ossutil", "ossutil64", "mc", "coscmd", "coscli", "obsutil", "gsutil", "rclone",
          "s3cmd", "qshell", "azcopy", "gcloud"}  # fmt: skip
_COPIES = {"cp", "mv", "sync", "copy", "move", "copyto", "moveto", "put", "get", "upload",
           "download", "mirror", "rsync", "bisync"}  # fmt: skip
_VALUED = re.compile(r"-[oPiFJlce]|--(?:rsh|exclude|include|exclude-from|files-from|bwlimit"
                     r"|password-file|profile|region|endpoint-url|config|backup-dir|link-dest"
                     r"|log-file|port|timeout)")  # fmt: skip

Used = tuple[tuple[Value, ...], tuple[Value, ...]]


def used(words: tuple[Value, ...], redirects: tuple[tuple[str, str, Value], ...]) -> Used:
    """What is read and what is written, as far as the program is known."""
    reads = [v for op, _, v in redirects if op == "<"]
    writes = [v for op, _, v in redirects if op in (">", ">>", ">|", "&>", "&>>", "<>")]
    name = (plain(words[0]) or "").rpartition("/")[2] if words else ""
    arguments = list(words[1:])
    some = _WAYS.get(name)
    if some is not None:
        more, written = some(arguments)
        reads += more
        writes += written
    reads += _named(arguments, _INPUTS.get(name, r"(?!)"))
    writes += _named(arguments, _OUTPUTS.get(name, r"(?!)"))
    away = re.compile(r"/dev/(?:null|stdout|stderr|tty)|-")
    return (
        tuple(dict.fromkeys(v for v in reads if not away.fullmatch(shown(v)))),
        tuple(dict.fromkeys(v for v in writes if not away.fullmatch(shown(v)))),
    )


def _named(arguments: list[Value], options: str) -> list[Value]:
    """The values of options, in the next word or behind `=`."""
    found = []
    for at, field in enumerate(arguments):
        first = field[0] if field and isinstance(field[0], str) else ""
        if re.fullmatch(options, first) and len(field) == 1 and at + 1 < len(arguments):
            found.append(arguments[at + 1])
        inline = re.match(rf"(?:{options})=", first) if options != "(?!)" else None
        if inline and inline.group().startswith("--"):
            rest = first[inline.end() :]
            found.append((rest, *field[1:]) if rest else field[1:])
    return found


def _operands(arguments: list[Value]) -> list[Value]:
    found, skip = [], False
    for field in arguments:
        text = shown(field)
        if skip:
            skip = False
        elif _VALUED.fullmatch(text):
            skip = True
        elif not text.startswith("-"):
            found.append(field)
    return found


_Way = Callable[[list[Value]], tuple[list[Value], list[Value]]]


def _last(arguments: list[Value]) -> tuple[list[Value], list[Value]]:
    found = _operands(arguments)
    return (found[:-1], found[-1:]) if len(found) > 1 else ([], [])


def _cloud(arguments: list[Value]) -> tuple[list[Value], list[Value]]:
    found = _operands(arguments)
    at = next((i for i, f in enumerate(found) if plain(f) in _COPIES), None)
    rest = [] if at is None else found[at + 1 :]
    return (rest[:-1], rest[-1:]) if len(rest) > 1 else ([], [])


def _tar(arguments: list[Value]) -> tuple[list[Value], list[Value]]:
    """`c` writes the archive, `x` and `t` read it."""
    archive: list[Value] = []
    mode, rest, wants = "", list[Value](), ""
    for at, field in enumerate(arguments):
        text = plain(field)
        if wants:
            archive += [field] if wants == "f" else []
            wants = ""
        elif (
            text is not None and (re.fullmatch(r"-[A-Za-z]+", text) or at == 0) and text[:2] != "--"
        ):
            letters = text.lstrip("-")
            mode = mode or next((c for c in letters if c in "cxtru"), "")
            wants = next((c for c in letters if c in "fCXTbgI"), "")
        elif text is not None and text.startswith("--"):
            mode = mode or {"--create": "c", "--extract": "x", "--list": "t"}.get(text, "")
            archive += [(text[7:],)] if text.startswith("--file=") else []
        else:
            rest.append(field)
    if mode in ("c", "r", "u"):
        return rest, archive
    return archive, []


def _dd(arguments: list[Value]) -> tuple[list[Value], list[Value]]:
    reads, writes = list[Value](), list[Value]()
    for field in arguments:
        first = field[0] if field and isinstance(field[0], str) else ""
        for key, into in (("if=", reads), ("of=", writes)):
            if first.startswith(key):
                into.append((first[3:], *field[1:]) if first[3:] else field[1:])
    return reads, writes


def _reading(arguments: list[Value]) -> tuple[list[Value], list[Value]]:
    return _operands(arguments), []


def _writing(arguments: list[Value]) -> tuple[list[Value], list[Value]]:
    return [], _operands(arguments)


_WAYS: Mapping[str, _Way] = {
    **dict.fromkeys(_LAST, _last),
    **dict.fromkeys(_CLOUD, _cloud),
    **dict.fromkeys(_READS_ALL, _reading),
    **dict.fromkeys(_IN_PLACE, _writing),
    "tar": _tar,
    "dd": _dd,
}
