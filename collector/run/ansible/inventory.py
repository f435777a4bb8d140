"""What of Ansible the user gave, and which hosts its inventory names."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from collector import private as given_files
from collector import reaching
from collector.errors import BadInput, one_line, shown
from collector.i18n.message import msg
from collector.resources import shared, shared_root
from collector.run.ansible.bounded import listed, refuse_endless
from collector.run.ansible.private import HANDED, extra_vars, folder_for_sockets, private_folder
from collector.run.collected.unsaid import kind_of, quoted

_RENAME = msg("give_another_name")
# what Ansible says of brackets in the name of a host; some of it is Python's own word
_RANGE_REFUSED = re.compile(
    r"host range |host ranges? must |not enough values to unpack|too many values to unpack"
    r"|invalid literal for int\(\)|range\(\) arg"
)
_RANGE = re.compile(r"\[(\d+:\d+|[A-Za-z]:[A-Za-z])(:\d+)?\]")
_OPEN = re.compile(r"[\w.-]\[")
_REACHED_BY: Mapping[str, Callable[[str], str]] = {
    "ansible_host": reaching.wrong_address,
    "ansible_ssh_host": reaching.wrong_address,
    "ansible_user": reaching.wrong_user,
    "ansible_ssh_user": reaching.wrong_user,
    "ansible_become_user": reaching.wrong_user,
    "ansible_port": reaching.wrong_port,
    "ansible_ssh_port": reaching.wrong_port,
}


@dataclass(frozen=True, slots=True)
class Mesh:
    """Who collects: nodes, `through` Receptor's control socket or a command (ADR 70).

    No `nodes`: all that are known. Hosts that name none go to any of them, or, where `others_here`,
    are asked from here. A node of which nothing was heard for `lost_after` seconds counts as lost.
    `register` is where leases are kept; empty: there is one coordinator.
    """

    through: str
    nodes: tuple[str, ...] = ()
    others_here: bool = False
    lost_after: float = 90.0
    shard: int = 500
    register: str = ""


@dataclass(frozen=True)
class How:
    """What of Ansible's own command line the user gave: passed on as it is.

    `seconds` limit looking at one host, `step_seconds` each step that changes one.
    """

    inventory: tuple[str, ...]
    limit: str = ""
    user: str = ""
    become: bool = False
    ask_pass: str = ""
    ask_become_pass: str = ""
    vault_password_files: tuple[str, ...] = ()
    private_key: str = ""
    extra_vars: tuple[str, ...] = ()
    forks: int = 50
    seconds: int = 300
    step_seconds: int = 1800
    limit_bytes: int = 32 << 20
    mesh: Mesh | None = None

    def arguments(self, private: Path) -> list[str]:
        """The common part of `ansible-inventory` and `ansible-playbook`.

        What of it may be secret is handed over in `private`.
        """
        words = [f"--inventory={_place(source)}" for source in self.inventory]
        for file in self.vault_password_files:
            words += ["--vault-password-file", str(Path(file).resolve())]
        return words + extra_vars(self.extra_vars, private)


def _place(source: str) -> str:
    """Paths become absolute (ansible-runner works in another folder); host lists stay."""
    return source if "," in source else str(Path(source).resolve())


def hosts_of(how: How) -> list[str]:
    """The names of the inventory's hosts, in its order; raises BadInput for an unusable one."""
    return names_in(listing_of(how), how)


def listing_of(how: How) -> dict[str, Any]:
    """What `ansible-inventory --list` makes of it: groups, and each host's variables.

    Vaults are open in it, and `-e` has been taken in. Raises BadInput for an unusable inventory.
    """
    for source in how.inventory:
        if "," not in source and not Path(source).exists():
            raise BadInput(
                msg("no_such_inventory"),
                where=source,
                mend=msg("give_file_folder_host"),
            )
        if "," not in source:
            refuse_endless(Path(source))
        elif not source.isprintable() and (why := reaching.wrong_name(source)):
            # what is no UTF-8 comes back from Ansible as it went
            raise BadInput(why, where=f"-i {shown(source)}", mend=_RENAME)
    _check_given(how)
    limit = [f"--limit={how.limit}"] if how.limit else []
    with private_folder() as private:
        # by that name a later command takes it away, where this one is killed
        output = private / f"{HANDED}listing"
        words = ["--list", f"--output={output}", *how.arguments(private), *limit]
        done = listed(
            [tool("ansible-inventory"), *words],
            environment(str(private)) | _unlogged(private),
            where=", ".join(how.inventory),
        )
        if done.returncode != 0:
            raise _unusable(done.stderr, how)
        listing = json.loads(output.read_bytes())
    check_names(listing)
    found: dict[str, Any] = listing
    return found


def names_in(listing: Mapping[str, Any], how: How) -> list[str]:
    """The names of a listing's hosts, in its order; raises BadInput where there is none."""
    names: dict[str, None] = {}
    for group in listing.values():
        names.update(dict.fromkeys(group.get("hosts", [])))
    names.update(dict.fromkeys(listing.get("_meta", {}).get("hostvars", {})))
    if not names and how.limit:
        raise BadInput(msg("fits_no_host_inventory"), where=f"--limit {how.limit}")
    if not names:
        raise BadInput(msg("no_host_in_it"), where=", ".join(how.inventory))
    return list(names)


def _unlogged(private: Path) -> dict[str, str]:
    """The listing holds the passwords of the inventory, those of vaults in the clear.

    What Ansible prints it writes into the user's log as well, and among it stand lines of its own
    where the user's configuration asks for them.
    """
    return {
        "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "True",
        "ANSIBLE_INVENTORY_EXPORT": "False",
        "ANSIBLE_LOG_PATH": str(private / f"{HANDED}log"),
        "ANSIBLE_DEBUG": "False",
        "ANSIBLE_VERBOSITY": "0",
    }


def _check_given(how: How) -> None:
    """Ansible would say of a bad -e, or of a file that is not there, that the inventory is bad."""
    files = [f"--vault-password-file {file}" for file in how.vault_password_files]
    files += [f"-e {entry}" for entry in how.extra_vars if entry[:1] == "@"]
    for given in files:
        place = Path(given.partition(" ")[2].removeprefix("@"))
        if not place.exists():
            raise BadInput(msg("no_such_file"), where=given)
        given_files.refuse_special(place)
    if how.private_key:
        given_files.refuse_special(Path(how.private_key))
    if how.user and (why := reaching.wrong_user(how.user)):
        raise BadInput(why, where=f"-u {how.user}", mend=_RENAME)


def check_names(listing: dict[str, Any]) -> None:
    """Raises BadInput for the first name in it that a command would take for something else.

    `listing` is what `ansible-inventory --list` gave. What is a template or in a vault is looked
    at where it is used (`reached`).
    """
    variables = listing.get("_meta", {}).get("hostvars", {})
    names = dict.fromkeys(variables)
    for group in listing.values():
        names |= dict.fromkeys(group.get("hosts", []))
    for name in names:
        if why := reaching.wrong_name(name):
            raise BadInput(why, where=name, mend=_RENAME)
        for variable, wrong in _REACHED_BY.items():
            value = variables.get(name, {}).get(variable)
            plain = isinstance(value, str | int) and "{{" not in str(value)
            if plain and (why := wrong(str(value))):
                raise BadInput(
                    why, where=msg("at", where=name, what=variable), mend=msg("mend_try_again")
                )


def _unusable(output: bytes, how: How) -> BadInput:
    """What the plugin that the file was meant for says of it, and the line where it can be told."""
    text = output.decode("utf-8", "replace")
    sources = how.inventory
    failed = re.search(r"Failed to parse inventory with '\w+' plugin: (.+)", text)
    for file in (entry[1:] for entry in how.extra_vars if entry[:1] == "@"):
        found = re.search(
            rf"^Origin: {re.escape(str(Path(file).resolve()))}:(\d+)", text, re.MULTILINE
        )
        if found and failed:
            reason = kind_of(failed[1])
            return BadInput(msg("not_yaml", failed=reason), where=f"{file} line {found[1]}")
    source = next((x for x in sources if f"source {_place(x)}" in text), ", ".join(sources))
    wanted = "yaml" if source.endswith((".yml", ".yaml", ".json")) else "ini"
    said = dict(re.findall(r"Failed to parse inventory with '(\w+)' plugin: (.+)", text))
    reason = str(said.get(wanted, "")).removeprefix("Failed to parse inventory: ")
    if not reason:
        return BadInput(complaint(output), where=source)
    place = re.search(rf"^Origin: {re.escape(_place(source))}:(\d+)", text, re.MULTILINE)
    of_range = bool(_RANGE_REFUSED.match(reason))
    line = place[1] if place else _line_of(source, quoted(reason), of_range=of_range)
    # of a line only where it stands: it holds the password of a host as often as not
    return BadInput(
        msg("host_name_no_range") if of_range else msg("not_inventory", reason=kind_of(reason)),
        where=f"{source} line {line}" if line else source,
        mend=msg("mend_try_again"),
    )


def _line_of(source: str, words: str, *, of_range: bool) -> str:
    """The number of the only line with the words, or a bad range; empty where that is not one."""
    try:
        lines = Path(source).read_text("utf-8", "replace").splitlines()
    except OSError:
        return ""
    found = [
        n
        for n, line in enumerate(lines, 1)
        if (_OPEN.search(_RANGE.sub("", line)) if of_range else words and words in line)
    ]
    return str(found[0]) if len(found) == 1 else ""


def complaint(output: bytes) -> str:
    """Of the line of Ansible's output that says what is wrong as much as quotes nothing."""
    lines = [line.strip() for line in output.decode("utf-8", "replace").splitlines()]
    lines = [line for line in lines if line]
    marked = [line for line in lines if "ERROR" in line or "fatal" in line]
    chosen = (marked or lines or ["Ansible ended without a word"])[0]
    return one_line(kind_of(chosen.replace("[ERROR]:", "").replace("ERROR!", "")))


def tool(name: str) -> str:
    """The Ansible of this very Python first: a virtual environment need not be on PATH."""
    beside = Path(sys.executable).parent / name
    found = str(beside) if beside.exists() else shutil.which(name)
    if not found:
        raise BadInput(msg("not_here", name=name), mend=msg("pip_install_ansible_core"))
    return found


def environment(private: str) -> dict[str, str]:
    """What Ansible runs in; `private` is a folder for its temporary files."""
    from ansible import constants

    roles = str(shared("roles"))
    config = constants.CONFIG_FILE or str(shared("playbooks", "ansible.cfg"))
    own = os.environ.get("ANSIBLE_ROLES_PATH")
    # the roles' lookups and filters, before whatever version of the collection the user has
    collections = [str(shared_root()), *constants.config.get_config_value("COLLECTIONS_PATHS")]
    python = str(Path(sys.executable).parent)
    return {
        **os.environ,
        "ANSIBLE_CONFIG": config,
        "ANSIBLE_ROLES_PATH": f"{roles}:{own}" if own else roles,
        "ANSIBLE_COLLECTIONS_PATH": os.pathsep.join(collections),
        "ANSIBLE_LOCAL_TEMP": f"{private}/ansible",
        "TMPDIR": folder_for_sockets(),
        "ANSIBLE_HOST_KEY_CHECKING": str(_host_key_checking()),
        # nobody would see the question: whoever wants to be asked is asked before
        "ANSIBLE_ASK_PASS": "False",
        "ANSIBLE_BECOME_ASK_PASS": "False",
        "ANSIBLE_ASK_VAULT_PASS": "False",
        "ANSIBLE_ENABLE_TASK_DEBUGGER": "False",
        "ANSIBLE_STRATEGY": strategy(),
        # else any answer of a host's names variables: how it is reached, what is copied to it
        "ANSIBLE_INJECT_FACT_VARS": "False",
        # ansible-runner's own is a child of it, and not every one can have children
        "ANSIBLE_STDOUT_CALLBACK": "default",
        "ANSIBLE_LOCALHOST_WARNING": "False",
        "ANSIBLE_INVENTORY_UNPARSED_WARNING": "False",
        "ANSIBLE_DEPRECATION_WARNINGS": "False",
        "ANSIBLE_RETRY_FILES_ENABLED": "False",
        "ANSIBLE_NOCOLOR": "1",
        "LC_ALL": _utf8(),
        "PATH": f"{python}:{os.environ.get('PATH', os.defpath)}",
    }


def asked_by_default() -> tuple[bool, bool]:
    """Whether the user's own configuration of Ansible asks for the login and become passwords."""
    from ansible import constants

    get = constants.config.get_config_value
    return bool(get("DEFAULT_ASK_PASS")), bool(get("DEFAULT_BECOME_ASK_PASS"))


def strategy() -> str:
    """As the user's own configuration has it, where it does not stop to be asked."""
    from ansible import constants

    chosen = str(constants.config.get_config_value("DEFAULT_STRATEGY"))
    return "linear" if chosen.rpartition(".")[2] == "debug" else chosen


def _host_key_checking() -> bool:
    """As the user's own configuration has it: ansible-runner alone would turn it off."""
    from ansible import constants

    return bool(constants.config.get_config_value("HOST_KEY_CHECKING"))


def _utf8() -> str:
    """Ansible refuses to start in a locale that is not UTF-8."""
    locale = os.environ.get("LC_ALL") or os.environ.get("LANG") or ""
    return locale if "utf" in locale.lower() else "C.UTF-8"
