"""A river of 2 km with an announced line 100 m to each side, people who draw and people who review.

y +100 ----------------------- left line, announced as V1 -----------------------
y    0 ======================= axis, flows east ==================================
y -100 ----------------------- right line ----------------------------------------
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import geopandas as gpd
import shapely

from rivergis.boundary.law import announce_workflow as law_workflow
from rivergis.boundary.law import draft_workflow
from rivergis.boundary.law import move_workflow as draft_move_workflow
from rivergis.boundary.law.announce_workflow import Announced, Announcement
from rivergis.boundary.law.draft_workflow import Opened, SavedDraft
from rivergis.boundary.law.edit import Edit
from rivergis.boundary.law.move_workflow import Moved
from rivergis.boundary.law.reduction_workflow import Limits
from rivergis.db import people
from rivergis.db.connect import Database
from tests.encroachment.night_ground import ZONE, X, Y, area, river

WHOLE = (0.0, -100.0, 2000.0, 200.0)
DAY = date(2026, 6, 1)
LIMITS = Limits(snap_m=1.0, tolerance_m=0.5)


def office(db: Database) -> None:
    """Planners zhang and li, reviewer wang, and one who is both."""
    with db.write("test") as conn:
        for name, roles in {
            "zhang": ["planner"],
            "li": ["planner"],
            "wang": ["reviewer"],
            "both": ["planner", "reviewer"],
        }.items():
            people.add_user(conn, name, name)
            for role in roles:
                people.grant(conn, name, role)


def ground(db: Database) -> None:
    """River R1 with the announced delimitation V1, and the office."""
    river(db)
    area(db, "V1", WHOLE)
    office(db)


def line(*points: tuple[float, float]) -> shapely.LineString:
    """Local metres to degrees."""
    shape = shapely.LineString([(X + x, Y + y) for x, y in points])
    return gpd.GeoSeries([shape], crs=ZONE).to_crs(4490).iloc[0]


def opened(db: Database, code: str = "D1", actor: str = "zhang", **more: Any) -> Opened:
    """A draft on the line in force."""
    said = {"title": "试验河划界调整", "namespace": "local", "on": DAY, "rivers": ["R1"], "adcode": "500199"} | more
    return draft_workflow.open_draft(db, code=code, actor=actor, **said)


def of(db: Database, bank: str, code: str = "D1", revision: int | None = None) -> gpd.GeoDataFrame:
    """Segments of one bank."""
    with db.read() as conn:
        rows = draft_workflow.segments(conn, draft_workflow.get(conn, code), revision)
    return rows[rows["bank"] == bank].reset_index(drop=True)


def put(db: Database, base: int, *edits: Edit, actor: str = "zhang", code: str = "D1") -> SavedDraft:
    return draft_workflow.save(db, code, base, list(edits), actor, reason="试")


def step(db: Database, move: str, actor: str, code: str = "D1", **more: Any) -> Moved:
    return draft_move_workflow.move(db, code, move, actor, reason="按程序办理", limits=LIMITS, **more)


def announce(db: Database, folder: Path, code: str = "D1", actor: str = "wang", **more: Any) -> Announced:
    """Announce with a file."""
    file = folder / "公告.pdf"
    file.write_bytes(b"%PDF-1.4 announcement " + code.encode())
    said = {
        "government": "试验县人民政府",
        "document_no": f"试府告〔2026〕{code}号",
        "announced_on": date(2026, 6, 10),
        "in_force_from": date(2026, 7, 1),
        "publisher": "试验县水利局",
    } | more
    return law_workflow.announce(
        db, code, Announcement(file=file, **said), actor, reason="公告", store_dir=folder / "store", limits=LIMITS
    )  # fmt: skip
