"""Remedies as data: whole, safe to copy, honest about what was run, and shown as they stand."""

from __future__ import annotations

import re
import subprocess
from collections import Counter
from pathlib import Path

import pytest
import yaml

from collector import catalog
from collector.cli.commands.explain import describe
from collector.remedies.steps import (
    PLATFORMS,
    Step,
    every,
    filled_steps,
    for_platform,
    platform_of,
)
from collector.remedies.work import before, hardened, in_order, to_fill
from tests.remedies.scenes import EVERY, places

STEPS = [(id, step) for id in every() for step in filled_steps(id)]
_NAMED = [f"{id}-{at}" for at, (id, _) in enumerate(STEPS)]
# a word that is meant to be replaced, which a shell would take as it stands
_LEFT_OPEN = re.compile(r"<[A-Za-z]+>|\bEXAMPLE\b|example\.com|…|\.\.\.")
# what has cut somebody off, and has to stay out of our words
_HAZARDS = (
    re.compile(r"chown \S*root\S* /var/log"),
    re.compile(r"systemctl (?:re)?start nftables|systemctl stop nftables|flush ruleset"),
    re.compile(r"disk_full_action *= *(?:SINGLE|HALT)", re.IGNORECASE),
    re.compile(r"\baide --check"),
    re.compile(r"\bchage -d 0 root"),
    re.compile(r"\b(?:killall|pkill)\b|\bdnf remove\b|\byum remove\b|iptables -F"),
    # of folders, only what the lines themselves made a moment before
    re.compile(r'\brm -r?f?r (?!"\$\{place:\?\}"$)'),
    re.compile(r"^(?!.*sshd -t).*systemctl restart sshd?\b"),
)
# what no line does that is there to look
_CHANGES = re.compile(
    r"[^2]>(?!=)|\b(?:rm|mv|cp|tee|chmod|chown|kill|touch|truncate) "
    r"|sed -i|\b(?:apt-get|dnf|yum) (?:-y )?(?:install|upgrade)\b"
    r"|systemctl (?:start|stop|restart|reload|enable|disable|mask|kill)"
)


@pytest.mark.parametrize(("id", "step"), STEPS, ids=_NAMED)
def test_lines_survive_copying(id: str, step: Step) -> None:
    assert id in catalog.described()
    for part in (step.look, step.commands, step.check, step.back):
        text = "\n".join(part) + "\n"
        assert not re.search(r"(?<!\w)@[a-z_]+@", text), "a parameter that the control has not"
        assert not _LEFT_OPEN.search(text)
        done = subprocess.run(["bash", "-n"], input=text.encode(), capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode()


@pytest.mark.parametrize(("id", "step"), STEPS, ids=_NAMED)
def test_what_only_the_owner_knows_refuses_until_it_is_said(id: str, step: Step) -> None:
    text = "\n".join(step.lines)
    assert set(re.findall(r"\$\{([A-Z_]+):\?\}", text)) == {word.name for word in step.fill}
    for word in step.fill:
        assert not re.search(rf"\${word.name}\b|\${{{word.name}}}", text), id


@pytest.mark.parametrize(("id", "step"), STEPS, ids=_NAMED)
def test_nothing_that_has_cut_somebody_off(id: str, step: Step) -> None:
    for hazard in _HAZARDS:
        for line in step.lines:
            if step.platforms == ("debian",) or "aide" not in hazard.pattern:
                assert not hazard.search(line), (id, line)


@pytest.mark.parametrize(("id", "step"), STEPS, ids=_NAMED)
def test_who_only_looks_changes_nothing(id: str, step: Step) -> None:
    for line in step.look:
        assert not _CHANGES.search(line.replace("2>/dev/null", "")), (id, line)


# what opens a pager on a terminal, where it takes the lines behind it for its own keys
_PAGES = re.compile(
    r"\bsystemctl (?:list-\S+|status|cat|show(?! -p \S+ --value))\b"
    r"|\bjournalctl(?! --(?:flush|sync|rotate|setup-keys|disk-usage|vacuum|verify))\b"
    r"|\b(?:timedatectl|loginctl|networkctl|hostnamectl)\b"
    r"|\bpsql (?!-tA|-qtA)|\bgit (?:log|diff|show)\b|\b(?:less|more|man|top|vi|nano)\b(?=[ ;]|$)"
)


@pytest.mark.parametrize(("id", "step"), STEPS, ids=_NAMED)
def test_nothing_opens_a_pager(id: str, step: Step) -> None:
    for part in (step.look, step.commands, step.check, step.back):
        for line in re.sub(r" *\\\n *", " ", "\n".join(part)).replace("|\n", "| ").splitlines():
            for command in re.split(r"; |&&|\|\|", line):
                if _PAGES.search(command) and not re.search(r"[|>]|\$\(", command):
                    assert re.search(r"--no-pager|pager=off|--quiet", command), (id, line)


@pytest.mark.parametrize("id", catalog.described())
def test_what_is_done_before_another_is_a_control_and_no_circle(id: str) -> None:
    order = in_order([id, *before(id)])
    assert set(order) <= set(catalog.described())
    assert all(order.index(first) < order.index(id) for first in before(id))


def test_who_watches_files_comes_after_all_that_changes_them() -> None:
    last = ("intrusion.file_integrity", "antivirus.web_tamper", "intrusion.detection")
    some = [*reversed(last), *catalog.described()]
    assert in_order(some)[-3:] == last
    assert sorted(in_order(some)) == sorted(catalog.described())


def test_the_role_is_told_what_only_the_owner_knows() -> None:
    told = hardened("firewall.default_deny")
    assert told is not None
    assert told.endswith(""" -e '{"firewall_allow": [{"port": [PORTS]}]}'""")
    for id in catalog.described():
        words = set(re.findall(r"\b[A-Z_]{4,}\b", (hardened(id) or "").partition("-e")[2]))
        assert words == {word.name for word in to_fill(id)}, id


@pytest.mark.parametrize("id", catalog.described())
def test_each_control_says_what_to_do_on_each_platform(id: str) -> None:
    for platform in PLATFORMS:
        assert for_platform(id, platform), platform


def test_a_step_without_commands_says_that_a_person_decides(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HOSTPLEDGE_LANG", "en")
    alone = [id for id in every() if not any(step.commands for step in filled_steps(id))]
    assert "logging.retention_observed" in alone
    for id in alone:
        shown = describe(catalog.control(id))
        assert "No command can do this step: a person decides" in shown
        assert "Commands:" not in shown
        assert "No test runs these lines" not in shown


def test_the_sentences_tell_nobody_to_do_it_either() -> None:
    told = re.compile(r"chown root:adm|= SUSPEND or SINGLE|restart nftables(?!\.service)")
    for control in catalog.described().values():
        assert not told.search(control.remediation.en), control.id
        assert not told.search(control.remediation.zh), control.id


def test_run_is_said_of_what_tests_run_and_of_nothing_else() -> None:
    said = {id for id, step in STEPS if step.run}
    assert said == {scene.control for scene in EVERY}
    assert all("debian" in step.platforms for _, step in STEPS if step.run)
    for id in said:
        some = [step for step in for_platform(id, "debian") if step.run]
        assert all(step.check for step in some), "its check is what the test goes by"


@pytest.mark.parametrize("id", sorted({scene.control for scene in EVERY}))
def test_each_step_that_is_run_is_typed_by_a_scene(id: str) -> None:
    scenes = [scene for scene in EVERY if scene.control == id]
    every = for_platform(id, "debian", scenes[0].grade)
    by_scenes = sorted(place for scene in scenes for place in places(scene))
    assert sorted(set(by_scenes)) == [n for n, step in enumerate(every) if step.run]


def test_how_many_are_typed() -> None:
    """Counted here, so that a step that loses its test is seen."""
    count = Counter[str]()
    for _, step in STEPS:
        count["steps"] += step.run
        count["lines"] += sum(bool(line.strip()) for line in step.lines) * step.run
    assert count == Counter(TYPED)


TYPED = {"steps": 98, "lines": 1919}


@pytest.mark.parametrize(("id", "step"), STEPS, ids=_NAMED)
def test_explain_shows_each_line_whole(
    id: str, step: Step, monkeypatch: pytest.MonkeyPatch
) -> None:
    for lang in ("zh", "en"):
        monkeypatch.setenv("HOSTPLEDGE_LANG", lang)
        for platform in step.platforms:
            shown = describe(catalog.control(id), platform)
            for part in (step.look, step.commands, step.check, step.back):
                assert "\n".join(part) in shown


def test_explain_keeps_other_platforms_out_and_names_the_role_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HOSTPLEDGE_LANG", "en")
    shown = describe(catalog.control("intrusion.file_integrity"), "debian")
    assert "yum install" not in shown
    role = "hostpledge harden -i INVENTORY --control intrusion.file_integrity"
    assert hardened("intrusion.file_integrity") == role
    assert shown.index(f"\n{role}\n") < shown.index("Step 1 (")
    assert hardened("intrusion.two_factor") is None


@pytest.mark.parametrize(
    ("id", "version", "like", "platform"),
    [
        ("debian", "13", (), "debian"),
        ("ubuntu", "24.04", ("debian",), "debian"),
        ("centos", "7", ("rhel", "fedora"), "rhel7"),
        ("rocky", "9.4", ("rhel", "centos", "fedora"), "rhel8"),
        ("anolis", "8.8", ("rhel", "fedora", "centos"), "rhel8"),
        ("alinux", "2.1903", ("rhel", "fedora", "centos"), "rhel7"),
        ("alinux", "3", ("rhel", "fedora", "centos", "anolis"), "rhel8"),
        ("openeuler", "22.03", (), "openeuler"),
        ("kylin", "V10", ("fedora",), "openeuler"),
        ("alpine", "3.20", (), None),
        ("opensuse-leap", "15.6", ("suse", "opensuse"), None),
    ],
)
def test_which_platform_a_host_is(
    id: str, version: str, like: tuple[str, ...], platform: str | None
) -> None:
    assert platform_of(id, version, like) == platform
    assert platform is None or platform in PLATFORMS


def test_nothing_reads_what_is_typed_behind_it() -> None:
    """A package manager, a question, a pager: the next lines of a paste would be their answers."""
    asks = re.compile(r"pam-auth-update(?! --package)|dpkg-reconfigure|\bless\b|\bmore\b")
    for id, step in STEPS:
        text = "\n".join(step.lines)
        installed = re.findall(r"apt-get install(?:[^\n]*\\\n)*[^\n]*", text)
        assert all("</dev/null" in line for line in installed), (id, installed)
        assert not asks.search(text), id


def test_every_number_stands_in_the_words_too() -> None:
    """No `@days@` in what a person reads before typing."""
    for id in every():
        for grade in (2, 3):
            for step in filled_steps(id, grade):
                words = [step.why, step.look_for, step.warning]
                said = [text.to(lang) for text in words if text for lang in ("zh", "en")]
                assert not [text for text in (*said, *step.lines) if re.search(r"@[a-z_]+@", text)]


def test_rules_that_are_empty_are_never_said_to_be_loaded() -> None:
    """Where nobody filled in the ports, nothing is armed or loaded, and the check says so."""
    for id in ("firewall.default_deny", "firewall.admin_sources", "firewall.exposed_ports"):
        first, second = [s for s in for_platform(id, "debian") if s.run]
        armed = "\n".join(first.commands)
        assert re.search(r"\[ -s /etc/nftables\.d/\w+\.nft \] &&\n\s+nft -c", armed), id
        assert "nft list chain" in "\n".join(second.check), id
        assert "/etc/nftables.conf" in "\n".join(first.back), "an include of what is gone"


def test_bridges_get_of_the_host_what_the_role_lets_them_have() -> None:
    """Typed or by the role: DNS and DHCP of containers and virtual machines are not cut off."""
    role = Path(__file__).parents[1] / "roles/firewall"
    bridges = yaml.safe_load((role / "defaults/main.yml").read_text())["firewall_bridges"]
    table = (role / "templates/hostpledge.nft.j2").read_text()
    let_in = r"^\t\t(iifname .*|ip6? .*udp.*|udp sport .*|ip protocol 2 accept)"
    wanted = re.findall(let_in, table, re.MULTILINE)
    assert len(wanted) == 5
    first = for_platform("firewall.default_deny", "debian")[0]
    typed = {line.strip() for line in "\n".join(first.commands).splitlines()}
    for line in wanted:
        for bridge in bridges:
            assert line.replace("{{ bridge }}", bridge) in typed


def test_what_brings_logrotate_along_says_so_and_what_to_do_first() -> None:
    """Seen with apt-get -s on Debian 12 and 13; recommended ones count where they are installed."""
    bring = re.compile(r"\b(?:clamav\S*|clamdscan|rsyslog\S*|acct|wtmpdb)\s")
    for id, step in STEPS:
        text = re.sub(r"\\\n *", " ", "\n".join(step.commands))
        installed = " ".join(re.findall(r"apt-get install[^\n]*", text))
        if bring.search(installed):
            assert step.warning is not None, id
            assert "loss" in step.warns, id
            assert "L05" in step.warning.en, id
            assert "L05" in step.warning.zh, id


def test_no_step_edits_what_no_step_before_it_has_installed() -> None:
    """The mirror's step is the first of all where there is no way out: antivirus.running says."""
    for platform in ("debian", "rhel8"):
        steps = for_platform("antivirus.signatures", platform)
        (mirror,) = [step for step in steps if "MIRROR" in {word.name for word in step.fill}]
        text = "\n".join(mirror.commands)
        assert "apt-get install" in text
        assert text.index("install -y") < text.index("freshclam.conf.before")


def test_the_log_is_there_before_the_baseline_is_taken() -> None:
    """Made after it, the log itself is the first difference, which looks like an intrusion."""
    for id in ("antivirus.web_tamper", "intrusion.file_integrity"):
        taking = [step for step in for_platform(id, "debian") if "--init" in str(step.commands)]
        assert taking
        for step in taking:
            text = "\n".join(step.commands)
            made = text.index("chown --reference=/var/log/aide /var/log/aide/aide.log")
            assert text.index(">>/var/log/aide/aide.log") < made < text.index("--init")
