"""Reports from the place: candidates that stay, photos that are compared, patrols that need not type again, looks that find nothing."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pytest
from sqlalchemy import text

from rivergis import crs
from rivergis.db.connect import Database
from rivergis.encroachment import report_files, report_store, report_workflow, reports, store
from rivergis.encroachment.report_workflow import Said
from rivergis.errors import UsageError
from rivergis.intake.delivery import Asked
from tests.encroachment.patch_ground import BOOK, DAY, at, delivery, night, river, take
from tests.intake.test_photo import gps, picture, scenery

VIEW = BOOK.at(("000000",), DAY)
NOON = datetime(2026, 5, 20, 4, tzinfo=UTC)


@pytest.fixture
def ground(db: Database) -> Database:
    river(db)
    return db


def degrees(x: float, y: float) -> tuple[float, float]:
    """Longitude and latitude of a place on the river of patch_ground."""
    [point] = gpd.GeoSeries([at(x, y)], crs=4544).to_crs(4490)
    return point.x, point.y


def heap(x: float = 300, y: float = 100, **more: Any) -> Said:
    lon, lat = degrees(x, y)
    return Said(**{"kind": "dump", "lon": lon, "lat": lat, "at": NOON, "accuracy_m": 8.0, **more})


def put(db: Database, folder: Path, *said: Said, who: str = "wang") -> list[report_workflow.Reported]:
    return report_workflow.report(
        db, said, actor=who, store_dir=folder / "store", view=VIEW, now=datetime(2026, 6, 1, tzinfo=UTC)
    )


def statuses(db: Database, day: date) -> dict[str, str]:
    """Status of each encroachment lead after a night, by its id."""
    with db.read() as conn:
        rows = store.findings_of_night(conn, day).to_dict("records")
    return {str(r["id"]): r["status"] for r in rows if r["topic"] == "encroachment"}


def one(db: Database, sql: str) -> Any:
    with db.read() as conn:
        return conn.execute(text(sql)).scalar()


def test_a_report_becomes_a_lead_and_no_other_delivery_takes_it_away(ground: Database, tmp_path: Path) -> None:
    [r] = put(ground, tmp_path, heap())
    [again] = put(ground, tmp_path, heap())
    assert (r.known, again.known, again.report) == (False, True, r.report)
    assert one(ground, "SELECT count(*) FROM data.report") == one(ground, "SELECT count(*) FROM data.delivery") == 1
    night(ground, tmp_path)
    assert list(statuses(ground, DAY).values()) == ["new"]
    take(ground, delivery(tmp_path / "in", ".gpkg"), tmp_path / "store", on=DAY + timedelta(1))
    put(ground, tmp_path, heap(1500, 100, at=NOON + timedelta(1)), who="li")
    later = night(ground, tmp_path, DAY + timedelta(1))
    [lead] = statuses(ground, DAY)
    assert later.changed and statuses(ground, DAY + timedelta(1))[lead] == "persisting"


def test_who_reported_is_kept_and_in_no_candidate(ground: Database, tmp_path: Path) -> None:
    put(ground, tmp_path, heap(note="王某上报"), who="wang")
    with ground.read() as conn:
        shown = conn.execute(text("SELECT evidence, name FROM data.candidate")).one()
    assert "wang" not in str(shown.evidence) and "王某" not in str(shown.evidence) and shown.name is None
    assert one(ground, "SELECT actor FROM data.report") == "wang"


def test_photo_and_report_are_compared(ground: Database, tmp_path: Path) -> None:
    lon, lat = degrees(300, 100)
    near = picture(tmp_path / "near.jpg", gps(lon, lat), taken="2026:05:20 12:05:00")
    far = picture(tmp_path / "far.jpg", gps(lon + 0.01, lat), taken="2026:05:19 12:00:00", image=scenery(2))
    bare = picture(tmp_path / "bare.jpg", None, taken=None, image=scenery(3))
    good, bad, none = put(ground, tmp_path, heap(photo=near), heap(500, photo=far), heap(700, photo=bare))
    assert good.doubts == []
    assert any("m away" in d for d in bad.doubts) and any("24.0 hours" in d for d in bad.doubts)
    assert len(none.doubts) == 2
    [twice] = put(ground, tmp_path, heap(900, photo=near, at=NOON + timedelta(minutes=5)))
    assert any("another report" in d for d in twice.doubts) and any("m away" in d for d in twice.doubts)
    assert sorted(p.suffix for p in (tmp_path / "store" / "evidence").iterdir()) == [".jpg"] * 3
    night(ground, tmp_path)
    assert one(ground, "SELECT count(*) FROM data.evidence WHERE kind = 'photo'") == 4


def test_a_photo_alone_says_where_and_when(ground: Database, tmp_path: Path) -> None:
    lon, lat = degrees(300, 100)
    [r] = put(ground, tmp_path, Said("dump", photo=picture(tmp_path / "p.jpg", gps(lon, lat))))
    assert (r.lon, r.lat) == (pytest.approx(lon, abs=1e-6), pytest.approx(lat, abs=1e-6))
    assert r.at == datetime(2026, 5, 20, 1, 30, tzinfo=UTC)
    with pytest.raises(UsageError, match="no position"):
        put(ground, tmp_path, Said("dump", photo=picture(tmp_path / "q.jpg", None)))
    with pytest.raises(UsageError, match="future"):
        put(ground, tmp_path, heap(at=datetime(2027, 1, 1, tzinfo=UTC)))


def test_a_position_of_a_phones_map_is_brought_home(ground: Database, tmp_path: Path) -> None:
    lon, lat = degrees(300, 100)
    x, y = crs.wgs84_to_gcj02([lon], [lat])
    [r] = put(ground, tmp_path, heap(lon=float(x[0]), lat=float(y[0]), datum="gcj02"))
    assert crs.GEOD.inv(lon, lat, r.lon, r.lat)[2] < 1
    assert crs.GEOD.inv(lon, lat, float(x[0]), float(y[0]))[2] > 300


def test_looked_and_nothing_there_is_observed_and_takes_the_report_back(ground: Database, tmp_path: Path) -> None:
    put(ground, tmp_path, heap(), heap(1500, 100))
    night(ground, tmp_path)
    first = statuses(ground, DAY)
    assert sorted(first.values()) == ["new", "new"]
    told = []
    for n in range(1, 5):
        put(ground, tmp_path, heap(kind=reports.NOTHING, at=NOON + timedelta(days=n)))
        night(ground, tmp_path, DAY + timedelta(n))
        told.append(sorted(statuses(ground, DAY + timedelta(n)).values()))
    assert told[0] == ["missed", "persisting"], "one place was looked at, at the other the report stands"
    assert ["gone", "persisting"] in told and ["gone", "gone"] not in told


def test_a_look_at_the_same_day_before_the_report_takes_nothing_back(ground: Database, tmp_path: Path) -> None:
    put(ground, tmp_path, heap(kind=reports.NOTHING, at=NOON - timedelta(hours=2)), heap())
    night(ground, tmp_path)
    assert list(statuses(ground, DAY).values()) == ["new"]


def test_what_patrols_noticed_is_not_typed_again(ground: Database, tmp_path: Path) -> None:
    kinds = {"垃圾": "rubbish by the word", "水质异常": None, "乱建": "a shed", None: "鱼塘", "风景": "nice"}
    with ground.write("patrol") as conn:
        for n, (kind, said) in enumerate(kinds.items()):
            lon, lat = degrees(100 + 300 * n, 100)
            conn.execute(
                text(
                    """INSERT INTO data.observation (id, at, kind, text, geom) VALUES (:i, :at, :k, :t, ST_SetSRID(ST_MakePoint(:x, :y), 4490))"""
                ),
                {"i": uuid.uuid4(), "at": NOON, "k": kind, "t": said, "x": lon, "y": lat},
            )
    assert night(ground, tmp_path).changed
    assert not night(ground, tmp_path).changed, "the second run of a night changes nothing"
    with ground.read() as conn:
        got = {r["word"]: r["kind"] for r in report_store.listed(conn, DAY, DAY)}
    assert got == {"垃圾": "dump", "乱建": "building", "鱼塘": "occupation"}
    assert len(statuses(ground, DAY)) == 3


def test_a_table_with_photos(ground: Database, tmp_path: Path) -> None:
    folder = tmp_path / "上报"
    folder.mkdir()
    lon, lat = degrees(300, 100)
    picture(folder / "a.jpg", gps(lon, lat))
    table = pd.DataFrame(
        {
            "类别": ["乱堆", "鱼塘", "未发现", None, "乱建"],
            "经度": [lon, lon, lon, lon, lon],
            "纬度": [lat, lat, lat, lat, lat],
            "时间": ["2026-05-20 09:30", "2026-05-20 09:40", "2026-05-20 09:50", "2026-05-20 10:00", "昨天"],
            "照片": ["a.jpg", "b.jpg", None, None, None],
        }
    )
    table.to_excel(folder / "上报.xlsx", index=False)
    kind_of = report_workflow.kinds(VIEW)
    read = report_files.read(folder, kind_of, kind=None, photos=None, asked=Asked(None, "EPSG:4490", None, None))
    assert [s.kind for s in read.said] == ["dump", reports.NOTHING]
    assert [row.rpartition(" ")[2] for row, _ in read.refused] == ["3", "5", "6"]
    assert len(put(ground, tmp_path, *read.said)) == 2
    (folder / "上报.xlsx").unlink()
    alone = report_files.read(folder, kind_of, kind="dump", photos=None, asked=Asked())
    assert [(s.kind, s.photo and s.photo.name) for s in alone.said] == [("dump", "a.jpg")]
