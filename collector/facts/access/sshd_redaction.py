"""The sed programs that mask what settings of sshd and the environment beside them keep secret."""

from __future__ import annotations

from string import ascii_lowercase, ascii_uppercase

from collector.facts.base.redaction import (
    FORMS,
    NO_WORD_OF_PEOPLE,
    URLS,
    any_case,
    values_of,
    values_of_short,
)


def _told_to_run(criterion: str) -> str:
    """Of a `Match` line nothing stays behind what it has a shell run: the first such word counts.

    `.*` takes the last, so that each is given a name of its own until none is left.
    """
    begins = rf"^\(|\{{0,1\}}[[:space:]\"']*{any_case('match')}[[:space:]=\"'].*\)"
    word = rf"{begins}{any_case(criterion)}\([\"']\{{0,1\}}[[:space:]=].*\)\{{0,1\}}$"
    return "\n".join(
        [
            f":hp{criterion}",
            rf"s/{word}/\1hpran***/",
            f"t hp{criterion}",
            rf"s/{begins}hpran[*][*][*].*/\1{criterion} ***/",
        ]
    )


# In the first word of a command stand `T=x`, `cmd;T=x`, `cmd<<<x` and `cmd?t=x` as well: only a
# path, or a short word that can be nothing but a name, is known to be a program.
_PROGRAMS = (
    r"[A-Za-z0-9_.~+-]*\/[A-Za-z0-9_.\/~+,@%-]*",
    r"[a-z][a-z0-9_.+-]\{0,31\}",
)
_Q = r"[\"']\{0,1\}"


def _program_of(label: str, name: str, *steps: str) -> str:
    """Of what a setting has run, only the program stays: all behind it is people's text.

    The first in a line counts; a line feed marks where its value begins, `steps` may move it.
    """
    told, end = rf"{any_case(name)}{_Q}[[:space:]=]\{{1,\}}", f"hp{label}e"
    whole = (rf"s/\n\({_Q}{word}{_Q}[[:space:]]*\)$/\1/" for word in _PROGRAMS)
    first = (rf"s/\n{_Q}\({word}\)[\"'[:space:]].*/\1 ***/" for word in _PROGRAMS)
    return "\n".join(
        [
            f"/{told}/{{\ns/{told}/&\\\n/",
            *steps,
            # it asks for what was done since here
            f"t hp{label}\n:hp{label}",
            *(f"{step}\nt {end}" for step in (r"s/\n[[:space:]]*$//", *whole, *first)),
            r"s/\n.*/***/",
            f":{end}\n}}",
        ]
    )


# What SetEnv hands to sessions, and what the files of the environment hold beside sshd's options.
NO_SECRETS = (
    "\n".join(
        [
            _program_of("ak", "AuthorizedKeysCommand"),
            _program_of("ap", "AuthorizedPrincipalsCommand"),
            _program_of("fc", "ForceCommand"),
            _program_of(
                "sub",
                "Subsystem",
                rf"s/\n\({_Q}[A-Za-z0-9_.@-]\{{1,\}}{_Q}[[:space:]]\{{1,\}}\)/\1\%s/" % "\n",
            ),
        ]
    )
    + f"\n{_told_to_run('exec')}\n{_told_to_run('command')}"
    + rf"""
/{any_case("addendum")}[[:space:]=]\{{1,\}}none[[:space:]]*$/!s/\({any_case("addendum")}{_Q}[[:space:]=]\{{1,\}}\).*/\1***/
s/\({any_case("setenv")}{_Q}[[:space:]=]\{{1,\}}\).*/\1***/
s/^\([[:space:]]*\(export \)\{{0,1\}}[A-Z_]*PASS[A-Z_]*=\).*/\1***/
s/^\([[:space:]]*\(export \)\{{0,1\}}[A-Z_]*SECRET[A-Z_]*=\).*/\1***/
s/^\([[:space:]]*\(export \)\{{0,1\}}[A-Z_]*TOKEN[A-Z_]*=\).*/\1***/
s/^\([[:space:]]*\(export \)\{{0,1\}}[A-Z_]*KEY=\).*/\1***/"""
)

# What sshd_config(5) of any version knows, with what distributions add, and the options of a unit.
# The value of another word is of something else: no judge reads it.
_KEYWORDS = """
acceptenv addressfamily allowagentforwarding allowgroups allowstreamlocalforwarding
allowtcpforwarding allowusers authenticationmethods authorizedkeyscommand
authorizedkeyscommandrunas authorizedkeyscommanduser authorizedkeysfile authorizedkeysfile2
authorizedprincipalscommand authorizedprincipalscommanduser authorizedprincipalsfile banner
casignaturealgorithms challengeresponseauthentication channeltimeout chrootdirectory ciphers
clientalivecountmax clientaliveinterval compression crypto_policy debianbanner denygroups
denyusers disableforwarding dsaauthentication exposeauthenticationmethods exposeauthinfo
fingerprinthash forcecommand gatewayports gssapiauthentication gssapicleanupcredentials
gssapienablek5users gssapikexalgorithms gssapikeyexchange gssapistorecredentialsonrekey
gssapistrictacceptorcheck hostbasedacceptedalgorithms hostbasedacceptedkeytypes
hostbasedauthentication hostbasedusesnamefrompacketonly hostcertificate hostdsakey hostkey
hostkeyagent hostkeyalgorithms ignorerhosts ignoreuserknownhosts include ipqos
kbdinteractiveauthentication keepalive kerberosauthentication kerberosgetafstoken
kerberosorlocalpasswd kerberosticketcleanup kerberosuniqueccache kerberosusekuserok
kexalgorithms keyregenerationinterval listenaddress logingracetime loglevel logverbose macs
match maxauthtries maxsessions maxstartups modulifile options pamauthenticationviakbdint
pamservicename passwordauthentication permitblacklistedkeys permitemptypasswords permitlisten
permitopen permitrootlogin permittty permittunnel permituserenvironment permituserrc
persourcemaxstartups persourcenetblocksize persourcepenalties persourcepenaltyexemptlist pidfile
port printlastlog printmotd protocol pubkeyacceptedalgorithms pubkeyacceptedkeytypes
pubkeyauthentication pubkeyauthoptions rdomain refuseconnection rekeylimit requiredrsasize
revokedkeys rhostsrsaauthentication rsaauthentication rsaminsize securitykeyprovider
serverkeybits setenv showpatchlevel skeyauthentication sshd_opts sshdauthpath sshdsessionpath
streamlocalbindmask streamlocalbindunlink strictmodes subsystem syslogfacility tcpkeepalive
trustedusercakeys unusedconnectiontimeout usedns uselogin usepam useprivilegeseparation
versionaddendum x11displayoffset x11forwarding x11maxdisplays x11uselocalhost xauthlocation
"""
_WORD = r"^|\{0,1\}[[:space:]\"']*\(export[[:space:]]\{1,\}\)\{0,1\}\([A-Za-z0-9_]\{1,\}\)"
_ONLY_KNOWN = "\n".join(
    [
        r"/^|\{0,1\}[[:space:]]*\(#.*\)\{0,1\}$/b hpw",
        f"h\ny/{ascii_uppercase}/{ascii_lowercase}/",
        rf"s/{_WORD}.*/\2 :{':'.join(_KEYWORDS.split())}:/",
        r"/^\([a-z0-9_]*\) .*:\1:/{",
        "x\nb hpw\n}\nx\nt hpv\n:hpv",
        rf"s/\({_WORD}[\"']\{{0,1\}}[[:space:]=]\).*/\1***/",
        "t hpw",
        r"s/^\(|\{0,1\}\).*/\1***/",
        ":hpw",
    ]
)
# Files of the environment: only the options of sshd are needed; its own keywords hold no `_`.
_ENVIRONMENT = "\n".join(
    [
        values_of("passphrase", "mima", "miyao", "kouling", mark="***"),
        r"/^[[:space:]]*\(export[[:space:]]\{1,\}\)\{0,1\}SSHD_OPTS=/b hpe",
        r"/^[[:space:]]*\(export[[:space:]]\{1,\}\)\{0,1\}OPTIONS=/b hpe",
        r"/^[[:space:]]*\(export[[:space:]]\{1,\}\)\{0,1\}CRYPTO_POLICY=/b hpe",
        r"s/^\([[:space:]]*export[[:space:]]\{1,\}[A-Za-z0-9_]*=\).*/\1***/",
        r"s/^\([[:space:]]*[A-Za-z0-9]*_[A-Za-z0-9_]*=\).*/\1***/",
        r"s/^\([[:space:]]*[A-Z0-9]\{1,\}=\).*/\1***/",
        ":hpe",
        rf"s/\(-o[[:space:]]*[\"']\{{0,1\}}{any_case('setenv')}[[:space:]=]\).*/\1***/",
        URLS,
        r"s#\(https\{0,1\}://[^/[:space:]\"']*/\)[^[:space:]\"']*#\1***#g",
    ]
)
# what stands in the file of a further sshd, among what is told of it
OF_FILES = "\n".join([NO_WORD_OF_PEOPLE, FORMS, *values_of_short("***"), _ENVIRONMENT, _ONLY_KNOWN])
