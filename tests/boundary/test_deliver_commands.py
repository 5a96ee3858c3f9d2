"""deliver, publish and quality as people type them, on a database with an announced line and a draft."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from rivergis.cli import boundary_deliver, boundary_publish, boundary_quality
from rivergis.db.connect import Database
from tests.boundary.deliver_ground import areas, lines
from tests.boundary.draft_ground import ground, opened
from tests.encroachment.night_ground import area

Run = Any


@pytest.fixture
def run(db: Database, cli_env: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    for name in ("RIVERGIS_DATA_DIR", "RIVERGIS_DATABASE"):
        monkeypatch.setenv(name, cli_env[name])
    monkeypatch.chdir(tmp_path)
    commands = {
        "deliver": boundary_deliver.deliver,
        "publish": boundary_publish.publish,
        "quality": boundary_quality.quality,
    }

    def go(*words: str) -> Result:
        return CliRunner().invoke(commands[words[0]], words[1:], standalone_mode=False)

    return go


def test_announced_lines_are_delivered_published_and_voided(run: Run, db: Database, tmp_path: Path) -> None:
    ground(db)
    done = run("deliver", "--formats", "shp,gpkg,txt", "--out", "out", "--json")
    assert done.exit_code == 0, done.output
    told = json.loads(done.output)
    assert told["counts"]["JZX"] == 2 and told["counts"]["GLFWM"] == 1 and told["zones"] == [35]
    assert "现行有效" in (tmp_path / "out/metadata.txt").read_text(encoding="utf-8-sig")
    with db.read() as conn:
        audited = conn.exec_driver_sql("SELECT target FROM sys.audit WHERE action = 'export'").all()
    assert [tuple(a) for a in audited] == [("boundary_delivery",)]

    made = run(
        "publish",
        "make",
        "GG-1",
        "--title",
        "公告图",
        "--review-no",
        "渝S(2026)001号",
        "--out",
        "gg.zip",
        "--formats",
        "txt",
        "--as",
        "wang",
    )
    assert made.exit_code == 0 and "审图号 review number: 渝S(2026)001号" in made.output
    assert run("publish", "verify", "gg.zip").return_value == 0
    assert "NotPermitted" in repr(
        run("publish", "make", "GG-2", "--title", "x", "--out", "g2", "--as", "zhang").exception
    )
    assert not (tmp_path / "g2").exists()

    area(db, "V1", (0.0, -120.0, 2000.0, 240.0))
    verdict = run("publish", "verify", "gg.zip", "--json")
    said = json.loads(verdict.output)
    assert verdict.return_value == 1 and said["valid"] is False and "V1 在出版后有变化" in said["reasons"][0]
    assert run("publish", "verify", "gg.zip", "--files-only").return_value == 0
    assert json.loads(run("publish", "void", "--changed", "--as", "wang", "--json").output).keys() == {"GG-1"}
    listed = json.loads(run("publish", "list", "--json").output)
    assert [(row["code"], row["valid"]) for row in listed] == [("GG-1", False)] and "已作废" in listed[0]["reasons"][0]


def test_a_draft_of_the_database_or_a_file_is_delivered_as_a_draft(run: Run, db: Database, tmp_path: Path) -> None:
    ground(db)
    opened(db)
    assert run("deliver", "--draft", "D1", "--formats", "txt,gpkg", "--out", "d1").exit_code == 0
    assert "内部草稿·非测绘成果" in (tmp_path / "d1/metadata.txt").read_text(encoding="utf-8-sig")
    lines("draft").to_file(tmp_path / "draft.gpkg", layer="lines")
    areas("draft").to_file(tmp_path / "draft.gpkg", layer="areas")
    done = run(
        "deliver", "--draft", "draft.gpkg", "--out", "d2", "--zone", "105", "--zone-prefix", "--formats", "shp,txt"
    )
    assert done.exit_code == 0 and "35" in (tmp_path / "d2/metadata.txt").read_text(encoding="utf-8-sig")
    assert "EPSG:4523" in (tmp_path / "d2/metadata.txt").read_text(encoding="utf-8-sig")
    for wrong in (
        ("--draft", "nothing.gpkg"),
        ("--draft", "draft.gpkg", "--formats", "pdfx"),
        ("--draft", "draft.gpkg", "--river", "R1"),
    ):
        assert run("deliver", *wrong, "--out", "d3").exception is not None
    assert "not empty" in repr(run("deliver", "--draft", "draft.gpkg", "--out", str(tmp_path)).exception)


def test_quality_of_the_database_names_who_has_no_line(run: Run, db: Database) -> None:
    ground(db)
    done = run("quality", "--json")
    assert done.exit_code == 0, done.output
    told = json.loads(done.output)
    assert told["figures"]["rivers"] == 1 and told["figures"]["basin_unknown"] == 1
    row = told["tables"]["quality_rivers"][0]
    assert (row["quality.river"], row["quality.lines"], row["quality.announced_share"]) == ("试验河", 2, 100.0)
    assert run("quality", "--basin", "ten").exception is not None


def test_small_basins_of_an_official_list_are_told_by_who_has_a_line(run: Run, db: Database, tmp_path: Path) -> None:
    (tmp_path / "名录.csv").write_text("河流名称,流域面积(km2)\n试验河,45\n东沟,15\n大江,900\n", encoding="utf-8")
    ground(db)
    for how in ((), ("--lines", "lines.gpkg")):
        lines(river="试验河").to_file(tmp_path / "lines.gpkg", layer="lines")
        done = run("quality", *how, "--official", "名录.csv", "--only-basin", "--json", "--out", "q.xlsx")
        assert done.exit_code == 0, done.output
        told = json.loads(done.output)
        rows = {r["quality.river"]: (r["quality.listed"], r["quality.state"]) for r in told["tables"]["quality_small"]}
        assert set(rows) == {"试验河", "东沟"} and rows["东沟"] == ("是", "无界线")
        assert told["figures"]["small"]["listed"] == 2 and told["figures"]["small"]["missing"] == 1
