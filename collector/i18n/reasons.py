"""Why a fact cannot be had, in Chinese: parsers say it in English.

What the host itself printed stays as it is, and so does a reason that is not in the table.
"""

from __future__ import annotations

import re

_SAID: tuple[tuple[str, str], ...] = (
    # what became of a read
    (r"exit status (\d+)(.*)", r"退出码 \1\2"),
    (r"missing", "命令不存在"),
    (r"refused|permission denied", "权限不足"),
    (r"timeout", "超时"),
    (r"truncated", "超长截断"),
    (r"lost", "未采到"),
    (r"(missing|refused|timeout|truncated|lost): (.*)", r"\1：\2"),
    # of any read
    (r"it ends before its end|it has no end", "输出不完整，末尾缺失"),
    (r"it printed nothing", "没有任何输出"),
    (r"not understood: (.*)", r"无法理解：\1"),
    (r"not a line of (?:this read|it): (.*)", r"不是此项读取的输出：\1"),
    (r"not a line of (.*?): (.*)", r"不是 \1 的输出行：\2"),
    (r"not (?:the output of this read|its usual output)(.*)", r"不是通常的输出\1"),
    (r"not (?:a|in) (?:time|time in UTC): (.*)", r"不是时间：\1"),
    (r"not a time span: (.*)", r"不是时间长度：\1"),
    (r"not a number: (.*)", r"不是数字：\1"),
    (r"no (?:time|date): (.*)", r"没有时间：\1"),
    (r"a time without zone: (.*)", r"时间缺少时区：\1"),
    (r"no address: (.*)", r"不是地址：\1"),
    (r"no route: (.*)", r"不是路由：\1"),
    (r"(\S+) stands twice", r"\1 出现了两次"),
    (r"no rule before (.*)", r"之前没有规则：\1"),
    (r"the (?:heading|part) (?:of )?(.*) stands twice", r"\1 一段出现了两次"),
    (r"there are several: (.*)", r"有多个：\1"),
    (r"there is no (\S+) on the host", r"主机上没有 \1 命令"),
    (r"there is no (ip|ss) (?:command|here, or it did not answer)", r"没有 \1 命令，或它未应答"),
    (r"there is no (/\S+)", r"没有 \1"),
    (r"the capture has no time of collection", "采集结果没有采集时间"),
    (r"the capture does not say when it was made", "采集结果没有采集时间"),
    (r"(.*) UTC is yet to come: look at the clocks", r"\1 UTC 尚未到来，请检查时钟"),
    (r"only root sees which program each process runs", "只有 root 能看到各进程运行的程序"),
    (r"only root sees which process holds a connection", "只有 root 能看到连接属于哪个进程"),
    (r"the processes of others are hidden", "看不到其他用户的进程"),
    (r"the program of (.*)", r"看不到 \1 运行的程序"),
    (r"not a single process was seen", "一个进程也没有看到"),
    (r"systemd runs the host, but there is no systemctl", "主机运行 systemd，却没有 systemctl"),
    (r"more than can be followed: (.*)", r"超出可推演的规模：\1"),
    (r"nested too deeply|log paths nested too deeply", "嵌套过深"),
    (r"(.*): include[ds] too deeply|(\S+) is included too deeply", r"\1\2：包含层数过多"),
    (r"files that include each other|(.*): includes go round", r"\1 循环包含"),
    (r"(\S+?):(?:(\d+):)? includes (\S+?),(?: which was)? not read", r"\1 包含 \3，而该文件未采集"),
    (r"(\S+): (?:(\S+): )?(?:it was )?not read", r"\1 \2 未采集"),
    (r"(\S+) was not read|(\S+) uses (\S+), which is not read", r"\1\3 未采集"),
    (r"a block has no end|no (.*) to its end|a statement without (.*)", r"配置块没有结束 \1\2"),
    (r"quotes that do not end: (.*)", r"引号没有结束：\1"),
    # of accounts and logins
    (r"an SSH server other than OpenSSH: (.*)", r"不是 OpenSSH 的 SSH 服务：\1"),
    (r"(\S+) -T (?:printed no (\S+)|did not print its configuration)", r"\1 -T 没有输出配置 \2"),
    (r"on which port (.*) listens", r"看不到 \1 监听的端口"),
    (r"AllowUsers inside of a Match block", "AllowUsers 写在 Match 块中"),
    (r"the host keeps no record of last logins", "主机没有保存最近登录的记录"),
    (r"no service that logs in has a stack", "没有一个登录服务有 PAM 配置"),
    (r"(\S+) has no auth stack", r"\1 没有 auth 配置"),
    (r"(\S+?):? (?:names )?(\S+?),?(?: which)? is not installed", r"\1 所写的 \2 未安装"),
    (r"(.*) runs: what it bans was not told", r"\1 在运行，但不知其封禁什么"),
    (r"(\S+): what (.*) demands is not known", r"\1：不知 \2 的要求"),
    (r"whether (.*) has a key in (.*)", r"不知 \1 在 \2 中有无公钥"),
    (r"ClientAliveInterval (.*), (.*)", r"ClientAliveInterval 为 \1，ClientAliveCountMax 为 \2"),
    (r"not a version of a kernel: (.*)", r"不是内核版本号：\1"),
    (r"whether this holds: (.*)", r"不知此条件是否成立：\1"),
    (r"SELinux enforces; nothing is set for the next boot",
     "SELinux 正在强制执行，但没有设定下次启动时的状态"),
    # of what can be reached
    (r"no rule stands in the way", "没有规则阻挡"),
    (r"bound to loopback", "只绑定回环地址"),
    (r"the host has no address of this family", "主机没有该类地址"),
    (r"nothing comes in for it", "没有到它的入站路径"),
    (r"nothing listens", "没有监听者"),
    (r"forwarding is off", "未开启转发"),
    (r"loopback is not taken from outside", "不接受来自外部的回环地址"),
    (r"what is sent to all is not forwarded", "发给所有主机的报文不会被转发"),
    # of software, the firewall and web servers
    (r"neither apt nor dnf keeps lists on (.*)", r"\1 不用 apt 或 dnf，没有软件包列表"),
    (r"until when (.*) is in support is not known", r"不知 \1 维护到何时"),
    (r"every port is named by some rule", "每个端口都有规则提及"),
    (r"no setting tells what the web server serves", "没有配置说明网站服务提供哪些目录"),
    # of logs
    (r"not looked into", "未打开查看"),
    (r"no record was taken", "未取到记录"),
    (r"there are more than (\d+) log files", r"日志文件超过 \1 个"),
    (r"more than (\d+) files and folders", r"文件和目录超过 \1 个"),
    (r"the list of log files ends half-way", "日志文件列表不完整"),
    (r"the list of (?:modes|tmpfiles\.d) (?:has no end|ends half-way)", "列表不完整"),
    (r"the settings of applications end half-way", "应用的设置不完整"),
    (r"not even /var/log could be looked at", "连 /var/log 也无法查看"),
    (r"(.*) was opened and not listed", r"\1 已打开，却不在列表中"),
    (r"it was not looked into: (.*)", r"未打开查看：\1"),
    (r"a record looks like the heading of (.*)", r"有记录冒充 \1 的标题行"),
    (r"captured in a form that holds no login records", "采集格式较旧，其中没有登录记录"),
    (r"the form of wtmp on (.*)", r"不认识 \1 上 wtmp 的格式"),
    (r"there is a journal and no journalctl to read it", "有 journald 日志，却没有 journalctl"),
    (r"the file system of (.*) was not seen", r"未看到 \1 所在的文件系统"),
    (r"stat -f told of no file system", "stat -f 没有列出任何文件系统"),
    (r"(.*) runs logrotate with (.*), which was not read",
     r"\1 以 \2 运行 logrotate，而该文件未采集"),
    (r"(.*?) removes old files below (.*?): (.*)", r"\1 删除 \2 之下的旧文件：\3"),
    (r"(.*?) removes logs by their order: (.*)", r"\1 按排列次序删除日志，保留多久无从推算：\2"),
    (r"(.*?) removes logs in a loop: (.*)", r"\1 在循环中逐个删除日志，保留多久无从推算：\2"),
    (r"systemd \d+ may or may not read this main file", "不能确定 systemd 是否读取此主配置文件"),
    (r"no ruleset is named (.*)", r"没有名为 \1 的规则集"),
    (r"rulesets call each other for ever", "规则集循环调用"),
    (r"no level is named (.*)", r"没有名为 \1 的级别"),
    (r"no filter is named (.*)|a filter that is not one", r"没有过滤器 \1"),
    (r"not a (?:condition|statement of rsyslog)(?:: (.*))?", r"无法理解的 rsyslog 语句 \1"),
    (r"a condition decides: (.*)", r"由条件决定：\1"),
    (r"a ruleset that is named by a message", "规则集的名称取自消息"),
    (r"(\S+) runs twice: (.*)", r"\1 有两个在运行：\2"),
    (r"the connections are missing", "缺少连接列表"),
    (r"no open files of (.*)", r"看不到 \1 打开的文件"),
    (r"(.*): not in the form that is set: (.*)", r"\1：记录与所设格式不符：\2"),
    (r"of no file: (.*)", r"不属于任何文件：\1"),
    (r"not a file of a queue: (.*)", r"不是队列文件：\1"),
    (r"the settings of (.*) are not read|its configuration is not read: (.*)",
     r"\1\2 的配置不在读取范围内"),
    (r"the connections of (.*)", r"看不到 \1 的连接"),
    (r"(.*): sadc's format (\S+) is not known", r"\1：不认识 sadc 的格式 \2"),
    # of the ledger of events
    (r"event-ledger: (.*)", r"\1"),
    (r"not an event ledger: (.*?)(?:; see (\S+))?", r"不是网络安全事件台账：\1（格式见 \2）"),
    (r"the event '(.*)' stands twice", r"事件 \1 出现了两次"),
    (r"the event '(.*)' was (\w+) before it was found", r"事件 \1 的 \2 时间早于发现时间"),
    (r"reviewed (\S+) before it begins \((\S+)\)", r"复核日期 \1 早于起始日期 \2"),
    (r"'(\S+)' is a required property", r"缺少 \1"),
    (r"(\S+): '(.*)' is not a '(.*)'", r"\1：'\2' 不是有效的 \3"),
    # of the audit
    (r"not an architecture that is understood: (.*)", r"不认识的架构：\1"),
    (r"auditctl -s names no (.*)", r"auditctl -s 没有列出 \1"),
    (r"auditctl listed no rule, and did not say that there is none",
     "auditctl 没有列出规则，也没有说明没有规则"),
    (r"journald takes audit records, but no auditctl tells",
     "审计记录由 journald 接收，但没有 auditctl 可查询"),
    (r"auditd has no log that tells when it ran", "auditd 没有日志可说明其运行时间"),
    # of the data inventory
    (r"not what its owner signed, see (\S+)", r"与责任人的签名不符，见 \1"),
    (r"line (\d+): not NAME \[namespaces=…\] TYPE KEY",
     r"第 \1 行不是“姓名 [namespaces=…] 类型 公钥”"),
    (r"not version 1 of an SSH signature", "不是第 1 版 SSH 签名"),
    (r"which one holds: (.*)", r"有多个，不知以哪个为准：\1"),
    (r"not the folder of a volume: (.*)", r"不是容器卷的目录：\1"),
    (r"(data-(?:inventory|owner-keys)\S*): (.*)", r"\1：\2"),
    # of backups
    (r"artefact\.sha256 is that of nothing", "artefact.sha256 是空文件的摘要"),
    (r"restored before the artefact was made", "恢复时间早于备份文件的时间"),
    (r"snapshots: the oldest is younger than the newest",
     "snapshots：最早的版本晚于最新的版本"),
    (r"(restore-tests\S*): (.*)", r"\1：\2"),
    # a read, or a file, and what is wrong with it
    (r"([a-z_]+\.[a-z_]+): (.*)", r"\1：\2"),
    (r"(/\S+): (.*)", r"\1：\2"),
)  # fmt: skip


def in_chinese(why: str) -> str:
    """The reason of a FactError, with or without the read before it."""
    for form, words in _SAID:
        match = re.fullmatch(form, why, re.DOTALL)
        if match is None:
            continue
        for number, value in enumerate(match.groups(default=""), 1):
            words = words.replace(f"\\{number}", in_chinese(value) if value != why else value)
        return words.strip()
    return why
