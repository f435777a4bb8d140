"""The sh texts that run on a host, put together: no Python is needed there."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from collector.facts.base.opened import OPENED

_HERE = Path(__file__).parent
_PARTS: Mapping[str, tuple[str, ...]] = {
    "integrity": ("integrity",),
    "failed_login": ("records", "failed_login"),
    "log_arrival": ("records", "itself", "log_arrival"),
    "store_files": ("records", "itself", "store_files"),
    "second_ports": ("second_ports",),
    "malware_stream": ("malware_file", "malware_stream"),
    "restore_restic": ("room", "restored", "live", "restore_restic"),
    "restore_dump": ("room", "none", "copy", "served", "restore_dump"),
    "restore_mysql_dump": ("room", "none", "copy", "served", "restore_mysql_dump"),
    "restore_tar": ("room", "live", "copy", "restore_tar"),
    "restore_borg": ("room", "restored", "live", "restore_borg"),
    "restore_pgbackrest": ("room", "restored", "restore_pgbackrest"),
    "ban_seen": ("ban_seen",),
    "ban_before": ("banned", "ban_before"),
    "ban_after": ("banned", "ban_after"),
    "ban_over": ("banned", "ban_over"),
    "swept": ("swept",),
    "ready": ("ready",),
    "login_before": ("login_before",),
}


# what plants nothing and may be done for several hosts at once
WITHOUT_LOCK = {
    "store_files", "second_ports", "ready", "login_before", "ban_seen", "ban_after", "ban_over",
}  # fmt: skip
# what only looks, and is done at once
BRIEF = {"ready", "swept", "login_before", "ban_seen", "ban_before"}
# what takes back and cleans up is stopped by no file
_ALWAYS = {"ban_after", "ban_over", "swept"}
# what anybody may do
_PLAIN = {"ready", "second_ports"}


_ROOT = '  if [ "$(id -u)" != 0 ]; then undone no_root; fi\n'


@cache
def _part(name: str) -> str:
    if name == "none":
        # a number that nobody has is looked for in one way alone; here one after the other
        text = OPENED[OPENED.index("hp_none() {") :].partition("\n}\n")[0] + "\n}\n"
        every = text.partition("for HP_NONE in ")[2].partition(";")[0]
        return f"HP_NUMBERS='{every}'\n" + text.replace(f"in {every};", "in $hp_number;")
    return (_HERE / f"{name}.sh").read_text(encoding="utf-8")


def act(name: str, nonce: str, given: Mapping[str, str]) -> str:
    """The text of an act; `given` are variables by their names without `HP_`, quoted here."""
    words = {"N": nonce, **given}
    head = "".join(f"HP_{key}={shlex.quote(value)}\n" for key, value in words.items())
    body = "".join(map(_part, ("begin", *_PARTS[name])))
    begun = "" if name in _ALWAYS else "hp_stopped; "
    begun += "hp_act; say '== end'" if name in WITHOUT_LOCK else "hp_lock; hp_act"
    # called at the very end: of a text that was cut off nothing is done
    return (
        f"{head}{body}hp_main() {{\n"
        "  LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n"
        "  export LC_ALL PATH; umask 077; trap '' PIPE; unset CDPATH ENV BASH_ENV\n"
        f"{'' if name in _PLAIN else _ROOT}"
        f"  {begun}\n"
        "}\nhp_main </dev/null\n"
    )
