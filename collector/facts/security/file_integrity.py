"""Baselines of files: which there are, with what digest, when they were last compared.

AIDE (aide(1), its database and report), Tripwire (twintro(8)), syscheck of Wazuh and OSSEC.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, tzinfo

from collector.errors import NotUnderstood
from collector.facts.base.timestamps import zone_of
from collector.facts.scheduling.jobs import READS as _SCHEDULE_READS
from collector.facts.scheduling.jobs import jobs
from collector.facts.security.detector_state import READS as _READS
from collector.facts.security.detector_state import Section, sections
from collector.facts.security.exclusions import matches
from collector.facts.shell.exit_status import whose
from collector.i18n.message import msg
from collector.model import Capture, Read

READS: tuple[Read, ...] = (*_READS, *_SCHEDULE_READS)

_STRONG = frozenset(
    ("sha256", "sha512", "sha512_256", "sha3_256", "sha3_512", "stribog256", "stribog512",
     "whirlpool", "gost")
)  # fmt: skip
_STAMP = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)(?: ([+-]\d{4}))?")
_OSSEC_TIME = re.compile(r"^(\d{4})/(\d\d)/(\d\d) (\d\d:\d\d:\d\d) ")
_CLASSES = {"alnum": "0-9A-Za-z", "alpha": "A-Za-z", "digit": "0-9", "xdigit": "0-9A-Fa-f"}
_NAMED = re.compile(r"\[:(" + "|".join(_CLASSES) + r"):\]")
_BRACKETS = re.compile(rf"\[(\^?(?:{_NAMED.pattern}|[^\]\[\\])+)\]")
_CALL = re.compile(
    r"(?:^|[\s;&|(\"'])(?:/(?:usr/)?(?:local/)?s?bin/)?aide(?:\.wrapper)?(?=[\s\"']|$)([^\n;|&]*)",
    re.MULTILINE,
)
_ELSE = re.compile(
    r"(?:^|\s)(?:--(?:init|dry-init|config-check|path-check|list|compare|version|help)|-[iDpEvhn])\b"
)
# accounts and the programs that check them: what whoever broke in changes first
_SYSTEM = ("/etc", "/usr/bin")
_RULE = re.compile(r"^([!=-]?)(/\S*)(?:\s+(\S+))?(?:\s+(\S+))?")


@dataclass(frozen=True, slots=True)
class Baseline:
    """One baseline. `strong` is None where its digests are not known, `changes` where it was not

    told how many files differed at the comparison that ended at `checked` (aware, UTC). `kinds` are
    those of the differences that its exit status alone tells (added, removed, changed).
    """

    tool: str
    path: str
    made: datetime
    strong: bool | None
    checked: datetime | None = None
    changes: int | None = None
    rules: tuple[str, ...] = ()
    lines: tuple[str, ...] = field(default=())
    kinds: tuple[str, ...] = field(default=())
    holds: tuple[str, ...] | None = None

    @property
    def left_out(self) -> tuple[str, ...] | None:
        """Which of the system's own folders are not in it; None where that was not looked at."""
        if self.tool == "aide":
            if self.holds is None:
                return None
            kept = {path.rpartition("/")[0].removeprefix("/usr") for path in self.holds}
            return tuple(folder for folder in _SYSTEM if folder.removeprefix("/usr") not in kept)
        return tuple(folder for folder in _SYSTEM if not self.covers(folder))

    def covers(self, folder: str) -> bool:
        """Are the files inside of the folder compared?

        Raises NotUnderstood where a rule of AIDE that leaves something out is not understood.
        """
        if self.tool == "aide":
            return _aide_covers(self.rules, folder)
        return any(f"{folder}/".startswith(f"{rule.rstrip('/')}/") for rule in self.rules)


def integrity(capture: Capture) -> tuple[Baseline, ...]:
    """Every baseline. Raises FactError when a report could not be read or has no known form."""
    zone = zone_of(capture.head.get("zone", ""))
    parts = sections(capture)
    found = [*_aide(parts, zone), *_tripwire(parts), *_ossec(parts, zone)]
    return tuple(_by_systemd(capture, b) if b.tool == "aide" else b for b in found)


def _aide(parts: tuple[Section, ...], zone: tzinfo) -> Iterator[Baseline]:
    databases = [s for s in parts if s.kind == "aide-database"]
    if not databases:
        return
    newest = max(databases, key=lambda s: s.mtime)
    specs = [x for x in newest.lines if x.startswith("@@db_spec")]
    made = datetime.fromtimestamp(newest.mtime, UTC)
    strong = bool(_STRONG & set(specs[0].split())) if specs else None
    rules = tuple(x for s in parts if s.kind == "aide-rules" for x in s.lines)
    checks = [c for s in parts if s.kind == "aide-log" for c in _checks(s, zone)]
    checked, changes, line = max(checks, key=lambda c: c[0], default=(None, None, ""))
    lines = tuple(x for x in (f"{newest.path} {made:%Y-%m-%d %H:%M} UTC", *specs, line) if x)
    # a report of few words tells that there are some, and not how many
    kinds = ("changed",) if "found differences" in line and not changes else ()
    said = [x for x in newest.lines if x.startswith("holds")]
    holds = tuple(said[0].split()[1:]) if said else None
    yield Baseline("aide", newest.path, made, strong, checked, changes, rules, lines, kinds, holds)


def _checks(log: Section, zone: tzinfo) -> Iterator[tuple[datetime, int | None, str]]:
    """Each comparison of a report that came to its end: when, how many changes, the line."""
    told: bool | None = None
    early = False
    start: datetime | None = None
    changes: int | None = None
    verdict = ""
    for line in log.lines:
        if re.search(r"found NO differences|All files match|Looks okay", line):
            told, changes, verdict, early = False, 0, line, start is None
        elif "found differences" in line:
            told, changes, verdict, early = True, None, line, start is None
        elif count := re.match(
            r"\s*(?:Added|Removed|Changed) (?:entries|files):\s*(\d{1,9})", line
        ):
            changes = (changes or 0) + int(count[1])
        elif line.startswith("Start timestamp"):
            start = _stamp(line, zone)
            # before 0.16 the verdict came first, and nothing marked the end
            if told is not None and early:
                yield start, changes, verdict
        elif line.startswith("End timestamp"):
            if told is not None and not early:
                yield _stamp(line, zone), changes, f"{verdict} {line}"
            told, start, changes, early = None, None, None, False


def _stamp(line: str, zone: tzinfo) -> datetime:
    match = _STAMP.search(line)
    if match is None:
        raise NotUnderstood("detectors.state", msg("no_time", line=line))
    own = zone_of(match[2]) if match[2] else zone
    return _moment(match[1], own, line)


def _moment(stamp: str, zone: tzinfo, line: str) -> datetime:
    try:
        return datetime.fromisoformat(stamp).replace(tzinfo=zone).astimezone(UTC)
    except (ValueError, OverflowError):
        raise NotUnderstood("detectors.state", msg("no_time", line=line)) from None


def _by_systemd(capture: Capture, known: Baseline) -> Baseline:
    """A comparison that only systemd remembers: AIDE ends with 0 to 7 when it came through."""
    for job in jobs(capture):
        run = job.run
        if run is None or run.finished is None or not _compares(job.text):
            continue
        own = "dailyaidecheck" in job.text or whose(job.command, job.text, _compares) == "own"
        if not own and whose(job.command, job.text, _compares) != "script":
            continue
        status = re.search(rf"ExecMainStatus=({'[0-7]' if own else '0'})\b", run.detail)
        if status and (known.checked is None or run.finished > known.checked):
            line = f"{run.service} {run.finished:%Y-%m-%d %H:%M} UTC {run.detail}"
            known = replace(
                known, checked=run.finished, changes=0 if status[1] == "0" else None,
                kinds=tuple(kind for bit, kind in _KINDS.items() if int(status[1]) & bit),
                lines=(*known.lines, line),
            )  # fmt: skip
    return known


# aide(1), EXIT STATUS
_KINDS = {1: "added", 2: "removed", 4: "changed"}


def _compares(text: str) -> bool:
    """Does it call aide(1) to compare, which is what it does unless told otherwise?"""
    if "dailyaidecheck" in text:
        return True
    return any(not _ELSE.search(options) for options in _CALL.findall(text))


def _spelled(pattern: str) -> str:
    """AIDE's classes are those of pcre2pattern(3), ASCII alone, which Python has no names for."""
    return _BRACKETS.sub(lambda m: f"[{_NAMED.sub(lambda n: _CLASSES[n[1]], m[1])}]", pattern)


def _aide_covers(rules: tuple[str, ...], folder: str) -> bool:
    probe = f"{folder.rstrip('/')}/hp0.php"
    taken = False
    for rule in rules:
        match = _RULE.match(rule)
        if match is None:
            continue
        sign, pattern, second, third = match.groups()
        kind = second if third else ""
        if sign == "=" or (second or "").startswith("=") or (kind and not set(kind) & {"f", "0"}):
            continue
        pattern = pattern.replace("\\\\", "\\")
        literal = re.match(r"[^\\.*+?()\[{|$^]*", pattern)
        if literal is None or not probe.startswith(literal[0]):
            continue
        try:
            hit = bool(matches(f"^{_spelled(pattern)}", (probe,), "detectors.state"))
        except NotUnderstood:
            if sign in ("!", "-"):
                raise
            continue
        if hit and sign in ("!", "-"):
            return False
        taken = taken or hit
    return taken


def _tripwire(parts: tuple[Section, ...]) -> Iterator[Baseline]:
    for section in parts:
        if section.kind == "tripwire-database":
            reports = [x.split(" ", 2) for x in section.lines if x.startswith("report ")]
            times = [int(r[1]) for r in reports if re.fullmatch(r"\d{1,11}", r[1])]
            checked = datetime.fromtimestamp(max(times), UTC) if times else None
            made = datetime.fromtimestamp(section.mtime, UTC)
            lines = (f"{section.path} {made:%Y-%m-%d %H:%M} UTC", *section.lines)
            # CRC-32, MD5, SHA-1 and HAVAL are all that the open-source Tripwire knows
            yield Baseline("tripwire", section.path, made, False, checked, None, (), lines)


def _ossec(parts: tuple[Section, ...], zone: tzinfo) -> Iterator[Baseline]:
    conf = next((s for s in parts if s.kind == "ossec-conf"), None)
    if conf is None:
        return
    inside, folders, disabled, digest = False, list[str](), False, False
    for line in conf.lines:
        if "<syscheck>" in line or "</syscheck>" in line:
            inside = "</syscheck>" not in line
        elif inside and (value := re.search(r"<disabled>\s*(\w+)", line)):
            disabled = value[1] == "yes"
        elif inside and (value := re.search(r"<directories([^>]*)>([^<]*)", line)):
            folders += [f.strip() for f in value[2].split(",") if f.strip()]
            digest = digest or re.search(r'check_sha256sum="yes"', value[1]) is not None
    if disabled or not folders:
        return
    scans, wazuh, last = list[datetime](), False, ""
    for section in parts:
        wazuh = wazuh or "wazuh" in section.path or "/fim/" in section.path
        if section.kind == "ossec-log":
            for line in section.lines:
                wazuh = wazuh or "(6009)" in line
                if "rootcheck" not in line and (at := ossec_time(line, zone)):
                    scans.append(at)
                    last = line
    base = next((s for s in parts if s.kind == "ossec-database"), None)
    made = datetime.fromtimestamp(base.mtime if base else 0, UTC)
    lines = tuple(x for x in (conf.path, f"directories {', '.join(folders)}", last) if x)
    yield Baseline(
        "wazuh" if wazuh else "ossec", conf.path, made, wazuh or digest,
        max(scans, default=None), None, tuple(folders), lines,
    )  # fmt: skip


def ossec_time(line: str, zone: tzinfo) -> datetime | None:
    """The time at the head of a line of ossec.log, which is in the host's zone.

    None where there is none; raises NotUnderstood when it is no time that can be.
    """
    match = _OSSEC_TIME.match(line)
    if match is None:
        return None
    return _moment(f"{match[1]}-{match[2]}-{match[3]} {match[4]}", zone, line)
