"""Is the bundle signed by somebody trusted, and does all in it agree? And what does that prove?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from collector.attest import evidence
from collector.attest.bundle import attached_file
from collector.attest.evidence import Clauses, finding_from_json
from collector.attest.nonce import check_nonce
from collector.attest.trust import Trust, TrustedKey
from collector.captures import file_name, read_digest
from collector.errors import VerifyFailed
from collector.model import Capture, ReadStatus, Text
from collector.verify.bundle import Bundle

_EVIDENCE = f"data/{evidence.FILE}"
_ENVELOPE = "data/bundle.sigstore.json"


@dataclass(frozen=True, slots=True)
class Verification:
    """A bundle that verified. `made_at` is the signer's own word; `digest` names the bundle."""

    digest: str
    keyid: str
    key_name: str
    made_at: datetime
    hosts: int
    handed_in: int
    statement: dict[str, Any]
    proven: tuple[Text, ...]
    unproven: tuple[Text, ...]

    def to_json(self) -> dict[str, Any]:
        predicate = self.statement["predicate"]
        return {
            "verified": True,
            "digest": self.digest,
            "key": {"keyid": self.keyid, "name": self.key_name},
            "made_at": self.made_at.isoformat(),
            "hosts": self.hosts,
            "handed_in": self.handed_in,
            "period": predicate["period"],
            "pledge": predicate["pledge"],
            "clauses": predicate["clauses"],
            "proven": [{"zh": text.zh, "en": text.en} for text in self.proven],
            "unproven": [{"zh": text.zh, "en": text.en} for text in self.unproven],
        }


def verify(bundle: Bundle, trust: Trust, *, now: datetime | None = None) -> Verification:
    """Raises VerifyFailed, naming the file and the reason, unless everything holds.

    `now` (aware, by default this machine's clock) only says how old things are: it never makes
    a bundle verify, nor fail.
    """
    known = trust.find(bundle.sealed.keyid)
    if known is None:
        raise VerifyFailed(
            f"signed by {bundle.sealed.keyid}, which is not among the trusted keys",
            where=_ENVELOPE,
        )
    try:
        bundle.sealed.verify(known.key)
    except VerifyFailed as problem:
        raise VerifyFailed(problem.what, where=_ENVELOPE) from None
    made_at = datetime.fromisoformat(bundle.statement["predicate"]["made_at"])
    _check_window(known, made_at)
    _check_attached(bundle)
    handed_in = _check_hosts(bundle)
    _check_run(bundle)
    count = len(bundle.names)
    return Verification(
        bundle.digest,
        known.keyid,
        known.name,
        made_at,
        count,
        handed_in,
        bundle.statement,
        _proven(known, count),
        _unproven(known, made_at, now or datetime.now(UTC), handed_in),
    )


def _check_window(known: TrustedKey, made_at: datetime) -> None:
    if known.revoked_at is not None:
        raise VerifyFailed(
            f"signed by the key {known.name}, revoked {known.revoked_at.isoformat()}; "
            "nothing but the signer's word says that it was signed before",
            where=_ENVELOPE,
        )
    if known.valid_from is not None and made_at < known.valid_from:
        raise VerifyFailed(
            f"signed {made_at.isoformat()}, before the key {known.name} was valid "
            f"({known.valid_from.isoformat()})",
            where=_ENVELOPE,
        )
    if known.valid_until is not None and made_at > known.valid_until:
        raise VerifyFailed(
            f"signed {made_at.isoformat()}, after the end of the key {known.name} "
            f"({known.valid_until.isoformat()})",
            where=_ENVELOPE,
        )


def _check_attached(bundle: Bundle) -> None:
    entries = {f"attached/{attached_file(e['name'])}": e for e in bundle.frame["attached"]}
    if len(entries) != len(bundle.frame["attached"]):
        raise VerifyFailed("an attached document stands twice", where=_EVIDENCE)
    signed = {name for name in bundle.subjects if name.startswith("attached/")}
    for name in sorted(signed ^ set(entries)):
        raise VerifyFailed(f"{_EVIDENCE} and the statement differ on it", where=f"data/{name}")
    for name, entry in entries.items():
        if bundle.subjects[name] != entry["sha256"]:
            raise VerifyFailed(f"not the document that {_EVIDENCE} names", where=f"data/{name}")


def _check_hosts(bundle: Bundle) -> int:
    """Every host's entry against its capture, and the clauses against the findings."""
    clauses = Clauses()
    named: set[str] = set()
    times: list[datetime] = []
    handed_in = 0
    for host, entry in bundle.hosts():
        name = entry["capture"]
        where = f"{_EVIDENCE} host {host}"
        if name != f"captures/{file_name(host)}" or name not in bundle.subjects:
            raise VerifyFailed(f"names {name} as its capture", where=where)
        if entry["capture_sha256"] != bundle.subjects[name]:
            raise VerifyFailed(f"names another digest for {name}", where=where)
        named.add(name)
        capture = bundle.capture_in(host, entry)
        _check_host(bundle, host, entry, capture)
        if bundle.frame["run"] is not None:
            _check_nonce(capture, name, bundle.frame["run"]["nonce"])
        handed_in += "run" not in capture.origin
        at = datetime.fromisoformat(entry["assessed_at"])
        times.append(at)
        clauses.add([finding_from_json(host, f) for f in entry["findings"]], at)
    for name in sorted(bundle.subjects):
        if name.startswith("captures/") and name not in named:
            raise VerifyFailed(f"belongs to no host of {_EVIDENCE}", where=f"data/{name}")
    if not named:
        raise VerifyFailed("holds no host", where=_EVIDENCE)
    if clauses.to_json() != bundle.frame["clauses"]:
        raise VerifyFailed("its clauses do not follow from its findings", where=_EVIDENCE)
    _check_predicate(bundle, min(times), max(times))
    return handed_in


def _check_nonce(capture: Capture, name: str, run: str) -> None:
    try:
        check_nonce(capture, run)
    except VerifyFailed as problem:
        raise VerifyFailed(problem.what, where=f"data/{name}") from None


def _check_host(bundle: Bundle, host: str, entry: dict[str, Any], capture: Capture) -> None:
    where = f"{_EVIDENCE} host {host}"
    said = {key: entry[key] for key in ("status", "detail", "head", "origin")}
    seen = evidence.exact(
        {
            "status": str(capture.status),
            "detail": capture.detail,
            "head": dict(capture.head),
            "origin": dict(capture.origin),
        }
    )
    for key, value in said.items():
        if value != seen[key]:
            raise VerifyFailed(f"its {key} is not that of its capture", where=where)
    controls = bundle.frame["controls"]
    if sorted(finding["control"] for finding in entry["findings"]) != sorted(controls):
        raise VerifyFailed("has not exactly one finding for each control", where=where)
    for finding in entry["findings"]:
        about = controls[finding["control"]]
        for key in ("clause", "severity", "veto"):
            if finding[key] != about[key]:
                raise VerifyFailed(f"{finding['control']}: another {key}", where=where)
        for quote in finding["evidence"]:
            result = capture.read(quote["read"])
            lost = result.status is ReadStatus.LOST
            if quote["sha256"] != (None if lost else read_digest(result)):
                raise VerifyFailed(
                    f"{finding['control']} quotes {quote['read']}, which read otherwise",
                    where=where,
                )


def _check_predicate(bundle: Bundle, first: datetime, last: datetime) -> None:
    frame = bundle.frame
    predicate = bundle.statement["predicate"]
    expected = {
        "tool": frame["tool"],
        "catalog_sha256": frame["catalog_sha256"],
        "grade": frame["grade"],
        "run": frame["run"]["nonce"] if frame["run"] else None,
        "pledge": frame["pledge"],
        "period": {"from": evidence.time(first), "to": evidence.time(last)},
        "hosts": len(bundle.names),
        "clauses": {number: clause["verdict"] for number, clause in frame["clauses"].items()},
    }
    for key, value in expected.items():
        if predicate[key] != value:
            raise VerifyFailed(f"the signed statement says another {key}", where=_EVIDENCE)


def _check_run(bundle: Bundle) -> None:
    """The run's own description: no host of it left out, and its script."""
    run = bundle.frame["run"]
    if run is None:
        return
    missing = sorted(set(run["hosts"]) - set(bundle.names))
    if missing:
        raise VerifyFailed(f"the run was about {missing[0]} too, which is missing", where=_EVIDENCE)
    script = bundle.subjects.get("script.sh")
    if script is not None and script != run["script_sha256"]:
        raise VerifyFailed("not the script that the run names", where="data/script.sh")


def _proven(known: TrustedKey, hosts: int) -> tuple[Text, ...]:
    return (
        Text(
            f"自签名以来，包内每个文件的每个字节均未改动；签名由密钥“{known.name}”"
            f"（{known.keyid}）作出。",
            f"No byte of any file in it has changed since it was signed, by the key {known.name} "
            f"({known.keyid}).",
        ),
        Text(
            f"{hosts} 台主机的结论与其采集文件相互对应：主机、状态、引用的读取内容与条款结论一致。",
            f"What is said of the {hosts} host(s) belongs to their captures: host, status, the "
            "reads that are quoted, and the clauses that follow from the findings.",
        ),
    )


def _unproven(
    known: TrustedKey, made_at: datetime, now: datetime, handed_in: int
) -> tuple[Text, ...]:
    stamp = made_at.isoformat()
    found = [
        Text(
            f"时间：签署时间 {stamp} 只是签名人自己的说法，没有第三方时间戳佐证。",
            f"The time: that it was signed {stamp} is the signer's own word; no outside timestamp "
            "supports it.",
        ),
        Text(
            "主机所言是否属实：拥有 root 权限的人可以让主机输出任何内容，签名不能证明其真实。",
            "That the hosts told the truth: whoever is root on a host can make it print anything, "
            "and no signature answers that.",
        ),
        Text(
            "判定是否正确：请用 replay 依据采集文件重新判定。",
            "That the captures were judged rightly: `hostpledge replay` judges them again.",
        ),
    ]
    if handed_in:
        found.append(
            Text(
                f"{handed_in} 台主机的采集文件由用户自行运行脚本后提交，采集方未连接这些主机。",
                f"{handed_in} host(s) were not connected to: their captures were handed in by "
                "whoever ran the script there.",
            )
        )
    if known.valid_until is not None and known.valid_until < now:
        found.append(
            Text(
                f"密钥“{known.name}”已于 {known.valid_until.isoformat()} 停用；"
                "签署时间在此之前，同样只是签名人自己的说法。",
                f"The key {known.name} ended {known.valid_until.isoformat()}; that the bundle is "
                "older than that is the signer's word as well.",
            )
        )
    if made_at > now:
        found.append(
            Text(
                "签署时间晚于本机时钟：两者必有一个不准。",
                "It was signed later than this machine's clock shows: one of the two is wrong.",
            )
        )
    return tuple(found)
