r"""A county for entries: two rivers, landmarks, chiefs of whom two bear one name, and tracks that come late.

 0+000        0+200       0+970        1+455       1+940
清溪 ~~~~~~~~~~石桥~~~~~~~清溪大桥~~~~~~公示牌~~~~~~~~~>  R1   along 29.40 N from 106.00 E, flows east
               公示牌(0+500)                            (the sign stands twice)
甲河 ~~~~~~~~~~堰~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~>  R2   along 29.42 N
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import geopandas as gpd
import pandas as pd
import shapely
from sqlalchemy import Connection, text

from rivergis import rules, settings
from rivergis.db import system
from rivergis.db.connect import copy_frame
from rivergis.river import store as river_store

DAY = date(2026, 5, 20)
BOOK = rules.load(settings.gis_dir() / "rules")
VIEW = BOOK.at(("000000",), DAY)
UNITS = (("500199", "试验县", "county", "500100"), ("500199001", "江口镇", "town", "500199"),
         ("500199001201", "石桥村", "village", "500199001"), ("500199001202", "堰塘村", "village", "500199001"))  # fmt: skip
CHIEFS = (("C1", "王 强", "village", "村支书", "500199001201"), ("C2", "李敏", "town", "镇长", "500199001"),
          ("C3", "张三", "village", None, "500199001201"), ("C4", "张三", "village", None, "500199001202"))  # fmt: skip
DUTIES = (("D1", "C1", "R1", 0.0, 1900.0), ("D2", "C2", "R1", 0.0, 1900.0), ("D3", "C2", "R2", 0.0, 1900.0),
          ("D4", "C3", "R1", 0.0, 900.0), ("D5", "C4", "R2", 0.0, 1900.0))  # fmt: skip


def _points(*shapes: shapely.Geometry | None, **columns: object) -> gpd.GeoDataFrame:
    frame = pd.DataFrame(columns, index=range(len(shapes)))
    return gpd.GeoDataFrame(frame, geometry=list(shapes), crs="EPSG:4490").rename_geometry("geom")


def build(conn: Connection) -> None:
    """Record the county."""
    codes, names, levels, parents = zip(*UNITS, strict=True)
    boxes = [shapely.MultiPolygon([shapely.box(105.9, 29.3, 106.1, 29.5 - 0.01 * i)]) for i in range(len(UNITS))]
    _save(conn, "admin_unit", _points(*boxes, code=codes, name=names, level=levels, parent_code=parents))
    rivers = {"code": ["R1", "R2"], "name": ["清溪", "甲河"], "kind": "river", "name_en": None, "grade": None}
    _save(conn, "river", pd.DataFrame(rivers))
    lines = [shapely.LineString([(106.0, y), (106.02, y)]) for y in (29.4, 29.42)]
    _save(conn, "axis", _points(*lines, code=["A1", "A2"], river_code=["R1", "R2"]))
    ends = {"from_m": 0.0, "to_m": [1940.9, 1940.5]}
    _save(conn, "reach", _points(*lines, code=["H1", "H2"], river_code=["R1", "R2"], name=["清溪江口段", None], kind="river", half_width_m=10.0, **ends))  # fmt: skip
    code, name, level, title, unit = zip(*CHIEFS, strict=True)
    _save(conn, "chief", pd.DataFrame({"code": code, "name": name, "level": level, "title": title, "unit_code": unit}))
    code, chief, river, lo, hi = zip(*DUTIES, strict=True)
    duty = {"code": code, "chief_code": chief, "river_code": river, "from_m": lo, "to_m": hi, "level": "village"}
    _save(conn, "duty", pd.DataFrame(duty))
    landmarks(conn)


def landmarks(conn: Connection) -> None:
    """石桥 by its chainage, the large bridge by its point only, a sign that stands twice, a weir on the other river."""
    points = [None, shapely.Point(106.01, 29.4001), None, None, None]
    columns = {
        "code": ["M1", "M2", "M3", "M4", "M5"], "name": ["石桥", "清溪大桥", "公示牌", "公示牌", "甲河堰"],
        "river_code": ["R1", "R1", "R1", "R1", "R2"], "kind": ["bridge", "bridge", "sign", "sign", "weir"],
        "at_m": [200.0, None, 500.0, 1455.0, 300.0],
    }  # fmt: skip
    _save(conn, "landmark", _points(*points, **columns))


def _save(conn: Connection, layer: str, frame: pd.DataFrame) -> None:
    saved = river_store.save(conn, layer, frame, namespace="local", import_id=None)
    assert not saved.set_aside, saved.set_aside


def chief(conn: Connection, code: str) -> uuid.UUID:
    return uuid.UUID(str(conn.execute(text("SELECT id FROM app.chief WHERE code = :c"), {"c": code}).scalar_one()))


def track(
    conn: Connection,
    chief_code: str,
    hours: tuple[str, str],
    *stretches: tuple[str, float, float],
    on: date = DAY,
    asked: Sequence[dict[str, Any]] = (),
) -> uuid.UUID:
    """A scored track of a chief between two hours of Beijing time, that has seen stretches (reach code, from, to)."""
    start, end = (datetime.fromisoformat(f"{on}T{h}:00+08:00").astimezone(UTC) for h in hours)
    track_id, result_id = uuid.uuid4(), uuid.uuid4()
    head = {
        "id": track_id, "raw_sha256": track_id.hex, "raw_path": "tracks/x", "file_name": "x.gpx", "format": "gpx", "day": on,
        "chief_id": chief(conn, chief_code), "datum_used": "wgs84", "started_at": start, "ended_at": end, "fix_count": 0,
    }  # fmt: skip
    copy_frame(conn, "data.track", pd.DataFrame([head]))
    system.keep_rules(conn, BOOK.version, BOOK.content, BOOK.rows())
    figures = {"minutes": (end - start) / timedelta(minutes=1), "metres": sum(b - a for _, a, b in stretches)}
    scoring = {"id": result_id, "track_id": track_id, "engine": "test", "input_hash": "h", "rule_set": BOOK.version}
    copy_frame(
        conn,
        "data.patrol_result",
        pd.DataFrame([{**scoring, "figures": figures, "standard": [], "review": list(asked)}]),
    )
    legs = _legs(conn, stretches)
    copy_frame(conn, "data.leg", legs.assign(result_id=result_id, seq=range(len(legs))))
    return track_id


def _legs(conn: Connection, stretches: Sequence[tuple[str, float, float]]) -> pd.DataFrame:
    ids = {r.code: r for r in conn.execute(text("SELECT code, id, version FROM app.reach"))}
    rows = [(ids[c].id, ids[c].version, lo, hi) for c, lo, hi in stretches]
    frame = pd.DataFrame(rows, columns=["reach_id", "reach_version", "from_m", "to_m"])
    return frame.assign(bank="left", seen=True, reason=None)
