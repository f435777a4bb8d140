"""Facts → a root of that shape."""

from __future__ import annotations

from pathlib import Path

from tests.hosts import access, clock, firewall, logs, network, packages, pam, services, system
from tests.hosts.facts import Facts
from tests.hosts.root import Root, tools
from tests.hosts.services import Unit, timer


def build(facts: Facts, base: Path) -> Path:
    """The root of `facts` below `base`; the tools are shared by all roots there."""
    root = Root(base / facts.name)
    root.use(tools(base), facts.shell, facts.awk)
    system.kernel(root, facts)
    system.names(root, facts)
    units, pids = _daemons(root, facts)
    listening = [
        ("tcp", "any4", 22, "sshd", pids["sshd"]),
        ("tcp", "any6", 22, "sshd", pids["sshd"]),
    ]
    if facts.clock == "chrony":
        listening += [("udp", f"local{n}", 323, "chronyd", pids["chronyd"]) for n in (4, 6)]
    if facts.clock == "ntp":
        listening += [("udp", f"any{n}", 123, "ntpd", pids["ntpd"]) for n in (4, 6)]
    listening += [(*socket, pids.get(socket[3], 0)) for socket in facts.quirks.get("listens", ())]
    named = [*facts.quirks.get("links", ())]
    if "forward" in facts.quirks:
        named.append(("rsyslogd", facts.quirks["forward"]))
    links = [(comm, pids[comm], to) for comm, to in named]
    network.sockets(root, facts, listening, links)
    firewall.packet_filter(root, facts)
    access.accounts(root, facts)
    pam.pam(root, facts)
    access.sshd(root, facts, pids["sshd"])
    logs.syslog(root, facts)
    logs.journald(root, facts)
    logs.cron(root, facts)
    if facts.audit:
        logs.audit(root, facts, pids["auditd"])
    clock.clock(root, facts)
    packages.packages(root, facts)
    services.systemd(root, facts, units)
    if facts.mac == "apparmor":
        facts = facts.but(facts.name, quirks={**facts.quirks, "confined": [pids["rsyslogd"]]})
    system.mandatory(root, facts)
    root.file("/etc/fstab", "/dev/vda1 / xfs defaults 0 0\n")
    for path, text in facts.quirks.get("files", {}).items():
        root.file(path, text)
    root.finish()
    return root.path


def _daemons(root: Root, facts: Facts) -> tuple[list[Unit], dict[str, int]]:
    """What runs, and its units."""
    root.process("systemd", ["/usr/lib/systemd/systemd", "--switched-root", "--system"])
    pids = {
        "journald": root.process(
            "systemd-journal",
            ["/usr/lib/systemd/systemd-journald"],
            unit="systemd-journald.service",
        )
    }
    ssh = "ssh.service" if facts.deb else "sshd.service"
    listener = facts.openssh >= (8, 3)
    argv = ["/usr/sbin/sshd", "-D"]
    pids["sshd"] = root.process("sshd", argv, unit=ssh)
    if listener:
        text = "sshd: /usr/sbin/sshd -D [listener] 0 of 10-100 startups"
        root.file(f"/proc/{pids['sshd']}/cmdline", text + "\0")
    pids["rsyslogd"] = root.process(
        "rsyslogd", ["/usr/sbin/rsyslogd", "-n"], unit="rsyslog.service", opened=logs.written(facts)
    )
    cron = "cron" if facts.deb else "crond"
    pids["cron"] = root.process(cron, [f"/usr/sbin/{cron}", "-n"], unit=f"{cron}.service")
    units = [
        Unit("systemd-journald.service", "static", pid=pids["journald"]),
        Unit("systemd-logind.service", "static"),
        Unit(ssh, pid=pids["sshd"]),
        Unit("rsyslog.service", pid=pids["rsyslogd"]),
        Unit(f"{cron}.service", pid=pids["cron"]),
    ]
    if facts.audit:
        pids["auditd"] = root.process(
            "auditd", ["/sbin/auditd"], unit="auditd.service", opened=["/var/log/audit/audit.log"]
        )
        root.link(f"/proc/{pids['auditd']}/exe", "/usr/sbin/auditd")
        units.append(
            Unit(
                "auditd.service",
                pid=pids["auditd"],
                more=("RefuseManualStop=yes",) if not facts.deb else (),
            )
        )
    daemon = {
        "chrony": ("chronyd", "chrony" if facts.deb else "chronyd"),
        "ntp": ("ntpd", "ntpd"),
    }.get(facts.clock)
    if daemon:
        pids[daemon[0]] = root.process(
            daemon[0], [f"/usr/sbin/{daemon[0]}"], unit=f"{daemon[1]}.service", uid=996
        )
        units.append(Unit(f"{daemon[1]}.service", pid=pids[daemon[0]]))
    else:
        pids["timesyncd"] = root.process(
            "systemd-timesyncd",
            ["/usr/lib/systemd/systemd-timesyncd"],
            unit="systemd-timesyncd.service",
            uid=100,
        )
        units.append(Unit("systemd-timesyncd.service", pid=pids["timesyncd"]))
    if facts.firewall == "firewalld":
        program = "/usr/bin/python2" if facts.dist.startswith("el7") else "/usr/bin/python3"
        pids["firewalld"] = root.process(
            "firewalld",
            [program, "-Es", "/usr/sbin/firewalld", "--nofork"],
            unit="firewalld.service",
        )
        units.append(Unit("firewalld.service", pid=pids["firewalld"]))
    elif facts.firewall == "iptables-services":
        units += [
            Unit("iptables.service", active="active/exited"),
            Unit("ip6tables.service", active="active/exited"),
        ]
    elif facts.firewall in ("nftables", "ufw"):
        units.append(Unit(f"{facts.firewall}.service", active="active/exited"))
    if facts.logrotate_by == "timer":
        units += timer("logrotate", "/usr/sbin/logrotate /etc/logrotate.conf", "*-*-* 00:00:00")
    for comm, argv, unit in facts.quirks.get("daemons", ()):
        pids[comm] = root.process(comm, argv, unit=unit)
        units.append(Unit(unit, pid=pids[comm]))
    return units, pids
