"""The verifier as one self-contained HTML page, for a browser with no network.

It checks what `verify` checks, but for what a browser cannot, which its headline names. Its parts
lie in `page/`; schemas and words are those that `verify` itself goes by.
"""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from typing import Any

from collector import __version__, catalog, releases
from collector.faults import documents
from collector.model import Text
from collector.releases import Release
from collector.resources import package_text

# in the order in which they stand in the page: what a file needs at once stands before it
LOGIC = (
    "bytes", "json", "schema", "zip", "keys", "sm2", "stamps", "envelope", "captures", "scope",
    "asked", "evidence", "hardened", "bundle",
)  # fmt: skip
SHOWN = ("shown", "unproven", "form")
# what a bundle is held to, and what these refer to
_SCHEMAS = (
    "capture", "evidence", "finding", "hardening", "predicate", "run", "sigstore-bundle",
    "statement", "trust",
)  # fmt: skip
_ID = "urn:hostpledge:schema:{}:1"
_RECORD = _ID.format("pledge-record")


def page() -> str:
    """The page. Its policy lets nothing run but its own script, and nothing load at all."""
    given = words()
    # a third of its size, and no address of any other place stands in the page
    known = json.dumps(given["releases"], ensure_ascii=False).encode()
    given["releases"] = base64.b64encode(zlib.compress(known, 9)).decode()
    style, script = package_text("verify/page/page.css"), source((*LOGIC, *SHOWN))
    parts = {
        "version": __version__,
        "style": style,
        "style_hash": _hash(style),
        "script": script,
        "script_hash": _hash(script),
        "words": json.dumps(given, ensure_ascii=False).replace("<", "\\u003c"),
    }
    text = package_text("verify/page/page.html")
    before, *pieces = text.split("{")
    whole = [before]
    for piece in pieces:
        name, rest = piece.split("}", 1)
        whole += [parts[name], rest]
    return "".join(whole)


def source(names: tuple[str, ...] = LOGIC) -> str:
    """The script of the page, or the part of it that needs no page."""
    return "\n".join(package_text(f"verify/page/{name}.js") for name in names)


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def words() -> dict[str, Any]:
    """What the script is given: names of verdicts and clauses, and the schemas."""
    verdicts = catalog.words()["verdict"]
    known = documents()
    return {
        "verdict": {id: {"zh": text.zh, "en": text.en} for id, text in verdicts.items()},
        "clauses": {
            id: {"number": entry["number"], **entry["title"]}
            for id, entry in catalog.clauses().items()
        },
        "schemas": {
            **{id: _bare(known[id]) for id in map(_ID.format, _SCHEMAS)},
            # of a record the page needs no more than what its id may be
            _RECORD: _bare({"$defs": {"id": known[_RECORD]["$defs"]["id"]}}),
        },
        "releases": {release.digest: _known(release) for release in releases.every()},
    }


def _known(release: Release) -> dict[str, Any]:
    """What bundles that name the release are held to, and the words that are its own."""
    return {
        "grades": _grades(release),
        "texts": {
            id: {
                "title": _pair(known.title),
                "criterion": {str(g): _pair(text) for g, text in known.criterion.items()},
                "remediation": {str(g): _pair(text) for g, text in known.remediation.items()},
                "messages": {name: _pair(text) for name, text in known.messages.items()},
            }
            for id, known in release.controls.items()
        },
        "reasons": {name: _pair(text) for name, text in release.reasons.items()},
    }


def _pair(text: Text) -> list[str]:
    return [text.zh, text.en]


def _grades(release: Release) -> dict[str, Any]:
    return {
        str(grade): {id: dict(known.weighs[grade]) for id, known in release.at(grade).items()}
        for grade in catalog.GRADES
    }


def _bare(schema: Any) -> Any:
    """Without what is for readers: `description` and `title` that are no names of members."""
    if isinstance(schema, list):
        return [_bare(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        name: _bare(one)
        for name, one in schema.items()
        if name != "$schema" and not (name in ("title", "description") and isinstance(one, str))
    }
