"""Do a bundle's captures, judged again, give what the bundle says? Said in a sentence."""

from __future__ import annotations

from collector.errors import one_line
from collector.model import Text
from collector.replay.judging_again import Replayed, replay
from collector.verify import Bundle


def wrong(bundle: Bundle) -> Text | None:
    """Why the captures do not give what the bundle says; None where they do."""
    if bundle.redacted:
        return Text(
            "无法重新判定：采集文件已略去",
            "it cannot be judged again: its captures were left out",
        )
    return differing(replay(bundle))


def contradiction() -> Text:
    return Text(
        "所称的判定代码即此处的代码，所称的核查项却不是其中的",
        "it names the code that judges here, and controls that this code has not",
    )


def differing(found: Replayed) -> Text | None:
    """What is different, the first of it by name; None where all is the same."""
    if found.contradicts:
        return contradiction()
    if found.same:
        return None
    # with the same controls the words count as well
    if not found.differences:
        count = found.reworded
        return Text(f"{count} 条结论措辞不同", f"{count} finding(s) are worded otherwise")
    first, count = found.differences[0], len(found.differences)
    place = one_line(f"{first.host} {first.control}", 200)
    zh = "重新判定" if found.same_catalog else "按现已变化的核查项重新判定"
    en = "judged again" if found.same_catalog else "judged again by controls that have changed"
    return Text(
        f"{zh}，{found.findings} 条结论中有 {count} 条不同，首先是 {place}",
        f"{en}, {count} of {found.findings} findings differ, first {place}",
    )
