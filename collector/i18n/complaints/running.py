"""Of timestamps, hosts, and runs."""

TABLE: tuple[tuple[str, str], ...] = (
    # timestamps
    (r"not an http:// or https:// address: (.*)", r"不是 http:// 或 https:// 地址：\1"),
    (r"the timestamp authority cannot be asked: (.*)", r"无法连接时间戳机构：\1"),
    (r"the timestamp authority answered (.*)", r"时间戳机构答复 \1"),
    (r"the timestamp authority gave no answer in (.*) s", r"时间戳机构在 \1 秒内没有答复"),
    (r"the authority did not give a timestamp: (.*)", r"时间戳机构没有给出时间戳：\1"),
    (r"the timestamp answers another question \(nonce\)", "时间戳答复的不是本次请求"),
    (r"the timestamp came without its certificate", "时间戳未附证书"),
    (r"not certificates in PEM", "不是 PEM 格式的证书"),
    (r"no root certificate among them", "其中没有根证书"),
    # hosts, runs
    (r"its line ends were changed to CR LF", "换行符被改成了 CR LF"),
    (r"interrupted, (\d+) of (\d+) hosts have answered", r"已中断，\2 台主机中已有 \1 台完成"),
    (r"the same command takes it up where it stopped", "以同一命令可从中断处继续"),
    (
        r"the inventory holds variables that Ansible Vault could not open",
        "清单中有 Ansible Vault 无法解密的变量",
    ),
    (r"give the right --vault-password-file", "请给出正确的 --vault-password-file"),
    (r"not an inventory: (.*)", r"不是主机清单：\1"),
    (r"there is no such file", "没有这个文件"),
    (r"neither NAME=VALUE nor YAML", "既不是“名称=值”，也不是 YAML"),
    (
        r"mind the quotes and braces, or put it in a file: -e @FILE",
        "请检查引号和括号，或写入文件：-e @FILE",
    ),
    (r"the name of a file stands after an @", "文件名之前须有 @"),
    (r"a list is given where variables are wanted", "应为变量，而不是列表"),
    (
        r"a password that begins or ends with a blank is handed over by a program, and none may "
        r"run here",
        "口令首尾有空白时须由程序转交，而此处不能执行程序",
    ),
    (
        r"set TMPDIR to a folder that is not mounted noexec",
        "请把 TMPDIR 设为未以 noexec 挂载的目录",
    ),
    # names that a command would take for something else
    (r"(\S+): (.+): (a host's name .*)", r"\1：\2：\3"),
    (r"the name of a host is empty", "主机名是空的"),
    (
        r"a host's name may not begin with (\S): a command would not take it for one",
        r"主机名不能以 \1 开头：命令不会把它当作主机名",
    ),
    (
        r"a host's name may not hold a line break or another control character",
        "主机名中不能有换行或其他控制字符",
    ),
    (
        r"a host's name may not hold (\S): Ansible takes it for a pattern",
        r"主机名中不能有 \1：Ansible 会把它当作模式",
    ),
    (
        r"a host's name may not hold a colon: Ansible takes what follows for a port",
        "主机名中不能有冒号：Ansible 会把其后当作端口",
    ),
    (
        r"a host's address may not begin with -: ssh would take it for an option",
        "主机地址不能以 - 开头：ssh 会把它当作选项",
    ),
    (
        r"a host's address may hold neither blanks nor characters of the shell",
        "主机地址中不能有空白或 shell 字符",
    ),
    (
        r"a user's name may not begin with -: a command would take it for an option",
        "用户名不能以 - 开头：命令会把它当作选项",
    ),
    (
        r"a user's name may hold neither quotes nor other characters of the shell",
        "用户名中不能有引号或其他 shell 字符",
    ),
    (r"a port is a number from 1 to 65535", "端口应为 1 至 65535 的数"),
    (r"give it another name", "请换一个名称"),
    (r"mend it and try again", "请改正后重试"),
    (r"no host in it", "其中没有主机"),
    (r"fits no host of the inventory", "清单中没有与之相符的主机"),
    (r"(\S+) is not here", r"没有安装 \1"),
    (r"pip install (.*)", r"可执行 pip install \1"),
    (r"holds no run \(no run\.json\)", "其中没有核查记录（缺少 run.json）"),
    (
        r"an interrupted run lies here that this control node did not begin",
        "其中有一次被中断的核查，但不是由本机发起的",
    ),
    (r"give another folder", "请换一个目录"),
    (r"not the key that runs are sealed with", "不是封印核查记录所用的密钥"),
    (
        r"put the one from a backup there, or move it away: a new one is made",
        "请放回备份的密钥，或移走它，将另生成一个",
    ),
    (r"went away as it was made", "刚生成即已不在"),
    (r"another hostpledge is at work here", "另一个 hostpledge 正在使用这个目录"),
    (r"wait for it", "请等它结束"),
    (r"an interrupted run of other controls lies here", "其中有一次核查项不同而被中断的核查"),
    (
        r"give the same --family and --grade to resume it, or another folder",
        "以相同的 --family 和 --grade 继续，或换一个目录",
    ),
    (r"holds a run", "其中是一次核查，不是整改"),
    (r"choose another folder", "请换一个目录"),
    (
        r"an interrupted hardening of other controls lies here",
        "其中有一次核查项不同而被中断的整改",
    ),
    (
        r"give the same --family, --control and --grade to resume it, or another folder",
        "以相同的 --family、--control 和 --grade 继续，或换一个目录",
    ),
    (r"an interrupted hardening lies here", "其中有一次被中断的整改"),
    (r"an interrupted putting back lies here", "其中有一次被中断的恢复"),
    (
        r"end it with the same command first, or choose another folder",
        "请先以原命令做完，或换一个目录",
    ),
    (
        r"interrupted while hardening: some of it is done, some not",
        "整改已中断：部分已改，部分未改",
    ),
    (
        r"interrupted while undoing: some of it is done, some not",
        "恢复已中断：部分已恢复，部分未恢复",
    ),
    (r"interrupted while looking ahead: nothing was changed", "预演已中断，什么也没有改"),
    (r"the same command takes it up again", "以同一命令可继续"),
    (r"another (\w+) than after hardening", r"\1 与整改后的不同"),
    (r"not another run than after hardening", "与整改后的不是先后两次核查"),
    (r"about other hosts than (?:after hardening|the checks)", "主机与核查的不同"),
    (r"about other controls than the checks", "核查项与核查的不同"),
    (r"(.+): (\S+): another verdict than before", r"\1：\2：结论与整改前的不同"),
    (r"(.+): the check after is older than this one", r"\1：整改后的核查早于整改前的"),
    (
        r"the statement names no check before hardening",
        "声明中没有整改前的核查，而包内有其文件",
    ),
    (r"workers of an earlier command are still busy here", "上一条命令的进程仍在使用这个目录"),
    (r"try again in a minute", "请一分钟后重试"),
    (r"no captures", "没有采集文件"),
    (r"collect some first", "请先采集"),
    (r"exists already", "已经存在"),
    (r"choose another (?:place|name)", "请另选一处"),
    (r"there is a file already", "已有同名文件"),
    (r"two attached documents differ in upper and lower case only", "两个附件仅大小写不同"),
    (r"rename one of them", "请将其中之一改名"),
    (r"the hosts (.*) and (.*) differ in upper and lower case only", r"主机 \1 与 \2 仅大小写不同"),
    (r"rename one of them in the inventory", "请在清单中改名"),
)
