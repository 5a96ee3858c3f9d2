"""Sums of bands: what the grammar holds is what numpy reckons, and nothing else is understood."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rivergis.errors import UsageError
from rivergis.maps.imagery import look as imagery_look
from rivergis.maps.imagery import sum as imagery_sum

BANDS = {"b1": np.array([[1.0, 4.0, 0.0]], "float32"), "b2": np.array([[2.0, 0.0, 9.0]], "float32")}
LEAF = st.sampled_from(["b1", "b2", "np.float32(2)", "np.float32(0.5)", "B1"])
SUMS = st.recursive(
    LEAF,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from("+-*/"), inner).map(lambda t: f"({t[0]} {t[1]} {t[2]})"),
        st.tuples(st.sampled_from(["abs", "sqrt"]), inner).map(lambda t: f"{t[0]}({t[1]})"),
        st.tuples(st.sampled_from(["min", "max"]), inner, inner).map(lambda t: f"{t[0]}({t[1]}, {t[2]})"),
        inner.map(lambda t: f"(-{t})"),
    ),
    max_leaves=6,
)


@given(SUMS)
def test_a_sum_is_what_numpy_makes_of_it(text: str) -> None:
    with np.errstate(all="ignore"):
        names = {"np": np, "b1": BANDS["b1"], "B1": BANDS["b1"], "b2": BANDS["b2"], "abs": np.abs, "sqrt": np.sqrt}
        told = np.asarray(eval(text, {"__builtins__": {}}, names | {"min": np.minimum, "max": np.maximum}))
    written = text.replace("np.float32", "")
    if "b" not in written.lower().replace("abs", ""):
        with pytest.raises(UsageError):
            imagery_sum.read(written)
        return
    got = imagery_sum.read(written).of(BANDS)
    wanted = np.broadcast_to(np.where(np.isfinite(told), told, np.nan), (1, 3))
    assert got.shape == (1, 3) and np.allclose(got, wanted, rtol=1e-3, atol=1e-4, equal_nan=True)


@pytest.mark.parametrize("text", [
    "", " ", "1 + 1", "b1 ** 9999", "b1 if b2 else 1", "b1.real", "__import__('os')", "b1; b2", "b1[0]", "lambda: 1", "open('a')",
    "b1 and b2", "b1 > 2", "'b1'", "True", "b1 + 1j", "abs()", "abs(b1, b2)", "abs(*b1)", "max(b1)", "b1(b2)", "(b1", "b1 @ b2", "b1 // 2",
    "abs(x=b1)", "f'{b1}'", "b1 := 3", "[b1]", "b1\nb2", "-" * 150 + "b1", "(" * 120 + "b1" + ")" * 120, "b1+" * 80 + "b1", "\0",
])  # fmt: skip
def test_nothing_else_is_understood(text: str) -> None:
    with pytest.raises(UsageError):
        imagery_sum.read(text)


@given(st.text(max_size=40))
def test_any_text_is_a_sum_or_refused_in_a_sentence(text: str) -> None:
    try:
        assert imagery_sum.read(text).bands
    except UsageError as error:
        assert error.sentence


def test_indices_have_names() -> None:
    green, nir = np.array([[90.0]]), np.array([[30.0]])
    assert imagery_sum.read("NDWI").of({"green": green, "nir": nir})[0, 0] == pytest.approx(0.5)


@pytest.mark.parametrize("asked", [
    {"bands": "1,2"}, {"bands": "1,2,3,4"}, {"bands": "../../etc"}, {"stretch": "range"}, {"stretch": "range:5,1"}, {"stretch": "percentile:2,101"},
    {"stretch": "range:nan,1"}, {"stretch": "range:e,e"}, {"gamma": "0"}, {"gamma": "x"}, {"colormap": "jet"}, {"look": "3d"},
    {"bands": "1,2,3", "expression": "b1"}, {"bands": "1,2,3", "colormap": "viridis"}, {"look": "relief", "expression": "b1"},
    {"altitude": "91"}, {"azimuth": "-1"}, {"exaggeration": "inf"}, {"nodata": "none"},
])  # fmt: skip
def test_a_look_that_makes_no_sense_is_refused(asked: dict[str, str]) -> None:
    with pytest.raises(UsageError):
        imagery_look.read(asked)


def test_equal_looks_have_one_mark_and_others_another() -> None:
    asked: list[dict[str, str]] = [
        {},
        {"bands": "4,3,2"},
        {"gamma": "2"},
        {"look": "relief"},
        {"expression": "ndwi"},
        {"nodata": "-999"},
        {"stretch": "minmax"},
    ]
    assert len({imagery_look.read(a).mark for a in asked}) == len(asked)
    assert imagery_look.read({"stretch": "percentile:2,98"}).mark == imagery_look.read({}).mark
