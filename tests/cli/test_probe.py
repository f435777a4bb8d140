"""`hostpledge probe` before anything is sent: the list, the plan, who agreed, the switch."""

from __future__ import annotations

import json
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from collector import catalog
from collector.cli.workflows import probing
from collector.errors import BadInput
from collector.facts.probed.recording import NAMES
from collector.pledges.record import consents, form
from collector.pledges.record.times import CHINA
from tests.pledges.records import WHOLE
from tests.run.conftest import Ran, hostpledge

TODAY = date(2026, 11, 29)


@pytest.fixture
def probe(tmp_path: Path) -> Any:
    """Runs it with a home of its own, in a folder where nothing may appear."""
    (tmp_path / "here").mkdir()
    # an address of documentation: whoever connected to it would wait for a long time
    (tmp_path / "hosts.yml").write_text("all: {hosts: {web-1: {ansible_host: 192.0.2.1}}}\n")

    def run(*words: str) -> Ran:
        return hostpledge("probe", *words, "--lang", "en", HOSTPLEDGE_HOME=str(tmp_path / "home"))

    return run


def test_the_list_tells_all_of_them_in_both_languages(probe: Any) -> None:
    said = probe("--list")
    assert said.status == 0
    heads = [x for x in said.out.splitlines() if x and not x.startswith(" ")]
    assert tuple(heads) == NAMES
    listed = json.loads(probe("--list", "--format", "json").out)["probes"]
    assert [one["probe"] for one in listed] == list(NAMES)
    for one in listed:
        for part in ("does", "footprint", "alarms"):
            assert one[part]["zh"] and one[part]["en"], one
        assert set(one["raises"]) <= set(catalog.controls())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("-i", "HOSTS"), "no probe is named"),
        (("--probe", "time"), "-i"),
        (("-i", "HOSTS", "--probe", "everything"), "everything"),
        (("-i", "HOSTS", "--probe", "time"), "no terminal to ask on"),
        (("-i", "HOSTS", "--probe", "ban", "--yes"), "--ban-from"),
        (("-i", "HOSTS", "--probe", "ban", "--yes", "--ban-from", "x"), "no address: x"),
        (("-i", "HOSTS", "--probe", "outside_ports", "--second-node", "elsewhere"), "no host of"),
        (("-i", "HOSTS", "--probe", "time", "--second-node", "web-1"), "outside_ports alone"),
        (("-i", "HOSTS", "--probe", "outside_ports", "--second-node", "web-1"), "cannot ask"),
        (("-i", "HOSTS", "--probe", "ban", "--yes", "--ban-from", "0.0.0.0"), "no single address"),
        (("-i", "HOSTS", "--probe", "ban", "--yes", "--ban-from", "::1"), "no single address"),
        (
            ("-i", "HOSTS", "--probe", "ban", "--yes", "--ban-from", "224.0.0.5"),
            "no single address",
        ),
        (
            ("-i", "HOSTS", "--probe", "ban", "--yes", "--ban-from", "192.0.2.77"),
            "no address of this machine",
        ),
        (("-i", "HOSTS", "--probe", "time", "--yes", "--window", "2-4"), "no window"),
        (("-i", "HOSTS", "--probe", "time", "--yes", "--log-store", "x"), "no log store"),
        (("-i", "NOWHERE", "--probe", "time", "--yes"), "no such inventory"),
    ],
)
def test_what_it_cannot_work_with(
    probe: Any, tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    given = [str(tmp_path / "hosts.yml") if w == "HOSTS" else w for w in words]
    done = probe(*given)
    assert done.status == 2 and said in done.err, done.err
    assert done.err.strip().splitlines()[-1].startswith("hostpledge: ")
    assert not list((tmp_path / "home").glob("keys/*"))


def test_the_plan_connects_to_nobody(probe: Any, tmp_path: Path) -> None:
    done = probe("-i", str(tmp_path / "hosts.yml"), "--probe", "integrity", "--check")
    assert done.status == 0 and "web-1" in done.err and "will ring" in done.err
    assert not (tmp_path / "home").exists()


def test_the_switch_goes_before_all_else(probe: Any, tmp_path: Path) -> None:
    assert probe("--list", "--stop").status == 0
    assert (tmp_path / "home" / "probe.stop").exists()
    assert probe("--list", "--clear-stop").status == 0
    assert not (tmp_path / "home" / "probe.stop").exists()


def test_once_stopped_nothing_begins(probe: Any, tmp_path: Path) -> None:
    words = ("-i", str(tmp_path / "hosts.yml"), "--probe", "integrity", "--check")
    assert probe("--stop").status == 0
    done = probe(*words)
    assert done.status == 2 and "--clear-stop" in done.err
    assert probe("--clear-stop").status == 0
    assert probe(*words).status == 0


def test_without_the_owners_consent_nothing_is_sent(tmp_path: Path) -> None:
    """The operator's yes is not the owner's."""
    today = datetime.now(CHINA).date()
    document = json.loads(json.dumps(dict(form.load(WHOLE, today=TODAY).document)))
    host = document["resources"]["hosts"][0]
    document["probes"] = [
        {"names": ["time"], "by": "周示例", "agreed_on": str(today), "until": str(today)}
    ]
    record = tmp_path / "record.json"
    record.write_text(json.dumps(document), encoding="utf-8")
    (tmp_path / "hosts.yml").write_text(f"all: {{hosts: {{{host}: {{ansible_host: 192.0.2.1}}}}}}")
    home = {"HOSTPLEDGE_HOME": str(tmp_path / "home")}
    assert hostpledge("pledge", "add", str(record), **home).status == 0  # type: ignore[arg-type]
    words = ("-i", str(tmp_path / "hosts.yml"), "--pledge", document["id"], "--lang", "en")
    more = ("--probe", "integrity", "--yes", "-o", str(tmp_path / "out"))
    done = hostpledge("probe", *words, *more, **home)  # type: ignore[arg-type]
    assert done.status == 2 and f"nobody agreed to it in the record: integrity@{host}" in done.err
    assert not (tmp_path / "out").exists()
    agreed = hostpledge("probe", *words, "--check", **home)  # type: ignore[arg-type]
    assert agreed.status == 0 and "\ntime\n" in agreed.err and "integrity" not in agreed.err


# --- consent -------------------------------------------------------------------------------------


def _record(**consent: Any) -> form.PledgeRecord:
    document = json.loads(json.dumps(dict(form.load(WHOLE, today=TODAY).document)))
    known = {"names": ["time"], "by": "周示例", "agreed_on": "2026-11-01", "until": "2026-12-01"}
    document["probes"] = [{**known, **consent}]
    return form.from_document(document, where="x", today=TODAY)


def test_who_agreed_to_what_until_when() -> None:
    record = _record()
    hosts = record.hosts
    assert consents.agreed(record, TODAY) == {"time": frozenset(hosts)}
    assert consents.lacking(record, TODAY, hosts, ["time"]) == []
    assert consents.lacking(record, TODAY, hosts, ["ban"]) == [("ban", h) for h in hosts]
    assert consents.lacking(record, TODAY, ["else"], ["time"]) == [("time", "else")]
    assert consents.agreed(record, date(2026, 12, 1)) and not consents.agreed(
        record, date(2026, 12, 2)
    )
    assert "周示例 (2026-11-01 – 2026-12-01)" in consents.by_whom(record, TODAY, ["time"])
    assert consents.by_whom(record, TODAY, ["ban"]) == ""


@pytest.mark.parametrize(
    "fault",
    [
        {"until": "2026-10-01"},
        {"agreed_on": "2027-01-01", "until": "2027-02-01"},
        {"hosts": ["else"]},
        {"names": ["everything"]},
        {"names": []},
    ],
)
def test_what_is_no_consent(fault: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        _record(**fault)


def _told(good: bool = True) -> probing.Told:
    control = "intrusion.file_integrity"
    return probing.Told("web-1", "integrity", good, "logged", "named", holds=(control,))


@pytest.mark.parametrize(
    ("verdict", "method", "said"),
    [("fail", "observed", True), ("error", "configured", True), ("pass", "tested", False)],
)
def test_what_works_and_changes_no_verdict_is_said(
    verdict: str, method: str, said: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    """AIDE names a new file, and nothing runs it: the finding fails on."""
    entry = {"control": "intrusion.file_integrity", "verdict": verdict, "method": method}
    found = probing.held_to([_told()], {"web-1": {"findings": [entry]}})
    probing.say_results(found)
    assert (f"intrusion.file_integrity ({verdict})" in capsys.readouterr().out) is said
    assert found[0].whole
    (other,) = probing.held_to([_told()], {})
    assert not other.beside
