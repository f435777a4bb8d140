"""What of the settings of log agents leaves a host: an allow-list, by a sed program (ADR 24)."""

from __future__ import annotations

from collector.facts.base.redaction import MASK, any_case, remarks_of_c, values_of

_SECRETS = (
    "pass", "pwd", "secret", "token", "key", "auth", "credential", "header", "licen", "mima",
    "miyao", "kouling",
)  # fmt: skip


# Headers of requests: whatever they are called.
_OF = r"""["']\{0,1\}[[:space:]]*:[[:space:]]*"""
_HEADERS = rf"""/^|[[:space:]-]*["']\{{0,1\}}[A-Za-z0-9_.-]*[Hh]eaders{_OF}$/{{
n
s/^\(|[[:space:]-]*["']\{{0,1\}}[A-Za-z0-9_.-]*{_OF}\)[^[:space:]{{].*/\1redacted/
:h
n
s/^\(|[[:space:]]\{{2,\}}["']\{{0,1\}}[A-Za-z0-9_]*-[A-Za-z0-9_-]*{_OF}\)[^[:space:]{{].*/\1redacted/
th
}}
s/\([Hh][Ee][Aa][Dd][Ee][Rr][Ss]["']\{{0,1\}}[[:space:]]*[:=][[:space:]]*\){{.*/\1{{}}/
s/^\(|[[:space:]-]*["']\{{0,1\}}[Xx]-[A-Za-z0-9-]*["']\{{0,1\}}[[:space:]:=]\{{1,\}}\)[^[:space:]].*/\1redacted/"""


# Of settings only these keep their values, and others numbers and switches; each by what it may
# hold: a plain name (N), a host (H), a URL or host:port (U), paths of files (P), a file's name (F),
# nothing else (S).
_KEPT = {
    "name": "N", "type": "N", "@type": "N",
    "host": "H", "hosts": "H", "address": "H", "bootstrap_servers": "H", "brokers": "H",
    "remote_server": "H",
    "url": "U", "uri": "U", "endpoint": "U", "endpoints": "U",
    "path": "P", "paths": "P", "include": "P", "__path__": "P", "log_path": "P",
    "file_pattern": "F",
    "port": "S", "enabled": "S", "active": "S", "journal": "S",
}  # fmt: skip
_MARK = "~q~"
_S = "[[:space:]]*"
_Q = r"[\"']\{0,1\}"
_NAME = "[A-Za-z_@.][A-Za-z0-9_.@-]*"
_KEY = rf"{_Q}{_NAME}{_Q}"
_STRING = r"\([^\"\\]*\\.\)*[^\"\\]*"
_LINE = rf"^|{_S}\(-[[:space:]]\{{1,\}}\)*"
_SWITCHES = ("[0-9]\\{1,5\\}", "true", "false", "yes", "no", "on", "off")


# What stands ahead of a remark of Alloy: what is quoted, braces, an assignment, no path.
_AHEAD = (
    r"\(\([^\"]*\"[^\"]*\"\)*\([^\"/]*[]{}()[,]\)*\([A-Za-z_[:space:]]*=[^\"/]*\)\{0,1\}"
    r"[[:space:]]\{1,\}\)\{0,1\}"
)


def _ends_of_values() -> list[str]:
    """The last line of a value of several ends in its quote or bracket, and has no name ahead."""
    end = r"[],)}[:space:]]*"
    first = r"[^][:space:]\"'`<{}=:|>(),]"
    assigned = r"""/[:=][[:space:]]*["'`]\{1,3\}""" + end + "$/!"
    return [
        rf"{assigned}s/^\(|[[:space:]]*\)[^\"'`[:space:]][^\"'`]*\({mark}{end}\)$/\1redacted\2/"
        for mark in ('"', "'", "`", '"""', "'''")
    ] + [
        rf"s/^\(|[[:space:]]*\){first}[^][{{}}\"'`=:<>|(),]*\([[:space:]]*[])}}]\{{1,\}},*[[:space:]]*\)$"
        r"/\1redacted\2/"
    ]


def _only_listed() -> list[str]:
    """What is kept has a sign in front of it for a while; connections pass by."""
    outside = r"""[^"'#]*\("[^"]*"[^"'#]*\)*\('[^']*'[^"'#]*\)*"""
    kept = {any_case(n) if n[0].isalpha() else n: kind for n, kind in _KEPT.items()}
    return [
        "s/~[a-z]~/redacted/g",
        *_ends_of_values(),
        rf"s/^\(|{outside}[[:space:]]\)#.*/\1/",
        rf"s#^\(|{_AHEAD}\)//.*#\1#",
        *(rf"s/{_LINE}{_Q}{name}{_Q}[[:space:]:=]/{_MARK}{kind}&/" for name, kind in kept.items()),
        *(
            rf"s/{_LINE}{_KEY}[[:space:]:=]\{{1,\}}{_Q}{value}{_Q},*$/{_MARK}S&/"
            for value in _SWITCHES
        ),
        # members of lists: paths, hosts with their ports, URLs
        rf"s/^|{_S}-*{_S}{_Q}\/[^[:space:]]*$/{_MARK}M&/",
        rf"s/^|{_S}-*{_S}{_Q}[A-Za-z0-9.-]*:[0-9]\{{1,5\}}{_Q},*$/{_MARK}M&/",
        rf"s/^|{_S}-*{_S}{_Q}[a-z]*:\/\/[^[:space:]]*$/{_MARK}M&/",
        # an expression is no address: env("X") + "…"
        rf"/^{_MARK}.*[A-Za-z0-9_](/s/^{_MARK}.//",
        rf"/^{_MARK}.*[\"'][[:space:]]*[+]/s/^{_MARK}.//",
        rf"/^{_MARK}/s#://[^/@[:space:]\"',]*@#://redacted@#g",
        rf"/^{_MARK}/s#\([A-Za-z0-9.-]:[0-9]\{{1,5\}}\)/[^][:space:]\"',]*#\1/redacted#g",
        rf"/^{_MARK}/b hpm",
        rf"s/\({_LINE}{_KEY}{_S}[:=]{_S}\)[^[:space:][{{|>].*/\1redacted/",
        rf"s/\(^|{_S}[A-Za-z_@][A-Za-z0-9_.@-]*[[:space:]]\{{1,\}}\)[^[:space:]:={{|>-].*/\1redacted/",
        rf"s/^\(|{_S}-[[:space:]]\{{1,\}}\)[^][:space:][{{}}\"'|>:=]\{{1,\}}$/\1redacted/",
        rf"s/^\(|{_S}\)[^][:space:]\"'<{{}}=:|>[-]\{{6,\}}$/\1redacted/",
        ":hpm",
        # within braces, and whatever else is quoted
        r"/^|/!b hpn",
        *(
            rf"s/\([{{,]{_S}{_Q}{name}{_Q}{_S}[:=]{_S}\)\"\({_STRING}\)\"/\1{_MARK}{kind}<\2>/g"
            for name, kind in kept.items()
        ),
        rf"s/\([:=]{_S}\)\"{_STRING}\"/\1\"redacted\"/g",
        rf"s/\([:=]{_S}\)'[^']*'/\1'redacted'/g",
        r"/{/s/\([A-Za-z0-9_\"'][:=][[:space:]]\{1,\}\)[^]\"',{}~[ ][^]\"',{}~[ ]*/\1redacted/g",
        rf"/[{{:=]/!s/\"{_STRING}\"/\"redacted\"/g",
        # arguments of functions, and strings wherever they stand: Lua, VRL, javascript
        r"/^|[[:space:]]*</!s/([^()]*)/(redacted)/g",
        rf"s/'\({_NAME}\)'\({_S}[:=]\)/~k~\1~k~\2/g",
        r"s/'[^']*'/'redacted'/g",
        r"s/^\([^']*\('[^']*'[^']*\)*\)'[^']*$/\1'redacted/",
        r"s/~k~\([^~]*\)~k~/'\1'/g",
        ":hpn",
        *_sieve(),
    ]


# Where a word ends.
_END = r"[][:space:][{}\"'`,;=()<>|]"
_WORD = r"[^][:space:][{}\"'`,;=()<>|]"
_AT = "~p~"
_HOST = "[A-Za-z0-9_][A-Za-z0-9_.-]*"
_PORT = r":[0-9]\{1,5\}"
_SCHEME = r"[a-z][a-z0-9+]*:\/\/\(redacted@\)\{0,1\}"
_TREES = (
    "var", "opt", "home", "data[0-9]*", "srv", "usr", "etc", "root", "mnt", "tmp", "run", "proc",
    "sys", "logs*", "media", "www[a-z]*", "export", "u[0-9]*", "volume[0-9]*", "app[a-z]*",
)  # fmt: skip
# A word by what its line may hold: `.` stands for every kind, M for the members of lists.
_MAY: tuple[tuple[str, str], ...] = (
    (".", "redacted"),
    (".", r"[0-9]\{1,5\}"),
    *((".", any_case(word)) for word in _SWITCHES[1:]),
    (".", r"[-:.*+&!?%#$^]\{1,3\}"),
    ("[N]", r"[A-Za-z_][A-Za-z0-9_.-]\{0,30\}"),
    ("[H]", _HOST),
    ("[HUM]", rf"\(redacted@\)\{{0,1\}}{_HOST}{_PORT}"),
    ("[HUM]", rf"\(redacted@\)\{{0,1\}}{_HOST}{_PORT}\/redacted"),
    ("[HUM]", rf"{_SCHEME}{_HOST}"),
    ("[HUM]", rf"{_SCHEME}{_HOST}\/\(redacted\)\{{0,1\}}"),
    ("[HUM]", rf"{_SCHEME}{_HOST}{_PORT}"),
    ("[HUM]", rf"{_SCHEME}{_HOST}{_PORT}\/\(redacted\)\{{0,1\}}"),
    # IPv6 in its brackets
    ("[HUM]", _SCHEME),
    ("[HUM]", "[0-9a-fA-F:.]*:[0-9a-fA-F:.]*"),
    ("[HUM]", rf"{_PORT}\/\(redacted\)\{{0,1\}}"),
    *(("[PMF]", rf"\/{tree}\/{_WORD}*") for tree in _TREES),
    *(("[PMF]", rf"\/{tree}") for tree in _TREES),
    ("[PMF]", rf"{_WORD}*[*]{_WORD}*"),
    ("[F]", r"[A-Za-z][A-Za-z._-]\{0,30\}"),
    ("[PMF]", rf"{_WORD}*\.log"),
)
_NAMED = r"[A-Za-z_@.<$-][A-Za-z0-9_.@$<\/*-]\{0,60\}"


def _begun() -> list[str]:
    """The first word of a line without a dash is the name of a setting or of a block."""
    return [
        f"/^{_MARK}.|/b hpc",
        "/^|/!b hpf",
        f"s/^/{_MARK}O/",
        ":hpc",
        rf"s/\({_MARK}[HU]<[a-z]*:\/\/\)[^\/@>]*@/\1redacted@/g",
        rf"s/\({_MARK}[HU]<{_SCHEME}{_HOST}\({_PORT}\)\{{0,1\}}\)[\/?#][^>]\{{1,\}}>/\1\/redacted>/g",
        "s/$/ /",
        rf"s/^{_MARK}.|[[:space:]]*[[<\/]*[@A-Za-z_][A-Za-z_.]*{_END}/&{_AT}/",
        rf"s/\({_END}\){_AT}/{_AT}\1/",
        rf"/{_AT}/!s/^{_MARK}.|/&{_AT}/",
        ":hpa",
        rf"s/{_AT}\({_END}\{{1,\}}\)/\1{_AT}/",
        rf"/{_AT}$/b hpe",
    ]


def _named() -> list[str]:
    """Names of settings, bare or quoted; who comes to a host, and what is asked of it."""
    of = rf"^\({_MARK}[HUM].*\)"
    bare = rf"s/\([^\"']\){_AT}"
    url = rf"{_SCHEME}{_HOST}"
    asked = r"[\/?#][^[:space:]\"',]\{1,\}"
    return [
        rf"s/\([\"']\){_AT}\({_NAMED}\1[[:space:]]*[:=]\)/\1\2{_AT}/",
        rf"{bare}\({_NAMED}:\)\([[:space:]]\)/\1\2{_AT}\3/",
        rf"{bare}\({_NAMED}[[:space:]]*=\{{1,2\}}\)\([^=]*[^=[:space:]]\)/\1\2{_AT}\3/",
        rf"s/{of}{_AT}[^][:space:][{{}}\"'`,;=()<>|\/@]*@/\1redacted@{_AT}/",
        rf"s/{of}{_AT}\({url}\){asked}/\1\2\/redacted{_AT}/",
        rf"s/{of}{_AT}\({url}{_PORT}\){asked}/\1\2\/redacted{_AT}/",
        rf"s/{_AT}\(\${{[A-Za-z_][A-Za-z0-9_]*}}\)/\1{_AT}/",
    ]


def _sieve() -> list[str]:
    """What has no listed form does not pass, whatever let it stand until here.

    A sign goes through the line word by word; what stands before it is through.
    """
    quoted, alone = list[str](), list[str]()
    for may, word in _MAY:
        only = "" if may == "." else f"/^{_MARK}{may}/"
        end = word.count(r"\(") + 2
        alone.append(rf"{only}s/{_AT}\({word}\)\({_END}\)/\1{_AT}\{end}/")
        quoted.append(rf"s/{_AT}{_MARK}{may}<\({word}\)>/\"\1\"{_AT}/")
    return [
        *_begun(),
        f"/{_AT}{_MARK}/!b hpb",
        *_then(quoted),
        rf"s/{_AT}{_MARK}.<[^>]*>/\"redacted\"{_AT}/",
        ":hpb",
        *_then(_named()),
        *_then(alone),
        rf"s/{_AT}{_WORD}\{{1,\}}/redacted{_AT}/",
        "b hpa",
        ":hpe",
        f"s/ {_AT}$//",
        f"s/^{_MARK}.//",
        ":hpf",
    ]


def _then(steps: list[str]) -> list[str]:
    return [x for step in steps for x in (step, "t hpa")]


def redaction() -> str:
    """Values of settings of every agent, also of those that put a blank between name and value.

    What MASK leaves behind would be an alias in YAML.
    """
    steps = []
    for word in _SECRETS:
        name = "".join(f"[{c.upper()}{c}]" for c in word)
        steps.append(
            rf"s/^\(|[[:space:]-]*[\"']\{{0,1\}}[A-Za-z0-9_.-]*{name}[A-Za-z0-9_.-]*[\"']\{{0,1\}}"
            r"[[:space:]:=]\{1,\}\)[^[[:space:]|>{].*/\1redacted/"
        )
    steps.append(r"s/^\(|[[:space:]]*[Uu][Rr][Ii][[:space:]]\{1,\}\).*/\1redacted/")
    steps.append(r"s#\(https\{0,1\}://[^/[:space:]\"']*/\)[^[:space:]\"']\{1,\}#\1redacted#g")
    steps.append(values_of("licen", "mima", "miyao", "kouling"))
    last = [r"s/\*\*\*/redacted/g", *_only_listed(), ":hpz"]
    of_c = remarks_of_c(_AHEAD)
    # what is wrapped in base64 is no name of a setting
    base64 = r"s/^\(|[[:space:]-]*\)[A-Za-z0-9+\/_.-]\{8,\}=\{1,2\}$/\1redacted/"
    return "\n".join(["/^== links/,$b hpz", base64, of_c, *steps, _HEADERS, MASK, *last])
