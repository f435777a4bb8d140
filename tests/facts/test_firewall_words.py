"""Firewall rules: what people write into them stays on the host, what decides is understood."""

from __future__ import annotations

import json
import shutil
import subprocess

import pytest

from collector.facts.firewall.boot_ruleset import READS
from collector.facts.firewall.nftables import ruleset as nftables
from collector.facts.firewall.redaction import REMARKS
from collector.facts.firewall.rules.packet import Numeric, Word
from tests.planted import MARK as M

_SEDS = [["sed"], ["sed", "--posix"], *([["busybox", "sed"]] if shutil.which("busybox") else [])]
_RULES = f"""\
define WAN = eth0
define LAN = {{ "br-lan0", enp3s0f1.100, wlan* }}
define PW = {{ 10.0.0.1, {M}1 }}
define P = {{ ssh, 80, 443-445 }}
define ADM = {{
  10.0.0.0/8, 192.0.2.1-192.0.2.9, # {M}2
  10.1.0.1,
}}
table inet f {{
  chain input {{ type filter hook input priority 0; policy drop;
    iifname $WAN tcp dport $P ip saddr $ADM accept comment "{M}3"
    iifname $LAN accept
    ip saddr $PW accept
    iifname "lo" log prefix "{M}4 x" accept
  }}
}}
"""


def _cut(sed: list[str], program: str, text: str) -> str:
    env = {"LC_ALL": "C", "PATH": "/usr/bin:/bin"}
    ran = subprocess.run(
        [*sed, "-e", program], input=text, capture_output=True, text=True, check=True, env=env
    )
    return ran.stdout


@pytest.mark.parametrize("sed", _SEDS, ids=" ".join)
def test_a_file_of_rules_still_says_what_it_lets_through(sed: list[str]) -> None:
    said = _cut(sed, READS[0].redact, _RULES)
    assert M not in said
    (table,) = nftables.written(said, "firewall.saved", lambda _: [])
    first, second, third, last = table.chains["inet f input"]
    assert first.steps[0] == Word("iif", frozenset({"eth0"}), negate=False)
    ports = [s.values.ranges for s in first.steps if isinstance(s, Numeric) and s.field == "dport"]
    assert ports == [((22, 22), (80, 80), (443, 445))]
    assert '"***"' not in first.text
    assert second.steps[0] == Word(
        "iif", frozenset({"br-lan0", "enp3s0f1.100", "wlan*"}), negate=False
    )
    # what was masked is not known, and so never "closed" or "open"
    assert type(third.steps[0]).__name__ == "Unknown"
    assert last.steps[0] == Word("iif", frozenset({"lo"}), negate=False)


@pytest.mark.parametrize("sed", _SEDS, ids=" ".join)
def test_what_the_kernel_lists_says_no_word_of_people(sed: list[str]) -> None:
    rule = {
        "family": "inet", "table": "f", "chain": "c", "handle": 1, "comment": f'{M} "a" {M}',
        "expr": [{"log": {"prefix": f'{M} "b', "level": "info"}}, {"accept": None}],
    }  # fmt: skip
    said = json.loads(_cut(sed, REMARKS, json.dumps({"nftables": [{"rule": rule}]}) + "\n"))
    told = said["nftables"][0]["rule"]
    assert (told["comment"], told["expr"][0]["log"]) == ("***", {"prefix": "***", "level": "info"})
    saved = (
        f'-A INPUT -m string --string "{M} \\" {M}" --algo bm --to 65535 -j DROP\n'
        f"-A INPUT -m string ! --hex-string '|{M}|' --algo bm -j DROP\n"
        f'-A INPUT -m comment --comment {M} -j LOG --log-prefix "{M}: "\n'
    )
    assert _cut(sed, REMARKS, saved) == (
        '-A INPUT -m string --string "***" --algo bm --to 65535 -j DROP\n'
        "-A INPUT -m string ! --hex-string '***' --algo bm -j DROP\n"
        '-A INPUT -m comment --comment *** -j LOG --log-prefix "***"\n'
    )
