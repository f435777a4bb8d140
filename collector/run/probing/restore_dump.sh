# A dump of PostgreSQL, loaded into a cluster of its own in memory; the one that serves is not asked.
HP_AFTER="[ ! -e $HP_D/ended ] || sh $HP_D/ended;"
hp_clean() {
  if [ -s "$HP_D/pg/postmaster.pid" ]; then
    hp_as "$hp_bin/pg_ctl" -D "$HP_D/pg" -m immediate -s stop >/dev/null 2>&1
  fi
}
# nobody, with no way out: what stands in a dump is another's
hp_as() { ${hp_net:-} setpriv --reuid=65534 --regid=65534 --clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all "$@"; }
hp_act() {
  # by name or by time: the newest of those that the pattern finds
  hp_f=$(ls -t -- $HP_PATH 2>/dev/null | head -n 1)
  if [ -z "$hp_f" ]; then say "restored nothing at $HP_PATH"; say 'state broken'; return; fi
  for hp_bin in /usr/lib/postgresql/*/bin /usr/pgsql-*/bin /usr/bin; do
    if [ -x "$hp_bin/initdb" ]; then hp_found=$hp_bin; fi
  done
  if [ -z "${hp_found:-}" ]; then undone no_program initdb; fi
  hp_bin=$hp_found
  hp_size=$(stat -c %s "$hp_f")
  hp_free=$(df -Pk /run | awk 'NR == 2 { print $4 }')
  # what is packed grows, and a cluster of its own takes room
  if [ $((hp_size / 1024 * 12 + 80000)) -gt "$hp_free" ]; then undone no_room "/run: $hp_free KiB"; fi
  say "restored $hp_f"
  say "before $(sha256sum <"$hp_f" | cut -c 1-64)"
  chmod 711 "$HP_D"
  mkdir -m 700 "$HP_D/pg" "$HP_D/socket" && chown 65534:65534 "$HP_D/pg" "$HP_D/socket" || undone no_room /run
  printf '%s\n' "$hp_bin/pg_ctl -D $HP_D/pg -m immediate -s stop" |
    sed 's/^/setpriv --reuid=65534 --regid=65534 --clear-groups /' >"$HP_D/ended"
  cd / || return
  # a socket that is a file is reached from any network
  if unshare --net true 2>/dev/null; then hp_net='unshare --net'; fi
  hp_as "$hp_bin/initdb" -D "$HP_D/pg" -A trust -U hostpledge -N -E UTF8 --locale=C >"$HP_D/out" 2>&1 || undone no_room /run
  hp_as "$hp_bin/pg_ctl" -D "$HP_D/pg" -s -w -t 60 -l "$HP_D/pg/log" \
    -o "-c listen_addresses= -c unix_socket_directories=$HP_D/socket -c fsync=off -c shared_buffers=16MB" start \
    >"$HP_D/out" 2>&1 || undone no_room /run
  hp_load
  say "after $(sha256sum <"$hp_f" | cut -c 1-64)"
}
hp_psql() { hp_as "$hp_bin/psql" -X -q -h "$HP_D/socket" -v ON_ERROR_STOP=1 ${hp_brief:-} "$@"; }
hp_open() { case $hp_f in *.gz) gzip -dc <"$hp_f" ;; *.zst) zstd -qdc <"$hp_f" ;; *.xz) xz -dc <"$hp_f" ;; *) cat <"$hp_f" ;; esac; }
# who loads owns one database, and is no superuser: no program, no file, no language that reaches them
hp_room() {
  # before 12 it knows no errors without words
  hp_major=$("$hp_bin/psql" --version | grep -oE '[0-9]+' | head -n 1)
  if [ "${hp_major:-0}" -ge 12 ]; then hp_brief='-v VERBOSITY=sqlstate'; fi
  printf '%s\n' 'CREATE ROLE loads LOGIN BYPASSRLS;' 'CREATE DATABASE loads OWNER loads;' '\connect loads' \
    'ALTER SCHEMA public OWNER TO loads;' | hp_psql -U hostpledge -d postgres -f - >"$HP_D/out" 2>&1
}
hp_load() {
  # half of a dump loads as well as the whole
  if ! hp_open >/dev/null 2>&1; then say 'error packed, and cut off or damaged'; say 'state broken'; return; fi
  hp_room || undone no_room /run
  hp_kind=$(hp_open 2>/dev/null | head -c 5 | tr -d '\0')
  if [ "$hp_kind" != PGDMP ] && ! hp_open | tail -n 20 | grep -q 'PostgreSQL database .*dump complete'; then
    say 'error ends as no dump of pg_dump does'; say 'state broken'; return
  fi
  if [ "$hp_kind" != PGDMP ]; then hp_held; fi
  if [ "$hp_kind" = PGDMP ]; then hp_packed; else hp_plain; fi >"$HP_D/out" 2>"$HP_D/err" </dev/null
  hp_rc=$?
  # by its number alone: the words of an error may be a row's
  hp_code=$(grep -aoE 'ERROR: +[0-9A-Z]{5}$' "$HP_D/err" | head -n 1 | grep -oE '[0-9A-Z]{5}$')
  if grep -aq 'permission denied\|must be owner of\|must be superuser\|must have ' "$HP_D/err"; then hp_code=42501; fi
  if [ "$hp_code" = 42501 ]; then
    undone no_settings 'the dump asks for rights of a superuser (SQLSTATE 42501), which no probe gives'
  fi
  if [ "$hp_rc" != 0 ]; then say "error the server refused it, SQLSTATE ${hp_code:-not told}"; say 'state broken'; return; fi
  hp_count
}
hp_packed() {
  hp_no=
  if "$hp_bin/pg_restore" --help | grep -q no-comments; then hp_no=--no-comments; fi
  hp_open | hp_as "$hp_bin/pg_restore" -h "$HP_D/socket" -U loads -d loads --no-owner --no-privileges $hp_no --exit-on-error
}
# how many rows the dump itself holds, table by table; nothing where they stand in INSERTs
hp_held() {
  hp_open 2>/dev/null | awk '/^COPY .* FROM stdin;$/ { inside = 1; next }
    /^\\\.$/ { inside = 0 }
    inside { n++; next }
    /^INSERT INTO / { other = 1 }
    /^\\connect / { databases++ }
    END { if (databases > 1) print "several"; else if (!other) print n + 0 }' >"$HP_D/wanted"
  if grep -q several "$HP_D/wanted"; then undone no_settings 'a dump of several databases'; fi
}
# outside of rows: what psql itself would do, owners that are not there, and what is taken away first
hp_plain() {
  { hp_open || printf '%s\n' "SELECT 'cut off' / 0;"; } |
    awk '/^COPY .* FROM stdin;$/ { i = 1; print; next } i { if ($0 == "\\.") i = 0; print; next }
      /^\\(un)?restrict / { next }
      /^\\connect / && !connected { connected = 1; next }
      /^\\/ { print "SELECT \047a command of psql\047 / 0;"; exit }
      /^((CREATE|ALTER|DROP) DATABASE |CREATE SCHEMA (IF NOT EXISTS )?public;$)/ { next }
      /^(CREATE|COPY|INSERT) / { made = 1 }
      !made && /^(DROP |ALTER TABLE .* DROP CONSTRAINT )/ { next }
      /^(ALTER .* OWNER TO |GRANT |REVOKE |ALTER DEFAULT PRIVILEGES |COMMENT ON (EXTENSION|SCHEMA public|DATABASE) )/ { next }
      { print }' | hp_psql -U loads -d loads -f -
}
# a parent holds what its parts hold, and is counted without them
hp_count() {
  hp_rows=$(hp_psql -U loads -d loads -At -c "SELECT coalesce(sum((xpath('/row/c/text()', query_to_xml(format('SELECT count(*) AS c FROM ONLY %I.%I', n.nspname, c.relname), false, true, '')))[1]::text::bigint), 0) FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')" 2>/dev/null </dev/null)
  say "rows ${hp_rows:-0}"
  if [ -s "$HP_D/wanted" ]; then say "wanted $(cat "$HP_D/wanted")"; fi
  if [ "${hp_rows:-0}" = 0 ]; then say 'state broken'; return; fi
  if [ -s "$HP_D/wanted" ] && [ "$(cat "$HP_D/wanted")" != "$hp_rows" ]; then say 'state differs'; return; fi
  say 'state loaded'
}
