r"""Laws of a period: what is seen and what is not add up to what is assigned, whoever came first.

assigned  left   0 |-------------------------------| 1000
monday    left        |--------|                           200-500
friday    left              |-----------|                  400-800
seen                  200      500      800        -> 200-400 monday, 400-800 friday (400-500 twice), the rest never
"""

from __future__ import annotations

from datetime import date, timedelta

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rivergis.patrol import period

KEYS = list(period.LINE)
MONDAY = date(2026, 5, 4)
FRIDAY = MONDAY + timedelta(days=4)


def frame(rows: list[tuple[object, ...]], *more: str) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=[*KEYS, "from_m", "to_m", *more])


metres = st.integers(0, 4000).map(lambda m: m / 4)
spans = st.tuples(metres, metres).filter(lambda s: s[0] != s[1]).map(sorted)
lines = st.tuples(st.sampled_from(["R1", "R2"]), st.sampled_from(period.BANKS))
stretch = st.tuples(lines, spans).map(lambda s: (*s[0], *s[1]))
assigned_frames = st.lists(stretch, min_size=1, max_size=6).map(frame)
visits = st.lists(st.tuples(stretch, st.integers(0, 3), st.integers(0, 30)), max_size=14).map(
    lambda rows: frame([(*s, f"t{t}", MONDAY + timedelta(days=d)) for s, t, d in rows], "track_id", "at")
)


def at(cells: pd.DataFrame, river: str, bank: str, m: float) -> pd.Series | None:
    own = cells[(cells["river_id"] == river) & (cells["bank"] == bank) & (cells["from_m"] <= m) & (m < cells["to_m"])]
    assert len(own) <= 1, "a metre stands twice"
    return own.iloc[0] if len(own) else None


def test_a_week_on_one_bank() -> None:
    assigned = frame([("R1", "left", 0, 1000)])
    seen = frame(
        [
            ("R1", "left", 200, 500, "a", MONDAY),
            ("R1", "left", 400, 800, "b", FRIDAY),
            ("R1", "right", 0, 99, "c", FRIDAY),
        ],
        "track_id",
        "at",
    )
    cells = period.accumulate(assigned, seen)
    told = [tuple(r) for r in cells[["from_m", "to_m", "patrols", "last_seen"]].itertuples(index=False)]
    assert told == [
        (0, 200, 0, None),
        (200, 400, 1, MONDAY),
        (400, 500, 2, FRIDAY),
        (500, 800, 1, FRIDAY),
        (800, 1000, 0, None),
    ]
    days = period.days_since(cells, FRIDAY + timedelta(days=3), (3, 10))
    assert list(days["cls"]) == ["never", "4-10", "0-3", "0-3", "never"]
    assert period.class_names((3, 10)) == ["0-3", "4-10", ">10", "never"]


@given(assigned_frames, visits)
def test_seen_and_never_seen_are_the_assigned(assigned: pd.DataFrame, seen: pd.DataFrame) -> None:
    cells = period.accumulate(assigned, seen)
    never = cells[cells["patrols"] == 0]
    assert period.length_m(cells) == period.length_m(period.union(assigned))
    assert period.union(never).equals(period.difference(assigned, seen))
    assert period.union(cells[cells["patrols"] > 0]).equals(period.common(assigned, seen))
    assert never["last_seen"].isna().all() and cells.loc[cells["patrols"] > 0, "last_seen"].notna().all()


@given(assigned_frames, visits, st.randoms())
def test_the_order_of_patrols_is_irrelevant(assigned: pd.DataFrame, seen: pd.DataFrame, random: object) -> None:
    order = list(range(len(seen)))
    random.shuffle(order)  # type: ignore[attr-defined]
    columns = [*KEYS, "from_m", "to_m", "patrols", "first_seen", "last_seen"]
    one, other = (
        period.joined(period.accumulate(assigned, s)[columns], [*KEYS, *columns[4:]]) for s in (seen, seen.iloc[order])
    )
    assert one.equals(other)


@given(assigned_frames, visits, st.integers(0, 30))
def test_a_period_in_two_parts_has_the_same_last_day(assigned: pd.DataFrame, seen: pd.DataFrame, day: int) -> None:
    cut = MONDAY + timedelta(days=day)
    whole = period.accumulate(assigned, seen)
    parts = [period.accumulate(assigned, seen[pick]) for pick in (seen["at"] < cut, seen["at"] >= cut)]
    for cell in whole.itertuples():
        middle = (cell.from_m + cell.to_m) / 2
        days = [p["last_seen"] for p in (at(c, cell.river_id, cell.bank, middle) for c in parts) if p is not None]
        assert max((d for d in days if d is not None), default=None) == cell.last_seen


@given(assigned_frames, visits)
def test_a_patrol_counts_once_however_often_it_passes(assigned: pd.DataFrame, seen: pd.DataFrame) -> None:
    twice = pd.concat([seen, seen], ignore_index=True)
    cells, again = period.accumulate(assigned, seen), period.accumulate(assigned, twice)
    for cell in cells.itertuples():
        middle = (cell.from_m + cell.to_m) / 2
        own = seen[
            (seen["river_id"] == cell.river_id)
            & (seen["bank"] == cell.bank)
            & (seen["from_m"] <= middle)
            & (middle < seen["to_m"])
        ]
        assert cell.patrols == own["track_id"].nunique()
        found = at(again, cell.river_id, cell.bank, middle)
        assert found is not None and found["patrols"] == cell.patrols


@given(assigned_frames, assigned_frames)
def test_sets_of_metres(a: pd.DataFrame, b: pd.DataFrame) -> None:
    rest, shared = period.difference(a, b), period.common(a, b)
    assert period.union(period.union(a)).equals(period.union(a))
    assert period.length_m(rest) + period.length_m(shared) == pytest.approx(period.length_m(period.union(a)))
    assert period.union(pd.concat([rest, shared])).equals(period.union(a))
    assert period.common(rest, b).empty
    assert period.length_m(period.either_bank(a)) <= period.length_m(period.union(a))


@given(assigned_frames, st.lists(st.tuples(stretch, st.sampled_from(["gap", "too_far", "new"])), max_size=8))
def test_holes_keep_their_metres_and_take_the_nearest_reason(
    holes: pd.DataFrame, told: list[tuple[tuple[object, ...], str]]
) -> None:
    order = ("gap", "too_far", "never_approached")
    unseen = frame([(*s, why) for s, why in told], "reason")
    reasoned = period.reasoned(holes, unseen, order)
    assert period.union(reasoned).equals(period.union(holes))
    for hole in reasoned.itertuples():
        middle = (hole.from_m + hole.to_m) / 2
        own = {w for (r, b, lo, hi), w in told if r == hole.river_id and b == hole.bank and lo <= middle < hi}
        first = next((w for w in order if w in own), "new" if own else "never_approached")
        assert hole.reason == first


def test_an_empty_period_is_all_never() -> None:
    assigned = frame([("R1", "left", 0, 1000), ("R1", "left", 1000, 1500)])
    cells = period.accumulate(assigned, frame([], "track_id", "at"))
    assert cells[["from_m", "to_m", "patrols"]].values.tolist() == [[0, 1500, 0]]
    nothing = period.accumulate(assigned.iloc[:0], frame([("R1", "left", 0, 9, "t", MONDAY)], "track_id", "at"))
    assert nothing.empty and period.length_m(nothing) == 0


def test_both_banks_are_two_rows() -> None:
    told = period.by_bank(frame([("R1", "both", 0, 9), ("R2", "left", 1, 2)]))
    assert told["bank"].tolist() == ["left", "right", "left"]
    assert period.length_m(period.either_bank(told)) == 10


def test_chainages_of_noise_meet_to_the_millimetre() -> None:
    seen = frame([("R1", "left", 0.0, 0.1 + 0.2), ("R1", "left", 0.3, 1.0)])
    assert len(period.union(seen)) == 1
