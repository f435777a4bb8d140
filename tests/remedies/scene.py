"""What a scene says of the host on which a remedy is typed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

PASSWORD = "not-a-secret-2026"
GET = (
    "export DEBIAN_FRONTEND=noninteractive; "
    "[ -e /run/apt-asked ] || { apt-get -qq update && touch /run/apt-asked; }; "
    "apt-get -qq install -y --no-install-recommends"
)


@dataclass(frozen=True)
class Scene:
    """`prepare` runs on the host, `peer` on the other host of the pair, as root, before all else.

    Both know $PEER, the other's address; `carry` are files that are copied from the peer. `before`
    and `after` are what the judge says, left out where that is not for the steps to bring about.
    `works` is run on the host after the steps, and `away` takes what `prepare` made. `by_key` is
    False where a key alone shall no longer do. `attach` are documents of the pledge record that
    the judge gets besides, each as what a command prints on the host. `seconds` is how long what a
    step starts in the background may go on before its check holds. `answers` are what a person
    types where the commands ask on the terminal. With `restart` the host is booted anew after the
    steps: what they brought about has to last, and `works` is run then.

    A control whose steps are for hosts of several kinds has several scenes: `name` tells them
    apart, and `steps` are the places of those that are typed among all of the control's for the
    platform. Without `steps` they are those that tests run and no other scene names.
    """

    control: str
    name: str = ""
    steps: tuple[int, ...] = ()
    prepare: str = ""
    peer: str = ""
    carry: tuple[str, ...] = ()
    fill: Mapping[str, str] = field(default_factory=dict)
    grade: int = 2
    before: str | None = "fail"
    after: tuple[str, ...] = ("pass",)
    works: str = ""
    away: str = ""
    by_key: bool = True
    attach: Mapping[str, str] = field(default_factory=dict)
    seconds: int = 0
    answers: tuple[str, ...] = ()
    restart: bool = False

    @property
    def id(self) -> str:
        """What the test is called by."""
        return f"{self.control}-{self.name}" if self.name else self.control
