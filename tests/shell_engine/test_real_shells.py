"""What the shell engine says of generated scripts is what dash and bash do.

`make shells COUNT=2000` draws more of them; the default is a sample.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.shell_engine.compared import Tally, compare
from tests.shell_engine.generated import drawn
from tests.shell_engine.real_shells import Shells

COUNT = int(os.environ.get("HOSTPLEDGE_SHELL_SCRIPTS", "150"))
FROM = int(os.environ.get("HOSTPLEDGE_SHELL_SCRIPTS_FROM", "0"))


@pytest.mark.skipif(
    not (shutil.which("dash") and shutil.which("bash")), reason="dash and bash are needed"
)
def test_the_model_says_what_the_shells_do(tmp_path: Path) -> None:
    tally = Tally()
    shells = Shells(tmp_path)
    for seed in range(FROM, FROM + COUNT):
        compare(drawn(seed), shells, seed, 5, tally)
    print({k: v for k, v in vars(tally).items() if k != "wrong"})
    assert not tally.wrong, "\n".join(tally.wrong[:5])
    assert tally.untold <= 0.05 * tally.commands
    # neither is an answer that is never given
    assert min(tally.answers[x] for x in ("always", "perhaps", "never")) > COUNT // 10
