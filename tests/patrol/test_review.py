"""Scorings in the database: parts under their head, duties with dates, superseded and replayed; questions, replies, decisions."""

from __future__ import annotations

import json
import uuid
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import text

from rivergis.db import people, system
from rivergis.db.connect import Database, now_of
from rivergis.errors import NotFound, NotPermitted, UsageError
from rivergis.jobs import nightly
from rivergis.patrol import clean, explain_workflow, receive_workflow, review_workflow, store, workflow
from rivergis.settings import gis_dir
from tests.patrol.ground import BOOK, NOON, VIEW, duty, reaches, receive, river, walk

DAY = NOON.astimezone(nightly.SHANGHAI).date()


@pytest.fixture(scope="module")
def county(module_db: Database) -> Database:
    """Two chiefs, a duty person and another, the account of chief H1."""
    river(module_db)
    with module_db.write("t") as conn:
        for name, role in (
            ("zhang", "chief"),
            ("duty1", "duty_person"),
            ("duty2", "duty_person"),
            ("viewer", "viewer"),
        ):
            people.add_user(conn, name, name)
            people.grant(conn, name, role)
    receive_workflow.bind_account(module_db, "zhang", "H1", "local", actor="t")
    return module_db


def score(db: Database, day: date) -> workflow.DayScored:
    return nightly.score_patrols(db, BOOK, [day], "t")[day]


def current(db: Database, track_id: str) -> dict[str, Any]:
    with db.read() as conn:
        head = store.head_starting(conn, track_id)
        found = store.result(conn, head)
        assert found is not None
        return found | {"legs": store.legs(conn, found["result_id"])}


def first_hash(db: Database, track_id: str) -> str:
    with db.read() as conn:
        found = conn.execute(text("SELECT raw_sha256 FROM data.track WHERE id = :t"), {"t": track_id})
        return str(found.scalar_one())


def explained(db: Database, track_id: str) -> explain_workflow.Explained:
    with db.read() as conn:
        return explain_workflow.explain(conn, store.head_starting(conn, track_id), questions=True)


def results(db: Database, track_id: str) -> int:
    with db.read() as conn:
        return int(
            conn.execute(
                text("SELECT count(*) FROM data.patrol_result WHERE track_id = :t"), {"t": track_id}
            ).scalar_one()
        )


def due(db: Database) -> list[date]:
    return nightly.days_due(db, BOOK, date(2026, 12, 31))


# ---- scorings -------------------------------------------------------------------------------------------------------


def test_parts_are_scored_together_and_an_earlier_part_takes_the_lead(county: Database, tmp_path: Path) -> None:
    """second ....600====900   then   first 0====600: one patrol of 900 m under the first."""
    later = walk(tmp_path / "second.csv", NOON + timedelta(minutes=9), from_m=600, metres=300, seed=2)
    second = receive(county, tmp_path, later, device="p")
    assert due(county) == [DAY] and score(county, DAY).scored == 1
    alone = current(county, second.track_id)
    assert 250 < alone["figures"]["metres"] < 330
    first = receive(county, tmp_path, walk(tmp_path / "first.csv", metres=600), device="p")
    assert (first.head, first.parts, due(county)) == (first.track_id, 2, [DAY])
    assert score(county, DAY).scored == 1
    whole = current(county, second.track_id)
    assert str(whole["track_id"]) == first.track_id and 840 < whole["figures"]["metres"] < 930
    with county.read() as conn:
        gone = conn.execute(
            text("SELECT superseded_at FROM data.patrol_result WHERE id = :r"), {"r": alone["result_id"]}
        ).scalar()
        [shown] = conn.execute(
            text("SELECT track_id, fix_count, ended_at FROM app.patrol WHERE day = :d"), {"d": DAY}
        ).all()
    assert gone is not None, "superseded, and still there"
    assert (str(shown[0]), shown[1]) == (first.track_id, first.fixes + second.fixes)
    assert shown[2] > NOON + timedelta(minutes=12), "the outing ends with its last part"
    assert score(county, DAY) == workflow.DayScored(1, 0, 1, 0) and due(county) == []
    assert explained(county, first.track_id[:12]).same is True
    seen = whole["legs"][whole["legs"]["seen"]]
    assert set(seen["bank"]) == {"left"} and set(seen["mode"]) == {"walk"} and (seen["confidence"] > 0.5).all()
    assert seen["speed_ms"].between(1.0, 1.6).all() and seen["passage"].min() == 1


def test_a_new_chief_inherits_nothing_and_a_changed_duty_is_scored_again(county: Database, tmp_path: Path) -> None:
    before, after = DAY - timedelta(days=60), DAY - timedelta(days=50)
    duty(county, "D2", "H2", 0.0, 500.0, before + timedelta(days=5))
    tracks = {
        day: receive(
            county, tmp_path, walk(tmp_path / f"{day}.csv", NOON - (DAY - day), seed=day.day), chief_code="H2"
        ).track_id
        for day in (before, after)
    }
    for day in tracks:
        score(county, day)
    assert current(county, tracks[before])["figures"]["assigned_metres"] == 0
    first = current(county, tracks[after])
    assert first["figures"]["assigned_metres"] == pytest.approx(500, abs=1)
    duty(county, "D2", "H2", 0.0, 900.0, before + timedelta(days=5))
    assert after in due(county) and before not in due(county)
    assert score(county, after).scored == 1 and results(county, tracks[after]) == 2
    assert explained(county, tracks[after]).same is True
    duty(county, "D2", "H2", 0.0, 500.0, before + timedelta(days=5))
    score(county, after)
    again = current(county, tracks[after])
    assert results(county, tracks[after]) == 3, "back to what it was is a result of its own"
    assert again["figures"]["assigned_metres"] == first["figures"]["assigned_metres"]


def test_a_reach_that_changes_is_measured_again_on_its_new_version(county: Database, tmp_path: Path) -> None:
    day = DAY - timedelta(days=15)
    got = receive(county, tmp_path, walk(tmp_path / "reach.csv", NOON - timedelta(days=15), metres=800, seed=5))
    score(county, day)
    first = current(county, got.track_id)["legs"]
    reaches(county, half_width_m=12.0, since=day)
    assert day in due(county) and score(county, day).scored == 1
    again = current(county, got.track_id)["legs"]
    assert set(again["reach_version"]) != set(first["reach_version"]) and results(county, got.track_id) == 2
    assert explained(county, got.track_id).same is True
    with county.read() as conn:  # days before the change stand as they are
        scored = conn.execute(
            text(
                "SELECT count(*) FROM data.patrol_result r JOIN data.track t ON t.id = r.track_id WHERE t.day < :d AND superseded_at IS NOT NULL"
            ),
            {"d": day},
        ).scalar()
    for d in [d for d in due(county) if d < day]:
        score(county, d)
    with county.read() as conn:
        assert (
            scored
            == conn.execute(
                text(
                    "SELECT count(*) FROM data.patrol_result r JOIN data.track t ON t.id = r.track_id WHERE t.day < :d AND superseded_at IS NOT NULL"
                ),
                {"d": day},
            ).scalar()
        )


def test_joint_patrols_at_the_border_credit_both(county: Database, tmp_path: Path) -> None:
    day = DAY - timedelta(days=30)
    start = NOON - timedelta(days=30)
    a = receive(county, tmp_path, walk(tmp_path / "ja.csv", start, from_m=500, metres=900, seed=3), chief_code="H1")
    b = receive(
        county, tmp_path, walk(tmp_path / "jb.csv", start, from_m=505, metres=900, aside_m=20, seed=4), chief_code="H2"
    )
    score(county, day)
    for mine, other, name in ((a, b, "李四"), (b, a, "张三")):
        [met] = current(county, mine.track_id)["figures"]["joint"]
        assert (met["track_id"], met["chief"], met["at_border"]) == (other.track_id, name, True) and met["minutes"] > 9
    assert score(county, day).scored == 0 and explained(county, a.track_id).same is True


def test_areas_visited_are_measured(county: Database, tmp_path: Path) -> None:
    import geopandas as gpd
    import pandas as pd
    import shapely

    box = shapely.MultiPolygon([shapely.box(106.001, 29.399, 106.003, 29.4012)])
    frame = gpd.GeoDataFrame({"code": ["P1"], "name": ["工业园"]}, geometry=[box], crs=4490).rename_geometry("geom")
    with county.write("t") as conn:
        store.save(conn, "patrol_area", frame, namespace="local", import_id=None)
        duties = pd.DataFrame({"code": ["PD1"], "chief_code": ["H1"], "area_code": ["P1"]})
        store.save(conn, "area_duty", duties, namespace="local", import_id=None)
    got = receive(county, tmp_path, walk(tmp_path / "area.csv", NOON - timedelta(days=20)))
    score(county, DAY - timedelta(days=20))
    [visit] = current(county, got.track_id)["figures"]["areas"]
    assert visit["name"] == "工业园" and visit["assigned"] and visit["metres"] == pytest.approx(194, abs=15)
    assert visit["minutes"] == pytest.approx(194 / 1.3 / 60, abs=0.4) and 0.5 < visit["share"] <= 1
    with county.read() as conn:
        assert conn.execute(text("SELECT count(*) FROM data.area_visit")).scalar() == 1


def test_purging_keeps_legs_observations_and_hash(county: Database, tmp_path: Path) -> None:
    day = DAY - timedelta(days=400)
    got = receive(county, tmp_path / "s", walk(tmp_path / "old.csv", NOON - timedelta(days=400)), device="o")
    part = receive(
        county,
        tmp_path / "s",
        walk(tmp_path / "old2.csv", NOON - timedelta(days=400) + timedelta(minutes=12), seed=9),
        device="o",
    )
    score(county, day)
    before = current(county, got.track_id)
    legs = len(before["legs"])
    assert legs and part.head == got.track_id
    assert '"lon"' not in json.dumps(before["figures"]), (
        "positions leave with the fixes; stops stay as places on a reach"
    )
    assert (
        workflow.purge_expired(
            county, today=day + timedelta(days=31), retention_days=30, store_dir=tmp_path / "s", actor="t"
        )
        == 2
    )
    held = current(county, got.track_id)
    assert len(held["legs"]) == legs and list((tmp_path / "s" / "tracks").iterdir()) == []
    left = tmp_path / "s" / "tracks" / f"{first_hash(county, got.track_id)}.csv"
    left.write_text("left behind by a purge that was cut off")
    assert workflow.purge_expired(county, today=day, retention_days=30, store_dir=tmp_path / "s", actor="t") == 0
    assert not left.exists()
    with county.read() as conn:
        row = conn.execute(
            text(
                "SELECT box, raw_sha256, (SELECT count(*) FROM data.fix WHERE track_id = t.id) FROM data.track t WHERE id = :t"
            ),
            {"t": got.track_id},
        ).one()
    assert row[0] is None and len(row[1]) == 64 and row[2] == 0
    told = explained(county, got.track_id)
    assert told.same is None and "retention" in str(told.why)
    assert not receive(county, tmp_path / "s", tmp_path / "old.csv").new and day not in due(county)


def test_tracks_of_before_boxes_get_one_from_their_fixes(county: Database, tmp_path: Path) -> None:
    got = receive(county, tmp_path, walk(tmp_path / "boxless.csv", NOON - timedelta(days=300), metres=300, seed=31))
    sql = (gis_dir() / "db" / "migrations" / "0011_track_boxes.sql").read_text(encoding="utf-8")
    query = text("SELECT ST_AsText(box) FROM data.track WHERE id = :t")
    with county.write("t") as conn:
        before = conn.execute(query, {"t": got.track_id}).scalar()
        conn.execute(text("UPDATE data.track SET box = NULL WHERE id = :t"), {"t": got.track_id})
        conn.exec_driver_sql(sql)
        assert before is not None and conn.execute(query, {"t": got.track_id}).scalar() == before
    assert score(county, DAY - timedelta(days=300)).scored == 1


# ---- questions ------------------------------------------------------------------------------------------------------


@pytest.fixture
def asked(county: Database, tmp_path: Path) -> tuple[int, str, Path]:
    """A track in GCJ-02 that nobody declared is a question: its number, track and file."""
    n = uuid.uuid4().int % 300
    path = walk(tmp_path / f"q{n}.csv", NOON + timedelta(days=40 + n), metres=900, datum="gcj02", seed=n)
    got = receive(county, tmp_path, path)
    score(county, DAY + timedelta(days=40 + n))
    q = state(county, got.track_id)
    assert q.state == "raised"
    return q.number, got.track_id, path


def state(db: Database, track_id: str) -> review_workflow.Asked:
    with db.read() as conn:
        [q] = [q for q in review_workflow.of_track(conn, uuid.UUID(track_id)) if "坐标系" in q.zh]
    return q


def test_asked_replied_decided_by_another(county: Database, asked: tuple[int, str, Path]) -> None:
    number, track_id, _ = asked
    with pytest.raises(NotPermitted, match="may not reply"):
        review_workflow.reply(county, number, "不是我", actor="viewer")
    with pytest.raises(UsageError, match="may reply until"):
        review_workflow.decide(county, number, "confirmed", "属实", actor="duty1", view=VIEW)
    review_workflow.reply(county, number, "手机设置如此", actor="zhang")
    review_workflow.reply(county, number, "代为说明", actor="duty1")
    for who, move, problem in (
        ("duty1", "confirmed", "replied to"),
        ("zhang", "dismissed", "zhang"),
        ("viewer", "dismissed", "viewer"),
    ):
        with pytest.raises(NotPermitted, match=problem):
            review_workflow.decide(county, number, move, "x", actor=who, view=VIEW)
    with pytest.raises(UsageError, match="words"):
        review_workflow.decide(county, number, "dismissed", " ", actor="duty2", view=VIEW)
    review_workflow.decide(county, number, "dismissed", "说明合理", actor="duty2", view=VIEW)
    q = state(county, track_id)
    assert (q.state, q.decided_by, q.reason) == ("dismissed", "duty2", "说明合理")
    assert [(r["actor"], r["text"]) for r in q.replies] == [("zhang", "手机设置如此"), ("duty1", "代为说明")]
    for late in (lambda: review_workflow.reply(county, number, "再说", actor="zhang"),
                 lambda: review_workflow.decide(county, number, "confirmed", "x", actor="duty2", view=VIEW)):  # fmt: skip
        with pytest.raises(UsageError, match="already"):
            late()
    with pytest.raises(Exception, match="append only"), county.write("t") as conn:
        conn.execute(text("UPDATE data.review_event SET text = 'x'"))
    with pytest.raises(NotFound):
        review_workflow.reply(county, 10**9, "x", actor="zhang")


def test_a_question_that_vanishes_is_told_as_gone_not_deleted(county: Database, asked: tuple[int, str, Path]) -> None:
    number, track_id, path = asked
    assert not receive(county, path.parent, path, datum="gcj02").new
    day = current(county, track_id)["day"]
    assert score(county, day).scored == 1
    with county.read() as conn:  # the fixes stay as they were read, whatever is said of them later
        assert (
            conn.execute(text("SELECT datum_used FROM data.track WHERE id = :t"), {"t": track_id}).scalar() == "wgs84"
        )
    q = state(county, track_id)
    assert (q.number, q.state, q.gone) == (number, "raised", True) and "坐标系" in q.zh
    figures = current(county, track_id)["figures"]
    assert figures["datum"] == "gcj02" and 840 < figures["metres"] < 930
    with county.read() as conn:
        points = workflow.shown(conn, uuid.UUID(track_id), figures, clean.limits_of(VIEW.number))
    assert abs(float(np.median(points.lat)) - (29.4 + 15 / 111_000)) < 5e-5, "shown on the bank, moved once"
    with county.read() as conn:
        mine = review_workflow.questions(conn, chief_id=receive_workflow.identity("chief", "local", "H1"))
        theirs = review_workflow.questions(conn, chief_id=receive_workflow.identity("chief", "local", "H2"))
    assert number in {m.number for m in mine} and number not in {t.number for t in theirs}


def test_a_copy_of_an_earlier_track_is_a_question_that_names_it(county: Database, tmp_path: Path) -> None:
    start = NOON + timedelta(days=25)
    first = walk(tmp_path / "honest.csv", start, metres=900, seed=7)
    moved = first.read_text().replace(start.date().isoformat(), (start + timedelta(days=2)).date().isoformat())
    copy = tmp_path / "copy.csv"
    copy.write_text(moved)
    receive(county, tmp_path, first)
    got = receive(county, tmp_path, copy)
    score(county, DAY + timedelta(days=25))
    score(county, DAY + timedelta(days=27))
    told = [s for s in current(county, got.track_id)["review"] if s["family"] == "replay"]
    assert len(told) == 1 and "honest.csv" in told[0]["zh"]
    assert explained(county, got.track_id).same is True
    theirs = tmp_path / "李四家.csv"
    theirs.write_text(
        first.read_text().replace(start.date().isoformat(), (start + timedelta(days=3)).date().isoformat())
    )
    other = receive(county, tmp_path, theirs, chief_code="H2")
    score(county, DAY + timedelta(days=28))
    told = [s for s in current(county, other.track_id)["review"] if s["family"] == "replay"]
    assert len(told) == 1 and ".csv" not in told[0]["zh"] + told[0]["en"], "files of other people may bear their names"


def test_the_night_scores_late_tracks_of_earlier_days(county: Database, tmp_path: Path) -> None:
    with county.write("t") as conn:
        known = now_of(conn)
        assert system.last_begun(conn, "nightly") is None or known
    late = DAY - timedelta(days=7)
    receive(county, tmp_path, walk(tmp_path / "late.csv", NOON - timedelta(days=7), seed=12))
    done = nightly.run(county, BOOK, DAY + timedelta(days=6), "t", store_dir=tmp_path, report_dir=None)
    assert done.counts["tracks"] == 0 and done.counts["late_tracks_scored"] >= 1
    assert late not in due(county)
