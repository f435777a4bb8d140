"""What the name of a file says: a dump or a secret for sure, or perhaps something to be had.

Only names are known here, never contents.
"""

from __future__ import annotations

import re
from fnmatch import fnmatchcase

_ARCHIVE = re.compile(
    r"(.+?)((\.(tar|tgz|tbz2?|txz|gz|xz|zst|bz2|lz4|zip|rar|7z|war)([._-]?\d{1,3})?)+)",
    re.IGNORECASE,
)
# What people call a packed site or database, and what every scanner asks for first.
_TELLING = re.compile(
    r"\d+|.*(?<![a-z])(www\w*|web|website|webroot|wwwroot|site\w*|html|htdocs|public(_html)?|backups?"
    r"|bak|bkp|back|db|data|databases?|sql|mysql|mariadb|postgres|pgsql|mongo|redis|dumps?|old|src"
    r"|source|code|conf(ig)?|admin|root|home|etc|full|all|prod(uction)?|latest)(?![a-z]).*"
    r"|.*\.(com|cn|net|org|edu|gov|io|top|info|sql|bak|dump|dmp|bson|rdb|sqlite3?|db|env|key|pem)"
    r"|.*(19|20)\d\d[-_.]?\d\d[-_.]?\d\d.*",
    re.IGNORECASE,
)
# settings, what begins with a dot, and scripts that are sent as they stand
_PERHAPS = re.compile(r"\..*|.*\.php\..*|.*\.y[a-z]*ml|.*\.ini|(docker|container)file.*")
_SECRET = (
    ".env*", ".pgpass", ".my.cnf", ".netrc", ".git", ".svn", ".hg", ".git-credentials", ".s3cfg",
    ".boto", ".htpasswd*", ".aws", ".ssh", ".gnupg", ".kube", ".azure", ".docker", ".dockercfg",
    ".npmrc", ".pypirc", ".*_history", ".mysql_secret", ".vault*", ".terraformrc", ".config",
    ".*.swp", ".*.sql", ".*.key", ".*.pem", ".*.bak", ".*.old",
    "wp-config*", "*.php.[0-9]*", "*.php.bak*", "*.php.old*", "*.php.save*", "*.php.orig*",
    "*.php.swp", "*.php.txt", "*.php.inc", "*.php.bkp*", "*.php.backup*", "*.php.copy*", "*.php.*~",
    "docker-compose*", "compose.y*ml", "database*", "db.*", "secrets*", "credentials*",
    "application*.y*ml", "bootstrap*.y*ml", "parameters*.y*ml", "*vault*.y*ml", "my.ini",
)  # fmt: skip
# Where an application keeps the statements that make its tables, and what these are called.
_DEPLOYED = re.compile(
    r".*/(migrations?|migrate|schemas?|ddl|install|setup|upgrades?|patches|seeds?|seeders|fixtures"
    r"|tests?|resources|src|site-packages|dist-packages|docs?|examples?|samples?|contrib)/.*\.sql"
    r"|.*/(.*[._-])?(schema|structure|ddl|create|init|install|upgrade|update|migration|seed|up|down)"
    r"([._-].*)?\.sql|.*/([vu]\d[\d._]*|r)__.*\.sql|.*/\d{1,4}[_-].*\.sql",
    re.IGNORECASE,
)
_DUMPED = re.compile(r".*(dump|backup|bak).*", re.IGNORECASE)
_DATED = re.compile(r".*(19|20)\d\d[-_.]?[01]\d[-_.]?[0-3]\d.*")


def deployed(path: str) -> bool:
    """May it be a schema in the code of an application, as far as its name tells?"""
    name = path.rpartition("/")[2]
    if not _DEPLOYED.fullmatch(path) or _DUMPED.fullmatch(name):
        return False
    # of migrations the names begin with when they were written
    return "/migrat" in path.casefold() or not _DATED.fullmatch(name)


def telling(path: str, host: str) -> bool:
    """Does the name say that it is none of what a site offers?

    Every name that is looked for does but those of archives and of settings: of the first the ones
    that are called after what sites and databases are made of, after the host, or after a folder
    they lie in, of the second those that commonly hold passwords.
    """
    *above, name = path.split("/")
    match = _ARCHIVE.fullmatch(name)
    if match is None:
        low = name.casefold()
        return not _PERHAPS.fullmatch(low) or any(fnmatchcase(low, p) for p in _SECRET)
    stem = match[1].casefold()
    called = {x.casefold() for x in (*above[-2:], host, host.partition(".")[0])} - {""}
    return stem in called or _TELLING.fullmatch(stem) is not None
