"""OpenSSH's server: the configuration that holds, asked from `sshd -T`, and the files behind it.

Each running listener is asked with the very options it was started with (`-f`, `-o` …): options
on the command line go before the file, so the plain `sshd -T` would not tell what holds. Where
systemd listens in its place, it is asked with what its unit would give it, and where nothing does,
with the options that the distribution's unit would.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from collector.errors import CouldNotLook, NotUnderstood
from collector.facts.access.login_keys import KEYS, key_users
from collector.facts.access.sshd_redaction import NO_SECRETS, OF_FILES
from collector.facts.access.sshd_sockets import SOCKETS
from collector.facts.base.opened import OPENED
from collector.facts.system.accounts import Account
from collector.facts.system.taken_up import LOOK, NOT_ASKED, TAKEN_UP, Taken, taken_up
from collector.i18n.message import msg
from collector.model import Capture, Quote, Read, Text, files, shell

# An address outside (RFC 5737), for which `Match` blocks are settled.
OUTSIDE = "203.0.113.7"
_AS = ("root", "nobody")

_SYSTEM = "/etc/ssh/sshd_config /usr/etc/ssh/sshd_config"
_LOCAL = (
    "/usr/local/etc/sshd_config /usr/local/etc/ssh/sshd_config /usr/local/openssh/etc/sshd_config"
)
# The files that this listener reads, with what they include, and where it wrote that it started:
# its PidFile is written anew when it was told to read them again.
_TAKEN_UP = rf"""
  t_p=${{p#/proc/}}; t_f=; t_d=; t_u='ssh.service sshd.service'; t_k="/run/sshd.pid$hp_nl"
  [ -z "$f" ] || t_n=$f
  if [ -z "$f" ]; then
    t_n='{_SYSTEM}'
    case $x in (/usr/sbin/*|/usr/bin/*|/sbin/*) ;; (*) t_n="{_LOCAL} $t_n";; esac
    for t_n in $t_n; do [ ! -f "$t_n" ] || break; done
  fi
  IFS=$hp_nl
  for t_a in 1 2 3; do
    t_i=
    for t_b in $t_n; do
      [ -f "$t_b" ] && hp_plain "$t_b" || continue
      t_f=$t_f$t_b$hp_nl
      t_i=$t_i$(hp_by "$t_b" sed -n -e 's/[[:space:]]*$//' -e 's/"//g' \
        -e 's/^[[:space:]]*\([A-Za-z]*\)[[:space:]]*=/\1 /' \
        -e 's/^[[:space:]]*[Ii][Nn][Cc][Ll][Uu][Dd][Ee][[:space:]]\{{1,\}}/i/p' \
        -e 's/^[[:space:]]*[Pp][Ii][Dd][Ff][Ii][Ll][Ee][[:space:]]\{{1,\}}/k/p' 2>/dev/null)$hp_nl
    done
    t_n=
    for t_b in $t_i; do
      case $t_b in (k*) t_k=$t_k${{t_b#k}}$hp_nl; continue;; esac
      IFS=' '
      for t_c in ${{t_b#i}}; do
        case $t_c in (/*) ;; (*) t_c=/etc/ssh/$t_c;; esac
        t_e=${{t_c%/*}}
        while [ ! -d "$t_e" ] && [ -n "$t_e" ]; do t_e=${{t_e%/*}}; done
        case $t_c in
          # its package makes the same links again at times; which ones stands in config
          (/etc/crypto-policies/*) t_f=$t_f/etc/crypto-policies/config$hp_nl;;
          (*/*[*?[]*/*) ;;
          (*[*?[]*) t_d=$t_d$t_e$hp_nl;;
          # a file that is not there may have been taken away
          (*) [ -e "$t_c" ] || t_d=$t_d$t_e$hp_nl;;
        esac
        IFS=; set +f
        for t_e in $t_c; do [ ! -e "$t_e" ] || t_n=$t_n$t_e$hp_nl; done
        IFS=' '; set -f
      done
      IFS=$hp_nl
    done
  done
  {{
    [ -z "$g" ] || printf 'gone %s\n' "$x"
    for t_b in $t_k; do
      t_c=
      [ -f "$t_b" ] && hp_can "$t_b" && {{ read -r t_c <"$t_b"; }} 2>/dev/null
      [ "$t_c" != "$t_p" ] || stat -L -c 'pidfile %.9Y %n' "$t_b" 2>/dev/null
    done
    unset IFS
    {LOOK.strip()}
  }} | sed 's/^/#run /'
"""

# Only processes of root in our own pid namespace count, so that no user and no container can have
# a program of theirs called. `-E` is left out: with it sshd would write to its log file.
_EFFECTIVE = (
    OPENED
    + rf"""
set -f
own=$(readlink /proc/self/ns/pid 2>/dev/null)
run=0
{SOCKETS.strip()}
set +f
for p in /proc/[0-9]* $by -; do
  set -f
  if [ "$p" = - ]; then
    [ "$run" = 0 ] || break
    x=$(command -v sshd) || {{ echo '#none'; break; }}
    set -- $(sed -n -e 's/^SSHD_OPTS=//p' -e 's/^OPTIONS=//p' -e 's/^CRYPTO_POLICY=//p' \
      /etc/default/ssh /etc/sysconfig/sshd /etc/crypto-policies/back-ends/opensshserver.config \
      2>/dev/null | tr -d "\"'")
  elif [ "${{p#/}}" = "$p" ]; then
    unset IFS
    set -- $(hp_started "$p")
    x=${{1-}}
    [ "$x" != '?' ] || echo '#more'
    [ -x "$x" ] && [ "$run" -lt 8 ] || continue
    shift
  else
    {{ read -r c <"$p/comm"; }} 2>/dev/null || continue
    [ "$c" = sshd ] || continue
    [ "$(sed -n 's/^Uid:[[:space:]]*\([0-9]*\).*/\1/p' "$p/status" 2>/dev/null)" = 0 ] || continue
    [ "$(readlink "$p/ns/pid" 2>/dev/null)" = "$own" ] || continue
    # sudo by another name, say: whoever called it chose its arguments
    [ ! -u "$p/exe" ] || continue
    x=$(readlink "$p/exe" 2>/dev/null); g=
    case $x in (*' (deleted)') g=1; x=${{x%' (deleted)'}};; esac
    # by that name may run another program, and in a space of its own another one at that path
    case ${{x##*/}} in (*sshd*) ;; (*) continue;; esac
    [ -n "$g" ] || [ "$p/exe" -ef "$x" ] || continue
    if [ ! -x "$x" ]; then
      printf '%s\n' "$x is no longer there, but runs" >&2
      printf '#sshd %s %s\n#as root\n#rc 127\n' "${{p#/proc/}}" "$x"
      run=$((run + 1)); continue
    fi
    a=$(tr '\000' '\n' <"$p/cmdline" 2>/dev/null)
    case "$a" in
      'sshd: '*'[listener]'*) a=${{a#sshd: }}; a=${{a%%'[listener]'*}}; IFS=' ';;
      'sshd: '*|'') continue;;
      *) IFS='
';;
    esac
    set -- $a
    unset IFS
    shift
    [ "$run" -lt 8 ] || {{ echo '#more'; break; }}
  fi
  run=$((run + 1)); n=$#; f=
  while [ "$n" -gt 0 ]; do
    a=$1; shift; n=$((n - 1))
    case "$a" in
      -E) [ "$n" -gt 0 ] && {{ shift; n=$((n - 1)); }};;
      -E*) ;;
      -f) f=${{1-}}; set -- "$@" "$a";;
      -f*) f=${{a#-f}}; set -- "$@" "$a";;
      *) set -- "$@" "$a";;
    esac
  done
  printf '#sshd %s %s\n' "${{p#/proc/}}" "$x"
  # a program that somebody else can replace is his
  hp_word "$x"
  for a in "$@"; do printf '#arg %s\n' "$a"; done
  for u in {" ".join(_AS)}; do
    printf '#as %s\n' "$u"
    hp_do "$W" "$x" -T -C "user=$u,host=outside.invalid,addr={OUTSIDE},laddr=192.0.2.7,lport=22" \
      "$@"
    printf '#rc %s\n' "$?"
  done
  [ -z "$f" ] || {{ printf '#file %s\n' "$f"; hp_by "$f" sed 's/^/|/'; }}
  case $p in (/*) ;; (-) break;; (*) continue;; esac
{_TAKEN_UP}
done
:
"""
)

READS: tuple[Read, ...] = (
    shell(
        "sshd.effective",
        _EFFECTIVE,
        limit=1 << 18,
        redact=f"/^|/{{\n{OF_FILES}\n}}\n{NO_SECRETS}",
        privileged=True,
        why=Text(
            "sshd 实际生效的配置（含启动参数与 Match 块）",
            "the configuration that holds for sshd, with its options and Match blocks",
        ),
    ),
    files(
        "sshd.files",
        "/etc/ssh/sshd_config",
        "/etc/ssh/sshd_config.d/*",
        "/usr/etc/ssh/sshd_config",
        "/usr/etc/ssh/sshd_config.d/*",
        "/usr/local/etc/sshd_config",
        "/usr/local/etc/ssh/sshd_config",
        "/usr/local/openssh/etc/sshd_config",
        "/etc/default/ssh",
        "/etc/sysconfig/sshd",
        "/etc/crypto-policies/back-ends/opensshserver.config",
        redact=f"{OF_FILES}\n{NO_SECRETS}",
        why=Text("sshd 配置文件原文", "the configuration files of sshd as written"),
    ),
    shell(
        "sshd.keys",
        KEYS,
        privileged=True,
        why=Text(
            "哪些账户装有登录公钥（只数个数、看权限，不取内容）",
            "which accounts have keys to log in with (how many, never which)",
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class Listener:
    """One sshd as it was asked. `pid` is None when none runs and the program itself was asked.

    `settings` holds, for `root` and for `nobody` (an ordinary user) coming from outside, the lines
    of `sshd -T`: keyword in small letters → its values, in order. That is what its files say now:
    `taken` tells whether the one that runs has it.
    """

    pid: int | None
    exe: str
    args: tuple[str, ...]
    settings: Mapping[str, Mapping[str, tuple[str, ...]]]
    config: str | None = None
    taken: Taken = NOT_ASKED

    def first(self, keyword: str, user: str = "nobody") -> str:
        """The value of a keyword; empty when this version does not print it."""
        values = self.settings[user].get(keyword, ())
        return values[0] if values else ""

    def all(self, keyword: str, user: str = "nobody") -> tuple[str, ...]:
        """All values of a keyword that may come more than once (`allowusers` …)."""
        return self.settings[user].get(keyword, ())

    def quote(self, *keywords: str, user: str = "root") -> Quote:
        """The lines of `sshd -T` for these keywords."""
        lines = [f"{k} {v}" for k in keywords for v in self.settings[user].get(k, ())]
        return Quote("sshd.effective", tuple(lines))


def listeners(capture: Capture) -> tuple[Listener, ...]:
    """Every sshd that listens, or the installed one when none does; empty when there is none.

    Raises CouldNotLook when `sshd -T` failed: its own words are the reason.
    """
    result = capture.read("sshd.effective")
    text = result.text()
    found: list[Listener] = []
    if text.strip() == "#none":
        return ()
    for part in re.split(r"^#sshd ", text, flags=re.MULTILINE)[1:]:
        found.append(_listener(part.split("\n"), result.stderr))
    if not found or re.search(r"^#more$", text, re.MULTILINE):
        raise NotUnderstood("sshd.effective", msg("not_output_read"))
    return tuple(found)


def _listener(lines: list[str], stderr: str) -> Listener:
    pid, _, exe = lines[0].partition(" ")
    args: list[str] = []
    settings: dict[str, dict[str, list[str]]] = {}
    config: list[str] | None = None
    run: list[str] = []
    user = ""
    for line in lines[1:]:
        word, _, value = line.partition(" ")
        if line.startswith("|") and config is not None:
            config.append(line[1:])
        elif word == "#run":
            run.append(value)
        elif word == "#arg":
            args.append(value)
        elif word == "#as":
            user = value
            settings[user] = {}
        elif word == "#rc":
            if value != "0":
                why = _last_words(stderr)
                raise CouldNotLook(
                    "sshd.effective", msg("t_exit_status", exe=exe, value=value, why=why)
                )
        elif word == "#file":
            config = []
        elif word and user:
            key = word.lower()
            settings[user].setdefault(key, []).append(value.strip())
    if set(settings) != set(_AS) or any("permitrootlogin" not in s for s in settings.values()):
        raise NotUnderstood("sshd.effective", msg("t_not_print_configuration", exe=exe))
    number = int(pid) if pid.isdecimal() else None
    return Listener(
        number,
        exe,
        tuple(args),
        MappingProxyType(
            {
                u: MappingProxyType({key: tuple(values) for key, values in s.items()})
                for u, s in settings.items()
            }
        ),
        None if config is None else "\n".join(config),
        # where none listens, each connection starts one
        TAKEN_UP if number is None else taken_up(run, number),
    )


def _last_words(stderr: str) -> str:
    said = [line.strip() for line in stderr.splitlines() if line.strip()]
    return f": {said[-1]}" if said else ""


def enter_by_key(capture: Capture) -> frozenset[str]:
    """Accounts that get a shell by a key, from each sshd here. Raises FactError."""
    sure, perhaps = key_users(capture), key_users(capture, strict=False)
    if perhaps > sure and all(s.first("strictmodes") == "no" for s in listeners(capture)):
        return perhaps
    return sure


def refused(capture: Capture, account: Account, now: datetime) -> bool:
    """Is the account refused for its age, whoever listens here?

    An sshd without PAM takes the keys of one whose password is too old. Raises FactError.
    """
    if account.ended(now) or not account.dormant(now):
        return account.ended(now)
    return all(server.first("usepam") == "yes" for server in listeners(capture))
