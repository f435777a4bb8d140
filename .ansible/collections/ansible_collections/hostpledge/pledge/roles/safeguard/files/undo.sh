#!/bin/sh
# Puts back what hostpledge changed on this host. Needs neither hostpledge nor Ansible nor Python:
#
#   sh /var/lib/hostpledge/undo/undo.sh            lists the families that can be put back
#   sh /var/lib/hostpledge/undo/undo.sh FAMILY     puts one back
#
# Exit status: 0 done, or nothing to do; 1 some of it could not be put back (run it again); 2 usage;
# 3 done, but for files that another family has changed since: they go back with that one.
# The rest is for the guard against lock-outs: --arm, --disarm, --fire, --abandon FAMILY TOKEN.
#
# A manifest has a line per thing: KIND ID MODE OWNER VALUE, where VALUE is a path, a unit or a
# command, with every unusual byte as \0ooo. Paths remembered last stand first, so that files go
# before the folders they lie in.

set -u
LC_ALL=C
PATH=/usr/local/sbin:/usr/sbin:/sbin:$PATH:/usr/bin:/bin
export LC_ALL PATH
umask 077

base=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd) || exit 2
wrong=0
files=0
units=0
room=''
asides=0

say() { printf '%s\n' "$*"; }

# a name may hold the end of a line, and what would look like another answer
line_of() { printf '%s' "$1" | tr '\000-\037\177' '?'; }

fault() {
  wrong=1
  printf 'not put back: %s\n' "$(line_of "$*")" >&2
}

# the dot keeps a newline at the end of a name
decode() {
  value=$(printf '%b.' "$1")
  value=${value%.}
}

known() {
  case $1 in
    '' | .* | *[!a-z0-9_-]*)
      say "undo.sh: '$1' is no family" >&2
      exit 2
      ;;
  esac
}

locked() {
  if [ "${HOSTPLEDGE_LOCKED-}" != yes ] && command -v flock >/dev/null 2>&1; then
    exec 9>"$base/.lock" || exit 1
    turns=0
    # ksh hands a command no file but those that are named; busybox has no -w
    until flock -n 9 9>&9; do
      turns=$((turns + 1))
      if [ "$turns" -gt 120 ]; then
        say 'undo.sh: another run is at work here for more than 120 s' >&2
        exit 1
      fi
      sleep 1
    done
  fi
}

# --- the way to a path -------------------------------------------------------------------------

# A path is in the reach of a user where somebody who is not root may rename what stands on the way
# to it, at any moment. So the way is gone folder by folder, and what is done is done where we stand.
# In such a reach no link is followed, nobody is given a file, and nothing but the very file that was
# seen gets its mode back.

nl='
'
me=$(id -u)
firm=:
aside=.hostpledge-undo.$$

facts() { # entry: sets e_mode e_links e_uid e_gid
  line=$(ls -ldn -- "$1" 2>/dev/null) || return 1
  set -f
  # shellcheck disable=SC2086 # these are its words
  set -- $line
  set +f
  e_mode=$1 e_links=$2 e_uid=$3 e_gid=$4
}

inode() { # entry
  line=$(ls -di -- "$1" 2>/dev/null) || return 1
  while :; do case $line in ' '*) line=${line# } ;; *) break ;; esac; done
  printf '%s\n' "${line%% *}"
}

ourselves() { case $e_uid in 0 | "$me") return 0 ;; esac; return 1; }

# sets reach: who besides root may put something else in the place of an entry of this folder
reached() { # entry
  case $firm in *":$at:"*) return 0 ;; esac
  facts . || { reach="${at:-/} cannot be looked at"; return 0; }
  if ! ourselves; then
    reach="${at:-/} belongs to the user $e_uid"
    return 0
  fi
  case $e_mode:$e_gid in
    ????????w* | ?????w*+:*) ;;
    ?????w*:0) firm=$firm$at:; return 0 ;;
    ?????w*) ;;
    *) firm=$firm$at:; return 0 ;;
  esac
  case $e_mode in
    ?????????[tT]*)
      if facts "./$1" && ourselves; then
        case $e_mode:$e_links in d* | -*:1) return 0 ;; esac
      fi
      ;;
  esac
  reach="others than root may write to ${at:-/}"
}

stands() { # folder: is it where we really are?
  here=$(env pwd -P && echo .) && [ "$here" = "$1$nl." ]
}

# goes to the folder of a path: sets at and name, reach where it is in one. 1: there is none. 2: it
# cannot be followed, why is said. With `follow` a link at its end is followed too.
way() { # path [follow]
  left_of=$1 at='' reach='' why='' hops=0
  cd / || return 2
  while :; do
    while :; do case $left_of in /*) left_of=${left_of#/} ;; *) break ;; esac; done
    case $left_of in
      */*) name=${left_of%%/*} left_of=${left_of#*/} ;;
      *) name=$left_of left_of='' ;;
    esac
    [ -n "$reach" ] || reached "$name"
    case $name in
      '') why='it leads nowhere'; return 2 ;;
      .) continue ;;
      ..)
        [ -z "$reach" ] || { why=$reach; return 2; }
        at=${at%/*}
        cd -P .. || return 2
        continue
        ;;
    esac
    if [ -L "./$name" ] && [ -n "$left_of${2-}" ]; then
      hops=$((hops + 1))
      if [ -n "$reach" ] || [ "$hops" -gt 20 ]; then
        why="$at/$name is a link, ${reach:-one of too many}"
        return 2
      fi
      to=$(readlink "./$name" && echo .) || return 1
      to=${to%"$nl".}
      left_of=$to${left_of:+/$left_of}
      case $to in /*) at=''; cd / || return 2 ;; esac
      continue
    fi
    [ -n "$left_of" ] || return 0
    [ -d "./$name" ] || return 1
    cd -P "./$name" || return 1
    at=$at/$name
    if [ -n "$reach" ] && ! stands "$at"; then
      why="$at leads elsewhere, $reach"
      return 2
    fi
  done
}

apart() { # command...: in a new folder here that is ours alone; the one we are in is then ..
  (
    mkdir -- "./$aside" && cd -P "./$aside" && stands "$at/$aside" && facts . || exit 1
    [ "$e_uid" = "$me" ] || exit 1
    case $e_mode in drwx--[-S]---*) ;; *) exit 1 ;; esac
    "$@"
    status=$?
    rm -f -- ./x
    cd -P .. && rmdir -- "./$aside"
    exit "$status"
  )
}

spared() { # path reason [mode and owner]
  files=$((files - 1))
  text=$(line_of "$1: $2${3:+; it had $3}")
  say "left as it is, for a user could have led us elsewhere: $text"
}

# --- files -------------------------------------------------------------------------------------

acl_back() { # entry, file with the list
  [ -s "$2" ] || return 0
  command -v setfacl >/dev/null 2>&1 && setfacl --set-file="$2" -- "$1" >/dev/null 2>&1
}

owned() { # entry mode owner list
  chown -h "$3" "$1" && { [ -L "$1" ] || chmod "$2" "$1"; } && acl_back "$1" "$4"
}

# the very file that was seen, and still of the same owner: his own get their mode back
same() { # entry inode owner
  facts "$1" && [ "$(inode "$1")" = "$2" ] && [ "$e_uid" = "${3%%:*}" ]
}

# nothing but a second name, where only we can go, stays the same file between two looks at it
by_name() { # inode mode owner list
  ln -- "../$name" ./x && same ./x "$1" "$3" || return 1
  case $e_mode:$e_links in -*:2) ;; *) return 1 ;; esac
  chmod "$2" ./x && acl_back ./x "$4"
}

of_user() { # inode mode owner list
  case $1 in '' | *[!0-9]*) return 1 ;; esac
  if [ -d "./$name" ]; then
    (
      cd -P "./$name" && stands "$at/$name" && same . "$1" "$3" &&
        chmod "$2" . && acl_back . "$4"
    )
  else
    apart by_name "$@"
  fi
}

rights() { # mode owner@device:inode list path
  whose=${2%%@*}
  # a device has another number when the host was started again
  case $2 in *@*:*) which=${2##*:} ;; *) which='' ;; esac
  if [ -z "$reach" ]; then
    owned "./$name" "$1" "$whose" "$3" || fault "$4"
  else
    of_user "$which" "$1" "$whose" "$3" 2>/dev/null || spared "$4" "$reach" "$1 $whose"
  fi
}

exchanged() { # number path
  if ln -- "../$name" ./x; then
    # nobody but us gets at this name of it
    set_aside "$1" ./x "$2" && rm -f -- ./x || return 1
  fi
  cp -a -- "$place/kept/$1" ./x && mv -f -T -- ./x "../$name"
}

# Who changed a file after hostpledge did finds it here. A second name needs no room on the disk.
set_aside() { # number entry path
  [ -n "$room" ] || return 0
  if [ -L "$2" ]; then
    [ ! -L "$place/kept/$1" ] || [ "$(readlink "$2")" != "$(readlink "$place/kept/$1")" ] || return 0
  else
    [ -f "$2" ] || return 0
    ! cmp -s -- "$place/kept/$1" "$2" 2>/dev/null || return 0
  fi
  text=$(line_of "$3")
  # what was absent has no number of its own
  asides=$((asides + 1))
  while [ -e "$room/$asides" ] || [ -L "$room/$asides" ]; do asides=$((asides + 1)); done
  if mkdir -p -- "$room" && { ln -- "$2" "$room/$asides" || cp -a -- "$2" "$room/$asides"; } && printf '%s %s\n' "$asides" "$text" >>"$room/list"; then
    return 0
  fi 2>/dev/null
  rm -f -- "$room/$asides"
  say "no room to keep what stood there before: $text"
}

put_back() { # kept path
  parent=${2%/*}
  [ -d "${parent:-/}" ] || (umask 022 && mkdir -p -- "$parent") || return 1
  if [ -d "$2" ] && [ ! -L "$2" ]; then
    rmdir -- "$2" || return 1
  fi
  aside="$parent/.hostpledge-undo.$$"
  rm -f -- "$aside"
  # on a full disk there is no room for a copy, but there may be for a link
  if ! cp -a -- "$1" "$aside" 2>/dev/null; then
    rm -f -- "$aside"
    ln -- "$1" "$aside" || return 1
  fi
  mv -f -- "$aside" "$2" 2>/dev/null && return 0
  rm -f -- "$aside"
  # a file that is a mount of its own cannot be exchanged
  [ -f "$1" ] && [ -f "$2" ] && [ ! -L "$2" ] && cp -p -- "$1" "$2"
}

gone() { # path
  if [ -d "./$name" ] && [ ! -L "./$name" ]; then
    # somebody else's files in a folder of ours stay
    rmdir -- "./$name" 2>/dev/null || {
      text=$(line_of "$1")
      say "left, not empty: $text"
    }
  elif [ -e "./$name" ] || [ -L "./$name" ]; then
    rm -f -- "./$name"
  fi
}

one_path() { # kind id mode owner path
  case $1 in
    file | link | absent) way "$5" ;;
    directory | attributes) way "$5" follow ;;
    *) return 0 ;;
  esac
  there=$?
  files=$((files + 1))
  if [ "$there" = 2 ] || { [ "$there" = 1 ] && [ -n "$reach" ]; }; then
    if [ "$1$there" = attributes1 ] || [ "$1$there" = absent1 ]; then
      files=$((files - 1))
    else
      was=''
      [ "$3" = - ] || was="$3 ${4%%@*}"
      spared "$5" "${why:-$reach}" "$was"
    fi
    return 0
  fi
  case $1 in
    file | link)
      if [ -z "$reach" ]; then
        { cd / && set_aside "$2" "$5" "$5" && put_back "$place/kept/$2" "$5"; } || fault "$5"
      else
        apart exchanged "$2" "$5" 2>/dev/null || spared "$5" "$reach"
      fi
      ;;
    absent)
      [ "$there" = 1 ] || { [ -n "$reach" ] || set_aside - "./$name" "$5"; gone "$5"; } || fault "$5"
      ;;
    directory)
      if [ "$there" = 1 ] || [ ! -d "./$name" ]; then
        [ -z "$reach" ] || { spared "$5" "$reach" "$3 ${4%%@*}"; return; }
        { cd / && mkdir -p -- "$5" && way "$5" follow; } || { fault "$5"; return; }
      fi
      rights "$3" "$4" "$place/kept/$2" "$5"
      ;;
    attributes)
      # a log that was rotated away has nothing to be put back to
      if [ "$there" = 1 ] || [ ! -e "./$name" ]; then
        files=$((files - 1))
        return 0
      fi
      rights "$3" "$4" "$place/kept/$2" "$5"
      ;;
  esac
}

# --- units -------------------------------------------------------------------------------------

enabled() { systemctl is-enabled "$1" 2>/dev/null | head -n 1; }
active() { systemctl is-active "$1" 2>/dev/null | head -n 1; }

# before the files: a unit whose file goes can only be stopped while it is there
unit_down() { # enabled active unit
  now=$(enabled "$3")
  case $1 in
    enabled* | unknown | alias | linked*) ;;
    *)
      case $now in
        enabled*) systemctl disable "$3" >/dev/null 2>&1 || fault "$3 is still enabled" ;;
      esac
      ;;
  esac
  [ "$booted" = yes ] || return 0
  # its stop takes away the rules of all others too, such as those of containers
  case $3 in nftables | nftables.service) return 0 ;; esac
  case $2 in
    active | activating | reloading | unknown) ;;
    *)
      case $(active "$3") in
        active | activating | reloading)
          systemctl stop "$3" >/dev/null 2>&1 || fault "$3 still runs"
          ;;
      esac
      ;;
  esac
}

unit_up() { # enabled active unit
  now=$(enabled "$3")
  case $1 in
    masked-runtime) systemctl --runtime mask "$3" >/dev/null 2>&1 || fault "$3 is not masked" ;;
    masked) [ "$now" = masked ] || systemctl mask "$3" >/dev/null 2>&1 || fault "$3 is not masked" ;;
    unknown) ;;
    *)
      case $now in
        masked*) systemctl unmask "$3" >/dev/null 2>&1 || fault "$3 is still masked" ;;
      esac
      ;;
  esac
  case $1 in
    enabled)
      [ "$now" = enabled ] || systemctl enable "$3" >/dev/null 2>&1 || fault "$3 is not enabled"
      ;;
    enabled-runtime)
      [ "$now" = "$1" ] || systemctl --runtime enable "$3" >/dev/null 2>&1 ||
        fault "$3 is not enabled"
      ;;
  esac
  [ "$booted" = yes ] || return 0
  if [ "$2" = active ] && [ "$(active "$3")" != active ]; then
    systemctl reset-failed "$3" >/dev/null 2>&1
    systemctl start "$3" >/dev/null 2>&1 || fault "$3 does not start"
  fi
  units=$((units + 1))
}

# --- a whole manifest --------------------------------------------------------------------------

each() { # step
  while IFS=' ' read -r kind id mode owner encoded; do
    [ "$kind" = hostpledge-undo ] && continue
    decode "$encoded"
    "$1" "$kind" "$id" "$mode" "$owner" "$value"
  done
}

step_whole() {
  case $1 in
    file | link)
      [ -e "$place/kept/$2" ] || [ -L "$place/kept/$2" ] || fault "$5: its copy is lost"
      ;;
  esac
}
step_down() { [ "$1" != unit ] || unit_down "$3" "$4" "$5"; }
step_path() { one_path "$@"; }
step_up() { [ "$1" != unit ] || unit_up "$3" "$4" "$5"; }
step_after() {
  [ "$1" = after ] || return 0
  sh -c "$5" </dev/null >/dev/null 2>&1 9>&- || fault "'$5' failed"
}

restore() { # place
  place=$1
  [ -f "$place/manifest" ] || { say "undo.sh: $place has no manifest" >&2; return 1; }
  read -r word version _ <"$place/manifest"
  if [ "$word $version" != 'hostpledge-undo 1' ]; then
    say "undo.sh: $place/manifest is of another version" >&2
    return 1
  fi
  each step_whole <"$place/manifest"
  [ "$wrong" = 0 ] || return 1
  booted=no
  [ -d /run/systemd/system ] && booted=yes
  has_systemctl=no
  command -v systemctl >/dev/null 2>&1 && has_systemctl=yes
  if [ "$has_systemctl" = yes ]; then
    each step_down <"$place/manifest"
  fi
  each step_path <"$place/manifest"
  cd / || return 1
  if [ "$has_systemctl" = yes ]; then
    [ "$booted" = no ] || systemctl daemon-reload >/dev/null 2>&1
    each step_up <"$place/manifest"
  elif grep -q '^unit ' "$place/manifest"; then
    say 'no systemd here: services are left as they are'
  fi
  each step_after <"$place/manifest"
  return "$wrong"
}

# --- files that two families changed -----------------------------------------------------------

held() { # manifest encoded-path: sets their_kind, their_id
  while IFS=' ' read -r their_kind their_id _ _ their_path; do
    case $their_kind in
      file | link | absent) [ "$their_path" != "$2" ] || return 0 ;;
    esac
  done <"$1"
  return 1
}

earlier() { # kept kept: was the first kept before the second?
  first=$(stat -c %z "$1" 2>/dev/null) && second=$(stat -c %z "$2" 2>/dev/null) || return 1
  [ "$first" != "$second" ] &&
    [ "$(printf '%s\n%s\n' "$first" "$second" | sort | head -n 1)" = "$first" ]
}

others() { # the manifests of other families that can be put back
  for manifest in "$base"/*/manifest; do
    case $manifest in "$place/manifest" | *.undone/manifest) continue ;; esac
    [ ! -f "$manifest" ] || printf '%s\n' "$manifest"
  done
}

handed_over() { # kind id mode owner encoded-path: is it another family's to put back now?
  for manifest in $(others); do
    held "$manifest" "$5" || continue
    there=${manifest%/manifest}
    if [ "$1" != absent ]; then
      [ "$their_kind" != absent ] || continue
      earlier "$place/kept/$2" "$there/kept/$their_id" || continue
      { cp -a -- "$place/kept/$2" "$there/kept/$their_id.new" &&
        mv -f -- "$there/kept/$their_id.new" "$there/kept/$their_id"; } || return 2
    fi
    while IFS= read -r known; do
      case $known in
        # what was absent has no number of its own
        "$their_kind $their_id "*" $5") known="$1 $their_id $3 $4 $5" ;;
      esac
      printf '%s\n' "$known" || return 2
    done <"$manifest" >"$manifest.new" && mv -f -- "$manifest.new" "$manifest" || return 2
    decode "$5"
    text=$(line_of "$value")
    say "left for now: $text, which ${there##*/} has changed since; it goes back with that family"
    return 0
  done
  return 1
}

in_common() { # does any other family speak of a file of this one?
  for manifest in $(others); do
    while IFS=' ' read -r kind _ _ _ encoded; do
      case $kind in
        file | link | absent) held "$manifest" "$encoded" && return 0 ;;
      esac
    done <"$place/manifest"
  done
  return 1
}

hand_over() { # what a later family changed too stays until that one is put back
  left=0
  # a full disk must not keep what has nothing in common from being put back
  in_common || return 0
  rest="$place/manifest.new"
  : >"$rest" || return 1
  while IFS=' ' read -r kind id mode owner encoded; do
    case $kind in
      file | link | absent)
        handed_over "$kind" "$id" "$mode" "$owner" "$encoded"
        case $? in
          0) left=$((left + 1)); continue ;;
          2) rm -f -- "$rest"; return 1 ;;
        esac
        ;;
    esac
    printf '%s\n' "$kind $id${mode:+ $mode $owner $encoded}" >>"$rest" || return 1
  done <"$place/manifest"
  [ "$left" = 0 ] || mv -f -- "$rest" "$place/manifest" || return 1
  rm -f -- "$rest"
}

undo() { # family
  place="$base/$1"
  locked
  if [ ! -f "$place/manifest" ]; then
    if [ -d "$base/$1.undone" ]; then
      say "$1: put back already; hostpledge has changed nothing since"
    else
      say "$1: hostpledge has changed nothing here, so there is nothing to put back"
    fi
    return 0
  fi
  room=$base/.replaced/$1-$(date -u '+%Y%m%dT%H%M%SZ')
  while [ -e "$room" ]; do room=${room}x; done
  hand_over && restore "$place"
  status=$?
  if [ -s "$room/list" ]; then
    say "$1: what stood there before is kept in $room, named in its list"
  fi
  if [ "$status" != 0 ]; then
    say "$1: not all of it is put back; mend what is said above and run this again" >&2
    return 1
  fi
  rm -rf -- "$base/$1.undone"
  mv -- "$place" "$base/$1.undone" || return 1
  say "$1: put back ($files files, $units services); packages that were installed stay"
  [ "$left" = 0 ] || return 3
}

# --- the guard against lock-outs ---------------------------------------------------------------

armed="$base/.armed"

ours() { # family token
  [ -f "$armed/$1/token" ] && [ "$(cat "$armed/$1/token")" = "$2" ]
}

runs() { # name: does a program of root's go by it, which no person started?
  for number in $(pidof "$1" 2>/dev/null); do
    exe=$(readlink "/proc/$number/exe")
    if ! facts "$exe" || [ "${exe##*/}" != "$1" ] || [ "$e_uid" != 0 ] || [ -u "$exe" ]; then
      continue
    fi
    starter=$(sed -n 's/^Uid:[[:space:]]*\([0-9]*\).*/\1/p' "/proc/$number/status" 2>/dev/null)
    [ "${starter:-1000}" -ge 1000 ] || return 0
  done
  return 1
}

arm() { # family token seconds
  fire="$base/undo.sh"
  unit="hostpledge-rollback-$1-$2"
  if [ -d /run/systemd/system ] && command -v systemd-run >/dev/null 2>&1 &&
    systemd-run --unit="$unit" --on-active="$3" --timer-property=AccuracySec=200ms \
      /bin/sh "$fire" --fire "$1" "$2" >/dev/null 2>&1 &&
    systemctl is-active "$unit.timer" >/dev/null 2>&1; then
    say "systemd $unit" >"$armed/$1/timer"
    say 'systemd-run'
    return 0
  fi
  # without its daemon, at takes jobs and never runs them
  if command -v at >/dev/null 2>&1 && runs atd; then
    told=$(printf 'sleep %s; exec /bin/sh %s --fire %s %s\n' "$3" "$fire" "$1" "$2" | at now 2>&1)
    job=$(printf '%s\n' "$told" | sed -n 's/^job \([0-9][0-9]*\) .*/\1/p')
    if [ -n "$job" ]; then
      say "at $job" >"$armed/$1/timer"
      say 'at'
      return 0
    fi
  fi
  detach='nohup'
  ! command -v setsid >/dev/null 2>&1 || detach='setsid'
  # the group that a lost SSH session takes with it must not be this one
  # shellcheck disable=SC2016
  "$detach" /bin/sh -c 'trap "" HUP INT; sleep "$1"; exec /bin/sh "$2" --fire "$3" "$4"' \
    hostpledge-rollback "$3" "$fire" "$1" "$2" </dev/null >/dev/null 2>&1 9>&- &
  say "shell $!" >"$armed/$1/timer"
  say 'a background shell'
}

no_timer() { # place
  [ -f "$1/timer" ] || return 0
  read -r how which <"$1/timer"
  case $how in
    systemd) systemctl stop "$which.timer" >/dev/null 2>&1 ;;
    at) atrm "$which" >/dev/null 2>&1 ;;
    shell) kill -- "-$which" 2>/dev/null || kill "$which" 2>/dev/null ;;
  esac
}

disarm() { # family token
  locked
  if ! ours "$1" "$2"; then
    if [ -f "$armed/$1.fired/token" ] && [ "$(cat "$armed/$1.fired/token")" = "$2" ]; then
      say "rolled back already"
    else
      say "not armed"
    fi
    return 3
  fi
  mv -- "$armed/$1" "$armed/.$1.$2" || return 1
  no_timer "$armed/.$1.$2"
  rm -rf -- "$armed/.$1.$2"
  say 'disarmed'
}

fire() { # family token
  locked
  ours "$1" "$2" || return 0
  rm -rf -- "$armed/$1.fired"
  mv -- "$armed/$1" "$armed/$1.fired" || return 1
  said=$(restore "$armed/$1.fired" 2>&1)
  status=$?
  # only now: nothing that is put back may wait for room on the disk
  date -u '+%Y-%m-%dT%H:%M:%SZ' >"$armed/$1.fired/at"
  say "$said" >"$armed/$1.fired/log"
  [ -z "$said" ] || say "$said"
  ! command -v logger >/dev/null 2>&1 ||
    logger -p auth.warning -t hostpledge "$1: the change was not confirmed in time and is rolled back"
  return "$status"
}

abandon() { # family token
  fire "$1" "$2" || return 1
  # who asks for it knows: the next run need not tell
  if [ -f "$armed/$1.fired/token" ] && [ "$(cat "$armed/$1.fired/token")" = "$2" ]; then
    no_timer "$armed/$1.fired"
    rm -rf -- "$armed/$1.fired"
  fi
}

list() {
  found=no
  for place in "$base"/*/manifest; do
    [ -f "$place" ] || continue
    case $place in *.undone/manifest) continue ;; esac
    found=yes
    family=${place%/manifest}
    say "${family##*/}"
  done
  [ "$found" = yes ] || say 'hostpledge has changed nothing here'
}

case ${1-} in
  '') list ;;
  --arm) known "${2-}" && arm "$2" "$3" "$4" ;;
  --disarm) known "${2-}" && disarm "$2" "$3" ;;
  --fire) known "${2-}" && fire "$2" "$3" ;;
  --abandon) known "${2-}" && abandon "$2" "$3" ;;
  *) known "$1" && undo "$1" ;;
esac
