"""Entries and tracks that are one patrol, and a drawn line on its rivers: laws, then cases."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import geopandas as gpd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from rivergis.patrol.entries import KINDS, Said, Stretch, along_rivers, joined, pair, twins

DAY = date(2026, 5, 20)
NINE = datetime(2026, 5, 20, 1, 0, tzinfo=UTC)


def said(
    id_: str, kind: str = "paper", at: float | None = None, minutes: float = 60, *parts: Stretch, **more: object
) -> Said:
    """A patrol of chief C that begins ``at`` minutes after nine."""
    start = None if at is None else NINE + timedelta(minutes=at)
    end = None if start is None else start + timedelta(minutes=minutes)
    return replace(Said(id_, frozenset("C"), DAY, kind, start, end, tuple(parts)), **more)  # type: ignore[arg-type]


def paired(entries: list[Said], tracks: list[Said]) -> dict[tuple[str, str], str | None]:
    return {(p.entry_id, p.track_id): p.doubt for p in pair(entries, tracks, slack_min=30, min_share=0.5)}


R, S = Stretch("r", 0, 1000), Stretch("s", 0, 1000)

stretches = st.lists(
    st.builds(lambda r, a, n: Stretch(r, a, a + n), st.sampled_from("rs"), st.integers(0, 900), st.integers(1, 900)),
    max_size=2,
)
times = st.one_of(st.none(), st.integers(-300, 300))
entry_lists = st.lists(st.tuples(st.sampled_from(KINDS), times, st.integers(0, 90), stretches), max_size=5)
track_lists = st.lists(st.tuples(st.integers(-300, 300), st.integers(1, 90), stretches), max_size=3)


def drawn(entries: list, tracks: list) -> tuple[list[Said], list[Said]]:  # type: ignore[type-arg]
    return (
        [said(f"e{i}", kind, at, n, *parts) for i, (kind, at, n, parts) in enumerate(entries)],
        [said(f"t{i}", "track", at, n, *parts) for i, (at, n, parts) in enumerate(tracks)],
    )


@given(entry_lists, track_lists, st.randoms())
def test_the_order_in_which_things_arrive_changes_nothing(entries: list, tracks: list, rng: random.Random) -> None:  # type: ignore[type-arg]
    es, ts = drawn(entries, tracks)
    shuffled = rng.sample(es, len(es)), rng.sample(ts, len(ts))
    assert paired(es, ts) == paired(*shuffled)


@given(entry_lists, track_lists)
def test_a_certain_pair_leaves_no_other_partner(entries: list, tracks: list) -> None:  # type: ignore[type-arg]
    es, ts = drawn(entries, tracks)
    found = paired(es, ts)
    certain = [k for k, doubt in found.items() if doubt is None]
    assert len({e for e, _ in certain}) == len(certain), "an entry is in two tracks"
    kinds = {e.id: e.kind for e in es}
    assert len({(kinds[e], t) for e, t in certain}) == len(certain), "two entries of a kind are one patrol"
    assert all([e for e, _ in found].count(entry) == 1 for entry, _ in certain)


@given(entry_lists, track_lists)
def test_what_is_merged_makes_no_new_pair(entries: list, tracks: list) -> None:  # type: ignore[type-arg]
    es, ts = drawn(entries, tracks)
    certain = {e: t for (e, t), doubt in paired(es, ts).items() if doubt is None}
    again = paired([replace(e, merged_into=certain.get(e.id)) for e in es], ts)
    assert not [k for k, doubt in again.items() if doubt is None], "a second run merges nothing"


CASES = [
    ("time agrees", said("e", "paper", 20), said("t", "track", 0), {("e", "t"): None}),
    ("place agrees, no time", said("e", "paper", None, 0, R), said("t", "track", 0, 60, R), {("e", "t"): None}),
    ("the hours are rounded", said("e", "paper", 85, 60, R), said("t", "track", 0, 60, R), {("e", "t"): None}),
    ("near hours alone", said("e", "paper", 85, 60), said("t", "track", 0, 60), {("e", "t"): "hours_near"}),
    ("another time of day", said("e", "paper", 300), said("t", "track", 0), {}),
    ("another stretch", said("e", "paper", 0, 60, Stretch("r", 2000, 3000)), said("t", "track", 0, 60, R), {}),
    ("another river", said("e", "platform_record", 0, 60, Stretch("s")), said("t", "track", 0, 60, R), {}),
    ("the river alone is said", said("e", "platform_record", 0, 60, Stretch("r")), said("t", "track", 0, 60, R), {("e", "t"): None}),
    ("nothing is said", said("e", "paper"), said("t", "track", 0, 60, R), {("e", "t"): "nothing_said"}),
    ("a drone flies beside", said("e", "drone", 0), said("t", "track", 0), {("e", "t"): "other_kind"}),
    ("taken apart before", said("e", "paper", 0, kept_apart=True), said("t", "track", 0), {("e", "t"): "kept_apart"}),
    ("another chief", said("e", "paper", 0, chief_ids=frozenset("D")), said("t", "track", 0), {}),
    ("another day", said("e", "paper", 0, day=date(2026, 5, 21)), said("t", "track", 0), {}),
    ("a joint patrol", said("e", "paper", 0, chief_ids=frozenset("D")), said("t", "track", 0, chief_ids=frozenset("CD")), {("e", "t"): None}),
]  # fmt: skip


@pytest.mark.parametrize(("entry", "track", "expected"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_one_entry_and_one_track(entry: Said, track: Said, expected: dict[tuple[str, str], str | None]) -> None:
    assert paired([entry], [track]) == expected


def test_two_sheets_without_hours_are_a_question_unless_one_names_its_hour() -> None:
    walk = said("t", "track", 0, 60, R)
    one, other = said("a", "paper", None, 0, R), said("b", "paper", None, 0, R)
    assert set(paired([one, other], [walk]).values()) == {"several_entries"}
    named = said("a", "paper", 10, 40, R)
    assert paired([named, other], [walk]) == {("a", "t"): None, ("b", "t"): "several_entries"}


def test_a_platform_and_a_paper_may_both_tell_of_one_walk() -> None:
    walk = said("t", "track", 0)
    assert paired([said("a", "paper", 0), said("b", "platform_record", 5)], [walk]) == {
        ("a", "t"): None,
        ("b", "t"): None,
    }


def test_a_patrol_told_on_paper_and_by_a_platform_is_asked_about() -> None:
    rules = {"slack_min": 30, "min_share": 0.5}
    paper, platform = said("a", "paper", 0), said("b", "platform_record", 10)
    assert twins([platform, paper], **rules) == [("a", "b")]
    assert twins([paper, said("b", "paper", 0)], **rules) == [], "two sheets of one kind are two patrols"
    assert twins([paper, said("b", "platform_record", 300)], **rules) == []
    assert twins([paper, said("b", "platform_record")], **rules) == [], "what says nothing is no question"
    assert twins([paper, replace(platform, merged_into="t")], **rules) == []


def test_two_walks_and_a_sheet_without_hours() -> None:
    walks = [said("t", "track", 0, 60, R), said("u", "track", 300, 60, R)]
    assert set(paired([said("e", "paper", None, 0, R)], walks).values()) == {"several_tracks"}
    assert paired([said("e", "paper", 310, 30, R)], walks) == {("e", "u"): None}


# ---- a drawn line ---------------------------------------------------------------------------------------------------------
r"""
   r  ~~~~~~~~~+~~~~~~~~>   along 29.40 N
               |            s flows into r from the north
"""
AXES = gpd.GeoDataFrame(
    {"river_id": ["r", "s"], "origin_m": [0.0, 0.0]},
    geometry=[shapely.LineString([(106.0, 29.4), (106.02, 29.4)]), shapely.LineString([(106.01, 29.41), (106.01, 29.4)])],
    crs="EPSG:4490",
)  # fmt: skip


def along(*points: tuple[float, float]) -> list[Stretch]:
    return along_rivers(shapely.LineString(points), AXES, within_m=100, min_m=30)[0]


def test_a_line_beside_a_river_is_its_stretch_whichever_way_it_was_drawn() -> None:
    there, back = along((106.002, 29.4003), (106.008, 29.4003)), along((106.008, 29.4003), (106.002, 29.4003))
    [one], [two] = there, back
    assert one.river_id == "r" and one.bank == "both"
    assert one.from_m == pytest.approx(two.from_m, abs=0.01) and one.from_m == pytest.approx(194, abs=2)
    assert one.to_m == pytest.approx(776, abs=2)


def test_a_line_that_turns_into_the_tributary_has_a_stretch_on_each() -> None:
    found = {s.river_id: s for s in along((106.004, 29.4002), (106.0102, 29.4002), (106.0102, 29.408))}
    assert found["r"].to_m == pytest.approx(970, abs=30) and found["s"].to_m == pytest.approx(1108, abs=60)


def test_what_crosses_a_river_or_is_far_from_it_has_no_stretch() -> None:
    assert along((106.005, 29.395), (106.005, 29.405)) == []
    lines, share = along_rivers(shapely.LineString([(106.005, 29.38), (106.005, 29.39)]), AXES, within_m=100, min_m=30)
    assert (lines, share) == ([], 0.0)


def test_a_bend_that_the_line_cuts_off_is_not_claimed() -> None:
    r"""_/‾‾\_   the neck of the bend is 60 m wide, its loop 1.5 km long"""
    bend = shapely.LineString(
        [(106.0, 29.4), (106.01, 29.4), (106.01, 29.407), (106.0106, 29.407), (106.0106, 29.4), (106.02, 29.4)]
    )
    axes = AXES.iloc[:1].set_geometry([bend], crs="EPSG:4490")
    parts, _ = along_rivers(shapely.LineString([(106.0, 29.3999), (106.02, 29.3999)]), axes, within_m=100, min_m=30)
    assert sum(s.to_m - s.from_m for s in parts if s.from_m is not None and s.to_m is not None) < 2100


@given(st.lists(st.tuples(st.integers(0, 100), st.integers(0, 100)).map(lambda p: (min(p), max(p)))))
def test_joined_intervals_are_disjoint_and_hold_the_same_metres(parts: list[tuple[float, float]]) -> None:
    out = joined(parts)
    assert all(a[1] < b[0] for a, b in pairwise(out)) and joined(out) == out
    assert all(any(lo <= a and b <= hi for lo, hi in out) for a, b in parts)
