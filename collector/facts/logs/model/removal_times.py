"""How old what a job removes is: by its own words, by a date in a name, by how often it runs."""

from __future__ import annotations

import re
from itertools import pairwise

from collector.facts.scheduling.models import Job

DATE = re.compile(r"\$\(\s*date\b([^()]*)\)|`\s*date\b([^`]*)`")
NUMBER = re.compile(r"(?m)^[^\S\n]*(?:export\s+)?(\w+)=[\"']?(\d{1,5})[\"']?\s*(?:[;#].*)?$")
AGO = re.compile(r"(\d{1,5})\s*(day|week|month|year)")
LENGTHS = {"day": 1, "week": 7, "month": 30, "year": 365}
# what stands in a name for the date of so many days ago
DATED = re.compile("\x01(\\d+)\x01")


def dates(text: str) -> str:
    """`$(date -d '30 days ago' +%Y%m%d)` as `DATED`: the name of a file of that day."""
    numbers = {m[1]: m[2] for m in NUMBER.finditer(text)}

    def ago(match: re.Match[str]) -> str:
        said = match[1] or match[2] or ""
        said = re.sub(r"\$\{?(\w+)\}?", lambda m: numbers.get(m[1], m[0]), said)
        back = AGO.search(said)
        days = int(back[1]) * LENGTHS[back[2]] if back else int("yesterday" in said)
        return f"\x01{days}\x01"

    return DATE.sub(ago, text)


def either_case(pattern: str) -> str:
    """What fnmatch takes for find's -iname."""
    plain = DATED.sub("*", pattern)
    if "[" in plain:
        return "*"
    return "".join(f"[{x.lower()}{x.upper()}]" if x.isalpha() else x for x in plain)


def shown(line: str) -> str:
    return DATED.sub(r"$(date -d '\1 days ago')", line).strip()


def interval(job: Job) -> int:
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


def days(words: list[str]) -> int | None:
    """Whole days a file must be old: `-mtime +7` takes those of eight days and more (find(1))."""
    for word, value in pairwise(words):
        match = re.fullmatch(r"\+?(\d+)", value)
        if match and word in ("-mtime", "-ctime", "-atime"):
            return int(match[1]) + (1 if value.startswith("+") else 0)
        if match and word in ("-mmin", "-cmin", "-amin"):
            return int(match[1]) // 1440
        dated = AGO.search(value) or DATED.search(value)
        if dated and word == "-newermt":
            return int(dated[1]) * (LENGTHS[dated[2]] if dated.re is AGO else 1)
    # `find -name "*$(date -d '30 days ago' +%F)*"`
    return max((int(n) for word in words for n in DATED.findall(word)), default=None)
