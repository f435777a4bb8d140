"""The sed program for documents that a host's owner wrote for hostpledge: no password leaves."""

from __future__ import annotations

from collector.facts.base.redaction import QUOTED, URLS, any_case

# Documents that an owner wrote for us, and may have signed, leave as they are; but no member that
# holds a password, which their form knows not.
_MEMBERS = (
    "passw", "passphrase", "pwd", "secret", "token", "mima", "口令", "密码", "apikey", "api_key",
    "accesskey", "access_key", "private_key", "credential", "passcode", "miyao", "密钥",
)  # fmt: skip
# Further in below such a member, and in JSON on the next line, stands its value. The hold keeps how
# far in the member stood: `N` and `D` differ between seds.
_BELOW_MEMBER = r"""G
/\n$/!{
/^[[:space:]]*\n/d
/^\([[:space:]]*\)[[:space:]]\{1,\}[^[:space:]].*\n~\1:*$/d
/^[[:space:]]*["'][^"']*["'],*[]}[:space:]]*\n~[[:space:]]*:$/d
x
s/.*//
x
}
s/\n.*//"""
_MEMBER = r"""/^~s~/{
s/^~s~//
h
x
s/^\([[:space:]]*\)-[[:space:]]/\1  /
s/^\([[:space:]]*\).*:[[:space:]]*$/~\1:/
s/^\([[:space:]]*\)[^~[:space:]].*/~\1/
x
}"""
NO_PASSWORDS = "\n".join(
    [
        _BELOW_MEMBER,
        URLS,
        *(rf"s/^\([^#]*#\).*{any_case(word)}.*/\1/" for word in _MEMBERS),
        *(
            step
            for word in _MEMBERS
            for name in (
                rf"[\"']\{{0,1\}}[A-Za-z0-9_.-]*{any_case(word)}[A-Za-z0-9_.-]*[\"']\{{0,1\}}",
            )
            for step in (
                rf"s/^\([[:space:]-]*{name}[[:space:]]*:[[:space:]]\{{1,\}}\)[^[:space:]].*/\1***/",
                rf's/\([{{,][[:space:]]*{name}[[:space:]]*:[[:space:]]*\)"{QUOTED}"/\1"***"/g',
                rf"s/\([{{,][[:space:]]*{name}[[:space:]]*:[[:space:]]*\)[^\"[:space:]][^,}}]*/\1***/g",
                rf's/^\([[:space:]-]*{name}[[:space:]]*:\)"{QUOTED}"/\1"***"/',
                rf"/^~s~/!s/^[[:space:]-]*{name}[[:space:]]*:/~s~&/",
            )
        ),
        _MEMBER,
    ]
)
