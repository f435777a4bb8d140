"""`python -m tests.hosts [NAME …]`: all controls on all played hosts (`make hosts`).

`--show` prints every finding with its message; `--keep DIR` leaves the roots there; `--write`
writes what was found as what is expected, to be reviewed line by line.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tests.hosts.families import HOSTS
from tests.hosts.play import EXPECTED, Played, expected, play, said


def _show(name: str, played: Played) -> None:
    for read in played.capture.reads.values():
        if read.status.value in ("timeout", "lost", "truncated"):
            print(f"{name}: read {read.id} {read.status.value}: {read.stderr[:200]}")
    for found in played.findings.values():
        print(f"{name}: {found.control}: {found.result} {found.reason}: {found.message.en}")


def _write(name: str, findings: dict[str, str]) -> None:
    """What somebody wrote behind a line stays as long as the finding does."""
    path = EXPECTED / f"{name}.yml"
    remarks: dict[str, str] = {}
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
        told, mark, remark = line.partition("  # ")
        remarks[told.strip()] = mark + remark
    lines = [f"{control}: {told}" for control, told in sorted(findings.items())]
    body = "\n".join(f"  {line}{remarks.get(line, '')}" for line in lines)
    path.write_text(
        f"# What an honest auditor says of {name}; reviewed line by line.\nfindings:\n{body}\n",
        encoding="utf-8",
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--shell", default="", help="/bin/sh of all hosts instead of their own")
    parser.add_argument("--show", action="store_true")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--keep", type=Path)
    chosen = parser.parse_args()
    wrong, cpu, seconds, findings = 0, 0.0, 0.0, 0
    with tempfile.TemporaryDirectory(prefix="hostpledge-hosts.") as folder:
        base = chosen.keep or Path(folder)
        for name in chosen.names or HOSTS:
            played = play(HOSTS[name], base, chosen.shell)
            cpu, seconds = cpu + played.cpu, seconds + played.seconds
            found, wanted = said(played.findings.values()), expected(name)
            findings += len(found)
            if chosen.show:
                _show(name, played)
            if chosen.write:
                _write(name, found)
                continue
            for control in sorted(found.keys() | wanted.keys()):
                if found.get(control) != wanted.get(control):
                    wrong += 1
                    print(
                        f"{name}: {control}: {found.get(control)}, expected: {wanted.get(control)}"
                    )
            print(f"{name}: script {played.cpu:.2f} s of CPU, all {played.seconds:.1f} s")
    print(
        f"{len(chosen.names or HOSTS)} hosts, {findings} findings, {wrong} unexpected; "
        f"{cpu:.1f} s of CPU, {seconds:.1f} s"
    )
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
