"""Permits that say in words where they hold: by chainage and bank, by a point, by a name. A person must place them first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import shapely

from rivergis.encroachment.permits import Permits
from rivergis.river.register import Spot


@dataclass(frozen=True)
class Stands:
    """Where along its river a thing stands, from end to end (桩号, 岸别); None and no banks = not known."""

    river_id: str | None
    first_m: float | None
    last_m: float | None
    banks: frozenset[str]
    village: str | None

    @classmethod
    def at(cls, spot: Spot) -> Stands:
        """At one spot of the river."""
        banks = frozenset({spot.bank}) if spot.bank is not None else frozenset()
        return cls(spot.river_id, spot.at_m, spot.at_m, banks, spot.village)


def open_permits(kind: str, stands: Stands, permits: Permits, villages: Sequence[str], *, slack_m: float) -> list[int]:
    """Permits in force for this kind that may hold where a thing stands but have no polygon: it is queued (有许可·待核位置).

    By stretch or point: any of its chainages within ``slack_m``, on any of its banks; by name: the ``villages`` that its name
    speaks of, or the whole river when it speaks of none that is known. A permit that names no river may hold on any. Rows of
    ``permits``.
    """
    rows = np.flatnonzero(permits.open)
    return [int(p) for p in rows if _may_hold(permits.frame.iloc[p], kind, stands, villages, slack_m)]


def _may_hold(permit: pd.Series, kind: str, stands: Stands, villages: Sequence[str], slack_m: float) -> bool:
    if permit["allows"] != kind:
        return False
    river = permit["river_id"]
    if river is not None and stands.river_id is not None and str(river) != str(stands.river_id):
        return False
    if permit["bank"] is not None and stands.banks and permit["bank"] not in stands.banks:
        return False
    first, last = permit["from_m"], permit["to_m"]
    if pd.isna(first) and pd.isna(last):
        return named_here(str(permit["name"] or ""), stands.village, villages)
    if stands.first_m is None or stands.last_m is None:
        return True
    first, last = (last if pd.isna(first) else first), (first if pd.isna(last) else last)
    return bool(min(first, last) - slack_m <= stands.last_m and stands.first_m <= max(first, last) + slack_m)


def named_here(name: str, village: str | None, villages: Sequence[str]) -> bool:
    """Whether a name speaks of the village, or of none that is known."""
    meant = [stem for stem in map(_stem, villages) if stem and stem in name]
    return not meant or _stem(village or "") in meant


def _stem(village: str) -> str:
    return village.removesuffix("村").removesuffix("社区")


def words(permits: Permits, rows: Sequence[int]) -> list[str]:
    """Code and document number of permits, as lists show them."""
    chosen = permits.frame.iloc[list(rows)]
    return [f"{p.code} {p.doc_no or ''}".strip() for p in chosen.itertuples()]


def ended_here(permits: Permits, kind: str, net: Any) -> str | None:
    """The permit for a time that covered the place last and has ended: its end is why the object is told."""
    if not permits.ended.any():
        return None
    gone = np.flatnonzero(permits.ended & permits.placed & (permits.frame["allows"].to_numpy(object) == kind))
    here = gone[shapely.intersects(permits.frame.geometry.to_numpy()[gone], net)]
    if not len(here):
        return None
    last = permits.frame.iloc[here].sort_values(["valid_to", "code"]).iloc[-1]
    return (
        f"{last['code']} {last['name']} {last['doc_no'] or ''} 有效至 valid to {pd.Timestamp(last['valid_to']).date()}"
    )
