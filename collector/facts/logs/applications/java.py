"""How Java software rotates and removes its logs: Logback, Log4j 1 and 2, Spring Boot, Tomcat.

The lines that were read are not whole documents, so that forms are looked for, element by element.
What a configuration leaves open (a variable that is set elsewhere) stands for any name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from collector.facts.base.sizes import binary_size
from collector.facts.logs.applications.java_servers import juli, spring, valves
from collector.facts.logs.applications.models import READ, AppRule, Found
from collector.model import Text

_DAY = 86400.0
# days of a period of java.time patterns: the finest letter decides
_PERIODS = (("s", 1 / _DAY), ("m", 1 / 1440), ("H", 1 / 24), ("h", 1 / 24), ("a", 0.5),
            ("d", 1.0), ("D", 1.0), ("w", 7.0), ("W", 7.0), ("M", 28.0), ("y", 365.0))  # fmt: skip


def java(found: Found) -> Iterator[AppRule]:
    """One rule for each appender that rolls its files over."""
    files = found.of("java")
    for path, lines in files.items():
        name = path.rsplit("/", 1)[-1]
        text = re.sub(r"<!--.*?(-->|\Z)", "", "\n".join(lines), flags=re.DOTALL)
        if name == "server.xml":
            yield from valves(path, text)
        elif name == "logging.properties":
            yield from juli(path, lines)
        elif name.startswith("application"):
            yield from spring(path, name, lines)
        elif name.endswith(".properties"):
            yield from (
                _log4j1(path, lines) if "log4j.appender" in text else _log4j2_flat(path, lines)
            )
        elif "<fileNamePattern>" in text or "<rollingPolicy" in text:
            yield from _logback(path, text)
        elif name.startswith("log4j"):
            yield from _log4j2(path, text)


def _variables(text: str) -> dict[str, str]:
    found = dict(
        re.findall(r'<(?:property|variable)\s[^>]*?name="([^"]+)"\s+value="([^"]*)"', text)
    )
    found |= dict(re.findall(r'<Property\s+name="([^"]+)"\s*>([^<]*)<', text))
    return found | dict(re.findall(r'<Property\s+name="([^"]+)"\s+value="([^"]*)"', text))


def _filled(text: str, known: Mapping[str, str]) -> str:
    """Variables by their value or default; `*` where neither stands there."""
    for _ in range(4):
        text = re.sub(
            r"(?<!\$)\$++\{(?:(?:sys|env|ctx|spring|bundle|main):)?([^${}:]+)(?::-?([^${}]*))?\}",
            lambda m: known.get(m[1], m[2] if m[2] is not None else "*"),
            text,
        )
    return text


def _glob(pattern: str) -> str:
    name = re.sub(r"%d(?:\{[^}]*\})?(?:\{[^}]*\})?|%\d*i|%X\{[^}]*\}", "*", pattern)
    return re.sub(r"\*[*]+", "*", name)


def _period(pattern: str, prefix: str = "%d") -> float | None:
    """Days of one period of the primary %d; None where the name has no date."""
    dates = re.findall(rf"{prefix}(?:\{{([^}}]*)\}})?", pattern)
    dates = [d for d in dates if not re.search(r",\s*aux\b", d)]
    if not dates:
        return None
    form = re.sub(r"'[^']*'", "", dates[0].split(",")[0]) or "yyyy-MM-dd"
    return next((days for letter, days in _PERIODS if letter in form), None)


def _shared(live: str, archived: str) -> str:
    """One glob for the live file and its archives."""
    if not live:
        return archived
    common = 0
    while common < min(len(live), len(archived)) and live[common] == archived[common]:
        common += 1
    stem = live[:common]
    name = stem.rsplit("/", 1)[-1]
    # archives in a folder of their own: the log is named by its archives
    return f"{stem}*" if name else archived


def _logback(path: str, text: str) -> Iterator[AppRule]:
    known = _variables(text)
    for part in re.split(r"(?=<appender[ >])", text)[1:]:
        pattern = _value(part, "fileNamePattern", known)
        if not pattern:
            continue
        log = _shared(_value(part, "file", known), _glob(pattern))
        period, number = _period(pattern), _value(part, "maxHistory", known)
        cap, each = _value(part, "totalSizeCap", known), _value(part, "maxFileSize", known)
        last = _value(part, "maxIndex", known)
        words = ", ".join(
            f"{name}={value}"
            for name, value in (
                ("fileNamePattern", pattern.rsplit("/", 1)[-1]), ("maxHistory", number),
                ("totalSizeCap", cap), ("maxFileSize", each), ("maxIndex", last),
            )
            if value
        )  # fmt: skip
        why = Text(f"Logback：{words}", f"Logback: {words}")
        if period is None:
            # a window of numbered files (FixedWindowRollingPolicy)
            amount, count = binary_size(each or "10MB"), int(last) if last.isdecimal() else 7
            room = amount * count if amount else None
            yield AppRule(log, why, READ, path, words, room=room, known=room is not None)
            continue
        days = int(int(number) * period) if number.isdecimal() and int(number) else None
        room = binary_size(cap) if cap and cap not in ("0", "0B") else None
        clear = (number == "" or number.isdecimal()) and (not cap or binary_size(cap) is not None)
        yield AppRule(log, why, READ, path, words, days=days, room=room or None, known=clear)


def _value(part: str, name: str, known: Mapping[str, str]) -> str:
    match = re.search(rf"<{name}>([^<]*)<", part)
    return _filled(match[1].strip(), known) if match else ""


def _log4j2(path: str, text: str) -> Iterator[AppRule]:
    known = _variables(text)
    for part in re.split(r"(?=<Rolling(?:RandomAccess)?File[ >])", text)[1:]:
        pattern = _filled(_attribute(part, "filePattern"), known)
        if not pattern:
            continue
        live = _filled(_attribute(part, "fileName"), known)
        sized = re.search(r"<SizeBasedTriggeringPolicy\b[^>]*?size=\"([^\"]*)\"", part)
        top = re.search(r"<DefaultRolloverStrategy\b[^>]*?\bmax=\"([^\"]*)\"", part)
        each = _filled(sized[1], known) if sized else ""
        most = _filled(top[1], known) if top else "7"
        yield _rolled2(path, live, pattern, each, most, _delete(part, known))


def _attribute(part: str, name: str) -> str:
    match = re.search(rf'\b{name}="([^"]*)"', part)
    return match[1] if match else ""


def _delete(part: str, known: Mapping[str, str]) -> dict[str, str]:
    """The limits of a Delete action: `age`, `files`, `bytes`."""
    found: dict[str, str] = {}
    match = re.search(r"<Delete[ >].*?(</Delete>|\Z)", part, re.DOTALL)
    for name, form in (
        ("age", r'<IfLastModified\b[^>]*?age="([^"]*)"'),
        ("files", r'<IfAccumulatedFileCount\b[^>]*?exceeds="([^"]*)"'),
        ("bytes", r'<IfAccumulatedFileSize\b[^>]*?exceeds="([^"]*)"'),
    ):
        said = re.search(form, match[0]) if match else None
        if said:
            found[name] = _filled(said[1], known)
    return found


def _rolled2(
    path: str, live: str, pattern: str, each: str, most: str, delete: dict[str, str]
) -> AppRule:
    """RollingFile of Log4j 2: `max` counts %i within one date; only Delete removes by age."""
    period, counted = _period(pattern), "%i" in pattern
    words = ", ".join(
        f"{name}={value}"
        for name, value in (
            ("filePattern", pattern.rsplit("/", 1)[-1]), ("size", each),
            ("max", most if counted else ""), *((f"Delete {k}", v) for k, v in delete.items()),
        )
        if value
    )  # fmt: skip
    why = Text(f"Log4j 2：{words}", f"Log4j 2: {words}")
    log = _shared(live, _glob(pattern))
    amount, known = binary_size(each) if each else None, True
    days, room = (
        _days2(delete.get("age", "")),
        binary_size(delete.get("bytes", "")) if delete else None,
    )
    known = ("age" not in delete or days is not None) and ("bytes" not in delete or bool(room))
    count = delete.get("files", "")
    if count:
        by_count = int(int(count) * period) if count.isdecimal() and period else None
        # with several files a day, a count of files is no count of days
        known = known and by_count is not None and not (counted and amount)
        days = min((n for n in (days, by_count) if n is not None), default=None)
    if not counted or (period is not None and not each):
        return AppRule(log, why, READ, path, words, days=days, room=room, known=known)
    known = known and amount is not None and most.isdecimal()
    window = (amount or 0) * int(most) if known else None
    if period is None:
        room = min(n for n in (window, room) if n is not None) if known else None
        return AppRule(log, why, READ, path, words, days=days, room=room, known=known)
    return AppRule(
        log, why, READ, path, words, days=days, room=room, window=window, period=period, known=known
    )


def _days2(age: str) -> int | None:
    """`30d`, `P30D`, `P1DT12H` of java.time.Duration (a bare 30d is taken too)."""
    match = re.fullmatch(
        r"(?:P)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:\d+M)?(?:\d+S)?|(\d+)H)?", age.strip().upper()
    )
    if not match or not any(match.groups()):
        return None
    return int(match[1] or 0) + int(match[2] or match[3] or 0) // 24


def _log4j2_flat(path: str, lines: tuple[str, ...]) -> Iterator[AppRule]:
    """log4j2.properties: `appender.NAME.filePattern = …`."""
    said = _properties(lines)
    for key, pattern in said.items():
        if not key.endswith(".filePattern"):
            continue
        name = key.removesuffix("filePattern")
        mine = {k.removeprefix(name): v for k, v in said.items() if k.startswith(name)}
        each = next((v for k, v in mine.items() if re.fullmatch(r"policies\.\w+\.size", k)), "")
        delete = {}
        if any(v == "Delete" for v in mine.values()):
            delete["age"] = next((v for k, v in mine.items() if k.endswith(".age")), "?")
        live = _filled(mine.get("fileName", ""), {})
        most = mine.get("strategy.max", "7")
        yield _rolled2(path, live, _filled(pattern, {}), each, most, delete)


def _log4j1(path: str, lines: tuple[str, ...]) -> Iterator[AppRule]:
    said = _properties(lines)
    for key, kind in said.items():
        match = re.fullmatch(r"log4j\.appender\.\w+", key)
        if not match or "File" not in kind:
            continue
        mine = {k.removeprefix(key + ".").lower(): v for k, v in said.items() if k.startswith(key)}
        log = f"{_filled(mine.get('file', '*'), {})}*"
        if not kind.endswith(".RollingFileAppender"):
            why = Text(f"Log4j 1：{kind} 不删除", f"Log4j 1: {kind} removes nothing")
            yield AppRule(log, why, READ, path, f"{key}={kind}")
            continue
        each, number = mine.get("maxfilesize", "10MB"), mine.get("maxbackupindex", "1")
        words = f"MaxFileSize={each}, MaxBackupIndex={number}"
        amount = binary_size(each)
        room = amount * int(number) if amount and number.isdecimal() else None
        why = Text(f"Log4j 1：{words}", f"Log4j 1: {words}")
        yield AppRule(log, why, READ, path, words, room=room, known=room is not None)


def _properties(lines: tuple[str, ...]) -> dict[str, str]:
    pairs = (line.partition("=") for line in lines if not line.lstrip().startswith(("#", "!")))
    return {key.strip(): value.strip() for key, separator, value in pairs if separator}
