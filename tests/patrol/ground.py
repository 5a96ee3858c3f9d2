"""A small river with two chiefs, and tracks along it as files: what tests of receiving, scoring and review stand on."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from rivergis import crs, rules
from rivergis.db import system
from rivergis.db.connect import Database
from rivergis.patrol import receive_workflow
from rivergis.patrol.receive_workflow import Received, Said
from rivergis.river import store as river_store
from rivergis.settings import gis_dir

BOOK = rules.load(gis_dir() / "rules")
LAT = 29.4
METRE = 1 / 97_000  # of longitude at that latitude, roughly
NOON = datetime(2026, 5, 20, 1, 0, tzinfo=UTC)  # nine o'clock in Beijing
VIEW = BOOK.at((rules.NATIONAL,), NOON.date())


def _degrees(*shapes: shapely.Geometry, **columns: object) -> gpd.GeoDataFrame:
    frame = pd.DataFrame(columns, index=range(len(shapes)))
    return gpd.GeoDataFrame(frame, geometry=list(shapes), crs=crs.STORAGE).rename_geometry("geom")


def river(db: Database) -> None:
    r"""One river of 3 km in two towns; H1 answers for all of it in the west town, H2 serves the east town.

    106.000          106.010            106.030
       |  R1-1 ~~~~~~~> | R1-2 ~~~~~~~~~> |
       west 500199001   |  east 500199002
    """
    with db.write("t") as conn:
        system.keep_rules(conn, BOOK.version, BOOK.content, BOOK.rows())
        towns = [shapely.box(105.98, 29.38, 106.01, 29.42), shapely.box(106.01, 29.38, 106.05, 29.42)]
        units = _degrees(
            *(shapely.MultiPolygon([t]) for t in towns),
            code=["500199001", "500199002"],
            name=["西镇", "东镇"],
            level="town",
        )
        river_store.save(conn, "admin_unit", units.assign(parent_code="500199"), namespace="local", import_id=None)
        rivers = pd.DataFrame({"code": ["R1"], "name": ["清溪"], "kind": ["river"]})
        river_store.save(conn, "river", rivers, namespace="local", import_id=None)
        chiefs = pd.DataFrame(
            {"code": ["H1", "H2"], "name": ["张三", "李四"], "level": "town", "unit_code": ["500199001", "500199002"]}
        )
        river_store.save(conn, "chief", chiefs, namespace="local", import_id=None)
    duty(db, "D1", "H1", 0.0, reaches(db))


def reaches(db: Database, *, half_width_m: float = 10.0, since: date | None = None) -> float:
    """Records the two reaches; returns the length of the river."""
    lines = [shapely.LineString([(106.0, LAT), (106.01, LAT)]), shapely.LineString([(106.01, LAT), (106.03, LAT)])]
    length = np.asarray(crs.length_m(np.array(lines, dtype=object)))
    frame = _degrees(
        *lines, code=["R1-1", "R1-2"], river_code="R1", kind="river", from_m=[0.0, length[0]], to_m=[length[0], length.sum()],
        from_node=["a", "b"], to_node=["b", "c"], half_width_m=half_width_m, valid_from=since,
    )  # fmt: skip
    with db.write("t") as conn:
        river_store.save(conn, "reach", frame, namespace="local", import_id=None)
    return float(length.sum())


def duty(db: Database, code: str, chief: str, from_m: float, to_m: float, since: date | None = None) -> None:
    row = {
        "code": code,
        "chief_code": chief,
        "river_code": "R1",
        "level": "town",
        "bank": "both",
        "from_m": from_m,
        "to_m": to_m,
    }
    with db.write("t") as conn:
        river_store.save(conn, "duty", pd.DataFrame([row | {"valid_from": since}]), namespace="local", import_id=None)


def walk(
    path: Path, start: datetime = NOON, *, from_m: float = 0.0, metres: float = 600.0, speed_ms: float = 1.3, aside_m: float = 15.0,
    datum: str = "wgs84", seed: int = 1,
) -> Path:  # fmt: skip
    """A CSV of somebody walking downstream ``aside_m`` north of the river (its left bank), a fix every 10 s, 3 m of error."""
    rng = np.random.default_rng(seed)
    t = np.arange(0.0, metres / speed_ms, 10.0)
    lon = 106.0 + (from_m + t * speed_ms + rng.normal(0, 1, len(t))) * METRE
    lat = LAT + (aside_m + rng.normal(0, 3, len(t))) / 111_000
    if datum == "gcj02":
        lon, lat = crs.wgs84_to_gcj02(lon, lat)
    rows = [
        f"{(start + timedelta(seconds=float(s))).isoformat()},{x:.7f},{y:.7f},5"
        for s, x, y in zip(t, lon, lat, strict=True)
    ]
    path.write_text("time,lon,lat,acc_m\n" + "\n".join(rows) + "\n", encoding="utf-8")
    return path


def receive(db: Database, store: Path, path: Path, **said: Any) -> Received:
    return receive_workflow.receive_track(
        db, path, Said(**({"chief_code": "H1"} | said)), view=VIEW, actor="t", store_dir=store
    )
