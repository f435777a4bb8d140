"""Stands in for the maker of ClamAV's signatures, whose files cannot be fetched in a test.

freshclam and clamd load a CLD only where the list of files inside it is signed by the maker, and
nobody else has that key. So two things are not the maker's: what the signatures look for, and the
key, which takes the place of the maker's own in the library of a host that `trust` was run on. All
else is real: the form and the date of the files, the mirror, the programs, and their verification.

`python -m tests.maker FOLDER` publishes in FOLDER/published; FOLDER/trust.sh is for the hosts.
"""

from __future__ import annotations

import hashlib
import io
import os
import string
import subprocess
import sys
import tarfile
import threading
import time
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

DATABASES = ("main", "daily", "bytecode")
# as libclamav has it beside the maker's modulus, the only number of so many digits in it
_EXPONENT = 100002049
_DIGITS = 617
_LETTERS = string.ascii_lowercase + string.ascii_uppercase + string.digits + "+/"
_TRUST = r"""
mkdir -p /usr/local/sbin
cat >/usr/local/sbin/other-maker <<'END'
#!/usr/bin/python3
import os, pathlib, re, shutil
for path in pathlib.Path("/usr/lib").glob("*/libclamav.so.*.*"):
    old = path.read_bytes()
    new, times = re.subn(rb"(?<=\0)[0-9]{%(digits)d}(?=\0)", b"%(modulus)d", old)
    if times != 1:
        raise SystemExit(f"{path}: {times} keys of the maker")
    if new != old:
        beside = path.with_name("other-maker.new")
        beside.write_bytes(new)
        shutil.copymode(path, beside)
        os.replace(beside, path)
END
chmod 755 /usr/local/sbin/other-maker
echo 'DPkg::Post-Invoke { "/usr/local/sbin/other-maker"; };' >/etc/apt/apt.conf.d/90other-maker
/usr/local/sbin/other-maker
"""


@dataclass(frozen=True)
class Maker:
    """`folder` holds the key, what is published, and in `asked` who asked the mirror for what."""

    folder: Path

    @property
    def asked(self) -> Path:
        return self.folder / "asked"

    @property
    def published(self) -> Path:
        return self.folder / "published"

    def begin(self) -> None:
        self.published.mkdir(parents=True)
        self.asked.touch()
        subprocess.run(
            ["openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048",
             "-pkeyopt", f"rsa_keygen_pubexp:{_EXPONENT}", "-out", self.folder / "key"],
            check=True, capture_output=True, stdin=subprocess.DEVNULL,
        )  # fmt: skip

    def trust(self) -> str:
        """What a host's shell runs so that ClamAV there, now or once it is installed, trusts us."""
        modulus = self._key().public_key().public_numbers().n
        return _TRUST % {"modulus": modulus, "digits": _DIGITS}

    def publish(self, version: int, looks_for: bytes) -> None:
        """New databases of today; by `daily`, files are found in which `looks_for` occurs."""
        for name in DATABASES:
            found = looks_for if name == "daily" else f"nothing has this of {name}".encode()
            signature = f"Other-Maker.{name}-{version}:0:*:{found.hex()}\n".encode()
            beside = self.published / f"{name}.new"
            beside.write_bytes(self._database(name, version, signature))
            os.replace(beside, self.published / f"{name}.cld")

    def serve(self, address: str) -> int:
        """A mirror of what is published, for as long as this process lives; its port."""
        handler = partial(_Mirror, asked=self.asked, directory=str(self.published))
        server = ThreadingHTTPServer((address, 0), handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return server.server_port

    def _database(self, name: str, version: int, signature: bytes) -> bytes:
        now = int(time.time())
        built = time.strftime("%d %b %Y %H-%M +0000", time.gmtime(now))
        head = f"ClamAV-VDB:{built}:{version}:1:90:X:X:othermaker:{now}"
        listed = f"{name}.ndb:{len(signature)}:{hashlib.sha256(signature).hexdigest()}"
        info = f"{head}\n{listed}\n".encode()
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as tar:
            for member, data in (
                ("COPYING", b"Not the maker's: made by a test.\n"),
                (f"{name}.info", info + b"DSIG:" + self._sign(info) + b"\n"),
                (f"{name}.ndb", signature),
            ):
                entry = tarfile.TarInfo(member)
                entry.size = len(data)
                tar.addfile(entry, io.BytesIO(data))
        return head.encode().ljust(512) + packed.getvalue()

    def _sign(self, info: bytes) -> bytes:
        """RSASSA-PSS, written with the least six bits first, as libclamav reads it."""
        key = self._key()
        numbers = key.public_key().public_numbers()
        how = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
        while True:
            signature = int.from_bytes(key.sign(info, how, hashes.SHA256()))
            # libclamav drops bytes of zeros that the padding begins with
            if pow(signature, numbers.e, numbers.n).bit_length() > 2048 - 8:
                break
        return "".join(_LETTERS[signature >> shift & 63] for shift in range(0, 2048, 6)).encode()

    def _key(self) -> rsa.RSAPrivateKey:
        key = load_pem_private_key((self.folder / "key").read_bytes(), None)
        assert isinstance(key, rsa.RSAPrivateKey)
        return key


class _Mirror(SimpleHTTPRequestHandler):
    def __init__(self, *arguments: Any, asked: Path, **more: Any) -> None:
        self._asked = asked
        super().__init__(*arguments, **more)

    def do_GET(self) -> None:
        with self._asked.open("a") as file:
            file.write(f"{self.path} {self.headers.get('User-Agent')}\n")
        super().do_GET()

    def log_message(self, *arguments: Any) -> None:
        """Stays silent."""


def _main(folder: Path) -> None:
    maker = Maker(folder)
    maker.begin()
    maker.publish(1, b"found-by-the-first-signatures")
    (folder / "trust.sh").write_text(maker.trust())


if __name__ == "__main__":
    _main(Path(sys.argv[1]))
