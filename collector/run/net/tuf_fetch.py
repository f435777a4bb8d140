"""Renews what a verifier keeps of a team's trust, from a folder or a web server (TUF client)."""

from __future__ import annotations

import queue
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from fcntl import LOCK_EX, flock
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from collector import private
from collector.attest.trust import tuf_client as tufstore
from collector.attest.trust.trust_file import trust_from_bytes
from collector.attest.trust.tuf_client import HELD, PINNED, TARGET, Source
from collector.captures import write_aside
from collector.errors import BadInput, VerifyFailed
from collector.i18n.message import msg
from collector.run.net.tsa import check_url, shown

# for all of it: a time limit of a socket begins anew with each byte
_SECONDS = 120.0
_NEXT, _OLD = "trusted.next", "trusted.old"


def update(store: Path, place: str, root: bytes | None = None) -> Source:
    """Takes the newest trust file from `place`, a folder or an http(s) address, into `store`.

    `root` is the pinned root; the first time it has to be given, later it has to be the same. All
    or nothing of it changes: what was trusted stays so when anything does not hold.
    Raises VerifyFailed for what is older than seen before, expired, mixed, altered or signed by
    too few; BadInput where the repository or the root cannot be had.
    """
    tufstore.need(str(store))
    store.mkdir(parents=True, exist_ok=True)
    with _alone(store):
        pinned = _pinned(store, root)
        if not (store / HELD).is_dir() and (store / _OLD).is_dir():
            (store / _OLD).rename(store / HELD)
        coming = store / _NEXT
        shutil.rmtree(coming, ignore_errors=True)
        if (store / HELD).is_dir():
            shutil.copytree(store / HELD, coming)
        coming.mkdir(exist_ok=True)
        try:
            _fetch(coming, place, pinned)
            data, source = tufstore.follow(pinned, tufstore.held_reader(coming), where=shown(place))
            trust_from_bytes(data, where=f"{place}: {TARGET}")
        except BaseException:
            shutil.rmtree(coming, ignore_errors=True)
            raise
        write_aside(store / PINNED, pinned, 0o644)
        shutil.rmtree(store / _OLD, ignore_errors=True)
        if (store / HELD).is_dir():
            (store / HELD).rename(store / _OLD)
        coming.rename(store / HELD)
        shutil.rmtree(store / _OLD, ignore_errors=True)
    return source


def _pinned(store: Path, root: bytes | None) -> bytes:
    place = store / PINNED
    kept = place.read_bytes() if place.is_file() else None
    if kept is None and root is None:
        raise BadInput(
            msg("no_root_pinned_yet"),
            where=str(store),
            mend=msg("give_root_file_somebody"),
        )
    if kept is not None and root is not None and kept != root:
        raise BadInput(
            msg("another_root_pinned_here"),
            where=str(store),
            mend=msg("leave_root_out_take"),
        )
    return root if root is not None else kept or b""


def _fetch(held: Path, place: str, pinned: bytes) -> None:
    from tuf.api import exceptions
    from tuf.ngclient import Updater

    base, fetcher = _source(place)
    with tufstore.told(shown(place)):
        try:
            updater = Updater(
                str(held), f"{base}/metadata", str(held), f"{base}/targets", fetcher,
                bootstrap=pinned,
            )  # fmt: skip
            updater.refresh()
            target = updater.get_targetinfo(TARGET)
            if target is None:
                raise VerifyFailed(msg("names_no", target=TARGET), where=shown(place))
            if updater.find_cached_target(target) is None:
                updater.download_target(target)
        except exceptions.DownloadLengthMismatchError:
            raise
        except exceptions.DownloadError as problem:
            why = str(problem) or str(problem.__cause__ or type(problem).__name__)
            raise BadInput(
                msg("trust_repository_cannot_read", why=why), where=shown(place)
            ) from None
    # a link, which not every carrier of files keeps; the roots stand beside it by number
    (held / "root.json").unlink(missing_ok=True)


def _source(place: str) -> tuple[str, Any]:
    from tuf.api.exceptions import DownloadHTTPError
    from tuf.ngclient import FetcherInterface, Urllib3Fetcher

    if "://" in place:
        check_url(place, where="--from")
        asking, until = Urllib3Fetcher(socket_timeout=30), time.monotonic() + _SECONDS

        class Timed(FetcherInterface):  # type: ignore[misc, unused-ignore]
            def _fetch(self, url: str) -> Iterator[bytes]:
                return _in_time(lambda: asking.fetch(url), until, where=shown(place))

        return place.rstrip("/"), Timed()
    folder = Path(place)
    if not (folder / "metadata").is_dir():
        raise BadInput(
            msg("no_trust_repository"), where=place, mend=msg("hostpledge_trust_init_makes")
        )

    class Folder(FetcherInterface):  # type: ignore[misc, unused-ignore]
        def _fetch(self, url: str) -> Iterator[bytes]:
            path = folder / unquote(urlsplit(url).path).lstrip("/")
            if not path.is_file():
                raise DownloadHTTPError(msg("there_is_no", path=path), 404)
            return _chunks(path)

    return "folder:", Folder()


def _in_time(fetch: Callable[[], Iterator[bytes]], until: float, *, where: str) -> Iterator[bytes]:
    """What `fetch` brings, as it brings it. Raises BadInput once `until` (monotonic) has come."""
    brought: queue.Queue[bytes | Exception | None] = queue.Queue(maxsize=4)
    left = threading.Event()

    def put(what: bytes | Exception | None) -> None:
        while not left.is_set():
            with suppress(queue.Full):
                brought.put(what, timeout=1)
                return

    def bring() -> None:
        try:
            for chunk in fetch():
                put(chunk)
                if left.is_set():
                    return
            put(None)
        except Exception as problem:  # noqa: BLE001 - it is raised where it is asked for
            put(problem)

    threading.Thread(target=bring, daemon=True).start()
    try:
        while True:
            try:
                chunk = brought.get(timeout=max(0.0, until - time.monotonic()))
            except queue.Empty:
                raise BadInput(
                    msg("trust_repository_no_end", seconds=int(_SECONDS)), where=where
                ) from None
            if chunk is None:
                return
            if isinstance(chunk, Exception):
                raise chunk
            yield chunk
    finally:
        left.set()


def _chunks(path: Path) -> Iterator[bytes]:
    with private.opened(path) as source:
        while chunk := source.read(1 << 16):
            yield chunk


@contextmanager
def _alone(store: Path) -> Iterator[None]:
    with (store / ".lock").open("w") as handle:
        flock(handle, LOCK_EX)
        yield
