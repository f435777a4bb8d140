"""Names that tools write for numbers: services (services(5)), code points of DSCP."""

from __future__ import annotations

PORTS = {
    "ftp-data": 20, "ftp": 21, "ssh": 22, "telnet": 23, "smtp": 25, "domain": 53, "bootps": 67,
    "bootpc": 68, "tftp": 69, "http": 80, "kerberos": 88, "pop3": 110, "sunrpc": 111, "auth": 113,
    "ntp": 123, "epmap": 135, "netbios-ns": 137, "netbios-dgm": 138, "netbios-ssn": 139,
    "imap2": 143, "imap": 143, "snmp": 161, "snmp-trap": 162, "bgp": 179, "ldap": 389,
    "https": 443, "microsoft-ds": 445, "isakmp": 500, "syslog": 514, "dhcpv6-client": 546,
    "dhcpv6-server": 547, "submission": 587, "ipp": 631, "ldaps": 636, "rsync": 873,
    "imaps": 993, "pop3s": 995, "openvpn": 1194, "ms-sql-s": 1433, "nfs": 2049, "mysql": 3306,
    "ms-wbt-server": 3389, "ipsec-nat-t": 4500, "mdns": 5353, "postgresql": 5432, "amqp": 5672,
    "http-alt": 8080, "zabbix-agent": 10050,
}  # fmt: skip
# code points of RFC 2474, 2597, 3246, 5865, 8622
DSCP = {
    **{f"cs{n}": n << 3 for n in range(8)},
    **{f"af{n}{p}": n << 3 | p << 1 for n in range(1, 5) for p in range(1, 4)},
    "be": 0, "df": 0, "ef": 46, "va": 44, "voice-admit": 44, "lephb": 1, "le": 1,
}  # fmt: skip
