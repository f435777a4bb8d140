# A line taken apart as a shell would: which word is a command, an option, a value, a word said.

# What stands between two words: quotes, ends of commands, substitutions.
function between(sep, first,   i, c, n, d) {
  GLUED = !first && sep !~ /[] \t\r;|<>"`[]/ && index(sep, Q1) == 0
  BRACED = 0
  if (HUSHED && LOST) return
  n = length(sep)
  for (i = 1; i <= n; i++) {
    c = substr(sep, i, 1)
    if (c == "\\" && QUOTE != Q1) { i++; if (substr(sep, i, 1) == Q1 && CODE) i--; continue }
    if (HUSHED && c != "\"" && c != Q1) {
      if (literal() && (QUOTE == Q1 || c != "`" && !(DOLLAR && i == 1 && c ~ /[{(]/))) continue
      if (c ~ /[ \t\r;|&<>()`]/ || c == "," && MODE == "sudo") HUSHED = 0
    }
    if (c == "\"" || c == Q1) {
      if (QUOTE == c) WHISPER = 0
      # the quoted secret of an option ends here, and with it what the option takes
      if (HUSHED && PREV ~ /^-/ && (QUOTE == c || CODE && SPOKEN)) PREV = ""
      if (QUOTE == "") {
        QUOTE = c; CODE = coded() || ASG != "" && tolower(ASG) !~ SECRET && ahead(c); SPOKEN = !CODE; WORDS = 0
        if (CODE) { OUTER = CMD; VALUED = ASG != ""; start() }
      } else if (QUOTE == c) {
        if (CODE) { if (VALUED) start(); CMD = OUTER }
        QUOTE = ""; CODE = SPOKEN = 0
        d = substr(sep, i + 1, 1)
        if (d == "" && i < n || d ~ /[] \t;|&)},]/) ended()
      } else if (CODE) SPOKEN = !SPOKEN
      continue
    }
    if (c == "{") { if (DOLLAR && i == 1) { BRACED = 1 } else if (QUOTE == "" && ASG == "") start(); continue }
    if (QUOTE != "" && !CODE && c != "`" && c != "(" && c != ")") continue
    if (c == " " || c == "\t" || c == "\r") { if (QUOTE == "" || CODE) ended(); REDIR = REDIR == 2 ? 0 : REDIR }
    else if (c == "," && MODE == "sudo") { ended(); start() }
    else if (c == ";" || c == "|") { ended(); start(); HERE = 0 }
    else if (c == "&") { if (!REDIR) { ended(); start() } }
    else if (c == "(") {
      HELD[++DEEP] = CMD "\n" PREV "\n" SPOKEN "\n" QUOTE "\n" TAINT "\n" SHY; REDIR = 0
      if (DOLLAR && i == 1 && ASG != "" && tolower(ASG) ~ SECRET) SHY = 1
      if (QUOTE == "" || CODE || DOLLAR && i == 1 && QUOTE != Q1) { ended(); start(); SPOKEN = 0; if (DOLLAR) QUOTE = "" }
    } else if (c == "`") { if (ASG != "" && tolower(ASG) ~ SECRET) SHY = 1; ended(); start() }
    else if (c == ")") {
      if (DEEP > 0) { split(HELD[DEEP--], BACK, "\n"); CMD = BACK[1]; PREV = BACK[2]; SPOKEN = BACK[3]; QUOTE = BACK[4]; TAINT = BACK[5]; SHY = BACK[6]; ASG = "" }
      else start()
    }
    else if (c == "<" || c == ">") { REDIR = 1 }
    else if (c == "[" && CMD == "") { CMD = "["; PREV = "" }
  }
}
# Is what stands here neither a command nor its blanks, but what a quote holds?
function literal() { return QUOTE != "" && (!CODE || SPOKEN) }
# Is what the quote holds a command again?
function coded() {
  return PREV ~ /^-[a-z]*c$/ && CMD ~ /^((ba|da|k|z|a)?sh|su|runuser)$/ || PREV == "-e" && CMD == "rsync" || PREV == "-o" && (CMD ~ /^(scp|sftp|sshfs)$/ || CMD == "" && LEAD == "ssh") \
    || CMD == "eval" || CMD == "trap" && PREV == "" || CMD == "alias" && ASG != "" || ASG ~ /(^|[_-])(rsh|RSH|ssh|SSH)$/ || CMD == "" && FAR || PREV ~ /^--[a-z-]*(hook|command|cmd)$/ && tolower(PREV) !~ SECRET || ASG ~ /^--[a-z-]*hook$/ || ASG ~ /(_CMD|CMD|COMMAND|[Cc]ommand|OPTS|OPTIONS|ARGS|args|options)$/ && tolower(ASG) !~ SECRET
}
# Is the value that begins here a command, or options of one?
function ahead(q,   i) {
  for (i = AT + 1; i < PARTS; i += 2) {
    if (PART[i] ~ /^--?[A-Za-z]/ || i == AT + 1 && PART[i + 1] ~ /^[ \t]/ && base(PART[i]) in COMMANDS && !(PART[i] in KNOWN)) return 1
    if (index(PART[i + 1], q)) return 0
  }
  return 0
}
function start() { TAINT = 0; CMD = PREV = WANT = LEAD = ""; ASG = ""; FAR = 0; COUNTED = CARRIED = 0 }
function ended() { ASG = ""; ASKED = 0 }
function base(w) { sub(/^.*\//, "", w); return w }

# In a document on its way into a file, and in a text of several lines, no command runs.
function line(s,   n, q, out) {
  if (FIRST) {
    FOREIGN = s ~ /^#!.*(python|perl|php|ruby|node|lua|expect|tclsh|awk|Rscript)/
    NOTE = DOCUMENT = MUTED = ""; split("", ENDS); split("", MADE)
  }
  if (DOCUMENT != "") { NOTE = DOCUMENT; RAW = LITERAL; DOCUMENT = "" }
  n = s; gsub(/[ \t\r]/, "", n)
  if (NOTE != "" && n == NOTE) NOTE = ""
  q = MUTED
  if (q != "") { n = s; n = gsub(q, "", n); if (++MUTES > 60) n = 1 }
  out = split_up(s)
  if (q != "") { if (n % 2) MUTED = "" }
  else if (QUOTE != "" && !CODE && !GOING && NOTE == "") { MUTED = QUOTE; MUTES = 0 }
  return out
}
# Which program reads a script: what execve(2) is told, where that is a program that many know.
function interpreter(s,   n) {
  n = "(-[A-Za-z][A-Za-z]?[A-Za-z]?[A-Za-z]?)?[ \t]*\r?$"
  if (s ~ ("^#![ \t]*/(usr/|local/|usr/local/)?bin/env[ \t]+(-S[ \t]+)?((ba|da|k|z|a|mk)?sh|python[0-9.]*|perl|php|ruby|node)([ \t]+" n "|\r?$)")) return s
  if (s ~ ("^#![ \t]*/[a-z0-9/.]+([ \t]+" n "|\r?$)")) return s
  return match(s, /^#!\/[a-z0-9\/.]+/) && substr(s, RLENGTH + 1, 1) ~ /[ \t]/ ? substr(s, 1, RLENGTH) : "#!***"
}
# Where nothing is expanded, `$` begins no variable: a sign that is none stands for it while the word is
# looked at, and nothing is shown that holds it.
function signed(w, sep) {
  if (w ~ /[$]/ && w !~ /^[$][0-9]$/ && (FOREIGN || UNSHELLED || NOTE != "" && RAW || !CODE && QUOTE != Q1 && w ~ /^[$]/ && sep ~ /(^|[^\\])(\\\\)*\\$/)) gsub(/[$]/, "\001", w)
  return w
}
function bare(r) { return r ~ /\001/ ? hidden(r) : r }
function split_up(s,   i, n, out, w, on) {
  if (FIRST && s ~ /^#!/) { QUOTE = ""; CODE = GOING = DEEP = 0; start(); return interpreter(s) }
  # a word without end, or a line of thousands of them, is nobody's command
  if (length(s) > 16384) s = substr(s, 1, 16384) " ..."
  if (!GOING) { start(); DEEP = HERE = 0 }
  # a word that a backslash cut goes on here, and with it what it is the value of
  on = CARRIED; CARRIED = SHY = REDIR = DOLLAR = WORDS = 0
  if (!on) { ASKED = HUSHED = 0; ASG = "" }
  if (!on || !HUSHED && !WHISPER && tolower(ASG) !~ SECRET) { QUOTE = ""; CODE = SPOKEN = WHISPER = 0 }
  GOING = s ~ /\\$/
  gsub(/[^] \t\r\\;|&()<>`"'{},=[]+/, "\n&\n", s)
  PARTS = n = split(s, PART, "\n"); out = ""; UPTO = MUCH = 0
  for (i = 1; i <= n; i += 2) {
    AT = i; w = CMD
    between(PART[i], i == 1)
    headed(i, w)
    out = out PART[i]
    if (i == n) break
    w = PART[i + 1]
    if (i > 1) on = 0
    if (substr(w, 1, 1) == "#" && !on && QUOTE == "" && !BRACED && (i == 1 || PART[i] ~ /[ \t;|]$/)) {
      return out "#"
    }
    # the blank in a quoted path of Chinese names: no ASCII, so neither an option nor its value
    if (QUOTE != "" && PART[i] ~ /^ +$/ && BEHIND ~ /^\/.*[^ -~]/ && !HUSHED && w !~ /[!-~]/) { out = out w; continue }
    out = out bare(word(w = signed(w, PART[i]), PART[i + 2], (on && PART[i] !~ /[ \t]/ ? "=" : "") PART[i], i + 2 >= n))
    onto(w, PART[i])
    if (SPOKEN && ASG == "" && speaks(w)) WHISPER = 1
    if (LOST && (ASKED || TAINT > 1 || ASG == "" && w !~ /^-/ && speaks(w))) HUSHED = 1
    DOLLAR = w ~ /[$]$/ && (QUOTE != Q1 || CODE); BEHIND = w
  }
  CARRIED = s ~ /[^ \t;|&]\\$/
  if (CARRIED && n > 1 && PART[n] == "\\" && BEHIND ~ /:\/\/[^\/@]*$/) HUSHED = 1
  return out
}
# A word of what is said to a program, behind which stands a secret: SQL, ftp.
function speaks(w) { return w !~ /\// && (tolower(w) ~ SECRET || tolower(w) ~ /^identified$/ || w == "user" && CMD ~ /ftp/ || w ~ /^send/ && CMD == "expect") }
# Words that systemd or /proc has joined by blanks: where one ended in quotes is lost. So a secret goes on
# to an option that is listed, or to the program that `env` starts; a text for `sh -c` has its own quotes.
function joined(s) {
  LOST = s ~ /[$][{]?[!#]?[0-9@*#]|shift|getopts|for [A-Za-z_0-9]+ *(;|do)/ ? 2 : 1
  s = line(s); LOST = 0
  return s
}
function anew(w, sep) {
  if (sep !~ /[ \t]$/) return 0
  if (w ~ /^--?[A-Za-z]/ && (w in FLAGS || w in NAMED)) { ASG = PREV = ""; TAINT = ASKED = 0; return 1 }
  if (CMD != "" || w !~ /^\/(usr\/)?(local\/)?s?bin\/[a-z0-9_-]+$/ || !(base(w) in COMMANDS)) return 0
  start(); return 1
}
function word(w, after, sep, last,   r, ends) {
  WORDS++
  if (LOST && HUSHED && anew(w, sep)) HUSHED = 0
  # of the word that is a secret nothing leaves, whatever its parts look like
  if (HUSHED) return BRACED && !(QUOTE == Q1 && !CODE) && match(w, /^[A-Za-z_0-9@*?#!]+/) && (named(substr(w, 1, RLENGTH)) || RLENGTH == 1) ? substr(w, 1, RLENGTH) (RLENGTH < length(w) ? "***" : "") : "***"
  if (WHISPER && SPOKEN && w !~ /^[$][A-Za-z_0-9]*$/) return w in KNOWN || w in COMMANDS ? w : "***"
  # -e NAME\\=VALUE, as sudoers has it
  if (after ~ /^\\=/) after = substr(after, 2)
  if (ASKED && (GLUED || SPOKEN)) return "***"
  ASKED = 0
  if (BRACED) {
    if (w ~ /^[A-Za-z_0-9]+(:|:?[-=+?])?$/ && tolower(w) ~ SECRET && (after ~ /^=/ || w ~ /[-=+?]$/ && after !~ /^}/)) HUSHED = 1
    return braced(w)
  }
  if (REDIR) {
    REDIR = 2
    if (w == "-" && sep ~ /<<$/) { DASHED = 1; return w }
    if (DASHED) { sep = "<<"; DASHED = 0 }
    if (sep ~ /<<</) { HUSHED = 1; return w ~ /^[$]([A-Za-z_][A-Za-z0-9_]*)?$/ && QUOTE != Q1 ? w : token(w) }
    if (w ~ /^[0-9-]$/ || w ~ /^\// || w ~ /^[.~]*\//) return path(w, 1)
    if (w ~ /^[$]/ || w ~ /[.](log|sql|gz|txt|out|err|json|dump|bak)$/) return w ~ /\// ? path(w, 0) : plain(w) ? w : filled(w, 0)
    if (sep ~ /<</ && sep !~ /<<</ && length(w) < 21 && named(w ~ /^-/ ? substr(w, 2) : w)) {
      ends = w; sub(/^-/, "", ends); ENDS[ends] = 1; LITERAL = QUOTE != "" || sep ~ /["'\\]$/
      if (CMD !~ /^((ba|da|k|z|a)?sh|su|runuser|chroot|docker|podman|nerdctl|kubectl)$/ && !(CMD == "" && FAR)) DOCUMENT = ends
      return w
    }
    return sep ~ /<</ ? token(w) : hidden(w)
  }
  if (expected(w, sep)) {
    r = PREV
    if (!SPOKEN || after !~ /^[ \t]/) PREV = ""
    r = wanted(r, w)
    HUSHED = r ~ /\*\*\*$|^[$]/
    return r
  }
  # what is handed to a program that may take it for a secret
  if (CMD ~ /^(echo|printf|print)$/ && HANDED && (w ~ /\/|^--/ || after ~ /^=/ || ASG != "") && w !~ /^[$][A-Za-z_0-9]*$/) { PREV = w; return hidden(w) }
  if ((NOTE != "" || MUTED != "" || FOREIGN) && tolower(CMD) ~ /^(user|quote|open|login|machine|pass|account|auth|send)$/ && w ~ /\//) return hidden(w)
  if (w ~ /^[0-9]$/ && after ~ /^[<>]/) return w
  if (!(ASG != "" && tolower(ASG) ~ SECRET)) { r = veiled(w, ASG); if (r != "") { PREV = ""; return r } }
  if (CMD == "sleep" && !SPOKEN && w ~ /^[0-9]+[smhd]?$/ && length(w) < 10) return w
  if (ASG != "" && sep !~ /=/ && after ~ /^=[^=]/ && named(w)) { SAT = 0; ASG = w; return w }
  if (ASG != "" && (sep !~ /=/ || conninfo(w, sep)) && after ~ /^=["'\\]*$/ && named(w)) { SAT = 0; ASG = w; return w }
  if (ASG != "") {
    # a time of sudoers(5)
    if (MODE == "sudo" && ASG ~ /^NOT(BEFORE|AFTER)$/ && w ~ /^[0-9]+Z?$/ && length(w) < 16) r = w
    else if (ASG ~ /^-/ && account(ASG, w)) { HUSHED = 1; r = wanted(ASG, w) }
    else { LISTED = sep; r = value(ASG, w) }
    sat(w)
    if (tolower(ASG) ~ SECRET && (r == "***" || r ~ /^[$]/)) HUSHED = 1
    if (SPOKEN) return r
    if (after ~ /^[ \t;|&]/) ASG = ""
    return r
  }
  # AUTH WORD, user JOE WORD, pass: WORD
  if (after ~ /^=/ && CMD ~ /^[A-Za-z_-]+:?$/ && !(CMD in COMMANDS) && (tolower(CMD) ~ SECRET || tolower(CMD) ~ /^(user|login|quote|machine|send|open)/)) { HUSHED = 1; return "***" }
  if (after ~ /^=([^=]|$)/ && !confided() && set(w, after, last)) { SAT = 0; ASG = CMD != "" && secretive(w) && !pathed(w) ? "-pass" : w; return w }
  if (SPOKEN && WORDS == 1 && after ~ /^[^"]*[ \t]/ && index(after, Q1) == 0 && PREV !~ /^-/) r = 1
  if (w ~ /^-../ && sep ~ /["']$/ && (TAINT > 1 || PREV !~ /^-/ && spoken_of())) { HUSHED = 1; return "***" }
  if (substr(w, 1, 1) == "-" && length(w) > 1 && !(w ~ /^-[0-9]+$/ && CMD == "")) {
    if (!option(w)) {
      PREV = (length(w) < 5 || w ~ /^--?[a-z_-]+$/ && w ~ SECRET) && !attached(w) ? w : ""; r = glued(w)
      if (r ~ /\*\*\*$/) HUSHED = 1
      return r
    }
    if (after ~ /^=/) { SAT = 0; ASG = w }
    else PREV = w
    return w
  }
  if (PREV ~ /^-/ && (CMD != "" || COUNTED && (LEAD == "sudo" ? PREV ~ /^-[ugCTDRhp]$|^--(user|group)$/ : LEAD == "env" ? PREV ~ /^-[uC]$/ : PREV ~ /^-[ncugpskaILPd]$/ || PREV ~ /^--/ && PREV in NAMED))) {
    r = PREV
    if (SPOKEN && after ~ /^[ \t]/) { } else PREV = ""
    return wanted(r, w)
  }
  if (w in ENDS && after == "" && sep ~ /^[ \t]*$/) return w
  if (CMD == "" && !SPOKEN) return led(w, after)
  r = operand(w); PREV = w
  if (!SPOKEN) onward(w)
  if (!TAINT && w ~ /^[a-zA-Z_.-]+:?$/ && !(w in COMMANDS) && (tolower(w) ~ SECRET || w == "obscure")) TAINT = 1
  if (confides(w)) TAINT = 2
  return r
}
# The first of the settings that stand in the value of --dbname or dsn for libpq.
function conninfo(w, sep) {
  return sep ~ /^=\\?["']$/ && tolower(ASG) ~ /^-*(d|dbname|dsn|conninfo|primary_conninfo)$/ \
    && w ~ /^(host|hostaddr|port|dbname|user|password|passfile|service|sslmode|sslcert|sslkey|sslrootcert|connect_timeout|application_name|options|replication)$/
}
# How many words of a value have been; behind an option, a command or a URL none is a name,
# and behind an account of those that keep no data there may be what it logs in with.
function sat(w) { if (!SAT) DOTTED = w ~ /[.].*[.]|:/; SAT = w ~ /^-|:\/\// || tolower(w) ~ /^(root|sa|dba|administrator)$/ || w in COMMANDS && !(w in KNOWN) ? 99 : SAT + 1 }
function set(w, after, last) {
  if (substr(w, 1, 1) == "-") return option(w)
  if (!named(w)) return 0
  if (PREV == "-o" && w ~ /[Cc]ommand$/) return 1
  # the end of base64
  if ((last || after != "=") && after ~ /^=["']?[ \t|)]*$/ && w ~ /[A-Z]/ && w ~ /[a-z]/ || after ~ /^=[ \t]*[|)]/) return 0
  return 1
}
function braced(w,   name, rest) {
  if (!match(w, /^[#!]?[A-Za-z_0-9@*?]+/)) return w ~ /^[@*#?!$-]/ ? substr(w, 1, 1) : "$_"
  name = substr(w, 1, RLENGTH); rest = substr(w, RLENGTH + 1)
  if (!named(name) && name !~ /^[0-9@*?#!]+$/) return token(w)
  if (match(rest, /^:?[-=+?]/)) return name substr(rest, 1, RLENGTH) (length(rest) > RLENGTH ? value(name, substr(rest, RLENGTH + 1)) : "")
  return name (rest == "" || length(rest) < 16 && rest ~ /^[#%\/^,@:][-#%\/*.?:_^,$]*([.][a-z0-9]+)*[*\/]?$/ || rest ~ /^:[0-9](:[0-9]+)?$/ ? rest : "***")
}
# An option with its value behind it in the same word: -pSECRET, -uroot, -C/srv, -mtime+7.
function glued(w,   head) {
  head = substr(w, 1, 2)
  if (w ~ /^--/) return match(w, /^--[a-z-]+/) ? substr(w, 1, RLENGTH) "***" : hidden(w)
  if (head ~ /^-[pPkKwWa]$/ || head == "-h" && CMD == "rar") return head "***"
  if (w ~ /^-[A-Za-z]\//) return head path(substr(w, 3), 1)
  if (naming() && CMD !~ /zip$/ && (head ~ /^-[uhdnUCTfFDBoejJzv0-9]$/) && (head ~ /^-[uhdnUCD]$/ || CMD ~ HARMLESS || substr(w, 3) !~ /^[PpkKWwa]/) && plain(substr(w, 3))) return w
  if (w ~ /^-[A-Za-z][$]/) return head filled(substr(w, 3), 0)
  return head "***"
}
# The word behind an option.
function wanted(opt, w,   low, r) {
  low = tolower(opt); sub(/^-+/, "", low)
  if (account(opt, w)) return match(w, /^[^:%,\/]*[:%,]/) ? (plain(substr(w, 1, RLENGTH - 1)) ? substr(w, 1, RLENGTH) : "") "***" : "***"
  if (opt ~ /^-[uU]$/ && w ~ /:/ && w !~ /^[0-9]+:[0-9]*$/ && CMD !~ /^(docker|podman|nerdctl|kubectl)$/) { HUSHED = 1; match(w, /:/); return (plain(substr(w, 1, RSTART - 1)) ? substr(w, 1, RSTART) : "") "***" }
  if (opt ~ /^--/ && opt in FLAGS && !(opt in NAMED)) { PREV = w; r = operand(w); onward(w); return r }
  if (opt ~ /^-(exec|execdir|ok)$/) { start(); COUNTED = 1; return led(w, "") }
  if (opt == "-c" && CMD ~ /^((ba|da|k|z|a)?sh|su|runuser)$/) { if (LOST == 1) LOST = 0; start(); return led(w, "") }
  if (CMD ~ /^python/) { tasked(w); if (CMD == "backup.py") return path(w, 1) }
  opt = letter(opt)
  if (low ~ SECRET || secretive(opt) && !(w ~ /^\// && pathed(opt))) {
    if (opt == "-p" && (CMD in PLAIN || CMD == "" && LEAD == "ssh") && CMD !~ /^(sshpass|docker|podman|helm|mongo.*|mysql.*|mariadb.*|mydumper|xtrabackup|innobackupex|mariabackup|automysqlbackup|restic|unzip|zip)$/ && w ~ /^[0-9]+$/ && length(w) < 6) return w
    if (opt == "-P" && CMD ~ /^(scp|mysql.*|mariadb.*|sftp)$/ && w ~ /^[0-9]+$/ && length(w) < 6) return w
    if (opt ~ /^-[PKWwkap]$/ && CMD in PLAIN && CMD ~ /^(tar|rsync|ls|cp|rm|mkdir|ss|grep|sort|xargs|rsnapshot|df|du|tail|date|gzip|zcat|find|mount|cd|test|kill|systemctl|ionice)$/) return operand(w)
    return value("pass" (low ~ /(file|path|dir)s?[0-9]*$/ ? "file" : ""), w)
  }
  if (opt in FLAGS && !(opt in NAMED) || HERE && opt ~ /^-[itd]+$/) { PREV = w; r = operand(w); onward(w); return r }
  if (opt ~ /^-[A-Za-z][A-Za-z]+$/ && opt !~ /^-[uhdDUB]/ && !(opt in NAMED) && CMD !~ HARMLESS && CMD != "") { PREV = w; return behind(w) }
  if (CMD in BARE && opt ~ /^-[A-Za-z]$/) { PREV = w; return w ~ /[:@]/ ? operand(w) : behind(w) }
  if (opt in NAMED || substr(opt, 3) in NAMED || naming() && opt ~ /^-[A-Za-z]+$/ && (CMD != "ossutil")) {
    if (w ~ /^jdbc:/ || w ~ /:\/\//) return w ~ /:\/\// ? url(w) : "jdbc:***"
    if (w ~ /^(\/|[.][.]?\/|~\/)/) return path(w, 1)
    if (number(w, opt ~ /port|^-[pP]$/ ? 5 : 4) || dated(w) || shown(w)) return w
    if (naming() || !NOTE && !TAINT && !SHY && (opt ~ /^--/ || opt ~ /^-[uhU]$/ && CMD == "")) return w ~ /:/ && naming() ? far(w) : w ~ /\// ? path(w, 0) : plain(w) && w !~ /:/ ? w : filled(w, 0)
    return filled(w, 0)
  }
  if (w ~ /:\/\//) return url(w)
  if (w ~ /^(\/|[.][.]?\/|~\/)/) return path(w, 1)
  if (number(w, 3) || w in KNOWN && opt ~ /^-/ || shown(w)) { onward(w); return w }
  if (w in COMMANDS && (opt ~ /^-[a-z]$/ || opt == "--" || opt ~ /exec/)) { CMD = ""; return led(w, "") }
  return filled(w, 0)
}
# The word behind letters that could each take a value.
function behind(w) {
  if (w ~ /:\/\//) return url(w)
  if (w ~ /^(\/|[.][.]?\/|~\/)/) return path(w, 1)
  if (number(w, 3) || dated(w) || shown(w) || w ~ ENDING && plain(w)) return w
  return filled(w, 0)
}
# The word where a command stands.
function led(w, after,   b, r) {
  b = base(w)
  # a tag of sudoers needs no blank behind it, nor the list of whom to run as one before it
  if (MODE == "sudo" && match(w, /^(NO)?(PASSWD|SETENV|EXEC|LOG_INPUT|LOG_OUTPUT|MAIL|FOLLOW|INTERCEPT):./)) {
    match(w, /:/); r = substr(w, 1, RSTART); CMD = ""
    return r led(substr(w, RSTART + 1), after)
  }
  if (MODE == "sudo" && w ~ /^!./) return "!" led(substr(w, 2), after)
  if (WANT == "host") { WANT = ""; FAR = 1; return w ~ /:/ || plain(w) ? far(w) : filled(w, 0) }
  if (WANT == "lock" && (w ~ /^\// || w ~ /^[$0-9]/)) { WANT = ""; return w ~ /^\// ? path(w, 1) : w }
  if (WANT == "loop") { WANT = ""; return named(w) ? w : token(w) }
  if (WANT == "user" && w == "-") return w
  if (WANT == "user") { WANT = ""; CMD = "su"; return plain(w) ? w : token(w) }
  if (number(w, 4) && COUNTED) return w
  if (w in LEADING || b in LEADING) {
    COUNTED = 1; LEAD = b; PREV = ""
    WANT = b ~ /^(for|select)$/ ? "loop" : b ~ /^(ssh)$/ ? "host" : b == "flock" ? "lock" : b ~ /^(su|runuser)$/ ? "user" : ""
    return w ~ /\// ? path(w, 1) : w
  }
  if (w ~ /^[0-9]+$/ && length(w) > 3) return token(w)
  CMD = b; PREV = ""; HANDED = b ~ /^(echo|printf|print)$/ && handed()
  if (w ~ /^(\/|[.][.]?\/|~\/)/) return path(w, 1)
  if (w in COMMANDS || shown(w)) return w
  if (MODE == "sudo" && (w ~ /^[!]?[A-Z][A-Z0-9_]*$/ || DEEP && plain(w))) { CMD = ""; return w }
  if (MODE == "sudo" && (w ~ /^[A-Z_]+:$/ || w == "sudoedit")) { CMD = ""; return w }
  if (after ~ /^[ \t]*\([ \t]*\)/ && named(w)) MADE[w] = 1
  if (w in MADE) return w
  if (w ~ /^[A-Za-z0-9_.-]+[.](sh|py|pl|php)$/ && !random(w)) return w
  return filled(w, 0)
}
# Does what is said here go to another program than those that take lines for lines?
function handed(   i) {
  for (i = AT + 2; i < PARTS; i += 2) {
    if (PART[i] ~ /<<</ || PART[i] ~ />/ && tolower(PART[i + 1]) ~ (SECRET "|netrc")) return 1
    if (PART[i] ~ /[|]/ && PART[i] !~ /[|][|]/) return base(PART[i + 1]) !~ /^(xargs|cpio|tar|pax|rsync|tee|cat|sort|uniq|while|grep|egrep|fgrep|wc|mail|mailx|mutt|sendmail|awk|gawk|sed|cut|head|tail|tr|rev|column|paste|at|batch|logger|systemd-cat|lftp)$/
    if (PART[i] ~ /[;&]|[|][|]/) return 0
  }
  return 0
}
# docker exec NAME COMMAND …, find -exec COMMAND …
function onward(w) {
  if ((w == "exec" || w == "run") && CMD ~ /^(docker|podman|nerdctl|kubectl)$/) { HERE = 1; return }
  if (HERE == 1 && CMD ~ /^(docker|podman|nerdctl|kubectl)$/) { HERE = 0; CMD = "" ; COUNTED = 1 }
}
