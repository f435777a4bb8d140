"""`make demo`: the main job on this machine and, where containers can run, on a small real fleet.

Everything it makes lies in ./demo: its own keys and register, so that the user's are not touched.
"""

from __future__ import annotations

import argparse
import os
import shlex
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from tests.fleet.machine import CannotRun, why_not
from tests.fleet.running import Fleet

ROOT = Path(__file__).parents[1]
DEMO = ROOT / "demo"
PLEDGE = "demo-2026"
FLEET = ("good", "bare", "nopython", "password", "inner")
# how they are called in the inventory
HOSTS = ("good", "bare", "nopython", "password", "password-sudo", "inner")


def main() -> int:
    """Exit status 0 when all steps did their work, whatever the verdicts are."""
    argparse.ArgumentParser(prog="python -m tools.demo", description=__doc__).parse_args()
    begun = time.monotonic()
    os.environ["HOSTPLEDGE_HOME"] = str(DEMO / "home")
    DEMO.mkdir(mode=0o700, exist_ok=True)
    inventories = [_this_machine()]
    reason = why_not()
    if reason:
        say(f"Containers cannot run here ({reason}): this machine alone is checked.")
        return _job(inventories, begun)
    say("Starting five real servers in containers (the first time their images are built) ...")
    say("Two take passwords alone: one of them is reached through the other, which asks too.")
    try:
        with Fleet(FLEET, folder=DEMO / "fleet", prefix="demo") as fleet:
            return _job([fleet.inventory, *inventories], begun)
    except CannotRun as problem:
        say(f"The containers did not come up ({problem}): this machine alone is checked.")
        return _job(inventories, begun)


def _this_machine() -> Path:
    path = DEMO / "this-machine.yml"
    path.write_text("all:\n  hosts:\n    this-machine:\n      ansible_connection: local\n")
    return path


def _record(*, fleet: bool) -> Path:
    """The example, with the hosts that this demo really has."""
    hosts = ", ".join([*(HOSTS if fleet else ()), "this-machine"])
    text = (ROOT / "examples" / "pledge.yml").read_text(encoding="utf-8")
    path = DEMO / "pledge.yml"
    path.write_text(text.replace("hosts: [web-01, db-01]", f"hosts: [{hosts}]"), encoding="utf-8")
    return path


def _job(inventories: list[Path], begun: float) -> int:
    home = DEMO / "home"
    if not (home / "keys" / "trust.json").exists():
        run("key", "new")
    if PLEDGE not in quiet("pledge", "list", "--format", "json"):
        run("pledge", "add", short(_record(fleet=len(inventories) > 1)))
    output = DEMO / f"run-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    sources = [word for path in inventories for word in ("-i", short(path))]
    if run("run", *sources, "--pledge", PLEDGE, "-o", short(output)) == 2:
        return 2
    trust = home / "keys" / "trust.json"
    if run("verify", short(output / "bundle"), "--trust", short(trust)) != 0:
        return 2
    brief = _brief(output, trust)
    say("")
    say(f"Done in {time.monotonic() - begun:.0f} s. Failing controls are what the report is for.")
    say(f"  report   {short(output / 'report.html')}")
    if brief is not None:
        say(f"  brief    {short(brief)}")
    say(f"  bundle   {short(output / 'bundle')}")
    say(f"  verify   {short(program())} verify {short(output / 'bundle')} --trust {short(trust)}")
    home_told = f"HOSTPLEDGE_HOME={short(home)}"
    say(f"  browser  {home_told} {short(program())} serve     # http://127.0.0.1:8300/")
    return 0


def _brief(output: Path, trust: Path) -> Path | None:
    """Two pages for a manager; None where pages cannot be set here, which is said."""
    place = output / "brief.pdf"
    words = ("report", short(output / "bundle"), "--brief", short(place), "--trust", short(trust))
    return place if run(*words) == 0 else None


def program() -> Path:
    return Path(sys.executable).parent / "hostpledge"


def run(*words: str) -> int:
    """Runs hostpledge before the user's eyes; returns its exit status."""
    say(f"\n$ hostpledge {shlex.join(words)}")
    return subprocess.run([str(program()), *words], cwd=ROOT, check=False).returncode


def quiet(*words: str) -> str:
    done = subprocess.run(
        [str(program()), *words], cwd=ROOT, check=False, capture_output=True, text=True
    )
    return done.stdout


def short(path: Path) -> str:
    """As seen from the folder where `make` runs."""
    return os.path.relpath(path, ROOT)


def say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
