"""Connections as ss prints them, and what must not leave the host with agents' settings."""

from __future__ import annotations

import subprocess

import pytest

from collector.errors import CouldNotLook, NotUnderstood
from collector.facts.logs.forwarding.connections import READS, log_links
from collector.model import Capture, HostStatus, ReadResult, ReadStatus

_SETTINGS = """\
== file /etc/filebeat/filebeat.yml
|output.elasticsearch:
|  hosts: ["https://elastic:Zx9Geheim1@192.0.2.1:9200"]
|  password: "Zx9Geheim2"
|  api_key: "id:Zx9Geheim3"
|  headers: {X-Token: Zx9Geheim0}
== file /etc/fluent-bit/fluent-bit.conf
|    HTTP_Passwd Zx9Geheim4
|    AWS_Secret_Key Zx9Geheim5
|    Header Authorization Bearer Zx9Geheim6xxxxxxxx
|    cloud_auth elastic:Zx9Geheim7
"""


def _capture(text: str) -> Capture:
    read = ReadResult("log_shipping.state", ReadStatus.OK, stdout=text.encode())
    # whose program 93 is was not seen
    run = ReadResult("processes.all", ReadStatus.OK, stdout=b"/proc/1/status:Name:\tsystemd\n")
    return Capture("h", HostStatus.COMPLETE, reads={read.id: read, run.id: run})


def test_no_secret_of_an_agent_leaves() -> None:
    read = READS[0]
    done = subprocess.run(["sed", "-e", read.redact], input=_SETTINGS, capture_output=True,
                          text=True, check=True)  # fmt: skip
    assert "Zx9Geheim" not in done.stdout
    assert "192.0.2.1:9200" in done.stdout
    assert "***" not in done.stdout, "an alias in YAML"


def test_a_link_as_ss_prints_it() -> None:
    """iproute2 6.15 on Debian 13, an address of IPv4 in IPv6."""
    known = log_links(
        _capture(
            "== process 93 rsyslogd\n== links\n"
            "|0      76     [::ffff:10.89.0.4]:53648 [::ffff:10.89.0.3]:514 "
            'users:(("rsyslogd",pid=93,fd=8))\n'
            "|\t bbr wscale:10,10 bytes_sent:1469 bytes_acked:1280 lastsnd:1432 lastrcv:8784"
            " lastack:7760 notsent:38\n== end\n"
        )
    )
    (link,) = known.held({93})
    assert known.pids("rsyslogd") == set()
    assert known.unsure("rsyslogd")
    assert link.peer == (4, 0x0A590003, 514)
    assert (link.waiting, link.sent, link.answered, link.through) == (76, 1.432, 7.76, 1280)


@pytest.mark.parametrize(
    "text",
    ["", "== process 93 rsyslogd\n", "== process 93 rsyslogd\n== links\n|nonsense\n== end\n",
     "== something\n== end\n"],
)  # fmt: skip
def test_what_is_not_whole_is_not_taken(text: str) -> None:
    with pytest.raises(NotUnderstood):
        log_links(_capture(text))


def test_connections_that_are_missing() -> None:
    with pytest.raises(CouldNotLook, match="missing"):
        log_links(_capture("== process 93 rsyslogd\n== end\n"))
