r"""A small county with a month of patrols, recorded by hand so that every figure is known.

village A  [500199001201]  chief 甲 until the 15th, then 乙       village B  [500199001202]  chief 丙
0 m ------------------------------- 2000 m ------------------------------------------- 4000 m   river 清溪
5th   甲 walks the left bank 0-1000        (before the handover)
20th  乙 walks the left bank 500-1500      (after it), drives the right bank 0-400
21st  乙 and 丙 together: left bank 1800-2200 (a joint patrol, on the account of 乙)
22nd  丙 by paper log: right bank 2000-3000
25th  丙 walks the left bank 3000-3500, in a question that nobody has decided
"""

from __future__ import annotations

import json
import uuid
from datetime import date
from typing import Any

import geopandas as gpd
import pandas as pd
import shapely
import shapely.ops
from sqlalchemy import Connection, text

from rivergis import crs, rules
from rivergis.db import system
from rivergis.db.versions import identity
from rivergis.river import store as river_store
from rivergis.settings import gis_dir

BOOK = rules.load(gis_dir() / "rules")
FIRST, LAST = date(2026, 5, 1), date(2026, 5, 31)
COUNTY, TOWN, A, B = "500188", "500188001", "500188001201", "500188001202"
JIA, YI, BING = (identity("chief", "local", c) for c in ("C1", "C2", "C3"))
WEST, EAST, LAT = 106.0, 106.05, 29.4
END_M = 4000.0
QUESTION = "请说明当日情况"


def _frame(shapes: list[Any], **columns: Any) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(columns, geometry=shapes, crs=4490).rename_geometry("geom")


def line() -> shapely.LineString:
    """The river: 4000 m from west to east."""
    whole = shapely.LineString([(WEST, LAT), (EAST, LAT)])
    return shapely.ops.substring(whole, 0, END_M / float(crs.length_m(whole)), normalized=True)


def ground(conn: Connection) -> None:
    """Units, the river with axis, reach and landmark, chiefs and duties."""
    middle = (WEST + line().bounds[2]) / 2
    boxes = [(WEST - 0.01, EAST + 0.01), (WEST - 0.01, EAST + 0.01), (WEST - 0.01, middle), (middle, EAST + 0.01)]
    shapes = [shapely.MultiPolygon([shapely.box(a, 29.3, b, 29.5)]) for a, b in boxes]
    units = _frame(
        shapes,
        code=[COUNTY, TOWN, A, B],
        name=["试县", "试镇", "甲村", "丙村"],
        level=["county", "town", "village", "village"],
        parent_code=["500100", COUNTY, TOWN, TOWN],
    )
    river = pd.DataFrame({"code": ["R1"], "name": ["清溪"], "kind": ["river"], "name_en": [None], "grade": [None]})
    river_id = identity("river", "local", "R1")
    axis = _frame([line()], code=["R1"], river_id=[river_id], origin_m=[0.0])
    reach = _frame(
        [line()],
        code=["H1"],
        river_id=[river_id],
        kind=["river"],
        from_m=[0.0],
        to_m=[END_M],
        half_width_m=[10.0],
    )
    mark = _frame(
        [shapely.Point(106.02, LAT)], code=["L1"], name=["青石桥"], river_id=[river_id], kind=["bridge"], at_m=[1600.0]
    )
    chiefs = pd.DataFrame(
        {
            "code": ["C1", "C2", "C3"],
            "name": ["甲", "乙", "丙"],
            "level": "village",
            "title": None,
            "unit_code": [A, A, B],
        }
    )
    for layer, rows in (
        ("admin_unit", units),
        ("river", river),
        ("axis", axis),
        ("reach", reach),
        ("landmark", mark),
        ("chief", chiefs),
    ):
        river_store.save(conn, layer, rows, namespace="local", import_id=None)
    duties = pd.DataFrame(
        {
            "code": ["Z1", "Z2", "Z3"], "chief_id": [JIA, YI, BING], "river_id": river_id, "level": "village", "bank": "both",
            "from_m": [0.0, 0.0, 2000.0], "to_m": [2000.0, 2000.0, 4000.0],
            "valid_from": ["2025-01-01", "2026-05-16", "2025-01-01"], "valid_to": ["2026-05-15", None, None],
        }
    )  # fmt: skip
    river_store.save(conn, "duty", duties, namespace="local", import_id=None)
    system.keep_rules(conn, BOOK.version, BOOK.content, BOOK.rows())


Leg = tuple[str | None, float, float, str | None]


def track(
    conn: Connection,
    code: str,
    chief: uuid.UUID,
    day: int,
    legs: list[Leg],
    *,
    met: bool = True,
    review: str | None = None,
    family: str = "fast",
) -> uuid.UUID:
    """A scored track of a day of May: legs are (bank, from_m, to_m, mode), mode None = not seen from there."""
    track_id, at = uuid.uuid5(uuid.NAMESPACE_OID, code), f"2026-05-{day:02d}T01:00:00Z"
    conn.execute(
        text("""INSERT INTO data.track (id, raw_sha256, raw_path, file_name, format, chief_id, datum_used, started_at, ended_at, day, fix_count)
        VALUES (:id, :h, 'x', :f, 'gpx', :c, 'wgs84', :a, CAST(:a AS timestamptz) + interval '30 min', :d, 9)"""),
        {"id": track_id, "h": code * 8, "f": f"{code}.gpx", "c": chief, "a": at, "d": date(2026, 5, day)},
    )
    result = uuid.uuid5(track_id, "result")
    standard = [{"key": "patrol.effective.min_duration", "met": met, "measured": 30, "threshold": 20, "unit": "min", "near": False,
                 "basis": "虚构通知", "status": "confirmed"}]  # fmt: skip
    asked = [{"code": "fast", "family": family, "zh": review, "en": "please say", "value": 1.0}] if review else []
    conn.execute(
        text("""INSERT INTO data.patrol_result (id, track_id, engine, input_hash, rule_set, figures, standard, review)
        VALUES (:r, :t, 'test', :h, :b, CAST(:f AS jsonb), CAST(:s AS jsonb), CAST(:q AS jsonb))"""),
        {"r": result, "t": track_id, "h": code, "b": BOOK.version, "f": json.dumps({"minutes": 30.0}), "s": json.dumps(standard), "q": json.dumps(asked)},
    )  # fmt: skip
    for seq, (bank, a, b, mode) in enumerate(legs):
        conn.execute(
            text("""INSERT INTO data.leg (result_id, seq, reach_id, reach_version, bank, from_m, to_m, seen, reason, mode, started_at)
            SELECT :r, :s, h.id, h.version, :bank, :a, :b, :seen, :why, :mode, :at FROM app.reach h WHERE h.code = 'H1'"""),
            {"r": result, "s": seq, "bank": bank, "a": a, "b": b, "seen": mode is not None, "why": None if mode else "too_far", "mode": mode, "at": at},
        )  # fmt: skip
    if review:
        event = "INSERT INTO data.review_event (result_id, track_id, code, move) VALUES (:r, :t, 'fast', 'raised')"
        conn.execute(text(event), {"r": result, "t": track_id})
    return track_id


def month(conn: Connection) -> dict[str, uuid.UUID]:
    """The patrols of the sketch; their tracks by name."""
    ground(conn)
    tracks = {
        "before": track(conn, "before01", JIA, 5, [("left", 0.0, 1000.0, "walk"), ("left", 1000.0, 2000.0, None)]),
        "after": track(conn, "after002", YI, 20, [("left", 500.0, 1500.0, "walk"), ("right", 0.0, 400.0, "drive")]),
        "joint": track(conn, "joint003", YI, 21, [("left", 1800.0, 2200.0, "walk")], met=False),
        "asked": track(conn, "asked004", BING, 25, [("left", 3000.0, 3500.0, "walk")], review=QUESTION),
    }
    party = "INSERT INTO data.patrol_party (track_id, chief_id, part) VALUES (:t, :c, 'joint')"
    conn.execute(text(party), {"t": tracks["joint"], "c": BING})
    entry = uuid.uuid5(uuid.NAMESPACE_OID, "entry")
    conn.execute(
        text(
            "INSERT INTO data.patrol_entry (id, kind, chief_id, day, minutes) VALUES (:e, 'paper', :c, '2026-05-22', 40)"
        ),
        {"e": entry, "c": BING},
    )
    conn.execute(
        text("""INSERT INTO data.patrol_entry_stretch (entry_id, seq, river_id, bank, from_m, to_m)
        VALUES (:e, 0, :r, 'right', 2000, 3000)"""),
        {"e": entry, "r": identity("river", "local", "R1")},
    )
    conn.execute(
        text("""INSERT INTO data.observation (id, entry_id, kind, text, river_id, at_m, bank)
        VALUES (:o, :e, '垃圾', '岸边有塑料', :r, 2500, 'right')"""),
        {"o": uuid.uuid5(entry, "o"), "e": entry, "r": identity("river", "local", "R1")},
    )
    return tracks
