"""What a permit (涉河许可) covers on a day: ground that is taken off, permits that have ended, and permits without a place.

Valid on both days it names. A permit for a time (临时占用, 采砂, 疏浚清淤) that has ended covers nothing any more; a permanent work
does not become a problem when the time to build it ends, but somebody has to see the papers of its acceptance (竣工验收).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from rivergis import geometry
from rivergis.rules.classes import same

PERMANENT = "permanent_work"
KINDS = {
    **dict.fromkeys((PERMANENT, "永久工程", "永久性工程", "永久", "涉河建设项目"), PERMANENT),
    **dict.fromkeys(("temporary_use", "临时占用", "临时占地", "临时"), "temporary_use"),
    **dict.fromkeys(("sand_mining", "采砂", "河道采砂", "砂石开采"), "sand_mining"),
    **dict.fromkeys(("dredging", "疏浚清淤", "疏浚", "清淤"), "dredging"),
}

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Permits:
    """Permits of a layer on one day; all arrays row by row like ``frame`` (metres).

    ``covers``: takes its ground off (valid that day, or a permanent work whose time to build has ended); ``unread``: has a day that is none; ``unaccepted``: such a
    work without papers of acceptance; ``ended``: a permit for a time that is over; ``placed``: has a polygon.
    """

    frame: gpd.GeoDataFrame
    covers: Flags
    unread: Flags
    unaccepted: Flags
    ended: Flags
    placed: Flags

    @property
    def open(self) -> Flags:
        """Perhaps in force, but said in words, by a point or a line only, or with days nobody can read: a person has to look."""
        return (self.covers & ~self.placed) | self.unread

    @cached_property
    def open_kinds(self) -> frozenset[str]:
        """Kinds of objects that such a permit may concern."""
        return frozenset(self.frame["allows"].to_numpy(object)[self.open])


def permits_on(frame: gpd.GeoDataFrame, on: date) -> Permits:
    """Permits of a frame on a civil day.

    Columns ``allows``, ``kind`` (one of ``KINDS``; missing = for a time), ``valid_from``, ``valid_to`` (both days inclusive,
    missing = open), ``accepted_on`` (missing = none seen), ``unread`` (a day stands there that is none; missing = no), geometry (metres, may be missing). Crossed polygons are repaired.
    """
    kind = (
        frame["kind"].map(lambda k: KINDS.get(str(k).strip()))
        if "kind" in frame
        else pd.Series(None, index=frame.index)
    )
    first, last, accepted = (_dates(frame, c) for c in ("valid_from", "valid_to", "accepted_on"))
    day = pd.Timestamp(on)
    begun = (first.isna() | (first <= day)).to_numpy()
    over = (last < day).to_numpy()
    permanent = (kind == PERMANENT).to_numpy()
    unread = frame["unread"].to_numpy(bool) if "unread" in frame else np.zeros(len(frame), bool)
    shapes = np.array([geometry.polygons_of(g) for g in frame.geometry], dtype=object).reshape(-1)
    placed = ~shapely.is_empty(shapes) if len(shapes) else np.zeros(0, bool)
    ground = gpd.GeoSeries(np.where(placed, shapes, frame.geometry.to_numpy()), crs=frame.crs, index=frame.index)
    return Permits(
        frame.assign(kind=kind).set_geometry(ground),
        begun & (~over | permanent) & ~unread,
        unread,
        begun & over & permanent & (accepted.isna() | (accepted > day)).to_numpy(),
        over & ~permanent & ~unread,
        placed,
    )


def _dates(frame: pd.DataFrame, column: str) -> pd.Series:
    if column not in frame:
        return pd.Series(pd.NaT, index=frame.index)
    return pd.to_datetime(frame[column], errors="coerce", format="mixed").dt.tz_localize(None)


@dataclass(frozen=True)
class Links:
    """Candidates and permits that concern each other, one row each, by position in their frames."""

    candidate: npt.NDArray[np.int64]
    permit: npt.NDArray[np.int64]

    def of(self, candidate: int) -> tuple[int, ...]:
        """Permits of one candidate."""
        return tuple(self.permit[self.candidate == candidate].tolist())


def by_candidate(found: Links) -> dict[int, tuple[int, ...]]:
    """Permits by candidate."""
    out: dict[int, tuple[int, ...]] = {}
    for c, p in zip(found.candidate.tolist(), found.permit.tolist(), strict=True):
        out[c] = (*out.get(c, ()), p)
    return out


def links(
    shapes: Sequence[Any] | np.ndarray, kinds: np.ndarray, permits: Permits, which: Flags, within_m: float = 0.0
) -> Links:
    """Permits of ``which`` that meet candidates of the kind they allow, or lie within a distance; sorted by candidate."""
    rows = np.flatnonzero(which)
    if not len(rows) or not len(shapes):
        return Links(np.zeros(0, np.int64), np.zeros(0, np.int64))
    tree = shapely.STRtree(permits.frame.geometry.to_numpy()[rows])
    found = tree.query(np.asarray(shapes, object), predicate="dwithin", distance=within_m)
    candidate, permit = found[0], rows[found[1]]
    same = permits.frame["allows"].to_numpy(object)[permit] == kinds[candidate]
    order = np.lexsort((permit[same], candidate[same]))
    return Links(candidate[same][order], permit[same][order])


def unplaced(kinds: np.ndarray, waters: Sequence[set[str]], permits: Permits) -> Links:
    """Permits in force that say in words only where they hold, with every candidate of their kind on the water they name.

    ``waters``: for each candidate the names and codes of the water it is at; one at no known water may be meant by any. A permit
    that names no water has no neighbours (``nowhere``).
    """
    rows = np.flatnonzero(permits.open & permits.frame.geometry.isna().to_numpy())
    allows = permits.frame["allows"].to_numpy(object)
    at: dict[str, list[int]] = {}
    for c, of in enumerate(waters):
        for water in {same(w) for w in of} or {""}:
            at.setdefault(water, []).append(c)
    found = set()
    for p in rows.tolist():
        names = waters_named(permits.frame.iloc[p])
        meant = {c for w in (*names, "") for c in at.get(w, ())} if names else set()
        found |= {(c, p) for c in meant if kinds[c] == allows[p]}
    return Links(*np.array(sorted(found), np.int64).reshape(-1, 2).T)


def nowhere(permits: Permits, waters: Collection[str]) -> np.ndarray:
    """Positions of permits in force that have no shape and name no water of these: they concern no candidate that could be named."""
    rows = np.flatnonzero(permits.open & permits.frame.geometry.isna().to_numpy())
    known = {same(w) for w in waters}
    return np.array([p for p in rows.tolist() if not waters_named(permits.frame.iloc[p]) & known], np.int64)


def waters_named(row: pd.Series) -> set[str]:
    """Names and codes of the water that a permit says it holds on, as ``same`` writes them."""
    said = [str(row[c]) for c in ("reach", "river", "river_code") if c in row and pd.notna(row[c])]
    return {same(w) for w in said} - {""}
