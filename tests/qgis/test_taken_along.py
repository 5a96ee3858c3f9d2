"""QGIS on what somebody takes along, and on the service: the field folder and the project without a login of the database."""

from __future__ import annotations

import json
import shutil
import subprocess
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from rivergis.db import access
from rivergis.db.connect import Database
from tests.maps import pocket_ground
from tests.qgis.test_desk import PYTHON, WHY_NOT
from tests.serving import PROGRAM, serving

pytestmark = pytest.mark.skipif(WHY_NOT is not None, reason=str(WHY_NOT))
LOOK = Path(__file__).with_name("look.py")


@pytest.fixture(scope="module")
def land(module_db: Database, tmp_path_factory: pytest.TempPathFactory) -> Database:
    pocket_ground.lay(module_db, tmp_path_factory.mktemp("nights"))
    return module_db


@pytest.fixture
def env(land: Database, data_dir: Path) -> dict[str, str]:
    return {
        "RIVERGIS_DATA_DIR": str(data_dir),
        "RIVERGIS_DATABASE": land.name,
        "PATH": "/usr/bin:/bin",
        "LANG": "C.UTF-8",
    }


def look(project: Path, folder: Path, *login: str) -> dict[str, Any]:
    folder.chmod(0o700)
    seen = subprocess.run([PYTHON, LOOK, project, folder, *login], capture_output=True, text=True, timeout=120)
    assert seen.returncode == 0, seen.stderr
    return dict(json.loads(seen.stdout.splitlines()[-1]))


def test_a_field_folder_opens_where_it_was_copied_to_and_a_report_comes_back(
    env: dict[str, str], tmp_path: Path
) -> None:
    made = tmp_path / "office" / "field"
    asked = [
        "map",
        "field",
        str(made),
        "--district",
        "500199",
        "--on",
        str(pocket_ground.DAY),
        "--with",
        "cases",
        "--as",
        "inspector",
    ]
    subprocess.run([PROGRAM, *asked], env=env, check=True, capture_output=True)
    there = tmp_path / "card"
    shutil.move(made, there)
    seen = look(there / "field.qgs", tmp_path)
    layers = seen["layers"]
    assert all(layer["valid"] for layer in layers.values()) and len(layers) >= 10
    assert {n for n, layer in layers.items() if not layer["read_only"]} == {"field_report"}
    rows = {
        n: layers[f"field_{n}"]["rows"] for n in ("reach", "stake", "outfall", "finding", "work_lead", "work_stake")
    }
    assert rows == {"reach": 1, "stake": 2, "outfall": 2, "finding": 2, "work_lead": 2, "work_stake": 1}
    assert (
        layers["field_reach"]["labels"]["code"] == "编码 code"
        and layers["field_finding"]["renderer"] == "categorizedSymbol"
    )
    assert seen["colours"] > 8 and all(s.startswith(str(there)) for s in seen["sources"])
    assert (
        seen["report"]["saved"]
        and seen["report"]["photo"] == "ExternalResource"
        and seen["report"]["kinds"][0] == "建筑物 building"
    )
    Image.new("RGB", (40, 30), "brown").save(there / "DCIM" / "heap.jpg")
    back = [
        "encroachment",
        "report",
        "--from",
        str(there / "reports.gpkg"),
        "--photos",
        str(there / "DCIM"),
        "--as",
        "inspector",
        "--json",
    ]
    told = json.loads(subprocess.run([PROGRAM, *back], env=env, check=True, capture_output=True, text=True).stdout)
    assert [r["kind"] for r in told["reports"]] == ["dump"] and told["refused"] == []


def test_the_project_of_the_service_opens_every_collection_with_a_key(
    land: Database, env: dict[str, str], tmp_path: Path
) -> None:
    with land.write("test") as conn:
        key = access.make_key(conn, "inspector", "qgis")
    with serving(env) as (address, _):
        asked = urllib.request.Request(
            address.rstrip("/") + "/qgis/project.qgs", headers={"Authorization": f"Bearer {key}"}
        )
        with urllib.request.urlopen(asked) as answer:
            (tmp_path / "web.qgs").write_bytes(answer.read())
        seen = look(tmp_path / "web.qgs", tmp_path, "inspector", key)
    assert all(layer["valid"] for layer in seen["layers"].values()), seen["layers"]
    assert seen["others"] == {"web_tiles": True}
    rows = {n: seen["layers"][f"web_{n}"]["rows"] for n in ("reach", "stake", "outfall", "admin_unit", "finding")}
    assert rows == {"reach": 1, "stake": 2, "outfall": 2, "admin_unit": 3, "finding": 2}
    assert seen["layers"]["web_stake"]["labels"]["bank"] == "岸别 bank"
    assert "web_patrol_track" in seen["layers"] and "web_boundary_draft_line" not in seen["layers"]
    assert seen["colours"] > 8, "vector tiles are drawn"
    assert key not in (tmp_path / "web.qgs").read_text(encoding="utf-8")
