"""Where the coordinates are: zones, prefixes, axes, missing and false declarations, datums."""

from __future__ import annotations

from typing import Any

from tricky.kit import ASIDE, HOUSE, ONE, WHOLE, As, Case, Found, area, permit, rect, seen, urn

FOUND = [Found("c1", 300)]
SHIFTED = [
    Found("c1", 300, tol_m2=6)
]  # the way back from GCJ-02 is known to a few centimetres, and areas to a per cent
TOLD = ["datum_gcj02_converted"]
AXES = "axis_order|layer_rejected"
TRUE = As()
PAIR = [seen("c1", HOUSE), seen("c2", ASIDE)]


def written(about: str, place: str, candidates: As = TRUE, boundary: As = TRUE, **more: Any) -> Case:
    """The house and one beyond the line, in files so written: it makes no difference."""
    return Case(
        about,
        PAIR,
        FOUND,
        {"c2": "outside"},
        boundary=WHOLE,
        place=place,
        candidates_as=candidates,
        boundary_as=boundary,
        **more,
    )


def refused(about: str, how: As, place: str = "wuhan", boundary: bool = False) -> Case:
    """A layer that cannot be placed: nothing is told, and that is said; no candidate is lost."""
    files: dict[str, Any] = {"boundary_as": how} if boundary else {"candidates_as": how}
    return Case(
        about, ONE, why={"c1": "undecided|no_geometry"}, told=["layer_rejected"], boundary=WHOLE, place=place, **files
    )


CASES = {
    "chengdu": written("degrees at Chengdu", "chengdu"),
    "urumqi-zone": written("candidates in metres of their zone at Urumqi", "urumqi", As("EPSG:4538")),
    "urumqi-neighbour-zone": written("candidates in the zone beside", "urumqi", As("EPSG:4539")),
    "harbin-both-in-metres": written("both files in metres, in two zones", "harbin", As("EPSG:4551"), As("EPSG:4552")),
    "boundary-in-metres": written(
        "the boundary in metres, the candidates in degrees", "guangzhou", As(), As("EPSG:4547")
    ),
    "six-degree-zone": written("candidates in a zone of six degrees", "wuhan", As("EPSG:4508")),
    "prefixed-zone-declared": written("eastings with the zone's number, declared", "wuhan", As("EPSG:4526")),
    "wgs84": written("candidates in WGS 84", "shanghai", As("EPSG:4326")),
    "crs84": written("candidates as OGC CRS84", "shanghai", As(said="urn:ogc:def:crs:OGC:1.3:CRS84")),
    "short-name": written("the CRS named EPSG:4490, not as a URN", "lhasa", As(said="EPSG:4490")),
    "web-mercator": written("candidates in web mercator, measured on the ground", "harbin", As("EPSG:3857")),
    "utm": written("candidates in a zone of UTM", "chengdu", As("EPSG:32648")),
    "no-crs-degrees": written("no crs member: degrees of RFC 7946", "kunming", As(said=""), As(said="")),
    "no-crs-prefixed": Case(
        "no crs, eastings of zone 38 (38 528 900)",
        PAIR,
        FOUND,
        {"c2": "outside"},
        boundary=WHOLE,
        candidates_as=As("EPSG:4547", said="", prefix=38),
        or_told="layer_rejected",
    ),
    "no-crs-prefixed-both": Case(
        "no crs in either file, eastings of zone 29",
        PAIR,
        FOUND,
        {"c2": "outside"},
        boundary=WHOLE,
        place="urumqi",
        candidates_as=As("EPSG:4538", said="", prefix=29),
        boundary_as=As("EPSG:4538", said="", prefix=29),
        or_told="layer_rejected",
    ),
    "no-crs-prefixed-six-degrees": Case(
        "no crs, eastings of zone 19 of six degrees",
        PAIR,
        FOUND,
        {"c2": "outside"},
        boundary=WHOLE,
        candidates_as=As("EPSG:4508", said="", prefix=19),
        or_told="layer_rejected",
    ),
    "no-crs-bare-metres": Case(
        "no crs, eastings without a zone: may be several places",
        ONE,
        why={"c1": "undecided|no_geometry"},
        told=["layer_rejected"],
        boundary=WHOLE,
        candidates_as=As("EPSG:4547", said=""),
    ),
    "swapped-candidates": Case(
        "latitude first in the candidates",
        PAIR,
        FOUND,
        {"c2": "outside"},
        [AXES],
        WHOLE,
        candidates_as=As(swap=True),
        or_told=AXES,
    ),
    "swapped-boundary": Case(
        "latitude first in the boundary",
        PAIR,
        FOUND,
        {"c2": "outside"},
        [AXES],
        WHOLE,
        boundary_as=As(swap=True),
        or_told=AXES,
        place="chengdu",
    ),
    "swapped-both": Case(
        "latitude first in both",
        PAIR,
        FOUND,
        {"c2": "outside"},
        [AXES],
        WHOLE,
        candidates_as=As(swap=True),
        boundary_as=As(swap=True),
        or_told=AXES,
        place="harbin",
    ),
    "swapped-permits": Case(
        "latitude first in the permits alone",
        ONE,
        why={"c1": "permitted"},
        told=[AXES],
        boundary=WHOLE,
        permits=(permit(rect(90, 30, 40, 35)),),
        permits_as=As(swap=True),
    ),
    "swapped-without-crs": Case(
        "latitude first, and no crs member",
        PAIR,
        FOUND,
        {"c2": "outside"},
        [AXES],
        WHOLE,
        candidates_as=As(said="", swap=True),
        or_told=AXES,
        place="shanghai",
    ),
    "swapped-metres": Case(
        "northing first in metres",
        PAIR,
        FOUND,
        {"c2": "outside"},
        [AXES],
        WHOLE,
        candidates_as=As("EPSG:4547", swap=True),
        or_told=AXES,
    ),
    "permits-in-another-zone": Case(
        "permits in the zone beside",
        ONE,
        why={"c1": "permitted"},
        boundary=WHOLE,
        permits=(permit(rect(90, 30, 40, 35)),),
        permits_as=As("EPSG:4548"),
    ),
    "metres-called-degrees": Case(
        "metres in a file that says EPSG:4490",
        ONE,
        FOUND,
        boundary=WHOLE,
        candidates_as=As("EPSG:4547", said=urn("EPSG:4490")),
        or_told="layer_rejected",
    ),
    "degrees-called-metres": Case(
        "degrees in a file that says EPSG:4547",
        ONE,
        FOUND,
        boundary=WHOLE,
        candidates_as=As(said=urn("EPSG:4547")),
        or_told="layer_rejected",
    ),
    "beijing-1954": refused("candidates on an old datum", As("EPSG:4490", said=urn("EPSG:4214"))),
    "xian-1980": refused("candidates in metres of Xian 1980", As("EPSG:4547", said=urn("EPSG:2383"))),
    "xian-1980-boundary": refused("the boundary on an old datum", As(said=urn("EPSG:4610")), "chengdu", boundary=True),
    "unknown-crs": refused("a CRS that nobody knows", As(said=urn("EPSG:99999"))),
    "gcj02-of-the-file": Case(
        "datum=gcj02 as a member of the file",
        PAIR,
        SHIFTED,
        {"c2": "outside"},
        TOLD,
        WHOLE,
        candidates_as=As(datum="gcj02"),
    ),
    "gcj02-urumqi": Case(
        "GCJ-02 far in the west",
        [seen("c1", HOUSE, datum="gcj02"), seen("c2", ASIDE, datum="gcj02")],
        SHIFTED,
        {"c2": "outside"},
        TOLD,
        WHOLE,
        place="urumqi",
    ),
    "gcj02-in-capitals": Case(
        "GCJ-02 said in capitals with a hyphen",
        [seen("c1", HOUSE, datum="GCJ-02")],
        SHIFTED,
        told=TOLD,
        boundary=WHOLE,
        place="kunming",
    ),
    "gcj02-mixed": Case(
        "one candidate in GCJ-02, one not, one said to be in CGCS2000",
        [
            seen("c1", HOUSE, datum="gcj02"),
            seen("c2", rect(300, 40, 20, 15)),
            seen("c3", rect(500, 40, 20, 15), datum="cgcs2000"),
        ],
        [*SHIFTED, Found("c2", 300), Found("c3", 300)],
        told=TOLD,
        boundary=WHOLE,
        place="harbin",
    ),
    "gcj02-boundary": Case(
        "the boundary is drawn in GCJ-02, the candidates are not",
        PAIR,
        SHIFTED,
        {"c2": "outside"},
        TOLD,
        (area(datum="gcj02"),),
        place="chengdu",
    ),
    "gcj02-permit": Case(
        "the permit is drawn in GCJ-02",
        ONE,
        why={"c1": "permitted"},
        told=TOLD,
        boundary=WHOLE,
        permits=(permit(rect(80, 20, 60, 55), datum="gcj02"),),
        place="shanghai",
    ),
    "bd09": Case(
        "candidates in BD-09",
        [seen("c1", HOUSE, datum="bd09")],
        SHIFTED,
        boundary=WHOLE,
        or_told="layer_rejected|datum_gcj02_converted",
    ),
    "far-away": Case(
        "one candidate lies 1,200 km off",
        [seen("c1", HOUSE), seen("c2", rect(1_200_000, 40, 20, 15))],
        FOUND,
        {"c2": "outside"},
        boundary=WHOLE,
        place="lhasa",
    ),
}
