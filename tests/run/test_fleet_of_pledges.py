"""`run` and `collect -i register`: one run over many pledges, with a real sshd on loopback."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click
import pyrage
import pytest

from collector import reaching
from collector.attest.trust.trust_file import load_trust
from collector.cli.app import hostpledge as program
from collector.errors import BadInput
from collector.pledges.record.form import PledgeRecord, from_document
from collector.pledges.register.register import Register
from collector.run.collected.run_folder import RunFolder
from collector.verify import Bundle, open_bundle, verify
from tests.pledges.records import example
from tests.run.conftest import Ran, Sshd, hostpledge

# two pledges share a host, one has a host that is down and one that is no name for Ansible;
# lone is under no pledge
PLEDGES: Mapping[str, tuple[int, str, tuple[str, ...]]] = {
    "yunfan-2026": (3, "杭州示例云帆科技有限公司", ("web-01", "shared-01")),
    "dianchi.2026": (2, "云南示例（昆明）有限公司", ("shared-01", "down-01", "w[1:2]")),
    "draft-2026": (3, "未签署公司", ("never-01",)),
}
FAMILY = ("--family", "encryption")


def _record(id: str, **changes: Any) -> dict[str, Any]:
    grade, name, hosts = PLEDGES[id]
    document = example(
        id=id,
        grade=grade,
        customer={"name": name, "kind": "unit", "credit_code": "91330106MA0DEM2670"},
        resources={"hosts": list(hosts)},
        **({"draft": True, "documents": []} if id.startswith("draft") else {}),
    )
    return document | changes


def _older(document: dict[str, Any]) -> PledgeRecord:
    """One of its hosts has a name that is refused today; registers that took it are still read."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(reaching, "wrong_declared", lambda _: "")
        return from_document(document, where="test")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOSTPLEDGE_HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    register = Register.open()
    for id in PLEDGES:
        register.add(_older(_record(id)))
    return tmp_path / "home"


@pytest.fixture
def hosts(sshd: Sshd, tmp_path: Path) -> Path:
    """The provider's inventory of how to connect: one of the hosts does not let us in."""
    file = tmp_path / "hosts.ini"
    lines = [sshd.line(name, "well") for name in ("web-01", "shared-01", "lone")]
    file.write_text("".join([*lines, sshd.line("down-01", "stranger")]))
    return file


def _run(hosts: Path, out: Path, *words: str) -> Ran:
    return hostpledge("run", "-i", "register", "-i", str(hosts), "-o", str(out), *FAMILY, *words)


def _bundles(home: Path, out: Path) -> Iterator[tuple[str, Bundle]]:
    trust = load_trust(home / "keys" / "trust.json")
    for place in sorted((out / "pledges").iterdir()):
        with open_bundle(place / "bundle") as opened:
            verify(opened, trust)
            yield place.name, opened


def test_one_run_makes_evidence_for_each_pledge(home: Path, hosts: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    identity = pyrage.x25519.Identity.generate()
    ran = _run(hosts, out, "--encrypt-to", str(identity.to_public()))
    assert ran.status == 1, ran.err
    found: dict[str, tuple[int, dict[str, str]]] = {}
    for name, opened in _bundles(home, out):
        frame = opened.frame
        found[name] = frame["grade"], {h: e["status"] for h, e in opened.hosts()}
        # a customer's evidence says nothing of the others' hosts
        assert sorted(frame["run"]["hosts"]) == sorted(found[name][1])
        if name.startswith("_"):
            assert frame["pledge"] is None
        else:
            assert frame["pledge"] == {"id": name, "sequence": 1, "previous": None}
            (attached,) = Register.open().evidence(name)
            assert attached.digest == opened.digest
        report = (out / "pledges" / name / "report.html").read_text(encoding="utf-8")
        assert ('id="standings"' in report) is (not name.startswith("_"))
        packed = out / "pledges" / name / "bundle.zip.age"
        assert pyrage.decrypt(packed.read_bytes(), [identity]).startswith(b"PK")
    assert found == {
        "_no-pledge": (2, {"lone": "complete"}),
        "dianchi.2026": (2, {"shared-01": "complete", "down-01": "auth_refused"}),
        "yunfan-2026": (3, {"web-01": "complete", "shared-01": "complete"}),
    }
    # each host was asked once, though two pledges name it
    asked = [json.loads(line)["host"] for line in (out / "journal.jsonl").read_text().splitlines()]
    assert sorted(asked) == ["down-01", "lone", "shared-01", "web-01"]
    assert "down-01 (" in ran.out
    assert "declared, not looked at: w[1:2]" in ran.out
    assert "w[1:2]: to Ansible or ssh this name is an option, a range or a port" in ran.err
    result = json.loads((out / "result.json").read_text())
    assert result["pledges"]["dianchi.2026"]["not_looked_at"] == ["w[1:2]"]
    assert result["pledges"]["yunfan-2026"]["sequence"] == 1
    # one sshd answered for all of them, and whoever attaches by hand is told as much
    same = {
        (t["host"], t["pledge"], t["as"]) for t in result["pledges"]["yunfan-2026"]["same_machine"]
    }
    assert ("web-01", "dianchi.2026", "shared-01") in same
    said = " ".join(ran.out.split())
    assert "web-01 is the same as shared-01 of pledge dianchi.2026 (evidence 1)" in said
    assert "shared-01 is the same as web-01 of pledge yunfan-2026 (evidence 1)" in said


@pytest.mark.parametrize("name", ["all", "_meta", "ungrouped", "due", "pledge_yunfan_2026"])
def test_a_name_of_a_group_takes_nobody_else_s_hosts(
    hosts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """A register from before has it: the others are looked at, and its pledge is not done."""
    monkeypatch.setenv("HOSTPLEDGE_HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    register = Register.open()
    register.add(from_document(_record("yunfan-2026"), where="test"))
    evil = _record("dianchi.2026", resources={"hosts": [name]})
    register.add(_older(evil))
    ran = _run(hosts, tmp_path / "out")
    assert ran.status == 2, ran.err
    assert f"{name}: to Ansible or ssh this name is" in ran.err
    assert f"dianchi.2026: not done: none of its hosts could be asked: {name}" in ran.err
    assert "evidence attached to 1 pledge(s), 4 host(s); 1 not done" in ran.out
    assert {id: len(e) for id, e in register.all_evidence().items()} == {"yunfan-2026": 1}
    alone = _run(hosts, tmp_path / "alone", "--pledge", "dianchi.2026")
    assert (alone.status, "none of its hosts could be asked" in alone.err) == (2, True)


def test_limit_due_and_retry(home: Path, hosts: Path, sshd: Sshd, tmp_path: Path) -> None:
    out = tmp_path / "out"
    # a group by the customer's name, in Chinese
    ran = _run(hosts, out, "--limit", "customer_云南示例_昆明_有限公司", "--due")
    assert ran.status == 1, ran.err
    # web-01 was not asked; the pledge that shares a host has evidence of that one
    register = Register.open()
    assert {id: len(e) for id, e in register.all_evidence().items()} == {
        "dianchi.2026": 1,
        "yunfan-2026": 1,
    }
    assert "declared, not looked at: web-01" in ran.out
    # the host is up now: only it is asked, and only its pledge has evidence again
    hosts.write_text(hosts.read_text().replace(f"{sshd.folder}/stranger", f"{sshd.folder}/well"))
    ran = _run(hosts, out, "--limit", "customer_云南示例_昆明_有限公司", "--due", "--retry")
    assert ran.status in (0, 1), ran.err
    first, second = register.evidence("dianchi.2026")
    assert second.previous == first.digest
    assert len(register.evidence("yunfan-2026")) == 1
    statuses = {
        name: [entry["status"] for _, entry in opened.hosts()]
        for name, opened in _bundles(home, out)
    }
    assert statuses == {"dianchi.2026": ["complete"] * 2, "yunfan-2026": ["complete"]}
    lines = (out / "journal.jsonl").read_text().splitlines()
    assert [json.loads(line)["host"] for line in lines].count("shared-01") == 1


def test_what_looked_at_a_part_leaves_the_check_due(
    hosts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOSTPLEDGE_HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    Register.open().add(from_document(_record("yunfan-2026"), where="test"))
    given = ("run", "-i", "register", "-i", str(hosts), "--due")
    for name, words in (("part", FAMILY), ("whole", ())):
        ran = hostpledge(*given, "-o", str(tmp_path / name), *words)
        assert ran.status == 1, ran.err
    again = hostpledge(*given, "-o", str(tmp_path / "again"))
    assert (again.status, again.out) == (0, "no check of a pledge is due\n")
    assert not (tmp_path / "again").exists()
    part, whole = Register.open().evidence("yunfan-2026")
    assert (part.whole, whole.whole) == (False, True)


def test_one_that_cannot_be_attached_keeps_no_other_back(
    home: Path, hosts: Path, tmp_path: Path
) -> None:
    """Its customer moved to grade 3 while the run was on; the same command then ends it."""
    out = tmp_path / "out"
    words = ("--limit", "web-01,shared-01")
    assert _run(hosts, out, *words).status in (0, 1)
    # as it is when all was collected, and nothing attached yet
    RunFolder.open(out).reopen()
    for name in ("dianchi.2026", "yunfan-2026"):
        (out / "pledges" / name / "bundle").rename(tmp_path / name)
    register = Register.open()
    higher = _older(_record("dianchi.2026") | {"grade": 3})
    register.add(higher, update=True)
    ran = _run(hosts, out, *words)
    assert ran.status == 2
    assert "dianchi.2026: not done: " in ran.err
    assert "evidence attached to 1 pledge(s)" in ran.out
    assert _result(out)["dianchi.2026"]["problem"]
    assert len(register.evidence("yunfan-2026")) == 2
    assert len(register.evidence("dianchi.2026")) == 1
    register.add(_older(_record("dianchi.2026")), update=True)
    ran = _run(hosts, out, *words)
    assert ran.status in (0, 1), ran.err
    assert len(register.evidence("yunfan-2026")) == 2
    assert len(register.evidence("dianchi.2026")) == 2


def _result(out: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((out / "result.json").read_text())["pledges"]
    return found


def test_killed_in_the_middle_the_same_command_ends_it(
    home: Path, hosts: Path, tmp_path: Path
) -> None:
    """kill -9 as soon as the first of the pledges has its evidence."""
    out = tmp_path / "out"
    words = ["run", "-i", "register", "-i", str(hosts), "-o", str(out), *FAMILY, "--due"]
    process = subprocess.Popen(
        [sys.executable, "-m", "collector", *words],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        stdin=subprocess.DEVNULL,
    )
    register = Register.open()
    until = time.monotonic() + 120
    while not register.all_evidence():
        assert process.poll() is None
        assert time.monotonic() < until
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.wait()
    seen = {id: [e.digest for e in attached] for id, attached in register.all_evidence().items()}
    # what is attached is not due any more, and still part of the run that was begun
    ran = hostpledge(*words)
    assert ran.status == 1, ran.err
    after = {id: [e.digest for e in attached] for id, attached in register.all_evidence().items()}
    assert sorted(after) == ["dianchi.2026", "yunfan-2026"]
    assert all(len(digests) == 1 for digests in after.values())
    assert all(after[id] == digests for id, digests in seen.items())
    assert sorted(name for name, _ in _bundles(home, out)) == sorted(after)
    assert sorted(_result(out)) == sorted(after)


def test_collecting_takes_the_hosts_of_pledges_and_attaches_nothing(
    home: Path, hosts: Path, tmp_path: Path
) -> None:
    out, register = tmp_path / "out", Register.open()
    words = ["collect", "-i", "register", "-i", str(hosts), "-o", str(out), *FAMILY]
    ran = hostpledge(*words, "--pledge", "dianchi.2026")
    assert ran.status == 1, ran.err
    assert "1 of 2 hosts gave a whole capture" in ran.out
    about = json.loads((out / "run.json").read_text())
    assert (about["hosts"], about["grade"]) == (["shared-01", "down-01"], 2)
    assert len(list((out / "captures").iterdir())) == 2
    assert not register.all_evidence()
    # another collecting, of all there is, is at the highest grade and asks each host once
    ran = hostpledge(*words, "--due", "--limit", "web-01,shared-01")
    assert ran.status == 0, ran.err
    about = json.loads((out / "run.json").read_text())
    assert (sorted(about["hosts"]), about["grade"]) == (["shared-01", "web-01"], 3)
    assert (out / "earlier").is_dir()
    assert not register.all_evidence()
    # both customers' hosts lie there: evidence of one of them says nothing of the other's
    made = tmp_path / "made"
    key = hostpledge("key", "new")
    assert key.status == 0, key.err
    ran = hostpledge("bundle", str(out), "-o", str(made), "--pledge", "dianchi.2026")
    assert ran.status == 0, ran.err
    with open_bundle(made) as opened:
        verify(opened, load_trust(home / "keys" / "trust.json"))
        assert opened.frame["grade"] == 2
        assert opened.frame["run"]["hosts"] == ["shared-01"] == [name for name, _ in opened.hosts()]
    ran = hostpledge("pledge", "attach", "dianchi.2026", str(made))
    assert ran.status == 0, ran.err
    register.add(_older(_record("dianchi.2026") | {"id": "other-1"}))
    ran = hostpledge("bundle", str(out), "-o", str(tmp_path / "none"), "--pledge", "other-1")
    assert (ran.status, ran.out) == (2, "")
    assert "holds no host of the pledge other-1" in ran.err
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("-i", "hosts.ini", "--due"), "--due goes with -i register"),
        (("-i", "register:/nowhere/r.sqlite"), "/nowhere/r.sqlite"),
        (("-i", "register", "--grade", "2"), "yunfan-2026 is of grade 3"),
        (("-i", "register", "--pledge", "draft-2026"), "draft-2026 is not in force"),
        (("-i", "register:a", "-i", "register:b"), "more than one register"),
    ],
)
def test_what_cannot_work_is_said_before_anything_is_done(
    words: tuple[str, ...],
    says: str,
    home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    for command in ("run", "collect"):
        with pytest.raises((BadInput, click.UsageError)) as refused:
            program.main([command, *words, "-o", "out"], standalone_mode=False)
        assert says in str(refused.value)
        assert not (tmp_path / "out").exists()
