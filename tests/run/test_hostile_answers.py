"""A host whose root writes what its modules answer: it chooses no file, and stops no other host."""

from __future__ import annotations

import base64
import json
import os
import time
import uuid
from pathlib import Path
from typing import Any

import pytest
from ansible.plugins.callback import CallbackBase

from collector.run.ansible.events import Told, _said
from collector.run.ansible.inventory import How, environment
from collector.run.harden import answers, hardening
from collector.run.harden.answers import LARGEST, LOOK, MOST, OddAnswer, Spent, of_a_module
from tests.run.test_hardening import alone, apply, fail, role, told, write

__all__ = ["alone"]
PLAN = {"a": ["encryption.transport"], "b": ["encryption.transport"]}


def _fleet(folder: Path, answer: dict[str, Any], *, sleeps: float = 0) -> How:
    """Host a is as it should be; on b every module answers this, whatever it was asked."""
    said = folder / "answer.json"
    said.write_text(json.dumps(answer))
    python = folder / "python"
    python.write_text(f"#!/bin/sh\ncat >/dev/null\nsleep {sleeps}\ncat '{said}'\n")
    python.chmod(0o700)
    file = folder / "hosts.ini"
    local = "ansible_connection=local"
    file.write_text(f"a {local}\nb {local} ansible_python_interpreter={python}\n")
    return How(inventory=(str(file),))


def _ask(number: int = 0) -> dict[str, Any]:
    return {
        "name": f"Ask {number}",
        "ansible.builtin.command": {"argv": ["true"]},
        "changed_when": False,
        "register": f"asked_{number}",
    }


def _says(done: Any, host: str) -> str:
    return " | ".join(f.message for f in done.failures if f.host == host)


@pytest.mark.parametrize("name", ["encryption_source", "ansible_encryption_source"])
def test_an_answer_sets_no_variable_of_a_role(tmp_path: Path, name: str) -> None:
    """Else it names files of this machine that are copied to it, opened with the vault's word."""
    how = _fleet(tmp_path, {"changed": False, "ansible_facts": {name: "THEIRS"}})
    seen = fail("copies {{ encryption_source }}, knows {{ ansible_facts | string }}")
    role(tmp_path, "encryption", {"transport": [_ask(), seen]})
    defaults = tmp_path / "roles" / "encryption" / "defaults" / "main.yml"
    defaults.write_text(defaults.read_text() + "encryption_source: ours\n")
    done = apply(PLAN, how, grade=2, watch=told([]))
    assert "copies ours" in _says(done, "b")
    assert "THEIRS" not in _says(done, "b")


@pytest.mark.parametrize(
    ("size", "steps"), [(LARGEST + 10, 1), (LARGEST // 4, MOST // (LARGEST // 4) + 2)]
)
def test_who_answers_too_much_is_left_alone(tmp_path: Path, size: int, steps: int) -> None:
    how = _fleet(tmp_path, {"changed": False, "stdout": "x" * size, "rc": 0})
    tasks = [*map(_ask, range(steps)), write(tmp_path, "end")]
    role(tmp_path, "encryption", {"transport": tasks})
    done = apply({**PLAN}, how, grade=2, watch=told([]))
    most = LARGEST if steps == 1 else MOST
    assert f"answered more than {most >> 20} MiB" in _says(done, "b")
    assert (tmp_path / "a-end").is_file()
    assert _says(done, "a") == ""


def test_who_answers_too_much_within_a_loop_is_left_with_a_failure(tmp_path: Path) -> None:
    """Together its answers are more than an event holds, so no event of the task has them."""
    how = _fleet(tmp_path, {"changed": False, "stdout": "x" * (LARGEST - 4096), "rc": 0})
    ask = {**_ask(), "loop": list(range(MOST // LARGEST + 2))}
    role(tmp_path, "encryption", {"transport": [ask, write(tmp_path, "end")]})
    done = apply(PLAN, how, grade=2, watch=told([]))
    (failure,) = (f for f in done.failures if f.host == "b")
    assert f"answered more than {MOST >> 20} MiB" in failure.message
    assert done.lost["b"].stuck
    assert (tmp_path / "a-end").is_file()
    assert not (tmp_path / "b-end").exists()


def test_who_takes_all_the_time_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each step ends in its time, and there are many."""
    monkeypatch.setattr(hardening, "_STEPS", 1)
    how = _fleet(tmp_path, {"changed": False}, sleeps=8)
    tasks = [*map(_ask, range(4)), write(tmp_path, "end")]
    role(tmp_path, "encryption", {"transport": tasks})
    given = How(how.inventory, step_seconds=20)
    done = apply(PLAN, given, grade=2, watch=told([]))
    assert "took more than 20 s in all" in _says(done, "b")
    assert (tmp_path / "a-end").is_file()


def _event() -> str:
    """As ansible-runner writes one into what Ansible prints: of the other host, which is lost."""
    told = {
        "uuid": str(uuid.uuid4()), "event": "runner_on_unreachable", "counter": 9, "stdout": "",
        "event_data": {"host": "a", "task": "Ask 0", "res": {"timedout": {"period": 9}}},
    }  # fmt: skip
    text = base64.b64encode(json.dumps(told).encode()).decode()
    return f"\x1b[K{text}\x1b[{len(text)}D\x1b[K"


_DEPRECATED = {"__ansible_type": "Deprecated", "msg": "dep"}


def _deep(levels: int) -> Any:
    found: Any = []
    for _ in range(levels):
        found = [found]
    return found


@pytest.mark.parametrize(
    "answer",
    [
        {"warnings": [_event()]},
        {"failed": True, "msg": _event()},
        {"ansible_stats": {"data": {"x": None}, "aggregate": True}},
        {"include_args": "x"},
        {"results": 5, "failed": True},
        {"changed": True, "invocation": "x"},
        {"unreachable": True, "msg": "x\ntime_sync: b\nc"},
        {"failed": True, "msg": "no", "timedout": _DEPRECATED},
        {"failed": True, "msg": "no", "timedout": {"period": _DEPRECATED}},
        {"failed": True, "msg": "no", "results": [_DEPRECATED]},
        {"failed": True, "msg": "no", "x": {"__ansible_type": "Event", "msg": "x"}},
        {"failed": True, "msg": "no", "timedout": 0},
        {"failed": True, "msg": "no", "x": _deep(400)},
    ],
    ids=["warning", "message", "stats", "include", "results", "invocation", "unreachable",
         "typed", "typed_within", "typed_item", "event", "no_time", "deep"],
)  # fmt: skip
def test_what_one_host_answers_is_told_of_no_other(tmp_path: Path, answer: dict[str, Any]) -> None:
    how = _fleet(tmp_path, {"changed": False, **answer})
    role(tmp_path, "encryption", {"transport": [_ask(0), _ask(1), write(tmp_path, "end")]})
    watched: list[Told] = []
    done = apply(PLAN, how, grade=2, watch=told(watched))
    assert _says(done, "a") == ""
    assert "a" not in done.lost
    assert (tmp_path / "a-end").is_file()
    # what failed there is no "nothing to do"
    assert not answer.get("failed") or _says(done, "b")


@pytest.mark.parametrize(
    "thought",
    [
        {
            "ansible.builtin.set_fact": {"x": "{{ asked_0.stdout | regex_findall('(a+)+b') }}"},
            "when": "inventory_hostname == 'b'",
        },
        {
            "ansible.builtin.set_fact": {"x": "{{ item }}"},
            "loop": "{{ range(1000000 if inventory_hostname == 'b' else 1) | list }}",
        },
    ],
    ids=["pattern", "loop"],
)
def test_who_is_thought_about_without_end_is_left_alone(
    tmp_path: Path, thought: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a pattern of a role would be that a host's words make endless, or a loop over them."""
    said = "a" * 60
    how = _fleet(tmp_path, {"changed": False, "rc": 0, "stdout": said, "stdout_lines": [said]})
    tasks = [_ask(0), {"name": "Think", **thought}, write(tmp_path, "end")]
    role(tmp_path, "encryption", {"transport": tasks})
    monkeypatch.setattr(hardening, "_THOUGHT", 10)
    done = apply(PLAN, how, grade=2, watch=told([]))
    assert "past its bound of 10 seconds" in _says(done, "b")
    assert _says(done, "a") == ""
    assert (tmp_path / "a-end").is_file()
    assert not (tmp_path / "b-end").is_file()


def test_a_difference_is_compared_in_a_moment(tmp_path: Path) -> None:
    """Its two sides come from the host, and difflib takes the cube of their lines at worst."""
    side = "".join(f"{n % 49}\n{n}\n" for n in range(20_000))
    other = "".join(f"{n % 49}\n-{n}\n" for n in range(20_000))
    said = {"changed": True, "rc": 0, "diff": {"before": side, "after": other}}
    how = _fleet(tmp_path, said)
    tasks = [_ask(0), write(tmp_path, "end")]
    role(tmp_path, "encryption", {"transport": tasks})
    began = time.monotonic()
    done = apply(PLAN, how, grade=2, watch=told([]), check=True)
    assert time.monotonic() - began < 120
    assert _says(done, "a") == ""
    many = dict.fromkeys(range(2000))
    for large in (
        {"before": side, "after": ""}, {"before": "", "after": {"x": side}},
        {"prepared": "x" * 300_000}, {"before": many, "after": 1},
    ):  # fmt: skip
        assert str(answers.shown([large])[0]) == str({"prepared": answers._TOO_LARGE})
    # few lines on one side, and many alike on the other, in each of twenty
    alike = {"before": "x\ny\n" * 500, "after": "x\n" * 199}
    began = time.process_time()
    CallbackBase()._get_diff(answers.shown([alike] * 20))
    assert time.process_time() - began < 5
    small = {"before": "a\n", "after": "b\n", "before_header": "/etc/x"}
    assert answers.shown(small) == [small] == answers.shown([small])
    assert len(answers.shown([small] * 50)) == 21


def test_what_a_host_says_is_looked_at_in_a_moment() -> None:
    """A pattern over two megabytes of its words held the watcher up, and with it the play."""
    long = "connection plugin " * 120_000
    began = time.process_time()
    said = [_said({"msg": long}), _said({"stderr": f"{long}\nlast"}),
            _said({"unreachable": True, "msg": long})]  # fmt: skip
    assert time.process_time() - began < 2
    assert all(len(one) < 400 for one in said)
    assert "last" in said[1]


def test_what_no_module_answers_is_none(tmp_path: Path) -> None:
    del tmp_path
    for odd in (object(), {1, 2}, b"x", _deep(100), [0] * 200_000, {"x": [object()]}):
        with pytest.raises(OddAnswer):
            of_a_module({"x": odd}, "copy")
    plain = {"x": [1, 1.5, True, None, "y", {"z": []}], "rc": 0}
    assert of_a_module(plain, "copy") == plain
    told = of_a_module({"exception": object(), "warnings": ["w", object()], "rc": 1}, "copy")
    assert told == {"warnings": ["w"], "rc": 1}
    loop = {"results": [{"timedout": {"period": 5}, "rc": 0}, "apt"]}
    assert of_a_module(loop, "copy") == {"results": [{"rc": 0}, "apt"]}


@pytest.mark.parametrize("module", ["raw", "script"])
def test_what_is_printed_has_a_bound_as_well(tmp_path: Path, module: str) -> None:
    loud = "[ {{ inventory_hostname }} = a ] || head -c 3000000 /dev/zero | tr '\\0' x"
    (tmp_path / "loud.sh").write_text(f"#!/bin/sh\n[ $1 = a ] || {loud.partition('|| ')[2]}\n")
    words = loud if module == "raw" else f"{tmp_path}/loud.sh {{{{ inventory_hostname }}}}"
    task = {"name": "Ask", f"ansible.builtin.{module}": words, "changed_when": False}
    role(tmp_path, "encryption", {"transport": [task, write(tmp_path, "end")]})
    done = apply(PLAN, _fleet(tmp_path, {}), grade=2, watch=told([]))
    assert "answered more than 2 MiB" in _says(done, "b")
    assert (tmp_path / "a-end").is_file()


def test_a_module_that_a_looking_action_asks_has_the_bound_of_all(tmp_path: Path) -> None:
    """Only the look itself may take more."""
    assert LOOK > LARGEST + 10
    how = _fleet(tmp_path, {"changed": False, "stdout": "x" * (LARGEST + 10)})
    keep = {"name": "Keep", "hostpledge_remember": {"family": "encryption"}}
    role(tmp_path, "encryption", {"transport": [keep, write(tmp_path, "end")]})
    meta = tmp_path / "roles" / "encryption" / "meta"
    meta.mkdir()
    (meta / "main.yml").write_text("collections: [hostpledge.pledge]\n")
    done = apply(PLAN, how, grade=2, watch=told([]))
    assert [(f.host, f.task) for f in done.failures if "more than 2 MiB" in f.message] == [
        ("b", "Keep")
    ]


def test_what_ansible_runs_in_takes_no_answer_for_variables() -> None:
    assert environment("/nowhere")["ANSIBLE_INJECT_FACT_VARS"] == "False"
    text = (Path(__file__).parents[2] / "playbooks" / "ansible.cfg").read_text()
    assert "inject_facts_as_vars = False" in text


def test_facts_that_nobody_asked_for_are_left_out() -> None:
    facts = {"discovered_interpreter_python": "/usr/bin/python3", "ansible_host": "x"}
    answer = {"changed": True, "ansible_facts": facts}
    kept = {"discovered_interpreter_python": "/usr/bin/python3"}
    assert of_a_module(answer, "ansible.builtin.command") == {
        "changed": True,
        "ansible_facts": kept,
    }
    assert of_a_module(answer, "hostpledge.pledge.hostpledge_preflight") == answer
    assert of_a_module(answer, "hostpledge_preflight") == answer
    # its host chooses which module a service is asked for
    assert of_a_module(answer, "ansible.builtin.service")["ansible_facts"] == kept
    stats = {"ansible_stats": {"data": {"x": None}, "aggregate": True}, "unreachable": True}
    assert of_a_module(stats, "copy") == {}
    assert of_a_module({"diff": {"before": "x" * 300_000}}, "copy") == {}
    assert of_a_module({"ansible_facts": "text"}, "copy") == {}
    assert answer["ansible_facts"] == facts


def test_counts_go_from_one_task_to_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(answers.FOLDER, str(tmp_path))
    spent = Spent.of("web-1")
    assert (spent.bytes, spent.seconds) == (0, 0)
    spent.add(answered=1000, took=1.25)
    Spent.of("web-1").add(answered=24, took=0.5)
    assert (spent.bytes, spent.seconds) == (1024, 1.75)
    assert Spent.of("web-2").bytes == 0
    # they take no room
    assert sum(os.stat(file).st_blocks for file in tmp_path.iterdir()) == 0
