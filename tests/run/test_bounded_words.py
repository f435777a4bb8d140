"""What one host says is looked through in a bounded time: others are asked beside it."""

from __future__ import annotations

import time
from dataclasses import replace
from types import MappingProxyType

import pytest

from collector.errors import PastLimit
from collector.facts.tls.probe import tls_served
from collector.judging.confined import LIMITS
from collector.model import Capture, HostStatus, ReadResult, ReadStatus
from collector.run.collected import outcome
from collector.run.net import outside
from collector.run.net.outside import with_outside
from collector.run.probes import looking
from collector.run.probes.looking import looked

_MANY = 1 << 20
_SAID = outcome.Own("debug1: Connecting to host [192.0.2.2] port 22.\n")


@pytest.mark.parametrize(
    "head",
    ["sudo: ", "host key for ", "Load key ", "Connection closed by ", "No a host key is known ",
     "WARNING: ", "Permission denied ", "doas: ", "Your password has expired ", "a", " ", "x\n",
     "Unable to negotiate with a port 1: no matching ", "Invalid/incorrect password "],
)  # fmt: skip
def test_a_line_of_any_length_takes_a_moment(head: str) -> None:
    """`sudo: ` over and over took half an hour, in the one process that asks all hosts."""
    text = head * (_MANY // len(head))
    begun = time.monotonic()
    for begins in (True, False):
        outcome.classify(text, begun=begins)
    outcome.answered(text)
    assert time.monotonic() - begun < 10


def test_what_stands_first_or_last_is_still_told() -> None:
    refused = "host: Permission denied (publickey)."
    noise = "\n".join(f"banner {n}" for n in range(5000))
    for text in (f"{refused}\n{noise}", f"{noise}\n{refused}"):
        status, said = outcome.classify(text, begun=False)
        assert (status, said) == (HostStatus.AUTH_REFUSED, refused)


def test_sshpass_is_known_with_what_ansible_puts_behind_it() -> None:
    """ansible-core 2.19 has the first line of stderr there, and words of its own before it."""
    led = "debug1: Executing proxy command: exec ssh -W"
    for words in ("password:", "username/password. Skipping remaining 5 retries:"):
        status, said = outcome.classify(
            f"Failed: Invalid/incorrect {words} {led}\n{led}", begun=False
        )
        assert status is HostStatus.AUTH_REFUSED
        assert said.startswith("the password was refused; sshpass answers one host alone")


def _capture(served: bytes) -> Capture:
    read = ReadResult("tls_served.answers", ReadStatus.OK, 0, 1, served)
    return Capture("a", HostStatus.COMPLETE, reads=MappingProxyType({"tls_served.answers": read}))


def test_what_sites_answer_is_gone_through_once() -> None:
    lines = b"== sites\n" + b"== clear 1 /\n" * 300_000 + b"== end\n"
    begun = time.monotonic()
    tls_served(_capture(lines))
    assert time.monotonic() - begun < 60


def test_a_host_that_is_never_looked_through_is_left_as_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def forever(capture: Capture, to: str) -> list[object]:
        del capture, to
        while True:
            pass

    monkeypatch.setattr(outside, "_first", forever)
    monkeypatch.setattr(outside, "_LIMITS", replace(outside._LIMITS, step=1, cpu=1))
    capture, begun = _capture(b"== end\n"), time.monotonic()
    assert with_outside(capture, _SAID) is capture
    assert time.monotonic() - begun < 20


def test_a_look_has_its_limits_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looking, "LIMITS", replace(LIMITS, step=0.5, cpu=1))

    def forever() -> None:
        while True:
            pass

    with pytest.raises(PastLimit):
        looked(forever)
    assert looked(lambda: 7) == 7
