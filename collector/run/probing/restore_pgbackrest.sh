# pgBackRest's own comparison of every file of the repository with its manifests; nothing is restored.
hp_act() {
  hp_files
  command -v pgbackrest >/dev/null 2>&1 || undone no_program pgbackrest
  if [ -d "$HP_REPOSITORY" ]; then
    # another name shows nothing of the backup
    if [ ! -e "$HP_REPOSITORY/backup/$HP_PATH" ]; then undone no_settings "no stanza $HP_PATH in $HP_REPOSITORY"; fi
    hp_u=$(stat -c %U "$HP_REPOSITORY")
    say "before $(hp_state "$HP_REPOSITORY")"
  fi
  # as whom the repository is: root may have no part in it, and reads what it is to belong to
  timeout 600 setpriv --reuid="${hp_u:-root}" --regid="$(id -g "${hp_u:-root}")" --init-groups \
    pgbackrest --stanza="$HP_PATH" --log-level-file=off --log-level-console=error \
    --output=text --verbose verify >"$HP_W/out" 2>"$HP_W/err" </dev/null
  hp_rc=$?
  say "rc $hp_rc"
  if [ "$hp_rc" = 124 ]; then undone no_settings 'more than is read in 600 s'; fi
  grep -aE 'status: |backup: |total files|checksum invalid|size invalid|missing|unable' "$HP_W/out" | lines verified 8
  cat "$HP_W/out" "$HP_W/err" | grep -a 'ERROR' | lines error
  hp_n=$(grep -aoE 'backup: [0-9]{8}-[0-9]{6}F[_0-9DI-]*' "$HP_W/out" | tail -n 1)
  say "restored ${hp_n:-stanza $HP_PATH}"
  case $(sed -n 's/^ *status: //p' "$HP_W/out" | head -n 1):$hp_rc in
    ok:0) if [ -n "$hp_n" ]; then hp_told verified; else say 'error no backup in it'; hp_told broken; fi ;;
    error:*) hp_told broken ;;
    *) undone no_settings "pgbackrest ends with $hp_rc: $(grep -ah ERROR "$HP_W/out" "$HP_W/err" | head -n 1 | cut -c 1-160)" ;;
  esac
  if [ -d "$HP_REPOSITORY" ]; then say "after $(hp_state "$HP_REPOSITORY")"; fi
}
