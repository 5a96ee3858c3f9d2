"""Instants as devices and offices write them: one moment in every spelling, and what is none is missing, never invented."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rivergis.intake.times import instants

moments = st.datetimes(datetime(1992, 1, 1), datetime(2099, 1, 1), timezones=st.just(UTC)).map(
    lambda t: t.replace(microsecond=0)
)
china = timezone(timedelta(hours=8))


@given(moments)
def test_one_moment_in_every_spelling(at: datetime) -> None:
    civil = at.astimezone(china)
    half = f"{civil:%Y/%m/%d} {'上午' if civil.hour < 12 else '下午'} {civil.hour % 12 or 12}:{civil:%M:%S}"
    said = [
        f"{at:%Y-%m-%dT%H:%M:%SZ}", f"{civil:%Y-%m-%d %H:%M:%S}+08", f"{civil:%Y-%m-%d %H:%M:%S} +0800", f"{civil:%Y-%m-%d %H:%M:%S}+08:00",
        f"{civil:%Y-%m-%d %H:%M:%S}", f"{civil:%Y年%m月%d日 %H时%M分%S秒}", f"{civil:%Y%m%d%H%M%S}", half,
    ]  # fmt: skip
    got, assumed = instants(pd.Series(said))
    assert set(got) == {pd.Timestamp(at)} and assumed in (3, 4)


@given(
    st.lists(
        st.one_of(
            st.none(), st.text(max_size=30), st.from_regex(r"20\d\d[-/.年]\d{1,2}[-/.月]\d{1,2}.{0,15}", fullmatch=True)
        ),
        max_size=8,
    )
)
def test_any_text_is_an_instant_or_missing(values: list[str | None]) -> None:
    got, assumed = instants(pd.Series(values, dtype=object))
    assert len(got) == len(values) and str(got.dtype) == "datetime64[us, UTC]" and assumed <= len(values)


@pytest.mark.parametrize(
    "text",
    [
        "12:52:47",
        "1/2/2024",
        "2026-05-20 09:00:00 EST",
        "2026-05-20 09:00 下午",
        "2026-02-30 10:00",
        "0000-00-00 00:00:00",
    ],
)
def test_what_names_no_moment_is_missing(text: str) -> None:
    assert instants(pd.Series([text, "2026-05-20T01:00:00Z"]))[0].isna().tolist() == [True, False]


SPELLINGS = [
    "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S.%fZ", "%Y-%m-%d %H:%M:%S+08:00", "%Y-%m-%dT%H:%M:%S-0330", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M:%S.%f",
    "%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M", "%Y-%m-%d", "%Y%m%d%H%M%S", "%Y年%m月%d日 %H时%M分", "%H:%M:%S", "%Y-%m-%dT%H:%M:%S+0800", "%Y-%m-%dT%H:%M:%S+08",
]  # fmt: skip
anytime = st.datetimes(datetime(1901, 1, 1), datetime(2099, 1, 1))


def unpadded(text: str) -> str:
    return text.replace("/0", "/").replace(" 0", " ")


@st.composite
def columns(draw: st.DrawFn) -> list[str | None]:
    """A column as devices write it: one spelling or a few, some missing, now and then what is no time."""
    forms = draw(st.lists(st.sampled_from(SPELLINGS), min_size=1, max_size=2))
    times = draw(st.lists(anytime, min_size=1, max_size=6))
    said: list[str | None] = [t.strftime(forms[i % len(forms)]) for i, t in enumerate(times)]
    kind = draw(st.sampled_from(["as it is", "unpadded", "seconds", "milliseconds", "odd", "missing"]))
    if kind == "unpadded":
        said = [unpadded(t or "") for t in said]
    if kind in ("seconds", "milliseconds"):
        factor = 1 if kind == "seconds" else 1000
        said = [
            str(n) for n in draw(st.lists(st.integers(10**9 * factor, 10**10 * factor - 1), min_size=1, max_size=6))
        ]
    if kind == "odd":
        odd = [
            "2026-02-30 10:00:00",
            "2026-05-20T24:00:00Z",
            "2026-05-20T01:00:60Z",
            "2026-05-20T01:00:00+25:00",
            " 2026-05-20T01:00:00Z",
        ]
        said += draw(st.lists(st.sampled_from([*odd, "", "2026-05-20T01:00:00.1234567Z"]), min_size=1, max_size=2))
    return [*said, None] if kind == "missing" else said


@settings(max_examples=400)
@given(columns(), st.sampled_from(["UTC", "Asia/Shanghai", "Asia/Urumqi"]))
def test_what_a_time_means_does_not_depend_on_its_neighbours(said: list[str | None], zone: str) -> None:
    """A column of one usual spelling is read as a whole, one with a stray word time by time: the same comes out."""
    alone, assumed = instants(pd.Series(said, dtype=object), zone)
    beside, also = instants(pd.Series([*said, "no time"], dtype=object), zone)
    assert beside.iloc[-1] is pd.NaT and assumed == also
    pd.testing.assert_series_equal(alone, beside.iloc[:-1])


def test_milliseconds_of_an_epoch_are_exact() -> None:
    said = [str(1_779_238_800_000 + 37 * i) for i in range(2000)]
    got, _ = instants(pd.Series([*said, "1779238800.25"], dtype=object))
    assert [int(t.timestamp() * 1000 + 0.5) for t in got[:-1]] == [int(s) for s in said]
    assert got.iloc[-1] == pd.Timestamp("2026-05-20T01:00:00.25Z")
