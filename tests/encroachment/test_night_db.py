"""Nights in the database: what is told, what is not and why, and what becomes of a lead. See ``night_ground`` for the river."""

from __future__ import annotations

from pathlib import Path

import pytest
import shapely
from sqlalchemy import text

from rivergis.boundary.ground import store as ground_store
from rivergis.db.connect import Database
from rivergis.encroachment import replay_store, store
from rivergis.errors import NotPermitted
from tests.encroachment.night_ground import (
    area,
    bank_lines,
    box,
    day,
    deliver,
    judge,
    leads,
    night,
    permit,
    put,
    river,
    statuses,
    untold,
)

WHOLE = (0.0, -100.0, 2000.0, 200.0)


def test_one_thing_of_two_sources_is_one_lead_and_what_is_far_is_counted_only(db: Database, tmp_path: Path) -> None:
    river(db)
    area(db, "V1", WHOLE)
    deliver(db, day(0), "a", {"house": ("building", (100, 50, 20, 10)), "far": ("building", (100, 900, 20, 10))})
    deliver(db, day(0), "b", {"roof": ("building", (101, 50, 20, 10)), "heap": ("dump", (300, 95, 20, 10))})
    counts = night(db, tmp_path).counts
    found = leads(db, 0)
    assert set(found) == {"house+roof", "heap"}
    assert found["house+roof"]["area_m2"] == pytest.approx(21 * 10, abs=0.2)
    assert found["heap"]["area_m2"] == pytest.approx(20 * 5, abs=0.2)
    assert untold(db, 0) == {} and counts["candidates"] == 4 and counts["not_told"] == {"outside": 1}


def test_lines_without_an_area_bound_ground_or_leave_it_undecided(db: Database, tmp_path: Path) -> None:
    r"""V1: two banks                 V2: two open lines of one bank that do not meet
    ----------------              \            /
        [in]                         [maybe]
    ----------------
    """
    river(db)
    bank_lines(db, "V1", {"left": [(0, 100), (800, 100)], "right": [(0, -100), (800, -100)]}, basis="draft")
    bank_lines(db, "V2", {"left": [(1200, 100), (1300, 20), (1500, 30), (1900, 100)]})
    deliver(db, day(0), "a", {"in": ("building", (100, 50, 20, 10)), "maybe": ("building", (1400, 60, 20, 10))})
    night(db, tmp_path)
    assert leads(db, 0)["in"]["basis"] == "draft" and leads(db, 0)["in"]["our_action"] == "仅提示"
    assert untold(db, 0) == {"maybe": "undecided"}


def test_what_stands_on_an_island_left_out_is_said(db: Database, tmp_path: Path) -> None:
    river(db)
    bank_lines(db, "V1", {"left": [(0, 100), (2000, 100)]})
    holed = box(0, -100, 2000, 200).difference(box(400, -50, 200, 100))
    put(db, "boundary_area", [{"code": "V1A", "version_code": "V1"}], [shapely.MultiPolygon([holed])])
    deliver(db, day(0), "a", {"home": ("building", (490, -5, 20, 10)), "shed": ("building", (100, 0, 20, 10))})
    night(db, tmp_path)
    assert set(leads(db, 0)) == {"shed"} and untold(db, 0) == {"home": "in_hole"}


def test_ground_of_two_counties_counts_once_and_names_both(db: Database, tmp_path: Path) -> None:
    river(db)
    area(db, "East", (0, -100, 1010, 200))
    area(db, "West", (990, -100, 1010, 200))
    deliver(db, day(0), "a", {"yard": ("occupation", (980, 0, 40, 30))})
    night(db, tmp_path)
    [lead] = leads(db, 0).values()
    assert lead["area_m2"] == pytest.approx(40 * 30, abs=0.5)
    assert {x["announce_gov"] for x in lead["figures"]["lines"]} == {"East县人民政府", "West县人民政府"}


def test_permits_by_kind_day_and_place(db: Database, tmp_path: Path) -> None:
    river(db)
    area(db, "V1", WHOLE)
    here = {f"p{n}": ("building", (100.0 * n, 50.0, 20.0, 10.0)) for n in range(1, 7)}
    deliver(db, day(0), "a", {**here, "part": ("building", (700, 50, 40, 10))})
    spot = {n: (100.0 * n - 5, 45.0, 30.0, 20.0) for n in range(1, 8)}
    years = {"valid_from": "2020-01-01"}
    permit(db, "ok", "permanent_work", "building", spot[1], **years)
    permit(db, "other", "sand_mining", "quarry", spot[2], **years)
    permit(db, "ended", "temporary_use", "building", spot[3], valid_to="2026-04-30", **years)
    permit(db, "unseen", "permanent_work", "building", spot[4], valid_to="2024-12-31", **years)
    permit(db, "seen", "permanent_work", "building", spot[5], valid_to="2024-12-31", accepted_on="2024-11-01", **years)
    permit(
        db, "words", "temporary_use", "building", None, river_code="R1", bank="left", from_m=590.0, to_m=640.0, **years
    )
    permit(db, "half", "permanent_work", "building", spot[7], valid_to="2024-12-31", **years)
    night(db, tmp_path)
    told = leads(db, 0)
    assert set(told) == {"p2", "p3", "part"}
    assert told["p3"]["figures"]["expired_permit"] == "ended ended  有效至 valid to 2026-04-30"
    assert told["part"]["area_m2"] == pytest.approx(15 * 10, abs=0.2), "what the permit covers is taken off"
    assert untold(db, 0) == {
        "p1": "permitted", "p4": "permit_unaccepted", "p5": "permitted", "p6": "permit_place_open",
    }  # fmt: skip
    with db.read() as conn:
        queue = {(r["queue"], r["permits"][0]) for r in store.permit_queue(conn, day(0))}
    assert queue == {("permit_unaccepted", "unseen"), ("permit_unaccepted", "half"), ("permit_place_open", "words")}

    permit(db, "words", "temporary_use", "building", spot[6], **years)
    night(db, tmp_path, 1)
    assert untold(db, 1)["p6"] == "permitted", "a person placed it: a new version of the permit, with its polygon"
    with db.read() as conn:
        assert "permit_place_open" not in {r["queue"] for r in store.permit_queue(conn, day(1))}


def test_a_feed_that_did_not_deliver_did_not_look(db: Database, tmp_path: Path) -> None:
    """Deliveries on nights 0 to 3, then none, then on 6 to 8. The heap is not in those of 3, 6 and 7."""
    river(db)
    area(db, "V1", WHOLE)
    small, large, heap = (100, 50, 20, 10), (100, 50, 40, 10), ("dump", (900, 0, 20, 20))
    pictures = {
        **{key: {"yard": ("occupation", small), "heap": heap} for key in (0, 1, 2)},
        **{key: {"yard": ("occupation", large)} for key in (3, 6, 7)},
        8: {"yard": ("occupation", large), "heap": heap},
    }
    for n in range(9):
        if n in pictures:
            deliver(db, day(n), "a", pictures[n])
        night(db, tmp_path, n)
    seen = {n: statuses(db, n) for n in range(9)}
    assert [seen[n]["heap"] for n in range(9)] == [
        "new", "persisting", "persisting", "missed", "unobserved", "unobserved", "missed", "gone", "rebound",
    ]  # fmt: skip
    assert [seen[n]["yard"] for n in range(1, 7)] == [*["persisting"] * 5, "grown"], "one delivery is one sight"
    assert leads(db, 8)["heap"]["id"] == leads(db, 0)["heap"]["id"]


def test_a_redrawn_line_makes_no_case_vanish(db: Database, tmp_path: Path) -> None:
    river(db)
    area(db, "V1", WHOLE)
    deliver(db, day(0), "a", {"house": ("building", (100, 60, 20, 10)), "pond": ("occupation", (500, 0, 30, 30))})
    night(db, tmp_path, 0)
    case = leads(db, 0)["house"]["id"]
    judge(db, case, "judge_problem", "核查属实")
    area(db, "V1", (0, -50, 2000, 100))
    for n in (1, 2):
        deliver(db, day(n), "a", {"house": ("building", (100, 60, 20, 10)), "pond": ("occupation", (500, 0, 30, 30))})
        night(db, tmp_path, n)
        assert statuses(db, n) == {"house": "left_by_redraw", "pond": "persisting"}
    with db.read() as conn:
        state = conn.execute(
            text("SELECT state, figures ->> 'line_code' FROM app.finding_as_of(:d) WHERE id = :i"),
            {"d": day(2), "i": case},
        )
        assert list(state) == [("problem", "V1")], "it keeps its state and its footprint"
    area(db, "V1", WHOLE)
    night(db, tmp_path, 3)
    assert leads(db, 3)["house"]["id"] == case


def test_two_that_become_one_go_on_as_the_elder(db: Database, tmp_path: Path) -> None:
    """[a]  [b]   then   [   c   ]"""
    river(db)
    area(db, "V1", WHOLE)
    deliver(db, day(0), "a", {"a": ("occupation", (100, 0, 40, 40)), "b": ("occupation", (160, 0, 30, 40))})
    night(db, tmp_path, 0)
    ids = {k: r["id"] for k, r in leads(db, 0).items()}
    deliver(db, day(1), "a", {"c": ("occupation", (100, 0, 90, 40))})
    night(db, tmp_path, 1)
    rows = {r["id"]: r["status"] for r in leads(db, 1).values()}
    [gone] = [i for i, s in rows.items() if s == "merged"]
    [heir] = set(rows) - {gone}
    assert {gone, heir} == set(ids.values())
    with db.read() as conn:
        assert conn.execute(text("SELECT merged_into FROM data.finding WHERE id = :i"), {"i": gone}).scalar() == heir
    for change in (f"merged_into = '{gone}'", "district = 'x'", "merged_into = NULL"):
        with pytest.raises(NotPermitted), db.write("test") as conn:
            conn.execute(text(f"UPDATE data.finding SET {change} WHERE id = :i"), {"i": gone})


def test_the_same_night_again_and_an_emptied_cache_change_nothing(db: Database, tmp_path: Path) -> None:
    river(db)
    area(db, "V1", WHOLE)
    deliver(db, day(0), "a", {"house": ("building", (100, 95, 20, 10))})
    night(db, tmp_path, 0)
    with db.write("test") as conn:
        before = [v["content_hash"] for v in replay_store.given(conn)]
        assert ground_store.forget(conn) == 1
    assert not night(db, tmp_path, 0).changed
    night(db, tmp_path, 1)
    with db.read() as conn:
        assert [v["content_hash"] for v in replay_store.given(conn)] == before, "the same verdict is not given twice"
        assert conn.execute(text("SELECT count(*) FROM cache.boundary_piece")).scalar() == 1


def test_verdicts_are_given_anew_when_what_they_rest_on_changes_and_only_then(db: Database, tmp_path: Path) -> None:
    river(db)
    area(db, "V1", WHOLE)
    deliver(db, day(0), "a", {"house": ("building", (100, 60, 20, 10)), "pond": ("occupation", (500, 0, 30, 30))})
    night(db, tmp_path, 0)
    for n in (1, 2):  # once nothing was delivered, once the same again
        assert night(db, tmp_path, n).counts["topics"]["encroachment"]["verdicts"] == 0
        deliver(db, day(2), "a", {"house": ("building", (100, 60, 20, 10)), "pond": ("occupation", (500, 0, 30, 30))})
    before, after = leads(db, 0), leads(db, 2)
    for code in ("house", "pond"):
        assert {k: after[code][k] for k in ("id", "sources", "figures", "area_m2")} == {
            k: before[code][k] for k in ("id", "sources", "figures", "area_m2")
        }
    put(db, "chief", [{"code": "C1", "name": "某河长", "level": "county", "title": "县级河长"}])
    put(
        db,
        "duty",
        [
            {
                "code": "D1",
                "chief_code": "C1",
                "river_code": "R1",
                "level": "county",
                "bank": "both",
                "from_m": 0.0,
                "to_m": 300.0,
            }
        ],
    )
    night(db, tmp_path, 3)
    assert [len(leads(db, 3)[c]["figures"]["chiefs"]) for c in ("house", "pond")] == [1, 0]
    deliver(db, day(4), "a", {})
    night(db, tmp_path, 4)
    assert statuses(db, 4) == {"house": "missed", "pond": "missed"}, "it looked and saw nothing"
