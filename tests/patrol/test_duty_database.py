"""Duties in the database: tracks and entries told apart, late tracks, handovers, joint patrols, warnings, open problems."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import Connection, text

from rivergis.db.connect import Database, now_of
from rivergis.errors import NotFound
from rivergis.patrol import duty_workflow, entry_workflow
from rivergis.patrol.entry_workflow import Typed
from rivergis.river import store as river_store
from tests.patrol import entry_county as county
from tests.patrol.entry_county import BOOK, DAY, VIEW

# the county lies under 500199, whose (invented) notice asks village chiefs for one patrol each half month on each river
FIRST, LAST = date(2026, 5, 1), date(2026, 5, 31)


@pytest.fixture
def there(db: Database) -> Iterator[Database]:
    with db.write("local:test") as conn:
        county.build(conn)
    yield db


def read(
    db: Database, as_of: date = LAST, known_at: datetime | None = None, chief: str | None = None, first: date = FIRST
) -> Any:
    with db.read() as conn:
        known = known_at or now_of(conn)
        return duty_workflow.read(conn, BOOK, first=first, last=LAST, as_of=as_of, known_at=known, chief=chief)


def rows(duties: Any, **where: Any) -> list[dict[str, Any]]:
    frame = duties.ledger
    for column, value in where.items():
        frame = frame[frame[column] == value]
    return list(frame.sort_values("begin").to_dict("records"))


def later(db: Database) -> datetime:
    with db.read() as conn:
        moment: datetime = now_of(conn)
    return moment


def enter(db: Database, *typed: Typed) -> None:
    entry_workflow.enter(db, typed, actor="local:clerk", view=VIEW, today=date(2026, 6, 1))


def event(conn: Connection, move: str, track: uuid.UUID | None) -> None:
    conn.execute(
        text(
            "INSERT INTO data.patrol_entry_event (entry_id, move, track_id, reason) SELECT id, :m, :t, 'x' FROM data.patrol_entry"
        ),
        {"m": move, "t": track},
    )


def test_a_track_proves_and_an_entry_says(there: Database) -> None:
    with there.write("local:test") as conn:
        county.track(conn, "C1", ("09:00", "10:00"), ("H1", 100.0, 1800.0), on=date(2026, 5, 6))
    enter(there, Typed("paper", "C1", str(DAY), begin="石桥", end="清溪大桥"))
    half = rows(read(there), chief="王 强")
    assert [(r["state"], r["gps"], r["entry"], r["last_day"]) for r in half] == [
        ("done", 1, 0, date(2026, 5, 6)),
        ("done", 0, 1, DAY),
    ]
    assert half[0]["announced"] and half[0]["ruleset"] == "demo_county/patrol" and half[0]["per"] == "river"


def test_a_late_track_takes_the_place_of_its_entry_and_the_past_can_be_replayed(there: Database) -> None:
    with there.write("local:test") as conn:  # patrols are recorded since before
        county.track(conn, "C2", ("09:00", "10:00"), ("H2", 0.0, 900.0), on=date(2026, 5, 1))
    enter(there, Typed("paper", "C1", str(DAY), begin="石桥", end="清溪大桥"))
    before = later(there)
    with there.write("local:test") as conn:
        late = county.track(conn, "C1", ("09:00", "10:00"), ("H1", 100.0, 1800.0))
        event(conn, "merged", late)
    (_, now), (_, then) = rows(read(there), chief="王 强"), rows(read(there, known_at=before), chief="王 强")
    assert (now["done"], now["gps"], now["entry"]) == (1, 1, 0)
    assert (then["done"], then["gps"], then["entry"]) == (1, 0, 1)
    with there.write("local:test") as conn:
        event(conn, "withdrawn", None)
    assert rows(read(there), chief="王 强")[1]["done"] == 1  # the track stands


def test_a_handover_with_dates_gives_each_their_own_periods(there: Database) -> None:
    with there.write("local:test") as conn:
        county.track(conn, "C2", ("09:00", "10:00"), ("H2", 0.0, 900.0), on=date(2026, 5, 1))
        handed = {"code": ["D5"], "chief_code": ["C3"], "river_code": ["R2"], "from_m": [0.0], "to_m": [1900.0]}
        handed |= {"level": ["village"], "valid_from": [date(2026, 5, 12)], "valid_to": [None]}
        river_store.save(conn, "duty", pd.DataFrame(handed), namespace="local", import_id=None)
    got = read(there)
    on_r2 = {
        (r["chief_id"], r["label"]): (r["state"], r["due"]) for r in rows(got, waters="甲河") if r["chief"] == "张三"
    }
    with there.read() as conn:
        old, new = county.chief(conn, "C4"), county.chief(conn, "C3")
    assert on_r2 == {
        (old, "2026-05 上半月"): ("overdue", 1),
        (new, "2026-05 上半月"): ("not_owed", 0),
        (new, "2026-05 下半月"): ("due", 1),
    }

    # a window that begins after the handover, inside the period, tells the same
    late = rows(read(there, first=date(2026, 5, 13)), waters="甲河", label="2026-05 上半月")
    assert {(r["chief_id"], r["state"]) for r in late if r["chief"] == "张三"} == {(old, "overdue"), (new, "not_owed")}


def test_who_took_part_is_credited_and_an_assistant_is_not(there: Database) -> None:
    with there.write("local:test") as conn:
        track = county.track(conn, "C1", ("09:00", "10:00"), ("H1", 0.0, 1800.0))
        for code, part in (("C2", "joint"), ("C3", "assistant")):
            conn.execute(
                text("INSERT INTO data.patrol_party (track_id, chief_id, part) VALUES (:t, :c, :p)"),
                {"t": track, "c": county.chief(conn, code), "p": part},
            )
    second = {(r["chief"], r["waters"]): r["done"] for r in rows(read(there), label="2026-05 下半月")}
    assert second[("王 强", "清溪")] == second[("李敏", "清溪")] == 1
    assert second[("李敏", "甲河")] == second[("张三", "清溪")] == 0


@pytest.mark.parametrize(
    ("family", "done"),
    [("spoof", 0), ("replay", 0), ("shared", 0), ("clock", 1), ("datum", 1), ("fast", 1), ("twice", 1)],
)
def test_only_a_confirmed_question_whose_track_it_is_keeps_a_track_from_counting(
    there: Database, family: str, done: int
) -> None:
    with there.write("local:test") as conn:
        asked = [{"code": "x", "family": family, "zh": "请说明", "en": "say"}]
        track = county.track(conn, "C1", ("09:00", "10:00"), ("H1", 0.0, 1800.0), asked=asked)
        add = text(
            "INSERT INTO data.review_event (result_id, track_id, code, move) SELECT id, track_id, 'x', :m FROM data.patrol_result"
        )
        conn.execute(add, {"m": "raised"})
    assert track and rows(read(there), chief="王 强", label="2026-05 下半月")[0]["done"] == 1
    with there.write("local:test") as conn:
        conn.execute(add, {"m": "confirmed"})
    (row,) = rows(read(there), chief="王 强", label="2026-05 下半月")
    assert row["done"] == done and row["notes"] == (() if done else (("not_counted_review", 1),))
    with there.write("local:test") as conn:  # an earlier file of the same outing takes the lead: what was decided stays
        head = county.track(conn, "C1", ("08:00", "09:00"), ("H1", 0.0, 1800.0))
        conn.execute(text("UPDATE data.track SET part_of = :h WHERE id = :t"), {"h": head, "t": track})
    assert rows(read(there), chief="王 强", label="2026-05 下半月")[0]["done"] == done


def test_a_warning_on_the_river_multiplies_what_is_due(there: Database) -> None:
    with there.write("local:test") as conn:
        warning = {"code": ["W1"], "river_code": ["R1"], "level": ["orange"], "kind": ["quality"]}
        dates = {"valid_from": [date(2026, 5, 20)], "valid_to": [date(2026, 6, 20)]}
        river_store.save(conn, "water_warning", pd.DataFrame(warning | dates), namespace="local", import_id=None)
    due = {(r["waters"], r["label"]): r["due"] for r in rows(read(there), chief="李敏")}
    assert due == {
        ("清溪", "2026-05 上半月"): 1,
        ("清溪", "2026-05 下半月"): 3,
        ("甲河", "2026-05 上半月"): 1,
        ("甲河", "2026-05 下半月"): 1,
    }


def test_open_problems_near_a_stretch_advise_a_visit_more(there: Database) -> None:
    with there.write("local:test") as conn:
        county.track(conn, "C1", ("09:00", "10:00"), ("H1", 0.0, 1800.0))
        for i, (lon, lat) in enumerate([(106.005, 29.4005), (106.012, 29.399), (106.018, 29.4001), (106.01, 29.41)]):
            finding = {"id": uuid.uuid4(), "g": f"SRID=4490;POINT({lon} {lat})", "n": date(2026, 5, 10 + i)}
            conn.execute(
                text(
                    "INSERT INTO data.finding (id, topic, first_night, place) VALUES (:id, 'encroachment', :n, CAST(:g AS geometry))"
                ),
                finding,
            )
            conn.execute(text("INSERT INTO data.sighting (finding_id, night, status) VALUES (:id, :n, 'new')"), finding)
    got = read(there, as_of=date(2026, 5, 21))
    assert [(p.kind, p.bank, round(p.at_m, -1)) for p in got.problems.sort_values("at_m").itertuples()] == [
        ("lead", "left", 490.0),
        ("lead", "right", 1160.0),
        ("lead", "left", 1750.0),
    ]
    (mine,) = [r for r in got.next_patrols().itertuples() if r.chief == "王 强"]
    assert (mine.missing, mine.done, mine.extra) == (0, 1, 1)
    assert [(x.when, x.n) for x in mine.reasons] == [("lead", 3)]


def test_one_chief_by_name_or_code_and_a_stranger(there: Database) -> None:
    assert (
        {r["chief"] for r in rows(read(there, chief="王 强"))}
        == {r["chief"] for r in rows(read(there, chief="C1"))}
        == {"王 强"}
    )
    assert len({r["chief_id"] for r in rows(read(there, chief="张三"))}) == 2
    with pytest.raises(NotFound, match="赵六"):
        read(there, chief="赵六")


def test_before_any_patrol_is_recorded_nothing_is_overdue(there: Database) -> None:
    got = read(there, as_of=date(2026, 5, 21))
    assert got.recorded_since is None
    assert {r["state"] for r in rows(got)} == {"unrecorded", "due"}
