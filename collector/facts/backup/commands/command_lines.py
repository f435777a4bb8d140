"""Command lines of backup tools, taken apart: which tool, which paths and databases.

What a shell variable holds is followed where the script itself sets it to plain text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from functools import lru_cache
from itertools import dropwhile, pairwise

from collector.errors import NotUnderstood
from collector.facts.shell import quoting
from collector.facts.shell.values import shown
from collector.facts.shell.wrappers import unwrap
from collector.i18n.message import msg

ENGINES: Mapping[str, str] = {
    "mysqldump": "mysql",
    "mariadb-dump": "mysql",
    "mydumper": "mysql",
    "mysqlpump": "mysql",
    "xtrabackup": "mysql",
    "innobackupex": "mysql",
    "mariabackup": "mysql",
    "mariadb-backup": "mysql",
    "pg_dump": "postgresql",
    "pg_dumpall": "postgresql",
    "pg_basebackup": "postgresql",
    "pgbackrest": "postgresql",
    "barman": "postgresql",
    "wal-g": "postgresql",
    "mongodump": "mongodb",
    "redis-cli": "redis",
}
# Tools that always take the whole server.
_WHOLE = {"xtrabackup", "innobackupex", "mariabackup", "mariadb-backup", "pg_dumpall",
          "pg_basebackup", "pgbackrest", "barman", "wal-g"}  # fmt: skip
# Runs the command behind `--` and reports how it ended (docs/backup-report.md).
WRAPPER = "hostpledge-backup-report"
FILE_TOOLS = {"restic", "borg", "borgmatic", "duplicity", "rsnapshot", "rsync", "tar", "rclone"}
_TAKES_VALUE = re.compile(
    r"^(-[hPuSdCTXefnopUWFZjr]|--(host|port|user|socket|repo|repository|password-file|exclude"
    r"|exclude-from|exclude-file|exclude-if-present|files-from|tag|cacert|cache-dir|limit-\w+|rsh"
    r"|defaults-file|defaults-extra-file|result-file|where|ignore-table|compression|lock-wait"
    r"|username|dbname|format|file|jobs|log-file|link-dest|backup-dir|bwlimit|timeout|config"
    r"|target-dir|out|archive|uri|db|encrypt-key|time|keep-\w+|host-name|option|schema|table"
    r"|iexclude|exclude-larger-than|exclude-tag|stdin-filename|(min|max)-(size|age)|filter|include"
    r"|exclude-(table|schema|database)[a-z-]*|table-and-children|iexclude-file|patterns?(-from)?|include-from|filter-from))$"
)
_LONGEST = 4 << 20
# What a shell is given to run; systemd shows it without its quotes.
_INNER = re.compile(
    r"(?<!\S)(?:[\w/.-]{0,80}\b(?:ba|da|k|a)?sh|[\w/.]{0,80}(?:su|runuser)(?:\s+[\w-]{1,40}){0,3}?)"
    r"\s+-\w{0,8}c\s+(?:'([^']{0,8192})'|\"([^\"]{0,8192})\"|(?=[^'\"\s]))"
)
_ASSIGN = re.compile(
    r"^[^\S\n]*(?:export\s+|local\s+|readonly\s+)?([A-Za-z_]\w{0,60})=(\"[^\"\n]{0,512}\"|'[^'\n]{0,512}'|[^\s;&|]{0,512})",
    re.MULTILINE,
)


# many jobs may run one script
@lru_cache(maxsize=16)
def filled(text: str) -> str:
    """`text` with the variables that it sets to plain text put in.

    Raises NotUnderstood for one that grows without measure: nobody writes a job like that.
    """
    # what a command prints only shows at run time
    known = {
        m[1]: m[2].strip("\"'")
        for m in _ASSIGN.finditer(text)
        if m[2].count("$(") == m[2].count(")") and m[2].count("`") % 2 == 0
    }
    for _ in range(3):
        text = re.sub(r"\$\{?([A-Za-z_]\w{0,60})\}?", lambda m: known.get(m[1], m[0]), text)
        if len(text) > _LONGEST:
            raise NotUnderstood("schedules.called", msg("script_whose_variables_grow"))
    return text


def commands(text: str) -> Iterator[tuple[list[str], str]]:
    """The words of each simple command, variables filled in, and the folder it runs in."""
    for line, folder in pipelines(text):
        for words in line:
            yield words, folder


def pipelines(text: str) -> Iterator[tuple[list[list[str]], str]]:
    """The commands that feed each other, as words, variables filled in, and their folder."""
    joined = _INNER.sub(r" ( \1\2 ) ", filled(re.sub(r"\\\n", " ", text)))
    # what only shows at run time becomes `$_`; the commands in it are commands too
    for pattern in (r"\$\(([^()]*)\)", r"\$\(([^()]*)\)", r"`([^`]*)`"):
        inner = "\n".join(m[1] for m in re.finditer(pattern, joined))
        joined = re.sub(pattern, "$_", joined) + "\n" + inner
    joined = re.sub(r"\$\{[^}\n]{0,200}\}", "$_", joined)
    joined = re.sub(r"\d?>&[\d-]", " ", joined).replace("|&", "| ")
    folder = ""
    for line in joined.splitlines():
        found: list[list[list[str]]] = []
        for part in re.split(r"&&|\|\||[;&()]|(?<!\S)[{}](?!\S)", line):
            # what follows `)` or `}` takes what came out of it
            goes_on = bool(found) and part.lstrip().startswith("|")
            made = [w for w in map(_words, part.split("|")) if w]
            if goes_on:
                found[-1] += made
            elif made and made[0][0] == "cd" and len(made[0]) > 1:
                yield from ((p, folder) for p in found)
                folder, found = made[0][1], []
            elif made:
                found.append(made)
        yield from ((p, folder) for p in found)


def _words(part: str) -> list[str]:
    try:
        words = quoting.split(part, comments=True)
    except ValueError:
        words = part.split()
    if words and words[0].endswith(WRAPPER) and "--" in words:
        words = words[words.index("--") + 1 :]
    return list(dropwhile(re.compile(r"[A-Za-z_]\w*=|\d?[<>]").match, words))


# they change nothing of where, as whom and from what their command runs
_TRANSPARENT = {"systemd-cat", "xargs", "stdbuf", "setsid", "chronic", "cronic"}


def inner_words(words: list[str]) -> list[str]:
    """The words of the command that is run in the end; `$_` for what xargs puts in.

    >>> inner_words("systemd-cat -t x restic backup /srv".split())
    ['restic', 'backup', '/srv']
    >>> inner_words("xargs -I{} mysqldump --result-file=/b/{}.sql {}".split())
    ['mysqldump', '--result-file=/b/$_.sql', '$_']
    """
    for _ in range(6):
        if not words or words[0].rpartition("/")[2] not in _TRANSPARENT:
            break
        found = unwrap([(w,) if w else () for w in words], None)
        if found is None or found.words is None:
            break
        words = [shown(w) for w in found.words]
    return words


def wrapped(before: list[str]) -> bool:
    """Are the words before the tool only what runs it (nice, sudo, flock FILE, if, time …)?"""
    wrappers = {"nice", "ionice", "sudo", "flock", "timeout", "env", "if", "then", "do", "time",
                "su", "runuser", "exec", "chronic", "systemd-inhibit", "!", "eval", "docker",
                "podman", "sshpass", "nohup", "else", "while", "cronic", "setpriv", "gosu", "doas",
                "chpst"}  # fmt: skip
    return before[0] in wrappers


@lru_cache(maxsize=16)
def targets_of(text: str) -> tuple[str, ...]:
    """All paths and repositories that the job's text names, variables filled in."""
    found = re.findall(r"(?<![\w./-])/[\w./-]{0,400}", filled(text))
    return tuple(dict.fromkeys(x.rstrip("/.-") for x in found))


def databases_of(tool: str, args: list[str]) -> tuple[str, ...]:
    """Names, `*` for all, `?` for what only shows at run time; empty when it dumps nothing."""
    if tool in _WHOLE:
        acts = {"pgbackrest": "backup", "barman": "backup", "wal-g": "backup-push"}
        wanted = acts.get(tool)
        prepares = {"--prepare", "--copy-back", "--apply-log", "--version", "--help"}
        return () if (wanted and wanted not in args) or prepares & set(args) else ("*",)
    if tool == "redis-cli":
        return ("*",) if "--rdb" in args else ()
    if {"--all-databases", "-A"} & set(args):
        return ("*",)
    if tool == "mydumper":
        named = [b for a, b in pairwise(args) if a in ("-B", "--database")]
        named += [a.partition("=")[2] for a in args if a.startswith("--database=")]
        return tuple("?" if "$" in n else n for x in named for n in x.split(",")) or ("*",)
    named = []
    for option in ("--dbname", "--db", "-d", "--database"):
        if option in args[:-1] and (option != "-d" or tool != "mysqldump"):
            named.append(args[args.index(option) + 1])
        named += [a.partition("=")[2] for a in args if a.startswith(f"{option}=")]
    rest = operands(args)
    if tool in ("mysqldump", "mariadb-dump", "mysqlpump"):
        named += rest if {"--databases", "-B"} & set(args) else rest[:1]
    elif tool == "pg_dump":
        named += rest[:1]
    elif tool == "mongodump" and not named:
        return ("*",)
    return tuple("?" if "$" in n or "`" in n else n for n in named)


def operands(args: list[str]) -> list[str]:
    """Words that are neither options, their values, nor redirections."""
    found, skip = [], False
    for word in args:
        if skip:
            skip = False
        elif re.match(r"^\d?>>?&?\S+$|^<\S+$", word):
            continue
        elif re.match(r"^\d?>>?$|^<$", word) or _TAKES_VALUE.match(word):
            skip = True
        elif not word.startswith("-"):
            found.append(word)
    return found


def excludes_of(tool: str, args: list[str]) -> tuple[str, ...]:
    """The patterns that are left out, as they stand (without borg's word for their kind)."""
    words = ("--exclude", "-e") if tool in ("restic", "borg") else ("--exclude",)
    found = [a.partition("=")[2] for a in args if a.startswith("--exclude=")]
    found += [b for a, b in pairwise(args) if a in words]
    return tuple(re.sub(r"^(fm|sh|pp|pf):", "", e) for e in found if e)


_HAS_X = r"-[A-Za-z]*x[A-Za-z]*"


def one_file_system(tool: str, args: list[str]) -> bool:
    """Does it stay on the file system it begins on?"""
    short = {"rsync": _HAS_X, "rclone": _HAS_X, "restic": "-x", "borg": "-x"}.get(tool, "(?!)")
    return any(a == "--one-file-system" or re.fullmatch(short, a) for a in args)


def blurred(tool: str, args: list[str], *, files: bool = True) -> bool:
    """Does it leave out what stands in a file (unless those are known), or by rules more involved

    than a pattern?
    """
    words = r"--include(=.*)?"
    if files:
        words = rf"{words}|--exclude-(from|file)(=.*)?"
    return any(re.fullmatch(words, a) or (files and tool == "tar" and a == "-X") for a in args) or (
        any(e.startswith("re:") for e in excludes_of(tool, args))
    )


def left_out(tool: str, path: str, source: str, pattern: str) -> bool:
    """Does the pattern leave out `path`, or a folder above it, of what `source` takes?

    rsync names what it takes from the source on, the others by the whole path.
    """
    bare = re.sub(r"(?<=.)/\*{0,2}$", "", pattern)
    if tool == "tar" and bare.startswith("./"):
        bare = source.rstrip("/") + bare[1:]
    if tool in ("rsync", "rsnapshot"):
        top = source.rstrip("/")
        path = path[len(top) if source.endswith("/") else len(top.rpartition("/")[0]) :]
    parts = path.strip("/").split("/")
    above = ["/" + "/".join(parts[: n + 1]) for n in range(len(parts))]
    if bare.startswith("/"):
        return any(fnmatchcase(x, bare) for x in above)
    if "/" not in bare:
        return any(fnmatchcase(part, bare) for part in parts)
    return any(fnmatchcase(x, bare) or fnmatchcase(x, f"*/{bare}") for x in above)


SPARED = re.compile(
    r"[._-]?(te?mp|caches?|logs?|sessions?|sockets?|run|pids?|thumb(nail)?s?|trash|lost\+found"
    r"|node_modules|backups?|snapshots?|\w*[._-](te?mp|cache|logs?|sessions?|bak|old|pid|sock|lock|swp))",
    re.IGNORECASE,
)


def sources_of(
    tool: str, args: list[str], folder: str, lists: Mapping[str, list[str]]
) -> list[str] | None:
    """Paths that a file tool takes; None when this use of it backs nothing up."""
    listed = [a.partition("=")[2] for a in args if a.startswith("--files-from=")]
    listed += [b for a, b in pairwise(args) if a in ("--files-from", "-T")]
    more = [p for f in listed for p in lists.get(f, ["?"])]
    if tool == "restic":
        return None if "backup" not in args else operands(args[args.index("backup") + 1 :]) + more
    if tool == "borg":
        return None if "create" not in args else operands(args[args.index("create") + 1 :])[1:]
    rest = operands(args)
    if tool == "duplicity":
        acts = {"restore", "verify", "list-current-files", "collection-status", "cleanup"}
        if not rest or acts & set(rest) or any(r.startswith("remove-") for r in rest):
            return None
        return [r for r in rest if "://" not in r and r not in ("full", "incr", "backup")][:1]
    if tool == "rclone":
        at = next((i for i, r in enumerate(rest) if r in ("copy", "sync", "copyto")), None)
        return None if at is None else rest[at + 1 : at + 2]
    if tool == "rsync":
        if listed and len(rest) > 1:
            # what is listed stands below the source
            return [p if p == "?" else rest[0].rstrip("/") + p for p in more or ["?"]]
        return rest[:-1] if len(rest) > 1 else None
    return _tar(args, folder, more)


def _tar(args: list[str], folder: str, more: list[str]) -> list[str] | None:
    found: list[str] = []
    base, creates, wants = folder, False, ""
    for at, word in enumerate(args):
        letters = (
            word.lstrip("-") if _LETTERS.fullmatch(word) or (at == 0 and "$" not in word) else ""
        )
        if wants:
            base = word if wants == "C" else base
            wants = ""
        elif word.startswith("--"):
            creates = creates or word == "--create"
            name, equals, value = word.partition("=")
            if name == "--directory" and equals:
                base = value
            elif not equals and name in _TAR_VALUES:
                wants = "C" if name == "--directory" else name
        elif letters:
            creates = creates or "c" in letters
            wants = next((x for x in letters if x in "CfTXbgNKVI"), "")
        elif word in (">", ">>"):
            wants = word
        elif not word.startswith(("-", ">", "2>")):
            joined = word if word.startswith(("/", "$")) else f"{base.rstrip('/')}/{word}"
            found.append(re.sub(r"/\.?/?$|(?<=/)\./", "", joined) or "/")
    return found + more if creates else None


_LETTERS = re.compile(r"-[A-Za-z]+")
_TAR_VALUES = (
    "--directory", "--file", "--files-from", "--exclude", "--exclude-from", "--exclude-tag",
    "--use-compress-program", "--listed-incremental", "--newer", "--newer-mtime", "--label",
    "--transform", "--blocking-factor", "--tape-length", "--info-script", "--checkpoint-action",
)  # fmt: skip


def follows_links(tool: str, args: list[str]) -> bool:
    """Does it take what a symlink leads to instead of the link?"""
    words = {"tar": r"--dereference|-[A-Za-z]*h[A-Za-z]*",
             "rsync": r"--copy-links|--copy-dirlinks|-[A-Za-z]*[Lk][A-Za-z]*"}  # fmt: skip
    wanted = words.get(tool, "(?!)")
    old = tool == "tar" and args and not args[0].startswith("-") and "h" in args[0]
    return bool(old) or any(re.fullmatch(wanted, a) for a in args)
