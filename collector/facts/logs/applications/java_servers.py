"""The logs of Tomcat (JULI and the access log's valve) and of Spring Boot's own settings."""

from __future__ import annotations

import re
from collections.abc import Iterator

from collector.facts.base.sizes import binary_size
from collector.facts.logs.applications.models import READ, AppRule
from collector.model import Text


def valves(path: str, text: str) -> Iterator[AppRule]:
    """AccessLogValve of server.xml: never removed without maxDays."""
    for part in re.split(r"(?=<Valve\b)", text)[1:]:
        if "AccessLogValve" not in part:
            continue
        said = dict(re.findall(r'\b(directory|prefix|suffix|maxDays)="([^"]*)"', part))
        folder = _folder(said.get("directory", "logs"), path)
        log = f"{folder}/{said.get('prefix', 'access_log')}*"
        yield _by_days(log, said.get("maxDays", "-1"), "AccessLogValve maxDays", path, "web")


def juli(path: str, lines: tuple[str, ...]) -> Iterator[AppRule]:
    """logging.properties of Tomcat: `1catalina.org.apache.juli.AsyncFileHandler.maxDays = 90`."""
    said: dict[str, dict[str, str]] = {}
    for line in lines:
        match = re.match(r"\s*(\S*FileHandler)\.(directory|prefix|maxDays)\s*=\s*(.*?)\s*$", line)
        if match and not line.lstrip().startswith("#"):
            said.setdefault(match[1], {})[match[2]] = match[3]
    for handler, mine in said.items():
        if "prefix" in mine or "juli" in handler:
            folder = _folder(mine.get("directory", "logs"), path)
            log = f"{folder}/{mine.get('prefix', 'juli.')}*"
            name = handler.split(".", 1)[0]
            yield _by_days(log, mine.get("maxDays", "-1"), f"{name} maxDays", path, "")


def _folder(said: str, path: str) -> str:
    """A relative folder lies in Tomcat's own, which holds `conf/`."""
    base = path.rsplit("/conf/", 1)[0] if "/conf/" in path else "*"
    said = re.sub(r"\$\{catalina\.(base|home)\}", base, said)
    return (said if said.startswith(("/", "*")) else f"{base}/{said}").rstrip("/")


def _by_days(log: str, number: str, words: str, path: str, family: str) -> AppRule:
    said = f"{words}={number}"
    known = re.fullmatch(r"-?\d+", number) is not None
    days = int(number) if known and int(number) > 0 else None
    why = Text(f"Tomcat：{said}", f"Tomcat: {said}")
    return AppRule(log, why, READ, path, said, days=days, known=known, family=family)


def spring(path: str, name: str, lines: tuple[str, ...]) -> Iterator[AppRule]:
    """Spring Boot keeps seven days unless told otherwise (logging.logback.rollingpolicy)."""
    said = _yaml(lines) if name.endswith(("yml", "yaml")) else _flat(lines)
    file = said.get("logging.file.name") or said.get("logging.file", "")
    if not file and said.get("logging.file.path"):
        file = f"{said['logging.file.path'].rstrip('/')}/spring.log"
    if not file:
        return
    policy = "logging.logback.rollingpolicy"
    number = said.get(f"{policy}.max-history", said.get("logging.file.max-history", "7"))
    cap = said.get(f"{policy}.total-size-cap", said.get("logging.file.total-size-cap", "0B"))
    words = f"max-history={number}, total-size-cap={cap}"
    amount = binary_size(cap)
    known = number.isdecimal() and amount is not None
    log = re.sub(r"\$\{[^}]*\}", "*", file)
    log = log if log.startswith(("/", "*")) else f"*/{log.removeprefix('./')}"
    why = Text(f"Spring Boot：{words}", f"Spring Boot: {words}")
    days = int(number) if number.isdecimal() and int(number) else None
    yield AppRule(f"{log}*", why, READ, path, words, days=days, room=amount or None, known=known)


def _flat(lines: tuple[str, ...]) -> dict[str, str]:
    pairs = (line.partition("=") for line in lines if not line.lstrip().startswith("#"))
    return {key.strip(): value.strip() for key, _, value in pairs}


def _yaml(lines: tuple[str, ...]) -> dict[str, str]:
    """The keys that were read, by their indentation; others do not stand between them."""
    found: dict[str, str] = {}
    above: list[tuple[int, str]] = []
    for line in lines:
        match = re.match(r"( *)([\w.-]+):\s*(?:[\"']?(.*?)[\"']?)?\s*$", line)
        if not match:
            continue
        depth = len(match[1])
        above = [(d, k) for d, k in above if d < depth]
        key = ".".join([*(k for _, k in above), match[2]])
        above.append((depth, match[2]))
        if match[3] and key.startswith("logging."):
            found.setdefault(key, match[3])
    return found
