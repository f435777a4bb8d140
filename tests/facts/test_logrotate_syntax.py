"""Configurations drawn by chance, broken ones too, against what `logrotate -d` says of them.

HOSTPLEDGE_LOGROTATE=/path/to/logrotate asks another version, HOSTPLEDGE_ROTATIONS draws more. What
the versions of CentOS 7 (3.8.6), EL 8 (3.14.0), EL 9 (3.18.0) and Debian 12 (3.21.0) said, built from
the project's own tags, is written down below for the configurations on which they differ.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from collector.facts.logs.logrotate.config import Logrotate
from collector.facts.logs.logrotate.directives import Rotation, Version
from collector.facts.logs.logrotate.parser import Reader
from collector.model import CapturedFile, ReadStatus
from tests.facts.rotation_truth import version_of

_LOGS = ("a.log", "b.log", "c.log", "d.log", "app-1.log")
_SCRIPT = "postrotate\n true\n }\n endscript"
_GOOD = [
    *("daily", "weekly", "monthly", "yearly", "hourly", "weekly 3", "rotate 5", "rotate 3"),
    *("rotate 0", "rotate=9", "rotate 010", "rotate -1", "maxage 30", "size 5k", "size +2M"),
    *("minsize 1k", "maxsize 3M", "missingok", "compress delaycompress", "notifempty", "dateext"),
    *("create 0640 root root", "su root root", "dateformat -%Y", "sharedscripts", "nomail", ""),
    *("ignoreduplicates", "# a remark", "minage 1", "olddir LOGS", _SCRIPT),
]
_BAD = [
    *("rotate many", "rotate 7 # x", "size 10T", "weekly x", "daily # c", "foo bar", "foo"),
    *("rotate", "maxage", "rotate5", "5 apples", "size", "create 0640 a b c", "su root", "%%%"),
    *("LOGS/b.log", "tabooext .x", "postrotate", "  }", "}", "dailyx", "rotate -2", "maxage -1"),
    *("mail", "olddir", "monthly 3", "missingok }", "endscript", "rotate 4 }", "minage x", "{"),
    *("compresscmd", "dateformat", "include", "errors foo@bar"),
]
_NAMES = ("LOGS/a.log", "LOGS/b.log", "LOGS/c.log", "LOGS/*.log", "LOGS/app-*.log", '"LOGS/d.log"')


def _line(draw: random.Random) -> str:
    return draw.choice(_BAD if draw.random() < 0.12 else _GOOD)


def _file(draw: random.Random, sections: int) -> str:
    lines = [_line(draw) for _ in range(draw.randint(0, 3))]
    for _ in range(sections):
        names = draw.sample(_NAMES, draw.choice((1, 1, 1, 2)))
        brace = draw.choice((" {", " {", " {", "{", "\n{", " { daily", "{ # c"))
        lines.append(draw.choice((" ", "\n")).join(names) + brace)
        for _ in range(draw.randint(0, 5)):
            lines.append(draw.choice((" ", "\t", "")) + _line(draw))
        if draw.random() > 0.04:
            lines.append(draw.choice(["}"] * 9 + [" }", "} x"]))
    return "\n".join(lines) + ("\n" if draw.random() > 0.05 else "")


def _drawn(seed: int) -> dict[str, str]:
    draw = random.Random(seed)
    if draw.random() < 0.5:
        return {"conf": _file(draw, draw.randint(1, 3))}
    tree = {"conf": f"{_file(draw, 0)}\ninclude D\n{_file(draw, 1)}"}
    for name in draw.sample(["a", "b", "c.rpmsave", "d~", "e.old", "f.bak"], draw.randint(1, 3)):
        tree[name] = _file(draw, 1)
    return tree


def _laid(tree: dict[str, str], folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "logs").mkdir(parents=True)
    (folder / "D").mkdir()
    for log in _LOGS:
        (folder / "logs" / log).write_text("x\n")
    for name, text in tree.items():
        path = folder / "logrotate.conf" if name == "conf" else folder / "D" / name
        text = text.replace("LOGS", str(folder / "logs"))
        path.write_text(text.replace("include D", f"include {folder}/D"))
        path.chmod(0o644)


def _ours(folder: Path, version: Version) -> dict[str, tuple[str, int]]:
    logs = [str(path) for path in (folder / "logs").iterdir()]
    found = {}
    for path in (folder / "logrotate.conf", *(folder / "D").iterdir()):
        name = str(path).replace(str(folder), "/etc").replace("/D/", "/logrotate.d/")
        data = path.read_text().replace(f"{folder}/D", "/etc/logrotate.d").encode()
        found[name] = CapturedFile(name, ReadStatus.OK, 0o644, 0, 0, data=data)
    reader = Reader(found, version, logs)
    reader.config("/etc/logrotate.conf", Rotation(version=version))
    known = Logrotate(True, tuple(reader.rotations), tuple(reader.problems))
    return {
        log.rsplit("/", 1)[1]: (owner.interval, owner.count)
        for log, owner in known.owners(logs).items()
        if isinstance(owner, Rotation)
    }


_RULE = re.compile(
    r" (hourly|weekly|monthly|yearly|after 1 days|\d+ bytes) (?=\(|olddir|empty|No logs)"
)


def _theirs(folder: Path, program: str) -> dict[str, tuple[str, int]]:
    ran = subprocess.run(
        [program, "-d", "-s", folder / "state", folder / "logrotate.conf"],
        capture_output=True,
        text=True,
        check=False,
    )
    found: dict[str, tuple[str, int]] = {}
    for block in (ran.stdout + ran.stderr).split("rotating pattern: ")[1:]:
        rule = " ".join(block.partition("considering log ")[0].split())
        every = _RULE.search(rule)
        if every is None:
            continue
        interval = "size" if "bytes" in every[1] else every[1].replace("after 1 days", "daily")
        count = re.search(r"\((\d+) rotations\)", rule)
        number = int(count[1]) if count else (0 if "no old logs" in rule else -1)
        for log in re.findall(r"(?m)^considering log .*/(.*)$", block):
            found[log] = (interval, number)
    return found


def test_never_said_what_logrotate_does_not_say(tmp_path: Path) -> None:
    """What a log is said to be kept by is what logrotate keeps it by, for all that were drawn."""
    program = os.environ.get("HOSTPLEDGE_LOGROTATE") or shutil.which(
        "logrotate", path="/usr/sbin:/usr/bin:/sbin"
    )
    if program is None:
        pytest.skip("the real logrotate is not here: apt-get install logrotate")
    if os.getuid() != 0:
        pytest.skip("logrotate's own checks of owners need root")
    version, same, held = version_of(program), 0, 0
    count = int(os.environ.get("HOSTPLEDGE_ROTATIONS", "400"))
    for seed in range(count):
        tree = _drawn(seed)
        _laid(tree, tmp_path / "etc")
        said, ours = _theirs(tmp_path / "etc", program), _ours(tmp_path / "etc", version)
        false = {log: rule for log, rule in ours.items() if said.get(log) != rule}
        # names of logs over lines that hold words too: -d itself cannot be read there
        assert not false or {"include", "rotate"} & set(said), (seed, false, said, tree)
        same += ours == said
        held += len(ours)
    # the rest are left open: an error after which logrotate goes on with half a section
    assert same > 0.85 * count
    assert held > count


_HALF = "LOGS/a.log {\n daily\n rotate 5\n}\nLOGS/b.log {\n weekly\n"
_VERSIONS: dict[str, Version] = {
    "3.8.6": (3, 8, 6),
    "3.14.0": (3, 14, 0),
    "3.18.0": (3, 18, 0),
    "3.21.0": (3, 21, 0),
    "3.22.0": (3, 22, 0),
}
_DAILY, _WEEKLY = ("daily", 5), ("weekly", 0)
_SIZE = ("size", 0)
# the text, and what each version says of a.log and b.log: None where it has no section for it
_SAID: dict[str, dict[str, tuple[tuple[str, int] | None, tuple[str, int] | None]]] = {
    f"{_HALF} postrotate\n true\n}}\n": {
        "3.8.6": (None, None), "3.14.0": (_DAILY, _WEEKLY), "3.18.0": (_DAILY, _WEEKLY),
        "3.21.0": (_DAILY, None), "3.22.0": (_DAILY, None),
    },
    f"{_HALF} rotate\n}}\n": {
        "3.8.6": (_DAILY, _WEEKLY), "3.14.0": (_DAILY, _WEEKLY), "3.18.0": (_DAILY, _WEEKLY),
        "3.21.0": (_DAILY, _WEEKLY), "3.22.0": (_DAILY, _WEEKLY),
    },
    "LOGS/a.log {\n daily\n rotate -1\n}\nLOGS/b.log {\n weekly\n}\n": {
        "3.8.6": (None, _WEEKLY), "3.14.0": (None, _WEEKLY), "3.18.0": (("daily", -1), _WEEKLY),
        "3.21.0": (("daily", -1), _WEEKLY), "3.22.0": (("daily", -1), _WEEKLY),
    },
    "LOGS/a.log {\n rotate5\n daily\n}\nLOGS/b.log {\n weekly\n}\n": {
        "3.8.6": (_DAILY, _WEEKLY), "3.14.0": (_DAILY, _WEEKLY), "3.18.0": (_DAILY, _WEEKLY),
        "3.21.0": (None, _WEEKLY), "3.22.0": (None, _WEEKLY),
    },
    "LOGS/a.log {\n daily\n rotate 5\n}\nLOGS/a.log {\n}\nLOGS/b.log {\n weekly\n}\n": {
        "3.8.6": (_DAILY, None), "3.14.0": (_DAILY, _WEEKLY), "3.18.0": (_DAILY, _WEEKLY),
        "3.21.0": (_DAILY, _WEEKLY), "3.22.0": (_DAILY, _WEEKLY),
    },
    "LOGS/a.log {\n ignoreduplicates\n}\nLOGS/*.log {\n weekly\n}\n": {
        "3.8.6": (_SIZE, None), "3.14.0": (_SIZE, None), "3.18.0": (_SIZE, None),
        "3.21.0": (_SIZE, _WEEKLY), "3.22.0": (_SIZE, _WEEKLY),
    },
}  # fmt: skip


@pytest.mark.parametrize("version", _VERSIONS)
@pytest.mark.parametrize("text", _SAID)
def test_versions_differ(text: str, version: str, tmp_path: Path) -> None:
    """A section of which it goes on with half is no section for us: it is left open."""
    _laid({"conf": text}, tmp_path / "etc")
    ours = _ours(tmp_path / "etc", _VERSIONS[version])
    said = dict(zip(("a.log", "b.log"), _SAID[text][version], strict=True))
    known = os.environ.get("HOSTPLEDGE_LOGROTATE")
    if known and version_of(known) == _VERSIONS[version]:
        real = _theirs(tmp_path / "etc", known)
        assert {log: real.get(log) for log in said} == said
    for log, rule in said.items():
        assert ours.get(log) in (rule, None)
    assert ours or version == "3.8.6"
