"""The ledger of security events, from whoever keeps it to the report: with the real commands."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from collector.captures import load
from tests.cli.running import Ended, hostpledge
from tests.pledges.records import example

LEDGER = Path(__file__).parents[2] / "examples" / "event-ledger.yml"
CONTROL = "monitoring.event_ledger"


@pytest.fixture(scope="module")
def captured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a capture of this machine, as the script printed it."""
    folder = tmp_path_factory.mktemp("in")
    script = hostpledge("collect", "--script", "--family", "monitoring").out
    said = subprocess.run(["sh"], input=script.encode(), capture_output=True, check=True).stdout
    (folder / "web-01.capture").write_bytes(said)
    assert load(folder / "web-01.capture").host
    return folder


class Customer:
    """One who uses the commands, with a home of his own."""

    def __init__(self, home: Path, captured: Path) -> None:
        self.home, self.captured = home, captured
        self.trust = home / "trust.json"
        home.mkdir()
        assert self("key", "new").status == 0
        assert self("key", "trust", "-o", self.trust).status == 0

    def __call__(self, *words: object, **environment: str) -> Ended:
        return hostpledge(*words, home=self.home, **environment)

    def bundle(self, name: str, *words: object) -> Path:
        place = self.home / name
        made = self("bundle", self.captured, "-o", place, "--family", "monitoring", *words)
        assert made.status == 0, made.err
        return place

    def finding(self, bundle: Path) -> dict[str, Any]:
        """Of the ledger's control, in the bundle's evidence."""
        evidence = json.loads((bundle / "data/evidence.json").read_text())
        found = [f for host in evidence["hosts"].values() for f in host["findings"]]
        (one,) = [f for f in found if f["control"] == CONTROL]
        return dict(one)


@pytest.fixture
def customer(tmp_path: Path, captured: Path) -> Customer:
    return Customer(tmp_path / "home", captured)


def _ledger(**changes: Any) -> dict[str, Any]:
    document: dict[str, Any] = yaml.load(LEDGER.read_text("utf-8"), Loader=yaml.BaseLoader)
    del document["events"][0]["hosts"]
    return document | changes


def _written(path: Path, document: object) -> Path:
    path.write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
    return path


def test_from_the_pledge_record_to_the_report(customer: Customer) -> None:
    record = _written(customer.home / "p.json", example(event_ledger=_ledger()))
    assert customer("pledge", "add", record).status == 0
    bundle = customer.bundle("b", "--pledge", "demo-2026")
    found = customer.finding(bundle)
    assert (found["verdict"], found["method"]) == ("pass", "attested")
    held = json.loads((bundle / "data/attached/event-ledger").read_bytes())
    assert held == _ledger()
    verified = customer("verify", bundle, "--trust", customer.trust)
    assert verified.status == 0
    attached = customer("pledge", "attach", "demo-2026", bundle)
    assert attached.status == 0, attached.err
    again = customer("replay", bundle, "--trust", customer.trust, "--format", "json")
    assert json.loads(again.out)["same"] is True
    for lang, said in (("zh", "2026-001 一般 attack"), ("en", "2026-001 一般 attack")):
        page = customer.home / f"{lang}.html"
        assert customer("report", bundle, "--html", page, "--lang", lang).status == 0
        assert said in page.read_text("utf-8")
    # whoever changes the ledger in the bundle is found out
    (bundle / "data/attached/event-ledger").write_bytes(b"{}")
    changed = customer("verify", bundle, "--trust", customer.trust)
    assert changed.status == 2
    assert "data/attached/event-ledger" in changed.err


def test_a_file_of_its_own_goes_before_the_record(customer: Customer) -> None:
    record = _written(customer.home / "p.json", example(event_ledger=_ledger()))
    assert customer("pledge", "add", record).status == 0
    late = _ledger()
    late["events"][0].pop("handled")
    file = customer.home / "l.yml"
    file.write_text(yaml.safe_dump(late, allow_unicode=True), encoding="utf-8")
    bundle = customer.bundle("b", "--pledge", "demo-2026", "--attach", f"event-ledger={file}")
    assert customer.finding(bundle)["verdict"] == "fail"
    plain = customer.bundle("c", "--attach", f"event-ledger={LEDGER}")
    assert customer.finding(plain)["verdict"] == "pass"
    assert (plain / "data/attached/event-ledger").read_bytes() == LEDGER.read_bytes()
    assert customer.finding(customer.bundle("d"))["verdict"] in ("notchecked", "error")


_EVENT = _ledger()["events"][0]
DAMAGED: dict[str, tuple[bytes, str, str]] = {
    "empty": (b"", "event ledger", "网络安全事件台账"),
    "no YAML": (b"events: [", "not YAML", "YAML"),
    "no UTF-8": (b"owner: \xff\xfe", "UTF-8", "UTF-8"),
    "a list": (b"[]", "not an event ledger", "不是网络安全事件台账"),
    "another schema": (json.dumps(_ledger(schema="x")).encode(), "schema", "schema"),
    "no zone": (
        json.dumps(_ledger(events=[_EVENT | {"found": "2026-03-01T10:00:00"}])).encode(),
        "events[0].found", "events[0].found"),
    "no such day": (
        json.dumps(_ledger(events=[_EVENT | {"found": "2026-02-30T10:00:00+08:00"}])).encode(),
        "events[0].found", "events[0].found"),
    "twice": (
        json.dumps(_ledger(events=[_EVENT, _EVENT])).encode(),
        "the event '2026-001' stands twice", "事件 2026-001 出现了两次"),
    "handled before found": (
        json.dumps(_ledger(events=[_EVENT | {"handled": "2026-02-01T10:00:00+08:00"}])).encode(),
        "was handled before it was found", "事件 2026-001 的处置时间早于发现时间"),
    "reviewed before its beginning": (
        json.dumps(_ledger(reviewed="2025-01-01")).encode(),
        "reviewed 2025-01-01 before it begins", "复核日期 2025-01-01 早于起始日期 2026-01-10"),
    "no event and no word": (
        json.dumps(_ledger(events=[])).encode(), "statement", "statement"),
}  # fmt: skip


@pytest.mark.parametrize("name", DAMAGED)
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_damaged(tmp_path: Path, captured: Path, name: str, lang: str) -> None:
    content, english, chinese = DAMAGED[name]
    file = tmp_path / "ledger.yml"
    file.write_bytes(content)
    ended = hostpledge(
        "bundle", captured, "-o", tmp_path / "b", "--attach", f"event-ledger={file}",
        "--lang", lang, home=tmp_path / "home",
    )  # fmt: skip
    assert (ended.status, ended.out) == (2, "")
    assert len(ended.err.splitlines()) == 1
    assert str(file) in ended.err
    assert (chinese if lang == "zh" else english) in ended.err
    if lang == "zh" and name != "no YAML":  # the parser of YAML quotes
        assert not re.search(r"[a-z]{3,} [a-z]{3,}", ended.err.split(str(file), 1)[1]), ended.err
    assert not (tmp_path / "b").exists()


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_record_with_a_damaged_ledger_is_not_taken(tmp_path: Path, lang: str) -> None:
    twice = _ledger(events=[_EVENT, _EVENT])
    record = _written(tmp_path / "p.json", example(event_ledger=twice))
    ended = hostpledge("pledge", "add", record, "--lang", lang, home=tmp_path / "home")
    assert (ended.status, ended.out) == (2, "")
    said = "事件 2026-001 出现了两次" if lang == "zh" else "the event '2026-001' stands twice"
    assert said in ended.err
    assert "event_ledger" in ended.err
    assert len(ended.err.splitlines()) == 1
