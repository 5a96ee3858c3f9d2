"""A night that reads the folders of feeds: an alert becomes a lead with its picture, a bad file is told, a silent feed is late."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import geopandas as gpd
import pytest
import shapely
from PIL import Image
from sqlalchemy import text

from rivergis.db.connect import Database
from rivergis.encroachment.feeds import KINDS, Feed
from rivergis.jobs import feed_files, nightly
from tests import conftest
from tests.encroachment import night_ground as ground
from tests.jobs.test_feed_files import RULES

CODE = "tower"


@pytest.fixture(scope="module")
def county(data_dir: Path) -> Iterator[Database]:
    """A river with a management line 100 m to each side."""
    db = conftest.new_database(data_dir)
    ground.river(db)
    ground.area(db, "V1", (0, -100, 2000, 200))
    yield db
    db.close()


def events(path: Path, *said: tuple[str, float, float, str, str]) -> None:
    """Alerts in a file: number, metres east and north of the west end of the river, class, picture."""
    places = gpd.GeoSeries(
        [shapely.Point(ground.X + x, ground.Y + y) for _, x, y, _, _ in said], crs=ground.ZONE
    ).to_crs(4490)
    body = [
        {"alarm_id": n, "lon": p.x, "lat": p.y, "time": f"{path.stem} 08:00:00", "type": kind, "picture": picture}
        for (n, _, _, kind, picture), p in zip(said, places, strict=True)
    ]
    path.write_text(json.dumps(body, ensure_ascii=False), encoding="utf-8")


def rows(db: Database, sql: str) -> list[tuple[Any, ...]]:
    with db.read() as conn:
        return [tuple(r) for r in conn.execute(text(sql))]


def test_alerts_of_a_folder_are_told_in_the_morning(
    county: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RIVERGIS_FEED_SETTLE_S", "0")
    inbox = tmp_path / "inbox"
    (inbox / "pictures").mkdir(parents=True)
    usual = KINDS["video"]
    tower = Feed(
        CODE, "铁塔", "video", usual.profile, usual.complete, crs="EPSG:4490", folder=str(inbox), cadence_days=1
    )
    feed_files.register(county, tower, ground.BOOK, "test", rules_dir=RULES)
    first, third = ground.day(0), ground.day(2)
    events(inbox / f"{first}.json", ("A1", 500, 40, "采砂", "pictures/a1.jpg"), ("A2", 900, 40, "渣土", "late.jpg"), ("A3", 900, 900, "渣土", "http://cam/a3.jpg"), ("A4", 1200, 30, "渣土", "../../secret.jpg"), ("A6", 1210, 30, "渣土", "embedded:../../../secret.jpg"))  # fmt: skip
    (inbox / "broken.json").write_text("[")
    Image.new("RGB", (8, 8), "green").save(inbox / "pictures" / "a1.jpg")
    Image.effect_noise((40, 40), 90).save(tmp_path / "a5.png")
    inside = "data:image/png;base64," + base64.b64encode((tmp_path / "a5.png").read_bytes()).decode()
    Image.new("RGB", (8, 8), "red").save(tmp_path.parent / "secret.jpg")

    done = ran(county, tmp_path, 0)
    assert {f["file"]: f["state"] for f in done.counts["files"]} == {f"{first}.json": "taken", "broken.json": "failed"}
    told = rows(county, "SELECT class_code, status FROM app.finding_as_of('2026-05-01') ORDER BY 1")
    assert [c.split(".")[0] for c, _ in told] == ["dumping", "dumping", "extraction"] and {s for _, s in told} == {
        "new"
    }
    assert pictures(county) == [
        ("A1", "pictures/a1.jpg")
    ]  # what lies outside the folder or on a network is not looked for

    Image.new("RGB", (8, 8), "blue").save(inbox / "late.jpg")
    events(inbox / f"{third}.json", ("A5", 1500, 40, "异物", inside))
    ran(county, tmp_path, 2)
    assert pictures(county) == [("A1", "pictures/a1.jpg"), ("A2", "late.jpg"), ("A5", f"{third}.json")]
    shown = rows(
        county,
        "SELECT file_path, caption, taken_on FROM app.evidence WHERE kind = 'photo' ORDER BY caption, taken_on, file_path",
    )
    assert [day for _, _, day in shown] == [first, first, third]
    assert all((tmp_path / "store" / path).is_file() for path, _, _ in shown)
    assert (tmp_path / "a5.png").read_bytes() in [(tmp_path / "store" / path).read_bytes() for path, _, _ in shown]
    assert rows(county, "SELECT max(length(source::text)) < 2000 FROM app.candidate") == [(True,)]
    # the unknown word is kept, and the feed is late when nothing comes
    assert rows(county, "SELECT kind, evidence ->> 'subtype' FROM app.candidate WHERE code = 'A5'") == [
        ("unknown", "异物")
    ]
    state = [
        rows(county, f"SELECT state FROM app.feed_state_as_of('{ground.day(n)}') WHERE code = 'tower'")[0][0]
        for n in (2, 3, 4, 6)
    ]
    assert state == ["on_time", "on_time", "late", "dead"]


def ran(db: Database, folder: Path, n: int) -> nightly.NightResult:
    where = {"store_dir": folder / "store", "report_dir": folder / "reports", "rules_dir": RULES}
    return nightly.run(db, ground.BOOK, ground.day(n), "test", **where)


def pictures(db: Database) -> list[tuple[Any, ...]]:
    return rows(
        db,
        "SELECT c.code, p.file_name FROM data.feed_picture p JOIN app.candidate c ON c.id = p.candidate_id ORDER BY 1",
    )
