"""Microsoft Defender for Endpoint on Linux, as its own command tells.

`mdatp health`, `mdatp exclusion list` and `mdatp scan list --output json` (Microsoft's "Resources
for Defender for Endpoint on Linux"). What its lists look like is not laid down by its maker: a
line in another form is not understood.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime

from collector.errors import NotUnderstood
from collector.facts.base.redaction import REPORTED
from collector.i18n.message import msg
from collector.model import Capture, Read, Text, shell

READS: tuple[Read, ...] = (
    shell(
        "defender.state",
        r"""
command -v mdatp >/dev/null 2>&1 || exit 0
echo '== health'
mdatp health 2>&1 | grep -E '^(healthy|real_time_protection_|passive_mode_|ERROR)'
echo '== exclusions'; mdatp exclusion list 2>&1
echo '== scans'; mdatp scan list --output json 2>&1
echo '== end'
""",
        seconds=30,
        limit=1 << 17,
        redact=REPORTED,
        why=Text(
            "Defender 的实时防护、排除项与扫描记录",
            "real-time protection, exclusions and scans of Defender",
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class Exclusion:
    """What Defender leaves out: `kind` is folder, file, extension or process."""

    kind: str
    what: str


@dataclass(frozen=True, slots=True)
class DefenderScan:
    """One scan that came to its end (aware, UTC)."""

    full: bool
    ended: datetime
    threats: int


@dataclass(frozen=True, slots=True)
class Defender:
    """The three parts of the answer; each is parsed when asked for, and fails by itself."""

    health: str
    exclusion_text: str
    scan_text: str

    def flag(self, name: str) -> bool:
        """A line of `mdatp health`. Raises NotUnderstood when it says neither true nor false."""
        match = re.search(rf"^{name}\s*:\s*(true|false)\b", self.health, re.MULTILINE)
        if match is None:
            raise NotUnderstood(
                "defender.state", msg("no_in", name=name, health=self.health.strip()[:120])
            )
        return match[1] == "true"

    @property
    def exclusions(self) -> tuple[Exclusion, ...]:
        """Raises NotUnderstood when the list has a form that is not known."""
        found: list[Exclusion] = []
        kind = ""
        # where nothing is left out it says so
        if not self.exclusion_text.strip():
            raise NotUnderstood("defender.state", msg("list_exclusions_empty"))
        for line in self.exclusion_text.splitlines():
            text = line.strip()
            if not text or set(text) <= {"=", "-"} or re.match(r"(?i)no exclusions", text):
                continue
            if match := re.fullmatch(r"(?i)excluded (folder|file|extension|process)", text):
                kind = match[1].lower()
            elif match := re.fullmatch(
                r'(?i)(path|extension|process name|name):\s*"?(.*?)"?', text
            ):
                if not kind:
                    raise NotUnderstood("defender.state", msg("exclusion_no_kind", text=text))
                found.append(Exclusion(kind, match[2]))
            elif not re.match(r"(?i)(exclusion )?scopes?:", text):
                raise NotUnderstood("defender.state", msg("not_exclusion", text=text))
        return tuple(found)

    @property
    def scans(self) -> tuple[DefenderScan, ...]:
        """Scans that came to their end. Raises NotUnderstood when this is no such list."""
        try:
            entries = json.loads(self.scan_text or "[]")
            return tuple(
                DefenderScan(
                    str(entry["type"]).lower() == "full",
                    datetime.fromtimestamp(int(entry["endTime"]) / 1000, UTC),
                    len(entry.get("threats") or []),
                )
                for entry in entries
                if str(entry["state"]).lower() in ("succeeded", "success")
            )
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError, OSError):
            text = self.scan_text.strip()[:120]
            raise NotUnderstood("defender.state", msg("no_list_scans", text=text)) from None


def defender(capture: Capture) -> Defender | None:
    """None when there is no mdatp. Raises FactError when it gave no whole answer."""
    text = capture.read("defender.state").text()
    if not text.strip():
        return None
    match = re.fullmatch(
        r"== health\n(.*?)== exclusions\n(.*?)== scans\n(.*?)== end\s*", text, re.DOTALL
    )
    if match is None:
        raise NotUnderstood("defender.state", msg("not_understood", line=text.strip()[:120]))
    return Defender(match[1], match[2], match[3])
