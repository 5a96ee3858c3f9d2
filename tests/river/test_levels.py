"""Profiles of levels: through what is given, or falling and robust through scattered high-water marks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rivergis.errors import InputError
from rivergis.river import levels

marks = st.lists(st.tuples(st.floats(0, 10_000, width=32), st.floats(0, 100, width=32)), min_size=1, max_size=25).map(
    lambda rows: tuple(np.array(column, dtype=float) for column in zip(*rows, strict=True))
)


@settings(deadline=None)
@given(marks)
def test_a_fitted_profile_never_rises_and_stays_within_its_marks(rows: tuple[np.ndarray, np.ndarray]) -> None:
    at, level = rows
    profile = levels.fitted(at, level)
    assert (np.diff(profile.at_m) > 0).all() and (np.diff(profile.level_m) <= 1e-9).all()
    assert profile.at_m[0] == at.min() and profile.at_m[-1] == at.max()


@settings(deadline=None)
@given(marks, st.randoms())
def test_the_order_of_the_marks_changes_nothing(rows: tuple[np.ndarray, np.ndarray], random: object) -> None:
    at, level = rows
    order = np.array(sorted(range(len(at)), key=lambda _: random.random()))  # type: ignore[attr-defined]
    for make in (levels.as_given, levels.fitted):
        one, two = make(at, level), make(at[order], level[order])
        assert np.allclose(one.levels(at), two.levels(at), atol=1e-6)
        assert np.allclose(one.residual_m[order], two.residual_m, atol=1e-6)


@given(marks)
def test_as_given_goes_through_its_levels(rows: tuple[np.ndarray, np.ndarray]) -> None:
    at, level = rows
    profile = levels.as_given(at, level)
    single = [i for i in range(len(at)) if (at == at[i]).sum() == 1]
    assert np.allclose(profile.levels(at[single]), level[single], atol=1e-9)
    assert np.allclose(profile.residual_m[single], 0, atol=1e-9)


def test_what_falls_already_is_not_changed_by_fitting() -> None:
    at = np.arange(0, 5000, 250.0)
    level = 40 - 0.0004 * at - 0.5 * np.sin(at / 3000)
    profile = levels.fitted(at, level)
    assert np.allclose(profile.levels(at), level, atol=1e-9) and np.allclose(profile.residual_m, 0, atol=1e-9)


def test_one_wrong_mark_does_not_bend_the_profile() -> None:
    """Forty marks scattered by 0.1 m; one was read three metres too high, one two metres too low."""
    random = np.random.default_rng(7)
    at = np.sort(random.uniform(0, 8000, 40))
    true = 30 - 0.0008 * at
    level = true + random.normal(0, 0.1, 40)
    level[12] += 3
    level[30] -= 2
    profile = levels.fitted(at, level)
    off = profile.levels(at) - true
    assert np.abs(off).max() < 0.3 and np.sqrt((off**2).mean()) < 0.1
    assert profile.residual_m[12] > 2.7 and profile.residual_m[30] < -1.7
    assert profile.left_out_m[12] > 2.7


def test_beyond_the_levels_nothing_is_known_unless_asked_for() -> None:
    profile = levels.as_given([100, 300], [10, 8])
    assert np.isnan(profile.levels([99, 301, np.nan])).all()
    assert list(profile.levels([100, 200, 300])) == [10, 9, 8]
    constant = levels.as_given([100, 300], [10, 8], constant_beyond=True)
    assert list(constant.levels([0, 400])) == [10, 8] and np.isnan(constant.levels([np.nan])).all()


def test_leaving_one_out_tells_how_well_the_others_know_it() -> None:
    profile = levels.as_given([0, 100, 200], [10, 9.5, 8])
    assert np.isnan(profile.left_out_m[[0, 2]]).all()
    assert profile.left_out_m[1] == pytest.approx(0.5)


def test_rises_are_told() -> None:
    assert levels.as_given([0, 100, 200], [10, 9, 9.4]).rises == [(100.0, 200.0, pytest.approx(0.4))]


@pytest.mark.parametrize(("at", "level"), [([], []), ([1.0, np.nan], [1.0, 2.0]), ([1.0, 2.0], [np.inf, 2.0])])
def test_levels_that_are_none_are_refused(at: list[float], level: list[float]) -> None:
    for make in (levels.as_given, levels.fitted):
        with pytest.raises(InputError):
            make(at, level)
