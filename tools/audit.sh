#!/bin/sh
# Known weaknesses of the locked packages, by pip-audit, in an environment of its own. Ends with 1 for
# a weakness, and with 2 where packages could not be looked up: then nothing is known of them.
set -eu
cd "$(dirname "$0")/.."
: "${PYTHON:=python3}"
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
"$PYTHON" -m venv "$place/venv"
"$place/venv/bin/python" -m pip install --quiet --disable-pip-version-check 'pip-audit>=2.9'
status=0
counted=0
for lock in run demo all dev; do
  "$place/venv/bin/pip-audit" --requirement "requirements/$lock.txt" --require-hashes --disable-pip \
    --progress-spinner off --vulnerability-service "${SERVICE:-osv}" >"$place/told" 2>&1 && {
    counted=$((counted + $(grep -c '^[a-z0-9].*==' "requirements/$lock.txt")))
    continue
  }
  if grep -q 'Found .* known vulnerabilit' "$place/told"; then
    cat "$place/told"
    status=1
  fi
  if ! grep -q 'Found .* known' "$place/told" || grep -q 'could not be audited' "$place/told"; then
    tail -n 1 "$place/told" >&2
    echo "$lock.txt: not all of it could be looked up, so nothing is known of the rest" >&2
    exit 2
  fi
done
[ "$status" != 0 ] ||
  printf 'no known weakness in the locked packages: 4 lock files, %s lines (%s)\n' "$counted" "${SERVICE:-osv}"
exit "$status"
