"""Values that stand on more lines than one are masked, by the host's own sed; what is read stays."""

from __future__ import annotations

import subprocess

import pytest

from collector.facts.base.redaction import MASK
from collector.facts.logs.forwarding.connections import READS
from collector.facts.logs.forwarding.shown_settings import redaction
from collector.facts.logs.syslog.redaction import BOTH, RSYSLOG
from tests.facts.test_masking import SEDS

# lists, strings and settings that go on below (rsyslog 8)
_RSYSLOG = """\
module(load="omhttp"
  httpheaders=[
    "X-Api: geheim", # geheim
    # geheim
    "X-Other: a]geheim"
  ])
action(type="omhttp" server="h.example" httpheaders=["Content-Type: application/json",
                 "X-License: geheim",
                 "X-Auth: geheim"]
    httpheadervalue="Splunk
 geheim"
    pwd=
      "geheim"
    apikey =
      'geheim')
action(type="omkafka" topic="t" broker=["k1.example:9092",
    "k2.example:9092"] confParam=["sasl.username=geheim",
    "sasl.password=geheim"])
set $.k = '{"api":"' & "geheim" & '"}';
*.* @@user:geheim@old.example:514
*.* @@new.example:514
auth.* /var/log/auth.log
"""
_AGENTS = """\
clients:
  - url: https://loki.example/
    basic_auth:
      password: |
        geheim
      password: "geheim
        geheim"
      password: "geheim\\
        geheim"
      bearer_token: [
        geheim ]
      basic_auth: {username: u, password:
        geheim}
auth.password = \"\"\"
geheim\"\"\"
auth.password = '''geheim
geheim'''
password "geheim
geheim"
local.file "t" { content = `geheim
geheim` }
output.elasticsearch:
  hosts: ["es.example:9200"]
"""


def _sed(sed: list[str], program: str, text: str) -> str:
    done = subprocess.run([*sed, program], input=text, capture_output=True, text=True, check=True)
    return done.stdout


@pytest.mark.parametrize("sed", SEDS, ids=lambda s: s[0])
def test_of_rsyslog(sed: list[str]) -> None:
    alone = _sed(sed, RSYSLOG, _RSYSLOG)
    marked = "".join(f"|{line}\n" for line in _RSYSLOG.splitlines())
    both = _sed(
        sed, BOTH, f"== file /etc/rsyslog.conf\n{marked}== file /x\n|cron.* /var/log/cron\n"
    )
    for shown in (alone, both):
        assert "geheim" not in shown
        assert all(f"k{n}.example:9092" in shown for n in (1, 2))
        assert 'server="h.example"' in shown
        assert "*.* @@new.example:514" in shown
        assert "auth.* /var/log/auth.log" in shown
    assert "== file /x\n|cron.* /var/log/cron" in both


@pytest.mark.parametrize("sed", SEDS, ids=lambda s: s[0])
def test_what_never_ends_takes_no_other_file_along(sed: list[str]) -> None:
    text = '== file /a\n|action(type="omfwd" target="geheim\n== file /b\n|cron.* /var/log/cron\n'
    shown = _sed(sed, BOTH, text)
    assert "\n== file /b\n|cron.* /var/log/cron\n" in shown


@pytest.mark.parametrize("sed", SEDS, ids=lambda s: s[0])
def test_of_log_agents(sed: list[str]) -> None:
    text = "".join(f"|{line}\n" for line in _AGENTS.splitlines())
    shown = _sed(sed, redaction(), f"== file /etc/promtail/a.yml\n{text}")
    assert "geheim" not in shown
    assert "es.example:9200" in shown
    assert "https://loki.example/" in shown


@pytest.mark.parametrize("sed", SEDS, ids=lambda s: s[0])
@pytest.mark.parametrize("head", ["password: >-", "api_key: |", "  - token: |2-", "secret: # old"])
def test_a_block_with_the_ends_of_lines_of_windows(sed: list[str], head: str) -> None:
    assert "geheim" not in _sed(sed, MASK, f"{head}\r\n    geheim\r\n")


def test_the_read_of_log_agents_takes_those_ends_away() -> None:
    (read,) = [r for r in READS if r.id == "log_shipping.state"]
    program = read.body.split("a='", 1)[1].split("'\n", 1)[0]
    done = subprocess.run(
        ["awk", program], input="a: |\r\n  b\r\n# c\r\n\r\n", capture_output=True, text=True,
        check=True, env={"HP_NAME": "/x", "PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    assert done.stdout == "== file /x\n|a: |\n|  b\n"
