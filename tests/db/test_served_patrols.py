"""What nights, patrols, drafts and reports made is served in the transaction that made it, and comes back with a backup."""

from __future__ import annotations

import uuid
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from rivergis.db import backup, people
from rivergis.db import served as cache
from rivergis.db.connect import Database
from tests.db import served_ground as ground
from tests.db.served_ground import DAY, tile, tile_at

NEAR = "SRID=4490;POINT({} {})"
WHERE = "SRID=4490;POLYGON((106.005 29.005,106.012 29.005,106.012 29.012,106.005 29.012,106.005 29.005))"


def run(conn: Connection, sql: str, **values: object) -> None:
    conn.execute(text(sql), values)


def patrol(conn: Connection, day: date) -> uuid.UUID:
    """A track with four fixes along the river, one of them not used, and what it proves of the reach."""
    track, result = uuid.uuid4(), uuid.uuid4()
    run(conn, """INSERT INTO data.track (id, raw_sha256, raw_path, file_name, format, datum_used, day, fix_count, mode)
      VALUES (:t, :sha, 'x', 'x', 'gpx', 'cgcs2000', :d, 4, 'app')""", t=track, sha=track.hex, d=day)  # fmt: skip
    for seq, mark in enumerate((None, None, "jump", None)):
        run(conn, "INSERT INTO data.fix (track_id, seq, mark, geom) VALUES (:t, :s, :m, :g)", t=track, s=seq, m=mark,
            g=NEAR.format(106.005 + 0.002 * seq, 29.005))  # fmt: skip
    run(conn, "INSERT INTO list.rule_set (version, content) VALUES ('r', '{}') ON CONFLICT DO NOTHING")
    run(conn, """INSERT INTO data.patrol_result (id, track_id, engine, input_hash, rule_set, figures, standard)
      VALUES (:r, :t, 'x', 'x', 'r', '{}', '{}')""", r=result, t=track)  # fmt: skip
    for seq, (seen, reason, a, b) in enumerate(((True, None, 0, 400), (False, "gap", 400, 1000))):
        run(conn, """INSERT INTO data.leg (result_id, seq, reach_id, reach_version, bank, from_m, to_m, seen, reason)
          SELECT :r, :s, id, version, 'left', :a, :b, :seen, :why FROM data.reach WHERE superseded_at IS NULL""",
            r=result, s=seq, a=a, b=b, seen=seen, why=reason)  # fmt: skip
    return track


def sighting(conn: Connection, lead: uuid.UUID, night: date, status: str, shape: str | None) -> None:
    run(
        conn,
        "INSERT INTO data.sighting (finding_id, night, status, geom) VALUES (:f, :n, :s, :g)",
        f=lead,
        n=night,
        s=status,
        g=shape,
    )


@pytest.fixture(scope="module")
def county(module_db: Database) -> Database:
    import shapely

    ground.units(module_db)
    river = ground.river(module_db)
    row = {"code": "H1", "river_id": river, "kind": "river", "length_m": 1000.0}
    ground.save(module_db, "reach", [row], [shapely.LineString([(0.2, 0.2), (0.7, 0.2)])])
    return module_db


@pytest.fixture(scope="module")
def worked(county: Database) -> tuple[Database, uuid.UUID, uuid.UUID]:
    lead = uuid.uuid4()
    with county.write("test") as conn:
        track = patrol(conn, DAY)
        patrol(conn, DAY - timedelta(20))
        run(conn, "INSERT INTO data.finding (id, topic, first_night, district, place) VALUES (:f, 'encroachment', :n, '500101', :p)",
            f=lead, n=DAY, p=NEAR.format(106.019, 29.01))  # fmt: skip
        sighting(conn, lead, DAY, "new", WHERE)
        sighting(conn, lead, DAY + timedelta(1), "persisting", WHERE)
        sighting(conn, lead, DAY + timedelta(2), "gone", None)
        run(conn, "INSERT INTO data.report (id, kind, at, accuracy_m, geom) VALUES (:i, 'dump', :t, 5, :g)",
            i=uuid.uuid4(), t=f"{DAY} 03:00+00", g=NEAR.format(106.01, 29.01))  # fmt: skip
    return county, track, lead


def close(db: Database, name: str, day: date = DAY, area: str = "") -> list[ground.mvt.Feature]:
    return tile(db, name, *tile_at(14 if name == "patrol_fix" else 12, 106.008, 29.006), day=day, area=area)


def test_patrols_are_drawn_from_their_day_on(worked: tuple[Database, uuid.UUID, uuid.UUID]) -> None:
    db, track, _ = worked
    for name, alone, together in (
        ("patrol_track", 1, 2),
        ("patrol_fix", 4, 8),
        ("patrol_leg", 2, 4),
        ("coverage", 1, 2),
    ):
        assert len(close(db, name, DAY - timedelta(1))) == alone, name
        assert len(close(db, name)) == together, name
    assert {f.attributes.get("mark") for f in close(db, "patrol_fix")} == {None, "jump"}
    assert {f.attributes["cls"] for f in close(db, "patrol_leg")} == {"left", "gap"}
    # the latest on top, in the classes of the palette
    assert [f.attributes["cls"] for f in close(db, "coverage", DAY + timedelta(5))] == ["16-31", "0-7"]
    assert not any(str(track) in str(f.attributes) for f in close(db, "coverage"))


def test_a_lead_is_what_the_nights_up_to_the_day_left(worked: tuple[Database, uuid.UUID, uuid.UUID]) -> None:
    db, _, lead = worked
    marks = [[f.attributes["mark"] for f in close(db, "finding", DAY + timedelta(n))] for n in range(-1, 4)]
    assert marks == [[], ["found"], ["found"], ["gone"], ["gone"]]
    with db.read() as conn:
        assert conn.execute(text("SELECT count(*) FROM cache.shape_finding")).scalar() == 2
    with db.write("test") as conn:
        people.add_user(conn, "somebody", "某人")
        people.grant(conn, "somebody", "inspector")
    with db.write("somebody") as conn:
        run(
            conn,
            "INSERT INTO data.finding_event (finding_id, move, to_state, reason) VALUES (:f, 'judge_problem', 'problem', '现场核实')",
            f=lead,
        )
        assert conn.execute(text("SELECT mark FROM cache.shape_finding ORDER BY valid LIMIT 1")).scalar() == "problem"


def test_a_lead_on_a_border_belongs_to_the_district_a_night_gave_it_to(
    worked: tuple[Database, uuid.UUID, uuid.UUID],
) -> None:
    db, _, _ = worked
    assert (
        close(db, "finding", area="500101")
        and close(db, "finding", area="500101001")
        and not close(db, "finding", area="500102")
    )


def test_fixes_whose_time_is_over_leave_the_map_with_their_removal(
    worked: tuple[Database, uuid.UUID, uuid.UUID],
) -> None:
    db, _, _ = worked
    with db.engine.connect() as conn, conn.begin():
        run(
            conn, "SELECT set_config('rivergis.actor', 'test', true), set_config('rivergis.purpose', 'retention', true)"
        )
        run(conn, "DELETE FROM data.fix")
        left = conn.execute(
            text(
                "SELECT (SELECT count(*) FROM cache.shape_patrol_fix), (SELECT count(*) FROM cache.shape_patrol_track)"
            )
        ).one()
        assert tuple(left) == (0, 0)
        conn.rollback()
    assert len(close(db, "patrol_fix")) == 8


def test_counts_stay_right_where_edits_meet(worked: tuple[Database, uuid.UUID, uuid.UUID]) -> None:
    """Two who edit in one cell at the same time wait for nobody; what both did is counted."""
    db, _, _ = worked
    one, two = db.engine.connect(), db.engine.connect()
    add = "INSERT INTO data.report (id, kind, at, accuracy_m, geom) VALUES (gen_random_uuid(), 'dump', now(), 5, :g)"
    far = date(2100, 1, 1)
    before = sum(f.n for f in tile(db, "report", *tile_at(6), day=far))
    for conn in (one, two):
        run(conn, "SET LOCAL lock_timeout = '2s'")
        run(conn, "SELECT set_config('rivergis.actor', 'test', true)")
        run(conn, add, g=NEAR.format(106.01, 29.01))
    one.commit()
    two.commit()
    one.close()
    two.close()
    assert sum(f.n for f in tile(db, "report", *tile_at(6), day=far)) == before + 2


def test_all_of_it_is_what_a_rebuild_makes_and_comes_back_with_a_backup(
    worked: tuple[Database, uuid.UUID, uuid.UUID], empty_database: Database, tmp_path: Path
) -> None:
    db, _, _ = worked
    kept = ground.served(db)
    cache.rebuild(db, "test")
    assert ground.served(db) == kept and kept["shape_patrol_leg"]
    backup.backup(db, tmp_path / "b.tar", tmp_path / "store")
    backup.restore(empty_database, tmp_path / "b.tar", tmp_path / "elsewhere")
    assert ground.served(empty_database) == kept
