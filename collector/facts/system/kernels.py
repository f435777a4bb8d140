"""Which kernel runs, and which are installed: a fix that is not running mends nothing.

>>> text = '''running 6.6.0-28.0.0.34.oe2403.x86_64
... booted 1716000000
... kernel 1716000000 /boot/vmlinuz-6.6.0-28.0.0.34.oe2403.x86_64
... kernel 1793851200 /boot/vmlinuz-6.6.0-72.0.0.76.oe2403sp1.x86_64
... kernel 1793851200 /boot/vmlinuz-0-rescue-2447b36d388f4a619d5657fbeb03ef9e
... == end'''
>>> found = kernels_of(text)
>>> found.running, [kernel.release for kernel in found.waiting()]
('6.6.0-28.0.0.34.oe2403.x86_64', ['6.6.0-72.0.0.76.oe2403sp1.x86_64'])

Sources: uname(2); btime of proc_stat(5); ctime of a kernel's file is when it was installed (its
mtime is when it was built). What /sys/kernel/livepatch holds was mended without a boot
(Documentation/livepatch/livepatch.rst); which fixes these are nobody tells.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from collector.errors import CouldNotLook, NotUnderstood
from collector.facts.base.opened import OPENED
from collector.facts.base.package_versions import rpm_newer
from collector.i18n.message import msg
from collector.model import Capture, Read, ReadStatus, Text, shell

_READ = "kernels.installed"

READS: tuple[Read, ...] = (
    shell(
        _READ,
        OPENED
        + r"""
printf 'running %s\n' "$(uname -r)"
sed -n 's/^btime \([0-9]\{1,\}\)$/booted \1/p' /proc/stat 2>/dev/null
set --
for f in /boot/vmlinuz-* /boot/vmlinux-* /boot/Image-* /lib/modules/*/vmlinuz; do
  [ -f "$f" ] && hp_plain "$f" && set -- "$@" "$f"
done
[ $# -eq 0 ] || stat -L -c 'kernel %Z %n' "$@" 2>/dev/null |
  sed -n '/^kernel [0-9]* \/[A-Za-z0-9.+_~\/-]*$/p'
for f in /sys/kernel/livepatch/*; do
  [ -d "$f" ] && printf 'livepatch %s\n' "${f##*/}"
done | sed -n '/^livepatch [A-Za-z0-9._-]*$/p'
echo '== end'
""",
        limit=1 << 16,
        why=Text(
            "正在运行与已安装的内核（修补后是否已重启）",
            "the running kernel and those installed: was the host booted after a fix",
        ),
    ),
)

_KERNEL = re.compile(r"kernel ([0-9]{1,11}) (/\S+)")
# what a release ends with where several kernels of one version stand side by side
_FLAVOUR = re.compile(r"(?:-(?P<word>[a-z][a-z0-9-]*)|\.(?P<arch>[a-z][a-z0-9_]*(?:\+\w+)?))$")


@dataclass(frozen=True, slots=True)
class Kernel:
    """One that is installed; `installed` is when its file was put there."""

    release: str
    installed: datetime
    path: str

    @property
    def line(self) -> str:
        return f"kernel {self.release} {self.installed:%Y-%m-%d} {self.path}"


@dataclass(frozen=True, slots=True)
class Kernels:
    """`booted` is None where the kernel did not tell; `live` are patches it was given running."""

    running: str
    booted: datetime | None
    installed: tuple[Kernel, ...]
    live: tuple[str, ...] = ()

    def waiting(self) -> tuple[Kernel, ...]:
        """Those of the running kernel's kind that a boot would bring: newer, or put in its place.

        Raises NotUnderstood where live patches may have mended what runs.
        """
        found = tuple(
            kernel
            for kernel in self.installed
            if _flavour(kernel.release) == _flavour(self.running) and self._newer(kernel)
        )
        if found and self.live:
            raise NotUnderstood(_READ, msg("kernel_patched_running", names=", ".join(self.live)))
        return found

    def _newer(self, kernel: Kernel) -> bool:
        if kernel.release == self.running:
            return self.booted is not None and kernel.installed > self.booted
        return rpm_newer(f"0:{kernel.release}", f"0:{self.running}")


def _flavour(release: str) -> str:
    match = _FLAVOUR.search(release)
    kind = "" if match is None else match["word"] or match["arch"]
    # Oracle's own stands beside the one of the RHEL family
    return f"uek {kind}" if "uek" in release else kind


def kernels(capture: Capture) -> Kernels:
    """Raises FactError; also where the capture is from before it was asked."""
    result = capture.read(_READ)
    if result.status is ReadStatus.LOST and _READ not in capture.reads:
        raise CouldNotLook(_READ, msg("not_collected_kernels"))
    return kernels_of(result.text())


def kernels_of(text: str) -> Kernels:
    """Of what the read printed. Raises NotUnderstood."""
    if not text.rstrip().endswith("== end"):
        raise NotUnderstood(_READ, msg("ends_before_end"))
    running, booted, live = "", None, []
    installed: dict[str, Kernel] = {}
    for line in text.splitlines():
        word, _, value = line.partition(" ")
        if word == "running":
            running = value
        elif word == "booted" and re.fullmatch(r"[0-9]{1,11}", value):
            booted = datetime.fromtimestamp(int(value), UTC)
        elif word == "livepatch":
            live.append(value)
        elif match := _KERNEL.fullmatch(line):
            release = _release(match[2])
            when = datetime.fromtimestamp(int(match[1]), UTC)
            if "rescue" not in release and release not in installed:
                installed[release] = Kernel(release, when, match[2])
        elif line.strip() not in ("", "== end"):
            raise NotUnderstood(_READ, msg("not_understood", line=line))
    if not running:
        raise NotUnderstood(_READ, msg("not_output_read"))
    return Kernels(running, booted, tuple(installed.values()), tuple(live))


def _release(path: str) -> str:
    folder, _, name = path.rpartition("/")
    return folder.rpartition("/")[2] if name == "vmlinuz" else name.partition("-")[2]
