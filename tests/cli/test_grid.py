from __future__ import annotations

import pytest
from rich.cells import cell_len

from collector.cli.ui.grid import Grid


def drawn(*rows: tuple[str, ...], width: int = 40, **fixed: int) -> list[str]:
    grid = Grid(*rows[0], fixed={int(name[1:]): room for name, room in fixed.items()})
    for row in rows[1:]:
        grid.add_row(*row)
    return grid.drawn(width).splitlines()


def test_what_has_room_stands_on_one_line() -> None:
    assert drawn(("a", "b"), ("one", "two"), ("三", "四五")) == ["a    b", "one  two", "三   四五"]


@pytest.mark.parametrize("width", [20, 33, 40, 80])
def test_the_widest_column_gives_way_and_no_line_is_too_long(width: int) -> None:
    rows = [("id", "customer", "what")] + [
        (f"p-{n}", "杭州示例云帆科技有限公司", "self-check: last never, every 90 days " * n)
        for n in range(4)
    ]
    lines = drawn(*rows, width=width)
    assert max(map(cell_len, lines)) <= width
    assert sum(line.startswith("p-") for line in lines) == 4
    joined = "".join(line.replace(" ", "") for line in lines)
    assert joined.count("杭") == 4


def test_a_fixed_column_folds_what_is_longer() -> None:
    lines = drawn(("id", "x"), ("abcdefghij", "y"), f0=4)
    assert lines == ["id    x", "abcd  y", "efgh", "ij"]


def test_nothing_in_a_cell_moves_the_cursor() -> None:
    (_, line) = drawn(("a",), ("x\x1b[2J\ny",))
    assert "\x1b" not in line
    assert "x" in line
    assert "y" in line
