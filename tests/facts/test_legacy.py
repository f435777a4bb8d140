"""inetd, xinetd, FTP with TLS, TCP wrappers: forms as their manuals and packages have them."""

from __future__ import annotations

import pytest

from collector.errors import NotUnderstood
from collector.facts.access.inetd import encrypted_ftp, on_demand, wrapped, wrapper_networks
from collector.model import Capture, CapturedFile, HostStatus, ReadResult, ReadStatus


def _capture(read: str, **texts: str) -> Capture:
    files = tuple(
        CapturedFile(path, ReadStatus.OK, data=text.encode()) for path, text in texts.items()
    )
    status = ReadStatus.OK if files else ReadStatus.ABSENT
    reads = {read: ReadResult(read, status, files=files)}
    return Capture("h", HostStatus.COMPLETE, reads=reads)


def test_inetd() -> None:
    text = (
        "# telnet stream tcp nowait root /usr/sbin/tcpd in.telnetd\n\n"
        "#<off># ftp stream tcp nowait root /usr/sbin/in.ftpd in.ftpd\n"
        "127.0.0.1:tftp dgram udp wait nobody /usr/sbin/tcpd /usr/sbin/in.tftpd /srv\n"
        "shell stream tcp nowait root /usr/sbin/in.rshd in.rshd\n"
    )
    found = on_demand(_capture("legacy.inetd", **{"/etc/inetd.conf": text}))
    assert [(s.name, s.program) for s in found] == [
        ("tftp", "/usr/sbin/in.tftpd"),
        ("shell", "/usr/sbin/in.rshd"),
    ]
    with pytest.raises(NotUnderstood):
        on_demand(_capture("legacy.inetd", **{"/etc/inetd.conf": "telnet stream\n"}))


def test_xinetd_passes_over_names_with_a_dot() -> None:
    entry = "service telnet\n{\n  disable = no\n  server = /usr/sbin/in.telnetd\n}\n"
    off = entry.replace("disable = no", "disable\t= yes")
    texts = {
        "/etc/xinetd.d/telnet": entry,
        "/etc/xinetd.d/telnet.rpmsave": entry,
        "/etc/xinetd.d/rsh": off.replace("telnet", "shell"),
        "/etc/xinetd.d/commented": "\n".join("#" + line for line in entry.splitlines()),
    }
    found = on_demand(_capture("legacy.inetd", **texts))
    assert [s.name for s in found] == ["telnet"]


@pytest.mark.parametrize(
    ("path", "text", "safe"),
    [
        ("/etc/vsftpd.conf", "ssl_enable=YES\nanonymous_enable=NO\n", {"vsftpd"}),
        ("/etc/vsftpd.conf", "ssl_enable=YES\n", set()),
        ("/etc/vsftpd.conf", "#ssl_enable=YES\nanonymous_enable=NO\n", set()),
        ("/etc/proftpd/tls.conf", "TLSEngine on\nTLSRequired on\n", {"proftpd"}),
        ("/etc/proftpd/tls.conf", "TLSEngine on\nTLSRequired off\n", set()),
        ("/etc/pure-ftpd/conf/TLS", "2\n", {"pure-ftpd"}),
        ("/etc/pure-ftpd/conf/TLS", "1\n", set()),
    ],
)
def test_ftp(path: str, text: str, safe: set[str]) -> None:
    assert encrypted_ftp(_capture("legacy.ftp", **{path: text})) == safe


@pytest.mark.parametrize(
    ("allow", "deny", "clients"),
    [
        ("sshd: 10.1.0.0/255.255.0.0, 192.168.3.\n", "ALL: ALL\n", ("10.1.0.0/255.255.0.0", "192.168.3.")),
        ("sshd: [2001:db8::]/32\n", "sshd: ALL\n", ("[2001:db8::]/32",)),
        ("sshd: ALL\n", "ALL: ALL\n", None),
        ("vsftpd: 10.0.0.1\n", "vsftpd: ALL\n", None),
        ("", "sshd: 203.0.113.\n", None),
        ("# sshd: 10.0.0.1\n", "sshd: ALL\n", ()),
        # public material: how guides for CentOS 7 write it, and tcp_wrappers' hosts_options(5)
        ("sshd:10.20.0.0/255.255.0.0:allow\n", "sshd:all:deny\n", ("10.20.0.0/255.255.0.0",)),
        ("sshd: 10.20. : allow\nsshd: ALL : deny\nsshd: ALL\n", "", ("10.20.",)),
        ("SSHD: 10.20.\n", "all: all\n", ("10.20.",)),
        ("", "sshd: ALL EXCEPT 10.20. 192.0.2.7\n", ("10.20.", "192.0.2.7")),
        ("sshd: 203.0.113.9 : deny\nsshd: ALL : allow\n", "sshd: ALL\n", None),
        ("", "sshd: ALL : allow\n", None),
    ],
)  # fmt: skip
def test_wrappers(allow: str, deny: str, clients: tuple[str, ...] | None) -> None:
    capture = _capture("legacy.wrappers", **{"/etc/hosts.allow": allow, "/etc/hosts.deny": deny})
    found = wrapper_networks(capture, "sshd")
    assert (None if found is None else found[0]) == clients


@pytest.mark.parametrize(
    ("allow", "deny"),
    [
        ("", "sshd: ALL: spawn /bin/true\n"),
        ("", "sshd: ALL EXCEPT 10. EXCEPT 10.3.\n"),
        ("", "ALL EXCEPT sshd: ALL\n"),
        ("sshd: ALL EXCEPT 203.0.113.\n", "sshd: ALL\n"),
        ("sshd: /etc/hosts.friends\n", "sshd: ALL\n"),
        ("sshd: KNOWN\n", "sshd: ALL\n"),
        ("sshd: @staff\n", "sshd: ALL\n"),
    ],
)
def test_wrappers_that_are_no_plain_list_are_not_understood(allow: str, deny: str) -> None:
    texts = {"/etc/hosts.allow": allow, "/etc/hosts.deny": deny}
    with pytest.raises(NotUnderstood):
        wrapper_networks(_capture("legacy.wrappers", **texts), "sshd")


def test_whether_sshd_knows_wrappers() -> None:
    session = "/usr/lib/openssh/sshd-session"
    for text, programs, known in (
        ("/usr/sbin/sshd\n", ("/usr/sbin/sshd",), True),
        ("/usr/sbin/sshd\n", ("/sbin/sshd",), True),
        ("/usr/sbin/sshd\n", ("/usr/local/sbin/sshd",), False),
        (f"{session}\n", ("/usr/sbin/sshd", session), True),
        ("", ("/usr/sbin/sshd", session), False),
    ):
        result = ReadResult("legacy.libwrap", ReadStatus.OK, stdout=text.encode())
        capture = Capture("h", HostStatus.COMPLETE, reads={result.id: result})
        assert wrapped(capture, *programs) is known
