"""Two planners on one draft, without a database: what merges, what clashes, and that nothing is lost.

S1 |------------|  S2 |-----------|     left bank, common end at x = 100
S3 |--------------------------------|   right bank
"""

from __future__ import annotations

import uuid
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from rivergis.boundary.law.edit import Edit, Merged, Segment, edits_between, merge, same

S1, S2, S3 = (uuid.UUID(int=n) for n in (1, 2, 3))
SAID: dict[str, Any] = {"river_id": "R", "reach_code": "R-1", "bank": "left", "from_m": None, "to_m": None}


def line(*points: tuple[float, float]) -> shapely.LineString:
    return shapely.LineString(points)


BASE = [
    Segment(S1, 1, line((0, 10), (100, 10)), SAID),
    Segment(S2, 1, line((100, 10), (200, 10)), SAID),
    Segment(S3, 1, line((0, -10), (200, -10)), SAID | {"bank": "right"}),
]


def after(held: list[Segment], *rows: Segment) -> list[Segment]:
    out = {s.segment_id: s for s in held}
    return list((out | {r.segment_id: r for r in rows}).values())


def merged(now: list[Segment], *edits: Edit, revision: int = 3) -> Merged:
    return merge(BASE, now, list(edits), revision=revision, touch_m=0.01, metric=lambda g: g)


def moved(segment: uuid.UUID, *points: tuple[float, float], revision: int = 2) -> Segment:
    said = next(s.said for s in BASE if s.segment_id == segment)
    return Segment(segment, revision, line(*points), said)


@pytest.mark.parametrize(
    ("theirs", "mine", "because"),
    [
        pytest.param([], Edit("put", S1, geom=line((0, 10), (50, 20), (100, 10))), None, id="nobody else"),
        pytest.param([moved(S3, (0, -12), (200, -12))], Edit("put", S1, geom=line((0, 10), (50, 20), (100, 10))), None, id="other bank"),
        pytest.param([moved(S2, (100, 10), (150, 30), (200, 10))], Edit("put", S1, geom=line((0, 10), (50, 20), (100, 10))), None, id="neighbour, end stays"),
        pytest.param([moved(S1, (0, 10), (50, 20), (100, 10))], Edit("put", S1, geom=line((0, 10), (50, 20), (100, 10))), None, id="both the same"),
        pytest.param([moved(S1, (0, 10), (60, 30), (100, 10))], Edit("put", S1, geom=line((0, 10), (50, 20), (100, 10))), "both_changed", id="both"),
        pytest.param([moved(S1, (0, 10), (60, 30), (100, 10))], Edit("remove", S1), "removed_here", id="taken out here"),
        pytest.param([Segment(S1, 2, BASE[0].geom, SAID, True)], Edit("put", S1, geom=line((0, 10), (50, 20), (100, 10))), "removed_there", id="taken out there"),
        pytest.param([moved(S2, (100, 12), (200, 10))], Edit("put", S1, {"from_m": 5.0}), "shared_end", id="their end moved"),
        pytest.param([moved(S2, (100, 10), (150, 30), (200, 10))], Edit("put", S1, geom=line((0, 10), (100, 14))), "shared_end", id="my end moved"),
        pytest.param([moved(S2, (100, 10), (150, -2), (200, 10))], Edit("put", S3, geom=line((0, -10), (150, 2), (200, -10))), "crosses", id="crossing"),
        pytest.param([Segment(uuid.UUID(int=9), 2, line((0, 30), (200, 30)), SAID)], Edit("put", uuid.UUID(int=8), SAID, line((0, 30), (200, 31))), "same_stretch", id="drawn twice"),
        pytest.param([], Edit("remove", uuid.UUID(int=7)), "unknown_segment", id="never was"),
    ],
)  # fmt: skip
def test_what_merges_and_what_clashes(theirs: list[Segment], mine: Edit, because: str | None) -> None:
    out = merged(after(BASE, *theirs), mine)
    assert [c.because for c in out.clashes] == ([because] if because else [])
    assert because is None or not out.write, "where something clashes nothing is written"
    assert out.merged == bool(theirs and because is None)


def test_saving_again_what_stands_writes_nothing() -> None:
    """A save whose answer was lost is sent again: the new segment carries its own id."""
    edit = Edit("put", uuid.UUID(int=9), SAID | {"bank": "right"}, line((0, -50), (200, -50)))
    first = merged(BASE, edit)
    again = merged(after(BASE, *first.write), edit)
    assert len(first.write) == 1 and again == Merged([], [], True)


CHOICES = st.lists(
    st.tuples(st.sampled_from([S1, S2, S3]), st.sampled_from(["bend", "say", "remove"]), st.integers(1, 5)), max_size=4
)


def wishes(chosen: list[tuple[uuid.UUID, str, int]]) -> list[Edit]:
    out: dict[uuid.UUID, Edit] = {}
    for segment, what, n in chosen:
        xy = shapely.get_coordinates(next(s.geom for s in BASE if s.segment_id == segment))
        bent = shapely.LineString([xy[0], xy.mean(axis=0) + np.array([0.0, n]), xy[-1]])
        out[segment] = {
            "bend": Edit("put", segment, geom=bent),
            "say": Edit("put", segment, {"from_m": float(n)}),
            "remove": Edit("remove", segment),
        }[what]
    return list(out.values())


@given(CHOICES, CHOICES)
def test_order_of_two_planners_does_not_matter_and_nothing_is_lost(one: Any, other: Any) -> None:
    mine, theirs = wishes(one), wishes(other)
    first = after(BASE, *merged(BASE, *theirs, revision=2).write)
    second = after(BASE, *merged(BASE, *mine, revision=2).write)
    there, here = merged(first, *mine), merged(second, *theirs)
    assert bool(there.clashes) == bool(here.clashes)
    if not there.clashes:
        a = {s.segment_id: s for s in after(first, *there.write)}
        b = {s.segment_id: s for s in after(second, *here.write)}
        assert a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
        for edit in (*mine, *theirs):
            row = a[edit.segment_id or S1]
            assert row.removed == (edit.op == "remove")
            assert edit.geom is None or row.geom.equals(edit.geom)
    else:
        assert not there.write and all(c.mine or c.edit for c in there.clashes)


@given(CHOICES)
def test_edits_between_two_pictures_lead_from_one_to_the_other(chosen: Any) -> None:
    goal = after(BASE, *merged(BASE, *wishes(chosen), revision=2).write)
    standing = [s for s in goal if not s.removed]
    out = merged(BASE, *edits_between(BASE, standing), revision=2)
    got = {s.segment_id: s for s in after(BASE, *out.write)}
    assert all(same(got[s.segment_id], s) for s in goal)
    assert np.all([s.revision <= 2 for s in got.values()])
