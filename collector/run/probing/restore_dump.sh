# A dump of PostgreSQL, loaded into a cluster of its own in memory.
hp_act() {
  hp_newest || return
  for hp_bin in /usr/lib/postgresql/*/bin /usr/pgsql-*/bin /usr/bin; do
    if [ -x "$hp_bin/initdb" ]; then hp_found=$hp_bin; fi
  done
  if [ -z "${hp_found:-}" ]; then undone no_program initdb; fi
  hp_bin=$hp_found
  say "restored $hp_f"
  say "before $(timeout 250 cat -- "$hp_in" | sha256sum | cut -c 1-64)"
  if hp_sound; then
    # one of pg_dump's own form is packed inside
    hp_own "$(hp_big 2 80000)" pg socket
    hp_serve
    hp_load
  fi
  say "after $(timeout 250 cat -- "$hp_in" | sha256sum | cut -c 1-64)"
}
hp_serve() {
  hp_kept hp_as "$hp_bin/initdb" -D "$HP_W/pg" -A trust -U hostpledge -N -E UTF8 --locale=C
  if [ "$hp_rc" != 0 ]; then hp_not_made; fi
  hp_kept hp_as "$hp_bin/pg_ctl" -D "$HP_W/pg" -s -w -t 60 -l "$HP_W/pg/log" \
    -o "-c listen_addresses= -c unix_socket_directories=$HP_W/socket -c fsync=off -c shared_buffers=16MB" start
  if [ "$hp_rc" != 0 ]; then hp_not_made; fi
}
hp_not_made() {
  if hp_lacks; then undone no_room "$HP_W: $HP_MOST KiB"; fi
  undone no_program "initdb: $(tail -n 1 "$HP_D/err" | cut -c 1-160)"
}
# where the server itself ended for it, its clients hear nothing of the reason
hp_lacks() { hp_full || grep -aqE '(PANIC|FATAL): .*No space left on device' "$HP_W/pg/log" 2>/dev/null; }
hp_psql() { hp_as "$hp_bin/psql" -X -q -h "$HP_W/socket" -v ON_ERROR_STOP=1 ${hp_brief:-} "$@"; }
# who loads owns one database, and is no superuser: no program, no file, no language that reaches them
hp_loads() {
  # before 12 it knows no errors without words
  hp_major=$("$hp_bin/psql" --version | grep -oE '[0-9]+' | head -n 1)
  if [ "${hp_major:-0}" -ge 12 ]; then hp_brief='-v VERBOSITY=sqlstate'; fi
  printf '%s\n' 'CREATE ROLE loads LOGIN BYPASSRLS;' 'CREATE DATABASE loads OWNER loads;' '\connect loads' \
    'ALTER SCHEMA public OWNER TO loads;' | hp_psql -U hostpledge -d postgres -f - >"$HP_W/out" 2>&1
}
hp_load() {
  hp_loads || hp_not_made
  hp_kind=$(hp_open 2>/dev/null | head -c 5 | tr -d '\0')
  if [ "$hp_kind" != PGDMP ] && ! hp_open | tail -n 20 | grep -q 'PostgreSQL database .*dump complete'; then
    say 'error ends as no dump of pg_dump does'; hp_told broken; return
  fi
  if [ "$hp_kind" != PGDMP ]; then hp_held; hp_restricted; fi
  if [ "$hp_kind" = PGDMP ]; then hp_kept hp_packed; else hp_kept hp_plain; fi
  # by its number alone: the words of an error may be a row's
  hp_code=$(grep -aoE 'ERROR: +[0-9A-Z]{5}$' "$HP_D/err" | head -n 1 | grep -oE '[0-9A-Z]{5}$')
  if grep -aq 'permission denied\|must be owner of\|must be superuser\|must have ' "$HP_D/err"; then hp_code=42501; fi
  if [ "$hp_code" = 42501 ]; then
    undone no_settings 'the dump asks for rights of a superuser (SQLSTATE 42501), which no probe gives'
  fi
  # 53100, 53200: its disk is full, or its memory
  case $hp_rc:$hp_code in
    0:*) ;;
    *:53[12]00) undone no_room "$HP_W: $HP_MOST KiB" ;;
    *) if hp_lacks; then undone no_room "$HP_W: $HP_MOST KiB"; fi ;;
  esac
  if [ "$hp_rc" != 0 ]; then say "error the server refused it, SQLSTATE ${hp_code:-not told}"; hp_told broken; return; fi
  hp_count
}
hp_packed() {
  hp_no=
  if "$hp_bin/pg_restore" --help | grep -q no-comments; then hp_no=--no-comments; fi
  hp_open | hp_as "$hp_bin/pg_restore" -h "$HP_W/socket" -U loads -d loads --no-owner --no-privileges $hp_no --exit-on-error
}
# how many rows the dump itself holds, table by table; nothing where they stand in INSERTs
hp_held() {
  hp_open 2>/dev/null | awk '/^COPY .* FROM stdin;$/ { inside = 1; next }
    /^\\\.$/ { inside = 0 }
    inside { n++; next }
    /^INSERT INTO / { other = 1 }
    /^\\connect / { databases++ }
    END { if (databases > 1) print "several"; else if (!other) print n + 0 }' >"$HP_W/wanted"
  if grep -q several "$HP_W/wanted"; then undone no_settings 'a dump of several databases'; fi
}
# psql takes a backslash for a command of its own anywhere but in quotes, unless it is told not to
hp_restricted() {
  if "$hp_bin/psql" --help=commands 2>/dev/null | grep -q '\\restrict '; then
    hp_key=$(od -An -N 16 -tx1 /dev/urandom | tr -d ' \n')
  elif hp_open 2>/dev/null | awk '/^COPY .* FROM stdin;$/ { i = 1; next } i { if ($0 == "\\.") i = 0; next }
    /^\\(connect|restrict|unrestrict) / { next }
    /\\/ { found = 1 }
    END { exit !found }'; then
    undone no_settings 'a dump with backslashes outside of its rows, which this psql may take for commands of its own'
  fi
}
# outside of rows: what psql itself would do, owners that are not there, and what is taken away first
hp_plain() {
  { hp_open || printf '%s\n' "SELECT 'cut off' / 0;"; } |
    awk -v key="${hp_key:-}" 'BEGIN { if (key != "") print "\\restrict " key }
      /^COPY .* FROM stdin;$/ { i = 1; print; next } i { if ($0 == "\\.") i = 0; print; next }
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
  if [ -s "$HP_W/wanted" ]; then say "wanted $(cat "$HP_W/wanted")"; fi
  if [ "${hp_rows:-0}" = 0 ]; then hp_told broken; return; fi
  if [ -s "$HP_W/wanted" ] && [ "$(cat "$HP_W/wanted")" != "$hp_rows" ]; then hp_told differs; return; fi
  hp_told loaded
}
