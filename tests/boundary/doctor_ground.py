"""A small world for the line doctor: a river of two reaches, a tributary, a levee, two counties; all lines as they should be.

             T  (10 m wide)
             |
    R1 ------+------ R2 ------|border x=3000|------     flows to the right, 40 m wide
       ==levee toe==                                    on the right bank (y < 0), x 400..1600

Lines lie 15 m outside the banks of the river (y = +-35), 10 m outside those of the tributary, 20 m outside the toe (y = -75).
"""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import CRS

from rivergis import rules
from rivergis.boundary.doctor import limits as doctor_limits
from rivergis.boundary.doctor.examine import Case, Defect, Limits, examine

HOME = CRS.from_epsg(4547)
ORIGIN = np.array([500_000.0, 3_370_000.0])
PARAMS: dict[str, Any] = {
    "berm_m": {"1": 30, "2": 20},
    "bank_offset_m": [[8, 5], [30, 10], [80, 15], [9999, 20]],
    "line_type": ["管理范围线", "protection"],
    "basis": ["levee_toe", "bank_offset", "road"],
    "bank": ["L", "R"],
    "date_formats": ["%Y-%m-%d"],
    "today": "2026-01-01",
    "stake_max_spacing_m": 150,
}
ANNOUNCED = {"announce_gov": "甲县人民政府", "announce_doc_no": "甲政告〔2020〕1号", "announce_date": "2020-05-01"}


@cache
def _view() -> Any:
    book = rules.load(Path(__file__).resolve().parents[2] / "gis" / "rules")
    return book.at((rules.NATIONAL,), date(2026, 1, 1))


def limits(**changes: Any) -> Limits:
    """Limits of the rules with those of a delivery over them."""
    return doctor_limits.limits(_view(), {**PARAMS, **changes})[0]


def path(*corners: tuple[float, float], step: float = 20.0) -> shapely.LineString:
    """A line through corners with a vertex every ``step`` metres, in the coordinates of the sketch."""
    return shapely.segmentize(shapely.LineString(np.array(corners, float) + ORIGIN), step)


def spot(x: float, y: float) -> shapely.Point:
    return shapely.Point(ORIGIN + np.array([x, y]))


def line(
    name: str, reach: str, bank: str, shape: Any, county: str = "A", basis: str = "bank_offset", **said: Any
) -> dict[str, Any]:
    """One boundary line as a row of a file."""
    row = {
        "line_id": name,
        "reach_id": reach,
        "bank": bank,
        "county": county,
        "line_type": "管理范围线",
        "basis": basis,
    }
    return {**row, **ANNOUNCED, "from_m": 0.0, "to_m": 100.0, **said, "geometry": shape}


def levee_side() -> shapely.LineString:
    """The right line of R1: from the bank out to the toe plus berm, and back."""
    return path((0, -35), (310, -35), (400, -75), (1600, -75), (1690, -35), (2000, -35))


def rows() -> dict[str, dict[str, Any]]:
    """All lines of the world by name."""
    return {
        r["line_id"]: r
        for r in (
            line("r1l", "R1", "L", path((0, 35), (1985, 35))),
            line("r1r", "R1", "R", levee_side(), basis="levee_toe"),
            line("r2l", "R2", "L", path((2015, 35), (3000, 35))),
            line("r2lb", "R2", "L", path((3000, 35), (4000, 35)), "B"),
            line("r2r", "R2", "R", path((2000, -35), (3000, -35))),
            line("r2rb", "R2", "R", path((3000, -35), (4000, -35)), "B"),
            line("tl", "T", "L", path((2015, 1200), (2015, 35))),
            line("tr", "T", "R", path((1985, 1200), (1985, 35))),
        )
    }


def lines(named: dict[str, dict[str, Any]] | list[dict[str, Any]]) -> gpd.GeoDataFrame:
    """A frame of lines as the reader makes it."""
    listed = list(named.values()) if isinstance(named, dict) else named
    frame = gpd.GeoDataFrame(pd.DataFrame(listed), geometry="geometry", crs=HOME)
    return frame.assign(
        drawn_by=frame.get("drawn_by"), rule_m=np.nan, file="lines.gpkg", row=range(len(frame)),
        given=frame.geometry.to_numpy(), given_crs="EPSG:4547",
    )  # fmt: skip


def box(x0: float, y0: float, x1: float, y1: float) -> shapely.Polygon:
    return shapely.box(ORIGIN[0] + x0, ORIGIN[1] + y0, ORIGIN[0] + x1, ORIGIN[1] + y1)


def ring(*corners: tuple[float, float]) -> shapely.Polygon:
    return shapely.Polygon(np.array(corners, float) + ORIGIN)


def areas() -> gpd.GeoDataFrame:
    """The areas between the lines; they meet in the node."""
    toe = (np.asarray(levee_side().coords) - ORIGIN).tolist()
    shapes = {
        "p1": ("R1", ring((0, 35), (1985, 35), (2000, 0), *map(tuple, toe[::-1]))),
        "p2a": ("R2", ring((2015, 35), (3000, 35), (3000, -35), (2000, -35), (2000, 0))),
        "p2b": ("R2", box(3000, -35, 4000, 35)),
        "pt": ("T", ring((1985, 1200), (2015, 1200), (2015, 35), (2000, 0), (1985, 35))),
    }
    return gpd.GeoDataFrame(
        {"area_id": list(shapes), "reach_id": [v[0] for v in shapes.values()], "county": "A"},
        geometry=[v[1] for v in shapes.values()], crs=HOME,
    )  # fmt: skip


def stakes(named: dict[str, dict[str, Any]]) -> gpd.GeoDataFrame:
    """A stake every hundred metres on every line, numbered downstream."""
    found = []
    for key in {(r["reach_id"], r["bank"]): None for r in named.values()}:
        k = 0
        for r in named.values():
            if (r["reach_id"], r["bank"]) == key:
                for at in np.arange(30.0, r["geometry"].length - 10, 100.0):
                    k += 1
                    found.append(
                        (f"{key[0]}-{key[1]}-{k:03d}", *key, shapely.line_interpolate_point(r["geometry"], at))
                    )
    return gpd.GeoDataFrame(
        pd.DataFrame([f[:3] for f in found], columns=["stake_no", "reach_id", "bank"]), geometry=[f[3] for f in found], crs=HOME
    )  # fmt: skip


def world(named: Any = None, **layers: Any) -> Case:
    """The case of the world, with other lines or layers where given."""
    whole = rows()
    named = whole if named is None else named
    reaches = gpd.GeoDataFrame(
        {"reach_id": ["R1", "R2", "T"], "down_reach": ["R2", None, "R2"], "kind": "reach", "width_m": [40.0, 40.0, 10.0],
         "levee_grade": None, "length_m": [2000.0, 2000.0, 1200.0], "map_border": [True, True, False]},
        geometry=[path((0, 0), (2000, 0)), path((2000, 0), (4000, 0)), path((2000, 1200), (2000, 0))], crs=HOME,
    )  # fmt: skip
    water = gpd.GeoDataFrame(
        {"reach_id": ["R1", "R2", "T"]},
        geometry=[box(0, -20, 2000, 20), box(2000, -20, 4000, 20), box(1995, 0, 2005, 1200)], crs=HOME,
    )  # fmt: skip
    toe = {"levee_id": ["d1"], "reach_id": ["R1"], "bank": ["R"], "grade": ["2"]}
    former = lines(whole)[["line_id", "reach_id", "bank", "geometry"]]
    counties = {"county": ["A", "B"], "name": ["甲县", "乙县"]}
    usual: dict[str, Any] = {
        "areas": areas(),
        "levees": gpd.GeoDataFrame(toe, geometry=[path((400, -55), (1600, -55))], crs=HOME),
        "water": water,
        "former": former,
        "stakes": stakes(whole),
        "counties": gpd.GeoDataFrame(
            counties, geometry=[box(-500, -900, 3000, 2000), box(3000, -900, 5000, 2000)], crs=HOME
        ),
        "limits": limits(),
    }
    return Case(reaches=reaches, lines=lines(named), **{**usual, **layers})


def changed(name: str, **said: Any) -> dict[str, dict[str, Any]]:
    """The lines with one of them changed."""
    named = rows()
    named[name] = {**named[name], **said}
    return named


def told(case: Case) -> list[tuple[str, str | None, str | None]]:
    """What is found: code, reach and side of each defect."""
    return [(d.code, d.reach, d.side) for d in examine(case)]


def only(case: Case) -> Defect:
    """The one defect of a case."""
    found = examine(case)
    assert len(found) == 1, [(d.code, d.reach, d.side, d.from_m, d.to_m, d.consequences) for d in found]
    return found[0]


def turned(case: Case, degrees: float, shift: tuple[float, float]) -> Case:
    """The whole world turned around its origin and moved."""
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))

    def move(shape: Any) -> Any:
        return shapely.transform(shape, lambda xy: (xy - ORIGIN) @ np.array([[c, s], [-s, c]]) + ORIGIN + shift)

    return moved(case, move, case.lines.crs, "EPSG:4547")


def moved(case: Case, move: Any, home: Any, given_crs: str) -> Case:
    """The world with every shape changed by one function, in another metric system."""
    layers = {
        k: getattr(case, k).set_geometry(move(getattr(case, k).geometry.values)).set_crs(home, allow_override=True)
        for k in ("reaches", "lines", "areas", "levees", "water", "former", "stakes", "counties")
        if getattr(case, k) is not None
    }
    layers["lines"] = layers["lines"].assign(given=layers["lines"].geometry.to_numpy(), given_crs=given_crs)
    return replace(case, **layers)
