# A dump of PostgreSQL, loaded into a cluster of its own in memory; the one that serves is not asked.
HP_AFTER="[ ! -e $HP_D/ended ] || sh $HP_D/ended;"
hp_clean() {
  if [ -s "$HP_D/pg/postmaster.pid" ]; then
    hp_as "$hp_bin/pg_ctl" -D "$HP_D/pg" -m immediate -s stop >/dev/null 2>&1
  fi
}
# nobody: what stands in a dump may run programs, and the database that serves is not theirs
hp_as() { setpriv --reuid=65534 --regid=65534 --clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all "$@"; }
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
  hp_as "$hp_bin/initdb" -D "$HP_D/pg" -A peer -N -E UTF8 --locale=C >"$HP_D/out" 2>&1 || undone no_room /run
  hp_as "$hp_bin/pg_ctl" -D "$HP_D/pg" -s -w -t 60 -l "$HP_D/pg/log" \
    -o "-c listen_addresses= -c unix_socket_directories=$HP_D/socket -c fsync=off -c shared_buffers=16MB" start \
    >"$HP_D/out" 2>&1 || undone no_room /run
  hp_load
  say "after $(sha256sum <"$hp_f" | cut -c 1-64)"
}
hp_sql() { hp_as "$hp_bin/psql" -X -q -h "$HP_D/socket" -d postgres -v ON_ERROR_STOP=1 "$@"; }
hp_open() { case $hp_f in *.gz) gzip -dc <"$hp_f" ;; *.zst) zstd -qdc <"$hp_f" ;; *.xz) xz -dc <"$hp_f" ;; *) cat <"$hp_f" ;; esac; }
hp_load() {
  # half of a dump loads as well as the whole
  if ! hp_open >/dev/null 2>&1; then say 'error packed, and cut off or damaged'; say 'state broken'; return; fi
  hp_kind=$(hp_open 2>/dev/null | head -c 5 | tr -d '\0')
  if [ "$hp_kind" != PGDMP ] && ! hp_open | tail -n 20 | grep -q 'PostgreSQL database .*dump complete'; then
    say 'error ends as no dump of pg_dump does'; say 'state broken'; return
  fi
  # outside of rows: what psql itself would do, and owners that are not there
  hp_outside='/^COPY .* FROM stdin;$/ { i = 1; print; next } i { if ($0 == "\\.") i = 0; print; next }'
  case $hp_kind in
    PGDMP) hp_open | hp_as "$hp_bin/pg_restore" -h "$HP_D/socket" -d postgres --no-owner --no-privileges --exit-on-error ;;
    *)
      # how many rows the dump itself holds, table by table
      hp_open 2>/dev/null | awk '/^COPY .* FROM stdin;$/ { inside = 1; next } /^\\\.$/ { inside = 0 } inside { n++ } END { print n + 0 }' >"$HP_D/wanted"
      { hp_open || echo "SELECT 'cut off' / 0;"; } | awk "$hp_outside"'
        /^\\(un)?restrict / { next }
        /^\\/ { print "SELECT \047a command of psql\047 / 0;"; exit }
        /^(ALTER .* OWNER TO |GRANT |REVOKE |ALTER DEFAULT PRIVILEGES |COMMENT ON EXTENSION )/ { next }
        { print }' | hp_sql -f - ;;
  esac >"$HP_D/out" 2>"$HP_D/err" </dev/null
  hp_rc=$?
  if [ "$hp_rc" != 0 ]; then
    # values of rows stay here
    grep -a 'ERROR\|error' "$HP_D/err" | sed 's/"[^"]*"/"…"/g' | lines error 2
    say 'state broken'
    return
  fi
  hp_rows=$(hp_sql -At -c "SELECT coalesce(sum((xpath('/row/c/text()', query_to_xml(format('SELECT count(*) AS c FROM %I.%I', schemaname, tablename), false, true, '')))[1]::text::bigint), 0) FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')" 2>/dev/null </dev/null)
  say "rows ${hp_rows:-0}"
  if [ -s "$HP_D/wanted" ]; then say "wanted $(cat "$HP_D/wanted")"; fi
  if [ "${hp_rows:-0}" = 0 ]; then say 'state broken'; return; fi
  if [ -s "$HP_D/wanted" ] && [ "$(cat "$HP_D/wanted")" != "$hp_rows" ]; then say 'state differs'; return; fi
  say 'state loaded'
}
