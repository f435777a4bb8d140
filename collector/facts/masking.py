"""The sed program that masks secrets in command lines, scripts and settings, on the host itself.

It would rather mask too much than too little: `-p22` becomes `-p***`. POSIX basic expressions
only, so that GNU, busybox and toybox sed all take it.
"""

from __future__ import annotations

_WORDS = ("PASS", "PWD", "SECRET", "TOKEN", "KEY", "CREDENTIAL", "PSW")
_NAME = r"[A-Za-z0-9_.-]*"


def _any_case(word: str) -> str:
    return "".join(f"[{c}{c.lower()}]" for c in word)


def _assignments() -> list[str]:
    steps = []
    for word in _WORDS:
        name = rf"\({_any_case(word)}{_NAME}[\"']\{{0,1\}}[[:space:]]*[=:][[:space:]]*\)"
        steps += [
            rf"s/{name}\"[^\"]*\"/\1***/g",
            rf"s/{name}'[^']*'/\1***/g",
            rf"s/{name}[\"'].*/\1***/",
            rf"s/{name}[^[:space:];|&\"'*][^[:space:];|&]*/\1***/g",
        ]
    return steps


def _options() -> list[str]:
    """Options whose value is the next word: `--password X`, `sshpass -p X`, `curl -u X` …"""
    steps = []
    for word in ("password", "passphrase", "pass", "secret", "token", "secret-key", "access-key"):
        steps.append(rf"s/\(--{word}[[:space:]]\{{1,\}}\)[^-[:space:]][^[:space:]]*/\1***/g")
    for tool, option in (
        ("sshpass", "p"),
        ("mongo[a-z]*", "p"),
        ("redis-cli", "a"),
        ("curl", "u"),
        ("lftp", "u"),
        ("smbclient", "U"),
        ("openssl", "k"),
        ("openssl", "K"),
        ("zip", "P"),
        ("ldap[a-z]*", "w"),
    ):
        steps.append(
            rf"s/\({tool}[[:space:]][^|;]*-{option}[[:space:]]\{{1,\}}\)[^[:space:]]\{{1,\}}/\1***/"
        )
    return steps


MASK = "\n".join(
    [
        "/-----BEGIN/,/-----END/d",
        r"s#\(://[^/:@[:space:]]*\):[^[:space:]]*@#\1:***@#g",
        r"s/\([Bb]earer[[:space:]]\{1,\}\)[^[:space:]\"']\{1,\}/\1***/g",
        r"s/\([[:space:]\"']-p\)'[^']*'/\1***/g",
        r"s/\([[:space:]\"']-p\)\"[^\"]*\"/\1***/g",
        r"s/\([[:space:]\"']-p\)[^-[:space:]*][^[:space:]]*/\1***/g",
        *_options(),
        *_assignments(),
    ]
)
