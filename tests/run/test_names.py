"""A name is never an option: not of ssh, not of Ansible, whoever wrote it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from collector import reaching
from collector.errors import BadInput
from collector.i18n.message import in_chinese
from collector.pledges.record.form import PledgeRecord
from collector.pledges.register.register import Register
from collector.run.ansible.inventory import check_names
from tests.pledges.records import made
from tests.run.conftest import Sshd, hostpledge

ROOT = Path(__file__).parents[2]
# an ssh that shows that it was started, and with what
CANARY = "#!/bin/sh\nprintf '%s\\n' \"$@\" >>{canary}\nexit 255\n"
OPTION = "-oProxyCommand=touch${{IFS}}{canary}"


@pytest.fixture
def canary(tmp_path: Path) -> Path:
    program = tmp_path / "ssh"
    program.write_text(CANARY.format(canary=tmp_path / "canary"))
    program.chmod(0o700)
    return tmp_path / "canary"


def option(canary: Path) -> str:
    return OPTION.format(canary=canary)


def inventory(folder: Path, canary: Path, hosts: dict[str, dict[str, object]]) -> Path:
    """JSON, which is YAML. What the canary would be started by is the operator's own choice."""
    path = folder / "inventory.yml"
    own = {"ansible_ssh_executable": str(canary.parent / "ssh")}
    path.write_text(json.dumps({"all": {"hosts": hosts, "vars": own}}))
    return path


@pytest.mark.parametrize(
    ("name", "variables", "says"),
    [
        ("-oX=y", {}, "a host's name may not begin with -"),
        ("!web", {}, "a host's name may not begin with !"),
        ("@/etc/passwd", {}, "a host's name may not begin with @"),
        ("~.*", {}, "a host's name may not begin with ~"),
        ("a\nb", {}, "line break"),
        ("a\u202eb", {}, "control character"),
        ("a,b", {}, "may not hold ,"),
        ("w*", {}, "may not hold *"),
        ("{{7*7}}", {}, "may not hold {"),
        ("a:b", {}, "colon"),
        ("web", {"ansible_host": "-oX"}, "web: ansible_host: a host's address may not begin"),
        ("web", {"ansible_host": "-F/tmp/x"}, "web: ansible_host: "),
        ("web", {"ansible_host": "a b"}, "web: ansible_host: a host's address may hold neither"),
        ("web", {"ansible_host": "a;reboot"}, "web: ansible_host: "),
        ("web", {"ansible_user": "-oX=y"}, "web: ansible_user: a user's name may not begin with -"),
        ("web", {"ansible_user": 'x"\nProxyCommand=y'}, "web: ansible_user: "),
        ("web", {"ansible_user": "$(id)"}, "web: ansible_user: "),
        ("web", {"ansible_become_user": "-x"}, "web: ansible_become_user: "),
        ("web", {"ansible_port": "22 -oX"}, "web: ansible_port: a port is a number"),
        ("web", {"ansible_port": 0}, "web: ansible_port: "),
    ],
)
def test_what_an_inventory_may_not_hold(name: str, variables: dict[str, object], says: str) -> None:
    listing = {"_meta": {"hostvars": {name: variables}}, "all": {"hosts": [name]}}
    with pytest.raises(BadInput) as refused:
        check_names(listing)
    assert says in str(refused.value)
    assert "\n" not in str(refused.value)
    assert not re.search(r"may (not )?hold|may not begin|a port is", in_chinese(refused.value.said))


@pytest.mark.parametrize(
    ("name", "variables", "says"),
    [
        ("{option}", {}, "a host's name may not begin with -"),
        ("a\nb", {}, "line break"),
        ("web", {"ansible_host": "{option}"}, "web: ansible_host: a host's address may not begin"),
    ],
)
def test_an_inventory_with_it_is_refused(
    name: str, variables: dict[str, object], says: str, tmp_path: Path, canary: Path
) -> None:
    name = option(canary) if name == "{option}" else name
    given = {k: option(canary) if v == "{option}" else v for k, v in variables.items()}
    path = inventory(tmp_path, canary, {name: given})
    ran = hostpledge("collect", "-i", str(path), "-o", str(tmp_path / "out"))
    assert ran.status == 2
    assert says in ran.err
    assert ran.err.count("\n") == 1
    assert not canary.exists()
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["-i", "-oProxyCommand=touch${IFS}x,"], "a host's name may not begin with -"),
        (["-i", "localhost,", "--limit", "-oProxyCommand=x"], "fits no host"),
        (["-i", "localhost,", "--user", "-oProxyCommand=x"], "-u -oProxyCommand=x: a user's name"),
        (["-i", "localhost,", "--private-key", "-oX"], ""),
    ],
)
def test_nor_is_a_word_of_the_command_line(words: list[str], says: str, tmp_path: Path) -> None:
    ran = hostpledge("collect", *words, "-o", str(tmp_path / "out"), "--family", "monitoring")
    assert says in ran.err
    assert ran.status == (2 if says else 0)
    assert "usage:" not in ran.err


TEMPLATES = {
    "address": {"ansible_host": "{{ '-oProxyCommand=' ~ 'touch x' }}"},
    "user": {"ansible_host": "127.0.0.1", "ansible_user": "{{ '-oProxyCommand=x' }}"},
    "blank": {"ansible_host": "{{ 'a b' }}"},
}


def test_what_a_template_comes_to_is_not_asked_and_others_are(
    sshd: Sshd, tmp_path: Path, canary: Path
) -> None:
    path = inventory(tmp_path, canary, {name: dict(v) for name, v in TEMPLATES.items()})
    other = tmp_path / "other"
    other.write_text(sshd.line("well", "well"))
    ran = hostpledge(
        "collect", "-i", str(path), "-i", str(other), "-o", str(tmp_path / "out"),
        "--family", "monitoring",
        "-e", json.dumps({"ansible_ssh_executable": "{{ exe | default('ssh') }}"}),
    )  # fmt: skip
    assert "1 of 4 hosts" in ran.out
    lines = [json.loads(x) for x in (tmp_path / "out" / "journal.jsonl").read_text().splitlines()]
    told = {line["host"]: (line["status"], line["detail"]) for line in lines}
    for name in TEMPLATES:
        status, detail = told[name]
        assert status == "unreachable"
        assert detail.startswith("not asked: ansible_"), detail
    assert told["well"][0] == "complete"
    assert not canary.exists()


@pytest.mark.parametrize("book", ["check.yml", "harden.yml", "undo.yml"])
def test_plain_ansible_does_not_ask_either(book: str, tmp_path: Path, canary: Path) -> None:
    hosts: dict[str, dict[str, object]] = {
        option(canary): {},
        "by-address": {"ansible_host": option(canary)},
        "by-template": dict(TEMPLATES["address"]),
    }
    path = inventory(tmp_path, canary, hosts)
    done = subprocess.run(
        [Path(sys.executable).parent / "ansible-playbook", "-i", path, f"playbooks/{book}",
         "-e", f"collect_output={tmp_path / 'out'}"],
        cwd=ROOT, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
        env={**os.environ, "ANSIBLE_NOCOLOR": "1", "LC_ALL": "C.UTF-8"},
    )  # fmt: skip
    assert done.returncode not in (0, 1), done.stdout
    assert "may not begin with -" in done.stdout
    assert not canary.exists(), canary.read_text()


def test_the_canary_sings(tmp_path: Path, canary: Path) -> None:
    """What is refused would have been started: a name that is none of these is."""
    path = inventory(tmp_path, canary, {"web": {"ansible_host": "198.51.100.1"}})
    ran = hostpledge("collect", "-i", str(path), "-o", str(tmp_path / "out"))
    assert ran.status == 1
    assert "198.51.100.1" in canary.read_text()


@pytest.mark.parametrize(
    "name",
    [
        "web-1",
        "localhost-backup",
        "my-localhost",
        "数据库一号",
        "db.example.com",
        "2001:db8::1",
        "10.0.0.1",
        "a_b",
        "web 1 (甲)",
    ],
)
def test_ordinary_names_stay(name: str) -> None:
    assert reaching.wrong_name(name) == ""


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("all", "to Ansible that is a group"),
        ("Ungrouped", "to Ansible that is a group"),
        ("_meta", "to Ansible that is a group"),
        ("localhost", "that is the machine that checks"),
        ("LocalHost.", "that is the machine that checks"),
        ("due", "hostpledge has a group of that name"),
        ("grade_3", "hostpledge has a group of that name"),
        *(
            (name, "that is the machine that checks")
            for name in (
                "localhost4",
                "localhost6.localdomain6",
                "ip6-loopback",
                "web.localhost",
                "127.0.0.1",
                "127.1",
                "0.0.0.0",
                "0",
                "0x7f000001",
                "2130706433",
                "::1",
                "::",
                "::ffff:127.0.0.1",
                "0177.0.0.1",
                "127.255.255.254",
            )
        ),
    ],
)
def test_no_host_of_a_pledge_is_called_that(name: str, says: str) -> None:
    assert says in reaching.wrong_declared(name)
    with pytest.raises(BadInput, match=r"resources\.hosts"):
        made(resources={"hosts": ["web-01", name]})


@pytest.mark.parametrize("user", ["root", "ops", "DOM\\ops", "a.b", "ops@example.com", "运维"])
def test_ordinary_users_stay(user: str) -> None:
    assert reaching.wrong_user(user) == ""


@pytest.mark.parametrize("address", ["web", "fe80::1%eth0", "192.0.2.7", "数据库一号", "ops@web"])
def test_ordinary_addresses_stay(address: str) -> None:
    assert reaching.wrong_address(address) == ""


RECORD = (ROOT / "examples" / "pledge.yml").read_text()


@pytest.mark.parametrize("name", ["-oProxyCommand=x", "!web-01", "{{7*7}}", "a:22", "w*"])
def test_a_pledge_record_with_it_is_refused(name: str, tmp_path: Path) -> None:
    record = tmp_path / "pledge.yml"
    record.write_text(RECORD.replace("[web-01, db-01]", json.dumps(["web-01", name])))
    ran = hostpledge("pledge", "add", str(record), HOSTPLEDGE_HOME=str(tmp_path / "home"))
    assert ran.status == 2
    assert f"resources.hosts[1]: {name}: a host's name may not" in ran.err
    assert ran.err.count("\n") == 1


def test_one_that_the_register_held_already_is_left_out(tmp_path: Path, canary: Path) -> None:
    """Of the inventory of a run, and of the one that plain Ansible takes."""
    evil = "-oProxyCommand=touch${IFS}x"
    document = yaml.safe_load(RECORD)
    document["resources"]["hosts"] = ["192.0.2.7", evil]
    place = str(tmp_path / "register.db")
    Register.open(place, create=True).add(PledgeRecord(document))
    ran = hostpledge(
        "collect", "-i", f"register:{place}", "-o", str(tmp_path / "out"), "-e",
        json.dumps({"ansible_ssh_executable": str(tmp_path / "ssh")}),
    )  # fmt: skip
    assert f"{evil}: to Ansible or ssh this name is an option" in ran.err
    assert "0 of 1 hosts" in ran.out, ran.err
    assert canary.exists(), ran.err
    assert "ProxyCommand" not in canary.read_text()
    shown = hostpledge("pledge", "inventory", "--register", place)
    assert evil not in shown.out
    assert "this name is an option" in shown.err
