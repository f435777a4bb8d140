"""What a probe does to a verdict, over the case files of the controls (ADR 59)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from collector import catalog, script
from collector.assess import assess_host
from collector.attest.bundle.provenance import handed_in
from collector.facts.probed.outcome import RAISES
from collector.facts.probed.recording import NAMES
from collector.model import Finding, Method, ReadResult, ReadStatus, Result
from tests import cases

_NONCE = "0123456789abcdef"
_PLANTED = f"/etc/tmpfiles.d/hostpledge-probe-{_NONCE}.conf"
_GOOD = (f"host planted {_PLANTED}", "host rc 1", f"host named f+++: {_PLANTED}")
_BAD = (f"host planted {_PLANTED}", "host rc 0")
_UNTOLD = ("undone busy",)
_CONTROL = "intrusion.file_integrity"
_FILES = {path.name: path for path in cases.case_files(_CONTROL)}


def _read(lines: tuple[str, ...], *, form: str = "hostpledge-probe 1") -> ReadResult:
    head = [form, "probe integrity", f"nonce {_NONCE}", "begun 2026-11-25T04:00:00.000+00:00"]
    text = "\n".join([*head, *lines, "== end", ""]).encode()
    return ReadResult("probe.integrity", ReadStatus.OK, stdout=text)


def _judged(path: str, read: ReadResult | None) -> Finding:
    case = cases.load(_FILES[path])
    reads = {**case.capture.reads, **({read.id: read} if read else {})}
    capture = replace(case.capture, reads=reads)
    (found,) = assess_host(
        capture, [catalog.control(_CONTROL)], grade=case.grade, at=case.at, attached=case.attached
    )
    return found


@pytest.mark.parametrize("path", sorted(_FILES))
@pytest.mark.parametrize("lines", [_GOOD, _BAD, _UNTOLD, (*_GOOD, "left /etc/x")])
def test_a_probe_never_makes_a_pass(path: str, lines: tuple[str, ...]) -> None:
    before, after = _judged(path, None), _judged(path, _read(lines))
    if after.result is Result.PASS:
        assert before.result is Result.PASS
    # AIDE was asked: a verdict that stands on Wazuh, or on nothing, is not its to change
    asked = before.result is Result.FAIL or before.values.get("tool") == "aide"
    if lines is _BAD and before.result is not Result.NOTAPPLICABLE:
        assert after.result is (Result.FAIL if asked else before.result)
    if lines is _GOOD:
        assert (after.result, after.reason) == (before.result, before.reason)
        tested = asked and before.result in (Result.PASS, Result.PARTIAL)
        assert after.method is (Method.TESTED if tested else before.method)
    if lines is _UNTOLD:
        assert (after.result, after.method) == (before.result, before.method)


def _passing() -> str:
    return next(name for name in sorted(_FILES) if name.endswith(".pass.yml"))


def test_the_finding_says_what_was_tested_and_when() -> None:
    found = _judged(_passing(), _read(_GOOD))
    assert found.method is Method.TESTED
    assert "tested on 2026-11-25 04:00 UTC by the probe integrity, logged" in found.message.en
    assert "2026-11-25 04:00 UTC 由探测 integrity 实测，已记录" in found.message.zh
    quoted = [e for e in found.evidence if e["read"] == "probe.integrity"]
    assert quoted and f"nonce {_NONCE}" in quoted[0]["lines"]


def test_what_takes_no_effect_fails_and_says_by_what() -> None:
    found = _judged(_passing(), _read(_BAD))
    assert (found.result, found.reason, found.method) == (
        Result.FAIL, "probe_failed", Method.TESTED,
    )  # fmt: skip
    assert _PLANTED in found.message.en and "不生效" in found.message.zh


def test_what_a_probe_left_is_a_finding() -> None:
    found = _judged(_passing(), _read((*_GOOD, "left /etc/x")))
    assert (found.result, found.reason) == (Result.PARTIAL, "probe_left")
    assert "/etc/x" in found.message.en


def test_a_recording_that_is_none_changes_nothing() -> None:
    before, after = _judged(_passing(), None), _judged(_passing(), _read(_GOOD, form="else"))
    assert (after.result, after.method) == (before.result, before.method)
    assert "does not tell" in after.message.en


def test_every_probe_names_controls_that_there_are() -> None:
    assert tuple(RAISES) == NAMES or set(RAISES) == set(NAMES)
    assert tuple(catalog.probes()) == NAMES
    for names in RAISES.values():
        assert set(names) <= set(catalog.controls())


def test_only_the_control_node_records_a_probe() -> None:
    """Neither what a script printed nor a capture that somebody hands in has recordings."""
    frames = ["head", "read probe.time 9", "done ok 0 0", "read x.y 9", "done ok 0 0", "end"]
    nonce = "a" * 16
    raw = f"hostpledge-capture 1 {nonce}\n" + "".join(f"\n@{nonce} {x}\n" for x in frames)
    made = script.parse_output(raw.encode(), host="web-1")
    assert set(made.reads) == {"x.y"}
    claimed = replace(made, reads={**made.reads, "probe.integrity": _read(_GOOD)})
    assert set(handed_in(claimed, "0" * 64).reads) == {"x.y"}


def test_a_script_of_run_holds_no_probe() -> None:
    assert not any(id.startswith("probe.") for id in catalog.all_reads())
    assert "hostpledge-canary" not in script.collector_script(catalog.all_reads().values())


# --- a verdict that rests on something else than what was probed --------------------------------

_BANNED = ("from 10.0.0.9", "before open", "attempt 1 refused", "after open", "again open")
_OPEN = (
    "folder /home/files", "host file written open after 20", "host beside open",
    "host no_stream ss",
)  # fmt: skip
_IN_TMP = ("folder /tmp/files", *_OPEN[1:])
_BESIDE = ("folder /srv/files", *_OPEN[1:])
_BLIND = ("host rc 0", "host clean_rc 0")


def _of(
    control: str, case_name: str, probe: str, lines: tuple[str, ...]
) -> tuple[Finding, Finding]:
    """Before and after."""
    case = cases.load(next(p for p in cases.case_files(control) if p.name == case_name))
    head = ["hostpledge-probe 1", f"probe {probe}", f"nonce {_NONCE}"]
    text = "\n".join([*head, "begun 2026-11-25T04:00:00+00:00", *lines, "== end", ""]).encode()
    read = ReadResult(f"probe.{probe}", ReadStatus.OK, stdout=text)
    found = []
    for reads in (case.capture.reads, {**case.capture.reads, read.id: read}):
        capture = replace(case.capture, reads=reads)
        (one,) = assess_host(
            capture, [catalog.control(control)], grade=case.grade, at=case.at,
            attached=case.attached,
        )  # fmt: skip
        found.append(one)
    return found[0], found[1]


@pytest.mark.parametrize(
    ("control", "case", "probe", "lines", "speaks"),
    [
        ("intrusion.lockout", "fail2ban.pass.yml", "ban", _BANNED, True),
        # PAM locks the account, whatever becomes of the address
        ("intrusion.lockout", "debian13.pass.yml", "ban", _BANNED, False),
        ("intrusion.lockout", "crowdsec_strict.pass.yml", "ban", _BANNED, False),
        ("intrusion.lockout", "effect_of_ban_not_collected.error.yml", "ban", _BANNED, False),
        ("antivirus.running", "clamd.pass.yml", "malware_stream", _BLIND, True),
        # another product runs, and clamd was what was asked
        ("antivirus.running", "aegis.pass.yml", "malware_stream", _BLIND, False),
        ("antivirus.realtime", "clamonacc_blocking.pass.yml", "malware_stream", _OPEN, True),
        ("antivirus.realtime", "aegis_guard.pass.yml", "malware_stream", _OPEN, True),
        # a folder that the verdict does not claim; one that stops nothing by its own word
        ("antivirus.realtime", "clamonacc_blocking.pass.yml", "malware_stream", _BESIDE, False),
        ("antivirus.realtime", "notify_only.partial.yml", "malware_stream", _OPEN, False),
        # it says itself that nothing is stopped in /tmp
        ("antivirus.realtime", "tmp_excluded.partial.yml", "malware_stream", _IN_TMP, False),
        ("antivirus.realtime", "tmp_excluded.partial.yml", "malware_stream", _OPEN, True),
    ],
)
def test_it_speaks_of_what_the_verdict_stands_on_alone(
    control: str, case: str, probe: str, lines: tuple[str, ...], speaks: bool
) -> None:
    before, after = _of(control, case, probe, lines)
    if speaks:
        assert (after.result, after.reason) == (Result.FAIL, "probe_failed")
    else:
        assert (after.result, after.reason, after.method) == (
            before.result, before.reason, before.method,
        )  # fmt: skip
        assert "shows nothing of this" in after.message.en


def test_a_stream_alone_says_nothing_of_what_is_stopped_as_it_is_opened() -> None:
    before, after = _of(
        "antivirus.realtime", "clamonacc_blocking.pass.yml", "malware_stream", _BLIND
    )
    assert (before.message, before.evidence) == (after.message, after.evidence)


def test_a_file_that_was_stopped_makes_it_tested() -> None:
    lines = ("folder /home/x", "host file written gone after 2", "host beside open")
    _, after = _of(
        "antivirus.realtime", "aegis_guard.pass.yml", "malware_stream",
        (*lines, "host no_stream clamdscan"),
    )  # fmt: skip
    assert (after.result, after.method) == (Result.PASS, Method.TESTED)


def test_of_two_parts_each_control_is_told_its_own() -> None:
    lines = (*_OPEN[:3], "host rc 1", "host clean_rc 0")
    _, running = _of("antivirus.running", "clamd.pass.yml", "malware_stream", lines)
    _, realtime = _of("antivirus.realtime", "clamonacc_blocking.pass.yml", "malware_stream", lines)
    assert (running.result, running.method) == (Result.PASS, Method.TESTED)
    assert "nothing happened" not in running.message.en
    assert (realtime.result, realtime.reason) == (Result.FAIL, "probe_failed")
    assert "stream" not in realtime.message.en.replace("malware_stream", "")
