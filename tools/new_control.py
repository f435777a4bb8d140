"""`make new-control NAME=family.name [ROOM=room]`: the files of a new control, ready to be filled.

Its facts go into ROOM, a folder of `collector/facts/`; by default the one that its family has most
to do with.

What it makes is red on purpose: the judge says `error`, and the cases want more.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from collector.catalog import FAMILIES

ROOT = Path(__file__).parents[1]
CLAUSES = dict.fromkeys(("antivirus", "firewall", "intrusion"), "2.2")
CLAUSES |= dict.fromkeys(("logging", "monitoring"), "2.3")
CLAUSES |= dict.fromkeys(("classification", "backup", "encryption"), "2.4")
ROOMS = {
    "antivirus": "security",
    "firewall": "firewall",
    "intrusion": "access",
    "logging": "logs",
    "monitoring": "monitoring",
    "classification": "data",
    "backup": "backup",
    "encryption": "storage",
}
LETTERS = {"2.2": "I", "2.3": "L", "2.4": "D"}

METADATA = """number: {letter}99
clause: "{clause}"
title:
  zh: 标题
  en: Title
about:
  zh: 为什么要看它。
  en: Why it is looked at.
criterion:
  zh: 什么样才算符合
  en: what counts as satisfied
severity: medium
facts: [{room}.{facts}]
messages:
  good:
    zh: 所见符合要求
    en: what was seen is as it should be
  bad:
    zh: 所见不符合要求
    en: what was seen is not as it should be
remediation:
  zh: 怎么整改
  en: what to do
harden:
  person:
    zh: 要由人做什么，为什么不自动做
    en: what a person has to do, and why it is not done for them
mappings:
  mlps_2: "-"
  mlps_3: "-"
  gbt28448_3: "-"
  cis_v8: "-"
  nist_800_53r5: "-"
"""

JUDGE = '''"""{id}: one sentence that says when it is satisfied."""

from __future__ import annotations

from collector.errors import NotUnderstood
from collector.facts.{room}.{facts} import READS
from collector.model import Clock, Facts, Parameters, Verdict


def judge(facts: Facts, parameters: Parameters, clock: Clock) -> Verdict:
    """Pure: the capture's facts, the control's numbers and the clock decide, nothing else."""
    raise NotUnderstood(READS[0].id, "this judge is not written")
'''

FACTS = '''"""One sentence: what of the host this is, and in which format it comes."""

from __future__ import annotations

from collector.model import Read, Text, files

READS: tuple[Read, ...] = (
    files("{facts}.file", "/etc/{facts}.conf", why=Text("为什么读", "why it is read")),
)
'''

CASE = """source: where this was seen (distribution, version, recorded or from which document)
reads:
  {read}:
    files:
      - path: /etc/{facts}.conf
        data: |
          as it was there
expect:
  reason: {reason}
"""


def main(arguments: list[str]) -> int:
    """Exit status 0 when the files were made, 2 when the name cannot be used."""
    if len(arguments) not in (1, 2) or not re.fullmatch(r"[a-z]+\.[a-z][a-z0-9_]*", arguments[0]):
        print("usage: make new-control NAME=family.name [ROOM=room]", file=sys.stderr)
        return 2
    family, name = arguments[0].split(".")
    if family not in FAMILIES:
        print(f"no family is named {family}: one of {', '.join(FAMILIES)}", file=sys.stderr)
        return 2
    room = arguments[1] if len(arguments) == 2 else ROOMS[family]
    if not (ROOT / "collector/facts" / room.replace(".", "/") / "__init__.py").exists():
        known = sorted(p.parent.name for p in (ROOT / "collector/facts").glob("*/__init__.py"))
        print(f"no room of facts is named {room}: one of {', '.join(known)}", file=sys.stderr)
        return 2
    made = files_of(family, name, room)
    taken = [path for path in made if (ROOT / path).exists() and "/facts/" not in str(path)]
    if taken:
        print(f"{taken[0]} is there already", file=sys.stderr)
        return 2
    for path, text in made.items():
        if not (ROOT / path).exists():
            (ROOT / path).parent.mkdir(parents=True, exist_ok=True)
            (ROOT / path).write_text(text, encoding="utf-8")
            print(path)
    print(f"now fill them, then: pytest tests/test_cases.py -k {family}.{name}", file=sys.stderr)
    return 0


def files_of(family: str, name: str, room: str) -> dict[Path, str]:
    """Path (from the root of the checkout) to text."""
    clause = CLAUSES[family]
    words = {
        "id": f"{family}.{name}",
        "clause": clause,
        "letter": "M" if family == "antivirus" else LETTERS[clause],
        "facts": name,
        "room": room,
        "read": f"{name}.file",
    }
    control = Path("collector/controls") / family / name
    cases = Path("tests/controls") / family / name
    made = {
        Path(f"collector/facts/{room.replace('.', '/')}/{name}.py"): FACTS.format(**words),
        control.with_suffix(".yml"): METADATA.format(**words),
        control.with_suffix(".py"): JUDGE.format(**words),
    }
    reasons = {"pass": "good", "fail": "bad", "error": "not_understood"}
    for verdict, reason in reasons.items():
        made[cases / f"case.{verdict}.yml"] = CASE.format(**words, reason=reason)
    return made


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
