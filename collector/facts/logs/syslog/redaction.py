"""The sed programs that mask what the configurations of rsyslog and syslog-ng keep secret."""

from __future__ import annotations

from collector.facts.base.redaction import (
    MASK,
    NO_REMARKS,
    URLS,
    any_case,
    remarks_of_c,
    values_of,
    values_of_short,
)
from collector.facts.logs.syslog.bare_words import DEFINES, bare_words

_WORDS = (
    "pass", "pwd", "secret", "token", "apikey", "api_key", "azure_key", "credential",
    "headervalue", "community",
)  # fmt: skip
_SECRET_OF_NG = (
    "password", "token", "secret", "auth", "api-key", "access-key", "headers", "community",
    "passphrase", "bot-id", "hook-url",
)  # fmt: skip
# Of settings only these keep what is quoted: what judges read, and what is no secret by its nature.
# In front of what stays the programs set a sign for a while; all else that is quoted goes.
_KEPT = (
    "type", "file", "dynafile", "template", "target", "targetsrv", "port", "serverport", "server",
    "broker", "host", "uristr", "azurehost", "protocol", "tcp_framing", "streamdriver",
    "streamdriver.name", "streamdrivermode", "streamdriver.mode", "defaultnetstreamdriver", "tls",
    "config.enabled", "rotation.sizelimit", "name", "load", "mode", "syssock.use", "facility",
    "severity", "ruleset", "workdirectory", "log.file", "log.syslog", "interval", "address",
    "queue.[a-z]*", "action.[a-z]*", "omit[a-z]*", "input[a-z]*", "filecreatemode", "dircreatemode",
    "createdirs", "fileowner", "filegroup", "persiststateinterval", "statefile",
)  # fmt: skip
_KEPT_LEGACY = (
    "includeconfig", "modload", "ruleset[a-z]*", "defaultruleset", "omitlocallogging",
    "inputfile[a-z]*", "inputrunfilemonitor", "workdirectory", "outchannel", "actionqueue[a-z]*",
    "actionexeconly[a-z]*", "actionsendstreamdriver[a-z]*", "defaultnetstreamdriver",
    "resetconfigvariables", "privdropto[a-z]*", "action[a-z]*template", "file[a-z]*", "dir[a-z]*",
    "createdirs", "umask", "repeatedmsgreduction", "maxmessagesize", "ratelimit[a-z]*",
    "imjournal[a-z]*", "imuxsock[a-z]*", "systemlog[a-z]*", "klog[a-z]*", "preservefqdn",
    "actionresume[a-z]*", "mainmsgqueue[a-z]*", "actionfile[a-z]*", "tcp[a-z]*run", "udp[a-z]*run",
    "inputtcp[a-z]*", "udpserver[a-z]*", "allowedsender", "localhostname", "escape[a-z]*",
)  # fmt: skip
_KEPT_NG = (
    "network", "syslog", "tcp", "tcp6", "udp", "udp6", "file", "pipe", "unix-dgram", "unix-stream",
    "sun-streams", "wildcard-file", "base-dir", "base_dir", "filename-pattern", "url", "uri",
    "cluster-url", "cluster_url", "host", "bootstrap-servers", "bootstrap_servers", "address",
    "server", "ip", "localip", "port", "destport", "localport", "transport", "program", "message",
    "match", "type", "value", "netmask", "netmask6", "flags", "facility", "level", "severity",
    "priority", "filter", "source", "destination", "parser", "rewrite", "owner", "group", "dir",
    "ca-dir", "ca_dir", "ca-file", "ca_file", "cert-file", "cert_file", "key-file", "key_file",
    "peer-verify", "peer_verify",
)  # fmt: skip
_MARK = "~q~"
_QUOTED = r"\([^\"\\]*\\.\)*[^\"\\]*"
# what is a remark behind a setting stands outside of quotes
_OUTSIDE = r"""[^"'#]*\("[^"]*"[^"'#]*\)*\('[^']*'[^"'#]*\("[^"]*"[^"'#]*\)*\)*"""
_REMARK = rf"s/^\({_OUTSIDE}[[:space:];)}}]\)#.*/\1#/"
_OF_C = remarks_of_c(rf"\({_OUTSIDE}[[:space:];)}}{{]\)\{{0,1\}}")
_RUN = r"s/[0-9A-Fa-f]\{24,\}/redacted/g"
_BEHIND_HOST = r"s#\(://[^/[:space:]\"']*/\)[^[:space:]\"']\{1,\}#\1redacted#g"


def _spelt(name: str) -> str:
    """In letters of either case; `[a-z]*` stays, and a dot is one."""
    head, tail = name.partition("[a-z]*")[::2]
    some = "[A-Za-z.]*" if "[a-z]*" in name else ""
    return (
        "".join(any_case(c) if c.isalpha() else f"[{c}]" for c in head)
        + some
        + "".join(any_case(c) for c in tail)
    )


def _spelt_ng(name: str) -> str:
    return name.replace("-", "[-_]").replace("_", "[-_]") if "[" not in name else name


def _only(names: tuple[str, ...], before: str, between: str, rest: list[str]) -> list[str]:
    """What is quoted behind one of the names stays; `rest` takes away what else is quoted."""
    return [
        *(
            rf"s/\({start}{_spelt(name)}{between}\)\([\"'`[]\)/\1{_MARK}\2/g"
            for name in names
            for start in ("^", before)
        ),
        *rest,
        f"s/{_MARK}//g",
    ]


_PAIRS = _only(
    _KEPT,
    "[|[:space:](,]",
    "[[:space:]]*=[[:space:]]*",
    [
        # strings of templates have been seen to already
        rf"s/\([^A-Za-z]{_spelt('string')}[[:space:]]*=[[:space:]]*\)\"/\1{_MARK}\"/g",
        rf"s/\([A-Za-z0-9_.][[:space:]]*=[[:space:]]*\)\[\([[:space:],]*\"{_QUOTED}\"\)*[[:space:],]*\]"
        r"/\1[\"redacted\"]/g",
        r"s/\([A-Za-z0-9_.][[:space:]]*=[[:space:]]*\)\[[^]]*\]/\1[\"redacted\"]/g",
        rf"s/\([A-Za-z0-9_.][[:space:]]*=[[:space:]]*\)\"{_QUOTED}\"*/\1\"redacted\"/g",
        r"s/\([A-Za-z0-9_.][[:space:]]*=[[:space:]]*\)'[^']*'*/\1\"redacted\"/g",
        r"s/\([A-Za-z0-9_.][[:space:]]*=[[:space:]]*\)`redacted`/\1\"redacted\"/g",
    ],
)
_TEMPLATE = r"[$]" + any_case("template") + r"[[:space:]]"
# Of a template what it takes from a message; the path of a file stays.
_TEMPLATES = rf"""/{_TEMPLATE}/b hpt
/[[:space:](,|]{any_case("string")}[[:space:]]*=[[:space:]]*"/b hps
b hpu
:hpt
s/\({_TEMPLATE}[^,]*,[[:space:]]*"\)\//\1{_MARK}\//
/{_MARK}/b hpu
s/\\"/_/g
s/\({_TEMPLATE}[^,]*,[[:space:]]*"\)[^%"]*/\1 /
b hpv
:hps
s/\([[:space:](,|]{any_case("string")}[[:space:]]*=[[:space:]]*"\)\//\1{_MARK}\//
/{_MARK}/b hpu
s/\\"/_/g
s/\([[:space:](,|]{any_case("string")}[[:space:]]*=[[:space:]]*"\)[^%"]*/\1 /
:hpv
s/%\([A-Za-z$!.-]*\)[^%"]*%[^%"]*/%\1% /g
:hpu"""
_DIRECTIVES = [
    *(
        rf"s/^\(|\{{0,1\}}[[:space:]]*[$]{_spelt(name)}[[:space:]]\)/{_MARK}\1/"
        for name in (*_KEPT_LEGACY, "template")
    ),
    r"s/^\(|\{0,1\}[[:space:]]*[$][A-Za-z][A-Za-z0-9_]*[[:space:]]\{1,\}\)"
    r"[^[:space:]]*[^[:space:]0-9onfyesONFYES][^[:space:]]*.*/\1redacted/",
    r"s/^\(|\{0,1\}[[:space:]]*[$][A-Za-z][A-Za-z0-9_]*[[:space:]]\{1,\}\)[0-9]\{6,\}.*/\1redacted/",
    # the program of an output channel
    rf"s/^\({_MARK}|\{{0,1\}}[[:space:]]*[$]{_spelt('outchannel')}[^,]*,[^,]*,[^,]*,\).*/\1redacted/",
    f"s/{_MARK}//g",
]
_STRINGS = _only(
    _KEPT_NG,
    "[|[:space:](;{]",
    "[[:space:]]*([[:space:]]*",
    [
        rf"s/^\(|\{{0,1\}}[[:space:]]*@include[[:space:]]*\)\([\"']\)/\1{_MARK}\2/",
        rf"s/^\(|\{{0,1\}}[[:space:]]*@define[[:space:]]*[^[:space:]]*[[:space:]]*\)\([\"'][^\"']*[\"']\)$/\1{_MARK}\2/",
        # what is kept is stepped over, so that its end begins nothing
        rf"s/{_MARK}\"\({_QUOTED}\)\"/{_MARK}<\1>{_MARK}/g",
        rf"s/{_MARK}'\([^']*\)'/{_MARK}<\1>{_MARK}/g",
        rf"s/\"{_QUOTED}\"/\"redacted\"/g",
        r"s/'[^']*'/\"redacted\"/g",
        rf"s/{_MARK}<\([^~]*\)>{_MARK}/\"\1\"/g",
    ],
)
_PLAIN = MASK.replace("***", "redacted")
_COMMON = [
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
# What rsyslogd makes up when it starts: of a setting that is kept it is told that it is so.
_MADE_UP = r"s/\([=(,[:space:]]\)`[^`]*`*/\1`redacted`/g"
_BEFORE = [_MADE_UP, _TEMPLATES, *_PAIRS]
# A string, a list or a setting that goes on below becomes one line, so that what looks for a value
# behind its name finds it. `~l~` stands for the end of a line ahead of the head of another file.
_JOINED = r"""/^== /b hjz
:hja
h
s/\\.//g
:hjq
s/^\([^"']*\)"[^"]*"/\1/
t hjq
s/^\([^"']*\)'[^']*'/\1/
t hjq
/^[^"']*"/b hjs
/=[[:space:]]*'[^']*$/b hjs
/=[[:space:]]*`[^`]*$/b hjs
/=[[:space:]]*\[[^]]*$/b hjl
/[A-Za-z0-9_.][[:space:]]*=[[:space:]]*$/b hjl
g
b hjz
:hjl
g
$b hjz
N
s/\n|\{0,1\}[[:space:]]*#.*/ /
s/\(\n[^"'#]*\("[^"]*"[^"'#]*\)*[],;)}[:space:]]\)#.*/\1/
b hjn
:hjs
g
$b hjz
N
:hjn
s/\n\(== \)/~l~\1/
s#\n.*[*]/#\n#
s/[[:space:]]*\n|\{0,1\}[[:space:]]*/ /
/~l~/!b hja
:hjz"""
_APART = "s/~l~/\\\n/g"
_BEHIND = [
    *_DIRECTIVES,
    values_of(*_WORDS),
    r"s/\(httpheaders[[:space:]]*=[[:space:]]*\[\)[^]]*/\1\"redacted\"/g",
    r"s/\([Pp]assw[A-Za-z]*[[:space:]]\{1,\}\)[^\"=[:space:]][^\"[:space:]]*/\1redacted/g",
    # a user before the host of a forward is no form of rsyslog's
    r"s/\([[:space:]]@\{1,2\}\(([^)]*)\)\{0,1\}\)[^@[:space:];\"]\{1,\}@/\1redacted@/",
    r"s/^\(|\{0,1\}[[:space:]]*set[[:space:]]\{1,\}[$][^=]*=[[:space:]]*\).*/\1\"redacted\";/",
    # what programs are given
    *(
        rf"s/\([Bb]inary[[:space:]]*=[[:space:]]*{q}[^{q}[:space:]]*\)[[:space:]][^{q}]*/"
        r"\1 redacted/g"
        for q in ('"', "'")
    ),
    r"s/^\([^\"']*[[:space:]]\^\)[^[:space:]]*[^A-Za-z0-9_.\/+;[:space:]-].*/\1redacted/",
    r"s/\([[:space:]]\^\/[^[:space:]]*\)[[:space:]].*/\1 redacted/",
    # of a template what it takes from a message, unless it is the path of a file
    r"/constant[[:space:]]*(/s/\(value=\"\)\([^\"\\]\|\\.\)*\"/\1redacted\"/g",
    # :ommysql:HOST,DATABASE,USER,PASSWORD and its older form
    r"s/\(:om[a-z]*:[^,]*,[^,]*,[^,]*,\)[^;[:space:]]*/\1redacted/",
    r"s/\([[:space:]]>[^,]*,[^,]*,[^,]*,\)[^;[:space:]]*/\1redacted/",
    _BEHIND_HOST,
    _RUN,
]
RSYSLOG = "\n".join([_OF_C, NO_REMARKS, _REMARK, _JOINED, *_BEFORE, *_COMMON, *_BEHIND, _APART])
_NG_BELOW = [
    *(
        rf"/{word}[a-z_-]*[[:space:]]*([[:space:]]*$/{{"
        "\nn\n"
        r's/"[^"]*"/"redacted"/'
        "\n}"
        for word in _SECRET_OF_NG
    ),
]
_NG = [
    values_of("password", "secret", "token"),
    # a shell runs it, so that its first word may be a setting; filters hold patterns of names
    r"s/\(program([[:space:]]*[\"']\)[^\"'[:space:]]*[=;<&][^\"']*/\1redacted/g",
    r"s/\(program([[:space:]]*\)[^\"'[:space:])]*[=;<&][^)]*/\1redacted/g",
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
_BARE = bare_words(map(_spelt_ng, _KEPT_NG))
SYSLOG_NG = "\n".join(
    [
        "s/~/-/g",
        NO_REMARKS,
        _REMARK,
        DEFINES,
        *_STRINGS,
        *_COMMON,
        *_NG,
        _BEHIND_HOST,
        _RUN,
        _BARE,
    ]
)
# Of both daemons: files of syslog-ng stand behind a line that says so. What stands elsewhere may be
# either's all the same: only syslog-ng has strings behind a parenthesis.
BOTH = "\n".join(
    [
        "/^== syslog-ng$/,/^== end$/{",
        "/^== syslog-ng$/d",
        "/^|/!b",
        "s/~/-/g",
        NO_REMARKS,
        _REMARK,
        DEFINES,
        *_STRINGS,
        "s/$/~n~/",
        "b hpn",
        "}",
        _OF_C,
        NO_REMARKS,
        _REMARK,
        _JOINED,
        r"/[A-Za-z0-9_-][[:space:]]*([[:space:]]*[\"']/{",
        *_STRINGS,
        "}",
        *_BEFORE,
        *_NG_BELOW,
        ":hpn",
        *_COMMON,
        "/~n~$/b hpm",
        *_BEHIND,
        ":hpm",
        *_NG,
        _BEHIND_HOST,
        _RUN,
        _APART,
        "/~n~$/!b",
        "s/~n~$//",
        _BARE,
    ]
)
