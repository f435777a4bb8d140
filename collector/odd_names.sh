# A name with a line break in it would speak for other names on the next line, and one with a tab for
# a field: it is left out, and the folder that it lies in is said to whom the read prints to.

# shellcheck disable=SC2154 # opened.sh sets them
# hp_plain NAME: has it neither?
hp_plain() {
  case $1 in (*"$hp_nl"*|*"$hp_tab"*) ;; (*) return 0;; esac
  h_o=${1%%"$hp_nl"*}; h_o=${h_o%%"$hp_tab"*}; h_o=${h_o%/*}/
  case $HP_SAID in
    (*"$hp_nl$h_o$hp_nl"*) ;;
    (*) HP_SAID=$HP_SAID$h_o$hp_nl; printf "odd name: left out: %s\n" "$h_o" >&6;;
  esac
  return 1
}

# hp_sieve: the names in its input; what find said of those that it left out is said.
hp_sieve() { awk "/^odd name: left out: / { print | \"cat >&6\"; next } { print }"; }

# hp_ls: ls, with ? for what does not print; that of busybox does so unasked.
hp_ls() {
  ls -q / >/dev/null 2>&1 && set -- -q "$@"
  LC_ALL=C.UTF-8 ls "$@"
}

HP_SAID=$hp_nl
# for find, which hands over the names that are left out
# shellcheck disable=SC2016,SC2034 # for the shell that is started; reads use it
hp_odd='printf "%s\0" "$@" | tr "\n\t\000" "??\n" |
  sed "s,/[^/]*[?].*,/,;s/^/odd name: left out: /" | sort -u | head -n 20'
exec 6>&1
