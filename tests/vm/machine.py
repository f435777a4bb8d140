"""A virtual machine without hardware help, for what a container cannot have: a kernel of its own.

The image is made from a Debian suite through the machine's own apt sources and kept by the digest
of what it is made of. Each machine starts from it anew; what it writes is thrown away with it.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Self

from tests.fleet.images import _apt_settings as apt_settings
from tests.fleet.images import apt_lines

_PACKAGES = (
    "systemd systemd-sysv dbus udev openssh-server auditd rsyslog logrotate cron "
    "iproute2 procps sudo kmod e2fsprogs initramfs-tools linux-image-cloud-amd64 "
    "cryptsetup lvm2 fdisk fscrypt gocryptfs "
    "nftables chrony unattended-upgrades apparmor apparmor-utils "
    "libpam-pwquality cracklib-runtime "
    "clamav-daemon clamdscan"
)
_COMMANDS = ("qemu-system-x86_64", "mmdebstrap", "mke2fs", "ssh", "ssh-keygen")
_DOCS = ("/usr/share/man/*", "/usr/share/doc/*", "/usr/share/locale/*", "/usr/share/info/*")
_NETWORK = r"""[Match]
Name=e*
[Network]
Address=10.0.2.15/24
Gateway=10.0.2.2
"""
_GUEST = r"""set -eu
cd "$1"
mkdir -p root/.ssh etc/systemd/network
cp "$2.pub" root/.ssh/authorized_keys
chmod 700 root/.ssh
cp "$3" etc/systemd/network/wired.network
chroot . systemctl enable -q ssh systemd-networkd
# no guest has a way out
chroot . systemctl disable -q clamav-freshclam.service clamav-freshclam-once.service \
  clamav-freshclam-once.timer clamav-daemon.service clamav-daemon.socket
echo '/dev/vda / ext4 rw 0 1' >etc/fstab
echo vm >etc/hostname
rm -rf var/cache/apt/archives var/lib/apt/lists
"""
_FORM = 1
_SIZE = "3G"


class CannotRun(Exception):
    """No virtual machine can run here; the text says why, in one line."""


def why_not() -> str:
    """Why none can run here; empty when one can."""
    if os.geteuid() != 0:
        return "making the image needs root"
    absent = [name for name in _COMMANDS if shutil.which(name) is None]
    return f"not installed: {', '.join(absent)} (tests/vm/prepare.sh)" if absent else ""


def image(suite: str) -> Path:
    """The folder with `root.ext4`, `vmlinuz`, `initrd` and the `key`; made where it is not there.

    Raises CannotRun.
    """
    made_of = f"{_FORM}{suite}{_PACKAGES}{_GUEST}{_NETWORK}{_SIZE}"
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "hostpledge" / "vm"
    base.mkdir(parents=True, exist_ok=True)
    folder = base / f"{suite}-{hashlib.sha256(made_of.encode()).hexdigest()[:16]}"
    with (base / f"{suite}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "root.ext4").exists():
            for old in base.glob(f"{suite}-*"):
                shutil.rmtree(old)
            _build(suite, folder)
    return folder


def _build(suite: str, folder: Path) -> None:
    with tempfile.TemporaryDirectory(dir=folder.parent) as aside:
        work = Path(aside)
        key, network, root = work / "key", work / "network", work / "root"
        _run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "vm", "-f", str(key))
        network.write_text(_NETWORK)
        packages = _PACKAGES.replace(" ", ",")
        argv = ["mmdebstrap", "--variant=apt", f"--include={packages}"]
        argv += [f"--dpkgopt=path-exclude={pattern}" for pattern in _DOCS]
        argv += [f"--aptopt={setting}" for setting in apt_settings()]
        hook = work / "guest"
        hook.write_text(_GUEST)
        argv += [f'--customize-hook=sh {hook} "$1" {key} {network}']
        _run(*argv, suite, str(root), *apt_lines(suite), seconds=1800)
        for name, pattern in (("vmlinuz", "vmlinuz-*"), ("initrd", "initrd.img-*")):
            (found,) = (root / "boot").glob(pattern)
            shutil.copy(found, work / name)
        _run("mke2fs", "-q", "-t", "ext4", "-d", str(root), str(work / "root.ext4"), _SIZE)
        shutil.rmtree(root)
        folder.mkdir()
        for name in ("vmlinuz", "initrd", "key", "root.ext4"):
            (work / name).rename(folder / name)


def _run(*argv: str, seconds: float = 300) -> None:
    try:
        done = subprocess.run(argv, capture_output=True, timeout=seconds, check=False)
    except (OSError, subprocess.TimeoutExpired) as problem:
        raise CannotRun(f"{argv[0]}: {problem}") from None
    if done.returncode != 0:
        lines = done.stderr.decode("utf-8", "replace").splitlines() or ["it said nothing"]
        telling = [line for line in lines if line.startswith("E:")] or lines[-3:]
        raise CannotRun(f"{argv[0]}: {'; '.join(telling)}")


class Machine:
    """One running guest, reached by ssh as root; a context manager that ends it for good."""

    def __init__(self, suite: str, folder: Path, *, disks: tuple[int, ...] = ()) -> None:
        """`disks`: sizes in MiB of empty ones beside the root's, /dev/vdb and on."""
        self.suite = suite
        self._folder = folder
        self._image = image(suite)
        self._disks = disks
        self._port = _free_port()
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        drives = [("root", self._image / "root.ext4", "on")]
        for number, size in enumerate(self._disks):
            path = self._folder / f"disk{number}.img"
            with path.open("wb") as file:
                file.truncate(size << 20)
            drives.append((f"disk{number}", path, "off"))
        argv = ["qemu-system-x86_64", "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "2"]
        argv += ["-m", "1024", "-display", "none", "-monitor", "none", "-nodefaults"]
        argv += ["-serial", f"file:{self._folder / 'console'}"]
        argv += ["-kernel", str(self._image / "vmlinuz"), "-initrd", str(self._image / "initrd")]
        argv += ["-append", "root=/dev/vda rw console=ttyS0 audit=1 net.ifnames=0"]
        for name, path, thrown_away in drives:
            argv += ["-drive", f"id={name},file={path},format=raw,if=none,snapshot={thrown_away}"]
            argv += ["-device", f"virtio-blk-pci,drive={name}"]
        forward = f"hostfwd=tcp:127.0.0.1:{self._port}-:22"
        argv += ["-netdev", f"user,id=net,restrict=on,{forward}"]
        argv += ["-device", "virtio-net-pci,netdev=net", "-device", "virtio-rng-pci"]
        log = (self._folder / "qemu.log").open("wb")
        # TMPDIR: there the emulator keeps what a guest writes over its image
        environment = {**os.environ, "TMPDIR": str(self._folder)}
        self._process = subprocess.Popen(argv, stdout=log, stderr=log, env=environment)
        try:
            self.wait()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def ssh(self, *command: str, data: bytes = b"", seconds: float = 180) -> bytes:
        """What `command` printed in the guest; raises CannotRun when it ended with an error."""
        done = self._ssh(*command, data=data, seconds=seconds)
        if done.returncode != 0:
            said = done.stderr.decode("utf-8", "replace").strip()
            raise CannotRun(f"in the guest: {' '.join(command)[:200]}: {said[-400:]}")
        return done.stdout

    def shell(self, text: str, seconds: float = 300) -> str:
        """Runs a POSIX sh text in the guest, ending at its first error."""
        return self.ssh("sh", "-eu", data=text.encode(), seconds=seconds).decode()

    def inventory(self, path: Path) -> Path:
        """Writes an Ansible inventory with this guest alone, as `vm`."""
        options = "-F /dev/null -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null"
        path.write_text(
            f"vm ansible_host=127.0.0.1 ansible_port={self._port} ansible_user=root "
            f"ansible_ssh_private_key_file={self._image / 'key'} "
            f"ansible_ssh_common_args='{options}'\n"
        )
        return path

    def reboot(self) -> None:
        """Starts the guest anew; what it has written stays."""
        before = self.ssh("cat", "/proc/sys/kernel/random/boot_id")
        self._ssh("systemctl", "reboot", seconds=30)
        time.sleep(5)
        self.wait(lambda now: now != before)

    def wait(self, ready=lambda _: True, seconds: float = 400) -> None:  # type: ignore[no-untyped-def]
        """Until it answers and its boot is over. Raises CannotRun."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self._process is None or self._process.poll() is not None:
                said = (self._folder / "qemu.log").read_text(errors="replace")
                raise CannotRun(f"the emulator ended: {said[-300:]}")
            done = self._ssh("cat", "/proc/sys/kernel/random/boot_id", seconds=30)
            if done.returncode == 0 and ready(done.stdout):
                self._ssh("systemctl", "is-system-running", "--wait", seconds=240)
                return
            time.sleep(2)
        console = (self._folder / "console").read_text(errors="replace")
        raise CannotRun(f"no login within {seconds:.0f} s: {console[-500:]}")

    def _ssh(
        self, *command: str, data: bytes = b"", seconds: float = 180
    ) -> subprocess.CompletedProcess[bytes]:
        options = ("BatchMode=yes", "StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null")
        argv = ["ssh", "-F", "/dev/null", "-q", "-i", str(self._image / "key")]
        argv += ["-p", str(self._port), "-o", "ConnectTimeout=10"]
        for option in options:
            argv += ["-o", option]
        argv += ["root@127.0.0.1", *command]
        try:
            return subprocess.run(
                argv, input=data, capture_output=True, timeout=seconds, check=False
            )
        except subprocess.TimeoutExpired:
            return subprocess.CompletedProcess(argv, 255, b"", b"no answer in time")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
