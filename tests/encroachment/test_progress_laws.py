"""Laws of progress: parts add up to the whole, every case stands in one stage, and a campaign is about what its rules say."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rivergis import lifecycle
from rivergis.encroachment import progress
from rivergis.encroachment.campaigns import Campaign, members
from rivergis.errors import UsageError
from rivergis.reports import case_trace

DAY0 = date(2026, 1, 1)
DAYS = st.integers(0, 400).map(lambda n: DAY0 + timedelta(days=n))
STATES = tuple(lifecycle.load()["finding"].states)
GROUPS = {"dumping.rubbish": "乱堆", "building.obstacle": "乱建", "building.dyke": "乱建", "extraction.soil": "乱采"}
CASE = st.fixed_dictionaries(
    {
        "state": st.sampled_from(STATES),
        "basis": st.sampled_from(["announced", "surrogate", "computed", None]),
        "overdue_days": st.none() | st.integers(0, 90),
        "looked_back_at": st.none() | DAYS,
        "rebounds": st.integers(0, 2),
        "found_on": DAYS,
        "closed_on": st.none() | DAYS,
        "class_code": st.none() | st.sampled_from(sorted(GROUPS)),
        "kind": st.sampled_from(["dump", "building", None]),
        "unit_code": st.none() | st.sampled_from(["500199", "500199001", "500199002201", "500198"]),
        "river": st.sampled_from(["甲河", "乙河", None]),
        "river_code": st.sampled_from(["R1", "R2", None]),
        "merged_into": st.none(),
    }
)


def frame(rows: list[dict[str, Any]]) -> pd.DataFrame:
    out = pd.DataFrame(rows, columns=["id", *_COLUMNS], dtype=object)
    return out.assign(id=range(len(rows)))


_COLUMNS = ("state", "basis", "overdue_days", "looked_back_at", "rebounds", "found_on", "closed_on", "class_code", "kind", "unit_code", "river", "river_code", "merged_into")  # fmt: skip
CASES = st.lists(CASE, max_size=10).map(frame)


@given(CASES)
def test_every_case_but_merged_ones_stands_in_one_stage(cases: pd.DataFrame) -> None:
    stand = progress.standing(cases)
    assert len(stand) == (cases["state"] != progress.MERGED).sum() == stand["found"].sum()
    assert (stand[list(progress.STAGES)].sum(axis=1) == 1).all()
    figures = {n: int(stand[n].sum()) for n in (*progress.STANDING, *progress.STAGES)}
    assert figures["found"] == figures["to_verify"] + figures["verified"]
    assert figures["verified"] == figures["no_problem"] + figures["listed"] + figures["problems"]
    assert figures["problems"] == figures["to_assign"] + figures["in_hand"] + figures["rectified"]
    assert figures["rectified"] == figures["to_accept"] + figures["to_close"] + figures["closed"]
    assert figures["open"] == figures["listed"] + figures["problems"] - figures["closed"]
    assert figures["overdue"] <= figures["open"] and figures["hints"] <= figures["to_verify"]


def test_a_state_that_no_list_knows_is_refused() -> None:
    row = dict.fromkeys(_COLUMNS) | {"state": "forgotten", "rebounds": 0}
    with pytest.raises(UsageError, match="forgotten"):
        progress.standing(frame([row]))


EVENTS = st.lists(
    st.fixed_dictionaries(
        {"finding_id": st.integers(0, 9), "what": st.sampled_from(["verified", "closed", "rebound"]), "on": DAYS}
    ),
    max_size=12,
).map(lambda rows: pd.DataFrame(rows, columns=["finding_id", "what", "on"], dtype=object))


@given(CASES, EVENTS, DAYS, st.integers(0, 100), st.integers(0, 100))
def test_two_periods_that_follow_each_other_tell_together_what_the_whole_tells(
    cases: pd.DataFrame, events: pd.DataFrame, first: date, a: int, b: int
) -> None:
    middle, last = first + timedelta(days=a), first + timedelta(days=a + 1 + b)
    whole = progress.happened(cases, events, first, last)
    parts = [
        progress.happened(cases, events, first, middle),
        progress.happened(cases, events, middle + timedelta(days=1), last),
    ]
    for name in progress.PERIOD:
        assert (whole[name].to_numpy(bool) == (parts[0][name].to_numpy(bool) | parts[1][name].to_numpy(bool))).all()
    assert whole["found"].sum() == sum(int(p["found"].sum()) for p in parts)


CAMPAIGN = st.builds(
    Campaign, st.just("C"), st.just("C"), st.just("special_action"), begins_on=DAYS, deadline=st.just(date(2027, 12, 31)),
    classes=st.lists(st.sampled_from(["乱建", "building", "dumping.rubbish"]), max_size=2).map(tuple),
    kinds=st.lists(st.sampled_from(["dump", "building"]), max_size=1).map(tuple),
    districts=st.lists(st.sampled_from(["500199", "500199001", "500198"]), max_size=2).map(tuple),
    rivers=st.lists(st.sampled_from(["R1", "乙河"]), max_size=1).map(tuple),
)  # fmt: skip


@given(CASES, CAMPAIGN)
def test_a_campaign_over_less_is_about_a_part_of_one_over_more(cases: pd.DataFrame, campaign: Campaign) -> None:
    everything = Campaign("A", "A", "special_action", campaign.begins_on, campaign.deadline)
    own = members(cases, campaign, GROUPS)
    assert not (own & ~members(cases, everything, GROUPS)).any()
    for case, inside in zip(cases.to_dict("records"), own, strict=True):
        if not inside:
            continue
        code = case["class_code"]
        assert not campaign.classes or {code, GROUPS.get(code or ""), str(code).partition(".")[0]} & set(
            campaign.classes
        )
        assert not campaign.districts or any(str(case["unit_code"]).startswith(d) for d in campaign.districts)
        assert case["closed_on"] is None or case["closed_on"] >= campaign.begins_on


@given(CASES)
def test_districts_that_share_nothing_add_up(cases: pd.DataFrame) -> None:
    def count(*districts: str) -> int:
        return int(
            members(cases, Campaign("C", "C", "sweep", DAY0, date(2027, 12, 31), districts=districts), GROUPS).sum()
        )

    assert count("500199", "500198") == count("500199") + count("500198")
    assert count("500199") >= count("500199001") + count("500199002")


@given(
    st.sets(
        st.tuples(st.sampled_from(["500199-2026", "500198-2027"]), st.integers(1, 12_000)), min_size=1, max_size=50
    ),
    st.booleans(),
)
def test_numbers_in_a_line_are_all_of_them_or_say_how_many_more(found: set[tuple[str, int]], many: bool) -> None:
    numbers = {f"{place}-{n:04d}" for place, n in found}
    if many:
        numbers |= {f"500197-2026-{n:04d}" for n in range(1, 400, 2)}
    said, dots, rest = case_trace.listed(sorted(numbers)).partition("……另有")
    told = set()
    for part in said.split("、"):
        first, _, last = part.partition("—")
        place, _, n = first.rpartition("-")
        told |= {f"{place}-{k:04d}" for k in range(int(n), int(last or n) + 1)}
    assert told <= numbers and len(told) + int(rest.partition("件")[0] or 0) == len(numbers)
    assert bool(dots) == many
