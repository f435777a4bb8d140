"""What an action of rsyslog does with a message: a file, another host, or something else."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from collector.facts.base.sizes import rsyslog_size
from collector.facts.logs.model.syslog_message import Output, Reach
from collector.facts.logs.syslog.rsyslog.parser import Statement

_ON = ("on", "yes", "true", "1")
_TLS = ("gtls", "ossl", "mbedtls")
# outputs to another host that are no syslog: the parameter that names it, the usual port
_HOSTS = {
    "omelasticsearch": ("server", 9200),
    "omhttp": ("server", 443),
    "omkafka": ("broker", 9092),
    "omrabbitmq": ("host", 5672),
    "omhiredis": ("server", 6379),
    "omclickhouse": ("server", 8123),
    "ommysql": ("server", 3306),
    "ompgsql": ("server", 5432),
    "ommongodb": ("uristr", 27017),
    "omazureeventhubs": ("azurehost", 5671),
}


@dataclass(slots=True)
class Legacy:
    """The `$Action…` directives in force: those of queues hold for the next action alone."""

    queue: dict[str, str] = field(default_factory=dict)
    lasting: dict[str, str] = field(default_factory=dict)
    channels: dict[str, tuple[str, int]] = field(default_factory=dict)

    def directive(self, name: str, value: str) -> None:
        if name == "outchannel":
            # its name, the file, the size at which a program is run, that program
            words = [*(word.strip() for word in value.split(",")), "", ""]
            self.channels[words[0]] = (words[1].lstrip("-"), rsyslog_size(words[2]) or 0)
        elif name == "resetconfigvariables":
            self.queue, self.lasting = {}, {}
        elif name.startswith("actionqueue"):
            self.queue[name] = value
        else:
            self.lasting[name] = value

    def globals(self, given: Mapping[str, str]) -> None:
        if "defaultnetstreamdriver" in given:
            self.lasting["defaultnetstreamdriver"] = given["defaultnetstreamdriver"]

    def module(self, name: str, given: Mapping[str, str]) -> None:
        """builtin:omfwd and its like can set what an action does not say itself."""
        del name
        if "streamdriver.name" in given:
            self.lasting["actionsendstreamdriver"] = given["streamdriver.name"]


@dataclass(frozen=True, slots=True)
class Action:
    """One action. `sometimes`: it is not run for every message that comes to it.

    `template` names what makes the file's name; see `Output` for `limit`.
    """

    path: str = ""
    template: str = ""
    targets: tuple[tuple[str, int | None], ...] = ()
    transport: str = ""
    queue: str = ""
    sometimes: bool = False
    limit: int = 0

    def output(
        self, reach: Reach, source: str, line: str, templates: Mapping[str, str]
    ) -> Output | None:
        """None for users, pipes, programs and devices. A pool of targets counts by its first."""
        path = self.path
        if self.template:
            path = templates.get(self.template) or f"?{self.template}"
        if path.startswith(("/dev/", "/proc/")) and not path.startswith("/dev/shm/"):  # noqa: S108 - it is looked for, not used
            path = ""
        if not path and not self.targets:
            return None
        target, port = self.targets[0] if self.targets else ("", None)
        return Output(
            path,
            target,
            reach.takes,
            source,
            line,
            may=reach.may,
            unsure=reach.unsure,
            logins=reach.logins,
            port=port,
            transport=self.transport,
            queue=self.queue,
            limit=self.limit,
        )


def action_of(one: Statement, legacy: Legacy) -> Action:
    """The action, and the directives that it uses up."""
    queue = legacy.queue
    legacy.queue = {}
    if one.name == "action":
        return _modern(one.parameters, legacy)
    kept = "disk" if queue.get("actionqueuefilename") else ""
    lasting = legacy.lasting
    sometimes = (
        any(
            lasting.get(f"actionexeconly{word}", "off").lower() not in ("off", "0", "1", "no")
            for word in ("whenpreviousissuspended", "onceeveryinterval", "everynthtime")
        )
        or lasting.get("actionexeconlywhenpreviousissuspended", "").lower() in _ON
    )
    return _old(one.value, kept, legacy, sometimes=sometimes)


def _modern(given: Mapping[str, str], legacy: Legacy) -> Action:
    kind = given.get("type", "").lower().removeprefix("builtin:")
    queue = "disk" if given.get("queue.filename") else ""
    sometimes = (
        any(
            given.get(f"action.execonly{word}", "off").lower() not in ("off", "0", "1", "no")
            for word in ("whenpreviousissuspended", "onceeveryinterval", "everynthtime")
        )
        or given.get("action.execonlywhenpreviousissuspended", "").lower() in _ON
    )
    if given.get("config.enabled", "on").lower() in ("off", "no", "false", "0"):
        return Action()
    if kind == "omfile":
        path, template = given.get("file", ""), given.get("dynafile", "")
        limit = rsyslog_size(given.get("rotation.sizelimit", "")) or 0
        return Action(path, template, queue=queue, sometimes=sometimes, limit=limit)
    if kind in ("omfwd", "omrelp"):
        ports = [int(p) if p.isdecimal() else None for p in given.get("port", "514").split("\n")]
        names = given.get("target", given.get("targetsrv", "")).split("\n")
        pairs = tuple(
            (name, ports[n] if n < len(ports) else ports[-1])
            for n, name in enumerate(names)
            if name
        )
        return Action(
            targets=pairs,
            transport=_transport(kind, given, legacy),
            queue=queue,
            sometimes=sometimes,
        )
    if kind in _HOSTS:
        name, port = _HOSTS[kind]
        # several are written as a list, with scheme and port in each
        urls = [u for u in given.get(name, "localhost").split("\n") if u]
        said = given.get("serverport", given.get("port", ""))
        pairs = tuple(_place(url, int(said) if said.isdecimal() else port) for url in urls)
        return Action(targets=pairs, transport=kind, queue=queue, sometimes=sometimes)
    return Action()


def _transport(kind: str, given: Mapping[str, str], legacy: Legacy) -> str:
    if kind == "omrelp":
        return "relp/tls" if given.get("tls", "off").lower() in _ON else "relp"
    if given.get("protocol", "udp").lower() != "tcp":
        return "udp"
    driver = given.get("streamdriver") or legacy.lasting.get("defaultnetstreamdriver", "")
    mode = given.get("streamdrivermode", legacy.lasting.get("actionsendstreamdrivermode", "0"))
    return "tls" if driver.lower() in _TLS and mode == "1" else "tcp"


def _place(url: str, port: int | None) -> tuple[str, int | None]:
    """`scheme://user@host:port/path`, `host:port`, `[address]:port` or `host`."""
    bare = re.sub(r"^[\w+.-]+://", "", url).split("/")[0].rsplit("@", 1)[-1]
    match = re.fullmatch(r"\[?((?<=\[)[^\]]*|[^:\]]*)\]?(?::(\d{1,5}))?", bare)
    if match is None:
        return bare, port
    return match[1], int(match[2]) if match[2] else port


def _old(value: str, queue: str, legacy: Legacy, *, sometimes: bool) -> Action:
    """An action as sysklogd wrote it, with what rsyslog added: `@@(o)host:port;template`."""
    value = value.removeprefix(":omfile:")
    if (match := re.match(r"\$([\w.-]+)", value)) and match[1] in legacy.channels:
        path, limit = legacy.channels[match[1]]
        return Action(path, queue=queue, sometimes=sometimes, limit=limit)
    if match := re.match(r"-?(/[^\s;]+)", value):
        return Action(match[1], queue=queue, sometimes=sometimes)
    if match := re.match(r"-?\?([\w.-]+)", value):
        return Action(template=match[1], queue=queue, sometimes=sometimes)
    if match := re.match(r"(@@?)(?:\([^)]*\))?(?:\[([^\]]*)\]|([^\s:;\[]+))(?::([^\s;]*))?", value):
        host, port = match[2] or match[3], match[4] or "514"
        transport = "udp"
        if match[1] == "@@":
            driver = legacy.lasting.get(
                "actionsendstreamdriver", legacy.lasting.get("defaultnetstreamdriver", "")
            )
            mode = legacy.lasting.get("actionsendstreamdrivermode", "0")
            transport = "tls" if driver.lower() in _TLS and mode == "1" else "tcp"
        number = int(port) if port.isdecimal() else None
        return Action(
            targets=((host, number),), transport=transport, queue=queue, sometimes=sometimes
        )
    if match := re.match(r":omrelp:(?:\[([^\]]*)\]|([^:;\s]+))(?::(\d+))?", value):
        place = (match[1] or match[2], int(match[3] or 514))
        return Action(targets=(place,), transport="relp", queue=queue, sometimes=sometimes)
    if match := re.match(r"(?::om(?:my|pg)sql:|>)([^,;\s]+)", value):
        return Action(targets=((match[1], None),), transport="database", sometimes=sometimes)
    return Action()
