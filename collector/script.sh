# hostpledge collector. It only reads: it writes no file, changes no setting, and sends nothing to
# any other host: what it found goes to its own standard output. Some reads ask this host's own
# services. What it reads, and why, stands with each read below.
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
if [ -z "$HP_N" ]; then
  for hp_x in $(od -An -N16 -tx1 /dev/urandom 2>/dev/null); do HP_N=$HP_N$hp_x; done
fi
[ -n "$HP_N" ] || HP_N=$(head -c 16 /dev/urandom 2>/dev/null | hexdump -v -e '1/1 "%02x"' 2>/dev/null)
case "$HP_N" in (''|*[!0-9a-f]*) echo 'hostpledge: no random number can be drawn here (od and /dev/urandom)' >&2; exit 2;; esac
# Without head an output that could not be passed on would look like an empty one, and without
# sleep no time limit would hold.
if [ "$(printf 'abc' | head -c 2 2>/dev/null)" != ab ] || ! command -v sleep >/dev/null 2>&1; then
  echo 'hostpledge: head -c and sleep are needed, and one of them does not work here' >&2; exit 2
fi
# What the shell itself can read costs no process; that is why so much is done with `read`.
HP_UID=
{ while read -r hp_x hp_y HP_UID hp_y && [ "$hp_x" != Uid: ]; do HP_UID=; done </proc/self/status; } 2>/dev/null
[ -n "$HP_UID" ] || HP_UID=$(id -u 2>/dev/null) || HP_UID=
renice -n 19 -p $$ >/dev/null 2>&1 || renice 19 -p $$ >/dev/null 2>&1
ionice -c 3 -p $$ >/dev/null 2>&1
HP_SH=/bin/sh; [ -x "$HP_SH" ] || HP_SH='sh'
HP_STAT=
[ "$(stat -c '%a' / 2>/dev/null)" ] && HP_STAT=1
HP_COUNT=0
exec 3>&1 </dev/null

hp_now() { date +%s 2>/dev/null || echo 0; }
hp_frame() { printf '\n@%s %s\n' "$HP_N" "$*" >&3 || exit 3; }

# hp_tick: hundredths of a second since the host started, in HP_T; costs no process.
hp_tick() {
  HP_T=
  { read -r HP_T hp_x </proc/uptime; } 2>/dev/null
  case "$HP_T" in
    (*.[0-9][0-9]) HP_T=${HP_T%.*}${HP_T#*.};;
    (*) HP_T=$(hp_now)00;;
  esac
  while :; do case "$HP_T" in (0?*) HP_T=${HP_T#0};; (*) break;; esac; done
}

# Everything that is run below carries this mark in its environment, so that it can be ended when
# its time is over, even where it left its parent and its session.
hp_tick
HP_M="$$-$HP_T"
HP_MARK=$HP_M-0-run; HP_OUT=$HP_M-0-out
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

# hp_beat: says once a second that time goes on, as long as somebody is there for whom it does.
hp_beat() {
  hp_z=; hp_end=
  trap 'hp_end=1; [ -n "$hp_z" ] && kill -9 "$hp_z"' TERM
  while kill -0 "$HP_ME"; do
    hp_z=; HP_MARK=$HP_M-beat sleep 1 &
    hp_z=$!
    [ -n "$hp_end" ] && kill -9 "$hp_z"
    wait "$hp_z"
    case "$hp_end:$?" in (1:*|*:126|*:127) exit;; esac
    echo tick
  done
}

# hp_watch: one watch over all reads, which tell it when they begin, when their time is over and
# when they end. What outstays its time it asks to end, then ends it, then ends whatever of the read
# is still there.
hp_watch() {
  hp_k=0; hp_n=''; hp_z=''; hp_me=''; hp_keep=''
  while read -r hp_w hp_a hp_b; do
    case "$hp_w" in
      (here) hp_me=$hp_a; hp_keep=$hp_b;;
      (read) hp_n=$hp_a; hp_due=$hp_b; hp_k=0;;
      (done) hp_n=;;
      (sync) hp_z=$hp_a; kill -15 "$hp_z" 2>/dev/null;;
      (synced) hp_z=;;
      (end) return 0;;
      (tick)
        # a shell that was about to become `sleep` may have swallowed it
        [ -n "$hp_z" ] && kill -15 "$hp_z" 2>/dev/null
        [ -n "$hp_n" ] || continue
        hp_tick
        [ "$HP_T" -ge "$hp_due" ] || continue
        hp_k=$((hp_k + 1))
        case "$hp_k" in
          (1) hp_signal -15 "$HP_M-$hp_n-run";;
          (2) hp_signal -9 "$HP_M-$hp_n-run";;
          (*) hp_fell "$hp_me" "$hp_keep";;
        esac;;
    esac
  done
  hp_signal -9 "$HP_M-"
  return 3
}

# hp_begin ID SECONDS LIMIT: a read begins.
hp_begin() {
  HP_COUNT=$((HP_COUNT + 1))
  HP_MARK=$HP_M-$HP_COUNT-run; HP_OUT=$HP_M-$HP_COUNT-out
  hp_frame "read $1 $3"
  hp_tick
  hp_b=$HP_T; hp_due=$((HP_T + $2 * 100))
}

# hp_over STATUS RC: the last frame of a read.
hp_over() {
  hp_tick
  hp_status=$1
  [ "$HP_T" -ge "$hp_due" ] && hp_status=timeout
  hp_frame "done $hp_status $2 $(((HP_T - hp_b) / 100))"
}

# hp_free: the watch lets go of the read. Where it may be about to end what is left of it, the next
# one has to wait until it is through.
hp_free() {
  echo 'done' >&5
  hp_tick
  [ "$HP_T" -ge "$hp_due" ] || return 0
  while :; do
    HP_MARK=$HP_M-sync sleep 60 3>&- 5>&- &
    echo "sync $!" >&5
    wait "$!" 2>/dev/null
    case "$?" in (137|265|393) ;; (*) break;; esac
  done
  echo 'synced' >&5
}

# hp_cut SED: its input, redacted. A sed that did not live to the end (SIGPIPE is the limit's
# doing) must not make a part look like the whole.
hp_cut() {
  HP_MARK=$HP_OUT sed -e "$1"
  case "$?" in (0|141|269|397) ;; (*) return 1;; esac
}

# hp_blunt SED: is this a redaction that this host's sed cannot do?
hp_blunt() {
  sed -e "$1" </dev/null >/dev/null 2>&1 && return 1
  hp_frame stderr; printf 'sed cannot redact this here, so nothing of it is shown' >&3
}

# hp_ask COMMAND...: runs it; its errors, and how it ended, go to the descriptor 4.
hp_ask() {
  "$@" 2>&4 3>&- 4>&- 5>&-
  printf '\n@%s rc %s\n' "$HP_N" "$?" >&4
}

# hp_told SED: takes what comes by the descriptor 4 until all are gone that hold it, so that all
# output has been passed on before it. Only we know the nonce: errors cannot pass for a status.
hp_told() {
  hp_err=; hp_rc=255; hp_spoiled=
  while IFS= read -r hp_l || [ -n "$hp_l" ]; do
    case "$hp_l" in
      ("@$HP_N rc "*) hp_rc=${hp_l##* };;
      ("@$HP_N spoiled") hp_spoiled=1;;
      (*) [ "${#hp_err}" -lt 2000 ] && hp_err="$hp_err$hp_l
";;
    esac
  done
  if [ -n "$hp_spoiled" ]; then
    if hp_blunt "$1"; then hp_over 'exit' 127; return 0; fi
    hp_frame spoiled
  fi
  while :; do case "$hp_err" in (*'
') hp_err=${hp_err%?};; (*) break;; esac; done
  [ -n "$hp_err" ] && { hp_frame stderr; printf '%.2000s' "$hp_err" >&3; }
  case "$hp_rc" in (''|*[!0-9]*) hp_rc=255;; esac
  [ "$hp_rc" -gt 256 ] && hp_rc=$((hp_rc - 128))
  hp_status='exit'; [ "$hp_rc" = 0 ] && hp_status=ok
  hp_over "$hp_status" "$hp_rc"
  return 0
}

# hp_run ID SECONDS LIMIT ROOT SED COMMAND...: one command, its output, errors and exit status.
hp_run() {
  hp_begin "$1" "$2" "$3"
  hp_lim=$(($3 + 1)); hp_root=$4; hp_sed=$5; shift 5
  if ! command -v "$1" >/dev/null 2>&1; then hp_frame 'done missing 127 0'; return; fi
  if [ "$hp_root" = 1 ] && [ "$HP_UID" != 0 ]; then hp_frame 'done refused 126 0'; return; fi
  echo "read $HP_COUNT $hp_due" >&5
  {
    if [ -n "$hp_sed" ]; then
      hp_ask "$@" | { hp_cut "$hp_sed" || printf '\n@%s spoiled\n' "$HP_N" >&4; } \
        | HP_MARK=$HP_OUT head -c "$hp_lim" >&3
    else
      hp_ask "$@" | HP_MARK=$HP_OUT head -c "$hp_lim" >&3
    fi
  } 2>/dev/null 4>&1 | hp_told "$hp_sed" &
  wait "$!" 2>/dev/null
  case "$?" in
    (0) ;;
    (3) exit 3;;
    (*) hp_over 'exit' 255;;
  esac
  hp_free
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

# hp_stat PATH...: a line for each: permissions, owner, group, size, time, path.
hp_stat() {
  if [ -n "$HP_STAT" ]; then stat -L -c '%a %u %g %s %Y %n' "$@" 2>/dev/null
  else
    for hp_x in "$@"; do
      # shellcheck disable=SC2012 # where there is no stat, ls is all there is; the name is not parsed
      hp_y=$(exec 2>/dev/null; ls -ldnL "$hp_x" \
        | sed -n '1s/^\([^ ]*\)  *[0-9]*  *\([0-9]*\)  *\([0-9]*\)  *\([0-9]*\).*/\1 \2 \3 \4 0/p')
      [ -n "$hp_y" ] && printf '%s %s\n' "$hp_y" "$hp_x"
    done
  fi
}

# hp_file LIMIT SED PATH NUMBERS: one file: what it is, and its content.
hp_file() {
  hp_st=ok
  if [ ! -f "$3" ]; then hp_st=absent; [ -e "$3" ] && hp_st='exit'
  elif ! { true <"$3"; } 2>/dev/null; then hp_st=refused; fi
  hp_frame "file $hp_st $4"
  printf '%s' "$3" >&3
  [ "$hp_st" = ok ] || return 0
  hp_frame data
  {
    if [ -z "$2" ]; then HP_MARK=$HP_OUT head -c "$(($1 + 1))"
    else
      hp_x=${4#* * * }; hp_x=${hp_x%% *}
      # A file within the limit needs nobody to cut it off there; one without a size does.
      if [ "${hp_x:-0}" -gt 0 ] && [ "$hp_x" -le "$1" ]; then hp_cut "$2"
      else
        hp_bad=1
        { hp_cut "$2" || hp_frame spoiled; } | HP_MARK=$HP_OUT head -c "$(($1 + 1))"
      fi
    fi
  } <"$3" >&3 2>/dev/null || { hp_frame spoiled; hp_bad=1; }
}

# hp_look LIMIT MOST SED PATTERN...: every file that the patterns match.
hp_look() {
  hp_lim=$1; hp_most=$2; hp_sed=$3; shift 3
  hp_pats=$#; hp_k=0; hp_end=0; hp_say=; hp_bad=
  for hp_pat in "$@"; do
    if hp_closed "$hp_pat"; then
      hp_say="$hp_pat: a folder above is closed to this user"; hp_end=11; break
    fi
    IFS=
    for hp_f in $hp_pat; do
      unset IFS
      if [ ! -e "$hp_f" ] && [ ! -L "$hp_f" ]; then continue; fi
      [ -d "$hp_f" ] && continue
      hp_k=$((hp_k + 1))
      if [ "$hp_k" -gt "$hp_most" ]; then
        hp_say="more than $hp_most files"; hp_end=12; break 2
      fi
      set -- "$@" "$hp_f"
    done
    unset IFS
  done
  unset IFS
  shift "$hp_pats"
  if [ "$#" -gt 0 ]; then
    # A name of two lines could speak for another file: then each is asked for alone.
    hp_all=
    case "$*" in (*'
'*) ;; (*) hp_all=$(hp_stat "$@");; esac
    for hp_f in "$@"; do
      # The lines come in order, but one is missing where its file went away.
      hp_m=${hp_all%%"
"*}
      if [ "${hp_m#* * * * * }" = "$hp_f" ]; then hp_all=${hp_all#*"
"}
      else hp_m=$(hp_stat "$hp_f"); fi
      hp_file "$hp_lim" "$hp_sed" "$hp_f" "${hp_m%" $hp_f"}"
    done
    if [ -n "$hp_bad" ] && [ -n "$hp_sed" ] && hp_blunt "$hp_sed"; then return 13; fi
  elif [ "$hp_end" = 0 ]; then hp_end=10; fi
  [ -n "$hp_say" ] && { hp_frame stderr; printf '%s' "$hp_say" >&3; }
  return "$hp_end"
}

# hp_files ID SECONDS LIMIT MOST SED PATTERN...: the same, with its time limit and its frames.
hp_files() {
  hp_begin "$1" "$2" "$3"
  echo "read $HP_COUNT $hp_due" >&5
  shift 2
  hp_look "$@" 5>&- &
  wait "$!" 2>/dev/null
  hp_rc=$?
  case "$hp_rc" in
    (0) hp_over ok 0;; (10) hp_over absent 0;; (11) hp_over refused 0;;
    (12) hp_over truncated 0;; (13) hp_over 'exit' 127;; (3) exit 3;; (*) hp_over 'exit' 0;;
  esac
  hp_free
}

hp_reads() {
HP_ME=
{ read -r HP_ME hp_x </proc/self/stat; } 2>/dev/null
HP_ME=${HP_ME:-$$}
hp_beat >&5 2>/dev/null 3>&- &
hp_keep=$!
echo "here $HP_ME $hp_keep" >&5
@READS@
echo "sync $hp_keep" >&5
wait "$hp_keep" 2>/dev/null
hp_signal -9 "$HP_M-"
hp_frame "end $HP_COUNT $(hp_now)"
echo 'end' >&5
}

# hp_line FILE: its first line, in HP_L.
hp_line() {
  HP_L=
  { read -r HP_L <"$1"; } 2>/dev/null
}

printf 'hostpledge-capture 1 %s\n' "$HP_N" >&3
hp_frame head
{
  printf 'uid=%s\n' "$HP_UID"
  printf 'user=%s\n' "$(id -un 2>/dev/null)"
  printf 'via=%s\n' "${SUDO_USER:-${DOAS_USER:-}}"
  printf 'session=%s\n' "${SSH_CONNECTION-}"
  hp_x=$(date '+%s %z' 2>/dev/null)
  printf 'clock=%s\nzone=%s\n' "${hp_x%% *}" "${hp_x#* }"
  hp_line /proc/sys/kernel/hostname
  printf 'hostname=%s\n' "${HP_L:-$(hostname 2>/dev/null || uname -n 2>/dev/null)}"
  printf 'kernel=%s\n' "$(uname -srm 2>/dev/null)"
  hp_line /proc/sys/kernel/random/boot_id
  printf 'boot_id=%s\n' "$HP_L"
  hp_x=$({ sha256sum </etc/machine-id; } 2>/dev/null)
  printf 'machine=%s\n' "${hp_x%% *}"
  for hp_f in /etc/ssh/ssh_host_*_key.pub; do
    [ -r "$hp_f" ] && { read -r hp_t hp_v hp_x <"$hp_f"; printf 'hostkey=%s %s\n' "$hp_t" "$hp_v"; }
  done
  ip -o addr show scope global 2>/dev/null | sed -n '64q;s/^[^ ]*  *[^ ]*  *inet6*  *\([^ ]*\).*/address=\1/p'
  printf 'pinned=%s\n' "$HP_PINNED"
} >&3 2>/dev/null
hp_reads 5>&1 >&3 | hp_watch
}
hp_main
