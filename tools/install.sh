#!/bin/sh
# Installs hostpledge from this checkout into a virtual environment of its own, and links program,
# man pages and completions to where they are looked for. Usage: tools/install.sh install|uninstall
# From the environment: PREFIX (the virtual environment), LINKS (holds bin/ and share/), PYTHON,
# EXTRAS=all (report --pdf, keys in tokens, PostgreSQL, TUF).
set -eu
cd "$(dirname "$0")/.."
purpose=${1:?install or uninstall}
python=${PYTHON:-python3}
if [ "$(id -u)" = 0 ]; then
  prefix=${PREFIX:-/opt/hostpledge} links=${LINKS:-/usr/local}
else
  prefix=${PREFIX:-$HOME/.local/lib/hostpledge} links=${LINKS:-$HOME/.local}
fi

say() { printf '%s\n' "$*" >&2; }
fail() { say "make $purpose: $*"; exit 2; }

case $prefix$links in
  *"'"* | *"
"*) fail "PREFIX and LINKS must not hold quotes or line ends" ;;
esac
case $prefix in /*) ;; *) fail "PREFIX has to begin with /: $prefix" ;; esac
case $links in /*) ;; *) fail "LINKS has to begin with /: $links" ;; esac
if [ -e "$prefix" ] && ! [ -e "$prefix/.hostpledge" ]; then
  if ! [ -d "$prefix" ] || [ -n "$(ls -A "$prefix")" ]; then
    fail "$prefix is there and was not made by make install: name another PREFIX"
  fi
fi

# links of ours lead into the prefix; whatever else has the name stays
unlink_all() {
  for place in "$links/bin" "$links/share"; do
    [ -d "$place" ] || continue
    find "$place" -type l -lname "$prefix/*" -exec rm -f {} +
  done
}

link() { # FROM TO
  if [ -e "$2" ] || [ -L "$2" ]; then
    case $(readlink "$2" || :) in
      "$prefix"/*) ;;
      *) say "not linked, for something is there: $2"; return ;;
    esac
  fi
  mkdir -p "$(dirname "$2")"
  ln -sfn "$1" "$2"
}

if [ "$purpose" = uninstall ]; then
  [ -e "$prefix/.hostpledge" ] || fail "nothing of make install is in $prefix (give its PREFIX)"
  unlink_all
  rm -rf "$prefix"
  say "removed $prefix; keys, the register and bundles in \$HOSTPLEDGE_HOME stay"
  exit 0
fi

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
  fail "$python is older than 3.11: give a newer one, e.g. PYTHON=python3.13"
"$python" -c 'import ensurepip, venv' >/dev/null 2>&1 ||
  fail "$python makes no virtual environments: apt-get install python3-venv"

lock=run
[ -n "${EXTRAS:-}" ] && lock=all
log=$(mktemp)
trap 'rm -f "$log"' EXIT
{
  mkdir -p "$prefix"
  : >"$prefix/.hostpledge"
  "$python" -m venv --clear "$prefix"
  : >"$prefix/.hostpledge"
  pip() { "$prefix/bin/python" -m pip --disable-pip-version-check --quiet "$@"; }
  pip install --require-hashes -r "requirements/$lock.txt"
  "$prefix/bin/python" -m tools.share build/share
  pip install --no-deps --no-build-isolation .
} >"$log" 2>&1 || {
  tail -n 3 "$log" >&2
  fail "could not install into $prefix: may it be written to, and is the package index in reach?"
}

unlink_all
for name in hostpledge hostpledge-backup-report; do
  link "$prefix/bin/$name" "$links/bin/$name"
done
(cd "$prefix/share" && find . -type f \( -path './man/*/hostpledge*' -o -path './man/hostpledge*' \
  -o -path './bash-completion/*' -o -path './zsh/*' -o -path './fish/*' \)) | sed 's/^\.//' |
  while IFS= read -r file; do
    link "$prefix/share$file" "$links/share$file"
  done

"$prefix/bin/hostpledge" --version >/dev/null
say "installed $("$prefix/bin/hostpledge" --version) in $prefix"
case :$PATH: in
  *:"$links/bin":*) say "the command: hostpledge ($links/bin/hostpledge)" ;;
  *) say "the command: $links/bin/hostpledge (put $links/bin on PATH)" ;;
esac
[ "$lock" = all ] ||
  say "for report --pdf, keys in tokens, PostgreSQL: make install EXTRAS=all"
say "to remove it: make uninstall${PREFIX:+ PREFIX=$prefix}${LINKS:+ LINKS=$links}"
printf '%s\n' "$links/bin/hostpledge"
