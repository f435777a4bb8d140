"""What holds of the sshd that was asked holds of no other SSH server beside it."""

from __future__ import annotations

from collections.abc import Sequence

from collector.errors import NotUnderstood
from collector.facts.system.processes import processes
from collector.i18n.message import msg
from collector.model import Facts


def refuse_others(facts: Facts, programs: Sequence[str]) -> None:
    """Raises FactError where one of the programs runs, whose settings nobody asked for."""
    known = facts.get(processes)
    if not known.absent(*programs):
        seen = known.running(*programs)[0]
        raise NotUnderstood("processes.all", msg("ssh_server_other_openssh", exe=seen.exe))
