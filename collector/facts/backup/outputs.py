"""Which files a command of a job writes, by its own words and by those that take what it wrote.

`mysqldump shop | gzip >/backup/shop/db-$(date +%F).sql.gz` writes those,
whatever else lies in that folder.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from collector.facts.backup.artefacts.base_backups import TOOLS as BASE_TOOLS
from collector.facts.backup.commands.command_lines import ENGINES, pipelines
from collector.facts.backup.commands.destinations import destinations, tool_and_args
from collector.facts.backup.commands.jobs import BackupJob

# What only shows at run time: a variable, what a command prints, a pattern; and what was masked.
_OPEN = re.compile(r"\$_[0-9a-f]{8}(?!\w)|\$_|\$\w+|\$\{[^}]*\}|[*?`]+")
_PACKED = r"(\.(gz|xz|zst|bz2|lz4|gpg|age|enc|zip|7z))*"
_ELSEWHERE = {"pgbackrest", "barman", "wal-g"}
_TO_FOLDERS = {"mydumper", "mongodump", *BASE_TOOLS}
# Commands that take a file and leave another one in its stead.
_PACKERS = {"tar", "zip", "7z", "7za", "gzip", "pigz", "xz", "zstd", "bzip2", "gpg", "gpg2",
            "openssl", "age", "mv", "cp", "rsync", "install", "cat", "split"}  # fmt: skip


def outputs(job: BackupJob) -> tuple[re.Pattern[str], ...] | None:
    """Patterns of the paths of a dump's or an archive's files; None where its words do not say.

    Empty for what goes elsewhere and leaves nothing on this host.
    """
    if job.tool in _ELSEWHERE or (job.tool not in ENGINES and job.tool != "tar"):
        return None
    tool, args = tool_and_args(job.words, {job.tool})
    told = destinations(tool, args, job.piped, job.folder, {})
    if not told or any(a.kind == "unknown" for a in told):
        return None
    texts = [x for a in told if a.kind == "path" and (x := absolute(a.text, job.folder))]
    if not texts:
        return ()
    folders = "(/.*)?" if job.tool in _TO_FOLDERS else ""
    patterns = [_pattern(t, folders) for t in texts]
    for text in dict.fromkeys((*texts, *_next(job, texts))):
        patterns.append(_pattern(text))
        patterns += [_pattern(f"{text.rstrip('/')}/{t.rpartition('/')[2]}") for t in texts]
    return tuple(dict.fromkeys(patterns))


def absolute(text: str, folder: str) -> str:
    """A path as a command names it, from the folder that it runs in; empty where that is open."""
    word = text.strip("\"'")
    if word.startswith("/"):
        return re.sub("//+", "/", word)
    return f"{folder.rstrip('/')}/{word.removeprefix('./')}" if folder.startswith("/") else ""


def _pattern(text: str, end: str = "") -> re.Pattern[str]:
    parts = [re.escape(part) for part in _OPEN.split(text)]
    return re.compile("[^/]*".join(parts) + (end or _PACKED))


def _next(job: BackupJob, texts: list[str]) -> Iterator[str]:
    """Paths that other commands of the job name beside what this one wrote, step by step."""
    known = list(texts)
    for _ in range(3):
        for line, folder in pipelines(job.job.text):
            words = [absolute(re.sub(r"^\d?>>?", "", w), folder) for part in line for w in part]
            names = {w.rpartition("/")[2] for part in line for w in part}
            if not names & _PACKERS or not any(_names(w, k) for w in words for k in known):
                continue
            for word in words:
                if word and word not in known and not any(_above(word, k) for k in known):
                    known.append(word)
    yield from known[len(texts) :]


def _names(word: str, path: str) -> bool:
    """Is it the path, or a folder that it lies in?"""
    return bool(word) and (word == path or _above(word, path))


def _above(word: str, path: str) -> bool:
    return path.startswith(word.rstrip("/") + "/")
