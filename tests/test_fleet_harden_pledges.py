"""`hostpledge harden -i register` on real hosts over SSH: two pledges that share one of them."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from collector.attest.trust.trust_file import load_trust
from collector.pledges.record.form import from_document
from collector.pledges.register.register import Register
from collector.verify import open_bundle, verify
from tests.fleet import Fleet
from tests.fleet.machine import why_not
from tests.pledges.records import example
from tests.run.conftest import hostpledge

pytestmark = pytest.mark.fleet

# small, and it changes something on a bare host
CONTROL = "intrusion.session_timeout"
PLEDGES = {"higher": (3, ["bare"]), "lower": (2, ["bare", "bare-12"])}


@pytest.fixture
def hosts(tmp_path: Path) -> Iterator[Fleet]:
    if reason := why_not():
        say = pytest.fail if os.environ.get("CI") else pytest.skip
        say(f"containers cannot run here: {reason}")
    names, prefix = ("bare", "bare-12"), f"pledges-{os.getpid()}"
    with Fleet(names, folder=tmp_path / "fleet", prefix=prefix) as running:
        yield running


def test_each_pledge_has_its_proof_of_one_hardening(
    hosts: Fleet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, out = tmp_path / "home", tmp_path / "out"
    home.mkdir()
    monkeypatch.setenv("HOSTPLEDGE_HOME", str(home))
    register = Register.open()
    for id, (grade, names) in PLEDGES.items():
        document = example(id=id, grade=grade, resources={"hosts": names})
        register.add(from_document(document, where="test"))
    words = ["harden", "-i", "register", "-i", str(hosts.inventory), "-o", str(out)]
    ended = hostpledge(*words, "--control", CONTROL, "--yes", timeout=600)
    assert ended.status == 0, ended.err + ended.out
    for name in hosts.hosts:
        settings = hosts.execute(name, "sshd", "-T").stdout.decode()
        assert "clientaliveinterval 0" not in settings
    trust = load_trust(home / "keys" / "trust.json")
    for id, (grade, names) in PLEDGES.items():
        place = out / "pledges" / id
        with open_bundle(place / "bundle") as opened:
            verify(opened, trust)
            assert opened.before is not None
            assert opened.frame["grade"] == grade
            sides = [
                {
                    host: next(f["verdict"] for f in entry["findings"] if f["control"] == CONTROL)
                    for host, entry in side.hosts()
                }
                for side in (opened.before, opened)
            ]
            (attached,) = register.evidence(id)
            assert attached.digest == opened.digest
        assert sides == [dict.fromkeys(names, "fail"), dict.fromkeys(names, "pass")]
        replayed = hostpledge("replay", str(place / "bundle"))
        assert replayed.status == 0, replayed.err
        assert (place / "report.html").is_file()
    told = json.loads((out / "result.json").read_text())["pledges"]
    assert all(entry["problem"] is None for entry in told.values())
