"""Where data really lies: running databases, volumes of containers, disks, large folders.

The folder of a server is the one it works in: mysqld, postgres, mongod by its settings, redis and
their kin change into it (mysqld(8), postgres(1)); arguments that name one go before it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from collector.errors import CouldNotLook, NotUnderstood
from collector.facts.base.opened import OPENED
from collector.facts.base.paths import within
from collector.facts.base.redaction_of_places import MOUNTS
from collector.facts.data import folders as _folders
from collector.facts.data.folders import folders
from collector.facts.storage import volumes as _storage
from collector.facts.storage.mounts import holder, mounts, parsed
from collector.facts.storage.volumes import spaces
from collector.facts.system import processes as _processes
from collector.facts.system.processes import processes
from collector.i18n.message import msg
from collector.model import Capture, Read, Text, shell

_READ = "stores.places"
# program → engine of the inventory
_ENGINES = {
    "mysqld": "mysql",
    "mariadbd": "mariadb",
    "postgres": "postgresql",
    "postmaster": "postgresql",
    "mongod": "mongodb",
    "redis-server": "redis",
    "valkey-server": "redis",
    "minio": "other",
    "dmserver": "dameng",
    "kingbase": "kingbase",
    "gaussdb": "opengauss",
    "influxd": "other",
    "clickhouse": "other",
    "clickhouse-serv": "other",
}
# where data of a container lies in it when neither its folder nor its arguments tell
_USUAL = {"mongodb": "/data/db"}
# processes of databases that are looked at
_MOST = 300
_INSIDE = (
    "(docker|libpod|crio|cri-containerd|nerdctl)-[0-9a-f]{12,}|/(docker|lxc|kubepods|libpod_parent)"
)

READS: tuple[Read, ...] = (
    *_processes.READS,
    *_storage.READS,
    *_folders.READS,
    shell(
        _READ,
        OPENED
        + rf"""
p=$(hp_started '{"|".join(_ENGINES)}' own | head -n {_MOST + 1})
n=0; q=; for f in $p; do
  n=$((n+1)); [ $n -le {_MOST} ] || break
  q="$q /proc/$f/comm"
done
echo '== cwd'
[ $n -le {_MOST} ] || echo more
p=$q; c=; for f in $p; do c="$c ${{f%/comm}}/cwd"; done
[ -n "$c" ] && hp_ls -ldn $c 2>/dev/null
echo '== told'
for f in $p; do
  tr '\000' '\n' <"${{f%comm}}cmdline" 2>/dev/null | sed -n \
    -e 's,^--datadir=\(/.*\),\1,p' -e 's,^--dbpath=\(/.*\),\1,p' -e 's,^--data-path=\(/.*\),\1,p' \
    -e 's,^path=\(/.*\)/[^/]*$,\1,p' -e '/^-D$/{{n;/\//p;}}' -e '/^--dbpath$/{{n;/\//p;}}' \
    -e 's,^-D\(/.*\),\1,p' -e '/^server$/{{n;/^\//p;}}' | sed "s,^,$f ,"
done
[ -n "$p" ] && hp_sift E '^[[:space:]]*(dbPath|dbpath)[[:space:]]*[:=]' /etc/mongod.conf \
  /etc/mongodb.conf /usr/local/mongodb/*.conf 2>/dev/null
echo '== inside'
n=0
for f in $p; do
  f=${{f%/comm}}
  grep -qE '{_INSIDE}' "$f/cgroup" 2>/dev/null || continue
  n=$((n+1)); [ $n -le 60 ] || {{ echo more; break; }}
  grep -E ' - (ext[234]|xfs|btrfs|zfs|f2fs|overlay|nfs4?|cifs|ceph|fuse[^ ]*) ' "$f/mountinfo" \
    2>/dev/null | sed -e '61{{' -e 's/.*/more/;q' -e '}}' | sed "s,^,$f ,"
done
echo '== volumes'
for d in /var/lib/docker/volumes/*/_data /var/lib/containers/storage/volumes/*/_data; do
  [ -d "$d" ] && printf '%s\n' "$d"
done
echo '== end'
""",
        limit=1 << 17,
        redact=MOUNTS
        + r"""
/[dD]b[Pp]ath/s/[[:space:]]#.*//""",
        privileged=True,
        why=Text(
            "数据实际所在：正在运行的数据库的数据目录、容器卷",
            "where data really lies: folders of running databases, volumes of containers",
        ),
    ),
)

_CWD = re.compile(r"l\S*\s+\d+\s.*?\s/proc/(\d+)/cwd(?: -> (.*))?")
_TOLD = re.compile(r"/proc/(\d+)/comm (.+)")
_DBPATH = re.compile(r"/[^:]*:\s*db[Pp]ath\s*[:=]\s*[\"']?(/[^\"'#]*)")
# what belongs to the system itself, whatever disk it lies on
_SYSTEM = re.compile(
    r"/|/(boot|usr|run|dev|proc|sys|snap|etc|nix)(/.*)?|/(var|tmp|opt|root)"
    r"|/var/(log|tmp|cache|crash)(/.*)?|/var/(lib|spool|lib/docker|lib/containers)"
)
_DISKS = frozenset({"ext2", "ext3", "ext4", "xfs", "btrfs", "zfs", "f2fs", "jfs", "reiserfs"})
_REMOTE = frozenset({"nfs", "nfs4", "cifs", "smb3", "ceph", "fuse.glusterfs", "ocfs2", "gfs2"})


@dataclass(frozen=True, slots=True)
class Found:
    """Data that was found. `kind` is `database`, `volume` or `path`; `engine` of a database.

    `path` is empty where the server's folder could not be told. `name` is a volume's.
    """

    kind: str
    path: str
    engine: str
    name: str
    read: str
    line: str


def stores(capture: Capture, gibibytes: int, of_folders: int) -> tuple[Found, ...]:
    """Everything found; disks of their own from `gibibytes` on, folders from `of_folders` GiB on.

    Raises FactError.
    """
    text = capture.read(_READ).text()
    match = re.fullmatch(
        r"== cwd\n(.*?)== told\n(.*?)(?:== inside\n(.*?))?== volumes\n(.*?)== end\n",
        text,
        re.DOTALL,
    )
    if match is None:
        raise NotUnderstood(_READ, msg("ends_before_end"))
    listed = "".join(part or "" for part in match.groups()[:3])
    if re.search(r"^(?:/proc/\d+ )?more$", listed, re.MULTILINE):
        raise CouldNotLook(_READ, msg("more_databases_run_looked"))
    volumes = match[4].splitlines()
    found = [
        f
        for f in _servers(capture, match[1], match[2], match[3])
        if not any(within(f.path, volume) for volume in volumes)
    ]
    for path in volumes:
        if not re.fullmatch(r"/.*/[^/]+/_data", path):
            raise NotUnderstood(_READ, msg("not_folder_volume", path=path))
        name = path.split("/")[-2]
        found.append(Found("volume", path, "", name, _READ, path))
    found += _disks(capture, gibibytes)
    for folder in folders(capture):
        if (folder.size or 0) >= of_folders << 30 and not _known(folder.path, found):
            found.append(Found("path", folder.path, "", "", _folders.READ, folder.line))
    return tuple(found)


def running_engines(capture: Capture) -> frozenset[str]:
    """The engines of all database servers that run, those in containers too. Raises FactError."""
    run = processes(capture)
    if not run.complete:
        raise CouldNotLook("processes.all", msg("processes_others_hidden"))
    names = {(p.exe or p.name).rsplit("/", 1)[-1] for p in run.all} | {p.name for p in run.all}
    return frozenset(_ENGINES[name] for name in names if name in _ENGINES)


def unmeasured(capture: Capture) -> tuple[str, ...]:
    """Folders of which it is not known how large they are. Raises FactError."""
    return tuple(f.path for f in folders(capture) if f.size is None)


def _known(path: str, found: Iterable[Found]) -> bool:
    """Is something found below it or above it already, so that it would be told twice?"""
    return any(
        within(f.path, path) or within(path, f.path)
        for f in found
        if f.path and f.read != _folders.READ
    )


def _servers(capture: Capture, cwd: str, told: str, inside: str | None) -> Iterator[Found]:
    run = processes(capture)
    if not run.complete:
        raise CouldNotLook("processes.all", msg("processes_others_hidden"))
    works_in: dict[int, str] = {}
    for line in cwd.splitlines():
        match = _CWD.fullmatch(line)
        if match is None:
            raise NotUnderstood(_READ, msg("not_line_ls", line=line))
        works_in[int(match[1])] = match[2] or ""
    named: dict[int, str] = {}
    general = ""
    for line in told.splitlines():
        if match := _TOLD.fullmatch(line):
            named.setdefault(int(match[1]), match[2])
        elif match := _DBPATH.match(line):
            general = match[1].strip()
    by_pid = {p.pid: p for p in run.all}
    for process in run.all:
        parent = by_pid.get(process.ppid)
        program = (process.exe or process.name).rsplit("/", 1)[-1]
        engine = _ENGINES.get(program, _ENGINES.get(process.name, ""))
        if not engine or (parent is not None and parent.exe == process.exe):
            continue
        # captures of before told nothing of what a container mounts
        if process.container and inside is None:
            continue
        folder = works_in.get(process.pid, "")
        path = named.get(process.pid, "")
        if not path.startswith("/"):
            path = (general if engine == "mongodb" and not process.container else "") or folder
        if process.container:
            path = _outside(capture, process.pid, path, engine, inside or "")
        yield Found("database", "" if path == "/" else path, engine, "", _READ, process.line)


def _outside(capture: Capture, pid: int, path: str, engine: str, inside: str) -> str:
    """Where what a container has at `path` lies on the host; empty for its own layers."""
    path = _USUAL.get(engine, "") if path in ("", "/") else path
    prefix = f"/proc/{pid} "
    lines = [x.removeprefix(prefix) for x in inside.splitlines() if x.startswith(prefix)]
    there = holder(parsed("\n".join(lines), _READ), path) if lines and path else None
    if there is None or there.fstype == "overlay":
        return ""
    held = there.root.rstrip("/") + path[len(there.target.rstrip("/")) :]
    here = [m for m in mounts(capture) if m.number == there.number and within(held, m.root)]
    best = max(here, key=lambda m: len(m.root), default=None)
    return best.target.rstrip("/") + held[len(best.root.rstrip("/")) :] if best else ""


def _disks(capture: Capture, gibibytes: int) -> Iterator[Found]:
    """File systems of their own that hold data, and those of other hosts that are mounted here."""
    kinds = {m.target: m for m in mounts(capture)}
    known = spaces(capture)
    if not known:
        raise NotUnderstood("storage.space", msg("not_single_file_system"))
    for space in known:
        mount = kinds.get(space.target)
        if mount is None or _SYSTEM.fullmatch(space.target):
            continue
        if mount.fstype in _DISKS | _REMOTE and space.used >= gibibytes << 30:
            yield Found("path", space.target, "", "", "storage.space", space.line)
