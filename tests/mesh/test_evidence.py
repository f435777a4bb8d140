"""What a signed statement says of mesh nodes, what verify tells of it, and what it refuses."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from collector import catalog
from collector.attest.envelope import statement
from collector.attest.keys.keys import PrivateKey
from collector.errors import BadInput, VerifyFailed
from collector.model import Capture, HostStatus
from collector.script import host_nonce, script_digest
from collector.verify import open_bundle, verify
from tests import bundles
from tests.browser import browser
from tests.run.conftest import hostpledge
from tests.test_webpage import KEYS, made, shown, told, trust, zipped

__all__ = ["made", "shown"]
KEY = PrivateKey.generate("ed25519").keyid
RUN = "a" * 32
CONTROLS = [catalog.control("monitoring.time_sync")]
WORKER = {"node": "bj-1", "key": KEY}


def _capture(host: str) -> Capture:
    """Of a host that answered, and returned nothing: what it is judged to be is no matter here."""
    at = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=5)
    machine = hashlib.sha256(host.encode()).hexdigest()
    return Capture(
        host, HostStatus.COMPLETE, nonce="c" * 32, head={"machine": machine}, collected_at=at
    )


def _made(folder: Path, **more: Any) -> Any:
    """Three hosts of one run: two by a node, one from here."""
    at = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=5)
    found = []
    for host in ("web-1", "web-2", "web-3"):
        one = _capture(host)
        origin = {"transport": "ansible-ssh", "run": RUN, "clock": at.isoformat()}
        one = replace(one, nonce=host_nonce(RUN, host), origin=origin)
        by = {} if host == "web-3" else {"worker": WORKER}
        found.append(replace(one, origin={**one.origin, **by}))
    run = {
        "schema": "urn:hostpledge:schema:run:1", "nonce": RUN, "started": at.isoformat(),
        "ended": None, "families": ["monitoring"], "grade": 2,
        "script_sha256": script_digest(bundles.script()),
        "catalog_sha256": "0" * 64, "version": "0", "hosts": ["web-1", "web-2", "web-3"],
    }  # fmt: skip
    return bundles.make(folder, found, KEYS["ed25519"], run=run, controls=CONTROLS, **more)


def test_the_statement_names_each_node_and_its_key(tmp_path: Path) -> None:
    answer, trusted = _made(tmp_path)
    with open_bundle(answer.path) as opened:
        assert opened.said["workers"] == [{**WORKER, "hosts": 2}]
        found = verify(opened, trusted)
    said = [text.en for text in found.unproven if "mesh nodes" in text.en]
    assert said == [
        f"2 host(s) were collected from by mesh nodes, and not by the signer: bj-1 {KEY}. That "
        "these hosts answered so is the nodes' word, by their keys."
    ]
    assert any("网格节点" in text.zh for text in found.unproven)


@pytest.mark.parametrize(
    "other",
    [None, [{**WORKER, "hosts": 3}], [{"node": "sh-1", "key": KEY, "hosts": 2}]],
    ids=["none", "another count", "another node"],
)
def test_a_statement_that_says_another_node_does_not_verify(
    tmp_path: Path, other: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = statement.predicate

    def lied(*given: Any) -> dict[str, Any]:
        found = real(*given)
        del found["workers"]
        return found | ({} if other is None else {"workers": other})

    monkeypatch.setattr(statement, "predicate", lied)
    answer, trusted = _made(tmp_path)
    with open_bundle(answer.path) as opened, pytest.raises(VerifyFailed, match="another workers"):
        verify(opened, trusted)


def test_what_was_handed_in_claims_a_node_and_no_more(tmp_path: Path) -> None:
    one = _capture("web-1")
    claimed = replace(one, origin={"transport": "ansible-ssh", "run": RUN, "worker": WORKER})
    answer, trusted = bundles.make(tmp_path, [claimed], KEYS["ed25519"], controls=CONTROLS)
    with open_bundle(answer.path) as opened:
        assert "workers" not in opened.said
        assert opened.said["handed_in"] == 1
        assert verify(opened, trusted).handed_in == 1
        assert opened.host("web-1")["origin"]["claimed"]["worker"] == WORKER


def test_an_origin_of_another_form_is_no_capture(tmp_path: Path) -> None:
    one = replace(_capture("web-1"), origin={"worker": {"node": "<b>", "key": "x"}})
    with pytest.raises(BadInput):
        bundles.make(tmp_path, [one], KEYS["ed25519"], controls=CONTROLS)


def test_the_report_says_by_which_node(tmp_path: Path) -> None:
    answer, _ = _made(tmp_path)
    done = hostpledge(
        "report", str(answer.path), "--html", str(tmp_path / "r.html"), "--lang", "en"
    )
    assert done.status == 0, done.err
    text = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert text.count(f"Collected by the node</dt><dd><bdi>bj-1</bdi> <code>{KEY}</code>") == 2


@pytest.mark.skipif(browser() is None, reason="chromium is not installed")
def test_the_page_says_it_as_well(shown: Any, tmp_path: Path) -> None:
    answer, _ = _made(tmp_path)
    _, said = told(shown, zipped(answer.path, tmp_path / "b.zip"), trust())
    assert "Verified" in said
    assert re.search(rf"2 host\(s\) were collected from by mesh nodes.*bj-1 {re.escape(KEY)}", said)


@pytest.mark.skipif(browser() is None, reason="chromium is not installed")
def test_the_page_refuses_what_verify_refuses(
    shown: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = statement.predicate

    def lied(*given: Any) -> dict[str, Any]:
        return real(*given) | {"workers": [{**WORKER, "hosts": 1}]}

    monkeypatch.setattr(statement, "predicate", lied)
    answer, _ = _made(tmp_path)
    _, said = told(shown, zipped(answer.path, tmp_path / "b.zip"), trust())
    assert "another workers" in said
    assert json.loads((answer.path / "data" / "evidence.json").read_bytes())["hosts"]
