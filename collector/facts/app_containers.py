"""What Docker, the kubelet and Podman keep of a container's output."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from collector.facts.app_rules import READ, AppRule, Found, size
from collector.model import Text

_MIB = 1 << 20
_DAEMON = "/etc/docker/daemon.json"
# what an image is for, by its name without registry and tag
_FAMILIES = (
    ("web", r"nginx|httpd|apache|openresty|tengine|caddy|traefik|haproxy|tomcat|lighttpd"),
    ("database", r"mysql|mariadb|percona|postgres|postgis|mongo|redis|oracle|kingbase|dm8"),
    ("vpn", r"openvpn|wireguard|strongswan|ocserv"),
    ("dns", r"bind9|unbound|dnsmasq|coredns|pihole"),
    ("mail", r"postfix|dovecot|mailserver|exim"),
)


def containers(found: Found) -> Iterator[AppRule]:
    """One rule for each container that Docker logs to a file, and one for each kubelet."""
    daemon = _pairs(found.of("docker").get(_DAEMON, ()))
    named = found.of("containers")
    for path, lines in named.items():
        if path.endswith("/hostconfig.json"):
            folder = path.rsplit("/", 1)[0]
            about = _pairs(named.get(f"{folder}/config.v2.json", ()))
            rule = _docker(path, folder, _pairs(lines), daemon, about)
            if rule is not None:
                yield rule
    for path, lines in found.of("kubelet").items():
        yield _kubelet(path, lines)


def _pairs(lines: tuple[str, ...]) -> dict[str, str]:
    """`"key":"value"` of each line, the first of each key; the driver is Type in LogConfig."""
    found: dict[str, str] = {}
    for line in lines:
        match = re.search(r'"([A-Za-z-]+)":"?([^"]*)"?$', line)
        if match:
            found.setdefault(match[1], match[2])
    return found


def _docker(
    path: str,
    folder: str,
    own: Mapping[str, str],
    daemon: Mapping[str, str],
    about: Mapping[str, str],
) -> AppRule | None:
    """A container carries the options that held when it was made: the daemon's of now do not."""
    driver = own.get("Type") or daemon.get("log-driver") or "json-file"
    id = folder.rsplit("/", 1)[-1]
    name = about.get("Name", "").lstrip("/") or id[:12]
    family = _family(about.get("Image", ""), name)
    if driver not in ("json-file", "local"):
        return None
    log = f"{folder}/{id}-json.log*" if driver == "json-file" else f"{folder}/local-logs/*"
    limits = ("20m", "5") if driver == "local" else ("", "1")
    each, number = own.get("max-size", limits[0]), own.get("max-file", limits[1])
    words = f"{driver}, max-size={each or '-'}, max-file={number}"
    why = Text(f"Docker 容器 {name}：{words}", f"Docker container {name}: {words}")
    amount = size(each) if each not in ("", "-1") else None
    if each not in ("", "-1") and (amount is None or not number.isdecimal()):
        return AppRule(log, why, READ, path, words, known=False, family=family)
    # the newest of them is empty right after a rotation; a single one is emptied
    room = amount * (int(number) - 1) if amount is not None else None
    return AppRule(log, why, READ, path, words, room=room, family=family)


def _family(image: str, name: str) -> str:
    for text in (image.rsplit("/", 1)[-1].split(":", maxsplit=1)[0], name):
        for family, form in _FAMILIES:
            if re.search(form, text.lower()):
                return family
    return "other"


def _kubelet(path: str, lines: tuple[str, ...]) -> AppRule:
    said = dict(re.findall(r"containerLogMax(Size|Files):\s*[\"']?(\w+)", "\n".join(lines)))
    each, number = said.get("Size", "10Mi"), said.get("Files", "5")
    words = f"containerLogMaxSize={each}, containerLogMaxFiles={number}"
    why = Text(f"kubelet：{words}", f"kubelet: {words}")
    amount = size(each)
    known = amount is not None and number.isdecimal()
    room = (amount or 0) * (int(number) - 1) if known else None
    return AppRule("/var/log/pods/*", why, READ, path, words, room=room, known=known)
