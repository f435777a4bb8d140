"""Rulesets nobody thought of, loaded into the kernel and held to real packets: 510 of them.

`HOSTPLEDGE_RULESETS=5000` draws more (ten minutes or so for 5000), `HOSTPLEDGE_RULESETS_FROM=N`
starts at another number. A number that fails draws the same ruleset again, wherever it is run.
"""

from __future__ import annotations

import os
import random
import shutil
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from tests.facts.drawn import nft
from tests.facts.drawn_iptables import iptables_legacy, iptables_nft
from tests.facts.netlab import Lab
from tests.facts.truth import Compared, compare, kinds, needs_kernel

pytestmark = needs_kernel

COUNT = int(os.environ.get("HOSTPLEDGE_RULESETS", "510"))
FIRST = int(os.environ.get("HOSTPLEDGE_RULESETS_FROM", "0"))
_LABS = 3
_DRAWERS: dict[str, Callable[[random.Random], tuple[str, str]]] = {
    "nft": nft,
    "iptables-nft": iptables_nft,
    "iptables-legacy": iptables_legacy,
}


def test_generated() -> None:
    """No answer is wrong, and fewer than one in fifty is `unknown`."""
    names = [n for n in _DRAWERS if n != "iptables-legacy" or shutil.which("iptables-legacy")]
    numbers = [(names[n % len(names)], FIRST + n // len(names)) for n in range(COUNT)]
    started = time.monotonic()
    with ThreadPoolExecutor(_LABS) as pool:
        results = [r for part in pool.map(_work, range(_LABS), [numbers] * _LABS) for r in part]
    refused = [told for told, compared in results if compared is None]
    answers = [(told, compared) for told, compared in results if compared is not None]
    asked = sum(compared.asked for _, compared in answers)
    unknown = [line for _, compared in answers for line in compared.unknown]
    wrong = [f"{told}\n" + "\n".join(c.wrong) for told, c in answers if c.wrong]
    print(
        f"{len(answers)} rulesets, {asked} questions, {len(unknown)} unknown,"
        f" {len(wrong)} rulesets with wrong answers, {time.monotonic() - started:.0f} s"
    )
    assert not wrong, "\n\n".join(wrong[:5])
    assert len(unknown) < asked / 50, "\n".join(unknown[:50])
    # what the kernel itself refuses to load shows nothing
    assert len(refused) <= COUNT / 50, "\n".join(refused[:5])


def _work(lab_number: int, numbers: list[tuple[str, int]]) -> list[tuple[str, Compared | None]]:
    results: list[tuple[str, Compared | None]] = []
    lab = Lab()
    try:
        for name, number in numbers[lab_number::_LABS]:
            loader, text = _DRAWERS[name](random.Random(number))
            failed = lab.load(loader, text)
            told = f"{name} {number}: {failed}\n{text}"
            results.append((told, None if failed else _compared(lab, text)))
    finally:
        lab.close()
    return results


def _compared(lab: Lab, text: str) -> Compared:
    inside = "172.30.0.2" not in text and "fd00:30::2" not in text
    return compare(lab, inside=inside, tried=kinds(text))
