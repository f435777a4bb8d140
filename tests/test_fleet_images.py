"""In which order the images of the fleet are built."""

from __future__ import annotations

from tests.fleet.images import IMAGES, levels


def test_no_image_is_built_before_the_one_that_it_stands_upon() -> None:
    order = levels(set(IMAGES))
    built: set[str] = set()
    for level in order:
        assert all(IMAGES[name].parent in ({""} | built) for name in level), level
        built |= set(level)
    assert built == set(IMAGES)
    assert len(order) > 2, "chains are longer than two: the test shows nothing otherwise"
