"""``rivergis boundary qgis`` as people type it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import pytest

from rivergis.cli import _run
from rivergis.db.connect import Database
from tests.boundary.draft_ground import ground, line, opened

Run = Callable[..., str]


@pytest.fixture(scope="module")
def law(module_db: Database) -> Database:
    ground(module_db)
    opened(module_db)
    return module_db


@pytest.fixture
def run(
    law: Database, data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    """``rivergis boundary qgis ARGS`` in this process, in a folder of its own; what it says, after checking the exit code."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RIVERGIS_DATA_DIR", str(data_dir))
    monkeypatch.setenv("RIVERGIS_DATABASE", law.name)
    monkeypatch.delenv("RIVERGIS_ACTOR", raising=False)

    def call(*args: str, code: int = 0) -> str:
        exit_code = _run(["boundary", "qgis", *args])
        said = capsys.readouterr()
        assert exit_code == code, said.err + said.out
        return said.out + said.err

    return call


def test_a_folder_that_is_ready_to_open(run: Run) -> None:
    told = json.loads(run("--draft", "D1", "--as", "zhang", "--out", "desk", "--json"))
    assert told["actor"] == "zhang"
    assert {p.name for p in Path("desk").iterdir()} == {
        "rivergis.qgs",
        "pg_service.conf",
        "open.sh",
        "open.bat",
        "defects.gpkg",
    }
    assert set(told["files"]) == {p.name for p in Path("desk").iterdir()}
    assert Path("desk/open.sh").stat().st_mode & 0o111
    service = Path("desk/pg_service.conf").read_text(encoding="utf-8")
    assert "options=-c rivergis.actor=zhang" in service and "password" not in service
    assert gpd.read_file("desk/defects.gpkg", layer="defects").crs == "EPSG:4490"


def test_a_project_that_is_there_is_kept(run: Run) -> None:
    run("--as", "zhang", "--out", "desk")
    Path("desk/rivergis.qgs").write_text("mine", encoding="utf-8")
    assert "--overwrite" in run("--as", "zhang", "--out", "desk", code=2)
    assert Path("desk/rivergis.qgs").read_text(encoding="utf-8") == "mine"
    run("--as", "zhang", "--out", "desk", "--overwrite")
    assert "boundary_draft_line" in Path("desk/rivergis.qgs").read_text(encoding="utf-8")


def test_what_cannot_be_shown_is_said_and_nothing_is_written(run: Run) -> None:
    Path("report.json").write_text("[]", encoding="utf-8")
    gpd.GeoDataFrame({"bank": ["left"]}, geometry=[line((0, 1), (9, 1))], crs=4490).to_file("other.gpkg", layer="other")
    for args, code, sentence in (
        (("--draft", "D9"), 3, "There is no draft 'D9'"),
        (("--defects", "report.json"), 3, "no report of 'rivergis boundary check'"),
        (("--lines", "other.gpkg"), 3, "no layer 'lines'"),
        (("--lines", "report.json"), 3, "no layer 'lines'"),
        (("--as", "wang"), 7, "draft_boundary"),
    ):
        assert sentence in run("--as", "zhang", "--out", "desk", *args, code=code)
    assert not Path("desk").exists()
