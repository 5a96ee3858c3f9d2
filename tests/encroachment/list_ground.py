"""A small ledger: six dumps on one river in two townships of one county, moved through their lives by an inspector and a reviewer."""

from __future__ import annotations

import hashlib
import json
import uuid
from datetime import date
from pathlib import Path
from typing import Any

import geopandas as gpd
import shapely
from sqlalchemy import text

from rivergis.db import people
from rivergis.db.connect import Database
from tests.encroachment import night_ground as ground

INSPECTOR, REVIEWER, LOOKER = "list-inspector", "list-reviewer", "list-looker"
UNITS = [
    {"unit": "试验县水利局", "lead": True, "person": "张三"},
    {"unit": "上湾镇人民政府", "person": "李四"},
    {"unit": "试验县城管局", "role": "supporting"},
]
PLACES = {"a": 100, "b": 400, "c": 700, "d": 1100, "e": 1400, "f": 1700}


def build(db: Database) -> dict[str, str]:
    """The river with its reach, two townships (west of 1000 m, east of it) and six dumps that people reported: code -> case."""
    ground.river(db)
    west = [shapely.MultiPolygon([ground.box(x, -5000, 6000, 10000)]) for x in (-5000, 1000)]
    towns = [
        {"code": "500199001", "name": "上湾镇", "level": "town"},
        {"code": "500199002", "name": "下湾镇", "level": "town"},
    ]
    ground.put(db, "admin_unit", towns, west)
    with db.write("test") as conn:
        for name, role in ((INSPECTOR, "inspector"), (REVIEWER, "reviewer"), (LOOKER, "reviewer")):
            people.add_user(conn, name, name)
            people.grant(conn, name, role)
    return {code: report(db, code, x) for code, x in PLACES.items()}


def report(db: Database, code: str, x: float, on: date = ground.FIRST) -> str:
    """A dump that people reported on a day, as it is opened by hand."""
    case = str(uuid.uuid5(uuid.NAMESPACE_URL, code))
    town = "500199001" if x < 1000 else "500199002"
    place = gpd.GeoSeries([ground.box(x, 20, 20, 20)], crs=ground.ZONE).to_crs(4490).iloc[0]
    figures = {
        "river": "试验河",
        "river_code": "R1",
        "bank": "left",
        "at_m": x,
        "chainage": f"K0+{x:03.0f}",
        "kind": "dump",
    }
    with db.write("test") as conn:
        params = {
            "f": case,
            "on": on,
            "d": town + "201",
            "g": f"SRID=4490;{place.wkt}",
            "s": json.dumps(figures),
        }
        for sql in (
            "INSERT INTO data.finding (id, topic, first_night, district, place) VALUES (:f, 'reported', :on, :d, ST_PointOnSurface(CAST(:g AS geometry)))",
            "INSERT INTO data.sighting (finding_id, night, status, geom) VALUES (:f, :on, 'new', CAST(:g AS geometry))",
            """INSERT INTO data.case_report (finding_id, source, found_on, class_code, kind, figures)
            VALUES (:f, '巡河', :on, 'dumping.rubbish', 'dump', CAST(:s AS jsonb))""",
        ):
            conn.execute(text(sql), params)
    return case


def move(
    db: Database, finding: str, name: str, to: str, *, by: str = INSPECTOR, detail: dict[str, Any] | None = None, attached: str | None = None
) -> None:  # fmt: skip
    """One event of a case, as the doors write it."""
    with db.write(by) as conn:
        conn.execute(
            text("""INSERT INTO data.finding_event (finding_id, move, to_state, reason, attachment_sha256, detail)
            VALUES (:f, :m, :to, '测试', :a, CAST(:d AS jsonb))"""),
            {"f": finding, "m": name, "to": to, "a": attached, "d": json.dumps(detail or {})},
        )


def photo(db: Database, finding: str, store: Path, content: bytes = b"after", kind: str = "photo") -> dict[str, Any]:
    """A picture filed with a case, with position and time; returns it as evidence of a move."""
    sha256 = hashlib.sha256(content).hexdigest()
    path = f"evidence/{sha256}.jpg"
    (store / "evidence").mkdir(parents=True, exist_ok=True)
    (store / path).write_bytes(content)
    with db.write(INSPECTOR) as conn:
        conn.execute(
            text("""INSERT INTO data.evidence (finding_id, kind, file_sha256, file_path, caption, taken_at, geom)
            VALUES (:f, :k, :h, :p, '整改后', now(), ST_SetSRID(ST_MakePoint(105, 29.4), 4490)) ON CONFLICT DO NOTHING"""),
            {"f": finding, "k": kind, "h": sha256, "p": path},
        )
    return {"sha256": sha256, "lon": 105.0, "lat": 29.4, "at": "2026-05-20T08:00:00Z"}


def assigned(db: Database, finding: str, deadline: str = "2026-06-30") -> None:
    """Found to be a problem, and handed to three units."""
    move(db, finding, "judge_problem", "problem")
    said = {"deadline": deadline, "measure": "清除堆放物", "units": UNITS}
    move(db, finding, "assign", "assigned", detail=said)


def rectified(db: Database, finding: str, store: Path) -> None:
    proof = [photo(db, finding, store, f"after {finding}".encode())]
    move(db, finding, "rectify", "rectified", detail={"evidence": proof, "why_not_all": "单位已并同完成"})


def closed(db: Database, finding: str, store: Path) -> None:
    """The whole way to closing in the county."""
    assigned(db, finding)
    rectified(db, finding, store)
    move(db, finding, "accept", "accepted", by=REVIEWER)
    move(db, finding, "close", "closed", by=REVIEWER)


def live(db: Database, cases: dict[str, str], store: Path) -> None:
    """a closed, b assigned and late, c rectified, d historic and listed, e not a problem, f as the night left it."""
    closed(db, cases["a"], store)
    assigned(db, cases["b"], "2026-06-30")
    assigned(db, cases["c"])
    rectified(db, cases["c"], store)
    move(db, cases["d"], "judge_historic_listed", "historic_listed", attached="0" * 64)
    move(db, cases["e"], "judge_not_a_problem", "not_a_problem")


def today(db: Database) -> date:
    with db.read() as conn:
        return conn.execute(text("SELECT app.today()")).scalar_one()
