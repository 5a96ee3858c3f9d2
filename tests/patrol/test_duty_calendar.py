"""The calendar on frames: what was owed, by whom, and what was done about it.

chainage  0 m          1000 m         3000 m
river A   o==============o==============o      chief wei: 0-1000, chief lin: 1000-3000
river B   o==============o                     chief wei: all
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rivergis.patrol import calendar, duty, risk, targets, visits
from rivergis.patrol.frequency import Calendar
from rivergis.patrol.targets import Terms
from rivergis.rules import RuleValue

DAYS = Calendar(((1, 10), (11, 20), (21, 31)), ((1, 15), (16, 31)))
FIRST, LAST = date(2026, 1, 1), date(2026, 6, 30)
A, B = "river-a", "river-b"
days = st.dates(FIRST, LAST)


def row(key: str, value: Any, **applies_to: Any) -> RuleValue:
    fixed = ("500199", "demo/patrol", "1", None, None, applies_to, "水行政", "仅提示")
    return RuleValue(key, value, None, "a notice", "a paper", "confirmed", *fixed)


def terms(*rows: RuleValue, by_day: bool = True, remaining: float = 0.5) -> Terms:
    def find(key: str, day: date, place: str, **facts: Any) -> RuleValue | None:
        fit = [r for r in rows if r.key == key and r.fits(facts)]
        return max(fit, key=lambda r: len(r.applies_to), default=None)

    return Terms(find, DAYS, remaining, 100.0, by_day)


def every(**value: Any) -> RuleValue:
    return row("patrol.frequency", value)


def duties(*rows: tuple[str, str, float, float, date | None, date | None]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            (f"{c}/{r}/{a}/{since}", c, c, "village", "500199", None, r, r, "both", a, b, since, until)
            for c, r, a, b, since, until in rows
        ],
        columns=list(targets.DUTY),
    )


def patrols(*rows: dict[str, Any]) -> pd.DataFrame:
    plain = {"at": None, "kind": "gps", "mode": "app", "met": None, "rejected": False, "river_id": A, "bank": "left"}
    made = [plain | {"from_m": 0.0, "to_m": 900.0, "patrol_id": i} | r for i, r in enumerate(rows)]
    return pd.DataFrame(made, columns=list(visits.COLUMNS)).astype(object)


def warned(*rows: tuple[str, str, date, date | None]) -> pd.DataFrame:
    made = [(r, None, None, level, since, until) for r, level, since, until in rows]
    return pd.DataFrame(made, columns=list(targets.WARNING)).astype(object)


def ledger(
    d: pd.DataFrame, p: pd.DataFrame, t: Terms, as_of: date = LAST, w: pd.DataFrame | None = None, **more: Any
) -> pd.DataFrame:
    warnings = warned() if w is None else w
    return calendar.ledger(d, p, warnings, t, **({"first": FIRST, "last": LAST} | more), as_of=as_of)


WEI = duties(("wei", A, 0.0, 1000.0, None, None), ("wei", B, 0.0, 1000.0, None, None))


def states(frame: pd.DataFrame) -> list[str]:
    return list(frame.sort_values(["waters", "begin"])["state"])


def test_a_year_of_states() -> None:
    done = patrols({"chief_id": "wei", "day": date(2026, 1, 5)}, {"chief_id": "wei", "day": date(2026, 3, 31)})
    got = ledger(WEI, done, terms(every(count=1, period="month")), date(2026, 5, 20))
    assert states(got) == ["done", "overdue", "done", "overdue", "due", "upcoming"]
    assert set(got["waters"]) == {f"{A}、{B}"}


def test_each_river_of_a_chief_is_asked_for() -> None:
    done = patrols({"chief_id": "wei", "day": date(2026, 5, 5), "river_id": B})
    got = ledger(
        WEI,
        done,
        terms(every(count=1, period="month", per_river=True)),
        date(2026, 5, 20),
        first=date(2026, 5, 1),
        last=date(2026, 5, 31),
    )
    assert dict(zip(got["waters"], got["state"], strict=True)) == {A: "due", B: "done"}


def test_two_a_month_on_one_morning_are_one_day() -> None:
    twice = patrols(*[{"chief_id": "wei", "day": date(2026, 1, 5)}] * 2)
    rule = every(count=2, period="month")
    assert states(ledger(WEI, twice, terms(rule), last=date(2026, 1, 31))) == ["partly"]
    assert states(ledger(WEI, twice, terms(rule, by_day=False), last=date(2026, 1, 31))) == ["done"]


def test_proof_and_word_are_told_apart() -> None:
    done = patrols(
        {"chief_id": "wei", "day": date(2026, 1, 5)},
        {"chief_id": "wei", "day": date(2026, 1, 5), "kind": "paper", "mode": "paper", "from_m": None, "to_m": None},
        {
            "chief_id": "wei",
            "day": date(2026, 1, 9),
            "kind": "platform_record",
            "mode": "platform_record",
            "river_id": None,
        },
    )
    (got,) = ledger(WEI, done, terms(every(count=2, period="month")), last=date(2026, 1, 31)).itertuples()
    assert (got.state, got.done, got.gps, got.entry, got.last_day) == ("done", 2, 1, 1, date(2026, 1, 9))


def test_a_record_without_a_place_is_not_guessed_onto_one_of_several_rivers() -> None:
    done = patrols(
        {
            "chief_id": "wei",
            "day": date(2026, 1, 5),
            "kind": "platform_record",
            "mode": "platform_record",
            "river_id": None,
        }
    )
    got = ledger(WEI, done, terms(every(count=1, period="month", per_river=True)), last=date(2026, 1, 31))
    assert states(got) == ["overdue", "overdue"]
    assert all(("unplaced", 1) in notes for notes in got["notes"])


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"to_m": 60.0}, "metres"),
        ({"mode": "drone", "kind": "drone"}, "mode"),
        ({"met": False}, "standard"),
        ({"rejected": True}, "review"),
    ],
)
def test_what_does_not_count_is_told(change: dict[str, Any], why: str) -> None:
    rules = (every(count=1, period="month", effective=True), row("patrol.accepted_modes", ["app", "paper"]))
    done = patrols({"chief_id": "wei", "day": date(2026, 1, 5)} | change)
    (got,) = ledger(WEI, done, terms(*rules), last=date(2026, 1, 31)).itertuples()
    assert got.state == "overdue" and got.notes == ((f"not_counted_{why}", 1),)


def test_a_season_of_weeks_begins_with_the_first_week_that_lies_mostly_in_it() -> None:
    got = ledger(WEI, patrols(), terms(every(count=1, period="week", months=[3, 4])))
    assert (min(got["begin"]), max(got["end"])) == (date(2026, 3, 2), date(2026, 5, 3))


def test_a_warning_multiplies_and_the_highest_applies() -> None:
    rules = (every(count=1, period="month"), row("patrol.warning.multiplier", {"yellow": 2, "red": 3.5}))
    w = warned((A, "yellow", date(2026, 1, 1), None), (B, "red", date(2026, 1, 1), date(2026, 2, 28)))
    got = ledger(WEI, patrols(), terms(*rules), w=w, last=date(2026, 3, 31))
    assert list(got.sort_values("begin")["due"]) == [4, 4, 2]
    silent = ledger(WEI, patrols(), terms(rules[0]), w=w, last=date(2026, 1, 31))
    assert list(silent["due"]) == [1] and silent["notes"][0] == (("warning_unset", "red"),)


def test_a_row_of_its_own_for_a_warning_is_not_multiplied() -> None:
    rules = (every(count=1, period="month"), row("patrol.frequency", {"count": 1, "period": "week"}, warning="red"))
    multiplier = row("patrol.warning.multiplier", {"red": 9})
    w = warned((A, "red", date(2026, 2, 1), date(2026, 2, 28)))
    got = ledger(WEI, patrols(), terms(*rules, multiplier), w=w, last=date(2026, 3, 31))
    assert list(got.sort_values("begin")["period"]) == ["month", "week", "week", "week", "week", "month"]
    assert set(got["due"]) == {1}


def test_all_waters_within_a_month_is_a_row_of_its_own() -> None:
    rule = every(count=1, period="week", min_share=0.3, sweep={"within": "month", "share": 1.0})
    done = patrols(
        {"chief_id": "lin", "day": date(2026, 1, 6), "from_m": 1000.0, "to_m": 1700.0},
        {"chief_id": "lin", "day": date(2026, 1, 13), "from_m": 1600.0, "to_m": 2100.0},
        {
            "chief_id": "lin",
            "day": date(2026, 1, 20),
            "from_m": 2100.0,
            "to_m": 3000.0,
            "kind": "paper",
            "mode": "paper",
        },
    )
    got = ledger(duties(("lin", A, 1000.0, 3000.0, None, None)), done, terms(rule), last=date(2026, 1, 31))
    (sweep,) = got[got["what"] == "sweep"].itertuples()
    assert (sweep.state, round(sweep.share, 6), round(sweep.gps_share, 6), sweep.gps) == ("done", 1.0, 0.55, 0)
    weeks = got[got["what"] == "visits"].sort_values("begin")
    assert dict(zip(weeks["label"], weeks["done"], strict=True)) | {
        "2026-W02": 1,
        "2026-W03": 0,
        "2026-W04": 1,
    } == dict(zip(weeks["label"], weeks["done"], strict=True))


def test_a_new_chief_does_not_inherit_old_misses() -> None:
    held = duties(("old", A, 0.0, 1000.0, None, date(2026, 3, 20)), ("new", A, 0.0, 1000.0, date(2026, 3, 21), None))
    got = ledger(held, patrols(), terms(every(count=1, period="month")), date(2026, 5, 20))
    by = {c: dict(zip(f["label"], f["state"], strict=True)) for c, f in got.groupby("chief")}
    assert by["old"] == {"2026-01": "overdue", "2026-02": "overdue", "2026-03": "overdue"}
    assert by["new"] == {"2026-03": "not_owed", "2026-04": "overdue", "2026-05": "due", "2026-06": "upcoming"}
    ((code, (since, left)),) = got[(got["chief"] == "new") & (got["label"] == "2026-03")]["notes"].iloc[0]
    assert (code, since, round(left, 3)) == ("late", date(2026, 3, 21), round(11 / 31, 3))


def test_what_ended_before_patrols_were_recorded_is_nobodys_miss() -> None:
    got = ledger(
        WEI, patrols(), terms(every(count=1, period="month")), date(2026, 5, 20), recorded_since=date(2026, 3, 1)
    )
    assert states(got) == ["unrecorded", "unrecorded", "overdue", "overdue", "due", "upcoming"]


KINDS = st.sampled_from(["week", "xun", "half_month", "month", "quarter", "half_year", "year"])
ASKED = st.fixed_dictionaries({"count": st.integers(1, 3), "period": KINDS}, optional={"per_river": st.booleans()})
WALKS = st.lists(st.tuples(days, st.sampled_from([A, B]), st.floats(0, 800), st.floats(50, 900)), max_size=6)
BAD = {"overdue", "partly"}


def walked(rows: list[tuple[date, str, float, float]], chief: str = "wei") -> pd.DataFrame:
    return patrols(*[{"chief_id": chief, "day": d, "river_id": r, "from_m": a, "to_m": a + n} for d, r, a, n in rows])


@settings(max_examples=40)
@given(ASKED, WALKS, WALKS, days)
def test_adding_visits_never_makes_anything_overdue(asked: dict[str, Any], some: Any, more: Any, as_of: date) -> None:
    before, after = (ledger(WEI, walked(w), terms(every(**asked)), as_of) for w in (some, some + more))
    key = ["waters", "begin"]
    both = before.merge(after, on=key, suffixes=("", "_after"))
    assert len(both) == len(before) == len(after)
    assert (both["done_after"] >= both["done"]).all()
    assert not ((both["state_after"] != "done") & (both["state"] == "done")).any()
    assert not ((both["state_after"] == "overdue") & (both["state"] != "overdue")).any()


@settings(max_examples=40)
@given(ASKED, st.lists(days, min_size=1, max_size=3, unique=True), st.floats(0.05, 0.95), WALKS)
def test_a_duty_handed_on_sums_up(asked: dict[str, Any], cuts: list[date], remaining: float, walks: Any) -> None:
    t = terms(every(**asked), remaining=remaining)
    whole = ledger(duties(("all", A, 0.0, 1000.0, None, None)), walked(walks), t)
    ends = [None, *sorted(cuts)]
    parts = [
        (f"c{i}", A, 0.0, 1000.0, since, None if until is None else until - timedelta(days=1))
        for i, (since, until) in enumerate(zip(ends, [*sorted(cuts), None], strict=True))
    ]
    split = ledger(duties(*parts), walked(walks), t)
    assert split.groupby("label")["due"].sum().to_dict() == whole.groupby("label")["due"].sum().to_dict()


@settings(max_examples=40)
@given(ASKED, days, WALKS, days)
def test_a_duty_renewed_for_the_same_chief_changes_nothing(
    asked: dict[str, Any], cut: date, walks: Any, as_of: date
) -> None:
    t = terms(every(**asked))
    whole = ledger(duties(("wei", A, 0.0, 1000.0, None, None)), walked(walks), t, as_of)
    renewed = duties(("wei", A, 0.0, 1000.0, None, cut - timedelta(days=1)), ("wei", A, 0.0, 1000.0, cut, None))
    again = ledger(renewed, walked(walks), t, as_of)
    pd.testing.assert_frame_equal(whole.drop(columns="duty_ids"), again.drop(columns="duty_ids"))


@settings(max_examples=40)
@given(ASKED, WALKS, days)
def test_the_calendar_of_one_period_does_not_depend_on_the_window(asked: dict[str, Any], walks: Any, day: date) -> None:
    t = terms(every(**asked))
    whole = ledger(WEI, walked(walks), t)
    part = ledger(WEI, walked(walks), t, first=day, last=day)
    inside = whole[(whole["begin"] <= day) & (whole["end"] >= day)].reset_index(drop=True)
    pd.testing.assert_frame_equal(inside, part)


@settings(max_examples=40)
@given(WALKS, st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(walks: Any, random: Any) -> None:
    t, held = terms(every(count=1, period="month", per_river=True)), WEI
    done = walked(walks)
    order = list(range(len(done)))
    random.shuffle(order)
    other = ledger(held.iloc[::-1], done.iloc[order], t)
    pd.testing.assert_frame_equal(ledger(held, done, t).drop(columns="duty_ids"), other.drop(columns="duty_ids"))


def waiting(
    d: pd.DataFrame,
    p: pd.DataFrame,
    problems: pd.DataFrame,
    as_of: date,
    adopted: bool = False,
    days: int | None = None,
) -> pd.DataFrame:
    outlook = duty.Outlook(
        [risk.Raise("problem", 1), risk.Raise("lead", 1, 3), risk.Raise("rebound", 2)], 2, adopted, 300.0, 100.0
    )
    t = terms(every(count=1, period="month", per_river=True))
    return duty.next_patrols(ledger(d, p, t, as_of), targets.held(d), p, problems, outlook, as_of=as_of, days=days)


def problems(*rows: tuple[str, str, float]) -> pd.DataFrame:
    made = [(i, kind, river, at, "left", "x", date(2026, 1, 1), 0.0, 0.0) for i, (kind, river, at) in enumerate(rows)]
    return pd.DataFrame(made, columns=list(risk.PROBLEM))


def test_the_next_list_is_ordered_by_days_overdue_then_problems_then_days_unseen() -> None:
    held = duties(
        *((c, A, 0.0, 1000.0, None, None) for c in ("late", "risky", "fresh")), ("stale", B, 0.0, 1000.0, None, None)
    )
    each = [
        {"chief_id": c, "day": date(2026, 4, 8), "river_id": r} for c, r in (("risky", A), ("fresh", A), ("stale", B))
    ]
    done = patrols(*each, *[e | {"bank": "right"} for e in each[1:]])
    got = waiting(held, done, problems(), date(2026, 5, 20))
    assert got["chief"][0] == "late" and got["overdue_days"][0] == 109 and got["missed_periods"][0] == 4
    raised = waiting(held, done, problems(("rebound", B, 500.0)), date(2026, 5, 20))
    assert list(raised["chief"])[:2] == ["late", "stale"] and raised["extra"][1] == 2


def test_extra_visits_are_advice_until_a_document_adopts_them() -> None:
    done = patrols(
        {"chief_id": "wei", "day": date(2026, 5, 5)}, {"chief_id": "wei", "day": date(2026, 5, 6), "river_id": B}
    )
    near = problems(("problem", A, 1250.0), ("lead", B, 1301.0), ("lead", B, 100.0), ("lead", B, 200.0))
    (advised,) = waiting(WEI, done, near, date(2026, 5, 20)).itertuples()
    assert (advised.river, advised.missing, advised.extra) == (A, 0, 1)
    assert advised.reasons == (risk.Reason("problem", 1, 1),)
    (owed,) = waiting(WEI, done, near, date(2026, 5, 20), adopted=True).itertuples()
    assert owed.missing == 1


def test_only_what_ends_soon_or_is_overdue() -> None:
    seen = patrols({"chief_id": "wei", "day": date(2026, 4, 20)})
    got = waiting(WEI, seen, problems(), date(2026, 5, 20), days=5)
    assert list(got["river"]) == [B]  # never visited in April; river A has until the 31st
    assert set(waiting(WEI, seen, problems(), date(2026, 5, 20), days=11)["river"]) == {A, B}


@given(st.dictionaries(st.sampled_from(risk.KINDS), st.integers(0, 9)), st.sampled_from(risk.KINDS), st.integers(0, 5))
def test_more_problems_never_advise_fewer_visits(kinds: dict[str, int], kind: str, more: int) -> None:
    rows = [risk.Raise(k, 1, 2) for k in risk.KINDS] + [risk.Raise("lead", 3, 5)]
    step: Callable[[dict[str, int]], int] = lambda k: risk.advise(k, rows, 4).extra  # noqa: E731
    assert step(kinds) <= step(kinds | {kind: kinds.get(kind, 0) + more}) <= 4


def test_the_load_of_a_chief_counts_metres_once_and_problems_near() -> None:
    held = duties(
        ("wei", A, 0.0, 1000.0, None, None), ("wei", A, 500.0, 2000.0, None, None), ("lin", B, 0.0, 900.0, None, None)
    )
    near = problems(("lead", A, 2299.0), ("lead", A, 2301.0), ("problem", B, 100.0), ("lead", "elsewhere", 5.0))
    got = duty.load(targets.held(held), near, 300.0, date(2026, 5, 20)).set_index("chief_id")
    assert got.loc["wei"].tolist() == [2, 2000.0, 1] and got.loc["lin"].tolist() == [1, 900.0, 1]
