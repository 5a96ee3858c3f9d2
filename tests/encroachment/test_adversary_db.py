"""What an auditor, a hostile hand and a bad night may do to leads and verdicts in the database. See ``night_ground`` for the river."""

from __future__ import annotations

from datetime import datetime, time
from pathlib import Path

import geopandas as gpd
import pytest
import shapely
from PIL import Image
from sqlalchemy import text

from rivergis import rules
from rivergis.db.connect import Database, now_of
from rivergis.encroachment import report_workflow
from rivergis.jobs import replay
from rivergis.maps import lists
from rivergis.maps.features import When
from rivergis.maps.leads import standing
from tests.encroachment.night_ground import (
    BOOK,
    ZONE,
    X,
    Y,
    area,
    day,
    deliver,
    judge,
    leads,
    night,
    permit,
    river,
    statuses,
    untold,
)

WHOLE = (0.0, -100.0, 2000.0, 200.0)
HOUSE = ("building", (100, 60, 20, 10))
HEAP = ("dump", (500, 0, 20, 20))


@pytest.fixture
def reach(db: Database) -> Database:
    """The river with its line."""
    river(db)
    area(db, "V1", WHOLE)
    return db


# ---- a record that was changed behind the program's back ---------------------------------------------------------------


def tamper(db: Database, sql: str) -> None:
    """Change what no door lets anybody change."""
    with db.engine.begin() as conn:
        conn.execute(text("SET LOCAL session_replication_role = replica"))
        assert conn.execute(text(sql)).rowcount > 0


ONE = "WHERE id = (SELECT id FROM data.verdict ORDER BY id LIMIT 1)"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (f"UPDATE data.verdict SET competent_authority = 'x' {ONE}", "content does not fit"),
        (f"UPDATE data.verdict SET our_action = 'x' {ONE}", "content does not fit"),
        (
            f"""UPDATE data.verdict v SET finding_id = (SELECT id FROM data.finding f WHERE f.id <> v.finding_id LIMIT 1) {ONE}""",
            "not given on this lead",
        ),
    ],
)
def test_all_that_is_shown_is_sealed(reach: Database, tmp_path: Path, change: str, said: str) -> None:
    """Whose business it is, what we do and which lead it is about are part of what was given."""
    deliver(reach, day(0), "a", {"house": HOUSE, "heap": HEAP})
    night(reach, tmp_path)
    tamper(reach, change)
    found = {r.outcome: r.because for r in replay.replay(reach)}
    assert set(found) == {"equal", "differs"} and said in found["differs"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            "UPDATE list.rule_set SET content = jsonb_set(content, '{taxonomy.yaml}', to_jsonb((content ->> 'taxonomy.yaml') || E'\\n# more\\n'))",
            "are not the ones the verdict was given by",
        ),
        ("UPDATE list.rule_set SET content = content - 'jurisdictions.yaml'", "cannot be read"),
        ("DELETE FROM list.rule_set", "keeps no rule set"),
    ],
)
def test_rules_that_are_not_as_they_were_kept_are_said_with_every_verdict(
    reach: Database, tmp_path: Path, change: str, said: str
) -> None:
    deliver(reach, day(0), "a", {"house": HOUSE, "heap": HEAP})
    night(reach, tmp_path)
    tamper(reach, change)
    found = replay.replay(reach)
    assert [r.outcome for r in found] == ["differs"] * 2 and all(said in r.because for r in found)


# ---- nights that do not go as usual ------------------------------------------------------------------------------------


def test_no_case_vanishes_when_the_last_line_ends(db: Database, tmp_path: Path) -> None:
    """A line that is no longer in force, with none after it, is no reason to call a house gone."""
    river(db)
    area(db, "V1", WHOLE, valid_from="2020-06-01", valid_to=str(day(0)))
    for n in range(5):
        deliver(db, day(n), "a", {"house": HOUSE})
        night(db, tmp_path, n)
    assert [statuses(db, n)["house"] for n in range(5)] == ["new", *["left_by_redraw"] * 4]
    for n in (5, 6, 7):
        deliver(db, day(n), "a", {})
        night(db, tmp_path, n)
    assert [statuses(db, n)["house"] for n in (5, 6, 7)] == ["missed", "missed", "gone"], "now it is"


def test_no_case_vanishes_when_a_redrawn_object_has_another_name(reach: Database, tmp_path: Path) -> None:
    deliver(reach, day(0), "a", {"house": HOUSE, "heap": HEAP})
    night(reach, tmp_path)
    area(reach, "V1", (0, -50, 2000, 100))
    for n in range(1, 5):
        deliver(reach, day(n), "a", {f"house{n}": HOUSE, "heap": HEAP})
        night(reach, tmp_path, n)
    assert [statuses(reach, n)["house"] for n in range(5)] == ["new", *["left_by_redraw"] * 4]


def test_a_late_delivery_tells_no_object_twice(reach: Database, tmp_path: Path) -> None:
    """The second source comes after the night, which is run again; its outline is larger and speaks for both."""
    deliver(reach, day(0), "a", {"house": HOUSE, "heap": HEAP})
    night(reach, tmp_path)
    before = {r["id"] for r in leads(reach, 0).values()}
    deliver(reach, day(0), "b", {"roof": ("building", (99, 59, 23, 12)), "shed": ("building", (900, 0, 10, 10))})
    counts = night(reach, tmp_path).counts["topics"]["encroachment"]
    after = leads(reach, 0)
    assert before < {r["id"] for r in after.values()} and len(after) == 3
    assert counts["statuses"] == {"new": 3} == {"new": len(after)}, "the counts are those of what is recorded"
    night(reach, tmp_path, 1)
    assert {r["id"] for r in leads(reach, 1).values()} == {r["id"] for r in after.values()}
    assert [r.outcome for r in replay.replay(reach)] == ["equal"] * len(replay.replay(reach))


def test_what_an_earlier_run_of_the_night_told_stays_told_once(reach: Database, tmp_path: Path) -> None:
    """The night is run again with the heap moved away and a permit for the house: nothing is deleted, the next night says it."""
    deliver(reach, day(0), "a", {"house": HOUSE, "heap": HEAP})
    night(reach, tmp_path)
    permit(reach, "ok", "permanent_work", "building", (90, 50, 50, 30), valid_from="2020-01-01")
    deliver(reach, day(0), "a", {"house": HOUSE})
    assert night(reach, tmp_path).counts["topics"]["encroachment"]["statuses"] == {"new": 2}
    deliver(reach, day(1), "a", {"house": HOUSE})
    night(reach, tmp_path, 1)
    assert statuses(reach, 1) == {"house": "permitted", "heap": "missed"}
    assert untold(reach, 1) == {"house": "permitted"}


def test_a_night_that_told_nothing_is_a_night_all_the_same(reach: Database, tmp_path: Path) -> None:
    deliver(reach, day(0), "a", {"far": ("building", (100, 900, 20, 10))})
    night(reach, tmp_path, 5)
    deliver(reach, day(2), "a", {"house": HOUSE})
    told = night(reach, tmp_path, 3)
    assert told.late is not None and not told.changed
    assert (told.late["leads"], told.late["last"], told.late["same_inputs"]) == ({"new": 1}, "2026-05-06", False)
    assert leads(reach, 3) == {}, "a night that later ones follow is told what it would say, and says nothing"
    night(reach, tmp_path, 6)
    assert statuses(reach, 6) == {"house": "new"}


def report(
    db: Database,
    folder: Path,
    kind: str,
    x: float,
    y: float,
    n: int,
    accuracy_m: float = 5.0,
    photo: Path | None = None,
) -> None:
    """What a person reports from a place on a day."""
    point = gpd.GeoSeries([shapely.Point(X + x, Y + y)], crs=ZONE).to_crs(4490).iloc[0]
    at = datetime.combine(day(n), time(10), report_workflow.SHANGHAI)
    view = BOOK.at(rules.path_of("500199"), day(n))
    said = report_workflow.Said(kind, point.x, point.y, at, accuracy_m, photo=photo)
    report_workflow.report(db, [said], actor="inspector", store_dir=folder, view=view)


def test_a_heap_that_two_people_report_on_two_days_is_one(reach: Database, tmp_path: Path) -> None:
    report(reach, tmp_path, "dump", 300, 20, 0)
    night(reach, tmp_path)
    report(reach, tmp_path, "dump", 303, 22, 1)
    report(reach, tmp_path, "dump", 340, 22, 1)
    night(reach, tmp_path, 1)
    night(reach, tmp_path, 2)
    [first] = [r["id"] for r in leads(reach, 0).values()]
    for n in (1, 2):
        rows = list(leads(reach, n).values())
        assert len(rows) == 2 and first in [r["id"] for r in rows]
        assert sorted(sum("candidate" in s for s in r["sources"]) for r in rows) == [1, 2]


def test_a_point_beside_an_outline_is_evidence_of_it_whoever_comes_first(reach: Database, tmp_path: Path) -> None:
    """The point lies 3 m beside the outline, and is known to 5 m."""
    deliver(reach, day(0), "a", {"heap": HEAP})
    report(reach, tmp_path, "dump", 797, 10, 0)
    night(reach, tmp_path)
    report(reach, tmp_path, "dump", 497, 10, 1)
    deliver(reach, day(1), "b", {"other": ("dump", (800, 0, 20, 20))})
    night(reach, tmp_path, 1)
    assert {r["id"] for r in leads(reach, 1).values()} == {r["id"] for r in leads(reach, 0).values()}


# ---- permits that say in words where they hold -------------------------------------------------------------------------


def test_a_permit_in_words_may_hold_for_any_part_of_a_thing(reach: Database, tmp_path: Path) -> None:
    """A bridge house over the axis, a long dump that ends inside a stretch, and what only stands across the river.

    left    [edge]         . [=== long ===|..]
    axis ------------[mid]------------------------
    right           (permit)       [across]
    """
    deliver(
        reach,
        day(0),
        "a",
        {
            "edge": ("building", (185, 60, 10, 10)),
            "beyond": ("building", (240, 60, 10, 10)),
            "mid": ("building", (895, -5, 10, 12)),
            "long": ("dump", (1100, 50, 300, 10)),
            "across": ("dump", (1350, -60, 100, 10)),
        },
    )
    where = {"river_code": "R1", "valid_from": "2020-01-01"}
    permit(reach, "PL", "temporary_use", "building", None, bank="left", from_m=100.0, to_m=186.0, **where)
    permit(reach, "PM", "temporary_use", "building", None, bank="right", from_m=950.0, to_m=850.0, **where)
    permit(reach, "PD", "temporary_use", "dump", None, bank="left", from_m=1390.0, to_m=1600.0, **where)
    night(reach, tmp_path)
    assert untold(reach, 0) == dict.fromkeys(["edge", "mid", "long"], "permit_place_open")
    assert set(statuses(reach, 0)) == {"beyond", "across"}


# ---- cases that people have opened -------------------------------------------------------------------------------------


def test_a_case_stands_on_lists_and_maps_when_another_lead_goes_on_for_it(reach: Database, tmp_path: Path) -> None:
    """Two heaps become one; people had made a case of the younger, not of the elder."""
    deliver(reach, day(0), "a", {"elder": ("dump", (100, 0, 40, 40))})
    night(reach, tmp_path)
    two = {"elder": ("dump", (100, 0, 40, 40)), "younger": ("dump", (160, 0, 30, 40))}
    deliver(reach, day(1), "a", two)
    night(reach, tmp_path, 1)
    [case] = [r["id"] for r in leads(reach, 1).values() if r["first_night"] == day(1)]
    deliver(reach, day(2), "a", {"one": ("dump", (100, 0, 90, 40))})
    night(reach, tmp_path, 2)
    assert {r["id"]: r["status"] for r in leads(reach, 2).values()}[case] == "merged"

    def stand() -> set[str]:
        with reach.read() as conn:
            at = When(day(2), now_of(conn))
            drawn, [row] = standing(conn, at)["id"], lists.rivers(conn, at)[0]
        assert row["leads"] == len(drawn), "the list of rivers counts what the map draws"
        return set(drawn)

    assert str(case) not in stand() and len(stand()) == 1
    judge(reach, case, "judge_problem", "核查属实")
    assert str(case) in stand()
    judge(reach, case, "judge_not_a_problem", "已清除")
    assert str(case) not in stand()


def test_a_delivery_is_one_line_of_the_audit(reach: Database) -> None:
    deliver(reach, day(0), "a", {f"h{n}": ("building", (20.0 * n, 60, 8, 8)) for n in range(30)})
    with reach.read() as conn:
        audit = conn.execute(text("SELECT row_count FROM sys.audit WHERE target = 'data.delivery_item'")).scalars()
        assert list(audit) == [30]


def test_a_photo_that_says_neither_place_nor_time_is_not_called_measured(reach: Database, tmp_path: Path) -> None:
    Image.new("RGB", (64, 64), (90, 120, 60)).save(tmp_path / "bare.jpg")
    report(reach, tmp_path / "store", "dump", 300, 20, 0, photo=tmp_path / "bare.jpg")
    night(reach, tmp_path)
    with reach.read() as conn:
        shown = conn.execute(text("SELECT position_grade, taken_on FROM data.evidence WHERE kind = 'photo'")).all()
    assert [tuple(r) for r in shown] == [("hand_placed", None)]


def test_a_look_that_is_told_late_is_a_look_all_the_same(reach: Database, tmp_path: Path) -> None:
    """Seen on day 0; on day 1 nothing is there, told after the night of day 1."""
    report(reach, tmp_path, "dump", 300, 20, 0)
    night(reach, tmp_path)
    night(reach, tmp_path, 1)
    report(reach, tmp_path, "nothing_found", 301, 20, 1)
    night(reach, tmp_path, 2)
    night(reach, tmp_path, 3)
    told = [[r["status"] for r in leads(reach, n).values()] for n in range(4)]
    assert told == [["new"], ["persisting"], ["missed"], ["unobserved"]], "counted once, in the night that hears of it"
