"""A step may be typed twice: its way back still brings back what was there before the first time.

What a step keeps it keeps once, and the way back consumes it: what stayed behind would be brought
back at the next round, when it is no longer what the host had.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from collector.remedies.steps import Step, every, filled_steps

STEPS = [(id, at, step) for id in every() for at, step in enumerate(filled_steps(id))]
_NAMED = [f"{id}-{at}" for id, at, _ in STEPS]
_KEPT = r"/root/(?!\.ssh/)[\w.*-]+|/var/lib/aide/[\w.]+\.before[\w-]*"
_WRITES = re.compile(
    rf"(?:\bcp -\w+ \S+ |\binstall [^\n;]*?|\bmkdir -p |(?<!>)>|\btouch (?=\S+\.none\b))"
    rf"(?P<kept>{_KEPT})(?!\w)"
)
_NAMES = re.compile(_KEPT)
# the same change, made by more than one step, is taken back by the one that is put back last
SAME_CHANGE = {
    "/root/freshclam-once.before": {"antivirus.running", "antivirus.signatures"},
    "/root/nftables.before": {
        "firewall.default_deny",
        "firewall.admin_sources",
        "firewall.exposed_ports",
    },
}
# what the check alone looks at, of what cannot be taken back
NO_WAY_BACK = {"/root/log-size.*"}
# what stays: the key to backups that were made, and a job of another control as well
STAYS = {"/etc/backup-data/password", "/etc/cron.d/hostpledge-aide-check"}
_EDITS = re.compile(r"\bsed -i\b[^;|]*? (?P<file>/etc/[\w./*-]+)(?= |$|;)")
_WRITTEN = re.compile(r"(?<![\d>])>>?(?P<file>/(?:etc|usr)/[\w./*-]+)")


def plain(lines: tuple[str, ...]) -> list[str]:
    """Whole commands, with `*` in the place of each value, and of names as they were assigned."""
    text = "\n".join(lines)
    # what is written into a file is no command
    text = re.sub(r"(<<'?EOF'?[^\n]*)\n.*?\nEOF$", r"\1", text, flags=re.DOTALL | re.MULTILINE)
    text = re.sub(r"\\\n *", "", text).replace('"', "").replace("'", "")
    given = r"^ *(\w+)=(/[^\s()]*?)(?:\$\(.*\))?$|\bfor (\w+) in (/\S+);"
    for match in re.finditer(given, text, flags=re.MULTILINE):
        name, value = match[1] or match[3], match[2] or match[4]
        text = re.sub(rf"\${name}\b|\${{{name}(?::\?)?}}", value, text)
    text = re.sub(r"\$\{\w+(?::\?|[#%][^}]*)?\}|\$\w+", "*", text)
    commands: list[str] = []
    for line in text.splitlines():
        if commands and re.match(r" |else\b|fi\b|done\b|\}|\)|do\b|then\b", line):
            commands[-1] += "\n" + line
        else:
            commands.append(line)
    return commands


def kept(step: Step) -> set[str]:
    return {m["kept"] for command in plain(step.commands) for m in _WRITES.finditer(command)}


def noted(step: Step) -> set[str]:
    """What is kept, and what only grows by what the step really did."""
    return {name for command in plain(step.commands) for name in _NAMES.findall(command)}


@pytest.mark.parametrize(("id", "at", "step"), STEPS, ids=_NAMED)
def test_what_is_kept_is_kept_once(id: str, at: int, step: Step) -> None:
    for command in plain(step.commands):
        for write in _WRITES.finditer(command):
            name = write["kept"]
            guard = rf"\[ -[esd] {re.escape(name)}(?:/\S+|\*)? \]"
            assert re.search(guard, command[: write.start()]), (name, command)


@pytest.mark.parametrize(("id", "at", "step"), STEPS, ids=_NAMED)
def test_the_way_back_consumes_what_was_kept(id: str, at: int, step: Step) -> None:
    back = "\n".join(plain(step.back))
    assert not re.search(rf"\bcp -\w+ (?:{_KEPT})", back), "what is copied back stays behind"
    for name in noted(step) - NO_WAY_BACK:
        if name in SAME_CHANGE and id in SAME_CHANGE[name]:
            continue
        mark, whole = re.escape(name), re.escape(name.rstrip("*"))
        gone = rf"(?:\bmv -fZ? |\brm -f [^\n;]*){mark}(?!\w)|\bfind {whole} -delete"
        assert re.search(gone, back), name


@pytest.mark.parametrize("name", SAME_CHANGE)
def test_what_several_keep_is_consumed_by_one_of_them(name: str) -> None:
    backs = [plain(s.back) for id, _, s in STEPS if id in SAME_CHANGE[name]]
    assert any(re.search(rf"\brm (?:-f )?{re.escape(name)}", "\n".join(back)) for back in backs)


def _pairs() -> Iterator[tuple[str, str, str, str]]:
    every = [(id, at, step, name) for id, at, step in STEPS for name in noted(step)]
    for id, at, step, name in every:
        for other, there, second, its in every:
            if (id, at) < (other, there) and set(step.platforms) & set(second.platforms):
                yield id, name, other, its


def test_no_two_steps_keep_under_one_name() -> None:
    alike = []
    for id, name, other, its in _pairs():
        either = fnmatchcase(name.replace("*", "x"), its) or fnmatchcase(
            its.replace("*", "x"), name
        )
        if either and not {id, other} <= SAME_CHANGE.get(name, set()):
            alike.append((id, name, other, its))
    assert not alike


@pytest.mark.parametrize(("id", "at", "step"), STEPS, ids=_NAMED)
def test_each_file_that_is_changed_goes_back(id: str, at: int, step: Step) -> None:
    if not step.back:
        return
    back = "\n".join(plain(step.back))
    commands = "\n".join(plain(step.commands))
    for found in (*_EDITS.finditer(commands), *_WRITTEN.finditer(commands)):
        if found["file"] in STAYS:
            continue
        name = re.escape(found["file"])
        ways = (rf"mv -fZ? \S+ {name}", rf">{name}", rf"(?:rm -f|sed -i) [^\n;]*{name}")
        assert any(re.search(way, back) for way in ways), found["file"]


@pytest.mark.parametrize(("id", "at", "step"), STEPS, ids=_NAMED)
def test_a_unit_that_was_enabled_stays_so(id: str, at: int, step: Step) -> None:
    """But for units that the step made, started itself without a package, or was asked to end."""
    installs = re.compile(r"\b(?:apt-get|yum|dnf) (?:-y )?install\b")
    if not any(installs.search(command) for command in plain(step.commands)):
        return
    commands = "\n".join(plain(step.commands))
    for command in plain(step.back):
        for units in re.findall(r"systemctl disable (?:--now )?([^\n|;&]*)", command):
            made = f">/etc/systemd/system/{units.split()[0]}" in commands
            assert made or re.search(r"enabled\)? ", command), (id, command)


@pytest.mark.parametrize(("id", "at", "step"), STEPS, ids=_NAMED)
def test_nothing_asks_whether_to_overwrite(id: str, at: int, step: Step) -> None:
    """Root's shell of the RHEL family has aliases with -i: the question would eat the next line."""
    if step.platforms == ("debian",):
        return
    asks = re.compile(r"(?:^|[;&|({] *|\b(?:then|else|do) )(?:mv|rm) (?!-\w*[fn])", re.MULTILINE)
    for command in (*plain(step.commands), *plain(step.back)):
        assert not asks.search(command), (id, command)


_WHOLE = re.compile(
    r"(?:(?<![\d>])>|\b(?:cp|install|mv|ln) -[^\n;|&]* (?=\S+ *(?:$|[\n;|&)])))"
    r"(?P<file>/(?:etc|usr|lib|opt)/[^\s;|&()]*[^\s;|&()/])(?![^\s;|&()])"
)
_OURS = re.compile(r"/[^/]*hostpledge[^/]*(?:/|$)")
# made once and never written over
GUARDED = {"/etc/backup-data/password"}


@pytest.mark.parametrize(("id", "at", "step"), STEPS, ids=_NAMED)
def test_no_file_of_the_hosts_own_is_written_over(id: str, at: int, step: Step) -> None:
    """Whoever had a file of that name loses it: ours bear our name, others are kept first."""
    commands = "\n".join(plain(step.commands))
    for found in _WHOLE.finditer(commands):
        name = found["file"]
        if _OURS.search(name) or name in GUARDED:
            continue
        first = commands[: found.start()]
        folder = re.search(rf"\binstall -d [^\n;|&]*{re.escape(name)}$", first + found[0])
        assert folder or re.search(rf"\bcp -\w+ {re.escape(name)} {_KEPT}", first), name


def test_no_step_writes_what_a_role_writes() -> None:
    """A way back would take the role's file along, and hardening would call it changed."""
    roles = "\n".join(
        path.read_text() for path in Path("roles").rglob("*") if path.suffix in (".yml", ".j2")
    )
    written = {
        found["file"]
        for _, _, step in STEPS
        for found in _WHOLE.finditer("\n".join(plain(step.commands)))
        if "hostpledge" in found["file"].rpartition("/")[2] and found["file"] != "/etc/hostpledge"
    }
    assert len(written) > 30
    assert {name for name in written if re.search(rf"{re.escape(name)}(?![\w.*-])", roles)} <= {
        "/usr/local/bin/hostpledge-backup-report"
    }


_ADDS = re.compile(r">>(?P<file>/(?:etc|usr|root/\.ssh)/[^\s;|&()]+)")


@pytest.mark.parametrize(("id", "at", "step"), STEPS, ids=_NAMED)
def test_what_is_added_is_added_once(id: str, at: int, step: Step) -> None:
    """Lines that stand there already are looked for or taken out; a size is told as a whole."""
    commands = "\n".join(plain(step.commands))
    assert not re.search(r"(?:--size|--extents|-[Ll]) *\+", commands)
    for found in _ADDS.finditer(commands):
        name = re.escape(found["file"])
        before = commands[: found.start()]
        asked = rf"\bgrep -q\w* [^\n]*{name} \|\|\s[^\n]*$"
        known = r"\bssh-keygen -F [^\n|]*\|\| \{(?:\n  [^\n]*)*$"
        taken_out = rf"\bsed -i [^>]*/d {name}(?:\n| && )"
        assert any(re.search(way, before) for way in (asked, known, taken_out)), found["file"]
