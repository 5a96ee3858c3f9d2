"""Versions as rows: what was in force on a day, as known at a moment; nothing overwritten."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from rivergis.db import versions
from rivergis.db.connect import Database, now_of
from rivergis.errors import NotPermitted


def rivers(*rows: tuple[str, str], **dates: Any) -> pd.DataFrame:
    return pd.DataFrame(
        [{"code": c, "name": n, "kind": "river", "source_feature": str(i), **dates} for i, (c, n) in enumerate(rows)]
    )


def put(db: Database, frame: pd.DataFrame, noun: str = "river", **kwargs: Any) -> tuple[versions.Saved, dt.datetime]:
    with db.write("planner") as conn:
        return versions.save(conn, noun, frame, namespace="n", import_id=None, **kwargs), now_of(conn)


def names(db: Database, on: str, known: dt.datetime | None = None) -> list[str]:
    with db.read() as conn:
        return list(
            conn.execute(
                text("SELECT name FROM app.river_as_of(:on, coalesce(:k, now())) ORDER BY name"), {"on": on, "k": known}
            ).scalars()
        )


def test_equal_content_makes_no_new_version(db: Database) -> None:
    first, _ = put(db, rivers(("a", "甲"), ("b", "乙")))
    again, _ = put(db, rivers(("a", "甲"), ("b", "乙")))
    assert (first.imported, again.imported, again.unchanged) == (2, 0, 2)
    assert first.versions == again.versions


def test_as_of_takes_both_times(db: Database) -> None:
    _, before = put(db, rivers(("a", "旧名")))
    put(db, rivers(("a", "新名"), valid_from=dt.date(2026, 5, 16)))
    assert names(db, "2026-05-15") == ["旧名"]
    assert names(db, "2026-05-16") == ["新名"]
    assert names(db, "2026-05-16", before) == ["旧名"], "as it was known then"


def test_a_correction_in_the_middle_leaves_both_ends_in_force(db: Database) -> None:
    put(db, rivers(("a", "外")))
    put(db, rivers(("a", "中"), valid_from=dt.date(2026, 3, 1), valid_to=dt.date(2026, 3, 31)))
    assert [names(db, d) for d in ("2026-02-28", "2026-03-01", "2026-03-31", "2026-04-01")] == [
        ["外"],
        ["中"],
        ["中"],
        ["外"],
    ]


def test_identity_is_the_same_everywhere_and_for_each_namespace_its_own() -> None:
    assert versions.identity("river", "n", "a") == versions.identity("river", "n", "a")
    assert len({versions.identity(noun, space, "a") for noun in ("river", "reach") for space in ("n", "m")}) == 4


def test_bad_rows_are_set_aside_and_the_good_go_on(db: Database) -> None:
    put(db, rivers(("r", "河")))
    reach = pd.DataFrame(
        [
            {
                "code": c,
                "river_code": r,
                "kind": "river",
                "length_m": 1.0,
                "source_feature": c,
                "geom": "SRID=4490;LINESTRING(106 29, 106.1 29)",
            }
            for c, r in (("ok", "r"), ("lost", "nowhere"), ("ok", "r"))
        ]
    )
    saved, _ = put(db, reach, "reach", refs={"river_code": "river"})
    assert saved.imported == 1
    assert sorted(a.code for a in saved.set_aside) == ["duplicate_code", "missing_reference"]
    assert "import that first" in next(a.sentence for a in saved.set_aside if a.code == "missing_reference")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE data.river SET name = 'x'",
        "DELETE FROM data.river",
        "UPDATE data.river SET superseded_at = now(), name = 'x'",
    ],
)
def test_a_version_cannot_be_changed_by_sql_either(db: Database, statement: str) -> None:
    put(db, rivers(("a", "甲")))
    with pytest.raises(NotPermitted, match="keeps every version"), db.write("somebody") as conn:
        conn.execute(text(statement))


days = st.dates(dt.date(2020, 1, 1), dt.date(2020, 3, 1))
spans = st.tuples(days, days).map(sorted)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(spans, min_size=1, max_size=5))
def test_the_last_word_on_every_day_holds(module_db: Database, periods: list[list[dt.date]]) -> None:
    """Law: after any history of saves, a day answers with the last save that spoke of it, and with nothing else."""
    code = f"law-{uuid.uuid4()}"
    for i, (first, last) in enumerate(periods):
        put(module_db, rivers((code, f"{i}"), valid_from=first, valid_to=last))
    with module_db.read() as conn:
        for day in pd.date_range("2019-12-30", "2020-03-03", freq="3D").date:
            want = [str(i) for i, (a, b) in enumerate(periods) if a <= day <= b][-1:]
            got = list(
                conn.execute(
                    text("SELECT name FROM app.river_as_of(:d) WHERE code = :c"), {"d": day, "c": code}
                ).scalars()
            )
            assert got == want
