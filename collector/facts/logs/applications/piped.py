"""rotatelogs(8) and cronolog behind the logs of Apache httpd."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator

from collector.facts.base.sizes import binary_size
from collector.facts.logs.applications.models import (
    READ,
    AppRule,
    Found,
    globbed,
    overwritten,
)
from collector.facts.shell import quoting
from collector.model import Text

_DAY = 86400
_WITH_WORD = ("-L", "-n", "-p", "-m", "-S", "-P", "--symlink", "--period", "--prev-symlink")


def pipes(found: Found) -> Iterator[AppRule]:
    """One rule for each log that httpd pipes into a program."""
    seen = set()
    for path, lines in found.of("apache").items():
        for line in lines:
            match = re.search(r'"\|+\$?\s*((?:[^"\\]|\\.)*)"|\s\|+\$?\s*(\S+)', line)
            rule = _rule((match[1] or match[2]).replace('\\"', '"'), path) if match else None
            if rule is not None and rule not in seen:
                seen.add(rule)
                yield rule


def _rule(command: str, path: str) -> AppRule | None:
    try:
        words = quoting.split(command)
    except ValueError:
        words = command.split()
    at = next((n for n, w in enumerate(words) if re.search(r"(rotatelogs|cronolog)2?$", w)), None)
    if at is None:
        return None
    program = words[at].rsplit("/", 1)[-1]
    options, left = _options(words[at + 1 :])
    if not left:
        return None
    said = " ".join([program, *words[at + 1 :]])
    why = Text(f"Apache 管道：{said}", f"Apache's pipe: {said}")
    if program.startswith("cronolog"):
        return AppRule(globbed(left[0]), why, READ, path, said)
    return _rotatelogs(options, left, why, path, said)


def _rotatelogs(
    options: dict[str, str], left: list[str], why: Text, path: str, said: str
) -> AppRule:
    """Only -n and -t remove anything; files are otherwise opened to append, and never removed."""
    name, log = left[0], globbed(left[0])
    log = log if log.endswith("*") else f"{log}*"
    times = [word for word in left[1:] if word.isdecimal()]
    sizes = [
        n for word in left[1:] if re.fullmatch(r"\d+[BKMG]", word) and (n := binary_size(word))
    ]
    if "-p" in options:
        # the program that is started after each rotation may do anything
        return AppRule(log, why, READ, path, said, known=False)
    number = options.get("-n", "")
    if number:
        count = int(number) if number.isdecimal() else 0
        days = (count - 1) * int(times[0]) // _DAY if times and count else None
        room = (count - 1) * sizes[0] if sizes and count else None
        known = count > 0 and (days is not None or room is not None)
        return AppRule(log, why, READ, path, said, days=days, room=room, known=known)
    if "-t" in options:
        every = int(times[0]) if times else 0
        days = overwritten(name, every) if times else 0
        return AppRule(log, why, READ, path, said, days=days)
    return AppRule(log, why, READ, path, said)


def _options(words: list[str]) -> tuple[dict[str, str], list[str]]:
    options: dict[str, str] = {}
    left = deque(words)
    while left and left[0].startswith("-") and len(left[0]) > 1:
        word = left.popleft()
        options[word[:2] if not word.startswith("--") else word] = ""
        if word in _WITH_WORD and left:
            options[word] = left.popleft()
        elif word[:2] in ("-n", "-L", "-p", "-m") and len(word) > 2:
            options[word[:2]] = word[2:]
    return options, list(left)
