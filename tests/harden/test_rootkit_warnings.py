"""Which warnings of chkrootkit are explained, in the words of those of Debian 12 and 13."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROLE = Path(__file__).parents[2] / "roles" / "intrusion"
SCRIPT = ROLE / "files" / "rootkit_warnings.sh"
VARIABLES, LOOK = ROLE / "vars" / "main.yml", ROLE / "tasks" / "rootkit_look.yml"
END = "Checking `chkutmp'...                                           not found\n"
FILES = """\
Searching for suspicious files and dirs...                  WARNING

WARNING: The following suspicious files and directories were found:
{}
Searching for LPD Worm...                                   not found
"""
OVERLAY = """\
Searching for for hidden directories using chkdirs...       WARNING

WARNING: chkdirs: Possible LKM Trojan installed (or chkdirs failed):
chkdirs: WARNING: Skipping unsupported filesystem (overlayfs): /usr/bin/

"""
SNIFFER = """\
Checking `sniffer'...                                       WARNING

WARNING: Output from ifpromisc:
lo: not promisc and no packet sniffer sockets
{}

"""


@pytest.fixture
def sorted_lines(tmp_path: Path) -> Callable[[str], list[str]]:
    """dpkg vouches for what lies below `good`, knows `changed` and says that it differs."""
    for name in ("good", "changed", "alien"):
        (tmp_path / name).write_text("")
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "dpkg-query").write_text(
        '#!/bin/sh\ncase "$2" in */alien) exit 1;; *) echo "pack: $2";; esac\n'
    )
    (tools / "dpkg").write_text(f"#!/bin/sh\necho '??5??????   {tmp_path}/changed'\n")
    for tool in tools.iterdir():
        tool.chmod(0o755)

    def sort(log: str) -> list[str]:
        (tmp_path / "log").write_text(log)
        done = subprocess.run(
            ["/bin/sh", SCRIPT, tmp_path / "log", tmp_path],
            env={"PATH": f"{tools}:{os.environ['PATH']}", "LC_ALL": "C"},
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        return done.stdout.replace(str(tmp_path), "").splitlines()

    return sort


@pytest.mark.parametrize(
    ("log", "told"),
    [
        (END, []),
        ("", ["left /log does not come to its end"]),
        (OVERLAY + END, ["expect"]),
        (OVERLAY.replace("chkdirs: WARNING: Sk", "3 4 /usr/x\nchkdirs: WARNING: Sk") + END,
         ["left 3 4 /usr/x", "expect"]),
        (SNIFFER.format("eth0: not promisc and no packet sniffer sockets") + END,
         ["expect", "expect"]),
        (SNIFFER.format("eth0: PACKET SNIFFER(/tmp/x[12])") + END,
         ["expect", "left eth0: PACKET SNIFFER(/tmp/x[12])"]),
        ("Checking `z2'...  WARNING\n" + END, ["left Checking `z2'...  WARNING"]),
        ("Checking `ls'...     INFECTED\n" + END, ["left Checking `ls'...     INFECTED"]),
    ],
)  # fmt: skip
def test_what_is_left(sorted_lines: Callable[[str], list[str]], log: str, told: list[str]) -> None:
    assert sorted_lines(log) == told


def test_a_file_is_excluded_only_where_its_package_vouches_for_it(
    sorted_lines: Callable[[str], list[str]], tmp_path: Path
) -> None:
    listed = f"{tmp_path}/good [From Debian package: pack]\n{tmp_path}/changed\n{tmp_path}/alien\n"
    told = sorted_lines(FILES.format(listed) + END)
    assert told == ["exclude /good", "left /changed", "left /alien"]


@pytest.mark.parametrize(
    "name",
    ["goo[d]", "g*", "go?d", "sub/../good", "./good", "link", "$(id)", "a;b", "good'", "good`id`"],
)
def test_what_a_user_names_is_no_pattern_and_no_command(
    sorted_lines: Callable[[str], list[str]], tmp_path: Path, name: str
) -> None:
    """chkrootkit prints names from /tmp as they are, line breaks and its own headings too."""
    (tmp_path / "link").symlink_to(tmp_path / "good")
    (tmp_path / "sub").mkdir()
    if "/" not in name:
        (tmp_path / name).touch()
    told = sorted_lines(FILES.format(f"{tmp_path}/{name}\n") + END)
    assert told
    assert all(line.startswith("left ") for line in told)


def test_what_lies_elsewhere_is_never_excluded(
    sorted_lines: Callable[[str], list[str]], tmp_path: Path
) -> None:
    told = sorted_lines(FILES.format("/usr/bin/env\n/etc/passwd\n") + END)
    assert told == ["left /usr/bin/env", "left /etc/passwd"]


def test_so_many_are_not_asked_for(
    sorted_lines: Callable[[str], list[str]], tmp_path: Path
) -> None:
    told = sorted_lines(FILES.format(f"{tmp_path}/good\n" * 60) + END)
    assert told.count("exclude /good") == 50
    assert told.count("left /good") == 10


def test_a_heading_within_a_line_is_none(
    sorted_lines: Callable[[str], list[str]], tmp_path: Path
) -> None:
    log = f"x suspicious files and directories were found: y\n{tmp_path}/good\n"
    assert not [one for one in sorted_lines(log + END) if one.startswith("exclude")]


@pytest.mark.parametrize("end", ["\r", "\v", "\f", "\x1c", "\x1e", "\x85", "\u2028"])
def test_no_other_end_of_a_line_makes_two_of_one(
    sorted_lines: Callable[[str], list[str]], end: str
) -> None:
    """Ansible's stdout_lines knows more of them than the shell."""
    told = sorted_lines(f"Warning{end}exclude $(id)\n" + END)
    assert len(told) == 1
    assert told[0].startswith("left Warning?")


def test_the_role_takes_what_is_a_path_and_nothing_else() -> None:
    words = (SCRIPT.parents[1] / "vars/main.yml").read_text(encoding="utf-8")
    (form,) = set(re.findall(r"select\('match', '(?:exclude )?(\[A-Za-z0-9_[^']*)'\)", words))
    assert re.match(form, "/usr/lib/jvm/.java-1.17.0+x~y.jinfo")
    for word in ("$(id)", "a b", "a'b", "a`id`", 'a"', "a;b", "a\\b", "a\nb"):
        assert not re.match(form, word)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_the_role_reads_its_lines_through_a_terminal_as_well(end: str) -> None:
    """Over ssh the script has a terminal, which ends lines its own way; what is within stays.

    As Ansible fills it in: what Jinja reads as an escape, it does not in a variable.
    """
    said = end.join(("exclude /usr/lib/a/.b", "expect", "left x\x0by \x85z", ""))
    words = ["ansible", "localhost", "-c", "local", "-m", "ansible.builtin.debug"]
    told = "intrusion_warned + ['|'] + intrusion_vouched"
    done = subprocess.run(
        [Path(sys.executable).with_name(words[0]), *words[1:], "-a", f"msg={{{{ {told} }}}}",
         "-e", f"@{VARIABLES}", "-e", json.dumps({"intrusion_warnings": {"stdout": said}})],
        env={**os.environ, "ANSIBLE_NOCOLOR": "1", "ANSIBLE_LOAD_CALLBACK_PLUGINS": "0"},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    lines = json.loads(done.stdout.partition("=>")[2])["msg"]
    assert lines == [
        *("exclude /usr/lib/a/.b", "expect", "left x\x0by \x85z", "|"),
        "/usr/lib/a/.b",
    ]
    assert "intrusion_warnings.stdout" not in LOOK.read_text()
