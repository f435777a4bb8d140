"""A team's trust by TUF: what holders, the online key and who stands between may do, and not."""

from __future__ import annotations

import json
import shutil
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from collector.attest.envelope import dsse as envelope
from collector.attest.keys.keys import PrivateKey
from collector.attest.trust import tuf_client as tufstore
from collector.attest.trust import tuf_repository as tufrepo
from collector.attest.trust.trust_file import Trust, load_trust, trust_of
from collector.attest.trust.tuf_repository import Repository
from collector.errors import BadInput, VerifyFailed
from collector.run.net.tuf_fetch import update
from collector.verify import open_bundle, verify
from tests import bundles
from tests.attest.shell import Shell

NOW = datetime.now(UTC).replace(microsecond=0)
HOLDERS = [PrivateKey.generate("ed25519" if n else "p256") for n in range(3)]
ONLINE = PrivateKey.generate()
SIGNER = PrivateKey.generate()
STRANGER = PrivateKey.generate()


def _trust(key: PrivateKey = SIGNER, **more: datetime) -> bytes:
    known = trust_of([key.public]).keys[0]
    return Trust((replace(known, **more),)).to_bytes()  # type: ignore[arg-type]


def _publish(
    opened: Repository, by: Sequence[PrivateKey] = HOLDERS[:2], now: datetime = NOW
) -> None:
    for key in by:
        opened.sign(key)
    opened.publish(ONLINE, now=now)


def _made(folder: Path, now: datetime = NOW) -> Repository:
    made = tufrepo.init(folder, [k.public for k in HOLDERS], 2, ONLINE.public, now=now)
    made.stage_trust(_trust(), now=now)
    _publish(made, now=now)
    return made


@pytest.fixture
def repo(tmp_path: Path) -> Repository:
    return _made(tmp_path / "repo")


def _root(opened: Repository) -> bytes:
    return (opened.metadata / "1.root.json").read_bytes()


@pytest.fixture
def store(repo: Repository, tmp_path: Path) -> Path:
    update(tmp_path / "store", str(repo.folder), _root(repo))
    return tmp_path / "store"


def _edit(place: Path, by: Sequence[PrivateKey] = (), **changes: object) -> None:
    """Changes signed metadata; signs it anew with these keys, or leaves the signatures."""
    from tuf.api.metadata import Metadata

    document = json.loads(place.read_bytes())
    document["signed"] |= changes
    found: Metadata = Metadata.from_dict(document)
    for number, key in enumerate(by):
        found.sign(envelope.signer(key), append=bool(number))
    place.write_bytes(found.to_bytes())


def _refused(store: Path, place: Path, said: str) -> None:
    """The update fails, and what was trusted stays so."""
    before = load_trust(store)
    with pytest.raises((VerifyFailed, BadInput), match=said):
        update(store, str(place))
    assert load_trust(store) == before
    assert sorted(p.name for p in store.iterdir()) == [".lock", "root.json", "trusted"]


def test_the_trust_file_comes_through(repo: Repository, store: Path, tmp_path: Path) -> None:
    trust = load_trust(store)
    assert trust.to_bytes() == _trust()
    source = trust.source
    assert source is not None
    assert (source.version, source.threshold, source.holders) == (1, 2, 3)
    assert source.pinned == tufstore.fingerprint(_root(repo))
    # a revocation, carried as the next target
    repo.stage_trust(_trust(revoked_at=NOW), now=NOW)
    _publish(repo, HOLDERS[1:])
    update(store, str(repo.folder))
    assert load_trust(store).keys[0].revoked_at == NOW
    update(store, str(repo.folder))  # nothing new
    # the folder can be handed on: carried without links, by whatever carries files
    shutil.copytree(store, tmp_path / "carried", symlinks=False)
    assert load_trust(tmp_path / "carried") == load_trust(store)
    # a kill between the two renames
    (store / "trusted").rename(store / "trusted.old")
    assert load_trust(store).keys[0].revoked_at == NOW
    update(store, str(repo.folder))
    assert load_trust(store).keys[0].revoked_at == NOW


def test_a_verifier_says_whose_trust_it_was_and_tells_freshness_from_validity(
    store: Path, tmp_path: Path
) -> None:
    bundles.make(tmp_path, [bundles.unreachable("a")], SIGNER)
    trust = load_trust(store)
    with open_bundle(tmp_path / "bundle") as opened:
        now = verify(opened, trust, now=NOW + timedelta(seconds=5))
        later = verify(opened, trust, now=NOW + timedelta(days=3650))
        alone = verify(opened, Trust(trust.keys), now=NOW)
    assert now.trust is not None
    assert later.trust is not None
    assert (now.trust["fresh"], later.trust["fresh"], alone.trust) == (True, False, None)
    assert any("signed by at least 2 of its 3 holders" in text.en for text in now.proven)
    assert any("counts as the newest until" in text.en for text in now.unproven)
    assert any("revoked since" in text.en and "过期" in text.zh for text in later.unproven)


def test_metadata_that_has_expired_is_not_fetched_and_what_is_kept_stays_valid(
    tmp_path: Path,
) -> None:
    # freeze: somebody keeps showing what was there sixty days ago
    old = _made(tmp_path / "old", now=NOW - timedelta(days=60))
    with pytest.raises(VerifyFailed, match=r"expired: timestamp.json is expired"):
        update(tmp_path / "store", str(old.folder), _root(old))
    with pytest.raises(BadInput, match="no trust file, and no folder"):
        load_trust(tmp_path / "store")
    old.publish(ONLINE, now=NOW)
    update(tmp_path / "store", str(old.folder), _root(old))
    assert load_trust(tmp_path / "store").source is not None
    # the root over as well, two years later: still valid, never fresh
    kept = tmp_path / "kept"
    ancient = _made(tmp_path / "ancient", now=NOW - timedelta(days=800))
    (kept / "trusted" / "root_history").mkdir(parents=True)
    (kept / "root.json").write_bytes(_root(ancient))
    for name in ("timestamp.json", "1.snapshot.json", "1.targets.json"):
        shutil.copy(ancient.metadata / name, kept / "trusted" / name.removeprefix("1."))
    shutil.copy(next(ancient.targets.iterdir()), kept / "trusted" / "trust.json")
    source = load_trust(kept).source
    assert source is not None
    assert source.expires < NOW
    with pytest.raises(VerifyFailed, match=r"expired: Final root.json is expired"):
        update(kept, str(ancient.folder))
    with pytest.raises(VerifyFailed, match=r"root 1 expired .*: nobody would take it"):
        ancient.publish(ONLINE, now=NOW)


def test_rollback_is_refused(repo: Repository, store: Path, tmp_path: Path) -> None:
    old = tmp_path / "old"
    shutil.copytree(repo.folder, old)
    repo.stage_trust(_trust(revoked_at=NOW), now=NOW)
    _publish(repo)
    update(store, str(repo.folder))
    _refused(store, old, "older than what was seen before: New timestamp version 1 must")
    # the online key's thief: a newer timestamp of an older snapshot, a newer snapshot of older
    # targets
    _edit(old / "metadata/timestamp.json", [ONLINE], version=9)
    _refused(store, old, "older than what was seen before: New snapshot version must")
    thief = Repository(old)
    for _ in range(3):
        thief.publish(ONLINE, now=NOW)
    _refused(store, old, "older than what was seen before: Expected targets.json version")


def test_mix_and_match_is_refused(repo: Repository, store: Path, tmp_path: Path) -> None:
    before = tmp_path / "before"
    shutil.copytree(repo.metadata, before)
    repo.stage_trust(_trust(STRANGER), now=NOW)
    _publish(repo)
    new = (repo.metadata / "2.targets.json").read_bytes()
    (repo.metadata / "2.targets.json").write_bytes((before / "1.targets.json").read_bytes())
    _refused(store, repo.folder, "not the file that the signed metadata names")
    (repo.metadata / "2.targets.json").write_bytes(new)
    (repo.metadata / "2.snapshot.json").write_bytes((before / "1.snapshot.json").read_bytes())
    _refused(store, repo.folder, "not the file that the signed metadata names")
    # and in what is kept
    shutil.copy(before / "1.snapshot.json", store / "trusted/snapshot.json")
    (store / "trusted/targets.json").write_bytes(new)
    with pytest.raises(VerifyFailed, match="not the file that the signed metadata names"):
        load_trust(store)


def test_a_tampered_trust_file_is_refused(repo: Repository, store: Path) -> None:
    repo.stage_trust(_trust(revoked_at=NOW), now=NOW)
    _publish(repo)
    for place in repo.targets.iterdir():
        place.write_bytes(_trust(STRANGER))
    _refused(store, repo.folder, "not the file that the signed metadata names")
    for place in repo.targets.iterdir():
        place.write_bytes(b" " * 9_000_000)
    _refused(store, repo.folder, "not the file that the signed metadata names")
    for place in repo.targets.iterdir():
        place.unlink()
    _refused(store, repo.folder, "the trust repository cannot be read")
    (store / "trusted/trust.json").write_bytes(_trust(STRANGER))
    with pytest.raises(VerifyFailed, match="not the file that the signed metadata names"):
        load_trust(store)


def test_a_root_by_too_few_is_refused(repo: Repository, store: Path) -> None:
    repo.stage_root([STRANGER.public], [HOLDERS[2].keyid], 1, now=NOW)
    repo.sign(HOLDERS[0])
    repo.sign(STRANGER)
    with pytest.raises(VerifyFailed, match="root 2 is signed by 1 of the 2 it wants"):
        repo.publish(ONLINE, now=NOW)
    # put there all the same: one old holder, the newcomer, and the one key twice
    staged = (repo.staged / "root.json").read_bytes()
    (repo.metadata / "2.root.json").write_bytes(staged)
    _refused(store, repo.folder, "too few signatures: root was signed by 1/2 keys")
    document = json.loads(staged)
    document["signatures"].append({"keyid": "0" * 64, "sig": document["signatures"][0]["sig"]})
    (repo.metadata / "2.root.json").write_text(json.dumps(document))
    _refused(store, repo.folder, "too few signatures")
    # a gap in the chain leads nowhere: the version that it says counts
    (repo.metadata / "2.root.json").unlink()
    (repo.metadata / "3.root.json").write_bytes(staged)
    update(store, str(repo.folder))
    source = load_trust(store).source
    assert source is not None
    assert source.root_version == 1


def test_holders_change_with_the_old_and_the_new_quorum(repo: Repository, store: Path) -> None:
    newcomer = PrivateKey.generate()
    other = PrivateKey.generate()
    repo.stage_root([newcomer.public], [HOLDERS[0].keyid], online=other.public, now=NOW)
    for key in HOLDERS[:2]:  # the one who leaves signs for the old root only
        repo.sign(key)
    assert [one.signed for one in repo.awaited()] == [((2, 2), (1, 2))]
    with pytest.raises(VerifyFailed, match="root 2 is signed by 1 of the 2"):
        repo.publish(other, now=NOW)
    repo.sign(newcomer)
    # the trust file that was in force is signed by one of the new holders only
    with pytest.raises(VerifyFailed, match="too few signatures: targets was signed by 1/2"):
        repo.publish(other, now=NOW)
    repo.stage_trust(_trust(), now=NOW)
    repo.sign(HOLDERS[1])
    repo.sign(newcomer)
    with pytest.raises(BadInput, match="is not the online key"):
        repo.publish(ONLINE, now=NOW)
    repo.publish(other, now=NOW)
    update(store, str(repo.folder))
    source = load_trust(store).source
    assert source is not None
    assert (source.root_version, source.version) == (2, 2)
    # the old online key, and the holder who left, are nobody now
    _edit(repo.metadata / "timestamp.json", [ONLINE], version=7)
    _refused(store, repo.folder, "too few signatures: timestamp")


def test_thresholds_are_met_by_different_keys(repo: Repository, store: Path) -> None:
    repo.stage_trust(_trust(STRANGER), now=NOW)
    repo.sign(HOLDERS[0])
    repo.sign(HOLDERS[0])
    with pytest.raises(VerifyFailed, match="targets 2 is signed by 1 of the 2 it wants"):
        repo.publish(ONLINE, now=NOW)
    for nobody in (STRANGER, ONLINE):
        with pytest.raises(BadInput, match=r"nothing is staged that the key .* signs"):
            repo.sign(nobody)
    # staged metadata of one file beside another file: nobody signs what is not shown
    (repo.staged / "trust.json").write_bytes(_trust())
    with pytest.raises(VerifyFailed, match="not the file that the signed metadata names"):
        repo.sign(HOLDERS[1])
    # a root with one key under two names: it would count twice
    document = json.loads(_root(repo))
    keys = document["signed"]["keys"]
    keys["0" * 64] = keys[HOLDERS[0].keyid]
    forged = json.dumps(document).encode()
    with pytest.raises(VerifyFailed, match="the root names a key twice"):
        tufstore.follow(forged, repo.read, where="x")
    with pytest.raises(VerifyFailed):
        update(store.with_name("new"), str(repo.folder), forged)
    assert not (store.with_name("new") / "root.json").exists()


def test_the_root_is_pinned_by_another_way(repo: Repository, store: Path, tmp_path: Path) -> None:
    evil = tufrepo.init(tmp_path / "evil", [STRANGER.public], 1, ONLINE.public, now=NOW)
    evil.stage_trust(_trust(STRANGER), now=NOW)
    _publish(evil, [STRANGER])
    update(store, str(evil.folder))  # no newer than what is here: nothing of it is looked at
    assert load_trust(store).to_bytes() == _trust()
    evil.publish(ONLINE, now=NOW)
    _refused(store, evil.folder, "too few signatures")
    with pytest.raises(BadInput, match="no root is pinned yet; give --root FILE"):
        update(tmp_path / "new", str(evil.folder))
    with pytest.raises(BadInput, match="another root is pinned here"):
        update(store, str(evil.folder), _root(evil))
    # a bundle that carries a store of its own counts for nothing
    made, _ = bundles.make(tmp_path, [bundles.unreachable("a")], STRANGER)
    with open_bundle(tmp_path / "bundle") as opened, pytest.raises(VerifyFailed, match="not among"):
        verify(opened, load_trust(store))
    assert made.digest


def test_broken_metadata_is_one_line(repo: Repository, tmp_path: Path) -> None:
    good = _root(repo)
    for role in ("timestamp", "1.snapshot", "1.targets", "1.root"):
        place = repo.metadata / f"{role}.json"
        whole = place.read_bytes()
        for content in (b"", b"[]", b"{}", b'{"signed":{},"signatures":[]}', b"[" * 100_000,
                        b"\xff", whole[:-9], whole.replace(b'"version":1', b'"version":"1"'),
                        whole.replace(b"20", b"2\xe2\x80\xae0", 1)):  # fmt: skip
            assert content != whole
            place.write_bytes(content)
            root = content if role == "1.root" else good
            with pytest.raises(VerifyFailed):
                update(tmp_path / "store", str(repo.folder), root)
            with pytest.raises(VerifyFailed):
                tufstore.follow(root, repo.read, where="x")
        place.write_bytes(whole)
    update(tmp_path / "store", str(repo.folder), good)


def test_without_the_library_it_says_what_is_missing(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "tuf.api.metadata", None)
    with pytest.raises(BadInput, match="needs python-tuf, which is not here; pip install tuf"):
        load_trust(store)


def test_what_a_repository_is_not_made_of(repo: Repository, tmp_path: Path) -> None:
    publics = [k.public for k in HOLDERS]
    init = partial(tufrepo.init, tmp_path / "new", now=NOW)
    with pytest.raises(BadInput, match="3 holders cannot give 4 signatures"):
        init(publics, 4, ONLINE.public)
    with pytest.raises(BadInput, match="has a part already; each holder"):
        init([*publics, publics[0]], 2, ONLINE.public)
    with pytest.raises(BadInput, match="has a part already"):
        init(publics, 2, publics[1])
    with pytest.raises(BadInput, match="exists already"):
        tufrepo.init(repo.folder, publics, 2, ONLINE.public, now=NOW)
    with pytest.raises(BadInput, match="2 holders cannot give 3 signatures"):
        repo.stage_root(remove=[HOLDERS[0].keyid], threshold=3, now=NOW)
    with pytest.raises(BadInput, match="no holder has the key"):
        repo.stage_root(remove=[STRANGER.keyid], now=NOW)
    with pytest.raises(BadInput, match="not a trust"):
        repo.stage_trust(b"{}", now=NOW)
    with pytest.raises(BadInput, match="no trust repository"):
        Repository(tmp_path / "none")


@contextmanager
def _served(folder: Path) -> Iterator[str]:
    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_a_team_of_three_from_the_first_key_to_a_verified_bundle(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    for name in ("ann", "bo", "online", "default"):
        PrivateKey.generate().save(tmp_path / f"{name}.pem", None)
        public = shell.out("key", "show", f"{name}.pem")
        (tmp_path / f"{name}.pub").write_text(public)
    shell("key", "trust", "--add", "default.pub", "-o", "trust.json")
    said = shell("trust", "init", "repo", "--holder", "ann.pub", "--holder", "bo.pub",
                 "--threshold", "2", "--online", "online.pub")  # fmt: skip
    assert "staged: root 1, signatures 0/2" in said
    assert "default  in use" in shell("trust", "stage", "repo", "trust.json")
    shell("trust", "sign", "repo", "--key", "ann.pem")
    said = shell("trust", "publish", "repo", "--key", "online.pem", "--lang", "zh", status=2)
    assert said == "hostpledge: repo：根第 1 版只有 1 份签名，须有 2 份\n"
    said = shell("trust", "show", "repo")
    assert (said.count("  signed"), said.count("not signed")) == (1, 1)
    assert "signatures 2/2" in shell("trust", "sign", "repo", "--key", "bo.pem")
    shell("trust", "publish", "repo", "--key", "online.pem")
    shutil.copy(tmp_path / "repo/metadata/1.root.json", tmp_path / "root.json")
    with _served(tmp_path / "repo") as url:
        shell("trust", "update", "team", "--from", url, "--root", "root.json")
        shell("trust", "update", "team", "--from", url)
        assert "404" in shell("trust", "update", "team", "--from", f"{url}/no", status=2)
    bundles.write(tmp_path / "in", [bundles.unreachable("a")])
    shell("bundle", "in", "-o", "b", "--key", "default.pem")
    assert "signed by at least 2 of its 2 holders" in shell("verify", "b", "--trust", "team")
    said = shell("verify", "b", "--trust", "team", "--at", "2040-01-01T00:00:00Z")
    assert "Verified" in said
    assert "the trust file expired then" in said
    found = json.loads(shell.out("verify", "b", "--trust", "team", "--format", "json"))
    assert found["trust"]["fresh"] is True
    assert json.loads(shell.out("trust", "show", "team", "--format", "json"))["trust"]["version"]
