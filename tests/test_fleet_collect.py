"""The real fleet through `hostpledge`: each host's status, and one host by three ways."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from collector import captures, catalog
from collector.assess import assess_host
from collector.model import Capture, Result
from collector.script import collector_script, parse_output
from tests.fleet import Fleet
from tests.fleet.machine import environment
from tests.run.conftest import hostpledge

pytestmark = pytest.mark.fleet

# what the host `good` was made to satisfy
FIRST_SET = (
    "antivirus.running",
    "antivirus.signatures",
    "backup.fresh",
    "backup.jobs",
    "classification.inventory",
    "encryption.password_hash",
    "encryption.storage",
    "firewall.default_deny",
    "firewall.exposed_ports",
    "intrusion.empty_passwords",
    "intrusion.password_quality",
    "intrusion.root_login",
    "logging.audit_enabled",
    "logging.persistent",
    "logging.retention_configured",
    "logging.retention_observed",
    "monitoring.time_sync",
)

STATUSES = {
    "good": "complete",
    "bare": "complete",
    "nopython": "complete",
    "busybox": "complete",
    "hangs": "timed_out",
    "floods": "flooded",
    "wrongkey": "host_key_changed",
    "sudo-free": "complete",
    "sudo-asked": "complete",
    "sudo-refused": "become_refused",
}


@pytest.fixture(scope="module")
def ran(fleet: Fleet, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int]:
    """One `run` over every host of the fleet, for the demo's pledge."""
    place = tmp_path_factory.mktemp("ran")
    # the first login ever is another finding while it is still open
    for host in ("good", "bare", "nopython", "busybox"):
        subprocess.run([*fleet.ssh(host), "true"], check=True, capture_output=True)
    home = str(place / "home")
    root = Path(__file__).parents[1]
    assert (
        hostpledge("pledge", "add", str(root / "examples/pledge.yml"), HOSTPLEDGE_HOME=home).status
        == 0
    )
    done = hostpledge(
        "run", "-i", str(fleet.inventory), "-o", str(place / "out"), "--pledge", "demo-2026",
        "--seconds", "45", timeout=300, HOSTPLEDGE_HOME=home,
    )  # fmt: skip
    return place / "out", done.status


def _captures(out: Path) -> dict[str, Capture]:
    paths = (out / "captures").glob(f"*{captures.SUFFIX}")
    return {c.host: c for c in (captures.load(p) for p in paths)}


def test_each_host_is_in_the_evidence_as_what_it_was(ran: tuple[Path, int]) -> None:
    out, status = ran
    assert status == 1
    evidence = json.loads((out / "bundle" / "data" / "evidence.json").read_text())
    assert {h: e["status"] for h, e in evidence["hosts"].items()} == STATUSES
    controls = set(evidence["controls"])
    for host, entry in evidence["hosts"].items():
        assert {f["control"] for f in entry["findings"]} == controls, "none is silently missing"
        if entry["status"] != "complete":
            assert {f["verdict"] for f in entry["findings"]} == {"error"}, host


def test_the_good_host_satisfies_what_a_container_can(ran: tuple[Path, int]) -> None:
    out, _ = ran
    evidence = json.loads((out / "bundle" / "data" / "evidence.json").read_text())
    findings = {f["control"]: f for f in evidence["hosts"]["good"]["findings"]}
    found = {id: findings[id] for id in FIRST_SET}
    good = {id for id, f in found.items() if f["verdict"] in ("pass", "notapplicable")}
    said = {id: f["message"]["en"] for id, f in found.items() if id not in good}
    assert len(good) >= 12, said
    # a vendor's signature database cannot be had without a download, and is not feigned
    failed = {id for id, f in found.items() if f["verdict"] == "fail"}
    assert failed <= {"antivirus.signatures"}, said
    bare = {f["control"]: f["verdict"] for f in evidence["hosts"]["bare"]["findings"]}
    assert sum(v == "fail" for v in bare.values()) >= 5


def test_a_host_that_keeps_the_journal_alone(fleet: Fleet, ran: tuple[Path, int]) -> None:
    """Debian 13 as installed, right after a login: the journal speaks for all of its logs."""
    script = collector_script(catalog.all_reads().values())
    capture = _by([*fleet.ssh("bare"), "sh -s"], script, "bare")
    assert "@L auth /var/log/journal/auth\n" in capture.read("record_samples.lines").text()
    controls = [
        catalog.control(f"logging.{name}") for name in ("record_fields", "families", "persistent")
    ]
    found = assess_host(capture, controls, grade=2, at=capture.collected_at)
    assert {f.control: (f.result, f.reason) for f in found} == {
        "logging.record_fields": (Result.PASS, "complete"),
        "logging.families": (Result.PASS, "live"),
        "logging.persistent": (Result.PASS, "journal"),
    }


@pytest.mark.parametrize("host", ["good", "bare", "nopython", "busybox"])
def test_one_host_by_three_ways_gives_the_same_findings(
    fleet: Fleet, ran: tuple[Path, int], host: str
) -> None:
    out, _ = ran
    script = collector_script(catalog.all_reads().values())
    ways = {
        "ansible": _captures(out)[host],
        "ssh": _by([*fleet.ssh(host), "sh -s"], script, host),
        "exec": _by(fleet.execute_argv(host, "sh"), script, host),
    }
    at = ways["ansible"].collected_at
    findings = {
        way: [
            (f.control, f.result, f.reason)
            for f in assess_host(capture, catalog.controls().values(), grade=3, at=at)
        ]
        for way, capture in ways.items()
    }
    assert findings["ansible"] == findings["ssh"] == findings["exec"]


def _by(argv: list[str], script: str, host: str) -> Capture:
    done = subprocess.run(
        argv, input=script.encode(), capture_output=True, env=environment(), check=True
    )
    return parse_output(done.stdout, host=host)


def test_the_session_s_host_key_is_the_host_s_own(ran: tuple[Path, int]) -> None:
    """What ssh saw is among what the host says of itself; both are in the capture."""
    import base64
    import hashlib

    out, _ = ran
    capture = _captures(out)["bare"]
    (seen,) = capture.origin["host_keys"]
    own = set()
    for line in capture.head["hostkey"].splitlines():
        kind, blob = line.split()
        digest = hashlib.sha256(base64.b64decode(blob)).digest()
        own.add(f"{kind} SHA256:{base64.b64encode(digest).decode().rstrip('=')}")
    assert seen in own
