"""What judging a bundle's captures again says of it: before it is attached, and to a policy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.cli.language import lang, tr
from collector.errors import BadInput, one_line
from collector.model import Text

if TYPE_CHECKING:
    from collector.replay import Replayed
    from collector.verify import Bundle


def wrong(bundle: Bundle) -> Text | None:
    """Why the captures do not give what the bundle says; None where they do."""
    if bundle.redacted:
        return Text(
            "无法重新判定：采集文件已略去",
            "it cannot be judged again: its captures were left out",
        )
    from collector.replay import replay

    return _differing(replay(bundle))


def hold(bundle: Bundle, where: str) -> Text | None:
    """As `wrong`, where the controls have changed since: that is for people to look at.

    Raises BadInput where the controls are the same, and the findings are not.
    """
    from collector.replay import replay

    found = replay(bundle)
    why = _differing(found)
    if why is not None and found.same_catalog:
        raise BadInput(
            why.to(lang()),
            where=where,
            mend=tr(
                "hostpledge replay 逐条列出；请重新制作证据包",
                "`hostpledge replay` shows each; make the bundle anew",
            ),
        )
    return why


def _differing(found: Replayed) -> Text | None:
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
