"""The main stem through a river's own lines.

a --0--> b --1--> c --3--> d        lines 0..3; 2 is a short side channel from b to c
          \\--2-->/
"""

from __future__ import annotations

import pytest

from rivergis.errors import CrsRefused
from rivergis.river import stem
from tests import tiny

LINES = [
    tiny.line((0, 0), (500, 0)),
    tiny.line((500, 0), (800, 90), (1000, 0)),
    tiny.line((500, 0), (1000, 0)),
    tiny.line((1000, 0), (2000, 0)),
]


def test_main_stem_takes_the_longest_way_through_a_braid() -> None:
    assert stem.main_stem(tiny.metric(LINES).geometry, 0.5) == [0, 1, 3]


@pytest.mark.parametrize("order", [[3, 2, 1, 0], [1, 3, 0, 2]])
def test_order_of_the_lines_does_not_matter(order: list[int]) -> None:
    got = stem.main_stem(tiny.metric([LINES[i] for i in order]).geometry, 0.5)
    assert [order[i] for i in got] == [0, 1, 3]


def test_a_loop_ends() -> None:
    ring = [tiny.line((0, 0), (100, 0)), tiny.line((100, 0), (100, 100)), tiny.line((100, 100), (0, 0))]
    got = stem.main_stem(tiny.metric(ring).geometry, 0.5)
    assert len(got) == len(set(got)) and got


def test_ends_within_the_snap_distance_meet() -> None:
    gap = [tiny.line((0, 0), (100, 0)), tiny.line((100.3, 0), (200, 0))]
    assert stem.main_stem(tiny.metric(gap).geometry, 0.5) == [0, 1]
    assert len(stem.main_stem(tiny.metric(gap).geometry, 0.1)) == 1


def test_joined_line_runs_through_all_points() -> None:
    frame = tiny.metric(LINES)
    line = stem.joined(frame.geometry, [0, 1, 3])
    assert line.length == pytest.approx(sum(LINES[i].length for i in (0, 1, 3)))


def test_degrees_are_refused() -> None:
    with pytest.raises(CrsRefused):
        stem.main_stem(tiny.degrees(tiny.metric(LINES)).geometry, 0.5)
