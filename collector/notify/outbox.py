"""The outbox: what is to be said to whom, said once, whatever happens to the command that says it.

messages/ID.json   the message and what it tells of (`items`); written first. Once it was taken by
                   all, its words go (`tidy`): what it told of stays, and is never told again
files/SHA256       what is attached to messages
key                by which channels are known (`settings.known_by`): N below
sending/ID.N       it is being sent by channel N, with these files; a later command that finds it
                   cannot know its end
tries/ID.N.json    how often that failed, why the last time, and when it is tried again
done/ID.N.json     it was taken, with these files
log.jsonl          each attempt and its end
register.json      whose notices these are (`own_folder`)
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import secrets
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from collector import own_folder, private
from collector.errors import BadInput
from collector.i18n.message import msg
from collector.notify.wire import Outcome
from collector.schema import load_json

SCHEMA = "urn:hostpledge:schema:outgoing-notice:1"
_ROOMS = ("messages", "files", "sending", "tries", "done")
# minutes until it is tried again; the last one from then on
_BACKOFF = (1, 5, 30, 120, 360, 1440)
# bytes of the log, and how many that are full are kept beside it
_LOG, _LOGS = 16 << 20, 20
State = Literal["new", "later", "unsure", "done"]


@dataclass(frozen=True, slots=True)
class Message:
    """`items` are the keys of what it tells of; `files` digests (hex SHA-256) by name.

    `channels` are known by `settings.known_by`, or by their place in the settings, as once.
    `at`: when it was written down. `begun`: by pledge, when its record was, as the register said
    (ISO 8601): an id may be given to somebody else.
    """

    id: str
    to: str
    lang: str
    subject: str
    body: str
    items: tuple[str, ...]
    channels: tuple[str, ...]
    files: tuple[tuple[str, str], ...] = ()
    at: str = ""
    begun: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Became:
    """What became of a message by one channel.

    `at` is when it was taken; `tries` how often it was refused, `why` the last time, and `next`
    when it is tried again. Times are ISO 8601, and empty where there is none.
    """

    state: State
    at: str = ""
    tries: int = 0
    why: str = ""
    next: str = ""


class Outbox:
    """The folder; made for its owner alone. `held` before anything else of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def belongs_to(self, register: str, where: str, *, claim: bool = False) -> None:
        """From the first notice on, to that register alone, which lies there; see `own_folder`.

        What was told is known by the ids of pledges: another one would take it for its own. To
        `claim` it, it is held. Raises BadInput for another one.
        """
        if (there := own_folder.other(self.folder, register, where)) is not None:
            raise BadInput(
                msg("outbox_of_another_register", register=there), where=str(self.folder),
                mend=msg("outbox_mend"),
            )  # fmt: skip
        if claim:
            own_folder.claim(self.folder, register, where)

    @contextmanager
    def held(self) -> Iterator[None]:
        """One command sends at a time; raises BadInput where another does."""
        for name in _ROOMS:
            private.folder(self.folder / name)
        handle = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            self._only(handle)
            yield
        finally:
            os.close(handle)

    def _only(self, handle: int) -> None:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BadInput(
                msg("another_hostpledge_work_here"), where=str(self.folder), mend=msg("wait_for_it")
            ) from None

    def told(
        self, people: Collection[str], counts: Callable[[Message, str], bool] = lambda _, __: True
    ) -> set[tuple[str, str]]:
        """Whom, and by which channel, what was told, or is to be: it is never put in again.

        By channel only what somebody was told who is none of `people` any more: that one may have
        another name now. Of those who are there, each is told what is theirs. What of a message
        does not count is left out.
        """
        return {
            (whom, item)
            for message in self.messages()
            for whom in (message.to, *(() if message.to in people else message.channels))
            for item in message.items
            if counts(message, item)
        }

    def key(self) -> bytes:
        """By which channels are known here, and nowhere else."""
        path = self.folder / "key"
        try:
            return path.read_bytes()
        except FileNotFoundError:
            if not self.folder.is_dir():
                return b""
            private.write_aside(path, secrets.token_bytes(32))
            return path.read_bytes()

    def put(self, message: Message, files: Collection[bytes] = ()) -> Message:
        """Writes it down, with its files before it. `id` is drawn here."""
        for data in files:
            path = self.file(hashlib.sha256(data).hexdigest())
            if not path.exists():
                private.write_aside(path, data)
        at = datetime.now(UTC).isoformat(timespec="seconds")
        made = replace(message, id=secrets.token_hex(6), at=at)
        self._store("messages", made.id, {"schema": SCHEMA, **_document(made)})
        return made

    def rewrite(self, message: Message) -> None:
        """It says this from now on, under the id and of the time that it has."""
        known = _load(self.folder / "messages" / f"{message.id}.json") or {}
        self._store("messages", message.id, known | _document(message))

    def drop(self, message: Message) -> None:
        """Nothing of it is kept. Its marks go last: without them it would be sent once more."""
        (self.folder / "messages" / f"{message.id}.json").unlink(missing_ok=True)
        private.sync_folder(self.folder / "messages")
        self._unmark(message, message.channels)

    def go_by(self, message: Message, channels: Sequence[str]) -> None:
        """By these from now on, and by no others; without any it is dropped.

        The marks of the others go last, as in `drop`.
        """
        if not channels:
            self.drop(message)
            return
        self.rewrite(replace(message, channels=tuple(channels)))
        self._unmark(message, [one for one in message.channels if one not in channels])

    def _unmark(self, message: Message, channels: Collection[str]) -> None:
        for channel in channels:
            name = f"{message.id}.{channel}"
            for path in (("sending", name), ("tries", f"{name}.json"), ("done", f"{name}.json")):
                self.folder.joinpath(*path).unlink(missing_ok=True)

    def tidy(self) -> None:
        """What was taken by all loses its words, and files go that nothing is to bear any more.

        And what a killed command left half-written: whoever holds the folder is alone here.
        """
        wanted: set[str] = set()
        for message in self.messages():
            done = (f"{message.id}.{channel}.json" for channel in message.channels)
            if not all(private.is_there(self.folder / "done" / name) for name in done):
                wanted.update(sha256 for _, sha256 in message.files)
            elif message.body or message.subject:
                self.rewrite(replace(message, subject="", body=""))
        for room in _ROOMS:
            for path in (self.folder / room).iterdir():
                borne = room != "files" or path.name in wanted
                if not borne or path.suffix == ".part":
                    path.unlink()

    def file(self, sha256: str) -> Path:
        return self.folder / "files" / sha256

    def messages(self) -> Iterator[Message]:
        """All of them, those of before first; raises BadInput for a damaged one."""
        found = []
        for path in (self.folder / "messages").glob("*.json"):
            try:
                document = _load(path) or {}
                found.append((str(document["at"]), _message(document)))
            except (KeyError, TypeError, ValueError, BadInput):
                # what it told of whom is in it alone: without it that would be told again
                raise BadInput(
                    msg("outbox_file_damaged"), where=str(path), mend=msg("outbox_message_aside")
                ) from None
        yield from (message for _, message in sorted(found, key=lambda one: (one[0], one[1].id)))

    def state(self, message: Message, channel: str, now: datetime) -> State:
        name = f"{message.id}.{channel}"
        if private.is_there(self.folder / "done" / f"{name}.json"):
            return "done"
        if private.is_there(self.folder / "sending" / name):
            return "unsure"
        tried = self._tried(name)
        if tried is None:
            return "new"
        waits = datetime.fromisoformat(tried["next"]) - now
        # longer than it ever waits: that was written by a clock that was ahead
        return "later" if timedelta() < waits <= timedelta(minutes=_BACKOFF[-1]) else "new"

    def became(self, message: Message, channel: str, now: datetime) -> Became:
        """Of one channel: its state, when it was taken, and what the last try came to."""
        name = f"{message.id}.{channel}"
        done = _load(self.folder / "done" / f"{name}.json") or {}
        tried = self._tried(name) or {}
        return Became(
            self.state(message, channel, now),
            str(done.get("at", "")),
            int(tried.get("count", 0)),
            str(tried.get("why", "")),
            str(tried.get("next", "")),
        )

    def _tried(self, name: str) -> dict[str, Any] | None:
        """A damaged one only says how long to wait, and is as none."""
        try:
            found = _load(self.folder / "tries" / f"{name}.json")
            if found is None or datetime.fromisoformat(found["next"]).tzinfo is None:
                return None
            return {**found, "count": int(found["count"])}
        except (KeyError, TypeError, ValueError, BadInput):
            return None

    def bore(self, message: Message, channel: str, sha256: str) -> bool:
        """Was it sent with that file, or may it have been?"""
        name = f"{message.id}.{channel}"
        borne = {digest for _, digest in message.files}
        for path in (self.folder / "done" / f"{name}.json", self.folder / "sending" / name):
            try:
                text = path.read_text(encoding="utf-8")
            except FileNotFoundError:
                continue
            # a mark of before said nothing of files: all of them went
            marked = load_json(text, where=str(path)) if text else {}
            if not isinstance(marked, dict):
                raise BadInput(msg("outbox_file_damaged"), where=str(path))
            return sha256 in borne and sha256 in marked.get("files", borne)
        return False

    def begin(self, message: Message, channel: str, files: Sequence[str] = ()) -> None:
        """From here on it may have been sent, with the files of those digests."""
        self._log("sending", message, channel)
        mark = json.dumps({"files": list(files)}).encode()
        private.write_aside(self.folder / "sending" / f"{message.id}.{channel}", mark)

    def ended(
        self,
        message: Message,
        channel: str,
        outcome: Outcome,
        now: datetime,
        files: Sequence[str] = (),
        why: str = "",
    ) -> None:
        """What became of it, as it was begun; of what nobody knows, the mark of `begin` stays."""
        name = f"{message.id}.{channel}"
        self._log(outcome, message, channel)
        if outcome == "sent":
            at = now.isoformat(timespec="seconds")
            self._store("done", name, {"at": at, "files": list(files)})
        if outcome == "refused":
            count = (self._tried(name) or {"count": 0})["count"] + 1
            wait = timedelta(minutes=_BACKOFF[min(count, len(_BACKOFF)) - 1])
            again = (now + wait).isoformat(timespec="seconds")
            self._store("tries", name, {"count": count, "next": again, "why": why})
        if outcome != "unsure":
            self.forget(message, channel)

    def forget(self, message: Message, channel: str) -> None:
        """That it may have been sent."""
        (self.folder / "sending" / f"{message.id}.{channel}").unlink(missing_ok=True)
        private.sync_folder(self.folder / "sending")

    def _store(self, room: str, name: str, document: dict[str, Any]) -> None:
        text = json.dumps(document, ensure_ascii=False, indent=1) + "\n"
        private.write_aside(self.folder / room / f"{name}.json", text.encode())

    def _log(self, what: str, message: Message, channel: str) -> None:
        at = datetime.now(UTC).isoformat(timespec="seconds")
        entry = {"at": at, "what": what, "id": message.id, "to": message.to, "channel": channel}
        private.append(
            self.folder / "log.jsonl", json.dumps(entry).encode() + b"\n", most=_LOG, kept=_LOGS
        )


def _load(path: Path) -> dict[str, Any] | None:
    try:
        found = load_json(path.read_text(encoding="utf-8"), where=str(path))
    except FileNotFoundError:
        return None
    if not isinstance(found, dict):
        raise BadInput(msg("outbox_file_damaged"), where=str(path))
    return found


def _document(message: Message) -> dict[str, Any]:
    return {name: getattr(message, name) for name in Message.__slots__}


def _message(document: dict[str, Any]) -> Message:
    return Message(
        str(document["id"]),
        str(document["to"]),
        str(document["lang"]),
        str(document["subject"]),
        str(document["body"]),
        tuple(map(str, document["items"])),
        tuple(map(str, document["channels"])),
        tuple((str(name), str(sha256)) for name, sha256 in document["files"]),
        str(document["at"]),
        tuple((str(id), str(at)) for id, at in document.get("begun", ())),
    )
