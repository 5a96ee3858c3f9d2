"""Careless planners, hostile importers and people who write SQL: nobody's edit is lost, and announced ground does not change in silence."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from shapely.ops import substring
from sqlalchemy import text

from rivergis import layers
from rivergis.boundary.law import draft_store, draft_workflow, version_files
from rivergis.boundary.law import rows as draft_rows
from rivergis.boundary.law.edit import Edit
from rivergis.db.connect import Database, now_of
from rivergis.db.versions import SetAside
from rivergis.errors import InputError, NotNow, NotPermitted, UsageError
from rivergis.intake.delivery import Asked
from rivergis.jobs.layer_import import DOORS
from tests.boundary.draft_ground import DAY, WHOLE, announce, ground, line, of, office, opened, put, step
from tests.encroachment import night_ground
from tests.encroachment.night_ground import X, Y, bank_lines, box

ASKED = Asked(None, None, None, None)
LINES = {"left": [(0.0, 100.0), (2000.0, 100.0)], "right": [(0.0, -100.0), (2000.0, -100.0)]}


def law(db: Database, day: date = DAY) -> list[tuple[Any, ...]]:
    """What is in force on a day: delimitation, standing, river, type and basis."""
    with db.read() as conn:
        rows = draft_store.standing(conn, day, now_of(conn))
    return [(r.code, r.standing, r.river_code, r.line_type, r.basis) for r in rows.itertuples()]


def delivered(db: Database, layer: str, said: list[dict[str, Any]], shapes: list[Any]) -> list[SetAside]:
    frame = pd.DataFrame(said).assign(source_feature="1")
    placed = gpd.GeoDataFrame(frame, geometry=shapes, crs=night_ground.ZONE).rename_geometry("geom").to_crs(4490)
    with db.write("test") as conn:
        return list(DOORS[layers.layer(layer).group](conn, layer, placed, namespace="local", import_id=None).set_aside)


def way(db: Database, folder: Path, code: str, day: date) -> None:
    """From the draft to the announcement."""
    moved = step(db, "submit", "zhang", code=code, reasons={"*": "测量更正"})
    step(db, "review", "wang", code=code, countersign=moved.table_sha256)
    announce(db, folder, code, in_force_from=day)


# ---- files ---------------------------------------------------------------------------------------------------------------


def test_what_a_planner_does_to_a_file(db: Database, tmp_path: Path) -> None:
    """A line split in desktop GIS carries its id twice, and both parts stand; a file of another draft takes nothing out."""
    ground(db)
    opened(db)
    opened(db, "D2")
    with db.read() as conn:
        whole = version_files.out(draft_workflow.segments(conn, draft := draft_workflow.get(conn, "D1")), draft, 1)
    left, right = whole[whole["bank"] == "left"], whole[whole["bank"] == "right"]
    parts = [substring(left.geometry.iloc[0], a, b, normalized=True) for a, b in ((0, 0.4), (0.4, 1))]
    pd.concat([right, left.set_geometry([parts[0]]), left.set_geometry([parts[1]])]).to_file(tmp_path / "w.gpkg")
    file = version_files.read(tmp_path / "w.gpkg", ASKED)
    with pytest.raises(UsageError, match="lines of the draft D1, not of D2"):
        draft_workflow.save_file(db, "D2", 1, file, "zhang", reason="存错")
    for wrong, match in (
        ({"segment_id": "7"}, "no id of a segment"),
        ({"from_m": "K1+200"}, "no chainage"),
        ({"from_m": 9.0, "to_m": 1.0}, "smaller chainage"),
        ({"geom": shapely.LineString([(0, 0), (200, 95)])}, "outside China"),
    ):
        with pytest.raises(InputError, match=match):
            draft_workflow.save_file(
                db, "D1", 1, file.assign(**{k: v for k, v in wrong.items() if k != "geom"}).set_geometry(
                    [wrong["geom"]] * len(file) if "geom" in wrong else list(file.geometry), crs=4490
                ), "zhang", reason="错",
            )  # fmt: skip
    saved = draft_workflow.save_file(db, "D1", 1, file, "zhang", reason="左岸分段")
    assert (saved.revision, saved.put, saved.removed) == (2, 2, 0)
    after = of(db, "left")
    total, was = (shapely.length(f.geometry.values).sum() for f in (after, left))
    assert total == pytest.approx(was, abs=1e-9)
    assert left["segment_id"].iloc[0] in set(after["segment_id"].astype(str))
    assert [a.get("boundary_code") for a in after["attributes"]] == ["V1", "V1"]
    again = opened(db, "D3", rivers=[], lines=file)
    assert again.segments == 3


def test_parts_of_a_split_line_share_no_chainage() -> None:
    rows = [{"segment_id": i, "from_m": a, "to_m": b} for i, a, b in ((1, 0, 9), (1, 0, 9), (1, 0, 4), (2, 5, 6))]
    told = draft_rows.parted(rows)
    assert [(r["from_m"], r["to_m"]) for r in told] == [(None, None), (None, None), (None, 4), (5, 6)]
    assert len({r["segment_id"] for r in told}) == 4


def test_edits_that_no_one_can_mean(db: Database) -> None:
    ground(db)
    opened(db)
    own = of(db, "left")["segment_id"].iloc[0]
    for edits in (
        [Edit("put", own, {"code": "a"}), Edit("put", own, {"code": "b"})],
        [Edit("swap", own)],
        [Edit("put", own, {"from_m": 9.0, "to_m": 1.0})],
        [Edit("put", own, {"basis": "law"})],
        [Edit("put", own, geom=shapely.LineString([(0, 0), (200, 95)]))],
    ):
        with pytest.raises(InputError):
            put(db, 1, *edits)
    for said in ({"code": "a b"}, {"code": "a/b"}, {"code": "D9", "title": " "}):
        with pytest.raises(UsageError, match="A draft has a title"):
            opened(db, **said)
    night_ground.put(db, "river", [{"code": "R2", "name": "二河", "kind": "river"}])
    with db.write("test") as conn:
        frame = pd.DataFrame([{"code": "R1", "name": "外县同码河", "kind": "river", "source_feature": "1"}])
        DOORS["river"](conn, "river", frame, namespace="elsewhere", import_id=None)
    with pytest.raises(InputError, match="several namespaces"):
        opened(db, "D5")
    assert len(of(db, "left")) == 1


# ---- law -----------------------------------------------------------------------------------------------------------------


def test_an_import_does_not_make_the_law_something_else(db: Database) -> None:
    ground(db)
    night_ground.put(db, "river", [{"code": "R2", "name": "二河", "kind": "river"}])
    before = law(db)
    number = int(sum(abs(x) + 3 * abs(y) for v in LINES.values() for x, y in v))
    act = {
        "version_code": "V1", "river_code": "R1", "basis": "announced", "line_type": "management", "announce_gov": "V1县人民政府",
        "announce_doc_no": f"试府发{number}号", "announced_on": date(2020, 6, 1), "xy_error_m": 0.5, "survey_scale": 2000,
    }  # fmt: skip
    shapes = [shapely.LineString([(X + x, Y + y) for x, y in v]) for v in LINES.values()]
    for other in (
        {"line_type": "protection"}, {"basis": "surrogate"}, {"basis": "draft"}, {"river_code": "R2"},
        {"line_type": "protection", "announce_doc_no": "又一号"},
    ):  # fmt: skip
        said = [act | other | {"code": f"V1-{n}", "bank": bank} for n, bank in enumerate(LINES)]
        assert [a.code for a in delivered(db, "boundary_line", said, shapes)] == ["announced_unchanged"] * 2
    bank_lines(db, "V2", {"left": [(0, 300), (9, 300)], "right": [(0, 290), (9, 290)]}, line_type="protection")
    stolen = [act | {"code": "V1-0", "bank": "left", "version_code": "V2", "line_type": "protection"}]
    assert [a.code for a in delivered(db, "boundary_line", stolen, shapes[:1])] == ["announced_unchanged"]
    moved = delivered(
        db, "boundary_area", [{"code": "V1A", "version_code": "V2"}], [shapely.MultiPolygon([box(*WHOLE)])]
    )
    assert [a.code for a in moved] == ["announced_unchanged"]
    assert [row for row in law(db) if row[0] == "V1"] == before


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE data.boundary_version SET superseded_at = now()",
        "UPDATE data.boundary_segment SET superseded_at = now() WHERE bank = 'left'",
        "UPDATE data.boundary_area SET superseded_at = now()",
        """WITH was AS (UPDATE data.boundary_version SET superseded_at = now() RETURNING *)
           INSERT INTO data.boundary_version (id, version, code_namespace, code, content_hash, river_id, line_type, basis, state, announce_gov,
             announce_doc_no, announced_on, valid)
           SELECT id, version + 1, code_namespace, code, 'x', river_id, line_type, basis, state, announce_gov, announce_doc_no, announced_on,
             '[1900-01-01,1900-01-02)'::daterange FROM was""",
        """WITH was AS (UPDATE data.boundary_version SET superseded_at = now() RETURNING *)
           INSERT INTO data.boundary_version (id, version, code_namespace, code, content_hash, river_id, line_type, basis, state, valid)
           SELECT id, version + 1, code_namespace, code, 'x', river_id, 'protection', basis, state, valid FROM was""",
    ],
)
def test_sql_does_not_take_the_law_away(db: Database, sql: str) -> None:
    ground(db)
    with pytest.raises(NotPermitted), db.write("zhang") as conn:
        conn.execute(text(sql))
    assert law(db) == [("V1", "in_force", "R1", "management", "announced")]


def test_two_announcements_are_never_in_force_on_one_stretch(db: Database, tmp_path: Path) -> None:
    ground(db)
    opened(db)
    opened(db, "D2")
    wider = line((0, 100), (1000, 150), (2000, 100))
    for code in ("D1", "D2"):
        put(db, 1, Edit("put", of(db, "left", code)["segment_id"].iloc[0], geom=wider), code=code)
    way(db, tmp_path, "D1", date(2026, 9, 1))
    for day in (date(2026, 8, 1), date(2026, 9, 1)):
        with pytest.raises(NotNow):
            way(db, tmp_path, "D2", day) if day.month == 8 else announce(db, tmp_path, "D2", in_force_from=day)
    opened(db, "D3", on=date(2026, 9, 1))
    with pytest.raises(NotNow, match="in force from 2026-09-01"):
        way(db, tmp_path, "D3", date(2026, 9, 1))
    announce(db, tmp_path, "D3", in_force_from=date(2026, 9, 2))
    assert [row[:2] for row in law(db, date(2026, 9, 1))] == [
        ("D1", "in_force"),
        ("D3", "announced"),
        ("V1", "superseded"),
    ]
    assert [row[:2] for row in law(db, date(2026, 9, 2))] == [
        ("D1", "superseded"),
        ("D3", "in_force"),
        ("V1", "superseded"),
    ]


def test_a_river_whose_codes_another_gave_is_announced_too(db: Database, tmp_path: Path) -> None:
    """Lines of a river of another namespace than the draft's go the whole way."""
    night_ground.river(db)
    office(db)
    with db.write("test") as conn:
        frame = pd.DataFrame([{"code": "YX", "name": "云溪河", "kind": "river", "source_feature": "1"}])
        DOORS["river"](conn, "river", frame, namespace="county", import_id=None)
    shapes = [line(*v) for v in LINES.values()]
    file = gpd.GeoDataFrame({"river_code": "YX", "bank": list(LINES)}, geometry=shapes, crs=4490).rename_geometry(
        "geom"
    )
    opened(db, rivers=[], lines=file)
    way(db, tmp_path, "D1", date(2026, 7, 1))
    assert law(db, date(2026, 7, 1)) == [("D1", "in_force", "YX", "management", "announced")]
