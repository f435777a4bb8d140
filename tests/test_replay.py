from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from collector import catalog
from collector import replay as engine
from collector.attest.bundle import making as bundle
from collector.attest.keys.keys import PrivateKey
from collector.judging_code import judging_code_sha256
from collector.model import Capture, Control, Facts, Result, Verdict, Waiver
from collector.replay import diff, replay
from collector.verify import open_bundle, verify
from tests import bundles
from tests.test_verify import sign_again


def made(folder: Path, name: str, found: list[Capture], **more: Any) -> bundle.Made:
    return bundles.make(folder, found, PrivateKey.generate(), name=name, **more)[0]


def test_the_same_captures_give_the_same_findings(tmp_path: Path) -> None:
    found = [bundles.capture(host) for host in bundles.ODD_HOSTS] + [bundles.unreachable("gone")]
    at = datetime(2027, 3, 1, tzinfo=UTC)
    waiver = Waiver("encryption.password_hash", "*", "r", "a", at + timedelta(days=1))
    attached = {"data-inventory": b"data: []\n"}
    path = made(tmp_path, "b", found, at=at, waivers=[waiver], attached=attached).path
    with open_bundle(path) as opened:
        result = replay(opened)
    assert result.same
    assert result.same_catalog
    assert result.hosts == 8
    assert result.findings == 8 * len(catalog.select())
    assert result.differences == []


def test_findings_that_were_signed_and_do_not_follow_are_named(tmp_path: Path) -> None:
    key = PrivateKey.generate()
    done, trust = bundles.make(tmp_path, [bundles.unreachable("a"), bundles.unreachable("b")], key)

    def lie(document: dict[str, Any]) -> None:
        finding = document["hosts"]["a"]["findings"][0]
        finding["message"]["en"] = "all is well"
        finding["values"] = {}

    sign_again(done.path, key, lie)
    with open_bundle(done.path) as opened:
        verify(opened, trust)  # the signature is right: only judging again shows it
        result = replay(opened)
    assert not result.same
    (difference,) = result.differences
    assert (difference.host, difference.control) == ("a", catalog.select()[0].id)
    assert difference.fields == ("values", "message")


def test_words_alone_count_only_under_the_same_catalog(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = PrivateKey.generate()
    done, _ = bundles.make(tmp_path, [bundles.unreachable("a")], key)

    def lie(document: dict[str, Any]) -> None:
        document["hosts"]["a"]["findings"][0]["message"]["en"] = "all is well"

    sign_again(done.path, key, lie)
    with open_bundle(done.path) as opened:
        assert not replay(opened).same
        monkeypatch.setattr(catalog, "catalog_digest", lambda: "0" * 64)
        result = replay(opened)
        assert result.same
        assert result.reworded == 1
        assert not result.same_catalog


def test_a_control_that_is_judged_otherwise_or_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = made(tmp_path, "b", [bundles.capture("a")]).path
    known = dict(catalog.controls())
    first, second = list(known)[:2]
    other = Verdict(Result.NOTCHECKED, "judge_failed", values={"why": "x"})
    known[first] = replace(known[first], judge=lambda *_: other)
    del known[second]
    monkeypatch.setattr(catalog, "controls", lambda: known)
    with open_bundle(path) as opened:
        result = replay(opened)
    assert {difference.control for difference in result.differences} == {first, second}
    gone = next(d for d in result.differences if d.control == second)
    assert gone.new is None


# --- diff ----------------------------------------------------------------------------------------


def _control(verdicts: dict[str, Verdict]) -> Control:
    """A control whose verdict depends on the host's name alone."""

    def judge(facts: Facts, *_: object) -> Verdict:
        return verdicts[facts.capture.host]

    template = catalog.controls()["encryption.password_hash"]
    return replace(template, judge=judge)


def _verdict(result: Result, **values: Any) -> Verdict:
    return Verdict(result, "judge_failed", values={"why": "x", **values})


@pytest.mark.parametrize(
    ("old", "new", "where"),
    [
        ("pass", "pass", None),
        ("pass", "fail", "regressed"),
        ("pass", "partial", "regressed"),
        ("pass", "error", "regressed"),
        ("pass", "notchecked", "regressed"),
        ("notapplicable", "fail", "regressed"),
        ("partial", "fail", "regressed"),
        ("partial", "error", "regressed"),
        ("fail", "pass", "fixed"),
        ("error", "pass", "fixed"),
        ("partial", "notapplicable", "fixed"),
        ("fail", "partial", "changed"),
        ("fail", "error", "changed"),
        ("error", "fail", "changed"),
        ("pass", "notapplicable", "changed"),
    ],
)
def test_what_became_of_a_finding(old: str, new: str, where: str | None, tmp_path: Path) -> None:
    found = [bundles.capture("h")]
    paths = [
        made(tmp_path, name, found, controls=[_control({"h": _verdict(Result(result))})]).path
        for name, result in (("a", old), ("b", new))
    ]
    with open_bundle(paths[0]) as a, open_bundle(paths[1]) as b:
        result = diff(a, b)
    for name in ("fixed", "regressed", "changed"):
        assert len(getattr(result, name)) == (name == where), name


def test_the_same_verdict_for_another_reason_and_hosts_that_come_and_go(tmp_path: Path) -> None:
    fail = _verdict(Result.FAIL)
    other = _verdict(Result.FAIL, extra=2)
    a = made(
        tmp_path,
        "a",
        [bundles.capture(h) for h in ("stays", "goes")],
        controls=[_control({"stays": fail, "goes": fail})],
    )
    b = made(
        tmp_path,
        "b",
        [bundles.capture(h) for h in ("stays", "comes")],
        controls=[_control({"stays": other, "comes": fail}), catalog.select()[0]],
    )
    with open_bundle(a.path) as old, open_bundle(b.path) as new:
        result = diff(old, new)
    assert [d.fields for d in result.changed] == [("values",)]
    assert (result.new_hosts, result.gone_hosts) == (["comes"], ["goes"])
    assert result.new_controls == [catalog.select()[0].id]
    assert result.regressed == []


def test_a_waiver_that_expired_is_a_failure_again(tmp_path: Path) -> None:
    at = datetime(2027, 1, 1, tzinfo=UTC)
    control = _control({"h": _verdict(Result.FAIL)})
    waiver = Waiver(control.id, "h", "r", "a", at)
    before = {"controls": [control], "waivers": [waiver], "at": at - timedelta(days=1)}
    after = before | {"at": at + timedelta(days=1)}
    a = made(tmp_path, "a", [bundles.capture("h")], **before)
    b = made(tmp_path, "b", [bundles.capture("h")], **after)
    with open_bundle(a.path) as old, open_bundle(b.path) as new:
        result = diff(old, new)
    assert [d.control for d in result.regressed] == [control.id]
    with open_bundle(a.path) as old, open_bundle(b.path) as new:
        assert diff(new, old).regressed == []
    assert engine.Difference("h", control.id, None, None).to_json()["new"] is None


def test_a_host_that_is_not_reached_any_more_has_regressed(tmp_path: Path) -> None:
    control = _control({"h": _verdict(Result.PASS)})
    a = made(tmp_path, "a", [bundles.capture("h")], controls=[control])
    b = made(tmp_path, "b", [bundles.unreachable("h")], controls=[control])
    with open_bundle(a.path) as old, open_bundle(b.path) as new:
        (difference,) = diff(old, new).regressed
    assert difference.new is not None
    assert difference.new["reason"] == "host_unreachable"


def test_which_code_judged_is_named(tmp_path: Path) -> None:
    """A parser that changes under the same controls is another judge: both are told apart."""
    key = PrivateKey.generate()
    done, _ = bundles.make(tmp_path, [bundles.unreachable("a")], key)

    def older(document: dict[str, Any]) -> None:
        document["tool"]["judging_code_sha256"] = "0" * 64

    with open_bundle(done.path) as opened:
        plain = replay(opened)
        assert opened.said["tool"] == plain.judged_then == plain.judged_now
    sign_again(done.path, key, older)
    with open_bundle(done.path) as opened:
        told = replay(opened).to_json()["judged_by"]
    assert told["then"]["judging_code_sha256"] == "0" * 64
    assert told["now"]["judging_code_sha256"] == judging_code_sha256()
