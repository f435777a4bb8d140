"""A list that a read cuts says that there was more, and the fact takes that for no answer."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from collector import catalog
from collector.errors import CouldNotLook
from collector.facts.backup.artefacts.files import artefacts
from collector.facts.backup.commands.listed_files import listed
from collector.facts.base.opened import OPENED
from collector.facts.data.inventory_paths import links_in
from collector.facts.firewall.undone import undone_of
from collector.facts.logs.forwarding.connections import log_links
from collector.facts.logs.syslog.daemons import syslog_running
from collector.facts.logs.syslog.losses import drops
from collector.facts.scheduling.jobs import called
from collector.facts.security.detector_state import sections
from collector.facts.tls.probe import tls_served
from collector.model import Capture, HostStatus, ReadResult, ReadStatus
from tests.mallory import Host, can_be_made
from tests.test_script import SHELLS

_HERE = Path(__file__).parent.parent / "collector"
# One line, one value: nothing is cut that anybody would have looked at.
_CUT = re.compile(
    r"head -n (?!1\b(?!\d))\S+|(?<!F)NR >=? ?\d+|FNR [<>]=? ?\d+|\b\d+q;|hp_(?:names|finds) ['\"$]"
)
_SAMPLE = "a sample of it is looked at, and the verdict says so"
_ONE = "one is enough for the worse verdict, and what is not shown makes none better"
_COUNTED = "one more than is taken is asked for, and the fact counts"
_FIXED = "what it prints is short by its nature"
# Why these say nothing of what they leave out. Whoever adds one says why, or marks it.
LISTED = {
    "odd_names.sh": {"head -n 20'": "any of them makes the read one that left something out"},
    "opened.sh": {"head -n 20 |": "of one process: no more words of one form are asked for"},
    "script.sh": {"64q;": "the first addresses of the host: those of containers come behind them"},
    "facts/access/fail2ban.py": {"head -n 3;": _FIXED},
    "facts/backup/artefacts/checks.py": {"hp_names '": "a log that is not read proves no check"},
    "facts/backup/artefacts/files_read.py": {
        "head -n 100": "without its attribute a file counts as one that can be deleted",
        "head -n 200'": "of each folder the newest; backup.versions says where there are as many",
    },
    "facts/backup/commands/named_files_read.py": {"FNR > 4000": _SAMPLE},
    "facts/backup/postgresql/wal_read.py": {
        "head -n 2 ": "the fields of a lock file",
        "head -n 60)": "the line above it says `more`",
    },
    "facts/data/data_stores.py": {"head -n {_MOST": _COUNTED},
    "facts/data/database_access_read.py": {
        "head -n 5 ": "the fields of a lock file",
        "head -n {MOST": _COUNTED,
        "head -n {ACCOUNTS": _COUNTED,
        "head -n {RULES": _COUNTED,
    },
    "facts/data/exposed_files.py": {"head -n {FOLDERS}": "it says `more folders` ahead of it"},
    "facts/firewall/undone.py": {"head -n 8": _ONE},
    "facts/logs/forwarding/connections.py": {
        "FNR < 3000": "the line above it says `more`",
        "head -n 400": "a connection that is not shown sends nothing",
    },
    "facts/logs/permissions.py": {"head -n {MOST": _COUNTED},
    "facts/logs/records/samples.py": {"head -n 8)": _SAMPLE, "head -n 40)": _SAMPLE,
                                      "head -n {MOST": _SAMPLE},
    "facts/logs/syslog/daemons.py": {
        "head -n 200": _ONE,
        "hp_finds '": "its list is asked with hp_cut_off",
    },
    "facts/logs/syslog/losses.py": {"hp_finds '": "what is no path says `more`"},
    "facts/monitoring/agents.py": {
        "head -n 200": "a connection that is not shown sends nothing",
        "head -n 4000": "blocks that are not shown make what is kept no longer",
    },
    "facts/security/clamav.py": {
        "hp_names '": "a log that is not read proves no scan",
        "head -n 16)": "a log that is not read proves no scan",
        "head -n 20;": _FIXED,
    },
    "facts/security/detector_state.py": {
        'hp_finds "': "each is a setting of which a program takes one, or few",
        "head -n 6 ": "the head of a database",
        "head -n 40": _ONE,
        "head -n 100": "a connection that is not shown reaches no console",
    },
    "facts/storage/swap_and_core_dumps.py": {"head -n 9": "names for the message alone"},
    "facts/system/lsm.py": {"head -n 20": _FIXED},
    "facts/tls/databases.sh": {"head -n 17);": _COUNTED},
    "facts/tls/sites.sh": {
        "head -n 400)": "twelve are asked, and what is left is counted",
        "head -n 40)": "twelve are asked, and what is left is counted",
    },
}  # fmt: skip


def _cut() -> dict[str, Counter[str]]:
    files = [p for end in ("py", "sh") for p in (_HERE / "facts").rglob(f"*.{end}")]
    found: dict[str, Counter[str]] = {}
    for path in [*files, *_HERE.glob("*.sh")]:
        name = str(path.relative_to(_HERE))
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.lstrip().startswith(("#", "hp_names()", "hp_finds()", '"""', ">>>")):
                continue
            for match in _CUT.finditer(line):
                if 'print "more' not in line and "NR > n" not in line:
                    found.setdefault(name, Counter())[line[match.start() :]] += 1
    return found


def test_what_is_cut_is_marked_or_says_why_not() -> None:
    bare = []
    for name, lines in _cut().items():
        text = (_HERE / name).read_text(encoding="utf-8")
        for line in lines:
            # what hp_names hands over is asked with hp_cut_off, or its mark taken out of the pipe
            asked = "hp_m" in text or "hp_cut_off" in text
            if line.startswith(("hp_names", "hp_finds")) and asked:
                continue
            if not any(line.startswith(known) for known in LISTED.get(name, {})):
                bare.append(f"{name}: {line}")
    assert bare == []


def test_no_reason_is_there_for_what_is_gone() -> None:
    cut = _cut()
    stale = [
        f"{name}: {start}"
        for name, reasons in LISTED.items()
        for start in reasons
        if not any(x.startswith(start) for x in cut.get(name, ()))
    ]
    assert stale == []


def _capture(read: str, text: str) -> Capture:
    result = ReadResult(read, ReadStatus.OK, stdout=text.encode())
    return Capture(host="h", status=HostStatus.COMPLETE, reads={read: result})


@pytest.mark.parametrize(
    ("fact", "read", "whole", "cut"),
    [
        (called, "schedules.called", "", "more\n"),
        (listed, "backup.lists", "end\n", "more called\nend\n"),
        (listed, "backup.lists", "end\n", "more options\nend\n"),
        (artefacts, "backup.artefacts", "", "more\n"),
        (syslog_running, "syslog.running", "== end\n", "== more\n== end\n"),
        (sections, "detectors.state", "== end\n", "== aide-rules - /a\n== more\n== end\n"),
        (log_links, "log_shipping.state", "== end\n", "== more\n== end\n"),
        (tls_served, "tls_served.answers", "== end\n", "== more\n== end\n"),
        (drops, "drops.syslog", None, "more\n"),
        (lambda c: links_in(c, "/srv"), "inventory.places", None, "more\t-\t*\t*\n"),
        (
            lambda c: undone_of(c.read("firewall.undone").text(), lambda _: True),
            "firewall.undone", "== end\n", "more\n== end\n",
        ),
    ],
)  # fmt: skip
def test_a_cut_list_is_no_answer(
    fact: Callable[[Capture], Any], read: str, whole: str | None, cut: str
) -> None:
    if whole is not None:
        fact(_capture(read, whole))
    with pytest.raises(CouldNotLook):
        fact(_capture(read, cut))


_NAMES = OPENED + (
    """IFS=$hp_nl; n=$(hp_names '/[a-z0-9/]*' "$FILE"); set -- $n
hp_cut_off "$n" && echo more; echo $#
"""
)


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize(("lines", "told"), [(2000, "2000"), (2001, "more\n2001")])
def test_names_that_were_left_out_are_said(
    shell: str, lines: int, told: str, tmp_path: Path
) -> None:
    file = tmp_path / "tab"
    file.write_text("".join(f"/opt/job{n}\n" for n in range(lines)))
    if shutil.which(SHELLS[shell][0]) is None:
        pytest.skip(f"no {shell} here")
    done = subprocess.run(
        [*SHELLS[shell], "-c", _NAMES],
        env={**os.environ, "FILE": str(file)}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    # that the whole read says so too goes a way of its own
    said = [one for one in done.stdout.split("\n") if not one.startswith("names left out: ")]
    assert "\n".join(said).strip() == told


@pytest.mark.skipif(not can_be_made(), reason="needs root, unshare, setpriv, setsid")
def test_a_script_behind_thousands_of_names_is_not_missed_in_silence(tmp_path: Path) -> None:
    host = Host(tmp_path / "host")
    host.write("/etc/cron.d/clean", "0 2 * * * root /opt/zz/clean.sh\n")
    host.write("/opt/zz/clean.sh", "#!/bin/sh\nrm -rf /var/log/syslog*\n", mode=0o755)
    body = catalog.all_reads()["schedules.called"].body
    assert "script x all /opt/zz/clean.sh\n" in host.ran("dash", "-c", body).decode()
    many = "".join(f"0 2 * * * root /opt/app/job{n}\n" for n in range(331))
    host.write("/etc/cron.d/many", many)
    text = host.ran("dash", "-c", body).decode()
    assert "script x all /opt/zz/clean.sh\n" in text
    assert "\nmore\n" not in text
    host.write("/etc/cron.d/many", "".join(many.replace("job", word) for word in "abcdefg"))
    assert "more\n" in host.ran("dash", "-c", body).decode().splitlines(keepends=True)
