"""Three real Receptor nodes in network namespaces, and sixty hosts that play a capture back."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from collector.errors import BadInput
from collector.run.mesh.control import Control
from tests.mesh import lab as labs
from tests.mesh.chaos import Run
from tests.mesh.lab import Lab

HOSTS, NODES = 60, 3


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    if why := labs.lacking():
        pytest.skip(why)
    # a socket's path has to be short
    with Lab(tmp_path_factory.mktemp("m"), NODES, HOSTS) as made:
        yield made


def test_three_kills_and_each_host_is_in_the_evidence_once(lab: Lab, tmp_path: Path) -> None:
    run = Run(lab, tmp_path / "out", seconds=480)
    run.go(["worker", "receptor", "coordinator"])
    assert run.killed == ["worker", "receptor", "coordinator"]
    run.check()
    bundle = tmp_path / "bundle"
    for words in (
        ("key", "new"),
        ("bundle", str(run.out), "-o", str(bundle), "--family", "monitoring"),
        ("verify", str(bundle), "--trust", str(lab.home / "keys" / "trust.json")),
    ):
        done = subprocess.run(
            [sys.executable, "-m", "collector", *words], env=lab.env(), capture_output=True,
            text=True, check=False,
        )  # fmt: skip
        assert "Traceback" not in done.stderr
        assert done.returncode in (0, 1), done.stderr
    evidence = json.loads((bundle / "data" / "evidence.json").read_bytes())
    assert sorted(evidence["hosts"]) == sorted(lab.addresses)
    names = {entry["origin"]["worker"]["node"] for entry in evidence["hosts"].values()}
    assert names <= {"n1", "n2", "n3"}
    assert f"{HOSTS} host(s) were collected from by mesh nodes" in done.stdout


def test_a_node_asks_nothing_of_another_or_of_the_centre(lab: Lab) -> None:
    """By Receptor's firewall rules: a node that was taken over reaches no control service."""
    own = Control(lab.nodes["n1"].runtime / "control.sock", 8)
    assert own.status()["NodeID"] == "n1"
    for other in ("centre", "n2"):
        with pytest.raises(BadInput):
            own.units_at(other)
    assert lab.control.units_at("n1") == {}


def test_work_that_the_centre_has_not_signed_is_not_done(lab: Lab) -> None:
    with lab.control._connected() as connection:
        command = {"command": "work", "subcommand": "submit", "node": "n1",
                   "worktype": "hostpledge", "tlsclient": "mesh"}  # fmt: skip
        connection.send(json.dumps(command).encode())
        unit = connection.line().split(b" ID ")[1].split(b".")[0].decode()
        connection.send_last(b"x")
        answer = connection.line()
    assert answer.startswith(b"ERROR") or b"signature" in answer
    lab.control.release(unit, force=True)
    assert lab.nodes["n1"].units() == []


def test_nobody_gets_in_without_a_certificate(lab: Lab) -> None:
    done = subprocess.run(
        ["ip", "netns", "exec", lab.nodes["n1"].space, "openssl", "s_client", "-connect",
         f"10.214.1.1:{labs.PORT}", "-brief"],
        input=b"", capture_output=True, timeout=30, check=False,
    )  # fmt: skip
    said = done.stdout + done.stderr
    assert b"alert" in said or b"required" in said or done.returncode != 0, said


def test_nodes_are_checked_and_one_that_is_away_is_said(lab: Lab) -> None:
    socket = str(lab.centre.runtime / "control.sock")
    process = lab.command("mesh", "check", "--mesh", socket)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert out.count("reachable, 0 unit(s)") == NODES
    process = lab.command("mesh", "check", "--mesh", f"{socket}.not")
    out, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert err.count("\n") == 1
    assert "no way to speak to Receptor" in err


def test_who_collects_where_is_said_by_a_variable(lab: Lab, tmp_path: Path) -> None:
    few = lab.addresses[:6]
    lines = [f"    '{host}':\n      hostpledge_node: n{1 + n % 2}" for n, host in enumerate(few)]
    whole = lab.inventory().read_text()
    inventory = lab.folder / "few.yml"
    inventory.write_text(whole[: whole.index("  hosts:")] + "  hosts:\n" + "\n".join(lines) + "\n")
    words = ("collect", "-i", str(inventory), "-o", str(tmp_path / "out"), "--family", "monitoring",
             "--mesh", str(lab.centre.runtime / "control.sock"))  # fmt: skip
    process = lab.command(*words)
    _, err = process.communicate(timeout=200)
    assert process.returncode == 0, err
    journal = (tmp_path / "out" / "journal.jsonl").read_text().splitlines()
    found = {line["host"]: line["worker"]["node"] for line in map(json.loads, journal)}
    assert found == {host: f"n{1 + n % 2}" for n, host in enumerate(few)}
    process = lab.command(*words, "--nodes", "n1,n3")
    _, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert f"{few[1]} hostpledge_node: no node that is to be used is among n2" in err
