"""All played hosts."""

from __future__ import annotations

from tests.hosts import centos, debian, euler, rhel
from tests.hosts.facts import Facts

HOSTS: dict[str, Facts] = {
    facts.name: facts for facts in (*centos.HOSTS, *rhel.HOSTS, *euler.HOSTS, *debian.HOSTS)
}
