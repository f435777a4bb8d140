"""A hostile worker is refused by name, in one line, and another node does its hosts."""

from __future__ import annotations

import io
import sys
import time
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from pathlib import Path
from typing import Any

import pytest

from collector import captures
from collector.i18n.message import Message
from collector.model import HostStatus
from collector.run.ansible.inventory import How, Mesh
from collector.run.collected.run_folder import RunFolder
from collector.run.mesh import coordinator, node_files, node_keys, working
from collector.run.mesh.frames import Arrival, Reader
from collector.run.mesh.known_nodes import KnownNode
from collector.run.mesh.node_files import Places
from collector.run.mesh.unit import Patience
from tests.mesh import hostile

HOSTS = [f"h{number}" for number in range(8)]
# each with what is said of it
REFUSED = {
    "another_host": "it is of another host, h",
    "not_asked": "a capture of somebody-else, which it was not asked for",
    "changed_bytes": "is not what was signed",
    "changed_frame": "its key has not signed",
    "another_key": "its key has not signed",
    "another_shard": "a frame of another shard",
    "another_run": "a capture of another run",
    "another_runs_signature": "its key has not signed",
    "another_nonce": "carries another nonce",
    "no_nonce": "another nonce",
    "another_worker": "it names another worker",
    "no_worker": "it names another worker",
    "another_script": "another script ran",
    "what_a_probe_says": "it says what no worker can: probe.malware_file",
    "handed_in": "it says what no worker can: handed-in",
    "of_tomorrow": "is the node's clock right?",
    "of_last_year": "is the node's clock right?",
    "twice": "which it was not asked for (any more)",
    "after_its_end": "something follows its last word",
    "miscounts": "counts other captures",
    "symlinks": "not a capture file",
    "bomb": "MiB",
    "too_large": "not a frame",
    "endless": "a line of more than",
    "endless_lines": "signs of life without an end",
    "no_frames": "not a frame: Traceback",
}
LOST = {
    "silent": "nothing was heard of it for 15 s",
    "cut_off": "cut off in the middle of a capture",
    "without_end": "ended without its last word",
    "leaves_out": "it left hosts out",
}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("mesh")


@pytest.fixture(scope="module")
def nodes(home: Path) -> dict[str, KnownNode]:
    """Two nodes: `bad` is first, so that it is never left without hosts."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOSTPLEDGE_HOME", str(home / "home"))
        made = {}
        for node in ("bad", "good"):
            given = home / node, "centre.example.com"
            known, _ = node_files.add(node, *given, places=Places(), days=30, bind="127.0.0.1")
            made[node] = known
        return made


Collect = Callable[..., tuple[dict[str, Any], list[str], float]]


@pytest.fixture
def collect(
    home: Path, nodes: dict[str, KnownNode], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Collect:
    """Collects from HOSTS, `bad` behaving so; what arrived, what was said, how long it took."""
    assert nodes
    monkeypatch.setenv("HOSTPLEDGE_HOME", str(home / "home"))
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    listing = {"_meta": {"hostvars": {host: {} for host in HOSTS}}, "all": {"hosts": HOSTS}}
    monkeypatch.setattr(coordinator, "listing_of", lambda _: listing)

    def work(behaviour: str, other: str = "honest", *, within: bool = True) -> Any:
        if within:
            how_of = {"bad": behaviour, "good": other}
            monkeypatch.setattr(coordinator, "transport_of", lambda *_: _Within(home, how_of))
        program = tmp_path / "worker"
        program.write_text(
            f"#!/bin/sh\ncase $1 in bad) how={behaviour};; *) how={other};; esac\n"
            f'exec {sys.executable} -m tests.mesh.hostile {home}/"$1" $how\n'
        )
        program.chmod(0o755)
        mesh = Mesh(f"exec:{program} {{node}}", ("bad", "good"), lost_after=15.0)
        how = How(inventory=("nobody,",), mesh=mesh, seconds=30)
        said: list[Message] = []
        begun = time.monotonic()
        taken = RunFolder.taken(tmp_path / "out", ("monitoring",), 2, patience=5)
        with taken as folder:
            arrived = coordinator.collect(
                folder, how, HOSTS, progress=lambda *_: None, say=said.append
            )
        assert all(one.zh and "\n" not in one for one in said)
        return arrived, [str(one) for one in said], time.monotonic() - begun

    return work


class _Within:
    """Carries shards to liars in this process: one of their own each costs seconds."""

    left: Sequence[str] = ()

    def __init__(self, home: Path, behaviours: dict[str, str]) -> None:
        self._home, self._behaviours = home, behaviours

    def opened(self) -> AbstractContextManager[object]:
        return nullcontext()

    def reaches(self, node: str) -> bool:
        return node in self._behaviours

    def arrivals(
        self, node: str, payload: bytes, reader: Reader, patience: Patience
    ) -> Generator[Arrival, None, None]:
        keys = node_keys.load(self._home / node)
        liar = hostile.Liar(working.received(io.BytesIO(payload), keys), keys)
        for data in hostile.BEHAVIOURS[self._behaviours[node]](liar):
            assert not patience.stop.is_set()
            for one in reader.feed(data):
                if isinstance(one, Arrival):
                    yield one
        reader.close()


@pytest.mark.parametrize("behaviour", REFUSED)
def test_it_is_refused_by_name_and_another_node_does_its_hosts(
    collect: Collect, behaviour: str, tmp_path: Path
) -> None:
    arrived, said, seconds = collect(behaviour)
    assert seconds < 60
    assert {one.status for one in arrived.values()} == {HostStatus.COMPLETE}
    ruled_out = [line for line in said if line.startswith("mesh node bad is given nothing more")]
    assert len(ruled_out) == 1, said
    assert REFUSED[behaviour] in ruled_out[0]
    assert not any("node good" in line for line in said), said
    _once_each(tmp_path / "out")
    for host, one in arrived.items():
        worker = captures.load(tmp_path / "out" / "captures" / one.file).origin["worker"]
        # what it sent rightly before is as good as ever
        well = ("twice", "after_its_end", "miscounts")
        assert worker["node"] == "good" or behaviour in well, host


@pytest.mark.parametrize("behaviour", ["endless", "too_large", "changed_bytes"])
def test_a_process_of_its_own_is_refused_as_well_and_ended(
    collect: Collect, behaviour: str, tmp_path: Path, home: Path
) -> None:
    arrived, said, seconds = collect(behaviour, within=False)
    assert seconds < 90
    assert {one.status for one in arrived.values()} == {HostStatus.COMPLETE}
    assert any(REFUSED[behaviour] in line for line in said), said
    assert not _running(home / "bad")
    _once_each(tmp_path / "out")


@pytest.mark.parametrize("behaviour", LOST)
def test_what_it_leaves_out_goes_to_another_node(
    collect: Collect, behaviour: str, tmp_path: Path
) -> None:
    arrived, said, seconds = collect(behaviour, within=behaviour not in ("silent", "cut_off"))
    assert seconds < 90
    assert {one.status for one in arrived.values()} == {HostStatus.COMPLETE}
    assert any(LOST[behaviour] in line for line in said if "node bad" in line), said
    _once_each(tmp_path / "out")


def test_where_no_node_is_left_each_host_says_why_in_a_line(collect: Collect) -> None:
    arrived, _, seconds = collect("another_key", "symlinks")
    assert seconds < 60
    assert sorted(arrived) == HOSTS
    assert {one.status for one in arrived.values()} == {HostStatus.UNREACHABLE}
    for one in arrived.values():
        assert one.detail.startswith("no mesh node brought it back: "), one.detail
        assert "\n" not in one.detail


def test_a_host_that_always_brings_it_down_takes_no_others_along(collect: Collect) -> None:
    arrived, _, seconds = collect("without_end", "without_end")
    assert seconds < 120
    complete = [h for h, one in arrived.items() if one.status is HostStatus.COMPLETE]
    assert sorted(arrived) == HOSTS
    assert complete


def test_every_behaviour_is_tried() -> None:
    known = set(hostile.BEHAVIOURS) - {"honest", "main"}
    assert known == {*REFUSED, *LOST}


def _running(keys: Path) -> list[str]:
    """Processes that were started with these keys."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            words = (place / "cmdline").read_bytes().split(b"\0")
            found += [place.name] if bytes(keys) in words else []
    return found


def _once_each(out: Path) -> None:
    folder = RunFolder.open(out)
    lines = Counter(line["host"] for line in folder._journal_lines())
    assert lines == dict.fromkeys(HOSTS, 1)
    files = sorted(path.name for path in (out / "captures").iterdir())
    assert files == sorted(captures.file_name(host) for host in HOSTS)
    assert len(folder.vouched()) == len(HOSTS)
