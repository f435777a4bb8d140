"""Each role on real hosts over SSH: the controls before, hardened, hardened again, after."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest

from tests.beside import beside
from tests.fleet.machine import why_not

ROOT = Path(__file__).parent.parent
SCENARIOS = sorted(path.parent.name for path in ROOT.glob("molecule/*/molecule.yml"))

pytestmark = pytest.mark.fleet


def test_every_role_that_hardens_has_a_scenario() -> None:
    roles = {path.name for path in (ROOT / "roles").iterdir()} - {"collect", "safeguard"}
    assert roles <= {name.partition("-")[0] for name in SCENARIOS}


@pytest.mark.parametrize("name", SCENARIOS)
def test_scenario(name: str, request: pytest.FixtureRequest) -> None:
    if reason := why_not():
        say = pytest.fail if os.environ.get("CI") else pytest.skip
        say(f"containers cannot run here: {reason}")
    said = beside(request.config).begin(f"molecule-{name}", partial(_test, name)).result()
    assert not said, said


def begin(items: Sequence[pytest.Item]) -> None:
    """Begins those that were asked for."""
    asked = {item.name: item.config for item in items}
    for name in SCENARIOS:
        if config := asked.get(f"test_scenario[{name}]"):
            beside(config).begin(f"molecule-{name}", partial(_test, name))


def _test(name: str, folder: Path) -> str:
    """Empty when all went well, else the end of what molecule printed."""
    tools = Path(sys.executable).parent
    done = subprocess.run(
        ["nice", tools / "molecule", "test", "-s", name],
        cwd=ROOT,
        env=os.environ
        | {
            "PATH": f"{tools}:{os.environ['PATH']}",
            "MOLECULE_EPHEMERAL_DIRECTORY": str(folder),
            "NO_COLOR": "1",
            "ANSIBLE_NOCOLOR": "1",
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )
    return (done.stdout + done.stderr)[-8000:] if done.returncode else ""
