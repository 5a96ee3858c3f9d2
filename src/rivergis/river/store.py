"""The only SQL of rivers and of the people who answer for them."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import geopandas as gpd
import pandas as pd
import shapely
from sqlalchemy import Connection, text

from rivergis import crs
from rivergis.db import versions
from rivergis.db.connect import read_frame, read_table

_LENGTHS = ("axis", "reach")
_DEFAULTS: dict[str, dict[str, Any]] = {
    "duty": {"bank": "both"},
    "reach": {"covered": False},
    "levee": {"line_role": "landward_toe"},
}


def save(
    conn: Connection, layer_name: str, frame: pd.DataFrame, *, namespace: str, import_id: uuid.UUID | None
) -> versions.Saved:
    """Record rows of a river or people layer (see ``layers.LAYERS``); frame in EPSG:4490 where it has geometry."""
    if layer_name in _LENGTHS and isinstance(frame, gpd.GeoDataFrame):
        frame = frame.assign(length_m=crs.length_m(frame.geometry.values))
    return versions.save_layer(
        conn, layer_name, frame, namespace=namespace, import_id=import_id, defaults=_DEFAULTS.get(layer_name)
    )


def axes(conn: Connection, on: date, known_at: datetime) -> gpd.GeoDataFrame:
    """Axes in force: id, version, river_id, river_code, river, origin_m, calibration, geom (LineString, EPSG:4490)."""
    return read_frame(
        conn,
        """SELECT a.id, a.version, a.river_id, r.code AS river_code, r.name AS river, a.origin_m, a.calibration, a.geom
        FROM app.axis_as_of(:on, :known) a JOIN app.river_as_of(:on, :known) r ON r.id = a.river_id ORDER BY a.id""",
        {"on": on, "known": known_at},
    )


def reaches(conn: Connection, on: date, known_at: datetime) -> gpd.GeoDataFrame:
    """Reaches in force with their river and axis stretch; geom LineString in EPSG:4490, first vertex upstream."""
    return read_frame(
        conn,
        """SELECT h.id, h.version, h.code, h.code_namespace, h.river_id, r.code AS river_code, r.name AS river,
          h.kind, h.from_m, h.to_m, h.half_width_m, h.covered, h.length_m, h.from_node, h.to_node, h.next_reach_id, h.channel,
          h.upstream_area_km2, h.geom
        FROM app.reach_as_of(:on, :known) h JOIN app.river_as_of(:on, :known) r ON r.id = h.river_id ORDER BY h.id""",
        {"on": on, "known": known_at},
    )


def rivers(conn: Connection, on: date, known_at: datetime) -> pd.DataFrame:
    """Rivers, lakes, reservoirs, ditches and ponds of the register in force: id, code, name, kind, grade."""
    return read_table(
        conn,
        "SELECT id, code, name, kind, grade FROM app.river_as_of(:on, :known) ORDER BY code, id",
        {"on": on, "known": known_at},
    )


def water_areas(conn: Connection, on: date, known_at: datetime) -> gpd.GeoDataFrame:
    """Water surfaces in force: id, version, kind, river_id, geom (MultiPolygon, EPSG:4490)."""
    return read_frame(
        conn,
        """SELECT id, version, code, name, kind, river_id, geom FROM app.water_area_as_of(:on, :known) ORDER BY id""",
        {"on": on, "known": known_at},
    )


def levees(conn: Connection, on: date, known_at: datetime) -> gpd.GeoDataFrame:
    """Levee lines in force: id, version, code, river_id, bank, grade, design_return_period_a, line_role, geom (LineString, EPSG:4490)."""
    return read_frame(
        conn,
        """SELECT id, version, code, river_id, bank, grade, design_return_period_a, line_role, geom
        FROM app.levee_as_of(:on, :known) ORDER BY id""",
        {"on": on, "known": known_at},
    )


def bank_lines(conn: Connection, on: date, known_at: datetime) -> gpd.GeoDataFrame:
    """Bank lines in force with the river of their reach: id, version, code, reach_id, river_id, bank, geom (LineString, EPSG:4490)."""
    return read_frame(
        conn,
        """SELECT b.id, b.version, b.code, b.reach_id, h.river_id, b.bank, b.geom
        FROM app.bank_line_as_of(:on, :known) b JOIN app.reach_as_of(:on, :known) h ON h.id = b.reach_id ORDER BY b.id""",
        {"on": on, "known": known_at},
    )


def landmarks(conn: Connection, on: date, known_at: datetime) -> gpd.GeoDataFrame:
    """Landmarks in force: id, code, river_id, river_code, river, name, kind, at_m, geom (Point, EPSG:4490; null where unknown)."""
    return read_frame(
        conn,
        """SELECT l.id, l.code, l.river_id, r.code AS river_code, r.name AS river, l.name, l.kind, l.at_m, l.geom
        FROM app.landmark_as_of(:on, :known) l JOIN app.river_as_of(:on, :known) r ON r.id = l.river_id ORDER BY l.id""",
        {"on": on, "known": known_at},
    )


def units(conn: Connection, on: date, known_at: datetime) -> gpd.GeoDataFrame:
    """Administrative units in force: id, code (adcode), name, level, parent_code, geom (EPSG:4490)."""
    return read_frame(
        conn,
        """SELECT id, code, code_namespace, name, level, parent_code, geom
        FROM app.admin_unit_as_of(:on, :known) ORDER BY code""",
        {"on": on, "known": known_at},
    )


def duties(conn: Connection, on: date, known_at: datetime) -> pd.DataFrame:
    """Who answers for which metres on that day: chief_id, chief_code, chief, title, level, unit_code, river_id, bank, from_m, to_m."""
    return read_table(
        conn,
        """SELECT d.id, d.version, d.chief_id, c.code AS chief_code, c.name AS chief, c.title, d.level, c.unit_code, d.river_id, d.bank, d.from_m, d.to_m
        FROM app.duty_as_of(:on, :known) d JOIN app.chief_as_of(:on, :known) c ON c.id = d.chief_id ORDER BY d.id""",
        {"on": on, "known": known_at},
    )


@dataclass(frozen=True)
class Unit:
    """An administrative unit by adcode, name and level."""

    adcode: str
    name: str
    level: str


def units_at(conn: Connection, lon: float, lat: float) -> list[Unit]:
    """Units whose area holds a position in degrees, smallest first."""
    found = conn.execute(
        text("""SELECT code, name, level FROM app.admin_unit
        WHERE ST_Intersects(geom, ST_SetSRID(ST_Point(:lon, :lat), 4490)) ORDER BY ST_Area(geom)"""),
        {"lon": lon, "lat": lat},
    )
    return [Unit(*r) for r in found]


def units_named(conn: Connection, name: str) -> list[Unit]:
    """Units of that name."""
    return [
        Unit(*r)
        for r in conn.execute(
            text("SELECT code, name, level FROM app.admin_unit WHERE name = :name ORDER BY code"), {"name": name}
        )
    ]


def rivers_without_axis(conn: Connection) -> list[tuple[uuid.UUID, str, str]]:
    """Rivers that have reaches and no axis in force: (id, namespace, code)."""
    return [
        tuple(r)
        for r in conn.execute(
            text("""SELECT r.id, r.code_namespace, r.code FROM app.river r
        WHERE EXISTS (SELECT FROM app.reach h WHERE h.river_id = r.id)
          AND NOT EXISTS (SELECT FROM app.axis a WHERE a.river_id = r.id) ORDER BY r.code""")
        )
    ]


def current_reaches(conn: Connection) -> gpd.GeoDataFrame:
    """Reaches in force today: id, river_id, length_m, geom (LineString, EPSG:4490)."""
    return read_frame(conn, "SELECT id, river_id, length_m, geom FROM app.reach ORDER BY id")


def put_on_axis(conn: Connection, chain: pd.DataFrame) -> None:
    """Record the chainage of reaches: frame with id, from_m, to_m, axis_id, axis_version."""
    versions.amend(conn, "reach", chain)


def put_calibration(conn: Connection, axis_id: uuid.UUID, calibration: Mapping[str, Any]) -> None:
    """Record the stakes of an axis as a new version of it (form: ``calibration.Calibration.as_json``)."""
    versions.amend(conn, "axis", pd.DataFrame([{"id": axis_id, "calibration": dict(calibration)}]))


def outlines(conn: Connection) -> tuple[list[shapely.Geometry], list[shapely.Geometry]]:
    """Where the database's things may lie: axes and reaches in force (lines), and units (areas), EPSG:4490.

    Units are the counties, or else those of the next larger or smaller level that is there.
    """
    lines = conn.execute(
        text("SELECT ST_AsBinary(geom) FROM app.axis UNION ALL SELECT ST_AsBinary(geom) FROM app.reach")
    ).scalars()
    areas = conn.execute(
        text("""SELECT ST_AsBinary(geom) FROM app.admin_unit WHERE level = (
          SELECT level FROM app.admin_unit WHERE level IN ('county', 'city', 'province', 'town', 'village')
          ORDER BY array_position(ARRAY['county', 'city', 'province', 'town', 'village'], level) LIMIT 1)""")
    ).scalars()
    return [shapely.from_wkb(bytes(g)) for g in lines], [shapely.from_wkb(bytes(g)) for g in areas]


def home(conn: Connection, on: date, known_at: datetime) -> str | None:
    """Adcode of the county the database is about: the one unit of level county, if there is exactly one."""
    codes = list(
        conn.execute(
            text("SELECT DISTINCT code FROM app.admin_unit_as_of(:on, :known) WHERE level = 'county'"),
            {"on": on, "known": known_at},
        ).scalars()
    )
    return codes[0] if len(codes) == 1 else None


def has_namespace(conn: Connection, namespace: str) -> bool:
    """Whether any unit, river or reach carries a code of this namespace."""
    return bool(
        conn.execute(
            text("""SELECT EXISTS (SELECT FROM data.identity WHERE code_namespace = :n
        AND noun IN ('admin_unit', 'river', 'reach'))"""),
            {"n": namespace},
        ).scalar()
    )


def reaches_on_axes(conn: Connection) -> gpd.GeoDataFrame:
    """Reaches in force today that have a chainage, with the axis (LineString) of their river; geom in EPSG:4490."""
    frame = read_frame(
        conn,
        """SELECT h.id, h.code, h.river_id, h.from_node, h.to_node, ST_AsBinary(a.geom) AS axis, h.geom
        FROM app.reach h JOIN app.axis a ON a.river_id = h.river_id
        WHERE h.from_m IS NOT NULL AND h.kind <> 'shoreline' ORDER BY h.code""",
    )
    frame["axis"] = [shapely.from_wkb(bytes(a)) for a in frame["axis"]]
    return frame


def turn_reaches(conn: Connection, changes: gpd.GeoDataFrame) -> None:
    """Record reaches turned round: frame with id, from_node, to_node, direction_basis, geom."""
    versions.amend(conn, "reach", changes)
