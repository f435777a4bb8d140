"""Who a running database lets in without asking: by its own answer, or by its settings.

redis and mysqld are asked over loopback and their socket, as nobody and with no credentials; of
PostgreSQL pg_hba.conf is read, of MongoDB and Elasticsearch the settings: what stands in a file
counts as far as the process that runs has read it since.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from collector.errors import CouldNotLook, NotUnderstood
from collector.facts.data.database_access_read import ACCOUNTS, MOST, QUESTION
from collector.facts.data.postgresql_hba import cluster_of, from_loopback
from collector.facts.system.taken_up import NOT_ASKED, taken_up
from collector.i18n.message import msg
from collector.model import Capture, Read, Text, shell

_READ = "database_access.state"
# what no setting frees from asking for a password
ALWAYS_ASK = frozenset({"dmserver", "sqlservr", "tnslsnr"})

READS: tuple[Read, ...] = (
    shell(
        _READ,
        QUESTION,
        seconds=20,
        limit=1 << 18,
        redact=r"s/\(md5\|SCRAM-SHA-256\)[^ ]*/\1***/g",
        privileged=True,
        why=Text(
            "正在运行的数据库是否须认证（不使用任何口令；只取认证方式与账户名）",
            "whether running databases ask who one is (no password is used; methods and names of"
            " accounts only)",
        ),
    ),
)

Auth = Literal["asks", "open", "unknown"]
_HEAD = re.compile(r"== ([a-z-]+) (\S.*)")
_EMPTY = (
    "-",
    "mysql_native_password",
    "caching_sha2_password",
    "sha256_password",
    "mysql_old_password",
)
_LOCAL = ("localhost", "127.0.0.1", "::1", "localhost.localdomain")


@dataclass(frozen=True, slots=True)
class Access:
    """What one engine does with whoever comes from elsewhere; `why` stands in both languages."""

    auth: Auth
    why: str
    lines: tuple[str, ...]


def access(capture: Capture) -> Mapping[str, Access]:
    """By engine, the laxest of those that run. Raises FactError."""
    parts = list(_parts(capture.read(_READ).text()))
    settings = [lines for kind, _, lines in parts if kind == "redis-settings"]
    found: dict[str, Access] = {}
    for kind, name, lines in parts:
        if kind == "redis":
            _keep(found, "redis", _redis(name, lines, settings))
        elif kind in _JUDGES:
            _keep(found, kind, _JUDGES[kind](name, lines))
        elif kind != "redis-settings":
            raise NotUnderstood(_READ, msg("part_no_kind", kind=kind))
    return found


def told_of(capture: Capture, kind: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """What was said of each database of that kind: its name (port, pid, folder) and the lines."""
    parts = _parts(capture.read(_READ).text())
    return tuple((name, lines) for found, name, lines in parts if found == kind)


def asked(capture: Capture, engine: str, pid: int, ports: Container[int]) -> bool:
    """Is what was said of that engine said of this process, which listens at those ports?

    A process is known by its number, redis by the port at which it answered.
    """
    told = told_of(capture, engine)
    if engine == "redis":
        return any(name.isdecimal() and int(name) in ports for name, _ in told)
    if engine in ("elasticsearch", "postgresql"):
        return any(f"run start {pid} " in f"{line} " for _, lines in told for line in lines)
    return any(name == str(pid) for name, _ in told)


def _keep(found: dict[str, Access], engine: str, seen: Access) -> None:
    order = ("asks", "unknown", "open")
    if engine not in found or order.index(seen.auth) > order.index(found[engine].auth):
        found[engine] = seen


def _parts(text: str) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    lines = text.splitlines()
    if not lines or lines[-1] != "== end":
        raise NotUnderstood(_READ, msg("ends_before_end"))
    kind, name, gathered = "", "", list[str]()
    for line in lines:
        match = _HEAD.fullmatch(line)
        if match or line == "== end":
            if kind == "more":
                raise CouldNotLook(_READ, msg("more_processes_databases", most=MOST))
            if kind:
                yield kind, name, tuple(gathered)
            gathered = []
            kind, name = (match[1], match[2]) if match else ("", "")
        elif not kind:
            raise NotUnderstood(_READ, msg("line_no_part", line=line))
        else:
            gathered.append(line)


def _redis(port: str, lines: tuple[str, ...], settings: list[tuple[str, ...]]) -> Access:
    """It answers itself where its client is there; else the settings of its port, if just one."""
    told = dict(line.partition(" ")[::2] for line in lines)
    ping = told.get("ping", "")
    quoted = tuple(f"port {port}: {line}" for line in lines)
    if ping.startswith(("NOAUTH", "(error) NOAUTH", "AUTH failed", "NOPERM")):
        return _redis_users(port, settings) or Access("asks", "requirepass", quoted)
    if ping == "PONG":
        version = re.search(r"_version:(\d+)\.", "\n".join(lines))
        # up to 6.2 a `bind` of one's own switched the protection off
        if told.get("protected") == "yes" and version and int(version[1]) >= 7:
            return Access("asks", "protected-mode yes", quoted)
        return Access("open", f"redis {port}: PONG", quoted)
    mine = [s for s in settings if port in (_value(s, "port", "6379"), _value(s, "tls-port", ""))]
    if len(mine) != 1:
        return Access("unknown", f"redis {port}", quoted)
    if any(re.match(r"\s*(aclfile|include|user)\s", line, re.IGNORECASE) for line in mine[0]):
        return Access("unknown", f"redis {port}: ACL", mine[0])
    by_settings = _redis_settings(port, mine[0])
    doubt = stale((*lines, *mine[0]))
    if by_settings.auth == "asks" and doubt:
        return Access("unknown", doubt, mine[0])
    return by_settings


def _redis_settings(port: str, lines: tuple[str, ...]) -> Access:
    if _value(lines, "requirepass", ""):
        return Access("asks", "requirepass", lines)
    if _value(lines, "protected-mode", "yes") == "yes" and not _value(lines, "bind", ""):
        return Access("asks", "protected-mode yes", lines)
    return Access("unknown", f"redis {port}", lines)


def stale(lines: tuple[str, ...]) -> str:
    """Which file may be other than what its process found when it started; empty where none is."""
    run = [line.removeprefix("run ") for line in lines if line.startswith("run ")]
    if run == ["none"]:
        return ""
    pid = next((m[1] for line in run if (m := re.fullmatch(r"start (\d{1,9}) \d+", line))), "0")
    taken = taken_up(run, int(pid), reloads=False) if run else NOT_ASKED
    return "" if taken.holds() else f"{taken.path or taken.how}: restart"


def _redis_users(port: str, settings: list[tuple[str, ...]]) -> Access | None:
    """Whether another user than `default` needs no password, or nobody can tell (Redis ACL).

    None where there is none, or no settings of this port were found.
    """
    for lines in settings:
        if port not in (_value(lines, "port", "6379"), _value(lines, "tls-port", "")):
            continue
        for line in lines:
            words = line.split()
            if words[:1] == ["user"] and _without_password(words[2:]):
                return Access("open", f"redis {port}: {words[1]} nopass", (line,))
        if _value(lines, "aclfile", "") and "acl" not in lines:
            return Access("unknown", f"redis {port}: ACL", lines)
    return None


def _without_password(rules: list[str]) -> bool:
    """By the rules of one user of Redis, of which the last one counts; new ones are off."""
    on = free = False
    for rule in (x.lower() for x in rules):
        on = {"on": True, "off": False, "reset": False}.get(rule, on)
        free = {"nopass": True, "resetpass": False, "reset": False}.get(rule, free)
        free = free and not rule.startswith((">", "#"))
    return on and free


def _value(lines: tuple[str, ...], word: str, default: str) -> str:
    """The last setting of that name counts."""
    values = [m[1] for x in lines if (m := re.match(rf"\s*{word}\s+(.*\S)", x, re.IGNORECASE))]
    return values[-1] if values else default


def _memcached(_: str, lines: tuple[str, ...]) -> Access:
    if lines:
        return Access("asks", "SASL", lines)
    return Access("open", "memcached", (msg("memcached_without_s"),))


def _mongodb(_: str, lines: tuple[str, ...]) -> Access:
    run = tuple(line for line in lines if line.startswith("run "))
    lines = tuple(line for line in lines if not line.startswith("run "))
    joined = "\n".join(lines)
    if re.search(r"transitionToAuth(?!\s*[:=]\s*false)", joined):
        return Access("open", "transitionToAuth", lines)
    asks = r"^\s*authorization\s*[:=]\s*[\"']?enabled|^\s*auth\s*=\s*true|^--auth$|keyFile"
    if re.search(asks, joined, re.MULTILINE) and "--noauth" not in lines:
        told = re.search(r"^--(?:auth|keyFile)$", joined, re.MULTILINE)
        # of its settings it has what it found when it started
        if not told and (doubt := stale(run)):
            return Access("unknown", f"mongod.conf: {doubt}", lines)
        return Access("asks", "authorization", lines)
    return Access("open", "mongod", lines or (msg("no_authorization"),))


def _mysql(_: str, lines: tuple[str, ...]) -> Access:
    """Accounts that may come from elsewhere and have no password.

    An account without a host may come from everywhere; a role of MariaDB has none either, and
    nobody can log in as one.
    """
    asked = "roles" in lines
    roles = {line.removeprefix("role ") for line in lines if line.startswith("role ")}
    lines = tuple(x for x in lines if x != "roles" and not x.startswith("role "))
    if not lines or not lines[0].startswith("as "):
        return Access("unknown", "mysql.user", lines[:1])
    if lines[0] in ("as @", "as skip-grants user@skip-grants host"):
        return Access("open", "skip-grant-tables", lines[:1])
    bare = []
    for line in lines:
        # it says who it is once more where the first form of the question was not understood
        if line == lines[0]:
            continue
        match = re.fullmatch(r"account (.*?) ?@ (\S*) (\S+) (\d+)", line)
        if match is None:
            raise NotUnderstood(_READ, msg("not_account", line=line))
        if not match[2] and match[1] in roles:
            continue
        if not match[2] and not asked:
            raise CouldNotLook(_READ, msg("roles_not_read", name=match[1]))
        if match[4] == "0" and match[3] in _EMPTY and match[2] not in _LOCAL:
            bare.append(f"{match[1] or '-'}@{match[2] or '%'}")
    if bare:
        return Access("open", ", ".join(bare), lines)
    if len(lines) > ACCOUNTS:
        raise CouldNotLook(_READ, msg("more_accounts", accounts=ACCOUNTS))
    return Access("asks", "mysql.user", lines)


def _postgresql(_: str, lines: tuple[str, ...]) -> Access:
    """`trust` for an address that is not loopback (pg_hba.conf, PostgreSQL 18, 20.1)."""
    cluster = cluster_of(lines)
    if not cluster.rules:
        return Access("unknown", "pg_hba.conf", lines)
    for words, line in cluster.rules:
        if words[0].startswith("include"):
            return Access("unknown", line, (line,))
        if words[0] != "local" and "trust" in words[4:] and not from_loopback(words[3], words[4]):
            return Access("open", line, (line,))
    if cluster.doubt:
        return Access("unknown", cluster.doubt, cluster.told)
    return Access("asks", "pg_hba.conf", lines[:1])


def _elasticsearch(_: str, lines: tuple[str, ...]) -> Access:
    doubt = stale(lines) if "runs" in lines else ""
    lines = tuple(line for line in lines if not line.startswith("run "))
    joined = "\n".join(lines)
    # of the settings of which one runs, and not of a package that was left over
    if re.search(r"enabled\s*:\s*[\"']?true", joined) and "runs" in lines:
        if doubt:
            return Access("unknown", doubt, lines)
        return Access("asks", "xpack.security.enabled", lines)
    if re.search(r"security\.enabled\s*:\s*[\"']?false|disabled\s*:\s*[\"']?true", joined):
        return Access("open", joined.strip(), lines)
    # on by default since 8.0, off before
    return Access("unknown", "xpack.security.enabled", lines)


_JUDGES: Mapping[str, Callable[[str, tuple[str, ...]], Access]] = {
    "memcached": _memcached,
    "mongodb": _mongodb,
    "mysql": _mysql,
    "postgresql": _postgresql,
    "elasticsearch": _elasticsearch,
}
