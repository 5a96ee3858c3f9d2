"""Numbers and angles: whatever spelling, the same value; what is none is said to be none."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rivergis.intake import angles

SPELLINGS = [
    "{d}°{m:02d}′{s:05.2f}″",
    "{d}°{m}'{s:.2f}\"",
    "{d}°{m:02d}'{s:05.2f}''",
    "E{d}°{m:02d}′{s:05.2f}″",
    "{d}°{m:02d}′{s:05.2f}″E",
    "东经{d}度{m}分{s:.2f}秒",
    "{d}度{m:02d}分{s:05.2f}秒",
    "{d} {m:02d} {s:05.2f}",
    "{d}-{m:02d}-{s:05.2f}",
    "{d}:{m}:{s:.2f}",
    "{d}：{m}：{s:.2f}",
    "{d}.{m:02d}.{s:05.2f}",
    " {d} ° {m} ′ {s:.2f} ″ ",
    "{d}º{m}´{s:.2f}”",
    "{d}，{m:02d}，{s:05.2f}",
    "{d}°{m}ˊ{s:.2f}〞",
]


@given(st.integers(0, 179), st.integers(0, 59), st.integers(0, 5999), st.sampled_from(SPELLINGS), st.booleans())
def test_every_spelling_of_an_angle_is_the_same_angle(
    d: int, m: int, hundredths: int, spelling: str, wide: bool
) -> None:
    text = spelling.format(d=d, m=m, s=hundredths / 100)
    if wide:
        text = text.translate({ord(str(n)): chr(0xFF10 + n) for n in range(10)})
    found = angles.read_angle(text)
    assert found is not None
    assert found[0] == pytest.approx(d + m / 60 + hundredths / 360_000, abs=1e-10)


@given(st.integers(0, 179), st.integers(0, 59), st.integers(60, 99), st.sampled_from(SPELLINGS[:9]))
def test_seconds_of_sixty_are_no_angle(d: int, m: int, s: int, spelling: str) -> None:
    read = angles.read_values([spelling.format(d=d, m=m, s=s)], angles.Manner())
    assert np.isnan(read.numbers[0]) and read.wrong[0]


@given(
    st.floats(-9e7, 9e7).map(lambda v: round(v, 4)),
    st.sampled_from(["{}", "{:,}", "{}m", "{} 米", "'{}", " {} ", "X={}"]),
)
def test_numbers_with_marks_are_the_same_number(value: float, form: str) -> None:
    assert angles.read_number(form.format(value))[0] == pytest.approx(value, abs=1e-9)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("１０６．５", 106.5), ("106.5°", 106.5), ("E106.5", 106.5), ("西经106.5°", -106.5), ("29.3S", -29.3), ("3.24E+06", 3_240_000),
        ("461 581.23", 461581.23), ("3，243，900.12", 3243900.12), ("−12.5", -12.5),
    ],
)  # fmt: skip
def test_numbers_of_people(text: str, value: float) -> None:
    assert angles.read_number(text)[0] == pytest.approx(value)


@pytest.mark.parametrize(
    "text", ["K12+345", "待定", "106.5.3", "1e999", "nan", "inf", "12km", "2024-05-01", "1,2,3", "0x10", "1_000"]
)
def test_what_is_no_number(text: str) -> None:
    assert np.isnan(angles.read_number(text)[0])


@pytest.mark.parametrize(
    ("text", "degrees", "letter"),
    [
        ("106°30.5′", 106 + 30.5 / 60, None), ("106°30.5", 106 + 30.5 / 60, None), ("106°30′", 106.5, None),
        ("106°30′12″34", 106.5 + 12.34 / 3600, None), ("106°30′12″.34", 106.5 + 12.34 / 3600, None),
        ("W106°30′", -106.5, "W"), ("106°30′12,34″", 106.5 + 12.34 / 3600, None), ("东106°30′", 106.5, "E"), ("经度：106°30′", 106.5, "E"), ("北纬29°30′", 29.5, "N"),
    ],
)  # fmt: skip
def test_rarer_spellings(text: str, degrees: float, letter: str | None) -> None:
    assert angles.read_angle(text) == (pytest.approx(degrees), letter)


def test_a_comma_is_decimal_where_the_column_shows_it() -> None:
    mixed = ["105,912", "105,91", "106"]
    assert angles.read_values(mixed, angles.manner_of(mixed, None)).numbers.tolist() == [105.912, 105.91, 106.0]
    grouped = ["589,300", "3,243,900"]
    assert angles.read_values(grouped, angles.manner_of(grouped, None)).numbers.tolist() == [589300.0, 3243900.0]
    assert angles.read_values(["105,912"], angles.manner_of(["105,912"], True)).numbers.tolist() == [105.912]


def test_metres_are_never_taken_for_angles() -> None:
    read = angles.read_values(["35 587 399.8"], angles.manner_of(["35 587 399.8"], False))
    assert read.numbers.tolist() == [35587399.8] and not read.dms.any()


def test_missing_unreadable_and_wrong_are_told_apart() -> None:
    read = angles.read_values([None, "", "—", "无", "abc", "106°75′", 5, True, float("nan")], angles.Manner())
    assert read.missing.tolist() == [True, True, True, True, False, False, False, False, True]
    assert read.unreadable.tolist() == [False] * 4 + [True, False, False, True, False]
    assert read.wrong.tolist() == [False] * 5 + [True] + [False] * 3


@given(st.lists(st.tuples(st.integers(73, 135), st.integers(0, 59), st.integers(0, 599_999)), min_size=1, max_size=30))
def test_packed_angles_could_always_be_packed(parts: list[tuple[int, int, int]]) -> None:
    numbers = np.array([float(f"{d}.{m:02d}{s:06d}") for d, m, s in parts])
    assert angles.could_be_packed(numbers)


def test_decimal_degrees_are_soon_known_not_to_be_packed() -> None:
    assert not angles.could_be_packed(np.array([105.9123, 29.7512]))
    assert not angles.could_be_packed(np.array([3243900.12]))
    assert not angles.enough_for_packed(angles.packed_candidates(np.array([105.5, 29.25, 106.0, 30.1, 105.25, 29.5])))


@given(st.text(max_size=60))
def test_any_text_is_read_or_not_and_never_breaks(text: str) -> None:
    read = angles.read_values([text], angles.manner_of([text], None))
    assert sum([not np.isnan(read.numbers[0]), read.missing[0], read.wrong[0], read.unreadable[0]]) == 1


@pytest.mark.parametrize("text", ["113d03m46.09s", "113 d 03 m 46.09 s", "113deg03min46.09sec", "E113D03M46.09S"])
def test_letters_for_degrees_minutes_seconds(text: str) -> None:
    value, _ = angles.read_angle(text)
    assert value == pytest.approx(113 + 3 / 60 + 46.09 / 3600)
