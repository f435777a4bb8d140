"""encryption.residual: what lies in memory reaches no disk in the clear."""

from __future__ import annotations

from collector.facts.storage.swap_and_core_dumps import Dumps, Swap, dumps, swaps
from collector.facts.storage.volumes import Answer, storage
from collector.facts.system.os_release import platform
from collector.judges.predicates import attested
from collector.model import Clock, Facts, Method, Parameters, Quote, Result, Value, Verdict


def judge(facts: Facts, parameters: Parameters, clock: Clock) -> Verdict:
    """One area of swap in the clear, or one process that may dump core, fails the host."""
    if facts.get(platform).container:
        return Verdict(Result.NOTAPPLICABLE, "container", Method.OBSERVED)
    areas, left = facts.get(swaps), facts.get(dumps)
    quotes = (Quote("residual.state", (*(s.line for s in areas), *left.lines)),)
    where = _encrypted(facts, left)
    if left.suid == 1:
        return Verdict(Result.FAIL, "suid_dumps", Method.OBSERVED, evidence=quotes)
    found = _short(areas, left, where)
    if found is None:
        said = [f"swap {s.path} ({s.why})" for s in areas] or ["no swap"]
        said_zh = [f"交换区 {s.path}（{s.why}）" for s in areas] or ["没有交换区"]
        said += [f"core dumps in {left.where}, encrypted" if left.kept else "no core dumps"]
        said_zh += [f"核心转储位于加密的 {left.where}" if left.kept else "核心转储不落盘"]
        told: dict[str, Value] = {"told": ", ".join(said), "told_zh": "，".join(said_zh)}
        return Verdict(Result.PASS, "nothing_left", Method.OBSERVED, told, quotes)
    result, reason, values = found
    answer = attested(facts, "encryption.residual", clock)
    if answer is not None:
        return Verdict(
            Result.PASS,
            "attested",
            Method.ATTESTED,
            {"by": f"{answer.by}: {answer.statement}"},
            (*quotes, answer.quote),
            answer.until,
        )
    return Verdict(result, reason, Method.OBSERVED, values, quotes)


def _encrypted(facts: Facts, left: Dumps) -> Answer:
    if not left.kept:
        return "yes"
    return facts.get(storage).encryption(left.where).encrypted if left.where else "no"


def _short(
    areas: tuple[Swap, ...], left: Dumps, where: Answer
) -> tuple[Result, str, dict[str, Value]] | None:
    """What falls short, the worst first."""
    plain = [f"{s.path} ({s.why})" for s in areas if s.encrypted == "no"]
    if plain:
        told: dict[str, Value] = {"told": ", ".join(plain), "told_zh": "、".join(plain)}
        return Result.FAIL, "swap_plain", told
    if where == "no":
        folder = left.where or "the folder a program works in"
        folder_zh = left.where or "程序当时所在的目录"
        count = left.lines[-1] if len(left.lines) > 2 and not left.where else left.lines[0]
        return Result.FAIL, "dumps_kept", {
            "told": f"{folder}; {count}",
            "told_zh": f"{folder_zh}；{count}",
        }  # fmt: skip
    unknown = [f"{s.path} ({s.why})" for s in areas if s.encrypted == "unknown"]
    if where == "unknown":
        unknown.append(left.where)
    if unknown:
        told = {"told": ", ".join(unknown), "told_zh": "、".join(unknown)}
        return Result.ERROR, "untold", told
    return None
