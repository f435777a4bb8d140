"""Of bundles, the register and its log, and what is printed."""

TABLE: tuple[tuple[str, str], ...] = (
    # bundles and the register
    (r"no such bundle", "没有这个证据包"),
    (r"no host is named (.*)", r"没有名为 \1 的主机"),
    (r"no pledge is named (.*)", r"没有编号为 \1 的登记"),
    (r"the pledge (\S+) is in the register already", r"登记 \1 已在登记库中"),
    (r"the ids (\S+) and (\S+) differ in upper and lower case only", r"编号 \1 与 \2 仅大小写不同"),
    (r"on a file system that is read-only", "所在的文件系统是只读的"),
    (
        r"copy its folder to where it can be written, and give --register",
        "请将其目录复制到可写之处，再以 --register 指明",
    ),
    (r"give another id", "请改用另一编号"),
    (r"--update adds a new version of it", "加 --update 可增加一个新版本"),
    (r"the bundle was made for no pledge", "此证据包不是为任何登记制作的"),
    (r"the bundle was made for the pledge (\S+), not for (\S+)", r"此证据包属于登记 \1，不属于 \2"),
    (
        r"the entry of the log says another (\S+) than the bundle does",
        r"日志条目的 \1 与证据包所签的不符",
    ),
    (
        r"the entry of the log is dated (\S+), and the bundle was signed after that \((\S+)\)",
        r"日志条目的时间为 \1，而证据包签署于其后（\2）",
    ),
    (
        r"its hosts were judged for another time than they were looked at, (\d+) day\(s\) apart",
        r"其主机的判定时刻与采集时刻相差 \1 天",
    ),
    (r"make it without --at", "请不带 --at 重新制作"),
    (r"make one (?:for it )?with `(.*)`", r"请用 \1 制作"),
    (
        r"the bundle is number (\d+) of (\S+), and number (\d+) is the next",
        r"此证据包是 \2 的第 \1 份，而下一份应为第 \3 份",
    ),
    (r"has not ended: nothing of it may be destroyed", "尚未终止，不得销毁"),
    (r"put its end on record first", "请先登记其终止"),
    (r"is to be kept to (\S+)", r"须保存至 \1"),
    (r"wait until it is over", "请在期满后再销毁"),
    (
        r"the bundle is attached already, as number (\d+) of (\S+)",
        r"此证据包已附于登记 \2，为第 \1 份",
    ),
    (r"the record does not match its digest: it was changed", "登记内容与其摘要不符，已被改动"),
    (r"a database, but no register", "是数据库，但不是登记库"),
    (r"give another --register", "请改用别的 --register"),
    (r"made by a newer hostpledge", "由更新版本的 hostpledge 建立"),
    (r"use that one, or newer", "请使用该版本或更新的版本"),
    (r"another process wrote the same just now", "另一个进程刚刚写入了同一内容"),
    (r"try again", "请重试"),
    # the register's log
    (
        r"the log had (\d+) entries and has (\d+): entries were removed from it",
        r"日志曾有 \1 条，现有 \2 条：有条目被删除",
    ),
    (
        r"the first (\d+) entries of the log are not those of the checkpoint: .*",
        r"日志的前 \1 条与检查点不符：有条目被改动、删除、插入或换序",
    ),
    (
        r"a checkpoint of another log \((\S+)\); this one is (\S+)",
        r"检查点属于另一份日志 \1，而此日志为 \2",
    ),
    (r"entry (\d+) of the log is missing", r"日志缺少第 \1 条"),
    (
        r"entry (\d+) of the log is evidence (\d+) of (\S+), which is not in the register any more",
        r"日志第 \1 条是登记 \3 的第 \2 份证据，而登记库中已没有它",
    ),
    (
        r"the register says another (\S+) of evidence (\d+) of (\S+) than entry (\d+) of the log",
        r"登记 \3 第 \2 份证据的 \1 与日志第 \4 条不符",
    ),
    (
        r"entry (\d+) of the log \(evidence (\d+) of (\S+)\) is dated (\S+), before the entry "
        r"ahead of it \((\S+)\)",
        r"日志第 \1 条（登记 \3 第 \2 份证据）的时间 \4 早于其前一条的时间 \5",
    ),
    (
        r"entry (\d+) of the log is dated (\S+), and was not there yet at (\S+): back-dated",
        r"日志第 \1 条的时间为 \2，而 \3 时尚无此条：时间被倒填",
    ),
    (
        r"the register says another (\S+) of evidence (\d+) of (\S+) than the signed statement",
        r"登记 \3 第 \2 份证据的 \1 与其签名声明不符",
    ),
    (r"evidence (\d+) of (\S+) is not in the log", r"登记 \2 的第 \1 份证据不在日志中"),
    (r"the register's log is gone", "登记库的日志不见了"),
    (r"not a whole backup of a register: (.*)", r"不是完整的登记库备份：\1"),
    (r"the backup does not read back: (.*)", r"备份写成后读回不符：\1"),
    (r"take another backup", "请改用另一份备份"),
    (r"the register holds (\d+) pledge records", r"登记库中已有 \1 份登记"),
    (r"--replace puts the backup in their place", "加 --replace 则以备份取代"),
    (r"the checkpoint is not signed by a trusted key", "检查点不是由信任的密钥签署"),
    (
        r"the checkpoint is signed by the key (\S+), revoked (\S+)",
        r"检查点由密钥 \1 签署，该密钥已于 \2 吊销",
    ),
    (r"the checkpoint: (.*)", r"检查点：\1"),
    (r"not a signed checkpoint", "不是已签署的检查点"),
    (r"not a checkpoint: (.*)", r"不是检查点：\1"),
    (r"not a proof of the kind (\S+)", r"不是 \1 格式的证明"),
    (
        r"a proof for a checkpoint of (\d+) entries, not of (\d+)",
        r"此证明针对 \1 条的检查点，而不是 \2 条的",
    ),
    (
        r"what the older checkpoint holds is not the beginning of this log",
        "旧检查点所记并非此日志的开头",
    ),
    (r"the entry is not in the log of this checkpoint", "该条目不在此检查点的日志中"),
    (r"the (?:inclusion|consistency) proof is too (?:long|short)", "证明的长度不对"),
    # collecting and printing
    (r"there is no such inventory", "没有这个主机清单"),
    (
        r"give a file, a folder, or host names with a comma, e\.g\. `(.*)`",
        r"给出文件、目录，或带逗号的主机名，如 \1",
    ),
    (r"no family is named (\S+)", r"没有名为 \1 的类别"),
    (r"one of (.*)", r"可选：\1"),
    (r"no font for Chinese pages is found", "未找到可排中文的字体"),
    (
        r"install the fonts Noto Sans CJK and Noto Serif CJK "
        r"\(Debian: (.*), RHEL family: (.*)\)",
        r"请安装 Noto Sans CJK 与 Noto Serif CJK 字体（Debian 系：\1；RHEL 系：\2）",
    ),
    (r"WeasyPrint is not installed", "未安装 WeasyPrint"),
    (
        r"pip install 'hostpledge\[pdf\]', or give --html and print that file",
        "执行 pip install 'hostpledge[pdf]'，或用 --html 生成后打印",
    ),
    (r"WeasyPrint finds no Pango \((.*)\)", r"WeasyPrint 未找到 Pango（\1）"),
    (
        r"install it \(Debian: (.*), RHEL family: (.*)\), or give --html and print that file",
        r"请安装它（Debian 系：\1；RHEL 系：\2），或用 --html 生成后打印",
    ),
    (r"the pages cannot be set: (.*)", r"无法排版：\1"),
)
