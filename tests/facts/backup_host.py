"""A host of our own for a moment: this machine's programs under an empty configuration.

An overlay over the root folder, in namespaces for mounts and processes: what a scenario does there
(real restic, real borg, a real cron daemon) is gone with it. In the end the collector's script looks
at it, as it would at any host.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from collector import catalog
from collector.model import Capture
from collector.script import collector_script, parse_output

ROOT = Path(__file__).parents[2]
CONTROLS = ("backup.jobs", "backup.fresh", "backup.verified", "backup.versions")
_WANTED = ("unshare", "busybox", "restic", "borg", "rsync", "faketime")
_MISSING = [name for name in _WANTED if shutil.which(name) is None]
needs_tools = pytest.mark.skipif(
    os.geteuid() != 0 or bool(_MISSING),
    reason=f"needs root and {', '.join(_WANTED)} (missing: {', '.join(_MISSING) or 'root'})",
)

_NO_MOUNTS = 99
_ENTER = r"""
set -e
mount -t tmpfs none "$1" &&
  mkdir "$1/upper" "$1/work" "$1/root" &&
  mount -t overlay none -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/root" &&
  mount -t proc proc "$1/root/proc" &&
  mount --rbind /dev "$1/root/dev" &&
  # faketime names what it shares by process numbers, which begin anew in here
  mount -t tmpfs none "$1/root/dev/shm" &&
  # the fleet of other tests may live in it, and changes while it is removed
  mkdir -p "$1/root/root/.cache" && mount -t tmpfs none "$1/root/root/.cache" || exit 99
install -m 755 "$2" "$1/root/usr/local/bin/hostpledge-backup-report"
cp "$3" "$1/root/scenario"
cp "$4" "$1/root/begin"
exec chroot "$1/root" /bin/sh /scenario </dev/null
"""

_BEGIN = r"""
exec 4>&1 >&2
set -eu
cd /
rm -rf /etc/crontab /etc/anacrontab /etc/cron.* /var/spool/cron /etc/systemd/system/*.service \
  /var/log/* /root/.config /home/* /backup* /var/backups/* /srv /var/lib/hostpledge \
  /run/systemd/system /etc/borgmatic* /etc/restic /etc/hostpledge
mkdir -p /etc/cron.d /var/spool/cron/crontabs /srv/data /srv/other /backup /root/.config
export HOME=/root RESTIC_PASSWORD=secret BORG_PASSPHRASE=secret TZ=UTC
export BORG_RELOCATED_REPO_ACCESS_IS_OK=yes BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK=yes
ln -sf "$(command -v busybox)" /usr/sbin/crond
/usr/sbin/crond -f -c /var/spool/cron/crontabs &
for n in 1 2 3; do head -c 200000 /dev/urandom >/srv/data/file$n; done
# cron LINE: a line of a crontab; its command is run now, as cron would do it.
cron() {
  printf '%s\n' "$1" >>/etc/cron.d/backup
  sh -c "$(printf '%s' "$1" | cut -d ' ' -f 7-)" || echo "status $?"
}
# planned LINE: the same, not run.
planned() { printf '%s\n' "$1" >>/etc/cron.d/backup; }
# ago DAYS COMMAND...: with a clock that many days behind.
ago() { d=$1; shift; faketime -f "-${d}d" "$@"; }
"""

_END = r"""
exec >&4
unset RESTIC_PASSWORD BORG_PASSPHRASE
exec sh -s <<'HOSTPLEDGE_SCRIPT'
"""


def made(scenario: str, folder: Path) -> bytes:
    """The data, repositories and caches of borg that the scenario, a sh text, leaves: a tar file."""
    ended = _run(scenario + "exec >&4\nexec tar -cf - srv backup root/.cache root/.config", folder)
    return ended.stdout


def look(scenario: str, folder: Path, begin: bytes = b"") -> Capture:
    """What the collector sees after the scenario; `begin` is what was `made` before."""
    controls = [catalog.control(id) for id in CONTROLS]
    script = collector_script(catalog.reads_for(controls).values())
    unpack = "rm -rf /srv\ntar -xf /begin\n" if begin else ""
    done = _run(unpack + scenario + _END + script + "\nHOSTPLEDGE_SCRIPT\n", folder, begin)
    assert done.stdout, (done.returncode, done.stderr.decode("utf-8", "replace")[-3000:])
    capture = parse_output(done.stdout, host="h")
    assert capture.status == "complete", done.stderr.decode("utf-8", "replace")[-3000:]
    return capture


def _run(scenario: str, folder: Path, begin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    place = folder / "host"
    place.mkdir()
    (folder / "scenario").write_text(_BEGIN + scenario)
    (folder / "begin").write_bytes(begin)
    wrapper = ROOT / "roles/backup/files/hostpledge-backup-report"
    done = subprocess.run(
        ["unshare", "-m", "-p", "-f", "--kill-child", "sh", "-c", _ENTER, "sh", str(place),
         str(wrapper), str(folder / "scenario"), str(folder / "begin")],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        timeout=120,
    )  # fmt: skip
    if done.returncode == _NO_MOUNTS:
        pytest.skip(f"no namespaces or no overlay here: {done.stderr.decode()[-200:]}")
    return done
