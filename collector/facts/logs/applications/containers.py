"""What Docker, the kubelet and Podman keep of a container's output."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from collector.facts.base.sizes import binary_size
from collector.facts.logs.applications.models import READ, AppRule, Found
from collector.facts.logs.model.families import family_of_container
from collector.model import Text

_MIB = 1 << 20
_DAEMON = "/etc/docker/daemon.json"


def containers(found: Found) -> Iterator[AppRule]:
    """One rule for each container that Docker or Podman logs to a file, and one for a kubelet."""
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
    for path, lines in found.of("podman").items():
        yield _podman(path, _pairs(lines))


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
    image = about.get("Image", "").rsplit("/", 1)[-1].split(":", maxsplit=1)[0]
    family = family_of_container(image, name)
    if driver not in ("json-file", "local"):
        return None
    log = f"{folder}/{id}-json.log*" if driver == "json-file" else f"{folder}/local-logs/*"
    limits = ("20m", "5") if driver == "local" else ("", "1")
    each, number = own.get("max-size", limits[0]), own.get("max-file", limits[1])
    words = f"{driver}, max-size={each or '-'}, max-file={number}"
    why = Text(f"Docker 容器 {name}：{words}", f"Docker container {name}: {words}")
    amount = binary_size(each) if each not in ("", "-1") else None
    if each not in ("", "-1") and (amount is None or not number.isdecimal()):
        return AppRule(log, why, READ, path, words, known=False, family=family)
    # the newest of them is empty right after a rotation; a single one is emptied
    room = amount * (int(number) - 1) if amount is not None else None
    return AppRule(log, why, READ, path, words, room=room, family=family)


def _podman(path: str, said: Mapping[str, str]) -> AppRule:
    """As conmon runs it: past --log-size-max it begins the file anew, and what was in it is gone.

    Source: conmon, ctr_logging.c.
    """
    most = said.get("log-size-max", "")
    name = said.get("name", "") or "?"
    family = family_of_container(said.get("image", ""), name)
    words = f"log-size-max={most or '-'}"
    why = Text(f"Podman 容器 {name}：{words}", f"Podman container {name}: {words}")
    bounded = re.fullmatch(r"[1-9]\d*", most) is not None
    return AppRule(path, why, READ, path, words, room=0 if bounded else None, family=family)


def _kubelet(path: str, lines: tuple[str, ...]) -> AppRule:
    said = dict(re.findall(r"containerLogMax(Size|Files):\s*[\"']?(\w+)", "\n".join(lines)))
    each, number = said.get("Size", "10Mi"), said.get("Files", "5")
    words = f"containerLogMaxSize={each}, containerLogMaxFiles={number}"
    # it removes them with the pod, whenever that is deleted or moved to another node
    why = Text(
        f"kubelet：{words}，删除 Pod 时一并删除", f"kubelet: {words}, removed with their pod"
    )
    amount = binary_size(each)
    bounded = amount is not None and number.isdecimal()
    room = (amount or 0) * (int(number) - 1) if bounded else None
    return AppRule("/var/log/pods/*", why, READ, path, words, room=room, known=False, each=True)
