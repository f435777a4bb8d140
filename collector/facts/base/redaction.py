"""The sed programs that mask secrets on the host itself, before anything of it leaves.

They would rather mask too much than too little: `-p22` becomes `-p***`. POSIX basic expressions
only, without alternation, so that GNU, busybox and toybox sed all take them.
"""

from __future__ import annotations

# The last three are passwords and keys in pinyin.
WORDS_OF_SECRETS = (
    "PASS", "PWD", "SECRET", "TOKEN", "KEY", "CREDENTIAL", "PSW", "SIGNATURE", "MIMA", "MIYAO",
    "KOULING",
)  # fmt: skip
# These are too short to be looked for inside other words.
_SHORT = ("PW", "PIN", "OTP", "SIG", "AK", "SK")
_NAME = r"[A-Za-z0-9_.-]*"
# what stands between double quotes, escaped ones included
QUOTED = r"\([^\"\\]*\\.\)*[^\"\\]*"
_GAP = r"[[:space:]]\{1,\}"
_VALUE = r"[^[:space:]]\{1,\}"


def any_case(word: str) -> str:
    """A basic expression for the word in letters of either case."""
    return "".join(f"[{c.upper()}{c.lower()}]" if c.isascii() else c for c in word)


# The user stays, for it tells where a repository lies.
URLS = r"""s#\(://[^/:@[:space:]]*\):[^[:space:]]*@#\1:***@#g
s#://[A-Za-z0-9_.%~-]\{20,\}@#://***@#g"""


def values_of(*words: str, mark: str = "redacted") -> str:
    """Masks the values of settings whose name holds one of `words`; quotes and form stay."""
    steps = []
    for word in words:
        name = rf"\({any_case(word)}{_NAME}[\"']\{{0,1\}}[[:space:]]*[=:][[:space:]]*"
        steps += [
            rf"s/{name}\"\){QUOTED}\"/\1{mark}\"/g",
            rf"s/{name}'\)[^']*'/\1{mark}'/g",
            rf"s/{name}[\"']\)[^\"']*$/\1{mark}/",
            rf"s/{name}\)[^[:space:];|&,\"'\[({{][^[:space:];|&,\"')}}]*/\1{mark}/g",
        ]
    return "\n".join(steps)


def _named() -> list[str]:
    names = [f"{any_case(word)}{_NAME}" for word in WORDS_OF_SECRETS]
    return names + [f"{start}{any_case(w)}" for w in _SHORT for start in ("^", "[^A-Za-z]")]


def _assignments(names: list[str], mark: str = "[=:]") -> list[str]:
    steps = []
    for named in names:
        name = rf"\({named}[\"']\{{0,1\}}[[:space:]]*{mark}[[:space:]]*\)"
        steps += [
            rf"s/{name}\"{QUOTED}\"/\1***/g",
            rf"s/{name}'[^']*'/\1***/g",
            rf"s/{name}[\"'].*/\1***/",
            rf"s/{name}[^[:space:];|&\"'*][^[:space:];|&]*/\1***/g",
        ]
    return steps


def _below() -> list[str]:
    """YAML: the value stands on the line below its name."""
    steps = []
    for word in WORDS_OF_SECRETS:
        name = rf"^[|[:space:]-]*[\"']\{{0,1\}}{_NAME}{any_case(word)}{_NAME}[\"']\{{0,1\}}"
        steps += [
            # CR LF, and a remark behind it
            rf"/{name}[[:space:]]*:[[:space:]]*[|>]\{{0,1\}}[-+0-9]*[[:space:]]*\(#.*\)\{{0,1\}}$/{{",
            "n",
            "/-----BEGIN/!s/[^|[:space:]-].*/***/",
            "}",
        ]
    return steps


# `--password X`: long options whose value is the next word
_LONG_OPTIONS = (
    "password",
    "password-command",
    "passphrase",
    "pass",
    "secret",
    "token",
    "secret-key",
    "access-key",
    "apikey",
    "api-key",
    "-pin",
    "-pw",
    "otp",
)
# `sshpass -p X`, `curl -u X`: tools, and options of theirs whose value is the next word
_OPTIONS_OF = (
    ("sshpass", "p"),
    ("mongo[a-z]*", "p"),
    ("cqlsh", "p"),
    ("login", "p"),
    ("useradd", "p"),
    ("usermod", "p"),
    ("redis-cli", "a"),
    ("curl", "u"),
    ("curl", "U"),
    ("lftp", "u"),
    ("smbclient", "U"),
    ("openssl", "k"),
    ("openssl", "K"),
    ("zip", "P"),
    ("isql", "P"),
    ("bcp", "P"),
    ("sqlcmd", "P"),
    ("ldap[a-z]*", "w"),
    ("ldap[a-z]*", "y"),
    ("gs_[a-z]*", "W"),
    ("[gk]sql", "W"),
    ("sys_[a-z]*", "W"),
    ("ipmitool", "P"),
    ("ossutil[0-9]*", "k"),
    ("ossutil[0-9]*", "i"),
    ("obsutil", "k"),
    ("obsutil", "i"),
    ("coscmd", "s"),
    ("coscmd", "a"),
    ("frpc", "t"),
    ("vncpasswd", "f"),
    ("rar", "hp"),
    ("plink", "pw"),
    ("pscp", "pw"),
)


def _options() -> list[str]:
    """Options whose value is the next word: `--password X`, `sshpass -p X`, `curl -u X` …"""
    steps = []
    for word in _LONG_OPTIONS:
        option = rf"s/\(--[a-z-]*{word}{_GAP}\)"
        steps += [
            rf"{option}\"{QUOTED}\"/\1***/g",
            rf"{option}'[^']*'/\1***/g",
            rf"{option}[^-[:space:]][^[:space:]]*/\1***/g",
        ]
    for tool, option in _OPTIONS_OF:
        told = rf"s/\({tool}[^|;]*[[:space:]]-{option}[[:space:]=]*\)"
        steps += [
            rf"{told}\"{QUOTED}\"/\1***/",
            rf"{told}'[^']*'/\1***/",
            rf"{told}{_VALUE}/\1***/",
        ]
    return steps


def _phrases() -> list[str]:
    """Where the form of a command says that a word of it is a secret."""
    return [
        # remarks
        r"s/\(密码[^[:space:]A-Za-z0-9]\{0,6\}[[:space:]]*\)[!-~]\{1,\}/\1***/g",
        r"s/\(口令[^[:space:]A-Za-z0-9]\{0,6\}[[:space:]]*\)[!-~]\{1,\}/\1***/g",
        rf"s/\({any_case('passw')}[A-Za-z]*{_GAP}is{_GAP}\){_VALUE}/\1***/g",
        rf"s/\([[:space:]\"']-u[[:space:]]\{{0,1\}}[\"']\{{0,1\}}[^:/[:space:]\"']*:\){_VALUE}/\1***/g",
        rf"s/\(--[a-z-]*user[[:space:]=]\{{1,\}}[^:[:space:]]*:\){_VALUE}/\1***/g",
        # ftp, netrc, expect
        rf"s/^\(|\{{0,1\}}[[:space:]]*user{_GAP}{_VALUE}{_GAP}\){_VALUE}[[:space:]]*$/\1***/",
        rf"s/\([[:space:]\"']password{_GAP}\)[^-|;&[:space:]][^[:space:]]*/\1***/g",
        rf"s/\(quote{_GAP}[Pp][Aa][Ss][Ss]{_GAP}\){_VALUE}/\1***/",
        rf"s/\(send[A-Za-z_]*{_GAP}\)\(-- \)\{{0,1\}}[\"'{{].*/\1***/",
        # what is handed to passwd, sudo -S, cryptsetup and their like
        *(
            rf"s/\({says}\)[[:space:]][^|]*\(|[^|;]*{taker}\)/\1 ***\2/g"
            for says in ("echo", "printf")
            for taker in ("passw", "-pass", "sudo[^|;]* -S", "cryptsetup", "kinit")
        ),
        r"s/\(<<<[[:space:]]*\).*/\1***/",
        # USER/PASSWORD of Oracle and DM
        *(
            rf"s#\({tool}\([[:space:]]\{{1,\}}-[A-Za-z]*\)*[[:space:]]\{{1,\}}"
            rf"[\"']\{{0,1\}}[A-Za-z0-9_]\{{1,\}}/\)[^@[:space:]]\{{1,\}}#\1***#g"
            for tool in ("sqlplus", "expdp", "impdp", "exp", "imp", "disql", "dexp", "dimp")
        ),
        rf"s#\({any_case('userid')}=[^/[:space:]]*/\)[^@[:space:]]*#\1***#g",
        r"s#\(rman[[:space:]].*target[[:space:]=]*[^/[:space:]]*/\)[^@[:space:]]*#\1***#",
        rf"s/\(db2.*[[:space:]]using{_GAP}\){_VALUE}/\1***/",
        rf"s/\(mc{_GAP}[a-z ]*{_GAP}[A-Za-z0-9_-]*{_GAP}http[^[:space:]]*{_GAP}\)[^;|&]*/\1***/",
        # programs in other languages
        r"s/\(\.login(\)[^)]*/\1***/g",
        r"s/\(connect(\)[^)=]*/\1***/g",
        r"s/\(auth=(\)[^)]*/\1***/g",
        # HTTP
        rf"s/\({any_case('authorization')}[\"']\{{0,1\}}[[:space:]]*[:=][[:space:]]*[\"']\{{0,1\}}\)[^\"']*/\1***/g",
        rf"s/\({any_case('bearer')}{_GAP}\)[^[:space:]\"']\{{1,\}}/\1***/g",
        *(
            rf"s#\(https\{{0,1\}}://[^[:space:]\"']*{word}[^/[:space:]\"']*/\)[^[:space:]\"']*#\1***#g"
            for word in ("hook", "ping", "bot")
        ),
    ]


def _shapes() -> list[str]:
    """Secrets that are known by their looks: hashes of crypt(3), keys of clouds and forges."""
    body = r"[A-Za-z0-9_-]\{10,\}"
    return [
        r"s/\$\([0-9a-z]\{1,10\}\)\$[A-Za-z0-9.\/$=,+]\{20,\}/$\1$***/g",
        *(
            rf"s/\({head}\){body}/\1***/g"
            for head in (
                *("AKIA", "ASIA", "LTAI", "AKID", "gh[pousr]_", "glpat-", "xox[abps]-", r"hvs\."),
                "[^A-Za-z0-9]sk-",
            )
        ),
        rf"s/eyJ{body}\.[A-Za-z0-9_.-]*/***/g",
    ]


# Of a private key only its first and last line stay. A block without an end (a script that only
# looks for its beginning) must not swallow what follows it.
_KEYS = r"""/-----BEGIN/,/-----END/{
s/^\([|[:space:]]*\)[A-Za-z0-9+\/=]\{1,\}[[:space:]\\"']*$/\1***/
s/^\([|[:space:]]*\)[A-Za-z0-9+\/=\\]\{20,\}/\1***/
}
s/\(-----BEGIN[A-Za-z0-9 ]*\)[^A-Za-z0-9 ].*/\1***/"""

COMMANDS = "\n".join(
    [
        URLS,
        *_phrases(),
        r"s/\([[:space:]\"']-p\)'[^']*'/\1***/g",
        rf"s/\([[:space:]\"']-p\)\"{QUOTED}\"/\1***/g",
        r"s/\([[:space:]\"']-p\)[^-[:space:]*][^[:space:]]*/\1***/g",
        *_options(),
        *_shapes(),
    ]
)

QUERIES = r"""s#\(://[^[:space:]\"'?]*[?]\)[^[:space:]\"']*#\1***#g"""

# Forms that no name of a setting or an option tells of: queries of URLs, bots, cookies, SQL,
# Oracle's own URLs, and numbers of identity cards and telephones.
FORMS = rf"""{QUERIES}
s#/bot[0-9]\{{3,\}}:[A-Za-z0-9_-]*#/bot***#g
s/\({any_case("cookie")}[\"']\{{0,1\}}[[:space:]]*[:=]\).*/\1 ***/
s/\({any_case("identified")}[^;'\"]*{_GAP}{any_case("by")}{_GAP}\([A-Za-z]*{_GAP}\)\{{0,1\}}[\"']\)[^\"']*/\1***/g
s#\(jdbc:[a-z0-9:]*:[A-Za-z0-9_]*/\)[^@[:space:]]*@#\1***@#g
s/\([[:space:]]-pw{_GAP}\){_VALUE}/\1***/g
s/[1-9][0-9]\{{5\}}[12][09][0-9][0-9][01][0-9][0-3][0-9][0-9]\{{3\}}[0-9Xx]/***/g
s/^1[3-9][0-9]\{{9\}}\([^0-9]\)/***\1/
s/\([^0-9]\)1[3-9][0-9]\{{9\}}$/\1***/
s/\([^0-9.]\)1[3-9][0-9]\{{9\}}\([^0-9.]\)/\1***\2/g"""

MASK = "\n".join([*_below(), _KEYS, FORMS, COMMANDS, *_assignments(_named())])

# What a line that is only a remark says: whoever writes a setting notes an old password beside it.
NO_REMARKS = r"s/^\(|\{0,1\}[[:space:]]*\)#.*/\1#/"


# The same behind a setting, too: people write one even where the program knows no such remark.
NO_WORD_OF_PEOPLE = rf"""{NO_REMARKS}
s/^\(|\{{0,1\}}[[:space:]]*\);.*/\1;/
s/^\([^#]*[^#\\[:space:]][[:space:]]\{{1,\}}\)[#;].*/\1#/"""


def remarks_of_c(ahead: str) -> str:
    """Remarks between the signs of C, also of several lines: nothing of them leaves.

    `ahead` is an expression for what may stand before one in its line, behind the sign of a line;
    paths with a `*` in them must not be such. A line that begins with `==` or `$` is left alone.
    """
    begins = rf"^\(|\{{0,1\}}{ahead}\)/[*]"
    return "\n".join(
        [
            "/^== /b hpcz",
            "/^|\\{0,1\\}[[:space:]]*[$]/b hpcz",
            ":hpcy",
            rf"s#{begins}[^*]*[*]\{{1,\}}\([^/*][^*]*[*]\{{1,\}}\)*/#\1 #",
            "t hpcy",
            rf"\#{begins}#,\#[*]/#{{",
            rf"s#{begins}.*#\1#",
            "t hpcz",
            r"\#[*]/#!s/^\(|\{0,1\}\).*/\1/",
            r"s#^\(|\{0,1\}\).*[*]/#\1#",
            "}",
            ":hpcz",
        ]
    )


def only_lines(*forms: str, rest: str = "d") -> str:
    """Of a file only the lines in one of the forms leave; each has one group, which is what stays.

    What stands in a line behind the group must be none of the setting's value: the form says it
    whole. `rest` is what becomes of other lines.
    """
    steps = (f"s/^{form}$/\\1/\nt" for form in forms)
    return "\n".join(["t hpo", ":hpo", *steps, rest])


def values_of_short(mark: str) -> list[str]:
    """The same for `pw`, `pin` and their like, which are looked for as whole words."""
    steps = _assignments([f"{s}{any_case(w)}" for w in _SHORT for s in ("^", "[^A-Za-z]")], "=")
    return [step.replace("***", mark) for step in steps]


# Complaints of commands. `cat: /etc/secret: Permission denied` must stay what it is.
ERRORS = "\n".join(
    [
        FORMS,
        COMMANDS,
        *_assignments(_named(), "="),
        *_assignments(
            [f"[^/A-Za-z0-9_.-]{any_case(word)}{_NAME}" for word in WORDS_OF_SECRETS[:4]], ":"
        ),
        # what they quote of a line that they do not understand; of files the names stay
        r"s/\"[^\"\/][^\"]*\"/\"***\"/g",
        r"s/`[^`'\/][^`']*[`']/`***'/g",
        rf"s/\({any_case('option')}:[[:space:]]*\).*/\1***/",
        rf"s/\({any_case('key')}:[[:space:]]*\)[^\/[:space:]][^[:space:]]*/\1***/g",
        r"s/\([[:space:]]line [0-9]\{1,9\}:[[:space:]]*\)[^\/[:space:]][^[:space:]]*$/\1***/",
    ]
)

# Values of settings whose name says that they are secret.
ASSIGNED = "\n".join(_assignments(_named()))

# What a program prints of what it found: it may quote command lines and settings.
REPORTED = "\n".join([COMMANDS, *_assignments(_named(), "=")])


def only_listed(mode: str) -> str:
    """What stands in a read's `redact` where its text is of people: only listed words leave.

    `mode` says what the text is; collector/words.awk knows them.
    """
    return f"{WORDS} {mode}"


WORDS = "#words"
