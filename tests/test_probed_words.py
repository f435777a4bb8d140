"""A probe's note behind a message is no word of the signer's: for `verify` and for the page."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType

import pytest

from collector import assess, captures
from collector.attest.bundle import making as bundle
from collector.attest.keys.keys import PrivateKey
from collector.model import Capture, Facts, ReadResult, ReadStatus, Value, Verdict
from collector.verify import open_bundle, verify
from collector.verify.webpage import page
from tests import bundles
from tests.browser import Page, browser, opened
from tests.test_webpage import told

KEY = PrivateKey.generate()
_CAPTURE = Path(__file__).parent / "captures" / "nightly-dump-trixie.capture.gz"

_PLANTED = f"/etc/tmpfiles.d/hostpledge-probe-{'0' * 16}.conf"

_RUN = "0" * 32
_AT = datetime(2026, 11, 25, 4, tzinfo=UTC)


def _run(taken: Capture) -> dict[str, object]:
    return {
        "schema": "urn:hostpledge:schema:run:1", "nonce": _RUN, "families": ["intrusion"],
        "started": "2026-11-25T00:00:00+00:00", "ended": None, "grade": 2,
        "script_sha256": captures.digest(bundles.script().encode()), "version": "0",
        "catalog_sha256": "0" * 64, "hosts": [taken.host],
    }  # fmt: skip


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    if browser() is None:
        pytest.skip("chromium is not installed")
    folder = tmp_path_factory.mktemp("browser")
    (folder / "page.html").write_text(page(), encoding="utf-8")
    with opened((folder / "page.html").as_uri(), folder) as found:
        yield found


def _probed() -> Capture:
    taken = captures.load(_CAPTURE)
    lines = ["hostpledge-probe 1", "probe integrity", f"nonce {'0' * 16}"]
    lines += ["begun 2026-11-25T04:00:00.000+00:00", f"host planted {_PLANTED}", "host rc 1"]
    lines += [f"host named f+++: {_PLANTED}", "== end", ""]
    # what a probe recorded counts in what a run collected
    read = ReadResult("probe.integrity", ReadStatus.OK, stdout="\n".join(lines).encode())
    return replace(taken, reads=MappingProxyType({**taken.reads, read.id: read}))


@pytest.mark.parametrize("kind", ["theirs", "forged"])
def test_a_probes_note_is_the_releases_word(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    if kind == "forged":
        # behind a finding that quotes no recording it is a word of the signer's own
        monkeypatch.setattr(assess, "by_probes", _forged)
    taken = _probed() if kind == "theirs" else captures.load(_CAPTURE)
    made, trust = bundles.make(
        tmp_path, [bundles.collected(taken, _RUN, _AT)], KEY, run=_run(taken)
    )
    said = json.loads((made.path / "data" / "evidence.json").read_text())
    (entry,) = said["hosts"].values()
    messages = {f["control"]: f["message"]["en"] for f in entry["findings"]}
    wanted = "by the probe integrity" if kind == "theirs" else "(all is well)"
    assert wanted in messages["intrusion.file_integrity"]
    with open_bundle(made.path) as one:
        found = verify(one, trust)
    expected = [] if kind == "theirs" else ["intrusion.file_integrity message"]
    assert list(found.strange) == expected
    shown: Page = request.getfixturevalue("shown")
    (tmp_path / "t.json").write_bytes(trust.to_bytes())
    bundle.pack(made.path, tmp_path / "b.zip")
    text = told(shown, tmp_path / "b.zip", (tmp_path / "t.json").read_text())[1]
    assert ("not those of the release" in text) == bool(expected)


def _forged(control: str, verdict: Verdict, facts: Facts) -> Verdict:
    """As a signer would who changed the program."""
    del facts
    if control != "intrusion.file_integrity":
        return verdict
    note: dict[str, Value] = {"probed_en": "all is well", "probed_zh": "一切正常"}
    return replace(verdict, values={**verdict.values, **note})
