# shellcheck disable=SC2154 # hp_begin sets it
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

# hp_lent LIMIT SED PATH: the same of one in the reach of a user; what it is he says himself.
hp_lent() {
  # shellcheck disable=SC2016 # for the shell that is started
  hp_by "$3" sh -c 'stat -L -c "%a %u %g %s %Y" /proc/self/fd/0 && exec cat' 2>/dev/null | {
    IFS= read -r hp_m || hp_m=
    case "$hp_m" in
      (''|*[!0-9\ ]*) hp_frame "file refused"; printf '%s' "$3" >&3; return 0;;
    esac
    hp_frame "file ok $hp_m"; printf '%s' "$3" >&3
    hp_frame data
    if [ -z "$2" ]; then HP_MARK=$HP_OUT head -c "$(($1 + 1))"
    else
      { hp_cut "$2" || hp_frame spoiled; } | HP_MARK=$HP_OUT head -c "$(($1 + 1))"
    fi >&3 2>/dev/null
  } || { hp_frame spoiled; hp_bad=1; }
  [ -z "$2" ] || hp_bad=1
}

# hp_spread FOLDER PATTERN: what it matches below the folder, in hp_found, a line each, without a step
# into a mount that a user serves; what may lie there is in hp_shut.
hp_spread() {
  IFS=
  for hp_f in "$1"/${2%%/*}; do
    unset IFS
    case "$2" in (*/*) hp_x=/${2#*/};; (*) hp_x=;; esac
    if hp_away "$hp_f" || ! hp_plain "$hp_f"; then hp_shut=$hp_shut$hp_f$hp_x$hp_nl
    elif [ -n "$hp_x" ]; then [ ! -d "$hp_f" ] || hp_spread "$hp_f" "${hp_x#/}"
    elif [ -e "$hp_f" ] || [ -L "$hp_f" ]; then hp_found=$hp_found$hp_f$hp_nl; fi
  done
  unset IFS
}

# hp_look LIMIT MOST SED PATTERN...: every file that the patterns match.
hp_look() {
  hp_lim=$1; hp_most=$2; hp_sed=$3; shift 3
  hp_pats=$#; hp_k=0; hp_end=0; hp_say=; hp_bad=; hp_found=; hp_shut=
  for hp_pat in "$@"; do
    if hp_closed "$hp_pat"; then
      hp_say="$hp_pat: a folder above is closed to this user"; hp_end=11; break
    fi
    IFS=
    case "$HP_FUSE" in
      (:) ;;
      (*) hp_found=; hp_spread '' "${hp_pat#/}"; hp_pat=$hp_found; IFS=$hp_nl; set -f;;
    esac
    for hp_f in $hp_pat; do
      unset IFS; set +f
      if [ ! -e "$hp_f" ] && [ ! -L "$hp_f" ]; then continue; fi
      [ -d "$hp_f" ] && continue
      hp_k=$((hp_k + 1))
      if [ "$hp_k" -gt "$hp_most" ]; then
        hp_say="more than $hp_most files"; hp_end=12; break 2
      fi
      set -- "$@" "$hp_f"
    done
    unset IFS; set +f
  done
  unset IFS
  hp_x=$hp_shut
  while [ -n "$hp_x" ]; do
    hp_frame 'file refused'; printf '%s' "${hp_x%%"$hp_nl"*}" >&3
    hp_x=${hp_x#*"$hp_nl"}
  done
  shift "$hp_pats"
  if [ "$#" -gt 0 ]; then
    # A name of two lines could speak for another file: then each is asked for alone.
    hp_all=; hp_lend=
    for hp_f in "$@"; do hp_reach "$hp_f"; [ -z "$R" ] || hp_lend=1; done
    case "$hp_lend$*" in (1*|*'
'*) ;; (*) hp_all=$(hp_stat "$@");; esac
    for hp_f in "$@"; do
      if [ -n "$hp_lend" ]; then
        hp_reach "$hp_f"
        [ -z "$R" ] || { hp_lent "$hp_lim" "$hp_sed" "$hp_f"; continue; }
      fi
      # The lines come in order, but one is missing where its file went away.
      hp_m=${hp_all%%"
"*}
      if [ "${hp_m#* * * * * }" = "$hp_f" ]; then hp_all=${hp_all#*"
"}
      else hp_m=$(hp_stat "$hp_f"); fi
      hp_file "$hp_lim" "$hp_sed" "$hp_f" "${hp_m%" $hp_f"}"
    done
    if [ -n "$hp_bad" ] && [ -n "$hp_sed" ] && hp_blunt "$hp_sed"; then return 13; fi
  elif [ "$hp_end$hp_shut" = 0 ]; then hp_end=10; fi
  [ -n "$hp_say" ] && { hp_frame stderr; printf '%s' "$hp_say" >&3; }
  return "$hp_end"
}

# hp_rc: ends as what is told in its input, or as what was killed before it told anything.
hp_rc() { hp_x=; read -r hp_x; exit "${hp_x:-255}"; }

# hp_files ID SECONDS LIMIT MOST SED PATTERN...: the same, with its time limit and its frames.
hp_files() {
  hp_begin "$1" "$2" "$3"
  printf '%s\n' "read $HP_COUNT $hp_due" >&5
  shift 2
  # nobody can end one that waits for a file system which does not answer: it is not waited for
  { (hp_look "$@"); printf '%s\n' "$?"; } 5>&- | hp_rc &
  wait "$!" 2>/dev/null
  hp_rc=$?
  case "$hp_rc" in
    (0) hp_over ok 0;; (10) hp_over absent 0;; (11) hp_over refused 0;;
    (12) hp_over truncated 0;; (13) hp_over 'exit' 127;; (3) exit 3;; (*) hp_over 'exit' 0;;
  esac
  hp_free
}
