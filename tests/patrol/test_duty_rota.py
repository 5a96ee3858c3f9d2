"""The rota: every day of every water is somebody's, nobody's or several agencies', and patrols go to whoever was on duty."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rivergis.errors import InputError
from rivergis.patrol import rota
from rivergis.patrol.rota import Shift

FIRST, LAST = date(2026, 1, 1), date(2026, 3, 31)
# 4+1: five agencies, a week each, over and over
ROTA = [
    Shift("清溪", a, FIRST + timedelta(days=7 * i), FIRST + timedelta(days=7 * i + 6), 35)
    for i, a in enumerate(("水利", "公安", "生态环境", "农业农村", "乡镇"))
]
days = st.integers(0, 89).map(lambda n: FIRST + timedelta(days=n))
shifts = st.builds(
    lambda w, a, first, length, every: Shift(
        w, a, first, first + timedelta(days=length), None if every is None else every + length + 1
    ),
    st.sampled_from(["清溪", "甲河"]),
    st.sampled_from(["水利", "公安"]),
    days,
    st.integers(0, 20),
    st.none() | st.integers(0, 30),
)


def test_five_agencies_a_week_each_leave_no_gap() -> None:
    spans = rota.spans(ROTA, FIRST, LAST)
    assert set(spans["state"]) == {"on_duty"}
    assert rota.on_duty(ROTA, "清溪", FIRST + timedelta(days=35)) == ("水利",)


@given(st.lists(shifts, min_size=1, max_size=5))
def test_spans_partition_the_days_of_every_water(some: list[Shift]) -> None:
    spans = rota.spans(some, FIRST, LAST)
    for water, rows in spans.groupby("water"):
        told = [r.agencies for r in rows.itertuples() for _ in range(r.days)]
        assert told == ["、".join(rota.on_duty(some, water, FIRST + timedelta(days=n))) for n in range(90)]
        assert [a != b for a, b in zip(rows["agencies"], rows["agencies"][1:], strict=False)].count(False) == 0


@given(st.lists(st.tuples(st.sampled_from(["清溪", "甲河"]), days, st.booleans()), max_size=8))
def test_credits_add_up_to_the_patrols_on_the_rota(walks: list[tuple[str, date, bool]]) -> None:
    gap = [s for s in ROTA if s.agency != "公安"]
    frame = pd.DataFrame([(*w, i) for i, w in enumerate(walks)], columns=["water", "day", "proven", "patrol_id"])
    told = rota.credit(gap, frame, FIRST, LAST)
    mine = [w for w in walks if w[0] == "清溪"]
    assert (told["gps"].sum(), told["entry"].sum()) == (sum(p for *_, p in mine), sum(not p for *_, p in mine))
    nobody = told[told["agency"] == rota.NOBODY].iloc[0]
    assert nobody["gps"] + nobody["entry"] == sum(rota.on_duty(ROTA, "清溪", d) == ("公安",) for _, d, _ in mine)
    assert told["days"].sum() == 90


def test_headings_in_chinese_and_days_as_offices_write_them() -> None:
    table = pd.DataFrame(
        {
            "水体": ["清溪"],
            "轮值单位": ["水利"],
            "开始日期": ["2026/01/01"],
            "结束日期": [pd.Timestamp(2026, 1, 7)],
            "循环天数": [35.0],
        }
    )
    with pytest.raises(InputError, match="单位"):
        rota.read(table.drop(columns="轮值单位"), "rota.xlsx")
    assert rota.read(table, "rota.xlsx") == [Shift("清溪", "水利", FIRST, date(2026, 1, 7), 35)]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"to": "2025-12-31"}, "before it begins"),
        ({"from": "soon"}, "is no day"),
        ({"agency": " "}, "all needed"),
        ({"every_days": 3}, "at least its 7 days"),
        ({"every_days": "weekly"}, "at least its 7 days"),
    ],
)
def test_a_row_that_is_no_shift_is_named(change: dict[str, Any], said: str) -> None:
    row = {"water": "清溪", "agency": "水利", "from": "2026-01-01", "to": "2026-01-07", "every_days": None} | change
    with pytest.raises(InputError, match=r"rota.csv, row 1") as told:
        rota.read(pd.DataFrame([row]), "rota.csv")
    assert said in told.value.sentence
