"""Secrets and dumps that lie where others get at them: names and modes only, never contents.

In the folders that web servers serve every such file counts; elsewhere only what everybody may
read, in folders that everybody may enter: the usual ones, and disks of their own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from collector.errors import NotUnderstood
from collector.facts.base.opened import ODD, OPENED
from collector.facts.data.telling_names import deployed, telling
from collector.facts.security.small_servers import SMALL_SERVERS
from collector.facts.security.web_folders import CATALINA, WEB_SETTINGS
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
    "*.rdb", "*.bson", "*.sqldump", "*.tfstate", ".git-credentials", ".s3cfg", ".boto",
)  # fmt: skip
_SERVED = (
    *_SECRETS, "*.pem", "*.bak", "*.swp", "*~", "*.old", ".htpasswd", ".git", ".svn", ".hg",
    "*backup*.zip", "*backup*.tar*", "*backup*.rar", "*backup*.7z", "www*.zip", "web*.zip",
    "db*.zip", "*.sqlite", "*.sqlite3", "*.db", "*.mdb", ".aws", "*.tfstate.*",
    "*dump*.json", "sftp.json", "sftp-config.json", "secrets.y*ml", "*.ovpn",
    "*credentials*.json", "*service[-_]account*.json", "users*.csv", "customers*.csv",
    "members*.csv", ".?*", "*.php.*", "Dockerfile*", "Containerfile*",
)  # fmt: skip
# Settings; and texts in the languages of a site, which are kept in the same forms.
_SETTINGS = ("*.y*ml", "*.ini")
_TEXTS = ("*/[Ll]ang*/*", "*/[Ll]ocale*/*", "*/[Tt]ranslations/*", "*/i18n/*")
# what a server does not give away, or what says nothing that is worth hiding
_NO_SECRET = (
    ".well-known", ".htaccess", ".user.ini", ".gitignore", ".gitattributes", ".gitkeep", ".keep",
    ".editorconfig", ".nojekyll", ".browserslistrc", ".eslintrc*", ".eslintignore", ".prettierrc*",
    ".prettierignore", ".stylelintrc*", ".babelrc", ".npmignore", ".dockerignore", ".nvmrc",
    ".jshintrc", ".distignore", ".php_cs*", ".php-cs-fixer*",
)  # fmt: skip
# Archives and what is left of edits: a site may offer some on purpose.
_PACKED = (
    "*.tar", "*.tar.*", "*.tgz", "*.tbz", "*.tbz2", "*.txz", "*.gz", "*.xz", "*.zst", "*.bz2",
    "*.lz4", "*.zip", "*.rar", "*.7z", "*.war", "*.sql.*", "*.bak.*", "*.orig", "*.save", "*.bkp",
)  # fmt: skip
# Written beside what they are made of, to be sent in its place (gzip_static of nginx).
_ASSETS = ("*.js", "*.mjs", "*.css", "*.html", "*.htm", "*.svg", "*.xml", "*.txt", "*.json",
           "*.map", "*.wasm", "*.ico", "*.ttf", "*.eot", "*.otf")  # fmt: skip
_READABLE = (*_SECRETS, "*key*.pem", "privkey*")
# forms to be filled in, and a key that is public by its nature
_HARMLESS = (".env.example", ".env.sample", ".env.dist", ".env.template", "root.key", "*.pub")


def _named(names: tuple[str, ...]) -> str:
    return " -o ".join(f"-iname '{n}'" for n in names)


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
{CATALINA} | sed -e "s,^[0-9]*$hp_tab-Dcatalina\.base=\(.*\),x:root \1/webapps;," \
  -e 's/^more$/unsure \/proc: java/'
}})
set +f
# userdir stands for a folder of each user
r=$(for d in $(printf '%s\n' "$t" | grep -v '^unsure ' | tr -d "\"'" |
    sed -n 's/^[^:]*:[[:space:]]*[A-Za-z.-]*[[:space:]=*]*\(\/[^;]*[^;[:space:]]\).*/\1/p' |
    sed 's,//*$,,' | awk '!had[$0]++'); do [ -d "$d" ] && printf '%s/\n' "$d"; done)
echo '== web'
echo 'names in letters of either size, behind links, of small servers as well, with dots'
w='nginx|openresty|tengine|apache2|httpd|lighttpd|caddy|litespeed'
[ -n "$(hp_started "$w")" ] &&
  printf '%s\n' "$t" | grep '^unsure /' | sort -u | most {DISKS} folders
s=$( {SMALL_SERVERS} )
printf '%s\n' "$s" | grep '^unsure /' | sort -u | most {DISKS} folders
set -f
# names FOLDER...: what lies there, as far as whoever has to look for it may see it
names() {{
  hp_do "$R" find "$@" -mindepth 1 -maxdepth {DEPTH} {ODD} \
    \( -name node_modules -o -name vendor \) -prune \
    -o \( \( {_named(_SERVED)} \) ! \( {_named(_NO_SECRET)} \) -o -type f -name 'wwwroot*' \
      -o -type f \( {_named(_SETTINGS)} \) ! -name .user.ini \
        ! \( {" -o ".join(f"-path '{t}'" for t in _TEXTS)} \) -o ! -type d \( {_named(_PACKED)} \) \
      ! \( {_named(tuple(f"{a}.gz" for a in _ASSETS))} \) \) \
    ! \( {_named(_HARMLESS)} \) -exec stat -c '%a %u %F %n' '{{}}' + \
    2>/dev/null
}}
# links FOLDER: what in it leads to a folder outside of it, which is served all the same
links() {{
  hp_do "$R" find "$1" -maxdepth {DEPTH} {ODD} \( -name node_modules -o -name vendor \) -prune \
    -o -type l -print 2>/dev/null | most 2000 folders | while IFS= read -r l; do
      case "$l" in (/*) ;; (more*) echo more; continue;; (*) continue;; esac
      case "$(hp_do "$R" sh -c 'cd -P "$0" && pwd' "$l" 2>/dev/null)/" in
        (/|"$1"*|/proc/*|/sys/*) ;;
        (/*) printf '%s/\n' "$l";;
      esac
    done
}}
r=$r$nl$(for d in $r; do hp_within "$d"; links "$d"; done | sort -u)
case "$nl$r$nl" in (*"${{nl}}more$nl"*) echo 'more folders'; r=${{r%more}};; esac
r=$r$nl$(printf '%s\n' "$s" | sed -n "s/^$hp_tab//p")
s=$(printf '%s\n' "$s" | grep "^[^u$hp_tab]")
set -- $r
[ $# -le {FOLDERS} ] || {{ echo 'more folders'; set -- $(printf '%s\n' "$@" | head -n {FOLDERS}); }}
[ $# -gt 0 ] || [ -n "$s" ] && {{
  [ $# -eq 0 ] || printf 'root %s\n' "$@"
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
  # what a server of a user gives away is what he may read
  for d in $s; do
    hp_line "$d"; R=$NAMER; d=$h_f
    printf 'root %s\n' "$d"
    names "$d" | grep -E '^([0-7]+ [0-9]+ [a-z ]+|odd name: left out:) /'
  done
  NAMER=; R=
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
set -- $(for d in /etc /home /root* /srv /opt /app* /www /data* /backup* /var/*backup* /tmp \
  /var/tmp /mnt /export /media /u0* /usr/local/*backup* /usr/local/*data* /usr/local/src \
  /var/lib /var/log /var/spool /var/cache $m; do [ -d "$d" ] && printf '%s/\n' "$d"; done | sort -u)
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
_MARK = "names in letters of either size, behind links, of small servers as well, with dots\n"
_ONCE = 64
_LINE = re.compile(r"([0-7]{1,4}) (\d+) ([a-z ]+) (/.*)")


@dataclass(frozen=True, slots=True)
class Exposed:
    """One file: `served` from below a web server's folder, else everybody may read it.

    `unexamined`: an archive whose name does not tell whether it is there to be downloaded, a file
    of settings that may hold no secret, statements of SQL that may be a schema alone.
    """

    path: str
    mode: int
    served: bool
    line: str
    unexamined: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """`files` in the order of their folders; `roots` are the web folders looked through.

    `packed`: archives were looked for in them, in letters of either size, and behind links that
    lead out of them, and what begins with a dot, which captures of before did not.
    `unlooked` says of what there was more than was looked at, or which setting names a folder that
    could not be told; while it holds something, that nothing was found is no answer.
    """

    files: tuple[Exposed, ...]
    roots: tuple[str, ...]
    packed: bool
    unlooked: tuple[str, ...] = ()


def exposed_files(capture: Capture) -> Found:
    """Raises FactError when the search could not be done or came to no end."""
    text = capture.read(_READ).text()
    match = re.fullmatch(
        r"== web\n(names [a-z ,]*\n)?(.*?)== world\n(.*?)== end\n", text, re.DOTALL
    )
    if match is None:
        raise NotUnderstood(_READ, msg("ends_before_end"))
    files: dict[str, Exposed] = {}
    roots: list[str] = []
    unlooked: list[str] = []
    for part, served in ((match[2], True), (match[3], False)):
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
            host = capture.head.get("hostname", "")
            unknown = not telling(path, host) if served else deployed(path)
            files.setdefault(path, Exposed(path, int(told[1], 8), served, line, unknown))
    # an earlier form of the read ended there without a word
    if len(roots) == _ONCE and not unlooked:
        unlooked.append("more folders")
    return Found(tuple(files.values()), tuple(roots), match[1] == _MARK, tuple(unlooked))
