"""What a run leaves to be mended is said by name, the gravest first, in 80 columns."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from rich.cells import cell_len

from collector import catalog
from collector.cli.ui import language
from collector.cli.workflows import to_mend
from collector.model import Lang


def _entry(verdicts: dict[str, str], waived: tuple[str, ...] = ()) -> dict[str, Any]:
    return {
        "findings": [
            {"control": id, "verdict": v, "waiver": {"expired": False} if id in waived else None}
            for id, v in verdicts.items()
        ]
    }


@pytest.fixture(params=["en", "zh"])
def spoken(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lang]:
    monkeypatch.setattr("sys.argv", ["hostpledge", "--lang", request.param])
    language.lang.cache_clear()
    yield request.param
    language.lang.cache_clear()


def test_veto_then_severity_then_how_many_hosts(spoken: Lang) -> None:

    verdicts = {
        "intrusion.rootkit_scan": "fail",
        "backup.fresh": "error",
        "firewall.default_deny": "fail",
    }
    hosts = [
        ("数据库一号", _entry({**verdicts, "antivirus.running": "fail"})),
        *((f"web-{n}", _entry(verdicts)) for n in range(4)),
    ]
    title, *found = to_mend.lines(hosts)
    assert "hostpledge explain" in title
    numbers = [line[2:5] for line in found if line[0] != " "]
    ids = ["antivirus.running", "firewall.default_deny", "intrusion.rootkit_scan", "backup.fresh"]
    assert numbers == [catalog.control(id).number for id in ids]
    text = "\n".join(found)
    assert ("5/5 台（数据库一号、web-0、web-1 等）" if spoken == "zh" else "of 5 hosts") in text
    assert catalog.control("antivirus.running").title.to(spoken) in text
    assert ("【一票否决】" if spoken == "zh" else "[veto]") in text
    assert max(cell_len(line) for line in text.splitlines()) <= 80


def test_what_is_waived_or_satisfied_is_not_among_it() -> None:
    every = {
        "backup.fresh": "pass",
        "intrusion.rootkit_scan": "fail",
        "backup.jobs": "notapplicable",
    }
    assert to_mend.lines([("web", _entry(every, waived=("intrusion.rootkit_scan",)))]) == []


def test_many_are_cut_and_counted(spoken: Lang) -> None:
    every = dict.fromkeys(catalog.controls(), "fail")
    lines = to_mend.lines([("web", _entry(every))])
    assert str(len(every) - 15) in lines[-1]
    assert not any("web" in line for line in lines), "of one host alone, it need not be named"


def test_it_says_what_has_to_be_done_before_and_what_last(spoken: Lang) -> None:
    open_ones = ("antivirus.signatures", "antivirus.running", "intrusion.file_integrity")
    _, *found = to_mend.lines([("web", _entry(dict.fromkeys(open_ones, "fail")))])
    said = {line[2:5]: line for line in found}
    first, last = ("先做 M01", "放在最后做") if spoken == "zh" else ("after M01", "do this last")
    assert first in said["M02"]
    assert last in said["I17"]
    assert first not in said["M01"]
    _, alone = to_mend.lines([("web", _entry({"antivirus.signatures": "fail"}))])
    assert first not in alone, "what is satisfied need not be done before"


def test_what_is_done_after_another_stands_behind_it(spoken: Lang) -> None:
    ids = ["antivirus.web_tamper", "intrusion.detection", "intrusion.file_integrity"]
    verdicts = dict.fromkeys(ids, "partial") | {"intrusion.detection": "fail"}
    _, *found = to_mend.lines([("web-0", _entry(verdicts))])
    assert [line[2:5] for line in found] == ["I17", "M07", "I16"]
    wanted = "先做 I17、M07" if spoken == "zh" else "after I17, M07"
    assert wanted in found[-1]
