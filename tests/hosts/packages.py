"""Installed packages and what the package manager fetched: rpm(8), dpkg-query(1), caches.

Forms: yum keeps /var/cache/yum/ARCH/RELEASE/REPOSITORY, dnf /var/cache/dnf/REPOSITORY-HASH, libdnf5
/var/cache/libdnf5/REPOSITORY-HASH (dnf 5); updateinfo.xml after the schema of
 createrepo_c, Debian's lists after deb822.
"""

from __future__ import annotations

import gzip

from tests.cases import AT
from tests.hosts.facts import Facts
from tests.hosts.root import CLOCK, DAY, Root

_ADVISORY = """<?xml version="1.0" encoding="UTF-8"?>
<updates>
{updates}</updates>
"""
_UPDATE = """<update from="security" status="final" type="security" version="1.4">
<id>{id}</id><title>An update for {name}</title><severity>{severity}</severity>
<issued date="2026-10-{day:02} 00:00:00"/>
<pkglist><collection><package name="{name}" version="{version}" release="{release}" epoch="0"
 arch="x86_64">
<filename>{name}-{version}-{release}.x86_64.rpm</filename></package></collection></pkglist>
</update>
"""


def _installed(facts: Facts) -> dict[str, str]:
    v = facts.openssh
    ssh = f"{v[0]}.{v[1]}p1-12.{facts.dist}"
    common = {
        "bash": f"5.0-1.{facts.dist}",
        "glibc": f"2.28-1.{facts.dist}",
        "openssh-server": ssh,
        "openssl": f"1.1.1k-9.{facts.dist}",
        "pam": f"{facts.pam}-20.{facts.dist}",
        "libpwquality": f"{facts.pwquality}-3.{facts.dist}",
        "rsyslog": f"{facts.rsyslog}-7.{facts.dist}",
        "kernel": facts.kernel.removesuffix(".x86_64"),
        "audit": f"{facts.audit}-2.{facts.dist}",
    }
    return common | dict(facts.packages)


def packages(root: Root, facts: Facts) -> None:
    if facts.deb:
        _debian(root, facts)
    else:
        _rpm(root, facts)


def _rpm(root: Root, facts: Facts) -> None:
    held = _installed(facts)
    when = CLOCK - (20 if facts.held else 380) * DAY
    rows, q, names, versions = [], [], [], []
    for name, full in sorted(held.items()):
        rows.append(f"{name} (none) {full} x86_64 {when}")
        q.append(f"{name}) printf '%s\\n' \"{name}=${{v}}\";;")
        names.append(name)
        versions.append(f"({name}) v={full.partition('-')[0]};;")
    root.says("/usr/libexec/played/rpm-all", [("*", "\n".join([*rows, ""]))])
    owners = "\n".join(
        f"({path}) echo 'owner {name}';;"
        for path, name in (
            ("/usr/sbin/sshd", "openssh-server"),
            ("/usr/sbin/chronyd", "chrony"),
            ("/usr/sbin/ntpd", "ntp"),
            ("/usr/sbin/rsyslogd", "rsyslog"),
            ("/usr/lib/systemd/systemd", "systemd"),
        )
    )
    version_cases = "\n".join(versions)
    root.program(
        "/usr/bin/rpm",
        f"""case "$1" in
(-qa) exec /usr/libexec/played/rpm-all;;
(-qf) shift 3; for f; do case "$f" in
{owners}
(*) echo "file $f is not owned by any package"; r=1;; esac; done; exit ${{r-0}};;
(-q) f=$3; shift 3; for p; do v=; case "$p" in
{version_cases}
esac
  if [ -z "$v" ]; then echo "package $p is not installed"; r=1
  else case "$f" in ('%{{NAME}}=%{{VERSION}}\\n') echo "$p=$v";; (*) echo "$p";; esac; fi; done
  exit ${{r-0}};;
esac
exit 1
""",
    )
    root.folder("/var/lib/rpm")
    for number, repository in enumerate(facts.repositories):
        updates = ""
        for day, name in enumerate(held, 1):
            version, _, release = held[name].partition("-")
            if not _of(facts, repository, number, name):
                continue
            if name in facts.behind:
                release += ".99"
            updates += _UPDATE.format(
                id=f"SA-2026:{1000 + day}",
                name=name,
                version=version,
                release=release,
                severity="Important",
                day=day % 28 + 1,
            )
        text = _ADVISORY.format(updates=updates)
        fresh = DAY if facts.held else 300 * DAY
        if facts.cache == "yum":
            base = f"/var/cache/yum/x86_64/7/{repository}"
            root.file(f"{base}/repomd.xml", "<repomd/>", age=fresh)
            root.file(f"{base}/cachecookie", "", age=fresh)
            root.file(f"{base}/gen/updateinfo.xml", text, age=fresh)
            continue
        base = f"/var/cache/{facts.cache}/{repository}-0123456789abcdef/repodata"
        root.file(f"{base}/repomd.xml", "<repomd/>", age=fresh)
        root.file(f"{base}/0a1b-primary.xml.gz", gzip.compress(b"<metadata/>", mtime=0), age=fresh)
        if facts.quirks.get("no_updateinfo"):
            continue
        root.file(
            f"{base}/0a1b-updateinfo.xml.gz", gzip.compress(text.encode(), mtime=0), age=fresh
        )


def _of(facts: Facts, repository: str, number: int, name: str) -> bool:
    """Is the package of this repository? The second of two (AppStream) has what is no base."""
    if len(facts.repositories) < 2:
        return True
    second = name in ("rsyslog", "libpwquality")
    return second == (number == 1)


def _debian(root: Root, facts: Facts) -> None:
    held = {
        "libpam-modules": facts.pam,
        "libpwquality1": f"{facts.pwquality}-1",
        "openssh-server": f"1:{facts.openssh[0]}.{facts.openssh[1]}p1-5",
        "openssl": "3.0.11-1",
        "rsyslog": facts.rsyslog + "-1",
        "bash": "5.1-2",
    } | dict(facts.packages)
    shown = "".join(f"installed {name} {version}\n" for name, version in held.items())
    root.says(
        "/usr/bin/dpkg-query",
        [
            ("*db:Status*", shown),
            ("*libpwquality1*", f"libpwquality1={facts.pwquality}-1\nlibpam-modules={facts.pam}\n"),
        ],
    )
    root.file(
        "/var/lib/dpkg/status",
        "Package: bash\nStatus: install ok installed\n",
        age=(10 if facts.held else 380) * DAY,
    )
    root.file("/var/lib/dpkg/info/openssh-server.list", "/.\n/usr/sbin/sshd\n")
    root.file("/var/lib/dpkg/info/chrony.list", "/.\n/usr/sbin/chronyd\n")
    q = facts.quirks
    origin, suite, codename = q["origin"], q["suite"], q["codename"]
    security = q.get("security", f"{codename}-security")
    fresh = AT if facts.held else AT.replace(month=1)
    stamp = fresh.strftime("%a, %d %b %Y %H:%M:%S UTC")
    lists = "/var/lib/apt/lists/mirror.example.org_"
    folder = (
        f"{origin.lower()}-security"
        if "security" not in q and origin == "Debian"
        else origin.lower()
    )
    for place, name, own, label in (
        (origin.lower(), codename, suite, origin),
        (folder, security, f"{suite}-security", q.get("label", origin)),
    ):
        text = (
            f"Origin: {origin}\nLabel: {label}\nSuite: {own}\nCodename: "
            f"{name if 'label' in q else codename}\nDate: {stamp}\nSHA256:\n"
        )
        root.file(f"{lists}{place}_dists_{name}_InRelease", text, age=DAY)
    packages = "".join(
        f"Package: {name}\nVersion: {version}{'+deb1u9' if name in facts.behind else ''}\n\n"
        for name, version in held.items()
    )
    root.file(f"{lists}{folder}_dists_{security}_main_binary-amd64_Packages", packages, age=DAY)
