"""antivirus.running: a product against malicious code is installed and runs."""

from __future__ import annotations

import re

from collector.errors import CouldNotLook
from collector.facts.access.ways_in import WAYS
from collector.facts.monitoring.agents import MONITORS
from collector.facts.security.products import PRODUCTS, Sighting, antimalware
from collector.facts.system.processes import Process, processes
from collector.i18n.message import msg
from collector.model import Clock, Facts, Method, Parameters, Quote, Result, Value, Verdict

_SIGNALS = {
    "program": "程序在其位置运行",
    "started": "进程",
    "companion": "配套程序",
    "unit": "服务",
    "script": "启动脚本",
    "package": "软件包",
    "place": "独立的安装文件",
}

_MOST = 10
_SYSTEM = re.compile(r"/(usr/)?(bin|sbin|lib|lib32|lib64|libexec)/")
# known, and nothing of the kind: Titan Network's pCDN
_NO_SECURITY = ("/opt/titanagent",)
_AGENT = re.compile(
    r"agent|edr|hids|guard|shield|sentinel|antivir|defen[cs]e|secur|protect|ctcss|trustone"
    r"|/titan|topsec|dbapp|rising|jiangmin",
    re.IGNORECASE,
)


def judge(facts: Facts, parameters: Parameters, clock: Clock) -> Verdict:
    """What is proven outweighs what is doubtful, and what is doubtful outweighs its absence."""
    seen = facts.get(antimalware)
    real = [s for s in seen.sightings if s.product.counts == "yes"]
    proven = [s for s in real if s.proven]
    if proven:
        return _verdict(Result.PASS, "running", proven)
    attest = [s for s in seen.sightings if s.product.counts == "attest"]
    attest = [s for s in attest if s.engines or s.imposters]
    if attest:
        return _verdict(Result.ERROR, "attest", attest)
    doubtful = [s for s in real if s.engines]
    if doubtful:
        return _verdict(Result.ERROR, "one_signal", doubtful)
    if seen.blind:
        raise CouldNotLook("processes.all", msg("only_root_sees_program"))
    stopped = [s for s in real if s.installed]
    if stopped:
        return _verdict(Result.FAIL, "stopped", stopped)
    alike = [s for s in real if s.imposters]
    if alike:
        return _verdict(Result.ERROR, "name_only", alike)
    watching = [s for s in seen.sightings if s.product.counts == "hids"]
    if watching:
        return _verdict(Result.FAIL, "hids_only", watching)
    strange = _strange(facts)
    if strange:
        programs = sorted({p.exe or p.name for p in strange})
        quotes = (Quote("processes.all", tuple(p.line for p in strange)),)
        values: dict[str, Value] = {"programs": ", ".join(programs[:_MOST])}
        return Verdict(Result.FAIL, "none_but_agents", Method.OBSERVED, values, quotes)
    return Verdict(Result.FAIL, "none", Method.OBSERVED, evidence=(Quote("antimalware.places"),))


def _strange(facts: Facts) -> list[Process]:
    """What looks like an agent, lies where no distribution puts programs, and is in no list."""
    known = [*(m.programs for m in MONITORS), *(w.programs for w in WAYS)]
    under = [x.under for x in PRODUCTS] + [x.under for x in MONITORS] + [x.under for x in WAYS]
    folders = [*_NO_SECURITY, *(folder for some in under for folder in some)]
    listed = {p.pid for some in known for p in facts.get(processes).running(*some)}
    return [
        p
        for p in facts.get(processes).all
        if p.exe is not None
        and not (p.container or p.login)
        and p.pid not in listed
        and _AGENT.search(p.exe)
        and not _SYSTEM.match(p.exe)
        and not any(p.exe.startswith(f"{folder}/") for folder in folders)
    ]


def _verdict(result: Result, reason: str, sightings: list[Sighting]) -> Verdict:
    run = tuple(p.line for s in sightings for p in (*s.engines, *s.imposters))
    units = tuple(line for s in sightings for line in s.units)
    marks = tuple(line for s in sightings for line in s.marks if line not in s.units)
    signals = sorted({word for s in sightings for word in s.signals})
    quotes = {"processes.all": run, "services.units": units, "antimalware.places": marks}
    return Verdict(
        result,
        reason,
        Method.OBSERVED,
        {
            "products": ", ".join(s.product.name.en for s in sightings),
            "products_zh": "、".join(s.product.name.zh for s in sightings),
            "signals": ", ".join(signals),
            "signals_zh": "、".join(_SIGNALS[word] for word in signals),
        },
        tuple(Quote(read, lines) for read, lines in quotes.items() if lines),
    )
