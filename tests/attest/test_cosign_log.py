"""cosign verifies a bundle with its log entry: no network, no insecure flag."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests import bundles
from tests.attest.shell import Shell
from tests.tsa import Tsa

ROOT = Path(__file__).parents[2]
TYPE = "urn:hostpledge:predicate:evidence:1"
pytestmark = pytest.mark.skipif(shutil.which("cosign") is None, reason="cosign is not installed")


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """A register with three bundles; what the auditor gets of the second lies beside it."""
    shell = Shell(tmp_path_factory.mktemp("register"))
    tsa = Tsa(shell.folder / "tsa")
    shell("key", "new")
    shell("key", "authority", str(tsa.root), "--name", "test")
    shell("pledge", "add", str(ROOT / "examples" / "pledge.yml"))
    with tsa.served() as url:
        for number, host in enumerate("abc", 1):
            bundles.write(shell.folder / f"in{number}", [bundles.unreachable(host)])
            words = ["bundle", f"in{number}", "-o", f"b{number}", "--pledge", "demo-2026"]
            shell(*words, *(["--tsa", url] if number == 2 else []))
            shell("pledge", "attach", "demo-2026", f"b{number}")
    shell("register", "prove", "demo-2026", "2", "--sigstore", "-o", "b.json")
    shell("key", "trust", "--sigstore", "-o", "root.json")
    shell("key", "trust", "-o", "trust.json")
    trust = json.loads((shell.folder / "trust.json").read_text())
    (shell.folder / "pub").write_text(trust["keys"][0]["pem"])
    return shell


def cosign(
    folder: Path, *more: str, bundle: str = "b.json", blob: str = "b2/data/evidence.json"
) -> int:
    command = [
        "cosign", "verify-blob-attestation", "--key", "pub", "--bundle", bundle,
        "--new-bundle-format", "--trusted-root", "root.json", "--type", TYPE, *more, blob,
    ]  # fmt: skip
    alone = ["unshare", "-rn", *command]
    done = subprocess.run(alone, cwd=folder, capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr
    return done.returncode


def test_cosign_verifies_it_with_no_network_and_no_insecure_flag(ready: Shell) -> None:
    for more in ((), ("--use-signed-timestamps",)):
        assert cosign(ready.folder, *more) == 0
    assert cosign(ready.folder, blob="b1/data/evidence.json") != 0
    # without its entry it does not
    assert cosign(ready.folder, bundle="b2/data/bundle.sigstore.json") != 0


def test_the_other_entries_have_proofs_too(ready: Shell) -> None:
    for number in (1, 3):
        ready("register", "prove", "demo-2026", str(number), "--sigstore", "-o", f"o{number}")
        blob = f"b{number}/data/evidence.json"
        assert cosign(ready.folder, bundle=f"o{number}", blob=blob) == 0


def _entry(change: Callable[[dict[str, Any]], None]) -> Callable[[Shell], str]:
    def act(shell: Shell) -> str:
        document = json.loads((shell.folder / "b.json").read_text())
        change(document["verificationMaterial"]["tlogEntries"][0])
        (shell.folder / "changed.json").write_text(json.dumps(document))
        return "changed.json"

    return act


def _other_entry(shell: Shell) -> str:
    shell("register", "prove", "demo-2026", "3", "--sigstore", "-o", "third.json")
    documents = [json.loads((shell.folder / name).read_text()) for name in ("b.json", "third.json")]
    mine, other = (document["verificationMaterial"] for document in documents)
    mine["tlogEntries"] = other["tlogEntries"]
    (shell.folder / "changed.json").write_text(json.dumps(documents[0]))
    return "changed.json"


def _checkpoint(entry: dict[str, Any]) -> None:
    note = entry["inclusionProof"]["checkpoint"]
    note["envelope"] = note["envelope"].replace("\n4\n", "\n5\n", 1)


def _body(entry: dict[str, Any]) -> None:
    text = base64.b64decode(entry["canonicalizedBody"]).replace(b'"0.0.1"', b'"0.0.1" ')
    entry["canonicalizedBody"] = base64.b64encode(text).decode()


@pytest.mark.parametrize(
    "change",
    [
        _entry(lambda e: e["inclusionProof"].update(hashes=[])),
        _entry(lambda e: e["inclusionProof"].update(rootHash=base64.b64encode(b"x" * 32).decode())),
        _entry(_checkpoint),
        _entry(lambda e: e.update(integratedTime="1000000000")),
        _entry(lambda e: e.update(inclusionPromise=None)),
        _entry(_body),
        _other_entry,
    ],
    ids=["hashes", "root", "checkpoint", "time", "no SET", "body", "another entry"],
)
def test_cosign_refuses_an_entry_that_was_changed(
    change: Callable[[Shell], str], ready: Shell
) -> None:
    assert cosign(ready.folder, bundle=change(ready)) != 0


def test_another_log_does_not_count(ready: Shell) -> None:
    ready("key", "new", "--name", "other")
    ready("register", "prove", "demo-2026", "2", "--sigstore", "-o", "o.json", "--key", "other")
    assert cosign(ready.folder, bundle="o.json") != 0
    ready("key", "new", "--name", "ed", "--type", "ed25519")
    words = ["register", "prove", "demo-2026", "2", "--sigstore", "--key", "ed"]
    assert "cosign takes a log by a P-256 key only" in ready(*words, status=2)
