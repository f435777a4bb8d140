"""Of what Ansible says before there is a connection nothing goes on that may be a secret."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest

from collector.model import HostStatus
from collector.run.collected import outcome
from collector.run.collected.unsaid import before_connection, kind_of
from tests.cli.running import Ended, hostpledge

_WORD = re.compile(r"SECRETPW\d+", re.IGNORECASE)
_INVENTORY = r"""
all:
  vars: {ansible_host: 127.0.0.1, ansible_port: 1}
  hosts:
    s01: {ansible_password: "Pa{{SECRETPW1"}
    s02: {ansible_connection: local, ansible_become: true, ansible_become_password: "x{%SECRETPW2"}
    s03: {ansible_password: "{{ 'SECRETPW3' + undefinedvar }}"}
    s04: {ansible_password: "{{ lookup('file','/nonexist/SECRETPW4') }}"}
    s05: {ansible_password: "{{ lookup('url','http://u:SECRETPW5@127.0.0.1:1/?t=SECRETPW6') }}"}
    s06: {ansible_password: "{{ lookup('pipe','echo SECRETPW7; exit 1') }}"}
    s07: {ansible_connection: "SECRETPW8"}
    s08: {ansible_password: {a: SECRETPW9}}
    s09: {ansible_become: true, ansible_become_method: SECRETPW10}
    s10: {ansible_ssh_common_args: "-o ProxyCommand='echo proxy SECRETPW11 >&2; exit 1'"}
    s11: {ansible_ssh_common_args: "-o Bad=SECRETPW12"}
    s12: {ansible_host: "{{ lookup('env','X') | SECRETPW13 }}"}
    s13: {ansible_ssh_executable: "/nonexist/SECRETPW14"}
    s14: {ansible_connection: local, ansible_shell_type: "SECRETPW15"}
    s15: {ansible_connection: local, ansible_become: "SECRETPW16"}
    s16: {ansible_ssh_common_args: "'SECRETPW17"}
    s17: {ansible_password: !vault SECRETPW18}
"""
_TOLD = {
    "s01": "ansible_password: it is no template",
    "s02": "ansible_become_password: it is no template",
    "s03": "ansible_password: its template names a variable that is not defined",
    "s04": "ansible_password: a lookup in it failed",
    "s07": "ansible_connection: Ansible knows no such plugin",
    "s08": "ansible_password: its value is of another kind",
    "s09": "ansible_become_method: Ansible knows no such plugin",
    "s12": "ansible_host: it is no template",
    "s17": "ansible_password: Ansible Vault could not decrypt it",
}


def _run(folder: Path, *arguments: object) -> Ended:
    home = folder / "home"
    home.mkdir()
    hostpledge("key", "new", home=home)
    return hostpledge("run", *arguments, home=home, LC_ALL="C.UTF-8")


def test_none_is_in_what_a_run_leaves(tmp_path: Path) -> None:
    inventory, place = tmp_path / "inv.yml", tmp_path / "out"
    inventory.write_text(_INVENTORY, encoding="utf-8")
    ran = _run(tmp_path, "-i", inventory, "-o", place, "--family", "intrusion")
    said = ran.out + ran.err
    assert _WORD.findall(said) == []
    for host, told in _TOLD.items():
        assert f"{host}: {told}" in said
    assert (place / "bundle/data/evidence.json").exists(), said
    for file in (f for f in place.rglob("*") if f.is_file()):
        data = file.read_bytes()
        data = gzip.decompress(data) if file.suffix == ".gz" else data
        assert _WORD.findall(data.decode("utf-8", "replace")) == [], file


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        ("a.ini", "[all]\nh0\nh1 ansible_password='SECRETPW32\n", "3"),
        ("b.ini", "[all]\nh1 ansible_password=don'tSECRETPW33\n", "2"),
        ("c.ini", "[all]\nh1 ansible_password=x SECRETPW34 y\n", "2"),
        ("d.ini", "[all:vars]\nSECRETPW35\n", "2"),
        ("e.ini", "[all SECRETPW36]\nh1\n", "1"),
        ("f.ini", "[all]\nh[SECRETPW37:3] a=b\n", "2"),
        ("i.ini", "[all]\nh[1:3]\nSECRETPW37[1:\n", "3"),
        ("i.yml", 'all:\n  hosts:\n    "SECRETPW37\\e[31m":\n', "3"),
        ("j.yml", "all:\n  hosts:\n    h[1:2]:\n    SECRETPW37[0x1b..]:\n", "4"),
        ("g.yml", "all:\n  hosts:\n    h1: {ansible_password: 'SECRETPW38}\n", "4"),
        ("h.yml", "all:\n  hosts:\n    h1: {ansible_password: @SECRETPW39}\n", "3"),
    ],
)
def test_a_slip_in_an_inventory_is_told_by_its_line(
    tmp_path: Path, name: str, text: str, line: str
) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    ran = _run(tmp_path, "-i", tmp_path / name, "-o", tmp_path / "o")
    assert ran.status == 2
    assert _WORD.findall(ran.out + ran.err) == []
    assert f"{name}{f' line {line}' if line else ''}: not an inventory: " in ran.err
    assert len(ran.err.splitlines()) == 1
    # Python's own words help nobody
    assert "unpack" not in ran.err
    assert "int()" not in ran.err


@pytest.mark.parametrize(
    "text",
    [
        "Task failed: something new about 'SECRETPW1'",
        "Task failed: SECRETPW2 is not what was expected",
        "Error processing keyword 'SECRETPW3': x",
        "Config 'SECRETPW4' for 'ssh' connection plugin from 'var: SECRETPW5' has an invalid value",
        "Unable to execute ssh command line on a controller: [Errno 2] No such file: b'/SECRETPW6'",
    ],
)
def test_a_text_that_nobody_knows_is_not_told(text: str) -> None:
    told = before_connection(text)
    assert _WORD.findall(told + outcome.classify(text, begun=False)[1]) == []
    assert _WORD.findall(outcome.classify(text, begun=True)[1]) == []


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("root@h: Permission denied (publickey,password).", HostStatus.AUTH_REFUSED),
        ("ssh: connect to host 10.9.9.9 port 22: No route to host", HostStatus.UNREACHABLE),
        ("ssh: Could not resolve hostname h: Name or service not known", HostStatus.UNREACHABLE),
        ("kex_exchange_identification: Connection closed by remote host", HostStatus.UNREACHABLE),
        ("Connection closed by 10.0.0.1 port 22", HostStatus.UNREACHABLE),
        ("Unable to negotiate with 10.0.0.1 port 22: no matching host key type found. "
         "Their offer: ssh-rsa,ssh-dss", HostStatus.UNREACHABLE),
        ("sudo: a password is required", HostStatus.BECOME_REFUSED),
        ("ops is not in the sudoers file.", HostStatus.BECOME_REFUSED),
        ("Missing sudo password", HostStatus.BECOME_REFUSED),
    ],
)  # fmt: skip
def test_what_openssh_and_sudo_say_is_told(text: str, status: HostStatus) -> None:
    assert outcome.classify(f"Failed to connect to the host via ssh: {text}", begun=False) == (
        status,
        text,
    )


def test_of_a_complaint_only_what_quotes_nothing() -> None:
    assert kind_of("Error parsing host definition 'h p='SECRET': No closing quotation") == (
        "Error parsing host definition: No closing quotation"
    )
    assert kind_of("Expected key=value, got: SECRET") == "Expected key=value"
    assert kind_of("mapping values are not allowed here") == "mapping values are not allowed here"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("db password is SECRET\n", "1 line(s) that are not shown"),
        ("Warning: mysql://root:SECRET@h\nx\n", "2 line(s) that are not shown"),
        ("+ export PW=SECRET\n-bash: line 3: x: command not found\n", "-bash: line 3: x: command"),
        ("This account is not available.\n", "This account is not available."),
        ("sh: /bin/sh: Permission denied\n", "sh: /bin/sh: Permission denied"),
        ("debug1: Server host key: x\n", "the host answered nothing"),
    ],
)
def test_what_a_host_says_instead_of_a_capture(text: str, told: str) -> None:
    said = outcome.answered(text)
    assert "SECRET" not in said
    assert said.startswith(told)
