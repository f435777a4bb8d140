# A dump of MariaDB or MySQL, loaded into a server of its own in memory; the one that serves is not asked.
HP_AFTER="[ ! -e $HP_D/ended ] || sh $HP_D/ended;"
hp_clean() {
  if [ -e "$HP_D/ended" ]; then sh "$HP_D/ended" >/dev/null 2>&1; fi
}
# nobody, with no way out: what stands in a dump is another's
hp_as() { ${hp_net:-} setpriv --reuid=65534 --regid=65534 --clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all "$@"; }
hp_open() { case $hp_f in *.gz) gzip -dc <"$hp_f" ;; *.zst) zstd -qdc <"$hp_f" ;; *.xz) xz -dc <"$hp_f" ;; *) cat <"$hp_f" ;; esac; }
hp_act() {
  # by name or by time: the newest of those that the pattern finds
  hp_f=$(ls -t -- $HP_PATH 2>/dev/null | head -n 1)
  if [ -z "$hp_f" ]; then say "restored nothing at $HP_PATH"; say 'state broken'; return; fi
  for hp_p in mariadbd mariadb-install-db mariadb; do
    command -v "$hp_p" >/dev/null 2>&1 || undone no_program "$hp_p"
  done
  say "restored $hp_f"
  say "before $(sha256sum <"$hp_f" | cut -c 1-64)"
  hp_whole && hp_fits && hp_serve && hp_load
  say "after $(sha256sum <"$hp_f" | cut -c 1-64)"
}
# half of a dump loads as well as the whole
hp_whole() {
  if ! hp_open >/dev/null 2>&1; then say 'error packed, and cut off or damaged'; say 'state broken'; return 1; fi
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
  hp_size=$(stat -c %s "$hp_f")
  hp_free=$(df -Pk /run | awk 'NR == 2 { print $4 }')
  # what is packed grows, and a server of its own takes room
  if [ $((hp_size / 1024 * 15 + 200000)) -gt "$hp_free" ]; then undone no_room "/run: $hp_free KiB"; fi
  chmod 711 "$HP_D"
  mkdir -m 700 "$HP_D/my" "$HP_D/tmp" "$HP_D/none" && chown 65534:65534 "$HP_D/my" "$HP_D/tmp" "$HP_D/none" || undone no_room /run
  printf '%s\n' "hp_q=\$(cat $HP_D/my/pid 2>/dev/null)" \
    "[ -z \"\$hp_q\" ] || ! grep -qa $HP_D/my /proc/\$hp_q/cmdline || kill -9 \"\$hp_q\"" \
    "sleep 0.2; kill -9 \$(grep -la datadir=$HP_D/my /proc/[0-9]*/cmdline 2>/dev/null | tr -dc '0-9\\n') 2>/dev/null" >"$HP_D/ended"
  cd / || return 1
  # a socket that is a file is reached from any network
  if unshare --net true 2>/dev/null; then hp_net='unshare --net'; fi
  hp_as mariadb-install-db --no-defaults --datadir="$HP_D/my" --tmpdir="$HP_D/tmp" --skip-test-db \
    --auth-root-authentication-method=normal --skip-name-resolve --innodb-log-file-size=8M >"$HP_D/out" 2>&1 ||
    undone no_program "mariadb-install-db: $(tail -n 1 "$HP_D/out" | cut -c 1-120)"
  # reached by this socket alone; reads and writes no file of the host by what stands in a dump
  hp_as mariadbd --no-defaults --datadir="$HP_D/my" --tmpdir="$HP_D/tmp" --socket="$HP_D/my/s" \
    --pid-file="$HP_D/my/pid" --skip-networking --skip-name-resolve --skip-log-bin --secure-file-priv="$HP_D/none" \
    --plugin-dir="$HP_D/none" --skip-slave-start --local-infile=0 \
    --innodb-buffer-pool-size=32M --innodb-log-file-size=8M --innodb-flush-log-at-trx-commit=0 \
    --event-scheduler=OFF --log-error="$HP_D/my/log" >/dev/null 2>&1 </dev/null &
  hp_n=0
  # triggers and views name the database that they were made in
  hp_b=$(hp_open 2>/dev/null | head -n 20 | sed -n 's/^-- Host: .* Database: \([A-Za-z0-9_$]\{1,64\}\)$/\1/p' | head -n 1)
  hp_b=${hp_b:-hostpledge_probe}
  until hp_sql -e "CREATE DATABASE IF NOT EXISTS \`$hp_b\`" >/dev/null 2>&1; do
    hp_n=$((hp_n + 1))
    if [ "$hp_n" -gt 120 ]; then undone no_program "mariadbd: $(tail -n 1 "$HP_D/my/log" 2>/dev/null | cut -c 1-160)"; fi
    sleep 0.5
  done
  hp_rights || undone no_program "mariadbd: $(tail -n 1 "$HP_D/err" | cut -c 1-160)"
}
# from here on nobody there may reach a file, a network or another server, nor give themselves the right to
hp_rights() {
  hp_may='SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, REFERENCES, INDEX, ALTER, CREATE TEMPORARY TABLES, LOCK TABLES,
    EXECUTE, CREATE VIEW, SHOW VIEW, CREATE ROUTINE, ALTER ROUTINE, EVENT, TRIGGER, PROCESS, SHOW DATABASES'
  hp_definer=
  case $hp_here in 10.[0-4].*) hp_definer=SUPER ;; *) hp_definer='SET USER' ;; esac
  hp_sql -e "CREATE USER loads@localhost; GRANT $hp_may, $hp_definer ON *.* TO loads@localhost;
    DELETE FROM mysql.global_priv WHERE User <> 'loads'; FLUSH PRIVILEGES" 2>"$HP_D/err"
}
hp_sql() { hp_as mariadb --no-defaults --socket="$HP_D/my/s" --user=root --binary-mode "$@" </dev/null; }
hp_load() {
  # counted over the same connection: who may log in may be another thing after the dump
  hp_count="SET SESSION group_concat_max_len = 16777216;
SELECT coalesce(concat('SELECT concat(''rows '', sum(c)) FROM (', group_concat(concat('SELECT count(*) AS c FROM \`',
  replace(table_schema, '\`', '\`\`'), '\`.\`', replace(table_name, '\`', '\`\`'), '\`') SEPARATOR ' UNION ALL '), ') AS t'),
  'SELECT ''rows 0''') INTO @hp_q FROM information_schema.tables WHERE table_type = 'BASE TABLE'
  AND table_schema NOT IN ('mysql', 'information_schema', 'performance_schema', 'sys');
PREPARE hp_s FROM @hp_q; EXECUTE hp_s;"
  # no command of the client is taken from what stands in a dump (--binary-mode)
  { hp_open; printf '\n%s\n' "$hp_count"; } |
    hp_as timeout 500 mariadb --no-defaults --socket="$HP_D/my/s" --user=loads --binary-mode --local-infile=0 \
      --skip-column-names --batch "$hp_b" >"$HP_D/out" 2>"$HP_D/err"
  hp_rc=$?
  if [ "$hp_rc" = 124 ]; then undone no_settings 'more than is loaded in 500 s'; fi
  hp_rows=$(sed -n 's/^rows \([0-9]*\)$/\1/p' "$HP_D/out" | tail -n 1)
  if [ "$hp_rc" != 0 ] || [ -z "$hp_rows" ]; then
    # by its number alone: the words of an error may be a row's
    hp_code=$(grep -aoE '^ERROR [0-9]+' "$HP_D/err" | head -n 1 | tr -dc 0-9)
    case ${hp_code:-0} in
      1044 | 1045 | 1142 | 1227 | 1370 | 1410)
        undone no_settings "the dump asks for rights that no probe gives (error $hp_code)" ;;
    esac
    say "error the server refused it, error ${hp_code:-not told}"
    say 'state broken'
    return
  fi
  say "rows $hp_rows"
  if [ "$hp_rows" = 0 ]; then say 'state broken'; return; fi
  say 'state loaded'
}
