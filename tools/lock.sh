#!/bin/sh
# Renews requirements/*.txt: every dependency with its hashes, for every supported Python, and
# without the address of any index.
set -eu
cd "$(dirname "$0")/.."
: "${VENV:=.venv}"
compile() {
  "$VENV/bin/uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes \
    --no-emit-index-url --no-header --no-annotate "$@"
}
mkdir -p requirements
compile pyproject.toml requirements/build.in -o requirements/run.txt
compile pyproject.toml requirements/build.in --extra pdf --extra web -o requirements/demo.txt
compile pyproject.toml requirements/build.in --extra dev -o requirements/dev.txt
compile pyproject.toml requirements/build.in --extra pdf --extra pkcs11 --extra postgresql \
  --extra tuf --extra web --extra notify -c requirements/dev.txt -o requirements/all.txt
compile requirements/fuzz.in -o requirements/fuzz.txt
