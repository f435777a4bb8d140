"""What this machine offers for containers, and podman as the fleet uses it.

Podman runs with a storage, a network and a state of the fleet's own, so that nothing of the
machine's own containers is touched. Where /sys/fs/cgroup is not a plain cgroup2 tree, podman is
entered through one private mount namespace that has such a tree; the namespace is held by a bind
mount, so that every later call finds the same one and the network namespaces mounted in it.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

NETWORK = "hostpledge-fleet"
_COMMANDS = ("podman", "crun", "mmdebstrap", "nft", "nsenter", "unshare", "ssh", "ssh-keygen")
_PACKAGES = "podman crun netavark mmdebstrap nftables util-linux openssh-client"
_CONF = """[engine]
cgroup_manager = "cgroupfs"
events_logger = "none"
lock_type = "file"
runtime = "crun"
tmp_dir = "{state}/libpod"
[containers]
pids_limit = 0
[network]
network_backend = "netavark"
"""
_CGROUP2 = """set -e
if [ ! -e /sys/fs/cgroup/cgroup.controllers ]; then
  umount -R /sys/fs/cgroup 2>/dev/null || true
  mount -t cgroup2 cgroup2 /sys/fs/cgroup
fi
"""


def cache_dir() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "hostpledge" / "fleet"


def _state() -> Path:
    """Podman's running state goes with its storage: another cache has another one."""
    own = os.environ.get("XDG_CACHE_HOME")
    mark = f"-{hashlib.sha256(own.encode()).hexdigest()[:8]}" if own else ""
    return Path(f"/run/hostpledge-fleet{mark}")


STATE = _state()
_NAMESPACE = STATE / "space" / "mnt"


class CannotRun(Exception):
    """Containers cannot run on this machine; the text says why, in one line."""


@contextmanager
def locked(name: str) -> Iterator[None]:
    """One process at a time; the lock goes with the process that holds it, however it ends."""
    STATE.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (STATE / f"{name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@cache
def why_not() -> str:
    """Why containers cannot run here; empty when they can."""
    if os.geteuid() != 0:
        return "containers need root here"
    absent = [name for name in _COMMANDS if shutil.which(name) is None]
    if absent:
        return f"not installed: {', '.join(absent)} (apt-get install {_PACKAGES})"
    if "\tcgroup2\n" not in Path("/proc/filesystems").read_text():
        return "the kernel has no cgroup2"
    try:
        with locked("machine"):
            _prepare()
    except CannotRun as problem:
        return str(problem)
    return ""


def inside(*argv: str) -> list[str]:
    """`argv` as it must be called so that it runs where the fleet's podman runs."""
    if _plain_cgroup2():
        return list(argv)
    return ["nsenter", f"--mount={_NAMESPACE}", "--", *argv]


def environment() -> dict[str, str]:
    return {**os.environ, "CONTAINERS_CONF": str(STATE / "containers.conf")}


def podman(
    *arguments: str, data: bytes | None = None, check: bool = True, seconds: float = 120
) -> subprocess.CompletedProcess[bytes]:
    """Runs podman; raises CannotRun with its last line of complaint when `check` and it failed."""
    try:
        done = subprocess.run(
            podman_argv(*arguments),
            input=b"" if data is None else data,
            capture_output=True,
            env=environment(),
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise CannotRun(f"podman {arguments[0]}: no answer within {seconds:.0f} s") from None
    if check and done.returncode != 0:
        raise CannotRun(f"podman {arguments[0]}: {_last_line(done.stderr)}")
    return done


def podman_argv(*arguments: str) -> list[str]:
    storage = cache_dir() / "storage"
    return inside(
        "podman",
        f"--root={storage}",
        f"--runroot={STATE}/run",
        f"--network-config-dir={STATE}/networks",
        *arguments,
    )


def leave() -> None:
    """Takes the private namespace away again; for when no container is left."""
    if _NAMESPACE.exists():
        subprocess.run(["umount", str(_NAMESPACE)], capture_output=True, check=False)
        subprocess.run(["umount", str(_NAMESPACE.parent)], capture_output=True, check=False)
    why_not.cache_clear()


def _plain_cgroup2() -> bool:
    return Path("/sys/fs/cgroup/cgroup.controllers").exists()


def _prepare() -> None:
    (STATE / "containers.conf").write_text(_CONF.format(state=STATE))
    cache_dir().mkdir(parents=True, exist_ok=True)
    if not _plain_cgroup2() and not _namespace_lives():
        _make_namespace()
    podman("info", "--format", "{{.Host.CgroupsVersion}}")
    if podman("network", "exists", NETWORK, check=False).returncode != 0:
        podman("network", "create", "--disable-dns", NETWORK)


def _namespace_lives() -> bool:
    found = subprocess.run(
        ["nsenter", f"--mount={_NAMESPACE}", "test", "-e", "/sys/fs/cgroup/cgroup.controllers"],
        capture_output=True,
        check=False,
    )
    return found.returncode == 0


def _make_namespace() -> None:
    folder = _NAMESPACE.parent
    leave()
    folder.mkdir(parents=True, exist_ok=True)
    _NAMESPACE.touch()
    # The kernel takes a bind mount of a mount namespace only on a mount that does not propagate.
    for argv in (
        ["mount", "--bind", str(folder), str(folder)],
        ["mount", "--make-private", str(folder)],
        [
            *("unshare", f"--mount={_NAMESPACE}", "--propagation=slave"),
            *("sh", "-c", _CGROUP2),
        ],
    ):
        done = subprocess.run(argv, capture_output=True, check=False)
        if done.returncode != 0:
            raise CannotRun(f"no private mount namespace: {_last_line(done.stderr)}")


def _last_line(output: bytes) -> str:
    lines = output.decode("utf-8", "replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing"
