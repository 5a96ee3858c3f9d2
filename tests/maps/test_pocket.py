"""What goes along in a pocket, and what does not unless somebody may ask for it and does; each export leaves its line."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas as gpd
import pyogrio
import pytest
from pmtiles.reader import MmapSource, Reader, all_tiles
from sqlalchemy import text

from rivergis.cli import _run
from rivergis.db.connect import Database
from rivergis.encroachment import report_store
from rivergis.maps.pocket import district as pocket
from tests.maps import pocket_ground
from tests.maps.pocket_reader import block_of, head_of, unpack

Run = Callable[..., str]
COUNTY = ("--district", "500199", "--on", str(pocket_ground.DAY), "--as", "inspector")


@pytest.fixture(scope="module")
def land(module_db: Database, tmp_path_factory: pytest.TempPathFactory) -> Database:
    pocket_ground.lay(module_db, tmp_path_factory.mktemp("nights"))
    return module_db


@pytest.fixture
def run(
    land: Database, data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    """``rivergis ARGS`` in this process, in a folder of its own; what it says, after checking the exit code."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RIVERGIS_DATA_DIR", str(data_dir))
    monkeypatch.setenv("RIVERGIS_DATABASE", land.name)
    monkeypatch.delenv("RIVERGIS_ACTOR", raising=False)

    def call(*args: str, code: int = 0) -> str:
        exit_code = _run([*args])
        said = capsys.readouterr()
        assert exit_code == code, said.err + said.out
        return said.out + said.err

    return call


def read(name: str = "out.html") -> tuple[dict[str, Any], dict[str, Any], str]:
    """Head, layers by name, and all that the packed data says as one text."""
    html = Path(name).read_text(encoding="utf-8")
    told, _ = unpack(block_of(html))
    return head_of(html), {layer["id"]: layer for layer in told["layers"]}, json.dumps(told, ensure_ascii=False)


def audited(db: Database, target: str) -> tuple[str, dict[str, Any]]:
    with db.read() as conn:
        asked = text(
            "SELECT actor, detail FROM sys.audit WHERE action = 'export' AND target = :t ORDER BY id DESC LIMIT 1"
        )
        row = conn.execute(asked, {"t": target}).one()
    return str(row.actor), dict(row.detail)


def test_a_county_with_its_work_and_without_what_nobody_asked_for(run: Run, land: Database) -> None:
    told = json.loads(run("map", "pocket", "out.html", *COUNTY, "--holder", " 李  明 ", "--expires", "3", "--json"))
    head, layers, every = read()
    assert (head["holder"], head["district"]["name"], head["day"]) == ("李 明", "试验县", str(pocket_ground.DAY))
    assert {"admin_unit", "reach", "boundary_line", "source_zone", "outfall", "stake"} <= set(layers)
    assert layers["work_lead"]["n"] == 2 and layers["work_stake"]["label"] == ["界桩 R1-L-1 · 丢失 lost"]
    assert "finding" not in layers and "intake" not in layers
    for hidden in (pocket_ground.INTAKE, pocket_ground.CHIEF, "heap", "building"):
        assert hidden not in every, hidden
    actor, detail = audited(land, "pocket:500199")
    assert (
        actor == "inspector"
        and detail["holder"] == "李 明"
        and detail["expires_on"] == head["expires_on"] == told["expires_on"]
    )
    assert detail["sha256"] == hashlib.sha256(Path("out.html").read_bytes()).hexdigest() == told["sha256"]
    assert detail["with"] == [] and detail["counts"]["outfall"] == 2


def test_patrols_whose_period_ends_are_work(run: Run) -> None:
    run("map", "pocket", "out.html", *COUNTY, "--on", "2026-05-28")
    _, layers, every = read()
    assert layers["work_patrol"]["n"] == 1 and layers["work_patrol"]["label"][0].startswith("试验河 0+000–2+000")
    assert pocket_ground.CHIEF not in every


def test_what_was_asked_for_goes_along(run: Run, land: Database) -> None:
    run("map", "pocket", "out.html", *COUNTY, "--with", "intakes,persons,cases")
    head, layers, every = read()
    assert len(head["sensitive"]) == 3 and layers["finding"]["n"] == 2 and layers["intake"]["n"] == 1
    assert pocket_ground.INTAKE in every and every.count(pocket_ground.CHIEF) >= 2
    assert audited(land, "pocket:500199")[1]["with"] == ["cases", "intakes", "persons"]
    run("map", "pocket", "out.html", *COUNTY, "--with", "cases", "--overwrite")
    assert pocket_ground.CHIEF not in read()[2]


@pytest.mark.parametrize(
    ("args", "code", "sentence"),
    [
        (("--as", "clerk", "--with", "persons"), 7, "view_tracks"),
        (("--as", "clerk", "--with", "cases"), 7, "inspect"),
        (("--as", "viewer"), 7, "export"),
        (("--with", "everything"), 2, "intakes, persons, cases"),
        (("--layers", "patrol_track"), 2, "no layer of a pocket map"),
        (("--district", "丙县"), 3, "试验县 500199"),
        (("--as", "bridge", "--district", "500199"), 3, "no district"),
        (("--as", "bridge", "--district", "500199001201"), 3, "no district"),
        (("--max-mb", "0.2", "--holder", " "), 2, "holder"),
    ],
)  # fmt: skip
def test_who_may_not_gets_nothing(run: Run, args: tuple[str, ...], code: int, sentence: str) -> None:
    assert sentence in run("map", "pocket", "out.html", *COUNTY, *args, code=code)
    assert not Path("out.html").exists()


def test_a_village_by_name_holds_what_lies_in_it(run: Run) -> None:
    run("map", "pocket", "out.html", *COUNTY, "--district", "石桥村")
    _, layers, _ = read()
    assert layers["outfall"]["label"] == ["桥下排口"] and layers["stake"]["n"] == 1
    assert sorted(layers["admin_unit"]["label"]) == ["石桥村", "试验县"]
    assert layers["work_lead"]["n"] == 1 and layers["reach"]["n"] == 1


def test_without_a_district_it_is_all_that_one_may_see(run: Run, land: Database) -> None:
    for who, outfalls in (("inspector", {"湾口排口", "桥下排口"}), ("bridge", {"桥下排口"})):
        run("map", "pocket", "out.html", "--on", str(pocket_ground.DAY), "--as", who, "--overwrite")
        head, layers, _ = read()
        assert set(layers["outfall"]["label"]) == outfalls and head["district"] == {"code": "", "name": "全部"}
    assert audited(land, "pocket:all")[0] == "bridge"


def test_an_account_of_one_village_takes_that_village(run: Run) -> None:
    run("map", "pocket", "out.html", *COUNTY, "--as", "bridge", "--district", "石桥村")
    assert read()[1]["outfall"]["label"] == ["桥下排口"]


def test_a_file_that_is_there_is_kept(run: Run) -> None:
    assert ".html" in run("map", "pocket", "out.gpkg", *COUNTY, code=2)
    Path("out.html").write_text("mine", encoding="utf-8")
    assert "--overwrite" in run("map", "pocket", "out.html", *COUNTY, code=2)
    assert Path("out.html").read_text(encoding="utf-8") == "mine"


def test_a_passphrase_comes_from_the_environment_and_is_in_no_line(
    run: Run, land: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RIVERGIS_POCKET_PASSPHRASE", "a very long secret")
    said = run("map", "pocket", "out.html", *COUNTY, "--passphrase")
    assert head_of(Path("out.html").read_text(encoding="utf-8"))["sealed"]
    detail = audited(land, "pocket:500199")[1]
    assert detail["sealed"] is True and "a very long secret" not in said + json.dumps(detail)


def test_the_zeros_of_lower_levels_are_no_part_of_a_district() -> None:
    for code, short in (
        ("500199", "500199"),
        ("500100", "5001"),
        ("500000", "50"),
        ("500199001000", "500199001"),
        ("500199000000", "500199"),
        ("X1", "X1"),
    ):
        assert pocket.District(code, "", "", None).prefix == short


def test_a_field_folder_goes_out_and_its_reports_come_back(run: Run, land: Database) -> None:
    run("map", "field", "field", *COUNTY, "--with", "cases")
    names = {str(n) for n, _ in pyogrio.list_layers("field/data.gpkg")}
    assert {
        "reach",
        "boundary_line",
        "stake",
        "finding",
        "work_lead",
        "layer_styles",
    } <= names and "intake" not in names
    reach = gpd.read_file("field/data.gpkg", layer="reach")
    assert (
        reach.crs == "EPSG:4490"
        and reach["code"].tolist() == ["R1-1"]
        and reach.geometry.iloc[0].geom_type == "LineString"
    )
    styles = pyogrio.read_dataframe("field/data.gpkg", layer="layer_styles", read_geometry=False)
    assert set(styles["f_table_name"]) == names - {"layer_styles"} and styles["useAsDefault"].all()
    actor, detail = audited(land, "field:500199")
    assert actor == "inspector" and detail["sha256"] == hashlib.sha256(Path("field/data.gpkg").read_bytes()).hexdigest()
    assert not [p for p in Path().iterdir() if p.name != "field"]
    filled = gpd.read_file("field/reports.gpkg", layer="report").iloc[0:0]
    place = gpd.points_from_xy([reach.geometry.iloc[0].coords[0][0]], [reach.geometry.iloc[0].coords[0][1]])
    rows = {
        "kind": ["dump"],
        "at": [f"{pocket_ground.DAY} 09:30:00"],
        "photo": [None],
        "note": ["桥下渣土"],
        "accuracy_m": [5.0],
    }
    more = gpd.GeoDataFrame(rows, geometry=place, crs=filled.crs)
    pyogrio.write_dataframe(more, "field/reports.gpkg", layer="report", append=True)
    run("encroachment", "report", "--from", "field/reports.gpkg", "--photos", "field/DCIM", "--as", "inspector")
    with land.read() as conn:
        listed = report_store.listed(conn, pocket_ground.DAY, pocket_ground.DAY)
    assert [(r["kind"], r["actor"]) for r in listed] == [("dump", "inspector")]


def test_a_field_folder_that_is_there_is_kept(run: Run) -> None:
    Path("field").mkdir()
    Path("field/mine.txt").touch()
    assert "not empty" in run("map", "field", "field", *COUNTY, code=2)
    assert [p.name for p in Path("field").iterdir()] == ["mine.txt"]


LAYERS = ("--layers", "reach,boundary_line,outfall,source_zone,admin_unit")


def test_tiles_as_pmtiles_and_mbtiles_read_back(run: Run, land: Database) -> None:
    told = json.loads(run("map", "tiles", "export", "t.pmtiles", *LAYERS, *COUNTY, "--maxzoom", "13", "--json"))
    run("map", "tiles", "export", "t.mbtiles", *LAYERS, *COUNTY, "--maxzoom", "13")
    with Path("t.pmtiles").open("rb") as file:
        reader = Reader(MmapSource(file))
        head, meta = reader.header(), reader.metadata()
        assert sum(1 for _ in all_tiles(reader.get_bytes)) == told["tiles"] == head["addressed_tiles_count"]
    assert (head["min_zoom"], head["max_zoom"]) == (6, 13) and meta["day"] == str(pocket_ground.DAY)
    by_id = {layer["id"]: layer for layer in meta["vector_layers"]}
    assert by_id["outfall"]["description"] == "入河排污口 outfall" and by_id["reach"]["field_names"][
        "label"
    ].startswith("名称")
    for name in ("t.pmtiles", "t.mbtiles"):
        there = gpd.read_file(name, layer="outfall")
        assert sorted(there["label"]) == ["桥下排口", "湾口排口"], name
    actor, detail = audited(land, f"tiles:{LAYERS[1]}")
    assert actor == "inspector" and detail["area"] == "500199" and detail["tiles"] == told["tiles"]
    assert not list(Path().glob("*.part"))


def test_tiles_of_a_village_and_of_an_account_of_one(run: Run) -> None:
    for number, who in enumerate(("inspector", "bridge")):
        run(
            "map",
            "tiles",
            "export",
            f"{number}.mbtiles",
            *LAYERS,
            *COUNTY,
            "--as",
            who,
            "--district",
            "石桥村",
            "--maxzoom",
            "13",
        )
        assert gpd.read_file(f"{number}.mbtiles", layer="outfall")["label"].tolist() == ["桥下排口"]
    run(
        "map",
        "tiles",
        "export",
        "own.mbtiles",
        *LAYERS,
        "--on",
        str(pocket_ground.DAY),
        "--as",
        "bridge",
        "--maxzoom",
        "13",
    )
    assert gpd.read_file("own.mbtiles", layer="outfall")["label"].tolist() == ["桥下排口"]


@pytest.mark.parametrize(
    ("args", "code", "sentence"),
    [
        (("t.zip", *LAYERS), 2, ".pmtiles or .mbtiles"),
        (("t.pmtiles", "--layers", "patrol_track", "--as", "clerk"), 7, "view_tracks"),
        (("t.pmtiles", "--layers", "nothing"), 3, "no collection"),
        (("t.pmtiles", *LAYERS, "--minzoom", "9", "--maxzoom", "8"), 2, "do not"),
        (("t.pmtiles", *LAYERS, "--as", "viewer"), 7, "export"),
        (("t.pmtiles", "--layers", "permit"), 2, "nothing is written"),
    ],
)  # fmt: skip
def test_tiles_that_cannot_be(run: Run, args: tuple[str, ...], code: int, sentence: str) -> None:
    given = args if "--as" in args else (*args, "--as", "inspector")
    assert sentence in run("map", "tiles", "export", *given, "--on", str(pocket_ground.DAY), code=code)
    assert not list(Path().iterdir())
