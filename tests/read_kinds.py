"""What kind of text each read hands out (ADR 24), and why some need no redaction.

A new read has to stand in one of these: whoever adds it says what could be in its text.
"""

from __future__ import annotations

# Text that people write, or that holds what they typed: only listed words leave.
PEOPLE = {
    "backup.journal", "backup.logs", "backup.reports", "backup.settings", "backup_checks.logs",
    "backup_wal.state",
    "logrotate.config", "restore_tests.records",
    "schedules.called", "schedules.periodic", "schedules.spool", "schedules.tabs",
    "schedules.starts", "schedules.timers", "startup.shell", "sudoers.files",
}  # fmt: skip
# Settings, records and answers in a form of their own: what may be a secret in it is masked.
SETTINGS = {
    "accounts.group", "accounts.passwd", "accounts.shadow", "app_rotation.rules", "audit.config",
    "audit.kernel", "audit.rule_files",
    "backup.artefacts", "backup.borg", "backup.lists", "backup.pgbackrest",
    "backup_named.borg", "backup_named.files", "backup_named.settings", "bans.settings",
    "clamav.state", "crowdsec.state",
    "database_access.state", "defender.state", "detectors.state",
    "firewall.ip6tables", "firewall.ip6tables_legacy", "firewall.ipset",
    "firewall.iptables", "firewall.iptables_legacy", "firewall.nft", "firewall.saved",
    "inventory.signature", "journald.config", "legacy.ftp", "legacy.inetd", "legacy.wrappers",
    "log_files.times", "log_shipping.state", "mandatory.state", "network.state", "pam.files",
    "pam.settings",
    "platform.release", "processes.all", "record_samples.lines", "replication.state",
    "residual.state", "schedules.sources", "service_logs.open", "services.units",
    "sshd.effective", "sshd.files", "startup.logind", "storage.mounts", "storage.space",
    "stores.places", "syslog.rsyslog", "syslog.running", "syslog.syslog_ng", "updates.apt",
    "web_servers.config",
}  # fmt: skip
# Documents that the host's owner writes for hostpledge, word by word judged.
DOCUMENTS = {"inventory.document", "ledger.document"}

_UNITS = "names of units and their states, as systemd prints them"
_TIME = "numbers and states of a clock, and the names of its servers"
_FOLDERS = "names of folders and sizes; a folder's name is what is judged by"
_NAMES = "names, modes and owners of files; the names are what is judged by"
_FORM = "only lines of a form that the read writes itself: words of its own, numbers, paths, times"
_VERSION = "the version of a program or of its signatures"
# Of these nothing is masked, and why nothing has to be.
UNMASKED = {
    "accounts.empty_word": _FORM,
    "accounts.stores": _NAMES,
    "antimalware.places": "modes of listed places, names of listed packages",
    "audit.events": _FORM,
    "audit.rules": "rules of the kernel: paths, numbers, system calls and the keys of the rules",
    "audit.status": "numbers of the kernel",
    "backup_checks.runs": _UNITS,
    "bans.fail2ban": "answers of fail2ban's own: names of jails, numbers, paths of logs, patterns",
    "capacity.space": _FOLDERS,
    "daemons.units": _UNITS,
    "drops.syslog": _FORM,
    "exposed_files.names": "names of files that others can read: each is itself a finding",
    "firewall.undone": _FORM,
    "folders.sizes": _FOLDERS,
    "inventory.places": _FOLDERS,
    "inventory.tree": _FOLDERS,
    "journal.events": _FORM,
    "journal_days.days": _FORM,
    "journald.held": _FORM,
    "kernels.installed": _FORM,
    "legacy.ftp_running": _FORM,
    "legacy.libwrap": _FORM,
    "log_guard.modes": _NAMES,
    "logins.last": "names of accounts, hosts they came from, and times",
    "logrotate.state": "paths of logs and days, as logrotate writes them",
    "logrotate.version": _VERSION,
    "monitors.state": "addresses and names of programs, as ss prints them; numbers",
    "pam.modules": "names of listed modules, and versions",
    "platform.init": "names of listed files, and the name of a program",
    "retention.since": _FORM,
    "schedules.flavour": _VERSION,
    "schedules.shells": _FORM,
    "services.boot": _UNITS,
    "services.unit_files": _UNITS,
    "signatures.antiy": _VERSION,
    "signatures.clamav": _VERSION,
    "signatures.mdatp": "listed lines of its health: numbers and states",
    "sockets.listening": "addresses, names of programs and units, as ss and systemd print them",
    "sshd.keys": "names of accounts, paths, and how many keys; no key",
    "storage.block": "names, sizes and types of disks, as lsblk prints them",
    "storage.stack": "names and numbers of disks, and of an encrypted one its cipher; no key",
    "storage.zfs": "names of file systems, and whether they are encrypted",
    "timesync.chrony_sources": _TIME,
    "timesync.chrony_tracking": _TIME,
    "timesync.clock": _TIME,
    "timesync.ntp_peers": _TIME,
    "timesync.openntpd": _TIME,
    "timesync.timedatectl": _TIME,
    "timesync.timesyncd": _TIME,
    "tls_served.answers": "what a stranger is told at each port, of HTTP the path of a redirection",
    "tmpfiles.rules": "kinds, paths and ages of rules; what they write is left out",
    "updates.dnf": "names and versions of packages, names of caches",
}
