"""The sed programs that mask what the configurations of rsyslog and syslog-ng keep secret."""

from __future__ import annotations

from collector.facts.base.redaction import MASK, NO_REMARKS, URLS, values_of, values_of_short

_WORDS = (
    "pass", "pwd", "secret", "token", "apikey", "api_key", "azure_key", "credential",
    "headervalue", "community",
)  # fmt: skip
_SECRET_OF_NG = (
    "password", "token", "secret", "auth", "api-key", "access-key", "headers", "community",
    "passphrase", "bot-id", "hook-url",
)  # fmt: skip
_PLAIN = MASK.replace("***", "redacted")
_COMMON = [
    NO_REMARKS,
    URLS,
    _PLAIN,
    *values_of_short("redacted"),
    r"s/\([Aa]uthorization[:=][[:space:]]*\)[^\"]*/\1redacted/g",
    r"s/\([Bb]earer[[:space:]]\{1,\}\)[^[:space:]\"]\{1,\}/\1redacted/g",
    # the customer's token of a log service, in the place of structured data
    r"s/\[[^][@[:space:]\"]\{1,\}@\([0-9]\{1,\}\)[^]]*\]/[redacted@\1]/g",
    r"s/\[[^][@[:space:]\"]\{1,\}@\([^@]\)/[redacted@\1/g",
    r"s/\(--[a-z-]*token[[:space:]=]\{1,\}\)[^[:space:]\"]*/\1redacted/g",
]
RSYSLOG = "\n".join(
    [
        *_COMMON,
        values_of(*_WORDS),
        r"s/\(httpheaders[[:space:]]*=[[:space:]]*\[\)[^]]*/\1\"redacted\"/g",
        r"s/\([Pp]assw[A-Za-z]*[[:space:]]\{1,\}\)[^\"=[:space:]][^\"[:space:]]*/\1redacted/g",
        r"s/^\([[:space:]]*set[[:space:]]\{1,\}[$][^=]*=[[:space:]]*\).*/\1\"redacted\";/",
        # what programs are given
        *(
            rf"s/\([Bb]inary[[:space:]]*=[[:space:]]*{q}[^{q}[:space:]]*\)[[:space:]][^{q}]*/"
            r"\1 redacted/g"
            for q in ('"', "'")
        ),
        r"s/\([[:space:]]\^\/[^[:space:]]*\)[[:space:]].*/\1 redacted/",
        r"s/\([Rr]estpath[[:space:]]*=[[:space:]]*\"[^\"?]*?\)[^\"]*/\1redacted/g",
        # :ommysql:HOST,DATABASE,USER,PASSWORD and its older form
        r"s/\(:om[a-z]*:[^,]*,[^,]*,[^,]*,\)[^;[:space:]]*/\1redacted/",
        r"s/\([[:space:]]>[^,]*,[^,]*,[^,]*,\)[^;[:space:]]*/\1redacted/",
    ]
)
SYSLOG_NG = "\n".join(
    [
        *(
            rf"/{word}[a-z_-]*[[:space:]]*([[:space:]]*$/{{"
            "\nn\n"
            r's/"[^"]*"/"redacted"/'
            "\n}"
            for word in _SECRET_OF_NG
        ),
        *_COMMON,
        values_of("password", "secret", "token"),
        r"s/\(program([[:space:]]*[\"'][^\"'[:space:]]*\)[[:space:]][^\"')]*/\1 redacted/g",
        *(
            step
            for word in _SECRET_OF_NG
            for step in (
                rf"s/\({word}[a-z_-]*[[:space:]]*([[:space:]]*\)\"[^\"]*\"/\1redacted/g",
                rf"s/\({word}[a-z_-]*[[:space:]]*([[:space:]]*\)'[^']*'/\1redacted/g",
                rf"s/\({word}[a-z_-]*[[:space:]]*([[:space:]]*\)[^[:space:]\"')][^)]*/\1redacted/g",
            )
        ),
        # options("token" "VALUE"), options("token" => "VALUE")
        *(
            rf"s/\(\"[^\"]*{word}[^\"]*\"[[:space:]]*\(=>\)\{{0,1\}}[[:space:]]*\)\"[^\"]*\""
            r"/\1redacted/g"
            for word in ("[Pp]ass", "[Tt]oken", "[Ss]ecret", "[Kk]ey")
        ),
        *(
            rf"s/^\(|\{{0,1\}}@define[[:space:]]\{{1,\}}[^[:space:]]*{word}[^[:space:]]*\).*"
            r"/\1 redacted/"
            for word in ("[Pp][Aa][Ss][Ss]", "[Tt][Oo][Kk][Ee][Nn]", "[Ss][Ee][Cc][Rr][Ee][Tt]")
        ),
    ]
)
