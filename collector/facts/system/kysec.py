"""KySec of Kylin: what getstatus says, what the kernel says, what is set for the next boot.

Forms seen in public: `KySec status: Normal` with `exec control: on`, `file protect: on`,
`kmod protect: on`, `three admin : off` (a Kylin V10 whose `setstatus` takes Normal and Softmode);
`enabled` and `disabled` of others, the first with ten controls (`net control`, `ipt control`,
`kid protect  : disable_privacy` …) on a V10 SP1; `kysec_exectl = 0` and its like in
/etc/kysec/kysec.conf; a switch for each control below /sys/kernel/security/kysec. Softmode records
and lets pass. The status alone says nothing: each control is on or off by itself.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

_FOLDER = "/sys/kernel/security/kysec/"
# who administers is no control of what programs may do
_NO_CONTROL = re.compile(r"three[ _]admin|status", re.IGNORECASE)
_ON = ("on", "enforcing", "block", "enabled")
# `kid protect` guards identifiers, and says so with a word of its own (V10 SP1 of 2024)
_OFF = ("off", "disabled", "close", "closed", "disable_privacy")
# a control that asks or writes down keeps nobody from anything for certain
_SOFT = ("warning", "warn", "audit", "softmode", "permissive")


class Kysec(StrEnum):
    """What KySec does; NONE where there is none of it, UNKNOWN where its words are not known."""

    NONE = ""
    OFF = "off"
    IDLE = "idle"
    SOFT = "soft"
    ON = "on"
    NOT_AT_BOOT = "not_at_boot"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class _Said:
    status: str
    controls: Mapping[str, str]
    kernel: Mapping[str, str]
    boot: Mapping[str, str]


def kysec(text: str) -> Kysec:
    """The state, from the text of `mandatory.state`."""
    said = _said(text)
    found = _running(said)
    if found is Kysec.ON and said.boot and not any(int(v) for v in said.boot.values()):
        return Kysec.NOT_AT_BOOT
    return found


def _running(said: _Said) -> Kysec:
    if not said.status:
        # without getstatus: a switch that is not 0 may as well warn only
        if not said.kernel:
            return Kysec.NONE
        return Kysec.OFF if set(said.kernel.values()) == {"0"} else Kysec.UNKNOWN
    if said.status in _OFF:
        return Kysec.OFF
    if said.status in _SOFT:
        return Kysec.SOFT
    if said.status not in ("normal", "enabled", "enforcing"):
        return Kysec.UNKNOWN
    values = set(said.controls.values())
    if values & set(_ON):
        # the kernel says of itself that nothing is on
        return Kysec.UNKNOWN if set(said.kernel.values()) == {"0"} else Kysec.ON
    if not values or values - {*_OFF, *_SOFT}:
        return Kysec.UNKNOWN
    return Kysec.SOFT if values & set(_SOFT) else Kysec.IDLE


def _said(text: str) -> _Said:
    status = re.search(r"^KySec status\s*:\s*(\w+)", text, re.MULTILINE | re.IGNORECASE)
    behind = text[status.end() :] if status else ""
    controls = {
        name.strip().lower(): value.lower()
        for name, value in re.findall(
            r"^([a-z][a-z _]*?)\s*:[^\S\n]*(\w+)", behind, re.MULTILINE | re.IGNORECASE
        )
        if not _NO_CONTROL.search(name)
    }
    switches = re.findall(rf"^{_FOLDER}(\w+)=(\d+)$", text, re.MULTILINE)
    return _Said(
        status[1].lower() if status else "",
        controls,
        {name: value for name, value in switches if not _NO_CONTROL.search(name)},
        dict(re.findall(r"^kysec_(\w+)=(\d+)$", text, re.MULTILINE)),
    )
