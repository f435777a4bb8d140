"""Can this host be hardened? Asked before anything is changed, in one exec without Python."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ansible import constants
from ansible.errors import AnsibleActionFail
from ansible.module_utils import basic
from ansible.plugins.action import ActionBase

from collector.model import HostStatus
from collector.run.collected.outcome import classify

_ARMED = "/var/lib/hostpledge/undo/.armed"
_ASK = """
echo "uid=$(id -u)"
if command -v apt-get >/dev/null 2>&1 && command -v dpkg >/dev/null 2>&1; then echo family=Debian
elif command -v rpm >/dev/null 2>&1; then
  if command -v dnf >/dev/null 2>&1 || command -v yum >/dev/null 2>&1; then echo family=RedHat; fi
fi
for p in {pythons}; do
  v=$("$p" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) &&
    echo "python=$v $p"
done
for f in {armed}/*.fired; do
  [ -d "$f" ] && f=${{f%.fired}} &&
    echo "fired=${{f##*/}} $(cat "$f.fired/at" 2>/dev/null) $(head -n 1 "$f.fired/log" 2>/dev/null)"
done
if [ -r /etc/os-release ]; then (. /etc/os-release; echo "name=${{PRETTY_NAME:-$ID}}"); fi
"""


_VERSION = re.compile(r"[0-9]{1,3}\.[0-9]{1,3}", re.ASCII)
# what the roles, and Ansible's own actions, ask of a host; all else it says stays there
_FACTS = frozenset(
    {
        "all_ipv4_addresses",
        "all_ipv6_addresses",
        "architecture",
        "distribution",
        "distribution_major_version",
        "distribution_release",
        "distribution_version",
        "env",
        "fqdn",
        "hostname",
        "kernel",
        "memtotal_mb",
        "nodename",
        "pkg_mgr",
        "python",
        "python_version",
        "selinux",
        "selinux_python_present",
        "service_mgr",
        "system",
        "user_id",
        "virtualization_type",
    }
)
# of rollbacks that are told of, and characters of each
_MOST, _LONGEST = 20, 2000
_INJECTED = (
    "INJECT_FACTS_AS_VARS is on: a hostile host can set variables of its own, and by them choose "
    "which files of this machine are copied to it; set inject_facts_as_vars = False"
)


@dataclass(frozen=True)
class Host:
    """What the host said of itself. `pythons` are (version, path)."""

    uid: str
    family: str
    name: str
    pythons: tuple[tuple[tuple[int, ...], str], ...]
    fired: tuple[str, ...]


def asked(pythons: Iterable[str]) -> str:
    """The sh text to run on the host."""
    words = " ".join(shlex.quote(str(p)) for p in pythons)
    return _ASK.format(pythons=words, armed=_ARMED)


def heard(text: str) -> Host:
    """What that text printed."""
    told = [line.partition("=")[::2] for line in text.splitlines() if "=" in line]
    one = dict(told)
    pythons = []
    for key, value in told:
        version, _, path = value.partition(" ")
        if key == "python" and _VERSION.fullmatch(version):
            pythons.append((tuple(int(n) for n in version.split(".")), path))
    fired = tuple(value for key, value in told if key == "fired")
    return Host(
        one.get("uid", ""), one.get("family", ""), one.get("name", ""), tuple(pythons), fired
    )


def refusal(host: Host, least: tuple[int, ...], said: str = "") -> str:
    """Why the host cannot be hardened, in one line; empty where it can.

    `said`: what came instead of answers, as of sudo that refuses.
    """
    name = host.name or "this host"
    if not host.uid and said:
        status, why = classify(said, begun=False)
        if status is HostStatus.BECOME_REFUSED:
            return f"hardening needs root on the host, and becoming it was refused: {why}"
    if host.uid != "0":
        return f"hardening needs root on the host (uid is {host.uid or 'unknown'}): set become"
    if not host.family:
        return (
            f"{name}: neither apt nor dnf/yum is here; only Debian and RHEL families are hardened"
        )
    if not any(version >= least for version, _ in host.pythons):
        wanted = ".".join(map(str, least))
        found = max(host.pythons, default=None)
        has = ".".join(map(str, found[0])) if found else "none"
        if found and found[0] < (3,):
            # release 7 of the family: what its repositories have beside it is too old as well
            return (
                f"{name}: this Ansible needs Python {wanted} or later on the host, and it has "
                f"{has}, as all of its repositories: mend by hand what 'hostpledge explain CONTROL "
                "--platform rhel7' lists (copy, change, way back); checking needs none"
            )
        return (
            f"{name}: this Ansible needs Python {wanted} or later on the host, and it has {has}: "
            "install a newer one beside it (such as python39 or python3.11) and name it in "
            "ansible_python_interpreter, or mend by hand what 'hostpledge explain CONTROL' names; "
            "checking needs none"
        )
    return ""


class ActionModule(ActionBase):  # type: ignore[misc]  # Ansible ships no types
    """Refuses hosts that cannot be hardened, then gathers facts where there are none yet.

    The family of the distribution goes by its package manager: Ansible does not know all names.
    """

    TRANSFERS_FILES = False
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: Mapping[str, Any] | None = None) -> Any:
        """Ansible's entry: returns the facts, and a warning for each rollback that fired."""
        variables = dict(task_vars or {})
        result: dict[str, Any] = super().run(tmp, variables)
        self.validate_argument_spec(argument_spec={})
        done = self._low_level_execute_command(asked(_pythons(variables)))
        host = heard(str(done["stdout"]))
        said = "\n".join(str(done.get(name) or "") for name in ("stderr", "stdout", "msg"))
        least = tuple(basic._PY_MIN)  # noqa: SLF001 - Ansible tells nowhere else
        if why := refusal(host, least, said):
            raise AnsibleActionFail(why)
        facts: dict[str, Any] = {}
        if "service_mgr" not in (variables.get("ansible_facts") or {}):
            gathered = self._execute_module(
                module_name="ansible.legacy.setup",
                module_args={"gather_subset": ["all", "!facter", "!ohai"]},
                task_vars=variables,
            )
            if gathered.get("failed"):
                return gathered
            facts = _of_use(gathered["ansible_facts"])
        result |= {"changed": False, "ansible_facts": {**facts, "ansible_os_family": host.family}}
        if host.fired:
            lines = [line[:_LONGEST] for line in host.fired[:_MOST]]
            result["warnings"] = [_told(*line.split(maxsplit=2)) for line in lines]
        if constants.config.get_config_value("INJECT_FACTS_AS_VARS"):
            result["warnings"] = [*result.get("warnings", ()), _INJECTED]
        return result


def _of_use(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in facts.items() if str(k).removeprefix("ansible_") in _FACTS}


def _pythons(variables: Mapping[str, Any]) -> list[str]:
    named = str(variables.get("ansible_python_interpreter") or "auto")
    if not named.startswith("auto"):
        return [named]
    known = constants.config.get_config_value(
        "INTERPRETER_PYTHON_FALLBACK", variables=dict(variables)
    )
    return [str(path) for path in known]


def _told(family: str, at: str = "?", log: str = "") -> str:
    wrong = f", but not all of it: {log}" if log else ""
    return (
        f"{family}: an earlier run did not confirm its change in time; the host rolled it back by "
        f"itself at {at}{wrong}"
    )
