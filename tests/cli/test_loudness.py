"""--quiet leaves progress out and nothing else; --verbose says more; every command takes both."""

from __future__ import annotations

from pathlib import Path

import pytest

from collector.cli.app import hostpledge as commands
from tests.cli.running import Ended
from tests.cli.running import hostpledge as started
from tests.cli.test_contract import _leaves

HERE = ("run", "-i", "localhost,", "--family", "classification")


def hostpledge(*words: object, home: Path) -> Ended:
    # a locale that Ansible finds everywhere
    return started(*words, home=home, LC_ALL="C.UTF-8")


def test_every_command_takes_both() -> None:
    for path, found in _leaves(commands):
        options = [option for parameter in found.params for option in parameter.opts]
        for option in ("-q", "--quiet", "-v", "--verbose"):
            assert options.count(option) == 1, (path, option)


def test_quiet_leaves_the_progress_out(tmp_path: Path) -> None:
    home = tmp_path / "home"
    hostpledge("key", "new", home=home)
    plain = hostpledge(*HERE, "-o", tmp_path / "plain", home=home)
    quiet = hostpledge(*HERE, "-o", tmp_path / "quiet", "-q", home=home)
    assert "hosts: 1 done" in plain.err
    assert quiet.err == ""
    assert quiet.status == plain.status
    # results stay as they are
    assert quiet.out.splitlines()[0] == plain.out.splitlines()[0]
    assert "bundle: " in quiet.out


def test_quiet_leaves_complaints_in(tmp_path: Path) -> None:
    home = tmp_path / "home"
    hostpledge("key", "new", home=home)
    down = ("-i", "192.0.2.1,", "-e", "ansible_ssh_common_args=-oConnectTimeout=1")
    ended = hostpledge("collect", *down, "-o", tmp_path / "o", "--quiet", home=home)
    assert ended.status == 1
    assert ended.err.startswith("192.0.2.1: ")
    assert "hosts:" not in ended.err
    ended = hostpledge("verify", tmp_path / "nothing", "--trust", "x", "-q", home=home)
    assert (ended.status, ended.err.count("\n")) == (2, 1)


def test_quiet_with_json_is_the_document_alone(tmp_path: Path) -> None:
    home = tmp_path / "home"
    hostpledge("key", "new", home=home)
    ended = hostpledge(*HERE, "-o", tmp_path / "o", "-q", "--format", "json", home=home)
    assert ended.err == ""
    assert ended.out.startswith('{\n "envelope"')


@pytest.mark.parametrize(
    ("lang", "said"), [("en", "judging and signing: "), ("zh", "判定并签名: ")]
)
def test_verbose_says_hosts_and_stages(tmp_path: Path, lang: str, said: str) -> None:
    home = tmp_path / "home"
    hostpledge("key", "new", home=home)
    ended = hostpledge(*HERE, "-o", tmp_path / "o", "-v", "--lang", lang, home=home)
    lines = ended.err.splitlines()
    assert any(line.startswith("localhost: ") for line in lines)
    assert any(line.startswith(said) and line.endswith(" s") for line in lines)
