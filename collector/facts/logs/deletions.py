"""What removes logs behind logrotate's back: `find -delete`, `> FILE`, `rm`, tmpfiles.d."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from collector.errors import NotUnderstood
from collector.facts.backup.commands.command_lines import filled
from collector.facts.base.sizes import systemd_size
from collector.facts.logs.journald.values import span_seconds
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
_DATE = re.compile(r"\$\(\s*date\b([^()]*)\)|`\s*date\b([^`]*)`")
_NUMBER = re.compile(r"(?m)^[^\S\n]*(?:export\s+)?(\w+)=[\"']?(\d{1,5})[\"']?\s*(?:[;#].*)?$")
_AGO = re.compile(r"(\d{1,5})\s*(day|week|month|year)")
_LENGTHS = {"day": 1, "week": 7, "month": 30, "year": 365}
# what stands in a name for the date of so many days ago
_DATED = re.compile("\x01(\\d+)\x01")
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
_COPIES = rf"\b(?:(?:cp|cat){_EMPTY}|mv|gzip|bzip2|xz|zstd|zip|tar|rsync|scp)\b"


def log_removals(capture: Capture) -> tuple[Removal, ...]:
    """All that were found in enabled jobs, and in the scripts of logrotate's configuration.

    Raises FactError where schedules could not be seen, or where logs are removed by a command
    whose folder or age does not show.
    """
    found: list[Removal] = []
    called = _schedules.called(capture)
    periodic = [
        Script(file.path, True, True, file.text("schedules.periodic"))
        for file in capture.read("schedules.periodic").present()
        if file.status is ReadStatus.OK
    ]
    foreign = [x for x in (*called.values(), *periodic) if _foreign(x)]
    jobs = [job for job in _schedules.jobs(capture) if job.enabled]
    for job in (*jobs, *_served(capture, jobs, called)):
        found += removals(job)
        _handed(job, foreign)
    for file in capture.read("logrotate.config").present():
        if file.status is ReadStatus.OK and b"find" in file.data:
            text = uncommented(file.text("logrotate.config"))
            found += removals(_script(file.path, text))
    return (*found, *cleanings(capture))


def _served(capture: Capture, jobs: Sequence[Job], called: Mapping[str, Script]) -> Iterator[Job]:
    """Scripts of units that run all the time, as jobs that come every day; their text is that of

    `schedules.called`. Whether a unit runs one that has ended by now is not seen.
    """
    named = {name for job in jobs for name in _NAME.findall(job.text)}
    for path, script in called.items():
        if path in named or "/var/log" not in script.text:
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
                job.read, msg("removes_logs_otherwise", name=job.name, shown=_shown(line))
            )


def removals(job: Job) -> list[Removal]:
    """What one job removes, the variables filled in that it sets to plain text."""
    found: list[Removal] = []
    folder = ""
    text = filled(_dates(re.sub(r"\\\n", " ", job.text)))
    for line in text.splitlines():
        for match in _CD.finditer(line):
            folder = match[1]
        if (loop := _LOOP.search(line)) and _unclear(loop, text, folder):
            raise NotUnderstood(
                job.read, msg("removes_logs_loop", name=job.name, shown=_shown(line))
            )
        if _LISTED.search(line) and ("/var/log" in line or folder.startswith("/var/log")):
            raise NotUnderstood(
                job.read, msg("removes_logs_their_order", name=job.name, shown=_shown(line))
            )
        if _OTHERWISE.search(line) and "/var/log" in text:
            raise NotUnderstood(
                job.read, msg("removes_logs_otherwise", name=job.name, shown=_shown(line))
            )
        found += [
            *_finds(job, line, text, folder),
            *_watches(job, line),
            *_vacuums(job, line),
            *_panels(job, line),
            *_empties(job, line, text),
        ]
    return found


def _unclear(loop: re.Match[str], text: str, folder: str) -> bool:
    """Are logs gone through one by one and removed: by which rule, the script decides?"""
    logs = "/var/log/" in loop[2] or folder.startswith("/var/log")
    if not logs or re.search(r"\bfind\b", loop[2]):
        return False
    one = rf"[^\n;]*\$\{{?{loop[1]}\b"
    # what is copied or packed first is a rotation of one's own making
    return bool(re.search(rf"\brm\b{one}", text)) and not re.search(rf"{_COPIES}{one}", text)


def _dates(text: str) -> str:
    """`$(date -d '30 days ago' +%Y%m%d)` as `_DATED`: the name of a file of that day."""
    numbers = {m[1]: m[2] for m in _NUMBER.finditer(text)}

    def ago(match: re.Match[str]) -> str:
        said = match[1] or match[2] or ""
        said = re.sub(r"\$\{?(\w+)\}?", lambda m: numbers.get(m[1], m[0]), said)
        back = _AGO.search(said)
        days = int(back[1]) * _LENGTHS[back[2]] if back else int("yesterday" in said)
        return f"\x01{days}\x01"

    return _DATE.sub(ago, text)


def _script(path: str, text: str) -> Job:
    line = next((x for x in text.splitlines() if "find" in x), "")
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
        _either_case(value) if word == "-iname" else _DATED.sub("*", value)
        for at, (word, value) in enumerate(pairwise(words))
        if word in ("-name", "-iname") and (at == 0 or words[at - 1] not in ("!", "-not"))
    )
    for word in words:
        if word[:1] in "-(!\\":
            break
        place = word if word.startswith(("/", "$", "`")) else f"{folder}/{word}"
        place = re.sub(r"/\.?/?$", "", place) or "/"
        if place.startswith("/"):
            sure = days if days is not None else _interval(job)
            yield Removal(place, sure, names, job.name, _shown(line), job.read)
        elif place[:1] in "$`" and "/var/log" in job.text:
            raise NotUnderstood(
                job.read,
                msg("removes_old_files_below", name=job.name, word=word, shown=_shown(line)),
            )


def _either_case(pattern: str) -> str:
    """What fnmatch takes for find's -iname."""
    plain = _DATED.sub("*", pattern)
    if "[" in plain:
        return "*"
    return "".join(f"[{x.lower()}{x.upper()}]" if x.isalpha() else x for x in plain)


def _empties(job: Job, line: str, text: str) -> Iterator[Removal]:
    """`> FILE`, `truncate -s 0 FILE`, `rm FILE`: at each run, whatever its age.

    Where the same job copies or packs the file first, that is a rotation of its own making.
    """
    for pattern in _EMPTIES:
        for match in pattern.finditer(line):
            if re.search(r"\bfind\s", match[1]):
                continue
            for path in re.findall(r"(?<=\s)/var/log/[^\s;&|<>\"']+", " " + match[1]):
                name = path.rstrip("/").rsplit("/", 1)[1]
                bare = re.escape(re.sub(r"[*?\[].*", "", name).rstrip("-._")) or r"\*"
                if not re.search(rf"(?m)^.*{_COPIES}[^\n]*{bare}", text):
                    folder = path.rstrip("/").rsplit("/", 1)[0]
                    ages = [int(n) for n in _DATED.findall(name)]
                    days, name = max(ages, default=_interval(job)), _DATED.sub("*", name)
                    yield Removal(folder, days, (name,), job.name, _shown(line), job.read)


def _shown(line: str) -> str:
    return _DATED.sub(r"$(date -d '\1 days ago')", line).strip()


def _interval(job: Job) -> int:
    """Days from one run to the next, as far as the schedule is a plain one; else 1."""
    fields = job.when.split()
    if re.search(r"yearly|annually", job.when):
        return 366
    if "monthly" in job.when:
        return 31
    if "weekly" in job.when:
        return 7
    if len(fields) == 5 and fields[0].isdecimal() and fields[1].isdecimal():
        if fields[3].isdecimal() and fields[2].isdecimal():
            return 366
        if fields[2].isdecimal() and fields[3:] == ["*", "*"]:
            return 31
        if fields[2:4] == ["*", "*"] and re.fullmatch(r"\w{1,3}", fields[4]):
            return 7
    return 1


def _days(words: list[str]) -> int | None:
    """Whole days a file must be old: `-mtime +7` takes those of eight days and more (find(1))."""
    for word, value in pairwise(words):
        match = re.fullmatch(r"\+?(\d+)", value)
        if match and word in ("-mtime", "-ctime", "-atime"):
            return int(match[1]) + (1 if value.startswith("+") else 0)
        if match and word in ("-mmin", "-cmin", "-amin"):
            return int(match[1]) // 1440
        dated = _AGO.search(value) or _DATED.search(value)
        if dated and word == "-newermt":
            return int(dated[1]) * (_LENGTHS[dated[2]] if dated.re is _AGO else 1)
    # `find -name "*$(date -d '30 days ago' +%F)*"`
    return max((int(n) for word in words for n in _DATED.findall(word)), default=None)


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
            yield Removal(place.rstrip("/"), days, (), job.name, _shown(line), job.read)


def _panels(job: Job, line: str) -> Iterator[Removal]:
    """`logsBackup ALL 180` of hosting panels (宝塔): each run moves a log, and so many stay."""
    match = re.search(r"/logs_?[Bb]ackup(?:\.py)?\s+([\w.-]+)\s+(\d{1,5})\b", line)
    if not match:
        return
    hour = [*job.when.split(), "", ""][1]
    often = "hourly" in job.when or hour.startswith("*")
    days = int(match[2]) // 24 if often else int(match[2]) * _interval(job)
    site = re.sub(r"(\.log|-access_log)$", "", match[1])
    names = () if site.startswith("ALL") else (f"{site}*",)
    yield Removal("/www/wwwlogs", days, names, job.name, _shown(line), job.read)


def _vacuums(job: Job, line: str) -> Iterator[Removal]:
    if not re.search(r"\bjournalctl\b", line):
        return
    form = r"--vacuum-(time|size|files)[= ]\s*['\"]?([\w. ]+?)['\"]?(?=\s*[;&|>]|\s+-|\s*$)"
    for kind, value in re.findall(form, line):
        if kind == "time":
            days = int(span_seconds(value.strip(), 0.0) // _DAY)
            yield Removal(JOURNAL, days, (), job.name, _shown(line), job.read)
        else:
            size = systemd_size(value.strip()) if kind == "size" else None
            room = -1 if size is None else size
            yield Removal(JOURNAL, 0, (), job.name, _shown(line), job.read, room=room)
