"""What judging a bundle's captures again says of it, before it is attached."""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.cli.ui.language import lang, tr
from collector.errors import BadInput
from collector.model import Text

if TYPE_CHECKING:
    from collector.verify import Bundle


def hold(bundle: Bundle, where: str) -> Text | None:
    """As `wrong`, where the controls have changed since: that is for people to look at.

    Raises BadInput where the controls are the same, and the findings are not; where others were
    named and a clause comes out worse: whoever signs may name the controls of any release; and
    where the evidence names other controls than the code has that it says judged.
    """
    from collector.replay import contradiction, differing, replay
    from collector.scope import cited

    found = replay(bundle)
    anew = tr("请用此版本重新制作证据包", "make the bundle again with this release")
    if found.contradicts:
        raise BadInput(contradiction().to(lang()), where=where, mend=anew)
    why = differing(found)
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
