"""What is typed twice goes back as what is typed once: /etc, /root, /home and the modes of logs.

Whoever reads NOT OK types a step again. Then what it kept has to be what was there before the
first time, and nothing of it may be left for the next round.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace

import pytest

from collector.remedies.steps import Step
from tests.fleet import Fleet
from tests.fleet.machine import why_not
from tests.remedies import typing
from tests.remedies.scene import GET
from tests.remedies.scenes import SCENES, Scene, typed

pytestmark = pytest.mark.fleet

HOSTS = ("bare", "bare-12")
_STATE = r"""
ours() {
  find /etc /root /home -xdev \( -name '*-' -o -name .pwd.lock -o -name .cache \
    -o -name ld.so.cache -o -name known_hosts.old \) -prune -o "$@"
}
ours -printf '%p\t%y %m %u:%g %l\n'
ours -type f -exec sha256sum {} + | sed 's/^\([0-9a-f]*\)  \(.*\)/\2 holds\t\1/'
find /var/log -xdev ! -type l -printf '%p\t%m\n'
"""
# the host's own, stricter in one number and more lenient in another than what is asked
_STRICT = r"""
printf 'deny = 3\nunlock_time = 60 # a minute\naudit' >/etc/security/faillock.conf
chmod 0600 /etc/security/faillock.conf
"""
_PLAIN = r"""
for who in known other third; do useradd -m -s /bin/bash $who; done
usermod -aG audio known
usermod -p '*' other
install -d -m 0755 -o third /home/third/.ssh
echo 'ssh-ed25519 of old' >/home/third/.ssh/authorized_keys
chmod 0644 /home/third/.ssh/authorized_keys
"""
# what somebody wrote there is not thrown away
_STAYS = (
    "/etc/hostpledge",
    "/root/event-ledger.yml.ended",
    "/root/data-inventory.yml.ended",
    "/root/.ssh/backup_ed25519.ended",
    "/root/.ssh/backup_ed25519.pub",
)
_KEYS = {name: f"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI{name * 43} {name}" for name in "JKL"}
_TWO = {"ADMIN": "known", "ADMIN_KEY": _KEYS["J"], "SECOND": "other", "SECOND_KEY": _KEYS["K"]}


def _of(id: str, **changed: object) -> Scene:
    return replace(SCENES[id], name="twice", **changed)  # type: ignore[arg-type]


SOME = (
    _of(
        "intrusion.lockout",
        steps=(0,),
        prepare=_STRICT,
        works=r"""
grep -qx 'deny = 3' /etc/security/faillock.conf
grep -qx 'unlock_time = 600' /etc/security/faillock.conf
grep -qx audit /etc/security/faillock.conf
[ "$(grep -c even_deny_root /etc/security/faillock.conf)" = 1 ]
""",
        away="printf '# defaults\\n' >/etc/security/faillock.conf",
    ),
    _of("intrusion.lockout", steps=(0,), prepare="rm -f /etc/security/faillock.conf"),
    _of("intrusion.password_age", steps=(0, 1)),
    _of("intrusion.session_timeout", steps=(0,)),
    _of(
        "intrusion.session_timeout",
        steps=(0,),
        prepare="echo TMOUT=7200 >/etc/profile.d/tmout.sh",
        away="rm /etc/profile.d/tmout.sh",
    ),
    _of("intrusion.idle_accounts", steps=(0,)),
    _of("intrusion.ssh_crypto", steps=(0,)),
    _of("intrusion.cleartext_services-inetd"),
    _of("intrusion.rootkit_scan-expected"),
    _of("encryption.password_hash", steps=(0,), works="", away="userdel -r kept"),
    _of("encryption.backups", steps=(0,)),
    _of("logging.tamper_protection", steps=(0, 1)),
    _of("logging.retention_configured", steps=(0,)),
    _of("logging.logins", steps=(1, 2)),
    _of("logging.record_fields", steps=(0,)),
    _of(
        "logging.persistent",
        steps=(0,),
        prepare="""
mkdir -p /etc/systemd/journald.conf.d
printf '[Journal]\\nStorage=auto\\n' >/etc/systemd/journald.conf.d/50-persistent.conf
""",
        works="grep -qx Storage=auto /etc/systemd/journald.conf.d/50-persistent.conf",
        away="rm /etc/systemd/journald.conf.d/50-persistent.conf",
    ),
    _of(
        "backup.offsite",
        steps=(0,),
        fill={"BACKUP_HOST": "127.0.0.1"},
        prepare="""
install -d -m 0700 /root/.ssh
printf 'Host 127.0.0.1\\n  User bak\\n  Port 22\\n' >/root/.ssh/config
ssh-keyscan -t ed25519 127.0.0.1 >/root/.ssh/known_hosts
""",
        works='[ "$(grep -c backup_ed25519 /root/.ssh/config)" = 1 ]',
        away="rm -f /root/.ssh/backup_ed25519* /root/.ssh/config /root/.ssh/known_hosts",
    ),
    _of("monitoring.state", steps=(0,)),
    _of("monitoring.event_ledger", steps=(0,)),
    _of(
        "classification.inventory",
        steps=(0,),
        prepare="mkdir -p /etc/hostpledge; echo of-the-host >/etc/hostpledge/data-inventory.yml",
        works="! grep of-the-host /etc/hostpledge/data-inventory.yml",
        away="rm /root/data-inventory.yml.ended /etc/hostpledge/data-inventory.yml",
    ),
    _of("classification.discovered", steps=(0,)),
    _of(
        "intrusion.privilege_separation",
        steps=(0, 1),
        fill={**_TWO, "AUDITOR": "third", "AUDITOR_KEY": _KEYS["L"]},
        prepare=_PLAIN,
        works="grep -qx 'ssh-ed25519 of old' /home/third/.ssh/authorized_keys",
        away="for who in known other third; do userdel -r $who; done",
    ),
    _of(
        "intrusion.root_login-there", steps=(0,), fill={"ADMIN": "known"}, prepare=_PLAIN, works="",
        away="for who in known other third; do userdel -r $who; done",
    ),
)  # fmt: skip
_NAMED = [f"{scene.control}-{n}" for n, scene in enumerate(SOME)]


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    if reason := why_not():
        say = pytest.fail if os.environ.get("CI") else pytest.skip
        say(f"containers cannot run here: {reason}")
    folder = tmp_path_factory.mktemp("twice")
    with Fleet(HOSTS, folder=folder, prefix=f"twice-{os.getpid()}") as running:
        yield running


def _state(fleet: Fleet, host: str) -> dict[str, str]:
    done = fleet.execute(host, "sh", "-s", data=_STATE.encode())
    assert done.returncode == 0, done.stderr
    lines = done.stdout.decode("utf-8", "replace").splitlines()
    return dict(line.split("\t", 1) for line in lines)


def _differs(before: dict[str, str], after: dict[str, str]) -> dict[str, tuple[str, str]]:
    """Of logs only the modes of those that are there both times: they come and go."""
    none = "not there"
    paths = {
        path
        for path in before.keys() | after.keys()
        if path.removesuffix(" holds") not in _STAYS
        and (not path.startswith("/var/log/") or (path in before and path in after))
    }
    pairs = {path: (before.get(path, none), after.get(path, none)) for path in sorted(paths)}
    return {path: pair for path, pair in pairs.items() if pair[0] != pair[1]}


def _run(fleet: Fleet, host: str, text: str, fill: dict[str, str] | None = None) -> str:
    status, said = typing.paste(fleet, host, ["set -e", text], fill or {})
    assert status == 0, f"{host}: {said[-1500:]}"
    return said


def _packages(fleet: Fleet, host: str, steps: list[Step]) -> None:
    """What they install is not for the way back to take away, so it is there before."""
    wanted = " ".join(sorted({name for step in steps for name in step.packages}))
    if wanted:
        _run(fleet, host, f"{GET} {wanted} >/dev/null")


# each scene on one of the two, in turn; all of them take a quarter of an hour
_ALL = bool(os.environ.get("HOSTPLEDGE_TYPED_TWICE"))
_PAIRS = [
    pytest.param(scene, host, id=f"{_NAMED[turn]}-{host}")
    for turn, scene in enumerate(SOME)
    for place, host in enumerate(HOSTS)
    if _ALL or turn % len(HOSTS) == place
]


@pytest.mark.parametrize(("scene", "host"), _PAIRS)
def test_typed_twice_and_taken_back(fleet: Fleet, host: str, scene: Scene) -> None:
    steps = typed(scene)
    fill = dict(scene.fill)
    _packages(fleet, host, steps)
    if scene.prepare:
        _run(fleet, host, scene.prepare)
    try:
        before = _state(fleet, host)
        for step in steps:
            typing.do(fleet, host, step.commands, fill)
            typing.do(fleet, host, step.commands, fill)
            assert typing.holds(fleet, host, step, fill), step.check
        if scene.works:
            _run(fleet, host, scene.works)
        for step in reversed(steps):
            typing.do(fleet, host, step.back, fill)
        assert _differs(before, _state(fleet, host)) == {}
    finally:
        if scene.away:
            _run(fleet, host, scene.away)


@pytest.mark.parametrize("host", HOSTS)
def test_each_step_takes_back_what_it_made_itself(fleet: Fleet, host: str) -> None:
    """An account that one step made outlives the way back of another that used it."""
    (separated,) = typed(_of("intrusion.privilege_separation", steps=(0,)))
    (by_name,) = typed(_of("intrusion.root_login-there", steps=(0,)))
    before = _state(fleet, host)
    for _ in range(2):
        typing.do(fleet, host, separated.commands, _TWO)
        typing.do(fleet, host, by_name.commands, {"ADMIN": "known"})
    typing.do(fleet, host, by_name.back, {"ADMIN": "known"})
    assert typing.holds(fleet, host, separated, _TWO), "its administrators are gone"
    said = typing.do(fleet, host, separated.back, _TWO)
    left = {name.split("/")[2] for name in _differs(before, _state(fleet, host))}
    assert len(left) == 2, left
    for name in left:
        assert name.split(".ended-")[0] in ("known", "other"), name
        assert f"/home/{name}" in said, "what stays is named"
        _run(fleet, host, f'[ "$(find /home/{name} ! -user root | wc -l)" = 0 ]')
        _run(fleet, host, f'[ "$(stat -c %a /home/{name})" = 700 ]; rm -r /home/{name}')
