"""Readers that come with Debian, in a container without a network, upon the fleet's machinery."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

from tests.fleet import images
from tests.fleet.machine import CannotRun, cache_dir, locked, podman

_PACKAGES = "prometheus,libreoffice-calc,fonts-noto-cjk,poppler-utils,libxml2-utils"
TAG = "localhost/hostpledge-readers:2"


def ensure() -> None:
    """Builds the image where it is not there yet. Raises CannotRun."""
    with locked("readers"):
        if podman("image", "exists", TAG, check=False).returncode == 0:
            return
        with tempfile.TemporaryDirectory(dir=cache_dir()) as folder:
            tar = f"{folder}/root.tar"
            argv = ["mmdebstrap", "--variant=apt", f"--include={_PACKAGES}"]
            argv += ['--aptopt=APT::Install-Recommends "false"']
            argv += ["trixie", tar, *images.apt_lines("trixie")]
            done = subprocess.run(argv, capture_output=True, text=True, check=False)
            if done.returncode != 0:
                raise CannotRun(f"mmdebstrap: {done.stderr.splitlines()[-1:]}")
            podman("import", tar, TAG, seconds=600)


def run(folder: Path, script: str) -> str:
    """What `script` (of sh) prints, run with `folder` as /w; AssertionError where it fails.

    Raises CannotRun where there is no container to run it in.
    """
    ensure()
    done = podman(
        *("run", "--rm", "--network=none", f"--volume={folder}:/w", "--workdir=/w"),
        *("--env=HOME=/tmp", "--env=LC_ALL=C.UTF-8", TAG, "sh", "-euc", script),
        check=False,
        seconds=300,
    )
    text = (done.stdout + done.stderr).decode("utf-8", "replace")
    assert done.returncode == 0, f"{script}: {done.returncode}: {text[-2000:]}"
    return text
