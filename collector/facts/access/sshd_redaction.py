"""The sed programs that mask what settings of sshd and the environment beside them keep secret."""

from __future__ import annotations

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
    begins = rf"^\(|\{{0,1\}}[[:space:]]*{any_case('match')}[[:space:]=\"'].*\)"
    word = rf"{begins}{any_case(criterion)}\([\"']\{{0,1\}}[[:space:]=].*\)\{{0,1\}}$"
    return "\n".join(
        [
            f":hp{criterion}",
            rf"s/{word}/\1hpran***/",
            f"t hp{criterion}",
            rf"s/{begins}hpran[*][*][*].*/\1{criterion} ***/",
        ]
    )


# What SetEnv hands to sessions, and what the files of the environment hold beside sshd's options.
NO_SECRETS = (
    "\n".join(
        # whatever stands behind a program is people's text
        rf"s/\({any_case(name)}[[:space:]=]\{{1,\}}{gap}[\"']\{{0,1\}}[^[:space:]\"']*\)"
        r"[\"'[:space:]].*/\1 ***/"
        for name, gap in (
            ("AuthorizedKeysCommand", ""),
            ("AuthorizedPrincipalsCommand", ""),
            ("ForceCommand", ""),
            ("Subsystem", r"[^[:space:]]\{1,\}[[:space:]]\{1,\}"),
        )
    )
    + f"\n{_told_to_run('exec')}\n{_told_to_run('command')}"
    + r"""
s/^\(#arg .*[Ss][Ee][Tt][Ee][Nn][Vv][[:space:]=]\{1,\}\).*/\1***/
s/^\(|\{0,1\}[[:space:]]*[Vv]ersion[Aa]ddendum[[:space:]]\{1,\}\)[^n].*/\1***/
s/^\(|\{0,1\}[[:space:]]*[Ss][Ee][Tt][Ee][Nn][Vv][[:space:]=]\{1,\}\).*/\1***/
s/^\([[:space:]]*\(export \)\{0,1\}[A-Z_]*PASS[A-Z_]*=\).*/\1***/
s/^\([[:space:]]*\(export \)\{0,1\}[A-Z_]*SECRET[A-Z_]*=\).*/\1***/
s/^\([[:space:]]*\(export \)\{0,1\}[A-Z_]*TOKEN[A-Z_]*=\).*/\1***/
s/^\([[:space:]]*\(export \)\{0,1\}[A-Z_]*KEY=\).*/\1***/"""
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
OF_FILES = "\n".join([NO_WORD_OF_PEOPLE, FORMS, *values_of_short("***"), _ENVIRONMENT])
