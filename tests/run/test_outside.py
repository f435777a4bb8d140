"""The outside view: a real host in a network of its own, asked by itself and from beside it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from collector import captures, catalog
from collector.assess import assess_host
from collector.facts.tls.probe import OUTSIDE, tls_outside
from collector.model import Capture, Finding, Result
from collector.run.collected import outcome
from collector.run.net.outside import with_outside
from tests.facts.tls_lab import NOW, Authority
from tests.run.conftest import Sshd

_WANTED = ("unshare", "ip", "ss", "nft", "bash", "openssl")
_MISSING = [name for name in _WANTED if shutil.which(name) is None]
needs_network = pytest.mark.skipif(
    os.geteuid() != 0 or bool(_MISSING),
    reason=f"needs root and {', '.join(_WANTED)} (missing: {', '.join(_MISSING) or 'root'})",
)
_TO = "192.0.2.2"
# 443 and 8444 lead elsewhere for who comes from outside; 9443 is let in to nobody
_RULES = """
table ip hostpledge {
  chain pre {
    type nat hook prerouting priority dstnat
    tcp dport 443 redirect to :4430
    tcp dport 8444 redirect to :8443
  }
  chain in {
    type filter hook input priority filter
    tcp dport 9443 drop
  }
}
"""
_HOST = """
n=0; until ip link set far0 up 2>/dev/null; do
  n=$((n + 1)); [ $n -lt 300 ] || exit 1; sleep .05
done
ip link set lo up; ip addr add 192.0.2.2/24 dev far0; nft -f rules
s_server() { openssl s_server -quiet -key sound.example.key -cert sound.example.crt "$@" & }
s_server -accept 443
s_server -accept 8443
s_server -accept 9443
s_server -accept 4430 -tls1 -cipher ALL:@SECLEVEL=0
exec SSHD -D -e -f sshd.config
"""
_BESIDE = """
ip link set lo up; ip link add name near0 type veth peer name far0
unshare -n sh host.sh >host.log 2>&1 & pid=$!
until [ "$(readlink /proc/$pid/ns/net)" != "$(readlink /proc/self/ns/net)" ]; do sleep .05; done
ip link set far0 netns $pid
ip addr add 192.0.2.1/24 dev near0; ip link set near0 up
n=0; until bash -c 'exec 3<>/dev/tcp/192.0.2.2/22 && read -r x <&3' 2>/dev/null; do
  n=$((n + 1)); [ $n -lt 300 ] || exit 1; sleep .05
done
PYTHON -m collector collect -i hosts.ini -o out --family encryption </dev/null
"""


@pytest.fixture(scope="module")
def seen(sshd: Sshd, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Capture]]:
    folder = tmp_path_factory.mktemp("outside")
    root = Authority(folder).issue("Lab Root", 3000, authority=True)
    root.chain = b""
    root.issue("sound.example")
    (folder / "rules").write_text(_RULES)
    program = shutil.which("sshd") or "/usr/sbin/sshd"
    (folder / "host.sh").write_text(_HOST.replace("SSHD", program))
    config = (sshd.folder / "config").read_text()
    (folder / "sshd.config").write_text(
        config.replace("127.0.0.1", _TO).replace(f"Port {sshd.port}", "Port 22")
    )
    (folder / "known_hosts").write_text(f"{_TO} {(sshd.folder / 'host.pub').read_text()}")
    lines = sshd.line("asked", "well") + sshd.line("unasked", "well", "collect_outside=false")
    lines = lines.replace("127.0.0.1", _TO).replace(f"port={sshd.port}", "port=22")
    lines = lines.replace(f"{sshd.folder}/known_hosts", f"{folder}/known_hosts")
    (folder / "hosts.ini").write_text(lines)
    done = subprocess.run(
        ["unshare", "-n", "-m", "-p", "-f", "--kill-child", "--mount-proc", "sh", "-c",
         _BESIDE.replace("PYTHON", sys.executable)],
        cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, timeout=150, check=False,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "LC_ALL": "C.UTF-8"},
    )  # fmt: skip
    (folder / "lab.log").write_bytes(done.stdout + done.stderr)
    held = (folder / "out" / "captures").glob("*.capture.gz")
    yield {capture.host: capture for capture in map(captures.load, held)}


def _transport(capture: Capture) -> Finding:
    control = catalog.control("encryption.transport")
    (found,) = assess_host(capture, [control], grade=2, at=NOW)
    return found


@needs_network
def test_what_is_let_in_is_asked(seen: dict[str, Capture]) -> None:
    outside = tls_outside(seen["asked"])
    assert outside is not None
    told = {s.port: {a.version for a in s.answers.values() if a.version} for s in outside.served}
    assert told == {443: {0x0301}, 4430: {0x0301}, 8443: {0x0304}, 8444: {0x0304}}
    assert all(s.told for s in outside.served)


@needs_network
def test_what_only_those_outside_see_is_a_fault(seen: dict[str, Capture]) -> None:
    found = _transport(seen["asked"])
    assert found.result is Result.FAIL, found.message.en
    assert "443 openssl: TLS 1.0 (192.0.2.2:443)" in found.message.en
    assert OUTSIDE in {entry["read"] for entry in found.evidence}


@needs_network
@pytest.mark.parametrize(
    "said",
    [
        "",
        "debug1: Connecting to host [198.51.100.7] port 22.",
        "debug1: Connecting to host [127.0.0.1] port 22.",
        "debug1: Connecting to host [not an address] port 22.",
        "debug1: Executing proxy command: exec ssh -W x:22 jump\n"
        "debug1: Connecting to jump [192.0.2.2] port 22.",
    ],
)
def test_another_machine_is_not_asked(seen: dict[str, Capture], said: str) -> None:
    assert with_outside(seen["unasked"], outcome.Own(said)) is seen["unasked"]


@needs_network
def test_who_does_not_answer_is_no_answer(
    seen: dict[str, Capture], monkeypatch: pytest.MonkeyPatch
) -> None:
    """From here, where that address is nobody's, the finding is what the host's own view gives."""
    monkeypatch.setattr("collector.run.net.outside._SECONDS", 0.5)
    said = outcome.Own("debug1: Connecting to host [192.0.2.2] port 22.")
    here = with_outside(seen["unasked"], said)
    outside = tls_outside(here)
    assert outside is not None
    assert not any(s.told for s in outside.served)
    assert _transport(here) == _transport(seen["unasked"])


@needs_network
def test_who_was_not_to_be_asked_was_not(seen: dict[str, Capture]) -> None:
    assert OUTSIDE not in seen["unasked"].reads
