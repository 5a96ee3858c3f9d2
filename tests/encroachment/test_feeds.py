"""What a feed may be, what the name of a file says of its day, and when a feed is late or dead."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from rivergis.db.connect import Database
from rivergis.encroachment import feed_store
from rivergis.encroachment.feed_store import FileRow
from rivergis.encroachment.feeds import Feed, day_in_name, part_in_name, with_rhythm
from tests import conftest

DAYS = st.dates(date(1990, 1, 1), date(2099, 12, 31))
# nothing that reads as part of a number
AROUND = st.text("abcXYZ_ 图斑-.", max_size=12)


@given(DAYS, AROUND, AROUND, st.sampled_from(["%Y-%m-%d", "%Y%m%d", "%Y_%m_%d", "%Y.%m.%d"]))
def test_a_day_is_found_wherever_it_stands_in_a_name(day: date, before: str, after: str, form: str) -> None:
    assert day_in_name(f"{before}{day.strftime(form)}{after}.json", None) == day


@given(DAYS, st.integers(0, 9))
def test_a_longer_number_is_no_day(day: date, digit: int) -> None:
    assert day_in_name(f"{day:%Y%m%d}{digit}.tif", None) is None


@given(DAYS, AROUND)
def test_a_pattern_reads_what_was_written_by_it(day: date, tail: str) -> None:
    assert day_in_name(f"DJI (1) DD{day:%d.%m.%Y}{tail}", "DJI (1) *DD.MM.YYYY*") == day


@pytest.mark.parametrize(
    ("name", "pattern", "day"),
    [
        ("20261345.csv", None, None),
        ("2026-05-20_to_2026-05-22.csv", None, date(2026, 5, 22)),
        ("batch_2026-1.shp", None, None),
        ("alerts_20260520_0830.json", "alerts_YYYYMMDD*", date(2026, 5, 20)),
        ("other_20260520.json", "alerts_YYYYMMDD*", None),
    ],
)
def test_days_in_names(name: str, pattern: str | None, day: date | None) -> None:
    assert day_in_name(name, pattern) == day


@given(DAYS, DAYS, st.text("abc图斑", min_size=1, max_size=6))
def test_the_part_of_a_picture_is_the_same_on_every_day(one: date, two: date, part: str) -> None:
    forms = {
        ("{p}_{d:%Y-%m-%d}.shp", None): part,
        ("{d:%Y%m%d}/{p}.shp", None): part,
        ("x/{p} {d:%d.%m.%Y}.shp", "* DD.MM.YYYY.shp"): f"x/{part}",
        ("{d:%Y-%m-%d}.shp", None): "",
        ("{d:%Y}/{p}_{d:%m%d}.gpkg", "YYYY/*_MMDD*"): part,
    }
    for (form, pattern), said in forms.items():
        assert {part_in_name(form.format(p=part, d=d), pattern) for d in (one, two)} == {said}, form


@given(st.integers(1, 400), st.floats(0.1, 10), st.floats(0.1, 10))
def test_nothing_is_dead_before_it_is_late(cadence: int, late: float, dead: float) -> None:
    feed = with_rhythm(Feed("x", "x", "video", "video_alerts", False, cadence_days=cadence), late, dead)
    assert feed.late_after_days and feed.dead_after_days and 1 <= feed.late_after_days <= feed.dead_after_days


# ---- as it stands on a day ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def ground(data_dir: Path) -> Iterator[Database]:
    """A feed that is due each 2 days (late after 2, dead after 6), one without rhythm, one that never delivered."""
    db = conftest.new_database(data_dir)
    for code, more in {"tower": {"cadence_days": 2}, "hot": {}, "silent": {"cadence_days": 2}}.items():
        with db.write("test") as conn:
            feed_store.save(conn, with_rhythm(Feed(code, code, "video", "video_alerts", False, **more), 1, 3))
    yield db
    db.close()


def deliver(db: Database, feed: str, day: date, *, file_of: str | None = None) -> None:
    with db.write("test") as conn:
        import_id = conn.execute(
            text("""INSERT INTO sys.import_record (layer, file_name, file_sha256, count_in, count_imported, count_quarantined)
            VALUES ('candidate', 'x', gen_random_uuid(), 0, 0, 0) RETURNING id""")
        ).scalar_one()
        conn.execute(
            text("INSERT INTO data.delivery (import_id, feed, delivered_on, complete) VALUES (:i, :f, :d, true)"),
            {"i": import_id, "f": feed, "d": day},
        )
        if file_of:
            feed_store.record(conn, file_of, FileRow("x", "h", "s", 1, "taken", "in.", day, [import_id]))


def state(db: Database, on: date, known_at: datetime | None = None) -> dict[str, dict[str, Any]]:
    with db.read() as conn:
        return {s["code"]: s for s in feed_store.states(conn, on, known_at or datetime.now(UTC))}


def test_late_and_dead_follow_from_the_days_since(ground: Database) -> None:
    day = date(2026, 5, 1)
    deliver(ground, "tower", day)
    said = [state(ground, day + timedelta(n))["tower"] for n in range(9)]
    assert [s["days_since"] for s in said] == list(range(9))
    assert [s["state"] for s in said] == ["on_time"] * 3 + ["late"] * 4 + ["dead"] * 2
    assert [(s["late"], s["dead"]) for s in said] == [(n > 2, n > 6) for n in range(9)]
    # what came later changes nothing of what was so on a day before
    deliver(ground, "tower", day + timedelta(8))
    assert state(ground, day + timedelta(7))["tower"]["state"] == "dead"
    assert state(ground, day + timedelta(8))["tower"]["state"] == "on_time"
    assert state(ground, day + timedelta(8), datetime(2026, 1, 1, tzinfo=UTC)) == {}  # nothing was known then


def test_a_feed_without_rhythm_is_never_late_and_one_that_never_came_is_told(ground: Database) -> None:
    today = datetime.now(UTC).date()
    deliver(ground, "hot", date(2026, 5, 1))
    far = state(ground, today + timedelta(300))
    assert (far["hot"]["state"], far["hot"]["late"]) == ("no_rhythm", False)
    assert far["silent"]["state"] == "dead" and far["silent"]["last_arrival"] is None
    assert state(ground, today)["silent"]["state"] == "never"


def test_who_delivers_unregistered_is_told_once_for_all_its_layers(ground: Database) -> None:
    for feed in ("tower:left", "tower:right", "stranger:a", "stranger:b", "towers"):
        deliver(ground, feed, date(2026, 6, 1))
    deliver(ground, "patches:2026-1", date(2026, 6, 1), file_of="hot")  # a batch that lay in the folder of a feed
    said = state(ground, date(2026, 6, 2))
    assert {c: s["kind"] for c, s in said.items() if s["kind"] == "unregistered"} == {
        "stranger": "unregistered",
        "towers": "unregistered",
    }
    assert said["tower"]["last_delivered_on"] == said["hot"]["last_delivered_on"] == date(2026, 6, 1)


def test_what_became_of_files_is_never_changed(ground: Database) -> None:
    with ground.write("test") as conn:
        feed_store.record(conn, "hot", FileRow("y", "h2", "s", 1, "failed", "No."))
    for sql in ("UPDATE data.feed_file SET state = 'taken'", "DELETE FROM data.feed_file"):
        with pytest.raises(Exception, match="append only"), ground.write("test") as conn:
            conn.execute(text(sql))
    assert state(ground, date(2026, 6, 2))["hot"]["files_failed"] == 1


def test_a_feed_has_versions_and_the_same_again_is_none(ground: Database) -> None:
    feed = with_rhythm(Feed("turn", "一", "video", "video_alerts", False, cadence_days=1), 1, 3)
    with ground.write("a") as conn:
        assert feed_store.save(conn, feed)
        assert not feed_store.save(conn, feed)
    with ground.write("b") as conn:
        assert feed_store.save(
            conn,
            Feed(
                **{**vars(feed), "name": "二", "cadence_days": None, "late_after_days": None, "dead_after_days": None}
            ),
        )
    with ground.read() as conn:
        assert feed_store.feed(conn, "turn").name == "二"
        assert [(h["version"], h["name"], h["actor"]) for h in feed_store.history(conn, "turn")] == [
            (2, "二", "b"),
            (1, "一", "a"),
        ]
    # one that ended is not missed after its last day, and its deliveries stay those of a feed
    deliver(ground, "turn", date(2026, 6, 1))
    with ground.write("b") as conn:
        feed_store.save(conn, replace(feed, until=date(2026, 6, 30)))
    assert state(ground, date(2026, 6, 30))["turn"]["state"] == "dead"
    assert "turn" not in state(ground, date(2026, 7, 1))
