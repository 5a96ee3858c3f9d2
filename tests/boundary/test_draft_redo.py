"""A draft partly redone, from file to file: what people drew stays to the last bit, and redoing twice changes nothing."""

from __future__ import annotations

import json
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely
from pyproj import CRS

from rivergis.boundary.drafting.files import finished
from rivergis.boundary.drafting.keep import Only
from rivergis.boundary.drafting.make import Sources
from rivergis.boundary.drafting.read_files import Reading
from rivergis.cli import _run
from rivergis.errors import UsageError
from tests import tiny
from tests.boundary import drawing_ground as g

#             T
#             |
#  U ---------+---------- D      a levee on the left of U
U, D, T = [(-900.0, 0.0), (0.0, 0.0)], [(0.0, 0.0), (900.0, 40.0)], [(30.0, 700.0), (0.0, 0.0)]
SYSTEM = CRS.from_user_input(tiny.ZONE)
WIDTHS = {"U": 20.0, "D": 30.0, "T": 8.0}


def drawn(earlier: gpd.GeoDataFrame | None = None, *only: Only) -> gpd.GeoDataFrame:
    """The lines of a draft, as they stand in its file."""
    reaches = [g.reach(code, *points, width=WIDTHS[code]) for code, points in (("U", U), ("D", D), ("T", T))]
    works = [g.levee(0, "left", (-900, 45), (-200, 45), levee_name="望虞河")]
    given = Sources(reaches, works=works)
    return finished(given, g.view("jiangsu"), SYSTEM, Reading(), earlier, only).lines


def same(one: gpd.GeoDataFrame, two: gpd.GeoDataFrame) -> bool:
    """Whether lines are equal to the last bit, with everything said of them."""
    a, b = (f.sort_values("code").reset_index(drop=True) for f in (one, two))
    wkb = all(shapely.to_wkb(x) == shapely.to_wkb(y) for x, y in zip(a.geometry, b.geometry, strict=True))
    return wkb and pd.DataFrame(a.drop(columns="geometry")).equals(pd.DataFrame(b.drop(columns="geometry")))


def edited(lines: gpd.GeoDataFrame, code: str, metres: float = 8.0) -> gpd.GeoDataFrame:
    """A segment moved north by hand."""
    lines = lines.copy()
    row = lines.index[lines["code"] == code][0]
    lines.loc[row, "hand_edited"] = True
    lines.loc[row, "geometry"] = shapely.transform(lines.geometry[row], lambda xy: xy + np.array([0, metres / 111_000]))
    return lines


def ends_of(lines: gpd.GeoDataFrame) -> set[tuple[float, float]]:
    return {tuple(c) for g in lines.geometry for c in shapely.get_coordinates(g)[[0, -1]]}


def test_redrawing_without_edits_changes_nothing() -> None:
    first = drawn()
    assert same(first, drawn()) and same(first, drawn(first))


@pytest.mark.parametrize("code", ["U-L-01", "U-R-01", "D-L-01", "T-L-01"])
def test_what_people_moved_stays_to_the_last_bit_and_is_joined(code: str) -> None:
    by_hand = edited(drawn(), code)
    again = drawn(by_hand)
    mine, theirs = (f[f["code"] == code] for f in (by_hand, again))
    assert same(mine, theirs.reindex(columns=mine.columns))
    others = ends_of(again[again["code"] != code])
    ends = shapely.get_coordinates(mine.geometry.iloc[0])[[0, -1]]
    assert any(tuple(e) in others for e in ends), "what is redrawn ends in the very vertex of what was kept"
    assert same(again, drawn(again))


@pytest.mark.parametrize(
    ("reach", "start", "end", "metres"),
    [
        ("U", 60, 160, 0.1),
        ("U", 650, 700.2, 0.1),
        ("U", 650, 760, 5),  # half of the join behind the levee: the join is drawn anew in what is left for it
        ("D", 0, 300, 0.1),
        ("T", 600, 900, 0.1),
        ("T", 0, 2000, 0.1),
    ],
)
def test_only_a_stretch_is_redrawn_and_the_rest_stays(reach: str, start: float, end: float, metres: float) -> None:
    first = drawn()
    only = Only(reach, start, end)
    again = drawn(first, only)
    assert same(first[first["reach_code"] != reach], again[again["reach_code"] != reach])
    for bank in ("left", "right"):
        before, after = (
            f[(f["reach_code"] == reach) & (f["bank"] == bank)].sort_values("from_m") for f in (first, again)
        )
        assert (after["from_m"].to_numpy()[1:] == after["to_m"].to_numpy()[:-1]).all()
        assert (after["from_m"].min(), after["to_m"].max()) == (before["from_m"].min(), before["to_m"].max())
        away = shapely.hausdorff_distance(shapely.union_all(after.geometry), shapely.union_all(before.geometry)) * 1e5
        assert away < metres
    assert same(again, drawn(again, only))


def test_a_stretch_that_is_not_there_or_too_short_is_refused() -> None:
    first = drawn()
    with pytest.raises(UsageError, match="no reach 'Z'"):
        drawn(first, Only("Z"))
    with pytest.raises(UsageError, match="too short"):
        drawn(first, Only("U", 100, 101))


def test_a_line_of_a_reach_that_is_gone_is_not_lost() -> None:
    lines = drawn()
    lost = lines.iloc[:1].assign(code="X-1", reach_code="gone", drawn_by="hand", hand_edited=True)
    again = drawn(gpd.GeoDataFrame(pd.concat([lines, lost], ignore_index=True), crs=lines.crs))
    assert same(again[again["code"] == "X-1"], lost)


def test_every_line_says_why_it_lies_there() -> None:
    for row in drawn().itertuples():
        rule, source = json.loads(row.rule), json.loads(row.source)
        assert rule["key"].startswith("boundary.") and rule["status"] and rule["ruleset"]
        assert source["layer"] and source["feature"] and row.tolerance_m > 0
        assert row.to_m > row.from_m and row.hand_edited is False
        if row.reach_code == "U":  # downstream on both banks
            assert row.geometry.coords[-1][0] > row.geometry.coords[0][0]


def test_from_files_to_a_file_and_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    reaches = tiny.metric([tiny.line(*p) for p in (U, D, T)], reach_id=list("UDT"), width_m=[20.0, 30.0, 8.0])
    levee = tiny.metric([tiny.line((-900, 45), (-200, 45))], levee_id="D1", reach_id="U", bank="L", grade=4)
    reaches.to_file(tmp_path / "reaches.gpkg", layer="reaches")
    levee.to_file(tmp_path / "levees.gpkg", layer="levees")
    table = {"berm_m": {"4": 10}, "bank_offset_m": [[8, 5], [25, 10], [999, 15]]}
    (tmp_path / "rules.json").write_text(json.dumps(table), encoding="utf-8")

    def run(out: str, *more: str) -> int:
        asked = ["--reaches", "reaches.gpkg", "--rules", "rules.json", "--levees", "levees.gpkg", "--out", out, *more]
        words = [str(tmp_path / w) if w.endswith((".gpkg", ".json")) else w for w in asked]
        return _run(["boundary", "draft", *words])

    assert run("one.gpkg") == 0
    assert "内部草稿·非测绘成果" in capsys.readouterr().out
    lines = pyogrio.read_dataframe(tmp_path / "one.gpkg", layer="lines")
    assert set(pyogrio.list_layers(tmp_path / "one.gpkg")[:, 0]) == {"lines", "areas", "bands", "notes", "draft"}
    assert list(lines[(lines["reach_code"] == "U") & (lines["bank"] == "left")]["drawn_by"]) == [
        "levee_toe",
        "bank_offset",
    ]
    pyogrio.write_dataframe(edited(lines, "D-L-01"), tmp_path / "hand.gpkg", layer="lines")
    assert run("two.gpkg", "--keep", "hand.gpkg") == 0
    by_hand, again = (pyogrio.read_dataframe(tmp_path / f, layer="lines") for f in ("hand.gpkg", "two.gpkg"))
    assert same(by_hand[by_hand["code"] == "D-L-01"], again[again["code"] == "D-L-01"])
    for wrong, words in (
        (("two.gpkg", "--only", "D"), "--keep"),
        (("one.gpkg",), "there already"),
        (("three.gpkg", "--keep", "hand.gpkg", "--only", "U:200-100"), "upstream to downstream"),
    ):
        capsys.readouterr()
        assert run(*wrong) == 2 and words in capsys.readouterr().err
