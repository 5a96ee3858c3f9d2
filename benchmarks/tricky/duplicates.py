"""What is one incident and what are several; ground counted once."""

from __future__ import annotations

from tricky.kit import HOUSE, WHOLE, As, Case, Found, Shape, area, permit, rect, seen


def moved(metres: float) -> Shape:
    """The house moved along, so that both share 20 less so many of 20 and so many more metres."""
    return rect(100 + metres, 40, 20, 15)


HALVES = (area(rect(0, 0, 110, 120), "R1"), area(rect(110, 0, 890, 120), "R2"))

CASES = {
    # its own area 300, that of both 390: which one is meant is not said
    "iou-0.54": Case(
        "14 of 26 m shared: one incident",
        [seen("c1", HOUSE), seen("c2", moved(6), source="inspector")],
        [Found("c1 c2", 345, tol_m2=47)],
        boundary=WHOLE,
    ),
    "iou-0.43": Case(
        "12 of 28 m shared: two incidents, their ground counted once",
        [seen("c1", HOUSE), seen("c2", moved(8), source="inspector")],
        [Found("c1", 300), Found("c2", 300)],
        boundary=WHOLE,
        total_m2=420,
    ),
    "overlap-of-a-third": Case(
        "two of a kind share 30 % of each",
        [seen("c1", HOUSE), seen("c2", moved(14), source="landuse")],
        [Found("c1", 300), Found("c2", 300)],
        boundary=WHOLE,
        total_m2=510,
        place="chengdu",
    ),
    "three-sources": Case(
        "one house from three sources, each a little off",
        [seen("c1", HOUSE), seen("c2", moved(1), source="landuse"), seen("c3", moved(2), source="inspector")],
        [Found("c1 c2 c3", 315, tol_m2=17)],
        boundary=WHOLE,
    ),
    "duplicate-out-of-order": Case(
        "ids against the order of the file, the other way round drawn",
        [
            seen("z9", HOUSE),
            seen("a1", {"type": "Polygon", "coordinates": [HOUSE["coordinates"][0][::-1]]}, source="inspector"),
        ],
        [Found("a1 z9", 300)],
        boundary=WHOLE,
        total_m2=300,
        place="lhasa",
    ),
    "duplicate-over-two-reaches": Case(
        "one house from two sources over the edge of two reaches",
        [seen("c1", HOUSE), seen("c2", HOUSE, source="inspector")],
        [Found("c1 c2", 300, "R1 R2")],
        boundary=HALVES,
        total_m2=300,
    ),
    "duplicate-in-another-datum": Case(
        "the second source is drawn in GCJ-02: it is the same house",
        [seen("c1", HOUSE), seen("c2", HOUSE, source="inspector", datum="gcj02")],
        [Found("c1 c2", 300, tol_m2=20)],
        told=["datum_gcj02_converted"],
        boundary=WHOLE,
    ),
    "duplicate-and-neighbour": Case(
        "one house from two sources, and a neighbour wall to wall",
        [seen("c1", HOUSE), seen("c2", HOUSE, source="inspector"), seen("c3", moved(20))],
        [Found("c1 c2", 300), Found("c3", 300)],
        boundary=WHOLE,
        total_m2=600,
    ),
    "wall-to-wall": Case(
        "two houses that share a wall",
        [seen("c1", HOUSE), seen("c2", moved(20))],
        [Found("c1", 300), Found("c2", 300)],
        boundary=WHOLE,
        total_m2=600,
        place="harbin",
    ),
    "heap-on-a-yard": Case(
        "a dump heap on an occupied yard: two kinds, one ground",
        [
            seen("c1", rect(100, 20, 60, 50), "occupation", "landuse"),
            seen("c2", rect(120, 30, 20, 15), "dump", "inspector"),
        ],
        [Found("c1", 3000), Found("c2", 300)],
        boundary=WHOLE,
        total_m2=3000,
    ),
    "same-shape-of-two-kinds": Case(
        "the same outline called a house and a dump",
        [seen("c1", HOUSE), seen("c2", HOUSE, "dump", "inspector")],
        [Found("c1", 300), Found("c2", 300)],
        boundary=WHOLE,
        total_m2=300,
        place="kunming",
    ),
    "stack-of-three": Case(
        "house on dump on field, partly over the line",
        [
            seen("c1", rect(100, 60, 100, 100), "occupation", "landuse"),
            seen("c2", rect(120, 100, 40, 40), "dump", "inspector"),
            seen("c3", rect(190, 70, 20, 20)),
        ],
        [Found("c1", 6000), Found("c2", 800), Found("c3", 400)],
        boundary=WHOLE,
        total_m2=6200,
    ),
    "small-in-large-of-a-kind": Case(
        "a house within a yard of the same kind, far smaller: two incidents by their shares",
        [seen("c1", rect(100, 20, 60, 50)), seen("c2", HOUSE, source="inspector")],
        [Found("c1", 3000), Found("c2", 300)],
        boundary=WHOLE,
        total_m2=3000,
    ),
    "duplicate-permitted": Case(
        "one house from two sources under a permit",
        [seen("c1", HOUSE), seen("c2", HOUSE, source="inspector")],
        why={"c1": "permitted", "c2": "permitted"},
        boundary=WHOLE,
        permits=(permit(rect(90, 30, 40, 35)),),
        total_m2=0.0,
    ),
    "duplicate-outside": Case(
        "one house from two sources outside the line",
        [seen("c1", rect(100, 160, 20, 15)), seen("c2", rect(100, 160, 20, 15), source="inspector")],
        why={"c1": "outside", "c2": "outside"},
        boundary=WHOLE,
    ),
    "duplicate-in-metres": Case(
        "duplicates in a file of metres",
        [seen("c1", HOUSE), seen("c2", HOUSE, source="inspector")],
        [Found("c1 c2", 300)],
        boundary=WHOLE,
        candidates_as=As("EPSG:4549"),
        place="shanghai",
        total_m2=300,
    ),
}
