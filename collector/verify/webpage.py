"""The verifier as one self-contained HTML page, for a browser with no network.

It checks less than `verify` does, and says so: digests of all files, the P-256 or Ed25519
signature of a key that its reader pins, and that statement and files agree.
"""

from __future__ import annotations

import base64
import hashlib
import json

from collector import __version__, catalog
from collector.resources import package_text


def page() -> str:
    """The page. Its policy lets nothing run but its own script, and nothing load at all."""
    style, script = package_text("verify/webpage.css"), package_text("verify/webpage.js")
    parts = {
        "version": __version__,
        "style": style,
        "style_hash": _hash(style),
        "script": script,
        "script_hash": _hash(script),
        "words": json.dumps(_words(), ensure_ascii=False).replace("<", "\\u003c"),
    }
    text = package_text("verify/webpage.html")
    before, *pieces = text.split("{")
    whole = [before]
    for piece in pieces:
        name, rest = piece.split("}", 1)
        whole += [parts[name], rest]
    return "".join(whole)


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _words() -> dict[str, object]:
    verdicts = catalog.words()["verdict"]
    return {
        "verdict": {id: {"zh": text.zh, "en": text.en} for id, text in verdicts.items()},
        "clauses": {
            id: {"number": entry["number"], **entry["title"]}
            for id, entry in catalog.clauses().items()
        },
    }
