"""Where the things of a collection lie, for capabilities (图层范围), and whether the reader's role is there."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from rivergis.db.connect import read_table
from rivergis.maps import collections

Box = tuple[float, float, float, float]


def boxes(conn: Connection, names: Sequence[str], area: str) -> dict[str, Box]:
    """Box of each collection (EPSG:3857) within an area (adcode prefix); a collection without things has none."""
    found = {name: _box(conn, name, area) for name in names}
    return {name: box for name, box in found.items() if box is not None}


def _box(conn: Connection, name: str, area: str) -> Box | None:
    shapes = collections.collection(name).shapes
    schema, table = shapes.split(".")
    # what statistics know costs nothing; held to an area all is looked at, so that nothing foreign shows
    asked = [f"SELECT ST_EstimatedExtent('{schema}', '{table}', 'geom') AS e"] if not area else []
    asked.append(f"SELECT ST_Extent(geom) AS e FROM {shapes}" + (" WHERE areas @> ARRAY[:area]" if area else ""))
    for query in asked:
        row = read_table(
            conn,
            f"SELECT ST_XMin(b.e) AS west, ST_YMin(b.e) AS south, ST_XMax(b.e) AS east, ST_YMax(b.e) AS north FROM ({query}) b",
            {"area": area} if area and ":area" in query else {},
        ).iloc[0]
        if row.notna().all():
            return float(row["west"]) - 1, float(row["south"]) - 1, float(row["east"]) + 1, float(row["north"]) + 1
    return None


def has_role(conn: Connection, role: str) -> bool:
    """Whether the database has a role that this login may take."""
    query = (
        "SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = :role AND pg_has_role(current_user, oid, 'member')) AS has"
    )
    return bool(read_table(conn, query, {"role": role})["has"].iloc[0])


def degrees(found: dict[str, Box]) -> dict[str, Box]:
    """Boxes of EPSG:3857 in degrees: west, south, east, north."""
    from rasterio.warp import transform_bounds

    return {name: transform_bounds("EPSG:3857", "EPSG:4326", *box) for name, box in found.items()}
