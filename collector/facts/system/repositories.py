"""Repositories of rpm packages by the folders of their caches: whose they are, which one counts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

# names that distributions alone give; a mirror may have put its own before them
_HALVES = ("baseos", "appstream")
_OWN = (*_HALVES, "amazonlinux", "tencentos", "fedora")
# words that anybody may use, so that nothing strange may stand beside them
_KINDS = ("base", "os", "core", "everything", "update", "updates", "latest", "security", "server")
_BESIDE = re.compile(
    r"\d[\w.]*|v\d+|sp\d|lts|adv|advanced|for|rpms|rhui|linux|x86|x86_64|64|aarch64|loongarch64|mips64el"
    r"|(?:rhel|ol|el|centos|rocky|almalinux|amzn|anolis|anolisos|alinux|tlinux|opencloudos|openeuler|hce"
    r"|euleros|ks|kylin|kylinsec|uos|uniontechos|uel|bclinux|ctyunos|cgsl|neokylin)[\d.]*"
)
# publish no fix of the system itself
_OTHERS = re.compile(
    r"(?:^|[-_.])(?:epel|epol|rpmfusion|remi|elrepo|ius|copr|docker|mysql|mariadb|pgdg|nginx|zabbix"
    r"|nodesource|gitlab|grafana|elastic|kubernetes|mongodb|percona|powertools|crb|extras)",
    re.IGNORECASE,
)


def holds_system(repository: str) -> bool:
    """Is it a repository of the system itself, by the name that it has?

    >>> [holds_system(x) for x in ("ol8_baseos_latest", "acme-baseos", "ks10-adv-updates")]
    [True, True, True]
    >>> [holds_system(x) for x in ("internal-epel", "wazuh-core", "salt-latest", "acme-updates")]
    [False, False, False, False]
    """
    words = [word for word in re.split(r"[-_.]", repository.lower()) if word]
    if _OTHERS.search(repository):
        return False
    if any(word in _OWN for word in words):
        return True
    strange = [word for word in words if word not in _KINDS and not _BESIDE.fullmatch(word)]
    return not strange and any(word in _KINDS for word in words)


def half_untold(cached: Iterable[str], told: Iterable[str]) -> bool:
    """Has BaseOS or AppStream a cache and tells of no fixes? Each has those of its packages alone.

    >>> half_untold(["baseos", "appstream"], ["appstream"]), half_untold(["update"], ["update"])
    (True, False)
    """
    names = [{half for half in _HALVES if half in x.lower()} for x in cached]
    known = [{half for half in _HALVES if half in x.lower()} for x in told]
    return not set().union(*names) <= set().union(*known)


def repository(folder: str) -> str:
    """The repository that a cache is of: dnf puts a digest of its address behind the name.

    >>> repository("/var/cache/dnf/update-24d3f0a1/repodata")
    'update'
    >>> repository("/var/cache/yum/x86_64/7/base")
    'base'
    """
    name = folder.removesuffix("/repodata").rpartition("/")[2]
    return re.sub(r"-[0-9a-f]{8,64}$", "", name)


def newest(caches: Mapping[str, int]) -> frozenset[str]:
    """Of each repository the cache that was fetched last; `caches` are their times by folder."""
    found: dict[str, str] = {}
    for folder in sorted(caches, key=lambda one: caches[one]):
        found[repository(folder)] = folder
    return frozenset(found.values())
