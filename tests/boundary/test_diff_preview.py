"""The preview before saving: a draft with unsaved edits against the law of its day, held against what the database knows."""

from __future__ import annotations

import uuid
from datetime import date
from pathlib import Path

import pytest
import shapely

from rivergis.boundary.law import draft_workflow
from rivergis.boundary.law.edit import Edit
from rivergis.boundary.redraw import workflow as diff_workflow
from rivergis.db.connect import Database
from rivergis.encroachment import case_workflow
from rivergis.errors import UsageError
from rivergis.rules import RuleView, path_of
from tests.boundary.draft_ground import DAY, announce, ground, line, of, opened, put, step
from tests.encroachment.night_ground import BOOK, box
from tests.encroachment.night_ground import put as put_layer

NARROW = ((0.0, 100.0), (900.0, 100.0), (1000.0, 60.0), (1100.0, 100.0), (2000.0, 100.0))
"""40 m nearer to the water over 200 m: a triangle of 4,000 m2."""


def view() -> RuleView:
    return BOOK.at(path_of("500199"), DAY)


def made(db: Database) -> Database:
    ground(db)
    put_layer(db, "outfall", [{"code": "W1", "name": "东口", "status": "open"}], [shapely.Point(501_000, 3_250_090)])
    pond(db, 80, 40)
    opened(db)
    return db


def pond(db: Database, y: float, height: float) -> None:
    """The pond beside the river, 100 m wide, from y on."""
    shape = shapely.MultiPolygon([box(950, y, 100, height)])
    put_layer(db, "water_area", [{"code": "S1", "kind": "pond", "name": "河湾塘"}], [shape])


@pytest.fixture(scope="module")
def drafted(module_db: Database) -> Database:
    """One world for the tests that only look."""
    return made(module_db)


def preview(db: Database, *edits: Edit) -> diff_workflow.Preview:
    with db.read() as conn:
        return diff_workflow.preview_draft(conn, "D1", view(), edits=edits)


def test_a_draft_as_it_was_opened_changes_nothing(drafted: Database) -> None:
    told = preview(drafted).as_dict()
    assert told["geometry"]["leaving"]["features"] == [] and told["reductions"] == []
    assert told["total"]["old_m2"] == pytest.approx(400_000, rel=1e-3)
    assert told["about"]["draft"] == "D1" and told["mark"] == "内部草稿·非测绘成果"


def test_an_edit_nobody_saved_shows_what_it_lets_go_and_nothing_is_written(drafted: Database) -> None:
    left = of(drafted, "left")["segment_id"].iloc[0]
    told = preview(drafted, Edit("put", left, geom=line(*NARROW))).as_dict()
    (one,) = told["reductions"]
    assert one["m2"] == pytest.approx(4000, rel=1e-3)
    assert (one["river"], one["bank"], one["stretch"], one["reason"]) == ("试验河", "left", "0+900–1+100", "")
    assert [(t["layer"], t["name"], t["was"], t["becomes"]) for t in told["things"]] == [
        ("outfall", "东口", "inside", "outside")
    ]
    assert one["codes"] == ["water"] and one["flags"][0]["feature"] == "河湾塘"
    (village,) = told["places"]
    assert (village["name"], village["entering_m2"], round(village["leaving_m2"], -2)) == ("河湾村", 0, 4000)
    assert "land_use" in told["not_looked_at"] and "case" in told["looked_at"]
    with drafted.read() as conn:
        assert draft_workflow.get(conn, "D1")["revision"] == 1


def test_a_new_stretch_is_previewed_with_its_river_and_bank(drafted: Database) -> None:
    old = of(drafted, "left").iloc[0]
    new = {"river_id": old["river_id"], "bank": "left", "reach_code": old["reach_code"]}
    edits = [Edit("remove", old["segment_id"]), Edit("put", uuid.uuid4(), new, line((0, 120), (2000, 120)))]
    assert preview(drafted, *edits).redraw.total["entering_m2"] == pytest.approx(40_000, rel=1e-3)
    with pytest.raises(UsageError, match="river and bank"):
        preview(drafted, Edit("put", None, {}, line((0, 120), (2000, 120))))


def test_a_bank_that_is_missing_is_not_taken_for_ground_let_go(drafted: Database) -> None:
    told = preview(drafted, Edit("remove", of(drafted, "left")["segment_id"].iloc[0])).as_dict()
    assert told["reductions"] == []
    assert [s["code"] for s in told["said"]] == ["redraw_not_compared"]


def test_an_open_case_on_the_ground_is_named_in_the_reduction(db: Database) -> None:
    drafted = made(db)
    place = shapely.centroid(line((995, 80), (1005, 80)))
    with drafted.write("test") as conn:
        case_workflow.open_reported(
            conn, class_code="dumping.solid_waste", kind="dump", place=place, found_on=date(2026, 5, 20), source="巡河"
        )
    edit = Edit("put", of(drafted, "left")["segment_id"].iloc[0], geom=line(*NARROW))
    (one,) = preview(drafted, edit).as_dict()["reductions"]
    assert len(one["cases"]) == 1 and one["cases"][0].startswith("500199-")
    assert one["codes"] == ["open_case", "water"]


def test_water_of_an_earlier_day_that_is_dry_now_is_a_fill(db: Database) -> None:
    drafted = made(db)
    pond(drafted, 95, 25)
    edit = Edit("put", of(drafted, "left")["segment_id"].iloc[0], geom=line(*NARROW))
    (one,) = preview(drafted, edit).as_dict()["reductions"]
    flags = {f["code"]: f["m2"] for f in one["flags"]}
    assert set(flags) == {"water", "former_water", "filled"}
    assert flags["water"] + flags["filled"] == pytest.approx(flags["former_water"], abs=0.2)


def test_two_days_of_the_law(db: Database, tmp_path: Path) -> None:
    drafted = made(db)
    put(drafted, 1, Edit("put", of(drafted, "left")["segment_id"].iloc[0], geom=line(*NARROW)))
    (one,) = preview(drafted).as_dict()["reductions"]
    assert one["reason"] == "试"  # of the save that drew it
    moved = step(drafted, "submit", "zhang", reasons={"*": "测量更正"})
    step(drafted, "review", "wang", countersign=moved.table_sha256[:8])
    announce(drafted, tmp_path)

    def between(before: date, after: date) -> dict[str, object]:
        with drafted.read() as conn:
            return diff_workflow.between_days(conn, before, after, view()).as_dict()

    told = between(date(2026, 6, 30), date(2026, 7, 1))
    assert [round(r["m2"], -2) for r in told["reductions"]] == [4000]  # type: ignore[attr-defined]
    assert between(date(2026, 7, 1), date(2026, 7, 2))["reductions"] == []
    with drafted.read() as conn, pytest.raises(UsageError, match="not known"):
        diff_workflow.between_days(conn, DAY, DAY, view(), rivers=["R9"])
