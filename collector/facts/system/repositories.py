"""Repositories of rpm packages by the folders of their caches: whose they are, which one counts."""

from __future__ import annotations

import re
from collections.abc import Mapping

# of what distributions call their own; others publish no fix of the system itself
_SYSTEM = re.compile(
    r"(?:^|[-_])(?:base(?:os)?|os|core|everything|appstream|updates?|latest|security|fedora"
    r"|amazonlinux|tencentos)(?:[-_]|$)",
    re.IGNORECASE,
)
_OTHERS = re.compile(
    r"(?:epel|epol|rpmfusion|remi|elrepo|ius|copr|docker|mysql|mariadb|pgdg|nginx|zabbix|nodesource"
    r"|gitlab|grafana|elastic|kubernetes|mongodb|percona|powertools|crb|extras)",
    re.IGNORECASE,
)


def holds_system(repository: str) -> bool:
    """Is it a repository of the system itself, by the name that it has?"""
    return not _OTHERS.match(repository) and _SYSTEM.search(repository) is not None


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
