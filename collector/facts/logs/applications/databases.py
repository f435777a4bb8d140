"""How PostgreSQL, MySQL and MariaDB rotate and remove their own logs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from collector.facts.base.sizes import binary_size
from collector.facts.logs.applications.models import (
    READ,
    AppRule,
    Found,
    globbed,
    overwritten,
)
from collector.model import Text

_MIB = 1 << 20
_MINUTES = {"": 1.0, "s": 1 / 60, "min": 1.0, "h": 60.0, "d": 1440.0}
_TRUE = re.compile(r"(o|on|t|tr|tru|true|y|ye|yes|1)", re.IGNORECASE)


def databases(found: Found) -> Iterator[AppRule]:
    """The rules of all servers whose configuration was found."""
    yield from _postgres(found.of("postgres"))
    yield from _mysql(found.of("mysql"))


# --- PostgreSQL ----------------------------------------------------------------------------------


def _postgres(files: Mapping[str, tuple[str, ...]]) -> Iterator[AppRule]:
    """Each cluster: postgresql.conf, its conf.d, and what ALTER SYSTEM wrote over both."""
    for path, lines in files.items():
        folder, _, name = path.rpartition("/")
        if name != "postgresql.conf":
            continue
        said, place = _settings(lines), path
        for other in sorted(p for p in files if p.startswith(f"{folder}/conf.d/")):
            said |= _settings(files[other])
        data = said.get("data_directory", folder)
        auto = f"{data.rstrip('/')}/postgresql.auto.conf"
        if auto in files:
            overlaid = _settings(files[auto])
            place = auto if overlaid else place
            said |= overlaid
        strange = [
            value
            for line in lines
            for key, value in (_setting(line),)
            if key.startswith("include") and value.rstrip("/") not in ("conf.d", f"{folder}/conf.d")
        ]
        yield from _cluster(said, data, place, strange)


def _cluster(said: dict[str, str], data: str, path: str, strange: list[str]) -> Iterator[AppRule]:
    if not _TRUE.fullmatch(said.get("logging_collector", "off")) and not strange:
        return
    folder = said.get("log_directory", "log")
    if not folder.startswith("/"):
        folder = f"{data.rstrip('/')}/{folder}"
    name = said.get("log_filename", "postgresql-%Y-%m-%d_%H%M%S.log")
    stem = re.sub(r"\.log$", "", globbed(name))
    every = _age(said.get("log_rotation_age", "1d"))
    empties = bool(_TRUE.fullmatch(said.get("log_truncate_on_rotation", "off")))
    words = f"log_filename={name}, log_rotation_age={said.get('log_rotation_age', '1d')}"
    words += f", log_truncate_on_rotation={'on' if empties else 'off'}"
    why = Text(f"PostgreSQL 自身轮转：{words}", f"PostgreSQL's own rotation: {words}")
    log = f"{folder.rstrip('/')}/{stem}*" if "*" not in stem[-1:] else f"{folder}/{stem}"
    if strange:
        why = Text(
            f"{why.zh}（另有未读取的包含文件 {strange[0]}）",
            f"{why.en} (it includes {strange[0]}, which was not read)",
        )
        yield AppRule(log, why, READ, path, words, known=False)
        return
    # only a rotation by time empties a file whose name comes again
    days = overwritten(name, every * 60) if empties and every else None
    yield AppRule(log, why, READ, path, words, days=days)


def _settings(lines: Iterable[str]) -> dict[str, str]:
    return {key: value for key, value in map(_setting, lines) if not key.startswith("include")}


def _setting(line: str) -> tuple[str, str]:
    """`name = 'value'`: the sign may be left out, quotes are doubled inside quotes."""
    match = re.match(r"\s*(\w+)\s*=?\s*(?:'((?:[^']|'')*)'|([^\s#]*))", line)
    if not match:
        return "", ""
    return match[1].lower(), match[2].replace("''", "'") if match[2] is not None else match[3]


def _age(text: str) -> float:
    """Minutes; 0 where it never rotates by time."""
    match = re.fullmatch(r"(\d+)\s*(s|min|h|d)?", text.strip())
    return int(match[1]) * _MINUTES[match[2] or ""] if match else 1440.0


# --- MySQL and MariaDB ---------------------------------------------------------------------------


def _mysql(files: Mapping[str, tuple[str, ...]]) -> Iterator[AppRule]:
    """The server's sections of all files together, later ones over earlier ones."""
    said: dict[str, tuple[str, str]] = {}
    for path, lines in files.items():
        section = ""
        for line in lines:
            line = line.split("#")[0].strip()
            if line.startswith("["):
                section = line.strip("[] ").lower()
            elif re.match(r"(mysqld|mariadb|server|galera)(-[\d.]+)?$|mariadbd", section):
                key, _, value = line.partition("=")
                key = re.sub(r"^loose_", "", key.strip().lower().replace("-", "_"))
                said[key] = (value.strip().strip("\"'"), path)
    data = said.get("datadir", ("/var/lib/mysql", ""))[0].rstrip("/")
    yield from _audit(said, data)
    yield from _binary(said, data)


def _audit(said: dict[str, tuple[str, str]], data: str) -> Iterator[AppRule]:
    """MariaDB's server_audit, and audit_log of Percona and MySQL Enterprise: by size and number."""
    told = [key for key in said if key.startswith("server_audit_")]
    if told and said.get("server_audit_output_type", ("file", ""))[0].lower() == "file":
        log = said.get("server_audit_file_path", ("server_audit.log", ""))[0]
        each = said.get("server_audit_file_rotate_size", ("1000000", ""))[0]
        number = said.get("server_audit_file_rotations", ("9", ""))[0]
        words = f"server_audit_file_rotate_size={each}, server_audit_file_rotations={number}"
        yield _sized(_below(log, data), words, each, number, said[told[0]][1])
    told = [key for key in said if key.startswith("audit_log_")]
    if told and said.get("audit_log_handler", ("file", ""))[0].lower() == "file":
        log = said.get("audit_log_file", ("audit.log", ""))[0]
        each = said.get("audit_log_rotate_on_size", ("0", ""))[0]
        number = said.get("audit_log_rotations", ("0", ""))[0]
        words = f"audit_log_rotate_on_size={each}, audit_log_rotations={number}"
        rule = _sized(_below(log, data), words, each, number, said[told[0]][1])
        pruned = [k for k in ("audit_log_max_size", "audit_log_prune_seconds") if k in said]
        if pruned and any(said[k][0] != "0" for k in pruned):
            seconds = said.get("audit_log_prune_seconds", ("0", ""))[0]
            days = int(seconds) // 86400 if seconds.isdecimal() and seconds != "0" else None
            room = binary_size(said.get("audit_log_max_size", ("0", ""))[0]) or None
            words = ", ".join(f"{k}={said[k][0]}" for k in pruned)
            why = Text(f"数据库审计日志：{words}", f"the database's audit log: {words}")
            rule = AppRule(rule.log, why, READ, rule.path, words, days=days, room=room)
        yield rule


def _sized(log: str, words: str, each: str, number: str, path: str) -> AppRule:
    why = Text(f"数据库审计日志：{words}", f"the database's audit log: {words}")
    amount = binary_size(each)
    if amount is None or not number.isdecimal():
        return AppRule(f"{log}*", why, READ, path, words, known=False)
    # no number, or no size: it is never rotated, and so nothing is removed
    room = amount * int(number) if amount and int(number) else None
    return AppRule(f"{log}*", why, READ, path, words, room=room)


def _below(log: str, data: str) -> str:
    return log if log.startswith("/") else f"{data}/{log.removeprefix('./')}"


def _binary(said: dict[str, tuple[str, str]], data: str) -> Iterator[AppRule]:
    """Binary logs are for recovery, no log of who did what: they are shown, not judged."""
    name = said.get("log_bin")
    if name is None:
        return
    seconds = said.get("binlog_expire_logs_seconds", ("", ""))[0]
    days = said.get("expire_logs_days", ("", ""))[0]
    kept = int(seconds) // 86400 if seconds.isdecimal() else None
    kept = kept if kept is not None or not days.isdecimal() else int(days)
    words = ", ".join(
        f"{key}={said[key][0]}"
        for key in ("binlog_expire_logs_seconds", "expire_logs_days")
        if key in said
    ) or "log_bin"  # fmt: skip
    log = re.sub(r"\.\w+$", "", _below(name[0] or "*bin", data))
    why = Text(f"数据库二进制日志：{words}", f"the database's binary log: {words}")
    yield AppRule(
        f"{log}.*", why, READ, name[1], words, days=kept or None, known=bool(words != "log_bin"),
        family="other",
    )  # fmt: skip
