"""The exposure engine held to what real packets do under real rules in the kernel."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest

from collector.facts.exposure import exposures
from collector.facts.spans import address
from tests.facts.netlab import HOST4, HOST6, PORTS, SOURCES, Lab
from tests.facts.rulesets import RULESETS, UNKNOWN

_WANTED = ("ip", "nft", "iptables", "ss")
_MISSING = [name for name in _WANTED if shutil.which(name) is None]
pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or bool(_MISSING),
    reason=f"needs root and {', '.join(_WANTED)} (missing: {', '.join(_MISSING) or 'root'})",
)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    made = Lab(tmp_path_factory.mktemp("lab"))
    yield made
    made.close()


@pytest.mark.parametrize(("name", "loader", "text"), RULESETS, ids=[r[0] for r in RULESETS])
def test_what_is_said_is_what_happens(lab: Lab, name: str, loader: str, text: str) -> None:
    if "legacy" in text and shutil.which("iptables-legacy") is None:
        pytest.skip("there is no iptables-legacy")
    failed = lab.load(loader, text)
    assert not failed, failed
    hold(lab, name, may_be_unknown=name in UNKNOWN)


def hold(lab: Lab, name: str, *, may_be_unknown: bool = False) -> None:
    """For each source and port: `yes` gets a connection, `no` gets none."""
    capture = lab.capture()
    said: dict[tuple[int, str, str, int], tuple[str, str]] = {}
    for family, sources in SOURCES.items():
        for source in sources:
            found = exposures(capture, address(source))
            for port in PORTS:
                (answer,) = [e for e in found if e.listener.port == port]
                target = HOST4 if family == 4 else HOST6
                said[family, source, target, port] = (answer.reachable, answer.why)
    happened = dict(zip(said, lab.connect(said), strict=True))
    slow = [asked for asked, (word, _) in said.items() if word == "yes" and not happened[asked]]
    if slow:
        happened |= dict(zip(slow, lab.connect(slow, 1.5), strict=True))
    wrong = [
        f"{asked}: said {word}, got {happened[asked]} ({why})"
        for asked, (word, why) in said.items()
        if word != "unknown" and (word == "yes") is not happened[asked]
    ]
    assert not wrong, f"{name}\n" + "\n".join(wrong)
    doubtful = [f"{asked}: {why}" for asked, (word, why) in said.items() if word == "unknown"]
    assert may_be_unknown or not doubtful, f"{name}\n" + "\n".join(doubtful)
