"""sshd_config(5) as written: the `Match` blocks, which `sshd -T` shows for one connection only."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from collector.errors import NotUnderstood
from collector.facts.access.sshd_effective import Listener
from collector.facts.shell import quoting
from collector.i18n.message import msg
from collector.model import Capture


@dataclass(frozen=True, slots=True)
class Block:
    """One `Match` block as written: its criteria (small letters → value) and its settings."""

    path: str
    line: str
    criteria: tuple[tuple[str, str], ...]
    settings: tuple[tuple[str, str], ...]

    def value(self, keyword: str) -> str | None:
        """The first value set for a keyword, which is the one that counts (sshd_config(5))."""
        return next((v for k, v in self.settings if k == keyword), None)

    def concerns(self, user: str, groups: Iterable[str]) -> bool:
        """Can it hold for this user, from some address?"""
        for name, value in self.criteria:
            if name == "user" and not matches(user, value.split(",")):
                return False
            if name == "group" and not any(matches(g, value.split(",")) for g in groups):
                return False
            if name == "invalid-user":
                return False
        return True

    @property
    def always(self) -> bool:
        """Does it hold for every connection of the users it names?"""
        return all(name in ("all", "user") for name, _ in self.criteria)


def matches(name: str, patterns: Iterable[str]) -> bool:
    """OpenSSH's pattern list (ssh_config(5) PATTERNS): a negated match wins over all others."""
    found = False
    for pattern in patterns:
        negated, bare = pattern.startswith("!"), pattern.lstrip("!")
        if fnmatchcase(name, bare.replace("[", "[[]")):
            if negated:
                return False
            found = True
    return found


def blocks(capture: Capture, listener: Listener) -> tuple[Block, ...]:
    """The `Match` blocks of the files this listener reads, in the order in which they count.

    Raises NotUnderstood when an included file was not read.
    """
    known = {f.path: f for f in capture.read("sshd.files").present()}
    texts = {p: f.text("sshd.files") for p, f in known.items()}
    found: list[Block] = []
    if listener.config is not None:
        _scan("(-f)", listener.config, texts, found, 0)
        return tuple(found)
    system = ("/etc/ssh/sshd_config", "/usr/etc/ssh/sshd_config")
    mains = [p for p in texts if p.endswith("/sshd_config")]
    if listener.exe.startswith(("/usr/sbin/", "/usr/bin/", "/sbin/")):
        mains = [p for p in system if p in texts][:1]
    if not mains:
        raise NotUnderstood("sshd.files", msg("no_configuration_file_found", exe=listener.exe))
    for path in mains:
        _scan(path, texts[path], texts, found, 0)
    return tuple(found)


_BY_PASSWORD = (
    "passwordauthentication",
    "kbdinteractiveauthentication",
    "challengeresponseauthentication",
)


def takes_passwords(capture: Capture, listener: Listener) -> bool:
    """Does this sshd take a password from anybody: by itself, or by one of its Match blocks?

    Raises NotUnderstood where these were not read.
    """
    if any(
        listener.first(word, user) == "yes" for word in _BY_PASSWORD for user in ("root", "nobody")
    ):
        return True
    told = (block.value(word) for block in blocks(capture, listener) for word in _BY_PASSWORD)
    return any((value or "").lower() == "yes" for value in told)


def _scan(path: str, text: str, texts: Mapping[str, str], found: list[Block], depth: int) -> None:
    if depth > 16:  # servconf.c, SERVCONF_MAX_DEPTH
        raise NotUnderstood("sshd.files", msg("included_too", path=path))
    criteria: tuple[tuple[str, str], ...] | None = None
    start = ""
    settings: list[tuple[str, str]] = []
    for line in text.splitlines():
        words = _words(line, path)
        if not words:
            continue
        keyword, rest = words[0].lower(), words[1:]
        if keyword == "match":
            if criteria is not None:
                found.append(Block(path, start, criteria, tuple(settings)))
            criteria, start, settings = _criteria(rest, path), line.strip(), []
        elif keyword == "include":
            inside = criteria is not None
            for other in (p for pattern in rest for p in _included(pattern, texts)):
                if inside:
                    settings += _inside(other, texts[other])
                else:
                    _scan(other, texts[other], texts, found, depth + 1)
        elif criteria is not None:
            settings.append((keyword, " ".join(rest)))
    if criteria is not None:
        found.append(Block(path, start, criteria, tuple(settings)))


def _included(pattern: str, texts: Mapping[str, str]) -> list[str]:
    wanted = pattern if pattern.startswith("/") else f"/etc/ssh/{pattern}"
    hit = sorted(p for p in texts if fnmatchcase(p, wanted))
    usual = re.match(r"(/usr)?/etc/ssh/sshd_config\.d/[^/]*$", wanted)
    if not usual and (not hit or any(c in wanted for c in "*?[")):
        raise NotUnderstood("sshd.files", msg("include_these_files_not", pattern=pattern))
    return hit


def _inside(path: str, text: str) -> list[tuple[str, str]]:
    """The settings of a file that is included inside a Match block."""
    found = []
    for line in text.splitlines():
        words = _words(line, path)
        if words and words[0].lower() in ("match", "include"):
            raise NotUnderstood("sshd.files", msg("inside_match_block", path=path, words=words[0]))
        if words:
            found.append((words[0].lower(), " ".join(words[1:])))
    return found


def _words(line: str, path: str) -> list[str]:
    bare = line.strip()
    if not bare or bare.startswith("#"):
        return []
    bare = re.sub(r"^(\w+)\s*=\s*", r"\1 ", bare)
    try:
        return quoting.split(bare, comments=True)
    except ValueError:
        raise NotUnderstood("sshd.files", msg("at", where=path, what=repr(bare))) from None


def _criteria(words: list[str], path: str) -> tuple[tuple[str, str], ...]:
    found: list[tuple[str, str]] = []
    rest = list(words)
    while rest:
        name, equals, value = rest.pop(0).partition("=")
        name = name.lower()
        if name in ("all", "invalid-user"):
            found.append((name, ""))
            continue
        if not equals:
            if not rest:
                raise NotUnderstood("sshd.files", msg("match", path=path, names=" ".join(words)))
            value = rest.pop(0)
        found.append((name, value))
    return tuple(found)
