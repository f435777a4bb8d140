"""Of key and address only ssh's own word is taken: over a shared connection the host speaks."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from collector import captures
from collector.model import HostStatus
from collector.run.collected import outcome
from tests.run.conftest import Sshd, hostpledge

_NOTE = "not shown: a shared connection was used, or none was made"
_AUTO = "-o ControlMaster=auto -o ControlPersist=60s -o ControlPath={path}"
# how ssh is led to each host, whether a connection is there before, and is the key ssh's own word
_WAYS = {
    "own": ("-o ControlMaster=auto -o ControlPath=none", False, True),
    "makes-one": (_AUTO, False, True),
    "finds-one": (_AUTO, True, False),
    "only-uses": ("-o ControlMaster=no -o ControlPath={path}", True, False),
    "stale": (_AUTO, False, True),
    "quiet": ("-o LogLevel=QUIET -o ControlPath={path}", True, False),
    "elsewhere": ("-o ControlPath=none -E {path}.log", False, False),
    "honest": ("-o ControlPath=none", False, True),
}


@pytest.fixture(scope="module")
def origins(
    sshd: Sshd, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, dict[str, Any]]]:
    folder = tmp_path_factory.mktemp("m")
    inventory, masters = "", []
    for number, (name, (options, there, _)) in enumerate(_WAYS.items()):
        path = folder / f"c{number}"
        line = sshd.line(name, "well" if name == "honest" else "forges")
        words = options.format(path=path)
        inventory += line.replace("-F none", f"-F none {words}")
        if there:
            _ssh(sshd, path, "-MNf")
        if name == "stale":
            _ssh(sshd, path, "-MNf")
            _ssh(sshd, path, "-O", "stop")
            path.touch()
        masters.append(path)
    (folder / "hosts").write_text(inventory)
    ran = hostpledge("collect", "-i", str(folder / "hosts"), "-o", str(folder / "out"))
    assert ran.status == 0, ran.err
    found = [captures.load(path) for path in (folder / "out/captures").glob("*.capture.gz")]
    assert {c.status for c in found} == {HostStatus.COMPLETE}
    assert not list((folder / "out/captures").glob("*.part"))
    yield {c.host: dict(c.origin) for c in found}
    for path in masters:
        _ssh(sshd, path, "-O", "exit", check=False)


def _ssh(sshd: Sshd, path: Path, *words: str, check: bool = True) -> None:
    subprocess.run(
        ["ssh", *words, "-F", "none", "-o", f"ControlPath={path}", "-o", "IdentitiesOnly=yes",
         "-o", f"UserKnownHostsFile={sshd.folder}/known_hosts", "-i", f"{sshd.folder}/forges",
         "-p", str(sshd.port), "root@127.0.0.1"],
        check=check, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip


@pytest.mark.parametrize("way", _WAYS)
def test_the_host_says_no_key_and_no_address(
    origins: dict[str, dict[str, Any]], sshd: Sshd, way: str
) -> None:
    origin = origins[way]
    assert (origin["address"], origin["port"]) == ("127.0.0.1", sshd.port)
    if _WAYS[way][2]:
        assert origin["host_keys"] == [f"ssh-ed25519 {sshd.fingerprint}"]
    else:
        assert "host_keys" not in origin
        assert origin["host_key_note"] == _NOTE


def test_of_several_addresses_it_is_the_one_that_answered() -> None:
    said = outcome.own(
        b"debug1: Connecting to h [192.0.2.1] port 22.\r\n"
        b"debug1: connect to address 192.0.2.1 port 22: Connection refused\r\n"
        b"debug1: Connecting to h [192.0.2.2] port 22.\r\ndebug1: Connection established.\r\n"
        b"debug1: Connecting to h [192.0.2.3] port 22.\r\n"
    )
    assert outcome.connected_to(said) == ("192.0.2.2", 22)


@pytest.mark.parametrize(
    ("line", "made"),
    [
        (["ssh", "-v", "h", "ssh"], ["ssh", "-E", "log", "-v", "h", "ssh"]),
        ([b"/usr/bin/ssh", b"h"], [b"/usr/bin/ssh", b"-E", b"log", b"h"]),
        ([b"sshpass", b"-d9", b"ssh", b"h"], [b"sshpass", b"-d9", b"ssh", b"-E", b"log", b"h"]),
        (["other", "-v", "ssh"], ["other", "-v", "ssh"]),
        ("ssh h", "ssh h"),
        (["/bin/sh", "-c", "ssh"], ["/bin/sh", "-c", "ssh"]),
    ],
)
def test_where_ssh_is_told_to_write(line: Any, made: Any) -> None:
    assert outcome.apart(line, "log") == made
