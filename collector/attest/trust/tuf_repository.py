"""A team's trust repository (The Update Framework, specification 1.0): the trust file as a target.

Holders keep offline keys; `threshold` of them sign the root and each trust file. One online key
signs which is the newest (snapshot and timestamp). What wants signatures lies in `staged/` until
there are enough; everything is done on files, so that they can be carried to a machine with no
network. The folders `metadata/` and `targets/` are what clients get, from any web server.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from collector.attest.envelope import dsse as envelope
from collector.attest.keys.keys import PrivateKey, PublicKey
from collector.attest.trust import tuf_root as tufroot
from collector.attest.trust.trust_file import Trust, trust_from_bytes
from collector.attest.trust.tuf_client import MOST, TARGET, Source, check_keys, follow, need, told
from collector.captures import write_aside
from collector.errors import BadInput, VerifyFailed
from collector.i18n.message import Message, msg

if TYPE_CHECKING:
    from tuf.api.metadata import Metadata, Root, Targets

ROOT_DAYS = 365
TARGETS_DAYS = 180
ONLINE_DAYS = 30


@dataclass(frozen=True, slots=True)
class Awaited:
    """A staged document, and what it still wants: pairs of signatures there are, and wanted."""

    role: str
    version: int
    expires: datetime
    signed: tuple[tuple[int, int], ...]

    @property
    def enough(self) -> bool:
        return all(have >= wanted for have, wanted in self.signed)


class Repository:
    """A folder. Raises BadInput where it is none that `init` made."""

    def __init__(self, folder: Path) -> None:
        need(str(folder))
        self.folder = folder
        self.where = str(folder)
        self.metadata, self.targets = folder / "metadata", folder / "targets"
        self.staged = folder / "staged"
        if not self.metadata.is_dir() or not self.targets.is_dir():
            raise BadInput(
                msg("no_trust_repository"),
                where=self.where,
                mend=msg("hostpledge_trust_init_makes"),
            )

    def root(self) -> Metadata[Root] | None:
        """The root in force; None before the first was published."""
        numbers = [
            int(path.name.partition(".")[0])
            for path in self.metadata.glob("*.root.json")
            if path.name.partition(".")[0].isdecimal()
        ]
        return self._load(self.metadata / f"{max(numbers)}.root.json") if numbers else None

    def awaited(self) -> list[Awaited]:
        """What is staged, and how many signatures each document has and wants."""
        return [self._awaited(role) for role in ("root", "targets") if self._staged(role)]

    def _awaited(self, role: str) -> Awaited:
        document = self._staged(role)
        assert document is not None  # noqa: S101 - `awaited` asked
        results = [
            asking.get_verification_result(role, document.signed_bytes, document.signatures)
            for asking in self._asking(role, document)
        ]
        counted = tuple((len(one.signed), one.threshold) for one in results)
        return Awaited(role, document.signed.version, document.signed.expires, counted)

    def _asking(self, role: str, document: Metadata[Any]) -> list[Root]:
        """Whose thresholds the document has to meet: a root its predecessor's and its own."""
        present, staged = self.root(), self._staged("root")
        if role == "root":
            return [*([present.signed] if present else []), document.signed]
        newest = staged or present
        return [newest.signed] if newest else []

    def stage_trust(self, data: bytes, *, days: int = TARGETS_DAYS, now: datetime) -> None:
        """A trust file for the holders to sign. Raises BadInput for what is none."""
        from tuf.api.metadata import Metadata, TargetFile, Targets

        trust_from_bytes(data, where=TARGET)
        if len(data) > MOST:
            raise BadInput(msg("larger_bytes", most=MOST), where=TARGET)
        present = self._targets()
        signed = Targets(
            version=present.signed.version + 1 if present else 1,
            expires=_after(now, days),
            targets={TARGET: TargetFile.from_data(TARGET, data, ["sha256"])},
        )
        write_aside(self.staged / TARGET, data, 0o644)
        self._stage("targets", Metadata(signed))

    def stage_root(
        self,
        add: Sequence[PublicKey] = (),
        remove: Sequence[str] = (),
        threshold: int | None = None,
        online: PublicKey | None = None,
        *,
        days: int = ROOT_DAYS,
        now: datetime,
    ) -> None:
        """The next root: other holders, another threshold, another online key, or a new expiry."""
        from tuf.api.metadata import Metadata

        present = self.root()
        if present is None:
            raise BadInput(
                msg("first_root_not_published"), where=self.where, mend=msg("sign_publish")
            )
        root = tufroot.following(
            present.signed,
            add,
            remove,
            threshold,
            online,
            expires=_after(now, days),
            where=self.where,
        )
        self._stage("root", Metadata(root))

    def staged_trust(self) -> tuple[Trust, str]:
        """The staged trust file and its SHA-256: what a holder puts a name to.

        Raises VerifyFailed where the file is not the one that the staged metadata names.
        """
        document, where = self._staged("targets"), str(self.staged / TARGET)
        if document is None:
            raise BadInput(msg("no_trust_file_staged"), where=self.where)
        with told(where):
            data = (self.staged / TARGET).read_bytes()
            target = document.signed.targets[TARGET]
            target.verify_length_and_hashes(data)
        return trust_from_bytes(data, where=where), target.hashes["sha256"]

    def holders(self) -> list[tuple[str, bool]]:
        """The holders of the newest root, staged or not, and whether each signed all staged."""
        newest = self._staged("root") or self.root()
        staged = [self._staged(role) for role in ("root", "targets")]
        return [
            (keyid, all(keyid in one.signatures for one in staged if one is not None))
            for keyid in (newest.signed.roles["root"].keyids if newest else ())
        ]

    def sign(self, key: PrivateKey) -> list[Awaited]:
        """Signs all that is staged and that the key may sign; tells what that was.

        Raises BadInput where it may sign nothing of it.
        """
        done = []
        for role in ("root", "targets"):
            document = self._staged(role)
            if document is None:
                continue
            if not any(key.keyid in one.roles[role].keyids for one in self._asking(role, document)):
                continue
            if role == "targets":
                self.staged_trust()
            with told(self.where):
                document.sign(envelope.signer(key), append=True)
            self._stage(role, document)
            done.append(self._awaited(role))
        if not done:
            raise BadInput(
                msg("nothing_staged_key_signs", keyid=key.keyid),
                where=self.where,
                mend=msg("hostpledge_trust_show_tells"),
            )
        return done

    def publish(self, key: PrivateKey, *, days: int = ONLINE_DAYS, now: datetime) -> None:
        """Puts into force what is staged and signed, and says anew which is the newest.

        Raises VerifyFailed while signatures are wanting, BadInput for another key than the online
        one. The timestamp is written last: until then clients see what was there before.
        """
        from tuf.api.metadata import Metadata, MetaFile, Snapshot, Timestamp

        for one in self.awaited():
            if not one.enough:
                have, wanted = next(pair for pair in one.signed if pair[0] < pair[1])
                raise VerifyFailed(
                    msg(
                        "signed_wants",
                        role=msg(f"tuf_{one.role}"),
                        version=one.version,
                        have=have,
                        wanted=wanted,
                    ),
                    where=self.where,
                )
        root = self._staged("root") or self.root()
        targets = self._staged("targets") or self._targets()
        if root is None or targets is None:
            raise BadInput(
                msg("no_trust_file_yet"), where=self.where, mend=msg("hostpledge_trust_stage_then")
            )
        if key.keyid not in root.signed.roles["timestamp"].keyids:
            raise BadInput(msg("key_not_online_key", keyid=key.keyid), where=self.where)
        for document in (root, targets):
            if document.signed.is_expired(now):
                raise VerifyFailed(_expired(document.signed), where=self.where)
        with told(self.where):
            root.signed.verify_delegate("targets", targets.signed_bytes, targets.signatures)
        self._take("root")
        self._take("targets")
        files: dict[str, Metadata[Any]] = {}
        for kind, role in ((Snapshot, "snapshot"), (Timestamp, "timestamp")):
            before = self._newest(role)
            about = targets if role == "snapshot" else files["snapshot"]
            meta = MetaFile.from_data(about.signed.version, about.to_bytes(), ["sha256"])
            signed = kind(
                version=before.signed.version + 1 if before else 1, expires=_after(now, days)
            )
            if isinstance(signed, Snapshot):
                signed.meta = {"targets.json": meta}
            else:
                signed.snapshot_meta = meta
            files[role] = Metadata(signed)
            files[role].sign(envelope.signer(key))
        version = files["snapshot"].signed.version
        write_aside(self.metadata / f"{version}.snapshot.json", files["snapshot"].to_bytes(), 0o644)
        write_aside(self.metadata / "timestamp.json", files["timestamp"].to_bytes(), 0o644)
        self.check()

    def published(self) -> bool:
        return (self.metadata / "timestamp.json").is_file()

    def check(self) -> Source:
        """What clients see, from the first root on; raises VerifyFailed where it does not hold."""
        first = min(
            self.metadata.glob("*.root.json"), key=lambda path: int(path.name.partition(".")[0])
        )
        return follow(first.read_bytes(), self.read, where=self.where)[1]

    def read(self, name: str) -> bytes | None:
        for folder in (self.metadata, self.targets):
            if (folder / name).is_file():
                return (folder / name).read_bytes()
        return None

    def _take(self, role: str) -> None:
        document = self._staged(role)
        if document is None:
            return
        if role == "targets":
            data = (self.staged / TARGET).read_bytes()
            target = document.signed.targets[TARGET]
            with told(str(self.staged / TARGET)):
                target.verify_length_and_hashes(data)
            write_aside(self.targets / f"{target.hashes['sha256']}.{TARGET}", data, 0o644)
        place = self.metadata / f"{document.signed.version}.{role}.json"
        write_aside(place, document.to_bytes(), 0o644)
        (self.staged / f"{role}.json").unlink()
        if role == "targets":
            (self.staged / TARGET).unlink()

    def _targets(self) -> Metadata[Targets] | None:
        return self._newest("targets")

    def _newest(self, role: str) -> Metadata[Any] | None:
        if role == "timestamp":
            place = self.metadata / "timestamp.json"
            return self._load(place) if place.is_file() else None
        found = [
            int(path.name.partition(".")[0])
            for path in self.metadata.glob(f"*.{role}.json")
            if path.name.partition(".")[0].isdecimal()
        ]
        return self._load(self.metadata / f"{max(found)}.{role}.json") if found else None

    def _staged(self, role: str) -> Metadata[Any] | None:
        place = self.staged / f"{role}.json"
        return self._load(place) if place.is_file() else None

    def _load(self, place: Path) -> Metadata[Any]:
        from tuf.api.metadata import Metadata

        with told(str(place)):
            found: Metadata[Any] = Metadata.from_bytes(place.read_bytes()[: MOST + 1])
        if found.signed.type == "root":
            check_keys(found.signed, str(place))
        return found

    def _stage(self, role: str, document: Metadata[Any]) -> None:
        self.staged.mkdir(exist_ok=True)
        write_aside(self.staged / f"{role}.json", document.to_bytes(), 0o644)


def init(
    folder: Path,
    holders: Sequence[PublicKey],
    threshold: int,
    online: PublicKey,
    *,
    days: int = ROOT_DAYS,
    now: datetime,
) -> Repository:
    """A new repository whose first root waits for the holders' signatures.

    Raises BadInput where something is there already, and for a threshold that cannot be met.
    """
    need(str(folder))
    from tuf.api.metadata import Metadata

    if folder.exists() and any(folder.iterdir()):
        raise BadInput(msg("exists_already"), where=str(folder), mend=msg("choose_another_place"))
    root = tufroot.first(holders, threshold, online, expires=_after(now, days), where=str(folder))
    for name in ("metadata", "targets", "staged"):
        (folder / name).mkdir(parents=True)
    made = Repository(folder)
    made._stage("root", Metadata(root))  # noqa: SLF001 - its own maker
    return made


def _after(now: datetime, days: int) -> datetime:
    return now.astimezone(UTC).replace(microsecond=0) + timedelta(days=days)


def _expired(signed: Any) -> Message:
    return msg(
        "expired_nobody_would_take",
        type=msg(f"tuf_{signed.type}"),
        version=signed.version,
        expires=signed.expires.isoformat(),
    )
