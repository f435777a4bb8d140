"""Images for the fleet, made from Debian suites through the machine's own apt sources.

No registry is asked. An image is known by the digest of all that it is made of, so a recipe that
changed is built anew and one that did not is there at once.
"""

from __future__ import annotations

import hashlib
import re
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.fleet.machine import CannotRun, cache_dir, locked, podman

RECIPES = Path(__file__).parent / "recipes"
_COMMON = "systemd systemd-sysv dbus openssh-server iproute2 procps ca-certificates"
_APT_SETTING = re.compile(r"Acquire::(https?::Proxy|Check-|Retries)", re.IGNORECASE)
# a mirror may be away for a minute
_PATIENT = 'Acquire::Retries "8"'
_FORM = 4
_FORGET = 'rm -f "$1"/etc/ssh/ssh_host_*; : >"$1"/etc/machine-id'
_DOCS = ("/usr/share/man/*", "/usr/share/doc/*", "/usr/share/locale/*", "/usr/share/info/*")


@dataclass(frozen=True)
class Image:
    """`suite` and `packages` make a root from nothing; `parent` and a recipe build upon another.

    The recipe `<name>.sh` runs inside the parent with the machine's network. With `folder` the
    image is only what the recipe put into that folder.
    """

    name: str
    suite: str = ""
    packages: str = ""
    parent: str = ""
    folder: str = ""
    command: str = "/lib/systemd/systemd"


IMAGES = {
    image.name: image
    for image in (
        Image("trixie", suite="trixie", packages=f"{_COMMON} python3 sudo"),
        Image("bookworm", suite="bookworm", packages=_COMMON),
        Image("bookworm-python", parent="bookworm"),
        Image("sysvinit", parent="trixie", command="/sbin/init"),
        Image("good", parent="trixie"),
        Image("story", parent="trixie"),
        Image("vault", parent="trixie"),
        Image("rhel-9", parent="trixie"),
        Image("rhel-9-roles", parent="rhel-9"),
        Image("probed", parent="story"),
        Image("restores", parent="probed"),
        Image("syslog-ng", parent="trixie"),
        Image("syslog-ng-12", parent="bookworm"),
        Image("rsyslog-12", parent="bookworm"),
        Image("busybox", parent="trixie", folder="/tree", command="/sbin/init"),
    )
}


def tag(name: str) -> str:
    return f"localhost/hostpledge-fleet/{name}:{_digest(name)[:16]}"


def ensure(names: set[str]) -> None:
    """Builds what is not there yet. Raises CannotRun."""
    with locked("images"):
        absent = {name for name in _with_parents(names) if not _there(name)}
        for level in levels(absent):
            with ThreadPoolExecutor(2) as pool:
                list(pool.map(_build, level))
        if absent:
            _forget_old()


def levels(names: set[str]) -> list[list[str]]:
    """The order to build in: each list stands upon the lists before it alone."""
    left, order = set(names), []
    while left:
        order.append(sorted(name for name in left if IMAGES[name].parent not in left))
        left -= set(order[-1])
    return order


def apt_lines(suite: str) -> list[str]:
    """The machine's own sources of Debian proper, for `suite`; empty where it has none."""
    found = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE) $(COMPONENT)"],
        capture_output=True,
        text=True,
        check=False,
    )
    system = _os_release()
    own = system.get("VERSION_CODENAME", "")
    if system.get("ID") != "debian" or not own:
        return []
    lines: dict[str, None] = {}
    for entry in found.stdout.splitlines():
        uri, release, component = [*entry.split(), "", "", ""][:3]
        pocket = release.removeprefix(own)
        if (
            uri.startswith(("http://", "https://"))
            and release.startswith(own)
            and pocket in ("", "-updates", "-security")
            and component == "main"
        ):
            lines[f"deb {uri} {suite}{pocket} main"] = None
    return list(lines)


def _os_release() -> dict[str, str]:
    pairs = (line.partition("=") for line in Path("/etc/os-release").read_text().splitlines())
    return {key: value.strip('"') for key, _, value in pairs}


def _apt_settings() -> list[str]:
    found = subprocess.run(
        ["apt-config", "dump", "Acquire"], capture_output=True, text=True, check=False
    )
    return [line for line in found.stdout.splitlines() if _APT_SETTING.match(line)]


def _with_parents(names: set[str]) -> set[str]:
    parents = {IMAGES[name].parent for name in names} - {""}
    return names | (_with_parents(parents) if parents else set())


def _recipe(name: str) -> bytes:
    path = RECIPES / f"{name}.sh"
    return path.read_bytes() if IMAGES[name].parent else b""


def _digest(name: str) -> str:
    image = IMAGES[name]
    parent = _digest(image.parent) if image.parent else ""
    return hashlib.sha256(f"{_FORM}{image}{parent}".encode() + _recipe(name)).hexdigest()


def _there(name: str) -> bool:
    return podman("image", "exists", tag(name), check=False).returncode == 0


def _forget_old() -> None:
    """Images that no recipe makes any more; those in use stay for now."""
    kept = {tag(name) for name in IMAGES}
    seen = podman("images", "--format={{.Repository}}:{{.Tag}}", "--filter=dangling=false")
    for name in seen.stdout.decode().split():
        if name.startswith("localhost/hostpledge-fleet/") and name not in kept:
            podman("rmi", name, check=False)


def _build(name: str) -> None:
    image = IMAGES[name]
    if image.parent:
        _build_upon(image)
    else:
        _build_root(image)


def _build_root(image: Image) -> None:
    with tempfile.TemporaryDirectory(dir=cache_dir()) as folder:
        tar = f"{folder}/root.tar"
        argv = ["mmdebstrap", "--variant=apt", f"--include={image.packages.replace(' ', ',')}"]
        argv += [f"--dpkgopt=path-exclude={pattern}" for pattern in _DOCS]
        # a host that lives for minutes need not outlive a power cut
        argv += ["--dpkgopt=force-unsafe-io"]
        argv += [f"--aptopt={setting}" for setting in [*_apt_settings(), _PATIENT]]
        # Each host makes its own identity when it starts.
        argv += [f"--customize-hook={_FORGET}"]
        done = subprocess.run(
            [*argv, image.suite, tar, *apt_lines(image.suite)], capture_output=True, check=False
        )
        if done.returncode != 0:
            lines = done.stderr.decode("utf-8", "replace").splitlines()
            telling = [line for line in lines if line.startswith("E:")] or lines
            raise CannotRun(f"mmdebstrap {image.suite}: {'; '.join(telling[:3])}")
        podman("import", f'--change=CMD ["{image.command}"]', tar, tag(image.name))


def _build_upon(image: Image) -> None:
    name = f"build-{image.name}"
    podman("rm", "--force", "--ignore", "--time=0", name)
    try:
        podman(
            *("run", "--detach", f"--name={name}", "--network=host", "--systemd=false"),
            *("--entrypoint=sleep", tag(image.parent), "infinity"),
        )
        done = podman(
            *("exec", "--interactive", name, "sh", "-eu"),
            data=_recipe(image.name),
            check=False,
            seconds=600,
        )
        if done.returncode != 0:
            output = (done.stdout + done.stderr).decode("utf-8", "replace").splitlines()
            raise CannotRun(f"recipe {image.name}: {' | '.join(output[-4:])}")
        if image.folder:
            with tempfile.TemporaryDirectory(dir=cache_dir()) as folder:
                tar = Path(folder) / "tree.tar"
                packed = podman("exec", name, "tar", "-C", image.folder, "-cf", "-", ".")
                tar.write_bytes(packed.stdout)
                podman("import", f'--change=CMD ["{image.command}"]', str(tar), tag(image.name))
        else:
            podman("commit", "--quiet", f'--change=CMD ["{image.command}"]', name, tag(image.name))
    finally:
        podman("rm", "--force", "--ignore", "--time=0", name, check=False)
