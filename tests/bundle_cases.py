"""Bundles that went wrong: what tests/bundles/CASE/case.yml says is done to a good one.

A case names who does it (`who`), what is done (`do`, a list of acts of this module), and for
`…_fail` where and with which words the verifier refuses it (`where`, `said`).
"""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import rfc8785
import yaml

from collector import captures, catalog
from collector.attest.bundle import bag
from collector.attest.bundle import making as bundle
from collector.attest.envelope import dsse as envelope
from collector.attest.envelope.timestamp import Authority
from collector.attest.keys.keys import PrivateKey
from collector.attest.trust.trust_file import Trust, TrustedKey
from collector.model import Capture, HostStatus, ReadResult, ReadStatus
from collector.run.net import tsa as asking
from collector.script import host_nonce
from tests import bundles, hardened
from tests.test_verify import ENVELOPE, EVIDENCE, follow, sign_statement
from tests.tsa import Tsa
from tests.zip_forms import pack

FOLDER = Path(__file__).parent / "bundles"
NONCE = "a" * 32
SIGNER, OTHER, SM2 = PrivateKey.generate(), PrivateKey.generate(), PrivateKey.generate("sm2")


@dataclass
class Stage:
    """What the acts of a case work on. `path` is what is verified in the end."""

    path: Path
    trust: Trust
    now: datetime | None = None
    made: datetime = field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0))

    def file(self, name: str) -> Path:
        """A file inside the bundle, by its name or a pattern."""
        return next(iter(sorted(self.path.glob(name))), self.path / name)


def good(folder: Path) -> dict[str, Path]:
    """The bundles that cases begin with: `plain`, `stamped`, `sm2`, `hardened`, `numbers`."""
    read = ReadResult("platform.init", ReadStatus.OK, 0, 0, b"systemd\n")
    answered = Capture(
        "web-1",
        HostStatus.COMPLETE,
        nonce=host_nonce(NONCE, "web-1"),
        origin={"run": NONCE},
        reads={read.id: read},
        collected_at=datetime.now(UTC),
    )
    hosts = [answered, replace(bundles.unreachable("gone"), origin={"run": NONCE})]
    authority = Tsa(folder / "tsa")
    given: dict[str, Any] = {
        "controls": catalog.select(["classification"]),
        "run": hardened.run_about(NONCE, ["web-1", "gone"]),
        "attached": {"x": b"y"},
    }
    with authority.served() as url:
        more: dict[str, dict[str, Any]] = {
            "plain": {},
            "stamped": {"stamps": [partial(asking.stamp, url)]},
            "sm2": {"sm2_key": SM2},
        }
        made = {
            name: bundles.make(folder, hosts, SIGNER, name=name, **given, **more[name])[0].path
            for name in more
        }
    numbers = [bundles.unreachable(host) for host in ("9", "10", "a", "𠮷", "\uff5e")]
    few = {"controls": catalog.select(["classification"])}
    return {
        **made,
        "hardened": hardened.bundle(folder / "of-hardened", SIGNER, found=_twice(answered)).path,
        "numbers": bundles.make(folder, numbers, SIGNER, name="numbers", **few)[0].path,
    }


def _twice(answered: Capture) -> tuple[list[Capture], list[Capture]]:
    """A host that answered and one that did not, before and an hour later."""
    checks = [(hardened.BEFORE, hardened.NOW), (hardened.AFTER, hardened.NOW + timedelta(hours=1))]
    before, after = (
        [bundles.collected(answered, run, at), hardened.gone(at, run)] for run, at in checks
    )
    return before, after


def trust(folder: Path) -> Trust:
    authority = Authority.from_pem("test", (folder / "tsa/root.pem").read_text(), where="root")
    keys = (TrustedKey(SIGNER.public, "signer"), TrustedKey(SM2.public, "sm2"))
    return Trust(keys, (authority,))


# --- acts ----------------------------------------------------------------------------------------


def flip(stage: Stage, file: str, at: int = 10) -> None:
    data = bytearray(stage.file(file).read_bytes())
    data[at] ^= 1
    stage.file(file).write_bytes(data)


def put(stage: Stage, file: str, text: str = "", hex: str = "") -> None:
    place = stage.file(file)
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(bytes.fromhex(hex) if hex else text.encode())


def append(stage: Stage, file: str, text: str) -> None:
    put(stage, file, hex=(stage.file(file).read_bytes() + text.encode()).hex())


def edit(stage: Stage, file: str, old: str, new: str) -> None:
    data = stage.file(file).read_bytes()
    assert old.encode() in data, old
    stage.file(file).write_bytes(data.replace(old.encode(), new.encode(), 1))


def deep(stage: Stage, file: str) -> None:
    stage.file(file).write_bytes(b"[" * 200_000 + b"]" * 200_000)


def cut(stage: Stage, file: str, to: int) -> None:
    stage.file(file).write_bytes(stage.file(file).read_bytes()[:to])


def remove(stage: Stage, file: str) -> None:
    place = stage.file(file)
    shutil.rmtree(place) if place.is_dir() else place.unlink()


def move(stage: Stage, file: str, to: str) -> None:
    (stage.path / to).parent.mkdir(parents=True, exist_ok=True)
    stage.file(file).rename(stage.path / to)


def swap(stage: Stage, one: str, other: str) -> None:
    a, b = stage.file(one).read_bytes(), stage.file(other).read_bytes()
    stage.file(one).write_bytes(b)
    stage.file(other).write_bytes(a)


def link(stage: Stage, file: str, to: str) -> None:
    remove(stage, file)
    (stage.path / file).symlink_to(to)


def folder(stage: Stage, name: str) -> None:
    (stage.path / name).mkdir()


def agree(stage: Stage) -> None:
    """The container is made to agree with its content again: nobody needs a key for that."""
    bundles.reseal(stage.path)


def _changed(document: Any, set: Mapping[str, Any], drop: list[str]) -> None:
    for pointer, value in [*set.items(), *((one, None) for one in drop)]:
        at = document
        *way, last = pointer.split("/")
        for step in way:
            at = at[int(step) if isinstance(at, list) else step]
        if isinstance(at, list):
            at[int(last) : int(last) + 1] = [] if pointer in drop else [value]
        elif pointer in drop:
            del at[last]
        else:
            at[last] = value


def unsigned(
    stage: Stage, file: str = ENVELOPE, set: Mapping[str, Any] | None = None,
    drop: list[str] | None = None,
) -> None:  # fmt: skip
    """Changes a JSON file and makes the container agree; the signature stays."""
    document = json.loads(stage.file(file).read_bytes())
    _changed(document, set or {}, drop or [])
    stage.file(file).write_bytes(rfc8785.dumps(document))
    agree(stage)


def sign(
    stage: Stage,
    evidence: Mapping[str, Any] | None = None,
    statement: Mapping[str, Any] | None = None,
    drop: list[str] | None = None,
    by: str = "signer",
) -> None:
    """Signs anew, by the key or another, after changes to evidence.json or the statement."""
    document = json.loads((stage.path / EVIDENCE).read_bytes()) if evidence else None
    if document is not None:
        _changed(document, evidence or {}, [])
        (stage.path / EVIDENCE).write_bytes(rfc8785.dumps(document))
    key = SIGNER if by == "signer" else OTHER

    def change(told: dict[str, Any]) -> None:
        if document is not None:
            follow(told, document)
        _changed(told, statement or {}, drop or [])

    sign_statement(stage.path, key, change)


def sign_bytes(stage: Stage, old: str, new: str) -> None:
    """Signs other bytes than canonical ones."""
    stored = envelope.unseal((stage.path / ENVELOPE).read_bytes())
    assert old.encode() in stored.payload
    payload = stored.payload.replace(old.encode(), new.encode(), 1)
    (stage.path / ENVELOPE).write_bytes(envelope.seal(payload, SIGNER))
    version = json.loads(stored.payload)["predicate"]["tool"]["version"]
    info = bundle.bag_info(payload, version)
    for name, data in bag.tag_files(bag.look(stage.path), info).items():
        (stage.path / name).write_bytes(data)


def recapture(stage: Stage, host: str, named: str = "", check: str = "data", **change: Any) -> None:
    """Another capture in the place of a host's, digests and statement signed anew."""
    change |= {"host": named} if named else {}
    place = stage.path / check / "captures" / captures.file_name(host)
    found = captures.from_bytes(place.read_bytes(), where="t")
    place.write_bytes(captures.to_bytes(replace(found, **change)))
    told = {f"hosts/{host}/capture_sha256": captures.digest(place.read_bytes())}
    sign(stage, told) if check == "data" else rewrite(stage, f"{check}/evidence.json", told)


def vouch(stage: Stage, file: str) -> None:
    """The statement names one file more."""
    subject = {
        "name": file.removeprefix("data/"),
        "digest": {"sha256": captures.digest(stage.file(file).read_bytes())},
    }

    def change(told: dict[str, Any]) -> None:
        told["subject"] = sorted([*told["subject"], subject], key=lambda one: str(one["name"]))

    sign_statement(stage.path, SIGNER, change)


def stamp_of(stage: Stage, other: str) -> None:
    """The timestamp of another bundle's signature."""
    theirs = json.loads((stage.path.parent / other / ENVELOPE).read_bytes())
    stamps = theirs["verificationMaterial"]["timestampVerificationData"]
    unsigned(stage, set={"verificationMaterial/timestampVerificationData": stamps})


def key(stage: Stage, **hours: int) -> None:
    """Times of the trusted key, in hours from now."""
    times: dict[str, Any] = {
        name: stage.made + timedelta(hours=many) for name, many in hours.items()
    }
    first, *others = stage.trust.keys
    stage.trust = replace(stage.trust, keys=(replace(first, **times), *others))


def trusting(stage: Stage, keys: str = "", authorities: bool = True) -> None:
    if keys:
        known = {"other": OTHER, "sm2": SM2}.get(keys)
        found = (TrustedKey(known.public, keys),) if known else ()
        stage.trust = replace(stage.trust, keys=found)
    if not authorities:
        stage.trust = replace(stage.trust, authorities=())


def years(stage: Stage, later: int) -> None:
    stage.now = stage.made + timedelta(days=365 * later)


def capture_text(stage: Stage, host: str, old: str = "", new: str = "", **change: Any) -> None:
    """Another text in a host's capture, digests and statement signed anew.

    `lies` is whether the digests of reads stay; `more` are bytes after the packed text.
    """
    place = stage.path / "data/captures" / captures.file_name(host)
    text = gzip.decompress(place.read_bytes())
    assert old.encode() in text, old
    text = text.replace(old.encode(), new.encode(), 1)
    more = bytes.fromhex(change.get("more", ""))
    place.write_bytes(gzip.compress(text, mtime=0) + more)
    sign(stage, evidence={f"hosts/{host}/capture_sha256": captures.digest(place.read_bytes())})


def rewrite(
    stage: Stage, file: str, set: Mapping[str, Any] | None = None, drop: list[str] | None = None,
    statement: Mapping[str, Any] | None = None,
) -> None:  # fmt: skip
    """Another JSON in the bundle, and the statement signed anew over it."""
    document = json.loads(stage.file(file).read_bytes())
    _changed(document, set or {}, drop or [])
    stage.file(file).write_bytes(rfc8785.dumps(document))
    sign(stage, statement=statement)


def twin(stage: Stage, statement: Mapping[str, Any], by: str = "sm2") -> None:
    """Another statement under the SM2 signature, which holds."""
    place = stage.path / "data" / envelope.TWIN
    stored = envelope.unseal(place.read_bytes(), sm2=True)
    document = json.loads(stored.payload)
    _changed(document, statement, [])
    key = SM2 if by == "sm2" else PrivateKey.generate("sm2")
    place.write_bytes(envelope.seal(rfc8785.dumps(document), key))
    agree(stage)


ACTS: dict[str, Callable[..., None]] = {
    one.__name__: one
    for one in (
        flip, put, append, edit, deep, cut, remove, move, swap, link, folder, agree, unsigned, sign,
        sign_bytes, recapture, stamp_of, key, trusting, years, pack, capture_text, rewrite, twin,
        vouch,
    )
}  # fmt: skip


def case(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((FOLDER / name / "case.yml").read_text("utf-8"))
    return found


def names() -> list[str]:
    return sorted(path.parent.name for path in FOLDER.glob("*/case.yml"))


def play(stage: Stage, about: Mapping[str, Any]) -> None:
    """Does to the bundle what the case says."""
    for act in about["do"]:
        ((name, given),) = act.items()
        if isinstance(given, dict):
            ACTS[name](stage, **given)
        elif given is None:
            ACTS[name](stage)
        else:
            ACTS[name](stage, given)
