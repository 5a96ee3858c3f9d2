"""Lines of flood levels: a valley whose answer is known, two return periods, the error band, vertical datums that disagree."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
import pytest
import shapely
from affine import Affine
from pyproj import CRS

from rivergis.boundary.drafting import flood_files as draft_flood_files
from rivergis.boundary.drafting.flood import Heights, level_area
from rivergis.boundary.drafting.flood_files import Terrain
from rivergis.boundary.drafting.frames import Draft, Reach
from rivergis.boundary.drafting.make import Sources, make
from rivergis.boundary.drafting.read_files import Layer, Reading
from rivergis.errors import InputError
from rivergis.river.dem_files import datum_named
from rivergis.river.terrain import Dem
from tests import tiny
from tests.boundary import drawing_ground as g

SYSTEM = CRS.from_user_input(tiny.ZONE)
SLOPE = 0.1


def valley(cell: float = 4.0, rough: float = 0.0) -> Dem:
    """A straight valley from west to east, 2 km long: bed at 100 m, both sides rise 1 in 10; water d metres deep is 20 d wide."""
    rows, columns = int(600 / cell), int(2000 / cell)
    y = (np.arange(rows) + 0.5) * cell
    z = 100 + np.abs(300 - y)[:, None] * SLOPE + np.zeros((rows, columns))
    z += np.random.default_rng(1).normal(0, rough, z.shape) if rough else 0
    affine = Affine(cell, 0, tiny.EAST, 0, -cell, tiny.NORTH + 300)
    return Dem(z.astype(np.float32), affine, SYSTEM, "1985国家高程基准", "valley.tif")


def heights(dem: Dem, **more: object) -> Heights:
    return Heights(dem.name, dem.cell_m, dem.vertical_datum, lambda lonlat, margin: (dem, True), **more)  # type: ignore[arg-type]


def levels(rows: Sequence[tuple[object, ...]], datum: str | None = "1985") -> Layer:
    """Rows of reach, chainage, level, return period."""
    frame = pd.DataFrame(rows, columns=["reach_code", "at_m", "level_m", "return_period_a"])
    return Layer(frame if datum is None else frame.assign(vertical_datum=datum), {"layer": "levels.csv"})  # type: ignore[arg-type]


def drawn(
    rows: Layer, *reaches: Reach, ground: Heights | None = None, declared: str | None = None, insist: bool = False
) -> tuple[Draft, Reading]:
    reading = Reading()
    terrain = Terrain(ground or heights(valley()), datum_named, declared, insist)
    wet = draft_flood_files.floods(terrain, rows, reaches, g.view(), SYSTEM, reading)
    given = Sources(
        reaches, pieces=wet.pieces, hidden=wet.hidden, extents=wet.extents, bands=wet.bands, notes=wet.notes
    )
    return make(given, lambda _: g.view(), tiny.ZONE), reading


def off(line: shapely.LineString, at: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """How far a line lies from the distance from the axis that it should have."""
    xy = shapely.get_coordinates(shapely.line_interpolate_point(line, np.linspace(0.02, 0.98, 200), normalized=True))
    xy = xy - [tiny.EAST, tiny.NORTH]
    return np.asarray(np.abs(np.abs(xy[:, 1]) - at(xy[:, 0])))


def test_the_line_lies_where_the_ground_meets_the_level_within_the_stated_tolerance() -> None:
    reach = g.reach("R1", (1, 0), (1999, 0))
    draft, _ = drawn(levels([("R1", 0, 106, None), ("R1", 1998, 104, None)]), reach)
    for bank in ("left", "right"):
        line = g.line_of(draft, "R1", bank)
        tolerance = draft.lines["tolerance_m"].iloc[0]
        assert tolerance == pytest.approx(4.0, abs=0.01)
        assert off(line, lambda x: (6 - 2 * x / 2000) / SLOPE).max() <= tolerance
    row = draft.lines.iloc[0]
    assert (row["drawn_by"], row["basis"], row["flood_level_m"], row["vertical_datum"]) == (
        "flood_level",
        "draft",
        105.0,
        "1985国家高程基准",
    )
    assert draft.areas.area.sum() == pytest.approx(2000 * 100, rel=0.03)


def test_where_two_return_periods_meet_the_step_lies_in_the_lower_and_is_smooth() -> None:
    """
    20 a, 106 m |---- R1 ----| R2: 10 a, 104 m, in which the level falls from 106 to 104 m over 200 m
    """
    reaches = [
        g.reach("R1", (1, 0), (1000, 0), return_period_a=20.0),
        g.reach("R2", (1000, 0), (1999, 0), return_period_a=10.0),
    ]
    rows = [
        (code, at, level, years) for code in ("R1", "R2") for at in (0, 999) for level, years in ((106, 20), (104, 10))
    ]
    draft, _ = drawn(levels(rows), *reaches)
    one, two = g.line_of(draft, "R1", "left"), g.line_of(draft, "R2", "left")
    assert off(one, lambda x: np.full(len(x), 60.0)).max() <= 4.0

    def expected(x: np.ndarray) -> np.ndarray:
        gone = np.clip((x - 1000) / 200, 0, 1)
        return np.asarray(40 + 20 * (1 - gone) ** 2 * (1 + 2 * gone))

    assert off(two, expected).max() <= 4.5
    assert np.array_equal(g.ends(one)[1], g.ends(two)[0])
    assert list(draft.lines[draft.lines["bank"] == "left"].sort_values("reach_code")["return_period_a"]) == [20, 10]


def test_several_return_periods_and_nobody_says_which() -> None:
    rows = [("R1", at, level, years) for at in (0, 1998) for level, years in ((106, 20), (104, 10))]
    draft, _ = drawn(levels(rows), g.reach("R1", (1, 0), (1999, 0)))
    assert draft.lines.empty and "return_period_unknown" in set(draft.notes["code"])
    draft, _ = drawn(levels(rows), g.reach("R1", (1, 0), (1999, 0), return_period_a=50.0))
    assert draft.lines.empty and "no_level_for_period" in set(draft.notes["code"])


def test_vertical_datums_that_disagree_are_refused_with_a_sentence() -> None:
    rows = [("R1", 0, 106, None), ("R1", 1998, 104, None)]
    reach = g.reach("R1", (1, 0), (1999, 0))
    with pytest.raises(InputError, match="吴淞"):
        drawn(levels(rows, "吴淞"), reach)
    with pytest.raises(InputError, match="Nothing tells"):
        drawn(levels(rows, None), reach)
    assert not drawn(levels(rows, None), reach, declared="1985")[0].lines.empty
    _, reading = drawn(levels(rows, "吴淞"), reach, insist=True)
    assert any("insisted" in s for s in reading.said)


def test_a_coarse_dem_gives_indicative_lines_and_its_error_as_a_band() -> None:
    """1 m up and down on a slope of 1 in 10: 10 m in and out on the ground."""
    reach = g.reach("R1", (1, 0), (1999, 0))
    rows = levels([("R1", 0, 105, None), ("R1", 1998, 105, None)])
    draft, reading = drawn(rows, reach, ground=heights(valley(10), error_m=1.0, indicative=True))
    assert set(draft.lines["indicative"]) == {"示意"} and set(draft.lines["basis"]) == {"surrogate"}
    assert set(draft.areas["indicative"]) == {"示意"}
    assert np.allclose(draft.lines[["band_in_m", "band_out_m"]], 10, atol=1)
    assert draft.bands.area.sum() == pytest.approx(2 * 2000 * 20, rel=0.03)
    assert any("示意" in s for s in reading.said)


def test_levels_that_end_leave_the_rest_undrawn_and_told() -> None:
    draft, _ = drawn(levels([("R1", 0, 106, None), ("R1", 1000, 105, None)]), g.reach("R1", (1, 0), (1999, 0)))
    note = draft.notes[draft.notes["code"] == "nothing_to_draw_from"]
    assert set(note["bank"]) == {"left", "right"} and np.allclose(note["from_m"], 1000, atol=3)
    assert np.allclose(draft.lines["to_m"], 1000, atol=3)


def test_a_reservoir_rises_to_its_check_flood_level() -> None:
    """A pond of 10 m width in the valley, level 104: 40 m to each side."""
    pond = shapely.MultiPolygon([tiny.box(900, -5, 200, 10)])
    area = level_area(heights(valley()), pond, 104.0, SYSTEM)
    assert area.area == pytest.approx(2000 * 80, rel=0.03)
