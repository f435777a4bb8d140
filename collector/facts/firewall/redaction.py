"""The sed programs that mask words of people in firewall rules, on the host itself."""

from __future__ import annotations

from collector.facts.base.redaction import QUOTED

# Options of iptables whose value is a word of people, or bytes that are looked for in packets.
_SAID_BY_RULES = (
    "comment", "string", "hex-string", "log-prefix", "nflog-prefix", "ulog-prefix", "label",
    "bytecode",
)  # fmt: skip

# Remarks and prefixes of rules: nobody judges them, and they hold names, tickets and worse.
REMARKS = "\n".join(
    [
        *(rf's/\("{word}":[[:space:]]*"\){QUOTED}"/\1***"/g' for word in ("comment", "prefix")),
        *(
            step
            for option in _SAID_BY_RULES
            for step in (
                rf's/\(--{option}[[:space:]=]*"\){QUOTED}"/\1***"/g',
                rf"s/\(--{option}[[:space:]=]*'\)[^']*'/\1***'/g",
                rf"""s/\(--{option}[[:space:]=]\{{1,\}}\)[^"'[:space:]][^[:space:]]*/\1***/g""",
            )
        ),
        *(
            step
            for word in ("comment", "prefix")
            for step in (
                rf's/\({word}[[:space:]]\{{1,\}}"\){QUOTED}"/\1***"/g',
                rf's/\([[:space:];]{word}[[:space:]]\{{1,\}}\)[^-$"*\\[:space:];][^[:space:];]*/\1***/g',
            )
        ),
    ]
)

# A variable of nft: addresses, numbers, names of devices and of services stay.
_DEFINE = r"[[:space:]]*\(re\)\{0,1\}define[[:space:]]"
_DEFINES = rf"""/^{_DEFINE}[^{{]*{{[^}}]*$/,/}}/b hpd
/^{_DEFINE}.*\\$/,/[^\\]$/b hpd
/[;[:space:]]{_DEFINE}/b hpd
/^{_DEFINE}/b hpd
b hpe
:hpd
s/`/ /g
s/^/`/
s/`\(.*define[[:space:]]\{{1,\}}[A-Za-z0-9_/\\.]*[[:space:]]*=\)/\1`/
:hpn
s/`\([],;=!#{{}}*\\[:space:]-]\{{1,\}}\)/\1`/
t hpn
s/`\(\$[A-Za-z0-9_]*\)/\1`/
t hpn
s/`\("\{{0,1\}}\([a-z]\{{1,7\}}[0-9]\{{0,4\}}\)\{{1,3\}}[*]\{{0,1\}}"\{{0,1\}}\)\([],;={{}}[:space:].-]\)/\1`\3/
t hpn
s/`\("\{{0,1\}}\([a-z]\{{1,7\}}[0-9]\{{0,4\}}\)\{{1,3\}}[*]\{{0,1\}}"\{{0,1\}}\)$/\1`/
t hpn
s/`\([0-9.]\{{1,15\}}[:0-9.\/]*\)\([],;={{}}[:space:]-]\)/\1`\2/
t hpn
s/`\([0-9.]\{{1,15\}}[:0-9.\/]*\)$/\1`/
t hpn
s/`\([0-9a-fA-F]\{{0,4\}}:[0-9a-fA-F:.]\{{0,40\}}\/\{{0,1\}}[0-9]\{{0,3\}}\)\([],;={{}}[:space:]-]\)/\1`\2/
t hpn
s/`\([0-9a-fA-F]\{{0,4\}}:[0-9a-fA-F:.]\{{0,40\}}\/\{{0,1\}}[0-9]\{{0,3\}}\)$/\1`/
t hpn
s/`"[^"]*"/"***"`/
t hpn
s/`[^],;={{}}[:space:]]\{{1,\}}/***`/
t hpn
s/`//
:hpe"""
# What stands in quotes in a file of rules must be a name or a path.
_IN_QUOTES = r"""s/"\([A-Za-z0-9_.@*\/:+-]*\)"/`q\1`q/g
s/"[^"`]*"/"***"/g
s/`q/"/g"""
RULE_FILES = f"{REMARKS}\n{_DEFINES}\n{_IN_QUOTES}"
