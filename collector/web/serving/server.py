"""The server under the application: one process, or several over databases that they share."""

from __future__ import annotations

import errno
import json
import logging
import multiprocessing
import os
import signal
import socket
import ssl
import threading
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from uvicorn.config import STARTUP_FAILURE

from collector import private
from collector.errors import BadInput
from collector.handin import http as handin
from collector.handin.places import Places
from collector.i18n.message import msg, of_system
from collector.pledges.database.location import place
from collector.web.asking import settings as told
from collector.web.asking.settings import Settings
from collector.web.keeping.state import State
from collector.web.serving.app import application, house
from collector.web.serving.door import more_files
from collector.web.serving.patience import Patient
from collector.web.serving.quiet import quiet

# what a worker is told by the process that starts it
_TOLD = "HOSTPLEDGE_SERVE"
# of a name with addresses of two families one may be missing here
_NO_FAMILY = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)


def options(
    *,
    register: str | None,
    state: str | None,
    settings: Path | None,
    host: str,
    port: int,
    certificate: Path | None,
    key: Path | None,
) -> dict[str, Any]:
    """What `built` makes the application of, as JSON takes it."""
    return {
        "register": register,
        "state": state,
        "settings": str(settings) if settings else None,
        "host": host,
        "port": port,
        "certificate": str(certificate) if certificate else None,
        "key": str(key) if key else None,
    }


def settings_of(given: dict[str, Any]) -> Settings:
    """Raises BadInput for a file that says what it cannot, and for passwords in the clear."""
    path = Path(given["settings"]) if given["settings"] else None
    made = Settings(
        host=given["host"],
        port=given["port"],
        certificate=Path(given["certificate"]) if given["certificate"] else None,
        key=Path(given["key"]) if given["key"] else None,
        **told.read(path),
    )
    made.check()
    return made


def built(given: dict[str, Any]) -> Starlette:
    """The application as it was asked for; what a killed one left of downloads goes first."""
    private.sweep()
    quiet()
    more_files()
    settings = settings_of(given)
    Patient.trusts = staticmethod(settings.trusts)
    shared = house(given["register"], State.open(given["state"]), settings)
    folder = place(given["register"]).hand_in
    if settings.known_as:
        # for who makes links, and has no settings of a server
        Places(folder).known_as(settings.known_as)
    return application(shared, handin.routes(handin.Settings(folder, settings.known_as)))


def worker() -> Starlette:
    """In each of several processes, as long as there is the one that looks after them."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_ends_with, args=(parent,), daemon=True).start()
    return built(json.loads(os.environ[_TOLD]))


def _ends_with(parent: BaseProcess) -> None:
    parent.join()
    os.kill(os.getpid(), signal.SIGTERM)


def _check_certificate(made: Settings) -> None:
    if made.certificate is None:
        return
    try:
        # who would be asked for the phrase of a key, by each worker?
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(
            made.certificate, made.key, password=lambda: ""
        )
    except (OSError, ValueError) as problem:
        raise BadInput(
            msg("web_certificate_of_no_use"), where=f"{made.certificate}, {made.key}",
            mend=msg("web_certificate_mend"),
        ) from problem  # fmt: skip


def check_place(made: Settings) -> None:
    """Raises BadInput where it cannot be served there, before anything is said of it."""
    _check_certificate(made)
    bound, failed = False, None
    try:
        found = socket.getaddrinfo(made.host, made.port, type=socket.SOCK_STREAM)
    except OSError as problem:
        found, failed = [], problem
    for family, kind, protocol, _, address in found:
        try:
            with socket.socket(family, kind, protocol) as asked:
                asked.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if family == socket.AF_INET6:
                    asked.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                asked.bind(address)
                bound = True
        except OSError as problem:
            failed = problem
            if problem.errno not in _NO_FAMILY:
                bound = False
                break
    if not bound:
        said = of_system(failed, "web_not_served") if failed else msg("web_not_served")
        raise BadInput(said, where=made.origin, mend=msg("web_port_mend"))


def serve(given: dict[str, Any], workers: int) -> None:
    """Until a signal ends it. Raises BadInput where it cannot begin."""
    try:
        _serve(given, workers)
    except SystemExit as ended:
        # its own status for it means another thing with us, and why stands above
        if ended.code == STARTUP_FAILURE:
            raise BadInput(msg("web_not_served"), where=settings_of(given).origin) from None
        raise


def _serve(given: dict[str, Any], workers: int) -> None:
    os.environ[_TOLD] = json.dumps(given)
    logging.getLogger("hostpledge.web").setLevel(logging.WARNING)
    made = settings_of(given)
    uvicorn.run(
        "collector.web.serving.server:worker" if workers > 1 else built(given),
        factory=workers > 1,
        workers=workers if workers > 1 else None,
        host=made.host,
        port=made.port,
        ssl_certfile=str(made.certificate) if made.certificate else None,
        ssl_keyfile=str(made.key) if made.key else None,
        proxy_headers=False,
        server_header=False,
        access_log=False,
        log_level="warning",
        http="collector.web.serving.patience:Patient",
        ws="none",
        loop="collector.web.serving.door:Loop",
        timeout_keep_alive=15,
        h11_max_incomplete_event_size=32 * 1024,
        timeout_graceful_shutdown=10,
    )
