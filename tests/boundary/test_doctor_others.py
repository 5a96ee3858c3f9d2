"""The line doctor on stakes, areas, the former version, files without the usual columns, and folded consequences."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import pytest
import shapely

from rivergis.boundary.doctor import files as doctor_files
from rivergis.boundary.doctor import report as doctor_report
from rivergis.boundary.doctor.case import Defect
from rivergis.boundary.doctor.examine import check, examine
from rivergis.boundary.doctor.fold import fold
from rivergis.errors import InputError
from tests.boundary import doctor_ground as ground
from tests.boundary.doctor_ground import HOME, areas, changed, lines, only, path, rows, spot, stakes, told, world


def moved_stake(no: str, by: tuple[float, float]) -> gpd.GeoDataFrame:
    frame = stakes(rows())
    at = frame["stake_no"] == no
    return frame.set_geometry(
        [shapely.transform(g, lambda xy: xy + by) if a else g for g, a in zip(frame.geometry, at, strict=True)],
        crs=HOME,
    )


def test_a_stake_off_its_line_is_told_and_one_within_the_tolerance_is_not() -> None:
    d = only(world(stakes=moved_stake("R1-L-004", (0, 2.5))))
    assert (d.code, d.features, d.measure) == ("stake_off_line", ("R1-L-004",), pytest.approx(2.5))
    assert told(world(stakes=moved_stake("R1-L-004", (0, 0.4)))) == []


def test_two_numbers_exchanged_are_one_defect() -> None:
    frame = stakes(rows())
    frame["stake_no"] = frame["stake_no"].replace({"R1-L-004": "R1-L-005", "R1-L-005": "R1-L-004"})
    d = only(world(stakes=frame))
    assert (d.code, d.reach, d.side) == ("stake_number_order", "R1", "left") and d.from_m < 390 < d.to_m


def test_a_stake_set_in_between_keeps_the_order() -> None:
    frame = stakes(rows())
    more = gpd.GeoDataFrame(
        {"stake_no": ["R1-L-004-1"], "reach_id": ["R1"], "bank": ["L"]}, geometry=[spot(380, 35)], crs=HOME
    )
    assert told(world(stakes=gpd.pd.concat([frame, more], ignore_index=True))) == []


def test_stakes_too_far_apart_are_told_but_not_beside_a_gap_of_the_line() -> None:
    frame = stakes(rows())
    fewer = frame[~frame["stake_no"].isin(["R1-L-004", "R1-L-005"])]
    d = only(world(stakes=fewer))
    assert (d.code, d.measure) == ("stake_spacing", pytest.approx(300.0))
    whole = rows()["r1l"]
    cut = {**rows(), "r1l": {**whole, "geometry": path((0, 35), (320, 35))}}
    cut["r1l+"] = {**whole, "line_id": "r1l+", "geometry": path((540, 35), (1985, 35))}
    assert [d.code for d in examine(world(cut, stakes=fewer))] == ["gap_in_line"]


def test_a_reduction_is_told_and_an_enlargement_is_not() -> None:
    out = changed("r1l", geometry=path((0, 35), (800, 35), (850, 42), (950, 42), (1000, 35), (1985, 35)))
    former = lines(out)[["line_id", "reach_id", "bank", "geometry"]]
    d = only(world(former=former))
    assert (d.code, d.side, d.measure) == ("shrunk_against_former", "left", pytest.approx(7.0, abs=0.1))
    assert 790 < d.from_m < 850 and 950 < d.to_m < 1010
    wider = changed(
        "r1l", basis="road", geometry=path((0, 35), (800, 35), (850, 42), (950, 42), (1000, 35), (1985, 35))
    )
    assert told(world(wider, stakes=None)) == []


def with_areas(**shapes: Any) -> gpd.GeoDataFrame:
    frame = areas()
    return frame.set_geometry(
        [shapes.get(a, g) for a, g in zip(frame["area_id"], frame.geometry, strict=True)], crs=HOME
    )


def test_an_area_left_open_is_told_and_the_river_is_still_looked_for_in_it() -> None:
    outline = shapely.LineString(areas().geometry.iloc[2].exterior.coords[:-1])
    d = only(world(areas=with_areas(p2b=outline)))
    assert (d.code, d.reach, d.features, d.layer) == ("area_not_closed", "R2", ("p2b",), "areas")


def test_a_sliver_is_told_and_a_narrow_ditch_is_not() -> None:
    thin = gpd.GeoDataFrame(
        {"area_id": ["s"], "reach_id": ["R1"], "county": ["A"]}, geometry=[ground.box(500, 35, 700, 35.3)], crs=HOME
    )
    d = only(world(areas=gpd.pd.concat([areas(), thin], ignore_index=True)))
    assert (d.code, d.features) == ("sliver_area", ("s",))
    ditch = thin.set_geometry([ground.box(500, 60, 700, 62)], crs=HOME)
    assert told(world(areas=gpd.pd.concat([areas(), ditch], ignore_index=True))) == []


def test_only_the_area_is_wrong() -> None:
    dented = areas().geometry.iloc[0].difference(ground.box(900, -8, 980, 60))
    d = only(world(areas=with_areas(p1=dented)))
    assert (d.code, d.reach, d.side, d.layer) == ("centreline_not_inside", "R1", "left", "areas")
    assert abs(d.from_m - 900) < 2 and abs(d.to_m - 980) < 2
    holed = areas().geometry.iloc[0].difference(ground.box(900, 22, 980, 30))
    assert told(world(areas=with_areas(p1=holed))) == []


def test_what_is_not_given_is_not_checked_and_that_is_said() -> None:
    bare = replace(
        world(changed("r1l", geometry=path((0, 35), (800, 35), (840, 8), (900, 8), (940, 35), (1985, 35)))),
        water=None, levees=None, former=None, stakes=None, counties=None, areas=None, present=frozenset({"line_id", "reach_id", "bank"}),
    )  # fmt: skip
    assert examine(bare) == []
    asked_not = {c for n in check(bare).not_checked for c in n.codes}
    assert {"missing_announcement", "bad_date", "bad_chainage", "offset_from_rule", "bad_code"} <= asked_not


def test_a_draft_that_names_no_announcement_in_any_line_is_not_asked_for_one() -> None:
    named = {k: {**r, "announce_gov": None, "announce_doc_no": None, "announce_date": None} for k, r in rows().items()}
    case = world(named)
    assert examine(case) == []
    assert [n.codes for n in check(case).not_checked] == [("missing_announcement", "bad_date")]


def defect(code: str, side: str | None, a: float, b: float, features: tuple[str, ...] = (), **more: Any) -> Defect:
    return Defect(code, "blocks", "R", None, a, b, shapely.Point(a, 0), features, None, "m", "", "", side=side, **more)


def test_a_consequence_goes_with_its_cause_only_where_it_lies_with_it() -> None:
    table = {"spike": ("stake_off_line",), "stake_off_line": ("stake_spacing",)}
    cause = defect("spike", "left", 100, 100)
    here, there, across = (defect("stake_off_line", s, a, a) for s, a in (("left", 120), ("left", 300), ("right", 120)))
    kept = fold([here, cause, there, across], table)
    assert [(d.code, d.side, d.from_m) for d in kept] == [
        ("spike", "left", 100),
        ("stake_off_line", "left", 300),
        ("stake_off_line", "right", 120),
    ]
    assert kept[0].consequences == ("stake_off_line",)


def test_folding_twice_changes_nothing_and_nothing_is_lost() -> None:
    table = {"a": ("b",), "b": ("c",), "c": ("a",)}  # even where a table goes round
    found = [defect(c, None, k, k) for k, c in enumerate("bca")]
    once = fold(found, {"a": ("b",), "b": ("c",)})
    assert [d.code for d in once] == ["a"] and once[0].consequences == ("b", "c")
    assert fold(once, table) == once
    round_ = fold(found, table)
    assert {d.code for d in round_} | {c for d in round_ for c in d.consequences} == {"a", "b", "c"}


def write(folder: Path, case: Any, system: str, columns: dict[str, str]) -> doctor_files.Files:
    """The world as files of an office: its own field names and coordinate system."""
    shapes = case.lines.drop(columns=["given", "given_crs", "file", "row", "rule_m", "drawn_by"]).rename(
        columns=columns
    )
    shapes.to_crs(system).to_file(folder / "lines.gpkg", layer="lines", engine="pyogrio")
    case.areas.to_crs(system).to_file(folder / "lines.gpkg", layer="areas", engine="pyogrio")
    for name in ("reaches", "water", "levees", "former", "stakes", "counties"):
        getattr(case, name).to_crs("EPSG:4490").to_file(
            folder / f"{name}.gpkg", layer=name if name != "former" else "lines", engine="pyogrio"
        )
    (folder / "params.json").write_text(json.dumps(ground.PARAMS), encoding="utf-8")
    return doctor_files.Files(
        [folder / "lines.gpkg"], *(folder / f"{n}.gpkg" for n in ("reaches", "levees", "water", "former", "stakes", "counties")), folder / "params.json"
    )  # fmt: skip


def test_files_with_chinese_fields_in_another_system_give_the_same_defects(tmp_path: Path) -> None:
    case = world(changed("r2lb", geometry=path((3012, 35), (4000, 35))))
    names = {"reach_id": "河段编号", "bank": "岸别", "line_id": "界线编号", "announce_date": "公告日期"}
    read = doctor_files.read(write(tmp_path, case, "EPSG:4526", names), ground._view())
    found, wanted = examine(read), examine(case)
    assert [(d.code, d.reach, d.side, d.features) for d in found] == [
        (d.code, d.reach, d.side, d.features) for d in wanted
    ]
    assert abs(found[0].from_m - wanted[0].from_m) < 0.1


def test_the_report_is_plain_data_with_places_in_degrees() -> None:
    case = world(changed("r2lb", geometry=path((3012, 35), (4000, 35))))
    told_ = doctor_report.report(
        case, check(case), [], {0: {"sentence": "move it", "kind": "geometry", "feature": "r2lb"}}
    )
    row = json.loads(json.dumps(told_))["defects"][0]
    assert (row["code"], row["reach_id"], row["bank"], row["features"]) == ("seam_gap", "R2", "L", ["r2l", "r2lb"])
    assert 113 < row["lon"] < 115 and 30 < row["lat"] < 31 and row["repair"]["feature"] == "r2lb"
    assert told_["counts"]["blocks"] == 1 and told_["counts"]["reach_banks"] == 6


def test_two_reaches_of_one_number_are_refused(tmp_path: Path) -> None:
    case = world()
    files = write(tmp_path, replace(case, reaches=case.reaches.assign(reach_id="R1")), "EPSG:4490", {})
    with pytest.raises(InputError, match="R1"):
        doctor_files.read(files, ground._view())


def test_a_draft_is_judged_by_the_rule_that_it_carries() -> None:
    frame = lines(rows())
    frame["drawn_by"], frame["basis"] = frame["basis"], "road"
    frame["rule_m"] = [10.0 if b == "L" else float("nan") for b in frame["bank"]]
    found = {(d.code, d.reach, d.side) for d in examine(replace(world(), lines=frame))}
    assert found == {
        ("offset_from_rule", r, "left") for r in ("R1", "R2")
    }  # 15 m where 10 m are carried; T carries its own 10 m


def test_the_table_of_codes_says_what_rules_and_words_say() -> None:
    """docs/boundary_check.md: every code that the doctor can tell, with its Chinese name and its severity."""
    import re

    from rivergis import words

    page = (Path(__file__).resolve().parents[2] / "docs" / "boundary_check.md").read_text(encoding="utf-8")
    table = {m[1]: (m[2], m[3]) for m in re.finditer(r"^\| `(\w+)` \| ([^|]+) \| (blocks|advises) \|", page, re.M)}
    severity = ground.limits().severity
    assert {c: s for c, (_, s) in table.items()} == severity
    assert {c: zh for c, (zh, _) in table.items()} == {c: words.say(f"boundary_check.code.{c}") for c in severity}
    assert all(words.pair(f"boundary_check.said.{c}")[0] != c for c in severity)
    folds = {m[1]: set(re.findall(r"`(\w+)`", m[2])) for m in re.finditer(r"^\| `(\w+)` \| (`.*`) \|$", page, re.M)}
    assert folds == {k: set(v) for k, v in ground.limits().consequences.items()}


def test_chainage_along_the_river_where_the_reaches_say_where_they_begin() -> None:
    """Reaches that begin at 1000 m of their river: both ways of counting fit, 9000 m is beyond."""
    case = world()
    reaches = case.reaches.assign(from_m=1000.0)
    shift = case.lines.assign(from_m=case.lines["from_m"] + 1000.0, to_m=case.lines["to_m"] + 1000.0)
    assert examine(replace(case, reaches=reaches, lines=shift)) == []
    assert examine(replace(case, reaches=reaches)) == [], "counted from the reach's own first vertex"
    beyond = shift.assign(to_m=shift["to_m"].where(shift.index != shift.index[0], 9000.0))
    assert [d.code for d in examine(replace(case, reaches=reaches, lines=beyond))] == ["bad_chainage"]
