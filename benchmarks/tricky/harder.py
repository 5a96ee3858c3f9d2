"""Cases nearer to what survey offices and people deliver: rough lines, bends, ditches, slanting reaches, odd days, broken rings."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tricky.kit import (
    ASIDE,
    HOUSE,
    ONE,
    REACH,
    REACH_RING,
    WHOLE,
    As,
    Case,
    Found,
    Shape,
    Spot,
    area,
    line,
    lines,
    parts,
    permit,
    polygon,
    rect,
    ring,
    seen,
    urn,
)

CLOSED = "boundary_line_polygonised|boundary_gap_closed"
COVERED = {"c1": "permitted"}
AROUND = rect(90, 30, 40, 35)
NO_SHAPE: Shape = {"type": "MultiPolygon", "coordinates": []}
EMPTY_RING: Shape = {"type": "Polygon", "coordinates": [[]]}


def rough(start: Spot, end: Spot, step_m: float = 0.5, rise_m: float = 0.4) -> list[Spot]:
    """A zigzag from one place to another, as a traced bank has it; as much of it left of the straight line as right."""
    length = math.dist(start, end)
    along, across = ((end[0] - start[0]) / length, (end[1] - start[1]) / length), rise_m
    spots: list[Spot] = []
    for k in range(round(length / step_m) + 1):
        off = 0.0 if k % 2 == 0 else across * (1 if k % 4 == 1 else -1)
        way = min(k * step_m, length)
        spots.append((start[0] + way * along[0] - off * along[1], start[1] + way * along[1] + off * along[0]))
    return spots


def slanting(spots: Sequence[Spot]) -> list[Spot]:
    """Turned by 45 degrees about the corner."""
    half = math.sqrt(0.5)
    return [((x - y) * half, (x + y) * half) for x, y in spots]


def ends(end: object, permitted: bool, about: str) -> Case:
    row = permit(AROUND)
    row[0]["valid_to"] = end
    if permitted:
        return Case(about, ONE, why=COVERED, boundary=WHOLE, permits=(row,))
    return Case(about, ONE, [Found("c1", 300)], boundary=WHOLE, permits=(row,))


FOOT, TOP = rough((0, 0), (1000, 0)), rough((0, 120), (1000, 120))
OUTLINE = [*FOOT, *rough((1000, 0), (1000, 120))[1:], *TOP[::-1][1:], *rough((0, 120), (0, 0))[1:]]
COVER = seen("c1", rect(-50, -50, 1100, 220), "occupation", "landuse")
# a horseshoe: out along y = 0..60, round, and back along y = 200..260
OUTER = [(0, 0), (800, 0), (800, 260), (0, 260)]
INNER = [(0, 60), (740, 60), (740, 200), (0, 200)]
BEND = [seen("c1", rect(100, 20, 20, 15)), seen("c2", rect(100, 220, 20, 15)), seen("c3", rect(300, 120, 20, 15))]
DITCH = seen("c1", rect(100, -10, 20, 24))
LAKE = parts(polygon(REACH_RING, ring(400, 20, 200, 80)[::-1]), rect(450, 40, 100, 40))
ON_LAKE = [seen("c1", rect(490, 50, 20, 15)), seen("c2", rect(410, 50, 20, 15))]

CASES = {
    "rough-banks": Case(
        "banks with a corner every half metre: all that lies between them",
        [COVER],
        [Found("c1", 120_000, tol_m2=12)],
        told=["boundary_from_banks"],
        boundary=(area(line(*TOP), bank="left"), area(line(*FOOT), bank="right")),
    ),
    "rough-banks-upstream": Case(
        "the same, one drawn upstream",
        [COVER],
        [Found("c1", 120_000, tol_m2=12)],
        told=["boundary_from_banks"],
        boundary=(area(line(*TOP[::-1]), bank="left"), area(line(*FOOT), bank="right")),
        place="urumqi",
    ),
    "rough-closed-line": Case(
        "a closed line with a corner every half metre",
        [COVER],
        [Found("c1", 120_000, tol_m2=12)],
        told=[CLOSED],
        boundary=(area(line(*OUTLINE)),),
    ),
    "rough-line-gap-3m": Case(
        "a rough line with a gap of 3 m",
        [COVER],
        [Found("c1", 120_000, tol_m2=15)],
        told=["boundary_gap_closed"],
        boundary=(area(line(*OUTLINE[1006:], *OUTLINE[1:1001])),),
        place="shanghai",
    ),
    "rough-line-gap-20m": Case(
        "a rough line with a gap of 20 m is not closed",
        ONE,
        why={"c1": "undecided"},
        told=["boundary_not_closed"],
        boundary=(area(line(*OUTLINE[1040:], *OUTLINE[1:1001])),),
    ),
    "horseshoe": Case(
        "banks of a horseshoe: the land within the bend is no river",
        BEND,
        [Found("c1", 300), Found("c2", 300)],
        {"c3": "outside"},
        ["boundary_from_banks"],
        (area(line(*OUTER), bank="right"), area(line(*INNER), bank="left")),
    ),
    "horseshoe-one-drawn-upstream": Case(
        "the same, the inner bank drawn upstream",
        BEND,
        [Found("c1", 300), Found("c2", 300)],
        {"c3": "outside"},
        ["boundary_from_banks"],
        (area(line(*OUTER), bank="right"), area(line(*INNER[::-1]), bank="left")),
        place="lhasa",
    ),
    "lines-without-banks": Case(
        "two parallel lines that do not say which bank they are are joined by nobody",
        ONE,
        why={"c1": "undecided"},
        told=["boundary_not_closed"],
        boundary=(area(line((0, 120), (1000, 120))), area(line((0, 0), (1000, 0)))),
    ),
    "ditch-banks": Case(
        "banks of a ditch of 4 m, nearer to each other than the snap tolerance",
        [DITCH],
        [Found("c1", 80)],
        told=["boundary_from_banks|" + CLOSED],
        boundary=(area(line((0, 4), (1000, 4)), bank="left"), area(line((0, 0), (1000, 0)), bank="right")),
    ),
    "ditch-line-gap-3m": Case(
        "the outline of a ditch of 6 m with a gap of 3 m in one side",
        [DITCH],
        [Found("c1", 120)],
        told=["boundary_gap_closed"],
        boundary=(area(line((503, 0), (1000, 0), (1000, 6), (0, 6), (0, 0), (500, 0))),),
        place="guangzhou",
    ),
    "ditch-of-3m": Case(
        "a house over a ditch of 3 m", [DITCH], [Found("c1", 60)], boundary=(area(rect(0, 0, 1000, 3)),)
    ),
    "strip-of-0.7m": Case(
        "an area thinner than the tolerance",
        [DITCH],
        why={"c1": "within_tolerance"},
        boundary=(area(rect(0, 0, 1000, 0.7)),),
    ),
    "house-at-the-closed-gap": Case(
        "a house lies half over the gap that was closed",
        [seen("c1", rect(490, -10, 30, 20))],
        [Found("c1", 300)],
        told=["boundary_gap_closed"],
        boundary=(area(line((503, 0), (1000, 0), (1000, 120), (0, 120), (0, 0), (500, 0))),),
    ),
    "common-side-drawn-once": Case(
        "the side between two reaches is drawn with one of them only: the other is open",
        [seen("c1", HOUSE), seen("c2", rect(1100, 40, 20, 15))],
        [Found("c2", 300, "R2")],
        {"c1": "undecided"},
        [CLOSED, "boundary_not_closed"],
        (
            area(line((1000, 0), (0, 0), (0, 120), (1000, 120))),
            area(line((1000, 0), (2000, 0), (2000, 120), (1000, 120), (1000, 0)), "R2"),
        ),
    ),
    "slanting-reach": Case(
        "a reach at 45 degrees: in its box, but not in it",
        [
            seen("c1", polygon(slanting(ring(100, 40, 20, 15)))),
            seen("c2", rect(100, 500, 20, 15)),
            seen("c3", polygon(slanting(ring(100, 110, 20, 20)))),
        ],
        [Found("c1", 300), Found("c3", 200)],
        {"c2": "outside"},
        boundary=(area(polygon(slanting(REACH_RING))),),
        place="kunming",
    ),
    "slanting-edge": Case(
        "a slanting reach touched along its edge and at its corner",
        [seen("c1", polygon(slanting(ring(100, 120, 20, 15)))), seen("c2", polygon(slanting(ring(1000, 120, 20, 15))))],
        why={"c1": "touches_only", "c2": "touches_only"},
        boundary=(area(polygon(slanting(REACH_RING))),),
    ),
    "slanting-common-edge": Case(
        "two slanting reaches with an edge in common, a house that ends there and one over it",
        [seen("c1", polygon(slanting(ring(480, 40, 20, 15)))), seen("c2", polygon(slanting(ring(490, 80, 20, 15))))],
        [Found("c1", 300, "R1"), Found("c2", 300, "R1 R2")],
        boundary=(area(polygon(slanting(ring(0, 0, 500, 120)))), area(polygon(slanting(ring(500, 0, 500, 120))), "R2")),
        place="chengdu",
        total_m2=600,
    ),
    "land-between-two-reaches": Case(
        "land that two reaches enclose is none of them",
        [seen("c1", rect(200, 90, 20, 15))],
        why={"c1": "outside|in_hole"},
        boundary=(
            area(polygon([(0, 0), (400, 0), (400, 60), (60, 60), (60, 200), (0, 200), (0, 0)])),
            area(polygon([(60, 140), (340, 140), (340, 60), (400, 60), (400, 200), (60, 200), (60, 140)]), "R2"),
        ),
    ),
    "island-with-a-lake": Case(
        "on the island, and in the lake of the island that belongs to the reach",
        ON_LAKE,
        [Found("c1", 300)],
        {"c2": "in_hole"},
        boundary=(area(LAKE),),
    ),
    "island-as-inner-ring": Case(
        "two closed lines, one within the other: the inner one is an island",
        [seen("c1", rect(490, 50, 20, 15)), seen("c2", HOUSE)],
        [Found("c2", 300)],
        {"c1": "in_hole|undecided"},
        [CLOSED],
        (area(lines(REACH_RING, ring(400, 20, 200, 80))),),
    ),
    "island-between-banks": Case(
        "two banks, and a closed line between them: an island",
        [seen("c1", rect(490, 50, 20, 15)), seen("c2", HOUSE)],
        [Found("c2", 300)],
        {"c1": "in_hole|undecided"},
        ["boundary_from_banks"],
        (
            area(line((0, 120), (1000, 120)), bank="left"),
            area(line((0, 0), (1000, 0)), bank="right"),
            area(line(*ring(400, 20, 200, 80)), bank=None),
        ),
    ),
    "line-and-area-of-one-reach": Case(
        "one reach as an area and, overlapping, as a closed line",
        [seen("c1", rect(480, 40, 40, 15))],
        [Found("c1", 600)],
        told=[CLOSED],
        boundary=(area(rect(0, 0, 510, 120)), area(line(*ring(490, 0, 510, 120)))),
        total_m2=600,
    ),
    "broken-rings-beside-a-good-one": Case(
        "rings of two places, of none, and parts of none: the good one is still found",
        [
            seen("c1", polygon([(100, 40), (120, 40), (100, 40)])),
            seen("c2", EMPTY_RING),
            seen("c3", NO_SHAPE),
            seen("c4", rect(200, 40, 20, 15)),
        ],
        [Found("c4", 300)],
        {"c1": "degenerate|no_geometry|below_min_area", "c2": "no_geometry|degenerate", "c3": "no_geometry"},
        ["candidate_skipped"],
        WHOLE,
    ),
    "ring-not-closed": Case(
        "a ring whose last corner is not said again",
        [seen("c1", polygon([(100, 40), (120, 40), (120, 55), (100, 55)])), seen("c2", rect(200, 40, 20, 15))],
        [Found("c1", 300), Found("c2", 300)],
        boundary=WHOLE,
    ),
    "many-points": Case(
        "several points of one report, some inside",
        [seen("c1", {"type": "MultiPoint", "coordinates": [(100, 60), (100, 160)]}, "dump", "inspector")],
        [Found("c1", None)],
        boundary=WHOLE,
    ),
    "permit-for-ever": ends("9999-12-31", True, "valid to the end of all days"),
    "permit-number-day": ends(20260601, True, "the last day as a number, today"),
    "permit-number-day-ended": ends(20260531, False, "the last day as a number, yesterday"),
    "permit-day-with-zone": ends("2026-06-01T23:59:59+08:00", True, "the last second of the day at Beijing"),
    "permit-chinese-day": ends("2026年6月1日", True, "the last day in Chinese, today"),
    "permit-chinese-day-ended": ends("2026年5月31日", False, "the last day in Chinese, yesterday"),
    "permit-ends-before-it-starts": Case(
        "first and last day in the wrong order: valid on no day",
        ONE,
        [Found("c1", 300)],
        boundary=WHOLE,
        permits=(permit(AROUND, start="2027-01-01", end="2025-01-01"),),
    ),
    "duplicate-partly-permitted": Case(
        "two sources of one house, three quarters permitted",
        [seen("c1", HOUSE), seen("c2", HOUSE, source="inspector")],
        [Found("c1 c2", 75)],
        boundary=WHOLE,
        permits=(permit(rect(90, 30, 25, 40)),),
        total_m2=75,
    ),
    "three-kinds-on-one-ground": Case(
        "three kinds with one outline, one of them permitted",
        [seen("c1", HOUSE), seen("c2", HOUSE, "dump"), seen("c3", HOUSE, "occupation", "landuse")],
        [Found("c2", 300), Found("c3", 300)],
        COVERED,
        boundary=WHOLE,
        permits=(permit(AROUND),),
        total_m2=300,
    ),
    "between-zones": Case(
        "at the seam of two zones, files in either of them",
        [seen("c1", HOUSE), seen("c2", ASIDE)],
        [Found("c1", 300)],
        {"c2": "outside"},
        boundary=WHOLE,
        place="seam",
        candidates_as=As("EPSG:4548"),
        boundary_as=As("EPSG:4547"),
    ),
    "far-north": Case(
        "at Mohe",
        [seen("c1", HOUSE), seen("c2", ASIDE)],
        [Found("c1", 300)],
        {"c2": "outside"},
        boundary=WHOLE,
        place="mohe",
    ),
    "far-south": Case(
        "on Hainan, in web mercator",
        [seen("c1", HOUSE), seen("c2", ASIDE)],
        [Found("c1", 300)],
        {"c2": "outside"},
        boundary=WHOLE,
        place="hainan",
        candidates_as=As("EPSG:3857"),
    ),
    "far-west": Case(
        "at Kashgar, both in metres of zone 25",
        [seen("c1", HOUSE), seen("c2", ASIDE)],
        [Found("c1", 300)],
        {"c2": "outside"},
        boundary=WHOLE,
        place="kashgar",
        candidates_as=As("EPSG:4513"),
        boundary_as=As("EPSG:4534"),
    ),
    "urn-with-version": Case(
        "the CRS as a URN with a version",
        [seen("c1", HOUSE), seen("c2", ASIDE)],
        [Found("c1", 300)],
        {"c2": "outside"},
        boundary=WHOLE,
        candidates_as=As("EPSG:4547", said="urn:ogc:def:crs:EPSG:8.9:4547"),
        boundary_as=As(said="EPSG:4490"),
    ),
    "false-zone": Case(
        "metres of zone 38 in a file that says the zone beside: 290 km off, never a finding there by luck",
        ONE,
        why={"c1": "outside|undecided"},
        boundary=WHOLE,
        candidates_as=As("EPSG:4547", said=urn("EPSG:4548")),
    ),
    "gcj02-both": Case(
        "both files in GCJ-02",
        [seen("c1", HOUSE), seen("c2", ASIDE)],
        [Found("c1", 300, tol_m2=6)],
        {"c2": "outside"},
        ["datum_gcj02_converted"],
        WHOLE,
        candidates_as=As(datum="gcj02"),
        boundary_as=As(datum="gcj02"),
        place="hainan",
    ),
    "gcj02-swapped": Case(
        "GCJ-02 with latitude first",
        [seen("c1", HOUSE), seen("c2", ASIDE)],
        [Found("c1", 300, tol_m2=6)],
        {"c2": "outside"},
        ["axis_order|layer_rejected", "datum_gcj02_converted|layer_rejected"],
        WHOLE,
        candidates_as=As(datum="gcj02", swap=True),
        or_told="axis_order|layer_rejected",
    ),
    "gcj02-edge": Case(
        "GCJ-02, 1.5 m inside and 1.5 m outside: the way back is exact to far less",
        [seen("c1", rect(100, 118.5, 40, 20), datum="gcj02"), seen("c2", rect(300, 121.5, 40, 20), datum="gcj02")],
        [Found("c1", 60, tol_m2=4)],
        {"c2": "outside"},
        ["datum_gcj02_converted"],
        WHOLE,
        place="chengdu",
    ),
    "whole-reach-permitted-but-one": Case(
        "all of a reach is permitted but a strip",
        [seen("c1", REACH, "occupation", "landuse")],
        [Found("c1", 12_000)],
        boundary=WHOLE,
        permits=(permit(rect(0, 0, 1000, 108), "occupation"),),
    ),
}
