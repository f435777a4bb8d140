"""Where there is more than a read takes, it says so, and nothing is made of the part."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from collector import catalog
from collector.errors import CouldNotLook
from collector.facts.backup.commands.listed_files import listed
from collector.facts.logs.service_logs import writers
from collector.model import Capture, HostStatus, ReadResult, ReadStatus

_PLANTED = """
mount -t tmpfs x /etc/cron.d && mount -t tmpfs x /mnt && chmod 755 /etc/cron.d /mnt || exit 3
echo "0 3 * * * root tar -cf /b.tar --files-from=/mnt/list" >/etc/cron.d/b && cp list /mnt/list
sh ./read
"""


def _capture(read: str, stdout: bytes) -> Capture:
    result = ReadResult(read, ReadStatus.OK, stdout=stdout)
    return Capture("x", HostStatus.COMPLETE, reads={read: result})


@pytest.mark.parametrize(("length", "whole"), [(8100, True), (9000, False)])
def test_a_list_of_a_backup_that_is_cut_is_none(length: int, whole: bool, tmp_path: Path) -> None:
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        pytest.skip("needs root and unshare")
    (tmp_path / "list").write_text("/srv/data\n" * (length // 10))
    (tmp_path / "read").write_text(catalog.all_reads()["backup.lists"].body)
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", _PLANTED],
        cwd=tmp_path, stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False,
    )  # fmt: skip
    if done.returncode == 3:
        pytest.skip("nothing can be mounted here")
    capture = _capture("backup.lists", done.stdout)
    if whole:
        assert listed(capture)[0]["/mnt/list"] == ["/srv/data"] * (length // 10)
    else:
        with pytest.raises(CouldNotLook):
            listed(capture)


def test_services_with_more_open_files_than_are_read_are_not_told() -> None:
    said = b"== process 7 nginx\n== open\n== of 7\nw /var/log/nginx/access.log\n%s== end\n"
    assert len(writers(_capture("service_logs.open", said % b""))) == 1
    with pytest.raises(CouldNotLook):
        writers(_capture("service_logs.open", said % b"== more\n"))
