"""The announced documents of real places, as the calendar reads them."""

from __future__ import annotations

from datetime import date
from typing import Any

import pandas as pd
import pytest

from rivergis import rules
from rivergis.patrol import calendar, targets, visits
from rivergis.patrol.frequency import Calendar
from rivergis.patrol.targets import Terms
from rivergis.rules import RuleValue, path_of
from rivergis.settings import gis_dir

BOOK = rules.load(gis_dir() / "rules")
VIEW = BOOK.at(("000000",), date(2026, 5, 20))


def find(key: str, day: date, place: str, **facts: Any) -> RuleValue | None:
    return BOOK.find(key, path_of(place), day, **facts)


TERMS = Terms(find, Calendar.of(VIEW.value("patrol.calendar").value), VIEW.number("patrol.frequency.remaining"),
              VIEW.number("patrol.frequency.min_visit"), True)  # fmt: skip


def year(place: str, level: str, year: int, water_class: str | None = None, done: Any = ()) -> pd.DataFrame:
    """The calendar of a chief of two rivers in a year, at its end."""
    rows = [(r, "c", "c", level, place, water_class, r, r, "both", 0.0, 1000.0, None, None) for r in ("r1", "r2")]
    walks = [(i, "c", d, None, "gps", "app", met, False, "r1", "left", 0.0, m) for i, (d, met, m) in enumerate(done)]
    return calendar.ledger(
        pd.DataFrame(rows, columns=list(targets.DUTY)),
        pd.DataFrame(walks, columns=list(visits.COLUMNS)).astype(object),
        pd.DataFrame(columns=list(targets.WARNING)),
        TERMS,
        first=date(year, 1, 1),
        last=date(year, 12, 31),
        as_of=date(year + 1, 1, 31),
    )


@pytest.mark.parametrize(
    ("label", "place", "level", "periods", "due", "announced"),
    [
        ("Sixian town, each river", "341324", "town", {"month": 24}, 24, True),
        ("Sixian village, two each", "341324", "village", {"month": 24}, 48, True),
        ("Aheqi town, March to December", "652923", "town", {"month": 10}, 10, True),
        ("Aheqi county", "652923", "county", {"quarter": 4}, 4, True),
        ("Guangzhou village", "440100", "village", {"xun": 36}, 36, True),
        ("Guangzhou city", "440100", "city", {"quarter": 4}, 4, True),
        ("Yunyang town", "500235", "town", {"month": 12}, 12, True),
        ("Yunyang village", "500235", "village", {"half_month": 24}, 24, True),
        ("Chongqing elsewhere, inferred", "500101", "village", {"half_month": 24}, 24, False),
        ("nothing announced, from memory", "110101", "province", {"year": 1}, 1, False),
        ("nothing announced, from memory", "110101", "city", {"half_year": 2}, 2, False),
    ],
)
def test_a_year(label: str, place: str, level: str, periods: dict[str, int], due: int, announced: bool) -> None:
    got = year(place, level, 2025)
    assert (got["period"].value_counts().to_dict(), got["due"].sum()) == (periods, due), label
    assert set(got["announced"]) == {announced}


def test_aheqi_weeks_of_the_season_and_only_patrols_that_meet_the_standard() -> None:
    got = year("652923", "village", 2025, done=[(date(2025, 5, 6), False, 900.0), (date(2025, 5, 14), True, 900.0)])
    assert (got["begin"].min(), got["end"].max(), len(got)) == (date(2025, 3, 3), date(2025, 12, 28), 43)
    state = dict(zip(got["label"], got["state"], strict=True))
    assert (state["2025-W19"], state["2025-W20"]) == ("overdue", "done")


def test_guangzhou_black_odour_waters_in_2019() -> None:
    """A town chief: weekly, at least 30 % of the waters each time, all within the month; a village chief: each working day."""
    town = year(
        "440100", "town", 2019, "black_odour", [(date(2019, 5, 14), None, 599.0), (date(2019, 5, 21), None, 600.0)]
    )
    weeks = town[town["what"] == "visits"].set_index("label")["state"]
    assert (weeks["2019-W20"], weeks["2019-W21"]) == ("overdue", "done")
    may = town[(town["what"] == "sweep") & (town["label"] == "2019-05")].iloc[0]
    assert (may["state"], round(may["share"], 3)) == ("partly", 0.3)
    village = year("440100", "village", 2019, "black_odour")
    assert village["period"].value_counts().to_dict() == {"working_day": 261, "week": 53}


def test_jiande_asks_for_small_waters_only() -> None:
    assert set(year("330182", "village", 2025, "small")["announced"]) == {True}
    assert set(year("330182", "village", 2025)["announced"]) == {False}
