"""What a command line leaves out of what it names: by patterns, by other options, by variables.

A pattern may be harmless (`*.tmp`); what else may leave out all of a store makes it a perhaps.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from fnmatch import fnmatchcase

from collector.facts.backup.commands.command_lines import SPARED, operands
from collector.facts.backup.commands.destinations import archive_of, values
from collector.facts.backup.commands.spelling import cuts

# The options that take something away by what only the files tell: size, age, marks, rules.
_NARROWS = re.compile(
    r"--(iexclude-file|exclude-larger-than|exclude-caches(-under|-all)?|exclude-nodump|nodump"
    r"|exclude-cloud-files|exclude-ignore(-recursive)?|exclude-vcs-ignores|exclude-(older|newer)-than"
    r"|exclude-regexp|exclude-(globbing-)?filelist|patterns?(-from)?|filter(-from)?"
    r"|min-size|max-size|min-age|max-age|max-depth|newer(-mtime)?|after-date|no-recursion"
    r"|existing|ignore-non-existing|ignore-existing|(ignore|delete)-missing-args|include-from|cvs-exclude)(=.*)?"
)
# the short ones, by tool
_LETTERS = {"rsync": r"-[A-Za-z]*[FC][A-Za-z]*|-f", "tar": r"-N.*"}
# The destination may stand in a variable.
_TO = {"rsync": 2, "rclone": 3, "duplicity": 2}
# Wildcards that go over a slash.
_WIDE = ("borg", "borgmatic", "tar", "duplicity")
_OTHERS = re.compile(
    r"proc|sys|dev|__pycache__|desktop\.ini|core|~|vendor|venv|build|dist|target"
    r"|[._-]?(pyc|pyo|swo|part(ial)?|crdownload|o|obj|DS_Store|bak|old|lock|lck|swp|pid|sock)"
    r"|\.?(te?mp|caches?|logs?|bak|old)\.(gz|xz|zst|bz2|\d|\[0-9\])",
    re.IGNORECASE,
)


def narrowed(
    tool: str, args: Sequence[str], text: str, command: str, piped: Sequence[Sequence[str]] = ()
) -> tuple[str, ...]:
    """The words that may leave out any part of what is taken, up to all of it.

    `text` is that of the job and its scripts, `command` what starts it: a variable in quotes is
    one word, and the options of a script's own call show there.
    """
    short = _LETTERS.get(tool, "(?!)")
    found = [a for a in args if _NARROWS.fullmatch(a) or re.fullmatch(short, a)]
    # in these the case does not count, or the path begins at the source
    told = ("--iexclude", *(("--exclude",) if tool == "rclone" else ()))
    found += [
        f"{o} {v}" for o in told for v in values(args, o) if not any(map(_spared, v.split("/")))
    ]
    if tool == "rsync" and not _recurses(args):
        found.append("without --recursive")
    if tool == "rclone":
        found += [a for a in args if re.match(r"--include(=|$)", a)]
    if tool == "tar" and archive_of(list(args)) in ([], ["-"]):
        found += [f"| {' '.join(x)}" for x in piped if cuts(x)]
    return (*found, *_variables(tool, list(args), text, command))


def _recurses(args: Sequence[str]) -> bool:
    """Does rsync go into folders? With a list of files `-a` alone does not say so (rsync(1))."""
    listed = any(re.fullmatch(r"--files-from(=.*)?", a) for a in args)
    found = False
    for word in args:
        letters = word[1:] if re.fullmatch(r"-[A-Za-z]+", word) else ""
        if (
            "r" in letters
            or word == "--recursive"
            or (not listed and ("a" in letters or word == "--archive"))
        ):
            found = True
        elif word in ("--no-recursive", "--no-r"):
            found = False
    # where options stand in a variable it may be among them
    return found or any("$" in a for a in args if a.startswith(("-", "$")))


def _variables(tool: str, args: list[str], text: str, command: str) -> list[str]:
    """The variables that stand where an option could, and are not known."""
    words = operands(args)
    if tool == "tar":
        # what is written to stands behind letters
        before = zip(["", *args], args, strict=False)
        words = [b for a, b in before if b in words and not re.fullmatch(r"-?[A-Za-z]*f|--file", a)]
    names = [w for w in words if re.fullmatch(r"\$(\w+|\{\w+\}|[@*])", w)]
    literal = [w for w in words if w not in names]
    if words and words[-1] in names and len(literal) < _TO.get(tool, 0):
        names = names[:-1]
    if tool == "borg" and names and not any("::" in w for w in literal):
        names = names[1:]
    return [n for n in dict.fromkeys(names) if _may_be_options(n, text, command)]


def _may_be_options(name: str, text: str, command: str) -> bool:
    bare = name.strip("${}")
    if bare in ("@", "*"):
        return bool(re.search(r"\s-", command))
    if bare == "_":
        # an array, or a value that has another one where it is not set
        return True
    here = rf"\$(\{{{bare}\}}|{bare}(?!\w))"
    quoted = len(re.findall(rf'"{here}"', text))
    return bool(re.search(here, command)) or quoted < len(re.findall(here, text))


def beginning(source: str) -> str:
    """A path that is told to its end, else the folder it lies below: `/srv/$X/data` → `/srv`."""
    if not source.startswith("/"):
        return "/"
    told = re.split(r"[$*?\[]", source, maxsplit=1)[0]
    return source if told == source else told.rpartition("/")[0] or "/"


def cuts_into(tool: str, path: str, source: str, pattern: str) -> bool:
    """May the pattern leave out something below `path` that cannot be done without?"""
    if pattern.startswith("!"):
        return False
    top = source.rstrip("/")
    if tool in ("rsync", "rsnapshot") and pattern.startswith("/"):
        pattern = (top if source.endswith("/") else top.rpartition("/")[0]) + pattern
    if tool == "tar" and pattern.startswith("./"):
        pattern = top + pattern[1:]
    parts = [x for x in pattern.split("/") if x]
    if not pattern.startswith("/") and not re.search(r"[*?\[]", pattern) and path != top:
        # beside a source above, a plain name may be meant for anything there
        return False
    if pattern.startswith("/"):
        parts = _below(parts, path.strip("/").split("/"), wide=tool in _WIDE)
    return bool(parts) and not any(map(_spared, parts))


def _below(parts: list[str], own: list[str], *, wide: bool) -> list[str]:
    """What of an absolute pattern stands for names below `own`, if anything."""
    for at, part in enumerate(own):
        if at == len(parts):
            return []
        literal = re.split(r"[*?\[]", parts[at], maxsplit=1)[0]
        if parts[at] == "**" or (wide and "*" in parts[at] and part.startswith(literal)):
            return parts[at:]
        if not fnmatchcase(part, parts[at]):
            return []
    return parts[len(own) :]


def _spared(part: str) -> bool:
    """Is what is called so nothing that must be kept?"""
    if re.fullmatch(r"\.[A-Za-z][\w.-]*", part):
        return True
    bare = re.sub(r"\[(\w)\w\]", r"\1", part).strip("*").rstrip(".")
    return bool(bare) and bool(SPARED.fullmatch(bare) or _OTHERS.fullmatch(bare))
