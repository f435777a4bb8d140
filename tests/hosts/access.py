"""Who gets in: accounts, login.defs, TMOUT, and sshd with the defaults of its version.

`sshd -T` prints what servconf.c of that version does: `protocol` before 7.4,
`challengeresponseauthentication` before 8.7, ciphers by version.
"""

from __future__ import annotations

from tests.hosts.facts import Facts
from tests.hosts.root import CLOCK, DAY, Root

_CIPHERS = (
    "chacha20-poly1305@openssh.com,aes128-ctr,aes192-ctr,aes256-ctr,aes128-gcm@openssh.com,"
    "aes256-gcm@openssh.com"
)
_CBC = ",aes128-cbc,aes192-cbc,aes256-cbc,blowfish-cbc,cast128-cbc,3des-cbc"
_MACS = (
    "umac-64-etm@openssh.com,umac-128-etm@openssh.com,hmac-sha2-256-etm@openssh.com,"
    "hmac-sha2-512-etm@openssh.com,hmac-sha1-etm@openssh.com,umac-64@openssh.com,umac-128@openssh.com,"
    "hmac-sha2-256,hmac-sha2-512,hmac-sha1"
)
_KEX = (
    "curve25519-sha256,curve25519-sha256@libssh.org,ecdh-sha2-nistp256,ecdh-sha2-nistp384,"
    "ecdh-sha2-nistp521,diffie-hellman-group-exchange-sha256"
)
_GROUPS = (
    ",diffie-hellman-group16-sha512,diffie-hellman-group18-sha512,diffie-hellman-group14-sha256"
)
_STRONG = {
    "ciphers": "aes256-ctr,aes192-ctr,aes128-ctr",
    "macs": "hmac-sha2-512,hmac-sha2-256",
    "kexalgorithms": "ecdh-sha2-nistp256,ecdh-sha2-nistp384,ecdh-sha2-nistp521",
}
PEOPLE = ("ops", "ops2", "audit1")
"""Two administrators and an auditor; on a host as installed only the first."""


def sshd(root: Root, facts: Facts, pid: int) -> None:
    """sshd_config and what sshd -T makes of it."""
    asked = {"usepam": "yes", "subsystem": "sftp /usr/libexec/openssh/sftp-server"}
    if facts.held:
        asked |= {
            "permitrootlogin": "no",
            "clientaliveinterval": "300",
            "clientalivecountmax": "2",
            "maxauthtries": "4",
            "x11forwarding": "no",
            **_STRONG,
        }
    elif not facts.deb:
        asked |= {"permitrootlogin": "yes", "x11forwarding": "yes"}
    lines = [f"{key} {value}" for key, value in asked.items()]
    folder = facts.openssh >= (8, 2) and facts.dist not in ("ky10", "oe1", "oe2203")
    if folder and (facts.deb or facts.openssh >= (8, 7)):
        lines.insert(0, "Include /etc/ssh/sshd_config.d/*.conf")
        root.folder("/etc/ssh/sshd_config.d")
    root.file("/etc/ssh/sshd_config", "\n".join([*lines, ""]), mode=0o600)
    for key in ("rsa", "ecdsa", "ed25519"):
        root.file(
            f"/etc/ssh/ssh_host_{key}_key.pub", f"ssh-{key} AAAAC3NzaC1lZDI1NTE5AAAAI{key} host\n"
        )
    told = "\n".join(_effective(facts, asked)) + "\n"
    root.says("/usr/sbin/sshd", [("*-T*", told)])
    root.file("/run/sshd.pid", f"{pid}\n", age=99 * DAY)


def _effective(facts: Facts, asked: dict[str, str]) -> list[str]:
    v = facts.openssh
    ciphers, macs, kex = _CIPHERS, _MACS, _KEX
    if v < (7, 6):
        ciphers += _CBC
        kex += (
            ",diffie-hellman-group14-sha256,diffie-hellman-group14-sha1,diffie-hellman-group1-sha1"
        )
    elif v < (8, 2):
        kex += f"{_GROUPS},diffie-hellman-group14-sha1"
    else:
        kex += _GROUPS
    if v >= (9, 0):
        kex = "sntrup761x25519-sha512@openssh.com," + kex
    found = {
        "port": "22",
        **({"protocol": "2"} if v < (7, 4) else {}),
        "addressfamily": "any",
        "listenaddress": "0.0.0.0:22\nlistenaddress [::]:22",
        "usepam": "no",
        "logingracetime": "120",
        "maxauthtries": "6",
        "maxsessions": "10",
        "clientaliveinterval": "0",
        "clientalivecountmax": "3",
        "permitrootlogin": "yes" if v < (7, 0) else "without-password",
        "ignorerhosts": "yes",
        "hostbasedauthentication": "no",
        "pubkeyauthentication": "yes",
        "gssapiauthentication": "no",
        "passwordauthentication": "yes",
        "kbdinteractiveauthentication": "no",
        **({"challengeresponseauthentication": "no"} if v < (8, 7) else {}),
        "printmotd": "no",
        "x11forwarding": "no",
        "permittty": "yes",
        "strictmodes": "yes",
        "tcpkeepalive": "yes",
        "permitemptypasswords": "no",
        "permituserenvironment": "no",
        **({"uselogin": "no", "useprivilegeseparation": "sandbox"} if v < (7, 5) else {}),
        "compression": "yes",
        "gatewayports": "no",
        "usedns": "no",
        "allowtcpforwarding": "yes",
        "pidfile": "/var/run/sshd.pid" if v < (8, 2) else "/run/sshd.pid",
        "ciphers": ciphers,
        "macs": macs,
        "kexalgorithms": kex,
        **(
            {"hostkeyalgorithms": "rsa-sha2-512,rsa-sha2-256,ecdsa-sha2-nistp256,ssh-ed25519"}
            if v >= (7, 0)
            else {}
        ),
        "loglevel": "INFO",
        "syslogfacility": "AUTH" if facts.deb else "AUTHPRIV",
        "authorizedkeysfile": ".ssh/authorized_keys .ssh/authorized_keys2"
        if facts.deb
        else ".ssh/authorized_keys",
        "hostkey": "/etc/ssh/ssh_host_rsa_key\nhostkey /etc/ssh/ssh_host_ed25519_key",
        **({"authenticationmethods": "any"} if v >= (7, 2) else {}),
        **({"pubkeyauthoptions": "none"} if v >= (8, 2) else {}),
        "subsystem": "",
        "maxstartups": "10:30:100",
        "permittunnel": "no",
        "rekeylimit": "0 0",
        "permituserrc": "yes",
    }
    return [f"{key} {asked.get(key, value)}" for key, value in found.items()]


def accounts(root: Root, facts: Facts) -> None:
    """root without a password where hardened, one administrator, one auditor; daemons' own."""
    day = CLOCK // DAY
    fields = "$6$salt$hash" if facts.hashing == "sha512" else "$y$j9T$salt$hash"
    most = 90 if facts.held else 99999
    changed = day - (40 if facts.held else 400)
    passwd = [
        "root:x:0:0:root:/root:/bin/bash",
        "bin:x:1:1:bin:/bin:/sbin/nologin",
        "daemon:x:2:2:daemon:/sbin:/sbin/nologin",
        "sshd:x:74:74:sshd:/var/empty/sshd:/sbin/nologin",
    ]
    shadow = [f"root:{'!!' if facts.held else fields}:{changed}:0:{most}:7:::"]
    shadow += [f"{name}:*:17632:0:99999:7:::" for name in ("bin", "daemon")] + [
        "sshd:!!:18000::::::"
    ]
    people = PEOPLE if facts.held else PEOPLE[:1]
    for number, name in enumerate(people, 1000):
        passwd.append(f"{name}:x:{number}:{number}::/home/{name}:/bin/bash")
        shadow.append(f"{name}:{fields}:{changed}:0:{most}:7:::")
        root.file(f"/home/{name}/.bashrc", "alias ll='ls -l'\n", owner=(number, number))
        root.folder(f"/home/{name}", mode=0o700, owner=(number, number))
    wheel = "sudo" if facts.deb else "wheel"
    group = [
        "root:x:0:",
        "bin:x:1:",
        f"{wheel}:x:10:{','.join(name for name in people if name != 'audit1')}",
        "adm:x:4:",
        "sshd:x:74:",
    ]
    group += [f"{name}:x:{number}:" for number, name in enumerate(people, 1000)]
    root.file("/etc/passwd", "\n".join([*passwd, ""]))
    root.file("/etc/group", "\n".join([*group, ""]))
    root.file("/etc/shadow", "\n".join([*shadow, ""]), mode=0o640 if facts.deb else 0)
    root.file(
        "/etc/sudoers",
        f"Defaults env_reset\nroot ALL=(ALL:ALL) ALL\n%{wheel} ALL=(ALL:ALL) ALL\n"
        + ("audit1 ALL=(root) /usr/bin/ausearch, /usr/bin/aureport\n" if facts.held else ""),
        mode=0o440,
    )
    method = "SHA512" if facts.hashing == "sha512" else "YESCRYPT"
    root.file(
        "/etc/login.defs",
        f"PASS_MAX_DAYS {most}\nPASS_MIN_DAYS 0\nPASS_MIN_LEN 5\nUMASK 077\nENCRYPT_METHOD "
        f"{method}\n",
    )
    bashrc = "/etc/bash.bashrc" if facts.deb else "/etc/bashrc"
    root.file(bashrc, '[ -z "$PS1" ] && return\n' if facts.deb else "umask 022\n")
    root.file(
        "/etc/profile",
        "for i in /etc/profile.d/*.sh; do\n  if [ -r $i ]; then\n    . $i\n  fi\ndone\n",
    )
    if facts.held:
        root.file("/etc/profile.d/tmout.sh", "TMOUT=600\nreadonly TMOUT\nexport TMOUT\n")
