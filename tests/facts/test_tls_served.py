"""What servers answer, spoilt and cut anywhere; which lines of pg_hba.conf demand TLS."""

from __future__ import annotations

import re
from contextlib import suppress
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.errors import FactError
from collector.facts.data.database_tls import _cluster, _mysql
from collector.facts.tls.certificates import certificate
from collector.facts.tls.client_hello import client_hello, parts
from collector.facts.tls.probe import OUTSIDE
from collector.facts.tls.server_hello import answer
from collector.script import parse_output
from tests import cases

_HERE = cases.HERE / "controls/encryption/transport"


@cache
def _flights() -> tuple[tuple[bytes, bytes], ...]:
    """Hellos and the real answers to them, by TLS 1.3 and by 1.2."""
    found = []
    for name in ("sound.pass", "tls_1_2_alone.pass"):
        text = cases.load(_HERE / f"{name}.yml").capture.read("tls_served.answers").stdout.decode()
        lines = re.findall(r"(?m)^\d+ new/ ([0-9a-f]+)$", text)
        flight = bytes.fromhex("".join(x for x in lines if not x.startswith("4854")))
        (sent,) = re.findall(r"(?m)^== hello (\w+) (\w+)$", text)
        hello = client_hello((bytes.fromhex(sent[0]), bytes.fromhex(sent[1])))
        found.append((hello, flight))
    return tuple(found)


def test_real_flights_have_certificates() -> None:
    assert [len(answer(*flight).chain) for flight in _flights()] == [2, 1]


@given(st.binary(max_size=200))
def test_any_bytes(data: bytes) -> None:
    hello = client_hello(parts("new"))
    for head in (b"", b"\x16\x03\x03", b"\x16\x03\x03\0\x40\x02\0\0\x3c\x03\x03"):
        assert answer(hello, head + data).state != "late"


@settings(max_examples=300)
@given(st.integers(0, 1), st.data())
def test_spoilt_flights(which: int, draw: st.DataObject) -> None:
    """Cut, or with a byte changed: no exception, and no certificate that was not sent."""
    hello, whole = _flights()[which]
    at = draw.draw(st.integers(0, len(whole) - 1))
    spoilt = draw.draw(st.sampled_from([
        whole[:at],
        whole[:at] + bytes((whole[at] ^ draw.draw(st.integers(1, 255)),)) + whole[at + 1 :],
    ]))  # fmt: skip
    found = answer(hello, spoilt)
    sent = answer(hello, whole).chain
    if which == 0:
        # what is encrypted is authentic as well
        assert found.chain in ((), sent)
    for one in found.chain:
        with suppress(FactError):
            certificate(one, "x")


@pytest.mark.parametrize(
    ("state", "rules"),
    [
        ("demanded", ["local all all peer", "host all all 127.0.0.1/32 md5", "host all all ::1/128 md5"]),
        ("demanded", ["hostssl all all 0.0.0.0/0 md5"]),
        ("demanded", ["hostssl all all all cert", "hostnossl all all all reject"]),
        ("demanded", ["hostnossl all all 0.0.0.0/0 reject", "host all all 10.0.0.0/8 md5"]),
        ("demanded", ["host all all 127.0.0.1 255.255.255.255 md5"]),
        ("demanded", ["hostgssenc all all 0.0.0.0/0 gss"]),
        ("demanded", ["host all all samehost md5"]),
        ("optional", ["host all all 10.0.0.0/8 md5"]),
        ("optional", ["host all all 10.0.0.1 255.255.255.255 md5"]),
        ("optional", ["hostnossl all all 0.0.0.0/0 md5"]),
        ("optional", ["hostssl all all 0.0.0.0/0 md5", "host shop app samenet md5"]),
        ("optional", ["hostnossl all all 0.0.0.0/0 reject", "host all all ::/0 md5"]),
        ("optional", ["hostnossl shop all 0.0.0.0/0 reject", "host all all 0.0.0.0/0 md5"]),
        ("optional", ["host all all 0.0.0.0/0 md5", "hostnossl all all 0.0.0.0/0 reject"]),
        ("optional", ['host "my db" all 10.0.0.0/8 md5']),
        ("unknown", ["include more.conf", "hostssl all all 0.0.0.0/0 md5"]),
        ("unknown", []),
    ],
)  # fmt: skip
def test_pg_hba(state: str, rules: list[str]) -> None:
    run = (
        "run clock 1795579200.12 9000000 1795579200.13",
        "run start 77 360000",
        "run file 1795379100.0 1795379100.0 0 /x",
    )
    assert _cluster((*run, "hba /x", *rules)).state == state


# a file of its settings that is older than its start
_STARTED = (
    "run clock 1795579200.12 9000000 1795579200.13",
    "run start 1 360000",
    "run file 1795379100.0 1795379100.0 0 /etc/my.cnf",
)


@pytest.mark.parametrize(
    ("state", "lines"),
    [
        ("demanded", ["mysqld", "require_secure_transport ON", "account - % app"]),
        ("demanded", ["mysqld", "require_secure_transport OFF", "account ANY % app"]),
        ("demanded", ["mysqld", "have_ssl YES", "account - localhost root", "account X509 % app"]),
        ("unknown", ["mysqld", "config --require-secure-transport"]),
        ("demanded", ["mysqld", "config --require-secure-transport", *_STARTED]),
        ("optional", ["mysqld", "have_ssl DISABLED", "account - % "]),
        ("optional", ["mysqld", "require_secure_transport OFF", "account - 10.% app",
                      "config --require_secure_transport=ON"]),
        ("unknown", ["mysqld"]),
        ("unknown", ["mysqld", "config --require_secure_transport=OFF"]),
    ],
)  # fmt: skip
def test_mysql(state: str, lines: list[str]) -> None:
    assert _mysql({"1": lines}).state == state
    assert _mysql({"1": lines, "2": ["mysqld"]}).state == "unknown"


def test_no_host_speaks_for_the_control_node() -> None:
    nonce = "0123456789abcdef"
    frames = ["head", f"read {OUTSIDE} 9", "done ok 0 0", "read x.y 9", "done ok 0 0", "end"]
    raw = f"hostpledge-capture 1 {nonce}" + "".join(f"\n@{nonce} {x}\n" for x in frames)
    capture = parse_output(raw.encode(), host="x")
    assert set(capture.reads) == {"x.y"}
