"""Real servers in a network namespace of their own, asked by the reads as a host is.

Certificates are made with the dates that a server is to show; everything else is the servers' own.
"""

from __future__ import annotations

import ipaddress
import re
import subprocess
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from collector.facts.data.database_access import READS as DATABASE_READS
from collector.facts.network.listeners import READS as SOCKET_READS
from collector.facts.tls.probe import READ, READS
from collector.model import Capture, HostStatus, ReadResult, ReadStatus
from tests import cases

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
NOW = datetime.now(UTC).replace(microsecond=0)
_BASE = cases.HERE / "controls/encryption/database_access/mariadb.pass.yml"
_IDS = (READ, "sockets.listening", "database_access.state")


@dataclass
class Authority:
    """Makes certificates and keys as files of PEM; `chain` is sent along with what it issues."""

    folder: Path
    name: str = ""
    key: Key | None = None
    chain: bytes = b""

    def issue(
        self,
        name: str,
        days: float = 90,
        *,
        since: float = 20,
        kind: str = "ec",
        authority: bool = False,
        named: bool = True,
        sent: bool = True,
    ) -> Authority:
        """`days` and `since` count from now; without an authority above it is self-signed."""
        key: Key = (
            rsa.generate_private_key(65537, 2048)
            if kind == "rsa"
            else ec.generate_private_key(ec.SECP256R1())
        )
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, self.name or name)])
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(NOW - timedelta(days=since))
            .not_valid_after(NOW + timedelta(days=days))
        )
        if authority:
            builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        elif named:
            names = x509.SubjectAlternativeName(
                [x509.DNSName(name), x509.IPAddress(ipaddress.ip_address("192.0.2.1"))]
            )
            builder = builder.add_extension(names, False)
        made = builder.sign(self.key or key, hashes.SHA256())
        pem = made.public_bytes(Encoding.PEM)
        secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (self.folder / f"{name}.crt").write_bytes(pem + (self.chain if sent else b""))
        (self.folder / f"{name}.key").write_bytes(secret)
        return Authority(self.folder, name, key, pem + self.chain if self.name else pem)


@dataclass
class Lab:
    """A shell script that starts servers and prints, by `look NAME`, what the reads return then."""

    folder: Path
    script: str = ""
    looks: dict[str, dict[str, bytes]] = field(default_factory=dict)

    def run(self, seconds: int = 300) -> None:
        """Runs it where nothing of this machine listens, and nothing that it starts is left."""
        reads = {r.id: r for r in (*READS, *SOCKET_READS, *DATABASE_READS)}
        for id in _IDS:
            (self.folder / id).write_text(reads[id].body)
        looks = "".join(f'sh "$F/{id}" >"$F/$1+{id}" 2>/dev/null; ' for id in _IDS)
        head = f"F={self.folder}\ncd $F\nip link set lo up\nlook() {{ {looks}}}\n"
        done = subprocess.run(
            ["unshare", "-n", "-m", "-p", "-f", "--kill-child", "--mount-proc", "sh", "-c",
             head + self.script],
            capture_output=True, timeout=seconds, check=False, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        (self.folder / "lab.log").write_bytes(done.stdout + done.stderr)
        for path in self.folder.glob("*+*"):
            name, _, id = path.name.partition("+")
            self.looks.setdefault(name, {})[id] = path.read_bytes()

    def reads(self, look: str, *ports: int) -> dict[str, str]:
        """What the reads returned, of the listeners at these ports alone."""
        told = {id: data.decode() for id, data in self.looks[look].items()}
        numbers = "|".join(map(str, ports))
        hexed = "|".join(f"{port:04X}" for port in ports)
        listing = re.split(r"(?m)^== (?!ss|proc)", told["sockets.listening"])[0]
        sockets = [
            line
            for line in listing.splitlines()
            if not line.startswith(("tcp", "udp", "/proc"))
            or re.match(rf"tcp.*?:(?:{numbers})\s|/proc/net/tcp6?: *\d+: \w+:(?:{hexed}) ", line)
        ]
        pids = set(re.findall(r"pid=(\d+)", "\n".join(sockets)))
        heads = re.findall(rf"^= (\d+) \w+ \S+ (?:{numbers}) .*$",
                           told[READ], re.MULTILINE)  # fmt: skip
        served = [
            line
            for line in told[READ].splitlines()
            if line.startswith("==")
            or line.removeprefix("= ").split()[0] in heads
            or (line.startswith("db ") and line.split()[2] in pids)
        ]
        parts = re.split(r"(?m)^(?=== )", told["database_access.state"])
        wanted = [
            part
            for part in parts
            if part.startswith("== end")
            or any(re.match(rf"== \S+ (?:\S*\D)?{word}\b", part) for word in (*ports, *pids))
        ]
        return {
            READ: "\n".join(served) + "\n",
            "sockets.listening": "\n".join([*sockets, "== end", ""]),
            "database_access.state": "".join(wanted),
        }

    def capture(self, look: str, *ports: int) -> Capture:
        """The same as a host of which nobody holds anything back."""
        base = dict(cases.load(_BASE).capture.reads)
        for id, text in self.reads(look, *ports).items():
            base[id] = ReadResult(id, ReadStatus.OK, stdout=text.encode())
        return Capture(
            "lab", HostStatus.COMPLETE, head={"uid": "0"}, collected_at=NOW,
            reads=MappingProxyType(base),
        )  # fmt: skip


def certificates(folder: Path) -> None:
    """Those that the servers of the lab show."""
    root = Authority(folder).issue("Lab Root", 3000, authority=True)
    root.chain = b""
    middle = root.issue("Lab Intermediate", 900, authority=True)
    ended = root.issue("Lab Ended", -5, since=400, authority=True)
    middle.issue("sound.example")
    middle.issue("soon.example", 10)
    middle.issue("ended.example", -2, since=200)
    middle.issue("early.example", 90, since=-2)
    middle.issue("rsa-ended.example", -2, since=200, kind="rsa")
    middle.issue("rsa.example", kind="rsa")
    middle.issue("nameless.example", named=False)
    ended.issue("under.example")
    Authority(folder).issue("self.example")


def nginx(folder: Path) -> str:
    """The configuration of one nginx with a server at each port of its own."""
    sites = {
        443: ("sound.example", ""),
        44301: ("sound.example", "ssl_protocols TLSv1.1 TLSv1.2; ssl_ciphers ALL:@SECLEVEL=0;"),
        44302: ("sound.example", "ssl_protocols TLSv1.2; ssl_ciphers HIGH:!aNULL:eNULL:@SECLEVEL=0;"
                " ssl_prefer_server_ciphers on;"),
        44303: ("soon.example", ""),
        44304: ("ended.example", ""),
        44305: ("early.example", ""),
        44306: ("under.example", ""),
        44307: ("self.example", ""),
        44308: ("nameless.example", ""),
        44309: ("sound.example", "ssl_certificate rsa-ended.example.crt;"
                " ssl_certificate_key rsa-ended.example.key;"),
        44310: ("sound.example", "ssl_protocols TLSv1.3; ssl_ecdh_curve secp384r1;"),
        44311: ("sound.example", "ssl_protocols TLSv1.3; ssl_ecdh_curve X448;"),
        44312: ("sound.example", "ssl_protocols TLSv1 TLSv1.2; ssl_ciphers aNULL:@SECLEVEL=0;"),
    }  # fmt: skip
    blocks = [
        f"server {{ listen {port} ssl; ssl_certificate {name}.crt;"
        f" ssl_certificate_key {name}.key; {more} }}"
        for port, (name, more) in sites.items()
    ]
    blocks += [
        "server {\n listen 44313 ssl default_server; ssl_reject_handshake on; }",
        "server {\n listen 44313 ssl;\n server_name sound.example;"
        " ssl_certificate sound.example.crt; ssl_certificate_key sound.example.key; }",
        "server {\n listen 44314 ssl;\n server_name ended.example;"
        " ssl_certificate ended.example.crt; ssl_certificate_key ended.example.key; }",
        "server { listen 44314 ssl default_server; ssl_certificate sound.example.crt;"
        " ssl_certificate_key sound.example.key; }",
        "server {\n listen 44315 ssl;\n server_name wrong.example;"
        " ssl_certificate rsa.example.crt; ssl_certificate_key rsa.example.key; }",
        "server { listen 44315 ssl default_server; ssl_certificate sound.example.crt;"
        " ssl_certificate_key sound.example.key; }",
        "server { listen 44316 ssl; ssl_certificate sound.example.crt;"
        " ssl_certificate_key sound.example.key; }",
        "server { listen [::]:44316 ssl; ssl_certificate ended.example.crt;"
        " ssl_certificate_key ended.example.key; }",
        "server { listen [::]:44317 ssl ipv6only=off; ssl_certificate sound.example.crt;"
        " ssl_certificate_key sound.example.key; }",
        "server { listen 80; return 301 https://$host$request_uri; }",
        "server { listen 8001; root .; }",
        "server { listen 8002; root .; auth_basic x; auth_basic_user_file /dev/null; }",
        "server { listen 8003; root .; location = / { return 302 https://x.example/?a=b; } }",
        "server { listen 8004 default_server; return 403; }",
        "server { listen 8004; server_name sound.example; return 301 https://$host$request_uri; }",
    ]
    temps = "".join(
        f"{n}_temp_path t/{n};" for n in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    text = (
        f"daemon off; user root; pid {folder}/nginx.pid; error_log {folder}/error.log info;\n"
        f"events {{}}\nhttp {{ access_log off; {temps}\n" + "\n".join(blocks) + "\n}\n"
    )
    (folder / "nginx.conf").write_text(text)
    (folder / "t").mkdir(exist_ok=True)
    return text
