#!/bin/sh
# ansible-test sanity on the collection as it is built. Some of its tests want packages from the index (pylint, yamllint …).
# Usage: tools/sanity.sh [words for ansible-test, such as --test validate-modules]
set -eu
cd "$(dirname "$0")/.."
bin=$(cd "${VENV:-.venv}/bin" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$bin/ansible-galaxy" collection build --output-path "$work" >"$work/log"
# by force: ansible-galaxy takes the links of this checkout for an installed one
"$bin/ansible-galaxy" collection install --force "$work"/hostpledge-pledge-*.tar.gz -p "$work" >"$work/log" 2>&1
# ansible-test would download a script that puts pip into its environments; Python brings a pip along
cache=$work/.ansible/test/cache
mkdir -p "$cache"
version=$("$bin/python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
name=$("$bin/python" -c '
import sys
from types import SimpleNamespace
from ansible_test._internal import python_requirements as known
pip = known.get_venv_packages(SimpleNamespace(version=sys.argv[1]))["pip"]
print("get_pip_" + pip.replace(".", "_") + ".py")' "$version")
cat >"$cache/$name" <<'EOF'
import subprocess
import sys

python = [sys.executable, "-m"]
subprocess.check_call([*python, "ensurepip"])
wanted = [word for word in sys.argv[1:] if not word.startswith("--")]
sys.exit(subprocess.call([*python, "pip", "install", "--disable-pip-version-check", *wanted]))
EOF
cd "$work/ansible_collections/hostpledge/pledge"
HOME=$work "$bin/ansible-test" sanity --local --python "$version" "$@"
