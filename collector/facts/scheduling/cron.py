"""Crontabs and the folders that run-parts works through; the reads are those of `schedules`.

crontab(5) of Debian cron, cronie and busybox; run-parts(8) of debianutils and of crontabs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from collector.errors import NotUnderstood
from collector.facts.scheduling.models import Job, Script, live, uncommented, with_scripts
from collector.facts.scheduling.programs import search_set
from collector.facts.scheduling.startable import (
    broken_entry,
    broken_shell,
    not_executable,
    unread,
    unstarted,
    whole_text,
    with_returns,
)
from collector.facts.scheduling.starting import Starting, shell_set
from collector.i18n.message import msg
from collector.model import Capture, CapturedFile, Text

_ENVIRONMENT = re.compile(r"^\s*[A-Za-z_\"'][A-Za-z0-9_\"']*\s*=")
_ENTRY = re.compile(r"^\s*-?(@\w+|(?:[^\s@]\S*\s+){4}\S+)\s+(.*\S)\s*$")
_FIELD = re.compile(r"^[-*/,0-9A-Za-z~]+$")
_FOLDERS = ("hourly", "daily", "weekly", "monthly")


def debian_names(capture: Capture) -> bool:
    """Do names with a dot not count here (Debian's cron and run-parts)?"""
    said = capture.read("schedules.flavour").text()
    if not said.strip():
        raise NotUnderstood("schedules.flavour", msg("printed_nothing"))
    # busybox has the same names and no option --version
    return "Debian" in said or "unrecognized option" in said


def jobs(capture: Capture, scripts: Mapping[str, Script]) -> Iterator[Job]:
    """Jobs of all crontabs and periodic folders. Raises FactError when one cannot be seen."""
    debian = debian_names(capture)
    by = Starting(capture, debian=debian)
    # the others are scripts, or fall back upon sh
    by_shell = "Debian" not in capture.read("schedules.flavour").text()
    started: set[str] = set()
    for file in capture.read("schedules.tabs").present():
        if file.path == "/etc/anacrontab":
            started |= _folders(uncommented(file.text("schedules.tabs")))
            yield from _anacron(file, scripts)
            continue
        for job in _tab(file, "schedules.tabs", scripts, by, system=True):
            if job.enabled:
                started |= _folders(job.command)
            yield job
    for file in capture.read("schedules.spool").present():
        if not file.path.rpartition("/")[2].startswith((".", "tmp.")):
            for job in _tab(file, "schedules.spool", scripts, by, system=False):
                if job.enabled:
                    started |= _folders(job.command)
                yield job
    for file in capture.read("schedules.periodic").present():
        yield _periodic(file, scripts, started, debian=debian, by_shell=by_shell)


def _folders(text: str) -> set[str]:
    return {x for x in _FOLDERS if f"cron.{x}" in text}


def _tab(
    file: CapturedFile, read: str, scripts: Mapping[str, Script], by: Starting, *, system: bool
) -> list[Job]:
    text = file.text(read)
    name = file.path.rpartition("/")[2]
    reason = _ignored(file, name, debian=by.debian) if "/cron.d/" in file.path else None
    if not reason and file.uid != 0 and system:
        reason = Text(
            f"{file.path} 属于 uid {file.uid}，cron 不予采用",
            f"{file.path} belongs to uid {file.uid}: cron ignores it",
        )
    found: list[Job] = []
    shell, odd = "/bin/sh", None
    search = by.search
    for whole in with_returns(text.split("\n"), file.data):
        line = whole.rstrip("\r")
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if _ENVIRONMENT.match(line):
            if (told := shell_set(line)) is not None:
                shell, odd = told, broken_shell(whole)
            search = search if (told := search_set(whole)) is None else told
            continue
        match = _ENTRY.match(line)
        if not match or not _times(match[1]):
            said = line.strip()[:80]
            reason = reason or Text(
                f"cron 拒绝该文件，此行不是计划任务：{said}",
                f"cron refuses this file: not a crontab line: {said}",
            )
            if not match:
                continue
        user, command = "root" if system else name, match[2]
        if system:
            user, command = [*match[2].split(None, 1), ""][:2]
        job = _job(file.path, read, scripts, (match[1], user, command, line))
        job = replace(job, search=search)
        unknown = None if reason else by.no_user(user)
        if unknown and (by.debian or not system):
            reason = unknown
        if job.enabled and _never(match[1].split()):
            why, zh = msg("no_date_any_year", match=match[1]), f"{match[1]} 不是任何一年中的日期"
            job = replace(job, enabled=False, reason=why, reason_zh=zh)
        elif job.enabled and not reason:
            job = _without(job, unknown or odd or broken_entry(whole) or by.no_shell(shell))
        found.append(job)
    if found and not text.endswith("\n"):
        reason = reason or Text(
            "文件末尾缺少换行，cron 不采用最后一行",
            "no newline at the end of the file: cron does not take its last line",
        )
    return [_without(job, reason) for job in found]


def _without(job: Job, reason: Text | None) -> Job:
    """The job as one that does not start, where there is a reason."""
    return replace(job, enabled=False, reason=reason.en, reason_zh=reason.zh) if reason else job


# anacrontab(5): days from one run to the next, minutes to wait, a name, the command
_PERIODS = {"1": "@daily", "7": "@weekly", "30": "@monthly", "365": "@yearly"}


def _anacron(file: CapturedFile, scripts: Mapping[str, Script]) -> Iterator[Job]:
    for line in file.text("schedules.tabs").splitlines():
        bare = line.strip()
        if not bare or bare.startswith("#") or _ENVIRONMENT.match(line):
            continue
        words = bare.split(None, 3)
        # it says that it cannot read the line, and goes on with the next
        if len(words) != 4 or not re.fullmatch(r"\d{1,4}|@\w+", words[0]):
            continue
        when = words[0] if words[0].startswith("@") else _PERIODS.get(words[0], f"{words[0]} days")
        job = _job(file.path, "schedules.tabs", scripts, (when, "root", words[3], line))
        yield replace(job, name=f"{file.path} {words[2]}")


def _times(text: str) -> bool:
    """Is that what stands before a command, each number one that its field can have?"""
    fields = text.lstrip("@").split()
    if not all(_FIELD.match(f) for f in fields):
        return False
    ranges = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
    return len(fields) != 5 or all(
        low <= int(number) <= high
        for field, (low, high) in zip(fields, ranges, strict=True)
        for number in re.findall(r"(?<![/A-Za-z\d])\d{1,9}", field)
    )


def _never(fields: list[str]) -> bool:
    """Is it only for days that its months do not have? With a day of the week it is for both."""
    if len(fields) != 5 or fields[4] != "*":
        return False
    days, months = (f.split(",") for f in fields[2:4])
    if not all(x.isdigit() for x in (*days, *months)):
        return False
    most = max(29 if m == "2" else 30 if m in ("4", "6", "9", "11") else 31
               for m in (x.lstrip("0") for x in months))  # fmt: skip
    return min(map(int, days)) > most


def _ignored(file: CapturedFile, name: str, *, debian: bool) -> Text | None:
    """Why cron passes over a file of cron.d; None when it does not."""
    unfit = Text(f"cron 不采用文件名 {name}", f"cron ignores the file name {name}")
    if debian and not re.fullmatch(r"[A-Za-z0-9_-]+", name):
        return unfit
    if name.startswith(".") or name.endswith(("~", ".rpmsave", ".rpmorig", ".rpmnew", ".cfsaved")):
        return unfit
    if file.mode & 0o022:
        return Text(
            f"{file.path} 可被他人写入（权限 {file.mode:04o}），cron 不予采用",
            f"{file.path} is writable by others (mode {file.mode:04o}): cron ignores it",
        )
    return None


def _job(path: str, read: str, scripts: Mapping[str, Script], entry: tuple[str, ...]) -> Job:
    when, user, command, line = entry
    reason = None
    for part in re.split(r"&&|\|\||[;|&]", command):
        first = re.match(r"\s*(?:\w+=\S*\s+)*(\S+)", part)
        script = scripts.get(first[1]) if first else None
        if script is not None:
            reason = reason or unstarted(script, by_shell=True)
    text = with_scripts(command, scripts)
    en, zh = (reason.en, reason.zh) if reason else ("", "")
    return Job(
        "cron", path, when, user, command, text, not reason, en, read, path, line, reason_zh=zh
    )


def _periodic(
    file: CapturedFile,
    scripts: Mapping[str, Script],
    started: set[str],
    *,
    debian: bool,
    by_shell: bool,
) -> Job:
    folder, _, name = file.path.rpartition("/")
    when = folder.rpartition(".")[2]
    reason = None
    unfit = Text(f"run-parts 不采用文件名 {name}", f"run-parts ignores the file name {name}")
    if not file.mode & 0o111:
        reason = not_executable(file.path)
    elif debian and not re.fullmatch(r"[A-Za-z0-9_-]+", name):
        reason = Text(
            f"本机的 run-parts 不采用文件名 {name}", f"run-parts here ignores the file name {name}"
        )
    elif name.endswith(("~", ",", ".rpmsave", ".rpmorig", ".rpmnew", ".swp", ".cfsaved")):
        reason = unfit
    elif when not in started:
        reason = Text(f"没有计划任务运行 {folder}", f"no crontab runs {folder}")
    else:
        whole = whole_text(file, "schedules.periodic")
        reason = unread(file.path, whole, by_shell=by_shell) if whole.strip() else None
    text = uncommented(live(file.text("schedules.periodic")))
    text = with_scripts(text, scripts)
    line = f"{file.path} mode {file.mode:04o}"
    en, zh = (reason.en, reason.zh) if reason else ("", "")
    return Job(
        "periodic", file.path, when, "root", file.path, text, not reason, en,
        "schedules.periodic", file.path, line, reason_zh=zh,
    )  # fmt: skip
