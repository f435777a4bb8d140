"""The text of the read `backup.lists`: files that name what a backup takes and leaves out."""

from __future__ import annotations

from collector.facts.backup.artefacts.files_read import SOURCES, scripts_of
from collector.facts.base.opened import OPENED
from collector.facts.base.redaction_of_places import LOCATIONS

LISTS = (
    OPENED
    + rf"""
IFS=$hp_nl
w='/[A-Za-z0-9_./-]*[A-Za-z0-9_]'
names=$(hp_names "$w" {SOURCES})
! hp_cut_off "$names" || echo 'more called'
{scripts_of("names")}
# of KIND OPTION MARK: what the files hold that stand behind that option, in tabs, units and scripts
of() {{
  set -f
  set -- "$1" "$2" "$3" $m
  set +f
  k=$1 o="$2[= ]*/[A-Za-z0-9_./-]*" b=$3; shift 3
  for l in $({{ hp_names "$o" {SOURCES}; [ $# -eq 0 ] || hp_names "$o" "$@"; }} |
    sed -e "s,^[^$hp_tab]*${{hp_tab}}more$,more," -e "s,^\([^$hp_tab]*$hp_tab\)[^/]*,\1," |
    sort -u | hp_most 20); do
    [ "$l" != more ] || {{ echo 'more lists'; continue; }}
    hp_line "$l"; f=$h_f
    [ -f "$f" ] || continue
    # half a path would be another one
    [ "$(hp_by "$f" head -c 8193 | wc -c)" -le 8192 ] || printf 'more %s\n' "$f"
    printf '%s %s\n' "$k" "$f"
    hp_by "$f" head -c 8192 | sed -e '/^[[:space:]]*[#;]/d' -e "s/^/$b/"; echo
  done
  NAMER=
}}
of list --files-from '|'
of excluded '--exclude-f[a-z]*' '!'
# options FILE: what an option file of MySQL's clients says of a dump's rows and its server
options() {{
  printf 'options %s\n' "$1"
  hp_by "$1" head -c 65536 2>/dev/null |
    grep -aE -e '^[[:space:]]*(\[|!include)' \
      -e '^[[:space:]]*(loose[-_])?(no[-_]d|skip[-_]dump|where|ignore|tables|databases|exclude)' \
      -e '^[[:space:]]*(loose[-_])?host' |
    sed -e 's/^[[:space:]]*//' -e 's/[[:space:]]*=[[:space:]]*/=/' -e 's/[[:space:]]*$//' |
    sed -n -e 's/^\(\[[A-Za-z0-9._-]\{{1,40\}}\]\).*/=\1/p;t' \
      -e 's,^\(!include[a-z]*\)[[:space:]]*\(/[A-Za-z0-9_./-]*\)$,=\1 \2,p;t' \
      -e 's/^\([A-Za-z_-]\{{1,40\}}\)$/=\1/p;t' \
      -e 's/^\([A-Za-z_-]\{{1,40\}}=[01]\)$/=\1/p;t' \
      -e 's/^\(host=\)["'"'"']*\([A-Za-z0-9.:_-]*\)["'"'"']*$/=\1\2/p;t' \
      -e 's/^\([a-z]*[_-]*ignore[a-z_-]*=[A-Za-z0-9_.$]*\)$/=\1/p;t' \
      -e 's/^\([A-Za-z_-]\{{1,40\}}=\).*/=\1***/p;t' -e 's/.*/=***/p'
}}
for f in /etc/my.cnf /etc/my.cnf.d/*.cnf /etc/mysql/*.cnf /etc/mysql/*/*.cnf \
  /usr/local/mysql/*.cnf /usr/local/mysql/etc/*.cnf /root/.my.cnf /home/*/.my.cnf; do
  hp_can "$f" && options "$f"
done
set -f; set -- $m; set +f
o="--defaults-[a-z-]*file[= \"']*$w"
set -- $({{ for n in "$w\.cnf" "$o"; do
    hp_names "$n" {SOURCES}; [ $# -eq 0 ] || hp_names "$n" "$@"
  done; }} | sed -e "s,^[^$hp_tab]*${{hp_tab}}more$,more," \
    -e "s,^\([^$hp_tab]*$hp_tab\)[^/]*,\1," | sort -u | hp_most 40)
for l do
  [ "$l" != more ] || {{ echo 'more options'; continue; }}
  hp_line "$l"; f=$h_f
  case "$f" in /etc/my.cnf*|/etc/mysql/*|/usr/local/mysql/*|/root/.my.cnf) continue;; esac
  hp_can "$f" && options "$f"
done
NAMER=
echo 'options told'
echo end
"""
)

# A line of a list that is no path and no pattern is none of our business.
ONLY_PATHS = rf"""/^|/{{
/[*\/]/!s/.*/|***/
}}
/^!/{{
/[*\/]/!{{
/^![A-Za-z._-]\{{1,24\}}$/!s/.*/!***/
}}
}}
{LOCATIONS}"""
