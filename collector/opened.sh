# As whom a file is opened. What lies in the reach of a user (somebody who is not root can write to
# a folder above it) is opened with the rights of that user, so that a link, a device or a race
# gains him nothing; where that cannot be done it is refused. What runs as him hands over bytes
# only, in a session of its own and with a group that he has not: else he could type into our
# terminal through it, or trace it.

# hp_facts PATH [L]: of the entry itself, or of what it leads to: h_mode h_links h_uid h_gid.
hp_facts() {
  h_line=$(ls "-ldn${2-}" "$1" 2>/dev/null) || return 1
  h_mode=${h_line%%" "*}; hp_next
  h_links=${h_line%%" "*}; hp_next
  h_uid=${h_line%%" "*}; hp_next
  h_gid=${h_line%%" "*}
  case $h_links:$h_uid:$h_gid in (*[!0-9:]*|:*|*::*|*:) return 1;; esac
}
hp_next() {
  h_line=${h_line#*" "}
  while :; do case $h_line in (" "*) h_line=${h_line#" "};; (*) break;; esac; done
}

# hp_open: may others than its owner and the group root write to it? An access list counts.
hp_open() {
  case $h_mode:$h_gid in
    (????????w*|?????w*+:*) return 0;;
    (?????w*:0) return 1;;
    (?????w*) return 0;;
  esac
  return 1
}

# hp_safe FOLDER: can only root, or we ourselves, change what lies in it? If not, its facts stay.
hp_safe() {
  case $HP_KNOWN in (*":$1:"*) return 0;; esac
  hp_facts "$1" || { h_uid=; return 1; }
  case $h_mode in (d*) ;; (*) h_uid=; return 1;; esac
  case $h_uid in (0|"$HP_UID") ;; (*) return 1;; esac
  hp_open && return 1
  hp_host "$1" || { h_uid=; return 1; }
  HP_KNOWN=$HP_KNOWN$1:
}

# hp_served [MAJOR:MINOR]: the mounts that a user serves (FUSE), in HP_FUSE, and whose such a device is,
# in h_kind: `his`, `host`, or of no mount here. What they say of owners is that user's word, and who
# asks them may wait for ever: nothing below them is looked at.
hp_served() {
  HP_FUSE=:; h_kind=
  { while read -r h_c h_t h_d h_t h_t h_line; do
    h_c=host
    case ${h_line#*" - "} in
      (fuse*) case ,${h_line##*" "}, in
        (*,user_id=0,*|*,user_id="$HP_UID",*) ;;
        (*,user_id=*) h_c=his; HP_FUSE=$HP_FUSE$h_t:;;
      esac;;
    esac
    [ "$h_d" != "${1-}" ] || [ "$h_kind" = his ] || h_kind=$h_c
  done </proc/self/mountinfo; } 2>/dev/null
}

# hp_away PATH: does it lie in such a mount, as it is written?
hp_away() {
  h_t=$1
  while [ "$HP_FUSE" != : ]; do
    case $h_t in (/*) ;; (*) return 1;; esac
    case $HP_FUSE in (*":$h_t:"*) return 0;; esac
    h_t=${h_t%/*}
  done
  return 1
}

# hp_host FOLDER: are its facts the host's own? The number of the device comes with them, in one look:
# a user may take his mount away at any moment. Of what is of no mount (btrfs) two looks are alike.
hp_host() {
  h_n=$(stat -c "%d %A %u %g" "$1" 2>/dev/null)
  h_c=${h_n%%" "*}
  case $h_c in (""|*[!0-9]*) hp_served; ! hp_away "$1"; return;; esac
  hp_served "$((h_c >> 8 & 4095)):$((h_c & 255 | h_c >> 12 & 1048320))"
  case "$h_kind ${h_n#*" "}" in
    (his*) return 1;;
    (*" ${h_mode%[.+@]} $h_uid $h_gid") ;;
    (*) return 1;;
  esac
  [ -n "$h_kind" ] || [ "$h_n" = "$(stat -c "%d %A %u %g" "$1" 2>/dev/null)" ]
}

# hp_none: a group that nobody has, in HP_NONE, of those that systemd (UIDS-GIDS) and distributions
# leave free. That of `nobody` is also the one of services: who has both numbers of a process may
# trace it, and so take on its other groups.
hp_none() {
  [ -z "$HP_NONE" ] || return 0
  for HP_NONE in 65529 65530 65528 65527 65526 65525 65524 65523 65522 65521; do
    ! getent group "$HP_NONE" >/dev/null 2>&1 || continue
    h_free=1
    while IFS=: read -r _ h_n2 h_n3 h_n4; do
      case :$h_n3:$h_n4 in (*:"$HP_NONE":*) h_free=;; esac
    done </etc/passwd
    while IFS=: read -r _ h_n2 h_n3 h_n4; do
      [ "$h_n3" != "$HP_NONE" ] || h_free=
    done </etc/group
    # groups that a user may take on in a namespace of his own
    { while IFS=: read -r _ h_n2 h_n3; do
      case $h_n2$h_n3 in (""|*[!0-9]*) continue;; esac
      [ "$h_n2" -gt "$HP_NONE" ] || [ $((h_n2 + h_n3)) -le "$HP_NONE" ] || h_free=
    done </etc/subgid; } 2>/dev/null
    [ -z "$h_free" ] || return 0
  done
  HP_NONE=-
}

# hp_id UID [GID]: as whom, in R: `UID:GID:init`, with the groups of the account, or `UID:GID:-` where
# there is none. GID is one that he cannot take on, so that nothing of his can trace what runs so.
hp_id() {
  case $HP_NAMED in
    (*":$1="*) h_t=${HP_NAMED##*":$1="}; h_t=${h_t%%:*};;
    (*)
      h_t=-
      while IFS=: read -r h_c h_line h_links h_left; do
        [ "$h_links" != "$1" ] || h_t=init
      done </etc/passwd
      [ $h_t = init ] || ! id -un "$1" >/dev/null 2>&1 || h_t=init
      HP_NAMED=$HP_NAMED$1=$h_t:;;
  esac
  hp_none; R=$1:${2:-$HP_NONE}:$h_t
}

# hp_reach PATH: as whom it is to be opened, in R: nothing (as we are), `own` (as we are, but not
# what is ours), `UID:GID:GROUPS`, or - (not at all). What is named on the word of NAMER is looked
# up as him, wherever it lies.
hp_reach() {
  R=$NAMER
  [ -z "$R" ] || return 0
  case $HP_KNOWN in (*":${1%/*}:"*) [ -L "$1" ] || return 0;; esac
  hp_walk "$1"
  [ -n "$R" ] || return 0
  case $HP_UID in (0|"") hp_way; [ "$HP_DROP" != no ] || R=-;; (*) R=own;; esac
}

hp_walk() {
  h_left=$1; h_at=; h_hops=0
  case $1 in (/proc/*|/sys/*) return 0;; (/*) ;; (*) R=-; return 0;; esac
  while :; do
    while :; do case $h_left in (/*) h_left=${h_left#/};; (*) break;; esac; done
    [ -n "$h_left" ] || return 0
    h_c=${h_left%%/*}
    case $h_left in (*/*) h_left=${h_left#*/};; (*) h_left=;; esac
    case $h_c in (.) continue;; (..) h_at=${h_at%/*}; continue;; esac
    h_e=$h_at/$h_c
    case $HP_FUSE in (*":$h_e:"*) R=-; return 0;; esac
    if ! hp_safe "${h_at:-/}"; then hp_whose; [ -z "$R" ] || return 0; fi
    if [ -L "$h_e" ]; then
      h_hops=$((h_hops + 1)); h_t=$(readlink "$h_e" 2>/dev/null)
      if [ -z "$h_t" ] || [ "$h_hops" -gt 20 ]; then R=-; return 0; fi
      h_left=$h_t/$h_left
      case $h_t in (/*) h_at=;; esac
    else h_at=$h_e; fi
  done
}

# hp_whose: in whose reach the entry h_e is, in R; the facts are those of its folder.
hp_whose() {
  # no such folder, and nobody else could make one
  if [ -z "$h_uid" ]; then [ ! -d "${h_at:-/}" ] || R=-; return 0; fi
  case $h_uid in (0|"$HP_UID") ;; (*) hp_id "$h_uid"; hp_logged; return 0;; esac
  h_in=$h_mode; h_of=
  case $h_mode in (?????w*) h_of=${h_gid#0};; esac
  hp_facts "$h_e" || { h_mode=; h_uid=; }
  # from a sticky folder nobody else takes away what is root's; he may lay a link to it there, though
  case $h_in:$h_uid:$h_mode$h_links in
    (?????????[tT]*:0:d*|?????????[tT]*:"$HP_UID":d*) return 0;;
    (?????????[tT]*:0:l*|?????????[tT]*:0:-*[!0-9]1) [ -z "$HP_HELD" ] || return 0;;
  esac
  case $h_uid in
    (""|0) ;;
    (*) [ -z "$HP_HELD" ] || { hp_id "$h_uid" "$h_of"; return 0; };;
  esac
  h_t=-
  case $h_at in (/var/log|/var/log/*) hp_logs;; esac
  case $h_in in (????????w*) h_of=;; esac
  case $h_of:$h_t in (:*) ;; (*:-) h_t=$h_of;; (*) h_t=$h_of,$h_t;; esac
  hp_none; R=65534:$HP_NONE:$h_t
}

# hp_logged: what root keeps in a log folder of his is opened as him, with the groups of those who
# read logs; what these may not read (and what root keeps in the folder of a service's state), by
# us, if it is no link at that moment (R is `nofollow`).
hp_logged() {
  case $h_at in (/var/log/*|/var/lib/*) ;; (*) return 0;; esac
  hp_facts "$h_e" && [ "$h_uid" = 0 ] || return 0
  case $HP_UID$HP_HELD$h_mode$h_links in
    (01-???[!r]*[!0-9]1) if hp_firm / count=0; then R=nofollow; return 0; fi;;
  esac
  case $h_at in (/var/log/*) hp_logs; R=${R%:*}:$h_t;; esac
}

# hp_firm FILE OPERAND...: dd of a file as it is, and not of what it may lead to.
hp_firm() { h_c=$1; shift; dd "if=$h_c" iflag=nofollow,nonblock bs=65536 "$@" 2>/dev/null; }

# hp_logs: the groups of those who read logs, in h_t.
hp_logs() {
  h_t=
  while IFS=: read -r h_c h_line h_mode h_links; do
    case $h_c in (adm|utmp) h_t=$h_t${h_t:+,}$h_mode;; esac
  done </etc/group
  h_t=${h_t:--}
}

# hp_way: what this host has to run something as somebody else without a word to its logs.
hp_way() {
  [ -z "$HP_DROP" ] || return 0
  HP_DROP=no; hp_none
  # by its path: the shell of busybox would take its own, which can not do it
  for h_line in /usr/sbin /usr/bin /sbin /bin; do
    if setsid $h_line/setpriv --reuid 65534 --regid "$HP_NONE" --clear-groups true; then
      HP_DROP=setpriv; HP_TOOL=$h_line/setpriv; return 0
    fi </dev/null >/dev/null 2>&1
  done
  for h_line in /usr/sbin /usr/bin /sbin /bin; do
    if setsid $h_line/chroot --userspec="65534:$HP_NONE" --groups= / true; then
      HP_DROP=chroot; HP_TOOL=$h_line/chroot; return 0
    fi </dev/null >/dev/null 2>&1
  done
}

# hp_as UID:GID:GROUPS COMMAND...: as that, with no terminal and none of our descriptors.
hp_as() {
  h_u=${1%%:*}; h_t=${1#*:}; h_c=${h_t%%:*}; h_t=${h_t#*:}; shift
  case $h_u:$h_c in (0:*|*:0|*[!0-9:]*|:*|*:) return 126;; esac
  hp_way
  case $HP_DROP:$h_t in
    (setpriv:init) set -- "$HP_TOOL" --reuid "$h_u" --regid "$h_c" --init-groups -- "$@";;
    (setpriv:-) set -- "$HP_TOOL" --reuid "$h_u" --regid "$h_c" --clear-groups -- "$@";;
    (setpriv:*) set -- "$HP_TOOL" --reuid "$h_u" --regid "$h_c" --groups "$h_t" -- "$@";;
    (chroot:init) set -- "$HP_TOOL" "--userspec=$h_u:$h_c" / "$@";;
    (chroot:*) set -- "$HP_TOOL" "--userspec=$h_u:$h_c" "--groups=${h_t#-}" / "$@";;
    (*) return 126;;
  esac
  setsid "$@" 3>&- 4>&- 5>&- 6>&-
}

# hp_within FOLDER: as hp_reach, of what lies in it.
hp_within() { hp_reach "${1%/}/hp"; }

# hp_do ID COMMAND...: the command as that, or as we are.
hp_do() {
  case $1 in
    (""|own) shift; "$@";;
    (*) hp_as "$@" </dev/null;;
  esac
}

# hp_by FILE COMMAND...: the command, with the file as its input, opened by whom it has to be.
hp_by() {
  h_f=$1; shift
  hp_reach "$h_f"
  case $R in
    ("") "$@" <"$h_f";;
    (own) ( exec <"$h_f" && [ ! -O /proc/self/fd/0 ] && exec "$@" );;
    (-) printf "%s\n" "$h_f: permission denied: it lies in the reach of a user" >&2; return 126;;
    (nofollow) { hp_firm "$h_f" || printf "%s\n" "$h_f: it is a link now" >&2; } | "$@";;
    (*) [ -f "$h_f" ] && hp_as "$R" sh -c \
      "[ -f \"\$0\" ] && exec <\"\$0\" && [ -f /proc/self/fd/0 ] && exec \"\$@\"" "$h_f" "$@" </dev/null;;
  esac
}

# hp_can FILE: is it a file, and can it be opened by whom it has to be?
hp_can() {
  ! hp_away "$1" && [ -f "$1" ] && hp_plain "$1" || return 1
  hp_reach "$1"
  case $R in
    ("") [ -r "$1" ];;
    (own) [ -r "$1" ] && [ ! -O "$1" ];;
    (-) return 1;;
    (nofollow) hp_firm "$1" count=0;;
    (*) hp_as "$R" sh -c "[ -f \"\$0\" ] && [ -r \"\$0\" ]" "$1" </dev/null >/dev/null 2>&1;;
  esac
}

# hp_word FILE: on whose word its content is, in W as R has it: who else than root can write it.
hp_word() {
  hp_reach "$1"; W=$R
  [ -z "$W$NAMER" ] && [ "$HP_UID" = 0 ] && hp_facts "$1" L || return 0
  if [ "$h_uid" != 0 ]; then hp_id "$h_uid"; W=$R
  elif hp_open; then
    h_of=${h_gid#0}
    case $h_mode in (????????w*) h_of=;; esac
    hp_none; W=65534:$HP_NONE:${h_of:--}
  fi
}

# hp_writer FILE: in V the name of the user who can write it, where one can who is none of the
# system's; `-` where several can. /var/log itself may be the folder of its daemon.
# shellcheck disable=SC2034 # reads look at it
hp_writer() {
  h_known=$HP_KNOWN
  if hp_facts /var/log; then
    case $h_uid:$h_mode:$h_gid in
      (0:????????w*) ;;
      (0:*:?|0:*:??|0:*:???) HP_KNOWN=$HP_KNOWN/var/log:;;
    esac
  fi
  hp_word "$1"; HP_KNOWN=$h_known
  case $W in
    (""|[1-9]:*|[1-9][0-9]:*|[1-9][0-9][0-9]:*) V=;;
    (65534:*|-*|own) V=-;;
    (*) V=$(id -un "${W%%:*}" 2>/dev/null) || V=-;;
  esac
}

# hp_owner PID: on whose word a process calls itself what it does, in W: who started it; and which
# process that was, in h_from.
# shellcheck disable=SC2034 # reads look at it
hp_owner() {
  W=; h_from=; h_u=
  [ "$HP_UID" = 0 ] || return 0
  { while IFS=" $hp_tab" read -r h_c h_line h_left; do
    case $h_c in
      (PPid:) h_from=$h_line;; (Uid:) h_u=$h_line; break;;
    esac
  done <"/proc/$1/status"; } 2>/dev/null
  case $h_u in
    # what runs with the rights of its owner was told its arguments by somebody else
    (0) [ ! -u "/proc/$1/exe" ] || W=-;;
    (""|*[!0-9]*) W=-;;
    (*) hp_way; hp_id "$h_u"; W=$R; [ "$HP_DROP" != no ] || W=-;;
  esac
}

# hp_system PID: as hp_owner; is it root's, or of an account of the system (61184 and more are those
# that systemd makes)? Anybody else starts what he likes under any name.
hp_system() {
  hp_owner "$1"
  case $W in
    (""|[1-9]:*|[1-9][0-9]:*|[1-9][0-9][0-9]:*|61[2-9]??:*|6[2-4]???:*|65[0-5]??:*) return 0;;
  esac
  return 1
}

# hp_program PID NAME...: in X the program that a process was started from, if it may be run: it is
# the very file at that path of this host, it goes by one of the names, and none but root can write
# to it or to a folder above it. A link to it proves nothing: in a namespace of his own, any user
# lays a program at any path. Of a process of root's, a newer file may be there in its place.
# shellcheck disable=SC2034,SC3013 # reads look at it; each of those shells has -ef
hp_program() {
  h_p=/proc/$1; shift
  X=$(readlink "$h_p/exe" 2>/dev/null); h_l=
  case $X in (*" (deleted)") X=${X%" (deleted)"}; h_l=1;; esac
  case $X in
    (/*)
      for h_i do
        [ "${X##*/}" = "$h_i" ] || continue
        if [ -n "$h_l" ]; then hp_owner "${h_p#/proc/}"
        elif [ "$h_p/exe" -ef "$X" ]; then W=
        else break; fi
        { [ -z "$W" ] && hp_plain "$X" && [ -f "$X" ]; } || break
        hp_word "$X"
        [ -n "$W" ] || return 0
        break
      done;;
  esac
  X=; return 1
}

# hp_speaks SOCKET ACCOUNT...: does what answers there speak for a database of this host? Root has made
# the socket, or an account of that name has, or the one whom root gave the folder of that database.
# Anybody makes one in /tmp, with a server of his own behind it.
hp_speaks() {
  h_p=$1; shift
  [ ! -L "$h_p" ] && hp_facts "$h_p" || return 1
  case $h_mode in (s*) ;; (*) return 1;; esac
  [ "$h_uid" != 0 ] || return 0
  h_i=$h_uid
  case ${h_p%/*} in
    (/run/postgresql|/run/mysqld|/run/mysql|/run/mariadb|/var/lib/mysql)
      ! hp_facts "${h_p%/*}" L || [ "$h_uid" != "$h_i" ] || return 0;;
  esac
  h_i=$(id -un "$h_i" 2>/dev/null) || return 1
  case " $* " in (*" $h_i "*) return 0;; esac
  return 1
}
# hp_mysql: the socket of the MySQL or MariaDB that runs here, in S.
# shellcheck disable=SC2034 # reads look at it
hp_mysql() {
  for S in /run/mysqld/mysqld.sock /var/lib/mysql/mysql.sock /run/mysql/mysql.sock \
    /tmp/mysql.sock; do
    hp_speaks "$S" mysql mariadb percona && return 0
  done
  S=; return 1
}

# hp_procs FILE OPTION...: grep over that file of every process: of so many, too, that their names are
# too long for one command.
hp_procs() {
  h_f=$1; shift
  { set +f; printf "%s\n" /proc/[0-9]*/"$h_f"; } | xargs grep "$@" /dev/null 2>/dev/null
}

# hp_started PATTERN [own]: the numbers of the processes that go by such a name, those of root and of
# the accounts of the system first: of these nobody else can make many. With `own`, not those that
# one of the same name and user has started.
hp_started() { hp_procs status -E "^(Name|PPid|Uid):" | hp_ordered "^($1)\$" "${2-}" ""; }

# hp_saying PATTERN: in the same order, those in whose words it is found. Whose words they are,
# hp_owner tells.
hp_saying() {
  { hp_procs cmdline -laE -e "$1"; hp_procs status -E "^(Name|PPid|Uid):"; } | hp_ordered . "" 1
}
hp_ordered() {
  HP_NAME=$1 HP_OWN=$2 HP_SAYS=$3 awk -F "\t" '
    { id = what = $1; sub(/^.proc./, "", id); sub(/[^0-9].*/, "", id) }
    /^.proc.[0-9]*.cmdline$/ { says[id]; next }
    { sub(/:$/, "", what); sub(/.*:/, "", what) }
    what == "Name" && $2 ~ ENVIRON["HP_NAME"] { name[id] = $2; all[++n] = id }
    what == "PPid" { from[id] = $2 }
    what == "Uid" { user[id] = $2 " " $3; late[id] = $2 > 999 || $3 > 999 }
    END {
      for (turn = 0; turn < 2; turn++) for (i = 1; i <= n; i++) {
        id = all[i]; up = from[id]
        if (late[id] + 0 != turn || ENVIRON["HP_SAYS"] && !(id in says)) continue
        if (ENVIRON["HP_OWN"] && up in name && name[up] == name[id] &&
          user[up] == user[id]) continue
        print id
      }
    }'
}

# hp_said PATTERN MOST: of these processes, in that order, the words that are such: its number, a tab,
# the word. `more` where there are more processes than MOST.
hp_said() {
  h_i=0
  for h_n in $(hp_saying "$1"); do
    h_i=$((h_i + 1)); [ "$h_i" -le "$2" ] || { echo more; break; }
    tr "\000" "\n" <"/proc/$h_n/cmdline" 2>/dev/null | grep -axE -e "$1" | head -n 20 |
      sed "s,^,$h_n$hp_tab,"
  done
}

# hp_split FILE...: those that we open ourselves into h_ours, of each of the others into h_others the
# line NAMER, a tab, the file. An operand may be such a line.
hp_split() {
  h_ours=; h_others=
  for h_i do
    case $h_i in
      ("$hp_tab"*) h_i=${h_i#"$hp_tab"};;
      (/*) ;;
      (*"$hp_tab"*) hp_plain "${h_i#*"$hp_tab"}" && h_others=$h_others$h_i$hp_nl; continue;;
    esac
    { { hp_away "$h_i" || [ -f "$h_i" ]; } && hp_plain "$h_i"; } || continue
    hp_reach "$h_i"
    if [ -z "$R" ]; then h_ours=$h_ours$h_i$hp_nl
    else h_others=$h_others$NAMER$hp_tab$h_i$hp_nl; fi
  done
}

# hp_line LINE: NAMER and h_f out of such a line.
hp_line() { NAMER=${1%%"$hp_tab"*}; h_f=${1#*"$hp_tab"}; }

# hp_with LIST COMMAND...: the command with the lines of the list as its last words, if there are any.
hp_with() {
  h_list=$1; shift
  [ -n "$h_list" ] || return 0
  while [ -n "$h_list" ]; do
    set -- "$@" "${h_list%%"$hp_nl"*}"; h_list=${h_list#*"$hp_nl"}
  done
  "$@"
}

# hp_each LIST COMMAND...: the command for each line of the list.
hp_each() {
  h_list=$1; shift
  while [ -n "$h_list" ]; do
    h_i=${h_list%%"$hp_nl"*}; h_list=${h_list#*"$hp_nl"}
    "$@" "$h_i"
  done
}

# hp_pour HEAD MARK FILE...: each file after a line of HEAD and its name, MARK before its own lines.
hp_pour() {
  h_head=$1; h_mark=$2; shift 2
  hp_split "$@"
  hp_with "$h_ours" awk -v "head=$h_head" -v "mark=$h_mark" \
    "FNR == 1 { print head FILENAME } { print mark \$0 }"
  hp_each "$h_others" hp_pour1
}
hp_pour1() {
  hp_line "$1"; h_1=$h_f
  h_l=$(hp_by "$h_1" head -c 1048576 | sed "s/^/$h_mark/")
  [ -z "$h_l" ] || printf "%s%s\n%s\n" "$h_head" "$h_1" "$h_l"
  NAMER=
}

# hp_sift OPTIONS PATTERN FILE...: grep over the files, each line with the name of its file.
hp_sift() {
  h_opt=$1; h_pat=$2; shift 2
  hp_split "$@"
  hp_with "$h_ours" grep "-H$h_opt" -e "$h_pat"
  hp_each "$h_others" hp_sift1
}
hp_sift1() {
  hp_line "$1"; h_1=$h_f
  hp_by "$h_1" cat | grep "-$h_opt" -e "$h_pat" |
    HP_NAME=$h_1 awk "{ print ENVIRON[\"HP_NAME\"] \":\" \$0 }"
  NAMER=
}

# hp_below FOLDER: of the paths in its input those below the folder: no other was asked for.
hp_below() { HP_NAME=$1/ awk "index(\$0, ENVIRON[\"HP_NAME\"]) == 1"; }

# hp_first FILE: its first line, in h_l.
hp_first() {
  hp_reach "$1"; h_l=
  case $R in
    ("") { read -r h_l <"$1"; } 2>/dev/null || :;;
    (*) h_l=$(hp_by "$1" head -c 256 2>/dev/null | head -c 256); h_l=${h_l%%"$hp_nl"*};;
  esac
}

# hp_voices FILE...: as hp_split, but into h_ours only those that none but root can write.
hp_voices() {
  hp_split "$@"
  [ "$HP_UID" = 0 ] && [ -n "$h_ours" ] || return 0
  h_all=$h_ours
  h_ours=$(hp_with "$h_all" hp_roots)$hp_nl; h_ours=${h_ours#"$hp_nl"}
  hp_each "$h_all" hp_not_ours
}
# hp_roots FILE...: those that only root can write.
hp_roots() {
  find -L "$@" -prune -user 0 ! -perm -002 \( ! -perm -020 -o -group 0 \) -print 2>/dev/null
}
hp_not_ours() {
  case $hp_nl$h_ours in (*"$hp_nl$1$hp_nl"*) ;; (*) h_others=$h_others$hp_tab$1$hp_nl;; esac
}

# hp_names PATTERN FILE...: what in the files matches, a line each: on whose word (as NAMER has it), a
# tab, the match; what root says comes first. Comments do not count. hp_finds has a program of sed
# instead of the pattern.
hp_names() { h_how=pattern; hp_told "$@"; }
hp_finds() { h_how=program; hp_told "$@"; }
hp_told() {
  h_pat=$1; shift
  hp_voices "$@"
  {
    hp_with "$h_ours" cat 2>/dev/null | hp_matches ""
    hp_each "$h_others" hp_told1
  } | awk -F "\t" "!seen[\$2]++"
}
hp_told1() {
  hp_line "$1"; h_1=$h_f
  hp_word "$h_1"
  hp_by "$h_1" head -c 65536 2>/dev/null | hp_matches "$W"
  NAMER=
}
# Of root's more are taken than of whoever could make any number; where there were others, the last is
# `more`: whoever leaves them out in silence says what nobody has seen.
hp_matches() {
  case $1 in (""|[0-9]:*|[0-9][0-9]:*|[0-9][0-9][0-9]:*) h_n=2000 h_say=say;;
    (*) h_n=300 h_say=;;  # of a user's many the rest is only his own
  esac
  case $h_how in
    (pattern) sed "s/^[[:space:]]*#.*//" | grep -ao -e "$h_pat" | sort -u;;
    (program) sed -n -e "$h_pat";;
  esac | hp_most "$h_n" "$h_say" | sed "s/^/$1$hp_tab/"
}

# hp_most N [say]: so many lines of its input, and `more` where there were others; with `say` it is said
# of the whole read as well.
hp_most() {
  awk -v "n=$1" -v "say=${2-}" "NR > n {
    print \"more\"
    if (say != \"\") print \"names left out: more than \" n | \"cat >&6\"
    exit
  } { print }"
}

# hp_cut_off NAMES: were there more than hp_names or hp_finds hands over?
hp_cut_off() { case $1$hp_nl in (*"${hp_tab}more$hp_nl"*) ;; (*) return 1;; esac; }

HP_UID=${HP_UID-$(id -u 2>/dev/null)}
HP_KNOWN=${HP_KNOWN:-:}; HP_NAMED=:; HP_NONE=${HP_NONE-}; HP_DROP=; HP_TOOL=; NAMER=; R=; W=
hp_tab="	"; hp_nl="
"
# where hard links are guarded, what root owns was put there by root
HP_HELD=
{ read -r HP_HELD </proc/sys/fs/protected_hardlinks; } 2>/dev/null
[ "$HP_HELD" = 1 ] || HP_HELD=
hp_served
