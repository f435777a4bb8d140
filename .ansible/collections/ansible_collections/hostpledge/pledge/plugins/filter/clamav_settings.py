"""Settings of clamd.conf(5) and freshclam.conf(5): all stays but for what is to change."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any


def clamav_settings(
    text: str,
    exact: Mapping[str, Any],
    default: Mapping[str, Any],
    more: Sequence[Sequence[str]],
    drop: Sequence[str],
) -> str:
    """The text with `exact` set (one value each, where the first stood), `default` where nothing

    was set, a line for each pair of `more` that is not there, and without the lines `drop`.
    """
    kept: list[str] = []
    done: set[str] = set()
    gone = {" ".join(line.split()) for line in drop}
    for line in text.splitlines():
        name, _blank, value = line.strip().partition(" ")
        # as long as this word stands, ClamAV refuses the file
        if (name == "Example" and not value) or " ".join(line.split()) in gone:
            continue
        if name in exact:
            if name not in done:
                kept.append(f"{name} {exact[name]}")
            done.add(name)
            continue
        kept.append(line)
    kept += [f"{name} {value}" for name, value in exact.items() if name not in done]
    there = {_pair(line) for line in kept}
    names = {name for name, _value in there}
    kept += [f"{name} {value}" for name, value in default.items() if name not in names]
    kept += [
        f"{name} {value}"
        for name, value in dict.fromkeys((str(n), str(v)) for n, v in more)
        if _pair(f"{name} {value}") not in there
    ]
    return "\n".join(kept) + "\n"


def _pair(line: str) -> tuple[str, str]:
    name, *value = line.split(maxsplit=1) or [""]
    bare = "".join(value).strip().strip('"')
    return name, bare.rstrip("/") or bare


class FilterModule:
    """Ansible's entry."""

    def filters(self) -> dict[str, Callable[..., str]]:
        """The filters of this file by name."""
        return {"clamav_settings": clamav_settings}
