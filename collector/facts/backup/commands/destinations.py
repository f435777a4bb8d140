"""Command lines of backup tools, taken apart: where the copy goes, and whether it is encrypted."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise

from collector.facts.backup.commands.addresses import Address, address_of

Words = Sequence[str]

# Options that name what a dump is written to.
_WRITES: Mapping[str, tuple[str, ...]] = {
    "mysqldump": ("--result-file", "-r"),
    "mariadb-dump": ("--result-file", "-r"),
    "mysqlpump": ("--result-file", "-r"),
    "mydumper": ("--outputdir", "-o"),
    "xtrabackup": ("--target-dir",),
    "mariabackup": ("--target-dir",),
    "mariadb-backup": ("--target-dir",),
    "pg_dump": ("--file", "-f"),
    "pg_dumpall": ("--file", "-f"),
    "pg_basebackup": ("--pgdata", "-D"),
    "mongodump": ("--out", "-o", "--archive"),
    "gpg": ("--output", "-o"),
    "gpg2": ("--output", "-o"),
    "age": ("--output", "-o"),
    "openssl": ("-out",),
    "zstd": ("-o",),
}
CLOUDS = {"aws", "s3cmd", "ossutil", "ossutil64", "obsutil", "coscli", "coscmd", "gsutil",
           "azcopy", "bcecmd", "mc", "s5cmd", "gcloud"}  # fmt: skip
# They carry files to other hosts in ways that their command lines do not tell.
OPAQUE = {"lftp", "ftp", "sftp", "ncftpput", "kopia", "unison", "lsyncd", "bypy"}
TRANSFERS = frozenset({"scp", "curl", *CLOUDS, *OPAQUE})
_UNKNOWN = Address("unknown", "", "", "")


def tool_and_args(words: Words, tools: frozenset[str] | set[str]) -> tuple[str, list[str]]:
    """The first of the `tools` among the words, and what follows it; empty when there is none."""
    for at, word in enumerate(words):
        name = word.rpartition("/")[2]
        if name in tools:
            return name, list(words[at + 1 :])
    return "", []


def values(args: Words, *options: str) -> list[str]:
    """What stands behind the options: `-r X`, `--repo X`, `--repo=X`."""
    found = [b for a, b in pairwise(args) if a in options]
    return found + [
        a.partition("=")[2] for a in args for o in options if a.startswith(f"{o}=") and o[1] == "-"
    ]


def destinations(
    tool: str,
    args: Words,
    piped: Sequence[Words],
    folder: str,
    variables: Mapping[str, str],
) -> tuple[Address, ...]:
    """Where one command puts what it copies; empty where its words do not say.

    `variables` are those that the job's files set (RESTIC_REPOSITORY, BORG_REPO …).
    """
    if tool == "restic":
        told = values(args, "-r", "--repo") or _set(variables, "RESTIC_REPOSITORY")
        return tuple(address_of(t, folder) for t in told[:1])
    if tool == "borg":
        told = [a.rpartition("::")[0] for a in args if "::" in a and not a.startswith("-")][:1]
        told = [t for t in told if t] or values(args, "-r", "--repo")
        return tuple(address_of(t, folder) for t in told or _set(variables, "BORG_REPO"))
    if tool == "wal-g":
        named = [v for k, v in variables.items() if re.fullmatch(r"WALG_\w+_PREFIX", k)]
        return tuple(address_of(t, folder) for t in named)
    if tool in ("rsync", "scp"):
        rest = operands(args, tool)
        return (address_of(rest[-1], folder),) if len(rest) > 1 else ()
    if tool == "rclone":
        rest = operands(args)
        return tuple(_rclone(r, folder) for r in rest[-1:] if len(rest) > 1)
    if tool == "duplicity":
        return tuple(address_of(a, folder) for a in args if "://" in a and a[0] != "-")[:1]
    if tool in CLOUDS:
        if _rehearses(tool, args):
            return ()
        found = _cloud(args)
        if _narrows(tool, args):
            # what of it comes there hangs on names, sizes and ages that are not known
            return tuple(Address("unknown", "", "", a.text) for a in found)
        return found
    if tool == "curl":
        sent = values(args, "-T", "--upload-file") or [b for a, b in pairwise(args)
            if re.fullmatch(r"-[sSLkvgiaBGjlMnNOpqR0-46#f]*T", a)]  # fmt: skip
        return tuple(address_of(a) for a in args if "://" in a and a[0] != "-") if sent else ()
    if tool in OPAQUE:
        return (_UNKNOWN,)
    return _written(tool, args, piped, folder, variables)


def _set(variables: Mapping[str, str], name: str) -> list[str]:
    return [variables[name]] if name in variables else []


def _rclone(word: str, folder: str) -> Address:
    """`NAME:PATH` is a remote of rclone.conf, `:sftp,host=nas:PATH` one that is told in place."""
    told = re.fullmatch(r":([a-z0-9]+)(.*?):(.*)", word)
    if told:
        host = re.search(r"(?:host|endpoint)=[\"']?(?:https?://)?([^,:/\"']+)", told[2])
        if told[1] in ("local", "alias"):
            return _UNKNOWN
        return Address("host" if host else "service", host[1] if host else told[1], told[3], word)
    name, colon, path = word.partition(":")
    if colon and "/" not in name:
        return Address("unknown" if "$" in name else "remote", name, path, word)
    return address_of(word, folder)


_UP = frozenset({"put", "upload"})
_EITHER = frozenset({"cp", "sync", "mv", "rsync", "mirror", "copy", "move"})


def _cloud(args: Words) -> tuple[Address, ...]:
    """Where a command of a cloud puts something; nothing for one that only fetches, lists, deletes.

    What comes first is taken and what comes last is written, as with cp(1).
    """
    words = [w for w in args if w == "-" or not w.startswith("-")]
    at = next((n for n, w in enumerate(words) if w in _UP | _EITHER), None)
    if at is None:
        return ()
    kept = {"-", *operands(args)}
    rest = [w for w in words[at + 1 :] if w in kept and not re.fullmatch(r"\d+[KMGTkmgt]?", w)]
    far = [n for n, w in enumerate(rest) if "://" in w]
    if words[at] in _EITHER and (not far or far[-1] == 0) and _fetches(rest, far):
        return ()
    # an endpoint of one's own decides where the bucket lies
    for told in values(args, "--endpoint-url", "--endpoint", "--host", "-e"):
        if "." in told or ":" in told or told == "localhost":
            return (address_of(told if "://" in told else f"https://{told}/"),)
    return (address_of(rest[far[-1]]) if far else _UNKNOWN,)


def _rehearses(tool: str, args: Words) -> bool:
    """Does it only say what it would do?"""
    short = {"s3cmd": r"-[a-zA-Z]*n[a-zA-Z]*", "gsutil": r"-[a-zA-Z]*n[a-zA-Z]*"}.get(tool, "(?!)")
    if tool == "gsutil" and "rsync" not in args:
        # of cp it leaves what is there already
        short = "(?!)"
    return any(re.fullmatch(rf"--?dry-?run(=[Tt]rue|=1)?|-dryRun|--fake|{short}", a) for a in args)


_FILTER = re.compile(
    r"--?(r?(in|ex)clude[a-z-]*|filter[a-z-]*|(max|min)-?(size|age|mtime)|newer-than|older-than"
    r"|timeRange|existing)(=.*)?"
)


def _narrows(tool: str, args: Words) -> bool:
    """Does it leave out some of what it is told to take?"""
    short = "-[a-zA-Z]*[xX]" if tool in ("gsutil", "gcloud") else "(?!)"
    return any(_FILTER.fullmatch(a) or re.fullmatch(short, a) for a in args)


def says_when_it_fails(tool: str, args: Words) -> bool:
    """Does the exit status tell that nothing was taken? curl asks no HTTP server without -f."""
    if tool != "curl" or not any(re.match("https?://", a, re.IGNORECASE) for a in args):
        return True
    # letters that take no value may stand before it
    return any(
        re.fullmatch(r"--fail(-with-body)?|-[sSLkvgiaBGjlMnNOpqR0-46#]*f.*", a) for a in args
    )


def _fetches(rest: Words, far: Sequence[int]) -> bool:
    """Is the last place one on this host?"""
    if not far:
        # MinIO's client names its own places without a scheme
        return not rest or rest[-1] in ("-", ".") or rest[-1].startswith(("/", "./", "~"))
    return len(rest) > 1 or far[-1] == 0


def _written(
    tool: str, args: Words, piped: Sequence[Words], folder: str, variables: Mapping[str, str]
) -> tuple[Address, ...]:
    told = [t for t in values(args, *_WRITES.get(tool, ())) if t != "-"]
    if tool == "tar":
        told = [t for t in archive_of(args) if t != "-"]
    told = told or redirected(args)
    if told:
        return tuple(address_of(t, folder) for t in told)
    for at, words in enumerate(piped):
        found = _taken(words, piped[at + 1 :], folder, variables)
        if found:
            return found
    return ()


def _taken(
    words: Words, piped: Sequence[Words], folder: str, variables: Mapping[str, str]
) -> tuple[Address, ...]:
    name, args = words[0].rpartition("/")[2], list(words[1:])
    if name in ("sudo", "nice", "ionice", "sshpass", "timeout"):
        inner, rest = tool_and_args(words, {"ssh", "restic", "rclone", "gpg", "openssl", "age"})
        return _taken([inner, *rest], piped, folder, variables) if inner else ()
    if name == "ssh":
        host = ssh_host(args)
        return (Address("host", host, "", " ".join(words[:1])),) if host else (_UNKNOWN,)
    if name in ("restic", "borg", "rclone", *CLOUDS):
        return destinations(name, args, (), folder, variables)
    if name in ("nc", "ncat", "socat", "mbuffer"):
        return (_UNKNOWN,)
    if name in ("tee", "split"):
        rest = operands(args)
        return tuple(address_of(r, folder) for r in rest[-1:] if r != "-")
    told = [t for t in values(args, *_WRITES.get(name, ())) if t != "-"] or redirected(args)
    return tuple(address_of(t, folder) for t in told)


def ssh_host(args: Words) -> str:
    """The host of an ssh command line; empty where it only shows at run time."""
    skip = False
    for word in args:
        if skip:
            skip = False
        elif _SHORT["ssh"].fullmatch(word):
            skip = True
        elif not word.startswith("-"):
            found = address_of(word if word.startswith("ssh://") else f"{word}:")
            return found.host if found.kind == "host" else ""
    return ""


def operands(args: Words, tool: str = "") -> list[str]:
    """Words that are no options of the tool, no values of such options, no `>`."""
    found, skip, short = [], False, _SHORT.get(tool, _SHORT[""])
    for word in args:
        if skip:
            skip = False
        elif re.match(r"^\d?>>?$|^<$", word) or short.fullmatch(word) or _VALUED.match(word):
            skip = True
        elif not word.startswith("-") and not re.match(r"^\d?>|^<", word):
            found.append(word)
    return found


_SHORT = {
    "rsync": re.compile("-[A-Za-z]*[efTBM]"),
    "scp": re.compile("-[A-Za-z0-9]*[cDFiJloPSX]"),
    "ssh": re.compile("-[bcDEeFIiJLlmOopQRSWw]"),
    "": re.compile("-[eik]"),
}
_VALUED = re.compile(
    r"--(rsh|exclude|exclude-from|include|filter|files-from|bwlimit|port|timeout"
    r"|password-file|log-file|link-dest|compare-dest|copy-dest|backup-dir|partial-dir|temp-dir"
    r"|max-delete|max-size|min-size|chmod|chown|out-format|rsync-path|suffix|config|transfers"
    r"|checkers|profile|region|storage-class|acl|endpoint|endpoint-url|access-key-id|contimeout"
    r"|access-key-secret|sse|compress-level|modify-window|info|debug|iconv|usermap|groupmap)$"
)


def archive_of(args: Words) -> list[str]:
    """The value of tar's -f."""
    found = values(args, "--file")
    wants: list[str] = []
    for at, word in enumerate(args):
        if wants:
            if wants.pop(0) == "f":
                found.append(word)
        elif word.startswith("--") or not (at == 0 or word.startswith("-")):
            continue
        elif at == 0 and not word.startswith("-"):
            wants = [x for x in word if x in "fCTXbgNKVI"]
        else:
            match = re.fullmatch(r"-[A-Za-z0-9]*?([fCTXbgNKVI])(.*)", word)
            if match and match[2] and match[1] == "f":
                found.append(match[2])
            elif match and not match[2]:
                wants = [match[1]]
    return found[:1]


def redirected(args: Words) -> list[str]:
    """The file that standard output goes to."""
    found = [b for a, b in pairwise(args) if a in (">", ">>", "1>", "1>>", ">|")]
    found += [m[1] for a in args if (m := re.fullmatch(r"1?>>?([^>&].*)", a))]
    return [f for f in found if f != "/dev/null"]


def truncated(words: Words) -> list[str]:
    """The files that a command begins anew, by the shell's `>`."""
    found = [b for a, b in pairwise(words) if a in (">", "1>", ">|")]
    found += [m[1] for a in words if (m := re.fullmatch(r"1?>\|?([^>&|].*)", a))]
    return [f for f in found if not f.startswith("/dev/")]


def encrypts(lines: Sequence[Words]) -> bool:
    """Is there a command among these that encrypts what goes through it?"""
    return any(_encrypts(words) for words in lines)


def opened_by_nothing(lines: Sequence[Words]) -> bool:
    """Does gpg encrypt with an empty passphrase among these, and for nobody's key?"""
    for words in lines:
        _, args = tool_and_args(words, {"gpg", "gpg2"})
        keys = any(re.fullmatch(r"--(encrypt|recipient.*)|-[a-z]*[er]", a) for a in args)
        if "" in values(args, "--passphrase") and not keys:
            return True
    return False


def _encrypts(words: Words) -> bool:
    tools = {"gpg", "gpg2", "openssl", "age", "7z", "7za", "zip", "ccrypt", "xtrabackup"}
    name, args = tool_and_args(words, tools)
    joined = " ".join(args)
    if name in ("gpg", "gpg2"):
        acts = r"(^| )(-[a-z]*[cer]|--(encrypt|symmetric|recipient\S*))( |=|$)"
        return bool(re.search(acts, joined)) and not {"-d", "--decrypt"} & set(args)
    if name == "openssl":
        ciphers = r"(enc .*)?-?(aes|sm4|aria|camellia|chacha)[-\d]|(smime|cms) .*-encrypt"
        broken = re.search(r"-(des|rc[245]|bf|cast|seed|idea)([-\d]|$|\s)", joined)
        return bool(re.match(ciphers, joined)) and "-d" not in args and not broken
    if name == "age":
        return not {"-d", "--decrypt"} & set(args)
    if name in ("7z", "7za"):
        return any(a.startswith("-p") for a in args)
    if name == "zip":
        return bool({"-e", "-P", "--encrypt"} & set(args))
    if name == "xtrabackup":
        return any(a.startswith("--encrypt=") for a in args)
    return name == "ccrypt"
