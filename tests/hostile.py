"""One hostile word in every place of a bundle that somebody else fills, and what it must not do."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from collector import catalog
from collector.attest.bundle.evidence import PledgeReference
from collector.attest.keys.keys import PrivateKey
from collector.model import Waiver
from tests import bundles
from tests.signers import lie

# a line end, and what begins the line that the liar would write; what acts, turns and hides
HIDDEN = "\r\x1b[2J\u202e\u2066\u200b\u2028\x85\u3164\u2800\ufe0f"
WORD = f"w\nFORGED{HIDDEN}"
SEVERAL = "db-1, db-2, db-3"
AT = datetime.now(UTC).replace(microsecond=0)
RAW = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\u3164\u2800\ufe0f]"
)
_LINE = re.compile(r"^[\s|>*#│•·\-+]*FORGED", re.MULTILINE)


def fill(folder: Path) -> None:
    """A bundle `b`, its trust file `trust.json`, and its captures in `in`, put into the folder."""
    key = PrivateKey.generate()
    control = catalog.controls()["encryption.password_hash"]
    names = (f"h{WORD}", SEVERAL)
    hosts = [
        replace(bundles.unreachable(name), detail=f"d{WORD}", collected_at=AT) for name in names
    ]
    made, trust = bundles.make(
        folder, hosts, key, name="b", controls=[control], at=AT,
        pledge=PledgeReference("p1", 1, None), attached={f"a{WORD}": b"x"},
        waivers=[
            Waiver(control.id, name, f"r{WORD}", f"by{WORD}", AT + timedelta(days=9))
            for name in names
        ],
    )  # fmt: skip
    lie(made.path, key, _lied, absent=(f"absent{WORD}", "one, two"))
    (folder / "trust.json").write_bytes(trust.to_bytes())
    bundles.write(folder / "in", hosts)


def _lied(document: dict[str, Any]) -> None:
    """The word into each text that a signer may choose, and evidence still verifies."""
    for about in document["controls"].values():
        about["title"] = {"zh": f"t{WORD}", "en": f"t{WORD}"}
    for entry in document["hosts"].values():
        for finding in entry["findings"]:
            for name in ("message", "expected", "remediation"):
                finding[name] = {"zh": f"m{WORD}", "en": f"m{WORD}"}
            finding["values"] = {f"v{WORD}": f"v{WORD}"}


def clean(text: str, where: object) -> None:
    """Nothing in it acts, turns, hides, or begins a line that it should not."""
    text = text.replace("\r\n", "\n")  # as RFC 4180 ends a line
    acting = RAW.search(text)
    assert acting is None, (where, text[max(0, acting.start() - 200) : acting.end() + 80])
    forged = _LINE.search(text)
    assert forged is None, (where, text[max(0, forged.start() - 300) : forged.end() + 80])
