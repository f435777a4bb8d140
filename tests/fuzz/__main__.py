"""Coverage-guided fuzzing of whatever reads what comes from outside (atheris, libFuzzer).

    make fuzz SECONDS=600           each reader for so long
    python -m tests.fuzz capture --seconds 60

A reader may refuse with BadInput or VerifyFailed; anything else is a defect, and so is more than
300 MiB, more than ten seconds for one input, and a statement that two readers read differently.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["collector"]):
    from collector.errors import BadInput, VerifyFailed
    from tests.fuzz import readers

# libFuzzer itself, its corpus and the instrumentation on top of the reader's own memory
_MEMORY = 300 + 250


def main() -> int:
    """Without a name each reader in a process of its own; with one, that reader."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("reader", nargs="?", choices=readers.NAMES)
    parser.add_argument("--seconds", type=int, default=30)
    parser.add_argument("--crashes", type=Path, default=Path("fuzz"))
    given = parser.parse_args()
    given.crashes.mkdir(exist_ok=True)
    if given.reader is None:
        return max(
            subprocess.run(
                [sys.executable, "-m", "tests.fuzz", name, "--seconds", str(given.seconds),
                 "--crashes", str(given.crashes)],
                check=False, stdin=subprocess.DEVNULL,
            ).returncode
            for name in readers.NAMES
        )  # fmt: skip
    print(f"== {given.reader}, {given.seconds} s", flush=True)
    with tempfile.TemporaryDirectory() as name:
        _run(given.reader, Path(name), given.seconds, given.crashes)
    return 0


def _run(name: str, folder: Path, seconds: int, crashes: Path) -> None:
    reader = readers.reader(name, folder)
    corpus = folder / "corpus"
    corpus.mkdir()
    for number, seed in enumerate(readers.seeds(name, folder)):
        (corpus / str(number)).write_bytes(seed)

    def one(data: bytes) -> None:
        try:
            reader(data)
        except (BadInput, VerifyFailed) as problem:
            if not str(problem).isprintable() or len(str(problem)) > 2000:
                raise AssertionError(f"not to be shown: {problem!r}") from None

    atheris.Setup(
        [
            sys.argv[0],
            str(corpus),
            f"-max_total_time={seconds}",
            f"-rss_limit_mb={_MEMORY}",
            "-timeout=10",
            f"-artifact_prefix={crashes}{os.sep}{name.replace(' ', '-')}-",
            "-print_final_stats=1",
            "-verbosity=0",
        ],
        one,
    )
    atheris.Fuzz()


if __name__ == "__main__":
    sys.exit(main())
