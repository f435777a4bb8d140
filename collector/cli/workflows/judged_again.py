"""What judging a bundle's captures again says of it: before it is attached, and to a policy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.cli.ui.language import lang, tr
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

    Raises BadInput where the controls are the same, and the findings are not; where others were
    named and a clause comes out worse: whoever signs may name the controls of any release; and
    where the evidence names other controls than the code has that it says judged.
    """
    from collector.replay import replay
    from collector.scope import cited

    found = replay(bundle)
    anew = tr("请用此版本重新制作证据包", "make the bundle again with this release")
    if found.contradicts:
        raise BadInput(contradiction().to(lang()), where=where, mend=anew)
    why = _differing(found)
    better = found.better(bundle.frame["clauses"])
    if why is not None and better and not found.same_catalog:
        clauses = tr("、", ", ").join(map(cited, better))
        raise BadInput(
            tr(
                f"{why.zh}；其所称 {clauses} 的结论好于重新判定",
                f"{why.en}; it calls {clauses} better than it is judged again",
            ),
            where=where,
            mend=anew,
        )
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


def contradiction() -> Text:
    return Text(
        "所称的判定代码即此处的代码，所称的核查项却不是其中的",
        "it names the code that judges here, and controls that this code has not",
    )


def _differing(found: Replayed) -> Text | None:
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
