"""Proposed repairs: what is broken and repaired is as it was, the doctor says so, and nothing is changed that nobody was told of."""

from __future__ import annotations

import dataclasses
import functools
import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from rivergis.boundary.doctor import examine as doctor
from rivergis.boundary.doctor.case import Case, Defect
from rivergis.boundary.repair import propose as repair
from rivergis.boundary.repair.case import SPLICE, Change, Repair, applied, spliced, together
from tests.boundary import repair_ground as ground

ROW = 0  # the left line of the first reach
WHOLE = ground.case()
Break = Callable[[Case], Case]


def with_lines(case: Case, **columns: Any) -> Case:
    return dataclasses.replace(case, lines=case.lines.assign(**columns))


def shaped(case: Case, xy: np.ndarray, row: int = ROW) -> Case:
    shapes = case.lines.geometry.to_numpy().copy()
    shapes[row] = shapely.LineString(xy)
    return with_lines(case, geometry=shapes, given=shapes)


def vertices(case: Case, row: int = ROW) -> np.ndarray:
    return np.array(shapely.get_coordinates(case.lines.geometry.iloc[row]))


def said(case: Case, column: str, value: Any, row: int = ROW) -> Case:
    values = case.lines[column].tolist()
    values[row] = value
    return with_lines(case, **{column: values})


def outward(xy: np.ndarray, k: int) -> np.ndarray:
    t = (xy[k + 1] - xy[k]) / np.hypot(*(xy[k + 1] - xy[k]))
    return np.array([-t[1], t[0]])


def spike(case: Case) -> Case:
    xy = vertices(case)
    return shaped(case, np.vstack([xy[:41], xy[40] + 25 * outward(xy, 40), xy[40] + [0.1, 0], xy[41:]]))


def far_vertex(case: Case) -> Case:
    xy = vertices(case)
    xy[50] += (900, 1_200)
    return shaped(case, xy)


def doubled_vertices(case: Case) -> Case:
    xy = vertices(case)
    return shaped(case, np.vstack([xy[:31], xy[30:31], xy[30:31] + 1e-4, xy[31:]]))


def loop(case: Case) -> Case:
    xy = vertices(case)
    t, n = np.array([1.0, 0.0]), outward(xy, 45)
    return shaped(
        case,
        np.vstack(
            [
                xy[:46],
                xy[45] + 5 * (0.9 * t + 0.8 * n),
                xy[45] + 5 * (0.2 * t + n),
                xy[45] + 5 * (0.6 * t - 0.5 * n),
                xy[46:],
            ]
        ),
    )


def turned(case: Case) -> Case:
    return shaped(case, vertices(case)[::-1])


def jump(case: Case) -> Case:
    xy = vertices(case)
    moved = xy[40:52] + 30 * np.array([outward(xy, k) for k in range(40, 52)])
    return shaped(case, np.vstack([xy[:40], xy[40] - [0.01, 0], moved, xy[51] + [0.01, 0], xy[52:]]))


def gap(case: Case) -> Case:
    xy = vertices(case)
    case = shaped(case, xy[:41])
    rest = case.lines.iloc[[ROW]].copy()
    rest["line_id"] = "R0L2"
    rest = rest.set_geometry([shapely.LineString(xy[45:])], crs=case.lines.crs).assign(
        given=[shapely.LineString(xy[45:])]
    )
    lines = ground.gpd.GeoDataFrame(ground.gpd.pd.concat([case.lines, rest], ignore_index=True), crs=case.lines.crs)
    at = shapely.line_locate_point(case.reaches.geometry.iloc[0], shapely.points(xy[[40, 45]])).round(2)
    lines.loc[ROW, "to_m"], lines.loc[len(lines) - 1, "from_m"] = at
    return dataclasses.replace(case, lines=lines)


def no_bank(case: Case) -> Case:
    return dataclasses.replace(case, lines=case.lines.drop(index=ROW).reset_index(drop=True))


def exchanged(case: Case) -> Case:
    words = case.lines["bank"].where(case.lines["reach_id"] != "R0", case.lines["bank"].map({"L": "R", "R": "L"}))
    return with_lines(case, bank=words)


def open_ring(case: Case) -> Case:
    areas = case.areas
    assert areas is not None
    shapes = areas.geometry.to_numpy().copy()
    shapes[0] = shapely.LineString(np.roll(shapely.get_coordinates(shapes[0])[:-1], 30, axis=0))
    return dataclasses.replace(case, areas=areas.set_geometry(ground.gpd.GeoSeries(shapes, crs=areas.crs)))


BREAKS: dict[str, Break] = {
    "spike": spike, "outlier_vertex": far_vertex, "duplicate_vertex_run": doubled_vertices, "self_crossing": loop, "order_reversed": turned,
    "width_jump": jump, "gap_in_line": gap, "missing_bank": no_bank, "bank_swapped": exchanged, "area_not_closed": open_ring,
    "bad_chainage": lambda c: said(c, "to_m", 99_999.0), "bad_code": lambda c: said(c, "line_type", "管理线"),
    "unknown_reach": lambda c: said(c, "reach_id", "X0"), "missing_announcement": lambda c: said(c, "announce_gov", None),
    "bad_date": lambda c: said(c, "announce_date", "2021/05/01"),
}  # fmt: skip


def codes(case: Case) -> set[str]:
    return {d.code for d in doctor.examine(case)}


@functools.cache
def mended(code: str) -> tuple[Case, list[Defect], list[Repair]]:
    """A case broken in one way, what the doctor says, and what is proposed."""
    broken = BREAKS[code](WHOLE)
    defects = doctor.examine(broken)
    return broken, defects, repair.propose(broken, defects, doctor.examine)


def test_the_ground_is_sound() -> None:
    assert codes(WHOLE) == set()
    assert repair.propose(WHOLE, [], doctor.examine) == []


@pytest.mark.parametrize("code", BREAKS)
def test_what_is_broken_and_repaired_is_as_it_was(code: str) -> None:
    broken, defects, proposals = mended(code)
    assert code in {d.code for d in defects}
    assert code in {defects[p.defect].code for p in proposals}
    healed = applied(broken, proposals)
    assert codes(healed) == set()
    for (reach, bank), before in WHOLE.lines.groupby(["reach_id", "bank"]):
        after = healed.lines[(healed.lines["reach_id"] == reach) & (healed.lines["bank"] == bank)]
        assert shapely.hausdorff_distance(after.geometry.union_all(), before.geometry.union_all(), densify=0.05) < 1.0
    assert healed.areas is not None and WHOLE.areas is not None
    off = healed.areas.geometry.union_all().symmetric_difference(WHOLE.areas.geometry.union_all()).area
    assert off < 5.0


@pytest.mark.parametrize("code", BREAKS)
def test_a_proposal_changes_nothing_until_it_is_made_and_then_only_what_it_names(code: str) -> None:
    broken, _, proposals = mended(code)
    before = broken.lines.to_wkb().drop(columns=["given"])
    healed = applied(broken, proposals)
    assert broken.lines.to_wkb().drop(columns=["given"]).equals(before)
    named = {c.row for p in proposals for c in p.changes if c.layer == "lines"}
    untouched = [i for i in broken.lines.index if i not in named]
    same = healed.lines.set_index("line_id").geometry
    assert all(same[broken.lines["line_id"].iloc[i]].equals(broken.lines.geometry.iloc[i]) for i in untouched)


def test_what_nobody_can_know_is_not_proposed() -> None:
    for column, value in (("announce_doc_no", None), ("announce_date", "2031-01-01"), ("announce_date", "待定")):
        broken = said(WHOLE, column, value)
        defects = doctor.examine(broken)
        assert defects
        assert repair.propose(broken, defects, doctor.examine) == []


def test_a_proposal_that_the_doctor_does_not_accept_is_not_made() -> None:
    broken = spike(WHOLE)
    defects = doctor.examine(broken)
    assert repair.propose(broken, defects, lambda case: list(defects)) == []


def test_stakes_on_a_stretch_that_is_drawn_anew_go_with_it_and_are_told() -> None:
    broken = jump(WHOLE)
    assert broken.stakes is not None
    line = broken.lines.geometry.iloc[ROW]
    moved = [
        line.interpolate(line.line_locate_point(p)) if r == "R0" and b == "L" else p
        for p, r, b in zip(broken.stakes.geometry, broken.stakes["reach_id"], broken.stakes["bank"], strict=True)
    ]
    broken = dataclasses.replace(broken, stakes=broken.stakes.set_geometry(moved, crs=broken.stakes.crs))
    (proposal,) = repair.propose(broken, doctor.examine(broken), doctor.examine)
    assert "界桩" in proposal.zh and "stakes" in proposal.sentence
    assert codes(applied(broken, [proposal])) == set()


# ---- changes --------------------------------------------------------------------------------------------------------


@given(st.integers(4, 60), st.data())
@settings(max_examples=60)
def test_splices_that_do_not_touch_can_be_made_in_any_order(count: int, data: st.DataObject) -> None:
    line = shapely.LineString(np.column_stack([np.arange(count) * 10.0, np.zeros(count)]))
    cuts = sorted(data.draw(st.lists(st.integers(1, count - 1), min_size=2, max_size=6, unique=True)))
    windows = [(a, b) for a, b in zip(cuts[::2], cuts[1::2], strict=False) if b > a]
    changes = [Change("lines", SPLICE, 0, a, b, np.array([[a * 10.0, 5.0]])) for a, b in windows]
    repairs = [Repair(n, "x", "geometry", "vertices", (c,), "", "") for n, c in enumerate(changes)]
    assert together(repairs) == repairs or any(b >= c for (_, b), (c, _) in itertools.pairwise(windows))
    made = spliced(line, [c for r in together(repairs) for c in r.changes])
    again = spliced(line, [c for r in reversed(together(repairs)) for c in r.changes])
    assert made.equals_exact(again)
    dropped = sum(c.end - c.start - 1 for r in together(repairs) for c in r.changes)
    assert len(made.coords) == count - dropped
