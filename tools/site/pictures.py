"""Pictures of the guides, as SVG in both languages.

`python -m tools.site.pictures` draws them anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path

from tools.site.languages import LANGS, Lang, either

FOLDER = Path(__file__).parents[2] / "docs" / "pictures"

_STYLE = (
    "text{font:15px system-ui,'Noto Sans CJK SC','Noto Sans SC',sans-serif;fill:#1d2a33}"
    ".s{font-size:12px;fill:#55636d}.b{fill:#eef3f5;stroke:#607d8b;stroke-width:1.5}"
    ".k{fill:#e2f2ef;stroke:#00796b;stroke-width:1.5}.a{stroke:#607d8b;stroke-width:1.5;fill:none}"
)
_Box = tuple[int, int, int, str, str, str]
_Arrow = tuple[int, int, int, int, str]


def drawn() -> Iterator[tuple[str, str]]:
    """Each picture's name, and its SVG."""
    for lang in LANGS:
        ending = either(lang, ".zh.svg", ".svg")
        yield f"way{ending}", _way(lang)
        yield f"people{ending}", _people(lang)
        yield f"log{ending}", _log(lang)


def _way(lang: Lang) -> str:
    def say(zh: str, en: str) -> str:
        return either(lang, zh, en)

    boxes: list[_Box] = [
        (10, 20, 160, say("清单与登记记录", "inventory, record"), "", "b"),
        (
            210,
            20,
            160,
            say("采集", "captures"),
            say("每台主机一份，逐字节", "a host's answer, whole"),
            "k",
        ),
        (410, 20, 160, say("事实", "facts"), say("解析，无副作用", "parsed, pure"), "b"),
        (610, 20, 160, say("判定", "findings"), say("每项每台必有一条", "one per control"), "b"),
        (610, 120, 160, say("证据包", "bundle"), say("签名与时间戳", "signed, stamped"), "k"),
        (
            410,
            220,
            160,
            say("核验与复判", "verify, replay"),
            say("离线，多年之后", "offline, years later"),
            "b",
        ),
        (210, 220, 160, say("报告", "report"), say("网页、PDF、表格", "page, PDF, table"), "b"),
        (10, 220, 160, say("登记库", "register"), say("只增不改的日志", "an append-only log"), "b"),
    ]
    arrows: list[_Arrow] = [
        (170, 50, 210, 50, ""), (370, 50, 410, 50, ""), (570, 50, 610, 50, ""),
        (690, 80, 690, 120, ""),
        (490, 150, 490, 220, ""), (290, 150, 290, 220, ""), (90, 150, 90, 220, ""),
    ]  # fmt: skip
    bus = '<path class="a" d="M610 150H90"/>'
    return _svg(780, 290, boxes, arrows, bus)


def _people(lang: Lang) -> str:
    def say(zh: str, en: str) -> str:
        return either(lang, zh, en)

    boxes: list[_Box] = [
        (
            10,
            20,
            190,
            say("客户", "customer"),
            say("自查、整改、提交", "checks, mends, hands in"),
            "b",
        ),
        (
            285,
            20,
            190,
            say("接入服务商", "provider"),
            say("采集、登记、到期提醒", "collects, registers, reminds"),
            "k",
        ),
        (
            560,
            20,
            190,
            say("检查人员", "auditor"),
            say("验证，重新判定", "verifies, judges again"),
            "b",
        ),
    ]
    arrows: list[_Arrow] = [
        (200, 42, 285, 42, say("采集文件", "capture")),
        (285, 64, 200, 64, say("整改办法", "remedies")),
        (475, 42, 560, 42, say("证据包", "bundle")),
        (475, 64, 560, 64, say("公钥另行交付", "key, by another way")),
    ]
    return _svg(760, 100, boxes, arrows)


def _log(lang: Lang) -> str:
    def say(zh: str, en: str) -> str:
        return either(lang, zh, en)

    boxes: list[_Box] = [
        (10, 130, 130, say("证据 1", "evidence 1"), "", "b"),
        (160, 130, 130, say("证据 2", "evidence 2"), "", "b"),
        (310, 130, 130, say("证据 3", "evidence 3"), "", "b"),
        (460, 130, 130, say("证据 4", "evidence 4"), "", "b"),
        (235, 20, 130, say("树根", "root"), say("一个摘要", "one digest"), "k"),
        (
            460,
            20,
            220,
            say("检查点（已签名）", "checkpoint (signed)"),
            say("交给外人保存", "kept by somebody outside"),
            "b",
        ),
    ]
    arrows: list[_Arrow] = [
        (75, 130, 280, 80, ""), (225, 130, 290, 80, ""), (375, 130, 310, 80, ""),
        (525, 130, 320, 80, ""),
        (365, 50, 460, 50, ""),
    ]  # fmt: skip
    return _svg(690, 200, boxes, arrows)


def _svg(
    width: int, height: int, boxes: Sequence[_Box], arrows: Sequence[_Arrow], more: str = ""
) -> str:
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">'
        f"<style>{_STYLE}</style>"
        '<defs><marker id="h" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
        'orient="auto"><path d="M0 0L8 4L0 8z" fill="#607d8b"/></marker></defs>'
    )
    return head + more + "".join([*map(_box, boxes), *map(_arrow, arrows)]) + "</svg>\n"


def _box(box: _Box) -> str:
    x, y, width, title, small, kind = box
    middle = x + width // 2
    text = f'<rect class="{kind}" x="{x}" y="{y}" width="{width}" height="60" rx="6"/>'
    down = y + (27 if small else 35)
    text += f'<text x="{middle}" y="{down}" text-anchor="middle">{escape(title)}</text>'
    if small:
        text += (
            f'<text class="s" x="{middle}" y="{y + 46}" text-anchor="middle">{escape(small)}</text>'
        )
    return text


def _arrow(arrow: _Arrow) -> str:
    x, y, to_x, to_y, said = arrow
    line = f'<path class="a" d="M{x} {y}L{to_x} {to_y}" marker-end="url(#h)"/>'
    if said:
        middle = (x + to_x) // 2
        line += (
            f'<text class="s" x="{middle}" y="{y - 5}" text-anchor="middle">{escape(said)}</text>'
        )
    return line


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, text in drawn():
        (FOLDER / name).write_text(text, encoding="utf-8")
