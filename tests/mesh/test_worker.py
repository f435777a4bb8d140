"""The worker as a plain command: a shard in, signed captures out, no mesh about it."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from collector import captures, private
from collector.model import HostStatus
from collector.run.ansible.inventory import How
from collector.run.collected.run_folder import RunFolder
from collector.run.mesh import node_keys, shard
from collector.run.mesh.faults import NodeLost
from collector.run.mesh.frames import Arrival, Context, Reader
from collector.run.mesh.known_nodes import KnownNode
from collector.run.mesh.merging import Merger
from collector.run.mesh.shard import Shard
from tests.run.conftest import Sshd, hostpledge, sshd

__all__ = ["sshd"]

ROOT = Path(__file__).parents[2]


@dataclass
class Site:
    """A node's keys, and a run that it is asked for."""

    place: Path
    node: KnownNode
    folder: RunFolder
    sshd: Sshd

    def variables(self, behaviour: str) -> dict[str, Any]:
        known = self.sshd.folder / "known_hosts"
        return {
            "ansible_host": "127.0.0.1",
            "ansible_port": self.sshd.port,
            "ansible_user": "root",
            "ansible_ssh_private_key_file": f"{self.sshd.folder}/{behaviour}",
            "ansible_ssh_common_args": f"-o UserKnownHostsFile={known} -F none "
            "-o IdentitiesOnly=yes",
        }

    def shard(
        self, seconds: float = 120, *, run: dict[str, Any] | None = None, **hosts: str
    ) -> Shard:
        inventory = {"all": {"hosts": {h: self.variables(how) for h, how in hosts.items()}}}
        return Shard(
            secrets.token_hex(16), self.node.node, datetime.now(UTC) + timedelta(seconds=seconds),
            {**shard.of_run(self.folder.about), **(run or {})}, inventory,
            shard.options_of(How(inventory=("",), seconds=20)),
        )  # fmt: skip

    def reader(self, asked: Shard) -> Reader:
        about = self.folder.about
        context = Context(asked.id, self.node.node, about["nonce"], about["script_sha256"])
        return Reader(context, self.node.key, asked.hosts)

    def begin(self, payload: bytes) -> subprocess.Popen[bytes]:
        worker = subprocess.Popen(
            [sys.executable, "-m", "collector", "worker", "--keys", str(self.place / "n1")],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(ROOT), "LC_ALL": "C.UTF-8",
                 "TMPDIR": str(self.place / "tmp")},
            start_new_session=True,
        )  # fmt: skip
        assert worker.stdin is not None
        worker.stdin.write(payload)
        worker.stdin.close()
        # `communicate` would flush it once more
        worker.stdin = None
        return worker

    def encrypted(self, asked: Shard) -> bytes:
        return asked.encrypted(self.node.recipient)


@pytest.fixture
def site(sshd: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setenv("HOSTPLEDGE_HOME", str(tmp_path / "home"))
    (tmp_path / "tmp").mkdir()
    recipient, pem = node_keys.make(tmp_path / "n1", "n1", str(tmp_path / "run"))
    key = node_keys.load(tmp_path / "n1").signing.public
    assert key.pem == pem
    now = datetime.now(UTC)
    with RunFolder.taken(tmp_path / "out", ("monitoring",), 2, patience=5) as folder:
        yield Site(tmp_path, KnownNode("n1", recipient, key, now, now), folder, sshd)
    assert list((tmp_path / "tmp").iterdir()) == []


def _read(worker: subprocess.Popen[bytes], reader: Reader) -> Iterator[Arrival]:
    assert worker.stdout is not None
    while data := os.read(worker.stdout.fileno(), 65536):
        for one in reader.feed(data):
            if isinstance(one, Arrival):
                yield one


def test_what_it_sends_is_what_a_look_from_here_would_have_been(site: Site) -> None:
    asked = site.shard(a="well", b="garbled", c="stranger", d="noisy")
    worker, reader = site.begin(site.encrypted(asked)), site.reader(asked)
    merger = Merger.of(site.folder)
    found = {one.host: merger.take(site.node, asked.id, one) for one in _read(worker, reader)}
    reader.close()
    assert worker.wait(30) == 0
    assert reader.ended is not None
    assert not reader.ended.said
    assert {host: one.status for host, one in found.items()} == {
        "a": HostStatus.COMPLETE, "b": HostStatus.GARBLED, "c": HostStatus.AUTH_REFUSED,
        "d": HostStatus.COMPLETE,
    }  # fmt: skip
    origin = found["a"].origin
    assert origin["worker"] == {"node": "n1", "key": site.node.key.keyid}
    assert origin["transport"] == "ansible-ssh"
    assert origin["host_keys"] == [f"ssh-ed25519 {site.sshd.fingerprint}"]
    assert found["a"].reads
    # the seal of this control node is over each of them
    assert len(site.folder.vouched()) == 4
    for host, one in site.folder.arrived().items():
        data = site.folder.capture_path(host).read_bytes()
        assert captures.digest(data) == one.sha256
        assert one.worker is not None
        assert one.worker["shard"] == asked.id


def test_killed_in_the_middle_what_came_stays_and_the_rest_is_known(site: Site) -> None:
    asked = site.shard(a="well", b="hangs")
    worker, reader = site.begin(site.encrypted(asked)), site.reader(asked)
    first = next(_read(worker, reader))
    assert first.host == "a"
    os.kill(worker.pid, signal.SIGKILL)
    assert list(_read(worker, reader)) == []
    with pytest.raises(NodeLost, match="without its last word"):
        reader.close()
    assert reader.missing == {"b"}
    worker.wait(10)
    until = time.monotonic() + 60
    while _of_session(worker.pid) and time.monotonic() < until:
        time.sleep(0.2)
    assert not _of_session(worker.pid)
    _take_away(site.place / "tmp")


def test_nobody_reads_and_it_ends(site: Site) -> None:
    asked = site.shard(a="well", b="hangs")
    worker = site.begin(site.encrypted(asked))
    assert worker.stdout is not None
    worker.stdout.close()
    assert worker.wait(60) != 0


def test_it_ends_by_itself_at_its_deadline(site: Site) -> None:
    asked = site.shard(8, a="hangs")
    begun = time.monotonic()
    worker, reader = site.begin(site.encrypted(asked)), site.reader(asked)
    list(_read(worker, reader))
    assert worker.wait(60) == 1
    assert time.monotonic() - begun < 60
    assert reader.ended is not None
    assert reader.ended.said


def test_receptors_cancel_ends_it_in_order(site: Site) -> None:
    asked = site.shard(a="well", b="hangs")
    worker, reader = site.begin(site.encrypted(asked)), site.reader(asked)
    assert next(_read(worker, reader)).host == "a"
    os.kill(worker.pid, signal.SIGINT)
    assert worker.wait(40) == 1
    list(_read(worker, reader))
    assert reader.ended is not None
    assert reader.ended.said


def test_another_script_than_was_asked_for_is_not_run(site: Site) -> None:
    asked = site.shard(run={"script_sha256": "4" * 64, "version": "9.9.9"}, a="well")
    worker = site.begin(site.encrypted(asked))
    context = Context(asked.id, "n1", asked.run["nonce"], "4" * 64)
    reader = Reader(context, site.node.key, asked.hosts)
    assert list(_read(worker, reader)) == []
    assert worker.wait(30) == 1
    assert reader.ended is not None
    assert "another script" in reader.ended.said
    assert "9.9.9" in reader.ended.said


@pytest.mark.parametrize("payload", [b"", b"age-encryption.org/v1\n", b"{}", None])
def test_no_shard_of_its_own_is_one_line(site: Site, payload: bytes | None) -> None:
    if payload is None:
        other, _ = node_keys.make(site.place / "n2", "n2", "/run/x")
        payload = site.shard(a="well").encrypted(other)
    worker = site.begin(payload)
    out, err = worker.communicate(timeout=60)
    assert worker.returncode == 2
    assert out == b""
    assert err.decode() == "hostpledge: no shard that is encrypted to this node\n"


def test_keys_that_others_can_read_are_not_used(site: Site) -> None:
    (site.place / "n1" / "worker.age").chmod(0o644)
    worker = site.begin(b"x")
    _, err = worker.communicate(timeout=60)
    assert worker.returncode == 2
    assert err.decode().count("\n") == 1
    assert "worker.age" in err.decode()


def test_what_a_vault_holds_travels_to_the_workers_key_alone(
    sshd: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOSTPLEDGE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    added = hostpledge("mesh", "add", "n1", "-o", str(tmp_path / "n1"), "--centre", "192.0.2.1")
    assert added.status == 0, added.err
    (tmp_path / "vault").write_text("open sesame\n")
    made = subprocess.run(
        [Path(sys.executable).parent / "ansible-vault", "encrypt_string", "--vault-password-file",
         tmp_path / "vault", "-n", "ansible_user", "root"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    (tmp_path / "group_vars").mkdir()
    (tmp_path / "group_vars" / "site.yml").write_text(
        f"{made.stdout}\nhostpledge_node: n1\nsecret: '{{{{ ansible_user }}}}-of-group'\n"
    )
    line = sshd.line("a", "well").replace(" ansible_user=root", "")
    (tmp_path / "hosts.ini").write_text(f"[site]\n{line}")
    program = tmp_path / "worker"
    program.write_text(
        f"#!/bin/sh\ntee {tmp_path}/shard | {sys.executable} -m collector worker "
        f'--keys {tmp_path}/"$1"\n'
    )
    program.chmod(0o755)
    ran = hostpledge(
        "collect", "-i", str(tmp_path / "hosts.ini"), "--family", "monitoring", "-o",
        str(tmp_path / "out"), "--mesh", f"exec:{program} {{node}}", "--vault-password-file",
        str(tmp_path / "vault"),
    )  # fmt: skip
    assert ran.status == 0, ran.err
    capture = captures.load(tmp_path / "out" / "captures" / "a.capture.gz")
    assert capture.origin["user"] == "root"
    assert capture.origin["worker"]["node"] == "n1"
    sent = (tmp_path / "shard").read_bytes()
    assert sent.startswith(b"age-encryption.org/v1\n")
    assert b"of-group" not in sent


def _of_session(pid: int) -> list[str]:
    """The processes that the worker began, and those that they did: those of its environment."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            fields = (place / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == pid and fields[0] != "Z":
            found.append(place.name)
    return found


def _take_away(folder: Path) -> None:
    """What a worker that is killed leaves behind, the next one takes away."""
    assert [place.name[:18] for place in folder.iterdir()] == ["hostpledge-worker-"]
    private.sweep("hostpledge-worker-", folder)
