"""Real hosts for tests and the demo: systemd containers with their own addresses.

    with Fleet(["good", "bare"], folder=tmp_path, prefix="mine") as fleet:
        subprocess.run(["ansible", "-i", fleet.inventory, "all", "-m", "raw", "-a", "id"])

`why_not()` says why containers cannot run here. From a shell: `python -m tests.fleet --help`.
"""

from tests.fleet.hosts import HOSTS, Host
from tests.fleet.machine import CannotRun, inside, why_not
from tests.fleet.reaching import Running
from tests.fleet.running import Fleet, stop, stop_all

__all__ = [
    "HOSTS",
    "CannotRun",
    "Fleet",
    "Host",
    "Running",
    "inside",
    "stop",
    "stop_all",
    "why_not",
]
