"""Candidates entered one by one: the night judges them like any other, and sees when one is ended."""

from __future__ import annotations

import uuid
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import geopandas as gpd
import pytest
import shapely
from sqlalchemy import text

from rivergis.db.connect import Database
from rivergis.encroachment import hand_workflow, store
from rivergis.encroachment.hand_workflow import Made
from rivergis.errors import InputError, NotFound, NotNow, Outdated
from rivergis.jobs import nightly
from tests.encroachment import night_ground as ground

SAID = {"kind": "building", "source_kind": "landuse", "name": "新建房屋"}
TODAY = date.today()


def place(x: float, y: float, size: float = 20) -> shapely.Polygon:
    """A box in metres from the west end of the river, in degrees."""
    return gpd.GeoSeries([ground.box(x, y, size, size)], crs=ground.ZONE).to_crs(4490).iloc[0]


def told(db: Database, on: date) -> dict[str, str]:
    with db.read() as conn:
        rows = store.findings_of_night(conn, on).to_dict("records")
    return {
        r["sources"][0].get("code") or r["sources"][1]["code"]: r["status"]
        for r in rows
        if r["topic"] == "encroachment"
    }


def versions(db: Database, code: str) -> list[tuple[Any, ...]]:
    with db.read() as conn:
        rows = conn.execute(
            text(
                "SELECT version, name, valid::text, superseded_at IS NULL, actor FROM data.candidate WHERE code = :c ORDER BY version"
            ),
            {"c": code},
        )
        return [tuple(r) for r in rows]


def night(db: Database, folder: Path, on: date) -> None:
    nightly.run(db, ground.BOOK, on, "test", store_dir=folder / "store", report_dir=None)


def test_the_night_sees_what_is_entered_changed_and_ended(db: Database, tmp_path: Path) -> None:
    ground.river(db)
    ground.area(db, "V1", (0, -100, 2000, 200))
    first = hand_workflow.record(db, {**SAID, "code": "H1"}, place(100, 20), "lihua")
    other = hand_workflow.record(db, {**SAID, "code": "H2"}, place(500, 20), "lihua")
    away = hand_workflow.record(db, {**SAID, "code": "H3"}, place(900, 400), "lihua")
    night(db, tmp_path, TODAY)
    assert told(db, TODAY) == {"H1": "new", "H2": "new"}
    hand_workflow.replace(db, away.id, [Made(1)], {}, place(900, 20), "lihua")
    hand_workflow.end(db, first.id, [Made(1)], "wangwu")
    night(db, tmp_path, TODAY + timedelta(days=1))
    # once looked at and not there: gone is told after as many looks as the rules want
    assert told(db, TODAY + timedelta(days=1)) == {"H1": "missed", "H2": "persisting", "H3": "new"}
    assert other.version == 1
    night(db, tmp_path, TODAY + timedelta(days=1))
    assert told(db, TODAY + timedelta(days=1)) == {"H1": "missed", "H2": "persisting", "H3": "new"}
    with db.read() as conn:
        assert conn.execute(text("SELECT count(*) FROM sys.import_record WHERE profile = 'by_hand'")).scalar() == 5


def test_nothing_is_overwritten(db: Database) -> None:
    one = hand_workflow.record(db, {**SAID, "code": "H1", "accuracy_m": 2.0}, place(0, 0), "lihua")
    two = hand_workflow.replace(db, one.id, [Made(1)], {"name": "房屋", "evidence": {"photo": "a.jpg"}}, None, "wangwu")
    end = hand_workflow.end(db, one.id, [Made(two.version)], "wangwu")
    assert (one.version, two.version, end.version, end.last_day) == (1, 2, 3, TODAY - timedelta(days=1))
    assert versions(db, "H1") == [
        (1, "新建房屋", "(,)", False, "lihua"), (2, "房屋", "(,)", False, "wangwu"), (3, "房屋", f"(,{TODAY})", True, "wangwu"),
    ]  # fmt: skip
    with pytest.raises(NotFound):
        hand_workflow.end(db, one.id, [Made(3)], "wangwu")
    # what is entered again under its code stands again
    again = hand_workflow.record(db, {**SAID, "code": "H1"}, place(0, 0), "lihua")
    assert (again.id, again.version) == (one.id, 4)
    with db.read() as conn:
        spaces = conn.execute(text("SELECT DISTINCT code_namespace, feed FROM data.candidate")).all()
        audit = conn.execute(text("SELECT DISTINCT actor FROM sys.audit WHERE target = 'data.candidate'")).scalars()
        assert [tuple(s) for s in spaces] == [("lihua", "api")] and set(audit) == {"lihua", "wangwu"}


def test_the_same_again_changes_nothing(db: Database) -> None:
    one = hand_workflow.record(db, {**SAID, "code": "H1", "seen_at": "2026-05-20T08:00:00+08:00"}, place(0, 0), "lihua")
    same = hand_workflow.record(db, {**SAID, "code": "H1", "seen_at": "2026-05-20T00:00:00Z"}, place(0, 0), "lihua")
    put = hand_workflow.replace(db, one.id, [Made(1)], {"name": "新建房屋"}, place(0, 0), "wangwu")
    assert (same.known, put.known, put.version, len(versions(db, "H1"))) == (True, True, 1, 1)
    with pytest.raises(NotNow, match="already"):
        hand_workflow.record(db, {**SAID, "code": "H1"}, place(50, 0), "lihua")
    theirs = hand_workflow.record(db, {**SAID, "code": "H1"}, place(50, 0), "wangwu")
    assert theirs.id != one.id, "a code is that of its writer"


def test_an_edit_on_an_old_version_is_refused_with_both(db: Database) -> None:
    one = hand_workflow.record(db, {**SAID, "code": "H1"}, place(0, 0), "lihua")
    hand_workflow.replace(db, one.id, [Made(1)], {"name": "甲"}, None, "wangwu")
    with pytest.raises(Outdated) as refused:
        hand_workflow.replace(db, one.id, [Made(1)], {"name": "乙"}, place(10, 0), "lihua")
    assert refused.value.details["theirs"]["properties"]["name"] == "甲"
    assert refused.value.details["mine"]["properties"]["name"] == "乙"
    with pytest.raises(Outdated):
        hand_workflow.end(db, one.id, [Made(1)], "lihua")
    # a client that sends one change in pieces writes on its own later versions, not on those of others
    own = hand_workflow.replace(db, one.id, [Made(1, own_counts=True)], {"name": "丙"}, None, "wangwu")
    assert own.version == 3
    with pytest.raises(Outdated):
        hand_workflow.replace(db, one.id, [Made(1, own_counts=True)], {"name": "丁"}, None, "lihua")


BOWTIE = shapely.Polygon([(106, 29.4), (106.001, 29.401), (106.001, 29.4), (106, 29.401)])


@pytest.mark.parametrize(("said", "shape", "word"), [
    ({"feed": "inspector"}, None, "report"), ({"accuracy_m": -1.0}, None, "accuracy_m"), ({"seen_at": "gestern"}, None, "moment"),
    ({"valid_from": "2026-05-20", "valid_to": "2026-05-19"}, None, "ends before"), ({"valid_to": "bald"}, None, "day"),
    ({}, BOWTIE, "intersection"), ({}, shapely.LineString([(106, 29.4), (106.1, 29.4)]), "LineString"),
    ({}, shapely.Point(206, 29.4), "earth"), ({"valid_from": "0001-01-01"}, None, "our time"), ({"feed": "x" * 201}, None, "feed"),
    ({"code": "a\nb"}, None, "code"),
])  # fmt: skip
def test_what_cannot_be_recorded_is_said(db: Database, said: dict[str, Any], shape: Any, word: str) -> None:
    with pytest.raises(InputError, match=word):
        hand_workflow.record(db, {**SAID, **said}, shape or place(0, 0), "lihua")
    with db.read() as conn:
        assert conn.execute(text("SELECT count(*) FROM data.candidate")).scalar() == 0


def test_a_candidate_that_begins_today_is_ended_tomorrow(db: Database) -> None:
    one = hand_workflow.record(db, {**SAID, "code": "H1", "valid_from": str(TODAY)}, place(0, 0), "lihua")
    assert hand_workflow.end(db, one.id, [Made(1)], "lihua").last_day == TODAY
    with pytest.raises(NotFound):
        hand_workflow.end(db, uuid.uuid4(), [Made(1)], "lihua")
