# hostpledge collector. It only reads: it writes no file, changes no setting, and sends nothing
# anywhere but to its own standard output. What it reads, and why, stands with each read below.
# POSIX sh; made for dash, bash, busybox ash, ksh93 and mksh.
hp_main() {
set -u
[ -n "${ZSH_VERSION-}" ] && emulate sh
LC_ALL=C; LANG=C; PATH="/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin:/usr/local/bin${PATH:+:$PATH}"
ZFS_MODULE_LOADING=NO; SYSTEMD_COLORS=0; SYSTEMD_PAGER=; PAGER='cat'; COLUMNS=512; TERM=dumb
# The environment must not hand the nonce on to what is run below: whoever knows it forges frames.
unset HP_N
HP_N=${HP_NONCE-}; HP_PINNED=${HP_N:+yes}
unset HP_NONCE BASH_ENV ENV CDPATH GREP_OPTIONS POSIXLY_CORRECT 2>/dev/null
umask 077
[ -n "$HP_N" ] || HP_N=$(od -An -N16 -tx1 /dev/urandom 2>/dev/null | tr -d ' \n')
[ -n "$HP_N" ] || HP_N=$(head -c 16 /dev/urandom 2>/dev/null | hexdump -v -e '1/1 "%02x"' 2>/dev/null)
case "$HP_N" in (''|*[!0-9a-f]*) echo 'hostpledge: no random number can be drawn here (od and /dev/urandom)' >&2; exit 2;; esac
# Without these an output that could not be passed on would look like an empty one.
if [ "$(printf 'ab\000' | head -c 3 | tr -d '\000b' 2>/dev/null)" != a ]; then
  echo 'hostpledge: head -c and tr are needed, and one of them does not work here' >&2; exit 2
fi
HP_UID=$(id -u 2>/dev/null) || HP_UID=
[ -n "$HP_UID" ] || HP_UID=$(sed -n 's/^Uid:[[:space:]]*\([0-9]*\).*/\1/p' /proc/self/status 2>/dev/null)
renice -n 19 -p $$ >/dev/null 2>&1 || renice 19 -p $$ >/dev/null 2>&1
ionice -c 3 -p $$ >/dev/null 2>&1
HP_SH=/bin/sh; [ -x "$HP_SH" ] || HP_SH='sh'
HP_STAT=
[ "$(stat -c '%a' / 2>/dev/null)" ] && HP_STAT=1
HP_COUNT=0; HP_SHARP=
exec 3>&1 </dev/null

hp_now() { date +%s 2>/dev/null || echo 0; }
hp_frame() { printf '\n@%s %s\n' "$HP_N" "$*" >&3 || exit 3; }

# hp_tick: seconds since the host started, in HP_T; costs no process.
hp_tick() {
  HP_T=
  { read -r HP_T hp_x </proc/uptime; } 2>/dev/null
  HP_T=${HP_T%%.*}
  [ -n "$HP_T" ] || HP_T=$(hp_now)
}

# Everything that is run below carries this mark in its environment, so that it can be ended when
# its time is over, even where it left its parent and its session.
hp_tick
HP_M="$$-$HP_T"
HP_MARK=$HP_M-run
export LC_ALL LANG PATH ZFS_MODULE_LOADING SYSTEMD_COLORS SYSTEMD_PAGER PAGER COLUMNS TERM HP_MARK

# hp_signal SIGNAL MARK: to all that carry the mark.
hp_signal() {
  # shellcheck disable=SC2013 # a process number has no blank in it
  for hp_p in $(HP_MARK='' grep -l "HP_MARK=$2" /proc/[0-9]*/environ 2>/dev/null); do
    hp_p=${hp_p#/proc/}
    kill "$1" "${hp_p%/environ}" 2>/dev/null
  done
}

# hp_fell PID KEEP: ends all below the process PID, but not the process KEEP.
hp_fell() {
  for hp_p in /proc/[0-9]*/stat; do
    { read -r hp_l <"$hp_p"; } 2>/dev/null || continue
    hp_l=${hp_l##*')'}; hp_l=${hp_l#' '}; hp_l=${hp_l#*' '}
    hp_p=${hp_p#/proc/}; hp_p=${hp_p%/stat}
    if [ "${hp_l%%' '*}" = "$1" ] && [ "$hp_p" != "$2" ]; then
      ( hp_fell "$hp_p" "$2" )
      kill -9 "$hp_p" 2>/dev/null
    fi
  done
}

hp_nap() { HP_MARK=$HP_M-nap sleep "$1" & hp_z=$!; wait "$hp_z"; }

# hp_guard SECONDS: starts a watch over one read. It asks what the read runs to end, then ends it,
# then ends whatever of the read is still there.
hp_guard() {
  (
    hp_z=
    trap '[ "$hp_z" ] && kill -9 "$hp_z" && wait "$hp_z"; exit 0' TERM
    hp_me=
    read -r hp_me hp_x </proc/self/stat
    hp_nap "$1"
    trap '[ "$hp_z" ] && kill -9 "$hp_z" && wait "$hp_z"; exit 9' TERM
    hp_signal -15 "$HP_MARK"; hp_nap 1
    hp_signal -9 "$HP_MARK"; hp_nap 1
    hp_fell "$$" "$hp_me"
    exit 9
  ) >/dev/null 2>&1 3>&- &
  hp_w=$!
}

# hp_free: ends the watch; false when the read's time was over.
hp_free() {
  kill -15 "$hp_w" 2>/dev/null
  wait "$hp_w" 2>/dev/null
  [ "$?" != 9 ] && return 0
}

# hp_pass LIMIT SED: passes its input on to the capture, redacted, up to the limit. A sed that did
# not live to the end (SIGPIPE is the limit's doing) must not make a part look like the whole.
hp_pass() {
  if [ -n "$2" ]; then
    { HP_MARK=$HP_M-out sed -e "$2"; case "$?" in (0|141|269|397) ;; (*) hp_frame spoiled;; esac; } \
      | HP_MARK=$HP_M-out head -c "$(($1 + 1))" >&3
  else HP_MARK=$HP_M-out head -c "$(($1 + 1))" >&3; fi
}

# hp_blunt SED: is there a redaction that this host's sed cannot do?
hp_blunt() {
  [ -n "$1" ] || return 1
  # Many reads share the longest, and making it ready is what costs.
  [ "$1" = "$HP_SHARP" ] && return 1
  if sed -e "$1" </dev/null >/dev/null 2>&1; then
    [ "${#1}" -gt "${#HP_SHARP}" ] && HP_SHARP=$1
    return 1
  fi
  hp_frame stderr; printf 'sed cannot redact this here, so nothing of it is shown' >&3
  hp_frame 'done exit 127 0'
}

# hp_run ID SECONDS LIMIT ROOT SED COMMAND...: one command, its output, errors and exit status.
hp_run() {
  hp_id=$1; hp_sec=$2; hp_lim=$3; hp_root=$4; hp_sed=$5; shift 5
  HP_COUNT=$((HP_COUNT + 1))
  hp_frame "read $hp_id $hp_lim"
  if ! command -v "$1" >/dev/null 2>&1; then hp_frame 'done missing 127 0'; return; fi
  if [ "$hp_root" = 1 ] && [ "$HP_UID" != 0 ]; then hp_frame 'done refused 126 0'; return; fi
  hp_blunt "$hp_sed" && return
  hp_tick; hp_b=$HP_T
  hp_guard "$hp_sec"
  hp_all=$(
    exec 5>&1 2>/dev/null
    hp_err=$( { { { "$@" 2>&4 3>&- 4>&- 5>&-; echo "$?" >&5; } 2>/dev/null \
      | hp_pass "$hp_lim" "$hp_sed" 2>/dev/null || hp_frame spoiled; } 4>&1 >/dev/null; } \
      | { HP_MARK=$HP_M-out head -c 2000; while read -r hp_x; do :; done; } \
      | HP_MARK=$HP_M-out tr -d '\000' )
    printf 'E%s' "$hp_err" )
  hp_status='exit'
  hp_free || hp_status=timeout
  hp_tick
  hp_rc=${hp_all%%
*}
  case "$hp_rc" in (''|*[!0-9]*) hp_rc=255;; esac
  [ "$hp_rc" -gt 256 ] && hp_rc=$((hp_rc - 128))
  [ "$hp_rc $hp_status" = '0 exit' ] && hp_status=ok
  hp_err=${hp_all#*E}
  [ -n "$hp_err" ] && { hp_frame stderr; printf '%s' "$hp_err" >&3; }
  hp_frame "done $hp_status $hp_rc $((HP_T - hp_b))"
}

# hp_closed PATTERN: is a folder above it closed to us, so that a match could be hidden?
hp_closed() {
  [ "$HP_UID" = 0 ] && return 1
  hp_d=$1
  while :; do
    case "${hp_d##*/}" in (*[*?[]*) hp_g=1;; (*) hp_g=0;; esac
    hp_d=${hp_d%/*}; [ -n "$hp_d" ] || hp_d=/
    IFS=
    for hp_x in $hp_d; do
      [ -d "$hp_x" ] || continue
      if [ ! -x "$hp_x" ] || { [ "$hp_g" = 1 ] && [ ! -r "$hp_x" ]; }; then unset IFS; return 0; fi
    done
    unset IFS
    [ "$hp_d" = / ] && return 1
  done
}

# hp_file LIMIT SED PATH: one file: what it is, and its content.
hp_file() {
  if [ -n "$HP_STAT" ]; then hp_m=$(stat -L -c '%a %u %g %s %Y' "$3" 2>/dev/null)
  else
    # shellcheck disable=SC2012 # where there is no stat, ls is all there is; the name is not parsed
    hp_m=$(exec 2>/dev/null; ls -ldnL "$3" | sed -n '1s/^\([^ ]*\)  *[0-9]*  *\([0-9]*\)  *\([0-9]*\)  *\([0-9]*\).*/\1 \2 \3 \4 0/p')
  fi
  hp_st=ok
  if [ ! -f "$3" ]; then hp_st=absent; [ -e "$3" ] && hp_st='exit'
  elif ! { true <"$3"; } 2>/dev/null; then hp_st=refused; fi
  hp_frame "file $hp_st $hp_m"
  printf '%s' "$3" >&3
  [ "$hp_st" = ok ] || return
  hp_frame data
  { hp_pass "$1" "$2" <"$3"; } 2>/dev/null || hp_frame spoiled
}

# hp_look LIMIT MOST SED PATTERN...: every file that the patterns match.
hp_look() {
  hp_lim=$1; hp_most=$2; hp_sed=$3; shift 3
  hp_k=0; hp_none=10
  for hp_pat in "$@"; do
    if hp_closed "$hp_pat"; then
      hp_frame stderr; printf '%s: a folder above is closed to this user' "$hp_pat" >&3; return 11
    fi
    IFS=
    for hp_f in $hp_pat; do
      unset IFS
      if [ ! -e "$hp_f" ] && [ ! -L "$hp_f" ]; then continue; fi
      [ -d "$hp_f" ] && continue
      hp_k=$((hp_k + 1)); hp_none=0
      if [ "$hp_k" -gt "$hp_most" ]; then
        hp_frame stderr; printf 'more than %s files' "$hp_most" >&3; return 12
      fi
      hp_file "$hp_lim" "$hp_sed" "$hp_f"
    done
    unset IFS
  done
  return "$hp_none"
}

# hp_files ID SECONDS LIMIT MOST SED PATTERN...: the same, with its time limit and its frames.
hp_files() {
  hp_id=$1; hp_sec=$2; shift 2
  HP_COUNT=$((HP_COUNT + 1))
  hp_frame "read $hp_id $1"
  hp_blunt "$3" && return
  hp_tick; hp_b=$HP_T
  hp_guard "$hp_sec"
  hp_look "$@" &
  wait "$!" 2>/dev/null
  case "$?" in
    (0) hp_status=ok;; (10) hp_status=absent;; (11) hp_status=refused;;
    (12) hp_status=truncated;; (*) hp_status='exit';;
  esac
  hp_free || hp_status=timeout
  hp_tick
  hp_frame "done $hp_status 0 $((HP_T - hp_b))"
}

printf 'hostpledge-capture 1 %s\n' "$HP_N" >&3
hp_frame head
{
  printf 'uid=%s\n' "$HP_UID"
  printf 'user=%s\n' "$(id -un 2>/dev/null)"
  printf 'via=%s\n' "${SUDO_USER:-${DOAS_USER:-}}"
  printf 'session=%s\n' "${SSH_CONNECTION-}"
  printf 'clock=%s\n' "$(hp_now)"
  printf 'zone=%s\n' "$(date +%z 2>/dev/null)"
  printf 'hostname=%s\n' "$(hostname 2>/dev/null || uname -n 2>/dev/null || cat /proc/sys/kernel/hostname 2>/dev/null)"
  printf 'kernel=%s\n' "$(uname -srm 2>/dev/null)"
  printf 'boot_id=%s\n' "$(cat /proc/sys/kernel/random/boot_id 2>/dev/null)"
  printf 'machine=%s\n' "$({ sha256sum </etc/machine-id; } 2>/dev/null | cut -c1-64)"
  for hp_f in /etc/ssh/ssh_host_*_key.pub; do
    [ -r "$hp_f" ] && { read -r hp_t hp_v hp_x <"$hp_f"; printf 'hostkey=%s %s\n' "$hp_t" "$hp_v"; }
  done
  ip -o addr show scope global 2>/dev/null | head -n 64 | sed -n 's/^[^ ]*  *[^ ]*  *inet6*  *\([^ ]*\).*/address=\1/p'
  printf 'pinned=%s\n' "$HP_PINNED"
} >&3 2>/dev/null
@READS@
hp_signal -9 "$HP_M-"
hp_frame "end $HP_COUNT $(hp_now)"
}
hp_main
