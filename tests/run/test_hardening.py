"""harden.yml through ansible-runner, with roles that only write into the test's own folder.

The real roles are never on the path here: they would change this machine.
"""

from __future__ import annotations

import json
import os
import re
import signal
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from collector.catalog import FAMILIES
from collector.errors import BadInput
from collector.resources import shared
from collector.run.ansible import play
from collector.run.ansible.due import still_due
from collector.run.ansible.events import CENSORED, UNTOLD, Applied, Told
from collector.run.ansible.inventory import How, environment
from collector.run.harden import hardening

PLAN = {
    "a": ["backup.fresh", "backup.jobs", "logging.logins", "encryption.transport"],
    "b": ["encryption.transport"],
}
HOW = How(inventory=("a,b,c,",), extra_vars=("ansible_connection=local",))


def apply(*given: Any, folder: Path | None = None, **more: Any) -> Applied:
    return hardening.apply(*given, journal=folder / "due" if folder else Path(os.devnull), **more)


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the roles of this test can be found."""

    def found(private: str) -> dict[str, str]:
        return environment(private) | {"ANSIBLE_ROLES_PATH": str(tmp_path / "roles")}

    monkeypatch.setattr(play, "environment", found)


def role(folder: Path, family: str, controls: Mapping[str, list[Any]], **more: list[Any]) -> None:
    place = folder / "roles" / family
    files = {
        "defaults/main.yml": {f"{family}_controls": list(controls)},
        "tasks/main.yml": [
            {
                "name": "Bring about",
                "ansible.builtin.include_tasks": "{{ harden_name }}.yml",
                "loop": f"{{{{ {family}_controls }}}}",
                "loop_control": {"loop_var": "harden_name"},
            }
        ],
        **{f"tasks/{name}.yml": tasks for name, tasks in controls.items()},
        **{f"{name}/main.yml": tasks for name, tasks in more.items()},
    }
    for name, document in files.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(yaml.safe_dump(document))


def write(folder: Path, name: str, **more: Any) -> dict[str, Any]:
    arguments = {"content": name, "dest": f"{folder}/{{{{ inventory_hostname }}}}-{name}"}
    return {
        "name": f"Write {name}",
        "ansible.builtin.copy": {**arguments, "mode": "0600"},
        **more,
    }


def fail(message: str, **more: Any) -> dict[str, Any]:
    return {"name": "Fail here", "ansible.builtin.fail": {"msg": message}, **more}


def three(folder: Path) -> None:
    role(folder, "backup", {"fresh": [fail("the mirror does not answer")],
                            "jobs": [write(folder, "jobs")]})  # fmt: skip
    role(folder, "logging", {"logins": [write(folder, "logins", notify="Reload it")]},
         handlers=[{"name": "Reload it", "ansible.builtin.command": "false"}])  # fmt: skip
    role(folder, "encryption", {"transport": [write(folder, "swap")]})


def told(watched: list[Told]) -> Callable[[Told], None]:
    return watched.append


def test_what_fails_keeps_nothing_else_from_being_brought_about(tmp_path: Path) -> None:
    three(tmp_path)
    watched: list[Told] = []
    done = apply(PLAN, HOW, grade=2, watch=told(watched))
    failed = {(f.host, f.family, f.control, f.task): f.message for f in done.failures}
    assert failed == {
        ("a", "backup", "backup.fresh", "Fail here"): "the mirror does not answer",
        ("a", "logging", "", "Reload it"): failed["a", "logging", "", "Reload it"],
    }
    assert "non-zero return code" in failed["a", "logging", "", "Reload it"]
    written = sorted(path.name for path in tmp_path.iterdir() if path.is_file())
    assert written == ["a-jobs", "a-logins", "a-swap", "b-swap"]
    assert done.changed["b"] == {"encryption.transport"}
    assert {"backup.jobs", "logging.logins", "encryption.transport"} <= done.changed["a"]
    assert set(done.reached["a"]) == set(PLAN["a"])
    assert [t.failure for t in watched if t.failure] == done.failures
    assert "c" not in done.reached, "a host that the plan does not name is left alone"


def test_a_second_time_changes_nothing(tmp_path: Path) -> None:
    role(tmp_path, "encryption", {"transport": [write(tmp_path, "swap")]})
    plan = {"b": ["encryption.transport"]}
    assert apply(plan, HOW, grade=2, watch=told([])).changed
    again = apply(plan, HOW, grade=2, watch=told([]))
    assert again == Applied(reached={"b": {"encryption.transport": None}}, answered={"b"})


def test_looking_ahead_changes_nothing_and_shows_the_difference(tmp_path: Path) -> None:
    role(tmp_path, "encryption", {"transport": [write(tmp_path, "swap")]})
    watched: list[Told] = []
    done = apply({"b": ["encryption.transport"]}, HOW, grade=2, watch=told(watched), check=True)
    assert done.changed == {"b": {"encryption.transport"}}
    assert not (tmp_path / "b-swap").exists()
    (shown,) = [t.output for t in watched if t.output]
    assert "+swap" in shown


def test_looking_ahead_tells_what_has_no_difference_to_show(tmp_path: Path) -> None:
    ran = {"ansible.builtin.command": "/bin/true", "check_mode": False}
    items = [{"name": n, "changes": n != "two"} for n in ("one", "two", "three")]
    each = {"loop": items, "loop_control": {"label": "{{ item.name }}"}}
    tasks = [
        {"name": "Tell", "ansible.builtin.debug": {"msg": ["ufw allow 22/tcp", "ufw enable"]},
         "changed_when": True},
        {"name": "Each", **ran, **each, "changed_when": "{{ item.changes }}"},
        {"name": "Alone", **ran, "changed_when": True},
        {"name": "Secretly", **ran, "changed_when": True, "no_log": True},
    ]  # fmt: skip
    role(tmp_path, "encryption", {"transport": tasks})
    watched: list[Told] = []
    apply({"b": ["encryption.transport"]}, HOW, grade=2, watch=told(watched), check=True)
    assert {t.task: t.output for t in watched if t.output} == {
        "Tell": "ufw allow 22/tcp\nufw enable",
        "Each": "one, three",
        "Alone": UNTOLD,
        "Secretly": CENSORED,
    }


def test_looking_ahead_shows_what_is_written_and_nothing_of_what_people_wrote(
    tmp_path: Path,
) -> None:
    text = "# old: Geheim1\nminlen = 8 # Geheim2\n"
    for name in ("lines", "looped", "block", "replaced"):
        (tmp_path / name).write_text(text)
    each = {"regexp": "^{{ item | split | first }}", "line": "{{ item }}"}
    given: dict[str, tuple[str, dict[str, str]]] = {
        "lines": ("lineinfile", {"regexp": "^minlen", "line": "minlen = 14"}),
        "looped": ("lineinfile", each),
        "block": ("blockinfile", {"block": "a\nb"}),
        "replaced": ("replace", {"regexp": "^(min)len.*", "replace": "\\1len = 14"}),
    }
    tasks: list[dict[str, Any]] = [
        {"name": name, f"ansible.builtin.{module}": {"path": str(tmp_path / name)} | words}
        for name, (module, words) in given.items()
    ]
    tasks[1]["loop"] = ["minlen = 14", "minclass = 3"]
    role(tmp_path, "encryption", {"transport": [task | {"diff": False} for task in tasks]})
    watched: list[Told] = []
    apply({"b": ["encryption.transport"]}, HOW, grade=2, watch=told(watched), check=True)
    assert {t.task: t.output.replace(f"{tmp_path}/", "") for t in watched if t.output} == {
        "lines": "lines\n+minlen = 14",
        "looped": "looped\n+minlen = 14\nlooped\n+minclass = 3",
        "block": "block\n+a\n+b",
        "replaced": "replaced\n+\\1len = 14",
    }
    assert "Geheim" not in repr(watched)


def test_what_a_role_deals_with_itself_is_no_failure(tmp_path: Path) -> None:
    tasks = [
        {"name": "Try", "block": [fail("not here")], "rescue": [write(tmp_path, "other")]},
        fail("no matter", ignore_errors=True),
    ]
    role(tmp_path, "encryption", {"transport": tasks})
    done = apply({"b": ["encryption.transport"]}, HOW, grade=2, watch=told([]))
    assert done.failures == []
    assert done.changed == {"b": {"encryption.transport"}}


def test_no_secret_is_told(tmp_path: Path) -> None:
    role(tmp_path, "backup", {"jobs": [fail("the password is hunter2", no_log=True)]})
    watched: list[Told] = []
    done = apply({"b": ["backup.jobs"]}, HOW, grade=2, watch=told(watched))
    assert [f.message for f in done.failures] == [CENSORED]
    assert "hunter2" not in repr(watched)


def test_a_host_that_does_not_answer_is_a_failure_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hardening, "WAIT", 4)
    role(tmp_path, "encryption", {"transport": [write(tmp_path, "swap")]})
    how = How(inventory=("a,",), extra_vars=("ansible_connection=ssh ansible_host=127.0.0.1 "
                                             "ansible_port=1 ansible_user=x",))  # fmt: skip
    done = apply({"a": ["encryption.transport"]}, how, grade=2, watch=told([]))
    (failure,) = done.failures
    assert failure.host == "a"
    assert "Connection refused" in failure.message
    assert "\n" not in failure.message


def cut_of(folder: Path) -> dict[str, Any]:
    down = {"path": str(folder / "down"), "state": "touch"}
    return {"name": "Cut it", "ansible.builtin.file": down}


@pytest.fixture
def broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> How:
    """A host that answers only while there is no file `down`; a role's task can make one."""
    down = tmp_path / "down"
    once = {"when": f"'{tmp_path}/a-again' is not exists"}
    role(tmp_path, "encryption", {"transport": [write(tmp_path, "swap")]})
    role(tmp_path, "backup", {"jobs": [write(tmp_path, "jobs")],
                              "fresh": [cut_of(tmp_path) | once, write(tmp_path, "fresh")],
                              "offsite": [write(tmp_path, "offsite")]})  # fmt: skip
    role(tmp_path, "logging", {"logins": [write(tmp_path, "logins")]})
    monkeypatch.setattr(hardening, "WAIT", 4)
    way = f"{{{{ 'ssh' if '{down}' is exists else 'local' }}}}"
    variables = {"ansible_connection": way, "ansible_host": "127.0.0.1", "ansible_port": 1}
    return How(inventory=("a,",), extra_vars=(json.dumps(variables),))


LONG = {"a": ["encryption.transport", "backup.jobs", "backup.fresh", "backup.offsite",
              "logging.logins"]}  # fmt: skip


def test_a_host_that_answers_again_is_taken_up_where_it_was_lost(
    tmp_path: Path, broken: How
) -> None:
    watched: list[Told] = []

    def watch(told: Told) -> None:
        watched.append(told)
        if told.waits:
            (tmp_path / "a-again").touch()
            (tmp_path / "down").unlink()

    done = apply(LONG, broken, grade=2, watch=watch)
    assert done.failures == []
    assert not done.lost
    assert set(done.reached["a"]) == set(LONG["a"])
    assert (tmp_path / "a-logins").exists()
    at = [t.waits > 0 for t in watched].index(True)
    again = {told.control for told in watched[at:] if "." in told.control}
    assert again == {"backup.fresh", "logging.logins"}


@pytest.fixture
def due(tmp_path: Path, broken: How) -> How:
    """As `broken`; what was written before the connection breaks has yet to be loaded."""
    ran = {"ansible.builtin.shell": f"echo {{{{ what }}}} >>{tmp_path}/ran"}
    once = {"when": f"'{tmp_path}/a-again' is not exists"}
    notify = "{{ ['Load it', 'Run it'] if what == 'jobs' else ['Never'] }}"
    role(
        tmp_path, "backup",
        {
            "jobs": [{"ansible.builtin.set_fact": {"what": "jobs"}},
                     write(tmp_path, "jobs", notify=notify, loop=[1])],
            "fresh": [cut_of(tmp_path) | once, write(tmp_path, "fresh")],
        },
        handlers=[{"name": "Load it", **ran}, {"name": "Never", **ran},
                  {"name": "Run it", "ansible.builtin.include_tasks": "run.yml"}],
    )  # fmt: skip
    (tmp_path / "roles" / "backup" / "tasks" / "run.yml").write_text(
        yaml.safe_dump([{"name": "Run", **ran}])
    )
    return broken


JOBS = {"a": ["backup.jobs", "backup.fresh"]}


def test_handlers_that_were_due_run_once_the_host_is_taken_up(tmp_path: Path, due: How) -> None:
    def watch(told: Told) -> None:
        if told.waits:
            (tmp_path / "a-again").touch()
            (tmp_path / "down").unlink()

    done = apply(JOBS, due, grade=2, watch=watch, folder=tmp_path)
    assert done.failures == []
    assert (tmp_path / "ran").read_text() == "jobs\njobs\n"
    assert still_due(tmp_path / "due") == {}


def test_handlers_that_are_due_still_are_told_and_run_by_the_next_command(
    tmp_path: Path, due: How
) -> None:
    done = apply(JOBS, due, grade=2, watch=told([]), folder=tmp_path)
    lost, *others = done.failures
    assert "did not answer again" in lost.message
    assert [(f.host, f.family, f.message) for f in others] == [
        ("a", "backup", f"due, and not run; do it by hand, or restart the host: {name}")
        for name in ("Load it", "Run it")
    ]
    (tmp_path / "a-again").touch()
    (tmp_path / "down").unlink()
    again = apply(JOBS, due, grade=2, watch=told([]), folder=tmp_path)
    assert again.failures == []
    assert (tmp_path / "ran").read_text() == "jobs\njobs\n"


def test_handlers_of_the_last_family_run_though_it_failed(tmp_path: Path) -> None:
    reload = {"name": "Reload it", "ansible.builtin.file": {"path": f"{tmp_path}/ran",
              "state": "touch", "mode": "0600"}}  # fmt: skip
    changes = write(tmp_path, "l", notify="Reload it", loop=[1, 2])
    role(tmp_path, "logging", {"logins": [changes, fail("no")]}, handlers=[reload])
    done = apply({"a": ["logging.logins"]}, HOW, grade=2, watch=told([]), folder=tmp_path)
    assert [f.message for f in done.failures] == ["no"]
    assert (tmp_path / "ran").exists()
    assert '"Reload it", true' in (tmp_path / "due").read_text()
    assert still_due(tmp_path / "due") == {}


def test_a_journal_that_was_cut_off_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    lines = ['["a", "logging", "One", true]', "\x00\x00", '["a", "logging", "Two", true]',
             '["a", "logging", "One", false]', '["b", "backup", "Thr']  # fmt: skip
    (tmp_path / "due").write_text("\n".join(lines))
    assert still_due(tmp_path / "due") == {"a": {"logging": ["Two"]}}
    assert still_due(tmp_path / "none") == {}


def test_a_host_that_stays_away_is_told_with_what_was_not_begun(
    tmp_path: Path, broken: How
) -> None:
    done = apply(LONG, broken, grade=2, watch=told([]))
    (failure,) = done.failures
    assert (failure.control, failure.task) == ("backup.fresh", "Write fresh")
    assert "Connection refused" in failure.message
    assert "did not answer again within 4 s" in failure.message
    assert set(done.lost) == {"a"}
    assert not (tmp_path / "a-logins").exists()
    assert set(done.reached["a"]) == set(LONG["a"]) - {"logging.logins"}


def test_a_step_without_an_end_loses_its_host_alone(tmp_path: Path) -> None:
    """What it began is not killed; what the role and the families after it had to do is left."""
    waits = f"until [ -e {tmp_path}/go ]; do sleep .2; done; touch {tmp_path}/end"
    late = {"name": "Fetch it", "ansible.builtin.command": {"argv": ["sh", "-c", waits]},
            "when": "inventory_hostname == 'a'"}  # fmt: skip
    role(tmp_path, "encryption", {"transport": [late, write(tmp_path, "swap")]})
    role(tmp_path, "backup", {"jobs": [write(tmp_path, "jobs")]})
    role(tmp_path, "logging", {"logins": [write(tmp_path, "logins")]})
    names = ["encryption.transport", "backup.jobs", "logging.logins"]
    watched: list[Told] = []
    how = replace(HOW, step_seconds=10)
    done = apply({"a": names, "b": names}, how, grade=2, watch=told(watched))
    (failure,) = done.failures
    assert (failure.host, failure.control, failure.task) == ("a", names[0], "Fetch it")
    assert failure.message.startswith("no end after 10 s, so the host is left as it is")
    assert "\n" not in failure.message
    assert "dpkg --configure -a" in failure.message
    assert set(done.lost) == {"a"}
    assert set(done.reached["a"]) == {"encryption.transport"}
    assert [t.failure for t in watched if t.failure] == [failure], "told once"
    written = sorted(path.name for path in tmp_path.iterdir() if path.is_file())
    assert written == ["b-jobs", "b-logins", "b-swap"]
    (tmp_path / "go").touch()
    until = time.monotonic() + 30
    while not (tmp_path / "end").exists() and time.monotonic() < until:
        time.sleep(0.2)
    assert (tmp_path / "end").exists()


def test_each_rescue_of_a_role_leaves_a_host_where_a_step_has_no_end() -> None:
    places = [*shared("roles").rglob("tasks/*.yml"), shared("playbooks", "tasks", "family.yml")]
    rescues = {str(x): re.split(r"(?m)^ *rescue:\n", x.read_text())[1:] for x in places}
    found = [(name, text) for name, texts in rescues.items() for text in texts]
    assert len(found) > 8
    for name, text in found:
        assert "meta: end_host" in text, name
        fails = re.search(r"builtin\.fail:|set_fact:|hostpledge_guard:", text)
        assert fails is None or text.index("meta: end_host") < fails.start(), name


def test_each_control_that_a_role_names_at_its_end_has_its_line(tmp_path: Path) -> None:
    said = "fresh: no mirror: name one\njobs: no way out\nand something else"
    role(tmp_path, "backup", {"fresh": [write(tmp_path, "fresh")],
                              "jobs": [write(tmp_path, "jobs")]})  # fmt: skip
    main = tmp_path / "roles" / "backup" / "tasks" / "main.yml"
    tasks = [*yaml.safe_load(main.read_text()), fail(said)]
    main.write_text(yaml.safe_dump(tasks))
    watched: list[Told] = []
    done = apply({"a": ["backup.fresh", "backup.jobs"]}, HOW, grade=2, watch=told(watched))
    assert [(f.control, f.message) for f in done.failures] == [
        ("backup.fresh", "no mirror: name one"),
        ("backup.jobs", "no way out"),
        ("", "and something else"),
    ]
    assert sum(t.task == "Write jobs" and not t.output for t in watched) == 1, "done once"


def test_what_controls_have_in_common_is_told_as_shared(tmp_path: Path) -> None:
    """As a firewall has it: controls say what is wanted, and one step brings it about."""
    want = {"name": "Want it", "ansible.builtin.set_fact": {"wanted": True}}
    reload = {"name": "Reload it", "ansible.builtin.command": "true"}
    role(tmp_path, "firewall", {"default_deny": [want], "admin_sources": [want]})
    main = tmp_path / "roles" / "firewall" / "tasks" / "main.yml"
    tasks = [*yaml.safe_load(main.read_text()), write(tmp_path, "rules")]
    main.write_text(yaml.safe_dump(tasks))
    role(tmp_path, "logging", {"logins": [write(tmp_path, "l1", notify="Reload it")],
                               "drops": [write(tmp_path, "l2", notify="Reload it")]},
         handlers=[reload])  # fmt: skip
    role(tmp_path, "encryption", {"transport": [write(tmp_path, "t", notify="Reload it")],
                                  "residual": [write(tmp_path, "r", when="false")]},
         handlers=[reload])  # fmt: skip
    plan = {"a": ["firewall.default_deny", "firewall.admin_sources", "logging.logins",
                  "logging.drops", "encryption.transport", "encryption.residual"]}  # fmt: skip
    done = apply(plan, HOW, grade=2, watch=told([]))
    assert done.failures == []
    assert done.changed == {"a": {"logging.logins", "logging.drops", "encryption.transport"}}
    assert done.shared == {"a": {"firewall": ["Write rules"], "logging": ["Reload it"]}}
    assert done.together == {"a": {"firewall.default_deny", "firewall.admin_sources"}}


def test_a_role_that_is_not_there_is_told(tmp_path: Path) -> None:
    done = apply({"a": ["encryption.transport"]}, HOW, grade=2, watch=told([]))
    (failure,) = done.failures
    assert "encryption" in failure.message


def test_interrupted_it_says_how_to_go_on(tmp_path: Path) -> None:
    wait = {"name": "Wait", "ansible.builtin.command": "sleep 60"}
    role(tmp_path, "encryption", {"transport": [write(tmp_path, "swap"), wait]})

    def interrupt() -> None:
        until = time.monotonic() + 60
        while not (tmp_path / "b-swap").exists() and time.monotonic() < until:
            time.sleep(0.1)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt).start()
    begun = time.monotonic()
    with pytest.raises(BadInput, match=r"interrupted while hardening.*the same command"):
        apply({"b": ["encryption.transport"]}, HOW, grade=2, watch=told([]))
    assert time.monotonic() - begun < 50


def test_controls_go_in_the_order_of_their_role() -> None:
    order = hardening._in_order({"a": ["intrusion.root_login", "intrusion.password_quality"]})
    assert order["a"] == ["intrusion.password_quality", "intrusion.root_login"]


def test_families_are_undone_in_the_opposite_order() -> None:
    assert sorted(hardening.family_order()) == sorted(FAMILIES)
    where = shared("playbooks", "undo.yml")
    (play_,) = yaml.safe_load(where.read_text())
    assert play_["vars"]["undo_families"] == hardening.family_order()[::-1]
