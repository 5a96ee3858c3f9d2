"""Receiving files: nothing half written, the same again changes nothing, every feature accounted for."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from rivergis import layers, rules
from rivergis.db import aside, system
from rivergis.db.connect import Database, open_database
from rivergis.errors import EnvironmentFault, InputError
from rivergis.intake import admission, cog, profile
from rivergis.jobs import receive
from rivergis.settings import gis_dir
from tests.intake.test_raster import image

BOOK = rules.load(gis_dir() / "rules")

SHAPES = {
    "Point": shapely.Point(106.1, 29.4),
    "LineString": shapely.LineString([(106, 29.4), (106.1, 29.4)]),
    "MultiPolygon": shapely.box(106, 29.4, 106.01, 29.41),
    "Geometry": shapely.box(106, 29.4, 106.01, 29.41),
}


def put(path: Path, rows: list[dict[str, Any]], layer: str = "outfall") -> Path:
    """A GeoPackage with these rows, each at a place of its own."""
    path.unlink(missing_ok=True)
    kind = layers.layer(layer).geometry
    table = pd.DataFrame(rows)
    if kind is None:
        pd.DataFrame(table).assign(geometry=None).pipe(gpd.GeoDataFrame, geometry="geometry", crs=4490).to_file(
            path, layer=layer, engine="pyogrio", geometry_type="Unknown"
        )
        return path
    shapes = [shapely.affinity.translate(SHAPES[kind], 0, i / 100) for i in range(len(rows))]
    gpd.GeoDataFrame(table, geometry=shapes, crs=4490).to_file(path, layer=layer, engine="pyogrio")
    return path


def take(db: Database, path: Path, layer: str = "outfall", **more: Any) -> receive.ImportResult:
    options = receive.Options(**{k: more.pop(k) for k in list(more) if k in receive.Options.__dataclass_fields__})
    [result] = receive.import_file(db, layer, path, actor="t", profile=profile.plain(), options=options, **more)
    assert result.count_in == result.imported + result.unchanged + result.quarantined + result.skipped
    return result


def one(db: Database, sql: str, **params: Any) -> Any:
    with db.read() as conn:
        return conn.execute(text(sql), params).scalar()


def traces(db: Database) -> tuple[int, ...]:
    """How much there is of everything an import writes."""
    with db.read() as conn:
        return tuple(
            conn.execute(text(f"SELECT count(*) FROM {t}")).scalar_one()
            for t in (
                "data.identity",
                "data.outfall",
                "data.delivery",
                "sys.import_record",
                "sys.quarantine",
                "sys.audit",
            )
        )


OUTFALLS = [{"code": c, "name": c, "status": "open"} for c in "abc"]


def test_the_same_file_again_changes_nothing(db: Database, tmp_path: Path) -> None:
    path = put(tmp_path / "o.gpkg", OUTFALLS)
    assert (take(db, path).imported, take(db, path).known) == (3, True)
    before = traces(db)
    again = take(db, path)
    assert (again.known, again.imported, again.unchanged) == (True, 0, 3)
    assert traces(db) == before


def test_another_file_with_the_same_content_makes_no_version(db: Database, tmp_path: Path) -> None:
    take(db, put(tmp_path / "o.gpkg", OUTFALLS))
    changed = [OUTFALLS[0] | {"status": "closed"}, *OUTFALLS[1:]]
    result = take(db, put(tmp_path / "o2.gpkg", changed))
    assert (result.known, result.imported, result.unchanged) == (False, 1, 2)
    assert one(db, "SELECT status FROM app.outfall WHERE code = 'a'") == "closed"
    assert one(db, "SELECT count(*) FROM data.outfall WHERE code = 'a'") == 2, "the version before is kept"


def test_provenance_stays_with_every_row(db: Database, tmp_path: Path) -> None:
    path = put(tmp_path / "o.gpkg", [OUTFALLS[0] | {"remark": "甲", "n": 7, "inf": np.inf, "none": None}])
    take(db, path)
    with db.read() as conn:
        row = conn.execute(text("SELECT source, source_feature, import_id FROM data.outfall")).one()
        record = conn.execute(text("SELECT * FROM sys.import_record")).mappings().one()
    assert row.source["attributes"]["remark"] == "甲" and row.source["attributes"]["n"] == 7
    assert row.source["attributes"]["inf"] == "inf" and row.source["crs"] == "EPSG:4490"
    assert row.import_id == record["id"] and record["file_name"] == "o.gpkg" and len(record["file_sha256"]) == 64


# ---- every layer of the contract ------------------------------------------------------------------------------------


def _value(column: layers.Column, fill: bool) -> Any:
    if column.choices:
        return column.choices[0] if fill else None
    kinds: dict[str, Any] = {
        "text": "x",
        "number": 5.0,
        "integer": 1,
        "boolean": "是",
        "date": "2024年1月2日",
        "time": "2024-01-02T08:00:00+08:00",
        "json": '{"a": 1}',
    }
    if column.name == "position_kind":
        return "name"
    return kinds[column.kind] if fill else None


def _rows(layer: layers.Layer) -> list[dict[str, Any]]:
    """One row with everything, one with what is required only."""
    rows = []
    for n, fill in enumerate((True, False)):
        row = {c.name: _value(c, fill or c.required) for c in layer.columns}
        row |= {c.name: "r" for c in layer.columns if c.refers and (fill or c.required)}
        if "to_m" in row and row["to_m"] is not None:
            row["to_m"] = 9.0
        if not fill and "basis" in row:
            row["basis"] = "draft"  # what is announced needs its announcement
        rows.append(row | {"code": f"{layer.name}-{n}"})
    return rows


@pytest.fixture
def peopled(db: Database, tmp_path: Path) -> Database:
    """A database that knows a river, reach, chief, intake, boundary line and patrol area, each with the code ``r``."""
    for name in ("river", "chief", "reach", "intake", "boundary_line", "patrol_area"):
        row = _rows(layers.layer(name))[0] | {"code": "r"}
        take(db, put(tmp_path / f"{name}.gpkg", [row], name), name)
    return db


@pytest.mark.parametrize("name", list(layers.LAYERS))
def test_every_layer_takes_full_and_bare_rows(peopled: Database, tmp_path: Path, name: str) -> None:
    result = take(peopled, put(tmp_path / "l.gpkg", _rows(layers.layer(name)), name), name)
    assert (result.imported, [a.sentence for a in result.set_aside]) == (2, [])
    assert one(peopled, "SELECT count(*) FROM data.identity WHERE code LIKE :c", c=f"{name}-%") == 2


@pytest.mark.parametrize("name", list(layers.LAYERS))
def test_every_layer_survives_a_file_without_its_fields(peopled: Database, tmp_path: Path, name: str) -> None:
    layer = layers.layer(name)
    result = take(peopled, put(tmp_path / "l.gpkg", [{"code": "x"}, {"code": "y"}], name), name)
    if any(c.required for c in layer.columns):
        assert (result.imported, result.quarantined) == (0, 2)
        assert {a.code for a in result.set_aside} == {"value_missing"}


# ---- what the database itself refuses -------------------------------------------------------------------------------


def test_rows_the_database_refuses_are_set_aside_and_named(peopled: Database, tmp_path: Path) -> None:
    good, bad = _rows(layers.layer("levee"))
    rows = [good, bad | {"grade": 9}, good | {"code": "c"}, bad | {"code": "d", "grade": 0}]
    result = take(peopled, put(tmp_path / "l.gpkg", rows, "levee"), "levee")
    assert (result.imported, result.quarantined) == (2, 2)
    assert [a.code for a in result.set_aside] == ["refused_by_database"] * 2
    assert result.set_aside[0].sentence.startswith("grade (堤防级别) = '9' is outside")
    kept = one(
        peopled, "SELECT count(*) FROM sys.quarantine WHERE code = 'refused_by_database' AND geom_wkt LIKE 'LINE%'"
    )
    assert kept == 2


def test_a_stretch_of_no_length_is_refused_alone(peopled: Database, tmp_path: Path) -> None:
    row = _rows(layers.layer("duty"))[0]
    rows = [row | {"code": str(i), "to_m": 9.0 if i % 7 else 0.0} for i in range(1, 30)]
    result = take(peopled, put(tmp_path / "d.gpkg", rows, "duty"), "duty")
    assert (result.imported, result.quarantined) == (25, 4)


def test_a_file_the_database_refuses_throughout_is_one_sentence(
    peopled: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admission, "MAX_REFUSED", 3)
    row = _rows(layers.layer("levee"))[0]
    path = put(tmp_path / "l.gpkg", [row | {"code": str(i), "grade": 9} for i in range(9)], "levee")
    with pytest.raises(InputError, match="levee_grade_check"):
        take(peopled, path, "levee")
    assert one(peopled, "SELECT count(*) FROM sys.import_record WHERE layer = 'levee'") == 0


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"river_code": "nowhere"}, "missing_reference"),
        ({"valid_from": "never"}, "value_wrong"),
        ({"valid_from": "2025-01-01", "valid_to": "2024-12-31"}, "dates_reversed"),
        ({"name": "\0"}, "value_missing"),
        ({"approved_on": "1/2/2024"}, "value_wrong"),
    ],
)
def test_bad_rows_are_kept_whole_in_quarantine(db: Database, tmp_path: Path, more: dict[str, Any], code: str) -> None:
    result = take(db, put(tmp_path / "o.gpkg", [OUTFALLS[0], OUTFALLS[1] | more]))
    assert (result.imported, [a.code for a in result.set_aside]) == (1, [code])
    with db.read() as conn:
        [row] = aside.rows(conn, "outfall")
    assert row["attributes"]["code"] == "b" and row["geom_wkt"].startswith("POINT") and row["code"] == code


def test_the_end_of_time_means_open(db: Database, tmp_path: Path) -> None:
    take(db, put(tmp_path / "o.gpkg", [OUTFALLS[0] | {"valid_from": "2024-01-01", "valid_to": "9999-12-31"}]))
    assert one(db, "SELECT valid::text FROM data.outfall") == "[2024-01-01,)"


# ---- nothing half written -------------------------------------------------------------------------------------------


def test_a_dry_run_tells_the_truth_and_keeps_nothing(peopled: Database, tmp_path: Path) -> None:
    before = traces(peopled)
    rows = [*OUTFALLS, OUTFALLS[0] | {"code": "d", "river_code": "nowhere"}]
    path = put(tmp_path / "o.gpkg", rows)
    tried = take(peopled, path, dry_run=True)
    assert (tried.imported, tried.quarantined) == (3, 1)
    assert traces(peopled) == before
    done = take(peopled, path)
    assert (done.known, done.imported, done.quarantined) == (False, 3, 1)


def test_an_error_at_the_end_leaves_nothing(db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: Any) -> None:
        raise KeyboardInterrupt

    before = traces(db)
    monkeypatch.setattr(system, "quarantine", fails)
    with pytest.raises(KeyboardInterrupt):
        take(db, put(tmp_path / "o.gpkg", OUTFALLS))
    assert traces(db) == before


BIN = [sys.executable, "-c", "from rivergis.cli import main; main()"]


def _many(path: Path, n: int = 4000) -> Path:
    return put(path, [{"code": str(i), "name": "x", "status": "open"} for i in range(n)])


@pytest.fixture
def held(db: Database, data_dir: Path) -> Iterator[Any]:
    """Another session that holds the table an import must write, so that the import can be met in the middle."""
    other = open_database(None, data_dir, db.name)
    with other.engine.connect() as conn:
        conn.begin()
        conn.execute(text("SELECT set_config('rivergis.actor', 't', true)"))
        conn.execute(text("LOCK TABLE data.outfall IN EXCLUSIVE MODE"))
        yield conn
        conn.rollback()
    other.close()


def _waiting(db: Database) -> bool:
    return bool(
        one(
            db,
            "SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database WHERE NOT granted AND d.datname = current_database()",
        )
    )


def _until_waiting(db: Database) -> None:
    deadline = time.monotonic() + 60
    while not _waiting(db):
        assert time.monotonic() < deadline, "the import never came to its write"
        time.sleep(0.05)


def test_killed_in_the_middle_leaves_nothing_and_runs_again(
    db: Database, cli_env: dict[str, str], tmp_path: Path, held: Any
) -> None:
    path, before = _many(tmp_path / "o.gpkg"), traces(db)
    process = subprocess.Popen([*BIN, "import", "outfall", str(path)], env=cli_env, stderr=subprocess.DEVNULL)
    _until_waiting(db)
    process.kill()
    process.wait()
    held.rollback()
    deadline = time.monotonic() + 30
    while one(db, "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state <> 'idle'") > 1:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    # the local operator is registered before; nothing of the import is there
    assert traces(db)[:5] == before[:5]
    assert take(db, path).imported == 4000


def test_the_database_goes_away_in_mid_run(db: Database, cli_env: dict[str, str], tmp_path: Path, held: Any) -> None:
    path, before = _many(tmp_path / "o.gpkg"), traces(db)
    process = subprocess.Popen(
        [*BIN, "import", "outfall", str(path)], env=cli_env, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    _until_waiting(db)
    with db.engine.connect() as conn:
        conn.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE NOT granted AND locktype = 'relation' AND pid <> pg_backend_pid()"
            )
        )
    _, said = process.communicate(timeout=60)
    assert process.returncode == 6 and "Traceback" not in said
    assert "nothing was kept" in said.splitlines()[-1]
    held.rollback()
    assert traces(db)[:5] == before[:5]


def test_two_imports_of_one_file_at_once_write_it_once(db: Database, tmp_path: Path, held: Any) -> None:
    path = put(tmp_path / "o.gpkg", OUTFALLS)
    results: list[receive.ImportResult] = []
    threads = [threading.Thread(target=lambda: results.append(take(db, path))) for _ in range(2)]
    for t in threads:
        t.start()
    _until_waiting(db)
    held.rollback()
    for t in threads:
        t.join(60)
    assert sorted(r.known for r in results) == [False, True]
    assert one(db, "SELECT count(*) FROM data.outfall") == 3


# ---- candidates, whole files, profiles ------------------------------------------------------------------------------


def test_options_of_a_delivery_reach_the_ledger(db: Database, tmp_path: Path) -> None:
    path = put(tmp_path / "c.gpkg", [{"code": "a", "kind": "building", "source_kind": "x"}], "candidate")
    take(db, path, "candidate", feed="province", delivered_on=date(2026, 5, 20), complete=False)
    with db.read() as conn:
        row = conn.execute(text("SELECT feed, delivered_on, complete FROM data.delivery")).one()
    assert tuple(row) == ("province", date(2026, 5, 20), False)


def osm_extract(path: Path) -> Path:
    """Geofabrik's names: everything is called fclass, the layers gis_osm_..."""
    line = shapely.LineString([(11, 50), (11.1, 50)])
    area = shapely.box(11, 50, 11.001, 50.001)
    for layer, shapes, columns in (
        (
            "gis_osm_waterways_free_1",
            [line] * 4,
            {"fclass": ["river", "stream", "drain", "weir"], "name": ["Main", "Main", None, None]},
        ),
        ("gis_osm_water_a_free_1", [area], {"fclass": ["reservoir"], "name": [None]}),
        ("gis_osm_buildings_a_free_1", [area], {"fclass": ["building"], "name": ["Halle"]}),
        ("gis_osm_landuse_a_free_1", [area] * 3, {"fclass": ["quarry", "landfill", "forest"], "name": [None] * 3}),
    ):
        frame = gpd.GeoDataFrame(
            {"osm_id": [str(i + 1) for i in range(len(shapes))], **columns}, geometry=shapes, crs=4326
        )
        frame.to_file(path, layer=layer, engine="pyogrio")
    return path


def test_the_osm_profile_takes_a_whole_extract(db: Database, tmp_path: Path) -> None:
    from rivergis.settings import gis_dir

    said: list[str] = []
    path = osm_extract(tmp_path / "x.gpkg")
    osm = profile.load("osm", gis_dir() / "rules")
    results = receive.import_all(
        db, path, actor="t", profile=osm, options=receive.Options(namespace="osm"), progress=said.append
    )
    assert [(r.layer, r.imported, r.quarantined, r.skipped) for r in results] == [
        ("river", 2, 0, 2),
        ("reach", 3, 0, 1),
        ("water_area", 1, 0, 0),
        ("candidate", 1, 0, 0),
        ("candidate", 2, 0, 1),
    ]
    with db.read() as conn:
        reaches = conn.execute(text("SELECT code, kind FROM app.reach ORDER BY code")).all()
        things = conn.execute(text("SELECT code, kind, feed FROM app.candidate ORDER BY code")).all()
    assert [tuple(r) for r in reaches] == [("1", "river"), ("2", "stream"), ("3", "ditch")]
    assert [tuple(t) for t in things] == [
        ("1", "building", "osm:gis_osm_buildings_a_free_1"),
        ("landfill/2", "dump", "osm:gis_osm_landuse_a_free_1"),
        ("quarry/1", "quarry", "osm:gis_osm_landuse_a_free_1"),
    ]


def test_a_whole_file_names_what_it_does_not_hold(db: Database, tmp_path: Path) -> None:
    said: list[str] = []
    path = put(tmp_path / "o.gpkg", OUTFALLS)
    receive.import_all(db, path, actor="t", profile=profile.plain(), options=receive.Options(), progress=said.append)
    assert said[-1].startswith("not in the file: admin_unit, chief, duty, river")
    with pytest.raises(InputError, match=r"has none of the layers the profile osm2 names \(nope\); it has outfall"):
        receive.import_all(
            db,
            path,
            actor="t",
            profile=profile.Profile("osm2", "", (profile.Mapped("reach", ("nope",)),)),
            options=receive.Options(),
        )


# ---- laws -----------------------------------------------------------------------------------------------------------

CELL = st.one_of(
    st.none(), st.sampled_from(["", "open", "r", "1", "2024-05-06", "\0x", "9" * 40, "是"]), st.text(max_size=5)
)
ROW = st.fixed_dictionaries(
    {"code": st.one_of(st.none(), st.sampled_from("abcd")), "name": CELL},
    optional={
        "status": CELL,
        "approved_on": CELL,
        "river_code": CELL,
        "valid_from": CELL,
        "valid_to": CELL,
        "class_1": CELL,
    },
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(ROW, min_size=1, max_size=8))
def test_law_nothing_is_lost_and_again_changes_nothing(
    module_db: Database, tmp_path: Path, rows: list[dict[str, Any]]
) -> None:
    """in = imported + unchanged + quarantined + skipped for any text in any field; the same file again: no trace."""
    path = put(tmp_path / "law.gpkg", [{k: _storable(v) for k, v in r.items()} for r in rows])
    result = take(module_db, path)
    held = one(
        module_db,
        "SELECT count(*) FROM sys.quarantine q JOIN sys.import_record i ON i.id = q.import_id WHERE file_sha256 = "
        "(SELECT file_sha256 FROM sys.import_record ORDER BY recorded_at DESC LIMIT 1)",
    )
    assert held == result.quarantined or result.known
    before = traces(module_db)
    assert take(module_db, path).known
    assert traces(module_db) == before


def _storable(value: str | None) -> str | None:
    """GeoPackage itself holds no half characters and no NUL."""
    return None if value is None else value.encode("utf-8", "ignore").decode().replace("\0", "")


# ---- tracks and imagery ---------------------------------------------------------------------------------------------

GPX = """<gpx version="1.1" creator="t" xmlns="http://www.topografix.com/GPX/1/1"><trk><trkseg>
<trkpt lat="29.40" lon="106.00"><time>2026-05-20T01:00:00Z</time></trkpt><trkpt lat="29.41" lon="106.01"><time>2026-05-20T01:0{}:10Z</time></trkpt>
</trkseg></trk></gpx>"""


def test_bad_tracks_are_listed_and_good_ones_go_on(db: Database, tmp_path: Path) -> None:
    folder = tmp_path / "tracks"
    folder.mkdir()
    (folder / "a.gpx").write_text(GPX.format(1))
    (folder / "b.gpx").write_text("<gpx>")
    (folder / "c.csv").write_text("time,lon,lat\n2026-05-20 09:00:00,106,29\n2026-05-20 09:01:00,106,29.001\n")
    got = receive.import_tracks(db, folder, book=BOOK, actor="t", store_dir=tmp_path / "store")
    assert (got.new, got.known, [f["file"] for f in got.failed]) == (2, 0, ["b.gpx"])
    assert got.noticed == {"time_zone_assumed": 1}
    again = receive.import_tracks(db, folder, book=BOOK, actor="t", store_dir=tmp_path / "store")
    assert (again.new, again.known, len(again.failed)) == (0, 2, 1)
    assert (
        one(db, "SELECT started_at FROM data.track WHERE file_name = 'c.csv'").isoformat()
        == "2026-05-20T01:00:00+00:00"
    )


@pytest.mark.parametrize(
    ("index", "sentence"),
    [
        ("{", "cannot be used"),
        ("[1]", "cannot be used"),
        ('[{"chief_code": "x"}]', "KeyError: 'file'"),
        ('[{"file": "../../etc/passwd"}]', "lies outside the folder"),
        ('[{"file": "a.gpx", "uploaded_at": "soon"}]', "Invalid isoformat"),
        ('[{"file": "a.gpx", "uploaded_at": "2026-05-20T09:00:00"}]', "names no time zone"),
        ('[{"file": "a.gpx", "chief_code": "nobody"}]', "whom the database does not hold"),
        ('[{"file": "a.gpx", "datum_declared": "mars"}]', "is not one of wgs84"),
        ('[{"file": "absent.gpx"}]', "There is no file"),
    ],
)
def test_a_wrong_index_is_one_sentence(db: Database, tmp_path: Path, index: str, sentence: str) -> None:
    (tmp_path / "a.gpx").write_text(GPX.format(1))
    (tmp_path / "index.json").write_text(index)
    with pytest.raises(InputError, match=sentence) as caught:
        receive.import_tracks(
            db, tmp_path, book=BOOK, actor="t", store_dir=tmp_path / "store", index=tmp_path / "index.json"
        )
    assert "\n" not in caught.value.sentence
    assert one(db, "SELECT count(*) FROM data.track") == 0


def test_a_scene_is_kept_under_its_hash_once(db: Database, tmp_path: Path) -> None:
    scene, store = image(tmp_path / "s.tif"), tmp_path / "store"
    cloud = tmp_path / "cloud.geojson"
    gpd.GeoDataFrame(geometry=[shapely.box(106, 29.4, 106.001, 29.401)], crs=4326).to_file(cloud, engine="pyogrio")
    for known in (False, True):
        got = receive.import_imagery(db, scene, date(2026, 5, 19), actor="t", store_dir=store, cloud=cloud)
        assert got.known is known
    kept, ready = sorted((store / "imagery").iterdir(), key=lambda p: p.name.endswith(cog.SUFFIX))
    assert kept.read_bytes() == scene.read_bytes() and ready == cog.beside(kept)
    assert one(db, "SELECT file_path FROM data.imagery") == f"imagery/{kept.name}"
    assert one(db, "SELECT ST_Area(unobserved) > 0 FROM data.imagery")


def test_a_dry_run_of_tracks_and_scenes_keeps_nothing(db: Database, tmp_path: Path) -> None:
    (tmp_path / "a.gpx").write_text(GPX.format(1))
    scene, store, before = image(tmp_path / "s.tif"), tmp_path / "store", traces(db)
    assert receive.import_tracks(db, tmp_path / "a.gpx", book=BOOK, actor="t", store_dir=store, dry_run=True).new == 1
    assert receive.import_imagery(db, scene, date(2026, 5, 19), actor="t", store_dir=store, dry_run=True).imported == 1
    assert traces(db) == before and not store.exists() and one(db, "SELECT count(*) FROM data.track") == 0


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one page, mounted for the test where that is allowed."""
    folder = tmp_path / "full"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8k", "tmpfs", str(folder)], capture_output=True)
    if mounted.returncode:
        pytest.skip("this user may not mount a small file system")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_is_one_sentence_and_nothing_is_recorded(db: Database, tmp_path: Path, full_disk: Path) -> None:
    scene = image(tmp_path / "s.tif", size=200)
    with pytest.raises(EnvironmentFault, match=r"s\.tif cannot be kept in .*No space left on device") as caught:
        receive.import_imagery(db, scene, date(2026, 5, 19), actor="t", store_dir=full_disk)
    assert caught.value.exit_code == 6
    assert one(db, "SELECT (SELECT count(*) FROM data.imagery) + (SELECT count(*) FROM sys.import_record)") == 0
    assert not [p for p in full_disk.rglob("*") if p.is_file()], "no half file stays"
    (tmp_path / "a.gpx").write_text(GPX.format(1) + "<!-- " + "x" * 20_000 + " -->")
    with pytest.raises(EnvironmentFault):
        receive.import_tracks(db, tmp_path / "a.gpx", book=BOOK, actor="t", store_dir=full_disk)
    assert one(db, "SELECT count(*) FROM data.track") == 0


def test_results_are_json_ready(db: Database, tmp_path: Path) -> None:
    from rivergis.cli.common import plain

    result = take(db, put(tmp_path / "o.gpkg", [OUTFALLS[0], OUTFALLS[0]]))
    assert json.loads(json.dumps(plain(result)))["set_aside"][0]["code"] == "duplicate_code"
