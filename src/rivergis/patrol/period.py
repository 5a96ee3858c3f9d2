"""覆盖情况 of a period: what all patrols together have seen of what is assigned, stretch by stretch and bank by bank.

Pure interval algebra on frames. A *stretch frame* has key columns (by default river and bank) and ``from_m``, ``to_m`` in
metres of chainage, half-open; measures count in whole millimetres, so that stretches that meet do meet and sums are exact.
The order of rows never matters, and what is seen and what is not always add up to what is assigned.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

LINE = ("river_id", "bank")
BANKS = ("left", "right")
NEVER = "never"
MM = 1000.0
_BITS = 41  # millimetres of a chainage, with room for negative ones: rivers up to a million kilometres
_ZERO = 1 << (_BITS - 1)


@dataclass(frozen=True, eq=False)
class _Grid:
    """All ends of some stretch frames as points in order; cell ``i`` lies between the points ``i`` and ``i + 1``."""

    keys: pd.DataFrame
    points: Ints
    spans: list[tuple[Ints, Ints]]
    """First cell and the one after the last of every row, frame by frame."""

    @property
    def size(self) -> int:
        return max(len(self.points) - 1, 0)

    def count(self, spans: tuple[Ints, Ints]) -> Ints:
        """How many of the rows cover each cell."""
        steps = np.zeros(self.size + 1, dtype=np.int64)
        np.add.at(steps, spans[0], 1)
        np.add.at(steps, spans[1], -1)
        return np.cumsum(steps)[:-1] if self.size else steps[:0]

    def frame(self, which: Flags | Ints) -> pd.DataFrame:
        """These cells as rows: keys, from_m, to_m."""
        at = np.flatnonzero(which) if which.dtype == bool else which
        own = self.keys.iloc[(self.points[at] >> _BITS)].reset_index(drop=True)
        ends = ((self.points & ((1 << _BITS) - 1)) - _ZERO) / MM
        return own.assign(from_m=ends[at], to_m=ends[at + 1])


def _grid(frames: Sequence[pd.DataFrame], keys: Sequence[str]) -> _Grid:
    rows = [list(zip(*(f[k] for k in keys), strict=True)) for f in frames]
    own = sorted({r for part in rows for r in part}, key=str)
    code = {key: i for i, key in enumerate(own)}
    codes = np.array([code[r] for part in rows for r in part], dtype=np.int64)
    ends = [
        np.rint(np.concatenate([f[c].to_numpy(np.float64) for f in frames]) * MM).astype(np.int64) + _ZERO
        for c in ("from_m", "to_m")
    ]
    points, place = np.unique(np.concatenate([(codes << _BITS) | e for e in ends]), return_inverse=True)
    lo, hi = np.split(place.astype(np.int64), 2)
    cuts = np.cumsum([len(f) for f in frames])[:-1]
    named = pd.DataFrame({k: pd.Series([r[i] for r in own], dtype=object) for i, k in enumerate(keys)})
    return _Grid(named, points, list(zip(np.split(lo, cuts), np.split(np.maximum(lo, hi), cuts), strict=True)))


def _painted(spans: tuple[Ints, Ints], order: Iterable[int], size: int) -> Ints:
    """For each cell the first row in ``order`` that covers it, -1 where none does; each cell is visited once."""
    free = list(range(size + 1))
    owner = np.full(size, -1, dtype=np.int64)
    first, last = spans[0].tolist(), spans[1].tolist()
    for row in order:
        at = _next_free(free, first[row])
        while at < last[row]:
            owner[at] = row
            free[at] = at + 1
            at = _next_free(free, at + 1)
    return owner


def _next_free(free: list[int], at: int) -> int:
    root = at
    while free[root] != root:
        root = free[root]
    while free[at] != root:
        free[at], at = root, free[at]
    return root


def union(stretches: pd.DataFrame, keys: Sequence[str] = LINE) -> pd.DataFrame:
    """Each metre once: the stretches of one key joined where they meet or overlap, in order."""
    grid = _grid([stretches], keys)
    return joined(grid.frame(grid.count(grid.spans[0]) > 0), keys)


def difference(stretches: pd.DataFrame, cuts: pd.DataFrame, keys: Sequence[str] = LINE) -> pd.DataFrame:
    """What of the stretches is in none of the cuts."""
    grid = _grid([stretches, cuts], keys)
    inside = grid.count(grid.spans[0]) > 0
    return joined(grid.frame(inside & (grid.count(grid.spans[1]) == 0)), keys)


def common(stretches: pd.DataFrame, others: pd.DataFrame, keys: Sequence[str] = LINE) -> pd.DataFrame:
    """What is in both."""
    grid = _grid([stretches, others], keys)
    return joined(grid.frame((grid.count(grid.spans[0]) > 0) & (grid.count(grid.spans[1]) > 0)), keys)


def joined(stretches: pd.DataFrame, same: Sequence[str]) -> pd.DataFrame:
    """Rows in order, joined with the one before where they meet and agree in the columns ``same``."""
    if stretches.empty:
        return stretches.reset_index(drop=True)
    apart = stretches["from_m"].to_numpy()[1:] != stretches["to_m"].to_numpy()[:-1]
    for column in same:
        values = stretches[column].to_numpy(dtype=object)
        pairs = zip(values[1:], values[:-1], strict=True)
        apart |= np.array([a != b and not (pd.isna(a) and pd.isna(b)) for a, b in pairs], dtype=bool)
    first = np.flatnonzero(np.r_[True, apart])
    last = np.r_[first[1:], len(stretches)] - 1
    return stretches.iloc[first].reset_index(drop=True).assign(to_m=stretches["to_m"].to_numpy()[last])


def length_m(stretches: pd.DataFrame) -> float:
    """Metres of the rows together."""
    return round(float((stretches["to_m"] - stretches["from_m"]).sum()), 3)


def either_bank(stretches: pd.DataFrame, keys: Sequence[str] = LINE) -> pd.DataFrame:
    """Stretches of river, whichever bank: each metre of the river once."""
    return union(stretches, [k for k in keys if k != "bank"])


def by_bank(stretches: pd.DataFrame) -> pd.DataFrame:
    """Rows of ``both`` banks as one row for each bank; others as they are."""
    banks = stretches["bank"].map(lambda b: BANKS if b == "both" else (b,))
    return stretches.assign(bank=banks).explode("bank", ignore_index=True)


ACCUMULATED = ("from_m", "to_m", "patrols", "first_seen", "last_seen", "last")


def accumulate(assigned: pd.DataFrame, seen: pd.DataFrame, keys: Sequence[str] = LINE) -> pd.DataFrame:
    """How often and when last was each metre of the assigned banks seen? (累计覆盖)

    ``assigned``: stretch frame, overlaps count once. ``seen``: stretch frame with ``track_id`` and ``at`` (a moment or a civil
    day); what lies outside of the assigned is left out. Result: partition of the assigned into ``keys`` and ``ACCUMULATED``:
    ``patrols`` (different tracks; 0 never), ``first_seen``, ``last_seen`` (values of ``at``, None where never), ``last`` (label of
    the row of ``seen`` that saw it last).
    """
    once = seen.sort_values(["at", "track_id"], kind="stable", key=_sortable)
    apart = union(once, [*keys, "track_id"])
    grid = _grid([assigned, once, apart], keys)
    inside = np.flatnonzero(grid.count(grid.spans[0]) > 0)
    early = _painted(grid.spans[1], range(len(once)), grid.size)[inside]
    late = _painted(grid.spans[1], range(len(once) - 1, -1, -1), grid.size)[inside]
    out = grid.frame(inside).assign(
        patrols=grid.count(grid.spans[2])[inside],
        first_seen=_taken(once["at"], early),
        last_seen=_taken(once["at"], late),
        last=_taken(pd.Series(once.index, index=once.index), late),
    )
    return joined(out, [*keys, *ACCUMULATED[2:]])


def _sortable(column: pd.Series) -> pd.Series:
    return column if column.name == "at" else column.astype(str)


def _taken(values: pd.Series, at: Ints) -> pd.Series:
    """Values at positions, None at -1."""
    kept = values.astype(object).to_numpy(dtype=object)
    return pd.Series([kept[i] if i >= 0 else None for i in at.tolist()], dtype=object)


def reasoned(
    holes: pd.DataFrame, unseen: pd.DataFrame, order: Sequence[str], keys: Sequence[str] = LINE
) -> pd.DataFrame:
    """Holes cut where the reason changes: of what the patrols say of a place the one that stands first in ``order``.

    ``unseen``: stretch frame with ``reason``; where no patrol says anything the reason is the last of ``order``.
    """
    rank = unseen["reason"].map({r: i for i, r in enumerate(order)}).fillna(len(order))
    ranked = unseen.assign(_rank=rank).sort_values("_rank", kind="stable")
    grid = _grid([holes, ranked], keys)
    inside = np.flatnonzero(grid.count(grid.spans[0]) > 0)
    owner = _painted(grid.spans[1], range(len(ranked)), grid.size)[inside]
    why = _taken(ranked["reason"], owner)
    return joined(grid.frame(inside).assign(reason=why.where(why.notna(), order[-1])), [*keys, "reason"])


def days_since(cells: pd.DataFrame, on: Any, classes: Sequence[int]) -> pd.DataFrame:
    """Days from ``last_seen`` (civil days) to the day ``on``, and their class: ``0-7`` ... ``>92``, ``never``.

    ``classes``: last day of each class but the open one, rising.
    """
    days = [None if d is None else (on - d).days for d in cells["last_seen"]]
    return cells.assign(days=pd.Series(days, index=cells.index, dtype=object), cls=[_class(d, classes) for d in days])


def _class(days: int | None, classes: Sequence[int]) -> str:
    if days is None:
        return NEVER
    at = int(np.searchsorted(np.asarray(classes), days))
    return f">{classes[-1]}" if at == len(classes) else f"{classes[at - 1] + 1 if at else 0}-{classes[at]}"


def class_names(classes: Sequence[int]) -> list[str]:
    """All classes of ``days_since`` in order, ``never`` last."""
    return [_class(d, classes) for d in (*classes, classes[-1] + 1, None)]
