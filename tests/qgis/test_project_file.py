"""The shipped project: made from its table and nothing else, of no machine, over views and columns that there are."""

from __future__ import annotations

import importlib.util
import re
import xml.etree.ElementTree as ET
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml
from sqlalchemy import text
from sqlalchemy.engine import make_url

from rivergis.db.connect import Database
from rivergis.maps import collections, desktop
from rivergis.settings import gis_dir

ROOT = Path(__file__).resolve().parents[2]
TABLE = yaml.safe_load((gis_dir() / "qgis" / "layers.yaml").read_text(encoding="utf-8"))
LAYERS = [layer for group in TABLE["groups"].values() for layer in group]


@pytest.fixture(scope="module")
def maker() -> ModuleType:
    script = str(ROOT / "scripts" / "make-qgis")
    spec = importlib.util.spec_from_loader("make_qgis", SourceFileLoader("make_qgis", script))
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_project_and_styles_are_what_the_table_makes(maker: ModuleType) -> None:
    made = maker.files()
    assert set(gis_dir().glob("styles/*.qml")) | set(gis_dir().glob("qgis/*.qgs")) == set(made)
    for path, content in made.items():
        assert path.read_text(encoding="utf-8") == content, f"{path.name}: run scripts/make-qgis"


def test_the_project_names_no_machine(maker: ModuleType) -> None:
    for path, content in maker.files().items():
        said = re.findall(
            r"(?:host|hostaddr|port|user|password|dbname|authcfg)\s*=(?!rivergs[ <&\"])|file:|[A-Z]:\\|saveUser|/(?:home|tmp|root|var)/",
            content,
        )
        assert said == [], path.name
    for layer in ET.parse(gis_dir() / "qgis" / "rivergis.qgs").getroot().iter("datasource"):
        assert str(layer.text).startswith(
            ("service='rivergis' ", "./", "authcfg=rivergs ", "type=xyz&url=http://127.0.0.1:8000/")
        ), layer.text


def test_every_collection_is_a_layer_over_the_service_with_its_style(maker: ModuleType) -> None:
    over = {layer["web"]: layer for layer in maker.web_layers()}
    assert set(over) == set(collections.COLLECTIONS)
    for name, layer in over.items():
        assert set(layer["labels"]) == {c.name for c in collections.COLLECTIONS[name].columns}, name
        assert (gis_dir() / "styles" / f"{name}.qml").is_file(), name


def test_the_project_of_the_service_holds_what_somebody_may_see_and_nothing_of_the_database() -> None:
    text = desktop.web_project("https://water.office:8443/", frozenset({"view"}), (105.0, 29.0, 106.0, 30.0))
    root = ET.fromstring(text.split("\n", 1)[1])
    sources = [str(e.text) for e in root.iter("datasource")]
    assert sources and all("https://water.office:8443/" in s and "127.0.0.1" not in s for s in sources)
    shown = {m for s in sources for m in re.findall(r"typename='(\w+)'", s)}
    assert shown == {n for n, c in collections.COLLECTIONS.items() if c.capability == "view"}
    assert "service='rivergis'" not in text and "patrol_track" not in text
    assert {e.get("id") for e in root.iter("layer-tree-layer")} == {
        e.text for e in root.findall("projectlayers/maplayer/id")
    }
    none = desktop.web_project("http://x", frozenset())
    assert "<datasource>" not in none


@pytest.mark.parametrize("layer", [x for x in LAYERS if "table" in x], ids=lambda x: x["id"])
def test_layers_stand_on_views_and_columns_that_there_are(module_db: Database, layer: dict[str, Any]) -> None:
    with module_db.read() as conn:
        asked = text("SELECT attname FROM pg_attribute WHERE attrelid = CAST(:t AS regclass) AND attnum > 0")
        columns = set(conn.execute(asked, {"t": f"app.{layer['table']}"}).scalars())
    shown = {c for tab in layer["tabs"].values() for c in tab} | set(layer["key"]) | set(layer.get("edit", ()))
    assert shown <= columns


def test_every_column_and_value_list_has_its_words() -> None:
    for layer in LAYERS:
        shown = {c for tab in layer.get("tabs", {}).values() for c in tab}
        assert shown <= set(TABLE["columns"]), layer["id"]
        lists = {v for v in layer.get("values", {}).values() if ":" not in v}
        assert lists <= set(TABLE["values"]), layer["id"]
    assert all(re.search(r"[\u4e00-\u9fff]", label) for label in TABLE["columns"].values())


def test_layers_of_files_that_are_not_there_are_left_out(tmp_path: Path) -> None:
    none = ET.fromstring(desktop.project({}, None, None, tmp_path).split("\n", 1)[1])
    some = ET.fromstring(
        desktop.project(
            {str(tmp_path / "sub" / "x.gpkg"): ["lines", "notes"]}, "D1", (105.0, 29.0, 106.0, 30.0), tmp_path
        ).split("\n", 1)[1]
    )
    ids = [{e.get("id") for e in root.iter("layer-tree-layer")} for root in (none, some)]
    assert ids[1] - ids[0] == {"rivergis_draft_file_line", "rivergis_draft_file_note"}
    for root, known in zip((none, some), ids, strict=True):
        assert {e.text for e in root.findall("projectlayers/maplayer/id")} == known
        assert {e.get("id") for e in root.iter("layer-setting")} <= known
    assert "./sub/x.gpkg|layername=lines" in [e.text for e in some.iter("datasource")]
    assert some.findtext("properties/Variables/variableValues/value") == "D1"
    assert some.find("ProjectViewSettings/DefaultViewExtent").get("xmin") == "104.900000"  # type: ignore[union-attr]


def test_the_service_holds_no_password_and_everybody_has_an_own_login() -> None:
    shared = desktop.service(make_url("postgresql://owner:secret@db.office:5433/rivers"), False, "li.ming")
    assert (
        shared
        == "[rivergis]\nhost=db.office\nport=5433\ndbname=rivers\nuser=li.ming\noptions=-c rivergis.actor=li.ming -c jit=off\n"
    )
    own = desktop.service(make_url("postgresql+psycopg2://rivergis@/rivers?host=%2Fdata%2Frun"), True, "local:li")
    assert (
        own
        == "[rivergis]\nhost=/data/run\ndbname=rivers\nuser=rivergis\noptions=-c rivergis.actor=local:li -c jit=off\n"
    )


def test_defects_without_a_place_are_no_points() -> None:
    assert len(desktop.defects({})) == 0
    row = {
        "code": "dangle",
        "lon": 105.0,
        "lat": 29.0,
        "reach_id": "r",
        "features": ["x", "y"],
        "zh": "悬挂",
        "sentence": "It hangs.",
    }
    made = desktop.defects({"defects": [row, {"code": "missing_bank"}]})
    told = ["code", "code_zh", "reach", "features", "sentence"]
    assert made[told].to_numpy().tolist() == [["dangle", "悬挂线", "r", "x,y", "悬挂 It hangs."]]
    assert made["measure"].isna().all() and made.crs == "EPSG:4490"
