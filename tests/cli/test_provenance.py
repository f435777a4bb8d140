"""Collected is what a run of ours had from a host: whatever a capture says of itself, or a folder.

Each forgery here knows what a customer can know: the form of all files, and every nonce that a
bundle shows. What it has not is the key that seals runs.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
import yaml

from collector import captures
from collector.attest.bundle.provenance import is_collected
from collector.facts.tls.probe import OUTSIDE
from collector.model import Capture, HostStatus, ReadResult, ReadStatus
from collector.pledges.register.register import Register
from collector.run.collected.run_folder import RunFolder
from collector.script import host_nonce
from tests import bundles
from tests.cli.test_evidence import Shell

ROOT = Path(__file__).parents[2]
OWN, FORGED = "web-1", "web-2"
ADDRESS = {OWN: "198.51.100.9", FORGED: "203.0.113.214"}
NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    made = Shell(tmp_path)
    monkeypatch.setenv("HOSTPLEDGE_HOME", str(made.home))
    made("key", "new")
    made("key", "trust", "-o", "trust.json")
    return made


def claiming(host: str, run: str, at: datetime = NOW) -> Capture:
    """A capture that says all that a collected one says, with that run's nonce for the host."""
    origin = {
        "transport": "ansible-ssh", "clock": at.isoformat(), "seconds": 1.5, "run": run,
        "address": ADDRESS[host], "port": 22, "user": "root",
        "host_keys": ["ssh-ed25519 SHA256:" + "A" * 43],
    }  # fmt: skip
    found = bundles.capture(host)
    outside = ReadResult(OUTSIDE, ReadStatus.OK, stdout=b"")
    return replace(
        found,
        nonce=host_nonce(run, host),
        collected_at=at,
        origin=MappingProxyType(origin),
        reads=MappingProxyType({**found.reads, OUTSIDE: outside}),
    )


def a_run(shell: Shell, name: str = "out", hosts: tuple[str, ...] = (OWN,)) -> RunFolder:
    """A run of ours that had a capture from each host, and ended."""
    run = RunFolder.begin(shell.folder / name, ["encryption"], 2)
    run.expect(hosts)
    for host in hosts:
        run.take(claiming(host, run.nonce), 1)
    run.end()
    return run


def evidence(shell: Shell, place: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((shell.folder / place / "data/evidence.json").read_text())
    return found


def collected(document: Mapping[str, Any]) -> set[str]:
    return {h for h, e in document["hosts"].items() if is_collected(e["origin"], document["run"])}


def verified(shell: Shell, place: str) -> dict[str, Any]:
    said = shell("verify", place, "--trust", "trust.json", "--format", "json")
    found: dict[str, Any] = json.loads(said.stdout)
    return found


def assert_handed_in(shell: Shell, folder: str, host: str = FORGED, count: int = 1) -> None:
    """Bundled, verified, assessed, exported, reported: nowhere does it count as collected."""
    told = shell("bundle", folder, "-o", "made")
    assert f"handed in, not collected: {host}" in told.stderr
    document = evidence(shell, "made")
    assert host not in collected(document)
    entry = document["hosts"][host]
    assert entry["origin"]["transport"] == "handed-in"
    assert not {"run", "address", "host_keys", "user", "clock"} & entry["origin"].keys()
    assert entry["origin"]["claimed"]["address"] == ADDRESS[host], "told as what it claims"
    assert verified(shell, "made")["handed_in"] == count
    kept = captures.load(shell.folder / "made/data/captures" / captures.file_name(host))
    assert kept.read(OUTSIDE).status is ReadStatus.LOST, "no host speaks for the control node"
    assert kept.collected_at == datetime.fromtimestamp(int(kept.head["clock"]), UTC)
    for form, word in (("csv", "handed-in"), ("json", '"handed-in"'), ("prometheus", "handed-in"),
                       ("oscal", '"handed-in"'), ("sarif", '"handed-in"'), ("junit", "handed-in"),
                       ("xccdf", "handed-in"), ("table", "handed in"),
                       ("hdf", '"handed-in"'), ("ocsf", '"handed-in"'),
                       ("openmetrics", '"handed-in"'), ("defectdojo", "handed-in")):  # fmt: skip
        shell("report", "made", "--export", f"{form}=x", "--html", "r.html")
        assert word in (shell.folder / "x").read_text(), form
        (shell.folder / "x").unlink()
    page = (shell.folder / "r.html").read_text()
    assert "handed in, the host" in page
    assert ADDRESS[host] not in page


def test_a_capture_that_says_it_was_collected(shell: Shell) -> None:
    bundles.write(shell.folder / "in", [claiming(FORGED, "a" * 32)])
    assert_handed_in(shell, "in")
    said = shell("assess", "in", "--format", "json", status=1)
    assert json.loads(said.stdout)["hosts"][FORGED]["provenance"] == "handed-in"


def forged_folder(shell: Shell, about: Mapping[str, Any], found: Capture) -> None:
    place = shell.folder / "forged"
    file = bundles.write(place / "captures", [found])[0]
    (place / "run.json").write_text(json.dumps(dict(about)))
    line = {
        "host": found.host, "status": "complete", "detail": "", "file": file.name,
        "sha256": captures.digest(file.read_bytes()), "seconds": 1.0, "seal": "0" * 64,
    }  # fmt: skip
    (place / "journal.jsonl").write_text(json.dumps(line) + "\n")


def test_a_folder_with_a_run_of_its_own_making(shell: Shell) -> None:
    """Its nonces all follow from each other: only the seal is missing."""
    ours = json.loads((a_run(shell).path / "run.json").read_text())
    about = {**ours, "nonce": "b" * 32, "hosts": [FORGED]}
    forged_folder(shell, about, claiming(FORGED, "b" * 32))
    assert_handed_in(shell, "forged")
    document = evidence(shell, "made")
    assert document["run"] is None
    families = {c["family"] for c in document["controls"].values()}
    assert len(families) > 1, "how little a stranger's run.json asks for does not narrow the check"
    del about["seal"]
    forged_folder(shell, about, claiming(FORGED, "b" * 32))
    shell("bundle", "forged", "-o", "again")
    assert not collected(evidence(shell, "again"))


def test_our_run_with_another_capture_in_its_place(shell: Shell) -> None:
    """run.json is ours, seal and all; the capture follows from its nonce, the line is theirs."""
    run = a_run(shell, hosts=(FORGED,))
    about = json.loads((run.path / "run.json").read_text())
    liar = (
        bundles.with_stdout(claiming(FORGED, run.nonce), "host.kernel", b"Linux other\n")
        if ("host.kernel" in bundles.capture(FORGED).reads)
        else replace(claiming(FORGED, run.nonce), detail="other")
    )
    forged_folder(shell, about, liar)
    assert_handed_in(shell, "forged")


def test_a_capture_put_into_our_folder(shell: Shell) -> None:
    """Mixed: one host was collected from, the other handed in."""
    run = a_run(shell)
    captures.write(claiming(FORGED, run.nonce), run.capture_path(FORGED))
    assert_handed_in(shell, "out")
    document = evidence(shell, "made")
    assert collected(document) == {OWN}
    assert document["hosts"][OWN]["origin"]["address"] == ADDRESS[OWN]
    said = json.loads(shell("assess", "out", "--format", "json", status=1).stdout)
    had = {name: entry["provenance"] for name, entry in said["hosts"].items()}
    assert had == {OWN: "collected", FORGED: "handed-in"}


def test_the_line_of_one_host_does_not_serve_another(shell: Shell) -> None:
    run = a_run(shell)
    other = claiming(FORGED, run.nonce)
    captures.write(other, run.capture_path(FORGED))
    journal = run.path / "journal.jsonl"
    line = json.loads(journal.read_text())
    line |= {"host": FORGED, "sha256": captures.digest(captures.to_bytes(other))}
    with journal.open("a") as out:
        out.write(json.dumps(line) + "\n")
    assert_handed_in(shell, "out")


def test_a_run_that_was_not_begun_here_is_not_taken_up(shell: Shell) -> None:
    run = RunFolder.begin(shell.folder / "theirs", ["encryption"], 2)
    (shell.home / "collecting.key").write_text("0" * 64 + "\n")
    said = shell(
        "collect", "-i", "localhost,", "--family", "encryption", "-o", str(run.path), status=2
    )
    assert "a run lies here that this control node did not begin" in said.stderr


@pytest.mark.parametrize("ended", [True, False])
def test_a_folder_of_somebody_elses_is_not_retried(shell: Shell, ended: bool) -> None:
    """What lies there as the script would run as root on each host, and our seal make it ours."""
    run = RunFolder.begin(shell.folder / "theirs", ["encryption"], 2)
    run.expect([OWN])
    if ended:
        run.end()
    script = run.path / "script.sh"
    script.write_text("id >/tmp/ran\n" + script.read_text())
    (shell.home / "collecting.key").write_text("0" * 64 + "\n")
    before = (run.path / "run.json").read_bytes()
    words = ("--family", "encryption", "-o", str(run.path), "--retry")
    said = shell("collect", "-i", "localhost,", *words, status=2)
    assert "a run lies here that this control node did not begin" in said.stderr
    assert (run.path / "run.json").read_bytes() == before
    assert not RunFolder.open(run.path).begun_here


def test_a_script_that_was_changed_since_is_not_sent(shell: Shell) -> None:
    run = RunFolder.begin(shell.folder / "out", ["encryption"], 2)
    script = run.path / "script.sh"
    script.write_text(script.read_text() + "id\n")
    said = shell(
        "collect", "-i", "localhost,", "--family", "encryption", "-o", str(run.path), status=2
    )
    assert "script.sh: not the script that this run was begun with" in said.stderr


@pytest.mark.parametrize("name", ["captures", "earlier", "journal.jsonl", "script.sh", "lock"])
def test_links_in_a_folder_lead_nowhere(shell: Shell, tmp_path: Path, name: str) -> None:
    run = RunFolder.begin(shell.folder / "out", ["encryption"], 2)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "keep.part").write_text("somebody's")
    place = run.path / name
    if place.is_dir():
        place.rmdir()
    place.unlink(missing_ok=True)
    place.symlink_to(elsewhere if name in ("captures", "earlier") else elsewhere / "new")
    said = shell(
        "collect", "-i", "localhost,", "--family", "encryption", "-o", str(run.path), status=2
    )
    assert f"{name}: a link or another special entry" in said.stderr
    assert [path.name for path in elsewhere.iterdir()] == ["keep.part"]


def test_another_control_nodes_run_is_handed_in(shell: Shell) -> None:
    a_run(shell)
    (shell.home / "collecting.key").unlink()
    told = shell("bundle", "out", "-o", "made")
    assert "this run was not begun here" in told.stderr
    assert not collected(evidence(shell, "made"))


def test_a_hand_in_of_a_strange_time_is_told(shell: Shell) -> None:
    old = NOW - timedelta(days=900)
    found = bundles.capture(FORGED)
    head = MappingProxyType({**found.head, "clock": str(int(old.timestamp()))})
    bundles.write(shell.folder / "in", [replace(claiming(FORGED, "a" * 32), head=head)])
    told = shell("bundle", "in", "-o", "made")
    assert "a clock of more than a year ago: web-2" in told.stderr
    unproven = [text["en"] for text in verified(shell, "made")["unproven"]]
    assert any("clock of more than a year ago" in text for text in unproven)
    document = evidence(shell, "made")
    assert document["hosts"][FORGED]["assessed_at"].startswith(f"{old:%Y-%m-%d}")


def test_a_complete_capture_without_a_nonce_is_not_collected(shell: Shell, tmp_path: Path) -> None:
    run = a_run(shell)
    bare = replace(claiming(OWN, run.nonce), nonce="")
    files = bundles.write(tmp_path / "bare", [bare])
    from collector import catalog
    from collector.attest.bundle import making as bundle
    from collector.attest.keys import keys
    from collector.errors import BadInput

    with pytest.raises(BadInput, match="carries another nonce"):
        bundle.make(
            files, tmp_path / "x", keys.PrivateKey.generate(), controls=catalog.select(),
            grade=2, run=run.about, collected=bundles.digests(files),
        )  # fmt: skip


def test_a_kill_between_line_and_capture_leaves_no_line_that_lies(shell: Shell) -> None:
    run = RunFolder.begin(shell.folder / "out", ["encryption"], 2)
    first = Capture(OWN, HostStatus.UNREACHABLE, origin={"run": run.nonce})
    held = run.take(first, 0)
    place = run.capture_path(OWN)
    kept = place.read_bytes()
    run.take(claiming(OWN, run.nonce), 0)
    place.write_bytes(kept)
    again = RunFolder.begin(run.path, ["encryption"], 2)
    assert again.arrived()[OWN].status is HostStatus.UNREACHABLE
    assert again.vouched() == {held}


def test_the_list_of_pledges_says_what_was_handed_in(shell: Shell, tmp_path: Path) -> None:
    """A row from before that was kept says nothing of it."""
    bundles.write(tmp_path / "handed", [claiming(FORGED, "a" * 32)])
    record = yaml.safe_load((ROOT / "examples/pledge.yml").read_text(encoding="utf-8"))
    record["resources"]["hosts"] = [FORGED]
    for id in ("p-1", "p-2"):
        (tmp_path / f"{id}.yml").write_text(json.dumps({**record, "id": id}))
        shell("pledge", "add", str(tmp_path / f"{id}.yml"))
    shell("bundle", str(tmp_path / "handed"), "-o", "made", "--pledge", "p-1")
    shell("pledge", "attach", "p-1", "made")
    shown = shell("pledge", "list").stdout
    assert "p-1: 1 capture(s) handed in" in shown
    assert "p-2:" not in shown
    listed = json.loads(shell("pledge", "list", "--format", "json").stdout)
    said = {pledge["id"]: pledge["last"] for pledge in listed["pledges"]}
    assert said["p-1"]["scope"]["handed_in"] == 1
    assert said["p-2"] is None
    (attached,) = Register.open().evidence("p-1")
    assert attached.handed_in == 1
    assert replace(attached, handed_in=None).scope_json() == {
        k: v for k, v in said["p-1"]["scope"].items() if k != "handed_in"
    }
    assert "handed in" in shell("pledge", "show", "p-1").stdout
