"""A timestamp authority for tests: OpenSSL's, with keys and certificates of its own, over HTTP."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

_CONFIG = """
[tsa]
default_tsa = one
[one]
dir = {folder}
serial = {folder}/serial
crypto_device = builtin
signer_cert = {folder}/tsa.pem
signer_key = {folder}/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha384, sha512
accuracy = secs:1
ess_cert_id_chain = no
ess_cert_id_alg = sha256
[leaf]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = critical, timeStamping
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[root]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[name]
[req]
distinguished_name = name
"""


class Tsa:
    """Its files lie in `folder`; `root` is the certificate that a verifier trusts."""

    def __init__(self, folder: Path, *, days: int = 30) -> None:
        folder.mkdir()
        self.folder = folder
        (folder / "serial").write_text("01\n")
        (folder / "tsa.cnf").write_text(_CONFIG.format(folder=folder))
        self._run("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                  "-keyout", "root.key", "-out", "root.pem", "-subj", "/CN=test root", "-days",
                  str(days), "-config", "tsa.cnf", "-extensions", "root")  # fmt: skip
        self._run("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                  "-keyout", "tsa.key", "-out", "tsa.csr", "-subj", "/CN=test authority",
                  "-config", "tsa.cnf")  # fmt: skip
        self._run("x509", "-req", "-in", "tsa.csr", "-CA", "root.pem", "-CAkey", "root.key",
                  "-set_serial", "2", "-days", str(days), "-out", "tsa.pem", "-extfile", "tsa.cnf",
                  "-extensions", "leaf")  # fmt: skip
        self.root = folder / "root.pem"
        self.broken: bytes | None = None
        self.status = 200
        self._asked = 0
        self._lock = threading.Lock()

    def _run(self, *words: str) -> None:
        subprocess.run(["openssl", *words], cwd=self.folder, capture_output=True, check=True)

    def reply(self, request: bytes) -> bytes:
        """What it answers to a request; only its own certificate is in it."""
        with self._lock:
            self._asked += 1
            query, answer = self.folder / f"{self._asked}.tsq", self.folder / f"{self._asked}.tsr"
            query.write_bytes(request)
            self._run("ts", "-reply", "-config", "tsa.cnf", "-section", "one", "-queryfile",
                      str(query), "-out", str(answer))  # fmt: skip
        return answer.read_bytes()

    @contextmanager
    def served(self) -> Iterator[str]:
        """Serves it on this machine; yields its URL."""
        tsa = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                data = self.rfile.read(int(self.headers["Content-Length"]))
                assert self.headers["Content-Type"] == "application/timestamp-query"
                answer = tsa.reply(data) if tsa.broken is None else tsa.broken
                self.send_response(tsa.status)
                self.send_header("Content-Type", "application/timestamp-reply")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, format: str, *args: object) -> None:
                """Says nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/tsr"
        finally:
            server.shutdown()
            server.server_close()
            thread.join()
