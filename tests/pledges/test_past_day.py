"""`pledge status|findings --at`: how it was at the end of a past day, as the page has it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any, Self

import pytest

from collector.cli.commands.pledge import findings, group
from collector.errors import BadInput
from collector.pledges.record.voiding import with_void
from collector.pledges.register.register import Register
from tests.clock import today
from tests.pledges.bundles import Signer
from tests.pledges.lives import captured, check
from tests.pledges.records import made
from tests.pledges.test_follow_ups import another

Asked = Callable[..., tuple[int, str, str]]


class Later(datetime):
    """Twenty days from now."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Self:
        return super().now(tz) + timedelta(days=20)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its host is well by the first evidence; the second, of another one, is void since."""
    folder = tmp_path_factory.mktemp("past")
    register, signer = Register.open(str(folder)), Signer(folder / "made")
    record = made(id="one-1", resources={"hosts": ["web-01"]})
    register.add(record)
    now = datetime.now(UTC)
    check(register, "one-1", signer, captured("hardened"), now - timedelta(days=9))
    check(register, "one-1", signer, another(captured("weak")), now - timedelta(days=2))
    return folder


@pytest.fixture
def ask(place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Asked:
    for module in (group, findings):
        monkeypatch.setattr(module, "datetime", Later)

    def asked(*words: str) -> tuple[int, str, str]:
        status = group.pledge.main(
            [*words, "--register", str(place), "--lang", "en"], standalone_mode=False
        )
        said = capsys.readouterr()
        return int(status), said.out, said.err

    return asked


def _day(ahead: int) -> str:
    return (today() + timedelta(days=ahead)).isoformat()


def _void(known: Any) -> Any:
    entry = {
        "sequence": 2, "digest": "0" * 64, "reason": "另一台主机", "by": "王安",
        "date": today().isoformat(),
    }  # fmt: skip
    return with_void(known, entry, today=today())


def test_a_past_day_is_told_by_what_was_there_then(place: Path, ask: Asked) -> None:
    status, out, _ = ask("status", "one-1", "--at", _day(1))
    assert status == 1
    assert f"as it was at the end of {_day(1)} (China)" in " ".join(out.split())
    told = json.loads(ask("status", "one-1", "--at", _day(1), "--format", "json")[1])
    assert (told["as_of"], told["evidence"], told["version"]) == (_day(1), 2, 1)
    # the last second of that day at which what ends with it still holds
    assert told["at"].startswith(f"{_day(1)}T15:59:58")
    status, out, _ = ask("findings", "one-1", "--at", _day(1), "--verdict", "fail")
    assert (status, f"end of {_day(1)}" in " ".join(out.split())) == (1, True)
    _, out, err = ask("findings", "--at", _day(1), "--format", "csv")
    assert out.count("one-1") == 1 and f"end of {_day(1)}" in err

    register = Register.open(str(place))
    digest = register.every_evidence("one-1")[1].digest
    entry = {**_void(register.get("one-1")).document["voided"][0], "digest": digest}
    register.change("one-1", lambda known: with_void(known, entry, today=today()))
    # what was declared void since counts on no day, and is named on each
    told = json.loads(ask("status", "one-1", "--at", _day(1), "--format", "json")[1])
    assert (told["evidence"], [one["sequence"] for one in told["void"]]) == (1, [2])
    for command in ("status", "findings"):
        out = ask(command, "one-1", "--at", _day(1))[1]
        assert "evidence 2 is void since" in " ".join(out.split()), command


@pytest.mark.parametrize(
    ("day", "says"),
    [
        (30, "has not come yet"),
        (-3, "it was not on record"),
    ],
)
@pytest.mark.parametrize("command", ["status", "findings"])
def test_a_day_without_it_is_refused(ask: Asked, command: str, day: int, says: str) -> None:
    with pytest.raises(BadInput, match=says):
        ask(command, "one-1", "--at", _day(day))


def test_of_all_pledges_those_of_before_are_left_out(ask: Asked) -> None:
    status, out, _ = ask("findings", "--at", _day(-3), "--format", "csv")
    assert (status, out.count("\n")) == (0, 1)
