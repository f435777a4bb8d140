"""A host and another one in namespaces of their own: real backup tools, real transfers over ssh.

`shop` has its own mounts, processes, name and network. What is written there to /etc, /var, /root
and /usr/local lies in a tmpfs and is gone at the end. `vault` (10.77.0.2) runs a real sshd.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from collector import catalog
from collector.assess import assess_host
from collector.model import Capture, Finding
from collector.script import collector_script, parse_output
from tests.started import until, until_it_runs

TOOLS = ("unshare", "nsenter", "ip", "sshd", "ssh", "restic", "borg", "rsync", "gpg", "busybox")
CONTROLS = ("backup.offsite", "encryption.backups", "backup.jobs", "backup.fresh")
INVENTORY = """\
schema: urn:hostpledge:schema:data-inventory:1
owner: 张三
reviewed: 2026-11-01
stores:
  - {name: files, kind: path, path: /srv/data, category: 合同, level: 重要, personal: true, owner: 李四}
"""
_SHOP = r"""
set -e
mount --make-rprivate /
mount -t tmpfs -o mode=755 tmpfs "$T/over"
mount -t tmpfs -o mode=755 tmpfs /run; mount -t tmpfs -o mode=700 tmpfs /root; mount -t tmpfs -o mode=755 tmpfs /usr/local
for d in etc var; do
  mkdir -p "$T/over/$d" "$T/over/$d.w"; chmod 755 "$T/over/$d"
  mount -t overlay overlay -o "lowerdir=/$d,upperdir=$T/over/$d,workdir=$T/over/$d.w" "/$d"
done
mount --bind "$T/srv" /srv
# another disk: an overlay as a container's engine makes it, for what it rests on is told by its host
mkdir -p "$T/over/mnt" "$T/over/u/diff" "$T/over/mnt.w"; chmod 755 "$T/over/mnt" "$T/over/u/diff"
mount -t overlay overlay -o "lowerdir=$T/over/mnt,upperdir=$T/over/u/diff,workdir=$T/over/mnt.w" /mnt
mkdir /mnt/disk
rm -rf /etc/cron.d/* /etc/cron.*ly/* /var/spool/cron/* /etc/systemd/system/*
rm -rf /var/backups/* /etc/restic /etc/borgmatic
mkdir -p /root/.ssh /var/lib/hostpledge/backup /usr/local/bin /srv/data /var/spool/cron/crontabs
hostname shop; ip link set lo up
printf '127.0.0.1 localhost\n127.0.1.1 shop\n10.77.0.2 vault\n' >/etc/hosts
cp "$T/key" /root/.ssh/id; chmod 600 /root/.ssh/id
printf 'Host *\n IdentityFile /root/.ssh/id\n StrictHostKeyChecking no\n LogLevel ERROR\n' \
  >/root/.ssh/config
seq 1 3000 >/srv/data/contracts
ln -s "$(command -v busybox)" "$T/crond"; mkdir "$T/tabs"; "$T/crond" -b -c "$T/tabs" >/dev/null 2>&1
"""
_VAULT = r"""
set -e
mount --make-rprivate /; mount -t tmpfs -o mode=755 tmpfs /run; mkdir /run/sshd
mount -t tmpfs -o mode=755 tmpfs /mnt; ip link set lo up
cat >"$T/sshd_config" <<S
HostKey $T/host
AuthorizedKeysFile $T/key.pub
StrictModes no
UsePAM no
PermitRootLogin yes
Subsystem sftp internal-sftp
S
exec /usr/sbin/sshd -f "$T/sshd_config"
"""


class Lab:
    """Both hosts; `with Lab(folder) as lab:`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._held: list[subprocess.Popen[bytes]] = []
        self._inside: dict[str, int] = {}

    def __enter__(self) -> Self:
        self.folder.chmod(0o755)
        for name in ("over", "srv"):
            (self.folder / name).mkdir()
        for name in ("key", "host"):
            place = str(self.folder / name)
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", place], check=True)
        try:
            for name in ("shop", "vault"):
                self._start(name)
            link = f"ip link add v0 type veth peer name v1 netns {self._inside['vault']}"
            there = str(self._inside["shop"])
            # the other host's pid is one of this pid namespace
            subprocess.run(["nsenter", "-t", there, "-n", *link.split()], check=True)
            self.sh("ip addr add 10.77.0.1/24 dev v0; ip link set v0 up")
            self.sh("ip addr add 10.77.0.2/24 dev v1; ip link set v1 up", host="vault")
            self.sh(_VAULT, host="vault")
            self.sh(_SHOP)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for held in self._held:
            held.kill()
            held.wait()

    def _start(self, name: str) -> None:
        argv = ["unshare", "-m", "-n", "-u", "-p", "--fork", "--mount-proc", "--kill-child"]
        held = subprocess.Popen([*argv, "sleep", "900"])
        self._held.append(held)
        children = Path(f"/proc/{held.pid}/task/{held.pid}/children")
        until(lambda: bool(children.read_text().split()), "unshare did not start")
        self._inside[name] = int(children.read_text().split()[0])
        # until then it has no /proc of its own
        until_it_runs(self._inside[name], "900")

    def sh(self, text: str, *, host: str = "shop", fails: bool = False) -> str:
        """Runs sh as root; its end must be good, or bad where it `fails`."""
        argv = ["nsenter", "-t", str(self._inside[host]), "-m", "-n", "-u", "-p"]
        environment = {
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": "/root",
            "LC_ALL": "C.UTF-8",
            "T": str(self.folder),
        }
        done = subprocess.run(
            [*argv, "sh", "-s"],
            input=text.encode(),
            capture_output=True,
            env=environment,
            timeout=60,
            check=False,
        )
        said = (done.stdout + done.stderr).decode("utf-8", "replace")
        assert (done.returncode != 0) is fails, said
        return done.stdout.decode("utf-8", "replace")

    def job(self, script: str, *, name: str = "nightly", runs: bool = True) -> None:
        """A script that cron calls, and that runs now."""
        text = f"#!/bin/sh\nset -e\numask 077\n{script}\n"
        self.put(f"/usr/local/bin/{name}", text, "755")
        self.put(f"/etc/cron.d/{name}", f"0 2 * * * root /usr/local/bin/{name}\n", "644")
        if runs:
            self.sh(f"/usr/local/bin/{name}")

    def put(self, path: str, text: str, mode: str = "600") -> None:
        folder = path.rpartition("/")[0]
        self.sh(f"mkdir -p {folder}; cat >{path} <<'LAB_END'\n{text}\nLAB_END\nchmod {mode} {path}")

    def forget(self) -> None:
        """No jobs, no copies, no keys."""
        self.sh(
            "umount /mnt/* 2>/dev/null; rm -rf /etc/cron.d/* /usr/local/bin/* /srv/[!d]* /srv/d[!a]*"
            " /var/lib/hostpledge/backup/* /etc/restic /root/.config /root/.cache /var/backups/*"
            " /mnt/*; mkdir -p /mnt/disk"
        )
        self.sh("rm -rf /mnt/*", host="vault")

    def report(self, **said: object) -> str:
        """Lines of sh that write a good report of this run."""
        more = "".join(f', "{k}": {_json(v)}' for k, v in said.items())
        return (
            'now=$(date -u +%FT%TZ); printf \'{"schema": "urn:hostpledge:schema:backup-report:1",'
            ' "job": "nightly", "started": "%s", "finished": "%s", "ok": true'
            f', "paths": ["/srv/data"]{more}}}\\n\' "$now" "$now" >/var/lib/hostpledge/backup/n.json'
        )

    def collect(self) -> Capture:
        """What the collector script prints on `shop`, for the controls of backups."""
        reads = catalog.reads_for(catalog.control(c) for c in CONTROLS)
        out = self.sh(collector_script(reads.values()))
        return parse_output(out.encode(), host="shop")

    def look(self, *, grade: int = 2, inventory: str = INVENTORY) -> dict[str, Finding]:
        """A collection, judged now."""
        found = assess_host(
            self.collect(),
            [catalog.control(c) for c in CONTROLS],
            grade=grade,
            at=datetime.now(UTC),
            attached={"data-inventory": inventory.encode()},
        )
        return {f.control: f for f in found}


def _json(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else f'"{value}"'


def missing() -> str:
    """What is not here that the lab needs; empty when all is."""
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    gone = [t for t in TOOLS if shutil.which(t, path=path) is None]
    return ", ".join([*gone, *(["root"] if os.geteuid() else [])])
