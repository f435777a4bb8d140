"""`make release [KEY=name]`: what a release consists of, in dist/, each with its digest, signed.

`make changelog` comes before it: it gathers changelog.d/ into CHANGELOG.md, to be committed with
the version (`collector/__init__.py`) and tagged `vVERSION`.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import rfc8785

from collector import __version__
from collector.attest.envelope import dsse
from collector.attest.keys.keys import load
from collector.attest.trust import keyring
from collector.errors import CollectorError
from tools import collection

ROOT = Path(__file__).parents[1]
DIST = ROOT / "dist"
SUMS = "SHA256SUMS"
SIGNED = "release.sigstore.json"
# in-toto attestation framework, predicates/release
PREDICATE = "https://in-toto.io/attestation/release/v0.1"


def main(arguments: list[str]) -> int:
    """Exit status 0 when dist/ holds the release, 2 (and one line) when it cannot be made."""
    parser = argparse.ArgumentParser(prog="make release", description=__doc__)
    parser.add_argument("--key", default="", help="a key of `hostpledge key show`, or its file")
    parser.add_argument("--untagged", action="store_true", help="a trial, of any commit")
    given = parser.parse_args(arguments)
    try:
        key = load(keyring.find(given.key), None) if given.key else None
    except CollectorError as problem:
        return _complain(str(problem))
    if not given.untagged and (reason := _not_ready()):
        return _complain(reason)
    shutil.rmtree(DIST, ignore_errors=True)
    DIST.mkdir()
    _build()
    made = sorted(path.name for path in DIST.iterdir())
    digests = {name: hashlib.sha256((DIST / name).read_bytes()).hexdigest() for name in made}
    sums = "".join(f"{digest}  {name}\n" for name, digest in digests.items())
    (DIST / SUMS).write_text(sums, encoding="utf-8")
    if key is not None:
        (DIST / SIGNED).write_bytes(dsse.seal(statement(digests), key))
    for path in sorted(DIST.iterdir()):
        print(path.relative_to(ROOT))
    return 0


def statement(digests: dict[str, str]) -> bytes:
    """The in-toto Statement v1 that names every file of the release by its SHA-256."""
    return rfc8785.dumps(
        {
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [{"name": n, "digest": {"sha256": d}} for n, d in sorted(digests.items())],
            "predicateType": PREDICATE,
            "predicate": {
                "purl": f"pkg:pypi/hostpledge@{__version__}",
                "version": __version__,
            },
        }
    )


def _not_ready() -> str:
    if _git("status", "--porcelain"):
        return "the checkout holds changes: commit them first"
    if f"v{__version__}" not in _git("tag", "--points-at", "HEAD").split():
        return f"this commit is not tagged v{__version__}: git tag v{__version__}, or --untagged"
    if f"## {__version__} " not in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"):
        return f"CHANGELOG.md has no {__version__}: make changelog first"
    return ""


def _build() -> None:
    """Wheel, source, collection and the list of parts; the same commit gives the same bytes."""
    env = os.environ | {"SOURCE_DATE_EPOCH": _git("log", "-1", "--format=%ct")}
    python = sys.executable
    share = ROOT / "build" / "share"
    shutil.rmtree(share, ignore_errors=True)
    subprocess.run([python, "-m", "tools.share", str(share)], check=True, cwd=ROOT, env=env)
    # both from the checkout: a wheel made of the source archive would lack what lies in build/
    forms = ("--sdist", "--wheel")
    subprocess.run(
        [python, "-m", "build", "--no-isolation", *forms, "--outdir", str(DIST), str(ROOT)],
        check=True, env=env, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    collection.made(DIST)
    sbom = DIST / f"hostpledge-{__version__}.cdx.json"
    subprocess.run(
        [python, "-m", "cyclonedx_py", "requirements", "--pyproject", str(ROOT / "pyproject.toml"),
         "--output-reproducible", "--of", "JSON", "-o", str(sbom),
         str(ROOT / "requirements" / "run.txt")],
        check=True, env=env, stderr=subprocess.DEVNULL,
    )  # fmt: skip


def _git(*words: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(ROOT), *words], check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def _complain(text: str) -> int:
    print(f"make release: {text}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
