"""What ssh says of a refusal is heard, however long it takes to go."""

from __future__ import annotations

import subprocess
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from collector.run.collected.stream import Stream


def test_a_process_that_takes_no_more_is_waited_for(tmp_path: Path) -> None:
    """Ansible looks once, a millisecond after its write failed."""
    stream = Stream(tmp_path / "part", "n", limit=1 << 20, seconds=30)
    module: Any = ModuleType("ansible.plugins.connection.any")
    module.subprocess = subprocess
    with stream.instead_of_popen([module]):
        process = module.subprocess.Popen(
            ["sh", "-c", "exec <&-; sleep 0.5; echo 'Permission denied' >&2; exit 255"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        with pytest.raises(BrokenPipeError):
            process.stdin.write(b"x" * (1 << 20))
        assert process.poll() == 255
        assert process.stderr.read() == b"Permission denied\n"
