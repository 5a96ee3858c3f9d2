"""Deliveries as they should not be: drawings, spreadsheets, words of the place. Each must come out as somebody who looks would say."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely

from rivergis import rules
from rivergis.encroachment import case_files
from rivergis.encroachment.night_folder_files import params_of
from rivergis.errors import InputError

E, N = 528_800.0, 3_375_500.0
DAY = date(2026, 6, 1)
Row = tuple[dict[str, Any], Any]
Results = Callable[..., dict[str, Any]]


def line(*spots: tuple[float, float]) -> shapely.LineString:
    return shapely.LineString(spots)


def house(name: Any = "c1", x: float = 100, **more: Any) -> Row:
    return {"id": name, "kind": "building", "source": "footprints"} | more, shapely.box(x, 40, x + 20, 55)


def permit(shape: Any = shapely.box(95, 35, 125, 60), **more: Any) -> Row:  # noqa: B008
    return {"id": "p1", "allows": "building"} | more, shape


REACH: Row = ({"reach": "R1"}, shapely.box(0, 0, 1000, 120))


@pytest.fixture(scope="module")
def view() -> rules.RuleView:
    return rules.load(Path(__file__).parents[2] / "gis/rules").at((rules.NATIONAL,), DAY)


@pytest.fixture
def check(tmp_path: Path, view: rules.RuleView) -> Results:
    """``check(candidates, permits, boundary)``: the result of one case of files in metres of a zone."""

    def go(candidates: list[Row], permits: list[Row] = [], boundary: list[Row] = [REACH]) -> dict[str, Any]:  # noqa: B006
        for name, rows in (("boundary", boundary), ("candidates", candidates), ("permits", permits)):
            _write(tmp_path / "cases/one" / f"{name}.geojson", rows)
        return dict(case_files.check_cases(tmp_path, view, DAY)["one"])

    return go


def _write(path: Path, rows: list[Row]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    moved = [(p, g and shapely.transform(g, lambda xy: xy + np.array([E, N]))) for p, g in rows]
    features = [
        {"type": "Feature", "properties": p, "geometry": g and json.loads(shapely.to_geojson(g))} for p, g in moved
    ]
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::4547"}}
    path.write_text(json.dumps({"type": "FeatureCollection", "crs": crs, "features": features}), encoding="utf-8")


def told(result: dict[str, Any]) -> dict[str, float | None]:
    return {"+".join(f["candidates"]): f["area_m2"] for f in result["findings"]}


def why(result: dict[str, Any]) -> dict[str, str]:
    return {n["candidate"]: n["reason"] for n in result["not_findings"]}


def codes(result: dict[str, Any]) -> set[str]:
    return {d["code"] for d in result["diagnostics"]}


#  y=120 +--------------+   the outline of a reach drawn a second time 3 cm inside the first: it is the same line, not an island
#        |+------------+|
#        ||  c1        ||
#        |+------------+|
#  y=0   +--------------+
def test_ring_drawn_twice_is_one(check: Results) -> None:
    twice: list[Row] = [({"reach": "R1"}, shapely.box(d, d, 1000 - d, 120 - d).exterior) for d in (0, 0.03)]
    twice = [(p, shapely.LineString(g.coords)) for p, g in twice]
    got = check([house()], boundary=twice)
    assert told(got) == {"c1": 300.0}
    assert "boundary_repaired" in codes(got)


@pytest.mark.parametrize(
    ("column", "left", "right"),
    [
        ("Layer", "左岸管理线", "GL-右岸"),
        ("bank", "Left bank", "RIGHT_BANK"),
        ("岸别", "左岸线", "右 岸"),
        ("name", "府河左岸管理范围线", "府河右岸管理范围线"),
    ],
)
def test_banks_in_words_of_drawings(check: Results, column: str, left: str, right: str) -> None:
    banks: list[Row] = [
        ({column: left, "reach": "R1"}, line((0, 120), (1000, 120))),
        ({column: right.replace(" ", ""), "reach": "R1"}, line((0, 0), (1000, 0))),
    ]
    got = check([house()], boundary=banks)
    assert told(got) == {"c1": 300.0}
    assert "boundary_from_banks" in codes(got)


def test_a_river_named_right_is_no_right_bank(check: Results) -> None:
    lines: list[Row] = [
        ({"Layer": "右江管理线"}, line((0, 120), (1000, 120))),
        ({"Layer": "左江管理线"}, line((0, 0), (1000, 0))),
    ]
    assert why(check([house()], boundary=lines)) == {"c1": "undecided"}


#  R1 | R2   a point on the common edge is in both, whichever way the last digit falls
@pytest.mark.parametrize("off_m", [-0.001, 0.0, 0.001])
def test_point_on_a_common_edge_is_in_both(check: Results, off_m: float) -> None:
    two: list[Row] = [
        ({"reach": "R1"}, shapely.box(0, 0, 500, 120)),
        ({"reach": "R2"}, shapely.box(500, 0, 1000, 120)),
    ]
    (found,) = check([({"id": "c1", "kind": "dump"}, shapely.Point(500 + off_m, 60))], boundary=two)["findings"]
    assert found["reaches"] == ["R1", "R2"]


def test_kind_is_read_whatever_its_capitals(check: Results) -> None:
    got = check([house("a", kind=" Building "), house("b", source="landuse")])
    assert told(got) == {"a+b": 300.0}
    assert "word_unknown" not in got["findings"][0]["notes"]


@pytest.mark.parametrize("allows", ["Building ", "房屋", "dump;building", "弃渣、房屋", ["dump", "building"]])
def test_permit_in_words_of_the_place_covers(check: Results, allows: Any) -> None:
    assert why(check([house()], [permit(allows=allows)])) == {"c1": "permitted"}


def test_a_word_nobody_knows_is_a_kind_of_its_own(check: Results) -> None:
    """All candidates of one file called by such words: neither a crash, nor one incident, nor a permit passed over."""
    both = [house("a", kind="xyz"), house("b", kind="abc", source="landuse")]
    assert told(check(both)) == {"a": 300.0, "b": 300.0}
    got = check(both, [permit(allows="XYZ")])
    assert (told(got), why(got)) == ({"b": 300.0}, {"a": "permitted"})
    assert {f["class"] for f in got["findings"]} == {"other.unknown"}


@pytest.mark.parametrize(
    ("name", "called"),
    [("", "1"), ("  ", "1"), (None, "1"), (7.0, "7"), (" x1 ", "x1"), ("甲-一", "甲-一"), (7.5, "7.5")],
)
def test_names_of_candidates(check: Results, name: Any, called: str) -> None:
    rows = [house("c0" if isinstance(name, str) else 100.0), house(name, x=300)]
    assert called in told(check(rows))


@pytest.mark.parametrize("words", [{"reach": " r1"}, {"河流": "R1"}, {"river": "r1"}])
def test_permit_in_words_waits_however_the_water_is_written(check: Results, words: dict[str, str]) -> None:
    assert why(check([house()], [permit(None, **words)])) == {"c1": "permit_place_open"}


def test_permit_names_the_river_of_the_reach(check: Results) -> None:
    reach: Row = ({"reach": "FH-01", "river": "府河"}, REACH[1])
    got = check([house()], [permit(None, 河流="府河")], [reach])
    assert why(got) == {"c1": "permit_place_open"}


@pytest.mark.parametrize("error", ["inf", "NaN", "-inf", "1e400"])
def test_an_error_that_is_no_number_is_not_known(check: Results, error: str) -> None:
    line = {"reach": "R1", "basis": "Announced", "xy_error_m": error, "survey_scale": 1000}
    got = check([house(accuracy_m=error, gsd_m=error)], boundary=[(line, REACH[1])])
    json.dumps(got, allow_nan=False)
    (found,) = got["findings"]
    assert (found["basis"], found["position"], found["sigma_m"]) == ("announced", "inside", 2.06)


def _params(folder: Path, text: bytes) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "params.json").write_bytes(text)
    return folder


def test_params_as_windows_writes_them(tmp_path: Path, view: rules.RuleView) -> None:
    plain = b'{"start": "2026-03-01", "gone_after_observed_nights": 4.0}'
    told = [params_of(_params(tmp_path / str(i), mark + plain), view) for i, mark in enumerate((b"", b"\xef\xbb\xbf"))]
    assert told[0] == told[1]
    assert told[0].nights.gone_after == 4


def test_half_a_night_is_none(tmp_path: Path, view: rules.RuleView) -> None:
    with pytest.raises(InputError, match=r"rebound_within_nights is 2\.5, but nights are counted whole"):
        params_of(_params(tmp_path, b'{"start": "2026-03-01", "rebound_within_nights": 2.5}'), view)


#  R1 | R2   a line in one, one that ends at the other, one that only reaches over by less than the tolerance, one along the edge
@pytest.mark.parametrize(
    ("spots", "reaches"),
    [
        (((450, 60), (500, 60)), ["R1"]),
        (((450, 60), (500.4, 60)), ["R1"]),
        (((499.6, 60), (600, 60)), ["R2"]),
        (((450, 60), (550, 60)), ["R1", "R2"]),
        (((500, 20), (500, 80)), ["R1", "R2"]),
    ],
)
def test_a_line_names_the_reaches_it_runs_in(check: Results, spots: Any, reaches: list[str]) -> None:
    two: list[Row] = [
        ({"reach": "R1"}, shapely.box(0, 0, 500, 120)),
        ({"reach": "R2"}, shapely.box(500, 0, 1000, 120)),
    ]
    (found,) = check([({"id": "c1", "kind": "building"}, line(*spots))], boundary=two)["findings"]
    assert found["reaches"] == reaches
