"""The sed programs that mask what settings about the logs of web servers may keep secret."""

from __future__ import annotations

from collector.facts.base.redaction import FORMS, URLS, values_of

_NAMES = (
    "[Pp][Aa][Ss][Ss]", "[Pp][Ww][Dd]", "[Ss][Ee][Cc][Rr][Ee][Tt]", "[Tt][Oo][Kk][Ee][Nn]",
    "[Kk][Ee][Yy]", "[Cc][Rr][Ee][Dd]",
)  # fmt: skip
# Of a program that takes the log only rotatelogs and cronolog say in their arguments how long it
# is kept.
# Of others the name stays where it is nothing but one: a shell may take what is piped to.
_PROGRAM = r"|[|$]\{0,1\}[[:space:]]*[A-Za-z0-9_.\/+-]*"
PIPES = "\n".join(
    [
        *(
            rf"s/\([\"']\)\({_PROGRAM}{name}2\{{0,1\}}[[:space:]][-A-Za-z0-9_./%:+ ]*[\"']\)"
            r"/\1~q~\2/g"
            for name in ("rotatelogs", "cronolog")
        ),
        rf"s/\"\({_PROGRAM}\)\"/\"~q~\1\"/g",
        rf"s/'\({_PROGRAM}\)'/'~q~\1'/g",
        rf"s/\"\({_PROGRAM}\)[[:space:]]\([^\"\\]*\\.\)*[^\"\\]*\"/\"~q~\1 ***\"/g",
        rf"s/'\({_PROGRAM}\)[[:space:]]\([^'\\]*\\.\)*[^'\\]*'/'~q~\1 ***'/g",
        r"s/\"|\([^\"\\]*\\.\)*[^\"\\]*\"/\"|***\"/g",
        r"s/'|\([^'\\]*\\.\)*[^'\\]*'/'|***'/g",
        r"/[Ll]og[[:space:]]/s/\([[:space:]]|\)[^[:space:]\"']*[=;?<&$][^[:space:]\"']*/\1***/g",
        r"s/\([\"']\)~q~|/\1|/g",
    ]
)
XML = "\n".join(
    [
        "s/<!--[^>]*-->/<!-- -->/g",
        *(rf's/\({name}[A-Za-z0-9_.-]*="\)[^"]*/\1***/g' for name in _NAMES),
    ]
)
# A format stays as the programs of `directives` leave it: records are compared with it.
WEB_SERVERS = "\n".join(
    [
        r"/^+[[:space:]]*[Ll]og_\{0,1\}[Ff]ormat[[:space:]]/b",
        r"/^+[[:space:]]*accesslog\.format[[:space:]=]/b",
        URLS,
        FORMS,
        PIPES,
        XML,
        *(
            rf"s/^\(+[Dd]efine[[:space:]]\{{1,\}}[^[:space:]]*{name}[^[:space:]]*[[:space:]]\{{1,\}}\).*"
            r"/\1***/"
            for name in _NAMES
        ),
        r"s/^\(+[[:space:]]*[Uu]se[[:space:]]\{1,\}[^[:space:]]*\).*/\1/",
        r's/"expr=\([^"\\]*\\.\)*[^"\\]*"/"expr=***"/g',
        r"s/'expr=[^']*'/'expr=***'/g",
        r's/\([[:space:]]expr=\)[^"*[:space:]].*/\1***/',
        # a part of a path that nobody could guess
        r"s#^\(+{[[:space:]].*[/^]\)[A-Za-z0-9_-]\{20,\}#\1***#",
        values_of("authorization", mark="***"),
    ]
)
