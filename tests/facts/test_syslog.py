"""Which file gets which messages, by configurations that real systems ship."""

from __future__ import annotations

import pytest

from collector.errors import NotUnderstood
from collector.facts.logs.syslog.routing import Syslog, rsyslog, syslog_ng
from collector.model import Capture, CapturedFile, HostStatus, ReadResult, ReadStatus

DEBIAN_12 = """
module(load="imuxsock") # provides support for local system logging
module(load="imklog")   # provides kernel logging support
$FileOwner root
$Umask 0022
$IncludeConfig /etc/rsyslog.d/*.conf
*.*;auth,authpriv.none		-/var/log/syslog
auth,authpriv.*			/var/log/auth.log
cron.*				-/var/log/cron.log
kern.*				-/var/log/kern.log
mail.*				-/var/log/mail.log
user.*				-/var/log/user.log
*.emerg				:omusrmsg:*
"""
CENTOS_7 = """
$ModLoad imuxsock # provides support for local system logging (e.g. via logger command)
$ModLoad imjournal # provides access to the systemd journal
$WorkDirectory /var/lib/rsyslog
$ActionFileDefaultTemplate RSYSLOG_TraditionalFileFormat
$IncludeConfig /etc/rsyslog.d/*.conf
#kern.*                                                 /dev/console
*.info;mail.none;authpriv.none;cron.none                /var/log/messages
authpriv.*                                              /var/log/secure
mail.*                                                  -/var/log/maillog
cron.*                                                  /var/log/cron
*.emerg                                                 :omusrmsg:*
uucp,news.crit                                          /var/log/spooler
local7.*                                                /var/log/boot.log
#*.* @@remote-host:514
"""
RAINERSCRIPT = """
global(workDirectory="/var/lib/rsyslog")
module(load="imuxsock" SysSock.Use="off")
include(file="/etc/rsyslog.d/*.conf" mode="optional")
template(name="remote" type="string"
         string="/var/log/remote/%HOSTNAME%.log")
authpriv.*  action(type="omfile" file="/var/log/secure" fileCreateMode="0600")
*.info;authpriv.none  action(
    type="omfile"
    file="/var/log/messages"
)
*.* action(type="omfwd" target="192.0.2.9" port="6514" protocol="tcp")
if $fromhost-ip startswith "192.0.2." then {
    action(type="omfile" dynaFile="remote")
    stop
}
"""
UBUNTU_UFW = ':msg,contains,"[UFW " /var/log/ufw.log\n& stop\n'


def _capture(read: str, **texts: str) -> Capture:
    files = tuple(
        CapturedFile(path, ReadStatus.OK, 0o644, 0, 0, data=text.encode())
        for path, text in sorted(texts.items())
    )
    return Capture(
        "h", HostStatus.COMPLETE, reads={read: ReadResult(read, ReadStatus.OK, files=files)}
    )


def _rsyslog(main: str, **more: str) -> Syslog:
    parts = {f"/etc/rsyslog.d/{name}.conf": text for name, text in more.items()}
    return rsyslog(_capture("syslog.rsyslog", **{"/etc/rsyslog.conf": main}, **parts))


def _files(found: Syslog, facility: str) -> list[str]:
    return [o.path for o in found.files_of(facility)]


def test_debian() -> None:
    found = _rsyslog(DEBIAN_12)
    assert _files(found, "authpriv") == ["/var/log/auth.log"]
    assert _files(found, "daemon") == ["/var/log/syslog"]
    assert _files(found, "kern") == ["/var/log/syslog", "/var/log/kern.log"]
    assert found.targets() == ()


def test_centos_7() -> None:
    found = _rsyslog(CENTOS_7)
    assert _files(found, "authpriv") == ["/var/log/secure"]
    assert _files(found, "daemon") == ["/var/log/messages"]
    assert _files(found, "news") == ["/var/log/messages"], "only crit goes to spooler"
    assert found.targets() == (), "the forwarding line is a comment"


def test_rainerscript() -> None:
    found = _rsyslog(RAINERSCRIPT)
    assert _files(found, "authpriv") == ["/var/log/secure"]
    assert _files(found, "daemon") == ["/var/log/messages"]
    assert found.targets() == ("192.0.2.9",)
    assert found.unclear() == (), "what comes from other hosts is none of this host's"
    assert found.outputs[-1].path == "/var/log/remote/%HOSTNAME%.log"


def test_property_filters_take_nothing_away_from_others() -> None:
    found = _rsyslog(DEBIAN_12, ufw=UBUNTU_UFW)
    assert _files(found, "daemon") == ["/var/log/syslog"]
    (ufw,) = [o for o in found.outputs if o.path == "/var/log/ufw.log"]
    assert (ufw.takes, "kern" in ufw.may) == (frozenset(), True)


def test_stop_ends_what_it_selects() -> None:
    """A drop-in is read first: what it stops never gets to the files below."""
    found = _rsyslog(DEBIAN_12, quiet="authpriv.* stop\n")
    assert _files(found, "authpriv") == []
    assert _files(found, "daemon") == ["/var/log/syslog"]
    assert _files(_rsyslog(DEBIAN_12, quiet="authpriv.* ~\n"), "authpriv") == []


def test_forwarding() -> None:
    lines = "*.* @192.0.2.1\n*.* @@(o)192.0.2.2:6514;RSYSLOG_SyslogProtocol23Format\n"
    assert _rsyslog(lines).targets() == ("192.0.2.1", "192.0.2.2")


@pytest.mark.parametrize(
    ("selector", "takes_info"),
    [
        ("daemon.*", True),
        ("daemon.=info", True),
        ("daemon.=debug", False),
        ("daemon.warning", False),
        ("*.*;daemon.!info", False),
        ("*.*;daemon.!=info", False),
        ("*.*;daemon.!=debug", True),
        ("*.*;daemon.none", False),
        ("user,daemon.notice;daemon.info", True),
    ],
)
def test_selectors(selector: str, *, takes_info: bool) -> None:
    assert bool(_files(_rsyslog(f"{selector} /var/log/x\n"), "daemon")) is takes_info


def test_what_was_not_read_is_not_guessed() -> None:
    with pytest.raises(NotUnderstood, match="/opt/rsyslog"):
        _rsyslog("$IncludeConfig /opt/rsyslog/*.conf\n")


def test_syslog_ng() -> None:
    """After the syslog-ng.conf that Debian ships."""
    text = """
@version: 3.38
source s_src { system(); internal(); };
destination d_auth { file("/var/log/auth.log"); };
destination d_syslog { file("/var/log/syslog"); };
destination d_net { tcp("192.0.2.7" port(1000)); };
filter f_auth { facility(auth, authpriv) and not filter(f_debug); };
filter f_debug { level(debug) and not facility(auth, authpriv, news, mail); };
filter f_plain { facility(auth, authpriv); };
filter f_syslog3 { not facility(auth, authpriv, mail); };
# log { source(s_src); destination(d_net); };
log { source(s_src); filter(f_plain); destination(d_auth); };
log { source(s_src); filter(f_syslog3); destination(d_syslog); };
log { source(s_src); filter(f_auth); destination(d_auth); };
"""
    found = syslog_ng(_capture("syslog.syslog_ng", **{"/etc/syslog-ng/syslog-ng.conf": text}))
    assert _files(found, "authpriv") == ["/var/log/auth.log"] * 2
    assert _files(found, "daemon") == ["/var/log/syslog"]
    assert found.unclear() == ()
    assert found.targets() == ()
