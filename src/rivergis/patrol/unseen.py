"""Why the rest of the assigned metres was not seen, bank by bank: seen and unseen are together what was assigned."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

from rivergis.patrol import coverage
from rivergis.patrol.coverage import GAP, LEG_COLUMNS, NEVER, NOT_ALONG, OTHER_BANK, POOR_ACCURACY, SEEN, TOO_FAR
from rivergis.patrol.fixes import Floats
from rivergis.patrol.water import Water

CELL_M = 25.0  # an unseen stretch is asked for its reason at this spacing
LEAST_M = 1e-6

Spans = list[tuple[float, float]]


def minus(whole: tuple[float, float], cuts: Iterable[tuple[float, float]]) -> Spans:
    """What is left of a stretch when others are cut out of it, in order."""
    out, at = [], whole[0]
    for a, b in sorted(cuts):
        if a > at + LEAST_M:
            out.append((at, min(a, whole[1])))
        at = max(at, b)
        if at >= whole[1]:
            return [(a, b) for a, b in out if b > a]
    out.append((at, whole[1]))
    return [(a, b) for a, b in out if b - a > LEAST_M]


def explain(
    seen: pd.DataFrame, unobserved: pd.DataFrame, duty: pd.DataFrame, water: Water | None, fixes_xy: Floats, poor_xy: Floats,
    limits: coverage.Limits,
) -> pd.DataFrame:  # fmt: skip
    """The unseen stretches of a duty with their reason, as rows of ``LEG_COLUMNS`` (``reach``: position in the frame of the duty).

    ``seen``: legs with frame positions, whatever their ``why``; ``duty``: rows (reach, bank, from_m, to_m); ``fixes_xy`` (n, 2) used
    and ``poor_xy`` (m, 2) unusable fixes in metres of ``water``. Reasons in this order: seen but not counted (the leg's own
    ``why``), only the other bank, a silence there, unusable fixes there, in sight but not gone along, too far, never approached.
    """
    at = {int(r): k for k, r in enumerate(water.number)} if water is not None else {}
    near = _Near(water, fixes_xy, poor_xy, limits.too_far_sights)
    rows: list[tuple[object, ...]] = []
    for d in duty.itertuples():
        mine = seen[seen["reach"] == d.reach]
        done = mine[mine["why"] == SEEN]
        here = done["bank"].eq(d.bank).to_numpy() | done["bank"].isna().to_numpy()
        left = minus((d.from_m, d.to_m), _spans(done[here]))
        layers = [
            (why, _spans(part[part["bank"].eq(d.bank) | part["bank"].isna()]))
            for why, part in mine.groupby("why")
            if why != SEEN
        ]
        layers += [(OTHER_BANK, _spans(done)), (GAP, _spans(unobserved[unobserved["reach"] == d.reach]))]
        for why, spans in layers:
            rest = [part for piece in left for part in minus(piece, spans)]
            rows += [_row(d, a, b, why) for piece in left for a, b in _common(piece, spans)]
            left = rest
        for a, b in left:
            reasons = near.reasons(at[d.reach], a, b) if d.reach in at else iter([(a, b, NEVER)])
            rows += [_row(d, x, y, why) for x, y, why in reasons]
    return pd.DataFrame(rows, columns=list(LEG_COLUMNS))


def _spans(rows: pd.DataFrame) -> Spans:
    return list(zip(rows["from_m"].astype(float), rows["to_m"].astype(float), strict=True))


def _common(whole: tuple[float, float], spans: Spans) -> Iterator[tuple[float, float]]:
    """The parts of a stretch that others cover, each metre once."""
    at = whole[0]
    for a, b in minus(whole, spans):
        if a - at > LEAST_M:
            yield at, a
        at = b
    if whole[1] - at > LEAST_M:
        yield at, whole[1]


def _row(d: object, a: float, b: float, why: str) -> tuple[object, ...]:
    return (d.reach, d.bank, a, b, why, np.nan, np.nan, -1, None, np.nan, np.nan)  # type: ignore[attr-defined]


class _Near:
    """How near a track came to places on the reaches of a neighbourhood."""

    def __init__(self, water: Water | None, fixes_xy: Floats, poor_xy: Floats, far: float) -> None:
        self.water, self.far = water, far
        self.used = cKDTree(fixes_xy) if len(fixes_xy) else None
        self.poor = cKDTree(poor_xy) if len(poor_xy) else None

    def reasons(self, r: int, a: float, b: float) -> Iterator[tuple[float, float, str]]:
        """A stretch of a reach cut where the reason changes."""
        assert self.water is not None
        n = max(int(np.ceil((b - a) / CELL_M)), 1)
        edges = np.linspace(a, b, n + 1)
        middle = (edges[1:] + edges[:-1]) / 2
        first, last = self.water.first[r], self.water.first[r + 1]
        at_m, line = self.water.at_m[first:last], self.water.vertex[first:last]
        places = np.column_stack([np.interp(middle, at_m, line[:, 0]), np.interp(middle, at_m, line[:, 1])])
        sight = self.water.visible_m[r]
        why = np.full(n, NEVER, dtype=object)
        away = self._away(self.used, places)
        why[away <= self.far * sight] = TOO_FAR
        why[away <= sight] = NOT_ALONG
        why[(self._away(self.poor, places) <= sight) & (why != NOT_ALONG)] = POOR_ACCURACY
        start = 0
        for k in range(1, n + 1):
            if k == n or why[k] != why[start]:
                yield float(edges[start]), float(edges[k]), str(why[start])
                start = k

    @staticmethod
    def _away(tree: cKDTree | None, places: Floats) -> Floats:
        return np.full(len(places), np.inf) if tree is None else np.asarray(tree.query(places)[0])
