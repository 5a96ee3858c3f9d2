"""What an auditor, a hostile hand and a bad night may do to leads and verdicts in the database. See ``night_ground`` for the river."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text

from rivergis.db.connect import Database
from rivergis.errors import UsageError
from rivergis.jobs import replay
from tests.encroachment.night_ground import area, day, deliver, leads, night, permit, river, statuses, untold

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
