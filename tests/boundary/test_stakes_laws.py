"""Laws of stakes: never farther apart than the rule, on the line, numbered downstream, and placing twice changes nothing."""

from __future__ import annotations

import itertools

import geopandas as gpd
import numpy as np
import pytest
import shapely
import shapely.ops
from hypothesis import given, settings
from hypothesis import strategies as st

from rivergis.boundary.ground import bank_chains
from rivergis.boundary.stake import numbers as stake_numbers
from tests import tiny
from tests.boundary import stake_ground as sg

FEW = settings(max_examples=15)


def chains_of(axis: shapely.LineString) -> list[bank_chains.Chain]:
    return bank_chains.chains_of(sg.lines(axis), sg.reaches(axis), 0.2)


def along(chain: bank_chains.Chain, table: gpd.GeoDataFrame) -> np.ndarray:
    mine = table[table["bank"] == chain.bank]
    return np.sort(shapely.line_locate_point(chain.line, mine.geometry.to_numpy()))


@FEW
@given(sg.waves, st.sampled_from([60.0, 100.0, 200.0]))
def test_neighbours_are_never_farther_apart_than_the_rule_and_stand_on_the_line(
    waves: list[float], base: float
) -> None:
    chains = chains_of(sg.winding(waves))
    table = sg.placed(chains, sg.ground(spacing=sg.spacing(base)))
    for chain in chains:
        steps = np.diff(along(chain, table))
        assert steps.max() <= base + 0.001
        off = shapely.distance(chain.line, table[table["bank"] == chain.bank].geometry.to_numpy())
        assert off.max() < 0.001
        assert {0.0, round(chain.length_m, 6)} <= set(np.round(along(chain, table), 6))


@FEW
@given(sg.waves)
def test_numbers_are_single_and_rise_downstream_on_each_bank(waves: list[float]) -> None:
    table = sg.placed(chains_of(sg.winding(waves)), sg.ground())
    assert table["code"].is_unique
    for _, bank in table.groupby("bank"):
        keys = [stake_numbers.read(c, s).key for c, s in zip(bank["code"], bank["number_series"], strict=True)]
        assert keys == sorted(keys)
        assert bank["at_m"].is_monotonic_increasing


@FEW
@given(sg.waves)
def test_placing_twice_changes_nothing(waves: list[float]) -> None:
    chains = chains_of(sg.winding(waves))
    first = sg.placed(chains, sg.ground())
    second = sg.placed(chains, sg.ground(), sg.again(first))
    assert list(second["code"]) == list(first["code"])
    assert list(second.geometry) == list(first.geometry)
    assert list(second["kind"]) == list(first["kind"])
    assert second["existing"].all()


@FEW
@given(sg.waves)
def test_a_mirrored_river_has_mirrored_stakes(waves: list[float]) -> None:
    north = sg.placed(chains_of(sg.winding(waves)), sg.ground())
    south = sg.placed(chains_of(sg.winding([-w for w in waves])), sg.ground())
    left, right = north[north["bank"] == "left"], south[south["bank"] == "right"]
    assert list(left["at_m"]) == pytest.approx(list(right["at_m"]), abs=0.01)
    assert list(left["kind"]) == list(right["kind"])
    assert [c.replace("-L-", "-R-") for c in left["code"]] == list(right["code"])


@FEW
@given(sg.waves, st.lists(st.floats(0.02, 0.98), min_size=1, max_size=4, unique=True))
def test_numbers_that_were_given_stay_when_stakes_are_inserted(waves: list[float], where: list[float]) -> None:
    chains = chains_of(sg.winding(waves))
    wide = sg.placed(chains, sg.ground(spacing=sg.spacing(200, 20, 200)))
    bridges = [sg.stakes_mark(chains[0].line.interpolate(w, normalized=True)) for w in where]
    denser = sg.placed(chains, sg.ground(marks=bridges, spacing=sg.spacing(70)), sg.again(wide))
    kept = denser[denser["existing"]]
    assert set(wide["code"]) == set(kept["code"])
    assert dict(zip(wide["code"], wide.geometry, strict=True)) == dict(zip(kept["code"], kept.geometry, strict=True))
    assert denser["code"].is_unique
    for _, bank in denser.groupby("bank"):
        keys = [stake_numbers.read(c, s).key for c, s in zip(bank["code"], bank["number_series"], strict=True)]
        assert keys == sorted(keys)


@FEW
@given(sg.waves, st.lists(st.floats(0.05, 0.95), min_size=1, max_size=5, unique=True), st.booleans())
def test_a_line_cut_and_drawn_backwards_gives_the_same_stakes(
    waves: list[float], cuts: list[float], turn: bool
) -> None:
    axis = sg.winding(waves)
    whole = sg.lines(axis)
    pieces = [
        (bank, piece)
        for bank, line in zip(whole["bank"], whole.geometry, strict=True)
        for piece in shapely.get_parts(
            shapely.ops.split(shapely.ops.snap(line, points(line, cuts), 1e-6), points(line, cuts))
        )
    ]
    drawn = [p.reverse() if turn and i % 2 else p for i, (_, p) in enumerate(pieces)]
    frame = tiny.metric(drawn, reach_code="H0").assign(bank=[b for b, _ in pieces])
    chains = bank_chains.chains_of(frame, sg.reaches(axis), 0.2)
    assert len(chains) == 2
    one, two = sg.placed(chains_of(axis), sg.ground()), sg.placed(chains, sg.ground())
    assert list(one["code"]) == list(two["code"])
    assert np.allclose(shapely.distance(one.geometry.to_numpy(), two.geometry.to_numpy()), 0, atol=0.01)


def points(line: shapely.LineString, at: list[float]) -> shapely.MultiPoint:
    return shapely.MultiPoint([line.interpolate(a, normalized=True) for a in at])


keys = st.lists(st.integers(0, 30), min_size=1, max_size=3).map(tuple)


@given(st.sets(keys, max_size=8), st.lists(st.integers(0, 3), min_size=9, max_size=9))
def test_numbers_fit_between_any_that_rise(there: set[tuple[int, ...]], fresh: list[int]) -> None:
    """Gaps of any size before, between and after numbers of any depth are filled, single and rising; zeros leave no room."""
    order: list[tuple[int, ...] | None] = []
    for n, key in zip(fresh, [*sorted(k for k in there if 0 not in k), None], strict=False):
        order += [None] * n + ([key] if key is not None else [])
    got = stake_numbers.given(order)
    assert got == sorted(set(got))
    assert len(got) == len(order)
    assert [g for g, o in zip(got, order, strict=True) if o is not None] == [o for o in order if o is not None]


@given(
    st.text("ABQX-012", max_size=8), st.integers(0, 9999), st.lists(st.integers(0, 999), max_size=3), st.integers(1, 5)
)
def test_a_number_is_read_as_it_is_written(series: str, figure: int, subs: list[int], digits: int) -> None:
    series = series.rstrip("-0123456789") + "-"
    number = stake_numbers.Number(series, (figure, *subs), max(digits, len(str(figure))))
    assert stake_numbers.read(str(number), series) == number


def test_a_line_round_a_lake_or_island_closes_on_its_first_stake() -> None:
    """A ring has no end: its last stake sees its first, none is wider than the rule, and placing twice changes nothing."""
    axis = sg.winding([0.0] * 12)
    ring = tiny.point(330, 0).buffer(150).exterior
    line = shapely.LineString(ring.coords)
    frame = tiny.metric([line], reach_code="H0", bank="left")
    chains = bank_chains.chains_of(frame, sg.reaches(axis), 0.2)
    table = sg.placed(chains, sg.ground(spacing=sg.spacing(100, 20, 50)))
    assert table["to_next_m"].notna().all()
    assert table["to_next_m"].sum() == pytest.approx(ring.length)
    assert table["to_next_m"].max() <= 100.001
    second = sg.placed(chains, sg.ground(spacing=sg.spacing(100, 20, 50)), sg.again(table))
    assert list(second["code"]) == list(table["code"])


def test_lines_of_two_rivers_share_the_stake_at_a_mouth() -> None:
    """
    main axis     ────────────────────────▶
    main line     ──────●        ●─────────   left, open at the mouth
                        │        │
    brook's lines       │        │            end on its corners
    """
    main, brook = tiny.line((0, 0), (1000, 0)), tiny.line((500, 400), (500, 0))
    rows = [
        ("H0", "left", tiny.line((0, 60), (470, 60))), ("H0", "left", tiny.line((530, 60), (1000, 60))), ("H0", "right", tiny.line((0, -60), (1000, -60))),
        ("H1", "right", tiny.line((470, 400), (470, 60))), ("H1", "left", tiny.line((530, 400), (530, 60))),
    ]  # fmt: skip
    frame = tiny.metric([g for *_, g in rows]).assign(reach_code=[r for r, *_ in rows], bank=[b for _, b, _ in rows])
    chains = bank_chains.chains_of(frame, sg.reaches(main, brook, rivers=["R1", "R2"]), 0.2)
    table = sg.placed(chains, sg.ground())
    corners = [tiny.point(470, 60), tiny.point(530, 60)]
    for corner in corners:
        [own] = table[table.distance(corner) < 0.001].itertuples()
        assert own.river_code == "R1"
        assert "tributary" in own.reason
    assert [c for c in table["code"] if c.startswith("R2")] == ["R2-L-001", "R2-L-002", "R2-R-001", "R2-R-002"]
    second = sg.placed(chains, sg.ground(), sg.again(table))
    assert list(second["code"]) == list(table["code"])


@FEW
@given(sg.waves, st.lists(st.integers(1, 23), max_size=4, unique=True), st.booleans())
def test_a_line_over_several_reaches_is_measured_on_all_of_them(
    waves: list[float], cuts: list[int], named: bool
) -> None:
    """A line that names its river, or nothing, has the stakes and chainages that it has beside one long reach."""
    axis = sg.winding(waves)
    ends = [0, *sorted(c for c in cuts if c < len(waves) - 1), len(waves) - 1]
    reaches = sg.reaches(*[shapely.LineString(axis.coords[a : b + 1]) for a, b in itertools.pairwise(ends)])
    frame = sg.lines(axis).drop(columns="reach_code")
    chains = bank_chains.chains_of(frame.assign(river_code="R1") if named else frame, reaches, 0.2)
    one, two = sg.placed(chains_of(axis), sg.ground()), sg.placed(chains, sg.ground())
    assert list(one["code"]) == list(two["code"])
    assert np.allclose(one["at_m"], two["at_m"], atol=0.01)
