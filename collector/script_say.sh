# What is written must never stand among the arguments of a program: everybody on the host reads
# those. A shell that has no printf of its own (mksh) gets one, made of its own `print`; formats of
# bytes (\001) are constants, and go to the program.
HP_SH=/bin/sh; [ -x "$HP_SH" ] || HP_SH='sh'
# shellcheck disable=SC2016 # it is run by those shells
HP_SAY='printf() {
  case "$1" in (*\\[1-9x]*|*\\0[0-9]*) command printf "$@"; return;; esac
  typeset f=$1 o= r= w=
  shift
  while :; do
    r=$f
    while :; do
      case "$r" in (*%*) ;; (*) break;; esac
      o=$o${r%%\%*}; r=${r#*%}
      case "$r" in
        (s*) w=${1-}; r=${r#s};;
        (.[0-9]*s*) w=${r#.}; w=${w%%s*}; eval "w=\${1:0:$w}"; r=${r#*s};;
        (%*) o=$o%; r=${r#%}; continue;;
        (*) return 2;;
      esac
      o=$o${w//\\/\\\\}
      [ $# = 0 ] || shift
    done
    o=$o$r
    case "$#:$f" in (0:*) break;; (*%*) ;; (*) break;; esac
  done
  print -n -- "$o"
}
'
# that of lksh passes for its own, and starts the program all the same
# shellcheck disable=SC2016
HP_ASKED='command -v printf; command -v print
case ${KSH_VERSION-} in (*MIRBSD*|*LEGACY*|*"PD KSH"*) echo MIRBSD;; esac'
case "$(eval "$HP_ASKED")" in
  (*print*MIRBSD) eval "$HP_SAY";;
  (printf*) ;;
  (*print) eval "$HP_SAY";;
  (*) echo 'hostpledge: this shell has neither printf nor print of its own: use dash or bash' >&2; exit 2;;
esac
# those that the reads are run by
case "$("$HP_SH" -c "$HP_ASKED" 2>/dev/null)" in
  (*print*MIRBSD) ;;
  (printf*) HP_SAY=;;
esac
