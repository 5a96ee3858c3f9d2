"""The command: nothing half written, nothing overwritten, nothing without permission and a line in the audit."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import geopandas as gpd
import openpyxl
import pandas as pd
import pyogrio
import pytest
import shapely
from sqlalchemy import text

from rivergis import layers
from rivergis.cli import _run
from rivergis.db import people
from rivergis.db.connect import Database
from rivergis.errors import CrsRefused, InputError, NotFound, NotPermitted, UsageError
from rivergis.intake import profile
from rivergis.jobs import receive
from rivergis.maps import export, export_tables
from tests.export.conftest import EAST, NORTH, ZONE, opened, points, rivers, send, take


@pytest.fixture
def rivergis(cli_env: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """The command line in this process: (exit code, what it printed, what it said on stderr)."""
    for key in [k for k in os.environ if k.startswith("RIVERGIS_DATABASE") or k == "RIVERGIS_ACTOR"]:
        monkeypatch.delenv(key)
    for key in ("RIVERGIS_DATA_DIR", "RIVERGIS_DATABASE"):
        monkeypatch.setenv(key, cli_env[key])

    def call(*args: Any) -> tuple[int, str, str]:
        code = _run([str(a) for a in args])
        return code, *capsys.readouterr()

    return call


def test_the_command_exports_says_what_and_leaves_a_line_in_the_audit(
    rivergis: Any, db: Database, tmp_path: Path
) -> None:
    take(db, "outfall", points(), tmp_path)
    out = tmp_path / "out.gpkg"
    code, printed, _ = rivergis("export", "outfall", out, "--filter", "status = 'open'", "--crs", "local", "--json")
    done = json.loads(printed)
    assert (code, done["count"], done["files"][0]["crs"]) == (0, 5, "EPSG:4544")
    assert len(pyogrio.read_dataframe(out)) == 5
    with db.read() as conn:
        [row] = conn.execute(text("SELECT actor, target, detail FROM sys.audit WHERE action = 'export'")).all()
    assert row.target == "layer:outfall"
    assert (row.detail["count"], row.detail["files"][0]["file"]) == (5, str(out))


def test_exit_codes(rivergis: Any, db: Database, tmp_path: Path) -> None:
    take(db, "outfall", points(), tmp_path)
    out = tmp_path / "out.gpkg"
    code, printed, _ = rivergis("export", "outfall", out)
    assert (code, "10 个要素" in printed) == (0, True)
    assert rivergis("export", "outfall", out)[0] == 2
    assert rivergis("export", "outfall", out, "--overwrite", "--filter", "nobody = 1")[0] == 2
    assert len(pyogrio.read_dataframe(out)) == 10
    code, _, said = rivergis("export", "outfall", tmp_path / "o.shp")
    assert (code, said.count("254 bytes")) == (4, 1)
    assert rivergis("export", "outfall", tmp_path / "x.csv", "--known-at", "2026-05-20T08:00:00")[0] == 2
    assert rivergis("export", "track", tmp_path / "t.gpkg")[0] == 7
    assert rivergis("export", "nothing", tmp_path / "t.gpkg")[0] == 3
    assert rivergis("export", "outfall", tmp_path / "no" / "such" / "t.gpkg")[0] == 6


def test_export_needs_the_capability(rivergis: Any, db: Database, tmp_path: Path) -> None:
    with db.write("t") as conn:
        people.add_user(conn, "looker", "看看")
        people.grant(conn, "looker", "viewer")
    assert rivergis("export", "outfall", tmp_path / "x.csv", "--as", "looker")[0] == 7
    assert not (tmp_path / "x.csv").exists()


def test_what_is_not_released_leaves_nothing(filled: Database, tmp_path: Path) -> None:
    with opened(filled, "outfall", tmp_path / "x.gpkg") as staged:
        assert staged.done.count == 10
        assert not (tmp_path / "x.gpkg").exists()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("beside", ["x.dbf", "x.prj", "x.fields.csv"])
def test_files_that_belong_to_others_are_not_overwritten(filled: Database, tmp_path: Path, beside: str) -> None:
    (tmp_path / beside).write_text("mine")
    with pytest.raises(UsageError, match=beside):
        send(filled, "outfall", tmp_path / "x.shp")
    assert [p.name for p in tmp_path.iterdir()] == [beside]
    assert (tmp_path / beside).read_text() == "mine"


def test_overwriting_takes_the_old_companions_away(filled: Database, tmp_path: Path) -> None:
    out = tmp_path / "x.shp"
    send(filled, "outfall", out)
    (tmp_path / "x.qix").write_bytes(b"index of what was")
    (tmp_path / "y.qix").write_bytes(b"another's")
    send(filled, "outfall", out, overwrite=True, encoding="GBK")
    assert not (tmp_path / "x.qix").exists()
    assert (tmp_path / "y.qix").exists()
    assert (tmp_path / "x.cpg").read_text() == "GBK"


def test_overwriting_a_file_geodatabase(filled: Database, tmp_path: Path) -> None:
    out = tmp_path / "x.gdb"
    send(filled, "outfall", out)
    send(filled, "outfall", out, overwrite=True, filter="code = 'P0001'")
    assert len(pyogrio.read_dataframe(out)) == 1
    assert [p.name for p in tmp_path.iterdir()] == ["x.gdb"]


@pytest.mark.parametrize(
    ("wanted", "error", "said"),
    [
        ({"crs": "EPSG:2436"}, CrsRefused, "Beijing 1954"),
        ({"crs": "EPSG:2363"}, CrsRefused, "Xian 1980"),
        ({"crs": "EPSG:4978"}, CrsRefused, "no two map axes"),
        ({"crs": "EPSG:999999"}, CrsRefused, "not known"),
        ({"crs": "EPSG:4549"}, CrsRefused, "--crs local is EPSG:4544 here"),
        ({"fields": ("code", "wat")}, UsageError, "no column wat; there are code, name"),
        ({"encoding": "GBK"}, UsageError, "always UTF-8"),
    ],
)
def test_what_cannot_be_is_one_sentence(
    filled: Database, tmp_path: Path, wanted: dict[str, Any], error: type, said: str
) -> None:
    with pytest.raises(error, match=said) as caught:
        send(filled, "outfall", tmp_path / "x.gpkg", **wanted)
    assert "\n" not in caught.value.sentence
    assert list(tmp_path.iterdir()) == []


def test_endings_layers_and_tables(filled: Database, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"there are \.gpkg"):
        send(filled, "outfall", tmp_path / "x.doc")
    with pytest.raises(UsageError, match="has no shapes"):
        send(filled, "river", tmp_path / "x.shp")
    with pytest.raises(UsageError, match="always in EPSG:4326"):
        send(filled, "outfall", tmp_path / "x.kml", crs="EPSG:4544")
    with pytest.raises(NotPermitted, match="personal data"):
        send(filled, "track", tmp_path / "x.gpkg")
    with pytest.raises(NotFound, match="the layers are"):
        send(filled, "houses", tmp_path / "x.gpkg")


def test_every_layer_of_the_contract_goes_out(filled: Database, tmp_path: Path) -> None:
    for name in layers.LAYERS:
        done = send(filled, name, tmp_path / f"{name}.csv")
        assert done.columns[0] == "code"
        assert {c.name for c in layers.layer(name).columns} <= set(done.columns)


def test_references_stand_by_code_and_rows_as_of_a_day(db: Database, tmp_path: Path) -> None:
    rivers(db, tmp_path, "YXH")
    line = shapely.LineString([(EAST, NORTH), (EAST + 100, NORTH)])
    rows = {
        "code": ["old", "new"], "version_code": ["V1", "V2"], "river_code": "YXH", "bank": "left", "basis": "draft",
        "valid_from": ["2020-01-01", "2024-01-01"], "valid_to": ["2023-12-31", None],
    }  # fmt: skip
    take(db, "boundary_line", gpd.GeoDataFrame(rows, geometry=[line, line], crs=ZONE), tmp_path)
    send(db, "boundary_line", tmp_path / "now.csv")
    now = pd.read_csv(tmp_path / "now.csv")
    assert now[["code", "version_code", "river_code", "valid_from"]].values.tolist() == [
        ["new", "V2", "YXH", "2024-01-01"]
    ]
    send(db, "boundary_line", tmp_path / "then.csv", as_of=pd.Timestamp("2023-12-31").date())
    then = pd.read_csv(tmp_path / "then.csv")
    assert then[["code", "valid_to"]].values.tolist() == [["old", "2023-12-31"]]


def test_namespaces_and_fields(db: Database, tmp_path: Path) -> None:
    take(db, "outfall", points(4), tmp_path, namespace="a")
    take(db, "outfall", points(3), tmp_path, namespace="b")
    assert send(db, "outfall", tmp_path / "all.csv").count == 7
    assert send(db, "outfall", tmp_path / "b.csv", namespace="b").count == 3
    done = send(db, "outfall", tmp_path / "f.csv", namespace="b", fields=("备注", "code"))
    assert list(pd.read_csv(tmp_path / "f.csv").columns) == ["备注", "code", "lon", "lat", "wkt", "crs"]
    assert done.columns == ["备注", "code"]


def test_hostile_attribute_names_are_data(db: Database, tmp_path: Path) -> None:
    names = [
        "a'b",
        "x:y",
        "100%",
        "\\",
        "$$",
        "Name",
        "GEOM",
        "fid",
        "=cmd",
        'q"t',
        ":f0",
        "lon",
        "a;DROP TABLE data.outfall",
    ]
    frame = points(2)[["code", "name", "geometry"]].assign(**dict.fromkeys(names, "v"))
    path = tmp_path / "in.geojson"
    frame.to_crs(4490).to_file(path, engine="pyogrio")
    _import(db, path)
    for ending in (".gpkg", ".csv", ".geojson", ".shp", ".gdb", ".dxf", ".xlsx", ".parquet", ".kml", ".fgb"):
        done = send(db, "outfall", tmp_path / f"out{ending}")
        assert done.count == 2
        assert set(names) - {"Name"} <= set(done.columns)
        assert "Name_delivered" in done.columns
    frame = pyogrio.read_dataframe(tmp_path / "out.gpkg")
    assert all((frame[n] == "v").all() for n in names if n != "Name")


def _import(db: Database, path: Path) -> None:
    [result] = receive.import_file(db, "outfall", path, actor="t", profile=profile.plain(), options=receive.Options())
    assert result.imported == result.count_in


def test_the_coordinate_table_says_which_column_is_north(filled: Database, tmp_path: Path) -> None:
    send(filled, "outfall", tmp_path / "x.xlsx")
    book = openpyxl.load_workbook(tmp_path / "x.xlsx")
    table = book["坐标表 coordinates"]
    assert [c.value for c in table[1]][:6] == ["点号/桩号", "X(北,m)", "Y(东,m)", "经度", "纬度", "坐标系"]
    number, north, east, lon, lat, system = [c.value for c in table[2]][:6]
    assert (number, system) == ("P0000", "EPSG:4544")
    assert 3_000_000 < north < 4_000_000
    assert 500_000 < east < 700_000
    assert 105.9 < lon < 106.1
    assert 29.3 < lat < 29.5
    about = " ".join(str(c) for row in book["说明 about"].values for c in row if c)
    assert "EPSG:4544" in about
    assert "中央子午线" in about
    assert "105°" in about
    assert not [c for row in table.rows for c in row if c.data_type == "f"]


def test_a_sheet_that_overflows_is_refused_whole(
    filled: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export_tables, "MAX_ROWS", 100)
    with pytest.raises(InputError, match="holds 100 rows"):
        send(filled, "reach", tmp_path / "x.xlsx")
    assert list(tmp_path.iterdir()) == []


def test_outside_china_there_is_no_local_zone(db: Database, tmp_path: Path) -> None:
    frame = gpd.GeoDataFrame({"code": ["b"], "name": ["b"]}, geometry=[shapely.Point(11.6, 49.9)], crs=4326)
    take(db, "outfall", frame, tmp_path)
    with pytest.raises(CrsRefused, match="outside China"):
        send(db, "outfall", tmp_path / "x.csv", crs="local")
    assert send(db, "outfall", tmp_path / "x.xlsx", crs="EPSG:25832").files[0]["crs"] == "EPSG:25832"


@pytest.mark.parametrize("ending", [".gpkg", ".geojson", ".fgb", ".parquet", ".csv", ".shp"])
def test_what_is_exported_can_be_imported_again_and_is_unchanged(db: Database, tmp_path: Path, ending: str) -> None:
    frame = points().drop(columns=["备注", "长文本"]).to_crs(4490)
    take(db, "outfall", frame, tmp_path)
    again = tmp_path / f"again{ending}"
    send(db, "outfall", again, crs="EPSG:4490")
    options = receive.Options(crs="EPSG:4490" if ending == ".csv" else None)
    [result] = receive.import_file(db, "outfall", again, actor="t", profile=profile.plain(), options=options)
    assert (result.imported, result.unchanged) == (0, 10)


def test_formats_are_the_ones_the_help_names() -> None:
    from rivergis.cli.export import command

    assert all(ending in (command.help or "") for ending in export.FORMATS)
