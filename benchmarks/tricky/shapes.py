"""Candidates against areas: inside, partly, at the edge, in islands, over several reaches; faulty and odd shapes."""

from __future__ import annotations

import math

from tricky.kit import (
    ASIDE,
    HOUSE,
    ONE,
    REACH,
    REACH_RING,
    WHOLE,
    Case,
    Found,
    area,
    line,
    parts,
    point,
    polygon,
    rect,
    ring,
    seen,
    together,
)

ISLAND = [(400, 40), (600, 40), (600, 80), (400, 80), (400, 40)]
ISLANDED = (area(polygon(REACH_RING, ISLAND)),)
HALVES = (area(rect(0, 0, 500, 120), "R1"), area(rect(500, 0, 500, 120), "R2"))
BOW = polygon([(100, 20), (140, 60), (140, 20), (100, 60), (100, 20)])
COMB = polygon(
    [(100, 110), (110, 110), (110, 140), (150, 140), (150, 119.5), (190, 119.5), (190, 150), (100, 150), (100, 110)]
)
CIRCLE = [(500 + 50 * math.cos(k * math.tau / 2000), 60 + 50 * math.sin(k * math.tau / 2000)) for k in range(2000)]

CASES = {
    "partly-inside": Case(
        "half of a house lies over the line", [seen("c1", rect(100, 110, 20, 20))], [Found("c1", 200)], boundary=WHOLE
    ),
    "nothing-outside": Case(
        "a house 40 m beyond", [seen("c1", ASIDE)], why={"c1": "outside"}, boundary=WHOLE, total_m2=0.0
    ),
    "edge-outside": Case(
        "shares an edge from outside", [seen("c1", rect(100, 120, 20, 15))], why={"c1": "touches_only"}, boundary=WHOLE
    ),
    "corner-outside": Case(
        "shares only a corner", [seen("c1", rect(1000, 120, 20, 15))], why={"c1": "touches_only"}, boundary=WHOLE
    ),
    "edge-inside": Case(
        "shares an edge from inside", [seen("c1", rect(100, 105, 20, 15))], [Found("c1", 300)], boundary=WHOLE
    ),
    "edge-inside-harbin": Case(
        "shares an edge from inside, the other from outside, far from Wuhan",
        [seen("c1", rect(100, 105, 20, 15)), seen("c2", rect(200, 120, 20, 15))],
        [Found("c1", 300)],
        {"c2": "touches_only"},
        boundary=WHOLE,
        place="harbin",
    ),
    "scrap-corner": Case(
        "2 x 2 m of a house over the corner",
        [seen("c1", rect(998, 118, 22, 22))],
        why={"c1": "below_min_area"},
        boundary=WHOLE,
    ),
    "scraps-of-9-and-12": Case(
        "3 x 3 m is below the minimum, 4 x 3 m is not",
        [seen("c1", rect(997, 117, 23, 23)), seen("c2", rect(-20, 117, 24, 20))],
        [Found("c2", 12)],
        {"c1": "below_min_area"},
        boundary=WHOLE,
        place="chengdu",
    ),
    "small-shed": Case(
        "a shed of 8 m2, wholly inside", [seen("c1", rect(100, 40, 4, 2))], why={"c1": "below_min_area"}, boundary=WHOLE
    ),
    "widths-0.8-and-1.3": Case(
        "50 m long overlaps: 0.8 m wide is within the tolerance, 1.3 m is not",
        [seen("c1", rect(100, 119.2, 50, 20)), seen("c2", rect(300, 118.7, 50, 20))],
        [Found("c2", 65)],
        {"c1": "within_tolerance"},
        boundary=WHOLE,
    ),
    "sliver-of-90-m2": Case(
        "0.9 m wide and 100 m long: thin however large",
        [seen("c1", rect(100, 119.1, 100, 30))],
        why={"c1": "within_tolerance"},
        boundary=WHOLE,
        place="urumqi",
    ),
    "wall-inside": Case(
        "a wall 0.8 m thick and 200 m long, inside",
        [seen("c1", rect(100, 60, 200, 0.8))],
        why={"c1": "within_tolerance"},
        boundary=WHOLE,
    ),
    "thin-part-and-broad-part": Case(
        "a U whose broad leg is 10 m inside and whose thin one 0.5 m: only the broad one counts",
        [seen("c1", COMB)],
        [Found("c1", 100)],
        boundary=WHOLE,
    ),
    "bowtie": Case(
        "a crossed candidate keeps both lobes",
        [seen("c1", BOW)],
        [Found("c1", 800)],
        told=["candidate_repaired"],
        boundary=WHOLE,
    ),
    "bowtie-at-the-line": Case(
        "a crossed candidate with one lobe over the line",
        [
            seen("c1", polygon([(100, 100), (120, 140), (140, 100), (100, 100)])),
            seen("c2", polygon([(200, 100), (240, 140), (240, 100), (200, 140), (200, 100)])),
        ],
        [Found("c1", 600), Found("c2", 400)],
        told=["candidate_repaired"],
        boundary=WHOLE,
        place="shanghai",
    ),
    "overlapping-parts": Case(
        "parts of a multipolygon overlap: their ground is counted once",
        [seen("c1", parts(rect(100, 20, 30, 20), rect(120, 20, 30, 20)))],
        [Found("c1", 1000)],
        told=["candidate_repaired"],
        boundary=WHOLE,
    ),
    "parts-in-and-out": Case(
        "one part inside, one outside",
        [seen("c1", parts(HOUSE, ASIDE))],
        [Found("c1", 300)],
        boundary=WHOLE,
        place="lhasa",
    ),
    "courtyard": Case(
        "a candidate with a hole",
        [seen("c1", polygon(ring(100, 40, 40, 40), ring(110, 50, 20, 20)))],
        [Found("c1", 1200)],
        boundary=WHOLE,
    ),
    "corners-twice": Case(
        "corners that stand twice",
        [seen("c1", polygon([(100, 40), (100, 40), (120, 40), (120, 40), (120, 55), (100, 55), (100, 55), (100, 40)]))],
        [Found("c1", 300)],
        boundary=(area(polygon([(0, 0), (0, 0), (1000, 0), (1000, 120), (1000, 120), (0, 120), (0, 0)])),),
    ),
    "spike": Case(
        "a needle without width leads 60 m out of the line",
        [
            seen(
                "c1", polygon([(100, 40), (120, 40), (120, 55), (110, 55), (110, 180), (110, 55), (100, 55), (100, 40)])
            )
        ],
        [Found("c1", 300)],
        boundary=WHOLE,
    ),
    "heights": Case(
        "coordinates with heights",
        [seen("c1", polygon([(100, 40, 21.5), (120, 40, 21.5), (120, 55, 21.5), (100, 55, 21.5), (100, 40, 21.5)]))],
        [Found("c1", 300)],
        boundary=(area(polygon([(x, y, 20.0) for x, y in REACH_RING])),),
        place="kunming",
    ),
    "collections": Case(
        "polygons inside collections inside collections",
        [seen("c1", together(together(HOUSE), together(point(110, 45), line((100, 40), (120, 55)))))],
        [Found("c1", 300)],
        boundary=(area(together(REACH)),),
    ),
    "collection-without-area": Case(
        "a collection of nothing but a line has no ground",
        [seen("c1", HOUSE), seen("c2", {"type": "GeometryCollection", "geometries": []})],
        [Found("c1", 300)],
        {"c2": "no_geometry"},
        ["candidate_skipped"],
        WHOLE,
    ),
    "degenerate-ones": Case(
        "all corners at one place, and all on one line",
        [
            seen("c1", polygon([(100, 40)] * 4)),
            seen("c2", polygon([(100, 40), (150, 40), (130, 40), (100, 40)])),
            seen("c3", None),
        ],
        why={"c1": "degenerate|no_geometry|below_min_area", "c2": "degenerate|below_min_area", "c3": "no_geometry"},
        told=["candidate_skipped"],
        boundary=WHOLE,
    ),
    "no-candidates": Case("an empty file", [], boundary=WHOLE, total_m2=0.0),
    "two-thousand-corners": Case(
        "a round pond of 2,000 corners",
        [seen("c1", polygon([*CIRCLE, CIRCLE[0]]), "occupation", "landuse")],
        [Found("c1", 7853.97, tol_m2=8)],
        boundary=WHOLE,
    ),
    "two-reaches": Case(
        "over the shared edge of two reaches: one finding",
        [seen("c1", rect(490, 40, 20, 15))],
        [Found("c1", 300, "R1 R2")],
        boundary=HALVES,
        total_m2=300,
    ),
    "edge-of-two-reaches": Case(
        "ends at the shared edge: of the one reach alone",
        [seen("c1", rect(480, 40, 20, 15))],
        [Found("c1", 300, "R1")],
        boundary=HALVES,
    ),
    "three-reaches-with-gaps": Case(
        "a field over three reaches and the ground between them",
        [seen("c1", rect(50, -50, 900, 300), "occupation", "landuse")],
        [Found("c1", 250 * 120 + 200 * 120 + 150 * 120, "R1 R2 R3")],
        boundary=(
            area(rect(0, 0, 300, 120), "R1"),
            area(rect(400, 0, 200, 120), "R2"),
            area(rect(800, 0, 200, 120), "R3"),
        ),
        place="chengdu",
    ),
    "three-counties": Case(
        "three counties overlap where a house stands",
        [seen("c1", rect(490, 40, 20, 15)), seen("c2", rect(100, 40, 20, 15))],
        [Found("c1", 300, "R1 R2 R3"), Found("c2", 300, "R1")],
        boundary=(
            area(rect(0, 0, 530, 120), "R1", "county-A"),
            area(rect(470, 0, 530, 120), "R2", "county-B"),
            area(rect(400, 20, 200, 300), "R3", "county-C"),
        ),
        total_m2=600,
    ),
    "same-reach-twice": Case(
        "one reach in two features that overlap, and once more the same",
        [seen("c1", rect(480, 40, 40, 15))],
        [Found("c1", 600)],
        boundary=(area(rect(0, 0, 510, 120)), area(rect(490, 0, 510, 120)), area(rect(490, 0, 510, 120))),
        total_m2=600,
    ),
    "multipart-boundary": Case(
        "a reach in two parts; a house in each, one between them",
        [seen("c1", rect(100, 40, 20, 15)), seen("c2", rect(800, 40, 20, 15)), seen("c3", rect(500, 40, 20, 15))],
        [Found("c1", 300), Found("c2", 300)],
        {"c3": "outside"},
        boundary=(area(parts(rect(0, 0, 400, 120), rect(600, 0, 400, 120))),),
    ),
    "island-and-over-its-shore": Case(
        "on the island, over its shore, around all of it",
        [
            seen("c1", rect(450, 50, 20, 15)),
            seen("c2", rect(590, 50, 20, 20)),
            seen("c3", rect(390, 30, 220, 60), "occupation", "landuse"),
        ],
        [Found("c2", 200), Found("c3", 220 * 60 - 200 * 40)],
        {"c1": "in_hole"},
        boundary=ISLANDED,
        total_m2=220 * 60 - 200 * 40,
        place="shanghai",
    ),
    "along-the-island": Case(
        "on the island with a wall on its shore",
        [seen("c1", rect(400, 50, 20, 15))],
        why={"c1": "in_hole|touches_only"},
        boundary=ISLANDED,
    ),
    "hole-at-the-edge": Case(
        "a hole that touches the outer line at one point",
        [seen("c1", rect(495, 70, 10, 10)), seen("c2", rect(520, 105, 10, 10))],
        [Found("c2", 100)],
        {"c1": "in_hole"},
        boundary=(area(polygon(REACH_RING, [(460, 60), (500, 120), (540, 60), (460, 60)])),),
    ),
    "island-of-another-reach": Case(
        "the island in a reach is a reach of its own",
        [seen("c1", rect(450, 50, 20, 15)), seen("c2", rect(590, 50, 20, 20))],
        [Found("c1", 300, "R2"), Found("c2", 400, "R1 R2")],
        boundary=(*ISLANDED, area(polygon(ISLAND), "R2")),
        total_m2=700,
    ),
    "points": Case(
        "an inspector's points: inside, outside, on an island",
        [
            seen("c1", point(100, 60), "dump", "inspector"),
            seen("c2", point(100, 160), "dump", "inspector"),
            seen("c3", point(500, 60), "dump", "inspector"),
        ],
        [Found("c1", None)],
        {"c2": "outside", "c3": "in_hole"},
        boundary=ISLANDED,
        total_m2=0.0,
    ),
    "point-in-overlap": Case(
        "a point where two reaches overlap",
        [seen("c1", point(500, 60), "dump", "inspector")],
        [Found("c1", None, "R1 R2")],
        boundary=(area(rect(0, 0, 520, 120), "R1"), area(rect(480, 0, 520, 120), "R2")),
    ),
    "bowtie-boundary-of-parts": Case(
        "a boundary in two parts, one of them crossed",
        [
            seen("c1", rect(20, 55, 10, 10)),
            seen("c2", rect(460, 55, 10, 10)),
            seen("c3", rect(240, 5, 10, 10)),
            seen("c4", rect(700, 40, 20, 15)),
        ],
        [Found("c1", 100), Found("c2", 100), Found("c4", 300)],
        {"c3": "outside"},
        ["boundary_repaired"],
        (area(parts(polygon([(0, 0), (500, 120), (500, 0), (0, 120), (0, 0)]), rect(600, 0, 400, 120))),),
        place="guangzhou",
    ),
    "boundary-without-shape": Case(
        "one reach has no shape: the other one counts",
        ONE,
        [Found("c1", 300)],
        boundary=(*WHOLE, area(None, "R2")),
    ),
    "no-boundary": Case("no line at all: nothing can be told", ONE, why={"c1": "undecided|outside"}),
}
