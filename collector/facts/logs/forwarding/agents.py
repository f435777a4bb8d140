"""Log agents beside syslog: their processes, settings, what they read and where they send it.

Beats, Fluent Bit, Fluentd, Vector, Promtail and Alloy, the agents of Alibaba Cloud SLS (ilogtail,
LoongCollector), Tencent Cloud CLS (LogListener) and Huawei Cloud LTS (ICAgent),
systemd-journal-upload, and auditd's audisp-remote.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from collector.errors import BadInput, NotUnderstood
from collector.i18n.message import msg, told
from collector.schema import load_documents

_READ = "log_shipping.state"


@dataclass(frozen=True, slots=True)
class Agent:
    """`names` are its processes' as the kernel cuts them, `files` globs of its settings.

    `console`: what it collects is set in its cloud's console; nothing of it need be on the host.
    """

    id: str
    names: tuple[str, ...]
    files: tuple[str, ...] = ()
    console: bool = False


AGENTS: tuple[Agent, ...] = (
    Agent(
        "filebeat", ("filebeat",), ("/etc/filebeat/filebeat.yml", "/etc/filebeat/inputs.d/*.yml")
    ),
    Agent(
        "fluent-bit",
        ("fluent-bit", "td-agent-bit"),
        ("/etc/fluent-bit/*.conf", "/etc/td-agent-bit/*.conf", "/etc/fluent-bit/*.yaml"),
    ),
    Agent(
        "fluentd",
        ("fluentd", "ruby", "td-agent"),
        (
            "/etc/fluent/fluentd.conf",
            "/etc/fluent/fluent.conf",
            "/etc/td-agent/td-agent.conf",
            "/etc/fluent/config.d/*.conf",
        ),
    ),
    Agent("vector", ("vector",), ("/etc/vector/*.yaml", "/etc/vector/*.toml")),
    Agent(
        "promtail",
        ("promtail",),
        ("/etc/promtail/*.yml", "/etc/promtail/*.yaml", "/etc/loki/promtail.y*ml"),
    ),
    Agent("alloy", ("alloy",), ("/etc/alloy/*.alloy",)),
    Agent(
        "ilogtail",
        ("ilogtail", "loongcollector"),
        (
            "/usr/local/ilogtail/user_log_config.json",
            "/usr/local/ilogtail/ilogtail_config.json",
            "/usr/local/ilogtail/config/local/*.yaml",
        ),
        console=True,
    ),
    Agent("loglistener", ("loglistener", "loglisteneragen"), console=True),
    Agent("icagent", ("icagent", "ICAgent"), console=True),
    Agent(
        "systemd-journal-upload",
        ("systemd-journal",),
        ("/etc/systemd/journal-upload.conf", "/etc/systemd/journal-upload.conf.d/*.conf"),
    ),
    Agent(
        "audisp-remote",
        ("audisp-remote",),
        (
            "/etc/audit/audisp-remote.conf",
            "/etc/audisp/audisp-remote.conf",
            "/etc/audit/plugins.d/au-remote.conf",
            "/etc/audisp/plugins.d/au-remote.conf",
        ),
    ),
)
# relays that a daemon may send through: they hold the connection that leaves the host
RELAYS = ("stunnel", "stunnel4", "haproxy", "ssh", "autossh", "socat", "logstash", "java")

# syslog daemons whose settings are not read: they may send, and nobody knows
OTHERS = ("syslogd", "metalog", "socklog", "nxlog", "vlagent", "otelcol", "otelcol-contrib")


@dataclass(frozen=True, slots=True)
class Settings:
    """What an agent is told: `targets` (host, port), files it `follows`, the `journal`.

    `clear` is False where what it reads is not told by its settings.
    """

    targets: tuple[tuple[str, int | None], ...] = ()
    follows: tuple[str, ...] = ()
    journal: bool = False
    clear: bool = True
    lines: tuple[tuple[str, str], ...] = ()


def settings_of(agent: Agent, files: Mapping[str, str]) -> Settings:
    """What the agent's own `files` (text by path) say. Raises NotUnderstood."""
    own = {p: t for p, t in files.items() if any(fnmatchcase(p, glob) for glob in agent.files)}
    if agent.id == "filebeat":
        return _filebeat(own)
    if agent.id == "audisp-remote":
        return _audisp(own)
    text = "\n".join(own.values())
    found = [(p, line.strip()) for p, t in own.items() for line in t.splitlines()]
    targets = list(dict.fromkeys(_targets(agent.id, text)))
    lines = tuple((p, x) for p, x in found if any(host in x for host, _ in targets))
    if agent.id == "systemd-journal-upload":
        return Settings(tuple(targets), journal=True, lines=lines[:4])
    follows = tuple(dict.fromkeys(_follows(text)))
    journal = re.search(
        r"(?im)^[^\S\n]*(?:name\s+systemd|@type\s+systemd|type\s*[:=]\s*[\"']?journald|journal\s*:"
        r"|loki\.source\.journal\b)",
        text,
    )
    clear = bool(follows or journal) or not agent.console
    return Settings(tuple(targets), follows, journal is not None, clear, lines[:4])


_URL = re.compile(
    r"\b(?:https?|tcp|tls|grpc|kafka)://(?:[^/@\s\"']*@)?([\w.-]+|\[[\da-f:]+\])(?::(\d+))?"
)
_BLOCKS = re.compile(r"(?ims)^[^\S\n]*\[OUTPUT\](.*?)(?=^[^\S\n]*\[|\Z)")


def _targets(agent: str, text: str) -> list[tuple[str, int | None]]:
    found: list[tuple[str, int | None]] = []
    if agent == "fluent-bit":
        for block in _BLOCKS.findall(text):
            words = dict(re.findall(r"(?im)^[^\S\n]*(name|host|port)\s+(\S+)", block.lower()))
            if words.get("name") not in (None, "stdout", "file", "null", "counter"):
                port = words.get("port", "")
                host = words.get("host", "127.0.0.1")
                found.append((host, int(port) if port.isdecimal() else None))
        return found
    for host, port in re.findall(
        r"(?ims)<server>[^<]*?^\s*host\s+(\S+)(?:[^<]*?^\s*port\s+(\d+))?", text
    ):
        found.append((host, int(port) if port else None))
    for match in _URL.finditer(text):
        usual = 443 if match[0].startswith("https") else None
        found.append((match[1].strip("[]"), int(match[2]) if match[2] else usual))
    for host, port in re.findall(
        r"(?im)^[^\S\n]*(?:address|bootstrap_servers|brokers)\s*[:=]\s*[\"']?([\w.-]+):(\d+)", text
    ):
        found.append((host, int(port)))
    return found


def _follows(text: str) -> list[str]:
    """Paths of logs, wherever an agent names what it reads."""
    found = re.findall(
        r"(?im)^[ \t]*(?:paths?|include|__path__|log_path)[\"']?"
        r"\s*[:= ]\s*\[?[\"']?(/[^\s\"',\]]+)",
        text,
    )
    found += re.findall(r"(?m)__path__\"?\s*[=:]\s*\"?(/[^\s\"',}]+)", text)
    found += [p for one in found for p in one.split(",")]
    folders = re.findall(
        r'"log_path"\s*:\s*"(/[^"]*)"(?:[^{}]*?"file_pattern"\s*:\s*"([^"]*)")?', text
    )
    found += [f"{folder.rstrip('/')}/{pattern or '*'}" for folder, pattern in folders]
    found += re.findall(r"(?m)^[^\S\n]*-\s*[\"']?(/[^\s\"']+)", text)
    return [p for p in found if not p.endswith((".db", ".pos", ".yaml", ".yml", ".sock"))]


def _audisp(files: Mapping[str, str]) -> Settings:
    """audisp-remote.conf(5), and whether its plugin is active (auditd-plugins(5))."""
    values: dict[str, str] = {}
    lines = []
    for path, text in files.items():
        for name, value in re.findall(r"(?m)^[ \t]*(remote_server|port|active)\s*=\s*(\S+)", text):
            values[name] = value
            lines.append((path, f"{name} = {value}"))
    if values.get("active", "no").lower() != "yes" or "remote_server" not in values:
        return Settings(lines=tuple(lines))
    port = values.get("port", "60")
    target = (values["remote_server"], int(port) if port.isdecimal() else None)
    return Settings((target,), ("/var/log/audit/audit.log",), lines=tuple(lines))


def _filebeat(files: Mapping[str, str]) -> Settings:
    """Inputs count where they are enabled: the one that the package ships is not."""
    targets: list[tuple[str, int | None]] = []
    follows: list[str] = []
    journal = False
    lines: list[tuple[str, str]] = []
    for path, text in files.items():
        try:
            documents = load_documents(text, where=path, aliases=True)
        except BadInput as problem:
            raise NotUnderstood(_READ, told(problem)) from None
        if len(documents) > 1:
            raise NotUnderstood(_READ, msg("more_one_document", path=path))
        document = documents[0] if documents else None
        inputs = _at(document, "filebeat.inputs") if isinstance(document, dict) else document
        for one in inputs if isinstance(inputs, list) else []:
            if not isinstance(one, dict) or one.get("enabled", True) is False:
                continue
            if one.get("type") == "journald":
                journal = True
            paths = one.get("paths")
            follows += [str(p) for p in paths] if isinstance(paths, list) else []
        for name in ("elasticsearch", "logstash", "kafka", "redis") if document else ():
            out = _at(document, f"output.{name}")
            if isinstance(out, dict) and out.get("enabled", True) is not False:
                usual = {"elasticsearch": 9200, "logstash": 5044, "kafka": 9092}.get(name, 6379)
                targets += [_place(h, usual) for h in _hosts(out.get("hosts"))]
                lines.append((path, f"output.{name}: hosts: {out.get('hosts')}"))
    return Settings(tuple(targets), tuple(follows), journal, lines=tuple(lines))


def _at(document: Any, key: str) -> Any:
    """`a.b` as one key, or `b` below `a`."""
    if not isinstance(document, dict):
        return None
    if key in document:
        return document[key]
    first, _, rest = key.partition(".")
    below = document.get(first)
    return below.get(rest) if isinstance(below, dict) else None


def _hosts(value: Any) -> Sequence[str]:
    return [str(v) for v in value] if isinstance(value, list) else [str(value)] if value else []


def _place(text: str, usual: int) -> tuple[str, int | None]:
    bare = re.sub(r"^\w+://", "", text).split("/")[0].rsplit("@", 1)[-1]
    match = re.fullmatch(r"(\[[^\]]*\]|[^:]*)(?::(\d{1,5}))?", bare)
    if match is None:
        return bare, usual
    return match[1].strip("[]"), int(match[2]) if match[2] else usual
