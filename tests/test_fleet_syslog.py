"""Hosts of which rsyslog or syslog-ng writes the logs, as Debian 12 and 13 set them up.

With the journal alone, and with rsyslog on Debian 13, they are among the hosts of the whole fleet.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator

import pytest

from collector import catalog
from collector.assess import assess_host
from collector.model import Finding, Result
from collector.script import collector_script, parse_output
from tests.fleet import Fleet
from tests.fleet.machine import environment, why_not

pytestmark = pytest.mark.fleet

HOSTS = ("syslog-ng", "syslog-ng-12", "rsyslog-12")
_CONTROLS = {id: c for id, c in catalog.controls().items() if id.startswith("logging.")}
_SCRIPT = collector_script(catalog.reads_for(_CONTROLS.values()).values())


@pytest.fixture(scope="module")
def hosts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    if reason := why_not():
        say = pytest.fail if os.environ.get("CI") else pytest.skip
        say(f"containers cannot run here: {reason}")
    folder = tmp_path_factory.mktemp("syslog")
    with Fleet(HOSTS, folder=folder, prefix=f"syslog-{os.getpid()}") as running:
        yield running


def _look(hosts: Fleet, host: str) -> dict[str, Finding]:
    done = subprocess.run(
        [*hosts.ssh(host), "sh -s"],
        input=_SCRIPT.encode(),
        capture_output=True,
        env=environment(),
        check=True,
    )
    capture = parse_output(done.stdout, host=host)
    found = assess_host(capture, _CONTROLS.values(), grade=2, at=capture.collected_at)
    return {f.control: f for f in found}


@pytest.mark.parametrize("host", HOSTS)
def test_as_installed(hosts: Fleet, host: str) -> None:
    """Who logs in is on record, and the rules of the package throw it away too early."""
    _look(hosts, host)
    found = _look(hosts, host)
    daemon = "rsyslog" if host.startswith("rsyslog") else "syslog-ng"
    assert found["logging.persistent"].message.en.startswith(f"{daemon} runs, starts at boot")
    assert "login → /var/log/auth.log" in found["logging.families"].message.en
    assert {f.control: (str(f.result), f.reason) for f in found.values()} == {
        "logging.audit_coverage": ("notapplicable", "container"),
        "logging.audit_enabled": ("notapplicable", "container"),
        "logging.capacity": ("pass", "enough"),
        "logging.daemon_protection": ("notapplicable", "container"),
        "logging.drops": ("pass", "none_lost"),
        "logging.families": ("pass", "live"),
        "logging.logins": ("partial", "young"),
        "logging.no_gaps": ("pass", "unbroken"),
        "logging.persistent": ("pass", "files"),
        "logging.record_fields": ("pass", "complete"),
        "logging.remote_copy": ("fail", "no_target"),
        "logging.retention_configured": ("fail", "short"),
        "logging.retention_observed": ("partial", "young"),
        "logging.tamper_protection": ("pass", "guarded"),
        "logging.web_source_port": ("notapplicable", "no_server"),
    }
    short = found["logging.retention_configured"].message.en
    assert "/var/log/auth.log (28 d)" in short
    # syslog-ng of Debian rotates this one by the day
    assert f"/var/log/syslog ({28 if daemon == 'rsyslog' else 7} d)" in short


@pytest.mark.parametrize("host", HOSTS)
def test_kept_for_longer(hosts: Fleet, host: str) -> None:
    """Once every rule keeps thirty weeks, and the journal lies in memory and hands all on."""
    keep = "s/^([[:space:]]*)(daily|weekly|monthly)/\\1weekly/; s/rotate [0-9]+/rotate 30/"
    done = hosts.execute(
        host,
        *("sh", "-ec"),
        f"sed -i -E '{keep}' /etc/logrotate.conf /etc/logrotate.d/*;"
        " mkdir -p /etc/systemd/journald.conf.d;"
        " printf '[Journal]\\nStorage=volatile\\n' >/etc/systemd/journald.conf.d/keep.conf;"
        # the folder itself is a mount here
        " rm -rf /var/log/journal/*; systemctl restart systemd-journald",
    )
    assert done.returncode == 0, done.stderr
    found = _look(hosts, host)
    kept = found["logging.retention_configured"]
    assert (kept.result, kept.reason) == (Result.PASS, "kept"), kept.message.en
    assert found["logging.persistent"].result is Result.PASS
