"""What the roles say of what they refuse, or could not bring about: English → Chinese."""

from __future__ import annotations

TABLE = (
    # packages
    (r"would be installed: (.*)", r"将安装：\1"),
    (r"would change", "将有改动"),
    (r"what it said is not shown: the task handles a secret", "涉及机密，不显示其内容"),
    (r"(.*)\. On the RHEL family restic comes from EPEL \(dnf install epel-release\), or put the "
     r"program at (\S+)\.",
     r"\1。RHEL 系的 restic 在 EPEL 中（dnf install epel-release），也可将程序放在 \2"),
    (r"restic could not be installed", "restic 未能安装"),
    # backup
    (r"This host can delete versions from (.*), though backup_append_only says that it cannot\..*",
     r"本机能够删除 \1 中的版本，与 backup_append_only 所称不符：请以 rest-server --append-only 或"
     r"对象锁定提供该仓库，或将 backup_append_only 设为 false"),
    (r"The repository (.*) cannot be opened: (.*)", r"无法打开备份仓库 \1：\2"),
    (r"backup_known_hosts is empty: give the line of known_hosts of (\S+) .*",
     r"backup_known_hosts 为空：请给出 \1 的 known_hosts 行（ssh-keyscan \1，并与其管理员所告"
     r"核对），以免备份送往别处"),
    (r"(\S+) does not let this host in \((.*)\)\. Put this line into its authorized_keys, then run "
     r"this again: (.*)",
     r"\1 不允许本机登录（\2）：请将此行加入其 authorized_keys，再次整改：\3"),
    (r"A password stands in backup_repository; .*",
     "backup_repository 中含有口令：请移入 backup_environment（RESTIC_REST_PASSWORD 等）"),
    (r"(.*), (.*): hosts is to be a list of names; nothing is set up",
     r"\1 中的 \2：hosts 须为主机名列表；未作任何改动"),
    (r"(.*), store (.*): a line break or another control character stands in it; "
     r"nothing is set up",
     r"\1 第 \2 项：含换行或其他控制字符；未作任何改动"),
    (r"(.*), (.*): what pg_dump and mysqldump would take for an option or an address; "
     r"name a command for it in backup_dumps; nothing is set up",
     r"\1 中的 \2：pg_dump、mysqldump 会当作选项或地址；请在 backup_dumps 中为它写明命令；"
     r"未作任何改动"),
    (r"(.*): larger than 256 KiB; nothing is set up",
     r"\1：大于 256 KiB；未作任何改动"),
    (r"(.*): nested without end, or with anchors and aliases of YAML; nothing is set up",
     r"\1：嵌套过深，或含 YAML 的锚点与别名；未作任何改动"),
    (r"(.*), (.*): path is to be an absolute path; nothing is set up",
     r"\1 中的 \2：path 须为绝对路径；未作任何改动"),
    (r"(.*), (.*): backup is to be not_required, or some of (.*); nothing is set up",
     r"\1 中的 \2：backup 须为 not_required，或 \3 中的若干项；未作任何改动"),
    # logging and monitoring
    (r"logging_remote_target: a host name or an address is wanted, .*, and not (.*); its port .*",
     r"logging_remote_target 须为主机名或地址（如 logs.example.net），不能是 \1；端口写在 "
     r"logging_remote_port"),
    (r"logging_remote_name: the name that its certificate bears is wanted, and not (.*)",
     r"logging_remote_name 须为证书中的名称，不能是 \1"),
    (r"logging_remote_port: 1 to 65535 is wanted, and not (.*)",
     r"logging_remote_port 须为 1 至 65535，不能是 \1"),
    (r"logging_remote_queue: a size such as 1g is wanted, and not (.*)",
     r"logging_remote_queue 须为大小（如 1g），不能是 \1"),
    (r"monitoring_time_servers: host names or addresses are wanted, .*, and not (.*)",
     r"monitoring_time_servers 须为主机名或地址（如 ntp.ntsc.ac.cn），不能是 \1"),
    # encryption
    (r"The TLS policy of (Apache|nginx) is not set, and (?:Apache|nginx) is as it was: (.*)",
     r"未能设置 \1 的 TLS 策略，\1 保持原状：\2"),
    # firewall
    (r"the host does not say from where this run is connected \(SSH_CONNECTION\), so its firewall "
     r"is not changed: connect by OpenSSH",
     "主机未告知本次整改由何处连接（SSH_CONNECTION），故不改动其防火墙：请以 OpenSSH 连接"),
    (r"the rules in the kernel are not those that were loaded; they are loaded again",
     "内核中的规则不是所加载的规则，重新加载"),
    (r"firewalld and ufw are both active here, .*",
     "firewalld 与 ufw 同时启用，互相抵消：请停用其一，再次整改"),
    (r"firewall_engine is (\S+), and (\S+) is active here; .*",
     r"firewall_engine 设为 \1，而主机上启用的是 \2：请停用 \2，或将 firewall_engine 设回 auto"),
    (r"firewall_engine is (\S+), which is not active here; .*",
     r"firewall_engine 设为 \1，而它并未启用：请先启用 \1，或将 firewall_engine 设回 auto"),
    (r"beside the rules of hostpledge, others own what comes in: (.*); .*",
     r"除 hostpledge 的规则外，另有规则控制入站：\1；请移除其一"),
    (r"(firewall_\w+)(?:, entry( \d+))?: (.*) is no port; from 1 to 65535",
     r"\1\2：\3 不是端口，须为 1 至 65535"),
    (r"(firewall_\w+)(?:, entry( \d+))?: (.*) is no port; such as (\S+) or (\S+)",
     r"\1\2：\3 不是端口，应如 \4 或 \5"),
    (r"(firewall_\w+)(?:, entry( \d+))?: (.*) is no network; such as (\S+) or (\S+)",
     r"\1\2：\3 不是网段，应如 \4 或 \5"),
    (r"(firewall_\w+)(?:, entry( \d+))?: proto (.*); tcp, udp or both",
     r"\1\2：proto 不能是 \3，只能是 tcp、udp 或 both"),
    (r"(firewall_\w+)(?:, entry( \d+))?: (.*) is not understood; port, proto, from, comment",
     r"\1\2：无法理解 \3；可写 port、proto、from、comment"),
    (r"(firewall_\w+)(?:, entry( \d+))? lets everybody reach (.*), which firewall\.exposed_ports "
     r"forbids; .*",
     r"\1\2 对所有来源开放 \3，而 firewall.exposed_ports 不允许：请以 from 给出需要它的网段"),
    # intrusion
    (r"aide refuses its configuration as its package and its owner left it \((.*)\): .*",
     r"aide 不接受现有的配置（\1）：须由人改正，方能建立文件基线"),
    (r"cleartext services that no unit of systemd and no line of inetd starts: (.*); stop them .*",
     r"明文服务 \1 不由 systemd 或 inetd 启动：请在启动之处停用，或列入 intrusion_cleartext_keep"),
    (r"this release has no pam_faillock .*",
     "此版本没有 pam_faillock（Debian 11、Ubuntu 22.04 起才有）：请用 fail2ban "
     "封禁来源地址，或升级系统"),
    (r"/etc/pam\.d/common-auth was edited by hand, so pam-auth-update leaves it alone: .*",
     "/etc/pam.d/common-auth 曾被手工修改，pam-auth-update 不会改写：请由人在 pam_unix.so 之前加入 "
     "auth requisite pam_faillock.so preauth，其后加入 auth [default=die] pam_faillock.so "
     "authfail，并在 common-account 加入 account required pam_faillock.so；或放弃手工修改："
     "pam-auth-update --force --enable hostpledge-faillock hostpledge-faillock-notify"),
    (r"neither authselect nor authconfig writes the stacks of this host: .*",
     "本机的 PAM 配置不由 authselect 或 authconfig 生成：请由人在 system-auth 与 password-auth 的 "
     "pam_unix.so 之前加入 auth required pam_faillock.so preauth，其后加入 auth [default=die] "
     "pam_faillock.so authfail，并加入 account required pam_faillock.so"),
    (r"/etc/pam\.d/system-auth names no pam_pwquality\.so: .*",
     "/etc/pam.d/system-auth 中没有 pam_pwquality.so：请由人决定是否重新选用其配置（authselect "
     "current；CentOS 7：authconfig --updateall），这关系到本机的全部登录"),
    (r"a file in /etc/apt/apt\.conf\.d that is read behind 52hostpledge switches .*",
     "/etc/apt/apt.conf.d 中有排在 52hostpledge 之后的文件关闭了每日安全更新"
     "（APT::Periodic）：请移除"),
    (r"(\S+) -T does not take the configuration: (.*)", r"\1 -T 不接受现有的配置：\2"),
    # logging
    (r"(.*) writes the logs of this host: a person has to let it send to (.*)\.",
     r"本机日志由 \1 写入：须由人令其发送到 \2"),
    (r"(.*): read-only, and its rules are too short\. No rule was changed: .*",
     r"\1 只读，而其留存规则过短，各项规则均未改动：请先使之可写，或列入 logging_rotation_leave"),
    (r"(.*) refuses the added log, which is taken away again: a person has to look\.",
     r"\1 不接受所加的日志设置，已撤去：须由人查看"),
    # what is kept for undo, and the guard
    (r"seconds: from 5 to 3600, the time to confirm the change", "确认时限须为 5 至 3600 秒"),
    (r"(\w+): nothing was armed in this run", r"\1：本次没有设定回滚"),
    (r"(\w+): see what failed above; nothing was armed", r"\1：见上一条；没有设定回滚"),
    (r"(.*) is of another version of hostpledge: put it back first",
     r"\1 出自另一版本的 hostpledge：请先恢复"),
    (r"(.*) is no absolute path", r"\1 不是绝对路径"),
    (r"(.*) is nothing that can be kept", r"\1 无法留存"),
    (r"(.*) is where hostpledge keeps things", r"\1 是 hostpledge 存放留存之处"),
    (r"(.*) has (\d+) MiB, too much to be kept", r"\1 有 \2 MiB，过大，无法留存"),
    (r"(.*) is neither a file nor a folder nor a link", r"\1 不是文件、目录或链接"),
    (r"(.*) is no name of a family", r"\1 不是类别名"),
    (r"nothing is changed, for it could not be kept: (.*): (.*)",
     r"未作改动，因为无法留存：\1：\2"),
    (r"the disk is full", "磁盘已满"),
    (r"it is on a read-only file system", "位于只读的文件系统"),
    (r"the quota is used up", "配额已用完"),
    # what was asked of the host on the way
    (r"what this host is like: (.*)", r"查看主机现状：\1"),
    (r"the anti-malware of this host: (.*)", r"查看防病毒软件：\1"),
    (r"the logs of this host: (.*)", r"查看日志设置：\1"),
    (r"not brought about, or not whole: (.*)", r"未能完成，或未全部完成：\1"),
    # what lies where a user of the host may put another thing (narrow, line)
    (r"(.*); nothing is changed, a person has to look", r"\1；未作改动，须由人查看"),
    (r"(\S.*) cannot be changed: (.*)", r"\1 无法改动：\2"),
    (r"(\S.*) has (\d+) MiB", r"\1 有 \2 MiB"),
    (r"(\S.*) has (\d+) names \(hard links\), and is in the reach of a user: (.*)",
     r"\1 有 \2 个名称（硬链接），且在用户可及之处：\3"),
    (r"(\S.*) is another file at each look", r"\1 每次查看都是另一个文件"),
    (r"(\S.*) is another file than was looked at", r"\1 已不是先前查看的文件"),
    (r"(\S.*) is neither a file nor a folder", r"\1 既不是文件也不是目录"),
    (r"(\S.*) is no file, and in the reach of a user: (.*)", r"\1 不是文件，且在用户可及之处：\2"),
    (r"(\S.*) is no file", r"\1 不是文件"),
    (r"(\S.*) is not given to root: (.*)", r"\1 不改为 root 所有：\2"),
    (r"(\S.*) leads over too many links", r"\1 经过的链接太多"),
    (r"(\S.*): (\S+) is a link in the reach of a user: (.*)", r"\1：\2 是用户可及之处的链接：\3"),
)  # fmt: skip
