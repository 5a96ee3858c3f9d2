"""Several results on one map: nothing lost, what is one is found whatever its system, what contradicts is told once."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from rivergis.boundary.delivery import merging
from rivergis.boundary.delivery.merging import Limits, Merged
from rivergis.errors import InputError
from tests import tiny
from tests.boundary.deliver_ground import areas, lines

LIMITS = Limits(near_m=1.0, far_m=300.0, sliver_m2=5.0)


def of(name: str, frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    return frame.assign(file=name, layer="JZX", feature=[str(i) for i in range(len(frame))], source_crs="EPSG:4544")


def joined(*frames: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(pd.concat(frames, ignore_index=True), geometry="geometry", crs=4490)


def moved(frame: gpd.GeoDataFrame, x: float, y: float, only: str | None = None) -> gpd.GeoDataFrame:
    metric = frame.to_crs(tiny.ZONE)
    there = metric.translate(x, y)
    kept = there if only is None else metric.geometry.where(metric["code"] != only, there)
    return metric.set_geometry(kept).to_crs(4490)


NONE = areas().iloc[:0].assign(file=None, layer=None, feature=None, source_crs=None)


def merged(*frames: gpd.GeoDataFrame) -> Merged:
    return merging.merge(joined(*frames), NONE, LIMITS)


@settings(max_examples=15)
@given(st.floats(-0.6, 0.6), st.floats(-0.6, 0.6))
def test_the_same_lines_resurveyed_within_tolerance_are_twice_and_never_in_conflict(x: float, y: float) -> None:
    found = merged(of("a", lines()), of("b", moved(lines(), x, y)))
    assert len(found.lines) == 6 and found.conflicts.empty
    assert sorted(zip(found.duplicates["code"], found.duplicates["other_code"], strict=True)) == [(c, c) for c in "abc"]
    assert (found.duplicates["apart_m"] <= 1.0).all()
    assert list(found.lines["proposal"]).count("leave_out") == 3
    assert set(found.lines.loc[found.lines["proposal"] == "keep", "file"]) == {"a"}


def test_a_line_that_lies_elsewhere_contradicts_and_both_stay() -> None:
    found = merged(of("a", lines()), of("b", moved(lines(), 0, 30, only="c")))
    assert list(found.conflicts["code"]) == ["c"] and len(found.duplicates) == 2
    row = found.conflicts.iloc[0]
    assert row["apart_m"] == pytest.approx(30, abs=0.5) and (row["file"], row["other_file"]) == ("a", "b")
    assert set(found.lines.loc[found.lines["relation"] == "conflict", "proposal"]) == {"keep"}


def test_the_other_bank_and_another_river_do_not_contradict() -> None:
    other = lines(river_code="R2", river="乙河")
    assert merged(of("a", lines()), of("b", moved(other, 0, 60))).conflicts.empty
    right = lines(bank=["right"] * 3)
    assert merged(of("a", lines(bank=["left"] * 3)), of("b", moved(right, 0, 60))).conflicts.empty


def test_stretches_that_follow_each_other_are_neither() -> None:
    one = lines()
    found = merged(of("a", one[one["code"] == "a"]), of("b", one[one["code"] == "b"]))
    assert found.duplicates.empty and found.conflicts.empty and set(found.lines["relation"]) == {"single"}


def test_what_says_more_or_otherwise_is_not_proposed_to_be_left_out() -> None:
    bare = lines(announce_doc_no=None, announced_on=None, announce_gov=None)
    found = merged(of("a", bare), of("b", lines()))
    assert set(found.lines["proposal"]) == {"keep"}
    differing = merged(of("a", lines()), of("b", lines(announce_doc_no="另号")))
    assert set(differing.duplicates["differs"]) == {"announce_doc_no"} and set(differing.lines["proposal"]) == {"keep"}


def test_types_are_kept_apart_also_where_one_delivery_names_none() -> None:
    both = [lines(), moved(lines(line_type="protection"), 0, 110)]
    told = of("a", joined(*both))
    silent = of("b", joined(*both).assign(line_type=None))
    found = merged(told, silent)
    assert found.conflicts.empty and len(found.duplicates) == 6


def test_lines_without_river_or_bank_are_counted_not_judged() -> None:
    bare = lines().drop(columns=["bank"])
    found = merged(of("a", lines()), of("b", moved(bare, 0, 30)))
    assert found.unjudged == 3 and found.conflicts.empty


def test_areas_over_each_other_are_told_with_their_ground() -> None:
    two = joined(of("a", areas()), of("b", moved(areas(), 100, 0)))
    found = merging.merge(two.iloc[:0], two, LIMITS)
    assert found.overlaps["area_m2"].iloc[0] == pytest.approx(80_000, rel=1e-3) and not found.overlaps["same"].iloc[0]
    same = joined(of("a", areas()), of("b", moved(areas(), 0.1, 0)))
    assert merging.merge(same.iloc[:0], same, LIMITS).overlaps["same"].iloc[0]
    with pytest.raises(InputError, match="nothing was merged"):
        merging.merge(two.iloc[:0], two.iloc[:0], LIMITS)


def command(*words: str, cwd: Path) -> Any:
    return subprocess.run(
        [sys.executable, "-c", "from rivergis.cli import main; main()", "boundary", "merge", *words],
        cwd=cwd,
        capture_output=True,
        text=True,
    )


def test_files_in_many_systems_and_encodings_come_onto_one_map(tmp_path: Path) -> None:
    named = lines().rename(columns={"river_code": "河流编码", "bank": "岸别", "code": "界线编号"})
    named["岸别"] = ["左岸", "左", "右岸"]
    gbk = named[["河流编码", "岸别", "界线编号", "geometry"]]
    gbk.to_crs(4523).to_file(tmp_path / "甲.shp", encoding="GBK")
    moved(lines(), 0.2, 0.1).to_crs(4490).to_file(tmp_path / "b.gpkg", layer="JZX")
    gbk.to_crs(4544).set_crs(None, allow_override=True).to_file(tmp_path / "bare.shp", encoding="GBK")
    (tmp_path / "bare.prj").unlink(missing_ok=True)
    gbk.to_crs(4544).set_crs(2363, allow_override=True).to_file(tmp_path / "xian80.shp", encoding="GBK")
    how = ("--crs", "bare.shp=EPSG:4544", "--encoding", "bare.shp=GBK")
    done = command(
        ".", *how, "--out", "m.gpkg", "--report", "m.json", "--report", "m.xlsx", "--map", "m.html", cwd=tmp_path
    )
    assert done.returncode == 4, done.stderr
    told = json.loads((tmp_path / "m.json").read_text(encoding="utf-8"))
    assert told["figures"] | {"unjudged": 0} == {
        "files": 4, "lines": 9, "areas": 0, "duplicates": 9, "conflicts": 0, "overlaps": 0, "proposed_to_leave_out": 6, "aside": 1, "unjudged": 0,
    }  # fmt: skip
    status = {r["quality.file"]: (r["quality.crs"], r["quality.status"]) for r in told["tables"]["merge_files"]}
    assert status["甲.shp"][0] == "EPSG:4523" and status["bare.shp"][0] == "EPSG:4544"
    assert "Xian 1980" in status["xian80.shp"][1]
    back = gpd.read_file(tmp_path / "m.gpkg", layer="lines")
    assert sorted(set(back["file"])) == ["b.gpkg", "bare.shp", "甲.shp"] and set(back["bank"]) == {"left", "right"}
    assert back.geometry.apply(lambda g: shapely.distance(g, lines().geometry.union_all())).max() < 1e-5
    page = (tmp_path / "m.html").read_text(encoding="utf-8")
    assert "重复界线" in page and "甲.shp" in page
    assert command("b.gpkg", "--out", "m.gpkg", cwd=tmp_path).returncode == 2
    bare = command("bare.shp", "b.gpkg", "--out", "n.gpkg", cwd=tmp_path)  # too little to be sure: asked, not guessed
    assert bare.returncode == 4 and "--crs EPSG:4544" in bare.stderr and "--crs bare.shp=EPSG:CODE" in bare.stderr
