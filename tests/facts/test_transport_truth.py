"""encryption.transport held to real servers: nginx, openssl, PostgreSQL, MariaDB."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from collector import catalog
from collector.assess import assess_host
from collector.facts.tls.client_hello import KINDS, PRIVATE, client_hello, parts
from collector.facts.tls.probe import tls_served
from collector.model import Finding, Result
from tests.facts.tls_lab import NOW, Lab, certificates, nginx

_WANTED = ("unshare", "ip", "ss", "bash", "openssl", "nginx", "mariadbd", "mariadb")
_POSTGRES = next(Path("/usr/lib/postgresql").glob("*/bin/postgres"), None)
_MISSING = [name for name in _WANTED if shutil.which(name) is None]
if _POSTGRES is None:
    _MISSING.append("postgresql")
needs_servers = pytest.mark.skipif(
    os.geteuid() != 0 or bool(_MISSING),
    reason=f"needs root and {', '.join(_WANTED)} (missing: {', '.join(_MISSING) or 'root'})",
)

_START = r"""
# another user than root goes through it
mount -t tmpfs lab /mnt && mkdir /mnt/lab && mount --bind "$F" /mnt/lab || exit 1
F=/mnt/lab; chmod 755 /mnt $F; cd $F
# nothing of this machine's own /run and /etc is touched
mkdir run over && mount --bind run /run && mkdir /run/mysqld || exit 1
mount -t tmpfs over over && mkdir over/up over/work || exit 1
mount -t overlay over -o "lowerdir=/etc,upperdir=$F/over/up,workdir=$F/over/work" /etc || exit 1
mkdir -p /etc/nginx && cp nginx.conf /etc/nginx/nginx.conf
nginx -p "$F" -c "$F/nginx.conf" &
s_server() { openssl s_server -quiet -key rsa.example.key -cert rsa.example.crt "$@" & }
s_server -accept 4433 -tls1 -cipher ALL:@SECLEVEL=0
s_server -accept 4434 -tls1_3 -ciphersuites TLS_CHACHA20_POLY1305_SHA256
s_server -accept 4435 -tls1_2 -cipher ECDHE-RSA-AES128-GCM-SHA256
as_postgres() { setpriv --reuid postgres --regid postgres --clear-groups "$@"; }
install -d -o postgres -m 700 pg5432
as_postgres PG/initdb -D pg5432 -A scram-sha-256 --pwfile=/proc/version >/dev/null
for p in 5433 5434 5435; do cp -a pg5432 pg$p; done
echo 'hostssl all all 0.0.0.0/0 scram-sha-256' >>pg5432/pg_hba.conf
echo 'host all all 0.0.0.0/0 scram-sha-256' >>pg5433/pg_hba.conf
echo 'host all all 0.0.0.0/0 scram-sha-256' >>pg5434/pg_hba.conf
printf '%s\n' 'hostnossl all all 0.0.0.0/0 reject' 'host all all 0.0.0.0/0 scram-sha-256' \
  >>pg5435/pg_hba.conf
for p in 5432 5433 5434 5435; do
  install -o postgres -m 600 rsa.example.key pg$p/server.key
  install -o postgres rsa.example.crt pg$p/server.crt
  ssl=on; [ $p = 5434 ] && ssl=off
  as_postgres PG/postgres -D pg$p -p $p -c ssl=$ssl -c listen_addresses=0.0.0.0 \
    -c unix_socket_directories= >/dev/null 2>&1 &
done
mariadb-install-db --no-defaults --datadir="$F/my" --user=root BASE >install.log 2>&1
cp -a my my2
mariadbd --no-defaults --datadir="$F/my" --user=root --port=3306 BASE \
  --ssl-cert="$F/rsa.example.crt" --ssl-key="$F/rsa.example.key" >my.log 2>&1 &
mariadbd --no-defaults --datadir="$F/my2" --user=root --port=3307 --skip-ssl BASE \
  --socket="$F/my2.sock" >my2.log 2>&1 &
n=0; until mariadb --no-defaults --skip-ssl -u root -e 'select 1' >/dev/null 2>&1 || [ $n -gt 900 ]; do
  n=$((n + 1)); sleep .1
done
mariadb() { command mariadb --no-defaults --skip-ssl -u root "$@"; }
mariadb -e "delete from mysql.global_priv where user = ''; flush privileges;
  create user app@'%' identified by 'x'"
n=0; until [ "$(ss -4 -ltn | grep -c -E ':(443|543[2-5]|330[67]) ')" = 7 ] &&
  [ "$(ss -ltn | grep -c ':443[345] ')" = 3 ] || [ $n -gt 900 ]; do
  n=$((n + 1)); sleep .1
done
look first
for p in 443 44303 4435; do
  openssl s_client -connect 127.0.0.1:$p </dev/null 2>/dev/null |
    openssl x509 -noout -enddate -subject >client.$p
done
kill $(cat nginx.pid)
mariadb -e "set global require_secure_transport = on"
look demanded
mariadb -e "set global require_secure_transport = off;
  alter user app@'%' require ssl"
look accounts
"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    folder = tmp_path_factory.mktemp("lab")
    certificates(folder)
    nginx(folder)
    assert _POSTGRES is not None
    base = Path(shutil.which("mariadbd") or "").resolve().parents[1]
    options = f"--basedir={base} --lc-messages-dir={base}/share/mysql"
    script = _START.replace("PG/", f"{_POSTGRES.parent}/").replace("BASE", options)
    made = Lab(folder, script)
    made.run()
    yield made


def _found(lab: Lab, look: str, port: int) -> Finding:
    control = catalog.control("encryption.transport")
    (found,) = assess_host(lab.capture(look, port), [control], grade=2, at=NOW)
    return found


@needs_servers
@pytest.mark.parametrize(
    ("port", "result", "reason", "part"),
    [
        (443, "pass", "good", "TLS 1.3, CN=sound.example"),
        (44301, "fail", "several", "TLS 1.1"),
        (44302, "fail", "weak", "NULL"),
        (44303, "fail", "certificate", "CN=soon.example"),
        (44304, "fail", "certificate", "CN=ended.example"),
        (44305, "fail", "certificate", "CN=early.example"),
        (44306, "fail", "certificate", "CN=Lab Ended"),
        (44307, "partial", "unverifiable", "self-signed"),
        (44308, "partial", "unverifiable", "CN=nameless.example"),
        (44309, "fail", "certificate", "CN=rsa-ended.example"),
        (44310, "pass", "good", "TLS 1.3, CN=sound.example"),
        (44311, "error", "untold", "TLS 1.3, ?"),
        (44312, "fail", "several", "DH_anon"),
        (44313, "pass", "good", "TLS 1.3, CN=sound.example"),
        (44314, "fail", "certificate", "CN=ended.example"),
        (44315, "partial", "unverifiable", "44315 nginx wrong.example: CN=rsa.example"),
        (44316, "fail", "certificate", "CN=ended.example"),
        (44317, "pass", "good", "TLS 1.3, CN=sound.example"),
        (80, "pass", "good", "(→ https)"),
        (8004, "pass", "good", "(→ https)"),
        (8001, "partial", "http", "HTTP 403"),
        (8002, "fail", "login", "HTTP Basic"),
        (8003, "partial", "http", "/hostpledge-check"),
        (4433, "fail", "several", "TLS 1.0"),
        (4434, "pass", "good", "TLS 1.3, CN=rsa.example"),
        (4435, "pass", "good", "TLS 1.2, CN=rsa.example"),
        (5432, "pass", "good", "TLS 1.3, CN=rsa.example"),
        (5433, "fail", "database", "host all all 0.0.0.0/0 scram-sha-256"),
        (5434, "fail", "database", "5434 postgres: TLS -"),
        (5435, "pass", "good", "5435 postgres"),
        (3306, "fail", "database", "require_secure_transport=OFF: app@%"),
        (3307, "fail", "database", "3307 mariadbd: TLS -"),
    ],
)
def test_first(lab: Lab, port: int, result: str, reason: str, part: str) -> None:
    found = _found(lab, "first", port)
    assert (found.result, found.reason) == (Result(result), reason), found.message.en
    assert part in found.message.en


@needs_servers
@pytest.mark.parametrize("look", ["demanded", "accounts"])
def test_mariadb_demands_it(lab: Lab, look: str) -> None:
    assert _found(lab, look, 3306).result is Result.PASS


@needs_servers
@pytest.mark.parametrize("port", [443, 44303, 4435])
def test_the_certificate_is_the_one_that_openssl_sees(lab: Lab, port: int) -> None:
    told = (lab.folder / f"client.{port}").read_text()
    (served,) = (s for s in tls_served(lab.capture("first", port)).served if s.port == port)
    from collector.facts.tls.certificates import certificate

    leaf = certificate(served.answer("new").chain[0], "x")
    assert f"{leaf.ends:%b %e %H:%M:%S %Y} GMT" in told
    assert leaf.subject.replace("=", " = ") in told or leaf.subject in told


@needs_servers
def test_the_servers_live_on(lab: Lab) -> None:
    """Each answers the clients that come after."""
    for port in (443, 44303, 4435):
        assert "subject" in (lab.folder / f"client.{port}").read_text()
    assert not re.search(
        "emerg|alert|crit", (lab.folder / "error.log").read_text("utf-8", "replace")
    )


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
@pytest.mark.parametrize("name", ["", "a.example", "x" * 180 + ".example"])
@pytest.mark.parametrize("kind", KINDS)
def test_the_shell_sends_what_the_parser_thinks(kind: str, name: str) -> None:
    from collector.facts.tls.probe import READS

    functions = READS[0].body.split("bash -c '", 1)[1].split("\n# hear:")[0]
    text = functions.replace("'\\''", "'").replace("exec 2>/dev/null", "")
    done = subprocess.run(
        ["bash", "-c", f'{text}\nhello {kind} "{name}"\nprintf "$R$gone"'],
        capture_output=True,
        check=True,
    )
    hello = client_hello(parts(kind), name)
    record = b"\x16\x03\x01" + len(hello).to_bytes(2) + hello
    assert done.stdout == record + b"\x15" + parts(kind)[0][:2] + b"\0\x02\x01\0"


def test_the_public_keys_belong_to_the_private_ones() -> None:
    from cryptography.hazmat.primitives.asymmetric import ec, x25519

    from collector.facts.tls import client_hello as tls_hello

    shares = client_hello(parts("new"))
    own = x25519.X25519PrivateKey.from_private_bytes(PRIVATE[tls_hello.X25519])
    assert own.public_key().public_bytes_raw() in shares
    for group, curve in ((tls_hello.P256, ec.SECP256R1()), (tls_hello.P384, ec.SECP384R1())):
        number = ec.derive_private_key(int.from_bytes(PRIVATE[group]), curve)
        point = number.public_key().public_numbers()
        size = (curve.key_size + 7) // 8
        assert point.x.to_bytes(size) + point.y.to_bytes(size) in shares
