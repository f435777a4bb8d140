"""What the lower rooms and click complain of, in Chinese: they speak English only.

A complaint that is not listed stays as it is; the place and the values in it are the same anyway.
"""

from __future__ import annotations

import re

from collector.errors import CollectorError

_TABLE: tuple[tuple[str, str], ...] = (
    # the system
    (r"No such file or directory", "没有这个文件或目录"),
    (r"Is a directory", "是目录，不是文件"),
    (r"Not a directory", "路径中有一段不是目录"),
    (r"Permission denied", "权限不足"),
    (r"Read-only file system", "文件系统只读"),
    (r"No space left on device", "磁盘空间不足"),
    (r"Disk quota exceeded", "超出磁盘配额"),
    (r"File exists", "已经存在"),
    (r"File name too long", "文件名过长"),
    (r"Too many open files", "打开的文件过多"),
    (r"Input/output error", "读写错误"),
    (r"Operation not permitted", "不允许此操作"),
    (r"cannot be read", "无法读取"),
    (r"a device or a pipe, not a file", "是设备或管道，不是文件"),
    (r"name a file", "请给出文件"),
    # click
    (r"No such command '(.*)'\.", r"没有命令 \1"),
    (r"No such option '(.*?)'\.", r"没有选项 \1"),
    (r"No such option '(.*?)'\. Did you mean '?(.*?)'?\?", r"没有选项 \1，是否要写 \2？"),
    (r"No such option '(.*?)'\. \(Possible options: (.*)\)", r"没有选项 \1，相近的有 \2"),
    (r"Missing command\.", "缺少命令"),
    (r"Missing argument '(.*)'\.", r"缺少参数 \1"),
    (r"Missing option '(.*)'\.", r"缺少选项 \1"),
    (r"Option '(.*)' requires an argument\.", r"选项 \1 后须给出值"),
    (r"Option '(.*)' does not take a value\.", r"选项 \1 不带值"),
    (r"Got unexpected extra arguments? \((.*)\)", r"多余的参数：\1"),
    (r"Invalid value for '(.*?)': '(.*)' is not one of (.*)\.", r"\1 的值 \2 无效，可选：\3"),
    (
        r"Invalid value for '(.*?)': '(.*)' is not a valid integer( range)?\.",
        r"\1 的值 \2 不是整数",
    ),
    (r"Invalid value for '(.*?)': (.*) is not in the range (.*)\.", r"\1 的值 \2 超出范围 \3"),
    (r"Invalid value for '(.*?)': \w+ '(.*)' does not exist\.", r"\1：没有文件或目录 \2"),
    (r"Invalid value for '(.*?)': File '(.*)' is a directory\.", r"\1：\2 是目录，须给出文件"),
    (r"Invalid value for '(.*?)': \w+ '(.*)' is a file\.", r"\1：\2 是文件，须给出目录"),
    (r"Invalid value for '(.*?)': \w+ '(.*)' is not readable\.", r"\1：无权读取 \2"),
    (r"Invalid value for '(.*?)': (.*)", r"\1 的值无效：\2"),
    # captures
    (r"empty: no capture in it", "文件为空，其中没有采集结果"),
    (r"empty: no pledge record in it", "文件为空，其中没有登记"),
    (r"larger than (\d+ .iB).*", r"大于 \1，超出上限"),
    (r"unpacks to more than (\d+ .iB)", r"解压后大于 \1，超出上限"),
    (r"damaged: (.*)", r"文件已损坏：\1"),
    (r"cut off before its end", "文件不完整，末尾缺失"),
    (r"get the (?:whole )?file again", "请重新取得完整的文件"),
    (r"something follows the end of the capture", "采集结果结束之后还有多余内容"),
    (r"no capture in it \(the line `(.*)` is missing\)", r"其中没有采集结果（缺少“\1”一行）"),
    (
        r"hand in the whole output of the collector script, unchanged",
        "请交来采集脚本的全部输出，不要改动",
    ),
    (r"the read (\S+) stands twice", r"读取 \1 出现了两次"),
    (r"the content of (\S+) does not match its digest", r"\1 的内容与其摘要不符，已被改动"),
    (r"capture form (\S+) is not known", r"不认识采集格式 \1"),
    (r"this hostpledge reads form (\S+): use a newer one", r"本版只读格式 \1，请换用新版"),
    (r"the capture has no time", "采集文件没有时间"),
    (r"give one with --at", "请用 --at 给出"),
    (r"a second capture of the host (\S+)", r"主机 \1 的第二份采集文件"),
    (r"keep one of them", "只保留一份"),
    (r"(\d+) hosts of the run have no capture: (.*)", r"本次核查有 \1 台主机没有采集文件：\2"),
    (
        r"resume the run: a host that does not answer is written down too",
        "请以同一命令继续核查；没有响应的主机也会如实记下",
    ),
    (r"a capture of another run", "不是本次核查的采集文件"),
    # files of a form of ours
    (r"not JSON: (.*)", r"不是有效的 JSON：\1"),
    (r"not YAML: (.*)", r"不是有效的 YAML：\1"),
    (r"not UTF-8 \(byte (\d+)\)", r"不是 UTF-8 编码（第 \1 字节）"),
    (r"save the file as UTF-8", "请以 UTF-8 编码保存"),
    (r"holds a NUL byte: not a text file", "含有 NUL 字节，不是文本文件"),
    (r"not a trust: (.*)", r"不是信任文件：\1"),
    (r"not a pledge record: (.*)", r"不是登记文件：\1"),
    (r"not a data inventory: (.*)", r"不是数据分类分级清单：\1"),
    (r"not a run: (.*)", r"不是 run.json：\1"),
    (r"see (schemas/\S+)", r"格式见 \1"),
    (r"not a time: (.*)", r"不是时间：\1"),
    (r"a time without its zone: (.*)", r"时间缺少时区：\1"),
    (r"(\S+): (.+ is a required property)", r"\1：\2"),
    (r"'(.*)' is a required property", r"缺少 \1"),
    (r"(\S+): (.+ (?:is|are|was|does) .+)", r"\1：\2"),
    (r"Additional properties are not allowed \((.*) (?:was|were) unexpected\)", r"不认识 \1"),
    (r"(.*) is not of type (.*)", r"\1 不是 \2 类型"),
    (r"(.*) is not one of \[(.*)\]", r"\1 不在可选范围内：\2"),
    (r"(.*) does not match (.*)", r"\1 不符合格式 \2"),
    (r"(.*) is not a '(.*)'", r"\1 不是有效的 \2"),
    (r"(.*) is too (?:long|short)", r"\1 的长度不符合要求"),
    (r"(.*) should be non-empty", r"\1 不得为空"),
    # keys
    (r"no key is named (\S+), and there is no such file", r"没有名为 \1 的密钥，也没有这个文件"),
    (r"no key is named (\S+)", r"没有名为 \1 的密钥"),
    (r"`(hostpledge [^`]*)` makes one", r"可用 \1 生成"),
    (r"`(hostpledge [^`]*)` writes one", r"可用 \1 生成"),
    (r"`(hostpledge [^`]*)` lists them", r"可用 \1 查看全部"),
    (r"not a key name: (.*)", r"不能用作密钥名称：\1"),
    (r"letters, digits, - and _, at most (\d+) of them", r"只用字母、数字、- 和 _，最多 \1 个"),
    (r"there is a key already", "已有同名密钥"),
    (r"give another --name, or `(.*)`", r"换一个 --name，或用 \1"),
    (
        r"this key ended (\S+): what it signs now would not verify",
        r"此密钥已于 \1 停用，所签将无法通过核验",
    ),
    (
        r"use the present key; after an interrupted rotation, `(.*)`",
        r"请用现行密钥；如轮换曾被中断，再执行 \1",
    ),
    # bundles and the register
    (r"no such bundle", "没有这个证据包"),
    (r"no host is named (.*)", r"没有名为 \1 的主机"),
    (r"no pledge is named (.*)", r"没有编号为 \1 的登记"),
    (r"the pledge (\S+) is in the register already", r"登记 \1 已在登记库中"),
    (r"--update adds a new version of it", "加 --update 可增加一个新版本"),
    (r"the bundle was made for no pledge", "此证据包不是为任何登记制作的"),
    (r"the bundle was made for the pledge (\S+), not for (\S+)", r"此证据包属于登记 \1，不属于 \2"),
    (r"make one (?:for it )?with `(.*)`", r"请用 \1 制作"),
    (
        r"the bundle is number (\d+) of (\S+), and number (\d+) is the next",
        r"此证据包是 \2 的第 \1 份，而下一份应为第 \3 份",
    ),
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
    # collecting and printing
    (r"there is no such inventory", "没有这个主机清单"),
    (
        r"give a file, a folder, or host names with a comma, e\.g\. `(.*)`",
        r"给出文件、目录，或带逗号的主机名，如 \1",
    ),
    (r"no family is named (\S+)", r"没有名为 \1 的类别"),
    (r"one of (.*)", r"可选：\1"),
    (r"no Chromium is found", "未找到 Chromium"),
    (
        r"install chromium, or give --html and print that file from a browser",
        "请安装 chromium，或用 --html 生成后在浏览器中打印",
    ),
    (r"Chromium took longer than (\d+) s", r"Chromium 超过 \1 秒未完成"),
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
    (r"mend it and try again", "请改正后重试"),
    (r"no host in it", "其中没有主机"),
    (r"(\S+) is not here", r"没有安装 \1"),
    (r"pip install (.*)", r"可执行 pip install \1"),
    (r"holds no run \(no run\.json\)", "其中没有核查记录（缺少 run.json）"),
    (r"another hostpledge is at work here", "另一个 hostpledge 正在使用这个目录"),
    (r"wait for it", "请等它结束"),
    (r"an interrupted run of other controls lies here", "其中有一次核查项不同而被中断的核查"),
    (
        r"give the same --family and --grade to resume it, or another folder",
        "以相同的 --family 和 --grade 继续，或换一个目录",
    ),
    (r"workers of an earlier command are still busy here", "上一条命令的进程仍在使用这个目录"),
    (r"try again in a minute", "请一分钟后重试"),
    (r"no captures", "没有采集文件"),
    (r"collect some first", "请先采集"),
    (r"exists already", "已经存在"),
    (r"choose another (?:place|name)", "请另选一处"),
    (r"there is a file already", "已有同名文件"),
    (r"the hosts (.*) and (.*) differ in upper and lower case only", r"主机 \1 与 \2 仅大小写不同"),
    (r"rename one of them in the inventory", "请在清单中改名"),
    # private keys
    (r"a public key, where the private one is wanted", "这是公钥，此处须给出私钥"),
    (r"asks for a passphrase", "须有口令"),
    (r"give --passphrase-file", "请给出 --passphrase-file"),
    (r"not a private key in PKCS#8 PEM", "不是 PKCS#8 PEM 格式的私钥"),
    (
        r"make one with `(.*)`, or convert it: (.*)",
        r"用 \1 生成，或转换格式：\2",
    ),
    (r"not a file", "不是文件"),
    (r"others can read this key \(mode (\d+)\)", r"他人可读取此私钥（权限 \1）"),
    (
        r"chmod 600 (.*), and a new key if others may have read it",
        r"执行 chmod 600 \1；如可能已被他人读取，请换用新密钥",
    ),
    (r"only P-256 and Ed25519 keys are taken", "只接受 P-256 和 Ed25519 密钥"),
    # pledge records
    (r"no register there", "此处没有登记库"),
    (r"no such folder", "没有这个目录"),
    (r"make it first", "请先建立"),
    (r"no database URL: (.*)", r"不是数据库 URL：\1"),
    (r"the driver (\S+) is not installed", r"没有安装驱动 \1"),
    (r"a path, or a postgresql:// URL", "请给出路径或 postgresql:// URL"),
    (r"a register in memory keeps nothing", "内存中的登记库什么也留不下"),
    (r"the register says: (.*)", r"登记库报告：\1"),
    (r"database or disk is full", "数据库或磁盘已满"),
    (r"unable to open database file", "无法打开数据库文件"),
    (r"attempt to write a readonly database", "数据库为只读"),
    (
        r"the bundle follows (\S+), and the last one attached to (\S+) is (\S+)",
        r"此证据包接在 \1 之后，而登记 \2 的最近一份是 \3",
    ),
    (
        r"the bundle was judged at grade (\d), and the pledge (\S+) is of grade (\d)",
        r"此证据包按 \1 级判定，而登记 \2 为 \3 级",
    ),
    (r"make one with (--grade \d)", r"请以 \1 重新制作"),
    (r"does not verify: (.*)", r"核验不通过：\1"),
    (
        r"the bundle (\S+) \(number (\d+)\) is not in the store any more",
        r"第 \2 份证据包 \1 已不在库中",
    ),
    (r"restore it from a backup", "请从备份恢复"),
    (r"Chromium printed nothing \(status (.*?)\): (.*)", r"Chromium 未输出内容（状态 \1）：\2"),
    (r"(.*) has not come yet", r"\1 尚未到来"),
    (r"is blank", "内容为空"),
    (r"holds the unseen character (\S+)", r"含有不可见字符 \1"),
    (r"holds a whole identity number; mask it, e\.g\. (\S+)", r"含完整证件号码，请掩码，如 \1"),
    (r"ends \((\S+)\) before it begins \((\S+)\)", r"结束日期 \1 早于开始日期 \2"),
    (r"lies before the (?:day it was attested|incident)", "早于相应的日期"),
    (r"'(.*)' is no domain name", r"\1 不是域名"),
    (r"no clause is named (\S+)", r"没有名为 \1 的条款"),
    (r"no control is named (\S+)", r"没有名为 \1 的核查项"),
    (r"(.*) stands twice", r"\1 出现了两次"),
    (r"([A-Za-z_][\w.\[\]]*): (.+)", r"\1：\2"),
)

# how a bundle fails to verify: what follows the words is left out
_UNPROVEN: tuple[tuple[str, str], ...] = (
    (r"its bytes were changed", "内容已被改动"),
    (r"is missing, and the statement names it", "文件缺失，而签名声明中列有此文件"),
    (r"is missing", "文件缺失"),
    (r"is not in the manifest", "不在清单中，属多余文件"),
    (r"is not among what was signed", "不在签名范围内"),
    (r"is not what was signed", "与签名时的内容不符"),
    (r"does not belong to the bundle", "不属于证据包"),
    (r"signed by (\S+), which is not among the trusted keys", r"由 \1 签名，该密钥不在信任文件中"),
    (r"signed by the key (\S+), revoked ([^;]+);.*", r"签名密钥 \1 已于 \2 吊销"),
    (r"signed (\S+), before the key (\S+) was valid.*", r"签署时间 \1 早于密钥 \2 的启用时间"),
    (r"signed (\S+), after the end of the key (\S+).*", r"签署时间 \1 晚于密钥 \2 的停用时间"),
    (r"the signature is not by (\S+) over this", r"签名无效：不是 \1 对此内容的签名"),
    (r"the signature is not in", "签名不是唯一允许的编码形式"),
    (r"not in its canonical bytes", "不是规范字节（RFC 8785）"),
    (r"not JSON", "不是规范的 JSON"),
    (r"its clauses do not follow from its findings", "条款结论与各项结论不符"),
    (r"no bundle here", "这里没有证据包"),
    (r"not a whole ZIP file", "ZIP 文件不完整"),
)


def in_chinese(text: str) -> str:
    """`text` in Chinese where it is a complaint that is known, else as it is."""
    for pattern, template in _TABLE:
        match = re.fullmatch(pattern, text)
        if match:
            words = template
            for number, value in enumerate(match.groups(default=""), 1):
                words = words.replace(f"\\{number}", in_chinese(value))
            return words
    for pattern, template in _UNPROVEN:
        match = re.match(pattern, text)
        if match:
            return match.expand(template)
    return text


def whole_in_chinese(problem: CollectorError) -> str:
    """Where, what and the mend, as far as the error tells them apart."""
    what = getattr(problem, "what", "")
    if not what:
        return str(problem)
    where, mend = getattr(problem, "where", ""), getattr(problem, "mend", "")
    text = f"{where}：{in_chinese(what)}" if where else in_chinese(what)
    return f"{text}；{in_chinese(mend)}" if mend else text
