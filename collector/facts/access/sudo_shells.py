"""Which commands of sudoers(5) make who may run them as root as good as root.

A command stands there with its arguments, or without, when any may be given; `""` is for none, and
a `*` or `?` in them is any text at all. What shells, editors and pagers do with files and commands
is in their manuals; ways out of others are gathered at gtfobins.github.io.

>>> gives_root("/usr/bin/su"), gives_root("/usr/sbin/ausearch"), gives_root("/bin/less /etc/x")
(True, False, True)
>>> gives_root("/usr/bin/find"), gives_root("/usr/bin/find /var/log -name secure")
(True, False)
"""

from __future__ import annotations

import re

# whatever their arguments: they ask for commands or for files when they run
_ASK = (
    r"su|sudo|(?:ba|da|z|k|mk|c|tc|fi|a|r)?sh|rbash|busybox|vi|vim(?:\.\w+|diff)?|view|r?vim|nvim|nano"
    r"|pico|emacs|mg|joe|jed|ed|ex|mcedit|mc|less|more|most|pg|man|info|visudo|vipw|vigr|screen|tmux"
    r"|script|gdb|ftp|sftp|top|htop|iftop|nmtui|cfdisk|fdisk|parted|mysql|mariadb|psql|sqlite3|irb|ipython"
)
# with arguments of one's own choosing
_ANY = (
    r"[gmn]?awk|perl|python[\d.]*|ruby|lua[\d.]*|node|php[\d.]*|tclsh|expect|env|nice|ionice|time|timeout"
    r"|nohup|setsid|stdbuf|xargs|watch|find|tar|zip|unzip|cpio|rsync|scp|ssh|git|make|strace|ltrace"
    r"|docker|podman|nerdctl|ctr|crictl|kubectl|lxc|runc|mount|cp|mv|tee|dd|install|chmod|chown|ln|sed"
    r"|useradd|usermod|passwd|chpasswd|gpasswd|chsh|crontab|at|batch|systemctl|systemd-run|service|apt"
    r"|apt-get|aptitude|dnf|yum|rpm|dpkg|snap|pip[\d.]*|npm|gem|openssl|socat|n?c|ncat|netcat|nsenter"
    r"|unshare|chroot|runuser|pkexec|capsh|setcap|start-stop-daemon|flock|ip|tcpdump|wget|curl|nmap"
    r"|ansible(?:-playbook)?|puppet|salt-call|sudoedit|dmsetup|debugfs|insmod|modprobe|ld(?:\.so)?|sysctl"
    r"|setfacl|patch|logrotate"
)
_PROGRAM = re.compile(r"(?:sha\d+:\S+\s+)*(?P<path>(?:/|sudoedit)\S*)(?:\s+(?P<arguments>.*))?$")


def gives_root(command: str) -> bool:
    """Does running it as root lead to whatever root may do, as far as is known?"""
    match = _PROGRAM.match(command.strip())
    if match is None:
        return False
    path, arguments = match["path"], match["arguments"]
    # any program of a folder, or any that a pattern fits
    if path.endswith("/") or re.search(r"[*?\[]", path):
        return True
    name = path.rpartition("/")[2]
    if re.fullmatch(_ASK, name):
        return True
    free = arguments is None or re.search(r"(?<!\\)[*?\[]|^\^", arguments) is not None
    return free and re.fullmatch(_ANY, name) is not None
