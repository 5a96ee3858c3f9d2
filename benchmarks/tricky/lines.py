"""Boundaries that come as lines: closed, with gaps, in parts, crossing themselves, as banks."""

from __future__ import annotations

from tricky.kit import (
    ASIDE,
    HOUSE,
    ONE,
    REACH_RING,
    WHOLE,
    Case,
    Found,
    Row,
    Shape,
    area,
    line,
    lines,
    parts,
    polygon,
    rect,
    seen,
)

CLOSED = "boundary_line_polygonised|boundary_gap_closed"
A, B, C, D = REACH_RING[:4]
SIDES = [[A, B], [D, C], [B, C], [A, D]]  # out of order, two of them against the way round
TOP, FOOT = line((0, 120), (1000, 120)), line((0, 0), (1000, 0))


def gap(metres: float) -> Row:
    """The outline of the reach, open by so many metres in its lower side."""
    return area(line((500 + metres, 0), B, C, D, A, (500, 0)))


def bank(shape: Shape, side: str, reach: str = "R1") -> Row:
    return area(shape, reach, bank=side)


CASES = {
    "gap-3m": Case(
        "a line with a gap of 3 m is closed, and that is said",
        ONE,
        [Found("c1", 300)],
        told=["boundary_gap_closed"],
        boundary=(gap(3.0),),
    ),
    "gap-4.8m": Case(
        "4.8 m is still within 5 m, at the other end of the country",
        ONE,
        [Found("c1", 300)],
        told=["boundary_gap_closed"],
        boundary=(gap(4.8),),
        place="urumqi",
    ),
    "gap-8m": Case(
        "8 m is too much to be closed by guess",
        ONE,
        why={"c1": "undecided"},
        told=["boundary_not_closed"],
        boundary=(gap(8.0),),
    ),
    "gap-8m-house-far-off": Case(
        "what stands 3 km from an open line is not decided by it",
        [seen("c1", HOUSE), seen("c2", rect(100, 3000, 20, 15))],
        why={"c1": "undecided", "c2": "outside|undecided"},
        told=["boundary_not_closed"],
        boundary=(gap(8.0),),
    ),
    "two-gaps": Case(
        "two parts whose ends miss each other by 2 and by 4 m",
        ONE,
        [Found("c1", 300)],
        told=["boundary_gap_closed"],
        boundary=(area(lines([(300, 0), A, D, (400, 120)], [(404, 120), C, B, (302, 0)])),),
        place="shanghai",
    ),
    "parts-out-of-order": Case(
        "four sides in one feature, out of order and some reversed",
        ONE,
        [Found("c1", 300)],
        told=[CLOSED],
        boundary=(area(lines(*SIDES)),),
    ),
    "sides-as-features": Case(
        "four sides, each a feature of its own",
        ONE,
        [Found("c1", 300)],
        told=[CLOSED],
        boundary=tuple(area(line(*side)) for side in SIDES),
        place="harbin",
    ),
    "end-on-the-line": Case(
        "the line ends on itself, with a tail left before it",
        ONE,
        [Found("c1", 300)],
        told=[CLOSED + "|boundary_repaired"],
        boundary=(area(line((-80, 60), (0, 60), D, C, B, A, (0, 60))),),
    ),
    "end-near-the-line": Case(
        "the end stops 2 m before the line itself, beside its middle",
        ONE,
        [Found("c1", 300)],
        told=[CLOSED + "|boundary_repaired"],
        boundary=(area(line((-80, 60), (0, 60), D, C, B, A, (0, 58))),),
    ),
    "line-overshoots": Case(
        "the last 3 m are drawn twice",
        ONE,
        [Found("c1", 300)],
        told=[CLOSED + "|boundary_repaired"],
        boundary=(area(line((0, 3), (0, 120), C, B, (0, 0), (0, 6))),),
    ),
    "figure-of-eight": Case(
        "a closed line that crosses itself keeps both lobes",
        [seen("c1", rect(20, 55, 10, 10)), seen("c2", rect(960, 55, 10, 10)), seen("c3", rect(500, 100, 10, 10))],
        [Found("c1", 100), Found("c2", 100)],
        {"c3": "outside"},
        ["boundary_repaired|boundary_line_polygonised"],
        (area(line(A, C, B, D, A)),),
    ),
    "several-rings": Case(
        "two closed lines of one reach beside each other",
        [seen("c1", HOUSE), seen("c2", rect(700, 40, 20, 15)), seen("c3", rect(500, 40, 20, 15))],
        [Found("c1", 300), Found("c2", 300)],
        {"c3": "outside"},
        [CLOSED],
        (area(lines([A, (400, 0), (400, 120), D, A], [(600, 0), B, C, (600, 120), (600, 0)])),),
        place="kunming",
    ),
    "line-with-heights": Case(
        "a closed line with heights",
        ONE,
        [Found("c1", 300)],
        told=[CLOSED],
        boundary=(area(line(*[(x, y, 18.2) for x, y in REACH_RING])),),
    ),
    "banks-same-way": Case(
        "two bank lines, both digitised downstream",
        [seen("c1", HOUSE), seen("c2", ASIDE)],
        [Found("c1", 300)],
        {"c2": "outside"},
        ["boundary_from_banks"],
        (bank(TOP, "left"), bank(FOOT, "right")),
    ),
    "banks-opposite-ways": Case(
        "two bank lines, one digitised downstream, one upstream",
        [seen("c1", HOUSE), seen("c2", rect(900, 110, 20, 20))],
        [Found("c1", 300), Found("c2", 200)],
        told=["boundary_from_banks"],
        boundary=(bank(TOP, "left"), bank(line((1000, 0), (0, 0)), "right")),
        place="chengdu",
    ),
    "banks-in-parts": Case(
        "each bank in three features, out of order, one part reversed",
        [seen("c1", HOUSE), seen("c2", rect(640, 40, 20, 15)), seen("c3", rect(500, 130, 20, 15))],
        [Found("c1", 300), Found("c2", 300)],
        {"c3": "outside"},
        ["boundary_from_banks"],
        (
            bank(line((300, 120), (650, 120)), "left"),
            bank(line((0, 0), (400, 0)), "right"),
            bank(line((300, 120), (0, 120)), "left"),
            bank(line((700, 0), (1000, 0)), "right"),
            bank(line((650, 120), (1000, 120)), "left"),
            bank(line((400, 0), (700, 0)), "right"),
        ),
    ),
    "banks-as-multilines": Case(
        "each bank a multi-line whose parts miss each other by 1 m",
        ONE,
        [Found("c1", 300)],
        told=["boundary_from_banks"],
        boundary=(
            bank(lines([(500, 120), (1000, 120)], [(0, 120), (499, 120)]), "left"),
            bank(lines([(0, 0), (600, 0)], [(1000, 0), (601, 0)]), "right"),
        ),
        place="lhasa",
    ),
    "banks-of-different-length": Case(
        "the right bank is shorter: the ends are joined straight",
        [seen("c1", rect(480, 0, 40, 120)), seen("c2", rect(0, 0, 40, 20))],
        [Found("c1", 4800)],
        {"c2": "outside"},
        ["boundary_from_banks"],
        (bank(TOP, "left"), bank(line((200, 0), (800, 0)), "right")),
    ),
    "banks-of-a-bend": Case(
        "a river that turns by a right angle, its banks digitised against each other",
        [seen("c1", rect(1010, 400, 20, 15)), seen("c2", rect(800, 300, 20, 15)), seen("c3", HOUSE)],
        [Found("c1", 300), Found("c3", 300)],
        {"c2": "outside"},
        ["boundary_from_banks"],
        (bank(line((0, 120), (1000, 120), (1000, 900)), "left"), bank(line((1120, 900), (1120, 0), (0, 0)), "right")),
    ),
    "banks-in-chinese": Case(
        "岸别 as 左岸 and 右岸",
        ONE,
        [Found("c1", 300)],
        told=["boundary_from_banks"],
        boundary=(bank(TOP, "左岸"), bank(FOOT, "右岸")),
    ),
    "banks-of-two-reaches": Case(
        "banks of two reaches that follow each other",
        [seen("c1", rect(990, 40, 20, 15)), seen("c2", rect(1500, 40, 20, 15))],
        [Found("c1", 300, "R1 R2"), Found("c2", 300, "R2")],
        told=["boundary_from_banks"],
        boundary=(
            bank(TOP, "left"),
            bank(FOOT, "right"),
            bank(line((1000, 120), (2000, 120)), "left", "R2"),
            bank(line((2000, 0), (1000, 0)), "right", "R2"),
        ),
        total_m2=600,
    ),
    "lone-bank": Case(
        "only the left bank was delivered",
        ONE,
        why={"c1": "undecided"},
        told=["boundary_not_closed"],
        boundary=(bank(TOP, "left"),),
    ),
    "lone-bank-beside-a-whole-reach": Case(
        "one reach is whole, of the next there is only one bank",
        [seen("c1", HOUSE), seen("c2", rect(1400, 100, 20, 15))],
        [Found("c1", 300)],
        {"c2": "undecided"},
        ["boundary_not_closed"],
        (*WHOLE, bank(line((1000, 120), (2000, 120)), "left", "R2")),
        place="guangzhou",
    ),
    "area-line-and-open-line": Case(
        "three reaches: an area, a closed line, and a line that does not close",
        [seen("c1", HOUSE), seen("c2", rect(1300, 40, 20, 15)), seen("c3", rect(2300, 40, 20, 15))],
        [Found("c1", 300, "R1"), Found("c2", 300, "R2")],
        {"c3": "undecided"},
        [CLOSED, "boundary_not_closed"],
        (
            *WHOLE,
            area(line((1100, 0), (2000, 0), (2000, 120), (1100, 120), (1100, 0)), "R2"),
            area(line((2600, 0), (3000, 0), (3000, 120), (2100, 120), (2100, 0)), "R3"),
        ),
        total_m2=600,
    ),
    "crossed-hole": Case(
        "the island is drawn crossed: the house on one of its lobes is on no reach",
        [seen("c1", rect(585, 55, 10, 10)), seen("c2", HOUSE)],
        [Found("c2", 300)],
        {"c1": "in_hole|outside"},
        ["boundary_repaired"],
        (area(polygon(REACH_RING, [(400, 40), (600, 80), (600, 40), (400, 80), (400, 40)])),),
    ),
    "overlapping-parts-of-boundary": Case(
        "a boundary whose parts overlap: the common ground is inside and counted once",
        [seen("c1", rect(490, 40, 20, 15))],
        [Found("c1", 300)],
        told=["boundary_repaired"],
        boundary=(area(parts(rect(0, 0, 520, 120), rect(480, 0, 520, 120))),),
        total_m2=300,
    ),
}
