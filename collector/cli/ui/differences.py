"""How one finding differs from another, on a line."""

from __future__ import annotations

from collector import catalog
from collector import replay as engine
from collector.cli.ui.language import lang, tr
from collector.errors import one_line


def difference_line(difference: engine.Difference) -> str:
    """HOST CONTROL OLD → NEW, the control's name, and why, on one line."""
    old, new = difference.old, difference.new
    was = old["verdict"] if old else "-"
    now = new["verdict"] if new else "-"
    why = new["message"][lang()] if new else tr("现已没有此核查项", "no such control any more")
    known = catalog.controls().get(difference.control)
    name = f"{known.number} {known.title.to(lang())}{tr('：', ': ')}" if known else ""
    fields = f" ({', '.join(difference.fields)})" if was == now else ""
    host = difference.host + (tr("（整改前）", " (before)") if difference.before else "")
    return one_line(f"{host}  {difference.control}  {was} → {now}{fields}  {name}{why}", 2000)
