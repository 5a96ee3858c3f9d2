"""A patch of two counties in four towns with rivers, lines, zones, outfalls and objects, and what the services draw of it."""

from __future__ import annotations

import uuid
from datetime import date
from typing import Any

import geopandas as gpd
import pandas as pd
import shapely
from sqlalchemy import text

from rivergis.db import versions
from rivergis.db.connect import Database
from rivergis.maps import tiles
from tests import mvt

WEST, SOUTH, TOWN = 106.0, 29.0, 0.02  # degrees: a town is about 2 km wide
UNITS = {"500101001": (0, 0), "500101002": (0, 1), "500102001": (1, 0), "500102002": (1, 1)}
DAY = date(2026, 5, 20)
BOW = shapely.Polygon([(0, 0), (1, 1), (1, 0), (0, 1), (0, 0)])  # crosses itself


def place(x: float, y: float) -> tuple[float, float]:
    """Towns from the south-west corner to degrees."""
    return WEST + TOWN * x, SOUTH + TOWN * y


def at(shape: Any) -> Any:
    return shapely.transform(shape, lambda p: p * TOWN + (WEST, SOUTH))


def save(db: Database, noun: str, rows: list[dict[str, Any]], shapes: list[Any] | None = None, **more: Any) -> None:
    """Rows of a noun recorded as an import does, from shapes in towns."""
    frame = pd.DataFrame(rows).assign(source_feature="", **more)
    if shapes is not None:
        frame = gpd.GeoDataFrame(frame, geometry=[at(s) for s in shapes], crs=4490).rename_geometry("geom")
    with db.write("test") as conn:
        saved = versions.save(conn, noun, frame, namespace="n", import_id=None)
    assert not saved.set_aside, saved


def units(db: Database) -> None:
    boxes = [shapely.MultiPolygon([shapely.box(x, y, x + 1, y + 1)]) for x, y in UNITS.values()]
    counties = [shapely.MultiPolygon([shapely.box(x, 0, x + 1, 2)]) for x in (0, 1)]
    codes = [*UNITS, "500101", "500102"]
    levels = ["town"] * 4 + ["county"] * 2
    save(
        db,
        "admin_unit",
        [{"code": c, "name": c, "level": v} for c, v in zip(codes, levels, strict=True)],
        boxes + counties,
    )


def river(db: Database, code: str = "R1") -> uuid.UUID:
    save(db, "river", [{"code": code, "name": f"{code}河", "kind": "river"}])
    return versions.identity("river", "n", code)


def tile(
    db: Database, collection: str, z: int, x: int, y: int, *, day: date = DAY, area: str = "", public: bool = False
) -> list[mvt.Feature]:
    """Features of one tile of a collection."""
    said = tiles.statement(collection, z, bool(area), public)
    names = ("z", "x", "y", "day", "area")
    sql = said.sql
    for number, (name, kind) in enumerate(zip(names, said.types, strict=False), 1):
        sql = sql.replace(f"${number}::date", f"${number}").replace(f"${number}", f"CAST(:{name} AS {kind})")
    with db.read() as conn:
        body, _ = conn.execute(text(sql), {"z": z, "x": x, "y": y, "day": day, "area": area}).one()
    return mvt.read(bytes(body or b"")).get(collection, [])


def tile_at(z: int, lon: float = WEST + TOWN, lat: float = SOUTH + TOWN) -> tuple[int, int, int]:
    """The tile over a place."""
    x = int((lon + 180) / 360 * 2**z)
    rad = lat * 3.141592653589793 / 180
    import math

    return z, x, int((1 - math.asinh(math.tan(rad)) / math.pi) / 2 * 2**z)


def served(db: Database) -> dict[str, list[str]]:
    """All that is served, row by row: shapes as they are, counts added up."""
    out: dict[str, list[str]] = {}
    with db.read() as conn:
        for name in conn.execute(text("SELECT app.served_collections()")).scalars().all():
            rows = conn.execute(text(f"SELECT s::text FROM cache.shape_{name} s ORDER BY 1")).scalars().all()
            out[f"shape_{name}"] = list(rows)
            if conn.execute(text("SELECT to_regclass(:t)"), {"t": f"cache.cell_{name}"}).scalar() is not None:
                cells = conn.execute(
                    text(f"""SELECT row(zoom, tile_x, tile_y, cell, cls, mark, valid, areas, sum(n), sum(fid_sum), sum(east_dm), sum(north_dm))::text
                    FROM cache.cell_{name} GROUP BY zoom, tile_x, tile_y, cell, cls, mark, valid, areas
                    HAVING sum(n) <> 0 OR sum(fid_sum) <> 0 ORDER BY 1""")
                )
                out[f"cell_{name}"] = list(cells.scalars())
    return out
