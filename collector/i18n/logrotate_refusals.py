"""Why logrotate refuses a section, or what keeps its days from being told, in Chinese."""

from __future__ import annotations

import re

_SAID: tuple[tuple[str, str], ...] = (
    (r"ignored by logrotate: not owned by root, or writable by others than root",
     "文件不属于 root，或 root 以外的人可写，logrotate 整个忽略"),
    (r"lines must begin with a keyword or a filename", "行首须为关键字或文件名"),
    (r"keyword (.*) is not properly separated", r"关键字 \1 与其值未分开"),
    (r"missing [{] after the names of logs", "日志名之后缺少 {"),
    (r"error parsing filename", "文件名的引号有误"),
    (r"a script without endscript", "脚本缺少 endscript"),
    (r"unexpected (.*)", r"多余的 \1"),
    (r"argument expected after (.*)", r"\1 之后缺少参数"),
    (r"bad (\S+) directive (.*)", r"\1 的值 \2 无效"),
    (r"bad (\S+) (.*)", r"\1 的值 \2 无效"),
    (r"extra arguments for (.*)", r"\1 的参数过多"),
    (r"no user or no group for su", "su 缺少用户或用户组"),
    (r"invalid mode (.*)", r"权限 \1 无效"),
    (r"include nesting too deep", "include 嵌套过深"),
    (r"every included file has an error", "所包含的文件全部有错"),
    (r"left out: a log of this file was named twice before",
     "被略去：此文件中已有日志重复出现"),
    (r"left out: the pattern ends at (.*), which an earlier section has",
     r"被略去：该模式到 \1 为止，前面的段已有此日志"),
    (r"the duplicate before it", "前面重复的日志"),
    (r"in force only as far as it was read before an error: (.*)",
     r"仅出错之前的部分生效：\1"),
    (r"its old files are rotated again, by (.*) line (\d+)",
     r"其旧文件又被轮转（\1 第 \2 行）"),
    (r"several logs named (.*) have their old files in (.*)",
     r"多个名为 \1 的日志把旧文件都放在 \2"),
    (r"for how long it keeps its logs cannot be told, or not be made longer",
     r"无法判读其日志留存多久，或不能改长"),
)  # fmt: skip


def in_chinese(why: str) -> str:
    """What is not in the table stays as it is."""
    for form, words in _SAID:
        match = re.fullmatch(form, why)
        if match:
            for number, value in enumerate(match.groups(), 1):
                words = words.replace(f"\\{number}", in_chinese(value))
            return words
    return why
