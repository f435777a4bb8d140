"""What is restored by each kind of copy, at a real host: whole ones, and ones that only look it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import replace

import pytest

from collector.facts.probed.outcome import RAISES, Outcome
from collector.facts.probed.recording import recording
from collector.facts.probed.restored import restore
from collector.model import Capture, HostStatus
from collector.run.probing import acts
from collector.run.probing.site import Site, Undone
from tests import probe_hosts
from tests import restore_hosts as made
from tests.fleet import Fleet
from tests.fleet.machine import why_not

pytestmark = pytest.mark.fleet

HOST = "restores"
_PASSWORD = {"password_file": "/etc/backup/password"}
_BORG = {"tool": "borg", "path": "/srv/shop", **_PASSWORD}
_RESTIC = {"tool": "restic", "path": "/srv/shop", **_PASSWORD}
GOOD = {
    "tar": {"tool": "tar", "path": "/srv/backup/shop-*.tar.gz"},
    "tar-plain": {"tool": "tar", "path": "/srv/backup/plain-*.tar"},
    # names with blanks, of no ASCII
    "tar-names": {"tool": "tar", "path": "/srv/backup/names-*.tar.gz"},
    "restic-names": {**_RESTIC, "path": "/srv/names", "repository": "/srv/backup/restic-names"},
    "borg-names": {**_BORG, "path": "/srv/names", "repository": "/srv/backup/borg-names"},
    "borg": {**_BORG, "repository": "/srv/backup/borg"},
    "restic": {**_RESTIC, "repository": "/srv/backup/restic"},
    "mysql": {"tool": "mysql_dump", "path": "/srv/backup/shop-my*.sql.gz"},
    "mysql-all": {"tool": "mysql_dump", "path": "/srv/backup/all-my.sql"},
    "pg-plain": {"tool": "dump", "path": "/srv/backup/pg-plain.sql.gz"},
    "pg-inserts": {"tool": "dump", "path": "/srv/backup/pg-inserts.sql"},
    "pg-create": {"tool": "dump", "path": "/srv/backup/pg-create.sql"},
    "pg-clean": {"tool": "dump", "path": "/srv/backup/pg-clean.sql"},
    "pg-packed": {"tool": "dump", "path": "/srv/backup/pg-packed.dump"},
    "pgbackrest": {"tool": "pgbackrest", "path": "shop", "repository": "/srv/backup/pgbackrest"},
}
HOLLOW = {
    "tar-cut-off": {"tool": "tar", "path": "/srv/cut/shop-*.tar.gz"},
    "tar-plain-cut-off": {"tool": "tar", "path": "/srv/cut/plain-*.tar"},
    "tar-of-other-content": {"tool": "tar", "path": "/srv/cut/other-*.tar.gz"},
    "tar-none": {"tool": "tar", "path": "/srv/none/*.tar.gz"},
    "borg-rotten": {**_BORG, "repository": "/srv/cut/borg"},
    "restic-rotten": {**_RESTIC, "repository": "/srv/cut/restic"},
    "borg-keep": {**_BORG, "path": "/srv/kept", "repository": "/srv/cut/borg-keep"},
    "restic-keep": {**_RESTIC, "path": "/srv/keep", "repository": "/srv/cut/restic-keep"},
    "pgbackrest-rotten": {
        "tool": "pgbackrest",
        "path": "bad",
        "repository": "/srv/cut/pgbackrest",
    },
    "pg-cut": {"tool": "dump", "path": "/srv/cut/pg-cut.sql"},
    "pg-packed-cut": {"tool": "dump", "path": "/srv/cut/pg-packed.dump"},
    "pg-raises": {"tool": "dump", "path": "/srv/cut/pg-raises.sql"},
    # in the middle of a line too psql takes it for a command of its own
    "pg-commands": {"tool": "dump", "path": "/srv/cut/pg-commands.sql"},
    # no definer has rights that were not given
    "mysql-as-root": {"tool": "mysql_dump", "path": "/srv/cut/as-root-my.sql"},
    "mysql-cut-off": {"tool": "mysql_dump", "path": "/srv/cut/shop-my.sql.gz"},
    "mysql-plain-cut-off": {"tool": "mysql_dump", "path": "/srv/cut/all-my.sql"},
    "mysql-does-not-load": {"tool": "mysql_dump", "path": "/srv/cut/wrong-my.sql"},
    "mysql-empty": {"tool": "mysql_dump", "path": "/srv/cut/empty-my.sql"},
}
# that it cannot be told is no fault of the copy
UNTOLD = {
    "borg-passphrase": {
        **_BORG,
        "repository": "/srv/backup/borg",
        "password_file": "/etc/hostname",
    },
    "borg-no-repository": {**_BORG, "repository": "/srv/none"},
    "borg-other-path": {**_BORG, "repository": "/srv/backup/borg", "path": "/srv/crm"},
    # what reaches beyond the throw-away database
    "pg-program": {"tool": "dump", "path": "/srv/cut/pg-program.sql"},
    "mysql-reaches": {"tool": "mysql_dump", "path": "/srv/cut/reaches-my.sql"},
    "pg-several": {"tool": "dump", "path": "/srv/cut/pg-several.sql"},
    "mysql-of-another-product": {"tool": "mysql_dump", "path": "/srv/cut/mysql-my.sql"},
    "pgbackrest-stanza": {**GOOD["pgbackrest"], "path": "crm"},
    "tar-of-unknown-kind": {"tool": "tar", "path": "/etc/hostname"},
}
# like another one that stands here: for the long form, as of the other tests of probes
_ALIKE = (
    "tar-plain", "tar-plain-cut-off", "mysql-all", "mysql-plain-cut-off", "mysql-empty",
    "borg-no-repository", "borg-other-path", "pg-inserts", "pg-packed-cut", "mysql-as-root",
)  # fmt: skip
_LONG = int(os.environ.get("HOSTPLEDGE_PROBE_KILLS", "2")) > 2
_LEFT = (
    "ls -d /run/host* /var/tmp/was-here; grep hostpledge-probe /proc/mounts; "
    "pgrep -u 65534,$(seq -s, 65521 65530) -l ."
)
_STATE = "find /srv -printf '%p %y %s %T@ %C@ %m %u\\n' | sort | sha256sum"


@pytest.fixture(scope="module")
def hosts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    if reason := why_not():
        say = pytest.fail if os.environ.get("CI") else pytest.skip
        say(f"containers cannot run here: {reason}")
    folder = tmp_path_factory.mktemp("restores")
    with Fleet((HOST,), folder=folder, prefix=f"restores-{os.getpid()}") as running:
        for text in made.ALL:
            done = running.execute(HOST, "sh", "-e", data=text.encode(), seconds=180)
            assert done.returncode == 0, done.stderr.decode()[-2000:]
        yield running


def _chosen(names: Iterable[str]) -> list[str]:
    return [name for name in names if _LONG or name not in _ALIKE]


def _restored(hosts: Fleet, wanted: dict[str, str]) -> Outcome:
    """As `hostpledge probe` does it, with the host's shell in place of the connection."""

    def ask(text: str, _: float) -> str:
        done = hosts.execute(HOST, "sh", "-s", data=text.encode(), seconds=600)
        return done.stdout.decode("utf-8", "replace")

    capture = Capture(HOST, HostStatus.COMPLETE)
    site = Site("restore", capture, ask, ask, {"restore": {"store": "shop", **wanted}})
    try:
        acts.restore(site)
    except Undone as why:
        site.note("undone", " ".join(map(str, why.args)).strip())
    read = site.recorded()
    made_of = recording(replace(capture, reads={read.id: read}), "restore")
    assert made_of is not None and made_of.left == ()
    return restore(made_of, ("shop",))


def _state(hosts: Fleet) -> bytes:
    """The copies and what they were made of, to the nanosecond."""
    return hosts.execute(HOST, "sh", "-c", _STATE).stdout


@pytest.fixture(autouse=True)
def untouched(hosts: Fleet) -> Iterator[None]:
    """Whatever came of it: the copies are as they were, and nothing is left."""
    before = _state(hosts)
    yield
    assert _state(hosts) == before
    left = hosts.execute(HOST, "sh", "-c", _LEFT)
    assert left.stdout == b"", left.stdout


@pytest.mark.parametrize("name", _chosen(GOOD))
def test_a_whole_copy_is_restored(hosts: Fleet, name: str) -> None:
    found = _restored(hosts, GOOD[name])
    assert found.came == "logged", found
    whole = RAISES["restore"] if name != "pgbackrest" else ("backup.verified",)
    assert found.holds == whole, found
    assert found.recording.said("before") == found.recording.said("after") != ()


@pytest.mark.parametrize("name", _chosen(HOLLOW))
def test_a_copy_that_only_looks_whole_is_caught(hosts: Fleet, name: str) -> None:
    found = _restored(hosts, HOLLOW[name])
    assert (found.came, found.broken) == ("nothing", RAISES["restore"]), found


@pytest.mark.parametrize("name", _chosen(UNTOLD))
def test_what_cannot_be_told_is_not(hosts: Fleet, name: str) -> None:
    found = _restored(hosts, UNTOLD[name])
    assert (found.came, found.holds, found.broken) == (None, (), ()), found


# a service that runs as nobody, and somebody who looks on: how it is with the probe's own server
_WATCHED = r"""
cat >/tmp/of-it <<'OF'
for p in /proc/[0-9]*; do
  ! tr '\0' ' ' <"$p/cmdline" 2>/dev/null |
    grep -q '^[^ ]*\(postgres\|mariadbd\) .*hostpledge-probe' || "$@"
done
OF
rm -f /tmp/whose /tmp/least /tmp/watched; : >/tmp/reached; chmod 666 /tmp/reached
setsid setpriv --reuid=65534 --regid=65534 --clear-groups sh -c 'cd /
  until [ -e /tmp/watched ]; do
    for f in /run/hostpledge-probe/* /run/hostpledge-probe/room/*; do
      [ ! -e "$f" ] || echo "$f" >>/tmp/reached
    done
    . /tmp/of-it; sleep 0.05
  done' sh eval 'head -c 1 "$p/environ" >>/tmp/reached' >/dev/null 2>&1 </dev/null &
setsid sh -c 'until [ -e /tmp/watched ]; do
    . /tmp/of-it; df -k /run | tail -n 1 >>/tmp/least; sleep 0.05
  done' sh eval 'stat -c "%u %g" "$p" >>/tmp/whose' >/dev/null 2>&1 </dev/null &
"""
_SEEN = """
: >/tmp/watched; cat /tmp/reached; echo =; sort -u /tmp/whose; echo =
awk '{ print $4 }' /tmp/least | sort -n | head -n 1
"""


def _watched(hosts: Fleet, wanted: dict[str, str]) -> tuple[Outcome, str, list[str], int]:
    """What came of it, what a service reached, whose its processes were, and what was left free."""
    hosts.execute(HOST, "sh", data=_WATCHED.encode())
    found = _restored(hosts, wanted)
    seen = hosts.execute(HOST, "sh", data=_SEEN.encode()).stdout.decode()
    reached, whose, least = seen.split("=\n")
    return found, reached, whose.split("\n")[:-1], int(least)


@pytest.mark.parametrize("name", ["pg-plain", "mysql"])
def test_no_service_shares_the_account_of_the_server(hosts: Fleet, name: str) -> None:
    """What runs as nobody is any service's: it had the dump, and the say of what came of it."""
    found, reached, whose, _ = _watched(hosts, GOOD[name])
    assert found.came == "logged", found
    assert reached == ""
    assert len(whose) == 1, whose
    number, group = map(int, whose[0].split())
    assert number == group
    assert 65521 <= number <= 65530
    for table in ("passwd", "group"):
        assert hosts.execute(HOST, "getent", table, str(number)).returncode == 2


@pytest.mark.parametrize("name", ["pg-grows", "mysql-grows"])
def test_what_grows_beyond_its_room_fills_no_memory_of_the_host(hosts: Fleet, name: str) -> None:
    """Whoever has rows in a database decides how well its dump packs."""
    hosts.execute(HOST, "sh", data=made.GROWS.encode())
    before = int(hosts.execute(HOST, "sh", "-c", "df -k /run | awk 'END { print $4 }'").stdout)
    found, _, _, least = _watched(hosts, made.GROWING[name])
    hosts.execute(HOST, "sh", data=made.GROWN.encode())
    assert (found.came, found.holds, found.broken) == (None, (), ()), found
    assert found.recording.said("undone")[0].startswith("no_room "), found
    assert least > before - 4096


def test_nothing_is_left_on_the_host(hosts: Fleet) -> None:
    """Its tree and accounts, before and after one of each kind."""
    before = hosts.execute(HOST, "sh", data=probe_hosts.TREES.encode()).stdout
    for name in ("borg", "restic", "mysql", "pgbackrest", "tar"):
        _restored(hosts, GOOD[name])
    assert hosts.execute(HOST, "sh", data=probe_hosts.TREES.encode()).stdout == before
