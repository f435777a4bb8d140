# hostpledge collector. It only reads: it writes no file, changes no setting, and sends nothing to
# any other host: what it found goes to its own standard output. Some reads ask this host's own
# services. What it reads, and why, stands with each read below.
# POSIX sh; made for dash, bash, busybox ash, ksh93 and mksh.
hp_main() {
@CLEAN@
@SAY@
# The environment must not hand the nonce on to what is run below: whoever knows it forges frames.
unset HP_N HP_SEED HP_KEY HP_MODE
HP_N=${HP_NONCE-}; HP_PINNED=${HP_N:+yes}
unset HP_NONCE
umask 077
if [ -z "$HP_N" ]; then
  for hp_x in $(od -An -N16 -tx1 /dev/urandom 2>/dev/null); do HP_N=$HP_N$hp_x; done
fi
[ -n "$HP_N" ] || HP_N=$(head -c 16 /dev/urandom 2>/dev/null | hexdump -v -e '1/1 "%02x"' 2>/dev/null)
# The key of the tokens that stand for words: never printed, never in an argument.
HP_SEED=
for hp_x in $(od -An -N32 -v -tx1 /dev/urandom 2>/dev/null); do HP_SEED=$HP_SEED$hp_x; done
[ -n "$HP_SEED" ] || HP_SEED=$(head -c 32 /dev/urandom 2>/dev/null | hexdump -v -e '1/1 "%02x"' 2>/dev/null)
case "$HP_N" in (''|*[!0-9a-f]*) echo 'hostpledge: no random number can be drawn here (od and /dev/urandom)' >&2; exit 2;; esac
# Without head an output that could not be passed on would look like an empty one, and without
# sleep no time limit would hold.
if [ "$(printf 'abc' | head -c 2 2>/dev/null)" != ab ] || ! command -v sleep >/dev/null 2>&1; then
  echo 'hostpledge: head -c and sleep are needed, and one of them does not work here' >&2; exit 2
fi
# What the shell itself can read costs no process; that is why so much is done with `read`.
HP_UID=
# shellcheck disable=SC2034 # other parts of the script use what is set here
{ while read -r hp_x hp_y HP_UID hp_y && [ "$hp_x" != Uid: ]; do HP_UID=; done </proc/self/status; } 2>/dev/null
[ -n "$HP_UID" ] || HP_UID=$(id -u 2>/dev/null) || HP_UID=
@OPENED@
@PATH@
renice -n 19 -p $$ >/dev/null 2>&1 || renice 19 -p $$ >/dev/null 2>&1
ionice -c 3 -p $$ >/dev/null 2>&1
HP_STAT=
# shellcheck disable=SC2034
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
export LC_ALL LANG PATH ZFS_MODULE_LOADING SYSTEMD_COLORS SYSTEMD_PAGER PAGER COLUMNS TERM HOME HP_MARK HP_SAY

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

# hp_above PID: the numbers of the processes above it, up to the SSH server's, in HP_A; none where
# there is no such server. Of a login that was lost the first of them has another parent.
hp_above() {
  HP_A=; hp_q=$1; hp_i=0
  while [ "$hp_i" -lt 12 ]; do
    hp_l=
    { read -r hp_l <"/proc/$hp_q/stat"; } 2>/dev/null
    case "$hp_l" in
      (*'(sshd'*|*'(dropbear'*) return;;
      (*')'*) hp_l=${hp_l##*')'}; hp_l=${hp_l#' '}; hp_l=${hp_l#*' '}; hp_q=${hp_l%%' '*};;
      (*) break;;
    esac
    case "$hp_q" in (''|0|1|*[!0-9]*) break;; esac
    HP_A="$HP_A $hp_q"; hp_i=$((hp_i + 1))
  done
  HP_A=
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
    # nobody takes what a read finds whose login is gone, and a long one would not notice
    if [ -n "$HP_ABOVE" ]; then
      hp_above "$$"
      [ "$HP_A" = "$HP_ABOVE" ] || { echo lost; exit; }
    fi
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
      (lost) break;;
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
    printf '%s\n' "sync $!" >&5
    wait "$!" 2>/dev/null
    case "$?" in (137|265|393) ;; (*) break;; esac
  done
  echo 'synced' >&5
}

# hp_cut SED: its input, redacted, by a program of sed or by the lists of words. One that did not
# live to the end (SIGPIPE is the limit's doing) must not make a part look like the whole.
hp_cut() {
  case "$1" in
    ('#words '*)
      case "$1" in (*' listed-log'|*' journal'|*' record') hp_x=$HP_LOGS;; (*) hp_x=$HP_WORDS;; esac
      { HP_MARK=$HP_OUT cat && echo .; } \
        | HP_MARK=$HP_OUT HP_MODE=${1#* } HP_KEY=$HP_SEED awk "$hp_x";;
    (*) HP_MARK=$HP_OUT sed -e "$1";;
  esac
  case "$?" in (0|141|269|397) ;; (*) return 1;; esac
}

# hp_blunt SED: is this a redaction that this host's sed or awk cannot do?
hp_blunt() {
  hp_cut "$1" </dev/null >/dev/null 2>&1 && return 1
  hp_frame stderr; printf 'sed or awk cannot redact this here, so nothing of it is shown' >&3
}

# hp_ask COMMAND...: runs it; its errors, and how it ended, go to the descriptor 4.
hp_ask() {
  # what ksh93 can not unset, it hands on
  [ -z "$HP_ODD" ] || set -- env -i "PATH=$PATH" LC_ALL=C "HP_MARK=$HP_MARK" "HP_SAY=$HP_SAY" HOME=/ COLUMNS=512 "$@"
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
  [ -n "$hp_err" ] && { hp_frame stderr; printf '%.2000s' "$hp_err" | hp_cut "$HP_ERRORS" >&3 2>/dev/null; }
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
  if ! command -v "$1" >/dev/null 2>&1; then
    [ -z "$HP_LEFT" ] || { hp_frame stderr; printf 'not looked for in %s' "$HP_LEFT" >&3; }
    hp_frame 'done missing 127 0'; return
  fi
  if [ "$hp_root" = 1 ] && [ "$HP_UID" != 0 ]; then hp_frame 'done refused 126 0'; return; fi
  printf '%s\n' "read $HP_COUNT $hp_due" >&5
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

@FILES@

hp_reads() {
HP_ME=
{ read -r HP_ME hp_x </proc/self/stat; } 2>/dev/null
HP_ME=${HP_ME:-$$}
hp_above "$$"
HP_ABOVE=$HP_A
hp_beat >&5 2>/dev/null 3>&- &
hp_keep=$!
printf '%s\n' "here $HP_ME $hp_keep" >&5
@READS@
printf '%s\n' "sync $hp_keep" >&5
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
  [ -z "$HP_LEFT" ] || printf 'left_out=%s\n' "$HP_LEFT"
} >&3 2>/dev/null
unset SSH_CONNECTION SUDO_USER DOAS_USER
hp_reads 5>&1 >&3 | hp_watch
}
hp_main
