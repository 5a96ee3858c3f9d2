"""Pre-check of proposed projects against the database, or against files of areas and centre lines."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import shapely
from sqlalchemy import Connection

from rivergis import crs
from rivergis.boundary import store
from rivergis.boundary.redraw import compare as diff
from rivergis.boundary.redraw import files as diff_files
from rivergis.boundary.redraw import overlay as diff_overlay
from rivergis.boundary.redraw import precheck
from rivergis.boundary.redraw import store as diff_store
from rivergis.boundary.redraw.precheck import Ground, Precheck
from rivergis.db.connect import now_of
from rivergis.errors import InputError
from rivergis.intake.delivery import Asked
from rivergis.river import store as river_store
from rivergis.rules import RuleView
from rivergis.sourcezone import store as zone_store


def projects(path: Path, asked: Asked) -> gpd.GeoDataFrame:
    """Proposed projects of a file: areas with name, EPSG:4490. Raises ``InputError``, ``CrsRefused``."""
    frame = diff_files.features("project", path, asked)
    frame = frame[frame.geom_type.isin(["Polygon", "MultiPolygon"])]
    if frame.empty:
        raise InputError(f"{path.name} holds no area: a project is checked by the ground it takes.", file=str(path))
    return frame.assign(name=frame["name"].fillna(frame["feature"]))


def of_files(
    given: gpd.GeoDataFrame, areas: Path, reaches: Path | None, class_code: str, view: RuleView, asked: Asked
) -> list[Precheck]:
    """Each project against management areas and centre lines of files."""
    ground = Ground(
        diff_files.areas(areas, asked), None if reaches is None else diff_files.centre_lines(reaches, asked)
    )
    return _each(given, ground, class_code, view)


def of_database(conn: Connection, given: gpd.GeoDataFrame, class_code: str, view: RuleView, on: date) -> list[Precheck]:
    """Each project against what is in force on a day: areas, reaches, function zones, source zones, water, levees, permits."""
    known = now_of(conn)
    areas = store.areas(conn, on, known)
    zones = store.function_zones(conn, on, known)
    rivers = river_store.rivers(conn, on, known)
    code_of = dict(zip(rivers["id"], rivers["code"], strict=True))
    sources = zone_store.zones(conn, on, known)
    box = given.bounds.to_numpy()
    ground = Ground(
        areas.assign(name=areas["river"]),
        river_store.reaches(conn, on, known),
        zones.assign(
            name=zones["plan_name"].fillna(zones["code"]),
            kind=zones["zone_type"],
            river_code=zones["river_id"].map(code_of),
        ),
        sources.assign(kind=sources["zone_class"]),
        river_store.water_areas(conn, on, known),
        river_store.levees(conn, on, known),
        diff_store.permits(conn, box, on, known),
    )
    return _each(given, ground, class_code, view)


def _each(given: gpd.GeoDataFrame, ground: Ground, class_code: str, view: RuleView) -> list[Precheck]:
    """Every project in the plane of its own place."""
    step_m = view.number("river.bank.step")
    out = []
    for name, shape in zip(given["name"], given.geometry, strict=True):
        here = shape.centroid
        plane = diff.plane(here.x, here.y)
        own = gpd.GeoSeries([shape], crs=crs.STORAGE).to_crs(plane).iloc[0]
        out.append(precheck.examine(str(name), own, class_code, _near(ground, shape, plane), view, step_m))
    return out


def _near(ground: Ground, shape: Any, plane: Any) -> Ground:
    """What lies within some ten kilometres, in metres of the plane; a function zone without a line is told by its chainage."""
    west, south, east, north = shape.bounds
    box = shapely.box(west - 0.1, south - 0.1, east + 0.1, north + 0.1)
    said = {
        name: None if frame is None else _moved(frame[frame.geometry.isna() | frame.intersects(box)], plane)
        for name, frame in vars(ground).items()
    }
    return replace(ground, **said)


def _moved(frame: gpd.GeoDataFrame, plane: Any) -> gpd.GeoDataFrame:
    moved = frame.to_crs(plane)
    flat = moved.geom_type.isin(["Polygon", "MultiPolygon"])
    return (
        moved.set_geometry(
            gpd.GeoSeries(diff_overlay.polygonal(moved.geometry.to_numpy()), index=moved.index, crs=plane)
        )
        if flat.all() and len(moved)
        else moved
    )


def as_dict(found: Precheck) -> dict[str, Any]:
    """A pre-check, JSON-ready."""
    width = found.width
    return {
        "project": found.project,
        "m2": round(found.m2, 1),
        "inside_m2": round(found.inside_m2, 1),
        "bank_m": {b: round(v, 1) for b, v in found.bank_m.items()},
        "stretches": found.stretches,
        "zones": [vars(z) for z in found.zones],
        "width": None if width is None else {**vars(width), "share": round(width.share, 4)},
        "rules": found.rules,
        "not_looked_at": list(found.not_looked_at),
    }


def table(found: list[Precheck]) -> pd.DataFrame:
    """One row a project, for a list."""
    return pd.DataFrame(
        [
            {
                "project": f.project, "m2": f.m2, "inside_m2": f.inside_m2, "left_bank_m": f.bank_m["left"], "right_bank_m": f.bank_m["right"],
                "width_lost_m": None if f.width is None else f.width.lost_m, "width_share": None if f.width is None else f.width.share,
                "zones": "; ".join(dict.fromkeys(f"{z.zone}:{z.name}" for z in f.zones)), "clauses": "; ".join(dict.fromkeys(r["clause"] for r in f.rules)),
            }
            for f in found
        ]
    )  # fmt: skip
