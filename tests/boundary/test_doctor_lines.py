"""The line doctor on lines: for every code one river where it is so, and one that only looks like it."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
import pytest
import shapely

from rivergis.boundary.doctor.examine import Case, examine
from tests.boundary.doctor_ground import ORIGIN, changed, line, only, path, rows, told, world


def with_vertices(
    name: str, at: float, points: list[tuple[float, float]], replaced: int = 0
) -> dict[str, dict[str, Any]]:
    """The lines with vertices put into one of them behind the vertex next to ``at`` (by their way from it), instead of those that follow."""
    xy = np.asarray(rows()[name]["geometry"].coords)
    i = int(np.argmin(np.abs(xy[:, 0] - ORIGIN[0] - at)))
    shape = shapely.LineString(np.vstack([xy[: i + 1], xy[i] + np.array(points, float), xy[i + 1 + replaced :]]))
    return changed(name, geometry=shape)


def and_line(row: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {**rows(), row["line_id"]: row}


def without(*names: str) -> dict[str, dict[str, Any]]:
    return {k: r for k, r in rows().items() if k not in names}


def split(name: str, at: float, gap: float = 0.0, **said: Any) -> dict[str, dict[str, Any]]:
    """One line as two, with a gap between them."""
    whole = rows()[name]
    xy = np.asarray(whole["geometry"].coords)[:, 0] - ORIGIN[0]
    y = float(np.asarray(whole["geometry"].coords)[0, 1] - ORIGIN[1])
    first = {**whole, "geometry": path((xy[0], y), (at, y))}
    second = {**whole, "line_id": f"{name}+", "geometry": path((at + gap, y), (xy[-1], y)), **said}
    return {**rows(), name: first, f"{name}+": second}


def swapped(name: str, first: int, count: int) -> Case:
    """Some vertices of a line with x and y exchanged, as the file has them."""
    case = world()
    i = list(rows()).index(name)
    xy = np.asarray(case.lines.geometry.iloc[i].coords).copy()
    xy[first : first + count] = xy[first : first + count, ::-1]
    frame = case.lines.copy()
    shape = shapely.LineString(xy)
    frame["given"] = [shape if k == i else g for k, g in enumerate(frame["given"])]
    return world_with(frame.set_geometry([shape if k == i else g for k, g in enumerate(frame.geometry)], crs=frame.crs))


def world_with(frame: Any) -> Case:
    from dataclasses import replace

    return replace(world(), lines=frame)


def test_the_world_as_it_should_be_has_no_defect() -> None:
    assert told(world()) == []


TRUE: dict[str, tuple[Any, str, str | None, float]] = {
    # code: (the lines, reach, side, chainage of the place)
    "dangle": (lambda: and_line(line("stub", "R2", "R", path((2500, -35), (2500, -47)), from_m=500, to_m=501)), "R2", "right", 500),
    "pseudo_node": (lambda: split("r1l", 900), "R1", "left", 900),
    "self_crossing": (lambda: with_vertices("r1l", 900, [(6, 5), (1, 7), (5, -4)]), "R1", "left", 900),
    "duplicate_line": (lambda: and_line(line("twice", "R1", "L", path((400, 35), (700, 35)))), "R1", "left", 550),
    "duplicate_vertex_run": (lambda: with_vertices("r1l", 900, [(0, 0), (0, 0.0003), (0, 0)]), "R1", "left", 900),
    "spike": (lambda: with_vertices("r1l", 900, [(0, 25), (0.2, 0)]), "R1", "left", 900),
    "outlier_vertex": (lambda: with_vertices("r1l", 900, [(20, 1365)], replaced=1), "R1", "left", 920),
    "wrong_bank_side": (lambda: changed("tl", geometry=path((1980, 1100), (1980, 100))), "T", "left", 600),
    "crosses_centreline": (
        lambda: changed("r1l", geometry=path((0, 35), (800, 35), (830, -12), (900, -12), (930, 35), (1985, 35))), "R1", "left", 865,
    ),
    "water_not_inside": (
        lambda: changed("r1l", geometry=path((0, 35), (800, 35), (840, 8), (900, 8), (940, 35), (1985, 35))), "R1", "left", 870,
    ),
    "width_jump": (
        lambda: changed("r1l", geometry=path((0, 35), (800, 35), (800, 65), (900, 65), (900, 35), (1985, 35))), "R1", "left", 850,
    ),
    "order_reversed": (lambda: changed("r1l", geometry=rows()["r1l"]["geometry"].reverse()), "R1", "left", 992),
    "inside_levee_toe": (
        lambda: changed(
            "r1r",
            geometry=path((0, -35), (310, -35), (400, -75), (900, -75), (940, -45), (1100, -45), (1140, -75), (1600, -75), (1690, -35), (2000, -35)),
        ), "R1", "right", 1020,
    ),
    "offset_from_rule": (
        lambda: changed("r1l", geometry=path((0, 35), (800, 35), (850, 40), (950, 40), (1000, 35), (1985, 35))), "R1", "left", 900,
    ),
    "crosses_other_reach_line": (
        lambda: {
            **changed("tl", geometry=path((2015, 1200), (2015, 20))),
            "r2l": {**rows()["r2l"], "geometry": path((1998, 35), (3000, 35))},
        }, "R2", "left", 15,
    ),
    "gap_in_line": (lambda: split("r1l", 900, 40.0), "R1", "left", 920),
    "missing_bank": (lambda: without("r1l"), "R1", "left", 1000),
    "seam_gap": (lambda: changed("r2lb", geometry=path((3012, 35), (4000, 35))), "R2", "left", 1006),
    "seam_overlap": (lambda: changed("r2lb", geometry=path((2990, 35), (4000, 35))), "R2", "left", 995),
    "seam_offset": (lambda: changed("r2lb", geometry=path((3000, 43), (3120, 35), (4000, 35))), "R2", "left", 1000),
    "missing_announcement": (lambda: changed("r2l", announce_doc_no=None), "R2", "left", 500),
    "bad_date": (lambda: changed("r2l", announce_date="2023-02-30"), "R2", "left", 500),
    "bad_chainage": (lambda: changed("r2l", from_m=900.0, to_m=20.0), "R2", "left", 500),
    "unknown_reach": (lambda: changed("r2l", reach_id="X2"), "R2", "left", 500),
    "bad_code": (lambda: changed("r2l", line_type="管理线"), "R2", "left", 500),
}  # fmt: skip


@pytest.mark.parametrize("code", TRUE)
def test_what_is_so_is_told_once_and_where_it_is(code: str) -> None:
    make, reach, side, at = TRUE[code]
    d = only(world(make()))
    assert (d.code, d.reach, d.side) == (code, reach, side)
    x, y = shapely.get_coordinates(d.place)[0] - ORIGIN
    along = {"R1": x, "R2": x - 2000, "T": 1200 - y}[reach]
    assert abs(along - at) < 30 and d.from_m - 30 <= at <= d.to_m + 30
    assert d.sentence and d.zh and "{" not in d.sentence + d.zh


LOOKALIKE: dict[str, Any] = {
    "a sharp corner is no spike": lambda: changed(
        "tl", basis="road", geometry=path((2015, 1200), (2015, 700), (2050, 640), (2015, 620), (2015, 35))
    ),
    "a sparse straight line has no outliers": lambda: changed("r1l", geometry=path((0, 35), (900, 35), (1985, 35), step=2000)),
    "a split where the announcement changes": lambda: split("r1l", 900, announce_doc_no="甲政告〔2021〕9号"),
    "a split where the basis changes": lambda: split("r1l", 900, basis="road"),
    "a line along a road is not asked for a rule": lambda: changed(
        "r1l", basis="road", geometry=path((0, 35), (600, 35), (700, 50), (1300, 50), (1400, 35), (1985, 35))
    ),
    "a loop shorter than the limit": lambda: with_vertices("r1l", 900, [(0.3, 0.2), (0.1, 0.3), (0.2, -0.1)]),
    "a line of another type upon it": lambda: and_line(line("prot", "R1", "L", path((0, 35), (1985, 35)), line_type="protection")),
    "a line of another type farther out": lambda: and_line(line("prot", "R1", "L", path((300, 135), (1200, 135)), line_type="protection")),
    "a line within the tolerance of its rule": lambda: changed(
        "r1l", geometry=path((0, 35), (800, 35), (850, 35.8), (950, 35.8), (1000, 35), (1985, 35))
    ),
    "the last millimetres at a mouth": lambda: changed("tl", geometry=path((2015, 1200), (2015, 34.98))),
    "a line that begins a little below the head": lambda: changed("r1l", geometry=path((30, 35), (1985, 35))),
    "chainage a little longer than the reach": lambda: changed("r1l", to_m=2001.5),
}  # fmt: skip


@pytest.mark.parametrize("name", LOOKALIKE)
def test_what_only_looks_like_it_is_not_told(name: str) -> None:
    assert told(world(LOOKALIKE[name](), stakes=None)) == []


def test_exchanged_axes_are_put_back_and_no_second_fault_is_made_of_them() -> None:
    d = only(swapped("r1l", 40, 3))
    assert (d.code, d.reach, d.side) == ("axis_swapped_part", "R1", "left")
    assert (round(d.from_m), round(d.to_m)) == (794, 834)


def test_a_vertex_without_a_place_is_an_outlier() -> None:
    case = world()
    frame = case.lines.copy()
    xy = np.asarray(frame.geometry.iloc[0].coords).copy()
    xy[40] = (np.inf, np.inf)
    shape = shapely.LineString(xy)
    frame["given"] = [shape, *frame["given"].iloc[1:]]
    frame = frame.set_geometry([shape, *frame.geometry.iloc[1:]], crs=frame.crs)
    assert [(c, r) for c, r, _ in told(world_with(frame))] == [("outlier_vertex", "R1")]


def test_labels_exchanged_on_a_reach_are_one_defect() -> None:
    named = changed("tl", bank="R")
    named["tr"] = {**named["tr"], "bank": "L"}
    d = only(world(named))
    assert (d.code, d.reach, set(d.features)) == ("bank_swapped", "T", {"tl", "tr"})


def test_a_reach_without_lines_is_one_defect_and_its_neighbours_are_not_blamed() -> None:
    d = only(world(without("tl", "tr"), areas=None))
    assert (d.code, d.reach) == ("reach_without_line", "T")
    assert "gap_in_line" in d.consequences


def test_what_a_line_in_the_river_also_is_stands_with_it() -> None:
    make, *_ = TRUE["crosses_centreline"]
    assert {"water_not_inside", "shrunk_against_former", "stake_off_line"} <= set(only(world(make())).consequences)


def test_a_day_is_judged_by_format_calendar_and_today() -> None:
    from rivergis.boundary.doctor.attributes import date_fits
    from tests.boundary.doctor_ground import limits

    given = limits(date_formats=["%Y年%m月%d日", "%Y-%m-%d"])
    assert given.today == datetime.date(2026, 1, 1)
    good = ["2020年05月01日", "1980-01-01", "2026-01-01"]
    bad = ["2026-01-02", "1979-12-31", "2023-02-30", "待定", "20200501", "0201-05-06"]
    assert [t for t in good + bad if date_fits(t, given)] == good


def test_a_bank_in_other_words_than_the_list_is_a_code_and_the_ground_decides() -> None:
    d = only(world(changed("r1r", bank="左")))
    assert (d.code, d.side) == ("bad_code", "right")


def test_a_county_that_gave_no_lines_is_not_asked_for_them() -> None:
    from rivergis.boundary.doctor.examine import check

    named = without("r2lb", "r2rb")
    assert examine(world(named, areas=None, stakes=None)) == []
    assert [n.codes for n in check(world(named, areas=None, stakes=None)).not_checked][-1] == (
        "missing_bank",
        "reach_without_line",
    )
