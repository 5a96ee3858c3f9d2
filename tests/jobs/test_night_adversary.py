"""The worst week of a night: parts that fail, rules that change between a kill and going on, districts alone, late deliveries."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import shapely
from sqlalchemy import text

from rivergis import rules
from rivergis.db.connect import Database
from rivergis.errors import RuleError
from rivergis.jobs import nightly, replay
from rivergis.rules import RuleBook
from rivergis.settings import gis_dir
from tests.encroachment.night_ground import (
    BOOK,
    X,
    Y,
    area,
    box,
    day,
    deliver,
    leads,
    night,
    permit,
    put,
    river,
    statuses,
    untold,
)

WEST, EAST = "500199", "500101"
WHOLE = (0.0, -100.0, 2000.0, 200.0)


@pytest.fixture
def two(db: Database) -> Database:
    """The river through two counties, the border at x = 1000 m."""
    axis = shapely.LineString([(X, Y), (X + 2000, Y)])
    units = [
        {"code": WEST, "name": "西县", "level": "county"},
        {"code": EAST, "name": "东县", "level": "county"},
    ]
    put(
        db,
        "admin_unit",
        units,
        [shapely.MultiPolygon([box(-5000, -5000, 6000, 10000)]), shapely.MultiPolygon([box(1000, -5000, 6000, 10000)])],
    )
    put(db, "river", [{"code": "R1", "name": "试验河", "kind": "river"}])
    put(db, "axis", [{"code": "R1", "river_code": "R1"}], [axis])
    put(db, "reach", [{"code": "R1-1", "river_code": "R1", "kind": "river", "from_m": 0, "to_m": 2000}], [axis])
    area(db, "V1", WHOLE)
    return db


def changed_rules(folder: Path, key: str, value: str, place: str = "demo_county") -> RuleBook:
    """The rules of the project, and one row of the west county."""
    there = folder / f"rules-{key}-{value}"
    shutil.copytree(gis_dir() / "rules", there)
    row = next(r for r in BOOK.by_key[key])
    body = f"""ruleset: {place}/encroachment
version: 1
title: "test"
rules:
  - key: {key}
    value: {value}
    unit: "{row.unit}"
    basis: "invented for a test"
    source: "test"
    status: "unconfirmed"
    competent_authority: "水行政"
    our_action: "仅提示"
"""
    (there / place / "encroachment.yaml").write_text(body)
    return rules.load(there)


def run(db: Database, folder: Path, n: int, **how: Any) -> nightly.NightResult:
    return nightly.run(db, how.pop("book", BOOK), day(n), "test", store_dir=folder / "store", report_dir=None, **how)


SHED = ("building", (100.0, 50.0, 20.0, 10.0))
BARN = ("building", (1500.0, 50.0, 20.0, 10.0))
MILL = ("building", (700.0, 50.0, 20.0, 10.0))


def missed(db: Database) -> int:
    with db.read() as conn:
        return int(
            conn.execute(text("SELECT coalesce(max((carried ->> 'missed')::int), 0) FROM data.sighting")).scalar_one()
        )


def test_districts_alone_on_two_days_count_each_look_once(two: Database, tmp_path: Path) -> None:
    """A delivery without the shed is one look that misses it, whichever parts of two nights are run for themselves."""
    deliver(two, day(0), "a", {"shed": SHED, "barn": BARN})
    night(two, tmp_path, 0)
    deliver(two, day(1), "a", {"barn": BARN})
    run(two, tmp_path, 1, district=WEST)
    run(two, tmp_path, 2, district=WEST)
    run(two, tmp_path, 2)
    assert missed(two) == 1
    with two.read() as conn:
        ended = conn.execute(text("SELECT run_date FROM sys.job_run WHERE job = 'nightly' AND district = ''")).scalars()
        assert sorted(set(ended)) == [day(0), day(1), day(2)], "nights run in order, each to its end"


def test_a_night_that_began_and_was_killed_is_not_run_over_by_an_earlier_one(two: Database, tmp_path: Path) -> None:
    deliver(two, day(0), "a", {"shed": SHED})
    night(two, tmp_path, 0)
    deliver(two, day(1), "a", {"shed": SHED, "barn": BARN})
    run(two, tmp_path, 3, district=EAST)  # the rest of it never ran
    done = run(two, tmp_path, 2)
    assert done.late is not None, "the night of day 3 has written already"
    run(two, tmp_path, 3)
    assert statuses(two, 3)["barn"] == "new"


def test_rules_changed_between_a_kill_and_going_on_leave_verdicts_that_can_be_replayed(
    two: Database, tmp_path: Path
) -> None:
    deliver(two, day(0), "a", {"shed": SHED, "barn": BARN})
    run(two, tmp_path, 0, district=EAST)
    other = changed_rules(tmp_path, "encroach.min_overlap_area", "9999")
    run(two, tmp_path, 0, book=other)
    assert set(leads(two, 0)) == {"shed", "barn"}, "by the rules it began with"
    assert {r.outcome for r in replay.replay(two)} == {"equal"}


def test_rules_mended_after_a_district_failed_take_hold_when_the_night_is_run_again(
    two: Database, tmp_path: Path
) -> None:
    deliver(two, day(0), "a", {"shed": SHED, "barn": BARN})
    broken = changed_rules(tmp_path, "encroach.nights.gone_after_observed", "null")
    failed = run(two, tmp_path, 0, book=broken)
    assert WEST in failed.failed and failed.state == "partly" and set(leads(two, 0)) == {"barn"}
    again = run(two, tmp_path, 0)
    assert again.state == "done" and set(leads(two, 0)) == {"shed", "barn"}
    assert statuses(two, 0) == {"shed": "new", "barn": "new"}
    assert {r.outcome for r in replay.replay(two)} == {"equal"}
    night(two, tmp_path, 1)
    assert statuses(two, 1) == {"shed": "persisting", "barn": "persisting"}


def test_what_a_failed_district_did_not_look_at_counts_on_the_next_night(two: Database, tmp_path: Path) -> None:
    deliver(two, day(0), "a", {"shed": SHED, "barn": BARN})
    night(two, tmp_path, 0)
    broken = changed_rules(tmp_path, "encroach.nights.gone_after_observed", "null")
    deliver(two, day(1), "a", {"barn": BARN})
    assert WEST in run(two, tmp_path, 1, book=broken).failed
    run(two, tmp_path, 2)
    assert statuses(two, 2)["shed"] == "missed", "the feed looked on day 1 and did not see it"


def test_a_delivery_late_for_a_night_that_is_run_again_is_one_look(two: Database, tmp_path: Path) -> None:
    deliver(two, day(0), "a", {"shed": SHED, "barn": BARN})
    night(two, tmp_path, 0)
    night(two, tmp_path, 1)
    deliver(two, day(1), "a", {"barn": BARN})
    night(two, tmp_path, 1)
    night(two, tmp_path, 2)
    night(two, tmp_path, 3)
    assert missed(two) == 1


def test_no_county_known_at_all(db: Database, tmp_path: Path) -> None:
    axis = shapely.LineString([(X, Y), (X + 2000, Y)])
    put(db, "river", [{"code": "R1", "name": "试验河", "kind": "river"}])
    put(db, "axis", [{"code": "R1", "river_code": "R1"}], [axis])
    area(db, "V1", WHOLE)
    deliver(db, day(0), "a", {"shed": SHED})
    assert night(db, tmp_path, 0).state == "done"
    deliver(db, day(1), "a", {"shed": SHED, "barn": BARN})
    assert night(db, tmp_path, 1).state == "done"
    assert statuses(db, 1) == {"shed": "persisting", "barn": "new"}


def test_a_lead_seen_as_it_was_is_counted_in_its_county(two: Database, tmp_path: Path) -> None:
    """No village is known: the county is that of the place all the same."""
    for n in range(6):
        deliver(two, day(n), "a", {"shed": SHED, "barn": BARN})
        done = night(two, tmp_path, n)
    told = {d: c["statuses"] for d, c in done.counts["districts"].items()}
    assert told == {WEST: {"persisting": 1}, EAST: {"persisting": 1}}


def test_an_emptied_cache_before_a_redrawn_line(two: Database, tmp_path: Path) -> None:
    deliver(two, day(0), "a", {"shed": SHED, "barn": BARN})
    night(two, tmp_path, 0)
    with two.write("test") as conn:
        conn.execute(text("DELETE FROM cache.boundary_ground"))
    area(two, "V1", (1000.0, -100.0, 1000.0, 200.0))
    night(two, tmp_path, 1)
    assert statuses(two, 1)["shed"] == "left_by_redraw"


def test_a_night_about_a_day_to_come_is_refused(two: Database, tmp_path: Path) -> None:
    """A slip of the year would shut out every night until then."""
    deliver(two, day(0), "a", {"shed": SHED})
    ahead = nightly.yesterday() + timedelta(days=365)
    with pytest.raises(nightly.UsageError, match=str(ahead)):
        nightly.run(two, BOOK, ahead, "test", store_dir=tmp_path, report_dir=None)
    with two.read() as conn:
        assert conn.execute(text("SELECT count(*) FROM sys.night")).scalar_one() == 0


def test_all_parts_failing_by_the_rules_of_the_only_county_lose_nothing(db: Database, tmp_path: Path) -> None:
    """The county whose rules hold for the registers leaves a value open: the night after says what that one could not."""
    river(db)
    area(db, "V1", WHOLE)
    permit(db, "P1", "permanent_work", "building", (95.0, 45.0, 30.0, 20.0), valid_from="2020-01-01")
    deliver(db, day(0), "a", {"shed": SHED, "barn": BARN})
    night(db, tmp_path, 0)
    assert untold(db, 0) == {"shed": "permitted"}
    broken = changed_rules(tmp_path, "encroach.nights.gone_after_observed", "null")
    deliver(db, day(1), "a", {"mill": MILL})
    failed = run(db, tmp_path, 1, book=broken)
    assert failed.state == "partly" and set(failed.failed) == {WEST, "排污口与界线 outfalls and lines"}
    deliver(db, day(2), "a", {"mill": MILL})
    assert run(db, tmp_path, 2).state == "done"
    assert statuses(db, 2) == {"barn": "missed", "mill": "new"} and untold(db, 2) == {}


def test_nights_of_a_database_that_did_not_keep_how_they_began_go_on(db: Database, tmp_path: Path) -> None:
    """As after an upgrade: two looks that missed the shed stay two, and nothing is told twice."""
    river(db)
    area(db, "V1", WHOLE)
    deliver(db, day(0), "a", {"shed": SHED, "barn": BARN})
    night(db, tmp_path, 0)
    for n in (1, 2):
        deliver(db, day(n), "a", {"barn": BARN})
        night(db, tmp_path, n)
    assert missed(db) == 2
    with db.write("test") as conn:
        conn.execute(text("ALTER TABLE sys.night DISABLE TRIGGER ALL"))
        conn.execute(text("DELETE FROM sys.night"))
    night(db, tmp_path, 3)
    assert statuses(db, 3) == {"shed": "unobserved", "barn": "persisting"} and missed(db) == 2


def test_a_night_that_could_not_start_by_its_rules_is_begun_again_by_better_ones(db: Database, tmp_path: Path) -> None:
    river(db)
    area(db, "V1", WHOLE)
    deliver(db, day(0), "a", {"shed": SHED})
    with pytest.raises(RuleError):
        run(db, tmp_path, 0, book=changed_rules(tmp_path, "encroach.snap", "null"))
    deliver(db, day(1), "a", {"shed": SHED})
    run(db, tmp_path, 1)
    assert statuses(db, 0) == {"shed": "new"} and statuses(db, 1) == {"shed": "persisting"}


def test_a_page_that_finds_no_room_leaves_the_night_and_its_answer(two: Database, tmp_path: Path) -> None:
    deliver(two, day(0), "a", {"shed": SHED, "barn": BARN})
    (tmp_path / "reports").write_text("a file where the folder should be")
    where: dict[str, Any] = {"store_dir": tmp_path / "store", "report_dir": tmp_path / "reports"}
    done = nightly.run(two, BOOK, day(0), "test", **where)
    assert done.page_refused and done.state == "partly" and "the night itself is recorded" in done.failed["morning"]
    assert done.changed and done.counts["topics"]["encroachment"]["leads"] == 2
    (tmp_path / "reports").unlink()
    again = nightly.run(two, BOOK, day(0), "test", **where)
    assert again.state == "done" and again.report is not None and not again.changed


def test_a_picture_that_comes_after_a_newer_one_is_no_look_of_tonight(two: Database, tmp_path: Path) -> None:
    """The picture of day 1, which shows the shed, comes when that of day 2, which does not, was taken up."""
    deliver(two, day(0), "a", {"shed": SHED, "barn": BARN})
    night(two, tmp_path, 0)
    deliver(two, day(2), "a", {"barn": BARN})
    night(two, tmp_path, 2)
    deliver(two, day(1), "a", {"shed": SHED, "barn": BARN})
    night(two, tmp_path, 3)
    assert missed(two) == 1 and statuses(two, 3) == {"shed": "unobserved", "barn": "persisting"}


def test_what_a_redrawn_line_leaves_outside_is_not_said_to_be_permitted(two: Database, tmp_path: Path) -> None:
    permit(two, "P1", "permanent_work", "building", (95.0, 45.0, 30.0, 20.0), valid_from="2020-01-01")
    deliver(two, day(0), "a", {"shed": SHED, "barn": BARN})
    night(two, tmp_path, 0)
    assert untold(two, 0) == {"shed": "permitted"}
    area(two, "V1", (1000.0, -100.0, 1000.0, 200.0))
    night(two, tmp_path, 1)
    assert untold(two, 1) == {}


def test_what_stands_beside_something_delivered_again_is_not_seen_again(two: Database, tmp_path: Path) -> None:
    """The wall of feed b touches the shed of feed a, which alone is delivered again as it was, and once for an earlier day."""
    deliver(two, day(1), "a", {"shed": SHED})
    deliver(two, day(1), "b", {"wall": ("dump", (120.0, 50.0, 3.0, 10.0))})
    for n in (1, 2, 3):
        run(two, tmp_path, n, full=n == 3)
        deliver(two, day(n + 1), "a", {"shed": SHED})
    with two.read() as conn:
        rows = conn.execute(text("SELECT night FROM data.sighting WHERE sources -> 1 ->> 'code' = 'wall'")).scalars()
        assert list(rows) == [day(1)]
    deliver(two, day(0), "a", {"shed": SHED})
    run(two, tmp_path, 4)
    assert leads(two, 4)["shed"]["figures"]["first_delivered_on"] == str(day(0)), "it is known of an earlier day now"
