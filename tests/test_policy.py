"""What a verifier wants beside the signature: `hostpledge verify --policy`."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from collector import catalog
from collector.attest.keys.keys import PrivateKey
from collector.attest.trust.trust_file import Trust, TrustedKey, load_trust
from collector.attest.trust.tuf_client import Source
from collector.errors import BadInput, VerifyFailed
from collector.model import Text
from collector.pledges.record.terms import terms
from collector.schema import validator
from collector.verify import Verification, open_bundle, verify
from collector.verify.policy import FRESH_DAYS, STRICT, Policy, policy_of, unmet
from tests import bundles
from tests.attest.test_timestamp import Made as Stamped
from tests.attest.test_timestamp import authority, made, tsa
from tests.cli.test_evidence import Shell
from tests.hardened import BEFORE, run_about

__all__ = ["authority", "made", "tsa"]
ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, PrivateKey]:
    key = PrivateKey.generate()
    found = [bundles.collected(bundles.capture("web-1"), BEFORE, datetime.now(UTC))]
    run = run_about(BEFORE, ["web-1"])
    made, _ = bundles.make(tmp_path_factory.mktemp("made"), found, key, run=run)
    return made.path, key


def found(path: Path, trust: Trust, now: datetime | None = None) -> Verification:
    with open_bundle(path) as opened:
        return verify(opened, trust, now=now)


def trust_in(key: PrivateKey, *roles: str) -> Trust:
    return Trust((TrustedKey(key.public, "k", roles=frozenset(roles) if roles else None),))


def names(policy: Policy, verified: Verification, *hosts: str) -> list[str]:
    return [one.name for one in unmet(policy, verified, hosts or ("web-1",))]


def test_the_strict_one_wants_all_of_it(plain: tuple[Path, PrivateKey]) -> None:
    path, key = plain
    assert names(STRICT, found(path, trust_in(key))) == ["key_roles", "timestamp", "log"]
    assert names(STRICT, found(path, trust_in(key, "bundle"))) == ["timestamp", "log"]
    old = found(path, trust_in(key, "bundle"), datetime.now(UTC) + timedelta(days=91))
    assert names(STRICT, old) == ["fresh_days", "timestamp", "log"]
    early = found(path, trust_in(key, "bundle"), datetime.now(UTC) - timedelta(days=1))
    assert names(STRICT, early) == ["timestamp", "log", "ahead"]


def test_what_a_policy_leaves_out_is_wanted_strictly(plain: tuple[Path, PrivateKey]) -> None:
    path, key = plain
    verified = found(path, trust_in(key, "bundle"))
    assert names(policy_of({}, "p"), verified) == names(STRICT, verified)
    given = policy_of({"timestamp": False, "log": False}, "p")
    assert names(given, verified) == []
    assert names(replace(given, grade=3), verified) == ["grade"]
    assert names(replace(given, pledge="P-1"), verified) == ["pledge"]
    assert names(replace(given, hosts=("web-1", "db-1")), verified) == ["hosts"]
    later = found(path, trust_in(key, "bundle"), datetime.now(UTC) + timedelta(days=9))
    assert names(replace(given, fresh_days=8), later) == ["fresh_days"]
    assert names(replace(given, fresh_days=None), later) == []


def test_a_part_is_not_complete(tmp_path: Path) -> None:
    key = PrivateKey.generate()
    some = catalog.select(("backup",))
    made, _ = bundles.make(tmp_path, [bundles.capture("web-1")], key, controls=some)
    wanted = {"timestamp": False, "log": False, "complete": False, "handed_in": True}
    lenient = policy_of(wanted, "p")
    verified = found(made.path, trust_in(key, "bundle"))
    assert names(lenient, verified) == []
    assert names(replace(lenient, complete=True), verified) == ["complete"]


def test_what_its_signer_alone_says_is_not_taken(plain: tuple[Path, PrivateKey]) -> None:
    """Waivers soften a clause; one machine under two names makes up for a host."""
    path, key = plain
    verified = found(path, trust_in(key, "bundle"))
    given = policy_of({"timestamp": False, "log": False}, "p")
    softened = replace(verified, waived=2, alike=("web-1", "web-2"))
    assert names(given, softened) == ["waivers", "same_machine"]
    assert names(replace(given, waivers=True, same_machine=True), softened) == []


def test_collected_is_wanted_and_not_handed_in(
    plain: tuple[Path, PrivateKey], tmp_path: Path
) -> None:
    path, key = plain
    given = policy_of({"timestamp": False, "log": False}, "p")
    assert names(given, found(path, trust_in(key, "bundle"))) == []
    made, _ = bundles.make(tmp_path, [bundles.capture("web-1")], key)
    verified = found(made.path, trust_in(key, "bundle"))
    assert names(given, verified) == ["handed_in"]
    assert names(replace(given, handed_in=True), verified) == []


def test_a_teams_trust_that_has_expired_is_not_enough(plain: tuple[Path, PrivateKey]) -> None:
    """What was revoked since then is not known."""
    path, key = plain
    given = policy_of({"timestamp": False, "log": False}, "p")
    for hours, lacking in ((1, []), (-1, ["fresh_trust"])):
        expires = datetime.now(UTC) + timedelta(hours=hours)
        source = Source("ab" * 32, 1, 2, 3, 4, expires)
        verified = found(path, replace(trust_in(key, "bundle"), source=source))
        assert names(given, verified) == lacking
        assert names(replace(given, fresh_trust=False), verified) == []


def test_any_age_is_written_out() -> None:
    assert policy_of({"fresh_days": "any"}, "p").fresh_days is None
    for said, fits in (("any", True), (0, True), (None, False), (True, False), (-1, False)):
        assert validator("policy").is_valid({"fresh_days": said}) is fits, said


def test_what_judging_again_says_counts_where_it_is_wanted(plain: tuple[Path, PrivateKey]) -> None:
    path, key = plain
    verified = found(path, trust_in(key, "bundle"))
    given = policy_of({"timestamp": False, "log": False}, "p")
    why = Text("不同", "another")
    (one,) = unmet(given, verified, ["web-1"], why)
    assert (one.name, one.why) == ("replay", why)
    assert unmet(replace(given, replay=False), verified, ["web-1"], why) == ()


def test_a_timestamp_is_one_of_an_authority_that_is_named(made: Stamped) -> None:
    given = policy_of({"log": False, "key_roles": False, "complete": False, "handed_in": True}, "p")
    verified = found(made.stamped, made.trust())
    assert names(given, verified) == []
    name = made.authority.name
    assert names(replace(given, timestamp_authorities=(name,)), verified) == []
    assert names(replace(given, timestamp_authorities=("another",)), verified) == [
        "timestamp_authorities"
    ]
    assert names(given, found(made.plain, made.trust())) == ["timestamp"]


def test_a_timestamp_of_a_time_to_come_is_told(made: Stamped) -> None:
    early = found(made.stamped, made.trust(), datetime.now(UTC) - timedelta(days=2))
    assert "timestamp" in [one.what for one in early.ahead]
    assert any("the timestamp by" in text.en for text in early.unproven)


def test_fresh_is_what_the_register_takes_for_fresh() -> None:
    assert terms()["evidence_age"].days == FRESH_DAYS


def test_the_schema_names_the_members_that_there_are() -> None:
    document = json.loads((ROOT / "schemas/policy.schema.json").read_text())
    fields = set(Policy.__dataclass_fields__) - {"name"}
    assert set(document["properties"]) - {"schema", "record"} == fields
    assert not validator("policy").is_valid({})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("complete: maybe\n", "p.yml: not a policy: complete: "),
        ("fresh: 30\n", "p.yml: not a policy: "),
        ("- complete\n", "p.yml: not a policy: "),
        ("{}\n", "p.yml: not a policy: "),
        ("fresh_days: 1\nfresh_days: 2\n", "p.yml: not YAML: line 2: 'fresh_days' stands twice"),
        ("fresh_days:\n", "p.yml: not a policy: fresh_days: "),
        ("fresh_days: all\n", "p.yml: not a policy: fresh_days: "),
        (
            "timestamp: false\ntimestamp_authorities: [x]\n",
            "p.yml: timestamp is false, and timestamp_authorities are named",
        ),
        ("record: none.yml\n", "none.yml: "),
        ("record: ../secret\n", "p.yml: record: names a file elsewhere"),
        ("record: /etc/shadow\n", "p.yml: record: names a file elsewhere"),
        ("record: link.yml\n", "p.yml: record: names a file elsewhere"),
        ("record: linked/shadow\n", "p.yml: record: names a file elsewhere"),
    ],
)
def test_what_is_no_policy_is_said_in_one_line(
    plain: tuple[Path, PrivateKey], tmp_path: Path, text: str, said: str
) -> None:
    shell = Shell(tmp_path)
    shell("key", "new")
    shell("key", "trust", "-o", "t.json")
    (tmp_path / "p.yml").write_text(text)
    (tmp_path / "link.yml").symlink_to("/etc/shadow")
    (tmp_path / "linked").symlink_to("/etc")
    ended = shell("verify", str(plain[0]), "--trust", "t.json", "--policy", "p.yml", status=2)
    assert len(ended.stderr.splitlines()) == 1
    assert said in ended.stderr
    ended = shell("verify", str(plain[0]), "--trust", "t.json", "--policy", "none", status=2)
    assert "hostpledge: none: " in ended.stderr


def test_a_policy_takes_hosts_and_grade_of_a_record(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    bundles.write(tmp_path / "in", [bundles.capture("web-1")])
    shell("key", "new")
    shell("key", "trust", "-o", "t.json")
    shell("bundle", "in", "-o", "b")
    (tmp_path / "P-1.yml").write_text(
        "id: P-1\ngrade: 3\ndraft: true\ndocuments: []\n"
        'customer: {name: 云南示例公司, kind: unit, credit_code: "91330106MA0DEM2670"}\n'
        "resources: {hosts: [web-1, db-1]}\n"
    )
    (tmp_path / "p.yml").write_text(
        "record: P-1.yml\ntimestamp: false\nlog: false\nhanded_in: true\n"
    )
    said = shell(
        "verify", "b", "--trust", "t.json", "--policy", "p.yml", "--format", "json", status=1
    )
    document = json.loads(said.stdout)
    assert document["verified"] is True
    assert document["policy"]["applied"] is True
    assert [one["wants"] for one in document["policy"]["unmet"]] == ["grade", "pledge", "hosts"]
    said = shell("verify", "b", "--trust", "t.json")
    assert (
        "The strict policy (--policy strict) would not accept it: handed_in, timestamp, log"
        in said.stdout
    )
    (tmp_path / "p.yml").write_text("timestamp: false\nlog: false\nhanded_in: true\n")
    said = shell("verify", "b", "--trust", "t.json", "--policy", "p.yml")
    assert "It meets the policy p.yml" in said.stdout


@pytest.mark.parametrize(
    "at", ["9999-12-31T23:59:59-14:00", "9999-12-31", "0001-01-01T00:00:00+14:00", "0001-01-01"]
)
def test_a_time_that_nobody_can_reckon_from_is_one_line(
    plain: tuple[Path, PrivateKey], tmp_path: Path, at: str
) -> None:
    shell = Shell(tmp_path)
    shell("key", "new")
    shell("key", "trust", "-o", "t.json")
    ended = shell("verify", str(plain[0]), "--trust", "t.json", "--at", at, status=2)
    assert ended.stderr == f"hostpledge: --at: no time to reckon from: {at}\n"


@pytest.mark.parametrize("kind", ["p256", "ed25519", "sm2"])
def test_a_public_key_alone_is_trusted_for_bundles_and_for_nothing_more(
    tmp_path: Path, kind: str
) -> None:
    key = PrivateKey.generate("p256" if kind == "sm2" else kind)  # type: ignore[arg-type]
    second = PrivateKey.generate("sm2") if kind == "sm2" else None
    made, _ = bundles.make(tmp_path, [bundles.unreachable("gone")], key, sm2_key=second)
    file = tmp_path / "k.pub"
    for text in ((second or key).public.pem, (second or key).public.pem.replace("\n", "\r\n")):
        file.write_bytes(text.encode())
        trust = load_trust(file)
        assert [known.roles for known in trust.keys] == [frozenset({"bundle"})]
        verified = found(made.path, trust)
        assert any("a public key alone was given" in text.en for text in verified.unproven)
    file.write_text(PrivateKey.generate().public.pem)
    with pytest.raises(VerifyFailed, match="not among the trusted keys"):
        found(made.path, load_trust(file))
    for wrong in (key.public.pem * 2, "-----BEGIN CERTIFICATE-----\nx\n", "-----BEGIN "):
        file.write_text(wrong)
        with pytest.raises(BadInput, match="public key"):
            load_trust(file)
