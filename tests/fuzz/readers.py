"""What `python -m tests.fuzz` tries: each reader of what comes from outside, and good inputs."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path

import rfc8785

from collector import captures, schema
from collector.attest.bundle import container
from collector.attest.envelope import canonical, statement, timestamp
from collector.attest.envelope import dsse as envelope
from collector.attest.keys.keys import PublicKey
from collector.attest.log import checkpoint, logged
from collector.attest.log.checkpoint import Checkpoint
from collector.attest.log.logged import Log
from collector.attest.trust.trust_file import trust_from_bytes, trust_of
from collector.faults import first_fault
from collector.model import Capture
from collector.pledges.record import form as record
from collector.script import parse_output
from collector.verify import open_bundle, verify
from tests import bundle_cases as cases
from tests import bundles, zip_forms
from tests.test_verify import ENVELOPE

ROOT = Path(__file__).parents[2]
_ORIGIN = "hostpledge-register/" + "0" * 32
Reader = Callable[[bytes], object]
_SCHEMAS = ("statement", "trust", "evidence", "data-inventory", "log-entry")


def _json(data: bytes) -> None:
    """Canonical JSON is what RFC 8785 makes of it; compiled and explaining schemas agree."""
    document = schema.load_json(data, where="t")
    for name in _SCHEMAS:
        fits = schema._fits(schema.validator(name), document)
        assert fits is (first_fault(document, name) is None), name
    canonical.parse(data, where="t")
    assert rfc8785.dumps(json.loads(data)) == data


def _capture(data: bytes) -> None:
    found = captures.from_bytes(data, where="t")
    _same(found, captures.from_bytes(captures.to_bytes(found), where="t"))


def _output(data: bytes) -> None:
    found = parse_output(data, host="h")
    _same(found, captures.from_bytes(captures.to_bytes(found), where="t"))


def _same(one: Capture, other: Capture) -> None:
    assert (dict(one.reads), dict(one.head)) == (dict(other.reads), dict(other.head))


def _lines(data: bytes) -> None:
    """A capture that was not packed: what a fuzzer cannot get through gzip."""
    captures._from_lines(data.split(b"\n"), "t")


def _inventory(data: bytes) -> None:
    document = schema.load_yaml(data, where="t")
    schema.check(document, "data-inventory", where="t")


def _statement(data: bytes) -> None:
    document = statement.from_bytes(data, where="t")
    assert document == json.loads(data)
    statement.subjects(document)


def _headers(data: bytes) -> None:
    """What is taken is what is written again from what was read, but for the content."""
    entries = container.layout(io.BytesIO(data), "t", most=1000)
    place, again = 0, b""
    for one in entries:
        head = one.local()
        start = place + len(head)
        again += data[place:start] if one.wide else head
        again += data[start : start + one.packed]
        place = start + one.packed
    listed = b"".join(one.listed() for one in entries)
    assert again + listed + container.end(len(entries), len(listed), place) == data


def _warm() -> None:
    """What is made once, so that no input is the slow one for it."""
    for name in _SCHEMAS:
        schema.validator(name)
        first_fault({}, name)


_READERS: dict[str, Reader] = {
    "envelope": envelope.unseal,
    "statement": _statement,
    "json": _json,
    "capture": _capture,
    "capture lines": _lines,
    "script output": _output,
    "trust": lambda data: trust_from_bytes(data, where="t"),
    "public key": lambda data: PublicKey.from_pem(data, where="t"),
    "record": lambda data: record.from_bytes(data, where="t"),
    "inventory": _inventory,
    "checkpoint": lambda data: checkpoint.parse(data, where="t").verify(
        trust_of([cases.SIGNER.public]), where="t"
    ),
    "inclusion": lambda data: logged.read_inclusion(data, where="t").check(where="t"),
    "consistency": lambda data: logged.read_consistency(data, where="t").check(
        Checkpoint(_ORIGIN, 1, b"\0" * 32), where="t"
    ),
    "timestamp": lambda data: timestamp.check(data, b"signature"),
    "zip headers": _headers,
}
NAMES = (*_READERS, "zip")


def reader(name: str, folder: Path) -> Reader:
    """What reads bytes as the thing of that name; `folder` is for what has to be a file."""
    _warm()
    if name != "zip":
        return _READERS[name]
    good = _good(folder)
    trust, right = cases.trust(good["plain"].parent), _digest(good["plain"])
    place = folder / "bundle.zip"

    def read(data: bytes) -> None:
        place.write_bytes(data)
        with open_bundle(place) as opened:
            assert verify(opened, trust).digest == right, "another bundle verifies"

    return read


@cache
def _good(folder: Path) -> dict[str, Path]:
    base = folder / "base"
    base.mkdir()
    return cases.good(base)


def _digest(path: Path) -> str:
    return captures.digest(envelope.unseal((path / ENVELOPE).read_bytes()).payload)


def seeds(name: str, folder: Path) -> list[bytes]:
    """Good inputs of that name."""
    if name in ("record", "inventory"):
        text = (ROOT / "examples" / "pledge.yml").read_bytes()
        inventory = schema.load_yaml(text, where="t").get("data_inventory", {})
        return [text] if name == "record" else [json.dumps(inventory).encode()]
    packed = (ROOT / "tests/captures/luks-trixie.capture.gz").read_bytes()
    if name == "capture":
        return [packed, captures.to_bytes(bundles.unreachable("a"))]
    if name == "capture lines":
        small = captures.to_bytes(bundles.unreachable("a"))
        return [gzip.decompress(one) for one in (packed, small)]
    if name == "script output":
        return [bundles.output()[:20_000]]
    base, good = folder / "base", _good(folder)
    if name in ("zip", "zip headers"):
        stage = cases.Stage(good["plain"], cases.trust(base))
        zip_forms.pack(stage)
        return [stage.path.read_bytes()]
    sealed = envelope.unseal((good["stamped"] / ENVELOPE).read_bytes())
    log = Log(_ORIGIN, (b"{}", b"[]"))
    note = checkpoint.sign(log.checkpoint(), cases.SIGNER)
    trust = cases.trust(base).to_bytes()
    return {
        "envelope": [(good[kind] / ENVELOPE).read_bytes() for kind in ("plain", "stamped")],
        "statement": [sealed.payload],
        "json": [sealed.payload, trust],
        "trust": [trust],
        "public key": [key.public.pem.encode() for key in (cases.SIGNER, cases.SM2)],
        "checkpoint": [note.encode()],
        "inclusion": [log.inclusion(0, note).encode()],
        "consistency": [log.consistency(1, note).encode()],
        "timestamp": [sealed.timestamps[0]],
    }[name]
