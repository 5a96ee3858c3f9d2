"""Whatever people do to a draft: no edit is lost, no revision changes afterwards, the law of any day stays what it was."""

from __future__ import annotations

import random
from datetime import date, datetime, timedelta
from pathlib import Path

from sqlalchemy import text

from rivergis.db.connect import Database, now_of
from tests.boundary.draft_ground import ground
from tests.boundary.histories import law, play
from tests.encroachment.night_ground import FIRST, deliver, leads, night, statuses

HISTORIES = 5


def test_random_histories(db: Database, tmp_path: Path) -> None:
    ground(db)
    rng = random.Random(2)
    days: dict[date, tuple[dict[str, tuple[bytes, ...]], datetime]] = {}
    done = []
    for n in range(HISTORIES):
        day = date(2026, 7, 1) + timedelta(days=10 * n)
        told = play(db, rng, f"H{n}", day, tmp_path, steps=8)
        assert not told.faults, told.faults
        done.append(told)
        with db.read() as conn:
            days[day] = (law(db, day), now_of(conn))
    assert sum(t.saved for t in done) > 8 and sum(t.conflicts for t in done) and sum(t.merged for t in done)
    assert any(t.announced for t in done)
    for day, (seen, known) in days.items():
        assert law(db, day, known) == seen, f"{day} as known then"


def test_no_case_vanishes_whatever_is_announced(db: Database, tmp_path: Path) -> None:
    """Three houses within the line; announcements that leave some of them outside; every one keeps its case and its state."""
    ground(db)
    houses = {f"h{n}": ("building", (150 + 600 * n, 60 - 130 * (n % 2), 20, 10)) for n in range(3)}
    deliver(db, FIRST, "a", houses)
    night(db, tmp_path, 0)
    cases = {k: r["id"] for k, r in leads(db, 0).items()}
    assert set(cases) == set(houses)
    rng, announced = random.Random(5), 0
    for n in range(4):
        day = date(2026, 5, 2) + timedelta(days=n)
        told = play(db, rng, f"C{n}", max(day, date(2026, 6, 1) + timedelta(days=n)), tmp_path, steps=4)
        assert not told.faults
        announced += told.announced is not None
    assert announced
    after = (date(2026, 6, 10) - FIRST).days
    deliver(db, date(2026, 6, 10), "a", houses)
    night(db, tmp_path, after)
    assert set(statuses(db, after)) == set(houses)
    with db.read() as conn:
        held = {str(i) for i in conn.execute(text("SELECT id FROM app.case_as_of('2026-06-10')")).scalars()}
    assert {str(i) for i in cases.values()} <= held
