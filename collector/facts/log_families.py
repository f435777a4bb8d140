"""Which family a log belongs to, and which log a rotated file comes from: by their paths."""

from __future__ import annotations

import re
from collections.abc import Container

# the first that matches decides; the kinds are those of 公安部令第82号 art. 7 and of GB/T 22239
_FAMILIES: tuple[tuple[str, str], ...] = (
    ("login", r"/(wtmp|btmp|secure|auth\.log|wtmp\.db)$"),
    ("audit", r"/audit/"),
    ("packages", r"/(dpkg|alternatives|yum|dnf(\.\w+)?|hawkey)\.log$|/apt/|/zypp/|/up2date$"),
    ("web", r"/(nginx|httpd|apache2?|openresty|caddy|tomcat\d*|lighttpd|wwwlogs)/|/nginx/logs/"),
    ("database", r"/(mysqld?|mariadb|postgresql|redis|mongo(db)?|dameng|kingbase)[/.-]|/mysqld"),
    ("firewall", r"/(firewalld|ufw\.log|iptables|fail2ban\.log)"),
    ("vpn", r"/(openvpn|ipsec|strongswan|wireguard|xl2tpd)"),
    ("dns", r"/(named|bind|unbound|dnsmasq)"),
    ("mail", r"/(mail(log|\.\w+)?|exim4?|dovecot|postfix)(/|$|\.log)"),
    ("syslog", r"/(syslog|messages|kern(\.log)?|daemon\.log|user\.log|cron(\.log)?|debug)$"),
)
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
    "syslog": "系统日志",
    "journal": "journald",
    "other": "其他",
}
_PACKED = re.compile(r"\.(gz|xz|bz2|zst|Z|lz4)$")
_ROTATED = re.compile(r"([.-]\d{1,4}|[.-]\d{8}(?:\d\d){0,2}|[.-]\d{10}|-\d{4}-\d\d-\d\d)(\.log)?$")


def family_of(path: str) -> str:
    """The family, `other` where the path tells of none."""
    return next((name for name, form in _FAMILIES if re.search(form, path)), "other")


# they hold the last state of something, no records one after another
_NO_LOG = re.compile(r"/(lastlog2?|faillog|tallylog|eipp\.log\.xz|README)$|/lastlog2?\.db$")


def is_log(path: str) -> bool:
    """Does it hold records one after another?"""
    return not _NO_LOG.search(path)


def log_of(path: str, present: Container[str]) -> str:
    """The log that a rotated file comes from; the path itself where it is none.

    `app-20261101.log` comes from `app.log` and `postgresql-2026-11-01.log` of no other file, so
    that a date at the end only counts where the bare name is known or the form is logrotate's.
    """
    bare = _PACKED.sub("", path)
    match = _ROTATED.search(bare)
    if match:
        log = bare[: match.start()] + (match[2] or "")
        if log in present or not match[2]:
            return log
    return bare if bare in present else path
