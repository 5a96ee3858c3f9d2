"""Permits: days, kinds, shapes and unions; as of 2026-06-01."""

from __future__ import annotations

from typing import Any

from tricky.kit import ASIDE, HOUSE, ONE, WHOLE, Case, Found, parts, permit, point, polygon, rect, seen

AROUND = rect(90, 30, 40, 35)
COVERED = {"c1": "permitted"}
FOUND = [Found("c1", 300)]


def days(about: str, start: str | None, end: str | None, permitted: bool, **more: str) -> Case:
    told: dict[str, Any] = {"why": COVERED} if permitted else {"found": FOUND}
    return Case(about, ONE, boundary=WHOLE, permits=(permit(AROUND, start=start, end=end, **more),), **told)


def works(about: str, kind: str, allows: str, end: str, permitted: str = "") -> Case:
    """A quarry or a house under a permit of a kind in words."""
    seen_kind = "building" if allows == "building" else allows
    told: dict[str, Any] = {"why": {"c1": permitted}} if permitted else {"found": FOUND}
    row = permit(AROUND, allows, end=end, kind=kind)
    return Case(about, [seen("c1", HOUSE, seen_kind)], boundary=WHOLE, permits=(row,), **told)


CASES = {
    "permit-whole": days("a valid permit over all of it", "2024-01-01", "2030-12-31", True),
    "permit-ended-yesterday": days("ended on 2026-05-31", "2024-01-01", "2026-05-31", False),
    "permit-starts-tomorrow": days("starts on 2026-06-02", "2026-06-02", "2027-06-01", False),
    "permit-starts-today": days("starts on the day itself", "2026-06-01", "2027-06-01", True),
    "permit-of-one-day": days("valid on this day alone", "2026-06-01", "2026-06-01", True),
    "permit-without-end": days("no last day", "2024-01-01", None, True),
    "permit-without-start": days("no first day", None, "2026-06-01", True),
    "permit-slashed-dates": days("days written with slashes", "2024/01/01", "2026/06/01", True),
    "permit-dates-with-hours": days(
        "the last day with an hour: all of that day counts", "2024-01-01T00:00:00", "2026-06-01T00:00:00", True
    ),
    "permit-ended-slashed": days("ended yesterday, days written with slashes", "2024/01/01", "2026/05/31", False),
    "two-permits-cover-together": Case(
        "two overlapping permits cover it together",
        ONE,
        why=COVERED,
        boundary=WHOLE,
        permits=(permit(rect(90, 30, 25, 40)), permit(rect(108, 30, 30, 40), id="p2")),
    ),
    "two-permits-edge-to-edge": Case(
        "two permits that meet in the middle of it",
        ONE,
        why=COVERED,
        boundary=WHOLE,
        place="harbin",
        permits=(permit(rect(90, 30, 20, 40)), permit(rect(110, 30, 30, 40), id="p2")),
    ),
    "one-of-two-permits-ended": Case(
        "of two permits that cover it together one has ended",
        ONE,
        [Found("c1", 150)],
        boundary=WHOLE,
        permits=(permit(rect(90, 30, 20, 40)), permit(rect(110, 30, 30, 40), id="p2", end="2026-05-31")),
    ),
    "overlapping-permits-subtract-once": Case(
        "two permits over the same half",
        ONE,
        [Found("c1", 150)],
        boundary=WHOLE,
        permits=(permit(rect(90, 30, 20, 40)), permit(rect(95, 35, 15, 40), id="p2")),
    ),
    "permit-beyond-the-line": Case(
        "the permit covers what is inside, and more outside",
        [seen("c1", rect(100, 110, 20, 20)), seen("c2", rect(300, 110, 20, 20))],
        [Found("c2", 200)],
        COVERED,
        boundary=WHOLE,
        permits=(permit(rect(90, 100, 40, 60)),),
        place="urumqi",
    ),
    "permit-only-outside": Case(
        "the permit covers only the half outside",
        [seen("c1", rect(100, 110, 20, 20))],
        [Found("c1", 200)],
        boundary=WHOLE,
        permits=(permit(rect(90, 120, 40, 60)),),
    ),
    "permit-leaves-a-rim": Case(
        "a rim of 0.4 m is left of it",
        ONE,
        why={"c1": "permitted|within_tolerance"},
        boundary=WHOLE,
        permits=(permit(rect(90, 30, 40, 24.6)),),
    ),
    "permit-leaves-a-scrap": Case(
        "2.5 x 3 m are left of it",
        ONE,
        why={"c1": "permitted|below_min_area"},
        boundary=WHOLE,
        permits=(permit(rect(90, 30, 40, 22)), permit(rect(90, 30, 27.5, 40), id="p2")),
    ),
    "permit-cuts-in-two": Case(
        "a permitted road through the middle leaves two parts: one finding",
        [seen("c1", rect(100, 20, 100, 50), "occupation", "landuse")],
        [Found("c1", 4000)],
        boundary=WHOLE,
        permits=(permit(rect(140, 0, 20, 120), "occupation"),),
        place="shanghai",
    ),
    "crossed-permit": Case(
        "the permit's shape is crossed: both lobes allow, what lies beside them is not allowed",
        [seen("c1", rect(100, 50, 20, 15)), seen("c2", rect(380, 50, 20, 15)), seen("c3", rect(240, 100, 20, 15))],
        [Found("c3", 300)],
        {"c1": "permitted", "c2": "permitted"},
        boundary=WHOLE,
        permits=(permit(polygon([(50, 0), (450, 120), (450, 0), (50, 120), (50, 0)])),),
    ),
    "permit-in-parts": Case(
        "a permit of two parts",
        [seen("c1", HOUSE), seen("c2", rect(300, 40, 20, 15)), seen("c3", rect(200, 40, 20, 15))],
        [Found("c3", 300)],
        {"c1": "permitted", "c2": "permitted"},
        boundary=WHOLE,
        place="kunming",
        permits=(permit(parts(AROUND, rect(290, 30, 40, 35))),),
    ),
    "permit-without-shape": Case(
        "a permit without a place or the name of a water: it has no neighbours, and that is said",
        ONE,
        (Found("c1", 300.0),),
        told=("permit_without_place",),
        boundary=WHOLE,
        permits=(permit(None),),
    ),
    "permit-without-shape-and-one-with": Case(
        "one permit has no place, the other covers it",
        ONE,
        why=COVERED,
        boundary=WHOLE,
        permits=(permit(None, id="p0"), permit(AROUND)),
    ),
    "permit-at-a-point": Case(
        "a permit known by a point in it alone",
        ONE,
        why={"c1": "permit_place_open|undecided"},
        boundary=WHOLE,
        permits=(permit(point(110, 47)),),
    ),
    "permits-of-two-kinds": Case(
        "each permit excuses its own kind alone",
        [
            seen("c1", HOUSE),
            seen("c2", rect(300, 40, 20, 15), "quarry", "inspector"),
            seen("c3", rect(500, 40, 20, 15), "dump"),
        ],
        [Found("c3", 300)],
        {"c1": "permitted", "c2": "permitted"},
        boundary=WHOLE,
        permits=(permit(rect(0, 0, 1000, 120)), permit(rect(0, 0, 1000, 120), "quarry", id="p2")),
    ),
    "permit-of-another-kind-stacked": Case(
        "on permitted ground of one kind stands another kind",
        [seen("c1", HOUSE), seen("c2", HOUSE, "dump", "inspector")],
        [Found("c2", 300)],
        COVERED,
        boundary=WHOLE,
        permits=(permit(AROUND),),
        total_m2=300,
    ),
    "point-permitted": Case(
        "an inspector's point under a valid permit of its kind, one under an ended one",
        [seen("c1", point(110, 47), "dump", "inspector"), seen("c2", point(310, 47), "dump", "inspector")],
        [Found("c2", None)],
        COVERED,
        boundary=WHOLE,
        permits=(permit(AROUND, "dump"), permit(rect(290, 30, 40, 35), "dump", end="2026-05-31", id="p2")),
    ),
    "temporary-use-ended": works("临时占用 ended yesterday: a finding", "临时占用", "occupation", "2026-05-31"),
    "sand-mining-ended": works("采砂 ended yesterday: a finding", "采砂", "quarry", "2026-05-31"),
    "sand-mining-valid": works("采砂, last day today", "采砂", "quarry", "2026-06-01", "permitted"),
    "dredging-ended": works("疏浚清淤 ended yesterday: a finding", "疏浚清淤", "quarry", "2026-05-31"),
    "permanent-work-valid": works(
        "永久工程 that is still being built", "永久工程", "building", "2027-05-31", "permitted"
    ),
    "permanent-work-ended": works(
        "永久工程 whose building time ended does not become unlawful by that",
        "永久工程",
        "building",
        "2025-05-31",
        "permitted|undecided",
    ),
    "permanent-work-of-another-kind": Case(
        "an ended 永久工程 of building excuses no quarry",
        [seen("c1", HOUSE, "quarry", "inspector")],
        FOUND,
        boundary=WHOLE,
        permits=(permit(AROUND, "building", end="2025-05-31", kind="永久工程"),),
    ),
    "permit-and-outside": Case(
        "a permit does not change what lies outside",
        [seen("c1", ASIDE)],
        why={"c1": "outside"},
        boundary=WHOLE,
        permits=(permit(rect(90, 150, 40, 40)),),
    ),
}
