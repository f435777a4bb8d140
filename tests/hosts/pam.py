"""PAM stacks and what their modules read, in the layout of each family.

Forms: EL 7 (system-auth-ac with pam_faillock's arguments), authselect's profile `minimal` (EL 8 and
later), openEuler and Kylin (arguments in system-auth, no authselect; the package itself locks for a
minute), Debian's pam-auth-update, UOS (pam_deepin_pw_check).
"""

from __future__ import annotations

from tests.hosts.facts import Facts
from tests.hosts.root import Root

_CLIENT = ("auth", "account", "password", "session")


def pam(root: Root, facts: Facts) -> None:
    """The stacks in the family's layout, and what its modules read."""
    folder = "/usr/lib/x86_64-linux-gnu/security" if facts.deb else "/usr/lib64/security"
    deepin = facts.pam_form == "deepin"
    quality = "pam_deepin_pw_check" if deepin else "pam_pwquality"
    held = facts.held
    lock = "deny=5 unlock_time=900 even_deny_root root_unlock_time=900"
    own = "" if facts.faillock_conf else f" {lock}"
    modules = ["pam_unix", "pam_pwhistory", "pam_systemd"]
    if held or not facts.deb:
        modules.append(quality)
    tally = facts.quirks.get("tally2")
    modules.append("pam_tally2" if tally else "pam_faillock")
    for name in modules:
        text = (
            "ELF /etc/security/faillock.conf"
            if name == "pam_faillock" and facts.faillock_conf
            else "ELF"
        )
        root.file(f"{folder}/{name}.so", text, mode=0o755)
    if facts.faillock_conf and not tally:
        root.file(
            "/etc/security/faillock.conf",
            "deny = 5\nunlock_time = 900\neven_deny_root\nroot_unlock_time = 900\n"
            if held
            else "# deny = 3\n",
        )
    if not deepin:
        # where kinds give credit by themselves, they are asked for one by one
        kinds = "minclass = 3\n"
        if facts.pwquality < "1.4" and not facts.quirks.get("minclass_alone"):
            kinds = "".join(f"{kind}credit = -1\n" for kind in "dulo")
        root.file(
            "/etc/security/pwquality.conf",
            f"minlen = 10\n{kinds}enforce_for_root\n" if held else "# minlen = 8\n",
        )
    else:
        root.file(
            "/etc/deepin/dde.conf",
            "[Password]\nSTRONG_PASSWORD = true\nPASSWORD_MIN_LENGTH = 8\n"
            "PASSWORD_MAX_LENGTH = 510\n"
            "VALIDATE_POLICY = 1234567890;abcdefghijklmnopqrstuvwxyz;ABCDEFGHIJKLMNOPQRSTUVWXYZ;"
            "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~/\n"
            "VALIDATE_REQUIRED = 3\nPALINDROME_NUM = 4\nWORD_CHECK = 1\n",
        )
    if facts.family == "deb":
        _debian(root, facts, quality, lock)
    else:
        _redhat(root, facts, quality, own)
    for name in ("passwd", "chpasswd"):
        include = (
            "@include common-password\n" if facts.deb else "password   substack     system-auth\n"
        )
        root.file(f"/etc/pam.d/{name}", include)


def _redhat(root: Root, facts: Facts, quality: str, own: str) -> None:
    stock = facts.pam_form == "euler" and not facts.held
    lock = facts.held or stock
    if stock:
        # what openEuler's pam package writes
        own = " audit deny=3 even_deny_root unlock_time=60"
    retry = "retry=3 authtok_type=" if facts.pam_form == "el7" else "local_users_only retry=3"
    if facts.quirks.get(
        "root_too", facts.pam_form == "deepin" or (facts.pam_form == "el7" and facts.held)
    ):
        retry += " enforce_for_root"
    auth = [
        "auth        required      pam_env.so",
        "auth        required      pam_faildelay.so delay=2000000",
    ]
    if lock:
        auth.append(f"auth        required      pam_faillock.so preauth silent{own}")
    auth.append(
        f"auth        sufficient    pam_unix.so {'nullok ' if not lock else ''}try_first_pass"
    )
    if lock:
        die = "[default=die]" if facts.pam_form in ("el7", "euler", "deepin") else "required     "
        auth.append(f"auth        {die} pam_faillock.so authfail{own}")
    auth.append("auth        required      pam_deny.so")
    account = ["account     required      pam_faillock.so"] if lock else []
    account += [
        "account     required      pam_unix.so",
        "account     sufficient    pam_localuser.so",
        "account     required      pam_permit.so",
    ]
    password = [
        f"password    requisite     {quality}.so try_first_pass {retry}",
        "password    sufficient    pam_unix.so sha512 shadow try_first_pass use_authtok",
        "password    required      pam_deny.so",
    ]
    session = [
        "session     optional      pam_keyinit.so revoke",
        "session     required      pam_limits.so",
        "-session    optional      pam_systemd.so",
        "session     required      pam_unix.so",
    ]
    text = "\n".join([*auth, *account, *password, *session, ""])
    for name in ("system-auth", "password-auth"):
        if facts.pam_form == "el7":
            root.file(f"/etc/pam.d/{name}-ac", text)
            root.link(f"/etc/pam.d/{name}", f"{name}-ac")
        elif facts.pam_form == "authselect":
            root.file(f"/etc/authselect/{name}", text)
            root.link(f"/etc/pam.d/{name}", f"/etc/authselect/{name}")
        else:
            root.file(f"/etc/pam.d/{name}", text)
    for name, stack in (
        ("sshd", "password-auth"),
        ("login", "system-auth"),
        ("su", "system-auth"),
        ("sudo", "system-auth"),
        ("crond", "password-auth"),
    ):
        lines = [
            f"{kind:<10} {'substack' if kind == 'auth' else 'include':<12} {stack}"
            for kind in _CLIENT
        ]
        if name in ("sshd", "login"):
            lines.insert(3, "session    required     pam_loginuid.so")
        if name == "su":
            lines.insert(0, "auth       sufficient   pam_rootok.so")
        root.file(f"/etc/pam.d/{name}", "\n".join([*lines, ""]))


def _debian(root: Root, facts: Facts, quality: str, lock: str) -> None:
    hashing = "yescrypt" if facts.hashing == "yescrypt" else "sha512"
    if facts.quirks.get("tally2"):
        auth = [
            f"auth required pam_tally2.so onerr=fail audit silent {lock}" if facts.held else "",
            "auth [success=1 default=ignore] pam_unix.so nullok_secure",
        ]
        account = ["account required pam_tally2.so"] if facts.held else []
    else:
        auth = (
            [
                "auth required pam_faillock.so preauth",
                "auth [success=2 default=ignore] pam_unix.so nullok",
                "auth [default=die] pam_faillock.so authfail",
            ]
            if facts.held
            else ["auth [success=1 default=ignore] pam_unix.so nullok"]
        )
        account = ["account required pam_faillock.so"] if facts.held else []
    auth += ["auth requisite pam_deny.so", "auth required pam_permit.so"]
    account += [
        "account [success=1 new_authtok_reqd=done default=ignore] pam_unix.so",
        "account requisite pam_deny.so",
        "account required pam_permit.so",
    ]
    before = facts.held or facts.pam_form == "deepin"
    password = [f"password requisite {quality}.so retry=3"] if before else []
    password += [
        "password [success=1 default=ignore] pam_unix.so obscure "
        f"{'use_authtok try_first_pass ' if before else ''}{hashing}",
        "password requisite pam_deny.so",
        "password required pam_permit.so",
    ]
    session = [
        "session [default=1] pam_permit.so",
        "session requisite pam_deny.so",
        "session required pam_permit.so",
        "session required pam_unix.so",
        "session optional pam_systemd.so",
    ]
    for name, lines in (
        ("auth", auth),
        ("account", account),
        ("password", password),
        ("session", session),
    ):
        root.file(f"/etc/pam.d/common-{name}", "\n".join([*(line for line in lines if line), ""]))
    for name in ("sshd", "login", "su", "sudo", "cron"):
        lines = [
            f"@include common-{kind}"
            for kind in _CLIENT
            if kind != "password" or name in ("sshd", "login")
        ]
        if name in ("sshd", "login"):
            lines.insert(2, "session required pam_loginuid.so")
        if name == "su":
            lines.insert(0, "auth sufficient pam_rootok.so")
        root.file(f"/etc/pam.d/{name}", "\n".join([*lines, ""]))
