"""The sed programs for places that hold a secret: repositories, mounts, and files named by one.

An option of rclone, a login of an object store or of a database needs no `://`: what masks URLs
alone leaves `rclone::s3,secret_access_key=X:bucket`, `s3:KEY:X@host` and `root:X@tcp(h)/db` whole.
"""

from __future__ import annotations

from collector.facts.base.redaction import ASSIGNED, QUERIES, URLS, WORDS_OF_SECRETS, any_case

# Of options that are told in place nothing stays, for a value may hold whatever it likes: neither
# a colon nor a comma in quotes ends it.
_HEAD = r"[^,/[:space:]]*"
_IN_PLACE = rf"""s#\({_HEAD}\),[^/]*=.*\(:[^:=,]*\)$#\1,***\2#
s#\({_HEAD}\),[A-Za-z0-9_-]\{{1,\}}=.*#\1,***#"""

# USER:SECRET@ without a scheme. Two colons are a tool's own form (`s3:KEY:SECRET@`), one may be
# the user of sftp or ssh.
_NAME = r"[A-Za-z0-9_.+-]*"
_LOGINS = rf"""s#\(s3:[^:/@[:space:]]\{{1,\}}\):/\{{0,1\}}[^/].*@#\1:***@#
s#\(b2:[^:/@[:space:]]\{{1,\}}\):/\{{0,1\}}[^/].*@#\1:***@#
s#\({_NAME}:[^:/@,[:space:]]*\):[^:/@[:space:]][^[:space:]]*@#\1:***@#g
s#:[^[:space:]]*@\([a-z0-9]*(\)#:***@\1#g
/:\/\//!{{
/sftp:/!{{
/ssh:/!{{
s#^\({_NAME}\):[^:/@[:space:]][^@[:space:]]*@#\1:***@#
s#\([=|![:space:]]{_NAME}\):[^:/@[:space:]][^@[:space:]]*@#\1:***@#g
}}
}}
}}"""

# Of a line that tells one place: a repository, as a tool takes it.
LOCATIONS = f"{URLS}\n{QUERIES}\n{_IN_PLACE}\n{_LOGINS}\n{ASSIGNED}"

_MOUNTED = r"\( - [A-Za-z0-9._-]* "
# What mounts and their sources may carry: lines of mountinfo, and of df, where the source is first.
MOUNTS = "\n".join(
    [
        URLS,
        *(rf"s/\({any_case(word)}[A-Za-z_]*=\)[^,[:space:]]*/\1***/g" for word in WORDS_OF_SECRETS),
        r"s/\([^A-Za-z]pw=\)[^,[:space:]]*/\1***/g",
        # cifs takes both in one
        r"s/\(user[a-z]*=[^,%[:space:]]*%\)[^,[:space:]]*/\1***/g",
        rf"s#{_MOUNTED}{_HEAD}\),[^[:space:]]*=[^[:space:]]*#\1,***#",
        rf"s#^\({_HEAD}\),[^[:space:]]*=[^[:space:]]*#\1,***#",
        rf"s#{_MOUNTED}[^:/@,[:space:]]*\):[^/@[:space:]][^[:space:]]*@#\1:***@#",
        r"s#^\([^:/@,[:space:]]*\):[^/@[:space:]][^[:space:]]*@#\1:***@#",
    ]
)


def no_sessions(head: str) -> str:
    """Masks the names of files that are the key to somebody's session, in lines of `head PATH`.

    PHP calls them `sess_ID`, and who has the ID is that user. Others (Laravel, Django, Tomcat) name
    them by a long row of letters and digits that take turns, which below /var/log may be the number
    of a container.
    """
    turns = r"[A-Za-z]\{1,\}[0-9]\{1,\}[A-Za-z]\{1,\}[0-9]"
    return rf"""s#^\({head}/.*/[a-z]*sess_\).*#\1***#
\#^{head}/var/log/#!{{
\#^{head}/#{{
s#[A-Za-z0-9]\{{20,\}}#\
&\
#g
s#\n[A-Za-z0-9]*[0-9]{turns}[A-Za-z0-9]*\n#***#g
s#\n##g
}}
}}"""
