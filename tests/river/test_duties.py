"""Who answers for each metre: stretches partition every river, bank and level, whatever the duties look like."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rivergis.river import duties

COLUMNS = ["chief_id", "chief", "level", "river_id", "bank", "from_m", "to_m"]
RIVERS = pd.DataFrame(
    [("a", "甲河", 0.0, 1000.0), ("b", "乙沟", 250.0, 600.0)], columns=["river_id", "river", "from_m", "to_m"]
)


def frame(*rows: tuple[Any, ...]) -> pd.DataFrame:
    """Duties as (chief, level, river, bank, from, to)."""
    return pd.DataFrame([(f"id{c}", c, *rest) for c, *rest in rows], columns=COLUMNS)


STRETCH = st.tuples(
    st.sampled_from("王李赵"),
    st.sampled_from(["town", "village"]),
    st.sampled_from(["a", "b", "c"]),
    st.sampled_from(["left", "right", "both"]),
    st.integers(-100, 1200),
    st.integers(-100, 1200),
)
MANY = st.lists(STRETCH, max_size=8).map(lambda rows: frame(*rows))


def told(a: duties.Assignment) -> list[tuple[Any, ...]]:
    return [tuple(r) for r in a.intervals.itertuples(index=False)]


#   甲河  0 |====王====|....|==李==|======| 1000      both banks
#                          |==赵==|               left bank only
ROWS = frame(
    ("王", "village", "a", "both", 0, 400),
    ("李", "village", "a", "both", 500, 1000),
    ("赵", "village", "a", "left", 500, 700),
)


def test_gaps_and_doubles_are_found_on_their_bank() -> None:
    got = duties.assign(ROWS, RIVERS.iloc[:1])
    orphan = duties.joined(got.orphans)
    assert orphan[["bank", "from_m", "to_m"]].to_numpy().tolist() == [["both", 400.0, 500.0]]
    assert got.doubles[["bank", "from_m", "to_m", "chief_ids"]].to_numpy().tolist() == [
        ["left", 500.0, 700.0, ("id李", "id赵")]
    ]
    [row] = got.summary.itertuples()
    assert (row.bank_m, row.nobody_m, row.several_m, row.one_m) == (2000, 200, 200, 1600)
    assert row.nobody_share == pytest.approx(0.1)


def test_a_river_shared_by_its_banks_is_no_double_assignment() -> None:
    got = duties.assign(
        frame(("王", "town", "a", "left", 0, 1000), ("李", "town", "a", "right", 0, 1000)), RIVERS.iloc[:1]
    )
    assert got.doubles.empty and got.orphans.empty
    assert set(duties.joined(got.intervals)["bank"]) == {"left", "right"}


def test_chiefs_of_different_levels_do_not_double() -> None:
    got = duties.assign(
        frame(("王", "town", "a", "both", 0, 1000), ("李", "village", "a", "both", 0, 1000)), RIVERS.iloc[:1]
    )
    assert got.doubles.empty and got.orphans.empty


def test_duties_off_the_river_are_told_with_their_metres() -> None:
    got = duties.assign(
        frame(
            ("王", "town", "a", "both", -50, 1200),
            ("李", "town", "c", "both", 0, 70),
            ("赵", "town", "a", "both", 300, 200),
        ),
        RIVERS.iloc[:1],
    )
    rows = got.astray.set_index("reason")["length_m"].to_dict()
    assert rows == {"above_upper_end": 50, "below_lower_end": 200, "unknown_river": 70, "not_downstream": -100}


def test_load_counts_a_stretch_once_along_the_river_and_twice_along_the_banks() -> None:
    persons = duties.assign(ROWS, RIVERS.iloc[:1]).persons.set_index("chief")
    assert persons.loc["王", ["river_m", "bank_m", "shared_bank_m"]].tolist() == [400, 800, 0]
    assert persons.loc["李", ["river_m", "bank_m", "shared_bank_m"]].tolist() == [500, 1000, 200]
    assert persons.loc["赵", ["river_m", "bank_m", "shared_bank_m"]].tolist() == [200, 200, 200]


def test_without_any_duty_asked_levels_have_nobody() -> None:
    got = duties.assign(frame(), RIVERS, levels=["county"])
    assert got.summary["nobody_share"].tolist() == [1.0]
    assert got.persons.empty and got.astray.empty


@settings(deadline=None, max_examples=60)
@given(MANY)
def test_stretches_partition_every_bank(rows: pd.DataFrame) -> None:
    got = duties.assign(rows, RIVERS, levels=["town", "village"])
    for (river, _, _), part in got.intervals.groupby(["river_id", "level", "bank"]):
        ends = RIVERS.set_index("river_id").loc[river]
        stops = part[["from_m", "to_m"]].to_numpy()
        assert stops[0, 0] == ends["from_m"] and stops[-1, 1] == ends["to_m"]
        assert (stops[1:, 0] == stops[:-1, 1]).all() and (stops[:, 0] < stops[:, 1]).all()
    assert got.intervals.groupby(["river_id", "level", "bank"]).ngroups == 2 * 2 * 2
    s = got.summary
    assert np.allclose(s["bank_m"], s["one_m"] + s["nobody_m"] + s["several_m"])


@settings(deadline=None, max_examples=60)
@given(MANY)
def test_each_metre_has_those_whose_duty_holds_it(rows: pd.DataFrame) -> None:
    got = duties.assign(rows, RIVERS, levels=["town", "village"])
    for r in got.intervals.itertuples():
        at = (r.from_m + r.to_m) / 2
        holds = rows[
            (rows["river_id"] == r.river_id) & (rows["level"] == r.level) & rows["bank"].isin([r.bank, "both"])
            & (rows["from_m"] <= at) & (at < rows["to_m"])
        ]  # fmt: skip
        assert set(r.chief_ids) == set(holds["chief_id"]) and r.persons == len(set(holds["chief_id"]))


@settings(deadline=None, max_examples=40)
@given(MANY, st.randoms(use_true_random=False))
def test_order_and_splitting_of_duties_change_nothing(rows: pd.DataFrame, random: Any) -> None:
    split = []
    for r in rows.itertuples(index=False):
        cut = random.randint(min(r.from_m, r.to_m), max(r.from_m, r.to_m))
        if r.from_m < cut < r.to_m:
            split += [r._replace(from_m=r.from_m, to_m=cut), r._replace(from_m=cut, to_m=r.to_m)]
        elif r.bank == "both":
            split += [r._replace(bank="left"), r._replace(bank="right")]
        else:
            split.append(r)
    random.shuffle(split)
    other = pd.DataFrame(split, columns=COLUMNS)
    levels = ["town", "village"]
    a, b = duties.assign(rows, RIVERS, levels), duties.assign(other, RIVERS, levels)
    assert told(a) == told(b)
    pd.testing.assert_frame_equal(a.persons, b.persons, check_dtype=False)


@settings(deadline=None, max_examples=40)
@given(MANY)
def test_loads_and_stretches_tell_the_same_metres(rows: pd.DataFrame) -> None:
    got = duties.assign(rows, RIVERS, levels=["town", "village"])
    held = got.intervals
    assert got.persons["bank_m"].sum() == pytest.approx((held["length_m"] * held["persons"]).sum())
    assert got.persons["shared_bank_m"].sum() == pytest.approx((got.doubles["length_m"] * got.doubles["persons"]).sum())
    along = got.persons["river_m"]
    assert (along <= got.persons["bank_m"] + 1e-9).all() and (got.persons["bank_m"] <= 2 * along + 1e-9).all()
    for r in got.persons.itertuples():
        mine = held[held["chief_ids"].map(lambda c, i=r.chief_id: i in c) & (held["level"] == r.level)]
        metres = {(x.river_id, m) for x in mine.itertuples() for m in range(int(x.from_m), int(x.to_m))}
        assert r.river_m == pytest.approx(len(metres))


@settings(deadline=None, max_examples=40)
@given(MANY)
def test_joining_banks_keeps_every_bank_metre(rows: pd.DataFrame) -> None:
    whole = duties.assign(rows, RIVERS, levels=["town", "village"]).intervals
    both = duties.joined(whole)
    assert (both["length_m"] * np.where(both["bank"] == "both", 2, 1)).sum() == pytest.approx(whole["length_m"].sum())


def test_short_stretches_are_counted_not_listed() -> None:
    got = duties.assign(frame(("王", "town", "a", "both", 0.3, 1000)), RIVERS.iloc[:1])
    long, short = duties.longer(duties.joined(got.orphans), 1.0)
    assert long.empty and short == 1
