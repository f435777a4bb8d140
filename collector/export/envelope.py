"""What every JSON document of ours says of itself, under one key that nothing else has.

    {"envelope": {"schema": "urn:hostpledge:output:verify:1", "version": "0.1.0",
                  "pledge": "demo-2026", "digest": "5f21…"}, …}

`version` is that of hostpledge; `pledge` and `digest` (of a bundle) say what the document is about,
and are null where it is about none. `schemas/envelope.schema.json` has its form.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from collector import __version__

KEY = "envelope"


@dataclass(frozen=True, slots=True)
class Identity:
    """Which pledge and which bundle something is about."""

    pledge: str | None = None
    digest: str | None = None

    def named(self) -> dict[str, str]:
        """Those of the two that there are."""
        found = {"pledge": self.pledge, "digest": self.digest}
        return {name: value for name, value in found.items() if value}


NOBODY = Identity()


def enveloped(
    kind: str, document: Mapping[str, Any], identity: Identity = NOBODY
) -> dict[str, Any]:
    """`document` with its envelope before it; `kind` is that of its schema id."""
    return {
        KEY: {
            "schema": kind if ":" in kind else f"urn:hostpledge:output:{kind}:1",
            "version": __version__,
            "pledge": identity.pledge,
            "digest": identity.digest,
        },
        **document,
    }


def as_json(
    kind: str, document: Mapping[str, Any], identity: Identity = NOBODY, *, indent: int = 1
) -> str:
    """The text of it, with a line end."""
    return json.dumps(enveloped(kind, document, identity), ensure_ascii=False, indent=indent) + "\n"
