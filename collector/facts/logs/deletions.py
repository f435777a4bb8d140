"""What removes logs behind logrotate's back: `find -delete`, `> FILE`, `rm`, tmpfiles.d."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from collector.errors import NotUnderstood
from collector.facts.backup.commands.command_lines import filled
from collector.facts.base.sizes import systemd_size
from collector.facts.logs.journald.values import span_seconds
from collector.facts.logs.model.removal_spellings import (
    not_followed,
    one_by_one,
    plain,
    read_one_by_one,
)
from collector.facts.logs.model.removal_times import (
    DATED,
    dates,
    either_case,
    interval,
    shown,
)
from collector.facts.logs.model.removal_times import (
    days as _days,
)
from collector.facts.logs.model.removals import Removal
from collector.facts.logs.tmpfiles_d import cleanings
from collector.facts.scheduling import jobs as _schedules
from collector.facts.scheduling.models import Job, Script, uncommented, with_scripts
from collector.facts.shell import quoting
from collector.facts.system import processes as _processes
from collector.i18n.message import msg
from collector.model import Capture, ReadStatus

JOURNAL = "/var/log/journal"
_REMOVES = re.compile(
    r"-delete\b|-(?:exec|execdir|ok)\s+\S*\b(?:rm|unlink|truncate)\b|-exec\s+\S*\bcp\s+/dev/null\b"
    r"|-exec\s+\S*sh\s+-c\s.*>\s*[\"']?\{\}|\|\s*xargs\b.*\b(?:rm|unlink)\b"
)
# what find(1) prints is removed by a loop, or by the rm that it stands in
_LOOPED = re.compile(
    r"\bfor\s+(\w+)\s+in\s+(?:\$\(|`)\s*\S*find\b"
    r"|\bfind\b[^|]{0,400}\|\s*while\s+(?:IFS=\S*\s+)?read\s+(?:-\w+\s+(?:''\s+)?)*(\w+)"
)
_INSIDE = re.compile(r"\b(?:rm|unlink)\b[^;&|]{0,400}(?:\$\(|`)\s*\S*find\b")
_LISTED = re.compile(
    r"\bls\b[^;&]{0,400}\|\s*xargs\b[^;&]{0,80}\brm\b"
    r"|\brm\b[^;&|]{0,80}(?:\$\(|`)[^)`;&]{0,80}\bls\b"
)
_LOOP = re.compile(r"\bfor\s+(\w+)\s+in\s+([^;\n]{0,400})")
_DAY = 86400
_CD = re.compile(r"(?:^|[;&|(]\s*)cd\s+[\"']?(/[\w./-]*)")
_NOTHING = r"cat\s+/dev/null|:|true|echo(?:\s+-n)?(?:\s+[\"']{2})?"
_EMPTIES = (
    re.compile(rf"(?:^|[;&|(\"']\s*)(?:(?:{_NOTHING})\s*)?>(?!>)([^;&|]*)"),
    re.compile(r"\btruncate\s{1,40}([^;&|]{0,400}(?:-s|--size[= ])\s{0,40}0\b[^;&|]*)"),
    re.compile(r"\bcp\s+(?:-\w+\s+)*/dev/null(\s[^;&|]*)"),
    re.compile(r"(?:^|[\s;&|(/])(?:rm|unlink|shred)(\s[^;&|]*)"),
    re.compile(r"\bdd\b[^;&|]{0,400}?\bof=[\"']?(/var/log/[^;&|]*)"),
)
_PATHS = re.compile(r"(?<=\s)/var/log(?:/[^\s;&|<>\"']*)?(?=[\s;&|<>\"']|$)")
# a log is written anew with a part of itself, or taken to where nothing stays
_REWRITES = (
    re.compile(r"\b(?:cat|tail|head|tac|sed|grep|awk)\b[^;&|>]*>(?!>)([^;&|]*)"),
    re.compile(r"\bsed\s+(?:-\w+\s+)*(?:-\w*i\w*|--in-place)\b([^;&|>]*)"),
    re.compile(r"\bmv\b([^;&|]*)\s/(?:tmp|var/tmp|dev/shm|dev/null)\b"),
)
# what programs in other languages than the shell's remove with
_OTHERWISE = re.compile(
    r"\bos\.(?:remove|unlink)\b|\brmtree\b|\bunlink\s*\(|\.unlink\(|\btruncate\("
)
# a folder of logs, or a pattern of them, as such a program is given it: not a log of its own
_HANDED = re.compile(r"""["']/var/log(?:/[\w-]+)*(?:/?|/[^"'\s]*[*?\[][^"'\s]*)["']""")
_SHELL = re.compile(r"#!\s*\S*\b(?:env\s+)?(?:ba|da|k|z|a|mk)?sh\b")
_LANGUAGES = (".py", ".pl", ".rb", ".php", ".js", ".lua")
_NAME = re.compile(r"[\w./-]+")
_EMPTY = r"(?!\s+(?:-\w+\s+)*/dev/null)"
_KEEPS = rf"\b(?:cp{_EMPTY}|gzip|bzip2|xz|zstd|zip|tar|rsync|scp)\b"
_COPIES = rf"\b(?:(?:cp|cat){_EMPTY}|mv|gzip|bzip2|xz|zstd|zip|tar|rsync|scp)\b"


# what removes, in a script of logrotate's
_SCRIPTED = re.compile(rb"\b(?:find|rm|unlink|shred|truncate|mv)\s|>\s*[\"']?/var/log/")


def log_removals(capture: Capture) -> tuple[Removal, ...]:
    """All that were found in enabled jobs, and in the scripts of logrotate's configuration.

    Raises FactError where schedules could not be seen, or where logs are removed by a command
    whose folder or age does not show.
    """
    called = _schedules.called(capture)
    periodic = [
        Script(file.path, True, True, file.text("schedules.periodic"))
        for file in capture.read("schedules.periodic").present()
        if file.status is ReadStatus.OK
    ]
    foreign = [x for x in (*called.values(), *periodic) if _foreign(x)]
    found: list[Removal] = []
    for job in removing(capture):
        found += removals(job)
        if job.read != "logrotate.config":
            _handed(job, foreign)
    return (*found, *cleanings(capture))


def removing(capture: Capture, place: str = "/var/log") -> Iterator[Job]:
    """All that may remove logs below `place`: enabled jobs, what runs all the time, and the

    scripts of logrotate's configuration. Raises FactError.
    """
    jobs = [job for job in _schedules.jobs(capture) if job.enabled]
    yield from jobs
    yield from _served(capture, jobs, _schedules.called(capture), place)
    for file in capture.read("logrotate.config").present():
        if file.status is ReadStatus.OK and _SCRIPTED.search(file.data):
            yield _script(file.path, uncommented(file.text("logrotate.config")))


def _served(
    capture: Capture, jobs: Sequence[Job], called: Mapping[str, Script], place: str
) -> Iterator[Job]:
    """Scripts of units that run all the time, as jobs that come every day; their text is that of

    `schedules.called`. Whether a unit runs one that has ended by now is not seen.
    """
    named = {name for job in jobs for name in _NAME.findall(job.text)}
    for path, script in called.items():
        if path in named or place not in script.text:
            continue
        running = _processes.processes(capture).all
        if any(path in _NAME.findall(p.cmdline) for p in running if not p.container):
            text = with_scripts(path, called)
            yield Job(
                "timer", path, "daily", "root", path, text, True, "", "schedules.called", path, path
            )


def _foreign(script: Script) -> bool:
    told = script.text.startswith("#!") or script.path.endswith(_LANGUAGES)
    return told and not _SHELL.match(script.text)


def _handed(job: Job, scripts: Sequence[Script]) -> None:
    """Raises NotUnderstood where a program of another language than the shell's gets logs to do

    something with, by folder or by pattern: of its words hardly one leaves the host.
    """
    if "/var/log" not in job.text:
        return
    named = frozenset((*_NAME.findall(job.text), job.command))
    for script in scripts:
        line = next((x for x in script.text.splitlines() if _HANDED.search(x)), "")
        if line and script.path in named and not line.lstrip().startswith("#"):
            raise NotUnderstood(
                job.read, msg("removes_logs_otherwise", name=job.name, shown=shown(line))
            )


def removals(job: Job) -> list[Removal]:
    """What one job removes, the variables filled in that it sets to plain text."""
    found: list[Removal] = []
    folder = ""
    text = filled(dates(re.sub(r"\\\n", " ", job.text)))
    for line in text.splitlines():
        for match in _CD.finditer(line):
            folder = match[1]
        if (loop := _LOOP.search(line)) and _unclear(loop, text, folder):
            raise NotUnderstood(
                job.read, msg("removes_logs_loop", name=job.name, shown=shown(line))
            )
        if _LISTED.search(line) and ("/var/log" in line or folder.startswith("/var/log")):
            raise NotUnderstood(
                job.read, msg("removes_logs_their_order", name=job.name, shown=shown(line))
            )
        if _OTHERWISE.search(line) and "/var/log" in text:
            raise NotUnderstood(
                job.read, msg("removes_logs_otherwise", name=job.name, shown=shown(line))
            )
        told = [
            *_finds(job, line, text, folder),
            *_watches(job, line),
            *_vacuums(job, line),
            *_panels(job, line),
            *_empties(job, line, text),
        ]
        if not told and read_one_by_one(line, text, folder):
            raise NotUnderstood(
                job.read, msg("removes_logs_loop", name=job.name, shown=shown(line))
            )
        if not told and not_followed(line, folder):
            raise NotUnderstood(
                job.read, msg("removes_logs_unfollowed", name=job.name, shown=shown(line))
            )
        found += told
    return found


def _unclear(loop: re.Match[str], text: str, folder: str) -> bool:
    """Are logs gone through one by one and removed: by which rule, the script decides?"""
    logs = "/var/log/" in loop[2] or folder.startswith("/var/log")
    if not logs or re.search(r"\bfind\b", loop[2]):
        return False
    one = rf"[^\n;]*\$\{{?{loop[1]}\b"
    # what is copied or packed first is a rotation of one's own making
    return one_by_one(loop[1], text) and not re.search(rf"{_COPIES}{one}", text)


def _script(path: str, text: str) -> Job:
    line = next((x for x in text.splitlines() if _SCRIPTED.search(x.encode())), "")
    return Job(
        "periodic", path, "daily", "root", text, text, True, "", "logrotate.config", path, line
    )


def _finds(job: Job, line: str, text: str, folder: str = "") -> Iterator[Removal]:
    match = re.search(r"(?:^|[\s;&|(/`])find\s+(.*)", line)
    if not match:
        return
    said = match[1]
    loop = _LOOPED.search(line)
    one = rf"\b(?:rm|unlink)\b[^\n;]*\$\{{?{loop[1] or loop[2]}\b" if loop else ""
    if _INSIDE.search(line) or (one and re.search(one, text)):
        said = re.split(r"[)`|]", said)[0]
    elif not _REMOVES.search(said):
        return
    said = re.sub(r"(?<=\d)(?=[|;&])", " ", said)
    try:
        words = quoting.split(said)
    except ValueError:
        words = said.split()
    days = _days(words)
    # words of find(1) that choose by something else than age and name
    other = {"-size", "-empty", "-user", "-nouser", "-newer", "-perm", "-inum"} & set(words)
    if days is None and other:
        return
    names = tuple(
        either_case(value) if word == "-iname" else DATED.sub("*", value)
        for at, (word, value) in enumerate(pairwise(words))
        if word in ("-name", "-iname") and (at == 0 or words[at - 1] not in ("!", "-not"))
    )
    while words and re.fullmatch(r"-[LHP]+|-O\d|-D", words[0]):
        words = words[1:]
    for word in words:
        if word[:1] in "-(!\\":
            break
        place = word if word.startswith(("/", "$", "`")) else f"{folder}/{word}"
        place = re.sub(r"/\.?/?$", "", place) or "/"
        if place.startswith("/"):
            sure = days if days is not None else interval(job)
            yield Removal(place, sure, names, job.name, shown(line), job.read)
        elif place[:1] in "$`" and "/var/log" in job.text:
            raise NotUnderstood(
                job.read,
                msg("removes_old_files_below", name=job.name, word=word, shown=shown(line)),
            )


def _empties(job: Job, line: str, text: str) -> Iterator[Removal]:
    """`> FILE`, `truncate -s 0 FILE`, `rm FILE`: at each run, whatever its age.

    Where the same job copies or packs the file first, that is a rotation of its own making.
    """
    found: dict[tuple[str, int, tuple[str, ...]], Removal] = {}
    for spelled in dict.fromkeys((line, plain(line))):
        for pattern in (*_EMPTIES, *_REWRITES):
            kept = _KEEPS if pattern in _REWRITES else _COPIES
            for match in pattern.finditer(spelled):
                if re.search(r"\bfind\s", match[1]):
                    continue
                for path in _PATHS.findall(f" {match[1]}"):
                    one = _emptied(job, line, path.rstrip("/"), kept, text)
                    if one is not None:
                        found.setdefault((one.folder, one.days, one.names), one)
    yield from found.values()


def _emptied(job: Job, line: str, path: str, kept: str, text: str) -> Removal | None:
    if path == "/var/log":
        return Removal(path, interval(job), (), job.name, shown(line), job.read)
    folder, _, name = path.rpartition("/")
    bare = re.escape(re.sub(r"[*?\[].*", "", name).rstrip("-._")) or r"\*"
    if re.search(rf"(?m)^.*{kept}[^\n]*{bare}", text):
        return None
    ages = [int(n) for n in DATED.findall(name)]
    age = max(ages, default=interval(job))
    return Removal(folder, age, (DATED.sub("*", name),), job.name, shown(line), job.read)


def _watches(job: Job, line: str) -> Iterator[Removal]:
    """tmpwatch(8) and tmpreaper(8): a time, in hours where nothing else is said, then folders."""
    match = re.search(r"(?:^|[\s;&|(/])(?:tmpwatch|tmpreaper)\s+([^;&|><]+)", line)
    if not match or re.search(r"\s(-t|--test)\b", f" {match[1]}"):
        return
    words = match[1].replace("'", "").replace('"', "").split()
    age = next((n for n, w in enumerate(words) if re.fullmatch(r"\d+[dhms]?", w)), None)
    if age is None:
        return
    number, unit = int(re.sub(r"\D", "", words[age])), words[age][-1]
    days = int(number / {"d": 1, "m": 1440, "s": _DAY}.get(unit, 24))
    for place in words[age + 1 :]:
        if place.startswith("/"):
            yield Removal(place.rstrip("/"), days, (), job.name, shown(line), job.read)


def _panels(job: Job, line: str) -> Iterator[Removal]:
    """`logsBackup ALL 180` of hosting panels (宝塔): each run moves a log, and so many stay."""
    match = re.search(r"/logs_?[Bb]ackup(?:\.py)?\s+([\w.-]+)\s+(\d{1,5})\b", line)
    if not match:
        return
    hour = [*job.when.split(), "", ""][1]
    often = "hourly" in job.when or hour.startswith("*")
    days = int(match[2]) // 24 if often else int(match[2]) * interval(job)
    site = re.sub(r"(\.log|-access_log)$", "", match[1])
    names = () if site.startswith("ALL") else (f"{site}*",)
    yield Removal("/www/wwwlogs", days, names, job.name, shown(line), job.read)


def _vacuums(job: Job, line: str) -> Iterator[Removal]:
    if not re.search(r"\bjournalctl\b", line):
        return
    form = r"--vacuum-(time|size|files)[= ]\s*['\"]?([\w. ]+?)['\"]?(?=\s*[;&|>]|\s+-|\s*$)"
    for kind, value in re.findall(form, line):
        if kind == "time":
            days = int(span_seconds(value.strip(), 0.0) // _DAY)
            yield Removal(JOURNAL, days, (), job.name, shown(line), job.read)
        else:
            size = systemd_size(value.strip()) if kind == "size" else None
            room = -1 if size is None else size
            yield Removal(JOURNAL, 0, (), job.name, shown(line), job.read, room=room)
