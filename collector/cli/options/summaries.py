"""`--svr FILE`: what was found of a bundle, as a statement for others; with a key, signed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from collector.captures import write_aside
from collector.cli.options.outputs import check_output
from collector.cli.options.paths import FilePath, Named
from collector.cli.options.signing_key import open_key, passphrase_option
from collector.cli.ui.language import tr

if TYPE_CHECKING:
    from collector.verify import Bundle, Verification
    from collector.verify.policy import Policy, Unmet


@dataclass(frozen=True, slots=True)
class Wanted:
    """Where a summary goes, and which key signs it (None: none)."""

    file: Path | None
    key: str | None
    passphrase_file: Path | None

    def check(self, *inputs: Path | str | None) -> None:
        """Raises BadInput where it would take the place of what is read, or nothing is wanted."""
        if self.file is not None:
            check_output(self.file, *inputs)
        elif self.key is not None:
            raise click.UsageError("Missing option '--svr'.", click.get_current_context())

    def write(
        self,
        opened: Bundle,
        found: Verification,
        now: datetime | None,
        policy: Policy | None,
        lacking: Sequence[Unmet],
    ) -> None:
        if self.file is None:
            return
        from collector.attest.envelope import dsse
        from collector.verify.summary import statement_of

        again = policy is not None and policy.replay
        payload = statement_of(
            opened,
            found,
            now or datetime.now(UTC),
            policy=policy,
            lacking=lacking,
            replayed=again and not any(one.name == "replay" for one in lacking),
        )
        if self.key is not None:
            payload = dsse.seal(payload, open_key(self.key, self.passphrase_file, role="bundle"))
        write_aside(self.file, payload, 0o644)


def summary_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """--svr FILE (`svr_file`), --svr-key KEY (`svr_key`) and --passphrase-file."""
    placed = click.option(
        "--svr",
        "svr_file",
        type=FilePath(path_type=Path, dir_okay=False),
        metavar="FILE",
        help=tr(
            "把核验所见写成 in-toto 声明（Simple Verification Result），供采信本次核验者读取",
            "write what was found as an in-toto statement (Simple Verification Result), for who "
            "takes your word for it",
        ),
    )
    signed = click.option(
        "--svr-key",
        type=Named(),
        metavar="KEY",
        help=tr(
            "用此密钥签名该声明（Sigstore bundle，与证据包相同）；不写则不签名",
            "sign that statement with this key (a Sigstore bundle, as evidence is); else it is "
            "unsigned",
        ),
    )
    return placed(signed(passphrase_option(command)))
