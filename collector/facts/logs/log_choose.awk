# Which log files to open, and how far. In: `TYPE|SIZE MTIME PATH` of stat; out: `@F`, see log_look.py.
# left: estimated milliseconds that may still be spent; each: those that one file may take.
# The heartbeat and login logs come first, then the oldest and newest of each log by name and by
# time, then the rest.
function cost(i, deep,   base, speed, z) {
  z = size[i]
  if (kind[i] == "utmp") return 2 + (z < 1500000 ? z : 800000) / 10000
  if (kind[i] == "plain") return deep ? 0.05 + z / 80000 : 3
  base = end[i] ~ /bz/ ? 40 : end[i] ~ /x|lzma/ ? 6 : 3
  speed = end[i] ~ /bz/ ? 3000 : end[i] ~ /x|lzma/ ? 8000 : 12000
  return deep ? base + z / speed : base
}
function take(i, deep, letter) { left -= cost(i, deep); how[i] = letter }
function look(i, probe) {
  if (how[i] != "" && how[i] !~ /[Ez]/) return
  if (!size[i] || end[i] ~ /^(7z|rar)$/) { how[i] = "-"; return }
  if (cost(i, 1) <= each && cost(i, 1) <= left) {
    take(i, 1, kind[i] == "pack" ? "Z" : kind[i] == "utmp" ? "U" : "S")
    return
  }
  if (kind[i] == "utmp") return
  if (probe && kind[i] == "plain" && left >= 60 && probed < 20) {
    probed++; left -= 60; how[i] = "P"
    return
  }
  if (how[i] == "" && cost(i, 0) <= left) take(i, 0, kind[i] == "pack" ? "z" : "E")
}
function is_edge(i,   g) {
  g = group[i]
  return newest[g] == i || oldest[g] == i || aged[g] == i || young[g] == i
}
# Recordings of sessions. In a folder of an I/O log of sudo the file log tells when it was, what else
# lies there only counts by size; of many of one day (by mtime or the name of the folder, which decide
# nothing else) two are listed, and the second stands for the rest by size.
function folded(path, base,   dir, key) {
  dir = path; sub(/\/[^\/]*$/, "", dir)
  if (base ~ /^(ttyin|ttyout|timing|log\.json)$/ || (path ~ /\/sudo-io\// && base ~ /^(std(in|out|err)|seq)$/)) {
    beside[dir] += field[1]; return 1
  }
  if (path ~ /\/[0-9A-Z][0-9A-Z]\/[0-9A-Z][0-9A-Z]\/[0-9A-Z][0-9A-Z]\/log$/)
    key = substr(path, 1, length(path) - 13) " " int(field[2] / 86400)
  else if (path ~ /\/replay\/20[0-9][0-9]-[01][0-9]-[0-3][0-9]\//) key = dir
  else return 0
  if (held[key]++ < 2) { first[key] = path; return 0 }
  extra[first[key]] += field[1]
  if (base == "log") part[dir] = first[key]
  return 1
}
function whole(path,   dir) {
  dir = path
  return extra[path] + (sub(/\/log$/, "", dir) ? beside[dir] : 0)
}
/^@O/ { if (!told[$0]++) print; next }
/^directory/ { sub(/^[^\/]*/, ""); print "@K " $0; next }
!/^regular/ { next }
{
  sub(/^[^|]*\|/, "")
  path = substr($0, index($0, "/"))
  gsub(/\/\/+/, "/", path)
  if (seen[path]++) next
  split($0, field, " "); base = path; sub(/.*\//, "", base); bare = base
  if (folded(path, base)) next
  if (n++ == MOST) { n = MOST; print "@O more"; exit }
  name[n] = path; size[n] = field[1]; time[n] = field[2]
  if (match(bare, /\.(gz|xz|bz2|zst|Z|lz4|lzma|zip|7z|rar|tgz|txz|tbz2?)$/)) {
    end[n] = substr(bare, RSTART + 1); bare = substr(bare, 1, RSTART - 1); sub(/\.tar$/, "", bare)
  }
  kind[n] = end[n] != "" ? "pack" : "plain"
  if (path == "/var/lib/wtmpdb/wtmp.db") how[n] = "D"
  else if (base ~ /^[wb]tmp/ && base !~ /\.db/) kind[n] = "utmp"
  else if (base ~ /^(lastlog|faillog|tallylog|README$|eipp\.log\.xz$)/) how[n] = "N"
  else if (base ~ /\.(db|rrd|png|pcap|core|journal)(~|$)/) how[n] = "N"
  # a greater rank is newer: the date in the name, or the number, or no such thing at all
  rank = 9999999999
  if (match(bare, /[._-][0-9][0-9][0-9][0-9][._-]?[0-9][0-9][._-]?[0-9][0-9][0-9]*/)) {
    rank = substr(bare, RSTART + 1, RLENGTH - 1); gsub(/[._-]/, "", rank)
    rank = substr(rank "00", 1, 10) + 0
    bare = substr(bare, 1, RSTART - 1) substr(bare, RSTART + RLENGTH)
  } else if (match(bare, /[.-][0-9]+$/) && RLENGTH < 6) {
    rank = -substr(bare, RSTART + 1); bare = substr(bare, 1, RSTART - 1)
  }
  g = path; sub(/[^\/]*$/, "", g); g = g bare; group[n] = g
  if (!(g in oldest)) { oldest[g] = newest[g] = young[g] = aged[g] = n; low[g] = high[g] = rank }
  if (rank < low[g]) { low[g] = rank; oldest[g] = n }
  if (rank >= high[g]) { high[g] = rank; newest[g] = n }
  if (time[n] < time[aged[g]]) aged[g] = n
  if (time[n] > time[young[g]]) young[g] = n
  heart[n] = kind[n] == "utmp" || path ~ /\/(syslog|messages|cron|auth\.log|secure|audit\.log)[^\/]*$/
}
END {
  for (g in part) extra[part[g]] += beside[g]
  left = COST; each = 400
  for (i = 1; i <= n; i++) if (heart[i] && (newest[group[i]] == i || oldest[group[i]] == i)) look(i, 1)
  each = 25
  for (i = 1; i <= n; i++) if (is_edge(i)) look(i)
  each = 400
  for (i = 1; i <= n; i++) if (heart[i]) look(i, 1)
  each = 10
  for (i = 1; i <= n; i++) look(i)
  for (i = 1; i <= n; i++) print "@F", size[i] + whole(name[i]), time[i], how[i] == "" ? "-" : how[i], name[i]
}
