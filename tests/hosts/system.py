"""The kernel's side: /proc, /sys, uname(1), date(1), stat(1), disks; names; SELinux."""

from __future__ import annotations

from tests.hosts.facts import Facts
from tests.hosts.root import CLOCK, DAY, PLAYED, UP, Root

_DATE = f"""
for a; do case "$a" in (-d*|-r*|--date*|--reference*) exec {PLAYED}/date "$@";; esac; done
exec {PLAYED}/date -d @{CLOCK} "$@"
"""
# times that cannot be set (of the inode, of birth) are those of the content
_STAT = f"""
if [ "$1" = -f ]; then
  case "$3" in
  ('%i %S %b %a %c %d %n') shift 3
    for p; do printf 'fd0100000000 4096 26214400 18000000 26214400 26000000 %s\\n' "$p"; done;;
  (*) exec {PLAYED}/stat "$@";;
  esac
  exit
fi
n=$#
while [ "$n" -gt 0 ]; do
  a=$1; shift; n=$((n - 1))
  case "$a" in
    (*%*[ZWX]*) o=
      while :; do case "$a" in
        (*%Z*) o=$o${{a%%%Z*}}%Y; a=${{a#*%Z}};;
        (*%W*) o=$o${{a%%%W*}}%Y; a=${{a#*%W}};;
        (*%.9Z*) o=$o${{a%%%.9Z*}}%.9Y; a=${{a#*%.9Z}};;
        (*%.9W*) o=$o${{a%%%.9W*}}%.9Y; a=${{a#*%.9W}};;
        (*) break;;
      esac; done
      a=$o$a;;
  esac
  set -- "$@" "$a"
done
exec {PLAYED}/stat "$@"
"""
_LSBLK = (
    'NAME="vda" KNAME="vda" MAJ:MIN="253:0" TYPE="disk" FSTYPE="" SIZE="107374182400" '
    'MOUNTPOINT="" PKNAME="" UUID=""\n'
    'NAME="vda1" KNAME="vda1" MAJ:MIN="253:1" TYPE="part" FSTYPE="{fs}" SIZE="107372085248" '
    'MOUNTPOINT="/" PKNAME="vda" UUID="6f1d2a44-5c0e-4b7a-9a3e-2f6f0a8f9c11"\n'
)


def kernel(root: Root, facts: Facts) -> None:
    """/proc and /sys as far as reads look there, and the programs that tell of the kernel."""
    root.program("/usr/bin/date", _DATE)
    root.program("/usr/bin/stat", _STAT)
    machine = "x86_64"
    root.says(
        "/usr/bin/uname",
        [
            ("-r", f"{facts.kernel}\n"),
            ("-m", f"{machine}\n"),
            ("-srm", f"Linux {facts.kernel} {machine}\n"),
            ("-n", f"{facts.name}\n"),
            ("-s|''", "Linux\n"),
        ],
    )
    proc = {
        "uptime": f"{UP}.00 {UP}.00\n",
        "stat": f"btime {CLOCK - UP}\n",
        "cmdline": f"BOOT_IMAGE=/boot/vmlinuz-{facts.kernel} root=/dev/vda1 ro console=tty0\n",
        "modules": "",
        "swaps": "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n",
        "mounts": "/dev/vda1 / xfs rw 0 0\n",
        "self/status": "Name:\tsh\nUid:\t0\t0\t0\t0\n",
        "self/stat": f"1 (sh) S 0 1 1 0 {' '.join(['0'] * 15)} 1 0 {UP * 100} 0 0\n",
        "self/loginuid": "0",
        "self/mountinfo": "22 1 253:1 / / rw,relatime shared:1 - {fs} /dev/vda1 rw\n"
        "23 22 0:20 / /proc rw,nosuid,nodev,noexec,relatime shared:5 - proc proc rw\n"
        "24 22 0:21 / /run rw,nosuid,nodev shared:6 - tmpfs tmpfs rw,mode=755\n",
        "sys/kernel/hostname": f"{facts.name}\n",
        "sys/kernel/random/boot_id": "5a0f6f9c-1d3b-4a6d-8c55-0d5c1b6b8f10\n",
        "sys/kernel/random/uuid": "0b9a7d0e-6a5f-4b0c-9d2f-0f1e2d3c4b5a\n",
        "sys/kernel/core_pattern": "core\n"
        if not facts.quirks.get("coredump")
        else "|/usr/lib/systemd/systemd-coredump %P %u %g %s %t %c %h\n",
        "sys/fs/suid_dumpable": "0\n",
        "sys/net/ipv4/ip_forward": "0\n",
        "sys/net/ipv6/bindv6only": "0\n",
        "sys/net/ipv6/conf/all/forwarding": "0\n",
        "sys/net/ipv6/conf/all/disable_ipv6": "0\n",
        "sys/net/ipv4/conf/all/route_localnet": "0\n",
        "net/igmp": "Idx\tDevice    : Count Querier\tGroup    Users Timer\tReporter\n",
        "net/igmp6": "",
    }
    fs = "ext4" if facts.deb else "xfs"
    for path, text in proc.items():
        root.file(f"/proc/{path}", text.replace("{fs}", fs))
    for name in ("pid", "net"):
        root.link(f"/proc/self/ns/{name}", f"{name}:[{4026531836 + len(name)}]")
    root.at("/proc/self/ns/pid").unlink()
    root.link("/proc/self/ns/pid", "pid:[4026531836]")
    root.says("/usr/bin/lsblk", [("*", _LSBLK.replace("{fs}", fs))])
    root.says(
        "/usr/bin/df",
        [
            (
                "*",
                "Filesystem     1024-blocks     Used Available Capacity Mounted on\n"
                "/dev/vda1        104857600 30857600  74000000      30% /\n",
            )
        ],
    )
    root.file("/sys/class/block/vda/dev", "253:0\n")
    root.file("/sys/class/block/vda1/dev", "253:1\n")
    root.folder("/sys/class/net/eth0")
    root.file(f"/boot/vmlinuz-{facts.kernel}", "kernel", age=UP + DAY)
    newer = facts.quirks.get("newer_kernel")
    if newer:
        root.file(f"/boot/vmlinuz-{newer}", "kernel", age=UP - 30 * DAY)
    root.folder(f"/lib/modules/{facts.kernel}")


def names(root: Root, facts: Facts) -> None:
    """What names the system, its zone and its identity."""
    root.file("/usr/lib/os-release", facts.os_release)
    root.link("/etc/os-release", "../usr/lib/os-release")
    for path, text in facts.releases.items():
        root.file(path, text)
    root.file("/etc/machine-id", "7c1f0d4b6e1d4b5f9b0a5d3c2e1f0a9b\n", mode=0o444)
    zone = "/usr/share/zoneinfo/Asia/Shanghai"
    with open(zone, "rb") as file:
        root.file(zone, file.read())
    root.link("/etc/localtime", "../usr/share/zoneinfo/Asia/Shanghai")
    root.file("/etc/hosts", "127.0.0.1 localhost\n")
    root.file("/etc/nsswitch.conf", "passwd: files\nshadow: files\ngroup: files\n")


def mandatory(root: Root, facts: Facts) -> None:
    """SELinux by its file system and config, AppArmor by its profiles, KySec by its own files."""
    if facts.mac in ("enforcing", "permissive", "disabled"):
        root.file("/etc/selinux/config", f"SELINUX={facts.mac}\nSELINUXTYPE=targeted\n")
        if facts.mac != "disabled":
            root.file("/sys/fs/selinux/enforce", "1" if facts.mac == "enforcing" else "0")
            root.file("/sys/kernel/security/lsm", "capability,selinux")
    elif facts.mac == "apparmor":
        root.file("/sys/module/apparmor/parameters/enabled", "Y\n")
        root.file("/sys/kernel/security/lsm", "capability,apparmor")
        root.file(
            "/sys/kernel/security/apparmor/profiles",
            "/usr/sbin/chronyd (enforce)\nrsyslogd (enforce)\nlsb_release (enforce)\n",
        )
        for pid in facts.quirks.get("confined", ()):
            root.file(f"/proc/{pid}/attr/apparmor/current", "rsyslogd (enforce)\n")
    elif facts.mac == "kysec":
        root.file("/etc/selinux/config", "SELINUX=disabled\n")
        for key, value in facts.quirks["kysec"].items():
            root.file(f"/sys/kernel/security/kysec/{key}", f"{value}\n")
        root.file(
            "/etc/kysec/kysec.conf",
            "".join(
                f"kysec_{key} = {value}\n" for key, value in facts.quirks["kysec_conf"].items()
            ),
        )
        root.says("/usr/bin/getstatus", [("*", facts.quirks["getstatus"])])
