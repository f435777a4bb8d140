"""Secrets and dumps that lie where others get at them: names and modes only, never contents.

In the folders that web servers serve every such file counts; elsewhere only what everybody may
read, in folders that everybody may enter: the usual ones, and disks of their own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from collector.errors import NotUnderstood
from collector.facts.base.opened import ODD, OPENED
from collector.facts.security.web_folders import WEB_SETTINGS
from collector.i18n.message import msg
from collector.model import Capture, Read, Text, shell

_READ = "exposed_files.names"
DEPTH = 7
MOST = 400
FOLDERS = 200
DISKS = 64

_SECRETS = (
    ".env", ".env.*", "*.env", "id_rsa", "id_dsa", "id_ecdsa", "id_ed25519", "*.key", "*.p12",
    "*.pfx", "*.jks", "*.keystore", "*.ppk", "*.kdbx", ".pgpass", ".my.cnf", ".netrc",
    "*.sql", "*.sql.gz", "*.sql.xz", "*.sql.zst", "*.sql.bz2", "*.sql.zip", "*.dump", "*.dmp",
    "*.rdb", "*.bson",
)  # fmt: skip
_SERVED = (
    *_SECRETS, "*.pem", "*.bak", "*.swp", "*~", "*.old", ".htpasswd", ".git", ".svn", ".hg",
    "*backup*.zip", "*backup*.tar*", "*backup*.rar", "*backup*.7z", "www*.zip", "web*.zip",
    "wwwroot*", "db*.zip", "*.sqlite", "*.sqlite3", "*.db", "*.mdb",
)  # fmt: skip
_READABLE = (*_SECRETS, "*key*.pem", "privkey*")
# forms to be filled in, and a key that is public by its nature
_HARMLESS = (".env.example", ".env.sample", ".env.dist", ".env.template", "root.key", "*.pub")


def _named(names: tuple[str, ...]) -> str:
    return " -o ".join(f"-name '{n}'" for n in names)


_FIND = (
    OPENED
    + rf"""
set -f
nl='
'
IFS=$nl
# most NUMBER WHAT: no more lines than that, and a word where there are
most() {{ awk -v "n=$1" -v "w=$2" 'NR > n {{ print "more " w; exit }} {{ print }}'; }}
t=$({{
set +f
{WEB_SETTINGS}
printf '%s\n' 'x:root /var/www;' 'x:root /www/wwwroot;' 'x:root /usr/share/nginx/html;' \
  'x:root /usr/local/nginx/html;' 'x:root /usr/local/apache2/htdocs;'
cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\000' '\n' \
  | sed -n 's,^-Dcatalina\.base=\(/[A-Za-z0-9_./-]*\)$,x:root \1/webapps;,p'
}})
set +f
# userdir stands for a folder of each user
r=$(for d in $(printf '%s\n' "$t" | grep -v '^unsure ' | tr -d "\"'" |
    sed -n 's/^[^:]*:[[:space:]]*[A-Za-z.-]*[[:space:]=*]*\(\/[^;]*[^;[:space:]]\).*/\1/p' |
    sed 's,//*$,,' | sort -u); do [ -d "$d" ] && printf '%s/\n' "$d"; done)
echo '== web'
w='nginx|openresty|tengine|apache2|httpd|lighttpd|caddy|litespeed'
grep -qxE "$w" /proc/[0-9]*/comm 2>/dev/null &&
  printf '%s\n' "$t" | grep '^unsure /' | sort -u | most {DISKS} folders
set -f
# names FOLDER...: what lies there, as far as whoever has to look for it may see it
names() {{
  hp_do "$R" find "$@" -maxdepth {DEPTH} {ODD} \( -name node_modules -o -name vendor \) -prune \
    -o \( {_named(_SERVED)} \) ! \( {_named(_HARMLESS)} \) -exec stat -c '%a %u %F %n' '{{}}' + \
    2>/dev/null
}}
set -- $r
[ $# -le {FOLDERS} ] || {{ echo 'more folders'; set -- $(printf '%s\n' "$@" | head -n {FOLDERS}); }}
[ $# -gt 0 ] && {{
  printf 'root %s\n' "$@"
  n=$#; his=
  for d do
    hp_within "$d"
    if [ -z "$R" ]; then set -- "$@" "$d"; else his="$his$d$nl"; fi
  done
  shift "$n"
  R=; [ $# -eq 0 ] || names "$@"
  for d in $his; do
    hp_within "$d"
    names "$d" | grep -E '^([0-7]+ [0-9]+ [a-z ]+|odd name: left out:) /'
  done
}} | most {MOST} files
echo '== world'
set +f
m=$(grep -E ' - (ext[234]|xfs|btrfs|zfs|f2fs|jfs) ' /proc/self/mountinfo 2>/dev/null |
  cut -d ' ' -f 5 | grep -vE '^/$|^/(boot|usr|var|snap|run|dev|nix|efi)(/|$)' | most {DISKS} disks |
  while read -r d; do
    case $d in (/*) ;; (*) printf '%s\n' "$d"; continue;; esac
    x=${{d%/*}}
    while [ -n "$x" ] && [ -n "$(find "$x" -prune -perm -001 2>/dev/null)" ]; do x=${{x%/*}}; done
    [ -n "$x" ] || printf '%s\n' "$d"
  done)
case $m in *'more disks') echo 'more disks'; m=${{m%more disks}};; esac
set -- $(for d in /etc /home /root /srv /opt /app* /www /data* /backup* /var/backups /tmp /var/tmp \
  /mnt /export $m; do [ -d "$d" ] && printf '%s/\n' "$d"; done | sort -u)
find "$@" -xdev -maxdepth {DEPTH} {ODD} -type d ! -perm -001 -prune \
  -o \( -name node_modules -o -name vendor -o -path /etc/ssl/certs -o -path /etc/pki/ca-trust \) \
  -prune -o -type f -perm -004 \( {_named(_READABLE)} \) ! \( {_named(_HARMLESS)} \) \
  -exec stat -c '%a %u %F %n' '{{}}' + 2>/dev/null | most {MOST} files
echo '== end'
"""
)

READS: tuple[Read, ...] = (
    shell(
        _READ,
        _FIND,
        seconds=40,
        limit=1 << 18,
        privileged=True,
        why=Text(
            "网站目录内，或任何人可读的备份、转储、密钥与 .env 文件（只取名称与权限，不取内容）",
            "dumps, backups, keys and .env files in folders of web servers, or readable by"
            " everybody (names and modes only, no content)",
        ),
    ),
)
_UNLOOKED = re.compile(r"more (?:folders|files|disks)|unsure /.*: [A-Za-z.-]+")
_ONCE = 64
_LINE = re.compile(r"([0-7]{1,4}) (\d+) ([a-z ]+) (/.*)")


@dataclass(frozen=True, slots=True)
class Exposed:
    """One file: `served` from below a web server's folder, else everybody may read it."""

    path: str
    mode: int
    served: bool
    line: str


@dataclass(frozen=True, slots=True)
class Found:
    """`files` in the order of their folders; `roots` are the web folders looked through.

    `unlooked` says of what there was more than was looked at, or which setting names a folder that
    could not be told; while it holds something, that nothing was found is no answer.
    """

    files: tuple[Exposed, ...]
    roots: tuple[str, ...]
    unlooked: tuple[str, ...] = ()


def exposed_files(capture: Capture) -> Found:
    """Raises FactError when the search could not be done or came to no end."""
    text = capture.read(_READ).text()
    match = re.fullmatch(r"== web\n(.*?)== world\n(.*?)== end\n", text, re.DOTALL)
    if match is None:
        raise NotUnderstood(_READ, msg("ends_before_end"))
    files: dict[str, Exposed] = {}
    roots: list[str] = []
    unlooked: list[str] = []
    for part, served in ((match[1], True), (match[2], False)):
        for line in part.splitlines():
            if served and line.startswith("root /"):
                roots.append(line.removeprefix("root ").rstrip("/"))
                continue
            if _UNLOOKED.fullmatch(line):
                unlooked.append(line)
                continue
            told = _LINE.fullmatch(line)
            if told is None:
                raise NotUnderstood(_READ, msg("not_line", line=line))
            path = re.sub("//+", "/", told[4])
            files.setdefault(path, Exposed(path, int(told[1], 8), served, line))
    # an earlier form of the read ended there without a word
    if len(roots) == _ONCE and not unlooked:
        unlooked.append("more folders")
    return Found(tuple(files.values()), tuple(roots), tuple(unlooked))
