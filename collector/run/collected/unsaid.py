"""What may be told of words that are not ours: the kind of a failure, never a value.

Ansible quotes what it stumbles over: a password that is half a template, the command of a lookup
and the token in it, the whole line of an inventory. What goes on from here lies in captures, in
signed bundles, in the mail that cron sends; so only what is known to hold nothing of it does.
"""

from __future__ import annotations

import re

# of a task's result: what it says is in our own words
OURS = "words_of_hostpledge"
# Ansible's name of what it fills in before it connects, and the variable that a person gave it by
_VARIABLES = {
    "password": "ansible_password",
    "become_pass": "ansible_become_password",
    "become": "ansible_become",
    "become_user": "ansible_become_user",
    "become_method": "ansible_become_method",
    "become_exe": "ansible_become_exe",
    "become_flags": "ansible_become_flags",
    "remote_addr": "ansible_host",
    "host": "ansible_host",
    "remote_user": "ansible_user",
    "port": "ansible_port",
    "connection": "ansible_connection",
    "private_key_file": "ansible_ssh_private_key_file",
    "private_key_passphrase": "ansible_ssh_private_key_passphrase",
    "ssh_args": "ansible_ssh_args",
    "ssh_common_args": "ansible_ssh_common_args",
    "ssh_extra_args": "ansible_ssh_extra_args",
    "ssh_executable": "ansible_ssh_executable",
    "timeout": "ansible_timeout",
    "executable": "ansible_shell_executable",
    "environment": "environment",
    "vars": "vars",
}
_KEYWORD = re.compile(r"Error processing keyword '(\w{1,40})'")
_CONFIG = re.compile(r"Config '(\w{1,40})' for .{1,80}? plugin from '([^']{0,80})' has an invalid")
_OPTION = re.compile(r"(?:option|value for|variable)[: ]+'(\w{1,40})'", re.IGNORECASE)
# in this order: what led to it stands behind what came of it
_KINDS = (
    (r"undecryptable|decrypt|vault", "Ansible Vault could not decrypt it"),
    (r"lookup plugin|[Ll]ookup ", "a lookup in it failed"),
    (r"[Ss]yntax error in template|unknown tag|No (?:filter|test) named", "it is no template"),
    (r"is undefined|has no attribute", "its template names a variable that is not defined"),
    (r"could not be converted|invalid value|Invalid value", "its value is of another kind"),
    (r"Error rendering template|template", "its template could not be filled in"),
    (r"No closing quotation|No escaped character", "a quote in it has no end"),
)  # fmt: skip
_PLUGINS = (
    (r"connection plugin .{0,80} was not found", "ansible_connection"),
    (r"[Ii]nvalid become method|become plugin|become method", "ansible_become_method"),
    (r"shell plugin", "ansible_shell_type"),
)
_HINT = (
    "what Ansible says of it may hold secrets and is not kept: "
    "`ansible -i INVENTORY HOST -m ansible.builtin.raw -a true` shows it"
)
_SYSTEM = re.compile(r"\[Errno \d{1,3}\] ([A-Z][A-Za-z ]{2,60})")


def before_connection(text: str) -> str:
    """Of Ansible's complaint before there is a connection: which variable, and what is wrong."""
    for pattern, variable in _PLUGINS:
        if re.search(pattern, text):
            return f"{variable}: Ansible knows no such plugin; mend it in the inventory"
    kind = next((kind for pattern, kind in _KINDS if re.search(pattern, text)), "")
    if variable := _variable(text):
        return f"{variable}: {kind or 'Ansible cannot take it'}; mend it in the inventory"
    if "command line on a controller" in text:
        found = _SYSTEM.search(text)
        return f"ssh could not be started here: {found[1] if found else 'no reason is told'}"
    if kind:
        return f"a variable of this host: {kind}; {_HINT}"
    return f"Ansible did not get as far as this host; {_HINT}"


def of_variables(text: str) -> str:
    """The same where the text is such a complaint beyond doubt; empty where it is not."""
    return before_connection(text) if _variable(text) or _of_plugins(text) else ""


def _of_plugins(text: str) -> bool:
    return any(re.search(pattern, text) for pattern, _ in _PLUGINS)


def _variable(text: str) -> str:
    if found := _KEYWORD.search(text):
        return _VARIABLES.get(found[1], "")
    if found := _CONFIG.search(text):
        told = re.fullmatch(r"(?:var|env): (ansible_[a-z_]{1,60}|ANSIBLE_[A-Z_]{1,60})", found[2])
        return told[1] if told else _VARIABLES.get(found[1], "a setting of a plugin")
    found = _OPTION.search(text)
    return _VARIABLES.get(found[1], "") if found else ""


# what such words do not quote, but say as it is
_QUOTES = re.compile(r"""['"`{}\[\]<>\\$]|\b(?:got|is not|not found)\b:?|[:=] ?\S*[0-9/@].*|://""")


def kind_of(text: str) -> str:
    """What a complaint says before it quotes anything, and after the last thing that it quotes."""
    first = _QUOTES.search(text)
    if first is None:
        return text.strip()
    head = text[: first.start()].strip(" :,;.")
    tail = re.search(r"""(?<=['"`]): ([A-Z][A-Za-z ,-]{3,80})\.?$""", text)
    return ": ".join(part for part in (head, tail[1] if tail else "") if part)


def quoted(text: str) -> str:
    """What a complaint about a line quotes of it, to find the line by."""
    found = re.search(r"definition '(.*)': |entry: '(.*)'\. |\bgot: (.*)$", text)
    return next((part for part in found.groups() if part), "") if found else ""
