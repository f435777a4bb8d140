"""One log by the section of logrotate that has it: `logrotate.kept`, at the rate observed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from collector.facts.logs.files import LogFile
from collector.facts.logs.log_kept import LogKept
from collector.facts.logs.logrotate import config as _logrotate
from collector.facts.logs.logrotate.parser import Problem, Rotation
from collector.facts.logs.logrotate.schedule import Runs
from collector.facts.logs.model.families import family_of
from collector.i18n.message import in_chinese
from collector.model import Text

_DAY = 86400
_LONG = 3650
_REASONS = {
    "quiet": Text("minage：仅在日志静止时才轮转", "minage: rotated only while it rests"),
    "taken": Text("旧文件名已被占用，轮转少于规定", "the old name is taken: rotated less often"),
    "unfound": Text(
        "按名称找不到旧文件，从不删除", "old files are not found by name: none is removed"
    ),
    "again": Text("模式也匹配其旧文件", "its pattern matches its own old files"),
    "program": Text("取决于压缩程序是否存在", "it depends on the program that compresses"),
    "unclear": Text("此版本的行为不明", "what this version does with it is not known"),
}


@dataclass(frozen=True, slots=True)
class Rotated:
    """What runs logrotate, and the logs that it should have rotated since (in the host's zone)."""

    runs: Runs
    late: Mapping[str, datetime]
    now: datetime


def rotated(
    path: str,
    files: Sequence[LogFile],
    owner: Rotation | Problem | None,
    by: Rotated,
    place: tuple[str, datetime | None],
) -> LogKept:
    """One log by the section of logrotate that has it, if any has.

    `place` is the mount that makes it volatile, and when its folder was made.
    """
    dated = [(f.first, f.path, f.raw) for f in files if f.first is not None]
    oldest, held, raw = min(dated, default=(None, "", ""))
    written = any(f.size != 0 for f in files)
    memory, started = place
    base = LogKept(
        path,
        family_of(path),
        None,
        True,
        Text("没有任何规则删除它", "no rule ever removes it"),
        oldest=oldest,
        raw=raw,
        held=held,
        started=started,
        removed=False,
        written=written,
        files=tuple(files),
    )
    if memory:
        why = Text("位于内存文件系统，重启即丢失", "it lies in memory: a reboot loses it")
        quote = ("storage.mounts", memory, "")
        return replace(base, least=0, why=why, removed=True, quotes=(quote,))
    if isinstance(owner, Problem):
        return _not_understood(base, owner)
    if owner is None:
        return base
    return _by_rule(base, owner, by)


def _not_understood(base: LogKept, owner: Problem) -> LogKept:
    where = f"{owner.path}:{owner.line}" if owner.line else owner.path
    why = Text(
        f"logrotate 拒绝其配置（{where}：{in_chinese(owner.why)}），不会按规则轮转",
        f"logrotate refuses its section ({where}: {owner.why})",
    )
    if not owner.refused:
        why = Text(
            f"logrotate 采用其配置，但保留多久无从推算（{where}：{in_chinese(owner.why)}）",
            f"logrotate takes its section, but for how long it keeps the log does not follow"
            f" ({where}: {owner.why})",
        )
    quote = ("logrotate.config", owner.why, owner.path)
    return replace(base, known=False, why=why, quotes=(quote,))


def _by_rule(base: LogKept, owner: Rotation, by: Rotated) -> LogKept:
    runs, files, path = by.runs, base.files, base.path
    said = _words(owner)
    rule = ("logrotate.config", f"{said} (line {owner.line})", owner.path)
    quotes: tuple[tuple[str, str, str], ...] = (rule,)
    if not runs.name:
        why = Text(
            f"规则为 {said}，但没有任何任务执行 logrotate，目前不会删除",
            f"the rule is {said}, but nothing runs logrotate: it is not removed",
        )
        return replace(base, why=why, quotes=quotes)
    if runs.forced:
        owner = replace(owner, interval="daily" if runs.every >= 1 else "size")
        said = f"{said}; {runs.line}"
        quotes = (*quotes, (runs.read, runs.line, ""))
    rate = growth(files, by.now)
    kept = _logrotate.kept(owner, runs.every, rate, packs=any(f.packed for f in files))
    late = next((by.late[p] for p in (path, *(f.path for f in files)) if p in by.late), None)
    moved = sum(f.path != path for f in files)
    least = kept.least if kept.known else None
    bounded = owner.count >= 0 or owner.maxage > 0
    if kept.known and kept.least is None and bounded and owner.cut and kept.reason != "unfound":
        # at that rate nothing is lost in all the years that were played through
        least = _LONG
    return replace(
        base,
        least=least,
        known=kept.known,
        why=_why(owner, kept, said, late),
        most=kept.least if not kept.known else None,
        sure=quiet(owner),
        floor=0 if kept.known else kept.surely,
        removed=owner.maxage > 0 or 0 <= owner.count <= moved,
        quotes=quotes,
    )


def _why(owner: Rotation, kept: _logrotate.Kept, said: str, late: datetime | None) -> Text:
    why = Text(f"logrotate：{said}", f"logrotate: {said}")
    if kept.known and (owner.interval == "size" or owner.maxsize):
        why = Text(f"{why.zh}，按观察到的增长速度", f"{why.en}, at the rate observed")
    if kept.reason in _REASONS:
        why = Text(
            f"{why.zh}（{_REASONS[kept.reason].zh}）", f"{why.en} ({_REASONS[kept.reason].en})"
        )
    if not kept.known and kept.surely:
        why = Text(
            f"{why.zh}，无论增长多快至少保留 {kept.surely} 天",
            f"{why.en}, {kept.surely} days however fast it grows",
        )
    if late is not None:
        why = Text(
            f"{why.zh}；按状态文件，{late:%Y-%m-%d} 起未再轮转",
            f"{why.en}; by the state file not rotated since {late:%Y-%m-%d}",
        )
    return why


def quiet(rotation: Rotation) -> int | None:
    """Days that maxage leaves a log that rests: by whole days, but for 3.20 and 3.21."""
    if not rotation.maxage:
        return None
    return rotation.maxage + (0 if (3, 20) <= rotation.version < (3, 22) else 1)


def growth(files: Sequence[LogFile], now: datetime) -> float | None:
    """Bytes that are written a day, by the files that are not packed; None where less than a

    month of the log was seen, or less than a week of it unpacked.
    """
    first = min((f.first for f in files if f.first), default=None)
    plain = [f for f in files if not f.packed]
    begun = min((f.first for f in plain if f.first), default=None)
    if first is None or begun is None or any(f.size > 0 and f.first is None for f in plain):
        return None
    days = (now - begun).total_seconds() / _DAY
    if (now - first).total_seconds() < 30 * _DAY or days < 7:
        return None
    return sum(f.size for f in plain) / days


def _words(rotation: Rotation) -> str:
    """The section in logrotate's own words."""
    words = [rotation.interval, f"rotate {rotation.count}"]
    if rotation.maxage:
        words.append(f"maxage {rotation.maxage}")
    if rotation.minsize:
        words.append(f"minsize {rotation.minsize}")
    if rotation.minage:
        words.append(f"minage {rotation.minage}")
    if rotation.maxsize:
        words.append(f"maxsize {rotation.maxsize}")
    return ", ".join(words)
