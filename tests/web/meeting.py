"""What the maps of a meeting need beside the small county: people, units, zones, a namesake river, a second line, an empty river.

         left line A1                         B1 (from 2025-07-01)
0+000 ─────────────────────────── 0+970 R1   0+000 ───────── 0+485 R2 (same name)
village 甲 both banks 0+000 – 0+600
             village 乙 left 0+500 – 0+800;  nobody of the village: right from 0+600, left from 0+800
town 丙 both banks 0+000 – 0+970
"""

from __future__ import annotations

from datetime import date

import pandas as pd
import shapely
from sqlalchemy import Connection

from rivergis.boundary import store as boundary_store
from rivergis.outfall import store as outfall_store
from rivergis.river import store as river_store
from rivergis.sourcezone import store as zone_store
from tests.web.conftest import DIRTY, degrees

TOWN, VILLAGE = "500199001", "500199001201"
LONG = "很长很长的河流名称" * 8
NAMESAKE = f"清溪{DIRTY}"


def add(conn: Connection) -> None:
    """All of it; the ground of ``conftest`` stands already."""
    _units(conn)
    _rivers(conn)
    _people(conn)
    _lines(conn)
    _zones(conn)


def _save(conn: Connection, store, noun: str, frame: pd.DataFrame) -> None:  # type: ignore[no-untyped-def]
    saved = store.save(conn, noun, frame, namespace="local", import_id=None)
    assert not saved.set_aside, saved.set_aside


def _units(conn: Connection) -> None:
    box = shapely.MultiPolygon([shapely.box(105.95, 29.35, 106.05, 29.45)])
    rows = {
        "code": [TOWN, VILLAGE],
        "name": ["试验镇", "试验村"],
        "level": ["town", "village"],
        "parent_code": ["500199", TOWN],
    }
    _save(conn, river_store, "admin_unit", degrees(box, box, **rows))


def _rivers(conn: Connection) -> None:
    rivers = pd.DataFrame(
        {"code": ["R2", "R3"], "name": [NAMESAKE, LONG], "kind": "river", "name_en": None, "grade": None}
    )
    _save(conn, river_store, "river", rivers)
    second = shapely.LineString([(106.02, 29.41), (106.025, 29.41)])
    reach = degrees(
        second, code="R2-1", river_code="R2", name=None, kind="river", from_m=0.0, to_m=485.0, half_width_m=8.0
    )
    _save(conn, river_store, "reach", reach)
    course = shapely.LineString([(106.0, 29.4), (106.01, 29.4)])
    _save(conn, river_store, "axis", degrees(course, second, code=["X1", "X2"], river_code=["R1", "R2"]))


def _people(conn: Connection) -> None:
    chiefs = pd.DataFrame(
        {"code": ["D1", "D2", "D3"], "name": ["甲", f"乙{DIRTY}", "丙"], "level": ["village", "village", "town"], "title": "河长",
         "unit_code": [VILLAGE, VILLAGE, TOWN]}
    )  # fmt: skip
    _save(conn, river_store, "chief", chiefs)
    duties = pd.DataFrame(
        [("Z1", "D1", "village", "both", 0.0, 600.0), ("Z2", "D2", "village", "left", 500.0, 800.0), ("Z3", "D3", "town", "both", 0.0, 970.0)],
        columns=["code", "chief_code", "level", "bank", "from_m", "to_m"],
    ).assign(river_code="R1", valid_from=date(2024, 1, 1))  # fmt: skip
    _save(conn, river_store, "duty", duties)


def _lines(conn: Connection) -> None:
    act = {"version_code": "B1", "river_code": "R2", "line_type": "blue_line", "basis": "announced", "announce_gov": "试验县人民政府",
           "announce_doc_no": "试府发〔2025〕2号", "announced_on": date(2025, 7, 1)}  # fmt: skip
    banks = [shapely.LineString([(106.02, y), (106.025, y)]) for y in (29.4104, 29.4096)]
    rows = {
        "code": ["B1L", "B1R"],
        "bank": ["left", "right"],
        "source_feature": ["1", "2"],
        "from_m": 0.0,
        "to_m": 485.0,
        "valid_from": date(2025, 7, 1),
    }
    _save(conn, boundary_store, "boundary_line", degrees(*banks, **rows, **act, survey_scale=2000, xy_error_m=1.0))
    draft = act | {
        "version_code": "B2",
        "line_type": "management",
        "basis": "draft",
        "announce_doc_no": None,
        "announced_on": None,
    }
    rows = {"code": ["B2L"], "bank": ["left"], "source_feature": ["3"], "from_m": 0.0, "to_m": 485.0}
    _save(conn, boundary_store, "boundary_line", degrees(banks[0], **rows, **draft, survey_scale=2000, xy_error_m=1.0))


def _zones(conn: Connection) -> None:
    intake = degrees(shapely.Point(106.0052, 29.4001), code="I1", name="试验取水口", river_code="R1", kind="river")
    _save(conn, zone_store, "intake", intake)
    areas = [
        shapely.MultiPolygon([shapely.box(106.004, 29.4, 106.006, 29.401)]),
        shapely.MultiPolygon([shapely.box(106.003, 29.399, 106.008, 29.402)]),
    ]
    rows = {
        "code": ["S1", "S2"],
        "name": ["试验一级保护区", "试验二级保护区"],
        "zone_class": [1, 2],
        "doc_no": "试环〔2024〕1号",
    }
    _save(
        conn,
        zone_store,
        "source_zone",
        degrees(*areas, **rows, intake_code="I1", part="whole", basis="announced", approved_by="试验县"),
    )
    far = degrees(
        shapely.Point(106.009, 29.4003), code="P2", name=LONG, river_code="R1", approval_kind="none", status="open"
    )
    _save(conn, outfall_store, "outfall", far)
