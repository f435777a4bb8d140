"""What the model says of a script held to what the real shells do with it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from collector.facts.shell.program import Command, Program, read
from collector.facts.shell.values import Hole
from tests.shell_engine.generated import Drawn
from tests.shell_engine.real_shells import Seen, Shells, plans

_NAME = re.compile(r"o?c\d+")


@dataclass
class Tally:
    scripts: int = 0
    runs: int = 0
    commands: int = 0
    untold: int = 0
    undecided: int = 0
    unseen_false: int = 0
    answers: dict[str, int] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)


def model(drawn: Drawn) -> Program:
    return read(
        drawn.text, arguments=tuple(drawn.arguments), environment=drawn.environment, name="script"
    )


def _matches(command: Command, call: tuple[str, ...]) -> bool:
    """A hole may be any text; one that was not quoted any number of words."""
    shape = "\037".join(
        "".join(re.escape(p) if isinstance(p, str) else "[^\0]*" for p in word)
        for word in command.words
    )
    loose = any(isinstance(p, Hole) for w in command.words for p in w)
    text = "\037".join(call)
    if re.fullmatch(shape, text, re.DOTALL):
        return True
    return (
        loose and re.fullmatch(shape.replace("\037[^\0]*", "[^\0]*"), text, re.DOTALL) is not None
    )


def compare(drawn: Drawn, shells: Shells, seed: int, most: int, tally: Tally) -> None:
    program = model(drawn)
    stubs = [c for c in program.commands if c.words and _NAME.fullmatch(str(c.argv[0]))]
    names = ("bash",) if drawn.bash else ("dash", "bash")
    every = plans(drawn.names, seed, most)
    seen = list(
        shells.runs(drawn.text, names, drawn.names, drawn.arguments, drawn.environment, every)
    )
    tally.scripts += 1
    tally.runs += len(seen)

    def wrong(what: str, command: object, run: Seen | None = None) -> None:
        where = f" {run.shell} bad {sorted(run.statuses)} -> {run.ended} {run.calls}" if run else ""
        line = f"seed {seed}: {what}: {command}"
        if not any(w.startswith(line) for w in tally.wrong):
            tally.wrong.append(line + where)

    for command in stubs:
        tally.commands += 1
        tally.untold += command.reached == "untold"
        tally.answers[command.reached] = tally.answers.get(command.reached, 0) + 1
        tally.undecided += command.decides is None and command.reached != "untold"
        name = str(command.argv[0])
        witnessed = False
        for run in seen:
            ran = any(c[0] == name and _matches(command, c) for c in run.calls)
            if command.reached == "always" and not ran:
                wrong("always, and was not run", command.shown, run)
            if command.reached == "never" and any(c[0] == name for c in run.calls):
                wrong("never, and was run", command.shown, run)
            bad = ran and run.statuses.get(name.removeprefix("o"), 0)
            if bad and command.decides is True and run.ended == 0:
                wrong("decides, and did not", command.shown, run)
            witnessed |= bool(bad and run.ended == 0)
        tally.unseen_false += command.decides is False and command.reached in (
            "always", "perhaps") and not witnessed  # fmt: skip
    if program.lost:
        return
    for run in seen:
        for call in run.calls:
            if not any(_matches(c, call) for c in stubs if c.reached != "never"):
                wrong("was run, and is not known", call, run)
        good = [e.good for e in program.ends]
        if run.ended == 0 and not any(g is not False for g in good):
            wrong("ended well, and could not", "", run)
        if run.ended != 0 and not any(g is not True for g in good):
            wrong("ended badly, and could not", "", run)


if __name__ == "__main__":
    import sys
    import tempfile
    from pathlib import Path

    from tests.shell_engine.generated import drawn

    start, count, most = (int(x) for x in [*sys.argv[1:], *("0", "100", "8")[len(sys.argv) - 1 :]])
    found = Tally()
    with tempfile.TemporaryDirectory() as folder:
        real = Shells(Path(folder))
        for number in range(start, start + count):
            compare(drawn(number), real, number, most, found)
    last = ""
    for line in found.wrong[:12]:
        text, _, _ = line.partition(":")
        if text != last:
            last = text
            one = drawn(int(text.split()[1]))
            print(f"=== {text} {one.arguments} {one.environment}\n{one.text}")
        print("   ", line[:700])
    print({k: v if k != "wrong" else len(v) for k, v in vars(found).items()})
    print("scripts with wrong:", len({w.partition(":")[0] for w in found.wrong}))
