"""Of which release of the system a list of fixes is: another one's tells of no missing fix."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from collector.facts.system.os_release import Platform
from collector.facts.system.repositories import repository

# what a package's release ends in is the system that it was built for
_BUILT_FOR = re.compile(r"\.(el\d+|fc\d+|oe\d+(?:sp\d+)?|ky\d+|amzn\d+|an\d+|uel\d+|tl\d+|hce\d+)")
_NAMED_FOR = re.compile(r"(?:^|[-_.])(?:ol|el|rhel|centos|rocky|almalinux|amzn|ks)(\d+)(?![^-_.])")
_YUM = re.compile(r"/var/cache/yum/[^/]+/(\d+)[^/]*/")


def codename_of(release: Mapping[str, str]) -> str:
    """The release that an archive's list is of, by what the archive signed.

    >>> codename_of({"Codename": "trixie-security", "Suite": "stable-security"})
    'trixie'
    >>> codename_of({"Codename": "buster", "Suite": "oldstable"})
    'buster'
    >>> codename_of({"Suite": "noble-security"})
    'noble'
    """
    said = release.get("Codename") or release.get("Suite") or ""
    return re.split(r"[-/]", said.lower())[0]


def signed_other(releases: Iterable[Mapping[str, str]], system: Platform) -> str:
    """The first that is not of this release, or does not tell of which; empty: all are."""
    for release in releases:
        codename = codename_of(release)
        if not codename or codename not in system.codenames:
            return codename or release["file"].rpartition("/")[2]
    return ""


def named_for_another(folders: Iterable[str], system: Platform) -> str:
    """The cache whose name or folder tells another release than the system's; empty: none does."""
    for folder in sorted(folders):
        told = {int(n) for n in _NAMED_FOR.findall(repository(folder).lower())}
        told |= {int(n) for n in _YUM.findall(f"{folder}/")}
        if told and system.major is not None and system.major not in told:
            return repository(folder)
    return ""


def built_for_another(pairs: Iterable[tuple[str, str]]) -> str:
    """What all fixes were built for where none of the installed packages was; empty: not so.

    >>> built_for_another([("0:1.1-2.el8", "0:3.0-1.el9"), ("0:2-1.el8_10", "0:2-7.el9")])
    'el8'
    >>> built_for_another([("0:1.1-2.oe2403sp1", "0:1.1-1.oe2403sp1"), ("0:2-1.el8", "0:2-1.el9")])
    ''
    """
    listed, held = set[str](), set[str]()
    for fixed, installed in pairs:
        listed |= set(_BUILT_FOR.findall(fixed))
        held |= set(_BUILT_FOR.findall(installed))
    return min(listed) if listed and held and not listed & held else ""
