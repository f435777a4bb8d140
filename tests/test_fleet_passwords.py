"""Logins by password on real hosts: with OpenSSH's askpass and with sshpass, directly and behind a
jump host that wants one too; what is refused says so; nobody else gets to see one.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.fleet import Fleet
from tests.fleet.hosts import BECOME_PASSWORD, LOGIN_PASSWORD
from tests.fleet.machine import why_not
from tests.run.conftest import hostpledge
from tests.run.seen import watched

pytestmark = pytest.mark.fleet

ROOT = Path(__file__).parents[1]
BY_PASSWORD = ("password", "password-sudo", "inner")
QUICK = ("--family", "monitoring", "--seconds", "60")
WEAK = "printf 'Ciphers aes256-ctr,aes128-cbc\\n' >/etc/ssh/sshd_config.d/05-weak.conf"


@pytest.fixture(scope="module")
def hosts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    if reason := why_not():
        say = pytest.fail if os.environ.get("CI") else pytest.skip
        say(f"containers cannot run here: {reason}")
    folder = tmp_path_factory.mktemp("passwords")
    with Fleet(
        ("password", "inner", "bare"), folder=folder, prefix=f"passwords-{os.getpid()}"
    ) as running:
        yield running


def told(out: Path) -> dict[str, tuple[str, str]]:
    """Status and detail of each host."""
    lines = map(json.loads, (out / "journal.jsonl").read_text().splitlines())
    return {line["host"]: (line["status"], line["detail"]) for line in lines}


def collected(
    hosts: Fleet, out: Path, *more: str, inventory: Path | None = None, **env: str
) -> dict[str, tuple[str, str]]:
    words = ("-i", str(inventory or hosts.inventory), "-o", str(out), *QUICK, *more)
    ran = hostpledge("collect", *words, timeout=200, **env)
    assert ran.status in (0, 1), ran.err
    return told(out)


def test_every_way_in_gives_a_capture(hosts: Fleet, tmp_path: Path) -> None:
    """By key, by password, by another password for sudo, and through a jump host that asks too."""
    found = collected(hosts, tmp_path / "out")
    assert found == dict.fromkeys((*BY_PASSWORD, "bare"), ("complete", ""))


def test_a_key_that_an_agent_alone_holds(hosts: Fleet, tmp_path: Path) -> None:
    document = yaml.safe_load(hosts.inventory.read_text())
    document["all"]["hosts"] = {"bare": document["all"]["hosts"]["bare"]}
    shared = document["all"]["vars"]
    key = shared.pop("ansible_ssh_private_key_file")
    shared["ansible_ssh_common_args"] = shared["ansible_ssh_common_args"].replace(
        "-oIdentitiesOnly=yes", ""
    )
    inventory = tmp_path / "agent.yml"
    inventory.write_text(yaml.safe_dump(document))
    folder = tempfile.mkdtemp(prefix="agent-")  # a socket's path may be 108 bytes long
    agent = subprocess.Popen(
        ["ssh-agent", "-D", "-a", f"{folder}/socket"],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    env = {"SSH_AUTH_SOCK": f"{folder}/socket"}
    try:
        refused = collected(hosts, tmp_path / "empty", inventory=inventory, **env)
        assert refused["bare"][0] == "auth_refused"
        subprocess.run(["ssh-add", "-q", key], env={**os.environ, **env}, check=True)
        found = collected(hosts, tmp_path / "out", inventory=inventory, **env)
        assert found == {"bare": ("complete", "")}
    finally:
        agent.terminate()
        agent.wait()
        shutil.rmtree(folder)


@pytest.mark.skipif(shutil.which("sshpass") is None, reason="sshpass is not here")
def test_sshpass_answers_where_it_is_wanted(hosts: Fleet, tmp_path: Path) -> None:
    found = collected(hosts, tmp_path / "out", ANSIBLE_SSH_PASSWORD_MECHANISM="sshpass")
    assert found["password"] == found["password-sudo"] == ("complete", "")
    status, detail = found["inner"]
    assert status == "auth_refused"
    assert "sshpass answers one host alone" in detail
    wrong = collected(
        hosts, tmp_path / "wrong", "-e", "ansible_password=wrong",
        ANSIBLE_SSH_PASSWORD_MECHANISM="sshpass",
    )  # fmt: skip
    assert wrong["password"] == ("auth_refused", "the password was refused")
    assert wrong["bare"][0] == "complete"


def test_where_sshpass_is_wanted_and_absent_it_is_said(hosts: Fleet, tmp_path: Path) -> None:
    path = tmp_path / "bin"
    path.mkdir()
    for name in ("ssh", "sh", "env", "bash"):
        (path / name).symlink_to(str(shutil.which(name)))
    found = collected(
        hosts, tmp_path / "out", "--limit", "password",
        ANSIBLE_SSH_PASSWORD_MECHANISM="sshpass", PATH=str(path),
    )  # fmt: skip
    assert found["password"][1].startswith("sshpass is not here, and password_mechanism asks")
    assert "install sshpass" in found["password"][1]


def test_what_is_wrong_is_said_of_that_host_alone(hosts: Fleet, tmp_path: Path) -> None:
    """Each host has its own passwords, and all are asked at once."""
    document = yaml.safe_load(hosts.inventory.read_text())
    entries = document["all"]["hosts"]
    entries["wrong"] = {**entries["password"], "ansible_password": "not this one"}
    entries["wrong-jump"] = {**entries["inner"], "ansible_password": "not this one"}
    entries["wrong-sudo"] = {**entries["password-sudo"], "ansible_become_password": "not this"}
    entries["no-sudo"] = {**entries["password-sudo"], "ansible_become_password": ""}
    inventory = tmp_path / "inventory.yml"
    inventory.write_text(yaml.safe_dump(document))
    guesses = hosts.execute("password", "journalctl", "-q", "-u", "ssh").stdout
    found = collected(hosts, tmp_path / "out", "--forks", "10", inventory=inventory)
    since = hosts.execute("password", "journalctl", "-q", "-u", "ssh").stdout[len(guesses) :]
    assert since.count(b"Failed password for asked") == 1, "the jump host was asked once"
    assert {host: status for host, (status, _) in found.items()} == {
        **dict.fromkeys((*BY_PASSWORD, "bare"), "complete"),
        "wrong": "auth_refused",
        "wrong-jump": "auth_refused",
        "wrong-sudo": "become_refused",
        "no-sudo": "become_refused",
    }
    assert "Permission denied" in found["wrong"][1]
    assert found["wrong-jump"][1] == "Permission denied (the password was refused)."
    assert found["wrong-sudo"][1] == "Incorrect sudo password"


def test_a_vault_and_an_alias_of_ssh_config(hosts: Fleet, tmp_path: Path) -> None:
    key = tmp_path / "vault-key"
    key.write_text("of the vault\n")
    lines = [
        "all:", "  hosts:", "    aliased:", "      ansible_host: password",
        "      ansible_user: asked", "      ansible_become: true",
        f"      ansible_ssh_common_args: -F {hosts.folder}/ssh_config",
    ]  # fmt: skip
    for name, secret in (("password", LOGIN_PASSWORD), ("become_password", BECOME_PASSWORD)):
        done = subprocess.run(
            [Path(sys.executable).parent / "ansible-vault", "encrypt_string",
             "--vault-password-file", key, "--stdin-name", f"ansible_{name}"],
            input=secret, capture_output=True, text=True, check=True,
            env={**os.environ, "LC_ALL": "C.UTF-8"},
        )  # fmt: skip
        lines += [f"      {line}" for line in done.stdout.splitlines()]
    inventory = tmp_path / "vaulted.yml"
    inventory.write_text("\n".join(lines) + "\n")
    found = collected(
        hosts, tmp_path / "out", "--vault-password-file", str(key), inventory=inventory
    )
    assert found == {"aliased": ("complete", "")}


def test_passwords_that_are_asked_for(hosts: Fleet, tmp_path: Path) -> None:
    """-k and -K, as a person types them; what the inventory says of a host counts for more."""
    inventory = tmp_path / "asked.yml"
    document = yaml.safe_load(hosts.inventory.read_text())
    entry = document["all"]["hosts"]["password-sudo"]
    document["all"]["hosts"] = {
        "typed": {k: v for k, v in entry.items() if "password" not in k},
        "inner": document["all"]["hosts"]["inner"],
    }
    inventory.write_text(yaml.safe_dump(document))
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    seen, said = watched(
        scratch,
        [sys.executable, "-m", "collector", "collect", "-i", str(inventory), "-k", "-K",
         "-o", str(tmp_path / "out"), *QUICK],
        {"TMPDIR": str(scratch), "LC_ALL": "C.UTF-8"},
        (LOGIN_PASSWORD, BECOME_PASSWORD),
        typed=f"{LOGIN_PASSWORD}\n{BECOME_PASSWORD}\n",
    )  # fmt: skip
    assert told(tmp_path / "out") == dict.fromkeys(("typed", "inner"), ("complete", "")), said
    assert seen.found == set()
    assert {"ansible-playbook", "ssh"} <= seen.programs
    assert {"handed-connection", "handed-become"} <= seen.files
    assert LOGIN_PASSWORD not in said
    assert BECOME_PASSWORD not in said
    kept = [file for file in (tmp_path / "out").rglob("*") if file.is_file()]
    assert not [f for f in kept if any(s.encode() in f.read_bytes() for s in seen.secrets)]


def test_plain_ansible_playbook(hosts: Fleet, tmp_path: Path) -> None:
    done = subprocess.run(
        [Path(sys.executable).parent / "ansible-playbook", "-i", hosts.inventory,
         "playbooks/check.yml", "-e", f"collect_output={tmp_path / 'out'}",
         "-e", '{"collect_families": ["monitoring"]}'],
        cwd=ROOT, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
        env={**os.environ, "ANSIBLE_NOCOLOR": "1", "LC_ALL": "C.UTF-8"}, timeout=200,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert told(tmp_path / "out") == dict.fromkeys((*BY_PASSWORD, "bare"), ("complete", ""))


EXPIRED = """set -e
useradd -m -s /bin/sh expired
echo 'expired:Old-Pass-77' | chpasswd
chage -d 0 expired
printf 'Banner /etc/issue.net\\n' >/etc/ssh/sshd_config.d/06-banner.conf
printf 'SSH password: \\nBECOME password: \\nAuthorized use only\\n' >/etc/issue.net
"""
BY_QUESTIONS = (
    "printf 'KbdInteractiveAuthentication yes\\nPasswordAuthentication no\\n' "
    ">/etc/ssh/sshd_config.d/05-questions.conf; sshd -t; systemctl reload ssh; sleep 1"
)


def test_questions_of_pam_a_banner_and_a_password_that_has_expired(
    hosts: Fleet, tmp_path: Path
) -> None:
    """A host that wants a new password gets none, and is not changed by a look."""
    document = yaml.safe_load(hosts.inventory.read_text())
    entries = document["all"]["hosts"]
    entries["expired"] = {
        **entries["password"], "ansible_user": "expired", "ansible_password": "Old-Pass-77",
    }  # fmt: skip
    inventory = tmp_path / "inventory.yml"
    inventory.write_text(yaml.safe_dump(document))
    made = hosts.execute("password", "sh", data=EXPIRED.encode())
    assert made.returncode == 0, made.stderr
    before = hosts.execute("password", "cat", "/etc/shadow").stdout
    for number, setting in enumerate(("systemctl reload ssh; sleep 1", BY_QUESTIONS)):
        hosts.execute("password", "sh", data=setting.encode())
        found = collected(hosts, tmp_path / f"out{number}", inventory=inventory)
        assert [found[host][0] for host in BY_PASSWORD] == ["complete"] * 3, setting
        status, detail = found["expired"]
        assert status == "auth_refused"
        assert detail.endswith("Change it on the host first."), detail
    assert hosts.execute("password", "cat", "/etc/shadow").stdout == before
    log = hosts.execute("password", "journalctl", "-q", "-u", "ssh").stdout.decode()
    assert "expired password for user expired" in log
    assert "new password not acceptable" not in log, "no new one was given"


def test_a_question_without_end_is_ended(hosts: Fleet, tmp_path: Path) -> None:
    """PAM waits for ever before it answers: the host's time limit ends it, and what it started."""
    hosts.execute(
        "inner", "sh", "-c", "sed -i '1i auth optional pam_exec.so /bin/sleep 300' /etc/pam.d/sshd"
    )
    for mechanism in ("ssh_askpass", "sshpass"):
        document = yaml.safe_load(hosts.inventory.read_text())
        entries = document["all"]["hosts"]
        options = document["all"]["vars"]["ansible_ssh_common_args"]
        entry = {**entries["inner"], "ansible_ssh_common_args": options}
        document["all"]["hosts"] = {"waits": entry, "bare": entries["bare"]}
        inventory = tmp_path / "inventory.yml"
        inventory.write_text(yaml.safe_dump(document))
        found = collected(
            hosts, tmp_path / mechanism, "--seconds", "8", inventory=inventory,
            ANSIBLE_SSH_PASSWORD_MECHANISM=mechanism,
        )  # fmt: skip
        assert found["waits"][0] == "timed_out", (mechanism, found)
        assert found["bare"][0] == "complete"
        left = subprocess.run(
            ["pgrep", "-f", f"ssh .*{hosts.folder}"], capture_output=True, text=True, check=False
        ).stdout
        assert left == ""
    hosts.execute("inner", "sed", "-i", "1d", "/etc/pam.d/sshd")


def test_hardening_confirms_by_a_connection_with_a_password(hosts: Fleet, tmp_path: Path) -> None:
    for host in ("password", "inner"):
        hosts.execute(host, "sh", data=f"{WEAK}; sshd -t; systemctl reload ssh\n".encode())
    ran = hostpledge(
        "harden", "-i", str(hosts.inventory), "-o", str(tmp_path / "out"), "--yes",
        "--limit", "password-sudo,inner", "--control", "intrusion.ssh_crypto",
        timeout=400, HOSTPLEDGE_HOME=str(tmp_path / "home"),
    )  # fmt: skip
    assert ran.status == 0, ran.out + ran.err
    for host in ("password", "inner"):
        ciphers = hosts.execute(host, "sshd", "-T").stdout.decode()
        assert "aes128-cbc" not in ciphers


def test_hardening_that_shuts_the_password_out_is_rolled_back(hosts: Fleet, tmp_path: Path) -> None:
    """And it is not tried again and again, which would lock the account."""
    ran = hostpledge(
        "harden", "-i", str(hosts.inventory), "-o", str(tmp_path / "out"), "--yes",
        "--limit", "password", "--control", "intrusion.root_login",
        timeout=400, HOSTPLEDGE_HOME=str(tmp_path / "home"),
    )  # fmt: skip
    assert ran.status == 1, ran.err
    said = " ".join((ran.out + ran.err).split())
    assert "no new connection could be made" in said
    assert "the host has rolled it back" in said
    log = hosts.execute("password", "journalctl", "-q", "-u", "ssh").stdout.decode()
    assert log.count("Failed password for root") <= 5
    assert "permitrootlogin yes" in hosts.execute("password", "sshd", "-T").stdout.decode()
