"""How many versions jobs let stay, and for how long: what they delete, by their own words.

restic-forget(1), borg-prune(1), borgmatic's keep_*, rsnapshot's retain, find -mtime … -delete, and
files that each run writes over. "The last 7 daily" are 7 days only where there is one each day, so
that the schedule of the backup counts, too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from itertools import pairwise

from collector.facts.backup.commands.borgmatic import borgmatic_settings
from collector.facts.backup.commands.command_lines import filled, pipelines, wrapped
from collector.facts.backup.commands.jobs import BackupJob
from collector.facts.backup.commands.repositories import named, one_repository, repositories
from collector.facts.scheduling.jobs import jobs
from collector.facts.scheduling.models import Job
from collector.facts.scheduling.removing_loops import cut_off, loop_removes
from collector.model import Capture, Quote

# the most and the fewest days that one of each kind stands for
_DAYS: Mapping[str, tuple[float, float]] = {
    "secondly": (1 / 86400, 0), "minutely": (1 / 1440, 0), "hourly": (1 / 24, 0), "last": (1, 0),
    "daily": (1, 1), "weekly": (7, 7), "monthly": (31, 28), "quarterly": (92, 90),
    "13weekly": (91, 91), "3monthly": (92, 90), "yearly": (366, 365),
}  # fmt: skip
_SHORT = {"l": "last", "H": "hourly", "d": "daily", "w": "weekly", "m": "monthly", "y": "yearly"}
_UNITS = {"y": 366, "m": 31, "w": 7, "d": 1, "h": 1 / 24, "H": 1 / 24, "Y": 366}
_FILTERS = ("--tag", "--path", "--host", "-a", "--glob-archives", "--match-archives", "-P",
            "--prefix", "--keep-tag")  # fmt: skip


# `rm $(ls -t …)`
_LISTED_TO_RM = re.compile(r"\brm\s[^\n;|&]{0,200}(\$\(|`)[^\n)`]{0,200}\bls\s")


@dataclass(frozen=True, slots=True)
class Keeping:
    """What one rule leaves: at most `count` versions reaching back `most` days, at least `least`.

    None: without a bound. `certain` where nothing about it is left open.
    """

    count: int | None
    most: float | None
    least: float
    certain: bool
    label: str
    quote: Quote


@dataclass(frozen=True, slots=True)
class Prune:
    """One command that deletes versions: of a repository, or files whose paths fit `pattern`.

    `takes` says so of a file where no pattern does.
    """

    job: Job
    tool: str
    repositories: frozenset[str]
    pattern: str
    keeps: tuple[tuple[str, float], ...]
    certain: bool
    text: str
    takes: Callable[[str], bool] | None = None


def prunes(capture: Capture) -> tuple[Prune, ...]:
    """Every command of an enabled job that deletes versions of backups. Raises FactError."""
    found: list[Prune] = []
    for job in jobs(capture):
        if not job.enabled:
            continue
        for line, _ in pipelines(job.text):
            # find … | xargs rm
            removed = any("xargs" in words[:1] and "rm" in words for words in line)
            looped = loop_removes(job.text, line)
            for words in line:
                removes = [*words, *(["-delete"] if removed or looped is not None else [])]
                sure = looped is not False
                found += [replace(p, certain=p.certain and sure) for p in _prune(job, removes)]
        found += _newest_only(job)
    return tuple(dict.fromkeys(found))


def _prune(job: Job, words: list[str]) -> Iterator[Prune]:
    names = [w.rpartition("/")[2] for w in words]
    at = next((i for i, n in enumerate(names) if n in ("restic", "borg", "find")), None)
    if at is None or (at and not wrapped(names[:at])):
        return
    tool, args = names[at], words[at + 1 :]
    text = " ".join([tool, *args])[:160]
    if tool == "find":
        yield from _find(job, args, text)
        return
    act = {"restic": "forget", "borg": "prune"}[tool]
    if act not in args or {"--dry-run", "-n"} & set(args):
        return
    keeps, open_ = _keeps(args)
    own = [b for a, b in pairwise(args) if a in _FILTERS]
    own += [a.partition("=")[2] for a in args if "=" in a and a.partition("=")[0] in _FILTERS]
    sure = not open_ and all("{hostname}" in v or v == "*" for v in own)
    if keeps or open_:
        yield Prune(job, tool, named(tool, args, job.text), "", tuple(keeps), sure, text)


def _keeps(args: list[str]) -> tuple[list[tuple[str, float]], bool]:
    """`("daily", 7.0)` …, `("within", days)`; and whether a number only shows at run time."""
    found: list[tuple[str, float]] = []
    open_ = False
    words = [*args, ""]
    for at, word in enumerate(words[:-1]):
        long = re.fullmatch(r"--keep-([\w-]+)(?:=(.*))?", word)
        short = re.fullmatch(r"-([lHdwmy])(\d*)", word)
        if long and long[1] == "tag":
            continue
        if long:
            kind, value = long[1], long[2] if long[2] is not None else words[at + 1]
        elif short:
            kind, value = _SHORT[short[1]], short[2] or words[at + 1]
        else:
            continue
        if kind.startswith("within"):
            parts = re.findall(r"(?<!\d)(\d++)([a-zA-Z])", value)
            if parts and all(unit in _UNITS for _, unit in parts):
                found.append(("within", sum(int(n) * _UNITS[unit] for n, unit in parts)))
            else:
                open_ = True
        elif re.fullmatch(r"\d+", value) and kind in _DAYS:
            found.append((kind, float(value)))
        elif value in ("-1", "unlimited"):
            found.append(("within", float("inf")))
        else:
            open_ = True
    return found, open_


def _find(job: Job, args: list[str], text: str) -> Iterator[Prune]:
    """`find FOLDER -name PATTERN -mtime +N -delete` (or with rm): N + 1 days stay (find(1))."""
    after = dict(pairwise(args))
    if "-delete" not in args and "rm" not in args and "/bin/rm" not in args:
        return
    days = {"-mtime": 1, "-ctime": 1, "-mmin": 1 / 1440, "-cmin": 1 / 1440}
    for option, unit in days.items():
        number = re.fullmatch(r"\+(\d+)", after.get(option, ""))
        folders = [a for a in args if a.startswith("/")][:1]
        if number and folders:
            name = after.get("-name", "*")
            pattern = f"{folders[0].rstrip('/')}/*{name.lstrip('*')}"
            sure = not {"!", "-not", "-o", "-or", "-empty", "-size"} & set(args) and "$" not in name
            keeps = (("within", (int(number[1]) + 1) * unit),)
            yield Prune(job, "find", frozenset(), pattern, keeps, sure, text)


def _newest_only(job: Job) -> Iterator[Prune]:
    """`ls -t FOLDER/… | tail -n +8 | xargs rm`: the 7 newest stay; `cd FOLDER` before it, too."""
    text = filled(job.text)
    for line, folder in pipelines(job.text):
        names = [words[0].rpartition("/")[2] for words in line]
        stay = next((n for words in line[1:] if (n := cut_off(words)) is not None), None)
        if names[:1] != ["ls"] or stay is None:
            continue
        listing = line[0][1:]
        newest = any(re.fullmatch(r"-\w*t\w*", w) for w in listing)
        looped = loop_removes(job.text, line)
        removed = (
            any("rm" in w for w in line)
            or looped is not None
            or re.search(r"\brm\s[^\n;|&]*(\$\(|`)[^\n)`]*\bls\s", text)
        )
        named_here = [w for w in listing if not w.startswith("-")]
        if not (newest and removed) or "-r" in listing:
            continue
        place = named_here[0] if named_here else folder
        if not place.startswith("/"):
            place = f"{folder.rstrip('/')}/{place}" if folder.startswith("/") else ""
        if place:
            pattern = place if "*" in place else f"{place.rstrip('/')}/*"
            keeps = (("last", float(stay)),)
            shown = " | ".join(" ".join(w) for w in line)[:160]
            sure = looped is not False
            yield Prune(job, "ls", frozenset(), pattern, keeps, certain=sure, text=shown)


def keeping_of(
    capture: Capture,
    job: BackupJob,
    files: list[str],
    found: tuple[Prune, ...],
    every: tuple[BackupJob, ...],
) -> tuple[Keeping, ...]:
    """The rules that what `job` leaves (`files`) stands under. Raises NotUnderstood."""
    rules = []
    for prune in found:
        if prune.pattern or prune.takes:
            mine = [f for f in files if _takes(prune, f)]
            sure = len(mine) == len(files) > 0
            if not mine:
                continue
        else:
            if prune.tool != job.tool:
                continue
            same = one_repository(job.tool, repositories(job), prune.repositories, every)
            if same is False:
                continue
            sure = same is True
        quote = Quote(prune.job.read, (prune.text,), prune.job.path)
        rules.append(_keeping(prune.keeps, job, quote, certain=sure and prune.certain))
    if job.tool == "borgmatic":
        rules += _borgmatic(capture, job)
    if job.tool == "rsnapshot":
        rules += _rsnapshot(capture, job)
    return tuple(rules)


def _takes(prune: Prune, file: str) -> bool:
    return prune.takes(file) if prune.takes else fnmatchcase(file, prune.pattern)


def _keeping(
    keeps: tuple[tuple[str, float], ...], job: BackupJob, quote: Quote, *, certain: bool
) -> Keeping:
    """`within` bounds by age alone; the others by number, and by age where there is one a day."""
    counts = [n for kind, n in keeps if kind != "within"]
    within = [n for kind, n in keeps if kind == "within"]
    count = None if within or not counts else int(sum(counts))
    most: float | None = max(within, default=0)
    if counts:
        reach = [n * _DAYS[kind][0] for kind, n in keeps if kind != "within"]
        # borg-prune(1) counts no week whose last one a finer rule keeps, and rsnapshot weeks begin
        # with the oldest day: each reaches back from where the finer one ends
        by_number = max(reach) if job.tool == "restic" else sum(reach) + max(within, default=0)
        # "the last two" reach back as far as they like where one comes a week
        most = max(most or 0, by_number) if daily(job.job) else None
    if most is not None and most == float("inf"):
        most = None
    least = max(
        [
            *(n - 1 for n in within if n != float("inf")),
            *((n - 1) * _DAYS[kind][1] for kind, n in keeps if kind != "within"),
            *(36_500 for n in within if n == float("inf")),
        ],
        default=0,
    )
    label = ", ".join(f"{k} {n:g}" for k, n in keeps)
    return Keeping(count, most, least, certain, label, quote)


def daily(job: Job) -> bool:
    """Does it certainly start at least once a day?"""
    when = job.when.strip()
    cron = when.split()
    if job.kind == "timer":
        return bool(re.fullmatch(r"OnCalendar=(daily|hourly|midnight|\*-\*-\* [\d:*/,.~-]+)", when))
    if cron[:1] and cron[0] in ("@daily", "@hourly", "@midnight", "daily", "hourly"):
        return True
    return len(cron) >= 5 and cron[2:5] == ["*", "*", "*"]


def _borgmatic(capture: Capture, job: BackupJob) -> Iterator[Keeping]:
    for settings in borgmatic_settings(capture):
        document = settings.values
        flat = {**document, **(document.get("retention") or {}), **(document.get("location") or {})}
        targets = {
            str(r.get("path", "") if isinstance(r, dict) else r).rstrip("/")
            for r in flat.get("repositories") or ()
        }
        words = [f"--{k.replace('_', '-')}={v}" for k, v in flat.items() if k.startswith("keep_")]
        keeps, open_ = _keeps(words)
        if keeps and targets & repositories(job):
            quote = Quote("backup.settings", tuple(words), settings.path)
            yield _keeping(tuple(keeps), job, quote, certain=settings.whole and not open_)


def _rsnapshot(capture: Capture, job: BackupJob) -> Iterator[Keeping]:
    for file in capture.read("backup.settings").present():
        if not file.path.endswith("rsnapshot.conf"):
            continue
        keeps, lines = [], []
        for line in file.text("backup.settings").splitlines():
            match = re.match(r"(?:retain|interval)\t+(\w+)\t+(\d+)", line)
            if match:
                lines.append(line)
                keeps.append((match[1], float(match[2])))
        known = all(kind in _DAYS for kind, _ in keeps)
        if keeps and known:
            quote = Quote("backup.settings", tuple(lines), file.path)
            yield _keeping(tuple(keeps), job, quote, certain=True)
