"""Each line in which a role refuses something, or says why it could not, has a Chinese one."""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from jinja2 import Environment, nodes

from collector import catalog
from collector.cli.ui import answers
from collector.cli.ui import hardening_progress as applying
from collector.cli.ui.steps import CHINESE
from collector.errors import BadInput
from collector.facts.base.intervals import Spans
from collector.i18n.message import catalogue
from collector.resources import shared
from collector.run.ansible.events import UNTOLD, Told
from collector.run.probes import firewall as filtering
from collector.run.probes.allow_list import openings

ROLES = shared("roles")
# facts in which a role gathers what it tells at its end
_GATHERED = ("_refused", "_left")
_LOOKS = {"set_fact", "debug", "assert", "fail", "meta", "include_tasks", "include_role", "stat",
          "include_vars", "slurp", "find"}  # fmt: skip


def tasks_of(path: Path) -> Iterator[dict[str, Any]]:
    waiting = list(yaml.safe_load(path.read_text(encoding="utf-8")) or [])
    for task in waiting:
        yield task
        for part in ("block", "rescue", "always"):
            waiting += task.get(part) or []


def told(task: dict[str, Any]) -> Iterator[str]:
    """The templates of what `hostpledge harden` shows of a task."""
    for name, key in (("fail", "msg"), ("assert", "fail_msg"), ("debug", "msg")):
        given = task.get(f"ansible.builtin.{name}")
        if given and key in given and (name != "debug" or task.get("changed_when")):
            yield str(given[key])
    for name, value in (task.get("ansible.builtin.set_fact") or {}).items():
        if str(name).endswith(_GATHERED):
            yield str(value)


def samples(template: str) -> Iterator[str]:
    """What a template can say, with a 7 for each value."""
    parsed = Environment(autoescape=False).parse(template)
    output = [part for node in parsed.body for part in getattr(node, "nodes", ())]
    gathered = [item for part in output for found in _lists(part) for item in found.items]
    for said in [[item] for item in gathered] or [output]:
        for words in itertools.product(*(list(_texts(node)) for node in said)):
            yield "".join(words)


def _lists(node: nodes.Node) -> Iterator[nodes.List]:
    return node.find_all(nodes.List) if isinstance(node, nodes.Add) else iter(())


def _texts(node: nodes.Node) -> Iterator[str]:
    if isinstance(node, nodes.TemplateData):
        yield node.data
    elif isinstance(node, nodes.Const) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, nodes.Concat):
        for words in itertools.product(*(list(_texts(part)) for part in node.nodes)):
            yield "".join(words)
    elif isinstance(node, nodes.CondExpr):
        yield from _texts(node.expr1)
        yield from _texts(node.expr2) if node.expr2 is not None else ("",)
    else:
        yield "7"


def lines_of_roles() -> set[str]:
    found = set()
    for path in ROLES.rglob("*.yml"):
        if path.parent.name in ("tasks", "handlers") and path.parts[-3] != "collect":
            for task in tasks_of(path):
                for line in itertools.chain.from_iterable(map(samples, told(task))):
                    control, _, rest = line.partition(": ")
                    named = f"{path.parts[-3]}.{control}" in catalog.controls()
                    known = named or (control == "7" and "refused" in str(task))
                    found.add(rest if known and rest else line)
    # what somebody else said with nothing of ours around it, and commands that would be run
    commands = ("--", "ufw ", "[")
    return {x for x in found if x.strip("7\n ") and not x.startswith(commands)}


def lines_of_plugins() -> set[str]:
    """What our modules and actions fail with."""
    places = [*ROLES.glob("*/library/*.py"), *ROLES.glob("*/module_utils/*.py")]
    places += [
        Path(answers.__file__).parents[2] / "run" / f"{x}.py"
        for x in ("harden/guard", "probes/firewall")
    ]
    found = set()
    for path in places:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            if name in ("AnsibleActionFail", "Refused", "Barred"):
                found |= {_literal(argument) for argument in node.args[:1]}
            elif name == "fail_json":
                found |= {_literal(k.value) for k in node.keywords if k.arg == "msg"}
    return {line for line in found if line.strip("7 ")}


def _literal(node: ast.expr) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(map(_literal, node.values))
    if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "msg":
        return re.sub(r"\{[^}]*\}", "7", catalogue()[_literal(node.args[0])].en)
    return "7"


@pytest.fixture
def chinese(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "lang", lambda: "zh")


def test_each_line_of_a_role_has_a_chinese_one(chinese: None) -> None:
    lines = lines_of_roles()
    assert len(lines) > 35
    assert not sorted(line for line in lines if answers.spoken(line) == line)


def test_each_line_of_a_plugin_has_a_chinese_one(chinese: None) -> None:
    lines = lines_of_plugins()
    assert len(lines) > 12
    assert not sorted(line for line in lines if answers.spoken(line) == line)


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"port": "web"}, "firewall_allow 1：'web' 不是端口，应如 443 或 8000-8100"),
        ({"port": 70000}, "firewall_allow 1：'70000' 不是端口，须为 1 至 65535"),
        ({"ports": 80},
         "firewall_allow 1：无法理解 {'ports': 80}；可写 port、proto、from、comment"),
        ({"port": 80, "proto": "icmp"},
         "firewall_allow 1：proto 不能是 'icmp'，只能是 tcp、udp 或 both"),
        ({"port": 80, "from": "lan"},
         "firewall_allow 1：'lan' 不是网段，应如 10.20.0.0/16 或 2001:db8::/48"),
        ({"port": 6379}, "firewall_allow 1 对所有来源开放 6379，而 firewall.exposed_ports "
                         "不允许：请以 from 给出需要它的网段"),
    ],
)  # fmt: skip
def test_a_bad_opening_is_told_in_chinese(chinese: None, entry: dict[str, Any], said: str) -> None:
    with pytest.raises(BadInput) as raised:
        openings([entry], Spans.of([(6379, 6379)]))
    assert answers.spoken(str(raised.value)) == said


def test_each_refusal_to_own_what_comes_in_is_told_in_chinese(chinese: None) -> None:
    text = Path(filtering.__file__).read_text(encoding="utf-8")
    found = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "BadInput":
            found.add(
                "; ".join([_literal(node.args[0]), *(_literal(k.value) for k in node.keywords)])
            )
    assert len(found) > 5
    assert not sorted(line for line in found if answers.spoken(line) == line)


def test_each_step_that_controls_share_has_a_chinese_name() -> None:
    places = [*(ROLES / "firewall" / "tasks").glob("*.yml"),
              ROLES / "intrusion" / "tasks" / "policy.yml",
              ROLES / "safeguard" / "tasks" / "packages.yml",
              *(ROLES / "intrusion" / "tasks").glob("baseline_[cdmo]*.yml"),
              *(ROLES / "logging" / "tasks").glob("*_re[ls]*.yml"),
              ROLES / "logging" / "tasks" / "audit_load.yml"]  # fmt: skip
    named = set()
    for path in places:
        if f"{path.parts[-3]}.{path.stem}" in catalog.controls():
            continue
        for task in tasks_of(path):
            kinds = {key.rpartition(".")[2] for key in task if "." in key or "hostpledge" in key}
            if kinds - _LOOKS and task.get("changed_when") is not False:
                named.add(task["name"])
    assert len(named) > 15
    assert not named - set(CHINESE)


def test_each_step_without_a_difference_has_a_chinese_name() -> None:
    named = set()
    for path in ROLES.glob("*/tasks/*.yml"):
        for task in tasks_of(path):
            kinds = {key.rpartition(".")[2] for key in task if "." in key}
            changes = task.get("changed_when") is not False
            if kinds & {"service", "systemd_service", "user"} and changes:
                named.add(task["name"])
            if "debug" in kinds and task.get("changed_when"):
                named.add(task["name"])
    assert len(named) > 30
    assert not named - set(CHINESE)


def test_looking_ahead_is_told_in_chinese(
    chinese: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(applying, "lang", lambda: "zh")
    monkeypatch.setattr(applying, "tr", lambda zh, en: zh)
    progress = applying.ApplyProgress(show=True)
    words = ("web-1", "intrusion.lockout")
    progress(Told(*words, "Say what would be installed", output="would be installed: fail2ban"))
    progress(Told(*words, "Set what is too lenient", output="--- before\n+++ after\n+deny = 5"))
    progress(Told("web-1", "logging.persistent", "Start rsyslog, now and at boot", output=UNTOLD))
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == ["web-1  I10 登录失败锁定：列出将安装的软件包", "将安装：fail2ban"]
    assert lines[-2:] == ["web-1  L04 日志落盘持久化：启动 rsyslog，并随系统启动", "将有改动"]
    assert lines[2:-2] == ["web-1  I10 登录失败锁定", "--- before", "+++ after", "+deny = 5"]


def test_what_was_read_is_told_in_the_right_place(chinese: None) -> None:
    said = "restic could not be installed: E: no. On the RHEL family restic comes from EPEL "
    said += "(dnf install epel-release), or put the program at /usr/local/bin/restic."
    assert answers.spoken(said) == (
        "restic 未能安装：E: no。RHEL 系的 restic 在 EPEL 中（dnf install epel-release），"
        "也可将程序放在 /usr/local/bin/restic"
    )
    assert (
        answers.spoken("hostpledge-backup failed: no space") == "hostpledge-backup 出错：no space"
    )
    assert answers.spoken("what fails: failed: no") == "what fails: failed: no"
