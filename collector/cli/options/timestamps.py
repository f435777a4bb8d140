"""--tsa URL: timestamp authorities, for commands that sign."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from collector.cli.ui.language import tr

if TYPE_CHECKING:
    from collector.attest.envelope.dsse import Stamper


def tsa_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """--tsa URL (`tsa`), repeatable."""
    return click.option(
        "--tsa",
        multiple=True,
        metavar="URL",
        help=tr(
            "向此时间戳机构（RFC 3161）为签名取时间戳，可重复",
            "get a timestamp over the signature from this authority (RFC 3161), repeatable",
        ),
    )(command)


def stampers(urls: Sequence[str]) -> list[Stamper]:
    """What asks each authority; raises BadInput for what is no address, before any work."""
    from collector.run.net.tsa import check_url, stamp

    for url in urls:
        check_url(url)
    return [partial(stamp, url) for url in dict.fromkeys(urls)]
