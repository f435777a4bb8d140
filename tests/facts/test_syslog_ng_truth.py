"""What gets where, against what syslog-ng itself delivered (syslog_ng_delivered.yml)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from collector.errors import NotUnderstood
from collector.facts.logs.model.syslog_message import FACILITIES, Syslog
from collector.facts.logs.syslog.syslog_ng.config import syslog_ng_of
from collector.model import CapturedFile, ReadStatus

_MAIN = "/etc/syslog-ng/syslog-ng.conf"
_SOURCE = 'source s { unix-dgram("/dev/log"); };\n'
_DELIVERED: list[dict[str, Any]] = yaml.safe_load(
    (Path(__file__).parent / "syslog_ng_delivered.yml").read_text(encoding="utf-8")
)


def _of(text: str, **more: str) -> Syslog:
    files = {_MAIN: text} | {f"/etc/syslog-ng/conf.d/{n}.conf": t for n, t in more.items()}
    found = {p: CapturedFile(p, ReadStatus.OK, data=t.encode()) for p, t in files.items()}
    return syslog_ng_of(found, _MAIN, "host1")


def _expand(said: str) -> set[str]:
    every = set(FACILITIES) - {"kern"}
    words = said.split()
    return every - set(words[2:]) if words[:1] == ["*"] else set(words)


@pytest.mark.parametrize("row", _DELIVERED, ids=lambda r: r["config"].splitlines()[-1][:60])
def test_delivered(row: dict[str, Any]) -> None:
    found = _of(_SOURCE + row["config"])
    for name, said in row["delivered"].items():
        takes = {f for o in found.outputs if o.path == f"/o/{name}" for f in o.takes} - {"kern"}
        unsure = {f for o in found.outputs for f in o.unsure}
        assert takes == _expand(said) or takes < _expand(said) <= takes | unsure, name


@pytest.mark.parametrize(
    ("driver", "shown"),
    [
        ('tcp("192.0.2.1" port(1000))', ("192.0.2.1", 1000, "tcp", "")),
        ('udp("192.0.2.1")', ("192.0.2.1", 514, "udp", "")),
        ('network("192.0.2.1")', ("192.0.2.1", 601, "tcp", "")),
        ('network("192.0.2.1" transport("udp"))', ("192.0.2.1", 514, "udp", "")),
        ('syslog("log.example.org" transport(tls) port(6514) tls(ca-dir("/etc/ca")))',
         ("log.example.org", 6514, "tls", "")),
        ('network("192.0.2.1" port(514) disk-buffer(reliable(yes) disk-buf-size(1048576)))',
         ("192.0.2.1", 514, "tcp", "disk")),
        ('elasticsearch-http(url("https://192.0.2.1:9200/_bulk") index("x"))',
         ("192.0.2.1", 9200, "elasticsearch-http", "")),
        ('loki(url("192.0.2.1:9096"))', ("192.0.2.1", 9096, "loki", "")),
    ],
)  # fmt: skip
def test_remote_forms(driver: str, shown: tuple[str, int, str, str]) -> None:
    text = f"{_SOURCE}destination d {{ {driver}; }};\nlog {{ source(s); destination(d); }};\n"
    (out,) = _of(text).remote()
    assert (out.target, out.port, out.transport, out.queue) == shown
    assert "authpriv" in out.takes


@pytest.mark.parametrize(
    ("option", "limited"),
    [("logrotate(enable(yes) size(30MB) rotations(5))", True), ("logrotate(enable(no))", False),
     ("create-dirs(yes)", False)],
)  # fmt: skip
def test_a_file_of_limited_size(option: str, limited: bool) -> None:
    text = f'{_SOURCE}destination d {{ file("/o/a" {option}); }};\n'
    (out,) = _of(f"{text}log {{ source(s); destination(d); }};\n").outputs
    assert (out.path, bool(out.limit)) == ("/o/a", limited)


def test_includes_stand_where_they_are_written() -> None:
    text = f'@version: 4.2\n@include "scl.conf"\n{_SOURCE}@include "/etc/syslog-ng/conf.d/*.conf"\n'
    more = 'log { source(s); destination { network("192.0.2.1"); }; };\n'
    assert _of(text, remote=more).targets() == ("192.0.2.1",)
    assert _of(_SOURCE, remote=more).targets() == (), "nothing includes it"


def test_what_is_not_there_is_not_guessed() -> None:
    with pytest.raises(NotUnderstood, match=r"includes /opt/x\.conf"):
        _of('@include "/opt/x.conf"\n')
    with pytest.raises(NotUnderstood, match="no source is named"):
        _of("log { source(nowhere); };\n")
    with pytest.raises(NotUnderstood, match="to its end"):
        _of("log { source(s);\n")
