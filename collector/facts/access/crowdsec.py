"""CrowdSec as it runs: what it reads, how soon it decides on sshd's sake, and who carries that out.

Its own tool tells what was read and which bouncers fetch decisions; scenarios, profiles and the
simulation are those of its configuration folder.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from collector.errors import BadInput, CouldNotLook, NotUnderstood
from collector.facts.base.durations import go_duration
from collector.facts.base.opened import OPENED
from collector.facts.base.redaction import QUOTED, any_case
from collector.facts.system.processes import processes
from collector.i18n.message import msg
from collector.model import Capture, Read, Text, shell
from collector.schema import load_documents

_READ = "crowdsec.state"

# Of its YAML the keys that are judged by, and the values that they have where nobody wrote more.
_SETTINGS = r"""
function kept(k, v) {
  gsub(/^[ \t]+|[ \t]+$/, "", v)
  if (k ~ /^(decisions|filters|labels|exclusions|data|notifications)$/ && v == "") return ""
  if (k == "filter" && v ~ FILTER || v ~ /^[|>][+-]?$/ && k == "filter") return v
  if (k ~ PLAIN && v ~ /^["\047]?[A-Za-z0-9_.\/-]+["\047]?$/) return v
  return v == "" ? "" : "\"***\""
}
BEGIN {
  FILTER = "^evt[.]Meta[.]log_type *== *[\"\047]ssh_failed-auth[\"\047]$"
  ALERT = "^Alert[.]Remediation==true&&Alert[.]GetScope[(][)]=="
  ALERT = ALERT "[\"\047](Ip|Range|Country|AS)[\"\047]$"
  PLAIN = "^(name|type|duration|capacity|leakspeed|groupby|distinct|simulation|remediation"
  PLAIN = PLAIN "|blackhole)$"
}
{
  sub(/\r$/, ""); sub(/^#.*|[ \t]#.*/, "")
  if ($0 ~ /^[ \t]*$/) next
  if ($0 ~ /^---/) { print "---"; next }
  if (match($0, /^[ \t]*(- +)?[A-Za-z_]+[ \t]*:/)) {
    head = substr($0, 1, RLENGTH); v = substr($0, RLENGTH + 1)
    k = head; gsub(/[^A-Za-z_]/, "", k)
    v = kept(k, v)
    print head (v == "" ? "" : " " v)
  } else if (match($0, /^[ \t]*- */)) {
    head = substr($0, 1, RLENGTH); v = substr($0, RLENGTH + 1); w = v; gsub(/ /, "", w)
    if (w ~ ALERT || w ~ /^[A-Za-z0-9_.\/-]+$/ && k == "exclusions") print head v
    else print head (w ~ /GetScope[(][)]/ && w !~ /"Ip"/ ? "GetScope() and more" : "\"***\"")
  } else if (k == "filter") {
    v = $0; gsub(/^[ \t]+|[ \t]+$/, "", v); w = $0; sub(/[^ \t].*/, "", w)
    print w (v ~ FILTER ? v : "more")
  }
}
"""

_STRINGS = (
    r"[a-z_-]\{1,32\}",
    r"[0-9]\{4\}-[0-9T:.Z+-]\{4,40\}",
    r"file:/[A-Za-z0-9_./-]*",
    r"/[A-Za-z0-9_./-]*",
    r"journalctl-[A-Za-z0-9_.=@-]*",
    r"journalctl:journalctl-[A-Za-z0-9_.=@-]*",
)
_APPLIED = ("true", "false", "drop", "reject", "nftables", "iptables", "ipset", "pf")
_SETS = r"\( *[a-z_-]*: *[\"']\{0,1\}"
# Of what the tool prints as JSON the strings that are judged by, and words of its own: a source is
# named by the URL that it is configured by, the password in it included.
_OWN = "\n".join(
    [
        "/^== metrics/,/^== parsers/{",
        # what is kept has line breaks for its quotes, which no line holds
        *(f's#"\\({form}\\)"#\\\n\\1\\\n#g' for form in _STRINGS),
        f's#"{QUOTED}"#"***"#g',
        # what is no JSON is no answer
        r"""/^[[:space:]]*[]\n[{}"=]/!s/.*[A-Za-z].*/***/""",
        r"""y/\n/"/""",
        "}",
        "/^== applied/,${",
        *(
            f"s/^{_SETS}{any_case(word)}[\"']\\{{0,1\\}}\\)[[:space:]]*$/\\1/\nt"
            for word in _APPLIED
        ),
        r"/^ *mode: *[$]{BACKEND} *$/!s/^\( *[a-z_-]*:\).*/\1 ***/",
        "}",
    ]
)

READS: tuple[Read, ...] = (
    shell(
        _READ,
        OPENED
        + r"""
settings() { hp_by "$1" cat | awk '@SETTINGS@'; }
d=/etc/crowdsec
command -v cscli >/dev/null 2>&1 || { echo '== none'; exit 0; }
echo '== metrics'
cscli metrics -o json 2>/dev/null
echo; echo '== bouncers'
cscli bouncers list -o json 2>/dev/null | grep -E '[]{}[]|"(revoked|type|last_pull)"'
cd /etc/crowdsec || exit 1
echo; echo '== parsers'
ls parsers/s01-parse 2>/dev/null
echo '== simulation'
settings $d/simulation.yaml
echo; echo '== profiles'
for f in $d/profiles.yaml.local $d/profiles.yaml; do
  [ -f $f ] && { echo '---'; settings $f; echo; }
done
echo '== scenarios'
for f in $d/scenarios/*.y*ml; do
  [ -f "$f" ] && hp_by "$f" cat | grep -q ssh_failed-auth &&
    { echo '---'; settings "$f"; echo; }
done
echo '== applied'
for f in $d/bouncers/crowdsec-firewall-bouncer.yaml $d/bouncers/crowdsec-firewall-bouncer.yaml.local
do [ -f "$f" ] && hp_by "$f" cat; done 2>/dev/null |
  grep -E '^ *(mode|set-only|deny_action|disable_ipv6):' | sed 's/[[:space:]]#.*//'
exit 0
""".replace("@SETTINGS@", _SETTINGS),
        seconds=20,
        limit=1 << 18,
        redact=_OWN,
        privileged=True,
        why=Text(
            "CrowdSec 读取了哪些日志、何时封禁、由谁执行",
            "which logs CrowdSec reads, when it bans, and who carries that out",
        ),
    ),
)

_AGENTS = ("/crowdsec",)
_BOUNCER = "/crowdsec-firewall-bouncer"
# a bouncer asks every ten seconds by default
_FRESH = timedelta(minutes=10)
_FILTER = re.compile(r"evt\.Meta\.log_type\s*==\s*['\"]ssh_failed-auth['\"]")
_SSH_LOG = re.compile(
    r"(file:)?/var/log/(auth\.log|secure|messages|syslog)"
    r"|(journalctl:)?journalctl-(.*(_SYSTEMD_UNIT=sshd?\.service|SYSLOG_IDENTIFIER=sshd|_COMM=sshd).*)?"
)


@dataclass(frozen=True, slots=True)
class Crowd:
    """The scenarios that hold for failed logins of sshd.

    Each is a pair: the failures that lead to a ban of `blocks` seconds, and the seconds over which
    they add up. `fault` says why nobody is banned after all: `unread`, `no_scenario`, `simulated`,
    `no_ban`, `no_bouncer`; empty where bans are carried out.
    """

    scenarios: tuple[tuple[int, int], ...]
    blocks: int
    fault: str
    lines: tuple[str, ...]


def crowd(capture: Capture) -> Crowd | None:
    """None where no CrowdSec runs on this host. Raises FactError."""
    known = [p for p in processes(capture).all if not p.container and not p.login and p.hosts]
    agents = [p for p in known if p.exe is not None and p.exe.endswith(_AGENTS)]
    if not agents:
        return None
    parts = _parts(capture.read(_READ).text())
    lines: tuple[str, ...] = (f"{agents[0].line}: {agents[0].exe}",)
    sources = _sources(parts["metrics"])
    read = [s for s in sources if _SSH_LOG.fullmatch(s)]
    if not any(re.match(r"sshd-logs\.ya?ml", p) for p in parts["parsers"].split("\n")) or not read:
        return Crowd((), 0, "unread", (*lines, *sources))
    lines = (*lines, *read)
    scenarios, simulated = list(_scenarios(parts["scenarios"])), _simulated(parts["simulation"])
    held = [s for s in scenarios if s[0] not in simulated] if "*" not in simulated else []
    if not held:
        return Crowd((), 0, "simulated" if scenarios else "no_scenario", lines)
    lines = (*lines, *(f"{n}: {a} failures, empty within {r} s" for n, a, r in held))
    each = tuple((attempts, remembers) for _, attempts, remembers in held)
    blocks = _ban(parts["profiles"])
    if not blocks:
        return Crowd(each, 0, "no_ban", lines)
    applied = any(p.exe is not None and p.exe.endswith(_BOUNCER) for p in known)
    applied = applied and _fetches(parts["bouncers"], capture.collected_at)
    if applied:
        _applies(parts["applied"])
    return Crowd(each, blocks, "" if applied else "no_bouncer", lines)


def _parts(text: str) -> dict[str, str]:
    names = ("metrics", "bouncers", "parsers", "simulation", "profiles", "scenarios", "applied")
    pieces = re.split(r"^== (\w+)\n", text, flags=re.MULTILINE)
    parts = dict(zip(pieces[1::2], pieces[2::2], strict=False))
    if tuple(parts) != names or pieces[0].strip():
        raise NotUnderstood(_READ, msg("crowdsec_runs_tool_cscli"))
    return parts


def _sources(text: str) -> list[str]:
    """The sources of which lines were read: one object per table (1.4), or all in one (1.5)."""
    decoder, at, found = json.JSONDecoder(), 0, list[str]()
    tables: list[Any] = []
    text = text.strip()
    while at < len(text):
        try:
            table, at = decoder.raw_decode(text, at)
        except ValueError:
            raise NotUnderstood(_READ, msg("cscli_metrics", table=text[at : at + 80])) from None
        at += len(text[at:]) - len(text[at:].lstrip())
        tables += table.values() if isinstance(table, dict) and "acquisition" in table else [table]
    if not tables:
        raise NotUnderstood(_READ, msg("cscli_metrics_told_nothing"))
    for table in tables:
        if not isinstance(table, dict):
            raise NotUnderstood(_READ, msg("cscli_metrics", table=str(table)[:80]))
        for name, counts in table.items():
            if isinstance(counts, dict) and isinstance(counts.get("reads"), int | float):
                found.append(str(name))
    return found


def _documents(text: str, what: str) -> list[dict[str, Any]]:
    try:
        read = load_documents(text, where=what, aliases=True)
    except BadInput:
        raise NotUnderstood(_READ, msg("at", where=what, what=msg("no_yaml"))) from None
    documents = [d for d in read if d is not None]
    if not all(isinstance(d, dict) for d in documents):
        raise NotUnderstood(_READ, msg("not_mapping", what=what))
    return documents


def _scenarios(text: str) -> Iterator[tuple[str, int, int]]:
    """Name, failures until a ban, and the seconds over which they add up.

    A bucket overflows with the event after `capacity`, and loses one each `leakspeed`.
    """
    for found in _documents(text, "scenarios"):
        labels = found.get("labels")
        remedied = isinstance(labels, dict) and labels.get("remediation") in (True, "true")
        if not remedied or "distinct" in found or found.get("groupby") != "evt.Meta.source_ip":
            continue
        if not _FILTER.fullmatch(str(found.get("filter")).strip()):
            continue
        name, capacity = str(found.get("name")), found.get("capacity")
        if found.get("type") == "trigger":
            yield name, 1, 86_400
        elif found.get("type") == "leaky" and isinstance(capacity, int) and capacity >= 0:
            yield name, capacity + 1, int(capacity * _span(found.get("leakspeed")))


def _span(value: object) -> float:
    """Seconds of a duration as Go writes it: `1h30m`, `10s`."""
    try:
        return go_duration(value if isinstance(value, str) else "")
    except ValueError:
        raise NotUnderstood(_READ, msg("no_duration", value=value)) from None


def _simulated(text: str) -> set[str]:
    """Names of what is only simulated; `*` is everything."""
    found = _documents(text, "simulation.yaml")
    settings = found[0] if found else {}
    names = settings.get("exclusions") or []
    if settings.get("simulation", False) in (False, "off"):
        return {str(n) for n in names}
    if names:
        raise NotUnderstood(_READ, msg("simulation_yaml_simulated_exclusions"))
    return {"*"}


def _ban(text: str) -> int:
    """Seconds of the ban of an address by the first profile that takes it; 0 where none bans."""
    for profile in _documents(text, "profiles.yaml"):
        filters = [str(f).replace(" ", "") for f in profile.get("filters") or []]
        if all("GetScope()" in f and '"Ip"' not in f for f in filters):
            continue
        if filters != ['Alert.Remediation==true&&Alert.GetScope()=="Ip"']:
            raise NotUnderstood(_READ, msg("profiles_yaml_filters", get=profile.get("name")))
        if profile.get("duration_expr"):
            raise NotUnderstood(_READ, msg("profiles_yaml_duration_expr", get=profile.get("name")))
        bans = [d for d in profile.get("decisions") or [] if d.get("type") == "ban"]
        return int(max((_span(d.get("duration", "4h")) for d in bans), default=0))
    return 0


def _fetches(text: str, now: datetime | None) -> bool:
    """Did a firewall bouncer ask for decisions just now?"""
    if now is None:
        raise CouldNotLook(_READ, msg("capture_no_time_collection"))
    try:
        listed = json.loads(re.sub(r",(\s*[}\]])", r"\1", text))
    except ValueError:
        raise NotUnderstood(_READ, msg("cscli_bouncers", text=text[:80])) from None
    if not isinstance(listed, list):
        raise NotUnderstood(_READ, msg("cscli_bouncers", text=text[:80]))
    for bouncer in listed:
        match = re.match(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\S*Z$", bouncer.get("last_pull") or "")
        firewall = str(bouncer.get("type")) == "crowdsec-firewall-bouncer"
        if firewall and match and not bouncer.get("revoked"):
            pulled = datetime.fromisoformat(match[1]).replace(tzinfo=UTC)
            if abs(now - pulled) <= _FRESH:
                return True
    return False


def _applies(text: str) -> None:
    """Raises NotUnderstood unless the bouncer makes rules of its own that drop."""
    for line in text.splitlines():
        name, _, value = line.partition(":")
        word = (name.strip(), value.split("#")[0].strip().strip("\"'").lower())
        odd = word[0] == "mode" and word[1] not in ("nftables", "iptables", "${backend}")
        odd = odd or (word[0] == "set-only" and word[1] != "false")
        odd = odd or (word[0] == "deny_action" and word[1] not in ("drop", "reject"))
        if odd:
            raise NotUnderstood(_READ, msg("firewall_bouncer_s_settings", line=line.strip()))
