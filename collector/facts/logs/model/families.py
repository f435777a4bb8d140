"""Which family a log belongs to, and which log a rotated file comes from: by their paths."""

from __future__ import annotations

import re
from collections.abc import Container

from collector.facts.logs.model.file_names import PACKED

# the first that matches decides; the kinds are those of 公安部令第82号 art. 7 and of GB/T 22239
_FAMILIES: tuple[tuple[str, str], ...] = (
    ("login", r"/(wtmp|btmp|secure|auth\.log|wtmp\.db)$"),
    ("audit", r"/audit/"),
    (
        "bastion",
        r"/(jumpserver|koko|guacamole|teleport|tlog|sudo-io|next-terminal|gateone|usermonitor)(/|$)"
        r"|/(jumpserver|koko|guacd|teleport|tlog|sudo_logsrvd|usermonitor)[^/]*\.log$",
    ),
    ("packages", r"/(dpkg|alternatives|yum|dnf(\.\w+)?|hawkey)\.log$|/apt/|/zypp/|/up2date$"),
    ("web", r"/(nginx|httpd|apache2?|openresty|caddy|tomcat\d*|lighttpd|wwwlogs)/|/nginx/logs/"),
    ("database", r"/(mysqld?|mariadb|postgresql|redis|mongo(db)?|dameng|kingbase)[/.-]|/mysqld"),
    ("firewall", r"/(firewalld|ufw\.log|iptables|fail2ban\.log)"),
    ("vpn", r"/(openvpn|ipsec|strongswan|wireguard|xl2tpd)"),
    ("dns", r"/(named|bind|unbound|dnsmasq)"),
    ("mail", r"/(mail(log|\.\w+)?|exim4?|dovecot|postfix)(/|$|\.log)"),
    ("syslog", r"/(syslog|messages|kern(\.log)?|daemon\.log|user\.log|cron(\.log)?|debug)$"),
)
# what a container is for, by its name or that of its image (without registry and tag)
_OF_CONTAINERS = (
    ("bastion", r"^(jms_|koko|lion|chen|magnus)|jumpserver|guacamole|guacd|teleport|next-terminal"),
    ("web", r"nginx|httpd|apache|openresty|tengine|caddy|traefik|haproxy|tomcat|lighttpd"),
    ("database", r"mysql|mariadb|percona|postgres|postgis|mongo|redis|oracle|kingbase|dm8"),
    ("vpn", r"openvpn|wireguard|strongswan|ocserv"),
    ("dns", r"bind9|unbound|dnsmasq|coredns|pihole"),
    ("mail", r"postfix|dovecot|mailserver|exim"),
)
# kubelet: NAMESPACE_POD_UID/CONTAINER/RESTARTS.log
_POD = re.compile(r"(/var/log/pods/[^/_]+_([^/_]+)_[^/]+/([^/]+))(/|$)")
NAMES = {
    "login": "登录",
    "audit": "审计",
    "packages": "软件包",
    "web": "Web",
    "database": "数据库",
    "firewall": "防火墙",
    "vpn": "VPN",
    "dns": "DNS",
    "mail": "邮件",
    "bastion": "堡垒机",
    "service": "其他网络服务",
    "syslog": "系统日志",
    "journal": "journald",
    "other": "其他",
}
_ROTATED = re.compile(r"([.-]\d{1,4}|[.-]\d{8}(?:\d\d){0,2}|[.-]\d{10}|-\d{4}-\d\d-\d\d)(\.log)?$")
# what else dateformat and people's own scripts append: only where the bare name is there
_DATED = re.compile(
    r"[._-](?:\d{6}|\d{8}|\d{4}([._-])\d\d(?:\1\d\d)?|\d\d([._-])\d\d\2\d{4})"
    r"(?:[._T-]?\d\d(?:[._:-]?\d\d){0,2}|[._-]\d{10})?(\.log)?$"
)


def family_of(path: str) -> str:
    """The family, `other` where the path tells of none."""
    if pod := _POD.match(path):
        return family_of_container(pod[3], pod[2])
    return next((name for name, form in _FAMILIES if re.search(form, path)), "other")


def family_of_container(*names: str) -> str:
    """By the first of the names that tells of one; `other` where none does."""
    for name in names:
        for family, form in _OF_CONTAINERS:
            if re.search(form, name.lower()):
                return family
    return "other"


# they hold the last state of something, no records one after another
_NO_LOG = re.compile(
    r"/(lastlog2?(\.migrated)?|faillog|tallylog|eipp\.log\.xz|README)$|/lastlog2?\.db$"
)


# of each session sudo keeps a folder by its number in base 36, JumpServer a file by its day
_OF_SESSION = re.compile(r"(?:/[0-9A-Z]{2}){3}/log$|(?:/\d{4}-\d\d-\d\d)?/[^/]*$")


def sessions_of(path: str) -> str:
    """The folder that stands for all recordings of sessions in it."""
    return _OF_SESSION.sub("", path) or "/"


def is_log(path: str) -> bool:
    """Does it hold records one after another?"""
    return not _NO_LOG.search(path)


def log_of(path: str, present: Container[str]) -> str:
    """The log that a rotated file comes from; the path itself where it is none.

    `app-20261101.log` comes from `app.log` and `postgresql-2026-11-01.log` of no other file, so
    that a date at the end only counts where the bare name is known or the form is logrotate's.
    """
    if pod := _POD.match(path):
        return pod[1]
    bare = PACKED.sub("", path)
    if match := _DATED.search(bare):
        for log in (bare[: match.start()] + (match[3] or ""), bare[: match.start()]):
            if log in present:
                return log
    match = _ROTATED.search(bare)
    if match:
        log = bare[: match.start()] + (match[2] or "")
        if log in present or not match[2]:
            return log
    return bare if bare in present else path
