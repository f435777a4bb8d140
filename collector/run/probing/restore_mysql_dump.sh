# A dump of MariaDB or MySQL, loaded into a server of its own in memory.
hp_act() {
  hp_newest || return
  for hp_p in mariadbd mariadb-install-db mariadb; do
    command -v "$hp_p" >/dev/null 2>&1 || undone no_program "$hp_p"
  done
  say "restored $hp_f"
  say "before $(timeout 250 cat -- "$hp_in" | sha256sum | cut -c 1-64)"
  hp_whole && hp_fits && hp_serve && hp_load
  say "after $(timeout 250 cat -- "$hp_in" | sha256sum | cut -c 1-64)"
}
hp_whole() {
  hp_sound || return 1
  hp_head=$(hp_open 2>/dev/null | head -n 20 | tr -d '\0' | grep -aE '^-- (MariaDB|MySQL) dump ' | head -n 1 | cut -c 1-120)
  if [ -z "$hp_head" ]; then undone no_settings "no comments of mysqldump in $hp_f: whether it is whole is not known"; fi
  if ! hp_open | tail -n 5 | grep -qa '^-- Dump completed'; then
    say 'error ends as no dump of mysqldump does'; say 'state broken'; return 1
  fi
}
# another product's dump, or a newer one's, may not load here, which says nothing of it
hp_fits() {
  case $hp_head in
    *MariaDB*) ;;
    *) undone no_program "mysqld, for $hp_head" ;;
  esac
  hp_from=$(printf '%s\n' "$hp_head" | grep -oE '[0-9]+\.[0-9]+\.[0-9]+-MariaDB' | head -n 1)
  hp_here=$(mariadbd --no-defaults --version 2>/dev/null | grep -oE '[0-9]+\.[0-9]+\.[0-9]+-MariaDB' | head -n 1)
  if [ -z "$hp_from" ] || [ -z "$hp_here" ]; then undone no_settings "$hp_head"; fi
  if [ "$(printf '%s\n' "${hp_from%.*}" "${hp_here%.*}" | sort -t . -k 1,1n -k 2,2n | tail -n 1)" != "${hp_here%.*}" ]; then
    undone no_program "MariaDB $hp_from, for here is $hp_here"
  fi
}
hp_serve() {
  hp_own "$(hp_big 2 200000)" my tmp none
  hp_as mariadb-install-db --no-defaults --datadir="$HP_W/my" --tmpdir="$HP_W/tmp" --skip-test-db \
    --auth-root-authentication-method=normal --skip-name-resolve --innodb-log-file-size=8M >"$HP_W/out" 2>&1 ||
    hp_not_made "mariadb-install-db: $(tail -n 1 "$HP_W/out" | cut -c 1-120)"
  # reached by this socket alone; reads and writes no file of the host by what stands in a dump
  hp_as mariadbd --no-defaults --datadir="$HP_W/my" --tmpdir="$HP_W/tmp" --socket="$HP_W/my/s" \
    --pid-file="$HP_W/my/pid" --skip-networking --skip-name-resolve --skip-log-bin --secure-file-priv="$HP_W/none" \
    --plugin-dir="$HP_W/none" --skip-slave-start --local-infile=0 \
    --innodb-buffer-pool-size=32M --innodb-log-file-size=8M --innodb-flush-log-at-trx-commit=0 \
    --event-scheduler=OFF --log-error="$HP_W/my/log.err" >/dev/null 2>&1 </dev/null &
  hp_n=0
  # triggers and views name the database that they were made in
  hp_b=$(hp_open 2>/dev/null | head -n 20 | sed -n 's/^-- Host: .* Database: \([A-Za-z0-9_$]\{1,64\}\)$/\1/p' | head -n 1)
  hp_b=${hp_b:-hostpledge_probe}
  until hp_sql -e "CREATE DATABASE IF NOT EXISTS \`$hp_b\`" >/dev/null 2>&1; do
    hp_n=$((hp_n + 1))
    if [ "$hp_n" -gt 120 ]; then hp_not_made "mariadbd: $(tail -n 1 "$HP_W/my/log.err" 2>/dev/null | cut -c 1-160)"; fi
    sleep 0.5
  done
  hp_rights || hp_not_made "mariadbd: $(tail -n 1 "$HP_D/err" | cut -c 1-160)"
}
hp_not_made() {
  if hp_lacks; then undone no_room "$HP_W: $HP_MOST KiB"; fi
  undone no_program "$1"
}
# where the server itself ended for it, its clients hear nothing of the reason
hp_lacks() { hp_full || grep -aqiE 'No space left on device|disk is full|error:? 28\b|errno:? 28\b' "$HP_W/my/log.err" 2>/dev/null; }
# from here on nobody there may reach a file, a network or another server, nor give themselves the right to
hp_rights() {
  hp_may='SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, REFERENCES, INDEX, ALTER, CREATE TEMPORARY TABLES, LOCK TABLES,
    EXECUTE, CREATE VIEW, SHOW VIEW, CREATE ROUTINE, ALTER ROUTINE, EVENT, TRIGGER, PROCESS, SHOW DATABASES'
  hp_definer=
  case $hp_here in 10.[0-4].*) hp_definer=SUPER ;; *) hp_definer='SET USER' ;; esac
  hp_sql -e "CREATE USER loads@localhost; GRANT $hp_may, $hp_definer ON *.* TO loads@localhost;
    DELETE FROM mysql.global_priv WHERE User <> 'loads'; FLUSH PRIVILEGES" 2>"$HP_D/err"
}
hp_sql() { hp_as mariadb --no-defaults --socket="$HP_W/my/s" --user=root --binary-mode "$@" </dev/null; }
hp_given() {
  { hp_open; printf '\n%s\n' "$hp_count"; } |
    hp_as timeout 500 mariadb --no-defaults --socket="$HP_W/my/s" --user=loads --binary-mode --local-infile=0 \
      --skip-column-names --batch "$hp_b"
}
hp_load() {
  # counted over the same connection: who may log in may be another thing after the dump
  hp_count="SET SESSION group_concat_max_len = 16777216;
SELECT coalesce(concat('SELECT concat(''rows '', sum(c)) FROM (', group_concat(concat('SELECT count(*) AS c FROM \`',
  replace(table_schema, '\`', '\`\`'), '\`.\`', replace(table_name, '\`', '\`\`'), '\`') SEPARATOR ' UNION ALL '), ') AS t'),
  'SELECT ''rows 0''') INTO @hp_q FROM information_schema.tables WHERE table_type = 'BASE TABLE'
  AND table_schema NOT IN ('mysql', 'information_schema', 'performance_schema', 'sys');
PREPARE hp_s FROM @hp_q; EXECUTE hp_s;"
  # no command of the client is taken from what stands in a dump (--binary-mode)
  hp_kept hp_given
  # one that waits for room ends with its time
  if [ "$hp_rc" != 0 ] && hp_lacks; then undone no_room "$HP_W: $HP_MOST KiB"; fi
  if [ "$hp_rc" = 124 ]; then undone no_settings 'more than is loaded in 500 s'; fi
  hp_rows=$(sed -n 's/^rows \([0-9]*\)$/\1/p' "$HP_W/out" | tail -n 1)
  if [ "$hp_rc" != 0 ] || [ -z "$hp_rows" ]; then
    # by its number alone: the words of an error may be a row's
    hp_code=$(grep -aoE '^ERROR [0-9]+' "$HP_D/err" | head -n 1 | tr -dc 0-9)
    case ${hp_code:-0} in
      1044 | 1045 | 1142 | 1227 | 1370 | 1410)
        undone no_settings "the dump asks for rights that no probe gives (error $hp_code)" ;;
      # no room on the disk, or none in the memory
      3 | 1021 | 1026 | 1037 | 1038 | 1041 | 1114) undone no_room "$HP_W: $HP_MOST KiB" ;;
    esac
    say "error the server refused it, error ${hp_code:-not told}"
    hp_told broken
    return
  fi
  say "rows $hp_rows"
  if [ "$hp_rows" = 0 ]; then hp_told broken; return; fi
  hp_told loaded
}
