"""Each role on real hosts over SSH: the controls before, hardened, hardened again, after.

Where there is not time for all (`tests.long`) a scenario of two Debians runs on one of them: half
on the newest, half on the older one, which speaks Chinese.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import long
from tests.fleet.machine import why_not

ROOT = Path(__file__).parent.parent
SCENARIOS = sorted(path.parent.name for path in ROOT.glob("molecule/*/molecule.yml"))
# where each host of a scenario is one more of the same
_ONE = {
    "antivirus": "bare-12",
    "classification": "bare",
    "encryption": "bare-12",
    "firewall": "bare-12",
    "intrusion": "bare",
    "logging": "bare",
    "monitoring": "bare-12",
}

pytestmark = pytest.mark.fleet


def test_every_role_that_hardens_has_a_scenario() -> None:
    roles = {path.name for path in (ROOT / "roles").iterdir()} - {"collect", "safeguard"}
    assert roles <= {name.partition("-")[0] for name in SCENARIOS}


@pytest.mark.parametrize("name", SCENARIOS)
def test_scenario(name: str, tmp_path: Path) -> None:
    if reason := why_not():
        say = pytest.fail if os.environ.get("CI") else pytest.skip
        say(f"containers cannot run here: {reason}")
    tools = Path(sys.executable).parent
    done = subprocess.run(
        [tools / "molecule", "test", "-s", name],
        cwd=ROOT,
        env=os.environ
        | {
            "PATH": f"{tools}:{os.environ['PATH']}",
            "MOLECULE_EPHEMERAL_DIRECTORY": str(tmp_path),
            "NO_COLOR": "1",
            "ANSIBLE_NOCOLOR": "1",
        }
        | (
            {"MOLECULE_PLATFORM_NAME": _ONE[name]}
            if long.MINUTES in os.environ and name in _ONE
            else {}
        ),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=1500,
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-8000:]
