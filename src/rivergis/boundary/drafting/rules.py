"""What the rules of a place say of a boundary line: berm width, distance off the bank, return period, and how lines are joined.

Numbers come from ``gis/rules`` (domain first: ``boundary.leveed.*``, ``boundary.unleveed.*``, ``boundary.draft.*``). Where the
row that would hold asks a fact that no file tells, that is said.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rivergis.errors import RuleError
from rivergis.rules import NATIONAL, RuleValue, RuleView


@dataclass(frozen=True)
class Drawing:
    """How lines are drawn and joined; metres unless named otherwise (``boundary.draft.*``)."""

    join_m: float
    levee_gap_m: float
    bend_m: float
    look_m: float
    bay_m: float
    farthest_m: float
    island_m2: float
    snap_m: float
    level_join_m: float


def drawing_of(view: RuleView) -> Drawing:
    """The drawing rules of the place."""

    def number(key: str) -> float:
        return view.number(f"boundary.draft.{key}")

    return Drawing(
        number("join"),
        number("levee_gap"),
        number("bend_radius"),
        number("look_step"),
        number("bay"),
        number("farthest"),
        number("island"),
        number("snap"),
        number("level_join"),
    )


@dataclass(frozen=True)
class Answer:
    """A number of metres with the row it comes from; ``lacking``: facts that a row of the place asks and no file tells."""

    metres: float
    row: RuleValue
    lacking: tuple[str, ...] = ()


def berm(view: RuleView, facts: Mapping[str, Any]) -> Answer | None:
    """Width of the berm land (护堤地) outside the landward toe of a levee with these facts; None where no row holds."""
    return _asked(view, "boundary.leveed.berm_width", facts)


def safety_zone(view: RuleView, facts: Mapping[str, Any]) -> Answer | None:
    """Width of the levee safety zone (堤防安全保护区) outside the berm land."""
    return _asked(view, "boundary.leveed.safety_zone", facts)


def dam_toe(view: RuleView, facts: Mapping[str, Any]) -> Answer | None:
    """Management range at the toe and ends of a dam (大坝管理范围)."""
    return _asked(view, "boundary.reservoir.dam_toe", facts)


def return_period(view: RuleView, facts: Mapping[str, Any]) -> Answer | None:
    """Return period in years of the flood that bounds a river without levees."""
    return _asked(view, "boundary.unleveed.return_period", facts)


def bank_offset(view: RuleView, width_m: float) -> Answer | None:
    """Distance outside the bank (河口线外) of a river of this width; None where the rules know none.

    ``boundary.unleveed.width_offset`` lists [up to this width, distance]; ``edge_offset`` is a range, of which
    ``boundary.draft.range`` says which end is taken.
    """
    row = view.find("boundary.unleveed.width_offset")
    if row is not None and width_m == width_m:
        for widest, metres in row.value:
            if width_m <= widest:
                return Answer(float(metres), row)
    row = view.find("boundary.unleveed.edge_offset")
    if row is None:
        return None
    end = {"lower": "min", "upper": "max"}[str(view.value("boundary.draft.range").value)]
    return Answer(float(row.value[end]), row)


def _asked(view: RuleView, key: str, facts: Mapping[str, Any]) -> Answer | None:
    given = {k: v for k, v in facts.items() if v is not None and v == v}
    row = view.find(key, **given)
    if row is None:
        return None
    if isinstance(row.value, bool) or not isinstance(row.value, (int, float)):
        raise RuleError(f"{row.ruleset}: {key} is {row.value!r}, but a number is needed here: give it a value.")
    return Answer(float(row.value), row, lacking(view, key, given, row))


def lacking(view: RuleView, key: str, given: Mapping[str, Any], won: RuleValue) -> tuple[str, ...]:
    """Facts that rows of a nearer layer ask and nobody told: with them another row might hold."""
    rank = {code: i for i, code in enumerate(view.path)}
    nearer = [
        c.row
        for c in view.book.explain(key, view.path, view.on, **given)
        if rank.get(c.row.jurisdiction, -1) > rank.get(won.jurisdiction, -1) and c.row.jurisdiction != NATIONAL
    ]
    return tuple(sorted({fact for row in nearer for fact in row.applies_to if fact not in given}))
