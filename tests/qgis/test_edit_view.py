"""Drafts edited through app.boundary_draft_line in plain SQL: every edit is a save, the lifecycle holds, an old picture is refused."""

from __future__ import annotations

import itertools
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, NullPool, create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from rivergis.boundary.law import draft_workflow
from rivergis.boundary.law.edit import Edit
from rivergis.db import people
from rivergis.db.connect import Database
from rivergis.settings import gis_dir
from tests.boundary.draft_ground import ground, line, of, opened, step
from tests.encroachment.night_ground import ZONE, Y

BUMP = ((0.0, 100.0), (1000.0, 140.0), (2000.0, 100.0))
Say = Callable[..., list[dict[str, Any]]]


@dataclass(frozen=True)
class Drafted:
    """A draft of two lines of 2 km, taken over from the line in force; in SQL, LINES are its lines."""

    db: Database
    code: str

    @contextmanager
    def desk(self, who: str = "zhang", login: str | None = None) -> Iterator[Say]:
        """A connection as a desktop program opens it: one transaction, the actor in its options."""
        url = make_url(self.db.engine.url)
        options = {"options": f"-c rivergis.actor={who}"} if who else {}
        engine = create_engine(url.set(username=login) if login else url, connect_args=options, poolclass=NullPool)
        with engine.begin() as conn:
            yield partial(self._said, conn)

    def _said(self, conn: Connection, sql: str, **values: Any) -> list[dict[str, Any]]:
        view = "app.boundary_draft_line"
        own = sql.replace("LINES WHERE", f"{view} WHERE draft_code = :code AND").replace("LINES", view)
        done = conn.execute(text(own), {"code": self.code, **values})
        return [dict(r._mapping) for r in done] if done.returns_rows else []

    def say(self, sql: str, who: str = "zhang", login: str | None = None, **values: Any) -> list[dict[str, Any]]:
        with self.desk(who, login) as do:
            return do(sql, **values)

    def refused(self, sql: str, who: str = "zhang", login: str | None = None, **values: Any) -> str:
        """First line of what the database says."""
        with pytest.raises(DBAPIError) as error:
            self.say(sql, who, login, **values)
        return str(error.value.orig).splitlines()[0]

    def rows(self, sql: str = "SELECT * FROM LINES WHERE true ORDER BY bank, from_m") -> list[dict[str, Any]]:
        with self.db.read() as conn:
            return self._said(conn, sql)

    def of(self, bank: str) -> dict[str, Any]:
        return next(r for r in self.rows() if r["bank"] == bank)

    def river(self) -> Any:
        return self.rows("SELECT id FROM app.river")[0]["id"]

    def changes(self) -> list[tuple[Any, ...]]:
        """Saves: revision, revision before, tool, who, why."""
        found = self.rows(
            """SELECT c.revision, c.base_revision, c.tool, c.actor, c.reason FROM data.boundary_draft_change c
            JOIN data.boundary_draft d ON d.id = c.draft_id WHERE d.code = :code ORDER BY 1"""
        )
        return [tuple(r.values()) for r in found]


REDRAW = "UPDATE LINES SET geom = ST_GeomFromText(:wkt, 4490) WHERE segment_id = :id AND edition = :edition"
TAKE_OUT = "DELETE FROM LINES WHERE segment_id = :id AND edition = :edition"
DRAW = "INSERT INTO LINES (draft_code, river_id, geom) VALUES (:code, :river, ST_GeomFromText(:wkt, 4490)) RETURNING segment_id, edition"
NUMBER = itertools.count(1)


@pytest.fixture(scope="module")
def law(module_db: Database) -> Database:
    ground(module_db)
    return module_db


@pytest.fixture
def drafted(law: Database) -> Drafted:
    code = f"D{next(NUMBER)}"
    opened(law, code)
    return Drafted(law, code)


def test_what_was_redrawn_is_a_draft_by_hand_and_one_save(drafted: Drafted) -> None:
    was = drafted.of("left")
    assert (was["basis"], was["drawn_by"], was["hand_edited"], was["state"]) == (
        "announced",
        "announced",
        False,
        "draft",
    )
    drafted.say(REDRAW, wkt=line(*BUMP).wkt, id=was["segment_id"], edition=was["edition"])
    now = drafted.of("left")
    assert (now["basis"], now["drawn_by"], now["hand_edited"], now["edition"]) == ("draft", "hand", True, 2)
    assert (now["changed_by"], now["draft_revision"]) == ("zhang", 2)
    assert drafted.changes()[-1] == (2, 1, "qgis", "zhang", "")
    # the door of all others sees the same, and what it was before
    assert of(drafted.db, "left", drafted.code).geometry.iloc[0].equals_exact(line(*BUMP), 1e-9)
    assert not of(drafted.db, "left", drafted.code, revision=1).geometry.iloc[0].equals_exact(line(*BUMP), 1e-9)


def test_one_transaction_is_one_save_with_its_reason(drafted: Drafted) -> None:
    with drafted.desk() as do:
        do("UPDATE LINES SET note = '改', change_reason = '堤防加固' WHERE draft_code = :code AND bank = 'left'")
        do("DELETE FROM LINES WHERE bank = 'right'")
    assert drafted.changes()[1:] == [(2, 1, "qgis", "zhang", "堤防加固")]
    assert [r["note"] for r in drafted.rows()] == ["改"]
    with drafted.desk() as do:  # the same stretch twice: each edition is kept
        for note in ("甲", "乙"):
            do("UPDATE LINES SET note = :note WHERE draft_code = :code", note=note)
    assert [c[0] for c in drafted.changes()] == [1, 2, 3, 4]


def test_what_was_taken_out_is_marked_and_kept(drafted: Drafted) -> None:
    drafted.say("DELETE FROM LINES WHERE bank = 'right'")
    assert [r["bank"] for r in drafted.rows()] == ["left"]
    kept = drafted.rows(
        """SELECT s.removed FROM data.boundary_draft_segment s JOIN data.boundary_draft d ON d.id = s.draft_id
        WHERE d.code = :code AND s.bank = 'right' ORDER BY s.revision"""
    )
    assert [r["removed"] for r in kept] == [False, True]


def test_a_moved_end_is_measured_and_a_typed_number_counts(drafted: Drafted) -> None:
    drafted.say("UPDATE LINES SET from_m = 7, to_m = 1993 WHERE draft_code = :code AND bank = 'left'")
    was = drafted.of("left")
    shorter = line((0.0, 100.0), (1500.0, 120.0)).wkt
    drafted.say(REDRAW, wkt=shorter, id=was["segment_id"], edition=2)
    now = drafted.of("left")
    assert now["from_m"] == 7 and now["to_m"] == pytest.approx(1500, abs=0.05)  # the end that stayed keeps its number
    typed = REDRAW.replace("SET", "SET from_m = 100, to_m = 1400,")
    drafted.say(typed, wkt=line((50.0, 100.0), (1450.0, 120.0)).wkt, id=was["segment_id"], edition=3)
    assert (drafted.of("left")["from_m"], drafted.of("left")["to_m"]) == (100, 1400)


def test_an_edit_on_an_old_picture_is_refused_and_nothing_of_it_is_kept(drafted: Drafted) -> None:
    was, right = drafted.of("left"), drafted.of("right")
    old = {"id": was["segment_id"], "edition": was["edition"]}
    drafted.say(REDRAW, wkt=line(*BUMP).wkt, **old)
    assert "重新载入" in drafted.refused(REDRAW, "li", wkt=line(*BUMP[:2]).wkt, **old)
    assert "重新载入" in drafted.refused(TAKE_OUT, "li", **old)
    # of several that a client names in one statement, one is old
    named = " OR ".join(f"""\"segment_id\"::text='{r["segment_id"]}' AND \"edition\"=1""" for r in (was, right))
    both = "DELETE FROM LINES WHERE (" + named.replace('\\"', '"').replace("::", r"\:\:") + ")"
    assert "reload the layer" in drafted.refused(both, "li")
    assert len(drafted.rows()) == 2 and drafted.of("left")["changed_by"] == "zhang"
    drafted.say(REDRAW, "li", wkt=line(*BUMP[:2]).wkt, id=was["segment_id"], edition=2)
    assert drafted.of("left")["changed_by"] == "li"


def test_who_waits_for_a_save_of_the_same_stretch_is_refused(drafted: Drafted) -> None:
    """The second statement has begun on what the first is about to change; it goes on when that one is committed."""
    old = {"id": drafted.of("left")["segment_id"], "edition": 1}
    told: list[str] = []
    second = threading.Thread(target=lambda: told.append(drafted.refused(REDRAW, "li", wkt=line(*BUMP[:2]).wkt, **old)))
    with drafted.desk() as first:
        first(REDRAW, wkt=line(*BUMP).wkt, **old)
        second.start()
        while not first("SELECT 1 FROM pg_locks WHERE NOT granted"):
            assert second.is_alive(), told
    second.join(20)
    assert "重新载入" in told[0]
    assert [c[3] for c in drafted.changes()] == ["zhang", "zhang"]


def test_only_what_is_being_drafted_by_who_may(drafted: Drafted) -> None:
    note = "UPDATE LINES SET note = 'x' WHERE draft_code = :code AND bank = 'left'"
    assert "draft_boundary" in drafted.refused(note, "wang")
    assert "rivergis.actor" in drafted.refused(note, "")
    step(drafted.db, "submit", "zhang", drafted.code)
    for sql in (note, "DELETE FROM LINES WHERE bank = 'left'"):
        assert "草案已不在起草状态" in drafted.refused(sql)
    assert "草案已不在起草状态" in drafted.refused(DRAW, river=drafted.river(), wkt=line(*BUMP).wkt)
    step(drafted.db, "send_back", "wang", drafted.code)
    drafted.say(note)


def test_an_announced_line_is_looked_at_only(drafted: Drafted) -> None:
    assert [r["standing"] for r in drafted.rows("SELECT standing FROM app.boundary_line_in_force")] == ["in_force"] * 2
    for sql in (
        "UPDATE app.boundary_line_in_force SET bank = 'left'",
        "DELETE FROM app.boundary_line_in_force",
        "INSERT INTO app.boundary_line_in_force (bank) VALUES ('left')",
    ):
        assert "已公告的界线不可改动" in drafted.refused(sql)


@pytest.mark.parametrize(
    ("points", "bank", "stretch"),
    [
        (((500, 60), (900, 60)), "left", (500, 900)),
        (((900, -60), (500, -80)), "right", (500, 900)),  # drawn upstream
        (((-50, 30), (400, 30)), "left", (0, 400)),  # over the end of the river
    ],
)
def test_a_new_line_is_measured_where_it_says_nothing(
    drafted: Drafted, points: Any, bank: str, stretch: tuple[float, float]
) -> None:
    made = drafted.say(DRAW, river=drafted.river(), wkt=line(*points).wkt)[0]
    new = next(r for r in drafted.rows() if r["segment_id"] == made["segment_id"])
    assert (new["bank"], new["reach_code"], new["drawn_by"], new["basis"]) == (bank, "R1-1", "hand", "draft")
    assert (new["hand_edited"], new["edition"]) == (True, made["edition"])
    assert (new["from_m"], new["to_m"]) == pytest.approx(stretch, abs=0.05)


def test_a_split_keeps_what_the_line_rests_on_and_measures_both_parts(drafted: Drafted) -> None:
    """QGIS shortens the one and adds the other with all its attributes copied."""
    drafted.say(
        "UPDATE LINES SET drawn_by = 'flood_level', flood_level_m = 401.5 WHERE draft_code = :code AND bank = 'left'"
    )
    was = drafted.of("left")
    upper, lower = ((0.0, 100.0), (800.0, 100.0)), ((800.0, 100.0), (2000.0, 100.0))
    with drafted.desk() as do:
        do(REDRAW, wkt=line(*upper).wkt, id=was["segment_id"], edition=was["edition"])
        do(
            """INSERT INTO LINES (segment_id, edition, draft_code, river_id, bank, from_m, to_m, drawn_by, flood_level_m, geom)
            SELECT segment_id, edition, draft_code, river_id, bank, 0, 2000, drawn_by, flood_level_m, ST_GeomFromText(:wkt, 4490)
            FROM LINES WHERE segment_id = :id""",
            wkt=line(*lower).wkt,
            id=was["segment_id"],
        )
    parts = [r for r in drafted.rows() if r["bank"] == "left"]
    assert [(round(p["from_m"]), round(p["to_m"])) for p in parts] == [(0, 800), (800, 2000)]
    assert {(p["drawn_by"], p["flood_level_m"], p["hand_edited"]) for p in parts} == {("flood_level", 401.5, True)}
    assert len({p["segment_id"] for p in parts}) == 2 and {p["revision"] for p in parts} == {3}


def test_what_a_file_said_stays_as_it_was_delivered(drafted: Drafted) -> None:
    """A level that is no number, a rule with a hole: shown where they can be, never lost by an edit of something else."""
    told = {
        "flood_level_m": "401.5米",
        "tolerance_m": 0.5,
        "rule": {"key": "levee.berm_m", "value": None},
        "county": "试验县",
    }
    edit = Edit("put", drafted.of("left")["segment_id"], {"attributes": told})
    draft_workflow.save(drafted.db, drafted.code, 1, [edit], "zhang")
    seen = drafted.of("left")
    assert (seen["flood_level_m"], seen["tolerance_m"], seen["basis_text"]) == (None, 0.5, "levee.berm_m")
    drafted.say("UPDATE LINES SET note = '改' WHERE draft_code = :code AND bank = 'left'")
    assert of(drafted.db, "left", drafted.code)["attributes"].iloc[0] == told | {"note": "改"}
    drafted.say("UPDATE LINES SET note = NULL, tolerance_m = 1 WHERE draft_code = :code AND bank = 'left'")
    assert of(drafted.db, "left", drafted.code)["attributes"].iloc[0] == told | {"tolerance_m": 1}


def test_what_cannot_be_a_stretch_is_refused_in_a_sentence(drafted: Drafted) -> None:
    shape = {"wkt": line(*BUMP).wkt}
    assert "须选定草案" in drafted.refused(DRAW, river=None, **shape)
    assert "须选定草案" in drafted.refused(DRAW.replace(":code", "'none'"), river=drafted.river(), **shape)
    for wrong, sentence in {
        "bank = 'port'": "岸别",
        "from_m = 900, to_m = 100": "桩号",
        "drawn_by = 'guess'": "划定方法",
        "draft_code = 'another'": "另一草案",
        "geom = ST_MakeLine(ST_StartPoint(geom), ST_StartPoint(geom))": "两个不同的点",
    }.items():
        told = drafted.refused(f"UPDATE LINES SET {wrong} WHERE draft_code = :code AND bank = 'left'")
        assert sentence in told, wrong
    assert len(drafted.changes()) == 1


def test_every_way_of_drawing_that_commands_know_is_known_here(drafted: Drafted) -> None:
    with drafted.desk() as do:
        for way in draft_workflow.DRAWN_BY:
            do("UPDATE LINES SET drawn_by = :way WHERE draft_code = :code AND bank = 'left'", way=way)
            assert do("SELECT drawn_by FROM LINES WHERE bank = 'left'") == [{"drawn_by": way}]


def test_a_login_of_its_own_edits_in_its_own_name_and_sees_no_people(drafted: Drafted) -> None:
    """On a shared server every planner has a login; nothing but the views of the project is open to it."""
    login = f"planner-{uuid.uuid4().hex[:8]}"
    note = "UPDATE LINES SET note = 'x' WHERE draft_code = :code AND bank = 'left'"
    drafted.say(f'CREATE ROLE "{login}" LOGIN')
    try:
        drafted.say("SELECT app.let_planners_in(:group)", group=login)
        assert "is no user here" in drafted.refused(note, "zhang", login)
        with drafted.db.write("test") as conn:
            people.add_user(conn, login, "甲")
            people.grant(conn, login, "planner")
        assert "does not edit in the name of zhang" in drafted.refused(note, "zhang", login)
        drafted.say(note, "", login)
        assert drafted.changes()[-1][3] == login
        for closed in (
            "SELECT * FROM data.track",
            'SELECT * FROM sys."user"',
            "DELETE FROM data.boundary_draft_change",
        ):
            assert "permission denied" in drafted.refused(closed, "", login)
        for layer in project_tables():
            drafted.say(f"SELECT * FROM app.{layer} LIMIT 1", "", login)
    finally:
        drafted.say(f'DROP OWNED BY "{login}"; DROP ROLE "{login}"')


def project_tables() -> list[str]:
    groups = yaml.safe_load((gis_dir() / "qgis" / "layers.yaml").read_text(encoding="utf-8"))["groups"]
    return [layer["table"] for group in groups.values() for layer in group if "table" in layer]


EDITS = st.lists(
    st.tuples(
        st.sampled_from(["note", "shape", "stale", "remove"]), st.sampled_from(["left", "right"]), st.integers(-40, 40)
    ),
    max_size=8,
)


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(EDITS)
def test_no_edit_is_lost_and_no_old_picture_wins(law: Database, edits: list[tuple[str, str, int]]) -> None:
    """Whatever desks do in turn: what the last accepted edit said stands, and every accepted edit is a revision."""
    draft = Drafted(law, f"H{uuid.uuid4().hex[:8]}")
    opened(law, draft.code)
    seen = {r["bank"]: {"id": r["segment_id"], "edition": 1, "note": None, "y": 100.0} for r in draft.rows()}
    accepted = 1
    for kind, bank, shift in edits:
        if bank not in seen:
            continue
        row = seen[bank]
        key = {"id": row["id"], "edition": row["edition"]}
        at = "WHERE segment_id = :id AND edition = :edition"
        if kind == "stale":
            key["edition"] -= 1
            assert "重新载入" in draft.refused(f"UPDATE LINES SET note = '旧' {at}", "li", **key)
            continue
        accepted += 1
        if kind == "remove":
            draft.say(TAKE_OUT, **key)
            del seen[bank]
        elif kind == "note":
            draft.say(f"UPDATE LINES SET note = :note {at}", note=str(shift), **key)
            row |= {"note": str(shift), "edition": row["edition"] + 1}
        else:
            draft.say(REDRAW, wkt=line((0.0, 100.0), (1000.0, 150.0 + shift), (2000.0, 100.0)).wkt, **key)
            row |= {"y": 150.0 + shift, "edition": row["edition"] + 1}
    now = {r["bank"]: r for r in draft.rows()}
    assert {b: (r["note"], r["edition"]) for b, r in now.items()} == {
        b: (r["note"], r["edition"]) for b, r in seen.items()
    }
    assert len(draft.changes()) == accepted
    for bank in seen:
        shape = of(law, bank, draft.code).to_crs(ZONE).geometry.iloc[0]
        highest = max(abs(y - Y) for _, y in shape.coords)
        assert highest == pytest.approx(abs(seen[bank]["y"]), abs=0.01)
