"""What the read of exposed files finds on disks of their own."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from collector.facts.data.exposed_files import READS, exposed_files
from collector.model import Capture, HostStatus, ReadResult, ReadStatus

_READ = READS[0]
# /srv is of another file system than what is mounted in it
_MOUNTED = """
mount -t tmpfs x /srv && mkdir -p /srv/open/disk /srv/closed/disk && chmod 755 /srv /srv/open || exit 3
chmod 700 /srv/closed
mount --bind disk /srv/open/disk && mount --bind disk /srv/closed/disk || exit 3
# what else this machine holds is its own business; the folder that this runs in stays
for d in /tmp /var/tmp /home /opt /root /mnt /data; do
  [ ! -d "$d" ] || mount -t tmpfs x "$d" || exit 3
done
sh ./read
"""


@pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("unshare") is None, reason="needs root and unshare"
)
def test_disks_of_their_own_are_looked_through(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    disk.chmod(0o755)
    for name, mode in (("open.sql", 0o644), ("shut.sql", 0o600)):
        (disk / name).write_text("x")
        (disk / name).chmod(mode)
    (tmp_path / "read").write_text(_READ.body)
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", _MOUNTED],
        cwd=tmp_path, stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False,
    )  # fmt: skip
    if done.returncode == 3 or disk.stat().st_dev == Path("/dev/shm").stat().st_dev:
        pytest.skip("nothing can be mounted here")
    result = ReadResult(_READ.id, ReadStatus.OK, stdout=done.stdout)
    capture = Capture("x", HostStatus.COMPLETE, reads={_READ.id: result})
    found = [f.path for f in exposed_files(capture).files if f.path.startswith("/srv/")]
    assert found == ["/srv/open/disk/open.sql"]
