"""`make new-control NAME=family.name [ROOM=room] [KIND=shell]`: the files of a new control.

Its facts go into ROOM, a folder of `collector/facts/`; by default the one that its family has most
to do with. They are read from a file or, with KIND=shell, by a piece of sh.

What it makes is red on purpose: the judge says `error`, and the cases want more.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from collector import catalog
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

METADATA = """number: {number}
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
# clauses of the standards, as they are numbered there; "-" where one has none
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
from collector.facts.{room}.{facts} import READS, {facts}
from collector.i18n.message import msg
from collector.model import Clock, Facts, Parameters, Verdict


def judge(facts: Facts, parameters: Parameters, clock: Clock) -> Verdict:
    """Pure: the capture's facts, the control's numbers and the clock decide, nothing else."""
    found = facts.get({facts})
    # here: return Verdict(Result.PASS, "good", Method.CONFIGURED, evidence=(Quote(…),))
    raise NotUnderstood(READS[0].id, msg("not_understood", line=" ".join(found.lines)))
'''

FACTS = '''"""One sentence: what of the host this is, and in which format it comes.

Sources: where the format is described (manual page, section).
"""

from __future__ import annotations

from dataclasses import dataclass

{imports}

READS: tuple[Read, ...] = (
{read_of}
)


@dataclass(frozen=True, slots=True)
class {kind}:
    """What the judge asks for; `lines` are what it rests on."""

    lines: tuple[str, ...]


def {facts}(capture: Capture) -> {kind}:
    """Raises CouldNotLook where the read is not whole; what is not known is NotUnderstood."""
    {lines_of}
    return {kind}(lines)
'''

FILE = {
    "imports": "from collector.model import Capture, Read, Text, files",
    "read_of": (
        '    files("{facts}.file", "/etc/{facts}.conf", why=Text("为什么读", "why it is read")),'
    ),
    "lines_of": """read = READS[0].id
    present = capture.read(read).present()
    lines = tuple(line for file in present for line in file.text(read).splitlines())""",
}
# `hp_can`, `hp_plain` and `hp_sift` of OPENED keep a host's own users from being helped (ADR 25)
SHELL = {
    "imports": """from collector.facts.base.opened import OPENED
from collector.model import Capture, Read, Text, shell""",
    "read_of": """    shell(
        "{facts}.state",
        OPENED
        + r\"\"\"
f=/etc/{facts}.conf
if [ ! -e "$f" ]; then echo none
elif hp_can "$f"; then hp_sift E '^[[:space:]]*[a-z]' "$f"
else printf 'unread %s\\n' "$f"; fi
echo '== end'
\"\"\",
        limit=1 << 16,
        why=Text("为什么读", "why it is read"),
    ),""",
    "lines_of": "lines = tuple(capture.read(READS[0].id).text().splitlines())",
}

REMEDY = """steps:
  # a step for each platform, or one for several: schemas/remedy.schema.json has the form, and
  # session_timeout.yml in the folder beside is a whole one
  - platforms: [debian, rhel7, rhel8, openeuler]
    why:
      zh: 为什么要这样做
      en: why this is done
    commands: |
      # what a person types
      true
    check: |
      # ends with 0 once it is brought about
      true
    back: |
      # takes it back
      true
    # true once tests type it
    run: false
"""

CASE = """source: where this was seen (distribution, version, recorded or from which document)
reads:
  {read}:
{printed}
expect:
  reason: {reason}
"""
FILE_CASE = """    files:
      - path: /etc/{facts}.conf
        data: |
          as it was there"""
SHELL_CASE = """    stdout: |
      as it was there
      == end"""

THEN = """now fill them, in this order: facts, {id}.yml, judge, cases; then
  pytest tests/test_cases.py -k {id}
  python -m tests.blind {id}        what still passes with a read lost: blind.yml says why it may
  make control NAME={id}            all that looks at a control: records, pages, words, remedies
not the right room? remove what was made, and once more with ROOM=: docs/architecture.md has them"""


def main(arguments: list[str]) -> int:
    """Exit status 0 when the files were made, 2 when the name cannot be used."""
    kinds = [word for word in arguments if word.startswith("kind=")]
    arguments = [word for word in arguments if word not in kinds]
    named = arguments and re.fullmatch(r"[a-z]+\.[a-z][a-z0-9_]*", arguments[0])
    if len(arguments) not in (1, 2) or not named or not set(kinds) <= {"kind=file", "kind=shell"}:
        print(
            "usage: make new-control NAME=family.name [ROOM=room] [KIND=file|shell]",
            file=sys.stderr,
        )
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
    made = files_of(family, name, room, shell="kind=shell" in kinds)
    taken = [path for path in made if (ROOT / path).exists() and "/facts/" not in str(path)]
    if taken:
        print(f"{taken[0]} is there already", file=sys.stderr)
        return 2
    for path, text in made.items():
        if not (ROOT / path).exists():
            (ROOT / path).parent.mkdir(parents=True, exist_ok=True)
            (ROOT / path).write_text(text, encoding="utf-8")
            print(path)
    print(THEN.format(id=f"{family}.{name}"), file=sys.stderr)
    return 0


def files_of(family: str, name: str, room: str, *, shell: bool = False) -> dict[Path, str]:
    """Path (from the root of the checkout) to text."""
    clause = CLAUSES[family]
    words = {
        "id": f"{family}.{name}",
        "clause": clause,
        "number": _free("M" if family == "antivirus" else LETTERS[clause]),
        "facts": name,
        "kind": "".join(part.capitalize() for part in name.split("_")),
        "room": room,
        "read": f"{name}.state" if shell else f"{name}.file",
    }
    words["printed"] = (SHELL_CASE if shell else FILE_CASE).format(**words)
    words |= {key: text.format(**words) for key, text in (SHELL if shell else FILE).items()}
    control = Path("collector/controls") / family / name
    cases = Path("tests/controls") / family / name
    made = {
        Path(f"collector/facts/{room.replace('.', '/')}/{name}.py"): FACTS.format(**words),
        control.with_suffix(".yml"): METADATA.format(**words),
        control.with_suffix(".py"): JUDGE.format(**words),
        Path(f"collector/remedies/{family}/{name}.yml"): REMEDY,
    }
    reasons = {"pass": "good", "fail": "bad", "error": "not_understood"}
    for verdict, reason in reasons.items():
        made[cases / f"case.{verdict}.yml"] = CASE.format(**words, reason=reason)
    return made


def _free(letter: str) -> str:
    """The next number of that letter."""
    numbers = (control.number for control in catalog.controls().values())
    return f"{letter}{max(int(n[1:]) for n in numbers if n[0] == letter) + 1:02}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
