"""What Ansible is told to log and to say of itself: no password gets there, and nothing breaks."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from collector.run.ansible.inventory import How, hosts_of, tool
from tests.run.conftest import hostpledge

SECRETS = ("Pl4nted-Login", "Pl4nted-Vault", "Pl4nted-Line")


@pytest.fixture
def how(tmp_path: Path) -> How:
    """An inventory with a password, and a vault of which all is one."""
    (tmp_path / "inventory.yml").write_text(
        f"all: {{hosts: {{web: {{ansible_password: {SECRETS[0]}, ansible_become_password: "
        "'{{ p }}'}}}\n"
    )
    (tmp_path / "word").write_text("hunter2\n")
    vault = tmp_path / "group_vars" / "all.yml"
    vault.parent.mkdir()
    vault.write_text(f"p: {SECRETS[1]}\n")
    subprocess.run(
        [tool("ansible-vault"), "encrypt", "--vault-password-file", tmp_path / "word", vault],
        check=True,
        capture_output=True,
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "LC_ALL": "C.UTF-8"},
    )
    return How((str(tmp_path / "inventory.yml"),), vault_password_files=(str(tmp_path / "word"),))


@pytest.mark.parametrize("exists", [True, False])
def test_no_password_is_in_the_log_of_ansible(
    exists: bool, how: How, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "ansible.log"
    if exists:
        log.touch()
    monkeypatch.setenv("ANSIBLE_LOG_PATH", str(log))
    assert hosts_of(how) == ["web"]
    text = log.read_text() if log.exists() else ""
    assert [s for s in SECRETS if s in text] == []


def test_nor_is_a_line_that_ansible_refuses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bad.ini").write_text(f"[all]\nweb ansible_password={SECRETS[2]} 'x\n")
    monkeypatch.setenv("ANSIBLE_LOG_PATH", str(tmp_path / "ansible.log"))
    with pytest.raises(Exception, match="ini") as raised:
        hosts_of(How((str(tmp_path / "bad.ini"),)))
    assert SECRETS[2] not in str(raised.value)
    log = tmp_path / "ansible.log"
    assert not log.exists() or SECRETS[2] not in log.read_text()


@pytest.mark.parametrize(
    "setting",
    [
        {"ANSIBLE_DEBUG": "1"},
        {"ANSIBLE_VERBOSITY": "4"},
        {"ANSIBLE_VERBOSITY": "1"},
        {"ANSIBLE_INVENTORY_EXPORT": "1"},
        {"ANSIBLE_DISPLAY_TRACEBACK": "always"},
        {"ANSIBLE_FORCE_COLOR": "1"},
    ],
    ids="-".join,
)
def test_what_ansible_says_of_itself_is_no_part_of_the_inventory(
    setting: dict[str, str], how: How, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in setting.items():
        monkeypatch.setenv(name, value)
    assert hosts_of(how) == ["web"]


@pytest.mark.parametrize("line", ["verbosity = 3", "debug = True", "log_path = {}/ansible.log"])
def test_neither_by_a_file_of_settings(
    line: str, how: How, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ansible import constants

    file = tmp_path / "ansible.cfg"
    file.write_text(f"[defaults]\n{line.format(tmp_path)}\n")
    monkeypatch.setattr(constants, "CONFIG_FILE", str(file))
    assert hosts_of(how) == ["web"]
    log = tmp_path / "ansible.log"
    assert not log.exists() or not any(s in log.read_text() for s in SECRETS)


@pytest.mark.parametrize(
    "setting",
    [
        "ANSIBLE_STDOUT_CALLBACK=yaml",
        "ANSIBLE_STDOUT_CALLBACK=nosuch",
        "ANSIBLE_STRATEGY=debug",
        "ANSIBLE_ENABLE_TASK_DEBUGGER=1",
        "ANSIBLE_DEBUG=1",
        "ANSIBLE_VERBOSITY=4",
    ],
)
def test_nor_does_it_keep_a_run_from_its_end(setting: str, tmp_path: Path) -> None:
    """A host that is not there: a debugger would stop at it, and ask nobody."""
    name, _, value = setting.partition("=")
    given: dict[str, Any] = {name: value}
    ran = hostpledge(
        "collect", "-i", "nosuch.invalid,", "--family", "monitoring", "-o", str(tmp_path / "out"),
        "-q", **given,
    )  # fmt: skip
    assert ran.status == 1, ran.err
    assert "0 of 1 hosts gave a whole capture" in ran.out + ran.err
