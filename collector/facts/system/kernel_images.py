"""Fixes of Debian's and Ubuntu's kernels, each of which is a package of another name.

Where no metapackage is installed that brings the next one, no package has a newer version.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from collector.facts.base.package_versions import dpkg_newer

_IMAGE = re.compile(r"linux-image-(?P<series>\d+\.\d+)[\w.+~-]*?-(?P<flavour>[a-z][a-z0-9-]*)")
# parts of the same kernel, and no kernel to run
_PARTS = ("-dbg", "-dbgsym", "-unsigned")


def newer_images(
    pairs: Iterable[tuple[str, str, str, str]],
) -> tuple[tuple[str, str, str], ...]:
    """(installed, its version, the fix) of each series and flavour whose newest is not installed.

    `pairs` are each installed image with its version, beside each that the list has.

    >>> newer_images([
    ...     ("linux-image-6.12.38+deb13-amd64", "6.12.38-1",
    ...      "linux-image-6.12.57+deb13-amd64", "6.12.57-1"),
    ...     ("linux-image-6.12.38+deb13-amd64", "6.12.38-1",
    ...      "linux-image-6.12.57+deb13-rt-amd64", "6.12.57-1")])
    (('linux-image-6.12.38+deb13-amd64', '6.12.38-1', '6.12.57-1'),)
    >>> newer_images([("linux-image-6.8.0-90-generic", "6.8.0-90.91",
    ...     "linux-image-6.14.0-36-generic", "6.14.0-36.36~24.04.1")])
    ()
    """
    held: dict[tuple[str, str], tuple[str, str]] = {}
    listed: dict[tuple[str, str], str] = {}
    for name, version, other, fixed in pairs:
        kind, theirs = _kind(name), _kind(other)
        if kind is None:
            continue
        if kind not in held or dpkg_newer(version, held[kind][1]):
            held[kind] = (name, version)
        if theirs == kind and (kind not in listed or dpkg_newer(fixed, listed[kind])):
            listed[kind] = fixed
    return tuple(
        (*one, listed[kind])
        for kind, one in held.items()
        if kind in listed and dpkg_newer(listed[kind], one[1])
    )


def _kind(name: str) -> tuple[str, str] | None:
    match = _IMAGE.fullmatch(name)
    return None if match is None or name.endswith(_PARTS) else (match["series"], match["flavour"])
