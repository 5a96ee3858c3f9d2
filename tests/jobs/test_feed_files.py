"""Folders of feeds: what is new comes in once, what is bad is told and stops no other, what is being written waits."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import shapely
from rasterio.transform import from_origin
from sqlalchemy import text

from rivergis import rules
from rivergis.db.connect import Database
from rivergis.encroachment import feed_store
from rivergis.encroachment.feeds import KINDS, Feed
from rivergis.errors import AlreadyRunning, EnvironmentFault, NotFound, UsageError
from rivergis.jobs import feed_files, receive
from rivergis.jobs.feed_files import FileTaken
from rivergis.settings import gis_dir
from tests import conftest

RULES = gis_dir() / "rules"
BOOK = rules.load(RULES)
EVENTS = [
    {"alarm_id": "A1", "location": {"lng": 106.0012, "lat": 29.4003}, "alarm_time": "2026-05-20 08:11:12", "type": "采砂", "score": 0.91, "picture": "a1.jpg"},
    {"alarm_id": "A2", "location": {"lng": 106.0025, "lat": 29.4010}, "alarm_time": 1779243072000, "type": "异物入侵", "score": 0.4},
]  # fmt: skip
HOTLINE = (
    "举报编号,举报时间,问题类型,经度,纬度,举报地点,举报人姓名,联系电话\n"
    "H-1,2026-05-20 09:00:00,渣土,106.0031,29.4011,河湾村三组,张某,13800000001\n"
    "H-2,2026-05-20 10:00:00,不明情况,106.0041,29.4012,河湾村四组,李某,13800000002\n"
    "H-3,2026-05-20 11:00:00,采砂,,,河湾村五组,王某,13800000003\n"
)


@pytest.fixture(scope="module")
def shared(data_dir: Path) -> Iterator[Database]:
    """One database for the tests of this file; each has feeds of its own names."""
    db = conftest.new_database(data_dir)
    yield db
    db.close()


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "store"


def feed(db: Database, code: str, kind: str, folder: Path | None, **more: Any) -> Feed:
    usual = KINDS[kind]
    bare = Feed(code, code, kind, usual.profile, usual.complete, usual.images)
    said = {"folder": None if folder is None else str(folder), **more}
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
    return feed_files.register(db, Feed(**{**vars(bare), **said}), BOOK, "test", rules_dir=RULES)


def take(db: Database, store: Path, *codes: str, settle_s: float = 0, again: bool = False) -> list[FileTaken]:
    return feed_files.take_in(
        db, BOOK, "test", rules_dir=RULES, store_dir=store, only=codes, settle_s=settle_s, again=again
    )


def states(done: list[FileTaken]) -> dict[str, str]:
    return {f.file: f.state for f in done}


def rows(db: Database, sql: str, **given: Any) -> list[tuple[Any, ...]]:
    with db.read() as conn:
        return [tuple(r) for r in conn.execute(text(sql), given)]


def candidates(db: Database, feed_: str) -> dict[str, tuple[str, str]]:
    """Code -> kind and word of what a feed delivered."""
    found = rows(
        db,
        "SELECT code, kind, evidence ->> 'subtype' FROM data.candidate WHERE feed = :f AND superseded_at IS NULL",
        f=feed_,
    )
    return {code: (kind, word) for code, kind, word in found}


def everything(db: Database) -> list[tuple[Any, ...]]:
    """How many rows each table that a delivery may touch has."""
    tables = ("data.candidate", "data.delivery", "data.delivery_item", "data.imagery", "data.patch_batch", "data.feed_file", "sys.import_record", "sys.quarantine")  # fmt: skip
    return [
        (t, *rows(db, f"SELECT count(*), md5(string_agg(t::text, '' ORDER BY t::text)) FROM {t} t")[0]) for t in tables
    ]


def outlines(path: Path, boxes: dict[str, tuple[float, float]], kind: str = "房屋") -> None:
    shapes = [shapely.box(x, y, x + 0.0002, y + 0.0002) for x, y in boxes.values()]
    gpd.GeoDataFrame({"编号": list(boxes), "类别": kind}, geometry=shapes, crs=4490).to_file(path)


def picture(path: Path, grey: int = 90) -> None:
    with rasterio.open(
        path, "w", driver="GTiff", width=8, height=8, count=3, dtype="uint8", crs="EPSG:4490", transform=from_origin(106, 29.4, 1e-5, 1e-5)
    ) as image:  # fmt: skip
        image.write(np.full((3, 8, 8), grey, np.uint8))


# ---- forms ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("list.json", json.dumps(EVENTS)),
        ("answer.json", json.dumps({"code": 0, "data": {"total": 2, "list": EVENTS}})),
        ("lines.jsonl", "\n".join(json.dumps(e) for e in EVENTS)),
        ("gbk.json", json.dumps(EVENTS, ensure_ascii=False).encode("gb18030")),
    ],
)  # fmt: skip
def test_alerts_come_in_whatever_their_list_is_wrapped_in(
    shared: Database, tmp_path: Path, store: Path, name: str, body: str | bytes
) -> None:
    code = f"tower.{name}"
    feed(shared, code, "video", tmp_path / "in", crs="EPSG:4490", cadence_days=1)
    (tmp_path / "in" / name).write_bytes(body if isinstance(body, bytes) else body.encode())
    (tmp_path / "in" / "a1.jpg").write_bytes(b"\xff\xd8\xff")  # a picture beside is no file of its own
    [done] = take(shared, store, code)
    assert (done.state, done.counts["imported"]) == ("taken", 2), done
    assert candidates(shared, code) == {"A1": ("quarry", "采砂"), "A2": ("unknown", "异物入侵")}
    found = rows(
        shared,
        "SELECT code, source_kind, seen_at, evidence, ST_X(geom) FROM data.candidate WHERE feed = :f ORDER BY code",
        f=code,
    )
    assert found[0][1] == "video" and found[0][2] == datetime(2026, 5, 20, 0, 11, 12, tzinfo=UTC)
    assert found[0][3]["confidence"] == "0.91" and found[0][3]["picture"] == "a1.jpg" and found[0][4] == 106.0012
    assert found[1][2] == datetime.fromtimestamp(1779243072, UTC)


def test_a_hotline_table_keeps_words_and_leaves_out_who_called(shared: Database, tmp_path: Path, store: Path) -> None:
    feed(shared, "hot", "hotline", tmp_path / "in", crs="EPSG:4490")
    (tmp_path / "in" / "12314_20260520.csv").write_text(HOTLINE, encoding="gb18030")
    [done] = take(shared, store, "hot")
    assert done.state == "partly" and done.counts == {
        "in": 3,
        "imported": 2,
        "unchanged": 0,
        "set_aside": 1,
        "skipped": 0,
    }
    assert candidates(shared, "hot") == {"H-1": ("dump", "渣土"), "H-2": ("unknown", "不明情况")}
    assert rows(shared, "SELECT delivered_on, complete FROM data.delivery WHERE feed = 'hot'") == [
        (date(2026, 5, 20), False)
    ]
    kept = rows(shared, "SELECT c::text FROM data.candidate c WHERE feed = 'hot'") + rows(
        shared, "SELECT q::text FROM sys.quarantine q"
    )
    assert not any(secret in str(kept) for secret in ("13800000", "张某", "李某", "王某"))
    assert "河湾村五组" in str(kept)  # what was set aside is there with its place, to be looked at


def test_a_batch_of_patches_goes_the_way_of_batches(shared: Database, tmp_path: Path, store: Path) -> None:
    feed(shared, "nation", "patches", tmp_path / "in", cadence_days=30)
    folder = tmp_path / "in"
    gpd.GeoDataFrame({"TBBH": ["P1", "P2"], "TBLX": ["房屋", "采砂"]}, geometry=[shapely.box(106, 29.4, 106.001, 29.401), shapely.box(106.01, 29.4, 106.011, 29.401)], crs=4490).to_file(folder / "2026-1.shp", encoding="utf-8")  # fmt: skip
    [done] = take(shared, store, "nation")
    assert (done.file, done.state, done.counts["imported"]) == ("2026-1.shp", "taken", 2), done
    assert rows(shared, "SELECT name, version FROM data.patch_batch") == [("2026-1", 1)]
    known = dict(rows(shared, "SELECT code, state FROM app.feed_state"))
    assert known["nation"] == "on_time" and "patches" not in known  # the delivery is that of the feed
    shutil.copy(folder / "2026-1.shp", folder / "2026-1.bak")
    outlines(folder / "2026-2.geojson", {"P1": (106, 29.4)})
    assert states(take(shared, store, "nation")) == {"2026-1.bak": "failed", "2026-2.geojson": "taken"}
    assert rows(shared, "SELECT name, version FROM data.patch_batch ORDER BY 1") == [("2026-1", 1), ("2026-2", 1)]


def test_outlines_and_pictures_lie_in_one_folder(shared: Database, tmp_path: Path, store: Path) -> None:
    feed(shared, "uav", "drone", tmp_path / "in")
    day = tmp_path / "in" / "2026-05-20"
    day.mkdir()
    outlines(day / "boxes.geojson", {"1": (106, 29.4)})
    picture(day / "ortho.tif")
    picture(tmp_path / "in" / "undated.tif", grey=80)
    done = take(shared, store, "uav")
    assert states(done) == {
        "2026-05-20/boxes.geojson": "taken",
        "2026-05-20/ortho.tif": "taken",
        "undated.tif": "failed",
    }
    assert "says no day" in next(f.sentence for f in done if f.state == "failed")
    [(taken_on, file_path)] = rows(shared, "SELECT taken_on, file_path FROM data.imagery")
    assert taken_on == date(2026, 5, 20) and (store / file_path).read_bytes() == (day / "ortho.tif").read_bytes()


def test_a_feed_that_takes_no_pictures_says_so(shared: Database, tmp_path: Path, store: Path) -> None:
    feed(shared, "nopic", "footprints", tmp_path / "in")
    picture(tmp_path / "in" / "2026-05-20.tif")
    [done] = take(shared, store, "nopic")
    assert done.state == "failed" and "--images" in done.sentence


def test_a_day_on_which_nothing_happened_is_an_arrival(shared: Database, tmp_path: Path, store: Path) -> None:
    feed(shared, "calm", "video", tmp_path / "in", crs="EPSG:4490", cadence_days=1)
    (tmp_path / "in" / "20260520.json").write_text('{"data": []}')
    (tmp_path / "in" / "20260519.csv").write_text("告警编号,告警类型,经度,纬度\n")
    assert states(take(shared, store, "calm")) == {"20260519.csv": "taken", "20260520.json": "taken"}
    with shared.read() as conn:
        [state] = [s for s in feed_store.states(conn, date(2026, 5, 21), datetime.now(UTC)) if s["code"] == "calm"]
    assert (state["last_delivered_on"], state["days_since"], state["state"]) == (date(2026, 5, 20), 1, "on_time")


# ---- laws -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def full(shared: Database, tmp_path: Path) -> list[str]:
    """Three feeds with files of every fate; the codes."""
    n = tmp_path.name
    codes = [f"t-{n}", f"h-{n}", f"f-{n}"]
    tower, hot, prints = (tmp_path / c for c in codes)
    feed(shared, codes[0], "video", tower, crs="EPSG:4490")
    feed(shared, codes[1], "hotline", hot, crs="EPSG:4490")
    feed(shared, codes[2], "footprints", prints)
    (tower / "2026-05-20.json").write_text(json.dumps(EVENTS))
    (tower / "2026-05-21.json").write_text(json.dumps(EVENTS)[:-5])  # cut off
    (hot / "a.csv").write_text(HOTLINE)
    (hot / "b.csv").write_text(HOTLINE)
    outlines(prints / "2026-05-20.geojson", {"1": (106, 29.4), "2": (106.01, 29.4)})
    outlines(prints / "2026-05-21.geojson", {"1": (106, 29.4)})
    (prints / "notes.pdf").write_bytes(b"%PDF-1.4 no map")
    return codes


def test_taking_in_twice_changes_nothing(shared: Database, store: Path, full: list[str], tmp_path: Path) -> None:
    first = take(shared, store, *full)
    assert sorted(f.state for f in first) == ["failed", "failed", "known", "partly", "taken", "taken", "taken"]
    before, lying = everything(shared), sorted((p, p.stat().st_mtime_ns) for p in tmp_path.rglob("*"))
    again = take(shared, store, *full)
    assert everything(shared) == before
    assert sorted((p, p.stat().st_mtime_ns) for p in tmp_path.rglob("*") if "store" not in p.parts) == [
        x for x in lying if "store" not in x[0].parts
    ]
    # only what failed is told again, in the same words
    assert [(f.file, f.sentence) for f in again] == [(f.file, f.sentence) for f in first if f.state == "failed"]
    for path in tmp_path.rglob("*.csv"):
        path.touch()
        shutil.copy2(path, path.with_name("copy_" + path.name))
    assert {f.state for f in take(shared, store, full[1])} == {"known"}
    assert everything(shared)[:5] == before[:5]


@pytest.mark.parametrize("survived", [0, 1, 3])
def test_a_run_that_was_killed_goes_on_where_it_stood(
    shared: Database, store: Path, full: list[str], monkeypatch: pytest.MonkeyPatch, survived: int
) -> None:
    """Killed after the import of a file and before its row: the second run imports nothing twice and misses nothing."""
    calls = []
    real = feed_store.record

    def record(*args: Any) -> None:
        calls.append(args)
        if len(calls) > survived:
            raise KeyboardInterrupt
        real(*args)

    monkeypatch.setattr(feed_store, "record", record)
    with pytest.raises(KeyboardInterrupt):
        take(shared, store, *full)
    monkeypatch.setattr(feed_store, "record", real)
    take(shared, store, *full)
    files = rows(
        shared,
        "SELECT file_name, state, counts -> 'imported' FROM data.feed_file WHERE feed = ANY(:c) ORDER BY 1",
        c=full,
    )
    assert [(n, s) for n, s, _ in files] == [
        ("2026-05-20.geojson", "taken"), ("2026-05-20.json", "taken"), ("2026-05-21.geojson", "taken"), ("2026-05-21.json", "failed"),
        ("a.csv", "partly"), ("b.csv", "known"), ("notes.pdf", "failed"),
    ]  # fmt: skip
    assert rows(shared, "SELECT count(*) FROM data.delivery WHERE feed = ANY(:c)", c=full) == [(4,)]
    assert {n: i for n, _, i in files if i} == {"2026-05-20.geojson": 2, "2026-05-20.json": 2, "a.csv": 2}


def test_a_bad_file_is_recorded_until_it_is_mended_or_gone(shared: Database, tmp_path: Path, store: Path) -> None:
    folder = tmp_path / "in"
    feed(shared, "mend", "video", folder, crs="EPSG:4490")
    (folder / "x.json").write_text("[{")
    (folder / "y.json").write_text("[[")

    def failed() -> tuple[int, str | None]:
        [row] = rows(shared, "SELECT files_failed, last_failure FROM app.feed_state WHERE code = 'mend'")
        return row[0], row[1]

    take(shared, store, "mend")
    assert failed()[0] == 2 and "no sound JSON" in str(failed()[1])
    (folder / "x.json").write_text(json.dumps(EVENTS))
    (folder / "y.json").unlink()
    assert states(take(shared, store, "mend")) == {"x.json": "taken", "y.json": "gone"}
    assert failed() == (0, None)
    history = rows(shared, "SELECT file_name, state FROM data.feed_file WHERE feed = 'mend' ORDER BY id")
    assert history == [("x.json", "failed"), ("y.json", "failed"), ("y.json", "gone"), ("x.json", "taken")]


def test_what_is_being_written_waits(shared: Database, tmp_path: Path, store: Path) -> None:
    folder = tmp_path / "in"
    feed(shared, "wait", "video", folder, crs="EPSG:4490")
    for name in ("a.json", "b.json.part", "c.tmp"):
        (folder / name).write_text(json.dumps(EVENTS))
    os.utime(folder / "a.json", (1, 1))  # a copy that keeps the time of its sender is new here all the same
    assert set(states(take(shared, store, "wait", settle_s=3600)).values()) == {"waiting"}
    assert rows(shared, "SELECT count(*) FROM data.feed_file WHERE feed = 'wait'") == [(0,)]
    assert states(take(shared, store, "wait")) == {"a.json": "taken", "b.json.part": "waiting", "c.tmp": "waiting"}


def test_a_file_that_grows_while_it_is_read_waits(
    shared: Database, tmp_path: Path, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "in"
    feed(shared, "grow", "footprints", folder)
    outlines(folder / "a.geojson", {"1": (106, 29.4)})
    real = receive.import_file

    def growing(*args: Any, **more: Any) -> Any:
        with (folder / "a.geojson").open("a") as handle:
            handle.write("{")
        return real(*args, **more)

    monkeypatch.setattr(receive, "import_file", growing)
    assert states(take(shared, store, "grow")) == {"a.geojson": "waiting"}
    monkeypatch.setattr(receive, "import_file", real)
    outlines(folder / "a.geojson", {"1": (106, 29.4)})
    assert states(take(shared, store, "grow")) == {"a.geojson": "taken"}


# ---- complete pictures ------------------------------------------------------------------------------------------------


def test_the_same_picture_of_another_day_is_a_look_of_that_day(shared: Database, tmp_path: Path, store: Path) -> None:
    folder = tmp_path / "in"
    feed(shared, "twice", "footprints", folder)
    outlines(folder / "2026-05-20.geojson", {"1": (106, 29.4)})
    shutil.copy(folder / "2026-05-20.geojson", folder / "2026-05-21.geojson")
    shutil.copy(folder / "2026-05-20.geojson", folder / "copy of it.geojson")
    done = states(take(shared, store, "twice"))
    days = rows(shared, "SELECT delivered_on FROM data.delivery WHERE feed = 'twice' ORDER BY 1")
    assert [d for (d,) in days][:2] == [date(2026, 5, 20), date(2026, 5, 21)] and len(days) == 2
    assert done["copy of it.geojson"] == "known"


def test_a_complete_picture_that_can_hardly_be_read_empties_nothing(
    shared: Database, tmp_path: Path, store: Path
) -> None:
    folder = tmp_path / "in"
    feed(shared, "broken", "footprints", folder)
    outlines(folder / "2026-05-20.geojson", {"1": (106, 29.4), "2": (106.01, 29.4)})
    gpd.GeoDataFrame({"类别": ["房屋"]}, geometry=[shapely.box(106, 29.4, 106.001, 29.401)], crs=4490).to_file(
        folder / "2026-05-21.geojson"
    )
    done = take(shared, store, "broken")
    assert states(done) == {"2026-05-20.geojson": "taken", "2026-05-21.geojson": "failed"}
    assert "nothing of it was kept" in done[1].sentence
    assert rows(shared, "SELECT max(delivered_on) FROM data.delivery WHERE feed = 'broken'") == [(date(2026, 5, 20),)]


def test_layers_of_one_file_do_not_replace_each_other(shared: Database, tmp_path: Path, store: Path) -> None:
    folder = tmp_path / "in"
    feed(shared, "layers", "footprints", folder)
    for n, layer in enumerate(("houses", "yards")):
        gpd.GeoDataFrame({"编号": [f"{layer}1"], "类别": ["房屋"]}, geometry=[shapely.box(106 + n, 29.4, 106.001 + n, 29.401)], crs=4490).to_file(folder / "2026-05-20.gpkg", layer=layer)  # fmt: skip
    take(shared, store, "layers")
    assert rows(shared, "SELECT DISTINCT feed FROM data.delivery WHERE feed LIKE 'layers%' ORDER BY 1") == [
        ("layers:houses",),
        ("layers:yards",),
    ]
    with shared.read() as conn:
        [state] = [
            s for s in feed_store.states(conn, date(2026, 5, 20), datetime.now(UTC)) if s["code"].startswith("layers")
        ]
    assert state["code"] == "layers" and state["days_since"] == 0


def test_a_picture_in_several_files_is_whole_only_with_all_of_them(
    shared: Database, tmp_path: Path, store: Path
) -> None:
    folder = tmp_path / "in"
    whole = feed(shared, "towns", "footprints", folder)
    outlines(folder / "east_2026-05-20.geojson", {"e1": (106, 29.4)})
    outlines(folder / "west_2026-05-20.geojson", {"w1": (106.01, 29.4), "w2": (106.02, 29.4)})
    done = take(shared, store, "towns")
    assert (
        states(done) == {"east_2026-05-20.geojson": "taken", "west_2026-05-20.geojson": "failed"}
        and "--parts" in done[1].sentence
    )
    feed_files.register(shared, replace(whole, parts=True), BOOK, "test", rules_dir=RULES)
    take(shared, store, "towns", again=True)
    outlines(folder / "west_2026-05-21.geojson", {"w1": (106.01, 29.4)})
    take(shared, store, "towns")
    found = rows(shared, "SELECT feed, delivered_on::text FROM data.delivery WHERE feed LIKE 'towns:%' ORDER BY 1, 2")
    assert found == [("towns:east", "2026-05-20"), ("towns:west", "2026-05-20"), ("towns:west", "2026-05-21")]
    stands = rows(shared, "SELECT 1 FROM app.feed_state_as_of('2026-05-21') WHERE code = 'towns' AND days_since = 0")
    assert stands == [(1,)]


def test_files_read_by_the_wrong_profile_are_read_again(shared: Database, tmp_path: Path, store: Path) -> None:
    folder = tmp_path / "in"
    wrong = feed(shared, "again", "video", folder, crs="EPSG:4490", profile="hotline")
    events = [{k: v for k, v in e.items() if k != "alarm_id"} | {"id": e["alarm_id"]} for e in EVENTS]
    (folder / "2026-05-20.json").write_text(json.dumps(events))
    take(shared, store, "again")
    assert rows(shared, "SELECT DISTINCT source_kind FROM app.candidate WHERE feed = 'again'") == [("hotline",)]
    feed_files.register(shared, replace(wrong, profile="video_alerts"), BOOK, "test", rules_dir=RULES)
    assert take(shared, store, "again") == []
    [done] = take(shared, store, "again", again=True)
    assert (done.state, done.counts["in"], done.counts["imported"]) == ("taken", 2, 2)
    assert rows(shared, "SELECT DISTINCT source_kind FROM app.candidate WHERE feed = 'again'") == [("video",)]
    before = everything(shared)
    take(shared, store, "again", again=True)
    assert everything(shared) == before


# ---- the whole ----------------------------------------------------------------------------------------------------------


def test_a_folder_that_is_not_there_is_told_and_stops_no_other(shared: Database, tmp_path: Path, store: Path) -> None:
    feed(shared, "away", "video", tmp_path / "away", crs="EPSG:4490")
    feed(shared, "here", "video", tmp_path / "here", crs="EPSG:4490")
    (tmp_path / "here" / "a.json").write_text(json.dumps(EVENTS))
    (tmp_path / "away").rmdir()
    done = take(shared, store, "away", "here")
    assert [(f.feed, f.state) for f in done] == [("away", "failed"), ("here", "taken")] and "is not there" in done[
        0
    ].sentence
    (tmp_path / "away").mkdir()
    assert [f.state for f in take(shared, store, "away", "here")] == ["gone"]


def test_what_no_file_can_help_stops_at_once(
    shared: Database, tmp_path: Path, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed(shared, "disk", "footprints", tmp_path / "in")
    outlines(tmp_path / "in" / "a.geojson", {"1": (106, 29.4)})

    def full_disk(*_: Any, **__: Any) -> None:
        raise EnvironmentFault("The disk of the database is full.")

    monkeypatch.setattr(receive, "import_file", full_disk)
    with pytest.raises(EnvironmentFault):
        take(shared, store, "disk")
    assert rows(shared, "SELECT count(*) FROM data.feed_file WHERE feed = 'disk'") == [(0,)]


def test_two_at_once_and_unknown_names_are_refused(shared: Database, store: Path) -> None:
    with shared.lock(feed_files.LOCK), pytest.raises(AlreadyRunning):
        take(shared, store)
    with pytest.raises(NotFound, match="feed add"):
        take(shared, store, "nobody")


def test_a_file_of_the_future_is_not_believed(shared: Database, tmp_path: Path, store: Path) -> None:
    feed(shared, "future", "video", tmp_path / "in", crs="EPSG:4490")
    day = date.today() + timedelta(days=40)
    (tmp_path / "in" / f"{day}.json").write_text(json.dumps(EVENTS))
    [done] = take(shared, store, "future")
    assert done.state == "failed" and "still to come" in done.sentence


def test_a_feed_that_cannot_be_is_not_registered(shared: Database, tmp_path: Path) -> None:
    for more in (
        {"date_pattern": "YYYYMM"},
        {"cadence_days": 0},
        {"late_after_days": 3},
        {"cadence_days": 1, "late_after_days": 5, "dead_after_days": 2},
    ):
        with pytest.raises(UsageError):
            feed(shared, "bad", "video", tmp_path, **more)
    with pytest.raises(UsageError, match="code of a feed"):
        feed(shared, "a b", "video", tmp_path)
    with pytest.raises(UsageError, match="encroachment report"):
        feed(shared, "bad", "reports", tmp_path)
