"""A layer read in pieces comes out as one read whole: rows, versions, quarantine, counts and what is said."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from datetime import date
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from rivergis.db.connect import Database, now_of
from rivergis.encroachment import night_store
from rivergis.errors import InputError
from rivergis.intake import admission, datasets, profile, vector
from rivergis.jobs import receive
from tests.conftest import new_database

HERE = shapely.Point(587_399.8, 3_248_399.3)


def put(path: Path, rows: list[dict[str, Any]], layer: str = "outfall", shape: shapely.Geometry = HERE) -> Path:
    path.unlink(missing_ok=True)
    shapes = [shapely.affinity.translate(shape, 3 * i, i) for i in range(len(rows))]
    gpd.GeoDataFrame(pd.DataFrame(rows), geometry=shapes, crs=4544).to_file(path, layer=layer, engine="pyogrio")
    return path


def take(db: Database, path: Path, layer: str = "outfall", **more: Any) -> receive.ImportResult:
    how = more.pop("how", profile.plain())
    options = receive.Options(namespace="n", **more)
    [result] = receive.import_file(db, layer, path, actor="t", profile=how, options=options)
    assert result.count_in == result.imported + result.unchanged + result.quarantined + result.skipped
    return result


def pieces_of(monkeypatch: pytest.MonkeyPatch, rows: int) -> None:
    """Every layer in pieces of so many rows, and read from the file piece by piece."""
    monkeypatch.setattr(vector, "PIECE", rows)
    monkeypatch.setattr(datasets, "_HELD_FEATURES", 10)


def content(db: Database, table: str) -> list[tuple[Any, ...]]:
    """Everything of a table that does not tell when or by which import it came."""
    with db.read() as conn:
        return [
            tuple(r)
            for r in conn.execute(
                text(f"""SELECT code, version, valid::text, content_hash, source_feature, source::text, ST_AsText(geom),
                superseded_at IS NULL FROM data.{table} ORDER BY code, version""")
            )
        ]


def quarantine(db: Database) -> list[tuple[Any, ...]]:
    with db.read() as conn:
        return [
            tuple(r)
            for r in conn.execute(
                text("""SELECT source_feature, code, sentence, place, attributes::text, geom_wkt FROM sys.quarantine
                ORDER BY source_feature, code""")
            )
        ]


def told(result: receive.ImportResult) -> dict[str, Any]:
    counts = {k: getattr(result, k) for k in ("count_in", "imported", "unchanged", "quarantined", "skipped")}
    return counts | {"notes": sorted((n["code"], n["count"]) for n in result.diagnostics)}


ROW = st.fixed_dictionaries(
    {
        "code": st.one_of(st.none(), st.sampled_from("abcdefgh")),
        "name": st.sampled_from(["x", None]),
        "status": st.sampled_from(["在用", "open", "?", None]),
        "approved_on": st.sampled_from([None, None, "2024年1月2日", "soon"]),
        "river_code": st.sampled_from([None, None, "nowhere"]),
        "valid_from": st.sampled_from([None, "2024-01-01"]),
        "valid_to": st.sampled_from([None, "2023-12-31"]),
    }
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(ROW, min_size=3, max_size=30), st.integers(2, 9))
def test_law_pieces_come_out_as_the_whole(data_dir: Path, tmp_path: Path, rows: list[dict[str, Any]], n: int) -> None:
    path = put(tmp_path / "o.gpkg", rows)
    states = []
    for size in (vector.PIECE, n):
        db = new_database(data_dir)
        with pytest.MonkeyPatch.context() as patched:
            if size == n:
                pieces_of(patched, n)
            result = take(db, path)
        states.append((told(result), content(db, "outfall"), quarantine(db)))
        db.close()
    assert states[0] == states[1]


def outfalls(n: int) -> list[dict[str, Any]]:
    return [{"code": f"c{i:03d}", "name": "x", "status": "在用" if i % 2 else "open", "remark": i} for i in range(n)]


def test_again_and_under_other_pieces_changes_nothing(
    db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A column that only one piece fills stands in the content of all: other pieces make no new versions."""
    rows = outfalls(40)
    rows[33]["approval_no"] = "7"
    path = put(tmp_path / "o.gpkg", rows)
    pieces_of(monkeypatch, 15)
    assert take(db, path).imported == 40
    before = content(db, "outfall")
    assert take(db, path).known
    rows[0]["remark"] = -1  # another file, the same content
    pieces_of(monkeypatch, 11)
    result = take(db, put(tmp_path / "p.gpkg", rows))
    assert (result.known, result.imported, result.unchanged) == (False, 0, 40)
    assert content(db, "outfall") == before


def test_doubles_are_found_over_all_pieces(db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = outfalls(30)
    rows[29]["code"] = rows[0]["code"]
    rows[15] |= {"code": rows[1]["code"], "valid_from": "2024-01-01"}
    pieces_of(monkeypatch, 10)
    result = take(db, put(tmp_path / "o.gpkg", rows))
    assert sorted((a.source_feature, a.code) for a in result.set_aside) == [
        ("16", "dates_overlap"),
        ("30", "duplicate_code"),
    ]
    assert result.imported == 28


def test_dates_that_overlap_within_one_piece_are_set_aside_too(db: Database, tmp_path: Path) -> None:
    rows = [{"code": "a", "name": "x", "valid_from": d} for d in (None, "2024-01-01")]
    result = take(db, put(tmp_path / "o.gpkg", rows))
    assert (result.imported, [a.code for a in result.set_aside]) == (1, ["dates_overlap"])


def test_one_thing_of_many_features_is_taken_once_over_all_pieces(
    db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [{"code": f"r{i % 3}", "name": "x", "kind": "river"} for i in range(30)]
    pieces_of(monkeypatch, 7)
    how = profile.Profile("once", "", (profile.Mapped("river", ("river",), once_per_code=True),))
    result = take(db, put(tmp_path / "r.gpkg", rows, "river"), "river", how=how)
    assert (result.imported, result.skipped) == (3, 27)
    assert [(n["code"], n["count"]) for n in result.diagnostics if n["code"] == "same_thing"] == [("same_thing", 27)]


def test_a_complete_delivery_in_pieces_is_one_delivery(
    db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = shapely.box(587_000, 3_248_000, 587_020, 3_248_020)
    rows = [{"code": f"k{i}", "kind": "building", "source_kind": "x"} for i in range(25)]
    pieces_of(monkeypatch, 8)
    take(db, put(tmp_path / "a.gpkg", rows, "candidate", box), "candidate", feed="f", delivered_on=date(2026, 5, 1))
    take(db, put(tmp_path / "b.gpkg", rows[5:], "candidate", box), "candidate", feed="f", delivered_on=date(2026, 5, 2))
    with db.read() as conn:
        assert conn.execute(text("SELECT count(*) FROM data.delivery")).scalar() == 2
        for night, n in ((date(2026, 5, 1), 25), (date(2026, 5, 2), 20)):
            assert night_store.count_standing(conn, night, now_of(conn)) == n


def test_lines_of_one_delimitation_over_several_pieces(
    db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pd.DataFrame({"code": ["r"], "name": ["河"], "kind": ["river"]}).to_csv(tmp_path / "r.csv", index=False)
    take(db, tmp_path / "r.csv", "river")
    rows = [
        {"code": f"l{i}", "version_code": "v", "river_code": "r", "bank": "左岸", "basis": "draft", "survey_scale": i}
        for i in range(25)
    ]
    line = shapely.LineString([(587_000, 3_248_000), (587_200, 3_248_000)])
    pieces_of(monkeypatch, 10)
    assert take(db, put(tmp_path / "l.gpkg", rows, "boundary_line", line), "boundary_line").imported == 25
    with db.read() as conn:
        acts = conn.execute(text("SELECT code, version, survey_scale FROM data.boundary_version")).all()
    assert [tuple(a) for a in acts] == [("v", 1, 0)], "the first line speaks for the delimitation"


@pytest.fixture
def with_river(db: Database, tmp_path: Path) -> Database:
    pd.DataFrame({"code": ["r"], "name": ["河"], "kind": ["river"]}).to_csv(tmp_path / "r.csv", index=False)
    take(db, tmp_path / "r.csv", "river")
    return db


def levees(n: int, bad: set[int]) -> list[dict[str, Any]]:
    return [{"code": f"d{i}", "river_code": "r", "bank": "R", "grade": 9 if i in bad else 2} for i in range(n)]


LINE = shapely.LineString([(587_000, 3_248_000), (587_200, 3_248_000)])


def test_what_the_database_refuses_is_found_in_every_piece(
    with_river: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pieces_of(monkeypatch, 10)
    result = take(with_river, put(tmp_path / "d.gpkg", levees(30, {3, 17, 18}), "levee", LINE), "levee")
    assert (result.imported, sorted(int(a.source_feature) for a in result.set_aside)) == (27, [4, 18, 19])
    assert {a.code for a in result.set_aside} == {"refused_by_database"}
    assert all(g.startswith("LINESTRING (58") for *_, g in quarantine(with_river)), "in source coordinates"


def test_refusals_are_counted_over_all_pieces(
    with_river: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pieces_of(monkeypatch, 10)
    monkeypatch.setattr(admission, "MAX_REFUSED", 3)
    with pytest.raises(InputError, match="levee_grade_check"):
        take(with_river, put(tmp_path / "d.gpkg", levees(40, {1, 11, 21, 22, 31}), "levee", LINE), "levee")
    with with_river.read() as conn:
        assert conn.execute(text("SELECT count(*) FROM data.levee")).scalar() == 0
        assert conn.execute(text("SELECT count(*) FROM sys.quarantine")).scalar() == 0


def test_interrupted_in_the_middle_leaves_nothing(
    db: Database, cli_env: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C while pieces are being written: exit code 130, no row, no record; the same file then comes in whole."""
    n = 3 * vector.PIECE
    path = put(tmp_path / "o.gpkg", [{"code": str(i), "name": "x"} for i in range(n)])
    command = [sys.executable, "-c", "from rivergis.cli import main; main()", "import", "outfall", str(path)]
    process = subprocess.Popen(command, env=cli_env, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 120
    busy = text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%incoming%'")
    while True:
        with db.read() as conn:
            if conn.execute(busy).scalar_one() > 1:  # this question itself is one
                break
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130 and "Traceback" not in said
    with db.read() as conn:
        for table in ("data.outfall", "data.identity", "sys.import_record", "sys.quarantine"):
            assert conn.execute(text(f"SELECT count(*) FROM {table}")).scalar() == 0


def test_provenance_of_every_piece(db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = put(tmp_path / "o.gpkg", outfalls(25))
    pieces_of(monkeypatch, 10)
    take(db, path)
    for i, (code, *_, source_feature, source, _, _) in enumerate(content(db, "outfall")):
        assert (code, source_feature) == (f"c{i:03d}", str(i + 1))
        assert '"crs": "EPSG:4544"' in source and '"file": "o.gpkg"' in source and f'"remark": {i}' in source
    with db.read() as conn:
        kept = conn.execute(text("SELECT source->>'geom' FROM data.outfall WHERE code = 'c024'")).scalar_one()
    assert shapely.from_wkb(kept).equals(shapely.affinity.translate(HERE, 72, 24)), "as delivered, to the last digit"
