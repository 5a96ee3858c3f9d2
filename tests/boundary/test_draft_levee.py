"""Drafts beside levees and banks: the width of the rule everywhere, three rule sets on one geometry, mirrored rivers."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rivergis.boundary.drafting.curves import axis_curve, parallel
from rivergis.errors import RivergisError
from tests import tiny
from tests.boundary import drawing_ground as g

# left levee ================   toe 40 m beside the axis, berm beyond
# river  - - - - - - - - - ->   1000 m
# right bank - - - - - - - -
AXIS = [(0.0, 0.0), (1000.0, 0.0)]
TOE = [(0.0, 40.0), (1000.0, 40.0)]


@pytest.mark.parametrize(
    ("rule_set", "facts", "metres"),
    [
        ("anhui", {"levee_place": "other"}, 10),
        ("anhui", {"levee_place": "main_stem"}, 20),
        ("anhui", {"levee_place": "yangtze_large"}, 30),
        ("tibet", {"design_return_period_a": 10}, 10),
        ("tibet", {"design_return_period_a": 20}, 20),
        ("tibet", {"design_return_period_a": 50}, 30),
        ("tibet", {"design_return_period_a": 100}, 50),
        ("jiangsu", {"levee_name": "望虞河"}, 20),
        ("jiangsu", {"levee_name": "里运河"}, 30),
        ("jiangsu", {"levee_name": "洪泽湖"}, 50),
    ],
)
def test_one_toe_three_rule_sets(rule_set: str, facts: dict[str, object], metres: float) -> None:
    draft = g.drawn(g.view(rule_set), g.reach("R1", *AXIS), works=[g.levee(0, "left", *TOE, **facts)])
    line = g.line_of(draft, "R1", "left")
    by_hand = tiny.line((0, 40 + metres), (1000, 40 + metres))
    assert shapely.hausdorff_distance(line, by_hand) < 0.1
    row = draft.lines.iloc[0]
    told = json.loads(row["rule"])
    assert (
        told["value"] == metres
        and told["ruleset"] == f"{rule_set}/boundary"
        and told["status"] in ("confirmed", "inferred")
    )
    assert json.loads(row["source"]) == {"layer": "levees", "feature": "D0left"}
    assert (row["drawn_by"], row["basis"], row["from_m"], row["to_m"]) == ("levee_toe", "draft", 0, 1000)


def test_a_bent_toe_against_the_line_computed_by_hand() -> None:
    """Outside of a bend of 30 degrees the line is an arc round the corner of the toe, inside two straights."""
    toe = [(0.0, 40.0), (500.0, 40.0), (1000.0, 40.0 - 500 * np.tan(np.radians(30)))]
    axis = [(x, y - 40) for x, y in toe]
    draft = g.drawn(g.view("tibet"), g.reach("R1", *axis), works=[g.levee(0, "left", *toe, design_return_period_a=50)])
    arc = [(500 + 30 * np.sin(a), 40 + 30 * np.cos(a)) for a in np.radians(np.linspace(0, 30, 200))]
    down = (1000 + 30 * np.sin(np.radians(30)), toe[2][1] + 30 * np.cos(np.radians(30)))
    by_hand = tiny.line((0, 70), *arc, down)
    assert shapely.hausdorff_distance(g.line_of(draft, "R1", "left"), by_hand) < 0.1


def test_a_fact_that_the_local_rule_asks_is_told_and_not_guessed() -> None:
    works = [g.levee(0, "left", *TOE, levee_grade=2)]
    draft = g.drawn(g.view("anhui"), g.reach("R1", *AXIS), works=works)
    note = draft.notes[draft.notes["code"] == "fact_missing"].iloc[0]
    assert "levee_place" in note["sentence"] and note["bank"] == "left"
    assert json.loads(draft.lines.iloc[0]["rule"])["status"] == "unconfirmed"


def test_nothing_is_drawn_where_no_rule_holds() -> None:
    draft = g.drawn(g.view("tibet"), g.reach("R1", *AXIS), works=[g.levee(0, "left", *TOE)])
    assert draft.lines.empty and draft.areas.empty
    assert set(draft.notes["code"]) == {"no_berm_rule", "nothing_to_draw_from"}


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.floats(20, 90),
    st.floats(400, 1200),
    st.sampled_from([10, 20, 50, 100]),
    st.floats(25, 60),
)
def test_the_line_is_nowhere_nearer_than_the_rule_and_touches_it(
    swing: float, wave: float, years: int, toe_m: float
) -> None:
    points = g.winding(1600, swing, wave)
    axis = g.reach("R1", *points)
    toe = parallel(axis_curve(axis.axis), 1, toe_m).line
    work = g.Work(0, "left", toe, {"design_return_period_a": years}, {})
    draft = g.drawn(g.view("tibet"), axis, works=[work])
    line, rule = g.line_of(draft, "R1", "left"), json.loads(draft.lines.iloc[0]["rule"])["value"]
    points_on = shapely.line_interpolate_point(line, np.linspace(0, 1, 200), normalized=True)
    away = shapely.distance(points_on, toe)
    assert away.min() >= rule - 0.001 and np.median(away) < rule + 0.05
    assert line.is_simple


@settings(max_examples=10, deadline=None)
@given(st.floats(10, 80), st.floats(500, 1200), st.floats(8, 120))
def test_a_mirrored_river_has_mirrored_lines(swing: float, wave: float, width: float) -> None:
    points = g.winding(1500, swing, wave)
    mirrored = [(x, -y) for x, y in points]
    rule_set = g.view("jiangsu")
    one = g.drawn(rule_set, g.reach("R1", *points, width=width))
    two = g.drawn(rule_set, g.reach("R1", *mirrored, width=width))
    turn = lambda xy: (xy - [0, tiny.NORTH]) * [1, -1] + [0, tiny.NORTH]  # noqa: E731
    for bank, other in (("left", "right"), ("right", "left")):
        turned = shapely.transform(g.line_of(two, "R1", other), turn)
        assert shapely.hausdorff_distance(g.line_of(one, "R1", bank), turned) < 0.02


def test_the_bank_offset_goes_by_width_and_a_range_is_taken_at_its_lower_end(tmp_path: Path) -> None:
    own = g.own_rules(tmp_path, {"1": 30}, [[8, 5], [30, 10], [9999, 20]])
    for width, metres in ((6, 5), (30, 10), (31, 20)):
        line = g.line_of(g.drawn(own, g.reach("R1", *AXIS, width=width)), "R1", "right")
        assert np.allclose(g.ends(line)[:, 1], -(width / 2 + metres), atol=0.05)
    line = g.line_of(g.drawn(g.view("suzhou"), g.reach("R1", *AXIS, width=20)), "R1", "left")
    assert np.allclose(g.ends(line)[:, 1], 15, atol=0.05)


def test_a_levee_that_ends_is_left_smoothly_and_a_short_gap_is_bridged() -> None:
    """
    left  =====150        ====700      1000     levees at 40 m, berm 20 m; gap of 200 m, end at 700
    """
    facts = {"design_return_period_a": 20}
    works = [g.levee(0, "left", (0, 40), (150, 40), **facts), g.levee(0, "left", (350, 40), (700, 40), **facts)]
    own = g.view("tibet")
    draft = g.drawn(own, g.reach("R1", *AXIS, width=20), works=works, surrogate_offset=True)
    left = draft.lines[draft.lines["bank"] == "left"].sort_values("from_m")
    assert list(left["drawn_by"]) == ["levee_toe", "levee_gap", "levee_toe", "surrogate"]
    assert list(left["from_m"]) == [0, 150, 350, 700]
    gap = g.line_of(draft, "R1", "left")
    xy = shapely.get_coordinates(gap) - [tiny.EAST, tiny.NORTH]
    in_gap = (xy[:, 0] >= 150) & (xy[:, 0] <= 350)
    assert np.allclose(xy[in_gap, 1], 60, atol=0.05)
    steps = np.abs(np.diff(xy[:, 1]) / np.maximum(np.diff(xy[:, 0]), 1e-9))
    assert steps.max() < 1.0  # no jump anywhere
    assert np.allclose(xy[-1], [1000, 20], atol=0.1)  # surrogate: half width 10 + 10 m


def test_an_unknown_rule_set_is_refused_with_those_there_are() -> None:
    with pytest.raises(RivergisError, match="anhui"):
        g.view("atlantis")


def test_a_wall_of_two_levees_is_drawn_by_the_outer_and_told() -> None:
    facts = {"design_return_period_a": 10}
    works = [g.levee(0, "left", *TOE, **facts), g.levee(0, "left", (0, 90), (1000, 90), **facts)]
    draft = g.drawn(g.view("tibet"), g.reach("R1", *AXIS), works=works)
    assert np.allclose(g.ends(g.line_of(draft, "R1", "left"))[:, 1], 100, atol=0.05)
    assert "two_works" in set(draft.notes["code"])
