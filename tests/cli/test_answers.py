"""What hosts and roles answer is Chinese in a Chinese session, and never lost in any other."""

from __future__ import annotations

import re

import pytest
import yaml

from collector.cli.ui import answers
from collector.cli.ui.steps import CHINESE
from collector.resources import shared

_SAID = re.compile(r"""^\s*(?:.*\|\| )?(say|fault) (?:"([^"]*)"|'([^']*)')""", re.MULTILINE)
# for the guard alone, which tells them in words of its own
_OWN = ("systemd ", "at ", "shell ", "a background", "rolled back already", "not armed", "disarmed")


def lines_of_undo() -> list[str]:
    """Every line that undo.sh can print while a family is put back."""
    text = shared("roles", "safeguard", "files", "undo.sh").read_text(encoding="utf-8")
    found = []
    for kind, one, other in _SAID.findall(text):
        line = (one or other).replace("$1:", "logging:").replace("${there##*/}", "intrusion")
        line = re.sub(r"\$files|\$units", "3", line)
        line = re.sub(r"\$\{?\w+(?:##\*/)?\}?", "x", line)
        found.append(f"not put back: {line}" if kind == "fault" else line)
    return [x for x in found if not x.startswith(_OWN) and x not in ("x", "systemd-run", "at")]


@pytest.fixture
def chinese(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "lang", lambda: "zh")


def test_undo_prints_nothing_that_is_not_known(chinese: None) -> None:
    lines = [line for line in lines_of_undo() if not line.startswith("undo.sh: x")]
    assert len(lines) > 12
    usage = "is no family"
    unknown = [x for x in lines if answers.spoken(x) == x and usage not in x]
    assert unknown == ["hostpledge has changed nothing here"], (
        "the list of all, which undo never asks"
    )


def test_each_handler_has_a_chinese_name(chinese: None) -> None:
    names = {
        task["name"]
        for path in shared("roles").glob("*/handlers/main.yml")
        for task in yaml.safe_load(path.read_text(encoding="utf-8"))
    }
    assert len(names) > 15
    assert not names - set(CHINESE)
    due = "due, and not run; do it by hand, or restart the host: Reload sshd"
    assert answers.spoken(due).endswith("：重新加载 sshd")


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (
            "left for now: /etc/login.defs, which encryption has changed since; it goes back with "
            "that family",
            "暂未恢复：/etc/login.defs，其后又被“数据加密”改动；恢复该类时一并恢复",
        ),
        (
            "firewall: after the change no new connection could be made (timed out); the host has "
            "rolled it back",
            "网络访问控制：改动后无法建立新的连接（timed out）；主机已自行回滚",
        ),
        ("aide could not be installed: E: no room", "aide 未能安装：E: no room"),
        ("E: Could not get lock /var/lib/dpkg/lock", "E: Could not get lock /var/lib/dpkg/lock"),
        ("a value {x} \\1: nothing known", "a value {x} \\1: nothing known"),
    ],
)
def test_what_is_known_is_told_and_what_is_not_stays(chinese: None, said: str, told: str) -> None:
    assert answers.spoken(said) == told


def test_english_stays_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "lang", lambda: "en")
    assert all(answers.spoken(line) == line for line in lines_of_undo())
