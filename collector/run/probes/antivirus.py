"""What the role `antivirus` looks at before it changes anything: by the facts that judges use."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from collector import catalog
from collector.errors import FactError
from collector.facts.security import clamav as clamav_reads
from collector.facts.security import web_roots as web_reads
from collector.facts.security.clamav import clamav
from collector.facts.security.exclusions import matches, probes
from collector.facts.security.products import READS, antimalware
from collector.facts.security.web_roots import webroots
from collector.model import Capture
from collector.run.probes.looking import LookingAction, looked

_EXCLUSIONS = "antivirus.exclusions"


class ActionModule(LookingAction):
    """Returns the products that are there, what is served to the web, and what blinds ClamAV."""

    about = "the anti-malware of this host: "

    def look(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """`products`, `watchers`, `web`, `blinding`. Raises CollectorError."""
        del given
        seen = self.captured((*READS, *clamav_reads.READS, *web_reads.READS))
        return looked(partial(told, seen))


def told(capture: Capture) -> dict[str, Any]:
    """What the role's tasks decide by, as plain values. Raises CollectorError.

    `products`: other than ClamAV, those installed or running that count as anti-malware;
    `watchers`: those that only watch the host and have units of systemd;
    `web`: is there a server on the host itself, one in a container, the folders that are served;
    `blinding`: for each clamd.conf, the patterns of ExcludePath that hide a place that matters.
    """
    seen = antimalware(capture)
    web = webroots(capture)
    return {
        "products": [
            {
                "id": s.product.id,
                "name": s.product.name.en,
                "running": s.running,
                "units": [f"{name}.service" for name in s.product.units],
            }
            for s in seen.sightings
            if s.product.id != "clamav"
            and s.product.counts in ("yes", "attest")
            and (s.engines or s.installed)
        ],
        "watchers": [
            {
                "name": s.product.name.en,
                "running": s.running,
                "units": [f"{name}.service" for name in s.product.units],
            }
            for s in seen.sightings
            if s.product.counts == "hids" and s.installed and s.product.units
        ],
        "web": {
            "servers": bool(web.servers),
            "contained": bool(web.contained),
            "folders": [*web.folders],
        },
        "blinding": _blinding(capture, web.folders),
    }


def _blinding(capture: Capture, served: tuple[str, ...]) -> dict[str, list[str]]:
    parameters = catalog.control(_EXCLUSIONS).for_grade(2)
    webs = [*parameters.strings("web_roots"), *served]
    trees = dict.fromkeys((*parameters.strings("trees"), *webs))
    found: dict[str, list[str]] = {}
    for path, settings in clamav(capture).settings.items():
        found[path] = [
            pattern
            for pattern in dict.fromkeys(settings.all("ExcludePath"))
            if any(_hides(pattern, tree, web=tree in webs) for tree in trees)
        ]
    return found


def _hides(pattern: str, tree: str, *, web: bool) -> bool:
    """Does it hide the place, as far as is known? What is not understood stays for a person."""
    try:
        return bool(matches(pattern, probes(tree, web=web), "clamav.state"))
    except FactError:
        return False
