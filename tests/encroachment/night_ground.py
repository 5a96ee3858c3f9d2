"""A river of 2 km with a management line 100 m to each side, and feeds that deliver objects night by night.

y +100 ----------------------- line (left bank) --------------------------
       objects are boxes: x, y, width, height in metres from the west end
y    0 ======================= axis, flows east ==========================

y -100 ----------------------- line (right bank) -------------------------
"""

from __future__ import annotations

import uuid
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import shapely
from sqlalchemy import text

from rivergis import layers, rules
from rivergis.db import people, system
from rivergis.db.connect import Database
from rivergis.encroachment import life_workflow, store
from rivergis.jobs import nightly
from rivergis.jobs.layer_import import DOORS
from rivergis.rules import RuleBook
from rivergis.settings import gis_dir

BOOK = rules.load(gis_dir() / "rules")
X, Y, ZONE = 500_000.0, 3_250_000.0, 4544
FIRST = date(2026, 5, 1)
Box = tuple[float, float, float, float]


def box(x: float, y: float, w: float, h: float) -> shapely.Polygon:
    return shapely.box(X + x, Y + y, X + x + w, Y + y + h)


def put(db: Database, layer: str, said: list[dict[str, Any]], shapes: list[Any] | None = None) -> None:
    """Rows of a layer by the door of its domain, as an import leaves them."""
    frame = pd.DataFrame(said).assign(source_feature=[str(n) for n in range(len(said))])
    if shapes is not None:
        frame = gpd.GeoDataFrame(frame, geometry=shapes, crs=ZONE).rename_geometry("geom").to_crs(4490)
    with db.write("test") as conn:
        saved = DOORS[layers.layer(layer).group](conn, layer, frame, namespace="local", import_id=None)
    assert not saved.set_aside, saved


def river(db: Database) -> None:
    """The river in its county and village."""
    axis = shapely.LineString([(X, Y), (X + 2000, Y)])
    units = [
        {"code": "500199", "name": "试验县", "level": "county"},
        {"code": "500199001201", "name": "河湾村", "level": "village"},
    ]
    put(db, "admin_unit", units, [shapely.MultiPolygon([box(-5000, -5000, 12000, 10000)])] * 2)
    put(db, "river", [{"code": "R1", "name": "试验河", "kind": "river"}])
    put(db, "axis", [{"code": "R1", "river_code": "R1"}], [axis])
    put(db, "reach", [{"code": "R1-1", "river_code": "R1", "kind": "river", "from_m": 0, "to_m": 2000}], [axis])


def bank_lines(
    db: Database, version: str, lines: dict[str, list[tuple[float, float]]], basis: str = "announced", **more: Any
) -> None:
    """A delimitation that has lines: bank -> vertices; another shape is another announcement."""
    number = int(sum(abs(x) + 3 * abs(y) for vertices in lines.values() for x, y in vertices))
    act = {
        "version_code": version, "river_code": "R1", "basis": basis, "announce_gov": f"{version}县人民政府", "announce_doc_no": f"试府发{number}号",
        "announced_on": date(2020, 6, 1), "xy_error_m": 0.5, "survey_scale": 2000,
    } | more  # fmt: skip
    said = [act | {"code": f"{version}-{n}", "bank": bank} for n, bank in enumerate(lines)]
    put(db, "boundary_line", said, [shapely.LineString([(X + x, Y + y) for x, y in v]) for v in lines.values()])


def area(db: Database, version: str, ground: Box, **more: Any) -> None:
    """A delimitation with lines and the area between them."""
    x, y, w, h = ground
    bank_lines(db, version, {"left": [(x, y + h), (x + w, y + h)], "right": [(x, y), (x + w, y)]}, **more)
    put(db, "boundary_area", [{"code": version + "A", "version_code": version}], [shapely.MultiPolygon([box(*ground)])])


def deliver(
    db: Database, day: date, feed: str, objects: dict[str, tuple[str, Any]], *, complete: bool = True, **more: Any
) -> None:
    """A delivery of a feed: code -> kind and box (or shape in metres); empty = it looked and saw nothing."""
    frame = gpd.GeoDataFrame(
        {
            "code": list(objects),
            "kind": [k for k, _ in objects.values()],
            "source_kind": more.get("source_kind", "landuse"),
        },
        geometry=[box(*s) if isinstance(s, tuple) else s for _, s in objects.values()],
        crs=ZONE,
    )
    frame = (
        frame.rename_geometry("geom")
        .to_crs(4490)
        .assign(evidence=[more.get("evidence", {})] * len(frame), source_feature="1")
    )
    import_id = uuid.uuid4()
    with db.write("test") as conn:
        store.save(
            conn,
            "candidate",
            frame,
            namespace=f"local-{feed}",
            import_id=import_id,
            feed=feed,
            delivered_on=day,
            complete=complete,
        )
        system.record_import(
            conn, import_id=import_id, layer="candidate", file_name=f"{feed}.gpkg", file_sha256=import_id.hex, source_layer="x",
            profile="", options={}, source_crs="EPSG:4490", count_in=0, count_imported=0, count_unchanged=0, count_quarantined=0,
            count_skipped=0, report={},
        )  # fmt: skip


def permit(db: Database, code: str, kind: str, allows: str, ground: Box | None, **more: Any) -> None:
    """A permit with a polygon, or without one where ``ground`` is None."""
    said = {
        "code": code,
        "name": code,
        "kind": kind,
        "allows": allows,
        "position_kind": "polygon" if ground else "stretch",
    } | more
    put(db, "permit", [said], [shapely.MultiPolygon([box(*ground)]) if ground else None])


def night(db: Database, folder: Path, n: int = 0, book: RuleBook = BOOK) -> nightly.NightResult:
    """Run the n-th night, without its page."""
    return nightly.run(db, book, day(n), "test", store_dir=folder / "store", report_dir=None)


def day(n: int) -> date:
    return FIRST + timedelta(days=n)


def leads(db: Database, n: int) -> dict[str, dict[str, Any]]:
    """Encroachment leads of a night by the codes of what shows them, joined by +; one that nothing shows by its first name."""
    with db.read() as conn:
        rows = [r for r in store.findings_of_night(conn, day(n)).to_dict("records") if r["topic"] == "encroachment"]
        named = {
            r[0]: r[1]
            for r in conn.execute(
                text("""SELECT DISTINCT ON (finding_id) finding_id, sources -> 1 ->> 'code' FROM data.sighting
                WHERE sources -> 1 ? 'code' ORDER BY finding_id, night""")
            )
        }
    out = {}
    for r in rows:
        codes = sorted(s["code"] for s in r["sources"] if "code" in s)
        out["+".join(codes) or named[r["id"]]] = r
    return out


def statuses(db: Database, n: int) -> dict[str, str]:
    return {k: r["status"] for k, r in leads(db, n).items()}


def untold(db: Database, n: int) -> dict[str, str]:
    """Reasons of a night by code."""
    with db.read() as conn:
        return {r["code"]: r["reason"] for r in store.not_findings_of_night(conn, day(n)).to_dict("records")}


def judge(db: Database, case: object, move: str, reason: str) -> None:
    """An inspector takes a step on a lead."""
    with db.write("test") as conn:
        if not any(u["name"] == "inspector" for u in people.list_users(conn)):
            people.add_user(conn, "inspector", "核查员")
            people.grant(conn, "inspector", "inspector")
    life_workflow.take_step(
        db, str(case), move, "inspector", reason=reason, attachment=None, store_dir=Path("/nonexistent")
    )
