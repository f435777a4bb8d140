"""What of the files of /etc/pam.d leaves the host: modules, flags, and no word of people."""

from __future__ import annotations

from collector.facts.base.redaction import FORMS, NO_WORD_OF_PEOPLE, URLS, any_case, values_of_short

# The modules whose arguments are read, by the beginning of their names.
_READ_MODULES = (
    "unix", "tcb", "sss", "winbind", "krb5", "faillock", "tally", "pwquality", "cracklib",
    "passwdqc", "pwhistory", "succeed_if", "usertype", "localuser", "deepin_pw_check",
    "permit", "deny", "access",
)  # fmt: skip
_FLAGS = (
    "nullok", "use_authtok", "use_first_pass", "try_first_pass", "forward_pass", "not_set_pass",
    "nouserok", "alwaysok", "localifdown", "cue", "debug", "interactive", "manual", "openasuser",
    "echo_verification_code", "no_increment_hotp", "noskewadj", "nodetect", "skip_passwd",
)  # fmt: skip
# Of a second factor's, these by their names: whether it spares somebody has to be seen.
_NAMED = (
    "authfile", "secret", "origin", "appid", "usersfile", "window", "digits", "id", "url", "conf",
    "mode", "user", "authtok_prompt", "userpresence", "pinverification", "client_id", "prompt",
)  # fmt: skip
_PERIODS = ("grace_period",)
# As libpam assembles its lines (_pam_assemble_line): a remark ends one, blank lines and remarks
# between its parts are none of it.
_JOINED = r"""s/#.*/#/
t hpi
:hpi
/\\[[:space:]]*$/{
$!{
N
s/\\[[:space:]]*\n[[:space:]]*$/\\/
s/\\[[:space:]]*\n[[:space:]]*#.*/\\/
t hpi
s/\\[[:space:]]*\n\([^#]*\)#.*/ \1 #/
s/\\[[:space:]]*\n/ /
t hpi
}
}"""
# What follows control and module where these name no file, or where a line is none of PAM's.
_FIRST = r"[[:space:]]*-\{0,1\}[A-Za-z@]\{1,\}[[:space:]]\{1,\}"
_NO_MODULE = "\n".join(
    [
        r"/\.so/b hpo",
        r"/^[[:space:]]*#\{0,1\}$/b hpo",
        rf"s/^\({_FIRST}\[[^]]*\][[:space:]]*[^[:space:]]\{{1,\}}[[:space:]]\).*/\1***/",
        "t hpo",
        rf"s/^\({_FIRST}[^[[:space:]][^[:space:]]*[[:space:]]\{{1,\}}[^[:space:]]\{{1,\}}[[:space:]]\{{1,\}}\)[^#[:space:]].*/\1***/",
        "t hpo",
        rf"/^{_FIRST}/!s/[^[:space:]].*/***/",
        ":hpo",
    ]
)
# Of the other modules only flags stay: what pam_exec and its like are given is people's text.
_ARGUMENTS = "\n".join(
    [
        *(rf"/^[^.]*[[:space:]\/]pam_{module}[a-z0-9_]*\.so/b" for module in _READ_MODULES),
        r"/\.so[[:space:]]/{",
        "s/[<>]/(/g",
        "s/$/ /",
        *(rf"s/[[:space:]]{flag}\([[:space:]]\)/ <{flag}>\1/" for flag in _FLAGS),
        *(rf"s/[[:space:]]{name}=[^[:space:]]*\([[:space:]]\)/ <{name}=***>\1/" for name in _NAMED),
        *(rf"s/[[:space:]]\({name}=[0-9]\{{1,10\}}\)\([[:space:]]\)/ <\1>\2/" for name in _PERIODS),
        r"s/[[:space:]]\\ $/ <\\>/",
        ":a",
        r"s/\(\.so[[:space:]].*[[:space:]]\)[^<[:space:]][^[:space:]]*/\1<***>/",
        "ta",
        r"s/\(\.so[[:space:]]\{1,\}\)[^<[:space:]][^[:space:]]*/\1<***>/",
        "s/[<>]//g",
        "s/[[:space:]]*$//",
        "}",
    ]
)
NO_SECRETS = "\n".join(
    [_JOINED, NO_WORD_OF_PEOPLE, _NO_MODULE, FORMS, URLS, *values_of_short("***")]
    + [
        rf"s/\({word}[A-Za-z_-]*=\)[^[:space:]]*/\1***/g"
        for word in (
            "[Pp][Aa][Ss][Ss][Ww]",
            "[Ss][Ee][Cc][Rr][Ee][Tt]",
            "[Tt][Oo][Kk][Ee][Nn]",
            "[Pp][Ww]",
            "[Kk][Ee][Yy]",
            *map(any_case, ("phrase", "mima", "miyao", "kouling")),
        )
    ]
    + [_ARGUMENTS]
)
