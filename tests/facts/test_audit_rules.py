"""auditctl -l and rule files of several versions, and which events they record."""

from __future__ import annotations

import pytest

from collector.errors import CouldNotLook, NotUnderstood
from collector.facts.logs.audit.coverage import Event, decides, merged, message
from collector.facts.logs.audit.rules import AuditRules, audit_rules
from collector.model import Capture, CapturedFile, HostStatus, ReadResult, ReadStatus

PASSWD = Event("b64", path="/etc/passwd", perm="a")
UNLINK = Event("b64", "unlink")

# audit 4.0.2 on Debian 13, in a virtual machine; what was asked for stands behind
NEW = """\
-a never,user -F uid=33
-a never,exit -F arch=b64 -S adjtimex -F auid=-1 -F exe=/usr/sbin/chronyd
-w /etc/passwd -p wa -k identity
-w /etc -p wa -k etcdir
-w /var/log/wtmp -p wa
-w /etc/shadow -p wa -k id2
-a always,exit -F arch=b64 -S mount -F key=mounts
-a always,exit -F arch=b64 -S execve -C uid!=euid -F euid=0 -F key=x
-a always,exit -F arch=b64 -S open_tree,move_mount,fsopen,fsmount,mount_setattr -F key=newmount
-a always,exit -S unlink -F auid>=1000 -F auid!=-1
-a always,exit -F arch=b64 -S openat -F exit=-EACCES -F success=0
-a always,exit -S all -F path=/usr/bin/su -F perm=x -F auid>=1000 -F auid!=-1 -F key=priv
-a always,exit -F arch=b32 -S all -F key=32bit
-a always,exit -F arch=b64 -S clock_settime -F a0=0x0
-a never,exclude -F msgtype=CWD
-a always,exclude -F msgtype=USER_LOGIN
-a never,filesystem -F fstype=tracefs
"""
# audit 3.0.9 on Debian 12, the same way
DEBIAN_12 = """\
-a never,task
-w /etc/passwd -p wa -k identity
-a always,exit -F arch=b64 -S all -F dir=/etc -F perm=wa -F key=kdir
-a always,exit -F arch=b64 -S execve -C uid!=euid -F euid=0 -F key=x
-a always,exit -F arch=b32 -S all -F key=32bit
-a always,exclude -F msgtype=USER_LOGIN
"""
# audit 4.0.2: with arch= it spells out the calls that perm=wa means
SPELT_OUT = (
    "-a always,exit -F arch=b64 -S open,bind,truncate,ftruncate,rename,mkdir,rmdir,creat,link,unlink,"
    "symlink,chmod,fchmod,chown,fchown,lchown,mknod,acct,swapon,quotactl,setxattr,lsetxattr,fsetxattr,"
    "removexattr,lremovexattr,fremovexattr,openat,mkdirat,mknodat,fchownat,unlinkat,renameat,linkat,"
    "symlinkat,fchmodat,fallocate,renameat2,openat2 -F dir=/etc -F perm=wa -F key=kdir\n"
)
# public material: STIG texts for systems with audit before 2.4
OLD = """\
LIST_RULES: exit,always watch=/etc/passwd perm=wa key=identity
LIST_RULES: exit,always arch=3221225534 (0xc000003e) auid>=500 (0x1f4) auid!=-1 (0xffffffff) syscall=unlink,rename
LIST_RULES: exit,always arch=1073741827 (0x40000003) syscall=unlink,rename key=delete
"""


def _rules(listing: str, **files: str) -> AuditRules:
    found = tuple(
        CapturedFile(
            f"/etc/audit/{name.replace('__', '/').replace('_', '.')}",
            ReadStatus.OK,
            data=text.encode(),
        )
        for name, text in files.items()
    )
    reads = {
        "audit.rules": ReadResult("audit.rules", ReadStatus.OK, stdout=listing.encode()),
        "audit.rule_files": ReadResult("audit.rule_files", ReadStatus.OK, files=found),
    }
    return audit_rules(Capture("h", HostStatus.COMPLETE, reads=reads))


def _outcome(listing: str, event: Event) -> str:
    return decides(_rules(listing).loaded, event)[0]


def test_recent_listing() -> None:
    known = _rules(NEW)
    assert len(known.loaded) == 17
    assert decides(known.loaded, PASSWD)[0] == "recorded"
    assert decides(known.loaded, UNLINK)[0] == "recorded"
    assert decides(known.loaded, Event("b32", "rename"))[0] == "recorded"
    assert decides(known.loaded, Event("b64", "rename"))[0] == "missing"
    assert decides(known.loaded, Event("b64", "execve", root=True))[0] == "recorded"
    assert decides(known.loaded, Event("b64", "execve"))[0] == "missing"
    assert decides(known.loaded, Event("b64", path="/usr/bin/su", perm="x"))[0] == "recorded"
    told = message(known.loaded, 1112)
    assert told is not None
    assert "USER_LOGIN" in told.line
    assert message(known.loaded, 1105) is None


def test_never_a_task_voids_all() -> None:
    assert _outcome(DEBIAN_12, PASSWD) == "voided"


def test_spelt_out_calls() -> None:
    assert _outcome(SPELT_OUT, PASSWD) == "recorded"
    assert _outcome(SPELT_OUT, Event("b32", path="/etc/passwd", perm="w")) == "missing"


def test_old_listing() -> None:
    known = _rules(OLD)
    assert decides(known.loaded, PASSWD)[0] == "recorded"
    assert decides(known.loaded, UNLINK)[0] == "recorded"
    assert decides(known.loaded, Event("b32", "unlink"))[0] == "recorded"


@pytest.mark.parametrize(
    ("rules", "outcome"),
    [
        ("-w /etc/passwd -p w", "missing"),
        ("-w /etc/passwd", "recorded"),
        ("-w /etc/ -p wa", "recorded"),
        ("-w /etc/pass -p wa", "missing"),
        ("-a always,exit -F path=/etc -F perm=wa -F auid=1", "missing"),
        ("-a exit,always -F dir=/etc -F perm=a", "recorded"),
        ("-a always,exit -F dir=/etc -F perm=wa -F success=1", "recorded"),
        ("-a always,exit -F dir=/etc -F perm=wa -F success=0", "missing"),
        ("-a always,exit -F dir=/etc -F perm=wa -F uid=33", "missing"),
        ("-a always,exit -F dir=/etc -F perm=wa -F auid>=1000 -F auid!=unset", "recorded"),
        ("-a always,exit -F dir=/etc -F perm=wa -F auid>=2000", "missing"),
        ("-a never,exit -F dir=/etc\n-w /etc/passwd -p wa", "voided"),
        ("-a never,exit -F dir=/etc -F auid=unset\n-w /etc/passwd -p wa", "recorded"),
        ("-a never,exit -F dir=/etc -F exe=/usr/bin/x\n-w /etc/passwd -p wa", "recorded"),
        ("-a never,exit -F dir=/etc -F uid=0\n-w /etc/passwd -p wa", "voided"),
        ("-a never,exit -F dir=/etc -F uid=chrony\n-w /etc/passwd -p wa", "recorded"),
        ("-w /etc/passwd -p wa\n-a never,exit -F dir=/etc", "recorded"),
        ("-w /etc/passwd -p wa\n-a always,exclude -F msgtype>=1300", "voided"),
        ("-w /etc/passwd -p wa\n-a always,exclude -F msgtype=PATH", "recorded"),
        ("-w /etc/passwd -p wa\n-a always,exclude -F uid=0", "voided"),
        ("-a always,exit -F arch=b64 -S all", "recorded"),
        ("No rules", "missing"),
    ],
)  # fmt: skip
def test_one_event(rules: str, outcome: str) -> None:
    assert _outcome(rules, PASSWD) == outcome


def test_links_of_merged_systems() -> None:
    assert merged("/bin/su") == "/usr/bin/su"
    assert (
        _outcome(
            "-a always,exit -F path=/bin/su -F perm=x", Event("b64", path="/usr/bin/su", perm="x")
        )
        == "recorded"
    )


def test_rule_files() -> None:
    known = _rules(
        "No rules\n",
        rules_d__10_rules="-D\n-b 8192\n# comment\n-w /etc/passwd -p wa\n--loginuid-immutable\n",
        rules_d__9_rules="-a always,exit -F arch=b64 -S unlink\n-D\n",
        rules_d__99_rules="-e 2\n",
        audit_rules="-w /etc/other -p wa\n",
    )
    # rules.d wins, in the order of `ls -v`; augenrules keeps one -D in front of all
    assert [rule.line[:2] for rule in known.filed] == ["-a", "-w"]
    assert (known.locks, known.loginuid_fixed) == (True, True)


def test_one_file_alone() -> None:
    known = _rules(
        "No rules\n",
        audit_rules="-w /etc/a -p wa\n-D\n-w /etc/b -p wa\n-A never,exit -S all -F uid=0\n-d always,exit -F path=/etc/b -F perm=wa\n",
    )
    assert [rule.line[:2] for rule in known.filed] == ["-A"]
    assert known.places == ("/etc/audit/audit.rules",)


_STRAY = "-w /usr/bin/wget -p x -k -k x\n"


@pytest.mark.parametrize("told", ["-i\n", "-c\n"])
def test_a_line_that_auditctl_refuses_and_goes_on(told: str) -> None:
    """`parameter passed without an option given`: with -i or -c before it, the rest is loaded."""
    known = _rules("No rules\n", audit_rules=f"{told}{_STRAY}-w /etc/b -p wa\n")
    assert [rule.line for rule in known.filed] == ["-w /etc/b -p wa"]


@pytest.mark.parametrize(
    "text",
    [
        f"{_STRAY}-w /etc/b -p wa\n",
        f"{_STRAY}-i\n-w /etc/b -p wa\n",
        # what the line before it says may be of a word with a blank
        "-i\n-w /etc/a\\ b -p wa\n",
        # what is not known here may be known to auditctl
        "-i\n-a always,exit -Z 1\n",
    ],
)
def test_a_line_that_ends_the_loading(text: str) -> None:
    with pytest.raises(NotUnderstood):
        _rules("No rules\n", audit_rules=text)


# as auditctl 4.0.2 of Debian 13 took them from a file, on Linux 6.18
@pytest.mark.parametrize(
    ("line", "stops"),
    [
        ("-w /etc/a -p", True),
        ("-w /etc/a -p wa -k", True),
        ("-w", True),
        ("-a always,exit -F arch=b64 -S", True),
        ("-a always,exit -F auid>=", True),
        ("-a always,exit -F nosuch=1 -S unlink", True),
        ("-a always,exit -S unlink -F arch=b64", True),
        ("-F arch=b64 -a always,exit -S unlink", True),
        ("-k x -w /etc/a -p wa", True),
        ("-C uid!=euid -a always,exit", True),
        ("-w /etc/a -p wa\n-w /etc/a -p wa", True),
        ("-b x", True),
        ("-b", True),
        ("-f 7", True),
        ("-e 9", True),
        ("--backlog_wait_time x", True),
        ("-h", True),
        ("-S unlink -a always,exit", False),
        ("-w /etc/a -p wa -k a\n-w /etc/a -p wa -k b", False),
        ("-w /etc/a -p wa\n-D\n-w /etc/a -p wa", False),
        ("-w /etc/a -p WA", False),
        ("-a always,exit -S unlink -F AUID=5", False),
        ("-a always,exit -F saddr_fam=2", False),
        ("-a never,filesystem -F fstype=tracefs", False),
        ("--backlog_wait_time=5", False),
    ],
)
def test_a_line_at_which_auditctl_gives_up(line: str, stops: bool) -> None:
    last = "-w /etc/last -p wa\n"
    known = _rules("No rules\n", audit_rules=f"{line}\n{last}")
    assert known.stop == (line.rsplit("\n", maxsplit=1)[-1] if stops else "")
    assert (f"{known.filed[-1].line}\n" if known.filed else "") != last or not stops
    goes_on = _rules("No rules\n", audit_rules=f"-i\n{line}\n{last}")
    assert goes_on.stop == ""
    assert f"{goes_on.filed[-1].line}\n" == last


def test_what_is_loaded_first_and_last() -> None:
    """augenrules puts -b and -f in front of all, and -e behind."""
    known = _rules(
        "No rules\n", rules_d__1_rules="-e 2\n-w /etc/b -p wa\n", rules_d__2_rules="-f 7\n"
    )
    assert (known.filed, known.stop, known.locks) == ((), "-f 7", False)


def test_a_never_rule_that_is_listed_as_a_watch() -> None:
    """audit 4.0.2 lists `-a never,exit -F dir=/etc -F perm=wa` as `-w /etc -p wa`."""
    known = _rules("-w /etc -p wa\n", rules_d__a_rules="-a never,exit -F dir=/etc -F perm=wa\n")
    assert decides(known.loaded, PASSWD)[0] == "voided"


@pytest.mark.parametrize(
    "listing",
    ["", "something else\n", "-a always\n", "-a always,exit -F arch=vax -S unlink\n", "-w etc -p wa\n",
     "-w /etc -p q\n", "-a always,exit -Z 1\n", "LIST_RULES:\n", "-a always,exit -F unlink\n"],
)  # fmt: skip
def test_what_is_not_understood(listing: str) -> None:
    with pytest.raises(NotUnderstood):
        _rules(listing)


def test_what_was_not_seen() -> None:
    refused = ReadResult("audit.rules", ReadStatus.REFUSED, 126)
    with pytest.raises(CouldNotLook):
        audit_rules(Capture("h", HostStatus.COMPLETE, reads={"audit.rules": refused}))
