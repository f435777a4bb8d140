"""Which names of sites are asked for, and how many are known not to be."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

from collector.resources import package_text

pytestmark = pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")


def _named(*lines: str) -> tuple[list[str], int]:
    text = package_text("facts/tls/tls_ask.sh")
    found = re.search(r"(?ms)^names\(\) \{.*?^\}", text)
    assert found
    done = subprocess.run(
        ["bash", "-c", found[0] + '\nnames; printf "%s\\n" "$left" "${names[@]}"'],
        env={"PATH": "/usr/bin:/bin", "HP_SITES": "\n".join(lines)},
        capture_output=True,
        text=True,
        check=True,
    )
    left, *names = done.stdout.split("\n")[:-1]
    return [n for n in names if n], int(left)


@pytest.mark.parametrize(
    ("line", "names", "left"),
    [
        ("server_name a.example b.example;", ["a.example", "b.example"], 0),
        ("  ServerName www.example.com:443", ["www.example.com"], 0),
        ("ServerAlias alias.example.com", ["alias.example.com"], 0),
        ('ServerName "www.example.com"', ["www.example.com"], 0),
        ("server_name .example.com;", ["example.com"], 0),
        ("server_name www.example.*;", ["www.example.hostpledge"], 0),
        ("server_name *.example.com;", ["hostpledge.example.com"], 0),
        ("server_name _;", [], 0),
        ("server_name localhost;", [], 0),
        (r"server_name ~^old\d+\.example\.com$;", [], 1),
        (r'server_name "~^(?<x>\w{2})\.example\.com$" a.example;', ["a.example"], 1),
        ("ServerName ${SITE}", [], 1),
        ("server_name a.example", ["a.example"], 1),
        ("server_name", [], 1),
    ],
)
def test_names(line: str, names: list[str], left: int) -> None:
    assert _named(line) == (names, left)


def test_more_than_are_asked_for() -> None:
    names, left = _named(*(f"server_name s{n}.example;" for n in range(43)))
    assert (len(names), left) == (40, 3)


def test_lines_of_settings_are_found() -> None:
    text = package_text("facts/tls/sites.sh")
    found = re.search(r'HP_SITES=\$\(hp_names "(.*?)" "\$@"', text)
    assert found
    settings = (
        "server{server_name a.example; }\n log_format x '$server_name $host';\n"
        "server_name b.example\n  c.example;\n\tserver_name\n d.example;\nServerName e.example\n"
    )
    done = subprocess.run(
        ["grep", "-ao", "-e", found[1]], input=settings, capture_output=True, text=True, check=True
    )
    assert [x.strip() for x in done.stdout.splitlines()] == [
        "{server_name a.example;", "server_name b.example", "server_name", "ServerName e.example",
    ]  # fmt: skip
