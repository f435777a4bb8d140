"""What `sshd -T` printed on real hosts, and Match blocks as written."""

from __future__ import annotations

from pathlib import Path

import pytest

from collector.errors import CouldNotLook, FactError, NotUnderstood
from collector.facts.access.login_keys import key_holders
from collector.facts.access.sshd_config import Block, blocks, matches
from collector.facts.access.sshd_effective import Listener, listeners
from collector.facts.access.sudoers import Grant, Holders, sudoers
from collector.model import Capture, CapturedFile, HostStatus, ReadResult, ReadStatus

_RECORDED = Path(__file__).parent / "sshd"


def _capture(stdout: str = "", stderr: str = "", **texts: str) -> Capture:
    id = "sshd.effective"
    reads = {id: ReadResult(id, ReadStatus.OK, 0, 0, stdout.encode(), stderr)}
    for id, path in (("sshd.files", "sshd"), ("sudoers.files", "sudo")):
        found = tuple(
            CapturedFile(name, ReadStatus.OK, data=text.encode())
            for name, text in texts.items()
            if path in name
        )
        reads[id] = ReadResult(id, ReadStatus.OK, files=found)
    return Capture("h", HostStatus.COMPLETE, reads=reads)


@pytest.mark.parametrize("name", ["debian_9.2", "debian_10.0"])
def test_recorded(name: str) -> None:
    (server,) = listeners(_capture((_RECORDED / f"{name}.txt").read_text(encoding="utf-8")))
    assert (server.pid, server.exe, server.args) == (None, "/usr/sbin/sshd", ())
    assert server.first("permitrootlogin", "root") == "without-password"
    assert server.first("passwordauthentication") == "yes"
    assert server.first("ciphers").startswith("chacha20-poly1305@openssh.com,")
    assert server.all("listenaddress") == ("[::]:22", "0.0.0.0:22")
    assert server.first("no-such-keyword") == ""
    assert server.quote("port").lines == ("port 22",)


def test_as_listed_for_centos_7() -> None:
    """OpenSSH 7.4p1 of CentOS 7.4.1708, the first lines of the list in
    https://qiita.com/bezeklik/items/b728ea2de4924f89a787 in the frame of this read."""
    (server,) = listeners(_capture((_RECORDED / "centos_7.4.txt").read_text(encoding="utf-8")))
    assert (server.pid, server.args) == (1034, ("-D",))
    assert server.first("permitrootlogin", "root") == "yes", "the default of this build"
    assert server.first("challengeresponseauthentication") == "no"


def test_two_listeners_with_options_and_a_file() -> None:
    text = (
        "#sshd 8 /usr/sbin/sshd\n#arg -D\n#arg -oPort=2222\n#as root\npermitrootlogin no\n#rc 0\n"
        "#as nobody\npermitrootlogin no\n#rc 0\n#file /etc/ssh/other\n|Match all\n|#sshd x\n"
        "#sshd 9 /usr/local/sbin/sshd\n#as root\npermitrootlogin yes\n#rc 0\n"
        "#as nobody\npermitrootlogin yes\n#rc 0\n"
    )
    one, two = listeners(_capture(text))
    assert (one.pid, one.args, one.config) == (8, ("-D", "-oPort=2222"), "Match all\n#sshd x")
    assert (two.exe, two.config) == ("/usr/local/sbin/sshd", None)


@pytest.mark.parametrize(
    ("stdout", "error"),
    [
        ("", NotUnderstood),
        ("#sshd - /usr/sbin/sshd\n#as root\n#rc 255\n#as nobody\n#rc 255\n", CouldNotLook),
        ("#sshd - /usr/sbin/sshd\n#as root\nport 22\n#rc 0\n", NotUnderstood),
        ("#sshd - /usr/sbin/sshd\n#as root\npermitrootlogin no\n#rc 0\n", NotUnderstood),
    ],
)
def test_no_answer_is_never_a_setting(stdout: str, error: type[FactError]) -> None:
    with pytest.raises(error):
        listeners(_capture(stdout, "sshd: no hostkeys available -- exiting.\r\n"))


def test_none_installed() -> None:
    assert listeners(_capture("#none\n")) == ()


def _blocks(exe: str = "/usr/sbin/sshd", **texts: str) -> tuple[Block, ...]:
    return blocks(_capture(**texts), Listener(1, exe, (), {}))


def test_match_blocks_with_includes() -> None:
    found = _blocks(
        **{
            "/etc/ssh/sshd_config": (
                "Include /etc/ssh/sshd_config.d/*.conf\n"
                'Match user "root,!ops" ADDRESS 10.0.0.0/8 # here\n'
                "\tpermitrootlogin=yes\n  Include sshd_config.d/in.inc\nMatch all\n"
            ),
            "/etc/ssh/sshd_config.d/a.conf": "Match Group wheel\nX11Forwarding no\n",
            "/etc/ssh/sshd_config.d/in.inc": "Banner none\n",
        }
    )
    assert [b.criteria for b in found] == [
        (("group", "wheel"),),
        (("user", "root,!ops"), ("address", "10.0.0.0/8")),
        (("all", ""),),
    ]
    assert found[1].settings == (("permitrootlogin", "yes"), ("banner", "none"))
    assert found[1].concerns("root", ())
    assert not found[0].concerns("root", ("root",))
    assert found[2].always
    assert not found[1].always


@pytest.mark.parametrize("include", ["/srv/*.conf", "/etc/ssh/more.conf", "../x/sshd_config.d/*"])
def test_an_include_that_was_not_read_is_not_passed_over(include: str) -> None:
    with pytest.raises(NotUnderstood):
        _blocks(**{"/etc/ssh/sshd_config": f"Include {include}\n"})


def test_a_build_of_ones_own_may_read_other_files() -> None:
    texts = {
        "/etc/ssh/sshd_config": "",
        "/usr/local/etc/sshd_config": "Match User root\nPermitRootLogin yes\n",
    }
    assert _blocks(**texts) == ()
    assert len(_blocks("/usr/local/sbin/sshd", **texts)) == 1
    with pytest.raises(NotUnderstood):
        _blocks()


@pytest.mark.parametrize(
    ("patterns", "hit"),
    [
        (["root"], True), (["*"], True), (["ro?t"], True), (["*", "!root"], False),
        (["!ops"], False), (["[r]oot"], False), ([], False),
    ],
)  # fmt: skip
def test_patterns(patterns: list[str], hit: bool) -> None:
    assert matches("root", patterns) is hit


def test_keys() -> None:
    result = ReadResult("sshd.keys", ReadStatus.OK, stdout=b"a:/home/a/.ssh/authorized_keys\n")
    assert key_holders(Capture("h", HostStatus.COMPLETE, reads={"sshd.keys": result})) == {"a"}
    with pytest.raises(CouldNotLook):
        key_holders(Capture("h", HostStatus.COMPLETE))


# --- sudoers -------------------------------------------------------------------------------------


def _grants(main: str, **more: str) -> list[tuple[str, bool, bool, bool]]:
    found = sudoers(_capture(**{"/etc/sudoers": main, **more}))
    return [(g.who, g.all, g.root, g.password) for g in found]


def test_sudoers_of_debian_13() -> None:
    main = (
        "Defaults\tenv_reset\n#Defaults:%sudo env_keep += x\n\n# User alias specification\n"
        "root\tALL=(ALL:ALL) ALL\n%sudo\tALL=(ALL:ALL) ALL\n@includedir /etc/sudoers.d\n"
    )
    more = {
        "/etc/sudoers.d/README": "# only comments\n",
        "/etc/sudoers.d/90-x": "ops ALL=(ALL) NOPASSWD:ALL\n",
        "/etc/sudoers.d/old.bak": "mallory ALL=(ALL) ALL\n",
    }
    assert _grants(main, **more) == [
        ("root", True, True, True),
        ("%sudo", True, True, True),
        ("ops", True, True, False),
    ]


def test_sudoers_aliases_and_lists() -> None:
    main = (
        "User_Alias ADMINS = alice, \\\n  bob : OPS = %ops, #1002\n"
        "Cmnd_Alias SHELLS = /bin/sh, ALL\nRunas_Alias DB = oracle, postgres\n"
        "ADMINS, carol ALL = SHELLS\nOPS web1=(DB) NOPASSWD: /bin/ls, PASSWD: ALL # why\n"
        "dave ALL=(root) /bin/systemctl restart nginx, (www-data) ALL\n"
    )
    assert _grants(main) == [
        ("alice", True, True, True), ("bob", True, True, True), ("carol", True, True, True),
        ("%ops", False, False, False), ("#1002", False, False, False),
        ("%ops", True, False, True), ("#1002", True, False, True),
        ("dave", False, True, True), ("dave", True, False, True),
    ]  # fmt: skip


def test_sudoers_not_understood() -> None:
    for text in ("what is this\n", "@include /srv/sudoers\n", "@includedir /srv/sudoers.d\n"):
        with pytest.raises(NotUnderstood):
            _grants(text)


def test_who_is_meant() -> None:
    def meant(who: str) -> bool:
        holders = Holders.of([Grant(who, "", True, True, "", "")])
        return holders.hold("ops", 1000, frozenset(("ops", "wheel")), 1000)

    assert all(meant(w) for w in ("ops", "%wheel", "#1000", "%#1000", "ALL"))
    assert not any(meant(w) for w in ("o", "%o", "#1", "%#0"))
