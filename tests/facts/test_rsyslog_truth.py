"""What gets where, against what rsyslogd itself delivered (rsyslog_delivered.yml)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from collector.errors import NotUnderstood
from collector.facts.logs.model.syslog_message import FACILITIES, Syslog
from collector.facts.logs.syslog.rsyslog.config import rsyslog_of
from collector.model import CapturedFile, ReadStatus

_MAIN = "/etc/rsyslog.conf"
_DELIVERED: list[dict[str, Any]] = yaml.safe_load(
    (Path(__file__).parent / "rsyslog_delivered.yml").read_text(encoding="utf-8")
)


def _of(text: str, **more: str) -> Syslog:
    files = {_MAIN: text} | {f"/etc/rsyslog.d/{n}.conf": t for n, t in more.items()}
    found = {p: CapturedFile(p, ReadStatus.OK, data=t.encode()) for p, t in files.items()}
    return rsyslog_of(found, _MAIN, "host1.example.org")


def _expand(said: str) -> set[str]:
    every = set(FACILITIES) - {"kern"}
    words = said.split()
    if words[:1] == ["*"]:
        return every - set(words[2:])
    return set(words)


@pytest.mark.parametrize("row", _DELIVERED, ids=lambda r: r["config"].splitlines()[0][:60])
def test_delivered(row: dict[str, Any]) -> None:
    found = _of('module(load="imuxsock")\n' + row["config"])
    for name, said in row["delivered"].items():
        takes = {facility for o in found.outputs if o.path == f"/o/{name}" for facility in o.takes}
        unsure = {facility for o in found.outputs for facility in o.unsure}
        assert takes == _expand(said) or takes < _expand(said) <= takes | unsure, name


def test_a_host_name() -> None:
    """Tried on Debian 12 and 13: rsyslogd has the short name."""
    text = ':hostname, !isequal, "host1" stop\nif $hostname == "host1" then /o/a\n'
    assert set(FACILITIES) - {"kern"} == _of(text).outputs[0].takes


def test_what_rsyslogd_refuses_is_not_guessed() -> None:
    """`&` after a block: rsyslogd does not start with it."""
    with pytest.raises(NotUnderstood, match="no rule before"):
        _of('if $msg == "x" then { stop }\n& stop\n')
    with pytest.raises(NotUnderstood, match="no ruleset is named 'nowhere'"):
        _of("call nowhere\n")
    with pytest.raises(NotUnderstood, match="has no end"):
        _of("if 1 then { stop\n")


def test_kernel_messages_need_their_module() -> None:
    assert "kern" not in _of('module(load="imuxsock")\n*.* /o/a\n').outputs[0].takes
    assert "kern" in _of('module(load="imklog")\n*.* /o/a\n').outputs[0].takes


def test_followed_files_go_where_their_ruleset_sends_them() -> None:
    found = _of(
        'module(load="imfile")\n'
        'input(type="imfile" File="/var/log/nginx/access.log" Tag="ngx" ruleset="web")\n'
        'ruleset(name="web") {\n action(type="omfwd" target="192.0.2.1" protocol="tcp")\n}\n'
        "*.* @@192.0.2.2\n"
    )
    follows = {o.target: o.follows for o in found.outputs}
    assert follows == {"192.0.2.1": ("/var/log/nginx/access.log",), "192.0.2.2": ()}
    assert found.targets() == ("192.0.2.2",), "nothing of the host's own gets to the first"


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("*.* @192.0.2.1", ("192.0.2.1", 514, "udp", "")),
        ("*.* @@[2001:db8::1]:10514;RSYSLOG_SyslogProtocol23Format",
         ("2001:db8::1", 10514, "tcp", "")),
        ("*.* @@(z9,o)log.example.org", ("log.example.org", 514, "tcp", "")),
        ("*.* :omrelp:192.0.2.1:2514", ("192.0.2.1", 2514, "relp", "")),
        ("$DefaultNetstreamDriver gtls\n$ActionSendStreamDriverMode 1\n*.* @@192.0.2.1:6514",
         ("192.0.2.1", 6514, "tls", "")),
        ("$ActionQueueFileName fwd\n*.* @@192.0.2.1", ("192.0.2.1", 514, "tcp", "disk")),
        ('*.* action(type="omfwd" target=["192.0.2.1", "192.0.2.2"] port="601" protocol="tcp")',
         ("192.0.2.1", 601, "tcp", "")),
        ('*.* action(type="omrelp" target="192.0.2.1" port="20514" tls="on" queue.filename="q")',
         ("192.0.2.1", 20514, "relp/tls", "disk")),
        ('*.* action(type="omelasticsearch" server="192.0.2.1" serverport="9201")',
         ("192.0.2.1", 9201, "omelasticsearch", "")),
        ('*.* action(type="omkafka" broker=["192.0.2.1:9093"] topic="t")',
         ("192.0.2.1", 9093, "omkafka", "")),
    ],
)  # fmt: skip
def test_remote_forms(line: str, shown: tuple[str, int, str, str]) -> None:
    (out,) = _of(f"{line}\n").remote()
    assert (out.target, out.port, out.transport, out.queue) == shown


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("$outchannel rot,/o/a, 52428800,/root/rot.sh\n*.* :omfile:$rot\n", 52428800),
        ("$outchannel rot,/o/a,1000,/root/rot.sh\n*.* $rot;RSYSLOG_FileFormat\n", 1000),
        ('action(type="omfile" file="/o/a" rotation.sizeLimit="5m")\n', 5 << 20),
        ("*.* :omfile:/o/a\n", 0),
    ],
)
def test_a_file_of_limited_size(text: str, limit: int) -> None:
    """Forms of rsyslog's own manual; what becomes of the old file is for the program to say."""
    (output,) = _of(f'module(load="imuxsock")\n{text}').outputs
    assert (output.path, output.limit) == ("/o/a", limit)
    assert output.takes == set(FACILITIES) - {"kern"}
