"""`python -m tools.collection DIR`: the Ansible collection, for one commit always the same bytes.

`ansible-galaxy collection build` takes whatever lies in the checkout, in the order of its folders,
and writes down when. Here only files that git knows go in, sorted, with the time of the commit. In
sources that were unpacked from an archive there is no git: then all of its files go in, with the
time of the newest. SOURCE_DATE_EPOCH goes before either time.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
README = ROOT / "packaging" / "collection" / "README.md"
_FILES, _MANIFEST = "FILES.json", "MANIFEST.json"
# what is made in unpacked sources, and names of ours never begin so
_MADE = re.compile(r"\.|(?:build|dist|demo|__pycache__)$|.*\.egg-info$")


def made(into: Path) -> Path:
    """The tarball in the folder `into`. Raises CalledProcessError where a program fails."""
    names = _names()
    seconds = int(os.environ.get("SOURCE_DATE_EPOCH") or _time(names))
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "source")
        for name in names:
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, source / name)
        # who comes by Galaxy has no checkout: the product's own README leads to what is not in here
        shutil.copy(README, source / "README.md")
        galaxy = Path(sys.executable).parent / "ansible-galaxy"
        subprocess.run(
            [galaxy, "collection", "build", source, "--output-path", folder],
            check=True, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        (packed,) = Path(folder).glob("*.tar.gz")
        into.mkdir(parents=True, exist_ok=True)
        place = into / packed.name
        place.write_bytes(_sorted(packed, seconds))
    return place


def _names() -> list[str]:
    """The files of the sources, as paths below them."""
    # unpacked below the checkout of something else, the sources are none of its files
    if (ROOT / ".git").exists():
        return [n for n in _git("ls-files", "-z").split("\0") if n and (ROOT / n).is_file()]
    found: list[str] = []
    for folder, below, files in os.walk(ROOT):
        below[:] = [name for name in below if not _MADE.match(name)]
        found += [str(Path(folder, name).relative_to(ROOT)) for name in files]
    return [name for name in sorted(found) if (ROOT / name).is_file()]


def _time(names: list[str]) -> str:
    if (ROOT / ".git").exists():
        return _git("log", "-1", "--format=%ct")
    return str(int(max((ROOT / name).stat().st_mtime for name in names)))


def _sorted(packed: Path, seconds: int) -> bytes:
    with tarfile.open(packed) as tar:
        members = {member.name: member for member in tar}
        contents = {
            name: file.read()
            for name, member in members.items()
            if (file := tar.extractfile(member))
        }
    listed: dict[str, Any] = json.loads(contents[_FILES])
    listed["files"].sort(key=lambda entry: entry["name"])
    contents[_FILES] = _json(listed)
    manifest: dict[str, Any] = json.loads(contents[_MANIFEST])
    manifest["file_manifest_file"]["chksum_sha256"] = hashlib.sha256(contents[_FILES]).hexdigest()
    contents[_MANIFEST] = _json(manifest)
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for name in sorted(members):
            member = tarfile.TarInfo(name)
            member.type, member.mtime = members[name].type, seconds
            member.mode = 0o755 if members[name].isdir() or members[name].mode & 0o100 else 0o644
            member.size = len(contents.get(name, b""))
            tar.addfile(member, io.BytesIO(contents[name]) if name in contents else None)
    return gzip.compress(plain.getvalue(), mtime=seconds)


def _json(value: Any) -> bytes:
    """As ansible-galaxy writes it."""
    return json.dumps(value, indent=1).encode()


def _git(*words: str) -> str:
    return subprocess.run(
        ["git", "-C", ROOT, *words], check=True, capture_output=True, text=True
    ).stdout.strip()


if __name__ == "__main__":
    print(made(Path(sys.argv[1])))
