"""The sed program that takes out of syslog-ng's configuration what is not quoted and not known.

Of a bare word only these stay: what stands before a parenthesis, the words of the language, small
numbers, the names that statements have, and the first argument of options that are judged by. It
runs when what is quoted has been seen to already.
"""

from __future__ import annotations

from collections.abc import Iterable

_CUT = "redacted"
_EDGE = '[[:space:](){};,"|]'
_WORD = r"[^][:space:](){};,\"'|~]\{1,\}"
# within what is quoted these divide nothing
_HIDDEN = {
    " ": "_",
    "\t": "t",
    "(": "o",
    ")": "c",
    "{": "b",
    "}": "d",
    ";": "s",
    ",": "m",
    "|": "p",
}
_HEADS = ("source", "destination", "filter", "parser", "rewrite", "template", "block", "log",
          "junction", "channel", "options", "python", "if", "else", "elif", "root")  # fmt: skip
_LANGUAGE = (
    "and", "or", "not", "eq", "ne", "lt", "gt", "le", "ge", "yes", "no", "on", "off", "true",
    "false", "final", "fallback", "catchall", "flow-control", "none", "kern", "user", "mail",
    "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp", "local[0-7]",
    "emerg", "panic", "alert", "crit", "err", "error", "warning", "warn", "notice", "info", "debug",
    "udp", "tcp", "tls", r"[a-z]\{1,7\}[.][.][a-z]\{1,7\}", "[.][.]", r"[=!<>&+]\{1,3\}", "#",
    r"-\{0,1\}[0-9]\{1,5\}", r"[0-9]\{1,5\}[KMGkmg][i]\{0,1\}[Bb]\{0,1\}",
)  # fmt: skip
_SIZES = ("size", "length", "limit", "freq", "interval", "time", "lines", "timeout")


def bare_words(kept: Iterable[str]) -> str:
    """`kept` are the options whose first argument stays, as basic expressions."""
    stay = "~k"
    words = [
        *(rf"\({_EDGE}\)\({word}{_EDGE}\)" for word in (*_HEADS, *_LANGUAGE) for _ in "12"),
        *(rf"\({_EDGE}\)\({_WORD}[[:space:]]*(\)" for _ in "12"),
        *(rf"\({_EDGE}~k{head}[[:space:]]\{{1,\}}\)\({_WORD}\)" for head in _HEADS),
        *(rf"\({_EDGE}~k{name}[[:space:]]*([[:space:]]*\)\({_WORD}\)" for name in kept),
        *(rf"\({name}[[:space:]]*([[:space:]]*\)\([0-9]\{{1,12\}}{_EDGE}\)" for name in _SIZES),
    ]
    return "\n".join(
        [
            r"/^|\{0,1\}[[:space:]]*@/b hpz",
            r's/\\"/~e/g',
            *(
                f":hpx{code}\n"
                rf's/^\(\([^"]*"[^"]*"\)*[^"]*"[^"]*\){char if char != "|" else "[|]"}\([^"]*"\)'
                rf"/\1~{code}\3/"
                f"\nt hpx{code}"
                for char, code in _HIDDEN.items()
            ),
            r's/"\([^"]*\)"/~Q\1~Q/g',
            "s/^/ /\ns/$/ /",
            *(rf"s/{word}/\1{stay}\2/g" for word in words),
            rf"s/\({_EDGE}\){_WORD}/\1{_CUT}/g",
            "s/^ //\ns/ $//",
            f's/{stay}//g\ns/~Q/"/g',
            *(f"s/~{code}/{char}/g" for char, code in _HIDDEN.items()),
            r's/~e/\\"/g',
            ":hpz",
        ]
    )


# what may be defined for later: a folder, the name of a host, a number
_DEFINED = (
    r"\/[A-Za-z0-9_.\/-]*",
    r"[a-z0-9-]\{1,40\}\([.][a-z0-9-]\{1,40\}\)\{1,5\}",
    r"[0-9]\{1,5\}",
)
DEFINES = "\n".join(
    [
        "t hpd\n:hpd",
        *(
            rf"s/^\(|\{{0,1\}}[[:space:]]*@{form}\)[[:space:]]*$/\1/"
            "\nt hpy"
            for form in (
                r"version:[[:space:]]*[0-9.]*",
                r"include[[:space:]]*[\"'][^\"']*[\"']",
                r"module[[:space:]]*[a-z0-9_-]*",
                *(
                    rf"define[[:space:]]\{{1,\}}[A-Za-z0-9_.-]*[[:space:]]\{{1,\}}{q}{value}{q}"
                    for value in _DEFINED
                    for q in ("", '"', "'")
                ),
            )
        ),
        r"s/^\(|\{0,1\}[[:space:]]*@define[[:space:]]\{1,\}[\"']\{0,1\}[A-Za-z0-9_.-]*\).*"
        rf"/\1 {_CUT}/",
        "t hpy",
        rf"s/^\(|\{{0,1\}}[[:space:]]*@\).*/\1{_CUT}/",
        ":hpy",
    ]
)
