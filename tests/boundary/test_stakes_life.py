"""Stakes in the database: planned, set, lost, moved, restored; every event a version, nothing overwritten."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import geopandas as gpd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from rivergis import crs, rules
from rivergis.boundary.stake import files as stake_files
from rivergis.boundary.stake import store as stake_store
from rivergis.boundary.stake import workflow as stake_workflow
from rivergis.boundary.stake.workflow import Report
from rivergis.db.connect import Database
from rivergis.errors import InputError, NotFound, NotNow, UsageError
from rivergis.river import files
from rivergis.settings import gis_dir
from tests import tiny
from tests.boundary import stake_ground as sg
from tests.encroachment import night_ground

TODAY = date(2026, 9, 30)
BOOK = rules.load(gis_dir() / "rules")
VIEW = BOOK.at(("000000",), TODAY)


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Stakes and boards placed on both banks of 1.2 km of river R1, as a file."""
    folder = tmp_path_factory.mktemp("stakes")
    axis = sg.winding([0.0] * 21)
    tiny.metric([axis], reach_code="H0", river_code="R1", river="试验河").to_file(folder / "reaches.gpkg")
    sg.lines(axis, 60.0).to_file(folder / "lines.gpkg")
    tiny.metric([tiny.line((500, -200), (500, 200))], kind="桥", name="石桥").to_file(folder / "marks.gpkg")
    asked = stake_files.StakesAsked(folder / "lines.gpkg", folder / "reaches.gpkg", landmarks=folder / "marks.gpkg")
    files.write_package(folder / "stakes.gpkg", stake_files.package(stake_files.place(asked, BOOK, VIEW)))
    return folder / "stakes.gpkg"


@pytest.fixture(scope="module")
def recorded(module_db: Database, package: Path) -> Database:
    """A database with that placing recorded; each test has stakes of its own in it."""
    db = module_db
    night_ground.put(db, "river", [{"code": "R1", "name": "试验河", "kind": "river"}])
    done = stake_workflow.record(db, package, "planner", namespace="local")
    assert (done.known, done.set_aside) == (0, [])
    assert done.boards == 2
    return db


def told(db: Database, code: str, event: str, on: date, tmp_path: Path, **more: object) -> stake_workflow.Told:
    report = Report(event, on, str(more.pop("reason", "现场")), **more)  # type: ignore[arg-type]
    return stake_workflow.report(db, code, report, "planner", store_dir=tmp_path, today=TODAY, within_m=50.0)


def now(db: Database, code: str) -> dict[str, object]:
    with db.read() as conn:
        return stake_workflow.the_one(stake_store.stakes(conn, code=code), code)


def test_a_placing_is_recorded_once(recorded: Database, package: Path) -> None:
    again = stake_workflow.record(recorded, package, "planner", namespace="local")
    assert (again.stakes, again.boards) == (0, 0)
    assert again.boards_unchanged == 2
    with recorded.read() as conn:
        stakes, boards = stake_store.stakes(conn), stake_store.boards(conn)
    assert set(stakes["status"]) == {"planned"}
    assert again.known == len(stakes)
    assert boards["content"].iloc[0]["成果状态"] == "内部草稿·非测绘成果"


def test_the_life_of_a_stake_is_kept_event_by_event(recorded: Database, tmp_path: Path) -> None:
    code = "R1-L-0003"
    photo = tmp_path / "桩.jpg"
    photo.write_bytes(b"picture")
    true = now(recorded, code)["geom"]
    told(
        recorded,
        code,
        "set",
        date(2026, 6, 1),
        tmp_path,
        height_m=231.4,
        vertical_datum="1985国家高程基准",
        measured_by="县测绘院",
    )
    lost = told(recorded, code, "lost", date(2026, 7, 3), tmp_path, reason="冲毁", photo=photo)
    assert (lost.status, lost.kind) == ("lost", "base")
    told(recorded, code, "restored", date(2026, 7, 20), tmp_path)
    spot = shapely.Point(true.x + 0.00003, true.y - 0.00002)
    moved = told(recorded, code, "moved", date(2026, 8, 1), tmp_path, to=(spot.x, spot.y))
    assert (moved.status, moved.kind) == ("good", "moved")
    assert moved.moved_m == pytest.approx(3.66, abs=0.05)
    assert 90 < moved.moved_bearing_deg < 180
    back = told(recorded, code, "restored", date(2026, 9, 1), tmp_path)
    assert (back.status, back.kind, back.moved_m) == ("good", "base", None)
    here = now(recorded, code)
    assert crs.GEOD.inv(here["geom"].x, here["geom"].y, true.x, true.y)[2] < 0.001
    assert here["measured_by"] == "县测绘院"
    with recorded.read() as conn:
        events = stake_store.events(conn, here["id"])
        on = {d: conn.execute(text("SELECT status, kind FROM app.stake_as_of(:d) WHERE code = 'R1-L-0003'"), {"d": d}).one() for d in ("2026-05-01", "2026-06-15", "2026-07-10", "2026-08-15", "2026-09-15")}  # fmt: skip
    assert list(events["event"]) == ["set", "lost", "restored", "moved", "restored"]
    assert len(list((tmp_path / "stakes").iterdir())) == 1
    assert {d: tuple(r) for d, r in on.items()} == {
        "2026-05-01": ("planned", "base"), "2026-06-15": ("good", "base"), "2026-07-10": ("lost", "base"),
        "2026-08-15": ("good", "moved"), "2026-09-15": ("good", "base"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("event", "on", "more", "error", "said"),
    [
        ("lost", date(2026, 7, 3), {}, NotNow, "is planned"),
        ("set", date(2026, 10, 3), {}, UsageError, "still to come"),
        ("set", date(2026, 6, 3), {"reason": "  "}, UsageError, "--reason"),
        ("moved", date(2026, 7, 3), {}, UsageError, "--to"),
        ("set", date(2026, 6, 3), {"to": (107.0, 29.0)}, UsageError, "check the position"),
        ("set", date(2026, 6, 3), {"photo": Path("nowhere.jpg")}, InputError, "nowhere.jpg"),
    ],
)
def test_what_does_not_go_with_how_a_stake_stands_is_refused(
    recorded: Database, tmp_path: Path, event: str, on: date, more: dict, error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        told(recorded, "R1-L-0004", event, on, tmp_path, **more)
    assert now(recorded, "R1-L-0004")["status"] == "planned"


def test_events_follow_each_other_in_time_and_sense(recorded: Database, tmp_path: Path) -> None:
    told(recorded, "R1-L-0005", "set", date(2026, 6, 1), tmp_path)
    with pytest.raises(NotNow, match="begins on 2026-06-01"):
        told(recorded, "R1-L-0005", "lost", date(2026, 5, 1), tmp_path)
    with pytest.raises(NotNow, match="does not follow"):
        told(recorded, "R1-L-0005", "restored", date(2026, 6, 2), tmp_path)
    with pytest.raises(NotFound, match="no stake"):
        stake_workflow.report(
            recorded, "R9-L-1", Report("lost", TODAY, "x"), "planner", store_dir=tmp_path, today=TODAY, within_m=50.0
        )


degrees = st.tuples(st.floats(75, 130), st.floats(5, 52))


@given(degrees, st.floats(-0.002, 0.002), st.floats(-0.002, 0.002))
def test_the_true_point_of_a_moved_stake_is_found_again(at: tuple[float, float], east: float, north: float) -> None:
    true, here = shapely.Point(at), shapely.Point(at[0] + east, at[1] + north)
    if crs.GEOD.inv(true.x, true.y, here.x, here.y)[2] < 0.01:
        return
    way = stake_workflow.vector(true, here)
    back = stake_workflow.true_point(here, way["moved_m"], way["moved_bearing_deg"])
    assert crs.GEOD.inv(true.x, true.y, back.x, back.y)[2] < 0.0005


def test_a_stake_comes_in_from_a_table_and_goes_on(recorded: Database, tmp_path: Path) -> None:
    """A surveyed stake that an import brought (status good) is lost like a planned one that was set."""
    row = {
        "code": "OLD-7",
        "river_code": "R1",
        "bank": "left",
        "measured_by": "县测绘院",
        "measured_on": date(2020, 5, 1),
    }
    night_ground.put(recorded, "stake", [row], [shapely.Point(night_ground.X, night_ground.Y)])
    assert told(recorded, "OLD-7", "lost", date(2026, 7, 3), tmp_path).status == "lost"
    assert isinstance(now(recorded, "OLD-7")["geom"], shapely.Point)
    assert str(now(recorded, "OLD-7")["measured_on"]) == "2020-05-01"


def test_the_package_is_what_import_reads(package: Path) -> None:
    frame = gpd.read_file(package, layer="stakes")
    assert {"code", "river_code", "bank", "kind", "at_m", "status", "number_series", "reason"} <= set(frame.columns)
    assert frame.crs == "EPSG:4490"
