"""What a role, a module of ours or undo.sh on a host says in English, told in Chinese.

What a host's own programs say (apt, OpenSSH, systemctl) stays as they said it.
"""

from __future__ import annotations

import re

from collector import catalog
from collector.cli.ui.answers_of_roles import TABLE
from collector.cli.ui.language import lang
from collector.cli.ui.steps import CHINESE

_TABLE = (
    # undo.sh
    (r"(\w+): put back \((\d+) files, (\d+) services\); packages that were installed stay",
     r"\1：已恢复（文件 \2 个，服务 \3 个）；已安装的软件包保留"),
    (r"(\w+): put back already; hostpledge has changed nothing since",
     r"\1：早已恢复，此后没有再作改动"),
    (r"(\w+): hostpledge has changed nothing here.*", r"\1：这台主机上没有作过改动"),
    (r"(\w+): not all of it is put back; mend what is said above and run this again",
     r"\1：未能全部恢复；请按上述各行处理后以同一命令再来一次"),
    (r"(\w+): what stood there before is kept in (.*), named in its list",
     r"\1：恢复前的文件留存于 \2，名单见其中的 list"),
    (r"no room to keep what stood there before: (.*)", r"没有空间留存恢复前的文件：\1"),
    (r"left, not empty: (.*)", r"保留（其中另有文件）：\1"),
    (r"left as it is, for a user could have led us elsewhere: (.*)",
     r"保持现状（用户可使该路径指向他处），请由人查看：\1"),
    (r"left for now: (.*), which (\w+) has changed since; it goes back with that family",
     r"暂未恢复：\1，其后又被“\2”改动；恢复该类时一并恢复"),
    (r"not put back: (.*): its copy is lost", r"未能恢复：\1：留存的副本已丢失"),
    (r"not put back: (\S+) is still enabled", r"未能恢复：\1 仍是自启"),
    (r"not put back: (\S+) still runs", r"未能恢复：\1 仍在运行"),
    (r"not put back: (\S+) is still masked", r"未能恢复：\1 仍被屏蔽"),
    (r"not put back: (\S+) is not masked", r"未能恢复：\1 未被屏蔽"),
    (r"not put back: (\S+) is not enabled", r"未能恢复：\1 没有设为自启"),
    (r"not put back: (\S+) does not start", r"未能恢复：\1 无法启动"),
    (r"not put back: '(.*)' failed", r"未能恢复：命令“\1”出错"),
    (r"not put back: (.*)", r"未能恢复：\1"),
    (r"no systemd here: services are left as they are", "没有 systemd：服务保持现状"),
    (r"undo\.sh: another run is at work here for more than 120 s",
     "另一次整改或恢复已占用 120 秒以上"),
    (r"non-zero return code: (.*)", r"\1"),
    (r"putting back needs root on the host, so nothing was put back: set become",
     "恢复须有 root 权限，未作恢复：请加 --become"),
    (r"putting back needs root on the host, so nothing was put back; becoming it was refused: (.*)",
     r"恢复须有 root 权限，未作恢复；主机拒绝提权：\1"),
    # the guard against lock-outs, and what is kept for undo
    (r"(\w+): after the change no new connection could be made \((.*)\); the host has rolled it "
     r"back(?:, but not all of it: (.*))?",
     r"\1：改动后无法建立新的连接（\2）；主机已自行回滚\3"),
    (r"(\w+): after the change no new connection could be made \((.*)\), and the host still does "
     r"not answer; look at it from its console",
     r"\1：改动后无法建立新的连接（\2），主机仍无响应；请从控制台查看"),
    (r"(\w+): see what failed above; what was changed before it is put back",
     r"\1：见上一条；此前所作改动已恢复"),
    (r"(\w+): see what failed above; what was changed before it could not all be put back: (.*)",
     r"\1：见上一条；此前所作改动未能全部恢复：\2"),
    (r"(\w+): another run is changing this, and has (\d+) s left to confirm it",
     r"\1：另一次整改正在改动，确认时限尚余 \2 秒"),
    (r"another run is at work in (\S+) for more than 120 s", r"\1 被另一次整改占用 120 秒以上"),
    (r"(.*), nothing that needs it is changed: make it writable first",
     r"\1，故不作相关改动：请先使之可写"),
    (r"(.*) cannot be kept, so it is not changed: (.*)", r"\1 无法留存，故不改动：\2"),
    (r"no timer can be started, so nothing is changed: (.*)", r"无法设定回滚定时，故不改动：\1"),
    (r"(.*); it did not answer again within (\d+) s", r"\1；此后 \2 秒内未恢复应答"),
    (r"no end after (\d+) s, so the host is left as it is: .*",
     r"\1 秒内没有结束，这台主机到此为止：未终止其上的任何进程，已开始的可能仍在进行（见 ps）；"
     r"待其结束，修复未装完的软件包（apt：dpkg --configure -a；dnf：dnf check），再次整改"),
    (r"due, and not run; do it by hand, or restart the host: (.*)",
     r"已写入的设置尚未加载，请手工处理，或重启主机：\1"),
    # before anything is done
    (r"hardening needs root on the host \(uid is (.*)\): set become",
     r"整改须有 root 权限（当前 uid 为 \1）：请加 --become"),
    (r"hardening needs root on the host, and becoming it was refused: (.*)",
     r"整改须有 root 权限，而主机拒绝提权：\1"),
    (r"(.*): neither apt nor dnf/yum is here; only Debian and RHEL families are hardened",
     r"\1：没有 apt，也没有 dnf/yum；只整改 Debian 系与 RHEL 系"),
    (r"(.*): this Ansible needs Python (\S+) or later on the host, and it has (\S+), as all .*",
     r"\1：主机上须有 Python \2 或以上，现为 \3，其软件源中也没有更新的：请按 "
     r"hostpledge explain 核查项 --platform rhel7 逐步手工整改（先备份、再修改、可撤回）；"
     r"核查则不需要 Python"),
    (r"(.*): this Ansible needs Python (\S+) or later on the host, and it has (\S+): .*",
     r"\1：主机上须有 Python \2 或以上，现为 \3：请另装一个（如 python39、python3.11），"
     r"并以 ansible_python_interpreter 指定；核查则不需要 Python"),
    (r"(.*) could not be installed(?: \(.*?\)|\d)?: (.*)", r"\1 未能安装：\2"),
    # roles
    (r"no signatures could be fetched(?: \((.*)\))?, and clamd does not start without any: .*",
     r"未能取得特征库（\1），而没有特征库 clamd 无法启动：请指定镜像"
     r"（antivirus_mirrors、antivirus_private_mirrors）、代理，或特征库目录（antivirus_databases）"),
    (r"(.*) is installed and stands still, and has no unit that could be started: .*",
     r"\1 已安装但未运行，又没有可启动的服务单元：请按厂商说明启动，或予以卸载"),
    (r"a web server runs, and no setting tells which folders it serves",
     "有网站服务在运行，但看不出它对外提供哪些目录"),
    (r"not brought about, and put back where it had begun: (.*)", r"未能完成，已改的已恢复：\1"),
    (r"(\S+) has an empty password, and it is the account that this run logs in as: .*",
     r"\1 口令为空，而本次整改正以此账号登录：请设置口令，或改用密钥登录后以 passwd -l 锁定"),
    (r"left as it is, for it is root that this run logs in as.*",
     "未改动：本次整改正以 root 登录；请改以有 sudo 权限的具名管理员（或 root 密钥）登录后再整改"),
    (r"something goes before what was written, and sshd still says PermitRootLogin (.*)",
     r"有设置先于所写内容生效，sshd 仍为 PermitRootLogin \1"),
    (r"a Match block goes before what is global: take PermitRootLogin out of it: (.*)",
     r"Match 块优先于全局设置：请把 PermitRootLogin 移出：\1"),
    (r"something goes before what was written, and sshd still offers what is weak in (.*)",
     r"有设置先于所写内容生效，sshd 仍提供弱算法：\1"),
    (r"TMOUT is set to more than (\d+) s and made readonly, so that nothing can follow it: "
     r"mend (.*)",
     r"TMOUT 已被设为大于 \1 秒且只读，其后的设置不起作用：请改正 \2"),
    (r"/etc/pam\.d/common-password was edited by hand, so pam-auth-update leaves it alone: .*",
     "/etc/pam.d/common-password 曾被手工修改，pam-auth-update 不会改写：请由人在 pam_unix.so 之前"
     "加入 password requisite pam_pwquality.so retry=3"),
    (r"accounts are locked, addresses are not banned: (.*)", r"账号可锁定，但来源地址未封禁：\1"),
    (r"(?:rules of others filter what comes in here, and do not deny by default: )(.*); .*",
     r"入站由他人的规则过滤，且并非默认拒绝：\1；请改为默认拒绝，或并入 firewall_allow 后移除"),
    (r"others reach services here that would be cut off: (.*); nothing is changed; "
     r"say what stays open: (.*), or the same in the inventory \(\[\] closes all\)",
     r"外部正在使用的服务将被切断：\1；未作任何改动；请写明保持开放的端口：\2，或写入清单"
     r"（[] 为全部关闭）"),
    (r"the new rules would cut off (\S+), from where this run is connected to port (\d+): (.*); "
     r"nothing is changed; .*",
     r"新规则会切断 \1（本次整改由此连接端口 \2）：\3；未作改动；见 firewall_allow 与 "
     r"firewall_admin_sources"),
    (r"(firewall_.*): not given, so it stays as the earlier run had it",
     r"\1 未给出，沿用此前整改时的取值"),
)  # fmt: skip
# a role's own line of a program that failed: anything that is known goes before it
_LAST = ((r"(\S+) failed: (.*)", r"\1 出错：\2"),)
_TRIED = tuple((re.compile(pattern), told) for pattern, told in (*TABLE, *_TABLE, *_LAST))


def spoken(text: str) -> str:
    """`text` in the language of this process, where it is known."""
    if lang() != "zh":
        return text
    if text in CHINESE:
        return CHINESE[text]
    for pattern, template in _TRIED:
        found = pattern.fullmatch(text)
        if found:
            words = template
            for number, value in enumerate(found.groups(default=""), 1):
                words = words.replace(f"\\{number}", _family(value))
            return words
    return text


def _family(value: str) -> str:
    known = catalog.words()["family"].get(value)
    return known.zh if known is not None else spoken(value)
