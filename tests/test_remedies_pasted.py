"""A person pastes blocks into an interactive shell, which reads them otherwise than `sh -c` does:

`!` recalls a command, a tab completes a name, and whatever reads its input takes the lines behind.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from collector.remedies.steps import SAID, every, filled_steps
from tests.remedies.terminal import Stuck, opened

_BASH = ["bash", "--norc", "--noprofile", "-i"]


def _blocks() -> list[str]:
    found: dict[str, None] = {}
    for control in every():
        for step in filled_steps(control):
            for part in (step.look, step.commands, step.check_said, step.back):
                if part:
                    found["\n".join(part)] = None
    return list(found)


@pytest.mark.parametrize("bracketed", [True, False], ids=["pasted", "typed"])
def test_an_interactive_shell_reads_each_block_as_a_script_does(
    bracketed: bool, tmp_path: Path
) -> None:
    blocks = _blocks()
    assert len(blocks) > 300
    with opened(_BASH, bracketed=bracketed) as terminal:
        for number, block in enumerate(blocks):
            typed = f"block() {{\n{block}\n}}"
            terminal.paste(f"{typed}\ndeclare -f block >{tmp_path}/{number}")
    script = "\n".join(
        f"block() {{\n{block}\n}}\ndeclare -f block >{tmp_path}/{number}.wanted"
        for number, block in enumerate(blocks)
    )
    subprocess.run(["bash", "--norc"], input=script.encode(), check=True)
    for number, block in enumerate(blocks):
        read = (tmp_path / f"{number}").read_text()
        assert read == (tmp_path / f"{number}.wanted").read_text(), block


def test_a_check_says_ok_only_where_it_holds() -> None:
    with opened(_BASH) as terminal:
        for status, said in ((0, "OK"), (1, "NOT OK"), (3, "NOT OK")):
            _, seen = terminal.paste(f"(exit {status})\n{SAID}")
            assert seen.splitlines()[-2:-1] == [said] or f"\n{said}\n" in seen


def test_what_waits_for_keys_is_seen() -> None:
    """Without this, nothing above would show a pager."""
    with opened(_BASH) as terminal, pytest.raises(Stuck):
        terminal.paste("cat\nls /", seconds=2)
