"""Who answers for each metre of each bank, level by level (责任到段): nobody, one person, or several at once.

Register ids B5 and A10. Everything is told for each bank, so that two chiefs of one level who share a river by its banks
are no double assignment. A person's load is a figure, not a judgement.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from rivergis.layers import BANKS, LEVELS

Floats = npt.NDArray[np.float64]
INTERVAL = ("river_id", "river", "level", "bank", "from_m", "to_m", "length_m", "chief_ids", "chiefs", "persons")
ASTRAY = ("river_id", "level", "bank", "from_m", "to_m", "chief_id", "chief", "reason", "length_m")
PERSON = ("chief_id", "chief", "level", "rivers", "river_m", "bank_m", "shared_bank_m")
SUMMARY = ("level", "bank_m", "one_m", "nobody_m", "several_m", "nobody_share", "several_share")


@dataclass(frozen=True)
class Assignment:
    """``intervals`` (``INTERVAL``): partition of every river, bank and level into stretches with the same persons;
    ``astray`` (``ASTRAY``): duties, or parts of them, that lie on no river; ``persons`` (``PERSON``): load of each person."""

    intervals: pd.DataFrame
    astray: pd.DataFrame
    persons: pd.DataFrame

    @property
    def orphans(self) -> pd.DataFrame:
        """Stretches that nobody answers for (无人负责)."""
        return self.intervals[self.intervals["persons"] == 0].reset_index(drop=True)

    @property
    def doubles(self) -> pd.DataFrame:
        """Stretches that several persons of one level answer for on the same bank (重复负责)."""
        return self.intervals[self.intervals["persons"] > 1].reset_index(drop=True)

    @property
    def summary(self) -> pd.DataFrame:
        """Bank metres of each level, and the shares without and with more than one person."""
        rows = []
        for level, part in self.intervals.groupby("level", sort=False):
            total = float(part["length_m"].sum())
            nobody, several = (
                float(part.loc[c, "length_m"].sum()) for c in (part["persons"] == 0, part["persons"] > 1)
            )
            rows.append((level, total, total - nobody - several, nobody, several, nobody / total, several / total))
        return pd.DataFrame(rows, columns=list(SUMMARY))


def assign(duties: pd.DataFrame, rivers: pd.DataFrame, levels: Sequence[str] | None = None) -> Assignment:
    """Who is responsible for each metre at each level? (责任登记)

    ``duties``: chief_id, chief, level, river_id, bank (left, right, both), from_m, to_m in metres of chainage, of one day.
    ``rivers``: river_id, river, from_m, to_m: the two ends of the axis. ``levels``: those every river should have a person
    of; by default all that any duty names. Overlapping duties of one person count once.
    """
    asked = [level for level in LEVELS if level in set(duties["level"])] if levels is None else list(levels)
    ends = rivers[rivers["from_m"] < rivers["to_m"]].drop_duplicates("river_id").set_index("river_id")
    usable, astray = _sorted_out(duties, ends)
    intervals = pd.DataFrame(list(_intervals(usable, ends, asked)), columns=list(INTERVAL))
    return Assignment(intervals, astray, _persons(intervals, usable))


def _sorted_out(duties: pd.DataFrame, ends: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Duties cut to their rivers, and what is left over: unknown rivers, stretches beyond an end, or turned round."""
    known = duties["river_id"].isin(ends.index)
    from_m, to_m = duties["from_m"].astype(float), duties["to_m"].astype(float)
    low, high = (duties["river_id"].map(ends[c]).astype(float) for c in ("from_m", "to_m"))
    forward = from_m < to_m
    out = [
        _left_over(duties[~known], "unknown_river", (to_m - from_m)[~known]),
        _left_over(duties[known & ~forward], "not_downstream", (to_m - from_m)[known & ~forward]),
    ]
    good = known & forward
    above, below = (low.clip(upper=to_m) - from_m).clip(lower=0), (to_m - high.clip(lower=from_m)).clip(lower=0)
    for beyond, reason in ((above, "above_upper_end"), (below, "below_lower_end")):
        far = good & (beyond > 0)
        out.append(_left_over(duties[far], reason, beyond[far]))
    cut = duties[good].assign(from_m=from_m.clip(lower=low)[good], to_m=to_m.clip(upper=high)[good])
    astray = [f for f in out if len(f)]
    whole = pd.concat(astray, ignore_index=True) if astray else pd.DataFrame(columns=list(ASTRAY))
    return cut[cut["from_m"] < cut["to_m"]], whole


def _left_over(duties: pd.DataFrame, reason: str, length_m: pd.Series) -> pd.DataFrame:
    return duties.assign(reason=reason, length_m=length_m.to_numpy(dtype=float))[list(ASTRAY)]


def _intervals(duties: pd.DataFrame, ends: pd.DataFrame, levels: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    chief_of = dict(zip(duties["chief_id"], duties["chief"], strict=True))
    held = _by_river(duties)
    for river_id, name, low, high in zip(ends.index, ends["river"], ends["from_m"], ends["to_m"], strict=True):
        for level in levels:
            mine = held.get((river_id, level), [])
            for bank in BANKS:
                for a, b, who in _cells(low, high, [d[1:] for d in mine if d[0] in (bank, "both")]):
                    names = "、".join(str(chief_of[c]) for c in who)
                    yield river_id, name, level, bank, a, b, b - a, who, names, len(who)


def _by_river(duties: pd.DataFrame) -> dict[tuple[Any, str], list[tuple[str, float, float, Any]]]:
    """(river, level) -> bank, from_m, to_m, chief_id of each duty."""
    out: dict[tuple[Any, str], list[tuple[str, float, float, Any]]] = {}
    columns = ("river_id", "level", "bank", "from_m", "to_m", "chief_id")
    for river_id, level, *duty in zip(*(duties[c].tolist() for c in columns), strict=True):
        out.setdefault((river_id, level), []).append(tuple(duty))
    return out


def _cells(
    low: float, high: float, duties: Sequence[tuple[float, float, Any]]
) -> Iterator[tuple[float, float, tuple[Any, ...]]]:
    """A stretch cut where the persons change, with the persons of each part in the order of their ids."""
    stops = sorted({low, high, *(a for a, _, _ in duties), *(b for _, b, _ in duties)})
    held: tuple[Any, ...] | None = None
    since = low
    for a in stops[:-1]:
        who = tuple(sorted({chief for begin, end, chief in duties if begin <= a < end}, key=str))
        if held is not None and who != held:
            yield float(since), float(a), held
            since = a
        held = who
    yield float(since), float(high), held or ()


def _persons(intervals: pd.DataFrame, duties: pd.DataFrame) -> pd.DataFrame:
    """Load of each person at each level: rivers, metres along rivers (either bank), bank metres, bank metres shared."""
    held = intervals[intervals["persons"] > 0].explode("chief_ids").rename(columns={"chief_ids": "chief_id"})
    held = held.assign(river_m=_first_told(held), shared=held["length_m"].where(held["persons"] > 1, 0.0))
    load = held.groupby(["chief_id", "level"], as_index=False).agg(
        rivers=("river_id", "nunique"),
        river_m=("river_m", "sum"),
        bank_m=("length_m", "sum"),
        shared_bank_m=("shared", "sum"),
    )
    load["chief"] = load["chief_id"].map(dict(zip(duties["chief_id"], duties["chief"], strict=True)))
    rank = load["level"].map({level: i for i, level in enumerate(LEVELS)})
    order = pd.DataFrame({"rank": rank, "m": -load["river_m"], "id": load["chief_id"].astype(str)})
    return load.loc[order.sort_values(["rank", "m", "id"]).index, list(PERSON)].reset_index(drop=True)


def _first_told(held: pd.DataFrame) -> pd.Series:
    """Of each interval the metres that no earlier one of the same person, level and river has: they add up to the union."""
    group = held.groupby(["chief_id", "level", "river_id"], sort=False).ngroup().to_numpy()
    begin, end = held["from_m"].to_numpy(float), held["to_m"].to_numpy(float)
    order = np.lexsort([begin, group])
    # each group on a stretch of its own, so that one running maximum serves all
    apart = group[order] * (np.ptp(np.concatenate([begin, end])) + 1.0 if len(held) else 1.0)
    begin, end = begin[order] + apart, end[order] + apart
    reached = np.concatenate([[-np.inf], np.maximum.accumulate(end)[:-1]]) if len(held) else end
    return (
        pd.Series(np.maximum(end - np.maximum(begin, reached), 0.0), index=np.arange(len(held))[order])
        .sort_index()
        .set_axis(held.index)
    )


def joined(intervals: pd.DataFrame) -> pd.DataFrame:
    """The same intervals with ``bank`` 'both' where both banks have the same persons on the same stretch, for reading."""
    key = ["river_id", "level", "from_m", "to_m", "chief_ids"]
    twice = intervals.duplicated(key, keep=False)
    out = intervals.assign(bank=np.where(twice, "both", intervals["bank"]))
    return out[~out.duplicated([*key, "bank"])].reset_index(drop=True)


def longer(intervals: pd.DataFrame, min_m: float) -> tuple[pd.DataFrame, int]:
    """The stretches of at least ``min_m`` metres, and how many shorter ones (rounding of chainages) are left out."""
    long = intervals["length_m"] >= min_m
    return intervals[long].reset_index(drop=True), int((~long).sum())
