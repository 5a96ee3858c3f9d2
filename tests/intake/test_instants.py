"""Instants as devices and offices write them: one moment in every spelling, and what is none is missing, never invented."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pandas as pd
import pytest
from hypothesis import given
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
