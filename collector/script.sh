# hostpledge collector. It only reads: it writes no file, changes no setting, and sends nothing
# anywhere but to its own standard output. What it reads, and why, stands with each read below.
# POSIX sh; made for dash, bash, busybox ash, ksh93 and mksh.
hp_main() {
set -u
[ -n "${ZSH_VERSION-}" ] && emulate sh
LC_ALL=C; LANG=C; PATH="${PATH-}:/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin:/usr/local/bin"
SYSTEMD_COLORS=0; SYSTEMD_PAGER=; PAGER='cat'; COLUMNS=512; TERM=dumb
export LC_ALL LANG PATH SYSTEMD_COLORS SYSTEMD_PAGER PAGER COLUMNS TERM
unset BASH_ENV ENV CDPATH GREP_OPTIONS POSIXLY_CORRECT 2>/dev/null
umask 077
trap '' HUP
HP_N=${HP_NONCE-}
[ -n "$HP_N" ] || HP_N=$(od -An -N16 -tx1 /dev/urandom 2>/dev/null | tr -d ' \n')
[ -n "$HP_N" ] || HP_N=$(head -c 16 /dev/urandom 2>/dev/null | hexdump -v -e '1/1 "%02x"' 2>/dev/null)
case "$HP_N" in ''|*[!0-9a-f]*) echo 'hostpledge: no random number can be drawn here (od and /dev/urandom)' >&2; exit 2;; esac
HP_UID=$(id -u 2>/dev/null) || HP_UID=
[ -n "$HP_UID" ] || HP_UID=$(sed -n 's/^Uid:[[:space:]]*\([0-9]*\).*/\1/p' /proc/self/status 2>/dev/null)
renice -n 19 -p $$ >/dev/null 2>&1 || renice 19 -p $$ >/dev/null 2>&1
ionice -c 3 -p $$ >/dev/null 2>&1
HP_SH=/bin/sh; [ -x "$HP_SH" ] || HP_SH='sh'
HP_TIMEOUT=
if [ -z "${HP_NO_TIMEOUT-}" ] && command -v timeout >/dev/null 2>&1; then
  if timeout -k 1 5 true >/dev/null 2>&1; then HP_TIMEOUT=k
  elif timeout -t 5 true >/dev/null 2>&1; then HP_TIMEOUT=t
  elif timeout 5 true >/dev/null 2>&1; then HP_TIMEOUT=p; fi
fi
HP_STAT=
[ "$(stat -c '%a' / 2>/dev/null)" ] && HP_STAT=1
HP_COUNT=0
exec 3>&1 </dev/null

hp_now() { date +%s 2>/dev/null || echo 0; }
hp_frame() { printf '\n@%s %s\n' "$HP_N" "$*" >&3; }

# Ends a process and all that it started, where no timeout command does it.
hp_end() {
  for hp_s in /proc/[0-9]*/stat; do
    { read -r hp_l <"$hp_s"; } 2>/dev/null || continue
    hp_r=${hp_l##*) }; hp_r=${hp_r#? }; hp_p=${hp_r%% *}
    hp_i=${hp_s#/proc/}; hp_i=${hp_i%/stat}
    [ "$hp_p" = "$1" ] && ( hp_end "$hp_i" )
  done
  kill -9 "$1" 2>/dev/null
}

# hp_watch SECONDS COMMAND...: runs it (a function too), ends it when its time is over.
hp_watch() {
  hp_t=$1; shift
  "$@" &
  hp_c=$!
  ( trap 'kill "$hp_z" 2>/dev/null; exit 0' TERM
    sleep "$hp_t" & hp_z=$!
    wait "$hp_z"; hp_end "$hp_c" ) >/dev/null 2>&1 3>&- 4>&- 5>&- &
  hp_w=$!
  wait "$hp_c" 2>/dev/null; hp_rc=$?
  kill -15 "$hp_w" 2>/dev/null; wait "$hp_w" 2>/dev/null
  return "$hp_rc"
}

# hp_limit SECONDS COMMAND...: the same for a command, by the host's own timeout where it has one.
hp_limit() {
  case "$HP_TIMEOUT" in
    k) hp_t=$1; shift; timeout -k 1 "$hp_t" "$@";;
    t) hp_t=$1; shift; timeout -t "$hp_t" "$@";;
    p) timeout "$@";;
    *) hp_watch "$@";;
  esac
}

# hp_filter SED: the redaction; without a program everything passes unchanged.
hp_filter() { if [ -n "$1" ]; then sed -e "$1"; else cat; fi; }

# hp_done SECONDS-ALLOWED SECONDS-TAKEN RC: says what became of a command.
hp_done() {
  hp_status='exit'
  case "$3" in
    0) hp_status=ok;;
    124|137|142|143|265|271) [ "$2" -ge "$1" ] && hp_status=timeout;;
  esac
  hp_frame "done $hp_status $3 $2"
}

# hp_run ID SECONDS LIMIT ROOT SED COMMAND...: one command, its output, errors and exit status.
hp_run() {
  hp_id=$1; hp_sec=$2; hp_lim=$3; hp_root=$4; hp_sed=$5; shift 5
  HP_COUNT=$((HP_COUNT + 1))
  hp_frame "read $hp_id"
  if ! command -v "$1" >/dev/null 2>&1; then hp_frame 'done missing 127 0'; return; fi
  if [ "$hp_root" = 1 ] && [ "$HP_UID" != 0 ]; then hp_frame 'done refused 126 0'; return; fi
  hp_b=$(hp_now)
  hp_all=$(
    exec 5>&1
    hp_err=$( { { { hp_limit "$hp_sec" "$@" 3>&- 4>&- 5>&-; echo "$?" >&5; } 2>&4 \
      | hp_filter "$hp_sed" 2>&4 | head -c "$((hp_lim + 1))" >&3 2>/dev/null; } 4>&1 >/dev/null; } \
      | { head -c 2000; cat >/dev/null; } | tr -d '\000' )
    printf 'E%s' "$hp_err" )
  hp_e=$(hp_now)
  hp_rc=${hp_all%%
*}
  case "$hp_rc" in ''|*[!0-9]*) hp_rc=255;; esac
  hp_err=${hp_all#*E}
  [ -n "$hp_err" ] && { hp_frame stderr; printf '%s' "$hp_err" >&3; }
  hp_done "$hp_sec" "$((hp_e - hp_b))" "$hp_rc"
}

# hp_closed PATTERN: is a folder above it closed to us, so that a match could be hidden?
hp_closed() {
  [ "$HP_UID" = 0 ] && return 1
  hp_d=$1
  while :; do
    case "${hp_d##*/}" in *[*?[]*) hp_g=1;; *) hp_g=0;; esac
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
    hp_m=$(ls -ldnL "$3" 2>/dev/null | sed -n '1s/^\([^ ]*\)  *[0-9]*  *\([0-9]*\)  *\([0-9]*\)  *\([0-9]*\).*/\1 \2 \3 \4 0/p')
  fi
  hp_st=ok
  if [ ! -f "$3" ]; then hp_st=absent; [ -e "$3" ] && hp_st='exit'
  elif [ ! -r "$3" ]; then hp_st=refused; fi
  hp_frame "file $hp_st $hp_m"
  printf '%s' "$3" >&3
  [ "$hp_st" = ok ] || return
  hp_frame data
  { hp_filter "$2" <"$3" | head -c "$(($1 + 1))" >&3; } 2>/dev/null
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
  hp_frame "read $hp_id"
  hp_b=$(hp_now)
  hp_watch "$hp_sec" hp_look "$@"
  case "$?" in
    0) hp_status=ok;; 10) hp_status=absent;; 11) hp_status=refused;;
    12) hp_status=truncated;; *) hp_status=timeout;;
  esac
  hp_frame "done $hp_status 0 $(($(hp_now) - hp_b))"
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
    [ -r "$hp_f" ] && { read -r hp_t hp_v hp_r <"$hp_f"; printf 'hostkey=%s %s\n' "$hp_t" "$hp_v"; }
  done
  (ip -o addr show scope global 2>/dev/null || true) | head -n 64 | sed -n 's/^[^ ]*  *[^ ]*  *inet6*  *\([^ ]*\).*/address=\1/p'
  printf 'timeout=%s\n' "${HP_TIMEOUT:-own}"
  printf 'pinned=%s\n' "${HP_NONCE:+yes}"
} >&3
@READS@
hp_frame "end $HP_COUNT $(hp_now)"
}
hp_main
