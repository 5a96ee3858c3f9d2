"""Two files of whatever kind: areas or lines, Chinese field names, other systems and encodings, and what does not close."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import geopandas as gpd
import pytest
import shapely

from rivergis import rules
from rivergis.boundary.redraw import compare as diff
from rivergis.boundary.redraw import files as diff_files
from rivergis.boundary.redraw import told as diff_told
from rivergis.boundary.redraw.files import Files
from rivergis.errors import InputError
from rivergis.rules import path_of
from rivergis.settings import gis_dir
from tests.boundary.test_diff_laws import METRIC, box

VIEW = rules.load(gis_dir() / "rules").at(path_of("000000"), date(2026, 6, 1))
OLD, NEW = box(0, -50, 1000, 50), box(0, -50, 1000, 50).difference(box(200, 40, 400, 50))


def write(
    path: Path, shapes: list[Any], crs: str = "EPSG:4490", layer: str | None = None, **columns: list[Any]
) -> Path:
    frame = gpd.GeoDataFrame(columns, geometry=shapes, crs=METRIC).to_crs(crs)
    if path.suffix == ".shp":
        frame.to_file(path, encoding="GBK")
    else:
        frame.to_file(path, driver="GPKG", layer=layer or path.stem)
    return path


def line(*points: tuple[float, float]) -> shapely.LineString:
    return shapely.LineString([(500_000 + x, 3_300_000 + y) for x, y in points])


def areas(folder: Path) -> tuple[Path, Path]:
    old = write(folder / "old.gpkg", [OLD], 河流编码=["A"], 河流名称=["清水河"], 公告日期=["2020-06-01"])
    return old, write(folder / "new.gpkg", [NEW], 河流编码=["A"], 调整理由=["堤防改线"])


def lines(folder: Path, name: str, left: list[shapely.LineString], crs: str = "EPSG:4490") -> Path:
    """Left lines as given, the right line along y = -50; digitised downstream."""
    shapes = [*left, line((0, -50), (1000, -50))]
    return write(
        folder / name,
        shapes,
        crs,
        reach_id=["R1"] * len(shapes),
        bank=["左岸"] * len(left) + ["右岸"],
        line_type=["管理范围线"] * len(shapes),
    )


def test_areas_say_river_reason_and_day_in_the_words_of_the_office(tmp_path: Path) -> None:
    redraw = diff_files.redraw(Files(*areas(tmp_path)), VIEW)
    told = diff_told.told(redraw)
    (one,) = told["reductions"]
    assert (one["river"], one["reason"]) == ("清水河", "堤防改线")
    assert one["m2"] == pytest.approx(2000, rel=2e-3)
    assert told["about"]["old_day"] == "2020-06-01"
    assert len(told["about"]["old"]["sha256"]) == 64


def test_m2_are_those_of_the_ellipsoid_wherever_the_zone_stretches(tmp_path: Path) -> None:
    from rivergis import crs

    redraw = diff_files.redraw(Files(*areas(tmp_path)), VIEW)
    stored = gpd.GeoSeries([OLD], crs=METRIC).to_crs(4490).iloc[0]
    assert redraw.total["old_m2"] == pytest.approx(crs.area_m2(stored), rel=1e-6)


def test_the_same_ground_in_another_system_changes_nothing(tmp_path: Path) -> None:
    old = write(tmp_path / "old.gpkg", [OLD], river_code=["A"])
    new = write(tmp_path / "new.shp", [OLD], "EPSG:4546", river_code=["A"])
    redraw = diff_files.redraw(Files(old, new), VIEW)
    assert redraw.changed.empty
    assert redraw.pieces["m2"].sum() < 0.01


def test_lines_of_two_banks_are_closed_and_compared(tmp_path: Path) -> None:
    old = lines(tmp_path, "old.gpkg", [line((0, 50), (1000, 50))])
    new = lines(tmp_path, "new.gpkg", [line((400, 50), (1000, 50)), line((0, 50), (300, 30), (400, 50))])
    (one,) = diff.reductions(diff_files.redraw(Files(old, new), VIEW))
    assert one.m2 == pytest.approx(0.5 * 400 * 20, rel=2e-3)


def test_a_reach_of_which_a_bank_has_a_gap_is_not_compared_and_that_is_said(tmp_path: Path) -> None:
    shapes = [
        line((0, 50), (1000, 50)),
        line((0, -50), (1000, -50)),
        line((0, 250), (1000, 250)),
        line((0, 150), (1000, 150)),
    ]
    whole = {"reach_id": ["R1", "R1", "R2", "R2"], "bank": ["L", "R", "L", "R"]}
    old = write(tmp_path / "old.gpkg", shapes, **whole)
    gap = [line((0, 50), (400, 50)), line((460, 50), (1000, 50)), *shapes[1:]]
    new = write(tmp_path / "new.gpkg", gap, reach_id=["R1", "R1", "R1", "R2", "R2"], bank=["L", "L", "R", "L", "R"])
    redraw = diff_files.redraw(Files(old, new), VIEW)
    (said,) = [s for s in redraw.said if s.code == "redraw_not_compared"]
    assert said.features == ("R1",) and "60.0 m apart" in said.sentence
    assert redraw.changed.empty
    assert redraw.total["old_m2"] == pytest.approx(100_000, rel=2e-3)


def test_lines_of_which_none_close_are_refused_in_a_sentence(tmp_path: Path) -> None:
    old, _ = areas(tmp_path)
    new = write(tmp_path / "half.gpkg", [line((0, 50), (1000, 50))], reach_id=["R1"], bank=["左"])
    with pytest.raises(InputError, match=r"half\.gpkg.*no right line"):
        diff_files.redraw(Files(old, new), VIEW)


def test_a_side_that_names_no_river_is_compared_as_one_and_that_is_said(tmp_path: Path) -> None:
    old, _ = areas(tmp_path)
    new = write(tmp_path / "plain.gpkg", [NEW], note=["x"])
    redraw = diff_files.redraw(Files(old, new), VIEW)
    assert [round(r.m2, -1) for r in diff.reductions(redraw)] == [2000]
    assert "rivers_unknown" in [s.code for s in redraw.said]


def test_rivers_named_differently_on_the_two_sides_are_told(tmp_path: Path) -> None:
    old, _ = areas(tmp_path)
    new = write(tmp_path / "renamed.gpkg", [OLD], river_code=["A-1"])
    redraw = diff_files.redraw(Files(old, new), VIEW)
    assert not diff.reductions(redraw)
    assert "rivers_differ" in [s.code for s in redraw.said]


def test_layers_are_read_by_their_own_names_of_fields(tmp_path: Path) -> None:
    things = {
        "land_use": (write(tmp_path / "dltb.shp", [box(0, 0, 1000, 60)], "EPSG:4546", DLMC=["水田"], TBBH=["12"]),),
        "building": (
            write(
                tmp_path / "fw.gpkg", [box(250, 42, 260, 48)], 户数=[2], 建成时间=["2024-03-01"], 房屋坐落=["河湾村"]
            ),
        ),
        "case": (
            write(
                tmp_path / "wt.gpkg",
                [box(300, 44, 310, 46), box(320, 44, 330, 46)],
                问题编号=["500199-2026-1", "2"],
                状态=["整改中", "已销号"],
            ),
        ),
    }
    redraw = diff_files.redraw(Files(*areas(tmp_path), things=things), VIEW)
    told = {t["layer"]: t for t in diff_told.told(redraw)["things"]}
    assert (told["land_use"]["kind"], told["land_use"]["name"]) == ("水田", "12")
    assert (told["building"]["name"], told["building"]["households"], told["building"]["since"]) == (
        "河湾村",
        2,
        "2024-03-01",
    )
    assert told["case"]["name"] == "500199-2026-1"
    (one,) = diff.reductions(redraw)
    assert (one.cases, one.flags) == (("500199-2026-1",), ("new_object", "open_case"))


def test_a_layer_without_shapes_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("名称\n甲\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"t\.csv.*no geometry"):
        diff_files.redraw(Files(*areas(tmp_path), things={"farmland": (tmp_path / "t.csv",)}), VIEW)


def test_layers_an_office_keeps_are_read_once_until_they_change(tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    folder.mkdir()
    write(folder / "farmland.gpkg", [box(0, 0, 1000, 60)], name=["一号田"])
    (folder / "readme.txt").write_text("x")
    kept = diff_files.kept(folder)
    assert list(kept.things) == ["farmland"] and kept.observed is None
    assert diff_files.kept(folder).things["farmland"] is kept.things["farmland"]
    write(folder / "farmland.gpkg", [box(0, 0, 1000, 60), box(0, 0, 1, 1)], name=["一号田", "二号田"])
    assert len(diff_files.kept(folder).things["farmland"]) == 2
    redraw = diff_files.redraw(Files(*areas(tmp_path)), VIEW, more=kept)
    assert [t["name"] for t in diff_told.told(redraw)["things"]] == ["一号田"]
    assert diff_files.kept(tmp_path / "none") == diff_files.Given()


def test_lines_are_held_against_lines_where_both_files_have_them(tmp_path: Path) -> None:
    """Areas that meet in a node beyond the caps of their lines: only the lines of the other file can be compared with lines."""
    old = write(tmp_path / "old.gpkg", [box(0, -50, 1010, 50)], layer="areas", reach_id=["R1"])
    both = gpd.GeoDataFrame(
        {"reach_id": ["R1", "R1"], "bank": ["L", "R"]},
        geometry=[line((0, 50), (1000, 50)), line((0, -50), (1000, -50))],
        crs=METRIC,
    )
    both.to_crs(4490).to_file(old, driver="GPKG", layer="lines")
    new = lines(tmp_path, "new.gpkg", [line((0, 50), (1000, 50))])
    redraw = diff_files.redraw(Files(old, new), VIEW)
    assert redraw.changed.empty and redraw.total["old_m2"] == pytest.approx(100_000, rel=2e-3)
    mixed = diff_files.redraw(Files(old, new, old_layer="areas"), VIEW)
    assert len(mixed.changed) == 1 and "areas_against_lines" in [s.code for s in mixed.said]
