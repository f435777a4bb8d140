"""The parts of the mesh, each by itself: frames in pieces, who collects where, files, waits."""

from __future__ import annotations

import itertools
import json
import os
import secrets
import shutil
import socket
import stat
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography import x509
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collector import captures
from collector.attest.keys.keys import PrivateKey
from collector.errors import BadInput
from collector.model import Capture, HostStatus
from collector.run.ansible.inventory import How
from collector.run.collected.run_folder import RunFolder
from collector.run.mesh import assigned, authority, known_nodes, node_files, node_keys, vaults
from collector.run.mesh.control import Control, Unwilling
from collector.run.mesh.faults import CentreLost, NodeLost, NodeRefused
from collector.run.mesh.frames import Arrival, Context, End, Reader, line
from collector.run.mesh.merging import Merger
from collector.run.mesh.node_files import Places
from collector.run.mesh.tidying import tidy
from collector.run.mesh.waiting import MOST_TRIES, Waiting

KEY = PrivateKey.generate("ed25519")
CONTEXT = Context("0" * 32, "n1", "1" * 32, "2" * 64)
BLOBS = {"a": b"first\n{", "b": b"", "c": secrets.token_bytes(5000)}


def _sent() -> bytes:
    from collector.captures import digest

    made = b""
    for host, data in BLOBS.items():
        data = data or b"\n"
        frame = {"kind": "capture", "host": host, "sha256": digest(data), "bytes": len(data),
                 "seconds": 0.5}  # fmt: skip
        made += line({"kind": "alive"}) + line(CONTEXT.sign(frame, KEY)) + data
    end = {"kind": "end", "captures": len(BLOBS), "said": ""}
    return made + line(CONTEXT.sign(end, KEY))


SENT = _sent()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, len(SENT)), max_size=12))
def test_frames_are_the_same_however_they_are_cut(cuts: list[int]) -> None:
    reader = Reader(CONTEXT, KEY.public, BLOBS)
    places = [0, *sorted(cuts), len(SENT)]
    found = [x for a, b in itertools.pairwise(places) for x in reader.feed(SENT[a:b])]
    assert [one.host for one in found if isinstance(one, Arrival)] == list(BLOBS)
    assert found[-1] == End("")
    reader.close()
    assert not reader.missing


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, len(SENT) - 1), st.integers(1, 255))
def test_a_byte_that_was_changed_is_never_taken(place: int, by: int) -> None:
    changed = bytearray(SENT)
    changed[place] ^= by
    reader = Reader(CONTEXT, KEY.public, BLOBS)
    taken = {}
    try:
        for one in reader.feed(bytes(changed)):
            if isinstance(one, Arrival):
                taken[one.host] = one.data
        reader.close()
    except (NodeRefused, NodeLost):
        pass
    assert all(data == (BLOBS[host] or b"\n") for host, data in taken.items())


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=400))
def test_whatever_comes_is_refused_or_waited_for(data: bytes) -> None:
    reader = Reader(CONTEXT, KEY.public, BLOBS)
    with pytest.raises((NodeRefused, NodeLost)):
        list(reader.feed(data))
        reader.close()


@pytest.mark.parametrize("count", [4.0, 4e0, 1.0])
def test_a_whole_number_that_is_none_is_the_nodes_fault(count: float) -> None:
    """JSON Schema takes 4.0 for an integer, RFC 8785 signs it as 4, and no slice takes it."""
    host, data = next(iter(BLOBS.items()))
    frame = {"kind": "capture", "host": host, "sha256": captures.digest(data), "bytes": count,
             "seconds": 0.5}  # fmt: skip
    signed = json.dumps(CONTEXT.sign(frame, KEY)).encode() + b"\n"
    with pytest.raises(NodeRefused):
        list(Reader(CONTEXT, KEY.public, BLOBS).feed(signed + data))


@pytest.mark.parametrize("clock", ["2099-01-01T00:00:00+00:00", "1975-01-01T00:00:00+00:00", "x"])
def test_a_nodes_clock_is_of_the_time_of_its_run(tmp_path: Path, clock: str) -> None:
    """By it a bundle says when hosts were looked at: one of another year spoils it for all."""
    folder = RunFolder.begin(tmp_path / "run", ["encryption"], 2)
    merger = Merger(folder, frozenset())
    one = Capture("web-1", HostStatus.UNREACHABLE, origin={"clock": clock})
    with pytest.raises(BadInput):
        merger._in_time(one)
    now = datetime.now(UTC).isoformat()
    merger._in_time(Capture("web-1", HostStatus.UNREACHABLE, origin={"clock": now}))


# --- who collects where ------------------------------------------------------------------------


def _listing(**hosts: dict[str, Any]) -> dict[str, Any]:
    return {
        "_meta": {"hostvars": hosts},
        "all": {"children": ["ungrouped", "web"]},
        "web": {"hosts": list(hosts)[:1], "children": ["inner"]},
        "inner": {"hosts": list(hosts)[1:]},
    }


def test_a_variable_says_who_collects() -> None:
    hosts: dict[str, Any] = {
        "a": {"hostpledge_node": "n2"}, "b": {"hostpledge_node": ["n3", "n1"]}, "c": {},
        "d": {"hostpledge_node": "local"}, "e": {"ansible_connection": "ansible.builtin.local"},
        "localhost": {},
    }  # fmt: skip
    listing = _listing(**hosts)
    found = assigned.assigned(listing, list(hosts), ["n1", "n2"])
    here = ("local",)
    assert found == {
        "a": ("n2",), "b": ("n1",), "c": ("n1", "n2"), "d": here, "e": here, "localhost": here,
    }  # fmt: skip
    assert assigned.assigned(listing, ["c"], ["n1"], others_here=True) == {"c": here}
    with pytest.raises(BadInput, match="a hostpledge_node: no node that is to be used"):
        assigned.assigned(listing, ["a"], ["n1"])
    for wrong in ("{{ x }}", "a b", "-x", {"__ansible_vault": "x"}):
        with pytest.raises(BadInput, match="not a name of a node"):
            assigned.assigned(_listing(a={"hostpledge_node": wrong}), ["a"], ["n1"])


def test_of_the_inventory_only_the_shards_part_goes() -> None:
    listing = _listing(a={"x": 1, "hostpledge_node": "n1"}, b={"secret": "s"}, c={})
    assert assigned.part_of(listing, ["a", "c"]) == {
        "all": {
            "hosts": {"a": {"x": 1}, "c": {}},
            "children": {"web": {"hosts": {"a": {}, "c": {}}}, "inner": {"hosts": {"c": {}}}},
        }
    }


def test_a_vault_that_cannot_be_opened_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("wrong\n")
    how = How(inventory=("i",), vault_password_files=(str(tmp_path / "password"),))
    inventory = {
        "all": {"hosts": {"a": {"x": [{"__ansible_vault": "$ANSIBLE_VAULT;1.1;AES256\n3"}]}}}
    }
    with pytest.raises(BadInput, match="Vault"):
        vaults.opened(inventory, how)
    plain = {"all": {"hosts": {"a": {"x": ["$ANSIBLE_VAULT"]}}}}
    assert vaults.opened(plain, how) is plain


# --- what waits --------------------------------------------------------------------------------


def _hosts(count: int) -> list[str]:
    return [f"h{n}" for n in range(count)]


def test_a_small_run_uses_all_nodes_and_a_large_one_gives_out_half() -> None:
    waiting = Waiting(dict.fromkeys(_hosts(8), ("a", "b")), ["a", "b"], 500)
    assert len(waiting.next("a") or ()) == 4
    waiting = Waiting(dict.fromkeys(_hosts(8000), ("a", "b")), ["a", "b"], 500)
    assert len(waiting.next("a") or ()) == 500


def test_a_host_that_brings_workers_down_is_alone_at_last() -> None:
    """Whoever has the bad one in its shard dies at once; all others are done in the end."""
    waiting = Waiting(dict.fromkeys(_hosts(300), ("a",)), ["a"], 500)
    shards = 0
    while hosts := waiting.next("a"):
        shards += 1
        for host in hosts:
            if host == "h7":
                break
            waiting.done("a", host)
        waiting.back("a", "died" if "h7" in hosts else "", 10)
        assert shards < 100
    assert set(waiting.left()) == {"h7"}
    assert waiting.left()["h7"] == "no mesh node brought it back: died"
    assert shards <= 30 + MOST_TRIES


def test_a_node_that_does_nothing_is_given_up_after_some_shards() -> None:
    waiting = Waiting(dict.fromkeys(_hosts(1000), ("a", "b")), ["a", "b"], 100)
    given_out = 0
    while waiting.next("a"):
        given_out += 1
        waiting.back("a", "silent", 10)
    assert given_out <= 5
    assert waiting.out == {"a": "silent"}
    assert len(waiting.next("b") or ()) == 100


def test_hosts_wait_for_a_node_that_is_away_while_others_work() -> None:
    waiting = Waiting({"x": ("a",), "y": ("b",)}, ["a", "b"], 100)
    assert waiting.next("b") == ("y",)
    assert not waiting.away("a", "no way")
    waiting.done("b", "y")
    waiting.back("b", "", 10)
    assert waiting.away("a", "no way")
    assert not waiting.away("a", "")
    assert waiting.next("b") is None
    assert waiting.next("a") == ("x",)


# --- files -------------------------------------------------------------------------------------


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOSTPLEDGE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def _add(tmp_path: Path, node: str, centre: str = "centre.example.com") -> Path:
    node_files.add(node, tmp_path / node, centre, places=Places(), days=30, bind="0.0.0.0")
    return tmp_path / node


def test_what_is_written_is_for_its_owner_alone(tmp_path: Path, home: Path) -> None:
    made = _add(tmp_path, "n1", "192.0.2.1:2000")
    for root in (made, home):
        for path in [root, *root.rglob("*")]:
            assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path
    # the node's private halves are nowhere here, the centre's nowhere there
    kept = b"".join(path.read_bytes() for path in home.rglob("*") if path.is_file())
    assert (made / "worker.age").read_bytes() not in kept
    assert (made / "worker.key").read_bytes() not in kept
    assert not (made / "work-signing.key").exists()
    assert not (made / "ca.key").exists()
    actions = [
        next(iter(action)) for action in yaml.safe_load((made / "receptor.conf").read_text())
    ]
    assert "tcp-listener" not in actions
    assert "work-signing" not in actions


def test_a_certificate_names_the_node_as_receptor_reads_it(tmp_path: Path, home: Path) -> None:
    made = _add(tmp_path, "n1", "192.0.2.1")
    assert _add(tmp_path, "n2", "centre.example.com").exists()
    node = x509.load_pem_x509_certificate((made / "node.crt").read_bytes())
    names = node.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [bytes(n.value) for n in names if isinstance(n, x509.OtherName)] == [b"\x0c\x02n1"]
    centre = x509.load_pem_x509_certificate((home / "mesh/centre/node.crt").read_bytes())
    names = centre.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    # whoever dials it by either name finds it
    assert names.get_values_for_type(x509.DNSName) == ["centre.example.com"]
    assert [str(ip) for ip in names.get_values_for_type(x509.IPAddress)] == ["192.0.2.1"]
    node.verify_directly_issued_by(x509.load_pem_x509_certificate((made / "ca.crt").read_bytes()))


def test_a_node_is_added_once_and_forgotten(tmp_path: Path, home: Path) -> None:
    assert not home.exists()
    _add(tmp_path, "n1")
    with pytest.raises(BadInput, match="there is a node n1 already"):
        node_files.add("n1", tmp_path / "x", "c", places=Places(), days=1, bind="::")
    with pytest.raises(BadInput, match="exists already"):
        node_files.add("n2", tmp_path / "n1", "c", places=Places(), days=1, bind="::")
    for wrong in ("", "a b", "localhost", "../x", "x" * 64, "centre"):
        with pytest.raises(BadInput):
            node_files.add(wrong, tmp_path / "y", "c", places=Places(), days=1, bind="::")
    for wrong in ("", "a b:1", "host:0", "host:99999", "-x", "a;b"):
        with pytest.raises(BadInput, match="not HOST:PORT"):
            node_files.add("n3", tmp_path / "y", wrong, places=Places(), days=1, bind="::")
    assert not (tmp_path / "y").exists()
    assert [node.node for node in known_nodes.all_known()] == ["n1"]
    known_nodes.forget("n1")
    with pytest.raises(BadInput, match="no mesh node n1"):
        known_nodes.known("n1")


@pytest.mark.parametrize("centre", ["192.0.2.1:2000", "[2001:db8::1]:2000", "centre.example.com"])
def test_nftables_takes_the_rules(tmp_path: Path, home: Path, centre: str) -> None:
    if not shutil.which("nft"):
        pytest.skip("nft is not here")
    made = _add(tmp_path, "n1", centre)
    for path in (made / "hostpledge-mesh.nft", home / "mesh/centre/hostpledge-mesh.nft"):
        done = subprocess.run(
            ["nft", "-c", "-f", path], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        assert "@" not in path.read_text().replace("@sites6", "").replace("@sites", "")


def test_systemd_takes_the_unit(tmp_path: Path, home: Path) -> None:
    unit = (_add(tmp_path, "n1") / "hostpledge-mesh.service").read_text()
    centre = (home / "mesh/centre/hostpledge-mesh.service").read_text()
    assert "RuntimeDirectoryPreserve=no\n" in unit
    assert "RuntimeDirectoryPreserve=restart\n" in centre
    assert "RuntimeDirectory=hostpledge-mesh hostpledge-mesh/tmp\n" in unit
    assert "@" not in unit + centre


def test_a_damaged_authority_is_said(home: Path) -> None:
    place = home / "mesh"
    authority.authority(place)
    (place / "ca.key").write_text("nothing")
    with pytest.raises(BadInput, match="not a key and certificate of the mesh"):
        authority.certify(place, "n1", 30)


def test_keys_of_another_form_are_said(tmp_path: Path) -> None:
    node_keys.make(tmp_path / "n", "n1", "/run/x")
    (tmp_path / "n" / "node.json").write_text('{"node": 1}')
    with pytest.raises(BadInput, match="no keys of a mesh node"):
        node_keys.load(tmp_path / "n")
    with pytest.raises(BadInput, match="no keys of a mesh node"):
        node_keys.load(tmp_path / "nowhere")


# --- Receptor's control socket: no wait is without an end ----------------------------------------


@contextmanager
def _socket(folder: Path, answer: Callable[[socket.socket], None]) -> Iterator[Path]:
    """A control socket that greets as Receptor does, and goes on as `answer` has it."""
    path = folder / "s"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()

        def serve() -> None:
            while True:
                try:
                    one, _ = server.accept()
                except OSError:
                    return
                threading.Thread(target=_serve, args=(one, answer), daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        yield path


def _serve(one: socket.socket, answer: Callable[[socket.socket], None]) -> None:
    with one:
        try:
            answer(one)
        except OSError:
            return


def _silent(one: socket.socket) -> None:
    one.sendall(b"Receptor Control, node c\n")
    one.recv(100)
    time.sleep(60)


def _mute(one: socket.socket) -> None:
    del one
    time.sleep(60)


def _endless(one: socket.socket) -> None:
    one.sendall(b"Receptor Control, node c\n")
    while True:
        one.sendall(b"x" * 65536)


def _drips(one: socket.socket) -> None:
    one.sendall(b"Receptor Control, node c\n")
    while True:
        one.sendall(b"x")
        time.sleep(0.1)


@pytest.mark.parametrize("answer", [_silent, _mute, _endless, _drips])
def test_a_receptor_that_does_not_answer_is_given_up(
    tmp_path: Path, answer: Callable[[socket.socket], None]
) -> None:
    with _socket(tmp_path, answer) as path:
        begun = time.monotonic()
        with pytest.raises(CentreLost):
            Control(path, 2).status()
        assert time.monotonic() - begun < 10


def test_what_is_no_receptor_is_said(tmp_path: Path) -> None:
    said = pytest.raises(CentreLost, match="does not answer as Receptor does")
    with _socket(tmp_path, lambda one: one.sendall(b"220 mail\r\n")) as path, said:
        Control(path, 2).status()
    with pytest.raises(CentreLost, match="no way to speak to Receptor"):
        Control(tmp_path / "nowhere", 2).status()


def test_what_receptor_refuses_is_its_own_word(tmp_path: Path) -> None:
    def refuses(one: socket.socket) -> None:
        one.sendall(b"Receptor Control, node c\n")
        one.recv(1000)
        one.sendall(b"ERROR: unknown \x1b[31mwork unit\n")

    with _socket(tmp_path, refuses) as path:
        control = Control(path, 2)
        with pytest.raises(Unwilling) as problem:
            control.status()
        assert "\x1b" not in str(problem.value)
        assert control.unit("x") is None
        with pytest.raises(Unwilling):
            control.submit("n1", b"x", 10, {})


def test_a_worker_tidies_what_nobody_came_for(tmp_path: Path) -> None:
    asked: list[bytes] = []
    units = {
        "old": {"State": 2, "WorkType": "hostpledge"},
        "new": {"State": 2, "WorkType": "hostpledge"},
        "runs": {"State": 1, "WorkType": "hostpledge"},
        "others": {"State": 2, "WorkType": "else"},
    }
    for name in units:
        place = tmp_path / "data" / "n1" / name
        place.mkdir(parents=True)
        (place / "status").touch()
        if name != "new":
            long_ago = (datetime.now(UTC) - timedelta(hours=3)).timestamp()
            os.utime(place / "status", (long_ago, long_ago))

    def answers(one: socket.socket) -> None:
        one.sendall(b"Receptor Control, node n1\n")
        asked.append(one.recv(1000).strip())
        one.sendall(json.dumps(units if asked[-1] == b"work list" else {}).encode() + b"\n")

    with _socket(tmp_path, answers) as path:
        path.rename(tmp_path / "control.sock")
        assert tidy(tmp_path, "n1") == 1
    assert asked == [b"work list", b"work release old"]
    # no shard waits where there is no Receptor
    assert tidy(tmp_path / "nowhere", "n1") == 0
