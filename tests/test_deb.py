"""The Debian package in a fresh container without any network: it installs, works, and goes whole.

Opt-in, since making it downloads the lock file's packages: HOSTPLEDGE_TEST_DEB=1, or the path of a
package that is made already (`make deb`). PYTHON of the Makefile has to be that of the release.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fleet import images
from tests.fleet.machine import podman, why_not

ROOT = Path(__file__).parents[1]
ASKED = os.environ.get("HOSTPLEDGE_TEST_DEB", "")
pytestmark = pytest.mark.fleet
# image with the system's Python of that release
_SUITES = {"py313": "trixie", "py311": "bookworm-python"}
_TREE = (
    "find / -xdev \\( -path /proc -o -path /sys -o -path /tmp -o -path /dev -o -path /run "
    "-o -path /var/lib/dpkg -o -path /var/log -o -path /var/cache -o -path /root \\) -prune "
    "-o -print | sort"
)


@pytest.fixture(scope="module")
def package() -> Path:
    if ASKED != "1":
        return Path(ASKED).resolve()
    python = next(p for p in ("/usr/bin/python3.13", "/usr/bin/python3.11") if Path(p).exists())
    done = subprocess.run(
        [sys.executable, "-m", "tools.deb"],
        cwd=ROOT, env=os.environ | {"PYTHON": python}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return ROOT / done.stdout.strip()


@pytest.fixture(scope="module")
def container(package: Path) -> Iterator[str]:
    if reason := why_not():
        pytest.fail(f"containers cannot run here: {reason}")
    image = next(image for mark, image in _SUITES.items() if mark in package.name)
    images.ensure({image})
    name = f"hostpledge-deb-{os.getpid()}"
    podman(
        *("run", "--detach", f"--name={name}", "--network=none", "--systemd=false"),
        *("--entrypoint=sleep", images.tag(image), "infinity"),
    )
    try:
        podman("cp", str(package), f"{name}:/tmp/hostpledge.deb")
        # the images of the fleet leave manuals out
        _in(name, "rm -f /etc/dpkg/dpkg.cfg.d/99mmdebstrap")
        yield name
    finally:
        podman("rm", "--force", "--ignore", "--time=0", name, check=False)


def _in(name: str, line: str, *statuses: int) -> str:
    env = ("--env=HOSTPLEDGE_HOME=/tmp/home", "--env=LC_ALL=C.UTF-8", "--env=TERM=dumb")
    done = podman("exec", *env, name, "bash", "-c", line, check=False, seconds=300)
    told = done.stdout.decode(), done.stderr.decode()
    assert done.returncode in (statuses or (0,)), told
    return told[0]


def test_it_installs_works_and_goes_whole(container: str) -> None:
    before = _in(container, _TREE)
    _in(container, "dpkg --install /tmp/hostpledge.deb")
    _works(container)
    _in(container, "dpkg --purge hostpledge")
    left = set(_in(container, _TREE).splitlines()) - set(before.splitlines())
    assert left == set()


def _works(container: str) -> None:
    assert _in(container, "hostpledge --version").startswith("hostpledge, version ")
    document = json.loads(_in(container, "hostpledge doctor --format json"))
    assert document["fit"] is True
    states = {check["id"]: check["state"] for check in document["checks"]}
    assert {states[name] for name in ("Python", "ansible-core", "ansible-runner", "ssh")} == {"ok"}
    _in(container, "cd /tmp && hostpledge run -i localhost, -o out", 1)
    verify = "cd /tmp && hostpledge verify out/bundle --trust home/keys/trust.json --format json"
    assert json.loads(_in(container, verify))["verified"] is True
    _in(container, "cd /tmp && hostpledge harden -i localhost, --check --control D02 -o look", 0, 1)
    # what is behind extras is inside
    _in(container, "/opt/hostpledge/bin/python -c 'import pg8000, pkcs11, tuf'")
    for page in ("man1/hostpledge-verify.1.gz", "zh_CN/man1/hostpledge-verify.1.gz"):
        assert "verify" in _in(container, f"zcat /usr/share/man/{page}")
    ask = (
        "source /usr/share/bash-completion/completions/hostpledge; "
        "COMP_WORDS=(hostpledge verif) COMP_CWORD=1; "
        "_hostpledge_completion hostpledge 2>/dev/null; echo ${COMPREPLY[@]}"
    )
    assert _in(container, ask).strip() == "verify"
    _in(container, "test -s /usr/share/zsh/vendor-completions/_hostpledge")
    _in(container, "test -s /usr/share/fish/vendor_completions.d/hostpledge.fish")
    # a user who is nobody in particular runs it as well
    _in(
        container,
        "cd /tmp && su nobody -s /bin/sh -c 'HOSTPLEDGE_HOME=/tmp/n hostpledge explain L05'",
    )
