# shellcheck shell=sh
# `own:LINE` for what the drop-in has to set, `main:LINE` for what the main file, read last, sets too low.
settings() {
  for file in "$@"; do
    if [ -f "$file" ] && [ "$file" != "$OWN" ]; then
      sed -e 's/#.*//' -e 's/[[:space:]]*=[[:space:]]*/ /' "$file"
    fi
  done
}
judge() {
  awk -v least="$LENGTH" -v kinds="$CLASSES" -v into="$1" '
  NF { value[tolower($1)] = NF > 1 ? $2 : "" }
  END {
    whole = into == "own"
    if (whole && !("minlen" in value) || "minlen" in value && value["minlen"] + 0 < least) print into ":minlen = " least
    if (whole && !("minclass" in value) || "minclass" in value && value["minclass"] + 0 < kinds) print into ":minclass = " kinds
    if (whole && !("enforce_for_root" in value)) print into ":enforce_for_root"
    if ("enforcing" in value && value["enforcing"] + 0 == 0) print into ":enforcing = 1"
    split("dcredit ucredit lcredit ocredit", names, " ")
    for (i = 1; i <= 4; i++) if (names[i] in value && value[names[i]] + 0 > 0) print into ":" names[i] " = 0"
  }'
}
settings /etc/security/pwquality.conf.d/*.conf /etc/security/pwquality.conf | judge own
settings /etc/security/pwquality.conf | judge main
