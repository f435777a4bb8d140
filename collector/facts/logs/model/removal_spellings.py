"""The ways in which a script may spell what it removes: quoted, in braces, by a loop's variable."""

from __future__ import annotations

import re

_BRACES = re.compile(r"(?<![$\\])\{([^{}\s]*,[^{}\s]*)\}")
_MOST = 64
_REMOVES = r"\b(?:rm|unlink|shred|truncate)\b"
_WHILE = re.compile(r"\|\s*while\s+(?:IFS=\S*\s+)?read\s+(?:-\w+\s+(?:''\s+)?)*(\w+)")
_FIND = re.compile(r"\bfind\s[^|;&]*-(?:delete\b|exec(?:dir)?\s+\S*\b(?:rm|unlink|truncate)\b)")
_HERE = re.compile(r"(?:^|[\s;&|(/])(?:rm|unlink|shred|truncate)\s((?:[^;&|>]|>&)*)")


def plain(line: str) -> str:
    """Without quotes, and with the words of braces side by side.

    >>> plain('rm -f "/var/log"/{syslog,auth.log}.1')
    'rm -f /var/log/syslog.1 /var/log/auth.log.1'
    """
    words = [line.replace('"', "").replace("'", "")]
    while len(words) < _MOST and any(_BRACES.search(word) for word in words):
        words = [one for word in words for one in _spread(word)]
    return words[0]


def _spread(line: str) -> list[str]:
    match = _BRACES.search(line)
    if match is None:
        return [line]
    start = max(line.rfind(sign, 0, match.start()) for sign in " \t;&|(") + 1
    rest = re.match(r"[^\s;&|)]*", line[match.end() :])
    tail = rest[0] if rest else ""
    all_of_it = " ".join(f"{line[start : match.start()]}{x}{tail}" for x in match[1].split(","))
    return [line[:start] + all_of_it + line[match.end() + len(tail) :]]


def one_by_one(name: str, text: str) -> bool:
    """Is what a loop's variable stands for removed, emptied or moved away?

    >>> one_by_one("f", 'for f in /var/log/*.log; do : > "$f"; done')
    True
    >>> one_by_one("f", "for f in /var/log/*.log; do wc -l $f >> /tmp/n; done")
    False
    """
    value = rf"[\"']?\$\{{?{name}\b"
    return bool(re.search(rf"{_REMOVES}[^\n;]*{value}|(?<!>)>\s*{value}", text))


def read_one_by_one(line: str, text: str, folder: str) -> bool:
    """Does a loop remove the logs whose names another command prints?"""
    loop = _WHILE.search(line)
    logs = "/var/log" in line or folder.startswith("/var/log")
    return bool(loop and logs and one_by_one(loop[1], text))


def not_followed(line: str, folder: str) -> bool:
    """Does a line of which nothing was told remove logs all the same?

    By find(1) it chooses by something else than age and name; in a folder of logs it names them
    without it.

    >>> not_followed("find /var/log -name '*.log' -size +100M -delete", "")
    True
    >>> not_followed("cd /var/log && rm -f *.gz", "/var/log"), not_followed("rm -f /tmp/x", "")
    (True, False)
    """
    here = folder.startswith("/var/log")
    if _FIND.search(line) and "-empty" not in line:
        return bool(re.search(r"\bfind\s[^|;&]*/var/log", line)) or here
    if not here:
        return False
    words = [word for match in _HERE.finditer(line) for word in match[1].split()]
    return any(re.match(r"[\w.*?\[]", word) and re.search(r"[A-Za-z*?]", word) for word in words)
