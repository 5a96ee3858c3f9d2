"""Laws of joint patrols, of visits to areas and of questions folded from their moves: frames and arrays only."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from rivergis.errors import CrsRefused, NotPermitted, UsageError
from rivergis.patrol import areas, joint, review

ZONE = "EPSG:4544"
LIMITS = joint.Limits(50.0, 600.0, 1000.0)


def course(
    key: str,
    unit: str,
    start_s: float = 0.0,
    *,
    y: float = 0.0,
    minutes: float = 30,
    speed_ms: float = 1.3,
    every_s: float = 10,
) -> joint.Course:
    t = np.arange(start_s, start_s + minutes * 60, every_s)
    return joint.Course(key, unit, t, (t - start_s) * speed_ms, np.full(len(t), y))


# ---- joint patrols --------------------------------------------------------------------------------------------------


@settings(max_examples=40)
@given(st.floats(0, 120), st.integers(-1_200_000, 1_200_000).map(lambda ms: ms / 1000), st.integers(5, 60))
def test_a_meeting_is_symmetric_and_within_both_tracks(y: float, late_s: float, every_s: int) -> None:
    a, b = course("a", "1"), course("b", "2", late_s, y=y, every_s=every_s)
    found = joint.meetings([a, b], LIMITS)
    assert found == joint.meetings([b, a], LIMITS)
    for m in found:
        assert m.seconds >= LIMITS.overlap_s
        assert max(a.t_s[0], b.t_s[0]) <= m.from_s <= m.to_s <= min(a.t_s[-1], b.t_s[-1])
    if y > LIMITS.distance_m:
        assert not found


def test_who_walks_together_at_the_border_is_met() -> None:
    """a and b side by side for half an hour, c an hour later, d of the same unit; the border lies here or far away."""
    a, b, c, d = course("a", "1"), course("b", "2", y=20), course("c", "2", 3600.0, y=20), course("d", "1", y=10)
    assert [(m.a, m.b) for m in joint.meetings([a, b, c, d], LIMITS)] == [("a", "b"), ("b", "d")]
    here, far = shapely.LineString([(0, 100), (2000, 100)]), shapely.LineString([(0, 9000), (2000, 9000)])
    assert joint.meetings([a, b], LIMITS, here) and not joint.meetings([a, b], LIMITS, far)
    assert not joint.meetings([a, b], LIMITS, shapely.GeometryCollection())


def test_a_silence_is_no_company() -> None:
    """b records its first and last minute only: where it was between is not known."""
    b = course("b", "2")
    ends = (b.t_s < 60) | (b.t_s > 1740)
    silent = joint.Course("b", "2", b.t_s[ends], b.x[ends], b.y[ends])
    assert joint.meetings([course("a", "1"), b], LIMITS) and not joint.meetings([course("a", "1"), silent], LIMITS)


# ---- areas ----------------------------------------------------------------------------------------------------------


def park(*shapes: shapely.Geometry) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(geometry=[shapely.MultiPolygon([s]) for s in shapes], crs=ZONE)


@settings(max_examples=40)
@given(st.floats(50, 900), st.floats(10, 200))
def test_time_and_way_in_neighbouring_areas_add_up(cut: float, sight: float) -> None:
    """0 ---- west ---- cut ---- east ---- 1000: what is inside one or the other is inside both together."""
    t = np.arange(0.0, 700.0, 10.0)
    x, y = 10 + t * 1.3, np.zeros(len(t))
    limits = areas.Limits(sight, 60.0)
    west, east = shapely.box(0, -50, cut, 50), shapely.box(cut, -50, 1000, 50)
    halves = areas.visits(t, x, y, park(west, east), limits)
    [whole] = areas.visits(t, x, y, park(shapely.box(0, -50, 1000, 50)), limits).itertuples()
    assert halves["minutes"].sum() == pytest.approx(whole.minutes) == pytest.approx(690 / 60)
    assert halves["metres"].sum() == pytest.approx(whole.metres) and halves["share"].between(0, 1).all()


def test_standing_inside_counts_time_and_silences_do_not() -> None:
    t = np.array([0.0, 30, 60, 600, 630])
    x = np.array([10.0, 10, 10, 10, 10])
    limits = areas.Limits(10.0, 60.0)
    [inside] = areas.visits(t, x, x, park(shapely.box(0, 0, 100, 100)), limits).itertuples()
    assert (inside.minutes, inside.metres) == (1.5, 0.0) and inside.share == pytest.approx(
        np.pi * 100 / 10_000, rel=0.02
    )
    assert areas.visits(t, x + 500, x, park(shapely.box(0, 0, 100, 100)), limits).empty
    assert areas.visits(t[:1], x[:1], x[:1], park(shapely.box(0, 0, 100, 100)), limits).empty
    with pytest.raises(CrsRefused):
        areas.visits(t, x, x, gpd.GeoDataFrame(geometry=[shapely.box(0, 0, 1, 1)], crs=4490), limits)


# ---- questions ------------------------------------------------------------------------------------------------------

START = datetime(2026, 5, 20, tzinfo=UTC)
moves = st.lists(
    st.tuples(
        st.sampled_from("xy"),
        st.sampled_from(["raised", "replied", "confirmed", "dismissed"]),
        st.sampled_from(["a", "b"]),
    ),
    max_size=12,
)


def events(rows: list[tuple[str, str, str]]) -> list[dict[str, Any]]:
    return [
        {"code": c, "move": m, "actor": who, "text": f"t{i}", "recorded_at": START + timedelta(hours=i)}
        for i, (c, m, who) in enumerate(rows)
    ]


@given(moves)
def test_folding_keeps_every_reply_and_questions_do_not_touch_each_other(rows: list[tuple[str, str, str]]) -> None:
    begun = [("x", "raised", "m"), ("y", "raised", "m"), *rows]
    folded = review.fold(events(begun), {"x"})
    assert folded.keys() == {"x", "y"} and (folded["x"].gone, folded["y"].gone) == (False, True)
    for code, q in folded.items():
        own = [r for r in begun if r[0] == code]
        assert len(q.replies) == sum(m == "replied" for _, m, _ in own) and q.state == own[-1][1]


def test_who_replied_does_not_decide_and_nothing_is_confirmed_too_early() -> None:
    asked = events([("x", "raised", "m")])
    question = review.fold(asked, {"x"})["x"]
    early, late = START + timedelta(days=1), START + timedelta(days=8)
    with pytest.raises(UsageError, match="may reply until 2026-05-27"):
        review.may_decide(question, "confirmed", "b", early, 7)
    review.may_decide(question, "confirmed", "b", late, 7)
    review.may_decide(question, "dismissed", "b", early, 7)
    replied = review.fold([*asked, *events([("x", "replied", "a")])], {"x"})["x"]
    review.may_decide(replied, "confirmed", "b", early, 7)
    with pytest.raises(NotPermitted, match="somebody else"):
        review.may_decide(replied, "dismissed", "a", late, 7)
