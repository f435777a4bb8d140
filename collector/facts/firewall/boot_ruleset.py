"""Which services load firewall rules when the host starts, from files that deny something."""

from __future__ import annotations

import re

from collector.facts.base.redaction import NO_REMARKS
from collector.facts.firewall.redaction import RULE_FILES
from collector.facts.system.services import READS as _SERVICE_READS
from collector.facts.system.services import services
from collector.model import Capture, Read, Text, files

# in nft a remark stands behind a rule, too
_BEHIND = r"s/^\([^#\"]*\(\"[^\"]*\"[^#\"]*\)*[[:space:]]\)#.*/\1#/"

READS: tuple[Read, ...] = (
    files(
        "firewall.saved",
        "/etc/nftables.conf",
        "/etc/sysconfig/nftables.conf",
        "/etc/nftables/*.nft",
        "/etc/nftables/*.conf",
        "/etc/nftables.d/*",
        "/etc/iptables/rules.v4",
        "/etc/iptables/rules.v6",
        "/etc/sysconfig/iptables",
        "/etc/sysconfig/ip6tables",
        "/etc/iptables/ipsets",
        "/usr/share/netfilter-persistent/plugins.d/10-ipset",
        "/etc/sysconfig/ipset",
        "/etc/sysconfig/ipset.d/*",
        "/etc/ufw/ufw.conf",
        limit=1 << 18,
        redact=f"{NO_REMARKS}\n{_BEHIND}\n{RULE_FILES}",
        why=Text("启动时加载的规则文件", "the files from which rules are loaded at boot"),
    ),
    *_SERVICE_READS,
)

_SAVED_DENIES = (
    r"^(?::\S+|(?:-P|--policy) \S+) DROP\b"
    r"|^(?:-A|--append|-I|--insert) .*(?:-[jg]|--jump|--goto) (?:DROP|REJECT)\b"
)
_UFW_ON = r"^ENABLED=[\"']?yes"
_NFT_FILES = (
    "/etc/nftables.conf",
    "/etc/sysconfig/nftables.conf",
    "/etc/nftables/",
    "/etc/nftables.d/",
)
_SAVED_FILES = {
    4: ("/etc/iptables/rules.v4", "/etc/sysconfig/iptables"),
    6: ("/etc/iptables/rules.v6", "/etc/sysconfig/ip6tables"),
}


def at_boot(capture: Capture, family: int) -> list[str]:
    """The services that load rules of the family at boot, by files that deny something.

    Raises FactError when services or files could not be seen.
    """
    started = services(capture)
    texts = {
        file.path: re.sub(r"#.*", "", file.text("firewall.saved"))
        for file in capture.read("firewall.saved").present()
    }
    nft = any(
        path.startswith(_NFT_FILES) and _nft_denies(text, family) for path, text in texts.items()
    )
    # the chain that denies may be one INPUT jumps to; what a file comes to, `booted` says
    kept = any(
        re.search(_SAVED_DENIES, texts.get(path, ""), re.MULTILINE) for path in _SAVED_FILES[family]
    )
    ufw = re.search(_UFW_ON, texts.get("/etc/ufw/ufw.conf", ""), re.MULTILINE)
    known = {
        "nftables": nft,
        "netfilter-persistent": kept,
        "iptables" if family == 4 else "ip6tables": kept,
        "ufw": bool(ufw),
        # its default zones deny what they do not name
        "firewalld": True,
    }
    return [name for name, denies in known.items() if denies and started.starts_at_boot(name)]


def loaded_elsewhere(capture: Capture) -> bool:
    """Does firewalld or ufw make rules at boot, from settings that are no rules?"""
    started = services(capture)
    if started.starts_at_boot("firewalld"):
        return True
    texts = {f.path: f for f in capture.read("firewall.saved").present()}
    settings = texts.get("/etc/ufw/ufw.conf")
    if settings is None or not started.starts_at_boot("ufw"):
        return False
    return re.search(_UFW_ON, settings.text("firewall.saved"), re.MULTILINE) is not None


def _nft_denies(text: str, family: int) -> bool:
    # a table that is told no family is of ip (nft(8))
    bare = r"\btable\s+(?:(?:inet|ip)\b|(?!(?:arp|bridge|netdev|ip6)\s)[A-Za-z])"
    tables = r"\btable\s+(?:inet|ip6)\b" if family == 6 else bare
    hook = re.search(r"\bhook\s+(?:input|prerouting|ingress)\b", text)
    return bool(hook and re.search(tables, text) and re.search(r"\b(?:drop|reject)\b", text))
