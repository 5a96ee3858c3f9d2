"""Hostile attributes through the whole house: in, set aside, reported, out again; data all the way, never a command."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Any

import geopandas as gpd
import openpyxl
import pyogrio
import pytest
import shapely
from sqlalchemy import text

from rivergis.cli import _run
from rivergis.db.connect import Database
from rivergis.errors import legible

LIVE = [
    "=cmd|' /C calc'!A0",
    "+1+cmd|' /C calc'!A0",
    "-2+3+cmd|x",
    "@SUM(A1)",
    "\t=1+1",
    "\r=1",
    "\n=1",
    "＝1+1",
    "'=1",
]
QUOTING = ["x'); DROP TABLE data.outfall; --", 'a"b', "$$;", "%(name)s", ":name", "{0}", "\\'; --", "NULL"]
STEERING = ["\x1b[31mred", "a\u202egnp.exe", "c1\x9b2J", "[/bold][red]", "<script>alert(1)</script>", "a\0b"]
VALUES = [*LIVE, *QUOTING, *STEERING]
NAMES = [
    "=1+1",
    "-n",
    "@n",
    'a"b',
    "a'b",
    "x;DROP TABLE data.outfall",
    "a%sb",
    "[/n]",
    "\x1b[31mn",
    "a\u202eb",
    "<b>n",
    "n\0m",
]


@pytest.fixture
def house(db: Database, cli_env: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Database:
    """The command line in this process works on the test's database."""
    for key, value in cli_env.items():
        monkeypatch.setenv(key, value)
    return db


def hostile(folder: Path) -> Path:
    """Outfalls with every hostile value under every hostile name; every third has a status that does not exist."""
    columns: dict[str, Any] = {
        "code": [f"{i}" for i in range(len(VALUES))],
        "name": VALUES,
        "status": [v if i % 3 == 0 else "open" for i, v in enumerate(VALUES)],
    }
    columns |= dict.fromkeys(NAMES, VALUES)
    shapes = [shapely.Point(106.5 + i / 1000, 29.5) for i in range(len(VALUES))]
    path = folder / "[b] =1+1\x1b[31m.parquet"
    gpd.GeoDataFrame(columns, geometry=shapes, crs=4490).to_parquet(path)
    return path


def run(*args: str | Path, code: int = 0) -> None:
    assert _run([str(a) for a in args]) == code, args


def cells(path: Path) -> list[str]:
    """Every text in a table, headings included."""
    if path.suffix == ".csv":
        with path.open(encoding="utf-8-sig", newline="") as file:
            return [c for row in csv.reader(file) for c in row]
    sheets = openpyxl.load_workbook(path).worksheets
    found = [c for s in sheets for row in s.iter_rows() for c in row if c.value is not None]
    assert all(c.data_type != "f" for c in found)
    return [c.value for c in found if isinstance(c.value, str)]


def live(said: str) -> bool:
    """Whether a spreadsheet would run it."""
    return bool(re.match("[=+\\-@\t\r\n＝＋－＠]", said)) and not re.fullmatch(r"[+-]?[\d.eE+-]+", said)


def test_hostile_attributes_come_in_and_go_out_as_data(
    house: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = hostile(tmp_path)
    for ending in ("html", "xlsx", "json"):
        run("import", "outfall", path, "--dry-run", "--report", tmp_path / f"report.{ending}", code=4)
    run("import", "outfall", path, code=4)
    run("quarantine", "list")
    with house.read() as conn:
        kept = conn.execute(text("SELECT source FROM data.outfall")).scalars().all()
        aside = conn.execute(text("SELECT attributes FROM sys.quarantine")).scalars().all()
    told = [*(s["attributes"] for s in kept), *aside]
    assert len(told) == len(VALUES), "nothing is lost, and the table is still there"
    assert sorted(t["a'b"] for t in told) == sorted(v.replace("\0", "") for v in VALUES)
    assert {n.replace("\0", "") for n in NAMES} <= set(told[0])
    for ending in ("csv", "gpkg", "geojson", "json"):
        run("quarantine", "export", tmp_path / f"aside.{ending}")
    for ending in ("csv", "xlsx", "gpkg", "shp", "geojson", "kml", "dxf", "fgb"):
        run("export", "outfall", tmp_path / f"out.{ending}")
    out, err = capsys.readouterr()
    assert legible(out + err, keep="\n") == out + err, "nothing steers the terminal"
    for table in ("report.xlsx", "aside.csv", "out.csv", "out.xlsx"):
        assert not [c for c in cells(tmp_path / table) if live(c)], table
    assert "<script>alert" not in (tmp_path / "report.html").read_text()
    assert "\x1b" not in (tmp_path / "report.html").read_text() + (tmp_path / "report.json").read_text()
    names = set(pyogrio.read_dataframe(tmp_path / "out.gpkg")["name"])
    assert names == {v.replace("\0", "").strip() for i, v in enumerate(VALUES) if i % 3}


def test_what_was_set_aside_comes_back_as_it_was(house: Database, tmp_path: Path) -> None:
    """The apostrophes that kept a spreadsheet quiet are gone again when a table returns."""
    path = hostile(tmp_path)
    run("import", "outfall", path, code=4)
    run("quarantine", "export", tmp_path / "aside.csv")
    with (tmp_path / "aside.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        row["status"] = "open"
    with (tmp_path / "aside.csv").open("w", encoding="utf-8-sig", newline="") as file:
        out = csv.DictWriter(file, rows[0])
        out.writeheader()
        out.writerows(rows)
    run("quarantine", "return", tmp_path / "aside.csv")
    with house.read() as conn:
        names = conn.execute(text("SELECT name FROM data.outfall")).scalars().all()
    assert sorted(names) == sorted(v.replace("\0", "").strip() for v in VALUES)


NONSENSE = [
    "EPSG:99999",
    "+proj=pipeline +step +proj=axisswap +order=2,1",
    "http://127.0.0.1:9/4490",
    "x" * 10_000,
    "\udcff",
    "中文",
]


@pytest.mark.parametrize(
    "option", ["--crs", "--encoding", "--source-layer", "--profile", "--namespace", "--valid-from", "--report"]
)
def test_nonsense_for_an_option_of_an_import(
    house: Database, tmp_path: Path, option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.shp"
    gpd.GeoDataFrame({"code": ["a"]}, geometry=[shapely.Point(106.5, 29.5)], crs=4490).to_file(path)
    for value in NONSENSE:
        code = _run(["import", "outfall", str(path), "--dry-run", option, value])
        said = "".join(capsys.readouterr())
        assert code in (0, 2, 3, 4, 6), (option, value[:50], code, said[:500])
        assert "Traceback" not in said and "fault of rivergis" not in said


@pytest.mark.parametrize(
    "option", ["--crs", "--filter", "--encoding", "--layer-name", "--fields", "--known-at", "--namespace"]
)
def test_nonsense_for_an_option_of_an_export(
    house: Database, tmp_path: Path, option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for n, value in enumerate(
        [*NONSENSE, "x'); DROP TABLE data.outfall; --", "(" * 5000, "name = '" + "'" * 999, "../../x"]
    ):
        code = _run(["export", "outfall", str(tmp_path / f"{n}.gpkg"), option, value])
        said = "".join(capsys.readouterr())
        assert code in (0, 2, 3), (option, value[:50], code, said[:500])
        assert "Traceback" not in said and "fault of rivergis" not in said
    with house.read() as conn:
        assert conn.execute(text("SELECT count(*) FROM data.outfall")).scalar_one() == 0
    assert not list(tmp_path.glob("*.part*"))


def test_an_import_refuses_what_an_inspection_refuses(
    house: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bombs, pointers and limits hold at both doors, and nothing is recorded."""
    (tmp_path / "a.kml").write_text("<kml/><OGRVRTDataSource/>")
    (tmp_path / "b.geojson").write_text('{"features":' + "[" * 100_000)
    good = tmp_path / "c.gpkg"
    gpd.GeoDataFrame({"code": ["a"], "b": [1]}, geometry=[shapely.Point(106.5, 29.5)], crs=4490).to_file(good)
    for name, said in (("a.kml", "points at data elsewhere"), ("b.geojson", "more than 200 deep")):
        run("import", "outfall", tmp_path / name, code=3)
        assert said in capsys.readouterr().err
    monkeypatch.setenv("RIVERGIS_MAX_FIELDS", "1")
    run("import", "outfall", good, code=3)
    assert "more than 1" in capsys.readouterr().err
    monkeypatch.setenv("RIVERGIS_MAX_FIELDS", "many")
    run("import", "outfall", good, code=2)
    with house.read() as conn:
        assert conn.execute(text("SELECT count(*) FROM sys.import_record")).scalar_one() == 0
