"""What click says of a command line, in Chinese.

click builds these sentences itself, and its exceptions have no field for what they say: they are
the one text that is told by its English here (ADR 28). The words are those of click 8.1 to 8.3.
"""

from __future__ import annotations

import re

_TABLE: tuple[tuple[str, str], ...] = (
    (r"No such command '([^']*)'\.", r"没有命令 \1"),
    (r"No such command '(.*?)'\. Did you mean '?(.*?)'?\?", r"没有命令 \1，是否要写 \2？"),
    (r"No such command '(.*?)'\. \(Did you mean one of: (.*)\?\)", r"没有命令 \1，相近的有 \2"),
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
)


def in_chinese(text: str) -> str:
    """What is not in the table stays as it is."""
    for pattern, template in _TABLE:
        match = re.fullmatch(pattern, text)
        if match:
            return match.expand(template)
    return text
