"""One message by one channel, through apprise (the extra `notify`)."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from collector.errors import BadInput
from collector.i18n.message import msg
from collector.notify.wire import Outcome

# in a text of theirs it calls people, all of a group at once; names in it are anybody's
_CALLS = re.compile(r"<(?=/?at\b)", re.IGNORECASE)
_CALLED_SO = ("feishu", "lark")


def check() -> None:
    """Raises BadInput where apprise is not installed."""
    try:
        import apprise  # noqa: F401
    except ModuleNotFoundError:
        raise BadInput(
            msg("notify_no_apprise"), mend=msg("notify_pip_install", python=sys.executable)
        ) from None


class Sending(NamedTuple):
    """`why` it was not taken, as `Wire` has it; empty where it was, or nobody said."""

    outcome: Outcome
    why: str


def send(channel: str, subject: str, body: str, files: Sequence[Path] = ()) -> Sending:
    """What became of it. Nothing of the channel is said, logged or raised: it is a secret."""
    from apprise import Apprise, AppriseAsset, NotifyFormat

    from collector.notify.wire import watched

    # it logs addresses, and at its finest level what it sends
    logging.getLogger("apprise").disabled = True
    # past a limit of its own it says no while a thread of it goes on sending: those of sockets hold
    asset = AppriseAsset(
        async_mode=False, service_timeout=0, app_id="hostpledge", app_desc="hostpledge", app_url=""
    )
    sender = Apprise(asset=asset)
    if not sender.add(channel):
        return Sending("refused", "address")
    scheme = channel.partition(":")[0].lower()
    if scheme in _CALLED_SO:
        subject, body = (_CALLS.sub("‹", text) for text in (subject, body))
    with watched(scheme) as wire:
        try:
            said = bool(
                sender.notify(
                    body=body,
                    title=subject,
                    body_format=NotifyFormat.TEXT,
                    attach=[str(file) for file in files] or None,
                )
            )
        except Exception:  # noqa: BLE001 - what it says may hold the channel
            said = False
    outcome = wire.outcome(said)
    # who never came so far as to hand it over, and was refused by nobody, found nobody there
    why = wire.why or ("" if wire.begun else "unreached")
    return Sending(outcome, "" if outcome == "sent" else why)
