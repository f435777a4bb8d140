"""Jobs that take locks and bans back: whoever guesses passwords has all his tries again.

faillock(8) and pam_tally2(8) with `--reset`, the files that they count in, fail2ban-client(1) with
`unban`, and what empties the rules that bans stand in.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from collector.facts.scheduling.cadence import hours_apart
from collector.facts.scheduling.jobs import READS as _SCHEDULE_READS
from collector.facts.scheduling.jobs import called, jobs
from collector.facts.scheduling.models import Job
from collector.facts.scheduling.started import program_of
from collector.facts.shell.program import Command, Program
from collector.facts.shell.values import shown
from collector.model import Capture, Quote, Read

READS: tuple[Read, ...] = _SCHEDULE_READS

Kind = Literal["locks", "bans", "decisions", "rules"]
# what comes once a week gives a guesser little more than he has
_OFTEN = 24.0
_COUNTS = re.compile(r"/(?:var/)?run/faillock\b|/var/log/(?:tallylog|faillog)\b")
_REMOVES = {"rm", "truncate", "shred", "find", "cp", "dd", "unlink", "mv"}
_TEXTS: dict[Kind, re.Pattern[str]] = {
    "locks": re.compile(
        r"\bfaillock\b[^\n]*--reset|\bpam_tally2?\b[^\n]*(?:\s-r\b|--reset)"
        r"|\b(?:rm|truncate)\b[^\n]*/run/faillock"
    ),
    "bans": re.compile(r"\bfail2ban-client\b[^\n]*\b(?:unban|unbanip|stop)\b"),
    "decisions": re.compile(r"\bcscli\b[^\n]*\bdecisions?\s+delete\b"),
}


@dataclass(frozen=True, slots=True)
class Reset:
    """A job that takes locks (`kind`) back each time it starts; not `sure`: it may."""

    kind: Kind
    job: Job
    command: str
    sure: bool

    @property
    def quote(self) -> Quote:
        return Quote(self.job.read, (self.job.line,), self.job.path)

    @property
    def shown(self) -> str:
        return f"{self.job.path or self.job.name} ({self.job.when}): {self.command}"


def resets(capture: Capture) -> tuple[Reset, ...]:
    """Those that start at least once a day. Raises FactError where jobs were not seen."""
    scripts = {s.path: s.text for s in called(capture).values() if s.whole}
    found: list[Reset] = []
    for job in jobs(capture):
        apart = hours_apart(job)
        mentioned = [kind for kind, told in _TEXTS.items() if told.search(job.text)]
        often = job.when != "@reboot" and (apart is None or apart <= _OFTEN)
        if not job.enabled or not often or not (mentioned or _HINT.search(job.text)):
            continue
        program = program_of(capture, job, scripts)
        met = list(_met(job, program)) if program is not None else []
        found += met
        if program is None or program.lost:
            known = {one.kind for one in met}
            found += [
                Reset(kind, job, told[0], sure=False)
                for kind, expression in _TEXTS.items()
                if kind not in known and (told := expression.search(job.text))
            ]
    return tuple(found)


# what is worth having the model read a job for
_HINT = re.compile(
    r"faillock|pam_tally|tallylog|faillog|fail2ban|cscli|ipset|iptables|ip6tables|\bnft\b"
)


def _met(job: Job, program: Program) -> Iterator[Reset]:
    for command in program.commands:
        kind = _kind(command)
        by_root = job.user == "root" or re.search(r"sudo|doas|\bsu\b", command.inside)
        if kind is not None and command.reached != "never" and by_root:
            yield Reset(kind, job, command.shown, command.reached == "always")


def _kind(command: Command) -> Kind | None:
    """What the command takes back; None where that is nothing."""
    if any(_COUNTS.search(shown(path)) for path in command.writes):
        return "locks"
    words = [word or "" for word in command.argv]
    if not words:
        return None
    name, rest = words[0].rpartition("/")[2], words[1:]
    if name in _REMOVES and _COUNTS.search(command.shown):
        return "locks" if name != "find" or "-delete" in rest or "rm" in rest else None
    if name == "faillock":
        return "locks" if "--reset" in rest else None
    if name in ("pam_tally", "pam_tally2"):
        wanted = any(w == "-r" or w.startswith("--reset") for w in rest)
        return "locks" if wanted else None
    if name == "fail2ban-client":
        return "bans" if {"unban", "unbanip", "--unban", "stop"} & set(rest) else None
    if name == "cscli":
        gone = rest[:1] in (["decision"], ["decisions"]) and "delete" in rest
        return "decisions" if gone else None
    return _emptied(name, rest)


def _emptied(name: str, words: list[str]) -> Kind | None:
    """`bans`: what it takes away is of fail2ban; `rules`: it is what leads to any ban."""
    if name == "nft":
        gone = {"flush", "delete", "destroy"} & set(words)
        if gone and "ruleset" in words:
            return "rules"
        return "bans" if gone and any("f2b" in word for word in words) else None
    if name == "ipset":
        gone = {"flush", "destroy", "-F", "-X"} & set(words)
        return "bans" if gone and any("f2b" in word for word in words) else None
    if name not in ("iptables", "ip6tables"):
        return None
    at = next((n for n, word in enumerate(words) if word in ("-F", "--flush")), None)
    table = next((words[n + 1] for n, w in enumerate(words[:-1]) if w in ("-t", "--table")), "")
    if at is None or table not in ("", "filter"):
        return None
    chain = words[at + 1] if at + 1 < len(words) else ""
    if chain.startswith("f2b"):
        return "bans"
    return "rules" if chain in ("", "INPUT") or chain.startswith("-") else None
