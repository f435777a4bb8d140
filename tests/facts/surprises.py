"""The tables of surprising configurations in docs/retention*.md, made from what was measured.

`python -m tests.facts.surprises` measures again and writes them (as root).
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.facts.rotation_cases import hand_written
from tests.facts.rotation_truth import Calendar, Measured, measured

DAYS = 400
_NEED = 184
_DOCS = Path(__file__).parents[2] / "docs"
_FILES = {"en": "retention.md", "zh": "retention.zh.md"}
_BLOCK = re.compile(r"(<!-- measured -->\n\n)(.*?)(\n?<!-- /measured -->)", re.DOTALL)


@dataclass(frozen=True)
class Surprise:
    case: str
    en: str
    zh: str


SURPRISES = (
    Surprise("weekly_26", "26 weeks are 182 days, six months up to 184", "26 周为 182 天，六个月最长 184 天"),
    Surprise("weekly_27", "one more is enough", "多留一份即可"),
    Surprise("weekly_7_of_26", "`weekly 7` waits for seven days, whatever the weekday: 182 all the same", "`weekly 7` 满七天即轮转，不看星期几：同为 182 天"),
    Surprise("daily_180", 'the usual "180 days" falls short', "常见的“180 天”不足"),
    Surprise("daily_183", "so does 183; a word that logrotate does not know is passed over", "183 天仍不足；不认识的指令被跳过"),
    Surprise("daily_184", "enough in every window", "任何时段都足够"),
    Surprise("monthly_6", "February to July are 181 days", "2 月至 7 月只有 181 天"),
    Surprise("monthly_7", "", ""),
    Surprise("monthly_1", "btmp as Debian ships it: in March what is left begins in February", "Debian 自带的 btmp：3 月时只剩 2 月起的记录"),
    Surprise("hourly_but_run_daily", "who runs logrotate once a day rotates hourly logs once a day", "logrotate 每天只运行一次，`hourly` 也就每天一次"),
    Surprise("octal_number", "010 is octal: 8", "010 是八进制，即 8"),
    Surprise("no_count", "no `rotate`: 0, each rotation removes the records", "没有 `rotate` 即为 0：每次轮转都删除"),
    Surprise("rotate_0", "right after a rotation nothing is left", "轮转之后一条不剩"),
    Surprise("unlimited", "-1 keeps all (since 3.15; before that the section is refused)", "-1 全部保留（自 3.15 起；更早的版本拒绝该段）"),
    Surprise("last_word_counts", "of two intervals and two counts the last ones count", "周期与份数写了两次，以后者为准"),
    Surprise("size_then_daily", "`daily` takes the place of `size`", "后写的 `daily` 取代 `size`"),
    Surprise("daily_then_size", "`size` takes the place of `daily`: five days of this log fill it", "后写的 `size` 取代 `daily`：该日志五天写满一份"),
    Surprise("comment_is_a_value", "a remark behind a value makes it a bad one: the section is refused and nothing rotates this log", "值之后的注释使该值无效：整段被拒绝，该日志不再轮转"),
    Surprise("size_reached_daily", "reached each day", "每天都达到"),
    Surprise("size_each_ten_days", "reached each ten days", "每十天达到一次"),
    Surprise("size_never", "never reached: the log only grows", "从未达到：日志一直增长"),
    Surprise("size_400_times", "even if each day reaches it, 200 days are kept: known without the growth", "即便每天达到也保留 200 天：不知增速也能断定"),
    Surprise("wtmp", "`minsize` puts the rotation off until the month after it is reached", "`minsize` 把轮转推迟到达到之后的下一个月"),
    Surprise("minsize_large", "`daily` in name; four days fill it", "名为 `daily`，四天才够大"),
    Surprise("mariadb", "`maxsize` hastens: not six months but as many times 26 days", "`maxsize` 提前轮转：不是六个月，而是六次，每次 26 天"),
    Surprise("maxsize_reached_midweek", "`weekly`, yet a rotation each four days", "名为 `weekly`，实为每四天一次"),
    Surprise("maxage_cuts_daily", "`maxage` is shorter than `rotate`", "`maxage` 短于 `rotate`"),
    Surprise("maxage_cuts_weekly", "a file goes when its last record is older than that: its first go with it", "文件按其最后一条记录的时间删除，较早的记录随之删除"),
    Surprise("maxage_182", "the day on which it is found too old counts: one more than `maxage` (but not with 3.20 and 3.21)", "发现超龄的当天也算：比 `maxage` 多一天（3.20、3.21 除外）"),
    Surprise("maxage_183", "so 183 is enough with 3.22, and one day short with 3.20 and 3.21", "因此 3.22 下 183 够用，3.20、3.21 下差一天"),
    Surprise("maxage_cuts_monthly", "looked at only when the log is rotated", "只在该日志轮转时检查"),
    Surprise("maxage_longer", "a longer `maxage` adds nothing", "更长的 `maxage` 不起作用"),
    Surprise("dateext_weekly_packed_later", "`delaycompress` with `dateext`: the last file waits uncompressed and is counted all the same", "`delaycompress` 与 `dateext`：最后一份暂不压缩，照样计数"),
    Surprise("month_and_daily", "no day in the name: it is taken until the month turns, and each rotation but one fails", "文件名里没有日：当月之内重名，每月只有一次轮转成功"),
    Surprise("year_and_daily", "no month either: one rotation a year", "连月也没有：每年一次"),
    Surprise("day_of_month", "01 sorts before 25: from the first of a month on the newest file goes first", "01 排在 25 之前：月初起先删最新的文件"),
    Surprise("day_of_month_40", "when all 31 names are taken, nothing is rotated any more", "31 个名字用完后不再轮转"),
    Surprise("letters_unknown", "`%j` is no letter that logrotate knows: one name for all days", "logrotate 不认识 `%j`：每天同名"),
    Surprise("brackets", "the old files' names are not found again by the pattern made of the format", "按格式生成的匹配式找不到旧文件，永不删除"),
    Surprise("too_long", "the pattern becomes too long, and each rotation fails", "匹配式过长，每次轮转都失败"),
    Surprise("format_without_dateext", "without `dateext` the format counts for nothing", "没有 `dateext`，格式不起作用"),
    Surprise("copytruncate", "as good as renaming, but for what is written between copy and cut", "与改名等效，但复制与清空之间写入的会丢"),
    Surprise("copy_never_cuts", "`copy` never cuts the log", "`copy` 从不清空日志"),
    Surprise("olddir", "removed in the other folder by the same count", "在另一目录中按同样份数删除"),
    Surprise("minage_of_a_busy_log", "a log that is written to each day is never two days old: never rotated", "每天都写的日志永远不满两天：从不轮转"),
    Surprise("compressor_missing", "the program is not there: each old file overwrites the one before", "压缩程序不存在：旧文件逐份覆盖前一份"),
    Surprise("postrotate_fails_compressed", "a postrotate script that fails leaves the file uncompressed: each overwrites the one before", "postrotate 脚本失败，文件未压缩，逐份覆盖前一份"),
    Surprise("extension_takes_old", "so does this one, less visibly", "此例同样如此，只是不显眼"),
    Surprise("prerotate_fails", "a prerotate script that fails keeps the log from being rotated", "prerotate 脚本失败，日志不轮转"),
    Surprise("pattern_takes_old", "the pattern matches the old files, which are rotated in turn: not foretold", "匹配式也匹配旧文件，旧文件又被轮转：不作推算"),
    Surprise("global_after", "a global word binds what is read after it", "全局指令只对其后读到的段有效"),
    Surprise("first_of_two", "two sections name the log: the first has it", "两段都写了该日志：归前一段"),
    Surprise("refused_then_taken", "the first is refused for its remark, so the second has it", "前一段因注释被拒绝，归后一段"),
    Surprise("quiet_notifempty", "written to for 60 days only: an empty log is not rotated, and its last records stay", "只写 60 天：空日志不轮转，最后的记录一直保留"),
    Surprise("quiet_ifempty", "an empty log pushes the records out all the same", "空日志照样轮转，把记录挤掉"),
)  # fmt: skip

_HEADS = {
    "en": (
        "Configuration", "Bytes a day", "Foretold", "Foretold, growth not known", "Measured",
        "Six months", "Why",
    ),
    "zh": ("配置", "每天字节数", "推算", "推算（增速未知）", "实测", "六个月", "原因"),
}  # fmt: skip
_WORDS = {
    "en": {"never": "never removed", "least": "≥ {}", "open": "not foretold", "yes": "yes", "no": "no"},
    "zh": {"never": "不删除", "least": "≥ {}", "open": "不作推算", "yes": "足够", "no": "不足"},
}  # fmt: skip


def table(found: Mapping[str, Measured], lang: str) -> str:
    """The table, in the order of SURPRISES."""
    heads = _HEADS[lang]
    lines = [f"| {' | '.join(heads)} |", f"|{'|'.join([' --- '] * len(heads))}|"]
    lines += [_row(found[s.case], s, lang) for s in SURPRISES]
    return "\n".join(lines) + "\n"


def _row(one: Measured, surprise: Surprise, lang: str) -> str:
    words, case = _WORDS[lang], one.case
    text = case.whole or case.body
    config = "; ".join(line.strip() for line in text.split("\n") if line.strip())
    if case.log != "{name}.log":
        config = f"{case.log.format(name='app')} {{ {config} }}"
    config = config.replace("{;", "{").replace("; }", " }").replace("};", "}")
    enough = one.real is None or one.real >= _NEED
    said = one.said
    sure = said.least if said.known else said.surely
    told = words["never"] if sure is None else str(sure)
    blind = one.blind
    if not said.known:
        told = words["open"]
    unknown = words["never"] if blind.surely is None else str(blind.surely)
    if not blind.known:
        unknown = words["least"].format(unknown)
    if blind.reason in ("again", "unclear"):
        unknown = words["open"]
    real = words["never"] if one.real is None else str(one.real)
    cells = (
        f"`{config}`", str(case.rate), told, unknown, real, words["yes" if enough else "no"],
        getattr(surprise, lang),
    )  # fmt: skip
    return f"| {' | '.join(cells)} |"


def committed(lang: str) -> str:
    """The table that stands in docs/."""
    match = _BLOCK.search((_DOCS / _FILES[lang]).read_text("utf-8"))
    return match[2] if match else ""


def main() -> None:
    wanted = {s.case for s in SURPRISES}
    cases = [case for case in hand_written() if case.name in wanted]
    with tempfile.TemporaryDirectory() as folder:
        found = measured(cases, Calendar(DAYS), Path(folder))
    for lang, name in _FILES.items():
        path = _DOCS / name
        text = path.read_text("utf-8")
        match = _BLOCK.search(text)
        if match:
            made = f"{match[1]}{table(found, lang)}\n<!-- /measured -->"
            path.write_text(text[: match.start()] + made + text[match.end() :], "utf-8")


if __name__ == "__main__":
    main()
