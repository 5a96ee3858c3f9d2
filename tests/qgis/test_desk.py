"""The planner's QGIS, for real and without a screen: the project opens, forms are Chinese, and saves are saves of the draft."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from sqlalchemy import text

from rivergis.db.connect import Database
from tests.boundary.draft_ground import ground, opened, step
from tests.pyqgis import PYTHON, why_not
from tests.serving import PROGRAM

SESSION = Path(__file__).with_name("session.py")
Plan = Callable[..., list[dict[str, Any]]]


WHY_NOT = why_not()
pytestmark = pytest.mark.skipif(WHY_NOT is not None, reason=str(WHY_NOT))


@pytest.fixture(scope="module")
def law(module_db: Database) -> Database:
    ground(module_db)
    return module_db


@pytest.fixture(scope="module")
def folder(law: Database, data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What 'rivergis boundary qgis' writes for zhang, and a service of li beside it."""
    opened(law)
    out = tmp_path_factory.mktemp("desk")
    report = out / "report.json"
    defect = {"code": "gap_in_line", "zh": "界线缺口", "severity": "blocks", "lon": 105.01, "lat": 29.37, "measure": 12.0, "unit": "m", "features": ["a", "b"]}  # fmt: skip
    report.write_text(json.dumps({"defects": [defect, {"code": "missing_bank"}]}), encoding="utf-8")
    env = {k: v for k, v in os.environ.items() if not k.startswith("RIVERGIS_")}
    env |= {"RIVERGIS_DATA_DIR": str(data_dir), "RIVERGIS_DATABASE": law.name}
    asked = [
        "boundary",
        "qgis",
        "--draft",
        "D1",
        "--defects",
        str(report),
        "--as",
        "zhang",
        "--out",
        str(out),
        "--json",
    ]
    made = subprocess.run([PROGRAM, *asked], env=env, capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    service = (out / "pg_service.conf").read_text(encoding="utf-8")
    colleague = service.replace("[rivergis]", "[colleague]").replace("rivergis.actor=zhang", "rivergis.actor=li")
    (out / "pg_service.conf").write_text(service + colleague, encoding="utf-8")
    out.chmod(0o700)
    return out


@pytest.fixture(scope="module")
def plan(folder: Path) -> Plan:
    def run(*steps: str) -> list[dict[str, Any]]:
        env = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV", "PYTHONHOME")}
        done = subprocess.run(
            [PYTHON, str(SESSION), str(folder), *steps], env=env, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stderr[-2000:]
        return [json.loads(row) for row in done.stdout.splitlines() if row.startswith("{")]

    return run


@pytest.fixture(scope="module")
def day(plan: Plan) -> dict[str, dict[str, Any]]:
    """A day at the desk, in the order of a day: one start of QGIS for all."""
    steps = ("look", "picture", "sheet", "edit", "two", "told", "draw", "take_out", "law")
    return {d["step"]: d for d in plan(*steps)}


def saves(db: Database, code: str = "D1") -> Iterator[tuple[Any, ...]]:
    with db.read() as conn:
        found = conn.execute(
            text("""SELECT c.revision, c.tool, c.actor, c.reason FROM data.boundary_draft_change c
            JOIN data.boundary_draft d ON d.id = c.draft_id WHERE d.code = :c ORDER BY 1"""),
            {"c": code},
        )
        yield from (tuple(r) for r in found)


def test_the_project_opens_whole_and_in_chinese(day: dict[str, dict[str, Any]]) -> None:
    seen = day["look"]
    assert seen["invalid"] == [] and seen["crs"] == "EPSG:4490" and seen["topological"]
    assert {"rivergis_boundary_line_in_force", "rivergis_levee", "rivergis_boundary_draft_line"} <= set(
        seen["snapping"]
    )
    assert (
        "rivergis_boundary_draft_line" not in seen["read_only"]
        and "rivergis_boundary_line_in_force" in seen["read_only"]
    )
    assert "rivergis_function_zone" in seen["hidden"] and "rivergis_boundary_draft_line" not in seen["hidden"]
    assert (seen["labels"]["bank"], seen["labels"]["from_m"]) == ("岸别 bank", "起点桩号(米) from, m")
    assert [t.split()[0] for t in seen["tabs"]] == ["位置", "依据", "修改"]
    assert {"state", "revision", "basis", "edition"} <= set(seen["fixed"]) and "drawn_by" not in seen["fixed"]
    assert seen["banks"]["左岸 left bank"] == "left" and seen["river"] == "试验河"
    assert any("人工修改" in label for label in seen["rules"])


def test_the_map_is_drawn_with_chinese_labels(day: dict[str, dict[str, Any]], folder: Path) -> None:
    assert day["picture"]["errors"] == []
    assert any(
        label.startswith("试验河 左岸 0+000–2+000") or "试验河 左岸" in label for label in day["picture"]["labels"]
    )
    drawn = np.asarray(Image.open(folder / "map.png").convert("RGB")).reshape(-1, 3).astype(int)
    for colour in ((0xB3, 0x28, 0x4F), (0x1F, 0x73, 0xA6)):  # the line in force, the reach
        assert (np.abs(drawn - colour).sum(axis=1) < 40).sum() > 100, colour


def test_the_sheet_says_that_it_is_a_draft(day: dict[str, dict[str, Any]], folder: Path) -> None:
    told = day["sheet"]
    assert told["exported"] and told["notice"].startswith("内部草稿·非测绘成果")
    drawn = np.asarray(Image.open(folder / "sheet.png").convert("RGB")).astype(int)
    foot = drawn[int(drawn.shape[0] * 0.92) :]
    assert (np.abs(foot - (192, 24, 46)).sum(axis=2) < 60).sum() > 50


def test_saves_are_revisions_and_the_feature_stays_on_the_screen(day: dict[str, dict[str, Any]], law: Database) -> None:
    told = day["edit"]
    assert told["saved"] == [True, True], told["errors"]
    assert (told["note"], told["edition"], told["by"]) == ("第二次", 3, "zhang")
    assert list(saves(law))[:3] == [
        (1, "cli", "zhang", "试验河划界调整"),
        (2, "qgis", "zhang", ""),
        (3, "qgis", "zhang", ""),
    ]


def test_of_two_planners_on_one_stretch_the_second_is_told(day: dict[str, dict[str, Any]], law: Database) -> None:
    told = day["two"]
    assert told["first"]["saved"] and not told["second"]["saved"]
    assert "有线段在您载入之后已被他人改动或删除" in told["second"]["errors"]
    assert all(s["saved"] for s in told["apart"]), told["apart"]
    assert [s[2] for s in saves(law)][3:6] == ["zhang", "zhang", "li"]


def test_a_deletion_of_what_changed_meanwhile_is_refused(day: dict[str, dict[str, Any]]) -> None:
    told = day["take_out"]
    assert told["first"]["saved"] and "请重新载入图层后再改" in told["stale"]["errors"]
    assert told["deleted"]["saved"] and not told["there"]


def test_a_save_reaches_the_open_projects_of_others(day: dict[str, dict[str, Any]]) -> None:
    assert day["told"]["save"]["saved"] and day["told"]["heard"]


def test_a_new_line_and_its_split_are_measured(day: dict[str, dict[str, Any]]) -> None:
    told = day["draw"]
    assert told["saved"] == [True, True], told["errors"]
    assert told["parts"] == [["right", "hand", 0, 1000], ["right", "hand", 1000, 2000]]


def test_the_line_in_force_cannot_be_edited(day: dict[str, dict[str, Any]]) -> None:
    assert not day["law"]["opened"] and not day["law"]["saved"]
    assert "已公告的界线不可改动" in day["law"]["errors"]


def test_a_draft_that_was_handed_in_is_refused_with_its_sentence(
    day: dict[str, dict[str, Any]], plan: Plan, law: Database
) -> None:
    opened(law, "D2")
    step(law, "submit", "zhang", "D2")
    (told,) = plan("bend_submitted")
    assert not told["saved"] and "草案已不在起草状态" in told["errors"]
    assert [s[0] for s in saves(law, "D2")] == [1]
