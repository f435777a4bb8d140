"""Nothing is run because a process says that it is its program: any user makes one that does."""

from __future__ import annotations

import os
import re
import shutil
import sys
from pathlib import Path

import pytest

from collector import catalog
from collector.facts.base.opened import OPENED
from collector.facts.system.processes import processes
from collector.model import Capture, HostStatus, ReadResult, ReadStatus
from tests.mallory import Host, can_be_made

pytestmark = pytest.mark.skipif(not can_be_made(), reason="needs root, unshare, setpriv, setsid")
_READS = catalog.all_reads()
_BODY = _READS["web_servers.config"].body
_LOOP = "printf nginx >/proc/self/comm; while :; do sleep 1; done"
# in spaces of its own, where any user is root, a program of his lies at a path of the host's
_AT_A_PATH = f"""#!/bin/sh
exec unshare -Urm sh -c 'mount -t tmpfs none "${{1%/*}}" && cp /bin/dash "$1" &&
  exec "$1" -c "{_LOOP}"' sh "$1"
"""


@pytest.fixture
def host(tmp_path: Path) -> Host:
    made = Host(tmp_path / "host")
    made.write("/home/mallory/at", _AT_A_PATH, mallory=True, mode=0o755)
    made.folder("/var/lib/ran").chmod(0o777)
    return made


def _tells(host: Host, path: str) -> None:
    """A script of root's that nobody is to run; it leaves word of it."""
    host.write(path, '#!/bin/sh\nid -u >"/var/lib/ran/$$"\n', mode=0o755)


def _ran_by(host: Host) -> list[str]:
    return [path.read_text().strip() for path in host.at("/var/lib/ran").iterdir()]


@pytest.mark.parametrize("path", ["/opt/tools/purge", "/opt/tools/nginx"])
def test_a_users_process_has_no_program_of_roots_run(host: Host, path: str) -> None:
    """Neither any nor one of the very name that is asked for its settings."""
    _tells(host, path)
    host.started.append(f"./at {path}")
    told = host.ran("dash", "-c", f"readlink /proc/[0-9]*/exe\n{_BODY}").decode()
    if path not in told:
        pytest.skip("no user has spaces of his own here")
    assert "\n== nginx " in told
    assert _ran_by(host) == []


def test_another_program_that_goes_by_the_name_is_not_run(host: Host) -> None:
    host.as_root = True
    shutil.copy("/bin/dash", host.at("/opt/purge"))
    host.started.append(
        f"exec /opt/purge -c '{_LOOP}' & sleep 0.1; cp purge /opt/new; mv /opt/new /opt/purge; wait"
    )
    _tells(host, "/home/mallory/purge")
    os.chown(host.at("/home/mallory/purge"), 0, 0)
    assert "\n== nginx " in "\n" + host.ran("dash", "-c", _BODY).decode()
    assert _ran_by(host) == []


def test_roots_own_server_is_asked(host: Host) -> None:
    """Replaced since it was started, too."""
    host.as_root = True
    compiled = (
        '#!/bin/sh\necho "configure arguments: --prefix=/srv/www --conf-path=/srv/n.conf" >&2\n'
    )
    shutil.copy("/bin/dash", host.at("/opt/nginx"))
    host.write("/srv/nginx", compiled, mode=0o755)
    host.started.append(f"/opt/nginx -c '{_LOOP}' & sleep 0.1; mv /srv/nginx /opt/nginx; wait")
    told = host.ran("dash", "-c", _BODY).decode()
    assert "/srv/n.conf\n@prefix /srv/www\n" in told


_SSHD = "printf sshd >/proc/self/comm; while :; do sleep 1; done"
_MODULE = """
import runpy, sys, types
for name in ("ansible", "ansible.module_utils", "ansible.module_utils.basic"):
    sys.modules[name] = types.ModuleType(name)
sys.modules["ansible.module_utils.basic"].AnsibleModule = None
print(runpy.run_path(sys.argv[1])["_listeners"]())
"""


@pytest.mark.parametrize("name", ["purge", "sshd"])
def test_a_path_in_another_space_is_no_sshd(host: Host, name: str) -> None:
    """Root's process of that name: another program, and one that this host has not at its path."""
    host.as_root = True
    _tells(host, f"/opt/{name}")
    host.started.append(
        f"exec unshare -m sh -c 'mount -t tmpfs none /opt && cp /bin/dash /opt/{name} &&"
        f' exec /opt/{name} -c "{_SSHD}"\''
    )
    told = host.ran("dash", "-c", f"readlink /proc/[0-9]*/exe\n{_READS['sshd.effective'].body}")
    assert f"/opt/{name}\n".encode() in told
    assert _ran_by(host) == []
    module = Path(__file__).parents[1] / "plugins/modules/sshd.py"
    assert host.ran(sys.executable, "-c", _MODULE, str(module)) == b"[]\n"


def test_roots_sshd_is_found(host: Host) -> None:
    host.as_root = True
    shutil.copy("/bin/dash", host.at("/opt/sshd"))
    host.started.append(f"exec /opt/sshd -c '{_SSHD}'")
    assert b" /opt/sshd\n" in host.ran("dash", "-c", _READS["sshd.effective"].body)
    module = Path(__file__).parents[1] / "plugins/modules/sshd.py"
    assert b"('/opt/sshd', ['-c'" in host.ran(sys.executable, "-c", _MODULE, str(module))


_RUNS = "printf agent >/proc/self/comm; while :; do sleep 1; done"
# a program of his namespace, started from outside of it
_FROM_OUTSIDE = f"""#!/bin/sh
unshare -Urm sh -c 'mount -t tmpfs none /opt && cp /bin/dash /opt/agent && exec sleep 60' & p=$!
sleep 0.2
exec /proc/$p/root/opt/agent -c "{_RUNS}"
"""


def _agents(host: Host) -> list[tuple[str | None, bool | None, bool]]:
    printed = host.ran("dash", "-c", _READS["processes.all"].body)
    result = ReadResult("processes.all", ReadStatus.OK, stdout=printed)
    capture = Capture("h", HostStatus.COMPLETE, reads={result.id: result})
    return [(p.exe, p.own, p.foreign) for p in processes(capture).named("agent")]


@pytest.mark.parametrize("how", [_AT_A_PATH.replace(_LOOP, _RUNS), _FROM_OUTSIDE])
@pytest.mark.parametrize("installed", [False, True])
def test_a_link_in_a_users_space_is_no_agent(host: Host, how: str, installed: bool) -> None:
    host.write("/home/mallory/at", how, mallory=True, mode=0o755)
    if installed:
        shutil.copy("/bin/dash", host.at("/opt/agent"))
    host.started.append("./at /opt/agent")
    if (agents := _agents(host)) == []:
        pytest.skip("no user has spaces of his own here")
    assert agents == [("/opt/agent", False, True)]


@pytest.mark.parametrize(
    "space", ["", "unshare -m", "unshare -m sh -c 'mount --bind /opt /opt && \"$@\"' sh"]
)
def test_an_agent_in_the_space_of_its_unit_is_the_hosts(host: Host, space: str) -> None:
    """Its account is none of those who log in; units have mounts of their own (PrivateTmp=)."""
    host.as_root = True
    shutil.copy("/bin/dash", host.at("/opt/agent"))
    host.started.append(
        f"{space} setpriv --reuid=995 --regid=995 --clear-groups /opt/agent -c '{_RUNS}'"
    )
    assert _agents(host) == [("/opt/agent", True, False)]


def test_an_agent_that_was_replaced_since_is_the_hosts(host: Host) -> None:
    host.as_root = True
    for name in ("agent", "new"):
        shutil.copy("/bin/dash", host.at(f"/opt/{name}"))
    host.started.append(f"/opt/agent -c '{_RUNS}' & sleep 0.1; mv /opt/new /opt/agent; wait")
    assert _agents(host) == [("/opt/agent", True, False)]


def test_an_agent_in_a_users_folder_is_not_the_hosts(host: Host) -> None:
    shutil.copy("/bin/dash", host.at("/home/mallory/agent"))
    host.started.append(f"exec /home/mallory/agent -c '{_RUNS}'")
    assert _agents(host) == [("/home/mallory/agent", False, False)]


@pytest.mark.parametrize(("mode", "word"), [(0o755, "[]"), (0o4755, "[-]")])
def test_a_set_uid_program_does_not_speak_for_root(host: Host, mode: int, word: str) -> None:
    """Anybody starts it, with arguments of his choice, and it makes itself wholly root's."""
    host.as_root = True
    shutil.copy("/bin/dash", host.at("/opt/agent"))
    host.at("/opt/agent").chmod(mode)
    host.started.append(f"exec /opt/agent -c '{_RUNS}'")
    body = f'{OPENED}for p in $(hp_started agent); do hp_owner $p; echo "[$W]"; done'
    assert host.ran("dash", "-c", body).decode().split() == [word]


_OF_PROCESSES = re.compile(r"/proc/(?:\[0-9\]\*|\*|\?\*)/(?:cmdline|comm|environ|status|exe)")
_OF_USERS = re.compile(r"(?<![\w*])(?:/home/\*|/tmp/\*|/var/tmp/\*|/dev/shm/\*)")
# which files may look through all processes by themselves, and why no user gains by it
_LISTED = {
    "script.sh": "ends what it has started itself, by a mark of this run",
    "facts/system/processes.py": "all of them, each with its user",
    "facts/system/program_files.py": "all programs, each with its owner",
    "facts/logs/service_logs.py": "programs that wait for others; it is said where there are more",
}
# and look into every home
_HOMES = {
    "facts/backup/artefacts/borg_archives.py": "says in whose home it lies",
    "facts/backup/artefacts/lists_read.py": "what a dump leaves out: it only takes away",
    "facts/backup/commands/named_files.py": "says in whose home it lies",
    "facts/backup/commands/named_files_read.py": "keys that others may read: they only add",
    "facts/data/inventory_paths.py": "folders that nobody has listed: they only add",
    "facts/logs/log_look.sh": "logs of containers, each told by its own path",
    "facts/scheduling/jobs.py": "what his units call is told on his word (hp_names)",
    "facts/scheduling/starts.py": "his own units",
    "facts/security/web_folders.py": "where a server of root's serves the homes",
}


@pytest.mark.parametrize(("form", "listed"), [(_OF_PROCESSES, _LISTED), (_OF_USERS, _HOMES)])
def test_what_users_say_is_asked_for_by_the_shared_functions(
    form: re.Pattern[str], listed: dict[str, str]
) -> None:
    """hp_started, hp_saying, hp_said (then hp_owner or hp_system): else a reason stands above."""
    root = Path(catalog.__file__).parent
    paths = [p for p in root.rglob("*") if p.suffix in (".py", ".sh") and "/ansible/" not in str(p)]
    found = {str(p.relative_to(root)) for p in paths if form.search(p.read_text())}
    assert found == set(listed)
