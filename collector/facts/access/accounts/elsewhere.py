r"""Accounts that lie elsewhere than in /etc/passwd, and passwords that are the empty word.

nsswitch.conf(5) names where accounts come from. Of the sources that lie on the host itself each
has its files; what a directory holds (sssd, LDAP, NIS) is kept elsewhere, and not asked for.

>>> text = "passwd: files systemd [NOTFOUND=return] sss # x\nshadow: files extrausers\nhosts: dns\n"
>>> sorted(_sources(text))
['extrausers', 'files', 'sss', 'systemd']
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from collector.errors import NotUnderstood
from collector.facts.scheduling.jobs import READS as _JOB_READS
from collector.i18n.message import msg
from collector.model import Capture, Read, Text, shell

_STORES, _NOTHING, _SWITCH = "accounts.stores", "accounts.empty_word", "schedules.sources"

# the hash stays here: of each account one letter leaves the host
_PERL = r"""
open(F, "<", "/etc/shadow") or exit;
while (<F>) {
  my ($n, $h) = split /:/; next unless defined $h && $n =~ /^[A-Za-z0-9._-]+$/;
  next unless $h =~ m{^\$(1|5|6|y|gy|2[aby]|sm3|7)\$} || $h =~ m{^[A-Za-z0-9./]{13}$};
  my $dear = $h =~ /^\$2[aby]\$(\d+)/ ? $1 > 8 : $h =~ /\$rounds=(\d+)/ ? $1 > 100000
    : $h =~ /^\$g?y\$([^\$]*)/ ? $1 ne "j9T" : $h =~ /^\$7/;
  my $t = (times)[0]; my $c;
  $c = crypt("", $h) unless $dear || $t > 0.4 || $k++ > 399;
  print defined $c ? $c eq $h ? "y" : "n" : "-", " $n\n";
}"""
_PYTHON = r"""
import re, time
try:
    from crypt import crypt
except ImportError:
    import ctypes
    c = ctypes.CDLL("libcrypt.so.1").crypt
    c.restype = ctypes.c_char_p
    def crypt(w, h): return (c(w.encode(), h.encode()) or b"").decode()
k, t = 0, time.process_time()
for l in open("/etc/shadow", errors="replace"):
    n, h = (l.split(":") + [""])[:2]
    if not re.match("[A-Za-z0-9._-]+$", n): continue
    if not re.match(r"\$(1|5|6|y|gy|2[aby]|sm3|7)\$|[A-Za-z0-9./]{13}$", h): continue
    b, y = re.match(r"\$2[aby]\$(\d+)", h), re.match(r"\$g?y\$([^$]*)", h)
    r, d = re.search(r"\$rounds=(\d+)", h), h[:2] == "$7"
    if b: d = int(b.group(1)) > 8
    elif r: d = int(r.group(1)) > 100000
    elif y: d = y.group(1) != "j9T"
    k += 1
    if d or k > 400 or time.process_time() - t > 0.4: print("- " + n)
    else: print(("y " if crypt("", h) == h else "n ") + n)
"""

READS: tuple[Read, ...] = (
    *(read for read in _JOB_READS if read.id == _SWITCH),
    shell(
        _STORES,
        r"""
for f in /etc/userdb/*.user /run/userdb/*.user /run/host/userdb/*.user \
  /usr/local/lib/userdb/*.user /usr/lib/userdb/*.user /lib/userdb/*.user \
  /var/lib/systemd/home/*.identity \
  /var/lib/extrausers/passwd /var/lib/extrausers/shadow /var/db/passwd.db /var/db/shadow.db \
  /usr/lib/passwd /etc/passwd.cache /etc/shadow.cache; do
  [ -s "$f" ] || continue
  case $f in *[!A-Za-z0-9/._@+-]*) f=${f%/*}/? ;; esac
  printf '%s\n' "$f"
done
echo '== end'
""",
        limit=16_384,
        why=Text(
            "/etc/passwd 之外的本地账户库（只列文件）",
            "local stores of accounts beside /etc/passwd (names of files only)",
        ),
    ),
    shell(
        _NOTHING,
        "if command -v perl >/dev/null 2>&1; then perl -e '"
        + _PERL
        + """' 2>/dev/null
else
  for p in python3 /usr/libexec/platform-python; do
    command -v "$p" >/dev/null 2>&1 && { "$p" -W ignore -c '"""
        + _PYTHON
        + """' 2>/dev/null; break; }
  done
fi
echo '== end'
""",
        limit=16_384,
        privileged=True,
        why=Text(
            "口令是否为空字符串的散列（在主机上比对，每个账户只取是或否）",
            "whether a password is the empty word (tried on the host: yes or no of each account)",
        ),
    ),
)

# where each source that lies on the host has its accounts
_FILES = {
    "systemd": re.compile(
        r"/(?:(?:etc|run|run/host|lib|usr/lib|usr/local/lib)/userdb|var/lib/systemd/home)/"
    ),
    "extrausers": re.compile(r"/var/lib/extrausers/"),
    "db": re.compile(r"/var/db/"),
    "altfiles": re.compile(r"/usr/lib/passwd"),
    "cache": re.compile(r"/etc/(?:passwd|shadow)\.cache"),
}
_NAMES_SOURCES = re.compile(r"\s*(?:passwd|shadow|initgroups)\s*:([^#]*)")
# files are read; mymachines are the accounts of containers
_READ = {"files", "compat", "mymachines", "myhostname"}
_DIRECTORIES = {"sss", "ldap", "winbind", "nis", "nisplus", "hesiod", "oslogin", "cache_oslogin"}


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """`stores` are files with accounts that nobody read, `sources` words of nsswitch.conf that

    nobody knows, `lines` those of it that name sources.
    """

    stores: tuple[str, ...]
    sources: tuple[str, ...]
    lines: tuple[str, ...] = ()


def elsewhere(capture: Capture) -> Elsewhere:
    """Raises FactError."""
    file = capture.read(_SWITCH).one()
    sources = {"files"} if file is None else _sources(file.text(_SWITCH))
    unknown = sources - _READ - _DIRECTORIES - set(_FILES)
    asked = sources & set(_FILES)
    found = _lines(capture, _STORES) if asked else []
    stores = [path for path in found if any(_FILES[name].match(path) for name in asked)]
    text = "" if file is None else file.text(_SWITCH)
    lines = tuple(line for line in text.splitlines() if _NAMES_SOURCES.match(line))
    return Elsewhere(tuple(stores), tuple(sorted(unknown)), lines)


def _sources(text: str) -> set[str]:
    found = set[str]()
    for line in text.splitlines():
        match = _NAMES_SOURCES.match(line)
        if match:
            found |= set(re.sub(r"\[[^\]]*\]", " ", match[1]).split())
    return found


def empty_words(capture: Capture) -> frozenset[str]:
    """The accounts whose password is the empty word, as far as the host could try. FactError."""
    return _answered(capture, "y")


def untried(capture: Capture) -> frozenset[str]:
    """Those of which the host did not try it: there were too many, or it takes long. FactError."""
    return _answered(capture, "-")


def _answered(capture: Capture, word: str) -> frozenset[str]:
    lines = _lines(capture, _NOTHING)
    for line in lines:
        if not re.fullmatch(r"[yn-] [A-Za-z0-9._-]+", line):
            raise NotUnderstood(_NOTHING, msg("not_understood", line=line[:120]))
    return frozenset(line[2:] for line in lines if line.startswith(f"{word} "))


def _lines(capture: Capture, read: str) -> list[str]:
    lines = capture.read(read).text().splitlines()
    if lines[-1:] != ["== end"]:
        raise NotUnderstood(read, msg("ends_before_end"))
    return lines[:-1]
